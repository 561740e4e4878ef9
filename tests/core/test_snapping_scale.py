"""The pull follows the scale of the loss, or the layer says that it cannot know it."""

from __future__ import annotations

import gc
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import FORMS, KINDS, batch, random_quantizer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gsl_tutorial import GradientSnapping, ProductQuantizer
from gsl_tutorial.errors import InvalidInputError, LossScaleWarning

SCALE = 2.0**16
pulls = pytest.mark.parametrize("form", FORMS)


def model(kind: Any = ProductQuantizer, **how: Any) -> Any:
    """A linear encoder and a layer, always the same."""
    encoder = nn.Linear(5, 6)
    with torch.no_grad():
        encoder.weight.copy_(batch(6, 5, 1))
        encoder.bias.copy_(batch(1, 6, 2)[0])
    return nn.Sequential(encoder, GradientSnapping(random_quantizer(kind, 3, 8, 2), **how))


X, Y = batch(24, 5, 3), batch(24, 6, 4)


def criterion(z: Tensor, y: Tensor) -> Tensor:
    return (z - y).square().sum(1).mean()


def gradient(step: Callable[[Any], Tensor], **how: Any) -> Tensor:
    """What arrives at the encoder after the backward pass of what `step` returns."""
    net = model(**how)
    step(net).backward()
    return net[0].weight.grad


def plain(net: Any) -> Tensor:
    return criterion(net(X), Y)


def followed(net: Any) -> Tensor:
    return net[1].follow(criterion(net(X), Y))


def close(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-6)


@pulls
def test_a_loss_that_was_scaled_gives_the_same_gradient_scaled(form: Any) -> None:
    wanted = gradient(plain, form=form)
    for factor in (SCALE, 0.25, 1.0, 3e-5):
        got = gradient(lambda net, s=factor: followed(net) * s, form=form)
        close(got / factor, wanted)
    told = gradient(lambda net: plain(net) * SCALE, form=form, loss_scale=SCALE)
    close(told / SCALE, wanted)
    asked = gradient(lambda net: plain(net) * SCALE, form=form, loss_scale=lambda: SCALE)
    close(asked / SCALE, wanted)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)
def test_every_quantizer_follows(kind: Any) -> None:
    wanted = gradient(plain, kind=kind)
    close(gradient(lambda net: followed(net) * SCALE, kind=kind) / SCALE, wanted)


@pulls
def test_a_gradient_scaler_changes_nothing(form: Any) -> None:
    ends = []
    for scaled in (False, True):
        net = model(form=form)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler("cpu", enabled=scaled)
        for _ in range(3):
            optimizer.zero_grad()
            scaler.scale(followed(net)).backward()
            scaler.step(optimizer)
            scaler.update()
        ends.append(net[0].weight.detach())
    close(*ends)


@pulls
def test_accumulating_is_one_large_batch(form: Any) -> None:
    if (
        form == "look-ahead"
    ):  # eta is a step for the gradient of one mean, and parts have larger ones
        return
    wanted, net = gradient(plain, form=form), model(form=form)
    for rows in torch.arange(24).chunk(4):
        loss = net[1].follow(criterion(net(X[rows]), Y[rows])) / 4
        loss.backward()
    close(net[0].weight.grad, wanted)


@pulls
def test_a_summed_loss_is_the_mean_times_the_batch(form: Any) -> None:
    def summed(net: Any) -> Tensor:
        return (net(X) - Y).square().sum()

    wanted = gradient(plain, form=form)
    close(gradient(summed, form=form, reduction="sum") / 24, wanted)
    both = gradient(lambda net: net[1].follow(summed(net)) * SCALE, form=form, reduction="sum")
    close(both / SCALE / 24, wanted)


def test_a_pull_still_pulls_where_the_loss_is_turned_round() -> None:
    turned = gradient(lambda net: -net[1].follow(-criterion(net(X), Y)))
    close(turned, gradient(plain))


def test_a_loss_that_counts_for_nothing_gives_nothing() -> None:
    assert not gradient(lambda net: followed(net) * 0).any()


def test_following_is_the_identity() -> None:
    net = model()
    loss = plain(net)
    out = net[1].follow(loss)
    assert torch.equal(out, loss)
    assert out.shape == loss.shape
    with torch.no_grad():
        assert torch.equal(net[1].follow(plain(net)), loss)
    with pytest.raises(InvalidInputError, match=r"a loss of one number.*\.mean\(\)"):
        net[1].follow(net(X))
    with pytest.raises(InvalidInputError, match="a loss of one number"):
        net[1].follow(1.0)


# Several of everything


def test_a_layer_used_twice_for_one_loss() -> None:
    def both(net: Any, follow: bool) -> Tensor:
        loss = criterion(net(X), Y) + criterion(net(X + 1), Y)
        return net[1].follow(loss) * 8 if follow else loss

    close(gradient(lambda net: both(net, True)) / 8, gradient(lambda net: both(net, False)))


