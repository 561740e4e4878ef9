# %% [markdown]
# # Compare four quantizers behind one contract
#
# Product quantization cuts a vector wherever the numbers happen to stand, and it shows: strokes break at the cuts.
# Can a code of the same length lose less? This chapter tries three ideas, turning before the cut, adding instead
# of cutting, and learning everything together, and then asks what each of them is worth on data it has not seen.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Turn the space before you cut it, quantize what a quantizer left over, keep
# several sums in play at once, and measure on digits what each of these is worth.
#
# **What you will learn.** Where product quantization wastes its bits; how codes that are *sums* of
# whole codewords avoid that, and what they cost; how to tell whether a richer quantizer is a better
# one.
#
# **What you need.** Chapter 03: subvectors, codes, lookup tables. About 80 minutes, 48 of them for the
# five exercises.
#
# </details>

# %% tags=["hide-input"]
import math
import time

import numpy as np

from gsl_tutorial import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)
from gsl_tutorial.course.datasets import load_digits, make_blobs_2d
from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.exercises.attempts import attempt
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.clusters import draw_cells
from gsl_tutorial.course.plots.product import draw_images
from gsl_tutorial.course.plots.quantizers import (
    draw_beam,
    draw_candidates,
    draw_gaps,
    draw_subvector_clouds,
    draw_sums,
)
from gsl_tutorial.course.printing import say
from gsl_tutorial.course.toys.plane_codes import all_places
from gsl_tutorial.course.widgets import Guess, MethodSliders, RotationSliders
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers.faiss_index import to_faiss

digits = load_digits()
database, queries = digits.database.x, digits.query.x

# %% [markdown]
# ## Turn the grid until it fits
#
# In the plane, PQ with two subvectors has a list of values across and a list of values up. It can express every
# combination, so its reconstructions form a **grid**, and the lines of that grid run along the axes, wherever the
# data lie. Here are four groups of points and a grid of four places.
#
# **Try it.**
#
# 1. Leave the points as they are and turn the *grid*. Where does it fit, and what does the worst
#    angle cost?
# 2. Set the grid back to zero and turn the *points*. Is that any different?
#
# (With the keyboard, Tab reaches a slider and the arrow keys move it.)

# %% tags=["hide-input"]
groups = make_blobs_2d(40, 4, random_state=0, spread=0.12).x
RotationSliders(groups)

# %% [markdown]
# <details><summary>What to see</summary>
#
# 1. The curve on the right has its low where the lines of the grid run through the groups. The worst angle loses
#    several times as much, with the same bits.
# 2. No. Only the angle *between* grid and points matters.
#
# </details>
#
# So PQ wastes bits when its axes do not suit the data. **Optimized product quantization** (OPQ, by Ge, He, Ke and Sun)
# learns the angle, a **rotation** $R$ of the whole space, and then cuts as PQ does. A rotation changes no length and no
# angle, so neighbours stay neighbours. To decode, we turn back:
#
# $$q(z) = R^\top\, q_{\text{PQ}}(R z) .$$
#
# **Exercise 04.1** (easy, 5 minutes). Wrap a rotation around any quantizer. `quantize` takes the
# rows of an array and returns their reconstructions. Mind that your vectors are *rows*.


# %% tags=["exercise"]
def rotate_quantize(X, rotation, quantize):
    """(N, dim), (dim, dim), a function -> (N, dim), where z' = rotation @ z for one vector z."""
    # BEGIN SOLUTION
    return quantize(X @ rotation.T) @ rotation
    # END SOLUTION


check.rotate_quantize(rotate_quantize)

# %%
hint("04.1")

# %% [markdown]
# ## Swap the quantizer, keep the code
#
# Four quantizers appear in this chapter: PQ, OPQ, and two that add codewords, RQ and LSQ, which are explained below.
# Whatever they do inside, we ask the same five things of each: `fit`, `encode`, `decode`, `lookup_tables` and `candidates` (codewords *near* a
# vector; the end of this chapter shows what they are for). That is a **contract**. Code that keeps to it does not care
# which quantizer it works with, so the loop below swaps four of them in one line.

# %%
methods = {
    "PQ": ProductQuantizer,
    "OPQ": OptimizedProductQuantizer,
    "RQ": ResidualQuantizer,
    "LSQ": AdditiveQuantizer,
}
M, K = 4, 16
fitted = {name: method(M, K, random_state=0).fit(database) for name, method in methods.items()}
first_of_each = [np.flatnonzero(digits.query.labels == label)[0] for label in range(10)]
originals = queries[first_of_each]
rows = {"pixels": originals}
for name, quantizer in fitted.items():
    rows[name] = quantizer.decode(quantizer.encode(originals))
    print(quantizer)
