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
            help="Integer codes of queries and database (.npy): they are compared by the number "
            "of columns that differ."
        ),
    ] = None,
    codebooks: Annotated[
        Path | None,
        typer.Option(help="With --codes and --queries: codebooks (M, K, d), for ADC."),
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(help="With --codebooks: the exact query vectors (B, dim).")
    ] = None,
    vectors: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Vectors of queries and database (.npy): exact squared distances."),
    ] = None,
    labels: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Integer labels of queries and database (.npy), row by row."),
    ] = None,
    split_file: Annotated[
        Path | None,
        typer.Option("--split", help="The split file that they follow (`gsl-tutorial split`)."),
    ] = None,
    at: Annotated[int | None, typer.Option(help="mAP of the first R ranks; else of all.")] = None,
    denominator: Annotated[
        str, typer.Option(help="relevant, or retrieved (warned of).")
    ] = "relevant",
    k: Annotated[int | None, typer.Option(help="Also precision and recall at rank k.")] = None,
    radius: Annotated[
        int | None, typer.Option(help="With --codes: also precision within so many columns.")
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
    """
    own = {"--codes": codes, "--vectors": vectors}
    chosen = [name for name, given in own.items() if given]
    if (run is not None) + len(chosen) != 1:
        raise typer.BadParameter(
            "give one of: the folder of a run, --codes, --vectors. "
            "--codes, --vectors and --labels take two files each: of the queries, of the database"
        )
    if run is not None:
        others = {"--labels": labels, "--split": split_file, "--at": at, "--k": k}
        others |= {"--codebooks": codebooks, "--queries": queries, "--radius": radius}
        _refuse(others, f"the run {run}")
        if denominator != "relevant":
            raise typer.BadParameter("--denominator is for files: a run is measured by `relevant`")
        _evaluate_run(run, protocol, per_query, json_)
        return
    if labels is None or not protocol:
        raise typer.BadParameter(f"{chosen[0]} needs --labels QL.npy DL.npy and --protocol")
    if vectors:
        _refuse({"--codebooks": codebooks, "--queries": queries, "--radius": radius}, "--vectors")
    if (codebooks is None) != (queries is None):
        raise typer.BadParameter("ADC needs both --codebooks and --queries")
    if codebooks is not None and radius is not None:
        raise typer.BadParameter("--radius counts differing columns; ADC measures distances")

    from gsl_tutorial.course.datasets.split_file import read_split
    from gsl_tutorial.course.results.code_files import measure_outside
    from gsl_tutorial.course.results.searches import by_codes, by_tables, by_vectors
    from gsl_tutorial.storage import load_array

    one, other = (load_array(path) for path in codes or vectors or ())
    if vectors:
        search = by_vectors(one, other)
    elif codebooks is not None and queries is not None:
        books, z = load_array(codebooks), load_array(queries)
        search = by_tables(z, other, books, query_codes=one)
    else:
        search = by_codes(one, other)
    result = measure_outside(
        search,
        *(load_array(path) for path in labels),
        protocol=protocol,
        split=None if split_file is None else read_split(split_file),
        at=at,
        denominator=denominator,  # type: ignore[arg-type]
        k=k,
        radius=radius,
    )
    _report(result.to_dict(), result.per_query, per_query, json_)


@app.command()
def split(
    out: Annotated[Path, typer.Option(help="File to write, for example split.json.")],
    protocol: Annotated[
        str, typer.Option(help="P0, P1a, P1b, P2, unseen, validation or digits.")
    ] = "P1a",
    seed: Annotated[int, typer.Option(help="Which draw; P0 and P2 draw nothing.")] = 0,
    json_: AsJson = False,
) -> None:
    """Write which images are queries, trained on and searched, with checksums; no images needed."""
    from gsl_tutorial.course.datasets import get_protocol
    from gsl_tutorial.course.datasets.split_file import draw_split, write_split
    from gsl_tutorial.course.results.labels import labels_of

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
