"""Commands that measure: a run of ours, or codes of anybody; and the split that both follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gsl_tutorial.course.cli.app import AsJson, app


@app.command()
def evaluate(
    run: Annotated[Path | None, typer.Argument(help="Folder of a finished run.")] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="For a run: one with its training images (its own by default). For files: the one "
            "they follow, P0, P1a, P1b, P2, unseen, validation, digits, or own."
        ),
    ] = "",
    codes: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            help="Codes of queries and database: bits (0 and 1, or -1 and +1), or numbers of "
            "codewords. They are compared by the number of columns that differ; with --codebooks, by "
            "ADC, and then `-` may stand for the codes of the queries."
        ),
    ] = None,
    packed: Annotated[
        bool | None,
        typer.Option(
            "--packed/--no-packed",
            help="With --codes: they are bytes of eight bits each (numpy.packbits), or they are "
            "not, and bytes that look like it are not questioned.",
            show_default=False,
        ),
    ] = None,
    bits: Annotated[
        int | None,
        typer.Option(help="With --codes: the length of a code, where the files do not show it."),
    ] = None,
    codebooks: Annotated[
        Path | None,
        typer.Option(
            help="With --codes and --queries, for ADC: codebooks (M, K, dim / M) of product codes, "
            "or (M, K, dim) of additive ones (residual quantization, LSQ), whose codewords are added "
            "up; or a quantizer that `save` wrote."
        ),
    ] = None,
    rotation: Annotated[
        Path | None,
        typer.Option(help="With --codebooks: OPQ's orthonormal matrix, z' = rotation z."),
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(help="With --codebooks: the exact query vectors (B, dim).")
    ] = None,
    vectors: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Vectors of queries and database, compared exactly."),
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            help="For --vectors and --codebooks: l2 (squared distance), ip (inner product) or cosine."
        ),
    ] = "",
    labels: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            help="Labels of queries and database, row by row: numbers or words. Several for each "
            "item, as tables of 0 and 1 or lists of sets, make relevant what shares one; then nDCG "
            "stands beside mAP."
        ),
    ] = None,
    neighbours: Annotated[
        Path | None,
        typer.Option(
            help="The true neighbours of each query, nearest first (.ivecs, or any other file): recall "
            "against them, with or without --labels."
        ),
    ] = None,
    found: Annotated[
        Path | None,
        typer.Option(
            help="With --neighbours and nothing else: the neighbours that your own search found."
        ),
    ] = None,
    split_file: Annotated[
        Path | None,
        typer.Option("--split", help="The split file that they follow (`gsl-tutorial split`)."),
    ] = None,
    at: Annotated[
        int | None, typer.Option(help="mAP of the first R ranks; all by default.")
    ] = None,
    denominator: Annotated[
        str, typer.Option(help="relevant, or retrieved (with a warning).")
    ] = "relevant",
    k: Annotated[int | None, typer.Option(help="Also precision and recall at rank k.")] = None,
    radius: Annotated[
        int | None,
        typer.Option(
            help="With --codes: also precision among items whose codes differ in at most so many columns."
        ),
    ] = None,
    gain: Annotated[
        str | None,
        typer.Option(
            help="Of nDCG, for an item that shares s labels: linear, s (the default), or exponential, "
            "2^s - 1."
        ),
    ] = None,
    per_query: Annotated[
        Path | None, typer.Option(help="Also write each query's value to this .npy file.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Measure a run, or codes of your own: mean average precision over all queries, ties exact.

    A run is measured four ways: ADC, SDC, exact, and its classifier's answer as a code.

    Your own files: --codes Q.npy D.npy --labels QL.npy DL.npy --protocol P2. What makes a number
    meaningless is refused (the query in the database, changed labels, other sizes than the
    protocol's), what misleads is warned of on standard error, each mistake by its name.

    Files are read by their suffix: .npy, .npz, .mat, .fvecs, .ivecs, .bvecs, .fbin, .ibin, .h5, .hdf5,
    .safetensors, .csv, .txt (also lists of images with their labels), .json. Where a file holds several
    arrays, write which one: data.mat:B_test, glove.hdf5:neighbors. What would have to be unpickled
    (.pt, .pkl) is refused, with the line that converts it.

    Nearest-neighbour search: --vectors glove.hdf5:test glove.hdf5:train --metric cosine --neighbours
    glove.hdf5:neighbors gives 1-recall@k and k-recall@k; so do --codes with --codebooks.
    """
    own = {"--codes": codes, "--vectors": vectors, "--found": found}
    chosen = [name for name, given in own.items() if given]
    if (run is not None) + len(chosen) != 1:
        raise typer.BadParameter(
            "give one of: the folder of a run, --codes, --vectors, or --found with --neighbours. "
            "--codes, --vectors and --labels take two files each: of the queries, of the database"
        )
    for_adc = {"--codebooks": codebooks, "--queries": queries, "--rotation": rotation}
    for_codes = {"--packed": packed, "--bits": bits}
    for_labels = {"--split": split_file, "--at": at, "--k": k, "--radius": radius,
                  "--gain": gain}  # fmt: skip
    if run is not None:
        others = {"--labels": labels, "--neighbours": neighbours, "--metric": metric or None}
        _refuse({**others, **for_labels, **for_adc, **for_codes}, f"the run {run}")
        if denominator != "relevant":
            raise typer.BadParameter("--denominator is for files: a run is measured by `relevant`")
        _evaluate_run(run, protocol, per_query, json_)
        return
    if neighbours is None or labels is not None:
        if found is not None:
            raise typer.BadParameter("--found needs --neighbours, and no --labels")
        if labels is None or not protocol:
            raise typer.BadParameter(
                f"{chosen[0]} needs --labels QL.npy DL.npy and --protocol, or --neighbours"
            )
    else:
        _refuse({**for_labels, "--per-query": per_query}, "--neighbours without --labels")
    if found is not None:
        _refuse({**for_adc, **for_codes, "--metric": metric or None}, "--found")
    if vectors:
        _refuse({**for_adc, **for_codes, "--radius": radius}, "--vectors")
    if (codebooks is None) != (queries is None):
        raise typer.BadParameter("ADC needs both --codebooks and --queries")
    if codebooks is None:
        _refuse({"--rotation": rotation}, "codes without --codebooks")
        if codes and metric:
            raise typer.BadParameter("--metric is for --vectors, and for --codes with --codebooks")
        if codes and str(codes[0]) == "-":
            raise typer.BadParameter("`-` for the codes of the queries needs --codebooks: ADC")
    elif radius is not None:
        raise typer.BadParameter("--radius counts differing columns; ADC measures distances")
    else:
        _refuse(for_codes, "--codebooks, which say both")

    from gsl_tutorial.course.datasets.split_file import read_split
    from gsl_tutorial.course.results.array_files import read_array, read_labels
    from gsl_tutorial.course.results.code_files import (
        measure_found,
        measure_neighbours,
        measure_outside,
    )

    true = None if neighbours is None else read_array(neighbours)
    if found is not None and true is not None:
        _report(measure_found(read_array(found), true), None, None, json_)
        return
    search = _search(codes, vectors, codebooks, queries, rotation, metric or "l2", packed, bits)
    values: dict[str, Any] = {}
    each = None
    if labels is not None:
        result = measure_outside(
            search,
            *(read_labels(path) for path in labels),
            protocol=protocol,
            split=None if split_file is None else read_split(split_file),
            at=at,
            denominator=denominator,  # type: ignore[arg-type]
            k=k,
            radius=radius,
            gain=gain or "linear",  # type: ignore[arg-type]
        )
        values, each = result.to_dict(), result.per_query
    if true is not None:
        values = {**measure_neighbours(search, true), **values}
    _report(values, each, per_query, json_)


