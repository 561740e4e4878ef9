"""What the chapters let the reader guess. It stands here because a notebook's cell would give it away.

Each entry: the question, and for each choice what is said to it.
"""

from __future__ import annotations

#: name -> (question, choice -> answer)
GUESSES: dict[str, tuple[str, dict[str, str]]] = {
    "05 one step": (
        "The point takes a small step along the sum of both arrows. Which way does it go?",
        {
            "nearer to the star": "Not here. The orange arrow works against the blue one, and that "
            "part of it is longer than the blue arrow. Set the strength to 1.5 below and look.",
            "away from the star": "Yes. The orange arrow works against the blue one and outweighs "
            "it, so the similarity loss rises. Set the strength to 1.5 below and look.",
            "it stays": "Not quite: the two arrows work against each other, but they do not cancel. "
            "Set the strength to 1.5 below and look.",
        },
    ),
    "05 more codewords": (
        "From 4 codewords to 256, at the same strength: how does the share of uphill places change?",
        {
            "it grows": "It does for very strong penalties, at the right end of the next picture. "
            "For weaker ones it falls.",
            "it falls": "It does for weak and middling strengths, at the left and in the middle "
            "of the next picture. For very strong ones it grows.",
            "it depends": "Yes, on the strength: the lines of the next picture cross.",
        },
    ),
    "05 CIFAR-10": (
        "A network is trained on CIFAR-10 with the penalty, at the strength that searched best on "
        "validation images. What share of its images does the sum send uphill?",
        {
            "about 2 %": "Yes. Read on for the numbers, and for another data set where it is very "
            "different.",
            "about 20 %": "Fewer: about 2 %. Read on for the numbers, and for another data set "
            "where it is very different.",
            "about 40 %": "Fewer: about 2 %. But your number is right for another data set: read on.",
        },
    ),
    "06 border": (
        "At the border another codeword becomes the nearest one. Which arrow turns round there: "
        "the sum with the penalty (dash-dotted), the snapped step (thick green), or both?",
        {
            "the sum": "Yes. The penalty follows the nearest codeword and turns round. The snap had "
            "chosen the codeword above because it descends, and keeps it across the border.",
            "the snapped step": "It is the other way round: the penalty asks which codeword is "
            "nearest. The snap keeps the codeword above, which descends and is still a candidate.",
            "both": "Only the sum. The codeword above is still a candidate beyond the border and "
            "still descends, so the snap keeps it.",
        },
    ),
}
