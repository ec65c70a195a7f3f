"""Twins for tests of conditional requests: what one server may leave out, the other sends.

Two sources that differ in nothing but their names, and in whether their server gives validators,
must leave the same in the database, whatever happens in between.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from support.http_server import Reply
from support.store_feed import open_observer

from dataportal.collect import RunRequest, StopSignal, collect
from dataportal.config import load
from dataportal.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.http_server import LocalServer, Request

    from dataportal.collect import RunResult

NOW = datetime(2025, 6, 11, 12, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
Value = float | None
Points = dict[datetime, Value]


@dataclass
class ValidatingServer:
    """A server of files, which says of some whether they have changed.

    Attributes:
        server: whose answers these are.
        unchanged: how often it said so.
    """

    server: LocalServer
    unchanged: int = 0

    def file(self, path: str, body: bytes, *, validates: bool = True, **headers: str) -> str:
        """Serve a file from now on; its address."""
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'

        def reply(request: Request) -> Reply:
            fields = {"ETag": etag, **{k.replace("_", "-"): v for k, v in headers.items()}}
            if request.headers.get("if-none-match") == etag:
                self.unchanged += 1
                return Reply(304, headers=fields)
            return Reply(body=body, headers=fields if validates else {}, content_type="text/csv")

        return self.server.answer(path, reply)


@dataclass
class Twins:
    """Two sources that ought to be stored alike: NAME-asks, whose server validates, and NAME-not.

    Attributes:
        folder: of sources.yaml.
        url: the database.
        provider: where both are served.
        name: of both.
        clock: what the time is.
        keys: of both in sources.yaml.
    """

    folder: Path
    url: str
    provider: ValidatingServer
    name: str
    clock: datetime = NOW
    keys: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, str]:
        """Of the sources, which are those of their series too."""
        return f"{self.name}-asks", f"{self.name}-not"

    def table(self, points: Points) -> None:
        """Serve a table with these points to both."""
        for name in self.names:
            self.provider.file(f"/{name}.csv", _table(points), validates=name.endswith("asks"))

    def weeks(self, points: Points) -> None:
        """Serve these points to both as SMARD does, in files of a week."""
        files: dict[datetime, list[tuple[int, Value]]] = {}
        for ts, value in points.items():
            monday = ts.replace(hour=0) - timedelta(days=ts.weekday())
            files.setdefault(monday, []).append((_stamp(ts), value))
        for region in self.names:
            folder = f"/1/{region}"
            index = json.dumps({"timestamps": sorted(map(_stamp, files))}).encode()
            validates = region.endswith("asks")
            self.provider.file(f"{folder}/index_hour.json", index, validates=validates)
            for monday, rows in files.items():
                body = json.dumps({"series": rows}).encode()
                path = f"{folder}/1_{region}_hour_{_stamp(monday)}.json"
                self.provider.file(path, body, validates=validates)

    def months(self, files: Mapping[str, Points]) -> None:
        """Serve a table for each of these months to both."""
        for month, points in files.items():
            for name in self.names:
                self.provider.file(
                    f"/{name}-{month}.csv", _table(points), validates=name.endswith("asks")
                )

    def run(self, kind: str = "csv", **request: Any) -> list[RunResult]:
        """Run both, now or for a window; both end alike."""
        entries = {}
        for name in self.names:
            module, cls, params = _PLUGINS[kind]
            plugin_params = {
                k: str(v).format(url=self.provider.server.url, name=name) for k, v in params
            }
            entries[name] = {
                "module": f"dataportal.plugins.data_sources.{module}",
                "class": cls,
                "schedule": "365 days",
                "metadata": {"name": "one"},
                "default_params": {**plugin_params, **self.params},
                **self.keys,
            }
        path = self.folder / "sources.yaml"
        path.write_text(json.dumps({"timeseries": entries}), encoding="utf-8")
        sources = load(path, {}).sources
        assert len(sources) == len(entries)
        return asyncio.run(
            collect(
                [RunRequest(source, **request) for source in sources],
                settings=Settings(max_retries=0),
                database_url=self.url,
                root=self.folder,
                env={},
                jobs=2,
                events=ignore,
                stop=StopSignal(),
                on_failure=ignore,
                now=lambda: self.clock,
            )
        )

    def contents(self) -> list[Any]:
        """What is stored of each: its current values, and all versions in order."""
        with open_observer(self.url) as look:
            return [
                [
                    look.execute(statement, {"name": name}).fetchall()
                    for statement in (_CURRENT, _VERSIONS)
                ]
                for name in self.names
            ]

    def delete(self, ts: datetime) -> None:
        """Delete an observation of both by hand, with its history."""
        for table in (b"time_series_data", b"time_series_data_scd2"):
            self._by_hand(b"DELETE FROM " + table + b" AS d USING time_series AS s", ts)

    def alter(self, ts: datetime) -> None:
        """Change a current value of both by hand."""
        self._by_hand(
            b"UPDATE time_series_data AS d SET value = value + 1 FROM time_series AS s", ts
        )

    def _by_hand(self, statement: bytes, ts: datetime) -> None:
        where = b" WHERE s.series_id = d.series_id AND endpoint_prefix = ANY(%s) AND ts = %s"
        with open_observer(self.url) as look:
            look.execute(statement + where, [list(self.names), ts])


_CURRENT = b"""
SELECT ts, value FROM time_series_data JOIN time_series USING (series_id)
WHERE endpoint_prefix = %(name)s ORDER BY ts
"""
_VERSIONS = b"""
SELECT ts, value, valid_to = 'infinity'
FROM time_series_data_scd2 JOIN time_series USING (series_id)
WHERE endpoint_prefix = %(name)s ORDER BY ts, valid_from
"""
_PLUGINS = {
    "csv": ("csv_plugin", "CsvDataSourcePlugin", [("url", "{url}/{name}.csv")]),
    "json": (
        "http_plugin",
        "HttpCsvPlugin",
        [("url", "{url}/{name}.csv"), ("ts", "ts"), ("value", "value")],
    ),
    "monthly": (
        "http_plugin",
        "HttpCsvPlugin",
        [
            ("url", "{url}/{name}-{{start:%Y-%m}}.csv"),
            ("each", "month"),
            ("ts", "ts"),
            ("value", "value"),
        ],
    ),
    "smard": (
        "smard_plugin",
        "SmardDataSourcePlugin",
        [("filter", "1"), ("region", "{name}"), ("resolution", "hour"), ("base_url", "{url}")],
    ),
}


def ignore(*_: object) -> None:
    """Tell nobody."""


def _table(points: Points) -> bytes:
    lines = [f"{ts.isoformat()},{'' if v is None else v}" for ts, v in points.items()]
    return "\n".join(["ts,value", *lines]).encode()


def _stamp(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
