"""`dataportal verify`: checks that the history keeps its promises."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import open_to_read
from dataportal.cli.times import option_instant
from dataportal.errors import ExitCode
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal verify",
    "dataportal -q verify --since 30d   # for cron: silent when all is well",
    "dataportal verify --json > verified.json",
)
_NAMED_KEYS = 20


def command(
    ctx: typer.Context,
    *,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="Observations from T on only: quicker."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Name N keys for each check.")
    ] = _NAMED_KEYS,
) -> ExitCode:
    """Check that the history keeps its promises.

    That every version is known for some time and none overlaps another, that the current values are
    the open versions, that nothing is known later than the last that its source knew, that every
    version is of a series and of a run, and every run wrote what is recorded of it. What breaks a
    promise is named by its key, and the exit code is 4. It reads only, and may be run at any time,
    also while sources are fetched.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    start = option_instant("--since", since, settings, now=utc_now())
    from dataportal.render.progress_bar import progress_bar
    from dataportal.render.verify import VerifyView
    from dataportal.render.view import look_at_view, note_view
    from dataportal.store.read.verify import verify

    view = VerifyView(start, limit)
    with (
        open_to_read(settings, "verify") as connection,
        progress_bar("verifying", wanted=invocation.shows_progress) as progress,
    ):
        for fault in verify(connection, since=start, progress=progress):
            view.add(fault)
    if not invocation.silent:
        look_at_view(view, json=invocation.json)
    elif not view.ok:
        note_view(view)
    return ExitCode.DONE if view.ok else ExitCode.UNHEALTHY
