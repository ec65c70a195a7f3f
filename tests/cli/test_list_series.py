"""`dataportal list-series`: what the database holds, found by what is known of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.stored_runs import store_run

from dataportal.store.records import SeriesRecord

if TYPE_CHECKING:
    from conftest import RunCli

LOAD = SeriesRecord(
    "grid-load", "Load", "What is consumed", "1 hour", "MW", "energy", "load",
    metadata={"region": "Saxony"},
)  # fmt: skip
WIND = SeriesRecord("grid-wind", "Wind offshore", granularity="15 minutes", unit="MW")
RATE = SeriesRecord("usd-eur", "Rate", unit="USD", domain="economy")


@pytest.fixture
def stored(database_url: str) -> dict[str, str]:
    """A database with three series, as the environment of a program."""
    for record, values in ((LOAD, [1.0, 2.0, 3.0]), (WIND, [1.0]), (RATE, [None])):
        store_run(database_url, values, series=record.endpoint_prefix, record=record)
    return {"DATABASE_URL": database_url}


def names(run_cli: RunCli, env: dict[str, str], *arguments: str) -> list[str]:
    """The series that an answer lists."""
    done = run_cli("list-series", *arguments, "--json", env=env)
    assert done.returncode == 0, done.stderr
    return [series["endpoint_prefix"] for series in json.loads(done.stdout)["series"]]


def test_every_series_with_its_extent(run_cli: RunCli, stored: dict[str, str]) -> None:
    """What it is, its first and last ts and when it changed last; without sources.yaml."""
    done = run_cli("list-series", "--json", env=stored)
    load, wind, rate = json.loads(done.stdout)["series"]
    assert (load["endpoint_prefix"], load["source"], load["unit"]) == ("grid-load",) * 2 + ("MW",)
    assert (load["first_ts"], load["last_ts"]) == ("2025-03-01T00:00:00Z", "2025-03-01T02:00:00Z")
    assert wind["first_ts"] == wind["last_ts"] == "2025-03-01T00:00:00Z"
    assert (rate["first_ts"], rate["last_ts"], rate["last_known"]) == (None, None, None)
    assert load["metadata"] == {"region": "Saxony"}
    assert load["last_known"] == load["first_known"]
    history = json.loads(run_cli("history", "grid-load", "--json", env=stored).stdout)["series"]
    assert {key: history[key] for key in load} == load


def test_the_table_for_people(run_cli: RunCli, stored: dict[str, str]) -> None:
    """A line for each series, in the zone that is set; nothing is a dash."""
    done = run_cli("list-series", env={**stored, "SCHEDULER_TIMEZONE": "Europe/Berlin"})
    titles, *rows = done.stdout.splitlines()
    assert titles.split()[:4] == ["SERIES", "NAME", "UNIT", "DOMAIN"]
    assert [row.split()[0] for row in rows] == ["grid-load", "grid-wind", "usd-eur"]
    assert "2025-03-01 03:00+01:00" in rows[0]
    assert rows[2].split()[-3:] == ["-", "-", "-"]


def test_series_are_found_by_their_texts(run_cli: RunCli, stored: dict[str, str]) -> None:
    """All words, in any case, in name, description, unit, metadata; or a glob of names."""
    for text, found in (
        ("load", ["grid-load"]),
        ("OFFSHORE wind", ["grid-wind"]),
        ("mw", ["grid-load", "grid-wind"]),
        ("saxony consumed", ["grid-load"]),
        ("grid-*", ["grid-load", "grid-wind"]),
        ("*r*", ["grid-load", "grid-wind", "usd-eur"]),
    ):
        assert names(run_cli, stored, text) == found
    assert names(run_cli, stored, "--where", "unit=MW") == ["grid-load", "grid-wind"]
    assert names(run_cli, stored, "wind", "--where", "unit=MW") == ["grid-wind"]


def test_series_are_found_by_their_freshness(run_cli: RunCli, stored: dict[str, str]) -> None:
    """What changed since a time, and what did not; what never had a value did not."""
    with psycopg.connect(stored["DATABASE_URL"]) as connection:
        connection.execute(
            "UPDATE time_series SET changed_at = now() - interval '3 days'"
            " WHERE endpoint_prefix = 'grid-wind'"
        )
    assert names(run_cli, stored, "--changed-since", "1d") == ["grid-load"]
    assert names(run_cli, stored, "--changed-since", "7d") == ["grid-load", "grid-wind"]
    assert names(run_cli, stored, "--unchanged-since", "1d") == ["grid-wind", "usd-eur"]
    both = ("--changed-since", "7d", "--unchanged-since", "1d")
    assert names(run_cli, stored, *both) == ["grid-wind"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("wnid",), "speaks of 'wnid'"),
        (("grid-laod",), "Did you mean 'grid-load'"),
        (("solar-*",), "none of 3 series"),
        (("--where", "unit=GW"), "There is: MW, USD"),
        (("--where", "colour=red"), "'colour'"),
        (("load", "--where", "unit=USD"), "none of 1 series"),
    ],
)
def test_what_finds_nothing_is_an_error(
    run_cli: RunCli, stored: dict[str, str], arguments: tuple[str, ...], word: str
) -> None:
    """Wrong usage, which says what there is."""
    done = run_cli("list-series", *arguments, env=stored)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def test_a_database_without_series_has_none(run_cli: RunCli, database_url: str) -> None:
    """Which is an answer, also to a text."""
    env = {"DATABASE_URL": database_url}
    assert run_cli("list-series", env=env).stdout == "No such series is stored.\n"
    assert names(run_cli, env, "load") == []


def test_a_role_that_may_only_read_is_enough(
    run_cli: RunCli, stored: dict[str, str], reader_url: str
) -> None:
    """For all that looks into the database."""
    env = {"DATABASE_URL": reader_url}
    assert names(run_cli, env, "load") == ["grid-load"]
    for command in (
        ("history", "grid-*"),
        ("history", "grid-load", "--as-of", "now"),
        ("history", "grid-load", "--as-of", "now", "--by", "published"),
        ("history", "grid-load", "--matrix"),
        ("history", "grid-load", "--issues"),
        ("history", "grid-load", "--revisions-by", "age"),
        ("history", "grid-load", "--revisions-by", "age", "--by", "published"),
        ("history", "grid-load", "--plot"),
        ("gaps",),
        ("read", "grid-load"),
    ):
        done = run_cli(*command, env=env)
        assert done.returncode == 0, done.stderr


def reads_only(url: str) -> bool:
    """Whether the role of a URL is refused to write."""
    with psycopg.connect(url) as connection:
        try:
            connection.execute("DELETE FROM time_series")
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


def test_the_role_of_these_tests_may_only_read(stored: Any, reader_url: str) -> None:
    """Else they would prove nothing."""
    assert reads_only(reader_url)
