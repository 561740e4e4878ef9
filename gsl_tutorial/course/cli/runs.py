"""Commands around a run: train, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gsl_tutorial.course.cli.app import AsJson, app


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder of the run; made if it does not exist.")],
    dataset: Annotated[
        str, typer.Option(help="digits (a minute), cifar10 (ten), or cifar100 (profile study).")
    ] = "digits",
    quantizer: Annotated[
        str, typer.Option(help="pq, opq (rotated), rq (residual) or lsq (additive).")
    ] = "pq",
    bits: Annotated[int, typer.Option(help="Bits of a code: M log2 K for M codebooks.")] = 32,
    codewords: Annotated[
        int, typer.Option(help="K, codewords in each codebook: a power of two.")
    ] = 256,
    method: Annotated[
        str,
        typer.Option(
            help="none, penalty, ste, rotation, soft, radius, halfway, pull-relative, snap-pull (or "
            "snap, for short), snap-replace or snap-lookahead; to find out what helps: "
            "pull-second, pull-random, pull-farthest, pull-near-descending."
        ),
    ] = "snap-pull",
    loss: Annotated[
        str, typer.Option(help="cross-entropy, supervised-contrastive or triplet.")
    ] = "cross-entropy",
    profile: Annotated[
        str,
        typer.Option(
            help="quick: short enough for a lab. For cifar10 also full (an hour on two cores), few (the "
            "same for the 5,000 images of P1a), gpu, and study (a small network)."
        ),
    ] = "quick",
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
        bool, typer.Option("--resume", help="Continue after the last finished round.")
    ] = False,
    warm_up: Annotated[
        Path | None,
        typer.Option(
            help="Begin after the warm-up of this run, which differs in method, quantizer or codes "
            "only: up to there they are the same run."
        ),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Train an encoder and its codebooks in turns. Ctrl-C keeps the last finished round."""
    from gsl_tutorial.course.training.config import TrainingConfig
    from gsl_tutorial.course.training.methods import MethodOptions
    from gsl_tutorial.course.training.progress import say, training_bar
    from gsl_tutorial.course.training.provenance import provenance
    from gsl_tutorial.course.training.runs import RunFolder
    from gsl_tutorial.course.training.train_run import load_data, train_run

    options = MethodOptions() if strength is None else MethodOptions(strength=strength)
    config = TrainingConfig(
        dataset=dataset,
        quantizer=quantizer,
        bits=bits,
        n_codewords=codewords,
        method=method,
        loss=loss,
        profile=profile,
        protocol=protocol,
        seed=seed,
        options=options,
    )
    folder = RunFolder(out)
    folder.check(config, resume=resume)
    data = load_data(dataset, protocol=config.protocol, seed=seed)
    with training_bar() as show:
        try:
            model = train_run(
                config,
                data,
                folder=folder,
                resume=resume,
                warm_up=None if warm_up is None else RunFolder(warm_up),
                provenance=provenance(),
                on_progress=show,
            )
        except KeyboardInterrupt:
            kept = "The last finished round" if folder.checkpoint_file.exists() else "No round yet"
            say(f"{kept} is kept in {out}. To go on: the same command with --resume.")
            raise
    last = model.history[-1]
    if json_:
        print(json.dumps({"run": str(out), **last, "seconds": model.train_seconds}, indent=1))
    else:
        print(
            f"Trained in {model.train_seconds:.0f} s: loss {last['loss']:.2g}, "
            f"relative distortion {last['relative_distortion']:.2g}.\n"
            f"Next: gsl-tutorial evaluate {out}"
        )


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    to: Annotated[Path, typer.Option(help="Folder to write, for example data/my-run.")],
    protocol: Annotated[
        str, typer.Option(help="One with the training images of the run (its own by default).")
    ] = "",
    codes: Annotated[
        bool, typer.Option("--codes", help="Codes and queries alone: enough for a search.")
    ] = False,
) -> None:
    """Export the weights, embeddings and codes of a run, with a card, as in the folder data."""
    from gsl_tutorial.course.results.evaluate_run import embed_before, evaluate_model, summary
    from gsl_tutorial.course.results.saved_runs import rounded, ship
    from gsl_tutorial.course.results.shipped_codes import ship_codes
    from gsl_tutorial.course.training.progress import say
    from gsl_tutorial.course.training.runs import RunFolder

    folder = RunFolder(run)
    model, warm = rounded(folder.load_model()), folder.load_warm()
    result, query, database = evaluate_model(model, protocol=protocol, on_stage=say)
    if codes:
        ship_codes(to, model, query, database, metrics=summary(model, result))
        print(f"Wrote card.json, codes.safetensors to {to}")
        return
    before = None if warm is None else embed_before(warm, protocol=protocol, on_stage=say)
    ship(to, model, query, database, metrics=summary(model, result), before=before)
    print(f"Wrote card.json, embeddings.safetensors, model.safetensors to {to}")


@app.command()
def reproduce(
    shipped: Annotated[Path, typer.Argument(help="A folder with a card, such as those in data/.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the new run; a run that is there is continued.")
    ],
    json_: AsJson = False,
) -> None:
    """Train a shipped run again and compare its figures with its card. It takes as long as the first time.

    Ends with status 1 when a figure is further from the card's than its tolerance.
    """
    from gsl_tutorial.course.results.reproduce import as_text
    from gsl_tutorial.course.results.reproduce import reproduce as again
    from gsl_tutorial.course.training.progress import say, training_bar
    from gsl_tutorial.course.training.provenance import provenance

    with training_bar() as show:
        rows = again(shipped, out, provenance=provenance(), on_progress=show, on_stage=say)
    if json_:
        print(json.dumps([row.to_dict() for row in rows], indent=1))
    else:
        print(as_text(rows))
    if not all(row.agrees for row in rows):
        raise typer.Exit(1)
