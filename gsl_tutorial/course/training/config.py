"""What a run was asked for: every setting that decides its weights, checked where it is named.

A configuration is frozen and compares by value; `to_dict` and `from_dict` take it through JSON, so that
a run folder can say in which settings it differs from what is asked now.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from gsl_tutorial.course.training.losses import SIMILARITIES
from gsl_tutorial.course.training.methods import MethodOptions, method_name
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    Quantizer,
    ResidualQuantizer,
)
from gsl_tutorial.validation import check_count, check_name, check_size

#: Data sets and the protocols that split them, the default first.
DATASETS = {
    "cifar10": ("P2", "validation", "P0", "P1a", "P1b", "unseen"),
    "digits": ("digits", "validation"),
    "cifar100": ("P2", "validation", "unseen"),
}
QUANTIZERS: dict[str, Callable[..., Quantizer]] = {
    "pq": ProductQuantizer,
    "opq": OptimizedProductQuantizer,
    "rq": ResidualQuantizer,
    "lsq": AdditiveQuantizer,
}


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train, and with which network.

    A round is `epochs` passes over the training images and then one refit of the codebooks.

    Parameters
    ----------
    rounds : int
        How many.
    epochs : int
        Passes over the training images in each round.
    batch_size : int
        Images in a step.
    learning_rate : float
        The highest rate of the run; `optimizer.triangle` says when it is reached.
    warmup_rounds : int
        Rounds at the beginning in which the similarity loss works alone.
    momentum : float
        Of the steps, in Nesterov's way.
    weight_decay : float
        As in `torch.optim.SGD`.
    bias_step : float
        The step of biases, in units of the learning rate.
    label_smoothing : float
        For the cross-entropy.
    encoder : str
        One of `ENCODERS`; empty for the data set's own.
    precision : str
        "float32", or "bfloat16" for the convolutions of the encoder.
    refit_sample : int
        Images on which the codebooks are refitted; after the last round it is all of them.
    average_every : int
        Steps between two updates of the average of the weights; 0: no average.
    erase : int
        Side of a square erased from each training image, in pixels; 0: none.
    mirror : bool
        Embed a picture together with its mirror image when training is over.
    """

    rounds: int
    epochs: int
    batch_size: int
    learning_rate: float
    warmup_rounds: int = 1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    bias_step: float = 1.0
    label_smoothing: float = 0.1
    encoder: str = ""
    precision: str = "float32"
    refit_sample: int = 10_000
    average_every: int = 0
    erase: int = 0
    mirror: bool = False


# Most of it is K. Jordan's cifar10-airbench (2024), in units of a mean loss and batches of 250; chosen
# on validation images with a smaller network.
_FULL = Schedule(
    rounds=18,
    epochs=1,
    batch_size=250,
    learning_rate=0.37,
    warmup_rounds=14,
    momentum=0.85,
    weight_decay=1.33e-3,
    bias_step=64.0,
    encoder="conv-wide",
    precision="bfloat16",
    average_every=20,
    mirror=True,
)

