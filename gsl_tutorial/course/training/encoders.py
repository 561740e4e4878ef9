"""The networks: from an image to an embedding on the unit sphere, and from there to classes.

Two encoders, one contract: `encoder(images) -> z` of shape (N, dim) and unit length. The
convolutional one is a small relative of the CIFAR-10 speed records (K. Jordan, cifar10-airbench,
2024): a frozen whitening layer, then three groups of convolutions; narrower, for two CPU cores. The
classifier has normalised weights, so its logits are cosines times a fixed scale and the direction of
an embedding is all that counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_name, describe

# Mean and spread of the three colours over the 50,000 training images.
_MEAN = (0.4914, 0.4822, 0.4465)
_STD = (0.2470, 0.2435, 0.2616)


class ConvEncoder(nn.Module):
    """CIFAR-10 images (N, 3, 32, 32) in [0, 255] to unit embeddings (N, dim).

    Parameters
    ----------
    dim : int
        Length of an embedding.
    widths : tuple of int
        Channels of the groups, each of which halves the side of the image.
    patch : int
        The frozen first layer looks at squares of patch x patch pixels.
    stride : int
        How far apart these squares are, in pixels.
    n_filters : int
        How many filters that layer has, each with both signs.
    fast : bool
        As in airbench: convolutions begin by passing their input through (Dirac weights), batch
        norms have a bias but no scale of their own and know the last few batches only, and the
        frozen layer keeps a bias that learns.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        dim: int = 32,
        widths: tuple[int, ...] = (32, 64, 128),
        *,
        patch: int = 2,
        stride: int = 1,
        n_filters: int = 12,
        fast: bool = False,
    ) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(3, 2 * n_filters, kernel_size=patch, stride=stride)
        self.whiten.requires_grad_(False)
        channels = (2 * n_filters, *widths)
        self.groups = nn.Sequential(*map(_group, channels[:-1], channels[1:]))
        self.project = nn.Linear(widths[-1], dim, bias=False)
        if fast:
            self.whiten.bias.requires_grad_(True)  # type: ignore[union-attr]
            for layer in self.groups.modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.dirac_(layer.weight.data[: layer.in_channels])
                elif isinstance(layer, nn.BatchNorm2d):
                    layer.weight.requires_grad_(False)
                    layer.momentum = 0.4
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1) * 255)

    def forward(self, images: Float[Tensor, "N 3 32 32"]) -> Float[Tensor, "N dim"]:
        x = (images - self.mean) / self.std
        x = self.groups(F.gelu(self.whiten(x)))
        # Under autocast the convolutions run in bfloat16; the embedding itself stays in float32.
        with torch.autocast(x.device.type, enabled=False):
            return F.normalize(self.project(x.amax((2, 3)).float()), dim=1)

    @torch.no_grad()
    def prepare(self, images: UInt8[Tensor, "N 3 32 32"]) -> None:
        """Set the frozen layer to the strongest eigenvectors of patches, scaled to unit variance.

        Each filter comes with both signs, so that the non-linearity behind it loses nothing.

        Parameters
        ----------
        images : (N, 3, 32, 32) uint8 tensor
            The training images whose patches are looked at.
        """
        patch, n_filters = self.whiten.kernel_size[0], self.whiten.out_channels // 2
        x = (images.float() - self.mean) / self.std
        patches = F.unfold(x, kernel_size=patch, stride=self.whiten.stride)
        patches = patches.transpose(1, 2).reshape(-1, 3 * patch**2)
        # Rising eigenvalues: the strongest come last.
        eigenvalues, eigenvectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (eigenvectors / (eigenvalues + 5e-4).sqrt()).T[-n_filters:]
        filters = filters.reshape(n_filters, 3, patch, patch)
        self.whiten.weight.copy_(torch.cat([filters, -filters]))
        self.whiten.bias.zero_()  # type: ignore[union-attr]


class DigitsEncoder(nn.Module):
    """scikit-learn's digits (N, 64) in [0, 1] to unit embeddings (N, dim).

    Parameters
    ----------
    dim : int
        Length of an embedding.
    width : int
        Units of each of the two hidden layers.
    """

    def __init__(self, dim: int = 16, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, dim),
        )

    def forward(self, images: Float[Tensor, "N 64"]) -> Float[Tensor, "N dim"]:
        return F.normalize(self.layers(images), dim=1)

    def prepare(self, images: Tensor) -> None:
        """Nothing to set from data."""


class CosineClassifier(nn.Module):
    """Logits scale * cos(z, w): cross-entropy with normalised weights.

    z is normalised here too. Unit embeddings stay as they are, but their gradient loses the part
    along z, which no encoder of unit embeddings can follow and which would mislead a snap.

    Parameters
    ----------
    dim : int
        Length of an embedding.
    n_classes : int
        Rows of the weight.
    scale : float
        The largest logit there can be.
    """

    def __init__(self, dim: int, n_classes: int, scale: float = 12.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_classes, dim))
        self.scale = scale

    def forward(self, z: Float[Tensor, "N dim"]) -> Float[Tensor, "N classes"]:
        return self.scale * F.linear(F.normalize(z, dim=1), F.normalize(self.weight, dim=1))


