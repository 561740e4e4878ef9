"""Does the answer hold elsewhere? The map's question under other conditions, and what in a snap helps.

Another loss, classes that training has not seen, other quantizers, a hundred classes; then the snap taken
apart, and a rival of our own put to the test. Each topic is a part of a study, and what is told of it are
paired differences with intervals that allow for the number of its cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsl_tutorial.course.study.grid import load_study
from gsl_tutorial.course.study.map_report import differences
from gsl_tutorial.course.study.running import StudyResults
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.intervals import Interval

#: Makes the file that holds all this, `data/map.json`.
COMMAND = "gsl-tutorial map --results data/results"

#: topic -> place ("2x4", or "rq 2x4" where there are several quantizers) -> rival -> difference.
Elsewhere = Mapping[str, Mapping[str, Mapping[str, Interval]]]


@dataclass(frozen=True)
class Topic:
    """One condition.

    Attributes
    ----------
    title : str
        As readers see it.
    study, part : str
        Where its runs are.
    method : str
        Whose ADC mAP the rivals' is taken from.
    rivals : tuple of str
        In the order of the picture.
    """

    title: str
    study: str
    part: str
    method: str
    rivals: tuple[str, ...]


_RIVALS = ("none", "penalty", "ste", "rotation")

TOPICS: dict[str, Topic] = {
    "unseen": Topic("Classes never trained on", "map", "unseen", "snap-pull", _RIVALS),
    "contrastive": Topic(
        "Supervised contrastive loss", "map-contrastive", "test", "snap-pull", _RIVALS
    ),
    "contrastive-ste": Topic(
        "Supervised contrastive loss", "map-contrastive", "test", "ste", ("none", "penalty")
    ),
    "contrastive-penalty": Topic(
        "Supervised contrastive loss", "map-contrastive", "test", "penalty", ("none",)
    ),
    "quantizers": Topic("Other quantizers", "map", "quantizers", "snap-pull", _RIVALS),
    "crowd": Topic("A hundred classes (CIFAR-100)", "map-crowd", "test", "snap-pull", _RIVALS),
    "crowd-ste": Topic(
        "A hundred classes (CIFAR-100)", "map-crowd", "test", "ste", ("none", "penalty")
    ),
    "crowd-penalty": Topic(
        "A hundred classes (CIFAR-100)", "map-crowd", "test", "penalty", ("none",)
    ),
    "crowd-unseen": Topic(
        "CIFAR-100, classes never trained on", "map-crowd", "unseen", "snap-pull", _RIVALS
    ),
    "crowd-unseen-ste": Topic(
        "CIFAR-100, classes never trained on", "map-crowd", "unseen", "ste", ("none", "penalty")
    ),
    "why": Topic(
        "Pulled to another codeword",
        "map-why",
        "test",
        "snap-pull",
        ("penalty", "pull-second", "pull-random", "pull-near-descending", "pull-farthest"),
    ),
    "forms": Topic("Our own variant, on held-out seeds", "map", "forms", "halfway", ("ste", "snap-pull")),
}  # fmt: skip


def gather_elsewhere(root: str | Path) -> dict[str, Any]:
    """What the records say of every topic, as far as they have come.

    Parameters
    ----------
    root : path
        The folder of results.

    Returns
    -------
    dict
        As `parse_elsewhere` reads it; topics without a difference are left out.
    """
    found: dict[str, Any] = {}
    for name, topic in TOPICS.items():
        results = StudyResults(load_study(topic.study), root)
        part = next(part for part in results.study.parts if part.name == topic.part)
        for rival in topic.rivals:
            if {topic.method, rival} <= set(part.methods) and results.records(part.name):
                gains = differences(results, part, topic.method, rival)
                for (quantizer, cell), interval in gains.items():
                    place = cell if len(part.quantizers) == 1 else f"{quantizer} {cell}"
                    rounded = [float(f"{value:.4g}") for value in interval]
                    found.setdefault(name, {}).setdefault(place, {})[rival] = rounded
    return found


def parse_elsewhere(found: Mapping[str, Any]) -> Elsewhere:
    """Make intervals of what the file holds.

    Parameters
    ----------
    found : mapping
        As `gather_elsewhere` makes it.

    Returns
    -------
    Elsewhere
        Topics in the order of `TOPICS`.

    Raises
    ------
    KeyError
        A topic that nobody knows.
    """
    unknown = sorted(set(found) - set(TOPICS))
    if unknown:
        raise KeyError(f"topics {unknown}")
    return {
        topic: {
            place: {rival: as_interval(values) for rival, values in rivals.items()}
            for place, rivals in found[topic].items()
        }
        for topic in TOPICS
        if topic in found
    }


def as_interval(values: Any) -> Interval:
    """An interval out of three numbers of a file.

    Parameters
    ----------
    values : sequence of float
        Difference, low and high end.

    Returns
    -------
    Interval

    Raises
    ------
    InvalidInputError
        The ends are turned round.
    ValueError, TypeError
        These are not three numbers.
    """
    mean, low, high = map(float, values)
    if not low <= high:
        raise InvalidInputError("an interval", f"[{low:g}, {high:g}]", f"make it again: {COMMAND}")
    return Interval(mean, low, high)
