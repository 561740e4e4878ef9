"""Checks of chapter 09, second half: read a curve, and decide what may stand beside what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


@exercise(
    "09.4",
    hints=(
        "A point is good enough when exact - mAP is at most `loss`.",
        "Among the bits of the good points take the smallest; the points stand in any order.",
        "Index `bits` with the booleans of the good points, and take .min() of what is left.",
    ),
)
def fewest_bits(answer: Any) -> str:
    """fewest_bits(bits (n,), maps (n,), exact, loss) -> the bits of the shortest code good enough."""
    # Fractions of 64 and of 32, which floats hold exactly: a point *at* the limit is good enough, and
    # 0.93 - 0.91 <= 0.02 is False in floats.
    trials = (
        ([8, 6, 16, 32, 48, 64], [52, 45, 53, 54, 55, 54], 54, 1),
        ([6, 48, 64, 8, 32, 16], [32, 40, 41, 35, 42, 39], 40, 2),
        ([24, 48, 12, 20, 64], [58, 56, 63, 60, 57], 60, 2),
        ([16, 8, 24, 32], [50, 44, 50, 52], 52, 2),
        ([32, 8, 16], [40, 30, 36], 36, 0),
        ([8, 32, 16], [30, 50, 40], 52, 2),
    )

    def one(number: int) -> None:
        bits, counts, best, lost = (np.array(part) for part in trials[number])
        maps, exact, loss = counts / 64, best / 64, lost / 64
        good = exact - maps <= loss
        right = bits[good].min()
        places = np.flatnonzero(good)
        wrong = {
            "that is its place in the list; return the bits.": places[bits[good].argmin()],
            "that is the place of the first good one in the list; return the bits of the smallest.": places[
                0
            ],
            "that is its mAP; return the bits.": maps[good][bits[good].argmin()],
            "that is the mAP of the first good one in the list; return the bits of the smallest.": (
                maps[places[0]]
            ),
            "you asked for no loss at all; a loss of at most `loss` is allowed.": (
                _smallest(bits, maps >= exact)
            ),
            "a code that loses exactly `loss` is good enough, too: <=, not <.": (
                _smallest(bits, exact - maps < loss)
            ),
            "that is the shortest of all, whatever it loses: keep the good ones first.": bits.min(),
            "that one loses more than allowed; take the shortest of those that are good enough.": (
                bits[~good][0] if (~good).any() else np.nan
            ),
            "that is the code with the highest mAP; a shorter one is already good enough.": (
                bits[maps.argmax()]
            ),
            "that is the longest good code; the shortest was asked for.": bits[good].max(),
            "that is the first good one in the list, but the list is in no order: take the "
            "smallest.": bits[places[0]],
            "the bits were put in order without their mAP; keep both together.": (
                np.sort(bits)[places[0]] if number else np.nan
            ),
            "a code may find more than the exact vectors: ask for exact - mAP itself, not for its "
            "absolute value.": _smallest(bits, np.abs(exact - maps) <= loss),
            "that is the one nearest to the limit; take the shortest of all that are good enough.": (
                bits[np.abs(exact - loss - maps).argmin()]
            ),
            "a loss of mAP is a difference, exact - mAP; you took it as a share of exact.": (
                _smallest(bits, maps >= exact * (1 - loss))
            ),
            "that one loses more than allowed: good is what loses *at most* that much.": (
                _smallest(bits, ~good)
            ),
            "those are all the good ones; take the smallest.": bits[good],
            "that says which are good; return the bits of the shortest.": good,
            "that counts the good ones; return the bits of the shortest.": good.sum(),
        }
        result = call(answer, bits, maps, float(exact), float(loss))
        compare(
            result,
            right,
            wrong,
            otherwise=f"with bits {bits.tolist()}, mAP {maps.tolist()}, exact {exact} and a loss "
            f"of at most {loss}, expected {right}.",
        )

    at_every_size(
        [
            "six points in order",
            "six in another order",
            "five points",
            "four points",
            "no loss allowed",
            "three points",
        ],
        one,
    )
    return "what is longer than that costs memory and search time and finds nothing more."


def _smallest(bits: np.ndarray, kept: np.ndarray) -> float:
    """The smallest of those that are kept; NaN where none is."""
    return float(bits[kept].min()) if kept.any() else float("nan")


_Rule = Callable[[Mapping[str, Any], Mapping[str, Any]], str]
_WORDS = ("no", "with a note", "yes")
_ASKS = ("protocol", "metric", "bits")
_OURS = {"protocol": "P2", "metric": "mAP@all", "bits": 48, "pre_training": "none"}
_THEIRS = {**_OURS, "second_hand": False, "map": 0.9}
#: In what each row differs from ours ("ours": our own pre-training), and the word for it.
_CASES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "yes"),
    ({"protocol": "P1b"}, "no"),
    ({"protocol": "P2 family", "second_hand": True, "pre_training": "ImageNet"}, "no"),
    ({"metric": "mAP@1000"}, "no"),
    ({"bits": 12}, "no"),
    ({"pre_training": "ImageNet"}, "with a note"),
    ({"second_hand": True}, "with a note"),
    ({"pre_training": "ImageNet", "second_hand": True}, "with a note"),
    ({"pre_training": "ImageNet", "metric": "mAP@1000"}, "no"),
    ({"protocol": "P0", "map": 0.2}, "no"),
    ({"map": 0.2}, "yes"),
    ({"encoder": "AlexNet", "method": "another"}, "yes"),
    ({"pre_training": "ImageNet", "ours": "ImageNet"}, "yes"),
    ({"ours": "ImageNet"}, "with a note"),
    ({"protocol": "P1b", "second_hand": True}, "no"),
)


def _rows(differs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our row and theirs; "ours" is the pre-training of our own network, where it had one."""
    theirs = {**_THEIRS, **{key: value for key, value in differs.items() if key != "ours"}}
    return {**_OURS, "pre_training": differs.get("ours", "none")}, theirs


