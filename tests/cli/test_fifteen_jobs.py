"""Fifteen jobs of those who forecast: each of them is one call, and its answer is right.

There are two years of a market. Every six hours, at 00:00, 06:00, 12:00 and 18:00 UTC, a forecast
of the load comes out for the 48 hours that follow. What the load was is known an hour after its
hour, and revised once a day for a week. The numbers are made so that everybody can check them:

- The load of an hour is 100 plus the hour of its day (UTC) in the end. It is first told 7 too
  high, and each day's revision takes 1 away.
- The forecast of an hour is that load, plus 1 for each 12 hours that are left until then. So every
  second forecast of an hour is equal to the one before it.
- One hour of the load is missing: 12:00 UTC of 10 May 2025.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.databases import with_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import RunCli
    from support.databases import Databases

    Ask = Callable[..., str]

pytestmark = [pytest.mark.slow, pytest.mark.database]

_SERIES = """
INSERT INTO time_series (endpoint_prefix, name, source, unit, domain, granularity, ts_timezone)
VALUES ('load', 'Load of the grid', 'grid', 'MW', 'energy', '1 hour', 'Europe/Berlin'),
       ('load-forecast', 'Forecast of the load', 'grid', 'MW', 'energy', '1 hour',
        'Europe/Berlin');
INSERT INTO source_state (source, known_through) VALUES ('grid', '2026-01-09 00:00Z');
"""
# the hours that are left until then become a number that changes with every second forecast only
_FORECAST = """
WITH answer AS (
    SELECT issued, ts, 100 + extract(hour FROM ts AT TIME ZONE 'UTC')
        + floor(extract(epoch FROM ts - issued) / 43200) AS value
    FROM generate_series('2023-12-31 00:00Z'::timestamptz, '2025-12-31 18:00Z', '6 hours')
             AS issued,
         generate_series(issued + interval '1 hour', issued + interval '48 hours', '1 hour') AS ts
), version AS (
    SELECT issued, ts, value FROM (
        SELECT *, lag(value) OVER (PARTITION BY ts ORDER BY issued) AS before FROM answer
    ) AS a
    WHERE value IS DISTINCT FROM before
)
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT (SELECT series_id FROM time_series WHERE endpoint_prefix = 'load-forecast'),
       ts, value, issued, lead(issued, 1, 'infinity') OVER (PARTITION BY ts ORDER BY issued), 1
FROM version;
INSERT INTO time_series_issue (series_id, issued_at, first_ts, last_ts, points, run_id)
SELECT (SELECT series_id FROM time_series WHERE endpoint_prefix = 'load-forecast'),
       issued, issued + interval '1 hour', issued + interval '48 hours', 48, 1
FROM generate_series('2023-12-31 00:00Z'::timestamptz, '2025-12-31 18:00Z', '6 hours') AS issued;
"""
_ACTUAL = """
INSERT INTO time_series_vintage (series_id, ts, value, published_at, recorded_at, run_id)
SELECT (SELECT series_id FROM time_series WHERE endpoint_prefix = 'load'),
       ts, 100 + extract(hour FROM ts AT TIME ZONE 'UTC') + 7 - n,
       ts + interval '30 minutes' + interval '1 day' * n,
       ts + interval '1 hour' + interval '1 day' * n, 1
FROM generate_series('2024-01-01 00:00Z'::timestamptz, '2025-12-31 23:00Z', '1 hour') AS ts,
     generate_series(0, 7) AS n
WHERE ts <> '2025-05-10 12:00Z';
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT series_id, ts, value, recorded_at,
       lead(recorded_at, 1, 'infinity') OVER (PARTITION BY ts ORDER BY recorded_at), 1
FROM time_series_vintage;
INSERT INTO time_series_data (series_id, ts, value, updated_at, run_id)
SELECT series_id, ts, value, valid_from, run_id
FROM time_series_data_scd2 WHERE valid_to = 'infinity';
"""


def make_market(url: str) -> None:
    """Two years of forecasts, and of what the load was."""
    with_schema(url)
    with psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC") as connection:
        for script in (_SERIES, _FORECAST, _ACTUAL):
            connection.execute(script.encode())
        connection.execute("VACUUM ANALYZE")


@pytest.fixture(scope="module")
def market_url(server_url: str, databases: Databases) -> Iterator[str]:
    """The database of the market."""
    with databases.fresh(server_url, "market", make_market) as url:
        yield url


@pytest.fixture
def ask(market_url: str, run_cli: RunCli, tmp_path: Path) -> Ask:
    """What the program answers on stdout."""

    def run(*args: str) -> str:
        done = run_cli(*args, env={"DATABASE_URL": market_url}, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def table(text: str) -> list[dict[str, str]]:
    """The rows of an answer in CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def test_1_many_series_as_of_one_time_side_by_side(ask: Ask) -> None:
    """At 06:00 the load was known up to 05:00, and the forecast of 06:00 was just out."""
    rows = table(
        ask(
            *("read", "load", "load-forecast", "--as-of", "2025-03-01T06:00Z", "--wide"),
            *("--start", "2025-03-01T04:00Z", "--end", "2025-03-01T08:00Z", "--format", "csv"),
        )
    )
    assert [(row["ts"][11:16], row["load"], row["load-forecast"]) for row in rows] == [
        ("04:00", "111", "104"),
        ("05:00", "112", "105"),
        ("06:00", "", "106"),
        ("07:00", "", "107"),
    ]


