"""What `history` answers: asks the store what the question asks, for the renderer of its format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dataportal.analysis.series_questions import note_on_issues, note_on_publications
from dataportal.analysis.wording import Wording
from dataportal.local_times import end_of_day
from dataportal.render.console import say
from dataportal.render.history import Cut, combine_answers, history_renderer
from dataportal.times import iso, time_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime, tzinfo

    import psycopg

    from dataportal.render.history import HistoryRenderer
    from dataportal.render.table_formats import AnswerFormat
    from dataportal.store.read.history import StoredSeries
    from dataportal.store.read.versions import StoredVersions

_REVISIONS = 10
_PARTS = 240  # of a drawing: more than a wide terminal has dots for


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about a series; at most one of its first eight fields says so.

    Attributes:
        ts: every version of the observation at this time.
        as_of: the observations as known at this time.
        versions: every version, or publication, of every observation.
        diff: what changed between these two times.
        matrix: all vintages.
        issues: the runs of a forecast.
        revisions_by_age: how much values are revised, by their age.
        availability: how long after their ts values came.
        assume: with `as_of`, what was back-filled counts as known by its availability.
        plot: draw the values; of `as_of`, of both times of `diff`, or of now.
        days: of the times of a question by publication those that are bare dates; None for others.
        by_publication: whether these times are those of the provider.
        recorded: by when a publication must have been recorded here to count; None for by now.
        start: the first ts.
        end: the ts before which to end.
        limit: how many of the newest rows; None for all.
        count_all: look at everything, however much it is.
        output_format: how it is answered.
        zone: the time zone that people read times in.
        now: the present.
    """

    ts: datetime | None
    as_of: datetime | None
    versions: bool
    diff: tuple[datetime, datetime] | None
    matrix: bool
    issues: bool
    revisions_by_age: bool
    availability: bool
    assume: bool
    plot: bool
    days: tuple[date | None, ...]
    by_publication: bool
    recorded: datetime | None
    start: datetime | None
    end: datetime | None
    limit: int | None
    count_all: bool
    output_format: AnswerFormat
    zone: tzinfo
    now: datetime


def answers(
    connection: psycopg.Connection, question: Question, series: Sequence[StoredSeries]
) -> Iterator[str]:
    """The lines of the answers for several series, one after the other."""
    lines = (answer(connection, question, s) for s in series)
    return combine_answers(question.output_format, lines)


def answer(
    connection: psycopg.Connection, question: Question, series: StoredSeries
) -> Iterator[str]:
    """The lines of the answer for one series; notes are said on the way."""
    from dataportal.store.read.history import summarize

    renderer = history_renderer(
        question.output_format,
        series=series,
        summarize=lambda: summarize(connection, series, count_all=question.count_all),
        zone=question.zone,
        now=question.now,
    )
    if question.by_publication:
        question = with_whole_days(question, series)
    if question.versions:
        yield from _versions_answer(connection, question, renderer)
    elif question.assume and question.as_of is not None:
        yield from _assumed_answer(connection, question, question.as_of, renderer)
    elif any(
        (
            question.matrix,
            question.issues,
            question.revisions_by_age,
            question.availability,
            question.plot,
        )
    ):
        yield from _revision_answer(connection, question, renderer)
    elif question.by_publication:
        yield from _published_answer(connection, question, renderer)
    else:
        yield from _known_answer(connection, question, renderer)


