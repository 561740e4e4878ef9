"""What to ask of a retrieval figure before it is believed or printed: one page, to be kept.

The questions come from mistakes found in public code (the sources stand in chapter 10). Those
that nobody can answer from codes and labels alone are the last group: ask the authors.
"""

from __future__ import annotations

from pathlib import Path

#: Group of questions -> the questions.
CHECKLIST: dict[str, tuple[str, ...]] = {
    "Who asks what among what": (
        "The protocol is named, with the sizes of query, training and database sets.",
        "No query is in the database.",
        "It says whether the training images are in the database, and whether with labels.",
        "The same split file, or the same seed of the split, for all rows.",
    ),
    "What is counted": (
        "mAP@all or mAP@R: one R for the whole table.",
        "The divisor is named; with R it is min(R, number relevant).",
        "Queries with nothing relevant, and those without a hit, count 0.",
        "Plain AP, not interpolated.",
        "Ties are averaged over all orders; nothing depends on how the files are sorted.",
    ),
    "What is searched": (
        "ADC, SDC or exact is named; squared sub-distances are summed.",
        "Bits are M log2 K for M books of K codewords.",
        "Encoding and lookup use the same codewords.",
        "The codebooks come from training images, for every row.",
        "The trivial code (argmax) and exact float vectors stand beside the codes.",
    ),
    "What is claimed": (
        "Settings, epoch and seed were chosen on validation queries, test queries used once.",
        "As many trials for the rivals as for the own method; no term of theirs weighs 0.",
        "Three seeds or more, mean and spread, and the interval of a paired difference.",
        "With several intervals in a table, their level allows for their number.",
        "Unseen classes, or another test in which a classifier's answer is no good code.",
        "Encoder and pre-training are the same, or named.",
    ),
    "What no file shows: ask": (
        "Was the best epoch taken on the test queries?",
        "Were codebooks fitted again on the database at test time?",
        "Were database images used, unlabelled, in training?",
        "Is there pre-training that is not mentioned?",
    ),
}


def as_markdown() -> str:
    """The list as a Markdown table with boxes, a row for each question."""
    lines = ["| | question | |", "| --- | --- | --- |"]
    for group, questions in CHECKLIST.items():
        for i, question in enumerate(questions):
            lines.append(f"| {f'**{group}**' if i == 0 else ''} | {question} | ☐ |")
    return "\n".join(lines)


def as_text() -> str:
    """The list as plain text for a printer: less than a page, no line longer than 90 characters."""
    lines = ["Before you believe a retrieval figure, or print one", ""]
    for group, questions in CHECKLIST.items():
        lines += [group, *(f"  [ ] {question}" for question in questions), ""]
    return "\n".join(lines)


def write_checklist(path: str | Path) -> Path:
    """Write `as_text` to a file; an older file of that name is replaced.

    Parameters
    ----------
    path : path
        Where to write.

    Returns
    -------
    Path
        The same.
    """
    path = Path(path)
    path.write_text(as_text(), encoding="utf-8")
    return path
