"""Puts the notebooks and their data into wheels; all else about the package stands in pyproject.toml.

A clone has both beside the package, and an editable install reads them there. Whoever installs a wheel
has no clone, and `gsl-tutorial lab --copy` takes them from here.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

LEFT_BEHIND = shutil.ignore_patterns("src", "__pycache__", ".*")


class WithWorkbook(build_py):
    """Copies `notebooks` and `data` into the package, where `course/workbook.py` looks for them."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        to = Path(self.build_lib) / "gsl_tutorial" / "course" / "packed"
        shutil.rmtree(to, ignore_errors=True)
        for part in ("notebooks", "data"):
            shutil.copytree(part, to / part, ignore=LEFT_BEHIND)


setup(cmdclass={"build_py": WithWorkbook})
