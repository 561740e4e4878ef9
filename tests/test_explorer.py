"""The explorer's two truths are one: what the page computes equals Python, and Python the package."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import cycle, product
from typing import Any, get_args

import numpy as np
import pytest
import torch
from browser import browser, patient_page, show_alone
from playwright.sync_api import Page

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.toys.plane_losses import MARGIN, SIMILARITY_LOSSES, LossPlane
from gsl_tutorial.course.toys.plane_methods import (
    PLANE_METHODS,
    method_gradient,
    read_out,
    run_curves,
    run_method,
)
from gsl_tutorial.course.training.methods import METHODS, MethodOptions
from gsl_tutorial.course.widgets.explorer import SCRIPT, STYLE
from gsl_tutorial.snapping import Fallback, Form, Length, SnapOptions

RULES = list(product(get_args(Form), get_args(Length), get_args(Fallback)))
COMPUTE = """(cases) => cases.map(({ world, rule, z }) => ({
    loss: explorerMath.loss(world, z),
    gradients: explorerMath.METHODS.map((m) => explorerMath.methodGradient(world, z, m, rule)),
    out: explorerMath.readOut(world, z, rule),
}))"""


@pytest.fixture(scope="module")
def blank() -> Iterator[Page]:
    """A page of its own that knows the explorer's script."""
    with browser() as opened:
        page = patient_page(opened, width=1000, height=800)
        show_alone(page)
        page.add_script_tag(content=SCRIPT)
        page.add_style_tag(content=STYLE)
        yield page


def random_world(rng: np.random.Generator) -> LossPlane:
    def points(low: int, high: int) -> np.ndarray:
        return rng.uniform(-1.2, 1.2, (rng.integers(low, high), 2))

    kind = SIMILARITY_LOSSES[rng.integers(3)]
    return LossPlane.over(points(1, 17), points(1, 7), points(kind != "pair", 7), kind)


def random_rule(
    rng: np.random.Generator, plane: LossPlane, words: tuple[str, str, str]
) -> SnapOptions:
    form, length, fallback = words
    n = int(rng.integers(1, len(plane.codewords) + 1))
    strength, step = rng.uniform(0, 3, 2)
    return SnapOptions(
        n_candidates=n,
        strength=float(strength),
        form=form,  # type: ignore[arg-type]
        length=length,  # type: ignore[arg-type]
        fallback=fallback,  # type: ignore[arg-type]
        step=float(step),
    )


def as_world(plane: LossPlane) -> dict[str, Any]:
    names = ("codewords", "similar", "dissimilar")
    return {name: getattr(plane, name).tolist() for name in names} | {"loss": plane.kind}


def as_rule(options: SnapOptions) -> dict[str, Any]:
    return asdict(options) | {"n": options.n_candidates}  # the page says n


