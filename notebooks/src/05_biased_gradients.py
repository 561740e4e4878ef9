# %% [markdown]
# # See where a penalty goes uphill
#
# A network should do two things at once: place pictures of the same class near each other, and place every
# picture near a codeword. The textbook answer is to add two losses. Can their sum make a network *worse* at the
# first task? Drag a point and find out.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Guess where a point will go, then drag it and see. Find by hand the places from
# which a quantization penalty sends it *uphill*, shade them all, and look how often the same happens to
# the embeddings of a real network.
#
# **What you will learn.** What is biased about "similarity loss + λ × quantization penalty", the condition
# under which the bias does harm, and how the harm depends on the strength and on the codewords.
#
# **What you need.** Vectors, dot products, gradient descent; chapter 02 tells what a codeword is. No
# downloads. About 50 minutes, 22 of them for the four exercises.
#
# </details>
#
# *The formulas are [our reconstruction](00_start_here.ipynb#Know-where-the-formulas-come-from).*

# %% tags=["hide-input"]
import numpy as np

from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.uphill import draw_question, draw_shares, draw_uphill, resting_places
from gsl_tutorial.course.toys.plane import Plane, cosine
from gsl_tutorial.course.toys.plane_methods import run_method, verdict
from gsl_tutorial.course.widgets import GradientExplorer, Guess
from gsl_tutorial.course.widgets.explorer_play import TOUR_PENALTY
from gsl_tutorial.snapping import SnapOptions

# %% [markdown]
# ## Guess first
#
# The black disc is a point $z$, the embedding of one picture. It should come near the star, a picture of the same
# class, which is called its **positive**. How far it still has to go is measured by the **similarity loss** $L$,
# here half the squared distance to the star. Its **gradient** $g = dL/dz$ points to where the loss grows, away from
# the star, so training steps along $-g$, the blue arrow.
#
# There is a second wish. Later we will store this point as a short code, the number of a codeword, so we would like
# the point to sit close to one of the nine grey squares. The usual recipe adds a **quantization penalty**: the
# squared distance to the nearest codeword $q(z)$, multiplied by a **strength** $\lambda$ that says how much we care.
# Training then follows the sum of two losses,
#
# $$L(z) + \lambda\,\lVert z - q(z) \rVert^2 ,$$
#
# and so the sum of two arrows: the blue one that wants the star, and an orange one that wants the nearest square.
# They do not always agree. In the picture $\lambda$ is 1.5, and both arrows are drawn, but not their sum.

# %% tags=["hide-input"]
codewords = np.array(
    [
        [0.10, 0.10], [-0.80, 0.70], [0.80, -0.85], [0.75, 0.70], [-0.60, -0.80], [-0.75, -0.05],
        [0.85, -0.10], [-0.10, 0.85], [0.15, -0.75],
    ]
)  # fmt: skip
star = np.array([-0.45, 0.45])
plane = Plane(codewords, star)
point = np.array([-0.20, 0.20])
show(
    draw_question(plane, point, strength=1.5),
    alt="A point between its positive, on the upper left, and its nearest codeword, on the lower right. "
    "The descent of the similarity loss is a short arrow to the star; the pull to the codeword is "
    "a long arrow to the lower right, out of the shaded half-plane in which the loss falls.",
    caption="Towards the shaded side the similarity loss falls.",
    dpi=85,
)

# %% tags=["hide-input"]
Guess.of("05 one step")

# %% [markdown]
# ## Drag and see
#
# Here is the same picture, but alive. The strength is 0 at first, so there is no pull. Move **strength (lambda)** up to
# 1.5 and watch the dash-dotted arrow, the sum, turn out of the shaded half-plane. Outside of it the similarity loss
# *rises*: the point is sent **uphill**, and the read-out says so. Then drag the point, or a codeword, or the star.
#
# (With the keyboard, Tab walks from the point to the codewords and the star, the arrow keys move them, and Home puts
# one back.) **Tour** shows you five things to do. The formula below the plane holds the numbers of the arrows: point
# at a term to see which arrow it is.

# %% tags=["hide-input"]
explorer = GradientExplorer(
    codewords,
    similar=[star],
    dissimilar=(),
    point=point,
    strength=0.0,
    snap=False,
    tour=TOUR_PENALTY,
)
explorer

