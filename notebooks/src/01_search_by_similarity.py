# %% [markdown]
# # Search by similarity
#
# **What you will do.** Write an exact search, count what it costs in bytes and in time, then shrink
# the vectors step by step and watch how many of the true neighbours are still found.
#
# **What you will learn.** What "similar" means to a computer, why the square root may be left out,
# where the bytes and the seconds go, and how to say in one number what a compressed search loses.
#
# **What you need.** NumPy arrays and their axes; the squared distance of chapter 00. About 55
# minutes, 35 of them for the five exercises.
#
# > Nothing is learned in this chapter and nothing is clever: every query is compared with every
# > vector. That is the search that all others are measured against.

# %%
import time

import faiss
import numpy as np

from gsl_tutorial.course.datasets import load_digits, make_blobs_2d
from gsl_tutorial.course.exercises import attempt, check, hint
from gsl_tutorial.course.plots import show
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
    nearest_neighbours,
    recall_at,
    round_numbers,
)
from gsl_tutorial.course.widgets import CompressionSliders
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers.kmeans import kmeans

points = make_blobs_2d(30, 4, random_state=3, spread=0.22).x
digits = load_digits()
database, queries = digits.database.x, digits.query.x
print(f"points in the plane: {len(points)}")
print(f"digits: {len(database)} to search in, {len(queries)} others to search for")
print(f"a digit is a vector of {database.shape[1]} numbers, its pixels")

# %% [markdown]
# ## Find the nearest points
#
# What we search in is the **database**: $N$ vectors. What we search for is a **query**: a vector of
# the same length. The query's **neighbours** are the vectors with the smallest distances, and their
# number is $k$ (a small k; the capital $K$ of the later chapters counts codewords).
#
# In the plane one can see them. The star is the query.

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
# **Try it.** Move the query into one of the groups. How much smaller does the circle become?
#
# The picture was easy: one query. A search engine answers many, so it needs a table with a row for
# each query and a column for each vector of the database.
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
# **Exercise 01.2** (easy, 5 minutes). From the table, pick the $k$ nearest of each query, nearest
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
# ## Leave the root out
#
# A distance is the root of the squared distance. We leave it out everywhere, for two reasons. It
# costs time. And a root never swaps two numbers: what was smaller stays smaller, so the **ranking**
# is the same. The next cell compares the whole rankings of all queries.

# %% tags=["claim"]
exact = squared_distances(queries, database)
by_square = nearest_neighbours(exact, len(database))
by_root = nearest_neighbours(np.sqrt(exact), len(database))
print(f"rankings: {len(queries)}, of {len(database):,} digits each")
print("the same with and without the root:", np.array_equal(by_square, by_root))
print("the values are the same:", np.allclose(exact, np.sqrt(exact)))

# %% [markdown]
# The ranking stays, the *values* do not: a sum or a mean of distances is another thing than a sum
# or a mean of squared ones. Chapter 03 depends on that.
#
# ## Search the digits
#
# The same search works at any length, and nothing in it knows that these vectors are pictures.

# %%
true = nearest_neighbours(exact, 10)
first_of_each = [np.flatnonzero(digits.query.labels == label)[0] for label in range(10)]
rows = {"query": queries[first_of_each]}
rows |= {f"no. {rank + 1}": database[true[first_of_each, rank]] for rank in range(3)}
show(
    draw_images(rows),
    alt="Ten digits as queries, and under each the three nearest digits of the database. Nearly "
    "all show the digit of the query, in a similar hand; the neighbours of the five are nines.",
)
print("digits of the queries:", *range(10))
for rank in range(3):
    print(f"neighbours no. {rank + 1}:     ", *digits.database.labels[true[first_of_each, rank]])

# %% tags=["claim"]
labels = digits.database.labels
same_digit = labels[true[:, 0]] == digits.query.labels
print(f"the nearest shows the same digit for {same_digit.sum()} of {len(queries)} queries")

# %% [markdown]
# **Look closely.** For the others the nearest pixels belong to another digit. No search can mend
# that: it finds what is near. What *should* be near is a question for the vectors, and chapter 08
# learns better ones.
#
# ## Compare with faiss
#
# **faiss** is a library for similarity search that many use. Its plainest index, `IndexFlatL2`,
# keeps the vectors as they are and compares each with the query: our search, in C++.

