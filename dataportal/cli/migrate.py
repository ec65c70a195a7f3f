"""`dataportal migrate`: brings the schema up to date, has it compressed, or prints roles."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.options import Invocation
from dataportal.errors import ExitCode, UsageError
from dataportal.render.console import say
from dataportal.render.migrate import ColumnstoreView, GrantsView, SchemaView
from dataportal.render.view import show_view
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from datetime import timedelta

    import psycopg

    from dataportal.render.view import View
    from dataportal.store.distribution import Unit
    from dataportal.store.migrations import SchemaState

EXAMPLES = (
    "dataportal migrate --plan",
    "dataportal --database-url postgresql://owner@db/energy migrate",
    "dataportal migrate --columnstore   # what is older than 30 days in a tenth of the room",
    'dataportal migrate --print-grants | psql "$DATABASE_URL"',
)

_LONGEST = 365_000
"""Days of an AFTER: where more is taken from now, no calendar has a date for it."""


def command(
    ctx: typer.Context,
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Show what is pending, and stop.")] = False,
    columnstore: Annotated[
        str | None,
        typer.Option(
            "--columnstore",
            metavar="[AFTER]",
            help="Let TimescaleDB compress what is older than AFTER [30 days].",
        ),
    ] = None,
    no_columnstore: Annotated[
        bool, typer.Option("--no-columnstore", help="Make everything rows again.")
    ] = False,
    distribute: Annotated[
        str | None,
        typer.Option(
            "--distribute",
            metavar="[BY]",
            help="Distribute the tables over the machines of a Citus cluster, by series or by "
            "portal [series].",
        ),
    ] = None,
    print_grants: Annotated[
        bool,
        typer.Option(
            "--print-grants", help="Print the SQL that makes roles for the daily work, and stop."
        ),
    ] = False,
    migrator: Annotated[
        str | None, typer.Option("--migrator", metavar="NAME", help="The role that migrates.")
    ] = None,
    writer: Annotated[
        str | None, typer.Option("--writer", metavar="NAME", help="The role that fetches.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option("--reader", metavar="NAME", help="The role that reads.")
    ] = None,
) -> ExitCode:
    """Bring the database schema up to date.

    It needs a role that may create tables. fetch and fetch-all do it by themselves where their
    role may; reading commands never do. It can be run at any time, by several at once, and again
    after a crash.

    With --columnstore chunks are compressed once all in them is older than AFTER. It needs the
    Community edition of TimescaleDB. dataportal maintain compresses at once what is old already.

    With --distribute the tables of observations are distributed over the machines of a Citus
    cluster, each series on one of them. That is for portals that outgrow one machine. With
    --distribute portal all of this portal lies on one of them: for many portals in one cluster.

    With --print-grants it asks no database: the SQL makes three roles, one that migrates and owns
    the tables, one that fetches and can neither change nor delete a version, one that reads.
    """
    invocation: Invocation = ctx.obj
    names = {"migrator": migrator, "writer": writer, "reader": reader}
    if print_grants:
        from dataportal.store.roles import grants

        show_view(GrantsView(grants(**names)), json=invocation.json)
        return ExitCode.DONE
    if plan and distribute is not None:
        raise UsageError("--plan shows what is pending; it does not go with --distribute")
    if any(names.values()):
        raise UsageError("names of roles go with --print-grants")
    if columnstore is not None and no_columnstore:
        raise UsageError("--columnstore and --no-columnstore: which of them?")
    if distribute is not None and (columnstore is not None or no_columnstore):
        raise UsageError("--distribute is for Citus, --columnstore for TimescaleDB: one of them")
    unit = None if distribute is None else _unit(distribute)
    after = None if columnstore is None else _duration(columnstore)
    settings = invocation.settings()
    from dataportal.store import open_database
    from dataportal.store.connection import connect

    with (
        open_database(settings, say=say, create=not settings.quiet and not plan) as url,
        closing(connect(url, application_name="dataportal migrate")) as connection,
    ):
        return _migrate(
            connection,
            invocation,
            plan=plan,
            after=after,
            take_back=no_columnstore,
            unit=unit,
        )


def _duration(text: str) -> "timedelta":
    try:
        after = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--columnstore: {error}") from None
    if after.days > _LONGEST:
        raise UsageError(f"--columnstore {text}: more than a thousand years; nothing is so old")
    return after


def _unit(text: str) -> "Unit":
    from dataportal.store.distribution import Unit

    if text not in [*Unit]:
        raise UsageError(f"--distribute: {text!r} is neither series nor portal")
    return Unit(text)


def _migrate(
    connection: "psycopg.Connection",
    invocation: Invocation,
    *,
    plan: bool,
    after: "timedelta | None",
    take_back: bool,
    unit: "Unit | None",
) -> ExitCode:
    from dataportal.store.distribution import distribute, read_distribution
    from dataportal.store.migrations import migrate, schema_state

    applied: tuple[str, ...] = ()
    if after is not None or take_back:
        from dataportal.store.upkeep.columnstore import check_columnstore

        # before anything: what is refused changes nothing
        check_columnstore(connection)
    if not plan:
        applied = migrate(connection, say=say if invocation.shows_progress else lambda _: None)
    state = schema_state(connection)
    if state.problem and not state.pending:
        raise state.problem
    if unit is not None:
        distribute(connection, unit)
    view: View = SchemaView(state, applied, read_distribution(connection))
    if after is not None or take_back:
        view = _change_columnstore(connection, invocation, state, applied, plan=plan, after=after)
    if not invocation.silent:
        show_view(view, json=invocation.json)
    return ExitCode.DONE


def _change_columnstore(
    connection: "psycopg.Connection",
    invocation: Invocation,
    state: "SchemaState",
    applied: "tuple[str, ...]",
    *,
    plan: bool,
    after: "timedelta | None",
) -> "View":
    """Turn the columnstore on, or off where there is no `after`; with `plan` nothing is changed."""
    from dataportal.render.progress_bar import progress_bar
    from dataportal.store.upkeep.columnstore import (
        disable_columnstore,
        enable_columnstore,
        read_columnstore,
    )

    decompressed = 0
    if after is not None and not plan:
        enable_columnstore(connection, after)
    elif not plan:
        with progress_bar("decompressing", wanted=invocation.shows_progress) as progress:
            decompressed = disable_columnstore(connection, progress=progress)
    return ColumnstoreView(
        SchemaView(state, applied),
        None if state.pending else read_columnstore(connection),
        wanted=after,
        planned=plan,
        decompressed=decompressed,
    )
