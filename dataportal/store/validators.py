"""Reads and writes the validators of a source's answers, in the transaction that stores them.

Whether what was stored then is stored still is found out by a fingerprint, before the provider is
asked and again in the transaction that relies on it. That one sees one state of the database
(REPEATABLE READ), so that a row which somebody deletes by hand meanwhile is missed the next time.
What they are good for, `dataportal.validators` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.store.queries import query
from dataportal.validators import ConditionalRequests, StoredValidators, WholeAnswerNeeded

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import psycopg

    from dataportal.store.records import MergeResult
    from dataportal.validators import SliceValidators

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ"
"""Begins a transaction that relies on validators or keeps them."""


class KeptValidators(NamedTuple):
    """What was kept of the answers of a source, as JSON; None for nothing."""

    document: Any


def select_validators(connection: psycopg.Connection, source: str) -> psycopg.Cursor[Any]:
    """Select what was kept, in a pipeline without waiting; `kept_validators` reads it."""
    return connection.execute(query("validators_kept"), {"source": source})


def kept_validators(cursor: psycopg.Cursor[Any]) -> KeptValidators:
    """What was kept, by the cursor of `select_validators`."""
    return KeptValidators(*(cursor.fetchone() or (None,)))


def conditional_requests(
    connection: psycopg.Connection,
    series: Collection[int],
    kept: KeptValidators,
    *,
    identity: str,
    start: datetime,
    now: datetime,
) -> ConditionalRequests:
    """The requests of a slice that is open at its end, with what may be relied on.

    Args:
        connection: in no transaction.
        series: all series of the source.
        kept: what was kept of its answers.
        identity: of the source as it is.
        start: of the slice.
        now: the time.
    """
    if kept.document is None:
        return ConditionalRequests()
    stored = StoredValidators.from_json(kept.document)
    known = {} if stored is None else stored.valid_for(identity, start, now)
    if stored is None or not known:
        return ConditionalRequests(any_stored=True)
    if _state(connection, series, stored.start) != stored.state:
        return ConditionalRequests(any_stored=True)
    return ConditionalRequests(known, any_stored=True, start=stored.start, state=stored.state)


def check_state(
    connection: psycopg.Connection, series: Collection[int], validators: SliceValidators
) -> None:
    """Look again, before the transaction writes, at what the unchanged answers rest on.

    Raises:
        WholeAnswerNeeded: it is not what it was.
    """
    requests = validators.requests
    if requests.unchanged and _state(connection, series, requests.start) != requests.state:
        raise WholeAnswerNeeded


def write_validators(
    connection: psycopg.Connection,
    source: str,
    series: Collection[int],
    validators: SliceValidators,
    merged: MergeResult,
) -> None:
    """Keep the validators, as the last of all in the transaction; or forget those before.

    Args:
        connection: whose transaction it is.
        source: the source.
        series: all of its series.
        validators: those of the slice.
        merged: what the transaction did.

    Raises:
        WholeAnswerNeeded: whether values are withdrawn depends on what was left out.
    """
    unchanged = validators.requests.unchanged
    if unchanged and (merged.counts.retracted or merged.withheld):
        raise WholeAnswerNeeded
    silent = set(merged.silent) - validators.unchanged
    # of publications the newest counts, wherever it stands, if the plugin says so
    is_dated = merged.dated and not validators.requests.are_apart
    is_whole = validators.sound and not (merged.withheld or silent or is_dated)
    has_points = merged.counts.received > 0 or unchanged
    is_kept = is_whole and has_points
    answers = validators.requests.validators(validators.left_out_from) if is_kept else {}
    document = None
    if answers:
        state = _state(connection, series, validators.start)
        document = StoredValidators(validators.identity, validators.start, state, answers).to_json()
    connection.execute(query("validators_keep"), {"source": source, "validators": document})


def _state(connection: psycopg.Connection, series: Collection[int], start: datetime | None) -> str:
    row = connection.execute(
        query("validators_state"), {"series": sorted(series), "start": start}
    ).fetchone()
    return str(row)
