"""Check of chapter 11 that puts the parts together: negatives from two sources, their Q, and the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.exercises.checking import Mistake, as_array, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

_STEPS = (
    "step 1 (draws from the whole catalogue)",
    "step 2 (draws from the cell)",
    "step 3 (both)",
    "step 4 (nobody is left in the cell)",
    "step 5 (thousands of draws)",
)
#: Films, cells, draws from the catalogue and from the cell.
_CASES = ((12, 3, 40, 0), (24, 3, 0, 30), (30, 4, 12, 8), (15, 3, 6, 4), (16, 2, 4000, 2000))
#: How far a count may lie from its mean, in its standard deviations.
_SIGMAS = 5.0


@dataclass(frozen=True)
class _Case:
    """What a step is tried with, and what is right there."""

    scores: Float[np.ndarray, " N"]
    positive: int
    labels: Integer[np.ndarray, " N"]
    history: Integer[np.ndarray, " h"]
    uniform: int
    hard: int
    seed: int

    @property
    def n(self) -> int:
        return self.uniform + self.hard

    @property
    def allowed(self) -> Any:
        """The films that may be drawn at all."""
        every = np.arange(len(self.labels))
        return every[(every != self.positive) & ~np.isin(every, self.history)]

    @property
    def mates(self) -> Any:
        """Those of the positive's cell."""
        return self.allowed[self.labels[self.allowed] == self.labels[self.positive]]

    def is_mate(self, items: Any) -> Any:
        return np.isin(items, self.mates)

    def of_catalogue(self, items: Any) -> Any:
        """The part of Q that comes from the draws of the whole catalogue."""
        draws = self.uniform if len(self.mates) else self.n
        return np.full(len(items), draws / len(self.allowed))

    def of_cell(self, items: Any) -> Any:
        """The part of Q that comes from the draws of the cell."""
        return self.is_mate(items) * self.hard / max(1, len(self.mates))

    def expected(self, items: Any) -> Any:
        return self.of_catalogue(items) + self.of_cell(items)

    def arguments(self, seed: int) -> tuple[Any, ...]:
        rng = np.random.default_rng(seed)
        known = (self.scores, self.positive, self.labels, self.history)
        return (*known, self.uniform, self.hard, rng)


def _example(number: int) -> _Case:
    N, cells, uniform, hard = _CASES[number]
    rng = np.random.default_rng(1160 + number)
    labels = rng.permutation(np.arange(N) % cells)
    positive = int(rng.integers(N))
    every = np.arange(N)
    own = every[(labels == labels[positive]) & (every != positive)]
    others = every[labels != labels[positive]]
    liked = own if number == 3 else own[:1]
    history = rng.permutation(np.concatenate([liked, others[:2]]))
    return _Case(rng.normal(size=N), positive, labels, history, uniform, hard, 7 + number)


@exercise(
    "11.4",
    hints=(
        "Begin with two arrays: the films that may be drawn at all (neither the positive nor one of the "
        "history), and those among them that lie in the positive's cell, as in 11.2. rng.choice draws "
        "from each.",
        "Q of a film adds up both ways to it: n_uniform shared by all allowed films, and for a film of "
        "the cell also n_hard shared by its allowed films. It does not matter how the film came.",
        "Where no film of the cell is left, count the n_hard draws as draws of the catalogue. The items "
        "are rng.choice(allowed, n_uniform) and rng.choice(mates, n_hard), one behind the other; with "
        "them and their Q the loss is that of 11.1, of scores[positive] and scores[items].",
    ),
)
def sampled_step(answer: Any) -> str:
    """sampled_step(scores, positive, labels, history, n_uniform, n_hard, rng) -> items, Q, loss."""
    at_every_size(_STEPS, lambda number: _judge_step(answer, number))
    return (
        "two sources, one Q, one loss. The next cell puts your sampler beside the package's, on the "
        "model that was trained above."
    )


