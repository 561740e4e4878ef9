"""The shapes that the core's signatures state are those that go in and come out, checked while it runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
from jaxtyping import install_import_hook

# Left out: snapping.compiled, whose annotations torch reads itself, and what hands on named tuples with
# optional fields (ranking, ties and their callers), which the checker does not know.
CHECKED = '''
quantizers validation storage snapping.rule snapping.layer snapping.by_hand evaluation.distances
evaluation.intervals evaluation.relevance evaluation.sorting
'''.split()
with install_import_hook(["gsl_tutorial." + name for name in CHECKED], "typeguard.typechecked"):
    import gsl_tutorial as gsl
    from gsl_tutorial import evaluation
    from gsl_tutorial.evaluation import at_rank, distances, intervals
    from gsl_tutorial.quantizers import faiss_index
    from gsl_tutorial.snapping import by_hand

import numpy as np
import torch

rng = np.random.default_rng(0)
for N, M, K, d, n in ((60, 2, 4, 3, 2), (33, 1, 2, 1, 2), (50, 3, 8, 2, 8)):
    X = rng.normal(size=(N, M * d)).astype(np.float32)
    z = torch.from_numpy(X)
    for kind in ("Product", "OptimizedProduct", "Residual", "Additive"):
        q = getattr(gsl, kind + "Quantizer")(M, K, random_state=0).fit(X).refit(X)
        codes = q.encode(X)
        assert q.decode(codes).shape == X.shape
        q.distances(X[:5], codes), q.symmetric_distances(codes[:5], codes), q.lookup_tables(X[:5])
        q.perplexity(codes), q.distortion(X), q.relative_distortion(X)
        q.join(q.split(z)), q.candidates(z, n), q.candidates(X, n)
        index = faiss_index.to_faiss(q, codes)
        for form in ("pull", "replace", "look-ahead"):
            layer = gsl.GradientSnapping(q, form=form, n_candidates=n, loss_scale=1.0)
            leaf = z.clone().requires_grad_()
            layer.follow(layer(leaf).square().mean()).backward()
            pieces = q.split(leaf.grad), q.split(z)
            gsl.snap_gradient(*pieces, q.candidates(z, n), form=form)
    labels = rng.integers(0, 3, N)
    D = distances.squared_distances(X[:7], X)
    for at in (None, 5):
        evaluation.mean_average_precision(D, labels[:7], labels, at=at)
        evaluation.average_precision(D[0], labels == labels[0], at=at)
    distinct, members = evaluation.group_codes(codes, labels)
    evaluation.grouped_average_precisions(q.distances(X[:7], distinct), labels[:7], members)
    evaluation.precision_recall_curve(D, labels[:7], labels)
    scores = rng.random((2, 3, 20))
    intervals.paired_bootstrap(scores[0, 0], scores[1, 0], random_state=0)
    intervals.clustered_bootstrap(*scores, random_state=0)
"""


@pytest.mark.skipif(
    sys.version_info >= (3, 12, 4),
    reason="typeguard 2 cannot read annotations from Python 3.12.4 on",
)
def test_no_signature_of_the_core_says_a_wrong_shape() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
