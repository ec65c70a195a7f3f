"""Questions of points in time: against the SQL that one would write by hand, and tshistory.

python tests/benchmarks/bench_points.py
python -m venv /tmp/tsh && /tmp/tsh/bin/pip install tshistory==0.20.1 psycopg2-binary
python tests/benchmarks/bench_points.py --tshistory /tmp/tsh/bin/python
python tests/benchmarks/bench_points.py --versions 20000000   # `read --limit 5` beside so many
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from measuring import PROGRAM, Verdicts, best, fresh_database, process, python

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 5
CONNECT = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT 1')"
# each hour is forecast by ten issues, six hours apart; 60 hours in each of them
FORECAST = """
INSERT INTO time_series (endpoint_prefix, source) VALUES ('forecast', 'bench');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT (SELECT series_id FROM time_series WHERE endpoint_prefix = 'forecast'), ts,
       extract(epoch FROM ts) / 3600 + n, first + n * interval '6 hours',
       CASE WHEN n = 9 THEN 'infinity' ELSE first + (n + 1) * interval '6 hours' END, 1
FROM generate_series('2024-01-01Z'::timestamptz, '2025-12-31 23:00Z', '1 hour') AS ts,
     LATERAL (SELECT date_bin('6 hours', ts, '2024-01-01Z') - interval '54 hours') AS f (first),
     generate_series(0, 9) AS n;
"""
# series after series, as first loads lay them
FLEET = """
INSERT INTO time_series (endpoint_prefix, source)
SELECT 'fleet-' || n, 'bench' FROM generate_series(1, 100) AS n;
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT series_id, ts, series_id, ts + n * interval '1 hour',
       CASE WHEN n = 2 THEN 'infinity' ELSE ts + (n + 1) * interval '1 hour' END, 1
FROM time_series,
     generate_series('2025-01-01Z'::timestamptz, '2025-12-31 23:00Z', '1 hour') AS ts,
     generate_series(1, 2) AS n
WHERE endpoint_prefix LIKE 'fleet-%' ORDER BY series_id, ts, n;
"""
OTHERS = """
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)
SELECT 100000 + n, ts, 1, ts, 1 FROM generate_series(1, 1142) AS n,
     generate_series('2025-01-01Z'::timestamptz, '2025-12-31 23:00Z', '1 hour') AS ts
ORDER BY 1, 2
"""
LONG = """
INSERT INTO time_series (endpoint_prefix, source, granularity) VALUES ('long', 'bench', '1 minute');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT (SELECT series_id FROM time_series WHERE endpoint_prefix = 'long'),
       '2020-01-01Z'::timestamptz + p * interval '1 minute', p,
       '2020-01-01Z'::timestamptz + p * interval '1 minute' + n * interval '1 hour',
       CASE WHEN n = 9 THEN 'infinity'
            ELSE '2020-01-01Z'::timestamptz + p * interval '1 minute' + (n + 1) * interval '1 hour'
       END, 1
FROM generate_series(1, {points}) AS p, generate_series(0, 9) AS n
"""
STAIRCASE = """
SELECT d.ts, d.value
FROM time_series_known_lead(ARRAY['forecast'], '24 hours', '2024-01-01', '2026-01-01') AS d
ORDER BY d.ts
"""
STAIRCASE_BY_HAND = """
SELECT ts, value FROM time_series_data_scd2
WHERE series_id = (SELECT series_id FROM time_series WHERE endpoint_prefix = 'forecast')
  AND ts >= '2024-01-01' AND ts < '2026-01-01'
  AND valid_from <= ts - interval '24 hours' AND valid_to > ts - interval '24 hours'
ORDER BY ts
"""
AS_OF = "SELECT series, ts, value FROM time_series_known_as_of({names}, '2025-12-31', '2025-01-01')"
AS_OF_BY_HAND = """
SELECT s.endpoint_prefix, d.ts, d.value FROM time_series AS s
JOIN time_series_data_scd2 AS d USING (series_id)
WHERE s.endpoint_prefix = ANY ({names}) AND d.ts >= '2025-01-01'
  AND d.valid_from <= '2025-12-31' AND d.valid_to > '2025-12-31'