def _known_answer(
    connection: psycopg.Connection, q: Question, renderer: HistoryRenderer
) -> Iterator[str]:
    from dataportal.store.read import history

    series = renderer.series
    series_id = series.series_id
    if q.ts is not None:
        versions = history.versions(connection, series_id, q.ts)
        return renderer.versions(versions[-(q.limit or 0) :], q.ts)
    if q.diff is not None:
        final = _is_final(series, q.diff[1])
        changes = history.differences(
            connection, series_id, *q.diff, start=q.start, end=q.end, limit=q.limit
        )
        return renderer.changes(changes, q.diff, final=final)
    if q.as_of is not None or q.start or q.end or renderer.observations_by_default:
        final = q.as_of is not None and _is_final(series, q.as_of)
        if q.as_of is not None and (
            since := history.first_knowledge_time(connection, series, q.as_of)
        ):
            say(f"nothing was known of the series before {iso(since)}")
        observations = history.observations(
            connection, series_id, at=q.as_of, start=q.start, end=q.end, limit=q.limit
        )
        return renderer.observations(observations, q.as_of, final=final)
    return _summary(connection, q, renderer)


def _published_answer(
    connection: psycopg.Connection, q: Question, renderer: HistoryRenderer
) -> Iterator[str]:
    from dataportal.store.read import history

    series = renderer.series
    series_id = series.series_id
    _tell_unpublished(connection, series, q)
    final = _is_reproducible(series, q)
    if q.ts is not None:
        records = history.publication_records(connection, series_id, q.ts, q.recorded)
        return renderer.publication_records(
            records[-(q.limit or 0) :], q.ts, recorded=q.recorded, final=final
        )
    window: Any = {"recorded": q.recorded, "start": q.start, "end": q.end, "limit": q.limit}
    if q.diff is not None:
        changes = history.published_differences(connection, series_id, *q.diff, **window)
        return renderer.published_changes(changes, q.diff, recorded=q.recorded, final=final)
    at = q.as_of or q.now
    publications = history.publications(connection, series_id, at=at, **window)
    return renderer.publications(publications, at, recorded=q.recorded, final=final)


def stored_versions(
    connection: psycopg.Connection, q: Question, series: StoredSeries
) -> StoredVersions:
    """The versions of a series that are asked for.

    Raises:
        UsageError: something is to be assumed of a series without availability.
    """
    from dataportal.analysis.assumptions import check_availability
    from dataportal.analysis.wording import Wording
    from dataportal.store.read.versions import StoredVersions

    if q.assume:
        check_availability([series], Wording.COMMAND)
    return StoredVersions(
        connection, series, q.start, q.end, q.by_publication, q.recorded, q.assume
    )


def _versions_answer(
    connection: psycopg.Connection, q: Question, renderer: HistoryRenderer
) -> Iterator[str]:
    from dataportal.analysis.assumptions import ASSUMED_NOTE

    final = False
    if q.by_publication:
        _tell_unpublished(connection, renderer.series, q)
        final = _is_reproducible(renderer.series, q)
    rows = stored_versions(connection, q, renderer.series)
    if q.assume:
        say(ASSUMED_NOTE)
    return renderer.all_versions(rows, Cut(q.by_publication, q.recorded, final))


def _assumed_answer(
    connection: psycopg.Connection, q: Question, as_of: datetime, renderer: HistoryRenderer
) -> Iterator[str]:
    from dataportal.analysis.assumptions import ASSUMED_NOTE, check_availability
    from dataportal.analysis.wording import Wording
    from dataportal.store.read.points import AssumedPoint, Kind, PointQuestion, StoredPoints

    check_availability([renderer.series], Wording.COMMAND)
    say(ASSUMED_NOTE)
    question = PointQuestion(
        kind=Kind.AS_OF,
        published=q.by_publication,
        recorded_by=q.recorded,
        at=as_of,
        assume=True,
    )
    points = StoredPoints(connection, question, renderer.series, q.start, q.end, q.limit)
    rows = (point for point in points if isinstance(point, AssumedPoint))
    cut = Cut(q.by_publication, q.recorded, final=False)
    return renderer.assumed_observations(rows, as_of, cut)


