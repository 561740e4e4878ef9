"""The grid of the study on hard negatives, read from `grid.toml`: which runs there are.

A part is the product of its tasks, arms, seeds and variants. What is chosen on validation events is chosen
by one rule: the highest Recall@10 among the trials, and every rival has the same number of trials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from gsl_tutorial.course.study.grid import Settings, parsed, parts_of, text_of
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.two_tower.arms import get_arm
from gsl_tutorial.course.two_tower.training import TwoTowerConfig
from gsl_tutorial.validation import check_name

TASKS = ("simulated", "movielens")
#: Settings that are the data's, not the training's.
OF_DATA = ("n_users", "n_true_cells", "sharpness")


@dataclass(frozen=True)
class TwoTowerRun:
    """One training with its place in the grid. number: that of its variant in the part.

    Attributes
    ----------
    part : str
        The part of the study to which it belongs.
    task : str
        On which data.
    on : str
        "validation" or "test", the events that it is measured on.
    config : TwoTowerConfig
        All settings of the training.
    data : dict
        Settings of the data.
    number : int
        That of its variant in the part.
    """

    part: str
    task: str
    on: str
    config: TwoTowerConfig
    data: Settings
    number: int

    @property
    def name(self) -> str:
        """A file name that says what the run is."""
        return f"{self.task}_{self.config.arm}_v{self.number}_seed{self.config.seed}"


@dataclass(frozen=True)
class TwoTowerPart:
    """The product of its lists.

    Parameters
    ----------
    name : str
        Of the part.
    on : str
        "validation" or "test", the events that its runs are measured on.
    tasks, arms : tuple of str
        Names, as in the study and in `ARMS`.
    seeds : tuple of int
        One run for each of them.
    variants : tuple of dict
        Settings laid over the others.
    """

    name: str
    on: str
    tasks: tuple[str, ...]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    variants: tuple[Settings, ...] = ({},)


@dataclass(frozen=True)
class TwoTowerStudy:
    """A declared grid.

    Parameters
    ----------
    name : str
        The folder of its results.
    base : dict
        Settings that all runs share.
    tasks : dict of str to dict
        By name, settings of the data.
    parts : tuple of TwoTowerPart
        What is run.
    """

    name: str
    base: Settings
    tasks: dict[str, Settings]
    parts: tuple[TwoTowerPart, ...]

    def part(self, name: str) -> TwoTowerPart:
        """The part of that name.

        Parameters
        ----------
        name : str
            Of the part.

        Returns
        -------
        TwoTowerPart

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        by_name = {one.name: one for one in self.parts}
        return by_name[check_name("part", name, by_name)]

    def runs(
        self, name: str, chosen: Callable[[str, str, Settings], Settings]
    ) -> list[TwoTowerRun]:
        """The runs of a part, seeds outermost.

        Parameters
        ----------
        name : str
            Of the part.
        chosen : callable(task, arm, variant)
            Gives the tuned settings.

        Returns
        -------
        list of TwoTowerRun

        Raises
        ------
        UnknownNameError
            If there is no such part.
        """
        part = self.part(name)
        return [
            self._run(part, task, arm, seed, number, {**chosen(task, arm, variant), **variant})
            for seed in part.seeds
            for task in part.tasks
            for arm in part.arms
            if (task, arm) != ("movielens", "true")  # nobody knows the true cells of people
            for number, variant in enumerate(part.variants)
        ]

    def _run(
        self, part: TwoTowerPart, task: str, arm: str, seed: int, number: int, settings: Settings
    ) -> TwoTowerRun:
        merged = {**self.base, **self.tasks[task], **settings}
        data = {key: merged.pop(key) for key in OF_DATA if key in merged}
        strength = merged.pop("strength", None)
        options = MethodOptions() if strength is None else MethodOptions(strength=strength)
        config = TwoTowerConfig(arm=arm, seed=seed, options=options, **merged)
        return TwoTowerRun(part.name, task, part.on, config, data, number)


def load_grid(path: str | Path | None = None) -> TwoTowerStudy:
    """Read the grid that comes with the package, or a TOML file of the reader's own.

    Parameters
    ----------
    path : path, optional
        A file of the reader's own.

    Returns
    -------
    TwoTowerStudy

    Raises
    ------
    DataMissingError
        If there is no such file.
    InvalidInputError, UnknownNameError
        If the file is no grid; the message has the place of the fault.
    """
    ours = files("gsl_tutorial.course.two_tower") / "grid.toml"
    text = ours.read_text(encoding="utf-8") if path is None else text_of(Path(path))
    return parsed(text, _parse, name=path or "grid.toml", like="two_tower/grid.toml")


def _parse(table: dict[str, Any]) -> TwoTowerStudy:
    parts = parts_of(table["parts"], TwoTowerPart)
    study = TwoTowerStudy(table["name"], table["base"], table["tasks"], tuple(parts))
    for part in parts:  # a wrong word is found before the first minute is spent
        check_name("kind of events", part.on, ("validation", "test"))
        for arm in part.arms:
            get_arm(arm)
        for task in part.tasks:
            check_name("task", task, TASKS)
        study.runs(part.name, lambda *of: {})
    return study


def measures_codes(part: str) -> bool:
    """Whether the runs of a part measure codes of the item tower, too: those named codes-..."""
    return part.startswith("codes")


def tuned_arm(arm: str) -> str:
    """Whose trials an arm takes its settings from: "text" where negatives come from cells."""
    return "text" if get_arm(arm).cells else "uniform"
