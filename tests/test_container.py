"""How many processors and how much memory a container allows, read from files as Linux shows them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gsl_tutorial import container


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for groups; eight processors."""
    monkeypatch.setattr(container, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(container, "_OWN", tmp_path / "own")
    monkeypatch.setattr(container.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path / "cgroup"


def test_without_groups_all_processors_count(groups: Path) -> None:
    assert container.processors() == 8
    assert container.processor_quota() is None
    assert container.memory_limit() is None


@pytest.mark.parametrize(
    ("quota", "allowed"),
    [("max 100000", 8), ("100000 100000", 1), ("250000 100000", 2), ("50000 100000", 1),
     ("9900000 100000", 8), ("", 8), ("nonsense", 8)],
)  # fmt: skip
def test_version_2_inside_a_container(groups: Path, quota: str, allowed: int) -> None:
    (groups.parent / "own").write_text("0::/\n")
    write(groups, cpu__max=quota, memory__max="2147483648")
    assert container.processors() == allowed
    assert container.memory_limit() == 2**31


def test_a_limit_of_a_group_above_holds_as_well(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/class/student\n")
    write(groups / "class", cpu__max="200000 100000", memory__max="1000000")
    write(groups / "class" / "student", cpu__max="max 100000", memory__max="max")
    assert container.processors() == 2
    assert container.memory_limit() == 10**6


def test_version_1_where_the_path_is_the_hosts(groups: Path) -> None:
    (groups.parent / "own").write_text("4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n")
    write(groups / "cpu", cpu__cfs_quota_us="100000", cpu__cfs_period_us="100000")
    write(groups / "memory", memory__limit_in_bytes="9223372036854771712")
    assert container.processors() == 1
    assert container.memory_limit() is None
    write(groups / "cpu", cpu__cfs_quota_us="-1")
    assert container.processors() == 8


@pytest.mark.parametrize(
    ("quota", "before", "threads"), [(1.5, None, "1"), (1.5, "3", "3"), (None, None, "unset")]
)
def test_threads_follow_the_quota_and_a_value_of_the_users_own_stays(
    quota: float | None, before: str | None, threads: str
) -> None:
    program = (
        "import sys, types; one = types.ModuleType('gsl_tutorial.container')\n"
        f"one.processor_quota = lambda: {quota}; one.processors = lambda: 1\n"
        "sys.modules['gsl_tutorial.container'] = one\n"
        "import os, gsl_tutorial; print(os.environ.get('OMP_NUM_THREADS', 'unset'))"
    )
    environment = {name: text for name, text in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment |= {} if before is None else {"OMP_NUM_THREADS": before}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == threads
