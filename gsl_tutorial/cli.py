"""The command line: look at the machine, fetch, train, evaluate, export, build.

Each command is a short function around one of the package; errors become one readable sentence and an
exit status (see `gsl_tutorial.errors`). Heavy imports happen inside the commands, so `--help` is
immediate. Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gsl_tutorial.errors import DataMissingError, TutorialError

app = typer.Typer(
    name="gsl-tutorial",
    help="""Train, search and measure with snapped gradients.

A first walk, about a minute, no downloads:

    gsl-tutorial doctor

    gsl-tutorial train --dataset digits --out runs/first

    gsl-tutorial evaluate runs/first

Exit status: 0 fine, 1 something is wrong, 2 wrong arguments, 3 data missing or damaged, 4 the run
folder holds another run, 5 cannot write, 6 training diverged, 130 interrupted.
""",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

_INTERRUPTED = 128 + signal.SIGINT

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def doctor(json_: AsJson = False) -> None:
    """Look at this machine: versions, threads, memory, data; and say what to do about what is missing."""
    from gsl_tutorial.doctor import examine, render

    report = examine()
    print(json.dumps(report.as_dict(), indent=1) if json_ else render(report))
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def lab(
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window.")
    ] = True,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="A port of your own; else a free one.")
    ] = None,
) -> None:
    """Open the workbook in JupyterLab at chapter 00, on this machine only."""
    from gsl_tutorial.lab import start

    raise typer.Exit(start(browser=browser, port=port))


@app.command()
def fetch(json_: AsJson = False) -> None:
    """Download CIFAR-10 (170 MB) into your cache and verify it; does nothing where it is complete.

    Without a network, copy the folder cifar-10-batches-py from another machine and set GSL_TUTORIAL_DATA
    to the folder that holds it. A classroom can name its own copy in GSL_TUTORIAL_MIRROR.
    """
    from gsl_tutorial.datasets import fetch_cifar10
    from gsl_tutorial.progress import progress_bar, say

    with progress_bar("fetch", unit="B") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        folder = fetch_cifar10(progress=progress, notice=say)
    print(json.dumps({"cifar10": str(folder)}) if json_ else f"CIFAR-10 is complete in {folder}")


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder of the run; made if it does not exist.")],
    dataset: Annotated[str, typer.Option(help="digits (a minute) or cifar10 (ten).")] = "digits",
    quantizer: Annotated[str, typer.Option(help="pq")] = "pq",
    bits: Annotated[int, typer.Option(help="Bits of a code: 8 for each subspace.")] = 32,
    method: Annotated[
        str,
        typer.Option(
            help="none, penalty, snap (= snap-pull), snap-pull, snap-replace or snap-lookahead."
        ),
    ] = "snap",
    profile: Annotated[str, typer.Option(help="quick: a lab's patience.")] = "quick",
    protocol: Annotated[
        str,
        typer.Option(
            help="Whose training images: P2 (for cifar10 the default), validation (to choose "
            "settings on), P0, P1a, P1b, unseen."
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="Everything random comes from this number.")] = 0,
    strength: Annotated[
        float | None, typer.Option(help="Weight of the pull to a codeword (lambda).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last finished round.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Train an encoder and its codebooks in turns. Ctrl-C keeps the last finished round."""
    from gsl_tutorial.config import TrainingConfig
    from gsl_tutorial.losses import MethodOptions
    from gsl_tutorial.pipeline import load_data, provenance, train_run
    from gsl_tutorial.progress import progress_bar, say
    from gsl_tutorial.runs import RunFolder
    from gsl_tutorial.training import Progress

    options = MethodOptions() if strength is None else MethodOptions(strength=strength)
    config = TrainingConfig(
        dataset=dataset,
        quantizer=quantizer,
        bits=bits,
        method=method,
        profile=profile,
        protocol=protocol,
        seed=seed,
        options=options,
    )
    folder = RunFolder(out)
    folder.check(config, resume=resume)
    data = load_data(dataset, protocol=config.protocol, seed=seed)
    with progress_bar("train", unit="step") as bar:

        def progress(at: Progress) -> None:
            bar.total = at.n_steps
            bar.set_description(f"round {at.round}/{at.n_rounds}", refresh=False)
            bar.set_postfix(loss=f"{at.loss:.3f}", refresh=False)
            bar.update(at.step - bar.n)

        try:
            model = train_run(
                config,
                data,
                folder=folder,
                resume=resume,
                provenance=provenance(),
                on_progress=progress,
            )
        except KeyboardInterrupt:
            kept = "The last finished" if folder.checkpoint_file.exists() else "Not yet a"
            say(f"{kept} round is kept in {out}. Go on: the same command and --resume.")
            raise
    last = model.history[-1]
    if json_:
        print(json.dumps({"run": str(out), **last, "seconds": model.train_seconds}, indent=1))
    else:
        print(
            f"Trained in {model.train_seconds:.0f} s: loss {last['loss']:.3f}, "
            f"relative distortion {last['relative_distortion']:.3f}.\n"
            f"Next: gsl-tutorial evaluate {out}"
        )


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    protocol: Annotated[
        str, typer.Option(help="One with the training images of the run (its own by default).")
    ] = "",
    json_: AsJson = False,
) -> None:
    """Measure a run: mean average precision over all queries and the whole database, four ways."""
    from gsl_tutorial.pipeline import evaluate_model, summary, table
    from gsl_tutorial.progress import say
    from gsl_tutorial.runs import RunFolder

    model = RunFolder(run).load_model()
    result, _, _ = evaluate_model(model, protocol=protocol, on_stage=say)
    values = summary(model, result)
    print(json.dumps(values, indent=1) if json_ else table(values))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    to: Annotated[Path, typer.Option(help="Folder to write, for example data/my-run.")],
    protocol: Annotated[
        str, typer.Option(help="One with the training images of the run (its own by default).")
    ] = "",
) -> None:
    """Write weights, embeddings and codes of a run, with a card: what data/ carries."""
    from gsl_tutorial.pipeline import evaluate_model, summary
    from gsl_tutorial.progress import say
    from gsl_tutorial.runs import RunFolder
    from gsl_tutorial.shipped import ship

    model = RunFolder(run).load_model()
    result, query, database = evaluate_model(model, protocol=protocol, on_stage=say)
    ship(to, model, query, database, metrics=summary(model, result))
    print(f"Wrote card.json, embeddings.safetensors, model.safetensors to {to}")


