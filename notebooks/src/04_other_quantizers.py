# %% [markdown]
# # Compare four quantizers behind one contract
#
# **What you will do.** Turn the space before you cut it, quantize what a quantizer left over, keep
# several sums in play at once, and measure on digits what each of these is worth.
#
# **What you will learn.** Where product quantization wastes its bits; how codes that are *sums* of
# whole codewords avoid that, and what they cost; why the best quantizer on the vectors it learned
# from can be the worst on new ones.
#
# **What you need.** Chapter 03: pieces, codes, look-up tables. About 60 minutes, 30 of them for the
# four exercises.
#
# > **Optimized product quantization** (OPQ) is by Ge, He, Ke and Sun, 2013; **residual
# > quantization** (RQ) in this use by Chen, Guan and Wang, 2010; **additive quantization** by Babenko
# > and Lempitsky, 2014. The additive quantizer here finds its codes by local search, after Martinez
# > and others, 2016 and 2018; the tables call it LSQ.

# %%
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
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.clusters import draw_cells
from gsl_tutorial.course.plots.product import draw_images
from gsl_tutorial.course.plots.quantizers import (
    draw_beam,
    draw_candidates,
    draw_gaps,
    draw_piece_clouds,
    draw_sums,
)
from gsl_tutorial.course.toys.plane_codes import all_places
from gsl_tutorial.course.widgets import MethodSliders, RotationSliders
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers.faiss_index import to_faiss

digits = load_digits()
database, queries = digits.database.x, digits.query.x
print(f"{len(database)} digits to learn from and to search in, {len(queries)} held-out ones")

# %% [markdown]
# ## Swap the quantizer, keep the code
#
# Whatever a quantizer does inside, we ask five things of it: `fit`, `encode`, `decode`,
# `lookup_tables` and `candidates`. The last, codewords *near* a vector, is for chapter 06; the end of
# this chapter shows it. Two more, `split` and `join`, go between a vector and the pieces that its
# candidates are made of. That is the **contract**. Code that keeps to it does not care
# which quantizer it works with: the loop below swaps four of them in one line.

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

# %% tags=["claim"]
for name, quantizer in fitted.items():
    codes = quantizer.encode(queries)
    shapes = codes.shape, quantizer.decode(codes).shape, quantizer.lookup_tables(queries).shape
    print(f"{name:4}{quantizer.bits} bits   codes, reconstructions, tables:", *shapes)
    print("      candidates:", quantizer.candidates(queries, 3).shape)

# %% [markdown]
# The pictures do not say which is best; the distortions above them do, and that is why we measure.
# In the shapes, only the last line differs: PQ and OPQ offer candidates for each of $M$ pieces, the other two for
# the whole vector, which is *one* piece. We come back to that at the end.
#
# ## Turn the grid until it fits
#
# In the plane, PQ with two pieces has a list of places across and a list of places up. It can say
# every combination, so its reconstructions form a **grid**, and the lines of that grid run along the
# axes, wherever the data lie. Here are four groups of points and a grid of four places.
#
# **Try it.**
#
# 1. Leave the points as they are and turn the *grid*. Where does it fit, and what does the worst
#    angle cost?
# 2. Set the grid back to zero and turn the *points*. Is that any different?
#
# With the keyboard: Tab reaches a slider, the arrow keys move it.

# %%
groups = make_blobs_2d(40, 4, random_state=0, spread=0.12).x
RotationSliders(groups)

# %% [markdown]
# The bits are the same at every angle. **OPQ** learns the angle, a **rotation** ($R$) of the whole
# space, and then cuts as PQ does. A rotation changes no length and no angle, so neighbours stay
# neighbours, and to decode we turn back:
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
# ## Put into one piece what belongs together
#
# Real vectors are longer, and the reason to turn them is this: codewords can follow a dependence
# *inside* a piece, but never one that runs *across the cut*. Below are vectors of four numbers. The
# third number nearly repeats the first, the fourth nearly mirrors the second. The cut of PQ lies
# just between: each of its pieces sees a round cloud.

