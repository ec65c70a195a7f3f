"""Market documents as text, and their curves as intervals: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.entsoe_files import by_position, document, period, series

from dataportal.errors import BadDataError
from dataportal.plugins.data_sources.entsoe_plugin import curves as market_curves
from dataportal.plugins.data_sources.entsoe_plugin.areas import AREAS, check_character, find_area
from dataportal.plugins.data_sources.entsoe_plugin.curves import interval_length
from dataportal.plugins.data_sources.entsoe_plugin.documents import Period, read_document
from dataportal.plugins.data_sources.entsoe_plugin.series import RESOLUTIONS
from dataportal.plugins.http.response import Answer
from dataportal.plugins.readers.times import Window

BERLIN, LONDON, HELSINKI = (ZoneInfo(f"Europe/{name}") for name in ("Berlin", "London", "Helsinki"))
START = datetime(2025, 1, 1, tzinfo=UTC)
STEPS = {"PT1M": 1, "PT15M": 15, "PT30M": 30, "PT60M": 60}

ALWAYS = Window("0001-01-01T00:00:00Z", None)
SOME = st.dictionaries(st.integers(1, 96), st.integers(-999, 999).map(str), max_size=96)


def intervals(
    period: Period, value: str, zones: list[ZoneInfo], window: Window = ALWAYS, *, by: str = ""
) -> list[tuple[datetime, str, str]]:
    """All of them at once."""
    return [
        (start, text, kind)
        for start, _, text, kind in market_curves.intervals(period, value, zones, window, by=by)
    ]


def of(points: dict[int, str], count: int, resolution: str, curve: str) -> Period:
    """A Period of so many intervals."""
    end = START + count * timedelta(minutes=STEPS[resolution])
    rows = [(position, {"quantity": value}) for position, value in points.items()]
    return Period(START, end, resolution, curve, rows)


@given(points=SOME, resolution=st.sampled_from(list(STEPS)))
def test_a01_has_what_is_said_and_nothing_else(points: dict[int, str], resolution: str) -> None:
    """Each Point at start + (position - 1) lengths; a position left out has no value."""
    step = timedelta(minutes=STEPS[resolution])
    result = intervals(of(points, 96, resolution, "A01"), "quantity", [BERLIN])
    expected = [(START + (at - 1) * step, value, "") for at, value in sorted(points.items())]
    assert result == expected


@given(points=SOME, count=st.integers(96, 130), resolution=st.sampled_from(list(STEPS)))
def test_a03_goes_on_to_the_end_of_the_period(
    points: dict[int, str], count: int, resolution: str
) -> None:
    """Every interval from the first Point to the end has the value of the last Point so far."""
    step = timedelta(minutes=STEPS[resolution])
    result = intervals(of(points, count, resolution, "A03"), "quantity", [BERLIN])
    first = min(points, default=count + 1)
    expected = [
        (START + (at - 1) * step, points[max(p for p in points if p <= at)], "")
        for at in range(first, count + 1)
    ]
    assert result == expected


@given(
    points=SOME,
    curve=st.sampled_from(["A01", "A03"]),
    resolution=st.sampled_from([*STEPS, "P1D"]),
    low=st.integers(-100, 9000),
    size=st.integers(0, 9000),
)
def test_a_window_leaves_out_what_lies_outside(
    points: dict[int, str], curve: str, resolution: str, low: int, size: int
) -> None:
    """As if everything were read and then sorted out, to the minute."""
    rows = [(position, {"quantity": value}) for position, value in points.items()]
    end = START + 100 * timedelta(minutes=STEPS.get(resolution, 24 * 60))
    period = Period(START, end, resolution, curve, rows)
    begin = START + timedelta(minutes=low)
    until = begin + timedelta(minutes=size)
    window = Window(begin.isoformat(), until.isoformat())
    length = timedelta(minutes=STEPS.get(resolution, 24 * 60))
    everything = intervals(period, "quantity", [ZoneInfo("UTC")])
    assert intervals(period, "quantity", [ZoneInfo("UTC")], window) == [
        interval for interval in everything if begin - length < interval[0] < until
    ]


def test_a_period_without_end_costs_no_more_than_the_window() -> None:
    """A value that goes on for thousands of years, minute by minute."""
    market_period = Period(START, START.replace(year=9999), "PT1M", "A03", [(1, {"quantity": "1"})])
    window = Window("2025-06-01T00:00:00Z", "2025-06-01T01:00:00Z")
    assert len(intervals(market_period, "quantity", [BERLIN], window)) == 60


@given(
    day=st.dates(datetime(2015, 1, 1).date(), datetime(2037, 12, 1).date()),  # noqa: DTZ001
    days=st.integers(1, 400),
    zone=st.sampled_from([BERLIN, LONDON, HELSINKI]),
)
def test_days_begin_at_midnight_whatever_the_clocks_do(
    day: datetime, days: int, zone: ZoneInfo
) -> None:
    """A day is a day of the area's calendar: 23, 24 or 25 hours."""
    first = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local
    midnights = [
        (first + timedelta(days=n)).replace(tzinfo=zone).astimezone(UTC) for n in range(days + 1)
    ]
    points = [(n, {"quantity": str(n)}) for n in range(1, days + 1)]
    market_period = Period(midnights[0], midnights[-1], "P1D", "A01", points)
    result = intervals(market_period, "quantity", [zone, BERLIN])
    assert [instant for instant, _, _ in result] == midnights[:-1]