"""
AT = "SELECT * FROM time_series_known_at(%(names)s, %(ts)s, %(at)s)"
AT_BY_HAND = """
SELECT r.n, s.endpoint_prefix, r.ts, r.at, v.value, v.valid_from
FROM unnest(%(ts)s::timestamptz[], %(at)s::timestamptz[]) WITH ORDINALITY AS r (ts, at, n)
CROSS JOIN (SELECT series_id, endpoint_prefix FROM time_series
            WHERE endpoint_prefix = ANY (%(names)s)) AS s
LEFT JOIN LATERAL (
    SELECT value, valid_from FROM time_series_data_scd2 AS d
    WHERE d.series_id = s.series_id AND d.ts = r.ts AND d.valid_from <= r.at AND d.valid_to > r.at
    LIMIT 1
) AS v ON true
"""
# the same revisions, as tshistory keeps them; run by its own Python
TSHISTORY = """
import sys, time
import numpy, pandas
from sqlalchemy import create_engine
from tshistory.schema import tsschema
from tshistory.tsio import timeseries
engine = create_engine(sys.argv[1])
tsschema("bench").create(engine)
store = timeseries("bench")
first = pandas.Timestamp("2023-12-29T18:00Z")
last = pandas.Timestamp("2025-12-31T18:00Z")
issued = first
while issued <= last:
    hours = pandas.date_range(issued, periods=60, freq="h")
    hours = hours[(hours >= "2024-01-01T00:00Z") & (hours <= "2025-12-31T23:00Z")]
    if len(hours):
        left = (hours - issued) // pandas.Timedelta("6h")
        values = hours.astype("int64") / 3.6e12 + (9 - left)
        series = pandas.Series(numpy.asarray(values, dtype="float64"), index=hours)
        store.update(engine, series, "forecast", "bench", insertion_date=issued)
    issued += pandas.Timedelta("6h")
seconds = []
for _ in range(3):
    start = time.perf_counter()
    answer = store.staircase(
        engine, "forecast", pandas.Timedelta("24h"),
        from_value_date=pandas.Timestamp("2024-01-01T00:00Z"),
        to_value_date=pandas.Timestamp("2025-12-31T23:00Z"),
    )
    seconds.append(time.perf_counter() - start)
