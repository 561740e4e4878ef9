# %% [markdown]
# # Find hard negatives in the positive's own cell
#
# You liked a science-fiction film. A recommender learns little from being told that you did *not* choose a cooking show.
# It might learn more from another science-fiction film that you passed over. Films of that kind are called **hard
# negatives**, and a recent paper finds them with the help of a language model. Does it work? In this chapter you build
# the method and then put it to a fair test.
#
# What helps, first. Correcting for how often a negative is drawn matters most for negatives from the batch: with real
# ratings, forgetting it costs 40% of the recall. For negatives from the positive's own kind it saves the lower part of the
# list with simulated users, whose taste we know. Hard negatives themselves bring those users a small gain at the top of the
# list, and the price is paid further down. Whether that carries over to the ratings of real people is a bet that you will
# place before you see it. Learning how to *find such things out* is the other half of the chapter.
#
# <details><summary>What you will do, what you will learn, and what you need</summary>
#
# **What you will do.** Train two towers that match users with films, choose by hand what the model is told
# to push away, and judge a claim about hard negatives on simulated users and on real ratings.
#
# **What you will learn.** Why a few negatives can stand for a whole catalogue, what the *logQ correction*
# corrects, when negatives from the same cell can help, what a recommender does to its own data, and what
# codes of a few bytes cost here.
#
# **What you need.** Softmax and gradients; product quantization from chapter 03. About 110 minutes, 55 of them for
# the six exercises; the computer works for less than one. The second half, about the feedback loop, can be a session
# of its own. No download, no language model.
#
# </details>
#
# > The idea is from *Real-Time Hard Negative Sampling via LLM-based Clustering for Large-Scale Two-Tower Retrieval*,
# > [arXiv 2607.00448](https://arxiv.org/abs/2607.00448). We could only read its abstract: a language model represents
# > the items, the items are clustered, and during training each positive gets hard negatives from its own cluster.
# > **How we draw and correct them is our reconstruction.**

# %% tags=["hide-input"]
import numpy as np
import torch

from gsl_tutorial.course.datasets.interactions import leave_last_out
from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.exercises.attempts import attempt
from gsl_tutorial.course.plots import show
from gsl_tutorial.course.plots.honesty import draw_intervals
from gsl_tutorial.course.plots.two_tower import (
    draw_arms,
    draw_codes,
    draw_course,
    draw_knob,
    draw_trials,
)
from gsl_tutorial.course.printing import Table, say
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.study.report import Spread
from gsl_tutorial.course.training.method_names import NAMES
from gsl_tutorial.course.two_tower.competition import behind, fix_draws, pushes
from gsl_tutorial.course.two_tower.data import prefixes, simulated_data
from gsl_tutorial.course.two_tower.evaluation import (
    false_negative_rate,
    measure_towers,
    recommended,
)
from gsl_tutorial.course.two_tower.grid import load_grid
from gsl_tutorial.course.two_tower.items import first_cells, load_items
from gsl_tutorial.course.two_tower.loop_report import titles_at_hand
from gsl_tutorial.course.two_tower.losses import full_softmax, sampled_softmax
from gsl_tutorial.course.two_tower.report import (
    arms_as_table,
    code_table,
    compare_arms,
    paired_difference,
    search_trials,
)
from gsl_tutorial.course.two_tower.sampling import (
    InvertedLists,
    SameCell,
    Uniform,
    draw_negatives,
)
from gsl_tutorial.course.two_tower.simulator import simulate_users
from gsl_tutorial.course.two_tower.study import TwoTowerResults
from gsl_tutorial.course.two_tower.training import TwoTowerConfig, train_towers
from gsl_tutorial.course.widgets import FilmPicker, Guess, NegativesSliders

# %% [markdown]
# ## Choose a film that you liked
#
# Here are two hundred films, laid out flat. A language model has read the title and the genres of each and turned them
# into a vector; k-means has put films with similar vectors into one **cell**. The star is a film that you liked. A
# recommender should rank it above the films that you did not choose, and it learns from a few of those at a time. They
# are its **negatives**. Which of the two lists would teach it more, the crosses or the circles?
#
# Click on another film, or walk from film to film with the arrow keys.

# %% tags=["hide-input"]
texts, titles = load_items(), titles_at_hand()
FilmPicker(texts, shown=[47, 89, 82, 23, 30], titles=titles, liked=260)

# %% [markdown]
# Do you see numbers in place of titles? Then MovieLens is not on this machine, and we may not ship its titles. The map,
# the cells and the draws are the real ones all the same. To see the titles, type `gsl-tutorial two-tower fetch` in a
# terminal (1 MB) and run the cell again.
#
# **Try it.** Visit all five cells. With titles: what do the films of a cell have in common? And how did "Now, Voyager", a
# love story of 1942, get among the space films? With numbers only: choose films in the middle of a patch and at its
# edge. From where do the crosses come, and from where the circles?
#
# <details><summary>What to see</summary>
#
# Space films (with "Star Wars", film 260), Christmas films, old monsters, westerns, and fairy tales. But the language
# model had only read titles and genres, so a title can mislead it: "Now, Voyager" sounds like a space ship. And the
# year is a part of the title, so that films of one age come together as well.
#
# The numbers show where they come from: the crosses lie in the patch of the star, even when the star stands at its edge
# and a film of another patch is nearer, and the circles lie in the other patches.
#
# </details>
#
# ## Meet the items
#
# Our catalogue is that of MovieLens, one of the best-known sets of film ratings. Of the vector of each film we kept 64
# numbers, and k-means, the one of chapter 02, has cut the catalogue into 100 cells. The repository contains these vectors
# and the cell of each film, but neither titles nor ratings, because they are not ours to give away.

# %% tags=["hide-input"]
sizes = np.bincount(texts.cells["training"])
print(f"{len(texts.ids):,} films, {texts.vectors.shape[1]} numbers for each, {len(sizes)} cells")
print(f"films in a cell: from {sizes.min()} to {sizes.max()}")

# %% [markdown]
# ## Score every item, pay for a few
#
# A **two-tower** model has two networks. One turns the last films of a user into a vector $u$, the other turns a film
# into a vector $v$. Both vectors have length 1, and the **score** of film $j$ is $s_j = \langle u, v_j\rangle / \tau$
# with a **temperature** $\tau$ that says how strongly differences count. To recommend is then to search for the nearest
# vectors, and we know how to do that.
#
# For training we know one film $p$ that the user chose, the **positive**. The loss is the softmax over the whole
# catalogue; it is small when $p$ has a higher score than everything else:
#
# $$L = \log \sum_{j} e^{s_j} - s_p .$$
#
# The trouble is the sum, which runs over all films in every step. So we draw a few **negatives** and let each of them
# stand for many. A negative that is drawn $Q$ times on average enters as $e^{s_j} / Q = e^{s_j - \log Q}$: what is drawn
# often counts less, so that every film counts *once* on average. This is called the **logQ correction**. The
# positive is always there, so it needs no correction.
#
# **Exercise 11.1** (medium, 8 minutes). Write the corrected loss of one positive.


# %% tags=["exercise"]
def sampled_loss(positive, negatives, expected):
    """A score, (n,) scores, (n,) values of Q -> the loss, a number."""
    # BEGIN SOLUTION
    logits = np.append(negatives - np.log(expected), positive)
    return np.log(np.exp(logits).sum()) - positive
    # END SOLUTION


check.sampled_loss(sampled_loss)

# %%
hint("11.1")

# %% [markdown]
# Does the sum come out right? Take a toy catalogue of 60 films in 6 cells. The cell of the positive is *hot*: all
# its films have high scores, as they do after some training. We draw 8 films many times, either all from the whole
# catalogue, or 4 from it and 4 from the cell of the positive. Both ways can draw the same film, so $Q$ has to add up
# both. What will happen if we forget that, and treat all draws as if they came from the whole catalogue?

