# %% [markdown]
# # Quantize with a product of codebooks
#
# Chapter 02 ended at a wall: a code of 32 bits would need a list of four billion codewords. This chapter gets
# around it with one trick from 2011, and builds a search engine out of it in five exercises. The trick is to cut
# the vector.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Cut pictures of digits into bands, replace each band by a number, rebuild the pictures from
# the numbers, and build a search engine that looks at the numbers alone.
#
# **What you will learn.** How a few codewords, combined, do the work of very many; what a lookup table is; what
# such a search loses and what it saves.
#
# **What you need.** NumPy arrays and their axes, squared distances (chapter 01), the idea of k-means
# (chapter 02); [chapter 00](00_start_here.ipynb) tells how the exercises work. About 70 minutes, 44 of them for the
# five exercises.
#
# </details>

# %% tags=["hide-input"]
import math
import time

import numpy as np

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
    draw_subvectors,
)
from gsl_tutorial.course.widgets import Guess, QuantizationPlayground
from gsl_tutorial.evaluation.distances import squared_distances
from gsl_tutorial.quantizers.kmeans import kmeans

digits = load_digits()
database, queries = digits.database.x, digits.query.x

# %% [markdown]
# ## Cut the vector
#
# Here is the whole idea: cut the vector into **subvectors**, and give each of them a short codebook of its own.
# There are $M$ subvectors (the original paper writes $m$), and each has $d$ numbers. The space that a subvector
# lives in is called a **subspace**. The pixels of our digits are stored row by row, so here a subvector is a band
# of the picture.

# %%
M, K = 4, 16
dim = database.shape[1]
d = dim // M
which = 0  # try another query
show(
    draw_subvectors(queries[which], M),
    alt="A digit with three cuts across it, and beside it the same pixels as four rows of sixteen"
    " numbers, one row for each band of the picture.",
)

# %% [markdown]
# (Would you like another digit? Set `which` to its number and run this cell again. The pictures further down follow.)
#
# ## Count what one big codebook would cost
#
# Remember that a **quantizer** replaces a vector by the number of its nearest **codeword** in a list, the
# **codebook**. A **code** of so many **bits** needs a list with two to the power of bits rows, and each row is a
# whole vector. For 32 bits and our 64 pixels, chapter 02 counted about 1,100 GB.
#
# Now cut first. Four codebooks of 8 bits each, one for each quarter of the vector, also make a code of 32 bits.

# %% tags=["hide-input"]
Guess.of("03 one list")

# %% [markdown]
# Here are both, the one long list and the four short ones:

# %% tags=["claim", "hide-input"]
bits = 32
one_list, four_lists = 2**bits, 4 * 2 ** (bits // 4)
print(
    f"one codebook of {bits} bits: {one_list:,} codewords, {one_list * dim * 4 / 1e9:,.0f} GB of floats"
)
print(
    f"four codebooks of {bits // 4} bits: {four_lists:,} codewords of a quarter of the dimension, "
    f"{four_lists * dim // 4 * 4 / 1e6:.3f} MB of floats"
)

# %% [markdown]
# One such list does not fit into the memory of a laptop, and we have far too few images to learn so many codewords
# from. The four short lists fit easily. And combined, one entry from each, they can name exactly as many vectors.

# %% tags=["hide-input"]
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
    caption="Above the grey line there are more codewords than images to learn them from.",
)

# %% [markdown]
# ## Learn a small codebook for each subspace
#
# In each subspace, k-means finds $K$ codewords (the paper writes $k^*$). The loop below is all there is to
# learning. The class `ProductQuantizer` of the package runs the same loop. (Printed, it also tells its
# distortion, that is, what its codes lose.)

# %%
from gsl_tutorial import ProductQuantizer

subvectors = database.reshape(len(database), M, d)
codebooks = np.stack([kmeans(subvectors[:, m], K, seed=m) for m in range(M)])
pq = ProductQuantizer(M, K, random_state=0).fit(database)
same = "the same" if np.allclose(codebooks, pq.codebooks_) else "another"
print(f"codebooks (M, K, d) = {codebooks.shape}; the package learned {same} array")
print(pq)

