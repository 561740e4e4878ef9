# %% [markdown]
# # Quantize vectors with k-means
#
# **What you will do.** Build k-means from its two halves, step through it, place codewords with your
# own hands, rescue one that nobody uses, let your own k-means learn from pictures, and count how far a
# single codebook can take you.
#
# **What you will learn.** What a codeword, a cell and distortion are; why k-means never gets worse
# and may still end badly; how bits and codewords go together.
#
# **What you need.** NumPy arrays and their axes; chapter 01 for why we compress at all. About 65
# minutes, 39 of them for the five exercises.
#
# > **Vector quantization** stands for a whole vector by one number. The method that finds good
# > codewords is **k-means**, in the form that S. Lloyd wrote down and that carries his name, too.

# %%
import numpy as np

from gsl_tutorial.course.datasets import load_digits, make_blobs_2d
from gsl_tutorial.course.exercises import attempt, check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.clusters import draw_cells, draw_rate
from gsl_tutorial.course.plots.product import draw_images
from gsl_tutorial.course.toys.kmeans_steps import (
    assign,
    distortion,
    kmeans_steps,
    revive,
    start_on_points,
)
from gsl_tutorial.course.widgets import CodewordExplorer, KMeansSliders
from gsl_tutorial.quantizers.kmeans import kmeans

points = make_blobs_2d(50, 4, random_state=1, spread=0.22).x
print(f"{len(points)} points in the plane")

# %% [markdown]
# ## Stand for many points by a few
#
# A **codebook** is a list of $K$ **codewords**, places in the space of the vectors. To encode a
# vector, write down the row number of its nearest codeword: that is its **code**. To decode, look
# the codeword up: that is the **reconstruction**, $q(z)$.
#
# All points with the same code form a **cell**. Between two codewords the border of their cells
# runs straight, half-way, at a right angle to the line that joins them. Such a picture is called a
# **Voronoi diagram**.

# %%
codewords = np.array([[-0.7, 0.6], [0.1, 0.7], [0.7, -0.2], [-0.2, -0.6]])  # try other places
cells = assign(points, codewords)
show(
    draw_cells({"four codewords and their cells": (points, codewords, cells)}),
    alt="Points in the plane and four large numbered marks, the codewords. Straight lines cut the "
    "plane into four cells; the points of a cell share the marker and the colour of its codeword.",
)
print("points in each cell:", np.bincount(cells))

# %% [markdown]
# **Exercise 02.1** (medium, 6 minutes). Assign each point to its nearest codeword. (Where two are
# equally near, `argmin` takes the first, and that will do.)


# %% tags=["exercise"]
def assign_cells(points, codewords):
    """(N, dim), (K, dim) -> (N,) row numbers."""
    # BEGIN SOLUTION
    differences = points[:, None] - codewords
    return (differences**2).sum(axis=2).argmin(axis=1)
    # END SOLUTION


check.assign_cells(assign_cells)

# %%
hint("02.1")

# %% [markdown]
# ## Measure what is lost
#
# A code cannot bring back more than the codeword. What is lost is the squared distance between a
# vector and its reconstruction, and its mean over all vectors is the **distortion**:
#
# $$\text{distortion} = \frac{1}{N} \sum_{i=1}^{N} \lVert z_i - q(z_i) \rVert^2 .$$
#
# **Exercise 02.2** (easy, 5 minutes). Compute it. Which codeword stands for which point is given:
# it need not be the nearest.


# %% tags=["exercise"]
def mean_distortion(points, codewords, assignment):
    """(N, dim), (K, dim), (N,) row numbers -> one number."""
    # BEGIN SOLUTION
    differences = points - codewords[assignment]
    return (differences**2).sum(axis=1).mean()
    # END SOLUTION


check.mean_distortion(mean_distortion)

# %%
hint("02.2")

# %%
print(f"distortion of the four codewords above: {distortion(points, codewords, cells):.4f}")

