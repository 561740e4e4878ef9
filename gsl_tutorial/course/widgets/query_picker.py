"""Chapter 09's control: choose a query, see its code, the lookups summed and the first ten found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import ipywidgets as W
import numpy as np
from jaxtyping import Integer, UInt8
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.lookups import draw_lookups
from gsl_tutorial.course.plots.retrieval import pictures
from gsl_tutorial.course.toys.one_search import Found, look_up
from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.course.widgets.drawing import DrawingWithControls
from gsl_tutorial.course.widgets.query_tiles import QueryTiles
from gsl_tutorial.quantizers import ProductQuantizer


class QueryPicker(DrawingWithControls):
    """Tiles for some queries, and buttons for ADC, SDC and exact search.

    Parameters
    ----------
    quantizer : ProductQuantizer
        The quantizer that made the codes.
    query, database : Embedded
        Embeddings and labels of the queries and of the database.
    codes : (N, M) array of int
        Codes of the database.
    class_names : sequence of str
        Names of the classes.
    rows : sequence of int
        The queries to choose from.
    images : pair of (B, 32, 32, 3) and (N, 32, 32, 3) arrays of uint8, optional
        Those of the queries and of the database, where they are at hand.
    k : int
        How many items are found.
    """

    def __init__(
        self,
        quantizer: ProductQuantizer,
        query: Embedded,
        database: Embedded,
        codes: Integer[np.ndarray, "N M"],
        class_names: Sequence[str],
        rows: Sequence[int],
        *,
        images: tuple[UInt8[np.ndarray, "B 32 32 3"], UInt8[np.ndarray, "N 32 32 3"]] | None = None,
        k: int = 10,
    ) -> None:
        rows = [int(row) for row in rows]
        query_images, database_images = images or (None, None)

        @cache
        def found(number: int, how: str, each: str) -> tuple[Found, list[str], np.ndarray]:
            row = rows[number]
            one = look_up(quantizer, query.z[row], database.z, codes, how=how, each=each, k=k)  # type: ignore[arg-type]
            same = database.labels == query.labels[row]
            if each == "item":
                return one, [class_names[c] for c in database.labels[one.items]], same[one.items]
            hits = np.array([same[one.tied_with(i)].sum() for i in range(len(one.items))])
            name = class_names[query.labels[row]]
            written = [f"{name} {hit:,}/{n:,}" for hit, n in zip(hits, one.tied, strict=True)]
            return one, written, 2 * hits > one.tied

        def draw(number: int, how: str, each: str) -> Figure:
            one, written, right = found(number, how, each)
            return draw_lookups(
                one,
                right,
                query_name=class_names[query.labels[rows[number]]],
                names=written,
                query_picture=pictures(query_images, [rows[number]])[0],
                pictures=None if images is None else pictures(database_images, one.items),
            )

        names = [class_names[query.labels[row]] for row in rows]
        hits = [int(found(number, "ADC", "item")[2].sum()) for number in range(len(rows))]
        controls = {
            "number": QueryTiles(
                names,
                [f"{n} of {k}" for n in hits],
                pictures(query_images, rows),
                label="Choose a query",
            ),
            "how": W.ToggleButtons(
                options=["ADC", "SDC", "exact"], description="measure by",
                style={"description_width": "6em", "button_width": "6em"},
            ),
            "each": W.ToggleButtons(
                options=[("items", "item"), ("distinct codes", "distance")], value="distance",
                description="a row for", style={"description_width": "6em", "button_width": "8em"},
            ),
        }  # fmt: skip
        first = found(0, "ADC", "distance")[0]
        sums = " + ".join(f"{part:.4f}" for part in first.parts[0])
        super().__init__(
            draw,
            controls,
            alt=f"At first, a search for the class {names[0]!r}: {hits[0]} of the {k} nearest items are of "
            f"it. Each row shows a code, how many items carry it and the entries that it looks up, stacked "
            f"to a bar; for the nearest code they are {sums}, together {first.distances[0]:.4f}, "
            f"and {first.tied[0]:,} items carry it. Tiles choose another of {len(rows)} queries.",
        )
