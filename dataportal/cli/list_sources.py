"""`dataportal list-sources`: shows every source with its state, or checks sources.yaml."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import database_exists, open_to_read
from dataportal.cli.error_report import report_error
from dataportal.cli.options import Invocation
from dataportal.cli.selection import OnlyOption, load_configuration, select_by_pattern
from dataportal.errors import DatabaseError, DataportalError, ExitCode
from dataportal.render.view import show_view
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
    States: ok, due, running, failing, stale, doubtful, never run, disabled, "needs X" (a variable
    that is not set), broken (see --check), unknown (the database is out of reach).
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    configuration = load_configuration(settings, invocation)
    sources = select_by_pattern(configuration, only or ())
    if check:
        return _check(configuration, sources, invocation)
    return _list(configuration, sources, invocation, settings, by_series=series)


def _list(
    configuration: "Configuration",
    sources: "list[Source]",
    invocation: Invocation,
    settings: "Settings",
    *,
    by_series: bool,
) -> ExitCode:
    from dataportal.health import broken_entry, judge, unknown_state
    from dataportal.render.list_sources import Listing, SourcesView

    rows: Mapping[str, SourceRow] = {}
    failure: DataportalError | None = None
    try:
        rows = _source_rows(settings)
    except DatabaseError as error:
        failure = error
    now = utc_now()
    listings = [
        Listing(
            source,
            rows.get(source.name),
            unknown_state(source) if failure else judge(source, rows.get(source.name), now),
        )
        for source in sources
    ]
    unusable = {
        name: broken_entry(name, [str(problem) for problem in problems])
        for name, problems in configuration.broken.items()
    }
    view = SourcesView(listings, unusable, now, settings.zone, by_series=by_series)
    show_view(view, json=invocation.json)
    if failure is not None:
        return report_error(failure, json=invocation.json, debug=invocation.debugging)
    return ExitCode.DONE


def _source_rows(settings: "Settings") -> "Mapping[str, SourceRow]":
    """What the database has of every source, by its name."""
    if not database_exists(settings):
        return {}
    from dataportal.store.read.overview import overview

    with open_to_read(settings, "list-sources") as connection:
        return overview(connection)


def _check(
    configuration: "Configuration", sources: "list[Source]", invocation: Invocation
) -> ExitCode:
    from dataportal.config import PluginParametersError, build_plugin
    from dataportal.render.list_sources import ConfigurationView

    problems: dict[str, list[str]] = {}
    for source in sources:
        problems[source.name] = []
        if source.missing_env:
            continue
        try:
            build_plugin(source, env=invocation.env, root=configuration.root)
        except PluginParametersError as error:
            problems[source.name] += error.faults
        except DataportalError as error:
            problems[source.name].append(str(error))
    for problem in configuration.problems:
        problems.setdefault(problem.source or "", []).append(str(problem))
    view = ConfigurationView(sources, problems, configuration.warnings)
    if not (invocation.silent and view.ok):
        show_view(view, json=invocation.json)
    return ExitCode.DONE if view.ok else ExitCode.CONFIGURATION
