"""Validators are kept by the transaction that stores the values, and rest on what it left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.store_feed import hour, observations, open_feed, open_observer, values
from support.stored_runs import START

from dataportal.store.records import Counts, SliceWrite
from dataportal.validators import ConditionalRequests, SliceValidators, Validator, WholeAnswerNeeded

if TYPE_CHECKING:
    from support.store_feed import Feed, Points

    from dataportal.store.records import MergeResult

NOW = datetime(2025, 6, 11, tzinfo=UTC)
KNOWN = Validator(since=NOW, etag='"a"')
ALL: Points = {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}


def merge_slice(
    feed: Feed, points: Points, requests: ConditionalRequests, **more: Any
) -> MergeResult:
    """Store a slice of these points, and what its answers are recognised by."""
    facts = {"left_out_from": None, "unchanged": frozenset({"load"}), "sound": True, **more}
    return feed.session.merge(
        SliceWrite(
            feed.run,
            {"load": observations(points)},
            start=START,
            end=None,
            received=Counts(received=len(points)),
            validators=SliceValidators("me", START, requests, **facts),
        )
    )


def known_requests(feed: Feed) -> ConditionalRequests:
    """What the next run may rely on."""
    return feed.session.conditional_requests("me", START, NOW)


def confirmed_requests(feed: Feed) -> ConditionalRequests:
    """The same, once the server has said that all of it is unchanged."""
    requests = known_requests(feed)
    requests.unchanged.update(requests.known)
    return requests


def store_first(feed: Feed, points: Points = ALL) -> None:
    """Store points, and the validator of the answer that they came in."""
    merge_slice(feed, points, ConditionalRequests(fresh={"key": KNOWN}))
    assert known_requests(feed).known == {"key": KNOWN}


def test_what_was_kept_is_known_again(database_url: str) -> None:
    """As long as nothing of what was stored is another."""
    with open_feed(database_url, "load") as feed:
        assert known_requests(feed) == ConditionalRequests()
        store_first(feed)
        merge_slice(feed, {}, confirmed_requests(feed))
        assert known_requests(feed).known == {"key": KNOWN}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM time_series_data WHERE ts = %s",
        "UPDATE time_series_data SET value = -value WHERE ts = %s",
        "UPDATE time_series_data SET ts = ts + interval '1 minute' WHERE ts = %s",
        (
            "INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)"
            " SELECT %s::timestamptz + interval '9 hours', 1, now(), run_id, series_id"
            " FROM time_series_data LIMIT 1"
        ),
    ],
)
def test_what_somebody_changed_is_not_relied_on(statement: str, database_url: str) -> None:
    """Before the provider is asked; and if it happens meanwhile, in the transaction."""
    with open_feed(database_url, "load") as feed, open_observer(database_url) as look:
        store_first(feed)
        requests = confirmed_requests(feed)
        look.execute(statement.encode(), [hour(1)])
        assert not known_requests(feed).known
        before = look.execute("SELECT count(*) FROM time_series_data_scd2").fetchall()
        with pytest.raises(WholeAnswerNeeded):
            merge_slice(feed, {5: 6.0}, requests)
        assert look.execute("SELECT count(*) FROM time_series_data_scd2").fetchall() == before


def test_a_withdrawal_needs_the_whole_answer(database_url: str) -> None:
    """Whether it is withheld depends on how much the answer has besides; nothing is written."""
    with open_feed(database_url, "load") as feed, open_observer(database_url) as look:
        store_first(feed)
        with pytest.raises(WholeAnswerNeeded):
            merge_slice(feed, {3: None}, confirmed_requests(feed))
        assert values(look) == {0: [1.0], 1: [2.0], 2: [3.0], 3: [4.0]}
        assert known_requests(feed).known == {"key": KNOWN}


@pytest.mark.parametrize(
    ("points", "more"),
    [
        ({0: 1.5}, {"sound": False}),
        ({0: None, 1: None, 2: None}, {}),
        ({}, {"unchanged": frozenset()}),
        ({0: 1.5}, {"left_out_from": hour(9)}),
    ],
)
def test_what_was_not_taken_whole_is_not_kept(
    points: Points, more: dict[str, Any], database_url: str
) -> None:
    """Refused, withheld, silent, left out at the end: what was kept before goes as well."""
    with open_feed(database_url, "load") as feed, open_observer(database_url) as look:
        store_first(feed)
        merge_slice(
            feed, points, ConditionalRequests(fresh={"new": KNOWN}, any_stored=True), **more
        )
        assert not known_requests(feed).known
        assert look.execute("SELECT http_validators FROM source_state").fetchall() == [(None,)]


def test_vintages_are_not_kept(database_url: str) -> None:
    """Publications are recorded beside the current values, and no fingerprint covers them."""
    with open_feed(database_url, "load") as feed:
        dated = observations({0: 1.0})
        dated = type(dated)(dated.ts, dated.values, [NOW], [(dated.ts[0], NOW, 1.0)])
        feed.session.merge(
            SliceWrite(
                feed.run,
                {"load": dated},
                start=START,
                end=None,
                received=Counts(received=1),
                validators=SliceValidators(
                    "me",
                    START,
                    ConditionalRequests(fresh={"key": KNOWN}),
                    None,
                    frozenset(),
                    sound=True,
                ),
            )
        )
        assert not known_requests(feed).known


def test_a_backfill_changes_what_validators_rest_on(database_url: str) -> None:
    """What was stored meanwhile by another run of the source is noticed, too."""
    with open_feed(database_url, "load") as feed:
        store_first(feed)
        feed.session.merge(
            SliceWrite(
                feed.run,
                {"load": observations({2: 99.0})},
                start=START,
                end=START + timedelta(days=1),
                received=Counts(received=1),
            )
        )
        assert not known_requests(feed).known
