# %% [markdown]
# # Past one machine
#
# A billion embeddings do not fit into the memory of any machine that you are likely to own. How do
# search engines answer all the same, and what happens when one of their machines dies in the middle of a query?
# You will kill one yourself.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Search a million vectors, cut them into shards, merge the partial answers, and kill a
# worker in the middle of a search. Then you count what a billion would weigh.
#
# **What you will learn.** Why the merged list of many shards is *exactly* the list of one index, how inverted
# lists trade recall for time, what a cluster does when a machine dies, and how to predict the cost of a
# search before you rent the machines.
#
# **What you need.** Product quantization from chapter 03. About 75 minutes; the computer works for less than one.
# The cluster section needs the extra `scale` (Dask), which `make lab` installs.
#
# </details>

# %% tags=["hide-input"]
import tempfile
from pathlib import Path

import numpy as np
import psutil

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.exercises.attempts import attempt
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.cluster import draw_engines, draw_growth, draw_lists, draw_tasks
from gsl_tutorial.course.printing import Table
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.scale.building import build_index
from gsl_tutorial.course.scale.costs import Job, Machine, fit_scan, predict, simulate
from gsl_tutorial.course.scale.lists import (
    blocks,
    coarse_centroids,
    exact_neighbours,
    ranks_of_lists,
)
from gsl_tutorial.course.scale.measuring import growth
from gsl_tutorial.course.scale.searching import search_index, search_shard
from gsl_tutorial.course.scale.sources import SyntheticVectors
from gsl_tutorial.course.study.map_file import read_map
from gsl_tutorial.course.study.map_words import said, size_of
from gsl_tutorial.course.widgets import Guess, LostWorker
from gsl_tutorial.quantizers.faiss_index import to_faiss
from gsl_tutorial.storage import read_json

# %% [markdown]
# ## Meet a million vectors
#
# Fifty thousand photographs fitted into one array. A shop has millions of items, and a search engine has billions of
# pages. What breaks first? Not the idea: memory runs out, then time, and then machines fail.
#
# We need many vectors, and we do not want to download them. So we draw them: a thousand centres, some
# of them much more popular than others, and noise around each. Real embeddings are more complicated, so take
# the recall figures below as an example, not as a promise. Each block of rows has its own random seed. That makes
# it possible to draw any part of the million without the rest, and nothing below ever holds all of
# them as floats.

# %%
source = SyntheticVectors(1_000_000)
queries = source.queries(64)
quantizer = ProductQuantizer(4, 256, random_state=0).fit(source.rows(0, 20_000))
print(f"as floats: {source.n * source.dim * 4 / 1e6:.0f} MB; as codes: {source.n * 4 / 1e6:.0f} MB")

# %% [markdown]
# ## Cut the index into shards
#
# A **shard** is a part of the index that can live on its own: a file with the codes of a range of ids. We write
# twenty of them. Each has a **card**, a small file that is written last and says what is in the shard, with a
# checksum. A shard without a card is not finished and is made again. This is all it takes to survive a crash: a
# build that was killed is simply started again, and it makes what is missing.

# %%
scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)
index = build_index(source, quantizer, folder, shard_size=50_000)
card = index.cards()[7]
print(f"{len(index.cards())} shards; shard 7 holds ids {card.start:,} to {card.stop - 1:,}")
print(f"in {card.n_bytes:,} bytes, and its SHA-256 begins with {card.sha256[:12]}")

# %% [markdown]
# Each shard can answer a query alone: "these are my 10 nearest". Now we have twenty lists of ten and want one. The
# nearest vectors of all *must* be among these two hundred, because a vector that is beaten ten times in its own
# shard is beaten ten times altogether.
#
# One thing needs care. Codes are coarse, so many vectors have exactly the same code, and then exactly the same
# distance. Which of them comes first? If the answer were "whoever reports first", the same query would get
# another answer tomorrow. So we use a rule that every shard can follow without asking the others: of equal
# distances, the smaller id comes first. faiss keeps it inside an index, too.
#
# **Exercise 12.1** (medium, 8 minutes). Merge the lists of several shards into one.


# %% tags=["exercise"]
def merge_top(distances, ids, k):
    """(S, n) distances, (S, n) ids of S shards, a number -> (k,) ids, nearest first."""
    # BEGIN SOLUTION
    distances, ids = distances.ravel(), ids.ravel()
    order = np.lexsort((ids, distances))
    return ids[order][:k]
    # END SOLUTION


