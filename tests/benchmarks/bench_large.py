"""What a small run, probes and a question cost on a large database, against a tenth of it.

A tenth of the series, and a tenth of the years: where chunks are ten times as large, and where they
are ten times as many. Observations are made by SQL, chunk by chunk, and compressed as they come
where the server has the columnstore (DATAPORTAL_TEST_IMAGE may name such an image):

python tests/benchmarks/bench_large.py                                 # a million observations
python tests/benchmarks/bench_large.py --series 228 --points 87600     # 20 million
python tests/benchmarks/bench_large.py --series 1142 --points 87600    # 100 million
python tests/benchmarks/bench_large.py --series 11416 --points 87600   # a billion
python tests/benchmarks/bench_large.py --chunk-days 2                  # 1,825 chunks (TimescaleDB)
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench_start
from measuring import PROGRAM, Verdicts, best, fresh_databases, process
from runs import whole_run

from dataportal.errors import UpkeepError
from dataportal.store.connection import connect
from dataportal.store.read.storage import read_storage
from dataportal.store.upkeep.columnstore import enable_columnstore, fit_chunk_interval
from dataportal.times import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

    Answer = dict[str, dict[str, list[Any]]]

YEARS, DAY = 10, timedelta(days=1)
AFTER = 30 * DAY
GOAL = 1.2
RUNS = 40
TABLES = ("time_series_data", "time_series_data_scd2")
INTERVAL = "SELECT set_chunk_time_interval(%s::regclass, %s)"
COMPRESSED = """
SELECT compress_chunk(c) FROM show_chunks(%s, older_than => %s, newer_than => %s) AS c
"""
BY_HAND = """
SELECT alter_job(job_id, scheduled => false)
FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL
"""
# figures of one decimal that go up and down with the day; of some series only the newest
POINTS = """
SELECT t.ts, s.series_id, t.n,
       round((1000 + s.series_id %% 97 + 300 * sin(t.n * 0.2618) + 40 * random())::numeric, 1)
           ::float8 AS value
