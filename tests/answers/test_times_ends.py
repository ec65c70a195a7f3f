"""Labels that name the end of an interval have one place each, in autumn and in spring.

A label is either what the clock shows at the end, or the beginning plus the length: both are met,
and the labels of a day tell which. Instants by hand, for New York: on 2 November 2025 the clocks go
from 02:00 EDT (06:00Z) back to 01:00 EST; on 9 March from 02:00 EST (07:00Z) to 03:00 EDT.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, steps, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from support.answer_runs import Result

HOUR, HALF, QUARTER = timedelta(hours=1), timedelta(minutes=30), timedelta(minutes=15)
PLACES: dict[str, Any] = {"ts": "t", "value": "v"}


def labelled(day: str, labels: Sequence[str], first: int = 0) -> list[dict[str, Any]]:
    """A row for each label, whose value is its place in the order of time."""
    return [{"t": f"{day}T{label}", "v": first + n} for n, label in enumerate(labels)]


def hours(*labels: int) -> list[str]:
    """Labels of whole hours; 24 is the midnight that ends the day."""
    return [f"{label:02}:00" for label in labels]


def quarters(first: str, last: str) -> list[str]:
    """Labels of quarters of an hour, both included."""
    start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (first, last))
    return [f"{m // 60:02}:{m % 60:02}" for m in range(start, end + 1, 15)]


def ends(
    zone: str,
    day: str,
    labels: Sequence[str],
    begins: str,
    *,
    length: str = "1 hour",
    step: timedelta = HOUR,
    order: int = 1,
) -> Case:
    """Labels of one day, each of which follows the one before."""
    return Case(
        Reply.json(labelled(day, labels)[::order]),
        {**PLACES, "period_end": length, "time_format": "%Y-%m-%dT%H:%M"},
        steps(begins, step, range(len(labels))),
        keys={"timezone": zone},
        counts={"inserted": len(labels), "rejected": 0, "duplicates": 0},
    )


BOTH_WAYS = {
    # beginning plus length: every hour has a label of its own but the one that is there twice
    "new-york-autumn": (
        "America/New_York",
        "2025-11-02",
        hours(1, 2, 2, *range(3, 25)),
        "2025-11-02T04:00Z",
    ),
    "new-york-spring": (
        "America/New_York",
        "2025-03-09",
        hours(1, 2, *range(4, 25)),
        "2025-03-09T05:00Z",
    ),
    "new-york-autumn-night": (
        "America/New_York",
        "2025-11-02",
        hours(1, 2, 2, 3),
        "2025-11-02T04:00Z",
    ),
    "new-york-spring-night": (
        "America/New_York",
        "2025-03-09",
        hours(1, 2, 4),
        "2025-03-09T05:00Z",
    ),
    "chicago-autumn": ("America/Chicago", "2024-11-03", hours(1, 2, 2, 3), "2024-11-03T05:00Z"),
    "berlin-autumn": (
        "Europe/Berlin",
        "2025-10-26",
        hours(1, 2, 3, 3, *range(4, 25)),
        "2025-10-25T22:00Z",
    ),
    "berlin-spring": ("Europe/Berlin", "2025-03-30", hours(1, 2, 4, 5), "2025-03-29T23:00Z"),
    "lisbon-autumn": ("Europe/Lisbon", "2025-10-26", hours(1, 2, 2, 3), "2025-10-25T23:00Z"),
    "lisbon-spring": ("Europe/Lisbon", "2025-03-30", hours(1, 3, 4), "2025-03-30T00:00Z"),
    "london-spring": ("Europe/London", "2025-03-30", hours(1, 3, 4), "2025-03-30T00:00Z"),
    # the clock at the end
    "new-york-autumn-clock": (
        "America/New_York",
        "2025-11-02",
        hours(1, 1, 2, *range(3, 25)),
        "2025-11-02T04:00Z",
    ),
    "new-york-spring-clock": (
        "America/New_York",
        "2025-03-09",
        hours(1, 3, 4, *range(5, 25)),
        "2025-03-09T05:00Z",
    ),
    "berlin-autumn-clock": (
        "Europe/Berlin",
        "2025-10-26",
        hours(1, 2, 2, 3, *range(4, 25)),
        "2025-10-25T22:00Z",
    ),
    "berlin-spring-clock": ("Europe/Berlin", "2025-03-30", hours(1, 3, 4, 5), "2025-03-29T23:00Z"),
    "lisbon-autumn-clock": ("Europe/Lisbon", "2025-10-26", hours(1, 1, 2, 3), "2025-10-25T23:00Z"),
    # an ordinary day, where both are the same
    "berlin-ordinary": ("Europe/Berlin", "2025-06-01", hours(*range(1, 25)), "2025-05-31T22:00Z"),
}
NIGHTS = {
    f"{name}-{word}": ends(zone, day, labels, begins, order=order)
    for name, (zone, day, labels, begins) in BOTH_WAYS.items()
    for word, order in (("oldest-first", 1), ("newest-first", -1))
}
SHORTER = {
    # 100 and 92 quarters of an hour, in either reading
    "quarters-autumn": ends(
        "Europe/Berlin",
        "2025-10-26",
        [*quarters("00:15", "03:00"), *quarters("02:15", "03:00"), *quarters("03:15", "24:00")],
        "2025-10-25T22:00Z",
        length="15 minutes",
        step=QUARTER,
    ),
    "quarters-autumn-clock": ends(
        "Europe/Berlin",
        "2025-10-26",
        [*quarters("00:15", "02:45"), *quarters("02:00", "24:00")],
        "2025-10-25T22:00Z",
        length="PT15M",
        step=QUARTER,
    ),
    "quarters-autumn-newest-first": ends(
        "America/New_York",
        "2025-11-02",
        [*quarters("00:15", "02:00"), *quarters("01:15", "24:00")],
        "2025-11-02T04:00Z",
        length="15 minutes",
        step=QUARTER,
        order=-1,
    ),
    "quarters-spring": ends(
        "Europe/Berlin",
        "2025-03-30",
        [*quarters("00:15", "02:00"), *quarters("03:15", "24:00")],
        "2025-03-29T23:00Z",
        length="15 minutes",
        step=QUARTER,
    ),
    "quarters-spring-clock": ends(
        "Europe/Berlin",
        "2025-03-30",
        [*quarters("00:15", "01:45"), *quarters("03:00", "24:00")],
        "2025-03-29T23:00Z",
        length="15 minutes",
        step=QUARTER,
    ),
    # clocks that change by half an hour: from 02:00 back to 01:30, and from 02:00 to 02:30
    "lord-howe-autumn": ends(
        "Australia/Lord_Howe",
        "2025-04-06",
        ["00:30", "01:00", "01:30", "02:00", "02:00", "02:30"],
        "2025-04-05T13:00Z",
        length="30 minutes",
        step=HALF,
    ),
    "lord-howe-autumn-clock": ends(
        "Australia/Lord_Howe",
        "2025-04-06",
        ["00:30", "01:00", "01:30", "01:30", "02:00", "02:30"],
        "2025-04-05T13:00Z",
        length="30 minutes",
        step=HALF,
        order=-1,
    ),
    "lord-howe-spring": ends(
        "Australia/Lord_Howe",
        "2025-10-05",
        ["00:30", "01:00", "01:30", "02:00", "03:00", "03:30"],
        "2025-10-04T13:30Z",
        length="30 minutes",
        step=HALF,
    ),
}


def night(of: Iterable[tuple[str, int]], zone: str = "America/New_York", **more: Any) -> Case:
    """Rows with a label and a value, of 2 November 2025 and of the day before."""
    before = labelled("2025-11-01", hours(*range(1, 25)), 500)
    rows = [{"t": f"2025-11-02T{label}", "v": value} for label, value in of]
    return Case(
        Reply.json([*before, *rows]),
        {**PLACES, "period_end": "1 hour", "time_format": "%Y-%m-%dT%H:%M"},
        keys={"timezone": zone},
        **more,
    )


BEFORE = steps("2025-11-01T04:00Z", HOUR, range(500, 524))
NO_READING = {
    # more of one label than either reading has
    "thrice": night(
        [("01:00", 1), ("02:00", 2), ("02:00", 3), ("02:00", 4), ("03:00", 5)],
        stored=BEFORE,
        outcome="partial",
        counts={"rejected": 5},
        says=("2025-11-02",),
    ),
    # both labels doubled: neither
    "two-doubles": night(
        [("01:00", 1), ("01:00", 2), ("02:00", 3), ("02:00", 4), ("03:00", 5)],
        stored=BEFORE,
        outcome="partial",
        counts={"rejected": 5},
    ),
    # 24 labels in spring: one of them stands for nothing in either reading
    "24-in-spring": Case(
        Reply.json(
            [
                *labelled("2025-03-08", hours(*range(1, 25)), 500),
                *labelled("2025-03-09", hours(*range(1, 25))),
                *labelled("2025-03-10", hours(*range(1, 25)), 600),
            ]
        ),
        {**PLACES, "period_end": "1 hour", "time_format": "%Y-%m-%dT%H:%M"},
        {
            **steps("2025-03-08T05:00Z", HOUR, range(500, 524)),
            **steps("2025-03-10T04:00Z", HOUR, range(600, 624)),
        },
        keys={"timezone": "America/New_York"},
        outcome="partial",
        counts={"rejected": 24},
        says=("2025-03-09",),
    ),
}
# 24 labels in autumn: one of two hours is missing, and nothing says which. The first mapping is
# what both readings agree on, the second what one of them has, which may be refused.
LONE = {
    "lone-new-york": (
        night([(label, n) for n, label in enumerate(hours(*range(1, 25)))]),
        {**BEFORE, **steps("2025-11-02T07:00Z", HOUR, range(2, 24))},
        {"2025-11-02T04:00Z": 0.0},
    ),
    "lone-berlin": (
        Case(
            Reply.json(labelled("2025-10-26", hours(*range(1, 25)))),
            {**PLACES, "period_end": "1 hour", "time_format": "%Y-%m-%dT%H:%M"},
            keys={"timezone": "Europe/Berlin"},
        ),
        {"2025-10-25T22:00Z": 0.0, **steps("2025-10-26T02:00Z", HOUR, range(3, 24))},
        {"2025-10-25T23:00Z": 1.0},
    ),
}
ROWS = {
    # a series among others, over two pages, the night cut in two
    "pages": Case(
        [
            Reply.json([{**row, "of": of} for row in part for of in "ab"])
            for part in (
                labelled("2025-11-02", hours(1, 2)),
                labelled("2025-11-02", hours(2, 3, 4), 2),
            )
        ]
        + [Reply.json([])],
        {**PLACES, "period_end": "1 hour", "paging": {"page": "p"}},
        dict.fromkeys("ab", steps("2025-11-02T04:00Z", HOUR, range(5))),
        filters={"a": {"of": "a"}, "b": {"of": "b"}},
        keys={"timezone": "America/New_York"},
    ),
    # pages that come newest first, with their rows oldest first
    "pages-newest-first": Case(
        [
            Reply.json(labelled("2025-11-02", hours(*range(4, 25)), 4)),
            Reply.json(labelled("2025-11-02", hours(1, 2, 2, 3))),
            Reply.json([]),
        ],
        {
            **PLACES,
            "period_end": "1 hour",
            "paging": {"page": "p"},
            "time_format": "%Y-%m-%dT%H:%M",
        },
        steps("2025-11-02T04:00Z", HOUR, range(25)),
        keys={"timezone": "America/New_York"},
    ),
    # ISO-NE, NYISO: hours in a column of their own
    "table": Case(
        table(
            "Date,HE,MW",
            *(f"11/02/2025,{hour:02},{n}" for n, hour in enumerate([1, 2, 2, *range(3, 25)])),
        ),
        {
            "ts": ["Date", "HE"],
            "time_format": "%m/%d/%Y %H",
            "value": "MW",
            "period_end": "1 hour",
        },
        steps("2025-11-02T04:00Z", HOUR, range(25)),
        kind="Csv",
        keys={"timezone": "America/New_York"},
    ),
    # offsets decide where they are written, whatever the order
    "offsets": Case(
        Reply.json(
            [
                {"t": "2025-11-02T02:00:00-05:00", "v": 2},
                {"t": "2025-11-02T01:00:00-04:00", "v": 0},
                {"t": "2025-11-02T01:00:00-05:00", "v": 1},
            ]
        ),
        {**PLACES, "period_end": "1 hour"},
        steps("2025-11-02T04:00Z", HOUR, range(3)),
        keys={"timezone": "America/New_York"},
    ),
    # both clock changes of a year, and the days between, in one answer
    "a-year": Case(
        Reply.json(
            [
                *labelled("2025-03-09", hours(1, 2, *range(4, 25))),
                *labelled("2025-03-10", hours(*range(1, 25)), 23),
                *labelled("2025-11-02", hours(1, 2, 2, *range(3, 25)), 100),
            ]
        ),
        {**PLACES, "period_end": "1 hour", "time_format": "%Y-%m-%dT%H:%M"},
        {
            **steps("2025-03-09T05:00Z", HOUR, range(47)),
            **steps("2025-11-02T04:00Z", HOUR, range(100, 125)),
        },
        keys={"timezone": "America/New_York"},
    ),
}
CASES = NIGHTS | SHORTER | NO_READING | {name: case for name, (case, _, _) in LONE.items()} | ROWS


@pytest.mark.parametrize("name", NIGHTS)
def test_every_hour_of_a_clock_change_has_its_place(
    results: Mapping[str, Result], name: str
) -> None:
    """In either reading of the labels, oldest first and newest first alike."""
    results[name].check()


@pytest.mark.parametrize("name", SHORTER)
def test_so_has_every_shorter_interval(results: Mapping[str, Result], name: str) -> None:
    """Quarters of an hour, and clocks that change by half an hour."""
    results[name].check()


@pytest.mark.parametrize("name", NO_READING)
def test_a_day_that_fits_no_reading_is_refused(results: Mapping[str, Result], name: str) -> None:
    """None of its labels is stored, as any may be an hour off; other days are. The run names it."""
    results[name].check()


@pytest.mark.parametrize("name", LONE)
def test_a_lone_label_of_a_doubled_hour_is_refused(
    results: Mapping[str, Result], name: str
) -> None:
    """What both readings agree on is stored, nothing at a wrong time, and the run is partial."""
    _, certain, possible = LONE[name]
    result = results[name]
    assert result.run["outcome"] == "partial"
    assert result.run["rejected"] >= 1
    assert certain.items() <= result.stored.items()
    assert result.stored.items() <= {**certain, **possible}.items()


@pytest.mark.parametrize("name", ROWS)
def test_ends_in_pages_tables_and_with_offsets(results: Mapping[str, Result], name: str) -> None:
    """The labels of a series belong together, however they come."""
    results[name].check()
