"""An answer may state how far its local times are ahead of UTC, once for all of them.

`utc_offset` names the place, anywhere in the answer, of that offset: seconds as Open-Meteo has
them, +01:00, +0100, UTC+1; `zone_from` that of a zone's name.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, steps, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.answer_runs import Result

HOUR = timedelta(hours=1)
COLUMNS: dict[str, Any] = {
    "rows": "hourly",
    "layout": "columns",
    "ts": "time",
    "value": "v",
    "utc_offset": "utc_offset_seconds",
}
# three hours of a summer's day, and the three after midnight of the night of the clock change
SUMMER = ["2025-07-01T00:00", "2025-07-01T01:00", "2025-07-01T02:00"]
NIGHT = ["2025-10-26T01:00", "2025-10-26T02:00", "2025-10-26T03:00"]


def stated(offset: Any, times: list[str], begins: str, **more: Any) -> Case:
    """Columns beside a stated offset."""
    answer = {"utc_offset_seconds": offset, "hourly": {"time": times, "v": [0, 1, 2]}}
    return Case(Reply.json(answer), COLUMNS, steps(begins, HOUR, range(3)), **more)


OFFSETS = {
    # one offset for all stamps, also across a clock change, and whatever the zone has then
    "seconds": stated(3600, NIGHT, "2025-10-26T00:00Z"),
    "seconds-as-text": stated("7200", NIGHT, "2025-10-25T23:00Z"),
    "winter-offset-in-summer": stated(3600, SUMMER, "2025-06-30T23:00Z"),
    "none": stated(0, SUMMER, "2025-07-01T00:00Z"),
    "west": stated(-18000, NIGHT, "2025-10-26T06:00Z"),
    "half-an-hour": stated(19800, SUMMER, "2025-06-30T18:30Z"),
    "text-colon": stated("+01:00", NIGHT, "2025-10-26T00:00Z"),
    "text-plain": stated("-0330", NIGHT, "2025-10-26T04:30Z"),
    "text-utc": stated("UTC+1", NIGHT, "2025-10-26T00:00Z"),
    "text-gmt": stated("GMT-03:00", NIGHT, "2025-10-26T04:00Z"),
    "text-z": stated("Z", NIGHT, "2025-10-26T01:00Z"),
    # what the answer says of its own times beats what sources.yaml says of the source
    "beats-timezone": stated(3600, SUMMER, "2025-06-30T23:00Z", keys={"timezone": "Europe/Berlin"}),
    # Lord Howe Island in summer
    "lord-howe": stated(39600, SUMMER, "2025-06-30T13:00Z"),
    "rows": Case(
        Reply.json(
            {"meta": {"tz": "+02:00"}, "data": [{"t": t, "v": n} for n, t in enumerate(SUMMER)]}
        ),
        {"rows": "data", "ts": "t", "value": "v", "utc_offset": "meta.tz"},
        steps("2025-06-30T22:00Z", HOUR, range(3)),
    ),
    # a stamp that brings its own offset keeps it
    "own-offset": Case(
        Reply.json(
            {
                "o": 3600,
                "data": [{"t": "2025-07-01T00:00Z", "v": 0}, {"t": "2025-07-01T02:00", "v": 1}],
            }
        ),
        {"rows": "data", "ts": "t", "value": "v", "utc_offset": "o"},
        steps("2025-07-01T00:00Z", HOUR, range(2)),
    ),
    "with-period-end": Case(
        Reply.json({"o": 3600, "data": [{"t": t, "v": n} for n, t in enumerate(NIGHT)]}),
        {"rows": "data", "ts": "t", "value": "v", "utc_offset": "o", "period_end": "1 hour"},
        steps("2025-10-25T23:00Z", HOUR, range(3)),
    ),
    "with-format": Case(
        Reply.json({"o": "+0100", "data": [{"t": "26.10.2025 02:30", "v": 5}]}),
        {
            "rows": "data",
            "ts": "t",
            "value": "v",
            "utc_offset": "o",
            "time_format": "%d.%m.%Y %H:%M",
        },
        {"2025-10-26T01:30Z": 5.0},
    ),
    "xml": Case(
        document('<a offset="+02:00"><r t="2025-07-01T00:00" v="0"/></a>'),
        {"rows": "r", "ts": "@t", "value": "@v", "utc_offset": "@offset"},
        {"2025-06-30T22:00Z": 0.0},
        kind="Xml",
    ),
    "header": Case(
        table("t,v", "2025-07-01T00:00,3", headers={"X-Utc-Offset": "+02:00"}),
        {"ts": "t", "value": "v", "utc_offset": "header:X-Utc-Offset"},
        {"2025-06-30T22:00Z": 3.0},
        kind="Csv",
    ),
    # each answer says it for itself
    "another-one-on-another-page": Case(
        [
            Reply.json({"o": 7200, "data": [{"t": "2025-10-25T00:00", "v": 0}]}),
            Reply.json({"o": 3600, "data": [{"t": "2025-10-27T00:00", "v": 1}]}),
            Reply.json({"o": 3600, "data": []}),
        ],
        {"rows": "data", "ts": "t", "value": "v", "utc_offset": "o", "paging": {"page": "p"}},
        {"2025-10-24T22:00Z": 0.0, "2025-10-26T23:00Z": 1.0},
    ),
}
ZONES = {
    f"zone-{name}": Case(
        Reply.json({"timezone": zone, "data": [{"t": t, "v": n} for n, t in enumerate(SUMMER)]}),
        {"rows": "data", "ts": "t", "value": "v", "zone_from": "timezone"},
        steps(begins, HOUR, range(3)),
    )
    for name, zone, begins in (
        ("berlin", "Europe/Berlin", "2025-06-30T22:00Z"),
        ("new-york", "America/New_York", "2025-07-01T04:00Z"),
        ("lisbon", "Europe/Lisbon", "2025-06-30T23:00Z"),
        ("lord-howe", "Australia/Lord_Howe", "2025-06-30T13:30Z"),
        ("utc", "UTC", "2025-07-01T00:00Z"),
    )
}
REFUSED = {
    f"no-offset-{name}": Case(
        Reply.json({"o": value, "data": [{"t": "2025-07-01T00:00", "v": 1}]}),
        {"rows": "data", "ts": "t", "value": "v", place: "o"},
        {},
        outcome="failed",
        says=("'o'",),
    )
    for name, place, value in (
        ("null", "utc_offset", None),
        ("text", "utc_offset", "summer"),
        ("huge", "utc_offset", 864000),
        ("bool", "utc_offset", True),
        ("zone", "zone_from", "Mars/Olympus"),
        ("no-zone", "zone_from", None),
    )
} | {
    "absent": Case(
        Reply.json({"data": [{"t": "2025-07-01T00:00", "v": 1}]}),
        {"rows": "data", "ts": "t", "value": "v", "utc_offset": "o"},
        {},
        outcome="failed",
        says=("'o'",),
    ),
    "both": Case(
        Reply.json({"o": 0, "z": "UTC", "data": [{"t": "2025-07-01T00:00", "v": 1}]}),
        {"rows": "data", "ts": "t", "value": "v", "utc_offset": "o", "zone_from": "z"},
        {},
        outcome="failed",
        says=("utc_offset", "zone_from"),
    ),
}
CASES = OFFSETS | ZONES | REFUSED


@pytest.mark.parametrize("name", OFFSETS)
def test_a_stated_offset_is_that_of_all_local_times(
    results: Mapping[str, Result], name: str
) -> None:
    """Seconds or a text, wherever it stands; whatever the clocks of any zone did then."""
    results[name].check()


@pytest.mark.parametrize("name", ZONES)
def test_a_stated_zone_is_that_of_all_local_times(results: Mapping[str, Result], name: str) -> None:
    """By its name in the answer."""
    results[name].check()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_offset_is_refused(results: Mapping[str, Result], name: str) -> None:
    """Nothing is guessed: the place is named, and nothing stored."""
    results[name].check()
