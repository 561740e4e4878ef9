"""The kept records of a study: one file of results for each run, and none is made twice.

A study is stopped and started at will, or shared by several processes: `share=(1, 2)` takes every other
run. What a run leaves behind is a JSON record (settings, figures, history, command, commit, seconds) and
one figure of each of its queries, for paired comparisons. Both are written beside their place and then
renamed, the record last: a process that is killed at any moment leaves whole records, and the run that
it was at is done again from its start.

Both studies keep their records this way. What differs between them, which runs there are, what decides
their figures and how one is made, is said by a subclass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from jaxtyping import Float

from gsl_tutorial.errors import InvalidInputError, RunMismatchError
from gsl_tutorial.storage import load_arrays, read_json, save_arrays, write_json

Record = dict[str, Any]
#: A record, and the figure of each query.
Made = tuple[Record, Float[np.ndarray, " B"]]


class Named(Protocol):
    """A declared study."""

    @property
    def name(self) -> str:
        """The folder of its results."""


class Planned(Named, Protocol):
    """One training of a study; its name is unique in its part."""

    @property
    def part(self) -> str:
        """The part of the study to which it belongs."""


StudyT = TypeVar("StudyT", bound=Named)
RunT = TypeVar("RunT", bound=Planned)


class Records(ABC, Generic[StudyT, RunT]):
    """The folder of a study, `root/<study>/<part>/`, with a record for each finished run.

    Parameters
    ----------
    study : Study or TwoTowerStudy
        Whose runs.
    root : path
        Where studies are kept.
    """

    #: Name of the array that lies beside a record, and what it holds of each query.
    beside: ClassVar[tuple[str, str]]
    #: Settings that early records do not name; that they lack them is no difference.
    may_lack: ClassVar[tuple[str, ...]] = ()

    def __init__(self, study: StudyT, root: str | Path) -> None:
        self.study = study
        self.path = Path(root) / study.name

    @abstractmethod
    def planned(self, part: str) -> list[RunT]:
        """All runs of a part, whether finished or not.

        Raises
        ------
        DataMissingError
            While trials are missing from which the settings of this part are chosen.
        InvalidInputError
            If there is no such part.
        """

    @abstractmethod
    def asked(self, run: RunT) -> Record:
        """Everything that decides the figures of a run, as its record says it."""

    @abstractmethod
    def maker(self) -> Callable[[RunT], Made]:
        """What trains and measures runs; it may keep what they have in common for those that follow."""

    def file(self, run: RunT) -> Path:
        """The JSON file of a run; the figures of its queries lie beside it."""
        return self.path / run.part / f"{run.name}.json"

    def has(self, run: RunT) -> bool:
        """Whether the run is finished.

        Parameters
        ----------
        run : StudyRun or TwoTowerRun
            A planned run.

        Returns
        -------
        bool

        Raises
        ------
        RunMismatchError
            If it is finished, but had other settings.
        """
        path = self.file(run)
        if not path.exists():
            return False
        settings, record = self.asked(run), read_json(path)
        asked, found = _flat(settings), _flat({k: record[k] for k in settings if k in record})
        changed = [
            key
            for key in {**asked, **found}
            if asked.get(key) != found.get(key)
            and (key in found or key.split(".")[0] not in self.may_lack)
        ]
        if changed:
            raise RunMismatchError(
                f"{', '.join(f'{key} = {asked.get(key)!r}' for key in changed)} in {path.name}",
                ", ".join(f"{key} = {found.get(key)!r}" for key in changed),
                "the study was changed: move its results away or give it another name",
            )
        return True

    def save(
        self,
        run: RunT,
        record: Record,
        per_query: Float[np.ndarray, " B"] | None,
        *,
        indent: int | None = 1,
    ) -> None:
        """Write the record last: it is what marks a run as finished.

        Parameters
        ----------
        run : StudyRun or TwoTowerRun
            The finished run.
        record : dict
            Its figures and settings.
        per_query : (B,) float array, or None
            The figure of each query, kept as float16; None where nobody will ask for more than the
            mean.
        indent : int or None
            As in `write_json`.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        if per_query is not None:
            name, words = self.beside
            header = {"run": run.name, "what": words}
            arrays = {name: per_query.astype(np.float16)}
            save_arrays(self.file(run).with_suffix(".safetensors"), arrays, header)
        write_json(self.file(run), record, indent=indent)

    def records(self, part: str, **where: Any) -> list[Record]:
        """All finished runs of a part, by name.

        Parameters
        ----------
        part : str
            Name of the part.
        **where
            Values that the records must have, such as arm="text".

        Returns
        -------
        list of dict
        """
        found = [read_json(path) for path in sorted((self.path / part).glob("*.json"))]
        return [r for r in found if all(r[key] == value for key, value in where.items())]

    def per_query(self, record: Record) -> Float[np.ndarray, " B"]:
        """The figure of each query of a run, in the order of its queries.

        Parameters
        ----------
        record : dict
            Of the run.

        Returns
        -------
        (B,) float64 array
        """
        path = self.path / record["part"] / f"{record['run']}.safetensors"
        figures: np.ndarray = load_arrays(path)[0][self.beside[0]]
        return figures.astype(np.float64)

    def unfinished(self, part: str, share: tuple[int, int]) -> Iterator[tuple[RunT, int]]:
        """The runs of a share that are not done.

        Parameters
        ----------
        part : str
            Name of the part.
        share : (i, n)
            Every n-th run, starting with the i-th.

        Yields
        ------
        run : StudyRun or TwoTowerRun
            The next run to do.
        left : int
            How many there are from it on.

        Raises
        ------
        RunMismatchError
            If a finished run had other settings.
        """
        i, n = share
        runs = [run for run in self.planned(part)[i - 1 :: n] if not self.has(run)]
        for number, run in enumerate(runs):
            yield run, len(runs) - number


def run_part(
    results: Records[Any, RunT],
    part: str,
    *,
    share: tuple[int, int] = (1, 1),
    provenance: dict[str, Any] | None = None,
    on_run: Callable[[RunT, int, int], None] = lambda run, i, n: None,
) -> int:
    """Do what is not yet done of a part.

    Parameters
    ----------
    results : Records
        Where finished runs are kept.
    part : str
        Name of the part.
    share : (i, n)
        Every n-th run, starting with the i-th, so that n processes share a part.
    provenance : dict, optional
        Who made the runs: goes into each record.
    on_run : callable(run, i, n)
        Called before each run with the run, its number from 1 on, and how many there are.

    Returns
    -------
    int
        How many runs were made.

    Raises
    ------
    InvalidInputError
        For a share that cannot be, or a part that is not declared.
    DataMissingError
        While trials are missing from which the settings of this part are chosen.
    RunMismatchError
        If a finished run had other settings.
    """
    i, n = share
    if not 1 <= i <= n:
        raise InvalidInputError("a share like 1/2 or 2/2", f"{i}/{n}", "count from 1")
    make, done = results.maker(), 0
    for run, left in results.unfinished(part, share):
        on_run(run, done + 1, done + left)
        record, per_query = make(run)
        results.save(run, {**record, **(provenance or {})}, per_query)
        done += 1
    return done


def _flat(record: Record, before: str = "") -> Record:
    """Settings by their path, "config.options.strength"."""
    flat: Record = {}
    for key, value in record.items():
        flat |= (
            _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
        )
    return flat
