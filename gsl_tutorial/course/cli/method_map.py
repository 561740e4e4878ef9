"""The command around the map: gather the records into one small file, and draw it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gsl_tutorial.course.cli.app import app


@app.command(name="map")
def map_(
    results: Annotated[Path, typer.Option(help="Folder of the studies' records.")] = Path(
        "data/results"
    ),
    to: Annotated[Path, typer.Option(help="The file that chapter 07 reads.")] = Path(
        "data/map.json"
    ),
    picture: Annotated[Path, typer.Option(help="The picture of the README, as SVG.")] = Path(
        "docs/map.svg"
    ),
) -> None:
    """When does snapping matter? Gather what the map's records say, for chapter 07 and the README."""
    from gsl_tutorial.course.plots.method_map import map_svg
    from gsl_tutorial.course.study.map_file import gather, parse_map, write_map
    from gsl_tutorial.course.study.map_words import elsewhere_says, when_it_matters
    from gsl_tutorial.errors import DataMissingError
    from gsl_tutorial.storage import write_bytes

    if not (results / "map").is_dir():
        raise DataMissingError(
            f"records of the map in {results}",
            "no folder map",
            "run the study first (gsl-tutorial study map), or read ours: --results data/results",
        )
    found = gather(results)
    table = parse_map(found)
    write_map(found, to)
    write_bytes(picture, map_svg(table).encode())
    print("\n".join([*when_it_matters(table), *elsewhere_says(table)]))
    print(f"Wrote {to} and {picture}. Chapter 07 shows them: gsl-tutorial build 07")
