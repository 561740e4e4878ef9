"""A made-up map in the format of `data/map.json`: cells that win, tie and lose, half-run and not run."""

from __future__ import annotations

import math
from typing import Any

METHODS = ["none", "penalty", "snap-pull", "ste", "rotation", "halfway", "snap-lookahead", "radius",
           "soft", "pull-relative", "snap-replace"]  # fmt: skip
#: Cell -> ADC mAP of "none", and what snap (pull) gains over the penalty; None while there are trials only.
CELLS: dict[str, tuple[float, float | None] | None] = {
    "2x4": (0.44, 0.08), "4x4": (0.57, 0.03), "4x16": (0.67, -0.012), "2x16": (0.66, 0.004),
    "2x8": (0.63, None), "1x16": (0.65, 0.001), "8x16": None, "1x256": None,
}  # fmt: skip
#: What a method gains over "none", as a share of what snap (pull) gains.
SHARES = {"none": 0.0, "penalty": 0.5, "ste": 1.1, "rotation": 0.9, "halfway": 1.0, "snap-lookahead": 0.4,
          "radius": 0.3, "soft": -0.2, "snap-replace": -0.5}  # fmt: skip


def _size(name: str) -> dict[str, int]:
    M, K = map(int, name.split("x"))
    return {"M": M, "K": K, "bits": int(M * math.log2(K))}


def _methods(base: float, gain: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    middle = base + 0.06
    means = {m: round(base + 0.12 * share, 4) for m, share in SHARES.items()}
    means["penalty"] = middle
    means["snap-pull"] = round(middle + (gain or 0.0), 4)
    for method in METHODS:
        score = means.get(method, base)
        found[method] = {
            "setting": "learning rate x 1" if method in ("none", "snap-replace") else "strength 3",
            "at_end": method == "soft",
            "tried": [
                [f"strength {s}", round(score - 0.01 * i, 4)] for i, s in enumerate((3, 1, 10))
            ],
        }
        if gain is None or method == "pull-relative":
            continue
        found[method] |= {
            "seeds": [0, 1, 2, 3, 4],
            "adc_map": [round(score + shift, 4) for shift in (-0.02, -0.01, 0.0, 0.012, 0.018)],
            "exact_map": 0.64,
            "relative_distortion": 0.31,
            "against": {
                other: [round(score - means[other], 4), round(score - means[other] - 0.01, 4),
                        round(score - means[other] + 0.01, 4)]
                for other in ("none", "penalty", "ste", "snap-pull") if other != method
            },
        }  # fmt: skip
    return found


def found() -> dict[str, Any]:
    """A map of which five cells are tested, one is tuned and two have not run."""
    strengths = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
    return {
        "made by": "a test",
        "level": 0.05,
        "comparisons": 8,
        "methods": METHODS,
        "cells": [
            {"cell": name, **_size(name), "methods": _methods(*given) if given else {}}
            for name, given in CELLS.items()
        ],
        "sweep trials": [],
        "sweep": {
            cell: {
                method: [
                    [s, [max(0.1, top - drop * abs(math.log10(s) - 0.5)) + e for e in (-0.01, 0.0, 0.01)],
                     [0.5 / (1 + s) + 0.01] * 3]
                    for s in strengths
                ]
                for method, top, drop in (("penalty", 0.5, 0.1), ("snap-pull", 0.58, 0.05))
            }
            for cell in ("2x4", "4x4")
        },
        "gains": {
            "map-digits": {
                rival: [
                    [f"{M}x{K}", n, [0.05 * max(0.0, math.log2(n / K)) + 0.01 * s for s in (-1, 0, 1)]]
                    for M in (1, 2) for K in (2, 4, 8, 16) for n in (2, 6, 10)
                ]
                for rival in ("penalty", "none", "ste")
            },
            "map-classes": {},
        },
        "elsewhere": {
            "unseen": {"2x4": {"penalty": [0.01, -0.02, 0.04], "none": [0.02, -0.01, 0.05]}},
            "quantizers": {"rq 2x4": {"none": [0.2, 0.1, 0.3], "ste": [-0.1, -0.2, -0.05]},
                           "opq 2x4": {"none": [0.1, -0.1, 0.3]}},
        },
        "circle": {
            method: {"setting": "strength 3", "at_end": False, "tried": [["strength 3", 0.8]],
                     "seeds": list(range(8)), "adc_map": [round(0.5 + 0.05 * s, 3) for s in range(8)]}
            for method in ("none", "penalty", "snap-pull")
        },
        "rounds": {
            "2x4": {
                method: {"moved": [0.4, 0.3, 0.2], "purity": [0.5, 0.6, end], "uphill": [0.0, up, 0.0]}
                for method, end, up in (
                    ("none", 0.61, 0.0), ("penalty", 0.66, 0.08), ("snap-pull", 0.72, 0.0)
                )
            },
        },
    }  # fmt: skip


def empty() -> dict[str, Any]:
    """A map of which nothing has run."""
    return {
        "made by": "a test", "level": 0.05, "comparisons": 8, "methods": METHODS, "sweep trials": [],
        "cells": [{"cell": name, **_size(name), "methods": {}} for name in CELLS],
        "sweep": {}, "gains": {"map-digits": {}}, "elsewhere": {}, "circle": {}, "rounds": {},
    }  # fmt: skip
