"""The check of a place that the student found by hand: does the penalty send it uphill, and if not, why?"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, call, exercise
from gsl_tutorial.course.toys.plane import Plane, cosine
from gsl_tutorial.course.toys.plane_methods import verdict

#: The world of chapter 05.
CODEWORDS = np.array(
    [
        [0.10, 0.10], [-0.80, 0.70], [0.80, -0.85], [0.75, 0.70], [-0.60, -0.80], [-0.75, -0.05],
        [0.85, -0.10], [-0.10, 0.85], [0.15, -0.75],
    ]
)  # fmt: skip
PARTNER = np.array([-0.45, 0.45])
STRENGTH = 1.5
#: Where the point of the explorer stands before anybody drags it, and how far away another place is.
UNTOUCHED = np.array([-0.20, 0.20])
_MOVED = 0.02
_EDGE = 1.25
#: Cosines this close to 0 count as a right angle: which side of it they fall on, only rounding decides.
_RIGHT_ANGLE = 1e-9


@exercise(
    "05.1",
    hints=(
        "Stand between the star and a codeword that is the nearest one: they pull opposite ways.",
        "The descent is weak near the star, so even a codeword at a middling distance wins there.",
        "Drag the point to about (-0.3, 0.3) with strength 1.5, then uphill_place = explorer.",
    ),
)
def uphill_place(answer: Any) -> str:
    """uphill_place: the explorer, its point dragged there, or numbers (x, y) in its world."""
    plane, strength, z = _found(answer)
    _inside(z)
    g = plane.gradient(z[None])[0]
    summed = plane.penalized(z[None], strength)[0]
    said = verdict(summed, g)
    cos = float(cosine(summed, g))
    where = f"at ({z[0]:.2f}, {z[1]:.2f})"
    if strength > STRENGTH:
        raise Mistake(
            f"lambda stands at {strength:g}; set its slider to {STRENGTH:g}. With a larger one almost any "
            "place is uphill, so it says little about the place."
        )
    if said == "UPHILL" and np.linalg.norm(z - UNTOUCHED) < _MOVED:
        raise Mistake(
            f"{where} the sum does go uphill, but that is where the point stood from the start. Can you "
            "find another place?"
        )
    if said == "UPHILL":
        return f"{where} the sum makes a cosine of {cos:+.2f} with g: it goes uphill."
    if strength == 0:
        raise Mistake("the strength is 0, so there is no pull at all: raise lambda to 1.5.")
    if np.linalg.norm(g) < 1e-9:
        raise Mistake(f"{where} the loss has no slope (it is the star itself): nothing is uphill.")
    towards = plane.reconstruct(z[None])[0] - z
    if np.linalg.norm(towards) < 1e-9:
        raise Mistake(f"{where} you stand on a codeword: there is no pull, and the sum is g alone.")
    turned = z[None, ::-1]
    back = float((plane.penalized(turned, strength) * plane.gradient(turned)).sum())
    swapped = " Have you swapped x and y?" if back < -_RIGHT_ANGLE and _is_pair(answer) else ""
    against = float(cosine(towards, g))
    if abs(against) < _RIGHT_ANGLE:
        raise Mistake(
            f"{where} the pull stands at a right angle to the slope: it neither helps nor harms. Look for "
            f"a place between the star and a codeword.{swapped}"
        )
    if against < 0:
        raise Mistake(
            f"{where} the nearest codeword lies on the side where the loss falls, so it helps. "
            f"Look for a place between the star and a codeword.{swapped}"
        )
    raise Mistake(
        f"{where} the pull does work against the loss, but it is too weak (cosine {cos:+.2f}): "
        f"go nearer to the star, where g is short, or farther from the codeword.{swapped}"
    )


def _is_pair(answer: Any) -> bool:
    return not hasattr(answer, "plane")


def _found(answer: Any) -> tuple[Plane, float, Float[np.ndarray, " 2"]]:
    """World, strength and place, from an explorer or from two numbers."""
    if isinstance(answer, type):
        raise Mistake(
            f"{answer.__name__} is a class; give the explorer that you dragged, by its name."
        )
    if callable(answer) and not hasattr(answer, "plane"):
        answer = call(answer)
    if answer is None or answer is ...:
        raise NotYet(
            "Nothing is wrong, you have just not chosen a place yet. Drag the point in the explorer above "
            "until the read-out says UPHILL, write `explorer` where `...` stands now, and run this cell "
            "again with Shift+Enter. If you get stuck, open the first hint below."
        )
    if not _is_pair(answer):
        return answer.plane, float(answer.strength), np.array(answer.point, dtype=np.float64)
    try:
        place = np.asarray(answer)
    except Exception:  # ragged lists, tensors that need a gradient
        place = np.empty(0)
    if place.dtype.kind not in "iuf" or place.shape != (2,):
        raise Mistake(
            f"expected two numbers (x, y), or the explorer itself; got {type(answer).__name__}."
        )
    return Plane(CODEWORDS, PARTNER), STRENGTH, place.astype(np.float64)


def _inside(z: Float[np.ndarray, " 2"]) -> None:
    if z.shape != (2,) or not np.isfinite(z).all():
        raise Mistake("expected two finite numbers (x, y).")
    if np.abs(z).max() > _EDGE:
        raise Mistake(
            f"({z[0]:.3g}, {z[1]:.3g}) lies outside the picture, which runs from -{_EDGE} to {_EDGE}."
        )
