"""A module whose quantizer travels with it: checkpoints, devices, deep copies, averages, processes.

A quantizer keeps its codebooks as NumPy arrays and knows nothing of torch. What moves, saves, copies and
averages a torch model knows buffers. So the arrays are mirrored as buffers, named after the kind of
quantizer ("pq_codebooks"), and whichever side changed last is copied to the other when they are next used:
a refit gives new arrays, an average of weights or a broadcast writes into the buffers.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.validation import describe

_KEY = re.compile(r"([a-z]+)_(codebooks|rotation)")


class HoldsCodebooks(nn.Module):
    """Base of modules with a quantizer.

    Its arrays are float32 buffers, whatever the model is cast to.

    Parameters
    ----------
    quantizer : Quantizer
        Fitted or not yet.
    """

    def __init__(self, quantizer: Quantizer) -> None:
        super().__init__()
        self._buffers: dict[str, Tensor]  # type: ignore[assignment]
        #: For each buffer: the array, the buffer and its version when they were last the same.
        self._seen: dict[str, tuple[np.ndarray, Tensor, int]] = {}
        self.quantizer = quantizer

    @property
    def quantizer(self) -> Quantizer:
        """The quantizer, with the codebooks that the module has now."""
        self._sync()
        return self._quantizer

    @quantizer.setter
    def quantizer(self, quantizer: Quantizer) -> None:
        """Take another one, with buffers of its own.

        Raises
        ------
        InvalidInputError
            On anything but a quantizer.
        """
        if not isinstance(quantizer, Quantizer):
            raise InvalidInputError(
                "a quantizer", describe(quantizer), "pass ProductQuantizer(...)"
            )
        self._quantizer = quantizer
        for key in [key for key in self._buffers if _KEY.fullmatch(key)]:
            del self._buffers[key]
        self._seen = {}
        self._buffers.setdefault(self._key("codebooks"), torch.empty(0))
        self._sync()

    def _key(self, name: str) -> str:
        return f"{self._quantizer.short_name.lower()}_{name}"

    def _sync(self, *, thorough: bool = False) -> None:
        """Let buffers and arrays be the same again. thorough: notice writes into an array, too."""
        quantizer = self._quantizer
        if not hasattr(quantizer, "dim_"):
            return
        arrays = quantizer.arrays()
        old = {
            name: self._seen[key][0] for name in arrays if (key := self._key(name)) in self._seen
        }
        fresh, written = [], False
        for name, array in arrays.items():
            key = self._key(name)
            _, buffer, version = self._seen.get(key, (None, self._buffers.get(key), -1))
            if buffer is not None and (self._buffers[key] is not buffer or buffer.is_meta):
                continue  # somebody else's for the moment (functional_call), or no numbers at all
            if buffer is None or array is not old.get(name):
                fresh.append(name)
                continue
            changed = buffer._version != version
            if (changed or thorough) and not np.array_equal(buffer.cpu().numpy(), array):
                written = written or changed
                fresh.append(name)
            elif changed:  # the same numbers again, as a broadcast brings them before each step
                self._seen[key] = (array, buffer, buffer._version)
        if written and all(array is old.get(name) for name, array in arrays.items()):
            self._adopt({name: self._buffers[self._key(name)] for name in arrays})
            arrays = quantizer.arrays()
            fresh = list(arrays)
        for name in fresh:
            self._write(self._key(name), arrays[name])

    @torch.inference_mode(False)
    def _write(self, key: str, array: np.ndarray) -> None:
        """Put `array` into the buffer, which stays the same tensor: others may hold it."""
        buffer = self._buffers.get(key)
        if buffer is None:
            self.register_buffer(key, buffer := torch.tensor(array))
        elif not buffer.is_meta:
            buffer.data = torch.tensor(array, device=buffer.device)
        self._seen[key] = (array, buffer, buffer._version)

    def _adopt(self, tensors: dict[str, Tensor]) -> None:
        arrays = {name: t.detach().float().cpu().numpy() for name, t in tensors.items()}
        self._quantizer.with_arrays(arrays)

    def _renew(self) -> None:
        """Make the buffers anew where they are, in float32, from the arrays."""
        for key, (array, _, _) in list(self._seen.items()):
            if not (old := self._buffers[key]).is_meta:
                self._buffers[key] = torch.tensor(array, device=old.device)
            buffer = self._buffers[key]
            self._seen[key] = (array, buffer, buffer._version)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._sync()
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._renew()
        return self

    def __getstate__(self) -> dict[str, Any]:
        self._sync()
        return {**self.__dict__, "_seen": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._sync()

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        self._sync(thorough=True)
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, *rest: Any, **others: Any
    ) -> None:
        self._sync()
        kind, found = self._quantizer.short_name, {}
        for key, tensor in state_dict.items():
            match = _KEY.fullmatch(key.removeprefix(prefix)) if key.startswith(prefix) else None
            if match is None:
                continue
            if match[1] != kind.lower():
                raise InvalidInputError(
                    f"a checkpoint of a layer with {self._quantizer!r}",
                    f"codebooks of a quantizer of the kind {match[1].upper()}",
                    "build the layer with the quantizer that the checkpoint was made with",
                )
            found[match[2]] = tensor
        if found:
            self._load(found)
        super()._load_from_state_dict(state_dict, prefix, *rest, **others)
        self._renew()

    def _load(self, found: dict[str, Tensor]) -> None:
        is_fitted = hasattr(self._quantizer, "dim_")
        if not all(tensor.numel() for tensor in found.values()):
            if is_fitted:
                raise InvalidInputError(
                    "a checkpoint with codebooks",
                    "one that was written before the first fit",
                    "load it before you fit the quantizer",
                )
            return
        before = self._quantizer.arrays() if is_fitted else {}
        for name, array in before.items():
            if name in found and tuple(found[name].shape) != array.shape:
                raise InvalidInputError(
                    f"{name} of shape {array.shape}",
                    f"{name} of shape {tuple(found[name].shape)} in the checkpoint",
                    "build the layer with the quantizer that the checkpoint was made with",
                )
        self._adopt(found)
        self._sync()
