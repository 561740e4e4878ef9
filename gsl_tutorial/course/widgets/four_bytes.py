"""Chapter 09's single search: from pixels through embedding, code and table to what is found.

The page computes by itself (`four_bytes*.js`), from a thousand of the photographs' codes; `read_out` is
its reference. Nothing here needs torch.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import traitlets as T
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.datasets import CLASS_NAMES, find_cifar10, read_cifar10
from gsl_tutorial.course.plots.retrieval import draw_gallery
from gsl_tutorial.course.widgets.page import PageWidget, entry, script, style, to_json
from gsl_tutorial.course.widgets.photo_data import COLUMNS, RUN, SIGNS, sheet_address, shipped
from gsl_tutorial.course.widgets.query_tiles import picture_address
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count

SCRIPT = script("page_choice", "photo_tiles", "four_bytes_math", "four_bytes_row", "four_bytes")
STYLE = style("explorer", "photo_tiles", "four_bytes")
#: So many photographs are found.
FOUND = 10


@dataclass(frozen=True)
class FoundByBytes:
    """What the picture says.

    Attributes
    ----------
    code : tuple of int
        The code that is shown, by hand or of the photograph itself.
    parts : tuple of float
        The entries of the photograph's lookup table that it names.
    items : tuple of int
        The photographs found, nearest first, as numbers among those that are searched.
    distances : tuple of float
        Squared distances to them, from where the search starts.
    right : tuple of bool
        Which of them show the same kind of thing.
    """

    code: tuple[int, ...]
    parts: tuple[float, ...]
    items: tuple[int, ...]
    distances: tuple[float, ...]
    right: tuple[bool, ...]


class FourBytes(PageWidget):
    """One query on its way to a ranking, before and after joint training; its code can be changed by hand.

    Ten queries, one of each class, and as many photographs of each class to search among, all drawn by
    the seed. The photograph itself is compared with all codes through its lookup table (ADC). A code by
    hand takes its place: then the search starts from the vector that these bytes stand for.

    Parameters
    ----------
    folder : Path
        A shipped run of product quantization with four codebooks of 256 codewords.
    n_each : int
        How many photographs of each class are searched.
    seed : int
        Of the queries and the photographs.
    query : int
        The query that is shown.
    after : bool
        Whether codes and embeddings are those after joint training; else those from before it.
    code : sequence of four int, optional
        A code by hand.
    pictures : bool
        Show the photographs where they are on this machine; otherwise squares stand in for them.
    hide : tuple of str
        Controls to leave out: "after", "reset", "code", "chain", "link".
    alt : str
        What the picture shows, for those who do not see it; made from the numbers by default.

    Raises
    ------
    DataMissingError, ChecksumError
        The shipped run is not there, or its files have changed.
    InvalidInputError
        There is no such query, or the code is not one of four bytes.
    """

    kind, render = "bytes", "renderFourBytes"
    script, style, told = SCRIPT, STYLE, ("data", "query", "after", "code")
    unlinked = ("data",)
    _esm, _css = entry(SCRIPT, "renderFourBytes"), STYLE

    data: Any = T.Dict().tag(sync=True)
    query = T.Int(0).tag(sync=True)
    after = T.Bool(True).tag(sync=True)
    code = T.Any(None, allow_none=True).tag(sync=True, to_json=to_json)

    def __init__(
        self,
        folder: Path = RUN,
        *,
        n_each: int = 100,
        seed: int = 9,
        query: int = 0,
        after: bool = True,
        code: Any = None,
        pictures: bool = True,
        hide: tuple[str, ...] = (),
        alt: str = "",
    ) -> None:
        self._alt = alt
        check_count(n_each, name="n_each, the photographs of each class,", low=1, high=500)
        model, arrays = shipped(folder)
        labels, asked = arrays["database.labels"], arrays["query.labels"]
        rng = np.random.default_rng(seed)
        classes = range(len(CLASS_NAMES))
        queries = [int(rng.choice(np.flatnonzero(asked == c))) for c in classes]
        drawn = [rng.choice(np.flatnonzero(labels == c), n_each, replace=False) for c in classes]
        self.rows = rng.permutation(np.concatenate(drawn))  # the order of equally near ones
        spaces = {
            "before": _space(
                arrays["before.query.z"][queries], arrays["before.quantizer.codebooks"],
                arrays["before.codes"][self.rows],
            ),
            "after": _space(
                arrays["query.z"][queries], model["codebooks"], arrays["database.codes"][self.rows]
            ),
        }  # fmt: skip
        images = read_cifar10()[0] if pictures and find_cifar10() else None
        shown = [None if images is None else images[len(labels) + row] for row in queries]
        super().__init__(
            data={
                "names": list(CLASS_NAMES),
                "signs": SIGNS,
                "sheet": "" if images is None else sheet_address(images[self.rows]),
                "columns": COLUMNS,
                "labels": labels[self.rows].tolist(),
                "queries": [
                    {"name": CLASS_NAMES[c], "label": c, "picture": picture_address(shown[c])}
                    for c in classes
                ],
                "spaces": spaces,
            },
            query=query, after=bool(after), code=code, around={"hide": list(hide)},
        )  # fmt: skip
        self.check()

    def read_out(self) -> FoundByBytes:
        """What the picture says, computed in Python."""
        self.check()
        space = self.data["spaces"]["after" if self.after else "before"]
        books = space["low"] + space["step"] * _bytes(space["codewords"], "<u2").reshape(4, 256, 8)
        codes = _bytes(space["codes"], "u1").reshape(-1, 4)
        table = _table(np.array(space["z"][self.query]), books)
        code = table.argmin(axis=1) if self.code is None else np.array(self.code)
        each = np.arange(4)
        asked = table if self.code is None else _table(books[each, code].ravel(), books)
        distances = asked[each, codes].sum(axis=1)
        items = distances.argsort(kind="stable")[:FOUND]
        label = self.data["queries"][self.query]["label"]
        return FoundByBytes(
            tuple(code.tolist()),
            tuple(table[each, code].tolist()),
            tuple(items.tolist()),
            tuple(distances[items].tolist()),
            tuple(self.data["labels"][i] == label for i in items),
        )

    def still(self) -> Figure:
        """What was found for the query, with names in place of pictures."""
        out = self.read_out()
        names = [CLASS_NAMES[self.data["labels"][i]] for i in out.items]
        return draw_gallery(
            [None], [[None] * len(names)], np.array([out.right]),
            query_names=[self.data["queries"][self.query]["name"]], neighbour_names=[names],
        )  # fmt: skip

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        out = self.read_out()
        code = " ".join(map(str, out.code))
        whose = "its code" if self.code is None else "a code by hand,"
        return (
            f"One query, {self.data['queries'][self.query]['name']}, {whose} {code}, the four entries of "
            f"its lookup table, which add up to {sum(out.parts):.2f}, and the ten photographs found among "
            f"{len(self.rows):,}. Right ones among them: {sum(out.right)}."
        )

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            There is no such query, or the code is not one of four bytes.
        """
        check_count(self.query, name="query", low=0, high=len(self.data["queries"]) - 1)
        if self.code is None:
            return
        if not isinstance(self.code, (list, tuple)) or len(self.code) != 4:
            raise InvalidInputError(
                "a code of 4 whole numbers from 0 to 255", repr(self.code)[:60], "pass four bytes"
            )
        for k in self.code:
            check_count(k, name="a byte of the code", low=0, high=255)


def _space(z: Any, codebooks: Any, codes: Any) -> dict[str, Any]:
    """Embeddings as numbers; codewords in 2 bytes a number, and codes, as text."""
    if codebooks.shape != (4, 256, 8):
        wanted = "a run with 4 codebooks of 256 codewords of 8 numbers"
        raise InvalidInputError(wanted, f"shape {codebooks.shape}", "choose cifar10-p2-32bit")
    low = float(codebooks.min())
    step = (float(codebooks.max()) - low) / 65535
    whole = np.round((codebooks.astype(np.float64) - low) / step).astype("<u2")
    return {
        "z": z.astype(np.float64).tolist(),
        "codewords": base64.b64encode(whole.tobytes()).decode(),
        "low": low,
        "step": step,
        "codes": base64.b64encode(codes.astype(np.uint8).tobytes()).decode(),
    }


def _bytes(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def _table(
    vector: Float[np.ndarray, " dim"], books: Float[np.ndarray, "M K d"]
) -> Float[np.ndarray, "M K"]:
    table: np.ndarray = ((books - vector.reshape(len(books), 1, -1)) ** 2).sum(axis=2)
    return table
