# %% [markdown]
# # Quantize a vector piece by piece
#
# **What you will do.** Cut pictures of digits into bands, stand for each band by a number, rebuild
# the pictures from the numbers, and build a search engine that looks at the numbers alone.
#
# **What you will learn.** How a few codewords, combined, do the work of very many; what a look-up
# table is; what the search loses, and what it saves.
#
# **What you need.** NumPy arrays and their axes, squared distances (chapter 01), the idea of k-means
# (chapter 02); [chapter 00](00_start_here.ipynb) tells how the exercises work. About 70 minutes, 44 of them for
# the five exercises.
#
# > The method is **product quantization** (PQ) by Jégou, Douze and Schmid, 2011. Nothing here needs
# > a label or a network: chapters 06 to 09 add those.

# %%
import math
import time

import numpy as np

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.course.exercises import attempt, check, hint
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.product import (
    draw_codebook_costs,
    draw_codebooks,
    draw_coding,
    draw_dials,
    draw_distance_errors,
    draw_images,
    draw_lookup_table,
    draw_pieces,
)
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers.faiss_index import to_faiss
from gsl_tutorial.quantizers.kmeans import kmeans

digits = load_digits()
database, queries = digits.database.x, digits.query.x
print(f"database: {len(database)} images; queries: {len(queries)} other images")
low, high = database.min(), database.max()
print(f"an image is a vector of {database.shape[1]} pixels from {low} to {high}")

# %% [markdown]
# ## Count what one big codebook would cost
#
# A **quantizer** stands for a vector by a number: the row of the nearest **codeword** in a list,
# the **codebook**. A good list is long. With a **code** of so many **bits**, the list has two to
# the power of bits rows, and each row is a whole vector.
#
# Guess before you run the next cell: how much memory does the list take at 32 bits?

