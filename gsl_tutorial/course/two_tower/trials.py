"""What a search on validation events tried, in words, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gsl_tutorial.course.two_tower.grid import OF_DATA, Settings
from gsl_tutorial.course.two_tower.study import TwoTowerResults
from gsl_tutorial.errors import DataMissingError

#: How a setting is said in a table or a picture.
_WORDS = {
    "n_cells": "{} cells",
    "hard_share": "{:.0%} hard",
    "temperature": "τ {:g}",
    "learning_rate": "rate {:g}",
    "warm_up": "warm-up {}",
}


@dataclass(frozen=True)
class Trial:
    """One setting of an arm: its number in the part, what it changes, and its validation figures."""

    part: str
    number: int
    arm: str
    setting: str
    figures: dict[str, float]


def in_words(arm: str, variant: Settings) -> str:
    """What a variant changes against the base of the study.

    >>> in_words("text", {"n_users": 4000, "n_cells": 30, "temperature": 0.05})
    'τ 0.05, 30 cells'
    >>> in_words("learned", {})
    'refreshed cells'
    """
    said = ["refreshed cells"] if arm == "learned" else []
    for key in ("temperature", "learning_rate", "hard_share", "n_cells", "warm_up"):
        if key in variant and key not in OF_DATA:
            said.append(_WORDS[key].format(variant[key]))
    return ", ".join(said) or "as chosen"


def search_trials(
    results: TwoTowerResults, parts: Sequence[str], task: str, arms: Sequence[str]
) -> list[Trial]:
    """The finished trials of these parts and arms, the highest Recall@10 first.

    Raises `DataMissingError` while a trial is missing: the best of some is not the best of all.
    """
    found = []
    for name in parts:
        part = results.study.part(name)
        for arm in (one for one in part.arms if one in arms):
            for number, variant in enumerate(part.variants):
                records = results.records(name, task=task, arm=arm, number=number)
                if len(records) != len(part.seeds):
                    raise DataMissingError(
                        f"{len(part.seeds)} runs of {arm} with {in_words(arm, variant)} in {name}",
                        f"{len(records)}",
                        f"gsl-tutorial two-tower study --part {name}",
                    )
                keys = records[0]["figures"]
                means = {k: sum(r["figures"][k] for r in records) / len(records) for k in keys}
                found.append(Trial(name, number, arm, in_words(arm, variant), means))
    return sorted(found, key=lambda one: -one.figures["recall@10"])
