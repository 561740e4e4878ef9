"""A picture with an alt text: the `Image` of ipywidgets has none."""

from __future__ import annotations

import anywidget
import traitlets as T

_SCRIPT = """
function render({ model, el }) {
  const image = document.createElement("img");
  image.className = "gsl-drawing";
  image.style.maxWidth = "100%";
  const told = () => { image.alt = model.get("alt"); };
  const drawn = () => {
    const before = image.src;
    image.src = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
    if (before) URL.revokeObjectURL(before);
  };
  told();
  drawn();
  el.append(image);
  model.on("change:alt", told);
  model.on("change:value", drawn);
  return () => {
    model.off("change:alt", told);
    model.off("change:value", drawn);
    URL.revokeObjectURL(image.src);
  };
}
export default { render };
"""


class Picture(anywidget.AnyWidget):
    """A PNG file that is shown.

    Attributes
    ----------
    value : bytes
        The file.
    alt : str
        What it shows, for those who do not see it.
    """

    _esm = _SCRIPT

    value = T.Bytes().tag(sync=True)
    alt = T.Unicode().tag(sync=True)
