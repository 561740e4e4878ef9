# %% [markdown]
# # Let codebook and network learn in turns
#
# A codebook is fitted to the embeddings of a network, and the network is trained towards the codebook. Which of them
# should move first? In this chapter they take turns, first in the plane and then in a real training that you can
# scrub through. At the end you bet on a map: when is the snapped gradient worth its trouble, and when is it not?
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Take the two turns by hand in the plane, record real trainings on a circle,
# scrub through them, play the turns wrongly on purpose, judge methods in a small study, and bet on a map
# of where snapping matters.
#
# **What you will learn.** Why codebook and network alternate, what a warm start is good for, what a
# bias of the gradient does over a whole training, how to read a comparison of methods, and when the
# snapped gradient is worth its trouble.
#
# **What you need.** k-means from chapter 02, the pulls of chapter 06. No downloads. About 75 minutes, 41 of
# them for the five exercises; the computer works for less than one.
#
# </details>
#
# *How a turn looks in detail is [our reconstruction](00_start_here.ipynb#Know-where-the-formulas-come-from).*

# %% tags=["hide-input"]
import numpy as np
from scipy.stats import t as student_t

from gsl_tutorial.course.datasets import make_blobs_2d
from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.exercises.attempts import attempt
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.claim_cards import show_claims
from gsl_tutorial.course.plots.clusters import draw_cells
from gsl_tutorial.course.plots.elsewhere import show_elsewhere
from gsl_tutorial.course.plots.folded import show_folded
from gsl_tutorial.course.plots.rounds_told import draw_rounds
from gsl_tutorial.course.plots.seed_dots import draw_differences, draw_seeds
from gsl_tutorial.course.plots.strengths import draw_law, draw_sweep
from gsl_tutorial.course.plots.study import draw_bias, draw_pareto
from gsl_tutorial.course.plots.turn_courses import draw_courses, draw_stairs
from gsl_tutorial.course.plots.turns import draw_renumbered, draw_turns
from gsl_tutorial.course.printing import say, wrapped
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.study import StudyResults, load_study
from gsl_tutorial.course.study.map_file import read_map
from gsl_tutorial.course.study.map_words import law_says, rounds_say
from gsl_tutorial.course.study.report import (
    as_table,
    as_text,
    bias,
    compare,
    difference_by_seed,
    settings,
)
from gsl_tutorial.course.study.study_claims import (
    circle_claims,
    map_claims,
    setting_claim,
    sweep_claims,
)
from gsl_tutorial.course.toys.kmeans_steps import assign, distortion, move, start_on_points
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.training.progress import training_bar
from gsl_tutorial.course.training.recording import around, first_classes, record
from gsl_tutorial.course.training.runs import TrainingConfig
from gsl_tutorial.course.training.train_run import load_data
from gsl_tutorial.course.widgets import Guess, MethodMap, RecordingSlider
from gsl_tutorial.evaluation import mean_average_precision
from gsl_tutorial.quantizers import ProductQuantizer

# %% [markdown]
# ## Take turns by hand
#
# We want two things at once: **embeddings** (z) that are near their own kind, and **codewords** (c)
# that are near the embeddings. Here are both wishes as one number, for points in the plane: half the
# squared distance of a point to the middle of its class, plus a **strength** (λ) times the **distortion**,
# the mean squared distance to the nearest codeword.
#
# Both sides can move, and each one's best answer depends on the other. So they take turns:
#
# - **the network's turn**: the codewords stand still, the points take steps of gradient descent;
# - **the codebooks' turn**: the points stand still, k-means moves the codewords.
#
# (There is no network yet: the points move freely. That keeps the picture simple.)

# %%
blobs = make_blobs_2d(30, 4, random_state=5, spread=0.2)
middles = np.stack([blobs.x[blobs.labels == c].mean(axis=0) for c in range(4)])[blobs.labels]
strength, rate = 1.0, 0.08


def wish(z, codewords):
    """Similarity loss + strength x distortion."""
    similarity = ((z - middles) ** 2).sum(axis=1).mean() / 2
    return similarity + strength * distortion(z, codewords, assign(z, codewords))


z, codewords = blobs.x, start_on_points(blobs.x, 6, random_state=0)
panels = {"the start": (z, codewords, assign(z, codewords))}
values, turns = [wish(z, codewords)], []
for round_ in range(1, 6):
    for _ in range(3):  # the network's turn
        nearest = codewords[assign(z, codewords)]
        z = z - rate * ((z - middles) + 2 * strength * (z - nearest))
    values.append(wish(z, codewords))
    if round_ == 1:
        panels["after the network's turn"] = (z, codewords, assign(z, codewords))
    codewords = move(z, codewords, assign(z, codewords))  # the codebooks' turn
    values.append(wish(z, codewords))
    turns += ["network", "codebooks"]
    if round_ == 1:
        panels["after the codebooks' turn"] = (z, codewords, assign(z, codewords))
show(
    draw_cells(panels),
    alt="Points in four groups and six codewords, three times. In the network's turn the points draw "
    "together while the codewords stay; in the codebooks' turn the codewords move to the middle of "
    "their points while those stay.",
    dpi=85,
)

# %% tags=["hide-input"]
show(
    draw_stairs(values, turns, ylabel="similarity loss\n+ strength x distortion"),
    alt="The sum of both losses after each turn: it falls from turn to turn, whoever moves, in large "
    "steps first and in small ones later.",
    dpi=85,
)

# %% tags=["claim", "hide-input"]
falls = np.diff(values) <= 1e-12
print(f"{falls.sum()} of {len(falls)} turns lowered the sum or left it as it was.")

# %% [markdown]
# As long as the network's steps are small, the sum cannot rise: each side lowers the *same* number with the
# other held still (**coordinate descent**). Both could also move at once. While no point changes its codeword, the
# distortion has a gradient for the points and one for the codewords, and some methods follow both. We take turns
# because k-means goes all the way in one turn, with no learning rate to choose.
#
# Two honest remarks. It may end in a place from which no single turn leads on, though both together
# could. And the snapped gradient of chapter 06 is not the gradient of any such sum, so it has no such
# guarantee: there we have to measure.
#
# **Exercise 07.1** (medium, 8 minutes). Write one round: one step of the network's turn, then the
# codebooks' turn. The gradient `g` that the points follow is given. A codeword without points stays where it
# is.


