# %% [markdown]
# # Search digits with codes you learned
#
# **What you will do.** Run the whole path once: images, a network, codebooks that learn in turns with
# it, codes, a search, and an honest table.
#
# **What you will learn.** How the pieces of chapters 03 and 06 fit together, what mean average
# precision (mAP) says, and why the same mAP can hide very different codes.
#
# **What you need.** Chapters 03 and 06; chapter 07 helps, but the turns are said again here. No downloads.
# About 35 minutes, 13 of them for the three exercises; the computer works for less than one.

# %%
from dataclasses import replace

import numpy as np

from gsl_tutorial.course.datasets import get_protocol
from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.retrieval import (
    draw_gallery,
    draw_history,
    draw_map_bars,
    draw_pr_curves,
    pictures,
)
from gsl_tutorial.course.results.evaluate_run import evaluate_model
from gsl_tutorial.course.training.embedding import embed_split
from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.training.progress import training_bar
from gsl_tutorial.course.training.runs import TrainingConfig
from gsl_tutorial.course.training.train_run import load_data, train_run
from gsl_tutorial.evaluation import precision_recall_curve
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers.faiss_index import to_faiss

# %% [markdown]
# ## Say what is searched, and with what
#
# scikit-learn carries 1,797 small pictures of digits. We search with some of them (the **queries**)
# among all others (the **database**). The network is trained on the database, labels and all: easy
# conditions, and we say so. Who asks what among what is called the **protocol**.

# %% tags=["claim"]
data = load_data("digits")
print(get_protocol("digits"))
print(data)

# %% [markdown]
# ## Train in turns
#
# A network turns each picture into an **embedding** (z) of unit length; a **similarity loss**
# brings pictures of the same digit together. Here it is the usual loss of a classifier, the cross-entropy:
# each class has a direction of its own, and the logits are cosines with these directions. A product quantizer with
# M = 2 subspaces of K = 16 codewords stands behind it: 8 **bits** for a picture.
#
# They learn **in turns**. One round is three passes over the pictures with the codewords held still,
# then one k-means in which the codewords follow. What the embedding learns of the codewords is the
# **method**:
#
# - `none`: nothing; the quantizer is fitted to whatever the network made;
# - `penalty`: the squared distance to the nearest codeword is added to the loss;
# - `snap`: the gradient snapping layer of chapter 06, form `pull` (chapter 07 calls it `snap-pull`, to tell
#   it from the other forms).
#
# Two curves for each: the similarity loss, and the **relative distortion**, the part of the embeddings'
# spread that is lost in the codes (0 is perfect; the third exercise computes it).


# %%
def config(method, seed=0):
    return TrainingConfig(
        dataset="digits", method=method, seed=seed, dim=16, bits=8, n_codewords=16
    )


methods = ("none", "penalty", "snap")
with training_bar() as bar:  # a bar while it works; gone when it is done
    models = {method: train_run(config(method), data, on_progress=bar) for method in methods}
show(
    draw_history({method: model.history for method, model in models.items()}),
    alt="Two panels over ten rounds. The similarity loss falls fastest with none and as low "
    "with snap a few rounds later; under the penalty it stays higher. The relative distortion stays "
    "high with none and falls far lower with penalty and with snap.",
)

# %% [markdown]
# The first round has no codewords yet, so it is the same for all. From the second on the distortion
# of `penalty` and `snap` falls away from that of `none`. The left panel shows what it costs in
# training: the similarity loss, without the penalty's own term.
#
# ## Measure, with everything that belongs beside the number
#
# For each query the database is ranked by distance. **Average precision** is the mean, over the
# right items, of the precision at their rank; **mAP** is its mean over queries. Four rankings:
#
# - **ADC**: the query as it is, the database as codes. This is what a user of the codes gets.
# - **SDC**: both as codes.
# - **exact**: no codes at all.
# - **argmax**: the trivial code, the class that the network itself would answer.
#
# Items with equal codes have equal distances. Such **ties** are counted *exact*: as the mean over all orders
# in which the tied items could stand, so that no order on disk can help or harm.

