"""Reads the options of `read` that say which version of each observation is asked for."""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.cli.times import option_day, option_instant
from dataportal.errors import FileError, UsageError
from dataportal.resampling import Aggregate, parse_step
from dataportal.store.read.points import Cutoff, Decision, Kind, PointQuestion
from dataportal.times import parse_duration, parse_instant, time_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime, tzinfo
    from pathlib import Path

    from dataportal.granularity import IntervalLength
    from dataportal.settings import Settings

_CUTOFF = re.compile(
    r"D\s*(?:(?P<sign>[-+])\s*(?P<days>\d{1,4}))?\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\s+(?P<zone>\S+))?",
    re.IGNORECASE | re.ASCII,
)
_HEADS = ("decided_at", "decision_time", "decision", "available_at", "as_of", "at")
_COLUMNS = 2
_LONGEST_LEAD = timedelta(days=365_000)  # PostgreSQL's calendar begins 4713 BC
LATEST = "latest"


class PointOptions(NamedTuple):
    """The options for points in time, as they were written; one of them at most."""

    as_of: str | None
    lead: str | None
    cutoff: str | None
    issued: str | None
    release: str | None
    at: Path | None


class IssueTime(NamedTuple):
    """Which run of a forecast is meant.

    Attributes:
        text: as it was written.
        start: not before; None for the latest of all.
        length: how long a span the text names; nothing for an exact time.
        day: the day that it names, which begins by the clocks of a series.
    """

    text: str
    start: datetime | None
    length: timedelta
    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be read.

    Attributes:
        question: which version of each observation.
        as_of_day: the day that `--as-of` names, which ends by the clocks of a series.
        issue: which run of a forecast.
        decisions: the rows of a table; None where there is none.
        every: the length of the intervals that values are resampled to; None for as they are.
        aggregate: what becomes of the values of one.
        zone: whose calendar it is.
        start: the first ts.
        end: the ts before which to end.
        limit: how many of the newest rows.
        wide: a column for each series.
        now: the present.
    """

    question: PointQuestion
    as_of_day: date | None
    issue: IssueTime | None
    decisions: Sequence[Decision] | None
    every: IntervalLength | None
    aggregate: Aggregate
    zone: tzinfo
    start: datetime | None
    end: datetime | None
    limit: int | None
    wide: bool
    now: datetime


def parse_request(
    options: PointOptions,
    *,
    by_publication: bool,
    recorded: str | None,
    every: str | None,
    aggregate: Aggregate | None,
    zone: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int | None,
    wide: bool,
    settings: Settings,
    now: datetime,
) -> Request:
    """What the options ask for.

    Raises:
        UsageError: they contradict each other, or one of them is not what it should be.
        FileError: the table of decisions cannot be read.
    """
    _check_together(options, recorded, every, aggregate, zone, (start, end, limit), by_publication)
    recorded_by = option_instant("--recorded", recorded, settings, now=now)
    question = PointQuestion(published=by_publication, recorded_by=recorded_by)
    issue = None
    if options.as_of is not None:
        at = option_instant("--as-of", options.as_of, settings, now=now)
        question = replace(question, kind=Kind.AS_OF, at=at)
    elif options.lead is not None:
        question = replace(question, kind=Kind.LEAD, lead=_parse_lead(options.lead))
    elif options.cutoff is not None:
        cutoff = _parse_cutoff(options.cutoff, settings)
        question = replace(question, kind=Kind.CUTOFF, cutoff=cutoff)
    elif options.issued is not None:
        question = replace(question, kind=Kind.ISSUE)
        issue = _parse_issue(options.issued, settings, now)
    elif options.release is not None and options.release != LATEST:
        number = _parse_release(options.release)
        question = replace(question, kind=Kind.RELEASE, number=number)
    if question.kind is Kind.LATEST and by_publication:
        question = replace(question, kind=Kind.AS_OF)
    return Request(
        question=question,
        as_of_day=option_day(options.as_of) if by_publication else None,
        issue=issue,
        decisions=None if options.at is None else read_decisions(options.at, settings.zone),
        every=None if every is None else _parse_every(every),
        aggregate=aggregate or Aggregate.MEAN,
        zone=settings.zone if zone is None else _zone("--zone", zone),
        start=start,
        end=end,
        limit=limit,
        wide=wide,
        now=now,
    )


def _check_together(
    options: PointOptions,
    recorded: str | None,
    every: str | None,
    aggregate: Aggregate | None,
    zone: str | None,
    rows: tuple[Any, ...],
    by_publication: bool,  # noqa: FBT001 - as the others, by position
) -> None:
    names = {name: f"--{name.replace('_', '-')}" for name in PointOptions._fields}
    given = [names[name] for name, value in options._asdict().items() if value is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} exclude each other",
            hint="Each of them says by itself which version of an observation is meant",
        )
    if recorded is not None and not by_publication:
        raise UsageError(
            "--recorded goes with --by published",
            hint="What was known here by a time is what --as-of asks for",
        )
    for name, value in (("--agg", aggregate), ("--zone", zone)):
        if value is not None and every is None:
            raise UsageError(f"{name} goes with --every", hint="For example: --every '1 day'")
    if options.at is not None and (every is not None or any(row is not None for row in rows)):
        raise UsageError(
            "--at names every ts itself: leave --start, --end, --limit and --every out"
        )


def _parse_lead(text: str) -> timedelta:
    is_after = text.strip().startswith("-")
    try:
        lead = parse_duration(text.strip().removeprefix("-"))
    except ValueError as error:
        raise UsageError(f"--lead: {error}") from None
    if lead > _LONGEST_LEAD:
        raise UsageError(f"--lead {text} is longer than any history")
    return -lead if is_after else lead


def _parse_cutoff(text: str, settings: Settings) -> Cutoff:
    match, hint = _CUTOFF.fullmatch(text.strip()), "Write it like 'D-1 06:00 Europe/Berlin'"
    if match is None:
        raise UsageError(f"--cutoff {text!r} is no time of day", hint=hint)
    try:
        clock = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    except ValueError as error:
        raise UsageError(f"--cutoff {text!r}: {error}", hint=hint) from None
    days = int(match["days"] or 0) * (-1 if match["sign"] == "+" else 1)
    name = match["zone"] or getattr(settings.zone, "key", "UTC")
    return Cutoff(days, clock, _zone("--cutoff", name))


def _parse_issue(text: str, settings: Settings, now: datetime) -> IssueTime:
    if text.strip().lower() == LATEST:
        return IssueTime(text, None, timedelta(), None)
    start = option_instant("--issued", text, settings, now=now)
    assert start is not None  # noqa: S101 - there is a text
    day = option_day(text)
    if day is not None:
        return IssueTime(text, start, timedelta(days=1), day)
    length = timedelta()
    if not start.microsecond:
        length = timedelta(seconds=1) if start.second else timedelta(minutes=1)
    return IssueTime(text, start, length, None)


def _parse_release(text: str) -> int:
    if text.strip().lower() == "first":
        return 1
    if text.isdecimal() and 0 < int(text) < 1_000_000:  # noqa: PLR2004 - versions of one observation
        return int(text)
    raise UsageError(f"--release {text!r} is none: say first, a number from 1 on, or latest")


def _parse_every(text: str) -> IntervalLength:
    try:
        return parse_step(text)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None


def _zone(option: str, name: str) -> Any:
    try:
        return time_zone(name)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def read_decisions(path: Path, zone: tzinfo) -> list[Decision]:
    """The rows of a table of ts and time of decision: CSV, with a header or without.

    With a header the columns are `ts` and `decided_at`, or another name for that; what else it has
    is left out.

    Args:
        path: the file; `-` is stdin.
        zone: in which times without an offset are read.

    Raises:
        FileError: it cannot be read, or a row is none; which one.
    """
    try:
        if str(path) == "-":
            return _parse_decisions("stdin", sys.stdin, zone)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parse_decisions(str(path), file, zone)
    except FileNotFoundError:
        raise FileError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read: {error}") from None


def _parse_decisions(name: str, lines: Iterable[str], zone: tzinfo) -> list[Decision]:
    reader = csv.reader(lines)
    decisions: list[Decision] = []
    columns: tuple[int, int] | None = None
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if columns is None:
            columns = _header(row)
            if columns is not None:
                continue
            columns = (0, 1)
        if max(columns) >= len(row):
            raise FileError(f"{name}:{reader.line_num}: a row needs a ts and a time of decision")
        try:
            times = [parse_instant(row[column], zone=zone) for column in columns]
        except ValueError as error:
            raise FileError(f"{name}:{reader.line_num}: {error}") from None
        decisions.append(Decision(*times))
    if not decisions:
        raise FileError(f"{name} holds no rows of ts and time of decision")
    return decisions


def _header(row: list[str]) -> tuple[int, int] | None:
    """The positions of both columns, if the row is a header."""
    names = [cell.strip().lower() for cell in row]
    if "ts" not in names:
        return None
    others = [names.index(name) for name in _HEADS if name in names]
    others += [column for column in range(_COLUMNS) if names[column : column + 1] != ["ts"]]
    return names.index("ts"), others[0]
