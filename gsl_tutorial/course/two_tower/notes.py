"""What the negatives of one epoch did, by source: outscored the positive, were pushed, were excluded.

A negative that outscores its positive is one that the model has still to learn from. |dL/ds| says how hard
the loss pushes it. Both can be watched before any recall is measured.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gsl_tutorial.course.two_tower.losses import pressure
from gsl_tutorial.course.two_tower.sampling import Drawn


class EpochNotes:
    """Sums over the batches of one epoch. kinds: the names of the sources, in their order."""

    def __init__(self, kinds: list[str]) -> None:
        self._kinds = kinds
        self._sums: dict[str, float] = defaultdict(float)

    def add_loss(self, loss: Float[Tensor, " B"]) -> None:
        """Count a batch's losses."""
        self._sums["loss"] += float(loss.detach().sum())
        self._sums["rows"] += len(loss)

    def add(
        self,
        drawn: Drawn,
        positive: Float[Tensor, " B"],
        negatives: Float[Tensor, "B n"],
        expected: Float[Tensor, "B n"],
        excluded: Bool[Tensor, "B n"],
    ) -> None:
        """Count a batch's negatives; scores and Q as in `losses.sampled_softmax`."""
        with torch.no_grad():
            pushed = pressure(positive, negatives, expected, excluded).numpy()
            outscores = (negatives > positive[:, None]).numpy()
        counted = ~drawn.excluded
        for kind, name in enumerate(self._kinds):
            columns = drawn.kinds == kind
            of_kind = counted[:, columns]
            self._sums[f"{name} drawn"] += of_kind.size
            self._sums[f"{name} counted"] += of_kind.sum()
            self._sums[f"{name} outscores"] += (outscores[:, columns] & of_kind).sum()
            self._sums[f"{name} pressure"] += pushed[:, columns].sum()

    def means(self) -> dict[str, Any]:
        """The mean loss, and for each source that drew something what its negatives did."""
        sums = self._sums
        record: dict[str, Any] = {"loss": sums["loss"] / sums["rows"]}
        for name in self._kinds:
            if not sums[f"{name} drawn"]:
                continue
            counted = max(1.0, float(sums[f"{name} counted"]))
            record[name] = {
                "outscores": float(sums[f"{name} outscores"]) / counted,
                "pressure": float(sums[f"{name} pressure"]) / counted,
                "excluded": 1 - float(sums[f"{name} counted"]) / float(sums[f"{name} drawn"]),
            }
        return record
