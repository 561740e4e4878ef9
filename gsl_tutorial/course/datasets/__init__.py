"""The data: points in the plane, digits, CIFAR-10; and the protocols that split them.

Every data set is a `Dataset` of four `Split`s of NumPy arrays. Nothing here imports torch.
"""

from __future__ import annotations

from gsl_tutorial.course.datasets.cifar10 import CLASS_NAMES, load_cifar10, read_cifar10
from gsl_tutorial.course.datasets.cifar10_files import (
    Cifar10Status,
    cache_folder,
    cifar10_status,
    find_cifar10,
)
from gsl_tutorial.course.datasets.digits import load_digits
from gsl_tutorial.course.datasets.download import fetch_cifar10, fetch_movielens
from gsl_tutorial.course.datasets.protocols import (
    PROTOCOLS,
    Protocol,
    ProtocolIndices,
    arrange,
    get_protocol,
    split,
)
from gsl_tutorial.course.datasets.splits import Dataset, Split, draw_per_class
from gsl_tutorial.course.datasets.toy import make_blobs_2d

__all__ = [
    "CLASS_NAMES",
    "PROTOCOLS",
    "Cifar10Status",
    "Dataset",
    "Protocol",
    "ProtocolIndices",
    "Split",
    "arrange",
    "cache_folder",
    "cifar10_status",
    "draw_per_class",
    "fetch_cifar10",
    "fetch_movielens",
    "find_cifar10",
    "get_protocol",
    "load_cifar10",
    "load_digits",
    "make_blobs_2d",
    "read_cifar10",
    "split",
]
