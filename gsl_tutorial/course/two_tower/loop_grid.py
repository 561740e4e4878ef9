"""The grid of the study on the feedback loop, read from `loop.toml`: which runs there are.

A part is the product of its arms, seeds and variants, as in `grid`; nothing is chosen by trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from gsl_tutorial.course.study.grid import Settings, parsed, parts_of, text_of
from gsl_tutorial.course.two_tower.loop import LoopConfig
from gsl_tutorial.validation import check_name

#: Settings that are the world's, not the loop's.
OF_WORLD = ("n_users", "n_true_cells", "sharpness", "n_cells")


@dataclass(frozen=True)
class PlannedLoop:
    """One loop with its place in the grid.

    Attributes
    ----------
    part : str
        The part of the study to which it belongs.
    config : LoopConfig
        All settings of the loop.
    world : dict
        Settings of the world.
    number : int
        That of its variant in the part.
    watched : int
        Of how many users the lists are kept.
    """

    part: str
    config: LoopConfig
    world: Settings
    number: int
    watched: int = 0

    @property
    def name(self) -> str:
        """A file name that says what the run is."""
        return f"{self.config.arm}_v{self.number}_seed{self.config.seed}"


@dataclass(frozen=True)
class LoopPart:
    """The product of its lists.

    Parameters
    ----------
    name : str
        Of the part.
    arms : tuple of str
        Keys of `LOOP_ARMS`.
    seeds : tuple of int
        One run for each of them.
    variants : tuple of dict
        Settings laid over the others.
    watched : int
        Of how many users the lists are kept, in runs of the first seed.
    """

    name: str
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    variants: tuple[Settings, ...] = ({},)
    watched: int = 0


@dataclass(frozen=True)
class LoopStudy:
    """A declared grid.

    Parameters
    ----------
    name : str
        The folder of its results.
    world, base : dict
        Settings that all runs share.
    parts : tuple of LoopPart
        What is run.
    """

    name: str
    world: Settings
    base: Settings
    parts: tuple[LoopPart, ...]

    def part(self, name: str) -> LoopPart:
        """The part of that name.

        Parameters
        ----------
        name : str
            Of the part.

        Returns
        -------
        LoopPart

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        by_name = {one.name: one for one in self.parts}
        return by_name[check_name("part", name, by_name)]

    def runs(self, name: str) -> list[PlannedLoop]:
        """The runs of a part, seeds outermost.

        Parameters
        ----------
        name : str
            Of the part.

        Returns
        -------
        list of PlannedLoop

        Raises
        ------
        UnknownNameError
            If there is no such part.
        """
        part = self.part(name)
        return [
            self._run(part, arm, seed, number, variant)
            for seed in part.seeds
            for arm in part.arms
            for number, variant in enumerate(part.variants)
        ]

    def _run(
        self, part: LoopPart, arm: str, seed: int, number: int, variant: Settings
    ) -> PlannedLoop:
        merged = {**self.base, **self.world, **variant}
        world = {key: merged.pop(key) for key in OF_WORLD}
        config = LoopConfig(arm=arm, seed=seed, **merged)
        watched = part.watched if seed == part.seeds[0] else 0
        return PlannedLoop(part.name, config, world, number, watched)


def load_loop_grid(path: str | Path | None = None) -> LoopStudy:
    """Read the grid that comes with the package, or a TOML file of the reader's own.

    Parameters
    ----------
    path : path, optional
        A file of the reader's own.

    Returns
    -------
    LoopStudy

    Raises
    ------
    DataMissingError
        If there is no such file.
    InvalidInputError, UnknownNameError
        If the file is no grid; the message has the place of the fault.
    """
    ours = files("gsl_tutorial.course.two_tower") / "loop.toml"
    text = ours.read_text(encoding="utf-8") if path is None else text_of(Path(path))
    return parsed(text, _parse, name=path or "loop.toml", like="two_tower/loop.toml")


def _parse(table: dict[str, Any]) -> LoopStudy:
    parts = parts_of(table["parts"], LoopPart)
    study = LoopStudy(table["name"], table["world"], table["base"], tuple(parts))
    for part in parts:  # a wrong word is found before the first minute is spent
        study.runs(part.name)
    return study