def test_the_zone_is_the_one_whose_midnights_fit() -> None:
    """Days of the Finnish area that begin in Brussels are cut as in Brussels."""
    start, end = datetime(2025, 3, 28, 23, tzinfo=UTC), datetime(2025, 3, 31, 22, tzinfo=UTC)
    market_period = Period(start, end, "P1D", "A03", [(1, {"quantity": "5"})])
    starts = [instant for instant, _, _ in intervals(market_period, "quantity", [HELSINKI, BERLIN])]
    assert starts == [start, start + timedelta(days=1), end - timedelta(days=1)]


@pytest.mark.parametrize(
    ("resolution", "starts"),
    [
        ("P7D", ["2024-12-31T23:00", "2025-01-07T23:00", "2025-01-14T23:00"]),
        ("P1M", ["2024-12-31T23:00", "2025-01-31T23:00", "2025-02-28T23:00", "2025-03-31T22:00"]),
        ("P1Y", ["2024-12-31T23:00"]),
    ],
)
def test_weeks_months_and_years_follow_the_calendar(resolution: str, starts: list[str]) -> None:
    """In the days of the area, across the change of clocks."""
    first = datetime(2024, 12, 31, 23, tzinfo=UTC)
    end = {
        "P7D": datetime(2025, 1, 21, 23, tzinfo=UTC),
        "P1M": datetime(2025, 4, 30, 22, tzinfo=UTC),
        "P1Y": datetime(2025, 12, 31, 23, tzinfo=UTC),
    }[resolution]
    market_period = Period(first, end, resolution, "A03", [(1, {"quantity": "5"})])
    result = intervals(market_period, "quantity", [BERLIN])
    assert [f"{start:%Y-%m-%dT%H:%M}" for start, _, _ in result] == starts


def test_a_month_that_begins_on_its_last_day_stays_within_the_year() -> None:
    """Months are as long as they are."""
    start, end = datetime(2025, 1, 30, 23, tzinfo=UTC), datetime(2025, 4, 29, 22, tzinfo=UTC)
    market_period = Period(start, end, "P1M", "A03", [(1, {"quantity": "5"})])
    starts = [
        f"{instant.astimezone(BERLIN):%d %b}"
        for instant, _, _ in intervals(market_period, "quantity", [BERLIN])
    ]
    assert starts == ["31 Jan", "28 Feb", "31 Mar"]


