# %% [markdown]
# # Snap the gradient to a codeword
#
# A penalty pulls a point to the *nearest* codeword, even where that works against what you train for. Could we ask
# first, and pull it only to a codeword that lies in the right direction? In this chapter you write the layer that
# does so, and then watch what it changes when the codewords learn, too.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Build the gradient snapping layer, first for one point in the plane and then as
# a PyTorch layer that trains a small network. At the end you will watch sixty points and nine codewords learn together, once with the
# usual penalty and once with your layer.
#
# **What you will learn.** Why a pull to the *nearest* codeword can work against the similarity loss, why
# a pull to a *descending* codeword cannot, what has to be decided where no codeword descends, and when
# all of this makes a difference.
#
# **What you need.** Vectors, dot products and the idea of gradient descent. Chapter 05 shows the problem
# that we solve here, and chapter 03 explains where codewords come from. No downloads. About 70 minutes,
# 35 of them for the five exercises.
#
# </details>
#
# *The formulas are [our reconstruction](00_start_here.ipynb#Know-where-the-formulas-come-from).*

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np

from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.plane import draw_fields, draw_paths, draw_snap
from gsl_tutorial.course.toys.plane import Plane, cosine
from gsl_tutorial.course.toys.plane_methods import method_gradient, run_method
from gsl_tutorial.course.toys.plane_turns import POSITIVES, TurnsPlane, random_starts
from gsl_tutorial.course.widgets import GradientExplorer, Guess, TurnsExplorer
from gsl_tutorial.course.widgets.explorer_play import PRESETS, TOUR
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.snapping.by_hand import descending_codeword, snap_gradient_numpy

# %% [markdown]
# ## Meet the two pulls
#
# You know this plane from chapter 05. A **point** (z), the black disc, belongs to the same class as its
# **positive**, the star, so the two should come close. (The code calls it the `partner`.) The
# **similarity loss** (L) is half the squared distance between them. Its **gradient** (g = dL/dz) points
# away from the star, so $-g$ points towards it.
#
# There is a second wish. Later we will store the point as a short code, the index of one of the nine
# **codewords** (c), the grey squares, so we would like it to sit close to one of them. The usual recipe is
# a **quantization penalty**: a **strength** (λ) times the squared distance to the *nearest* codeword. Its
# pull knows nothing about the star, and that is the problem.
#
# The picture shows four arrows. Three are those of chapter 05: the descent $-g$, the pull to the nearest
# codeword, and their sum, along which the penalty sends the point. The fourth, thick and green, is the
# **snapped step**. You will build it in this chapter.

# %% tags=["hide-input"]
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
    alt="A point between its positive on the upper left and its nearest codeword on the lower right. "
    "The penalty's arrow points away from the positive, out of the shaded half-plane; the snapped "
    "arrow stays inside: the descent and a pull to the codeword above, added up.",
    caption="The point, its positive (the star), the nine codewords, and four arrows. Which of the arrows leave the shaded half-plane?",
)

# %% [markdown]
# In the shaded half-plane a small step lowers the similarity loss. Two arrows leave it: the pull to the nearest
# codeword, and the sum of descent and pull (dash-dotted). Training follows the sum, so the point is sent **uphill**.
# How far off is it? The next cell computes the cosine between $g$ and the gradient that each method uses instead. It
# is 1 where the two agree, and below 0 where even a small step raises the loss.
#
# Why a *small* step? A gradient only speaks about the immediate neighbourhood of a point. If you walk to
# the end of a long arrow, you may well end up farther from the star than you started, even if the arrow
# points downhill at first.

# %% tags=["claim", "hide-input"]
z = point[None]
with_penalty = plane.penalized(z, strength=1.5)
rule = SnapOptions(strength=1.5, n_candidates=3, step=0.5)
snapped = plane.snapped(z, rule)
print(f"cosine with g, penalty: {cosine(with_penalty, plane.gradient(z))[0]:+.2f}")
print(f"cosine with g, snapped: {cosine(snapped, plane.gradient(z))[0]:+.2f}")

