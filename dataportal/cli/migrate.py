"""`dataportal migrate`: brings the schema up to date, or prints the SQL that makes its roles."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.options import Invocation
from dataportal.errors import ExitCode, UsageError
from dataportal.render.console import say
from dataportal.render.migrate import GrantsView, SchemaView
from dataportal.render.view import show_view

if TYPE_CHECKING:
    import psycopg

EXAMPLES = (
    "dataportal migrate --plan",
    "dataportal --database-url postgresql://owner@db/energy migrate",
    'dataportal migrate --print-grants | psql "$DATABASE_URL"',
)


def command(
    ctx: typer.Context,
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Show what is pending, and stop.")] = False,
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

    With --print-grants it asks no database: the SQL makes three roles, one that migrates and owns
    the tables, one that fetches and can neither change nor delete a version, one that reads.
    """
    invocation: Invocation = ctx.obj
    names = {"migrator": migrator, "writer": writer, "reader": reader}
    if print_grants:
        from dataportal.store.roles import grants

        show_view(GrantsView(grants(**names)), json=invocation.json)
        return ExitCode.DONE
    if any(names.values()):
        raise UsageError("names of roles go with --print-grants")
    settings = invocation.settings()
    from dataportal.store import open_database
    from dataportal.store.connection import connect

    with (
        open_database(settings, say=say, create=not settings.quiet and not plan) as url,
        closing(connect(url, application_name="dataportal migrate")) as connection,
    ):
        return _migrate(connection, invocation, plan=plan)


def _migrate(connection: "psycopg.Connection", invocation: Invocation, *, plan: bool) -> ExitCode:
    from dataportal.store.migrations import migrate, schema_state

    applied: tuple[str, ...] = ()
    if not plan:
        applied = migrate(connection, say=say if invocation.shows_progress else lambda _: None)
    state = schema_state(connection)
    if state.problem and not state.pending:
        raise state.problem
    if not invocation.silent:
        show_view(SchemaView(state, applied), json=invocation.json)
    return ExitCode.DONE
