"""The checks: a blank is not yet, every right way is right, every known mistake is named.

The answers stand in `answers_all.py`; what no answer may do to a check is in `test_checks_fuzz.py`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from answers_all import BY_NAME, EXERCISES, Answer, judge
from answers_another_student import ALSO_RIGHT, UNNAMED, WRONG_TOO
from answers_told import TOLD

from gsl_tutorial.course.exercises import check
from gsl_tutorial.course.exercises.checking import Mistake
from gsl_tutorial.course.exercises.compare import at_every_size, compare, same
from gsl_tutorial.course.press.sources import Variant, draft, tags

#: Exercises whose answer is a value: what the next step speaks of there.
ANSWERS_WITHOUT_A_BODY = {"uphill_place": "write `explorer`", "three_faults": "between the braces"}
SOURCES = sorted((Path(__file__).parents[1] / "notebooks" / "src").glob("*.py"))

RIGHT = [
    pytest.param(one.name, answer, id=f"{one.name}-{i}")
    for one in EXERCISES
    for i, answer in enumerate((*one.right, *ALSO_RIGHT.get(one.name, ())))
]
WRONG = [
    pytest.param(one.name, answer, words, id=f"{one.name}-{words}")
    for one in EXERCISES
    for answer, words in one.wrong
]


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("blank", [None, ..., lambda *a: None, lambda *a: ...])
def test_a_blank_is_not_yet(name: str, blank: Any) -> None:
    verdict = judge(name, blank)
    assert verdict.kind == "not yet"
    assert verdict.exercise in verdict.text


def test_a_blank_pair_is_not_yet() -> None:
    assert judge("code_size", lambda *a: (..., ...)).kind == "not yet"


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_every_right_way_is_right(name: str, answer: Answer) -> None:
    verdict = judge(name, answer)
    assert verdict.kind == "right", verdict


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_the_mistake_is_named(name: str, answer: Answer, words: str) -> None:
    verdict = judge(name, answer)
    assert verdict.kind == "mistake"
    assert words in verdict.text, verdict


@pytest.mark.parametrize(
    ("name", "answer", "must", "must_not"),
    [
        pytest.param(name, *one, id=f"{name}-{one[1]}")
        for name, told in TOLD.items()
        for one in told
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_no_mistake_is_named_that_was_not_made(
    name: str, answer: Answer, must: str, must_not: str
) -> None:
    verdict = getattr(check, name)(answer)
    assert verdict.kind == "mistake"
    assert must.lower() in verdict.text.lower()
    assert must_not not in verdict.text


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        pytest.param(name, answer, words, id=f"{name}-{what}")
        for name, others in WRONG_TOO.items()
        for what, answer, words in others
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_another_student_is_refused_and_told_no_mistake_of_somebody_else(
    name: str, answer: Answer, words: str
) -> None:
    verdict = getattr(check, name)(answer)
    assert verdict.kind == "mistake"
    assert words in verdict.text
    if words == UNNAMED:
        assert any(mine in verdict.text for mine in ("ou got", ", got", "yours"))


@pytest.mark.parametrize("name", BY_NAME)
def test_each_exercise_has_a_corpus_of_wrong_answers(name: str) -> None:
    assert len(BY_NAME[name].wrong) + len(TOLD.get(name, ())) >= 15


def _lacks(name: str) -> list[str]:
    """What an exercise still lacks before a reader may meet it."""
    if name not in BY_NAME:
        return ["answers in the tests"]
    one, lacks = BY_NAME[name], []
    if len(one.right) < 2:
        lacks.append("a second right answer")
    diagnoses = {judge(name, answer).text for answer, _ in one.wrong}
    if min(len(diagnoses), len({words for _, words in one.wrong})) < 3:
        lacks.append("three wrong answers, each with a diagnosis of its own")
    if not check.exercises[name].judge.__doc__:
        lacks.append("a docstring that says what goes in and what comes out")
    hints = check.exercises[name].hints
    if len(set(hints)) != 3 or not all(len(hint) > 15 for hint in hints):
        lacks.append("three hints")
    return lacks


def test_no_check_lacks_its_answers() -> None:
    """The message lists the checks, each with what it lacks."""
    lacking = {f"{check.exercises[name].id} {name}": _lacks(name) for name in check.exercises}
    assert {name: lacks for name, lacks in lacking.items() if lacks} == {}
    assert set(BY_NAME) <= set(check.exercises), "answers to an exercise that is gone"


def test_the_series_has_thirty_exercises_each_with_a_number_of_its_own() -> None:
    assert len(check.ids) >= 30
    assert len(set(check.ids)) == len(check.ids)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
@pytest.mark.parametrize(("variant", "kind"), [("student", "not yet"), ("solution", "right")])
def test_the_notebooks_own_cells_get_the_verdict_they_should(
    source: Path, variant: Variant, kind: str
) -> None:
    """The blank that a student finds is "not yet", and the workbook's own solution is right."""
    names = {"np": np, "math": math, "torch": torch, "check": check}
    for cell in draft(source, variant).notebook.cells:
        if cell.cell_type == "code" and "exercise" in tags(cell):
            exec(cell.source, names)
    judged = [name for name in check.exercises if name in names]
    assert judged or not any(
        "exercise" in tags(cell) for cell in draft(source, variant).notebook.cells
    )
    verdicts = {name: judge(name, names[name]) for name in judged}
    assert {name: one.kind for name, one in verdicts.items()} == dict.fromkeys(judged, kind)
    for name, verdict in verdicts.items():
        told = verdict.next_step
        assert bool(told) is (kind == "not yet")
        where = ANSWERS_WITHOUT_A_BODY.get(name, f"body of {name}")
        assert all(words in told for words in (where, "Shift+Enter", "hint below") if told)


def _begun(x: Any, y: Any) -> Any:
    difference = x - y
    ...  # noqa: PIE790 - the blank of a student who has begun
    assert difference is not None


def _forgotten(x: Any, y: Any) -> Any:
    (x - y) ** 2


def test_who_has_begun_is_told_where_the_dots_are_and_a_missing_return_is_no_blank() -> None:
    verdict = judge("squared_distance", _begun)
    assert verdict.kind == "not yet"
    assert "made a start" in verdict.next_step
    assert "body of _begun" in verdict.next_step
    forgotten = judge("squared_distance", _forgotten)
    assert forgotten.kind == "mistake"
    assert "return" in forgotten.text
    assert forgotten.next_step == ""


def test_sizes_written_into_the_code_are_found() -> None:
    def fails_later(number: int) -> None:
        if number:
            raise Mistake("wrong.")

    with pytest.raises(Mistake, match="right for small, but not for large: wrong"):
        at_every_size(["small", "large"], fails_later)


def test_the_first_mistake_that_agrees_speaks() -> None:
    with pytest.raises(Mistake, match="half"):
        compare([1.0, 2.0], [2.0, 4.0], {"half": [1, 2], "also half": [1, 2]}, otherwise="other")
    with pytest.raises(Mistake, match="other"):
        compare([7.0, 2.0], [2.0, 4.0], {"half": [1, 2]}, otherwise="other")
    with pytest.raises(Mistake, match="shape"):
        compare([7.0], [2.0, 4.0], {"half": [1, 2]}, otherwise="other")
    assert not same("3", 3)
    assert not same(np.nan, 3)
    assert same(np.float32(1 / 3), 1 / 3)
