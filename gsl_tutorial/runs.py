"""A run: what was asked for (`TrainingConfig`), what came out (`TrainedModel`), and its folder.

    config.json            what was asked for
    checkpoint.safetensors state after the last finished round, to resume from
    model.safetensors      encoder, classifier and codebooks of the finished run
    history.json           one record for each round

Files are replaced as a whole, so an interrupted run leaves the last finished round usable.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gsl_tutorial.encoders import CosineClassifier, build_encoder
from gsl_tutorial.errors import DataMissingError, InvalidInputError, RunMismatchError
from gsl_tutorial.losses import METHODS, MethodOptions
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.storage import load_arrays, read_json, save_arrays, write_json
from gsl_tutorial.validation import check_count, check_name

#: Data sets and the protocols that split them, the default first.
DATASETS = {"cifar10": ("P2", "validation", "P0", "P1a", "P1b", "unseen"), "digits": ("digits",)}
QUANTIZERS = {"pq": ProductQuantizer}


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train; a round is `epochs` passes and one refit of the codebooks."""

    rounds: int
    epochs: int
    batch_size: int
    learning_rate: float
    warmup_rounds: int = 1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1


#: Profiles by dataset: "quick" is a lab's patience.
PROFILES: dict[str, dict[str, Schedule]] = {
    "cifar10": {"quick": Schedule(rounds=9, epochs=1, batch_size=500, learning_rate=0.4)},
    "digits": {
        "quick": Schedule(
            rounds=10, epochs=3, batch_size=64, learning_rate=0.1, label_smoothing=0.0
        )
    },
}


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides the weights of a run, and nothing else.

    protocol: whose training images are used; empty means the data set's first ("P2", "digits").
    Raises `InvalidInputError` / `UnknownNameError` when built from values that cannot work.
    """

    dataset: str = "digits"
    quantizer: str = "pq"
    bits: int = 32
    n_codewords: int = 256
    method: str = "snap"
    profile: str = "quick"
    seed: int = 0
    protocol: str = ""
    dim: int = 32
    options: MethodOptions = field(default_factory=MethodOptions)

    def __post_init__(self) -> None:
        check_name("dataset", self.dataset, DATASETS)
        if not self.protocol:
            object.__setattr__(self, "protocol", DATASETS[self.dataset][0])
        check_name(f"protocol of {self.dataset}", self.protocol, DATASETS[self.dataset])
        check_name("quantizer", self.quantizer, QUANTIZERS)
        check_name("method", self.method, METHODS)
        check_name("profile", self.profile, PROFILES[self.dataset])
        check_count(self.bits, name="bits", low=1)
        check_count(self.seed, name="seed", low=0)
        check_count(self.n_codewords, name="n_codewords", low=2, high=65536)
        each = math.log2(self.n_codewords)
        if not each.is_integer() or self.bits % each or self.dim % self.n_subspaces:
            raise InvalidInputError(
                f"bits = M log2 K with K = {self.n_codewords} and M a divisor of {self.dim}",
                f"bits = {self.bits}",
                "choose bits among 8, 16, 32, 64 for 256 codewords, or change n_codewords",
            )

    @property
    def n_subspaces(self) -> int:
        return int(self.bits // math.log2(self.n_codewords))

    @property
    def schedule(self) -> Schedule:
        return PROFILES[self.dataset][self.profile]

    @property
    def encoder(self) -> str:
        return "conv" if self.dataset == "cifar10" else "digits"

    def new_quantizer(self) -> ProductQuantizer:
        return QUANTIZERS[self.quantizer](
            self.n_subspaces, self.n_codewords, random_state=self.seed
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        known = {f.name for f in fields(cls)}
        if extra := sorted(set(values) - known):
            raise InvalidInputError(
                f"the settings {', '.join(sorted(known))}",
                f"unknown {', '.join(extra)}",
                "use the version of this package that made the run",
            )
        return cls(**{**values, "options": MethodOptions(**values.get("options", {}))})

    def difference(self, other: TrainingConfig) -> str:
        """Name the settings in which two configurations differ."""
        mine, theirs = _flat(self.to_dict()), _flat(other.to_dict())
        return ", ".join(
            f"{key}={theirs.get(key)!r} instead of {value!r}"
            for key, value in mine.items()
            if theirs.get(key) != value
        )


@dataclass
class TrainedModel:
    """An encoder with its classifier and, once fitted, its quantizer."""

    config: TrainingConfig
    encoder: nn.Module
    classifier: CosineClassifier
    quantizer: ProductQuantizer
    history: list[dict[str, float]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def train_seconds(self) -> float:
        return sum(record["seconds"] for record in self.history)

    @classmethod
    def new(cls, config: TrainingConfig, *, n_classes: int = 10) -> TrainedModel:
        encoder = build_encoder(config.encoder, dim=config.dim, seed=config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed + 1)
            classifier = CosineClassifier(config.dim, n_classes)
        return cls(config, encoder, classifier, config.new_quantizer())

    @property
    def is_quantized(self) -> bool:
        return hasattr(self.quantizer, "codebooks_")

    def arrays(self) -> dict[str, np.ndarray]:
        """All weights by name, "encoder.*", "classifier.*" and "codebooks"."""
        state = {
            f"{part}.{key}": value.detach().cpu().numpy()
            for part, module in (("encoder", self.encoder), ("classifier", self.classifier))
            for key, value in module.state_dict().items()
        }
        if self.is_quantized:
            state["codebooks"] = self.quantizer.codebooks_
        return state

    def adopt(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over weights by name, as `arrays` gave them."""
        for part, module in (("encoder", self.encoder), ("classifier", self.classifier)):
            prefix = f"{part}."
            module.load_state_dict(
                {
                    key.removeprefix(prefix): torch.from_numpy(value.copy())
                    for key, value in arrays.items()
                    if key.startswith(prefix)
                }
            )
        if "codebooks" in arrays:
            self.quantizer.with_codebooks(arrays["codebooks"])


