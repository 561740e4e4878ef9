# %% [markdown]
# # See where a penalty goes uphill
#
# **What you will do.** Guess where a point will go, then drag it and see. Find by hand the places from
# which a quantization loss sends it *uphill*, shade them all, and look how often the same happens to
# real embeddings.
#
# **What you will learn.** What is biased about "similarity loss + λ × quantization loss", the condition
# under which the bias does harm, and how the harm depends on the strength and on the codewords.
#
# **What you need.** Vectors, dot products, gradient descent; chapter 02 tells what a codeword is. No
# downloads. About 50 minutes, 22 of them for the four exercises.
#
# > The words *biased gradients* are from the abstract of Liu and Lu,
# > [arXiv 1610.09645](https://arxiv.org/abs/1610.09645), which is all of the paper that we had. **Every
# > formula in this chapter is our reconstruction** of what they mean.

# %%
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
# A **point** (z), the black disc, should come near its **partner**, the star: both belong to the same
# class. The **similarity loss** (L) is half the squared distance to the star. Its **gradient**
# (g = dL/dz) points away from the star, so the descent, $-g$, points towards it.
#
# The point should also lie near one of nine **codewords** (c), the grey squares, so that a short code
# describes it well. The usual way adds a second loss, the **penalty**: a **strength** (λ) times the
# squared distance to the *nearest* codeword, $q(z)$. Then the point follows
#
# $$L(z) + \lambda\,\lVert z - q(z) \rVert^2 .$$
#
# In the picture λ = 1.5. Both arrows are drawn, but not their sum.

# %%
codewords = np.array(
    [
        [0.10, 0.10], [-0.80, 0.70], [0.80, -0.85], [0.75, 0.70], [-0.60, -0.80], [-0.75, -0.05],
        [0.85, -0.10], [-0.10, 0.85], [0.15, -0.75],
    ]
)  # fmt: skip
partner = np.array([-0.45, 0.45])
plane = Plane(codewords, partner)
point = np.array([-0.20, 0.20])
show(
    draw_question(plane, point, strength=1.5),
    alt="A point between its partner, on the upper left, and its nearest codeword, on the lower right. "
    "The descent of the similarity loss is a short arrow to the partner; the pull to the codeword is "
    "a long arrow to the lower right, out of the shaded half-plane in which the loss falls.",
    dpi=85,
)

# %%
Guess.of("05 one step")

# %% [markdown]
# ## Drag and see
#
# The strength is 0 at first: no pull. Move **strength (lambda)** up to 1.5 and watch the dash-dotted
# arrow, the sum, turn out of the shaded half-plane. Outside of it the similarity loss rises: the
# point is sent **uphill**, and the read-out says so. Then drag the point, or a codeword, or the star.
#
# With the keyboard: Tab walks from the point to the codewords and the star, the arrow keys move them,
# Home puts one back. **Tour** shows five things to do. The formula below the plane holds the numbers of the
# arrows: point at a term to see which arrow it is.

# %%
explorer = GradientExplorer(
    codewords, similar=[partner], dissimilar=(), point=point, strength=0.0, snap=False, tour=TOUR_PENALTY
)
explorer

# %% [markdown]
# The same in numbers. The **cosine** is that of the angle between the sum's gradient and $g$: 1 where
# they agree, 0 at a right angle, negative where the step goes uphill.

# %% tags=["claim"]
z = point[None]
g = plane.gradient(z)[0]
for strength in (0.0, 0.1, 0.5, 1.5, 3.0):
    summed = plane.penalized(z, strength)[0]
    print(f"strength {strength:3}: cosine {cosine(summed, g):+.2f}, {verdict(summed, g)}")

# %% [markdown]
# There are two degrees of bias. With a weak penalty the step is *turned away* from $-g$, but the
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
# In training there are N vectors, and the penalty is their mean:
#
# $$\frac{\lambda}{N} \sum_{i=1}^{N} \lVert z_i - q(z_i) \rVert^2 .$$
#
# Which codeword is the nearest does not change in a small step, so $q(z_i)$ counts as a constant. (The
# plane shows one point, N = 1.)
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
# Call the penalty's gradient $p$. The step goes along $-(g + p)$. A small step $s$ changes the
# similarity loss by about $\langle g, s \rangle$, so the loss rises where
#
# $$\langle g,\; g + p \rangle \;=\; \lVert g \rVert^2 + \langle g, p \rangle \;<\; 0 .$$
#
# Two things must come together: $p$ works against $g$, and it is strong enough to outweigh
# $\lVert g \rVert^2$.
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
# Now the condition at every place of the picture. Is yours among them?

# %%
show(
    draw_uphill(plane, [0.5, 1.5, 5.0]),
    alt="Three panels for strengths 0.5, 1.5 and 5. Uphill places are hatched: with 0.5 four small "
    "patches around the partner; with 1.5 larger ones, and strips along borders of cells farther away; "
    "with 5 large patches on the partner's side of most codewords. In each cell the patch is cut out "
    "of a circle that runs from the partner to the place where the sum rests.",
    dpi=90,
)

