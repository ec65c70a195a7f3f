"""Shows the progress of runs on stderr: bars on a terminal, and a log line for each event."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dataportal.collect.events import Finished, Started, Stored, Waiting, Warned
from dataportal.errors import ExitCode
from dataportal.render.console import bars_below, printable, stderr, supports_escape_codes
from dataportal.render.formatting import format_seconds, pluralize
from dataportal.store.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from dataportal.collect.events import Event
    from dataportal.collect.results import RunResult
    from dataportal.logs import Log
    from dataportal.render.backfill_pace import BackfillPace

_MOST_NAMES = 5
_LEVELS = {
    Outcome.FAILED: "error",
    Outcome.PARTIAL: "error",
    Outcome.INTERRUPTED: "warning",
    Outcome.EMPTY: "warning",
    # another machine does it
    Outcome.SKIPPED: "debug",
}


class EventLog:
    """Logs each event: routine as info, what needs a look as warning or error.

    Where a host fails, the first source that it fails is told in full, the others together in one
    line at the end.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._failed_by_host: dict[str, list[str]] = {}
        self._waits: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Log an event."""
        log = self._log
        match event:
            case Started(source, slices):
                log.debug("started", source=source, slices=slices)
            case Stored(source, done, slices):
                log.debug("stored", source=source, slice=done, slices=slices)
            case Waiting(source, None, reason):
                log.info("waits", source=source, reason=reason)
            case Waiting(source, float() | int() as pause, reason):
                # near-equal lines of many sources say no more than the first
                level = "debug" if reason in self._waits else "warning"
                self._waits.add(reason)
                wait = format_seconds(pause)
                getattr(log, level)("tries again", source=source, wait=wait, reason=reason)
            case Warned(source, message):
                log.warning(message, source=source)
            case Finished(result):
                self._log_end(result)

    def close(self) -> None:
        """Log what was left to be told together."""
        for host, sources in self._failed_by_host.items():
            if sources:
                names = ", ".join(sources[:_MOST_NAMES])
                more = len(sources) - _MOST_NAMES
                names += f" and {more:,} more" if more > 0 else ""
                count = pluralize(len(sources), "source")
                self._log.error(f"{host} failed {count} besides: {names}")
        self._failed_by_host.clear()

    def _log_end(self, result: RunResult) -> None:
        details: dict[str, Any] = {} if result.run_id is None else {"run_id": result.run_id}
        level = _LEVELS.get(result.outcome, "info") if result.is_news else "debug"
        if level == "error":
            details |= _page(result)
            if result.host is not None:
                if result.host in self._failed_by_host:
                    self._failed_by_host[result.host].append(result.source)
                    level = "debug"
                else:
                    self._failed_by_host[result.host] = []
        getattr(self._log, level)(outcome_sentence(result), source=result.source, **details)
        if result.recovery is not None:
            # under -q nothing less is shown, and whoever was told of the failure is to be told
            self._log.error(result.recovery, source=result.source)


def _page(result: RunResult) -> dict[str, str]:
    """The topic of the manual that says more about why a run failed, where there is one."""
    from dataportal.render.manual import page_of_message

    topic = page_of_message(result.error or result.reason or "")
    return {"help": topic} if topic else {}


def outcome_sentence(result: RunResult) -> str:
    """How a run ended, in one sentence."""
    counts = result.counts
    figures = ", ".join(
        f"{count:,} {word}"
        for word, count in (
            ("new", counts.inserted),
            ("revised", counts.revised),
            ("withdrawn", counts.retracted + result.withdrawn),
            ("unchanged", counts.unchanged),
            ("published", result.vintages),
        )
        if count
    )
    why = result.error or result.reason
    sentence = f"{result.outcome}: {why}" if why else str(result.outcome)
    return f"{sentence} ({figures})" if figures else sentence


async def log_pace(log: Log, pace: BackfillPace, interval: float) -> None:
    """Log again and again how far a backfill has come, for where no bar is drawn.

    Args:
        log: where to.
        pace: of the backfill.
        interval: seconds between two lines, also while nothing happens; 0 for none.
    """
    while interval > 0:
        await asyncio.sleep(interval)
        log.info(pace.sentence())


@contextmanager
def run_progress(
    total: int, *, wanted: bool, pace: BackfillPace | None = None
) -> Iterator[Callable[[Event], None]]:
    """A listener that draws bars on stderr, if `wanted` and there is a terminal; else nothing.

    Args:
        total: how many sources are to run.
        wanted: False for `-q` and `--json`.
        pace: that of a backfill, which is shown above, and counts slices in place of sources.
    """
    if not wanted or not supports_escape_codes(stderr()):
        yield lambda _event: None
        return
    from rich.console import Console
    from rich.file_proxy import FileProxy
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class Bars(Progress):
        """Bars below a line about all of them, which may be wider than what stands before a bar."""

        def get_renderables(self) -> Iterator[Any]:
            if pace is not None:
                yield Text(pace.sentence(), no_wrap=True, overflow="ellipsis")
            yield self.make_tasks_table(self.tasks)

    bars = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False, style="yellow"),
        TimeElapsedColumn(),
        console=Console(file=stderr()),
        transient=True,
        # what plugins print goes through what masks its secrets
        redirect_stdout=False,
        redirect_stderr=False,
    )
    above: Any = FileProxy(bars.console, stderr())
    with bars, bars_below(above):
        yield _Bars(bars, total, pace)


class _Bars:
    """A bar for all sources, and one for each that runs in several slices."""

    def __init__(self, bars: Progress, total: int, pace: BackfillPace | None) -> None:
        self._bars = bars
        self._pace = pace
        whole = "sources" if pace is None else "slices"
        self._total: TaskID = bars.add_task(whole, total=total if pace is None else None, note="")
        self._by_source: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case Started(source, slices):
                self._update(source, total=max(slices, 1), note="")
            case Stored(source, done, slices):
                self._update(source, completed=done, total=slices, note="")
            case Waiting(source, pause, reason):
                wait = "" if pause is None else f" ({format_seconds(pause)})"
                self._update(source, note=printable(f"waits{wait}: {reason}", 60))
            case Finished(result):
                if (task := self._by_source.pop(result.source, None)) is not None:
                    self._bars.remove_task(task)
                if self._pace is None:
                    self._bars.advance(self._total)
                if result.code is not ExitCode.DONE:
                    self._bars.update(self._total, note=f"last ill: {printable(result.source, 30)}")

        if self._pace is not None:
            self._bars.update(
                self._total,
                completed=self._pace.done,
                total=self._pace.total or None,
            )

    def _update(self, source: str, **changes: Any) -> None:
        if source not in self._by_source:
            name = printable(source, 40)
            self._by_source[source] = self._bars.add_task(name, total=1, note="")
        self._bars.update(self._by_source[source], **changes)
