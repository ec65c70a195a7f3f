"""SMARD: an index, and files of a week, by Berlin's clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dataportal.plugins.data_sources.smard_plugin import SmardDataSourcePlugin
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Request

_BERLIN = ZoneInfo("Europe/Berlin")


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _monday(instant: datetime) -> datetime:
    local = instant.astimezone(_BERLIN)
    monday = local.date() - timedelta(days=local.weekday())
    return datetime(monday.year, monday.month, monday.day, tzinfo=_BERLIN).astimezone(UTC)


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    weeks: dict[int, list[tuple[int, float | None]]] = {}
    for point in points:
        pair = (_milliseconds(point.ts), point.value)
        weeks.setdefault(_milliseconds(_monday(point.ts)), []).append(pair)
    if request.path.endswith("/index_hour.json"):
        return Reply.json({"timestamps": sorted(weeks)})
    stamp = int(request.path.removesuffix(".json").rpartition("_")[2])
    return Reply.json({"meta_data": {"version": 1}, "series": weeks[stamp]})


LIMIT = None  # a mirror is asked as often as it answers
KITS = {
    "smard": Conformance(
        plugin=SmardDataSourcePlugin,
        params=lambda provider: {
            "filter": 4068,
            "region": "DE",
            "resolution": "hour",
            "base_url": provider.url,
        },
        provider=_answer,
    )
}
