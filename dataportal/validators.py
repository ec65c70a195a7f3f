"""Conditional requests (ETag, Last-Modified): what servers said of stored answers. Pure.

A validator (ETag or Last-Modified, RFC 9110 section 8.8) names one state of one answer. That the
server still has this state says nothing about the database, so it is believed only

- of an answer whose points, all of them in the window, were stored by the very transaction that
  kept the validator, without one that was refused, withheld, doubled or left out at its end (those
  of answers that stand apart may be doubled: the newest counts);
- for a window that begins where that one did or later, and that is open at its end as that one was;
- by the same source as it was: its parameters, series, zone, limits, plugin and program;
- while exactly what was stored then is stored still;
- for a day. Then the answer is asked for again, whatever anybody says.

Of several answers some may be unchanged and some not. Then those that are unchanged may be left out
only if no point of the others lies within their times, as one could take the other's place.

What a list of files says of a file, such as its size and the time of its last change, names a state
of it too: then nothing is asked at all.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta  # noqa: TC003 - msgspec reads the annotations
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

_TRUSTED_FOR = timedelta(days=1)
_MAX_ANSWERS = 100
"""Answers of one source whose validators are kept."""
_MAX_FILES = 2500
"""The same of files that stand apart: one for every five minutes of a week, and some more. Were the
earliest forgotten, all after them would have to come again."""
_MAX_NOTE = 1000
_BY_STATE = '"*"'
"""In place of an ETag, of an answer whose state a list of files names."""
_MAX_HEADER = 256
_QUIET = timedelta(minutes=1)
"""A date of modification names one state only if the file had rested: it counts whole seconds."""
# what every request of this program has, and always in the same way
_OURS = {
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "host",
    "origin",
    "user-agent",
}


class WholeAnswerNeeded(Exception):  # noqa: N818 - says what to do; nothing is wrong
    """What the provider calls unchanged is not to be left out after all; nothing was written."""


class Validator(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a server recognises an answer that it gave.

    Attributes:
        since: when it was given.
        etag: a strong one, with its quotes; or
        modified: the Last-Modified, as the server wrote it.
        first: the earliest time in the answer, if that is known.
        last: the latest.
        note: for an answer without points, such as a list of files: what it said that matters.
        apart: whether it may be left out beside points of the same times: each has a publication of
            its own, or all answers that were not left out are newer, and their points count.
    """

    since: datetime
    etag: str = ""
    modified: str = ""
    first: datetime | None = None
    last: datetime | None = None
    note: str = ""
    apart: bool = False

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """Its earliest and its latest time, if both are known."""
        return None if self.first is None or self.last is None else (self.first, self.last)


class StoredValidators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one transaction kept of the answers that it stored. In the database as JSON.

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

    @classmethod
    def from_json(cls, document: Any) -> StoredValidators | None:
        """What a JSON document says; None for nothing, or what nobody understands."""
        try:
            return msgspec.convert(document, cls)
        except msgspec.ValidationError:
            return None

    def to_json(self) -> str:
        """The same as JSON text."""
        return msgspec.json.encode(self).decode()

    def valid_for(self, identity: str, start: datetime, now: datetime) -> dict[str, Validator]:
        """Those that may be believed for a window from `start` on, if the state is as it was."""
        if identity != self.identity or start < self.start:
            return {}
        return {
            key: validator
            for key, validator in self.answers.items()
            if timedelta() <= now - validator.since < _TRUSTED_FOR
        }


@dataclass(frozen=True, slots=True)
class SliceValidators:
    """What to keep of the answers that a slice is made of.

    Attributes:
        identity: of the source as it is.
        start: of the slice.
        requests: what the servers said.
        left_out_from: the earliest time at the slice's end that was left out.
        unchanged: the series of which an answer that is unchanged has points.
        sound: whether every point received was of one time, and could be taken.
    """

    identity: str
    start: datetime
    requests: ConditionalRequests
    left_out_from: datetime | None
    unchanged: frozenset[str]
    sound: bool