show(
    draw_images(rows),
    alt="Ten digits in five rows: the pixels, and the reconstructions of four quantizers with codes "
    "of equal length. Most can be read in all rows. Those of PQ have steps at the cuts, the others "
    "have none; beyond that the eye cannot tell which row is best.",
)

# %% tags=["hide-input"]
for name, quantizer in fitted.items():
    codes = quantizer.encode(queries)
    shapes = codes.shape, quantizer.decode(codes).shape, quantizer.lookup_tables(queries).shape
    print(f"{name:4}{quantizer.bits} bits   codes, reconstructions, tables:", *shapes)
    print("      candidates:", quantizer.candidates(queries, 3).shape)

# %% [markdown]
# The pictures do not say which quantizer is best. The distortions above them do, and that is why we measure. As for the
# shapes, only the candidates differ: PQ and OPQ offer candidates for each of $M$ subvectors, the other two for the whole
# vector.
#
# ## Put into one subspace what belongs together
#
# Real vectors have more than two numbers, and there is a better way to say why turning helps. Codewords can follow a
# dependence *inside* a subvector, but never one that runs *across the cut*. Below are vectors of four numbers. The third
# number nearly repeats the first, and the fourth nearly mirrors the second. PQ cuts just between them, so each of its
# subvectors is a round cloud in which there is nothing to follow.

# %% tags=["hide-input"]
rng = np.random.default_rng(0)
two = rng.normal(size=(300, 2))
linked = np.hstack([two, 0.9 * two * [1, -1] + 0.25 * rng.normal(size=(300, 2))])
rows, lost = {}, {}
for name in ("PQ", "OPQ"):
    quantizer = methods[name](2, 8, random_state=0).fit(linked)
    rows[name] = quantizer.split(linked), quantizer.codebooks_
    lost[name] = quantizer.distortion(linked)
    print(f"{name:4} distortion {lost[name]:.2f}")
show(
    draw_subvector_clouds(rows),
    alt="Four panels of points with codewords and cells. For PQ both subvectors are round clouds in which "
    "eight codewords lie far apart. For OPQ both are thin stripes, and the eight codewords stand "
    "along them close to every point.",
    caption="Both rows show the same vectors with the same number of bits.",
)

# %% [markdown]
# After the rotation each subvector is a thin stripe, and the same eight codewords serve it much better.
#
# How does OPQ find $R$? It takes turns. With the rotation fixed, it runs k-means in each subspace. With the codewords
# fixed, it looks for the $R$ that brings the *turned* vectors nearest to what PQ makes of them. With the vectors as
# the rows of $X$, and with the rows of $Y$ for these reconstructions in the turned space, that is the smallest
# $\lVert X R^\top - Y \rVert^2$. This is known as the *Procrustes* problem, and it has a solution of one line: take
# the singular value decomposition $Y^\top X = U S V^\top$, and then
#
# $$R = U V^\top .$$
#
# (This $R$ may also mirror the space, which does no harm: lengths and angles stay what they are.)
#
# <details><summary>Why?</summary>
#
# Multiply $\lVert X R^\top - Y \rVert^2$ out. Because a rotation changes no
# length, only the mixed term depends on $R$, so we want the largest trace of $Y^\top X R^\top = U S V^\top R^\top$, which
# is the trace of $S\,(V^\top R^\top U)$. The matrix in brackets is orthogonal, too, so none of its entries is above 1,
# and the trace is largest when it is the identity. That gives $R = U V^\top$.
#
# </details>
#
# Each turn lowers the distortion or leaves it as it is, exactly as in k-means, and for the same reason OPQ may stop in a
# **local optimum**: where it ends depends on where it starts. Ours runs twice, once without any rotation and once from
# the principal axes of the data, dealt out evenly to the subspaces, and keeps the better end.