def test_two_losses_with_weights_of_their_own_each_with_its_own_call() -> None:
    parts = [
        gradient(lambda net, r=rows: criterion(net(X[r]), Y[r]))
        for rows in (slice(9), slice(9, 24))
    ]

    def weighted(net: Any) -> Tensor:
        losses = [net[1].follow(criterion(net(X[r]), Y[r])) for r in (slice(9), slice(9, 24))]
        return 4 * losses[0] + 32 * losses[1]

    close(gradient(weighted), 4 * parts[0] + 32 * parts[1])


def test_two_terms_on_one_embedding_count_together() -> None:
    """As if their sum had been followed: 3 L1 + 5 L2 with a pull of weight 8."""

    def terms(net: Any) -> Tensor:
        z = net(X)
        one, other = net[1].follow(criterion(z, Y)), net[1].follow(criterion(z, Y + 1))
        return 3 * one + 5 * other

    def wanted(net: Any) -> Tensor:
        z = net(X)
        return net[1].follow((3 * criterion(z, Y) + 5 * criterion(z, Y + 1)) / 8) * 8

    close(gradient(terms), gradient(wanted))


def test_two_layers_each_know_their_own_loss() -> None:
    z = batch(24, 6, 9)
    ones = []
    for weights in ((1.0, 1.0), (SCALE, 0.25)):
        leaf = z.clone().requires_grad_()
        layers = [GradientSnapping(random_quantizer(ProductQuantizer, 3, 8, 2, s)) for s in (1, 2)]
        losses = [layer.follow(criterion(layer(leaf), Y)) for layer in layers]
        ones.append(
            [
                torch.autograd.grad(w * loss, leaf)[0] / w
                for w, loss in zip(weights, losses, strict=True)
            ]
        )
    for one, other in zip(*ones, strict=True):
        close(one, other)


def test_two_backward_passes_through_one_graph() -> None:
    net = model()
    loss = followed(net)
    found = []
    for factor in (SCALE, 0.5):
        net[0].weight.grad = None
        (loss * factor).backward(retain_graph=True)
        found.append(net[0].weight.grad / factor)
    close(found[0], found[1])
    # A pass that ends before the layer leaves nothing behind.
    z = net(X)
    loss = net[1].follow(criterion(z, Y))
    torch.autograd.grad(loss * 100, z, retain_graph=True)
    net[0].weight.grad = None
    loss.backward()
    close(net[0].weight.grad, found[0])


def test_a_pass_that_broke_off_leaves_nothing_behind() -> None:
    net = model()

    def fail(gradient: Tensor) -> None:
        raise RuntimeError("broken off")

    z = net(X)
    z.register_hook(fail)
    with pytest.raises(RuntimeError, match="broken off"):
        (net[1].follow(criterion(z, Y)) * SCALE).backward()
    net[0].weight.grad = None
    followed(net).backward()
    close(net[0].weight.grad, gradient(plain))


@pytest.mark.parametrize("reentrant", [True, False])
def test_inside_a_checkpoint(reentrant: bool) -> None:
    def step(net: Any) -> Tensor:
        z = checkpoint(net, X.clone().requires_grad_(), use_reentrant=reentrant)
        return net[1].follow(criterion(z, Y)) * SCALE

    close(gradient(step) / SCALE, gradient(plain))


def test_a_graph_that_nobody_followed_is_not_kept() -> None:
    net = model()
    z = net(X)
    node = weakref.ref(z)
    calls = net[1]._told._calls
    assert [call() is not None for call in calls] == [True]
    del z
    gc.collect()
    assert node() is None
    assert [call() is not None for call in calls] == [False]
    for _ in range(5):
        net(X)
    assert len(net[1]._told._calls) <= 2


# Where nobody told the layer


def warned(step: Callable[[Any], Tensor], **how: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net = model(**how)
        for _ in range(12):
            step(net).backward()
    return [str(w.message) for w in caught if issubclass(w.category, LossScaleWarning)]


def test_a_scaled_loss_that_nobody_mentioned_is_warned_of_once_with_the_recipe() -> None:
    (message,) = warned(lambda net: plain(net) * SCALE)
    for word in (
        "snap.follow(criterion(snap(z), y))",
        "GradScaler",
        "loss_scale",
        "reduction='sum'",
    ):
        assert word in message


def test_no_warning_where_all_is_well_or_was_said_or_cannot_matter() -> None:
    assert warned(plain) == []
    assert warned(lambda net: followed(net) * SCALE) == []
    assert warned(lambda net: plain(net) * SCALE, loss_scale=SCALE) == []
    assert warned(lambda net: plain(net) * SCALE, loss_scale=1.0) == []
    assert warned(lambda net: plain(net) * SCALE, form="replace") == []
    # 0.1 was the best strength for a contrastive loss: a weak pull is no mistake.
    assert warned(plain, strength=0.1) == []


def test_tokens_of_all_sequences_make_the_batch() -> None:
    z, y = batch(24, 6, 9), batch(24, 6, 8)
    layer = GradientSnapping(random_quantizer(ProductQuantizer, 3, 8, 2))
    found = []
    for shape in ((24, 6), (4, 6, 6), (2, 3, 4, 6)):
        leaf = z.view(shape).clone().requires_grad_()
        (layer(leaf) - y.view(shape)).square().mean().backward()
        found.append(leaf.grad.view(24, 6))
    for other in found[1:]:
        assert torch.equal(other, found[0])
