"""Retrieval measures as pure functions of distances and labels, and intervals of their differences."""

from gsl_tutorial.evaluation.average_precision import (
    Denominator,
    Ties,
    average_precision,
    average_precisions,
    group_codes,
    grouped_average_precisions,
    mean_average_precision,
    precision_recall_curve,
    streamed_average_precisions,
)
from gsl_tutorial.evaluation.discounted_gain import (
    Gain,
    normalized_discounted_cumulative_gain,
    streamed_discounted_gains,
)

__all__ = [
    "Denominator",
    "Gain",
    "Ties",
    "average_precision",
    "average_precisions",
    "group_codes",
    "grouped_average_precisions",
    "mean_average_precision",
    "normalized_discounted_cumulative_gain",
    "precision_recall_curve",
    "streamed_average_precisions",
    "streamed_discounted_gains",
]
