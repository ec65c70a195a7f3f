"""Judges the health of sources: fresh, stale, failing, and why. Pure: the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dataportal.command_lines import command_line
from dataportal.config import Limits
from dataportal.schedule import next_due
from dataportal.store.clock import TOLERANCE
from dataportal.store.records import Outcome, SourceState
from dataportal.times import EARLIEST, EPOCH, format_duration, iso, multiply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataportal.config import Source
    from dataportal.series import SeriesDescription
    from dataportal.store.read.overview import SeriesRow, SourceRow

_PATIENT_INTERVALS, _PATIENT_SCHEDULES = 10, 3
_LONGEST_LOOKBACK = timedelta(days=30)
_REGULAR_ADVANCES = 2  # scheduled runs that brought a newer ts: one may be a load of all there is
_MOST_NAMES = 5
_MINDED = timedelta(days=30)
"""How far back from the age at which gaps are unhealthy anybody looks for them."""


class Condition(StrEnum):
    """How a source stands, the gravest first."""

    BROKEN = "broken"
    """Its entry in sources.yaml cannot be used."""
    DISABLED = "disabled"
    NEEDS = "needs"
    """Variables that it requires are not set, so it is not run; a fault if it used to be."""
    RUNNING = "running"
    FAILING = "failing"
    """Its last scheduled attempt failed."""
    NEVER_RUN = "never run"
    """No scheduled run has ended well yet."""
    STALE = "stale"
    DOUBTFUL = "doubtful"
    """Its runs end well, and what they bring is doubted."""
    DUE = "due"
    OK = "ok"
    GONE = "gone"
    """The database has series of it, and the file does not name it any more."""
    UNKNOWN = "unknown"
    """The database could not be asked."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that a person is to look at, and can settle in sources.yaml.

    Attributes:
        kind: what is doubted.
        series: the series; None for the whole source.
        since: from when on.
        message: what is doubted, and how it is settled.
        settled_by: the key of the entry that settles it.
    """

    kind: str
    series: str | None
    since: datetime
    message: str
    settled_by: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one source stands.

    Attributes:
        source: its name.
        condition: the word for it.
        counts: whether a health check looks at it; what is not to run is neither well nor ill.
        reasons: what is wrong; empty where all is well.
        next_due: when it is to run next; None where it is not to.
        newest: the newest `ts` stored of any of its series.
        doubts: what is doubted of it; no fault, unless `reasons` says so.
        partial: that its last run was partial, and why; no fault until it is stale.
        needs: variables that it requires and that are not set.
    """

    source: str
    condition: Condition
    counts: bool = True
    reasons: tuple[str, ...] = ()
    next_due: datetime | None = None
    newest: datetime | None = None
    doubts: tuple[Doubt, ...] = ()
    partial: str | None = None
    needs: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts or not self.reasons

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be known of a source that is well."""
        if not self.well:
            return ()
        partial = (self.partial,) if self.partial else ()
        return partial + tuple(doubt.message for doubt in self.doubts)

    @property
    def text(self) -> str:
        """The condition, with the variables that are missing where that is it."""
        if self.condition is Condition.NEEDS:
            return f"needs {', '.join(self.needs)}"
        return str(self.condition)


def broken_entry(source: str, problems: Sequence[str]) -> Verdict:
    """The verdict over an entry that cannot be used."""
    return Verdict(source, Condition.BROKEN, reasons=tuple(problems))


def gone_source(row: SourceRow) -> Verdict:
    """The verdict over a source of which only the database knows."""
    newest = max((s.newest for s in row.series if s.newest), default=None)
    return Verdict(row.state.source, Condition.GONE, counts=False, newest=newest)


def unknown_state(source: Source) -> Verdict:
    """The verdict over a source when the database cannot be asked."""
    if source.enabled and not source.missing_env:
        return Verdict(source.name, Condition.UNKNOWN, reasons=("the database cannot be asked",))
    return judge(source, None, EPOCH)


def judge(source: Source, row: SourceRow | None, now: datetime) -> Verdict:
    """The verdict over a source.

    Args:
        source: the source.
        row: what the store has of it; None for nothing.
        now: the present.
    """
    newest = max((s.newest for s in row.series if s.newest), default=None) if row else None
    if not source.enabled:
        return Verdict(source.name, Condition.DISABLED, counts=False, newest=newest)
    if source.missing_env:
        faults = tuple(_reasons_without(source, row.state, now)) if row else ()
        return Verdict(
            source.name,
            Condition.NEEDS,
            counts=bool(faults),
            reasons=faults,
            newest=newest,
            needs=tuple(source.missing_env),
        )
    state = row.state if row else SourceState(source.name)
    faults = tuple(_reasons(source, state, newest, now))
    faults += tuple(_gap_reasons(source, row)) if row else ()
    still = series_at_rest(source, row, now) if row else []
    standing_still = tuple(_standstill(series, patience) for series, patience in still)
    pages = tuple(_page_doubts(source, state))
    doubtful = tuple(doubt.message for doubt in pages)
    doubtful += _all_stand_still(row, source, standing_still) if row else ()
    due_at = next_due(
        now,
        schedule=source.schedule,
        offset=source.slot_offset,
        last_attempt=state.last_attempt,
        last_failed=state.last_failed,
    )
    if row is not None and row.last_run is not None and row.last_run.running:
        condition = Condition.RUNNING
    elif state.last_failed:
        condition = Condition.FAILING
    elif state.last_success is None:
        condition = Condition.NEVER_RUN
    elif faults:
        condition = Condition.STALE
    elif doubtful:
        condition = Condition.DOUBTFUL
    else:
        condition = Condition.DUE if due_at <= now else Condition.OK
    return Verdict(
        source.name,
        condition,
        reasons=faults + doubtful,
        next_due=due_at,
        newest=newest,
        doubts=pages + standing_still,
        partial=_partial_end(state),
    )


def needs_newest(source: Source, row: SourceRow, now: datetime) -> bool:
    """Whether the verdict over a source depends on the newest observations of its series."""
    return source.data_stale_after is not None or bool(series_at_rest(source, row, now))


def gap_window(source: Source, now: datetime) -> tuple[datetime, datetime] | None:
    """Where a gap of the source's series is unhealthy; None for nowhere."""
    age = source.gaps_stale_after
    if age is None or not source.enabled or source.missing_env or now - EARLIEST < age + _MINDED:
        return None
    return now - age - _MINDED, now - age


