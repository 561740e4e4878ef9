"""What goes wrong between code files and a published number, found and named.

Each function looks for one mistake of public code in this field (the sources stand in chapter 10).
What makes a number meaningless is refused, by an error that names it; what only misleads is a
`Warned`, printed beside the number. Some mistakes leave no trace in the files: `NOT_VISIBLE` says which,
for whoever reads the number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.datasets import Protocol
from gsl_tutorial.course.datasets.split_file import SplitFile, label_checksum
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_labels, describe

#: Mistakes that no one can see in codes and labels; ask the authors.
NOT_VISIBLE = (
    "best epoch chosen on the test queries",
    "codebook fitted again on the database at test time",
    "database images used, unlabelled, in training",
    "pre-training that is not mentioned",
)

#: Classes and how many images each has of them, (query, database), where the protocol fixes both.
_BALANCE = {
    "P0": (10, 1_000, 1_000),
    "P1a": (10, 100, 5_400),
    "P1b": (10, 100, 5_900),
    "P2": (10, 1_000, 5_000),
    "unseen": (3, 1_000, 5_000),
    "validation": (10, 500, 4_500),
}


class Warned(NamedTuple):
    """A trap by its name, and what it means for these files.

    Attributes
    ----------
    trap : str
        Its name.
    text : str
        What it means.
    """

    trap: str
    text: str

    def __str__(self) -> str:
        return f"{self.trap}: {self.text}"


def take_labels(labels: object, *, of: str, n: int) -> np.ndarray:
    """Labels in one of the forms of `validation.as_labels`, one (or one set) for each item.

    Parameters
    ----------
    labels : array-like, or sequence of labels, sets or lists
        Lists of labels, one for each item, are taken as sets; a row (1, n) as n labels.
    of : str
        Whose labels they are, for the message: "queries" or "database items".
    n : int
        How many items there are.

    Returns
    -------
    array
        n rows.

    Raises
    ------
    InvalidInputError
        For anything else, and for more or fewer labels than items.
    """
    if isinstance(labels, list) and labels and all(isinstance(one, list) for one in labels):
        try:
            labels = [set(one) for one in labels]
        except TypeError as error:
            raise InvalidInputError(
                f"lists of labels for the {of}", f"lists in lists: {error}", "list names or numbers"
            ) from error
    if isinstance(labels, np.ndarray) and n > 1 and labels.shape == (1, n):
        labels = labels[0]  # a row, as MATLAB saves a list
    if isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.dtype.kind in "iuf":
        table = labels
        if table.shape[1] > 1 and not ((table == 0) | (table == 1)).all():
            raise InvalidInputError(
                f"multi-label tables of 0 and 1 for the {of}",
                f"{describe(table)} with other values, {table.min()} to {table.max()}",
                "write 1 where an item has a label and 0 elsewhere, (x > 0) for -1 and +1; or pass one "
                "label for each item",
            )
    found = as_labels(labels, name=f"labels of the {of}")
    if len(found) != n:
        raise InvalidInputError(
            f"labels ({n},) for the {of}",
            describe(found),
            f"pass {n:,} labels, in the order of the {of}"
            + (
                "; this table lies on its side: .T"
                if found.ndim == 2 and found.shape[1] == n
                else ""
            ),
        )
    return found


def check_one_kind(query: np.ndarray, database: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as class numbers where each item has one label; refuse labels of two kinds.

    Tables whose rows all have a single 1 (one-hot) give one class for each item: the column. Tables
    of truth values and sets stay as they are: relevant is then what shares a label.

    Parameters
    ----------
    query, database : array
        From `take_labels`.

    Returns
    -------
    tuple of array
        The labels of the queries and of the database.

    Raises
    ------
    InvalidInputError
        If one is words, say, and the other numbers, or tables have other columns.
    """
    tables = [labels.ndim == 2 for labels in (query, database)]
    one_hot = [
        table and bool((labels.sum(axis=1) == 1).all())
        for table, labels in zip(tables, (query, database), strict=True)
    ]
    if all(tables) and query.shape[1] == database.shape[1]:
        if all(one_hot):
            return query.argmax(axis=1), database.argmax(axis=1)
        return query, database
    kinds = [
        "sets" if labels.dtype == object else "words" if labels.dtype.kind == "U" else "numbers"
        for labels in (query, database)
    ]
    if any(tables) or kinds[0] != kinds[1]:
        said = [
            "one-hot labels" if hot else "multi-label tables" if table else kind
            for hot, table, kind in zip(one_hot, tables, kinds, strict=True)
        ]
        raise InvalidInputError(
            "labels of queries and database in one form",
            f"{said[0]}, {describe(query)}, and {said[1]}, {describe(database)}",
            "pass labels.argmax(axis=1) for the one-hot ones" if any(one_hot) else
            "store both alike: class numbers, words, sets, or tables with the same columns",
        )  # fmt: skip
    return query, database


