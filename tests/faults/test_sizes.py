"""Scale: with many sources, and a history over many chunks, memory and plans stay bounded."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from support.memory_use import run_watching_memory
from support.program_sources import SourceFile
from support.store_feed import TABLES, hour, open_feed, open_observer

from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SOURCES = 10_000
CHUNKS = int(os.environ.get("DATAPORTAL_TEST_CHUNKS", "200"))
MIB = 1024 * 1024
MEMORY = 400 * MIB
PATIENCE = 60.0  # seconds for any of these commands, on a machine that has other work too
DAY = 24  # hours


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_thousand_sources(
    tmp_path: Path, database_url: str, clean_environment: dict[str, str]
) -> None:
    """Looking at all of them, with nothing due, takes seconds and little memory."""
    sources = SourceFile(tmp_path)
    for number in range(SOURCES):
        sources.csv(f"s{number}", "nowhere.csv")
    sources.write()
    with open_observer(database_url) as look:
        for statement in (
            (
                "INSERT INTO source_state (source, last_attempt_at, last_outcome, last_success_at,"
                " known_through) SELECT 's' || n, now(), 'succeeded', now(), now()"
                " FROM generate_series(0, %s) n"
            ),
            (
                "INSERT INTO time_series (endpoint_prefix, source)"
                " SELECT 's' || n, 's' || n FROM generate_series(0, %s) n"
            ),
            (
                "INSERT INTO fetch_run (source, kind, window_start, outcome, host, pid, version)"
                " SELECT 's' || n, 'scheduled', now(), 'succeeded', 'h', 1, 'v'"
                " FROM generate_series(0, %s) n"
            ),
        ):
            look.execute(statement, [SOURCES - 1])
        look.execute(
            "INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)"
            " SELECT now() - interval '1 hour', 1, now(), 1, series_id FROM time_series"
        )
        look.execute("ANALYZE")
    for command in (["healthcheck"], ["list-sources"], ["fetch-all", "--due"]):
        with (tmp_path / "out").open("w+") as out:
            start = time.monotonic()
            code, memory = run_watching_memory(
                *(sys.executable, "-m", "dataportal", *command, "--json"),
                env={**clean_environment, "DATABASE_URL": database_url},
                cwd=tmp_path,
                stdout=out,
            )
            assert code == 0, command
            assert time.monotonic() - start < PATIENCE
            assert memory < MEMORY
            out.seek(0)
            output = json.load(out)
        if command == ["list-sources"]:
            assert len(output["sources"]) == SOURCES
        if command[0] == "fetch-all":
            assert output["runs"] == []


@pytest.mark.slow
def test_a_history_of_many_chunks(database_url: str) -> None:
    """The window of a run opens the chunks that it lies in, and no others, of both tables."""
    days = [-DAY * n for n in range(CHUNKS)]
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        if look.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone():
            for name in TABLES:
                look.execute("SELECT set_chunk_time_interval(%s, INTERVAL '1 day')", [name])
        feed(dict.fromkeys(days, 1.0))
        merged = feed({0: 2.0, 1: 1.0, -DAY: 3.0})
        assert (merged.counts.revised, merged.counts.inserted) == (2, 1)
        connection = feed.session._connection
        window = {"low": hour(-1), "high": hour(24)}
        plans = [
            explain(
                connection,
                query("merge_read_spans"),
                {
                    "series": [feed.session._series["load"]],
                    "lows": [hour(-1)],
                    "highs": [hour(24)],
                    "limits": [100],
                    **window,
                },
            ),
            explain(
                connection,
                b"SELECT * FROM time_series_data_as_of(now())"
                b" WHERE series_id = 1 AND ts BETWEEN %(low)s AND %(high)s",
                window,
            ),
        ]
        chunks = look.execute(
            "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_hyper\\_%\\_chunk'"
        ).fetchone()
    for plan in plans:
        assert len(set(re.findall(r"_hyper_\d+_\d+_chunk", plan))) <= 2, plan
    assert chunks
    # on a plain table there is one index to look into
    assert chunks[0] == 0 or chunks[0] >= 2 * CHUNKS - 2


def explain(
    connection: psycopg.Connection, statement: bytes, parameters: Mapping[str, object]
) -> str:
    """The plan of a statement, which does not take long to make."""
    cursor = psycopg.ClientCursor(connection)
    rows = cursor.execute(b"EXPLAIN (ANALYZE, SUMMARY) " + statement, parameters).fetchall()
    plan = "\n".join(line for (line,) in rows)
    took = re.search(r"Planning Time: ([\d.]+) ms", plan)
    assert took
    assert float(took[1]) < 1000
    return plan
