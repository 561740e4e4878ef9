# %% [markdown]
# # Start here
#
# Suppose you have 50,000 photographs, and a phone that can spare four bytes for each of them. How do you
# still find the ones that look like yours?
#
# That is what this workbook is about. In the next minute you will search real photographs through four
# bytes each, and drag a point to see the idea that the later chapters build on. After that, one small
# exercise shows you how the chapters work.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Search photographs, drag a point, solve one small exercise, and find the chapter that
# you came for.
#
# **What you will learn.** What the workbook is about, and how its exercises, hints and checks work.
#
# **What you need.** A little Python with NumPy. About 15 minutes, 4 of them for the exercise.
#
# </details>
#
# ## Search photographs through four bytes
#
# A notebook is made of **cells**. Click on the line with the three dots below and press **Shift + Enter**:
# the cell runs, and the next one is selected. While it runs you see `[*]` beside it. (Cells that only draw
# a picture are folded like this one. Click on the dots when you want to read them.)

# %% tags=["hide-input"]
from gsl_tutorial.course.widgets import PhotoSearch

search = PhotoSearch()
search

# %% [markdown]
# Choose a query with a click, or with Tab and the arrow keys. Below it you see what the search found: the ten
# nearest codes, and for each of them one photograph that has it. All that the search knows about a photograph
# is **four numbers from 0 to 255, which is four bytes**. A tick says that it shows the same kind of thing as
# the query.
#
# Ten of the queries were drawn at random, one from each class. The last two are the two worst of a hundred more, so
# that you also see the search fail. Which class are they mistaken for?
#
# <details><summary>What to see</summary>
#
# The search takes the ship for an automobile, and the truck for a frog.
#
# </details>
#
# Do you see coloured squares in place of photographs? Then the photographs are not on this machine. The search is
# the real one all the same, because it never looks at a pixel; to see them, type `gsl-tutorial fetch` in a
# terminal (170 MB) and run the cell again.

# %% tags=["claim", "hide-input"]
pixels, code = 32 * 32 * 3, 4
print(
    f"{search.n_photographs:,} photographs as pixels: {search.n_photographs * pixels / 1e6:.1f} MB"
)
print(f"the same photographs as codes: {search.n_photographs * code / 1e6:.1f} MB")

# %% [markdown]
# The four bytes are called a **code**. A neural network turns each photograph into a vector, its
# **embedding**, and the code names the nearest of some stored vectors, the **codewords**. For the search to
# work, the embedding has to be good *and* close to a codeword. Those are two wishes, and they do not always
# agree.
#
# ## Drag a point and watch its gradient snap
#
# Here is that conflict in the plane. The black point is an embedding. During training it should move towards
# the **star**, an item of its own class; the blue arrow shows that. The grey squares are codewords.
#
# - The usual recipe also pulls the point to the *nearest* square, which is the orange arrow. Training
#   follows the sum of both arrows, the dash-dotted one, and that may lead *away* from the star.
# - **Gradient snapping** asks first: which of the squares nearby lies in a direction that the blue arrow
#   agrees with? It pulls towards that one. The thick green arrow shows the result.
#
# (Chapters 05 and 06 explain the rings, the diamond and the orange cross. You can leave them aside for now.)
#
# Drag the point across one of the grey borders. At the border another square becomes the nearest one, so the
# orange arrow jumps. What does the green one do?

# %% tags=["hide-input"]
from gsl_tutorial.course.widgets import GradientExplorer

GradientExplorer()

# %% [markdown]
# <details><summary>What to see</summary>
#
# The orange arrow jumps at every border, wherever the star is. The green one only ever pulls to a square on the blue
# arrow's side, so it never works against it. It jumps, too, but only where it changes its own choice, and that is
# usually not at a border.
#
# </details>
#
# With the keyboard, Tab reaches the point and the arrow keys move it. The sliders and menus below the
# picture will make sense by chapter 06; you cannot break anything, and *Reset* brings everything back.
#
# Whether snapping also helps real networks, and when it does not, is the question of chapters 06 to 09. The
# answer is not a plain yes, which is what makes it worth the tour.
#
# ## Do an exercise
#
# Now let us see how the chapters work. First, is everything installed?

# %% tags=["volatile", "hide-input"]
from gsl_tutorial.course.cli.doctor import examine

report = examine(together=False)
problems = [finding.topic for finding in report.findings if finding.level == "problem"]
print("This machine is ready." if report.ok else f"To be solved first: {', '.join(problems)}.")

