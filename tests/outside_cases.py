"""What an outside user brings: labels, codes and vectors of 20 queries and 90 items of three classes."""

from __future__ import annotations

import numpy as np

from gsl_tutorial.course.results.code_files import OutsideResult
from gsl_tutorial.quantizers import ProductQuantizer

rng = np.random.default_rng(0)
QL, DL = rng.integers(0, 3, 20), rng.integers(0, 3, 90)
Q, D = rng.integers(0, 4, (20, 4)), rng.integers(0, 4, (90, 4))
X = (rng.normal(size=(90, 8)) + DL[:, None]).astype(np.float32)
Z = (rng.normal(size=(20, 8)) + QL[:, None]).astype(np.float32)
PQ = ProductQuantizer(2, 16, random_state=0).fit(X)


def traps(result: OutsideResult) -> list[str]:
    """The names of what the measurement warned of."""
    return [one.trap for one in result.warnings]