# %% [markdown]
# ## Find the codewords that descend
#
# If the nearest codeword lies uphill, could we pull the point to another one? We need a test that says
# which codewords are harmless. Moving $z$ a small fraction $t$ of the way to a codeword $c$ changes the
# loss by about $t\, g \cdot (c - z)$. We say that the codeword **descends** when this is negative:
#
# $$\langle -g,\; c - z \rangle > 0 .$$
#
# In words: the way to the codeword and the way downhill make an angle of less than 90 degrees. A codeword
# at exactly a right angle does not descend. There are $K$ codewords of $d$ numbers each (here 9 and 2).
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
# Usually several codewords descend, so we have to choose. We look only at the **n nearest** ones, the
# **candidates**, which are ringed in the picture (there n is 3). A codeword far away may lie in a better
# direction, but the point would have to cross many cells to get there, and for a long time it would not be
# close to any codeword. Among the candidates we take the one whose direction makes the smallest angle with
# $-g$, and call it $c^*$.
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
# Look at the first picture again. How many candidates do we need until one of them descends?

# %% tags=["hide-input"]
Guess.of("06 candidates")

# %% [markdown]
# The package has the same rule as `descending_codeword`. It returns the codeword itself instead of its position.

# %%
g = plane.gradient(point[None])[0]
for n in (1, 2, 3, 4, 9):
    chosen = descending_codeword(g, point, plane.candidates(point[None], n)[0])
    print(f"n = {n}: {'no candidate descends' if chosen is None else f'c* = {chosen}'}")

# %% [markdown]
# ## Send the gradient there
#
# The abstract says that the gradient is regularized "towards a neighbouring codeword". That can be read in
# three ways, so the layer has three **forms**:
#
# | form | what leaves the layer |
# | --- | --- |
# | `replace` | only the part of $g$ along the line to $c^*$ (`length="projected"`), or all of its length turned into that line (`"full"`) |
# | `pull` | $g + 2\lambda\,(z - c^*)/N$: the similarity gradient passes whole, and $c^*$ pulls; $N$ is the size of the batch |
# | `look-ahead` | the same pull, to the candidate nearest to $z - \eta g$, the place where one step (η) of the loss alone would send $z$ |
#
# All three are gradients, so training steps along their *negative*. Here they are at one point near a border,
# with the four nearest codewords as candidates. Watch the thick arrow. With `replace` it lies on the line to
# $c^*$, on the upper left, and with `pull` it is the sum of the descent and a pull to $c^*$. With `look-ahead`
# the pull goes to the codeword on the left: a step of the loss alone would cross the border into its cell.

# %% tags=["hide-input"]
for form, text in [
    (
        "replace",
        "The snapped arrow lies on the line to the chosen codeword, on the upper left, and is short.",
    ),
    ("pull", "The snapped arrow is the descent plus a pull to that codeword."),
    (
        "look-ahead",
        "The pull goes to the codeword on the left, the one nearest to z - eta g, while the nearest to "
        "z itself is on the right. The snapped arrow leads to the left and a little up.",
    ),
]:
    print(f"form: {form}")
    show(draw_snap(plane, (-0.3, 0.05), strength=0.6, step=0.5, form=form), alt=text, dpi=80)

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
# **Exercise 06.4** (easy, 4 minutes). Write `pull` for one point and its chosen codeword: the gradient
# $g + 2\lambda\,(z - c^*)/N$ of the table above, with `batch` for $N$. (The loss is a mean over the batch, so the
# pull is divided by its size.)


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
# You now have a complete rule for one point: `choose` finds $c^*$, and `pull_gradient` pulls there. Where no
# candidate descends, `my_rule` passes the gradient as it is. A little later, in the section *Drag and see*, this
# function becomes a panel of the picture.


# %%
def my_rule(g, z, candidates, strength):
    """(d,), (d,), (n, d), number -> (d,): what leaves the layer."""
    best = choose(g, z, candidates)
    if best is None:
        return g
    return pull_gradient(g, z, candidates[best], strength, batch=1)


# %% [markdown]
# ## Say what happens where nothing descends
#
# Near the edge of the codebook it can happen that all candidates lie uphill. Then a **fallback** decides.
# There is no perfect choice, so the layer makes it an argument:
#
# | fallback | `replace` gives | `pull` gives |
# | --- | --- | --- |
# | `zero` | 0: the point waits | $g$ alone |
# | `keep` | $g$ alone | $g$ alone |
# | `nearest` | $g$ and a pull to the nearest codeword, shortened so that the sum does not go uphill | the same |
#
# `look-ahead` needs no fallback, because some candidate is always the nearest one to $z - \eta g$. The price
# is that its pull may go uphill. The promise *never uphill*, which we test in the section *Read the layer*, holds
# for the two other forms only.

