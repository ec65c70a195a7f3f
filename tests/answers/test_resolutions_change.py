"""A resolution that changes within a series: what runs keep of it, and who shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.entsoe_files import PATH, document, period, series, xml
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile
from support.store_feed import open_observer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli

SWITCH = "2025-09-30T22:00Z"
"""When the day-ahead auction of Europe went from hours to quarters of an hour."""
WINDOW = ["--start", "2025-09-29T22:00Z", "--end", "2025-10-01T22:00Z"]


def prices(start: str, end: str, resolution: str, *positions: int) -> str:
    """A day of prices; those left out have no value."""
    points = {position: 80 + position / 10 for position in positions}
    return series(
        period(start, end, resolution, points, "price.amount"),
        **{"currency_Unit.name": "EUR", "price_Measure_Unit.name": "MWH"},
    )


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """ENTSO-E over the change; of the first day of quarters every second hour has a hole."""
    quarters = [position for position in range(1, 97) if position % 8 or position > 90]
    with LocalServer() as server:
        days = (
            prices("2025-09-29T22:00Z", SWITCH, "PT60M", *range(1, 25)),
            prices(SWITCH, "2025-10-01T22:00Z", "PT15M", *quarters),
        )
        server.answer(PATH, xml(document(*days, kind="Publication")))
        yield server


def test_hours_and_quarters_in_one_series(
    run_cli: RunCli, tmp_path: Path, server: LocalServer, database_url: str
) -> None:
    """Where they begin is in the summary, in JSON, and in SQL, which makes energy of power."""
    sources = SourceFile(tmp_path)
    params = {"dataset": "day_ahead_prices", "zone": "DE-LU", "api_key": "t" * 36}
    sources.add(
        "price",
        "entsoe_plugin.EntsoeDataSourcePlugin",
        {**params, "base_url": server.url + PATH},
        {"max_window": "30 days"},
    )
    sources.write()
    env: dict[str, Any] = {"DATABASE_URL": database_url}
    assert run_cli("fetch", "price", *WINDOW, env=env).returncode == 0
    text = run_cli("history", "price", env=env).stdout
    lines = [line.split() for line in text.splitlines() if " from 2025-09-" in line]
    assert [line for line in lines if "on" in line] == [
        ["resolution", "1", "hour", "from", "2025-09-29", "22:00Z", "on"],
        ["15", "minutes", "from", "2025-09-30", "22:00Z", "on"],
    ]
    summary = json.loads(run_cli("history", "price", "--json", env=env).stdout)["series"]
    assert summary["resolutions"] == [
        {"ts_from": "2025-09-29T22:00:00Z", "resolution": "PT1H"},
        {"ts_from": "2025-09-30T22:00:00Z", "resolution": "PT15M"},
    ]
    assert summary["answer_unit"] == "EUR/MWH"
    with open_observer(database_url) as look:
        rows = look.execute(
            "SELECT extract(epoch FROM time_series_resolution_at(series_id, ts))::int, count(*)"
            " FROM time_series_data GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert rows == [(900, 85), (3600, 24)]


def test_a_series_of_one_resolution_has_no_line_for_it(
    run_cli: RunCli, tmp_path: Path, database_url: str
) -> None:
    """Where it is the granularity that its entry has."""
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        table = "ts,value\n" + "".join(f"2025-01-01T{hour:02}:00Z,{hour}\n" for hour in range(24))
        address = server.answer("/load.csv", Reply(body=table.encode(), content_type="text/csv"))
        sources.csv("load", address)
        sources.entries["load"]["metadata"]["granularity"] = "1 hour"
        sources.write()
        env = {"DATABASE_URL": database_url}
        assert run_cli("fetch", "load", env=env).returncode == 0
    text = run_cli("history", "load", env=env).stdout
    assert "granularity" in text
    assert "resolution" not in text
    summary = json.loads(run_cli("history", "load", "--json", env=env).stdout)["series"]
    assert [r["resolution"] for r in summary["resolutions"]] == ["PT1H"]