# %% tags=["claim", "hide-input"]
pq, opq = fitted["PQ"], fitted["OPQ"]
R = opq.rotation_
turned = queries @ R.T
inner = ProductQuantizer(M, K).with_codebooks(opq.codebooks_)
half = "less" if lost["OPQ"] < lost["PQ"] / 2 else "more"
print(f"On the linked vectors, OPQ loses {half} than half of what PQ loses.")
turns = (
    "turns and does not stretch" if np.allclose(R @ R.T, np.eye(len(R)), atol=1e-4) else "stretches"
)
equal = "the same" if (inner.encode(turned) == opq.encode(queries)).all() else "other"
print(f"R {turns}; PQ of the turned vectors gives {equal} codes as OPQ.")
gain = 1 - opq.distortion(queries) / pq.distortion(queries)
print(
    f"On held-out digits OPQ saves {'more' if gain > 0.05 else 'less'} than a twentieth of the distortion."
)

# %% [markdown]
# ## Quantize what is left
#
# Another way out is not to cut at all. Quantize the whole vector with a short codebook. Then subtract the codeword:
# what is left is the **residual**, a vector again. Quantize that with a second codebook, and so on for $M$ **stages**.
# The reconstruction is a sum of whole codewords:
#
# $$q(z) = c_0 + c_1 + \dots + c_{M-1} .$$
#
# This is **residual quantization** (RQ; for search by Chen, Guan and Wang). Here are three stages on points along two
# bows.


# %% tags=["hide-input"]
def two_bows(n, *, seed):
    """(n, 2) points along two half circles that open to opposite sides."""
    rng = np.random.default_rng(seed)
    side = np.where(np.arange(n) % 2, 1, -1)[:, None]
    angle = rng.uniform(0, np.pi, n)
    line = np.column_stack([0.55 * np.cos(angle) + 0.28, 0.65 * np.sin(angle) - 0.22])
    return (side * line + 0.06 * rng.normal(size=(n, 2))).astype(np.float32)


bows = two_bows(160, seed=1)
staged = ResidualQuantizer(3, 4, beam=1, random_state=0).fit(bows)
stage_codes = staged.encode(bows)
residual, panels = bows, {}
for m in range(3):
    size = np.abs(residual).max()
    book, code = staged.codebooks_[m], stage_codes[:, m]
    what = "the points" if m == 0 else f"what is left, {1 / size:.1f} times as large"
    panels[f"stage {m}: {what}"] = residual / size, book / size, code
    residual = residual - book[code]
    print(f"distortion after stage {m}: {(residual**2).sum(axis=1).mean():.4f}")
show(
    draw_cells(panels),
    alt="Three panels with four codewords each. The first shows points along two bows; the second, "
    "enlarged, what is left of them, the four cells laid over each other around the origin; the "
    "third, enlarged further, a cloud with hardly any shape left.",
)

# %% [markdown]
# **Look closely.** All cells of the first stage share *one* second codebook. It has to fit what is left over in all
# four cells at once, whatever their shapes.
#
# **Exercise 04.2** (medium, 7 minutes). Encode one vector: in each stage, take the nearest codeword to
# what is still left. This way is called **greedy**, because no stage looks ahead.


# %% tags=["exercise"]
def residual_code(z, codebooks):
    """(dim,), (M, K, dim) -> (M,) whole numbers."""
    # BEGIN SOLUTION
    code, left = [], z
    for book in codebooks:
        k = ((book - left) ** 2).sum(axis=1).argmin()
        code.append(k)
        left = left - book[k]
    return np.array(code)
    # END SOLUTION


check.residual_code(residual_code)

# %%
hint("04.2")

# %% [markdown]
# On digits, each stage adds a whole picture: first the rough form, then corrections.

# %% tags=["hide-input"]
rq = fitted["RQ"]
codes = rq.encode(originals)
sums = np.cumsum(rq.codebooks_[np.arange(M), codes], axis=1)
rows = {"pixels": originals}
rows |= {f"{m + 1} stage{'s' * (m > 0)}": sums[:, m] for m in range(M)}
show(
    draw_images(rows),
    alt="Ten digits: the pixels, then the sum after one, two, three and four stages. One stage gives "
    "blurred digits, some of them the wrong one; with each further stage the strokes come nearer "
    "to the pixels.",
)

# %% [markdown]
# ## Keep more than one way open
#
# Greedy can go wrong: the codeword that is nearest now may leave a residual for which the next codebook has nothing to
# offer. A **beam** keeps the best few partial sums instead of one, and decides at the end. Here is the point for which
# that makes the largest difference.

