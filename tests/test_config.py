"""Configurations: what cannot work is refused, all settings go through JSON and back."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from runs_cases import (
    config,
)

from gsl_tutorial.course.datasets import PROTOCOLS
from gsl_tutorial.course.training.config import DATASETS, PROFILES, QUANTIZERS, TrainingConfig
from gsl_tutorial.course.training.encoders import ENCODERS
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.errors import (
    InvalidInputError,
    UnknownNameError,
)


@pytest.mark.parametrize(
    ("settings", "phrases"),
    [
        ({"bits": 7}, ["M log2 K with K = 256", "bits = 7", "8, 16, 32, 64"]),
        ({"bits": 24}, ["a divisor of 32", "bits = 24"]),
        ({"bits": 0}, ["bits a whole number, 1 or more", "got 0"]),
        ({"bits": 16.0}, ["bits a whole number", "got 16.0"]),
        ({"bits": 512}, ["M a divisor of 32"]),
        ({"n_codewords": 100}, ["K = 100"]),
        ({"n_codewords": 1}, ["n_codewords a whole number, from 2 to 65536"]),
        ({"dim": 30}, ["a divisor of 30"]),
        ({"dim": 0}, ["dim a whole number, 1 or more"]),
        ({"seed": -1}, ["seed a whole number", "got -1"]),
        ({"seed": 2**32}, ["seed", "to 4294967295", "got 4294967296"]),
        ({"seed": True}, ["seed", "got True"]),
        ({"dataset": "mnist"}, ["a dataset out of cifar10, cifar100, digits", "'mnist'"]),
        ({"method": "gsl"}, ["a method out of halfway, none, penalty", "'gsl'"]),
        ({"loss": "softmax"}, ["a loss out of cross-entropy, supervised-contrastive, triplet"]),
        ({"learning_rate": -0.1}, ["learning_rate 0 or more, finite", "-0.1"]),
        ({"learning_rate": math.inf}, ["learning_rate 0 or more, finite"]),
        ({"method": None}, ["a method out of", "None"]),
        ({"quantizer": "vq"}, ["a quantizer out of lsq, opq, pq, rq", "'vq'"]),
        ({"quantizer": "opq", "dim": 30}, ["M a divisor of 30"]),
        ({"quantizer": "rq", "bits": 7}, ["M log2 K", "bits = 7"]),
        ({"profile": "study"}, ["a profile out of quick", "'study'"]),
        (
            {"dataset": "cifar10", "profile": "slow"},
            ["a profile out of few, full, gpu, quick, study", "'slow'"],
        ),
        (
            {"protocol": "P2"},
            ["a protocol of the data set digits: one of digits, validation", "'P2'"],
        ),
        (
            {"dataset": "cifar10", "protocol": "P3"},
            [
                "a protocol of the data set cifar10: one of P2, validation, P0, P1a, P1b, unseen",
                "'P3'",
            ],
        ),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    settings: dict[str, Any], phrases: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        TrainingConfig(**settings)
    for phrase in [*phrases, "What to do: "]:
        assert phrase in str(caught.value)
    is_name = "out of" in phrases[0]
    assert isinstance(caught.value, UnknownNameError) is is_name
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "one",
    [
        TrainingConfig(),
        TrainingConfig("cifar10", bits=64, method="penalty", seed=2**32 - 1, protocol="unseen"),
        config(options=MethodOptions(0.1, n_candidates=2, length="full", fallback="keep", step=3)),
    ],
    ids=str,
)
def test_a_configuration_goes_through_json_and_back(one: TrainingConfig) -> None:
    assert TrainingConfig.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert one.difference(one) == ""


@pytest.mark.parametrize(
    ("values", "phrases"),
    [
        ({"bits": 8, "colour": 1}, ["the settings", "method", "unknown colour", "version"]),
        ({"options": {"lambda": 1}}, ["the settings", "strength", "unknown lambda"]),
        ([1, 2], ["the settings", "[1, 2]"]),
        ({"options": 3}, ["the settings", "got 3"]),
        ({"bits": "32"}, ["bits a whole number", "'32'"]),
    ],
)
def test_settings_that_are_not_known_are_refused(values: Any, phrases: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        TrainingConfig.from_dict(values)
    for phrase in phrases:
        assert phrase in str(caught.value)


def test_settings_that_are_absent_take_the_defaults() -> None:
    assert TrainingConfig.from_dict({"bits": 16}) == TrainingConfig(bits=16)


def test_every_dataset_has_its_profiles_and_known_protocols() -> None:
    assert set(DATASETS) == set(PROFILES)
    assert {code for codes in DATASETS.values() for code in codes} == set(PROTOCOLS)
    assert TrainingConfig("cifar10").protocol == "P2"
    assert TrainingConfig("digits").protocol == "digits"


def test_additive_codes_need_not_cut_the_embedding() -> None:
    for quantizer in ("rq", "lsq"):
        one = TrainingConfig(quantizer=quantizer, dim=31, bits=24)
        made = one.new_quantizer()
        assert type(made) is QUANTIZERS[quantizer]
        assert (made.n_subspaces, made.n_codewords, made.get_params()["random_state"]) == (
            3,
            256,
            0,
        )


def test_a_learning_rate_of_0_is_that_of_the_profile() -> None:
    assert TrainingConfig().schedule == PROFILES["digits"]["quick"]
    other = TrainingConfig(learning_rate=0.3).schedule
    assert other == replace(PROFILES["digits"]["quick"], learning_rate=0.3)


@pytest.mark.parametrize(
    ("settings", "encoder"),
    [
        ({"dataset": "digits"}, "digits"),
        ({"dataset": "cifar10"}, "conv"),
        ({"dataset": "cifar10", "profile": "study"}, "conv-small"),
    ],
)
def test_the_profile_names_the_encoder(settings: dict[str, Any], encoder: str) -> None:
    assert TrainingConfig(**settings).encoder == encoder
    for profiles in PROFILES.values():
        assert all(s.precision in ("float32", "bfloat16") for s in profiles.values())
        assert all(s.encoder in ("", *ENCODERS) for s in profiles.values())


def test_a_difference_names_every_setting_and_its_two_values() -> None:
    one = TrainingConfig("cifar10")
    other = replace(one, loss="triplet", learning_rate=0.2, options=MethodOptions(temperature=0.5))
    assert one.difference(other) == (
        "loss='triplet' instead of 'cross-entropy', learning_rate=0.2 instead of 0.0, "
        "temperature=0.5 instead of 0.05"
    )


def test_options_in_saved_records_read_back_as_they_are() -> None:
    records = sorted((Path(__file__).parents[1] / "data" / "results" / "cifar10").rglob("*.json"))
    assert len(records) > 100
    for path in records[::10]:
        options = json.loads(path.read_text(encoding="utf-8"))["options"]
        assert asdict(MethodOptions(**options)) == options
