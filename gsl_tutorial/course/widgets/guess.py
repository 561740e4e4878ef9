"""A guess before the answer: buttons to choose from, the first choice recorded, each one answered.

A reader who has guessed looks at a picture with other eyes. A guess is not graded. Where no widget runs
(a reopened notebook, a static page) the same choices can be unfolded, each with its answer.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import ipywidgets as W

from gsl_tutorial.course.widgets.guesses import GUESSES
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_name


class Guess(W.VBox):
    """A question, a button for each choice, and below them what is said to the choice.

    Parameters
    ----------
    question : str
        The question, in plain text.
    answers : mapping of str to str
        For each choice what is said to it, in plain text.

    Attributes
    ----------
    first : str or None
        The first choice that was made, None before. It stays when another button is pressed.
    said : str
        What was said to the last choice.

    Raises
    ------
    InvalidInputError
        There are fewer than two choices.

    Examples
    --------
    >>> guess = Guess("Heads or tails?", {"heads": "It was tails.", "tails": "Yes."})
    >>> guess.buttons.value = "heads"
    >>> guess.first, guess.said
    ('heads', 'Your guess: heads. It was tails.')
    """

    def __init__(self, question: str, answers: Mapping[str, str]) -> None:
        if len(answers) < 2:
            raise InvalidInputError(
                "two choices or more", f"{len(answers)}", "pass a mapping from choice to answer"
            )
        self._question, self._answers = question, dict(answers)
        self.first: str | None = None
        self.said = ""
        self.buttons = W.ToggleButtons(
            options=list(answers), value=None, style={"button_width": "auto"}
        )
        self.buttons.observe(self._answer, names="value")
        self._reply = W.HTML()
        heading = W.HTML(f"<b>Guess.</b> {html.escape(question)}")
        super().__init__([heading, self.buttons, self._reply])
        self.add_class("gsl-guess")

    @classmethod
    def of(cls, name: str) -> Guess:
        """Take one of the chapters' own guesses.

        Parameters
        ----------
        name : str
            Its name in `guesses`.

        Returns
        -------
        Guess
            The guess, not yet answered.

        Raises
        ------
        UnknownNameError
            No guess is called so.
        """
        return cls(*GUESSES[check_name("guess", name, GUESSES)])

    def _answer(self, change: Any) -> None:
        choice = change["new"]
        if choice is None:
            return
        self.first = self.first or choice
        before = "" if choice == self.first else f" (Your first guess: {self.first}.)"
        self.said = f"Your guess: {choice}. {self._answers[choice]}{before}"
        # Announced by screen readers, which do not see that a text has appeared.
        self._reply.value = f'<div role="status">{html.escape(self.said)}</div>'

    def to_html(self) -> str:
        """The question with choices that unfold, alive without kernel and without scripts."""
        choices = "".join(
            f"<details><summary>{html.escape(choice)}</summary>{html.escape(answer)}</details>"
            for choice, answer in self._answers.items()
        )
        return f"<p><b>Guess.</b> {html.escape(self._question)}</p>{choices}"

    def __repr__(self) -> str:
        return f"[A guess: {self._question} {' / '.join(self._answers)}]"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = dict(super()._repr_mimebundle_(**options) or {})
        return {**data, "text/plain": repr(self), "text/html": self.to_html()}