@dataclass
class ConditionalRequests:
    """The requests of one slice, and what is known of their answers before and after it is fetched.

    Attributes:
        known: validators to be believed.
        unchanged: those that the server confirmed.
        fresh: those of new answers that the plugin keeps.
        sent: how many requests were sent.
        any_stored: whether anything stands in the database, to be relied on or not.
        start: from where on all was taken when `known` was kept.
        state: the fingerprint of what was stored from there on.
    """

    known: Mapping[str, Validator] = field(default_factory=dict)
    unchanged: dict[str, Validator] = field(default_factory=dict)
    fresh: dict[str, Validator] = field(default_factory=dict)
    sent: int = 0
    any_stored: bool = False
    start: datetime | None = None
    state: str | None = None
    _ambiguous: set[str] = field(default_factory=set)

    @classmethod
    def without_conditions(cls) -> ConditionalRequests:
        """Those that ask for everything once more, as if nothing were known."""
        return cls(any_stored=True)

    async def send(
        self,
        url: str,
        headers: Mapping[str, str],
        get: Callable[[Mapping[str, str]], Awaitable[A]],
        now: Callable[[], datetime],
        *,
        state: str = "",
    ) -> A:
        """The answer to a request; without its body if the server says that it is the one kept.

        Args:
            url: the whole address.
            headers: the plugin's own.
            get: sends it with these further headers.
            now: tells the time.
            state: what a list of files says of it, which names the state of the answer then.
        """
        self.sent += 1
        key = request_key(url, headers, state)
        if state:
            answer = await get({})
            # the key names the state
            return self._keeps(answer, key, Validator(since=now(), etag=_BY_STATE))
        if condition := self.condition(key):
            answer = await get(condition)
            if not answer.unchanged:
                return self._keepable(answer, key, headers, now())
            if self.confirm(key, answer.headers):
                return replace(answer, note=self.known[key].note)
        answer = await get({})
        return self._keepable(answer, key, headers, now())

    def knows(self, url: str, headers: Mapping[str, str], state: str) -> bool:
        """Whether an answer was kept in this state, which a list of files says it is in still."""
        return bool(state) and request_key(url, headers, state) in self.known

    def confirm_unasked(self, url: str, headers: Mapping[str, str], state: str) -> None:
        """Take an answer that is known for unchanged, without a request."""
        key = request_key(url, headers, state)
        self.sent += 1
        self.unchanged[key] = self.known[key]
        if key in self.fresh:
            self._ambiguous.add(key)

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
            # first noted, then looked: `keep` is called in the plugin's thread
            self.unchanged[key] = known
            if key in self.fresh:
                self._ambiguous.add(key)
        return is_same

    def keep(self, key: str, validator: Validator) -> None:
        """Note the validator of a new answer; two of one request in a slice are none."""
        before = self.fresh.get(key)
        self.fresh[key] = validator
        if key in self.unchanged or (before is not None and not _is_same(before, validator)):
            self._ambiguous.add(key)

    @property
    def are_apart(self) -> bool:
        """Whether every answer may be left out beside points of the same times."""
        validators = [*self.unchanged.values(), *self.fresh.values()]
        return len(validators) == self.sent and all(known.apart for known in validators)

    def may_leave_out(self, series: Iterable[Sequence[datetime]]) -> bool:
        """Whether the unchanged answers may be left out beside points at these times.

        Args:
            series: the times of each series, in order.
        """
        if len(self.unchanged) == self.sent:
            return True
        spans = [
            validator.span
            for validator in self.unchanged.values()
            if not validator.note and not validator.apart
        ]
        if None in spans:
            return False
        return not any(_meets(times, span) for times in series for span in spans if span)

    def of_slice(
        self,
        identity: str,
        start: datetime,
        *,
        times: Iterable[Sequence[datetime]],
        left_out_from: datetime | None,
        unchanged: Collection[str],
        sound: bool,
    ) -> SliceValidators | None:
        """What to keep with a slice that was received; None if nothing is kept or forgotten.

        Args:
            identity: of the source as it is.
            start: of the slice.
            times: those of the points of each series, in order.
            left_out_from: the earliest time at the slice's end that was left out.
            unchanged: the series of which an answer that is unchanged has points.
            sound: whether every point received was of one time, and could be taken.

        Raises:
            WholeAnswerNeeded: the unchanged answers must not be left out beside these points.
        """
        if not (self.any_stored or self.fresh or self.unchanged):
            return None
        if self.unchanged and not (sound and self.may_leave_out(times)):
            raise WholeAnswerNeeded
        return SliceValidators(identity, start, self, left_out_from, frozenset(unchanged), sound)

    def validators(self, left_out_from: datetime | None) -> dict[str, Validator]:
        """The validators to keep with what is stored, some of them where there are too many.

        Args:
            left_out_from: the earliest time at the window's end that was left out. An answer that
                reaches so far, or does not say how far it reaches, will have more to tell then.
        """
        fresh = {
            key: validator
            for key, validator in self.fresh.items()
            if key not in self._ambiguous
            and len(validator.note) <= _MAX_NOTE
            and (
                left_out_from is None
                or validator.note
                or (validator.last and validator.last < left_out_from)
            )
        }
        both = {**{k: v for k, v in self.unchanged.items() if k not in self._ambiguous}, **fresh}
        files = [item for item in both.items() if item[1].apart]
        others = [item for item in both.items() if not item[1].apart]
        return dict([*others[-_MAX_ANSWERS:], *files[-_MAX_FILES:]])

    def _keepable(self, answer: A, key: str, headers: Mapping[str, str], now: datetime) -> A:
        """The answer, which the plugin may keep if the server can recognise it."""
        validator = validator_of(answer.headers, sent=headers, now=now)
        if validator is None or answer.redirected:
            return answer
        return self._keeps(answer, key, validator)

    def _keeps(self, answer: A, key: str, validator: Validator) -> A:
        if answer.status != HTTPStatus.OK:
            return answer

        def keep(
            first: datetime | None, last: datetime | None, note: str, *, apart: bool = False
        ) -> None:
            known = msgspec.structs.replace(
                validator, first=first, last=last, note=note, apart=apart
            )
            self.keep(key, known)

        return replace(answer, on_keep=keep)


