"""Claims with cards: the records that a card names exist, and it opens by key, on paper and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import browser, patient_page, show_alone
from playwright.sync_api import expect

from gsl_tutorial.course.plots.claim_cards import claims_html, show_claims
from gsl_tutorial.course.results.claims import Claim, in_words, run_claim
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.study import StudyResults, load_study
from gsl_tutorial.course.study.map_file import read_map
from gsl_tutorial.course.study.map_words import (
    circle_says,
    said,
    size_of,
    sweep_says,
    when_it_matters,
)
from gsl_tutorial.course.study.report import compare, settings
from gsl_tutorial.course.study.study_claims import (
    circle_claims,
    map_claims,
    setting_claim,
    sweep_claims,
)
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.storage import read_json

ROOT = Path(__file__).parents[1]
HOSTILE = Claim("1 < 2 & <b>bold</b>", ("data/*.json",), "0", "<script>x</script>", "a test")


@pytest.fixture(scope="module")
def shipped() -> list[Claim]:
    """Every claim of chapters 07 and 09."""
    table = read_map()
    results = StudyResults(load_study("cifar10"), DATA / "results")
    made = [*map_claims(table), *circle_claims(table), *sweep_claims(table)]
    for part in ("core", "bits"):
        for setting in settings(results, part):
            rows = compare(results, part, setting)
            made.append(setting_claim("a sentence", "cifar10", part, setting, rows))
            one = [row for row in rows if row.method == "snap-pull"]
            made.append(setting_claim("a sentence", "cifar10", part, setting, one))
            for row in rows:
                if row.against_none is not None:
                    assert f"{named(row.method)} {said(row.against_none)}" in made[-2].interval
    card = read_json(DATA / "cifar10-p2-32bit" / "card.json")
    return [*made, run_claim("a sentence", "cifar10-p2-32bit", card)]


def test_every_record_that_a_card_names_exists(shipped: list[Claim]) -> None:
    for claim in shipped:
        for pattern in claim.records:
            assert list(ROOT.glob(pattern)), f"{claim.says}: {pattern}"
        assert all(claim.lines().values()) or not claim.records, claim


def test_the_seeds_of_a_card_are_those_of_its_records(shipped: list[Claim]) -> None:
    asked = 0
    for claim in shipped:
        for pattern in claim.records:
            if "/map/test/" not in pattern and "/cifar10/" not in pattern:
                continue
            seeds = {read_json(path)["seed"] for path in ROOT.glob(pattern)}
            assert claim.seeds == f"{in_words(seeds)} for each method"
            asked += 1
    assert asked > 5


def test_the_sentences_are_those_of_the_map() -> None:
    table = read_map()
    for claims, says in (
        (map_claims, when_it_matters),
        (circle_claims, circle_says),
        (sweep_claims, sweep_says),
    ):
        assert [claim.says for claim in claims(table)] == says(table)


def test_the_intervals_of_a_card_are_of_what_its_sentence_speaks_of() -> None:
    table = read_map()
    told = {claim.says: claim.interval for claim in map_claims(table)}
    rivals = {"beats the best-tuned penalty": "penalty", "Against plain training": "none"}
    for words, rival in rivals.items():
        ((sentence, interval),) = [(s, i) for s, i in told.items() if words in s]
        for cell in table.cells:
            gain = cell.gain("snap-pull", rival)
            assert gain is not None
            shown = f"{size_of(cell.name)}: {said(gain)}"
            assert (shown in interval) == (size_of(cell.name) in sentence or rival == "none")
    for words in ("No other rival", "Is beaten by straight-through"):
        for interval in (i for s, i in told.items() if s.startswith(words)):
            for cell in table.cells:
                assert said(cell.findings["ste"].against["snap-pull"]) in interval
    assert all("+" not in i for s, i in told.items() if s.startswith("At "))


def test_text_stands_in_for_html_and_html_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    show_claims([HOSTILE])
    assert "1 < 2 & <b>bold</b>" in capsys.readouterr().out
    fragment = claims_html([HOSTILE])
    assert "1 &lt; 2 &amp; &lt;b&gt;" in fragment
    assert "<script" not in fragment


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


def test_a_card_opens_by_key_on_paper_and_on_a_phone(opened: Any, shipped: list[Claim]) -> None:
    page = patient_page(opened, width=390, height=800)
    show_alone(page, claims_html(shipped))
    card = page.locator("details").first
    inside = card.locator("dd").first
    expect(inside).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(inside).to_be_visible()
    expect(card.locator("dt")).to_have_text(["Records", "Seeds", "Interval", "Checked by"])
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = false))")
    expect(inside).to_be_hidden()
    page.emulate_media(media="print")
    expect(inside).to_be_visible()
    page.close()
