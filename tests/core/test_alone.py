"""The core imports none of what the course brings; `make unit` runs all tests of this folder that way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import os, runpy, sys
os.environ["GSL_TUTORIAL_CORE_ALONE"] = "1"
runpy.run_path(sys.argv[1])
try:
    import matplotlib
except ModuleNotFoundError as error:
    assert "the core asked for matplotlib" in str(error), error
else:
    raise AssertionError("matplotlib could be imported")
import gsl_tutorial
for name in gsl_tutorial.__all__:
    getattr(gsl_tutorial, name)
import gsl_tutorial.evaluation, gsl_tutorial.snapping.by_hand, gsl_tutorial.quantizers.faiss_index
"""


def test_the_core_is_imported_with_everything_else_blocked() -> None:
    conftest = Path(__file__).with_name("conftest.py")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(conftest)],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
