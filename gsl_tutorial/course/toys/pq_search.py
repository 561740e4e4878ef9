"""Product quantization of a small database, learned and searched step by step: chapter 03's playground.

The reference of `widgets/quantization_math.js`, which computes the same in the page, in the same order of
additions, so that both agree to the last bit. k-means is that of `kmeans_steps`, in each subspace for
itself: assign, move, and move what nobody uses to the points that are served worst. What the package
computes with is `quantizers.ProductQuantizer`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_rows, check_count

#: How many found items count as found.
AT = 10
_GROUPS = 60


def random_words(seed: int, n: int) -> Integer[np.ndarray, " n"]:
    """Draw n words of 32 random bits, the same in every language: Tommy Ettinger's mulberry32.

    Parameters
    ----------
    seed : int
        From 0 to 2^32 - 1.
    n : int
        How many.

    Returns
    -------
    (n,) array of uint32
        The words.

    Examples
    --------
    >>> random_words(0, 2)
    array([1144304738,      1416247], dtype=uint32)
    """
    state = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)
    a = state.astype(np.uint32)
    t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
    t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return t ^ (t >> np.uint32(14))


def made_vectors(
    kind: str, seed: int, *, n: int = 900, dim: int = 64
) -> Float[np.ndarray, "n dim"]:
    """Make vectors with groups in them, or with no structure at all.

    Parameters
    ----------
    kind : str
        "clusters": sixty groups. "random": every number for itself.
    seed : int
        Where the randomness comes from.
    n, dim : int
        How many vectors, and their dimension.

    Returns
    -------
    (n, dim) array
        Sixteenths from 0 to 1, as the digits.

    Examples
    --------
    >>> made_vectors("random", 0, n=1, dim=4)
    array([[0.25  , 0.    , 0.1875, 0.125 ]])
    """
    if kind == "random":
        return (random_words(seed, n * dim) >> np.uint32(28)).reshape(n, dim) / 16
    words = random_words(seed, _GROUPS * dim + n * (1 + dim))
    centres = (words[: _GROUPS * dim] >> np.uint32(28)).astype(int).reshape(_GROUPS, dim)
    rows = words[_GROUPS * dim :].reshape(n, 1 + dim)
    noise = (rows[:, 1:] >> np.uint32(30)).astype(int) - (rows[:, 1:] & np.uint32(3)).astype(int)
    return np.clip(centres[rows[:, 0] % _GROUPS] + noise, 0, 16) / 16


def drawn_rows(n: int, K: int, seed: int) -> Integer[np.ndarray, " K"]:
    """Draw K of n rows without repeating one: the first K of a shuffle.

    Parameters
    ----------
    n, K : int
        How many there are, and how many are drawn.
    seed : int
        Where the randomness comes from.

    Returns
    -------
    (K,) array of int
        Rows.
    """
    order = np.arange(n)
    for i, word in enumerate(random_words(seed, K).tolist()):
        j = i + word % (n - i)
        order[i], order[j] = order[j], order[i]
    return order[:K]


def squared_parts(
    vectors: Float[np.ndarray, "N d"], codewords: Float[np.ndarray, "K d"]
) -> Float[np.ndarray, "N K"]:
    """Squared distances, each added up number by number in their order.

    Parameters
    ----------
    vectors : (N, d) array
        From here.
    codewords : (K, d) array
        To there.

    Returns
    -------
    (N, K) array
        In squared units of the vectors.
    """
    total = np.zeros((len(vectors), len(codewords)))
    for a, c in zip(vectors.T, codewords.T, strict=True):
        difference = a[:, None] - c
        total += difference * difference
    return total


def learn(
    vectors: Float[np.ndarray, "N dim"], M: int, K: int, *, rounds: int, seed: int
) -> Float[np.ndarray, "M K d"]:
    """Learn a codebook for each subspace by rounds of k-means from rows drawn at random.

    Parameters
    ----------
    vectors : (N, dim) array
        What is learned from; N is at least K.
    M, K : int
        Subspaces, which divide dim, and codewords in each.
    rounds : int
        Rounds of k-means; after none, the codewords are the rows that were drawn.
    seed : int
        Where the randomness comes from.

    Returns
    -------
    (M, K, d) array
        The codebooks.

    Raises
    ------
    InvalidInputError
        M does not divide dim, or there are fewer vectors than codewords.
    """
    vectors = as_rows(vectors, name="vectors").astype(np.float64)
    n, dim = vectors.shape
    check_count(K, name="K, the codewords of a subspace,", low=1, high=n)
    if check_count(M, name="M, the subspaces,", low=1, high=dim) and dim % M:
        raise InvalidInputError(f"M that divides {dim}", f"{M}", "choose another M")
    starts = drawn_rows(n, K, seed)
    parts = vectors.reshape(n, M, dim // M)
    return np.stack([_kmeans(parts[:, m], parts[starts, m], rounds) for m in range(M)])


def _kmeans(
    points: Float[np.ndarray, "N d"], start: Float[np.ndarray, "K d"], rounds: int
) -> Float[np.ndarray, "K d"]:
    codewords = start.copy()
    for _ in range(rounds):
        assignment = squared_parts(points, codewords).argmin(axis=1)
        counts = np.bincount(assignment, minlength=len(codewords))
        for j in range(points.shape[1]):
            sums = np.bincount(assignment, weights=points[:, j], minlength=len(codewords))
            codewords[:, j] = np.where(counts > 0, sums / np.maximum(counts, 1), codewords[:, j])
        dead = np.flatnonzero(counts == 0)
        served = squared_parts(points, codewords)[np.arange(len(points)), assignment]
        worst = np.argsort(-served, kind="stable")[: len(dead)]
        codewords[dead[: len(worst)]] = points[worst]
    return codewords


@dataclass(frozen=True)
class Searched:
    """A small database in codes, searched in three ways for every query.

    Attributes
    ----------
    codebooks : (M, K, d) array
        What was learned.
    codes, query_codes : (N, M) and (B, M) arrays of int
        Codes of database and queries.
    distances : dict of str to (B, N) array
        "ADC", "SDC" and "exact": squared distances.
    recall : dict of str to float
        Share of the queries whose true nearest neighbour is among the first ten; items at equal
        distances share their places evenly.
    distortion, query_distortion : float
        Mean squared error of database and queries.
    contrast : float
        Squared distance to the nearest item, divided by that to all items on average; near 1 there is no
        nearest neighbour worth the name.
    """

    codebooks: Float[np.ndarray, "M K d"]
    codes: Integer[np.ndarray, "N M"]
    query_codes: Integer[np.ndarray, "B M"]
    distances: dict[str, Float[np.ndarray, "B N"]]
    recall: dict[str, float]
    distortion: float
    query_distortion: float
    contrast: float

    def found(self, how: str, query: int, k: int = AT) -> Integer[np.ndarray, " k"]:
        """The first k items for one query.

        Parameters
        ----------
        how : str
            "ADC", "SDC" or "exact".
        query : int
            A row of the queries.
        k : int
            How many.

        Returns
        -------
        (k,) array of int
            Rows of the database, nearest first; equal distances keep their order.
        """
        return np.argsort(self.distances[how][query], kind="stable")[:k]


def search(
    database: Float[np.ndarray, "N dim"],
    queries: Float[np.ndarray, "B dim"],
    codebooks: Float[np.ndarray, "M K d"],
) -> Searched:
    """Encode a database and search it with every query.

    Parameters
    ----------
    database : (N, dim) array
        What is searched.
    queries : (B, dim) array
        With what.
    codebooks : (M, K, d) array
        From `learn`.

    Returns
    -------
    Searched
        Codes, distances and how good they are.
    """
    M = len(codebooks)
    parts = [np.split(np.asarray(z, dtype=np.float64), M, axis=1) for z in (database, queries)]
    codes, query_codes = (
        np.stack(
            [squared_parts(z, c).argmin(axis=1) for z, c in zip(part, codebooks, strict=True)],
            axis=1,
        )
        for part in parts
    )
    adc, sdc = (np.zeros((len(queries), len(database))) for _ in range(2))
    errors = [np.zeros(len(codes)), np.zeros(len(query_codes))]
    for m, book in enumerate(codebooks):
        adc += squared_parts(parts[1][m], book)[:, codes[:, m]]
        sdc += squared_parts(book[query_codes[:, m]], book)[:, codes[:, m]]
        for error, part, code in zip(errors, parts, (codes, query_codes), strict=True):
            error += squared_parts(part[m], book)[np.arange(len(code)), code[:, m]]
    exact = squared_parts(np.asarray(queries, float), np.asarray(database, float))
    distances = {"ADC": adc, "SDC": sdc, "exact": exact}
    nearest = exact.argmin(axis=1)
    return Searched(
        codebooks, codes, query_codes, distances,
        {how: _recall(one, nearest) for how, one in distances.items()},
        float(errors[0].mean()), float(errors[1].mean()),
        float(exact.min(axis=1).mean() / exact.mean()),
    )  # fmt: skip


def _recall(distances: Float[np.ndarray, "B N"], nearest: Integer[np.ndarray, " B"]) -> float:
    to_nearest = np.take_along_axis(distances, nearest[:, None], axis=1)
    before = (distances < to_nearest).sum(axis=1)
    tied = (distances == to_nearest).sum(axis=1)
    return float(np.clip((AT - before) / tied, 0, 1).mean())
