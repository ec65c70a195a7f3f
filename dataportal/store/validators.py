"""Keeps what servers said of answers in the transaction that stores them; see `validators`.

Whether what was stored then is stored still is found out by a fingerprint, before the provider is
asked and again in the transaction that relies on it. That one sees one state of the database
(REPEATABLE READ), so that a row which somebody deletes by hand meanwhile is missed the next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataportal.store.queries import query
from dataportal.validators import Recall, Remembered, read, written

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import psycopg

    from dataportal.store.records import MergeResult


class WholeAnswerNeeded(Exception):  # noqa: N818 - says what to do; nothing is wrong
    """What the provider calls unchanged is not to be left out after all; nothing was written."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What to keep of the answers that a slice is made of.

    Attributes:
        identity: of the source as it is.
        start: of the slice.
        recall: what the servers said.
        left_out_from: the earliest time at the slice's end that was left out.
        unchanged: the series of which an answer that is unchanged has points.
        sound: whether every point received was of one time, and could be taken.
    """

    identity: str
    start: datetime
    recall: Recall
    left_out_from: datetime | None
    unchanged: frozenset[str]
    sound: bool

    def check(self, connection: psycopg.Connection, series: Collection[int]) -> None:
        """Look again, before the transaction writes, at what the unchanged answers rest on.

        Raises:
            WholeAnswerNeeded: it is not what it was.
        """
        recall = self.recall
        if recall.unchanged and _state(connection, series, recall.start) != recall.state:
            raise WholeAnswerNeeded

    def end(
        self,
        connection: psycopg.Connection,
        source: str,
        series: Collection[int],
        merged: MergeResult,
    ) -> None:
        """Keep the validators, as the last of all in the transaction; or forget those before.

        Args:
            connection: whose transaction it is.
            source: the source.
            series: all of its series.
            merged: what the transaction did.

        Raises:
            WholeAnswerNeeded: whether values are withdrawn depends on what was left out.
        """
        if self.recall.unchanged and (merged.counts.retracted or merged.withheld):
            raise WholeAnswerNeeded
        silent = set(merged.silent) - self.unchanged
        is_whole = self.sound and not (merged.withheld or silent or merged.dated)
        has_points = merged.counts.received > 0 or self.recall.unchanged
        answers = self.recall.worth_keeping(self.left_out_from) if is_whole and has_points else {}
        kept = None
        if answers:
            state = _state(connection, series, self.start)
            kept = written(Remembered(self.identity, self.start, state, answers))
        connection.execute(query("validators_keep"), {"source": source, "validators": kept})


def recall_of(
    connection: psycopg.Connection,
    source: str,
    series: Collection[int],
    *,
    identity: str,
    start: datetime,
    now: datetime,
) -> Recall:
    """What may be relied on in a slice that is open at its end."""
    row = connection.execute(query("validators_kept"), {"source": source}).fetchone()
    if row is None or row[0] is None:
        return Recall()
    remembered = read(row[0])
    known = {} if remembered is None else remembered.trusted(identity, start, now)
    if remembered is None or not known:
        return Recall(had=True)
    if _state(connection, series, remembered.start) != remembered.state:
        return Recall(had=True)
    return Recall(known, had=True, start=remembered.start, state=remembered.state)


def _state(connection: psycopg.Connection, series: Collection[int], start: datetime | None) -> str:
    row = connection.execute(
        query("validators_state"), {"series": sorted(series), "start": start}
    ).fetchone()
    return str(row)
