"""`dataportal fetch`."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.configuration import configured
from dataportal.cli.options import (
    AcceptRetractionsOption,
    DryRunOption,
    EndOption,
    Invocation,
    OnLockedOption,
    StartOption,
)
from dataportal.cli.run_sources import carried_out
from dataportal.cli.selection import named
from dataportal.cli.times import window
from dataportal.errors import ExitCode, UsageError
from dataportal.on_locked import OnLocked
from dataportal.render.console import show
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dataportal.config import Configuration, Source
    from dataportal.settings import Settings

EXAMPLES = (
    "dataportal fetch smard-1223-de-hour",
    "dataportal fetch smard-1223-de-hour --start 2015-01-01 --end 2025-01-01",
    "dataportal fetch smard-1223-de-hour --start 10y --plan",
    "dataportal fetch smard-1223-de-hour --resume",
)


def command(
    ctx: typer.Context,
    *,
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Names of sources or of their series.")
    ],
    start: StartOption = None,
    end: EndOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show the slices of a backfill, and stop.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest unfinished backfill.")
    ] = False,
    dry_run: DryRunOption = False,
    on_locked: OnLockedOption = None,
    accept_retractions: AcceptRetractionsOption = False,
) -> ExitCode:
    """Run these sources now.

    Each asks its provider from a while before its newest observation up to the newest there is.
    With --start it is a backfill: the range is fetched in slices, oldest first, each stored as soon
    as it is there, and --resume goes on where one was broken off.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    at = utc_now()
    first, last = window(start, end, settings, at=at)
    if resume and (start or end):
        raise UsageError("--resume takes the range from the backfill that it goes on with")
    if last is not None and first is None:
        raise UsageError("--end needs --start", hint="A fetch without them asks for what is new")
    if plan and first is None:
        raise UsageError("--plan needs --start: it shows the slices of a backfill")
    configuration = configured(settings, invocation)
    chosen, broken = named(configuration, sources)
    if plan:
        return _planned(configuration, chosen, invocation, settings, first or at, last, at)
    from dataportal.collect import RunRequest

    default = OnLocked.WAIT if first is not None or resume else OnLocked.SKIP
    requests = [
        RunRequest(
            source,
            start=first,
            end=last,
            resume=resume,
            dry_run=dry_run,
            accept_retractions=accept_retractions,
            on_locked=on_locked or default,
        )
        for source in chosen
    ]
    return carried_out(
        requests,
        broken,
        invocation=invocation,
        settings=settings,
        configuration=configuration,
        jobs=len(requests),
    )


def _planned(
    configuration: "Configuration",
    chosen: "Sequence[Source]",
    invocation: Invocation,
    settings: "Settings",
    start: "datetime",
    end: "datetime | None",
    at: "datetime",
) -> ExitCode:
    from dataportal.collect import plan_backfill
    from dataportal.config import build_plugin
    from dataportal.render.runs import plan_document, plan_lines

    plans = []
    for source in chosen:
        built = build_plugin(source, env=invocation.env, root=configuration.root)
        _, slices = plan_backfill(source, start, end, limits=built.limits, now=at)
        plans.append((source.name, slices))
    show([plan_document(plans)] if invocation.json else plan_lines(plans, settings.zone))
    return ExitCode.DONE
