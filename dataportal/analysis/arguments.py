"""Reads the arguments of the Python API: what `read` takes as text, and what Python has for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Literal

from dataportal.analysis.questions import (
    LATEST,
    bare_day,
    check_exclusive,
    check_lead,
    parse_cutoff,
    parse_issue,
    parse_lead,
    parse_release,
    parse_time,
)
from dataportal.analysis.series_questions import PointsAsked
from dataportal.analysis.wording import Wording
from dataportal.errors import QuestionError, UsageError
from dataportal.store.read.points import ASSUMING, Kind, PointQuestion
from dataportal.store.read.selection import parse_condition
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataportal.store.read.selection import Condition

Time = str | datetime | date
"""ISO 8601, "7d" for seven days ago, "now", or an aware datetime; a date is its midnight."""
Names = str | Sequence[str]
Lead = str | timedelta
Cutoff = str | tuple[str, str | time] | tuple[str, str | time, str | tzinfo]
"""`"D-1 06:00 Europe/Berlin"`, or its parts: `("D-1", "06:00", "Europe/Berlin")`."""
Where = Mapping[str, str] | Sequence[str]
By = Literal["known", "published"]

_WORDING = Wording.PYTHON
_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)")
_BY = ("known", "published")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointArguments:
    """The arguments that say which version of each observation is asked for; as they were given."""

    as_of: Time | None = None
    lead: Lead | None = None
    cutoff: Cutoff | None = None
    issued: Time | None = None
    release: int | str | None = None
    by: By = "known"
    recorded: Time | None = None
    start: Time | None = None
    end: Time | None = None
    assume: bool = False


@contextmanager
def question_errors() -> Iterator[None]:
    """Turns what a command refuses into what Python would raise, in words of Python.

    A `UsageError` becomes a `QuestionError`, which is a ValueError too; those that say more are
    something else to Python already.
    """
    try:
        yield
    except UsageError as error:
        message = _in_python(error.message)
        hint = None if error.hint is None else _in_python(error.hint)
        kind = QuestionError if type(error) is UsageError else type(error)
        raise kind(message, hint=hint) from None


def _in_python(text: str) -> str:
    """A message of a command, with arguments in place of its options."""
    text = text.replace("dataportal list-series", "portal.series()")
    return _OPTION.sub(lambda match: match[1].replace("-", "_"), text)


def read_names(names: Names | None) -> list[str]:
    """The names, or globs, of series: one, or several.

    Raises:
        QuestionError: it is none.
    """
    if isinstance(names, str):
        return [names]
    wanted = list(names or ())
    if not all(isinstance(name, str) for name in wanted):
        raise QuestionError(
            f"series={names!r} are no names of series", hint='Write them like ["load", "wind-*"]'
        )
    return wanted


def read_where(where: Where | None) -> list[Condition]:
    """The conditions that series must meet: `{"unit": "MW"}` or `["unit=MW"]`.

    Raises:
        QuestionError: one is none.
    """
    if where is None:
        return []
    texts = where
    if isinstance(where, Mapping):
        texts = [f"{key}={value}" for key, value in where.items()]
    elif isinstance(where, str):
        texts = [where]
    with question_errors():
        return [parse_condition(text) for text in texts]


def read_points(arguments: PointArguments, *, zone: tzinfo, now: datetime) -> PointsAsked:
    """What the arguments ask for.

    Args:
        arguments: as they were given.
        zone: in which times without an offset are read.
        now: the present.

    Raises:
        QuestionError: they contradict each other, or one of them is not what it should be.
    """
    with question_errors():
        return _read_points(arguments, zone, now)


def read_published(by: str) -> bool:
    """Whether a question goes by the times of publication.

    Raises:
        QuestionError: it says neither.
    """
    if by not in _BY:
        raise QuestionError(f"by={by!r} is none of {', '.join(map(repr, _BY))}")
    return by == "published"


def read_time(name: str, value: Time | None, *, zone: tzinfo, now: datetime) -> datetime | None:
    """The instant that an argument names, in UTC; None where it is missing.

    Raises:
        QuestionError: it is none, or has no zone.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            raise QuestionError(
                f"{name}={value.isoformat()} has no time zone",
                hint="Give it one: datetime(…, tzinfo=UTC), or a text such as "
                f'"{value.isoformat()}Z"',
            )
        return value.astimezone(UTC)
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str):
        raise QuestionError(f"{name}={value!r} is no time")
    with question_errors():
        return parse_time(name, text, zone=zone, now=now, wording=_WORDING)


