"""`dataportal maintain`: the nightly upkeep of the tables."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.errors import ConfigurationError, ExitCode, UsageError
from dataportal.render.console import say
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from datetime import timedelta

    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal maintain --plan",
    "dataportal -q maintain --for 20m   # for cron, every night",
    "dataportal --database-url postgresql://owner@db/energy maintain --json",
)


def command(
    ctx: typer.Context,
    *,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="D", help="Stop after D; the rest is for the next time."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be done, and stop.")
    ] = False,
) -> ExitCode:
    """Keep the tables small and quick: for cron, every night.

    It compresses what is old enough, if migrate --columnstore was run, and compresses anew what
    revisions made rows again. It vacuums, makes indexes anew and analyzes where that is worth it,
    and forgets runs older than 90 days that wrote nothing. No version is ever lost.

    It needs the role that owns the tables. It may run beside fetches: it waits for a lock for
    seconds only, and tries again later.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    limit = None if for_ is None else _limit(for_)
    from dataportal.cli.database import database_exists
    from dataportal.render.maintain import IdleView, MaintainView
    from dataportal.render.progress_bar import progress_bar
    from dataportal.render.view import note_view, show_view
    from dataportal.store import open_database
    from dataportal.store.read.storage import read_storage
    from dataportal.store.upkeep.maintain import check_owner, maintain, open_upkeep

    if not database_exists(settings):
        raise ConfigurationError(
            "there is no database yet", hint="Fetch something first: dataportal fetch-all"
        )
    with (
        open_database(settings, say=say, create=False) as url,
        open_upkeep(url) as connection,
    ):
        if connection is None:
            if not invocation.silent:
                show_view(IdleView(), json=invocation.json)
            return ExitCode.DONE
        storage = read_storage(connection, with_runs=True)
        view = MaintainView(storage, planned=plan)
        if not plan:
            check_owner(storage)
            try:
                with progress_bar("maintaining", wanted=invocation.shows_progress) as progress:
                    seconds = None if limit is None else limit.total_seconds()
                    for result in maintain(connection, storage, seconds=seconds, progress=progress):
                        view.add(result)
            except BaseException:
                # what was done stays done
                if view.results and not invocation.silent and not invocation.json:
                    show_view(view, json=False)
                raise
            view.after = read_storage(connection)
    if not invocation.silent:
        show_view(view, json=invocation.json)
    elif not view.ok:
        note_view(view)
    return ExitCode.DONE if view.ok else ExitCode.DATABASE


def _limit(text: str) -> "timedelta":
    try:
        limit = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    if not limit:
        raise UsageError(f"--for {text}: no time at all")
    return limit
