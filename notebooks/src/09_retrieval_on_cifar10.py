# %% [markdown]
# # Search 50,000 photographs through four bytes each
#
# **What you will do.** Search the training images of CIFAR-10 by codes of 32 bits, look at what comes
# back, and put the figures beside published ones.
#
# **What you will learn.** What a trained code costs and gives on real images, how to read a retrieval
# table, and how strong the most trivial code is.
#
# **What you need.** Chapters 03, 06 and 08. About 40 minutes; the computer works for less than one.
#
# > The chapter works without a download: the repository carries the weights, the embeddings and the
# > codes of one training run of ours. With the images (`gsl-tutorial fetch`, 170 MB, in a terminal) the
# > galleries show pictures, otherwise the names of their classes.

# %%
import numpy as np

from gsl_tutorial.checks import check, hint
from gsl_tutorial.datasets import CLASS_NAMES, find_cifar10, get_protocol, read_cifar10
from gsl_tutorial.evaluation import group_codes, grouped_average_precisions
from gsl_tutorial.plots import show
from gsl_tutorial.plots.retrieval import draw_confusion, draw_gallery, draw_map_bars, pictures
from gsl_tutorial.retrieval import blocks
from gsl_tutorial.search import to_faiss
from gsl_tutorial.shipped import load_shipped

# %% tags=["volatile"]
images = read_cifar10()[0] if find_cifar10() else None
print("The images are here." if images is not None else "No images: names stand in for them.")

# %% [markdown]
# ## Open the box
#
# One call loads the run; its files are checked against the SHA-256 in their card before anything is
# read. The card says how the numbers were made.

# %% tags=["claim"]
run = load_shipped("cifar10-p2-32bit")
card = run.card
print(card["command"])
print(get_protocol(card["metrics"]["protocol"]))
print(
    f"encoder: {card['metrics']['weights']:,} weights, pre-training: {card['metrics']['pre_training']}"
)
print(f"trained in {card['metrics']['train_seconds'] / 60:.0f} minutes on {card['cores']} cores, "
      f"seed {card['metrics']['seed']}")  # fmt: skip

# %% [markdown]
# The network saw the 50,000 training images with their labels; these are the database. The 10,000 test
# images are the queries. The code was trained with the snapping layer, form `pull`.
#
# ## See how small it is

# %% tags=["claim"]
pixels = 32 * 32 * 3
vector = run.database.z.shape[1] * 4
code = run.codes.shape[1] * run.codes.itemsize
print(f"bytes for an image: {pixels:,} as pixels, {vector} as a float32 vector, {code} as a code")
print(f"the database: {len(run.codes) * code / 1e6:.1f} MB of codes")
print(f"and codebooks of {run.model.quantizer.codebooks_.nbytes / 1e3:.0f} kB")

# %% [markdown]
# Search is what chapter 03 built: a table of squared distances for each query, and one look-up for
# each byte of a code.
#
# **Exercise 09.1** (easy, 4 minutes). Sum the distance of one item from the table and its code.


# %% tags=["exercise"]
def adc_distance(table, code):
    """(M, K), (M,) -> squared distance."""
    # BEGIN SOLUTION
    return table[np.arange(len(code)), code].sum()
    # END SOLUTION


check.adc_distance(adc_distance)

# %%
hint("09.1")

# %% [markdown]
# ## Search
#
# faiss does the same in C++. All 10,000 queries against all 50,000 codes:

# %%
index = to_faiss(run.model.quantizer, run.codes)
_, neighbours = index.search(run.query.z, 10)

# %% tags=["claim"]
same = run.database.labels[neighbours] == run.query.labels[:, None]
print(f"of the ten nearest, right: {same.mean():.2f}")
print(f"queries whose nearest is right: {same[:, 0].mean():.2f}")

# %% [markdown]
# **Exercise 09.2** (medium, 6 minutes). Average precision by hand: the right items of a ranking are
# marked `True`, best first. Average the precision at each right item; with none right it is 0.


# %% tags=["exercise"]
def average_precision(relevant):
    """(N,) booleans in rank order -> number."""
    # BEGIN SOLUTION
    if not relevant.any():
        return 0.0
    precision = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
    return precision[relevant].mean()
    # END SOLUTION


check.average_precision(average_precision)

# %%
hint("09.2")

# %% [markdown]
# ## Look
#
# Ten queries, one of each class, chosen by a fixed seed and not by how they look. A wrong neighbour
# carries a thick dashed frame and a cross.

# %%
rng = np.random.default_rng(9)
rows = np.array([rng.choice(np.flatnonzero(run.query.labels == c)) for c in range(10)])
n_database = len(run.database)
query_images = None if images is None else images[n_database:]
figure = draw_gallery(
    pictures(query_images, rows),
    [pictures(images, neighbours[row]) for row in rows],
    same[rows],
    query_names=[CLASS_NAMES[run.query.labels[row]] for row in rows],
    neighbour_names=[
        [CLASS_NAMES[k] for k in run.database.labels[neighbours[row]]] for row in rows
    ],
)
found = ", ".join(f"{CLASS_NAMES[run.query.labels[row]]} {same[row].sum()} of 10" for row in rows)
show(figure, alt=f"Ten queries with ten neighbours each. Right neighbours: {found}.", dpi=90)

# %% [markdown]
# **Exercise 09.3** (easy, 4 minutes). A person sees a page of ten results. For which share of the
# queries are all ten right?