# %% tags=["hide-input"]
wide = ResidualQuantizer(2, 4, beam=4, random_state=0).fit(bows)
greedy = ResidualQuantizer(2, 4, beam=1).with_codebooks(wide.codebooks_)
errors = {
    name: ((bows - one.decode(one.encode(bows))) ** 2).sum(axis=1)
    for name, one in {"greedy": greedy, "beam of 4": wide}.items()
}
unlucky = (errors["greedy"] - errors["beam of 4"]).argmax()
z = bows[unlucky]
ways = {
    name: wide.codebooks_[np.arange(2), one.encode(z[None])[0]]
    for name, one in {"greedy": greedy, "beam of 4": wide}.items()
}
show(
    draw_sums(z, ways, all_places(wide)),
    alt="Two panels with the same point and two arrows each, from the origin to a reconstruction. "
    "Greedy takes the first arrow that ends nearest to the point, and the second cannot make up "
    "for it; the beam takes a first arrow that ends farther off, and arrives much nearer.",
)

# %% [markdown]
# **Exercise 04.3** (hard, 10 minutes). Two stages and a beam. Keep the `width` nearest codewords of
# the first codebook. For each of them find the best second one. Return the pair with the smallest
# error.


# %% tags=["exercise"]
def beam_code(z, first, second, width):
    """(dim,), (K, dim), (K, dim), a number -> (2,) row numbers: in `first` and in `second`."""
    # BEGIN SOLUTION
    kept = ((first - z) ** 2).sum(axis=1).argsort()[:width]
    best, smallest = None, np.inf
    for k in kept:
        squared = ((second - (z - first[k])) ** 2).sum(axis=1)
        j = squared.argmin()
        if squared[j] < smallest:
            best, smallest = (k, j), squared[j]
    return np.array(best)
    # END SOLUTION


check.beam_code(beam_code)

# %%
hint("04.3")

# %% [markdown]
# Now on the digits, with eight stages: the same codebooks, wider and wider beams.

# %% tags=["hide-input"]
Guess.of("04 beam")

# %% tags=["claim", "hide-input"]
deep = ResidualQuantizer(8, 16, random_state=0).fit(database)
widths = (1, 2, 4, 8, 16)
left = {"learned from": [], "held out": []}
for width in widths:
    deep.beam = width
    left["learned from"].append(deep.distortion(database))
    left["held out"].append(deep.distortion(queries))
deep.beam = 8
learned, held_out = np.array(list(left.values()))
always = "always" if (np.diff(held_out) < 0).all() else "not always"
print(f"On held-out digits a wider beam {always} loses less.")
more = "more" if held_out[0] / held_out[-1] > learned[0] / learned[-1] else "no more"
print(f"It saves {more} on held-out digits than on those learned from.")
saved = -np.diff(held_out)
first = "more" if saved[0] > saved[-1] else "no more"
print(f"The first doubling of the beam saves {first} than the last.")

# %% tags=["hide-input"]
show(
    draw_beam(widths, left),
    alt="Distortion against the width of the beam, from one to sixteen. For held-out digits it falls, "
    "steeply first and then less and less; for those learned from it hardly falls.",
)

# %% tags=["volatile", "hide-input"]
print("beam   seconds to encode the database")
for width in widths:
    deep.beam = width
    started = time.process_time()
    deep.encode(database)
    print(f"{width:4} {time.process_time() - started:10.3f}")
deep.beam = 8

# %% [markdown]
# Why is that? The stages were learned greedily on the digits of the database. For these digits the greedy code is made to
# measure, and the beam finds little to improve. A held-out digit has no such luck.
#
# ## Learn all codebooks together
#
# RQ fixes its first codebook before it knows the second. An **additive quantizer** (by Babenko and Lempitsky) learns all
# codebooks at once, in turns. With the codebooks fixed, it searches for better codes: first a beam, then it frees one
# codeword of each sum at a time and chooses it anew, which is called *local search*. With the codes fixed, a
# reconstruction is a plain sum of rows, so the best codebooks solve one linear system by *least squares*. Our tables call
# it LSQ, after the local-search version by Martinez and others.
#
# Here are the same points, the same bits, and four quantizers:

# %% tags=["hide-input"]
MethodSliders(bows, methods)

