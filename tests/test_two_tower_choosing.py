"""What a run of the study is given: settings of the best trial, its data, the events it is measured on."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsl_tutorial.course.datasets.movielens import MovieLens
from gsl_tutorial.course.two_tower import study as study_module
from gsl_tutorial.course.two_tower.data import movielens_data, simulated_data
from gsl_tutorial.course.two_tower.evaluation import Measured, measure_towers
from gsl_tutorial.course.two_tower.grid import TwoTowerRun, load_grid
from gsl_tutorial.course.two_tower.items import ItemTexts, first_cells, load_items
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.course.two_tower.study import TwoTowerResults, execute_run, task_data
from gsl_tutorial.storage import write_json

TEXT, CELLS = made_up_items(300, 6, random_state=0)
DATA = simulated_data(TEXT, CELLS, CELLS, n_users=40, sharpness=3, random_state=0)
SMALL = """
name = "small"
[base]
[tasks.simulated]
[tasks.movielens]
[[parts]]
name = "tune"
on = "validation"
tasks = ["simulated", "movielens"]
arms = ["uniform", "text"]
seeds = [9]
variants = [
    { temperature = 0.1, learning_rate = 0.1 }, { temperature = 0.2, learning_rate = 0.2 },
    { temperature = 0.3, learning_rate = 0.3 },
]
[[parts]]
name = "core"
on = "test"
tasks = ["simulated", "movielens"]
arms = ["uniform", "in-batch", "full", "text", "text-raw", "genre", "learned"]
seeds = [0]
variants = [{}, { temperature = 0.7 }]
[[parts]]
name = "codes-tune"
on = "validation"
tasks = ["simulated", "movielens"]
arms = ["text"]
seeds = [9]
variants = [
    { method = "penalty", strength = 1.0 }, { method = "penalty", strength = 2.0 },
    { method = "snap-pull", strength = 3.0 }, { method = "snap-pull", strength = 4.0 },
]
[[parts]]
name = "codes"
on = "test"
tasks = ["simulated", "movielens"]
arms = ["text"]
seeds = [0]
variants = [{ method = "none" }, { method = "penalty" }, { method = "snap-pull", strength = 9.0 }]
"""


@pytest.fixture(scope="module")
def texts() -> ItemTexts:
    return load_items()


def _tried(results: TwoTowerResults, part: str, rng: np.random.Generator) -> dict[Any, TwoTowerRun]:
    """Write a record for each trial; returns the best of each task, arm and method.

    Where there are codes, the exact search says the opposite of what the codes say.
    """
    best: dict[Any, tuple[float, TwoTowerRun]] = {}
    for run in results.study.runs(part, lambda *of: {}):
        value = float(rng.random())
        figures = {"recall@10": 1 - value if part == "codes-tune" else value}
        codes = {"8": {"recall@10": value}} if part == "codes-tune" else {}
        write_json(
            results.file(run),
            {"config": asdict(run.config), "figures": figures, "codes": codes},
        )
        key = run.task, run.config.arm, run.config.method
        if key not in best or value > best[key][0]:
            best[key] = value, run
    return {key: run for key, (_, run) in best.items()}


@pytest.mark.parametrize("seed", range(6))
def test_each_arm_takes_the_settings_of_its_rivals_best_trial(tmp_path: Path, seed: int) -> None:
    (tmp_path / "grid.toml").write_text(SMALL)
    results = TwoTowerResults(load_grid(tmp_path / "grid.toml"), tmp_path)
    rng = np.random.default_rng(seed)
    best, coded = _tried(results, "tune", rng), _tried(results, "codes-tune", rng)
    for run in results.planned("core"):
        rival = "text" if run.config.arm in ("text", "text-raw", "genre", "learned") else "uniform"
        chosen = best[run.task, rival, "none"].config
        # What the part itself says goes before what was chosen.
        wanted = 0.7 if run.number else chosen.temperature
        assert (run.config.temperature, run.config.learning_rate) == (wanted, chosen.learning_rate)
    runs = results.planned("codes")
    assert len(runs) == 6
    for run in runs:
        assert run.config.temperature == best[run.task, "text", "none"].config.temperature
        if run.config.method == "penalty":
            tried = coded[run.task, "text", "penalty"].config
            assert run.config.options.strength == tried.options.strength
        if run.config.method == "snap-pull":
            assert run.config.options.strength == 9


@pytest.mark.parametrize("part", [part.name for part in load_grid().parts])
def test_a_run_is_measured_on_the_events_that_its_part_names(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid, asked = load_grid(), []

    def measure(trained: Any, data: Any, *, part: str, **rest: Any) -> Measured:
        asked.append(part)
        return measure_towers(trained, data, part=part, **rest)

    monkeypatch.setattr(study_module, "measure_towers", measure)
    monkeypatch.setattr(study_module, "SIZES", (4, 8))
    run = next(r for r in grid.runs(part, lambda *of: {}) if r.task == grid.part(part).tasks[0])
    quick = {"epochs": 1, "batch": 64, "dim": 8, "bytes_per_item": 4, "quantized_epochs": 1}
    record, _ = execute_run(replace(run, config=replace(run.config, **quick)), DATA)
    assert set(asked) == {grid.part(part).on} == {record["on"]}
    assert len(asked) == 1 + len(record["codes"])
    assert (record["on"] == "validation") is ("tune" in part or "search" in part)


def test_codes_after_training_are_fitted_to_the_whole_catalogue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(study_module, "SIZES", (4, 8))
    run = next(r for r in load_grid().runs("codes", lambda *of: {}) if r.config.method == "none")
    trained = study_module.train_towers(DATA, replace(run.config, epochs=1, batch=64, dim=8))
    for size, quantizer in study_module._quantizers(run, trained).items():
        assert quantizer.usage_.sum() == size * 300


# The data


def _films(ids: np.ndarray, **ratings: Any) -> MovieLens:
    """A catalogue of these films; an even number is a comedy, an odd one a drama."""
    none = np.zeros(0, dtype=np.int64)
    columns = {"user": none, "item": none, "rating": np.zeros(0), "time": none, **ratings}
    genres = tuple("Drama" if number % 2 else "Comedy" for number in ids)
    return MovieLens(ids, tuple(map(str, ids)), genres, **columns)


def test_simulated_users_have_the_simulators_cells_and_training_has_others(
    texts: ItemTexts,
) -> None:
    runs = load_grid().runs("core", lambda *of: {})
    run = next(r for r in runs if r.task == "simulated" and r.config.arm == "text")
    run = replace(run, data={**run.data, "n_users": 20})
    films = _films(np.random.default_rng(0).permutation(texts.ids))
    data = task_data(run, texts, films)
    rows, vectors, cells = first_cells(texts, run.data["n_true_cells"])
    assert not np.array_equal(cells["simulator"], cells["training"])
    np.testing.assert_array_equal(data.text, vectors)
    np.testing.assert_array_equal(data.cells["true"], cells["simulator"])
    np.testing.assert_array_equal(data.cells["text"], cells["training"])
    sizes = np.bincount(data.cells["random"]).tolist()
    assert sizes == np.bincount(cells["training"]).tolist()
    np.testing.assert_array_equal(data.cells["genre"], texts.ids[rows] % 2)
    for user in range(20):  # two liked cells, which are the true ones
        parts = (data.events.train, data.events.validation, data.events.test)
        mine = np.concatenate([one.item[one.user == user] for one in parts])
        assert len(set(data.cells["true"][mine])) == 2
    other = task_data(replace(run, config=replace(run.config, seed=1)), texts, None)
    assert not np.array_equal(other.events.test.item, data.events.test.item)
    assert "genre" not in other.cells


def test_people_are_those_with_twenty_liked_films_and_texts_are_in_their_order(
    texts: ItemTexts,
) -> None:
    rng = np.random.default_rng(0)
    ids = rng.permutation(texts.ids)[:200]
    liked = (20, 19, 31)  # of each user
    user = np.repeat(np.arange(3), [n + 4 for n in liked])
    item = np.concatenate([rng.permutation(200)[: n + 4] for n in liked])
    rating = np.concatenate([[3.5] * n + [3.0] * 4 for n in liked])
    time = rng.permutation(len(user))
    films = _films(ids, user=user, item=item, rating=rating, time=time)
    data = movielens_data(films, texts)
    rows = [int(np.flatnonzero(texts.ids == number)[0]) for number in ids]
    np.testing.assert_array_equal(data.text, texts.vectors[rows])
    np.testing.assert_array_equal(data.cells["text"], texts.cells["training"][rows])
    np.testing.assert_array_equal(data.cells["genre"], ids % 2)
    parts = (data.events.train, data.events.validation, data.events.test)
    assert [len(one) for one in parts] == [10 + 21, 10, 10]
    for number, person in enumerate((0, 2)):
        found = np.concatenate([one.item[one.user == number] for one in parts])
        of_user = (user == person) & (rating == 3.5)
        assert sorted(found) == sorted(item[of_user])
    counts = np.bincount(data.events.train.item, minlength=200)
    np.testing.assert_allclose(data.share, counts / 31)
