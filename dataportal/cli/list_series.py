"""`dataportal list-series`: what the database holds, without sources.yaml."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import open_to_read
from dataportal.cli.stored_series import WhereOption, series_wanted
from dataportal.errors import ExitCode
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal list-series",
    "dataportal list-series 'wind offshore'",
    "dataportal list-series 'smard-*' --where unit=MW --json",
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
) -> ExitCode:
    """The series that the database holds.

    Each with its unit, granularity and source, its first and last observation, and when it changed
    last. Nothing but the database is asked: a role that may only read is enough, and no
    sources.yaml is needed.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    _, conditions = series_wanted((), where)
    from dataportal.render.list_series import CatalogueView
    from dataportal.render.view import show_view
    from dataportal.store.read.catalogue import find_entries

    with open_to_read(settings, "list-series") as connection:
        entries = find_entries(connection, text, conditions)
    show_view(CatalogueView(entries, utc_now(), settings.zone), json=invocation.json)
    return ExitCode.DONE