# %% [markdown]
# The same in numbers. The **cosine** of the angle between the gradient of the sum and $g$ is 1 where they agree, 0 at
# a right angle, and negative where the step goes uphill.

# %% tags=["claim", "hide-input"]
z = point[None]
g = plane.gradient(z)[0]
for strength in (0.0, 0.1, 0.5, 1.5, 3.0):
    summed = plane.penalized(z, strength)[0]
    print(f"strength {strength:3}: cosine {cosine(summed, g):+.2f}, {verdict(summed, g)}")

# %% [markdown]
# So there are two degrees of **bias**. With a weak penalty the step is *turned away* from $-g$, but the
# similarity loss still falls. With a strong one the step goes uphill.
#
# **Exercise 05.1** (easy, 4 minutes). Find an uphill place of your own: with λ = 1.5, drag the point
# in the explorer above to another place where the read-out says UPHILL. Then write `explorer` into the
# blank and run the cell: the check takes the point as it stands there. (Two numbers, `(x, y)`, will do as
# well.) Try a place that is *not* uphill, too, and read why.

# %% tags=["exercise"]
# BEGIN SOLUTION
uphill_place = (-0.55, 0.50)
#: uphill_place = ...  # your code here: explorer
# END SOLUTION

check.uphill_place(uphill_place)

# %%
hint("05.1")

# %% [markdown]
# ## Write the pull
#
# So far there was one point. In training there are $N$ of them, a **batch**, and the loss is a mean over the batch.
# Let $\ell(z_i)$ be the similarity loss of the $i$-th vector. Then training lowers
#
# $$\underbrace{\frac{1}{N} \sum_{i=0}^{N-1} \ell(z_i)}_{L}
# \;+\; \underbrace{\frac{\lambda}{N} \sum_{i=0}^{N-1} \lVert z_i - q(z_i) \rVert^2}_{\text{penalty}} ,$$
#
# and each $z_i$ feels the gradients of both parts. The gradient $g_i$ of the first we know; you write that of the
# second. When $z_i$ moves a little, its nearest codeword usually stays the same, so $q(z_i)$ counts as a constant.
#
# **Exercise 05.2** (easy, 5 minutes). Write the gradient with respect to all $z_i$.


# %% tags=["exercise"]
def penalty_gradient(z, q, strength):
    """(N, dim), (N, dim), number -> (N, dim)."""
    # BEGIN SOLUTION
    return 2 * strength * (z - q) / len(z)
    # END SOLUTION


check.penalty_gradient(penalty_gradient)

# %%
hint("05.2")

# %% [markdown]
# ## Say when the sum goes uphill
#
# Call the gradient of the penalty $p$. Training takes a step along $-(g + p)$. What does a small step $s$ do to the
# similarity loss? It changes it by about $\langle g, s \rangle$, slope times distance. With $s$ along $-(g + p)$,
# the loss *rises* where
#
# $$\langle g,\; g + p \rangle \;=\; \lVert g \rVert^2 + \langle g, p \rangle \;<\; 0 .$$
#
# Read the right-hand side in words. The first term is never negative. So two things must come together: $p$ has to
# work *against* $g$, and the part of it that does so has to outweigh $g$. The length of $p$ alone says nothing: a long
# pull at a right angle to $g$ does no harm.
#
# **Exercise 05.3** (medium, 5 minutes). Which of N vectors go uphill?


# %% tags=["exercise"]
def goes_uphill(g, p):
    """(N, dim), (N, dim) -> (N,) booleans."""
    # BEGIN SOLUTION
    return (g * (g + p)).sum(axis=1) < 0
    # END SOLUTION


check.goes_uphill(goes_uphill)

# %%
hint("05.3")

# %% [markdown]
# ## Shade all uphill places
#
# Now we ask the condition at every place of the picture, for three strengths. Is the place that you found among them?

# %% tags=["hide-input"]
show(
    draw_uphill(plane, [0.5, 1.5, 5.0]),
    alt="Three panels for strengths 0.5, 1.5 and 5. Uphill places are hatched: with 0.5 four small "
    "patches around the star; with 1.5 larger ones, and strips along borders of cells farther away; "
    "with 5 large patches on the star's side of most codewords. In each cell the patch is cut out "
    "of a circle that runs from the star to the place where the sum rests.",
    caption="Hatched: from here, training on the sum goes uphill.",
    dpi=90,
)

