"""A control: tiles of which one is chosen, by a click or with the arrow keys."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets as T
from PIL import Image

from gsl_tutorial.course.widgets.page import lean
from gsl_tutorial.errors import InvalidInputError

_HERE = Path(__file__).parent
_SCRIPTS = ("page_elements", "page_choice", "query_tiles")


class QueryTiles(anywidget.AnyWidget):
    """Tiles with a name, a note and, where there is one, a picture.

    Parameters
    ----------
    names, notes : sequence of str
        What is written on each tile.
    pictures : sequence of (H, W, 3) arrays of uint8
        An image, or None, for each tile.
    label : str
        What is chosen, for screen readers.

    Attributes
    ----------
    tiles : list of dict
        The tiles as the page reads them.
    value : int
        The number of the chosen tile.

    Raises
    ------
    InvalidInputError
        There is no tile, or the lists are not equally long.
    """

    _esm = "\n".join(lean((_HERE / f"{name}.js").read_text("utf-8")) for name in _SCRIPTS)
    _css = (_HERE / "query_tiles.css").read_text("utf-8")

    tiles: Any = T.List().tag(sync=True)
    label = T.Unicode().tag(sync=True)
    value = T.Int(0).tag(sync=True)

    def __init__(
        self, names: Sequence[str], notes: Sequence[str], pictures: Sequence[Any], *, label: str
    ) -> None:
        if not names or not len(names) == len(notes) == len(pictures):
            raise InvalidInputError(
                "a name, a note and a picture (or None) for each of one tile or more",
                f"{len(names)}, {len(notes)} and {len(pictures)}",
                "make the lists equally long",
            )
        tiles = [
            {"name": name, "note": note, "picture": picture_address(picture)}
            for name, note, picture in zip(names, notes, pictures, strict=True)
        ]
        super().__init__(tiles=tiles, label=label)

    @T.validate("value")
    def _within(self, proposal: Any) -> int:
        """A number without a tile is brought to the nearest one."""
        return min(max(int(proposal["value"]), 0), len(self.tiles) - 1)

    def __repr__(self) -> str:
        return f"QueryTiles({len(self.tiles)} tiles, number {self.value} chosen)"


def picture_address(picture: Any) -> str:
    """The picture as an address that holds its bytes; empty without one."""
    if picture is None:
        return ""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