# %% [markdown]
# ## Move each codeword to the middle
#
# Keep the cells as they are: where should a codeword stand, so that its own points lose the least?
# At their **mean**. Any other place costs exactly the squared distance from the mean *more*:
#
# $$\text{mean of } \lVert z - c \rVert^2 \;=\; \text{mean of } \lVert z - \bar z \rVert^2
# \;+\; \lVert c - \bar z \rVert^2 .$$
#
# The next cell tries it with a thousand random places.

# %% tags=["claim"]
mine = points[cells == 0]
middle = mine.mean(axis=0)
at_middle = ((mine - middle) ** 2).sum(axis=1).mean()
elsewhere = np.random.default_rng(0).uniform(-1, 1, size=(1000, 2))
there = ((mine - elsewhere[:, None]) ** 2).sum(axis=2).mean(axis=1)
away = ((elsewhere - middle) ** 2).sum(axis=1)
print("places that are better than the mean:", (there < at_middle).sum())
print("each costs its squared distance from the mean more:", np.allclose(there, at_middle + away))

# %% [markdown]
# That is why the squares: for them, the best place is a plain mean.
#
# **Exercise 02.3** (medium, 8 minutes). Move every codeword to the mean of its points. A codeword
# may have no points at all; it stays where it was.


# %% tags=["exercise"]
def move_codewords(points, codewords, assignment):
    """(N, dim), (K, dim), (N,) row numbers -> (K, dim)."""
    # BEGIN SOLUTION
    moved = codewords.copy()
    for k in range(len(codewords)):
        mine = points[assignment == k]
        if len(mine):
            moved[k] = mine.mean(axis=0)
    return moved
    # END SOLUTION


check.move_codewords(move_codewords)

# %%
hint("02.3")

# %% [markdown]
# ## Step through k-means
#
# Once the codewords have moved, some points are nearer to another codeword than to their own. So
# assign again, move again, and so on, until no point changes its codeword: that is **k-means**. The
# usual start puts the codewords on randomly chosen points.
#
# The slider below goes by *half-steps*: assign, move, assign, move. While the codewords move, the
# cells are still the old ones. Small white marks show where each codeword began.

# %%
KMeansSliders(points)

# %% [markdown]
# With the keyboard: Tab reaches a slider, the arrow keys move it.
#
# **Try it.**
#
# 1. Step from 0 on. Which of the first half-steps lowers the distortion most?
# 2. With four codewords, go through the random starts, the half-step at its right end. Do all of
#    them end with the same distortion?
# 3. Set K to 1. After how many half-steps does it stand still, and where?
#
# ## See why it must stop
#
# Assigning cannot raise the distortion: every point takes the *nearest* codeword. Moving cannot
# raise it: every codeword takes the *best* place for its points. So the curve only falls. And as
# there are only so many ways to share the points among the codewords, it must stand still at last.
#
# The next cell watches a hundred runs. It also asks whether faiss, whose k-means the package
# computes with, arrives where our plain NumPy loop does.

# %% tags=["claim"]
rises, unfinished = 0, 0
for seed in range(100):
    start = start_on_points(points, 2 + seed % 7, random_state=seed)
    steps = kmeans_steps(points, start, n_rounds=100)
    course = np.array([step.distortion for step in steps[1:]])
    rises += int((np.diff(course) > 1e-12).sum())
    unfinished += not np.array_equal(steps[-1].assignment, steps[-3].assignment)
print("half-steps that raised the distortion:", rises)
print("runs that did not come to a stop:", unfinished)

start = start_on_points(points, 4, random_state=0).astype(np.float32)
ours = kmeans_steps(points, start)[-1].codewords
theirs = kmeans(points, 4, seed=0, start=start, n_iterations=50)
print("faiss arrives at the same codewords:", np.allclose(ours, theirs, atol=1e-4))

# %% [markdown]
# ## Place the codewords yourself
#
# It stops, but where? Here are three groups and three codewords. First bring the distortion down by
# hand: drag the codewords. Then let k-means go on from your places: the slider counts its rounds.
# Small white marks show where the codewords began. Grab one again, and you take over from there.
#
# With the keyboard: Tab reaches a codeword, the arrow keys move it (with Shift in small steps), Home
# puts it back.
#
# **Try it.** Find a start from which k-means ends *far above* the best known distortion, however
# many rounds you give it. (What if two codewords share a group?)

