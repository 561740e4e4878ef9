"""The row of the table, recomputed in plain loops; a run measured end to end; what is shipped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from twins import ap_of_ranking, patterns, pq_decode, pq_encode, squared_distance

from gsl_tutorial.course.datasets import Dataset, Split
from gsl_tutorial.course.results import evaluate_run
from gsl_tutorial.course.results.evaluate_run import evaluate_model, summary, table
from gsl_tutorial.course.results.measure import RetrievalResult, argmax_map, measure
from gsl_tutorial.course.results.saved_runs import load_shipped, ship
from gsl_tutorial.course.training.config import PROFILES, Schedule, TrainingConfig
from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.course.training.runs import RunFolder, TrainedModel
from gsl_tutorial.course.training.train_run import load_data, train_run
from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError
from gsl_tutorial.evaluation import distances
from gsl_tutorial.evaluation.distances import blocks, squared_distances
from gsl_tutorial.quantizers import ProductQuantizer

PROTOCOL: dict[str, Any] = {
    "protocol": "P2",
    "n_query": 9,
    "n_train": 40,
    "n_database": 40,
    "train_in_database": True,
    "query_in_database": False,
}


def embedded(n: int, *, seed: int, n_classes: int = 3, dim: int = 4) -> Embedded:
    """Random unit vectors near their class centre, with some classes predicted wrongly."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    z = np.random.default_rng(99).normal(size=(n_classes, dim))[labels]
    z = z + rng.normal(size=(n, dim))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    wrong = rng.random(n) < 0.3
    return Embedded(
        z.astype(np.float32), labels, np.where(wrong, rng.integers(n_classes, size=n), labels)
    )


@pytest.fixture(scope="module")
def small() -> tuple[ProductQuantizer, Embedded, Embedded]:
    query, database = embedded(9, seed=1), embedded(40, seed=2)
    return ProductQuantizer(2, 8, random_state=0).fit(database.z), query, database


def slow_map(distances: np.ndarray, query: Embedded, database: Embedded) -> float:
    """Mean over the queries of the mean over all orders of tied items of AP, by definition."""
    total = 0.0
    for row, label in zip(np.round(distances, 6), query.labels, strict=True):
        relevant = database.labels == label
        all_orders = [ap_of_ranking(pattern) for pattern in patterns(row, relevant)]
        total += float(np.mean(all_orders))
    return total / len(query)


def slow_distances(queries: np.ndarray, items: np.ndarray) -> np.ndarray:
    return np.array([[squared_distance(q, x) for x in items] for q in queries])


def test_measure_equals_the_definitions(small: tuple[ProductQuantizer, Embedded, Embedded]) -> None:
    quantizer, query, database = small
    # Tied groups of a few items each, so that all their orders can be listed.
    query, database = first(query, 9), first(database, 18)
    result = measure(quantizer, query, database, protocol=PROTOCOL)
    books = quantizer.codebooks_.astype(np.float64)
    codes = pq_encode(database.z, books)
    assert len(np.unique(codes, axis=0)) < len(codes), "there must be ties"
    decoded = pq_decode(codes, books)
    adc = slow_map(slow_distances(query.z, decoded), query, database)
    decoded_queries = pq_decode(pq_encode(query.z, books), books)
    sdc = slow_map(slow_distances(decoded_queries, decoded), query, database)
    assert result.adc_map == pytest.approx(adc, abs=1e-9)
    assert result.sdc_map == pytest.approx(sdc, abs=1e-9)
    assert len({round(x, 6) for x in (result.adc_map, result.sdc_map, result.exact_map)}) == 3
    assert result.per_query.shape == (9,)
    assert result.per_query.mean() == pytest.approx(adc, abs=1e-9)
    error = sum(squared_distance(z, d) for z, d in zip(database.z, decoded, strict=True))
    spread = sum(squared_distance(z, database.z.mean(axis=0)) for z in database.z)
    assert result.relative_distortion == pytest.approx(error / spread, rel=1e-5)
    assert result.distinct_codes == len({tuple(code) for code in codes})
    assert result.bits == 6
    hits = [p == t for p, t in zip(query.predicted, query.labels, strict=True)]
    assert result.accuracy == pytest.approx(sum(hits) / 9)
    assert result.search_seconds > 0
    assert (result.metric, result.denominator, result.ties) == ("mAP@all", "relevant", "exact")
    assert {key: getattr(result, key) for key in PROTOCOL} == PROTOCOL


def first(part: Embedded, n: int) -> Embedded:
    return Embedded(part.z[:n], part.labels[:n], part.predicted[:n])


