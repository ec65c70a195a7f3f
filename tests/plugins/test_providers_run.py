"""Every plugin for groups, run by the program: what is stored, and what a second answer does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.conformance_kits import all_kits
from support.http_server import LocalServer

from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.testing import Point, Provider

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli
    from support.conformance_kits import Kit
    from support.http_server import Reply, Request

KEY = "c4n4ry-0f-a-s3cr3t"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
KITS = [kit for kit in all_kits() if issubclass(kit.conformance.plugin, MultiSeriesPlugin)]


def source_entry(kit: Kit, prefix: str, url: str) -> dict[str, Any]:
    """An entry under request_groups; its series are called by the prefix and a number."""
    conformance = kit.conformance
    params = conformance.params(Provider(url, "${THE_KEY}"))
    return {
        "module": conformance.plugin.__module__,
        "class": conformance.plugin.__name__,
        "schedule": "1 hour",
        "request_params": {**params, "per_minute": 100_000},
        "timeseries": [
            {"endpoint_prefix": f"{prefix}-{number}", "extract_filter": dict(series.extract_filter)}
            for number, series in enumerate(conformance.series)
        ],
        **({"timezone": conformance.timezone} if conformance.timezone else {}),
    }


class Providers:
    """The providers of all kits on one server, each under a path of its own.

    Attributes:
        values: the value that each of them has for the same hour.
    """

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.server = LocalServer(otherwise=self._reply)

    def _reply(self, request: Request) -> Reply:
        _, number, path = request.path.split("/", 2)
        kit = KITS[int(number)]
        points = [Point(name, NOON, self.values[kit.name]) for name in kit.conformance.names]
        return kit.conformance.provider(replace(request, path=f"/{path}"), points)


@pytest.mark.slow
@pytest.mark.database
def test_what_is_fetched_again_is_stored_once(
    tmp_path: Path, run_cli: RunCli, database_url: str
) -> None:
    """An unchanged answer changes nothing, a revision is a version more, an end comes in peace.

    No key is told to anybody but its provider.
    """

    def outcomes() -> dict[str, tuple[str, int, int, int]]:
        done = run_cli(
            "fetch-all", "--json", env={"DATABASE_URL": database_url, "THE_KEY": KEY}, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert KEY not in done.stdout + done.stderr
        return {
            run["source"]: (run["outcome"], run["inserted"], run["revised"], run["retracted"])
            for run in json.loads(done.stdout)["runs"]
        }

    def stored() -> dict[str, list[tuple[datetime, float]]]:
        points: dict[str, list[tuple[datetime, float]]] = {}
        with psycopg.connect(database_url) as connection:
            for name, ts, value in connection.execute(
                "SELECT endpoint_prefix, ts, value"
                " FROM time_series_data JOIN time_series USING (series_id) ORDER BY ts"
            ):
                points.setdefault(name.rpartition("-")[0], []).append((ts, value))
        return points

    with (providers := Providers()).server as server:
        sources = {
            str(number): source_entry(kit, str(number), f"{server.url}/{number}")
            for number, kit in enumerate(KITS)
        }
        (tmp_path / "sources.yaml").write_text(
            json.dumps({"request_groups": sources}), encoding="utf-8"
        )
        counts = {str(number): len(kit.conformance.series) for number, kit in enumerate(KITS)}
        providers.values = {kit.name: 1.5 for kit in KITS}
        assert outcomes() == {name: ("succeeded", count, 0, 0) for name, count in counts.items()}
        # the answers of a provider that tells no time are each of a time of their own
        untimed = {name for name, points in stored().items() if NOON not in dict(points)}
        assert all(KITS[int(name)].conformance.snapshot for name in untimed)
        assert outcomes() == {
            name: ("succeeded", count, 0, 0) if name in untimed else ("unchanged", 0, 0, 0)
            for name, count in counts.items()
        }
        providers.values = {
            kit.name: None if str(number) in untimed else 2.5 for number, kit in enumerate(KITS)
        }
        assert outcomes() == {
            name: ("unchanged", 0, 0, 0) if name in untimed else ("succeeded", 0, count, 0)
            for name, count in counts.items()
        }
        for name, points in stored().items():
            expected = [1.5] * 2 * counts[name] if name in untimed else [2.5] * counts[name]
            assert [value for _, value in points] == expected
            assert name in untimed or {ts for ts, _ in points} == {NOON}
