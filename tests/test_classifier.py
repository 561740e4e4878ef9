"""The classifier: scaled cosines, whatever the lengths, and a gradient that only turns."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from gsl_tutorial.course.training.encoders import CosineClassifier


def test_logits_are_scaled_cosines() -> None:
    classifier = CosineClassifier(3, 4)
    z = F.normalize(torch.rand(5, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    logits, weight = classifier(z).detach(), classifier.weight.detach()
    for i in range(5):
        for c in range(4):
            w = weight[c]
            assert math.isclose(
                logits[i, c], 12 * float(z[i] @ w / w.norm()), rel_tol=1e-4, abs_tol=1e-5
            )
    with torch.no_grad():
        classifier.weight.mul_(3)
    torch.testing.assert_close(classifier(z).detach(), logits)


def test_the_classifier_normalises_z_and_its_gradient_turns_only() -> None:
    classifier = CosineClassifier(3, 4)
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([0.1, 0.5, 1.0, 3.0, 70.0])[:, None]
    torch.testing.assert_close(classifier(z * lengths), classifier(z), rtol=1e-5, atol=1e-5)
    leaf = z.clone().requires_grad_()
    (g,) = torch.autograd.grad(F.cross_entropy(classifier(leaf), torch.arange(5) % 4), leaf)
    assert g.norm() > 0.1
    assert (g * z).sum(1).abs().max() < 1e-6
    unit = F.normalize(z, dim=1)
    expected = 12 * unit @ F.normalize(classifier.weight, dim=1).T
    torch.testing.assert_close(classifier(unit), expected)  # unit embeddings stay as they are
    assert torch.isfinite(classifier(torch.zeros(1, 3))).all()