# %% tags=["hide-input"]
rng = np.random.default_rng(0)
N = 60
labels = np.arange(N) % 6
scores = rng.normal(size=N) + 3 * (labels == 0)
mates = np.flatnonzero(labels == 0)[1:]  # film 0 is the positive
true_sum = np.exp(scores[1:]).sum()
ways = {"8 of the whole catalogue": (8, 0), "4 of it, 4 of the cell": (4, 4)}
for name, (uniform, hard) in ways.items():
    items = np.hstack([rng.integers(1, N, (4000, uniform)), rng.choice(mates, (4000, hard))])
    both = uniform / (N - 1) + np.where(labels[items] == 0, hard / len(mates), 0)
    sums = (np.exp(scores[items]) / both).sum(axis=1) / true_sum
    losses = np.log1p(sums * true_sum / np.exp(scores[0]))
    too_low = np.log1p(true_sum / np.exp(scores[0])) - losses.mean()
    print(
        f"{name:25} estimate / truth: mean {sums.mean():.1f}, spread {sums.std():.1f}; "
        f"the loss is too low by {too_low:.2f} on average"
    )
    assert abs(sums.mean() - 1) < 0.1
    assert (0.02 if hard else 0.1) < too_low < (0.1 if hard else 0.5)
    if hard:
        flat = (np.exp(scores[items]) / (8 / (N - 1))).sum(axis=1) / true_sum
        print(f"{'the same, wrong Q (8/N)':25} estimate / truth: mean {flat.mean():.1f}")
        assert flat.mean() > 2

# %% [markdown]
# With the right $Q$, both ways estimate the same sum, and on average neither is wrong. The hard draws only make the estimate
# steadier, because they look where the large terms are. The *loss* is the logarithm of that estimate, and there the noise
# matters: on average it comes out too low (a logarithm punishes small estimates more than it rewards large ones), and less
# so the steadier the estimate is. So both ways aim at the same loss, and the hard draws come closer to it. Count them as if
# they were uniform, and they aim at another loss: the cell weighs too much. Keep that in mind; it comes back below.
#
# ## Draw from the positive's own cell
#
# Look once more at the map on which the chapter began. The star is the positive. The crosses were drawn from its own
# cell: they are the **hard negatives**. The circles were drawn from other cells. Most of them are **easy**, because a
# model that has learned a little already ranks a western far below a space film.
#
# For each cell the sampler keeps a list of its films, and all lists stand end to end in one array. Drawing a film from
# the same cell takes one lookup and one random number, whatever the size of the catalogue, and that is what "real time"
# in the title of the paper asks for.
#
# **Exercise 11.2** (medium, 8 minutes). Which films may be drawn as hard negatives? Never the positive, and
# never one that the user has liked: that would be a **false negative**.


# %% tags=["exercise"]
def hard_candidates(positive, labels, history):
    """A film, the cell of each film (N,), the user's films (h,) -> film numbers, rising."""
    # BEGIN SOLUTION
    mates = np.flatnonzero(labels == labels[positive])
    return mates[(mates != positive) & ~np.isin(mates, history)]
    # END SOLUTION


check.hard_candidates(hard_candidates)

# %%
hint("11.2")

# %% [markdown]
# What the user *will* like is not in the history, and no sampler can leave it out. How often does that happen?
# To find out, we need users whose future we know.
#
# ## Simulate users whose taste you know
#
# Our simulated users like two cells each (cells of another k-means run, which training never sees), have a
# favourite film in each, and prefer what is similar to it. The **sharpness** says how much they do. At 0, every film of a
# cell that they like is as good as any other; at 6 they want the nearest relatives of the favourite and not the rest of
# the cell. To save time, their world has only the films of 20 of those cells.
#
# Such users can show a *mechanism*. They are no evidence about people, because their taste was made from the same vectors
# as our cells.


# %% tags=["hide-input"]
def world(sharpness, n_users=1000, seed=0):
    """Simulated users over some of the films, their last five films hidden."""
    _, vectors, cells_of = first_cells(texts, 20)
    return simulated_data(
        vectors,
        cells_of["simulator"],
        cells_of["training"],
        n_users=n_users,
        sharpness=sharpness,
        random_state=seed,
    )


data = world(6.0)
print(data.events)
in_cell, anywhere = false_negative_rate(data, data.cells["text"]), false_negative_rate(data)
print(
    f"draws that the user liked before:      cell {in_cell['known']:.0%}, anywhere {anywhere['known']:.1%}"
)
print(
    f"draws that the user will like later:   cell {in_cell['hidden']:.0%}, anywhere {anywhere['hidden']:.1%}"
)

# %% [markdown]
# The first kind can be excluded. The second kind is the price of hard negatives.
#
# ## Hide the end, and only the end
#
# To judge a model, we hide the last films of each user and ask for them.
#
# **Exercise 11.3** (medium, 8 minutes). Split
# one user's events into the **profile** that the model may see and the `n` last, hidden ones. Equal times are
# ordered by item number. Events in the same second as the first hidden one belong to neither part: nobody knows
# which came first.


# %% tags=["exercise"]
def profile_and_hidden(items, times, n):
    """(h,) items, (h,) times in any order, a number -> profile, hidden; both earliest first."""
    # BEGIN SOLUTION
    order = np.lexsort((items, times))
    items, times = items[order], times[order]
    return items[times < times[-n]], items[-n:]
    # END SOLUTION


check.profile_and_hidden(profile_and_hidden)

# %%
hint("11.3")

# %% [markdown]
# In the real ratings this rule matters, because many users rated many films in one evening, and what we call "the last
# film" is often just the last line of a form. For real films, though, ordering equal times by item number would not be
# fair: MovieLens numbers its films roughly by age, so the newest film of the evening would always count as the last
# one. The package therefore orders events of the same second at random, and keeps them out of each other's profiles. One
# leak remains: the later ratings of *other* users stay in the training set.

# %% tags=["hide-input"]
users = simulate_users(
    texts.vectors, texts.cells["simulator"], n_users=50, sharpness=2, random_state=1
)
split = leave_last_out(users, n_test=5, n_validation=5)
latest_seen = np.array(
    [split.seen_before_test.time[split.seen_before_test.user == u].max() for u in range(50)]
)
first_hidden = np.array([split.test.time[split.test.user == u].min() for u in range(50)])
before = "lies before" if (latest_seen < first_hidden).all() else "does not always lie before"
print(f"For each of 50 users, all that the model may see {before} the first hidden film.")

# %% [markdown]
# ## Train, and watch the negatives
#
# We train twice, on the same events, for the same number of steps, with the same **budget**: 7 negatives from
# the batch and 8 more. The first training, `uniform`, draws all 8 from the whole catalogue. The second, `text`, replaces 4
# of them by films from the cell of the positive, from the second epoch on.

# %% tags=["hide-input"]
Guess.of("11 harder")

# %% tags=["hide-input"]
torch.set_num_threads(1)  # two threads add in another order each time, and the figures with it
draws = fix_draws(data, data.cells["text"])  # the same negatives for every look at a model
looks, live = {"uniform": [], "text": []}, {}
for arm in looks:
    live[arm] = train_towers(
        data,
        TwoTowerConfig(arm=arm, batch=128, temperature=0.05),
        watch=lambda model, arm=arm: looks[arm].append(behind(draws, model)),
    )
    figures = measure_towers(live[arm], data).figures
    print(f"{arm:8} Recall@10 {figures['recall@10']:.2f}   Recall@100 {figures['recall@100']:.2f}")

# %% [markdown]
# What do such models recommend? The last films of each user were hidden from both. Here is the first user to whom each of
# the two brings at least one of them back; a star marks it.

# %% tags=["volatile", "hide-input"]
tops = {arm: recommended(live[arm], data, np.arange(1000), 5) for arm in live}
of, hidden_ones = data.events.seen_before_test, data.events.test
for someone in range(1000):
    hidden = set(hidden_ones.item[hidden_ones.user == someone])
    if all(hidden & set(top[someone]) for top in tops.values()):
        break
ids = texts.ids[first_cells(texts, 20)[0]]
columns = {
    "liked before": of.item[of.user == someone][-5:],
    **{f"{arm} recommends": top[someone] for arm, top in tops.items()},
}
named = [
    [titles.get(int(ids[i]), f"film {ids[i]}") + (" ★" if i in hidden else "") for i in column]
    for column in columns.values()
]
Table(zip(*named, strict=True), head=list(columns))


