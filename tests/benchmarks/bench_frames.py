"""Tables of the Python API: against ADBC with the SQL by hand, and among each other.

python tests/benchmarks/bench_frames.py
python tests/benchmarks/bench_frames.py --rows 1000000
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from measuring import Verdicts, best, fresh_database
from support.memory_use import run_watching_memory

import dataportal as dp

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG = """
INSERT INTO time_series (endpoint_prefix, source, granularity) VALUES ('long', 'bench', '1 minute');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)
SELECT (SELECT series_id FROM time_series WHERE endpoint_prefix = 'long'),
       '2005-01-01Z'::timestamptz + p * interval '1 minute', p * 1.25, '2025-01-01Z', 1
FROM generate_series(1, {rows}) AS p
"""
# series after series, as first loads lay them
FLEET = """
INSERT INTO time_series (endpoint_prefix, source, granularity)
SELECT 'fleet-' || n, 'bench', '1 hour' FROM generate_series(1, 100) AS n;
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT series_id, ts, series_id, ts + n * interval '1 hour',
       CASE WHEN n = 2 THEN 'infinity' ELSE ts + (n + 1) * interval '1 hour' END, 1
FROM time_series,
     generate_series('2025-01-01Z'::timestamptz, '2025-12-31 23:00Z', '1 hour') AS ts,
     generate_series(1, 2) AS n
WHERE endpoint_prefix LIKE 'fleet-%' ORDER BY series_id, ts, n;
"""
BY_HAND = """
SELECT ts, value FROM time_series_data_scd2
WHERE series_id = (SELECT series_id FROM time_series WHERE endpoint_prefix = 'long')
  AND valid_to = 'infinity'
ORDER BY ts
"""
ADBC = """
import sys
from adbc_driver_postgresql import dbapi
with dbapi.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    cursor.execute(sys.argv[2])
    table = cursor.fetch_arrow_table()
"""
OURS = """
import sys
import dataportal as dp
with dp.connect(sys.argv[1]) as portal:
    table = portal.read("long").to_arrow()
"""
AT = "SELECT * FROM time_series_known_at(%(names)s, %(ts)s, %(at)s)"
NAMES = ["fleet-1", "fleet-50", "fleet-100"]
DECISIONS = 100_000


def measure_long(verdicts: Verdicts, url: str, rows: int) -> None:
    """One series, ts and value, each by a process of its own that does nothing else."""
    from adbc_driver_postgresql import dbapi

    def by_adbc() -> Any:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(BY_HAND)
            return cursor.fetch_arrow_table()

    with dp.connect(url) as portal:
        ours, theirs = best(lambda: portal.read("long").to_arrow(), by_adbc, rounds=3)
        assert portal.read("long").num_rows == rows
    verdicts.at_most(f"{rows:,} rows to Arrow", ours, "ADBC", theirs, 1.2)
    own, other = (
        run_watching_memory(sys.executable, "-c", code, url, BY_HAND, env=os.environ).memory / 2**20
        for code in (OURS, ADBC)
    )
    verdicts.below("their memory", own, 350, f"MB (ADBC: {other:.0f} MB)")


def measure_wide(verdicts: Verdicts, url: str) -> None:
    """A year of a hundred series, side by side and one after the other."""
    with dp.connect(url) as portal:
        wide, long = best(
            lambda: portal.read("fleet-*", wide=True).to_arrow(),
            lambda: portal.read("fleet-*").to_arrow(),
            rounds=5,
        )
    verdicts.at_most("a year of 100 series side by side", wide, "long", long, 1.5)


def measure_join(verdicts: Verdicts, url: str) -> None:
    """Rows of ts and time of decision, joined to three series."""
    first = datetime(2025, 1, 1, tzinfo=UTC)
    ts = [first + timedelta(hours=(n * 7919) % 8760) for n in range(DECISIONS)]
    at = [time + timedelta(hours=n % 4) for n, time in enumerate(ts)]
    import pyarrow as pa

    frame = pa.table({"ts": ts, "decided_at": at})
    options = "-c TimeZone=UTC -c jit=off"
    with (
        dp.connect(url) as portal,
        psycopg.connect(url, autocommit=True, prepare_threshold=None, options=options) as database,
    ):

        def by_function() -> Sequence[Any]:
            cursor = database.cursor(binary=True)
            return cursor.execute(AT, {"names": NAMES, "ts": ts, "at": at}).fetchall()

        ours, theirs = best(lambda: portal.join(frame, NAMES).to_arrow(), by_function, rounds=3)
        joined = portal.join(frame, NAMES).to_arrow()
        wanted = [row[4] for row in by_function()]
        assert joined.column(NAMES[1]).to_pylist() == wanted[1::3]
    verdicts.at_most(f"{DECISIONS:,} decisions for 3 series", ours, "the function", theirs, 1.5)


def main() -> int:
    """Whether all goals were reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    size = parser.parse_args()
    verdicts = Verdicts()
    prepare = [LONG.format(rows=size.rows), FLEET, "VACUUM ANALYZE time_series_data_scd2"]
    with fresh_database(prepare) as url:
        measure_long(verdicts, url, size.rows)
        measure_wide(verdicts, url)
        measure_join(verdicts, url)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