# %% [markdown]
# **Try it.**
#
# 1. Turn the points. Whose distortion changes, and whose does not? Why?
# 2. Which panels have places where there are no points at all? Could a code without such waste
#    exist? (Think of one codebook with a row for each place.)
# 3. Move K to both ends. At which end do the four differ most, as a ratio?
#
# <details><summary>What to see</summary>
#
# 1. PQ changes, because its grid stays where the axes are. RQ and LSQ choose their codewords freely in the plane, so they
#    do not care. OPQ should not care either, since it can always turn back. Its number moves a little all the same, and
#    that is the local optimum at work: from a turned start, its turns may end in another valley.
# 2. With four codewords, hardly any. Move K to the right end: there PQ wastes the most, because its grid has a place
#    wherever two lines cross. OPQ can turn its grid, and wastes fewer. Sums waste some, too: a sum of two lists has to
#    express all combinations. One codebook with a row for each place would waste none, and that is plain
#    vector quantization, which chapter 02 could not afford.
# 3. At the right end, where there are many codewords. Each further codeword goes where the points are, if the quantizer is free to put it there.
#
# </details>
#
# ## Pay for the coupling
#
# What does a sum cost us? For PQ, the squared distance is a sum over subvectors, because they share no numbers. The
# codewords of a sum do share them. Multiply out, with $x$ for the query:
#
# $$\lVert x - \textstyle\sum_m c_m \rVert^2 = \lVert x \rVert^2 - 2 \sum_{m} \langle x, c_m \rangle
# + \lVert \textstyle\sum_m c_m \rVert^2 .$$
#
# The middle term is a lookup table again. The last one **couples** the stages, since it contains the product of every
# codeword with every other. But it has nothing to do with the query! It is one number for each item, its squared length,
# computed once and stored beside the code. The package calls it `code_norms`.
#
# **Exercise 04.4** (medium, 8 minutes). Compute the squared distances from one query to many codes,
# given their squared lengths `norms`.


# %% tags=["exercise"]
def additive_distances(query, codebooks, codes, norms):
    """(dim,), (M, K, dim), (N, M), (N,) -> (N,) squared distances."""
    # BEGIN SOLUTION
    tables = codebooks @ query
    products = tables[np.arange(len(codebooks)), codes].sum(axis=1)
    return (query**2).sum() - 2 * products + norms
    # END SOLUTION


check.additive_distances(additive_distances)

# %%
hint("04.4")

# %% [markdown]
# ## Learn the rotation yourself
#
# One thing is left from the beginning of this chapter: where does OPQ get its rotation from? You have met all the
# pieces by now, so you can write it yourself.
#
# **Exercise 04.5** (hard, 18 minutes). Learn the rotation in turns. Start with $R$ as the identity and with the
# `codebooks` that are given. In each round, (1) turn the vectors and cut them into `M` subvectors, (2) give every
# subvector its nearest codeword, and move each codeword to the mean of its subvectors (one without any stays where it
# is), (3) put the moved codewords side by side, which gives $Y$, and solve the Procrustes problem for $X$ and $Y$.
# `np.linalg.svd` does the decomposition. Return the rotation after `n_rounds`.


# %% tags=["exercise"]
def learn_rotation(X, codebooks, n_rounds):
    """(N, dim), (M, K, d), number -> (dim, dim), where z' = rotation @ z for one vector z."""
    # BEGIN SOLUTION
    M, _, d = codebooks.shape
    rotation, codebooks = np.eye(M * d), codebooks.copy()
    for _ in range(n_rounds):
        parts = (X @ rotation.T).reshape(-1, M, d)
        Y = np.zeros(parts.shape)
        for m in range(M):
            code = ((parts[:, m, None] - codebooks[m]) ** 2).sum(axis=2).argmin(axis=1)
            for k in np.unique(code):
                codebooks[m, k] = parts[code == k, m].mean(axis=0)
            Y[:, m] = codebooks[m, code]
        U, _, Vt = np.linalg.svd(Y.reshape(-1, M * d).T @ X)
        rotation = U @ Vt
    return rotation
    # END SOLUTION


check.learn_rotation(learn_rotation)

# %%
hint("04.5")

# %% [markdown]
# Does your rotation find the stripes, too? Here it learns on the linked vectors of the section *Put into one subspace
# what belongs together*. It starts without a rotation and with the codebooks of PQ. After some rounds the turned
# vectors are quantized anew.

# %%
started = ProductQuantizer(2, 8, random_state=0).fit(linked).codebooks_.astype(float)
print(f"{'PQ':22} distortion {lost['PQ']:.2f}")
print(f"{'OPQ of the package':22} distortion {lost['OPQ']:.2f}")
for n_rounds in (5, 10, 20, 50):
    yours = attempt(learn_rotation, linked, started, n_rounds)
    if yours is None:
        break
    refitted = ProductQuantizer(2, 8, random_state=0).fit(linked @ yours.T)
    print(
        f"{f'yours, {n_rounds} rounds':22} distortion {refitted.distortion(linked @ yours.T):.2f}"
    )

