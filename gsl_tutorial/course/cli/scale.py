"""The commands of chapter 12: build an index in shards, search it, measure it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsl_tutorial.course.cli.app import AsJson, app

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

scale = typer.Typer(
    help="Build and search an index in shards on a Dask cluster (chapter 12, extra [scale]).",
    no_args_is_help=True,
)
app.add_typer(scale, name="scale")

Scheduler = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS", help="A running Dask scheduler; without it, workers are made here."
    ),
]
Workers = Annotated[
    int,
    typer.Option(help="Worker processes to make here; 0: no Dask, this process does everything."),
]
Threads = Annotated[bool, typer.Option("--threads", help="Make threads instead of processes.")]
TlsFile = Annotated[str, typer.Option(metavar="FILE", help="For a scheduler on tls://.")]


@scale.command()
def build(
    folder: Annotated[Path, typer.Argument(help="Folder of the index, seen by all workers.")],
    vectors: Annotated[
        Path | None, typer.Option(help="A .npy file of vectors, one a row; else they are drawn.")
    ] = None,
    n: Annotated[int, typer.Option(help="How many synthetic vectors to draw.")] = 1_000_000,
    dim: Annotated[int, typer.Option(help="How long those are.")] = 32,
    seed: Annotated[int, typer.Option(help="Of the synthetic vectors.")] = 0,
    quantizer: Annotated[
        Path | None, typer.Option(help="A saved quantizer of any kind; else a PQ is fitted.")
    ] = None,
    subspaces: Annotated[int, typer.Option(help="M of the PQ that is fitted.")] = 8,
    codewords: Annotated[int, typer.Option(help="K of the PQ that is fitted.")] = 256,
    shard_size: Annotated[int, typer.Option(help="Vectors in a shard.")] = 250_000,
    scheduler: Scheduler = "",
    workers: Workers = 2,
    threads: Threads = False,
    tls_ca: TlsFile = "",
    tls_cert: TlsFile = "",
    tls_key: TlsFile = "",
    as_json: AsJson = False,
) -> None:
    """Encode vectors into shards. Stop it, or let it be killed, whenever: the same command goes on."""
    from gsl_tutorial.course.scale.building import PLAN, QUANTIZER, build_index
    from gsl_tutorial.course.scale.measuring import source_of
    from gsl_tutorial.course.training.progress import progress_bar
    from gsl_tutorial.quantizers import ProductQuantizer
    from gsl_tutorial.quantizers.load import load_quantizer

    source = source_of(vectors, n, dim, seed)
    fitted: Any
    if quantizer is not None:
        fitted = load_quantizer(quantizer)
    elif (folder / PLAN).exists() and (folder / QUANTIZER).exists():
        fitted = load_quantizer(folder / QUANTIZER)
    else:
        sample = source.rows(0, min(source.n, 50_000))
        fitted = ProductQuantizer(subspaces, codewords, random_state=0).fit(sample)
    made = 0
    with (
        _cluster(scheduler, workers, threads, tls_ca, tls_cert, tls_key) as client,
        progress_bar("build", unit="shard") as bar,
    ):

        def tell(_: Any, left: int) -> None:
            nonlocal made
            made += 1
            bar.total = made + left
            bar.update(1)

        index = build_index(
            source, fitted, folder, shard_size=shard_size, client=client, on_shard=tell
        )
    facts = {
        "folder": str(folder), "vectors": index.n, "bits": index.bits, "shards": len(index.ranges),
        "built_now": made,
    }  # fmt: skip
    if as_json:
        print(json.dumps(facts))
    else:
        print(
            f"{index.n:,} vectors of {index.bits} bits in {len(index.ranges)} shards; {made} built now"
        )


@scale.command()
def search(
    folder: Annotated[Path, typer.Argument(help="Folder of the index.")],
    queries: Annotated[Path, typer.Option(help="A .npy file of queries, one a row.")],
    k: Annotated[int, typer.Option("--k", "-k", help="Neighbours of each query.")] = 10,
    out: Annotated[
        Path | None, typer.Option(help="Write the ids to this .npy file instead of printing them.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds; 0: as long as it takes.")] = 0.0,
    partial: Annotated[
        bool, typer.Option("--partial", help="When time is up, take what has come.")
    ] = False,
    scheduler: Scheduler = "",
    workers: Workers = 2,
    threads: Threads = False,
    tls_ca: TlsFile = "",
    tls_cert: TlsFile = "",
    tls_key: TlsFile = "",
    as_json: AsJson = False,
) -> None:
    """Search all shards; the answer is that of one index over all vectors."""
    from gsl_tutorial.course.scale.building import ShardedIndex
    from gsl_tutorial.course.scale.searching import search_index
    from gsl_tutorial.course.training.progress import progress_bar, say
    from gsl_tutorial.storage import load_array, save_array

    index = ShardedIndex.open(folder)
    asked = load_array(queries)
    with (
        _cluster(scheduler, workers, threads, tls_ca, tls_cert, tls_key) as client,
        progress_bar("search", unit="shard") as bar,
    ):
        found = search_index(
            index, asked, k, client=client, timeout_s=timeout or None, partial=partial,
            on_partial=lambda _: bar.update(1),
        )  # fmt: skip
    if found.missing:
        say(
            f"Partial: {len(found.missing)} shards did not answer in time; "
            f"{found.n_searched:,} of {index.n:,} vectors were searched."
        )
    if out is not None:
        save_array(out, found.ids)
    if as_json:
        facts = {
            "ids": found.ids.tolist(), "distances": found.distances.tolist(),
            "missing": list(found.missing), "searched": found.n_searched,
        }  # fmt: skip
        print(json.dumps(facts))
    elif out is not None:
        print(f"wrote the {k} nearest of {len(asked):,} queries to {out}")
    else:
        for row in found.ids:
            print(*row)


@scale.command()
def bench(
    folder: Annotated[Path, typer.Option(help="Where to build; gigabytes for ten million.")],
    sizes: Annotated[str, typer.Option(help="How many vectors, with commas between.")] = "1000000",
    to: Annotated[Path | None, typer.Option(help="Folder for the records.")] = None,
    engines: Annotated[
        bool, typer.Option("--engines", help="Compare inverted lists and fast codes instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure builds and searches by size; what is there already is not repeated."""
    from gsl_tutorial.course.cli.app import numbers_of
    from gsl_tutorial.course.scale.measuring import measure_engines, measure_size
    from gsl_tutorial.course.text_table import text_table
    from gsl_tutorial.course.training.progress import say
    from gsl_tutorial.course.training.provenance import provenance
    from gsl_tutorial.storage import read_json, write_json

    records = []
    for n in numbers_of(sizes):
        path = None if to is None else to / f"{'engines' if engines else 'size'}-{n}.json"
        if path is not None and path.exists():
            records.append(read_json(path))
            continue
        record = (
            measure_engines(n, tell=say) if engines else measure_size(n, folder / str(n), tell=say)
        )
        records.append({**record, **provenance()})
        if path is not None:
            write_json(path, records[-1])
    if as_json:
        print(json.dumps(records))
        return
    for record in records:
        rows = record["engines"] if engines else [record]
        head = list(
            dict.fromkeys(k for row in rows for k, v in row.items() if not isinstance(v, dict))
        )
        print(text_table([[row.get(key, "") for key in head] for row in rows], head=head))


def _cluster(
    scheduler: str, workers: int, threads: bool, ca: str, cert: str, key: str
) -> AbstractContextManager[Any]:
    """A client, or None where no cluster is wanted."""
    from contextlib import nullcontext

    if not scheduler and workers == 0:
        return nullcontext(None)
    from gsl_tutorial.errors import DataMissingError

    try:
        from gsl_tutorial.course.scale.cluster import connect
    except ModuleNotFoundError as error:
        raise DataMissingError(
            "Dask, for a cluster", f"no module {error.name}",
            'install it: python -m pip install "gsl-tutorial[scale]"; or use --workers 0',
        ) from error  # fmt: skip
    tls = {"ca": ca, "cert": cert, "key": key}
    return connect(scheduler, workers=workers, threads=threads, tls=tls)
