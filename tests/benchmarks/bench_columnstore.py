"""The room that a year of hours takes in the columnstore, and what runs and questions cost there.

Needs a server with TimescaleDB's Community edition, as DATAPORTAL_TEST_IMAGE may name one:

DATAPORTAL_TEST_SERVER=docker python tests/benchmarks/bench_columnstore.py --rounds 20
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from measuring import Verdicts, best, fresh_databases
from runs import hours, whole_run

from dataportal.errors import UpkeepError
from dataportal.store.connection import connect
from dataportal.store.read.history import observations
from dataportal.store.read.storage import read_storage
from dataportal.store.upkeep.columnstore import enable_columnstore
from dataportal.store.upkeep.maintain import maintain, open_upkeep

if TYPE_CHECKING:
    import psycopg

SERIES, POINTS = 50, 8_760
TS = hours(POINTS)
_CHUNKS = "SELECT c::text FROM show_chunks(%s) AS c"
_TABLES = ("time_series_data", "time_series_data_scd2")


def answer(revision: int = 0) -> dict[str, dict[str, list[Any]]]:
    """A year of hours, figures with one decimal; of a revision 1 % of each series, anywhere."""
    chance = Random(revision)  # noqa: S311 - to be repeated, not to be secret
    series: dict[str, dict[str, list[Any]]] = {}
    for n in range(SERIES):
        picked = sorted(chance.sample(range(POINTS), POINTS // 100)) if revision else range(POINTS)
        values = [round(1_000 + 300 * (h * 37 + n * 11) % 97 + chance.random(), 1) for h in picked]
        series[f"series {n}"] = {"ts": [TS[h] for h in picked], "value": values}
    return series


def keep_up(url: str) -> float:
    """`dataportal maintain`; the megabytes of both tables of values afterwards."""
    with open_upkeep(url) as connection:
        assert connection is not None
        for result in maintain(connection, read_storage(connection)):
            assert result.error is None, result.error
        return sum(t.bytes for t in read_storage(connection).tables[:2]) / 1e6


def whole_chunks(connection: psycopg.Connection[Any], function: str) -> None:
    """Compress or decompress every chunk."""
    for table in _TABLES:
        for (chunk,) in connection.execute(_CHUNKS.encode(), [table]).fetchall():
            connection.execute(f"SELECT {function}(%s::regclass)".encode(), [chunk])


def week(url: str) -> None:
    """A run of 168 points that are known, of the middle of the year."""
    middle = {"ts": TS[4_000:4_168], "value": VALUES[4_000:4_168]}
    assert whole_run(url, {"series 0": middle}).unchanged == 168


VALUES = answer()["series 0"]["value"]


def main() -> int:
    """Print every figure and ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    rounds = parser.parse_args().rounds
    verdicts = Verdicts()
    with fresh_databases((), ()) as (rows_url, url):
        for each in (rows_url, url):
            whole_run(each, answer())
        with closing(connect(url, application_name="benchmark")) as connection:
            try:
                enable_columnstore(connection, timedelta())
            except UpkeepError as error:
                print(error)
                return 1
            connection.execute(
                "SELECT alter_job(job_id, scheduled => false)"
                " FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL"
            )
        verdicts.below("438,000 observations after maintain", keep_up(url), 12, "MB")
        ours, theirs = best(lambda: week(url), lambda: week(rows_url), rounds=rounds)
        verdicts.at_most("a run of 168 known points, compressed", ours, "rows", theirs, 1.3)
        with (
            closing(connect(url, application_name="benchmark")) as compressed,
            closing(connect(rows_url, application_name="benchmark")) as plain,
        ):
            at = datetime.now(UTC)

            def read(connection: psycopg.Connection[Any]) -> None:
                assert sum(1 for _ in observations(connection, 1, at=at)) == POINTS

            ours, theirs = best(lambda: read(compressed), lambda: read(plain), rounds=rounds)
            verdicts.at_most("a year as of a time, compressed", ours, "rows", theirs, 1)
            # by segments: what the revisions touch becomes rows; then all of it is compressed again
            opened, plain_revision = best(
                lambda: whole_run(url, answer(1)), lambda: whole_run(rows_url, answer(1)), rounds=1
            )
            (upkeep,) = best(lambda: sizes.append(keep_up(url)), rounds=1)
            verdicts.below("then 1 % of them revised, and maintain", sizes[-1], 20, "MB")
            # all of it made rows before, and compressed after
            whole = best(lambda: whole_chunks(compressed, "decompress_chunk"), rounds=1)[0]
            written = best(lambda: whole_run(url, answer(2)), rounds=1)[0]
            packed = best(lambda: whole_chunks(compressed, "compress_chunk"), rounds=1)[0]
        print(
            f"         1 % revised: as rows {plain_revision:.2f} s; compressed {opened:.2f} s, and"
            f" maintain {upkeep:.2f} s; whole chunks made rows {whole:.2f} s, revised"
            f" {written:.2f} s, compressed {packed:.2f} s"
        )
        (few,) = best(lambda: whole_run(url, few_revisions()), rounds=1)
        print(f"         50 revisions of one week, compressed: {few * 1000:.0f} ms")
    return verdicts.exit_code


def few_revisions() -> dict[str, dict[str, list[Any]]]:
    """One point of each series, all in one week."""
    return {f"series {n}": {"ts": [TS[4_000 + n]], "value": [-1.0]} for n in range(SERIES)}


sizes: list[float] = []

if __name__ == "__main__":
    sys.exit(main())
