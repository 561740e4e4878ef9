"""What the chapters let the reader guess. It stands here because a notebook's cell would give it away.

Each entry: the question, and for each choice what is said to it.
"""

from __future__ import annotations

#: name -> (question, choice -> answer)
GUESSES: dict[str, tuple[str, dict[str, str]]] = {
    "01 measures": (
        "Take the digit with the largest inner product with a query. How often is it also the nearest?",
        {
            "nearly always": "Far from it: for fewer than one query in ten. Digits with "
            "a lot of ink win.",
            "about half of the time": "Not even that: for fewer than one query in ten. "
            "Digits with a lot of ink win.",
            "rarely": "Yes, for fewer than one query in ten: digits with a lot of ink win, whatever "
            "the query looks like.",
        },
    ),
    "01 codewords": (
        "Rounding to one bit for each pixel makes codes of 64 bits. How many bits do codewords for "
        "the whole digit need to find as much?",
        {
            "about 10": "Yes. With about nine bits the codewords already find as much, and with ten they "
            "find more.",
            "about 30": "Fewer: about 10. A codeword describes all pixels at once.",
            "about 64": "Far fewer: about 10. A codeword describes all pixels at once.",
        },
    ),
    "02 a bit": (
        "Points of 2 numbers, digits of 64. With which of them does one more bit lower the "
        "distortion more?",
        {
            "the points": "Yes: their curve falls faster. Why it has to is told below the picture.",
            "the digits": "It is the other way round: a bit says only a little about 64 numbers.",
            "no difference": "There is one: the curve of the points falls faster, because a bit says "
            "only a little about 64 numbers.",
        },
    ),
    "03 one list": (
        "How much memory do the four codebooks take together?",
        {
            "about 275 GB": "Far less. A quarter of the bits is not a quarter of the codewords: each of "
            "the short lists has only 256 rows.",
            "about 100 MB": "Far less: each of the short lists has only 256 rows, and a row is a quarter "
            "of a vector.",
            "less than 0.1 MB": "Yes: each of the short lists has only 256 rows, and a row is a quarter of "
            "a vector.",
        },
    ),
    "03 two shapes": (
        "Both have codes of 32 bits. Which one would you buy?",
        {
            "4 x 256": "Yes, a good buy: it distorts less and finds more. The price is in the table below.",
            "8 x 16": "It is cheaper, but at equal bits fewer subvectors with more codewords distort "
            "less and find more.",
            "no difference": "There is one: at equal bits, fewer subvectors with more codewords "
            "distort less and find more.",
        },
    ),
    "04 beam": (
        "For which digits does a wider beam save more?",
        {
            "those learned from": "It is the other way round: see below the picture why.",
            "held-out ones": "Yes. Below the picture you can read why.",
            "no difference": "There is one: it saves more on held-out digits.",
        },
    ),
    "04 richest": (
        "LSQ learns the most numbers. Will it be the best on held-out digits at every size?",
        {
            "at every size": "At the short codebooks it is. At the long ones it turns round: look at "
            "the squares of the last panel.",
            "not at every size": "Yes: look at the squares of the last panel.",
        },
    ),
    "10 ties": (
        "The database is sorted by class, and ties are taken as they lie. What changes most?",
        {
            "the mean": "It moves less than the single classes do: what some gain, others lose.",
            "single classes": "Yes: what some gain, others lose, so the mean moves less.",
            "nothing": "Single classes change a great deal; what some gain, others lose.",
        },
    ),
    "10 seeds": (
        "The penalty against plain training on unseen classes: will three seeds agree about which "
        "is better?",
        {
            "they will": "They do not. One seed says clearly that the penalty harms, another that it "
            "helps.",
            "they will not": "Yes. One seed says clearly that the penalty harms, another that it helps.",
        },
    ),
    "09 one code": (
        "How many of the 50,000 photographs share one code with the photograph that is nearest to a "
        "query?",
        {
            "one": "Many more do, although there are four billion codes: training has pulled each class "
            "together, so that its members fall on the same few codewords. The widget below counts them.",
            "a dozen": "It can be more than a hundred. Training has pulled each class together, so that "
            "its members fall on the same few codewords. The widget below counts them.",
            "a hundred or more": "Yes, that is what the first query of the widget below finds. Training "
            "has pulled each class together, so that its members fall on the same few codewords.",
        },
    ),
    "09 two rows": (
        "Which of the two may stand beside our 48 bits?",
        {
            "row a": "Yes, but with a note. Which one? The fold below tells, and why row b may not.",
            "row b": "Read its protocol once more, and the words in brackets: could anybody check them? It "
            "is row a that may, with a note.",
            "both": "Only row a, and with a note. Of row b nobody could check how its figure was measured.",
            "neither": "That is strict, but row a may, if a note says what is different. The fold below "
            "has the note.",
        },
    ),
    "09 sixteen": (
        "Eight codebooks of 16 and four of 256 both make codes of 32 bits. What does fast scan with "
        "sixteen codewords change?",
        {
            "slower": "It is the other way round. Twice as many entries are added, but sixteen items at "
            "a time.",
            "about as fast": "There is a clear difference. Twice as many entries are added, but sixteen "
            "items at a time.",
            "several times faster": "Yes. Twice as many entries are added, but sixteen items at a time. "
            "The times below are those of this machine.",
        },
    ),
    "11 harder": (
        "After training, which negatives have a higher score than the positive more often?",
        {
            "those of its cell": "Yes, in every epoch. Whether that makes a better model is another "
            "question, which takes a study.",
            "uniform ones": "It is the other way round, in every epoch: films of the same cell look "
            "alike to the towers, too. Whether that makes a better model is another question.",
            "no difference": "There is one, in every epoch: those of the cell do. Films of the same cell "
            "look alike to the towers, too.",
        },
    ),
    "11 winners": (
        "Ten seeds on test films: where do hard negatives with the winner's setting beat uniform ones "
        "clearly?",
        {
            "with both data sets": "Only with simulated users. See the lowest line of each panel.",
            "with simulated users only": "Yes. But compare it with the line above it: how much did the "
            "search buy?",
            "with neither": "With simulated users they do, by a little. See the lowest line of each panel.",
        },
    ),
    "11 ten rounds": (
        "Two towers with uniform negatives learn from the clicks on their own lists. What part of the "
        "520 films does anybody see in the tenth round?",
        {
            "nearly all": "Far less: about a tenth. Most of that is the model's doing, not the loop's: its "
            "first lists, learned from random films, show hardly more.",
            "about half": "Less: about a tenth. Most of that is the model's doing, not the loop's: its "
            "first lists, learned from random films, show hardly more.",
            "about a tenth": "Yes. Most of that is the model's doing, not the loop's: its first lists, "
            "learned from random films, show hardly more.",
        },
    ),
    "11 real ratings": (
        "Will the gain of hard negatives carry over to the ratings of real people?",
        {
            "it will": "Not in this study: nothing that was tried beats uniform negatives there.",
            "it will not": "Yes, so it is: nothing that was tried beats uniform negatives there.",
        },
    ),
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
    "06 candidates": (
        "The candidates are the n codewords nearest to the point. How large does n have to be before "
        "one of them descends?",
        {
            "1": "The nearest codeword alone does not do. It lies on the lower right, away from the "
            "star: that was the trouble with the penalty.",
            "2": "Yes. The second nearest lies on the left, at less than a right angle to the way "
            "downhill.",
            "3 or more": "Two are enough. With three or four there is a choice, and a better aligned "
            "codeword is found.",
        },
    ),
    "06 straight-through": (
        "Under straight-through, leave aside the part of each arrow that comes from the penalty. What "
        "do the remaining arrows of one cell have in common?",
        {
            "they point to the star": "Only where the codeword is a good stand-in: each of them is the "
            "arrow that belongs to the codeword of the cell.",
            "they are all the same": "Yes: each is the arrow of the codeword, whose gradient is used "
            "everywhere in the cell.",
            "nothing": "They are all the same: the gradient is computed at the codeword and used "
            "everywhere in its cell.",
        },
    ),
    "06 forty points": (
        "Under which rule will the points end closest to the codewords: plain descent of the "
        "similarity loss, the penalty, or one of the snaps?",
        {
            "plain descent": "It does not know the codewords at all. It is the penalty that brings the "
            "points closest to them, and it pays for that with its distance from the star.",
            "the penalty": "Yes, and it pays for that with its distance from the star.",
            "a snap": "The snaps end nearer to the star. It is the penalty that brings the points "
            "closest to codewords.",
        },
    ),
    "06 turns": (
        "The penalty on the left, the snap on the right, both at strength 4. Which side ends with the "
        "purer cells?",
        {
            "the left": "It is the other way round. Press Play and watch what becomes of the classes on "
            "the left within the first few steps.",
            "the right": "Yes. Press Play and watch what becomes of the classes on the left within the "
            "first few steps.",
            "both alike": "They part company. Press Play and watch what becomes of the classes on the left "
            "within the first few steps.",
        },
    ),
    "07 circle": (
        "Two of the three methods spread the digits round the circle. Which one does not?",
        {
            "none": "It spreads them well, although it knows nothing of codewords. The penalty is in "
            "such a hurry to put them on codewords that it leaves them crowded together.",
            "penalty": "Yes. It is in a hurry to put every embedding on a codeword, so it leaves them "
            "crowded together.",
            "snap-pull": "Its pull never works against the loss, so they spread. The penalty is in such "
            "a hurry to put them on codewords that it leaves them crowded together.",
        },
    ),
    "07 purity": (
        "At 2 × 4 codewords, snap (pull) finds far more than plain training, and the penalty only some "
        "more. Whose cells will hold mostly one class at the end?",
        {
            "the penalty's": "No: it pulls each point to the codeword that is near, whatever class has "
            "gathered there. Compare the two curves of the middle row, on the left.",
            "those of snap (pull)": "Yes. Find its curve in the middle row, on the left, and see how early "
            "it leaves that of the penalty.",
            "no difference": "There is one. Compare the two curves of the middle row, on the left.",
        },
    ),
    "07 random": (
        "At 2 × 4, pull to a random codeword in place of one that descends. How much of what the snap "
        "gains over the penalty is left?",
        {
            "nothing": "Much more: nearly three quarters, if you compare the means. See the left panel.",
            "about half": "More: nearly three quarters, if you compare the means. See the left panel.",
            "most of it": "Yes, nearly three quarters, if you compare the means. See the left panel.",
        },
    ),
    "07 contrastive": (
        "Straight-through did well on the map. Where does it end with the supervised contrastive loss, "
        "compared with the snap?",
        {
            "ahead": "No: it is clearly behind, in both cells. See the next picture.",
            "level with it": "No: it is clearly behind, in both cells. See the next picture.",
            "behind": "Yes, clearly, in both cells. See the next picture.",
        },
    ),
    "07 hundred": (
        "A hundred classes, eight bits. Where will the four methods lie farther apart: with two codebooks "
        "of 16, or with one of 256?",
        {
            "with two of 16": "Yes. With one of 256 nobody has to share, and no two methods differ "
            "clearly. The next picture shows both.",
            "with one of 256": "No: there the four come together. What drives them apart is a lack of "
            "codewords. The next picture shows both.",
            "in both alike": "No: with one codebook no two of them differ clearly, with two they do. The "
            "next picture shows both.",
        },
    ),
    "12 nearest list": (
        "A thousand lists hold a million vectors. You look into the one nearest list only. For what "
        "share of "
        "the queries is the true nearest vector in it?",
        {
            "about 1 in 1000": "Much more often: a list is a neighbourhood, not a random thousandth. "
            "The next picture shows how often.",
            "more than half": "Yes: most often it is in the nearest list, and else in one of the next few. "
            "The next picture shows how often.",
            "nearly always": "Less often. Many queries lie near a border, and their nearest vector "
            "lies on the other side. The next picture shows how often.",
        },
    ),
    "12 killed worker": (
        "Two workers share twenty shards. One of them is killed after the first answer. What becomes "
        "of the search?",
        {
            "it fails": "No. The scheduler notices the lost connection and hands out again what was not "
            "answered.",
            "half of the answer is missing": "No. A shard that was not answered is handed out again. "
            "Only where you ask for a partial answer may something be missing, and then it says what.",
            "the same answer, later": "Yes. The shards that were not answered are handed out again; "
            "the merged list cannot tell who searched them.",
        },
    ),
}
