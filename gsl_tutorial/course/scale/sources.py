"""Where vectors come from, a few at a time: drawn by seed, cut from a file, or taken from an array.

A source never holds all of its vectors. Row i is the same row however the rows are cut into shards, so
that one index and many shards hold the same vectors. `facts` says what the source is, and becomes part of
the index: another source is another index.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float

from gsl_tutorial.errors import DataMissingError, InvalidInputError
from gsl_tutorial.storage import check_regular
from gsl_tutorial.validation import as_vectors, check_count

#: Rows that are drawn from one seed; a shard may begin and end anywhere.
BLOCK = 2**15


class Source(Protocol):
    """What a build reads from: anything with these four, that can be sent to a worker.

    Attributes
    ----------
    n, dim
        How many vectors there are, and how long they are.
    """

    @property
    def n(self) -> int: ...

    @property
    def dim(self) -> int: ...

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "n dim"]:
        """Vectors `start` to `stop - 1`, of float32.

        Parameters
        ----------
        start, stop
            The first row, and the one after the last.
        """

    def facts(self) -> dict[str, Any]:
        """What the source is, as values that JSON knows."""


@dataclass(frozen=True)
class SyntheticVectors:
    """Vectors around many centres, of unequal popularity: a crude stand-in for learned embeddings.

    Centre j is drawn with a probability proportional to 1 / (j + 10), a mild Zipf law, and each
    vector is its centre plus noise. Each block of rows has its own seed, so that any row can be
    drawn without the others.

    Parameters
    ----------
    n
        How many there are.
    dim
        How long they are.
    n_centres
        How many centres.
    noise
        Standard deviation around a centre; the centres have 1.
    seed
        0 or more.

    Examples
    --------
    >>> source = SyntheticVectors(100_000, dim=8)
    >>> np.array_equal(source.rows(70_000, 70_010), source.rows(60_000, 80_000)[10_000:10_010])
    True
    """

    n: int
    dim: int = 32
    n_centres: int = 1000
    noise: float = 0.6
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n", "dim", "n_centres"):
            check_count(getattr(self, name), name=name, low=1)
        check_count(self.seed, name="seed", low=0)

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "n dim"]:
        """Draw the blocks that hold these rows, and cut.

        Parameters
        ----------
        start, stop
            The first row, and the one after the last.
        """
        _check_range(start, stop, self.n)
        first, last = start // BLOCK, (stop - 1) // BLOCK
        drawn = np.concatenate([self._block(b, 0) for b in range(first, last + 1)])
        return drawn[start - first * BLOCK : stop - first * BLOCK]

    def queries(self, n: int) -> Float[np.ndarray, "n dim"]:
        """Other vectors of the same kind, which are not in the source; at most a block."""
        check_count(n, name="n", low=1, high=BLOCK)
        return self._block(0, 1)[:n]

    def facts(self) -> dict[str, Any]:
        """Kind and parameters."""
        return {
            "kind": "synthetic", "n": self.n, "dim": self.dim, "n_centres": self.n_centres,
            "noise": self.noise, "seed": self.seed,
        }  # fmt: skip

    def _block(self, number: int, purpose: int) -> Float[np.ndarray, "n dim"]:
        draw = np.random.default_rng([self.seed, purpose, number])
        weight = np.cumsum(1 / (np.arange(self.n_centres) + 10.0))
        chosen = np.searchsorted(weight, draw.random(BLOCK) * weight[-1])
        noise = draw.standard_normal((BLOCK, self.dim), dtype=np.float32)
        return self._centres[chosen] + np.float32(self.noise) * noise

    @cached_property
    def _centres(self) -> Float[np.ndarray, "n_centres dim"]:
        draw = np.random.default_rng([self.seed, 2])
        return draw.standard_normal((self.n_centres, self.dim), dtype=np.float32)


@dataclass(frozen=True)
class VectorFile:
    """The rows of a .npy file, which stays on disk; every worker must see it under the same path.

    Parameters
    ----------
    path
        A file of numpy.save: floating-point numbers, (n, dim).

    Raises
    ------
    DataMissingError
        Without such a file.
    InvalidInputError
        For a file of another kind, or of another shape.
    """

    path: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(Path(self.path).absolute()))
        if self._mapped.ndim != 2 or self._mapped.dtype.kind != "f" or not self._mapped.size:
            raise InvalidInputError(
                f"vectors of shape (n, dim) in {Path(self.path).name}",
                f"a {self._mapped.shape} array of {self._mapped.dtype}",
                "save one vector per row, as floats",
            )

    @property
    def n(self) -> int:
        """Rows of the file."""
        return int(self._mapped.shape[0])

    @property
    def dim(self) -> int:
        """Numbers in a row."""
        return int(self._mapped.shape[1])

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "n dim"]:
        """Read these rows only.

        Parameters
        ----------
        start, stop
            The first row, and the one after the last.
        """
        _check_range(start, stop, self.n)
        return as_vectors(self._mapped[start:stop], name=f"vectors {start} to {stop - 1}")

    def facts(self) -> dict[str, Any]:
        """Shape and checksum, not the path: a file that was moved is the same source."""
        with Path(self.path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return {"kind": "file", "n": self.n, "dim": self.dim, "sha256": sha256}

    @cached_property
    def _mapped(self) -> np.ndarray:
        path = Path(self.path)
        check_regular(path)
        try:
            return np.lib.format.open_memmap(path, mode="r")
        except OSError as error:
            raise DataMissingError(
                f"a readable file {path.name}", f"{error.strerror or error}", "check the path"
            ) from error
        except Exception as error:  # NumPy parses the header as Python
            raise InvalidInputError(
                f"one array of numbers in {path.name}", "another kind of file, or a broken one",
                "save the vectors with numpy.save",
            ) from error  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        return VectorFile, (self.path,)  # the file is opened again where it is needed


@dataclass(frozen=True, eq=False)
class VectorArray:
    """Vectors that are in memory already, such as the embeddings of a trained network.

    Parameters
    ----------
    vectors
        (n, dim) One vector a row.
    """

    vectors: Float[np.ndarray, "n dim"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", as_vectors(self.vectors))
        if not self.vectors.size:
            raise InvalidInputError("at least one vector", "none", "pass embeddings")

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.vectors)

    @property
    def dim(self) -> int:
        """Numbers in a row."""
        return int(self.vectors.shape[1])

    def rows(self, start: int, stop: int) -> Float[np.ndarray, "n dim"]:
        """These rows, not copied.

        Parameters
        ----------
        start, stop
            The first row, and the one after the last.
        """
        _check_range(start, stop, self.n)
        return self.vectors[start:stop]

    def facts(self) -> dict[str, Any]:
        """Shape and checksum."""
        sha256 = hashlib.sha256(self.vectors.tobytes()).hexdigest()
        return {"kind": "array", "n": self.n, "dim": self.dim, "sha256": sha256}


def _check_range(start: int, stop: int, n: int) -> None:
    if not 0 <= start < stop <= n:
        raise InvalidInputError(
            f"rows between 0 and {n}", f"{start} to {stop}", "ask for rows that the source has"
        )