FROM (
    SELECT n, %(newest)s::timestamptz - n * %(step)s::interval AS ts
    FROM generate_series(%(first)s::integer, %(last)s::integer) AS n
) AS t
JOIN time_series AS s ON s.series_id <= %(series)s AND (t.n = 0 OR s.series_id <= %(whole)s)
"""
# a tenth of them was revised once
INSERTS = (
    f"""
    INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
    SELECT ts, value, %(newest)s::timestamptz, 1, series_id FROM ({POINTS}) AS point ORDER BY {{}}
    """,
    f"""
    INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)
    SELECT ts, value - v, %(newest)s::timestamptz - v * interval '1 hour',
           CASE v WHEN 0 THEN 'infinity' ELSE %(newest)s::timestamptz END, 1, series_id
    FROM ({POINTS}) AS point, generate_series(0, CASE n %% 10 WHEN 1 THEN 1 ELSE 0 END) AS v
    ORDER BY {{}}
    """,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many observations a database has: so many points of each series, at even distances.

    Attributes:
        series: how many have an observation.
        whole: how many have all points; the others have the newest.
        points: how many points that is.
        step: how far one is from the next.
        newest: the time of the last one.
        chunk: how much time a chunk covers; None for what the program would choose.
    """

    series: int
    whole: int
    points: int
    step: timedelta
    newest: datetime
    chunk: timedelta | None

    @property
    def width(self) -> timedelta:
        """How much time a chunk covers."""
        return self.chunk or fit_chunk_interval([DAY / self.step]) or DAY

    def parts(self) -> Iterator[tuple[datetime, datetime, dict[str, Any]]]:
        """Each chunk from the oldest on: its bounds, and the parameters that make its rows."""
        shared = {
            "newest": self.newest,
            "step": self.step,
            "series": self.series,
            "whole": self.whole,
        }
        start = self.newest - (self.points - 1) * self.step
        start -= (start - EPOCH) % self.width
        while start <= self.newest:
            end = start + self.width
            first = max((self.newest - end) // self.step + 1, 0)
            last = min((self.newest - start) // self.step, self.points - 1)
            yield start, end, {**shared, "first": first, "last": last}
            start = end


def fill(url: str, size: Size, known: Iterable[Answer]) -> None:
    """Make its observations, after some of a source of its own, and say what room they take."""
    began = time.monotonic()
    with closing(connect(url, application_name="benchmark")) as connection:
        is_compressed = _has_columnstore(connection)
        if is_compressed or size.chunk:
            for table in TABLES:
                connection.execute(INTERVAL.encode(), [table, size.width])
        for answer in known:
            small_run(url, answer, known=False)
        for start, end, parameters in size.parts():
            is_old = is_compressed and end <= size.newest - AFTER
            # as it is compressed, or as points arrive
            order = "series_id, ts" if is_old else "ts, series_id"
            for table, insert in zip(TABLES, INSERTS, strict=True):
                connection.execute(insert.format(order).encode(), parameters)
                if is_old:
                    connection.execute(COMPRESSED.encode(), [table, end, start])
        connection.execute("VACUUM (ANALYZE)")
        storage = read_storage(connection)
    room = sum(table.bytes for table in storage.tables[:2])
    chunks = [table.chunks or 0 for table in storage.tables[:2]]
    print(
        f"         {size.whole:,} series of {size.points:,} points: {room / 1e6:,.0f} MB,"
        f" {storage.compressed_share:.0%} compressed, {sum(chunks)} chunks;"
        f" {time.monotonic() - began:.0f} s",
        flush=True,
    )


def _has_columnstore(connection: psycopg.Connection[Any]) -> bool:
    """Turn it on where there is one; nothing there compresses by itself while it is measured."""
    try:
        enable_columnstore(connection, AFTER)
    except UpkeepError:
        return False
    connection.execute(BY_HAND.encode())
    return True


def week(newest: datetime, days: int) -> Answer:
    """A week of hours of the series `small`, up to so many days before."""
    end = newest - days * DAY
    return {
        "small": {
            "ts": [end - n * timedelta(hours=1) for n in range(168, 0, -1)],
            "value": [n / 2 for n in range(168)],
        }
    }


def small_run(url: str, answer: Answer, *, known: bool = True) -> None:
    """A run of one source, which brings what is known already."""
    start = answer["small"]["ts"][0]
    counts = whole_run(url, answer, source="small", start=start)
    assert (counts.unchanged if known else counts.inserted) == 168


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1_000, help="that have observations")
    parser.add_argument("--points", type=int, default=1_000, help="observations of each")
    parser.add_argument("--rounds", type=int, default=9, help="of each command")
    parser.add_argument("--chunk-days", type=int, help="the interval of chunks, with TimescaleDB")
    options = parser.parse_args()
    bench_start.SOURCES = max(bench_start.SOURCES, options.series)
    without = [s for s in bench_start.fresh_sources() if "INTO time_series_data " not in s]
    newest = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    large = Size(
        options.series,
        options.series,
        options.points,
        YEARS * 365 * DAY / options.points,
        newest,
        options.chunk_days and options.chunk_days * DAY,
    )
    tenths = {
        "a tenth of the series": replace(large, whole=large.series // 10),
        "a tenth of the years": replace(large, points=large.points // 10),
    }
    year = ("--start", f"{newest - 365 * DAY:%Y-%m-%d}", "--end", f"{newest:%Y-%m-%d}")
    commands = {
        "healthcheck": ("healthcheck",),
        "list-sources": ("list-sources",),
        "read of a year": ("read", "source-1", *year, "--format", "csv"),
    }
    # of the newest week, and of one that is compressed
    weeks = {"a small run": week(newest, 0), "a small run half a year ago": week(newest, 180)}
    verdicts = Verdicts()
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_databases(without, without, without) as urls,
    ):
        for url, size in zip(urls, (large, *tenths.values()), strict=True):
            fill(url, size, weeks.values())
        path = str(bench_start.sources_file(Path(folder)))
        for what, command in commands.items():
            works = [process(PROGRAM, *command, env=_env(url, path)) for url in urls]
            _judge(verdicts, what, best(*works, rounds=options.rounds), tenths)
        for what, answer in weeks.items():
            runs = [partial(small_run, url, answer) for url in urls]
            _judge(verdicts, what, best(*runs, rounds=RUNS), tenths)
    return verdicts.exit_code


def _judge(verdicts: Verdicts, what: str, seconds: list[float], tenths: dict[str, Size]) -> None:
    for tenth, theirs in zip(tenths, seconds[1:], strict=True):
        verdicts.at_most(what, seconds[0], tenth, theirs, GOAL)


def _env(url: str, path: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": path}


if __name__ == "__main__":
    sys.exit(main())
