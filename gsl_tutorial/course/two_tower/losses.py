"""The sampled softmax: a softmax over the whole catalogue, estimated from a few negatives.

The full loss of a positive p is log(sum_j exp s_j) - s_p. The sum has as many terms as the catalogue has
items. A negative that is drawn Q(j) times on average enters with exp(s_j) / Q(j), so each item counts
once on average, whatever sources it came from: in logits, s_j - log Q(j) (*logQ correction*). The positive
is there for sure and is not corrected.

Source: Bengio and Senecal 2008; Yi et al. 2019; that the positive stays as it is, arXiv 2507.09331. The
sum over all sources in Q is the balance heuristic of Veach and Guibas 1995. That the paper behind this
chapter does the same is our guess: its body was not at hand.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from gsl_tutorial.errors import InvalidInputError


def sampled_softmax(
    positive: Float[Tensor, " B"],
    negatives: Float[Tensor, "B n"],
    expected: Float[Tensor, "B n"],
    excluded: Bool[Tensor, "B n"],
) -> Float[Tensor, " B"]:
    """The loss of each row, in nats.

    A row whose negatives are all excluded has loss 0.

    Parameters
    ----------
    positive : (B,) Tensor
        The score of each positive, divided by the temperature already.
    negatives : (B, n) Tensor
        The scores of its negatives, divided likewise.
    expected : (B, n) Tensor
        Q, how often each negative is drawn on average, above 0 where it is not excluded.
    excluded : (B, n) bool Tensor
        Which negatives do not count.

    Returns
    -------
    (B,) Tensor

    Raises
    ------
    InvalidInputError
        On shapes that do not fit and on Q that is 0 or below.

    Examples
    --------
    >>> sampled_softmax(torch.tensor([1.0]), torch.tensor([[1.0, 9.0]]), torch.tensor([[0.5, 1.0]]),
    ...                 torch.tensor([[False, True]]))  # log(e + e / 0.5) - 1 = log 3
    tensor([1.0986])
    """
    shapes = {tuple(t.shape) for t in (negatives, expected, excluded)}
    if len(shapes) != 1 or negatives.ndim != 2 or positive.shape != negatives.shape[:1]:
        raise InvalidInputError(
            "a score for each row, and three (B, n) tensors",
            f"{tuple(positive.shape)} and {sorted(shapes)}",
            "pass one row for each positive",
        )
    if (~excluded & ~(expected > 0)).any():
        raise InvalidInputError(
            "Q above 0 for every item that was drawn",
            f"{int((~excluded & ~(expected > 0)).sum())} of them 0, below, or NaN",
            "a source that draws an item must expect it",
        )
    corrected = negatives - torch.where(excluded, 1.0, expected).log()
    logits = corrected.masked_fill(excluded, -torch.inf)
    return torch.logsumexp(torch.cat([positive[:, None], logits], dim=1), dim=1) - positive


def full_softmax(
    scores: Float[Tensor, "B N"], positives: Int[Tensor, " B"], excluded: Bool[Tensor, "B N"]
) -> Float[Tensor, " B"]:
    """What `sampled_softmax` estimates: every item of the catalogue that is not excluded, once.

    Parameters
    ----------
    scores : (B, N) Tensor
        Of all items, divided by the temperature already.
    positives : (B,) integer Tensor
        The column of each positive.
    excluded : (B, N) bool Tensor
        Which items do not count; the positive counts even where it is excluded.

    Returns
    -------
    (B,) Tensor
        In nats.
    """
    left_out = excluded.scatter(1, positives[:, None], False)
    positive = scores.gather(1, positives[:, None])[:, 0]
    return torch.logsumexp(scores.masked_fill(left_out, -torch.inf), dim=1) - positive


def pressure(
    positive: Float[Tensor, " B"],
    negatives: Float[Tensor, "B n"],
    expected: Float[Tensor, "B n"],
    excluded: Bool[Tensor, "B n"],
) -> Float[Tensor, "B n"]:
    """How hard the loss pushes each negative away.

    Parameters
    ----------
    positive, negatives, expected, excluded
        See `sampled_softmax`.

    Returns
    -------
    (B, n) Tensor
        |dL/ds| of each negative, its share of the row's softmax, from 0 to 1.
    """
    corrected = negatives - torch.where(excluded, 1.0, expected).log()
    logits = torch.cat([positive[:, None], corrected.masked_fill(excluded, -torch.inf)], dim=1)
    return torch.softmax(logits, dim=1)[:, 1:]
