# %% [markdown]
# # Quantize vectors with k-means
#
# Suppose you may describe each of your vectors by a single number, and nothing else. Which number would you
# choose, and how wrong would you be? This chapter builds the oldest answer, k-means, step by step. You will
# place codewords with your own hands, and see why one list of codewords cannot grow for ever.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Build k-means from its two halves, step through it, place codewords by hand, rescue one
# that nobody uses, let your own k-means learn from pictures, and count how far a single codebook can take you.
#
# **What you will learn.** What a codeword, a cell and distortion are; why k-means never gets worse and may
# still end badly; what a bit buys, and on what that depends.
#
# **What you need.** NumPy arrays and their axes; chapter 01 for why we compress at all. About 65
# minutes, 39 of them for the five exercises.
#
# </details>

# %% tags=["hide-input"]
import numpy as np

from gsl_tutorial.course.datasets import load_digits, make_blobs_2d
from gsl_tutorial.course.exercises import attempt, check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.clusters import draw_cells, draw_ends, draw_rate
from gsl_tutorial.course.plots.product import draw_images
from gsl_tutorial.course.toys.kmeans_steps import (
    assign,
    distortion,
    kmeans_steps,
    revive,
    start_on_points,
)
from gsl_tutorial.course.widgets import CodewordExplorer, Guess, KMeansSliders
from gsl_tutorial.quantizers.kmeans import kmeans

points = make_blobs_2d(50, 4, random_state=1, spread=0.22).x

# %% [markdown]
# ## Let a few places speak for many points
#
# **Vector quantization** replaces a whole vector by a single number. It keeps a list of $K$ places, the
# **codewords**; the list is called a **codebook**. To *encode* a vector, write down the number of its nearest
# codeword: that is its **code**. To *decode*, look the codeword up: that is the **reconstruction**, $q(z)$.
#
# All points with the same code form a **cell**. The border between two cells runs straight, half-way between
# their codewords, at a right angle to the line that joins them. Such a picture is called a **Voronoi diagram**.

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
# equally near, `argmin` takes the first, and that is good enough.)


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
# A code cannot bring back more than its codeword. What is lost is the squared distance between a vector and its
# reconstruction. Its mean over all $N$ vectors $z_1, \dots, z_N$ is the **distortion**:
#
# $$\text{distortion} = \frac{1}{N} \sum_{i=1}^{N} \lVert z_i - q(z_i) \rVert^2 .$$
#
# **Exercise 02.2** (easy, 5 minutes). Compute it. You are told which codeword stands for which point;
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
# Now keep the cells as they are, and ask where a codeword should stand so that its own points lose the least.
# The answer is their **mean**, $\bar z$. Any other place $c$ costs more, and we can say exactly how much more,
# namely its squared distance from the mean:
#
# $$\text{mean of } \lVert z - c \rVert^2 \;=\; \text{mean of } \lVert z - \bar z \rVert^2
# \;+\; \lVert c - \bar z \rVert^2 .$$
#
# <details><summary>Why is there no cross term?</summary>
#
# Go from $z$ to $c$ by way of the mean, $z - c = (z - \bar z) + (\bar z - c)$, and square:
#
# $$\lVert z - c \rVert^2 = \lVert z - \bar z \rVert^2 + \lVert \bar z - c \rVert^2
# + 2\,\langle z - \bar z,\; \bar z - c \rangle .$$
#
# Now take the mean over the points of the cell. The second factor of the last term is the same for all of them,
# and the mean of the first, $z - \bar z$, is zero: the points lie around their mean in a balanced way. So the
# last term, the **cross term**, vanishes. You will meet this argument again in chapter 03.
#
# </details>
#
# To see it at work, we put the first codeword on a thousand random places.

# %% tags=["claim", "hide-input"]
mine = points[cells == 0]
middle = mine.mean(axis=0)
at_middle = ((mine - middle) ** 2).sum(axis=1).mean()
elsewhere = np.random.default_rng(0).uniform(-1, 1, size=(1000, 2))
there = ((mine - elsewhere[:, None]) ** 2).sum(axis=2).mean(axis=1)
away = ((elsewhere - middle) ** 2).sum(axis=1)
print(f"{(there < at_middle).sum()} of {len(elsewhere):,} random places beat the mean.")
exact = "exactly" if np.allclose(there, at_middle + away) else "not exactly"
print(f"The extra cost of each place is {exact} its squared distance from the mean.")