def read_window(
    start: Time | None, end: Time | None, *, zone: tzinfo, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """The range of times that `start` and `end` name, open where one is missing.

    Raises:
        QuestionError: one is no time, or the range is empty.
    """
    first = read_time("start", start, zone=zone, now=now)
    last = read_time("end", end, zone=zone, now=now)
    if first is not None and last is not None and first >= last:
        raise QuestionError(f"start={start!s} does not lie before end={end!s}")
    return first, last


def _read_points(arguments: PointArguments, zone: tzinfo, now: datetime) -> PointsAsked:
    exclusive = ("as_of", "lead", "cutoff", "issued", "release")
    given = {name: v for name in exclusive if (v := getattr(arguments, name)) is not None}
    check_exclusive(list(given), _WORDING)
    published = read_published(arguments.by)
    if arguments.recorded is not None and not published:
        raise UsageError(
            f"recorded goes with {_WORDING.option('by', 'published')}",
            hint="What was known here by a time is what as_of asks for",
        )
    recorded = read_time("recorded", arguments.recorded, zone=zone, now=now)
    question = PointQuestion(published=published, recorded_by=recorded, assume=arguments.assume)
    issue = as_of_day = None
    if arguments.as_of is not None:
        at = read_time("as_of", arguments.as_of, zone=zone, now=now)
        question = replace(question, kind=Kind.AS_OF, at=at)
        as_of_day = bare_day(_text(arguments.as_of)) if published else None
    elif arguments.lead is not None:
        question = replace(question, kind=Kind.LEAD, lead=_read_lead(arguments.lead))
    elif arguments.cutoff is not None:
        text = _cutoff_text(arguments.cutoff)
        cutoff = parse_cutoff(text, zone=zone, wording=_WORDING)
        question = replace(question, kind=Kind.CUTOFF, cutoff=cutoff)
    elif arguments.issued is not None:
        read_time("issued", _none_if_latest(arguments.issued), zone=zone, now=now)
        text = _text(arguments.issued)
        question = replace(question, kind=Kind.ISSUE)
        issue = parse_issue(text, zone=zone, now=now, wording=_WORDING)
    elif arguments.release is not None and arguments.release != LATEST:
        number = parse_release(str(arguments.release), _WORDING)
        question = replace(question, kind=Kind.RELEASE, number=number)
    if question.kind is Kind.LATEST and published:
        question = replace(question, kind=Kind.AS_OF)
    if question.assume and question.kind not in ASSUMING:
        raise UsageError(
            "assume goes with as_of, lead or cutoff",
            hint="They ask what was known at a time, and so what would have been known",
        )
    start, end = read_window(arguments.start, arguments.end, zone=zone, now=now)
    return PointsAsked(
        question=question, as_of_day=as_of_day, issue=issue, zone=zone, start=start, end=end,
        wording=_WORDING,
    )  # fmt: skip


def _read_lead(lead: Lead) -> timedelta:
    if isinstance(lead, timedelta):
        return check_lead(lead, str(lead), _WORDING)
    if not isinstance(lead, str):
        raise UsageError(f"lead={lead!r} is no duration", hint='Write it like "24h"')
    return parse_lead(lead, _WORDING)


def _cutoff_text(cutoff: Cutoff) -> str:
    if not isinstance(cutoff, str | tuple | list):
        raise UsageError(
            f"cutoff={cutoff!r} is no time of day",
            hint='Write it like ("D-1", "06:00", "Europe/Berlin")',
        )
    parts: tuple[Any, ...] = (cutoff,) if isinstance(cutoff, str) else tuple(cutoff)
    texts = (p.strftime("%H:%M:%S") if isinstance(p, time) else str(p) for p in parts)
    return " ".join(texts)


def _none_if_latest(issued: Time) -> Time | None:
    is_latest = isinstance(issued, str) and issued.strip().lower() == LATEST
    return None if is_latest else issued


def _text(value: Time) -> str:
    """A time as `read` takes it."""
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value
