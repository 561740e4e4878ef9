# %% [markdown]
# # Snap the gradient to a codeword
#
# **What you will do.** Build the gradient snapping layer, first for one point in the plane, then
# meet the same rule as a PyTorch layer.
#
# **What you will learn.** Why a pull to the *nearest* codeword can work against the similarity loss,
# how a pull to a *descending* codeword cannot, and what remains to be decided where no codeword
# descends.
#
# **What you need.** Vectors, dot products, the idea of gradient descent. Chapter 05 shows the fault that
# is mended here, chapter 03 where codewords come from. No downloads. About 50 minutes, 20 of them for the
# four exercises.
#
# > The layer is from Liu and Lu, [arXiv 1610.09645](https://arxiv.org/abs/1610.09645). Only its
# > abstract was at hand. **Every formula in this chapter is our reconstruction.** The first abstract
# > calls the snapped gradient *unbiased*; a later one says that it *works better*. Here you can look
# > for yourself.

# %%
from dataclasses import replace

import numpy as np

from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.plane import draw_fields, draw_paths, draw_snap
from gsl_tutorial.course.toys.plane import Plane, cosine
from gsl_tutorial.course.toys.plane_methods import method_gradient, run_method
from gsl_tutorial.course.widgets import GradientExplorer, Guess
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.snapping.by_hand import descending_codeword, snap_gradient_numpy

# %% [markdown]
# ## Meet the two pulls
#
# The plane holds nine **codewords** (c), grey squares. A **point** (z), the black disc, should come
# near its **partner**, the star: they belong to the same class. The **similarity loss** (L) is half
# the squared distance to the star, and its **gradient** (g = dL/dz) points away from the star, so
# $-g$ points towards it.
#
# We also want the point to lie on a codeword, so that a short code describes it well. The usual way
# adds a **penalty** to the loss: a **strength** (λ) times the squared distance to the *nearest*
# codeword. Its pull knows nothing of the star.
#
# The picture shows four arrows. Three you know from chapter 05: the descent $-g$, the pull to the nearest
# codeword, and their sum, which is what the penalty does. The fourth, thick and green, is the **snapped
# step**, which this chapter builds.

# %%
codewords = np.array(
    [
        [-0.80, 0.70], [-0.10, 0.85], [0.75, 0.70],
        [-0.75, -0.05], [0.10, 0.10], [0.85, -0.10],
        [-0.60, -0.80], [0.15, -0.75], [0.80, -0.85],
    ]
)  # fmt: skip
plane = Plane(codewords, partner=np.array([-0.45, 0.45]))
point = np.array([-0.20, 0.20])
show(
    draw_snap(plane, point, strength=1.5, n_candidates=3),
    alt="A point between its partner on the upper left and its nearest codeword on the lower right. "
    "The penalty's arrow points away from the partner, out of the shaded half-plane; the snapped "
    "arrow stays inside: the descent and a pull to the codeword above, added up.",
)

# %% [markdown]
# The shaded half-plane is where the similarity loss falls. The dash-dotted arrow, the sum of loss
# and penalty, leaves it: the point is sent **uphill**. The next cell measures how much, by the cosine
# between $g$ and the gradient that is used instead: 1 where they agree, below 0 where the step goes uphill.

# %% tags=["claim"]
z = point[None]
with_penalty = plane.penalized(z, strength=1.5)
rule = SnapOptions(strength=1.5, n_candidates=3, step=0.5)
snapped = plane.snapped(z, rule)
print(f"cosine with g, penalty: {cosine(with_penalty, plane.gradient(z))[0]:+.2f}")
print(f"cosine with g, snapped: {cosine(snapped, plane.gradient(z))[0]:+.2f}")

# %% [markdown]
# ## Find the codewords that descend
#
# Moving from $z$ a little towards a codeword $c$ changes the loss by about $g \cdot (c - z)$. The
# codeword **descends** when that is negative:
#
# $$\langle -g,\; c - z \rangle > 0 .$$
#
# A codeword at a right angle to $g$ does not descend. There are $K$ codewords of $d$ numbers each (here 9
# and 2).
#
# **Exercise 06.1** (easy, 4 minutes). Write this test for all codewords at once.


# %% tags=["exercise"]
def descends(g, z, codewords):
    """(d,), (d,), (K, d) -> (K,) booleans."""
    # BEGIN SOLUTION
    return (codewords - z) @ -g > 0
    # END SOLUTION


check.descends(descends)

# %%
hint("06.1")

# %% [markdown]
# ## Choose one of them
#
# Look only at the **n nearest** codewords: the *candidates*, ringed in the picture (there n is 3). A far
# codeword may lie in a better direction, but the point would cross many cells on its way, and would not be
# near any codeword soon. Among the candidates choose the one whose direction makes the smallest angle with
# $-g$. Call it $c^*$.
#
# **Exercise 06.2** (medium, 6 minutes). Return its position in `candidates`, counted from 0, or `None` where
# no candidate descends.