# %% tags=["hide-input"]
def course(histories):
    """Notes of several trainings -> kind -> measure -> (seeds, epochs)."""
    return {
        kind: {
            key: np.array(
                [[one.get(kind, {}).get(key, np.nan) for one in history] for history in histories]
            )
            for key in ("outscores", "pressure")
        }
        for kind in ("in-batch", "uniform", "same cell")
    }


# %% tags=["hide-input"]
seen = course([live["text"].history])
last = {kind: seen[kind]["outscores"][0, -1] for kind in seen}
show(
    draw_course({"simulated users, this training": seen}),
    alt="Two panels by epoch. Above, the share of negatives that outscore the positive: at the end "
    f"{last['same cell']:.0%} of those from the cell, {last['uniform']:.1%} of the uniform ones and "
    f"{last['in-batch']:.1%} of those from the batch. Below, how hard the loss pushes one negative: in the "
    "last epoch hardest for those from the cell.",
)

# %% tags=["hide-input"]
harder = (seen["same cell"]["outscores"] > seen["uniform"]["outscores"])[0, 1:].all()
print(
    f"In {'every' if harder else 'not every'} epoch, negatives of the cell beat the positive more often than uniform ones."
)
fades = seen["uniform"]["pressure"][0]
print(
    f"A uniform negative is pushed {'less' if fades[-1] < fades[0] else 'no less'} in the last epoch than in the first."
)


def share_of_push(look, **settings):
    """The part of the whole push that the hard negatives get."""
    found = pushes(draws, look, temperature=0.05, hard=4, **settings)
    return found["same cell"][1].sum() / sum(push.sum() for _, push in found.values())


before, after = looks["text"][0], looks["text"][-1]
shares = share_of_push(before), share_of_push(after), share_of_push(after, corrected=False)
print(
    "The 4 hard ones of 15 negatives get "
    f"{'less' if shares[0] < 0.1 else 'more'} than a tenth of the whole push before training,"
)
print(
    f"{'more' if shares[1] > 0.25 else 'less'} than a quarter after it, and "
    f"{'more' if shares[2] > 0.5 else 'less'} than half if they are counted as uniform."
)

# %% [markdown]
# The gradient of an easy negative dies out: once its score is low, the loss leaves it alone. A negative from the cell
# goes on competing, because whatever lifts the positive lifts films like it, too.
#
# ### Turn it yourself
#
# Here is the model of the `text` training, before training and after each epoch, always with the same draws for 400
# events. On the left you see how far each negative is **behind** its positive; right of the line it is ahead. Below is
# what the softmax makes of that distance. On the right you see how many of the draws are of each kind, and how much of
# the whole push they get.
#
# Move the sliders (Tab reaches them, the arrow keys move them). The towers stay as they were
# trained; only the loss is computed anew. (Where no slider runs, you see the last epoch.)

# %% tags=["hide-input"]
NegativesSliders(draws, looks["text"])

# %% [markdown]
# **Try it.**
#
# 1. Move *epoch* from 0 to 4. Which kind moves left, and which stays near the line? What do all pushes add up to?
# 2. Lower the temperature. Which negatives are still pushed? Then raise it to 0.5: what has become of "hard"?
# 3. Move *hard ones* from 0 to 8, then switch to *counted as uniform*. Which negatives pay for it?
#
# <details><summary>What to see</summary>
#
# 1. All three kinds start around the line. Uniform and in-batch negatives move far to the left, and the sum of the
#    pushes falls; those of the cell stay nearer.
# 2. At a low temperature only what is near the line is pushed, and that is mostly the cell. At 0.5 the distance hardly
#    matters: the cell gets its share of the catalogue, a few per cent.
# 3. With the correction, twice as many hard draws get less than twice the push, because each counts less. Counted as
#    uniform they take most of it, away from all other items.
#
# </details>
#
# ### Write the sampler
#
# You have seen what a sampler does to the training. Its parts are the two exercises at the beginning of this chapter,
# and now you put them together.
#
# **Exercise 11.4** (hard, 15 minutes). Make one training step for one positive. A film may be drawn if it is not the
# positive and the user has not liked it. Draw `n_uniform` films from all that may be drawn, and `n_hard` from those
# among them that lie in the cell of the positive, both with replacement and with the `rng` that is given. If the cell
# has none left, draw these from the whole catalogue, too. Return three things: the films, $Q$ for each of them (how many
# times it is drawn on average, whichever way it came), and the corrected loss.


# %% tags=["exercise"]
def sampled_step(scores, positive, labels, history, n_uniform, n_hard, rng):
    """(N,) scores, a film, (N,) cells, (h,) films, two numbers, a Generator -> films, Q, loss."""
    # BEGIN SOLUTION
    allowed = np.setdiff1d(np.arange(len(labels)), np.append(history, positive))
    mates = allowed[labels[allowed] == labels[positive]]
    if len(mates) == 0:
        mates = allowed
    items = np.append(rng.choice(allowed, n_uniform), rng.choice(mates, n_hard))
    expected = n_uniform / len(allowed) + np.isin(items, mates) * n_hard / len(mates)
    total = np.exp(scores[positive]) + (np.exp(scores[items]) / expected).sum()
    return items, expected, np.log(total) - scores[positive]
    # END SOLUTION


check.sampled_step(sampled_step)

# %%
hint("11.4")

# %% [markdown]
# Now your sampler works for the model that was trained above: for 100 events, with 20 draws each. From a loss $L$ you
# get back the sum over the negatives, relative to the positive; it is $e^L - 1$. The full softmax tells the true one.
# How close do your estimates come, and how close do those of the package's sampler?

# %% tags=["hide-input"]
train, cell_of = data.events.train, data.cells["text"]
rng = np.random.default_rng(0)
chosen = rng.choice(len(train), 100, replace=False)
who, what = train.user[chosen], train.item[chosen]
liked = [train.item[train.user == user] for user in who]
with torch.no_grad():
    taste = live["text"].model.users(torch.from_numpy(prefixes(train, 20)[chosen]))
    score = (taste @ live["text"].model.items().T / 0.05).double()
every_film = np.broadcast_to(np.arange(train.n_items), score.shape)
known = torch.from_numpy(data.history.holds(who, every_film))
truth = full_softmax(score, torch.from_numpy(what), known).expm1().numpy()


def with_package(n_uniform, n_hard):
    """The losses of all events, with the package's draws."""
    sources = [Uniform(train.n_items, n_uniform), SameCell(InvertedLists.of(cell_of), n_hard)]
    drawn = draw_negatives(sources, who, what, history=data.history, twins=data.twins, rng=rng)
    numbers = torch.from_numpy(np.column_stack([what, drawn.items]))
    found, Q = score.gather(1, numbers), torch.from_numpy(drawn.expected)
    out = torch.from_numpy(drawn.excluded)
    return sampled_softmax(found[:, 0], found[:, 1:], Q, out).numpy()


def with_yours(n_uniform, n_hard):
    """The losses of all events, with your draws."""
    rows = zip(score.numpy(), what, liked, strict=True)
    steps = [sampled_step(s, film, cell_of, h, n_uniform, n_hard, rng) for s, film, h in rows]
    return np.array([loss for _, _, loss in steps])


example = score[0].numpy(), what[0], cell_of, liked[0], 8, 0, np.random.default_rng(0)
samplers = {"the package's": with_package, "yours": with_yours}
if attempt(sampled_step, *example) is None:
    del samplers["yours"]
typical = {}
for name, losses in samplers.items():
    for uniform, hard in ((8, 0), (4, 4)):
        ratios = np.stack([np.expm1(losses(uniform, hard)) / truth for _ in range(20)])
        typical[name, hard] = np.median(ratios)
        print(f"{name:13} {uniform} of all films, {hard} of the cell: estimate / truth, mean {ratios.mean():.1f}, "
              f"median {typical[name, hard]:.2f}")  # fmt: skip
assert typical["the package's", 0] < typical["the package's", 4] < 0.5