def check_query_in_database(
    query: np.ndarray, database: np.ndarray, protocol: Protocol | None, *, are_codes: bool
) -> list[Warned]:
    """Refuse a database that is the query set; count queries that have themselves among the items.

    Equal codes prove nothing, so of codes only whole equal files are refused. P0 keeps its queries
    in the database: there the trap is the protocol, and is said.

    Parameters
    ----------
    query, database : (B, ...) and (N, ...) arrays
        Codes or vectors, a row for each item.
    protocol : Protocol or None
        What the files claim to follow.
    are_codes : bool
        Whether the rows are codes.

    Returns
    -------
    list of Warned
        Empty where there is nothing to say.

    Raises
    ------
    InvalidInputError
        If both are the same, or more than half of the queries lie in the database.
    """
    trap = "query in database"
    if protocol is not None and protocol.query_in_database:
        return [Warned(trap, f"{protocol.code} lets each query find itself: never set its figures "
                       "beside those of another protocol")]  # fmt: skip
    if not are_codes:
        query, database = query + 0.0, database + 0.0  # -0.0 is 0.0, in other bytes
    same = query.shape == database.shape and np.array_equal(query, database)
    rows = {row.tobytes() for row in np.ascontiguousarray(database)} if not are_codes else set()
    found = sum(row.tobytes() in rows for row in np.ascontiguousarray(query))
    if same or found > len(query) / 2:
        raise InvalidInputError(
            "queries that are not in the database",
            f"the mistake '{trap}': " + ("both files are the same" if same else
            f"{found:,} of {len(query):,} queries lie in the database, number for number"),
            "take the queries out of the database, or name protocol P0 if that is what it is",
        )  # fmt: skip
    if found:
        text = f"{found:,} of {len(query):,} queries have an identical item in the database"
        return [Warned(trap, text)]
    return []


def check_sizes_and_classes(
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
    protocol: Protocol | None,
    split: SplitFile | None,
) -> list[Warned]:
    """Refuse sizes and classes that are not the protocol's; compare the labels with a split file.

    Parameters
    ----------
    query_labels, database_labels : (B,) and (N,) integer arrays
        From `check_one_kind`.
    protocol : Protocol or None
        What the files claim to follow; None, no published protocol, is warned of.
    split : SplitFile, optional
        The split file whose order the labels follow.

    Returns
    -------
    list of Warned
        Empty where there is nothing to say.

    Raises
    ------
    InvalidInputError
        If sizes, classes or labels are others; the message names the mistake.
    """
    if protocol is None:
        text = "sizes and classes were compared with nothing; do not set this beside tables"
        return [Warned("no protocol", text)]
    sizes = (len(query_labels), len(database_labels))
    if sizes != (protocol.n_query, protocol.n_database):
        raise InvalidInputError(
            f"the sizes of {protocol}",
            f"{sizes[0]:,} queries and {sizes[1]:,} database items",
            "name the protocol that these files follow, or `own`",
        )
    if query_labels.ndim > 1 or query_labels.dtype.kind not in "iu":
        raise InvalidInputError(
            f"one class number for each item, as in {protocol}",
            f"{describe(query_labels)}",
            "protocol `own` takes words and several labels for each item",
        )
    if protocol.code in _BALANCE:
        n_classes, *each = _BALANCE[protocol.code]
        for of, labels, n in zip(
            ("queries", "database"), (query_labels, database_labels), each, strict=True
        ):
            counts = np.unique(labels, return_counts=True)[1]
            if counts.tolist() != [n] * n_classes:
                raise InvalidInputError(
                    f"{n_classes} classes of {n:,} in the {of} of {protocol.code}",
                    f"the mistake 'labels changed': {len(counts)} classes of {counts.min():,} to "
                    f"{counts.max():,}",
                    "look where the labels were written to, or whether this is the protocol",
                )
    if split is None:
        return []
    if split.protocol.code != protocol.code:
        raise InvalidInputError(
            f"a split file of {protocol.code}", f"{split}", "name the protocol of the split file"
        )
    for of, labels in (("query", query_labels), ("database", database_labels)):
        if label_checksum(labels) != split.label_checksums.get(of):
            raise InvalidInputError(
                f"the {of} labels of {split}",
                "the mistake 'labels changed': other labels, or another order",
                "take images and labels in the order of the positions in the split file",
            )
    return []


