"""Build what is stale, whole or not at all.

A finished notebook is stale when its inputs (cells, their text, metadata and ids) are not those
that the source would give. A build runs the notebook first and replaces the file in one step
afterwards, so a failure leaves the old one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from gsl_tutorial.course.press.budgets import disk_mb
from gsl_tutorial.course.press.cleaning import clean, faults, output_texts
from gsl_tutorial.course.press.errors import NotebookRunError, OrphanNotebookError
from gsl_tutorial.course.press.execution import run
from gsl_tutorial.course.press.sources import VARIANTS, Draft, Variant, draft, refuse_leak, tags
from gsl_tutorial.errors import InvalidInputError, StorageError, UnknownNameError


@dataclass(frozen=True)
class Pressed:
    """One notebook of a build.

    Attributes
    ----------
    chapter : str
        Name of the chapter.
    variant : {"student", "solution"}
        Which of its notebooks.
    built : bool
        Whether it was built.
    seconds, memory_mb : float
        What its run took; zero where it was not built.
    disk_mb : float
        Size of the file, in MB.
    """

    chapter: str
    variant: Variant
    built: bool
    seconds: float
    memory_mb: float
    disk_mb: float


def build(
    root: Path,
    *,
    only: str | None = None,
    force: bool = False,
    check: bool = False,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> list[Pressed]:
    """Build the stale notebooks of the repository at `root`.

    Parameters
    ----------
    root : Path
        The folder that holds ``notebooks/src``.
    only : str, optional
        One chapter, by number ("03") or name ("03_product_quantization" or "product_quantization").
    force : bool
        Build what is fresh, too.
    check : bool
        Write nothing, and return the stale ones only.
    progress : callable
        Called before each notebook and once at the end: how many are done, of how many, what comes
        next.

    Returns
    -------
    list of Pressed
        The notebooks in the order of the chapters.

    Raises
    ------
    InvalidInputError
        `root` does not hold ``notebooks/src``.
    UnknownNameError
        No chapter is called `only`.
    OrphanNotebookError
        A finished notebook has no source (looked for unless `only` is given).
    SourceError, NotebookRunError
        A source is malformed, or a notebook does not run cleanly.
    StorageError
        A notebook could not be written.
    """
    sources = selected(root, only)
    if only is None:
        _refuse_orphans(root, sources)
    drafts = [draft(source, variant) for source in sources for variant in VARIANTS]
    if check:
        return [_unbuilt(made) for made in drafts if _differs(made)]
    results: list[Pressed] = []
    for done, made in enumerate(drafts):
        progress(done, len(drafts), f"{made.source.stem} ({made.variant})")
        results.append(_press(made) if force or _differs(made) else _unbuilt(made))
    progress(len(drafts), len(drafts), "done")
    return results


def is_stale(source: Path) -> bool:
    """Whether a notebook of this source is missing or has other inputs than the source gives."""
    return any(_differs(draft(source, variant)) for variant in VARIANTS)


def finished(source: Path, variant: Variant) -> Path:
    """Say where the notebook of a source lies.

    Parameters
    ----------
    source : Path
        The source, in ``notebooks/src``.
    variant : {"student", "solution"}
        Which of its notebooks.

    Returns
    -------
    Path
        The notebook, whether or not it is there yet.
    """
    notebooks = source.parent.parent
    folder = notebooks if variant == "student" else notebooks / "solutions"
    return folder / f"{source.stem}.ipynb"


def _press(made: Draft) -> Pressed:
    path = finished(made.source, made.variant)
    cost = run(made, folder=made.source.parent.parent)
    clean(made.notebook)
    for cell in made.notebook.cells:
        refuse_leak(made, cell, output_texts(cell))
        for fault in faults(cell):
            raise NotebookRunError(
                "a cell that can be published",
                f"{fault} at {made.where(cell)}",
                "correct the cell; the finished notebook was left as it is",
            )
    _carry_over_volatile(made.notebook, _read(path))
    _write(made.notebook, path)
    return Pressed(
        made.source.stem, made.variant, True, cost.seconds, cost.memory_mb, disk_mb(path)
    )


def _unbuilt(made: Draft) -> Pressed:
    path = finished(made.source, made.variant)
    size = disk_mb(path) if path.exists() else 0.0
    return Pressed(made.source.stem, made.variant, False, 0.0, 0.0, size)


def _differs(made: Draft) -> bool:
    committed = _read(finished(made.source, made.variant))
    return committed is None or _inputs(committed) != _inputs(made.notebook)


def _inputs(notebook: NotebookNode) -> list[tuple[Any, ...]]:
    return [(cell.get("id"), cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]


def _carry_over_volatile(fresh: NotebookNode, committed: NotebookNode | None) -> None:
    """Keep what differs between runs or machines, unless something that leads to it has changed."""
    for new, old in zip(_code_cells(fresh), _code_cells(committed), strict=False):
        if new.source != old.source:
            return
        if "volatile" in tags(new) and old.execution_count == new.execution_count:
            new.outputs = old.outputs


def _code_cells(notebook: NotebookNode | None) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"] if notebook else []


def _read(path: Path) -> NotebookNode | None:
    """A finished notebook, or None where there is none that can be read."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, AttributeError, KeyError):
        return None


def _write(notebook: NotebookNode, path: Path) -> None:
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(text, encoding="utf-8", newline="\n")
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise StorageError(
            f"to write {path.name}", str(error), "make room or allow writing, and build again"
        ) from error


def selected(root: Path, only: str | None) -> list[Path]:
    """Find the sources of one chapter or of all.

    Parameters
    ----------
    root : Path
        The folder that holds ``notebooks/src``.
    only : str, optional
        Number or name of a chapter; all of them by default.

    Returns
    -------
    list of Path
        The sources.

    Raises
    ------
    InvalidInputError
        `root` does not hold ``notebooks/src``.
    UnknownNameError
        No chapter is called `only`.
    """
    folder = root / "notebooks" / "src"
    if not folder.is_dir():
        raise InvalidInputError(
            "a folder that holds notebooks/src", f"{root}", "run this in the repository"
        )
    sources = sorted(folder.glob("*.py"))
    if only is None:
        return sources
    chosen = [source for source in sources if only in (source.stem, *source.stem.split("_", 1))]
    if not chosen:
        raise UnknownNameError("chapter", only, [source.stem for source in sources])
    return chosen


def _refuse_orphans(root: Path, sources: list[Path]) -> None:
    owned = {finished(source, variant) for source in sources for variant in VARIANTS}
    notebooks = root / "notebooks"
    orphans = sorted({*notebooks.glob("*.ipynb"), *notebooks.glob("solutions/*.ipynb")} - owned)
    if orphans:
        names = ", ".join(orphan.relative_to(root).as_posix() for orphan in orphans)
        raise OrphanNotebookError(
            "a source in notebooks/src for every notebook",
            f"none for {names}",
            "delete it, or restore its source",
        )
