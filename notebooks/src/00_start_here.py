# %% [markdown]
# # Start here
#
# **What you will do.** See whether this machine is ready, solve one small exercise, and find the
# chapter that you came for.
#
# **What you will learn.** How the exercises, the hints and the checks work, and the few letters
# that all chapters use.
#
# **What you need.** A little Python with NumPy. About 10 minutes, 4 of them for the exercise.
#
# > This workbook teaches **learned quantization**: how a network and short codes are trained
# > together, so that millions of pictures can be searched by similarity. It is built around the
# > *gradient snapping layer* of Liu and Lu, [arXiv 1610.09645](https://arxiv.org/abs/1610.09645),
# > of which only the abstract was at hand: its formulas here are our reconstruction, and the
# > chapters say so.
#
# ## Run a cell
#
# A notebook is made of cells. Click on the cell below, then press **Shift + Enter**: it runs, and
# the next one is chosen. Do this from top to bottom. While a cell runs, `[*]` stands beside it; the
# first cell of a chapter takes some seconds.

# %% tags=["volatile"]
from collections import Counter

import numpy as np

from gsl_tutorial.course.cli.doctor import examine
from gsl_tutorial.course.exercises import check, hint, my_progress

report = examine()
levels = Counter(finding.level for finding in report.findings)
print("Ready." if report.ok else "Not ready.")
print(f"ok: {levels['ok']}, notes: {levels['note']}, problems: {levels['problem']}")
for finding in report.findings:
    if finding.level != "ok":
        print(f"{finding.level}: {finding.topic}")
# for finding in report.findings: print(finding)  # without the first #: the whole report

# %% [markdown]
# **Ready** means that every chapter that needs no images runs. A *note* is no obstacle: without the
# CIFAR-10 images, for example, only chapters on those images have less to show. A *problem* comes
# with what to do about it, in the whole report. In a terminal, `gsl-tutorial doctor` prints the
# same.
#
# ## Do an exercise
#
# Exercises have a number, a difficulty (easy, medium, hard) and an honest number of minutes. You
# write where it says `...  # your code here`, run the cell, and read what the check says below it:
#
# | the check says | it means |
# | --- | --- |
# | ○ Not yet | the blank is still blank |
# | ✗ Look again | something is wrong, and often what |
# | ✓ Right | go on; the sentence says what to take along |
#
# A wrong answer breaks nothing. Later cells use the package's own code, never yours. Below the sentence
# a row of squares says how many exercises of the chapter are done. A function that never ends is
# stopped after twenty seconds (on Windows, press the ■ above the notebook).
#
# **Exercise 00.1** (easy, 4 minutes). Nearly everything here rests on the **squared distance**
# between two vectors $x$ and $y$: the sum of their squared differences. Write it with NumPy.


# %% tags=["exercise"]
def squared_distance(x, y):
    """(dim,), (dim,) -> one number."""
    # BEGIN SOLUTION
    difference = x - y
    return (difference**2).sum()
    # END SOLUTION


check.squared_distance(squared_distance)

# %% [markdown]
# Stuck? Three hints are folded into the line below. Open the first with a click, or with Tab and
# Enter; the second lies inside it, and the third, nearly the solution, inside the second.

# %%
hint("00.1")

# %% [markdown]
# **Try it.** Answer wrongly on purpose: take the root with `np.sqrt`, or forget to square. The
# check knows these mistakes. Then try your function on numbers of your own:

# %%
x, y = np.array([0.0, 3.0]), np.array([4.0, 0.0])
print("yours:", squared_distance(x, y))  # None as long as the exercise is blank

# %% [markdown]
# All solutions stand in the folder `notebooks/solutions` of the repository, in notebooks of the same names.
# (A copy made for a class has none.)
#
# ## See what is done
#
# Right answers are noted in a small file on this machine; it outlives the kernel, and two notebooks may
# be open at once. What was solved once stays solved. This is your page. Run the cell again whenever
# you like.

# %%
my_progress()