# %% tags=["exercise"]
def choose(g, z, candidates):
    """(d,), (d,), (n, d) -> position of c*, or None."""
    # BEGIN SOLUTION
    directions = candidates - z
    cosines = directions @ -g / np.linalg.norm(directions, axis=1) / np.linalg.norm(g)
    best = int(cosines.argmax())
    return best if cosines[best] > 0 else None
    # END SOLUTION


check.choose(choose)

# %%
hint("06.2")

# %% [markdown]
# **Try it.** Look at the first picture and guess: how many candidates does it take until one descends? The
# package has the same rule, `descending_codeword`; it returns the codeword itself, not its position.

# %% tags=["claim"]
g = plane.gradient(point[None])[0]
for n in (1, 2, 3, 4, 9):
    chosen = descending_codeword(g, point, plane.candidates(point[None], n)[0])
    print(f"n = {n}: {'no candidate descends' if chosen is None else f'c* = {chosen}'}")

# %% [markdown]
# ## Send the gradient there
#
# Three readings of "regularize the gradient towards a neighbouring codeword", three **forms**:
#
# | form | what leaves the layer |
# | --- | --- |
# | `replace` | only the part of $g$ along the line to $c^*$ (`length="projected"`), or all of its length turned into that line (`"full"`) |
# | `pull` | $g + 2\lambda\,(z - c^*)/N$: the similarity gradient passes whole, and $c^*$ pulls; $N$ is the size of the batch |
# | `look-ahead` | the same pull, to the candidate nearest to $z - \eta g$, the place where one step (η) of the loss alone would send $z$ |
#
# All three are gradients: training steps along their *negative*. Here are the three from one point, with the
# four nearest codewords as candidates. Watch the thick arrow: in `replace` it lies on the line to $c^*$, in
# `pull` it is the sum of the descent and a pull to $c^*$, in `look-ahead` the pull goes to another codeword.

# %%
for form, text in [
    (
        "replace",
        "The snapped arrow lies on the line to the chosen codeword, on the left, and is short.",
    ),
    ("pull", "The snapped arrow is the descent plus a pull to that codeword."),
    (
        "look-ahead",
        "The pull goes to the codeword on the right, the one nearest to z - eta g. Here it is the "
        "nearest to z, too, so the snapped arrow lies on that of the penalty.",
    ),
]:
    print(f"form: {form}")
    show(draw_snap(plane, (-0.25, -0.1), strength=0.6, step=0.5, form=form), alt=text, dpi=80)

# %% [markdown]
# **Exercise 06.3** (medium, 6 minutes). Write `replace`, with the projected length, for one point and one
# chosen codeword (which is not at the point itself).


# %% tags=["exercise"]
def replace_gradient(g, z, c):
    """(d,), (d,), (d,) -> (d,): the projection of g on the line from z to c."""
    # BEGIN SOLUTION
    u = (c - z) / np.linalg.norm(c - z)
    return (g @ u) * u
    # END SOLUTION


check.replace_gradient(replace_gradient)

# %%
hint("06.3")

# %% [markdown]
# **Exercise 06.4** (easy, 4 minutes). Write `pull` for the same. The loss is a mean over the batch, so the pull
# is divided by the batch size.


# %% tags=["exercise"]
def pull_gradient(g, z, c, strength, batch):
    """(d,), (d,), (d,), number, number -> (d,)."""
    # BEGIN SOLUTION
    return g + 2 * strength * (z - c) / batch
    # END SOLUTION


check.pull_gradient(pull_gradient)

# %%
hint("06.4")

# %% [markdown]
# ## Say what happens where nothing descends
#
# Near the border of the codebook all candidates may lie uphill. Then a **fallback** decides, and no
# fallback is free:
#
# | fallback | `replace` gives | `pull` gives |
# | --- | --- | --- |
# | `zero` | 0: the point waits | $g$ alone |
# | `keep` | $g$ alone | $g$ alone |
# | `nearest` | $g$ and a pull to the nearest codeword, shortened so that the sum does not go uphill | the same |
#
# `look-ahead` needs no fallback: some candidate is always nearest. The price is that its pull may go
# uphill; *never uphill*, which the last section tries out, holds for the two other forms only.

# %% tags=["claim"]
corner = Plane(codewords, partner=np.array([-1.1, 1.1]))
lonely = np.array([[-0.95, 0.75]])
for fallback in ("zero", "keep", "nearest"):
    few = SnapOptions(n_candidates=2, form="replace", fallback=fallback, strength=0.5)
    left = corner.snapped(lonely, few)[0]
    print(f"{fallback:8} -> gradient {np.round(left, 2) + 0.0}")

