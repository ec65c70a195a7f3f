"""`dataportal restore`: brings series back from a file that `dump` wrote."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.errors import ExitCode
from dataportal.render.console import say

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal restore load.jsonl.gz",
    "dataportal --database-url postgresql://fetcher@db/energy restore load.jsonl.gz",
)


def command(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What dataportal dump wrote.")],
) -> ExitCode:
    """Bring series back from a file that dataportal dump wrote.

    All of it or nothing: in one transaction, under the locks of its sources, for which it waits.
    A file that is cut or was changed is refused. So is one with a series that is there already,
    unless it is the same in every version; nothing that is stored is ever changed. The role that
    fetches may do it.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    from dataportal.render.archive import RestoreView
    from dataportal.render.view import show_view
    from dataportal.store import open_database
    from dataportal.store.archive.restore import contents, restore

    # before a database is made for a file that cannot be used
    contents(file)
    with open_database(settings, say=say, create=not settings.quiet) as url:
        archived, checksum = restore(url, file, say=say)
    if not invocation.silent:
        show_view(RestoreView(file, archived, checksum), json=invocation.json)
    return ExitCode.DONE
