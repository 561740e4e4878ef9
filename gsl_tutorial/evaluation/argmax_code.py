"""The trivial code in closed form: what mAP a classifier's answer reaches as a code of its own.

Items of the predicted class come first, all tied, then all others, all tied. With C classes of equal
size whose mistakes fall evenly on the other classes, two numbers say everything: the share of queries
and the share of database items that the classifier gets right. Ties are averaged over all orders
(`ties`), and the database is taken as large, so that sums over ranks become integrals.
"""

from __future__ import annotations

import math
from numbers import Real

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count


def trivial_map(accuracy: float, database_accuracy: float | None = None, *, C: int = 10) -> float:
    """Expected mAP@all of the argmax code: ties exact, denominator the number of relevant items.

    Parameters
    ----------
    accuracy
        Share of the queries that are classified right, from 0 to 1.
    database_accuracy
        That of the database; None: the same. Where the database is the training set it is close
        to 1.
    C
        Number of classes, all of equal size.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    InvalidInputError
        For shares outside 0 to 1 and for fewer than two classes.

    Examples
    --------
    >>> [round(trivial_map(a), 3) for a in (0.6, 0.8, 0.94)]
    [0.296, 0.564, 0.849]
    >>> round(trivial_map(0.94, 1.0), 3)
    0.945
    """
    C = check_count(C, name="C, the number of classes,", low=2)
    database_accuracy = accuracy if database_accuracy is None else database_accuracy
    for value in (accuracy, database_accuracy):
        if not isinstance(value, Real) or not 0 <= value <= 1:
            raise InvalidInputError("an accuracy from 0 to 1", f"{value!r}", "divide by 100?")
    wrong = (1 - database_accuracy) / (C - 1)
    return accuracy * _two_groups(database_accuracy, C) + (1 - accuracy) * _two_groups(wrong, C)


def _two_groups(first: float, C: int) -> float:
    """Average precision when a share `first` of the first 1/C of the items is relevant, then the rest.

    Inside the first group the precision is `first` at every rank. In the second, at t items of a class
    behind its start, it is (first + rest t) / (1 + t); the integral to C - 1 has a closed form.
    """
    rest = (1 - first) / (C - 1)
    return first**2 + rest * ((first - rest) * math.log(C) + (C - 1) * rest)
