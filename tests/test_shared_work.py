"""Work that runs share: exact to the last bit, and kept apart where runs differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from runs_cases import assert_same_weights, config, make_data, outcome, shorten

from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.training.rounds import train
from gsl_tutorial.course.training.shared_work import SharedWork


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


def runs(dataset: str) -> list[Any]:
    """Of one seed: they differ in what the beginning of a run does not depend on."""
    plain = config(dataset, method="none")
    return [
        plain,
        replace(plain, method="snap-pull"),
        replace(plain, bits=4, n_codewords=4),
        replace(plain, quantizer="rq"),
        replace(
            plain, method="penalty", options=MethodOptions(strength=3.0), bits=2, n_codewords=4
        ),
        replace(plain, learning_rate=0.05),
        replace(plain, method="ste", seed=1),
        plain,
    ]


@pytest.mark.parametrize("dataset", ["digits", "cifar10"])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_run_that_starts_from_anothers_work_is_the_run_itself(
    dataset: str, backwards: bool
) -> None:
    images, labels = make_data(dataset)
    shared = SharedWork()
    wanted = runs(dataset) if dataset == "digits" else runs(dataset)[:3]
    for one in wanted[::-1] if backwards else wanted:
        with_others = train(one, images, labels, shared=shared)
        alone = train(one, images, labels)
        assert_same_weights(with_others, alone)
        assert outcome(with_others) == outcome(alone)
