"""Check of chapter 10, last part: a results table with three planted faults, and who is accused of what.

The table is invented. Five of its rows look odd somewhere and are honest.
"""

from __future__ import annotations

from typing import Any

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, call, exercise

HEADING = (
    "CIFAR-10, protocol P1a: 1,000 queries, 5,000 images to train on, a database of 54,000.",
    "One small network from scratch for all rows; settings and epoch chosen on validation queries.",
    "Denominator: relevant. Ties: exact. Mean and standard deviation of three seeds.",
)
COLUMNS = ("row", "method", "search", "books x words", "bits", "database", "measure", "value")
ROWS = (
    ("A", "plain training, PQ", "ADC", "4 x 256", "32", "54,000", "mAP@all", ".712 ± .004"),
    ("B", "A without codes", "exact", "-", "1,024", "54,000", "mAP@all", ".709 ± .004"),
    ("C", "binary code", "Hamming", "32 x 2", "32", "54,000", "mAP@1000", ".741 ± .006"),
    ("D", "residual", "ADC", "4 x 64", "32", "54,000", "mAP@all", ".716 ± .004"),
    ("E", "long books", "ADC", "2 x 65,536", "32", "54,000", "mAP@all", ".703 ± .006"),
    ("F", "snap (pull), PQ", "ADC", "4 x 256", "32", "55,000", "mAP@all", ".738 ± .003"),
    ("G", "penalty, PQ", "ADC", "4 x 256", "32", "54,000", "mAP@all", ".719 ± .005"),
    ("H", "short books", "SDC", "8 x 16", "32", "54,000", "mAP@all", ".714 ± .005"),
)

#: The words to accuse with.
FAULTS = {
    "bits": "the bits are not M log2 K",
    "cut": "mAP@R stands beside mAP@all",
    "query": "the queries are in the database",
    "train": "the training images are in the database, against the protocol",
    "ties": "the ties are broken by position",
    "test": "something was chosen on the test queries",
}
GUILTY = {"C": "cut", "D": "bits", "F": "query"}
#: Where to look, for each fault.
COLUMN = {"cut": "measure", "bits": "books x words", "query": "database"}
INNOCENT = {
    "A": "4 log2 256 = 32 bits, the protocol's database, mAP@all.",
    "B": "32 numbers of 32 bits are 1,024, and nothing says that codes cannot search better than the "
    "floats: a codeword is a mean, and may lose some noise.",
    "E": "2 log2 65,536 = 32 bits. Odd, not wrong.",
    "G": "4 log2 256 = 32 bits, the protocol's database, mAP@all.",
    "H": "8 log2 16 = 32 bits, and it says that the query is coded, too (SDC).",
}


def results_table() -> str:
    """The table as text, aligned, with its heading and the words for the faults."""
    lines = [COLUMNS, *ROWS]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    table = (
        "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    words = (f"  {word:6} {meaning}" for word, meaning in FAULTS.items())
    return "\n".join([*HEADING, "", *table, "", "You may accuse a row of:", *words])


_NEXT_STEP = (
    "Nothing is wrong, you have just not accused anybody yet. Put one row and its word between the braces, "
    'such as {"A": "ties"}, and run this cell again with Shift+Enter: one accusation is enough to begin '
    "with. If you get stuck, open the first hint below."
)


@exercise(
    "10.5",
    hints=(
        "Three numbers of a row can be checked with paper: M log2 K, the size of the database, the "
        "R of mAP@R. Rows that are only odd are not wrong.",
        "M log2 K is 32 for 4 x 256. What is 4 log2 64? And by how many images is 55,000 too much?",
        "The rows are C, D and F; the words for them are among cut, bits and query.",
    ),
)
def three_faults(answer: Any) -> str:
    """three_faults, a dictionary {row: fault} with three entries."""
    accused = _accusations(call(answer) if callable(answer) else answer)
    if not accused:
        raise NotYet(_NEXT_STEP)
    found = [row for row, fault in GUILTY.items() if accused.get(row) == fault]
    wrong = [_defence(row, fault) for row, fault in accused.items() if GUILTY.get(row) != fault]
    missed = [fault for row, fault in GUILTY.items() if row not in accused]
    if not wrong and not missed:
        return "cut, bits and queries in the database: all three could be seen in the table itself."
    parts = [f"found: {', '.join(found) or 'none yet'}."]
    if wrong:
        parts.append(f"wrong accusation{'s' * (len(wrong) > 1)}: {' '.join(wrong[:2])}")
        parts += [f"({len(wrong) - 2} more.)"] * (len(wrong) > 2)
    if missed:
        columns = ", ".join(f"'{COLUMN[fault]}'" for fault in missed)
        parts.append(
            f"missed: {len(missed)}; look down the column{'s' * (len(missed) > 1)} {columns}."
        )
    raise Mistake(" ".join(parts))


def _accusations(answer: Any) -> dict[str, str]:
    """The answer as row -> fault, both known; or the `Mistake` that says what is not."""
    if answer is None or answer is ...:
        raise NotYet(_NEXT_STEP)
    what = 'expected a dictionary such as {"A": "ties"}'
    if isinstance(answer, str | bytes):
        raise Mistake(f"{what}, got {type(answer).__name__}.")
    try:
        pairs = dict(answer)
    except (TypeError, ValueError) as error:
        raise Mistake(f"{what}, got {type(answer).__name__}.") from error
    accused = {}
    for row, fault in pairs.items():
        if not isinstance(row, str) or not isinstance(fault, str):
            raise Mistake(f"{what}: a row and a word, both texts.")
        row, fault = row.strip().upper(), fault.strip().lower()
        if row not in {line[0] for line in ROWS}:
            raise Mistake(f"there is no row {row[:20]!r}; they are A to {ROWS[-1][0]}.")
        if fault not in FAULTS:
            raise Mistake(f"unknown word {fault[:20]!r} for row {row}; choose {', '.join(FAULTS)}.")
        accused[row] = fault
    return accused


def _defence(row: str, fault: str) -> str:
    """Why this accusation is wrong."""
    if row in INNOCENT:
        return f"{row} is honest: {INNOCENT[row]}"
    if row == "F" and fault == "train":
        return "F is at fault, but with the training images it would be 59,000."
    return f"{row} is at fault, but not of {fault!r}."
