"""Train a shipped run once more and hold the outcome against its card.

Not bit by bit: kernels, and so the order of sums, differ from machine to machine, and a training
amplifies that. What must come back are the figures, within what another run of the same settings may
differ by (`TOLERANCE`, about three times the spread over seeds in the study's core table).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gsl_tutorial.course.results.evaluate_run import evaluate_model, summary
from gsl_tutorial.course.results.saved_runs import read_card, rounded
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.course.training.rounds import TrainingStep
from gsl_tutorial.course.training.runs import RunFolder
from gsl_tutorial.course.training.train_run import load_data, train_run

#: Largest difference of a figure that counts as the same.
TOLERANCE = {"adc_map": 0.01, "exact_map": 0.01, "argmax_map": 0.015, "accuracy": 0.008}


@dataclass(frozen=True)
class Comparison:
    """One figure of the card beside the new one.

    Attributes
    ----------
    name : str
        Of the figure.
    card, again : float
        The figure on the card, and the new one.
    tolerance : float
        By how much they may differ.
    """

    name: str
    card: float
    again: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the two figures differ by no more than the tolerance."""
        return abs(self.again - self.card) <= self.tolerance

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {**asdict(self), "agrees": self.agrees}


def as_text(rows: Iterable[Comparison]) -> str:
    """The comparisons as a table, one figure a line."""
    return text_table(
        (
            (
                *(one.name, f"{one.card:.4f}", f"{one.again:.4f}", f"{one.tolerance:.3f}"),
                "agrees" if one.agrees else "DIFFERS",
            )
            for one in rows
        ),
        head=("figure", "card", "again", "tolerance", ""),
    )


def reproduce(
    shipped: Path,
    out: Path,
    *,
    root: Path | None = None,
    provenance: dict[str, Any] | None = None,
    on_progress: Callable[[TrainingStep], None] | None = None,
    on_stage: Callable[[str], None] = lambda text: None,
) -> list[Comparison]:
    """Train with the configuration of a shipped folder, measure, compare.

    Parameters
    ----------
    shipped : Path
        The folder of the trained model, with its card.
    out : Path
        The folder of the new run; an unfinished one of the same configuration goes on.
    root : Path, optional
        Where the images lie; see `load_data`.
    provenance : dict, optional
        Who made the run: goes into its files.
    on_progress : callable(step), optional
        Called during training.
    on_stage : callable(text)
        Told in words what begins.

    Returns
    -------
    list of Comparison
        A comparison for each figure of `TOLERANCE`.

    Raises
    ------
    DataMissingError
        Without a card; else what `train` and `load_data` raise.
    """
    config, card = read_card(shipped)
    data = load_data(config.dataset, protocol=config.protocol, seed=config.seed, root=root)
    model = train_run(
        config,
        data,
        folder=RunFolder(out),
        resume=True,
        provenance=provenance,
        on_progress=on_progress,
    )
    protocol = card["metrics"]["protocol"]
    result, _, _ = evaluate_model(rounded(model), protocol=protocol, root=root, on_stage=on_stage)
    again = summary(model, result)
    return [
        Comparison(name, card["metrics"][name], again[name], tolerance)
        for name, tolerance in TOLERANCE.items()
    ]