# %% tags=["claim"]
dim, bits = database.shape[1], 32
one_list = 2**bits
print(f"one codebook at {bits} bits: {one_list:,} codewords")
print(f"in 4-byte floats: {one_list * dim * 4:,} bytes")
four_lists = 4 * 2 ** (bits // 4)
print(f"four codebooks of {bits // 4} bits: {four_lists:,} codewords of a quarter of the length")
print(f"in 4-byte floats: {four_lists * dim // 4 * 4:,} bytes")

# %% [markdown]
# One such list does not fit in the memory of a laptop, and we have far too few images to learn so
# many codewords. Four short lists fit easily. Combined, one entry of each, they name just as many
# vectors.

# %%
lengths = range(8, 65, 8)
counts = {
    f"{n} codebook{'s' * (n > 1)}": [n * 2.0 ** (bits / n) for bits in lengths]
    for n in (1, 2, 4, 8)
}
limit = {f"the {len(database)} images of the database": len(database)}
show(
    draw_codebook_costs(lengths, counts, limit),
    alt="Codewords to store against bits, on a logarithmic scale. One codebook soon"
    " asks for more codewords than there are images. Four codebooks reach the number of images "
    "between 32 and 40 bits, eight between 56 and 64.",
)

# %% [markdown]
# ## Cut the vector into pieces
#
# That is the whole idea: cut the vector into **pieces**, and give each piece a codebook of its own.
# The number of pieces is $M$ (the paper's $m$), each has $d$ numbers; pieces are also called
# *subspaces*. Our pixels stand row by row, so a piece is a band of the picture.

# %%
M, K = 4, 16
d = dim // M
which = 0  # try another query
show(
    draw_pieces(queries[which], M),
    alt="A digit with three cuts across it, and beside it the same pixels as four rows of sixteen"
    " numbers, one row for each band of the picture.",
)

# %% [markdown]
# **Try it.** Set `which` to another number, run the cell again, and the next ones.
#
# ## Learn a small codebook for each piece
#
# In each piece, k-means finds $K$ codewords (the paper's $k^*$). The loop below is all there is to
# learning. The class `ProductQuantizer` of the package runs the same loop. (Printed, it also tells its
# distortion, what its codes lose; that comes below.)

# %%
pieces = database.reshape(len(database), M, d)
codebooks = np.stack([kmeans(pieces[:, m], K, seed=m) for m in range(M)])
pq = ProductQuantizer(M, K, random_state=0).fit(database)
print("codebooks (M, K, d):", codebooks.shape)
print("the package learned the same:", np.allclose(codebooks, pq.codebooks_))
print(pq)

# %%
show(
    draw_codebooks(pq.codebooks_, width=8),
    alt="Four blocks, one for each band, with its sixteen codewords as small pictures in two lines. "
    "The upper bands show tops of digits such as arcs and bars, the lower ones feet and loops.",
)

# %% [markdown]
# Take any codeword from each block and stack them: that is one vector that this quantizer can say.
# How many are there?

# %% tags=["claim"]
print(f"codewords stored: M x K = {M * K}")
print(f"vectors it can say: K^M = {K**M:,}")
print(f"learned from {len(database):,} images")

# %% [markdown]
# ## Encode: write down the nearest codewords
#
# The **code** of a vector is, for each piece, the number of the nearest codeword. Nearest means the
# smallest sum of squared differences. Look at one image on its way:

# %%
codes = pq.encode(database)
show(
    draw_coding(queries[which], pq.codebooks_, pq.encode(queries[[which]])[0]),
    alt="From left to right: a digit, its four bands, for each band the number and the picture of"
    " the nearest codeword with its squared error, and the four codewords stacked: a rough "
    "copy of the digit.",
)

# %% [markdown]
# **Exercise 03.1** (medium, 8 minutes). Encode one vector `z`, given the codebooks. Row numbers
# start at 0.


# %% tags=["exercise"]
def encode_one(z, codebooks):
    """(dim,), (M, K, d) -> (M,) whole numbers."""
    # BEGIN SOLUTION
    M, d = len(codebooks), codebooks.shape[2]
    differences = codebooks - z.reshape(M, 1, d)
    return (differences**2).sum(axis=2).argmin(axis=1)
    # END SOLUTION


check.encode_one(encode_one)

# %%
hint("03.1")

# %% [markdown]
# ## Rebuild the digits from their codes
#
# To **decode**, put the named codewords under each other again. The result is the
# **reconstruction**, $q(z)$. The mean squared distance between a vector and its reconstruction is
# the **distortion**.
#
# Beside our quantizer of 4 x 16 (pieces x codewords) stands one with a longer code, 8 x 256.

# %%
first_of_each = [np.flatnonzero(digits.query.labels == label)[0] for label in range(10)]
originals = queries[first_of_each]
fine = ProductQuantizer(8, 256, random_state=0).fit(database)
rows = {
    "pixels": originals,
    f"{fine.bits} bits\n8 x 256": fine.decode(fine.encode(originals)),
    f"{pq.bits} bits\n4 x 16": pq.decode(pq.encode(originals)),
}
show(
    draw_images(rows),
    alt="Ten digits in three rows: the pixels, the reconstructions from the long code, hard to "
    "tell from the pixels, and those from the short code, blurred with steps at the cuts, "
    "mostly readable.",
)
for name, quantizer in {"8 x 256": fine, "4 x 16": pq}.items():
    print(f"{name:8} distortion {quantizer.distortion(queries):.2f} on the queries")

# %% [markdown]
# **Look closely.** The pieces know nothing of each other: strokes break at the cuts. Which digit
# does the short code spoil most?
#
# ## Count the bits and the bytes
#
# To name one of $K$ things takes $\log_2 K$ bits, and a code does that $M$ times:
#
# $$\text{bits} = M \log_2 K .$$
#
# **Exercise 03.2** (easy, 5 minutes). How many bits has a code, and how many bytes take the codes
# of `N` vectors? Each code starts on a new byte, so a code that ends inside a byte takes all of it.


# %% tags=["exercise"]
def code_size(N, M, K):
    """Numbers of vectors, pieces, codewords -> bits of one code, bytes of all N codes."""
    # BEGIN SOLUTION
    bits_of_one = M * math.log2(K)
    bytes_of_one = math.ceil(bits_of_one / 8)
    return bits_of_one, N * bytes_of_one
    #: return ..., ...  # your code here
    # END SOLUTION


check.code_size(code_size)

# %%
hint("03.2")

# %% tags=["claim"]
index = to_faiss(pq, codes)  # the same codes inside the library faiss
print(f"bits of a code: {pq.bits}")
print(f"bytes of an image: {database[0].nbytes} as floats, {index.code_size} as a code")
in_codes = index.ntotal * index.code_size
print(f"bytes of the database: {database.nbytes:,} as floats, {in_codes:,} as codes")
print(f"bytes of the codebooks: {pq.codebooks_.nbytes:,}, once, however many images there are")

# %% [markdown]
# On a database as small as this one the codebooks outweigh the codes. They do not grow with it: at
# a million images they no longer count.
#
# ## Fill a look-up table for one query
#
# Now search. We could decode all images and compute distances, but there is a shorter way. The
# squared distance is a sum over pixels, so it is a sum over pieces:
#
# $$\lVert x - q(z) \rVert^2 = \sum_{m=1}^{M} \lVert x_m - c_{m,\,\text{code}_m} \rVert^2 .$$
#
# Each term depends on the query $x$ and on *one* codeword, and there are only $M \times K$
# codewords. So compute all terms once per query and keep them in a **look-up table**.
#
# **Exercise 03.3** (medium, 8 minutes). Fill the table: row $m$, column $k$ holds the *squared*
# distance from piece $m$ of the query to its codeword $k$.


# %% tags=["exercise"]
def lookup_table(query, codebooks):
    """(dim,), (M, K, d) -> (M, K) squared distances."""
    # BEGIN SOLUTION
    M, d = len(codebooks), codebooks.shape[2]
    parts = query.reshape(M, 1, d)
    return ((codebooks - parts) ** 2).sum(axis=2)
    # END SOLUTION


check.lookup_table(lookup_table)

# %%
hint("03.3")

# %% [markdown]
# Here is the table of our query, from the package. Outlined are the entries that one image of the
# database needs. Their sum is its distance.

# %%
table = pq.lookup_tables(queries[[which]])[0]
item = 5  # try another image of the database
show(
    draw_lookup_table(table, codes[item]),
    alt="A heat map of four rows and sixteen columns of squared distances. One entry in each row "
    "is outlined; the title adds the four of them to the distance of one image.",
)

# %% [markdown]
# **Try it.** Change `item`. Which code would have the smallest distance of all? You can read it
# from the picture: the darkest entry of each row.
#
# ## Search by adding table entries
#
# With the table, the distance to any image costs $M$ look-ups and additions, and no pixel is
# touched. The query is exact, the database is coded: **asymmetric distance computation**, ADC.
#
# **Exercise 03.4** (medium, 8 minutes). From a table and the codes of many images, compute all
# distances.


# %% tags=["exercise"]
def adc_distances(table, codes):
    """(M, K), (N, M) -> (N,) squared distances."""
    # BEGIN SOLUTION
    rows = np.arange(len(table))
    return table[rows, codes].sum(axis=1)
    # END SOLUTION


check.adc_distances(adc_distances)

# %%
hint("03.4")

# %% [markdown]
# The package's `distances` does the same for many queries at once. Here are the two nearest images
# of ten queries: by code, and by exact distance.

# %%
exact = squared_distances(queries, database)
adc = pq.distances(queries, codes)
orders = {
    way: distances[first_of_each].argsort(axis=1, kind="stable")
    for way, distances in {"ADC": adc, "exact": exact}.items()
}
rows = {"query": originals}
rows |= {
    f"{way}, no. {rank + 1}": database[order[:, rank]]
    for way, order in orders.items()
    for rank in range(2)
}
show(
    draw_images(rows),
    alt="Ten queries, under each the two nearest images by code and the two nearest by exact "
    "distance. Most show the digit of the query, and a few are the very same images in both "
    "ways; the nearest of the five is a nine, both ways.",
)
labels = digits.database.labels
print("digits of the queries:   ", *range(10))
for way, order in orders.items():
    print(f"nearest by {way + ':':14}", *labels[order[:, 0]])

# %% [markdown]
# Where both ways bring the wrong digit, the code is not to blame: the nearest *pixels* belong to
# another digit. Better vectors are needed, and chapter 08 learns them.
#
# ## Check against faiss
#
# A hand-made search should be checked against one that others trust. **faiss** is the library in
# which the authors of PQ put their method. We gave it our codebooks and our codes above; does it
# find the same distances?

# %% tags=["claim"]
found, numbers = index.search(queries, 10)
decoded = squared_distances(queries, pq.decode(codes))
print("table sums = distances to the decoded images:", np.allclose(adc, decoded, atol=1e-4))
print("faiss finds the same ten smallest:", np.allclose(found, np.sort(adc)[:, :10], atol=1e-4))
print("at the same images:", np.allclose(found, np.take_along_axis(adc, numbers, 1), atol=1e-4))

# %% [markdown]
# ## Build the engine
#
# All its parts are on the table. Put them together, then search with your own code and race it.
#
# **Exercise 03.5** (hard, 15 minutes). Write a search engine: for each query, the row numbers of the `k`
# images whose codes are nearest, the nearest first. It may look at queries, codebooks and codes, and at no
# pixel of the database. The check begins with one query and goes on to several.


# %% tags=["exercise"]
def search_codes(queries, codebooks, codes, k):
    """(B, dim), (M, K, d), (N, M), number -> (B, k) rows of the database, nearest first."""
    # BEGIN SOLUTION
    found = []
    for query in queries:
        parts = query.reshape(len(codebooks), 1, -1)
        table = ((codebooks - parts) ** 2).sum(axis=2)
        distances = sum(row[names] for row, names in zip(table, codes.T, strict=True))
        found.append(distances.argsort()[:k])
    return np.array(found)
    # END SOLUTION


check.search_codes(search_codes)

# %%
hint("03.5")

# %% [markdown]
# Search the digits with it: ten queries, the three nearest images of each. Where it is still blank, the
# rows of the package stand alone.

# %%
ranked = {"the package": pq.distances(originals, codes).argsort(axis=1, kind="stable")[:, :3]}
yours = attempt(search_codes, originals, pq.codebooks_, codes, 3)
if yours is not None:
    ranked = {"yours": yours, **ranked}
rows = {"query": originals}
rows |= {
    f"{name},\nno. {place + 1}": database[order[:, place]]
    for name, order in ranked.items()
    for place in range(3)
}
show(
    draw_images(rows),
    alt="Ten queries, and under each the three images whose codes are nearest. Most show the digit of the "
    "query.",
)

# %% [markdown]
# Does it pay? Here are a hundred times as many vectors, and a **brute-force** search that compares all
# their numbers with the query, in the same NumPy. Your engine adds $M = 4$ table entries for each vector
# instead of 64 squared differences.

# %% tags=["volatile"]
crowd = np.repeat(database, 100, axis=0)
crowd_codes = np.repeat(codes, 100, axis=0)
some = queries[:5]


def brute_force(queries, database, k):
    """The rows of the k nearest vectors of each query, by all their numbers."""
    return np.array([np.square(database - query).sum(axis=1).argsort()[:k] for query in queries])


racers = {
    "brute force": lambda: brute_force(some, crowd, 10),
    "your engine": lambda: attempt(search_codes, some, pq.codebooks_, crowd_codes, 10),
}
print(
    f"{len(crowd):,} vectors; floats: {crowd.nbytes / 1e6:.1f} MB, codes: {len(crowd) * 2 / 1e6:.1f} MB"
)
for name, search in racers.items():
    trials = []
    for _ in range(3):
        started = time.perf_counter()
        answer = search()
        trials.append(time.perf_counter() - started)
        if answer is None:
            break
    if answer is not None:
        print(f"{name}: {1e3 * min(trials) / len(some):6.1f} ms for a query")

# %% [markdown]
# **Try it.** Most of what is left goes into sorting all distances to keep ten. Replace `argsort` by
# `np.argpartition`, which only separates the ten smallest, and sort those. How much faster does each of
# the two become?
#
# ## Quantize the query, too
#
# One may also replace the query by its reconstruction: **symmetric distance computation**, SDC.
# Then all distances are between codewords, so one table serves every query for ever, and a query
# can be sent as a code. What does it cost?

# %%
sdc = pq.symmetric_distances(pq.encode(queries), codes)
pairs = np.random.default_rng(0).integers([len(queries), len(database)], size=(800, 2)).T
show(
    draw_distance_errors(exact[tuple(pairs)], {"ADC": adc[tuple(pairs)], "SDC": sdc[tuple(pairs)]}),
    alt="Two scatter plots of estimated against true squared distance, and a histogram of the "
    "errors. Both clouds lie mostly below the diagonal, that of SDC lower and wider; its mean"
    " error is about twice that of ADC.",
)

# %% [markdown]
# Both ways underestimate the distance on average. That is no accident. A codeword is the mean of its cell, and
# the mean of a cell is nearer to the query than its members are on average, by just the cell's
# distortion:
#
# $$\text{mean of } \lVert x - z \rVert^2 = \lVert x - c \rVert^2 + \text{distortion of the cell.}$$
#
# SDC pays twice, once for each side.

# %% tags=["claim"]
missing_adc, missing_sdc = (exact - adc).mean(), (exact - sdc).mean()
database_part, query_part = pq.distortion(database), pq.distortion(queries)
print(f"missing in ADC / distortion of the database: {missing_adc / database_part:.1f}")
print(f"missing in SDC / both distortions: {missing_sdc / (database_part + query_part):.1f}")
print("ADC is nearer to the truth:", np.square(exact - adc).mean() < np.square(exact - sdc).mean())

# %% [markdown]
# A constant missing from all distances changes no ranking. What hurts a search is that the missing
# part differs from image to image.
#
# ## Turn the two dials
#
# A product quantizer has two dials: $M$ and $K$. We measure what they do to the distortion, to the
# bytes, and to the search: **recall@10** here is the share of queries whose true nearest neighbour
# stands among the first ten of the list. (Chapter 01 counted all ten neighbours.) Images with equal
# codes are **tied**; they share the places evenly.


# %%
def recall_at_10(distances, nearest):
    """(B, N) distances, (B,) true nearest neighbours -> share found among the first ten."""
    to_nearest = np.take_along_axis(distances, nearest[:, None], axis=1)
    before = (distances < to_nearest).sum(axis=1)
    tied = (distances == to_nearest).sum(axis=1)
    return np.clip((10 - before) / tied, 0, 1).mean()


nearest = exact.argmin(axis=1)
print("  M    K  bits  bytes  table  distortion: database  queries   recall@10: ADC   SDC")
measured = []
for words in (16, 64, 256):
    for parts in (1, 2, 4, 8):
        one = ProductQuantizer(parts, words, random_state=0).fit(database)
        coded = one.encode(database)
        inside, outside = one.relative_distortion(database), one.relative_distortion(queries)
        by_adc = recall_at_10(one.distances(queries, coded), nearest)
        by_sdc = recall_at_10(one.symmetric_distances(one.encode(queries), coded), nearest)
        measured.append((parts, words, outside, by_adc, by_sdc, inside))
        print(
            f"{parts:3} {words:4} {one.bits:5} {math.ceil(one.bits / 8):6} {parts * words:6} "
            f"{inside:21.2f} {outside:8.2f} {by_adc:16.2f} {by_sdc:5.2f}"
        )

# %% [markdown]
# Distortion is *relative* here: divided by that of a single codeword, the mean image. 0 is perfect,
# 1 is useless. `table` counts the entries of a look-up table, which is what a query costs before
# the first image is looked at.

# %%
all_parts, all_words, outside, by_adc, by_sdc, inside = np.array(measured).T
show(
    draw_dials(
        all_parts.astype(int),
        all_words.astype(int),
        {"relative distortion (queries)": outside, "recall@10 (ADC)": by_adc},
    ),
    alt="Two panels with a curve for each K against bits. Distortion falls and recall rises with "
    "bits; at equal bits fewer pieces with more codewords are better. At the right end recall"
    " is close to one.",
)

# %% tags=["claim"]
result = {(parts, words): row for parts, words, *row in measured}
print("fewer, longer codebooks win at 32 bits (4 x 256, 8 x 16):")
print("  lower distortion:", result[4, 256][0] < result[8, 16][0])
print("  higher recall:   ", result[4, 256][1] > result[8, 16][1])
print("ADC finds more than SDC, all rows taken together:", by_adc.mean() > by_sdc.mean())
print("8 x 256 finds the true neighbour for over 95% of the queries:", result[8, 256][1] > 0.95)
more = all(row[0] > row[3] for (_, words), row in result.items() if words == 256)
print("with K = 256, images not learned from are distorted more:", more)

# %% [markdown]
# Three things to read from this:
#
# - At equal bits, *fewer pieces with longer codebooks* distort less: a piece knows how its own
#   pixels go together, but nothing of the next piece. The price is a longer table and a longer list
#   to learn.
# - With the longest codebooks there are only a few images for each codeword. They fit the images
#   they were learned from better than new ones: compare the two columns of distortion.
# - Recall is not a property of the quantizer alone. It depends on the database: these digits are
#   few, and the codewords were learned from them. Chapter 09 searches real photographs.
#
# **Try it.** Add 16 to the `parts` of the loop. Which new row has the same bits as `8 x 256`? Which
# of the two would you take?
#
# ## What to remember
#
# - Cut into $M$ pieces, $K$ codewords each: $M \times K$ vectors stored, $K^M$ vectors said, $M
#   \log_2 K$ bits.
# - Squared distances add up over pieces. Roots do not.
# - ADC: one table for each query, then $M$ look-ups for each image. SDC quantizes the query, too,
#   and is less exact.
# - The estimate misses the distortion on average. What counts for the search is how much that
#   varies.
# - At equal bits, fewer pieces are more exact and cost more table.
#
# ## Quiz
#
# 1. A quantizer has 8 pieces of 256 codewords. How many bytes has a code?
# 2. Why may we add the entries of the table, but not their roots?
# 3. Two images have the same code. What can ADC say about which of them is nearer?
# 4. Would the search change if you shuffled the pixels, the same way in all images, before you cut?
# 5. A constant is added to all ADC distances of a query. What happens to recall?
#
# <details><summary>Answers</summary>
#
# 1. Eight: each piece names one of 256, which is 8 bits or one byte.
# 2. The squared distance is a sum over pixels, so the squared parts add up to it. The root of a sum
#    is not the sum of the roots.
# 3. Nothing. They are tied; a fair measure counts all orders of tied images.
# 4. Yes. Other pixels would share a piece. Neighbouring pixels go together, and a piece that holds
#    them needs fewer codewords; chapter 04 learns the best rotation before cutting.
# 5. Nothing: the order stays the same.
#
# </details>
#
# ## Further reading
#
# - H. Jégou, M. Douze and C. Schmid, *Product Quantization for Nearest Neighbor Search*, IEEE
#   Transactions on Pattern Analysis and Machine Intelligence, 2011, [doi
#   10.1109/TPAMI.2010.57](https://doi.org/10.1109/TPAMI.2010.57): codes, ADC and SDC, and what the
#   distances miss.
# - M. Douze et al., *The Faiss library*, [arXiv 2401.08281](https://arxiv.org/abs/2401.08281),
#   2024, and its [code](https://github.com/facebookresearch/faiss): product quantization at a
#   billion vectors.