# %% [markdown]
# ## Check against faiss
#
# `to_faiss` knows all four quantizers. For the additive ones it packs the squared length behind each
# code. Do the distances agree, and what if the length is left out?

# %% tags=["claim", "hide-input"]
agree = []
for name, quantizer in fitted.items():
    codes = quantizer.encode(database)
    ours = quantizer.distances(queries, codes)
    decoded = squared_distances(queries, quantizer.decode(codes))
    theirs, items = to_faiss(quantizer, codes).search(queries, 10)
    same = np.allclose(theirs, np.sort(ours)[:, :10], atol=1e-3)
    same &= np.allclose(theirs, np.take_along_axis(ours, items, axis=1), atol=1e-3)
    same &= np.allclose(ours, decoded, atol=1e-3)
    agree += [name] if same else []
print("The tables, the reconstructions and faiss agree for:", ", ".join(agree))
without = ours - quantizer.code_norms(codes)  # of the last one, LSQ
other = (without.argmin(axis=1) != ours.argmin(axis=1)).mean()
print(
    f"LSQ without the lengths finds another nearest item for {'more' if other > 0.5 else 'less'} than half."
)

# %% [markdown]
# Without the length, long sums look near. The mistake does not show in any single number, only in what is found, and that
# makes it dangerous.
#
# ## Measure distortion per bit
#
# Which quantizer should you take? We measure three sizes: one of 16 bits (4 x 16), and two of 32 bits, with eight short
# codebooks (8 x 16) or four long ones (4 x 256). **recall@10** is the share of queries whose true nearest neighbour
# is among the first ten found, as in chapter 03.

# %% tags=["hide-input"]
Guess.of("04 richest")


# %% tags=["hide-input"]
def recall_at_10(distances, nearest):
    """(B, N) distances, (B,) true nearest neighbours -> share found among the first ten."""
    to_nearest = np.take_along_axis(distances, nearest[:, None], axis=1)
    before = (distances < to_nearest).sum(axis=1)
    tied = (distances == to_nearest).sum(axis=1)
    return np.clip((10 - before) / tied, 0, 1).mean()


nearest = squared_distances(queries, database).argmin(axis=1)
sizes = ((4, 16), (8, 16), (4, 256))
measured, seconds = {}, {}
for M, K in sizes:
    for name, method in methods.items():
        started = time.process_time()
        one = method(M, K, random_state=0).fit(database)
        seconds[M, K, name] = time.process_time() - started
        recall = recall_at_10(one.distances(queries, one.encode(database)), nearest)
        inside, outside = one.distortion_, one.distortion(queries)
        measured[M, K, name] = inside, outside, recall
show(
    draw_gaps(
        {
            f"{M} x {K}: {round(M * math.log2(K))} bits": {
                name: measured[M, K, name][:2] for name in methods
            }
            for M, K in sizes
        }
    ),
    alt="Three panels, one for each size; in each, four quantizers with a disc for the digits learned "
    "from and a square for held-out ones. With K = 16 both fall from PQ to LSQ. With K = 256 the "
    "discs of RQ and LSQ are far below the others, but all squares are about level, and that of "
    "LSQ is the highest.",
    caption="Discs: digits learned from. Squares: held-out digits. Which square is the lowest in each panel?",
)

# %% tags=["hide-input"]
print("                distortion: learned from  held out   recall@10")
for (M, K, name), (on_database, on_queries, found) in measured.items():
    print(
        f"{round(M * math.log2(K))} bits  {M} x {K:<4} {name:4} {on_database:16.2f} {on_queries:9.2f} {found:11.2f}"
    )

