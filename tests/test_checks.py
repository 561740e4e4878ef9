"""The checks: a blank is not yet, every right way is right, every known mistake is named.

To add a chapter, append its exercises to `EXERCISES` (those from 06 on are in `answers.py`); the
tests below need nothing else.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from answers import CHAPTER_06, CHAPTER_08, CHAPTER_09, Answer, Exercise
from answers_01_02 import CHAPTER_01, CHAPTER_02
from answers_04 import CHAPTER_04
from answers_07 import CHAPTER_07
from answers_11 import CHAPTER_11

from gsl_tutorial.checks import check, hint
from gsl_tutorial.checks.core import Mistake, Verdict
from gsl_tutorial.checks.diagnosis import at_every_size, compare, same
from gsl_tutorial.press.sources import Variant, draft, tags

SOURCES = sorted((Path(__file__).parents[1] / "notebooks" / "src").glob("*.py"))


def _cut(vector: Any, codebooks: Any) -> Any:
    M, _, d = codebooks.shape
    return codebooks - vector.reshape(M, 1, d)


def _table(vector: Any, codebooks: Any) -> Any:
    return (_cut(vector, codebooks) ** 2).sum(axis=2)


def _entries(table: Any, codes: Any) -> Any:
    return table[np.arange(len(table)), codes]


def _encode_by_loops(z: Any, codebooks: Any) -> list[int]:
    code = []
    for m, book in enumerate(codebooks):
        piece = z[m * book.shape[1] : (m + 1) * book.shape[1]]
        code.append(min(range(len(book)), key=lambda k: np.linalg.norm(piece - book[k])))
    return code


def _table_by_products(query: Any, codebooks: Any) -> Any:
    pieces = np.stack(np.split(query, len(codebooks)))
    cross = np.einsum("mkd,md->mk", codebooks, pieces)
    return (codebooks**2).sum(2) - 2 * cross + (pieces**2).sum(1)[:, None]


def _adc_by_loops(table: Any, codes: Any) -> list[float]:
    return [sum(table[m][k] for m, k in enumerate(code)) for code in codes]


def _sizes(bits: Answer, each: Answer) -> Answer:
    return lambda N, M, K: (bits(M, K), each(N, bits(M, K)))


def _bits(M: int, K: int) -> float:
    return M * math.log2(K)


def _whole_bytes(N: int, bits: float) -> int:
    return N * math.ceil(bits / 8)


EXERCISES = [
    Exercise(
        "squared_distance",
        right=(
            lambda x, y: ((x - y) ** 2).sum(),
            lambda x, y: sum((a - b) * (a - b) for a, b in zip(x, y, strict=True)),
            lambda x, y: np.float32(np.dot(x - y, x - y)),
            lambda x, y: torch.from_numpy(x - y).square().sum(),
        ),
        wrong=(
            (lambda x, y: np.linalg.norm(x - y), "root"),
            (lambda x, y: (x - y).sum(), "square each one"),
            (lambda x, y: (x - y).sum() ** 2, "squared the sum"),
            (lambda x, y: abs(x - y).sum(), "absolute"),
            (lambda x, y: (x - y) ** 2, "add them up"),
            (lambda x, y: x - y, "these are the differences"),
            (lambda x, y: ((x - y) ** 2).mean(), "mean"),
            (lambda x, y: -((x - y) ** 2).sum(), "sign"),
            (lambda x, y: ((x + y) ** 2).sum(), "added x and y"),
            (lambda x, y: 16 + 9, "not for five numbers"),
            (lambda x, y: None if len(x) != 2 else ((x - y) ** 2).sum(), "returned nothing"),
        ),
    ),
    Exercise(
        "encode_one",
        right=(
            lambda z, C: _table(z, C).argmin(axis=1),
            _encode_by_loops,
            lambda z, C: np.sqrt(_table(z, C)).argmin(axis=1).astype(np.uint8),
        ),
        wrong=(
            (lambda z, C: _table(z, C).argmax(axis=1), "farthest"),
            (lambda z, C: _table(z, C).min(axis=1), "not min"),
            (lambda z, C: _table(z, C), "table of distances"),
            (lambda z, C: C[np.arange(len(C)), _table(z, C).argmin(axis=1)], "row numbers"),
            (
                lambda z, C: C[np.arange(len(C)), _table(z, C).argmin(axis=1)].ravel(),
                "reconstruction",
            ),
            (lambda z, C: _table(z, C).argmin(axis=1) + 1, "from 1"),
            (lambda z, C: _table(z, C).argmin(axis=0), "wrong axis"),
            (lambda z, C: _table(z, C).argmin(axis=1).astype(float), "whole numbers"),
            (lambda z, C: _cut(z, C).sum(axis=2).argmin(axis=1), "cancel"),
            (lambda z, C: abs(_cut(z, C)).sum(axis=2).argmin(axis=1), "absolute"),
            (lambda z, C: _table(z, C[:1].repeat(len(C), 0)).argmin(axis=1), "first codebook"),
            (
                lambda z, C: _table(z.reshape(-1, len(C)).T.ravel(), C).argmin(axis=1),
                "every M-th",
            ),
            (
                lambda z, C: (C * z.reshape(len(C), 1, -1)).sum(axis=2).argmax(axis=1),
                "inner product",
            ),
            (lambda z, C: ((C - z.reshape(4, 1, 16)) ** 2).sum(2).argmin(1), "not for M = 3"),
        ),
    ),
    Exercise(
        "code_size",
        right=(
            _sizes(_bits, _whole_bytes),
            lambda N, M, K: [M * (K - 1).bit_length(), N * -(-M * (K - 1).bit_length() // 8)],
            lambda N, M, K: np.array([M * np.log2(K), N * np.ceil(M * np.log2(K) / 8)]),
        ),
        wrong=(
            (_sizes(lambda M, K: M * math.sqrt(K), _whole_bytes), "sqrt"),
            (_sizes(lambda M, K: M * K, _whole_bytes), "codewords stored"),
            (_sizes(lambda M, K: math.log2(K), _whole_bytes), "one piece"),
            (_sizes(lambda M, K: M * math.log(K), _whole_bytes), "base 2"),
            (_sizes(lambda M, K: K**M, _whole_bytes), "different codes"),
            (_sizes(_bits, lambda N, bits: N * bits), "8 of them"),
            (_sizes(_bits, lambda N, bits: N * bits / 8), "whole byte"),
            (_sizes(_bits, lambda N, bits: N * (bits // 8)), "rounded down"),
            (_sizes(_bits, lambda N, bits: math.ceil(bits / 8)), "there are N"),
            (_sizes(_bits, lambda N, bits: N * bits * 8), "so divide"),
            (lambda N, M, K: (_whole_bytes(N, _bits(M, K)), _bits(M, K)), "swapped"),
            (lambda N, M, K: (_bits(M, K) / 8, 0), "these are bytes"),
            (lambda N, M, K: M * math.log2(K), "two numbers"),
            (lambda N, M, K: (30, 4000), "not for N = 1437"),
        ),
    ),
    Exercise(
        "lookup_table",
        right=(
            _table,
            _table_by_products,
            lambda q, C: [[((p - c) ** 2).sum() for c in C[m]]
                          for m, p in enumerate(np.split(q, len(C)))],
            lambda q, C: _table(q, C).astype(np.float32),
        ),
        wrong=(
            (lambda q, C: np.sqrt(_table(q, C)), "root"),
            (lambda q, C: _table(q, C).T, "axes are swapped"),
            (lambda q, C: _cut(q, C).sum(axis=2), "without squaring"),
            (lambda q, C: -_cut(q, C).sum(axis=2), "without squaring"),
            (lambda q, C: _cut(q, C).sum(axis=2) ** 2, "squared the sum"),
            (lambda q, C: abs(_cut(q, C)).sum(axis=2), "absolute"),
            (lambda q, C: (_cut(q, C) ** 2).mean(axis=2), "mean"),
            (lambda q, C: _cut(q, C) ** 2, "axis=2"),
            (lambda q, C: (_cut(q, C) ** 2).sum(axis=0), "over the pieces"),
            (lambda q, C: (_cut(q, C) ** 2).sum(axis=1), "over the codewords"),
            (lambda q, C: _table(q, C).min(axis=1), "keep all K"),
            (lambda q, C: _table(q.reshape(-1, len(C)).T.ravel(), C), "every M-th"),
            (lambda q, C: _table(q, C[:1].repeat(len(C), 0)), "first codebook"),
            (lambda q, C: _table(q, C) + 1, "first entry"),
            (lambda q, C: _table(q, C)[:, :-1], "expected shape"),
        ),
    ),
    Exercise(
        "adc_distances",
        right=(
            lambda table, codes: _entries(table, codes).sum(axis=1),
            _adc_by_loops,
            lambda table, codes: np.take_along_axis(table.T, codes, axis=0).sum(axis=1),
        ),
        wrong=(
            (lambda table, codes: np.sqrt(_entries(table, codes).sum(axis=1)), "root of the sum"),
            (lambda table, codes: np.sqrt(_entries(table, codes)).sum(axis=1), "roots before"),
            (lambda table, codes: (_entries(table, codes) ** 2).sum(axis=1), "squared distances"),
            (lambda table, codes: _entries(table, codes).sum(axis=0), "over the vectors"),
            (lambda table, codes: _entries(table, codes), "one step is left"),
            (lambda table, codes: _entries(table, codes).sum(), "one number"),
            (lambda table, codes: _entries(table, codes).mean(axis=1), "mean"),
            (lambda table, codes: _entries(table, codes).max(axis=1), "largest"),
            (lambda table, codes: table[0, codes].sum(axis=1), "first row"),
            (lambda table, codes: table[:, codes], "its own row"),
            (lambda table, codes: codes.sum(axis=1), "codes themselves"),
            (lambda table, codes: table[codes, np.arange(len(table))].sum(axis=1), "outside"),
            (lambda table, codes: np.argsort(_adc_by_loops(table, codes)), "positions"),
            (lambda table, codes: np.zeros(len(codes)), "first distance is"),
        ),
    ),
    *CHAPTER_01,
    *CHAPTER_02,
    *CHAPTER_04,
    *CHAPTER_06,
    *CHAPTER_07,
    *CHAPTER_08,
    *CHAPTER_09,
    *CHAPTER_11,
]  # fmt: skip
BY_NAME = {one.name: one for one in EXERCISES}
RIGHT = [
    pytest.param(one.name, answer, id=f"{one.name}-{i}")
    for one in EXERCISES
    for i, answer in enumerate(one.right)
]
WRONG = [
    pytest.param(one.name, answer, words, id=f"{one.name}-{words}")
    for one in EXERCISES
    for answer, words in one.wrong
]


def judge(name: str, answer: Any) -> Verdict:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return getattr(check, name)(answer)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("blank", [None, ..., lambda *a: None, lambda *a: ...])
def test_a_blank_is_not_yet(name: str, blank: Any) -> None:
    verdict = judge(name, blank)
    assert verdict.kind == "not yet"
    assert verdict.exercise in verdict.text


def test_a_blank_pair_is_not_yet() -> None:
    assert judge("code_size", lambda *a: (..., ...)).kind == "not yet"


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_every_right_way_is_right(name: str, answer: Answer) -> None:
    verdict = judge(name, answer)
    assert verdict.kind == "right", verdict


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_the_mistake_is_named(name: str, answer: Answer, words: str) -> None:
    verdict = judge(name, answer)
    assert verdict.kind == "mistake"
    assert words in verdict.text, verdict


@pytest.mark.parametrize("name", BY_NAME)
def test_every_exercise_has_right_answers_and_several_mistakes(name: str) -> None:
    one = BY_NAME[name]
    assert len(one.right) >= 2
    assert len({words for _, words in one.wrong}) >= 3


def _raises(error: BaseException) -> Answer:
    def answer(*arguments: Any) -> Any:
        raise error

    return answer


def _recurses(*arguments: Any) -> Any:
    return _recurses(*arguments)


JUNK: dict[str, Any] = {
    "a string": "text",
    "a number": 3,
    "an array": np.zeros(3),
    "a string returned": lambda *a: "text",
    "a number as a string": lambda *a: "3.0",
    "NaN": lambda *a: np.full(np.shape(a[0]), np.nan),
    "one NaN": lambda *a: float("nan"),
    "infinity": lambda *a: np.full((4, 16), np.inf),
    "huge numbers": lambda *a: np.full((4, 16), 1e300),
    "a huge integer": lambda *a: 10**400,
    "a large array": lambda *a: np.zeros(10**6),
    "ragged lists": lambda *a: [[1], [1, 2]],
    "a list of None": lambda *a: [None, 1],
    "a dictionary": lambda *a: {"answer": 1},
    "an object": lambda *a: object(),
    "a generator": lambda *a: (x for x in range(3)),
    "a function": lambda *a: judge,
    "complex numbers": lambda *a: 1j,
    "booleans": lambda *a: np.ones((4, 16), dtype=bool),
    "dates": lambda *a: np.array(["2020-01-01"], dtype="datetime64[D]"),
    "a tensor with a gradient": lambda *a: torch.ones(3, requires_grad=True),
    "a pair of strings": lambda *a: ("a", "b"),
    "a pair of arrays": lambda *a: (np.zeros(3), np.zeros(3)),
    "no arguments taken": lambda: 1,
    "raises": _raises(ValueError("a student's own error")),
    "raises a KeyError": _raises(KeyError("x")),
    "raises an IndexError": _raises(IndexError("x")),
    "raises what has no text": _raises(ZeroDivisionError()),
    "asserts": _raises(AssertionError()),
    "stops an iteration": _raises(StopIteration()),
    "recurses for ever": _recurses,
    "a class": int,
}


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.filterwarnings("ignore")
def test_junk_gets_a_sentence(name: str, kind: str) -> None:
    verdict = getattr(check, name)(JUNK[kind])
    assert verdict.kind == "mistake"
    assert 10 < len(repr(verdict)) < 800


@pytest.mark.parametrize(
    "name", [n for n in BY_NAME if n not in ("code_size", "memory_bytes", "vector_bytes")]
)  # it gets numbers only
def test_an_answer_that_changes_its_arguments_is_told_and_harms_nobody(name: str) -> None:
    right = BY_NAME[name].right[0]

    def careless(*arguments: Any) -> Any:
        result = right(*arguments)
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument[...] = 0
        return result

    verdict = judge(name, careless)
    assert verdict.kind == "mistake"
    assert "changes its arguments" in verdict.text
    assert judge(name, right).kind == "right"


@pytest.mark.parametrize("name", BY_NAME)
def test_three_hints_come_one_by_one_and_then_begin_again(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one = check.exercises[name]
    one.given = 0
    printed = []
    for _ in range(4):
        hint(one.id)
        printed.append(capsys.readouterr().out)
    assert [text.count("Hint ") for text in printed] == [1, 2, 3, 1]
    assert all(text in printed[2] for text in one.hints)
    one.given = 0


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
@pytest.mark.parametrize(("variant", "kind"), [("student", "not yet"), ("solution", "right")])
def test_the_notebooks_own_cells_get_the_verdict_they_should(
    source: Path, variant: Variant, kind: str
) -> None:
    """The blank that a student finds is "not yet", and the workbook's own solution is right."""
    names = {"np": np, "math": math, "torch": torch, "check": check}
    for cell in draft(source, variant).notebook.cells:
        if cell.cell_type == "code" and "exercise" in tags(cell):
            exec(cell.source, names)
    judged = [name for name in check.exercises if name in names]
    assert judged or not any(
        "exercise" in tags(cell) for cell in draft(source, variant).notebook.cells
    )
    assert {name: judge(name, names[name]).kind for name in judged} == dict.fromkeys(judged, kind)


def test_sizes_written_into_the_code_are_found() -> None:
    def fails_later(number: int) -> None:
        if number:
            raise Mistake("wrong.")

    with pytest.raises(Mistake, match="right for small, but not for large: wrong"):
        at_every_size(["small", "large"], fails_later)


def test_the_first_mistake_that_agrees_speaks() -> None:
    with pytest.raises(Mistake, match="half"):
        compare([1.0, 2.0], [2.0, 4.0], {"half": [1, 2], "also half": [1, 2]}, otherwise="other")
    with pytest.raises(Mistake, match="other"):
        compare([7.0, 2.0], [2.0, 4.0], {"half": [1, 2]}, otherwise="other")
    with pytest.raises(Mistake, match="shape"):
        compare([7.0], [2.0, 4.0], {"half": [1, 2]}, otherwise="other")
    assert not same("3", 3)
    assert not same(np.nan, 3)
    assert same(np.float32(1 / 3), 1 / 3)
