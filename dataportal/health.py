"""Judges the health of sources: fresh, stale, failing, and why. Pure: the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dataportal.schedule import next_due
from dataportal.store.clock import TOLERANCE
from dataportal.store.records import SourceState
from dataportal.times import EPOCH, format_duration, iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from dataportal.config import Source
    from dataportal.store.read.overview import SourceRow


class Condition(StrEnum):
    """How a source stands, the gravest first."""

    BROKEN = "broken"
    """Its entry in sources.yaml cannot be used."""
    DISABLED = "disabled"
    NEEDS = "needs"
    """Variables that it requires are not set, so it is not run; no fault."""
    RUNNING = "running"
    FAILING = "failing"
    """Its last scheduled attempt failed."""
    NEVER_RUN = "never run"
    """No scheduled run has ended well yet."""
    STALE = "stale"
    DUE = "due"
    OK = "ok"
    UNKNOWN = "unknown"
    """The database could not be asked."""


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
    """

    source: str
    condition: Condition
    counts: bool = True
    reasons: tuple[str, ...] = ()
    next_due: datetime | None = None
    newest: datetime | None = None

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts or not self.reasons

    @property
    def text(self) -> str:
        """The condition, with the variables that are missing where that is it."""
        if self.condition is Condition.NEEDS:
            return f"needs {', '.join(self.reasons)}"
        return str(self.condition)


def broken_entry(source: str, problems: Sequence[str]) -> Verdict:
    """The verdict over an entry that cannot be used."""
    return Verdict(source, Condition.BROKEN, reasons=tuple(problems))


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
        return Verdict(
            source.name,
            Condition.NEEDS,
            counts=False,
            reasons=tuple(source.missing_env),
            newest=newest,
        )
    state = row.state if row else SourceState(source.name)
    reasons = tuple(_reasons(source, state, newest, now))
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
    elif reasons:
        condition = Condition.STALE
    else:
        condition = Condition.DUE if due_at <= now else Condition.OK
    return Verdict(
        source.name,
        condition,
        reasons=reasons,
        next_due=due_at,
        newest=newest,
    )


def _reasons(
    source: Source, state: SourceState, newest: datetime | None, now: datetime
) -> list[str]:
    reasons = []
    if state.last_failed:
        times = f"{state.failures} attempts in a row" if state.failures > 1 else "the last attempt"
        reasons.append(f"{times} failed: {state.last_error or 'no reason recorded'}")
    if state.known_latest is not None and state.known_latest > now + TOLERANCE:
        reasons.append(
            f"what it knows is dated {iso(state.known_latest)}, which is yet to come: a clock ran "
            "ahead"
        )
    if state.last_success is None:
        reasons.append("has never been fetched with success")
    elif now - state.last_success > source.stale_after:
        reasons.append(_too_old("last success", state.last_success, source.stale_after))
    limit = source.data_stale_after
    if limit is not None and state.last_success is not None:
        if newest is None:
            reasons.append("has no observation yet")
        elif now - newest > limit:
            reasons.append(_too_old("newest observation", newest, limit))
    return reasons


def _too_old(what: str, instant: datetime, limit: timedelta) -> str:
    return f"{what} {iso(instant)} is older than {format_duration(limit)}"
