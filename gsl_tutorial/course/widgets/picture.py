"""A picture with an alt text, which the page keeps: `Image` of ipywidgets has neither.

Between a slider and a picture that Python draws lies a trip to the kernel and back. The page makes it only
for pictures that it has not got yet; `foresee` sends it one before it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets as T


class Picture(anywidget.AnyWidget):
    """A PNG file that is shown.

    Parameters
    ----------
    controls : sequence of widget
        What the picture belongs to, in the order of the key.
    **traits
        Value and alt text.

    Attributes
    ----------
    value : bytes
        The file.
    alt : str
        What it shows, for those who do not see it.
    key : str
        What the controls said when it was drawn, see `key_of`.
    """

    _esm = (Path(__file__).parent / "picture.js").read_text("utf-8")

    value = T.Bytes().tag(sync=True)
    alt = T.Unicode().tag(sync=True)
    key = T.Unicode().tag(sync=True)
    #: The last of what changes, so that the page hears of all of it at once.
    told = T.Int(0).tag(sync=True)
    controls = T.List(T.Unicode()).tag(sync=True)

    def __init__(self, controls: Sequence[Any] = (), **traits: Any) -> None:
        super().__init__(controls=[one.model_id for one in controls], **traits)

    def show(self, value: bytes, alt: str, key: str) -> None:
        """Show a picture.

        Parameters
        ----------
        value : bytes
            The file.
        alt : str
            What it shows.
        key : str
            What the controls say.
        """
        with self.hold_sync():
            self.value, self.alt, self.key = value, alt, key
            self.told += 1

    def foresee(self, value: bytes, alt: str, key: str) -> None:
        """Give the page a picture that may be wanted next.

        Parameters
        ----------
        value : bytes
            The file.
        alt : str
            What it shows.
        key : str
            What the controls would say.
        """
        self.send({"key": key, "alt": alt}, [value])


def key_of(values: Sequence[Any]) -> str:
    """Write down what controls say, as JavaScript's JSON.stringify does.

    Parameters
    ----------
    values : sequence
        A number for each control: the place of what is chosen from a list, else its value.

    Returns
    -------
    str

    Examples
    --------
    >>> key_of([3, 0.35, -1.0])
    '[3,0.35,-1]'
    """
    whole = [int(one) if isinstance(one, float) and one.is_integer() else one for one in values]
    return json.dumps(whole, separators=(",", ":"))
