"""By how much a loss counts in a backward pass: how a layer learns it, although it sees gradients only.

A layer that adds a pull of its own to a gradient has to know what became of the loss after it was
computed: a gradient scaler multiplies it by 65,536, accumulation divides it. `LossScale.follow` puts an
identity round the loss. Backward, the gradient of what is differentiated with respect to the loss arrives
there first, and that is the number; it is handed to the calls of the layer that the loss was made from.

The chain is ours. It needs no graph to be searched: calls that were made since the last group was
followed belong to the loss. Weak references keep a graph that nobody followed from living on.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor


class Call:
    """One forward pass of a layer: by how much each loss made from it counts, as far as is known."""

    def __init__(self) -> None:
        self.told: dict[object, Tensor] = {}


class LossScale:
    """What one layer knows of its losses. Copies start anew: they belong to another graph."""

    def __init__(self) -> None:
        #: Whether any loss was ever followed.
        self.ever = False
        self._calls: list[weakref.ref[Call]] = []
        self._is_followed = False
        self._now: dict[object, Tensor] = {}
        self._pass = -1

    def __reduce__(self) -> tuple[Any, ...]:
        return LossScale, ()

    def new_call(self) -> Call:
        """Note a forward pass; the first one after a loss was followed begins a new group."""
        call = Call()
        if self._is_followed:
            self._calls, self._is_followed = [], False
        self._calls = [one for one in self._calls if one() is not None]
        self._calls.append(weakref.ref(call))
        return call

    def follow(self, loss: Tensor) -> Tensor:
        """Return `loss`; its backward pass tells the group of calls, and whoever belongs to none."""
        self.ever = self._is_followed = True
        calls = [call for one in self._calls if (call := one()) is not None]
        kind = _FollowTransformed if is_transforming() else _Follow
        followed: Tensor = kind.apply(loss, self, calls)  # type: ignore[no-untyped-call]
        return followed

    def scale(self, call: Call | None) -> Tensor | None:
        """By how much the losses of a call count together, or all losses where none is known to be its."""
        told = (call.told if call is not None else None) or self._now
        if not told:
            return None
        first, *others = told.values()
        return sum(others, start=first)

    def tell(self, loss: object, gradient: Tensor, calls: list[Call]) -> None:
        """Note that a loss counts by `gradient`, until the backward pass is over.

        Parameters
        ----------
        loss : object
            Which loss it is.
        gradient : tensor
            By how much it counts.
        calls : list of Call
            The forward passes that it was made from.
        """
        running = torch._C._current_graph_task_id()
        if running != self._pass:  # one before it may have been broken off
            self._now, self._pass = {}, running
        for call in calls:
            call.told[loss] = gradient
        self._now[loss] = gradient

        def forget() -> None:
            self._now = {}
            for call in calls:
                call.told = {}

        engine: Any = torch.autograd.Variable._execution_engine
        engine.queue_callback(forget)


def is_transforming() -> bool:
    """Whether torch.func is at work (grad, vmap, jvp)."""
    return bool(torch._C._are_functorch_transforms_active())


class _Follow(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, loss: Tensor, scale: LossScale, calls: list[Call]) -> Tensor:
        ctx.scale, ctx.calls, ctx.loss = scale, calls, object()
        return loss.view_as(loss)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        ctx.scale.tell(ctx.loss, gradient.detach(), ctx.calls)
        return gradient, None, None


class _FollowTransformed(torch.autograd.Function):
    """`_Follow` as torch.func wants it."""

    @staticmethod
    def forward(loss: Tensor, scale: LossScale, calls: list[Call]) -> Tensor:
        return loss.view_as(loss)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.scale, ctx.calls = inputs
        ctx.loss = object()

    backward = _Follow.backward

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *rest: None) -> Tensor:
        return tangent.view_as(tangent)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], loss: Tensor, *rest: Any
    ) -> tuple[Tensor, int | None]:
        return _FollowTransformed.apply(loss, *rest), in_dims[0]  # type: ignore[no-untyped-call]


#: Backward passes in which a layer that was told nothing about its loss looks at the gradient.
LOOKS = 8
#: So many times longer than a pull no gradient of a mean loss was seen to be.
FAR = 1000.0


def recipe(times: float) -> str:
    """What to do about a gradient so many times as long as the pull."""
    return (
        "expected the gradient of a loss that is a mean over the batch; got one about "
        f"{times:,.0f} times as long as the pull to a codeword, so that snapping has next to no effect. "
        "Was the loss scaled (torch.amp.GradScaler) or summed? What to do: wrap it where it is computed, "
        "loss = snap.follow(criterion(snap(z), y)), before anything scales it; or say "
        "GradientSnapping(..., loss_scale=scaler.get_scale), or reduction='sum'; "
        "loss_scale=1 says that it is right as it is."
    )
