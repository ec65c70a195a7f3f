"""`dataportal runs`: what happened, when, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.completion import complete_patterns
from dataportal.cli.database import open_to_read
from dataportal.cli.times import option_instant
from dataportal.errors import ConfigurationError, ExitCode, UsageError
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation
    from dataportal.render.view import View
    from dataportal.settings import Settings

EXAMPLES = (
    "dataportal runs",
    "dataportal runs 'smard-*' --failed --since 7d",
    "dataportal runs --run 1742",
)


def command(
    ctx: typer.Context,
    *,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE…",
            help="Names, globs or tags of sources; all without one.",
            autocompletion=complete_patterns,
        ),
    ] = None,
    run: Annotated[
        int | None, typer.Option("--run", metavar="ID", help="One run whole: what it changed, too.")
    ] = None,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="Only what failed, was partial or was interrupted."),
    ] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="T", help="Only runs that began at T or later.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="The newest N runs.")
    ] = 20,
) -> ExitCode:
    """What happened, when, and why.

    The newest runs first, of all sources or of those named. A run that was killed is interrupted.
    Runs that changed nothing are forgotten after 90 days.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    now = utc_now()
    if run is not None and (sources or failed or since is not None):
        raise UsageError("--run names one run: leave SOURCE, --failed and --since out")
    start = option_instant("--since", since, settings, now=now)
    from dataportal.render.recorded_runs import RecordedRunsView, RunView
    from dataportal.render.view import look_at_view
    from dataportal.store.read.runs import find_run, newest_runs, run_changes

    with open_to_read(settings, "runs") as connection:
        view: View
        if run is not None:
            recorded = find_run(connection, run)
            view = RunView(recorded, run_changes(connection, recorded), settings.zone)
        else:
            newest = newest_runs(
                connection,
                sources or (),
                since=start,
                not_well=failed,
                limit=limit,
                tagged=lambda pattern: _tagged(pattern, settings, invocation),
            )
            view = RecordedRunsView(newest, limit, now, settings.zone)
    look_at_view(view, json=invocation.json)
    return ExitCode.DONE


def _tagged(pattern: str, settings: "Settings", invocation: "Invocation") -> list[str]:
    """The sources one of whose tags matches; none where the file cannot be read, as it need not."""
    from fnmatch import fnmatchcase

    from dataportal.config import load

    try:
        configuration = load(settings.config_path, invocation.env)
    except ConfigurationError:
        return []
    return [
        source.name
        for source in configuration.sources
        if any(fnmatchcase(tag, pattern) for tag in source.tags)
    ]
