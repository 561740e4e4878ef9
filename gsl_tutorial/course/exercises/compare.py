"""Naming a mistake: a wrong answer is compared with what well-known wrong formulas would give.

A judge lists the right value and the wrong ones, each with its sentence, and tries the answer on several
cases. A mistake is named only when it explains *every* case: it leads to what came, also where that was
right. Where none does, the student sees her own value beside the expected one, for the smallest case that
failed, and a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.advice import about_pair
from gsl_tutorial.course.exercises.checking import Mistake, NotYet, as_array, explained

#: What is asked where no mistake could be named and the sentence holds no question yet.
_QUESTION = " Work this one out on paper: at which step does your code come to something else?"
_WRITTEN_IN = " Is a number written into your code that should come from the arguments?"


class KnownMistake(Mistake):
    """A mistake that was recognised by the value to which it leads."""


class Differs(Mistake):
    """A result that is not the right one.

    Parameters
    ----------
    named : list of str
        The diagnoses that lead to this result, the likeliest first.
    plain : str
        What to say if none of them holds in the other cases.
    size : int
        How much there is to look at in this case.
    of_another_shape : bool
        Whether the result is not even an array of that shape.
    """

    def __init__(
        self, named: Sequence[str], plain: str, *, size: int, of_another_shape: bool = False
    ) -> None:
        super().__init__(named[0].strip() if named else plain)
        self.named, self.plain, self.size = tuple(named), plain, size
        self.of_another_shape = of_another_shape


@dataclass
class _Trial:
    """What one case has shown: the diagnoses that were asked, and those that lead to what came."""

    asked: set[str] = field(default_factory=set)
    agreeing: set[str] = field(default_factory=set)
    results: list[Any] = field(default_factory=list)
    error: Exception | None = None

    def allows(self, diagnosis: str) -> bool:
        """Whether the student may have made that mistake, as far as this case can tell."""
        if diagnosis in self.asked:
            return diagnosis in self.agreeing
        if self.error is None:
            return True  # a case in which that mistake has no place to happen
        # Code that fails in this case says nothing for or against a formula.
        return not self.asked and not (isinstance(self.error, Mistake) and not self.error.__cause__)


_trial: ContextVar[_Trial | None] = ContextVar("trial", default=None)


def compare(
    result: Any,
    right: Any,
    wrong: Mapping[str, Any],
    *,
    otherwise: str | Callable[[tuple[int, ...]], str],
) -> None:
    """Return when a result is right; else raise the mistake that explains it best.

    Parameters
    ----------
    result : object
        What a student's function returned.
    right : array
        What it should return.
    wrong : mapping
        For each diagnosis, the value to which that mistake leads. It may have another shape; NaN
        stands for a mistake that has no place to happen in this case.
    otherwise : str or callable
        What to say of numbers of the right shape that nobody foresaw, or a function that says it of
        the first place at which they differ.

    Raises
    ------
    Differs
        When the result is not right; with all diagnoses that lead to it.
    """
    right = np.asarray(right, dtype=np.float64)
    is_right = same(result, right)
    wrong = {**wrong, **_slips_anywhere(right)}
    agreeing = [diagnosis for diagnosis, value in wrong.items() if same(result, value)]
    if not is_right and (pair := about_pair(result, lambda part: same(part, right))):
        agreeing.insert(0, pair)
    if not is_right and not agreeing and _is_cut_off(result, right):
        agreeing.append(_CUT_OFF)
    also = [_CUT_OFF] if _is_cut_off(result, right) else []
    note(result, [one for one, value in wrong.items() if _is_stated(value)], [*agreeing, *also])
    if is_right:
        return
    size = int(right.size)
    try:
        got = as_array(result, right.shape)
    except Mistake as mistake:
        raise Differs(agreeing, str(mistake), size=size, of_another_shape=True) from None
    differs = ~np.isclose(got, right, rtol=1e-4, atol=1e-6)
    at = tuple(int(i) for i in np.argwhere(differs)[0]) if differs.any() else (0,) * right.ndim
    said = otherwise(at) if callable(otherwise) else otherwise
    raise Differs(agreeing, _beside(said, got, at, callable(otherwise)), size=size)


def note(result: Any, asked: Iterable[str], agreeing: Iterable[str]) -> None:
    """Keep what this case has shown.

    Parameters
    ----------
    result : object
        What a student's function returned.
    asked : iterable of str
        Which diagnoses were asked.
    agreeing : iterable of str
        Which of them lead to this result.
    """
    if (trial := _trial.get()) is not None:
        trial.agreeing |= set(agreeing)
        trial.asked |= {*asked, *trial.agreeing}
        trial.results.append(result)


def _beside(said: str, got: np.ndarray, at: tuple[int, ...], of_a_place: bool) -> str:
    """The sentence with the student's own value in it."""
    if any(words in said.lower() for words in ("you got", "yours", ", got ")):
        return said
    mine = shown(got[at] if of_a_place or not got.ndim else got)
    if said.startswith("expected"):
        return f"you got {mine}, {said}"
    return f"{said} You got {mine}{' there' if of_a_place else ''}."


def shown(value: Any) -> str:
    """A value in a few characters."""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{float(array):.6g}"
    text = np.array2string(
        array, precision=3, threshold=8, edgeitems=3, separator=", ", suppress_small=True
    )
    return " ".join(text.split())[:120]


_CUT_OFF = "the fractions are cut off or rounded: keep floats, not whole numbers (int)."


def _is_cut_off(result: Any, right: np.ndarray) -> bool:
    """Whether a result holds what is left of the right one without its fractions."""
    if not any(same(result, whole) for whole in (np.trunc(right), np.rint(right))):
        return False
    got = np.asarray(result)  # zeros alone, as floats, may have come in any way
    return got.dtype.kind in "iu" or (got.dtype.kind == "f" and bool(got.any()))


