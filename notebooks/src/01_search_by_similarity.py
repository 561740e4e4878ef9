# %% [markdown]
# # Search by similarity
#
# You have a picture, and a collection of many others. Which of them are most like yours, and what does it
# cost to find out? This chapter builds the search that is always right. Then it squeezes the vectors, a few
# bits at a time, and counts what gets lost.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Write an exact search, count what it costs in bytes and in time, then shrink the
# vectors step by step and watch how many of the true neighbours are still found. At the end, search block by
# block, as you would if the vectors did not fit.
#
# **What you will learn.** What "similar" means to a computer, why we can leave out the square root, where the
# bytes and the seconds go, and how to say in one number what a compressed search loses.
#
# **What you need.** NumPy arrays and their axes; the squared distance of chapter 00. About 55
# minutes, 35 of them for the five exercises.
#
# </details>

# %% tags=["hide-input"]
import time

import numpy as np

from gsl_tutorial.course.datasets import load_digits, make_blobs_2d
from gsl_tutorial.course.exercises import attempt, check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.costs import draw_costs
from gsl_tutorial.course.plots.neighbours import (
    draw_found_images,
    draw_memory,
    draw_neighbours,
    draw_recall,
)
from gsl_tutorial.course.plots.product import draw_images
from gsl_tutorial.course.toys.kmeans_steps import assign
from gsl_tutorial.course.toys.neighbours import (
    Compressed,
    differences_first,
    nearest_neighbours,
    recall_at,
    round_numbers,
)
from gsl_tutorial.course.widgets import CompressionSliders, Guess
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers.kmeans import kmeans

points = make_blobs_2d(30, 4, random_state=3, spread=0.22).x
digits = load_digits()
database, queries = digits.database.x, digits.query.x

# %% [markdown]
# ## Find the nearest points
#
# We call the vectors that we search in the **database**; there are $N$ of them. How many numbers a vector has
# is its **dimension**, `dim`. What we search for is a **query**, a vector of the same dimension. The
# **neighbours** of the query are the vectors at the smallest distance from it. How many we look at is $k$, a
# small letter, because the capital $K$ will count codewords in later chapters.
#
# In the plane you can see them. The star is the query, and the circle passes through the last of its $k$
# nearest points.

# %%
query = np.array([0.05, 0.15])  # try another place, between -1 and 1
k = 5  # try another number
distances = ((points - query) ** 2).sum(axis=1)
nearest = nearest_neighbours(distances[None], k)[0]
radius = np.sqrt(distances[nearest[-1]])
show(
    draw_neighbours(points, query, nearest),
    alt=f"Points in four loose groups and a star among them. Lines lead from the star to its {k} "
    f"nearest points, which are numbered; a dashed circle of radius {radius:.2f} passes through "
    "the last of them.",
)
print(f"radius of the circle: {radius:.2f}")

# %% [markdown]
# **Try it.** Move the query into one of the groups. How much smaller does the circle become? And which number
# would you look at to find out how crowded a place is?
#
# <details><summary>What to see</summary>
#
# Inside a group the circle shrinks to a fraction of its size. The radius that holds $k$ points is
# small where the data are dense and large where they are thin, so it measures how crowded a place is. Some
# methods of statistics estimate densities in just this way.
#
# </details>
#
# One query was easy. A search engine answers many at once, so we want a table with a row for each query and a
# column for each vector of the database.
#
# **Exercise 01.1** (medium, 7 minutes). Fill this table with *squared* distances. $B$ is the number
# of queries.


# %% tags=["exercise"]
def all_distances(queries, database):
    """(B, dim), (N, dim) -> (B, N) squared distances."""
    # BEGIN SOLUTION
    differences = queries[:, None] - database
    return (differences**2).sum(axis=2)
    # END SOLUTION


check.all_distances(all_distances)

# %%
hint("01.1")

# %% [markdown]
# **Exercise 01.2** (easy, 5 minutes). From the table, pick the $k$ nearest vectors of each query, nearest
# first. Return their row numbers in the database.


# %% tags=["exercise"]
def nearest_rows(distances, k):
    """(B, N), number -> (B, k) row numbers."""
    # BEGIN SOLUTION
    order = distances.argsort(axis=1)
    return order[:, :k]
    # END SOLUTION


check.nearest_rows(nearest_rows)

# %%
hint("01.2")

