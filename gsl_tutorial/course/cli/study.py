"""The command around a study: run its parts, or what is left of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gsl_tutorial.course.cli.app import AsJson, app


@app.command()
def study(
    name: Annotated[
        str, typer.Argument(help="digits (a minute), cifar10, map, ... (hours), or a TOML file.")
    ] = "digits",
    part: Annotated[
        str, typer.Option(help="tune, or a part of the grid; all of them in turn by default.")
    ] = "",
    results: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("results"),
    share: Annotated[
        str, typer.Option(help="1/2 does every other run: start 1/2 and 2/2 side by side.")
    ] = "1/1",
    cells: Annotated[
        str, typer.Option(help="Only these cells, such as 2x4,4x4: a long study in pieces.")
    ] = "",
    threads: Annotated[int, typer.Option(help="Threads of this process; 0 takes all cores.")] = 0,
    commit: Annotated[
        str, typer.Option(help="The commit to record, for a copy outside a checkout.")
    ] = "",
    report: Annotated[
        bool, typer.Option("--report", help="Run nothing: print what the finished runs say.")
    ] = False,
    json_: AsJson = False,
    again: Annotated[
        str,
        typer.Option(help="A cell such as 2x4: train its runs of --part once more and compare."),
    ] = "",
) -> None:
    """Compare all methods on one encoder, data and budget. Finished runs are not repeated."""
    import torch

    from gsl_tutorial.course.cli.app import nothing_finished, share_of
    from gsl_tutorial.course.study import StudyResults, StudyRun, law, load_study, run_part
    from gsl_tutorial.course.study.again import repeat_cell
    from gsl_tutorial.course.study.map_report import as_json
    from gsl_tutorial.course.study.map_report import as_text as map_text
    from gsl_tutorial.course.study.report import as_text, compare, settings, trials
    from gsl_tutorial.course.training.progress import say
    from gsl_tutorial.course.training.provenance import provenance

    own_share = share_of(share)
    if threads:
        torch.set_num_threads(threads)
    declared = load_study(name)
    kept = StudyResults(declared, results, only_cells=cells.split(",") if cells else ())

    def tell(run: StudyRun, i: int, n: int) -> None:
        say(f"{run.part} {i}/{n}: {run.name}")

    if again:
        compared = repeat_cell(kept, part or "test", again, on_run=tell)
        differs = False
        for name_, row in compared:
            print(f"{name_}: {row}")
            differs |= not row.agrees
        if differs:
            raise typer.Exit(1)
        return

    if report:
        parts = [part] if part else ["tune", *(p.name for p in declared.parts)]
        if not any(kept.records(one) for one in parts):
            if part:
                kept.planned(part)  # is there such a part?
            raise nothing_finished(parts, kept.path)
        if declared.tune.cells:
            print(json.dumps(as_json(kept)) if json_ else map_text(kept))
            for counted in declared.parts:
                if not json_ and counted.classes != (0,) and kept.records(counted.name):
                    for other in ("penalty", "none", "ste"):
                        print(f"\n{law.as_text(kept, counted, 'snap-pull', other)}")
            return
        single = {"tune", *(p.name for p in declared.parts if len(p.variants) > 1)}
        for one in parts:
            if one in single:
                print(f"\n{one}, one run a line\n{trials(kept, one)}")
                continue
            for setting in settings(kept, one):
                print(f"\n{one}: " + ", ".join(map(str, setting)))
                print(as_text(compare(kept, one, setting)))
        return

    for one in [part] if part else ["tune", *(p.name for p in declared.parts)]:
        done = run_part(
            kept,
            one,
            share=own_share,
            provenance=provenance(commit),
            on_run=tell,
        )
        print(f"{one}: {done} runs done, {len(kept.planned(one)) - done} were there or are others'")
    print(f"Next: gsl-tutorial study {name} --results {results} --report")