# %%
results = {name: evaluate_model(model)[0] for name, model in models.items()}
show(
    draw_map_bars(
        {
            name: {
                "ADC": result.adc_map,
                "SDC": result.sdc_map,
                "exact": result.exact_map,
                "argmax": result.argmax_map,
            }
            for name, result in results.items()
        },
        low=0.8,
        title="digits, 360 queries, database 1,437 (train inside), ties exact",
    ),
    alt="Twelve bars, all above 0.95, on an axis that begins at 0.8: on this easy task the three "
    "methods and the four rankings are nearly alike.",
)

# %% tags=["claim"]
for name, result in results.items():
    print(
        f"{name:8} ADC mAP above 0.95: {result.adc_map > 0.95}   "
        f"relative distortion below 0.02: {result.relative_distortion < 0.02}"
    )

# %% [markdown]
# Read it twice. The mAP hardly differs: with ten easy classes even the trivial code is strong. The
# **relative distortion** differs by far. A table that
# shows only mAP would call the three methods equal; one that shows only distortion would call two of
# them far better. Both belong in it.
#
# ## Repeat with other seeds
#
# One run is an anecdote. The same three methods with three seeds each:

# %%
table = {}
for method in methods:
    runs = [evaluate_model(train_run(config(method, s), load_data("digits", seed=s)))[0]
            for s in (0, 1, 2)]  # fmt: skip
    table[method] = {
        "ADC mAP": [run.adc_map for run in runs],
        "relative distortion": [run.relative_distortion for run in runs],
    }

# %% tags=["volatile"]
for method, values in table.items():
    print(f"{method:8}", end="")
    for name, numbers in values.items():
        print(f"  {name} {np.mean(numbers):.4f} ± {np.std(numbers, ddof=1):.4f}", end="")
    print("  (3 seeds)")

# %% tags=["claim"]
maps = {method: np.array(values["ADC mAP"]) for method, values in table.items()}
gap = maps["snap"].mean() - maps["none"].mean()
spread = max(values.std(ddof=1) for values in maps.values())
print("is the gap in mAP between snap and none larger than the spread?", bool(abs(gap) > spread))
lost = {method: np.mean(values["relative distortion"]) for method, values in table.items()}
print("does snap lose less than a fifth of what none loses?", bool(lost["snap"] < lost["none"] / 5))

# %% [markdown]
# ## Look at the neighbours
#
# Numbers hide what a user sees. Five queries and their ten nearest neighbours by ADC:

# %%
model = models["snap"]
query, database = embed_split(model, data.query), embed_split(model, data.database)
codes = model.quantizer.encode(database.z)
index = to_faiss(model.quantizer, codes)
_, neighbours = index.search(query.z, 10)

right = database.labels[neighbours] == query.labels[:, None]
rows = np.argsort(right.sum(axis=1), kind="stable")[[0, 1, 60, 200, 300]]  # two hard, three easy
names = data.class_names
show(
    draw_gallery(
        pictures(data.query.x, rows),
        [pictures(data.database.x, neighbours[row]) for row in rows],
        right[rows],
        query_names=[names[query.labels[row]] for row in rows],
        neighbour_names=[
            [names[label] for label in database.labels[neighbours[row]]] for row in rows
        ],
    ),
    alt="Five rows of digits. In the first two rows the query is written unusually and all or most "
    "neighbours, in thick dashed frames, show another digit; in the others all are right.",
    dpi=90,
)

# %% [markdown]
# **Exercise 08.1** (easy, 4 minutes). The share of right ones among the first k neighbours is the
# **precision at k**. Compute it for each query.


# %% tags=["exercise"]
def precision_at_k(query_labels, neighbour_labels):
    """(B,), (B, k) -> (B,)."""
    # BEGIN SOLUTION
    return (neighbour_labels == query_labels[:, None]).mean(axis=1)
    # END SOLUTION


check.precision_at_k(precision_at_k)

# %%
hint("08.1")

# %% [markdown]
# ## See the whole ranking
#
# Precision and **recall** (the share of all right items found so far), from the first rank to the
# last:

# %%
curves = {}
for name in ("none", "snap"):
    q, d = embed_split(models[name], data.query), embed_split(models[name], data.database)
    pq = models[name].quantizer
    curves[f"{name}, ADC"] = precision_recall_curve(
        pq.distances(q.z, pq.encode(d.z)), q.labels, d.labels
    )
    curves[f"{name}, exact"] = precision_recall_curve(
        squared_distances(q.z, d.z), q.labels, d.labels
    )
show(
    draw_pr_curves(curves),
    alt="Four precision-recall curves close together: precision stays above nine tenths until almost "
    "everything right has been found, then it drops.",
)

