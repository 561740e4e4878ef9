"""Shifts, mirrors and erased squares of training images, against slow twins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from runs_cases import make_data
from torch import Tensor

from gsl_tutorial.course.training.encoders import augment


def variants(image: Tensor, *, flip: bool) -> Tensor:
    """All 25 shifts of an image (or of its mirror), written pixel by pixel: (25, 3, 32, 32)."""
    source = image.numpy()[:, :, ::-1] if flip else image.numpy()

    def mirrored(i: int) -> int:
        i = abs(i)
        return 62 - i if i > 31 else i

    made = []
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            rows = [mirrored(y + dy) for y in range(32)]
            columns = [mirrored(x + dx) for x in range(32)]
            made.append(source[:, rows][:, :, columns])
    return torch.from_numpy(np.stack(made)).float()


def test_augmented_images_are_shifts_of_the_image_or_its_mirror() -> None:
    images = torch.randint(0, 256, (60, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    images = images.to(torch.uint8)
    flips = torch.arange(60) % 2
    kept = images.clone()
    out = augment(images, flips, torch.Generator().manual_seed(2))
    assert torch.equal(images, kept)
    assert out.dtype == torch.float32
    used = set()
    for one, image, flip in zip(out, images, flips, strict=True):
        same = (variants(image, flip=bool(flip)) == one).flatten(1).all(1)
        assert same.sum() == 1
        used.add(int(same.int().argmax()))
    assert len(used) >= 15  # of 25 shifts, in 60 draws
    assert torch.equal(out, augment(images, flips, torch.Generator().manual_seed(2)))
    assert not torch.equal(out, augment(images, flips, torch.Generator().manual_seed(3)))


def erased(side: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The same images with the same shifts, without and with a square erased."""
    images = make_data("cifar10")[0][:9]
    flips = torch.zeros(9, dtype=torch.int64)
    plain = augment(images, flips, torch.Generator().manual_seed(seed))
    other = augment(images, flips, torch.Generator().manual_seed(seed), erase=side)
    return plain, other


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", [1, 7, 12, 32])
def test_one_whole_square_takes_the_mean_colour(side: int, seed: int) -> None:
    for before, after in zip(*erased(side, seed), strict=True):
        mean = before.mean((1, 2))
        changed = (after != before).any(0)
        rows, columns = changed.any(1).nonzero()[:, 0], changed.any(0).nonzero()[:, 0]
        assert rows.max() - rows.min() + 1 <= side
        assert columns.max() - columns.min() + 1 <= side
        # Random images: hardly a pixel has the mean colour by itself.
        assert changed.sum() >= 0.9 * side**2
        for row in rows.tolist():
            for column in columns.tolist():
                torch.testing.assert_close(after[:, row, column], mean)


def test_squares_differ_from_image_to_image_and_reach_the_borders() -> None:
    at = []
    for seed in range(20):
        for before, after in zip(*erased(12, seed), strict=True):
            changed = (after != before).any(0)
            at.append((int(changed.any(1).int().argmax()), int(changed.any(0).int().argmax())))
    assert len(set(at)) > 100
    assert {row for row, _ in at} >= {0, 20}
    assert {column for _, column in at} >= {0, 20}


def test_nothing_is_erased_unless_asked_for() -> None:
    before, after = erased(0)
    assert torch.equal(before, after)
