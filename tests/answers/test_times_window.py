"""An interval that began before the window and reaches into it is inside; the rest is told.

Annual, quarterly and monthly values used to vanish because the window began in the middle of them.
The window asked for is moved back to where such an interval begins, so that no provider sends a
part of one; and what an answer holds outside of the window is counted where it is read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, steps, table
from support.http_server import Reply
from support.provider_answers import PROVIDERS, WINDOW, market_document, market_series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conftest import RunCli
    from support.answer_runs import Result
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

PLACES: dict[str, Any] = {"ts": "t", "value": "v"}


def rows_at(*times: str) -> Reply:
    """A row for each of these times, whose value is its number."""
    return Reply.json([{"t": t, "v": n} for n, t in enumerate(times)])


def inside_case(
    times: Sequence[str],
    window: tuple[str, str],
    stored: Mapping[str, float | None],
    granularity: str | None,
    zone: str = "UTC",
    **more: Any,
) -> Case:
    """Rows of which some begin before the window."""
    metadata = {} if granularity is None else {"metadata": {"granularity": granularity}}
    return Case(
        rows_at(*times),
        {**PLACES, **more.pop("params", {})},
        stored,
        keys={"timezone": zone, **metadata},
        window=window,
        counts={"outside": len(times) - len(stored), "received": len(times)},
        **more,
    )


INSIDE = {
    "year": inside_case(
        ["2024-01-01", "2025-01-01", "2026-01-01"],
        ("2025-06-01T00:00Z", "2025-09-01T00:00Z"),
        {"2025-01-01T00:00Z": 1.0},
        "1 year",
    ),
    # a year of 366 days, and a month of 31
    "leap-year": inside_case(
        ["2023-01-01", "2024-01-01"],
        ("2024-12-31T12:00Z", "2025-01-01T00:00Z"),
        {"2024-01-01T00:00Z": 1.0},
        "P1Y",
    ),
    "month": inside_case(
        ["2025-04-01", "2025-05-01", "2025-06-01", "2025-07-01"],
        ("2025-05-15T00:00Z", "2025-07-01T00:00Z"),
        {"2025-05-01T00:00Z": 1.0, "2025-06-01T00:00Z": 2.0},
        "1 month",
    ),
    "month-of-31": inside_case(
        ["2024-12-01", "2025-01-01"],
        ("2025-01-31T18:00Z", "2025-02-01T00:00Z"),
        {"2025-01-01T00:00Z": 1.0},
        "P1M",
    ),
    "quarter": inside_case(
        ["2025-01-01", "2025-04-01", "2025-07-01"],
        ("2025-06-30T00:00Z", "2025-07-02T00:00Z"),
        {"2025-04-01T00:00Z": 1.0, "2025-07-01T00:00Z": 2.0},
        "1 quarter",
    ),
    "week": inside_case(
        ["2025-05-26", "2025-06-02", "2025-06-09"],
        ("2025-06-04T00:00Z", "2025-06-08T00:00Z"),
        {"2025-06-02T00:00Z": 1.0},
        "7 days",
    ),
    # a week that begins on another day than the calendar's
    "week-from-saturday": inside_case(
        ["2025-05-24", "2025-05-31", "2025-06-07"],
        ("2025-06-04T00:00Z", "2025-06-07T00:00Z"),
        {"2025-05-31T00:00Z": 1.0},
        "1 week",
    ),
    # days of a zone, also one of 25 hours
    "day-in-berlin": inside_case(
        ["2025-06-09", "2025-06-10", "2025-06-11"],
        ("2025-06-10T12:00Z", "2025-06-10T20:00Z"),
        {"2025-06-09T22:00Z": 1.0},
        "1 day",
        "Europe/Berlin",
    ),
    "day-of-25-hours": inside_case(
        ["2025-11-01", "2025-11-02"],
        ("2025-11-03T04:30Z", "2025-11-03T05:00Z"),
        {"2025-11-02T04:00Z": 1.0},
        "P1D",
        "America/New_York",
    ),
    "day-of-23-hours": inside_case(
        ["2025-03-30", "2025-03-31"],
        ("2025-03-30T22:30Z", "2025-03-31T22:00Z"),
        {"2025-03-30T22:00Z": 1.0},
        "1 day",
        "Europe/Berlin",
    ),
    "hour": inside_case(
        ["2025-06-10T05:00Z", "2025-06-10T06:00Z", "2025-06-10T07:00Z"],
        ("2025-06-10T06:30Z", "2025-06-10T07:00Z"),
        {"2025-06-10T06:00Z": 1.0},
        "1 hour",
    ),
    "hour-in-kolkata": inside_case(
        ["2025-06-10T11:00", "2025-06-10T12:00"],
        ("2025-06-10T06:10Z", "2025-06-10T06:30Z"),
        {"2025-06-10T05:30Z": 0.0},
        "1 hour",
        "Asia/Kolkata",
    ),
    "quarter-hour": inside_case(
        ["2025-06-10T05:45Z", "2025-06-10T06:00Z", "2025-06-10T06:15Z"],
        ("2025-06-10T06:14Z", "2025-06-10T06:20Z"),
        {"2025-06-10T06:00Z": 1.0, "2025-06-10T06:15Z": 2.0},
        "15 minutes",
    ),
    # an interval that ends where the window begins is outside
    "ends-at-the-start": inside_case(
        ["2025-06-10T05:00Z", "2025-06-10T06:00Z"],
        ("2025-06-10T06:00Z", "2025-06-10T07:00Z"),
        {"2025-06-10T06:00Z": 1.0},
        "1 hour",
    ),
    "year-that-ends-at-the-start": inside_case(
        ["2024-01-01", "2025-01-01"],
        ("2025-01-01T00:00Z", "2025-02-01T00:00Z"),
        {"2025-01-01T00:00Z": 1.0},
        "1 year",
    ),
    # without any length a point is a moment, as before
    "no-length": inside_case(
        ["2025-06-10T05:59Z", "2025-06-10T06:00Z"],
        ("2025-06-10T06:00Z", "2025-06-10T07:00Z"),
        {"2025-06-10T06:00Z": 1.0},
        None,
    ),
    # the provider's own length beats what is written beside
    "period-of-a-year": inside_case(
        ["2024", "2025", "2026"],
        ("2025-06-01T00:00Z", "2025-07-01T00:00Z"),
        {"2025-01-01T00:00Z": 1.0},
        None,
        params={"time_format": "period"},
    ),
    "period-of-a-third": inside_case(
        ["2025-T1", "2025-T2", "2025-T3"],
        ("2025-08-31T00:00Z", "2025-09-02T00:00Z"),
        {"2025-05-01T00:00Z": 1.0, "2025-09-01T00:00Z": 2.0},
        None,
        params={"time_format": "period"},
    ),
    "range-of-a-month": inside_case(
        ["2025-05-01/P1M", "2025-05-10/P1D", "2025-06-01/P1M"],
        ("2025-05-20T00:00Z", "2025-06-02T00:00Z"),
        {"2025-05-01T00:00Z": 0.0, "2025-06-01T00:00Z": 2.0},
        None,
        params={"time_format": "period"},
    ),
    "period-end": inside_case(
        ["2025-06-10T06:00Z", "2025-06-10T07:00Z", "2025-06-10T08:00Z"],
        ("2025-06-10T06:30Z", "2025-06-10T07:30Z"),
        {"2025-06-10T06:00Z": 1.0, "2025-06-10T07:00Z": 2.0},
        None,
        params={"period_end": "1 hour"},
    ),
    "interval": Case(
        Reply.json([{"d": "2025-06-10", "n": n, "v": n} for n in range(1, 25)]),
        {"interval": {"day": "d", "number": "n", "length": "1 hour"}, "value": "v"},
        {"2025-06-10T06:00Z": 7.0, "2025-06-10T07:00Z": 8.0},
        keys={"timezone": "UTC"},
        window=("2025-06-10T06:30Z", "2025-06-10T08:00Z"),
        counts={"outside": 22},
    ),
    # each series of a group by its own length
    "group": Case(
        Reply.json(
            [
                {"of": of, "t": t, "v": n}
                for n, t in enumerate(["2025-01-01", "2025-06-01T11:00Z", "2025-06-01T12:00Z"])
                for of in "yh"
            ]
        ),
        PLACES,
        {
            "y": {"2025-01-01T00:00Z": 0.0, "2025-06-01T11:00Z": 1.0, "2025-06-01T12:00Z": 2.0},
            "h": {"2025-06-01T12:00Z": 2.0},
        },
        filters={"y": {"of": "y"}, "h": {"of": "h"}},
        keys={"timezone": "UTC"},
        window=("2025-06-01T12:30Z", "2025-07-01T00:00Z"),
    ),
}


def with_lengths(case: Case, name: str, lengths: Mapping[str, str]) -> dict[str, Any]:
    """The entry of a group whose series have these granularities."""
    entry = case.entry(name, "http://127.0.0.1:1")
    for series in entry["timeseries"]:
        own = series["endpoint_prefix"].rpartition("-")[2]
        series["metadata"] = {"granularity": lengths[own]}
    return entry


def window_case(
    start: str, granularity: str, zone: str, moved: str, **more: Any
) -> tuple[Case, str]:
    """A window that begins in the middle of an interval, and from where on it must be asked for."""
    case = Case(
        Reply.json([]),
        {**PLACES, "query": {"from": "{start}"}, **more},
        {},
        keys={"timezone": zone, "metadata": {"granularity": granularity}},
        window=(start, "2025-12-01T00:00Z"),
        outcome="empty",
    )
    return case, moved


MOVED = {
    "from-year": window_case("2025-06-15T10:30Z", "1 year", "UTC", "2025-01-01T00:00:00Z"),
    "from-year-in-berlin": window_case(
        "2025-06-15T10:30Z", "P1Y", "Europe/Berlin", "2024-12-31T23:00:00Z"
    ),
    "from-quarter": window_case("2025-06-15T10:30Z", "1 quarter", "UTC", "2025-04-01T00:00:00Z"),
    "from-month": window_case("2025-06-15T10:30Z", "1 month", "UTC", "2025-06-01T00:00:00Z"),
    "from-month-in-new-york": window_case(
        "2025-04-01T02:00Z", "P1M", "America/New_York", "2025-03-01T05:00:00Z"
    ),
    "from-day": window_case("2025-06-15T10:30Z", "1 day", "UTC", "2025-06-15T00:00:00Z"),
    "from-day-in-lisbon": window_case(
        "2025-06-15T10:30Z", "P1D", "Europe/Lisbon", "2025-06-14T23:00:00Z"
    ),
    "from-day-of-25-hours": window_case(
        "2025-11-03T04:30Z", "1 day", "America/New_York", "2025-11-02T04:00:00Z"
    ),
    "from-hour": window_case("2025-06-15T10:30Z", "1 hour", "UTC", "2025-06-15T10:00:00Z"),
    "from-hour-in-kolkata": window_case(
        "2025-06-10T06:10Z", "1 hour", "Asia/Kolkata", "2025-06-10T05:30:00Z"
    ),
    "from-quarter-hour": window_case(
        "2025-06-15T10:44Z", "15 minutes", "UTC", "2025-06-15T10:30:00Z"
    ),
    "from-where-it-begins": window_case(
        "2025-06-01T00:00Z", "1 month", "UTC", "2025-06-01T00:00:00Z"
    ),
    "from-period-end": window_case(
        "2025-06-15T10:30Z", "1 day", "UTC", "2025-06-15T00:00:00Z", period_end="1 day"
    ),
}

# in the middle of an hour of each provider's own
MIDDLE = ("2025-06-02T06:30Z", "2025-06-02T09:00Z")
HOURS = [(f"2025-06-02T{hour:02}:00Z", hour) for hour in range(4, 11)]
BUILT_IN = {
    f"built-in-{name}": provider.case(
        HOURS,
        {"2025-06-02T06:00Z": 6.0, "2025-06-02T07:00Z": 7.0, "2025-06-02T08:00Z": 8.0},
        keys={"metadata": {"granularity": "1 hour"}, "initial_history": "all"},
        window=MIDDLE,
        counts={"outside": 4, "received": 7},
    )
    for name, provider in PROVIDERS.items()
    if name not in {"fred", "elexon", "entsoe"}
} | {
    "built-in-elexon": PROVIDERS["elexon"].case(
        [(f"2025-06-02T{n // 2:02}:{n % 2 * 30:02}Z", n) for n in range(8, 18)],
        {"2025-06-02T06:00Z": 12.0, "2025-06-02T06:30Z": 13.0},
        keys={"metadata": {"granularity": "30 minutes"}},
        window=("2025-06-02T06:15Z", "2025-06-02T07:00Z"),
        counts={"outside": 8},
    ),
    # FRED names a month or a quarter by its first day
    "built-in-fred-month": PROVIDERS["fred"].case(
        [("2025-04-01", 4), ("2025-05-01", 5), ("2025-06-01", 6)],
        {"2025-05-01T00:00Z": 5.0, "2025-06-01T00:00Z": 6.0},
        keys={"metadata": {"granularity": "1 month"}},
        window=("2025-05-15T00:00Z", "2025-07-01T00:00Z"),
        counts={"outside": 1},
    ),
    "built-in-fred-quarter": PROVIDERS["fred"].case(
        [("2024-10-01", 4), ("2025-01-01", 1)],
        {"2025-01-01T00:00Z": 1.0},
        keys={"metadata": {"granularity": "1 quarter"}},
        window=("2025-03-31T00:00Z", "2025-04-01T00:00Z"),
        counts={"outside": 1},
    ),
    "built-in-entsoe": PROVIDERS["entsoe"].case(
        HOURS,
        {"2025-06-02T06:00Z": 6.0, "2025-06-02T07:00Z": 7.0, "2025-06-02T08:00Z": 8.0},
        window=MIDDLE,
        counts={"outside": 4},
    ),
    # installed capacity: one value for the year that is running
    "built-in-entsoe-capacity": Case(
        document(
            market_document(
                market_series(
                    "2024-12-31T23:00Z", "2025-12-31T23:00Z", "P1Y", [(1, 60000)], psr="B14"
                )
            )
        ),
        {
            **PROVIDERS["entsoe"].params,
            "dataset": "installed_capacity",
            "psr_type": "nuclear",
        },
        {"2024-12-31T23:00Z": 60000.0},
        kind="entsoe_plugin.EntsoeDataSourcePlugin",
        window=("2025-06-01T00:00Z", "2025-07-01T00:00Z"),
    ),
    # a week ahead, a month ahead: P7D and P1M of local days
    "built-in-entsoe-week": Case(
        document(
            market_document(
                market_series("2025-05-25T22:00Z", "2025-06-08T22:00Z", "P7D", [(1, 1), (2, 2)])
            )
        ),
        PROVIDERS["entsoe"].params,
        {"2025-06-01T22:00Z": 2.0},
        kind="entsoe_plugin.EntsoeDataSourcePlugin",
        window=("2025-06-04T00:00Z", "2025-06-07T00:00Z"),
        counts={"outside": 1},
    ),
    "built-in-smard-year": Case(
        PROVIDERS["smard"].answer([("2023-12-31T23:00Z", 24), ("2024-12-31T23:00Z", 25)]),
        {**PROVIDERS["smard"].params, "resolution": "year"},
        {"2024-12-31T23:00Z": 25.0},
        kind="smard_plugin.SmardDataSourcePlugin",
        keys={"timezone": "Europe/Berlin"},
        window=("2025-06-01T00:00Z", "2025-07-01T00:00Z"),
    ),
    "built-in-smard-month": Case(
        PROVIDERS["smard"].answer([("2025-04-30T22:00Z", 5), ("2025-05-31T22:00Z", 6)]),
        {**PROVIDERS["smard"].params, "resolution": "month"},
        {"2025-05-31T22:00Z": 6.0},
        kind="smard_plugin.SmardDataSourcePlugin",
        keys={"timezone": "Europe/Berlin"},
        window=("2025-06-15T00:00Z", "2025-07-01T00:00Z"),
        counts={"outside": 1},
    ),
    "built-in-open-meteo-day": Case(
        Reply.json(
            {
                "utc_offset_seconds": 0,
                "daily_units": {"time": "unixtime", "temperature_2m_max": "°C"},
                "daily": {"time": [1748736000, 1748822400], "temperature_2m_max": [1, 2]},
            }
        ),
        {
            **{k: v for k, v in PROVIDERS["open-meteo"].params.items() if k != "hourly"},
            "daily": "temperature_2m_max",
        },
        {"2025-06-02T00:00Z": 2.0},
        kind="open_meteo_plugin.OpenMeteoArchiveDataSourcePlugin",
        window=("2025-06-02T12:00Z", "2025-06-03T00:00Z"),
        counts={"outside": 1},
    ),
}

# what came of an answer that holds nothing of the window is told
DAYS = [(f"2025-06-{day:02}T00:00Z", day) for day in range(1, 31)]
TOLD = {
    "all-before": Case(
        rows_at("2025-05-01T00:00Z", "2025-05-02T00:00Z", "2025-05-03T00:00Z"),
        PLACES,
        {},
        window=WINDOW,
        outcome="empty",
        counts={"received": 3, "outside": 3},
        says=("3 points, all before the window",),
    ),
    "one-before": Case(
        rows_at("2025-05-01T00:00Z"),
        PLACES,
        {},
        window=WINDOW,
        outcome="empty",
        says=("1 point, before the window",),
    ),
    "all-after": Case(
        rows_at("2025-07-01T00:00Z", "2025-07-02T00:00Z"),
        PLACES,
        {},
        window=WINDOW,
        outcome="empty",
        counts={"outside": 2},
        says=("2 points, all after the window",),
    ),
    "before-and-after": Case(
        rows_at("2025-05-01T00:00Z", "2025-07-01T00:00Z", "2025-07-02T00:00Z"),
        PLACES,
        {},
        window=WINDOW,
        outcome="empty",
        counts={"outside": 3},
        says=("1 before", "2 after"),
    ),
    "csv": Case(
        table("t,v", "2025-05-01T00:00Z,1", "2025-05-02T00:00Z,2"),
        PLACES,
        {},
        kind="Csv",
        window=WINDOW,
        outcome="empty",
        says=("2 points, all before the window",),
    ),
}
COUNTED = {
    f"counted-{name}": provider.case(
        [
            ("2025-06-01T22:00Z", 1),
            ("2025-06-01T23:00Z", 2),
            ("2025-06-02T00:00Z", 3),
            ("2025-06-03T23:00Z", 4),
            ("2025-06-04T00:00Z", 5),
        ],
        {"2025-06-02T00:00Z": 3.0, "2025-06-03T23:00Z": 4.0},
        counts={"received": 5, "outside": 3, "inserted": 2},
    )
    for name, provider in PROVIDERS.items()
    if name != "fred"
} | {
    "counted-fred": PROVIDERS["fred"].case(
        [("2025-06-01", 1), ("2025-06-02", 2), ("2025-06-04", 4)],
        {"2025-06-02T00:00Z": 2.0},
        counts={"received": 3, "outside": 2},
    ),
}
CASES = (
    {name: case for name, case in INSIDE.items() if name != "group"}
    | {name: case for name, (case, _) in MOVED.items()}
    | BUILT_IN
    | TOLD
    | COUNTED
)


@pytest.mark.parametrize("name", [name for name in INSIDE if name != "group"])
def test_an_interval_that_reaches_into_the_window_is_inside(
    results: Mapping[str, Result], name: str
) -> None:
    """By the provider's own length, else by `granularity`, in the calendar of the zone."""
    results[name].check()


