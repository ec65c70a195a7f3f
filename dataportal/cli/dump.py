"""`dataportal dump`: writes the whole history of series to a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.completion import complete_series
from dataportal.cli.database import open_to_read
from dataportal.errors import ExitCode

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal dump smard-1223-de-hour load.jsonl.gz",
    "dataportal dump mauna-loa-co2 sunspots sample.jsonl",
    "dataportal -q dump mauna-loa-co2 co2-$(date -u +%F).jsonl.gz",
)


def command(
    ctx: typer.Context,
    *,
    series: Annotated[
        list[str],
        typer.Argument(
            metavar="SERIES…", help="Their endpoint_prefixes.", autocompletion=complete_series
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A new file: JSON lines, compressed if it ends in .gz."
        ),
    ],
) -> ExitCode:
    """Write the whole history of series to a file.

    Their metadata, every version with the times at which it was known, every publication, and up to
    when answers are final: all as it is at one moment. The file appears whole or not at all, and
    the same history gives the same bytes. dataportal restore brings it back, here or elsewhere.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    from dataportal.render.archive import DumpView
    from dataportal.render.progress_bar import progress_bar
    from dataportal.render.view import show_view
    from dataportal.store.archive.dump import dump
    from dataportal.store.archive.file import check_target
    from dataportal.store.read.history import series_names
    from dataportal.store.read.selection import unknown_series

    check_target(file)
    with (
        open_to_read(settings, "dump") as connection,
        progress_bar("writing", wanted=invocation.shows_progress) as progress,
    ):
        names = list(dict.fromkeys(series))
        known = set(series_names(connection))
        for name in names:
            if name not in known:
                raise unknown_series(name, known)
        archived, checksum = dump(connection, names, file, progress=progress)
    if not invocation.silent:
        show_view(DumpView(file, archived, checksum), json=invocation.json)
    return ExitCode.DONE
