"""What each method is called: short in files and on the command line, and in words for readers."""

from __future__ import annotations

#: What configurations and cards called some methods before, and what a command may call them still.
OTHER_NAMES = {"snap": "snap-pull"}

#: The one name of each method in the whole series.
NAMES = {
    "none": "none",
    "penalty": "penalty",
    "ste": "straight-through",
    "rotation": "rotation",
    "soft": "soft",
    "halfway": "halfway",
    "radius": "radius",
    "snap-pull": "snap (pull)",
    "snap-lookahead": "snap (look-ahead)",
    "snap-replace": "snap (replace)",
    "pull-relative": "pull in units of |g|",
    "pull-second": "pull to the second nearest",
    "pull-random": "pull to a random one",
    "pull-near-descending": "pull to the nearest that descends",
    "pull-farthest": "pull to the farthest that descends",
}


def named(method: str) -> str:
    """The name of a method as readers know it.

    Parameters
    ----------
    method : str
        As files and commands call it, "snap-pull", or as they once did, "snap".

    Returns
    -------
    str
        "snap (pull)"; what is no method comes back as it is.
    """
    return NAMES.get(OTHER_NAMES.get(method, method), method)
