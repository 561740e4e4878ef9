"""Every example of "Use the layer in your own training" runs as it stands, and does what its text says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

PAGE = Path(__file__).parents[1] / "docs" / "training.md"
WORLD, *_SECTIONS = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def code(text: str) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL))


SECTIONS = {section.split("\n", 1)[0]: code(section) for section in _SECTIONS}


def run(title: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that are there after the world and the section's example."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(code(WORLD) + SECTIONS[title], title, "exec"), names)
    return names


def weights(names: dict[str, Any]) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in names["encoder"].parameters()])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        return run("Plain PyTorch", tmp_path_factory.mktemp("plain"), patch)


@pytest.mark.parametrize(
    "title", [t for t, text in SECTIONS.items() if text and not t.startswith("Several processes")]
)
@pytest.mark.filterwarnings("error::gsl_tutorial.errors.LossScaleWarning")
def test_the_example_runs(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run(title, tmp_path, monkeypatch)
    assert torch.isfinite(weights(names)).all()


@pytest.mark.parametrize(
    ("title", "tolerance"),
    [
        ("Losses that are summed", 1e-5),
        ("torch.compile", 1e-5),
        ("Activation checkpointing", 1e-5),
        ("Deep copies and averages of weights", 1e-5),
        ("Mixed precision with a gradient scaler", 0.005),
    ],
)
def test_it_is_the_plain_loop_in_another_dress(
    title: str,
    tolerance: float,
    plain: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = run(title, tmp_path, monkeypatch)
    far = (weights(names) - weights(plain)).abs().max()
    assert far <= tolerance


def test_accumulating_is_the_whole_batch_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = run("Gradient accumulation", tmp_path, monkeypatch)
    whole: dict[str, Any] = {}
    exec(code(WORLD) + "batches = [(images, labels)]\n" + SECTIONS["Plain PyTorch"], whole)
    torch.testing.assert_close(weights(got), weights(whole))


def test_what_was_resumed_and_averaged_has_the_codebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = run("Checkpoint and resume", tmp_path, monkeypatch)
    assert np.array_equal(names["fresh"].codebooks_, names["quantizer"].codebooks_)
    names = run("Deep copies and averages of weights", tmp_path, monkeypatch)
    assert np.array_equal(names["averaged_quantizer"].codebooks_, names["quantizer"].codebooks_)


def test_the_exported_model_is_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run("Export", tmp_path, monkeypatch)
    assert torch.equal(names["logits"], names["model"](names["images"][:50]))


def test_two_processes_are_one_with_the_whole_batch(plain: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(code(WORLD) + SECTIONS["Several processes"])
    root = str(PAGE.parents[1])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": root}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*torchrun, "--nproc-per-node", "2", str(script)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    trained = torch.load(tmp_path / "trained.pt", weights_only=True)
    for name, value in plain["encoder"].state_dict().items():
        torch.testing.assert_close(trained[f"0.{name}"], value, rtol=1e-4, atol=1e-6)
    for name, value in plain["classifier"].state_dict().items():
        torch.testing.assert_close(trained[f"2.{name}"], value, rtol=1e-4, atol=1e-6)
    # Refitted from the same vectors in another order: as good, if not equal number by number.
    fitted, z = plain["quantizer"], plain["embeddings"]
    other = type(fitted)(4, 16).with_codebooks(trained["1.pq_codebooks"].numpy())
    assert other.distortion(z) == pytest.approx(fitted.distortion(z), rel=0.05)


def test_several_processes_are_killed_and_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    program = code(WORLD) + SECTIONS["Several processes, killed and resumed"]
    replaced = '        os.replace("state.tmp", "state.pt")\n'
    assert replaced in program
    killed = (
        replaced
        + "        if done == 3 and 'KILL' in os.environ:\n            os.kill(os.getpid(), 9)\n"
    )
    script = tmp_path / "train.py"
    script.write_text(program.replace(replaced, killed))

    def torchrun(folder: Path, **more: str) -> int:
        folder.mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(PAGE.parents[1]),
            **more,
        }
        return subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
             str(script)],
            cwd=folder, env=environment, capture_output=True, check=False,
        ).returncode  # fmt: skip

    assert torchrun(tmp_path / "whole") == 0
    assert torchrun(tmp_path / "killed", KILL="1") != 0
    assert torch.load(tmp_path / "killed" / "state.pt", weights_only=True)["done"] == 3
    assert torchrun(tmp_path / "killed") == 0
    whole, resumed = (
        torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "killed")
    )
    assert whole["done"] == resumed["done"] > 3
    for name, value in whole["model"].items():
        torch.testing.assert_close(resumed["model"][name], value, rtol=1e-6, atol=1e-7)
