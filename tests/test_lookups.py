"""One search taken apart: its sums against the quantizer's own distances; the widget that shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import random_quantizer
from widget_cases import alt_of

from gsl_tutorial import OptimizedProductQuantizer, ProductQuantizer, ResidualQuantizer
from gsl_tutorial.course.toys.one_search import look_up
from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.course.widgets.query_picker import QueryPicker
from gsl_tutorial.course.widgets.query_tiles import QueryTiles
from gsl_tutorial.errors import InvalidInputError

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(60, 6)).astype(np.float32)
QUERY = RNG.normal(size=6).astype(np.float32)


def _slow(quantizer: Any, how: str) -> np.ndarray:
    codes = quantizer.encode(VECTORS)
    if how == "exact":
        return ((VECTORS - QUERY) ** 2).sum(axis=1)
    asked = quantizer.decode(quantizer.encode(QUERY[None])) if how == "SDC" else QUERY[None]
    return quantizer.distances(asked, codes)[0]


@pytest.mark.parametrize("kind", [ProductQuantizer, OptimizedProductQuantizer])
@pytest.mark.parametrize("how", ["ADC", "SDC", "exact"])
@pytest.mark.parametrize("M", [1, 2, 3])
def test_the_parts_add_up_to_the_distances(kind: Any, how: Any, M: int) -> None:
    quantizer = random_quantizer(kind, M, 3, 6 // M)
    codes = quantizer.encode(VECTORS)
    kept = [array.copy() for array in (QUERY, VECTORS, codes)]
    found = look_up(quantizer, QUERY, VECTORS, codes, how=how, k=60)
    distances = _slow(quantizer, how)
    np.testing.assert_allclose(found.everything, distances, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.parts.sum(axis=1), found.distances, rtol=1e-5, atol=1e-6)
    assert (np.diff(found.distances) >= 0).all()
    assert sorted(found.items.tolist()) == list(range(60))
    assert np.array_equal(found.codes, codes[found.items])
    assert np.array_equal(found.code, quantizer.encode(QUERY[None])[0])
    for place in (0, 59):
        tied = found.tied_with(place)
        assert found.items[place] in tied
        assert len(tied) == found.tied[place]
        if how != "exact":  # equal codes are always tied
            assert {*np.flatnonzero((codes == found.codes[place]).all(axis=1))} <= {*tied}
    for array, before in zip((QUERY, VECTORS, codes), kept, strict=True):
        assert np.array_equal(array, before)


def test_items_at_one_distance_come_by_row_number_however_many() -> None:
    quantizer = random_quantizer(ProductQuantizer, 1, 3, 6)
    codes = quantizer.encode(VECTORS)
    found = look_up(quantizer, QUERY, VECTORS, codes, k=60)
    for distance in np.unique(found.distances):
        assert (np.diff(found.items[found.distances == distance]) > 0).all()


def test_a_row_for_each_distance_skips_what_is_tied() -> None:
    quantizer = random_quantizer(ProductQuantizer, 1, 3, 6)
    codes = quantizer.encode(VECTORS)
    found = look_up(quantizer, QUERY, VECTORS, codes, each="distance", k=10)
    assert len(found.items) == 3  # there are no more
    fewer = look_up(quantizer, QUERY, VECTORS, codes, each="distance", k=2)
    assert np.array_equal(fewer.items, found.items[:2])
    assert found.tied.sum() == 60
    assert (np.diff(found.distances) > 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"how": "L1"}, "way to measure"),
        ({"each": "row"}, "expected a row"),
        ({"k": 0}, "k"),
        ({"k": 61}, "k"),
        ({"vectors": VECTORS[:5]}, "a vector for each of 60 codes"),
        ({"query": np.array([np.nan] * 6)}, "finite query"),
        ({"quantizer": random_quantizer(ResidualQuantizer, 2, 4, 3)}, "a product quantizer"),
    ],
)
def test_bad_input_is_told(change: dict[str, Any], message: str) -> None:
    quantizer = random_quantizer(ProductQuantizer, 2, 4, 3)
    codes = quantizer.encode(VECTORS)
    given = {"quantizer": quantizer, "query": QUERY, "vectors": VECTORS, "codes": codes, **change}
    with pytest.raises(InvalidInputError, match=message):
        look_up(**given)


def _picker(images: bool) -> QueryPicker:
    quantizer = random_quantizer(ProductQuantizer, 2, 4, 3)
    labels = RNG.integers(0, 3, 60)
    database = Embedded(VECTORS, labels, labels)
    query = Embedded(VECTORS[:9] + 0.1, labels[:9], labels[:9])
    pictures = RNG.integers(0, 255, size=(60, 8, 8, 3), dtype=np.uint8)
    return QueryPicker(
        quantizer, query, database, quantizer.encode(VECTORS), ["cat", "dog", "automobile"],
        [0, 4, 8], images=(pictures[:9], pictures) if images else None,
    )  # fmt: skip


@pytest.mark.parametrize("images", [False, True])
def test_every_control_of_the_picker_redraws_and_leaves_a_still(images: bool) -> None:
    picker = _picker(images)
    for name, values in (
        ("number", (2, 1, 0)), ("how", ("SDC", "exact", "ADC")), ("each", ("item", "distance")),
    ):  # fmt: skip
        seen = set()
        for value in values:
            picker._controls[name].value = value
            assert picker._message.value == ""
            seen.add(picker._image.value)
        assert len(seen) == len(values), name
    assert "items carry it" in alt_of(picker)
    assert "0x" not in picker._repr_mimebundle_()[0]["text/plain"]


def test_tiles_keep_to_their_numbers_and_carry_their_pictures() -> None:
    tiles = QueryTiles(["cat", "dog"], ["1 of 2", "2 of 2"], [None, np.zeros((2, 2, 3), np.uint8)],
                       label="Choose")  # fmt: skip
    tiles.value = 7
    assert tiles.value == 1
    tiles.value = -3
    assert tiles.value == 0
    assert tiles.tiles[0]["picture"] == ""
    assert tiles.tiles[1]["picture"].startswith("data:image/png;base64,")
    assert repr(tiles) == "QueryTiles(2 tiles, number 0 chosen)"
    with pytest.raises(InvalidInputError, match="one tile or more"):
        QueryTiles([], [], [], label="none")
