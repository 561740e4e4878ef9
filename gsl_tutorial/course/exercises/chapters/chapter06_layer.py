"""The check of chapter 06 that puts the parts together: what the layer does to the gradients of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

Rows = Float[np.ndarray, "N d"]
#: Gradients, points, codewords, strength, number of candidates.
Case = tuple[Rows, Rows, Rows, float, int]

#: The steps of the layer, one after the other.
_STEPS = (
    "step 1 (one candidate, and it descends)",
    "step 2 (one candidate, and it does not descend)",
    "step 3 (every codeword is a candidate)",
    "step 4 (the n nearest are the candidates)",
    "step 5 (a candidate at a right angle)",
    "step 6 (a point that lies on a candidate)",
    "step 7 (twelve points in four dimensions)",
)
#: N, d, K, n and the seed of the steps that are drawn; in each, every known slip leads somewhere else.
_DRAWN = {2: (3, 2, 6, 6, 4), 3: (5, 2, 9, 3, 9), 5: (4, 3, 8, 3, 2), 6: (12, 4, 20, 5, 1)}


def _example(number: int) -> Case:
    """What a step is tried with."""
    if number in (0, 1):  # each point has its nearest codeword downhill, then uphill
        z, ways = np.array([[0.0, 0.0], [2.0, 2.0]]), np.array([[0.7, 0.3], [0.4, -0.9]])
        return np.array([[-1.0, 0.4], [0.5, 1.5]]), z, z + (ways if number == 0 else -ways), 1.5, 1
    if number == 4:  # the ways share no axis with the gradient, so that the products are exactly 0
        z = np.array([[0.5, 0.0], [-2.0, 0.5]])
        codewords = np.array([[0.5, 1.0], [0.5, -2.0], [1.5, 0.5], [-2.0, 1.5], [-1.0, 3.0]])
        return np.array([[1.0, 0.0], [-2.0, 0.0]]), z, codewords, 0.7, 2
    N, d, K, n, seed = _DRAWN[number]
    rng = np.random.default_rng(60 + seed)
    g, z, codewords = rng.normal(size=(N, d)), rng.normal(size=(N, d)), 2 * rng.normal(size=(K, d))
    if number == 5:
        codewords[:2] = z[:2]
    return g, z, codewords, (0.6, 2.0, 0.8, 1.2)[number % 4], n


class _Parts:
    """The layer's intermediate results, from which its right and its wrong gradients are made."""

    def __init__(self, g: Rows, z: Rows, codewords: Rows, strength: float, n: int) -> None:
        self.g, self.z, self.codewords, self.n = g, z, codewords, n
        self.weight = 2 * strength / len(z)
        self.ways = codewords[None] - z[:, None]
        self.lengths = np.linalg.norm(self.ways, axis=2)
        self.nearest_first = self.lengths.argsort(axis=1)
        self.products = -(self.ways * g[:, None]).sum(axis=2)
        self.cosines = self.products / np.maximum(self.lengths, 1e-12)

    def best(self, scores: Any, *, among: int | None = None) -> Any:
        """For each point the candidate with the best score: its number, and its score."""
        near = self.nearest_first[:, : among or self.n]
        some = np.take_along_axis(scores, near, axis=1)
        at = some.argmax(axis=1)[:, None]
        return np.take_along_axis(near, at, axis=1)[:, 0], np.take_along_axis(some, at, axis=1)

    def pull(self, chosen: Any) -> Rows:
        """The pull of each point to a codeword of its own."""
        return np.asarray(self.weight * (self.z - self.codewords[chosen]))


@exercise(
    "06.5",
    hints=(
        "Go row by row, as in 06.1, 06.2 and 06.4: find the n nearest codewords, choose among them by the "
        "angle, and add the pull where the chosen one descends.",
        "The candidates of a row are codewords[squared.argsort()[:n]], where squared holds the squared "
        "distances of all codewords to that point. Their cosines need a division by the length of each "
        "way; a way of length 0 has no cosine, so divide by np.maximum(length, 1e-12).",
        "Start with a copy of g. Where candidate c has the largest cosine in row i, and that is above 0, "
        "row i of the copy grows by 2 * strength * (z[i] - c) / len(z); all other rows stay as they are.",
    ),
)
def snap_batch(answer: Any) -> str:
    """snap_batch(g, z, codewords, strength, n) -> (N, d): the gradients that leave the layer."""
    at_every_size(_STEPS, lambda number: _judge_step(answer, number))
    return (
        "that is the layer's backward pass. The next cells put it into PyTorch and train with it."
    )


def _judge_step(answer: Any, number: int) -> None:
    g, z, codewords, strength, n = case = _example(number)
    p = _Parts(*case)
    chosen, cosine = p.best(p.cosines)
    descends = cosine > 0
    right = g + descends * p.pull(chosen)
    result = call(answer, g, z, codewords, strength, n)
    if isinstance(result, np.ndarray) and result.dtype.kind == "f" and np.isnan(result).any():
        raise Mistake(
            "a point lies on one of its candidates. That way has length 0, and 0 / 0 is NaN: divide by "
            "np.maximum(length, 1e-12)."
        )
    compare(
        result,
        right,
        {**_wrong_pulls(p, chosen, cosine), **_wrong_choices(p, chosen, cosine)},
        otherwise=lambda at: (
            f"row {at[0]}, number {at[1]}: expected {right[at]:.4f}. There g is "
            f"{g[at[0]].round(2).tolist()}, "
            + (
                f"and codeword {chosen[at[0]]} is the best aligned of the candidates."
                if descends[at[0]]
                else "and no candidate descends."
            )
        ),
    )


