"""The examples of the manual for analysts: each runs, is right, and passes mypy --strict."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from support import manual

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli

# the load is 5 lower after a day, and 10 higher after a week; forecasts are issued every six hours,
# and each is 1 higher than the one before
HISTORY = """
INSERT INTO time_series (endpoint_prefix, source, unit, granularity, ts_timezone)
VALUES ('load', 'grid', 'MW', '1 hour', 'Europe/Berlin'),
       ('wind-fc', 'grid', 'MW', '1 hour', NULL), ('wind-north', 'grid', 'MW', '1 hour', NULL),
       ('gdp', 'grid', NULL, '3 months', NULL),
       ('smard-1223-de-hour', 'grid', 'MWh', '1 hour', 'Europe/Berlin');
INSERT INTO source_state (source, known_through) VALUES ('grid', '2026-06-01Z');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT series_id, ts, 100 + extract(hour FROM ts) + v.value, ts + v.since,
       coalesce(ts + v.until, 'infinity'), 1
FROM time_series, generate_series('2026-01-01Z'::timestamptz, '2026-02-28 23:00Z', '1 hour') AS ts,
     (VALUES (0, interval '1 hour', interval '1 day'), (-5, interval '1 day', interval '7 days'),
             (5, interval '7 days', NULL)) AS v (value, since, until)
WHERE endpoint_prefix IN ('load', 'wind-north', 'smard-1223-de-hour');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT series_id, ts, 50 + n, issued + n * interval '6 hours',
       CASE WHEN n = 7 THEN 'infinity' ELSE issued + (n + 1) * interval '6 hours' END, 1
FROM time_series, generate_series('2026-01-01Z'::timestamptz, '2026-02-28 23:00Z', '1 hour') AS ts,
     LATERAL (SELECT date_bin('6 hours', ts, '2026-01-01Z') - interval '42 hours') AS f (issued),
     generate_series(0, 7) AS n
WHERE endpoint_prefix = 'wind-fc';
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT series_id, v.ts, v.value, v.since, coalesce(v.until, 'infinity'), 1
FROM time_series, (VALUES
    ('2025-07-01Z'::timestamptz, 2.0, '2025-10-30Z'::timestamptz, '2025-12-23Z'::timestamptz),
    ('2025-07-01Z', 1.5, '2025-12-23Z', NULL), ('2025-10-01Z', 1.0, '2026-01-30Z', NULL)
) AS v (ts, value, since, until)
WHERE endpoint_prefix = 'gdp';
INSERT INTO time_series_data (series_id, ts, value, updated_at, run_id)
SELECT series_id, ts, value, valid_from, run_id FROM time_series_data_scd2
WHERE valid_to = 'infinity';
"""
CHECKS = {
    "analysts": """
assert load.final and load.notes == ()
# known on 1 March at 06:00: the last hour is seven hours old, and not revised yet
assert len(frame) == 1416
assert (frame["value"].iloc[-1], frame["value"].iloc[0]) == (123.0, 105.0)
assert lignite.iloc[0] == 105.0
# 06:00 in Berlin is 05:00 in UTC: for the first hour of 2 January the run of midnight before counts
first = training[training["ts"] == "2026-01-02T00:00Z"].iloc[0]
assert (first["value_forecast"], first["value_truth"]) == (53.0, 105.0)
assert len(training) == 1416
# at 12:30 of the same day the first hour had not been measured, and the day before the second had
assert features["load"].isna().tolist() == [True, True]
assert features["wind-fc"].tolist() == [52.0, 57.0]
assert list(vintages.columns) == [
    "2025-10-30T00:00:00Z", "2025-12-23T00:00:00Z", "2026-01-30T00:00:00Z"
]
assert first_and_last[0].tolist() == [2.0, 1.0] and first_and_last[1].tolist() == [1.5, 1.0]
assert by_age["revisions"].sum() == 2 * 1416
assert largest["size"].tolist() == [10.0] * 5
assert daily["count"].iloc[0] == 23 and side_by_side.width == 4 and weekly.height == 9
assert monthly.fetchall()[0][1] == 116.5 and from_file.fetchall() == [(128.0,)]
assert len(rows) == 1416
""",
    "python": """
assert len(load) == 1416 and march.columns == ("ts", "load", "wind-fc", "wind-north")
assert frame.height == 1416 and largest == 128.0
assert monthly.fetchall()[0][1] == 116.5
""",
}


@pytest.fixture
def examples_url(database_url: str) -> str:
    """A database with the series of the examples."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(HISTORY.encode())
    return database_url


def script(topic: str) -> str:
    """All Python that a page shows, in its order, as one program."""
    return "\n".join(manual.page(topic).blocks("python"))


@pytest.mark.parametrize("topic", sorted(CHECKS))
def test_the_examples_run_and_are_right(
    examples_url: str, run_cli: RunCli, tmp_path: Path, topic: str
) -> None:
    """One after the other in one notebook, after the command that writes the file."""
    env = {"DATABASE_URL": examples_url}
    lines = [line for line in manual.page(topic).shell_lines() if "-o lignite.csv" in line]
    for line in lines:
        assert run_cli(*shlex.split(line)[1:], env=env).returncode == 0
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script(topic) + CHECKS[topic]],
        env={**os.environ, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_examples_are_typed(tmp_path: Path) -> None:
    """As a user checks them, without a setting of ours."""
    for topic in CHECKS:
        (tmp_path / f"{topic}_page.py").write_text(script(topic), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    faults = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert not faults, done.stdout
    assert re.search(r"no issues found in 2 source files", done.stdout), done.stdout + done.stderr
