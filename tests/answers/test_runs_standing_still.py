"""A series that stands still is told: its source is asked with success, and nothing new comes.

One that advanced in two scheduled runs, and whose newest ts has not advanced here for max(10 x
granularity, 3 x schedule, min(`lookback`, 30 days)), is told until it advances again or the entry
says `data_stale_after: off`. A source is ill only if all its series stand still; else it is a
remark. Time passes by moving back all times that the database has of its own doings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from support.http_server import Reply
from support.program_sources import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

# times of observations are the provider's
_NOT_OURS = ("ts", "published_at", "window_start", "window_end", "done_until")


def pass_time(url: str, interval: str) -> None:
    """Let all that the program noted have happened so long before."""
    with psycopg.connect(url, autocommit=True) as connection:
        columns = connection.execute(
            "SELECT c.table_name, c.column_name FROM information_schema.columns AS c"
            " JOIN information_schema.tables AS t USING (table_schema, table_name)"
            " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
            " AND c.data_type = 'timestamp with time zone' AND NOT c.column_name = ANY (%s)",
            [list(_NOT_OURS)],
        ).fetchall()
        tables: dict[str, list[str]] = {}
        for table, column in columns:
            tables.setdefault(table, []).append(column)
        for table, names in tables.items():
            moves = SQL(", ").join(
                SQL("{0} = {0} - {1}::interval").format(Identifier(name), interval)
                for name in names
            )
            connection.execute(SQL("UPDATE {} SET {}").format(Identifier(table), moves))


class Series:
    """One source whose provider has so many hours of each series by now."""

    def __init__(
        self, sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
    ) -> None:
        self._sources, self._server, self._env, self._run_cli = sources, server, env, run_cli
        self.hours: dict[str, int] = {}

    def describe(self, *series: str, **keys: Any) -> None:
        """The entry; of one series, or of a group."""
        entry = {
            "module": "dataportal.plugins.data_sources.http_plugin",
            "schedule": "1 hour",
            "initial_history": "all",
            "lookback": "2 days",
            **keys,
        }
        metadata = entry.pop("metadata", {"granularity": "1 hour"})
        params = {"ts": "t", "value": "v", "url": f"{self._server.url}/a"}
        params |= entry.pop("params", {})
        if series == ("load",):
            entry |= {"class": "HttpJsonPlugin", "metadata": metadata, "default_params": params}
            document = {"timeseries": {"load": entry}}
        else:
            entry |= {
                "class": "HttpJsonMultiSeriesPlugin",
                "request_params": params,
                "timeseries": [
                    {"endpoint_prefix": s, "extract_filter": {"of": s}, "metadata": metadata}
                    for s in series
                ],
            }
            document = {"request_groups": {"load": entry}}
        path = self._sources.folder / "sources.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")

    def has(self, value: float = 1, **hours: int) -> None:
        """What the provider answers from now on: so many hours of each series."""
        rows = [
            {"t": f"2025-03-{1 + n // 24:02}T{n % 24:02}:00Z", "v": value + n, "of": series}
            for series, count in hours.items()
            for n in range(count)
        ]
        self._server.answer("/a", Reply.json(rows))

    def fetch(self, *options: str) -> None:
        """A run that ends well."""
        done = self._run_cli("fetch", "load", *options, env=self._env)
        assert done.returncode == 0, done.stderr

    def runs(self, *hours: Mapping[str, int]) -> None:
        """A scheduled run for each of these answers."""
        for answer in hours:
            self.has(**answer)
            self.fetch()

    def later(self, interval: str, *, fetch: bool = True) -> None:
        """Time passes, and a run finds nothing new."""
        pass_time(self._env["DATABASE_URL"], interval)
        if fetch:
            self.fetch()

    def health(self) -> tuple[int, dict[str, Any]]:
        """The exit code of healthcheck, and its check of the source."""
        done = self._run_cli("healthcheck", "--json", env=self._env)
        checks = json.loads(done.stdout)["checks"]
        return done.returncode, next(c for c in checks if c["source"] == "load")

    def doubts(self) -> list[dict[str, Any]]:
        """What list-sources doubts."""
        done = self._run_cli("list-sources", "--json", env=self._env)
        (row,) = json.loads(done.stdout)["sources"]
        return list(row["doubts"])

    def is_ill(self) -> bool:
        """Whether the source is ill."""
        code, check = self.health()
        assert code == (0 if check["ok"] else 4)
        return code == 4


@pytest.fixture
def series(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> Series:
    """A source at work."""
    return Series(sources, server, env, run_cli)


def advanced(series: Series, *names: str, **keys: Any) -> None:
    """Describe it, and let it advance in two scheduled runs."""
    series.describe(*(names or ("load",)), **keys)
    every = names or ("load",)
    series.runs(dict.fromkeys(every, 3), dict.fromkeys(every, 5))


def test_a_series_that_stands_still_is_ill(series: Series) -> None:
    """After its patience, not before; with its name, since when, and what settles it."""
    advanced(series)
    series.later("1 day")
    assert not series.is_ill()
    assert series.doubts() == []
    series.later("25 hours")
    code, check = series.health()
    assert (code, check["ok"], check["state"]) == (4, False, "doubtful")
    for text in ("load", "2025-03-01T04:00:00Z", "data_stale_after: off"):
        assert text in check["message"]
    (doubt,) = series.doubts()
    assert (doubt["kind"], doubt["series"]) == ("stands_still", "load")


def test_it_is_told_until_it_advances_again(series: Series) -> None:
    """However many runs find nothing new in between."""
    advanced(series)
    series.later("5 days")
    for _ in range(2):
        series.fetch()
        assert series.is_ill()
    series.runs({"load": 6})
    assert not series.is_ill()
    assert series.doubts() == []
    series.later("3 days")
    assert series.is_ill()


def test_off_settles_it_at_once(series: Series) -> None:
    """By the entry as it is now: no run is needed."""
    advanced(series)
    series.later("5 days")
    assert series.is_ill()
    series.describe("load", data_stale_after="off")
    assert not series.is_ill()
    assert series.doubts() == []


def test_a_revision_is_no_advance(series: Series) -> None:
    """New values of old hours come, and the newest hour stays the newest."""
    advanced(series)
    series.later("47 hours")
    series.has(value=100, load=5)
    series.fetch()
    assert not series.is_ill()
    series.later("2 hours")
    assert series.is_ill()


def test_a_series_that_advanced_once_is_nobody_s_business(series: Series) -> None:
    """One load of what will never change: no regular series yet."""
    series.describe("load")
    series.runs({"load": 5}, {"load": 5})
    series.later("100 days")
    assert not series.is_ill()


def test_a_backfill_is_no_scheduled_run(series: Series) -> None:
    """What it brings at the new end does not make a series one that advances."""
    series.describe("load")
    series.runs({"load": 3})
    series.has(load=5)
    series.fetch("--start", "2025-01-01", "--end", "2025-04-01")
    series.later("100 days")
    assert not series.is_ill()


PATIENCE = [
    # 10 x granularity
    ({"metadata": {"granularity": "1 day"}, "schedule": "1 day", "lookback": "0"}, 9, 11),
    ({"metadata": {"granularity": "1 hour"}, "schedule": "1 hour", "lookback": "0"}, 0, 1),
    ({"metadata": {"granularity": "P1M"}, "schedule": "1 day"}, 298, 312),
    # 3 x schedule
    ({"metadata": {"granularity": "1 hour"}, "schedule": "7 days", "lookback": "1 day"}, 20, 22),
    ({"metadata": {}, "schedule": "7 days", "lookback": "1 day"}, 20, 22),
    # lookback, up to 30 days
    ({"metadata": {"granularity": "1 hour"}, "lookback": "14 days"}, 13, 15),
    ({"metadata": {}, "lookback": "5 days"}, 4, 6),
    ({"metadata": {"granularity": "1 hour"}, "lookback": "10000 years"}, 29, 31),
    ({"metadata": {"granularity": "15 minutes"}, "lookback": "60 days"}, 29, 31),
]


@pytest.mark.slow
@pytest.mark.parametrize(("keys", "patient", "told"), PATIENCE)
def test_patience_follows_from_the_entry(
    series: Series, keys: Mapping[str, Any], patient: int, told: int
) -> None:
    """The longest of ten intervals, three schedules, and the look back up to 30 days."""
    advanced(series, **keys)
    series.later(f"{patient} days")
    assert not series.is_ill()
    series.later(f"{24 * (told - patient) - 1} hours")
    assert series.is_ill()


def test_patience_follows_from_the_plugin(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Where the entry says nothing of the look back its class does: tables are read as a whole."""
    series = Series(sources, server, env, run_cli)
    sources.csv("load", f"{server.url}/a.csv", schedule="1 hour")
    sources.write()
    for count in (3, 5):
        server.answer("/a.csv", table(range(count)))
        series.fetch()
    series.later("29 days")
    assert not series.is_ill()
    series.later("2 days")
    assert series.is_ill()