def _wrong_pulls(p: _Parts, chosen: Any, cosine: Any) -> dict[str, Any]:
    """What leaves the layer where the right codeword is chosen, and something else is done with it."""
    g, N, descends = p.g, len(p.z), cosine > 0
    pull = p.pull(chosen)
    used = descends * pull
    on_it = (np.take_along_axis(p.lengths, p.nearest_first[:, : p.n], axis=1) == 0).any(axis=1)
    return {
        "the sign of the pull is turned round: this pushes away from c*.": g - used,
        "that is the step; what leaves the layer is the gradient, its opposite.": -(g + used),
        "g is lost: where a candidate descends, add its pull to g.": used,
        "the derivative of a square brings a factor 2.": g + used / 2,
        "the loss is a mean over the batch: divide the pull by the number of rows.": g + used * N,
        "two things are missing: the factor 2, and the division by the number of rows.": (
            g + used * N / 2
        ),
        "you divided by n, the number of candidates; divide the pull by the number of rows of z.": (
            g + used * N / p.n if p.n != N else np.nan
        ),
        "you divided by the number of codewords; divide the pull by the number of rows of z.": (
            g + used * N / len(p.codewords) if len(p.codewords) != N else np.nan
        ),
        "g passes whole: divide the pull by the number of rows, not g.": g / N + used,
        "that is g alone: no row gets a pull.": g if descends.any() else np.nan,
        "where no candidate descends, g passes alone; yours pulls uphill there.": g + pull,
        "where no candidate descends, g passes alone; yours is 0 there.": descends * (g + used),
        "a candidate at a right angle does not descend: its cosine is 0, and > 0 is asked for.": (
            g + (cosine >= 0) * pull if (np.abs(cosine) < 1e-9).any() else np.nan
        ),
        "where a point lies on one of its candidates, your row gets no pull. That way has length 0 and its "
        "cosine is 0 / 0, NaN: divide by np.maximum(length, 1e-12).": (
            g + ~on_it[:, None] * used if on_it.any() else np.nan
        ),
        "that is the codeword itself; the layer gives back a gradient.": p.codewords[chosen],
        "only one row got its pull: does `return` stand inside the loop?": (
            g + used * (np.arange(N) == 0)[:, None] if descends[1:].any() else np.nan
        ),
    }


def _wrong_choices(p: _Parts, chosen: Any, cosine: Any) -> dict[str, Any]:
    """What leaves the layer where another codeword is chosen."""
    g, rows = p.g, np.arange(len(p.z))
    nearest = p.nearest_first[:, 0]
    of_all, of_all_cosine = p.best(p.cosines, among=len(p.codewords))
    by_product, product = p.best(p.products)
    uphill, _ = p.best(-p.cosines)
    place = np.take_along_axis(p.cosines, p.nearest_first[:, : p.n], axis=1).argmax(axis=1)
    themselves, of_themselves = p.best(-(g @ p.codewords.T))
    in_order = p.cosines[:, : p.n].argmax(axis=1)
    farthest_first = p.nearest_first[:, ::-1][:, : p.n]
    far = np.take_along_axis(p.cosines, farthest_first, axis=1).argmax(axis=1)
    far = farthest_first[rows, far]

    def where_it_descends(one: Any) -> Any:
        return g + (p.cosines[rows, one] > 0)[:, None] * p.pull(one)

    return {
        "you always pull to the nearest codeword. That is the penalty; choose by the angle, and only where "
        "it descends.": g + p.pull(nearest),
        "you pull to the nearest codeword where it descends; choose among the n nearest, by the angle.": (
            where_it_descends(nearest) if p.n > 1 else np.nan
        ),
        "you chose among all codewords; only the n nearest to the point are candidates.": (
            g + (of_all_cosine > 0) * p.pull(of_all)
        ),
        "you took the first n codewords as candidates; take the n nearest to the point.": (
            where_it_descends(in_order)
        ),
        "you took the n farthest codewords as candidates; take the n nearest.": where_it_descends(
            far
        ),
        "you compared products: divide by the length of each way.": (
            g + (product > 0) * p.pull(by_product)
        ),
        "you chose the candidate that is best aligned with g; use -g.": g + p.pull(uphill),
        "you chose the candidate that is best aligned with g; use -g. ": (
            g + (p.best(-p.cosines)[1] > 0) * p.pull(uphill)
        ),
        "you used the place among the candidates as the number of a codeword: look it up in the list "
        "of the nearest.": g + (cosine > 0) * p.pull(place),
        "you used the codewords themselves; the direction of the step is c - z.": (
            g + (of_themselves > 0) * p.pull(themselves)
        ),
    }