# %%
groups = make_blobs_2d(40, 3, random_state=2, spread=0.14).x
ends = [
    kmeans_steps(groups, start_on_points(groups, 3, random_state=seed))[-1].distortion
    for seed in range(100)
]
CodewordExplorer(groups, [[-0.3, 0.5], [0.3, -0.3], [0.7, 0.6]], best=min(ends))

# %% [markdown]
# k-means goes downhill, and only downhill: it ends in the valley in which it began. The remedy is
# plain. Start several times from different points and keep the best end.

# %% tags=["claim"]
ends = np.array(ends)
stuck = ends > 1.5 * ends.min()
print("random starts:", len(ends))
print("some end at more than 1.5 times the best distortion:", bool(stuck.any()))
print("most do not:", bool(stuck.mean() < 0.5))

# %% [markdown]
# ## Bring a dead codeword back
#
# A codeword can be so far off that it is the nearest of no point. Then it never moves again: it is
# **dead**. It takes up a row of the codebook, and no code ever names it.
#
# One remedy is to put it where the need is greatest: on the point that is farthest from its own
# codeword. (faiss puts it beside a codeword with many points.)
#
# **Exercise 02.4** (hard, 8 minutes). Put each dead codeword on a point: the first dead one on the
# point with the largest squared distance to its codeword, the second on the next one, and so on.
# All others stay.


# %% tags=["exercise"]
def revive_dead(points, codewords, assignment):
    """(N, dim), (K, dim), (N,) row numbers -> (K, dim)."""
    # BEGIN SOLUTION
    counts = np.bincount(assignment, minlength=len(codewords))
    dead = np.flatnonzero(counts == 0)
    far = ((points - codewords[assignment]) ** 2).sum(axis=1)
    revived = codewords.copy()
    revived[dead] = points[np.argsort(-far)[: len(dead)]]
    return revived
    # END SOLUTION


check.revive_dead(revive_dead)

# %%
hint("02.4")

# %%
far_off = np.array([[-0.5, 0.4], [0.4, 0.6], [0.0, -0.6], [-0.95, -0.95]])
stopped = kmeans_steps(groups, far_off)[-1]
revived = revive(groups, stopped.codewords, stopped.assignment)
again = kmeans_steps(groups, revived)[-1]
show(
    draw_cells(
        {
            f"k-means has stopped: {stopped.distortion:.4f}": (
                groups, stopped.codewords, stopped.assignment,
            ),
            "codeword 3 moves to the farthest point": (groups, revived, assign(groups, revived)),
            f"k-means again: {again.distortion:.4f}": (groups, again.codewords, again.assignment),
        }
    ),
    alt="Three panels. In the first, three codewords serve the three groups, and a fourth stands "
    "alone in the lower left corner, without points. In the second it has moved to a point at the "
    "rim of a group. In the third that group has two codewords, and the distortion is lower.",
)  # fmt: skip

# %% tags=["claim"]
dead_before = np.bincount(stopped.assignment, minlength=4) == 0
dead_after = np.bincount(again.assignment, minlength=4) == 0
print("dead codewords before and after:", dead_before.sum(), dead_after.sum())
print("the dead one is where it began:", np.array_equal(stopped.codewords[3], far_off[3]))
print("the distortion is lower now:", again.distortion < stopped.distortion)

# %% [markdown]
# ## Put it together
#
# You have written both halves of k-means. Now join them, and let your own code learn from pictures.
#
# **Exercise 02.5** (hard, 12 minutes). Write the whole of k-means: from the codewords in `start`, take
# `n_rounds` rounds. Each round assigns every point to its nearest codeword and then moves every codeword
# to the mean of its points; a codeword without points stays. Return the codewords. The check goes step by
# step: one round, two, many, a codeword that nobody uses, none at all.