# %% tags=["claim"]
index = faiss.IndexFlatL2(database.shape[1])
index.add(database)
found_distances, found = index.search(queries, 10)
print("vectors in the index:", index.ntotal)
print("the same ten distances:", np.allclose(found_distances, np.take_along_axis(exact, true, 1)))
at_found = np.take_along_axis(exact, found, axis=1)
print("at rows of these distances:", np.allclose(found_distances, at_found))

# %% [markdown]
# Why do we not simply compare row numbers? Two digits may be equally far from a query. Then both
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
# Networks give vectors that are longer than our digits: several hundred numbers are common. Guess
# before you run the next cell: how much do a million and a billion of them take?

# %% tags=["claim"]
million, billion = 10**6, 10**9
for name, bytes_each in {
    "64 floats": 64 * 4,
    "768 floats": 768 * 4,
    "a code of 8 bytes": 8,
}.items():
    print(f"{name:18} a million: {million * bytes_each / 1e9:9,.3f} GB", end="   ")
    print(f"a billion: {billion * bytes_each / 1e9:9,.0f} GB")
print(f"multiplications for one query, a billion x 768: {billion * 768:,}")

# %%
counts = [10.0**power for power in range(4, 11)]
sizes = {"768 floats": 3072, "64 floats": 256, "8-byte code": 8, "1-byte code": 1}
show(
    draw_memory(counts, sizes, {"4 GB, a small laptop": 4e9, "1 TB, a large server": 1e12}),
    alt="Bytes against the number of vectors, both on logarithmic scales: four parallel lines. The "
    "line of 768 floats crosses the 4 GB of a laptop soon after a million vectors, that of "
    "8-byte codes only near half a billion.",
)

# %% [markdown]
# On these scales every line has the same slope: twice the vectors, twice the bytes. Compression
# does not change the slope. It moves the line down, and that is all we need.
#
# ## Measure the time
#
# Each query touches every number of the database, so time grows as memory does. (In a small database
# the call itself counts, too.) Measure it on your own machine; these numbers are yours, and they differ
# from run to run.

# %% tags=["volatile"]
rng = np.random.default_rng(0)
crowd = rng.random((200_000, 64), dtype=np.float32)
for n in (2_000, 20_000, 200_000):
    part = faiss.IndexFlatL2(64)
    part.add(crowd[:n])
    part.search(crowd[:1], 10)  # the first call also wakes the library up
    started = time.perf_counter()
    part.search(crowd[:20], 10)
    each = (time.perf_counter() - started) / 20
    print(f"{n:7,} vectors: {1e3 * each:7.2f} ms for a query")
print(f"at this speed, a billion vectors: {each * billion / n:,.0f} s for a query")
del crowd, part

# %% [markdown]
# So there are two prices, and both ask for the same thing: *fewer bits for each vector*. Less to
# keep, less to read. What does it cost us in neighbours?
#
# ## Say how much is found
#
# A search in compressed vectors brings $k$ rows, and some of them are not the true ones.
# **Recall@k** is the share of the $k$ true neighbours that are among the $k$ found, as a mean over
# all queries. Their order among themselves does not count.
#
# > One name, two measures. Others ask only whether the single nearest neighbour is among the $k$
# > found; chapter 03 does. Wherever you read "recall@10", look for its definition.
#
# **Exercise 01.4** (medium, 7 minutes). Write recall@k. Both arrays hold row numbers, a row for
# each query; within one row every number is another.


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
# The crudest compression is to **round**: cut the range of each number into equal parts and keep
# only which part it is. With one bit there are two parts, with each further bit twice as many. To
# search, stand for each number by the middle of its part.
#
# In the plane, rounding puts all points on a grid. Points at one place cannot be told apart: they
# are **tied**. If they are tied for the last places among the ten, it is luck which of them come;
# `recall_at` of the package counts the mean over all orders.
#
# The menu holds a second way: keep only a few **codewords**, places that suit the data, and stand
# for each point by the nearest of them. Chapter 02 tells how to find such places.