# %% tags=["exercise"]
def one_round(z, g, codewords, rate):
    """(N, d), (N, d), (K, d), number -> moved z (N, d), moved codewords (K, d)."""
    # BEGIN SOLUTION
    z = z - rate * g
    code = ((z[:, None] - codewords) ** 2).sum(axis=2).argmin(axis=1)
    codewords = codewords.copy()
    for k in np.unique(code):
        codewords[k] = z[code == k].mean(axis=0)
    return z, codewords
    # END SOLUTION


check.one_round(one_round)

# %%
hint("07.1")

# %% [markdown]
# ## Record a real training
#
# Now a network, on handwritten digits. An embedding of only two numbers and of unit length is a place
# on a **circle**, so everything that happens to it can be seen. A circle has room for few classes: we
# take the digits 0 to 4, and one codebook of K = 8 codewords, 3 bits.
#
# Three **methods**, same network, same images, same order: `none` (similarity loss alone), `penalty`
# (plus λ times the distortion) and `snap-pull`, which the pictures call snap (pull): chapter 06's pull to a codeword
# that descends. One round is three passes over the images, then one k-means from where the codewords stand.


# %%
def config(method, strength=10.0, seed=1):
    return TrainingConfig(
        dataset="digits", method=method, seed=seed, dim=2, bits=3, n_codewords=8,
        learning_rate=0.01, options=MethodOptions(strength=strength),
    )  # fmt: skip


data = first_classes(load_data("digits", seed=1), 5)
with training_bar() as bar:
    recordings = [
        record(config(method), data, on_progress=bar) for method in ("none", "penalty", "snap-pull")
    ]

# %% [markdown]
# ## Scrub through it
#
# What will the three methods do to the circle?

# %% tags=["hide-input"]
Guess.of("07 circle")

# %% [markdown]
# Now move the slider from turn 0 to turn 20 (Tab reaches it, the arrow keys move it, Home and End
# jump). In odd turns the network moves, and codewords wait; in even turns the codewords move along the
# thick black lines, and the network waits. A **cross** inside the circle marks a vector whose gradient
# is turned round: it would be sent *uphill*, against the similarity loss. Crosses are counted at the
# end of each turn, with the codewords that then stand. (Where no slider runs, four moments stand in
# its place: the start, and the ends of rounds 1, 4 and 10.)

# %% tags=["hide-input"]
RecordingSlider(
    recordings,
    data.class_names,
    alt="A circle for each method, with the embeddings around it, a ring for each digit, and codewords "
    "on it. All start alike, with the five digits in one short arc. With none and snap (pull) the digits "
    "move apart until each has an arc of its own, with codewords in it. Under the penalty they stay "
    "crowded in a quarter of the circle, with crosses from the second round on.",
)

# %% [markdown]
# **Try it.** Find the first turn in which a codeword serves only one digit. Find a turn in which the
# ADC mAP of `none` *falls*: whose turn is it, and why? What does the distortion do in odd turns, what
# in even ones?
#
# <details><summary>What to see</summary>
#
# In the network's turn the embeddings leave the codewords behind: distortion jumps up, and a search
# through outdated codewords suffers. The codebooks' turn brings it down again. Late in training the
# network hardly moves, and the saw becomes flat.
#
# </details>
#
# ## Read the curves
#
# Beside the pictures, the numbers that training keeps for each round: the similarity loss, the relative
# distortion (how much of the spread is lost in the code), mAP by exact vectors and by codes (**ADC**:
# the query as it is, the database as codes), and the share of vectors that would go uphill.

# %% tags=["hide-input"]
show(
    draw_courses(recordings),
    alt="Four panels over ten rounds. The loss of none and snap (pull) falls steadily, that of the penalty "
    "stops early, and its mAP stays the lowest by far. All distortions end below .03. The share "
    "uphill lies around a third under the penalty and is zero for the two others.",
    dpi=85,
)

# %% tags=["hide-input"]
for recording in recordings:
    last, later = recording.frames[-1], [r["uphill"] for r in recording.history[1:]]
    found = "above" if last.adc_map > 0.9 else "below"
    lost = "below" if last.relative_distortion < 0.03 else "above"
    share = "below 1%" if max(later) < 0.01 else "above 20%" if min(later) > 0.2 else "in between"
    print(f"{named(recording.method):11} ADC mAP {found} .9   relative distortion {lost} .03   "
          f"uphill, from round 2 on: {share}")  # fmt: skip

# %% [markdown]
# The penalty did what it was told: its codes lose little. But in every round from the second on (in the first
# there are no codewords) more than a fifth of the vectors were pulled against the similarity loss, and they
# were fixed in place before they had been sorted. The pull to a descending codeword sent nobody uphill.
#
# **Before you believe it.** This was *one* seed and *one* strength on a circle, and we chose them for the
# picture. So here is every method of the workbook on such a circle, with eight seeds. Each method was tuned
# on validation images with the same number of trials (and one seed), and each seed draws its own five digits out
# of the ten. (`gsl-tutorial study circle` trains all of them in some minutes; below are the records of ours.)

# %% tags=["hide-input"]
the_map = read_map()
circle = {method: one.adc_map for method, one in the_map.circle.items() if one.adc_map}
if circle:
    show(
        draw_seeds(circle),
        alt="ADC mAP on the circle, a line for each method and a dot for each of eight seeds; the mark of the "
        "method is the mean, and the highest mean stands above. The sentences below say the numbers.",
        dpi=85,
    )

# %% tags=["hide-input"]
show_claims(circle_claims(the_map))

# %% [markdown]
# Look at the spread before you look at the order. The dots of one method lie far apart, because on a circle
# two classes can hardly walk past each other, so much depends on the start. (With 16 numbers instead of 2 there is
# room to pass.) And a tuned penalty is not the penalty of the slider above. There its strength was 10; here tuning
# took the weakest that was offered, for the penalty and for snap (pull), and so weak a pull is nearly plain training.
# The circle shows you *what* the pulls do. It cannot tell you which of them is better.
#
# Plain training stands here twice. It has no strength to tune, so its trials went to the learning rate, which nobody
# else was given, and the larger rate frees some of the runs that had a bad start. With the others' rate it stands
# among them. Compare only what was treated alike!
#
# A picture shows *how* something happens. *Whether* it happens in general takes tuned strengths, many seeds
# and honest intervals. That is what the end of this chapter is about.
#
# ## Measure the bias
#
# What exactly is counted? For each embedding there is $g$, the gradient of the similarity loss, and
# the gradient that the method *uses*. Their **cosine** is 1 where they agree and negative where the
# step goes uphill.
#
# One detail. Our similarity losses look at directions only: make an embedding longer and the loss
# stays as it was. So $g$ has no part along $z$. A pull may have one, but the network makes all its
# embeddings unit long and never feels it. It is taken away before comparing. On a circle only one
# number is left of each gradient, how strongly it turns the vector left or right:

# %% tags=["hide-input"]
frame = recordings[1].after(5)
lengthwise = np.abs((frame.g * frame.z).sum(axis=1)) / np.linalg.norm(frame.g, axis=1)
assert lengthwise.max() < 1e-3
print("At most a thousandth of g lies along z.")
used, g = around(frame.used, frame.z), around(frame.g, frame.z)
cosines = used * g / np.abs(used) / np.abs(g)
print("On a circle the only cosines are", sorted(set(cosines.round(6).tolist())))

# %% [markdown]
# On a circle a gradient goes either with $g$ or against it. In more dimensions it can also stray sideways, so that
# its cosine is .5 and it still goes downhill. Then we need two numbers.
#
# **Exercise 07.2** (medium, 6 minutes). Write both: the mean of the cosines and the share of vectors
# that go uphill. The step is *minus* the gradient used.


# %% tags=["exercise"]
def bias_of(used, g):
    """(N, d), (N, d) -> mean cosine, share uphill."""
    # BEGIN SOLUTION
    dot = (used * g).sum(axis=1)
    cosines = dot / np.linalg.norm(used, axis=1) / np.linalg.norm(g, axis=1)
    return cosines.mean(), (dot < 0).mean()
    # END SOLUTION


check.bias_of(bias_of)

# %%
hint("07.2")

# %% [markdown]
# ## Keep a code's meaning
#
# The codebooks' turn can start in two ways: **warm**, from where the codewords stand, or **cold**, from
# a new random start. Here is the last such turn of `snap-pull`, played both ways on the same
# embeddings. The numbers are those of the codewords: what a code *says*.

# %% tags=["hide-input"]
snap = recordings[2]
before, after = snap.after(10, "network"), snap.after(10)
cold = ProductQuantizer(1, 8, random_state=10).fit(before.z)
show(
    draw_renumbered(
        before.z,
        snap.labels,
        {
            "before the turn": before.codewords,
            "after a warm start": after.codewords,
            "after a cold start": cold.codebooks_[0],
        },
    ),
    alt="Three circles with the same embeddings and eight numbered codewords. After a warm start every "
    "number is nearly where it was; after a cold start the numbers are shuffled round the circle.",
    dpi=85,
)

# %% [markdown]
# **Exercise 07.3** (easy, 4 minutes). Which share of all vectors changes its code? A code is M numbers, one
# for each codebook, and changes when any of them does.


# %% tags=["exercise"]
def share_changed(before, after):
    """(N, M), (N, M) -> number from 0 to 1."""
    # BEGIN SOLUTION
    return (before != after).any(axis=1).mean()
    # END SOLUTION


check.share_changed(share_changed)

# %%
hint("07.3")


# %% [markdown]
# This matters because somewhere a million codes are stored. The next cell searches the codes that were
# stored *before* the turn with the codewords that stand *after* it.


# %% tags=["hide-input"]
def map_of(quantizer, codes):
    distances = quantizer.distances(before.query_z, codes)
    return mean_average_precision(distances, data.query.labels, data.database.labels)


stored = before.quantizer.encode(before.z)
table = {}
for name, quantizer in {"warm": after.quantizer, "cold": cold}.items():
    fresh = quantizer.encode(before.z)
    changed = 1 - (fresh == stored).all(axis=1).mean()
    table[name] = changed, map_of(quantizer, stored), map_of(quantizer, fresh)

# %% tags=["claim", "hide-input"]
for name, (changed, stale, fresh) in table.items():
    print(
        f"{name}: {'few' if changed < 0.2 else 'most' if changed > 0.6 else 'some'} codes change; mAP is "
        f"{'above' if stale > 0.9 else 'below'} .9 with the stored codes, "
        f"{'above' if fresh > 0.9 else 'below'} .9 when all is encoded anew"
    )

# %% [markdown]
# If you encode everything anew after a cold start, nothing is lost. But until that work is done the search answers
# nonsense, and a pull that was drawing a vector to *its* codeword finds another one in its place.
#
# ## Play the turns wrongly
#
# Here are three mistakes, two of which have been found in public code of this field.
#
# **1. The codebooks never take their turn.** The line stands in the program, but nothing calls it, or
# its result goes nowhere. No error is raised, and the loss falls.
#
# **2. They start cold every time.**

# %%
with training_bar() as bar:
    wrong = {
        "warm": snap,
        "cold": record(config("snap-pull"), data, refit="cold", on_progress=bar),
        "never": record(config("snap-pull"), data, refit="never", on_progress=bar),
    }
for name, recording in wrong.items():
    last = recording.frames[-1]
    print(
        f"{name:6} loss {last.loss:.2f}   exact mAP {last.exact_map:.2f}   ADC mAP "
        f"{last.adc_map:.2f}   relative distortion {last.relative_distortion:.3f}"
    )

# %% tags=["hide-input"]
never, first_loss = wrong["never"], wrong["never"].history[0]["loss"]
assert never.frames[-1].loss < first_loss / 10
assert never.frames[-1].exact_map > 0.9 > never.frames[-1].adc_map
print("never: the loss fell to less than a tenth, exact mAP is above .9, but ADC mAP is below it.")
for name, recording in wrong.items():
    same = np.array_equal(recording.after(1).codewords, recording.after(10).codewords)
    print(f"{name:6} the codewords of rounds 1 and 10 are {'the same' if same else 'different'}.")

# %% tags=["hide-input"]
show(
    draw_turns([snap, never], [2, 8, 20], data.class_names, titles=["warm", "never"]),
    alt="Two rows of three circles. With turns the codewords follow the digits round the circle. "
    "Without, all eight codewords stay in the short arc where the digits were after round 1, while the "
    "digits spread out and leave them behind.",
    dpi=80,
)

# %% [markdown]
# *Never* is the treacherous one: loss and exact mAP look healthy, and only a search through the codes gives it
# away. The last three lines printed above the picture show how to catch it: compare the codebooks of two rounds.
#
# *Cold* did no visible harm to the final numbers **here**, because eight codewords on a circle find good places
# from any start. But refitting from scratch renumbers the codewords, so old codes lose their meaning. With many
# codewords the result also depends on a lucky start.
#
# **3. The codebooks are fitted to the database at test time.** Then the distortion is measured on the
# very vectors that were fitted. Here the queries play a database that training has never seen:

# %% tags=["hide-input"]
final = snap.frames[-1]
fitted = ProductQuantizer(1, 64, random_state=0).fit(final.z)
cheating = ProductQuantizer(1, 64, random_state=0).fit(final.query_z)
honest = fitted.relative_distortion(final.query_z)
share = "less" if cheating.relative_distortion(final.query_z) < honest / 2 else "no less"
print(
    f"Codebooks that were fitted to the queries lose {share} than half of what honest ones lose there."
)

# %% [markdown]
# A gain of that kind does not belong to any method. If codebooks are refitted at test time, then they must be
# refitted for every method, and the text must say so.
#
# ## Judge the methods
#
# One run is an anecdote, and two numbers belong together: how well the codes search (ADC mAP, up is
# better) and how much they lose (relative distortion, left is better). The study of this workbook
# declares its runs in a file, gives every method the same number of trials on a validation split, and
# then uses the test queries once. `gsl-tutorial study digits` does all of it on digits, in about a
# minute on two cores. Its records are shipped, and here is a slice of them: four methods, three seeds, 16 numbers and
# 8 bits, all ten digits, each method with the settings that the validation split chose for it.

# %%
results = StudyResults(load_study("digits"), DATA / "results")
(setting,) = settings(results, "core")
four = ("none", "penalty", "snap-replace", "snap-pull")
rows = [row for row in compare(results, "core", setting) if row.method in four]
as_table(rows)

# %% tags=["hide-input"]
show(
    draw_pareto({"digits, 8 bits, 3 seeds": rows}),
    alt="ADC mAP against relative distortion on a log scale, four methods. All lie between .95 and 1 in "
    "mAP, close together; in distortion they are apart: none on the right, snap (replace) in the "
    "middle, penalty and snap (pull) on the left.",
    dpi=85,
)

# %% tags=["claim", "hide-input"]
by_name = {row.method: row for row in rows}
assert all(row.adc_map.mean > 0.95 for row in rows)
print("Every method has a mean ADC mAP above .95.")
for name in ("penalty", "snap-replace", "snap-pull"):
    lost = by_name[name].relative_distortion.mean
    assert lost < by_name["none"].relative_distortion.mean / 2
print("In their codes, the other three lose less than half of what none loses.")
assert by_name["penalty"].uphill.mean > 0.05
assert by_name["snap-pull"].uphill.mean < 0.001
print("On average, the penalty sends more than 5% uphill, and snap (pull) less than 0.1%.")

# %% [markdown]
# Here is how to read the table. `±` is the standard deviation over seeds. **Perplexity** says how many codewords are in
# use; K equally frequent codewords have a perplexity of K. `cosine` and `uphill` are the two numbers of exercise 07.2, as a
# mean over training. The **verdict** compares ADC mAP pair by pair, same seed and same query; *no clear difference*
# means that the 95% interval of the difference contains zero (chapter 10 makes such intervals). On digits all
# methods search well, and what sets them apart is what they lose on the way.
#
# A method is **dominated** when another one is at least as good in both numbers and better in one. Nobody needs
# a dominated method. The others form the **Pareto front**, and among those you must choose by what you need.
#
# **Exercise 07.4** (medium, 8 minutes). Which methods are dominated?


# %% tags=["exercise"]
def dominated(adc_map, distortion):
    """(n,), (n,) -> (n,) booleans."""
    # BEGIN SOLUTION
    no_worse = (adc_map >= adc_map[:, None]) & (distortion <= distortion[:, None])
    better = (adc_map > adc_map[:, None]) | (distortion < distortion[:, None])
    return (no_worse & better).any(axis=1)
    # END SOLUTION


check.dominated(dominated)

# %%
hint("07.4")

# %% [markdown]
# **Try it.** Call your function with `np.array([row.adc_map.mean for row in rows])` and the same of
# `relative_distortion`. Then look at the bars again: which of these dominations would you bet on with
# three other seeds?
#
# <details><summary>What to see</summary>
#
# Snap (pull) dominates *none* and snap (replace). In distortion its lead over both is wide, and should stay with other
# seeds. But in mAP its lead over *none* is hardly more than a bar, so another draw may turn it round, and then *none* is
# not dominated.
# The penalty is not dominated by anybody: it loses least. Between the penalty and snap (pull) you have to choose.
#
# </details>
#
# ## Look at the full study
#
# Now the same question, asked seriously: eight methods, CIFAR-10, a convolutional network trained end to
# end, two similarity losses, and classes that training has never seen (**unseen**) beside those it has
# (**P2**). The study took hours, so its records are shipped in `data/results`, and the cell below reads them.
# The similarity losses are the **cross-entropy** of a classifier and the **supervised contrastive** loss,
# which draws images of one class together and others apart. New among the methods are straight-through and
# rotation of chapter 06, and `soft`: there the similarity loss sees a mixture of all codewords, near ones with
# more weight. `opq` and `rq` are quantizers of chapter 04.
#
# Each panel below is one setting, each line one method: its ADC mAP *less that of plain training*, with a 95%
# interval over seeds and queries. A filled mark has an interval that excludes zero; a hollow one shows no clear
# difference. The sentences below the pictures open when you press them: each has a card with its records, seeds
# and intervals, and says what checks it.

# %% tags=["hide-input"]
cifar10 = load_study("cifar10")
shipped = StudyResults(cifar10, DATA / "results")
tables = {
    (part, *setting): compare(shipped, part, setting)
    for part in ("core", "bits", "quantizers")
    for setting in settings(shipped, part)
}
titles = {name: f"{name[1]}, {name[2]}\n{name[3]}, {name[4]} bits" for name in tables}
against_none = {
    titles[name]: {row.method: row.against_none for row in one if row.against_none is not None}
    for name, one in tables.items()
}
clear = sum(i.excludes_zero for rows in against_none.values() for i in rows.values())
show(
    draw_differences(against_none, xlabel="ADC mAP less that of plain training"),
    alt=f"Differences in ADC mAP to plain training, a panel for each of {len(tables)} settings, a line for "
    f"each method, with intervals. {clear} of {sum(map(len, against_none.values()))} intervals exclude zero. "
    "With 256 codewords in a codebook, as here, nearly all differences are a few hundredths.",
    dpi=80,
)
for name, one in tables.items():
    seeds = " to ".join(map(str, sorted({len(row.seeds) for row in one})))
    show_folded(f"All numbers: {', '.join(map(str, name))} bits, {seeds} seeds", as_text(one))