def test_exact_search_equals_scikit_learn(
    small: tuple[ProductQuantizer, Embedded, Embedded],
) -> None:
    quantizer, query, database = small
    each = [
        average_precision_score(database.labels == label, -row)
        for row, label in zip(slow_distances(query.z, database.z), query.labels, strict=True)
    ]
    result = measure(quantizer, query, database, protocol=PROTOCOL)
    assert result.exact_map == pytest.approx(np.mean(each), abs=1e-9)


def test_a_result_is_ready_for_json(small: tuple[ProductQuantizer, Embedded, Embedded]) -> None:
    quantizer, query, database = small
    stages: list[str] = []
    result = measure(quantizer, query, database, protocol=PROTOCOL, on_stage=stages.append)
    values = result.to_dict()
    assert "per_query" not in values
    assert json.loads(json.dumps(values)) == values
    assert "per_query" not in repr(result)
    assert len(stages) == 4


def test_nothing_is_changed_and_nothing_is_random(
    small: tuple[ProductQuantizer, Embedded, Embedded],
) -> None:
    quantizer, query, database = small
    kept = [array.copy() for part in (query, database) for array in (part.z, part.labels)]
    one, two = (measure(quantizer, query, database, protocol=PROTOCOL) for _ in range(2))
    assert replace(one, search_seconds=0, per_query=None) == replace(
        two, search_seconds=0, per_query=None
    )
    now = [array for part in (query, database) for array in (part.z, part.labels)]
    assert all(np.array_equal(a, b) for a, b in zip(kept, now, strict=True))


def test_given_codes_are_the_ones_that_are_searched(
    small: tuple[ProductQuantizer, Embedded, Embedded],
) -> None:
    quantizer, query, database = small
    own = measure(quantizer, query, database, protocol=PROTOCOL)
    codes = quantizer.encode(database.z)
    given = measure(quantizer, query, database, protocol=PROTOCOL, codes=codes)
    assert given.adc_map == own.adc_map
    same = np.zeros_like(codes)  # all items tied: what random order would give
    tied = measure(quantizer, query, database, protocol=PROTOCOL, codes=same)
    assert tied.distinct_codes == 1
    assert tied.adc_map == pytest.approx(tied.sdc_map)
    assert tied.adc_map < own.adc_map
    assert tied.exact_map == own.exact_map