class RunFolder:
    """The folder of one run; methods read and write its files."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def model_file(self) -> Path:
        return self.path / "model.safetensors"

    def check(self, config: TrainingConfig, *, resume: bool) -> None:
        """Raise `RunMismatchError` when the folder holds a run that this one would overwrite."""
        if self.config_file.exists():
            there = self.config()
            if there != config:
                raise RunMismatchError(
                    f"a folder for this configuration at {self.path}",
                    f"a run with {config.difference(there)}",
                    "choose another folder, or repeat the settings of the run in it",
                )
            if not resume:
                raise RunMismatchError(
                    f"an empty folder at {self.path}",
                    "a run with the same configuration",
                    "add --resume to continue it, or choose another folder",
                )

    def open(self, config: TrainingConfig, *, resume: bool) -> None:
        """Claim the folder for `config`; the same errors as `check`."""
        self.check(config, resume=resume)
        write_json(self.config_file, config.to_dict())

    def config(self) -> TrainingConfig:
        if not self.config_file.exists():
            raise DataMissingError(
                f"a run folder at {self.path}",
                "no config.json in it" if self.path.is_dir() else "no such folder",
                "train one first: gsl-tutorial train --out " + str(self.path),
            )
        return TrainingConfig.from_dict(read_json(self.config_file))

    def save_checkpoint(
        self, model: TrainedModel, optimizer: torch.optim.Optimizer, *, finished_rounds: int
    ) -> None:
        """Write the state after a round: weights, momentum, codebooks, records."""
        arrays = model.arrays()
        for index, state in optimizer.state_dict()["state"].items():
            arrays[f"momentum.{index}"] = state["momentum_buffer"].cpu().numpy()
        save_arrays(
            self.checkpoint_file,
            arrays,
            {
                "config": model.config.to_dict(),
                "finished_rounds": finished_rounds,
                "history": model.history,
            },
        )

    def load_checkpoint(self, model: TrainedModel, optimizer: torch.optim.Optimizer) -> int:
        """Restore the last finished round into `model` and `optimizer`; returns its number."""
        if not self.checkpoint_file.exists():
            return 0
        arrays, header = load_arrays(self.checkpoint_file)
        model.adopt(arrays)
        model.history = header["history"]
        momentum = {
            int(name.removeprefix("momentum.")): {"momentum_buffer": torch.from_numpy(array)}
            for name, array in arrays.items()
            if name.startswith("momentum.")
        }
        optimizer.load_state_dict({**optimizer.state_dict(), "state": momentum})
        return int(header["finished_rounds"])

    def save_model(self, model: TrainedModel) -> None:
        """Write the finished model and its records."""
        write_json(self.path / "history.json", model.history)
        save_arrays(
            self.model_file,
            model.arrays(),
            {
                "config": model.config.to_dict(),
                "history": model.history,
                "provenance": model.provenance,
            },
        )

    def load_model(self) -> TrainedModel:
        """Read the finished model; raises `DataMissingError` while the run is unfinished."""
        config = self.config()
        if not self.model_file.exists():
            raise DataMissingError(
                f"a finished run at {self.path}",
                "no model.safetensors in it",
                "continue the run: gsl-tutorial train ... --resume",
            )
        return load_model_file(self.model_file, expected=config)


def load_model_file(
    path: Path, *, expected: TrainingConfig | None = None, sha256: str | None = None
) -> TrainedModel:
    """Read a model file; raises `RunMismatchError` when it was made for another configuration."""
    arrays, header = load_arrays(path, sha256=sha256)
    config = TrainingConfig.from_dict(header["config"])
    if expected is not None and config != expected:
        raise RunMismatchError(
            "a model of the configuration in config.json",
            f"one with {expected.difference(config)}",
            "train the run again in an empty folder",
        )
    model = TrainedModel.new(config)
    model.adopt(arrays)
    return replace(model, history=header["history"], provenance=header["provenance"])


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    return {**{k: v for k, v in values.items() if k != "options"}, **values["options"]}