# %% [markdown]
# (In a terminal, `gsl-tutorial doctor` gives the whole report, with what to do about each problem.)
#
# Each exercise has a number, a difficulty (easy, medium or hard) and an honest estimate of the minutes it takes. You write where
# it says `...  # your code here`, run the cell, and read what the check says below it:
#
# | the check says | it means |
# | --- | --- |
# | ○ Not yet | the blank is still blank |
# | ✗ Look again | something is wrong; often the check can say what |
# | ✓ Right | go on; the sentence says what to take along |
#
# A wrong answer breaks nothing, because later cells use the package's own code and never yours. A row of
# squares below the sentence shows how many exercises of the chapter you have solved. A function that never
# ends is stopped after twenty seconds (on Windows, press the ■ above the notebook).
#
# **Exercise 00.1** (easy, 4 minutes). Nearly everything in this workbook rests on the **squared distance**
# between two vectors $x$ and $y$: subtract them number by number, square each difference, add up. Write it
# with NumPy.

# %% tags=["hide-input"]
import numpy as np

from gsl_tutorial.course.exercises import check, hint, my_progress


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
# Enter; the second lies inside it, and the third, which is nearly the solution, inside the second.

# %%
hint("00.1")

# %% [markdown]
# **Try it.** Answer wrongly on purpose: take the square root with `np.sqrt`, or forget to square. What does
# the check say? Then try your function on numbers of your own:

# %%
x, y = np.array([0.0, 3.0]), np.array([4.0, 0.0])
print("your answer:", squared_distance(x, y))  # None as long as the exercise is blank

# %% [markdown]
# <details><summary>What to see</summary>
#
# The check recognises both mistakes and names them. For the two vectors above, a right function gives 25:
# the differences are -4 and 3, and 16 + 9 = 25. With the root it would be 5.
#
# </details>
#
# Solved notebooks of all chapters are in the folder `notebooks/solutions` of the repository. (A copy made
# for a class has none.)
#
# ## See what you have done
#
# Right answers are noted in a small file on this machine, which outlives the kernel. What you have solved
# once stays solved. This is your page; run the cell again whenever you like.

# %%
my_progress()

