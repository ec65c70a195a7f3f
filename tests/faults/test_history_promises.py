"""What must never happen to a history, through the whole program, with real providers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer, Reply
from support.invariants import Finals, broken_invariants
from support.program_sources import SourceFile, outcomes, recorded_runs, runs_by_source, table
from support.store_feed import current, hour, open_observer, tuples, values
from support.stored_runs import START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli

HOUR = timedelta(hours=1)
GROUP = '''\
"""A provider that has a point of each series, and notes from when on it was asked."""

from datetime import datetime, timedelta
from dataportal.plugins.base_plugin import MultiSeriesPlugin

class Plugin(MultiSeriesPlugin):
    async def get_historical_data_multi(self, start_date, end_date=None):
        (self.config_dir / "asked").write_text(start_date)
        newest = datetime.fromisoformat((self.config_dir / "newest").read_text())
        ages = {"alive": timedelta(), "dead": timedelta(days=20)}
        return {name: [{"ts": newest - age, "value": 1.0}] for name, age in ages.items()}
'''


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


def page(hours: range, following: str | None) -> Reply:
    """A page of an answer, and the address of the next."""
    rows = [{"ts": hour(h).isoformat(), "value": float(h)} for h in hours]
    return Reply.json({"rows": rows, "next": following})


@pytest.mark.slow
def test_a_page_that_fails_fails_its_slice(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """Page 2 of 3 is refused: nothing of that slice is stored, and the next run asks for it all."""
    second = server.answer("/2", Reply(400), page(range(3, 6), server.url + "/3"))
    server.answer("/3", page(range(6, 9), None))
    sources = SourceFile(tmp_path)
    sources.add(
        "load",
        "http_plugin.HttpJsonPlugin",
        {
            "url": server.answer("/1", page(range(3), second)),
            "rows": "rows",
            "paging": {"next": "next"},
            "ts": "ts",
            "value": "value",
        },
        {"initial_history": "all"},
    )
    sources.write()
    env = {"DATABASE_URL": database_url}
    process = run_cli("fetch", "load", "--json", env=env)
    assert process.returncode == 3
    assert runs_by_source(process)["load"]["outcome"] == "failed"
    with open_observer(database_url) as look:
        assert current(look) == {}
        assert look.execute("SELECT count(*) FROM time_series_data_scd2").fetchone() == (0,)
        row = look.execute("SELECT last_success_at FROM source_state").fetchone()
    assert row == (None,)
    assert run_cli("fetch", "load", env=env).returncode == 0
    with open_observer(database_url) as look:
        assert current(look) == {h: float(h) for h in range(9)}


def test_an_empty_answer_is_no_success(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """No version is closed, and the source does not become fresh."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("load", server.answer("/load.csv", table([1.0, 2.0]), table([])))
    sources.write()
    assert run_cli("fetch", "load", env=env).returncode == 0
    success = "SELECT last_success_at FROM source_state"
    with open_observer(database_url) as look:
        before, fresh = tuples(look), look.execute(success).fetchone()
        assert run_cli("fetch", "load", env=env).returncode == 0
        assert tuples(look) == before
        assert look.execute(success).fetchone() == fresh
    assert outcomes(database_url) == ["succeeded", "empty"]


