"""Who is relevant to whom: items with the query's label, or items that share a label with it.

With one label for each item, an item is relevant when its label equals the query's. With several
(a photograph of "sea" and "sky"), it is relevant when the two have a label in common, the custom of the
multi-label benchmarks NUS-WIDE, MS COCO and MIRFlickr; how many they share grades it. What we add: labels
are stored narrow (as 16-bit numbers, or as sets of bits in machine words), so that comparing a query with
50,000 items takes microseconds.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from jaxtyping import Bool, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_labels, describe


class Relevance:
    """The labels of E items, ready to be compared with those of queries; made by `of`.

    Attributes
    ----------
    labels
        What `validation.as_labels` returned: one label for each item, or several.
    most_shared
        The largest number of labels that an item can share with a query.
    """

    labels: np.ndarray
    #: The same, narrow: (E,) numbers, or (E, W) sets of bits.
    _items: np.ndarray
    #: The largest number of labels that an item can share with a query.
    most_shared: int

    @staticmethod
    def of(labels: object, *, name: str = "database labels") -> Relevance:
        """The right kind of relevance for these labels.

        Parameters
        ----------
        labels
            What `validation.as_labels` takes: one label for each item, or several.
        name
            What they are called in messages.

        Raises
        ------
        InvalidInputError
            As `validation.as_labels`.
        """
        found = as_labels(labels, name=name)
        if found.ndim == 2:
            return _SharedInTable(found)
        return _SharedInSets(found) if found.dtype == object else _Same(found)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Integer[np.ndarray, " e"]) -> Relevance:
        """The same for some of the items."""
        part = copy(self)
        part.labels = self.labels[rows]
        part._items = self._items[rows]
        return part

    def numbers(self) -> Integer[np.ndarray, " E"]:
        """A small number for each item, equal where labels (or sets of labels) are equal."""
        raise NotImplementedError

    def names(self) -> list[Any]:
        """The labels that occur; in a table, their columns."""
        raise NotImplementedError

    def carrying(self, name: Any) -> Bool[np.ndarray, " E"]:
        """Which items have this label."""
        raise NotImplementedError

    def asked(self, query_labels: object) -> np.ndarray:
        """The labels of B queries, (B, ...), in the form that the other methods take.

        Raises
        ------
        InvalidInputError
            When they are of another kind than the items' labels.
        """
        raise NotImplementedError

    def relevant(self, asked: np.ndarray) -> Bool[np.ndarray, "b E"]:
        """Which items are relevant to each of some queries: rows of what `asked` returned."""
        raise NotImplementedError

    def shared(self, asked: np.ndarray) -> Integer[np.ndarray, "b E"]:
        """How many labels each item shares with each query."""
        raise NotImplementedError


class _Same(Relevance):
    most_shared = 1

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels
        self._known: np.ndarray | None = None
        self._low = 0
        span = 0
        if labels.dtype.kind in "iu" and len(labels):
            self._low, high = int(labels.min()), int(labels.max())
            span = high - self._low
        if labels.dtype == np.int64 and span < 2**31 - 1:
            # One number is left over, -1, for labels that the items lack.
            self._span = span if len(labels) else -1
            narrow = np.int16 if span < 2**15 - 1 else np.int32
            self._items = (labels - self._low if self._low else labels).astype(narrow)
        else:
            self._known, numbers = np.unique(labels, return_inverse=True)
            self._items = numbers.astype(np.int32)

    def asked(self, query_labels: object) -> np.ndarray:
        labels = as_labels(query_labels, name="query labels")
        if labels.ndim != 1 or labels.dtype == object:
            raise _other_kind(labels, self.labels)
        if (
            len(labels)
            and len(self)
            and (labels.dtype.kind == "U") != (self.labels.dtype.kind == "U")
        ):
            raise _other_kind(labels, self.labels)
        if self._known is None:
            numbers, inside = self._offsets(labels)
        else:
            numbers, inside = self._places(labels, self._known)
        return np.where(inside, numbers, -1).astype(self._items.dtype)

    def _offsets(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if labels.dtype.kind not in "iu":  # text, and no items
            return np.zeros(len(labels), np.int64), np.zeros(len(labels), bool)
        # NumPy compares whole numbers of all kinds exactly; the difference is right where it is used.
        inside = (labels >= self._low) & (labels <= self._low + self._span)
        return labels.astype(np.int64) - np.int64(self._low), inside

    def _places(self, labels: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        exists = np.ones(len(labels), dtype=bool)
        if known.dtype != labels.dtype and known.dtype.kind in "iu":
            # int64 and uint64 have no common whole type: compare in the items' own.
            low, high = (np.iinfo(known.dtype).min, np.iinfo(known.dtype).max)
            exists = (labels >= low) & (labels <= high)
            labels = labels.astype(known.dtype)
        places = np.minimum(np.searchsorted(known, labels), len(known) - 1)
        return places, exists & (known[places] == labels)

    def numbers(self) -> Integer[np.ndarray, " E"]:
        return self._items

    def names(self) -> list[Any]:
        names: list[Any] = np.unique(self.labels).tolist()
        return names

    def carrying(self, name: Any) -> Bool[np.ndarray, " E"]:
        found: np.ndarray = np.asarray(self.labels == name)
        return found

    def relevant(self, asked: np.ndarray) -> Bool[np.ndarray, "b E"]:
        found: np.ndarray = self._items == asked[:, None]
        return found

    def shared(self, asked: np.ndarray) -> Integer[np.ndarray, "b E"]:
        return self.relevant(asked).view(np.uint8)


class _SharedInTable(Relevance):
    def __init__(self, labels: Bool[np.ndarray, "E L"]) -> None:
        self.labels = labels
        self.most_shared = labels.shape[1]
        self._items = _as_words(labels)

    def asked(self, query_labels: object) -> np.ndarray:
        labels = as_labels(query_labels, name="query labels")
        if labels.ndim != 2 or labels.shape[1] != self.labels.shape[1]:
            raise _other_kind(labels, self.labels)
        return _as_words(labels)

    def numbers(self) -> Integer[np.ndarray, " E"]:
        found: np.ndarray = np.unique(self._items, axis=0, return_inverse=True)[1].reshape(-1)
        return found

    def names(self) -> list[Any]:
        return list(range(self.labels.shape[1]))

    def carrying(self, name: Any) -> Bool[np.ndarray, " E"]:
        found: np.ndarray = self.labels[:, name]
        return found

    def relevant(self, asked: np.ndarray) -> Bool[np.ndarray, "b E"]:
        found = np.zeros((len(asked), len(self)), dtype=bool)
        for mine, theirs in zip(self._items.T, asked.T, strict=True):
            found |= (mine & theirs[:, None]) != 0
        return found

    def shared(self, asked: np.ndarray) -> Integer[np.ndarray, "b E"]:
        n = np.zeros((len(asked), len(self)), dtype=np.min_scalar_type(self.most_shared))
        for mine, theirs in zip(self._items.T, asked.T, strict=True):
            n += np.bitwise_count(mine & theirs[:, None])
        return n


class _SharedInSets(_SharedInTable):
    def __init__(self, labels: np.ndarray) -> None:
        self._columns: dict[Any, int] = {}
        for item in labels:
            for one in item:
                self._columns.setdefault(one, len(self._columns))
        super().__init__(self._as_table(labels))
        self.labels = labels

    def asked(self, query_labels: object) -> np.ndarray:
        labels = as_labels(query_labels, name="query labels")
        if labels.dtype != object and len(labels):
            raise _other_kind(labels, self.labels)
        return _as_words(self._as_table(labels))

    def names(self) -> list[Any]:
        return list(self._columns)

    def carrying(self, name: Any) -> Bool[np.ndarray, " E"]:
        return np.array([name in item for item in self.labels], dtype=bool)

    def _as_table(self, labels: np.ndarray) -> Bool[np.ndarray, "n L"]:
        table = np.zeros((len(labels), max(1, len(self._columns))), dtype=bool)
        for row, item in zip(table, labels, strict=True):
            row[[self._columns[one] for one in item if one in self._columns]] = True
        return table


def _as_words(table: Bool[np.ndarray, "n L"]) -> Integer[np.ndarray, "n W"]:
    """The rows as sets of bits, in the fewest and narrowest words; one word lies in one piece."""
    n, L = table.shape
    n_bytes = next((size for size in (1, 2, 4, 8) if 8 * size >= L), 8)
    n_words = max(1, -(-L // (8 * n_bytes)))
    bits = np.zeros((n, n_words * n_bytes), dtype=np.uint8)
    bits[:, : -(-L // 8)] = np.packbits(table, axis=1)
    return np.asfortranarray(bits.view(f"u{n_bytes}").reshape(n, n_words))


def _other_kind(query: np.ndarray, database: np.ndarray) -> InvalidInputError:
    return InvalidInputError(
        "query labels (B,) and database labels (N,) of one kind, numbers or strings, or with several "
        "labels for each item two tables (B, L) and (N, L) or two lists of sets",
        f"{describe(query)} and {describe(database)}",
        "store both in the same way",
    )
