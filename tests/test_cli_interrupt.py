"""Ctrl-C, really: a training is interrupted from outside, and --resume ends with the same weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from cli_cases import SHORT, Run, command_line, shorten, weights

from gsl_tutorial.course.training.config import PROFILES

#: Longer than any machine takes, however busy; nothing but a fault lasts so long.
LIMIT_S = 900

PROGRAM = """
import pathlib, signal, sys, time

# A background job of a shell starts with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from gsl_tutorial.course.training.config import PROFILES, Schedule
from gsl_tutorial.course.training import train_run
PROFILES["digits"]["quick"] = Schedule({rounds}, 1, 64, 0.1, label_smoothing=0.0)
original = train_run.train_run
def slow(*arguments, on_progress, **others):
    def paused(at):
        on_progress(at)
        if (pathlib.Path(sys.argv[3]) / "warm.safetensors").exists():
            time.sleep(3600)  # in the middle of the second round: until it is interrupted
    return original(*arguments, on_progress=paused, **others)
train_run.train_run = slow
sys.argv = ["gsl-tutorial", "train", "--out", sys.argv[1]]
from gsl_tutorial.course.cli import main
main()
"""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return command_line(monkeypatch, capsys)


def test_ctrl_c_keeps_the_last_round_and_resume_ends_with_the_same_weights(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 6
    out = tmp_path / "interrupted"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(rounds=rounds), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # The same sums in the same order as in this process.
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    try:
        deadline = time.monotonic() + LIMIT_S
        # Written one after the other when the first round ends.
        written = [out / "checkpoint.safetensors", out / "warm.safetensors"]
        while not all(path.exists() for path in written):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        printed, told = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
    assert process.returncode == 130
    assert printed == ""
    assert "Interrupted." in told
    assert f"kept in {out}" in told
    assert "--resume" in told
    assert "Traceback" not in told
    assert {path.name for path in out.iterdir()} == {
        "config.json",
        "checkpoint.safetensors",
        "warm.safetensors",
    }
    assert run("evaluate", out).status == 3

    monkeypatch.setitem(PROFILES["digits"], "quick", replace(SHORT, rounds=rounds))
    assert run("train", "--out", out, "--resume").status == 0
    assert run("train", "--out", tmp_path / "whole").status == 0
    assert weights(out) == weights(tmp_path / "whole")
    assert run("evaluate", out).status == 0
