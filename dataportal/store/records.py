"""Records that go into the store and come out of it: plain values, no SQL, no connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from operator import add, attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.series import SeriesDescription

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dataportal.observations import Observations
    from dataportal.store.failover import Failover, Server
    from dataportal.validators import SliceValidators

SeriesRecord = SeriesDescription
"""A row of `time_series` holds just that, besides its key and the source that owns it."""


class Outcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class RunKind(StrEnum):
    """Why a run took place: its schedule, a window that an operator named, or a file."""

    SCHEDULED = "scheduled"
    BACKFILL = "backfill"
    RESTORE = "restore"


@dataclass(slots=True)
class Counts:
    """What became of every point received.

    received = inserted + revised + retracted + unchanged + duplicates + rejected + outside
    + withheld + nulls. A publication that is not the newest of its ts leaves the value unchanged.
    """

    received: int = 0
    inserted: int = 0
    revised: int = 0
    retracted: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    outside: int = 0
    withheld: int = 0
    nulls: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*map(add, self.values(), other.values()))

    def values(self) -> tuple[int, ...]:
        """The figures, in the order of the fields."""
        figures: tuple[int, ...] = _figures(self)
        return figures

    def by_name(self) -> dict[str, int]:
        """The figures by their names, in the order of the fields."""
        return dict(zip(self.__slots__, self.values(), strict=True))

    @property
    def changed(self) -> int:
        """How many versions were written."""
        return self.inserted + self.revised + self.retracted


_figures = attrgetter(*Counts.__slots__)


@dataclass(frozen=True, slots=True)
class SeriesProgress:
    """How far a series has come.

    Attributes:
        newest: the last ts stored; None where nothing is.
        advanced_at: when a run last brought a newer one than all before; of a series that none did
            since that is recorded, when the newest was written last.
        history_asked: whether its initial history has been asked for.
        answer_unit: the unit that its answers name.
        published_timezone: the zone of whose days its provider publishes.
        reading: by which reading of its provider it is stored.
    """

    newest: datetime | None
    advanced_at: datetime | None
    history_asked: bool
    answer_unit: str | None = None
    published_timezone: str | None = None
    reading: int = 1


class StatedFacts(NamedTuple):
    """What is kept of a series that its answers state: see `SeriesProgress`."""

    unit: str | None = None
    zone: str | None = None
    reading: int = 1


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is remembered of a source between runs; all None for one that never ran."""

    source: str
    last_attempt: datetime | None = None
    """When the last scheduled attempt with a finished outcome started."""
    last_outcome: Outcome | None = None
    last_success: datetime | None = None
    """When the last scheduled run that succeeded (or found nothing changed) finished."""
    known_through: datetime | None = None
    """As of any K up to here is final."""
    failures: int = 0
    """Failed attempts in a row."""
    failing_since: datetime | None = None
    """When the first of these began."""
    reminded_at: datetime | None = None
    """When a failure was last told."""
    last_error: str | None = None
    doubts: Mapping[str, Any] | None = None
    """What is doubted of it, by kind: `since`, in ISO 8601, and `message`."""
    known_latest: datetime | None = field(default=None, compare=False)
    """The latest K of the source, final or not."""

    @property
    def last_failed(self) -> bool:
        """Whether the last scheduled attempt failed."""
        return self.last_outcome is Outcome.FAILED


@dataclass(frozen=True, slots=True)
class RegisteredSeries:
    """A series as `time_series` has it, with its key and the source that owns it."""

    series_id: int
    source: str
    record: SeriesRecord


