"""The quantizers among scikit-learn's estimators: its own checks, data frames, pipelines, equality."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from test_quantizers_contract import ADDITIVE, CUT, correlated, each_kind

from gsl_tutorial import AdditiveQuantizer, ProductQuantizer, load_quantizer
from gsl_tutorial.errors import InvalidInputError

pytest.importorskip("sklearn", minversion="1.6")  # which first takes a list of exceptions

_WORDS = "refused, as asked, but in the words of this package: expected, got, what to do"

#: Checks of scikit-learn that we fail on purpose, and why.
EXCEPTIONS = {
    "check_complex_data": _WORDS,
    "check_estimators_empty_data_messages": _WORDS,
    "check_fit2d_1sample": _WORDS,
    "check_fit2d_predict1d": _WORDS,
    "check_n_features_in_after_fitting": _WORDS,
    "check_dtype_object": "an array of objects is refused even where all of them are numbers",
}


@parametrize_with_checks(
    [kind(1, 2, random_state=0) for kind in CUT + ADDITIVE],
    expected_failed_checks=lambda _: EXCEPTIONS,
)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


class Frame:
    """As much of a data frame as matters: named columns, and an array where one is asked for."""

    def __init__(self, values: np.ndarray, columns: list[Any]) -> None:
        self.values, self.columns, self.shape = values, columns, values.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.values if dtype is None else self.values.astype(dtype)

    def __getitem__(self, names: list[str]) -> Frame:
        return Frame(self.values[:, [self.columns.index(name) for name in names]], names)


NAMES = list("abcdefgh")


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    return correlated(200)


@each_kind
def test_the_columns_of_a_data_frame_keep_their_order(kind: Any, X: np.ndarray) -> None:
    frame = Frame(X, NAMES)
    quantizer = kind(2, 8, random_state=0).fit(frame)
    assert quantizer.n_features_in_ == 8
    assert list(quantizer.feature_names_in_) == NAMES
    codes = quantizer.encode(frame)
    np.testing.assert_array_equal(quantizer.encode(X), codes)  # an array has no names to compare
    other = frame[NAMES[::-1]]
    for call in (
        quantizer.encode,
        quantizer.transform,
        quantizer.refit,
        quantizer.lookup_tables,
        quantizer.distortion,
        lambda f: quantizer.candidates(f, 1),
        lambda f: quantizer.distances(f, codes),
    ):
        with pytest.raises(InvalidInputError, match="a, b, c, d, e, f, g, h, in this order"):
            call(other)
    np.testing.assert_array_equal(quantizer.encode(other[list(quantizer.feature_names_in_)]), codes)
    quantizer.fit(Frame(X, list(range(8))))  # numbers are no names
    assert not hasattr(quantizer, "feature_names_in_")
    quantizer.encode(other)
    quantizer.fit(frame).fit(X)
    assert not hasattr(quantizer, "feature_names_in_")
    assert not hasattr(clone(quantizer), "n_features_in_")


@each_kind
def test_sparse_matrices_and_masks_are_refused_by_name(kind: Any, X: np.ndarray) -> None:
    quantizer = kind(2, 8, random_state=0).fit(X)
    for bad, words in (
        (sparse.csr_matrix(X), r"dense embeddings; got a sparse csr_matrix.*toarray"),
        (sparse.coo_array(X), "a sparse coo_array"),
        (torch.from_numpy(X).to_sparse(), "a sparse Tensor.*to_dense"),
        (np.ma.masked_greater(X, 1), "without a mask"),
    ):
        for call in (quantizer.fit, quantizer.encode, quantizer.transform):
            with pytest.raises(InvalidInputError, match=words):
                call(bad)
    whole = np.ma.masked_array(X)
    np.testing.assert_array_equal(quantizer.encode(whole), quantizer.encode(X))


@each_kind
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_pixels_may_be_whole_numbers(kind: Any, dtype: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 120, (100, 8)).astype(dtype)
    one, other = (kind(2, 8, random_state=0).fit(v) for v in (pixels, pixels.astype(np.float32)))
    assert one == other
    np.testing.assert_array_equal(one.encode(pixels), other.encode(pixels.astype(float)))
    np.testing.assert_array_equal(one.candidates(pixels, 2), other.candidates(pixels * 1.0, 2))
    for no_number in (pixels > 3, pixels.astype(str), pixels * 1j, pixels.astype(object)):
        with pytest.raises(InvalidInputError, match="floating-point embeddings, or whole numbers"):
            one.encode(no_number)


@each_kind
def test_equal_by_value(kind: Any, X: np.ndarray, tmp_path: Path) -> None:
    one, other = (kind(2, 8, random_state=0) for _ in range(2))
    assert one == other
    assert one.fit(X) != other
    assert one == other.fit(X)
    one.save(tmp_path / "q")
    assert load_quantizer(tmp_path / "q") == one
    assert one != kind(2, 8, random_state=1).fit(X)
    assert one != clone(one).with_arrays(
        {**one.arrays(), "codebooks": one.codebooks_ + np.float32(1)}
    )
    assert kind(2, 8) != kind(2, 9)
    drawn = [kind(2, 8, random_state=np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert one != "a string"
    others = [k(2, 8, random_state=0) for k in CUT + ADDITIVE if k is not kind]
    assert all(kind(2, 8, random_state=0) != other for other in others)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_other_parameters_are_another_quantizer() -> None:
    assert AdditiveQuantizer(2, 4, beam=3) != AdditiveQuantizer(2, 4)


@each_kind
def test_a_pipeline_ends_with_codes_and_goes_back(kind: Any, X: np.ndarray) -> None:
    pipeline = make_pipeline(StandardScaler(), kind(2, 8, random_state=0))
    codes = pipeline.fit_transform(X)
    np.testing.assert_array_equal(pipeline.transform(X), codes)
    quantizer, scaled = pipeline[-1], pipeline[0].transform(X)
    np.testing.assert_array_equal(quantizer.encode(scaled), codes)
    back = pipeline.inverse_transform(codes)
    np.testing.assert_allclose(
        back, pipeline[0].inverse_transform(quantizer.decode(codes)), rtol=1e-6
    )
    name = kind.__name__.lower()
    assert list(quantizer.get_feature_names_out()) == [f"{name}0", f"{name}1"]


@each_kind
def test_inner_products_are_those_with_the_reconstructions(kind: Any, X: np.ndarray) -> None:
    quantizer = kind(2, 8, random_state=0).fit(X)
    codes, queries = quantizer.encode(X), correlated(5, seed=9)
    right = -queries.astype(float) @ quantizer.decode(codes).T.astype(float)
    got = quantizer.distances(queries, codes, metric="inner_product")
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, right, rtol=1e-4, atol=1e-4)
    tables = quantizer.lookup_tables(queries, metric="inner_product")
    assert tables.shape == (5, 2, 8)
    summed = sum(tables[:, m][:, codes[:, m]] for m in range(2))
    np.testing.assert_allclose(summed, right, rtol=1e-4, atol=1e-4)
    both = quantizer.symmetric_distances(codes[:5], codes, metric="inner_product")
    decoded = quantizer.decode(codes).astype(float)
    np.testing.assert_allclose(both, -decoded[:5] @ decoded.T, rtol=1e-4, atol=1e-4)
    for call in (
        lambda: quantizer.lookup_tables(queries, metric="cosine"),
        lambda: quantizer.distances(queries, codes, metric="cosine"),
        lambda: quantizer.symmetric_distances(codes, codes, metric="cosine"),
    ):
        with pytest.raises(InvalidInputError, match="a metric out of inner_product, l2"):
            call()


def test_no_metric_named_is_l2(X: np.ndarray) -> None:
    pq = ProductQuantizer(2, 8, random_state=0).fit(X)
    np.testing.assert_array_equal(pq.lookup_tables(X), pq.lookup_tables(X, metric="l2"))
