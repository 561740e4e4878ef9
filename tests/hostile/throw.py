"""Throw arrays at every public function of the core and say which of them leaked an error not its own.

`python throw.py N` runs in a process of its own, since the worst that an input can do is to end it. The
last line is a JSON list of leaks: [function, kind of error, its text, what was thrown].
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arrays import hostile

import gsl_tutorial
from gsl_tutorial import evaluation
from gsl_tutorial.errors import TutorialError
from gsl_tutorial.evaluation import at_rank, discounted_gain, distances, intervals
from gsl_tutorial.quantizers import faiss_index, kmeans

KINDS = [
    gsl_tutorial.ProductQuantizer,
    gsl_tutorial.OptimizedProductQuantizer,
    gsl_tutorial.ResidualQuantizer,
    gsl_tutorial.AdditiveQuantizer,
]
X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
LABELS = np.arange(30) % 3
CODES = np.arange(60).reshape(30, 2) % 4


def targets() -> dict[str, Callable[[Any], Any]]:
    """Every public function, with one place for what is thrown."""
    found: dict[str, Callable[[Any], Any]] = {}
    for kind in KINDS:
        short = {"n_iterations": 1} if "n_iterations" in kind(2).get_params() else {}
        new = lambda kind=kind, short=short: kind(2, 3, random_state=0, **short)  # noqa: E731
        one = new().fit(X)
        codes = one.encode(X)
        name = kind.__name__
        for method in ("encode", "transform", "decode", "inverse_transform", "lookup_tables",
                       "distortion", "relative_distortion", "perplexity", "split", "join"):  # fmt: skip
            found[f"{name}.{method}"] = getattr(one, method)
        found |= {
            f"{name}.fit": lambda a, new=new: new().fit(a),
            f"{name}.fit_transform": lambda a, new=new: new().fit_transform(a),
            f"{name}.refit": lambda a, new=new: new().fit(X).refit(a),
            f"{name}.with_codebooks": lambda a, new=new: new().with_codebooks(a).encode(X),
            f"{name}.candidates": lambda a, one=one: one.candidates(a, 2),
            f"{name}.distances.queries": lambda a, one=one, c=codes: one.distances(a, c),
            f"{name}.distances.codes": lambda a, one=one: one.distances(X, a),
            f"{name}.symmetric_distances": lambda a, one=one, c=codes: one.symmetric_distances(
                a, c
            ),
            f"{name}.inner_products": lambda a, one=one: one.lookup_tables(
                a, metric="inner_product"
            ),
            f"{name} == ": lambda a, one=one: one == a,
        }
        if hasattr(one, "code_norms"):
            found[f"{name}.code_norms"] = one.code_norms
    D = distances.squared_distances(X, X)
    _, members = evaluation.group_codes(CODES, LABELS)
    pq = gsl_tutorial.ProductQuantizer(2, 4, random_state=0).fit(X)
    found |= {
        "kmeans": lambda a: kmeans.kmeans(a, 2, seed=0),
        "kmeans.start": lambda a: kmeans.kmeans(X, 2, seed=0, start=a),
        "to_faiss.codes": lambda a: faiss_index.to_faiss(pq, a),
        "from_faiss": faiss_index.from_faiss,
        "squared_distances.queries": lambda a: distances.squared_distances(a, X),
        "squared_distances.database": lambda a: distances.squared_distances(X, a),
        "mean_average_precision.distances": lambda a: evaluation.mean_average_precision(
            a, LABELS, LABELS
        ),
        "mean_average_precision.query": lambda a: evaluation.mean_average_precision(D, a, LABELS),
        "mean_average_precision.database": lambda a: evaluation.mean_average_precision(
            D, LABELS, a
        ),
        "average_precision.distances": lambda a: evaluation.average_precision(a, LABELS == 0),
        "average_precision.relevant": lambda a: evaluation.average_precision(D[0], a),
        "average_precisions.query": lambda a: evaluation.average_precisions(D, a, LABELS, at=3),
        "group_codes.codes": lambda a: evaluation.group_codes(a, LABELS),
        "group_codes.labels": lambda a: evaluation.group_codes(CODES, a),
        "grouped_average_precisions": lambda a: evaluation.grouped_average_precisions(
            a, LABELS, members
        ),
        "precisions_at": lambda a: at_rank.precisions_at(a, LABELS, LABELS, k=3),
        "recalls_at.distances": lambda a: at_rank.recalls_at(a, LABELS, LABELS, k=3),
        "recalls_at.labels": lambda a: at_rank.recalls_at(D, LABELS, a, k=3),
        "precision_recall_curve": lambda a: evaluation.precision_recall_curve(a, LABELS, LABELS),
        "within_radius": lambda a: at_rank.within_radius(a, LABELS, members, radius=1.0),
        "code_distances": lambda a: at_rank.code_distances(a, CODES),
        "normalized_discounted_cumulative_gain": lambda a: (
            discounted_gain.normalized_discounted_cumulative_gain(a, LABELS, LABELS)
        ),
        "clustered_bootstrap": lambda a: intervals.clustered_bootstrap(D, a, random_state=0),
        "paired_bootstrap": lambda a: intervals.paired_bootstrap(a, D[0], random_state=0),
        "snap_gradient.gradient": lambda a: gsl_tutorial.snap_gradient(
            a, torch.zeros(7, 2, 2), torch.ones(7, 2, 3, 2)
        ),
        "snap_gradient.embedding": lambda a: gsl_tutorial.snap_gradient(
            torch.ones(7, 2, 2), a, torch.ones(7, 2, 3, 2)
        ),
        "snap_gradient.candidates": lambda a: gsl_tutorial.snap_gradient(
            torch.ones(7, 2, 2), torch.zeros(7, 2, 2), a
        ),
        "GradientSnapping": lambda a: gsl_tutorial.GradientSnapping(pq, n_candidates=2)(a),
    }
    return found


def main(count: int) -> None:
    """Throw `count` arrays, each at one function, all functions in turn."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    functions = list(targets().items())
    leaks: dict[tuple[str, str], list[str]] = {}
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        for i in range(count):
            array = hostile(np.random.default_rng(i), Path(folder))
            name, function = functions[i % len(functions)]
            try:
                function(array)
            except TutorialError:
                pass
            except Exception as error:
                shape, dtype = getattr(array, "shape", ""), getattr(array, "dtype", "")
                thrown = f"seed {i}: {type(array).__name__} {shape} {dtype}"
                leaks.setdefault((name, type(error).__name__), [f"{error}"[:150], thrown])
    print(json.dumps([[*key, *value] for key, value in leaks.items()]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
