"""What can go wrong between machines, as sentences."""

from __future__ import annotations

from gsl_tutorial.errors import TutorialError


class ClusterError(TutorialError):
    """The scheduler or its workers are not there, do not answer in time, or are not like us."""


class ClusterTimeout(ClusterError):
    """An answer took longer than the caller wants to wait."""
