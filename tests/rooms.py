"""The rooms of the package from the ground up, and their drawing for the README.

`python tests/rooms.py` writes `docs/house.svg` again; `test_architecture` holds list, imports and
drawing together.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import gsl_tutorial

ROOT = Path(gsl_tutorial.__file__).parent
DRAWING = Path(__file__).parents[1] / "docs" / "house.svg"

#: A room imports only what stands in lines above its own, or itself.
ROOMS = [
    "errors container",
    "storage validation",
    "quantizers",
    "snapping evaluation",  # neither needs the other
    "course.text_table course.workbook",
    "course.printing",
    "course.datasets course.toys",
    "course.exercises course.training",
    "course.results",
    "course.study course.scale",
    "course.two_tower",
    "course.plots",
    "course.widgets",
    "course.press",
    "course.cli",
    "course.__main__",
]
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms.split()}

#: One line for each room, as the drawing shows it.
ABOUT = {
    "errors": "what went wrong, and what to do",
    "container": "processors and memory it allows",
    "storage": "files that are whole or not there",
    "validation": "what callers hand in",
    "quantizers": "PQ, OPQ, residual, additive",
    "snapping": "the layer, and its rule by hand",
    "evaluation": "mAP, ties, recall, intervals",
    "course.text_table": "rows in columns, as plain text",
    "course.printing": "sentences and tables that fit a notebook",
    "course.workbook": "where notebooks and data lie",
    "course.datasets": "images, ratings, splits",
    "course.toys": "worlds small enough to draw",
    "course.training": "encoders, losses, methods, rounds",
    "course.results": "measure a run, or anybody's codes",
    "course.study": "every method, tuned alike",
    "course.two_tower": "hard negatives for retrieval",
    "course.scale": "shards, clusters, and their cost",
    "course.plots": "pure drawings",
    "course.widgets": "things to drag",
    "course.exercises": "checks, hints, progress",
    "course.press": "sources to notebooks, site, slides",
    "course.cli": "the commands, doctor, lab",
    "course.__main__": "the door of the command",
}


def room_of(name: str) -> str:
    """The room of a dotted name inside the package: "course.plots" for "course.plots.plane.draw"."""
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == "course" else 1])


def part_of(path: Path) -> str:
    """The room that a file belongs to: "quantizers" for quantizers/base.py."""
    return room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every import of the package, wherever it stands: (line, dotted name)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative imports hide the room"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("import_module", "importlib.import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def drawing() -> str:
    """The house as SVG: a row for each line of `ROOMS`, the core in its own frame."""
    width, row, gap = 640, 34, 8
    core = FLOOR["evaluation"] + 1
    height = len(ROOMS) * (row + gap) + 3 * gap + 40

    def y_of(floor: int) -> int:
        return gap + 20 + floor * (row + gap) + (2 * gap + 20 if floor >= core else 0)

    shapes = []
    for floor, names in enumerate(ROOMS):
        rooms = names.split()
        each = (width - 2 * gap - gap * (len(rooms) - 1)) // len(rooms)
        for i, room in enumerate(rooms):
            x, y = gap + i * (each + gap), y_of(floor)
            fill = "#dbe9f6" if floor < core else "#f4ead5"
            shapes.append(
                f'<rect x="{x}" y="{y}" width="{each}" height="{row}" rx="5" fill="{fill}" stroke="#555"/>'
                f'<text x="{x + 10}" y="{y + 22}"><tspan font-weight="bold">'
                f"{escape(room.removeprefix('course.'))}</tspan>  {escape(ABOUT[room])}</text>"
            )
    titles = (
        f'<text x="{gap}" y="{gap + 10}" fill="#1b4f86">the core: gsl_tutorial/</text>'
        f'<text x="{gap}" y="{y_of(core) - 8}" fill="#7a5a12">the course: gsl_tutorial/course/</text>'
    )
    words = "; ".join(f"{room}: {ABOUT[room]}" for line in ROOMS for room in line.split())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>The rooms of the package</title>'
        f"<desc>From the ground up; a room imports only from rooms drawn above it. {escape(words)}.</desc>"
        f'<rect width="{width}" height="{height}" fill="#fff"/>{titles}\n'
        + "\n".join(shapes)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    DRAWING.parent.mkdir(exist_ok=True)
    DRAWING.write_text(drawing(), encoding="utf-8")
    sys.stderr.write(f"wrote {DRAWING.name}\n")
