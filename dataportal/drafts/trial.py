"""Reads an answer that is at hand as a drafted entry would, so that a draft is proved first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from dataportal.errors import ConfigurationError, DataportalError, FetchError
from dataportal.granularity import interval_length
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources import http_plugin
from dataportal.plugins.readers.parameters import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from dataportal.observations import Batch
    from dataportal.plugins.http import Answer, HttpClient

EVER = ("0002-01-01T00:00:00Z", None)
_OF_REQUESTS = ("query", "headers", "auth", "each", "zone", "paging", "index", "per_minute")


class _AnswerAtHand:
    """Stands for a client: whatever is asked, the answer is this one."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def get(self, url: str, **_: Any) -> Answer:
        """The answer."""
        del url
        return self._answer

    def unconditional(self) -> _AnswerAtHand:
        """Itself."""
        return self


def _window_of(day: date, zone: ZoneInfo) -> tuple[str, str]:
    """The window of a local day."""
    first, last = (
        datetime.combine(local_day, datetime.min.time(), tzinfo=zone).astimezone(UTC)
        for local_day in (day, day + timedelta(days=1))
    )
    return first.isoformat(), last.isoformat()


def try_entry(
    kind: str,
    params: Mapping[str, Any],
    filters: Sequence[Mapping[str, Any]],
    answer: Answer,
    *,
    zone: str,
    granularity: str | None,
    day: date | None = None,
) -> Batch | str:
    """The points of an answer, by the numbers of the series; a text says why there are none.

    Args:
        kind: of the plugin, such as `Json`.
        params: of the source; those of its requests are left out.
        filters: the `extract_filter` of each series.
        answer: what came.
        zone: of local times.
        granularity: of the series.
        day: the only one asked for; None for ever.
    """
    own = {name: value for name, value in params.items() if name not in _OF_REQUESTS}
    own.update({"url": "https://answer.invalid/", "paging": "none"})
    names = [str(number) for number in range(len(filters))]
    members = [
        TimeSeriesDefinition(name, frequency=granularity, extract_filter=dict(extract_filter))
        for name, extract_filter in zip(names, filters, strict=True)
    ]
    try:
        of_kind = getattr(http_plugin, f"Http{kind}MultiSeriesPlugin")
        plugin = of_kind("draft", own, members, "1 day")
        plugin.zone = ZoneInfo(zone)
        plugin.http = cast("HttpClient", _AnswerAtHand(answer))
        window = EVER if day is None else _window_of(day, ZoneInfo(zone))
        raw = asyncio.run(plugin.get_historical_data_multi(*window))
        length = interval_length(granularity)
        return clean(
            raw,
            series=names,
            start=None,
            end=None,
            zone=ZoneInfo(zone),
            lengths={} if length is None else dict.fromkeys(names, length),
        )
    except (FetchError, ConfigurationError, ParameterError, DataportalError, ValueError) as error:
        return str(error)