# %% [markdown]
# That is one reason why this field measures with squares: for them, the best place is a plain mean.
#
# **Exercise 02.3** (medium, 8 minutes). Move every codeword to the mean of its points. A codeword
# may have no points at all; then it stays where it was.


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
# Once the codewords have moved, some points are nearer to another codeword than to their own. So we assign
# again, move again, and so on, until no point changes its codeword. That is **k-means**, in the form that S.
# Lloyd wrote down. The usual start puts the codewords on randomly chosen points.
#
# The slider below goes by *half-steps*: assign, move, assign, move. After a move, the picture still shows the
# old cells, so that you can see each codeword in the middle of its points. Small white marks show where each
# codeword began.

# %%
KMeansSliders(points)

# %% [markdown]
# (With the keyboard, Tab reaches a slider and the arrow keys move it.)
#
# **Try it.**
#
# 1. Step from 0 on. Which of the first half-steps lowers the distortion most?
# 2. Set the half-step to its right end and go through the random starts, first with four codewords and then with
#    eight. Do all of them end with the same distortion?
# 3. Set K to 1. After how many half-steps does it stand still, and where?
#
# <details><summary>What to see</summary>
#
# 1. Usually the first move: a random start is far from good, so the first correction is the largest.
# 2. With four codewords, one for each group, they do. With eight they do not: some starts end higher than others,
#    although nothing goes wrong on the way.
# 3. After the first move, on the mean of all points. With one codeword there is nothing to assign.
#
# </details>
#
# ## See why it must stop
#
# Does k-means ever end? Look at the two halves. Assigning cannot raise the distortion, because every point takes
# its *nearest* codeword. Moving cannot raise it either, because every codeword takes the *best* place for its
# points. So the distortion can only fall. And as there are only finitely many ways to share the points among the
# codewords, it has to stop falling at some time.
#
# We let a hundred runs go until they stop, and check the argument on each of their half-steps.

# %% tags=["claim", "hide-input"]
rises, unfinished = 0, 0
for seed in range(100):
    start = start_on_points(points, 2 + seed % 7, random_state=seed)
    steps = kmeans_steps(points, start, n_rounds=100)
    course = np.array([step.distortion for step in steps[1:]])
    rises += int((np.diff(course) > 1e-12).sum())
    unfinished += not np.array_equal(steps[-1].assignment, steps[-3].assignment)
print(
    f"In 100 runs, {rises} half-steps raised the distortion, and {unfinished} runs did not come to a stop."
)

start = start_on_points(points, 4, random_state=0).astype(np.float32)
ours = kmeans_steps(points, start)[-1].codewords
theirs = kmeans(points, 4, seed=0, start=start, n_iterations=50)
same = "the same" if np.allclose(ours, theirs, atol=1e-4) else "other"
print(f"From the same start, faiss arrives at {same} codewords as our loop.")

# %% [markdown]
# ## Place the codewords yourself
#
# It stops, but does it stop at the best place? Here are three groups and three codewords, and you may try to beat
# the machine. First bring the distortion down by hand: drag the codewords. Then let k-means go on from your
# places, with the slider that counts its rounds. If you grab a codeword again, you take over from there.
#
# (With the keyboard, Tab reaches a codeword and the arrow keys move it, with Shift in small steps; Home puts it
# back.)
#
# **Try it.** Find a start from which k-means ends *far above* the best known distortion, however
# many rounds you give it.

# %% tags=["hide-input"]
groups = make_blobs_2d(40, 3, random_state=2, spread=0.14).x
ends = [
    kmeans_steps(groups, start_on_points(groups, 3, random_state=seed))[-1].distortion
    for seed in range(100)
]
CodewordExplorer(groups, [[-0.3, 0.5], [0.3, -0.3], [0.7, 0.6]], best=min(ends))

# %% [markdown]
# <details><summary>One way to do it</summary>
#
# Put two codewords into one group and let the third stand between the other two groups. The two share their
# group fairly, the third sits in the middle of its two, and no point is nearer to another codeword than to its
# own. So nothing moves, although a better solution exists.
#
# </details>
#
# k-means goes downhill and only downhill, so it ends in the valley in which it began. A **local optimum**, as
# such a valley floor is called, can be far above the best one. How often does that happen? Here is where a
# hundred random starts end on these three groups.

