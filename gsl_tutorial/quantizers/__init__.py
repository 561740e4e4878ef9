"""Quantizers: one contract, several ways to spend the bits."""

from gsl_tutorial.quantizers.additive import AdditiveQuantizer
from gsl_tutorial.quantizers.base import Quantizer
from gsl_tutorial.quantizers.load import load_quantizer
from gsl_tutorial.quantizers.optimized import OptimizedProductQuantizer
from gsl_tutorial.quantizers.product import ProductQuantizer
from gsl_tutorial.quantizers.residual import ResidualQuantizer

__all__ = [
    "AdditiveQuantizer",
    "OptimizedProductQuantizer",
    "ProductQuantizer",
    "Quantizer",
    "ResidualQuantizer",
    "load_quantizer",
]