def warn_of_ties(
    database_labels: np.ndarray, optimistic: float, pessimistic: float
) -> list[Warned]:
    """Say how far the order of tied items could move the number, and whether labels are sorted.

    Parameters
    ----------
    database_labels : array
        In the order of the database.
    optimistic, pessimistic : float
        mAP@all if all ties fell well, and if all fell badly.

    Returns
    -------
    list of Warned
        Empty where there is nothing to say.
    """
    found = []
    spread = optimistic - pessimistic
    numbers = _numbered(database_labels)
    changes = np.count_nonzero(np.diff(numbers))
    is_sorted = changes < 2 * len(np.unique(numbers))
    if is_sorted and spread > 0.001:
        found.append(
            Warned(
                "class-sorted ties",
                f"the database is sorted by class and ties span {spread:.4f} of mAP: a program that "
                "breaks ties by position gives another number; this one averages over all orders",
            )
        )
    elif spread > 0.01:
        text = f"the order of tied items could move mAP from {pessimistic:.4f} to {optimistic:.4f}"
        found.append(Warned("ties", text))
    return found


def _numbered(labels: np.ndarray) -> Integer[np.ndarray, " N"]:
    """A number for each label, or each set of labels."""
    if labels.dtype == object:
        known: dict[object, int] = {}
        return np.array([known.setdefault(one, len(known)) for one in labels])
    numbers: np.ndarray = np.unique(labels, axis=0, return_inverse=True)[1]
    return numbers.reshape(-1)


def warn_of_empty(
    average_precisions: Float[np.ndarray, " B"], has_relevant: np.ndarray
) -> list[Warned]:
    """Say how many queries have nothing to find, and what leaving them out would have given.

    Parameters
    ----------
    average_precisions : (B,) float array
        Of each query, 0 where it has nothing to find.
    has_relevant : (B,) bool array
        Whether a query has something to find.

    Returns
    -------
    list of Warned
        Empty where there is nothing to say.
    """
    n = int((~has_relevant).sum())
    if not n:
        return []
    left = f"{average_precisions[has_relevant].mean():.4f}" if n < len(has_relevant) else "nothing"
    text = f"{n:,} of {len(has_relevant):,}; they count 0, leaving them out would give {left}"
    return [Warned("queries without relevant items", text)]


def warn_of_metric(at: int | None, denominator: str, values: dict[str, float]) -> list[Warned]:
    """Say what a cut or the other denominator did to the number.

    Parameters
    ----------
    at : int or None
        The cut, if there is one.
    denominator : str
        "relevant" or "retrieved".
    values : dict of str to float
        "value", the number itself; "all", mAP@all; "relevant", the number with the other
        denominator.

    Returns
    -------
    list of Warned
        Empty where there is nothing to say.
    """
    found = []
    if at is not None:
        text = f"mAP@{at} is {values['value']:.4f}, mAP@all {values['all']:.4f}: compare like with like"
        found.append(Warned("@R mixed with @all", text))
    if denominator == "retrieved":
        found.append(
            Warned(
                "'retrieved' denominator",
                f"{values['value']:.4f}; divided by the number of relevant items it is "
                f"{values['relevant']:.4f}. A list with one more hit can score lower",
            )
        )
    return found


def warn_of_collapse(n_rows: int) -> list[Warned]:
    """Say when all items have one code, because then every ranking is one big tie.

    Parameters
    ----------
    n_rows : int
        How many distinct codes there are.

    Returns
    -------
    list of Warned
        Empty where there is nothing to say.
    """
    if n_rows > 1:
        return []
    return [Warned("collapsed codes", "every item has the same code: the number is that of chance")]
