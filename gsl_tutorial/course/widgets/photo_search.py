"""Chapter 00's first minute: a search through four bytes for each photograph.

The results are computed here, once, and drawn in the page (`photo_search.js`), so that the tiles answer
without a kernel. Nothing here needs torch, which takes longer to load than the search takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import traitlets as T
from matplotlib.figure import Figure

from gsl_tutorial.course.datasets import CLASS_NAMES, find_cifar10, read_cifar10
from gsl_tutorial.course.plots.found_codes import draw_found_codes
from gsl_tutorial.course.widgets.page import PageWidget, entry, script, style, to_json
from gsl_tutorial.course.widgets.photo_data import RUN, SIGNS, shipped
from gsl_tutorial.course.widgets.query_tiles import picture_address
from gsl_tutorial.errors import InvalidInputError

SCRIPT = script("page_choice", "photo_tiles", "photo_search")
STYLE = style("explorer", "photo_tiles")
#: So many queries more are tried, and the worst of them shown, too: no search is always right.
TRIED, WORST = 100, 2


class PhotoSearch(PageWidget):
    """Some queries, and for the chosen one the photographs of CIFAR-10 whose codes are nearest.

    The query stays exact and the 50,000 photographs are codes (chapter 03 calls that ADC). Many
    photographs share a code; one of them is drawn for each of the nearest codes. One query is drawn
    from each class, and the last two are the worst of a hundred others.

    Parameters
    ----------
    folder : Path
        A shipped run of product quantization.
    k : int
        How many photographs are found.
    seed : int
        Of the queries and of the lots.
    pictures : bool
        Show the photographs where they are on this machine; otherwise squares stand in for them.

    Attributes
    ----------
    queries : list of dict
        For each query its name, picture and code, and what was found.
    chosen : int
        Number of the chosen query.
    has_pictures : bool
        Whether photographs are shown.
    n_photographs : int
        How many are searched.

    Raises
    ------
    DataMissingError, ChecksumError
        The shipped run is not there, or its files have changed.
    """

    kind, render = "photos", "renderPhotoSearch"
    script, style, told = SCRIPT, STYLE, ("queries", "chosen", "signs")
    unlinked = ("queries", "signs")
    _esm, _css = entry(SCRIPT, "renderPhotoSearch"), STYLE

    queries = T.Any().tag(sync=True, to_json=to_json)
    signs: Any = T.Dict().tag(sync=True)
    chosen = T.Int(0).tag(sync=True)

    def __init__(
        self, folder: Path = RUN, *, k: int = 10, seed: int = 9, pictures: bool = True
    ) -> None:
        model, arrays = shipped(folder)
        images = read_cifar10()[0] if pictures and find_cifar10() else None
        self.has_pictures = images is not None
        labels, codes = arrays["database.labels"], arrays["database.codes"]
        asked = arrays["query.labels"]
        self.n_photographs = len(codes)
        as_one_number = np.ascontiguousarray(codes).view(np.uint32)[:, 0]
        rng = np.random.default_rng(seed)

        def search(row: int) -> tuple[np.ndarray, np.ndarray]:
            """The code of a query, and the rows that are found."""
            table, code = _look_up_table(arrays["query.z"][row], model["codebooks"])
            distances = table[np.arange(len(table)), codes].sum(axis=1)
            lots = rng.permutation(len(codes))
            order = lots[np.argsort(distances[lots], kind="stable")]
            _, first = np.unique(as_one_number[order], return_index=True)
            return code, order[np.sort(first)[:k]]

        def tile(label: int, image: int, code: np.ndarray) -> dict[str, Any]:
            # The images of the training batches, here the database, come first in the file.
            picture = "" if images is None else picture_address(images[image])
            return {"name": CLASS_NAMES[label], "picture": picture, "code": code.tolist()}

        rows = [int(rng.choice(np.flatnonzero(asked == c))) for c in range(len(CLASS_NAMES))]
        results = {row: search(row) for row in rows}
        tried = {int(row): search(row) for row in rng.choice(len(asked), TRIED, replace=False)}
        hits = {row: int((labels[tried[row][1]] == asked[row]).sum()) for row in tried}
        worst = sorted(tried, key=lambda row: hits[row])[:WORST]
        queries = []
        for row, (code, found) in (results | {row: tried[row] for row in worst}).items():
            items = [
                tile(labels[i], i, codes[i]) | {"right": bool(labels[i] == asked[row])}
                for i in found
            ]
            queries.append(tile(asked[row], len(codes) + row, code) | {"found": items})
        super().__init__(queries=queries, signs=SIGNS, chosen=0)

    @property
    def right(self) -> list[int]:
        """For each query, how many of the photographs found are of its class."""
        return [sum(one["right"] for one in query["found"]) for query in self.queries]

    def still(self) -> Figure:
        """The chosen query and what was found, with names and codes in place of pictures."""
        query = self.queries[self.chosen]
        found = query["found"]
        return draw_found_codes(
            query["name"], np.array(query["code"], dtype=np.uint8),
            [one["name"] for one in found], np.array([one["code"] for one in found], dtype=np.uint8),
            np.array([one["right"] for one in found]), colours=self.signs,
        )  # fmt: skip

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        query = self.queries[self.chosen]
        listed = ", ".join(
            f"{one['name']} {right}" for one, right in zip(self.queries, self.right, strict=True)
        )
        return (
            f"{len(self.queries)} queries to choose from, and the {len(query['found'])} photographs that "
            f"were found for one of them by their four bytes. Right ones among them: {listed}."
        )

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            There is no query of that number.
        """
        if not 0 <= self.chosen < len(self.queries):
            raise InvalidInputError(
                f"a query from 0 to {len(self.queries) - 1}", f"{self.chosen}", "choose one of them"
            )


def _look_up_table(z: np.ndarray, codebooks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(dim,), (M, K, d) -> the (M, K) squared distances, and the code: the least of each row."""
    parts = z.astype(np.float32).reshape(len(codebooks), 1, -1)
    table = ((codebooks - parts) ** 2).sum(axis=2)
    return table, table.argmin(axis=1)