# %% [markdown]
# The patches look as if they were cut out of circles, and they are.
#
# <details><summary>Why circles?</summary>
#
# Within one cell the sum of both losses is least at one place, where its two parts balance: the blue diamond, between
# star and codeword. Call it $r$. The gradient of the sum is a multiple of $z - r$, and $g$ is $z$ minus the star. Their
# product is negative where you see the star and $r$ at more than a right angle, and that is inside the circle over the
# line between them (Thales' theorem).
#
# It can happen that $r$ lies outside the cell, beyond its border. Such a cell has no diamond, because no point comes to
# rest in it. With a strength of 1.5 this is so in the cell on the lower right.
#
# The circles belong to this loss, a squared distance. The condition above holds for any loss.
#
# </details>
#
# In words: **uphill places lie between the place where the similarity loss wants the point and the place where the sum
# wants it.** How much of the picture is that?


# %% tags=["hide-input"]
def share_uphill(plane, strength, per_side=101):
    """Share of the places of an even grid that the penalty sends uphill."""
    line = np.linspace(-1.25, 1.25, per_side)
    places = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    along = (plane.penalized(places, strength) * plane.gradient(places)).sum(axis=1)
    return (along < 0).mean()


# %% tags=["hide-input"]
for strength in (0.1, 0.5, 1.5, 5.0, 100.0):
    print(f"strength {strength:5}: {share_uphill(plane, strength):5.1%} of the picture uphill")

# %% [markdown]
# ## Find the strength at which a point turns
#
# A place that is uphill stays uphill when $\lambda$ grows, because $\lVert g \rVert^2$ stays what it is while the pull
# gets longer. So each place has a **critical strength**: below it the step goes downhill, above it uphill. Where the
# codeword lies on the side on which the loss falls, there is none.
#
# **Exercise 05.4** (hard, 8 minutes). Compute it for one point ($N = 1$), and return `np.inf` where no
# strength goes uphill.


# %% tags=["exercise"]
def critical_strength(g, z, q):
    """(dim,), (dim,), (dim,) -> one number."""
    # BEGIN SOLUTION
    uphill = g @ (q - z)
    return g @ g / (2 * uphill) if uphill > 0 else np.inf
    # END SOLUTION


check.critical_strength(critical_strength)

# %%
hint("05.4")

# %% [markdown]
# **Try it.** Here is your function at the point of the first picture. Go back to the explorer, put the
# point back (Home) and move $\lambda$ across that number. What happens to the dash-dotted arrow just there?

# %%
print("your answer:", critical_strength(g, point, codewords[0]))  # None as long as it is blank

# %% [markdown]
# <details><summary>What to see</summary>
#
# At the critical strength the arrow of the sum stands at a right angle to the blue one, on the edge of the shaded
# half-plane: to first order, the similarity loss does not change at all. Below that strength the step goes downhill,
# above it uphill.
#
# </details>

# %% tags=["hide-input"]
for strength in (0.6, 0.7):
    print(f"strength {strength}: {verdict(plane.penalized(z, strength)[0], g)}")

# %% [markdown]
# ## Add codewords
#
# The formula of the exercise says that two things make a point easy to turn: a short $g$, and a
# codeword far away. With more codewords, the nearest one is nearer. So what happens to the uphill places?

# %% tags=["hide-input"]
Guess.of("05 more codewords")

# %% tags=["hide-input"]
strengths = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
# K codewords spread evenly over the plane, without a pattern.
even = np.arange(1, 257)[:, None] * [0.7548776662466927, 0.5698402909980532]
even = 2.2 * ((0.5 + even) % 1) - 1.1
shares = {
    f"K = {K}": [share_uphill(Plane(even[:K], star), s, per_side=51) for s in strengths]
    for K in (4, 16, 64, 256)
}
show(
    draw_shares(strengths, shares),
    alt="Share of uphill places against the strength, a line for 4, 16, 64 and 256 codewords. All four "
    "lines rise. Up to a strength of 5 the line of 4 codewords is the highest and that of 256 the "
    "lowest; at 100 the line of 4 is the lowest.",
    dpi=85,
)