# %%
show(
    draw_snap(corner, lonely[0], n_candidates=2, form="replace", fallback="nearest", strength=0.5),
    alt="A point in the upper left corner whose partner is further out: both candidates lie outside "
    "the shaded half-plane. The fallback adds a pull to the nearest one; the snapped arrow still "
    "points into the half-plane, but it is shorter than the descent.",
    dpi=80,
)

# %% [markdown]
# ## Drag and see
#
# Now the whole rule by hand. The same world, alive: the point, the codewords and the star can be dragged
# (with the keyboard: Tab walks from one to the next, the arrow keys move it, Home puts it back). Candidates
# are ringed, the chosen codeword has a green diamond round it, and the thick green arrow is the snapped
# step.
#
# The point stands a little below the codeword in the middle, with the star on the upper left. Soon you
# will drag it straight down, over the border of its cell.

# %%
Guess.of("06 border")

# %%
GradientExplorer(codewords, similar=[plane.partner], dissimilar=(), point=(0.1, -0.2), strength=1.5)

# %% [markdown]
# The same in numbers, a step before the border and a step behind it (what is printed is the step, minus the
# gradient: across, up):

# %%
for place in ((0.1, -0.30), (0.1, -0.35)):
    z = np.array([place])
    summed, snapped = plane.penalized(z, 1.5), plane.snapped(z, rule)
    print(f"at {place}: sum {-summed[0].round(2)}   snapped {-snapped[0].round(2)}")

# %% [markdown]
# **Try it.**
#
# - Find a place where the penalty goes uphill and the snapped step does not.
# - Find the place where the chosen codeword flips. It is no border of a cell: what does change there?
# - Set n to 1. When does the snapped step become the descent alone? Choose the form `replace`: when does
#   it vanish, and which fallback brings it back?
# - Choose `look-ahead` and search for a place where it goes uphill, too.
#
# <details><summary>What to see</summary>
#
# Places around the star are of the first kind; the next section marks them with crosses. The choice flips
# where two candidates make the same angle with $-g$, or where a codeword becomes one of
# the n nearest or ceases to be. With n = 1 the one candidate is the nearest codeword. Where it lies
# uphill, `pull` leaves $g$ alone and `replace` nothing at all; `keep` and `nearest` bring a step back.
#
# </details>
#
# ## Compare the rivals' fields
#
# Others have asked how to train towards codewords, and answered differently:
#
# - **penalty**: add the squared distance to the nearest codeword to the loss;
# - **straight-through** ([arXiv 1308.3432](https://arxiv.org/abs/1308.3432)): ask for the gradient *at
#   the codeword*, use it at the point;
# - **rotation** ([arXiv 2410.06424](https://arxiv.org/abs/2410.06424)): the same, but turn and stretch
#   that gradient as the point would have to be turned and stretched to become its codeword.
#
# The last two keep a penalty as well, or the points would never come near a codeword. One arrow for
# each place, all over the same loss; crosses mark the places that are sent uphill.
#
# **Guess first.** Under straight-through, what do all arrows within one cell have in common, apart from
# the penalty's part?

# %%
line = np.linspace(-1.1, 1.1, 12)
grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def field(method, **how):
    return method_gradient(plane, grid, method, replace(rule, **how))


fields = {
    "similarity alone": field("similarity"),
    "penalty": field("penalty"),
    "straight-through": field("straight-through"),
    "rotation": field("rotation"),
    "snap: pull": field("snap", form="pull"),
    "snap: replace": field("snap", form="replace"),
    "snap: look-ahead": field("snap", form="look-ahead"),
}
show(
    draw_fields(plane, fields, grid),
    alt="Seven fields of arrows over the same loss and codewords. Under the penalty, straight-through and "
    "rotation the arrows around the partner point away from it, to the codewords; under pull "
    "and replace none does, under look-ahead a few do.",
    dpi=80,
)

# %% tags=["claim"]
for name, arrows in fields.items():
    uphill = (arrows * plane.gradient(grid)).sum(axis=1) < -1e-12
    print(f"{name:17} sends {uphill.mean():4.0%} of the places uphill")

# %% [markdown]
# Within one cell straight-through hands the same similarity arrow to every place: that of the codeword.
# Only the penalty's part differs. A field with uphill places is not refuted by this picture: real
# codewords follow the points (chapter 07), and what counts is what is found in the end. The study at the
# end of chapter 07 trains real networks with all of them.
#
# ## Follow the points down
#
# Forty points, sixty steps. Guess first: which rule ends nearest to the star, which one nearest to
# codewords?

