"""What can go wrong in the press: a bad source, a notebook that fails, one without a source."""

from __future__ import annotations

from gsl_tutorial.errors import InvalidInputError, TutorialError


class SourceError(InvalidInputError):
    """A chapter's source breaks a rule of the press; the text names the file and the line."""


class NotebookRunError(TutorialError):
    """A cell failed, or left an output that must not be published; nothing was written."""


class OrphanNotebookError(InvalidInputError):
    """A finished notebook has no source."""