@pytest.mark.parametrize("name", MOVED)
def test_the_window_asked_for_begins_where_an_interval_does(
    results: Mapping[str, Result], name: str
) -> None:
    """So that a provider that adds up what it is asked for sends no part of an interval."""
    _, moved = MOVED[name]
    (request,) = results[name].requests
    assert request.query["from"] == [moved]


@pytest.mark.parametrize("name", BUILT_IN)
def test_so_it_is_with_every_provider(results: Mapping[str, Result], name: str) -> None:
    """By the resolution that its answer states, or by `granularity`."""
    results[name].check()


@pytest.mark.parametrize("name", TOLD)
def test_an_answer_with_nothing_inside_says_where_it_lies(
    results: Mapping[str, Result], name: str
) -> None:
    """The outcome is empty, so that the source does not become fresh, and the reason says why."""
    results[name].check()


@pytest.mark.parametrize("name", COUNTED)
def test_what_lies_outside_is_counted_where_it_is_read(
    results: Mapping[str, Result], name: str
) -> None:
    """A plugin that clips says how much: received is what came, and the parts add up."""
    results[name].check()


def test_each_series_of_a_group_goes_by_its_own_length(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """An annual value is inside where an hourly one is not; one request serves both."""
    rows = [
        {"of": of, "t": t, "v": n}
        for n, t in enumerate(["2025-01-01T00:00Z", "2025-06-01T12:00Z", "2025-06-01T13:00Z"])
        for of in "yh"
    ]
    address = server.answer("/a", Reply.json(rows))
    entry = with_lengths(
        Case(Reply(), {**PLACES, "url": address}, filters={"y": {"of": "y"}, "h": {"of": "h"}}),
        "load",
        {"y": "1 year", "h": "1 hour"},
    )
    (sources.folder / "sources.yaml").write_text(
        _yaml({"request_groups": {"load": entry}}), encoding="utf-8"
    )
    window = ("--start", "2025-06-01T12:30Z", "--end", "2025-07-01T00:00Z")
    assert run_cli("fetch", "load", *window, env=env).returncode == 0
    for series, expected in (("y", 3), ("h", 2)):
        shown = run_cli("history", f"load-{series}", "--format", "csv", env=env).stdout
        assert len(shown.splitlines()) == 1 + expected


def _yaml(document: Any) -> str:
    import json

    return json.dumps(document)


@pytest.mark.parametrize(
    ("granularity", "back"), [("1 year", timedelta(days=1)), ("1 month", timedelta(hours=1))]
)
def test_the_first_run_has_the_interval_that_is_running(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    granularity: str,
    back: timedelta,
) -> None:
    """The value of this year, of this month: it began before the window of a short history."""
    now = datetime.now(UTC)
    month = 1 if granularity == "1 year" else now.month
    begins = datetime(now.year, month, 1, tzinfo=UTC)
    address = server.answer("/a", rows_at(f"{begins:%Y-%m-%d}"))
    sources.add(
        "load",
        "http_plugin.HttpJsonPlugin",
        {"url": address, **PLACES},
        {
            "timezone": "UTC",
            "initial_history": f"{int(back.total_seconds())} seconds",
            "metadata": {"granularity": granularity},
        },
    )
    sources.write()
    done = run_cli("fetch", "load", "--json", env=env)
    assert '"inserted": 1' in done.stdout or '"inserted":1' in done.stdout


def test_hours_of_a_year_are_one_step_apart() -> None:
    """What the cases above are worked out with."""
    assert list(steps("2025-01-01T00:00Z", timedelta(hours=1), [1, 2])) == [
        "2025-01-01T00:00Z",
        "2025-01-01T01:00Z",
    ]
