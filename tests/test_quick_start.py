"""The early chapters draw their first picture before torch, faiss or scikit-learn is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
EARLY = ("00", "01", "02", "03", "05", "06")

#: Runs a chapter's cells in plain Python up to its first picture, then says what has been loaded.
PROGRAM = """
import contextlib, io, sys
from pathlib import Path
source = next(Path("notebooks/src").glob(sys.argv[1] + "_*.py")).read_text()
shown, names = [], {"__name__": "__main__", "get_ipython": lambda: None}
import IPython.display
from gsl_tutorial.course.plots import style
style.display = lambda *what, **how: shown.append(what)
cells = [one for one in source.split("# %%")[1:] if not one.startswith(" [markdown]")]
with contextlib.redirect_stdout(io.StringIO()):
    for cell in cells:
        exec(cell.partition("\\n")[2], names)
        last = cell.rstrip().splitlines()[-1]
        if shown or hasattr(names.get(last), "_repr_mimebundle_"):
            break
    else:
        raise SystemExit("this chapter shows nothing")
print(sorted({name for name in ("torch", "faiss", "sklearn") if name in sys.modules}))
"""


@pytest.mark.parametrize("chapter", EARLY)
def test_the_first_picture_waits_for_nothing_heavy(chapter: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, chapter],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "name",
    ["exercises", "toys.plane_methods", "plots.clusters", "plots.uphill", "widgets.explorer",
     "widgets.explorer_turns", "widgets.quantization", "widgets.photo_search", "widgets.four_bytes"],
)  # fmt: skip
def test_what_early_chapters_import_is_light(name: str) -> None:
    loaded = "print('torch' in sys.modules, 'faiss' in sys.modules)"
    program = f"import sys, gsl_tutorial.course.{name}; {loaded}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"


def test_a_quantizer_that_is_not_fitted_is_still_scikit_learns_error() -> None:
    import pickle

    from sklearn.exceptions import NotFittedError as Theirs

    from gsl_tutorial.errors import NotFittedError, TutorialError

    error = NotFittedError("a fitted quantizer", "a new one", "call fit(X) first")
    assert isinstance(error, Theirs)
    assert isinstance(error, TutorialError)
    assert error.exit_code == 2
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_digits_are_those_of_scikit_learn_wherever_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sklearn.datasets import load_digits

    from gsl_tutorial.course.datasets import digits

    ours, theirs = digits._pixels_and_targets(), load_digits(return_X_y=True)
    monkeypatch.setattr(digits, "find_spec", lambda name: None)
    again = digits._pixels_and_targets()
    for mine, fallback, right in zip(ours, again, theirs, strict=True):
        assert np.array_equal(mine, right)
        assert np.array_equal(fallback, right)
        assert mine.dtype == right.dtype