# %% [markdown]
# The patches are cut out of circles, and that is no accident. Within one cell the sum of both losses is
# least at one place, where its two parts balance: the blue diamond, between star and codeword. Call it
# $r$. The sum's gradient is a multiple of $z - r$, and $g$ is $z$ minus the star. Their product is
# negative where the place sees the star and $r$ at more than a right angle: inside the circle over
# that line (the theorem of Thales). In words: **uphill places lie between the place where the
# similarity loss wants the point and the place where the sum wants it.**
#
# (The circles belong to this loss, a squared distance. The condition above holds for any loss.)
#
# Here is how much of the picture is uphill:


# %%
def share_uphill(plane, strength, per_side=101):
    """Share of the places of an even grid that the penalty sends uphill."""
    line = np.linspace(-1.25, 1.25, per_side)
    places = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    along = (plane.penalized(places, strength) * plane.gradient(places)).sum(axis=1)
    return (along < 0).mean()


# %%
for strength in (0.1, 0.5, 1.5, 5.0, 100.0):
    print(f"strength {strength:5}: {share_uphill(plane, strength):5.1%} of the picture uphill")

# %% [markdown]
# ## Find the strength at which a point turns
#
# A place that is uphill stays uphill when λ grows, because $\lVert g \rVert^2$ stays what it is. So each
# place has a **critical strength**: below it the step goes downhill, above it uphill. Where the
# codeword lies on the side where the loss falls there is none.
#
# **Exercise 05.4** (hard, 8 minutes). Compute it for one point, N = 1, and return `np.inf` where no
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
# point back (Home) and move λ across that number.

# %%
print("yours:", critical_strength(g, point, codewords[0]))  # None as long as the exercise is blank
print(
    "at 0.6 and at 0.7 the sum goes:", *(verdict(plane.penalized(z, s)[0], g) for s in (0.6, 0.7))
)

# %% [markdown]
# ## Add codewords
#
# The formula of the exercise says that two things make a point easy to turn: a short $g$ and a
# codeword far away. More codewords are nearer codewords.

# %%
Guess.of("05 more codewords")

# %%
strengths = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
# K codewords spread evenly over the plane, without a pattern.
even = np.arange(1, 257)[:, None] * [0.7548776662466927, 0.5698402909980532]
even = 2.2 * ((0.5 + even) % 1) - 1.1
shares = {
    f"K = {K}": [share_uphill(Plane(even[:K], partner), s, per_side=51) for s in strengths]
    for K in (4, 16, 64, 256)
}
show(
    draw_shares(strengths, shares),
    alt="Share of uphill places against the strength, a line for 4, 16, 64 and 256 codewords. All four "
    "lines rise. Up to a strength of 5 the line of 4 codewords is the highest and that of 256 the "
    "lowest; at 100 the line of 4 is the lowest.",
    dpi=85,
)

# %% tags=["claim"]
table = np.array(list(shares.values()))
print("for each K the share grows with the strength: ", (np.diff(table, axis=1) >= 0).all())
at_two = table[:, strengths.index(2)]
print("at strength 2 it falls with each larger K:    ", (np.diff(at_two) < 0).all())
print("at strength 100 it is least with 4 codewords: ", table[:, -1].argmin() == 0)

# %% [markdown]
# With many codewords the pull is short, and only near the star, where $g$ is short too, can it win. If
# λ grows without limit, the length of the pull no longer matters, only its side.
#
# ## Look at fields
#
# One arrow for each of 144 places, for four ways of training: the penalty, two others that you will
# meet in chapter 06, and the snap, which is that chapter's subject. Crosses mark uphill places. Now there
# is a **stranger** (the cross), too, of another class, and a menu of similarity losses: `pair` knows the
# partner alone; `triplet` wants the point nearer to the partner than to the stranger; `two-class` sees
# several points of both classes.
#
# **Try it.** Under which losses are there uphill places far away from the partner, and why there? (Look
# where the level lines are far apart: there $g$ is short.)

# %%
GradientExplorer(mode="field")

# %% [markdown]
# ## Release fifty points
#
# What does the bias do in the end? Press **Play** (or Step), and scrub back with the slider. Watch the
# penalty's panel: where do the points come to rest?

# %%
GradientExplorer(codewords, similar=[partner], dissimilar=(), mode="run")

# %% [markdown]
# They rest where the two parts of the sum balance, at the diamonds of the shaded picture: neither on the
# star nor on a codeword. The cell releases the same fifty points, for longer.

# %% tags=["claim"]
starts = even[:50]  # those of the explorer, too
ends = run_method(plane, starts, "penalty", SnapOptions(strength=1.5), n_steps=300)[-1]
rests = resting_places(plane, 1.5)
distance = np.linalg.norm(ends[:, None] - rests, axis=2).min(axis=1)
print(f"{(distance < 0.001).sum()} of {len(ends)} points end at one of {len(rests)} diamonds")
print(f"mean similarity loss there: {plane.loss(ends).mean():.2f}; at the star it would be 0.00")