# %% [markdown]
# ## Watch the memory of a broadcast
#
# A table like this is quickly written: subtract everything from everything at once, square, sum. The short line
# hides a price. NumPy **broadcasts**: it builds all $B \times N$ differences, each with `dim` numbers, before it
# sums any of them. There is another way. Write the square out,
#
# $$\lVert x - y \rVert^2 = \lVert x \rVert^2 + \lVert y \rVert^2 - 2\,\langle x, y \rangle ,$$
#
# and the only large part is a product of two matrices, which needs no room beyond the table itself. Let us
# compare both ways on images of handwritten digits; each is a vector of 64 pixels.

# %% tags=["hide-input"]
print(f"{len(database):,} digits to search in, {len(queries)} others to search for")
table_mb = len(queries) * len(database) * 4 / 1e6
show(
    draw_costs(
        {
            "all differences first": table_mb * database.shape[1],
            "the square written out": table_mb,
        },
        unit="MB",
        title="memory for one table of squared distances",
    ),
    alt=f"Two bars: {table_mb * database.shape[1]:.0f} MB for all differences, and {table_mb:.0f} MB for the "
    "square written out.",
    caption="The first way needs 64 times the memory, once for every pixel.",
)

# %% tags=["volatile", "hide-input"]
timed = {"all differences first": differences_first, "the square written out": squared_distances}
for name, compute in timed.items():
    compute(queries[:2], database)  # the first call also wakes the libraries up
    started = time.perf_counter()
    compute(queries, database)
    print(f"{name}: {1e3 * (time.perf_counter() - started):.0f} ms on this machine")

# %% [markdown]
# There is one catch. Where all vectors lie far from the origin, the formula subtracts huge numbers that are
# nearly equal, and the digits that matter are rounded away. The package therefore moves the origin into the
# data first.
#
# ## Choose what "near" means
#
# A distance is the square root of a squared distance. We leave the root out everywhere, for two reasons: it
# costs time, and it cannot change who is nearest. If one number is smaller than another, so is its root.
#
# Besides the distance, which is called **L2**, two other measures are common. The **inner product**
# $\langle x, y \rangle$ is large when two vectors point the same way *and* are long. The **cosine** is the
# inner product after both vectors have been scaled to length 1, so only the direction counts:
#
# $$\cos(x, y) = \frac{\langle x, y \rangle}{\lVert x \rVert\,\lVert y \rVert} .$$
#
# Do they agree on the nearest neighbour? The formula above knows the answer. If all vectors have length 1, it
# reads $\lVert x - y \rVert^2 = 2 - 2\cos(x, y)$: the smaller the distance, the larger the cosine, and all
# three measures give the same ranking. If lengths differ, they may not.

# %% tags=["hide-input"]
Guess.of("01 measures")

# %% tags=["claim", "hide-input"]
exact = squared_distances(queries, database)
unit_queries, unit_database = (
    x / np.linalg.norm(x, axis=1, keepdims=True) for x in (queries, database)
)
same_ranking = np.array_equal(
    nearest_neighbours(exact, len(database)), nearest_neighbours(np.sqrt(exact), len(database))
)
print(
    f"With and without the root, {'all' if same_ranking else 'not all'} {len(queries)} rankings agree."
)
winner = (queries @ database.T).argmax(axis=1)
agree = int((exact[np.arange(len(queries)), winner] == exact.min(axis=1)).sum())
print(
    f"The largest inner product is also the smallest distance for {agree} of {len(queries)} queries."
)
gap = np.abs(
    squared_distances(unit_queries, unit_database) - (2 - 2 * unit_queries @ unit_database.T)
)
close = "agree" if gap.max() < 1e-5 else "do not agree"
print(f"At length 1, the squared distances and 2 - 2 cos {close} to five decimals.")

# %% [markdown]
# The inner product prefers digits with a lot of ink, whatever the query looks like, because they are long
# vectors. That can be what you want (popular films in a recommender) or not at all. Networks for
# retrieval often scale their embeddings to length 1, and then the question disappears. This workbook uses
# squared distances unless it says otherwise.
#
# One warning for later: without the root, the *ranking* stays the same, but the *values* do not. A mean of
# squared distances is not the square of a mean distance, and chapter 03 depends on the difference.
#
# ## Search the digits
#
# The same search works for vectors of any dimension, and nothing in it knows that these vectors are pictures.
# Here are ten queries, one of each digit, and below each its three nearest neighbours. Look for mistakes.

