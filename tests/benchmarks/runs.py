"""Whole runs of one source through the store, as the program makes them: for the benchmarks."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dataportal.observations import clean
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START = datetime(2024, 1, 1, tzinfo=UTC)


def hours(points: int, first: int = 0) -> list[datetime]:
    """So many hours from START on, or later."""
    return [START + timedelta(hours=first + n) for n in range(points)]


def whole_run(
    url: str, answer: Mapping[str, Any], *, source: str = "benchmark", start: datetime = START
) -> Counts:
    """Connection, lock, series, window, run row, cleaning, merge, end of the run."""
    names: Sequence[str] = list(answer)
    with closing(SourceSession.open(url, source)) as session:
        snapshot = session.try_lock(names)
        assert snapshot
        session.register([SeriesRecord(name) for name in names], snapshot=snapshot)
        run_id = session.start_run(RunKind.SCHEDULED, start, None)
        batch = clean(answer, series=names, start=start, end=None, zone=None)
        merged = session.merge(
            SliceWrite(
                run_id,
                batch.series,
                start=start,
                end=None,
                received=Counts(received=batch.received),
            )
        )
        changed = merged.counts.changed
        outcome = Outcome.SUCCEEDED if changed else Outcome.UNCHANGED
        unrecorded = None if merged.recorded else merged.counts
        session.finish_run(run_id, outcome, counts=unrecorded, history_asked=True)
    return merged.counts