def random_cases(n: int) -> list[tuple[LossPlane, SnapOptions, np.ndarray]]:
    """Random worlds; one in eight points stands where something is degenerate."""
    rng, cases = np.random.default_rng(5), []
    for i, words in zip(range(n), cycle(RULES), strict=False):
        plane = random_world(rng)
        z = rng.uniform(-1.2, 1.2, 2)
        if i % 8 == 0:
            z = [plane.codewords[0], plane.partner, np.zeros(2), plane.similar[-1]][i // 8 % 4]
        cases.append((plane, random_rule(rng, plane, words), z))
    return cases


def test_page_and_python_agree_on_every_form_fallback_and_rival(blank: Page) -> None:
    cases = random_cases(2000)
    told = [
        {"world": as_world(plane), "rule": as_rule(rule), "z": z.tolist()}
        for plane, rule, z in cases
    ]
    fallbacks = set()
    for (plane, rule, z), seen in zip(cases, blank.evaluate(COMPUTE, told), strict=True):
        assert seen["loss"] == pytest.approx(plane.loss(z[None])[0], abs=1e-6)
        for method, gradient in zip(PLANE_METHODS, seen["gradients"], strict=True):
            wanted = method_gradient(plane, z[None], method, rule)[0]
            np.testing.assert_allclose(gradient, wanted, atol=1e-6, rtol=1e-6, err_msg=method)
        wanted_out = asdict(read_out(plane, z, rule))
        for name, value in seen["out"].items():
            if isinstance(wanted_out[name], float):
                assert value == pytest.approx(wanted_out[name], abs=1e-6), name
            else:
                assert value == wanted_out[name], name
        if seen["out"]["chosen"] is None:
            fallbacks.add((rule.form, rule.length, rule.fallback))
    # Each fallback of each form has been at work.
    assert fallbacks == {words for words in RULES if words[0] != "look-ahead"}


def test_page_and_python_agree_on_whole_runs(blank: Page) -> None:
    rng = np.random.default_rng(6)
    script = """({ world, rule, starts }) => explorerMath.METHODS.map((method) => {
        const path = [starts];
        for (let t = 0; t < 40; t++) path.push(explorerMath.stepAll(world, path[t], method, rule, 0.05));
        return { path, curves: path.map((points) => explorerMath.means(world, points)) };
    })"""
    for words in RULES:
        plane = random_world(rng)
        rule = random_rule(rng, plane, words)
        starts = rng.uniform(-1.1, 1.1, (10, 2))
        told = {"world": as_world(plane), "rule": as_rule(rule), "starts": starts.tolist()}
        for method, seen in zip(PLANE_METHODS, blank.evaluate(script, told), strict=True):
            path = run_method(plane, starts, method, rule, n_steps=40)
            np.testing.assert_allclose(seen["path"], path, atol=1e-6, err_msg=method)
            for name, curve in run_curves(plane, path).items():
                np.testing.assert_allclose([c[name] for c in seen["curves"]], curve, atol=1e-6)


def test_cells_are_those_of_the_nearest_codeword_and_level_lines_are_level(blank: Page) -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        plane = random_world(rng)
        world = as_world(plane)
        script = "(w) => w.codewords.map((_, i) => geometry.cell(w.codewords, i, 1.25))"
        area = 0.0
        for i, corners in enumerate(blank.evaluate(script, world)):
            x, y = np.array(corners).T
            area += 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
            inside = np.array(corners) * 0.999 + 0.001 * np.mean(corners, axis=0)
            assert (plane.reconstruct(inside) == plane.codewords[i]).all()
        assert area == pytest.approx(2.5**2)
        script = "(w) => geometry.contours((z) => explorerMath.loss(w, z), [0.3], 1.25, 60)"
        if segments := blank.evaluate(script, world):
            values = plane.loss(np.array(segments).reshape(-1, 2))
            assert np.abs(np.median(values) - 0.3) < 0.01


# ---- the 2-D references themselves ----


@pytest.mark.parametrize("kind", SIMILARITY_LOSSES)
def test_gradients_of_the_losses_are_their_slopes(kind: str) -> None:
    rng = np.random.default_rng(8)
    plane = LossPlane.over([[0, 0]], rng.normal(size=(4, 2)), rng.normal(size=(3, 2)), kind)
    z, h = rng.uniform(-1.2, 1.2, (200, 2)), 1e-6
    slopes = [(plane.loss(z + h * e) - plane.loss(z - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(plane.gradient(z), np.stack(slopes, axis=1), atol=1e-5)


def test_losses_are_the_known_ones() -> None:
    rng = np.random.default_rng(9)
    z, p, n = rng.normal(size=(3, 50, 2))
    triplet = torch.nn.TripletMarginLoss(margin=MARGIN, eps=0, reduction="none")
    wanted = triplet(*map(torch.from_numpy, (z, p, n))).numpy()
    ours = [
        LossPlane.over([[0, 0]], p[i : i + 1], n[i : i + 1], "triplet").loss(z[i : i + 1])[0]
        for i in range(50)
    ]
    np.testing.assert_allclose(ours, wanted, atol=1e-9)
    alone = LossPlane.over([[0, 0]], p[:1])
    plain = Plane(np.zeros((1, 2)), p[0])
    np.testing.assert_allclose(alone.loss(z), plain.loss(z))
    np.testing.assert_allclose(alone.gradient(z), plain.gradient(z))
    # Halfway between two single points of two classes: one bit short of certain, log 2.
    even = LossPlane.over([[0, 0]], [[1, 0]], [[-1, 0]], "two-class")
    assert even.loss(np.zeros((1, 2)))[0] == pytest.approx(np.log(2))
    assert np.isfinite(even.loss(np.full((1, 2), 1e3))).all()


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("similarity", "none"), ("penalty", "penalty"), ("straight-through", "ste"),
        ("rotation", "rotation"), ("snap", "snap-pull"),
    ],
)  # fmt: skip
def test_rivals_in_the_plane_are_those_of_the_package(method: str, name: str) -> None:
    rng = np.random.default_rng(10)
    codewords, p = rng.normal(size=(6, 2)).astype(np.float32), rng.normal(size=2)
    quantizer = ProductQuantizer(1, 6).with_codebooks(codewords[None])
    plane = LossPlane.over(codewords, [p])
    options = MethodOptions(strength=0.7, n_candidates=3)
    for row in rng.normal(size=(40, 2)):
        z = torch.tensor(row[None], dtype=torch.float32, requires_grad=True)
        embedding, extra = METHODS[name](z, quantizer, options)
        target = torch.tensor(p, dtype=torch.float32)
        (0.5 * (embedding - target).square().sum() + extra).backward()
        wanted = method_gradient(
            plane, row[None], method, SnapOptions(n_candidates=3, strength=0.7)
        )
        np.testing.assert_allclose(z.grad.numpy(), wanted, atol=2e-4)


def test_rotation_at_the_origin_hands_the_gradient_on() -> None:
    plane = LossPlane.over([[0.5, 0.0]], [[1.0, 1.0]])
    origin, rule = np.zeros((1, 2)), SnapOptions(n_candidates=1, strength=0.3)
    straight = method_gradient(plane, origin, "straight-through", rule)
    np.testing.assert_allclose(method_gradient(plane, origin, "rotation", rule), straight)


def test_rotation_near_the_origin_is_that_of_torch_down_to_its_floor() -> None:
    """Torch floors lengths at 1e-6, to stay finite; the plane has no floor, only the origin itself."""
    codewords = np.array([[0.5, 0.2], [-0.5, 0.1]], dtype=np.float32)
    quantizer = ProductQuantizer(1, 2).with_codebooks(codewords[None])
    plane = LossPlane.over(codewords, [[0.3, -0.4]])
    for size in (1e-1, 1e-3, 1e-5):
        z = torch.tensor([[0.6 * size, 0.8 * size]], requires_grad=True)
        embedding, extra = METHODS["rotation"](z, quantizer, MethodOptions(strength=0.3))
        (0.5 * (embedding - torch.tensor([0.3, -0.4])).square().sum() + extra).backward()
        rule = SnapOptions(n_candidates=1, strength=0.3)
        wanted = method_gradient(plane, z.detach().numpy(), "rotation", rule)
        np.testing.assert_allclose(z.grad.numpy(), wanted, rtol=1e-3)