# %% tags=["hide-input"]
show(
    draw_codebooks(pq.codebooks_, width=8),
    alt="Four blocks, one for each band, with its sixteen codewords as small pictures in two lines. "
    "The upper bands show tops of digits such as arcs and bars, the lower ones feet and loops.",
    caption="All 64 codewords. Can you find the top of a seven, and the foot of a two?",
)

# %% [markdown]
# This is a construction kit. Take any codeword from each block, stack the four, and you have one vector that this
# quantizer can express. How many different ones are there?

# %% tags=["hide-input"]
print(f"{M * K} codewords are stored, and they express K^M = {K**M:,} different vectors.")
print(f"All were learned from {len(database):,} images.")

# %% [markdown]
# That is where the name comes from: the set of all reconstructions is the *product* of the $M$ codebooks, which is
# why the method is called **product quantization** (PQ). It was proposed by Jégou, Douze and Schmid in 2011.
#
# ## Encode: write down the nearest codewords
#
# The **code** of a vector holds, for each subvector, the number of its nearest codeword. Here is one image on its
# way from pixels to a code and back:

# %% tags=["hide-input"]
codes = pq.encode(database)
show(
    draw_coding(queries[which], pq.codebooks_, pq.encode(queries[[which]])[0]),
    alt="From left to right: a digit, its four bands, for each band the number and the picture of"
    " the nearest codeword with its squared error, and the four codewords stacked: a rough "
    "copy of the digit.",
    caption="The four numbers in the middle are the whole code.",
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
# To **decode**, look the codewords up and stack them again. The result is the **reconstruction**, $q(z)$. The mean
# squared distance between a vector and its reconstruction is the **distortion**, as in chapter 02.
#
# Beside our quantizer, which has 4 codebooks of 16 codewords (4 x 16), you see one with a longer code, 8 x 256.

# %% tags=["hide-input"]
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
# **Look closely.** The subvectors know nothing of each other, so strokes break at the cuts. Which digit does the
# short code spoil most?
#
# <details><summary>What to see</summary>
#
# To our eyes the eight: its loops are nearly filled in. By the squared error, the nine loses a little more. A band with
# many strokes needs a codeword with just these strokes, and each band offers only 16 of them.
#
# </details>
#
# ## Count the bits and the bytes
#
# To name one of $K$ codewords takes $\log_2 K$ bits, and a code does that $M$ times:
#
# $$\text{bits} = M \log_2 K .$$
#
# **Exercise 03.2** (easy, 5 minutes). How many bits does one code have, and how many bytes do the codes
# of `N` vectors take? Each code starts on a new byte, so a code that ends inside a byte takes all of it.


# %% tags=["exercise"]
def code_size(N, M, K):
    """Numbers of vectors, subvectors, codewords -> bits of one code, bytes of all N codes."""
    # BEGIN SOLUTION
    bits_of_one = M * math.log2(K)
    bytes_of_one = math.ceil(bits_of_one / 8)
    return bits_of_one, N * bytes_of_one
    #: return ..., ...  # your code here
    # END SOLUTION


check.code_size(code_size)

# %%
hint("03.2")

# %% tags=["claim", "hide-input"]
from gsl_tutorial.quantizers.faiss_index import to_faiss

index = to_faiss(pq, codes)  # the same codes inside the library faiss
print(f"bits of a code: {pq.bits}")
print(f"bytes of an image: {database[0].nbytes} as floats, {index.code_size} as a code")
in_codes = index.ntotal * index.code_size
print(f"bytes of the database: {database.nbytes:,} as floats, {in_codes:,} as codes")
print(f"bytes of the codebooks: {pq.codebooks_.nbytes:,}, once, however many images there are")

# %% [markdown]
# In a database as small as this one, the codebooks outweigh the codes. But they do not grow with it: at a million
# images they hardly count.
#
# ## Fill a lookup table for one query
#
# Now we search. We could decode all images and compute distances, but there is a shorter way. A squared
# distance is a sum over pixels, so it is also a sum over subvectors. Counting them from 0, as the code does:
#
# $$\lVert x - q(z) \rVert^2 = \sum_{m=0}^{M-1} \lVert x_m - c_{m,\,\text{code}_m} \rVert^2 .$$
#
# Each term depends on the query $x$ and on *one* codeword, and there are only $M \times K$ codewords. So we compute
# all possible terms once per query, and keep them in a **lookup table**.
#
# **Exercise 03.3** (medium, 8 minutes). Fill the table: row $m$, column $k$ holds the *squared*
# distance from subvector $m$ of the query to its codeword $k$.


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
# Here is the table of our query, from the package. The outlined entries are those that one image of the database
# needs; their sum is its distance.

# %%
table = pq.lookup_tables(queries[[which]])[0]
item = 5  # try another image of the database
show(
    draw_lookup_table(table, codes[item]),
    alt="A heat map of four rows and sixteen columns of squared distances. One entry in each row "
    "is outlined; the title adds the four of them to the distance of one image.",
)

# %% [markdown]
# **Try it.** Change `item`. Then think of the ideal item: which code would have the smallest distance of all?
#
# <details><summary>Answer</summary>
#
# The one that names the smallest entry of each row, the darkest of the picture. It is the code of the query itself,
# because encoding picks just those codewords.
#
# </details>
#
# ## Search by adding table entries
#
# With the table, the distance to any image costs $M$ lookups and additions, and no pixel is touched. The query is
# exact while the database is coded, and therefore this is called **asymmetric distance computation**, ADC.
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
# ## Count the operations
#
# How much work have we saved? Without codes, one query costs $N \cdot \text{dim}$ multiplications. With codes it
# costs $M \cdot K \cdot d = K \cdot \text{dim}$ for the table, once, and then $N \cdot M$ additions. Below are both
# numbers for a million images of 64 pixels at 8 x 256, with the time that each way takes on this machine. (For the
# times, our digits are repeated until there are 200,000 of them.)

# %% tags=["hide-input"]
million, fine_M, fine_K = 10**6, 8, 256
print(f"without codes: N dim = {million * dim:,} operations for one query")
print(f"with codes: K dim + N M = {fine_K * dim + million * fine_M:,} operations")

# %% tags=["volatile", "hide-input"]
import faiss

repeated = np.tile(database, (140, 1))[:200_000]
fine_index = to_faiss(fine, np.tile(fine.encode(database), (140, 1))[:200_000])
exact_index = faiss.IndexFlatL2(dim)
exact_index.add(repeated)
for name, one in {"without codes": exact_index, "with codes": fine_index}.items():
    one.search(queries[:1], 10)  # the first call also wakes the library up
    started = time.perf_counter()
    one.search(queries[:20], 10)
    each = (time.perf_counter() - started) / 20
    print(f"faiss, {name:14} {1e3 * each:6.2f} ms for a query, {len(repeated):,} images")
del repeated, exact_index, fine_index

# %% [markdown]
# The package's `distances` does what you wrote, for many queries at once. Here are the two nearest images of ten
# queries, by code and by exact distance. A thick frame marks an image that both ways find. How many are there?

# %% tags=["hide-input"]
exact = squared_distances(queries, database)
adc = pq.distances(queries, codes)
orders = {
    way: distances[first_of_each].argsort(axis=1, kind="stable")[:, :2]
    for way, distances in {"ADC": adc, "exact": exact}.items()
}
rows = {"query": originals}
rows |= {
    f"{way}, no. {rank + 1}": database[order[:, rank]]
    for way, order in orders.items()
    for rank in range(2)
}
same = orders["ADC"][:, :, None] == orders["exact"][:, None]
both = {"ADC": same.any(axis=2), "exact": same.any(axis=1)}
framed = {f"{way}, no. {rank + 1}": both[way][:, rank] for way in both for rank in range(2)}
show(
    draw_images(rows, framed),
    alt="Ten queries, under each the two nearest images by code and the two nearest by exact "
    "distance. Most show the digit of the query, and a few, in thick frames, are the very same images "
    "in both ways; the nearest of the five is a nine, both ways.",
)
print(f"Of the {orders['exact'].size} images that the exact search finds, ADC finds {same.sum()}.")

# %% [markdown]
# That is little. But nearly all the others show the right digit, too; it is only that a code of 2 bytes cannot tell such
# near neighbours apart. A later section asks more patiently, whether the nearest image is among the first *ten* found.
#
# Where both ways bring the wrong digit, do not blame the code: the nearest *pixels* belong to another digit.
# Better vectors are needed, and chapter 08 learns them.
#
# ## Check against faiss
#
# The authors of PQ put their method into the library **faiss**. We gave it our codebooks and our codes above. Does it
# find the same distances?

# %% tags=["claim", "hide-input"]
found, numbers = index.search(queries, 10)
decoded = squared_distances(queries, pq.decode(codes))
equal = "equal" if np.allclose(adc, decoded, atol=1e-4) else "do not equal"
print(f"The sums of table entries {equal} the distances to the decoded images.")
agrees = np.allclose(found, np.sort(adc)[:, :10], atol=1e-4) and np.allclose(
    found, np.take_along_axis(adc, numbers, 1), atol=1e-4
)
print(
    f"faiss {'agrees' if agrees else 'does not agree'} on the ten nearest of {len(queries)} queries."
)

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
# Search the digits with it: ten other queries, the three nearest images of each. Where it is still blank, the
# rows of the package stand alone.

# %%
others = queries[[np.flatnonzero(digits.query.labels == label)[1] for label in range(10)]]
ranked = {"the package": pq.distances(others, codes).argsort(axis=1, kind="stable")[:, :3]}
yours = attempt(search_codes, others, pq.codebooks_, codes, 3)
if yours is not None:
    ranked = {"yours": yours, **ranked}
rows = {"query": others}
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
# <details><summary>What to see</summary>
#
# Your engine gains more. Adding up four table entries is quick, so sorting was a large part of its time; brute
# force spends most of its time on the 64 squared differences, and those are still to be computed.
#
# </details>
#
# ## Quantize the query, too
#
# You can also replace the query by its own reconstruction: **symmetric distance computation**, SDC. Then all
# distances are between codewords, so one table serves every query for ever, and a query can be sent as a short
# code. What does it cost?

# %% tags=["hide-input"]
sdc = pq.symmetric_distances(pq.encode(queries), codes)
pairs = np.random.default_rng(0).integers([len(queries), len(database)], size=(800, 2)).T
show(
    draw_distance_errors(exact[tuple(pairs)], {"ADC": adc[tuple(pairs)], "SDC": sdc[tuple(pairs)]}),
    alt="Two scatter plots of estimated against true squared distance, and a histogram of the "
    "errors. Both clouds lie mostly below the diagonal, that of SDC lower and wider; its mean"
    " error is about twice that of ADC.",
    caption="A dot on the diagonal would be a distance without any error.",
)

# %% [markdown]
# Both ways underestimate the distance on average, and that is no accident. A codeword $c$ is the mean of its cell.
# By the formula of chapter 02, with the query $x$ in the place of $c$ there,
#
# $$\text{mean of } \lVert x - z \rVert^2 = \lVert x - c \rVert^2 + \text{distortion of the cell.}$$
#
# So the codeword is nearer to the query than the members of its cell are on average, by just the distortion of the
# cell. SDC pays this price twice, once for each side.
#
# <details><summary>Why it is the same argument as in chapter 02</summary>
#
# Write $x - z = (x - c) + (c - z)$ and square it. The cross term is $2\,\langle x - c,\; c - z \rangle$. Over the
# members $z$ of a cell, $x - c$ is constant and the mean of $c - z$ is zero, because $c$ is their mean. So the cross
# term vanishes on average, and the two squares remain. For SDC, apply it once more with the roles of query and
# codeword exchanged. That works on average over many queries if the codewords are the means of *their* cells, too,
# which is nearly so for queries of the same kind.
#
# </details>

# %% tags=["claim", "hide-input"]
missing_adc, missing_sdc = (exact - adc).mean(), (exact - sdc).mean()
database_part, query_part = pq.distortion(database), pq.distortion(queries)
print(f"missing in ADC / distortion of the database: {missing_adc / database_part:.1f}")
print(f"missing in SDC / both distortions: {missing_sdc / (database_part + query_part):.1f}")

# %% [markdown]
# If the same constant were missing from all distances, no ranking would change. What hurts a search is that the
# missing part differs from image to image.
#
# ## Turn the two dials
#
# A product quantizer has two dials, $M$ and $K$. What do they do to the distortion, to the bytes, and to the search?
# We measure the search by **recall@10**, here the share of queries whose true nearest neighbour is among the first
# ten found. (Chapter 01 counted all ten neighbours.) Images with equal codes are **tied**; they share their places
# evenly.
#
# At 32 bits you may take 4 subvectors with 256 codewords each, or 8 with 16.

# %% tags=["hide-input"]
Guess.of("03 two shapes")


# %% tags=["hide-input"]
def recall_at_10(distances, nearest):
    """(B, N) distances, (B,) true nearest neighbours -> share found among the first ten."""
    to_nearest = np.take_along_axis(distances, nearest[:, None], axis=1)
    before = (distances < to_nearest).sum(axis=1)
    tied = (distances == to_nearest).sum(axis=1)
    return np.clip((10 - before) / tied, 0, 1).mean()


nearest = exact.argmin(axis=1)
measured = []
for words in (16, 64, 256):
    for parts in (1, 2, 4, 8):
        one = ProductQuantizer(parts, words, random_state=0).fit(database)
        coded = one.encode(database)
        inside, outside = one.relative_distortion(database), one.relative_distortion(queries)
        by_adc = recall_at_10(one.distances(queries, coded), nearest)
        by_sdc = recall_at_10(one.symmetric_distances(one.encode(queries), coded), nearest)
        measured.append((parts, words, outside, by_adc, by_sdc, inside))

# %% [markdown]
# Distortion is **relative** here, that is, divided by the distortion of a single codeword, the mean image: 0 is
# perfect, 1 is useless.

# %% tags=["hide-input"]
all_parts, all_words, outside, by_adc, by_sdc, inside = np.array(measured).T
show(
    draw_dials(
        all_parts.astype(int),
        all_words.astype(int),
        {"relative distortion (queries)": outside, "recall@10 (ADC)": by_adc},
    ),
    alt="Two panels with a curve for each K against bits. Distortion falls and recall rises with "
    "bits; at equal bits fewer subvectors with more codewords are better. At the right end recall"
    " is close to one.",
    caption="Compare points above the same number of bits.",
)

# %% [markdown]
# Here are the same numbers with what each row costs. (`table` counts the entries of a lookup table, which a query
# has to compute before the first image is looked at.)

# %% tags=["hide-input"]
print("  M    K  bits  bytes  table  distortion: database  queries   recall@10: ADC   SDC")
for parts, words, on_queries, adc_recall, sdc_recall, on_database in measured:
    one_bits = round(parts * math.log2(words))
    print(
        f"{parts:3} {words:4} {one_bits:5} {math.ceil(one_bits / 8):6} {parts * words:6} "
        f"{on_database:21.2f} {on_queries:8.2f} {adc_recall:16.2f} {sdc_recall:5.2f}"
    )

# %% tags=["claim", "hide-input"]
result = {(parts, words): row for parts, words, *row in measured}
first = "4 x 256" if result[4, 256][0] < result[8, 16][0] else "8 x 16"
second = "4 x 256" if result[4, 256][1] > result[8, 16][1] else "8 x 16"
print(f"At 32 bits, {first} distorts less and {second} finds more.")
print(
    f"ADC finds {'more' if by_adc.mean() > by_sdc.mean() else 'no more'} than SDC, all rows taken together."
)
worse = all(row[0] > row[3] for (_, words), row in result.items() if words == 256)
print(f"With K = 256, held-out images are {'always' if worse else 'not always'} distorted more.")
many = "more" if result[8, 256][1] > 0.95 else "less"
print(f"8 x 256 finds the true neighbour for {many} than 95% of the queries.")

# %% [markdown]
# Two things to read from this:
#
# - At equal bits, *fewer subvectors with longer codebooks* distort less, because a codebook knows how the pixels of
#   its own subvector go together, and nothing about the next. The price is a longer table and more codewords to
#   learn.
# - With the longest codebooks there are only a few images for each codeword. They fit the images they were learned
#   from better than held-out ones.
#
# And one that you cannot read from it: recall is not a property of the quantizer alone. It depends on the database,
# too. These digits are few, and the codewords were learned from them. Chapter 09 searches real photographs.
#
# **Try it.** Open the cell above the picture and add 16 to the `parts` of the loop. Which new row has the same bits
# as `8 x 256`? Which of the two would you take?
#
# <details><summary>What to see</summary>
#
# 16 subvectors of 16 codewords also have 64 bits. They distort more, but their lookup table has 256 entries in place
# of 2,048. Where the table is what costs, for example in the registers of a processor, people do take 16 codewords,
# and chapters 07 to 09 come back to such *coarse* codebooks.
#
# </details>
#
# ## Play with a product quantizer
#
# Everything from this chapter in one figure that follows your hand: 800 digits to learn from and to search,
# 100 other digits as queries. Each row belongs to one subspace. Its codewords stand on the left, and on the
# right the query's lookup table, one entry for each codeword. Click a codeword, and the reconstruction and
# the sum change with it; click an image that was found, and its code is summed.
#
# (Recall is higher here than in the table above, because in a database of 800 digits a neighbour has fewer rivals. And
# with only 100 queries it depends on where k-means began: press **Another start** a few times.)
#
# **Try it.**
#
# - Replace one codeword by another. Can you find a code that is better than that of the nearest codewords?
# - <a href="#gsl1.quantization?rounds=0&code=-&item=-&query=0&data=given&n_subspaces=4&n_codewords=16">Go back
#   to the start of k-means</a> and press **One round** a few times. Which round helps most?
# - <a href="#gsl1.quantization?data=random&code=-&item=-&query=0&n_subspaces=4&n_codewords=16&rounds=6">Search
#   random numbers</a>. Recall is poor, and no quantizer can help: look at how far away the *nearest* vector is.
#   Whoever benchmarks a search engine on random numbers measures this.
# - <a href="#gsl1.quantization?data=given&n_subspaces=8&n_codewords=16&compare=true&code=-&item=-&query=0&rounds=6">Compare
#   codebooks of 4 and of 8 bits</a> at equal length of the code. What do the longer ones buy, and what do they
#   cost on held-out queries?
# - Drop a CSV or NPY file of your own on the figure, one vector per row. It is read in this page and goes
#   nowhere.
#
# <details><summary>What to see</summary>
#
# - No. The distance between a vector and its reconstruction is a sum over subspaces, and the nearest codeword makes
#   each term of it as small as it can be.
# - The first one, by far. It moves the codewords from single digits to the means of their cells, and what the later
#   rounds have left to correct is little.
# - The codes of the longer ones distort much less of the digits from which they were learned, and recall rises. But
#   held-out queries gain less than those digits do: with 256 codewords for 800 digits, many codewords learn one or two
#   digits by heart.
#
# </details>

# %%
QuantizationPlayground(database[:800], queries[:100])

# %% [markdown]
# ## What to remember
#
# - Cut into $M$ subvectors with $K$ codewords each: you store $M \times K$ codewords, can express $K^M$ vectors, and
#   pay $M \log_2 K$ bits.
# - Squared distances add up over subvectors. Their roots do not.
# - ADC: one table for each query, then $M$ lookups for each image. SDC quantizes the query, too, and is less exact.
# - The estimate misses the distortion on average. What counts for the search is how much that varies.
# - At equal bits, fewer subvectors are more exact and need a larger table.
#
# ## Quiz
#
# 1. A quantizer has 8 subvectors of 256 codewords. How many bytes does a code have?
# 2. Why may we add the entries of the table, but not their roots?
# 3. Two images have the same code. What can ADC say about which of them is nearer?
# 4. Would the search change if you shuffled the pixels, the same way in all images, before you cut?
# 5. A constant is added to all ADC distances of a query. What happens to recall?
#
# <details><summary>Answers</summary>
#
# 1. Eight. Each subvector names one of 256 codewords, which takes 8 bits or one byte.
# 2. The squared distance is a sum over pixels, so the squared parts add up to it. The root of a sum
#    is not the sum of the roots.
# 3. Nothing. They are tied, and a fair measure averages over all orders of tied images.
# 4. Yes, because other pixels would share a subvector. Neighbouring pixels go together, and a subvector that holds
#    them needs fewer codewords. Chapter 04 learns a better rotation before cutting.
# 5. Nothing, because the order stays the same.
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