print(len(answer), float(answer.sum()), min(seconds))
"""


def run(
    connection: psycopg.Connection[Any], statement: str, parameters: Any = None
) -> Callable[[], object]:
    """A work: the statement, with all its rows fetched."""

    def work() -> object:
        cursor = connection.cursor(binary=True)
        return cursor.execute(statement.encode(), parameters).fetchall()

    return work


def pages(connection: psycopg.Connection[Any], statement: str) -> int:
    """How many pages the server looks at."""
    explain = f"EXPLAIN (ANALYZE, BUFFERS) {statement}".encode()
    connection.execute(explain)
    text = "\n".join(line for (line,) in connection.execute(explain))
    match = re.search(r"shared hit=(\d+)(?: read=(\d+))?|shared read=(\d+)", text)
    assert match
    return sum(int(number or 0) for number in match.groups())


def measure_staircase(
    verdicts: Verdicts, connection: psycopg.Connection[Any], url: str, tshistory: str | None
) -> None:
    """Two years hourly, ten versions each, as known a day before."""
    ours, theirs = best(
        run(connection, STAIRCASE), run(connection, STAIRCASE_BY_HAND), rounds=ROUNDS
    )
    rows = connection.execute(STAIRCASE.encode()).fetchall()
    assert rows == connection.execute(STAIRCASE_BY_HAND.encode()).fetchall()
    what = f"a staircase of {len(rows):,} of 175,440 versions"
    verdicts.at_most(what, ours, "by hand", theirs, 1.5)
    if tshistory is None:
        return
    done = subprocess.run(
        [tshistory, "-c", TSHISTORY, url], check=True, stdout=subprocess.PIPE, text=True
    )
    length, total, seconds = done.stdout.split()
    assert (int(length), float(total)) == (len(rows), sum(value for _, value in rows))
    verdicts.at_least(what, 1 / ours, "tshistory", 1 / float(seconds), 50, "a second")


def measure_as_of(verdicts: Verdicts, connection: psycopg.Connection[Any]) -> None:
    """A hundred series, a year of each, as of a time; and beside ten million other rows."""
    names = [f"fleet-{number}" for number in range(1, 101)]
    function, by_hand = (text.format(names=f"ARRAY{names}") for text in (AS_OF, AS_OF_BY_HAND))
    ours, theirs = best(run(connection, function), run(connection, by_hand), rounds=ROUNDS)
    verdicts.at_most("a year of 100 series as of K", ours, "by hand", theirs, 1.2)
    alone = pages(connection, function)
    connection.execute(OTHERS.encode())
    connection.execute("VACUUM ANALYZE time_series_data_scd2")
    beside = pages(connection, function)
    ours, theirs = best(run(connection, function), run(connection, by_hand), rounds=ROUNDS)
    verdicts.at_most("the same beside ten million rows", ours, "by hand", theirs, 1.2)
    verdicts.at_most("pages beside ten million rows", beside, "alone", alone, 1.2, "pages")
    verdicts.at_most("pages alone", alone, "beside ten million rows", beside, 1.25, "pages")


def measure_at(verdicts: Verdicts, connection: psycopg.Connection[Any]) -> None:
    """Rows of ts and time of decision, joined to three series."""

    def parameters(size: int) -> dict[str, Sequence[Any]]:
        first = datetime(2025, 1, 1, tzinfo=UTC)
        ts = [first + timedelta(hours=(n * 7919) % 8760) for n in range(size)]
        return {
            "names": ["fleet-1", "fleet-50", "fleet-100"],
            "ts": ts,
            "at": [time + timedelta(hours=n % 4) for n, time in enumerate(ts)],
        }

    few, many = parameters(10_000), parameters(100_000)
    small, ours, theirs = best(
        run(connection, AT, few), run(connection, AT, many), run(connection, AT_BY_HAND, many),
        rounds=3,
    )  # fmt: skip
    verdicts.at_most("100,000 decisions for 3 series", ours, "the bare statement", theirs, 3)
    verdicts.at_most("100,000 decisions", ours, "10,000 of them", small, 13)


def measure_last(verdicts: Verdicts, url: str, versions: int) -> None:
    """The last five of a long series, by the command."""
    env = {"DATABASE_URL": url}
    for options in ((), ("--lead=-3h",), ("--as-of", "now"), ("--release", "first")):
        ours, theirs = best(
            process(PROGRAM, "read", "long", "--limit", "5", *options, env=env),
            python(CONNECT, env=env),
            rounds=ROUNDS,
        )
        what = " ".join(("read --limit 5", *options, f"of {versions:,} versions"))
        verdicts.at_most(what, ours, "connect and select 1", theirs, 2.5)


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=1_000_000, help="of the longest series")
    parser.add_argument("--tshistory", help="the Python of a venv in which it is installed")
    size = parser.parse_args()
    verdicts = Verdicts()
    prepare = (FORECAST, FLEET, LONG.format(points=size.versions // 10), "VACUUM ANALYZE")
    options = "-c TimeZone=UTC -c jit=off"
    with (
        fresh_database(prepare) as url,
        psycopg.connect(url, autocommit=True, prepare_threshold=None, options=options) as database,
    ):
        measure_staircase(verdicts, database, url, size.tshistory)
        measure_last(verdicts, url, size.versions)
        measure_at(verdicts, database)
        measure_as_of(verdicts, database)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