# %%
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
    draw_piece_clouds(rows),
    alt="Four panels of points with codewords and cells. For PQ both pieces are round clouds in which "
    "eight codewords lie far apart. For OPQ both are thin stripes, and the eight codewords stand "
    "along them close to every point.",
)

# %% [markdown]
# After the rotation each piece is a thin stripe, and the same eight codewords serve it much better.
# How does OPQ find $R$? In turns: with the rotation fixed, k-means in each piece; with the
# codewords fixed, the rotation that brings the vectors nearest to their reconstructions, for which
# there is a formula (the *Procrustes* problem). Where the turns end depends on where they start, so
# ours run them twice, from no rotation and from the main axes of the data, dealt out evenly to the
# pieces, and keep the better end.

# %% tags=["claim"]
pq, opq = fitted["PQ"], fitted["OPQ"]
R = opq.rotation_
turned = queries @ R.T
inner = ProductQuantizer(M, K).with_codebooks(opq.codebooks_)
print(
    "on the linked vectors OPQ loses less than half of what PQ loses:", lost["OPQ"] < lost["PQ"] / 2
)
print("R turns and does not stretch:", np.allclose(R @ R.T, np.eye(len(R)), atol=1e-4))
print("OPQ is PQ of the turned vectors:", bool((inner.encode(turned) == opq.encode(queries)).all()))
gain = 1 - opq.distortion(queries) / pq.distortion(queries)
print("on held-out digits OPQ saves more than a twentieth:", gain > 0.05)

# %% [markdown]
# ## Quantize what is left
#
# Another way out is not to cut at all. Quantize the whole vector with a short codebook. Then
# subtract: what is left is the **residual**, a vector again. Quantize that with a second codebook,
# and so on for $M$ **stages**. The reconstruction is a sum of whole codewords:
#
# $$q(z) = c_1 + c_2 + \dots + c_M .$$
#
# Here are three stages on points along two bows.


# %%
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
    panels[f"stage {m + 1}: {what}"] = residual / size, book / size, code
    residual = residual - book[code]
    print(f"left after stage {m + 1}: {(residual**2).sum(axis=1).mean():.4f}")
show(
    draw_cells(panels),
    alt="Three panels with four codewords each. The first shows points along two bows; the second, "
    "enlarged, what is left of them, the four cells laid over each other around the origin; the "
    "third, enlarged further, a cloud with hardly any shape left.",
)

# %% [markdown]
# **Look closely.** All cells of the first stage share *one* second codebook. It must fit the left-overs
# of all four at once, whatever their shapes.
#
# **Exercise 04.2** (medium, 7 minutes). Encode one vector: in each stage the nearest codeword to
# what is still left. This is the **greedy** way: no stage looks ahead.


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

# %%
rq = fitted["RQ"]
codes = rq.encode(originals)
sums = np.cumsum(rq.codebooks_[np.arange(M), codes], axis=1)
rows = {"pixels": originals}
rows |= {f"stage{'s' * (m > 0)} 1{f' to {m + 1}' * (m > 0)}": sums[:, m] for m in range(M)}
show(
    draw_images(rows),
    alt="Ten digits: the pixels, then the sum after one, two, three and four stages. One stage gives "
    "blurred digits, some of them the wrong one; with each further stage the strokes come nearer "
    "to the pixels.",
)

# %% [markdown]
# ## Keep more than one way open
#
# Greedy can go wrong: the nearest codeword now may leave a residual that the next codebook has
# nothing for. A **beam** keeps the best few partial sums instead of one, and decides at the end. We
# look at the point for which it makes the largest difference.

# %%
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

# %% tags=["claim"]
deep = ResidualQuantizer(8, 16, random_state=0).fit(database)
widths = (1, 2, 4, 8, 16)
left = {"learned from": [], "held out": []}
for width in widths:
    deep.beam = width
    left["learned from"].append(deep.distortion(database))
    left["held out"].append(deep.distortion(queries))