# %% tags=["claim", "hide-input"]
corner = Plane(codewords, partner=np.array([-1.1, 1.1]))
lonely = np.array([[-0.95, 0.75]])
for fallback in ("zero", "keep", "nearest"):
    few = SnapOptions(n_candidates=2, form="replace", fallback=fallback, strength=3.0)
    left = corner.snapped(lonely, few)[0]
    print(f"{fallback:8} -> gradient {np.round(left, 2) + 0.0}")

# %% tags=["hide-input"]
show(
    draw_snap(corner, lonely[0], n_candidates=2, form="replace", fallback="nearest", strength=3.0),
    alt="A point in the upper left corner whose positive is further out: both candidates lie outside "
    "the shaded half-plane. The arrow of the penalty leaves the half-plane with a long pull to the "
    "nearest one. The fallback shortens that pull, and the snapped arrow runs along the edge.",
    caption="Both candidates lie uphill, so the fallback decides: here a pull to the nearest one, shortened until the sum no longer goes uphill.",
    dpi=80,
)

# %% [markdown]
# ## Build the layer
#
# A network gives us a whole batch of points at once, so a layer has to apply the rule to every row. You have
# all the pieces: find the candidates, choose one of them, and pull. The fallback is `keep`: where no candidate
# descends, the row of $g$ passes as it is.
#
# **Exercise 06.5** (hard, 15 minutes). Write the backward pass of the layer. For each row of `z`, the candidates
# are the `n` codewords nearest to it. Add the pull of 06.4 to the row of `g` where the best aligned candidate
# descends; the batch size is the number of rows. After k-means a codeword may lie exactly *on* a point, when it
# is alone in its cell. That candidate never descends, and your code should survive it. The check goes step by
# step: one candidate first, then several, then the special cases.


# %% tags=["exercise"]
def snap_batch(g, z, codewords, strength, n):
    """(N, d), (N, d), (K, d), number, number -> (N, d): the gradients that leave the layer."""
    # BEGIN SOLUTION
    snapped = g.copy()
    for i in range(len(z)):
        ways = codewords - z[i]
        lengths = np.sqrt((ways**2).sum(axis=1))
        near = lengths.argsort()[:n]
        cosines = ways[near] @ -g[i] / np.maximum(lengths[near], 1e-12)
        best = cosines.argmax()
        if cosines[best] > 0:
            snapped[i] -= 2 * strength * ways[near[best]] / len(z)
    return snapped
    # END SOLUTION


check.snap_batch(snap_batch)

# %%
hint("06.5")

# %% [markdown]
# Now put it into PyTorch. A `torch.autograd.Function` has two halves, and you may write both of them freely: what
# happens on the way forward, and which gradient is handed back. Ours passes `z` unchanged and hands the gradient
# to *your* function. `backward` returns one value for each argument of `forward`, and `None` for those that need
# no gradient.

# %%
import torch
from torch import nn

from gsl_tutorial import GradientSnapping, ProductQuantizer
from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.course.exercises.attempts import attempt


class SnapLayer(torch.autograd.Function):
    """The identity forward; backward, the gradient goes through `snap_batch`."""

    @staticmethod
    def forward(ctx, z, codewords, strength, n):
        """Keep what the way back will need, and pass z."""
        ctx.save_for_backward(z, codewords)
        ctx.strength, ctx.n = strength, n
        return z.view_as(z)

    @staticmethod
    def backward(ctx, g):
        """The gradient for z, and None for the three other arguments."""
        z, codewords = ctx.saved_tensors
        left = snap_batch(g.numpy(), z.numpy(), codewords.numpy(), ctx.strength, ctx.n)
        return torch.from_numpy(left), None, None, None


# %% [markdown]
# Does a network learn through it? The one below squeezes the 64 pixels of a digit into two numbers, so that
# every image is a point in the plane, and a last linear layer tells the ten digits apart. Sixteen codewords are
# fitted again every ten steps. We train it three times from the same start: without a layer, through the
# package's, and through yours, if you have solved 06.5.

