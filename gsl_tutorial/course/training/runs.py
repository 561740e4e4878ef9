"""A run: what came out of a `TrainingConfig` (`TrainedModel`), and the folder that keeps it.

    config.json            what was asked for
    checkpoint.safetensors state after the last finished round, to resume from
    warm.safetensors       the model before joint training, trained by the similarity loss alone, with
                           the momentum, so that runs with other codes can begin there
    model.safetensors      encoder, classifier and codebooks of the finished run
    history.json           one record for each round

Files are replaced as a whole, so an interrupted run leaves the last finished round usable.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.encoders import (
    ConvEncoder,
    CosineClassifier,
    DigitsEncoder,
    build_encoder,
)
from gsl_tutorial.errors import DataMissingError, InvalidInputError, RunMismatchError
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.storage import load_arrays, read_json, save_arrays, write_json

#: Settings in which runs may differ and still have one warm-up.
JOINT = ("method", "options", "quantizer", "bits", "n_codewords")


@dataclass
class TrainedModel:
    """An encoder with its classifier and, once fitted, its quantizer.

    Parameters
    ----------
    config : TrainingConfig
        What was asked for.
    encoder : ConvEncoder or DigitsEncoder
        From images to embeddings.
    classifier : CosineClassifier
        From embeddings to the classes of the training images.
    quantizer : Quantizer
        From embeddings to codes.
    history : list of dict
        One record for each finished round.
    provenance : dict
        Who made it: command, commit, versions.
    """

    config: TrainingConfig
    encoder: ConvEncoder | DigitsEncoder
    classifier: CosineClassifier
    quantizer: Quantizer
    history: list[dict[str, float]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def train_seconds(self) -> float:
        """Seconds that all its rounds took."""
        return sum(record["seconds"] for record in self.history)

    @classmethod
    def new(cls, config: TrainingConfig, *, n_classes: int = 10) -> TrainedModel:
        """Fresh networks with seeded weights, and a quantizer that is not fitted yet.

        Parameters
        ----------
        config : TrainingConfig
            Says which, and the seed.
        n_classes : int
            Classes of the training images.

        Returns
        -------
        TrainedModel
        """
        encoder = build_encoder(config.encoder, dim=config.dim, seed=config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(config.seed + 1)
            classifier = CosineClassifier(config.dim, n_classes)
        return cls(config, encoder, classifier, config.new_quantizer())

    @property
    def is_quantized(self) -> bool:
        """Whether the quantizer is fitted."""
        return hasattr(self.quantizer, "dim_")

    def arrays(self) -> dict[str, np.ndarray]:
        """All weights by name, "encoder.*", "classifier.*" and the quantizer's own."""
        state = {
            f"{part}.{key}": value.detach().cpu().numpy()
            for part, module in (("encoder", self.encoder), ("classifier", self.classifier))
            for key, value in module.state_dict().items()
        }
        if self.is_quantized:
            state.update(self.quantizer.arrays())
        return state

    def adopt(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over weights.

        Parameters
        ----------
        arrays : dict
            By name, as `arrays` gave them.
        """
        for part, module in (("encoder", self.encoder), ("classifier", self.classifier)):
            prefix = f"{part}."
            module.load_state_dict(
                {
                    key.removeprefix(prefix): torch.from_numpy(value.copy())
                    for key, value in arrays.items()
                    if key.startswith(prefix)
                }
            )
        learned = {
            key: value
            for key, value in arrays.items()
            if not key.startswith(("encoder.", "classifier.", "momentum."))
        }
        if learned:
            self.quantizer.with_arrays(learned)


class RunFolder:
    """The folder of one run; methods read and write its files.

    Parameters
    ----------
    path : str or Path
        It need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def warm_file(self) -> Path:
        return self.path / "warm.safetensors"

    @property
    def model_file(self) -> Path:
        return self.path / "model.safetensors"

    def check(self, config: TrainingConfig, *, resume: bool) -> None:
        """Refuse to overwrite a run that is in the folder.

        Parameters
        ----------
        config : TrainingConfig
            Of the run that is asked for.
        resume : bool
            Whether it may go on with a run of the same configuration.

        Raises
        ------
        RunMismatchError
            When the folder holds a run that this one would overwrite.
        """
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
        elif self.model_file.exists() or self.checkpoint_file.exists():
            raise RunMismatchError(
                f"an empty folder or a run at {self.path}",
                "weights without a config.json",
                "choose another folder: these weights would be overwritten",
            )

    def open(self, config: TrainingConfig, *, resume: bool) -> None:
        """Claim the folder for a run.

        Parameters
        ----------
        config, resume
            As in `check`.

        Raises
        ------
        RunMismatchError
            As in `check`.
        """
        self.check(config, resume=resume)
        write_json(self.config_file, config.to_dict())

    def config(self) -> TrainingConfig:
        """What was asked of the run in this folder.

        Returns
        -------
        TrainingConfig

        Raises
        ------
        DataMissingError
            When there is no run.
        InvalidInputError
            When a version of this package with other settings made it.
        """
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
        """Write the state after a round.

        Parameters
        ----------
        model : TrainedModel
            Its weights, codebooks and history are kept.
        optimizer : torch.optim.Optimizer
            Its momentum is kept.
        finished_rounds : int
            How many rounds are done.
        """
        save_arrays(
            self.checkpoint_file,
            model.arrays() | _momentum_of(optimizer),
            {
                "config": model.config.to_dict(),
                "schedule": asdict(model.config.schedule),
                "finished_rounds": finished_rounds,
                "history": model.history,
            },
        )

    def load_checkpoint(self, model: TrainedModel, optimizer: torch.optim.Optimizer) -> int:
        """Restore the last finished round.

        Parameters
        ----------
        model : TrainedModel
            Takes over weights, codebooks and history.
        optimizer : torch.optim.Optimizer
            Takes over the momentum.

        Returns
        -------
        int
            The number of that round, 0 where there is no checkpoint.

        Raises
        ------
        RunMismatchError
            When it belongs to another configuration, or to a profile that has changed since.
        """
        if not self.checkpoint_file.exists():
            return 0
        arrays, header = load_arrays(self.checkpoint_file)
        _check_same(model.config, TrainingConfig.from_dict(header["config"]), "checkpoint")
        _check_schedule(model.config, header.get("schedule", {}))
        model.adopt(arrays)
        model.history = header["history"]
        _adopt_momentum(optimizer, arrays)
        return int(header["finished_rounds"])

    def save_model(self, model: TrainedModel) -> None:
        """Write the finished model and its records."""
        write_json(self.path / "history.json", model.history)
        save_model_file(self.model_file, model)

    def save_warm(self, model: TrainedModel, optimizer: torch.optim.Optimizer) -> None:
        """Write the model as it is before joint training begins, and the momentum of its steps.

        Parameters
        ----------
        model : TrainedModel
            The model after its warm-up.
        optimizer : torch.optim.Optimizer
            Holds the momentum.
        """
        save_arrays(
            self.warm_file,
            model.arrays() | _momentum_of(optimizer),
            _header(model) | {"schedule": asdict(model.config.schedule)},
        )

    def hand_over_warm_up(self, model: TrainedModel, optimizer: torch.optim.Optimizer) -> None:
        """Let another run stand where this one stood before joint training, codebooks apart.

        Until then runs that differ in quantizer, codes or method only have the same weights.

        Parameters
        ----------
        model : TrainedModel
            Takes over the networks, and of the history losses and seconds.
        optimizer : torch.optim.Optimizer
            Takes over the momentum.

        Raises
        ------
        DataMissingError
            When the run here has not come so far, or kept no momentum.
        RunMismatchError
            When the runs differ in anything else.
        """
        if not self.warm_file.exists():
            raise DataMissingError(
                f"a run with a finished warm-up at {self.path}",
                "no warm.safetensors in it",
                "let that run come to the end of its warm-up first",
            )
        arrays, header = load_arrays(self.warm_file)
        theirs, mine = TrainingConfig.from_dict(header["config"]), model.config
        _check_same(
            mine, replace(theirs, **{name: getattr(mine, name) for name in JOINT}), "warm-up"
        )
        _check_schedule(mine, header.get("schedule", {}))
        if not any(name.startswith("momentum.") for name in arrays):
            raise DataMissingError(
                f"the momentum at the end of the warm-up in {self.warm_file}",
                "weights alone",
                "train that run again: early versions did not keep it",
            )
        networks = ("encoder.", "classifier.")
        model.adopt({name: array for name, array in arrays.items() if name.startswith(networks)})
        _adopt_momentum(optimizer, arrays)
        told = ("round", "loss", "seconds")  # all else was measured with the codebooks of that run
        model.history = [{key: row[key] for key in told} for row in header["history"]]

    def load_warm(self) -> TrainedModel | None:
        """Read the model as it was before joint training.

        Returns
        -------
        TrainedModel or None
            None in a run that had no such moment.
        """
        if not self.warm_file.exists():
            return None
        return load_model_file(self.warm_file, expected=self.config())

    def load_model(self) -> TrainedModel:
        """Read the finished model.

        Returns
        -------
        TrainedModel

        Raises
        ------
        DataMissingError
            While the run is unfinished.
        """
        config = self.config()
        if not self.model_file.exists():
            raise DataMissingError(
                f"a finished run at {self.path}",
                "no model.safetensors in it",
                "continue the run: gsl-tutorial train ... --resume",
            )
        return load_model_file(self.model_file, expected=config)


def save_model_file(path: Path, model: TrainedModel) -> None:
    """Write weights, codebooks and, in the header, how they were made.

    Parameters
    ----------
    path : Path
        The file, replaced as a whole.
    model : TrainedModel
        What is written.
    """
    save_arrays(path, model.arrays(), _header(model))


def _header(model: TrainedModel) -> dict[str, Any]:
    return {
        "config": model.config.to_dict(),
        "history": model.history,
        "provenance": model.provenance,
    }


def _momentum_of(optimizer: torch.optim.Optimizer) -> dict[str, np.ndarray]:
    return {
        f"momentum.{index}": state["momentum_buffer"].cpu().numpy()
        for index, state in optimizer.state_dict()["state"].items()
    }


def _adopt_momentum(optimizer: torch.optim.Optimizer, arrays: dict[str, np.ndarray]) -> None:
    momentum = {
        int(name.removeprefix("momentum.")): {"momentum_buffer": torch.from_numpy(array)}
        for name, array in arrays.items()
        if name.startswith("momentum.")
    }
    optimizer.load_state_dict({**optimizer.state_dict(), "state": momentum})


def load_model_file(
    path: Path, *, expected: TrainingConfig | None = None, sha256: str | None = None
) -> TrainedModel:
    """Read a model file.

    Parameters
    ----------
    path : Path
        The file.
    expected : TrainingConfig, optional
        What it must have been made for.
    sha256 : str, optional
        Its checksum in hexadecimal, compared before anything is read.

    Returns
    -------
    TrainedModel
        Its encoder is in evaluation mode.

    Raises
    ------
    RunMismatchError
        When it was made for another configuration.
    InvalidInputError
        When it is no model file.
    ChecksumError, DataMissingError
        As in `load_arrays`.
    """
    arrays, header = load_arrays(path, sha256=sha256)
    if not {"config", "history", "provenance"} <= set(header):
        raise InvalidInputError(
            "a model file",
            f"{path.name} with other contents",
            "pass the model.safetensors of a run",
        )
    config = TrainingConfig.from_dict(header["config"])
    if expected is not None:
        _check_same(expected, config, "model")
    model = TrainedModel.new(config, n_classes=len(arrays["classifier.weight"]))
    model.adopt(arrays)
    model.encoder.eval()
    return replace(model, history=header["history"], provenance=header["provenance"])


def _check_same(expected: TrainingConfig, found: TrainingConfig, what: str) -> None:
    if found != expected:
        raise RunMismatchError(
            f"a {what} of the configuration in config.json",
            f"one with {expected.difference(found)}",
            "train the run again in an empty folder",
        )


def _check_schedule(config: TrainingConfig, found: dict[str, Any]) -> None:
    """A profile of today may not be the one of the same name with which a run was begun."""
    wanted = asdict(config.schedule)
    if changed := [key for key, value in wanted.items() if found.get(key) != value]:
        raise RunMismatchError(
            f"a checkpoint of the profile {config.profile} as it is now",
            "one with "
            + ", ".join(f"{k} = {found.get(k)!r} instead of {wanted[k]!r}" for k in changed),
            "train the run again in an empty folder",
        )
