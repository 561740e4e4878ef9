"""Build a sharded index: vectors of a source, encoded shard by shard, whoever dies in between.

A folder is one index: `index.json` says what it is made of, `quantizer.safetensors` how it is encoded, and
each shard has its own two files (see `shards`). A build makes what is not there yet, and only
that. So there is nothing to resume: kill a worker, the scheduler or the client, and build again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsl_tutorial.course.scale import shards
from gsl_tutorial.course.scale.shards import ShardCard
from gsl_tutorial.course.scale.sources import Source
from gsl_tutorial.errors import DataMissingError, InvalidInputError, RunMismatchError
from gsl_tutorial.storage import digest, read_json, write_json
from gsl_tutorial.validation import check_count

if TYPE_CHECKING:
    from distributed import Client

    from gsl_tutorial.quantizers import Quantizer

#: Vectors that are drawn and encoded at once: 4 MB at 32 numbers each.
AT_ONCE = 2**15

QUANTIZER = "quantizer.safetensors"
PLAN = "index.json"


@dataclass(frozen=True)
class ShardedIndex:
    """An index in a folder, as far as it is built.

    Attributes
    ----------
    folder
        Where it lies.
    n, dim, bits
        How many vectors, how long, and how many bits each of them has.
    shard_size
        How many vectors a shard holds; the last one may hold fewer.
    fingerprint
        Of quantizer, source and shard size.
    """

    folder: Path
    n: int
    dim: int
    bits: int
    shard_size: int
    fingerprint: str

    @classmethod
    def open(cls, folder: str | Path) -> ShardedIndex:
        """Read what an index is made of.

        Parameters
        ----------
        folder
            That `build_index` wrote.

        Raises
        ------
        DataMissingError
            Where there is no index.
        InvalidInputError
            Where its plan is not one.
        """
        folder = Path(folder).absolute()
        if not (folder / PLAN).exists():
            raise DataMissingError(
                f"an index in {folder}", f"no {PLAN}", "check the path, or build it first"
            )
        plan = read_json(folder / PLAN)
        try:
            sizes = {name: int(plan[name]) for name in ("n", "dim", "bits", "shard_size")}
            return cls(folder, fingerprint=str(plan["fingerprint"]), **sizes)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(
                f"the plan of an index in {PLAN}", f"a file without a usable {error}",
                "build the index again into an empty folder",
            ) from error  # fmt: skip

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First id, and the one after the last, of each shard."""
        return shards.ranges(self.n, self.shard_size)

    def cards(self) -> list[ShardCard]:
        """The cards of all shards, checked against one another.

        Raises
        ------
        DataMissingError
            While shards are missing.
        RunMismatchError, InvalidInputError
            For shards that do not belong here, as `shards.check_cards`.
        """
        read = [shards.read_card(self.folder, i) for i in range(len(self.ranges))]
        missing = [i for i, card in enumerate(read) if card is None]
        if missing:
            raise DataMissingError(
                f"all {len(read)} shards in {self.folder}",
                f"{len(read) - len(missing)}; shard {missing[0]} is the first that is missing",
                "build again: finished shards are kept",
            )
        cards = [card for card in read if card is not None]
        shards.check_cards(cards, fingerprint=self.fingerprint)
        return cards

    def quantizer(self) -> Quantizer:
        """The quantizer that made the codes."""
        from gsl_tutorial.quantizers.load import load_quantizer

        return load_quantizer(self.folder / QUANTIZER)


def plan_index(
    source: Source, quantizer: Quantizer, folder: str | Path, *, shard_size: int
) -> ShardedIndex:
    """Write down what an index is made of, without building a shard.

    Parameters
    ----------
    source
        Where the vectors come from.
    quantizer
        A fitted one, of any kind.
    folder
        Empty, new, or with the same index begun.
    shard_size
        Vectors in a shard.

    Raises
    ------
    InvalidInputError
        For vectors of another length than the quantizer's.
    RunMismatchError
        Where the folder holds another index.
    StorageError
        When nothing can be written there.
    """
    from gsl_tutorial.quantizers.faiss_index import to_faiss

    check_count(shard_size, name="shard_size", low=1)
    to_faiss(quantizer)  # which refuses what faiss cannot hold
    if quantizer.dim_ != source.dim:
        raise InvalidInputError(
            f"vectors of dimension {quantizer.dim_}, which the quantizer was fitted on",
            f"a source of vectors of dimension {source.dim}",
            "fit a quantizer on vectors of this source",
        )
    folder = Path(folder).absolute()
    learned = hashlib.sha256(type(quantizer).__name__.encode())
    for name, array in sorted(quantizer.arrays().items()):
        learned.update(name.encode() + array.tobytes())
    plan = {
        "n": source.n, "dim": source.dim, "bits": quantizer.bits, "shard_size": shard_size,
        "source": source.facts(), "quantizer": type(quantizer).__name__, "learned": learned.hexdigest(),
    }  # fmt: skip
    plan["fingerprint"] = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
    if (folder / PLAN).exists():
        there = read_json(folder / PLAN)
        differs = [k for k, v in plan.items() if not isinstance(there, dict) or there.get(k) != v]
        if differs:
            raise RunMismatchError(
                f"an empty folder, or the same index begun in {folder}",
                f"an index with another {', '.join(one for one in differs if one != 'fingerprint')}",
                "choose another folder, or ask for the index that is there",
            )
    if not (folder / PLAN).exists() or not (folder / QUANTIZER).exists():
        folder.mkdir(parents=True, exist_ok=True)
        quantizer.save(folder / QUANTIZER)
        write_json(folder / PLAN, plan)
    return ShardedIndex.open(folder)


