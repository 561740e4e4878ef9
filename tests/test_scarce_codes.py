"""The wide network at few bits: shipped codes are those of the records, and each run has its mark."""

from __future__ import annotations

import numpy as np
import pytest

from gsl_tutorial.course.plots.bits import draw_scarce
from gsl_tutorial.course.results.our_runs import evaluations
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.results.shipped_codes import load_codes
from gsl_tutorial.evaluation import group_codes, streamed_average_precisions

RECORDS = evaluations(DATA / "results" / "cifar10-scarce")


@pytest.mark.parametrize("method", ["none", "snap-pull"])
def test_shipped_codes_reach_what_the_record_says(method: str) -> None:
    (record,) = [one for one in RECORDS if (one["method"], one["bits"]) == (method, 4)]
    shipped = load_codes(f"cifar10-full-{method}-4bit")
    assert len(np.unique(shipped.codes, axis=0)) == record["distinct_codes"]
    distinct, members = group_codes(shipped.codes, shipped.labels)
    scores = streamed_average_precisions(
        lambda part: shipped.quantizer.distances(shipped.query.z[part], distinct),
        shipped.query.labels,
        members,
    )
    assert scores.mean() == pytest.approx(record["adc_map"], abs=1e-3)  # queries in float16


def test_every_run_has_its_mark() -> None:
    axes = draw_scarce(RECORDS).axes[0]
    shown = sorted(text.get_text() for text in axes.texts)
    assert shown == sorted(f"{one['adc_map']:.2f}" for one in RECORDS)
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["2 × 4\n4 bits", "4 × 4\n8 bits", "4 × 16\n16 bits"]


def test_chapter_09_may_say_that_straight_through_ends_last() -> None:
    for bits in (4, 8, 16):
        of = {one["method"]: one for one in RECORDS if one["bits"] == bits}
        assert set(of) == {"none", "penalty", "snap-pull", "ste"}
        for key in ("adc_map", "exact_map"):
            assert min(of, key=lambda method: of[method][key]) == "ste", (bits, key)
