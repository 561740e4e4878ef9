"""Errors for people: every message says what was expected, what came, and what to do.

One small tree, so that a caller can catch `TutorialError` and the command line can turn each kind
into an exit code. The classes that refine a built-in error also inherit from it, so that code written
for plain Python (``except ValueError``) keeps working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


class TutorialError(Exception):
    """Base of every error that this package raises on purpose.

    The text has three parts, always in this order.

    Parameters
    ----------
    expected
        What was expected.
    got
        What came instead.
    todo
        What to do about it.

    Examples
    --------
    >>> print(TutorialError("a (N, dim) array", "a list of 3 strings", "pass embeddings"))
    expected a (N, dim) array; got a list of 3 strings. What to do: pass embeddings.
    """

    #: Exit status of the command line when this error reaches it.
    exit_code = 1

    def __init__(self, expected: str, got: str, todo: str) -> None:
        self.expected, self.got, self.todo = expected, got, todo
        super().__init__(f"expected {expected}; got {got}. What to do: {todo}.")

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled by its text; worker processes need the three parts.
        return _rebuild, (type(self), self.__dict__, self.args)


def _rebuild(kind: type[TutorialError], state: dict[str, Any], args: tuple[Any, ...]) -> Any:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = args
    return error


class InvalidInputError(TutorialError, ValueError):
    """An argument has the wrong value, shape or type."""

    exit_code = 2


if TYPE_CHECKING:

    class NotFittedError(TutorialError, ValueError, AttributeError):
        """A quantizer was used before `fit`. Also scikit-learn's `NotFittedError`."""


def __getattr__(name: str) -> Any:
    """Make `NotFittedError` when it is first asked for: scikit-learn takes a second to import."""
    if name != "NotFittedError":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sklearn import exceptions

    about = "A quantizer was used before `fit`. Also scikit-learn's `NotFittedError`."
    members = {"__doc__": about, "__module__": __name__, "exit_code": 2}
    # A second thread that came in between must find the same class.
    return globals().setdefault(
        name, type(name, (TutorialError, exceptions.NotFittedError), members)
    )


class UnknownNameError(InvalidInputError, KeyError):
    """A dataset, method, quantizer or protocol that does not exist.

    Parameters
    ----------
    kind
        What the name is of, such as "dataset".
    name
        The name that is not known.
    known
        The names that are.
    """

    def __init__(self, kind: str, name: object, known: list[str]) -> None:
        super().__init__(
            f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind} out of {', '.join(sorted(known))}",
            f"{name!r}",
            "choose one of the names above",
        )

    # KeyError shows repr(message), which would hide the sentence behind quotes.
    __str__ = Exception.__str__


class DataMissingError(TutorialError, FileNotFoundError):
    """Data is not where it was looked for."""

    exit_code = 3

    # FileNotFoundError's own __str__ expects an errno.
    __str__ = Exception.__str__


class ChecksumError(TutorialError):
    """A file's bytes are not the ones that were published; nothing in it was read."""

    exit_code = 3


class DownloadError(TutorialError, OSError):
    """No mirror could be reached, or all of them broke off."""

    exit_code = 3
    __str__ = Exception.__str__


class RunMismatchError(TutorialError):
    """A run folder was made with another configuration."""

    exit_code = 4


class StorageError(TutorialError, OSError):
    """A file could not be written (disk full, no permission); the old one is untouched."""

    exit_code = 5
    __str__ = Exception.__str__


class LossScaleWarning(UserWarning):
    """A layer that adds to gradients was told nothing about its loss, and the loss looks scaled."""
