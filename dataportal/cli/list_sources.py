"""`dataportal list-sources`."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.configuration import configured
from dataportal.cli.database import exists, reader
from dataportal.cli.error_report import reported
from dataportal.cli.options import Invocation, OnlyOption
from dataportal.cli.selection import matching
from dataportal.errors import DatabaseError, DataportalError, ExitCode
from dataportal.render.console import show
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.config import Configuration, Source
    from dataportal.settings import Settings
    from dataportal.store.read.overview import SourceRow

EXAMPLES = (
    "dataportal list-sources",
    "dataportal list-sources --series --only fred",
    "dataportal list-sources --only 'smard-*' --json",
    "dataportal --config sources.yaml list-sources --check",
)


def command(
    ctx: typer.Context,
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Import every plugin and validate all, without network or database."
        ),
    ] = False,
    series: Annotated[
        bool, typer.Option("--series", help="A line for each series rather than for each source.")
    ] = False,
    only: OnlyOption = None,
) -> ExitCode:
    """Every source with its series, schedule and state.

    Also its last run, its last success, the newest observation and when it is next due.
    States: ok, due, running, failing, stale, never run, disabled, "needs X" (a variable that is not
    set), broken (see --check), unknown (the database is out of reach).
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    configuration = configured(settings, invocation)
    chosen = matching(configuration, only or ())
    if check:
        return _checked(configuration, chosen, invocation)
    return _listed(configuration, chosen, invocation, settings, by_series=series)


def _listed(
    configuration: "Configuration",
    chosen: "list[Source]",
    invocation: Invocation,
    settings: "Settings",
    *,
    by_series: bool,
) -> ExitCode:
    from dataportal.health import broken, judged, unknown
    from dataportal.render.list_sources import Listing, source_lines

    rows: Mapping[str, SourceRow] = {}
    failure: DataportalError | None = None
    try:
        rows = _rows(settings)
    except DatabaseError as error:
        failure = error
    at = utc_now()
    listings = [
        Listing(
            source,
            rows.get(source.name),
            unknown(source) if failure else judged(source, rows.get(source.name), at),
        )
        for source in chosen
    ]
    wrong = {
        name: broken(name, [str(p) for p in problems])
        for name, problems in configuration.broken.items()
    }
    show(
        source_lines(
            listings,
            wrong,
            now=at,
            zone=settings.zone,
            json=invocation.json,
            by_series=by_series,
        )
    )
    if failure is not None:
        return reported(failure, json=invocation.json, debug=invocation.debugging)
    return ExitCode.DONE


def _rows(settings: "Settings") -> "Mapping[str, SourceRow]":
    if not exists(settings):
        return {}
    from dataportal.store.read.overview import overview

    with reader(settings, "list-sources") as connection:
        return overview(connection)


def _checked(
    configuration: "Configuration", chosen: "list[Source]", invocation: Invocation
) -> ExitCode:
    from dataportal.config import build_plugin
    from dataportal.render.list_sources import check_lines

    problems: dict[str, list[str]] = {}
    for source in chosen:
        problems[source.name] = []
        if source.missing_env:
            continue
        try:
            build_plugin(source, env=invocation.env, root=configuration.root)
        except DataportalError as error:
            problems[source.name].append(str(error))
    for problem in configuration.problems:
        problems.setdefault(problem.source or "", []).append(str(problem))
    good = not any(problems.values())
    if invocation.json or not (invocation.quiet and good):
        show(check_lines(chosen, problems, configuration.warnings, json=invocation.json))
    return ExitCode.DONE if good else ExitCode.CONFIGURATION
