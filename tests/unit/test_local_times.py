"""Local times to instants, on days when the clocks change and wherever they ever did."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dataportal.local_times import (
    ClockChanges,
    LocalTime,
    instants_of,
    instants_of_quiet_days,
    numbered_days,
    resolve,
)
from dataportal.observations import clean
from dataportal.plugins.declarative.time_axis import days_near

if TYPE_CHECKING:
    from dataportal.observations import Batch

BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN = datetime(2025, 10, 25, 22, tzinfo=UTC)  # midnight in Berlin, of a day of 25 hours
SPRING = datetime(2025, 3, 29, 23, tzinfo=UTC)  # of a day of 23 hours
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE

CHANGES = {
    "Europe/Berlin": ["2025-03-30T01:00Z", "2025-10-26T01:00Z", "1945-05-24T00:00Z"],
    "Australia/Lord_Howe": ["2025-04-05T15:00Z", "2025-10-04T15:30Z"],  # by half an hour
    "America/Caracas": ["2007-12-09T07:00Z", "2016-05-01T07:00Z"],  # by half an hour, for good
    "Asia/Kathmandu": ["1985-12-31T18:30Z"],  # by a quarter of an hour
    "Africa/Monrovia": ["1972-01-07T00:44:30Z"],  # seconds in the offset before
    "America/New_York": ["1883-11-18T17:00Z", "2025-11-02T06:00Z"],  # from local mean time
    "Pacific/Apia": ["2011-12-30T10:00Z"],  # no 30 December
    "America/Juneau": ["1867-10-19T00:00Z"],  # one date twice
    "Europe/Dublin": ["2025-10-26T01:00Z"],  # winter time is the exception there
}
ALL_CHANGES = [
    (ZoneInfo(name), datetime.fromisoformat(c)) for name, cs in CHANGES.items() for c in cs
]
ENDS = [instant.replace(tzinfo=None) for instant in (EARLIEST, LATEST)]
STEPS = st.sampled_from([5, 10, 15, 30, 60]).map(lambda minutes: minutes * MINUTE)


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks show."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def reference_instants(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """Every instant at which the clocks show it, by trying each offset of the days around."""
    about = local.replace(tzinfo=UTC)
    offsets = {(about + n * HOUR).astimezone(zone).utcoffset() for n in range(-60, 61)}
    tried = {about - offset for offset in offsets if offset is not None}
    return sorted(instant for instant in tried if wall(instant, zone) == local)


def quarters(start: datetime, hours: int) -> list[datetime]:
    """The instants of a day in steps of 15 minutes."""
    return [start + n * 15 * MINUTE for n in range(4 * hours)]


def clean_points(points: list[dict[str, Any]], zone: ZoneInfo | None = BERLIN) -> Batch:
    """The points of a series `a` as a clean batch."""
    return clean({"a": points}, series=["a"], start=None, end=None, zone=zone)


def local_points(instants: list[datetime], zone: ZoneInfo = BERLIN) -> list[dict[str, Any]]:
    """Points with local times and, as their values, the hours since the epoch."""
    return [{"ts": wall(t, zone).isoformat(), "value": t.timestamp() / 3600} for t in instants]


@given(st.sampled_from(ALL_CHANGES), st.integers(-1600, 1600))
def test_instants_of_a_local_time(change: tuple[ZoneInfo, datetime], minutes: int) -> None:
    """None, one or two, in order: each instant at which the clocks show it, and no other."""
    zone, instant = change
    for offset in (zone.utcoffset(instant - 30 * HOUR), zone.utcoffset(instant + 30 * HOUR)):
        assert offset is not None
        local = instant.replace(tzinfo=None) + offset + minutes * MINUTE
        assert list(instants_of(local, zone)) == reference_instants(local, zone)


@given(st.datetimes() | st.sampled_from(ENDS), st.sampled_from(ALL_CHANGES))
def test_instants_of_any_local_time(local: datetime, change: tuple[ZoneInfo, datetime]) -> None:
    """From the first to the last of the calendar: an instant that shows it, or none."""
    for instant in instants_of(local, change[0]):
        assert instant.tzinfo is UTC
        assert wall(instant, change[0]) == local


@given(st.sampled_from(ALL_CHANGES), st.integers(0, 40), st.integers(0, 40), st.integers(1, 3))
def test_days_without_a_change_in_between_keep_their_offset(
    change: tuple[ZoneInfo, datetime], before: int, after: int, step: int
) -> None:
    """Wherever no day is found near a change among many, each local time is one instant."""
    zone, instant = change
    first = wall(instant, zone).date() - before * timedelta(days=1)
    length = before + after
    ordered = [
        datetime.combine(first + n * timedelta(days=1), time(minute=30)) + hour * HOUR
        for n in range(0, length + 1, step)
        for hour in range(0, 24, 6)
    ]
    near = set(days_near(ordered, ClockChanges(zone)))
    assert near <= {ts.date() for ts in ordered}
    for ts in ordered:
        if ts.date() not in near:
            assert len(instants_of(ts, zone)) == 1


@pytest.mark.slow
@given(
    st.sampled_from(ALL_CHANGES),
    STEPS,
    st.integers(-60, 0),
    st.integers(1, 60),
    st.booleans(),
    st.data(),
)
def test_a_run_of_local_times_is_told_apart_by_its_order(
    change: tuple[ZoneInfo, datetime],
    step: timedelta,
    before: int,
    after: int,
    descending: bool,  # noqa: FBT001 - drawn
    data: st.DataObject,
) -> None:
    """Ascending or descending: each is the instant it was written from; a lone one of two is none.

    Whatever stands between them with an offset, or without a time, changes nothing.
    """
    zone, instant = change
    run = [instant + n * step for n in range(before, after)]
    walls = [wall(instant, zone) for instant in run]
    candidates = {local: reference_instants(local, zone) for local in walls}
    assume(any(len(instants) == 1 for instants in candidates.values()))
    if descending:
        run.reverse()
        walls.reverse()
    foreign = data.draw(st.dictionaries(st.integers(0, len(run) - 1), st.booleans(), max_size=3))
    instants: list[datetime | LocalTime | None] = [LocalTime(local) for local in walls]
    for position, is_aware in foreign.items():
        instants[position] = run[position] if is_aware else None
    there = dict.fromkeys(walls, 0)
    for item in instants:
        if isinstance(item, LocalTime):
            there[item.wall] += 1
    for position, resolved in enumerate(resolve(instants, zone)):
        local = walls[position]
        if position in foreign:
            assert resolved == instants[position]
        elif len(candidates[local]) in {1, there[local]}:
            assert resolved == run[position]
        else:
            assert isinstance(resolved, LocalTime)
            assert "occurs twice" in resolved.reason


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("start", "hours"), [(AUTUMN, 25), (SPRING, 23), (AUTUMN + 25 * HOUR, 24)], ids=str
)
@pytest.mark.parametrize("step", [1, 4])
def test_a_day_in_berlin(start: datetime, hours: int, step: int, *, descending: bool) -> None:
    """25, 23 and 24 hours, 100, 92 and 96 quarters; oldest or newest first; each its own value."""
    day = quarters(start, hours)[::step]
    points = local_points(day[::-1] if descending else day)
    batch = clean_points(points)
    assert batch.series["a"].ts == day
    assert batch.series["a"].values == [instant.timestamp() / 3600 for instant in day]
    assert (batch.received, batch.rejected, batch.duplicates) == (len(day), 0, 0)
    assert len(day) == hours * 4 // step


@pytest.mark.parametrize(
    ("order", "hours"),
    [
        (["03:00", "02:00", "02:00"], [2, 1, 0]),
        (["02:00", "02:00", "01:00"], [1, 0, -1]),
        (["01:00", "02:00", "02:00"], [-1, 0, 1]),
        (["02:00", "02:00", "03:00"], [0, 1, 2]),
        (["02:00", "02:00"], [0, 1]),
        (["02:30", "02:00", "02:30", "02:00"], [1.5, 1, 0.5, 0]),
        (["02:00", "02:30", "02:00", "02:30"], [0, 0.5, 1, 1.5]),
    ],
    ids=lambda order: "-".join(map(str, order)),
)
def test_a_short_answer_tells_its_order_too(order: list[str], hours: list[float]) -> None:
    """Even with one other time, or none; of nothing but the pair the first is the earlier."""
    midnight = datetime(2025, 10, 26, tzinfo=UTC)
    instants = [LocalTime(datetime.fromisoformat(f"2025-10-26T{text}")) for text in order]
    assert resolve(instants, BERLIN) == [midnight + h * HOUR for h in hours]


def test_pages_that_come_newest_first_with_their_points_oldest_first() -> None:
    """The steps from point to point tell the order, not the first and the last."""
    pages = quarters(AUTUMN - 24 * HOUR, 24), quarters(AUTUMN, 25)
    batch = clean_points(local_points(pages[1]) + local_points(pages[0]))
    assert batch.series["a"].ts == [*pages[0], *pages[1]]
    assert batch.series["a"].values == [t.timestamp() / 3600 for t in batch.series["a"].ts]


def test_a_local_time_that_does_not_exist_is_rejected() -> None:
    """The hour that the clocks skip, by its position, saying so; the rest is kept."""
    points = local_points(quarters(SPRING, 23))
    points.insert(8, {"ts": "2025-03-30T02:30", "value": 1.0})
    batch = clean_points(points)
    (rejection,) = batch.rejections
    assert rejection.position == 8
    assert rejection.reason == "2025-03-30T02:30 does not exist in Europe/Berlin"
    assert batch.series["a"].ts == quarters(SPRING, 23)


@pytest.mark.parametrize("times", [1, 3, 4])
def test_a_local_time_of_two_that_is_not_there_twice_is_rejected(times: int) -> None:
    """Alone, or more often than it occurred: nobody can tell which is meant."""
    same = [{"ts": "2025-10-26T02:15", "value": float(n)} for n in range(times)]
    batch = clean_points([{"ts": "2025-10-26T01:00", "value": 0.0}, *same])
    assert batch.rejected == times
    assert all("occurs twice in Europe/Berlin" in r.reason for r in batch.rejections)
    assert batch.series["a"].ts == [AUTUMN + HOUR]


def test_a_point_without_a_usable_value_still_tells_which_hour_its_twin_means() -> None:
    """The first 02:15 is rejected for its value; the second is still the later one."""
    points: list[dict[str, Any]] = [
        {"ts": "2025-10-26T02:15", "value": "n/a"},
        {"ts": "2025-10-26T02:15", "value": 7.0},
        {"ts": "2025-10-26T03:00", "value": 8.0},
    ]
    batch = clean_points(points)
    assert [r.position for r in batch.rejections] == [0]
    assert batch.series["a"].ts == [AUTUMN + 3.25 * HOUR, AUTUMN + 4 * HOUR]
    assert batch.series["a"].values == [7.0, 8.0]


def test_half_an_hour_that_occurs_twice() -> None:
    """On Lord Howe Island the clocks change by 30 minutes: 98 quarters, and 94."""
    zone = ZoneInfo("Australia/Lord_Howe")
    for start, count in (
        (datetime(2025, 4, 5, 13, tzinfo=UTC), 98),
        (datetime(2025, 10, 4, 13, 30, tzinfo=UTC), 94),
    ):
        day = [start + n * 15 * MINUTE for n in range(count)]
        assert {wall(t, zone).date() for t in day} == {wall(start, zone).date()}
        assert wall(day[-1] + 15 * MINUTE, zone).date() > wall(start, zone).date()
        batch = clean_points(local_points(day, zone), zone)
        assert batch.series["a"].ts == day
        assert batch.rejected == 0


def test_explicit_offsets_need_no_order() -> None:
    """Both 02:15 in any order, with a zone or without one."""
    points = [
        {"ts": "2025-10-26T02:15+01:00", "value": 2.0},
        {"ts": "2025-10-26T02:15+02:00", "value": 1.0},
        {"ts": datetime(2025, 10, 26, 2, 30, tzinfo=BERLIN, fold=1), "value": 4.0},
        {"ts": datetime(2025, 10, 26, 2, 30, tzinfo=BERLIN), "value": 3.0},
    ]
    for zone in (BERLIN, None):
        batch = clean_points(points, zone)
        assert batch.series["a"].ts == [AUTUMN + h * HOUR for h in (2.25, 2.5, 3.25, 3.5)]
        assert batch.series["a"].values == [1.0, 3.0, 2.0, 4.0]


def test_local_times_without_a_zone_are_all_rejected() -> None:
    """Nothing is guessed, not even UTC."""
    batch = clean_points(local_points(quarters(AUTUMN, 25)), None)
    assert (batch.received, batch.rejected) == (100, 100)
    assert all("has no offset" in r.reason for r in batch.rejections)


@pytest.mark.parametrize(
    ("values", "stored", "duplicates", "rejected"),
    [
        ([5, 5], [5, 5], 0, 0),
        ([1, 1, 2, 2], [1, 2], 2, 0),
        ([1, 2, 1, 2], [1, 2], 2, 0),
        ([1, 2, 2], [1, 2], 1, 0),
        ([1, 1, 1], [], 2, 1),
        ([1, 2, 3], [], 0, 3),
        ([None, None, 4], [None, 4], 1, 0),
    ],
)
def test_points_of_any_plugin_that_come_too_often_count_once(
    values: list[Any], stored: list[float | None], duplicates: int, rejected: int
) -> None:
    """Where the clocks show a time twice, and it is there three times and more, equal ones are one.

    What stays open then is refused.
    """
    batch = clean_points([{"ts": "2025-10-26T02:30", "value": value} for value in values])
    hours = ["2025-10-26T00:30+00:00", "2025-10-26T01:30+00:00"]
    expected = dict(zip(hours[: len(stored)], stored, strict=True))
    kept = {
        ts.isoformat(timespec="minutes"): value
        for ts, value in zip(batch.series["a"].ts, batch.series["a"].values, strict=True)
    }
    assert kept == expected
    assert (batch.duplicates, batch.rejected) == (duplicates, rejected)
    assert batch.received == len(values)


def test_publications_of_a_doubled_hour_are_kept_apart() -> None:
    """Rows that differ in their publication alone do not repeat one another."""
    points = [
        {"ts": "2025-10-26T02:30", "value": 1, "published_at": f"2025-10-27T0{hour}:00Z"}
        for hour in (1, 1, 2)
    ]
    batch = clean_points(points)
    assert (batch.duplicates, batch.rejected) == (1, 0)
    assert len(batch.series["a"].vintages or ()) == 2


@given(st.sampled_from(ALL_CHANGES), st.lists(st.integers(-6000, 6000), min_size=1, max_size=40))
def test_whole_columns_are_the_same_instants(
    change: tuple[ZoneInfo, datetime], minutes: list[int]
) -> None:
    """On days without a change each local time is the one instant that shows it; else none is told.

    No day counts as quiet on which a time occurs twice, or does not exist.
    """
    zone, instant = change
    offset = zone.utcoffset(instant)
    assert offset is not None
    local = [instant.replace(tzinfo=None) + offset + m * MINUTE for m in minutes]
    instants = [reference_instants(ts, zone) for ts in local]
    columns = instants_of_quiet_days(local, zone)
    if columns is None:
        changes = ClockChanges(zone)
        assert any(changes.touch(ts.date()) for ts in local)
    else:
        assert [[ts] for ts in columns] == instants


@given(
    st.sampled_from(
        [
            ("Europe/Berlin", "2025-03-30"),
            ("America/New_York", "2025-03-09"),
            ("Australia/Lord_Howe", "2025-10-05"),  # of 23 hours and a half
            ("America/Sao_Paulo", "2018-11-04"),  # begins at 01:00
        ]
    ),
    st.sampled_from([15, 30, 60]),
    st.booleans(),
)
def test_numbers_of_a_shorter_day_are_told(
    day_in: tuple[str, str],
    minutes: int,
    from_one: bool,  # noqa: FBT001 - drawn
) -> None:
    """As many labels as it has intervals, at equal distances, one of which the clocks skip."""
    zone, day, step = ZoneInfo(day_in[0]), date.fromisoformat(day_in[1]), minutes * MINUTE
    midnight, following = (datetime.combine(day + n * 24 * HOUR, time()) for n in (0, 1))
    begin, end = (ts.replace(tzinfo=zone).astimezone(UTC) for ts in (midnight, following))
    count, rest = divmod(end - begin, step)
    assume(not rest)
    labels = [midnight + (n + from_one) * step for n in range(count)]
    skipped = [label for label in labels if not reference_instants(label, zone)]
    changes = ClockChanges(zone)
    assert (day in numbered_days(((day, label) for label in labels), changes)) == bool(skipped)
    # one more, or one less, and they are what a clock shows, with a label too many
    for others in (labels[:-1], [*labels, labels[-1] + step]):
        assert not numbered_days(((day, label) for label in others), changes)


def test_an_hour_of_24_tells_numbers_of_a_day_of_25_hours() -> None:
    """From 0 to 24, each once; not where the doubled hour is there twice, as clocks show it."""
    day = AUTUMN.astimezone(BERLIN).date()
    labels = [datetime.combine(day, time()) + n * HOUR for n in range(25)]
    changes = ClockChanges(BERLIN)
    (fault,) = numbered_days(((day, label) for label in labels), changes).values()
    assert "25 intervals of 1 hour" in fault
    assert "00:00 to 24:00" in fault
    clock = [*labels, datetime.combine(day, time(2))]
    assert not numbered_days(((day, label) for label in clock), changes)
    assert not numbered_days(((day, label) for label in labels[:-1]), changes)
    # twice as a whole they are numbers still
    assert day in numbered_days(((day, label) for label in labels * 2), changes)