# %% tags=["hide-input"]
ends = np.array(ends)
show(
    draw_ends(ends),
    alt="A hundred dots, the ends of a hundred runs sorted by distortion. A long row of dots lies on the "
    "dashed line, the best end; then the dots jump up to ends that are several times as bad.",
    caption="Each dot is one run. The dashed line is the best end that was found.",
)

# %% tags=["claim", "hide-input"]
stuck = ends > 1.5 * ends.min()
print(f"{stuck.sum()} of the {len(ends)} runs end at more than 1.5 times the best distortion.")

# %% [markdown]
# So the remedy is simple: start several times from different points, and keep the best end.
#
# ## Bring a dead codeword back
#
# A codeword can stand so far off that no point has it as its nearest. As long as that is so it does not move, and
# we call it **dead**. It takes up a row of the codebook, and no code names it. When the others move, it may win
# points back by luck, but nothing makes sure that it does.
#
# One remedy is to put it where the need is greatest, on the point that is farthest from its own
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

# %% tags=["hide-input"]
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
    caption="The numbers above the first and the last panel are their distortions.",
)  # fmt: skip

# %% tags=["hide-input"]
dead_before = np.bincount(stopped.assignment, minlength=4) == 0
dead_after = np.bincount(again.assignment, minlength=4) == 0
stayed = "is still where it began" if np.array_equal(stopped.codewords[3], far_off[3]) else "moved"
lower = "lower" if again.distortion < stopped.distortion else "no lower"
print(f"When k-means has stopped, {dead_before.sum()} codeword is dead; it {stayed}.")
print(f"Revived, {dead_after.sum()} are dead, and the distortion is {lower}.")

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
# <details><summary>What to see</summary>
#
# With 0 rounds you see the ten pictures on which the codewords began. One round already blurs them into means of
# their cells, and after three they look much as they do at the end. Which digits get two codewords, and which get
# none, depends on the start alone: k-means has no idea that there are ten kinds.
#
# </details>
#
# ## Count the bits
#
# To name one of $K$ codewords takes $\log_2 K$ bits, so the codebook doubles with each further bit. What does a
# bit buy? We measure how much distortion is left, as a share of what a single codeword leaves. Dots show the
# vectors from which the codewords were learned; squares show **held-out** vectors, which the codewords have
# never seen.

# %% tags=["hide-input"]
Guess.of("02 a bit")


# %% tags=["hide-input"]
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

# %% tags=["claim", "hide-input"]
slopes = {}
for title, curves in left.items():
    inside, outside = np.array(curves["learned from"]), np.array(curves["held out"])
    falls = "lowers" if (np.diff(inside) < 0).all() else "does not always lower"
    worse = "more" if outside[-1] > inside[-1] else "no more"
    tenth = "less" if inside[4] < 0.1 else "more"
    print(
        f"{title}: every further bit {falls} the distortion. At 4 bits {tenth} than a tenth is left."
    )
    print(f"    At 8 bits, held-out vectors are distorted {worse} than those learned from.")

# %% [markdown]
# Read two things from the picture.
#
# - **In the plane a few bits are enough. In a space of many numbers each bit buys less.**
# - **The two curves part.** The more codewords there are, the fewer vectors each of them is the mean of. It then
#   fits those few vectors, and not others of their kind. With a codeword on every vector the dots would be at zero,
#   and nothing would have been learned.
#
# ## Explain the slopes: the rate law
#
# Why does a bit buy less when vectors have many numbers? Imagine points spread evenly over a square, and codewords on a
# grid. To halve the distance to the nearest codeword in a plane you need four times as many codewords; in a
# space of `dim` numbers you need $2^{\text{dim}}$ times as many. Those cost `dim` bits, and half the distance is
# a quarter of the distortion $D$. So each bit, $b$ of them in all, divides the distortion by $2^{2/\text{dim}}$:
#
# $$D \;\sim\; 2^{-2b/\text{dim}} .$$
#
# In the plane, `dim` = 2, a bit halves the distortion. With `dim` = 64 it would save only two percent, and our
# digits do much better than that. The reason is that digits do not fill their space: most pictures of 64 random
# pixels are no digit. What counts is how many directions the data really use, and we can turn the law round
# and read that number from the slope. It is called an **effective dimension**.

