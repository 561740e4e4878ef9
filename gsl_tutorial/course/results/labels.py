"""The labels of a whole data set, without its images where that is possible.

A split needs nothing but labels. Those of CIFAR-10 stand beside the shipped embeddings, and, where
these are not at hand, in the batches; either are compared with one checksum before they are used.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from gsl_tutorial.course.datasets import load_digits, read_cifar10
from gsl_tutorial.course.datasets.split_file import label_checksum
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.errors import ChecksumError
from gsl_tutorial.storage import load_arrays

#: Embeddings under P2, whose database are the training batches and whose queries the test batch.
SHIPPED = DATA / "cifar10-p2-32bit" / "embeddings.safetensors"
#: SHA-256 of the 60,000 labels of CIFAR-10, training batches first (`splitfile.label_checksum`).
CIFAR10_SHA256 = "5083e6dd0895f94970ae8513f046bf3004b333931aad82b619d23ab76f2e1845"


def labels_of(protocol: str) -> Int[np.ndarray, " n"]:
    """All labels that a protocol splits, in the official order: the digits', or CIFAR-10's.

    Raises `ChecksumError` when they are others than the published ones.
    """
    if protocol == "digits":
        data = load_digits()
        labels = np.empty(len(data.query) + len(data.database), dtype=np.int64)
        for part in (data.query, data.database):
            labels[part.indices] = part.labels
        return labels
    if SHIPPED.exists():
        arrays, _ = load_arrays(SHIPPED)
        labels = np.concatenate([arrays["database.labels"], arrays["query.labels"]])
        labels = labels.astype(np.int64)
    else:
        labels = read_cifar10()[1]
    if (found := label_checksum(labels)) != CIFAR10_SHA256:
        raise ChecksumError(
            f"the labels of CIFAR-10, SHA-256 {CIFAR10_SHA256}", found, "fetch the data again"
        )
    return labels