def test_2_what_was_known_a_day_ahead(ask: Ask) -> None:
    """24 hours before each hour: forecasts with 24 to 29 hours to go say 2 too much."""
    answer = json.loads(
        ask(
            *("read", "load-forecast", "--lead", "24h", "--json"),
            *("--start", "2025-03-02", "--end", "2025-03-03"),
        )
    )
    assert answer["final"] is True
    values = [row["value"] for row in answer["observations"]]
    assert values == [100 + hour + 2 for hour in range(24)]


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-30", 23), ("2025-07-01", 24), ("2025-10-26", 25)]
)
def test_3_what_was_known_at_the_gate(ask: Ask, day: str, hours: int) -> None:
    """At 06:00 of the day before, by the clocks of Berlin, also where they change.

    That is 05:00 UTC in winter and 04:00 in summer, so that the forecast of midnight UTC counts.
    """
    end = datetime.fromisoformat(day) + timedelta(days=1)
    rows = table(
        ask(
            *("read", "load-forecast", "--cutoff", "D-1 06:00 Europe/Berlin"),
            *("--start", f"{day}T00:00+0{2 if hours != 23 else 1}:00"),
            *("--end", f"{end:%Y-%m-%d}T00:00+0{1 if hours == 25 else 2}:00", "--format", "csv"),
        )
    )
    assert len(rows) == hours
    issued = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=1)
    for row in rows:
        ts = datetime.fromisoformat(row["ts"])
        left = (ts - issued) // timedelta(hours=12)
        assert float(row["value"]) == 100 + ts.hour + left