check.merge_top(merge_top)

# %%
hint("12.1")

# %% [markdown]
# Does it work for a million? The cell below searches one single index, and then three different ways of
# cutting it, from 3 shards to 100. The lists have a hundred entries each, and the first line says whether few or most of
# them contain a tie.

# %% tags=["claim", "hide-input"]
codes = np.concatenate([quantizer.encode(vectors) for _, vectors in blocks(source)])
one = to_faiss(quantizer, codes)
distances, ids = one.search(queries, 100)
tied = (np.diff(distances, axis=1) == 0).any(axis=1).mean()
print(f"{'Most' if tied > 0.5 else 'Few'} lists of 100 contain a tie.")
for shard_size in (400_000, 130_000, 10_000):
    pieces = [codes[start : start + shard_size] for start in range(0, source.n, shard_size)]
    lists = [to_faiss(quantizer, piece).search(queries, 100) for piece in pieces]
    all_distances = np.concatenate([d for d, _ in lists], axis=1)
    all_ids = np.concatenate([i + s * shard_size for s, (_, i) in enumerate(lists)], axis=1)
    order = np.lexsort((all_ids, all_distances), axis=1)[:, :100]
    same = np.array_equal(np.take_along_axis(all_ids, order, axis=1), ids)
    print(
        f"{len(pieces):3} shards: the merged lists {'equal' if same else 'differ from'} those of one index."
    )

# %% [markdown]
# ## Look into a few lists only
#
# Shards divide the work, but they do not make it less: every code is still compared with every query. To do
# *less* work we need to know where not to look.
#
# An **inverted file** (IVF) does this with the tool of chapter 02. A coarse k-means cuts the space into cells.
# Each cell keeps a **list** of the vectors that fall into it. A query is compared with the centroids first,
# and then only with the vectors in the `nprobe` nearest lists.
#
# We take 1,024 lists, so one list holds about a thousandth of the vectors. Before you look at the picture:

# %% tags=["hide-input"]
Guess.of("12 nearest list")

# %% tags=["hide-input"]
sample = source.rows(0, 20_000)
centroids = coarse_centroids(sample, 1024)
true = exact_neighbours(source, queries, 1)[1]
nearest = np.concatenate([source.rows(int(i), int(i) + 1) for i in true[:, 0]])
ranks = ranks_of_lists(centroids, queries, nearest)
show(
    draw_lists(ranks, len(centroids)),
    alt="Share of the queries whose true nearest vector lies in the lists that are looked into, against their "
    f"number: {(ranks < 1).mean():.0%} with the nearest list alone, {(ranks < 8).mean():.0%} with 8 of 1,024. "
    "The dotted line shows what random lists would give, which is next to nothing until the end.",
)

# %% [markdown]
# The curve is the whole story of inverted lists. It rises steeply, because a list is a neighbourhood: two lists already
# hold the nearest vector of about nine in ten of our 64 queries, and a dozen or two hold it for all of them. Then it is
# flat. Real data has a longer tail, because more queries lie near a border, and then their neighbour lies on the other
# side, sometimes several lists away.
#
# The picture needs one number for each query: the **rank** of the list that holds its nearest vector, with 0 for
# the nearest list.
#
# **Exercise 12.2** (medium, 6 minutes). From these ranks, choose the smallest `nprobe` that reaches a wanted recall.


# %% tags=["exercise"]
def choose_nprobe(ranks, wanted):
    """(B,) ranks from 0, a share from 0 to 1 -> the smallest number of lists."""
    # BEGIN SOLUTION
    nprobe = 1
    while (ranks < nprobe).mean() < wanted:
        nprobe += 1
    return nprobe
    # END SOLUTION


check.choose_nprobe(choose_nprobe)

# %%
hint("12.2")

# %% tags=["claim", "hide-input"]
eight = (ranks < 8).mean()
half = "more" if eight > 0.5 else "less"
print(f"8 of 1,024 lists hold the nearest vector of {half} than half of the queries.")
assert eight > 20 * 8 / 1024
assert (ranks < 2).mean() > 0.8
assert (ranks < 24).all()
print("That is more than 20 times as many as 8 random lists would.")

