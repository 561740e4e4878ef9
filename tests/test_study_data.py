"""Which images a run of a study sees: tuning never a test image, unseen classes never trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_study import SMALL

from gsl_tutorial.course.datasets import Dataset
from gsl_tutorial.course.study import Study, load_study, study_data
from gsl_tutorial.course.training import train_run
from gsl_tutorial.errors import InvalidInputError

TEST = set(range(50_000, 60_000))


@pytest.fixture
def small(tmp_path: Path) -> Study:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL)
    return load_study(path)


@pytest.fixture
def cifar(monkeypatch: pytest.MonkeyPatch) -> Study:
    """The CIFAR-10 study on images of one black pixel, in the official order of labels' counts."""
    rng = np.random.default_rng(0)
    labels = [rng.permutation(np.repeat(np.arange(10), each)) for each in (5_000, 1_000)]
    images = np.zeros((60_000, 1, 1, 3), dtype=np.uint8)
    monkeypatch.setattr(train_run, "read_cifar10", lambda root: (images, np.concatenate(labels)))
    return load_study("cifar10")


def positions(data: Dataset) -> tuple[set[int], set[int], set[int]]:
    return tuple(set(s.indices.tolist()) for s in (data.train, data.database, data.query))  # type: ignore[return-value]


def test_tuning_and_what_repeats_it_never_see_a_test_image(cifar: Study) -> None:
    chosen = {(x, m): {} for x in cifar.tune.losses for m in cifar.tune.methods}
    layer = next(part for part in cifar.parts if part.name == "layer")
    runs = cifar.tuning() + cifar.runs(layer, chosen)
    assert {run.config.protocol for run in runs} == {"validation"}
    for seed in {run.config.seed for run in runs}:
        train, database, query = positions(study_data(cifar, "validation", seed))
        assert not (train | database | query) & TEST
        assert train == database
        assert not train & query
        assert (len(train), len(query)) == (10_000, 3_000)


@pytest.mark.parametrize("seed", [0, 1])
def test_p2_searches_the_training_subset_with_test_images(cifar: Study, seed: int) -> None:
    data = study_data(cifar, "P2", seed)
    train, database, query = positions(data)
    assert database == train
    assert query <= TEST
    assert not train & TEST
    for split, each in ((data.train, 1_000), (data.query, 300)):
        assert np.bincount(split.labels).tolist() == [each] * 10
    assert study_data(cifar, "P2", seed).train.indices.tolist() == data.train.indices.tolist()
    assert positions(study_data(cifar, "P2", seed + 1))[0] != train


@pytest.mark.parametrize("seed", [0, 1])
def test_unseen_classes_are_searched_among_themselves(cifar: Study, seed: int) -> None:
    data = study_data(cifar, "unseen", seed)
    train, database, query = positions(data)
    seen, new = set(data.train.labels.tolist()), set(data.query.labels.tolist())
    assert len(seen) == 7
    assert len(new) == 3
    assert not seen & new
    assert set(data.database.labels.tolist()) == new
    assert not train & database
    assert not query & (train | database)
    assert query <= TEST
    assert not database & TEST
    sizes = [np.bincount(s.labels, minlength=10) for s in (data.train, data.database, data.query)]
    assert {max(size) for size in sizes} == {1_000}
    assert all(set(size.tolist()) == {0, 1_000} for size in sizes)


def test_tuning_on_digits_never_sees_a_query_of_the_parts() -> None:
    study = load_study("digits")
    tuned = [positions(study_data(study, "validation", seed)) for seed in study.tune.seeds]
    touched = set().union(*(part for three in tuned for part in three))
    for seed in study.parts[0].seeds:
        assert not touched & positions(study_data(study, "digits", seed))[2]


def test_sizes_of_zero_take_all_there_are(small: Study) -> None:
    study = replace(small, train_per_class=0, queries=0)
    data = study_data(study, "digits", 0)
    assert (len(data.train), len(data.query)) == (1_437, 360)
    small = study_data(small, "digits", 0)
    assert (len(small.train), len(small.database), len(small.query)) == (200, 200, 30)


@pytest.mark.parametrize("queries", [1, 9])
def test_fewer_queries_than_classes_are_refused_and_not_taken_for_all(
    queries: int, small: Study
) -> None:
    study = replace(small, queries=queries)
    with pytest.raises(InvalidInputError, match=f"10 queries or more.*got {queries}"):
        study_data(study, "digits", 0)
