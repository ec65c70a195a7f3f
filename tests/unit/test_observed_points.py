"""Which times and values are taken, which shapes are answers, and what an odd point costs."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from support.raw_answers import DAY, HOUR, SHAPES, Degrees, clean_batch, clean_points, kind

from dataportal.errors import BadDataError
from dataportal.observations import Batch, Observations, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (1, 1.0),
        (2**53 + 1, 2.0**53),
        ("1.10", 1.1),
        ("-.5e1", -5.0),
        ("7.", 7.0),
        (Decimal("0.1"), 0.1),
        (Decimal("NaN"), None),
        (Fraction(1, 4), 0.25),
        (Degrees(21.5), 21.5),
        (Degrees(math.nan), None),
        (math.nan, None),
        (None, None),
        (-0.0, 0.0),
        ("-0", 0.0),
        (Decimal("-0.0"), 0.0),
        (5e-324, 5e-324),
        ("1e-999", 0.0),
        (1.7976931348623157e308, 1.7976931348623157e308),
    ],
)
def test_a_value_that_is_taken(raw: object, value: float | None) -> None:
    """Every kind of number, plain decimal texts; NaN and None: no value; zero has no sign."""
    ((ts, ours),) = clean_points([{"ts": DAY, "value": raw}])
    assert (ts, repr(ours)) == (DAY, repr(value))


@pytest.mark.parametrize(
    "raw",
    [
        *(True, False, math.inf, -math.inf, 10**400, -(10**400), 10**5000, "1e400", "9" * 400),
        *("", " 1", "1 ", "1\n", "1,5", "1_000", "0x10", "nan", "NaN", "inf", "Infinity", "--1"),
        *("\u0661\u0662", "\uff11", "\u00bd", ".", "+", "e5", "1e", "\N{MINUS SIGN}1"),
        *(
            Decimal("Infinity"),
            Decimal("sNaN"),
            Decimal("1e400"),
            Fraction(10**400),
            Degrees(1e999),
        ),
        *(b"1", 1j, [1], {"value": 1}, DAY, object()),
    ],
    ids=kind,
)
def test_a_value_that_is_refused(raw: object) -> None:
    """Bool, infinite or too large, any other text or object: rejected; its neighbours are kept."""
    points = [(DAY, 1.0), (DAY + HOUR, raw), (DAY + 2 * HOUR, 3)]
    for shape in SHAPES[:4]:
        batch = clean_batch(shape(points))
        assert batch.series["a"] == Observations([DAY, DAY + 2 * HOUR], [1.0, 3.0])
        assert [r.position for r in batch.rejections] == [1]


class Timestamp(datetime):
    """A datetime of a foreign library."""


class NotATime(datetime):
    """What a foreign library puts in place of a missing time: a datetime that is none."""

    def date(self) -> date:
        """Refuse, as pandas.NaT does."""
        raise ValueError("NaTType does not support date")

    def utcoffset(self) -> None:
        """Nothing is known."""


def test_a_foreign_timestamp_becomes_a_plain_datetime() -> None:
    """A subclass of datetime is taken as the instant that it is."""
    ((ts, _),) = clean_points([{"ts": Timestamp(2025, 1, 15, 1, tzinfo=BERLIN), "value": 1}])
    assert (ts, type(ts)) == (DAY, datetime)


def test_a_time_that_is_none_costs_its_own_point_only() -> None:
    """A missing time as pandas marks it is rejected; its neighbours are kept."""
    batch = clean_batch([{"ts": NotATime(2025, 1, 1), "value": 1.0}, {"ts": DAY, "value": 2.0}])
    assert batch.series["a"] == Observations([DAY], [2.0])
    assert [r.position for r in batch.rejections] == [0]


def test_a_local_time_without_a_zone_is_rejected_and_says_so() -> None:
    """The reason names the time and what is missing."""
    batch = clean_batch([{"ts": "2025-01-15T01:00", "value": 1}])
    (rejection,) = batch.rejections
    assert "2025-01-15T01:00 has no offset" in rejection.reason
    assert "timezone" in rejection.reason


def test_a_date_is_midnight_in_the_zone_of_the_source() -> None:
    """As a text and as a date; also as a whole column of them."""
    midnight = [(datetime(2025, 1, 14, 23, tzinfo=UTC), 1.0)]
    assert clean_points([{"ts": "2025-01-15", "value": 1.0}], BERLIN) == midnight
    assert clean_points({"ts": [date(2025, 1, 15)], "value": [1.0]}, BERLIN) == midnight


def test_a_declared_series_without_an_answer_has_no_observations() -> None:
    """Absent, None and empty are the same: an empty list, nothing received."""
    answer: dict[str, Any] = {"b": None, "c": [], "d": {"data": []}, "e": {"ts": [], "value": []}}
    batch = clean(answer, series=list("abcde"), start=None, end=None, zone=None)
    assert batch == Batch({name: Observations([], []) for name in "abcde"})


@pytest.mark.parametrize(
    "raw",
    [
        *("points", b"points", 7, 1.5, True, object(), {}, {"time": [], "value": []}),
        *({"ts": []}, {"value": []}, {"ts": [1], "value": []}, {"ts": "2025", "value": "1234"}),
        *({"ts": 1, "value": 2}, {"data": 7}, {"data": {"data": []}}),
        *({"ts": [1], "value": [2], "published_at": []}, {DAY: 1.0}),
    ],
    ids=kind,
)
def test_another_shape_is_bad_data(raw: object) -> None:
    """Neither points nor columns of one length: an error that names the series."""
    with pytest.raises(BadDataError, match="'a'"):
        clean_batch(raw)


@pytest.mark.parametrize("answer", [None, [], "text", 7, [{"ts": DAY, "value": 1}]], ids=kind)
def test_an_answer_that_is_no_mapping_is_bad_data(answer: object) -> None:
    """An error that says what came instead."""
    with pytest.raises(BadDataError, match=type(answer).__name__):
        clean(answer, series=["a"], start=None, end=None, zone=None)


@pytest.mark.parametrize("junk", ["text", None, 7, [], (DAY, 1.0), object()], ids=kind)
def test_what_is_no_point_costs_itself_only(junk: object) -> None:
    """Among good points: rejected with its position, the others are kept."""
    good: dict[str, Any] = {"ts": DAY, "value": 1.0}
    batch = clean_batch([good, junk])
    assert batch.series["a"] == Observations([DAY], [1.0])
    assert [r.position for r in batch.rejections] == [1]


def test_an_object_that_cannot_be_shown_costs_itself_only() -> None:
    """Its repr may fail."""

    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError

    batch = clean_batch([{"ts": DAY, "value": Shy()}, {"ts": Shy(), "value": 1}, Shy()])
    assert [r.position for r in batch.rejections] == [0, 1, 2]
    assert all("a Shy" in r.reason for r in batch.rejections)


def test_what_a_generator_raises_is_not_swallowed() -> None:
    """A plugin that breaks half-way has not answered with half."""

    def breaking() -> Iterator[dict[str, Any]]:
        yield {"ts": DAY, "value": 1.0}
        raise LookupError("half-way")

    with pytest.raises(LookupError, match="half-way"):
        clean_batch(breaking())