def _slips_anywhere(right: np.ndarray) -> dict[str, Any]:
    """Slips that can happen in every exercise: they need the right value only."""
    slips: dict[str, Any] = {
        "the sign is turned round.": -right,
        "that is half of the right value: is a factor 2 missing?": right / 2,
        "that is twice the right value: does something count double?": 2 * right,
    }
    if right.ndim == 2:
        slips["the axes are swapped: rows and columns have changed places."] = right.T
    if right.ndim:
        slips |= {
            "that is the first entry only; does `return` stand inside the loop?": right[:1],
            "that is the first entry only; does `return` stand inside the loop? ": right[0],
            "that is the last entry only; is each one written over by the next?": right[-1:],
            "that is the last entry only; is each one written over by the next? ": right[-1],
            "the entries are right, but in the reversed order.": right[::-1],
            "the entries are right, but sorted; leave them in their order.": np.sort(right, axis=0),
            "that is one number for everything, the sum of the right entries.": right.sum(),
            "that is one number for everything, the mean of the right entries.": right.mean(),
        }
    return {text: value for text, value in slips.items() if _is_stated(value)}


def _is_stated(value: Any) -> bool:
    """Whether a case says anything of that mistake."""
    return not (np.size(value) == 1 and np.isnan(np.asarray(value, dtype=np.float64)).all())


def same(result: Any, value: Any) -> bool:
    """Whether both are arrays of numbers, of one shape, and agree to float32 rounding.

    Parameters
    ----------
    result : object
        What a student's function returned.
    value : array
        What it is compared with.

    Returns
    -------
    bool
    """
    try:
        # Whole numbers of Python may be larger than NumPy's.
        result = float(result) if isinstance(result, int) else result
        got, wanted = np.asarray(result), np.asarray(value, dtype=np.float64)
        if got.dtype.kind not in "biuf" or got.shape != wanted.shape:
            return False
        with np.errstate(all="ignore"):
            return bool(np.allclose(got.astype(np.float64), wanted, rtol=1e-4, atol=1e-6))
    except Exception:  # whatever a student returns, it is only "not the same"
        return False


def refuse_no_booleans(result: Any) -> None:
    """Refuse ones and zeros that are numbers: as an index they would mean rows 1 and 0.

    Parameters
    ----------
    result : object
        What a student's function returned, right as a number.

    Raises
    ------
    Mistake
        Where it does not hold True and False.
    """
    kind = np.asarray(result).dtype
    if kind.kind != "b":
        raise Mistake(
            f"the values are right, but as numbers ({kind}); give True and False, as a comparison does: an "
            "array of whole numbers would pick rows 1 and 0, not the marked ones."
        )


def at_every_size(sizes: Sequence[str], judge: Callable[[int], None]) -> None:
    """Judge each case, and say what explains all of them.

    The first case that fails speaks, where it found a fact (a blank, an error, a wrong type). Where
    values differ, a mistake is named if every case allows it; else the smallest failing case is shown.

    Parameters
    ----------
    sizes : sequence of str
        Names each case for the reader.
    judge : callable
        Called with the number of each case, from 0; raises where the answer fails.

    Raises
    ------
    KnownMistake
        Where a mistake is named or a fact was found.
    Mistake
        Where nothing explains the answer.
    Exception
        What the first case raised, where that is no `Mistake`: a blank, or an error in the answer.
    """
    trials: list[_Trial] = []
    for number in range(len(sizes)):
        trials.append(trial := _Trial())
        token = _trial.set(trial)
        try:
            judge(number)
        except Exception as error:
            if number == 0 and not isinstance(error, Mistake):
                raise
            trial.error = error
        finally:
            _trial.reset(token)
    failed = [number for number, trial in enumerate(trials) if trial.error is not None]
    if not failed:
        return
    number, text, is_known = failed[0], "", False
    fault = trials[number].error
    if isinstance(fault, Differs):
        named = next((one for one in fault.named if all(t.allows(one) for t in trials)), None)
        if named is None:
            number = _smallest(trials, failed)
            fault = trials[number].error
        text, is_known = (named or "").strip() or getattr(fault, "plain", ""), named is not None
    elif fault is not None:
        text = _said(fault)
        is_known = isinstance(fault, Mistake) and fault.__cause__ is None
    if not is_known:
        text = text[:400]
        if "?" not in text:
            text += _WRITTEN_IN if _looks_written_in(trials, fault) else _QUESTION
    if failed[0] > 0:
        text = f"right for {sizes[0]}, but not for {sizes[number]}: {text}"
    elif number > 0:
        text = f"for {sizes[number]} {text}"
    raise (KnownMistake if is_known else Mistake)(text) from fault


def _smallest(trials: Sequence[_Trial], failed: Iterable[int]) -> int:
    """The failing case with the least to look at, the first of equals."""
    of = {n: trials[n].error for n in failed}
    return min(
        (error.size, n) for n, error in of.items() if isinstance(error, Differs)
    )[1]  # fmt: skip


def _looks_written_in(trials: Sequence[_Trial], error: Exception | None) -> bool:
    """Whether the answer is the same in all cases, or fits no size but the first's."""
    results = [trial.results[0] for trial in trials if trial.results]
    if len(trials) > 1 and len(results) == len(trials):
        first = results[0]
        if not isinstance(error, Differs) or all(same(one, first) for one in results[1:]):
            return True
    fits_first_alone = trials[0].error is None and all(trial.error for trial in trials[1:])
    return fits_first_alone and (not isinstance(error, Differs) or error.of_another_shape)


def _said(error: Exception) -> str:
    if isinstance(error, NotYet):
        return "it returned nothing."
    return str(error) if isinstance(error, Mistake) else explained(error)
