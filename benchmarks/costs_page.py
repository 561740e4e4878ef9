"""Write `docs/costs.md` from `benchmarks/results`: `python -m benchmarks.costs_page`.

The tests compare the page with the results, so neither changes without the other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "costs.md"
RESULTS = Path(__file__).parent / "results"

_PAGE = """\
# What a notebook costs, and where the package runs

## One core with 2 GB

A container on Binder, or a seat on a crowded server, is about this large. Each student notebook ran from
its first cell to its last under these limits ({limits}), its worker processes included:
`python -m benchmarks one_core`. The seconds are those of the processor. Other programs were at work on the
machine, so the clock would mislead; on a core that you have to yourself, the two are about the same. "First
picture" counts from *Run All* to the first figure. We aim at {seconds_target} seconds and
{memory_target:,} MB for each notebook{beyond}.

{notebooks}

## Versions of Python

{pythons}
"""

SECONDS_TARGET, MEMORY_TARGET = 60, 1000


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return found


def page() -> str:
    """The page, as the results have it."""
    measured = read("one_core")
    rows = measured["notebooks"]
    assert not [name for name, row in rows.items() if "failed" in row]
    dear = [
        name[:2]
        for name, row in rows.items()
        if row["cpu_seconds"] > SECONDS_TARGET or row["memory_mb"] > MEMORY_TARGET
    ]
    return _PAGE.format(
        limits=measured["limits"],
        seconds_target=SECONDS_TARGET,
        memory_target=MEMORY_TARGET,
        beyond=f"; {' and '.join(dear)} needs more" if dear else ", and every one keeps to it",
        notebooks=_table(
            ("notebook", "seconds", "first picture, seconds", "memory at most, MB"),
            [
                (f"{name[:2]} {name[3:].replace('_', ' ')}", f"{row['cpu_seconds']:.0f}",
                 f"{row['first_picture_cpu_seconds']:.0f}", f"{row['memory_mb']:.0f}")
                for name, row in rows.items()
            ],
        ),
        pythons=_table(
            ("Python", "what ran", "passed", "skipped", "failed", "note"),
            [
                (one["python"], one["what"], f"{one['passed']:,}", one.get("skipped", "not noted"),
                 one["failed"], one.get("note", ""))
                for one in read("pythons")["runs"]
            ],
        ),
    )  # fmt: skip


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8", newline="\n")