def _judge_step(answer: Any, number: int) -> None:
    case = _example(number)
    result = call(answer, *case.arguments(case.seed))
    items, expected, loss = _three(result)
    drawn = _judge_items(items, case)
    if number == 2:
        _judge_randomness(answer, case, drawn)
    Q = case.expected(drawn)
    compare(
        expected,
        Q,
        _wrong_expected(case, drawn),
        otherwise=lambda at: (
            f"film {drawn[at]} {'lies' if case.is_mate(drawn)[at] else 'does not lie'} in the cell, so it "
            f"is drawn {Q[at]:.4f} times on average."
        ),
    )
    _judge_loss(loss, case, drawn, Q)
    if number == 4:
        _judge_counts(case, drawn)


def _three(result: Any) -> tuple[Any, Any, Any]:
    if not isinstance(result, tuple | list) or len(result) != 3:
        raise Mistake(
            "give three things back: the films that were drawn, Q for each of them, and the loss."
        )
    return result[0], result[1], result[2]


def _judge_items(items: Any, case: _Case) -> Any:
    """The films that were drawn, where all of them may be."""
    try:
        shape = np.shape(items)
    except ValueError:  # ragged
        shape = ()
    wanted = f"{case.uniform} + {case.hard} draws are asked for"
    if shape == (case.uniform,) != (case.n,) and not len(case.mates):
        raise Mistake(
            f"{wanted}, you gave {case.uniform}. Where nobody is left in the cell, draw all of them from "
            "the whole catalogue."
        )
    if len(shape) == 1 and shape != (case.n,):
        fewer = " Was a film that was drawn twice put in only once?" if shape[0] < case.n else ""
        raise Mistake(f"{wanted}, you gave {shape[0]}.{fewer}")
    numbers = as_array(items, (case.n,))
    if np.asarray(items).dtype.kind == "b" or (numbers != np.round(numbers)).any():
        raise Mistake("the first thing to give back are the numbers of the films that were drawn.")
    drawn = numbers.astype(int)
    if drawn.min() < 0 or drawn.max() >= len(case.labels):
        raise Mistake(
            f"film {drawn[(drawn < 0) | (drawn >= len(case.labels))][0]} does not exist: they are numbered "
            f"from 0 to {len(case.labels) - 1}."
        )
    if (drawn == case.positive).any():
        raise Mistake(
            "the positive itself was drawn: the model would push away what it should find."
        )
    if np.isin(drawn, case.history).any():
        raise Mistake(
            "a film of the history was drawn: the user has liked it, so it is a false negative. (Are the "
            "numbers that you draw places in a shorter list? Then look the films up in it.)"
        )
    hard = int(case.is_mate(drawn).sum())
    if len(case.mates) and hard < case.hard:
        raise Mistake(
            f"{case.hard} draws must come from the positive's cell, and only {hard} of yours lie in it."
        )
    return drawn


def _judge_randomness(answer: Any, case: _Case, drawn: Any) -> None:
    again, other = (
        _three(call(answer, *case.arguments(seed)))[0] for seed in (case.seed, case.seed + 100)
    )
    if not np.array_equal(again, drawn):
        raise Mistake(
            "with the same rng your function draws other films: draw with the rng that is given, so that "
            "a training can be repeated."
        )
    if np.array_equal(other, drawn):
        raise Mistake(
            "your function draws the same films for another rng: use the one that is given, and do not "
            "make one of your own."
        )


def _judge_counts(case: _Case, drawn: Any) -> None:
    """Whether each film comes as often as its Q says."""
    counts = np.bincount(drawn, minlength=len(case.labels))
    Q = case.expected(case.allowed)
    came = counts[case.allowed]
    if came[case.is_mate(case.allowed)].sum() < case.hard + case.uniform / 100:
        raise Mistake(
            "your draws of the whole catalogue leave the positive's cell out. They may come from the cell, "
            "too: that is why Q adds up both."
        )
    strange = np.abs(came - Q) > _SIGMAS * np.sqrt(Q)
    if strange.any():
        film = int(np.flatnonzero(strange)[0])
        raise Mistake(
            f"in {case.n:,} draws, film {case.allowed[film]} came {came[film]} times; on average it should "
            f"be {Q[film]:.0f}. Has every film of the catalogue the same chance, and every one of the cell?"
        )


