"""`dataportal list-series`: what the database holds, without sources.yaml."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import open_to_read
from dataportal.cli.stored_series import WhereOption, parse_selection
from dataportal.cli.times import option_instant
from dataportal.errors import ExitCode
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal list-series",
    "dataportal list-series 'wind offshore'",
    "dataportal list-series 'smard-*' --where unit=MW --json",
    "dataportal list-series --unchanged-since 7d",
)


def command(
    ctx: typer.Context,
    *,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            help="Words that occur in the name, description, unit or metadata of a series; or a "
            "glob of names.",
        ),
    ] = None,
    where: WhereOption = None,
    changed_since: Annotated[
        str | None,
        typer.Option("--changed-since", metavar="T", help="Only what changed at T or later."),
    ] = None,
    unchanged_since: Annotated[
        str | None,
        typer.Option("--unchanged-since", metavar="T", help="Only what has not changed since T."),
    ] = None,
) -> ExitCode:
    """The series that the database holds.

    Each with its unit, granularity and source, its first and last observation, and when it changed
    last. Nothing but the database is asked: a role that may only read is enough, and no
    sources.yaml is needed.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    now = utc_now()
    _, conditions = parse_selection((), where)
    changed = option_instant("--changed-since", changed_since, settings, now=now)
    unchanged = option_instant("--unchanged-since", unchanged_since, settings, now=now)
    from dataportal.render.list_series import CatalogueView
    from dataportal.render.view import look_at_view
    from dataportal.store.read.catalogue import find_entries

    with open_to_read(settings, "list-series") as connection:
        entries = find_entries(
            connection, text, conditions, changed_since=changed, unchanged_since=unchanged
        )
    look_at_view(CatalogueView(entries, now, settings.zone), json=invocation.json)
    return ExitCode.DONE