deep.beam = 8
learned, held_out = np.array(list(left.values()))
print("each wider beam loses less on held-out digits:", bool((np.diff(held_out) < 0).all()))
print(
    "it saves more on held-out digits than on the others:",
    held_out[0] / held_out[-1] > learned[0] / learned[-1],
)
saved = -np.diff(held_out)
print("the first doubling saves more than the last:", saved[0] > saved[-1])

# %%
show(
    draw_beam(widths, left),
    alt="Distortion against the width of the beam, from one to sixteen. For held-out digits it falls, "
    "steeply first and then less and less; for those learned from it hardly falls.",
)

# %% tags=["volatile"]
print("beam   seconds to encode the database")
for width in widths:
    deep.beam = width
    started = time.process_time()
    deep.encode(database)
    print(f"{width:4} {time.process_time() - started:10.3f}")
deep.beam = 8

# %% [markdown]
# The stages were learned greedily on the digits of the database. For these the greedy code is made
# to measure, and the beam finds little to mend. A held-out digit has no such luck.
#
# ## Learn all codebooks together
#
# RQ fixes its first codebook before it knows the second. An **additive quantizer** learns all
# codebooks at once, in turns. With the codebooks fixed, it searches for better codes: a beam, then
# it frees one codeword of each sum at a time and chooses it anew (*local search*). With the codes
# fixed, a reconstruction is a plain sum of rows, so the best codebooks are the solution of one linear
# system (*least squares*).
#
# The same points, the same bits, four quantizers:

# %%
MethodSliders(bows, methods)

# %% [markdown]
# **Try it.**
#
# 1. Turn the points. Whose distortion changes, and whose does not? Why?
# 2. Which panels have places where there are no points at all? Could a code without such waste
#    exist? (Think of one codebook with a row for each place.)
# 3. Move K to both ends. At which end do the four differ most, as a ratio?
#
# ## Pay for the coupling
#
# What does a sum cost us? For PQ the squared distance falls into pieces, because the pieces share no
# numbers. The codewords of a sum do share them. Multiply out, with $x$ for the query:
#
# $$\lVert x - \textstyle\sum_m c_m \rVert^2 = \lVert x \rVert^2 - 2 \sum_{m} \langle x, c_m \rangle
# + \lVert \textstyle\sum_m c_m \rVert^2 .$$
#
# The middle term is a look-up table again. The last one **couples** the stages: it holds the product
# of every codeword with every other. But it has nothing to do with the query! It is one number for
# each item, its squared length, computed once and stored beside the code. The package calls it
# `code_norms`.
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
# ## Check against faiss
#
# `to_faiss` knows all four quantizers. For the additive ones it packs the squared length behind each
# code. Do the distances agree, and what if the length is left out?

# %% tags=["claim"]
for name, quantizer in fitted.items():
    codes = quantizer.encode(database)
    ours = quantizer.distances(queries, codes)
    decoded = squared_distances(queries, quantizer.decode(codes))
    theirs, items = to_faiss(quantizer, codes).search(queries, 10)
    same = np.allclose(theirs, np.sort(ours)[:, :10], atol=1e-3)
    same &= np.allclose(theirs, np.take_along_axis(ours, items, axis=1), atol=1e-3)
    print(
        f"{name:4} distances to the reconstructions:", np.allclose(ours, decoded, atol=1e-3), end=""
    )
    print("   equal to those of faiss:", same)
without = ours - quantizer.code_norms(codes)  # of the last one, LSQ
other = (without.argmin(axis=1) != ours.argmin(axis=1)).mean()
print("LSQ without the lengths: another nearest item for more than half:", bool(other > 0.5))

