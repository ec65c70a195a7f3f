"""`dataportal fetch-all`: runs every enabled source, side by side."""

from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.monitoring import MetricsFileOption, PingUrlFileOption, monitoring
from dataportal.cli.run_sources import (
    AcceptRetractionsOption,
    AcceptUnitsOption,
    DryRunOption,
    EndOption,
    FetchJob,
    OnLockedOption,
    StartOption,
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
    dry_run: DryRunOption = False,
    on_locked: OnLockedOption = None,
    accept_retractions: AcceptRetractionsOption = False,
    accept_units: AcceptUnitsOption = False,
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
    with monitoring(invocation, "fetch-all", *watch_options, wanted=not dry_run) as watch:
        settings = invocation.settings()
        first, last = option_window(start, end, settings, now=utc_now())
        if last is not None and first is None:
            raise UsageError(
                "--end needs --start", hint="A fetch without them asks for what is new"
            )
        if due and first is not None:
            raise UsageError("--due and --start do not go together", hint="A backfill is never due")
        configuration = load_configuration(settings, invocation)
        selected = select_by_pattern(configuration, only or ())
        broken = broken_by_pattern(configuration, only or ())
        if state:
            selected = select_by_state(selected, state, settings)
            broken = broken if "broken" in conditions(state) else {}
        from dataportal.collect import RunRequest

        default = OnLocked.SKIP if first is None else OnLocked.WAIT
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
            if source.enabled and not source.missing_env
        ]
        job = FetchJob(
            requests=requests,
            broken=broken,
            jobs=jobs,
            configuration=configuration,
            settings=settings,
            invocation=invocation,
            monitoring=watch,
        )
        return run_sources(job)
