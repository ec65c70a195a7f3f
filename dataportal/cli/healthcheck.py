"""`dataportal healthcheck`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.configuration import configured
from dataportal.cli.database import reader
from dataportal.cli.options import Invocation, OnlyOption
from dataportal.cli.selection import matching
from dataportal.errors import ConfigurationError, DatabaseError, ExitCode, SchemaError, worst
from dataportal.render.console import note, show
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.config import Configuration
    from dataportal.render.healthcheck import Check
    from dataportal.settings import Settings
    from dataportal.store.read.overview import SourceRow

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
    than its data_stale_after. Sources that are disabled or need a variable are not looked at.
    """
    invocation: Invocation = ctx.obj
    from dataportal.render.healthcheck import Check, check_lines

    if live:
        checks = [Check("live", message="the program starts")]
    else:
        settings = invocation.settings()
        checks = _checks(settings, invocation, only or ())
    if invocation.json:
        show(check_lines(checks, json=True))
    elif not invocation.quiet:
        show(["live"] if live else check_lines(checks, json=False))
    elif wrong := [check for check in checks if not check.ok]:
        note("\n".join(check_lines(wrong, json=False, stream=sys.stderr)))
    return worst(check.code for check in checks)


def _checks(settings: "Settings", invocation: Invocation, only: "Sequence[str]") -> "list[Check]":
    from dataportal.render.healthcheck import Check, failed

    checks: list[Check] = []
    configuration = None
    try:
        configuration = configured(settings, invocation)
        checks += _configuration(configuration)
    except ConfigurationError as error:
        checks.append(failed("configuration", error))
    rows = None
    try:
        rows, facts = _database(settings, configuration)
        checks.append(Check("database", message=facts))
        checks.append(Check("schema", message="up to date"))
    except SchemaError as error:
        checks += [Check("database"), failed("schema", error)]
    except (ConfigurationError, DatabaseError) as error:
        checks.append(failed("database", error))
    if configuration is not None and rows is not None:
        checks += _freshness(configuration, rows, only)
    return checks


def _configuration(configuration: "Configuration") -> "list[Check]":
    from dataportal.render.formatting import counted
    from dataportal.render.healthcheck import Check

    count = counted(len(configuration.sources), "source")
    found = [
        Check("configuration", source=p.source, message=str(p), code=ExitCode.CONFIGURATION)
        for p in configuration.problems
    ]
    return found or [Check("configuration", message=f"{count} in {configuration.path}")]


def _database(
    settings: "Settings", configuration: "Configuration | None"
) -> "tuple[Mapping[str, SourceRow], str]":
    from dataportal.store.read.overview import database_facts, overview

    sources = configuration.sources if configuration else ()
    # on the newest observation nothing depends but this, and it is not shown
    judged_by_age = [s.name for s in sources if s.data_stale_after is not None]

    with reader(settings, "healthcheck") as connection:
        facts = database_facts(connection)
        extension = f", TimescaleDB {facts.timescaledb}" if facts.timescaledb else ""
        return overview(
            connection, newest_of=judged_by_age
        ), f"PostgreSQL {facts.server_version}{extension}"


def _freshness(
    configuration: "Configuration", rows: "Mapping[str, SourceRow]", only: "Sequence[str]"
) -> "list[Check]":
    from dataportal.health import judged
    from dataportal.render.healthcheck import Check

    at = utc_now()
    verdicts = (judged(s, rows.get(s.name), at) for s in matching(configuration, only))
    return [
        Check(
            "source",
            source=verdict.source,
            state=verdict.text,
            message="; ".join(verdict.reasons) if not verdict.well else "",
            code=ExitCode.DONE if verdict.well else ExitCode.UNHEALTHY,
        )
        for verdict in verdicts
    ]
