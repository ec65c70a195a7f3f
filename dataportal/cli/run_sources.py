"""What `fetch` and `fetch-all` share: their options, and running sources with all that is shown."""

# No `from __future__ import annotations` in this package: typer reads the annotations.
import asyncio
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from dataportal.cli.signals import call_on_signal, wake_on_signal
from dataportal.errors import DatabaseError, ExitCode, UsageError, worst_code
from dataportal.on_locked import OnLocked
from dataportal.render.console import (
    foreign_output_on_stderr,
    say,
    stderr,
    supports_escape_codes,
    write_note,
)
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from datetime import timedelta

    from dataportal.cli.monitoring import Monitoring
    from dataportal.cli.options import Invocation
    from dataportal.collect import Event, Listener, RunRequest, RunResult, StopSignal
    from dataportal.config import Configuration
    from dataportal.errors import Problem
    from dataportal.logs import Log
    from dataportal.settings import Settings
    from dataportal.store.backfills import SourcesBackfill

T = TypeVar("T")
_MOST_NAMES = 5

OnLockedOption = Annotated[
    OnLocked | None,
    typer.Option(
        "--on-locked",
        help="If another run holds a source: skip it (default), wait (default for a backfill), "
        "or fail with 11.",
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option("--start", metavar="T", help="Fetch from T on: ISO 8601, or 7d for 7 days ago."),
]
EndOption = Annotated[
    str | None, typer.Option("--end", metavar="T", help="Fetch before T (default: now and beyond).")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Fetch and compare, but write nothing.")
]
RemindOption = Annotated[
    str | None,
    typer.Option(
        "--remind",
        metavar="DURATION",
        help="Tell a failure that does not change once in that time, and when it is over.",
    ),
]
AcceptRetractionsOption = Annotated[
    bool,
    typer.Option(
        "--accept-retractions", help="Let nulls withdraw even most of a series' stored values."
    ),
]
AcceptUnitsOption = Annotated[
    bool,
    typer.Option(
        "--accept-units", help="Let answers name another unit than before: it is the same one."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchJob:
    """What `fetch` or `fetch-all` has to do.

    Attributes:
        requests: the sources to run.
        broken: entries of sources.yaml that cannot be used, which count as failed.
        jobs: how many sources run at a time.
        configuration: the file that the sources are from.
        settings: how to run them.
        invocation: how to show it.
        monitoring: what others are told of it.
        remind: how long a failure that does not change is no news.
        resume: go on with the newest backfill of several sources, as far as it is theirs.
    """

    requests: "Sequence[RunRequest]"
    broken: "Mapping[str, Sequence[Problem]]"
    jobs: int
    configuration: "Configuration"
    settings: "Settings"
    invocation: "Invocation"
    monitoring: "Monitoring"
    resume: bool = False
    remind: "timedelta | None" = None


def reminder_interval(text: str | None) -> "timedelta | None":
    """The duration that `--remind` names, such as 1d; None without it.

    Raises:
        UsageError: not a duration.
    """
    from dataportal.times import parse_duration

    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--remind: {error}") from None


def run_sources(job: FetchJob) -> ExitCode:
    """Run the sources and show the results; the exit code that these ask for.

    Raises:
        DatabaseError: the database is out of reach.
        ConfigurationError: there is no database to use.
    """
    from dataportal.render.runs import RunsView
    from dataportal.render.view import show_view

    started = time.monotonic()
    invocation = job.invocation
    end = collect_results(job)
    results, code = end.results, end.code
    job.monitoring.code = code
    view = RunsView(
        results,
        ok=code is ExitCode.DONE,
        took=time.monotonic() - started,
        dry_run=any(request.dry_run for request in job.requests),
        backfill=end.backfill,
    )
    job.monitoring.lines += view.brief()
    if not invocation.silent:
        show_view(view, json=invocation.json)
    elif code is not ExitCode.DONE:
        # what failed was logged; that something was left undone is told by nothing else
        for line in view.unfinished():
            say(line)
    return code


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended.

    Attributes:
        results: how each run ended.
        code: the exit code that they ask for.
        backfill: how far the backfill of several sources has come that they were part of.
    """

    results: "list[RunResult]"
    code: ExitCode
    backfill: "SourcesBackfill | None"


def collect_results(job: FetchJob) -> JobEnd:
    """Run the sources.

    Raises:
        DatabaseError: the database is out of reach.
        ConfigurationError: there is no database to use.
    """
    from dataportal.store import open_database

    with ExitStack() as stack:
        url = ""
        if job.requests:
            database = open_database(job.settings, say=say, create=not job.invocation.quiet)
            url = stack.enter_context(database)
            job = replace(job, requests=_as_backfill(job, _due(job.requests, url), url))
        results: list[RunResult] = []
        code = ExitCode.DONE
        if job.requests or job.broken:
            results, code = _run_with_log(job, url)
        backfill = _backfill_state(job, url)
        if url:
            job.monitoring.read_sources(url, job.configuration.sources)
    return JobEnd(results, code, backfill)


def _as_backfill(
    job: FetchJob, requests: "Sequence[RunRequest]", url: str
) -> "Sequence[RunRequest]":
    """The requests as parts of one backfill: of the newest there is, or of a new one.

    A backfill of a single source needs no more than its run.

    Raises:
        UsageError: there is no backfill to resume.
        DatabaseError: the database is out of reach.
    """
    from dataportal.store.backfills import add_backfill, find_unfinished_backfill

    if job.resume:
        return requests_left(requests, find_unfinished_backfill(url))
    first = requests[0] if requests else None
    if first is None or first.start is None or first.dry_run or len(requests) == 1:
        return requests
    if any((request.start, request.end) != (first.start, first.end) for request in requests):
        return requests  # each has a window of its own
    sources = [request.source.name for request in requests]
    number = add_backfill(url, sources, first.start, first.end)
    return [replace(request, backfill=number) for request in requests]


def requests_left(
    requests: "Sequence[RunRequest]", unfinished: "SourcesBackfill | None"
) -> "Sequence[RunRequest]":
    """Those of the requests that go on with a backfill of several sources, or begin in it.

    Says which sources of it are not among them.

    Args:
        requests: for each source that may take part.
        unfinished: the backfill; None where there is none.

    Raises:
        UsageError: there is no backfill to resume.
    """
    from dataportal.collect import resume_requests

    names = set(unfinished.sources if unfinished else ())
    if unfinished is None or not any(request.source.name in names for request in requests):
        if all(request.resume for request in requests):
            return requests  # each has a backfill of its own
        raise UsageError(
            "there is no unfinished backfill of several sources",
            hint="Start one: dataportal fetch-all --start 10y",
        )
    requested = {request.source.name for request in requests}
    if left_out := [source for source in unfinished.left if source not in requested]:
        first_names = ", ".join(left_out[:_MOST_NAMES])
        if (more := len(left_out) - _MOST_NAMES) > 0:
            first_names += f" and {more:,} more"
        say(
            f"of the backfill {len(left_out):,} left out, as not selected, "
            f"disabled, not in the file or in need of a variable: {first_names}"
        )
    return resume_requests(requests, unfinished)


def _backfill_state(job: FetchJob, url: str) -> "SourcesBackfill | None":
    """How far the backfill of several sources has come that the runs were part of."""
    number = next((request.backfill for request in job.requests if request.backfill), None)
    if number is None:
        return None
    from dataportal.store.backfills import close_backfill

    try:
        return close_backfill(url, number)
    except DatabaseError:
        return None  # the runs have told that the database is away


def _due(requests: "Sequence[RunRequest]", url: str) -> "Sequence[RunRequest]":
    """The requests to run. Where nothing is due, the engine need not even be imported."""
    if not all(request.only_if_due for request in requests):
        return requests
    from dataportal.collect import due_requests
    from dataportal.store.read.overview import states_for_due

    try:
        return due_requests(requests, states_for_due(url), utc_now())
    except DatabaseError:
        return requests  # the engine has the patience for a database that is restarting


def _run_with_log(job: FetchJob, url: str) -> "tuple[list[RunResult], ExitCode]":
    """The results, and the exit code that they ask for; events are logged meanwhile."""
    from dataportal.collect import Finished, StopSignal, unusable_entry
    from dataportal.logs import configure_logging
    from dataportal.render.run_progress import EventLog

    log = configure_logging(level=_log_level(job), style=job.settings.log_format, write=write_note)
    log_event = EventLog(log)
    stop = StopSignal()
    results = [unusable_entry(name, problems) for name, problems in job.broken.items()]
    for result in results:
        log_event(Finished(result))
    if job.requests:
        with call_on_signal(lambda number: stop.set(ExitCode(128 + number))):
            results += _run_engine(job, url, stop, log, log_event)
    log_event.close()
    return results, stop.code or worst_code(result.code for result in results)


def _log_level(job: FetchJob) -> str:
    level = job.settings.log_level
    # a good run says nothing under -q: what went wrong on the way to it is no news
    if job.invocation.quiet and level in {"info", "warning"}:
        return "error"
    # the bars and the table say the rest
    if level == "info" and job.invocation.log_level is None and supports_escape_codes(stderr()):
        return "warning"
    return level


def _run_engine(
    job: FetchJob, url: str, stop: "StopSignal", log: "Log", log_event: "Listener"
) -> "list[RunResult]":
    import stamina.instrumentation

    from dataportal.collect import collect
    from dataportal.render.backfill_pace import BackfillPace
    from dataportal.render.run_progress import log_pace, run_progress
    from dataportal.store.records import RunKind

    # what is said about a retry is said by the run, not by the library
    stamina.instrumentation.set_on_retry_hooks([])

    def log_failure(source: str, error: BaseException) -> None:
        log.debug("failed with", source=source, exc_info=error)

    is_backfill = all(request.kind is RunKind.BACKFILL for request in job.requests)
    pace = BackfillPace(len(job.requests)) if is_backfill else None
    with (
        run_progress(
            len(job.requests), wanted=job.invocation.shows_progress, pace=pace
        ) as draw_event,
        foreign_output_on_stderr(),
    ):

        def listen(event: "Event") -> None:
            log_event(event)
            if pace:
                pace(event)
            draw_event(event)

        return _run_in_loop(
            collect(
                job.requests,
                settings=job.settings,
                database_url=url,
                root=job.configuration.root,
                env=job.invocation.env,
                jobs=job.jobs,
                events=listen,
                stop=stop,
                on_failure=log_failure,
                remind=job.remind,
                question=job.monitoring.question(job.configuration.sources),
            ),
            log_pace(log, pace, job.settings.progress_interval) if pace else None,
        )


def _run_in_loop(work: "Coroutine[Any, Any, T]", beside: "Coroutine[Any, Any, None] | None") -> T:
    """The result of `work`, from an event loop that waits for no thread when it is closed.

    What goes on `beside` it ends with it. `asyncio.run` waits for the threads that look up host
    names, and these take their time.
    """
    loop = asyncio.new_event_loop()
    try:
        with wake_on_signal(loop):
            return loop.run_until_complete(work if beside is None else _accompany(work, beside))
    finally:
        loop.close()


async def _accompany(work: "Coroutine[Any, Any, T]", beside: "Coroutine[Any, Any, None]") -> T:
    task = asyncio.create_task(beside)
    try:
        return await work
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
