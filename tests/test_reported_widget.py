"""The figure of chapter 10's opening: every way to report against a slow twin, and the page itself."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from browser import browser, chromium_or_skip, patient_page, show_alone
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from gsl_tutorial.course.plots.style import png
from gsl_tutorial.course.results.reported import Choices, reported_figures, search_by_signs
from gsl_tutorial.course.widgets import ReportedFigure
from gsl_tutorial.errors import InvalidInputError

CHOICES = Choices(
    {"look at": ["all", "ten", "one"], "divide by": ["could", "came"]},
    np.array([[0.7, 0.7], [0.5, 0.8], [0.6, 0.9]]),
)


def slow_average_precision(relevant: list[bool], n_relevant: int, at: int, divisor: str) -> float:
    """One ranking without ties, by hand."""
    hits, total = 0, 0.0
    for rank, is_hit in enumerate(relevant[:at], start=1):
        hits += is_hit
        total += is_hit * hits / rank
    by = hits if divisor == "retrieved" else min(at, n_relevant)
    return total / by if by else 0.0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_every_figure_is_that_of_a_slow_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    labels, query_labels = rng.integers(0, 3, n), rng.integers(0, 3, 4)
    if not np.isin(query_labels, labels).any():
        return
    distances = np.stack([rng.permutation(n) for _ in query_labels]).astype(float)
    found = reported_figures({"one": (distances, labels)}, query_labels)
    ranks, divisors = (1_000_000, 1000, 100, 10), ("relevant", "retrieved")
    for (r, at), (v, divisor) in product(enumerate(ranks), enumerate(divisors)):
        each = []
        for row, label in zip(distances, query_labels, strict=True):
            relevant = (labels[np.argsort(row)] == label).tolist()
            each.append(slow_average_precision(relevant, sum(relevant), at, divisor))
        with_hits = [one for one in each if one > 0]
        assert found.figures[0, r, v, 0] == pytest.approx(np.mean(each))
        if with_hits:
            assert found.figures[0, r, v, 1] == pytest.approx(np.mean(with_hits))


def test_short_codes_are_signs_and_their_distances_count_bits() -> None:
    rng = np.random.default_rng(0)

    class Part(SimpleNamespace):
        def __len__(self) -> int:
            return len(self.z)

    def part(n: int) -> Part:
        return Part(z=rng.normal(size=(n, 6)), labels=rng.integers(0, 2, n))

    run: Any = SimpleNamespace(query=part(20), database=part(50))
    databases, labels = search_by_signs(run, n_bits=4, n_query=5)
    assert len(labels) == 5
    for distances, of in databases.values():
        assert distances.shape == (5, 15) == (5, len(of))
        assert set(np.unique(distances)) <= {0, 1, 2, 3, 4}
    again, _ = search_by_signs(run, n_bits=4, n_query=5)
    other, _ = search_by_signs(run, n_bits=4, n_query=5, random_state=1)
    name = next(iter(databases))
    assert (databases[name][0] == again[name][0]).all()
    assert (databases[name][0] != other[name][0]).any()


def test_it_says_what_it_shows_and_draws_a_still() -> None:
    one = ReportedFigure(CHOICES)
    assert one.figure == 0.7
    assert "in 6 ways: from 0.500 to 0.900" in one.alt
    one.chosen = [2, 1]
    assert one.figure == 0.9
    assert "look at one; divide by came. Reported: 0.900" in one.alt
    assert png(one.still())
    again = ReportedFigure(CHOICES)
    again.open_link(one.link)
    assert list(again.chosen) == [2, 1]


@pytest.mark.parametrize("chosen", [[0], [0, 2], [-1, 0], [0, 0, 0], "00", None, [0, 0.5]])
def test_what_it_cannot_show_is_refused(chosen: Any) -> None:
    one = ReportedFigure(CHOICES)
    one.chosen = chosen
    with pytest.raises(InvalidInputError):
        one.check()
    assert "expected" in repr(one)
    assert "<img" not in one._repr_mimebundle_()[0]["text/html"]


def test_the_page_follows_the_hand_and_remembers_the_highest() -> None:
    chromium_or_skip()
    with browser() as chromium:
        page = patient_page(chromium, width=360, height=800)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        show_alone(page, ReportedFigure(CHOICES).to_html())
        sentence = page.locator("[data-read=sentence]")
        expect(sentence).to_contain_text("Reported: 0.700, which is where we began")
        for rank, divisor in product(range(3), range(2)):
            page.locator("[data-choose='0']").select_option(index=rank)
            page.locator("[data-choose='1']").select_option(index=divisor)
            figure = CHOICES.figures[rank, divisor]
            expect(sentence).to_contain_text(f"Reported: {figure:.3f}")
            expect(page.locator(".gsl-reported-value")).to_have_text(f"{figure:.3f}")
        page.get_by_role("button", name="Start again").click()
        expect(sentence).to_contain_text("Reported: 0.700")
        expect(sentence).to_contain_text("highest that you have reached is 0.900")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert errors == []
