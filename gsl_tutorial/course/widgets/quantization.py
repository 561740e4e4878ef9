"""Chapter 03's playground: cut vectors, choose codewords, sum the lookup table, search with the codes.

The picture and its numbers are made in the page (`quantization*.js`); `course.toys.pq_search` is the
reference, and draws the still that stands in its place where no JavaScript runs. Vectors of the reader's
own are read in the page and never reach Python.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets as T
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.product import draw_coding
from gsl_tutorial.course.toys.pq_search import Searched, learn, made_vectors, search
from gsl_tutorial.course.widgets.links import write_link
from gsl_tutorial.course.widgets.page import PageWidget, entry, script, style, to_json
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_rows, check_count, check_name

SCRIPT = script(
    "quantization_math", "quantization_data", "quantization_work", "quantization_boards",
    "quantization_found", "quantization_panel", "quantization",
)  # fmt: skip
STYLE = style("explorer", "quantization")
DATA = ("given", "clusters", "random", "own")
SUBSPACES = (1, 2, 4, 8, 16)
CODEWORDS = (2, 4, 8, 16, 32, 64, 128, 256)
ROUNDS = 12
#: Of made vectors, the last hundred are queries.
_MADE_QUERIES = 100


def _preset(**state: Any) -> str:
    first = {
        "data": "given",
        "n_subspaces": 4,
        "n_codewords": 16,
        "rounds": 6,
        "seed": 0,
        "query": 0,
    }
    return write_link(
        "quantization", first | {"code": None, "item": None, "compare": False} | state
    )


PRESETS = {
    "digits, 16 bits": _preset(),
    "clusters": _preset(data="clusters"),
    "random numbers: nothing to learn": _preset(data="random"),
    "4-bit or 8-bit codebooks?": _preset(n_subspaces=8, compare=True),
    "k-means from its start": _preset(rounds=0),
}


@dataclass(frozen=True)
class Summed:
    """What the playground says about one query.

    Attributes
    ----------
    code : tuple of int
        The code that is shown: by hand, of an item, or of the query itself.
    parts : tuple of float
        The entries of the query's lookup table that it names.
    searched : Searched
        The whole database, searched by every query.
    """

    code: tuple[int, ...]
    parts: tuple[float, ...]
    searched: Searched

    @property
    def total(self) -> float:
        """The sum of the parts: a squared distance by ADC."""
        return float(sum(self.parts))


class QuantizationPlayground(PageWidget):
    """A vector cut into subvectors, a codebook for each of them, and a small database that is searched.

    All parameters can be set later, too.

    Parameters
    ----------
    database, queries : (N, dim) and (B, dim) arrays
        What is learned from and searched, and with what; a thousand vectors at most in all.
    data : {"given", "clusters", "random"}
        These vectors, or made ones.
    M, K : int
        Subspaces, out of 1, 2, 4, 8 and 16, and codewords in each, a power of two up to 256.
    rounds : int
        Rounds of k-means, from 0 to 12.
    seed : int
        Where k-means and the made vectors begin.
    query : int
        The query that is shown.
    compare : bool
        Whether codebooks of 4 and of 8 bits stand below, side by side.
    presets : dict of str to str
        Name -> link; some of our own by default.
    hide : sequence of str
        Controls to leave out: "data", "file", "n_subspaces", "n_codewords", "rounds", "query", "seed",
        "code", "compare", "search", "presets", "link", "reset".
    alt : str
        What the picture shows, for those who do not see it; made from the numbers by default.

    Raises
    ------
    InvalidInputError
        The input of the constructor is faulty. Set later, the same fault is a message in the
        widget's own area, over the last good picture.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> playground = QuantizationPlayground(rng.random((40, 8)), rng.random((5, 8)), M=2, K=4)
    >>> out = playground.read_out()
    >>> len(out.code), out.searched.recall["exact"]
    (2, 1.0)
    """

    kind, render = "quantization", "renderQuantization"
    script, style = SCRIPT, STYLE
    told = (
        "vectors", "n_queries", "data", "n_subspaces", "n_codewords", "rounds", "seed", "query", "code",
        "item", "compare",
    )  # fmt: skip
    unlinked = ("vectors", "n_queries")
    _esm, _css = entry(SCRIPT, "renderQuantization"), STYLE

    vectors, code, item = (T.Any().tag(sync=True, to_json=to_json) for _ in range(3))
    n_queries, n_subspaces, n_codewords, rounds, query = (T.Int().tag(sync=True) for _ in range(5))
    seed = T.Int().tag(sync=True)
    data = T.Unicode().tag(sync=True)
    compare = T.Bool().tag(sync=True)

    def __init__(
        self,
        database: Any,
        queries: Any,
        *,
        data: str = "given",
        M: int = 4,
        K: int = 16,
        rounds: int = 6,
        seed: int = 0,
        query: int = 0,
        compare: bool = False,
        presets: dict[str, str] | None = None,
        hide: tuple[str, ...] = (),
        alt: str = "",
    ) -> None:
        self._alt = alt
        self._searched: tuple[Any, Searched] | None = None  # the last one: state, result
        database = as_rows(database, name="database")
        queries = as_rows(queries, dim=database.shape[1], name="queries")
        check_count(len(queries), name="the number of queries", low=1, high=1000)
        check_count(len(database), name="the number of vectors", low=2, high=1000)
        self._given = np.concatenate([database, queries]).astype(np.float32).astype(np.float64)
        super().__init__(
            vectors=packed(self._given), n_queries=len(queries), data=data, n_subspaces=M,
            n_codewords=K, rounds=rounds, seed=seed, query=query, code=None, item=None,
            compare=bool(compare),
            around={"presets": PRESETS if presets is None else presets, "hide": list(hide)},
        )  # fmt: skip
        self.check()

    def sets(self) -> tuple[Float[np.ndarray, "N dim"], Float[np.ndarray, "B dim"]]:
        """Database and queries as they are now.

        Raises
        ------
        InvalidInputError
            They are the reader's own file, which only the page knows.
        """
        if self.data == "own":
            raise InvalidInputError(
                "vectors that Python knows",
                "the reader's own file, which stays in the page",
                "choose other vectors in the menu",
            )
        given = self.data == "given"
        everything = self._given if given else made_vectors(self.data, self.seed)
        n = len(everything) - (self.n_queries if given else _MADE_QUERIES)
        return everything[:n], everything[n:]

    def read_out(self) -> Summed:
        """What the picture says, computed in Python."""
        self.check()
        database, queries = self.sets()
        state = (self.data, self.n_subspaces, self.n_codewords, self.rounds, self.seed)
        if self._searched is None or self._searched[0] != state:
            books = learn(
                database, self.n_subspaces, self.n_codewords, rounds=self.rounds, seed=self.seed
            )
            self._searched = state, search(database, queries, books)
        out = self._searched[1]
        codebooks = out.codebooks
        code = self.code
        if code is None:
            code = out.query_codes[self.query] if self.item is None else out.codes[self.item]
        pieces = np.split(queries[self.query], self.n_subspaces)
        parts = [
            float(((piece - book[k]) ** 2).sum())
            for piece, book, k in zip(pieces, codebooks, code, strict=True)
        ]
        return Summed(tuple(int(k) for k in code), tuple(parts), out)

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        out = self.read_out()
        return draw_coding(self.sets()[1][self.query], out.searched.codebooks, np.array(out.code))

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        out = self.read_out()
        recall = out.searched.recall
        return (
            f"A vector of {self.sets()[1].shape[1]} numbers, its {self.n_subspaces} subvectors, the "
            f"codeword of each out of {self.n_codewords}, and the reconstruction. The lookup table's "
            f"entries add up to {out.total:.2f}. Searching {len(self.sets()[0])} vectors finds the true "
            f"nearest one among the first ten for {recall['ADC']:.0%} of the queries by ADC and for "
            f"{recall['SDC']:.0%} by SDC."
        )

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        check_name("data", self.data, DATA)
        check_count(self.seed, name="seed", low=0, high=2**32 - 1)
        check_count(self.rounds, name="rounds", low=0, high=ROUNDS)
        if self.data == "own":
            return
        database, queries = self.sets()
        n, dim = database.shape
        dividing = [M for M in SUBSPACES if dim % M == 0]
        enough = [K for K in CODEWORDS if n >= K]
        for name, value, allowed in (
            ("M", self.n_subspaces, dividing),
            ("K", self.n_codewords, enough),
        ):
            if value not in allowed:
                listed = ", ".join(map(str, allowed))
                got = f"{value} for {n} vectors of {dim} numbers"
                raise InvalidInputError(f"{name} out of {listed}", got, "choose one of them")
        check_count(self.query, name="query", low=0, high=len(queries) - 1)
        if self.item is not None:
            check_count(self.item, name="item", low=0, high=n - 1)
        if self.code is not None:
            if not isinstance(self.code, (list, tuple)) or len(self.code) != self.n_subspaces:
                wanted = f"a code of {self.n_subspaces} whole numbers"
                raise InvalidInputError(wanted, repr(self.code)[:60], "pass one for each subspace")
            for k in self.code:
                check_count(k, name="a codeword", low=0, high=self.n_codewords - 1)


def packed(vectors: Float[np.ndarray, "N dim"]) -> dict[str, Any]:
    """Pack vectors for the page: a byte for each number where that is exact, else four.

    Parameters
    ----------
    vectors : (N, dim) array
        What is packed.

    Returns
    -------
    dict
        "bytes", in base64; "n" and "dim"; "scale", what a byte is multiplied by, or 0.
    """
    n, dim = vectors.shape
    whole = vectors * 16
    exact = bool(((whole == np.round(whole)) & (whole >= 0) & (whole <= 255)).all())
    raw = whole.astype(np.uint8).tobytes() if exact else vectors.astype("<f4").tobytes()
    text = base64.b64encode(raw).decode()
    return {"bytes": text, "n": n, "dim": dim, "scale": 1 / 16 if exact else 0}
