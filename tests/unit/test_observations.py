"""Raw answers against a slow reference that looks at one point at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.raw_answers import DAY, HOUR, MISSING, SHAPES, Degrees, as_dicts, clean_batch

from dataportal.errors import PermanentError
from dataportal.observations import Batch, _clean_point_by_point, _Window, clean
from dataportal.raw_points import raw_points
from dataportal.repetitions import Repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.raw_answers import Point

EVERYTHING = _Window(None, None, None, None)
BERLIN = ZoneInfo("Europe/Berlin")


class Refused(Exception):  # noqa: N818 - what becomes of a point, not a fault
    """The reference takes no such time or value."""


@dataclass
class Expected:
    """What the reference makes of the points of one series."""

    kept: dict[datetime, float | None] = field(default_factory=dict)
    duplicates: int = 0
    nulls: int = 0
    outside: int = 0
    rejected: list[int] = field(default_factory=list)


def reference(
    points: list[Point], start: datetime | None, end: datetime | None, zone: ZoneInfo | None
) -> Expected:
    """Each point by itself: refused, outside, or taken; then those of one time must agree."""
    expected = Expected()
    points_at: dict[datetime, list[tuple[int, float | None]]] = {}
    for position, (raw_ts, raw_value) in enumerate(points):
        try:
            ts, value = reference_time(raw_ts, zone), reference_value(raw_value)
        except Refused:
            expected.rejected.append(position)
            continue
        if (start is not None and ts < start) or (end is not None and not ts < end):
            expected.outside += 1
            continue
        points_at.setdefault(ts, []).append((position, value))
    for ts, taken in points_at.items():
        numbers = [(position, value) for position, value in taken if value is not None]
        expected.nulls += len(taken) - len(numbers) if numbers else 0
        if len({value for _, value in numbers}) > 1:
            expected.rejected += [position for position, _ in numbers]
            continue
        expected.kept[ts] = (numbers or taken)[0][1]
        expected.duplicates += len(numbers or taken) - 1
    return expected


def reference_time(raw: Any, zone: ZoneInfo | None) -> datetime:
    """The instant; of local times it knows only those of a day without a change of clocks."""
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(raw)
        except ValueError:
            raise Refused from None
    if isinstance(raw, date) and not isinstance(raw, datetime):
        raw = datetime(raw.year, raw.month, raw.day)  # noqa: DTZ001 - a local time
    if not isinstance(raw, datetime):
        raise Refused
    offset = raw.utcoffset()
    if offset is None:
        if zone is None:
            raise Refused
        offset = timedelta(hours=1)  # Berlin in January
    try:
        return raw.replace(tzinfo=UTC) - offset
    except OverflowError:
        raise Refused from None


def reference_value(raw: Any) -> float | None:
    """The number, None for "no value"."""
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal, Real)):
        raise Refused
    if isinstance(raw, str):
        if not raw or set(raw) - set("0123456789.+-eE"):
            raise Refused
        try:
            raw = Decimal(raw)
        except InvalidOperation:
            raise Refused from None
    try:
        value = float(raw)
    except (OverflowError, ValueError):
        raise Refused from None
    if value != value:  # noqa: PLR0124 - what NaN is by definition
        return None
    if value in {math.inf, -math.inf}:
        raise Refused
    return abs(value) if value == 0 else value


# few different times, so that doubles, reversals and neighbours of the bounds are common
INSTANTS = st.integers(-3, 9).map(lambda n: DAY + n * HOUR / 2)
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(0), "Z"), timezone(timedelta(hours=-5, minutes=-30)), BERLIN]
)
AWARE = st.builds(lambda instant, zone: instant.astimezone(zone), INSTANTS, ZONES)
LOCAL = INSTANTS.map(lambda instant: instant.replace(tzinfo=None))
GOOD_TIMES = AWARE | AWARE.map(datetime.isoformat)
ODD_TIMES = st.one_of(
    LOCAL,
    LOCAL.map(datetime.isoformat),
    LOCAL.map(lambda instant: instant.strftime("%Y-%m-%d")),
    LOCAL.map(datetime.date),
    INSTANTS.map(lambda instant: instant.strftime("%Y%m%dT%HZ")),
    st.sampled_from([None, MISSING, 0, 1.5e9, True, "", "yesterday", "2025-13-01T00Z", b"2025"]),
    st.sampled_from([datetime.max.replace(tzinfo=timezone(-HOUR)), "0001-01-01T00:00+01:00"]),
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
GOOD_VALUES = st.one_of(FINITE, st.integers(-(10**20), 10**20), st.none(), st.just(-0.0))
DECIMAL_TEXTS = st.from_regex(r"\A[+-]?([0-9]{1,4}\.?[0-9]{0,4}|\.[0-9]{1,3})([eE][+-]?\d)?\Z")
ODD_VALUES = st.one_of(
    st.floats(),
    st.integers().map(lambda n: n * 10**400),
    st.booleans(),
    DECIMAL_TEXTS,
    st.text(max_size=4),
    st.decimals(),
    st.fractions(),
    st.floats().map(Degrees),
    st.sampled_from([MISSING, "NaN", "inf", " 1", "1 ", "1_0", "1e999", "\u0661", "0x1p3", "1\n"]),
    st.sampled_from([Decimal("sNaN"), Fraction(10**400), 10**5000, [], b"1", 1j, "9" * 5000]),
)
POINTS = st.lists(st.tuples(GOOD_TIMES | ODD_TIMES, GOOD_VALUES | ODD_VALUES), max_size=30)
BOUNDS = st.none() | INSTANTS


def identical(ours: list[float | None], theirs: list[float | None]) -> bool:
    """Equal, and of one sign if zero."""
    return list(map(repr, ours)) == list(map(repr, theirs))


@given(POINTS, st.sampled_from(SHAPES), BOUNDS, BOUNDS, st.sampled_from([None, BERLIN]))
def test_clean_is_the_reference(
    points: list[Point],
    shape: Callable[[list[Point]], Any],
    start: datetime | None,
    end: datetime | None,
    zone: ZoneInfo | None,
) -> None:
    """In every shape of an answer: the same values, counts and positions of what was refused."""
    columns_cannot_miss_anything = not any(MISSING in point for point in points)
    assume(columns_cannot_miss_anything or "ts" not in as_mapping(shape([])))
    expected = reference(points, start, end, zone)
    batch = clean({"a": shape(points)}, series=["a"], start=start, end=end, zone=zone)
    ours = batch.series["a"]
    assert ours.ts == sorted(expected.kept)
    assert identical(ours.values, [expected.kept[ts] for ts in ours.ts])
    assert ours.published is None
    assert ours.vintages is None
    assert (batch.duplicates, batch.nulls) == (expected.duplicates, expected.nulls)
    assert batch.outside == expected.outside
    assert batch.rejected == len(expected.rejected)
    told = [r.position for r in batch.rejections]
    assert len(told) == min(20, len(expected.rejected))
    assert {*told} <= {*expected.rejected}
    assert all(r.series == "a" and 0 < len(r.reason) <= 1000 for r in batch.rejections)
    assert all(r.reason.isprintable() for r in batch.rejections)


def as_mapping(shape: Any) -> Mapping[str, Any]:
    """The columns inside a shape; empty if it has none."""
    inner = shape.get("data", shape) if isinstance(shape, Mapping) else {}
    return inner if isinstance(inner, Mapping) else {}


@given(st.dictionaries(st.sampled_from("abcd"), POINTS), BOUNDS, BOUNDS)
def test_every_point_received_is_accounted_for(
    answer: dict[str, list[Point]], start: datetime | None, end: datetime | None
) -> None:
    """Received = duplicates + rejected + outside + nulls beside numbers + kept.

    An undeclared series is rejected.
    """
    raw = {name: as_dicts(points) for name, points in answer.items()}
    batch = clean(raw, series=["a", "b"], start=start, end=end, zone=BERLIN)
    assert set(batch.series) == {"a", "b"}
    assert batch.received == sum(map(len, answer.values()))
    assert batch.received == (
        batch.duplicates
        + batch.rejected
        + batch.outside
        + batch.nulls
        + sum(map(len, batch.series.values()))
    )
    undeclared = sum(len(points) for name, points in answer.items() if name in "cd")
    assert batch.rejected >= undeclared
    assert len(batch.rejections) == min(20, batch.rejected)


@given(POINTS, BOUNDS, BOUNDS, st.sampled_from([None, BERLIN]))
def test_observations_ascend_in_utc_and_are_doubles(
    points: list[Point], start: datetime | None, end: datetime | None, zone: ZoneInfo | None
) -> None:
    """Strictly ascending plain datetimes in UTC within the bounds; plain finite floats or None."""
    batch = clean({"a": as_dicts(points)}, series=["a"], start=start, end=end, zone=zone)
    ts, values = batch.series["a"].ts, batch.series["a"].values
    assert all(earlier < later for earlier, later in pairwise(ts))
    assert all(type(instant) is datetime and instant.tzinfo == UTC for instant in ts)
    assert all(start is None or instant >= start for instant in ts)
    assert all(end is None or instant < end for instant in ts)
    assert all(value is None or (type(value) is float and math.isfinite(value)) for value in values)


@given(
    st.lists(INSTANTS, unique=True).map(sorted),
    st.data(),
    st.sampled_from(SHAPES[:4]),
    ZONES,
    st.booleans(),
)
def test_the_fast_path_and_the_exact_one_agree(
    times: list[datetime],
    data: st.DataObject,
    shape: Callable[[list[Point]], Any],
    zone: timezone | ZoneInfo,
    as_text: bool,  # noqa: FBT001 - drawn
) -> None:
    """A well-formed answer takes the fast path, and is the same observations on either."""
    written = [instant.astimezone(zone) for instant in times]
    values = [data.draw(GOOD_VALUES) for _ in times]
    raw = shape(list(zip(map(str, written) if as_text else written, values, strict=True)))
    fast = raw_points(raw, "a").clean_columns(None)
    assert fast is not None
    exact = _clean_point_by_point(raw_points(raw, "a"), "a", Batch({}), EVERYTHING, Repeated.REFUSE)
    assert fast[0] == exact.ts == times
    assert identical(fast[1], exact.values)
    assert all(instant.tzinfo == UTC for instant in fast[0])


@given(st.sets(INSTANTS, min_size=1).map(sorted), st.sampled_from(SHAPES[:4]), st.data())
def test_a_well_formed_answer_is_clipped_at_its_bounds(
    times: list[datetime], shape: Callable[[list[Point]], Any], data: st.DataObject
) -> None:
    """The start belongs to the window, the end does not; what lies within takes the fast path."""
    start, end = data.draw(st.sampled_from(times)), data.draw(st.sampled_from(times))
    points: list[Point] = [(instant, float(n)) for n, instant in enumerate(times)]
    batch = clean({"a": shape(points)}, series=["a"], start=start, end=end, zone=None)
    inside = [instant for instant in times if start <= instant < end]
    assert batch.series["a"].ts == inside
    assert batch.outside == len(times) - len(inside)
    assert batch.before + batch.after == batch.outside
    assert batch.left_out_from == next((at for at in times if at >= end), None)
    if start <= end:
        assert batch.before == sum(instant < start for instant in times)


@given(st.lists(st.tuples(GOOD_TIMES, INSTANTS, FINITE), min_size=1, max_size=20))
def test_of_points_with_times_of_publication_the_newest_is_the_value(
    points: list[tuple[Any, datetime, float]],
) -> None:
    """All of them are vintages, in order, but for those that contradict each other."""
    dicts = [{"ts": ts, "value": value, "published_at": p} for ts, p, value in points]
    columns = {key: [point[key] for point in dicts] for key in dicts[0]}
    values_at: dict[tuple[datetime, datetime], list[float | None]] = {}
    for ts, p, v in points:
        values_at.setdefault((reference_time(ts, None), p), []).append(reference_value(v))
    agreed = {moment: values[0] for moment, values in values_at.items() if len({*values}) == 1}
    contradictory = sum(len(values) for values in values_at.values() if len({*values}) > 1)
    expected = [(*key, value) for key, value in sorted(agreed.items())]
    newest = {ts: (published, value) for ts, published, value in expected}
    for raw in (dicts, columns):
        batch = clean_batch(raw)
        ours = batch.series["a"]
        assert ours.vintages == expected
        assert list(zip(ours.ts, ours.published or [], ours.values, strict=True)) == [
            (ts, *pair) for ts, pair in newest.items()
        ]
        assert batch.rejected == contradictory
        assert batch.duplicates == len(points) - contradictory - len(expected)


@pytest.mark.parametrize("ts", [DAY, DAY.isoformat(), "2025-01-01T00:00"])
def test_a_value_that_cannot_be_taken_is_told_with_its_time(ts: object) -> None:
    """As the provider wrote it: so it can be looked up in the answer."""
    (rejection,) = clean_batch([{"ts": ts, "value": "kei"}], BERLIN).rejections
    assert rejection.reason == f"'kei' is no plain decimal number, at {ts}"


@pytest.mark.parametrize("published", [MISSING, None, "2025-03-30T02:30", "soon", 7])
def test_a_point_whose_publication_is_unclear_is_rejected(published: object) -> None:
    """If other points of the series say theirs; also a local time that the clocks skip."""
    odd = {"ts": DAY, "value": 1.0, "published_at": published}
    if published is MISSING:
        del odd["published_at"]
    batch = clean_batch([odd, {"ts": DAY + HOUR, "value": 2.0, "published_at": DAY}], BERLIN)
    assert (batch.rejected, batch.series["a"].ts) == (1, [DAY + HOUR])
    assert batch.rejections[0].position == 0


@pytest.mark.parametrize(
    ("published", "instant"),
    [
        ("2025-01-01T00:00", "2024-12-31T23:00:00+00:00"),
        # of two hours the later one
        ("2025-10-26T02:30", "2025-10-26T01:30:00+00:00"),
        ("2025-03-30", "2025-03-30T21:59:59.999999+00:00"),
    ],
)
def test_a_local_time_of_publication_is_read_in_the_zone(published: str, instant: str) -> None:
    """A bare date is the end of its day; without a zone neither is taken."""
    point = {"ts": DAY, "value": 1.0, "published_at": published}
    batch = clean_batch([point], BERLIN)
    assert batch.series["a"].published == [datetime.fromisoformat(instant)]
    assert clean_batch([point], None).rejected == 1


def test_the_error_of_one_series_leaves_the_others() -> None:
    """It counts as a point that cannot be taken, and says why."""
    answer = {"a": PermanentError("there is no Solar"), "b": {"ts": [DAY], "value": [1.0]}}
    batch = clean(answer, series=["a", "b"], start=None, end=None, zone=None)
    assert batch.series["b"].values == [1.0]
    assert (batch.received, batch.rejected, len(batch.series["a"])) == (2, 1, 0)
    assert [(r.series, r.reason) for r in batch.rejections] == [("a", "there is no Solar")]


def test_where_every_series_failed_the_first_error_is_raised() -> None:
    """There is nothing to be stored, so the run has failed and is not partial."""
    answer = {"a": PermanentError("there is no Solar"), "b": PermanentError("there is no Wind")}
    with pytest.raises(PermanentError, match="no Solar"):
        clean(answer, series=["a", "b"], start=None, end=None, zone=None)
