"""`dataportal gaps`: what is missing of what is stored, and filling it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.program_sources import table
from support.store_feed import current
from support.stored_runs import store_run

from dataportal.store.records import SeriesRecord

if TYPE_CHECKING:
    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

HOURLY = SeriesRecord("load", "Load", granularity="1 hour", unit="MW")
WITH_HOLES: list[float | None] = [*map(float, range(5)), None, None, 7.0, 8.0, None, 10.0]


def answer(run_cli: RunCli, env: dict[str, str], *arguments: str) -> dict[str, Any]:
    """The JSON answer of `gaps`."""
    done = run_cli("gaps", *arguments, "--json", env=env)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def ranges(document: dict[str, Any]) -> list[tuple[str, str, int]]:
    """The gaps of the only series."""
    (series,) = document["series"]
    return [(g["start"][11:16], g["end"][11:16], g["missing"]) for g in series["gaps"]]


@pytest.fixture
def holes(database_url: str, env: dict[str, str]) -> dict[str, str]:
    """A database with hours 0 to 10 of 1 March 2025, without 5, 6 and 9."""
    store_run(database_url, WITH_HOLES, record=HOURLY)
    return env


def test_what_is_missing_with_the_command_that_fetches_it(
    run_cli: RunCli, holes: dict[str, str]
) -> None:
    """Half-open ranges by the granularity; one command for what lies close."""
    document = answer(run_cli, holes, "load")
    assert document.keys() == {"ok", "as_of", "missing", "series", "commands"}
    assert ranges(document) == [("05:00", "07:00", 2), ("09:00", "10:00", 1)]
    assert document["missing"] == 3
    (command,) = document["commands"]
    assert command["command"] == (
        "dataportal fetch load --start 2025-03-01T05:00:00Z --end 2025-03-01T10:00:00Z"
    )
    text = run_cli("gaps", env=holes).stdout
    assert "2 gaps with 3 values missing, in 1 of 1 series." in text
    assert f"  {command['command']}\n" in text


def test_bounds_that_are_named_are_to_be_reached(run_cli: RunCli, holes: dict[str, str]) -> None:
    """Before the first point and behind the last one too; a gap over a bound is cut there."""
    assert ranges(answer(run_cli, holes, "--start", "2025-02-28T22:00")) == [
        ("22:00", "00:00", 2),
        ("05:00", "07:00", 2),
        ("09:00", "10:00", 1),
    ]
    assert ranges(answer(run_cli, holes, "--start", "2025-03-01T06:00")) == [
        ("06:00", "07:00", 1),
        ("09:00", "10:00", 1),
    ]
    window = ("--start", "2025-03-01T09:00", "--end", "2025-03-01T13:30")
    assert ranges(answer(run_cli, holes, *window)) == [("09:00", "10:00", 1), ("11:00", "13:30", 2)]
    assert ranges(answer(run_cli, holes, "--end", "2025-03-01T06:00")) == [("05:00", "06:00", 1)]
    later = ("--start", "2025-03-02", "--end", "2025-03-02T03:00")
    assert ranges(answer(run_cli, holes, *later)) == [("00:00", "03:00", 3)]


def test_what_was_missing_as_known_at_a_time(
    run_cli: RunCli, database_url: str, env: dict[str, str]
) -> None:
    """Also what came or went since; no command could fetch that."""
    first = store_run(database_url, [1.0, None, None, 4.0], record=HOURLY)
    store_run(database_url, [1.0, 2.0, None, 4.0], record=HOURLY)
    assert first
    document = answer(run_cli, env, "load", "--as-of", first.isoformat())
    assert ranges(document) == [("01:00", "03:00", 2)]
    assert ranges(answer(run_cli, env, "load")) == [("02:00", "03:00", 1)]
    text = run_cli("gaps", "load", "--as-of", first.isoformat(), env=env).stdout
    assert "as known " in text
    assert "dataportal fetch" not in text


def test_a_change_of_resolution_makes_no_gap(
    run_cli: RunCli, database_url: str, env: dict[str, str]
) -> None:
    """Hours up to a time and quarters from then on, as their points show; recorded or not."""
    record = SeriesRecord("price", granularity="15 minutes")
    store_run(database_url, [], series="price", record=record)
    with psycopg.connect(database_url) as connection:
        (series_id,) = connection.execute("SELECT series_id FROM time_series").fetchone() or (0,)
        connection.execute(
            "INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)"
            " SELECT t, 1, now(), 1, %s FROM generate_series('2025-09-30Z'::timestamptz,"
            " '2025-09-30 23:00Z', '1 hour') AS t UNION ALL SELECT t, 1, now(), 1, %s FROM"
            " generate_series('2025-10-01Z'::timestamptz, '2025-10-02Z', '15 minutes') AS t"
            " WHERE t <> '2025-10-01 12:15Z'",
            [series_id, series_id],
        )
    assert ranges(answer(run_cli, env, "price")) == [("12:15", "12:30", 1)]
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO time_series_resolution VALUES ('2025-09-30Z', '1 hour', 1, %s),"
            " ('2025-10-01Z', '15 minutes', 1, %s)",
            [series_id, series_id],
        )
    assert ranges(answer(run_cli, env, "price")) == [("12:15", "12:30", 1)]


def test_daily_values_in_an_hourly_answer_lack_nothing(
    run_cli: RunCli, database_url: str, env: dict[str, str]
) -> None:
    """Where the provider has nulls in between, which are no values that could be missing."""
    values = [float(n) if not n % 24 else None for n in range(24 * 20)]
    values[24 * 7] = None
    store_run(database_url, values, record=SeriesRecord("load", granularity="1 day"))
    document = answer(run_cli, env)
    assert [g["start"] for g in document["series"][0]["gaps"]] == ["2025-03-08T00:00:00Z"]
    assert document["missing"] == 1


def test_a_series_of_workdays_has_no_gap_on_weekends(
    run_cli: RunCli, database_url: str, env: dict[str, str]
) -> None:
    """Which is said; a workday that is missing is one."""
    store_run(database_url, [], record=SeriesRecord("load", granularity="1 day"))
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)"
            " SELECT t, 1, now(), 1, 1 FROM"
            " generate_series('2025-03-03Z'::timestamptz, '2025-05-02Z', '1 day') AS t"
            " WHERE extract(isodow FROM t AT TIME ZONE 'UTC') < 6 AND t <> '2025-03-31Z'"
        )
    document = answer(run_cli, env)
    assert document["series"][0]["rest_days"] == [6, 7]
    assert [g["start"] for g in document["series"][0]["gaps"]] == ["2025-03-31T00:00:00Z"]
    assert "never has a value on Saturdays and Sundays" in run_cli("gaps", env=env).stdout


def test_of_what_nobody_knows_the_grid_nothing_is_said_to_be_missing(
    run_cli: RunCli, database_url: str, env: dict[str, str]
) -> None:
    """A series without granularity has no gaps, nor has one without values; each says so."""
    store_run(database_url, WITH_HOLES)
    store_run(database_url, [], series="wind", record=SeriesRecord("wind", granularity="PT1H"))
    document = answer(run_cli, env, "load", "wind")
    assert [(s["note"], s["gaps"]) for s in document["series"]] == [
        ("has no granularity", []),
        ("has no observation yet", []),
    ]
    text = run_cli("gaps", env=env).stdout
    assert "Nothing is missing of 0 series." in text
    assert "load has no granularity" in text


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("laod",), "Did you mean 'load'?"),
        (("solar-*",), "matches no series"),
        (("--fill", "--as-of", "now"), "leave --as-of out"),
        (("--start", "now", "--end", "7d"), "does not lie before"),
    ],
)
def test_bad_input_is_refused(
    run_cli: RunCli, holes: dict[str, str], options: tuple[str, ...], word: str
) -> None:
    """Before anything is read."""
    done = run_cli("gaps", *options, env=holes)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def test_fill_fetches_what_is_missing(
    run_cli: RunCli,
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    database_url: str,
) -> None:
    """And says what is missing still, which the provider does not have."""
    values = [float(n) for n in range(11)]
    holes = [None if n in {3, 4, 8} else value for n, value in enumerate(values)]
    missing = [None if n == 8 else value for n, value in enumerate(values)]
    sources.csv(
        "load",
        server.answer("/load.csv", table(holes), table(missing)),
        metadata={"granularity": "1 hour"},
    )
    sources.write()
    assert run_cli("fetch", "load", env=env).returncode == 0
    assert ranges(answer(run_cli, env)) == [("03:00", "05:00", 2), ("08:00", "09:00", 1)]
    document = answer(run_cli, env, "--fill")
    assert ranges(document) == [("08:00", "09:00", 1)]
    (run,) = document["runs"]
    assert (run["kind"], run["inserted"]) == ("backfill", 2)
    assert run["window"] == {"start": "2025-03-01T03:00:00Z", "end": "2025-03-01T09:00:00Z"}
    with psycopg.connect(database_url) as look:
        assert current(look) == {n: value for n, value in enumerate(values) if n != 8}
    # a replica may lag behind: it is not asked what is missing still
    env["DATABASE_READ_URL"] = "postgresql://127.0.0.1:1/replica"
    text = run_cli("gaps", "--fill", env=env).stdout
    assert "1 gap with 1 value still missing" in text
    assert run_cli("gaps", env=env).returncode == 69


def test_gaps_of_a_source_that_cannot_be_asked(
    run_cli: RunCli, sources: SourceFile, server: LocalServer, holes: dict[str, str]
) -> None:
    """Are told with the reason; 78 where there is no other."""
    sources.csv("other", server.answer("/load.csv", table([1.0])))
    sources.write()
    done = run_cli("gaps", "--fill", env=holes)
    assert done.returncode == 78
    assert "source 'load' is not in sources.yaml: its gaps are not filled" in done.stderr


def test_a_role_that_may_only_read_sees_gaps(
    run_cli: RunCli, holes: dict[str, str], reader_url: str
) -> None:
    """Without sources.yaml."""
    assert answer(run_cli, {"DATABASE_URL": reader_url})["missing"] == 3