# %% [markdown]
# In a terminal, `gsl-tutorial report` prints the same, and `gsl-tutorial report --json --out NAME.json`
# writes a file that you may hand in. Nothing is sent anywhere by itself. Solved notebooks do not count.
#
# ## Read the letters
#
# The same letters mean the same things in every chapter, in the code and in the pictures. Come back
# here when one has slipped your mind. The last column tells in which chapter it first comes.
#
# | name | symbol | in the code | meaning | first in |
# | --- | --- | --- | --- | --- |
# | vectors | $N$ | `N` | how many: the rows of an array `(N, dim)`; in training, the size of a batch | 01 |
# | queries | $B$ | `B` | how many we search for at once | 01 |
# | length of a vector | $\text{dim}$ | `dim` | how many numbers it has | 01 |
# | neighbours | $k$ | `k` | how many results are looked at, as in recall@k | 01 |
# | embedding | $z$ | `z` | the vector that stands for an image or an item | 02 |
# | codewords | $K$ | `n_codewords` | how many a codebook has; a code names one of them | 02 |
# | reconstruction | $q(z)$ | `decode` | the vector that the code of $z$ stands for | 02 |
# | distortion | $\lVert z - q(z) \rVert^2$ | `distortion` | what the code loses, as a mean over the vectors | 02 |
# | pieces, or subspaces | $M$ | `n_subspaces` | how many pieces a vector is cut into | 03 |
# | length of a piece | $d = \text{dim} / M$ | `d` | numbers in a piece | 03 |
# | codebooks | $C$ | `codebooks_` | all codewords, an array `(M, K, d)` | 03 |
# | bits | $M \log_2 K$ | `bits` | length of a code | 03 |
# | asymmetric distance computation | ADC | `distances` | the query is exact, the database is coded | 03 |
# | symmetric distance computation | SDC | `symmetric_distances` | the query is coded, too | 03 |
# | candidates | $n$ | `candidates(z, n)` | how many codewords near $z$ its gradient may be drawn to | 04 |
# | similarity loss | $L$ | `loss` | small when alike items lie close together | 05 |
# | gradient of the similarity loss | $g = dL/dz$ | `gradient` | uphill for the loss; training steps along $-g$ | 05 |
# | strength of the pull | $\lambda$ | `strength` | how hard $z$ is drawn to a codeword | 05 |
# | a candidate and its direction | $c_j$, $d_j = c_j - z$ | `directions` | it *descends* when $\langle -g, d_j \rangle > 0$ | 06 |
# | chosen codeword | $c^*$ | `chosen` | the descending candidate that is best aligned with $-g$ | 06 |
# | step | $\eta$ | `step` | how far `look-ahead` looks along $-g$ | 06 |
# | form of the snap | `replace`, `pull`, `look-ahead` | `form` | what leaves the layer instead of $g$ | 06 |
# | length of a replaced gradient | `projected`, `full` | `length` | the part of $g$ along $d_j$, or all of its length | 06 |
# | fallback | `zero`, `keep`, `nearest` | `fallback` | what happens where no candidate descends | 06 |
# | mean average precision | mAP | `mean_average_precision` | how early the right items come, from 0 to 1 | 07 |
#
# ## Find your chapter
#
# | chapter | what happens there | is it here? |
# | --- | --- | --- |
# | 00 start here | this page | here |
# | [01 search by similarity](01_search_by_similarity.ipynb) | exact nearest neighbours, and what they cost | here |
# | [02 vector quantization](02_vector_quantization.ipynb) | k-means and its cells | here |
# | [03 product quantization](03_product_quantization.ipynb) | cut, quantize, add up | here |
# | [04 other quantizers](04_other_quantizers.ipynb) | rotated, residual, additive: distortion per bit | here |
# | [05 biased gradients](05_biased_gradients.ipynb) | where a penalty sends a point uphill | here |
# | [06 snapping the gradient](06_snapping_the_gradient.ipynb) | write the layer | here |
# | [07 learning in turns](07_learning_in_turns.ipynb) | codebooks and network take turns | here |
# | [08 retrieval on digits](08_retrieval_on_digits.ipynb) | from images to results | here |
# | [09 retrieval on CIFAR-10](09_retrieval_on_cifar10.ipynb) | photographs and tables | here |
# | [10 honest evaluation](10_honest_evaluation.ipynb) | protocols, ties, leaks, seeds | here |
# | [11 hard negatives](11_hard_negatives.ipynb) | two towers and clusters | here |
# | [12 past one machine](12_past_one_machine.ipynb) | inverted lists, shards, a cluster | here |
#
# In a hurry? Read 03, then 06, then 08. Teaching a lab? Chapter 03 fills the first half.
#
# ## Keep your hands on the keyboard
#
# These are JupyterLab's own keys; on a Mac, Cmd stands for Ctrl, except in Ctrl + Enter.
#
# | keys | what they do |
# | --- | --- |
# | Shift + Enter | run the cell, go to the next |
# | Ctrl + Enter | run the cell, stay |
# | Enter, Esc | begin to write in a cell, stop writing |
# | ↑, ↓ (after Esc) | go from cell to cell |
# | A, B (after Esc) | a new cell above, below |
# | Tab, Shift + Tab (while writing) | complete a name, show its description |
# | Ctrl + S | save |
# | 0 0 (after Esc) | start the kernel afresh, when everything is tangled |
# | Ctrl + Shift + C | all commands, by name |
# | Ctrl + Shift + H | all keys |
#
# Sliders take the focus with Tab and move with the arrow keys. Menus take it, too: Space opens one,
# the arrow keys choose, Enter takes. (On a closed menu the arrow keys belong to JupyterLab and lead
# to the next cell.) Every picture has a text for those who do not see it.
#
# ## What to remember
#
# - Shift + Enter, from top to bottom.
# - A check never breaks anything, and it knows the usual mistakes.
# - Three hints, one inside the other; what is done is noted on this machine only.
# - The letters are on this page.
#
# ## Quiz
#
# 1. You left an exercise blank. Does the rest of the chapter run?
# 2. The check says "Look again" and names a root. What has happened?
# 3. You solved an exercise last week and break it today. Is it still done?
#
# <details><summary>Answers</summary>
#
# 1. Yes. Later cells use the package, not your answer.
# 2. You returned the distance, not the squared distance: the check compared your number with the
#    results of the usual mistakes.
# 3. Yes. Once solved stays solved; the file only counts one more try.
#
# </details>
#
# ## Further reading
#
# - [The JupyterLab documentation](https://jupyterlab.readthedocs.io): everything about cells and
#   keys.
# - [NumPy: the absolute basics for
#   beginners](https://numpy.org/doc/stable/user/absolute_beginners.html).
