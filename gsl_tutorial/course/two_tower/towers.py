"""Two towers: one turns a user into a vector, the other an item; their product is the score.

The item tower adds an embedding of the item's number to a linear map of its text. The user tower takes
the mean of the user's last items, each again the sum of an embedding and a map of its text, both its own,
and optionally adds an embedding of the user. Each tower then has one residual layer and makes its vector
unit length, so a score is a cosine, and search is nearest-neighbour search as in chapters 01 to 04.

Source: Covington et al. 2016 (a bag of the last items), Yi et al. 2019 (two towers).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_vectors, check_count


class _Residual(nn.Module):
    """x + a two-layer map of x, then unit length."""

    def __init__(self, dim: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first = _linear(dim, 2 * dim, generator)
        self.second = _linear(2 * dim, dim, generator)

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
        return nn.functional.normalize(x + self.second(torch.relu(self.first(x))), dim=1)


class TwoTower(nn.Module):
    """Two networks whose inner product says how much a user likes an item.

    `items` and `users` give unit vectors of one length, `dim`.

    Parameters
    ----------
    text : (N, t) float array
        What the language model says of each item, finite.
    dim : int
        Length of the vectors.
    n_users : int
        0 leaves the user's own embedding out, so that users unseen in training can be served from
        their history.
    generator : torch.Generator
        Draws the weights at the start.
    """

    text: Tensor

    def __init__(
        self,
        text: Float[np.ndarray, "N t"],
        *,
        dim: int = 32,
        n_users: int = 0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        clean = torch.from_numpy(as_vectors(text, name="item texts"))
        check_count(dim, name="dim", low=1)
        check_count(n_users, name="n_users", low=0)
        n = len(clean)
        # A common scale of 1 for both halves of an item, whatever the language model's own.
        scale = clean.square().sum(1).mean().sqrt().clamp_min(1e-6)
        self.register_buffer("text", clean / scale, persistent=False)
        self.from_text = _linear(clean.shape[1], dim, generator)
        self.history_text = _linear(clean.shape[1], dim, generator)
        self.item_table = _table(n, dim, generator)
        self.history_table = _table(n + 1, dim, generator)  # the last row stands for "nothing"
        self.user_table = _table(n_users, dim, generator) if n_users else None
        self.item_layer = _Residual(dim, generator)
        self.user_layer = _Residual(dim, generator)

    @property
    def n_items(self) -> int:
        """How many items the catalogue has."""
        return len(self.text)

    def items(self, rows: Int[Tensor, " n"] | None = None) -> Float[Tensor, "n dim"]:
        """Vectors of items.

        Parameters
        ----------
        rows : (n,) integer Tensor, optional
            Which; the whole catalogue without it.

        Returns
        -------
        (n, dim) Tensor
            Unit vectors.

        Raises
        ------
        InvalidInputError
            For items that there are not.
        """
        if rows is None:
            rows = torch.arange(self.n_items)
        elif len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < self.n_items:
            raise InvalidInputError(
                f"items from 0 to {self.n_items - 1}",
                f"items from {int(rows.min())} to {int(rows.max())}",
                "an id that was not in the catalogue at training has no vector",
            )
        x: Tensor = self.item_layer(self.item_table(rows) + self.from_text(self.text[rows]))
        return x

    def users(
        self, histories: Int[Tensor, "n h"], numbers: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n dim"]:
        """Vectors of users from their last items.

        Parameters
        ----------
        histories : (n, h) integer Tensor
            Items; -1 fills up short histories. Empty ones are fine.
        numbers : (n,) integer Tensor, optional
            Which users they are, where users have embeddings.

        Returns
        -------
        (n, dim) Tensor
            Unit vectors.

        Raises
        ------
        InvalidInputError
            If users have embeddings, and `numbers` are missing or beyond them.
        """
        there = histories >= 0
        rows = torch.where(there, histories, 0)
        known, count = there.unsqueeze(2), there.sum(1, keepdim=True)
        # The mean comes before the linear map: the same result, and fewer products.
        numbers_mean = (self.history_table(rows) * known).sum(1) / count.clamp_min(1)
        text_mean = (self.text[rows] * known).sum(1) / count.clamp_min(1)
        nothing = self.history_table(torch.full((1,), self.n_items))
        x = torch.where(count > 0, numbers_mean + self.history_text(text_mean), nothing)
        if self.user_table is not None:
            if numbers is None:
                raise InvalidInputError(
                    "the users' numbers: this model has an embedding for each",
                    "None",
                    "pass them, or train with n_users=0",
                )
            n_users = self.user_table.num_embeddings
            if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < n_users:
                raise InvalidInputError(
                    f"users from 0 to {n_users - 1}",
                    f"users from {int(numbers.min())} to {int(numbers.max())}",
                    "a user unseen in training has no embedding: train with n_users=0",
                )
            x = x + self.user_table(numbers)
        out: Tensor = self.user_layer(x)
        return out


def _linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(n_in, n_out)
    with torch.no_grad():
        layer.weight.normal_(0, n_in**-0.5, generator=generator)
        layer.bias.zero_()
    return layer


def _table(n: int, dim: int, generator: torch.Generator) -> nn.Embedding:
    table = nn.Embedding(n, dim)
    with torch.no_grad():
        table.weight.normal_(0, 0.3 * dim**-0.5, generator=generator)
    return table