# %% tags=["hide-input"]
true = nearest_neighbours(exact, 10)
first_of_each = [np.flatnonzero(digits.query.labels == label)[0] for label in range(10)]
rows = {"query": queries[first_of_each]}
rows |= {f"no. {rank + 1}": database[true[first_of_each, rank]] for rank in range(3)}
show(
    draw_images(rows),
    alt="Ten digits as queries, and under each the three nearest digits of the database. Nearly "
    "all show the digit of the query, in a similar hand; the neighbours of the five are nines.",
)

# %% tags=["claim", "hide-input"]
labels = digits.database.labels
same_digit = labels[true[:, 0]] == digits.query.labels
print(
    f"The nearest neighbour shows the same digit for {same_digit.sum()} of {len(queries)} queries."
)

# %% [markdown]
# <details><summary>Where are the mistakes of the picture?</summary>
#
# In the column of the five: its three nearest neighbours are nines.
#
# </details>
#
# For these few, the nearest pixels belong to another digit. No search can repair that, because a
# search finds what *is* near. What *should* be near is a question for whoever makes the vectors, and chapter
# 08 learns better ones.
#
# ## Compare with faiss
#
# When you have written something by hand, check it against something that others trust. **faiss** is a widely
# used library for similarity search. Its plainest index, `IndexFlatL2`, keeps the vectors as they are and
# compares each with the query, so it is our search in C++.

# %% tags=["claim"]
import faiss

index = faiss.IndexFlatL2(database.shape[1])
index.add(database)
found_distances, found = index.search(queries, 10)
same = np.allclose(found_distances, np.take_along_axis(exact, true, axis=1))
print(
    f"For {len(queries)} queries, faiss finds {'the same' if same else 'other'} ten distances as we do."
)

# %% [markdown]
# Why did we compare distances and not row numbers? Two digits can be equally far from a query. Then both
# orders are right, and each library is free to choose.
#
# ## Count the bytes
#
# A **byte** is 8 **bits**. Each number of our digits takes 32 bits: NumPy calls that `float32`, and
# this workbook says *a float*. How much memory does a database take?
#
# **Exercise 01.3** (easy, 4 minutes). $N$ vectors of `dim` numbers, each number of so many `bits`:
# how many bytes?


# %% tags=["exercise"]
def vector_bytes(N, dim, bits):
    """Three numbers -> bytes of all N vectors together."""
    # BEGIN SOLUTION
    bits_in_all = N * dim * bits
    return bits_in_all / 8
    # END SOLUTION


check.vector_bytes(vector_bytes)

# %%
hint("01.3")

# %% [markdown]
# Embeddings from networks have more dimensions than our digits; several hundred are common. Here is what a million
# of them take, and a billion, beside the short codes that later chapters make:

# %% tags=["claim", "hide-input"]
million, billion = 10**6, 10**9
for name, bytes_each in {
    "768 floats": 768 * 4,
    "64 floats": 64 * 4,
    "a code of 8 bytes": 8,
}.items():
    print(f"{name:18} a million: {million * bytes_each / 1e9:9,.3f} GB", end="   ")
    print(f"a billion: {billion * bytes_each / 1e9:9,.0f} GB")

# %% tags=["hide-input"]
counts = [10.0**power for power in range(4, 11)]
sizes = {"768 floats": 3072, "64 floats": 256, "8-byte code": 8, "1-byte code": 1}
show(
    draw_memory(counts, sizes, {"4 GB, a small laptop": 4e9, "1 TB, a large server": 1e12}),
    alt="Bytes against the number of vectors, both on logarithmic scales: four parallel lines. The "
    "line of 768 floats crosses the 4 GB of a laptop soon after a million vectors, that of "
    "8-byte codes only near half a billion.",
    caption="Follow a thick grey line to the right: the lower the slanted line, the more vectors fit.",
)

# %% [markdown]
# Both axes are logarithmic, so every line has the same slope: twice the vectors, twice the bytes. Compression
# cannot change the slope. It moves the line down, and that is all we need.
#
# ## Measure the time
#
# An exact search computes $N$ distances of `dim` multiplications each, that is $N \cdot \text{dim}$ operations
# for every query. On paper, then, the time grows in the same way as the memory. In practice it can grow faster at
# first: a few thousand vectors fit into the processor's cache, and 200,000 do not. Here is how long it takes on
# your own machine; the numbers differ from run to run.

# %% tags=["volatile", "hide-input"]
rng = np.random.default_rng(0)
crowd = rng.random((200_000, 64), dtype=np.float32)
for n in (2_000, 20_000, 200_000):
    part = faiss.IndexFlatL2(64)
    part.add(crowd[:n])
    part.search(crowd[:1], 10)  # the first call also wakes the library up
    started = time.perf_counter()
    part.search(crowd[:20], 10)
    each = (time.perf_counter() - started) / 20
    print(f"{n:7,} vectors x 64 numbers: {n * 64:10,} operations, {1e3 * each:7.2f} ms for a query")
