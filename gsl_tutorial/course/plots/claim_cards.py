"""Sentences that open to a small card: the records, seeds and interval behind a number, and its check."""

from __future__ import annotations

import html
from collections.abc import Iterable

from IPython.display import display

from gsl_tutorial.course.results.claims import Claim

#: On paper every card is open, for nobody can press it there.
_STYLE = (
    "<style>.gsl-claim { margin: 2px 0; max-width: 60em; } .gsl-claim summary { cursor: pointer; }"
    ".gsl-claim dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 2px 12px;"
    " font-size: 90%; margin: 4px 0 8px 1.1em; padding-left: 10px; border-left: 3px solid currentColor; }"
    ".gsl-claim :is(dt, dd) { margin: 0; overflow-wrap: anywhere; } .gsl-claim dt { font-weight: 600; }"
    "@media print { .gsl-claim::details-content { content-visibility: visible; display: block; } }"
    "</style>"
)


def claims_html(claims: Iterable[Claim]) -> str:
    """Return cards that open by click or by Enter, without kernel and without scripts.

    Parameters
    ----------
    claims : iterable of Claim
        Their sentences are what is seen of closed cards.

    Returns
    -------
    str
        A fragment of HTML.
    """
    cards = []
    for claim in claims:
        rows = "".join(
            f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in claim.lines().items()
        )
        cards.append(
            f'<details class="gsl-claim"><summary>{html.escape(claim.says)}</summary>'
            f"<dl>{rows}</dl></details>"
        )
    return _STYLE + "\n".join(cards)


def show_claims(claims: Iterable[Claim]) -> None:
    """Display sentences as cards; where no HTML is shown, the sentences alone.

    Parameters
    ----------
    claims : iterable of Claim
        What is displayed.
    """
    claims = list(claims)
    plain = "\n".join(claim.says for claim in claims)
    display({"text/html": claims_html(claims), "text/plain": plain}, raw=True)