def _revision_answer(
    connection: psycopg.Connection, q: Question, renderer: HistoryRenderer
) -> Iterator[str]:
    from dataportal.store.read import revisions
    from dataportal.store.read.plot import plot_parts

    series = renderer.series
    part = revisions.Part(
        series_id=series.series_id,
        start=q.start,
        end=q.end,
        limit=q.limit,
        by_publication=q.by_publication,
        recorded=q.recorded,
    )
    times: Sequence[datetime | None] = q.diff or (q.as_of,)
    if q.by_publication:
        _tell_unpublished(connection, series, q)
        final = _is_reproducible(series, q)
    elif q.plot:
        final = times[-1] is not None and _is_final(series, times[-1])
    else:
        # runs to come add columns, runs and revisions, and leave those that are there
        final = False
    cut = Cut(q.by_publication, q.recorded, final)
    if q.matrix:
        return renderer.matrix(revisions.matrix(connection, part), cut)
    if q.issues:
        issues = revisions.issues(connection, part)
        if not (issues or q.by_publication):
            say(note_on_issues(Wording.COMMAND))
        return renderer.issues(issues, cut)
    if q.revisions_by_age:
        ages = revisions.revisions_by_age(connection, part, series.endpoint_prefix)
        return renderer.revisions_by_age(ages, cut)
    if q.availability:
        from dataportal.store.read.availability import measure_availability

        return renderer.availability(measure_availability(connection, part), cut)
    vintages = [(at, plot_parts(connection, part, at=at, buckets=_PARTS)) for at in times]
    return renderer.plot(vintages, cut)


def _summary(
    connection: psycopg.Connection, q: Question, renderer: HistoryRenderer
) -> Iterator[str]:
    from dataportal.store.read import history

    series, limit = renderer.series, q.limit or _REVISIONS
    summary = renderer.summarize()
    if summary.is_counted:
        revisions = history.latest_revisions(connection, series.series_id, limit=limit)
    else:
        revisions = history.recent_revisions(connection, series, limit=limit)
    published = (
        history.published_revisions(
            connection,
            series.series_id,
            limit=limit,
            look_at_all=summary.publications is not None,
        )
        if summary.publications != 0
        else []
    )
    return renderer.summary(
        summary,
        revisions,
        published,
        lambda count: history.observations(connection, series.series_id, limit=count),
    )


def with_whole_days(question: Question, series: StoredSeries) -> Question:
    """A question by publication with the ends of its days in place of their beginnings.

    The publications of a day are out by its end, in the zone of who published them.
    """
    if not any(question.days):
        return question
    name = series.published_timezone or series.ts_timezone
    zone = question.zone if name is None else time_zone(name)
    ends = [None if day is None else end_of_day(day, zone) for day in question.days]
    if question.diff is not None:
        first, second = question.diff
        return replace(question, diff=(ends[0] or first, ends[1] or second))
    return replace(question, as_of=ends[0] or question.as_of)


def _tell_unpublished(
    connection: psycopg.Connection, series: StoredSeries, question: Question
) -> None:
    """Tell where nothing had been published by the time of the question, or ever."""
    from dataportal.store.read.history import publication_gap

    until = question.diff[1] if question.diff else question.as_of or question.now
    if (gap := publication_gap(connection, series.series_id, until)) is not None:
        say(note_on_publications(gap.until, Wording.COMMAND))


def _is_final(series: StoredSeries, at: datetime) -> bool:
    """Whether the answer as of `at` is final; tells the user where it is not."""
    if series.is_final(at):
        return True
    known_through = series.known_through
    until = f"is final up to {iso(known_through)}" if known_through else "is not final yet"
    say(f"this answer is provisional: what is known of the series {until}")
    return False


def _is_reproducible(series: StoredSeries, question: Question) -> bool:
    """Whether a provider that states a publication anew cannot change the answer; tells if so."""
    if question.recorded is not None:
        return _is_final(series, question.recorded)
    known_through = series.known_through
    cut = f"--recorded {iso(known_through)}" if known_through else "--recorded once a run has ended"
    say(f"this answer is provisional: a publication may be stated anew; it is final with {cut}")
    return False