# %%
digits = load_digits(random_state=0)
images = torch.tensor(digits.train.x[:300]).double()
labels = torch.tensor(digits.train.labels[:300])


def train(through, n_steps=60):
    """Train on the digits, with the layer `through(z, quantizer)`; return the losses and the points."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2)).double()
    classifier = nn.Linear(2, 10).double()
    weights = [*encoder.parameters(), *classifier.parameters()]
    optimizer = torch.optim.Adam(weights, lr=0.03)
    quantizer, losses = ProductQuantizer(1, 16, random_state=0), []
    for step in range(n_steps):
        z = encoder(images)
        if step % 10 == 0:
            quantizer.fit(z.detach().numpy())
        loss = nn.functional.cross_entropy(classifier(through(z, quantizer)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, encoder(images).detach().numpy()


def through_yours(z, quantizer):
    """Your layer, with the codewords as they are now."""
    codewords = torch.tensor(quantizer.codebooks_[0], dtype=z.dtype)
    return SnapLayer.apply(z, codewords, 1.0, 4)


def through_ours(z, quantizer):
    """The package's layer with the same options."""
    return GradientSnapping(quantizer, n_candidates=4, strength=1.0, fallback="keep")(z)


runs = {"no layer": train(lambda z, quantizer: z), "the package's": train(through_ours)}
if attempt(snap_batch, *np.ones((3, 2, 2)), 1.0, 1) is not None:
    yours = attempt(train, through_yours)
    runs |= {} if yours is None else {"yours": yours}
for name, (losses, points) in runs.items():
    fitted = ProductQuantizer(1, 16, random_state=0).fit(points)
    lost = ((points - fitted.decode(fitted.encode(points))) ** 2).sum() / (
        (points - points.mean(axis=0)) ** 2
    ).sum()
    print(f"{name:13} loss {losses[0]:.2f} -> {losses[-1]:.2f}   relative distortion {lost:.2%}")
if "yours" in runs:
    apart = np.abs(runs["yours"][1] - runs["the package's"][1]).max()
    print(f"After 60 steps your points and the package's differ by at most {apart:.6f}.")

# %% [markdown]
# If you have solved 06.5, the lines of "the package's" and "yours" agree up to rounding: your layer *is* the package's,
# only slower, because it walks through the rows in Python. Now compare them with the first line, the network without a
# layer: what does the layer buy here, and what does it cost? (One seed and sixty steps settle nothing; chapter 08 asks
# this question properly.)
#
# <details><summary>What to see</summary>
#
# With the layer, the points lie closer to their codewords, so the codes lose a smaller share. The price is a similarity
# loss that ends higher.
#
# </details>

# %% [markdown]
# ## Read the layer
#
# The package's layer does the same without a loop: on a whole batch and on all subspaces at once. In the
# forward pass it is the identity, and in the backward pass it calls the one function below. In its formulas `n` runs over the batch, `m` over the subspaces, `j` over the
# candidates and `d` over the numbers of a subvector.

# %%
import inspect

from gsl_tutorial.snapping.rule import snap_unrounded

print(inspect.getsource(snap_unrounded).split('"""')[2])

# %% [markdown]
# Three properties hold for any input. The next cell tries a thousand random cases of each: the forward pass
# changes nothing, the result never goes uphill (for `replace` and `pull`), and the layer agrees with the
# plain NumPy rule.

# %% tags=["claim", "hide-input"]
from gsl_tutorial import snap_gradient

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
assert identity
assert never_uphill
assert agree
print("In 1,000 random cases, the forward pass returned its input bit for bit,")
print("no result went uphill in any subspace, and all of them equalled the plain NumPy rule.")

# %% [markdown]
# ## Drag and see
#
# Now try the whole rule by hand. You can drag the point, the codewords and the star. (With the keyboard,
# Tab takes you from one to the next, the arrow keys move it, and Home puts it back.) Candidates are ringed,
# the chosen codeword wears a green diamond, and the thick green arrow is the snapped step. Arrows that are
# too long for the picture are cut, and two strokes across the shaft say so.
#
# The point starts a little below the codeword in the middle, with the star on the upper left. In a moment
# you will drag it straight down, across the border of its cell. Guess first:

# %% tags=["hide-input"]
Guess.of("06 border")

# %% tags=["hide-input"]
GradientExplorer(
    codewords, similar=[plane.partner], dissimilar=(), point=(0.1, -0.2), strength=1.5,
    presets=PRESETS, tour=TOUR, own_rule=my_rule,
)  # fmt: skip

# %% [markdown]
# The same in numbers, shortly before the border and shortly after it. What is printed is the step, so minus
# the gradient, as (across, up):

# %%
for place in ((0.1, -0.30), (0.1, -0.35)):
    z = np.array([place])
    summed, snapped = plane.penalized(z, 1.5), plane.snapped(z, rule)
    print(f"at {place}: sum {-summed[0].round(2)}   snapped {-snapped[0].round(2)}")

# %% [markdown]
# **Put your own rule in the picture.** Press **Field**. The last panel is drawn by *your* `my_rule`: Python calls
# it once for each of the 144 arrows, again and again while you drag a codeword or move a slider. A ring marks
# each place where it differs from the package's snap. If an exercise is still blank, or your rule fails, the panel
# says what happened.
#
# **Try it.**
#
# - Break your rule on purpose: let `my_rule` pull to `candidates[0]`, the nearest candidate, instead of the chosen
#   one, and run both cells again. Which places get a ring? Press **Run**, then **Play**: where do your points end?
# - Find a place where the penalty goes uphill and the snapped step does not.
# - Find a place where the chosen codeword changes. It is not the border of a cell. What does change there?
# - Set n to 1. When does the snapped step become the descent alone? Choose the form `replace`. When does
#   the step vanish, and which fallback brings it back?
# - Choose `look-ahead` and search for a place where it goes uphill, too.
# - **Find the counterexample.** Make snapping lose to the penalty in a run of at most 100 steps: move codewords
#   and data, change strength and candidates, press **Run**, and read the line below the slider, which compares
#   what the codewords lose in the end. The preset *penalty wins* is one that we found. **Copy link** holds your
#   proof: anyone who opens it sees the same run.
#
# <details><summary>What to see</summary>
#
# The broken rule has a ring wherever the nearest candidate is not the chosen one. It always pulls to the nearest
# codeword, so your panel now looks like that of the penalty: the broken rule *is* the penalty.
#
# For the second question, look around the star: the next section marks them with crosses. The choice changes
# where two candidates make the same angle with $-g$, or where a codeword enters or leaves the n nearest
# ones. With n = 1 the only candidate is the nearest codeword. Where it lies uphill, `pull` passes $g$ alone
# and `replace` passes nothing at all; the fallbacks `keep` and `nearest` bring a step back.
#
# </details>
#
# ## Compare the rivals' fields
#
# Snapping is not the only answer to the question how a network should learn about its codewords. Its
# rivals are:
#
# - **penalty**: add the squared distance to the nearest codeword to the loss;
# - **straight-through** ([arXiv 1308.3432](https://arxiv.org/abs/1308.3432)): compute the gradient of the
#   loss *at the nearest codeword*, and use it at the point as if nothing had happened in between;
# - **rotation** ([arXiv 2410.06424](https://arxiv.org/abs/2410.06424)): the same, but the gradient is first
#   rotated back, by the angle that turns the point onto its codeword (as seen from the origin), and then scaled by
#   the same factor as the point, $\lVert q(z) \rVert / \lVert z \rVert$.
#
# The last two need a penalty as well, because otherwise nothing would draw the points to the codewords. The
# picture shows one arrow for each place, all with the same loss. Crosses mark places that are sent uphill.
#
# Before you look at it:

# %% tags=["hide-input"]
Guess.of("06 straight-through")

# %% tags=["hide-input"]
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
    "rotation the arrows around the positive point away from it, to the codewords; under pull "
    "and replace none does, under look-ahead a few do.",
    caption="One arrow for each place, seven methods. Crosses mark the places that are sent uphill.",
    dpi=80,
)

# %% tags=["hide-input"]
for name, arrows in fields.items():
    uphill = (arrows * plane.gradient(grid)).sum(axis=1) < -1e-12
    print(f"{name:17} sends {uphill.mean():4.0%} of the places uphill")

