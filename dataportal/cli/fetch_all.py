"""`dataportal fetch-all`: runs every enabled source, side by side."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.backfill_plans import BackfillRange, plan_backfills, ranges_left
from dataportal.cli.database import source_rows
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
from dataportal.cli.selection import (
    OnlyOption,
    StateOption,
    broken_by_pattern,
    conditions,
    load_configuration,
    select_by_pattern,
    select_by_state,
)
from dataportal.cli.times import option_window
from dataportal.errors import ExitCode, UsageError
from dataportal.on_locked import OnLocked
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

EXAMPLES = (
    "dataportal fetch-all",
    "dataportal -q fetch-all --due             # in a crontab, every five minutes",
    "dataportal fetch-all --only 'smard-*' --start 90d",
    "dataportal fetch-all --start 10y --plan",
    "dataportal fetch-all --resume",
)


def command(
    ctx: typer.Context,
    *,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=1000, help="How many sources run at a time.")
    ] = 8,
    due: Annotated[
        bool, typer.Option("--due", help="Only sources whose schedule says so.")
    ] = False,
    only: OnlyOption = None,
    state: StateOption = None,
    start: StartOption = None,
    end: EndOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what a backfill would do, or has left, and stop.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with the newest backfill of several sources, begun or not."
        ),
    ] = False,
    dry_run: DryRunOption = False,
    on_locked: OnLockedOption = None,
    accept_retractions: AcceptRetractionsOption = False,
    accept_units: AcceptUnitsOption = False,
    remind: RemindOption = None,
    metrics_file: MetricsFileOption = None,
    ping_url_file: PingUrlFileOption = None,
) -> ExitCode:
    """Run every enabled source, side by side.

    A source that fails, hangs or breaks harms no other. Several machines may run this with --due
    at the same time: they share the sources, and each source is fetched once. With --start all are
    fetched again from then on, to catch late revisions.
    """
    invocation: Invocation = ctx.obj
    watch_options = (metrics_file, ping_url_file)
    with monitoring(invocation, "fetch-all", *watch_options, wanted=not (dry_run or plan)) as watch:
        settings = invocation.settings()
        first, last = option_window(start, end, settings, now=utc_now())
        if last is not None and first is None:
            raise UsageError(
                "--end needs --start", hint="A fetch without them asks for what is new"
            )
        if due and first is not None:
            raise UsageError("--due and --start do not go together", hint="A backfill is never due")
        if resume and (first is not None or due):
            raise UsageError(
                "--resume takes the range from the backfill that it goes on with",
                hint="Leave --start, --end and --due out",
            )
        if plan and first is None and not resume:
            raise UsageError("--plan needs --start or --resume: it shows what a backfill would do")
        configuration = load_configuration(settings, invocation)
        selected = select_by_pattern(configuration, only or ())
        broken = broken_by_pattern(configuration, only or ())
        if state:
            selected = select_by_state(selected, state, settings)
            broken = broken if "broken" in conditions(state) else {}
        selected = [source for source in selected if source.enabled and not source.missing_env]
        from dataportal.collect import RunRequest

        default = OnLocked.SKIP if first is None and not resume else OnLocked.WAIT
        requests = [
            RunRequest(
                source,
                start=first,
                end=last,
                only_if_due=due,
                dry_run=dry_run,
                accept_retractions=accept_retractions,
                accept_units=accept_units,
                on_locked=on_locked or default,
            )
            for source in selected
        ]
        if plan:
            from dataportal.render.runs import PlanTable
            from dataportal.render.view import show_view

            ranges = [BackfillRange(source, first, last) for source in selected]
            backfill = None
            if resume:
                ranges, backfill = ranges_left(requests, settings, "fetch-all", together=True)
            plans = plan_backfills(configuration, ranges, invocation, now=utc_now())
            rows = source_rows(settings, "fetch-all")
            show_view(PlanTable(plans, rows, settings.zone, backfill), json=invocation.json)
            return ExitCode.DONE
        job = FetchJob(
            requests=requests,
            broken=broken,
            jobs=jobs,
            configuration=configuration,
            settings=settings,
            invocation=invocation,
            monitoring=watch,
            remind=reminder_interval(remind),
            resume=resume,
        )
        return run_sources(job)
