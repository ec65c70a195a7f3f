"""What a run costs where the database is far away: its round trips, counted on the wire."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from feeding import feeding, hour, observations
from wire import Wire

from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Mapping

WEEK: dict[int, float | None] = {n: n / 2 for n in range(168)}
DAY: dict[int, float | None] = {n: n / 2 for n in range(24)}


def round_trips(url: str, points: Mapping[int, float | None]) -> int:
    """Those of a whole run of one series beyond what connecting and leaving cost."""
    with Wire(url) as wire:
        psycopg.connect(wire.url).close()
        bare = wire.round_trips
        with closing(SourceSession.open(wire.url, "grid")) as session:
            assert session.try_lock()
            session.register([SeriesRecord("load")])
            session.progress()
            run = session.start_run(RunKind.SCHEDULED, hour(0), None)
            session.merge(
                run,
                {"load": observations(points)},
                start=hour(0),
                end=None,
                received=Counts(received=len(points)),
            )
            session.finish_run(run, Outcome.UNCHANGED, history_asked=True)
        return wire.round_trips - 2 * bare


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        # settings, schema, lock, series, run row; lock and comparison, figures; end of the run
        (WEEK, 8),
        # and K; current values; closing; opening
        ({**WEEK, 3: -1.0}, 12),
        # and K; both tables
        ({**WEEK, 168: 1.0}, 11),
    ],
    ids=["unchanged", "one revised", "one new"],
)
def test_round_trips_of_a_small_run(
    database_url: str, points: dict[int, float | None], expected: int
) -> None:
    """A week of hourly values, known already but for one at most."""
    with feeding(database_url) as feed:
        feed(WEEK)
        feed.session.finish_run(feed.run, Outcome.SUCCEEDED, history_asked=True)
    assert round_trips(database_url, points) == expected


def test_more_series_cost_no_more_round_trips(database_url: str) -> None:
    """Fifty series that are revised all together are written like one."""
    names = [f"series {n}" for n in range(50)]
    with feeding(database_url, *names) as feed:
        feed.merge(dict.fromkeys(names, DAY))
    with Wire(database_url) as wire, closing(SourceSession.open(wire.url, "grid")) as session:
        assert session.try_lock()
        session.register([SeriesRecord(name) for name in names])
        run = session.start_run(RunKind.SCHEDULED, hour(0), None)
        before = wire.round_trips
        merged = session.merge(
            run,
            {name: observations({**DAY, 3: -1.0}) for name in names},
            start=hour(0),
            end=None,
            received=Counts(received=24 * 50),
        )
        assert merged.counts.revised == 50
        assert wire.round_trips - before == 6