def _gap_reasons(source: Source, row: SourceRow) -> Iterator[str]:
    with_gaps = [s for s in row.gaps if s.gaps]
    for s in with_gaps[:_MOST_NAMES]:
        name, first, last = s.series.endpoint_prefix, s.gaps[0], s.gaps[-1]
        values = f"{s.missing} value" + ("s" if s.missing > 1 else "")
        yield (
            f"{name} lacks {values} from {iso(first.start)} to {_second(last.end)}, longer ago "
            f"than {format_duration(source.gaps_stale_after or timedelta())}: "
            + command_line("gaps", name, "--fill")
        )
    if (more := len(with_gaps) - _MOST_NAMES) > 0:
        yield f"and {more} more of its series have gaps"


def series_at_rest(
    source: Source, row: SourceRow, now: datetime
) -> list[tuple[SeriesRow, timedelta]]:
    """The series that stand still, each with how long it may rest.

    That is ten of its intervals, three schedules or the lookback (30 days of it), whichever is
    longest. A series that did not go on in two scheduled runs is not expected to.
    """
    return [
        (series, patience)
        for series, described in _regular_series(source, row)
        if series.advanced_at is not None
        and now - series.advanced_at > (patience := _patience(source, row, described))
    ]


def _regular_series(source: Source, row: SourceRow) -> list[tuple[SeriesRow, SeriesDescription]]:
    """The series of the source that are expected to go on."""
    if not source.expects_advances:
        return []
    described = {series.endpoint_prefix: series for series in source.series}
    return [
        (series, described[series.endpoint_prefix])
        for series in row.series
        if series.advances >= _REGULAR_ADVANCES and series.endpoint_prefix in described
    ]


