"""What the map says, in words: verdicts of intervals, and the answer to "when does it matter?".

Sentences are made of the findings, so that they stay true when more records come. Whichever way an
interval falls, it has its sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gsl_tutorial.course.study import law
from gsl_tutorial.course.study.elsewhere import TOPICS
from gsl_tutorial.course.study.map_file import Cell, Finding, MethodTable
from gsl_tutorial.course.study.map_report import equal_bits, sizes
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.evaluation.intervals import Interval

#: The same inside a sentence.
_IN_SENTENCES = {
    "none": "plain training",
    "penalty": "the penalty",
    "rotation": "the rotation trick",
    "soft": "soft assignment",
    "radius": "the radius update",
    "halfway": "the halfway pull",
    "pull-second": "a pull to the second nearest codeword",
    "pull-random": "a pull to a random codeword",
    "pull-near-descending": "a pull to the nearest codeword that descends",
    "pull-farthest": "a pull to the farthest codeword that descends",
}


def in_a_sentence(method: str) -> str:
    """The name of a method with the words that a sentence needs: "the penalty"."""
    return _IN_SENTENCES.get(method, named(method))


def size_of(cell: str) -> str:
    """A cell with a proper sign: "2 × 4"; a place with its quantizer: "OPQ 2 × 4"."""
    *quantizer, size = cell.split()
    return " ".join([name.upper() for name in quantizer] + [size.replace("x", " × ")])


def verdict(gain: Interval | None) -> str:
    """What an interval allows to say of the first method.

    Parameters
    ----------
    gain : Interval or None
        Of a difference.

    Returns
    -------
    str
        "wins", "ties", "loses", or "open" where there is no interval.

    Examples
    --------
    >>> verdict(Interval(0.1, 0.05, 0.15)), verdict(Interval(0.0, -0.1, 0.1)), verdict(None)
    ('wins', 'ties', 'open')
    """
    if gain is None:
        return "open"
    if not gain.excludes_zero:
        return "ties"
    return "wins" if gain.low > 0 else "loses"


def said(gain: Interval) -> str:
    """A difference and its interval: "+0.081 [+0.050, +0.112]"."""
    return f"{gain.difference:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


def answer(cell: Cell, method: str = "snap-pull", rival: str = "penalty") -> str:
    """One sentence for a cell: does `method` beat `rival` there?

    Parameters
    ----------
    cell : Cell
        Of the map.
    method, rival : str
        The question is whether the first beats the second.

    Returns
    -------
    str
    """
    one, other = in_a_sentence(method), in_a_sentence(rival)
    gain = cell.gain(method, rival)
    if gain is not None:
        words = {
            "wins": f"{one} beats {other}",
            "ties": f"no clear difference between {one} and {other}",
            "loses": f"{one} is beaten by {other}",
        }[verdict(gain)]
        return f"{words[0].upper()}{words[1:]}: the difference in ADC mAP is {said(gain)}."
    pair = [cell.findings.get(name) for name in (method, rival)]
    trials = [found.trial if found else None for found in pair]
    if trials[0] is None or trials[1] is None:
        return "Not decided: this cell has not been run yet."
    return (
        "Not decided yet: the test runs are still to come. On validation images, with one seed, the best "
        f"trial of {one} reached {trials[0]:.3f} and that of {other} {trials[1]:.3f}."
    )


def opening(table: MethodTable, method: str = "snap-pull", rival: str = "penalty") -> Cell:
    """The cell where the map opens: one where snapping does badly, so that nobody is shown a victory first.

    Parameters
    ----------
    table : MethodTable
        The map.
    method, rival : str
        See `answer`.

    Returns
    -------
    Cell
        Where `method` loses; else where it ties, with the smallest difference; else where it wins by
        least. While no cell has an interval, the first one with trials, or simply the first.
    """
    order = {"loses": 0, "ties": 1, "wins": 2}
    decided = [cell for cell in table.cells if cell.gain(method, rival) is not None]
    if decided:

        def hardest(cell: Cell) -> tuple[int, float]:
            gain = cell.gain(method, rival)
            return order[verdict(gain)], gain.difference if gain else 0.0

        return min(decided, key=hardest)
    started = [cell for cell in table.cells if cell.state != "not yet run"]
    return (started or list(table.cells))[0]


@dataclass(frozen=True)
class Answer:
    """A sentence of the map, and the intervals that it rests on.

    Attributes
    ----------
    sentence : str
        What readers see.
    cells : tuple of str
        Which cells it is about.
    of : str
        What the intervals are differences of; empty where there are none.
    gains : dict of str to Interval
        By place, all of them, not only the one that the sentence names.
    """

    sentence: str
    cells: tuple[str, ...]
    of: str = ""
    gains: Mapping[str, Interval] = field(default_factory=dict)


def when_it_matters(table: MethodTable) -> list[str]:
    """The answer of the map, one sentence and one number each: helps, ties, is beaten.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    list of str
        Sentences about all cells that have an interval; about what is missing, the last one.
    """
    return [one.sentence for one in answers(table)]


def answers(table: MethodTable) -> list[Answer]:
    """The sentences of `when_it_matters`, each with its intervals.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    list of Answer
    """
    gains = {c.name: gain for c in table.cells if (gain := c.gain()) is not None}
    found = []
    for kind, words in (
        ("wins", "Helps. Snap (pull) beats the best-tuned penalty"),
        ("ties", "Ties. Snap (pull) and the best-tuned penalty show no clear difference"),
        ("loses", "Is beaten by the penalty. Snap (pull) loses to the best-tuned penalty"),
    ):
        cells = {name: gain for name, gain in gains.items() if verdict(gain) == kind}
        if cells:
            far = max(cells, key=lambda name: abs(gains[name].difference))
            sentence = (
                f"{words} in {_of(len(cells), len(gains))} ({_list(cells)}); the largest difference, "
                f"at {size_of(far)}: {said(gains[far])}."
            )
        elif gains and kind != "ties":
            sentence, cells = f"{words} in no cell.", gains
        else:
            continue
        found.append(_answer(sentence, "snap (pull) less the penalty", cells))
    found += _against_plain_training(table)
    found += _beaten_by_others(table)
    found += _at_equal_bits(table)
    waiting = [cell for cell in table.cells if cell.name not in gains]
    if waiting:
        names = [cell.name for cell in waiting]
        found.append(
            Answer(
                f"Not decided yet: {_list(names)}, where the test runs are still to "
                f"come.{_of_trials(waiting)}",
                tuple(names),
            )
        )
    return found


def _answer(sentence: str, of: str, gains: Mapping[str, Interval]) -> Answer:
    by_place = {size_of(name): gain for name, gain in gains.items()}
    return Answer(sentence, tuple(gains), of, by_place)


def _of_trials(cells: list[Cell]) -> str:
    """What the trials of untested cells hint at."""
    pairs = {
        cell.name: (one.trial, other.trial)
        for cell in cells
        if (one := cell.findings.get("snap-pull")) and (other := cell.findings.get("penalty"))
    }
    known = {name: (a, b) for name, (a, b) in pairs.items() if a is not None and b is not None}
    if not known:
        return ""
    above = [name for name, (a, b) in known.items() if a > b]
    far = max(known, key=lambda name: abs(known[name][0] - known[name][1]))
    return (
        " On validation images, with one seed and so without an interval, the best trial of snap (pull) is "
        f"above that of the penalty in {_of(len(above), len(known))}; at {size_of(far)} they reach "
        f"{known[far][0]:.3f} and {known[far][1]:.3f}."
    )


def _against_plain_training(table: MethodTable) -> list[Answer]:
    """Where it pays to think of codes during training at all."""
    gains = {c.name: gain for c in table.cells if (gain := c.gain("snap-pull", "none")) is not None}
    if not gains:
        return []
    ahead = [name for name, gain in gains.items() if verdict(gain) == "wins"]
    behind = [name for name, gain in gains.items() if verdict(gain) == "loses"]
    if not ahead:
        line = f"Against plain training snap (pull) gains clearly in none of {len(gains)} cells"
    else:
        far = max(ahead, key=lambda name: gains[name].difference)
        line = (
            f"Against plain training snap (pull) gains clearly in {_of(len(ahead), len(gains))} "
            f"({_list(ahead)}); most at {size_of(far)}: {said(gains[far])}"
        )
    sentence = f"{line}, and loses in {_list(behind) or 'none'}."
    return [_answer(sentence, "snap (pull) less plain training", gains)]


def _beaten_by_others(table: MethodTable) -> list[Answer]:
    """Which other methods beat snap (pull), and where most clearly."""
    by_method: dict[str, dict[str, Interval]] = {}
    for cell in table.cells:
        for method in table.methods:
            found = cell.findings.get(method)
            gain = found.against.get("snap-pull") if found else None
            if gain is None or method in ("penalty", "none") or method.startswith("snap-"):
                continue
            by_method.setdefault(method, {})[cell.name] = gain
    worst = []
    for method, gains in by_method.items():
        ahead = {name: gain for name, gain in gains.items() if verdict(gain) == "wins"}
        if ahead:
            place = max(ahead, key=lambda name: ahead[name].difference)
            one = in_a_sentence(method)
            sentence = (
                f"Is beaten by {one}: most clearly at {size_of(place)}, by {said(ahead[place])}."
            )
            worst.append(_answer(sentence, f"{one} less snap (pull)", gains))
    if worst or not by_method:
        return worst
    gains = {
        f"{size_of(cell)}, {named(method)}": gain
        for method, some in by_method.items()
        for cell, gain in some.items()
    }
    cells = tuple(
        cell.name for cell in table.cells if any(cell.name in g for g in by_method.values())
    )
    sentence = "No other rival beats snap (pull) clearly in any cell."
    return [Answer(sentence, cells, "each rival less snap (pull)", gains)]


def _at_equal_bits(table: MethodTable) -> list[Answer]:
    """At each number of bits that several cells share: the best of their best means."""
    found = []
    for bits, names in equal_bits(cell.name for cell in table.cells).items():
        best = {name: best_of(table.cell(name)) for name in names}
        known = {
            name: one for name, one in best.items() if one is not None and one.mean is not None
        }
        if len(known) > 1:
            first = max(known, key=lambda name: known[name].mean or 0.0)
            others = ", ".join(
                f"{size_of(name)} reaches {one.mean:.3f} ({named(one.method)})"
                for name, one in known.items()
                if name != first
            )
            sentence = (
                f"At {bits} bits, the best mean is {known[first].mean:.3f}, with {size_of(first)} "
                f"codewords and {named(known[first].method)}; {others}."
            )
            found.append(Answer(sentence, tuple(known)))
    return found


def best_of(cell: Cell) -> Finding | None:
    """The method with the highest mean on test images in a cell, None where nothing was tested."""
    tested = [one for one in cell.findings.values() if one.mean is not None]
    return max(tested, key=lambda one: one.mean or 0.0, default=None)


def law_says(gains: tuple[law.Gain, ...], rival: str) -> list[str]:
    """Whether the gain grows as codewords become fewer than classes, as the fit says.

    Parameters
    ----------
    gains : tuple of Gain
        From the map.
    rival : str
        Over whom.

    Returns
    -------
    list of str
        A sentence for each number of subspaces.
    """
    lines = []
    for M in sorted({sizes(gain.cell)[0] for gain in gains}):
        some = [gain for gain in gains if sizes(gain.cell)[0] == M]
        head = f"{M} codebook{'s' if M > 1 else ''}, gain over {in_a_sentence(rival)}"
        if len({gain.cell for gain in some}) < 3:
            lines.append(f"{head}: fewer than three cells have run, too few to say.")
            continue
        fit = law.rank_correlation(some, "words_per_class")
        words = {
            "loses": "it grows as codewords become fewer than classes, as guessed",
            "wins": "the guess is refuted: it shrinks as codewords become fewer than classes",
            "ties": "the guess is not confirmed: no clear trend",
        }[verdict(fit)]
        lines.append(
            f"{head}: {words} (rank correlation with codewords per class {fit.difference:+.2f} "
            f"[{fit.low:+.2f}, {fit.high:+.2f}])."
        )
    return lines


def _of(n: int, total: int) -> str:
    return f"{n} of {total} cell{'s' if total > 1 else ''}"


def _list(cells: Iterable[str]) -> str:
    return ", ".join(size_of(cell) for cell in cells)


def sweep_says(table: MethodTable, *, within: float = 0.02) -> list[str]:
    """How much strength each method bears, a sentence for each cell.

    Parameters
    ----------
    table : MethodTable
        The map.
    within : float
        So far below its best mean a method counts as still good.

    Returns
    -------
    list of str
    """
    lines = []
    for cell, by_method in table.sweep.items():
        parts = []
        for method, points in by_method.items():
            means = {one.strength: sum(one.adc_map) / len(one.adc_map) for one in points}
            best = max(means, key=lambda strength: means[strength])
            good = [strength for strength, mean in means.items() if mean >= means[best] - within]
            parts.append(
                f"{in_a_sentence(method)} is best at strength {best:g} ({means[best]:.3f}) and stays "
                f"within {within:g} of that from {min(good):g} to {max(good):g}"
            )
        lines.append(f"{size_of(cell)}: {'; '.join(parts)}.")
    if table.sweep_trials:
        lines.append(
            f"{_list(table.sweep_trials)}: these are the trials of the tuning stage, with one seed."
        )
    return lines or ["No strengths have been run yet."]


def circle_says(table: MethodTable) -> list[str]:
    """What eight seeds on the circle say of every method.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    list of str
    """
    rows = {method: one for method, one in table.circle.items() if one.adc_map}
    if not rows:
        return ["The circle has not been run yet: gsl-tutorial study circle."]
    order = sorted(rows, key=lambda method: -(rows[method].mean or 0.0))
    lines = [
        "Mean ADC mAP, highest first: "
        + ", ".join(f"{named(method)} {rows[method].mean:.2f}" for method in order)
        + "."
    ]
    for rival in ("penalty", "none"):
        if {rival, "snap-pull"} <= set(rows):
            one, other = (
                dict(zip(rows[m].seeds, rows[m].adc_map, strict=True)) for m in ("snap-pull", rival)
            )
            seeds = sorted(set(one) & set(other))
            above = sum(one[seed] > other[seed] for seed in seeds)
            lines.append(
                f"Snap (pull) is above {in_a_sentence(rival)} in {above} of {len(seeds)} seeds."
            )
    return lines


def rounds_say(table: MethodTable) -> list[str]:
    """What the rounds of a training say, a sentence for each cell.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    list of str
    """
    lines = []
    for cell, by_method in table.rounds.items():
        parts = [
            f"{in_a_sentence(method)}: {sum(one['moved']) / len(one['moved']):.0%} a round changed "
            f"their cell, purity at the end {one['purity'][-1]:.0%}, uphill at most "
            f"{max(one['uphill']):.0%}"
            for method, one in by_method.items()
        ]
        lines.append(f"{size_of(cell)}: {'; '.join(parts)}.")
    return lines


def elsewhere_says(table: MethodTable, topics: Sequence[str] | None = None) -> list[str]:
    """A sentence for each topic and rival: in how many places the method is ahead, level or behind.

    Parameters
    ----------
    table : MethodTable
        The map.
    topics : sequence of str, optional
        Keys of `elsewhere.TOPICS`; all by default.

    Returns
    -------
    list of str
        Topics without a run yet are named at the end.
    """
    wanted = list(TOPICS) if topics is None else list(topics)
    lines = []
    for name in wanted:
        topic, places = TOPICS[name], table.elsewhere.get(name, {})
        for rival in topic.rivals:
            gains = {place: rivals[rival] for place, rivals in places.items() if rival in rivals}
            if gains:
                told = ", ".join(f"{size_of(place)} {said(one)}" for place, one in gains.items())
                one, other = in_a_sentence(topic.method), in_a_sentence(rival)
                lines.append(f"{topic.title}: {one} less {other}: {told}. {_counted(gains)}")
    waiting = dict.fromkeys(TOPICS[name].title for name in wanted if name not in table.elsewhere)
    return lines + ([f"Not run yet: {'; '.join(waiting)}."] if waiting else [])


def _counted(gains: Mapping[str, Interval]) -> str:
    words = {"wins": "ahead", "ties": "level", "loses": "behind"}
    kinds = [words[verdict(gain)] for gain in gains.values()]
    if len(set(kinds)) == 1:
        return f"Clearly {kinds[0]}." if kinds[0] != "level" else "No clear difference."
    return (
        "; ".join(
            f"{'no clear difference' if kind == 'level' else f'clearly {kind}'} in {kinds.count(kind)}"
            for kind in words.values()
            if kind in kinds
        ).capitalize()
        + "."
    )