@pytest.mark.slow
def test_a_changed_entry_keeps_its_history(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """Another unit draws a warning; disabled, renamed or removed, its versions stay untouched.

    A second source that names its series is refused.
    """
    env = {"DATABASE_URL": database_url}
    url = server.answer("/load.csv", table([1.0, 2.0]), table([1.0, 3.0]))

    def fetch(name: str, *, series: str, unit: str = "MW", **keys: Any) -> dict[str, Any]:
        sources = SourceFile(tmp_path)
        sources.csv(name, url, metadata={"name": "Load", "unit": unit}, **keys)
        entry = sources.entries.pop(name)
        group = {
            "module": entry["module"],
            "class": "CsvMultiSeriesPlugin",
            "schedule": "365 days",
            "request_params": entry["default_params"],
            "timeseries": [{"endpoint_prefix": series, "metadata": {"name": "Load", "unit": unit}}],
            **keys,
        }
        (tmp_path / "sources.yaml").write_text(json.dumps({"request_groups": {name: group}}))
        process = run_cli("fetch-all", "--json", env=env)
        return runs_by_source(process).get(name, {})

    assert fetch("grid", series="load")["outcome"] == "succeeded"
    assert fetch("grid", series="load")["revised"] == 1
    with open_observer(database_url) as look:
        finals, before = Finals(look), values(look)
        assert before == {0: [1.0], 1: [2.0, 3.0]}
        run = fetch("grid", series="load", unit="kW")
        assert run["outcome"] == "unchanged"
        assert "unit was 'MW', is now 'kW'" in run["warnings"][0]
        assert fetch("grid", series="load", enabled=False) == {}
        other = fetch("other", series="load")
        assert other["outcome"] == "failed"
        assert "belongs to source 'grid'" in other["error"]
        assert fetch("new", series="load", renamed_from="grid")["outcome"] == "unchanged"
        assert values(look) == before
        assert finals.changed_sources(look) == []
        assert broken_invariants(look) == []


@pytest.mark.slow
def test_a_forecast_is_fetched_again_and_again(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """Its newest observation lies ahead of now, and each run still asks for the near future."""
    ahead = int((datetime.now(UTC) - START) / HOUR)
    first = dict.fromkeys(range(ahead - 2, ahead + 40), 1.0)
    later = dict.fromkeys(range(ahead - 2, ahead + 40), 2.0)
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    url = server.answer("/load.csv", table(first), table(later), table(later))
    sources.csv("load", url, forecast_horizon="2 days", lookback="1 day", initial_history="2 days")
    sources.write()
    runs = [runs_by_source(run_cli("fetch", "load", "--json", env=env))["load"] for _ in range(3)]
    assert [run["outcome"] for run in runs] == ["succeeded", "succeeded", "unchanged"]
    assert runs[0]["inserted"] == runs[1]["revised"] == runs[2]["unchanged"] == len(first)
    with open_observer(database_url) as look:
        assert values(look) == {h: [1.0, 2.0] for h in first}


def test_a_snapshot_is_kept(tmp_path: Path, database_url: str, run_cli: RunCli) -> None:
    """Though it is stamped after the run's window was computed, and nothing may lie ahead."""
    sources = SourceFile(tmp_path)
    sources.python(
        "load",
        """
        async def get_historical_data(self, start_date, end_date=None, metrics=None):
            return [{"ts": datetime.now(UTC), "value": 1.0}]
        """,
        head="from datetime import UTC, datetime",
        forecast_horizon="0 seconds",
    )
    sources.write()
    process = run_cli("fetch", "load", "--json", env={"DATABASE_URL": database_url})
    run = runs_by_source(process)["load"]
    assert (run["outcome"], run["inserted"]) == ("succeeded", 1)


def test_a_week_asked_for_two_days_changes_two(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """What a file brings from before the window leaves what is stored there alone."""
    newest = int((datetime.now(UTC) - START) / HOUR) - 1
    week = range(newest - 7 * 24, newest + 1)
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.python(
        "load",
        """
        async def get_historical_data(self, start_date, end_date=None, metrics=None):
            return json.loads(pathlib.Path(self.config_dir, "week.json").read_text())
        """,
        head="import pathlib",
        lookback="2 days",
        initial_history="30 days",
    )
    sources.write()

    def fetch(value: float) -> dict[str, Any]:
        rows = [{"ts": hour(h).isoformat(), "value": value} for h in week]
        (tmp_path / "week.json").write_text(json.dumps(rows))
        return runs_by_source(run_cli("fetch", "load", "--json", env=env))["load"]

    assert fetch(1.0)["inserted"] == len(week)
    run = fetch(2.0)
    assert (run["revised"], run["outside"]) == (49, 5 * 24)
    with open_observer(database_url) as look:
        assert values(look) == {h: [1.0, 2.0] if h >= newest - 48 else [1.0] for h in week}
        assert broken_invariants(look) == []


@pytest.mark.slow
def test_a_group_asks_for_what_its_series_need(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """A dead series does not make its runs longer; a new one gets its history, once."""
    now = datetime.now(UTC)
    (tmp_path / "plugin_grid.py").write_text(GROUP, encoding="utf-8")
    (tmp_path / "newest").write_text(now.isoformat(), encoding="utf-8")

    def days_asked_back(*series: str) -> int:
        group = {
            "module": "plugin_grid",
            "class": "Plugin",
            "lookback": "2 days",
            "initial_history": "30 days",
            "dormant_after": "90 days",
            "timeseries": [{"endpoint_prefix": name} for name in series],
        }
        (tmp_path / "sources.yaml").write_text(json.dumps({"request_groups": {"grid": group}}))
        process = run_cli("fetch", "grid", "--json", env={"DATABASE_URL": database_url})
        assert process.returncode == 0, process.stderr
        start = datetime.fromisoformat((tmp_path / "asked").read_text(encoding="utf-8"))
        return round((now - start) / timedelta(days=1))

    assert days_asked_back("alive", "dead") == 30
    # until it counts as dead, the group waits for it
    assert days_asked_back("alive", "dead") == 22
    with open_observer(database_url) as look:
        look.execute(
            "UPDATE time_series SET advanced_at = advanced_at - interval '91 days'"
            " WHERE endpoint_prefix = 'dead'"
        )
    assert days_asked_back("alive", "dead") == 2
    assert days_asked_back("alive", "dead", "new") == 30
    assert days_asked_back("alive", "dead", "new") == 2


@pytest.mark.slow
@pytest.mark.parametrize(("ago", "requests"), [("3 days", 2), ("10 seconds", 1)])
def test_a_machine_that_slept_runs_once(
    ago: str,
    requests: int,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    run_cli: RunCli,
) -> None:
    """However many slots were missed, one run makes up for them; the next one is not due."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    # the slot begins so that the instants of this test lie in the middle of one
    offset = (datetime.now(UTC) - timedelta(minutes=30)).minute
    sources.csv(
        "load",
        server.answer("/load.csv", table([1.0])),
        schedule="1 hour",
        slot_offset=f"{offset} minutes",
    )
    sources.write()
    assert run_cli("fetch-all", "--due", env=env).returncode == 0
    with open_observer(database_url) as look:
        look.execute(
            "UPDATE source_state SET last_attempt_at = clock_timestamp() - %s::interval", [ago]
        )
    for _ in range(3):
        assert run_cli("fetch-all", "--due", env=env).returncode == 0
    assert server.asked("/load.csv") == requests


@pytest.mark.slow
def test_a_backfill_does_not_make_a_source_fresh(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """Nor is it an attempt: what was due stays due."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("load", server.answer("/load.csv", table([1.0])))
    sources.write()
    start, end = hour(0).isoformat(), hour(24).isoformat()
    assert run_cli("fetch", "load", "--start", start, "--end", end, env=env).returncode == 0
    assert run_cli("healthcheck", env=env).returncode == 4
    assert run_cli("fetch-all", "--due", env=env).returncode == 0
    assert [run.kind for run in recorded_runs(database_url)] == ["backfill", "scheduled"]
    assert run_cli("healthcheck", env=env).returncode == 0