# %% [markdown]
# Within one cell straight-through gives the same similarity arrow to every place, namely that of the
# codeword; only the penalty's part differs. But do not judge a method by this picture alone. In training,
# codewords move with the points, and what counts is what a search finds in the end.
#
# ## Follow the points down
#
# What happens if we follow the arrows? We release forty points and let each take sixty small steps.

# %% tags=["hide-input"]
Guess.of("06 forty points")

# %% tags=["hide-input"]
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
    "and the positive. Under pull they all arrive around the positive. Under replace they run along "
    "lines to codewords; most come near the positive, some stop early.",
    caption="Forty points under four rules, from the hollow start to the full end. The codewords stand still.",
    dpi=90,
)

# %% tags=["claim", "hide-input"]
for name, path in paths.items():
    end = path[-1]
    distortion = ((end - plane.reconstruct(end)) ** 2).sum(axis=1).mean()
    print(f"{name:11} loss {plane.loss(end).mean():.2f}   distortion {distortion:.2f}")

# %% [markdown]
# The penalty trades one goal for the other: its points end close to codewords but far from the star. `pull`
# gives up almost none of the similarity loss, but its points end about as far from the codewords as those of
# plain descent, because the star does not lie on a codeword. `replace` stands between the two.
#
# So is the snap useless? In this picture, almost: it hardly differs from doing nothing about the codewords
# at all. But the picture leaves out half of the story. In training, the codewords do not stand still. Every
# now and then they are fitted again to wherever the points are by then, and where the points are depends on
# the method.
#
# ## Let the codewords take turns
#
# In the last picture of this chapter everything moves. There are sixty points of three classes: discs,
# squares and diamonds. Each class has its own positive, the large pale mark, and the similarity loss of a
# point is half the squared distance to the positive of its class. Nine codewords start where k-means puts
# them. Then points and codewords take turns: the points take five small steps, then the codewords do one
# round of k-means (each moves to the mean of the points in its cell, as in chapter 02), and so on. A codeword
# that has lost all its points is re-seeded at the point that is farthest from its own codeword. The same
# points start twice: on the left under the penalty, on the right under the snap, both at strength 4.
#
# How do we know whether the codes are any good? A cell is a code: all points in it look the same to a search.
# So we ask how often a point is among its own kind. The **cell purity** is the share of points whose own
# class is the most frequent one in their cell. With one class to a cell it is 100%. A cell that holds
# several classes is shaded.
#
# Place your bet before you press **Play**:

# %% tags=["hide-input"]
Guess.of("06 turns")

# %% tags=["hide-input"]
TurnsExplorer(strength=4.0)

# %% [markdown]
# Watch the left side. Within a few steps the penalty gathers the points around the nearest codewords,
# whatever their class. When the codewords are refitted, they move to the middle of these mixed groups, and
# that makes the mixture permanent: the codeword now sits where its points are, and its points are held by
# the codeword. The classes are **glued** together. On the right a point is only ever pulled to a codeword
# that lies in the direction of its own positive. The classes separate first, the codewords follow, and in
# the end each class has codewords of its own.
#
# One world proves nothing, so here are ten: the slider "world (seed)" shows each of them. The cell prints
# the mean purity after 100 steps, and in brackets the worst of the ten worlds.

# %% tags=["claim", "hide-input"]
worlds = [TurnsPlane(np.array(POSITIVES), random_starts(seed)) for seed in range(10)]
strengths = (0.5, 1.5, 4.0, 8.0)
print(f"{'cell purity, ten worlds':24}" + "".join(f"{f'λ = {s:g}':>14}" for s in strengths))
for method in ("similarity", "penalty", "straight-through", "snap"):
    row = f"{method:24}"
    for strength in strengths:
        rule = SnapOptions(strength=strength, n_candidates=3)
        ends = [world.run(method, rule).at(-1).purity for world in worlds]
        row += f"{f'{np.mean(ends):.0%} ({min(ends):.0%})':>14}"
    print(row)

