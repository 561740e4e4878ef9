"""Points in the plane, near a few centres: the data of the chapters that draw gradients as arrows.

Two dimensions are enough to see a codebook, a gradient and where their sum goes uphill.
The centres stand evenly on a circle, so that no class is special and the picture fits in [-1, 1]^2.
Rows come shuffled, so that "the first n" is never one class.

Source: scikit-learn ``make_blobs``. What we changed: centres on a circle instead of random ones,
and the result is a `Split` like every other.
"""

from __future__ import annotations

import numpy as np

from gsl_tutorial.course.datasets.splits import Split
from gsl_tutorial.errors import InvalidInputError


def make_blobs_2d(
    n_per_class: int,
    n_classes: int = 4,
    *,
    random_state: int | np.random.Generator,
    radius: float = 0.65,
    spread: float = 0.1,
) -> Split:
    """Draw normally distributed points around centres on a circle.

    Parameters
    ----------
    n_per_class, n_classes : int
        How many points around each centre, and how many centres; 1 or more.
    random_state : int or Generator
        Where the randomness comes from; the same number gives the same points.
    radius, spread : float
        Radius of the circle, and standard deviation of each blob, in units of the picture.

    Returns
    -------
    Split
        `x` is (n_per_class * n_classes, 2) float64, about in [-1, 1]^2.

    Raises
    ------
    InvalidInputError
        If a number is below one, or a length is negative.

    Examples
    --------
    >>> make_blobs_2d(25, 3, random_state=0)
    Split(blobs: 75 x 2 float64, 3 classes)
    """
    if min(n_per_class, n_classes) < 1 or min(radius, spread) < 0:
        raise InvalidInputError(
            "n_per_class and n_classes of 1 or more, radius and spread of 0 or more",
            f"n_per_class={n_per_class}, n_classes={n_classes}, radius={radius}, spread={spread}",
            "try make_blobs_2d(50, 4, random_state=0)",
        )
    rng = np.random.default_rng(random_state)
    angles = 2 * np.pi * np.arange(n_classes) / n_classes + np.pi / 4
    centres = radius * np.column_stack([np.cos(angles), np.sin(angles)])
    labels = rng.permutation(np.repeat(np.arange(n_classes), n_per_class))
    points = centres[labels] + spread * rng.standard_normal((len(labels), 2))
    return Split("blobs", points, labels=labels, indices=np.arange(len(labels)))
