"""Every rival as a gradient in the plane, one run of many points, and what can be read off one point.

The 2-D references of the explorer; the page computes the same in `widgets/explorer_math.js`, and
tests hold the two equal. Each point stands for itself (a batch of one), as in `Plane`.

Sources: straight-through, Bengio, Leonard and Courville, arXiv 1308.3432; rotation trick, Fifty et
al., arXiv 2410.06424. Both evaluate the loss at the codeword q and carry its gradient back to z; both
get the same commitment term, strength * |z - q|^2. The snaps are those of `snap_gradient`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.toys.plane import Plane, cosine
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.snapping.by_hand import descending_codeword
from gsl_tutorial.validation import check_count, check_name

PLANE_METHODS = ("similarity", "penalty", "straight-through", "rotation", "snap")
#: What a gradient does with the similarity loss; "stays" is no gradient, "level" no slope.
VERDICTS = ("downhill", "UPHILL", "level", "stays")
_TINY = 1e-9


def method_gradient(
    plane: Plane, z: Float[np.ndarray, "N 2"], method: str, options: SnapOptions
) -> Float[np.ndarray, "N 2"]:
    """The gradient with which `method`, one of `PLANE_METHODS`, moves each point.

    Parameters
    ----------
    plane : Plane
        Its loss and its codewords.
    z : (N, 2) float array
        The points.
    method : str
        One of `PLANE_METHODS`.
    options : SnapOptions
        All methods share its strength; the rest is for the snap.

    Returns
    -------
    (N, 2) float array
        A gradient, to be subtracted.

    Raises
    ------
    UnknownNameError
        For another method.
    InvalidInputError
        Where the number of candidates is not from 1 to K.
    """
    check_name("method", method, PLANE_METHODS)
    if method == "similarity":
        return plane.gradient(z)
    if method == "penalty":
        return plane.penalized(z, options.strength)
    if method == "snap":
        return plane.snapped(z, options)
    q = plane.reconstruct(z)
    carried = plane.gradient(q)
    if method == "rotation":
        carried = _rotated_back(carried, z, q)
    return carried + 2 * options.strength * (z - q)


def run_method(
    plane: Plane,
    starts: Float[np.ndarray, "N 2"],
    method: str,
    options: SnapOptions,
    *,
    n_steps: int = 100,
    rate: float = 0.05,
) -> Float[np.ndarray, "T N 2"]:
    """Paths of the points under gradient descent, starts included.

    Parameters
    ----------
    plane, method, options
        See `method_gradient`.
    starts : (N, 2) float array
        Where the points begin.
    n_steps : int
        How many steps, 0 or more.
    rate : float
        Learning rate: how much of the gradient is one step.

    Returns
    -------
    (T, N, 2) float array
        T = n_steps + 1.

    Raises
    ------
    UnknownNameError, InvalidInputError
        See `method_gradient`; also for a negative `n_steps`.
    """
    check_count(n_steps, name="n_steps", low=0)
    path = [np.array(starts, dtype=np.float64)]
    for _ in range(n_steps):
        path.append(path[-1] - rate * method_gradient(plane, path[-1], method, options))
    return np.stack(path)


def run_curves(plane: Plane, path: Float[np.ndarray, "T N 2"]) -> dict[str, list[float]]:
    """Means over the points after each step.

    Parameters
    ----------
    plane : Plane
        Its loss and its codewords.
    path : (T, N, 2) float array
        From `run_method`.

    Returns
    -------
    dict
        T values each: "loss"; "code_loss", the loss of the nearest codeword; and "distortion", the
        squared distance to it.
    """
    curves: dict[str, list[float]] = {"loss": [], "code_loss": [], "distortion": []}
    for z in path:
        q = plane.reconstruct(z)
        curves["loss"].append(float(plane.loss(z).mean()))
        curves["code_loss"].append(float(plane.loss(q).mean()))
        curves["distortion"].append(float(((z - q) ** 2).sum(axis=1).mean()))
    return curves


@dataclass(frozen=True)
class ReadOut:
    """What the explorer says about one point; cosines are with the similarity gradient g.

    Attributes
    ----------
    loss : float
        The similarity loss of the point.
    penalty_cosine, snapped_cosine : float
        Of the gradient with penalty, and of the snapped one.
    penalty_verdict, snapped_verdict : str
        One of `VERDICTS` for each.
    nearest : int
        The row of the nearest codeword.
    distance : float
        To the nearest codeword.
    chosen : int or None
        The row of the codeword that the snap chooses; None where none descends.
    chosen_distance : float or None
        To that codeword.
    """

    loss: float
    penalty_cosine: float
    penalty_verdict: str
    snapped_cosine: float
    snapped_verdict: str
    nearest: int
    distance: float
    chosen: int | None
    chosen_distance: float | None


def read_out(plane: Plane, z: Float[np.ndarray, " 2"], options: SnapOptions) -> ReadOut:
    """Say what the explorer shows of one point.

    Parameters
    ----------
    plane : Plane
        Its loss and its codewords.
    z : (2,) float array
        The point.
    options : SnapOptions
        How to snap, and the strength.

    Returns
    -------
    ReadOut
        Cosines, verdicts, the nearest codeword and the chosen one (None where none descends).
    """
    one = np.asarray(z, dtype=np.float64)[None]
    g = plane.gradient(one)[0]
    penalty = method_gradient(plane, one, "penalty", options)[0]
    snapped = method_gradient(plane, one, "snap", options)[0]
    candidates = plane.candidates(one, options.n_candidates)[0]
    chosen: np.ndarray | None
    if options.form == "look-ahead":
        ahead = one[0] - options.step * g
        chosen = candidates[np.argmin(((ahead - candidates) ** 2).sum(axis=1))]
    else:
        chosen = descending_codeword(g, one[0], candidates)
    return ReadOut(
        loss=float(plane.loss(one)[0]),
        penalty_cosine=float(cosine(penalty, g)),
        penalty_verdict=verdict(penalty, g),
        snapped_cosine=float(cosine(snapped, g)),
        snapped_verdict=verdict(snapped, g),
        nearest=_index(plane, candidates[0]),
        distance=float(np.linalg.norm(one[0] - candidates[0])),
        chosen=None if chosen is None else _index(plane, chosen),
        chosen_distance=None if chosen is None else float(np.linalg.norm(one[0] - chosen)),
    )


def verdict(gradient: Float[np.ndarray, " 2"], g: Float[np.ndarray, " 2"]) -> str:
    """In one word, what a small step against a gradient does with the loss.

    Parameters
    ----------
    gradient : (2,) float array
        The step goes against it.
    g : (2,) float array
        The loss's own gradient.

    Returns
    -------
    str
        One of `VERDICTS`.
    """
    if np.linalg.norm(gradient) < _TINY:
        return "stays"
    value = float(gradient @ g)
    if np.linalg.norm(g) < _TINY or abs(value) < _TINY:
        return "level"
    return "downhill" if value > 0 else "UPHILL"


def _rotated_back(
    gradient: Float[np.ndarray, "N 2"], z: Float[np.ndarray, "N 2"], q: Float[np.ndarray, "N 2"]
) -> Float[np.ndarray, "N 2"]:
    """Gradient of q = scale R z with respect to z, scale and R held constant: scale R^T gradient.

    R turns z's direction to that of q. The origin has no direction: there the gradient passes as it
    is, as under straight-through. (`methods`, on the whole network, floors |z| at 1e-6 to stay finite;
    only within that distance of the origin do the two differ.)
    """
    z_length = np.linalg.norm(z, axis=1)
    squared = np.where(z_length > 0, z_length, 1.0) ** 2
    # scale cos = <z, q> / |z|^2 and scale sin = z x q / |z|^2, so that no angle is ever computed.
    along = np.where(z_length > 0, (z * q).sum(axis=1) / squared, 1.0)
    across = (z[:, 0] * q[:, 1] - z[:, 1] * q[:, 0]) / squared
    x, y = gradient.T
    return np.stack([along * x + across * y, along * y - across * x], axis=1)


def _index(plane: Plane, codeword: Float[np.ndarray, " 2"]) -> int:
    return int((plane.codewords == codeword).all(axis=1).argmax())
