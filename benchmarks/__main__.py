"""Run the benchmarks: `python -m benchmarks [NAME ...]`; each writes `benchmarks/results/NAME.json`.

Without names all run but `widgets`, which needs a browser, and `one_core`, which runs every notebook on one
core with 2 GB (ten minutes): `python -m benchmarks one_core`.
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


def measure_one_core() -> dict[str, Any]:
    from benchmarks import one_core  # not above: it needs nbclient, of the extra [authors]

    return one_core.measure()


BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "layer": layer.measure,
    "negatives": negatives.measure,
    "one_core": measure_one_core,
    "ranking": ranking.measure,
    "scale": measure_scale,
    "training": training.measure,
    "widgets": measure_widgets,
}
#: Not among those that run without a name: one needs a browser, the other takes ten minutes.
ONLY_BY_NAME = ("widgets", "one_core")
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    names = sys.argv[1:] or [name for name in BENCHMARKS if name not in ONLY_BY_NAME]
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
