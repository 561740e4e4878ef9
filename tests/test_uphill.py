"""Chapter 05's pictures and its guess: regions, resting places, shares, and what is said to a choice."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsl_tutorial.course.exercises import check
from gsl_tutorial.course.exercises.chapters.chapter05_place import CODEWORDS, PARTNER
from gsl_tutorial.course.plots.uphill import draw_question, draw_shares, draw_uphill, resting_places
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.widgets import Guess, explorer_parts
from gsl_tutorial.course.widgets.guesses import GUESSES
from gsl_tutorial.errors import InvalidInputError

PLANE = Plane(CODEWORDS, PARTNER)


def test_the_chapters_world_is_that_of_the_explorer() -> None:
    np.testing.assert_array_equal(CODEWORDS, explorer_parts.CODEWORDS)
    np.testing.assert_array_equal(PARTNER, explorer_parts.SIMILAR[0])


@given(
    strength=st.floats(0.05, 50),
    x=st.floats(-1.25, 1.25),
    y=st.floats(-1.25, 1.25),
)
def test_uphill_is_inside_the_circle_from_the_partner_to_the_cells_rest(
    strength: float, x: float, y: float
) -> None:
    """What the text says beside the picture; whether the cell holds its rest or not."""
    z = np.array([[x, y]])
    rest = (PARTNER + 2 * strength * PLANE.reconstruct(z)[0]) / (1 + 2 * strength)
    middle, radius = (PARTNER + rest) / 2, np.linalg.norm(rest - PARTNER) / 2
    along = (PLANE.penalized(z, strength) * PLANE.gradient(z)).sum()
    from_border = np.linalg.norm(z[0] - middle) - radius
    if abs(from_border) > 1e-9:
        assert (along < 0) == (from_border < 0)


@pytest.mark.parametrize("strength", [0.1, 1.5, 20.0])
def test_at_a_resting_place_the_sum_has_no_gradient(strength: float) -> None:
    rests = resting_places(PLANE, strength)
    assert len(rests) > 0
    np.testing.assert_allclose(PLANE.penalized(rests, strength), 0, atol=1e-12)


@pytest.mark.parametrize("strength", [0.0, 0.5, 100.0])
def test_the_regions_title_says_their_share(strength: float) -> None:
    (axes,) = draw_uphill(PLANE, [strength]).axes
    line = np.linspace(-1.25, 1.25, 301)
    places = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    share = ((PLANE.penalized(places, strength) * PLANE.gradient(places)).sum(axis=1) < 0).mean()
    assert axes.get_title().endswith(f"{share:.0%} uphill")


def test_the_question_shows_two_arrows_and_not_their_sum() -> None:
    figure = draw_question(PLANE, np.array([-0.2, 0.2]), 1.5)
    arrows = [text for text in figure.axes[0].texts if text.arrow_patch is not None]
    assert len(arrows) == 2


def test_shares_are_drawn_as_they_are() -> None:
    (axes,) = draw_shares([0.1, 1, 10], {"a": [0, 0.1, 0.2], "b": [0, 0, 0.4]}).axes
    np.testing.assert_array_equal(
        [line.get_ydata() for line in axes.lines], [[0, 0.1, 0.2], [0, 0, 0.4]]
    )


def test_a_faulty_explorer_gets_a_sentence() -> None:
    broken = SimpleNamespace(plane=PLANE, strength="much", point=(0, 0))
    assert check.uphill_place(broken).kind == "mistake"


# The guess


def _guess() -> Guess:
    return Guess("Which way, <left> or right?", {"left": "No & no.", "right": "Yes."})


def test_the_first_guess_is_kept_and_every_choice_is_answered() -> None:
    guess = _guess()
    assert (guess.first, guess.said, guess.buttons.value) == (None, "", None)
    guess.buttons.value = "left"
    assert guess.said == "Your guess: left. No & no."
    guess.buttons.value = "right"
    assert guess.first == "left"
    assert guess.said == "Your guess: right. Yes. (Your first guess: left.)"
    assert 'role="status"' in guess._reply.value


def test_without_a_kernel_each_choice_unfolds() -> None:
    data = _guess()._repr_mimebundle_()
    assert data["text/html"].count("<details>") == 2
    assert "&lt;left&gt;" in data["text/html"]
    assert "No &amp; no." in data["text/html"]
    assert "0x" not in data["text/plain"]


@pytest.mark.parametrize("name", GUESSES)
def test_the_chapters_guesses_answer_every_choice_and_one_says_yes(name: str) -> None:
    guess = Guess.of(name)
    said = []
    for choice in guess.buttons.options:
        guess.buttons.value = choice
        said.append(guess.said)
    assert (
        sum(
            f"{choice}. Yes" in text
            for choice, text in zip(guess.buttons.options, said, strict=True)
        )
        == 1
    )


def test_one_choice_is_no_guess() -> None:
    with pytest.raises(InvalidInputError, match="two choices"):
        Guess("Which?", {"this": "Of course."})