# %% [markdown]
# Weak penalties do no harm. From a strength of 1.5 on the penalty mixes the classes, more so the stronger
# it is. Straight-through suffers less at first, but from 4 on about as much, because it carries the same penalty.
# The snap keeps every cell pure, at every strength.
#
# Read the first row, too, because it keeps us honest. The similarity loss *alone* sorts the classes just as
# well. Here each point can move freely, so nothing stops the loss from collecting each class at its positive,
# and then nine codewords are more than enough. So this picture does not show that snapping *gains* anything.
# It shows that snapping bears strengths at which the penalty ruins the codes. A gain is only possible where
# the loss alone leaves something to be gained. A real network cannot move each point freely, and its
# codebooks may be too small for all that has to be told apart. Chapter 07 looks for the places where this
# matters, and chapter 08 trains in one of them, on digits.
#
# ## Find where the snap fails
#
# Does the snap keep classes apart in every world? No. Bring two positives so close together that their
# points take nearly the same way. Then a codeword on that way descends for both classes, the snap gathers
# both of them there, and most of the nine codewords are left without points. Whether the classes come apart
# again depends on what happens to those unused codewords.

# %% tags=["claim", "hide-input"]
close = np.array([(-0.8, -0.6), (-0.7, -0.6), (0.0, 0.9)])
rule = SnapOptions(strength=1.5, n_candidates=3)
for reseed in (True, False):
    worlds = [TurnsPlane(close, random_starts(seed), reseed=reseed) for seed in range(10)]
    for method in ("similarity", "snap"):
        ends = [world.run(method, rule).at(-1).purity for world in worlds]
        unused = "re-seeded" if reseed else "left where they are"
        print(f"unused codewords {unused:20} {method:11} {np.mean(ends):5.0%} ({min(ends):.0%})")

# %% [markdown]
# If unused codewords stay where they are, the snap ends with two classes in one cell in all ten worlds,
# while the similarity loss alone keeps them apart. With re-seeding, which the k-means of our package does as
# well, there is no difference. So the snap relies on a quantizer that puts its codewords to use.
#
# **Try it.**
#
# - Turn the strength down until the penalty no longer glues. Where does that happen, and is it the same in
#   every world?
# - Set K to 3, one codeword for each class. How weak does the penalty have to be now?
# - Compare the snap with *similarity loss alone*. Which of them gets there in fewer steps, and why?
# - Drag two positives close together, and choose what becomes of unused codewords.
#
# <details><summary>What to see</summary>
#
# With nine codewords the penalty mixes the classes in no world at 0.5 and in all of them at 1.25. With three
# codewords some worlds are mixed even at 0.5. The snap arrives in fewer steps than the loss alone: its pull
# is added to the descent and never works against it, so its steps are longer.
#
# </details>

# %% [markdown]
# ## What to remember
#
# - A penalty pulls a point to its nearest codeword, even where that raises the similarity loss.
# - Snapping looks at a few candidates and, as `replace` or `pull`, goes only to one that descends. `look-ahead` does not
#   promise that, and neither does the fallback `nearest`.
# - The layer is the identity in the forward pass; only the backward pass changes.
# - Where no candidate descends, a fallback decides, and you choose which one.
# - When codewords are refitted to the points, a strong penalty glues classes together, while the snap leaves
#   them apart. In the plane the similarity loss alone does as well as the snap, and the snap needs codewords
#   that are re-seeded when they fall out of use.
#
# ## Quiz
#
# 1. The nearest codeword lies exactly at a right angle to $-g$. Does it descend?
# 2. With `form="pull"` and a candidate that descends, can the result be shorter than $g$?
# 3. Why is `n` not simply K, so that every codeword is a candidate?
# 4. Under a strong penalty, refitting the codewords does not separate two classes that share a cell. Why not?
#
# <details><summary>Answers</summary>
#
# 1. No. The product is 0, and to descend it has to be greater than 0.
# 2. No. The pull's gradient makes an angle below 90 degrees with $g$, so the sum is longer than $g$.
#    Only the fallback `nearest` can shorten it, because its codeword does not descend.
# 3. The best aligned codeword of all may be far away. The point would have to cross many cells, and for a long
#    time it would not be close to any codeword.
# 4. The codeword moves to the mean of its points, of both classes. That only makes its hold on them stronger:
#    the pull of the penalty then balances the two similarity gradients.
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
