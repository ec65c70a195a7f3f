"""`dataportal fetch`: runs the sources that are named."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.backfill_plans import BackfillRange, plan_backfills, ranges_left
from dataportal.cli.completion import complete_sources_or_series
from dataportal.cli.monitoring import MetricsFileOption, PingUrlFileOption, monitoring
from dataportal.cli.run_sources import (
    AcceptRetractionsOption,
    AcceptUnitsOption,
    DryRunOption,
    EndOption,
    FetchJob,
    OnLockedOption,
    RemindOption,
    StartOption,
    reminder_interval,
    run_sources,
)
from dataportal.cli.selection import load_configuration, select_by_name
from dataportal.cli.times import option_window
from dataportal.errors import ExitCode, UsageError
from dataportal.on_locked import OnLocked
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal fetch smard-1223-de-hour",
    "dataportal fetch smard-1223-de-hour --start 2015-01-01 --end 2025-01-01",
    "dataportal fetch smard-1223-de-hour --start 10y --plan",
    "dataportal fetch smard-1223-de-hour --resume",
    "dataportal fetch 'smard-*' --start 10y",
)
_JOBS = 8
"""How many sources run at a time, if they are not more that are named one by one."""


def command(
    ctx: typer.Context,
    *,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Names, globs or tags of sources, or names of their series.",
            autocompletion=complete_sources_or_series,
        ),
    ],
    start: StartOption = None,
    end: EndOption = None,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Show the slices of a backfill, or those left, and stop."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest unfinished backfill.")
    ] = False,
    dry_run: DryRunOption = False,
    on_locked: OnLockedOption = None,
    accept_retractions: AcceptRetractionsOption = False,
    accept_units: AcceptUnitsOption = False,
    remind: RemindOption = None,
    metrics_file: MetricsFileOption = None,
    ping_url_file: PingUrlFileOption = None,
) -> ExitCode:
    """Run these sources now.

    Each asks its provider from a while before its newest observation up to the newest there is.
    With --start it is a backfill: the range is fetched in slices, oldest first, each stored as soon
    as it is there, and --resume goes on where one was broken off.
    """
    invocation: Invocation = ctx.obj
    watch_options = (metrics_file, ping_url_file)
    with monitoring(invocation, "fetch", *watch_options, wanted=not (dry_run or plan)) as watch:
        settings = invocation.settings()
        now = utc_now()
        first, last = option_window(start, end, settings, now=now)
        if resume and (start or end):
            raise UsageError("--resume takes the range from the backfill that it goes on with")
        if last is not None and first is None:
            raise UsageError(
                "--end needs --start", hint="A fetch without them asks for what is new"
            )
        if plan and first is None and not resume:
            raise UsageError("--plan needs --start or --resume: it shows the slices of a backfill")
        configuration = load_configuration(settings, invocation)
        selected, broken = select_by_name(configuration, sources)
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
                accept_units=accept_units,
                on_locked=on_locked or default,
            )
            for source in selected
        ]
        if plan:
            from dataportal.render.runs import PlanView
            from dataportal.render.view import show_view

            ranges = [BackfillRange(source, first, last) for source in selected]
            backfill = None
            if resume:
                many = len(requests) > 1
                ranges, backfill = ranges_left(requests, settings, "fetch", together=many)
            plans = plan_backfills(configuration, ranges, invocation, now=now)
            show_view(PlanView(plans, settings.zone, backfill), json=invocation.json)
            return ExitCode.DONE
        job = FetchJob(
            requests=requests,
            broken=broken,
            jobs=max(_JOBS, len(sources)),
            configuration=configuration,
            settings=settings,
            invocation=invocation,
            monitoring=watch,
            remind=reminder_interval(remind),
            resume=resume and len(requests) > 1,
        )
        return run_sources(job)