# %% [markdown]
# In a terminal, `gsl-tutorial report` prints the same page, and `gsl-tutorial report --json --out NAME.json`
# writes a file that you can hand in. Nothing is sent anywhere by itself. Running a
# notebook from `solutions` does not mark its exercises as solved.
#
# ## Find your chapter
#
# | chapter | the question it answers |
# | --- | --- |
# | [01 search by similarity](01_search_by_similarity.ipynb) | What does it cost to find the nearest vectors, exactly? |
# | [02 vector quantization](02_vector_quantization.ipynb) | How do you describe a vector by one number? |
# | [03 product quantization](03_product_quantization.ipynb) | How do a thousand codewords do the work of four billion? |
# | [04 other quantizers](04_other_quantizers.ipynb) | Can a code of the same length lose less? |
# | [05 biased gradients](05_biased_gradients.ipynb) | When does a quantization penalty work against what you train for? |
# | [06 snapping the gradient](06_snapping_the_gradient.ipynb) | Can we pull to a codeword without ever working against it? |
# | [07 learning in turns](07_learning_in_turns.ipynb) | When does snapping help, and why? |
# | [08 retrieval on digits](08_retrieval_on_digits.ipynb) | What does the whole pipeline look like, in a minute? |
# | [09 retrieval on CIFAR-10](09_retrieval_on_cifar10.ipynb) | What does it give on photographs? |
# | [10 honest evaluation](10_honest_evaluation.ipynb) | Which numbers of this field can you believe? |
# | [11 hard negatives](11_hard_negatives.ipynb) | Which wrong items teach a recommender most? |
# | [12 past one machine](12_past_one_machine.ipynb) | What if the vectors do not fit, and a worker dies? |
#
# In a hurry? Read 03, then 06, then 08.
#
# ## Know where the formulas come from
#
# The gradient snapping layer was proposed by Liu and Lu, *Accurate Deep Representation Quantization with
# Gradient Snapping Layer for Similarity Search* ([arXiv 1610.09645](https://arxiv.org/abs/1610.09645), 2016).
# We could only read the abstract of that paper, so **every formula for the layer in this workbook is our
# reconstruction** of what the abstract describes. A later version of the abstract says that the layer "works
# better" where the first said "unbiased". We let the measurements decide, and we report them as they came
# out, also where snapping loses.
#
# The rest of the workbook (k-means, product quantization, the rivals, the measures of retrieval) follows
# published papers, and each chapter names them.
#
# ## Look up a letter
#
# The same letters mean the same things in every chapter, in the code and in the pictures. You do not need
# them now; come back here when one has slipped your mind.
#
# <details><summary>All letters of the series, with the chapter in which each first comes</summary>
#
# | name | symbol | in the code | meaning | first in |
# | --- | --- | --- | --- | --- |
# | vectors | $N$ | `N` | how many: the rows of an array `(N, dim)`; in training, the size of a batch | 01 |
# | queries | $B$ | `B` | how many we search for at once | 01 |
# | dimension | $\text{dim}$ | `dim` | how many numbers a vector has | 01 |
# | neighbours | $k$ | `k` | how many results are looked at, as in recall@k | 01 |
# | embedding | $z$ | `z` | the vector that stands for an image or an item | 02 |
# | codewords | $K$ | `n_codewords` | how many a codebook has; a code names one of them | 02 |
# | reconstruction | $q(z)$ | `decode` | the vector that the code of $z$ stands for | 02 |
# | distortion | $\lVert z - q(z) \rVert^2$ | `distortion` | what the code loses, as a mean over the vectors | 02 |
# | subspaces | $M$ | `n_subspaces` | how many subvectors a vector is cut into | 03 |
# | dimension of a subvector | $d = \text{dim} / M$ | `d` | how many numbers it has | 03 |
# | codebooks | $C$ | `codebooks_` | all codewords, an array `(M, K, d)` | 03 |
# | bits | $M \log_2 K$ | `bits` | length of a code | 03 |
# | asymmetric distance computation | ADC | `distances` | the query is exact, the database is coded | 03 |
# | symmetric distance computation | SDC | `symmetric_distances` | the query is coded, too | 03 |
# | candidates | $n$ | `candidates(z, n)` | how many codewords near $z$ its gradient may be drawn to | 04 |
# | similarity loss | $L$ | `loss` | small when alike items lie close together | 05 |
# | gradient of the similarity loss | $g = dL/dz$ | `gradient` | uphill for the loss; training steps along $-g$ | 05 |
# | strength of the pull | $\lambda$ | `strength` | how hard $z$ is drawn to a codeword | 05 |
# | mean average precision | mAP | `mean_average_precision` | how early the right items come, from 0 to 1 (explained in 08) | 05 |
# | a candidate and its direction | $c_j$, $d_j = c_j - z$ | `directions` | it *descends* when $\langle -g, d_j \rangle > 0$ | 06 |
# | chosen codeword | $c^*$ | `chosen` | the descending candidate that is best aligned with $-g$ | 06 |
# | step | $\eta$ | `step` | how far `look-ahead` looks along $-g$ | 06 |
# | form of the snap | `replace`, `pull`, `look-ahead` | `form` | what leaves the layer instead of $g$ | 06 |
# | length of a replaced gradient | `projected`, `full` | `length` | the part of $g$ along $d_j$, or all of its length | 06 |
# | fallback | `zero`, `keep`, `nearest` | `fallback` | what happens where no candidate descends | 06 |
#
# </details>
#
# ## Keep your hands on the keyboard
#
# Sliders are reached with Tab and moved with the arrow keys. Menus are reached with Tab, too: Space opens
# one, the arrow keys choose, Enter takes. Every picture has a text for those who do not see it.
#
# <details><summary>Keys of JupyterLab</summary>
#
# On a Mac, Cmd stands for Ctrl, except in Ctrl + Enter.
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
# | 0 0 (after Esc) | restart the kernel, when everything is tangled |
# | Ctrl + Shift + C | all commands, by name |
# | Ctrl + Shift + H | all keys |
#
# </details>
#
# ## What to remember
#
# - A code of four bytes is enough to find photographs of the same kind, provided that the codewords suit the
#   vectors, and the vectors suit the search.
# - Run the cells with Shift + Enter, from top to bottom. You cannot break anything.
# - Each exercise has three hints, one inside the other, and a check that knows the usual mistakes.
# - Come back to this page to look up a letter, or to see where the formulas come from.
#
# ## Quiz
#
# 1. You left an exercise blank. Does the rest of the chapter run?
# 2. The check says "Look again" and names a square root. How can it know?
# 3. You solved an exercise last week and break it today. Is it still solved?
#
# <details><summary>Answers</summary>
#
# 1. Yes. Later cells use the package, not your answer.
# 2. It compares your numbers with the results of the usual mistakes, and yours were those of the distance
#    instead of the squared distance.
# 3. Yes. What is solved stays solved; the file only counts one more try.
#
# </details>
#
# ## Further reading
#
# - [The JupyterLab documentation](https://jupyterlab.readthedocs.io): everything about cells and
#   keys.
# - [NumPy: the absolute basics for
#   beginners](https://numpy.org/doc/stable/user/absolute_beginners.html).
