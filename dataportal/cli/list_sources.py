"""`dataportal list-sources`: shows every source with its state, or checks sources.yaml."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import database_exists, open_to_read
from dataportal.cli.error_report import report_error
from dataportal.cli.options import Invocation
from dataportal.cli.selection import (
    OnlyOption,
    StateOption,
    conditions,
    load_configuration,
    select_by_pattern,
)
from dataportal.errors import DatabaseError, DataportalError, ExitCode, UsageError
from dataportal.render.console import foreign_output_on_stderr
from dataportal.render.view import look_at_view
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.config import Configuration, Source
    from dataportal.settings import Settings
    from dataportal.store.backfills import SourcesBackfill
    from dataportal.store.read.overview import SourceRow
    from dataportal.store.read.storage import Storage

EXAMPLES = (
    "dataportal list-sources",
    "dataportal list-sources --state failing --state stale",
    "dataportal list-sources --series --only fred",
    "dataportal list-sources --only 'smard-*' --json",
    "dataportal --config sources.yaml list-sources --check",
    "dataportal list-sources --catalogue",
    "dataportal list-sources --catalogue wind offshore",
)


def command(
    ctx: typer.Context,
    *,
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="With --catalogue: words that occur in what is known of a series, such as name, "
            "provider, country, unit or licence.",
        ),
    ] = None,
    catalogue: Annotated[
        bool,
        typer.Option(
            "--catalogue",
            help="What is shipped and could be included, with its licence, rather than what is in "
            "sources.yaml.",
        ),
    ] = False,
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
    state: StateOption = None,
) -> ExitCode:
    """Every source with its series, schedule and state.

    Also its last run, its last success, the newest observation and when it is next due.
    States: ok, due, running, failing, stale, doubtful, never run, disabled, "needs X" (a variable
    that is not set), broken (see --check), gone (stored, and no longer in the file), unknown (the
    database is out of reach).
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    if check and state:
        raise UsageError("--check asks no database: leave --state out")
    wanted = conditions(state)
    if catalogue:
        if check or state:
            raise UsageError("--catalogue takes neither --check nor --state")
        return _catalogue(invocation, text or (), only or (), by_series=series)
    if text:
        raise UsageError(
            f"{' '.join(text)!r} is looked for in the catalogue alone",
            hint="Add --catalogue; or choose sources by --only",
        )
    configuration = load_configuration(settings, invocation)
    sources = select_by_pattern(configuration, only or ())
    if check:
        return _check(configuration, sources, invocation)
    from dataportal.cli.listings import sources_view

    rows: Mapping[str, SourceRow] | None = None
    backfill: SourcesBackfill | None = None
    storage: Storage | None = None
    failure: DataportalError | None = None
    try:
        rows, backfill, storage = _read_database(settings, with_storage=invocation.json)
    except DatabaseError as error:
        failure = error
    view = sources_view(configuration, sources, only or (), rows, utc_now(), settings.zone)
    view = replace(view.only_in(wanted), by_series=series, backfill=backfill, storage=storage)
    look_at_view(view, json=invocation.json)
    if failure is not None:
        return report_error(failure, json=invocation.json, debug=invocation.debugging)
    return ExitCode.DONE


def _catalogue(
    invocation: Invocation, text: "Sequence[str]", only: "Sequence[str]", *, by_series: bool
) -> ExitCode:
    from dataportal.config.shipped import search_catalogue
    from dataportal.render.shipped import ShippedView

    files = search_catalogue(invocation.env, " ".join(text), only)
    look_at_view(ShippedView(files, by_series or bool(text)), json=invocation.json)
    return ExitCode.DONE


def _read_database(
    settings: "Settings",
    *,
    with_storage: bool,
) -> "tuple[Mapping[str, SourceRow], SourcesBackfill | None, Storage | None]":
    """What the database has of every source, the backfill to go on with, and how large it is."""
    if not database_exists(settings):
        return {}, None, None
    from dataportal.store.backfills import unfinished_backfill
    from dataportal.store.read.overview import overview

    with open_to_read(settings, "list-sources") as connection:
        rows, backfill = overview(connection), unfinished_backfill(connection)
        if not with_storage:
            return rows, backfill, None
        from dataportal.store.read.storage import read_storage

        return rows, backfill, read_storage(connection)


def _check(
    configuration: "Configuration", sources: "list[Source]", invocation: Invocation
) -> ExitCode:
    from dataportal.config import PluginParametersError, build_plugin
    from dataportal.render.list_sources import ConfigurationView

    problems: dict[str, list[str]] = {}
    with foreign_output_on_stderr():
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
        look_at_view(view, json=invocation.json)
    return ExitCode.DONE if view.ok else ExitCode.CONFIGURATION
