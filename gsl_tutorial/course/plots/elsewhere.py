"""The map's question under other conditions: one picture with its sentences for each topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gsl_tutorial.course.plots.folded import show_folded
from gsl_tutorial.course.plots.seed_dots import draw_differences
from gsl_tutorial.course.plots.style import show
from gsl_tutorial.course.printing import say, wrapped
from gsl_tutorial.course.study.elsewhere import COMMAND, TOPICS
from gsl_tutorial.course.study.map_file import MethodTable
from gsl_tutorial.course.study.map_words import elsewhere_says, in_a_sentence, size_of
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.intervals import Interval


def panels(table: MethodTable, *topics: str) -> dict[str, Mapping[str, Interval]]:
    """A panel for each place of the topics.

    Parameters
    ----------
    table : MethodTable
        The map.
    *topics : str
        Keys of `elsewhere.TOPICS`. Where there are several, a title names its topic.

    Returns
    -------
    dict of str to mapping of str to Interval
        Title -> rival -> difference.

    Raises
    ------
    InvalidInputError
        No such topic, or none of them has a finished run.
    """
    if unknown := sorted(set(topics) - set(TOPICS)):
        raise InvalidInputError(
            f"topics out of {', '.join(TOPICS)}", ", ".join(unknown), "name one of these"
        )
    found = {}
    for topic in topics:
        above = f"{TOPICS[topic].title}\n" if len(topics) > 1 else ""
        for place, rivals in table.elsewhere.get(topic, {}).items():
            found[above + size_of(place)] = rivals
    if not found:
        raise InvalidInputError(
            "topics with finished runs",
            ", ".join(topics) or "none",
            f"run their study, then {COMMAND}",
        )
    return found


def show_elsewhere(
    table: MethodTable, *topics: str, also: Sequence[str] = (), folded: bool = False
) -> None:
    """Draw what a method gains over its rivals in every place of the topics, and say each difference.

    Parameters
    ----------
    table : MethodTable
        The map.
    *topics : str
        Keys of `elsewhere.TOPICS`, all of which ask about the same method.
    also : sequence of str
        Topics that are said and not drawn, such as how the rivals compare with one another.
    folded : bool
        Whether the sentences hide behind a line until it is pressed.

    Raises
    ------
    InvalidInputError
        No such topic, none of them has a finished run, or they are about different methods.
    """
    found = panels(table, *topics)
    methods = {TOPICS[topic].method for topic in topics}
    if len(methods) > 1:
        raise InvalidInputError(
            "topics about one method", " and ".join(sorted(methods)), "draw them one by one"
        )
    (method,) = methods
    rivals = dict.fromkeys(rival for row in found.values() for rival in row)
    where = f"{len(found)} panels: " + "; ".join(title.replace("\n", ", ") for title in found)
    show(
        draw_differences(found, xlabel=f"ADC mAP of {named(method)} less that of the method"),
        alt=f"What {in_a_sentence(method)} gains over {', '.join(map(in_a_sentence, rivals))}, "
        f"with intervals, in {where}. The sentences below say each difference.",
        dpi=80,
    )
    lines = elsewhere_says(table, [*topics, *also])
    if folded:
        show_folded("Every difference in words", wrapped("\n".join(lines)))
    else:
        for line in lines:
            say(line)
