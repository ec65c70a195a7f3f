"""A day and a number name the n-th interval of the local day, on days of 23 and 25 hours too.

Where the clock changes, numbers are no clock times: read as such they are an hour late for the rest
of the day. The instants are worked out by hand: the first interval of a day begins at its first
instant in the zone, and intervals follow one another without gaps in UTC.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, steps, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.answer_runs import Result
    from support.http_server import Request

HOUR, HALF, QUARTER = timedelta(hours=1), timedelta(minutes=30), timedelta(minutes=15)
MADRID = {"timezone": "Europe/Madrid"}
NUMBERED: dict[str, Any] = {
    "interval": {"day": "day", "number": "n", "length": "1 hour"},
    "value": "v",
}


def rows(day: str, numbers: Iterable[int], **more: Any) -> list[dict[str, Any]]:
    """A row for each number, whose value is a hundred and its number."""
    return [{"day": day, "n": n, "v": 100 + n, **more} for n in numbers]


def values(count: int, first: int = 1) -> list[float | None]:
    """The values of those rows, in the order of time."""
    return [100.0 + n for n in range(first, first + count)]


def numbers_case(
    zone: str, day: str, begins: str, count: int, length: str = "1 hour", step: timedelta = HOUR
) -> Case:
    """A day of so many intervals, the first of which begins at that instant."""
    return Case(
        Reply.json(rows(day, range(1, count + 1))),
        {**NUMBERED, "interval": {"day": "day", "number": "n", "length": length}},
        stored=steps(begins, step, values(count)),
        keys={"timezone": zone},
        counts={"inserted": count, "rejected": 0},
    )


DAYS = {
    # 25 and 23 hours, and an ordinary day
    "madrid-autumn": numbers_case("Europe/Madrid", "2025-10-26", "2025-10-25T22:00Z", 25),
    "madrid-spring": numbers_case("Europe/Madrid", "2025-03-30", "2025-03-29T23:00Z", 23),
    "madrid-ordinary": numbers_case("Europe/Madrid", "2025-07-01", "2025-06-30T22:00Z", 24),
    "new-york-autumn": numbers_case("America/New_York", "2025-11-02", "2025-11-02T04:00Z", 25),
    "new-york-spring": numbers_case("America/New_York", "2025-03-09", "2025-03-09T05:00Z", 23),
    "lisbon-autumn": numbers_case("Europe/Lisbon", "2025-10-26", "2025-10-25T23:00Z", 25),
    "lisbon-spring": numbers_case("Europe/Lisbon", "2025-03-30", "2025-03-30T00:00Z", 23),
    "chicago-autumn": numbers_case("America/Chicago", "2024-11-03", "2024-11-03T05:00Z", 25),
    # a zone without clock changes, half an hour from the others
    "kolkata": numbers_case("Asia/Kolkata", "2025-03-30", "2025-03-29T18:30Z", 24),
    # the clocks change at midnight: the day begins at 01:00, or has its first hour twice
    "sao-paulo-spring": numbers_case("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", 23),
    "azores-autumn": numbers_case("Atlantic/Azores", "2025-10-26", "2025-10-26T00:00Z", 25),
    # settlement periods: half-hours, 46, 48 and 50 of them
    "london-spring": numbers_case(
        "Europe/London", "2025-03-30", "2025-03-30T00:00Z", 46, "30 minutes", HALF
    ),
    "london-autumn": numbers_case(
        "Europe/London", "2025-10-26", "2025-10-25T23:00Z", 50, "PT30M", HALF
    ),
    "london-ordinary": numbers_case(
        "Europe/London", "2025-06-01", "2025-05-31T23:00Z", 48, "PT30M", HALF
    ),
    # clocks that change by half an hour: 49 and 47
    "lord-howe-autumn": numbers_case(
        "Australia/Lord_Howe", "2025-04-06", "2025-04-05T13:00Z", 49, "PT30M", HALF
    ),
    "lord-howe-spring": numbers_case(
        "Australia/Lord_Howe", "2025-10-05", "2025-10-04T13:30Z", 47, "PT30M", HALF
    ),
    # quarters of an hour: 92, 96, 100
    "prague-spring": numbers_case(
        "Europe/Prague", "2025-03-30", "2025-03-29T23:00Z", 92, "15 minutes", QUARTER
    ),
    "prague-autumn": numbers_case(
        "Europe/Prague", "2025-10-26", "2025-10-25T22:00Z", 100, "PT15M", QUARTER
    ),
    "prague-ordinary": numbers_case(
        "Europe/Prague", "2025-10-25", "2025-10-24T22:00Z", 96, "PT15M", QUARTER
    ),
    # five minutes: 276
    "rome-five-minutes": numbers_case(
        "Europe/Rome", "2025-03-30", "2025-03-29T23:00Z", 276, "5 minutes", timedelta(minutes=5)
    ),
}

SHAPES = {
    # OMIE: no header, the day in three columns, semicolons, two zones beside each other
    "omie": Case(
        table(
            "MARGINALPDBC;",
            *(f"2025;03;30;{n};{n}.25;{n}.5;" for n in range(1, 24)),
            "*",
        ),
        {
            "header": False,
            "skip_rows": 1,
            "comment": "*",
            "delimiter": ";",
            "interval": {"day": [1, 2, 3], "number": 4, "length": "1 hour"},
            "time_format": "%Y %m %d",
        },
        {
            "es": steps("2025-03-29T23:00Z", HOUR, [n + 0.5 for n in range(1, 24)]),
            "pt": steps("2025-03-29T23:00Z", HOUR, [n + 0.25 for n in range(1, 24)]),
        },
        kind="Csv",
        filters={"es": {"value": 6}, "pt": {"value": 5}},
        keys=MADRID,
    ),
    # GME: XML, the day as one number, a decimal comma
    "gme": Case(
        document(
            "<NewDataSet>"
            + "".join(
                f"<Prezzi><Data>20251026</Data><Ora>{n}</Ora><PUN>{n},75</PUN></Prezzi>"
                for n in range(1, 26)
            )
            + "</NewDataSet>"
        ),
        {
            "rows": "Prezzi",
            "interval": {"day": "Data", "number": "Ora", "length": "PT1H"},
            "time_format": "%Y%m%d",
            "decimal": ",",
            "value": "PUN",
        },
        steps("2025-10-25T22:00Z", HOUR, [n + 0.75 for n in range(1, 26)]),
        kind="Xml",
        keys={"timezone": "Europe/Rome"},
    ),
    # from 0; as texts with a zero before them; as decimals out of a workbook
    "from-nought": Case(
        Reply.json(rows("2025-10-26", range(25))),
        {**NUMBERED, "interval": {**NUMBERED["interval"], "first": 0}},
        steps("2025-10-25T22:00Z", HOUR, values(25, 0)),
        keys={"timezone": "Europe/Prague"},
    ),
    "texts": Case(
        Reply.json([{"day": "2025-11-02", "n": f"{n:02}", "v": n} for n in range(1, 26)]),
        NUMBERED,
        steps("2025-11-02T04:00Z", HOUR, range(1, 26)),
        keys={"timezone": "America/New_York"},
    ),
    "decimals": Case(
        table("day;n;v", *(f"30.03.2025;{n}.0;{n}" for n in range(1, 24))),
        {**NUMBERED, "time_format": "%d.%m.%Y"},
        steps("2025-03-29T23:00Z", HOUR, range(1, 24)),
        kind="Csv",
        keys={"timezone": "Europe/Berlin"},
    ),
    # in any order, days mixed, and of several series in one table
    "newest-first": Case(
        Reply.json([*rows("2025-10-26", range(25, 0, -1)), *rows("2025-10-25", range(24, 0, -1))]),
        NUMBERED,
        {
            **steps("2025-10-24T22:00Z", HOUR, values(24)),
            **steps("2025-10-25T22:00Z", HOUR, values(25)),
        },
        keys=MADRID,
    ),
    "shuffled": Case(
        Reply.json(sorted(rows("2025-03-09", range(1, 24)), key=lambda row: row["n"] * 7 % 23)),
        NUMBERED,
        steps("2025-03-09T05:00Z", HOUR, values(23)),
        keys={"timezone": "America/New_York"},
    ),
    "two-series": Case(
        Reply.json(
            [
                row
                for n in range(1, 26)
                for row in (*rows("2025-10-26", [n], of="a"), *rows("2025-10-26", [n], of="b"))
            ]
        ),
        NUMBERED,
        dict.fromkeys("ab", steps("2025-10-25T23:00Z", HOUR, values(25))),
        filters={"a": {"of": "a"}, "b": {"of": "b"}},
        keys={"timezone": "Europe/Lisbon"},
    ),
    # a part of a day is in its place too, whatever is missing before it
    "the-end-of-a-day": Case(
        Reply.json(rows("2025-10-26", range(20, 26))),
        NUMBERED,
        steps("2025-10-26T17:00Z", HOUR, values(6, 20)),
        keys=MADRID,
    ),
    # side by side
    "columns": Case(
        Reply.json(
            {"day": ["2025-03-30"] * 23, "n": [*range(1, 24)], "v": [n / 2 for n in range(1, 24)]}
        ),
        {**NUMBERED, "layout": "columns"},
        steps("2025-03-30T00:00Z", HOUR, [n / 2 for n in range(1, 24)]),
        keys={"timezone": "Europe/Lisbon"},
    ),
}


def by_quarter(day: str, hours: int, *, hour: int = 1, quarter: int = 1) -> list[dict[str, Any]]:
    """Rows with the number of the hour and that of the quarter in it."""
    return [
        {"day": day, "h": hour + n // 4, "q": quarter + n % 4, "v": float(n)}
        for n in range(4 * hours)
    ]


TWO_COLUMNS: dict[str, Any] = {
    "interval": {"day": "day", "number": ["h", "q"], "length": "PT15M"},
    "value": "v",
}
QUARTERS = {
    "hour-and-quarter-autumn": Case(
        Reply.json(by_quarter("2025-11-02", 25)),
        TWO_COLUMNS,
        steps("2025-11-02T05:00Z", QUARTER, range(100)),
        keys={"timezone": "America/Chicago"},
    ),
    "hour-and-quarter-spring": Case(
        Reply.json(by_quarter("2025-03-30", 23)[::-1]),
        TWO_COLUMNS,
        steps("2025-03-29T23:00Z", QUARTER, range(92)),
        keys={"timezone": "Europe/Berlin"},
    ),
    "hour-from-nought-and-quarter": Case(
        Reply.json(by_quarter("2025-03-30", 23, hour=0)),
        {**TWO_COLUMNS, "interval": {**TWO_COLUMNS["interval"], "first": [0, 1]}},
        steps("2025-03-30T00:00Z", QUARTER, range(92)),
        keys={"timezone": "Europe/London"},
    ),
    # IESO: twelve intervals of five minutes in an hour, EST all year
    "hour-and-twelfth": Case(
        table(
            "Date,Hour,Interval,MW",
            *(f"2025-03-09,{1 + n // 12},{1 + n % 12},{n}" for n in range(288)),
        ),
        {
            "interval": {"day": "Date", "number": ["Hour", "Interval"], "length": "5 minutes"},
            "value": "MW",
        },
        steps("2025-03-09T05:00Z", timedelta(minutes=5), range(288)),
        kind="Csv",
        keys={"timezone": "Etc/GMT+5"},
    ),
}


def neighbours(day: str, numbers: Iterable[int], before: str, after: str) -> Reply:
    """A day with these numbers between two ordinary ones."""
    return Reply.json(
        [*rows(before, range(1, 25)), *rows(day, numbers), *rows(after, range(1, 25))]
    )


def only_around(first: str, second: str) -> dict[str, float | None]:
    """What is stored of the two ordinary days alone."""
    return {**steps(first, HOUR, values(24)), **steps(second, HOUR, values(24))}


SPRING_AROUND = only_around("2025-03-28T23:00Z", "2025-03-30T22:00Z")
AUTUMN_AROUND = only_around("2025-10-24T22:00Z", "2025-10-26T23:00Z")
REFUSED = {
    # 24 numbers on a day of 23 hours are no numbers of its intervals: nobody knows what they are
    "one-too-many-in-spring": Case(
        neighbours("2025-03-30", range(1, 25), "2025-03-29", "2025-03-31"),
        NUMBERED,
        SPRING_AROUND,
        keys=MADRID,
        outcome="partial",
        counts={"rejected": 24},
        says=("2025-03-30", "24"),
    ),
    # 1, 2, 4 … 24: the labels of a clock
    "labels-of-a-clock": Case(
        neighbours("2025-03-30", [1, 2, *range(4, 25)], "2025-03-29", "2025-03-31"),
        NUMBERED,
        SPRING_AROUND,
        keys=MADRID,
        outcome="partial",
        counts={"rejected": 23},
        says=("2025-03-30",),
    ),
    "26-in-autumn": Case(
        neighbours("2025-10-26", range(1, 27), "2025-10-25", "2025-10-27"),
        NUMBERED,
        AUTUMN_AROUND,
        keys=MADRID,
        outcome="partial",
        counts={"rejected": 26},
    ),
    "nought-from-one": Case(
        neighbours("2025-10-26", range(25), "2025-10-25", "2025-10-27"),
        NUMBERED,
        AUTUMN_AROUND,
        keys=MADRID,
        outcome="partial",
        counts={"rejected": 25},
    ),
    # what is no number costs its row alone
    "no-number": Case(
        Reply.json([*rows("2025-10-25", range(1, 25)), {"day": "2025-10-25", "n": "x", "v": 1}]),
        NUMBERED,
        steps("2025-10-24T22:00Z", HOUR, values(24)),
        keys=MADRID,
        outcome="partial",
        counts={"rejected": 1},
    ),
    "half-a-number": Case(
        Reply.json([*rows("2025-10-26", [1]), {"day": "2025-10-26", "n": 2.5, "v": 1}]),
        NUMBERED,
        steps("2025-10-25T22:00Z", HOUR, values(1)),
        keys=MADRID,
        outcome="partial",
        counts={"rejected": 1},
    ),
    # days of which zone?
    "no-zone": Case(
        Reply.json(rows("2025-10-26", range(1, 26))),
        NUMBERED,
        {},
        outcome=("failed", "partial"),
        says=("timezone",),
    ),
}


def clock(day: str, labels: Iterable[int], first: float = 0) -> list[str]:
    """Lines of a table with a day and an hour."""
    return [f"{day},{label:02},{first + n}" for n, label in enumerate(labels)]


CLOCK: dict[str, Any] = {"ts": ["day", "hour"], "time_format": "%d.%m.%Y %H", "value": "v"}
ENDS = {**CLOCK, "period_end": "1 hour"}
SATURDAY = clock("25.10.2025", range(1, 25))
MONDAY = clock("27.10.2025", range(1, 25))
AROUND = {
    **steps("2025-10-24T22:00Z", HOUR, range(24)),
    **steps("2025-10-26T23:00Z", HOUR, range(24)),
}
BERLIN = {"timezone": "Europe/Berlin"}
READ_AS_CLOCK = {
    # numbers that somebody took for an hour of the clock: 25 tells
    "25-hours": Case(
        table("day,hour,v", *SATURDAY, *clock("26.10.2025", range(1, 26)), *MONDAY),
        ENDS,
        AROUND,
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 25},
        says=("26.10.2025", "25", "interval"),
    ),
    "25-hours-newest-first": Case(
        table("day,hour,v", *MONDAY, *clock("26.10.2025", range(25, 0, -1)), *SATURDAY),
        ENDS,
        AROUND,
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 25},
    ),
    "25-hours-that-begin": Case(
        table(
            "day,hour,v",
            *clock("24.10.2025", range(24)),
            *clock("26.10.2025", range(1, 26)),
            *clock("28.10.2025", range(24)),
        ),
        CLOCK,
        {
            **steps("2025-10-23T22:00Z", HOUR, range(24)),
            **steps("2025-10-27T23:00Z", HOUR, range(24)),
        },
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 25},
    ),
    # 24 twice
    "24-twice": Case(
        table("day,hour,v", *SATURDAY, *clock("26.10.2025", [*range(1, 25), 24]), *MONDAY),
        ENDS,
        AROUND,
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 25},
    ),
    "new-york": Case(
        Reply.json(
            [
                {"at": f"{day} {hour}", "v": hour}
                for day, last in (("2025-11-01", 24), ("2025-11-02", 25), ("2025-11-03", 24))
                for hour in range(1, last + 1)
            ]
        ),
        {"ts": "at", "time_format": "%Y-%m-%d %H", "value": "v", "period_end": "PT1H"},
        {
            **steps("2025-11-01T04:00Z", HOUR, range(1, 25)),
            **steps("2025-11-03T05:00Z", HOUR, range(1, 25)),
        },
        keys={"timezone": "America/New_York"},
        outcome="partial",
        counts={"rejected": 25},
    ),
    # quarters of an hour: 25:15
    "25-with-minutes": Case(
        Reply.json(
            [{"at": f"20251026 {n // 4:02}:{n % 4 * 15:02}", "v": n} for n in range(4, 104)]
            + [{"at": f"20251028 {n // 4:02}:{n % 4 * 15:02}", "v": n} for n in range(96)]
        ),
        {"ts": "at", "time_format": "%Y%m%d %H:%M", "value": "v"},
        steps("2025-10-27T23:00Z", QUARTER, range(96)),
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 100},
    ),
    # the last hours of 23 are not there, and one that the clock skips is: numbers again
    "23-hours": Case(
        table(
            "day,hour,v",
            *clock("29.03.2025", range(1, 25)),
            *clock("30.03.2025", range(1, 24)),
            *clock("31.03.2025", range(1, 25)),
        ),
        ENDS,
        {
            **steps("2025-03-28T23:00Z", HOUR, range(24)),
            **steps("2025-03-30T22:00Z", HOUR, range(24)),
        },
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 23},
    ),
    # the plugin for tables reads hours, too
    "25-in-a-file": Case(
        table(
            "time,v",
            *(f"20251025{hour:02},{hour}" for hour in range(24)),
            *(f"20251026{hour:02},{hour}" for hour in range(1, 26)),
            *(f"20251028{hour:02},{hour}" for hour in range(24)),
        ),
        {"url": "{server}", "ts_column": "time", "value_column": "v", "time_format": "%Y%m%d%H"},
        {
            **steps("2025-10-24T22:00Z", HOUR, range(24)),
            **steps("2025-10-27T23:00Z", HOUR, range(24)),
        },
        kind="csv_plugin.CsvDataSourcePlugin",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 25},
    ),
    # as many labels as the day has hours, one of which the clocks skip; without period_end
    "0-to-22": Case(
        table(
            "day,hour,v",
            *clock("29.03.2025", range(24)),
            *clock("30.03.2025", range(23)),
            *clock("31.03.2025", range(24)),
        ),
        CLOCK,
        {
            **steps("2025-03-28T23:00Z", HOUR, range(24)),
            **steps("2025-03-30T22:00Z", HOUR, range(24)),
        },
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 23},
        says=("2025-03-30", "23 intervals", "interval"),
    ),
    "1-to-23-newest-first": Case(
        Reply.json([{"at": f"2025-03-09 {hour:02}", "v": hour} for hour in range(23, 0, -1)]),
        {"ts": "at", "time_format": "%Y-%m-%d %H", "value": "v"},
        {},
        keys={"timezone": "America/New_York"},
        outcome="partial",
        counts={"rejected": 23},
    ),
    "iso-0-to-22": Case(
        Reply.json([{"at": f"2025-03-30T{hour:02}:00:00", "v": hour} for hour in range(23)]),
        {"ts": "at", "value": "v"},
        {},
        keys={"timezone": "Europe/London"},
        outcome="partial",
        counts={"rejected": 23},
    ),
    "quarters-of-23-hours": Case(
        Reply.json(
            [{"at": f"2025-03-30T{n // 4:02}:{n % 4 * 15:02}", "v": n} for n in range(92)]
            + [{"at": f"2025-03-31T{n // 4:02}:{n % 4 * 15:02}", "v": n} for n in range(96)]
        ),
        {"ts": "at", "value": "v"},
        steps("2025-03-30T22:00Z", QUARTER, range(96)),
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 92},
    ),
    "0-to-24": Case(
        table(
            "day,hour,v",
            *clock("24.10.2025", range(24)),
            *clock("26.10.2025", range(25)),
            *clock("28.10.2025", range(24)),
        ),
        CLOCK,
        {
            **steps("2025-10-23T22:00Z", HOUR, range(24)),
            **steps("2025-10-27T23:00Z", HOUR, range(24)),
        },
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 25},
        says=("2025-10-26", "25 intervals", "interval"),
    ),
    "0-to-22-in-a-file": Case(
        table(
            "time,v",
            *(f"20250308{hour:02},{hour}" for hour in range(24)),
            *(f"20250309{hour:02},{hour}" for hour in range(23)),
        ),
        {"url": "{server}", "ts_column": "time", "value_column": "v", "time_format": "%Y%m%d%H"},
        steps("2025-03-08T05:00Z", HOUR, range(24)),
        kind="csv_plugin.CsvDataSourcePlugin",
        keys={"timezone": "America/New_York"},
        outcome="partial",
        counts={"rejected": 23},
    ),
    "0-to-24-in-a-file": Case(
        table(
            "time,v",
            *(f"20251101{hour:02},{hour}" for hour in range(24)),
            *(f"20251102{hour:02},{hour}" for hour in range(25)),
        ),
        {"url": "{server}", "ts_column": "time", "value_column": "v", "time_format": "%Y%m%d%H"},
        steps("2025-11-01T04:00Z", HOUR, range(24)),
        kind="csv_plugin.CsvDataSourcePlugin",
        keys={"timezone": "America/New_York"},
        outcome="partial",
        counts={"rejected": 25},
    ),
    # a label too many is refused alone: the others are hours of a clock
    "24-labels-of-23-hours": Case(
        table("day,hour,v", *clock("30.03.2025", range(24))),
        CLOCK,
        {
            **steps("2025-03-29T23:00Z", HOUR, range(2)),
            **steps("2025-03-30T01:00Z", HOUR, range(3, 24)),
        },
        kind="Csv",
        keys=BERLIN,
        outcome="partial",
        counts={"rejected": 1},
    ),
    # a clock that shows the doubled hour twice, and both midnights
    "26-labels-of-25-hours": Case(
        table("day,hour,v", *clock("26.10.2025", [0, 1, 2, 2, *range(3, 25)])),
        CLOCK,
        steps("2025-10-25T22:00Z", HOUR, range(26)),
        kind="Csv",
        keys=BERLIN,
    ),
    # the clocks skip the first hour: the others are all there is
    "sao-paulo": Case(
        Reply.json([{"at": f"2018-11-04T{hour:02}:00", "v": hour} for hour in range(1, 24)]),
        {"ts": "at", "value": "v"},
        steps("2018-11-04T03:00Z", HOUR, range(1, 24)),
        keys={"timezone": "America/Sao_Paulo"},
    ),
    # an hour of 24 alone is the midnight that ends the day, as before
    "24-once": Case(
        table("day,hour,v", *SATURDAY),
        ENDS,
        steps("2025-10-24T22:00Z", HOUR, range(24)),
        kind="Csv",
        keys=BERLIN,
    ),
}


def in_address(request: Request) -> Reply:
    """A file for each interval of a day, named by its day and number; the rest is not there."""
    *_, day, number = request.path.split("/")
    known = {
        "2025-10-26": ("2025-10-25T22:00:00Z", 25),
        "2025-03-30": ("2025-03-29T23:00:00Z", 23),
    }
    if day not in known or not 1 <= int(number) <= known[day][1]:
        return Reply(404)
    return Reply.json([{"n": int(number), "day": day, "v": 10 * int(number)}])


ADDRESSES = {
    f"address-{name}": Case(
        in_address,
        {
            "url": "{server}/{start:%Y-%m-%d@Europe/Madrid}/{start:number@Europe/Madrid}",
            "each": "hour",
            "zone": "Europe/Madrid",
            **NUMBERED,
        },
        steps(start, HOUR, [10.0 * n for n in range(1, count + 1)]),
        keys=MADRID,
        window=(start, end),
        requests=count,
    )
    for name, start, end, count in (
        ("autumn", "2025-10-25T22:00Z", "2025-10-26T23:00Z", 25),
        ("spring", "2025-03-29T23:00Z", "2025-03-30T22:00Z", 23),
    )
} | {
    "address-half-hours": Case(
        lambda request: Reply.json(
            [{"t": "2025-10-25T23:00:00Z", "v": 1}]
            if request.path.endswith("/2025-10-26/1")
            else [{"t": "2025-10-26T23:30:00Z", "v": 50}]
            if request.path.endswith("/2025-10-26/50")
            else []
        ),
        {
            "url": "{server}/{start:%Y-%m-%d@Europe/London}/{start:number@Europe/London}",
            "each": "30 minutes",
            "zone": "Europe/London",
            "ts": "t",
            "value": "v",
        },
        {"2025-10-25T23:00Z": 1.0, "2025-10-26T23:30Z": 50.0},
        keys={"timezone": "Europe/London"},
        window=("2025-10-25T23:00Z", "2025-10-27T00:00Z"),
        requests=50,
    ),
}
CASES = DAYS | SHAPES | QUARTERS | REFUSED | READ_AS_CLOCK | ADDRESSES


@pytest.mark.parametrize("name", DAYS)
def test_numbers_are_intervals_of_the_local_day(results: Mapping[str, Result], name: str) -> None:
    """The n-th begins n - 1 lengths after the day's first instant.

    23 and 25 hours, 46 and 50 half-hours, 92 and 100 quarters; also where clocks change by half an
    hour, or at midnight.
    """
    results[name].check()


@pytest.mark.parametrize("name", SHAPES)
def test_numbers_come_in_any_shape(results: Mapping[str, Result], name: str) -> None:
    """From 0 or 1, as texts or decimals, in JSON, tables and XML, in any order.

    Of several series, too, and with the day in one column or three.
    """
    results[name].check()


@pytest.mark.parametrize("name", QUARTERS)
def test_the_hour_and_the_part_of_it_in_two_columns(
    results: Mapping[str, Result], name: str
) -> None:
    """The first counts the hours of the day, the second the intervals of that hour."""
    results[name].check()


@pytest.mark.parametrize("name", REFUSED)
def test_numbers_that_the_day_does_not_have_refuse_it(
    results: Mapping[str, Result], name: str
) -> None:
    """None of that day is stored, as its other numbers mean something else as well.

    The days around it are; the run is partial and names the day.
    """
    results[name].check()


@pytest.mark.parametrize("name", READ_AS_CLOCK)
def test_hours_that_no_clock_shows_refuse_their_day(
    results: Mapping[str, Result], name: str
) -> None:
    """An %H that meets 25, or 24 twice, tells that hours are numbers: the day is refused.

    With all its other hours, which would be an hour late; the way out is named.
    """
    results[name].check()


@pytest.mark.parametrize("name", ADDRESSES)
def test_numbers_in_an_address(results: Mapping[str, Result], name: str) -> None:
    """`{start:number@ZONE}` is the number, from 1, of the request's interval in the local day."""
    results[name].check()
