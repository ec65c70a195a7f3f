"""What may be believed of what servers said, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.validators import Recall, Remembered, Validator, read, written

NOW = datetime(2025, 6, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
moments = st.integers(0, 30).map(lambda n: NOW + n * HOUR)


def tag(
    first: datetime | None = None, last: datetime | None = None, *, etag: str = '"a"'
) -> Validator:
    """A validator of an answer with points between these times."""
    return Validator(since=NOW, etag=etag, first=first, last=last)


REMEMBERED = Remembered("me", NOW, "3-17", {"one": tag(), "two": tag(NOW, NOW + HOUR)})


def test_it_comes_back_from_the_database() -> None:
    """As it was; what nobody understands is nothing."""
    from json import loads

    assert read(loads(written(REMEMBERED))) == REMEMBERED
    newer = {**loads(written(REMEMBERED)), "x": 1}
    strange: list[Any] = [None, 1, "a", [], {}, {"identity": "me"}, newer]
    for rubbish in strange:
        assert read(rubbish) is None


@pytest.mark.parametrize(
    ("identity", "start", "now", "trusted"),
    [
        ("me", NOW, NOW, True),
        ("me", NOW + HOUR, NOW + 23 * HOUR, True),
        ("another", NOW, NOW, False),
        ("me", NOW - HOUR, NOW, False),
        ("me", NOW, NOW + 24 * HOUR, False),
        ("me", NOW, NOW - HOUR, False),
    ],
)
def test_what_is_trusted(identity: str, start: datetime, now: datetime, *, trusted: bool) -> None:
    """By the same source, for no longer window, for a day, and not from the future."""
    known = REMEMBERED.trusted(identity, start, now)
    assert known == (REMEMBERED.answers if trusted else {})


@pytest.mark.parametrize(
    ("known", "headers", "believed"),
    [
        (Validator(NOW, etag='"a"'), {}, True),
        (Validator(NOW, etag='"a"'), {"etag": '"a"'}, True),
        (Validator(NOW, etag='"a"'), {"etag": '"b"'}, False),
        (Validator(NOW, etag='"a"'), {"etag": 'W/"a"'}, False),
        (Validator(NOW, modified="Monday"), {"last-modified": "Monday"}, True),
        (Validator(NOW, modified="Monday"), {"last-modified": "Sunday"}, False),
        (Validator(NOW, modified="Monday"), {}, False),
    ],
)
def test_what_is_believed(known: Validator, headers: dict[str, str], *, believed: bool) -> None:
    """A 304 that names the state that was asked about; a date has to be repeated."""
    recall = Recall({"key": known})
    assert recall.condition("key")
    assert not recall.condition("another")
    assert recall.confirm("key", headers) is believed
    assert (recall.unchanged == {"key": known}) is believed


@given(
    spans=st.lists(st.tuples(moments, moments).map(sorted), min_size=1, max_size=3),
    series=st.lists(st.sets(moments).map(sorted), max_size=3),
)
def test_points_within_what_is_unchanged_forbid_to_leave_it_out(
    spans: list[list[datetime]], series: list[list[datetime]]
) -> None:
    """A point of another answer could take the place of one that is left out."""
    recall = Recall({str(n): tag(first, last) for n, (first, last) in enumerate(spans)})
    recall.asked = len(spans) + 1
    for key in recall.known:
        recall.confirm(key, {})
    meet = any(first <= ts <= last for first, last in spans for times in series for ts in times)
    assert recall.may_leave_out(series) is not meet


def test_without_times_it_is_all_or_nothing() -> None:
    """Nobody knows what an answer has that says nothing of its times."""
    recall = Recall({"one": tag(), "two": tag()}, asked=2)
    recall.confirm("one", {})
    assert not recall.may_leave_out([[]])
    recall.confirm("two", {})
    assert recall.may_leave_out([[]])


def test_an_answer_without_points_stands_in_nobodys_way() -> None:
    """A list of files that is unchanged may be left out beside any points, and reaches nowhere."""
    known = {"index": Validator(NOW, etag='"a"', note="1 2 3")}
    recall = Recall(known, asked=2)
    recall.confirm("index", {})
    assert recall.may_leave_out([[NOW]])
    recall = Recall()
    recall.keep("index", known["index"])
    recall.keep("long", Validator(NOW, etag='"a"', note="1" * 1001))
    assert recall.worth_keeping(NOW) == known


def test_what_reaches_beyond_the_window_is_not_kept() -> None:
    """It will have more to tell; what does not say how far it reaches may have."""
    recall = Recall()
    recall.keep("open", tag())
    recall.keep("before", tag(NOW, NOW + HOUR))
    recall.keep("beyond", tag(NOW, NOW + 2 * HOUR))
    assert set(recall.worth_keeping(None)) == {"open", "before", "beyond"}
    assert set(recall.worth_keeping(NOW + 2 * HOUR)) == {"before"}


def test_two_states_of_one_answer_are_none() -> None:
    """Asked twice within one slice, and changed in between: nobody knows what was stored."""
    recall = Recall({"known": tag()}, asked=5)
    recall.keep("same", tag())
    recall.keep("same", tag())
    recall.keep("new", tag())
    recall.keep("new", tag(etag='"b"'))
    recall.confirm("known", {})
    recall.keep("known", tag(etag='"b"'))
    assert set(recall.worth_keeping(None)) == {"same"}
    recall = Recall({"known": tag()}, asked=2)
    recall.keep("known", tag(etag='"b"'))
    recall.confirm("known", {})
    assert recall.worth_keeping(None) == {}


def test_what_is_kept_is_bounded() -> None:
    """However many files a source has."""
    recall = Recall()
    for number in range(1000):
        recall.keep(str(number), tag())
    assert len(recall.worth_keeping(None)) == 100
