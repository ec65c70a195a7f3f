"""Validators are kept by the transaction that stores the values, and rest on what it left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.store_feed import feeding, hour, looking, observations, values
from support.stored_runs import START

from dataportal.store.records import Counts
from dataportal.store.validators import Keeping, WholeAnswerNeeded
from dataportal.validators import Recall, Validator

if TYPE_CHECKING:
    from support.store_feed import Feed, Points

    from dataportal.store.records import Merged

NOW = datetime(2025, 6, 11, tzinfo=UTC)
KNOWN = Validator(since=NOW, etag='"a"')
ALL: Points = {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}


def merged(feed: Feed, points: Points, recall: Recall, **more: Any) -> Merged:
    """A slice of these points, stored beside what is recalled."""
    keeping = {"left_out_from": None, "unchanged": frozenset({"load"}), "sound": True, **more}
    return feed.session.merge(
        feed.run,
        {"load": observations(points)},
        start=START,
        end=None,
        received=Counts(received=len(points)),
        keeping=Keeping("me", START, recall, **keeping),
    )


def recalled(feed: Feed) -> Recall:
    """What the next run may rely on."""
    return feed.session.recall("me", START, NOW)


def confirmed(feed: Feed) -> Recall:
    """The same, once the server has said that all of it is unchanged."""
    recall = recalled(feed)
    recall.unchanged.update(recall.known)
    return recall


def first(feed: Feed, points: Points = ALL) -> None:
    """Store points, and the validator of the answer that they came in."""
    merged(feed, points, Recall(kept={"key": KNOWN}))
    assert recalled(feed).known == {"key": KNOWN}


def test_what_was_kept_is_known_again(database_url: str) -> None:
    """As long as nothing of what was stored is another."""
    with feeding(database_url, "load") as feed:
        assert recalled(feed) == Recall()
        first(feed)
        merged(feed, {}, confirmed(feed))
        assert recalled(feed).known == {"key": KNOWN}


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
    with feeding(database_url, "load") as feed, looking(database_url) as look:
        first(feed)
        recall = confirmed(feed)
        look.execute(statement.encode(), [hour(1)])
        assert not recalled(feed).known
        before = look.execute("SELECT count(*) FROM time_series_data_scd2").fetchall()
        with pytest.raises(WholeAnswerNeeded):
            merged(feed, {5: 6.0}, recall)
        assert look.execute("SELECT count(*) FROM time_series_data_scd2").fetchall() == before


def test_a_withdrawal_needs_the_whole_answer(database_url: str) -> None:
    """Whether it is withheld depends on how much the answer has besides; nothing is written."""
    with feeding(database_url, "load") as feed, looking(database_url) as look:
        first(feed)
        with pytest.raises(WholeAnswerNeeded):
            merged(feed, {3: None}, confirmed(feed))
        assert values(look) == {0: [1.0], 1: [2.0], 2: [3.0], 3: [4.0]}
        assert recalled(feed).known == {"key": KNOWN}


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
    with feeding(database_url, "load") as feed, looking(database_url) as look:
        first(feed)
        merged(feed, points, Recall(kept={"new": KNOWN}, had=True), **more)
        assert not recalled(feed).known
        assert look.execute("SELECT http_validators FROM source_state").fetchall() == [(None,)]


def test_vintages_are_not_kept(database_url: str) -> None:
    """Publications are recorded beside the current values, and no fingerprint covers them."""
    with feeding(database_url, "load") as feed:
        dated = observations({0: 1.0})
        dated = type(dated)(dated.ts, dated.values, [NOW], [(dated.ts[0], NOW, 1.0)])
        feed.session.merge(
            feed.run,
            {"load": dated},
            start=START,
            end=None,
            received=Counts(received=1),
            keeping=Keeping(
                "me", START, Recall(kept={"key": KNOWN}), None, frozenset(), sound=True
            ),
        )
        assert not recalled(feed).known


def test_a_backfill_changes_what_validators_rest_on(database_url: str) -> None:
    """What was stored meanwhile by another run of the source is noticed, too."""
    with feeding(database_url, "load") as feed:
        first(feed)
        feed.session.merge(
            feed.run,
            {"load": observations({2: 99.0})},
            start=START,
            end=START + timedelta(days=1),
            received=Counts(received=1),
        )
        assert not recalled(feed).known
