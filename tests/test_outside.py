"""Somebody else's files: the same numbers as ours, and every trap refused or warned of by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from outside_cases import DL, PQ, QL, D, Q, X, Z, traps
from twins import pq_adc

from gsl_tutorial.course.datasets.split_file import draw_split
from gsl_tutorial.course.results.code_files import measure_outside
from gsl_tutorial.course.results.saved_runs import labels_of
from gsl_tutorial.course.results.searches import by_codes, by_tables, by_vectors
from gsl_tutorial.errors import DataMissingError, InvalidInputError, UnknownNameError
from gsl_tutorial.evaluation import (
    average_precision,
    average_precisions,
    mean_average_precision,
)
from gsl_tutorial.storage import load_array, save_array


def refused(words: list[str], call: Callable[[], Any], kind: type = InvalidInputError) -> None:
    with pytest.raises(kind) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


# The same numbers


@pytest.mark.parametrize("at", [None, 5])
@pytest.mark.parametrize("denominator", ["relevant", "retrieved"])
def test_three_ways_to_compare(at: int | None, denominator: Any) -> None:
    codes = PQ.encode(X)
    ways = {
        "symmetric": (by_codes(Q, D), (Q[:, None] != D).sum(axis=2)),
        "ADC": (by_tables(Z, codes, PQ.codebooks_), PQ.distances(Z, codes)),
        "exact": (by_vectors(Z, X), ((Z[:, None] - X.astype(np.float64)) ** 2).sum(axis=2)),
    }
    for kind, (search, distances) in ways.items():
        result = measure_outside(search, QL, DL, at=at, denominator=denominator, k=3)
        expected = average_precisions(distances, QL, DL, at=at, denominator=denominator)
        np.testing.assert_allclose(result.per_query, expected, atol=1e-9)
        assert result.search.startswith(kind)
        assert result.value == pytest.approx(expected.mean())
        assert result.map_all == pytest.approx(mean_average_precision(distances, QL, DL))
        for name, ties in (("well", "optimistic"), ("badly", "pessimistic")):
            of = mean_average_precision(distances, QL, DL, ties=ties)  # type: ignore[arg-type]
            assert getattr(result, f"map_all_if_ties_fell_{name}") == pytest.approx(of)
        tied = mean_average_precision(np.zeros((20, 90)), QL, DL)
        assert result.map_all_of_chance == pytest.approx(tied)
        assert result.metric == ("mAP@all" if at is None else "mAP@5")
        assert set(result.extras) == {"precision@3", "recall@3"}
    np.testing.assert_allclose(
        ways["ADC"][1], pq_adc(Z, codes, PQ.codebooks_), rtol=1e-4
    )  # squared sub-distances


def test_what_stands_beside_the_number() -> None:
    result = measure_outside(by_codes(Q, D), QL, DL, radius=1)
    values = result.to_dict()
    json.dumps(values)
    assert "per_query" not in values
    # Four columns of a byte each: how many codewords there are, the codes do not say.
    assert (values["bits"], values["n_query"], values["n_database"]) == (32, 20, 90)
    assert values["distinct_codes"] == len(np.unique(D, axis=0))
    near = (Q[:, None] != D).sum(axis=2) <= 1
    assert values["retrieve_nothing_within_1"] == (near.sum(axis=1) == 0).sum()
    assert 0 <= values["precision_within_1"] <= 1
    assert measure_outside(by_tables(Z, PQ.encode(X), PQ.codebooks_), QL, DL).bits == 8
    assert measure_outside(by_vectors(Z, X), QL, DL).distinct_codes is None


# Every trap


def test_query_in_database() -> None:
    refused(["'query in database'", "both files are the same"],
            lambda: measure_outside(by_codes(D, D), DL, DL))  # fmt: skip
    refused(["'query in database'", "20 of 20 queries"],
            lambda: measure_outside(by_vectors(X[:20], X), DL[:20], DL))  # fmt: skip
    some = np.concatenate([X[:3], Z[3:]])
    result = measure_outside(by_vectors(some, X), QL, DL)
    assert "query in database: 3 of 20" in str(result.warnings[1])
    assert "query in database" not in traps(measure_outside(by_vectors(Z, X), QL, DL))
    # Equal codes of different images are no mistake.
    assert "query in database" not in traps(measure_outside(by_codes(D[:20], D), QL, DL))


def test_class_sorted_ties() -> None:
    order = np.argsort(DL)
    sorted_ = measure_outside(by_codes(Q, D[order]), QL, DL[order])
    mixed = measure_outside(by_codes(Q, D), QL, DL)
    assert "class-sorted ties" in traps(sorted_)
    assert "class-sorted ties" not in traps(mixed)
    assert "ties" in traps(mixed)
    assert sorted_.value == pytest.approx(mixed.value, abs=1e-12)
    assert "ties" not in " ".join(traps(measure_outside(by_vectors(Z, X[order]), QL, DL[order])))


def test_retrieved_denominator_and_at() -> None:
    plain = measure_outside(by_codes(Q, D), QL, DL)
    assert not {"'retrieved' denominator", "@R mixed with @all"} & set(traps(plain))
    cut = measure_outside(by_codes(Q, D), QL, DL, at=10)
    assert "@R mixed with @all" in traps(cut)
    by_hits = measure_outside(by_codes(Q, D), QL, DL, at=10, denominator="retrieved")
    (warned,) = (one for one in by_hits.warnings if one.trap == "'retrieved' denominator")
    assert (
        f"{by_hits.value:.4f}; divided by the number of relevant items it is {cut.value:.4f}"
        in warned.text
    )
    assert by_hits.value > cut.value


def test_queries_without_relevant_items() -> None:
    labels = QL.copy()
    labels[:4] = 9
    result = measure_outside(by_codes(Q, D), labels, DL)
    assert result.queries_without_relevant == 4
    (warned,) = (w for w in result.warnings if w.trap == "queries without relevant items")
    assert "4 of 20" in warned.text
    assert f"{result.per_query[4:].mean():.4f}" in warned.text
    assert result.value == pytest.approx(result.per_query[4:].sum() / 20)
    nothing = measure_outside(by_codes(Q, D), labels * 0 + 9, DL)
    assert nothing.value == 0
    assert "would give nothing" in " ".join(map(str, nothing.warnings))


def test_labels_changed_while_ranking() -> None:
    labels, search = QL.copy(), by_codes(Q, D)

    def meddle(rows: slice, codes: np.ndarray) -> np.ndarray:
        labels[0] += 1
        return search.distances_of(rows, codes)

    meddling = type(search)("symmetric", 8, 20, Q, D, meddle)
    refused(["'labels changed', during"], lambda: measure_outside(meddling, labels, DL))
    before = QL.tobytes(), DL.tobytes()
    measure_outside(search, QL, DL)
    assert (QL.tobytes(), DL.tobytes()) == before


def test_protocols_and_splits() -> None:
    drawn = draw_split(labels_of("digits"), "digits", seed=0)
    labels = labels_of("digits")
    q, d = labels[drawn.indices.query], labels[drawn.indices.database]
    codes = np.random.default_rng(0).integers(0, 9, (1437, 2))
    search = by_codes(codes[:360], codes)
    result = measure_outside(search, q, d, protocol="digits", split=drawn)
    assert drawn.checksum[:16] in result.protocol
    assert (result.n_train, result.train_in_database, result.query_in_database) == (
        1437,
        True,
        False,
    )
    refused(["query labels", "'labels changed'", "another order"],
            lambda: measure_outside(search, q[::-1], d, protocol="digits", split=drawn))  # fmt: skip
    refused(["database labels", "'labels changed'"],
            lambda: measure_outside(search, q, (d + 1) % 10, protocol="digits", split=drawn))  # fmt: skip
    refused(["10,000 queries", "20 queries and 90 database items", "`own`"],
            lambda: measure_outside(by_codes(Q, D), QL, DL, protocol="P2"))  # fmt: skip
    refused(["a protocol out of", "own"], lambda: measure_outside(by_codes(Q, D), QL, DL, protocol="P3"),
            UnknownNameError)  # fmt: skip
    assert traps(measure_outside(by_codes(Q, D), QL, DL))[0] == "no protocol"


def test_the_classes_of_a_protocol_are_counted() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (10_000, 2)).astype(np.uint8)
    labels = np.repeat(np.arange(10), 1_000)
    # P0: query set and database are one; said, not refused.
    result = measure_outside(by_codes(codes, codes), labels, labels, protocol="P0")
    assert "P0 lets each query find itself" in " ".join(map(str, result.warnings))
    wrong = labels.copy()
    wrong[:7] = 1
    refused(["classes of 1,000 in the queries", "'labels changed'", "993 to 1,007"],
            lambda: measure_outside(by_codes(codes, codes), wrong, labels, protocol="P0"))  # fmt: skip
    refused(["in the database of P0"],
            lambda: measure_outside(by_codes(codes, codes), labels, wrong, protocol="P0"))  # fmt: skip
    split = draw_split(labels_of("digits"), "digits", seed=0)
    refused(["a split file of P0"], lambda: measure_outside(
        by_codes(codes, codes), labels, labels, protocol="P0", split=split))  # fmt: skip


def test_codes_of_other_codewords() -> None:
    codes, mine = PQ.encode(X), PQ.encode(Z)
    good = measure_outside(by_tables(Z, codes, PQ.codebooks_, query_codes=mine), QL, DL)
    assert "codes of other codewords" not in traps(good)
    unit = PQ.codebooks_ / np.linalg.norm(PQ.codebooks_, axis=2, keepdims=True)
    bad = measure_outside(by_tables(Z, codes, unit, query_codes=mine), QL, DL)
    assert "codes of other codewords" in traps(bad)


def test_collapsed_codes() -> None:
    result = measure_outside(by_codes(Q * 0, D * 0), QL, DL)
    assert "collapsed codes" in traps(result)
    assert result.value == pytest.approx(result.map_all_of_chance)
    assert result.bits == 4
    assert "4 of 4 bits never change" in " ".join(map(str, result.warnings))


ONE_HOT = np.eye(3)[QL]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: measure_outside(by_codes(Q, D), ONE_HOT, DL), ["one-hot", "argmax(axis=1)"]),
        (lambda: measure_outside(by_codes(Q, D), ONE_HOT + ONE_HOT[::-1], DL), ["multi-label"]),
        (lambda: measure_outside(by_codes(Q, D), QL + 0.5, DL), ["whole numbers", "float64"]),
        (lambda: measure_outside(by_codes(Q, D), QL, DL[:-1]), ["labels (90,)", "(89,)"]),
        (lambda: measure_outside(by_codes(Q, D), QL, DL, at=0), ["at a whole number", "got 0"]),
        (lambda: measure_outside(by_codes(Q, D), QL, DL, at=-1), ["from 1 to 90", "got -1"]),
        (lambda: measure_outside(by_codes(Q, D), QL, DL, k=91), ["from 1 to 90", "91"]),
        (lambda: measure_outside(by_codes(Q, D), QL, DL, radius=-1), ["radius", "-1"]),
        (lambda: measure_outside(by_codes(Q, D), QL, DL, denominator="x"), ["denominator"]),  # type: ignore[arg-type]
        (lambda: by_codes(Q + 0.5, D), ["integer query codes", "(x > 0)", "unpackbits"]),
        (lambda: by_codes(Q, D[:, :3]), ["as many columns", "(20, 4)", "(90, 3)"]),
        (lambda: by_codes(Q[:, 0], D), ["a row for each item", "(20,)"]),
        (lambda: by_codes(Q[:0], D), ["integer query codes", "(0, 4)"]),
        (lambda: by_tables(Z, D, PQ.codebooks_), ["codes of shape (n, 2)", "(90, 4)"]),
        (lambda: by_tables(Z, D[:, :2] + 20, PQ.codebooks_), ["codes from 0 to 15", "to 23"]),
        (lambda: by_tables(Z[:, :6], D[:, :2], PQ.codebooks_), ["queries of shape (n, 8)"]),
        (lambda: by_tables(Z, D[:, :2], PQ.codebooks_[0]), ["codebooks (M, K, d)", "(16, 4)"]),
        (
            lambda: by_tables(Z, D[:, :2], PQ.codebooks_, query_codes=Q[:5, :2]),
            ["query codes (20, 2)", "(5, 2)"],
        ),
        (lambda: by_codes(Q.ravel(), D), ["integer query codes", "reshape"]),
        (lambda: by_vectors(Z * np.nan, X), ["finite query vectors"]),
        (lambda: by_vectors(Z[:, :5], X), ["query vectors of shape (n, 8)"]),
        (lambda: by_vectors(Z.astype(bool), X), ["floating-point query vectors"]),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], words: list[str]) -> None:
    refused(words, call)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    refused(["plain numbers", "pickled objects are never"], lambda: load_array(tmp_path / "a.npy"))
    (tmp_path / "words.npy").write_text("hello")
    (tmp_path / "empty.npy").touch()
    for name, found in (("a", "objects"), ("words", "another kind"), ("empty", "an empty file")):
        with pytest.raises(InvalidInputError, match=found) as caught:
            load_array(tmp_path / f"{name}.npy")
        assert "unsafe" not in str(caught.value)  # NumPy's own advice, not ours
    (tmp_path / "b.npy").write_bytes(b"\x80\x04K\x01.")
    refused(["plain numbers"], lambda: load_array(tmp_path / "b.npy"))
    (tmp_path / "c.npy").write_bytes(b"")
    refused(["plain numbers", "c.npy"], lambda: load_array(tmp_path / "c.npy"))
    np.savez(tmp_path / "d.npz", a=Q)
    refused(["an archive of several"], lambda: load_array(tmp_path / "d.npz"))
    refused(["a readable file"], lambda: load_array(tmp_path / "e.npy"), DataMissingError)
    save_array(tmp_path / "f.npy", Q)
    np.testing.assert_array_equal(load_array(tmp_path / "f.npy"), Q)


# Several labels for each item


def ndcg(distances: np.ndarray, shared: np.ndarray, at: int, gain: Callable[[Any], Any]) -> float:
    """By the definition, ties shared: each item is worth the mean of its group."""
    worth = gain(shared.astype(float))
    for value in np.unique(distances):
        worth[distances == value] = worth[distances == value].mean()
    order = np.argsort(distances, kind="stable")[:at]
    # A cut through a group leaves the mean of the group in each place.
    discount = 1 / np.log2(np.arange(2, at + 2))
    best = (np.sort(gain(shared.astype(float)))[::-1][:at] * discount).sum()
    return float((worth[order] * discount).sum() / best) if best else 0.0


@pytest.mark.parametrize("form", ["table", "floats", "sets", "lists", "words"])
@pytest.mark.parametrize("at", [None, 7])
def test_several_labels_by_brute_force(form: str, at: int | None) -> None:
    rng = np.random.default_rng(1)
    q, d = rng.random((20, 6)) < 0.3, rng.random((90, 6)) < 0.3
    forms: dict[str, Callable[[np.ndarray], Any]] = {
        "table": lambda table: table,
        "floats": lambda table: table.astype(np.float64),
        "sets": lambda table: [set(np.flatnonzero(row)) for row in table],
        "lists": lambda table: [np.flatnonzero(row).tolist() for row in table],
        "words": lambda table: [{"abcdef"[i] for i in np.flatnonzero(row)} for row in table],
    }
    result = measure_outside(by_codes(Q, D), forms[form](q), forms[form](d), at=at, k=5, radius=1)
    distances = (Q[:, None] != D).sum(axis=2)
    shared = (q[:, None].astype(int) * d).sum(axis=2)
    expected = [
        average_precision(row, counts > 0, at=at)
        for row, counts in zip(distances, shared, strict=True)
    ]
    np.testing.assert_allclose(result.per_query, expected, atol=1e-9)
    assert result.relevance == "a shared label"
    exponential = measure_outside(
        by_codes(Q, D), forms[form](q), forms[form](d), at=at, gain="exponential"
    )
    assert exponential.value == result.value
    gains: dict[str, Callable[[Any], Any]] = {"": lambda s: s, "_exponential": lambda s: 2**s - 1}
    for name, gain in gains.items():
        each = [ndcg(row, s, at or 90, gain) for row, s in zip(distances, shared, strict=True)]
        cut = "all" if at is None else at
        extras = {**result.extras, **exponential.extras}
        assert extras[f"ndcg{name}@{cut}"] == pytest.approx(np.mean(each))
    exact = measure_outside(by_vectors(Z, X), forms[form](q), forms[form](d), at=at)
    assert exact.extras[f"ndcg@{'all' if at is None else at}"] > 0
    assert result.queries_without_relevant == (shared.sum(axis=1) == 0).sum()
    json.dumps(result.to_dict())


def test_gains_have_names() -> None:
    refused(["exponential, linear", "'squared'"], lambda: measure_outside(
        by_codes(Q, D), np.eye(3)[QL] > 2, np.eye(3)[DL] > 2, gain="squared"), UnknownNameError)  # type: ignore[arg-type]  # fmt: skip


def test_forms_of_one_label_each_give_one_number() -> None:
    plain = measure_outside(by_codes(Q, D), QL, DL)
    forms: list[Callable[[np.ndarray], Any]] = [
        lambda labels: labels[:, None],
        lambda labels: labels[None],
        lambda labels: labels.astype(np.float64),
        lambda labels: labels.astype(str),
        lambda labels: labels.astype("S3"),
        lambda labels: np.eye(3)[labels],
        lambda labels: np.eye(3, dtype=bool)[labels],
        lambda labels: [{int(label)} for label in labels],
        lambda labels: labels.astype(np.uint64) + np.uint64(2**63),
        lambda labels: labels.tolist(),
    ]
    for form in forms:
        result = measure_outside(by_codes(Q, D), form(QL), form(DL))
        np.testing.assert_allclose(result.per_query, plain.per_query, atol=1e-12)
    assert (
        measure_outside(by_codes(Q, D), np.eye(3)[QL], np.eye(3)[DL]).relevance == "the same label"
    )


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (np.eye(3)[QL], DL, ["one-hot", "argmax(axis=1)"]),
        (QL, np.eye(3)[DL] + np.eye(3)[DL[::-1]] > 0, ["multi-label tables", "numbers"]),
        (QL.astype(str), DL, ["words", "numbers"]),
        ([{1}] * 20, DL, ["sets", "numbers"]),
        (np.eye(3)[QL] > 0, np.eye(4)[DL] > 0, ["(20, 3)", "(90, 4)"]),
        (np.eye(3)[QL] * 2 - 1, np.eye(3)[DL], ["tables of 0 and 1", "(x > 0)"]),
        (np.ma.masked_equal(QL, 1), DL, ["without a mask"]),
        (QL + 0.5, DL, ["whole numbers"]),
        (np.full(20, np.nan), DL, ["whole numbers"]),
        ([{1}] * 19, [{1}] * 90, ["labels (20,)"]),
        (np.eye(3)[QL].T, np.eye(3)[DL].T, ["lies on its side"]),
    ],
)  # fmt: skip
def test_labels_of_two_forms_are_refused(one: Any, other: Any, words: list[str]) -> None:
    refused(words, lambda: measure_outside(by_codes(Q, D), one, other))


def test_a_protocol_asks_for_class_numbers() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (10_000, 2))
    table = np.random.default_rng(0).random((10_000, 5)) < 0.3
    refused(["one class number", "own"],
            lambda: measure_outside(by_codes(codes, codes), table, table, protocol="P0"))  # fmt: skip