# %% tags=["claim", "hide-input"]
effective = {
    title: [-2 * 3 / np.log2(shares[6] / shares[3]) for shares in curves.values()]
    for title, curves in left.items()
}
print(f"One bit at 64 dimensions saves {1 - 2 ** (-2 / 64):.1%} of the distortion.")
print("From 3 bits to 6 the distortion falls as in so many dimensions:")
for title, (learned, held_out) in effective.items():
    print(f"{title}: {learned:.0f} on the vectors learned from, {held_out:.0f} on held-out ones")

# %% [markdown]
# The plane comes out as two or three dimensions, and the digits behave as if they had six to eight numbers instead
# of 64. Why two answers? With few vectors for each codeword, the distortion of those learned from falls too fast,
# and that of held-out ones too slowly, so the truth lies between them. (The law holds for many codewords and smooth
# data, so take it as a rule of thumb.)
#
# **Try it.** Let the plane's codewords learn from four times as many points: open the cell above the picture and
# change the first `make_blobs_2d(100, ...)` to 400. How far apart are the two curves at eight bits now?
#
# <details><summary>What to see</summary>
#
# They come much closer together. With four times as many points for each codeword, a codeword learns the
# neighbourhood in which it lives and not the few points it has met.
#
# </details>
#
# ## See why one codebook cannot grow
#
# Suppose we want codes of 64 bits, because 8 bytes for each vector are easy to afford. What would the codebook cost
# in memory, and how long would it take to encode a single vector?

# %% tags=["claim", "hide-input"]
dim, per_second = 64, 10**9


def readable(x):
    """A number without powers of ten."""
    if x < 0.001:
        return "< 0.001"
    return f"{x:,.0f}" if x >= 1 else f"{x:.3f}"


print("bits                   codewords   GB of codebook   seconds to encode one vector")
for n_bits in (8, 16, 32, 64):
    K = 2**n_bits
    gigabytes, seconds = readable(K * dim * 4 / 1e9), readable(K / per_second)
    print(f"{n_bits:4} {K:27,} {gigabytes:>16} {seconds:>30}")
years = 2**64 / per_second / (365 * 24 * 3600)
print(f"The last number is {years:,.0f} years, at a billion comparisons a second.")

# %% [markdown]
# Memory, time and data all run out long before 64 bits. (Data, because every codeword needs a few vectors to
# learn from.) And yet the codes themselves are just what we want: eight bytes for a vector is a fair price. What
# we cannot have is *one* list with a row for each code.
#
# The way out is a small trick with large consequences: cut the vector into subvectors, give each of them a short
# codebook of its own, and combine. [Chapter 03](03_product_quantization.ipynb) does that.
#
# ## What to remember
#
# - A quantizer replaces a vector by the number of its nearest codeword. What is lost is the distortion, a
#   mean of squared distances.
# - k-means assigns, moves, and repeats. Neither half can raise the distortion.
# - It ends in the valley where it began, so start several times and keep the best.
# - A codeword without points is dead; put it where the distortion is large.
# - $K$ codewords take $\log_2 K$ bits. Each bit divides the distortion by about $2^{2/\text{dim}}$, where dim is the
#   *effective* dimension of the data, and doubles the memory, the time and the data that the codebook needs.
#
# ## Quiz
#
# 1. Two codewords stand at the same place. What does `argmin` do with the points around them, and
#    what becomes of the second one?
# 2. You plot the distortion of your own k-means, and once in a while the curve rises. What can you conclude?
# 3. How many bits does a code have if it names one of 1,000 codewords and takes a whole number of bits?
# 4. With $K = N$ the distortion can be zero. Why is that no success?
# 5. Someone replaces the squared distances by plain ones, but still moves each codeword to the mean. Does the
#    mean *plain* distance have to fall?
#
# <details><summary>Answers</summary>
#
# 1. It gives them all to the first of the two. The second has no points in this round, so it stays where it is.
#    Once the first has moved away, it may win some of them back.
# 2. There is a mistake in the program, because neither half-step can raise the distortion.
# 3. Ten, because nine bits name only 512 codewords.
# 4. The codebook is the database itself, so nothing is saved, and held-out vectors are distorted
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
