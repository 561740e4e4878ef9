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

__all__ = [
    "Denominator",
    "Ties",
    "average_precision",
    "average_precisions",
    "group_codes",
    "grouped_average_precisions",
    "mean_average_precision",
    "precision_recall_curve",
    "streamed_average_precisions",
]
