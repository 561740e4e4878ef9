"""Finished notebooks on their way to a page: the pictures beside it, with their alt texts.

A notebook holds its figures as HTML, the picture inside. Here each picture moves to where a page wants
it. A widget that lives without a kernel brings HTML of its own, which is kept.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode

from gsl_tutorial.course.plots.style import first_image

#: Gets a name and the bytes of a PNG, gives what stands in ``src``.
Place = Callable[[str, bytes], str]

_STILL = '\n<p class="still">A still picture: its controls work where the notebook runs.</p>'


def beside(folder: Path, address: str) -> Place:
    """Place pictures in a folder beside the page.

    Parameters
    ----------
    folder : Path
        Where they are written.
    address : str
        The relative address at which the page finds the folder.

    Returns
    -------
    callable
        A `Place`: it takes a name and the bytes of a picture, and returns the address.
    """

    def place(name: str, picture: bytes) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture)
        return f"{address}/{name}"

    return place


def inline(name: str, picture: bytes) -> str:
    """Place a picture in the page itself.

    Parameters
    ----------
    name : str
        Name of the picture, which plays no part here.
    picture : bytes
        A PNG file.

    Returns
    -------
    str
        The address, which holds the picture.
    """
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def anchor(heading: str) -> str:
    """Name a heading as JupyterLab does, so that one link works in notebooks and on pages.

    Parameters
    ----------
    heading : str
        Its text.

    Returns
    -------
    str
        What stands after the ``#`` of a link.

    Examples
    --------
    >>> anchor("Look up a letter")
    'Look-up-a-letter'
    """
    return heading.strip().replace(" ", "-")


def with_pictures(notebook: NotebookNode, place: Place) -> NotebookNode:
    """Put HTML in place of a notebook's pictures.

    Parameters
    ----------
    notebook : NotebookNode
        A finished notebook; it is left as it is.
    place : callable
        `inline`, or what `beside` returns.

    Returns
    -------
    NotebookNode
        A new notebook.
    """
    cells = []
    for cell in notebook.cells:
        cell = NotebookNode(cell)
        if cell.cell_type == "code":
            cell.outputs = [
                _as_html(output, f"{cell.id}-{number}.png", place)
                for number, output in enumerate(cell.outputs, start=1)
            ]
        cells.append(cell)
    return NotebookNode({**notebook, "cells": cells})


def _as_html(output: NotebookNode, name: str, place: Place) -> NotebookNode:
    data = output.get("data", {})
    if "text/html" not in data:
        return output
    made = data["text/html"]
    if found := first_image(made):
        address, picture = found
        made = made.replace(f'src="{address}"', f'src="{place(name, picture)}" loading="lazy"', 1)
        if data.get("text/plain", "").startswith("[Interactive figure"):
            made += _STILL
    kept = NotebookNode({"text/html": made})
    return NotebookNode({**output, "data": kept, "metadata": NotebookNode()})