class _Answer(Protocol):
    """What is looked at of an answer, and replaced: `note` and `on_keep`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def redirected(self) -> bool: ...
    @property
    def unchanged(self) -> bool: ...


A = TypeVar("A", bound=_Answer)


def request_key(url: str, headers: Mapping[str, str], state: str = "") -> str:
    """What identifies a request, without telling its secrets: address and headers, hashed.

    With a state, it identifies the answer in this state.
    """
    lines = [url, *sorted(f"{name.lower()}: {value}" for name, value in headers.items())]
    lines += [f"\n{state}"] if state else []
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def validator_of(
    headers: Mapping[str, str], *, sent: Mapping[str, str], now: datetime
) -> Validator | None:
    """The validator of an answer; None if there is none that is beyond doubt.

    Not a weak ETag, which may stay while the content changes; not a date that is less than a minute
    old; not where the answer depends on more than the request (`Vary`).

    Args:
        headers: of the answer, names in lower case.
        sent: the headers of the request beside those that all have.
        now: the time.
    """
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    if not varies <= _OURS | {name.lower() for name in sent}:
        return None
    etag = headers.get("etag", "").strip()
    if _is_strong(etag):
        return Validator(since=now, etag=etag)
    modified = headers.get("last-modified", "").strip()
    if modified and len(modified) <= _MAX_HEADER and _has_rested(modified, headers.get("date", "")):
        return Validator(since=now, modified=modified)
    return None


def _is_strong(etag: str) -> bool:
    content = etag[1:-1]
    return (
        len(etag) <= _MAX_HEADER
        and len(etag) > len('""')
        and etag[0] == etag[-1] == '"'
        and content.isascii()
        and content.isprintable()
        and '"' not in content
    )


def _has_rested(modified: str, date: str) -> bool:
    try:
        return parsedate_to_datetime(date) - parsedate_to_datetime(modified) >= _QUIET
    except (TypeError, ValueError, OverflowError):
        return False


def _meets(times: Sequence[datetime], span: tuple[datetime, datetime]) -> bool:
    """Whether any of the times, which are in order, lies in the span, its ends included."""
    position = bisect_left(times, span[0])
    return position < len(times) and times[position] <= span[1]


def _is_same(validator: Validator, other: Validator) -> bool:
    return (validator.etag, validator.modified) == (other.etag, other.modified)