def test_what_a_backfill_brings_is_newer_too(series: Series) -> None:
    """The series has advanced here, whoever asked for it."""
    advanced(series)
    series.later("5 days")
    assert series.is_ill()
    series.has(load=8)
    series.fetch("--start", "2025-01-01", "--end", "2025-04-01")
    assert not series.is_ill()
    series.later("3 days")
    assert series.is_ill()


def test_one_series_of_several_is_a_remark(series: Series) -> None:
    """Told in list-sources and healthcheck, which is well: exit code 0."""
    advanced(series, "wind", "sun")
    pass_time(series._env["DATABASE_URL"], "5 days")
    series.runs({"wind": 9, "sun": 5})
    code, check = series.health()
    assert (code, check["ok"]) == (0, True)
    assert any("sun" in remark for remark in check["remarks"])
    assert not any("wind" in remark for remark in check["remarks"])
    (doubt,) = series.doubts()
    assert (doubt["kind"], doubt["series"]) == ("stands_still", "sun")
    series.later("5 days")
    assert series.is_ill()
    assert {doubt["series"] for doubt in series.doubts()} == {"wind", "sun"}


def test_a_series_that_came_once_does_not_count(series: Series) -> None:
    """All that ever advanced stand still: the source is ill."""
    series.describe("wind", "sun", "once")
    series.runs({"wind": 3, "sun": 3, "once": 1}, {"wind": 5, "sun": 5, "once": 1})
    series.later("5 days")
    assert series.is_ill()