# %% tags=["claim", "hide-input"]
inside, outside, recall = ({key: row[i] for key, row in measured.items()} for i in range(3))
ordered = all(
    inside[M, K, "PQ"] > inside[M, K, "OPQ"] > inside[M, K, "RQ"] > inside[M, K, "LSQ"]
    for M, K in sizes
)
print(
    f"On digits learned from, the order PQ > OPQ > RQ > LSQ holds {'at every size' if ordered else 'not always'}."
)
sums_at_4, sums_at_8 = (max(outside[M, 16, "RQ"], outside[M, 16, "LSQ"]) for M in (4, 8))
print(
    f"4 x 16, held out: RQ and LSQ lose {'less' if sums_at_4 < outside[4, 16, 'PQ'] else 'no less'} than PQ."
)
print(
    f"8 x 16, held out: RQ and LSQ lose {'less' if sums_at_8 < outside[8, 16, 'OPQ'] else 'no less'} than OPQ."
)
worst = max(methods, key=lambda name: outside[4, 256, name])
ratio = {name: outside[4, 256, name] / inside[4, 256, name] for name in methods}
four = "more" if ratio["LSQ"] > 4 else "less"
two = "less" if ratio["PQ"] < 2 else "more"
say(
    f"4 x 256, held out: {worst} loses most, {four} than 4 times what it loses on its own digits (PQ: {two} than 2 times)."
)
gain = min(recall[4, 16, name] for name in ("RQ", "LSQ")) - recall[4, 16, "PQ"]
print(
    f"4 x 16: the recall of RQ and LSQ is {'more' if gain > 0.05 else 'less'} than .05 above that of PQ."
)

# %% [markdown]
# Read it in this order:
#
# - **With short codebooks, each step of the chapter pays:** turn, then add, then learn the sums together. It pays on
#   held-out digits, too. Recall rises along with it, except that at 8 x 16 RQ and LSQ are about level. (At the
#   smallest size, OPQ and RQ are close on held-out digits; with another `random_state` they can change places.)
# - **With long codebooks, it turns round.** There are few digits for each codeword, and the codewords of a sum are whole
#   pictures, which means many more numbers to learn than for PQ. On *its own* digits LSQ is far ahead. On held-out ones it
#   is the worst of the four. That is **overfitting**, and only held-out digits can tell.
# - Recall hardly shows it, because it searches the very digits that the codewords were learned from.
#
# **Try it.** Open the cell above the picture and learn from half the digits: put `database[::2]` into `fit` and leave the
# rest. What happens to the squares?
#
# <details><summary>What to see</summary>
#
# The squares rise, most of all for the sums with long codebooks, while the discs may even fall. Less data means more
# overfitting, and the richest quantizer suffers most.
#
# </details>
#
# ## Count the bytes and the seconds
#
# Equal bits are not equal bytes. What has to be stored, at the smallest of our sizes?

# %% tags=["claim", "hide-input"]
for name, quantizer in fitted.items():
    in_code = math.ceil(quantizer.bits / 8)
    packed = to_faiss(quantizer, quantizer.encode(database)).sa_code_size()
    once = sum(array.nbytes for array in quantizer.arrays().values())
    print(
        f"{name:4} bytes of an item: {in_code} for the code, {packed - in_code} for its length;",
        end="",
    )
    print(f"   stored once: {once:,}")
richer = ProductQuantizer(4, 64, random_state=0).fit(database)
rivals = [
    name for name in ("RQ", "LSQ") if richer.distortion(queries) < fitted[name].distortion(queries)
]
print(
    f"PQ with one byte more, {richer.bits} bits, has less held-out distortion than {' and '.join(rivals)}."
)

# %% [markdown]
# The length takes four bytes here. faiss can squeeze it into one byte, and even then PQ may spend that byte on longer
# codebooks and win, as the last line shows. So where codes are this short, the length weighs heavily. It weighs less in
# long codes, and nothing where you decode an item instead of adding up tables.

# %% tags=["volatile", "hide-input"]
print("                 fit            encode the database")
for name, quantizer in fitted.items():
    trials = []
    for _ in range(3):
        started = time.process_time()
        quantizer.encode(database)
        trials.append(time.process_time() - started)
    of_fit = seconds[4, 16, name]
    if name == "PQ":
        fit_of_pq, encode_of_pq = of_fit, max(min(trials), 1e-6)
    print(
        f"{name:4} {of_fit:8.2f} s = {of_fit / fit_of_pq:4.0f} x PQ "
        f"{min(trials):10.4f} s = {min(trials) / encode_of_pq:4.0f} x PQ"
    )

