"""Every check refuses every mutant of its right answers, but for those that are no worse.

Run `python tests/test_checks_mutants.py` for the score of each exercise.
"""

from __future__ import annotations

import pytest
from mutants import DATA, originals, survivors
from mutants_equivalent import RULES, reason_of

from gsl_tutorial.course.exercises import check
from gsl_tutorial.course.exercises import checking as core

NAMES = sorted({*check.exercises} - {*DATA}, key=lambda name: check.exercises[name].id)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless loop is refused soon."""
    monkeypatch.setattr(core, "LIMIT_S", 2.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_every_mutant_is_refused_or_known_to_be_equivalent(name: str) -> None:
    total, kept = survivors(name)
    assert total >= 25
    assert [one.change for one in kept if reason_of(name, one.change) is None] == []


@pytest.mark.filterwarnings("ignore")
def test_what_is_mutated_was_right_before() -> None:
    """Else a check that refuses everything would have the best score."""
    kinds = {
        (one.exercise, getattr(check, one.exercise)(one.make(one.tree)).kind) for one in originals()
    }
    assert kinds == {(name, "right") for name in NAMES}


def test_every_rule_has_a_reason_and_names_exercises_that_exist() -> None:
    for rule in RULES:
        assert len(rule.reason) > 10
        assert set(rule.exercises) <= set(check.exercises)


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    for name in NAMES:
        total, kept = survivors(name)
        equal = sum(reason_of(name, one.change) is not None for one in kept)
        refused = total - len(kept)
        score = 100 * refused / (total - equal)
        print(f"{check.exercises[name].id}  {name:22} {total:4} mutants, {refused:4} refused, "
              f"{equal:3} equivalent, score {score:.1f} %")  # fmt: skip
