"""What every widget with sliders must do, whatever it draws."""

from __future__ import annotations

import html
import re
from typing import Any


def move_every_control(widget: Any) -> str:
    """Move each control over its options or to both its ends, and back; returns the alt text.

    The picture must change under each of them, and no message may appear.
    """
    for control in widget._controls.values():
        first, seen = control.value, {widget._image.value}
        options = [
            one[1] if isinstance(one, tuple) else one for one in getattr(control, "options", ())
        ]
        for value in options or (control.min, control.max):
            control.value = value
            assert widget._message.value == ""
            seen.add(widget._image.value)
        assert len(seen) > 1, control.description
        control.value = first
    return alt_of(widget)


def alt_of(widget: Any) -> str:
    """The alt text of the picture that stands where no widget runs."""
    found = re.search(r'<img alt="([^"]+)"', widget._repr_mimebundle_()[0]["text/html"])
    assert found
    return html.unescape(found[1])
