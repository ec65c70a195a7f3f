"""How long commands take that do little: help, version, probes, drafts, checks of 1,000 sources."""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import PROGRAM, Verdicts, best, fresh_database, process, python

SOURCES = 1_000
ROUNDS = 15


def fresh_sources() -> tuple[str, ...]:
    """SQL: each source fetched with success a moment ago, with one observation of its series."""
    return (
        f"""
        INSERT INTO time_series (endpoint_prefix, source)
        SELECT 'source-' || n, 'source-' || n FROM generate_series(1, {SOURCES}) AS n
        """,
        """
        INSERT INTO time_series_data (series_id, ts, value, updated_at, run_id)
        SELECT series_id, date_trunc('hour', now()), 1, now(), 1 FROM time_series
        """,
        """
        INSERT INTO fetch_run (source, kind, finished_at, outcome, window_start, host, pid, version)
        SELECT source, 'scheduled', now(), 'succeeded', now(), 'host', 1, '1' FROM time_series
        """,
        """
        INSERT INTO source_state
            (source, last_attempt_at, last_outcome, last_success_at, known_through)
        SELECT source, now(), 'succeeded', now(), now() FROM time_series
        """,
        "ANALYZE",
    )


def sources_file(folder: Path) -> Path:
    """Of 1,000 sources that are due once a year."""
    entry = {
        "module": "dataportal.plugins.data_sources.csv_plugin",
        "class": "CsvDataSourcePlugin",
        "schedule": "365 days",
        "slot_offset": "0 days",
        "metadata": {"name": "A series", "unit": "MW", "granularity": "1 hour"},
        "default_params": {"path": "nowhere.csv"},
    }
    path = folder / "sources.yaml"
    lines = [f"  source-{n}: {json.dumps(entry)}" for n in range(1, SOURCES + 1)]
    path.write_text("timeseries:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def table_file(folder: Path) -> Path:
    """A small table, of the last days."""
    path = folder / "levels.csv"
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [first - timedelta(days=n) for n in range(7, 0, -1)]
    lines = [f"{day:%Y-%m-%dT%H:%MZ},{200 + n % 3}.5" for n, day in enumerate(days)]
    path.write_text("time,level\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def preview_file(folder: Path, table: Path) -> Path:
    """A file with one source: this table."""
    path = folder / "one.yaml"
    path.write_text(
        f"""
timeseries:
  levels:
    module: dataportal.plugins.data_sources.csv_plugin
    class: CsvDataSourcePlugin
    schedule: 1 day
    metadata: {{name: Levels, granularity: 1 day}}
    default_params: {{path: {json.dumps(str(table))}, timestamp_column: time, value_column: level}}
""",
        encoding="utf-8",
    )
    return path


def main() -> int:
    """Print every ratio."""
    verdicts = Verdicts()
    light = [("--help",), ("--version",), ("healthcheck", "--live")]
    bare, *ours = best(
        python("import typer"), *(process(PROGRAM, *a) for a in light), rounds=ROUNDS
    )
    for arguments, seconds in zip(light, ours, strict=True):
        verdicts.at_most(" ".join(arguments), seconds, "import typer", bare, 1.6)
    with tempfile.TemporaryDirectory() as folder:
        file = table_file(Path(folder))
        small = [
            ("--config", str(preview_file(Path(folder), file)), "preview", "levels"),
            ("new-source", str(file), "--timezone", "UTC"),
        ]
        alone = {"XDG_DATA_HOME": folder, "PLUGIN_CONFIG_PATH": str(Path(folder) / "none.yaml")}
        bare, *ours = best(
            python("import httpx"),
            *(process(PROGRAM, *a, env=alone) for a in small),
            rounds=ROUNDS,
        )
    for what, seconds in zip(("preview", "new-source"), ours, strict=True):
        verdicts.at_most(what, seconds, "import httpx", bare, 2.5)
    with tempfile.TemporaryDirectory() as folder, fresh_database(fresh_sources()) as url:
        env = {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": str(sources_file(Path(folder)))}
        connect = (
            "import os, psycopg\n"
            "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
            "    connection.execute('select 1')"
        )
        asking = [("healthcheck",), ("list-sources",), ("fetch-all", "--due")]
        bare, *ours = best(
            python(connect, env=env),
            *(process(PROGRAM, *a, env=env) for a in asking),
            rounds=ROUNDS,
        )
    for arguments, seconds in zip(asking, ours, strict=True):
        what = f"{' '.join(arguments)} of {SOURCES:,} sources"
        verdicts.at_most(what, seconds, "psycopg, connect, select 1", bare, 2.5)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
