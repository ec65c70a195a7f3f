"""Reads the options of `read` that say which version of each observation is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.analysis.questions import (
    LATEST,
    check_exclusive,
    parse_cutoff,
    parse_issue,
    parse_lead,
    parse_release,
    parse_zone,
)
from dataportal.analysis.wording import Wording
from dataportal.cli.decision_files import read_decisions
from dataportal.cli.times import option_day, option_instant
from dataportal.errors import UsageError
from dataportal.resampling import Aggregate, parse_step
from dataportal.store.read.points import ASSUMING, Kind, PointQuestion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, tzinfo
    from pathlib import Path

    from dataportal.analysis.questions import IssueTime
    from dataportal.granularity import IntervalLength
    from dataportal.settings import Settings
    from dataportal.store.read.points import Decision

_WORDING = Wording.COMMAND


class PointOptions(NamedTuple):
    """The options for points in time, as they were written; one of them at most."""

    as_of: str | None
    lead: str | None
    cutoff: str | None
    issued: str | None
    release: str | None
    at: Path | None


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
    assume: bool,
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
    question = PointQuestion(published=by_publication, recorded_by=recorded_by, assume=assume)
    issue = None
    if options.as_of is not None:
        at = option_instant("--as-of", options.as_of, settings, now=now)
        question = replace(question, kind=Kind.AS_OF, at=at)
    elif options.lead is not None:
        question = replace(question, kind=Kind.LEAD, lead=parse_lead(options.lead, _WORDING))
    elif options.cutoff is not None:
        cutoff = parse_cutoff(options.cutoff, zone=settings.zone, wording=_WORDING)
        question = replace(question, kind=Kind.CUTOFF, cutoff=cutoff)
    elif options.issued is not None:
        question = replace(question, kind=Kind.ISSUE)
        issue = parse_issue(options.issued, zone=settings.zone, now=now, wording=_WORDING)
    elif options.release is not None and options.release != LATEST:
        number = parse_release(options.release, _WORDING)
        question = replace(question, kind=Kind.RELEASE, number=number)
    if question.kind is Kind.LATEST and by_publication:
        question = replace(question, kind=Kind.AS_OF)
    if assume and question.kind not in ASSUMING and options.at is None:
        raise UsageError(
            "--assume goes with --as-of, --lead, --cutoff or --at",
            hint="They ask what was known at a time, and so what would have been known",
        )
    return Request(
        question=question,
        as_of_day=option_day(options.as_of) if by_publication else None,
        issue=issue,
        decisions=None if options.at is None else read_decisions(options.at, settings.zone),
        every=None if every is None else _parse_every(every),
        aggregate=aggregate or Aggregate.MEAN,
        zone=settings.zone if zone is None else parse_zone("zone", zone, _WORDING),
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
    given = [name for name, value in options._asdict().items() if value is not None]
    check_exclusive(given, _WORDING)
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


def _parse_every(text: str) -> IntervalLength:
    try:
        return parse_step(text)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None
