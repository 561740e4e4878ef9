"""The grid of a study: what is declared, and what is refused before the first hour is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gsl_tutorial.course.study import available, load_study
from gsl_tutorial.course.training.ablations import ABLATIONS
from gsl_tutorial.course.training.methods import METHODS
from gsl_tutorial.errors import DataMissingError, InvalidInputError, UnknownNameError

#: What came after the first studies.
LATER = {"radius", "halfway", "pull-relative", *ABLATIONS}

MAPS = ["circle", "map", "map-classes", "map-contrastive", "map-crowd", "map-digits", "map-why"]
RIVALS = {"none", "penalty", "ste", "rotation", "soft", "radius"}
SNAPS = {"snap-pull", "snap-lookahead", "snap-replace"}

SMALL = """
name = "small"
train_per_class = 20
queries = 30
[base]
dataset = "digits"
dim = 8
n_codewords = 16
[learning_rates]
cross-entropy = 0.1
[tune]
protocols = ["validation"]
quantizers = ["pq"]
bits = [8]
seeds = [100]
[tune.trials.cross-entropy]
none = [{rate = 1.0}, {rate = 0.5}]
penalty = [{strength = 1.0}, {strength = 9.0}]
[[parts]]
name = "core"
protocols = ["digits"]
losses = ["cross-entropy"]
methods = ["penalty"]
quantizers = ["pq", "rq"]
bits = [8]
seeds = [0, 1]
variants = [{}, {n_candidates = 2, rate = 3.0}]
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write_