# %% tags=["exercise"]
def share_of_perfect(query_labels, neighbour_labels):
    """(B,), (B, k) -> number from 0 to 1."""
    # BEGIN SOLUTION
    return (neighbour_labels == query_labels[:, None]).all(axis=1).mean()
    # END SOLUTION


check.share_of_perfect(share_of_perfect)

# %%
hint("09.3")

# %% [markdown]
# ## Ask what comes instead
#
# Each row is the class of the query, each column the class of what is among the ten nearest.

# %%
shares = np.zeros((10, 10))
retrieved = run.database.labels[neighbours]
for c in range(10):
    shares[c] = np.bincount(retrieved[run.query.labels == c].ravel(), minlength=10)
shares /= shares.sum(axis=1, keepdims=True)
mixed = shares.copy()
np.fill_diagonal(mixed, 0)
worst = np.unravel_index(mixed.argmax(), mixed.shape)
show(
    draw_confusion(shares, CLASS_NAMES, title="share of the ten nearest, in per cent"),
    alt=f"A table of ten classes with a strong diagonal. The largest confusion: queries of "
    f"{CLASS_NAMES[worst[0]]} retrieve {CLASS_NAMES[worst[1]]} ({mixed[worst]:.0%}; the other way round "
    f"{mixed[worst[::-1]]:.0%}).",
    dpi=90,
)

# %% tags=["claim"]
print(f"most confused: {CLASS_NAMES[worst[0]]} -> {CLASS_NAMES[worst[1]]}, {mixed[worst]:.0%}")
print(f"the other way round: {mixed[worst[::-1]]:.0%}")

# %% [markdown]
# ## Measure the whole ranking
#
# mAP@all uses every rank. Items with equal codes are tied, and their order must not matter: the
# **exact** tie rule averages over all orders. We recompute the figure of the card from the codes.

# %% tags=["claim"]
distinct, members = group_codes(run.codes, run.database.labels)
each = np.concatenate(
    [
        grouped_average_precisions(
            run.model.quantizer.distances(run.query.z[part], distinct),
            run.query.labels[part],
            members,
        )
        for part in blocks(len(run.query))
    ]
)
agrees = bool(abs(each.mean() - card["metrics"]["adc_map"]) < 0.001)
print(f"ADC mAP@all {each.mean():.3f}, denominator: relevant, ties: exact")
print("equals the card to 0.001:", agrees)

# %%
metrics = card["metrics"]
bars = {
    "snap, 32 bits": {
        "ADC": metrics["adc_map"],
        "SDC": metrics["sdc_map"],
        "exact": metrics["exact_map"],
        "argmax": metrics["argmax_map"],
    }
}
show(
    draw_map_bars(bars, title="CIFAR-10, P2: 10,000 queries, database 50,000 = train, one seed"),
    alt=f"Four bars: ADC {metrics['adc_map']:.3f}, SDC {metrics['sdc_map']:.3f}, exact "
    f"{metrics['exact_map']:.3f}, and the trivial argmax code {metrics['argmax_map']:.3f}.",
)

# %% [markdown]
# ## Compare, carefully
#
# Published figures under protocols like this one. They are not comparable without a second look: most
# began from networks trained on ImageNet, ours from random weights, in minutes.
#
# | method | pre-trained on ImageNet | protocol | mAP | source |
# | --- | --- | --- | --- | --- |
# | GreedyHash, AlexNet | yes | P2 | 48 bits: .932 | read in swuxyj/DeepHash-pytorch |
# | PQN, AlexNet | yes | P2 family | 16 bits: .947 | second-hand |
# | DPQ | yes | P2 family | 48 bits: .951 | second-hand |
# | DSH, 3 convolutions | no | P0 | 48 bits: .676 | read in yg33717/DSH_tensorflow, issue 4 |
#
# P2 is the protocol of this chapter; *P2 family*: it or one much like it. P0: 10,000 test images are
# queries and database at once, so every query finds itself. *Second-hand*: read in a later source, not
# in the paper itself.
#
# The **argmax** bar is the trivial code: the class that the network would answer, four bits at most.
# Chapter 10 (to come) shows why tables with ten seen classes say little about codes.
#
# ## Train it yourself
#
# With the images, in a terminal (ten minutes or so on two cores):
#
#     gsl-tutorial train --dataset cifar10 --bits 32 --method snap --out runs/mine
#     gsl-tutorial evaluate runs/mine --protocol P2
#
# **Try it.** The same with `--method none` and `--method penalty`. Compare ADC mAP *and* relative
# distortion. How much would another seed change?
#
# ## What to remember
#
# - Four bytes for an image: the nearest of 50,000 shows the right class for more than four queries in
#   five.
# - The exact tie rule makes mAP of codes well defined.
# - A figure without protocol, pre-training, bits and tie rule says nothing.
#
# ## Quiz
#
# 1. The database is the training set. Which quality of the network does mAP measure then?
# 2. ADC can come out a little above the exact vectors (see `none` in chapter 08). How?
# 3. What would class-sorted ties do to the figure?
#
# <details><summary>Answers</summary>
#
# 1. Mostly how well it classifies the queries: the database lies where training put it.
# 2. Codewords are means of many embeddings: the code forgets noise as well as detail.
# 3. They would raise or lower it at will, by the order of the classes on disk.
#
# </details>
#
# ## Further reading
#
# - Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009: the data.
# - Klein and Wolf, *End-to-End Supervised Product Quantization for Image Search and Retrieval*, 2019.
# - [KellerJordan/cifar10-airbench](https://github.com/KellerJordan/cifar10-airbench): how fast this
#   data set can be learned.