def test_points_of_two_kinds_are_two_curves() -> None:
    """Each goes on for itself, as the prices of two categories do."""
    kinds = [("A04", "1"), ("A05", "2"), ("A04", "3")]
    points = [
        (at, {"price": market_period, "kind": kind})
        for at, (kind, market_period) in zip((1, 1, 3), kinds, strict=True)
    ]
    market_period = Period(START, START + timedelta(hours=3), "PT60M", "A03", points)
    result = intervals(market_period, "price", [BERLIN], by="kind")
    assert [(value, kind) for _, value, kind in result] == [
        *(("1", "A04"), ("1", "A04"), ("3", "A04")),
        *(("2", "A05"), ("2", "A05"), ("2", "A05")),
    ]


def test_points_that_change_their_kind_are_one_curve() -> None:
    """A position that occurs once has one value: that of another kind ends the one before."""
    points = [
        (1, {"price": "1", "kind": "A04"}),
        (3, {"price": "2", "kind": "A05"}),
    ]
    market_period = Period(START, START + timedelta(hours=4), "PT60M", "A03", points)
    result = [
        (value, kind) for _, value, kind in intervals(market_period, "price", [BERLIN], by="kind")
    ]
    assert result == [("1", "A04"), ("1", "A04"), ("2", "A05"), ("2", "A05")]


@pytest.mark.parametrize(
    ("market_period", "reason"),
    [
        (Period(START, START + timedelta(hours=1), "PT60M", "A04", []), "curve type 'A04'"),
        (Period(START, START + timedelta(hours=1), "PT0M", "A01", []), "resolution 'PT0M'"),
        (Period(START, START + timedelta(hours=1), "1 hour", "A01", []), "resolution '1 hour'"),
        (
            Period(START, START + timedelta(hours=1), "PT60M", "A01", [(2, {"quantity": "1"})]),
            "position 2 in a Period of 1 intervals",
        ),
        (
            Period(START, START + timedelta(hours=1), "PT60M", "A01", [(1, {"price": "1"})]),
            "without quantity",
        ),
        (Period(START, START.replace(year=9999), "P1D", "A03", []), "more than 100,000 days"),
        (
            Period(
                START.replace(year=9999, month=12),
                START.replace(year=9999, month=12, day=31, hour=23),
                "P1M",
                "A03",
                [],
            ),
            "beyond the calendar",
        ),
    ],
)
def test_a_curve_that_makes_no_sense_says_why(market_period: Period, reason: str) -> None:
    """It is refused, and never guessed."""
    with pytest.raises(ValueError, match=reason):
        intervals(market_period, "quantity", [BERLIN])


def test_resolutions_are_ordered_by_length() -> None:
    """Every one that can be asked for is known, and those listed later are longer."""
    assert [*map(interval_length, RESOLUTIONS)] == sorted(map(interval_length, RESOLUTIONS))


def answer(body: bytes) -> Answer:
    """An answer with that body."""
    return Answer(200, "http://127.0.0.1/api", {}, body)


def test_everything_that_a_series_says_is_kept() -> None:
    """By local name, and by path for what lies deeper; namespaces do not matter."""
    body = document(
        series(
            period("2025-01-01T00:00Z", "2025-01-01T02:00Z", "PT60M", by_position([1, 2])),
            psr="B16",
            businessType="A01",
            inside="10YFR-RTE------C",
        )
    )
    market_document = read_document(body, answer(body))
    assert market_document.kind == "GL_MarketDocument"
    assert market_document.created == ("2025-01-01T00:00:00Z", 1)
    (market_series,) = market_document.series
    assert market_series.identity == {
        "businessType": "A01",
        "inBiddingZone_Domain.mRID": "10YFR-RTE------C",
        "MktPSRType/psrType": "B16",
    }
    assert market_series.periods == [
        Period(
            START,
            START + timedelta(hours=2),
            "PT60M",
            "A01",
            [(1, {"quantity": "1"}), (2, {"quantity": "2"})],
        )
    ]


