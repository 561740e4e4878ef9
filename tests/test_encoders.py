"""The networks: unit length, whitening, seeds, and embedding batch by batch."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gsl_tutorial.course.datasets import cifar10, find_cifar10
from gsl_tutorial.course.datasets.cifar10_files import read_verified
from gsl_tutorial.course.training.encoders import (
    ENCODERS,
    ConvEncoder,
    DigitsEncoder,
    build_encoder,
    embed,
)
from gsl_tutorial.errors import InvalidInputError, UnknownNameError


def smooth_images(n: int, *, seed: int = 0) -> Tensor:
    """Random uint8 images whose neighbouring pixels are alike, as in photographs."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, 8, 8, generator=generator)
    fine = 0.1 * torch.rand(n, 3, 32, 32, generator=generator)
    return (200 * F.interpolate(coarse, size=32, mode="bilinear") + 255 * fine).to(torch.uint8)


def real_images(n: int) -> Tensor:
    """The first images of the first official batch; skips where there is none."""
    folder = find_cifar10()
    if folder is None or not os.environ.get("GSL_TUTORIAL_DATA"):
        pytest.skip("no CIFAR-10 in the folder named by GSL_TUTORIAL_DATA")
    batch = cifar10._unpickle(read_verified(folder, "data_batch_1"), "data_batch_1")
    return torch.from_numpy(batch[b"data"][:n].reshape(n, 3, 32, 32).copy())


