"""Numbers far from the origin, very small or too large: distances, codes and fits stay right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_quantizers_contract import ADDITIVE, CUT, correlated, each_kind, vectors

from gsl_tutorial import AdditiveQuantizer, OptimizedProductQuantizer, ProductQuantizer
from gsl_tutorial.course.toys import kmeans_steps
from gsl_tutorial.course.toys.one_search import look_up
from gsl_tutorial.course.two_tower.cells import find_twins, merge_small_cells, text_cells
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers import ResidualQuantizer, additive_base, base
from gsl_tutorial.quantizers import nearest as search
from gsl_tutorial.quantizers.kmeans import kmeans
from gsl_tutorial.quantizers.nearest import nearest
from gsl_tutorial.quantizers.optimized import balanced_rotation
from gsl_tutorial.validation import largest

few = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**32 - 1)
offsets = st.sampled_from([0.0, 1.0, -1000.0, 3e4, 1e6])
scales = st.sampled_from([1e-30, 1e-12, 1e-3, 1.0, 1e6, 1e10])


def exact(queries: np.ndarray, database: np.ndarray) -> np.ndarray:
    difference = queries[:, None].astype(np.float64) - database.astype(np.float64)
    return (difference**2).sum(axis=2)


def far(n: int, dim: int, seed: int, offset: float, scale: float) -> np.ndarray:
    """Normal numbers around an offset, in steps that float32 can hold there."""
    return ((vectors(n, dim, seed) + np.float32(offset)) * np.float32(scale)).astype(np.float32)


def one_by_one(quantizer: Any, X: np.ndarray) -> np.ndarray:
    return np.vstack([quantizer.encode(X[i : i + 1]) for i in range(len(X))])


# N1: distances


def test_a_distance_far_from_the_origin_is_that_of_the_difference() -> None:
    q = np.array([[4.2e6, 2.3e6, 4.1e6]], dtype=np.float32)
    d = q + np.array([[-500, 800, 100], [1, 2, 2]], dtype=np.float32)
    np.testing.assert_array_equal(squared_distances(q, d), [[9e5, 9]])
    # The neighbours lie in two groups: no mean is near to both.
    both = np.vstack([d, -d])
    np.testing.assert_array_equal(squared_distances(q, both)[0, :2], [9e5, 9])


@few
@given(st.integers(1, 7), st.integers(1, 60), st.integers(1, 40), offsets, scales, seeds)
def test_distances_are_right_to_six_digits(
    B: int, N: int, dim: int, offset: float, scale: float, seed: int
) -> None:
    queries, database = (far(n, dim, seed + n, offset, scale) for n in (B, N))
    database[N // 2 :] *= -1  # two groups
    right = exact(queries, database)
    got = squared_distances(queries, database)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, right, rtol=2e-6, atol=1e-44)
    double = squared_distances(queries.astype(np.float64), database.astype(np.float64))
    assert double.dtype == np.float64
    np.testing.assert_allclose(double, right, rtol=1e-6)
    assert (np.diag(squared_distances(database, database)) == 0).all()


@pytest.mark.parametrize("dim", [1, 3, 17, 64, 130])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_rows_are_at_equal_distances(dim: int, dtype: Any) -> None:
    row, others = vectors(1, dim, 3), vectors(37, dim, 4)
    database = np.vstack([np.repeat(row, 17, axis=0), others, np.repeat(row, 23, axis=0)])
    rng = np.random.default_rng(0)
    for offset in (0, 1000):
        order = rng.permutation(len(database))
        shifted = (database[order] + offset).astype(dtype)
        got = squared_distances((vectors(9, dim, 5) + offset).astype(dtype), shifted)
        copies = got[:, (order < 17) | (order >= 54)]
        assert copies.shape == (9, 40)
        assert (copies == copies[:, :1]).all()


def test_distances_hold_little_at_once_and_take_any_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queries, database = vectors(50, 6), vectors(90, 6, 1)
    whole = squared_distances(queries, database)
    monkeypatch.setattr("gsl_tutorial.evaluation.distances._AT_ONCE", 200)
    np.testing.assert_allclose(squared_distances(queries, database), whole, rtol=1e-6)
    assert (np.diag(squared_distances(database, database)) == 0).all()
    for other in (
        np.asfortranarray(database),
        np.repeat(database, 2, axis=0)[::2],
        database.astype(">f4"),
        torch.from_numpy(database).requires_grad_(),
    ):
        np.testing.assert_allclose(squared_distances(queries, other), whole, rtol=1e-6)  # type: ignore[arg-type]
    assert squared_distances(queries[:0], database).shape == (0, 90)
    pixels = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    np.testing.assert_array_equal(squared_distances(pixels, pixels), [[0, 130050], [130050, 0]])  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_distances_of_what_is_no_number_or_too_large_are_refused(bad: float) -> None:
    X = vectors(5, 3)
    X[2, 1] = bad
    for pair in ((X, vectors(4, 3)), (vectors(4, 3), X)):
        with pytest.raises(InvalidInputError, match="row 2"):
            squared_distances(*pair)
    with pytest.raises(InvalidInputError, match=r"shape \(n, 3\)"):
        squared_distances(vectors(4, 2), vectors(4, 3))


# N2: assignments


@few
@given(
    st.integers(1, 60), st.sampled_from([2, 7, 16, 40]), st.sampled_from([1, 2, 5, 16, 40]),
    offsets, scales, seeds,
)  # fmt: skip
def test_the_nearest_codeword_is_that_of_a_plain_search(
    N: int, K: int, d: int, offset: float, scale: float, seed: int
) -> None:
    points, book = far(N, d, seed, offset, scale), far(K, d, seed + 1, offset, scale)
    book[K // 2 :] *= -1
    points[N // 2 :] *= -1
    squared = exact(points, book)
    found = nearest(points, book)
    mine = np.take_along_axis(squared, found[:, None], axis=1)[:, 0]
    assert (mine <= squared.min(axis=1) * (1 + 1e-3)).all()
    two = np.sort(squared, axis=1)[:, :2]
    clear = two[:, 1] > two[:, 0] * (1 + 1e-3)
    np.testing.assert_array_equal(found[clear], squared.argmin(axis=1)[clear])
    np.testing.assert_array_equal([nearest(p[None], book)[0] for p in points], found)


@pytest.mark.parametrize("d", [3, 40])
def test_equal_codewords_count_as_the_first(d: int) -> None:
    book = np.repeat(vectors(5, d), 7, axis=0) + np.float32(100)
    points = vectors(200, d, 2) + np.float32(100)
    found = nearest(points, book)
    np.testing.assert_array_equal([nearest(p[None], book)[0] for p in points], found)
    if d == 40:  # faiss's small kernel says only which is among the nearest
        assert (found % 7 == 0).all()


def test_blocks_do_not_change_what_is_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    points, book = vectors(300, 40) + 7, vectors(20, 40, 1) + 7
    whole, largest_block = nearest(points, book), []
    addmm = torch.addmm

    def noted(*args: Any, **options: Any) -> torch.Tensor:
        result = addmm(*args, **options)
        largest_block.append(result.numel())
        return result

    monkeypatch.setattr(search, "_AT_ONCE", 200)
    monkeypatch.setattr(torch, "addmm", noted)
    np.testing.assert_array_equal(nearest(points, book), whole)
    assert max(largest_block) <= 200


@each_kind
@pytest.mark.parametrize("offset", [0, 1000])
def test_all_rows_at_once_or_one_by_one(kind: Any, offset: int) -> None:
    X = vectors(400, 128) + np.float32(offset)
    quantizer = kind(2, 16, random_state=0).fit(X)
    np.testing.assert_array_equal(one_by_one(quantizer, X[:60]), quantizer.encode(X)[:60])
    near_origin = kind(2, 16, random_state=0).fit(X - np.float32(offset))
    assert quantizer.relative_distortion(X) == pytest.approx(
        near_origin.relative_distortion(X - np.float32(offset)), rel=0.02
    )


@each_kind
@pytest.mark.parametrize("offset", [1e3, 1e5])
def test_an_offset_changes_no_distortion_and_no_distance(kind: Any, offset: float) -> None:
    X = correlated(400)
    X = (X + np.float32(offset)) - np.float32(offset)  # in steps that the offset leaves
    plain = kind(2, 16, random_state=0).fit(X)
    moved = X + np.float32(offset)
    shifted = kind(2, 16, random_state=0).fit(moved)
    tolerance = 0.02 + offset * 1e-6
    assert shifted.relative_distortion(moved) == pytest.approx(
        plain.relative_distortion(X), rel=tolerance
    )
    refitted = shifted.refit(moved)
    assert refitted.relative_distortion(moved) < plain.relative_distortion(X) * (1 + tolerance)
    codes, queries = shifted.encode(moved), moved[:7]
    decoded = shifted.decode(codes)
    right = exact(queries, decoded)
    got = shifted.distances(queries, codes)
    np.testing.assert_allclose(got, right, rtol=1e-2 + offset * 1e-6, atol=offset * 1e-6)
    np.testing.assert_allclose(
        (queries.astype(np.float64) @ decoded.T.astype(np.float64)),
        -shifted.distances(queries, codes, metric="inner_product"),
        rtol=1e-5,
    )
    first = shifted.join(shifted.candidates(moved, 1)[:, :, 0])
    error, best = (((moved - q.astype(np.float64)) ** 2).sum(1).mean() for q in (first, decoded))
    assert error <= best * (1 + tolerance) + offset * 1e-6


@each_kind
@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12])
def test_a_scale_changes_nothing_at_all(kind: Any, scale: float) -> None:
    X = correlated(300)
    power = np.float32(2.0 ** np.round(np.log2(scale)))
    one, other = (kind(2, 8, random_state=0).fit(rows) for rows in (X, X * power))
    assert (one.encode(X) == other.encode(X * power)).mean() > 0.99
    assert other.relative_distortion(X * power) == pytest.approx(
        one.relative_distortion(X), rel=1e-3
    )


@each_kind
def test_a_constant_column_with_an_offset_costs_nothing(kind: Any) -> None:
    X = correlated(400)
    held = np.hstack([X, np.zeros((400, 8), dtype=np.float32)])
    column = held.copy()
    column[:, 11] = -3.2e7
    plain, other = (kind(2, 16, random_state=0).fit(rows) for rows in (held, column))
    assert other.relative_distortion(column) < plain.relative_distortion(held) * 1.3 + 1e-6
    np.testing.assert_array_equal(one_by_one(other, column[:40]), other.encode(column)[:40])


def test_kmeans_sees_structure_inside_groups_that_lie_far_apart() -> None:
    centres = np.array([[-1e6], [1e6]], dtype=np.float32)
    steps = np.array([[0.0], [4], [8], [12]], dtype=np.float32)
    places = (centres + steps.T).reshape(-1, 1)
    X = np.repeat(places, 50, axis=0) + np.tile([[0.25], [-0.25]], (200, 1)).astype(np.float32)
    # From a good start each place keeps its own.
    found = kmeans(X, 8, seed=0, start=places)
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(places, axis=0))
    pq = ProductQuantizer(1, 8).with_codebooks(places[None]).refit(X)
    assert pq.distortion_ == pytest.approx(0.25**2)
    np.testing.assert_array_equal(one_by_one(pq, X[::20]), pq.encode(X)[::20])


@few
@given(offsets, seeds)
def test_plain_kmeans_cells_and_one_search_bear_an_offset(offset: float, seed: int) -> None:
    points, book = far(40, 2, seed, offset, 1), far(5, 2, seed + 1, offset, 1)
    np.testing.assert_array_equal(
        kmeans_steps.assign(points, book), exact(points, book).argmin(axis=1)
    )
    labels = np.arange(40) % 3
    labels[:1] = 7
    merged = merge_small_cells(labels, points)
    means = np.stack([points[labels == cell].astype(float).mean(axis=0) for cell in range(3)])
    assert merged[0] == exact(points[:1], means).argmin()


def test_pixels_do_not_wrap_around() -> None:
    pixels = np.array([[250, 250], [3, 3]], dtype=np.uint8)
    np.testing.assert_array_equal(kmeans_steps.assign(pixels, pixels[::-1]), [1, 0])  # type: ignore[arg-type]
    assert kmeans_steps.distortion(pixels, pixels[::-1], np.array([0, 1])) == 2 * 247**2  # type: ignore[arg-type]


def test_twins_and_cells_of_tiny_texts() -> None:
    text = np.repeat(vectors(6, 4), 2, axis=0)
    assert {tuple(sorted(p)) for p in zip(*find_twins(text * np.float32(1e-30)), strict=True)} >= {
        (0, 1), (2, 3), (4, 5)
    }  # fmt: skip
    far_text = text + np.float32(1e4)
    cells = text_cells(far_text, 6, random_state=0)
    assert all(cells[i] == cells[i + 1] for i in range(0, 12, 2))


def test_one_search_in_exact_numbers_adds_up_behind_a_rotation() -> None:
    X = correlated(200) + np.float32(1e5)
    opq = OptimizedProductQuantizer(2, 8, random_state=0).fit(X)
    found = look_up(opq, X[3], X, opq.encode(X), how="exact", k=5)
    assert found.items[0] == 3
    np.testing.assert_allclose(found.distances, exact(X[3:4], X)[0, found.items], rtol=1e-3)


# N3: too large


@each_kind
@pytest.mark.parametrize(
    "spoil", [lambda X: X * np.float32(1e20), lambda X: np.vstack([X, X[:1] * 0 + 3e25])]
)
def test_what_is_too_large_is_refused_before_anything_runs(kind: Any, spoil: Any) -> None:
    X = vectors(64, 4)
    huge = spoil(X).astype(np.float32)
    fitted = kind(2, 4, random_state=0).fit(X)
    limit = f"{largest(4):.2g}"
    for call in (
        lambda: kind(2, 4, random_state=0).fit(huge),
        lambda: fitted.refit(huge),
        lambda: fitted.encode(huge),
        lambda: fitted.lookup_tables(huge),
        lambda: fitted.candidates(torch.from_numpy(huge), 1),
        lambda: kmeans(huge, 4, seed=0),
        lambda: squared_distances(X, huge),
        lambda: fitted.with_codebooks(np.full_like(fitted.codebooks_, 1e25)),
    ):
        with pytest.raises(InvalidInputError, match=r"of size \S+ at most") as caught:
            call()
        assert limit in str(caught.value) or "sums" in str(caught.value) or kind in CUT
    assert fitted.encode(X).shape == (64, 2)  # and nothing was lost


@each_kind
@pytest.mark.parametrize("share", [0.9, 1e-3])
def test_what_is_just_small_enough_is_right(kind: Any, share: float) -> None:
    X = correlated(200, 4)
    X = X / np.abs(X).max()
    X, plain = (X * np.float32(largest(4) * share)), kind(2, 4, random_state=0).fit(X)
    quantizer = kind(2, 4, random_state=0).fit(X)
    relative = quantizer.relative_distortion(X)
    assert 0 < relative < 1.0
    assert relative == pytest.approx(plain.relative_distortion(X / np.abs(X).max()), rel=0.2)
    assert np.isfinite(quantizer.distances(X, quantizer.encode(X))).all()


def test_a_code_names_a_codeword_that_exists() -> None:
    pq = ProductQuantizer(1, 2).with_codebooks([[[0.0, 1.0], [2.0, 3.0]]])
    with pytest.raises(InvalidInputError, match="at most"):
        pq.encode(np.array([[1e20, 0.0]]))
    assert pq.encode(np.array([[1e18, 0.0]]))[0, 0] in (0, 1)  # as far, in double precision, too
    assert pq.encode(np.array([[1e9, 0.0]]))[0, 0] == 1


# N4: no spread


@each_kind
@pytest.mark.parametrize("value", [0.0, 0.1, 1000001.0, -3.2e7])
def test_constant_vectors_come_back_as_they_are(kind: Any, value: float) -> None:
    X = np.full((60, 8), value, dtype=np.float32)
    quantizer = kind(2, 8, random_state=0).fit(X)
    assert quantizer.relative_distortion(X) == 0.0
    assert quantizer.distortion_ == 0.0
    np.testing.assert_array_equal(quantizer.decode(quantizer.encode(X)), X)


def test_what_a_constant_vector_should_have_been_is_not_called_perfect() -> None:
    pq = ProductQuantizer(1, 2).with_codebooks([[[0.0, 1.0], [2.0, 3.0]]])
    assert pq.relative_distortion(np.full((5, 2), 9.0)) == np.inf


# N5: rotations


@few
@given(scales, st.integers(2, 4), seeds)
def test_the_start_is_balanced_at_every_scale(scale: float, M: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    variances = np.sort(rng.uniform(0.2, 1, 4 * M))[::-1]
    X = (rng.normal(size=(500, 4 * M)) * np.sqrt(variances)).astype(np.float32)
    shares = []
    for rows in (X, X * np.float32(scale)):
        parts = (rows @ balanced_rotation(rows, M).T).reshape(len(X), M, -1).astype(np.float64)
        spread = ((parts - parts.mean(axis=0)) ** 2).sum(axis=(0, 2))
        shares.append(np.sort(spread / spread.sum()))
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-3)
    assert shares[0].max() - shares[0].min() < 0.3 / M


def test_turns_run_from_each_start_and_the_best_end_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    X, starts = correlated(300), []
    turned = OptimizedProductQuantizer._turned

    def noted(self: Any, rows: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
        starts.append(start)
        return turned(self, rows, start, seed)

    monkeypatch.setattr(OptimizedProductQuantizer, "_turned", noted)
    opq = OptimizedProductQuantizer(2, 16, random_state=0).fit(X)
    assert len(starts) == 2
    np.testing.assert_array_equal(starts[0], np.eye(8))
    ends = []
    for start in starts:
        monkeypatch.setattr(
            OptimizedProductQuantizer, "_turned", lambda *a, one=start: turned(opq, a[1], one, a[3])
        )
        ends.append(OptimizedProductQuantizer(2, 16, random_state=0).fit(X).distortion_)
    assert opq.distortion_ == pytest.approx(min(ends))


# N6: memory


@pytest.mark.parametrize("kind", ADDITIVE, ids=lambda kind: kind.short_name)
@pytest.mark.parametrize(
    ("M", "K", "beam", "dim"), [(8, 4, 8, 256), (4, 16, 256, 4), (2, 16, 1, 9)]
)
def test_a_search_holds_as_much_as_it_says(
    kind: Any, M: int, K: int, beam: int, dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(additive_base, "_NUMBERS_AT_ONCE", 2**15)
    quantizer = kind(M, K, beam=beam).with_codebooks(vectors(M * K, dim).reshape(M, K, dim))
    blocks = []
    beam_search = additive_base.beam_search

    def noted(z: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        blocks.append(len(z))
        return beam_search(z, *args, **options)

    monkeypatch.setattr(additive_base, "beam_search", noted)
    X = vectors(40, dim, 1)
    quantizer.encode(X)
    assert sum(blocks) >= 40
    width = min(beam, K**M)
    at_once = max(blocks) * width * max(K, dim, width * M // 4 if quantizer.sweeps else 0)
    assert at_once <= 2**15 or max(blocks) == 1


@each_kind
def test_measuring_goes_block_by_block(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X = correlated(100)
    quantizer = kind(2, 8, random_state=0).fit(X)
    whole, rows = quantizer.distortion(X), []
    decode = type(quantizer).decode

    def noted(self: Any, codes: np.ndarray) -> np.ndarray:
        rows.append(len(codes))
        return decode(self, codes)

    monkeypatch.setattr(type(quantizer), "decode", noted)
    monkeypatch.setattr(base, "_AT_ONCE", 8 * 9)
    assert quantizer.distortion(X) == pytest.approx(whole, rel=1e-12)
    assert rows == [9] * 11 + [1]


# L6: what a training hands in


@each_kind
def test_tensors_of_any_kind_are_taken_or_refused_in_words(kind: Any) -> None:
    X = correlated(60)
    z = torch.from_numpy(X).requires_grad_()
    quantizer = kind(2, 8, random_state=0).fit(z)
    codes = quantizer.encode(X)
    np.testing.assert_array_equal(quantizer.encode(z), codes)
    np.testing.assert_array_equal(quantizer.encode(z.double()), codes)
    half = z.detach().bfloat16()
    np.testing.assert_array_equal(quantizer.encode(half), quantizer.encode(half.float().numpy()))
    np.testing.assert_array_equal(
        quantizer.decode(torch.from_numpy(codes)), quantizer.decode(codes)
    )
    assert quantizer.distances(z, torch.from_numpy(codes)).shape == (60, 60)
    large = (half * 300).half()  # whose squares leave 16 bits
    assert torch.isfinite(quantizer.candidates(large, 2)).all()
    for bad in (
        z.to("meta"),
        z.detach().to_sparse(),
        z.detach() * torch.nan,
        z.detach() * torch.inf,
    ):
        for call in (quantizer.encode, lambda v: quantizer.candidates(v, 1), quantizer.fit):
            with pytest.raises(InvalidInputError):
                call(bad)


def test_other_layouts_give_the_same_codes(tmp_path: Any) -> None:
    X = correlated(80)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    layouts = [
        np.asfortranarray(X),
        np.repeat(X, 2, axis=1)[:, ::2],
        X[::-1][::-1],
        mapped,
        X.astype(">f8"),
    ]
    for kind in (ProductQuantizer, OptimizedProductQuantizer, ResidualQuantizer, AdditiveQuantizer):
        quantizer = kind(2, 8, random_state=0).fit(X)
        for same in layouts:
            np.testing.assert_array_equal(quantizer.encode(same), quantizer.encode(X))
            np.testing.assert_array_equal(
                kind(2, 8, random_state=0).fit(same).codebooks_, quantizer.codebooks_
            )
