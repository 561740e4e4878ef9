"""Chapter 11's opening: choose a film that you liked, and see its hard and its easy negatives.

Everything was drawn before, in Python; the page looks it up, and needs no kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets as T
from jaxtyping import Int
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.two_tower import draw_negatives_map, flat_map
from gsl_tutorial.course.two_tower.items import ItemTexts
from gsl_tutorial.course.widgets.page import PageWidget, entry, rows, script, style
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count

SCRIPT = script("film_picker")
STYLE = style("explorer", "film_picker")
#: Films of each kind that are named, and how often they were drawn for each film.
N_NAMED, N_DRAWS = 4, 3
_MOST_IN_A_CELL = 40


class FilmPicker(PageWidget):
    """A map of films in a few cells; the one that is chosen has negatives of its cell, and of any.

    Parameters
    ----------
    texts : ItemTexts
        All films, as a language model reads them.
    shown : sequence of int
        Which of the cells that training uses, two or more.
    titles : mapping of int to str, optional
        By the ids of MovieLens; a film without one is called by its id.
    liked : int, optional
        The film that is chosen at first, by its id of MovieLens; the first on the map by default.
    random_state : int
        Seed of the draws.

    Raises
    ------
    InvalidInputError
        For fewer than two cells. A film or a draw that there is not, set later, is a message in the
        widget's own area.
    MissingTextError
        For a film without a text.
    """

    kind, render = "films", "renderFilms"
    script, style = SCRIPT, STYLE
    told = ("places", "cells", "names", "hard", "easy", "near", "film", "draw")
    unlinked = ("places", "cells", "names", "hard", "easy", "near")
    _esm, _css = entry(SCRIPT, "renderFilms"), STYLE

    places, cells, names, hard, easy, near = (rows() for _ in range(6))
    #: The chosen film, by its place on the map, and which of its draws is shown.
    film, draw = T.Int(0).tag(sync=True), T.Int(0).tag(sync=True)

    def __init__(
        self,
        texts: ItemTexts,
        shown: Sequence[int],
        titles: Mapping[int, str] | None = None,
        *,
        liked: int | None = None,
        random_state: int = 0,
    ) -> None:
        if len(set(shown)) < 2:
            raise InvalidInputError("two cells or more", str(list(shown)), "easy ones need others")
        rng = np.random.default_rng(random_state)
        of = texts.cells["training"]
        on_map = np.concatenate(
            [rng.permutation(np.flatnonzero(of == cell))[:_MOST_IN_A_CELL] for cell in shown]
        )
        wanted = on_map[0] if liked is None else texts.rows(np.array([liked]))[0]
        on_map = np.union1d(on_map, [wanted])
        cells = of[on_map]
        flat = flat_map(texts.vectors[on_map], cells)
        flat = (flat - flat.min(axis=0)) / np.maximum(np.ptp(flat, axis=0), 1e-9)
        named = titles or {}

        def name(row: int) -> str:
            number = int(texts.ids[row])
            return named.get(number, f"film {number}")

        super().__init__(
            places=flat.round(3).tolist(),
            cells=cells.tolist(),
            names=[name(row) for row in on_map],
            hard=[_drawn(cells == cells[i], i, rng) for i in range(len(on_map))],
            easy=[_drawn(cells != cells[i], i, rng) for i in range(len(on_map))],
            near=[[name(row) for row in near] for near in _nearest(texts, on_map)],
            film=int(np.searchsorted(on_map, wanted)),
        )
        self.check()

    def check(self) -> None:
        """Check what was set later.

        Raises
        ------
        InvalidInputError
            Some of it is faulty.
        """
        check_count(self.film, name="film", low=0, high=len(self.names) - 1)
        check_count(self.draw, name="draw", low=0, high=N_DRAWS - 1)

    def still(self) -> Figure:
        """The picture as it stands now, drawn by matplotlib."""
        return draw_negatives_map(
            np.asarray(self.places),
            np.asarray(self.cells),
            self.film,
            self.hard[self.film][self.draw],
            self.easy[self.film][self.draw],
        )

    def described(self) -> str:
        """What the picture shows, made from the numbers."""
        mates = sum(cell == self.cells[self.film] for cell in self.cells) - 1
        lists = (self.hard[self.film][self.draw], self.easy[self.film][self.draw])
        hard, easy = ("; ".join(self.names[i] for i in one) for one in lists)
        return (
            f"A flat map of {len(self.names)} films in {len(set(self.cells))} cells. The positive, a star, "
            f"is {self.names[self.film]}, with {mates} others of its cell. Hard negatives, drawn from its "
            f"cell: {hard}. Easy ones, drawn from other cells: {easy}. A search for its nearest texts "
            f"would recommend: {'; '.join(self.near[self.film])}."
        )


def _drawn(allowed: np.ndarray, film: int, rng: np.random.Generator) -> list[list[int]]:
    """A few draws among the films that are allowed, never the film itself."""
    others = np.setdiff1d(np.flatnonzero(allowed), [film])
    return [rng.permutation(others)[:N_NAMED].tolist() for _ in range(N_DRAWS)]


def _nearest(texts: ItemTexts, films: Int[np.ndarray, " n"]) -> Any:
    """For each film the rows of those of the whole catalogue whose texts are nearest, without itself."""
    unit = texts.vectors / np.linalg.norm(texts.vectors, axis=1, keepdims=True)
    near = unit[films] @ unit.T
    near[np.arange(len(films)), films] = -np.inf
    return np.argsort(-near, axis=1, kind="stable")[:, :N_NAMED]
