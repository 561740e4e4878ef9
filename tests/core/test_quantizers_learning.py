"""What every quantizer promises of learning, of files, and of bad input."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from test_quantizers_contract import ADDITIVE, CUT, correlated, each_kind, vectors

from gsl_tutorial import load_quantizer
from gsl_tutorial.errors import (
    ChecksumError,
    DataMissingError,
    InvalidInputError,
    NotFittedError,
    UnknownNameError,
)
from gsl_tutorial.storage import digest, save_arrays


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    return correlated(400)


@pytest.fixture(scope="module", params=CUT + ADDITIVE, ids=lambda kind: kind.short_name)
def fitted(request: pytest.FixtureRequest, X: np.ndarray) -> Any:
    return request.param(2, 16, random_state=0).fit(X)


# Learning


def test_fit_has_the_manners_of_scikit_learn(fitted: Any, X: np.ndarray) -> None:
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    frozen = X.copy()
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again.fit(frozen, y=np.zeros(len(X))) is again
        assert again.refit(frozen) is again
        again.candidates(frozen, 2)
    np.testing.assert_array_equal(clone(fitted).fit(X).codebooks_, fitted.codebooks_)
    other = clone(fitted).set_params(random_state=1).fit(X)
    assert (other.codebooks_ != fitted.codebooks_).any()


def test_training_measures_itself(fitted: Any, X: np.ndarray) -> None:
    codes = fitted.encode(X)
    for m in range(2):
        np.testing.assert_array_equal(fitted.usage_[m], np.bincount(codes[:, m], minlength=16))
    assert fitted.reseeded_.shape == (2,)
    assert fitted.distortion_ == pytest.approx(fitted.distortion(X), rel=1e-6)
    text = f"{fitted.short_name}(2 x 16 codewords, 8 bits, distortion {fitted.distortion_:.3g})"
    assert repr(fitted) == text


def test_refit_follows_moved_data_and_keeps_the_codes(fitted: Any, X: np.ndarray) -> None:
    quantizer = clone(fitted).fit(X)
    moved = X * np.float32(1.02) + vectors(len(X), 8, 5) * np.float32(0.02) + np.float32(0.05)
    codes, before = quantizer.encode(X), quantizer.distortion(moved)
    rotation = getattr(quantizer, "rotation_", np.eye(1)).copy()
    quantizer.refit(moved)
    assert (quantizer.encode(moved) == codes).mean() > 0.8
    assert quantizer.distortion_ <= before * 1.01
    assert quantizer.usage_.min() > 0
    np.testing.assert_array_equal(getattr(quantizer, "rotation_", np.eye(1)), rotation)
    # Another seed numbers the codewords anew: refit is not that.
    cold = clone(fitted).set_params(random_state=1).fit(X)
    assert (cold.encode(X) == codes).mean() < 0.5


def test_refit_gives_a_dead_codeword_a_new_place(fitted: Any, X: np.ndarray) -> None:
    quantizer = clone(fitted).fit(X)
    arrays = {name: array.copy() for name, array in quantizer.arrays().items()}
    arrays["codebooks"][1, 5] = 1e4
    quantizer.with_arrays(arrays)
    assert (quantizer.encode(X)[:, 1] != 5).all()
    quantizer.refit(X)
    assert np.abs(quantizer.codebooks_).max() < 100
    assert quantizer.usage_.min() > 0
    assert quantizer.reseeded_[1] >= 1


def test_more_freedom_distorts_less() -> None:
    X = correlated(1500, 16)
    pq, opq, rq, aq = (
        kind(4, 16, random_state=0).fit(X).relative_distortion(X) for kind in CUT + ADDITIVE
    )
    assert 0 < aq < rq < opq < pq < 1


def test_perplexity_counts_the_codewords_in_use(fitted: Any, X: np.ndarray) -> None:
    every = np.repeat(np.arange(16), 2).reshape(16, 2)
    np.testing.assert_allclose(fitted.perplexity(every), [16, 16])
    np.testing.assert_allclose(fitted.perplexity(every % [4, 1]), [4, 1])
    np.testing.assert_allclose(fitted.perplexity(X), fitted.perplexity(fitted.encode(X)))
    skewed = np.array([[0, 0]] * 3 + [[1, 0]])
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    np.testing.assert_allclose(fitted.perplexity(skewed), [expected, 1])


# Files


def test_saved_and_loaded_it_is_the_same(fitted: Any, X: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "quantizer.safetensors"
    fitted.save(path)
    again = load_quantizer(str(path), sha256=digest(path))
    assert type(again) is type(fitted)
    assert again.get_params() == fitted.get_params()
    for name, array in fitted.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    np.testing.assert_array_equal(again.encode(X), fitted.encode(X))
    assert repr(again).endswith("given codebooks)")
    drawn = clone(fitted).set_params(random_state=np.random.default_rng(0)).fit(X)
    drawn.save(path)
    assert load_quantizer(path).get_params()["random_state"] is None


def test_a_wrong_file_is_named(fitted: Any, tmp_path: Path) -> None:
    path = tmp_path / "q"
    fitted.save(path)
    with pytest.raises(ChecksumError):
        load_quantizer(path, sha256="0" * 64)
    with pytest.raises(DataMissingError):
        load_quantizer(tmp_path / "absent")
    whole, header = path.read_bytes(), {"quantizer": type(fitted).__name__}
    path.write_bytes(whole[:-10])
    with pytest.raises(InvalidInputError, match="a whole safetensors file"):
        load_quantizer(path)
    save_arrays(path, fitted.arrays(), {})
    with pytest.raises(InvalidInputError, match="holds a quantizer"):
        load_quantizer(path)
    save_arrays(path, fitted.arrays(), {"quantizer": "Other", "parameters": {}})
    with pytest.raises(UnknownNameError, match="ProductQuantizer"):
        load_quantizer(path)
    save_arrays(path, fitted.arrays(), {**header, "parameters": {"colour": 1}})
    with pytest.raises(InvalidInputError, match="parameters of"):
        load_quantizer(path)
    sizes = {"n_subspaces": 2, "n_codewords": 32}
    save_arrays(path, fitted.arrays(), {**header, "parameters": sizes})
    with pytest.raises(InvalidInputError, match=r"codebooks of shape \(2, 32, d\)"):
        load_quantizer(path)
    with pytest.raises(InvalidInputError, match="expected the arrays codebooks"):
        clone(fitted).with_arrays({})


# Bad input


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda q, X: q.fit(X[:15]), ["at least n_codewords=16", "got 15"]),
        (lambda q, X: q.fit(X[:, :0]), ["length"]),
        (lambda q, X: q.refit(X[:, :4]), ["shape (n, 8)", "(400, 4)"]),
        (lambda q, X: q.encode(X * np.nan), ["finite", "first is row 0"]),
        (lambda q, X: q.decode(np.full((2, 2), 16)), ["codes from 0 to 15", "16 to 16"]),
        (lambda q, X: q.distances(X, np.zeros((2, 3), int)), ["shape (n, 2)", "(2, 3)"]),
        (lambda q, X: q.perplexity(np.zeros((0, 2), int)), ["at least one code"]),
        (lambda q, X: q.candidates(X, 0), ["n a whole number, from 1 to"]),
        (lambda q, X: q.candidates(X, q.most_candidates + 1), ["n a whole number, from 1 to"]),
        (lambda q, X: q.candidates(torch.zeros(3, 6), 2), ["shape (N, 8)", "(3, 6)"]),
        (lambda q, X: q.candidates(torch.zeros(3, 8).int(), 2), ["floating-point", "int32"]),
        (lambda q, X: q.split(X[:, :6]), ["embeddings of shape (N, 8)", "(400, 6)"]),
        (lambda q, X: q.split(X[0]), ["embeddings of shape (N, 8)", "(8,)"]),
        (lambda q, X: q.join(np.zeros((3, 5, 2))), ["pieces of shape (N, ", "(3, 5, 2)"]),
        (lambda q, X: q.with_codebooks(np.zeros((2, 5, 8))), ["codebooks of shape (2, 16, d)"]),
        (lambda q, X: q.set_params(n_codewords=1).fit(X), ["from 2 to 65536", "got 1"]),
        (lambda q, X: q.set_params(n_subspaces=0).fit(X), ["n_subspaces", "1 or more"]),
    ],
)
def test_bad_input_is_named(fitted: Any, X: np.ndarray, call: Any, words: list[str]) -> None:
    quantizer = clone(fitted).with_arrays(fitted.arrays())
    with pytest.raises(InvalidInputError) as caught:
        call(quantizer, X)
    for word in ["expected ", "; got ", "What to do: ", *words]:
        assert word in str(caught.value)


USES = [
    lambda q, X: q.encode(X),
    lambda q, X: q.decode(np.zeros((2, 2), dtype=np.uint8)),
    lambda q, X: q.lookup_tables(X),
    lambda q, X: q.distances(X, np.zeros((2, 2), dtype=np.uint8)),
    lambda q, X: q.candidates(X, 1),
    lambda q, X: q.candidates(torch.from_numpy(X), 1),
    lambda q, X: q.refit(X),
    lambda q, X: q.distortion(X),
    lambda q, X: q.split(X),
    lambda q, X: q.join(X[:, None]),
    lambda q, X: q.perplexity(X),
    lambda q, X: q.arrays(),
    lambda q, X: q.save("nowhere"),
]


@pytest.mark.parametrize("use", USES)
def test_unfitted_and_resized_use_is_refused(fitted: Any, X: np.ndarray, use: Any) -> None:
    with pytest.raises(NotFittedError, match=r"call fit\(X\) first"):
        use(clone(fitted), X)
    resized = clone(fitted).with_arrays(fitted.arrays()).set_params(n_codewords=32)
    with pytest.raises(NotFittedError, match=r"n_codewords=16, as when .* got 2 and 32"):
        use(resized, X)


def test_a_resized_quantizer_can_be_fitted_again(fitted: Any, X: np.ndarray) -> None:
    resized = clone(fitted).fit(X).set_params(n_subspaces=4, n_codewords=32).fit(X)
    assert resized.usage_.shape == (4, 32)
    assert resized.encode(X).shape == (400, 4)


@each_kind
@pytest.mark.parametrize("sizes", [(0, 0), (2, None), (-1, 16), ("a", "b")])
def test_sizes_that_cannot_be_can_still_be_looked_at(kind: Any, sizes: tuple[Any, Any]) -> None:
    assert "? bits, not fitted" in repr(kind(*sizes))
