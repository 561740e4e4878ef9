"""Check of chapter 08 that puts the parts together: a training in which network and codebooks take turns.

PyTorch is imported when the check is asked: the first chapters use other checks, and do not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

_STEPS = (
    "step 1 (one round, one batch)",
    "step 2 (one round, several batches)",
    "step 3 (two rounds)",
    "step 4 (four rounds)",
    "step 5 (batches that share images, the last one smaller)",
)
#: Images, rounds, and the sizes of the batches.
_CASES = ((6, 1, (6,)), (12, 1, (5, 3, 4)), (10, 2, (5, 5)), (12, 4, (4, 4, 4)), (9, 3, (6, 6, 2)))


@dataclass
class _Case:
    """A tiny training, and what was asked of it."""

    number: int
    images: Any = field(init=False)
    labels: Any = field(init=False)
    batches: list[Any] = field(init=False)
    n_rounds: int = field(init=False)
    rate: float = 0.4

    def __post_init__(self) -> None:
        import torch

        n, self.n_rounds, sizes = _CASES[self.number]
        rng = np.random.default_rng(840 + self.number)
        self.images = torch.from_numpy(rng.normal(size=(n, 4)))
        self.labels = torch.from_numpy(np.arange(n) % 3)
        rows = np.concatenate([rng.permutation(n), rng.permutation(n)])[: sum(sizes)]
        ends = np.cumsum(sizes)
        self.batches = [torch.from_numpy(one) for one in np.split(rows, ends[:-1])]

    def make_encoder(self) -> Any:
        """The same network each time."""
        import torch

        encoder = torch.nn.Linear(4, 3).double()
        start = np.random.default_rng(7).normal(size=(3, 5))
        with torch.no_grad():
            encoder.weight.copy_(torch.from_numpy(start[:, :4]))
            encoder.bias.copy_(torch.from_numpy(start[:, 4]))
        return encoder

    def make_layer(self, z: Any) -> Callable[[Any], Any]:
        """Straight-through to three means of what it is fitted on."""
        import torch

        rows = z.numpy()  # as a quantizer: refuses what has gradients
        codewords = torch.from_numpy(
            np.stack([rows[i::3].mean(0) for i in range(min(3, len(rows)))])
        )

        def layer(z: Any) -> Any:
            nearest = torch.cdist(z.detach(), codewords).argmin(dim=1)
            return z + (codewords[nearest] - z).detach()

        return layer

    @staticmethod
    def loss(z: Any, labels: Any) -> Any:
        """Cross-entropy, and a part that grows with the embeddings: adding 1 to all of them matters."""
        import torch

        return torch.nn.functional.cross_entropy(z, labels) + 0.1 * z.square().mean()

    @property
    def arguments(self) -> tuple[Any, ...]:
        # Plain functions: a copy of a method would copy the case.
        makers = (lambda: self.make_encoder(), lambda z: self.make_layer(z))
        known = (*makers, self.loss, self.images, self.labels)
        return (*known, self.batches, self.n_rounds, self.rate)

    def embedded(self, encoder: Any) -> Any:
        return encoder(self.images).detach().numpy()


def _trained(
    case: _Case,
    *,
    rounds: int | None = None,
    batches: Callable[[list[Any]], list[Any]] = lambda batches: batches,
    rows_of_labels: Callable[[Any], Any] = lambda rows: rows,
    rate: float = 1.0,
    adds_up: bool = False,
    is_used: bool = True,
    in_round_one: bool = False,
    once: bool = False,
    each_batch: bool = False,
    of_last_batch: bool = False,
    stale: bool = False,
    of_its_own: bool = False,
    anew: bool = False,
    together: bool = False,
) -> Any:
    """The embeddings after the training, each part of which may be done wrongly."""
    import torch

    def move() -> None:
        with torch.no_grad():
            for weight in encoder.parameters():
                weight -= case.rate * rate * weight.grad

    def embedded() -> Any:
        with torch.no_grad():
            return encoder(case.images)

    encoder = case.make_encoder()
    layer = case.make_layer(embedded()) if in_round_one else None
    for number in range(case.n_rounds if rounds is None else rounds):
        if anew and number:
            encoder = case.make_encoder()
        before = embedded()
        if together:
            encoder.zero_grad()
        for rows in batches(case.batches):
            z = encoder(case.images[rows])
            z = z if layer is None or not is_used else layer(z)
            if not adds_up and not together:
                encoder.zero_grad()
            case.loss(z, case.labels[rows_of_labels(rows)]).backward()
            if not together:
                move()
            if each_batch:
                layer = case.make_layer(embedded())
        if together:
            move()
        if layer is None or not (once or each_batch):
            fitted = before if stale else embedded()
            fitted = layer(fitted) if of_its_own and layer is not None else fitted
            layer = case.make_layer(fitted[case.batches[-1]] if of_last_batch else fitted)
    return case.embedded(encoder)


@exercise(
    "08.4",
    hints=(
        "Two loops, one inside the other: rounds, and in each round all batches. Before the first round "
        "there is a network and an optimizer, and no layer; after each round there is a new layer.",
        "A batch is embedded, then goes through the layer where there is one, then into the loss. PyTorch "
        "wants three calls: zero_grad() of the optimizer, backward() of the loss, step() of the optimizer.",
        "Begin with layer = None. At the end of each round, below the loop over the batches, it becomes "
        "make_layer of the embeddings of all images, encoder(images).detach(). Return the encoder.",
    ),
)
def train_in_turns(answer: Any) -> str:
    """train_in_turns(three functions, images, labels, batches, n_rounds, rate) -> the encoder."""
    at_every_size(_STEPS, lambda number: _judge_step(answer, number))
    return "network and codebooks take turns. The next cell trains with it on the digits."


def _judge_step(answer: Any, number: int) -> None:
    case = _Case(number)
    z = _embedded(call(answer, *case.arguments), case)
    right, wrong = _outcomes(number)
    compare(
        z,
        right,
        wrong,
        otherwise=lambda at: (
            f"number {at[1]} of the embedding of image {at[0]}: expected {right[at]:.4f} after the "
            "training."
        ),
    )


@cache
def _outcomes(number: int) -> tuple[Any, dict[str, Any]]:
    """Where a step leads, done rightly and wrongly: some twenty tiny trainings, made once."""
    case = _Case(number)

    def slip(where: bool = True, **how: Any) -> Any:
        return _trained(case, **how) if where else np.nan

    rounds, several = case.n_rounds > 1, len(case.batches) > 1
    return _trained(case), {
        "that is the network as it was made: does it reach the optimizer, and is step() called?": slip(
            rounds=0
        ),
        "the gradients of all batches add up: call optimizer.zero_grad() before each backward().": slip(
            several or rounds, adds_up=True
        ),
        "the network hears nothing of the codewords: from the second round on, each batch goes through "
        "the layer.": slip(rounds, is_used=False),
        "in the first round there is no layer yet: codebooks are fitted when it is over.": slip(
            in_round_one=True
        ),
        "the layer is made once and stays; after each round, make it anew.": slip(
            case.n_rounds > 2, once=True
        ),
        "the layer is made after each batch; it belongs below the loop over the batches, once a "
        "round.": slip(several, each_batch=True),
        "the layer is made from the last batch; use the embeddings of all images.": slip(
            rounds, of_last_batch=True
        ),
        "the layer is made from the embeddings as they were before the round; embed the images "
        "again.": slip(rounds, stale=True),
        "the layer is made from what the layer made of the embeddings; give it those of the encoder.": slip(
            case.n_rounds > 2, of_its_own=True
        ),
        "that is where one round leads: does `return` stand inside the loop?": slip(
            rounds, rounds=1
        ),
        "that is one round too few.": slip(rounds=case.n_rounds - 1),
        "that is one round too many.": slip(rounds=case.n_rounds + 1),
        "each round goes through all batches; yours sees the first one only.": slip(
            several, batches=lambda batches: batches[:1]
        ),
        "each round goes through all batches; yours sees the last one only.": slip(
            several, batches=lambda batches: batches[-1:]
        ),
        "the last batch is left out.": slip(several, batches=lambda batches: batches[:-1]),
        "all images go in at once; go batch by batch, images[rows].": slip(
            several, batches=lambda batches: [slice(None)]
        ),
        "one step a round: step() belongs into the loop over the batches.": slip(
            several, together=True
        ),
        "the network is made anew in each round, and forgets; make it once.": slip(
            rounds, anew=True
        ),
        "the labels do not belong to the images of the batch: labels[rows].": slip(
            rows_of_labels=lambda rows: slice(len(rows))
        ),
        "the steps lead uphill: the optimizer goes against the gradient by itself.": slip(
            rate=-1.0
        ),
        "the rate is half of what it should be.": slip(rate=0.5),
    }


def _embedded(result: Any, case: _Case) -> Any:
    """What the returned network makes of the images."""
    import torch

    if isinstance(result, tuple | list):
        raise Mistake("return the encoder alone.")
    if isinstance(result, torch.Tensor | np.ndarray):
        raise Mistake("return the encoder, the network itself, not its embeddings.")
    if not callable(result) or not hasattr(result, "parameters"):
        raise Mistake(f"return the encoder, the network itself, not this: {type(result).__name__}.")
    try:
        return case.embedded(result)
    except NotYet:
        raise
    except Exception as error:
        raise Mistake("the network that you returned does not take the images.") from error
