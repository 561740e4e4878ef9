"""Quantizers: one contract, several ways to spend the bits."""

from gsl_tutorial.quantizers.base import Quantizer
from gsl_tutorial.quantizers.product import ProductQuantizer

__all__ = ["ProductQuantizer", "Quantizer"]
