"""The world in which a notebook runs: the same on every machine, whatever lies there.

Without this a build would draw other pictures where the CIFAR-10 images or a GPU are at hand, or
where a user's own matplotlib or IPython settings change a figure or an output. And a sum that two threads
share is rounded otherwise than one thread's: the number of threads is part of an output, so it is fixed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: One thread, whatever the machine has and whatever its user has set: for torch and faiss (OpenMP), each
#: BLAS (which listens to its own variable first), and code that is compiled here.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_DYNAMIC": "FALSE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
#: Set for every run. `GSL_TUTORIAL_PRESS` tells widgets and progress bars that nobody is watching.
FIXED = {
    "GSL_TUTORIAL_PRESS": "1",
    "GSL_TUTORIAL_OFFLINE": "1",
    "PYTHONHASHSEED": "0",
    **ONE_THREAD,
    "OMP_WAIT_POLICY": "PASSIVE",
    "CUDA_VISIBLE_DEVICES": "",
    "MATPLOTLIBRC": os.devnull,
}
#: Set to an empty folder that is removed after the run.
EMPTY_FOLDERS = ("GSL_TUTORIAL_CACHE", "IPYTHONDIR")
#: Taken away.
UNSET = ("GSL_TUTORIAL_DATA", "MPLBACKEND", "PYTHONWARNINGS")

#: The three that hide the images of this machine.
HIDES_IMAGES = ("GSL_TUTORIAL_OFFLINE", "GSL_TUTORIAL_CACHE", "GSL_TUTORIAL_DATA")


def kernel_environment(
    scratch: Path, *, around: Mapping[str, str] = os.environ, images: bool = False
) -> dict[str, str]:
    """The environment of a kernel whose empty folders lie in `scratch`.

    With `images`, the variables of the surrounding process that lead to data stay as they are.
    """
    wanted = {**FIXED, **{name: str(scratch / name.lower()) for name in EMPTY_FOLDERS}}
    kept = {name: value for name, value in around.items() if name not in UNSET}
    result = {**kept, **wanted}
    if images:
        for name in HIDES_IMAGES:
            result.pop(name, None)
            if name in around:
                result[name] = around[name]
    for name in EMPTY_FOLDERS:
        if name in result:
            Path(result[name]).mkdir(parents=True, exist_ok=True)
    return result