# %% tags=["claim", "hide-input"]
table = np.array(list(shares.values()))
grows = "grows" if (np.diff(table, axis=1) >= 0).all() else "does not always grow"
print(f"For each K the share of uphill places {grows} with the strength.")
at_two = table[:, strengths.index(2)]
falls = "falls" if (np.diff(at_two) < 0).all() else "does not always fall"
print(f"At strength 2 it {falls} with each larger K.")
least = [4, 16, 64, 256][table[:, -1].argmin()]
print(f"At strength 100 it is least with {least} codewords.")

# %% [markdown]
# With many codewords the pull is short. It can win only near the star, where $g$ is short, too. If $\lambda$ grows
# without limit, the length of the pull no longer matters, only its side. Then the uphill places of a cell are those
# inside the circle whose diameter runs from the star to the codeword. Across a small cell this circle is nearly a
# straight line through the codeword, so it takes half of the cell. Across a large one it bends back towards the star and
# takes less. That is why the lines cross, and why four codewords end lowest.
#
# ## Look at the whole field
#
# So far the similarity loss was the simplest one there is. Below you see an arrow for each of 144 places; a bold one
# with a small black cross goes uphill. Now there is a **negative**, too, a point of another class, drawn as a thick
# orange cross, and a menu of three similarity losses: `pair` wants the positive near and the negative at some
# distance, `triplet` wants the positive nearer than the negative, and `two-class` sees several points of both
# classes.
#
# **Try it.** Under which losses are there uphill places far away from the star, and why there? (Look where the level
# lines are far apart.)

# %% tags=["hide-input"]
GradientExplorer(mode="field", snap=False)

# %% [markdown]
# <details><summary>What to see</summary>
#
# Where level lines are far apart, the loss is flat and $g$ is short, so even a weak pull outweighs it. `triplet` is
# flat wherever the positive is already nearer than the negative by the margin; `two-class` is flat deep inside its own
# class and far from everything. There the penalty decides alone where the point goes.
#
# </details>
#
# ## Release fifty points
#
# What does the bias do in the end? Press **Play** (or Step), and scrub back with the slider. Where do the points come
# to rest: on the star, on codewords, or somewhere else?

# %% tags=["hide-input"]
GradientExplorer(codewords, similar=[star], dissimilar=(), mode="run", snap=False)

# %% [markdown]
# They rest where the two parts of the sum balance, at the diamonds of the shaded picture: neither on the
# star nor on a codeword. We let the same fifty points go on for longer and measure it.

# %% tags=["claim", "hide-input"]
starts = even[:50]  # those of the explorer, too
ends = run_method(plane, starts, "penalty", SnapOptions(strength=1.5), n_steps=300)[-1]
rests = resting_places(plane, 1.5)
distance = np.linalg.norm(ends[:, None] - rests, axis=2).min(axis=1)
print(f"{(distance < 0.001).sum()} of {len(ends)} points end at one of {len(rests)} diamonds")
print(f"mean similarity loss there: {plane.loss(ends).mean():.2f}; at the star it would be 0.00")

# %% [markdown]
# Is that a fault? A compromise is what a sum of two losses is for. But notice who made the compromise: the codeword
# that happened to be *nearest*. Nobody asked whether it helps or hinders.
#
# ## Look at real embeddings
#
# So much for the plane. How often does the sum send a picture uphill in a real network? Guess first.

# %% tags=["hide-input"]
Guess.of("05 CIFAR-10")

# %% [markdown]
# For this workbook we trained a convolutional network on CIFAR-10, end to end. Training goes in **rounds**: in each,
# the network passes over its images once or a few times, and then the codebooks are fitted again. In every round we
# recorded two numbers: the mean cosine between the gradient that was used and $g$, and the share of images that were
# sent uphill. (Chapter 07 tells how the study was made; the records are in `data/results`.) The table gives means
# over rounds and random seeds, for product quantization.
#
# Three terms for reading it. *Cross-entropy* is the loss of a classifier; *supervised contrastive* is a loss that
# draws images of one class together. *Seen* classes are those that the network was trained on, and *unseen* classes are
# held out.

# %% tags=["hide-input"]
# These load torch and scikit-learn: some seconds, so they come only now.
from dataclasses import replace

from gsl_tutorial.course.plots.study import draw_bias
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.study import StudyResults, execute, load_study
from gsl_tutorial.course.study.report import bias
from gsl_tutorial.course.training.progress import progress_bar

