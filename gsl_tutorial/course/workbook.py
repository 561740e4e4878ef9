"""Where the notebooks and their data are, and how they get into a folder of the reader's own.

A clone of the repository, and a copy made for a class, hold them beside the package. An installed wheel
holds them inside it, in the folder `packed`, because there is no clone; there they are only read, and the
reader works on a copy.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from gsl_tutorial.errors import DataMissingError, StorageError

#: The notebook that a workbook begins with; a folder that holds it is one.
FIRST = Path("notebooks") / "00_start_here.ipynb"
_PARTS = ("notebooks", "data")
_BESIDE = Path(__file__).resolve().parents[2]
_PACKED = Path(__file__).resolve().parent / "packed"


def is_workbook(folder: Path) -> bool:
    """Whether the first notebook lies in this folder."""
    return (folder / FIRST).exists()


def shipped_workbook() -> Path | None:
    """Find the workbook that came with the package.

    Returns
    -------
    Path or None
        The clone, or the folder inside an installed package; None where there is neither.
    """
    return next(filter(is_workbook, (_BESIDE, _PACKED)), None)


def is_clone(folder: Path) -> bool:
    """Whether the package itself lies beside the notebooks, so that they may be opened where they are."""
    return folder == _BESIDE


def data_folder() -> Path:
    """Return the folder of what we computed: trained weights, codes, records of studies.

    Returns
    -------
    Path
        `data` of the workbook that came with the package; beside the package where there is none.
    """
    return (_PACKED if is_workbook(_PACKED) else _BESIDE) / "data"


def copy_workbook(to: Path) -> list[Path]:
    """Copy notebooks and data into a folder; what is there already stays as it is.

    Parameters
    ----------
    to : Path
        A folder, which is made if need be.

    Returns
    -------
    list of Path
        The files that are new there.

    Raises
    ------
    DataMissingError
        No workbook came with the package.
    StorageError
        Something could not be written.
    """
    source = shipped_workbook()
    if source is None:
        raise DataMissingError(
            "the notebooks beside the package or inside it",
            "neither",
            'install it again: pip install --force-reinstall --no-deps "gsl-tutorial[course]"',
        )
    made = []
    try:
        for file in _files(source):
            place = to / file.relative_to(source)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
                made.append(place)
    except OSError as error:
        raise StorageError(
            f"to copy the workbook into {to}", str(error), "make room or choose another folder"
        ) from error
    return made


def workbook_size() -> int:
    """Return how many bytes `copy_workbook` copies into an empty folder."""
    source = shipped_workbook()
    return sum(file.stat().st_size for file in _files(source)) if source else 0


def _files(source: Path) -> Iterator[Path]:
    for part in _PARTS:
        for file in sorted((source / part).rglob("*")):
            names = file.relative_to(source).parts
            if (
                file.is_file()
                and names[1] != "src"
                and not any(one.startswith(".") for one in names)
            ):
                yield file
