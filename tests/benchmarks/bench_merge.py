"""First load, unchanged again and 1 % revised, against two bare COPYs of the same rows.

python tests/benchmarks/bench_merge.py --rounds 5
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

import psycopg
from measuring import Verdicts, best, fresh_database
from runs import hours, whole_run

SERIES, POINTS = 50, 8_760
ROWS = SERIES * POINTS
TS = hours(POINTS)
VALUES = [n * 0.25 for n in range(POINTS)]
TABLES = ("time_series_data", "time_series_data_scd2")
OF_THE_RUN = ("fetch_run", "source_state", "time_series")
WRITTEN = """
SELECT c.relname IN ('fetch_run', 'source_state'),
       sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del)::bigint
FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid
WHERE s.schemaname IN (current_schema(), '_timescaledb_internal')
GROUP BY 1
"""
SIZE = """
SELECT pg_total_relation_size(relid), pg_indexes_size(relid)
FROM (
    SELECT %(table)s::regclass AS relid
    UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass
) AS relations
"""


def answer(change_every: int = 0) -> dict[str, dict[str, list[Any]]]:
    """What a provider would send; every `change_every`-th value revised."""
    values: list[float] = VALUES
    if change_every:
        values = [v + 1 if not n % change_every else v for n, v in enumerate(values)]
    return {f"series {n}": {"ts": list(TS), "value": list(values)} for n in range(SERIES)}


def bare_copies(connection: psycopg.Connection[Any]) -> None:
    """The same rows by two binary COPYs, in one transaction."""
    now = datetime.now(UTC)

    def copy(table: str, known: str) -> None:
        statement = f"COPY {table} (ts, value, {known}, run_id, series_id) FROM STDIN BINARY"
        with connection.cursor().copy(statement.encode()) as rows:
            rows.set_types(["timestamptz", "float8", "timestamptz", "int8", "int4"])
            for series in range(SERIES):
                for ts, value in zip(TS, VALUES, strict=True):
                    rows.write_row((ts, value, now, 1, series))

    with connection.transaction():
        copy("time_series_data", "updated_at")
        copy("time_series_data_scd2", "valid_from")


def tuples_written(connection: psycopg.Connection[Any]) -> dict[bool, int]:
    """Tuples ever written: by runs on their own account (True), and everywhere else."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT pg_stat_clear_snapshot()")
    return dict(connection.execute(WRITTEN.encode()).fetchall())


def storage(connection: psycopg.Connection[Any]) -> None:
    """Print what an observation takes in each table."""
    for table in TABLES:
        sizes = connection.execute(SIZE.encode(), {"table": table}).fetchall()
        total, indexes = (sum(column) for column in zip(*sizes, strict=True))
        print(
            f"         {table}: {total / ROWS:.0f} bytes an observation,"
            f" {indexes / ROWS:.0f} of them in the index, in {max(1, len(sizes) - 1)} table(s)"
        )


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    verdicts = Verdicts()
    with fresh_database() as url, psycopg.connect(url, autocommit=True) as connection:
        first, copies = float("inf"), float("inf")
        raw = answer()
        for _ in range(rounds):
            connection.execute(f"TRUNCATE {', '.join(TABLES)}".encode())
            copies = min(copies, *best(lambda: bare_copies(connection), rounds=1))
            connection.execute(f"TRUNCATE {', '.join(TABLES + OF_THE_RUN)}".encode())
            first = min(first, *best(lambda: whole_run(url, raw), rounds=1))
        goal = verdicts.at_least
        goal("first load", ROWS / first, "two bare COPYs", ROWS / copies, 0.75, "rows/s")
        storage(connection)
        before = tuples_written(connection)
        assert whole_run(url, raw).unchanged == ROWS
        after = tuples_written(connection)
        others = after.get(False, 0) - before.get(False, 0)
        verdicts.below("tuples written by an unchanged run, but its own", others, 0, "tuples")
        # what is revised comes and goes, so that each round revises
        revisions = iter([answer(100), raw] * rounds)
        again = changed = float("inf")
        for _ in range(rounds):
            same = raw
            again = min(again, *best(lambda same=same: whole_run(url, same), rounds=1))  # type: ignore[misc]  # a default binds the loop's variable
            for _ in range(2):
                revised = next(revisions)
                changed = min(
                    changed,
                    *best(lambda revised=revised: whole_run(url, revised), rounds=1),  # type: ignore[misc]  # likewise
                )
    verdicts.at_most("unchanged again", again, "two bare COPYs", copies, 0.4)
    verdicts.at_most("1 % revised", changed, "unchanged again", again, 1.3)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
