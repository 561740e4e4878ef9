"""What the chapters let the reader guess. It stands here because a notebook's cell would give it away.

Each entry: the question, and for each choice what is said to it.
"""

from __future__ import annotations

#: name -> (question, choice -> answer)
GUESSES: dict[str, tuple[str, dict[str, str]]] = {
    "05 one step": (
        "The point takes a small step along the sum of both arrows. Which way does it go?",
        {
            "nearer to the star": "Not here: the arrow to the codeword is more than twice as long, "
            "and it wins. Set the strength to 1.5 below and look.",
            "away from the star": "Yes: the longer arrow wins, and the similarity loss rises. Set "
            "the strength to 1.5 below and look.",
            "it stays": "Not here: the two arrows differ in length, and they are not quite "
            "opposite. Set the strength to 1.5 below and look.",
        },
    ),
    "05 more codewords": (
        "From 4 codewords to 256, at the same strength: how does the share of uphill places change?",
        {
            "it grows": "That depends on the strength. It is so for very strong penalties only: "
            "look at the right end of the next picture.",
            "it falls": "That depends on the strength. It is so for weak and middling ones: look "
            "at the left and the middle of the next picture.",
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
    "12 nearest list": (
        "A thousand lists hold a million vectors. You look into the one nearest list only. For what "
        "share of "
        "the queries is the true nearest vector in it?",
        {
            "about 1 in 1000": "Much more often: a list is a neighbourhood, not a random thousandth. "
            "The next picture shows how often.",
            "about half": "That is the right order: most often it is in the nearest list or in one of the "
            "next few. The next picture shows how often.",
            "nearly always": "Less often. Many queries lie near a border, and their nearest vector "
            "lies on the other side. The next picture shows how often.",
        },
    ),
    "12 killed worker": (
        "Two workers share twenty shards. One of them is killed after the first answer. What becomes "
        "of the search?",
        {
            "it fails": "No. The scheduler notices the lost connection and hands the shards that were not "
            "answered to the worker that is left.",
            "half of the answer is missing": "No. A shard that was not answered is handed out again. "
            "Only where you ask for a partial answer may something be missing, and then it says what.",
            "the same answer, later": "Yes. The shards that were not answered are handed out again; "
            "the merged list cannot tell who searched them.",
        },
    ),
}
