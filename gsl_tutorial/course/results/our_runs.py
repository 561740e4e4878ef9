"""What is known of our own runs on CIFAR-10: records of `gsl-tutorial evaluate --json`, and cards.

A record is one dictionary of figures with everything that must stand beside them: protocol, bits,
metric, denominator, tie rule, encoder, pre-training, seed, seconds. Records lie in
`data/results/cifar10-full/`, one JSON file each; the cards of shipped runs hold the same fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.storage import read_json

Record = dict[str, Any]
#: A figure without one of these is not shown.
NEEDED = (
    "protocol", "bits", "metric", "denominator", "ties", "adc_map", "exact_map", "argmax_map",
    "accuracy", "method", "encoder", "pre_training", "profile", "seed",
)  # fmt: skip
#: Two records that agree in these are one run.
_SAME = ("protocol", "bits", "n_codewords", "method", "profile", "encoder", "seed")


def evaluations(folder: Path = DATA / "results" / "cifar10-full") -> list[Record]:
    """The records in a folder, by protocol, bits and method.

    Parameters
    ----------
    folder : Path
        Of JSON files.

    Returns
    -------
    list of dict
        Empty where there are no files.

    Raises
    ------
    InvalidInputError
        For a file that lacks one of the fields in `NEEDED`.
    """
    return _sorted(_checked(read_json(path), path.name) for path in sorted(folder.glob("*.json")))


def shipped_names(root: Path = DATA) -> list[str]:
    """The folders that `load_shipped` can read, by name: those whose card has metrics and a network."""
    cards = {path.parent.name: read_json(path) for path in root.glob("*/card.json")}
    return sorted(
        name
        for name, card in cards.items()
        if "metrics" in card and "model.safetensors" in card.get("sha256", {})
    )


def our_runs(root: Path = DATA) -> list[Record]:
    """Every run that the repository tells of, once: the cards of shipped runs, then the records.

    Parameters
    ----------
    root : Path
        The folder of shipped data.

    Returns
    -------
    list of dict
        Of CIFAR-10, by protocol, bits and method.

    Raises
    ------
    InvalidInputError
        See `evaluations`.
    """
    runs = {}
    for name in shipped_names(root):
        record = _checked(read_json(root / name / "card.json")["metrics"], f"the card of {name}")
        runs[_key(record)] = record
    for record in evaluations(root / "results" / "cifar10-full"):
        runs[_key(record)] = record
    return _sorted(run for run in runs.values() if run.get("dataset", "cifar10") == "cifar10")


def as_text(records: Iterable[Mapping[str, Any]]) -> str:
    """The records as an aligned table, one run a line."""
    head = ("protocol", "bits", "method", "profile", "pre-trained", "ADC mAP", "exact", "argmax",
            "accuracy", "seed")  # fmt: skip
    lines = []
    for one in records:
        values = [f"{one[key]:.3f}" for key in ("adc_map", "exact_map", "argmax_map", "accuracy")]
        if one["protocol"] == "unseen":
            values[-1] = "none"  # the classifier has no name for these classes
        cells = (one["protocol"], one["bits"], named(one["method"]), one["profile"])
        lines.append((*cells, one["pre_training"], *values, one["seed"]))
    return text_table(lines, head=head)


def _checked(record: Any, name: str) -> Record:
    missing = [key for key in NEEDED if not isinstance(record, dict) or key not in record]
    if missing:
        raise InvalidInputError(
            f"a record of `gsl-tutorial evaluate --json` in {name}",
            f"one without {', '.join(missing)}",
            "write it again: gsl-tutorial evaluate RUN --json",
        )
    return dict(record)


def _key(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(record.get(key) if key == "n_codewords" else record[key] for key in _SAME)


def _sorted(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda one: tuple(map(str, _key(one)[:1])) + _key(one)[1:2]
                  + tuple(map(str, _key(one)[2:])))  # fmt: skip