@dataclass(frozen=True, slots=True)
class SourceSnapshot:
    """What is stored of a source, read as its lock was taken: nobody else changes it from then on.

    Attributes:
        is_known: whether there is a row in `source_state`; only of a source with any of the series.
        latest: if so, the latest time as of which anything of it is known.
        state: what is remembered of it between runs; None where it was not asked for.
        known_through: what was known of it is final up to here.
        server: the one that it was last written to.
        failover: another one has taken over since then.
        series: the series of the names that were asked for, by endpoint_prefix, whoever owns them.
        progress: how far each of them has come.
    """

    is_known: bool = False
    latest: datetime | None = None
    state: SourceState | None = None
    known_through: datetime | None = None
    server: Server | None = None
    failover: Failover | None = None
    series: Mapping[str, RegisteredSeries] = field(default_factory=dict)
    progress: Mapping[str, SeriesProgress] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registration:
    """What came of registering the series of a source.

    Attributes:
        progress: how far each series of the source has come, by endpoint_prefix; those that
            only a dry run registers are not among them.
        warnings: a unit or a granularity that changed under a history.
    """

    progress: Mapping[str, SeriesProgress]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill that did not reach its end; `done_until` is None where no slice was done.

    `counts` and `vintages` are what its slices brought so far.
    """

    run_id: int
    start: datetime
    end: datetime
    done_until: datetime | None
    counts: Counts = field(default_factory=Counts)
    vintages: int = 0


@dataclass(frozen=True, slots=True)
class AnswerExtent:
    """How far an answer reached in a series.

    Attributes:
        first: the first ts; None where there was none.
        last: the last one.
        points: how many there were.
        unchanged: whether the provider said of some of it only that it is as it was.
    """

    first: datetime | None = None
    last: datetime | None = None
    points: int = 0
    unchanged: bool = False

    def __add__(self, other: AnswerExtent) -> AnswerExtent:
        firsts = [first for first in (self.first, other.first) if first is not None]
        lasts = [last for last in (self.last, other.last) if last is not None]
        return AnswerExtent(
            min(firsts, default=None),
            max(lasts, default=None),
            self.points + other.points,
            self.unchanged or other.unchanged,
        )


@dataclass(frozen=True, slots=True)
class SliceWrite:
    """One slice of a run, clean, to be merged into what is stored.

    Attributes:
        run_id: the run that brought it; not used by a dry run.
        observations: the clean points of every registered series, by endpoint_prefix.
        start: the start of the slice.
        end: its end, or None for the newest there is.
        received: what cleaning counted; the merge's own counts are added to it.
        done_until: up to where the run is done once this is stored.
        accept_retractions: let nulls retract most of a series, too.
        accept_units: keep the unit that an answer names in place of the one before.
        dry_run: compare, and write nothing.
        validators: what to keep of the answers that it came in.
    """

    run_id: int
    observations: Mapping[str, Observations]
    start: datetime
    end: datetime | None
    received: Counts
    done_until: datetime | None = None
    accept_retractions: bool = False
    accept_units: bool = False
    dry_run: bool = False
    validators: SliceValidators | None = None


class PointChange(NamedTuple):
    """What a dry run would do with a point.

    Attributes:
        series: its endpoint_prefix.
        ts: its time.
        value: what would be stored; None where what is stored would be withdrawn.
        change: `inserted`, `revised` or `retracted`.
    """

    series: str
    ts: datetime
    value: float | None
    change: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What one slice did to the store.

    Attributes:
        counts: inserted, revised, retracted, unchanged, withheld and nulls are set.
        knowledge_time: K of what was written; None where nothing was.
        silent: series with stored points in the slice and none in the answer.
        withheld: series whose nulls would have retracted most of their stored points.
        vintages: publications that were recorded.
        withdrawn: observations that were withdrawn as they had been read wrong.
        notes: what of that is to be told.
        dated: whether any point told when it was published.
        recorded: whether the counts stand in the run's row already. Where nothing was written they
            wait for the end of the run, so that a slice without news costs no commit.
        changes: of a dry run, the points that would be written.
    """

    counts: Counts
    knowledge_time: datetime | None
    silent: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    vintages: int = 0
    withdrawn: int = 0
    notes: tuple[str, ...] = ()
    dated: bool = False
    recorded: bool = True
    changes: Sequence[PointChange] = ()