def build_index(
    source: Source,
    quantizer: Quantizer,
    folder: str | Path,
    *,
    shard_size: int = 250_000,
    client: Client | None = None,
    on_shard: Callable[[ShardCard, int], None] | None = None,
    verify: bool = True,
) -> ShardedIndex:
    """Encode a source into shards. What is finished is not done again.

    Parameters
    ----------
    source
        Where the vectors come from.
    quantizer
        A fitted one, of any kind.
    folder
        Where to; with a cluster of several machines, a folder that all of them see.
    shard_size
        Vectors in a shard.
    client
        A Dask client whose workers do the work (`cluster.connect`); None: this process does.
    on_shard
        Called with each card that is new and with the number of shards still to come.
    verify
        Whether the bytes of finished shards are compared with their cards first; a damaged one is
        then made again.

    Returns
    -------
    ShardedIndex
        Complete.

    Raises
    ------
    InvalidInputError, RunMismatchError, StorageError
        As `plan_index`, and as a shard that cannot be written.
    ClusterError
        When the scheduler is gone, or a shard has killed every worker that tried it.
    """
    index = plan_index(source, quantizer, folder, shard_size=shard_size)
    todo = [i for i in range(len(index.ranges)) if not _is_finished(index, i, verify)]
    left = len(todo)

    def tell(card: ShardCard) -> None:
        nonlocal left
        left -= 1
        if on_shard is not None:
            on_shard(card, left)

    if client is None:
        for number in todo:
            tell(build_shard(index, source, number))
    else:
        from gsl_tutorial.course.scale.cluster import answers

        tasks = {number: (build_shard, index, source, number) for number in todo}
        for _, card in answers(client, tasks, what="build of shard"):
            tell(card)
    index.cards()
    return index


def build_shard(index: ShardedIndex, source: Source, number: int) -> ShardCard:
    """Draw, encode and write one shard: the task of a worker.

    Parameters
    ----------
    index
        What it belongs to.
    source
        Where the vectors come from.
    number
        Which shard.

    Raises
    ------
    RunMismatchError
        Where the quantizer in the folder is another one than the plan says.
    StorageError
        As `shards.write_shard`.
    """
    import faiss

    from gsl_tutorial.quantizers.faiss_index import to_faiss

    faiss.omp_set_num_threads(1)  # the cluster decides how many work at once
    began = time.process_time()
    quantizer = _quantizer(index.folder, digest(index.folder / QUANTIZER))
    start, stop = index.ranges[number]
    packed: Any = None
    for first in range(start, stop, AT_ONCE):
        codes = quantizer.encode(source.rows(first, min(first + AT_ONCE, stop)))
        part = to_faiss(quantizer, codes)
        if packed is None:
            packed = part
        else:
            packed.merge_from(part, 0)
    return shards.write_shard(
        index.folder, packed, number=number, start=start, fingerprint=index.fingerprint,
        seconds=time.process_time() - began,
    )  # fmt: skip


_QUANTIZERS: dict[tuple[Path, str], Any] = {}


def _quantizer(folder: Path, sha256: str) -> Any:
    """Loaded once in each worker, and again when the file changes."""
    from gsl_tutorial.quantizers.load import load_quantizer

    if (folder, sha256) not in _QUANTIZERS:
        _QUANTIZERS.clear()
        _QUANTIZERS[folder, sha256] = load_quantizer(folder / QUANTIZER, sha256=sha256)
    return _QUANTIZERS[folder, sha256]


def _is_finished(index: ShardedIndex, number: int, verify: bool) -> bool:
    card = shards.read_card(index.folder, number)
    if card is None:
        return False
    if card.fingerprint != index.fingerprint:
        shards.check_cards([card], fingerprint=index.fingerprint)
    if not verify:
        return shards.index_path(index.folder, number).exists()
    return (card.start, card.stop) == index.ranges[number] and shards.is_intact(index.folder, card)