# %% tags=["exercise"]
def run_kmeans(points, start, n_rounds):
    """(N, dim), (K, dim), number -> (K, dim)."""
    # BEGIN SOLUTION
    codewords = start.copy()
    for _ in range(n_rounds):
        cells = ((points[:, None] - codewords) ** 2).sum(axis=2).argmin(axis=1)
        for k in range(len(codewords)):
            mine = points[cells == k]
            if len(mine):
                codewords[k] = mine.mean(axis=0)
    return codewords
    # END SOLUTION


check.run_kmeans(run_kmeans)

# %%
hint("02.5")

# %% [markdown]
# Here your function learns ten codewords from pictures of digits. Nobody tells it what a digit is.
# Below it stand the codewords that the package finds from the same start.

# %%
pictures = load_digits().database.x
start = start_on_points(pictures, 10, random_state=4).astype(np.float32)
found = {"the package": kmeans(pictures, 10, seed=0, start=start, n_iterations=20)}
yours = attempt(run_kmeans, pictures, start, 20)
if yours is not None:
    found = {"yours": yours, **found}
show(
    draw_images({f"codewords:\n{name}": words for name, words in found.items()}),
    alt="Ten codewords as pictures. Most look like a blurred digit; some digits appear twice, and some "
    "are missing.",
)
for name, words in found.items():
    print(f"{name:12} distortion {distortion(pictures, words, assign(pictures, words)):.2f}")

# %% [markdown]
# **Try it.** Give your function 0, 1 and 3 rounds instead of 20. When do the pictures begin to look like
# digits? Then change `random_state`: which digits are found twice now?
#
# ## Count the bits
#
# To name one of $K$ codewords takes $\log_2 K$ bits: with each further bit the codebook doubles.
# What does a bit buy? We measure the distortion that is left, as a share of the distortion with one
# codeword. Dots are the vectors from which the codewords were learned; squares are **held-out**
# vectors, which the codewords have never seen.


# %%
def share_left(vectors, codewords, learned_from):
    """The distortion of vectors, divided by that of one codeword, the mean of the learned ones."""
    single = learned_from.mean(axis=0, keepdims=True)
    alone = distortion(vectors, single, np.zeros(len(vectors), dtype=int))
    return distortion(vectors, codewords, assign(vectors, codewords)) / alone


digits = load_digits()
data = {
    "points in the plane": (
        make_blobs_2d(100, 4, random_state=0, spread=0.2).x,
        make_blobs_2d(100, 4, random_state=1, spread=0.2).x,
    ),
    "digits, 64 numbers": (digits.database.x, digits.query.x),
}
bits = range(9)
left = {}
for title, (learned, held_out) in data.items():
    books = [kmeans(learned, 2**b, seed=0) for b in bits]
    left[title] = {
        "learned from": [share_left(learned, book, learned) for book in books],
        "held out": [share_left(held_out, book, learned) for book in books],
    }
show(
    draw_rate({title: (bits, curves) for title, curves in left.items()}),
    alt="Two panels, the share of distortion left against bits. In the plane it falls below a tenth "
    "within four bits and then to almost nothing. For the digits it falls slowly, to a fifth at "
    "eight bits, and the curve of the held-out digits stays above that of the learned ones.",
)

# %%
print("bits    K   plane: learned  held out   digits: learned  held out")
plane, images = left.values()
for b in bits:
    print(
        f"{b:4} {2**b:4} {plane['learned from'][b]:16.3f} {plane['held out'][b]:9.3f}"
        f" {images['learned from'][b]:17.3f} {images['held out'][b]:9.3f}"
    )

# %% tags=["claim"]
for title, curves in left.items():
    inside, outside = np.array(curves["learned from"]), np.array(curves["held out"])
    print(f"{title}:")
    print("  every further bit lowers the distortion:", bool((np.diff(inside) < 0).all()))
    print("  at 8 bits the held-out ones are distorted more:", bool(outside[-1] > inside[-1]))
    print("  less than a tenth is left at 4 bits:", bool(inside[4] < 0.1))

