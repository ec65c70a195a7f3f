"""Stores runs without fetching anything: for tests of what reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataportal.observations import Observations
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2025, 3, 1, tzinfo=UTC)


def store_run(
    url: str,
    values: Sequence[float | None],
    *,
    series: str = "load",
    record: SeriesRecord | None = None,
    outcome: Outcome = Outcome.SUCCEEDED,
    published: datetime | None = None,
    error: str | None = None,
) -> datetime | None:
    """Store hourly values from START on, as one scheduled run of a source named as its series.

    None stands for an explicit null; `published` is when the provider published all of them. The
    answer is the knowledge time; None where nothing changed.
    """
    session = SourceSession.open(url, series)
    try:
        assert session.try_lock()
        session.register([record or SeriesRecord(series, name="Load", unit="MW")])
        run = session.start_run(RunKind.SCHEDULED, START, None)
        ts = [START + timedelta(hours=h) for h in range(len(values))]
        observations = Observations(ts, [*values])
        if published is not None:
            vintages = [
                (instant, published, value) for instant, value in zip(ts, values, strict=True)
            ]
            observations = Observations(ts, [*values], [published] * len(ts), vintages)
        merged = session.merge(
            SliceWrite(
                run,
                {series: observations},
                start=START,
                end=None,
                received=Counts(received=len(values)),
                accept_retractions=True,
            )
        )
        session.finish_run(run, outcome, error=error)
        # a server takes its time to notice that a client has gone
        session.unlock()
    finally:
        session.close()
    return merged.knowledge_time
