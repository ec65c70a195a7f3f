"""First load, unchanged again and 1 % revised, against two bare COPYs of the same rows."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from dataportal.observations import clean
from dataportal.store.embedded import embedded_server
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Callable

SERIES, POINTS = 50, 8_760
START = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = [f"series-{n}" for n in range(SERIES)]
SCHEMA = "dataportal_benchmark"
WRITES = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE schemaname = ANY (%s) AND relname LIKE ANY (%s)"  # noqa: E501 - one line to read


def answer(change_every: int = 0) -> dict[str, dict[str, list[Any]]]:
    """What a provider would send; every `change_every`-th value revised."""
    ts = [START + timedelta(hours=n) for n in range(POINTS)]
    values = [n * 0.25 for n in range(POINTS)]
    if change_every:
        values = [v + 1 if not n % change_every else v for n, v in enumerate(values)]
    return {name: {"ts": list(ts), "value": list(values)} for name in NAMES}


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def bare_copies(url: str) -> float:
    """The same rows by two binary COPYs into empty tables of the same definition."""
    ts = [START + timedelta(hours=n) for n in range(POINTS)]
    now = datetime.now(UTC)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SET search_path = {SCHEMA}, public")
        connection.execute("TRUNCATE time_series_data, time_series_data_scd2")

        def copy(table: str, known: str) -> None:
            statement = f"COPY {table} (ts, value, {known}, run_id, series_id) FROM STDIN BINARY"
            with connection.cursor().copy(statement) as rows:
                rows.set_types(["timestamptz", "float8", "timestamptz", "int8", "int4"])
                for series in range(SERIES):
                    for n, moment in enumerate(ts):
                        rows.write_row((moment, n * 0.25, now, 1, series))

        def both() -> None:
            with connection.transaction():
                copy("time_series_data", "updated_at")
                copy("time_series_data_scd2", "valid_from")

        seconds = timed(both)
        connection.execute("TRUNCATE time_series_data, time_series_data_scd2")
    return seconds


def run(url: str, raw: dict[str, dict[str, list[Any]]]) -> tuple[float, Counts]:
    """One whole run: connection, lock, cleaning, merge, run row."""
    counts = Counts()

    def work() -> None:
        nonlocal counts
        session = SourceSession.open(url, "benchmark")
        with contextlib.closing(session):
            session.try_lock()
            session.register([SeriesRecord(name) for name in NAMES])
            run_id = session.start_run(RunKind.SCHEDULED, START, None)
            batch = clean(raw, series=NAMES, start=START, end=None, zone=None)
            received = Counts(received=batch.received)
            merged = session.merge(run_id, batch.series, start=START, end=None, received=received)
            session.finish_run(run_id, Outcome.SUCCEEDED)
            counts = merged.counts

    return timed(work), counts


def tuples_written(url: str) -> int:
    """Tuples inserted, updated and deleted in the data tables and their chunks so far."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        tables = ["time_series_data%", "%_hyper_%"]
        row = connection.execute(WRITES, ([SCHEMA, "_timescaledb_internal"], tables)).fetchone()
    return int(row[0] or 0) if row else 0


def benchmark(url: str) -> None:
    """Print every figure and its ratio."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
    separator = "&" if "?" in url else "?"
    ours = f"{url}{separator}options=-csearch_path%3D{SCHEMA}%2Cpublic"
    SourceSession.open(ours, "benchmark").close()
    copies = min(bare_copies(url) for _ in range(3))
    rows = SERIES * POINTS
    print(f"two bare COPYs        {copies:6.2f} s  {rows / copies:9,.0f} rows/s")
    first, counts = run(ours, answer())
    print(
        f"first load            {first:6.2f} s  {copies / first:5.2f} of the COPYs' rows/s", counts
    )
    before = tuples_written(url)
    again, counts = min((run(ours, answer()) for _ in range(3)), key=lambda pair: pair[0])
    written = tuples_written(url) - before
    print(f"unchanged again       {again:6.2f} s  {again / copies:5.2f} of their time,", counts)
    print(f"                      {written} tuples written to the data tables")
    revised, counts = run(ours, answer(change_every=100))
    print(f"1 % revised           {revised:6.2f} s  {revised / again:5.2f} of unchanged,", counts)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def main() -> None:
    """Run on the server that is named, or on an embedded one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url")
    url = parser.parse_args().database_url
    if url:
        benchmark(url)
        return
    with tempfile.TemporaryDirectory() as home:
        # run by root, the server is another user's, who has to get there
        Path(home).chmod(0o755)
        with embedded_server(say=print, data_home=Path(home)) as embedded:
            benchmark(embedded)


if __name__ == "__main__":
    main()