# %% [markdown]
# The means lie around 1, because $Q$ is right. The medians tell what happens in a single step: it misses most of the sum,
# because a few films with high scores carry it, and they are seldom drawn. So the loss of a single step is usually too low.
# Draws from the cell meet those films more often, and come closer.
#
# Is the model better for it? One small run cannot say. A study can.
#
# ## Read the study: simulated users
#
# In the study, each way of drawing negatives is called an **arm**. All arms saw the same events with the same budget
# (except `uniform-4x`, which has four times as many uniform negatives). Temperature and learning rate were chosen on
# validation films, with as many trials for `uniform` as for `text`. There are three seeds, each with users of its own.
#
# The control arms matter most, because they say *what* helps:
#
# - `random` draws from cells of the same sizes that mean nothing, and `genre` from films of the same genres;
# - `true` uses the simulator's own cells, which nobody has in practice;
# - `learned` uses clusters of the item tower itself, found anew after each epoch;
# - `text-raw`, and `in-batch-raw` for negatives from the batch alone, forget the correction.
#
# In the tables, **R@10** is Recall@10, the share of the hidden films that are among the first ten; **tail R@50** is the
# same for fifty places, counting only hidden films from the less popular four fifths of the catalogue; **coverage** is the
# share of the catalogue that is in anybody's first ten, and **popularity** says how often the films in these lists were
# liked in the training events, on average.

# %% tags=["hide-input"]
results = TwoTowerResults(load_grid(), DATA / "results")
made_up = compare_arms(results, "core", "simulated")


# %% tags=["hide-input"]
def arms_figure(rows, title):
    """The picture of a table and what to say of it."""
    keys = ("recall@10", "recall@100", "popularity@10")
    figure = draw_arms(
        [row.arm for row in rows],
        {key: [row.figures[key] for row in rows] for key in keys},
        title=title,
    )
    best = max(rows, key=lambda row: row.figures["recall@10"][0])
    by_name = {row.arm: row.figures for row in rows}
    text = (
        f"{title}: one line for each of {len(rows)} arms, with Recall@10, Recall@100 and the mean "
        "popularity of what is retrieved. Recall@10 is "
        f"{by_name['uniform']['recall@10'][0]:.3f} for uniform negatives, "
        f"{by_name['text']['recall@10'][0]:.3f} with text cells, "
        f"{by_name['random']['recall@10'][0]:.3f} with random cells; the highest, "
        f"{best.figures['recall@10'][0]:.3f}, is that of {best.arm}."
    )
    return figure, text


figure, text = arms_figure(made_up, "simulated users")
show(figure, alt=text)

# %% tags=["hide-input"]
arms_as_table(made_up)

# %% [markdown]
# **Turn the knob.** Here is the same comparison at lower sharpness. At 0, every film of a cell is as good as the
# positive, and nothing can be learned from telling them apart. Look at the left end of both panels first.


# %% tags=["hide-input"]
def gains(arm, key):
    """Difference from uniform, seed by seed, at each sharpness."""
    out = []
    for number, part in ((0, "knob"), (1, "knob"), (0, "core")):
        pairs = [
            (a["figures"][key], b["figures"][key])
            for a in results.records(part, task="simulated", arm=arm, number=number)
            for b in results.records(part, task="simulated", arm="uniform", number=number)
            if a["seed"] == b["seed"]
        ]
        out.append(Spread.of([x - y for x, y in pairs]))
    return out


knob = {
    key: {"text": gains("text", key), "text-raw (not corrected)": gains("text-raw", key)}
    for key in ("recall@10", "recall@100")
}
show(
    draw_knob([0, 2, 6], knob),
    alt="Two panels against the sharpness of the taste, 0, 2 and 6. In Recall@10 the corrected arm gains "
    + ", ".join(f"{mean:+.3f}" for mean, _ in knob["recall@10"]["text"])
    + " over uniform negatives, in Recall@100 "
    + ", ".join(f"{mean:+.3f}" for mean, _ in knob["recall@100"]["text"])
    + "; the uncorrected one "
    + ", ".join(f"{mean:+.3f}" for mean, _ in knob["recall@100"]["text-raw (not corrected)"])
    + " in Recall@100.",
)

# %% [markdown]
# **Enlarge the world.** In a world of 20 cells, one uniform negative in twenty is from the cell of the positive anyway.
# In the whole catalogue with its 100 cells it is one in a hundred, so uniform negatives are easier there. Here are four
# arms once more, with four times as many users:

# %% tags=["hide-input"]
large = compare_arms(results, "large", "simulated")
figure, text = arms_figure(large, "simulated users, all 100 cells")
show(figure, alt=text)


# %% tags=["claim", "hide-input"]
def said(rows, *arms):
    """Differences from uniform, paired by seed, in words."""
    by_arm = {row.arm: row for row in rows}
    for arm in arms:
        interval = by_arm[arm].against_uniform
        further = by_arm[arm].figures["recall@100"][0] - by_arm["uniform"].figures["recall@100"][0]
        print(
            f"   {arm:10} Recall@10 {interval.difference:+.3f} ({interval.verdict}), Recall@100 {further:+.3f}"
        )


print("against uniform, 20 cells:")
said(made_up, "text", "text-raw", "random", "genre")
print("against uniform, 100 cells:")
said(large, "text", "text-raw", "random")

# %% [markdown]
# **What helps, and its price.** In the large world, negatives from text cells gain at the top of the list, and pay for it
# at a hundred. In the small world there is no clear difference from uniform negatives. Random cells gain nothing in either
# world, so it is the meaning of the cells that works, not the grouping.
#
# Without the correction (`text-raw`), the top of the list is no worse, but the loss at a hundred is several times as
# large. That model trains another loss, one that cares for the cell more than for the catalogue. So look at a list at
# more than one length before you praise it.
#
# ## Read the study: real ratings
#
# Now real people: the 490 users of MovieLens with 20 liked films or more, with their last five hidden, and all 9,742 films
# ranked. The arms are the same, except that `true` is missing, because nobody knows the true cells of people. (The
# intervals count the users as well as the seeds.)

# %% tags=["hide-input"]
Guess.of("11 real ratings")

# %% tags=["hide-input"]
real = compare_arms(results, "core", "movielens")
figure, text = arms_figure(real, "MovieLens")
show(figure, alt=text)

# %% tags=["hide-input"]
arms_as_table(real)

# %% tags=["claim", "hide-input"]
print("against uniform, real ratings:")
said(real, "text", "text-raw", "random", "genre", "uniform-4x")
popular = {row.arm: row.figures["popularity@10"][0] for row in real}
say(
    f"mean popularity of what is retrieved: uniform {popular['uniform']:.0f}, text {popular['text']:.0f}, "
    f"text without logQ {popular['text-raw']:.0f}, in-batch {popular['in-batch']:.0f}, "
    f"in-batch without logQ {popular['in-batch-raw']:.0f}"
)
by_arm = {row.arm: row.figures["recall@10"][0] for row in real}
forgotten = 1 - by_arm["in-batch-raw"] / by_arm["in-batch"]
in_batch, in_cells = (
    paired_difference(results, "movielens", (["core"], f"{arm}-raw"), (["core"], arm))
    for arm in ("in-batch", "text")
)
print(
    f"forgetting logQ: in the batch it costs {forgotten:.0%} of Recall@10 ({in_batch.verdict}), "
    f"with text cells {in_cells.verdict}"
)
assert 0.3 < forgotten < 0.5
watched = {
    title: course([history for row in rows if row.arm == "text" for history in row.history])
    for title, rows in (("simulated users", made_up), ("MovieLens", real))
}
blunt = course(
    [one["history"] for one in results.records("knob", task="simulated", arm="text", number=0)]
)
ends = {
    title: {kind: float(np.nanmean(kinds[kind]["outscores"][:, -1])) for kind in kinds}
    for title, kinds in watched.items()
}
at_0 = {kind: float(np.nanmean(blunt[kind]["outscores"][:, -1])) for kind in blunt}
for title, end in {**ends, "sharpness 0": at_0}.items():
    print(
        f"{title:15} outscored in the end by {end['same cell']:.1%} of the negatives of the cell, "
        f"{end['uniform']:.1%} of the uniform ones"
    )

