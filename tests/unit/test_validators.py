"""What may be believed of what servers said, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.validators import ConditionalRequests, StoredValidators, Validator

NOW = datetime(2025, 6, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
moments = st.integers(0, 30).map(lambda n: NOW + n * HOUR)


def tag(
    first: datetime | None = None, last: datetime | None = None, *, etag: str = '"a"'
) -> Validator:
    """A validator of an answer with points between these times."""
    return Validator(since=NOW, etag=etag, first=first, last=last)


STORED = StoredValidators("me", NOW, "3-17", {"one": tag(), "two": tag(NOW, NOW + HOUR)})


def test_it_comes_back_from_the_database() -> None:
    """As it was; what nobody understands is nothing."""
    from json import loads

    assert StoredValidators.from_json(loads(STORED.to_json())) == STORED
    newer = {**loads(STORED.to_json()), "x": 1}
    strange: list[Any] = [None, 1, "a", [], {}, {"identity": "me"}, newer]
    for rubbish in strange:
        assert StoredValidators.from_json(rubbish) is None


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
    known = STORED.valid_for(identity, start, now)
    assert known == (STORED.answers if trusted else {})


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
    requests = ConditionalRequests({"key": known})
    assert requests.condition("key")
    assert not requests.condition("another")
    assert requests.confirm("key", headers) is believed
    assert (requests.unchanged == {"key": known}) is believed


@given(
    spans=st.lists(st.tuples(moments, moments).map(sorted), min_size=1, max_size=3),
    series=st.lists(st.sets(moments).map(sorted), max_size=3),
)
def test_points_within_what_is_unchanged_forbid_to_leave_it_out(
    spans: list[list[datetime]], series: list[list[datetime]]
) -> None:
    """A point of another answer could take the place of one that is left out."""
    requests = ConditionalRequests(
        {str(n): tag(first, last) for n, (first, last) in enumerate(spans)}
    )
    requests.sent = len(spans) + 1
    for key in requests.known:
        requests.confirm(key, {})
    meet = any(first <= ts <= last for first, last in spans for times in series for ts in times)
    assert requests.may_leave_out(series) is not meet


def test_without_times_it_is_all_or_nothing() -> None:
    """Nobody knows what an answer has that says nothing of its times."""
    requests = ConditionalRequests({"one": tag(), "two": tag()}, sent=2)
    requests.confirm("one", {})
    assert not requests.may_leave_out([[]])
    requests.confirm("two", {})
    assert requests.may_leave_out([[]])


def test_an_answer_without_points_stands_in_nobodys_way() -> None:
    """A list of files that is unchanged may be left out beside any points, and reaches nowhere."""
    known = {"index": Validator(NOW, etag='"a"', note="1 2 3")}
    requests = ConditionalRequests(known, sent=2)
    requests.confirm("index", {})
    assert requests.may_leave_out([[NOW]])
    requests = ConditionalRequests()
    requests.keep("index", known["index"])
    requests.keep("long", Validator(NOW, etag='"a"', note="1" * 1001))
    assert requests.validators(NOW) == known


def test_answers_that_stand_apart_may_be_left_out_beside_any_points() -> None:
    """Also beside points of the same times, and also where they have points more than once."""
    apart = Validator(NOW, etag='"*"', first=NOW, last=NOW + HOUR, apart=True)
    requests = ConditionalRequests({"old": apart}, sent=2)
    requests.confirm("old", {})
    assert requests.may_leave_out([[NOW]])
    are_apart = [requests.are_apart]
    for validator in (apart, tag()):
        requests.keep("new", validator)
        are_apart.append(requests.are_apart)
    assert are_apart == [False, True, False]


def test_many_files_that_stand_apart_are_kept() -> None:
    """A week of one every five minutes, beside the answers of which fewer are."""
    requests = ConditionalRequests()
    for number in range(150):
        requests.keep(f"answer {number}", tag())
    for number in range(2016):
        requests.keep(f"file {number}", Validator(NOW, etag='"*"', apart=True))
    kept = requests.validators(None)
    assert sum(validator.apart for validator in kept.values()) == 2016
    assert len(kept) == 2116


def test_what_reaches_beyond_the_window_is_not_kept() -> None:
    """It will have more to tell; what does not say how far it reaches may have."""
    requests = ConditionalRequests()
    requests.keep("open", tag())
    requests.keep("before", tag(NOW, NOW + HOUR))
    requests.keep("beyond", tag(NOW, NOW + 2 * HOUR))
    assert set(requests.validators(None)) == {"open", "before", "beyond"}
    assert set(requests.validators(NOW + 2 * HOUR)) == {"before"}


def test_two_states_of_one_answer_are_none() -> None:
    """Asked twice within one slice, and changed in between: nobody knows what was stored."""
    requests = ConditionalRequests({"known": tag()}, sent=5)
    requests.keep("same", tag())
    requests.keep("same", tag())
    requests.keep("new", tag())
    requests.keep("new", tag(etag='"b"'))
    requests.confirm("known", {})
    requests.keep("known", tag(etag='"b"'))
    assert set(requests.validators(None)) == {"same"}
    requests = ConditionalRequests({"known": tag()}, sent=2)
    requests.keep("known", tag(etag='"b"'))
    requests.confirm("known", {})
    assert requests.validators(None) == {}


def test_what_is_kept_is_bounded() -> None:
    """However many files a source has."""
    requests = ConditionalRequests()
    for number in range(1000):
        requests.keep(str(number), tag())
    assert len(requests.validators(None)) == 100
