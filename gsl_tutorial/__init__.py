"""A small helper package for the workbook on learned quantization and similarity search.

The names below are the public face. They are imported when first used, so that
`gsl-tutorial --help` answers at once instead of waiting for torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gsl_tutorial.container import processor_quota, processors

if TYPE_CHECKING:
    from gsl_tutorial.quantizers import (
        AdditiveQuantizer,
        OptimizedProductQuantizer,
        ProductQuantizer,
        Quantizer,
        ResidualQuantizer,
        load_quantizer,
    )
    from gsl_tutorial.snapping import GradientSnapping, snap_gradient

# Threads that wait for each other by spinning slow one another down as soon as anything else runs.
# Read by OpenMP when torch or faiss is first imported; a value of the user's own stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Torch and faiss count the machine's processors, not those that a container may use.
if processor_quota() is not None:
    os.environ.setdefault("OMP_NUM_THREADS", str(processors()))

__version__ = "0.1.0"

_HOMES = {
    "AdditiveQuantizer": "gsl_tutorial.quantizers",
    "GradientSnapping": "gsl_tutorial.snapping",
    "OptimizedProductQuantizer": "gsl_tutorial.quantizers",
    "ProductQuantizer": "gsl_tutorial.quantizers",
    "Quantizer": "gsl_tutorial.quantizers",
    "ResidualQuantizer": "gsl_tutorial.quantizers",
    "load_quantizer": "gsl_tutorial.quantizers",
    "snap_gradient": "gsl_tutorial.snapping",
}

__all__ = [
    "AdditiveQuantizer",
    "GradientSnapping",
    "OptimizedProductQuantizer",
    "ProductQuantizer",
    "Quantizer",
    "ResidualQuantizer",
    "load_quantizer",
    "snap_gradient",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
