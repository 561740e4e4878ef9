"""Slips of shape and order that happen in many exercises, each with its sentence: one list for all.

Each function returns what `compare` takes: for each diagnosis, the value to which that slip leads.
Sentences that end in spaces are one sentence for several values.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def of_a_sum(terms: Any) -> dict[str, Any]:
    """Slips in adding up terms (..., T) along the last axis."""
    terms = np.asarray(terms, dtype=np.float64)
    return {
        "that is the first term only; does `return` stand inside the loop?": terms[..., 0],
        "that is the last term only: add up with +=, not with =.": terms[..., -1],
        "the last term is missing in your sum.": terms[..., :-1].sum(axis=-1),
        "the first term is missing in your sum: counting starts at 0.": terms[..., 1:].sum(axis=-1),
        "you multiplied the terms; add them.": terms.prod(axis=-1),
        "that is the largest of the terms; add all of them.": terms.max(axis=-1),
    }


def of_the_nearest(table: Any) -> dict[str, Any]:
    """Slips in looking for the nearest column of each row, in squared distances (N, K)."""
    table = np.asarray(table, dtype=np.float64)
    position = "those are the smallest distances; return where they stand: argmin, not min."
    still = "that is the table of distances; one step is left: .argmin(axis=1)."
    return {
        "those are the farthest codewords: argmin, not argmax.": table.argmax(axis=1),
        position: table.min(axis=1),
        position + " ": np.sqrt(table).min(axis=1),
        position + "  ": table.min(axis=0),
        position + "   ": np.sqrt(table).min(axis=0),
        still: table,
        still + " ": np.sqrt(table),
        "argmin runs along the wrong axis: for each row of the table look among its columns, axis=1.": (
            table.argmin(axis=0)
        ),
        "you count from 1; in Python the first codeword is number 0.": table.argmin(axis=1) + 1,
        "that is one number for all rows: give argmin axis=1.": table.argmin(),
        "that marks the nearest in a table; return the column where it stands: argmin(axis=1).": (
            table == table.min(axis=1, keepdims=True)
        ),
    }


def of_looking_up(table: Any, codes: Any, *, name: str = "table") -> dict[str, Any]:
    """What `table[:, codes]` leads to, where (M, K) is to be paired with codes (..., M).

    Parameters
    ----------
    table : (M, K) array
        A row for each codebook.
    codes : (..., M) integer array
        A number for each row.
    name : str
        What the student calls the table.

    Returns
    -------
    dict
        The value for each diagnosis, as `compare` takes them.
    """
    every = np.asarray(table)[:, np.asarray(codes)]
    text = (
        f"{name}[:, codes] looks up every row of the {name} for every number of the code; pair row m with "
        f"number m: {name}[np.arange(M), codes]."
    )
    slips = {text: every, text + " ": every.sum()}
    last = every.ndim - 1
    for spaces, axes in enumerate([(0,), (1,), (last,), (0, last), (0, 1), (1, last)], start=2):
        if len(set(axes)) == len(axes) and max(axes) <= last:
            slips[text + " " * spaces] = every.sum(axis=axes)
    return slips
