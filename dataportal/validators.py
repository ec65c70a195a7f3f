"""What servers said of answers that were stored, so that they need not send them again. Pure.

A validator (ETag or Last-Modified, RFC 9110 section 8.8) names one state of one answer. That the
server still has this state says nothing about the database, so it is believed only

- of an answer whose points, all of them in the window, were stored by the very transaction that
  kept the validator, without one that was refused, withheld, doubled or left out at its end;
- for a window that begins where that one did or later, and that is open at its end as that one was;
- by the same source as it was: its parameters, series, zone, limits, plugin and program;
- while exactly what was stored then is stored still;
- for a day. Then the answer is asked for again, whatever anybody says.

Of several answers some may be unchanged and some not. Then those that are unchanged may be left out
only if no point of the others lies within their times, as one could take the other's place.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, timedelta  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_TRUSTED_FOR = timedelta(days=1)
_MOST = 100
"""Answers of one source whose validators are kept."""
_LONGEST_NOTE = 1000


class Validator(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a server recognises an answer that it gave.

    Attributes:
        since: when it was given.
        etag: a strong one, with its quotes; or
        modified: the Last-Modified, as the server wrote it.
        first: the earliest time in the answer, if that is known.
        last: the latest.
        note: for an answer without points, such as a list of files: what it said that matters.
    """

    since: datetime
    etag: str = ""
    modified: str = ""
    first: datetime | None = None
    last: datetime | None = None
    note: str = ""

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """Its earliest and its latest time, if both are known."""
        return None if self.first is None or self.last is None else (self.first, self.last)


class Remembered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one transaction kept of the answers that it stored.

    Attributes:
        identity: of the source as it was.
        start: from where on everything in the answers was taken.
        state: a fingerprint of what was stored from there on.
        answers: the validators, by what identifies each request.
    """

    identity: str
    start: datetime
    state: str
    answers: dict[str, Validator]

    def trusted(self, identity: str, start: datetime, now: datetime) -> dict[str, Validator]:
        """Those that may be believed for a window from `start` on, if the state is as it was."""
        if identity != self.identity or start < self.start:
            return {}
        return {
            key: one
            for key, one in self.answers.items()
            if timedelta() <= now - one.since < _TRUSTED_FOR
        }


def read(raw: Any) -> Remembered | None:
    """What stands in the database; None for nothing, or what nobody understands."""
    try:
        return msgspec.convert(raw, Remembered)
    except msgspec.ValidationError:
        return None


def written(remembered: Remembered) -> str:
    """The same as JSON."""
    return msgspec.json.encode(remembered).decode()


@dataclass
class Recall:
    """What is known of a provider's answers before a slice is fetched, and what it says meanwhile.

    Attributes:
        known: validators to be believed.
        unchanged: those that the server confirmed.
        kept: those of new answers.
        asked: how many requests were sent.
        had: whether anything stands in the database, to be relied on or not.
        start: from where on all was taken when `known` was kept.
        state: the fingerprint of what was stored from there on.
    """

    known: Mapping[str, Validator] = field(default_factory=dict)
    unchanged: dict[str, Validator] = field(default_factory=dict)
    kept: dict[str, Validator] = field(default_factory=dict)
    asked: int = 0
    had: bool = False
    start: datetime | None = None
    state: str | None = None
    _ambiguous: set[str] = field(default_factory=set)

    def condition(self, key: str) -> dict[str, str]:
        """The header that asks whether the answer is still the same; none if it is not known."""
        known = self.known.get(key)
        if known is None:
            return {}
        if known.etag:
            return {"If-None-Match": known.etag}
        return {"If-Modified-Since": known.modified}

    def confirm(self, key: str, headers: Mapping[str, str]) -> bool:
        """Take a 304; whether it is to be believed.

        It has to name the state that was asked about. For an ETag it may leave that out; but a date
        that is not repeated may be a server's opinion that an older file is no news.
        """
        known = self.known[key]
        etag, modified = headers.get("etag"), headers.get("last-modified")
        is_same = etag in (None, known.etag) if known.etag else modified == known.modified
        if is_same:
            self.unchanged[key] = known
            if key in self.kept:
                self._ambiguous.add(key)
        return is_same

    def keep(self, key: str, validator: Validator) -> None:
        """Note the validator of a new answer; two of one request in a slice are none."""
        before = self.kept.get(key)
        if key in self.unchanged or (before is not None and not _is_same(before, validator)):
            self._ambiguous.add(key)
        self.kept[key] = validator

    def may_leave_out(self, series: Iterable[Sequence[datetime]]) -> bool:
        """Whether the unchanged answers may be left out beside points at these times.

        Args:
            series: the times of each series, in order.
        """
        if len(self.unchanged) == self.asked:
            return True
        spans = [one.span for one in self.unchanged.values() if not one.note]
        if None in spans:
            return False
        return not any(_meets(times, span) for times in series for span in spans if span)

    @property
    def matters(self) -> bool:
        """Whether there is anything to keep, or to forget."""
        return bool(self.had or self.kept or self.unchanged)

    def worth_keeping(self, left_out_from: datetime | None) -> dict[str, Validator]:
        """The validators to keep with what is stored, some of them where there are too many.

        Args:
            left_out_from: the earliest time at the window's end that was left out. An answer that
                reaches so far, or does not say how far it reaches, will have more to tell then.
        """
        fresh = {
            key: one
            for key, one in self.kept.items()
            if key not in self._ambiguous
            and len(one.note) <= _LONGEST_NOTE
            and (left_out_from is None or one.note or (one.last and one.last < left_out_from))
        }
        both = {**{k: v for k, v in self.unchanged.items() if k not in self._ambiguous}, **fresh}
        return dict(list(both.items())[-_MOST:])


def _meets(times: Sequence[datetime], span: tuple[datetime, datetime]) -> bool:
    """Whether any of the times, which are in order, lies in the span, its ends included."""
    at = bisect_left(times, span[0])
    return at < len(times) and times[at] <= span[1]


def _is_same(one: Validator, other: Validator) -> bool:
    return (one.etag, one.modified) == (other.etag, other.modified)