# %% [markdown]
# PQ and OPQ search each subspace on its own. A sum has to be searched for with the whole beam, stage by stage, and
# once more by local search. Searching a database afterwards costs all four about the same for each item: $M$ lookups,
# and for the sums one more addition. What differs is paid once for each query. OPQ turns it, and the table of a sum
# takes $M$ times as many operations to fill as that of PQ, because its codewords are whole vectors. In a large
# database that hardly counts.
#
# ## Look where a gradient may snap
#
# Chapter 06 sends gradients towards codewords *near* a vector. What "a codeword near $z$" means depends on the quantizer,
# and `candidates(z, n)` gives the answer. PQ and OPQ have $n$ codewords for each subvector, and the subvectors choose
# freely: in the plane, these are lines across and lines up. Sums have no subvectors. Their candidates are whole
# reconstructions, the best $n$ of the beam.

# %% tags=["hide-input"]
z = np.array([[0.1, 0.2]], dtype=np.float32)
panels = {}
for name, text in {"PQ": "PQ: two lists of values", "LSQ": "LSQ: whole reconstructions"}.items():
    small = methods[name](2, 4, random_state=0).fit(bows)
    panels[text] = all_places(small), small.candidates(z, 3)[0]
show(
    draw_candidates(z[0], panels),
    alt="A point among the reconstructions of two quantizers. For PQ, three numbered vertical lines "
    "and three numbered horizontal ones, the values that each subvector may snap to. For LSQ, three "
    "numbered squares around the three nearest reconstructions.",
)
first_is_nearest = [
    name
    for name, one in fitted.items()
    if np.allclose(
        one.join(one.candidates(queries, 1)[:, :, 0]), one.decode(one.encode(queries)), atol=1e-4
    )
]
print("The first candidate is the reconstruction itself for:", ", ".join(first_is_nearest))

# %% [markdown]
# That is all the snapping layer needs to know about a quantizer, so any of the four fits under it.
# [Chapter 06](06_snapping_the_gradient.ipynb) builds the layer.
#
# ## What to remember
#
# - One contract: to try another quantizer, change one line.
# - Codewords follow a dependence inside a subvector, never across the cut. OPQ turns the space so that
#   what belongs together shares a subspace.
# - RQ and LSQ add up whole codewords. Greedy codes can be poor; a beam gets nearer and takes longer.
# - The distance to a sum needs one more number for each item, its squared length.
# - A small distortion on the vectors learned from is no promise for held-out ones. The richer the
#   quantizer, the more vectors it needs.
#
# ## Quiz
#
# 1. All numbers of your vectors are independent of each other and equally spread. What can OPQ gain?
# 2. Two stages of RQ have the same codebook. What can its sums express that one stage cannot?
# 3. Why does PQ not need the squared lengths?
# 4. You double the beam, and the distortion of one vector goes *up*. Is that a mistake in the
#    program?
# 5. You may choose a quantizer by its distortion on the training vectors, on held-out ones, or by recall
#    in a database of training vectors. Which one do you trust for a database that grows daily?
#
# <details><summary>Answers</summary>
#
# 1. If they are normally distributed, nothing, because every rotation of such a cloud looks the same.
#    Otherwise a little at most, since there is no dependence to bring together.
# 2. All sums of two codewords, and twice each codeword, which is still far more than one stage can. But
#    residuals are smaller than vectors, so codewords of their size serve better.
# 3. Its subvectors share no numbers, so the codewords of different subspaces are at right angles to each
#    other. Nothing couples them, and the squared distances add up.
# 4. It need not be. A partial sum that a narrow beam kept can be pushed out of a wider one by sums
#    that look better for a while. On average a wider beam is nearer.
# 5. The one on held-out vectors. The new items were not there to learn from either.
#
# </details>
#
# ## Further reading
#
# - T. Ge, K. He, Q. Ke and J. Sun, *Optimized Product Quantization for Approximate Nearest Neighbor
#   Search*, CVPR 2013: the rotation, learned in turns or from the main axes.
# - Y. Chen, T. Guan and C. Wang, *Approximate Nearest Neighbor Search by Residual Vector
#   Quantization*, Sensors, 2010, [doi 10.3390/s101211259](https://doi.org/10.3390/s101211259).
# - A. Babenko and V. Lempitsky, *Additive Quantization for Extreme Vector Compression*, CVPR 2014:
#   sums of whole codewords, the beam, and the coupling.
# - J. Martinez, J. Clement, H. Hoos and J. Little, *Revisiting Additive Quantization*, ECCV 2016, and
#   J. Martinez, S. Zakhmi, H. Hoos and J. Little, *LSQ++: Lower Running Time and Higher Recall in
#   Multi-Codebook Quantization*, ECCV 2018: local search.