def _note(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    differs = ours["pre_training"] != theirs["pre_training"] or theirs["second_hand"]
    return "with a note" if differs else "yes"


def _rule(*asks: str) -> _Rule:
    return lambda o, t: "no" if any(o[key] != t[key] for key in asks) else _note(o, t)


def _strict(o: Mapping[str, Any], t: Mapping[str, Any]) -> str:
    return "no" if _rule(*_ASKS)(o, t) != "yes" else "yes"


def _first_the_note(o: Mapping[str, Any], t: Mapping[str, Any]) -> str:
    return "with a note" if _note(o, t) != "yes" else _rule(*_ASKS)(o, t)


def _both(o: Mapping[str, Any], t: Mapping[str, Any]) -> str:
    word = _rule(*_ASKS)(o, t)
    both = o["pre_training"] != t["pre_training"] and t["second_hand"]
    return word if word == "no" or both else "yes"


_WRONG: dict[str, _Rule] = {
    "the question comes first: where protocol, metric or bits differ no note helps, say no.": (
        _first_the_note
    ),
    "one reason is enough for a note: another pre-training *or* a second-hand figure.": _both,
    "compare the two pre-trainings: where both networks began from ImageNet no note is needed.": (
        lambda o, t: _rule(*_ASKS)({**o, "pre_training": "none"}, t)
    ),
    "a second-hand figure does not forbid the row; it must be said: with a note.": (
        lambda o, t: "no" if t["second_hand"] else _rule(*_ASKS)(o, t)
    ),
    "it is enough for a no that one of protocol, metric and bits differs: any, not all.": (
        lambda o, t: "no" if all(o[key] != t[key] for key in _ASKS) else _note(o, t)
    ),
    "the protocol is forgotten: who is query, who is trained on and who is searched must agree.": (
        _rule("metric", "bits")
    ),
    "the metric is forgotten: mAP@1000 beside mAP@all compares two different sums.": (
        _rule("protocol", "bits")
    ),
    "the bits are forgotten: a longer code may find more.": _rule("protocol", "metric"),
    "only the protocol counts for you; metric and bits must agree, too.": _rule("protocol"),
    "another pre-training does not forbid the row; it must be said: with a note.": (
        lambda o, t: "no" if o["pre_training"] != t["pre_training"] else _rule(*_ASKS)(o, t)
    ),
    "the pre-training is forgotten: a network that has seen a million photographs before needs a "
    "note.": lambda o, t: _rule(*_ASKS)({**o, "pre_training": t["pre_training"]}, t),
    "second-hand figures need a note, even where all else agrees.": (
        lambda o, t: _rule(*_ASKS)(o, {**t, "second_hand": False})
    ),
    "notes are no bar: where protocol, metric and bits agree, say with a note, not no.": _strict,
    "no row ever gets a note: other pre-training and second-hand figures need one.": (
        lambda o, t: "no" if any(o[k] != t[k] for k in _ASKS) else "yes"
    ),
    "'P2 family' is not P2: it says that nobody could check which one it is.": (
        lambda o, t: _rule(*_ASKS)(o, {**t, "protocol": t["protocol"].split()[0]})
    ),
    "a small difference in mAP is no reason: whether a row may stand there does not depend on "
    "its figure.": lambda o, t: _rule(*_ASKS)(o, t) if t["map"] > 0.5 else "no",
}


@exercise(
    "09.5",
    hints=(
        "First ask what makes it another question: protocol, metric, bits. Any difference: 'no'.",
        "Then ask what a reader must be told: another pre-training, or a second-hand figure.",
        "if any(ours[k] != theirs[k] for k in ('protocol', 'metric', 'bits')): return 'no'; then "
        "if ours['pre_training'] != theirs['pre_training'] or theirs['second_hand']: return "
        "'with a note'; return 'yes'",
    ),
)
def may_stand_beside(answer: Any) -> str:
    """may_stand_beside(ours, theirs), dictionaries -> "no", "with a note" or "yes"."""
    said = []
    for differs, _ in _CASES:
        ours, theirs = _rows(differs)
        try:
            word = call(answer, ours, theirs)
        except KeyError as error:
            raise Mistake(
                f"there is no field {error}. Both have protocol, metric, bits and pre_training; theirs "
                "also second_hand, True or False."
            ) from error
        if (ours, theirs) != _rows(differs):
            raise Mistake("your function changes its arguments; only read them.")
        if not isinstance(word, str) or word not in _WORDS:
            raise Mistake(f"return one of {_WORDS}; yours returned {_shown(word)}.")
        said.append(str(word))
    wanted = [word for _, word in _CASES]
    if said == wanted:
        return "the question first, then the note. The figure itself was never asked."
    for diagnosis, rule in _WRONG.items():
        if said == [rule(*_rows(differs)) for differs, _ in _CASES]:
            raise Mistake(diagnosis)
    if len(set(said)) == 1:
        raise Mistake(f"it says {said[0]!r} whatever comes; compare the fields of the two rows.")
    (differs, word), mine = next(
        (case, mine) for case, mine in zip(_CASES, said, strict=True) if case[1] != mine
    )
    raise Mistake(
        f"for a row that differs in {differs or 'nothing'} expected {word!r}, got {mine!r}."
    )


def _shown(word: Any) -> str:
    try:
        return f"{type(word).__name__} {word!r}"[:80]
    except Exception:  # a student's object may not even have a text
        return type(word).__name__
