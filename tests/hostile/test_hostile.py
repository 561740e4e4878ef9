"""No input ends the process, and what is refused is refused in the package's own words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_ten_thousand_arrays_that_no_function_asked_for() -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "throw.py", "10000"],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    leaks = json.loads(done.stdout.splitlines()[-1])
    assert not leaks, "\n".join(map(str, leaks))