def changed(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


# Declared


def test_the_studies_that_come_with_the_package_are_whole() -> None:
    assert available() == sorted(["cifar10", "digits", "digits-coarse", *MAPS])
    for name in ("cifar10", "digits"):
        study = load_study(name)
        assert study.name == name
        for trials in study.trials.values():
            assert set(trials) == set(METHODS) - LATER
        chosen = {(x, m): {} for x in study.tune.losses for m in study.tune.methods}
        runs = study.tuning() + [r for part in study.parts for r in study.runs(part, chosen)]
        assert len({(run.part, run.name) for run in runs}) == len(runs)
        assert study.tune.protocols == ("validation",)
        used = {seed for part in study.parts if part.name != "layer" for seed in part.seeds}
        assert not used & set(study.tune.seeds)
        core = next(part for part in study.parts if part.name == "core")
        assert set(core.methods) == set(METHODS) - LATER
        assert len(core.seeds) >= 3


@pytest.mark.parametrize("name", [*MAPS, "digits-coarse"])
def test_the_maps_are_whole_and_no_seed_that_chose_is_measured(name: str) -> None:
    study = load_study(name)
    assert study.name == name
    chosen: dict[Any, Any] = {key: {} for key in study.keys()}  # noqa: SIM118
    runs = study.tuning() + [r for part in study.parts for r in study.runs(part, chosen)]
    assert len({(run.part, run.name) for run in runs}) == len(runs)
    assert study.tune.protocols == ("validation",)
    assert not {seed for part in study.parts for seed in part.seeds} & set(study.tune.seeds)
    for trials in study.trials.values():
        assert all(len(rows) + study.more_trials >= 4 for rows in trials.values())
    if name in ("map", "map-contrastive"):
        asked = (
            RIVALS | SNAPS if name == "map" else {"none", "penalty", "ste", "rotation", "snap-pull"}
        )
        assert set(study.tune.methods) >= asked
        test = next(part for part in study.parts if part.name == "test")
        assert test.cells == study.tune.cells
        # A variant is judged on validation images; everything else goes on to the test.
        assert set(test.methods) == set(study.tune.methods) - {"pull-relative"}
        assert test.protocols == ("P2",)
        assert len(test.seeds) >= 5


def test_the_map_compares_equal_bits_and_sweeps_four_decades() -> None:
    study = load_study("map")
    bits = [run.config.bits for run in study.tuning() if run.config.method == "none"]
    assert {4, 8, 16} <= {one for one in bits if bits.count(one) >= 4}
    parts = {part.name: part for part in study.parts}
    assert len(parts["unseen"].seeds) >= 10
    assert len(parts["unseen"].cells) == 2
    strengths = [variant["strength"] for variant in parts["strength"].variants]
    assert max(strengths) / min(strengths) >= 1e4
    assert set(parts["quantizers"].quantizers) == {"opq", "rq"}


def test_a_study_is_the_product_of_its_lists(write: Any) -> None:
    study = load_study(write(SMALL))
    tuning = study.tuning()
    assert [(r.config.method, r.variant) for r in tuning] == [
        ("none", 0),
        ("none", 1),
        ("penalty", 0),
        ("penalty", 1),
    ]
    assert [r.config.learning_rate for r in tuning] == [0.1, 0.05, 0.1, 0.1]
    assert [r.config.options.strength for r in tuning][2:] == [1.0, 9.0]
    assert {r.config.protocol for r in tuning} == {"validation"}
    (core,) = study.parts
    runs = study.runs(core, {("cross-entropy", "penalty"): {"strength": 9.0, "rate": 0.5}})
    assert [(r.config.seed, r.config.quantizer, r.variant) for r in runs] == [
        (seed, quantizer, variant)
        for seed in (0, 1)  # outermost, so that a study stopped early is whole for some seeds
        for quantizer in ("pq", "rq")
        for variant in (0, 1)
    ]
    for run in runs:
        options = run.config.options
        assert options.strength == 9.0
        assert options.n_candidates == (2 if run.variant else 4)
        assert run.config.learning_rate == pytest.approx(0.3 if run.variant else 0.05)
        assert (run.config.dim, run.config.bits) == (8, 8)
    assert runs[0].name == "digits_cross-entropy_penalty_pq8_seed0"
    assert runs[1].name == "digits_cross-entropy_penalty_pq8_seed0_v1"
    # What was chosen is read, not used up.
    assert study.trials["cross-entropy"]["none"] == ({"rate": 1.0}, {"rate": 0.5})
    assert study.tuning() == tuning


# Refused


@pytest.mark.parametrize(
    ("old", "new", "phrases"),
    [
        ("queries = 30", "queries = ", ["mine.toml", "TOMLDecodeError", "line 4"]),
        ("queries = 30", "", ["mine.toml", "KeyError", "queries"]),
        ("queries = 30", "question = 30", ["the keys base", "got question"]),
        ("queries = 30", "queries = -1", ["queries a whole number, 0 or more", "-1"]),
        ("train_per_class = 20", 'train_per_class = "x"', ["train_per_class", "'x'"]),
        ('name = "small"', "name = 3", ["a name that can be that of a folder", "got 3"]),
        ('name = "core"', 'name = "../up"', ["that of a folder", "'../up'"]),
        ('name = "core"', 'name = "tune"', ["none called tune", "tune, tune"]),
        ("[[parts]]", "[parts]", ["got"]),
        ("[[parts]]", "[[part]]", ["the keys", "got part"]),
        ("dim = 8", "dimension = 8", ["TypeError", "dimension"]),
        ("dim = 8", "dim = 0", ["dim a whole number, 1 or more"]),
        ('dataset = "digits"', 'dataset = "mnist"', ["a dataset out of", "'mnist'"]),
        ("cross-entropy = 0.1", "triplet = 0.1", ["KeyError", "cross-entropy"]),
        ("cross-entropy = 0.1", 'cross-entropy = "fast"', ["TypeError"]),
        ("cross-entropy = 0.1", "cross-entropy = -0.1", ["learning_rate 0 or more"]),
        (
            "{strength = 9.0}",
            "",
            ["the same number of trials", "none 2, cross-entropy penalty 1", "fair"],
        ),
        ("{rate = 0.5}", "{rate = 0.5}, {rate = 2.0}", ["none 3, cross-entropy penalty 2"]),
        ("{strength = 9.0}", "{lambda = 9.0}", ["TypeError", "lambda"]),
        ("{strength = 9.0}", "{temperature = 0}", ["temperature above 0"]),
        ("{strength = 9.0}", '"ab"', ["mine.toml", "ValueError"]),
        ("{strength = 9.0}", "3", ["mine.toml", "TypeError"]),
        ("penalty = [{", "pennalty = [{", ["tuned (part core)", "got penalty", "under [tune]"]),
        ("none = [{", "non = [{", ["a method out of", "'non'"]),
        ('methods = ["penalty"]', 'methods = ["soft"]', ["tuned (part core)", "got soft"]),
        ('quantizers = ["pq", "rq"]', 'quantizers = ["vq"]', ["a quantizer out of", "'vq'"]),
        ('protocols = ["digits"]', 'protocols = ["P2"]', ["of the data set digits", "'P2'"]),
        ("seeds = [0, 1]", "seeds = [-1]", ["seed a whole number", "-1"]),
        ("seeds = [0, 1]", "seeds = 0", ["a list of one or more for seeds", "got 0"]),
        ("seeds = [0, 1]", "seeds = []", ["a list of one or more for seeds", "[]"]),
        ("seeds = [0, 1]", "seeds = [0, 1]\nseed = 3", ["the keys bits", "got seed"]),
        ('["penalty"]', '"penalty"', ["a list of one or more for methods", "'penalty'"]),
        ("bits = [8]\nseeds = [0", "bits = [7]\nseeds = [0", ["bits = M log2 K", "bits = 7"]),
        ("rate = 3.0", "n_subspaces = 3", ["TypeError", "n_subspaces"]),
    ],
)
def test_a_wrong_study_is_refused_where_it_is_read(
    old: str, new: str, phrases: list[str], write: Any
) -> None:
    path = write(changed(old, new))
    with pytest.raises(InvalidInputError) as caught:
        load_study(path)
    for phrase in [*phrases, "What to do: "]:
        assert phrase in str(caught.value)
    assert caught.value.exit_code == 2


def test_every_loss_tries_the_same_methods(write: Any) -> None:
    more = "[tune.trials.triplet]\nnone = [{}, {}]\n{}\n[[parts]]"
    text = changed("cross-entropy = 0.1", "cross-entropy = 0.1\ntriplet = 0.1")
    whole = load_study(
        write(text.replace("[[parts]]", more.replace("{}\n[[", "penalty = [{}, {}]\n[[")))
    )
    assert [run.config.loss for run in whole.tuning()] == ["cross-entropy"] * 4 + ["triplet"] * 4
    for rows in ("", "ste = [{}, {}]", "penalty = [{}, {}]\nste = [{}, {}]"):
        with pytest.raises(
            InvalidInputError, match="the same number of trials for every method and loss"
        ):
            load_study(write(text.replace("[[parts]]", more.replace("{}\n[[", rows + "\n[["))))


def test_no_trials_at_all_are_refused(write: Any) -> None:
    head, tail = SMALL.split("none = [{rate")[0], SMALL[SMALL.index("[[parts]]") :]
    for rows, said in (
        ("", "got none"),
        ("none = []\npenalty = []\n", "none 0, cross-entropy penalty 0"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            load_study(write(head + rows + tail))


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownNameError, match=r"a study out of cifar10, circle, digits.*got 'mnist'"
    ):
        load_study("mnist")
    with pytest.raises(DataMissingError, match="no such file"):
        load_study(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = \xe9")
    with pytest.raises(InvalidInputError, match=r"latin\.toml: TOMLDecodeError"):
        load_study(tmp_path / "latin.toml")