# %% [markdown]
# An inverted file has a second gift. Inside a list, all vectors lie near the same centroid, so we can
# quantize what is left, the **residual** $x - c$, instead of $x$. It is smaller, so the same bits describe it better.
#
# How do all these compare? We measured them in one run over 300,000 vectors and 512 lists: exact search, plain codes, codes with
# sixteen codewords in each subspace, whose lookup tables fit into a register of the processor (faiss calls this
# **fast-scan**), and inverted lists of several kinds. All codes have 8 bytes.

# %% tags=["hide-input"]
engines = read_json(DATA / "results" / "scale" / "engines-300000.json")
rows = engines["engines"]
best = max((row for row in rows if "nprobe" in row), key=lambda row: row["recall@10"])
exact, plain, fast = rows[0], rows[1], rows[2]
show(
    draw_engines(rows),
    alt="Recall at 10 against queries a second, for exact search, two kinds of codes and four kinds of inverted "
    f"lists. Exact search: {exact['queries_a_second']:.0f} queries a second. Plain codes: recall "
    f"{plain['recall@10']:.2f} at {plain['queries_a_second']:.0f}; fast codes: {fast['recall@10']:.2f} at "
    f"{fast['queries_a_second']:.0f}. The best lists: {best['engine']}, nprobe {best['nprobe']}, recall "
    f"{best['recall@10']:.2f} at {best['queries_a_second']:.0f}. Numbers at the points are nprobe.",
)

# %% [markdown]
# Up and to the right is better. Walk along one line and you pay time for recall, with `nprobe` as the price tag. From line to
# line you see what an idea is worth. Here "recall at 10" asks whether the one true nearest
# vector is among the first ten.

# %% tags=["claim", "hide-input"]
by_name = {(row["engine"], row.get("nprobe")): row for row in rows}
four = by_name["lists, residual codes", 4]
ratio = four["queries_a_second"] / plain["queries_a_second"]
print(f"recall at 10: all plain codes {plain['recall@10']:.2f}, ", end="")
print(f"residual codes in 4 of {engines['lists']} lists {four['recall@10']:.2f}")
print(f"and the lists answer {ratio:.0f} times as many queries a second")
ratio = fast["queries_a_second"] / plain["queries_a_second"]
print(f"sixteen codewords in registers, without lists: {ratio:.1f} times as many")
graph, flat = (
    by_name[name + "residual fast codes", 1]["queries_a_second"]
    for name in ("lists behind a graph, ", "lists, ")
)
slower = "faster" if graph > flat else "slower"
print(
    f"with a graph over the {engines['lists']} centroids, and one list, the search is {slower} than without"
)

# %% [markdown]
# Fewer lists alone buy time and no recall: with plain codes, the lists never find more than all plain codes together. It
# is the *residual* that finds more, because the centroid has already said most of what there is to say, and all bits are
# left for the rest. A last idea brings no steady gain here: an HNSW graph that finds the nearest centroids. With a few hundred
# lists, comparing with every centroid is so quick that there is hardly anything for the graph to win; it is for hundreds of
# thousands of lists.
#
# ### Should the network know that the codes are coarse?
#
# Sixteen codewords are few. The vectors above come from a random generator and cannot be taught anything, but those of
# a network can: it may learn *for* such codes, with a snap, or have them fitted afterwards. Chapter 07 tried both on
# CIFAR-10. Here are its cells of sixteen codewords, each with five seeds on test images and an interval that allows
# for all cells of the map:

# %% tags=["hide-input"]
the_map = read_map()
small_codes = []
for name in ("1x16", "2x16", "4x16", "8x16"):
    cell = the_map.cell(name)
    fitted, trained = (f"{cell.findings[method].mean:.3f}" for method in ("none", "snap-pull"))
    small_codes.append((size_of(name), fitted, trained, said(cell.gain("snap-pull", "none"))))
Table(small_codes, head=["ADC mAP", "fitted afterwards", "trained with a snap", "difference"])

# %% [markdown]
# With one or two such subspaces the means rise a little when training knows of them (look at which interval
# contains zero). With more, these seeds show no clear difference, though at 8 × 16 the interval leaves room for a gain as
# large as the one at 2 × 16. So if your fast codes have many subspaces, begin with codes that are fitted afterwards: for
# them, no network has to be trained again.
#
# ## Weigh a billion
#
# What would a billion vectors weigh? As floats of 96 numbers they take 384 GB, more than most machines have. As
# codes they take far less, but not only the codes count. A list does not know the ids of its vectors
# by their place, so it stores them, 8 bytes each. The centroids of the lists are float32, and so are the
# codebooks.
#
# **Exercise 12.3** (medium, 8 minutes). Count all bytes of an inverted file with codes of `M` subspaces and `K`
# codewords (a power of two). A code takes whole bytes.