print(f"At this speed, a billion vectors would take {each * billion / n:,.0f} s for a query.")
del crowd, part

# %% [markdown]
# So there are two prices, memory and time, and both ask for the same thing: *fewer bits for each vector*. There
# is less to keep, and less to read. But how many of the neighbours does it cost?
#
# ## Say how much is found
#
# A search in compressed vectors returns $k$ rows, and some of them are not the true ones. **Recall@k** is the
# share of the $k$ true neighbours that are among the $k$ found, averaged over all queries. Their order does
# not count.
#
# > One name, two measures. Other authors ask only whether the single nearest neighbour is among the $k$
# > found, and chapter 03 does so, too. Wherever you read "recall@10", look for its definition.
#
# **Exercise 01.4** (medium, 7 minutes). Write recall@k. Both arrays hold row numbers, one row for
# each query; the entries of a row are all distinct.


# %% tags=["exercise"]
def recall_at_k(found, true):
    """(B, k), (B, k) -> one number from 0 to 1."""
    # BEGIN SOLUTION
    is_found = (found[:, :, None] == true[:, None, :]).any(axis=1)
    return is_found.mean()
    # END SOLUTION


check.recall_at_k(recall_at_k)

# %%
hint("01.4")

# %% [markdown]
# ## Compress the points and watch
#
# The crudest way to save bits is to **round**. Cut the range of each number into equal parts and keep only
# which part the number falls into. With one bit there are two parts, and each further bit doubles them. For
# the search, the middle of the part takes the place of the number.
#
# In the plane, rounding moves all points onto a grid. Points that land at the same place are **tied**, because
# nothing distinguishes them any more. If they compete for the last places among the ten, luck decides who
# comes in, so `recall_at` of the package averages over all orders.
#
# The menu offers a second way: keep a few **codewords**, places that suit the data, and replace each point by
# the nearest of them. Chapter 02 is about finding such places.

# %% tags=["hide-input"]
low, high = -1.2, 1.2


def rounded(level):
    """The points with `level` bits for each of their two numbers."""
    parts = 2**level
    label = f"{parts} x {parts} places, a code of {2 * level} bits"
    return Compressed(round_numbers(points, level, low=low, high=high), 2 * level, label)


def on_codewords(level):
    """The points on as many codewords as that grid has places, at most one for each point."""
    n_words = min(4**level, len(points))
    bits = int(np.ceil(np.log2(n_words)))
    words = kmeans(points, n_words, seed=0) if n_words < len(points) else points
    label = f"{n_words} codewords, a code of {bits} bits"
    return Compressed(words[assign(points, words)], bits, label)


ways = {
    "round each number": [rounded(level) for level in range(1, 7)],
    "keep codewords": [on_codewords(level) for level in range(1, 5)],
}
many_queries = np.random.default_rng(0).uniform(-1, 1, size=(200, 2))
CompressionSliders(points, ways, many_queries)

# %% [markdown]
# Rings mark the ten true neighbours, diamonds what is found through the codes. Triangles are points that are tied
# for the last places: luck decides which of them come in. An empty ring is a neighbour that was missed. (With the
# keyboard, Tab reaches a slider or the menu, the arrow keys move a slider, and Space opens the menu.)
#
# **Try it.**
#
# 1. Set the **level** to 1, which means one bit for each coordinate, or four codewords; each further level offers
#    four times as many places (but never more codewords than there are points). Move the query slowly across the middle. When does the recall jump?
# 2. At level 3, find a place for the query with a recall of 1, and one with less than a half.
# 3. Change the menu to the codewords. At the same number of bits, which way finds more? And at level 4, where
#    every point is its own codeword and nothing is lost, what is wrong with that as a compression?
#
# <details><summary>What to see</summary>
#
# 1. It jumps where the nearest of the four places changes: all points of that place come in at once.
# 2. Recall is 1 where the places that hold the ten true neighbours hold no stranger that comes in before them: in the
#    middle of a crowded place, as at (0.45, -0.45), but outside a group, too, as at (0.9, 0.5). It is low where those
#    places hold other points as well: between groups, and where a line of the grid cuts a group in two, as at
#    (0.5, -0.35).
# 3. At level 1 the two are about equal. From then on the codewords find more, because none of them is wasted on
#    empty paper, as many places of the grid are. At level 4 the list of
#    codewords *is* the database: nothing has been saved, since the list has to be kept, too.
#
# </details>
#
# ## Round the digits
#
# Now the same with the digits. One bit for each pixel turns a vector of 64 numbers into a code of 8 bytes.
# (White paper turns grey, because the middle of the lowest part is more than zero.) Could you still read them?

