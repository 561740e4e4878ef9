"""The codebooks travel with the layer: checkpoints, casts, copies, averages; and what can be set later."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from cases import KINDS, batch, random_quantizer
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from gsl_tutorial import (
    AdditiveQuantizer,
    GradientSnapping,
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)
from gsl_tutorial.errors import InvalidInputError, NotFittedError, UnknownNameError
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.storage import load_arrays, save_arrays

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)


def model(quantizer: Any, **how: Any) -> Any:
    return nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), GradientSnapping(quantizer, **how))


def through_a_file(state: Any) -> Any:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def same(quantizer: Any, other: Any) -> bool:
    mine, theirs = quantizer.arrays(), other.arrays()
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[k], theirs[k]) for k in mine)


# Checkpoints


@each_kind
@pytest.mark.parametrize("fitted", [True, False])
def test_a_checkpoint_brings_the_codebooks_back(kind: Any, fitted: bool) -> None:
    saved = model(random_quantizer(kind, 3, 8, 2, seed=1))
    state = through_a_file(saved.state_dict())
    quantizer = random_quantizer(kind, 3, 8, 2, seed=2) if fitted else kind(3, 8)
    resumed = model(quantizer)
    assert resumed.load_state_dict(state).missing_keys == []
    assert same(quantizer, saved[2].quantizer)
    z = batch(9)
    codes = quantizer.encode(z.numpy())
    assert np.array_equal(codes, saved[2].quantizer.encode(z.numpy()))
    g = batch(9, seed=4)
    assert torch.equal(resumed[2].backward_rule(g, z), saved[2].backward_rule(g, z))


def test_a_checkpoint_is_of_the_moment_it_was_made_and_fits_a_safetensors_file(
    tmp_path: Any,
) -> None:
    quantizer = random_quantizer(OptimizedProductQuantizer, 3, 8, 2)
    net = model(quantizer)
    state, before = net.state_dict(), copy.deepcopy(quantizer)
    assert {"2.opq_codebooks", "2.opq_rotation"} <= set(state)
    save_arrays(tmp_path / "net", {k: np.asarray(t) for k, t in state.items()}, {})
    quantizer.with_codebooks(quantizer.codebooks_ + 1)
    assert np.array_equal(state["2.opq_codebooks"], before.codebooks_)
    assert np.array_equal(net.state_dict()["2.opq_codebooks"], quantizer.codebooks_)
    quantizer.codebooks_[0, 0, 0] = 5.0  # written into, without a word
    assert float(net.state_dict()["2.opq_codebooks"][0, 0, 0]) == 5.0
    arrays, _ = load_arrays(tmp_path / "net")
    net.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    assert same(quantizer, before)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: random_quantizer(OptimizedProductQuantizer, 3, 8, 2), "of the kind OPQ"),
        (lambda: random_quantizer(ResidualQuantizer, 3, 8, 2), "of the kind RQ"),
        (lambda: random_quantizer(AdditiveQuantizer, 3, 8, 2), "of the kind LSQ"),
        (lambda: random_quantizer(ProductQuantizer, 3, 4, 2), r"\(3, 4, 2\) in the checkpoint"),
        (lambda: random_quantizer(ProductQuantizer, 2, 8, 3), r"\(2, 8, 3\) in the checkpoint"),
        (lambda: ProductQuantizer(3, 8), "before the first fit"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_the_checkpoint_of_another_quantizer_is_refused(
    other: Any, words: str, strict: bool
) -> None:
    quantizer = random_quantizer(ProductQuantizer, 3, 8, 2, seed=1)
    before, layer = copy.deepcopy(quantizer), GradientSnapping(quantizer)
    state = GradientSnapping(other()).state_dict()
    with pytest.raises(InvalidInputError, match=words):
        layer.load_state_dict(state, strict=strict)
    assert same(quantizer, before)
    assert same(layer.quantizer, before)
    with pytest.raises(InvalidInputError, match="codebooks of shape"):
        GradientSnapping(ProductQuantizer(3, 4)).load_state_dict(
            GradientSnapping(quantizer).state_dict()
        )


def test_a_checkpoint_without_codebooks_says_so() -> None:
    layer = GradientSnapping(random_quantizer(ProductQuantizer, 3, 8, 2))
    with pytest.raises(RuntimeError, match="pq_codebooks"):
        layer.load_state_dict({})
    assert layer.load_state_dict({}, strict=False).missing_keys == ["pq_codebooks"]


def test_nothing_to_learn_in_it() -> None:
    layer = GradientSnapping(random_quantizer(ProductQuantizer, 3, 8, 2))
    assert list(layer.parameters()) == []
    assert [name for name, _ in layer.named_buffers()] == ["pq_codebooks"]


# Casts and devices


@each_kind
def test_codebooks_move_but_stay_in_single_precision(kind: Any) -> None:
    quantizer = random_quantizer(kind, 3, 8, 2)
    before, net = copy.deepcopy(quantizer), model(quantizer)
    for cast in (nn.Module.half, nn.Module.double, nn.Module.bfloat16, nn.Module.float):
        cast(net)
        assert {b.dtype for b in net[2].buffers()} == {torch.float32}
        assert same(quantizer, before)
    assert {b.device.type for b in net.to("meta")[2].buffers()} == {"meta"}
    empty = net.to_empty(device="cpu")
    for name, array in before.arrays().items():
        assert np.array_equal(getattr(empty[2], f"{kind.short_name.lower()}_{name}"), array)


# Copies and averages


@each_kind
def test_a_copy_has_codebooks_of_its_own(kind: Any) -> None:
    quantizer = random_quantizer(kind, 3, 8, 2)
    net = model(quantizer)
    net(batch(7, 5)).sum().backward()  # a copy during training takes no graph along
    before, z, g = copy.deepcopy(quantizer), batch(9), batch(9, seed=4)
    for twin in (copy.deepcopy(net), copy.copy(net[2]), pickle.loads(pickle.dumps(net))):
        layer = twin if isinstance(twin, GradientSnapping) else twin[2]
        assert torch.equal(layer.backward_rule(g, z), net[2].backward_rule(g, z))
        if twin is not layer:
            assert layer.quantizer is not quantizer
            layer.quantizer.refit(batch(50, seed=8).numpy())
    assert same(quantizer, before)


@each_kind
def test_an_average_of_weights_follows_a_refit(kind: Any) -> None:
    quantizer = random_quantizer(kind, 3, 8, 2)
    net = model(quantizer)
    for use_buffers in (False, True):
        average = AveragedModel(net, avg_fn=get_ema_avg_fn(0.0), use_buffers=use_buffers)
        average.update_parameters(net)
        quantizer.refit(batch(50, seed=8 + use_buffers).numpy())
        net(batch(7, 5)).sum().backward()
        average.update_parameters(net)
        assert same(average.module[2].quantizer, quantizer)
        assert average.module[2].quantizer is not quantizer
    half = AveragedModel(net, avg_fn=get_ema_avg_fn(0.5), use_buffers=True)
    half.update_parameters(net)
    before = quantizer.codebooks_
    quantizer.refit(batch(50, seed=20).numpy())
    net(batch(7, 5)).sum().backward()
    half.update_parameters(net)
    found = half.module[2].quantizer.codebooks_
    np.testing.assert_allclose(found, (before + quantizer.codebooks_) / 2, atol=1e-5)


def test_a_broadcast_into_the_buffers_reaches_the_quantizer() -> None:
    quantizer = random_quantizer(ProductQuantizer, 3, 8, 2)
    layer = GradientSnapping(quantizer)
    buffer = layer.pq_codebooks
    with torch.no_grad():
        buffer.copy_(buffer + 1)
    layer(batch(2).requires_grad_()).sum().backward()
    assert np.array_equal(quantizer.codebooks_, buffer)
    quantizer.with_codebooks(quantizer.codebooks_ * 2)
    layer(batch(2).requires_grad_()).sum().backward()
    assert layer.pq_codebooks is buffer  # who holds the tensor sees the refit
    quantizer.refit(batch(50, seed=8).numpy())
    layer(batch(2).requires_grad_()).sum().backward()
    with torch.no_grad():
        buffer.copy_(buffer.clone())  # what is there already, as before every step of DDP
    layer(batch(2).requires_grad_()).sum().backward()
    assert quantizer.distortion_ > 0  # still known: nothing was adopted
    assert np.array_equal(quantizer.codebooks_, buffer)


def test_a_quantizer_that_is_fitted_later() -> None:
    quantizer = ProductQuantizer(3, 8, random_state=0)
    layer = GradientSnapping(quantizer)
    with pytest.raises(NotFittedError, match="call fit"):
        layer(batch(4).requires_grad_())
    early = layer.state_dict()
    GradientSnapping(ProductQuantizer(3, 8)).load_state_dict(early)
    quantizer.fit(batch(99).numpy())
    layer(batch(4).requires_grad_()).sum().backward()
    assert np.array_equal(layer.state_dict()["pq_codebooks"], quantizer.codebooks_)


# Settings


def test_what_is_set_later_counts() -> None:
    quantizer = random_quantizer(ProductQuantizer, 3, 8, 2)
    z, g = batch(9), batch(9, seed=4)
    changes: dict[str, Any] = {
        "strength": 3,
        "form": "replace",
        "length": "full",
        "fallback": "keep",
        "step": 0.5,
        "n_candidates": 7,
        "reduction": "sum",
        "axis": 1,
        "loss_scale": 4.0,
    }
    layer = GradientSnapping(quantizer)
    before = layer.backward_rule(g, z)
    layer.strength = 3
    assert not torch.equal(layer.backward_rule(g, z), before)
    for name, value in changes.items():
        setattr(layer, name, value)
        assert getattr(layer, name) == value
        assert f"{name}={value!r}" in repr(layer)
    assert torch.equal(
        layer.backward_rule(g, z), GradientSnapping(quantizer, **changes).backward_rule(g, z)
    )
    layer.options = SnapOptions(strength=2.0)
    assert (layer.strength, layer.form) == (2.0, "pull")
    assert copy.deepcopy(layer).strength == 2.0
    other = random_quantizer(ResidualQuantizer, 2, 4, 3)
    layer.quantizer = other
    assert set(layer.state_dict()) == {"rq_codebooks"}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("strength", -1.0, InvalidInputError),
        ("strength", "3", InvalidInputError),
        ("step", float("nan"), InvalidInputError),
        ("form", "push", UnknownNameError),
        ("length", "half", UnknownNameError),
        ("fallback", None, UnknownNameError),
        ("n_candidates", 0, InvalidInputError),
        ("n_candidates", 9, InvalidInputError),
        ("axis", 1.5, InvalidInputError),
        ("reduction", "none", UnknownNameError),
        ("loss_scale", -1.0, InvalidInputError),
        ("loss_scale", "65536", InvalidInputError),
        ("options", {"strength": 3}, InvalidInputError),
        ("quantizer", "pq", InvalidInputError),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_set(name: str, value: Any, error: Any) -> None:
    quantizer = random_quantizer(ProductQuantizer, 3, 8, 2)
    layer = GradientSnapping(quantizer)
    before = repr(layer)
    with pytest.raises(error):
        setattr(layer, name, value)
    assert repr(layer) == before
    if name not in ("options", "quantizer"):
        with pytest.raises(error):
            GradientSnapping(quantizer, **{name: value})


def test_data_parallel_is_refused() -> None:
    """Each replica would see a part of the batch only, and its pull would be too strong."""
    replica = GradientSnapping(
        random_quantizer(ProductQuantizer, 3, 8, 2)
    )._replicate_for_data_parallel()  # type: ignore[no-untyped-call]
    with pytest.raises(InvalidInputError, match="DistributedDataParallel"):
        replica(batch(4))


def test_buffers_that_are_lent_for_one_call_are_left_alone() -> None:
    quantizer = random_quantizer(ProductQuantizer, 3, 8, 2)
    layer = GradientSnapping(quantizer)
    lent = {"pq_codebooks": torch.zeros(3, 8, 2)}
    quantizer.refit(batch(50, seed=8).numpy())
    z = batch(4).requires_grad_()
    torch.func.functional_call(layer, lent, (z,)).sum().backward()
    assert not lent["pq_codebooks"].any()
    assert quantizer.codebooks_.any()
    layer(z).sum().backward()
    assert np.array_equal(layer.pq_codebooks, quantizer.codebooks_)