def test_4_one_forecast_as_it_was_issued(ask: Ask) -> None:
    """All of its 48 values, also those equal to the forecast before."""
    rows = table(ask("read", "load-forecast", "--issued", "2025-03-01T06:00Z", "--format", "csv"))
    issued = datetime(2025, 3, 1, 6, tzinfo=UTC)
    assert [(row["ts"], float(row["value"])) for row in rows] == [
        (f"{ts:%Y-%m-%dT%H:%M:%SZ}", 100 + ts.hour + left // 12)
        for left in range(1, 49)
        for ts in [issued + timedelta(hours=left)]
    ]
    # those of which the version is older than the run are as they were before
    older = [row for row in rows if datetime.fromisoformat(row["valid_from"]) < issued]
    assert 0 < len(older) < 48


def test_5_which_forecasts_there_are(ask: Ask) -> None:
    """One each six hours, and what each of them holds."""
    answer = json.loads(ask("history", "load-forecast", "--issues", "--limit", "2", "--json"))
    assert [
        (issue["issued_at"], issue["first_ts"], issue["last_ts"], issue["points"])
        for issue in answer["issues"]
    ] == [
        ("2025-12-31T12:00:00Z", "2025-12-31T13:00:00Z", "2026-01-02T12:00:00Z", 48),
        ("2025-12-31T18:00:00Z", "2025-12-31T19:00:00Z", "2026-01-02T18:00:00Z", 48),
    ]


def test_6_features_for_a_table_of_decisions(ask: Ask, tmp_path: Path) -> None:
    """In the order of the table, and nothing that became known after the decision."""
    (tmp_path / "decisions.csv").write_text(
        "ts,decided_at\n"
        "2025-03-02T12:00Z,2025-03-02T06:00Z\n"
        "2025-03-02T12:00Z,2025-03-01T05:59Z\n"
        "2025-03-01T12:00Z,2025-03-01T13:00Z\n"
        "2025-03-01T12:00Z,2025-03-20T00:00Z\n"
    )
    rows = table(
        ask(
            *("read", "load", "load-forecast", "--at", "decisions.csv"),
            *("--wide", "--format", "csv"),
        )
    )
    assert [(row["load"], row["load-forecast"]) for row in rows] == [
        ("", "112"),
        ("", "115"),
        ("119", "112"),
        ("112", "112"),
    ]


def test_7_how_much_values_change_with_age(ask: Ask) -> None:
    """Each revision takes 1 away: six within a week of the hour, and the last one after it."""
    span = ("--start", "2025-03-01", "--end", "2025-03-02")
    answer = json.loads(ask("history", "load", "--revisions-by", "age", *span, "--json"))
    revisions = [row for row in answer["revisions_by_age"] if row["count"]]
    assert [(row["count"], row["bias"], row["mean"], row["largest"]) for row in revisions] == [
        (6 * 24, -1.0, 1.0, 1.0),
        (24, -1.0, 1.0, 1.0),
    ]


def test_8_first_release_against_latest(ask: Ask) -> None:
    """The load was first told 7 too high, whichever of both times one goes by."""
    span = ("--start", "2025-03-01", "--end", "2025-03-02", "--format", "csv")
    latest = table(ask("read", "load", "--release", "latest", *span))
    for by in ("known", "published"):
        first = table(ask("read", "load", "--release", "first", "--by", by, *span))
        assert {
            float(f["value"]) - float(n["value"]) for f, n in zip(first, latest, strict=True)
        } == {7.0}


def test_9_all_vintages_as_a_matrix(ask: Ask) -> None:
    """Observations by times of knowledge: filled forward, and empty before the first value."""
    rows = table(
        ask(
            *("history", "load", "--matrix", "--format", "csv"),
            *("--start", "2025-03-01T00:00Z", "--end", "2025-03-01T02:00Z"),
        )
    )
    times = [f"2025-03-0{1 + day}T0{hour}:00:00Z" for day in range(8) for hour in (1, 2)]
    assert [[row[time] for time in times] for row in rows] == [
        [str(107 - day) for day in range(8) for _ in (1, 2)],
        ["", *(str(108 - day) for day in range(8) for _ in (1, 2))][:16],
    ]


def test_10_what_changed_between_two_times(ask: Ask) -> None:
    """Of midnight the revision of that day; by publication, half an hour before, of 01:00."""
    changes = table(
        ask(
            *("history", "load", "--diff", "2025-03-05T00:30Z", "2025-03-05T01:30Z"),
            *("--start", "2025-03-01", "--end", "2025-03-02", "--format", "csv"),
        )
    )
    assert [(row["ts"][11:16], row["before"], row["after"]) for row in changes] == [
        ("00:00", "104", "103")
    ]
    published = table(
        ask(
            *("history", "load", "--diff", "2025-03-05T00:30Z", "2025-03-05T01:30Z"),
            *("--start", "2025-03-01", "--end", "2025-03-02", "--by", "published"),
            *("--recorded", "2025-06-01", "--format", "csv"),
        )
    )
    assert [(row["ts"][11:16], row["before"], row["after"]) for row in published] == [
        ("01:00", "105", "104")
    ]


def test_11_the_same_numbers_everywhere(ask: Ask) -> None:
    """To the bit, with times that have a zone: what CSV says is what JSON says."""
    span = ("--as-of", "2025-03-05", "--start", "2025-03-01", "--end", "2025-03-02")
    rows = table(ask("read", "load", *span, "--format", "csv"))
    answer: dict[str, Any] = json.loads(ask("read", "load", *span, "--json"))
    assert [(row["ts"], float(row["value"])) for row in rows] == [
        (row["ts"], row["value"]) for row in answer["observations"]
    ]
    assert all(datetime.fromisoformat(row["ts"]).tzinfo for row in rows)


def test_12_daily_means_in_local_days(ask: Ask) -> None:
    """Of 23, 24 and 25 hours, and one lacks an hour; the mean of a whole day is 111.5."""
    rows = table(
        ask(
            *("read", "load", "--every", "1 day", "--agg", "mean", "--zone", "Europe/Berlin"),
            *("--start", "2025-01-01T00:00+01:00", "--end", "2025-12-31T00:00+01:00"),
            *("--format", "csv"),
        )
    )
    sizes = {row["ts"][:10]: int(row["count"]) for row in rows}
    assert len(sizes) == 364
    assert {day: size for day, size in sizes.items() if size != 24} == {
        "2025-03-29": 23,
        "2025-05-09": 23,
        "2025-10-25": 25,
    }
    assert {row["value"] for row in rows if row["count"] == "24"} == {"111.5"}


def test_13_what_is_missing(ask: Ask) -> None:
    """One hour in two years, with the changes of the clocks between."""
    (series,) = json.loads(ask("gaps", "load", "--json"))["series"]
    assert [(gap["start"], gap["end"]) for gap in series["gaps"]] == [
        ("2025-05-10T12:00:00Z", "2025-05-10T13:00:00Z")
    ]


def test_14_find_a_series(ask: Ask) -> None:
    """By words and by unit, from the database alone."""
    answer = json.loads(ask("list-series", "forecast", "--where", "unit=MW", "--json"))
    assert [series["endpoint_prefix"] for series in answer["series"]] == ["load-forecast"]


def test_15_the_last_values_now(ask: Ask) -> None:
    """The newest three, and nothing else is read."""
    rows = table(ask("read", "load", "--limit", "3", "--format", "csv"))
    assert [(row["ts"], row["value"]) for row in rows] == [
        ("2025-12-31T21:00:00Z", "121"),
        ("2025-12-31T22:00:00Z", "122"),
        ("2025-12-31T23:00:00Z", "123"),
    ]