# %% [markdown]
# In this study nothing beats uniform negatives, neither text cells nor four times the budget. What does help is the
# logQ correction for negatives from the batch and, further down the list, having negatives from outside the batch at all.
# Once you have both, *which* further negatives you draw hardly matters on these data, and for those from cells we saw no
# clear difference between correcting and not.
#
# The popularity column tests what the abstract claims in passing, that such negatives make the lists less dominated by
# popular films. Here they do not. What does is to take all negatives from the batch: a little with logQ, and much without
# it, at the price that you have just read. Forgetting it for negatives from the cells does the opposite: the lists become a little *more* popular.
#
# Could we have known beforehand? The last three lines compare what the negatives do, before any recall is measured, and
# the picture shows it by epoch for two of the worlds.

# %% tags=["hide-input"]
show(
    draw_course(watched),
    alt="Four panels by epoch. Share of negatives that outscore the positive in the last epoch: "
    + "; ".join(
        f"{title}: {end['same cell']:.1%} of the cell, {end['uniform']:.1%} uniform, "
        f"{end['in-batch']:.1%} of the batch"
        for title, end in ends.items()
    )
    + ". Below, how hard the loss pushes one negative of each kind.",
)

# %% [markdown]
# With simulated users, a negative from the cell competes, and the loss pushes it hardest. With real ratings it competes
# more rarely, and the loss pushes it least; the competition there comes from the batch. (Compare the kinds within a world,
# not one world with the other: a draw from one of 20 cells counts more than a draw from one of 100.)
#
# So negatives that do not compete cannot help much. But competing is not enough. At sharpness 0, the left end of the knob,
# the negatives of a cell outscore the positive most often of all, and they gained nothing: there, a film of the same cell
# *is* as good as the positive, and telling the two apart is nothing to learn. You can see beforehand whether negatives are
# hard. Whether they are worth the trouble, only recall can tell.
#
# **Try it.** Which films does a MovieLens user find hard to tell from the one that was liked: those with similar
# titles, or those that everybody has seen? (Look at the in-batch line, which follows popularity.)
#
# <details><summary>What to see</summary>
#
# Films of the batch are drawn as often as people watch them, so they are the popular ones, and they are what outscores
# the positive. What people watch is decided more by what everybody watches than by how similar two titles sound.
#
# </details>
#
# ## Search with more care
#
# Perhaps hard negatives only need better settings. So we gave them more trials, on validation films and never on the
# test films: fewer and more cells, another share of hard negatives, no warm-up, and cells refreshed after each epoch, in
# addition to the temperatures and learning rates that both rivals had tried before. That favours the hard negatives, so
# it is a test that they should pass.

# %% tags=["hide-input"]
tried = {
    title: {
        "uniform": search_trials(results, ["tune"], task, ["uniform"]),
        "hard": search_trials(
            results, ["tune", "search", "search-refreshed"], task, ["text", "learned"]
        ),
    }
    for title, task in (("simulated users", "simulated"), ("MovieLens", "movielens"))
}
show(
    draw_trials(
        {
            title: {
                rival: [(one.setting, one.figures["recall@10"]) for one in trials]
                for rival, trials in rivals.items()
            }
            for title, rivals in tried.items()
        },
        xlabel="Recall@10 on validation films",
    ),
    alt="One point for each trial, two rows in each of two panels. The best: "
    + "; ".join(
        f"{title}, {rival} {trials[0].figures['recall@10']:.3f} ({trials[0].setting})"
        for title, rivals in tried.items()
        for rival, trials in rivals.items()
    )
    + ".",
)

# %% [markdown]
# The ring marks the best of each row. For hard negatives it lies a little to the right, by less than the settings of one
# rival differ among themselves. But each point is a single seed, and the best of ten trials owes something to luck. So
# the winner of each data set goes to the test films, once, with ten seeds, next to the setting that we had before. The
# winners are a smaller share of hard negatives for simulated users, and fewer cells for MovieLens: *milder* negatives
# both times. Do you expect them to hold up?

# %% tags=["hide-input"]
Guess.of("11 winners")

# %% tags=["hide-input"]
compared = {}
for title, task, winner in (
    ("simulated users", "simulated", "winner"),
    ("MovieLens", "movielens", "winner-people"),
):
    of_uniform = (["core", winner], "uniform")
    compared[title] = {
        "setting of before, 3 seeds": paired_difference(
            results, task, (["core"], "text"), of_uniform
        ),
        "the same, 10 seeds": paired_difference(
            results, task, (["core", "more-seeds"], "text"), of_uniform
        ),
        "winner, 10 seeds": paired_difference(results, task, ([winner], "text"), of_uniform),
    }
show(
    draw_intervals(compared, xlabel="Recall@10, text minus uniform, 95% interval"),
    alt="Two panels on one scale, each with three differences in Recall at 10, text minus uniform, and "
    "their intervals. "
    + " ".join(
        f"{title}: " + "; ".join(f"{name} {interval}" for name, interval in panel.items()) + "."
        for title, panel in compared.items()
    ),
)

# %% tags=["hide-input"]
for title, panel in compared.items():
    for name, interval in panel.items():
        print(f"{title:16} {name:27} {interval.verdict}")
verdicts = {title: [one.verdict for one in panel.values()] for title, panel in compared.items()}
assert verdicts["simulated users"] == ["no clear difference", "better", "better"]
assert verdicts["MovieLens"] == ["no clear difference"] * 3

# %% [markdown]
# For simulated users, ten seeds show what three could not: hard negatives gain a little over uniform ones. The winner
# of the search gains as well, but look how far its interval overlaps with that of the earlier setting: all the extra
# trials have bought next to nothing. On MovieLens, neither setting differs clearly from uniform negatives, with ten
# seeds as with three.
#
# ## Pay in bytes
#
# The vector of an item has 32 numbers, which is 128 bytes. A product quantizer makes 8, 16 or 32 bytes of them. It can be
# fitted to the trained tower afterwards (`none`), or the last two epochs can train with it, either with a `penalty` on the
# distance to the code or with the snapped gradient of chapter 06 (`snap-pull`). The towers are those of the arm `text`;
# strengths were chosen on validation films, from two for each method.

# %% tags=["hide-input"]
coded = {
    title: code_table(results, task)
    for title, task in (("simulated users", "simulated"), ("MovieLens", "movielens"))
}
show(
    draw_codes(
        {
            title: {
                m: {size: one["recall@10"] for size, one in row.items()}
                for m, row in methods.items()
            }
            for title, methods in coded.items()
        }
    ),
    alt="Recall at 10 against bytes of an item, on a logarithmic axis, in two panels. "
    + " ".join(
        f"{title}: exact search {methods['none'][0]['recall@10'][0]:.3f}; at 8 bytes "
        + ", ".join(f"{method} {row[8]['recall@10'][0]:.3f}" for method, row in methods.items())
        + "."
        for title, methods in coded.items()
    ),
)

# %% tags=["hide-input"]
sizes_of_codes = (0, 8, 16, 32)
Table(
    [
        [title, NAMES[method], *(f"{row[n]['recall@10']:.3f}" if n in row else "" for n in sizes_of_codes)]
        for title, methods in coded.items()
        for method, row in methods.items()
    ],
    head=["users", "trained with", "exact vectors", *(f"{n} bytes" for n in sizes_of_codes[1:])],
)  # fmt: skip

# %% tags=["hide-input"]
at_8 = {}
for title, methods in coded.items():
    fitted = {size: one["recall@10"][0] for size, one in methods["none"].items()}
    kept_ = {size: value / fitted[0] for size, value in fitted.items() if size}
    say(
        f"{title}: of the exact Recall@10, a code that is fitted afterwards keeps "
        + ", ".join(f"{part:.0%} at {size} bytes" for size, part in kept_.items())
    )
    for method in (one for one in methods if one != "none"):
        gained = {size: one["recall@10"][0] - fitted[size] for size, one in methods[method].items()}
        say(
            f"    {NAMES[method]} against fitted: "
            + ", ".join(f"{gain:+.3f} at {size} bytes" for size, gain in gained.items())
        )
        at_8[title, method] = gained[8]
    assert min(kept_[16], kept_[32]) > 0.97