# %% [markdown]
# Read two things from the picture.
#
# - In the plane a few bits do. In a space of many numbers there is more to say about a vector, and
#   each bit says only a little of it.
# - The two curves part. The more codewords, the fewer vectors each has learned from; it knows
#   *those* vectors, not their kind. With a codeword on every vector the dots would be at zero, and
#   nothing would have been learned.
#
# **Try it.** Let the plane's codewords learn from four times as many points: change the first
# `make_blobs_2d(100, ...)` to 400. How far apart are the two curves at eight bits now?
#
# ## See why one codebook cannot grow
#
# Suppose we want codes of 64 bits, as 8 bytes for each vector are easy to afford. Guess: how much
# memory does the codebook take, and how long does it take to encode a single vector?

# %% tags=["claim"]
dim, per_second = 64, 10**9


def plain(x):
    """A number without powers of ten."""
    if x < 1e-7:
        return "next to none"
    return f"{x:,.0f}" if x >= 1 else f"{x:.7f}"


for n_bits in (8, 16, 32, 64):
    K = 2**n_bits
    print(f"a code of {n_bits} bits: K = {K:,} codewords")
    print(f"    GB of codebook, in 4-byte floats: {plain(K * dim * 4 / 1e9)}")
    print(
        f"    seconds to encode one vector, a billion codewords a second: {plain(K / per_second)}"
    )
    print(f"    digits of our database for each codeword: {plain(len(digits.database) / K)}")
print(f"64 bits: years to encode one vector: {plain(2**64 / per_second / (365 * 24 * 3600))}")

# %% [markdown]
# Memory, time and data give out, all three, long before 64 bits. And yet the codes are good: eight
# bytes for a vector is what we want to pay. What we cannot have is *one* list with a row for each
# code.
#
# The way out is a small trick with large consequences: cut the vector into pieces, give each piece
# a short codebook of its own, and combine. [Chapter 03](03_product_quantization.ipynb) does that.
#
# ## What to remember
#
# - A quantizer writes the row number of the nearest codeword. What is lost is the distortion, a
#   mean of squared distances.
# - k-means: assign, move, again. Neither half can raise the distortion.
# - It ends in the valley where it began: start several times, keep the best.
# - A codeword without points is dead; put it where the distortion is large.
# - $K$ codewords take $\log_2 K$ bits. Memory, time and data grow with $K$, that is, they double
#   with each bit.
#
# ## Quiz
#
# 1. Two codewords stand at the same place. What does `argmin` do with the points around them, and
#    what becomes of the second one?
# 2. Your curve of distortion rises once in a while. What can you conclude?
# 3. How many bits has a code out of 1,000 codewords, if each code takes a whole number of bits?
# 4. With $K = N$ the distortion can be zero. Why is that no success?
# 5. Someone replaces squared distances by plain ones, and keeps the mean when moving. Does the curve
#    of *plain* distances have to fall?
#
# <details><summary>Answers</summary>
#
# 1. It gives them all to the first of the two. The second has no points: it is dead.
# 2. That there is a mistake in the program: neither half-step can raise it.
# 3. Ten: nine bits name only 512 codewords.
# 4. The codebook is the database itself, nothing is saved, and held-out vectors are distorted
#    all the same.
# 5. No. The mean is the best place for squared distances; for plain ones another place is best.
#
# </details>
#
# ## Further reading
#
# - S. Lloyd, *Least Squares Quantization in PCM*, IEEE Transactions on Information Theory, 1982,
#   [doi 10.1109/TIT.1982.1056489](https://doi.org/10.1109/TIT.1982.1056489): the two half-steps, for
#   single numbers.
# - D. Arthur and S. Vassilvitskii, *k-means++: The Advantages of Careful Seeding*, SODA 2007: a
#   start that is better than chance.
# - [scikit-learn on k-means](https://scikit-learn.org/stable/modules/clustering.html#k-means): where
#   it works and where it does not.
