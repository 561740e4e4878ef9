"""The layer in other people's models: shapes, precisions, compilers, transforms, checkpoints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from cases import FORMS, KINDS, RULES, batch, exact, random_quantizer
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap
from torch.utils.checkpoint import checkpoint

from gsl_tutorial import (
    GradientSnapping,
    OptimizedProductQuantizer,
    ProductQuantizer,
    snap_gradient,
)
from gsl_tutorial.errors import InvalidInputError

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)
pq = random_quantizer(ProductQuantizer, 3, 8, 2)
X = batch(20, 5, 3)


def model(kind: Any = ProductQuantizer, *behind: nn.Module, **how: Any) -> Any:
    encoder = nn.Linear(5, 6)
    with torch.no_grad():
        encoder.weight.copy_(batch(6, 5, 1))
        encoder.bias.copy_(batch(1, 6, 2)[0])
    layer = GradientSnapping(random_quantizer(kind, 3, 8, 2), **how)
    return nn.Sequential(encoder, layer, *behind)


def gradient(net: Any, run: Any = None) -> Tensor:
    net[0].weight.grad = None
    ((run or net)(X).square().mean() * 2).backward()
    return net[0].weight.grad


@pytest.fixture(autouse=True)
def _compile_anew() -> Any:
    """Each test compiles the same classes; torch counts them and gives up after a few."""
    yield
    torch.compiler.reset()


# Shapes


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((4, 5, 6), -1), ((4, 5, 6), 2), ((2, 3, 4, 6), -1), ((4, 6, 5), 1), ((2, 6, 3, 4), 1),
     ((2, 6, 3, 4), -3), ((6, 9), 0), ((2, 0, 6), -1)],
)  # fmt: skip
@pytest.mark.parametrize("form", FORMS)
def test_a_named_axis_holds_the_vectors(shape: tuple[int, ...], axis: int, form: Any) -> None:
    z, g = (torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    leaf = z.clone().requires_grad_()
    out = GradientSnapping(pq, axis=axis, form=form)(leaf)
    assert torch.equal(out, z)
    out.backward(g)
    flat = [t.movedim(axis, -1).reshape(-1, 6) for t in (g, z)]
    wanted = GradientSnapping(pq, form=form).backward_rule(*flat)
    assert torch.equal(leaf.grad.movedim(axis, -1).reshape(-1, 6), wanted)  # type: ignore[union-attr]


def test_channels_last_stays_channels_last() -> None:
    conv = nn.Conv2d(3, 6, 3).to(memory_format=torch.channels_last)
    images = torch.randn(2, 3, 7, 7).to(memory_format=torch.channels_last)
    z = conv(images)
    out = GradientSnapping(pq, axis=1)(z)
    assert out.is_contiguous(memory_format=torch.channels_last)
    seen: list[Tensor] = []
    z.register_hook(lambda g: seen.append(g))
    out.square().mean().backward()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("shape", "axis", "words"),
    [
        ((2, 6, 3, 3), -1, ["(..., 6)", "(2, 6, 3, 3)", "GradientSnapping(quantizer, axis=1)"]),
        ((4, 3, 6), 1, ["(..., 6, ...)", "GradientSnapping(quantizer, axis=2)"]),
        ((4, 3, 2), -1, ["(N, 6)", "snap(z.flatten(1))"]),
        ((4, 2, 3, 2), -1, ["snap(z.flatten(2))"]),
        ((4, 5, 7), -1, ["same dim", "flatten z to (N, dim)"]),
        ((6,), -1, ["snap(z[None])"]),
        ((4, 6), 5, ["(4, 6)", "axis=1"]),
    ],
)
def test_what_does_not_fit_says_what_to_do(shape: Any, axis: int, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        GradientSnapping(pq, axis=axis)(torch.zeros(shape))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("z", [np.zeros((2, 6), np.float32), torch.zeros(2, 6).int(), None])
def test_what_is_no_tensor_of_numbers_is_named(z: Any) -> None:
    with pytest.raises(InvalidInputError, match="tensor of floating-point embeddings"):
        GradientSnapping(pq)(z)


# Precision


def assert_nowhere_uphill(g: Tensor, snapped: Tensor, M: int) -> None:
    assert snapped.dtype == g.dtype
    parts = [t.reshape(len(g), M, -1) for t in exact(g, snapped)]
    assert ((parts[0] * parts[1]).sum(2) >= 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize(
    "rule", [r for r in RULES if r["form"] != "look-ahead"], ids=lambda r: "-".join(r.values())
)
def test_never_uphill_after_rounding(dtype: torch.dtype, rule: dict[str, Any]) -> None:
    for seed, size in enumerate((1e-7, 1e-6, 1e-3, 1.0)):
        rng = np.random.default_rng(seed)
        arrays = rng.normal(size=(400, 2, 3)) * size, rng.normal(size=(400, 2, 3))
        g, z = (torch.tensor(a, dtype=dtype) for a in arrays)
        c = torch.tensor(rng.normal(size=(400, 2, 4, 3)), dtype=dtype)
        # Hard ones: right angles all but met, and pulls far longer than the gradient.
        c[::2] = (
            z[::2, :, None]
            + c[::2]
            - (c[::2] * g[::2, :, None]).sum(3, keepdim=True)
            * g[::2, :, None]
            / g[::2, :, None].square().sum(3, keepdim=True).clamp_min(1e-7)
        )
        for strength in (0.1, 10.0, 1e4):
            snapped = snap_gradient(g, z, c, **rule, strength=strength)
            assert torch.isfinite(snapped).all()
            assert_nowhere_uphill(g.flatten(1), snapped.flatten(1), 2)


@each_kind
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_layer_goes_nowhere_uphill_after_rounding(kind: Any, dtype: torch.dtype) -> None:
    quantizer = random_quantizer(kind, 3, 8, 2)
    M = 3 if kind is ProductQuantizer else 1
    for fallback, form in (("nearest", "pull"), ("zero", "replace"), ("nearest", "replace")):
        for size in (1e-6, 1e-3):
            z, g = batch(800, seed=5).to(dtype), (batch(800, seed=6) * size).to(dtype)
            layer = GradientSnapping(quantizer, form=form, fallback=fallback, loss_scale=1.0)
            assert_nowhere_uphill(g, layer.backward_rule(g, z), M)


def test_a_tiny_half_gradient_is_replaced_by_one_of_its_own_length() -> None:
    z = batch(200, seed=5)
    g = batch(200, seed=6) * 1e-6
    layer = GradientSnapping(pq, form="replace", length="full")
    got, wanted = layer.backward_rule(g.half(), z.half()).float(), layer.backward_rule(g, z)
    lengths = got.view(200, 3, 2).norm(dim=2), wanted.view(200, 3, 2).norm(dim=2)
    assert float((lengths[0] - lengths[1]).abs().median()) < 1e-7
    assert float(got.abs().max()) > 1e-6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_single_precision_rounded(dtype: torch.dtype) -> None:
    z, g = batch(300, seed=5).to(dtype), batch(300, seed=6).to(dtype)
    layer = GradientSnapping(pq)
    torch.testing.assert_close(
        layer.backward_rule(g, z), layer.backward_rule(g.float(), z.float()).to(dtype)
    )


def test_autocast_does_not_reach_the_rule() -> None:
    z, g = batch(300, seed=5), batch(300, seed=6)
    layer = GradientSnapping(pq)
    leaf = z.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        layer(leaf).backward(g)
    assert torch.equal(leaf.grad, layer.backward_rule(g, z))  # type: ignore[arg-type]
    net = model()
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(X).float().square().mean() * 2
    loss.backward()
    wanted = gradient(model())
    assert (net[0].weight.grad - wanted).norm() < 0.05 * wanted.norm()


# What is done with models


@each_kind
def test_compiled_in_one_graph_it_does_the_same_and_follows_a_refit(kind: Any) -> None:
    net, plain = model(kind), model(kind)
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    assert torch.equal(gradient(net, compiled), gradient(plain))
    for one in (net, plain):
        one[1].quantizer.with_arrays(random_quantizer(kind, 3, 8, 2, seed=7).arrays())
    again = gradient(net, compiled)
    assert torch.equal(again, gradient(plain))
    with torch.no_grad():
        assert torch.equal(compiled(X), plain(X))


@pytest.mark.slow
def test_the_default_compiler_takes_it() -> None:
    net = model()
    torch.testing.assert_close(gradient(net, torch.compile(net, fullgraph=True)), gradient(model()))


@pytest.mark.parametrize("inside", [True, False])
def test_a_compiled_layer_is_told_the_scale(inside: bool) -> None:
    net = model()
    wanted = gradient(model())

    def loss(x: Tensor) -> Tensor:
        return net[1].follow(net(x).square().mean() * 2)

    def step(x: Tensor) -> Tensor:
        return net(x).square().mean() * 2

    run = torch.compile(loss if inside else step, fullgraph=True, backend="aot_eager")
    for scale in (1024.0, 0.5):
        net[0].weight.grad = None
        out = run(X) if inside else net[1].follow(run(X))
        (out * scale).backward()
        torch.testing.assert_close(net[0].weight.grad / scale, wanted)


@each_kind
@pytest.mark.parametrize("strict", [True, False])
def test_a_model_in_eval_mode_exports(kind: Any, strict: bool) -> None:
    net = model(kind).eval()
    sizes = ({0: torch.export.Dim("n")},)
    exported = torch.export.export(net, (X,), strict=strict, dynamic_shapes=sizes)
    assert torch.equal(exported.module()(X[:7]), net(X[:7]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_model_in_eval_mode_is_traced() -> None:
    net = model().eval()
    assert torch.equal(torch.jit.trace(net, X)(X[:7]), net(X[:7]))  # type: ignore[no-untyped-call]


def test_a_model_in_training_mode_is_told_how_to_export() -> None:
    with pytest.raises(InvalidInputError, match=r"call model.eval\(\) first"):
        torch.export.export(model(), (X,))


@each_kind
def test_transforms_of_functions(kind: Any) -> None:
    net = model(kind)
    weights, buffers = dict(net.named_parameters()), dict(net.named_buffers())

    def loss(weights: Any, x: Tensor) -> Tensor:
        return functional_call(net, {**weights, **buffers}, (x,)).square().mean() * 2

    whole = grad(loss)(weights, X)["0.weight"]
    torch.testing.assert_close(whole, gradient(model(kind)))
    # Gradients of each sample: a vmap of a grad, and the grad of a vmap.
    samples = batch(28, 5, 6).view(4, 7, 5)
    one_by_one = torch.stack([grad(loss)(weights, x)["0.weight"] for x in samples])
    at_once = vmap(grad(loss), in_dims=(None, 0))(weights, samples)["0.weight"]
    torch.testing.assert_close(at_once, one_by_one, rtol=1e-4, atol=1e-5)
    total = grad(lambda w: vmap(loss, in_dims=(None, 0))(w, samples).sum())(weights)["0.weight"]
    torch.testing.assert_close(total, one_by_one.sum(0), rtol=1e-4, atol=1e-5)


def test_vmap_knows_the_scale_of_each_sample() -> None:
    net = model()
    weights = dict(net.named_parameters())
    samples, scales = batch(28, 5, 6).view(4, 7, 5), torch.tensor([1.0, 3.0, 0.25, 1024.0])

    def loss(weights: Any, x: Tensor, scale: Tensor) -> Tensor:
        return net[1].follow(functional_call(net, weights, (x,)).square().mean()) * scale

    got = vmap(grad(loss), in_dims=(None, 0, 0))(weights, samples, scales)["0.weight"]
    for one, x, scale in zip(got, samples, scales, strict=True):
        wanted = grad(loss)(weights, x, torch.tensor(1.0))["0.weight"]
        torch.testing.assert_close(one / scale, wanted, rtol=1e-4, atol=1e-5)


def test_forward_derivatives_pass_and_second_ones_exist() -> None:
    net = model()
    _, tangent = jvp(net, (X,), (X,))
    assert torch.equal(tangent, X @ net[0].weight.T)
    (first,) = torch.autograd.grad(net(X).square().mean(), net[0].weight, create_graph=True)
    first.square().sum().backward()
    assert torch.isfinite(net[0].weight.grad).all()
    with torch.no_grad():
        assert torch.equal(vmap(net)(X[None])[0], net(X))


@pytest.mark.parametrize("behind", [nn.ReLU, nn.Tanh])
def test_layers_behind_may_work_in_place(behind: Any) -> None:
    net = model(ProductQuantizer, behind())
    wanted = gradient(net)
    in_place = model(ProductQuantizer)

    def run(x: Tensor) -> Tensor:
        z = in_place(x)
        return z.relu_() if behind is nn.ReLU else z.tanh_()

    assert torch.equal(gradient(in_place, run), wanted)


@pytest.mark.parametrize("reentrant", [True, False])
def test_activation_checkpoints(reentrant: bool) -> None:
    net, x = model(), X.clone().requires_grad_()
    got = gradient(net, lambda _: checkpoint(net, x, use_reentrant=reentrant))
    assert torch.equal(got, gradient(model()))


def test_an_optimized_quantizer_is_never_uphill_as_a_whole() -> None:
    quantizer = random_quantizer(OptimizedProductQuantizer, 3, 8, 2)
    z, g = batch(2000, seed=5), batch(2000, seed=6) * 1e-3
    layer = GradientSnapping(quantizer, fallback="nearest", strength=1e4, loss_scale=1.0)
    assert_nowhere_uphill(g, layer.backward_rule(g, z), 1)