def _patience(source: Source, row: SourceRow, series: SeriesDescription) -> timedelta:
    # what its plugin's class says is known from its runs: no plugin is imported here
    lookback = source.options.get("lookback", row.lookback)
    return max(
        multiply(_PATIENT_INTERVALS, series.interval or timedelta()),
        multiply(_PATIENT_SCHEDULES, source.schedule),
        min(Limits().lookback if lookback is None else lookback, _LONGEST_LOOKBACK),
    )


def _standstill(series: SeriesRow, patience: timedelta) -> Doubt:
    since = series.advanced_at or EPOCH
    where = f"at {iso(series.newest)}" if series.newest else "without any observation"
    return Doubt(
        "stands_still",
        series.endpoint_prefix,
        since,
        f"{series.endpoint_prefix} has stood still {where} since {iso(since)}, longer than "
        f"{format_duration(patience)}: has it ended? If so: data_stale_after: off",
        "data_stale_after",
    )


def _all_stand_still(row: SourceRow, source: Source, doubts: Sequence[Doubt]) -> tuple[str, ...]:
    """Why a source is ill all of whose series stand still that are expected to go on."""
    if not doubts or len(doubts) < len(_regular_series(source, row)):
        return ()
    messages = [doubt.message for doubt in doubts[:_MOST_NAMES]]
    if (more := len(doubts) - _MOST_NAMES) > 0:
        messages.append(f"and {more} more of its series stand still")
    return tuple(messages)


def _page_doubts(source: Source, state: SourceState) -> Iterator[Doubt]:
    """That an answer may have been a page, unless the entry speaks of pages by now."""
    doubt = (state.doubts or {}).get("pages")
    if doubt is not None and not source.speaks_of_pages:
        since = datetime.fromisoformat(doubt["since"])
        yield Doubt("pages", None, since, doubt["message"], "paging")


def _reasons_without(source: Source, state: SourceState, now: datetime) -> Iterator[str]:
    """What is wrong with a source that is not run for want of a variable.

    One that was fetched had it: it is gone, or was left out of the crontab.
    """
    if state.last_success is not None and now - state.last_success > source.stale_after:
        names = ", ".join(source.missing_env)
        too_old = _too_old("last success", state.last_success, source.stale_after)
        yield f"{too_old}, and it is not run, as {names} is not set"


def _reasons(
    source: Source, state: SourceState, newest: datetime | None, now: datetime
) -> list[str]:
    reasons = []
    if state.last_failed:
        times = "the last attempt failed"
        if state.failures > 1:
            since = f", since {_second(state.failing_since)}" if state.failing_since else ""
            times = f"{state.failures} attempts in a row failed{since}"
        reasons.append(f"{times}: {state.last_error or 'no reason recorded'}")
    if state.known_latest is not None and state.known_latest > now + TOLERANCE:
        reasons.append(
            f"what it knows is dated {iso(state.known_latest)}, which is yet to come: a clock ran "
            "ahead"
        )
    if state.last_success is None:
        # a backfill is no run as the schedule has it, and may have brought ten years
        how = "" if newest is None else " on its schedule"
        reasons.append(f"has never been fetched with success{how}")
    elif now - state.last_success > source.stale_after:
        reasons.append(_too_old("last success", state.last_success, source.stale_after))
    # a partial run is no success
    if reasons and (partial := _partial_end(state)):
        reasons.append(partial)
    limit = source.data_stale_after
    if limit is not None and state.last_success is not None:
        if newest is None:
            reasons.append("has no observation yet")
        elif now - newest > limit:
            reasons.append(_too_old("newest observation", newest, limit))
    return reasons


def _partial_end(state: SourceState) -> str | None:
    """That the last scheduled run was partial, and why."""
    if state.last_outcome is not Outcome.PARTIAL:
        return None
    return f"the last run was partial: {state.last_error or 'no reason recorded'}"


def _second(instant: datetime) -> str:
    return iso(instant.replace(microsecond=0))


def _too_old(what: str, instant: datetime, limit: timedelta) -> str:
    return f"{what} {_second(instant)} is older than {format_duration(limit)}"