def _wrong_expected(case: _Case, items: Any) -> dict[str, Any]:
    """What is taken for Q by mistake."""
    both = case.uniform > 0 and case.hard > 0
    catalogue, cell, right = case.of_catalogue(items), case.of_cell(items), case.expected(items)
    mates, N = len(case.mates), len(case.labels)
    in_cell = case.labels == case.labels[case.positive]
    came_first = np.arange(len(items)) < case.uniform
    lost = case.hard > 0 and mates == 0
    share = (case.uniform > 0) / len(case.allowed) + (case.hard > 0) * case.is_mate(items) / max(
        1, mates
    )
    return {
        "a film of the cell can be drawn in two ways, so its Q adds up both, however it came.": (
            np.where(came_first, catalogue, cell) if mates else np.nan
        ),
        "you counted all draws as draws of the whole catalogue; those of the cell have fewer films to "
        "choose from.": np.full(len(items), case.n / len(case.allowed)) if mates else np.nan,
        "Q of a film outside the cell has no part from the cell: it cannot be drawn there.": (
            catalogue + case.hard / mates if mates else np.nan
        ),
        "only films that may be drawn share the draws: N less the positive and the history.": (
            catalogue * len(case.allowed) / N + cell
        ),
        "the history cannot be drawn either: the draws are shared by the films that are left.": (
            catalogue * len(case.allowed) / (N - 1) + cell
        ),
        "in the cell, too, only those films share the draws that may be drawn.": (
            catalogue + cell * mates / in_cell.sum()
        ),
        "in the cell, too, only those films share the draws that may be drawn. ": (
            catalogue + cell * mates / max(1, in_cell.sum() - 1)
        ),
        "those are chances of one draw; Q counts all draws, so multiply by how many there are.": share,
        "you divided by the number of draws; Q is how many times a film is drawn on average.": (
            right / case.n
        ),
        "you turned Q round: draws over films, not films over draws.": 1 / right,
        "those are the logarithms; give Q itself.": np.log(right),
        "that is how often each film came this time; Q is how often it comes on average.": (
            np.bincount(items, minlength=N)[items]
        ),
        "the draws of the catalogue are missing: a film of the cell can be drawn there, too.": (
            cell if both and not lost else np.nan
        ),
        "nobody is left in the cell, so all draws are draws of the catalogue, and Q is their number over "
        "that of the allowed films.": (
            np.full(len(items), case.uniform / len(case.allowed)) if lost else np.nan
        ),
    }


def _judge_loss(loss: Any, case: _Case, items: Any, Q: Any) -> None:
    p, s = float(case.scores[case.positive]), case.scores[items]
    weights = np.exp(s) / Q
    right = np.log(np.exp(p) + weights.sum()) - p
    compare(
        loss,
        right,
        {
            "logQ has the wrong sign in the loss: what is drawn often must count less.": (
                np.log(np.exp(p) + (np.exp(s) * Q).sum()) - p
            ),
            "the negatives are not corrected in the loss: each counts exp(score) / Q.": (
                np.log(np.exp(p) + np.exp(s).sum()) - p
            ),
            "the positive is missing in the sum of the loss.": np.log(weights.sum()) - p,
            "that is the logarithm of the sum; the loss subtracts the positive's score.": right + p,
            "the sign of the loss is turned round: it is 0 or more.": -right,
            "you took the mean of the negatives; they are summed, Q has done the weighting.": (
                np.log(np.exp(p) + weights.mean()) - p
            ),
            "you subtracted Q in the loss; subtract its logarithm.": (
                np.log(np.exp(p) + np.exp(s - Q).sum()) - p
            ),
            "that is the probability of the positive; the loss is minus its logarithm.": np.exp(
                -right
            ),
            "every film counts in this loss; only those that were drawn do, each divided by its Q.": (
                np.log(np.exp(case.scores).sum()) - p
            ),
            "a film that is drawn twice counts twice in the sum.": (
                np.log(np.exp(p) + weights[np.unique(items, return_index=True)[1]].sum()) - p
            ),
        },
        otherwise=f"films and Q are right, but for the loss expected {right:.4f}.",
    )
