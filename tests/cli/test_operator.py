"""What an operator does at three in the morning: found, explained, mended, and the hole filled."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from support.http_server import Reply
from support.store_feed import open_observer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile


def hours(count: int) -> list[datetime]:
    """The last full hours, oldest first."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return [now - timedelta(hours=h) for h in range(count, 0, -1)]


def csv_answer(times: Sequence[datetime]) -> Reply:
    """A table of these hours; the value is the hour of the day."""
    lines = ["ts,value", *(f"{ts.isoformat()},{ts.hour}" for ts in times)]
    return Reply(body="\n".join(lines).encode(), content_type="text/csv")


def test_a_failing_source_is_mended_and_its_hole_filled_by_three_commands(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """One that finds and explains, one that shows it mended, one that fills; no SQL is written.

    The provider left hours out, then moved its file; what it has by now lies before the lookback.
    """
    times = hours(48)
    metadata = {"name": "Load", "unit": "MW", "granularity": "1 hour"}
    keys = {"metadata": metadata, "lookback": "1 hour", "gaps_stale_after": "2 hours"}
    server.answer("/old.csv", csv_answer(times[:20] + times[26:40]))
    sources.csv("load", f"{server.url}/old.csv", **keys)
    sources.csv("other", f"{server.url}/good.csv")
    sources.write()
    assert run_cli("-q", "fetch-all", env=env).returncode == 0
    server.answer("/old.csv", Reply(404))
    for _ in range(3):
        assert run_cli("-q", "fetch", "load", env=env).returncode == 3

    found = run_cli("healthcheck", env=env)
    assert found.returncode == 4
    (line,) = (line for line in found.stdout.splitlines() if "ILL" in line)
    assert line.startswith("load")
    for words in ("3 attempts in a row failed, since", "/old.csv", "404", "load lacks 12 values"):
        assert words in line
    assert "dataportal gaps load --fill" in line

    server.answer("/new.csv", csv_answer(times))
    sources.csv("load", f"{server.url}/new.csv", **keys)
    sources.write()
    assert run_cli("fetch", "load", env=env).returncode == 0

    filled = run_cli("gaps", "load", "--fill", env=env)
    assert filled.returncode == 0, filled.stderr
    assert "Nothing is still missing" in filled.stdout

    with open_observer(env["DATABASE_URL"]) as look:
        rows = look.execute(
            "SELECT d.ts, d.value FROM time_series_data AS d"
            " JOIN time_series AS s USING (series_id)"
            " WHERE s.endpoint_prefix = 'load' ORDER BY d.ts"
        ).fetchall()
    assert rows == [(ts, float(ts.hour)) for ts in times]
    assert run_cli("healthcheck", env=env).returncode == 0
    listed = json.loads(run_cli("list-sources", "--json", env=env).stdout)["sources"]
    assert {source["source"]: source["reasons"] for source in listed} == {"load": [], "other": []}