@app.command()
def build(
    only: Annotated[str | None, typer.Argument(help="One chapter: 03 or its name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Build what is fresh, too.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only list what is stale.")] = False,
    json_: AsJson = False,
) -> None:
    """Press the chapters: notebooks/src/NN_name.py into the student's and the solved notebook."""
    from gsl_tutorial.press import build as press
    from gsl_tutorial.progress import say

    root = Path.cwd()
    if not (root / "notebooks" / "src").is_dir():
        raise DataMissingError(
            "to stand in the workbook's folder", f"no notebooks/src in {root}", "cd to it"
        )
    made = press(
        root,
        only=only,
        force=force,
        check=check,
        progress=lambda done, total, what: say(f"[{done}/{total}] {what}"),
    )
    if json_:
        print(json.dumps([vars(one) for one in made], indent=1))
    else:
        for one in made:
            cost = f"{one.seconds:5.1f} s {one.memory_mb:5.0f} MB" if one.built else "up to date"
            print(f"{one.chapter:28} {one.variant:9} {'stale' if check else cost}")
    if check and made:
        raise typer.Exit(1)


def main() -> None:
    """Entry point: run a command and turn what goes wrong into a sentence and an exit status."""
    try:
        # Not standalone, typer returns the status of an Exit (and 130 on Ctrl-C) instead of leaving.
        status = app(prog_name="gsl-tutorial", standalone_mode=False)
    except TutorialError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        status = _INTERRUPTED
    except Exception as error:
        show: Callable[[], None] | None = getattr(error, "show", None)
        if show is None:  # a fault of ours: the trace helps whoever mends it
            raise
        show()
        sys.exit(2)
    if status == _INTERRUPTED:
        _fail("Interrupted.", status)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(text: str, status: int) -> None:
    print(f"gsl-tutorial: {text}", file=sys.stderr)
    sys.exit(status)