@pytest.mark.parametrize("size", [1, 4, 9, 100])
def test_the_size_of_a_block_does_not_matter(
    size: int,
    small: tuple[ProductQuantizer, Embedded, Embedded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quantizer, query, database = small
    whole = measure(quantizer, query, database, protocol=PROTOCOL)
    monkeypatch.setattr(distances, "BLOCK", size)
    parts = measure(quantizer, query, database, protocol=PROTOCOL)
    np.testing.assert_allclose(parts.per_query, whole.per_query, rtol=0, atol=1e-12)
    assert parts.sdc_map == pytest.approx(whole.sdc_map, abs=1e-12)
    assert parts.exact_map == pytest.approx(whole.exact_map, abs=1e-12)


@pytest.mark.parametrize("n", [0, 1, 249, 250, 251, 1000])
def test_blocks_cover_all_rows_once_in_order(n: int) -> None:
    parts = [list(range(n))[rows] for rows in blocks(n)]
    assert [i for part in parts for i in part] == list(range(n))
    assert all(0 < len(part) <= distances.BLOCK for part in parts)


def test_squared_distances_equal_the_slow_ones() -> None:
    rng = np.random.default_rng(0)
    q, x = (rng.normal(size=(n, 5)).astype(np.float32) for n in (3, 7))
    kept = q.copy(), x.copy()
    np.testing.assert_allclose(squared_distances(q, x), slow_distances(q, x), rtol=0, atol=1e-5)
    assert np.array_equal(q, kept[0])
    assert np.array_equal(x, kept[1])


# The trivial code


@pytest.mark.parametrize("seed", range(4))
def test_the_argmax_code_equals_all_its_orders(seed: int) -> None:
    query, database = embedded(5, seed=seed), embedded(10, seed=seed + 50)
    other = (query.predicted[:, None] != database.predicted[None, :]).astype(float)
    assert argmax_map(query, database) == pytest.approx(slow_map(other, query, database), abs=1e-9)


def labelled(labels: list[int], predicted: list[int]) -> Embedded:
    return Embedded(np.zeros((len(labels), 1)), np.array(labels), np.array(predicted))


def test_the_argmax_code_at_its_ends() -> None:
    right = labelled([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2])
    assert argmax_map(right, right) == pytest.approx(1)
    # Two queries of class 0; the one taken for class 1 finds its own class at ranks 3 and 4.
    wrong = labelled([0, 0], [0, 1])
    database = labelled([0, 0, 1, 1], [0, 0, 1, 1])
    assert argmax_map(wrong, database) == pytest.approx((1 + (1 / 3 + 2 / 4) / 2) / 2)
    # A class that the database never shows: everything is tied.
    unseen = labelled([0], [7])
    orders = [ap_of_ranking(p) for p in patterns(np.zeros(4), database.labels == 0)]
    assert argmax_map(unseen, database) == pytest.approx(np.mean(orders))


# A run, end to end


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A digits run of three rounds."""
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    short = Schedule(3, epochs=2, batch_size=64, learning_rate=0.1, label_smoothing=0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROFILES["digits"], "quick", short)
        config = TrainingConfig(bits=16, n_codewords=16, dim=16)
        train_run(config, load_data("digits"), folder=folder, provenance={"command": "a command"})
    return folder


@pytest.fixture(scope="module")
def evaluated(run: RunFolder) -> tuple[TrainedModel, RetrievalResult, Embedded, Embedded]:
    model = run.load_model()
    return model, *evaluate_model(model)


def test_a_digits_run_is_measured_end_to_end(
    evaluated: tuple[TrainedModel, RetrievalResult, Embedded, Embedded],
) -> None:
    model, result, query, database = evaluated
    assert (result.n_query, result.n_train, result.n_database) == (360, 1437, 1437)
    assert (len(query), len(database)) == (360, 1437)
    assert result.train_in_database
    assert not result.query_in_database
    data = load_data("digits")
    assert np.array_equal(query.labels, data.query.labels)
    assert np.array_equal(database.labels, data.database.labels)
    each = [
        average_precision_score(database.labels == label, -row)
        for row, label in zip(
            squared_distances(query.z.astype(float), database.z.astype(float)),
            query.labels,
            strict=True,
        )
    ]
    assert result.exact_map == pytest.approx(np.mean(each), abs=1e-4)
    assert 0.6 < result.sdc_map <= result.adc_map + 0.02 < 1.02
    assert result.accuracy > 0.8
    assert result.relative_distortion == pytest.approx(
        model.history[-1]["relative_distortion"], rel=1e-3
    )
    values = summary(model, result)
    n_weights = 64 * 128 + 128 + 128 * 128 + 128 + 128 * 16 + 16
    assert (values["weights"], values["encoder"], values["bits"]) == (n_weights, "digits", 16)
    lines = table(values).splitlines()
    assert [line.split()[0] for line in lines] == list(values)
    assert f"{result.adc_map:.4f}" in table(values)


def made_up(trained: list[int], others: list[int]) -> Dataset:
    """Random images: the classes `trained` to train on, `others` to search."""
    rng = np.random.default_rng(0)

    def part(name: str, n: int, classes: list[int]) -> Split:
        x = rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        return Split(name, x, labels=rng.permutation(np.resize(classes, n)), indices=np.arange(n))

    return Dataset(
        "made up",
        tuple("0123456789"),
        train=part("train", 40, trained),
        validation=part("validation", 0, trained),
        database=part("database", 20, others),
        query=part("query", 6, others),
    )


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROFILES["cifar10"], "quick", Schedule(2, 1, 20, learning_rate=0.05))


def conv_config(protocol: str) -> TrainingConfig:
    return TrainingConfig("cifar10", protocol=protocol, bits=8, n_codewords=16, dim=8)


@pytest.mark.usefixtures("brief")
def test_unseen_classes_are_never_predicted_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made_up([0, 1, 3, 4, 6, 8, 9], [2, 5, 7])
    monkeypatch.setattr(evaluate_run, "load_data", lambda *_, **__: data)
    train_run(conv_config("unseen"), data, folder=RunFolder(tmp_path))
    model = RunFolder(tmp_path).load_model()
    assert len(model.classifier.weight) == 7
    result, query, database = evaluate_model(model)
    assert set(query.predicted) | set(database.predicted) <= {0, 1, 3, 4, 6, 8, 9}
    assert result.accuracy == 0
    assert result.protocol == "unseen"
    assert not result.train_in_database
    ship(tmp_path / "data" / "unseen", model, query, database, metrics=summary(model, result))
    back = load_shipped("unseen", root=tmp_path / "data")
    assert np.array_equal(back.query.predicted, query.predicted)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    ("trained", "asked"),
    [("P2", "validation"), ("validation", "P2"), ("P2", "unseen"), ("P1a", "P2"), ("P0", "P1b")],
)
def test_a_protocol_with_other_training_images_is_refused(
    trained: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_run, "load_data", lambda *_, **__: pytest.fail("read the data"))
    model = TrainedModel.new(conv_config(trained))
    with pytest.raises(InvalidInputError) as caught:
        evaluate_model(model, protocol=asked)
    for phrase in (f"for protocol {asked}", f"the images of {trained}", f"--protocol {asked}"):
        assert phrase in str(caught.value)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(("trained", "asked"), [("P2", "P0"), ("P0", "P2"), ("P1a", "P1b")])
def test_a_protocol_with_the_same_training_images_is_measured(
    trained: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, seen = made_up([0, 1, 2], [0, 1, 2]), []

    def load(name: str, **settings: Any) -> Dataset:
        seen.append((name, settings["protocol"], settings["seed"]))
        return data

    monkeypatch.setattr(evaluate_run, "load_data", load)
    model = train_run(replace(conv_config(trained), seed=3), data)
    result, _, _ = evaluate_model(model, protocol=asked)
    assert result.protocol == asked
    assert result.query_in_database is (asked == "P0")
    assert seen == [("cifar10", asked, 3)]


def test_unknown_names_of_data_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="a dataset out of cifar10, cifar100, digits"):
        load_data("mnist")
    with pytest.raises(InvalidInputError, match="protocol of the data set digits: one of"):
        load_data("digits", protocol="P2")


# What is shipped


@pytest.fixture
def shipped(
    evaluated: tuple[TrainedModel, RetrievalResult, Embedded, Embedded], tmp_path: Path
) -> Path:
    model, result, query, database = evaluated
    ship(tmp_path / "digits", model, query, database, metrics=summary(model, result))
    return tmp_path


def test_what_is_shipped_comes_back(
    shipped: Path, evaluated: tuple[TrainedModel, RetrievalResult, Embedded, Embedded]
) -> None:
    model, result, query, database = evaluated
    back = load_shipped("digits", root=shipped)
    for name, array in model.arrays().items():
        assert np.array_equal(back.model.arrays()[name], array), name
    assert back.model.config == model.config
    assert back.model.history == model.history
    for part, original in ((back.query, query), (back.database, database)):
        assert part.z.dtype == np.float32
        # Numbers of at most 1 in float16: 11 bits.
        assert np.abs(part.z - original.z).max() <= 2.0**-12
        assert np.array_equal(part.labels, original.labels)
        assert np.array_equal(part.predicted, original.predicted)
    assert np.array_equal(back.codes, model.quantizer.encode(database.z))
    again = measure(
        back.model.quantizer,
        back.query,
        back.database,
        protocol={key: getattr(result, key) for key in PROTOCOL},
        codes=back.codes,
    )
    assert again.adc_map == pytest.approx(result.adc_map, abs=1e-3)
    assert again.argmax_map == result.argmax_map
    card = json.loads((shipped / "digits" / "card.json").read_text())
    assert card == back.card
    assert card["command"] == "a command"
    assert card["metrics"] == summary(model, result)
    assert {"seed", "train_seconds", "adc_map"} <= set(card["metrics"])


@pytest.mark.parametrize("file", ["model.safetensors", "embeddings.safetensors"])
def test_a_changed_byte_in_what_is_shipped_is_refused(file: str, shipped: Path) -> None:
    path = shipped / "digits" / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ChecksumError, match=file) as caught:
        load_shipped("digits", root=shipped)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("file", ["card.json", "model.safetensors", "embeddings.safetensors"])
def test_a_missing_file_of_what_is_shipped_is_named(file: str, shipped: Path) -> None:
    (shipped / "digits" / file).unlink()
    with pytest.raises(DataMissingError, match=file):
        load_shipped("digits", root=shipped)


def test_what_was_never_shipped_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="a whole checkout of the repository"):
        load_shipped("nothing", root=tmp_path)


def test_a_model_is_not_measured_on_another_split_than_it_was_trained_on() -> None:
    """Digits of seed 0 and seed 1 are split differently: queries of one are trained on in the other."""
    schedule = Schedule(rounds=1, epochs=1, batch_size=64, learning_rate=0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PROFILES["digits"], "quick", schedule)
        settings = TrainingConfig(dataset="digits", bits=8, n_codewords=16, dim=16, seed=1)
        leaky = train_run(settings, load_data("digits", seed=0))
        with pytest.raises(InvalidInputError, match="may be among its images"):
            evaluate_model(leaky)
        clean = train_run(settings, load_data("digits", seed=1))
        assert evaluate_model(clean)[0].n_query == 360