# %% tags=["hide-input"]
def bias_by_method(protocol, loss):
    """method -> cosine and share uphill, (seeds, rounds) each."""
    runs = {}
    for one in shipped.records("core"):
        if (one["protocol"], one["loss"]) == (protocol, loss):
            runs.setdefault(one["method"], []).append(bias(one))
    return {
        method: {key: np.stack([one[key] for one in of]) for key in ("cosine", "uphill")}
        for method, of in runs.items()
    }


core = {(protocol, loss): one for (part, protocol, loss, *_), one in tables.items()
        if part == "core"}  # fmt: skip
show(
    draw_pareto({f"{p}, {loss}": one for (p, loss), one in core.items() if p == "P2"}),
    alt="ADC mAP against relative distortion on a log scale, seen classes: a panel for each loss, a mark for "
    "each method; bars span one standard deviation over the seeds. Up and left is better.",
    dpi=85,
)
show(
    draw_bias({f"{p}, {loss}": bias_by_method(p, loss) for p, loss in core if p == "P2"}),
    alt="The bias in training, seen classes: above, the cosine between the gradient used and the similarity "
    "gradient, round by round; below, the share of images moved uphill. A column for each loss, a line for "
    "each method.",
    dpi=85,
)

# %% tags=["claim", "hide-input"]
claims = []
for name, one in tables.items():
    words = {"better": [], "worse": [], "no clear difference": []}
    for row in one:
        if row.against_none is not None:
            gain = "better" if row.against_none.difference > 0 else "worse"
            words[gain if row.against_none.excludes_zero else "no clear difference"].append(
                named(row.method)
            )
    found = "; ".join(f"{word} {', '.join(methods)}" for word, methods in words.items() if methods)
    says = f"{', '.join(map(str, name[1:]))} bits, against plain training: {found}"
    claims.append(setting_claim(says, "cifar10", name[0], name[1:], one, compared=True))
show_claims(claims)

# %% tags=["hide-input"]
strengths = []
for method in ("penalty", "snap-pull", "snap-lookahead"):
    for loss in sorted({loss for _, loss in core}):
        runs = [
            one for one in shipped.records("core") if (one["loss"], one["method"]) == (loss, method)
        ]
        trials = [
            one for one in shipped.records("tune") if (one["loss"], one["method"]) == (loss, method)
        ]
        chosen, tried = ({one["options"]["strength"] for one in some} for some in (runs, trials))
        strengths.append(f"{loss:23} {named(method):17} chosen {', '.join(f'{s:g}' for s in sorted(chosen)):4} "
                         f"tried {', '.join(f'{s:g}' for s in sorted(tried))}")  # fmt: skip
show_folded("Which strengths (λ) were chosen on validation images", "\n".join(strengths))

# %% tags=["claim", "hide-input"]
pulls = {
    titles[name].replace("\n", ", "): row.against_penalty
    for name, one in tables.items()
    for row in one
    if row.method == "snap-pull" and row.against_penalty is not None
}
for title, interval in pulls.items():
    if interval.excludes_zero:
        print(f"snap (pull) less the penalty excludes zero: {title}: {interval}")
print(f"in {sum(i.excludes_zero for i in pulls.values())} of {len(pulls)} settings; "
      f"above the penalty on average in {sum(i.difference > 0 for i in pulls.values())}")  # fmt: skip

# %% [markdown]
# What do you read from it?
#
# 1. **Seen classes, cross-entropy: a little is gained.** The penalty, straight-through, rotation and
#    look-ahead beat plain training at 16 bits, and snap (pull) does with 8 and 32 bits and with the other two
#    quantizers. At 16 bits of PQ its gain is as large, but the seeds scatter, so the interval just reaches zero.
# 2. **Against the penalty, snap (pull) wins once.** Its mean is above the penalty's in most settings, but only
#    at 8 bits does the interval exclude zero. Of so many intervals at 95% one or another will do so by luck, so
#    this is a lead to follow and not a proof.
# 3. **Replacing the gradient costs.** Snap (replace) has by far the most compact embeddings and pays for
#    it with the worst or nearly worst search in seen classes.
# 4. **With the contrastive loss nothing is gained.** The strengths chosen for it on validation images were the
#    weakest that were tried, so penalty and pull hardly pulled. The methods that hand the loss a codeword, or a
#    mixture of codewords, in place of the embedding are worse.
# 5. **Unseen classes: no clear difference to plain training.** Which three classes are held out moves the mAP
#    far more than any method does.
#
# So after hours of computing, everybody ties? Almost. But look at what all these settings have in common: a
# codebook of **256** codewords, and **ten** classes. There are more than enough codewords to give every class
# its own, so coding costs next to nothing. The little that is gained here is gained in the embedding: the exact mAP
# rises with it. If we want to see who saves more of what a *code* loses, the code has to lose something.
#
# ## When does snapping matter?
#
# The fastest search engines do not use 256 codewords. Their lookup tables have to fit into a processor's
# registers, and those hold *sixteen* entries. With so few codewords coding does
# cost something. So we asked again, this time as a **map**: a **cell** is a number of subspaces $M$ and a number
# of codewords $K$ in each, and in every cell every method is tuned with the same number of trials on validation
# images. Only then are test images used as queries, once, with five seeds.
#
# ### How much strength does each method bear?
#
# Before the map, one look at the knob. The penalty and the snapped pull share it: the strength $\lambda$. The picture
# goes over four decades of it, on validation images, with a column for each of three cells and a dot for each of
# three seeds. Where does each curve begin to fall?

# %% tags=["hide-input"]
show(
    draw_sweep(the_map.sweep, trials=the_map.sweep_trials),
    alt="ADC mAP above and relative distortion below, against the strength on a log scale, a column for each "
    "cell; dots are seeds, lines are means of the penalty and of snap (pull).",
    dpi=85,
)

# %% tags=["hide-input"]
show_claims(sweep_claims(the_map))

# %% [markdown]
# Go up to a strength of 100 at 4 × 4. There the penalty has lost nearly two thirds of what it was at its best, the snap
# less than a fifth. At 4 × 16 it is more than a third against about a seventh. A strength that is too *large* costs you
# much less with the snap. One that is too small costs it more, although even then it stays above the penalty.
#
# Compare the two rows of the picture: what does a stronger pull do to the distortion, and what to the search?
# An embedding that sits on a codeword is coded without loss, but if it sits on the *wrong* one, that is no help
# to anybody. So a low distortion alone says little, and a strength has to be tuned on the search.
#
# ### Place your bets
#
# Below is the map. It opens in a cell where snapping does **not** do well, because a map that shows its
# victories first cannot be trusted. A cell stays closed until you have bet: does snap (pull) beat the best-tuned
# penalty there? Think of the number of codewords, and of the ten classes that they must tell apart. (Tab reaches
# the tiles, arrow keys walk over them. "Show the whole map" opens all cells at once.)
#
# Two of the ten methods are new. `radius` lets the loss see the codeword, as straight-through does, and pulls each point
# towards it with the same force at any distance (after [GRIT-VQ](https://arxiv.org/abs/2602.01140), rebuilt from its
# abstract). `halfway` is ours, and a section of its own below asks whether it is worth anything.