cifar10 = StudyResults(load_study("cifar10"), DATA / "results")


def penalty_runs(part, protocol, loss="cross-entropy"):
    """(bits, strength) -> records of the penalty, one for each seed."""
    found = {}
    for one in cifar10.records(part):
        if (one["method"], one["protocol"], one["loss"]) == ("penalty", protocol, loss):
            found.setdefault((one["bits"], one["options"]["strength"]), []).append(one)
    return found


def mean_bias(records):
    """Mean cosine and mean share uphill, over rounds and seeds."""
    return [np.mean([bias(one)[key].mean() for one in records]) for key in ("cosine", "uphill")]


# %% tags=["claim", "hide-input"]
seen = sorted((penalty_runs("core", "P2") | penalty_runs("bits", "P2")).items())
for title, runs in (
    ("validation, one seed", sorted(penalty_runs("tune", "validation").items())),
    ("seen classes", seen),
    ("unseen classes", penalty_runs("core", "unseen").items()),
    ("seen, contrastive", penalty_runs("core", "P2", "supervised-contrastive").items()),
):
    for (bits, strength), records in runs:
        cos, uphill = mean_bias(records)
        print(
            f"{title:21} {bits:2} bits  strength {strength:4}  cosine {cos:.2f}, an angle of "
            f"{np.degrees(np.arccos(cos)):2.0f} degrees  uphill {uphill:.1%}"
        )

# %% [markdown]
# On validation images we tried three strengths, with 16 bits. The best of them, 10, is used in the next four rows,
# with three seeds. Three things to read off:
#
# 1. **The gradient is biased, and hardly ever uphill.** At the best strength, the cosine is that of an angle of more
#    than 30 degrees. But only about 2 images in 100 go uphill.
# 2. **It behaves as in the plane.** More strength sends more images uphill; more bits, which means finer codewords,
#    send fewer.
# 3. For the supervised contrastive loss we tried 0.1, 0.3 and 1 on validation images, and the weakest was the best.
#    With it, hardly any image goes uphill at all.
#
# And now a small network on handwritten digits, trained here and now: 8 bits, with the strength that chapter 07
# uses, with a tenth of it, and with ten times as much. How well each of them searches is told by its **mean average
# precision** (mAP): how early the right images come, from 0 to 1. Chapter 08 explains it.

# %% tags=["hide-input"]
digits = load_study("digits")
penalty_only = replace(digits.parts[0], methods=("penalty",))
trained = {}
with progress_bar("train") as bar:
    for strength, n_seeds in ((0.1, 1), (1.0, 3), (10.0, 1)):
        setting = {("cross-entropy", "penalty"): {"strength": strength}}
        for run in digits.runs(penalty_only, setting)[:n_seeds]:
            trained.setdefault(strength, []).append(execute(run, digits)[0])
            bar.update()
for strength, records in trained.items():
    cos, uphill = mean_bias(records)
    print(f"digits, strength {strength:4}: cosine {cos:.2f}, uphill {uphill:.0%}")

# %% tags=["claim", "hide-input"]
of_seeds = [mean_bias([one])[1] for one in trained[1.0]]
between = (
    "between a quarter and a half"
    if 0.25 < min(of_seeds) <= max(of_seeds) < 0.5
    else "other shares"
)
print(f"Digits, strength 1: with every seed, {between} of the images go uphill.")
maps = [one["adc_map"] for records in trained.values() for one in records]
good = "above" if min(maps) > 0.95 else "not always above"
print(f"The search is good all the same: its mean average precision is {good} 0.95.")

# %% tags=["hide-input"]
tuned = penalty_runs("core", "P2")
(best,) = tuned.values()


def by_round(records):
    return {key: np.stack([bias(one)[key] for one in records]) for key in ("cosine", "uphill")}


show(
    draw_bias(
        {
            "CIFAR-10, seen classes, 16 bits": {"penalty": by_round(best)},
            "digits, 8 bits, strength 1": {"penalty": by_round(trained[1.0])},
        }
    ),
    alt="Two columns, CIFAR-10 and digits; above the cosine of the penalty's sum with the similarity "
    "gradient, below the share uphill, round by round. On CIFAR-10 the cosine stays near .8 and the share "
    "near zero; on digits the cosine is near .1 and the share near 40 percent.",
    dpi=85,
)

