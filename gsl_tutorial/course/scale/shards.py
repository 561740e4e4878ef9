"""A shard: one faiss index file, and a card that says what is in it. Whole, or not there.

The card is written after the index, and only then is the shard finished: whoever is killed in between
leaves no card, and the shard is made again. The card carries the range of ids, the fingerprint of the
index that the shard belongs to, and the SHA-256 of the file, which is compared once in each process
before the file is mapped into memory.

Source: faiss's index files and its IO_FLAG_MMAP_IFC (the codes stay on disk, and processes of one machine
share the pages that they read).
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from gsl_tutorial.errors import (
    ChecksumError,
    DataMissingError,
    InvalidInputError,
    RunMismatchError,
    StorageError,
)
from gsl_tutorial.storage import read_json, write_bytes, write_json


@dataclass(frozen=True)
class ShardCard:
    """What a shard says of itself.

    Attributes
    ----------
    number
        Which shard of its index, from 0.
    start, stop
        Its ids: from `start` to `stop - 1`.
    fingerprint
        Of the index that it belongs to: quantizer, source and shard size.
    sha256, n_bytes
        Checksum and size of the faiss file.
    seconds
        Processor time of the build, the vectors included.
    """

    number: int
    start: int
    stop: int
    fingerprint: str
    sha256: str
    n_bytes: int
    seconds: float

    @property
    def n(self) -> int:
        """How many vectors it holds."""
        return self.stop - self.start


def index_path(folder: Path, number: int) -> Path:
    """The faiss file of a shard.

    Parameters
    ----------
    folder
        Of the whole index.
    number
        Which shard.
    """
    return folder / f"shard-{number:05d}.faiss"


def card_path(folder: Path, number: int) -> Path:
    """The card of a shard.

    Parameters
    ----------
    folder
        Of the whole index.
    number
        Which shard.
    """
    return folder / f"shard-{number:05d}.json"


def write_shard(
    folder: Path, index: Any, *, number: int, start: int, fingerprint: str, seconds: float
) -> ShardCard:
    """Write the faiss file, then the card.

    Parameters
    ----------
    folder
        Of the whole index.
    index
        A faiss index, not empty.
    number, start, fingerprint, seconds
        As in `ShardCard`.

    Raises
    ------
    StorageError
        When the disk is full, naming the shard; the next build goes on from there.
    """
    content = faiss.serialize_index(index).tobytes()
    card = ShardCard(
        number, start, start + index.ntotal, fingerprint,
        hashlib.sha256(content).hexdigest(), len(content), round(seconds, 3),
    )  # fmt: skip
    try:
        write_bytes(index_path(folder, number), content)
        write_json(card_path(folder, number), asdict(card))
    except StorageError as error:
        raise StorageError(
            f"to write shard {number}, {len(content):,} bytes, to {folder}", error.got,
            "free some space and build again: finished shards are kept",
        ) from error  # fmt: skip
    return card


def read_card(folder: Path, number: int) -> ShardCard | None:
    """The card of a shard; None while the shard is not finished.

    Parameters
    ----------
    folder
        Of the whole index.
    number
        Which shard.

    Raises
    ------
    InvalidInputError
        For a card that is not one.
    """
    path = card_path(folder, number)
    if not path.exists():
        return None
    value = read_json(path)
    wanted = {field.name: field.type for field in fields(ShardCard)}
    if not isinstance(value, dict) or set(value) != set(wanted):
        raise InvalidInputError(
            f"a card of shard {number} in {path.name}", "other contents",
            f"delete {path.name} and build again: only this shard is made anew",
        )  # fmt: skip
    card = ShardCard(**value)
    if card.number != number or not 0 <= card.start <= card.stop:
        raise InvalidInputError(
            f"the card of shard {number} in {path.name}",
            f"shard {card.number} with ids {card.start} to {card.stop}",
            f"delete {path.name} and build again: only this shard is made anew",
        )
    return card


def check_cards(cards: list[ShardCard], *, fingerprint: str) -> None:
    """Refuse shards that do not make up one index.

    Parameters
    ----------
    cards
        In the order of their numbers.
    fingerprint
        Of the index that they should belong to.

    Raises
    ------
    RunMismatchError
        For a shard of another quantizer, source or shard size.
    InvalidInputError
        For an empty shard, ids that overlap, and a gap between ids.
    """
    end = 0
    for card in cards:
        if card.fingerprint != fingerprint:
            raise RunMismatchError(
                f"shards of one index ({fingerprint[:12]})",
                f"shard {card.number} of another ({card.fingerprint[:12]}): its quantizer, its vectors or "
                "its shard size are not the same",
                "build into an empty folder, or bring the shard back to its own index",
            )
        if card.n == 0:
            raise InvalidInputError(
                "at least one vector in every shard", f"none in shard {card.number}",
                f"delete {card_path(Path(), card.number)} and build again",
            )  # fmt: skip
        if card.start != end:
            what = "are also in the shard before it" if card.start < end else "come after a gap"
            raise InvalidInputError(
                f"ids of shard {card.number} that begin at {end}",
                f"ids from {card.start}, which {what}",
                "build into an empty folder: ids would be found twice, or never",
            )
        end = card.stop


def open_shard(folder: Path, card: ShardCard, *, dim: int) -> Any:
    """Map a shard into memory; its checksum is compared the first time in each process.

    Parameters
    ----------
    folder
        Of the whole index.
    card
        Of the shard.
    dim
        How long its vectors must be.

    Returns
    -------
    faiss.Index
        Read-only; its ids count from 0.

    Raises
    ------
    DataMissingError
        When the file is gone.
    ChecksumError
        When it has other bytes than the card says.
    InvalidInputError
        When it holds vectors of another length, or another number of them.
    """
    path = index_path(folder, card.number)
    try:
        state = path.stat()
    except OSError as error:
        raise DataMissingError(
            f"the file of shard {card.number}, {path}", f"{error.strerror}",
            "build again: only missing shards are made. Every worker must see the folder",
        ) from error  # fmt: skip
    return _opened(path, card, dim, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _opened(path: Path, card: ShardCard, dim: int, _modified: int, size: int) -> Any:
    found = file_sha256(path) if size == card.n_bytes else f"{size:,} bytes"
    if found != card.sha256:
        wanted = f"SHA-256 {card.sha256}" if size == card.n_bytes else f"{card.n_bytes:,} bytes"
        raise ChecksumError(
            f"{wanted} in shard {card.number} ({path.name})", found,
            f"delete {card_path(Path(), card.number)} and build again: the shard is damaged, and "
            "only this one is made anew",
        )  # fmt: skip
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    if (index.d, index.ntotal) != (dim, card.n):
        raise InvalidInputError(
            f"{card.n:,} vectors of dimension {dim} in shard {card.number}",
            f"{index.ntotal:,} of dimension {index.d}",
            "build into an empty folder: this shard belongs to another index",
        )
    return index


def file_sha256(path: Path) -> str:
    """SHA-256 of a file of any size, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_intact(folder: Path, card: ShardCard) -> bool:
    """Whether the file is there, and has the bytes that the card says.

    Parameters
    ----------
    folder
        Of the whole index.
    card
        Of the shard.
    """
    path = index_path(folder, card.number)
    return (
        path.is_file() and path.stat().st_size == card.n_bytes and file_sha256(path) == card.sha256
    )


def ranges(n: int, size: int) -> list[tuple[int, int]]:
    """Cut n ids into shards of `size`; the last one may be smaller.

    Parameters
    ----------
    n
        How many ids there are.
    size
        Ids in a shard.

    Examples
    --------
    >>> ranges(10, 4)
    [(0, 4), (4, 8), (8, 10)]
    """
    edges = np.arange(0, n, size).tolist()
    return [(start, min(start + size, n)) for start in edges]