# %% tags=["exercise"]
def index_bytes(n, dim, lists, M, K):
    """Vectors, their length, lists, subspaces, codewords -> bytes, a whole number."""
    # BEGIN SOLUTION
    bits = M * int(np.log2(K))
    code = -(-bits // 8)
    return n * (code + 8) + lists * dim * 4 + K * dim * 4
    # END SOLUTION


check.index_bytes(index_bytes)

# %%
hint("12.3")

# %% tags=["hide-input"]
n, dim, lists_of_a_billion = 10**9, 96, 2**17
print(f"as floats        {n * dim * 4 / 1e9:6.1f} GB")
for M in (8, 16, 32):
    code, ids_, centroids_, books = n * M, n * 8, lists_of_a_billion * dim * 4, 256 * dim * 4
    total = code + ids_ + centroids_ + books
    print(f"codes of {M:2} bytes {total / 1e9:6.1f} GB, of which the ids {ids_ / total:.0%}")

# %% [markdown]
# Look at the ids: at 8 bytes a code they are half of the index. In our shards they are free, because a shard
# holds a *range* of ids, and the place in the file tells which one it is.
#
# ## Let a cluster search
#
# Now to several machines. We do not write a scheduler, because a good one exists. **Dask** has three parts. The
# **client** is this notebook; it asks. The **workers** are processes that do the work, here or on other machines. The
# **scheduler** sits between: it hands a **task** to a free worker, and hands it out again when a worker is lost. Our
# task is "search this shard for these queries".
#
# Next we start two workers on this machine, and after the first answer we kill one, the hard way (`kill -9`).

# %% tags=["hide-input"]
Guess.of("12 killed worker")

# %% tags=["volatile"]
from gsl_tutorial.course.scale.cluster import connect

seen = []


def watch(partial):
    """Keep each partial list, and kill the worker that sent the first one."""
    seen.append(partial)
    if len(seen) == 1:
        psutil.Process(partial.process).kill()


many = source.queries(512)
with connect(workers=2) as client:
    search_index(index, many[:1], 10, client=client)  # opens the shards, compares the checksums
    found = search_index(index, many, 10, client=client, on_partial=watch)
killed = seen[0].process
show(
    draw_tasks(seen, killed=killed),
    alt="A row of blocks for each worker process, one block for each shard that it searched. The worker that "
    f"answered first is killed after {sum(one.process == killed for one in seen)} of {len(seen)} shards; "
    f"all others are searched by the {len({one.process for one in seen} - {killed})} in the rows without a cross. "
    "Below, a staircase: the number of shards in the merged list rises to all of them.",
)

# %% tags=["claim", "hide-input"]
_, right = one.search(many, 10)
print(f"A worker was killed, and {len({p.shard for p in seen})} of 20 shards answered.")
same = "exactly" if np.array_equal(found.ids, right) else "not"
print(f"The answer is {same} that of one index, ties included.")

# %% [markdown]
# Nothing was lost, because nothing had to be remembered: a search changes nothing, so a task may run twice. The price is
# time. How much, we calculate below.
#
# The shard that the dead worker had in hand was handed out again. Dask may also have started a new worker in place of the
# dead one; then there is one row more than you expected. To see it move by move, here is a search in slow motion,
# simulated, with the real lists of our first query. Press Play, and kill a worker when you like (click its row, or its
# button). Its task is lost; the scheduler needs a moment to notice, and then somebody else gets the shard. Can you find a
# moment at which the loss costs the most time? And one at which it costs nothing?
#
# A green bar and a tick mark the entries of the merged list that are right already. Many of them are, long before the
# last shard has answered, but only the last shard can tell you so.

# %%
slow = [search_shard(folder, card, queries[:1], 10) for card in index.cards()[:12]]
took = np.random.default_rng(0).integers(30, 60, size=len(slow))
LostWorker(
    np.concatenate([one.distances for one in slow]),
    np.concatenate([one.ids for one in slow]),
    took,
    time=90,
    lost=[[1, 60]],
)

# %% [markdown]
# The same lines work with a cluster that runs already: `connect("tcp://...:8786")`, after
# `dask scheduler` on one machine and `dask worker tcp://...:8786` on the others. All of them must see the folder. With
# `connect(dashboard=True)` Dask serves a page with the same picture, live; `client.dashboard_link` is its
# address. And without any notebook:
#
#     gsl-tutorial scale build my-index --n 1000000
#     gsl-tutorial scale search my-index --queries queries.npy --scheduler tcp://127.0.0.1:8786
#
# ## Lose a shard
#
# Sometimes waiting is not possible: the page must be there within a second, and a disk has just died. Then a
# **partial answer** is better than none, as long as it says what is missing. (In our package you have to ask for it:
# `partial=True`. An incomplete answer that looks complete is the worst of all.)
#
# How bad is it to lose a shard? **Exercise 12.4** (medium, 8 minutes). Each shard holds `size` ids in a row, and
# some are lost. Which share of the neighbours is left, and which share of the lists is still whole?


# %% tags=["exercise"]
def what_is_left(ids, size, lost):
    """(B, k) ids of neighbours, ids in a shard, lost shards -> recall, share of whole lists."""
    # BEGIN SOLUTION
    gone = np.isin(ids // size, lost)
    return (~gone).mean(), (~gone).all(axis=1).mean()
    # END SOLUTION


check.what_is_left(what_is_left)

# %%
hint("12.4")

# %%
gone = np.isin(right // index.shard_size, [7])
print(
    f"one of 20 shards lost: recall {1 - gone.mean():.3f}, whole lists {(~gone).all(axis=1).mean():.2f}"
)
print(f"if ids were dealt at random: recall {1 - 1 / 20:.3f}, whole lists {(1 - 1 / 20) ** 10:.2f}")
assert 1 / 3 < gone.any(axis=1).mean() < 0.45

# %% [markdown]
# The recall falls only by about the share that is lost, which is why large engines accept it for a moment. But more than
# one list in three has a hole. And it is so mild only because our ids come in random order. If a shard held one *topic*, its
# loss would take everything from some queries and nothing from the others. On the other hand, a query could then ask a few
# shards only, as with inverted lists. It is the same trade-off again.
#
# ## Write the whole search
#
# You have met all the pieces of a sharded search: a lookup table and codes (chapter 03), lists that are merged, ties,
# and shards that are lost. Put together, they are what a search engine does behind one query.
#
# **Exercise 12.5** (hard, 15 minutes). You get the lookup table of one query, and the shards in the order in which they
# answer, which is any order. Each is a pair: the id of its first vector, and its codes, or `None` where the shard did
# not answer. Find the `k` nearest in each shard, keep one merged list, and let the smaller id come first of equal
# distances. Return two things: the ids, nearest first (fewer than `k` where there are not so many), and the places of
# the missing shards in the list, counted from 0.


# %% tags=["exercise"]
def search_shards(table, shards, k):
    """(M, K), [(first id, codes (n, M) or None), ...], number -> ids, missing shards."""
    # BEGIN SOLUTION
    best, missing = [], []
    for number, (start, codes) in enumerate(shards):
        if codes is None:
            missing.append(number)
            continue
        distances = table[np.arange(len(table)), codes].sum(axis=1)
        rows = np.argsort(distances, kind="stable")[:k]
        best += zip(distances[rows].tolist(), (rows + start).tolist(), strict=True)
        best = sorted(best)[:k]
    return [item for _, item in best], missing
    # END SOLUTION


check.search_shards(search_shards)

# %%
hint("12.5")

# %% [markdown]
# Now let it search our million. The twenty shards answer in a random order, and then they do it again, but without
# shard 7. Are your lists those of the single index above when all shards answer? And how many of them are still the same
# when one is missing?

# %%
pieces = [(card.start, codes[card.start : card.stop]) for card in index.cards()]
came = [int(s) for s in np.random.default_rng(0).permutation(len(pieces))]
tables = quantizer.lookup_tables(queries[:8])
for lost in (None, 7):
    answers = [(pieces[s][0], None if s == lost else pieces[s][1]) for s in came]
    if attempt(search_shards, tables[0], answers, 10) is None:
        break
    yours = [search_shards(table, answers, 10) for table in tables]
    equal = sum(np.array_equal(yours[q][0], ids[q, :10]) for q in range(8))
    missing = {came[place] for _, places in yours for place in places}
    print(
        f"missing shards: {', '.join(map(str, missing)) or 'none'}; {equal} of 8 lists are those of one index"
    )

# %% [markdown]
# ## Grow, and keep count
#
# Does the cost really grow in proportion? We built and searched indexes of growing size, 8 bytes a vector and 100 queries
# each, on the same path as above. The records are in `data/results/scale`, and one command makes them again:
# `gsl-tutorial scale bench --folder DIR --sizes 300000,1000000,3000000,10000000 --to DIR`. The largest has ten million
# vectors, which are drawn, encoded and forgotten again, piece by piece. As floats they would fill 1.3 GB.

# %% tags=["hide-input"]
paths = sorted((DATA / "results" / "scale").glob("size-*.json"), key=lambda p: int(p.stem[5:]))
sizes = [read_json(path) for path in paths]
n_of = [one["n"] for one in sizes]
build_s, search_s = ([one[key] for one in sizes] for key in ("build_seconds", "search_seconds"))
show(
    draw_growth({"build": (n_of, build_s), "search, 100 queries": (n_of, search_s)}),
    alt="Seconds of one processor against the number of vectors, both axes logarithmic. "
    + " ".join(
        f"{one['n']:,} vectors: build {one['build_seconds']:.0f} s, search {one['search_seconds']:.1f} s."
        for one in sizes
    )
    + " Dotted lines are exactly linear.",
)
for one_size in sizes:
    r, w = one_size["recall"], one_size["workers"]
    print(
        f"{one_size['n']:>10,}: recall at 1, 10, 100: {r['1']:.2f} {r['10']:.2f} {r['100']:.2f}; most memory "
        f"of a worker {max(one['peak_memory_mb'] for one in w.values()):.0f} MB"
    )

# %% tags=["claim", "hide-input"]
large = [i for i, n in enumerate(n_of) if n >= 10**6]
print(f"from {n_of[large[0]]:,} to {n_of[-1]:,} vectors, as a power of their number:")
build_exponent, search_exponent = (
    growth([n_of[i] for i in large], [seconds[i] for i in large]) for seconds in (build_s, search_s)
)
print(f"exponent of the build {build_exponent:.2f}, of the search {search_exponent:.2f}")
assert all(run["equal"] for one in sizes for run in one["workers"].values())
print("Every merged answer of 1, 2 and 4 workers equals that of one process.")

# %% [markdown]
# An exponent of 1 means that twice the vectors cost twice the time. Notice what happens to the recall: it *falls* as
# the database grows, with the same codes. Twice as many vectors means twice as many that come close, and
# the same 8 bytes must tell them apart. So a larger database needs longer codes, or an exact look at the best hundred.
#
# What do more workers bring? We searched the largest index with one, two and four of them.

# %%
largest = sizes[-1]
print(f"{largest['n']:,} vectors in {largest['shards']} shards, {largest['cores']} cores,")
print(f"on which {largest['load']:.0f} programs wanted to run already")
print("workers   work of the busiest one   time until the answer")
for count, run in largest["workers"].items():
    print(f"{count:>7} {run['busiest_seconds']:23.1f} s {run['wall_seconds']:21.1f} s")

# %% [markdown]
# The middle column is the processor time of the worker that had the most to do. It falls, because the shards are shared
# out, though not to a half and a quarter: Dask gives the next shard to whoever is free, so the shares need not be equal.
# The last column, the waiting time, does not fall at all, it rises. Our machine has two cores, and other programs were
# using both, so more processes only added to the crowd. A fair test of speed needs free cores, and we had none. The middle
# column hints at what you could gain with them, and the last one reminds you that workers are not cores.
#
# ## Predict before you rent
#
# With so regular a growth we can calculate. Our model has few terms: a worker compares codes one after the other; each
# task costs something however small it is; queries and lists cross the network; merging costs a little; tasks vary
# by chance, and the answer waits for the slowest worker. We fit the first two terms on just two shards of the
# smallest index, and let the model predict the searches of all larger ones, which it has not seen.

# %% tags=["claim", "hide-input"]
small = sizes[0]
machine = fit_scan(small["shard_sizes"], small["shard_seconds"], n_queries=small["queries"])
print("fitted on shards of", " and ".join(f"{n:,}" for n in small["shard_sizes"]), "vectors")
for one_size in sizes[1:]:
    asked = one_size["shards"] * machine.task + machine.scan * one_size["queries"] * one_size["n"]
    measured = one_size["search_seconds"]
    print(f"{one_size['n']:,} vectors: predicted {asked:.2f} s, measured {measured:.2f} s")

# %% [markdown]
# Then a question that no formula answers well: what if a worker dies halfway? For this we simulate the same search, event by
# event: tasks begin, end, are lost, noticed, and handed out again. Where both can answer, formula and simulation
# should agree.

# %% tags=["hide-input"]
real = Machine(scan=machine.scan, task=max(machine.task, 1e-3), spread=0.3)
print("workers   formula   simulated   one worker lost halfway")
for w in (2, 4, 16, 100):
    job = Job(n=10**9, n_queries=100, k=10, dim=96, code_bytes=8, n_shards=4 * w, n_workers=w)
    formula = predict(real, job).seconds
    runs = [simulate(real, job, seed=s) for s in range(20)]
    lost = [simulate(real, job, seed=s, lost_at=formula / 2) for s in range(20)]
    print(f"{w:7} {formula:8.1f} s {np.mean(runs):9.1f} s {np.mean(lost):12.1f} s")
memory = predict(real, job).memory
print(f"a billion codes of 8 bytes on {w} workers: {memory / 1e6:.0f} MB on each")

# %% [markdown]
# The last table extrapolates from ten million vectors on one machine to a billion on a hundred. It assumes that all
# workers are alike and have the network to themselves, so trust its *shape* more than its numbers. Shards that are finished
# stay finished, so if one of two workers dies halfway, the other does the remaining half of the work alone, and the search
# takes half as long again. A hundred workers hardly notice, because many share what the lost one leaves behind. What they
# do notice is the slowest task, because everybody waits for it. More and smaller shards help against both.
#
# ## Train on several processes
#
# Training can be spread out, too. Each process takes a part of the batch, and the gradients are averaged (PyTorch's
# `DistributedDataParallel`). The snapping layer needs nothing special for this, because a pull is divided by the size of
# the part, so the averaged gradient is that of the whole batch. One thing must not happen: codebooks that drift
# apart. So the embeddings are gathered, the codebooks fitted once and the same everywhere.
# The page *Use the layer in your own training* (`docs/training.md`) has the script, and our tests run it.
#
# ## What to remember
#
# - The nearest of all are among the nearest of each shard. With a second key for ties, the merged list is exactly that
#   of one index.
# - A build that writes whole shards and nothing else can be killed at any time. There is nothing to repair.
# - Inverted lists do less work, shards spread it. Recall over `nprobe` rises steeply and then flattens.
# - Lists buy time; it is the residual that buys recall.
# - Count the ids: for short codes they weigh as much as the codes.
# - A partial answer must say that it is one.
#
# ## Quiz
#
# 1. Each of 20 shards returns its 5 nearest, and you merge them into a list of 10. Is it right?
# 2. Two shards return an item at exactly the same distance. What would go wrong without the second key?
# 3. You double the number of lists and keep `nprobe`. What happens to time and recall?
# 4. A worker died, and the search took half as long again. Which two things would make the next loss cheaper?
# 5. Recall at 1 fell when the database grew tenfold. Is something broken?
#
# <details><summary>Answers</summary>
#
# 1. Not always: if one shard holds six or more of the ten nearest, only five of them arrive. Each shard must return
#    as many as are wanted in the end.
# 2. Nothing that you see in one search. But the order would depend on which shard answers first, so the same query could
#    give two different lists, and no test could compare them.
# 3. The lists become half as long, so scanning takes about half the time; there are more centroids to compare. The recall
#    falls, because the same number of lists covers less space.
# 4. Smaller shards, because less has to be repeated, and more workers, because more of them share what is left.
# 5. No. More vectors come close to each query, and codes of the same length cannot tell them all apart.
#
# </details>
#
# ## Further reading
#
# - H. Jégou, M. Douze and C. Schmid, *Product Quantization for Nearest Neighbor Search*, IEEE TPAMI 33(1), 2011:
#   inverted lists with residual codes.
# - F. André, A.-M. Kermarrec and N. Le Scouarnec, *Cache Locality Is Not Enough: High-Performance Nearest Neighbor Search
#   with Product Quantization Fast Scan*, PVLDB 9(4), 2015: lookup tables in registers.
# - M. Douze and others, *The Faiss Library*, [arXiv 2401.08281](https://arxiv.org/abs/2401.08281), 2024.
# - M. Rocklin, *Dask: Parallel Computation with Blocked Algorithms and Task Scheduling*, SciPy 2015.
# - J. Dean and L. A. Barroso, *The Tail at Scale*, Communications of the ACM 56(2), 2013: why the slowest
#   worker decides.