assert all(0 < gained < 0.006 for gained in at_8.values())
for title, part in (("simulated users", "codes"), ("MovieLens", "codes-people")):
    of_8 = {
        method: [
            one["codes"]["8"]["recall@10"]
            for one in results.records(part, method=method)
            if "8" in one["codes"]
        ]
        for method in coded[title]
    }
    for method in ("penalty", "snap-pull"):
        above = sum(a > b for a, b in zip(of_8[method], of_8["none"], strict=True))
        print(
            f"{title}, 8 bytes: {NAMES[method]} is above fitted in {above} of {len(of_8['none'])} seeds"
        )

# %% [markdown]
# With 8 bytes, training for the codes gives back a little of what the codes had cost, if you look at the means only.
# The seeds do not agree: with simulated users the snap is above `none` in one of three. So neither of the two wins, and
# three seeds are few. From 16 bytes on there is little left to win for anybody.
#
# Codes spoil the order at the very top first. A retrieval system therefore finds a hundred items or more by their codes
# and sorts these again with the exact vectors. And here the circle closes: a cell of a coarse quantizer *is* such a
# cluster (chapter 12), and the codes of the item tower are those of chapter 03, trained as in chapter 06.

# %% [markdown]
# ## The second claim: does it break the feedback loop?
#
# So far every model was judged once, on events that were there before it. A recommender in service makes its own
# events. What it shows can be clicked, what it does not show cannot, and tomorrow it learns from the clicks of today.
# If it prefers what is popular in its log, these films are shown more, clicked more, and become more popular in the log.
# This is a **feedback loop**.
#
# **What the paper claims.** Its abstract says that hard negatives from a language model's clusters break such loops and
# reduce popularity bias, and that they can be drawn in real time for billions of training examples at little cost.
#
# The claim has three parts: the loop, popularity bias, and the cost. We take them in turn, first in a small world whose
# true tastes are known, then on real ratings, and last with a stopwatch. What we found stands at the end.

# %% tags=["hide-input"]
from gsl_tutorial.course.plots.loop import draw_loop_log, draw_rounds, draw_scaling
from gsl_tutorial.course.two_tower import loop_log
from gsl_tutorial.course.two_tower.loop import LoopConfig, run_loop
from gsl_tutorial.course.two_tower.loop_grid import load_loop_grid
from gsl_tutorial.course.two_tower.loop_measures import distance
from gsl_tutorial.course.two_tower.loop_report import (
    MEASURES,
    difference,
    film_cells,
    loop_as_table,
    series,
    student_interval,
)
from gsl_tutorial.course.two_tower.loop_study import LoopResults
from gsl_tutorial.course.two_tower.loop_world import examination, make_world
from gsl_tutorial.course.widgets import FeedbackLoop
from gsl_tutorial.storage import read_json

# %% [markdown]
# ### A world with a known taste
#
# 150 simulated users, 520 films in six true cells. Each user likes two cells, and in them what is like a favourite
# film; some films appeal to everybody, and some cells have more friends than others. So every film has a **true
# popularity**: its share of all clicks if everybody looked at everything.
#
# Before the first round every user looks through 60 films drawn at random. Then come ten rounds. In each one two towers are
# trained from scratch on all clicks so far, and every user gets a list of ten films that he or she has not clicked yet.
# The first place is always looked at, the second half of the time, the third a third of the time, and so on: that
# is the **position effect**. A film that is looked at is clicked by the user's true taste. All arms have 15 negatives
# for each positive, five seeds, and the same users and coins; nothing was tuned for any one arm. You know most of the
# arms. `mixed` draws half of the negatives from outside the batch from the text cluster and half uniformly, `weighted`
# draws like `uniform` but counts a click less if its film was seen often. Two arms train nothing: the `oracle` knows every
# taste, and the `lottery` knows nothing.

# %% tags=["hide-input"]
Guess.of("11 ten rounds")

# %% [markdown]
# ### Let the loop run
#
# Watch it happen: here is the list of one user, round by round, beside the places that all films of the catalogue get.
# The oracle is the line to compare with. It is not even-handed either, because true tastes are not. The **Gini
# coefficient** below the picture says how unevenly the places in the lists are shared among the films: it is 0 if all are
# shown equally often, and close to 1 if a few take everything.

# %%
loops = LoopResults(load_loop_grid(), DATA / "results")
FeedbackLoop(
    [loops.records("core", arm=arm, seed=0)[0] for arm in loops.study.part("core").arms],
    film_cells(loops, load_items()),
    titles,
    arm=list(loops.study.part("core").arms).index("uniform"),
    round=10,
)

# %% [markdown]
# **Try it.**
#
# 1. Set `uniform` and round 1. How far is its curve from the oracle's, before any loop has begun? Then press *Play*: how
#    far does it move from there, and what becomes of the coverage in round 2?
# 2. Switch to `oracle`. Which way does its curve move, and why? (It never shows what a user has clicked before.)
# 3. Compare `text`, `random` and `weighted` in round 10. Which of them lies nearer to the oracle?
#
# <details><summary>What to see</summary>
#
# 1. The first model has learned from films that were drawn at random, and already its lists are far more uneven than the
#    oracle's. So that is the model's doing, not the loop's, and the curve hardly moves afterwards. What the loop does at
#    once is to narrow the catalogue: in round 2 far fewer films are shown to anybody than in round 1.
# 2. In the end it has moved towards the diagonal: favourites are used up, so it goes on to the next best. A recommender
#    that learned the taste would spread out, too.
# 3. `weighted` does. `text` and `random` are hard to tell from `uniform` with the naked eye.
#
# </details>
#
# One user is an anecdote. Here are all users and the mean of all seeds. In each cell the first number belongs to round 1
# and the second to round 10.

# %%
loop_as_table(loops, "core")

# %% [markdown]
# - **recall**: the share of a user's true best 20 films that the model ranks highest;
# - **gini**: the Gini coefficient of the places;
# - **head**: the share of places that goes to the tenth of the catalogue with the most clicks so far;
# - **coverage**: the share of the catalogue that is shown to anybody;
# - **distance** between the popularity in the log and the true one, as the share of clicks that would have to move;
# - **regret**: the clicks that a user misses in one round, compared with the best list that was still possible;
# - **variety**: the number of true cells in a list.
#
# And here is the way from the first round to the last; the bands are 95% intervals of the mean over five seeds.

# %%
shown_arms = ("oracle", "lottery", "in-batch-raw", "uniform", "text", "random", "weighted")
by_measure = {
    one: series(loops, one) for one in ("gini", "coverage", "distance", "head", "recall", "regret")
}


def ends(measure):
    """First and last round of the arms that are drawn, in words."""
    found = by_measure[measure]
    return f"{MEASURES[measure]}: " + ", ".join(
        f"{arm} {found[arm].mean[0]:.2f} to {found[arm].mean[-1]:.2f}" for arm in shown_arms
    )


show(
    draw_rounds(by_measure, shown_arms),
    alt="Six panels against the round, a line for each arm. From the first round to the last. "
    + "; ".join(ends(one) for one in by_measure)
    + ".",
    caption="The dotted black line is what true tastes alone would do. Look for arms that move away from it.",
)

# %% tags=["claim"]
print("the last three rounds, less those of uniform:")
for arm in ("in-batch-raw", "in-batch", "text", "text-raw", "mixed", "random", "genre", "weighted"):
    words = []
    for measure in ("gini", "coverage", "recall", "regret"):
        gap = difference(by_measure[measure][arm], by_measure[measure]["uniform"], last=3)
        words.append(f"{measure} {gap.difference:+.3f}{'*' if gap.excludes_zero else ' '}")
    print(f"   {arm:13}", "  ".join(words))
print("   * the 95% interval over seeds excludes zero")
for measure in ("gini", "coverage", "recall", "regret"):
    gap = difference(by_measure[measure]["text"], by_measure[measure]["random"], last=3)
    print(f"text less random: {measure:9} {gap}")