# %% [markdown]
# Without the length, long sums look near: the mistake does not show in any single number, only in
# what is found.
#
# ## Measure distortion per bit
#
# Three sizes. The first has half the bits of the other two, which share theirs: eight short
# codebooks against four long ones. **recall@10** is the share of queries whose true nearest neighbour
# stands among the first ten, as in chapter 03.


# %%
def recall_at_10(distances, nearest):
    """(B, N) distances, (B,) true nearest neighbours -> share found among the first ten."""
    to_nearest = np.take_along_axis(distances, nearest[:, None], axis=1)
    before = (distances < to_nearest).sum(axis=1)
    tied = (distances == to_nearest).sum(axis=1)
    return np.clip((10 - before) / tied, 0, 1).mean()


nearest = squared_distances(queries, database).argmin(axis=1)
sizes = ((4, 16), (8, 16), (4, 256))
measured, seconds = {}, {}
print("                    distortion:               recall@10")
print("                    learned from  held out")
for M, K in sizes:
    for name, method in methods.items():
        started = time.process_time()
        one = method(M, K, random_state=0).fit(database)
        seconds[M, K, name] = time.process_time() - started
        recall = recall_at_10(one.distances(queries, one.encode(database)), nearest)
        inside, outside = one.distortion_, one.distortion(queries)
        measured[M, K, name] = inside, outside, recall
        print(
            f"{one.bits} bits  {M} x {K:<4} {name:4} {inside:11.2f} {outside:8.2f} {recall:13.2f}"
        )

# %%
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
)

# %% tags=["claim"]
inside, outside, recall = ({key: row[i] for key, row in measured.items()} for i in range(3))
for M, K in sizes:
    a, b, c, d = (inside[M, K, name] for name in methods)
    print(f"{M} x {K}, learned from: PQ > OPQ > RQ > LSQ is {a > b > c > d}")
sums_at_4, sums_at_8 = (max(outside[M, 16, "RQ"], outside[M, 16, "LSQ"]) for M in (4, 8))
print("4 x 16, held out: RQ and LSQ lose less than PQ:", sums_at_4 < outside[4, 16, "PQ"])
print("8 x 16, held out: RQ and LSQ lose less than OPQ:", sums_at_8 < outside[8, 16, "OPQ"])
worst = max(methods, key=lambda name: outside[4, 256, name])
print("4 x 256, held out: most is lost by", worst)
ratio = {name: outside[4, 256, name] / inside[4, 256, name] for name in methods}
print("  held out / learned from is more than 4 times for LSQ:", ratio["LSQ"] > 4)
print("  and less than 2 times for PQ:", ratio["PQ"] < 2)
found = min(recall[4, 16, name] for name in ("RQ", "LSQ")) - recall[4, 16, "PQ"]
print("4 x 16: recall of RQ and LSQ is more than .05 above that of PQ:", bool(found > 0.05))

# %% [markdown]
# Read it in this order:
#
# - With short codebooks, each step of the chapter pays: turn, then sum, then learn the sums together.
#   It pays on held-out digits, too, and mostly in recall. (In the smallest size OPQ and RQ are close on
#   held-out digits: with another `random_state` they can change places.)
# - With long codebooks, the digits to learn from are few for each codeword, and the codewords of a
#   sum are whole pictures: many more numbers to learn than for PQ. On *its own* digits LSQ is far
#   ahead. On held-out ones it is the worst of the four. That is **overfitting**, and only the
#   held-out digits can tell.
# - Recall hardly shows it, since it searches the very digits that the codewords were learned from.
#
# **Try it.** Learn from half the digits: put `database[::2]` into `fit` and leave the rest. What
# happens to the squares of the picture?
#
# ## Count the bytes and the seconds
#
# Equal bits are not equal bytes. What has to be stored, at the smallest of our sizes?

# %% tags=["claim"]
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
print(f"PQ with one byte more, {richer.bits} bits, has less distortion on held-out digits:")
print("  than RQ: ", richer.distortion(queries) < fitted["RQ"].distortion(queries))
print("  than LSQ:", richer.distortion(queries) < fitted["LSQ"].distortion(queries))