# %% tags=["hide-input"]
few = (3, 2, 1)
rows = {"pixels": queries[first_of_each]}
rows |= {
    f"{bits} bit{'s' * (bits > 1)}\na pixel": round_numbers(
        queries[first_of_each], bits, low=0.0, high=1.0
    )
    for bits in few
}
show(
    draw_images(rows),
    alt="Ten digits in four rows: the pixels, and the same with three, two and one bit for each "
    "pixel. With three bits only the paper is a little darker; with one bit two greys are left, "
    "and every digit can still be read.",
)

# %% tags=["claim", "hide-input"]
curve_bits, curve_recall = [], []
for bits in (1, 2, 3, 4, 6, 8, 32):
    compressed = database  # 32 bits: as they are
    if bits < 32:
        compressed = round_numbers(database, bits, low=0.0, high=1.0)
    recall = recall_at(squared_distances(queries, compressed), true).mean()
    curve_bits.append(bits * database.shape[1])
    curve_recall.append(float(recall))
    print(f"{bits:2} bits a pixel: {curve_bits[-1] // 8:3} bytes a digit, recall@10 {recall:.2f}")

# %% [markdown]
# The query stays exact here, and only the database is rounded. Read the table from below: going from 32 bits to
# 8 for each number, you lose hardly a neighbour. (faiss calls such an index a *scalar quantizer*.) With fewer
# bits it begins to hurt. Who takes the places of the lost neighbours?

# %%
which = 35  # try another query
rows = {"exact": (database[true[which]], np.ones(10, dtype=bool))}
for bits in few:
    compressed = round_numbers(database, bits, low=0.0, high=1.0)
    got = nearest_neighbours(squared_distances(queries[[which]], compressed), 10)[0]
    rows[f"{bits} bit{'s' * (bits > 1)} a pixel"] = (database[got], np.isin(got, true[which]))
misses = ", ".join(str(10 - is_true.sum()) for _, is_true in rows.values())
show(
    draw_found_images(queries[which], rows),
    alt="A query digit and four rows of ten found digits: by exact search, and with three, two and "
    "one bit for each pixel. True neighbours are ticked, others crossed; from row to row the "
    f"crosses are {misses}.",
)

# %% [markdown]
# Recall is strict: a different picture of the same digit counts as a miss. Chapter 08 asks the milder question
# whether what is found has the right *label*.
#
# ## Go below one bit for each number
#
# Rounding cannot go below one bit for each number. For a vector of 64 numbers that is a code of 64 bits, for
# 768 numbers it is 768. To go further down, several numbers have to share a bit, so we need one code for the
# *whole* vector, and codewords give us that. The next picture compares both ways.

# %% tags=["hide-input"]
Guess.of("01 codewords")

# %% tags=["hide-input"]
word_bits, word_recall = [], []
for bits in (2, 4, 6, 8, 10):
    words = kmeans(database, 2**bits, seed=0)
    compressed = words[squared_distances(database, words).argmin(axis=1)]
    recall = recall_at(squared_distances(queries, compressed), true).mean()
    word_bits.append(bits)
    word_recall.append(float(recall))
show(
    draw_recall(
        {
            "round each number": (curve_bits, curve_recall),
            "keep codewords": (word_bits, word_recall),
        }
    ),
    alt="Recall against bits of a code. The codewords rise steeply between two and ten bits; "
    "rounding begins at 64 bits, at a recall that the codewords reach with about nine, and "
    "approaches one at 512.",
)

# %% tags=["claim", "hide-input"]
better = "more" if word_recall[-1] > curve_recall[0] else "no more"
print(f"Ten bits of codewords find {better} neighbours than 64 bits of rounding.")
print(f"But there are only {len(database) / 1024:.1f} images for each of the 1,024 codewords.")

# %% [markdown]
# Codewords win by far, and yet the second line is a warning. There are hardly more images than codewords, so
# the list of codewords is nearly as large as the database itself. How to find codewords, and why you cannot
# simply take more and more of them, is the subject of [chapter 02](02_vector_quantization.ipynb).

