"""Quantizers: one contract, several ways to spend the bits.

Each name is imported when first used: k-means alone does not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gsl_tutorial.quantizers.additive import AdditiveQuantizer
    from gsl_tutorial.quantizers.base import Quantizer
    from gsl_tutorial.quantizers.load import load_quantizer
    from gsl_tutorial.quantizers.optimized import OptimizedProductQuantizer
    from gsl_tutorial.quantizers.product import ProductQuantizer
    from gsl_tutorial.quantizers.residual import ResidualQuantizer

_HOMES = {
    "AdditiveQuantizer": "gsl_tutorial.quantizers.additive",
    "OptimizedProductQuantizer": "gsl_tutorial.quantizers.optimized",
    "ProductQuantizer": "gsl_tutorial.quantizers.product",
    "Quantizer": "gsl_tutorial.quantizers.base",
    "ResidualQuantizer": "gsl_tutorial.quantizers.residual",
    "load_quantizer": "gsl_tutorial.quantizers.load",
}

__all__ = [
    "AdditiveQuantizer",
    "OptimizedProductQuantizer",
    "ProductQuantizer",
    "Quantizer",
    "ResidualQuantizer",
    "load_quantizer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
