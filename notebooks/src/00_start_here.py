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
# the next one is chosen. Do this from top to bottom.

# %% tags=["volatile"]
from collections import Counter

import numpy as np

from gsl_tutorial.checks import check, hint
from gsl_tutorial.doctor import examine

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
# A wrong answer breaks nothing. Later cells use the package's own code, never yours.
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
# Stuck? Each run of the next cell gives one more of three hints; the last one is nearly the
# solution.

# %%
hint("00.1")  # run this cell again for the next hint

# %% [markdown]
# **Try it.** Answer wrongly on purpose: take the root with `np.sqrt`, or forget to square. The
# check knows these mistakes. Then try your function on numbers of your own:

# %%
x, y = np.array([0.0, 3.0]), np.array([4.0, 0.0])
print("yours:", squared_distance(x, y))  # None as long as the exercise is blank

# %% [markdown]
# All solutions stand in the folder `notebooks/solutions`, in notebooks of the same names.
#
# ## Read the letters
#
# The same letters mean the same things in every chapter, in the code and in the pictures. Come back
# here when one has slipped your mind.
#
# | name | symbol | meaning |
# | --- | --- | --- |
# | embedding | $z$ | the vector that stands for an image or an item |
# | gradient of the similarity loss | $g = dL/dz$ | uphill for the loss; training steps along $-g$ |
# | vectors | $N$ | how many: the rows of an array `(N, dim)` |
# | queries | $B$ | how many we search for at once |
# | pieces, or subspaces | $M$ | how many pieces a vector is cut into |
# | codewords in each piece | $K$ | how many; a code names one of them in each piece |
# | length of a piece | $d = \text{dim} / M$ | numbers in a piece |
# | candidates | $n$ | codewords near $z$ that its gradient may be drawn to |
# | codebooks | $C$ | all codewords, an array `(M, K, d)` |
# | reconstruction | $q(z)$ | the vector that the code of $z$ stands for |
# | bits | $M \log_2 K$ | length of a code |
# | strength of the pull | $\lambda$ | `strength` in the code: how hard $z$ is drawn to a codeword |
# | step | $\eta$ | `step` in the code: how far we look ahead along $-g$ |
# | asymmetric distance computation | ADC | the query is exact, the database is coded |
# | symmetric distance computation | SDC | the query is coded, too |
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
# | 05 biased gradients | where a penalty sends a point uphill | to come |
# | [06 snapping the gradient](06_snapping_the_gradient.ipynb) | write the layer | here |
# | [07 learning in turns](07_learning_in_turns.ipynb) | codebooks and network take turns | here |
# | [08 retrieval on digits](08_retrieval_on_digits.ipynb) | from images to results | here |
# | [09 retrieval on CIFAR-10](09_retrieval_on_cifar10.ipynb) | photographs and tables | here |
# | 10 honest evaluation | protocols, ties, leaks, seeds | to come |
# | [11](11_hard_negatives.ipynb) | hard negatives from clusters, two-tower retrieval | 60 minutes |
# | 12 past one machine | inverted lists, many machines | to come |
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
# - The letters are on this page.
#
# ## Quiz
#
# 1. You left an exercise blank. Does the rest of the chapter run?
# 2. The check says "Look again" and names a root. What has happened?
#
# <details><summary>Answers</summary>
#
# 1. Yes. Later cells use the package, not your answer.
# 2. You returned the distance, not the squared distance: the check compared your number with the
#    results of the usual mistakes.
#
# </details>
#
# ## Further reading
#
# - [The JupyterLab documentation](https://jupyterlab.readthedocs.io): everything about cells and
#   keys.
# - [NumPy: the absolute basics for
#   beginners](https://numpy.org/doc/stable/user/absolute_beginners.html).
