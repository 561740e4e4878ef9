"""A split as a file: which images are queries, trained on, searched; to share, compare and read back.

JSON with the numbers of the protocol, the seed, all positions, and checksums: one over the positions,
so that a changed file is refused, and one over the labels of the queries and of the database in
their order, so that somebody else's label files can be compared without the images.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Integer

from gsl_tutorial.course.datasets.protocols import Protocol, ProtocolIndices, get_protocol, split
from gsl_tutorial.errors import ChecksumError, InvalidInputError, UnknownNameError
from gsl_tutorial.storage import read_json, write_bytes
from gsl_tutorial.validation import check_count

_FORMAT = "gsl-tutorial split 1"
_PARTS = ("query", "train", "database")


@dataclass(frozen=True, eq=False)
class SplitFile:
    """A protocol, the seed it was drawn with, the positions, and the checksums of the labels.

    Attributes
    ----------
    protocol : Protocol
        Whose split it is.
    seed : int
        What the positions were drawn with.
    indices : ProtocolIndices
        The positions.
    label_checksums : dict of str to str
        `label_checksum` of the "query" and of the "database" labels.
    """

    protocol: Protocol
    seed: int
    indices: ProtocolIndices
    label_checksums: dict[str, str]

    @property
    def checksum(self) -> str:
        """SHA-256 over protocol, seed and positions: two splits are equal when these are."""
        digest = hashlib.sha256(f"{self.protocol.code} {self.seed}".encode())
        for name in _PARTS:
            digest.update(name.encode() + getattr(self.indices, name).astype("<i8").tobytes())
        return digest.hexdigest()

    def __str__(self) -> str:
        held_out = f", classes {self.indices.held_out} held out" if self.indices.held_out else ""
        return f"{self.protocol}; seed {self.seed}{held_out}; split {self.checksum[:16]}"


def draw_split(labels: Int[np.ndarray, " n"], protocol: str, *, seed: int) -> SplitFile:
    """Draw the split of one seed.

    Parameters
    ----------
    labels, protocol
        See `protocols.split`.
    seed : int
        Where the randomness comes from, 0 or more.

    Returns
    -------
    SplitFile

    Raises
    ------
    UnknownNameError, InvalidInputError
        See `protocols.split`; also for a negative seed.
    """
    seed = check_count(seed, name="seed", low=0)
    labels = np.asarray(labels)
    drawn = split(labels, protocol, random_state=seed)
    checksums = {
        name: label_checksum(labels[getattr(drawn, name)]) for name in ("query", "database")
    }
    return SplitFile(get_protocol(protocol), seed, drawn, checksums)


def label_checksum(labels: Integer[np.ndarray, " n"]) -> str:
    """SHA-256 of labels in their order, whatever integer type holds them.

    Examples
    --------
    >>> label_checksum(np.array([1, 2], np.uint8)) == label_checksum(np.array([1, 2]))
    True
    """
    return hashlib.sha256(np.asarray(labels).astype("<i8").tobytes()).hexdigest()


def write_split(path: Path, drawn: SplitFile) -> None:
    """Write the file that `read_split` reads.

    Parameters
    ----------
    path : Path
        Where to write.
    drawn : SplitFile
        What to write.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    content = {
        "format": _FORMAT,
        "printed": str(drawn),
        "protocol": asdict(drawn.protocol),
        "seed": drawn.seed,
        "held_out": list(drawn.indices.held_out),
        "sha256": drawn.checksum,
        "label_sha256": drawn.label_checksums,
        **{name: getattr(drawn.indices, name).tolist() for name in _PARTS},
    }
    # One line for each entry: readable, and not a line for each of 60,000 numbers.
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    write_bytes(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def read_split(path: Path) -> SplitFile:
    """Read a split and check it.

    Parameters
    ----------
    path : Path
        A file of `write_split`.

    Returns
    -------
    SplitFile

    Raises
    ------
    DataMissingError
        If there is no such file.
    InvalidInputError
        For another kind of file, and for numbers that are not those of the protocol.
    ChecksumError
        If positions were changed.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise InvalidInputError(
            f"a split file in {path.name}, with format {_FORMAT!r}",
            f"format {content.get('format')!r}" if isinstance(content, dict) else "another file",
            "make it with `gsl-tutorial split --protocol P1a --seed 0 --out split.json`",
        )
    try:
        protocol = get_protocol(content["protocol"]["code"])
        positions = [_positions(content[name], name) for name in _PARTS]
        indices = ProtocolIndices(
            positions[0], positions[1], database=positions[2], held_out=tuple(content["held_out"])
        )
        found = SplitFile(protocol, int(content["seed"]), indices, dict(content["label_sha256"]))
        stored, numbers = content["sha256"], content["protocol"]
    except UnknownNameError:
        raise
    except (KeyError, TypeError) as error:
        raise InvalidInputError(
            f"a whole split file in {path.name}", f"no usable {error}", "make it again"
        ) from error
    if numbers != asdict(protocol):
        raise InvalidInputError(
            f"the numbers of {protocol}",
            f"{numbers}",
            "make the file again: protocols of one name must have one meaning",
        )
    if found.checksum != stored:
        raise ChecksumError(
            f"positions with SHA-256 {stored} in {path.name}",
            found.checksum,
            "make the file again from its protocol and seed: it has been changed",
        )
    return found


def _positions(values: Any, name: str) -> Int[np.ndarray, " k"]:
    positions = np.asarray(values)
    if positions.ndim != 1 or not (len(positions) and positions.dtype.kind == "i"):
        raise TypeError(name)
    return positions
