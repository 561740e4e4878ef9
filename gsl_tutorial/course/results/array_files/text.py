"""Tables, columns and lists of numbers or words in files of text, HashNet's image lists among them."""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gsl_tutorial.course.results.array_files.refusals import broken, chosen_of, no_name, printable


def _text(path: Path, name: str | None) -> Any:
    """A table of numbers, a column of words, lists of label numbers, or HashNet's image lists."""
    lines = [line for line in _decoded(path).splitlines() if line.strip()]
    if not lines:
        broken(path, "no lines")
    mark = next((mark for mark in ",;\t" if mark in lines[0]), None)
    if mark is None and path.suffix.lower() != ".csv":
        n = len(_trailing_numbers(lines[0].split()))
        if 0 < n < len(lines[0].split()):  # "path 0 1 0": HashNet
            lines = [" ".join(_last(path, i, line.split(), n)) for i, line in enumerate(lines)]
    words_of_one_column = path.suffix.lower() == ".csv" and not all(
        map(_is_number, lines[-1].split())
    )
    if mark is not None or words_of_one_column:
        rows = list(csv.reader(lines, delimiter=mark or ","))
        rows = [[cell.strip() for cell in row if cell.strip() or len(row) > 1] for row in rows]
    else:
        rows = [line.split() for line in lines]
    header = rows[0] if len(rows) > 1 and _is_header(rows[0], rows[1]) else None
    rows = rows[1:] if header else rows
    if name is not None:
        names = {one: i for i, one in enumerate(header or [])}
        column = names[chosen_of(path, name, names)]
        rows = [row[column : column + 1] for row in rows]
    return _parsed(path, rows, header)


def _parsed(path: Path, rows: list[list[str]], header: list[str] | None) -> Any:
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        if not all(re.fullmatch(r"\d{1,15}", cell) for row in rows for cell in row):
            broken(path, f"rows of {min(lengths)} to {max(lengths)} columns")
        return [[int(cell) for cell in row] for row in rows]
    if all(_is_number(cell) for cell in rows[0]):
        text = "\n".join("\t".join(row) for row in rows)
        for kind in (np.int64, np.float64):  # exact first: an id above 2^53 is no float
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    table = np.loadtxt(
                        io.StringIO(text), kind, delimiter="\t", ndmin=2, comments=None
                    )
            except (ValueError, OverflowError, DeprecationWarning):
                continue
            return table[:, 0] if table.shape[1] == 1 else table
    if lengths == {1}:
        return np.array([row[0] for row in rows])
    columns = f"; its columns are {', '.join(header)[:200]}" if header else ""
    return broken(
        path, f"words among its numbers{columns}", f"name one column: {printable(path.name)}:COLUMN"
    )


def _json(path: Path, name: str | None) -> Any:
    no_name(path, name)
    try:
        found = json.loads(_decoded(path))
        if isinstance(found, list) and found and all(isinstance(one, list) for one in found):
            kinds = {type(each) for one in found for each in one}
            if kinds <= {str} or (kinds <= {int} and len({len(one) for one in found}) > 1):
                return found  # labels by name or number, as many for each item as it has
        return np.asarray(found)
    except (ValueError, RecursionError, OverflowError) as error:
        broken(path, f"{error}"[:100], "write one list, or one list of numbers for each item")


def _decoded(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        broken(path, "bytes that are no text", "save text as UTF-8")
    if "\0" in text:
        broken(path, "bytes that are no text", "save text as UTF-8")
    return text


def _last(path: Path, i: int, words: list[str], n: int) -> list[str]:
    if len(words) < n or not all(map(_is_number, words[-n:])):
        broken(path, f"line {i + 1:,} without {n} numbers at its end")
    return words[-n:]


def _trailing_numbers(words: list[str]) -> list[str]:
    n = next((i for i, word in enumerate(reversed(words)) if not _is_number(word)), len(words))
    return words[len(words) - n :]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def _is_header(first: list[str], second: list[str]) -> bool:
    return len(first) == len(second) and any(
        _is_number(below) and not _is_number(above)
        for above, below in zip(first, second, strict=True)
    )


TEXT = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".lst"), _text),
    ".json": _json,
}