# %%
starts = np.random.default_rng(3).uniform(-1.1, 1.1, size=(40, 2))
ways = {
    "similarity": ("similarity", rule),
    "penalty": ("penalty", rule),
    "pull": ("snap", rule),
    "replace": ("snap", replace(rule, form="replace")),
}
paths = {name: run_method(plane, starts, *way, n_steps=60, rate=0.1) for name, way in ways.items()}
show(
    draw_paths(plane, paths),
    alt="Paths of forty points. Under the penalty they gather at a few places, each between a codeword "
    "and the partner. Under pull they all arrive around the partner. Under replace they run along "
    "lines to codewords; most come near the partner, some stop early.",
    dpi=90,
)

# %% tags=["claim"]
for name, path in paths.items():
    end = path[-1]
    distortion = ((end - plane.reconstruct(end)) ** 2).sum(axis=1).mean()
    print(f"{name:11} loss {plane.loss(end).mean():.2f}   distortion {distortion:.2f}")

# %% [markdown]
# Read the table as it stands. The penalty gives compact points that are far from their partner: it
# traded one for the other. `pull` gave up almost none of the similarity loss, `replace` less than half
# of what the penalty did. But here, with codewords that never move, `pull` stays about as far from the
# codewords as plain descent, because the star is not on one. Codewords that follow the points
# (chapter 07) change that picture; chapter 08 measures it on digits.
#
# ## Read the layer
#
# In PyTorch the rule works on a whole batch and all subspaces at once. Forward, the layer is the
# identity; the backward pass calls one function. In its formulas `n` runs over the batch, `m` over the
# pieces, `j` over the candidates and `d` over the numbers of a piece.

# %%
import inspect

from gsl_tutorial.snapping.rule import snap_unrounded

print(inspect.getsource(snap_unrounded).split('"""')[2])

# %% [markdown]
# Three properties hold exactly, whatever the numbers. The cell tries a thousand random cases of each.

# %% tags=["claim"]
import torch

from gsl_tutorial import GradientSnapping, ProductQuantizer, snap_gradient

rng = np.random.default_rng(0)
identity, never_uphill, agree = True, True, True
for case in range(1000):
    N, M, d, n = rng.integers(1, 5, size=4)
    form = ("replace", "pull")[case % 2]
    fallback = ("zero", "keep", "nearest")[case % 3]
    g, z = torch.from_numpy(rng.normal(size=(2, N, M, d)))
    c = torch.from_numpy(rng.normal(size=(N, M, n, d)))
    out = snap_gradient(g, z, c, form=form, fallback=fallback)
    twin = snap_gradient_numpy(g.numpy(), z.numpy(), c.numpy(), form=form, fallback=fallback)
    never_uphill &= bool(((out * g).sum(-1) >= 0).all())
    agree &= np.allclose(out, twin)

    pq = ProductQuantizer(int(M), int(n) + 1).with_codebooks(rng.normal(size=(M, n + 1, d)))
    layer = GradientSnapping(pq, n_candidates=int(n))
    flat = torch.from_numpy(rng.normal(size=(N, M * d))).float()
    identity &= torch.equal(layer(flat), flat)
print("forward is the identity, bit for bit:", identity)
print("never uphill, in every subspace:     ", never_uphill)
print("equals the plain NumPy rule:         ", agree)

# %% [markdown]
# ## What to remember
#
# - A penalty pulls to the nearest codeword and can send a point uphill.
# - Snapping looks at a few candidates and pulls only to one that descends.
# - The layer is the identity forward; only the backward pass changes.
# - Where nothing descends, something must be decided: the fallback is an argument, not a secret.
#
# ## Quiz
#
# 1. The nearest codeword lies exactly at a right angle to $-g$. Does it descend?
# 2. With `form="pull"` and a candidate that descends, can the result be shorter than $g$?
# 3. Why is `n` not simply K, all codewords?
#
# <details><summary>Answers</summary>
#
# 1. No: the product is 0, and descending needs more than 0.
# 2. No. The pull's gradient makes an angle below 90 degrees with $g$, so the sum is longer than $g$.
#    Only the fallback `nearest` can shorten it, as in the corner above.
# 3. The best aligned codeword of all may be far away: the point would cross many cells and would not be near
#    any codeword soon.
#
# </details>
#
# ## Further reading
#
# - Liu and Lu, *Accurate Deep Representation Quantization with Gradient Snapping Layer for Similarity
#   Search*, [arXiv 1610.09645](https://arxiv.org/abs/1610.09645), 2016: the abstract that this chapter
#   reconstructs.
# - Bengio, Léonard and Courville, *Estimating or Propagating Gradients Through Stochastic Neurons for
#   Conditional Computation*, [arXiv 1308.3432](https://arxiv.org/abs/1308.3432), 2013: the straight-through
#   estimator.
# - Fifty et al., *Restructuring Vector Quantization with the Rotation Trick*,
#   [arXiv 2410.06424](https://arxiv.org/abs/2410.06424), 2024: another answer to the same question.
