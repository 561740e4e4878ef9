"""Run the benchmarks: `python -m benchmarks [NAME ...]`; each writes `benchmarks/results/NAME.json`."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

import torch

from benchmarks import layer, ranking, training, widgets

BENCHMARKS = {
    "layer": layer.measure,
    "ranking": ranking.measure,
    "training": training.measure,
    "widgets": widgets.measure,
}
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    names = sys.argv[1:] or list(BENCHMARKS)
    for name in names:
        machine = {
            "cores": os.cpu_count(),
            "torch_threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
        }
        result = {"benchmark": name, "machine": machine, **BENCHMARKS[name]()}
        text = json.dumps(result, indent=1)
        print(text)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
