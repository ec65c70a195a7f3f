"""`dataportal report`: one HTML page that shows how every source stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.atomic_files import check_replaceable
from dataportal.cli.database import database_exists, open_to_read, with_gaps
from dataportal.cli.error_report import report_error
from dataportal.cli.options import Invocation
from dataportal.cli.selection import OnlyOption, load_configuration, matches_any, select_by_pattern
from dataportal.command_lines import hide_database
from dataportal.errors import DatabaseError, ExitCode, UsageError
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.config import Source
    from dataportal.render.report import Activity
    from dataportal.settings import Settings
    from dataportal.store.read.gaps import SeriesGaps
    from dataportal.store.read.overview import SourceRow

EXAMPLES = (
    "dataportal report -o status.html",
    "dataportal -q report -o /var/www/status.html",
    "dataportal report --json --only 'smard-*'",
)
_STDOUT = Path("-")
_DAYS = 30
_RUNS = 20
_VALUES = 48


def command(
    ctx: typer.Context,
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="The page; - for stdout."),
    ] = None,
    only: OnlyOption = None,
) -> ExitCode:
    """One page that shows how every source stands.

    State and reason, newest values, last runs, revisions a day, gaps of the last 30 days, disk
    used: in one HTML file that asks no network and needs no script. The file appears whole or not
    at all, so that a web server may serve it. --json answers the same as data. The exit code says
    whether the page could be made: for how the sources stand, ask healthcheck.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    if output is None and not invocation.json:
        raise UsageError(
            "report writes a page: name a file for it",
            hint="dataportal report -o status.html, or -o - for stdout; for data: --json",
        )
    if output == _STDOUT and invocation.json:
        raise UsageError("-o - and --json both write to stdout: leave one of them out")
    from dataportal.cli.listings import sources_view
    from dataportal.render.console import show
    from dataportal.render.output_file import write_lines
    from dataportal.render.report import Report
    from dataportal.render.status_page import StatusPage
    from dataportal.render.view import show_view

    if output not in {None, _STDOUT}:
        check_replaceable(output)
    configuration = load_configuration(settings, invocation)
    hide_database()
    sources = select_by_pattern(configuration, only or ())
    rows: Mapping[str, SourceRow] | None = None
    activity = failure = None
    try:
        rows, activity = _read_database(settings, sources, only or (), invocation)
    except DatabaseError as error:
        failure = error
    view = sources_view(configuration, sources, only or (), rows, utc_now(), settings.zone)
    page = StatusPage(Report(view, activity, str(failure) if failure else None))
    if output == _STDOUT:
        show(page.lines())
    elif output is not None:
        # a web server is another user
        write_lines(output, page.lines(), for_everybody=True)
    if invocation.json:
        show_view(page, json=True)
    elif output != _STDOUT and not invocation.quiet:
        show([f"{output}: {page.summary}"])
    if failure is not None:
        return report_error(failure, json=invocation.json, debug=invocation.debugging)
    return ExitCode.DONE


def _read_database(
    settings: "Settings",
    sources: "Sequence[Source]",
    only: "Sequence[str]",
    invocation: Invocation,
) -> "tuple[Mapping[str, SourceRow], Activity | None]":
    """What the database has of every source, and what became of them lately."""
    if not database_exists(settings):
        return {}, None
    from datetime import timedelta

    from dataportal.render.progress_bar import progress_bar
    from dataportal.render.report import Activity
    from dataportal.store.read.activity import changes_by_day, disk_shares, newest_values
    from dataportal.store.read.gaps import gaps_of_series
    from dataportal.store.read.overview import RECENT, database_facts, overview
    from dataportal.store.read.runs import last_runs
    from dataportal.store.read.selection import select_series
    from dataportal.store.read.storage import read_storage

    now = utc_now()
    since = now - timedelta(days=_DAYS)
    with (
        open_to_read(settings, "report") as connection,
        progress_bar("looking", wanted=invocation.shows_progress) as progress,
    ):
        selected = {source.name for source in sources}
        rows = {
            name: row
            for name, row in with_gaps(connection, overview(connection), sources, now).items()
            if name in selected or matches_any(name, only)
        }
        storage = read_storage(connection)
        gaps: dict[str, list[SeriesGaps]] = {}
        for found in gaps_of_series(
            connection,
            [series for series in select_series(connection) if series.source in rows],
            start=since,
            since_first=True,
            progress=progress,
        ):
            gaps.setdefault(found.series.source, []).append(found)
        activity = Activity(
            since,
            last_runs(connection, list(rows), limit=_RUNS),
            changes_by_day(connection, since=since, zone=settings.zone),
            gaps,
            newest_values(
                connection,
                [series.series_id for row in rows.values() for series in row.series],
                recent=now - RECENT,
                limit=_VALUES,
            ),
            disk_shares(connection, storage),
            storage,
            database_facts(connection),
        )
    return rows, activity
