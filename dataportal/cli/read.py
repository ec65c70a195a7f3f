"""`dataportal read`: the values of series, as they were known or published at points in time."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.atomic_files import check_replaceable
from dataportal.cli.answer_options import (
    FormatOption,
    FromOption,
    OutputOption,
    RecordedOption,
    UntilOption,
    choose_format,
)
from dataportal.cli.database import open_to_read
from dataportal.cli.stored_series import SeriesArgument, WhereOption, parse_selection
from dataportal.cli.times import By, option_window
from dataportal.errors import ExitCode, UsageError
from dataportal.render.console import show
from dataportal.render.pager import show_paged
from dataportal.resampling import Aggregate
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal read smard-1223-de-hour --limit 5",
    "dataportal read 'smard-*-de-hour' --as-of 2025-03-03T06:00Z --wide --format csv -o load.csv",
    "dataportal read smard-5097-de-quarterhour --cutoff 'D-1 06:00 Europe/Berlin' --start 30d",
    "dataportal read --where unit=MW --lead 24h --start 2025-03-01 --end 2025-04-01",
    "dataportal read mauna-loa-co2 --every '1 month' --agg mean --start 2000-01-01",
    "dataportal read smard-1223-de-hour smard-4071-de-hour --at decisions.csv --wide --format csv",
    "dataportal read 'smard-*' --start 2025-01-01 -o smard.parquet",
)


def command(
    ctx: typer.Context,
    *,
    series: SeriesArgument = None,
    where: WhereOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="K", help="The values known at K.")
    ] = None,
    lead: Annotated[
        str | None,
        typer.Option("--lead", metavar="D", help="For each ts the value known D before it: 24h."),
    ] = None,
    cutoff: Annotated[
        str | None,
        typer.Option(
            "--cutoff",
            metavar="WHEN",
            help="For each ts the value known at a time of day, days before: 'D-1 06:00 "
            "Europe/Berlin'.",
        ),
    ] = None,
    issued: Annotated[
        str | None,
        typer.Option(
            "--issued",
            metavar="T",
            help="The run of a forecast at T, whole, or the latest. T may be a day or a minute "
            "with one run.",
        ),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(
            "--release", metavar="N", help="The version of that number: first, 2, 3 …, or latest."
        ),
    ] = None,
    at: Annotated[
        Path | None,
        typer.Option(
            "--at",
            metavar="FILE",
            help="For each row of ts and time of decision the value known then; CSV, - for stdin, "
            "Parquet or Arrow.",
        ),
    ] = None,
    by: Annotated[
        By,
        typer.Option(
            "--by",
            help="By the times at which values became known here, or at which the provider "
            "published them, where it says when.",
        ),
    ] = By.KNOWN,
    recorded: RecordedOption = None,
    assume: Annotated[
        bool,
        typer.Option(
            "--assume",
            help="Let what was back-filled count as known when values of its series usually are: "
            "its availability.",
        ),
    ] = False,
    start: FromOption = None,
    end: UntilOption = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every", metavar="D", help="One value for each 1 hour, 1 day, 1 week, 1 month …"
        ),
    ] = None,
    agg: Annotated[
        Aggregate | None,
        typer.Option("--agg", help="With --every: what becomes of its values [mean]"),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="ZONE",
            help="With --every: whose days and months [SCHEDULER_TIMEZONE]",
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="One row for each ts, one column for each series.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            help="The newest N rows of each series only; with --wide of all together.",
        ),
    ] = None,
    output_format: FormatOption = None,
    output: OutputOption = None,
) -> ExitCode:
    """Values of series, as they are or were known at points in time.

    Without an option for a point in time: the values known now. Times are ISO 8601, or "7d" for
    seven days ago, or "now"; without an offset they are read in SCHEDULER_TIMEZONE (UTC).

    An answer is final where nothing that a run may still store can change it. Else it is
    provisional, which a note on stderr and "final": false say. In CSV the last column says it of
    each row.
    """
    from dataportal.cli.read_answers import answer_decisions, answer_points
    from dataportal.cli.read_questions import PointOptions, parse_request

    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    form = choose_format(invocation, output_format, output)
    now = utc_now()
    names, conditions = parse_selection(series, where)
    if not (names or conditions):
        raise UsageError("name a series, or say --where", hint="See: dataportal list-series")
    first, last = option_window(start, end, settings, now=now)
    request = parse_request(
        PointOptions(as_of, lead, cutoff, issued, release, at),
        by_publication=by is By.PUBLISHED,
        recorded=recorded,
        assume=assume,
        every=every,
        aggregate=agg,
        zone=zone,
        start=first,
        end=last,
        limit=limit,
        wide=wide,
        settings=settings,
        now=now,
    )
    from dataportal.render.output_file import write_lines
    from dataportal.render.progress_bar import progress_bar
    from dataportal.render.read import value_lines
    from dataportal.store.read.selection import select_series

    table_format = form.table_format
    if table_format is not None:
        from dataportal.cli.table_output import check_table_output

        by_columns = wide or request.decisions is not None
        output = check_table_output(output, table_format, wide=by_columns)
    elif output is not None:
        check_replaceable(output)
    with (
        open_to_read(settings, "read") as connection,
        # on a terminal the values themselves show that it goes on
        progress_bar(
            "reading",
            wanted=invocation.shows_progress and not (output is None and sys.stdout.isatty()),
        ) as progress,
    ):
        selected = select_series(connection, names, conditions)
        answer = answer_points if request.decisions is None else answer_decisions
        with answer(connection, request, selected, progress) as values:
            if table_format is not None and output is not None:
                from dataportal.cli.table_output import write_values

                write_values(output, table_format, values)
                return ExitCode.DONE
            lines = value_lines(values, form, settings.zone)
            if output is None:
                (show if invocation.json else show_paged)(lines)
            else:
                write_lines(output, lines)
    return ExitCode.DONE