# %% tags=["hide-input"]
MethodMap(the_map)

# %% [markdown]
# **Try it.** Let the tiles compare straight-through with the penalty, then snap (pull) with straight-through:
# whose colour changes? Then follow a line between cells of equal bits. Is it better to spend the same bits on
# one large codebook, or on several small ones?
#
# <details><summary>What to see</summary>
#
# Straight-through is clearly ahead of the penalty at 2 × 4 and 1 × 256, and clearly behind it, by little, at 1 × 16.
# The snap is ahead at 4 × 4, 8 × 16 and 1 × 256. Between the two themselves only 4 × 16 shows a clear difference, and a
# tiny one. At four bits one codebook of 16 has a better mean than two of 4. At eight bits two
# codebooks of 16 come first, before four of 4 and before one of 256: neither the largest codebook nor the most of them.
#
# </details>
#
# ### Is there a law?
#
# Our guess was: *snapping gains over the penalty as the codewords become fewer than what must be told apart.*
# To test it we varied the number of classes as well as the number of codewords. If the guess is right, the curves
# fall from the left (few codewords for each class) to the right. They need not fall all the way: where even
# the best code cannot name the classes, nobody gains.

# %% tags=["hide-input"]
names = {"map-digits": "digits", "map-classes": "CIFAR-10"}
gains = {names[study]: rivals.get("penalty", ()) for study, rivals in the_map.gains.items()}
shown = {title: some for title, some in gains.items() if some} or {"digits": ()}
law = [f"{title}, {line}" for title, some in shown.items() for line in law_says(some, "penalty")]
show(
    draw_law(shown),
    alt="The gain in ADC mAP of snap (pull) over the penalty against the number of codewords for each class, on "
    "a log scale: a dot for each cell and number of classes, lines for the means.",
    dpi=85,
)

# %% tags=["hide-input"]
for line in law:
    say(line)

# %% [markdown]
# So is it a law? On digits with two codebooks it looks like one: every large gain lies where a codebook has fewer codewords
# than there are classes. With one codebook most places gain next to nothing, but single ones stand out, such as eight
# codewords for eight classes, and the fit is weak. And on CIFAR-10, with three
# and with six classes (and three seeds), the guess is not confirmed. The largest gain is where we expected one, with
# four codewords for six classes. But two codewords for three classes gain nothing, and where there are enough for every
# class, a gain of .01 to .02 remains. The map has such a place, too: at 1 × 256 there are 26 codewords for every class.
#
# Call it a tendency. Few codewords are where a large gain *can* be found. With many, do not expect more than a small one.
#
# ### The answer
#
# Here is what the map says, in sentences that are made from its records. *Helps*, *ties* and *is beaten* mean
# that the interval of the paired difference lies above zero, contains it, or lies below. Each interval allows for
# the number of cells: with eight chances one of them would otherwise look like a victory by luck alone.

# %% tags=["claim", "hide-input"]
show_claims(map_claims(the_map))

# %% [markdown]
# ### What goes on inside?
#
# A result is not yet a reason. So look inside the trainings that made the map, round by round, at three shares of
# the training images:
#
# - how many **changed their cell** since the round before. While they do, the network chases moving targets;
# - how many lie in a cell where their own class is the most frequent one. That is the **purity** of the cells: where
#   it is low, a code cannot tell the classes apart, however close to its codeword each embedding lies;
# - for how many the gradient pointed **uphill**.

# %% tags=["hide-input"]
Guess.of("07 purity")

# %% tags=["hide-input"]
show(
    draw_rounds(the_map.rounds),
    alt="Share of images that changed their cell, purity of the cells and share uphill, over the rounds, for four "
    "methods; a column for each of three cells of the map. The folded sentences below say the numbers.",
    dpi=85,
)
show_folded("The same in numbers", wrapped("\n".join(rounds_say(the_map))))

# %% [markdown]
# Begin with the left column, where codewords are scarcest. Under the penalty fewer images change their cell in the
# first rounds, the cells stay mixed, and round after round more gradients point uphill: each point is pulled to the
# codeword that happens to be near, whoever else sits there. Under the snap images move more, and the cells come out
# nearly as pure as with straight-through. (Moving is not enough, though. At 4 × 4 plain training goes on moving most
# and ends least pure.) Now the right column. With sixteen codewords in each codebook there is
# room for everybody: the four purities lie on top of each other, and in the map the four methods end within .013 of each
# other.
#
# In the first two columns the order of the methods by purity is their order by ADC mAP. That fits the story, but
# two things that go together are not yet a cause and its effect. For that we must change one thing and keep the rest.
#
# ### Take the snap apart
#
# The penalty and the snapped pull differ in one thing: *which* codeword they pull to. Four more pulls stand between
# the two. Nobody would use them, except to learn something:
#
# - to the **second nearest** codeword, which is not the nearest but chosen just as blindly;
# - to a **random** one of the four nearest;
# - to the **nearest that descends**, however little;
# - to the **farthest that descends**.
#
# Each was tuned with as many trials as the others. Then all six were trained with five new seeds and searched with
# validation images.

# %% tags=["hide-input"]
Guess.of("07 random")

# %% tags=["hide-input"]
show_elsewhere(the_map, "why")

# %% [markdown]
# In the left panel the mean of every other pull lies well above the penalty's, even that of the pull to a random
# codeword, which knows nothing of the loss. None of the four is clearly behind the snap. So by the means, much of the
# gain is there as soon as a point is not *always* pulled to its nearest codeword and can leave the company in which it
# started. How much, five seeds do not say: the intervals are wide.
#
# In the right panel it does matter where the pull goes. The snap is clearly ahead of the second nearest, the random and
# the farthest codeword. For the nearest that descends the interval just reaches zero.
#
# ### Does it hold with other quantizers?
#
# The map is made of product quantizers. Chapter 04 has two more kinds: OPQ turns the space before it cuts it, and
# residual quantization (RQ) lets each codebook correct what those before it left over. We asked them the same
# question in two cells, with the strengths that had been tuned for PQ.

