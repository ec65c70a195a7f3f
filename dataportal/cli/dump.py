"""`dataportal dump`: writes the whole history of series to a file."""

from enum import StrEnum
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
    "dataportal dump smard-1223-de-hour smard-5097-de-quarterhour history --format parquet",
)


class Format(StrEnum):
    """What is written."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    ARROW = "arrow"


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
            metavar="FILE",
            help="A new file: JSON lines, compressed if it ends in .gz; of parquet and arrow a new "
            "folder.",
        ),
    ],
    output_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="parquet and arrow need the extra frames, and are read by other programs; restore "
            "takes jsonl.",
        ),
    ] = Format.JSONL,
) -> ExitCode:
    """Write the whole history of series to a file.

    Their metadata, every version with the times at which it was known, every publication, and up to
    when answers are final: all as it is at one moment. The file appears whole or not at all, and
    the same history gives the same bytes. dataportal restore brings it back, here or elsewhere.

    With --format parquet or arrow it is a folder, whole as well, with versions, publications and
    issues: the runs of forecasts. DuckDB, polars and pandas read each as one table.
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

    table_format = None
    if output_format is Format.JSONL:
        check_target(file)
    else:
        from dataportal.cli.table_output import check_table_folder
        from dataportal.render.table_formats import TableFormat

        table_format = TableFormat(output_format)
        check_table_folder(file, table_format)
    with (
        open_to_read(settings, "dump") as connection,
        progress_bar("writing", wanted=invocation.shows_progress) as progress,
    ):
        names = list(dict.fromkeys(series))
        known = set(series_names(connection))
        for name in names:
            if name not in known:
                raise unknown_series(name, known)
        checksum: str | None = None
        if table_format is None:
            archived, checksum = dump(connection, names, file, progress=progress)
        else:
            from dataportal.cli.dump_tables import dump_tables
            from dataportal.store.read.selection import select_series

            selected = select_series(connection, names)
            archived = dump_tables(connection, selected, file, table_format, progress=progress)
    if not invocation.silent:
        show_view(DumpView(file, archived, checksum), json=invocation.json)
    return ExitCode.DONE
