"""Where a number of the text comes from: its records, its seeds, its interval, and what checks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Claim:
    """A sentence with numbers, and what stands behind it.

    Attributes
    ----------
    says : str
        The sentence.
    records : tuple of str
        Files below the repository; a `*` stands for every seed, method or trial.
    seeds : str
        Which, or how many.
    interval : str
        What the sentence may be off by, or why nobody can say.
    checked : str
        What would fail if the sentence were no longer true of the records.
    """

    says: str
    records: tuple[str, ...]
    seeds: str
    interval: str
    checked: str

    def lines(self) -> dict[str, str]:
        """What a card says below the sentence, by heading."""
        return {
            "Records": ", ".join(self.records),
            "Seeds": self.seeds,
            "Interval": self.interval,
            "Checked by": self.checked,
        }


def run_claim(says: str, name: str, card: dict[str, Any]) -> Claim:
    """The claim of a single shipped run.

    Parameters
    ----------
    says : str
        The sentence.
    name : str
        The run's folder in `data`.
    card : dict
        Its card.

    Returns
    -------
    Claim
        One seed, and so without an interval over seeds.
    """
    metrics = card["metrics"]
    return Claim(
        says,
        (f"data/{name}/card.json", f"data/{name}/embeddings.safetensors"),
        f"{metrics['seed']}, a single one (commit {card['commit']})",
        f"none: one seed cannot say how far another would fall. {metrics['n_query']:,} queries",
        "this cell: it computes the number again from the codes and compares it with the card",
    )


def in_words(seeds: Any) -> str:
    """Seeds as a reader writes them.

    Parameters
    ----------
    seeds : iterable of int
        Of some runs.

    Returns
    -------
    str

    Examples
    --------
    >>> in_words([2, 0, 1]), in_words([0, 2]), in_words([100])
    ('0 to 2', '0, 2', '100')
    """
    some = sorted(set(seeds))
    if len(some) > 2 and some == list(range(some[0], some[-1] + 1)):
        return f"{some[0]} to {some[-1]}"
    return ", ".join(map(str, some))
