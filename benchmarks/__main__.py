"""Run the benchmarks: `python -m benchmarks [NAME ...]`; each writes `benchmarks/results/NAME.json`.

Without names all run but `widgets`, which needs a browser: `python -m benchmarks widgets`.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import layer, negatives, ranking, training


def measure_scale() -> dict[str, Any]:
    from benchmarks import scale  # not above: it needs the extra [scale]

    return scale.measure()


def measure_widgets() -> dict[str, Any]:
    from benchmarks import widgets  # not above: the others run where there is no browser

    return widgets.measure()


BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "layer": layer.measure,
    "negatives": negatives.measure,
    "ranking": ranking.measure,
    "scale": measure_scale,
    "training": training.measure,
    "widgets": measure_widgets,
}
NEED_A_BROWSER = ("widgets",)
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    names = sys.argv[1:] or [name for name in BENCHMARKS if name not in NEED_A_BROWSER]
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