# %% [markdown]
# On digits about two images in five go uphill, on CIFAR-10 about two in a hundred. Why the difference? The formula of
# exercise 05.4 names a suspect, a short $g$. Where the similarity loss is as small as it can be, $g$ is zero. So how
# much of it is left when training ends?
#
# The two losses cannot be compared directly. On CIFAR-10 the labels are **smoothed**: the network is asked to give
# the right class a probability of 0.91 in place of 1, and 0.01 to each of the nine others. Even a network that does
# just that has a loss of 0.50, and that is the **floor** of this loss. With plain labels the floor is 0.

# %% tags=["claim", "hide-input"]
for name, records, study in (("CIFAR-10", best, cifar10.study), ("digits", trained[1.0], digits)):
    smoothing = study.base.schedule.label_smoothing
    asked = np.full(10, smoothing / 10)
    asked[0] += 1 - smoothing  # the right class
    floor = -np.sum(asked[asked > 0] * np.log(asked[asked > 0]))
    left = np.mean([one["history"][-1]["loss"] for one in records]) - floor
    above = f"{left:.2f}" if left > 0.05 else "less than 0.05"
    print(f"{name}: floor {floor + 0:.2f}, the similarity loss ends {above} above it")

# %% [markdown]
# Digits are easy, so training almost exhausts their similarity loss, while on CIFAR-10 much of it is left. So a short
# $g$ is an explanation that fits. To prove it, we would have to change one thing at a time.
#
# Neither number says that the penalty is a bad method. On digits every run searches well in spite of the uphill steps.
# On CIFAR-10, at the fine codebooks of these runs, there is little uphill to mend. What the study found for all methods
# is told at the end of chapter 07.
#
# ## Ask the next question
#
# The penalty pulls to the *nearest* codeword, whatever the similarity loss says. But there are other codewords near the
# point, and some of them may lie on the side on which the loss falls.
#
# **Can we choose the codeword so that the pull never works against $g$? And what if no codeword near the point lies on
# that side?** [Chapter 06](06_snapping_the_gradient.ipynb) builds the layer that asks first.
#
# ## What to remember
#
# - The gradient of the penalty is $2\lambda(z - q(z))/N$. The similarity loss does not occur in it.
# - The sum goes uphill where $\langle g, g + p \rangle < 0$, that is, where the pull works against $g$ and outweighs it.
# - More strength never mends it. A short $g$ and a far codeword make it likely.
# - Biased is not the same as uphill. The cosine says how far the step is turned, and its sign whether that does harm.
# - How often it happens is a question to real data: about 2 % on CIFAR-10, about 40 % on digits.
#
# ## Quiz
#
# 1. The point lies exactly on a codeword. How large may $\lambda$ be before the sum goes uphill?
# 2. Two places lie in the same cell and have the same $g$. One is near the codeword, the other far from it in the same
#    direction. Which one has the smaller critical strength?
# 3. A colleague reports "cosine .8, so one step in five goes uphill". What is wrong?
# 4. Why do the places around the star go uphill first?
#
# <details><summary>Answers</summary>
#
# 1. As large as you like, because there is no pull on a codeword.
# 2. The far one, because its pull is longer for the same $\lambda$.
# 3. A cosine is not a share. A cosine of .8 means that a step is turned by about 37 degrees; whether any step goes
#    uphill has to be counted.
# 4. Near the star $g$ is short, so any pull that works against it soon outweighs it.
#
# </details>
#
# ## Further reading
#
# - Liu and Lu, *Accurate Deep Representation Quantization with Gradient Snapping Layer for Similarity
#   Search*, [arXiv 1610.09645](https://arxiv.org/abs/1610.09645), 2016: the abstract states the problem.
# - van den Oord, Vinyals, Kavukcuoglu, *Neural Discrete Representation Learning*,
#   [arXiv 1711.00937](https://arxiv.org/abs/1711.00937), 2017: the same penalty as a *commitment loss*.
# - Yu et al., *Gradient Surgery for Multi-Task Learning*,
#   [arXiv 2001.06782](https://arxiv.org/abs/2001.06782), 2020: gradients of two tasks that work against
#   each other, measured by the same cosine.
