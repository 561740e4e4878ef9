"""The losses: what pulls an embedding to its codeword, and what brings equal labels together.

Similarity losses share one signature, `(z, labels) -> loss`, so that the trainer and the probe of the
gradient's bias can call any of them. Their formulas come from pytorch-metric-learning; only the
cross-entropy with normalised weights is spelled out here, because the classifier behind it is also what
the trivial code (the argmax) comes from.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from gsl_tutorial.validation import check_name

#: (z (N, dim), labels (N,)) -> the mean loss of a batch.
SimilarityLoss = Callable[[Float[Tensor, "N dim"], Int[Tensor, " N"]], Float[Tensor, ""]]
#: z (N, dim) -> logits (N, classes); only cross-entropy needs one.
Classifier = Callable[[Float[Tensor, "N dim"]], Float[Tensor, "N classes"]]


def quantization_penalty(
    z: Float[Tensor, "N dim"], reconstruction: Float[Tensor, "N dim"]
) -> Float[Tensor, ""]:
    """Mean squared distance from the embeddings to their reconstructions, summed over dim.

    The reconstruction is a constant: no gradient flows into the codebooks. The gradient with
    respect to z is 2 (z - q(z)) / N: towards the nearest codeword, whatever the similarity loss
    says.

    Parameters
    ----------
    z : (N, dim) tensor
        Embeddings.
    reconstruction : (N, dim) tensor
        q(z).

    Returns
    -------
    tensor without axes

    Examples
    --------
    >>> import torch
    >>> float(quantization_penalty(torch.ones(3, 2), torch.zeros(3, 2)))
    2.0
    """
    return (z - reconstruction.detach()).square().sum(1).mean()


def _cross_entropy(classifier: Classifier, label_smoothing: float) -> SimilarityLoss:
    # Weights of unit length leave only the angle to learn (Wang et al. 2017, NormFace).
    def loss(z: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(classifier(z), labels, label_smoothing=label_smoothing)

    return loss


def _supervised_contrastive(classifier: Classifier, label_smoothing: float) -> SimilarityLoss:
    # Khosla et al. 2020, arXiv 2004.11362; their temperature.
    from pytorch_metric_learning.losses import SupConLoss

    loss: SimilarityLoss = SupConLoss(temperature=0.1)
    return loss


def _triplet(classifier: Classifier, label_smoothing: float) -> SimilarityLoss:
    # Schroff et al. 2015 (FaceNet): all triplets that violate the margin but are not the hardest.
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.miners import TripletMarginMiner

    miner = TripletMarginMiner(margin=0.2, type_of_triplets="semihard")
    triplet = TripletMarginLoss(margin=0.2)

    def loss(z: Tensor, labels: Tensor) -> Tensor:
        found: Tensor = triplet(z, labels, miner(z.detach(), labels))
        return found

    return loss


SIMILARITIES: dict[str, Callable[[Classifier, float], SimilarityLoss]] = {
    "cross-entropy": _cross_entropy,
    "supervised-contrastive": _supervised_contrastive,
    "triplet": _triplet,
}


def similarity_loss(
    name: str, classifier: Classifier, *, label_smoothing: float = 0.0
) -> SimilarityLoss:
    """The similarity loss of that name.

    The classifier and the label smoothing serve cross-entropy only. The others compare the
    embeddings of a batch with each other, by cosine (supervised contrastive) or Euclidean distance
    (triplet).

    Parameters
    ----------
    name : str
        One of `SIMILARITIES`.
    classifier : callable
        From (N, dim) embeddings to (N, classes) logits.
    label_smoothing : float
        The share of each label that is spread over all classes, from 0 to 1.

    Returns
    -------
    callable
        (z, labels) -> the mean loss of a batch.

    Raises
    ------
    UnknownNameError
        With the list of known ones.
    """
    return SIMILARITIES[check_name("loss", name, SIMILARITIES)](classifier, label_smoothing)