def inputs(name: str, n: int) -> Tensor:
    if name != "digits":
        return smooth_images(n)
    return torch.rand(n, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("dim", [1, 8, 32])
def test_embeddings_have_the_asked_shape_and_unit_length(name: str, dim: int) -> None:
    encoder = build_encoder(name, dim=dim, seed=0)
    encoder.prepare(inputs(name, 20))
    z = embed(encoder, inputs(name, 5))
    assert z.shape == (5, dim)
    assert z.dtype == torch.float32
    assert not z.requires_grad
    torch.testing.assert_close(z.norm(dim=1), torch.ones(5))


def second_moment_of_filters(encoder: ConvEncoder, images: Tensor) -> Tensor:
    """Mean of f f^T over all places, f the responses of one sign of the first layer."""
    x = (images.double() - encoder.mean.double()) / encoder.std.double()
    kept, n = encoder.whiten.weight.double(), encoder.whiten.out_channels // 2
    responses = F.conv2d(x, kept, stride=encoder.whiten.stride)[:, :n]
    responses = responses.permute(0, 2, 3, 1).reshape(-1, n)
    return responses.T @ responses / len(responses)


def assert_whitened(
    images: Tensor, *, patch: int = 2, stride: int = 1, n_filters: int = 12
) -> None:
    encoder = ConvEncoder(patch=patch, stride=stride, n_filters=n_filters)
    encoder.prepare(images)
    moment = second_moment_of_filters(encoder, images)
    # Only the epsilon beside the smallest eigenvalues may keep the diagonal from 1. The layer sums in
    # float32, in an order that each processor chooses: for photographs that is worth up to .03.
    assert (moment - torch.diag(moment.diagonal())).abs().max() < 6e-2
    x = (images.double() - encoder.mean.double()) / encoder.std.double()
    patches = F.unfold(x, kernel_size=patch, stride=stride).transpose(1, 2)
    patches = patches.reshape(-1, 3 * patch**2)
    values = torch.linalg.eigvalsh(patches.T @ patches / len(patches))[-n_filters:]
    torch.testing.assert_close(moment.diagonal(), values / (values + 5e-4), rtol=0, atol=6e-2)
    assert moment.diagonal().median() > 0.9


@pytest.mark.parametrize(
    ("patch", "stride", "n_filters"), [(2, 1, 12), (4, 2, 24), (3, 1, 5), (2, 2, 1)]
)
def test_the_first_layer_whitens_patches(patch: int, stride: int, n_filters: int) -> None:
    """With the strongest filters, at the places where the layer looks."""
    assert_whitened(smooth_images(100), patch=patch, stride=stride, n_filters=n_filters)


@pytest.mark.parametrize("widths", [(4,), (4, 6), (4, 6, 8)])
@pytest.mark.parametrize(("patch", "stride"), [(2, 1), (4, 2)])
def test_any_number_of_groups_halves_the_image_as_often(
    widths: tuple[int, ...], patch: int, stride: int
) -> None:
    encoder = ConvEncoder(5, widths, patch=patch, stride=stride, n_filters=7)
    sides: list[int] = []
    for group in encoder.groups:
        group.register_forward_hook(lambda module, args, out: sides.append(out.shape[-1]))
    assert embed(encoder, smooth_images(3)).shape == (3, 5)
    first = (32 - patch) // stride + 1
    assert sides == [first // 2 ** (i + 1) for i in range(len(widths))]
    assert encoder.whiten.out_channels == 14


def test_the_small_encoder_is_small() -> None:
    weights = {
        name: sum(p.numel() for p in build_encoder(name, dim=32, seed=0).parameters())
        for name in ("conv", "conv-small")
    }
    assert weights == {"conv": 297_912, "conv-small": 83_120}  # as the shipped records say


@pytest.mark.images
def test_the_first_layer_whitens_patches_of_photographs() -> None:
    images = real_images(200)
    assert_whitened(images)
    # And what was learned from 200 photographs holds on the network's real input to 20 others.
    encoder = ConvEncoder()
    encoder.prepare(images[20:])
    moment = second_moment_of_filters(encoder, images[:20])
    assert 0.4 < moment.diagonal().min() < moment.diagonal().max() < 2.5


def test_each_filter_comes_with_both_signs_and_without_bias() -> None:
    encoder = ConvEncoder()
    encoder.prepare(smooth_images(20))
    weight = encoder.whiten.weight
    assert torch.equal(weight[:12], -weight[12:])
    assert encoder.whiten.bias is not None
    assert not encoder.whiten.bias.any()


def test_the_first_layer_is_frozen_and_the_rest_is_not() -> None:
    encoder = ConvEncoder()
    frozen = {name for name, p in encoder.named_parameters() if not p.requires_grad}
    assert frozen == {"whiten.weight", "whiten.bias"}
    encoder.prepare(smooth_images(20))
    encoder(smooth_images(4).float())[:, 0].sum().backward()
    assert encoder.whiten.weight.grad is None
    assert all(p.grad is not None for p in encoder.parameters() if p.requires_grad)
    assert all(p.requires_grad for p in DigitsEncoder().parameters())


def test_in_the_fast_encoder_norms_learn_a_bias_only_and_the_first_layer_one_too() -> None:
    encoder = ConvEncoder(widths=(8, 16, 16), fast=True)
    frozen = {name for name, p in encoder.named_parameters() if not p.requires_grad}
    norms = [name for name, m in encoder.named_modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(norms) == 6
    assert frozen == {"whiten.weight", *(f"{name}.weight" for name in norms)}
    encoder.prepare(smooth_images(20))
    encoder(smooth_images(4).float())[:, 0].sum().backward()
    assert encoder.whiten.bias is not None
    assert encoder.whiten.bias.grad is not None
    # One batch moves the running mean by 0.4 of the way from 0.
    norm = encoder.groups[0][2]
    seen = norm.running_mean.clone()
    encoder(smooth_images(4).float())
    torch.testing.assert_close(norm.running_mean, seen * 1.6)


@pytest.mark.parametrize("name", ENCODERS)
def test_seeds_decide_the_weights_and_touch_no_global_generator(name: str) -> None:
    torch.manual_seed(123)
    np.random.seed(123)  # noqa: NPY002
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (build_encoder(name, dim=8, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002
    torch.manual_seed(7)
    late = build_encoder(name, dim=8, seed=5)
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
        assert torch.equal(value, late.state_dict()[key])
    assert any(not torch.equal(v, other.state_dict()[k]) for k, v in first.state_dict().items())


@pytest.mark.gpu
def test_seeds_touch_no_generator_of_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    before = torch.cuda.get_rng_state()
    build_encoder("digits", dim=8, seed=5)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_an_unknown_encoder_is_refused() -> None:
    with pytest.raises(
        UnknownNameError, match=r"conv, conv-large, conv-small, conv-wide, digits; got 'resnet'"
    ):
        build_encoder("resnet", dim=8, seed=0)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("training", [True, False])
def test_embedding_in_batches_equals_the_whole_and_restores_the_mode(
    name: str, training: bool
) -> None:
    encoder = build_encoder(name, dim=8, seed=0)
    images = inputs(name, 23)
    encoder.prepare(images)
    encoder.train(training)
    kept = {key: value.clone() for key, value in encoder.state_dict().items()}
    whole = embed(encoder, images)
    torch.testing.assert_close(embed(encoder, images, batch_size=7), whole, rtol=0, atol=1e-5)
    assert encoder.training is training
    assert all(torch.equal(value, kept[key]) for key, value in encoder.state_dict().items())
    # Each embedding stands for its own image, whatever else is in the batch.
    torch.testing.assert_close(embed(encoder, images[3:4]), whole[3:4], rtol=0, atol=1e-5)


def test_the_mode_is_restored_after_a_failure() -> None:
    encoder = build_encoder("digits", dim=8, seed=0).train()
    with pytest.raises(RuntimeError):
        embed(encoder, torch.zeros(3, 63))
    assert encoder.training


def test_images_of_another_rank_are_refused() -> None:
    encoder = build_encoder("digits", dim=8, seed=0)
    with pytest.raises(InvalidInputError, match=r"\(N, 64\).*got a \(64,\) array of float32"):
        embed(encoder, torch.zeros(64))