# %% [markdown]
# Is that a fault? A compromise is what a sum of two losses is for. But the compromise was made by the
# *nearest* codeword, and whether it helps or hinders was never asked.
#
# ## Look at real embeddings
#
# So much for a plane. How often does a real network's image go uphill? First a guess.

# %%
Guess.of("05 CIFAR-10")

# %% [markdown]
# This workbook's study (chapter 07 tells how it was made) trained a convolutional network end to end and
# recorded two numbers in every round: the mean **cosine** between the gradient used and $g$, and the
# share of images sent **uphill**. The records lie in `data/results`; the table gives means over rounds and
# seeds, for product quantization. Its similarity losses are cross-entropy, that of a classifier, and
# *supervised contrastive*, which draws images of one class together. *Seen* classes are those of the
# training (the code calls that protocol P2, as chapter 10 does).

# %%
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


# %% tags=["claim"]
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
# On validation images three strengths were tried, with 16 bits; the best of them, 10, is that of the rows
# below (three seeds). Three things to read off.
#
# 1. **The gradient is biased, and hardly ever uphill.** At the best strength the cosine is that of an
#    angle of more than 30 degrees. But only about 2 images in 100 go uphill.
# 2. **As in the plane:** more strength, more uphill places; more bits, that is finer codewords, fewer.
# 3. With the other similarity loss of the study, supervised contrastive, the best strength was the weakest
#    that was tried, and then hardly anybody goes uphill at all.
#
# And now a small network on handwritten digits, trained here: 8 bits, with the strength that chapter 07
# uses, one tenth of it, and ten times as much.

# %%
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

# %% tags=["claim"]
of_seeds = [mean_bias([one])[1] for one in trained[1.0]]
print("digits, strength 1, every seed: more than a quarter uphill:", min(of_seeds) > 0.25)
print("and less than half:", max(of_seeds) < 0.5)
maps = [one["adc_map"] for records in trained.values() for one in records]
print("search is good all the same, mAP (chapter 07) above 0.95:", min(maps) > 0.95)

# %%
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
# On digits about two in five go uphill, on CIFAR-10 about two in a hundred. The formula of exercise
# 05.4 names a suspect: a short $g$. Digits are easy, and training almost exhausts their similarity loss:

# %% tags=["claim"]
for name, records, study in (("CIFAR-10", best, cifar10.study), ("digits", trained[1.0], digits)):
    smoothing = study.base.schedule.label_smoothing
    at_end = np.mean([one["history"][-1]["loss"] for one in records])
    print(f"{name:8} labels smoothed: {smoothing > 0!s:6}"
          f"similarity loss at the end below 0.2: {at_end < 0.2}")  # fmt: skip

# %% [markdown]
# Smoothed labels, too, keep $g$ from vanishing. So this is a suspicion that fits, and no proof: for that one
# would change one thing at a time.
#
# Neither number says that the penalty is a bad method. On digits every run searches well in spite of the
# uphill steps. On CIFAR-10 the penalty beat plain training, and there is little uphill to mend. What
# the study found for all methods stands at the end of chapter 07.
#
# ## Ask the next question
#
# The penalty pulls to the *nearest* codeword, whatever the similarity loss says. But near the point
# there are other codewords, and some of them lie on the side where the loss falls.
#
# **Can we choose the codeword so that the pull never works against $g$? And what if no codeword near
# the point lies on that side?** Chapter 06 builds the layer that asks first.
#
# ## What to remember
#
# - The penalty's gradient is $2\lambda(z - q(z))/N$. The similarity loss does not occur in it.
# - The sum goes uphill where $\langle g, g + p \rangle < 0$: the pull works against $g$ and outweighs it.
# - More strength never mends it. A short $g$ and a far codeword make it likely.
# - Biased is not the same as uphill: the cosine says how far the step is turned, its sign whether it
#   does harm.
# - How often it happens is a question to real data: about 2 % on CIFAR-10, about 40 % on digits.
#
# ## Quiz
#
# 1. The point lies exactly on a codeword. How large may λ be before the sum goes uphill?
# 2. Two places lie in the same cell and have the same $g$. Which one has the smaller critical strength:
#    the one near the codeword or the one far from it, in the same direction?
# 3. A colleague reports "cosine .8, so one step in five goes uphill". What is wrong?
# 4. Why is the middle of the picture around the star uphill first?
#
# <details><summary>Answers</summary>
#
# 1. As large as you like: there is no pull on a codeword.
# 2. The far one: its pull is longer for the same λ.
# 3. A cosine is no share. A mean of .8 says that steps are turned by about 37 degrees if all are alike;
#    whether any goes uphill must be counted.
# 4. There $g$ is short, so any pull that works against it outweighs it soon.
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