#: Profiles by dataset: "quick" is a lab's patience, "study" half a minute on a fifth of the images,
#: "full" an hour of two cores, "few" as many steps on the 5,000 images of P1a, "gpu" for a GPU.
PROFILES: dict[str, dict[str, Schedule]] = {
    "cifar10": {
        "quick": Schedule(rounds=9, epochs=1, batch_size=500, learning_rate=0.4),
        "study": Schedule(
            rounds=9,
            epochs=1,
            batch_size=125,
            learning_rate=0.4,
            encoder="conv-small",
            precision="bfloat16",
            refit_sample=2_500,
        ),
        "full": _FULL,
        "few": replace(_FULL, epochs=4, erase=12),
        "gpu": replace(
            _FULL, rounds=40, warmup_rounds=30, encoder="conv-large", refit_sample=50_000
        ),
    },
    # 200 images of each of a hundred classes, twice as many as the study sees of ten: as many epochs, so
    # that each class is seen a fifth as often; it is underfitted, and the study says so.
    "cifar100": {
        "study": Schedule(
            rounds=9,
            epochs=1,
            batch_size=125,
            learning_rate=0.4,
            encoder="conv-small",
            precision="bfloat16",
            refit_sample=2_500,
        )
    },
    "digits": {
        "quick": Schedule(
            rounds=10,
            epochs=3,
            batch_size=64,
            learning_rate=0.1,
            label_smoothing=0.0,
        )
    },
}


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides the weights of a run, and nothing else.

    Parameters
    ----------
    dataset : str
        One of `DATASETS`.
    quantizer : str
        One of `QUANTIZERS`.
    bits : int
        Length of a code: M log2 K.
    n_codewords : int
        K, codewords in each codebook: a power of two.
    method : str
        One of `METHODS`; an older name is replaced by the one of today.
    loss : str
        One of `SIMILARITIES`.
    profile : str
        One of `PROFILES` of the data set.
    seed : int
        Of weights, batches and codebooks, from 0 to 2^32 - 1.
    protocol : str
        Whose training images are used; empty means the data set's first ("P2", "digits").
    dim : int
        Length of an embedding; for "pq" and "opq" a multiple of M.
    learning_rate : float
        Instead of the profile's; 0 keeps it.
    options : MethodOptions
        What the method is told.

    Raises
    ------
    InvalidInputError, UnknownNameError
        When built from values that cannot work.
    """

    dataset: str = "digits"
    quantizer: str = "pq"
    bits: int = 32
    n_codewords: int = 256
    method: str = "snap-pull"
    loss: str = "cross-entropy"
    profile: str = "quick"
    seed: int = 0
    protocol: str = ""
    dim: int = 32
    learning_rate: float = 0.0
    options: MethodOptions = field(default_factory=MethodOptions)

    def __post_init__(self) -> None:
        check_name("dataset", self.dataset, DATASETS)
        if not self.protocol:
            object.__setattr__(self, "protocol", DATASETS[self.dataset][0])
        check_protocol(self.dataset, self.protocol)
        check_name("quantizer", self.quantizer, QUANTIZERS)
        object.__setattr__(self, "method", method_name(self.method))
        check_name("loss", self.loss, SIMILARITIES)
        check_name("profile", self.profile, PROFILES[self.dataset])
        check_count(self.bits, name="bits", low=1)
        check_count(self.seed, name="seed", low=0, high=2**32 - 1)
        check_count(self.dim, name="dim", low=1)
        check_size(self.learning_rate, name="learning_rate")
        check_count(self.n_codewords, name="n_codewords", low=2, high=65536)
        each = math.log2(self.n_codewords)
        cuts = self.quantizer in ("pq", "opq")  # the others add whole codewords
        if not each.is_integer() or self.bits % each or (cuts and self.dim % self.n_subspaces):
            raise InvalidInputError(
                f"bits = M log2 K with K = {self.n_codewords} and M a divisor of {self.dim}, the "
                "length of an embedding",
                f"bits = {self.bits}",
                "choose bits among 8, 16, 32, 64 for 256 codewords, or change n_codewords",
            )

    @property
    def n_subspaces(self) -> int:
        """M, the number of codewords that a code names."""
        return int(self.bits // math.log2(self.n_codewords))

    @property
    def schedule(self) -> Schedule:
        """The profile's, with the learning rate of this configuration."""
        profile = PROFILES[self.dataset][self.profile]
        return replace(profile, learning_rate=self.learning_rate or profile.learning_rate)

    @property
    def encoder(self) -> str:
        """The name of the network: the schedule's, or else the data set's own."""
        return self.schedule.encoder or ("digits" if self.dataset == "digits" else "conv")

    def new_quantizer(self) -> Quantizer:
        """The quantizer that is asked for, not fitted yet."""
        kind = QUANTIZERS[self.quantizer]
        return kind(self.n_subspaces, self.n_codewords, random_state=self.seed)

    def to_dict(self) -> dict[str, Any]:
        """All settings, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """Take back what `to_dict` gave.

        Parameters
        ----------
        values : dict
            Settings by name, those of the method under "options"; a missing one keeps its default.

        Returns
        -------
        TrainingConfig

        Raises
        ------
        InvalidInputError, UnknownNameError
            For unknown settings, and for values that cannot work.
        """
        options = _known_settings(cls, values).get("options", {})
        return cls(
            **{**values, "options": MethodOptions(**_known_settings(MethodOptions, options))}
        )

    def difference(self, other: TrainingConfig) -> str:
        """Name the settings in which two configurations differ."""
        mine, theirs = _flat(self.to_dict()), _flat(other.to_dict())
        return ", ".join(
            f"{key}={theirs.get(key)!r} instead of {value!r}"
            for key, value in mine.items()
            if theirs.get(key) != value
        )


def check_protocol(dataset: str, protocol: str) -> None:
    """Refuse a protocol that the data set does not have.

    Parameters
    ----------
    dataset : str
        One of `DATASETS`.
    protocol : str
        What was asked for.

    Raises
    ------
    InvalidInputError
        When the data set has no such protocol.
    """
    known = DATASETS[dataset]
    if protocol not in known:
        raise InvalidInputError(
            f"a protocol of the data set {dataset}: one of {', '.join(known)}",
            f"{protocol!r}",
            "choose one of these, or another data set",
        )


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    return {**{k: v for k, v in values.items() if k != "options"}, **values["options"]}


def _known_settings(kind: type[Any], values: Any) -> dict[str, Any]:
    known = {f.name for f in fields(kind)}
    is_mapping = isinstance(values, dict)
    if not is_mapping or (extra := sorted(set(values) - known)):
        raise InvalidInputError(
            f"the settings {', '.join(sorted(known))}",
            f"unknown {', '.join(extra)}" if is_mapping else f"{values!r}",
            "use the version of this package that made the run",
        )
    return values