# %% [markdown]
# ## Count the cost
#
# Codes are short, and that is why they are used.
#
# **Exercise 08.2** (easy, 4 minutes). How many bytes does the database take as float32 vectors, and
# how many as codes, $M \log_2 K$ bits each? (Codebooks not counted.)


# %% tags=["exercise"]
def memory_bytes(N, dim, M, K):
    """Four numbers -> (bytes as vectors, bytes as codes)."""
    # BEGIN SOLUTION
    return 4 * N * dim, N * M * np.log2(K) / 8
    # END SOLUTION


check.memory_bytes(memory_bytes)

# %%
hint("08.2")

# %% tags=["claim"]
print(
    f"as vectors: {database.z.nbytes:,} bytes, as faiss keeps the codes: {index.codes.size():,} bytes"
)

# %% [markdown]
# What is paid for so few bytes is distortion. To compare networks with each other it is divided by the spread
# of the embeddings: a network that draws all of them together has little to lose.
#
# **Exercise 08.3** (medium, 5 minutes). Compute the **relative distortion** of reconstructions $q$ of
# embeddings $z$: the mean squared distance between them, divided by the mean squared distance of the
# embeddings to their mean vector.


# %% tags=["exercise"]
def relative_distortion(z, q):
    """(N, dim), (N, dim) -> number."""
    # BEGIN SOLUTION
    return ((z - q) ** 2).sum(axis=1).mean() / ((z - z.mean(axis=0)) ** 2).sum(axis=1).mean()
    # END SOLUTION


check.relative_distortion(relative_distortion)

# %%
hint("08.3")

# %% [markdown]
# ## Turn the knob
#
# **Try it.** Make the pull weaker or stronger and run the cell again. Guess before: what happens to
# the distortion, and what to the mAP?

# %%
strength = 1.0  # try 0, 0.1, 10, 100
weak = TrainingConfig(
    dataset="digits", method="snap", dim=16, bits=8, n_codewords=16,
    options=MethodOptions(strength=strength),
)  # fmt: skip
result = evaluate_model(train_run(weak, data))[0]
print(f"ADC mAP {result.adc_map:.3f}, relative distortion {result.relative_distortion:.4f}")

# %% [markdown]
# How far can it be turned? The two ends:

# %% tags=["claim"]
for strength in (0.0, 100.0):
    end = replace(weak, options=MethodOptions(strength=strength))
    result = evaluate_model(train_run(end, data))[0]
    print(f"strength {strength:3.0f}: ADC mAP above 0.9: {result.adc_map > 0.9!s:6}"
          f"relative distortion below 0.04: {result.relative_distortion < 0.04}")  # fmt: skip

# %% [markdown]
# Without a pull the codes find the same and lose much; with too much of it the search breaks down. A strength has
# to be tuned, and on validation images (chapter 10).

# %% [markdown]
# ## What to remember
#
# - Network and codebooks learn in turns; the method decides what the network hears of the codewords.
# - Beside every mAP stand the protocol, the tie rule, the kind of distance, the bits and the seeds.
# - On easy classes mAP says little about codes; distortion says more, and unseen classes say most
#   ([chapter 10](10_honest_evaluation.ipynb)).
#
# ## Quiz
#
# 1. Why is the argmax code so strong here?
# 2. The relative distortion of a code is 1. What does its quantizer do?
# 3. Two methods differ by 0.004 in mAP; three seeds spread by 0.006. What may you say?
#
# <details><summary>Answers</summary>
#
# 1. The network classifies nearly all digits rightly, so all items of the predicted class come first.
# 2. It does no better than one codeword, the mean, for every vector.
# 3. That the difference is within the spread: no winner. (Chapter 10 shows how to say it with an interval.)
#
# </details>
#
# ## Further reading
#
# - Jégou, Douze and Schmid, *Product Quantization for Nearest Neighbor Search*, 2011: the codes and the ADC.
# - McSherry and Najork, *Computing Information Retrieval Performance Measures Efficiently in the
#   Presence of Tied Scores*, ECIR 2008: the tie rule used in all our tables.
# - Sablayrolles et al., *How should we evaluate supervised hashing?*,
#   [arXiv 1609.06753](https://arxiv.org/abs/1609.06753), 2017: why seen classes are not enough.
