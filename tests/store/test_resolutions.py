"""How long intervals are, as runs record it."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from support.store_feed import PATHS, hour, open_feed, open_observer

from dataportal.granularity import interval_length
from dataportal.observations import Observations
from dataportal.resolutions import Resolution
from dataportal.statements import Statement
from dataportal.store.read.history import series_summary
from dataportal.store.records import Counts, SliceWrite
from dataportal.store.resolutions import resolutions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import psycopg
    from support.store_feed import Feed

    from dataportal.store.records import MergeResult

HOURS, QUARTERS = map(interval_length, ("1 hour", "PT15M"))
DAY: dict[int, float | None] = {n: float(n) for n in range(24)}


@pytest.fixture
def look(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Sees what has been committed."""
    with open_observer(database_url) as connection:
        yield connection


def quarters(first: int, count: int) -> list[datetime]:
    """So many quarters of an hour, from that hour on."""
    return [hour(first) + n * timedelta(minutes=15) for n in range(count)]


def store(feed: Feed, ts: list[datetime], said: list[Resolution] | None = None) -> MergeResult:
    """Merge points at these times, all of the value 1."""
    points = Observations(ts, [1.0] * len(ts), statement=Statement(resolutions=said or ()))
    received = Counts(received=len(ts))
    write = SliceWrite(feed.run, {"load": points}, start=ts[0], end=None, received=received)
    return feed.session.merge(write)


def recorded(look: psycopg.Connection[Any]) -> list[Resolution]:
    """What is recorded of the series load."""
    summary = series_summary(look, "load")
    assert summary is not None
    return list(summary.resolutions)


@pytest.mark.parametrize("path", PATHS)
def test_a_change_is_recorded_with_the_run_that_found_it(
    database_url: str, look: psycopg.Connection[Any], path: str
) -> None:
    """Once, whichever way a slice takes; the runs after it change nothing."""
    with open_feed(database_url, sizes=PATHS[path]) as feed:
        feed(DAY)
        first, second = feed.run, feed.start()
        store(feed, [*map(hour, range(24)), *quarters(24, 48)])
        feed.start()
        store(feed, [*map(hour, range(20, 24)), *quarters(24, 60)])
    assert recorded(look) == [Resolution(hour(0), HOURS), Resolution(hour(24), QUARTERS)]
    runs = look.execute("SELECT run_id FROM time_series_resolution ORDER BY ts_from").fetchall()
    assert runs == [(first,), (second,)]


def test_sql_asks_how_long_an_interval_is(database_url: str, look: psycopg.Connection[Any]) -> None:
    """At any time; nothing before the first."""
    with open_feed(database_url) as feed:
        store(feed, [*map(hour, range(24)), *quarters(24, 48)])
    rows = look.execute(
        "SELECT time_series_resolution_at(s.series_id, at) FROM time_series s,"
        " unnest(%s::timestamptz[]) WITH ORDINALITY AS t (at, n) ORDER BY n",
        [[hour(-1), hour(0), hour(23), hour(24), hour(99)]],
    ).fetchall()
    minutes = [value and value / timedelta(minutes=1) for (value,) in rows]
    assert minutes == [None, 60, 60, 15, 15]


def test_what_is_stored_is_looked_at_where_nothing_is_recorded(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """As in a database that an earlier version filled: the change of years ago is found."""
    with open_feed(database_url) as feed:
        store(feed, [*map(hour, range(100)), *quarters(100, 200)])
        look.execute("DELETE FROM time_series_resolution")
        feed.session.register([])  # of another run
    with open_feed(database_url) as feed:
        assert feed.session.merge(
            SliceWrite(
                feed.run,
                {"load": Observations([hour(150)], [1.0])},
                start=hour(150),
                end=None,
                received=Counts(received=1),
            )
        ).counts.inserted
    assert recorded(look) == [Resolution(hour(0), HOURS), Resolution(hour(100), QUARTERS)]


def test_behind_what_was_published_anew_the_old_length_goes_on(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """A day in the middle comes in quarters of an hour; the stored hours behind it stay hours."""
    with open_feed(database_url) as feed:
        store(feed, [hour(n) for n in range(200)])
        store(feed, quarters(48, 96))
    assert recorded(look) == [
        Resolution(hour(0), HOURS),
        Resolution(hour(48), QUARTERS),
        Resolution(hour(72), HOURS),
    ]


def test_what_the_provider_says_is_recorded(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """Of a single point, too."""
    month = interval_length("1 month")
    with open_feed(database_url) as feed:
        store(feed, [hour(0)], [Resolution(hour(0), month)])
    assert recorded(look) == [Resolution(hour(0), month)]


def test_an_answer_that_writes_nothing_records_nothing(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """A dry run, too."""
    with open_feed(database_url) as feed:
        feed(DAY, dry_run=True)
        assert recorded(look) == []
        feed(DAY)
        look.execute("DELETE FROM time_series_resolution")
        feed(DAY)
    assert recorded(look) == []


def test_series_without_a_record_are_left_out(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """Irregular points are recorded as such."""
    with open_feed(database_url, "load", "wind") as feed:
        feed({n * n: 1.0 for n in range(20)})
    assert list(resolutions(look, range(10)).values()) == [[Resolution(hour(0), None)]]


TWICE = [
    [hour(n) for n in range(48)],
    quarters(48, 96),
    [hour(n) for n in range(72, 120)],
]
"""Hours, then a day of quarters of an hour, then hours again."""


@pytest.mark.parametrize("order", [None, *permutations(range(3))], ids=str)
@pytest.mark.parametrize("is_said", [False, True])
def test_a_resolution_that_changes_twice_and_back(
    database_url: str,
    look: psycopg.Connection[Any],
    order: tuple[int, ...] | None,
    is_said: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """In one answer, and over several in whichever order they come, said or seen: the same."""
    lengths = (HOURS, QUARTERS, HOURS)
    said = [Resolution(ts[0], length) for ts, length in zip(TWICE, lengths, strict=True)]
    with open_feed(database_url) as feed:
        if order is None:
            store(feed, [ts for own in TWICE for ts in own], said if is_said else None)
        for number in order or ():
            feed.start()
            store(feed, TWICE[number], [said[number]] if is_said else None)
    assert recorded(look) == said