def _search(
    codes: tuple[Path, Path] | None,
    vectors: tuple[Path, Path] | None,
    codebooks: Path | None,
    queries: Path | None,
    rotation: Path | None,
    metric: str,
    packed: bool | None,
    bits: int | None,
) -> Any:
    """The search that the files ask for; which options fit together has been checked."""
    from gsl_tutorial.course.results.array_files import read_array
    from gsl_tutorial.course.results.searches import by_codes, by_tables, by_vectors
    from gsl_tutorial.storage import load_arrays

    if vectors:
        return by_vectors(*map(read_array, vectors), metric=metric)  # type: ignore[arg-type]
    one, other = (None if str(path) == "-" else read_array(path) for path in codes or ())
    if codebooks is None or queries is None:
        return by_codes(one, other, packed=packed, bits=bits)  # type: ignore[arg-type]
    turn = None if rotation is None else read_array(rotation)
    if codebooks.suffix == ".safetensors" and codebooks.is_file():  # `Quantizer.save`
        arrays, _ = load_arrays(codebooks)
        books = arrays["codebooks"] if "codebooks" in arrays else read_array(codebooks)
        turn = arrays.get("rotation") if turn is None else turn
    else:
        books = read_array(codebooks)
    return by_tables(
        read_array(queries),
        other,  # type: ignore[arg-type]
        books,
        query_codes=one,
        rotation=turn,
        metric=metric,  # type: ignore[arg-type]
    )


@app.command()
def split(
    out: Annotated[Path, typer.Option(help="File to write, for example split.json.")],
    protocol: Annotated[
        str, typer.Option(help="P0, P1a, P1b, P2, unseen, validation or digits.")
    ] = "P1a",
    seed: Annotated[int, typer.Option(help="Seed of the random choice; P0 and P2 make none.")] = 0,
    json_: AsJson = False,
) -> None:
    """Write which images are queries, trained on and searched, with checksums; it needs no images."""
    from gsl_tutorial.course.datasets import get_protocol
    from gsl_tutorial.course.datasets.split_file import draw_split, write_split
    from gsl_tutorial.course.results.saved_runs import labels_of

    get_protocol(protocol)
    drawn = draw_split(labels_of(protocol), protocol, seed=seed)
    write_split(out, drawn)
    values = {"split": str(out), "sha256": drawn.checksum, "printed": str(drawn)}
    print(json.dumps(values, indent=1) if json_ else f"{drawn}\nWrote {out}")


def _evaluate_run(run: Path, protocol: str, per_query: Path | None, json_: bool) -> None:
    from gsl_tutorial.course.results.evaluate_run import evaluate_model, summary
    from gsl_tutorial.course.training.progress import say
    from gsl_tutorial.course.training.runs import RunFolder

    model = RunFolder(run).load_model()
    result, _, _ = evaluate_model(model, protocol=protocol, on_stage=say)
    _report(summary(model, result), result.per_query, per_query, json_)


def _report(values: dict[str, Any], each: Any, per_query: Path | None, json_: bool) -> None:
    from gsl_tutorial.course.results.evaluate_run import table
    from gsl_tutorial.course.training.progress import say
    from gsl_tutorial.storage import save_array

    for text in values.get("warnings", ()):
        say(f"warning, {text}")
    if per_query is not None:
        save_array(per_query, each)
    if json_:
        print(json.dumps(values, indent=1))
        return
    print(table({name: value for name, value in values.items() if name != "warnings"}))


def _refuse(options: Mapping[str, object], beside: str) -> None:
    """Options that would be ignored without a word are refused instead."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise typer.BadParameter(f"{', '.join(given)} cannot stand beside {beside}")