# %% [markdown]
# Two things have to be kept apart here. Already the first lists, learned from films drawn at random, are far more uneven
# than the oracle's: that is the *model*. What the *loop* adds comes after. In round 2 the coverage of `uniform` drops by a
# third, and later it comes back only a little; the share of the head rises from .72 to .94; and round after round the log
# drifts away from the true popularity, from .29 to .50. The lottery learns nothing and the oracle needs to learn nothing,
# and their logs do not drift.
#
# Do text clusters break it? Not here. In the last rounds their lists are about as uneven as those of uniform negatives,
# their recall is slightly lower, and random clusters of the same sizes do the same, within the noise. Drawn hard and not
# corrected (`text-raw`) they make the lists more uneven and the regret larger. The strong brake is to forget
# logQ (`in-batch-raw`). It punishes whatever is popular in the log, so that the lists spread out; but it punishes the
# deserving films with the lucky ones, and much of the recall is gone. The only arm that gains on both sides is `weighted`,
# which does not touch the negatives at all: it counts a click less if its film was seen often. Why that works is what the
# next exercises are about. (With eight arms and four columns, mind that a star or two may be luck.)
#
# ### One thing at a time
#
# Is it the position effect that drives the loop, or that nothing is ever tried? And do more clusters help? Here one
# setting is changed at a time: three places in ten are filled at random (`explore 0.3`), every place is looked at
# (`position 0`), or `text` draws from 48 clusters in place of 12. These have three seeds, so read them as hints.

# %% tags=["claim"]
compared = ("gini", "coverage", "distance", "recall", "regret")
print("in the last round:   " + "  ".join(f"{one:>8}" for one in compared))
for arm, parts in (("uniform", ("explore", "position")), ("text", ("cells",))):
    table = {"as above": {one: by_measure[one][arm] for one in compared}}
    for part in parts:
        ((name, value),) = loops.study.part(part).variants[0].items()
        table[f"{name} {value:g}"] = {one: series(loops, one, part=part)[arm] for one in compared}
    for what, row in table.items():
        words = "  ".join(f"{row[one].values[:3, -1].mean():8.2f}" for one in compared)
        print(f"{arm:8} {what:11}", words)

# %% [markdown]
# With these three seeds, a little exploration brings the log closer to the truth at about the same recall, for a little
# more regret. (That the lists become wider is no wonder, because a part of them is drawn at random.) Of the arms above,
# `in-batch-raw` brings the log closer still, but at the price of much recall. Without the position effect the lists stay
# about as uneven and the log drifts even further, so more is at work than the place where a film stands: presumably, that
# a film which is never shown can never be clicked. (Do not compare the regret of that row: there every place is looked
# at.) More clusters make no difference that three seeds could show.
#
# ## Find the loop in a log
#
# In the simulator we know the truth. In service there is only the log: who was shown what, at which place, and whether
# it was clicked. Clicks fall from place to place for two reasons that look alike: the films there are worse, and fewer
# people look. To tell them apart you need **randomised placement**: films that stand somewhere by chance are as good at
# the tenth place as at the first. So suppose that three places in ten are randomised. Here is such a log, of a
# recommender that knows the users well.

# %%
_, world_vectors, world_cells = first_cells(texts, 6)
many = make_world(
    world_vectors, world_cells["simulator"], {}, n_users=1000, sharpness=1.0, random_state=0
)
log = run_loop(many, LoopConfig(arm="oracle", explore=0.3)).log
log = log.take(log.round > 0)
print(
    f"{len(log):,} impressions, {log.clicked.sum():,} clicks, {log.randomised.mean():.0%} randomised"
)

# %% [markdown]
# The chance that a place is looked at is its **propensity**. Only its ratio to the first place can be found, and
# that is enough.
#
# **Exercise 11.5** (medium, 8 minutes). Estimate the propensity of each place from such a log.


# %% tags=["exercise"]
def place_propensity(rank, clicked, randomised, k):
    """(n,) places from 0, (n,) clicked or not, (n,) randomised or not, number of places -> (k,), first 1."""
    # BEGIN SOLUTION
    shown = np.bincount(rank[randomised], minlength=k)
    clicks = np.bincount(rank[randomised & clicked], minlength=k)
    rate = clicks / shown
    return rate / rate[0]
    # END SOLUTION


check.place_propensity(place_propensity)

# %%
hint("11.5")

# %%
truth = examination(10, 1.0)
found = loop_log.looks_by_rank(log, 10)
every = np.array([log.clicked[log.rank == place].mean() for place in range(10)])
figure = draw_loop_log(truth, found, every / every[0])
show(
    figure,
    alt="How often each of ten places is looked at, compared with the first. True: "
    + ", ".join(f"{one:.2f}" for one in truth)
    + ". Estimated from randomised places: "
    + ", ".join(f"{one:.2f}" for one in found)
    + ". Click rates of all films: "
    + ", ".join(f"{one:.2f}" for one in every / every[0])
    + ".",
    caption="The randomised places follow the true line, with noise; all films together stay a little below it.",
)

# %% [markdown]
# The randomised places find the rule of the simulator, with some noise, because their films are clicked rarely. The click rates of
# all films fall a little too fast, because the better films stand first. With a weaker recommender or a shorter list the
# difference can be larger.
#
# ## Correct it
#
# Now we can judge the films fairly. A film that was shown a thousand times at the tenth place has been looked at about a
# hundred times, so its clicks should be compared with these hundred looks.
#
# **Exercise 11.6** (medium, 8 minutes). How often is each film clicked once it is looked at? Every film of this log was
# shown at least once. (What should the answer be for one that was not? Not 0: nothing is known of it.)


# %% tags=["exercise"]
def clicks_per_look(item, rank, clicked, looks, n_items):
    """(n,) films, (n,) places, (n,) clicked or not, (k,) propensities, number of films -> (n_items,)."""
    # BEGIN SOLUTION
    seen = np.bincount(item, weights=looks[rank], minlength=n_items)
    clicks = np.bincount(item[clicked], minlength=n_items)
    return clicks / seen
    # END SOLUTION


check.clicks_per_look(clicks_per_look)

# %%
hint("11.6")

# %% tags=["claim"]
n_films = many.chance.shape[1]
at_random = log.take(log.randomised)
popularities = {
    "clicks": log.clicks(n_films),
    "clicks per look": loop_log.clicks_per_look(log, truth, n_films),
    "clicks per look, randomised only": loop_log.clicks_per_look(at_random, truth, n_films),
}
print("distance from the true popularity:")
for name, one in popularities.items():
    print(f"   {name:36} {distance(np.nan_to_num(one), many.popularity):.2f}")

# %% [markdown]
# Counting looks removes a good part of the distance. It cannot remove all of it, because a good recommender shows a film
# to those who like it, so that its looks are friendly ones. Randomised places are free of that bias, but there are so few
# of them that noise costs more than the bias did. This is the usual bargain: exploration buys unbiased data, and it is
# paid for with lists that are worse today.
#
# The arm `weighted` does just this inside the loop: it divides each click by the number of looks that its film has had so
# far. That costs one division for each film, and in our world the lists become less uneven for it.
#
# ## Look at real ratings once more
#
# People's ratings were not collected by our recommender, so they hold no loop of ours to break. But popularity bias can
# be measured: how popular is what an arm retrieves, and does it find the films in the tail? Here are the runs on
# MovieLens from above once more. We can also count the price: how often a negative is a film that the user liked before
# (the sampler leaves it out) or will like later (nothing can). A new run will differ a little, because these runs still
# ordered events of the same second by film number.

# %%
people = TwoTowerResults(load_grid(), DATA / "results")
by_arm = {
    arm: people.records("core", task="movielens", arm=arm)
    for arm in ("in-batch-raw", "in-batch", "uniform", "text", "text-raw", "random", "genre")
}
print(
    "arm            popularity  tail recall@50  coverage   against uniform: popularity, tail recall"
)
for arm, records in by_arm.items():
    means = [
        np.mean([one["figures"][key] for one in records])
        for key in ("popularity@10", "tail_recall@50", "coverage@10")
    ]
    gaps = [
        student_interval(
            np.array(
                [
                    a["figures"][key] - b["figures"][key]
                    for a, b in zip(records, by_arm["uniform"], strict=True)
                ]
            )
        )
        for key in ("popularity@10", "tail_recall@50")
    ]
    words = (
        ""
        if arm == "uniform"
        else f"{gaps[0].difference:+6.1f}{'*' if gaps[0].excludes_zero else ' '}"
    )
    words += (
        ""
        if arm == "uniform"
        else f"  {gaps[1].difference:+.4f}{'*' if gaps[1].excludes_zero else ' '}"
    )
    print(f"{arm:14} {means[0]:7.1f} {means[1]:14.3f} {means[2]:12.2f}     {words}")
    if arm == "text":
        assert not any(gap.excludes_zero for gap in gaps)