# %% tags=["hide-input"]
show_elsewhere(the_map, "quantizers", folded=True)

# %% [markdown]
# OPQ is much like the map: a large gain over plain training at 2 × 4, and no clear difference to straight-through. (At
# 4 × 16 it is clearly ahead of the penalty, where the map has a tie.) But look at RQ at 2 × 4. There snap (pull) is clearly *behind* the penalty, and
# further behind straight-through. If you use residual codebooks of four codewords, do not use our layer. A strength
# that was tuned for PQ may have its part in this, and so may what the second codebook of RQ is for: its target
# depends on the choice of the first. We have not separated the two.
#
# ### And with another loss?
#
# The map was trained with cross-entropy, which keeps a direction of its own for each class. The supervised contrastive
# loss has none: it only compares the images of a batch with one another. We tuned five methods for it in two cells, and
# then searched with test images, with five seeds.

# %% tags=["hide-input"]
Guess.of("07 contrastive")

# %% tags=["hide-input"]
show_elsewhere(the_map, "contrastive", also=("contrastive-ste", "contrastive-penalty"), folded=True)

# %% [markdown]
# Straight-through and rotation, which did so well on the map, are now clearly behind the snap in both cells, and clearly
# behind plain training, too. At 2 × 4 it is the *penalty* that beats plain training clearly. The snap has the same mean
# or a little more, but its seeds scatter more widely, and so its interval contains zero. At 4 × 16 the three are level.
#
# Straight-through and rotation hand the loss a codeword in place of each embedding; the others leave the embedding to
# the loss. That this is the reason is likely, but no run of ours has put it to the test.
#
# So "straight-through comes closest" was a result about cross-entropy. Ask which loss a table was made with, before you
# take over its winner.
#
# ### And for classes that nobody trained on?
#
# Search engines are asked for things that training has never seen. So we held three of the ten classes back, trained on
# the other seven, and let the three search among themselves: ten draws of the three, two cells, five methods, with
# strengths that were tuned on classes the training had seen.

# %% tags=["hide-input"]
show_elsewhere(the_map, "unseen", folded=True)

# %% [markdown]
# The snap is not ahead of anybody here, not even of plain training, and nobody else is. The marks show how sure we are:
# the intervals leave no room for a gain of .03. What we gained at 2 × 4 we gained for the classes *of the training*. For
# those that come later we see no reason to choose one of these methods over another. What does make a difference is
# which three classes are held back: from draw to draw, the mAP of every method varies by about .08 (standard deviation).
#
# ### And with a hundred classes?
#
# Ten classes are few. CIFAR-100 has a hundred. There we spent eight bits in two ways: on two codebooks of 16 codewords,
# far fewer than there are classes, and on a single one of 256, more than there are. We tuned four methods in both cells
# and searched with test images, with three seeds. The small network is out of its depth, with 200 images of each class
# to learn from: even exact search reaches an mAP below .2. So compare the methods, and do not look at how high they
# get. (Two more cells are declared in the study and wait for their turn; the intervals allow for them.)

# %% tags=["hide-input"]
Guess.of("07 hundred")

# %% tags=["hide-input"]
show_elsewhere(
    the_map, "crowd", "crowd-unseen", also=("crowd-ste", "crowd-penalty", "crowd-unseen-ste")
)

# %% [markdown]
# In the first panel codewords are scarce: sixteen in a codebook, for a hundred classes. The methods differ, every one
# gains over plain training, and the clear winner is straight-through. The snap is clearly *behind* it, and not clearly
# ahead of the penalty. In the second panel there are codewords to spare, and no two of the four methods differ clearly.
# So the tendency is there again, with another winner: methods differ where codewords are scarce. Three seeds are few, and
# two cells are not a map; but with many classes and few codewords, try straight-through first.
#
# And before any method, try the other shape. Both cells spend eight bits. Plain training with one codebook of 256 reaches
# an ADC mAP of .17; with two codebooks of 16 the best method gets no farther than .14.
#
# The last panel is the other side of it: twenty of the hundred classes were never trained on, in five draws. Twenty
# classes are a steadier measure than three: from draw to draw the mAP varies by little more than .01. Plain training
# has the highest mean, and nobody is clearly ahead of it. Straight-through, the winner of the first panel, has the lowest
# mean and is clearly behind plain training and the penalty. What sorts the classes of the training so well need not help
# others.
#
# ### Did a better variant hide in the map?
#
# Open 2 × 4 or 4 × 4 once more and look for the highest mean: it belongs to `halfway`. That is a variant of our own,
# between straight-through and the snapped pull: the loss sees each point moved *half* the way to its codeword, and
# the pull is added. But the highest of ten means is often the luckiest of ten. So it had to show itself again, on
# validation images and with four seeds that had chosen nothing. A mark is hollow where the interval contains zero.

# %% tags=["hide-input"]
show_elsewhere(the_map, "forms")

# %% [markdown]
# So no: what looked like a winner was luck, or too small to see with so few seeds. Remember this picture when you
# read "our variant is best" below a table of ten methods.
#
# ### Make the table yourself
#
# You need not take our word for it. The records of the map are shipped: for every cell, method and seed they hold
# the AP of each query, so you can compare two methods yourself. What does a fair comparison take?
#
# - **The same number of trials.** Whoever tries twelve strengths finds a luckier one than whoever tries two. If the
#   numbers differ, the fair answer is no answer. (Plain training has no strength, so its trials went to the learning
#   rate. In two cells the highest rate was the best, so we went one step further there, with four new seeds. All of
#   them searched worse: nothing had been missed.)
# - **Pairs.** A bad start, or a hard draw of queries, hurts both methods. Under the same seed both had the same
#   luck, so it cancels when you subtract seed by seed. A seed that only one of them has run is of no use here.
# - **An interval over seeds.** The 2,000 queries of one network are not 2,000 trainings. Each seed gives one gain,
#   its mean over the queries, and only these few numbers say how the gain varies from training to training.
#
# From the gains of the seeds follows a **confidence interval**: their mean, plus and minus a factor times their
# standard deviation over the root of their number. Because a standard deviation of so few numbers is uncertain
# itself, the factor is larger than the usual 1.96. Student's t distribution has it, and for five seeds it is 2.78.
#
# **Exercise 07.5** (hard, 15 minutes). Write this comparison. `ours` and `theirs` map each seed to its APs, `trials`
# is how many trials each of the two had, and `factor` is given. Return the mean gain and the two ends of its
# interval, or `None` when the trials differ or fewer than two seeds can be paired. The standard deviation divides
# by one less than the number of seeds. The check goes step by step.


