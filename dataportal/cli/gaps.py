"""`dataportal gaps`: what should be there and is not, and fetches it."""

import time
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.database import open_to_read
from dataportal.cli.options import Invocation
from dataportal.cli.stored_series import SeriesArgument, WhereOption, parse_selection
from dataportal.cli.times import option_instant, option_window
from dataportal.errors import ConfigurationError, ExitCode, UsageError, worst_code
from dataportal.render.console import say
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dataportal.collect import RunResult
    from dataportal.config import Configuration, Source
    from dataportal.render.gaps import FetchCommand
    from dataportal.render.runs import RunsView
    from dataportal.settings import Settings
    from dataportal.store.read.gaps import SeriesGaps
    from dataportal.store.read.selection import Condition

_IN_PART = ExitCode.INCOMPLETE
_JOBS = 8
EXAMPLES = (
    "dataportal gaps",
    "dataportal gaps smard-1223-de-hour --start 2025-01-01",
    "dataportal gaps 'smard-*' --start 30d --end now --fill",
)


@dataclass(frozen=True, slots=True)
class Question:
    """Of which series what is missing is asked, from when to when, as known when."""

    names: "Sequence[str]"
    conditions: "Sequence[Condition]"
    start: "datetime | None"
    end: "datetime | None"
    as_of: "datetime | None"


def command(
    ctx: typer.Context,
    *,
    series: SeriesArgument = None,
    where: WhereOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start", metavar="T", help="What should be there from T on (the first observation)."
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--end", metavar="T", help="What should be there by T (the last one)."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="K", help="What was missing as known at K.")
    ] = None,
    fill: Annotated[
        bool, typer.Option("--fill", help="Fetch what is missing, then look again.")
    ] = False,
) -> ExitCode:
    """What should be there of series and is not.

    By the granularity of each, on the calendar and the clocks of its zone; where the length of the
    intervals changed, by the one that held. Without a name: of all series. Each gap is shown with
    the command that would fetch it, and --fill runs those. Only --fill needs sources.yaml and a
    role that may write.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    now = utc_now()
    if fill and as_of is not None:
        raise UsageError("--fill fetches what is missing now: leave --as-of out")
    names, conditions = parse_selection(series, where)
    first, last = option_window(start, end, settings, now=now)
    known_at = option_instant("--as-of", as_of, settings, now=now)
    question = Question(names, conditions, first, last, known_at)
    from dataportal.render.gaps import GapsView, fetch_commands
    from dataportal.render.view import look_at_view, show_view

    if fill:
        # a replica may not have yet what was just fetched
        settings = replace(settings, read_url=None)
    gaps = _find_gaps(question, settings, invocation)
    code = ExitCode.DONE
    runs = None
    if fill and (commands := fetch_commands(gaps)):
        runs, code = _fetch(commands, settings, invocation)
        gaps = _find_gaps(question, settings, invocation)
    view = GapsView(gaps, known_at, settings.zone, runs)
    if not (fill and invocation.silent and code is ExitCode.DONE and not fetch_commands(gaps)):
        # what has just fetched must not wait for a key
        (show_view if fill else look_at_view)(view, json=invocation.json)
    return code


def _find_gaps(
    question: Question, settings: "Settings", invocation: Invocation
) -> "list[SeriesGaps]":
    from dataportal.render.progress_bar import progress_bar
    from dataportal.store.read.gaps import gaps_of_series
    from dataportal.store.read.selection import select_series

    with (
        open_to_read(settings, "gaps") as connection,
        progress_bar("looking", wanted=invocation.shows_progress) as progress,
    ):
        selected = select_series(connection, question.names, question.conditions)
        return list(
            gaps_of_series(
                connection,
                selected,
                start=question.start,
                end=question.end,
                at=question.as_of,
                progress=progress,
            )
        )


def _fetch(
    commands: "Sequence[FetchCommand]", settings: "Settings", invocation: Invocation
) -> "tuple[RunsView, ExitCode]":
    """Fetch the ranges of each source one after the other, of several sources side by side."""
    from dataportal.cli.monitoring import Monitoring
    from dataportal.cli.run_sources import FetchJob, collect_results
    from dataportal.cli.selection import load_configuration
    from dataportal.collect import RunRequest
    from dataportal.on_locked import OnLocked
    from dataportal.render.runs import RunsView

    started = time.monotonic()
    configuration = load_configuration(settings, invocation)
    sources = _sources_to_ask({c.source for c in commands}, configuration)
    by_source = {
        name: [
            RunRequest(source, start=c.start, end=c.end, on_locked=OnLocked.WAIT)
            for c in commands
            if c.source == name
        ]
        for name, source in sources.items()
    }
    results: list[RunResult] = []
    codes = [ExitCode.DONE if len(sources) == len({c.source for c in commands}) else _IN_PART]
    for turn in zip_longest(*by_source.values()):
        requests = [request for request in turn if request is not None]
        end = collect_results(
            FetchJob(
                requests=requests,
                broken={},
                jobs=min(len(requests), _JOBS),
                configuration=configuration,
                settings=settings,
                invocation=invocation,
                monitoring=Monitoring("gaps"),
            )
        )
        results += end.results
        codes.append(end.code)
        if end.code in {ExitCode.SIGINT, ExitCode.SIGTERM}:
            break
    worst = worst_code(codes)
    took = time.monotonic() - started
    return RunsView(results, ok=worst is ExitCode.DONE, took=took, dry_run=False, noun="run"), worst


def _sources_to_ask(names: "set[str]", configuration: "Configuration") -> "dict[str, Source]":
    """The sources of these names that can be run; says which cannot, and why.

    Raises:
        ConfigurationError: none can.
    """
    sources = {source.name: source for source in configuration.sources if source.name in names}
    reasons = dict.fromkeys(names - sources.keys(), f"is not in {configuration.path}")
    for name, problems in configuration.broken.items():
        if name in names:
            reasons[name] = f"cannot be used: {problems[0]}"
    for name, source in list(sources.items()):
        if source.missing_env:
            reasons[name] = f"needs {', '.join(source.missing_env)}"
            del sources[name]
    for name, reason in sorted(reasons.items()):
        say(f"source {name!r} {reason}: its gaps are not filled")
    if not sources:
        raise ConfigurationError(
            "no source that could fill these gaps can be run", hint="See: dataportal list-sources"
        )
    return sources