print("* the 95% interval over three seeds excludes zero")
liked = by_arm["text"][0]["false_negatives"]
assert 1.5 < liked["text"]["known"] / liked["uniform"]["known"] < 2.5
for source, rates in liked.items():
    print(
        f"a draw, {source:8} liked before {rates['known']:.1%}, will like later {rates['hidden']:.2%}"
    )

# %% [markdown]
# Text cells change neither the popularity of what is retrieved nor the recall of the tail. In-batch negatives do: with
# them alone the lists are less popular and the tail is found more often, most of all without logQ. The table further up
# says what that costs in recall. A negative from the positive's own cell is about twice as
# likely as a uniform one to be a film that the user likes. That is the price of being hard.
#
# ## Draw at size
#
# The third part of the claim is about cost. A draw from an inverted list is a lookup, whatever the size of the
# catalogue. The rival that people fear is the naive way to find hard negatives: score the whole catalogue for each
# positive and keep the best. We measured both, and uniform draws, from ten thousand to ten million items.

# %% tags=["claim"]
bench = read_json(DATA.parent / "benchmarks" / "results" / "negatives.json")
grown = bench["items_grow_by"]
print(
    f"a catalogue {grown:,} times as large: a draw from lists costs {bench['list_draw_grows_by']} times"
)
largest = bench["sizes"][-1]
print(
    f"with {largest['items']:,} items, scoring everything costs {largest['naive_over_list']:,} times a draw"
)
print(f"memory of the lists: {largest['list_mb_a_million']:.0f} MB for a million items")
refresh = bench["refresh"]
print(
    f"new cells for {refresh['items']:,} items: {refresh['cluster_and_assign_s']:.1f} s of the processor, "
    f"{refresh['batches_drawn_meanwhile']} batches drawn meanwhile"
)

# %%
sizes = [one["items"] for one in bench["sizes"]]
times = {
    "score everything": [one["naive_ms"] for one in bench["sizes"]],
    "inverted lists": [one["list_ms"] for one in bench["sizes"]],
    "uniform": [one["uniform_ms"] for one in bench["sizes"]],
}
show(
    draw_scaling(sizes, times),
    alt="Milliseconds for a batch of 256 positives with 8 negatives each, against the size of the catalogue, "
    "both on logarithmic axes. From the smallest to the largest: "
    + "; ".join(f"{name} {one[0]:g} to {one[-1]:g} ms" for name, one in times.items())
    + ".",
    caption=f"From {sizes[0]:,} to {sizes[-1]:,} items, scoring everything grows "
    f"{times['score everything'][-1] / times['score everything'][0]:,.0f}-fold and a draw from the lists "
    f"{times['inverted lists'][-1] / times['inverted lists'][0]:.1f}-fold.",
)

# %% [markdown]
# A draw from the lists becomes slower as they grow, though not even twofold; presumably the next lookup is no longer in the
# processor's cache. A uniform draw is cheaper still, by a factor of about ten at the largest size.
#
# Clusters age while the towers learn. So the package finds new ones in the background, on a sample first and then
# shard by shard, and exchanges the lists between two steps (`two_tower.refresh`). The step of the exchange is fixed
# beforehand, and the random numbers of a step are named by seed, process and step. So a training that was stopped, or
# that runs in several processes, draws the same negatives again. You can try this on our towers:
# `train_towers(data, config, refresh=50)`, with the arm `learned`, looks for new clusters behind the training and takes
# them up 50 steps later, so on one thread two runs end with the same weights, however busy the machine was.
#
# ## What is left of the claim
#
# **The loop.** In a small simulated world the model concentrates at once, and the loop drives its log away from the true
# tastes. Which negatives you draw changes that little: with text clusters the lists are about as uneven as with uniform
# negatives, and we saw no difference from random clusters of the same sizes. What helps without costing recall is to ask
# how often each film was *seen* before its clicks are counted.
#
# **Popularity bias.** On real ratings, text clusters change neither the popularity of what is retrieved nor the recall
# of rare films in a way that we could measure.
#
# **Cost.** This part holds: a draw from a catalogue of ten million films costs about twice one from ten thousand, and
# about 400,000 times less than scoring everything.
#
# **Where the claim may still hold.** Our simulated catalogue has 520 films, so that eight uniform negatives meet a
# positive's whole neighbourhood within an epoch. With millions of items they hardly ever do, and negatives of the same
# cluster may then be the only ones that compete. We cannot measure that here.
#
# ## What to remember
#
# - A few negatives can stand for a catalogue if each counts $1/Q$, and $Q$ adds up *all* ways in which it is drawn.
# - With the correction, hard and uniform negatives aim at the same loss, and the steadier estimate comes closer to it.
#   Without it they train another loss: the top of the list may gain while the rest of it loses.
# - Leave out the positive and the user's history. What the user will like later stays in, and that is the price.
# - Negatives that do not compete cannot help much, and you can watch that before any recall is measured. But competing is
#   not enough.
# - Compare on one budget, with the rival tuned as carefully, and with random cells as a control.
# - The log of a recommender that learns from its own lists drifts away from the true tastes. Compare its lists with an
#   oracle's, because true tastes concentrate, too.
# - Clicks say what was shown, seen and liked. Divide by the looks; and only randomised placement tells who looks.
#
# ## Quiz
#
# 1. You draw 8 uniform negatives and forget logQ. Every $Q$ is the same. Does it matter?
# 2. Random cells of the same sizes do as well as text cells. What have you learned?
# 3. A cell has two films. How often is the other one drawn, and what does the correction do to it?
# 4. A colleague shows Recall@10 of a model with hard negatives against a model with half as many negatives. What do
#    you ask for?
# 5. The sequel of a film has nearly the same text. Is it a good negative?
#
# <details><summary>Answers</summary>
#
# 1. A little. The same number is missing from all negatives, so they weigh less or more against the positive, but among
#    themselves they are treated alike. With in-batch negatives it matters much, because popular films are punished.
# 2. That the meaning of the cells does not help. The grouping, or the correction, may.
# 3. It is drawn every time. Its $Q$ is large, so it counts little: once on average, as all others do.
# 4. The same budget, more seeds, and the same care in tuning both.
# 5. Rarely, because whoever likes the film may well like the sequel. Our sampler leaves out items whose texts nearly
#    agree.
#
# </details>
#
# ## Further reading
#
# - *Real-Time Hard Negative Sampling via LLM-based Clustering for Large-Scale Two-Tower Retrieval*,
#   [arXiv 2607.00448](https://arxiv.org/abs/2607.00448), 2026: the idea; we had its abstract.
# - X. Yi and others, *Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations*, RecSys 2019:
#   in-batch negatives and logQ.
# - J. Yang and others, *Mixed Negative Sampling for Learning Two-tower Neural Networks in Recommendations*, WWW
#   2020: uniform ones beside them.
# - L. Xiong and others, *Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval*,
#   [arXiv 2007.00808](https://arxiv.org/abs/2007.00808), 2021, and S. Hofstätter and others,
#   [arXiv 2104.06967](https://arxiv.org/abs/2104.06967), 2021: batches from one cluster.
# - F. M. Harper and J. A. Konstan, *The MovieLens Datasets: History and Context*, ACM TiiS 5(4), 2015.
# - A. J. B. Chaney, B. M. Stewart and B. E. Engelhardt, *How Algorithmic Confounding in Recommendation Systems Increases
#   Homogeneity and Decreases Utility*, [arXiv 1710.11214](https://arxiv.org/abs/1710.11214), RecSys 2018: the loop.
# - T. Joachims, A. Swaminathan and T. Schnabel, *Unbiased Learning-to-Rank with Biased Feedback*,
#   [arXiv 1608.04468](https://arxiv.org/abs/1608.04468), WSDM 2017: propensities of places.
# - W. Krichene and S. Rendle, *On Sampled Metrics for Item Recommendation*, KDD 2020: why we rank the whole
#   catalogue.