# %% [markdown]
# The length is stored in four bytes here. faiss can squeeze it into one byte, and even then PQ may
# spend that byte on longer codebooks and win, as the last lines show. So where codes are this short,
# the length weighs heavily. It weighs less in long codes, and nothing where you decode an item
# instead of adding up tables.

# %% tags=["volatile"]
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
# PQ and OPQ search each piece on its own. A sum has to be searched for, stage by stage and once more
# for the local search, with the whole beam. Searching a database afterwards costs all four the same:
# $M$ look-ups for each item, and for the sums one more addition.
#
# ## Look where a gradient may snap
#
# Chapter 06 sends gradients towards codewords *near* a vector. What "a codeword near z" means depends
# on the quantizer, and `candidates(z, n)` gives the answer. PQ and OPQ have $n$ codewords for each
# piece, and the pieces choose freely: in the plane, lines across and lines up. Sums have no pieces.
# Their candidates are whole reconstructions, the best $n$ of the beam.

# %%
z = np.array([[0.1, 0.2]], dtype=np.float32)
panels = {}
for name, text in {"PQ": "PQ: two lists of values", "LSQ": "LSQ: whole reconstructions"}.items():
    small = methods[name](2, 4, random_state=0).fit(bows)
    panels[text] = all_places(small), small.candidates(z, 3)[0]
show(
    draw_candidates(z[0], panels),
    alt="A point among the reconstructions of two quantizers. For PQ, three numbered vertical lines "
    "and three numbered horizontal ones, the values that each piece may snap to. For LSQ, three "
    "numbered squares around the three nearest reconstructions.",
)
for name, quantizer in fitted.items():
    nearest_one = quantizer.join(quantizer.candidates(queries, 1)[:, :, 0])
    same = np.allclose(nearest_one, quantizer.decode(quantizer.encode(queries)), atol=1e-4)
    print(f"{name:4} the first candidate, joined, is the reconstruction: {same}")

# %% [markdown]
# That is all the snapping layer needs to know of a quantizer, so any of the four fits under it.
# [Chapter 06](06_snapping_the_gradient.ipynb) builds the layer.
#
# ## What to remember
#
# - One contract: to try another quantizer, change one line.
# - Codewords follow a dependence inside a piece, never across the cut. OPQ turns the space so that
#   what belongs together shares a piece.
# - RQ and LSQ add up whole codewords. Greedy codes can be poor; a beam is nearer and slower.
# - The distance to a sum needs one more number for each item: its squared length.
# - A small distortion on the vectors learned from is no promise for new ones. The richer the
#   quantizer, the more vectors it needs. Measure on held-out vectors.
#
# ## Quiz
#
# 1. All numbers of your vectors are independent of each other and equally spread. What can OPQ gain?
# 2. Two stages of RQ have the same codebook. What can its sums say that one stage cannot?
# 3. Why may PQ do without the squared lengths?
# 4. You double the beam, and the distortion of one vector goes *up*. Is that a mistake in the
#    program?
# 5. You may choose a quantizer by its distortion on the training vectors, on held-out ones, or by recall
#    in a database of training vectors. Which one do you trust for a database that grows daily?
#
# <details><summary>Answers</summary>
#
# 1. If they are normally distributed, nothing: every rotation of such a cloud looks the same.
#    Otherwise a little at most; there is no dependence to bring together.
# 2. All sums of two codewords, and twice each codeword: still far more than one stage. But the
#    residuals are smaller than the vectors, so codewords of their size serve better.
# 3. Its pieces share no numbers, so the codewords of different pieces are at right angles to each
#    other: nothing couples them, and the squared distances of the pieces add up.
# 4. It need not be. A partial sum that a narrow beam kept can be pushed out of a wider one by sums
#    that look better for a while. On average a wider beam is nearer.
# 5. The one on held-out vectors: the new items were not there to learn from either.
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