@pytest.mark.parametrize(("limit", "ill"), [("36500 days", False), ("1 day", True)])
def test_an_explicit_limit_keeps_its_meaning(series: Series, limit: str, ill: bool) -> None:  # noqa: FBT001 - a parameter
    """`data_stale_after` is the age of the newest ts, and the only rule where it is given."""
    advanced(series, data_stale_after=limit)
    series.later("5 days")
    assert series.is_ill() is ill
    assert series.doubts() == []


def test_a_forecast_may_stand_still_too(series: Series) -> None:
    """Its newest ts lies ahead, and does not move."""
    series.describe("load", forecast_horizon="36500 days")
    rows = [{"t": f"2099-01-01T0{n}:00Z", "v": n} for n in range(5)]
    for count in (3, 5):
        series._server.answer("/a", Reply.json(rows[:count]))
        series.fetch()
    series.later("3 days")
    assert series.is_ill()


@pytest.mark.parametrize("word", ["off", "never", "soon", "-1 day"])
def test_off_is_the_only_word(series: Series, word: str) -> None:
    """`data_stale_after: off` is taken; other words are refused with their line."""
    series.describe("load", data_stale_after=word)
    done = series._run_cli("list-sources", "--check", env=series._env)
    assert done.returncode == (0 if word == "off" else 78)
    assert ("data_stale_after" in done.stdout + done.stderr) is (word != "off")


def test_under_q_the_ill_one_is_named(series: Series) -> None:
    """On stderr, in a line; a remark alone says nothing."""
    advanced(series, "wind", "sun")
    pass_time(series._env["DATABASE_URL"], "5 days")
    series.runs({"wind": 9, "sun": 5})
    quiet = series._run_cli("-q", "healthcheck", env=series._env)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    series.later("5 days")
    ill = series._run_cli("-q", "healthcheck", env=series._env)
    assert ill.returncode == 4
    assert "load" in ill.stderr