def test_a_series_alone_is_a_document() -> None:
    """With everything in it."""
    text = series(
        period("2025-01-01T00:00Z", "2025-01-01T02:00Z", "PT60M", by_position([1, 2])), psr="B16"
    )
    alone = read_document(text.encode(), answer(b""))
    assert alone.series == read_document(document(text), answer(b"")).series


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    b"<GL_MarketDocument>&b;</GL_MarketDocument>"
)
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    b"<GL_MarketDocument>&a;</GL_MarketDocument>"
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not XML"),
        (b"no data", "is not XML"),
        (document()[:-5], "is not XML"),
        (b"\xff\xfe<a", "is not XML"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "is XML that is not read|is not XML"),
        (BOMB, r"is XML that is not read \(EntitiesForbidden\)"),
        (OUTSIDE, r"is XML that is not read \(EntitiesForbidden\)"),
        (b"<html><body>sorry</body></html>", "is no market document but <html>"),
        (document("<TimeSeries>" + "<a>" * 9000 + "</a>" * 9000 + "</TimeSeries>"), "nested too"),
        (document(series("<Period/>")), "a Period without a timeInterval"),
        (document(series("<Period><timeInterval/></Period>")), "<timeInterval> has no <start>"),
        (
            document(series(period("2025-01-01", "2025-01-02T00:00Z", "PT60M", {}))),
            "start is '2025-01-01', not a time in UTC",
        ),
        (
            document(series(period("2025-01-02T00:00Z", "2025-01-02T00:00Z", "PT60M", {}))),
            "where it begins or before",
        ),
        (
            document(series(period("2025-01-01T00:00Z", "2025-01-02T00:00Z", "PT60M", {0: 1}))),
            "a Point with the position '0'",
        ),
        (
            document(
                series("<Period><Point><position>" + "9" * 5000 + "</position></Point></Period>")
            ),
            "a Point with the position '9999",
        ),
        (
            document(series("<Period><Point><position>x</position></Point></Period>")),
            "a Point with the position 'x'",
        ),
    ],
)
def test_what_is_no_market_document_is_refused(body: bytes, reason: str) -> None:
    """With the reason and the beginning of the answer; entities are never unfolded."""
    with pytest.raises(BadDataError, match=reason) as caught:
        read_document(body, answer(body))
    assert "http://127.0.0.1/api" in str(caught.value)


@given(st.binary(max_size=300))
def test_nonsense_is_bad_data_and_nothing_else(body: bytes) -> None:
    """Whatever the bytes."""
    with pytest.raises(BadDataError):
        read_document(body, answer(body))


@given(cut=st.integers(0, 400))
def test_a_cut_document_is_never_read(cut: int) -> None:
    """However much of it has arrived."""
    whole = document(series(period("2025-01-01T00:00Z", "2025-01-01T01:00Z", "PT60M", {1: 1})))
    with pytest.raises(BadDataError):
        read_document(whole[: min(cut, len(whole) - 1)], answer(b""))


def test_every_code_is_right() -> None:
    """No area twice, the last character of each checks the others, and its zone exists."""
    codes = [area.code for area in AREAS.values()]
    assert len(set(codes)) == len(codes)
    assert all(check_character(code[:-1]) == code[-1] for code in codes)
    assert all(ZoneInfo(area.zone) for area in AREAS.values())


def test_areas_are_found_by_name_and_by_code() -> None:
    """In either spelling; a code that is not listed is taken if its last character is right."""
    assert find_area("de_lu") == find_area("DE-LU") == find_area("10Y1001A1001A82H")
    assert find_area("10YCY-1001A0003J").code == "10YCY-1001A0003J"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("DE-LUX", "did you mean 'DE-LU'"),
        ("Atlantis", "known: DE-LU"),
        ("10Y1001A1001A82X", "its last character is wrong"),
        ("10Y1001A1001A28H", "its last character is wrong"),
    ],
)
def test_an_area_that_does_not_exist_is_named(text: str, reason: str) -> None:
    """Two characters changed places, or a letter too many."""
    with pytest.raises(ValueError, match=reason):
        find_area(text)
