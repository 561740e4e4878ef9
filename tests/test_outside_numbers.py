"""Numbers beside the number, by plain loops, and the sizes of warnings: how much is too much."""

from __future__ import annotations

import numpy as np
import pytest
from outside_cases import DL, PQ, QL, D, Q, X, Z, traps

from gsl_tutorial.course.datasets import PROTOCOLS
from gsl_tutorial.course.datasets.split_file import draw_split, label_checksum
from gsl_tutorial.course.results.audit import check_sizes_and_classes, warn_of_ties
from gsl_tutorial.course.results.code_files import measure_outside
from gsl_tutorial.course.results.saved_runs import labels_of
from gsl_tutorial.course.results.searches import by_codes, by_tables, by_vectors
from gsl_tutorial.errors import InvalidInputError


@pytest.mark.parametrize("k", [1, 7, 90])
def test_precision_and_recall_at_k_item_by_item(k: int) -> None:
    result = measure_outside(by_vectors(Z, X), QL, DL, k=k)
    precision, recall = [], []
    for z, label in zip(Z, QL, strict=True):
        order = np.argsort(((z - X.astype(np.float64)) ** 2).sum(axis=1))
        hits = sum(DL[j] == label for j in order[:k])
        precision.append(hits / k)
        recall.append(hits / sum(label == DL))
    assert result.extras[f"precision@{k}"] == pytest.approx(np.mean(precision))
    assert result.extras[f"recall@{k}"] == pytest.approx(np.mean(recall))


@pytest.mark.parametrize("radius", [0, 1, 2, 4])
def test_precision_and_recall_within_a_radius_item_by_item(radius: int) -> None:
    result = measure_outside(by_codes(Q, D), QL, DL, radius=radius)
    precision, recall, nothing = [], [], 0
    for code, label in zip(Q, QL, strict=True):
        near = [j for j in range(90) if sum(code != D[j]) <= radius]
        hits = sum(DL[j] == label for j in near)
        nothing += not near
        precision.append(hits / max(1, len(near)))
        recall.append(hits / sum(label == DL))
    assert result.extras[f"precision_within_{radius}"] == pytest.approx(np.mean(precision))
    assert result.extras[f"recall_within_{radius}"] == pytest.approx(np.mean(recall))
    assert result.extras[f"retrieve_nothing_within_{radius}"] == nothing


def test_checksums_and_bits_and_the_denominator_are_those_of_the_files() -> None:
    result = measure_outside(by_vectors(Z, X), QL, DL, at=5, denominator="retrieved")
    assert result.query_label_sha256 == label_checksum(QL)
    assert result.database_label_sha256 == label_checksum(DL)
    assert result.bits == 8 * 32
    assert (result.denominator, result.ties) == ("retrieved", "exact")
    assert measure_outside(by_codes(Q, D), QL, DL).bits == 32
    assert measure_outside(by_codes(Q, D, bits=8), QL, DL).bits == 8


def test_labels_of_the_database_changed_while_ranking() -> None:
    labels, search = DL.copy(), by_codes(Q, D)

    def meddle(rows: slice, codes: np.ndarray) -> np.ndarray:
        labels[-1] += 1
        return search.distances_of(rows, codes)

    meddling = type(search)("symmetric", 8, 20, Q, D, meddle)
    with pytest.raises(InvalidInputError, match="'labels changed', during the ranking"):
        measure_outside(meddling, QL, labels)


@pytest.mark.parametrize(("n_same", "is_refused"), [(1, False), (10, False), (11, True)])
def test_more_than_half_of_the_queries_in_the_database_is_refused(
    n_same: int, is_refused: bool
) -> None:
    some = np.concatenate([X[:n_same], Z[n_same:]])
    if is_refused:
        with pytest.raises(InvalidInputError, match="11 of 20 queries lie in the database"):
            measure_outside(by_vectors(some, X), QL, DL)
    else:
        found = measure_outside(by_vectors(some, X), QL, DL)
        assert f"{n_same} of 20 queries" in " ".join(map(str, found.warnings))


@pytest.mark.parametrize(("n_other", "is_told"), [(0, False), (1, True), (3, True)])
def test_a_few_query_codes_of_other_codewords_are_told(n_other: int, is_told: bool) -> None:
    mine = PQ.encode(Z)
    mine[:n_other, 0] = (mine[:n_other, 0] + 1) % 16
    search = by_tables(Z, PQ.encode(X), PQ.codebooks_, query_codes=mine)
    assert ("codes of other codewords" in traps(measure_outside(search, QL, DL))) is is_told


@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize(
    ("spread", "in_order", "mixed"),
    [(0.0, [], []), (0.0009, [], []), (0.0011, ["class-sorted ties"], []),
     (0.009, ["class-sorted ties"], []), (0.011, ["class-sorted ties"], ["ties"])],
)  # fmt: skip
def test_ties_are_told_of_from_a_hundredth_and_in_class_order_from_a_thousandth(
    n_classes: int, spread: float, in_order: list[str], mixed: list[str]
) -> None:
    rising = np.repeat(np.arange(n_classes), 50)
    for labels in (rising, rising[::-1]):
        assert [one.trap for one in warn_of_ties(labels, 0.5 + spread, 0.5)] == in_order
    shuffled = np.random.default_rng(0).permutation(rising)
    # Five runs of each class are no order either, though far from chance.
    runs = np.tile(np.repeat(np.arange(n_classes), 10), 5)
    for labels in (shuffled, runs):
        assert [one.trap for one in warn_of_ties(labels, 0.5 + spread, 0.5)] == mixed


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("code", PROTOCOLS)
def test_every_drawn_split_is_the_protocols_and_one_other_label_is_not(
    code: str, seed: int
) -> None:
    labels = labels_of(code)
    drawn, protocol = draw_split(labels, code, seed=seed), PROTOCOLS[code]
    q, d = labels[drawn.indices.query], labels[drawn.indices.database]
    assert check_sizes_and_classes(q, d, protocol, drawn) == []
    assert check_sizes_and_classes(q, d, protocol, None) == []
    place = np.random.default_rng(seed)
    for given in ((q, "q"), (d, "d")):
        changed = given[0].copy()
        changed[place.integers(len(changed))] += 1
        pair = (changed, d) if given[1] == "q" else (q, changed)
        with pytest.raises(InvalidInputError, match="'labels changed'"):
            check_sizes_and_classes(*pair, protocol, drawn)
        if code != "digits":  # its classes are not of one size
            with pytest.raises(InvalidInputError, match="'labels changed'"):
                check_sizes_and_classes(*pair, protocol, None)
