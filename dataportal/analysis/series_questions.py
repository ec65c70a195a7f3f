"""A question as it is for each series, what people are told of it, and whether it is final.

Days and runs of forecasts are a series' own: which of them is meant is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.analysis.assumptions import ASSUMED_NOTE, check_availability
from dataportal.analysis.wording import Wording
from dataportal.errors import UsageError
from dataportal.local_times import end_of_day
from dataportal.store.read.history import first_knowledge_time, publication_gap
from dataportal.store.read.points import Kind, issue_neighbours, issues
from dataportal.times import iso, parse_instant, time_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime, tzinfo

    import psycopg

    from dataportal.analysis.questions import IssueTime
    from dataportal.store.read.history import StoredSeries
    from dataportal.store.read.points import PointQuestion

_FAR_AHEAD = parse_instant("9999-01-01T00:00Z")
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsAsked:
    """A question of points in time, as it was asked of several series.

    Attributes:
        question: which version of each observation.
        as_of_day: the day that `as_of` names, which ends by the clocks of a series.
        issue: which run of a forecast.
        zone: whose days are meant of a series that has no zone.
        start: the first ts.
        end: the ts before which to end.
        wording: whose words messages use.
    """

    question: PointQuestion
    as_of_day: date | None
    issue: IssueTime | None
    zone: tzinfo
    start: datetime | None
    end: datetime | None
    wording: Wording


class SeriesQuestion(NamedTuple):
    """One series, the question as it is for it, and whether its answer is final."""

    series: StoredSeries
    question: PointQuestion
    final: bool


def series_question(
    connection: psycopg.Connection, asked: PointsAsked, series: StoredSeries
) -> SeriesQuestion:
    """The question as it is for one series: days and runs are its own.

    Raises:
        UsageError: the run of a forecast that is meant is not there, or there are several; or
            something is to be assumed of a series without availability.
    """
    question = asked.question
    if question.assume:
        check_availability([series], asked.wording)
    if asked.as_of_day is not None:
        # publications of a day are out by its end, in the zone of who published them
        at = end_of_day(asked.as_of_day, _series_zone(series, asked.zone))
        question = replace(question, at=at)
    if asked.issue is not None:
        question = replace(question, at=_find_issue(connection, asked, asked.issue, series))
    return SeriesQuestion(series, question, question.is_final(series, asked.end))


def _series_zone(series: StoredSeries, otherwise: tzinfo) -> tzinfo:
    return otherwise if series.ts_timezone is None else time_zone(series.ts_timezone)


def _find_issue(
    connection: psycopg.Connection, asked: PointsAsked, issue: IssueTime, series: StoredSeries
) -> datetime:
    """The time of the one run, or publication, that is meant.

    Raises:
        UsageError: there is none, or more than one; names those that there are.
    """
    by: dict[str, Any] = {
        "published": asked.question.published,
        "recorded_by": asked.question.recorded_by,
    }
    if issue.start is None:
        newest = issue_neighbours(connection, series, _FAR_AHEAD, **by).before
        if newest is None:
            raise _no_issue(asked, issue, series)
        return newest
    start, end = issue.start, issue.start + (issue.length or timedelta.resolution)
    if issue.day is not None and by["published"]:
        end = end_of_day(issue.day, _series_zone(series, asked.zone)) + timedelta.resolution
        start = end_of_day(issue.day - timedelta(days=1), _series_zone(series, asked.zone))
        start += timedelta.resolution
    meant = issues(connection, series, start=start, end=end, **by)
    exact = [candidate.issued_at for candidate in meant if candidate.issued_at == issue.start]
    if len(meant) == 1 or (exact and issue.day is None):
        return (exact or [meant[0].issued_at])[0]
    name, option = series.endpoint_prefix, asked.wording.option("issued", issue.text)
    if meant:
        times = ", ".join(iso(candidate.issued_at) for candidate in meant[:_SHOWN])
        raise UsageError(
            f"{option}: {name!r} was issued {len(meant)} times then: {times}"
            + (" …" if len(meant) > _SHOWN else ""),
            hint="Name one of them",
        )
    near = issue_neighbours(connection, series, start, **by)
    if near == (None, None):
        raise _no_issue(asked, issue, series)
    around = " and ".join(
        f"the {word} is {iso(time)}"
        for word, time in (("last before", near.before), ("first after", near.after))
        if time is not None
    )
    hint = None
    if near.before is None and not by["published"]:
        hint = (
            "What earlier runs answered was not recorded, so that their values cannot be told "
            f"from others; {asked.wording.option('as_of')} shows what was known then"
        )
    raise UsageError(f"{option}: {name!r} was not issued then; {around}", hint=hint)


def _no_issue(asked: PointsAsked, issue: IssueTime, series: StoredSeries) -> UsageError:
    name, wording = series.endpoint_prefix, asked.wording
    option = wording.option("issued", issue.text)
    by_published = wording.option("by", "published")
    if asked.question.published:
        return UsageError(
            f"{option}: the provider does not say when it published {name!r}",
            hint=f"Leave {by_published} out",
        )
    return UsageError(
        f"{option}: no run of {name!r} recorded what it answered",
        hint="Runs do since 1.1.0, of sources with a forecast_horizon; earlier ones are refused. "
        f"{by_published} asks for what the provider issued, {wording.option('as_of')} for what "
        "was known",
    )


def notes_on_beginnings(
    connection: psycopg.Connection, asked: PointsAsked, questions: Sequence[SeriesQuestion]
) -> Iterator[str]:
    """What people are told of series of which nothing was known yet at the time that they name."""
    for series, question, _ in questions:
        name = series.endpoint_prefix
        if question.published and not question.assume:
            gap = publication_gap(connection, series.series_id, question.at or _FAR_AHEAD)
            if gap is None:
                continue
            yield (
                f"{name}: nothing of it was published before {iso(gap.until)}"
                if gap.until
                else f"{name}: the provider does not say when it published the series; leave "
                f"{asked.wording.option('by', 'published')} out"
            )
        elif question.kind is Kind.AS_OF and question.at is not None and not question.assume:
            since = first_knowledge_time(connection, series, question.at)
            if since is not None:
                yield f"{name}: nothing was known of it before {iso(since)}"


def note_on_publications(first_published: datetime | None, wording: Wording) -> str:
    """What people are told of a series of which nothing had been published by then.

    Args:
        first_published: when something was for the first time; None for never.
        wording: whose words it uses.
    """
    if first_published is not None:
        return f"nothing of the series was published before {iso(first_published)}"
    by_published = wording.option("by", "published")
    return f"the provider does not say when it published the series; leave {by_published} out"


def note_on_issues(wording: Wording) -> str:
    """What people are told of a series of which no run of a forecast is recorded."""
    return (
        "no run of a forecast is recorded of this series: runs record them for series that reach "
        "past now; where the provider says when it published, ask "
        f"{wording.option('by', 'published')}"
    )


def notes_on_finality(
    question: PointQuestion,
    questions: Sequence[SeriesQuestion],
    *,
    end: datetime | None,
    wording: Wording,
) -> Iterator[str]:
    """Why an answer of the past is provisional; nothing of one that is final."""
    provisional = [asked_series for asked_series in questions if not asked_series.final]
    if not provisional:
        return
    if question.assume:
        yield ASSUMED_NOTE
        return
    if question.published and question.recorded_by is None:
        cut = wording.option("recorded") + (" K2" if wording is Wording.COMMAND else "")
        yield (
            "this answer is provisional: what is recorded later may change it; "
            f"{cut} leaves that out"
        )
        return
    if question.kind is Kind.RELEASE and not question.published:
        yield "this answer is provisional: observations may still be added to it"
        return
    times = [asked_series.series.known_through for asked_series in provisional]
    oldest = min((time for time in times if time is not None), default=None)
    until = "is not final yet" if None in times or not oldest else f"is final up to {iso(oldest)}"
    which = (
        "the series" if len(questions) == 1 else f"{len(provisional)} of {len(questions)} series"
    )
    hint = ""
    if question.kind in {Kind.LEAD, Kind.CUTOFF} and end is None:
        hint = f"; {wording.option('end')} bounds the question"
    yield f"this answer is provisional: what is known of {which} {until}{hint}"