ENCODERS: dict[str, Callable[[int], ConvEncoder | DigitsEncoder]] = {
    "conv": ConvEncoder,
    "conv-wide": partial(ConvEncoder, widths=(64, 256, 256), fast=True),
    "conv-large": partial(ConvEncoder, widths=(128, 384, 384), fast=True),
    "conv-small": partial(ConvEncoder, widths=(32, 64), patch=4, stride=2, n_filters=24),
    "digits": DigitsEncoder,
}


def build_encoder(name: str, *, dim: int, seed: int) -> ConvEncoder | DigitsEncoder:
    """Return a new encoder with seeded weights; the global generator is left as it was.

    Parameters
    ----------
    name : str
        One of `ENCODERS`.
    dim : int
        Length of an embedding.
    seed : int
        Of the weights.

    Returns
    -------
    ConvEncoder or DigitsEncoder

    Raises
    ------
    UnknownNameError
        When there is no such encoder.
    """
    check_name("encoder", name, ENCODERS)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs as well
        return ENCODERS[name](dim)


@torch.no_grad()
def embed(
    encoder: nn.Module, images: Tensor, *, batch_size: int = 500, mirror: bool = False
) -> Float[Tensor, "N dim"]:
    """Embeddings of all images in evaluation mode, batch by batch, on the CPU in float32.

    Parameters
    ----------
    encoder : nn.Module
        It stays on its device, and in its mode.
    images : (N, 3, 32, 32) uint8 or (N, 64) float32 tensor
        As the datasets hold them.
    batch_size : int
        Images that are embedded at once.
    mirror : bool
        Embed each picture and its mirror image, and take the mean direction (test-time flip).

    Returns
    -------
    (N, dim) float32 tensor
        Of unit length.

    Raises
    ------
    InvalidInputError
        When the images have another number of axes.
    """
    if images.ndim not in (2, 4):
        raise InvalidInputError(
            "images (N, 3, 32, 32) or (N, 64)", describe(images), "reshape them"
        )
    was_training = encoder.training
    encoder.eval()
    device = next(encoder.parameters()).device
    try:
        parts = []
        for batch in torch.split(images, batch_size):
            x = batch.to(device).float()
            z = encoder(x)
            if mirror and x.ndim == 4:
                z = F.normalize(z + encoder(x.flip(3)), dim=1)
            parts.append(z.cpu())
    finally:
        encoder.train(was_training)
    return torch.cat(parts)


@torch.no_grad()
def augment(
    images: UInt8[Tensor, "N 3 32 32"],
    flips: Int[Tensor, " N"],
    generator: torch.Generator,
    *,
    erase: int = 0,
) -> Float[Tensor, "N 3 32 32"]:
    """Mirror the images that `flips` marks, then shift each by up to 2 pixels either way.

    Parameters
    ----------
    images : (N, 3, 32, 32) uint8 tensor
        A batch.
    flips : (N,) integer tensor
        1 for an image that is mirrored, else 0.
    generator : torch.Generator
        Draws the shifts and the squares, on the CPU.
    erase : int
        Side of a square, in pixels, that is set to each image's mean colour somewhere in it;
        0: none.

    Returns
    -------
    (N, 3, 32, 32) float32 tensor
        Still from 0 to 255.

    References
    ----------
    "Cutout", DeVries and Taylor, arXiv 1708.04552.
    """
    x = images.float()
    x = torch.where(flips.to(x.device).bool().view(-1, 1, 1, 1), x.flip(3), x)
    padded = F.pad(x, (2, 2, 2, 2), mode="reflect")
    shift = torch.randint(0, 5, (len(x), 2), generator=generator).to(x.device)
    out = torch.empty_like(x)
    for dy in range(5):
        for dx in range(5):
            here = (shift[:, 0] == dy) & (shift[:, 1] == dx)
            out[here] = padded[here, :, dy : dy + 32, dx : dx + 32]
    if erase:
        corner = torch.randint(0, 33 - erase, (2, len(x), 1), generator=generator).to(x.device)
        at = torch.arange(32, device=x.device)
        rows, columns = (at >= corner) & (at < corner + erase)
        square = (rows[:, :, None] & columns[:, None, :])[:, None]
        out = torch.where(square, out.mean((2, 3), keepdim=True), out)
    return out


def _group(width_in: int, width_out: int) -> nn.Sequential:
    def convolution(width: int) -> nn.Conv2d:
        return nn.Conv2d(width, width_out, kernel_size=3, padding=1, bias=False)

    return nn.Sequential(
        convolution(width_in),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(width_out),
        nn.GELU(),
        convolution(width_out),
        nn.BatchNorm2d(width_out),
        nn.GELU(),
    )
