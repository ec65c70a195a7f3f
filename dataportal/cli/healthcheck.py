"""`dataportal healthcheck`: checks configuration, database, schema and freshness."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import open_to_read, with_gaps
from dataportal.cli.options import Invocation
from dataportal.cli.selection import OnlyOption, load_configuration, select_by_pattern
from dataportal.command_lines import command_line
from dataportal.errors import ConfigurationError, DatabaseError, ExitCode, SchemaError, worst_code
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dataportal.config import Configuration
    from dataportal.render.healthcheck import CheckResult
    from dataportal.settings import Settings
    from dataportal.store.read.overview import SourceRow
    from dataportal.store.read.storage import Storage
    from dataportal.store.verifications import LatestVerification

    Verifications = Sequence[LatestVerification]

EXAMPLES = (
    "dataportal healthcheck",
    "dataportal -q healthcheck --only 'smard-*'",
    "dataportal healthcheck --live   # for container probes: no database is asked",
)


def command(
    ctx: typer.Context,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Only say that the program starts; asks no database.")
    ] = False,
    only: OnlyOption = None,
) -> ExitCode:
    """Check configuration, database, schema and freshness.

    A source is ill when its last scheduled attempt failed, when it has never been fetched with
    success, when its last success is older than its stale_after, or its newest observation older
    than its data_stale_after; without that, when all its series that used to advance stand still;
    when a gap of its series is older than its gaps_stale_after; and while it is doubted whether an
    answer was all there is. Sources that are disabled are not looked at, nor those that need a
    variable, unless they had it and have grown stale since.
    """
    invocation: Invocation = ctx.obj
    from dataportal.render.healthcheck import HealthView, LiveView
    from dataportal.render.view import look_at_view, note_view

    if live:
        view: HealthView = LiveView()
    else:
        view = HealthView(*_check(invocation.settings(), invocation, only or ()))
    if not invocation.silent:
        look_at_view(view, json=invocation.json)
    elif ill := [check for check in view.checks if not check.ok]:
        note_view(HealthView(ill))
    return worst_code(check.code for check in view.checks)


def _check(
    settings: "Settings", invocation: Invocation, only: "Sequence[str]"
) -> "tuple[list[CheckResult], Storage | None]":
    from dataportal.render.healthcheck import CheckResult, failure
    from dataportal.render.storage import storage_sentence

    checks: list[CheckResult] = []
    configuration = None
    try:
        configuration = load_configuration(settings, invocation)
        checks += _check_configuration(configuration)
    except ConfigurationError as error:
        checks.append(failure("configuration", error))
    rows = storage = None
    now = utc_now()
    try:
        rows, unstorable, server, storage, verified = _read_database(settings, configuration, now)
        checks.append(CheckResult("database", message=server))
        checks += [
            CheckResult("database", source=name, message=reason, code=ExitCode.CONFIGURATION)
            for name, reason in unstorable.items()
        ]
        checks.append(CheckResult("schema", message="up to date"))
        checks.append(CheckResult("storage", message=storage_sentence(storage)))
        checks += _check_verifications(verified, settings)
    except SchemaError as error:
        checks += [CheckResult("database"), failure("schema", error)]
    except (ConfigurationError, DatabaseError) as error:
        checks.append(failure("database", error))
    if configuration is not None and rows is not None:
        checks += _check_freshness(configuration, rows, only, now)
    return checks, storage


def _check_configuration(configuration: "Configuration") -> "list[CheckResult]":
    from dataportal.render.formatting import pluralize
    from dataportal.render.healthcheck import CheckResult

    problems = [
        CheckResult(
            "configuration",
            source=problem.source,
            message=str(problem),
            code=ExitCode.CONFIGURATION,
        )
        for problem in configuration.problems
    ]
    count = pluralize(len(configuration.sources), "source")
    return problems or [CheckResult("configuration", message=f"{count} in {configuration.path}")]


def _read_database(
    settings: "Settings", configuration: "Configuration | None", now: "datetime"
) -> "tuple[Mapping[str, SourceRow], Mapping[str, str], str, Storage, Verifications]":
    """What it has of every source, why it cannot hold some, its server, size and verifications."""
    from dataportal.health import needs_newest
    from dataportal.render.formatting import pluralize
    from dataportal.store.encoding import find_unstorable
    from dataportal.store.read.overview import database_facts, overview
    from dataportal.store.read.storage import read_storage
    from dataportal.store.verifications import latest_verifications

    sources = {source.name: source for source in configuration.sources} if configuration else {}

    def newest_if(row: "SourceRow") -> bool:
        source = sources.get(row.state.source)
        return source is not None and needs_newest(source, row, now)

    with open_to_read(settings, "healthcheck") as connection:
        facts = database_facts(connection)
        verified = latest_verifications(connection)
        rows = overview(connection, newest_if=newest_if)
        rows = with_gaps(connection, rows, sources.values(), now)
        unstorable = {
            name: reason
            for name, source in sources.items()
            if (reason := find_unstorable(connection, source.texts))
        }
        storage = read_storage(connection)
    extension = f", TimescaleDB {facts.timescaledb}" if facts.timescaledb else ""
    if nodes := storage.distribution.nodes:
        extension += f", Citus {facts.citus} on {pluralize(len(nodes), 'server')}"
    encoding = f", encoding {facts.encoding}" if facts.encoding != "UTF8" else ""
    server = f"PostgreSQL {facts.server_version}{extension}{encoding}"
    return rows, unstorable, server, storage, verified


def _check_verifications(verified: "Verifications", settings: "Settings") -> "list[CheckResult]":
    """What `verify` found the last time; nothing where it never came to an end."""
    from dataportal.render.healthcheck import CheckResult
    from dataportal.render.verify import verification_text

    if not verified:
        return []
    latest = verified[0]
    # a part that is well does not make up for faults in the whole; the whole does for a part
    counting = [row for row in verified if row is latest or row.is_whole]
    faults = sum(row.found for row in counting)
    message = "; ".join(verification_text(row, settings.zone) for row in counting)
    if not faults:
        return [CheckResult("verification", message=message)]
    # nobody but the next verification can tell whether all is repaired
    return [
        CheckResult(
            "verification",
            message=message,
            code=ExitCode.UNHEALTHY,
            remarks=[f"after the repair run: {command_line('verify')}"],
        )
    ]


def _check_freshness(
    configuration: "Configuration",
    rows: "Mapping[str, SourceRow]",
    only: "Sequence[str]",
    now: "datetime",
) -> "list[CheckResult]":
    from dataportal.health import judge
    from dataportal.render.healthcheck import CheckResult

    sources = select_by_pattern(configuration, only)
    verdicts = [(source, judge(source, rows.get(source.name), now)) for source in sources]
    return [
        CheckResult(
            "source",
            source=verdict.source,
            state=verdict.text,
            message="; ".join(verdict.reasons) if not verdict.well else "",
            code=ExitCode.DONE if verdict.well else ExitCode.UNHEALTHY,
            remarks=verdict.remarks,
            where=source.where,
            variables=source.variables,
        )
        for source, verdict in verdicts
    ]