# %% [markdown]
# ## Search what does not fit
#
# A table with a row for each query and a column for each vector outgrows any memory: 1,000 queries and ten
# million vectors make a table of 40 GB. Real engines go through the database block by block and keep only the best so
# far. You have all the parts.
#
# **Exercise 01.5** (hard, 12 minutes). Write an exact search that never holds the whole table: it computes
# the distances of at most `block` vectors at a time. Return the rows of the $k$ nearest of each query,
# nearest first. The check tries one block, several, a last one that is shorter, and then counts your bytes.


# %% tags=["exercise"]
def search_in_blocks(queries, database, k, block):
    """(B, dim), (N, dim), number, number -> (B, k) row numbers."""
    # BEGIN SOLUTION
    best, rows = np.empty((len(queries), 0)), np.empty((len(queries), 0), dtype=int)
    for start in range(0, len(database), block):
        part = database[start : start + block]
        squared = ((queries[:, None] - part) ** 2).sum(axis=2)
        numbers = np.broadcast_to(np.arange(start, start + len(part)), squared.shape)
        best, rows = np.hstack([best, squared]), np.hstack([rows, numbers])
        order = best.argsort(axis=1)[:, :k]
        best = np.take_along_axis(best, order, axis=1)
        rows = np.take_along_axis(rows, order, axis=1)
    return rows
    # END SOLUTION


check.search_in_blocks(search_in_blocks)

# %%
hint("01.5")

# %% [markdown]
# Put your search beside the package's: ten digits, the three nearest of each, in blocks of 100.

# %%
found = {"the package": true[first_of_each, :3]}
yours = attempt(search_in_blocks, queries[first_of_each], database, 3, 100)
if yours is not None:
    found = {"yours": yours, **found}
rows = {"query": queries[first_of_each]}
rows |= {
    f"{name},\nno. {place + 1}": database[order[:, place]]
    for name, order in found.items()
    for place in range(3)
}
show(
    draw_images(rows),
    alt="Ten digits as queries, and under each the three nearest digits of the database. Nearly all show "
    "the digit of the query.",
)

# %% [markdown]
# **Try it.** Run it with `block=1` and with `block=len(database)`. Which is quicker, and why is neither the
# best choice for a large database?
#
# <details><summary>What to see</summary>
#
# With `block=1` Python takes a round of its loop for every vector, which is slow. With one block for everything
# there is a single round, but the whole table is in memory at once, and that is what we wanted to avoid. A good
# block is as large as your memory comfortably holds.
#
# </details>
#
# ## What to remember
#
# - Exact search computes all distances and picks the $k$ smallest. It is slow and right, and everything else
#   is measured against it.
# - Squared distances rank as distances do. With vectors of length 1, the inner product and the cosine give the
#   same ranking, too; otherwise they may not.
# - Memory is the number of vectors, times their dimension, times the bits of a number, divided by eight. Time
#   grows in the same way, apart from caches.
# - Recall@k says how many of the true neighbours a compressed search still finds.
# - Eight bits for each number are nearly free. Less than one bit for each number needs codewords.
#
# ## Quiz
#
# 1. You add a constant to all squared distances of a query. Who is nearest now? And if you multiply them by a
#    positive constant?
# 2. A database of vectors with 32-bit numbers fills your memory. You keep 8 bits for each number.
#    How many times as many vectors fit?
# 3. Every vector of a database has the same code. What is the recall@10 among a thousand of them?
# 4. Two papers report recall@10 for the same codes and data, and one of them reports much more. Who is
#    wrong?
# 5. Rounding makes the digits coarser, but you can still read a digit with one bit for each pixel. Why
#    is the recall low all the same?
#
# <details><summary>Answers</summary>
#
# 1. The same vector as before, both times, because neither changes the order.
# 2. Four times as many.
# 3. One in a hundred. All thousand are tied, ten of them come in, and any ten are as likely as any other.
# 4. Perhaps nobody. One may count all ten true neighbours, the other only the nearest.
# 5. To read a digit you need its class, but recall needs the very same ten pictures. Among many similar
#    digits, small errors are enough to change places.
#
# </details>
#
# ## Further reading
#
# - M. Douze et al., *The Faiss library*, [arXiv 2401.08281](https://arxiv.org/abs/2401.08281),
#   2024: indexes from the flat one on, and what each trades for what.
# - M. Aumüller, E. Bernhardsson and A. Faithfull, *ANN-Benchmarks*, [arXiv
#   1807.05614](https://arxiv.org/abs/1807.05614), 2018: how recall and time are reported together,
#   and by which definition.
