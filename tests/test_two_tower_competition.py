"""Fixed draws looked at again: their pushes are those of the loss, and the sliders work at their ends."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from widget_cases import alt_of, move_every_control

from gsl_tutorial.course.plots.competition import draw_competition
from gsl_tutorial.course.plots.style import png
from gsl_tutorial.course.two_tower.competition import behind, fix_draws, pushes
from gsl_tutorial.course.two_tower.data import simulated_data
from gsl_tutorial.course.two_tower.sampling import CellTooSmallError
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.course.two_tower.towers import TwoTower
from gsl_tutorial.course.two_tower.training import TwoTowerConfig, train_towers
from gsl_tutorial.course.widgets import NegativesSliders
from gsl_tutorial.errors import InvalidInputError

TEXT, CELLS = made_up_items(120, 6, random_state=0)
DATA = simulated_data(TEXT, CELLS, CELLS, n_users=40, sharpness=3, random_state=0)
DRAWS = fix_draws(DATA, CELLS, n_events=60)
MODEL = TwoTower(TEXT, dim=8, generator=torch.Generator().manual_seed(0))
GAP = behind(DRAWS, MODEL)


def _slow_pushes(temperature: float, hard: int, corrected: bool) -> dict[str, list[float]]:
    """One event after the other, with Q put together by hand."""
    out: dict[str, list[float]] = {}
    n, sizes, share = 120, np.bincount(CELLS), DATA.share
    most = {"in-batch": 7, "uniform": 8 - hard, "same cell": hard}
    for row, positive in enumerate(DRAWS.positives):
        seen: dict[str, int] = {}
        terms = []
        for column, (kind, item) in enumerate(zip(DRAWS.kinds, DRAWS.items[row], strict=True)):
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] > most[kind] or DRAWS.excluded[row, column]:
                continue
            q = 7 * share[item] + (8 - hard if corrected else 8) / n
            if corrected and CELLS[item] == CELLS[positive]:
                q += hard / (sizes[CELLS[positive]] - 1)
            terms.append((kind, np.exp(GAP[row, column] / temperature) / q))
        total = 1 + sum(weight for _, weight in terms)
        for kind, weight in terms:
            out.setdefault(kind, []).append(weight / total)
    return out


@settings(max_examples=12, deadline=None)
@given(st.floats(0.05, 1), st.integers(0, 8), st.booleans())
def test_pushes_agree_with_a_plain_loop(temperature: float, hard: int, corrected: bool) -> None:
    found = pushes(DRAWS, GAP, temperature=temperature, hard=hard, corrected=corrected)
    slow = _slow_pushes(temperature, hard, corrected)
    assert set(found) == set(slow)
    for kind, (gap, push) in found.items():
        assert len(gap) == len(push)
        assert push == pytest.approx(slow[kind], rel=1e-3, abs=1e-6)


def test_a_look_at_the_towers_is_the_difference_of_cosines() -> None:
    with torch.no_grad():
        users = MODEL.users(torch.from_numpy(DRAWS.histories)).numpy()
        items = MODEL.items().numpy()
    for row in (0, len(users) - 1):
        scores = items @ users[row]
        expected = scores[DRAWS.items[row]] - scores[DRAWS.positives[row]]
        assert GAP[row] == pytest.approx(expected, abs=1e-6)


def test_watching_changes_nothing_and_sees_every_epoch() -> None:
    config = TwoTowerConfig(epochs=2, batch=64, dim=16, arm="text")
    looks: list[np.ndarray] = []
    watched = train_towers(DATA, config, watch=lambda model: looks.append(behind(DRAWS, model)))
    alone = train_towers(DATA, config)
    assert watched.history == alone.history
    assert len(looks) == 3
    assert looks[0].mean() > looks[-1].mean(), "negatives fall behind"


def test_a_user_with_an_embedding_of_its_own_can_be_looked_at() -> None:
    own = TwoTower(TEXT, dim=8, n_users=40, generator=torch.Generator().manual_seed(0))
    assert np.isfinite(behind(DRAWS, own)).all()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(CellTooSmallError):
        fix_draws(DATA, np.arange(120), n_events=16)
    with pytest.raises(InvalidInputError, match="8 events or more"):
        fix_draws(DATA, CELLS, n_events=3)
    with pytest.raises(InvalidInputError, match="temperature"):
        pushes(DRAWS, GAP, temperature=0, hard=4)
    with pytest.raises(InvalidInputError, match="hard"):
        pushes(DRAWS, GAP, temperature=0.1, hard=9)


def test_every_slider_works_at_both_ends() -> None:
    widget = NegativesSliders(DRAWS, [0.1 * GAP, GAP])
    assert "% of the push" in move_every_control(widget)


def test_the_words_below_the_picture_follow_the_controls() -> None:
    widget = NegativesSliders(DRAWS, [0.1 * GAP, GAP])
    for temperature, hard in ((0.5, 8), (0.02, 4)):
        widget._controls["temperature"].value = temperature
        widget._controls["hard"].value = hard
        found = pushes(DRAWS, GAP, temperature=temperature, hard=hard)
        total = sum(push.sum() for _, push in found.values())
        share = found["same cell"][1].sum() / total
        told = f"{share:.0%} of the push"
        assert f"temperature {temperature:g}, {hard} of" in widget._caption.value
        assert told in widget._caption.value
        assert told in alt_of(widget)


def test_a_picture_of_one_kind_alone_is_drawn() -> None:
    found = pushes(DRAWS, GAP, temperature=0.02, hard=8)
    figure = draw_competition(
        {"same cell": found["same cell"]}, n_events=60, temperature=0.02, title="x"
    )
    assert np.asarray(Image.open(io.BytesIO(png(figure))).convert("L")).std() > 5
