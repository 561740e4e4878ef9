"""What no answer may do to a check: make it raise, hang, change what it was given, or speak nonsense."""

from __future__ import annotations

import copy
import itertools
import re
import sys
import time
from typing import Any

import numpy as np
import pytest
import torch
from answers_all import BY_NAME, Answer, judge
from junk import ALWAYS_WRONG, DATA, SOMETIMES_BLANK, STRANGE

from gsl_tutorial.course.exercises import check
from gsl_tutorial.course.exercises import checking as core
from gsl_tutorial.course.exercises.time_limit import TooSlow, time_limit

NAMES = sorted(check.exercises)
#: An exercise whose answer may be data instead of a function.
TAKES_DATA = ("three_faults", "uphill_place")
#: What only a failing check would show a reader.
RAW = re.compile(r"Traceback|operands could not|object at 0x|<function|inhomogeneous")


def spoken(name: str, answer: Any, kind: str = "") -> str:
    """The kind of the verdict, after looking at its sentence."""
    verdict = getattr(check, name)(answer)
    assert verdict.kind in ("right", "not yet", "mistake")
    assert 10 < len(repr(verdict)) < 800, verdict
    # The last resort, for what nobody could foresee.
    assert "hostile" in kind or "cannot be compared" not in verdict.text, (kind, verdict)
    return verdict.kind


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_junk_gets_a_sentence(name: str) -> None:
    kinds = {kind: spoken(name, junk, kind) for kind, junk in ALWAYS_WRONG.items()}
    assert kinds == dict.fromkeys(ALWAYS_WRONG, "mistake")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_strange_results_get_a_sentence(name: str) -> None:
    for kind, junk in STRANGE.items():
        assert spoken(name, junk, kind) == "mistake", kind
    for kind, junk in SOMETIMES_BLANK.items():
        assert spoken(name, junk, kind) in ("mistake", "not yet")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_an_error_of_numpy_becomes_a_sentence(name: str) -> None:
    """Shapes that no formula fits: the check speaks of shapes, and not in NumPy's words."""
    for shape in [(0,), (1,), (7,), (2, 2), (3, 5), (1, 1, 1), ()]:
        for value in (np.zeros(shape), np.full(shape, np.nan), np.ones(shape, dtype=int)):
            verdict = getattr(check, name)(lambda *a, value=value: value)
            assert verdict.kind in ("mistake", "right") or not np.size(value), (shape, verdict)
            assert not RAW.search(verdict.text), (shape, verdict)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_data_in_place_of_a_function_gets_a_sentence_and_stays_as_it_was(name: str) -> None:
    for kind, value in DATA.items():
        before = copy.deepcopy(value)
        assert spoken(name, value, kind) == "mistake" or name in TAKES_DATA, kind
        assert repr(value) == repr(before), kind


@pytest.mark.parametrize("name", NAMES)
def test_a_function_that_never_ends_is_stopped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "LIMIT_S", 0.15)

    def sleeps(*arguments: Any) -> Any:
        time.sleep(3600)

    def swallows_everything(*arguments: Any) -> Any:
        for _ in range(2):
            try:
                while True:
                    pass
            except BaseException:
                continue

    for slow in (sleeps, swallows_everything):
        verdict = getattr(check, name)(slow)  # that it comes back is the test
        assert verdict.kind in ("mistake", "not yet")
        assert slow is not sleeps or "did not end within 0.15 seconds" in verdict.text


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_an_answer_that_prints_is_still_right(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    right = BY_NAME[name].right[0]
    if not callable(right):
        return

    def talks(*arguments: Any) -> Any:
        print("here", file=sys.stderr)
        print("and here")
        return right(*arguments)

    assert judge(name, talks).kind == "right"
    assert "and here" in capsys.readouterr().out


def spoil(argument: Any) -> bool:
    """Change an argument in place; False where that cannot be done."""
    if isinstance(argument, np.ndarray) and argument.size:
        argument[...] = np.logical_not(argument) if argument.dtype == bool else argument + 1
        return True
    if isinstance(argument, dict):
        argument.clear()
        return True
    if isinstance(argument, list):
        argument.append(None)
        return True
    return False


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_an_answer_that_changes_its_arguments_is_told_and_harms_nobody(name: str) -> None:
    right = BY_NAME[name].right[0]
    spoiled = False

    def careless(*arguments: Any) -> Any:
        nonlocal spoiled
        result = copy.deepcopy(right(*arguments))
        spoiled = sum(map(spoil, arguments)) > 0 or spoiled
        return result

    verdict = judge(name, careless)
    assert (verdict.kind == "mistake") is spoiled
    assert not spoiled or "changes its arguments" in verdict.text
    assert judge(name, right).kind == "right"


def test_the_line_that_failed_is_quoted() -> None:
    def answer(x: Any, y: Any) -> Any:
        return x @ y.reshape(17, 17)

    verdict = check.squared_distance(answer)
    assert verdict.text.startswith("it raised ValueError: cannot reshape array")
    assert verdict.text.endswith('(in the line "return x @ y.reshape(17, 17)")')


def test_a_check_that_cannot_read_a_result_says_so() -> None:
    broken = core._Exercise("00.9", lambda answer: core.call(answer) @ np.zeros(3), ("", "", ""))
    verdict = core._judge(broken, lambda: np.zeros((2, 2)))
    assert verdict.text.startswith("the result cannot be compared.")
    assert core._judge(broken, lambda: 1 // 0).text.startswith("it raised ZeroDivisionError")


def test_the_reader_can_interrupt_a_check() -> None:
    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check.squared_distance(interrupted)


def test_the_alarm_is_over_after_the_block_and_gives_back_the_one_before() -> None:
    import signal

    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 30)
        with time_limit(60):
            pass
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
        signal.setitimer(signal.ITIMER_REAL, 0)
        with pytest.raises(TooSlow), time_limit(0.01):
            for _ in itertools.count():
                pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
        assert rung == []
    finally:
        signal.signal(signal.SIGALRM, before)


def test_where_there_is_no_alarm_answers_are_checked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows has neither; nothing is bounded there, and nothing may be asked for."""
    import signal

    monkeypatch.delattr(signal, "setitimer")
    monkeypatch.delattr(signal, "SIGALRM")
    monkeypatch.setattr(sys, "platform", "win32")
    with time_limit(0.0):
        assert judge("squared_distance", lambda a, b: ((a - b) ** 2).sum()).kind == "right"


def test_arguments_are_compared_by_value() -> None:
    nan = np.array([np.nan, 1.0])
    assert core._alike(nan, nan.copy())
    assert core._alike({"a": [1, (nan,)]}, {"a": [1, (nan.copy(),)]})
    weights = torch.ones(3, 2, requires_grad=True)
    assert core._alike(weights, weights.clone())
    rng, moved_on = np.random.default_rng(0), np.random.default_rng(0)
    moved_on.random()
    assert core._alike(rng, moved_on)
    for before, after in [(nan, nan + 1), (nan, nan[:1]), ([1], [1, 2]),
                          ({"a": 1}, {"a": 2}), ({"a": 1}, {"b": 1}), (np.zeros(2), np.zeros(2, int)),
                          (weights, weights + 1), (weights, weights[:1]),
                          ("a", "b")]:  # fmt: skip
        assert not core._alike(before, after)


def always(value: Any) -> Answer:
    return lambda *arguments: value


def test_a_tensor_counts_as_its_array() -> None:
    right = BY_NAME["assign_cells"].right[0]
    assert judge("assign_cells", lambda *a: torch.as_tensor(right(*a))).kind == "right"
    assert judge("assign_cells", always(torch.ones(3))).kind == "mistake"