# %%
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
# With the keyboard: Tab reaches a slider or the menu, the arrow keys move a slider, Space opens the
# menu. Rings mark the ten true neighbours, diamonds what is found through the codes, triangles what
# is found by luck. An empty ring is a miss.
#
# **Try it.**
#
# 1. Set the level to 1 and move the query slowly across the middle. When does the recall jump?
# 2. At level 3, find a place for the query with a recall of 1, and one with less than a half.
# 3. Change the menu to the codewords. With equal bits, which way finds more? At level 4 every point
#    is its own codeword and nothing is lost. What is wrong with that as a compression?
#
# ## Round the digits
#
# The same with the digits. One bit for each pixel makes a vector of 64 numbers a code of 8 bytes.
# (White paper turns grey: the middle of the lowest part is more than zero.)

# %%
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

# %% tags=["claim"]
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
# The query stays exact here; only the database is rounded. Read the table from below: from 32 bits
# to 8 a number, hardly a neighbour is lost; in faiss such an index is called a *scalar quantizer*.
# With fewer bits it begins to hurt. Who takes the places of the lost neighbours?

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
for name, (_, is_true) in rows.items():
    print(f"{name:14} misses: {10 - is_true.sum()}")

# %% [markdown]
# Recall is strict: it counts a different picture of the same digit as a miss. Chapter 08 asks the
# milder question, whether what is found has the right *label*.
#
# ## Look below one bit for each number
#
# Rounding ends at one bit for each number. For a vector of 64 numbers that is a code of 64 bits,
# for 768 numbers it is 768. To go further down, several numbers must share a bit: one code for the
# *whole* vector. Codewords do that. Here they are, found by k-means, beside the rounding:

# %%
word_bits, word_recall = [], []
for bits in (2, 4, 6, 8, 10):
    words = kmeans(database, 2**bits, seed=0)
    compressed = words[squared_distances(database, words).argmin(axis=1)]
    recall = recall_at(squared_distances(queries, compressed), true).mean()
    word_bits.append(bits)
    word_recall.append(float(recall))
    print(
        f"{2**bits:5} codewords: a code of {bits:2} bits, of ten neighbours it finds {10 * recall:.0f}"
    )
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

# %% tags=["claim"]
print("bits: ten for codewords, 64 for rounding to one bit")
print("the codewords find more:", word_recall[-1] > curve_recall[0])
print(f"images for each of the 1,024 codewords: {len(database) / 1024:.1f}")

# %% [markdown]
# Codewords win by far. But the last line is a warning: there are hardly more images than codewords,
# and the list of codewords is nearly as large as the database itself. How codewords are found, and
# why one cannot just take more and more of them, is the subject of [chapter
# 02](02_vector_quantization.ipynb).

# %% [markdown]
# ## Search what does not fit
#
# A table with a row for each query and a column for each vector outgrows any memory: 1,000 queries and ten
# million vectors make 80 GB. Real engines go through the database block by block and keep only the best so
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
# **Try it.** Let it go with `block=1` and with `block=len(database)`. Which is quicker, and why is neither the
# best choice for a large database?
#
# ## What to remember
#
# - Exact search: all distances, then the $k$ smallest. It is slow and right, and everything else is
#   measured against it.
# - Squared distances rank as distances do. The root costs time and changes no neighbour.
# - Bytes are vectors times numbers times bits over eight. The time grows in the same way.
# - Recall@k says how many of the true neighbours a compressed search still finds.
# - Eight bits for each number are nearly free. Less than one bit for each number needs codewords.
#
# ## Quiz
#
# 1. You add a constant to all squared distances of a query. Who is nearest now? And if you multiply
#    them by a constant above zero?
# 2. A database of vectors with 32-bit numbers fills your memory. You keep 8 bits for each number.
#    How many times as many vectors fit?
# 3. Every vector of a database has the same code. What is the recall@10 among a thousand of them?
# 4. Two papers report recall@10 for the same codes and data, and one of them has much more. Who is
#    wrong?
# 5. Rounding makes the digits coarser, but a digit of one bit for each pixel can still be read. Why
#    is the recall low all the same?
#
# <details><summary>Answers</summary>
#
# 1. The same as before, both times: neither changes the order.
# 2. Four times as many.
# 3. One in a hundred: ten of a thousand tied ones come, and any ten are as good as others.
# 4. Perhaps nobody. One may count all ten true neighbours, the other only the nearest.
# 5. A reader needs the class, recall needs the very same ten pictures. Among many similar digits
#    small errors are enough to change places.
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
