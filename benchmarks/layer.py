"""What the snapping layer costs: beside a training step, and beside encoding the same batch.

Targets: at most 5 % of the step of the CIFAR-10 encoder; at most 3 times one encoding of the same
batch with the same codebooks. Where torch finds a GPU, the layer and the step are timed there too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.timing import in_turn
from gsl_tutorial import GradientSnapping, ProductQuantizer
from gsl_tutorial.course.training.config import PROFILES
from gsl_tutorial.course.training.encoders import CosineClassifier, build_encoder

BATCH, DIM, M, K = PROFILES["cifar10"]["quick"].batch_size, 32, 4, 256


def measure() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    z = F.normalize(torch.randn(20_000, DIM, generator=generator), dim=1)
    quantizer = ProductQuantizer(M, K, random_state=0).fit(z.numpy())
    layer = GradientSnapping(quantizer, loss_scale=1.0)
    batch = z[:BATCH].clone().requires_grad_()
    gradient = torch.randn(BATCH, DIM, generator=generator) / BATCH
    rows = np.ascontiguousarray(batch.detach().numpy())

    def snap() -> None:
        batch.grad = None
        layer(batch).backward(gradient)

    small = in_turn({"layer": snap, "encode": lambda: quantizer.encode(rows)}, repeats=200)

    encoder = build_encoder("conv", dim=DIM, seed=0).to(memory_format=torch.channels_last)
    classifier = CosineClassifier(DIM, 10)
    images = torch.randint(0, 256, (BATCH, 32, 32, 3), generator=generator).permute(0, 3, 1, 2)
    images, labels = images.float(), torch.randint(0, 10, (BATCH,), generator=generator)

    def step() -> None:
        encoder.zero_grad()
        F.cross_entropy(classifier(encoder(images)), labels).backward()

    step_seconds = in_turn({"step": step}, repeats=10)["step"]
    on_gpu: dict[str, float] = {}
    if torch.cuda.is_available():
        batch = batch.detach().cuda().requires_grad_()
        gradient = gradient.cuda()
        encoder, classifier = encoder.cuda(), classifier.cuda()
        images, labels = images.cuda(), labels.cuda()
        gpu = in_turn({"layer": _awaited(snap), "step": _awaited(step)}, repeats=50)
        on_gpu = {
            "gpu_layer_ms": 1e3 * gpu["layer"],
            "gpu_step_ms": 1e3 * gpu["step"],
            "gpu_layer_share_of_step": gpu["layer"] / gpu["step"],
        }
    return {
        **on_gpu,
        "batch": BATCH,
        "dim": DIM,
        "subspaces": M,
        "codewords": K,
        "candidates": layer.n_candidates,
        "layer_ms": 1e3 * small["layer"],
        "encode_ms": 1e3 * small["encode"],
        "step_ms": 1e3 * step_seconds,
        "layer_over_encode": small["layer"] / small["encode"],
        "layer_over_encode_target": 3.0,
        "layer_share_of_step": small["layer"] / step_seconds,
        "layer_share_of_step_target": 0.05,
    }


def _awaited(work: Callable[[], None]) -> Callable[[], None]:
    """The same work, and then wait for it: a GPU returns before it has finished."""

    def both() -> None:
        work()
        torch.cuda.synchronize()

    return both
