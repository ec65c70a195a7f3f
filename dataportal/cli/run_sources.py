"""What `fetch` and `fetch-all` have in common: run the requests, show what came of them."""

import asyncio
import sys
import time
from contextlib import ExitStack, redirect_stdout
from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.cli.database import say
from dataportal.cli.signals import handed_to, waking
from dataportal.errors import DatabaseError, ExitCode, worst
from dataportal.render.console import decorated, show
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from dataportal.cli.options import Invocation
    from dataportal.collect import Event, Listener, RunRequest, RunResult, StopSignal
    from dataportal.config import Configuration
    from dataportal.errors import Problem
    from dataportal.logs import Log
    from dataportal.settings import Settings

T = TypeVar("T")


def carried_out(
    requests: "Sequence[RunRequest]",
    broken: "Mapping[str, Sequence[Problem]]",
    *,
    invocation: "Invocation",
    settings: "Settings",
    configuration: "Configuration",
    jobs: int,
) -> ExitCode:
    """Run the requests, and show the results; the exit code that they ask for.

    Args:
        requests: what to run.
        broken: entries that cannot be used, which count as failed.
        invocation: how to show it.
        settings: how to run it.
        configuration: the file that the sources are from.
        jobs: how many sources at a time.

    Raises:
        DatabaseError: out of reach.
        ConfigurationError: there is no database to use.
    """
    from dataportal.render.runs import runs_document, runs_lines
    from dataportal.store import open_database

    begun = time.monotonic()
    results: list[RunResult] = []
    code = ExitCode.DONE
    with ExitStack() as stack:
        url = ""
        if requests:
            url = stack.enter_context(open_database(settings, say=say, create=not invocation.quiet))
            requests = _due(requests, url)
        if requests or broken:
            results, code = _attended(
                requests,
                broken,
                invocation=invocation,
                settings=settings,
                configuration=configuration,
                url=url,
                jobs=jobs,
            )
    if invocation.json:
        show([runs_document(results, ok=code is ExitCode.DONE)])
    elif not invocation.quiet:
        dry_run = any(request.dry_run for request in requests)
        show(runs_lines(results, took=time.monotonic() - begun, dry_run=dry_run))
    return code


def _due(requests: "Sequence[RunRequest]", url: str) -> "Sequence[RunRequest]":
    """What is to be carried out. Where nothing is due, the engine need not even be imported."""
    if not all(request.only_if_due for request in requests):
        return requests
    from dataportal.collect import due_requests
    from dataportal.store.read.overview import states_for_due

    try:
        return due_requests(requests, states_for_due(url), utc_now())
    except DatabaseError:
        return requests  # the engine has the patience for a database that is restarting


def _attended(
    requests: "Sequence[RunRequest]",
    broken: "Mapping[str, Sequence[Problem]]",
    *,
    invocation: "Invocation",
    settings: "Settings",
    configuration: "Configuration",
    url: str,
    jobs: int,
) -> "tuple[list[RunResult], ExitCode]":
    """The results, and the exit code that they ask for; what happens is told meanwhile."""
    from dataportal.collect import Finished, StopSignal, unusable_entry
    from dataportal.logs import configured
    from dataportal.render.run_progress import told

    # a good run says nothing under -q: what went wrong on the way to it is no news
    level = settings.log_level
    if invocation.quiet and level in {"info", "warning"}:
        level = "error"
    elif level == "info" and invocation.log_level is None and decorated(sys.stderr):
        level = "warning"  # the bars and the table say the rest
    log = configured(level=level, style=settings.log_format)
    tell = told(log)
    stop = StopSignal()
    results = [unusable_entry(name, problems) for name, problems in broken.items()]
    for result in results:
        tell(Finished(result))
    if requests:
        with handed_to(lambda number: stop.set(ExitCode(128 + number))):
            results += _collected(
                requests,
                invocation=invocation,
                settings=settings,
                configuration=configuration,
                url=url,
                jobs=jobs,
                stop=stop,
                tell=tell,
                log=log,
            )
    return results, stop.code or worst(result.code for result in results)


def _collected(
    requests: "Sequence[RunRequest]",
    *,
    invocation: "Invocation",
    settings: "Settings",
    configuration: "Configuration",
    url: str,
    jobs: int,
    stop: "StopSignal",
    tell: "Listener",
    log: "Log",
) -> "list[RunResult]":
    from dataportal.collect import collect
    from dataportal.render.run_progress import progress

    def on_failure(source: str, error: BaseException) -> None:
        log.debug("failed with", source=source, exc_info=error)

    wanted = not (invocation.quiet or invocation.json)
    with (
        progress(len(requests), wanted=wanted) as draw,
        # what a plugin prints must not end up among the results
        redirect_stdout(sys.stderr),
    ):

        def heard(event: "Event") -> None:
            tell(event)
            draw(event)

        return _looped(
            collect(
                requests,
                settings=settings,
                database_url=url,
                root=configuration.root,
                env=invocation.env,
                jobs=jobs,
                events=heard,
                stop=stop,
                on_failure=on_failure,
            )
        )


def _looped(work: "Coroutine[Any, Any, T]") -> T:
    """The result of `work`, from an event loop that waits for no thread when it is closed.

    `asyncio.run` waits for the threads that look up host names, and these take their time.
    """
    loop = asyncio.new_event_loop()
    try:
        with waking(loop):
            return loop.run_until_complete(work)
    finally:
        loop.close()
