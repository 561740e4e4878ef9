"""Codes as other people store them: bits, signs, bytes, sums of codewords, rotations, other metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from outside_cases import DL, PQ, QL, D, Q, X, Z, traps

from gsl_tutorial.course.results.code_files import (
    measure_found,
    measure_neighbours,
    measure_outside,
)
from gsl_tutorial.course.results.searches import Search, by_codes, by_tables, by_vectors
from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.quantizers import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ResidualQuantizer,
)

few = settings(max_examples=60, deadline=None)
seeds = st.integers(0, 2**32 - 1)
rng = np.random.default_rng(0)
BITS_Q, BITS_D = rng.integers(0, 2, (20, 32)), rng.integers(0, 2, (90, 32))


def hamming(query: np.ndarray, database: np.ndarray) -> np.ndarray:
    return (query[:, None] != database).sum(axis=2)


def every(search: Search) -> np.ndarray:
    return np.asarray(search.distances_of(slice(0, search.n_query), search.database))


def told(search: Search, trap: str) -> str:
    return " ".join(one.text for one in search.found if one.trap == trap)


# Bits, signs and bytes


@few
@given(seeds, st.integers(1, 70))
def test_every_way_to_store_bits_gives_the_hamming_distance(seed: int, n_bits: int) -> None:
    rng = np.random.default_rng(seed)
    query, database = (rng.integers(0, 2, (n, n_bits)) for n in (4, 9))
    expected = hamming(query, database)
    stored: list[Callable[[np.ndarray], Any]] = [
        lambda bits: bits.astype(bool),
        lambda bits: bits.astype(np.uint8),
        lambda bits: bits.astype(np.float32),
        lambda bits: np.asfortranarray(bits),
        lambda bits: torch.from_numpy(bits),
        lambda bits: bits.tolist(),
        lambda bits: np.repeat(bits, 2, axis=1)[:, ::2],
    ]
    if (query == 0).any() and (database == 0).any():
        stored += [lambda bits: 2 * bits - 1, lambda bits: (2.0 * bits - 1).astype(np.float16)]
    for one in stored:
        for other in stored[:7] if one in stored[:7] else stored[7:]:
            search = by_codes(one(query), other(database))
            np.testing.assert_array_equal(every(search), expected)
            assert search.bits == n_bits
    for order in ("big", "little"):
        packed = [np.packbits(one, axis=1, bitorder=order) for one in (query, database)]  # type: ignore[call-overload]
        for kind in (np.uint8, np.int8, np.int64):
            kinds = [one.view(np.int8) if kind == np.int8 else one.astype(kind) for one in packed]
            search = by_codes(*kinds, packed=True, bits=n_bits)
            np.testing.assert_array_equal(every(search), expected)
            assert search.bits == n_bits
    whole = by_codes(*(np.packbits(one, axis=1) for one in (query, database)), packed=True)
    np.testing.assert_array_equal(every(whole), expected)
    assert whole.bits == -(-n_bits // 8) * 8


def test_bytes_that_look_packed_are_questioned_in_both_readings() -> None:
    packed = [np.packbits(one, axis=1) for one in (BITS_Q, BITS_D)]
    asked = told(by_codes(*packed), "packed bits?")
    for word in (
        "4 symbols",
        "256 codewords",
        "32 bits",
        "numpy.packbits",
        "--packed",
        "--no-packed",
    ):
        assert word in asked
    right = measure_outside(by_codes(*packed, packed=True), QL, DL)
    assert right.value == pytest.approx(measure_outside(by_codes(BITS_Q, BITS_D), QL, DL).value)
    assert right.value != pytest.approx(measure_outside(by_codes(*packed), QL, DL).value)
    for silent in (
        by_codes(*packed, packed=True),
        by_codes(*packed, packed=False),
        by_codes(*(one.astype(np.int64) for one in packed)),  # nobody packs into eight bytes each
        by_codes(*(one // 16 for one in packed)),  # sixteen codewords
        by_codes(BITS_Q, BITS_D),
        by_tables(Z, PQ.encode(X), PQ.codebooks_),
    ):
        assert told(silent, "packed bits?") == ""


def test_the_length_is_what_is_stated_or_stored() -> None:
    signs = np.where(rng.random((90, 48)) < 0.5, -1.0, 1.0)
    signs[:, [3, 10, 20, 30, 47]] = 1.0
    search = by_codes(np.sign(rng.normal(size=(20, 48))), signs)
    assert search.bits == 48
    assert told(search, "dead bits") == "5 of 48 bits never change in the database"
    few_seen = rng.integers(0, 256, (100, 4)).astype(np.uint8)
    few_seen[:, 2] = 7
    search = by_codes(few_seen[:20], few_seen)
    assert search.bits == 32
    assert "1 of 4 columns (8 of 32 bits) never change" in told(search, "dead bits")
    assert "--bits" in told(search, "length not stated")
    assert by_codes(few_seen[:20].astype(int), few_seen.astype(int)).bits == 32
    assert by_codes(few_seen[:20], few_seen.astype(np.uint16)).bits == 64
    assert by_codes(Q, D, bits=8).bits == 8
    assert told(by_codes(Q, D, bits=8), "length not stated") == ""
    assert by_tables(Z, PQ.encode(X), PQ.codebooks_).bits == 8


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: by_codes(2 * BITS_Q - 1, BITS_D), ["one alphabet", "0, 1 beside -1 and +1"]),
        (lambda: by_codes(BITS_Q, 2 * BITS_D - 1), ["query codes of 0, 1 beside"]),
        (lambda: by_codes(np.sign(BITS_Q - 0.5), np.sign(BITS_D)), ["database codes of 0, 1"]),
        (
            lambda: by_codes(np.sign(rng.integers(-1, 2, (20, 32))), 2 * BITS_D - 1),
            ["a sign of 0 is neither"],
        ),
        (lambda: by_codes(Q - 2, D), ["one alphabet", "(x > 0)"]),
        (lambda: by_codes(BITS_Q, np.packbits(BITS_D, axis=1)), ["one of them is packed"]),
        (lambda: by_codes(BITS_Q, rng.integers(0, 9, (90, 32))), ["codes from 0 to 1", "to 8"]),
        (lambda: by_codes(np.tanh(BITS_Q), BITS_D), ["(x > 0)"]),
        (lambda: by_codes(BITS_Q * np.nan, BITS_D), ["integer query codes"]),
        (lambda: by_codes(BITS_Q * 1j, BITS_D), ["integer query codes"]),
        (lambda: by_codes(BITS_Q.astype(str), BITS_D), ["integer query codes"]),
        (lambda: by_codes(np.ma.masked_less(BITS_Q, 1), BITS_D), ["without a mask"]),
        (lambda: by_codes(BITS_Q * 300, BITS_D, packed=True), ["bytes, numbers from 0 to 255"]),
        (lambda: by_codes(BITS_Q, BITS_D, bits=31), ["codes of 31 bits", "32 columns of bits"]),
        (lambda: by_codes(Q, D, bits=7), ["codes of 7 bits in 4 columns", "symbols up to 3"]),
        (lambda: by_codes(Q, D, bits=4), ["8 or more"]),
        (lambda: by_codes(Q, D, packed=True, bits=3), ["1 bytes for 3 bits", "4 bytes"]),
        (lambda: by_codes(Q + 250, D + 250, packed=True, bits=31), ["the last 1 bits"]),
        (lambda: by_codes(Q, D, bits=0), ["bits a whole number"]),
    ],
)
def test_codes_over_two_alphabets_are_refused(call: Callable[[], Any], words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_symbols_counted_from_two_numbers_are_told() -> None:
    one = rng.integers(0, 16, (90, 4))
    assert told(by_codes(one[:20], one), "different alphabets") == ""
    assert "from 1 to 16" in told(by_codes(one[:20] + 1, one), "different alphabets")
    assert "to 255" in told(
        by_codes(one[:20], rng.integers(0, 256, (90, 4))), "different alphabets"
    )


# Sums of codewords, rotated spaces


def brute(queries: np.ndarray, vectors: np.ndarray, metric: str) -> np.ndarray:
    q, v = queries.astype(np.float64), vectors.astype(np.float64)
    if metric == "l2":
        return np.asarray(((q[:, None] - v) ** 2).sum(axis=2))
    if metric == "cosine":
        q /= np.linalg.norm(q, axis=1, keepdims=True)
        v /= np.linalg.norm(v, axis=1, keepdims=True)
    return np.asarray(-(q @ v.T))


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize(
    "quantizer",
    [
        PQ,
        ResidualQuantizer(3, 8, random_state=0).fit(X),
        AdditiveQuantizer(3, 8, random_state=0).fit(X),
        OptimizedProductQuantizer(2, 16, random_state=0).fit(X),
    ],
    ids=["PQ", "RQ", "AQ", "OPQ"],
)
def test_adc_is_the_distance_to_the_reconstruction(quantizer: Any, metric: Any) -> None:
    codes, rotation = quantizer.encode(X), getattr(quantizer, "rotation_", None)
    mine = quantizer.encode(Z)
    search = by_tables(
        Z, codes, quantizer.codebooks_, query_codes=mine, rotation=rotation, metric=metric
    )
    np.testing.assert_allclose(
        every(search), brute(Z, quantizer.decode(codes), metric), rtol=1e-4, atol=1e-4
    )
    assert search.bits == quantizer.bits
    assert told(search, "codes of other codewords") == ""
    wrong = by_tables(
        Z, codes, quantizer.codebooks_[:, ::-1], query_codes=mine, rotation=rotation, metric=metric
    )
    assert "transposed" in told(wrong, "codes of other codewords")
    if rotation is not None:
        turned = by_tables(Z, codes, quantizer.codebooks_, query_codes=mine, rotation=rotation.T)
        assert "transposed" in told(turned, "codes of other codewords")
    result = measure_outside(search, QL, DL)
    assert metric != "ip" or "inner product" in result.search


@pytest.mark.parametrize("seed", range(3))
def test_codes_of_faiss_are_measured_with_its_codebooks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, z = (rng.normal(size=(n, 8)).astype(np.float32) for n in (300, 10))
    for kind in (faiss.ResidualQuantizer, faiss.LocalSearchQuantizer):
        theirs = kind(8, 3, 4)
        theirs.train(x)
        packed = theirs.compute_codes(x)
        codes = faiss.unpack_bitstrings(packed, 3, 4)
        books = faiss.vector_to_array(theirs.codebooks).reshape(3, 16, 8)
        search = by_tables(z, codes, books)
        expected = brute(z, theirs.decode(packed), "l2")
        np.testing.assert_allclose(every(search), expected, rtol=1e-4, atol=1e-4)
        assert search.bits == 12
    opq = faiss.OPQMatrix(8, 2)
    opq.train(x)
    matrix = faiss.vector_to_array(opq.A).reshape(8, 8)
    inner = faiss.ProductQuantizer(8, 2, 4)
    inner.train(opq.apply(x))
    codes = faiss.unpack_bitstrings(inner.compute_codes(opq.apply(x)), 2, 4)
    books = faiss.vector_to_array(inner.centroids).reshape(2, 16, 4)
    expected = brute(opq.apply(z), inner.decode(inner.compute_codes(opq.apply(x))), "l2")
    got = every(by_tables(z, codes, books, rotation=matrix))
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_vectors_by_every_metric(metric: Any, scale: float) -> None:
    search = by_vectors(
        (Z * scale).astype(np.float32), (X * scale).astype(np.float32), metric=metric
    )
    factor = 1 if metric == "cosine" else scale**2
    expected = brute(Z, X, metric) * factor
    np.testing.assert_allclose(every(search), expected, rtol=1e-3, atol=1e-4 * factor)
    q, d = (np.random.default_rng(0).integers(1, 256, (n, 4)).astype(np.uint8) for n in (3, 5))
    np.testing.assert_allclose(
        every(by_vectors(q, d, metric=metric)), brute(q, d, metric), rtol=1e-3
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: by_vectors(Z * 0, X, metric="cosine"), ["a direction", "row 0"]),
        (lambda: by_vectors(Z, X * (DL > 0)[:, None], metric="cosine"), ["a direction"]),
        (lambda: by_tables(Z * 0, PQ.encode(X), PQ.codebooks_, metric="cosine"), ["direction"]),
        (lambda: by_tables(Z, PQ.encode(X), PQ.codebooks_, rotation=np.eye(8) * 2), ["orthonormal"]),
        (lambda: by_tables(Z, PQ.encode(X), PQ.codebooks_, rotation=np.eye(6)), ["(8, 8)"]),
        (
            lambda: by_tables(Z, PQ.encode(X), PQ.codebooks_, rotation=np.full((8, 8), np.nan)),
            ["orthonormal"],
        ),
        (lambda: by_tables(Z, PQ.encode(X), PQ.codebooks_, query_codes=Q[:, :2] + 99), ["from 0 to 15"]),
        (lambda: by_tables(Z, -PQ.encode(X).astype(int), PQ.codebooks_), ["codes from 0 to 15"]),
    ],
)  # fmt: skip
def test_bad_input_is_named(call: Callable[[], Any], words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_metrics_have_names() -> None:
    for call in (lambda m: by_vectors(Z, X, metric=m), lambda m: by_tables(Z, D, X, metric=m)):
        with pytest.raises(UnknownNameError, match="cosine, ip, l2"):
            call("dot")


# Recall against given neighbours


@few
@given(seeds, st.sampled_from(["codes", "vectors"]))
def test_recall_against_given_neighbours_item_by_item(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    n, n_queries = 15, 4
    true = np.stack([rng.permutation(n)[:5] for _ in range(n_queries)])
    if kind == "codes":
        query, items = rng.integers(0, 3, (n_queries, 2)), rng.integers(0, 3, (n, 2))
        search, distances = by_codes(query, items), hamming(query, items)
    else:
        query, items = (rng.integers(0, 3, (m, 2)).astype(np.float32) for m in (n_queries, n))
        search, distances = by_vectors(query, items), brute(query, items, "l2")
    got = measure_neighbours(search, true, cuts=(1, 3, 5, 10, 99))
    draws = 4000
    noise = rng.random((draws, n))
    first, both = {k: [] for k in (1, 3, 5, 10)}, {k: [] for k in (3, 5)}
    for row, own in zip(distances, true, strict=True):
        orders = np.lexsort((noise, np.broadcast_to(row, noise.shape)), axis=1)
        ranks = np.argsort(orders, axis=1)
        for k in first:
            first[k].append((ranks[:, own[0]] < k).mean())
        for k in both:
            both[k].append((ranks[:, own[:k]] < k).mean())
    for k, values in first.items():
        assert got[f"1-recall@{k}"] == pytest.approx(np.mean(values), abs=0.03)
    for k, values in both.items():
        assert got[f"{k}-recall@{k}"] == pytest.approx(np.mean(values), abs=0.03)
    assert "1-recall@99" not in got


def test_recall_is_that_of_faiss() -> None:
    rng = np.random.default_rng(0)
    x, z = (rng.normal(size=(n, 8)).astype(np.float32) for n in (500, 20))
    index = faiss.IndexFlatL2(8)
    index.add(x)
    true = index.search(z, 10)[1]
    assert measure_neighbours(by_vectors(z, x), true)["10-recall@10"] == 1
    quantizer = PQ.__class__(2, 16, random_state=0).fit(x)
    codes = quantizer.encode(x)
    search = by_tables(z, codes, quantizer.codebooks_)
    found = np.argsort(every(search), axis=1, kind="stable")[:, :10]
    mine, listed = measure_neighbours(search, true), measure_found(found, true)
    for name in ("1-recall@1", "1-recall@10", "10-recall@10"):
        assert mine[name] == pytest.approx(listed[name], abs=0.1)  # ties aside


@pytest.mark.parametrize("bad", [-1, 90, 0.5, np.nan])
def test_neighbours_that_are_none_are_refused(bad: float) -> None:
    true = np.tile(np.arange(5.0), (20, 1))
    true[3, 4] = bad
    with pytest.raises(InvalidInputError, match="neighbours"):
        measure_neighbours(by_codes(Q, D), true)
    if bad != 90:  # lists alone do not say how many items there are
        with pytest.raises(InvalidInputError, match="neighbours"):
            measure_found(np.tile(np.arange(5), (20, 1)), true)
        with pytest.raises(InvalidInputError, match="neighbours"):
            measure_found(true, np.tile(np.arange(5), (20, 1)))


def test_warnings_stand_beside_labels_as_well() -> None:
    assert {"length not stated", "no protocol"} <= set(
        traps(measure_outside(by_codes(Q, D), QL, DL))
    )
