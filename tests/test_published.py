"""Published figures carry what must stand beside them; the trivial code; records of our own runs."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsl_tutorial.course.results import our_runs as results
from gsl_tutorial.course.results import published
from gsl_tutorial.course.results.measure import argmax_map
from gsl_tutorial.course.results.published import LETTERED, PUBLISHED, Published
from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.argmax_code import trivial_map

ROOT = Path(__file__).parents[1]
GOOD: dict[str, Any] = {
    "method": "M", "encoder": "E", "pre_training": "none", "protocol": "P2", "metric": "mAP@all",
    "maps": {48: 0.9}, "grade": "B", "source": "S",
}  # fmt: skip


@pytest.mark.parametrize("name", [f.name for f in fields(Published) if f.name != "note"])
def test_a_figure_without_what_must_stand_beside_it_cannot_be_made(name: str) -> None:
    with pytest.raises(TypeError):
        Published(**{key: value for key, value in GOOD.items() if key != name})
    with pytest.raises(InvalidInputError, match="expected"):
        Published(**{**GOOD, name: {} if name == "maps" else ""})


@pytest.mark.parametrize(
    "bad",
    [{"protocol": "P9"}, {"grade": "C"}, {"pre_training": "some"}, {"maps": {48: 93.2}},
     {"maps": {0: 0.5}}],
)  # fmt: skip
def test_what_is_unknown_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        Published(**{**GOOD, **bad})


@pytest.mark.parametrize("row", PUBLISHED, ids=str)
def test_every_text_of_a_row_says_protocol_pre_training_and_how_it_is_known(row: Published) -> None:
    line = next(x for x in published.as_markdown().splitlines() if str(row.source) in x
                and row.method in x and f"| {row.protocol} |" in x)  # fmt: skip
    for text in (str(row), line):
        assert row.protocol in text
        assert row.pre_training in text
        assert row.source in text
        assert ("second-hand" in text) is (row.grade == "B")


def test_the_rows_are_those_of_the_reference_table() -> None:
    assert len(PUBLISHED) == len(LETTERED) == 18
    assert sum(row.second_hand for row in PUBLISHED) == 5
    found = {(row.method, row.protocol): dict(row.maps) for row in PUBLISHED}
    assert found["GreedyHash", "P2"] == {48: 0.932}
    assert found["PQN (2018)", "P2 family"] == {16: 0.947, 48: 0.947}
    assert found["DSH (2016)", "P0"] == {12: 0.616, 48: 0.676}
    with pytest.raises(TypeError):
        PUBLISHED[0].maps[48] = 1.0  # type: ignore[index]


def test_no_published_figure_stands_in_the_prose_of_the_chapter() -> None:
    """There it would stand without its protocol; a cell prints it from the table."""
    text = (ROOT / "notebooks" / "src" / "09_retrieval_on_cifar10.py").read_text()
    prose = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    values = {f"{value:.3f}"[1:] for row in PUBLISHED for value in row.maps.values()}
    assert not values & set(re.findall(r"\.\d\d\d", prose))


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [(0.6, 0.296), (0.7, 0.412), (0.75, 0.483), (0.8, 0.565), (0.85, 0.656), (0.9, 0.759),
     (0.92, 0.803), (0.94, 0.850), (0.96, 0.898)],
)  # fmt: skip
def test_the_trivial_code_at_the_accuracies_of_the_reference_table(
    accuracy: float, expected: float
) -> None:
    assert trivial_map(accuracy) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("right", "right_database", "C"), [(0.8, 0.8, 10), (0.7, 1, 4), (1, 0.7, 3)]
)
def test_the_closed_form_equals_a_large_database(
    right: float, right_database: float, C: int
) -> None:
    """Each class is classified right with the given share; its mistakes fall evenly on the others."""

    def part(share: float, n: int) -> Embedded:
        labels, predicted = [], []
        for c in range(C):
            wrong = round(n * (1 - share) / (C - 1))
            others = [other for other in range(C) if other != c for _ in range(wrong)]
            labels += [c] * n
            predicted += [c] * (n - len(others)) + others
        return Embedded(np.zeros((C * n, 1)), np.array(labels), np.array(predicted))

    found = argmax_map(part(right, 90), part(right_database, 9000))
    assert found == pytest.approx(trivial_map(right, right_database, C=C), abs=2e-3)


@pytest.mark.parametrize(("accuracy", "C"), [(1.1, 10), (-0.1, 10), (float("nan"), 10), (0.5, 1)])
def test_impossible_accuracies_are_refused(accuracy: float, C: int) -> None:
    with pytest.raises(InvalidInputError, match="expected"):
        trivial_map(accuracy, C=C)


def _record(**changes: Any) -> dict[str, Any]:
    values = dict.fromkeys(results.NEEDED, 0.5)
    words = {"protocol": "P2", "bits": 32, "method": "snap", "profile": "full", "seed": 0,
             "encoder": "conv", "pre_training": "none"}  # fmt: skip
    return {**values, **words, **changes}


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def test_records_and_cards_are_listed_once_and_in_order(tmp_path: Path) -> None:
    assert results.our_runs(tmp_path) == []
    whole = {"sha256": {"model.safetensors": "0"}}
    _write(tmp_path / "one" / "card.json", {"metrics": _record(adc_map=0.1), **whole})
    _write(
        tmp_path / "digits" / "card.json", {"metrics": _record(dataset="digits", seed=9), **whole}
    )
    _write(tmp_path / "codes" / "card.json", {"metrics": _record(bits=4)})  # no network beside it
    _write(tmp_path / "texts" / "card.json", {"what": "vectors of texts, no run"})
    full = tmp_path / "results" / "cifar10-full"
    _write(full / "a.json", _record(bits=128))
    _write(full / "b.json", _record(adc_map=0.2))  # the run of the card, measured again
    _write(full / "c.json", _record(protocol="P1a"))
    found = results.our_runs(tmp_path)
    assert [(one["protocol"], one["bits"]) for one in found] == [
        ("P1a", 32),
        ("P2", 32),
        ("P2", 128),
    ]
    assert found[1]["adc_map"] == 0.2
    assert results.shipped_names(tmp_path) == ["digits", "one"]
    lines = results.as_text(found).splitlines()
    assert len(lines) == 4
    assert all(word in lines[1] for word in ("P1a", "32", "snap", "full", "none", "0.500"))
    unseen = results.as_text([_record(protocol="unseen", accuracy=0.0)]).splitlines()[1]
    assert unseen.split()[-2:] == ["none", "0"]  # no accuracy of classes without a name


@pytest.mark.parametrize("key", ["protocol", "ties", "pre_training"])
def test_a_record_without_what_must_be_printed_is_refused(key: str, tmp_path: Path) -> None:
    record = _record()
    del record[key]
    _write(tmp_path / "a.json", record)
    with pytest.raises(InvalidInputError, match=f"a.json; got one without {key}"):
        results.evaluations(tmp_path)
    _write(tmp_path / "a.json", [1])
    with pytest.raises(InvalidInputError, match="without protocol"):
        results.evaluations(tmp_path)


def test_what_is_shipped_is_listed() -> None:
    assert "cifar10-p2-32bit" in results.shipped_names()
    assert ("P2", 32) in {(one["protocol"], one["bits"]) for one in results.our_runs()}
