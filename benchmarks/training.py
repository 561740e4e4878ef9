"""The quick profile on all 50,000 training images, from scratch: seconds and mAP under P2.

Targets: 12 minutes on two cores, ADC mAP@all of at least 0.70 at 32 bits. Needs the images.
"""

from __future__ import annotations

import tempfile
import time
from typing import Any

from gsl_tutorial.course.results.evaluate_run import evaluate_model, summary
from gsl_tutorial.course.training.runs import RunFolder, TrainingConfig
from gsl_tutorial.course.training.train_run import load_data, train_run


def measure() -> dict[str, Any]:
    config = TrainingConfig(dataset="cifar10", bits=32, method="snap-pull", profile="quick", seed=0)
    started = time.perf_counter()
    data = load_data("cifar10", protocol=config.protocol, seed=config.seed)
    with tempfile.TemporaryDirectory() as folder:
        model = train_run(config, data, folder=RunFolder(folder))
    seconds = time.perf_counter() - started
    result, _, _ = evaluate_model(model)
    return {
        "minutes": seconds / 60,
        "minutes_target": 12.0,
        "adc_map_target": 0.70,
        **summary(model, result),
    }
