"""Outputs that are the same on every build, and the faults that no cleaning may hide.

`clean` takes away what differs between runs or means nothing in a file: addresses, widget views
without their widgets, tracebacks through this machine's folders. `faults` names what must not be
published at all.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from gsl_tutorial.course.press.sources import METADATA, tags

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
RUN_ME = "Run this cell to see the interactive widget."
ADDRESS = "0x..."

_ADDRESS = re.compile(r"(?<=\bat )0x[0-9a-fA-F]+|\b0x[0-9a-f]{12}\b")
_OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)
_BASE64 = ("image/png", "image/jpeg", "image/gif", "application/pdf")
_EMBEDDED = re.compile(r"(?<=;base64,)[A-Za-z0-9+/=]+")


def clean(notebook: NotebookNode) -> None:
    """Bring a notebook that has just run into its published form, in place."""
    notebook.metadata = NotebookNode(METADATA)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined_streams([_clean_output(output) for output in cell.outputs])


def output_texts(cell: NotebookNode) -> Iterator[str]:
    """Every readable text among a cell's outputs."""
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        yield output.get("evalue", "")
        yield "\n".join(output.get("traceback", []))
        yield from (
            _EMBEDDED.sub("", str(value))
            for kind, value in output.get("data", {}).items()
            if kind not in _BASE64
        )


def faults(cell: NotebookNode) -> list[str]:
    """What forbids publishing a cell, in words."""
    marked, outputs, found = tags(cell), cell.get("outputs", []), []
    for output in outputs:
        stderr = output.text.strip() if output.get("name") == "stderr" else ""
        if stderr and "stderr-ok" not in marked:
            found.append(f"text on stderr ({stderr.splitlines()[-1]!r})")
    if path := _machine_path(cell):
        found.append(f"the path {path} of this machine")
    errors = [output.ename for output in outputs if output.output_type == "error"]
    if "raises-exception" not in marked:
        found += [f"a {name}" for name in errors]
    elif not errors and cell.get("execution_count"):
        found.append("no exception, though it is tagged raises-exception")
    if "claim" in marked and cell.get("execution_count"):
        found += _claim_faults("\n".join(output_texts(cell)))
    return found


def _claim_faults(text: str) -> list[str]:
    """What nbval could not compare, or would compare in vain."""
    if not text.strip():
        return ["nothing to compare, though it is tagged claim"]
    unstable = {ADDRESS: "a memory address", RUN_ME: "a widget"}
    return [f"{thing} in a claim" for sign, thing in unstable.items() if sign in text]


def _clean_output(output: NotebookNode) -> NotebookNode:
    output = NotebookNode(output)
    if output.output_type == "stream":
        output.text = _ADDRESS.sub(ADDRESS, output.text)
    elif output.output_type == "error":
        # The frames name folders of this machine and lines of installed packages.
        output.evalue = _ADDRESS.sub(ADDRESS, output.evalue)
        output.traceback = [f"{output.ename}: {output.evalue}"]
    else:
        data = {
            kind: _clean_value(value) for kind, value in output.data.items() if kind != WIDGET_VIEW
        }
        # A widget without its widget manager is its picture, or else the invitation to run it.
        if WIDGET_VIEW in output.data and set(data) <= {"text/plain"}:
            data = {"text/plain": RUN_ME}
        output.data = NotebookNode(data)
        output.metadata.pop(WIDGET_VIEW, None)
    return output


def _clean_value(value: object) -> object:
    return _ADDRESS.sub(ADDRESS, value) if isinstance(value, str) else value


def _joined_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of one stream as one: where the kernel cut them depends on the clock."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    for output in joined:
        if output.output_type == "stream":
            output.text = _OVERWRITTEN.sub("", output.text)
    return joined


def _machine_path(cell: NotebookNode) -> str | None:
    """The most telling folder of this machine that a cell names."""
    text = "\n".join([cell.source, *output_texts(cell)])
    named = (
        path
        for path in _private_folders()
        if re.search(rf"(?<![\w.]){re.escape(path)}(?!\w)", text)
    )
    return max(named, key=len, default=None)


def _private_folders() -> set[str]:
    """Home, working, temporary and Python's folder, as given and with links followed."""
    folders = [Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path(sys.prefix)]
    spellings = {
        spelling for folder in folders for spelling in (str(folder), os.path.realpath(folder))
    }
    return {path for path in spellings if Path(path) != Path(path).parent}