# %% tags=["exercise"]
def fair_difference(ours, theirs, trials, factor):
    """{seed: (Q,) APs}, the same, (number, number), number -> (mean, low, high), or None."""
    # BEGIN SOLUTION
    seeds = [seed for seed in ours if seed in theirs]
    if trials[0] != trials[1] or len(seeds) < 2:
        return None
    gains = np.array([(ours[seed] - theirs[seed]).mean() for seed in seeds])
    half = factor * gains.std(ddof=1) / np.sqrt(len(seeds))
    return gains.mean(), gains.mean() - half, gains.mean() + half
    # END SOLUTION


check.fair_difference(fair_difference)

# %%
hint("07.5")

# %% [markdown]
# Now fill the table with it. The package's function draws the seeds with replacement ten thousand times (a
# **bootstrap**) instead of using a formula, and stretches what comes out, because five seeds are few. So expect similar
# ends. In one row they differ enough to matter: which?

# %%
records = StudyResults(load_study("map"), DATA / "results")
runs = records.records("test")
example = {0: np.array([0.5, 0.7]), 1: np.array([0.9, 0.8])}
is_written = attempt(fair_difference, example, example, (5, 5), 12.7) is not None


def runs_of(cell, method):
    """The test runs of a method in a cell, one for each seed."""
    return [one for one in runs if f"_{method}_pq{cell.name}_" in one["run"]]


for cell in (one for one in the_map.cells if one.state == "tested"):
    for rival in ("penalty", "ste"):
        mine, other = runs_of(cell, "snap-pull"), runs_of(cell, rival)
        print(f"{cell.name}, {named('snap-pull')} less {named(rival)}, {len(mine)} seeds")
        print(f"    package {difference_by_seed(records, mine, other, shared_queries=False)}")
        if is_written:
            aps = [{run["seed"]: records.per_query(run) for run in side} for side in (mine, other)]
            trials = [len(cell.findings[method].tried) for method in ("snap-pull", rival)]
            found = attempt(fair_difference, *aps, trials, student_t.ppf(0.975, len(mine) - 1))
            print("    yours   {:+.4f} [{:+.4f}, {:+.4f}]".format(*found) if found else "")

# %% [markdown]
# Did you find the row? At 2 × 4 against the penalty, your interval just reaches zero, and the package's does not. Five
# seeds are too few to say, whichever way you count.
#
# The map's own intervals are wider than these, because each of them allows for the number of cells. That costs the
# map one of its wins, if you count as you did here: at 4 × 4 and at the map's level of 99.4%, Student's factor is 5.3
# and not 2.78, and the interval of snap (pull) less the penalty contains zero. The bootstrap's just does not. So call
# that win fragile. What speaks for it are the five new seeds of *Take the snap apart*: there the snap is clearly ahead
# of the penalty once more. The other two wins, 8 × 16 and 1 × 256, are small, but they stand either way.
#
# **Try it.** Call yours once more with `trials=(12, 2)`, as if the rival had been tuned in a hurry. Which tables that
# you have read lately would shrink if their authors had used your function?
#
# <details><summary>What to see</summary>
#
# `None`, in every row. A difference between a method that was tuned twelve times and one that was tuned twice says as
# much about the tuning as about the methods. Whenever a paper gives one number of trials for its own method and none for
# the rivals, you cannot know which of the two you are reading about.
#
# </details>
#
# ### Use the answer
#
# How should you use this? Count before you train: how many codewords has a codebook, and how many things must
# your codes tell apart? With codewords to spare, train with the similarity loss alone or with a weak penalty, fit
# the quantizer afterwards, and spend your time elsewhere. With few codewords, do not let a penalty nail the
# embeddings down before they are sorted: try straight-through *and* a snapped pull, tune both alike, and keep
# the better one. If your bits are fixed but their shape is not, compare cells of equal bits first, because that
# choice can matter more than the method.
#
# What remains in favour of the snapped pull in particular: it is never uphill by construction, costs next to
# nothing, and the first picture of this section shows how much strength it bears. What the abstract calls
# *unbiased* holds as "never uphill"; the cosine shows that a snapped gradient is still another gradient.
#
# **Beware of the seeds.** Five are few. Run more: the study goes on where it stopped when you add seeds, and
# `gsl-tutorial study map --results data/results --report` prints everything that it knows.
#
# ## What to remember
#
# - Each side moves while the other holds still; with a common sum to lower, no turn can raise it.
# - Refit warm: a code that is stored somewhere keeps its meaning.
# - A bias works round after round: look at the share uphill, not only at the last mAP.
# - If the codebooks miss their turn, loss and exact mAP still look fine. Search through the codes.
# - Judge with two numbers, tuned settings, several seeds, and say where there is no clear difference.
# - Methods differ where codes are scarce: count codewords against what they must tell apart.
#
# ## Quiz
#
# 1. Why does the distortion jump up in the network's turn, even under `none`?
# 2. The codebooks' turn starts warm and no vector changes its code. What can you say about the network's
#    turn before it?
# 3. A method has cosine .5 and nobody uphill. Is its gradient biased?
# 4. Method A: mAP .74, distortion .06. Method B: .72 and .05. Which one is dominated?
#
# <details><summary>Answers</summary>
#
# 1. The codewords are where the embeddings were. Any method moves the embeddings away from there.
# 2. Nothing for certain. Vectors may have crossed borders in *its* turn, and their codes changed then. You only know
#    that k-means, in moving the codewords, moved no border across a vector.
# 3. Yes: it strays from the similarity gradient by 60 degrees on average, but it does not work
#    against it.
# 4. None. A searches better, B loses less: both are on the front.
#
# </details>
#
# ## Further reading
#
# - Liu and Lu, *Accurate Deep Representation Quantization with Gradient Snapping Layer for Similarity
#   Search*, [arXiv 1610.09645](https://arxiv.org/abs/1610.09645), 2016: codebook and network in turn.
# - Bezdek and Hathaway, *Convergence of alternating optimization*, 2003: when turns lead somewhere.
# - van den Oord, Vinyals and Kavukcuoglu, *Neural Discrete Representation Learning*,
#   [arXiv 1711.00937](https://arxiv.org/abs/1711.00937), 2017: codewords that follow by a moving
#   average instead of turns.
# - Wang et al., *NormFace: L2 Hypersphere Embedding for Face Verification*,
#   [arXiv 1704.06369](https://arxiv.org/abs/1704.06369), 2017: losses that look at directions only.
