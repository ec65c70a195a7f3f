"""What `read` answers: asks the store for the values of each series, for the renderer.

More than 500 lines, as each form of answer is made from the same questions beside the others.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from dataportal.analysis.arrow_schema import TableFacts, series_facts
from dataportal.analysis.assumptions import check_availability
from dataportal.analysis.series_questions import (
    PointsAsked,
    SeriesQuestion,
    notes_on_beginnings,
    notes_on_finality,
    series_question,
)
from dataportal.analysis.wording import Wording
from dataportal.render.console import say
from dataportal.render.formatting import format_instant, pluralize
from dataportal.render.read import SeriesText, Values
from dataportal.resampling import interval_bounds, resample
from dataportal.store.read.arrow import snapshot
from dataportal.store.read.points import (
    AssumedDecisionPoint,
    AssumedPoint,
    Kind,
    StoredPoints,
    point_columns,
    points_at,
)
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    import psycopg

    from dataportal.cli.read_questions import Request
    from dataportal.render.read import Cell
    from dataportal.render.table_files import SeriesTable
    from dataportal.resampling import Interval
    from dataportal.store.read.arrow import Column
    from dataportal.store.read.history import StoredSeries
    from dataportal.store.read.points import (
        DecisionPoint,
        Point,
    )

    Progress = Callable[..., None]

_ROWS_HELD, _FEWEST_AT_A_TIME = 100_000, 100
"""Rows of all series that are held where they are put side by side, and of one series at least."""


@contextmanager
def answer_points(
    connection: psycopg.Connection,
    request: Request,
    selected: Sequence[StoredSeries],
    progress: Progress,
) -> Iterator[Values]:
    """The values of series in order of ts, all as they are at one moment."""
    if request.question.assume:
        check_availability(selected, Wording.COMMAND)
    with snapshot(connection):
        points = _new_question(request)
        asked = [series_question(connection, points, series) for series in selected]
        notes = [*_tell_beginnings(connection, request, asked), *_tell_finality(request, asked)]
        rows = _wide_rows if request.wide else _long_rows
        names = [asked_series.series.endpoint_prefix for asked_series in asked]
        own = ["ts", "assumed"] if request.question.assume else ["ts"]
        yield Values(
            title=_title(request, asked),
            head=_head(request, asked),
            columns=[*own, *names] if request.wide else _columns(request),
            rows=rows(connection, request, asked, progress),
            series=names if request.wide else (),
            texts=_texts(connection, request, asked, progress),
            facts=_facts(request, asked, notes),
            tables=_tables(connection, request, asked, progress),
            table_columns=_table_columns(request),
        )


@contextmanager
def answer_decisions(
    connection: psycopg.Connection,
    request: Request,
    selected: Sequence[StoredSeries],
    progress: Progress,
) -> Iterator[Values]:
    """The values of series at the times of decisions, in their order."""
    decisions, question = request.decisions or (), request.question
    if question.assume:
        check_availability(selected, Wording.COMMAND)
    last = max(decision.decided_at for decision in decisions)
    decided = question.recorded_by if question.published else last
    asked = [
        SeriesQuestion(
            series,
            question,
            decided is not None and series.is_final(decided) and not question.assume,
        )
        for series in selected
    ]
    notes = _tell_finality(request, asked)
    names = [series.endpoint_prefix for series in selected]
    with snapshot(connection):
        points = points_at(
            connection,
            names,
            decisions,
            published=question.published,
            recorded_by=question.recorded_by,
            assume=question.assume,
        )
        rows = _count_progress(points, len(decisions) * len(names), progress)
        columns = ["ts", "decided_at"]
        assumed = ["assumed"] if question.assume else []
        if request.wide:
            columns += assumed
            columns += names
        else:
            since = ["published_at", "recorded_at"] if question.published else ["valid_from"]
            columns = ["series", *columns, "value", *since, "final", *assumed]
        yield Values(
            title=_title(request, asked),
            head=_head(request, asked),
            columns=columns,
            rows=_wide_decisions(rows, assume=question.assume)
            if request.wide
            else _long_decisions(rows, asked),
            series=names if request.wide else (),
            facts=_facts(request, asked, notes),
        )


def _new_question(request: Request) -> PointsAsked:
    return PointsAsked(
        question=request.question,
        as_of_day=request.as_of_day,
        issue=request.issue,
        zone=request.zone,
        start=request.start,
        end=request.end,
        wording=Wording.COMMAND,
    )


def _tell_beginnings(
    connection: psycopg.Connection, request: Request, asked: Sequence[SeriesQuestion]
) -> list[str]:
    """Tell people of series of which there is nothing to say yet at the time that they name."""
    notes = list(notes_on_beginnings(connection, _new_question(request), asked))
    for note in notes:
        say(note)
    return notes


def _tell_finality(request: Request, asked: Sequence[SeriesQuestion]) -> list[str]:
    """Tell people where an answer is provisional, and why."""
    if not _is_of_the_past(request):
        return []
    notes = list(
        notes_on_finality(request.question, asked, end=request.end, wording=Wording.COMMAND)
    )
    for note in notes:
        say(note)
    return notes


def _facts(request: Request, asked: Sequence[SeriesQuestion], notes: Sequence[str]) -> TableFacts:
    """What a file of the answer says of itself."""
    question = request.question
    times = {asked_series.question.at for asked_series in asked}
    is_issue = question.kind is Kind.ISSUE
    return TableFacts(
        tuple(
            series_facts(
                asked_series.series,
                final=asked_series.final,
                issued_at=asked_series.question.at if is_issue else None,
            )
            for asked_series in asked
        ),
        by_publication=question.published,
        as_of=times.pop() if question.kind is Kind.AS_OF and len(times) == 1 else None,
        recorded=question.recorded_by,
        notes=tuple(notes),
    )


def _is_of_the_past(request: Request) -> bool:
    return request.decisions is not None or request.question.is_of_the_past


def _title(request: Request, asked: Sequence[SeriesQuestion]) -> str:
    """What is shown, in a line."""
    question, zone = request.question, request.zone
    names = [asked_series.series.endpoint_prefix for asked_series in asked]
    what = names[0] if len(names) == 1 else f"{len(names)} series"
    units = {asked_series.series.unit for asked_series in asked}
    unit = units.pop() if len(units) == 1 else None
    how = "published" if question.published else "known"
    match question.kind:
        case _ if request.decisions is not None:
            point = f"as {how} at {pluralize(len(request.decisions), 'decision')}"
        case Kind.AS_OF:
            times = {asked_series.question.at for asked_series in asked}
            at = times.pop() if len(times) == 1 else None
            point = f"as {how} {format_instant(at, zone)}" if at else f"as {how} by now"
        case Kind.LEAD if question.lead is not None:
            after = question.lead < timedelta()
            side = "after" if after else "before"
            point = f"as {how} {format_duration(abs(question.lead))} {side} each ts"
        case Kind.CUTOFF if question.cutoff is not None:
            cutoff = question.cutoff
            day = f"D{-cutoff.days:+d}" if cutoff.days else "D"
            point = f"as {how} {day} {cutoff.clock:%H:%M} {cutoff.zone.key}"
        case Kind.ISSUE:
            times = {asked_series.question.at for asked_series in asked}
            at = times.pop() if len(times) == 1 else None
            point = f"as issued {format_instant(at, zone)}" if at else "as issued"
        case Kind.RELEASE:
            point = f"release {question.number}" + (", as published" if question.published else "")
        case _:
            point = "as known now"
    if question.assume:
        point += ", assumed where back-filled"
    if request.every is not None:
        point = f"{request.aggregate} of {_every_text(request)}, {point}"
    finality = ""
    if _is_of_the_past(request):
        finality = (
            ", final" if all(asked_series.final for asked_series in asked) else ", provisional"
        )
    return f"{what}{f' in {unit}' if unit and unit != '1' else ''}, {point}{finality}"


def _every_text(request: Request) -> str:
    length = request.every
    if length is None:
        return ""
    if length.months:
        years, months = divmod(length.months, 12)
        return pluralize(length.months, "month") if months else pluralize(years, "year")
    return format_duration(timedelta(days=length.days) + length.rest)


def _head(request: Request, asked: Sequence[SeriesQuestion]) -> dict[str, Any]:
    """The fields of a JSON document before its rows; what was not asked is null."""
    question, cutoff = request.question, request.question.cutoff
    is_issue = question.kind is Kind.ISSUE
    return {
        "by": "published" if question.published else "known",
        "as_of": question.at if question.kind is Kind.AS_OF else None,
        "lead": question.lead,
        "cutoff": None
        if cutoff is None
        else {"days": cutoff.days, "time": f"{cutoff.clock}", "zone": cutoff.zone.key},
        "release": question.number,
        "recorded": question.recorded_by,
        "assume": question.assume,
        "start": request.start,
        "end": request.end,
        "every": _every_text(request) or None,
        "agg": str(request.aggregate) if request.every else None,
        "zone": str(request.zone) if request.every else None,
        "final": bool(asked) and all(asked_series.final for asked_series in asked),
        "series": [
            {
                "endpoint_prefix": asked_series.series.endpoint_prefix,
                "name": asked_series.series.name,
                "unit": asked_series.series.unit,
                "granularity": asked_series.series.granularity,
                "timezone": asked_series.series.ts_timezone,
                "known_through": asked_series.series.known_through,
                "availability": asked_series.series.availability_text,
                "issued_at": asked_series.question.at if is_issue else None,
                "final": asked_series.final,
            }
            for asked_series in asked
        ],
    }


def _columns(request: Request) -> list[str]:
    if request.every is not None:
        columns = ["series", "ts", "value", "count"]
    elif request.question.published:
        columns = ["series", "ts", "value", "published_at", "recorded_at"]
    else:
        columns = ["series", "ts", "value", "valid_from", "valid_to"]
    if request.question.assume:
        return [*columns, "final", "assumed"]
    return [*columns, "final"] if _is_of_the_past(request) else columns


def _stored_points(
    connection: psycopg.Connection, request: Request, asked_series: SeriesQuestion
) -> StoredPoints:
    limit = request.limit if request.every is None else None
    return StoredPoints(
        connection,
        asked_series.question,
        asked_series.series,
        request.start,
        request.end,
        limit,
    )


def _texts(
    connection: psycopg.Connection,
    request: Request,
    asked: Sequence[SeriesQuestion],
    progress: Progress,
) -> Iterable[SeriesText] | None:
    """Rows as text of the database's own, where they are neither counted nor changed."""
    if request.wide or request.every is not None or request.limit is not None:
        return None
    wanted = _is_of_the_past(request)
    return (
        SeriesText(
            asked_series.series.endpoint_prefix,
            _stored_points(connection, request, asked_series).csv_blocks(with_finality=wanted),
        )
        for asked_series in _count_progress(asked, len(asked), progress)
    )


def _table_columns(request: Request) -> Sequence[Column]:
    """The columns of `_tables`, which are those of CSV but for the name."""
    columns = point_columns(request.question)
    is_past = _is_of_the_past(request)
    return [column for column in columns if is_past or column.label != "final"]


def _tables(
    connection: psycopg.Connection,
    request: Request,
    asked: Sequence[SeriesQuestion],
    progress: Progress,
) -> Iterable[SeriesTable] | None:
    """Rows as Arrow, where they are neither counted nor changed."""
    if request.wide or request.every is not None or request.limit is not None:
        return None
    return _series_tables(connection, request, asked, progress)


def _series_tables(
    connection: psycopg.Connection,
    request: Request,
    asked: Sequence[SeriesQuestion],
    progress: Progress,
) -> Iterator[SeriesTable]:
    from dataportal.render.table_files import SeriesTable

    labels = [column.label for column in _table_columns(request)]
    facts = _facts(request, asked, ())
    counted = _count_progress(asked, len(asked), progress)
    for own, asked_series in zip(facts.series, counted, strict=True):
        yield SeriesTable(
            own, _stored_points(connection, request, asked_series).record_batches(labels)
        )


def _long_rows(
    connection: psycopg.Connection,
    request: Request,
    asked: Sequence[SeriesQuestion],
    progress: Progress,
) -> Iterator[Sequence[Cell]]:
    """One series after the other."""
    ends_with_finality = _is_of_the_past(request)
    for asked_series in _count_progress(asked, len(asked), progress):
        name = asked_series.series.endpoint_prefix
        if request.every is not None:
            for interval, assumed in _resample_series(connection, request, asked_series):
                final = asked_series.question.is_final(asked_series.series, interval.end)
                row = (name, interval.start, interval.value, interval.size, final, assumed)
                yield row if request.question.assume else row[: 5 if ends_with_finality else 4]
            continue
        for point in _stored_points(connection, request, asked_series):
            yield (name, *point) if ends_with_finality else (name, *point[:-1])


def _resample_series(
    connection: psycopg.Connection, request: Request, asked_series: SeriesQuestion
) -> Iterable[tuple[Interval, bool]]:
    """The intervals of one series, and whether values of each are assumed.

    Of the last ones only as many values are read as they need.
    """
    stored, limit = _stored_points(connection, request, asked_series), request.limit
    if limit is None:
        return _intervals(request, stored)
    for last in replace(stored, limit=1):
        start = _start_of_last(request, last.ts, limit)
        if start is not None:
            intervals = deque(_intervals(request, replace(stored, start=start)), maxlen=limit)
            if len(intervals) == limit:
                return intervals
    return deque(_intervals(request, stored), maxlen=limit)


def _intervals(
    request: Request, points: Iterable[Point | AssumedPoint]
) -> Iterator[tuple[Interval, bool]]:
    if request.every is None:
        return
    assumed: deque[datetime] = deque()

    def pairs() -> Iterator[tuple[datetime, float | None]]:
        for point in points:
            if isinstance(point, AssumedPoint) and point.assumed:
                assumed.append(point.ts)
            yield point.ts, point.value

    for interval in resample(pairs(), request.every, request.aggregate, request.zone):
        is_assumed = False
        # of the next interval the first one may have been read already
        while assumed and assumed[0] < interval.end:
            is_assumed = assumed.popleft() >= interval.start or is_assumed
        yield interval, is_assumed


def _start_of_last(request: Request, last: datetime, limit: int) -> datetime | None:
    """Where to begin so that there are so many intervals, if none is empty; None for anywhere."""
    if request.every is None:
        return None
    try:
        back = last - limit * request.every.longest
    except OverflowError:
        return None
    start, _ = interval_bounds(back, request.every, request.zone)
    return start if request.start is None or start > request.start else None


def _wide_rows(
    connection: psycopg.Connection,
    request: Request,
    asked: Sequence[SeriesQuestion],
    progress: Progress,
) -> Iterator[Sequence[Cell]]:
    """One row for each ts, with what each series has there."""

    def column(
        number: int, asked_series: SeriesQuestion
    ) -> Iterator[tuple[datetime, int, float | None, bool]]:
        if request.every is not None:
            for interval, assumed in _resample_series(connection, request, asked_series):
                yield interval.start, number, interval.value, assumed
        else:
            for point in replace(
                _stored_points(connection, request, asked_series), at_a_time=at_a_time
            ):
                is_assumed = isinstance(point, AssumedPoint) and point.assumed
                yield point.ts, number, point.value, is_assumed

    del progress
    at_a_time = max(_FEWEST_AT_A_TIME, _ROWS_HELD // len(asked))
    cells = merge(*(column(number, asked_series) for number, asked_series in enumerate(asked)))
    rows = _join_columns(cells, len(asked), assume=request.question.assume)
    return iter(rows if request.limit is None else deque(rows, maxlen=request.limit))


def _join_columns(
    cells: Iterable[tuple[datetime, int, float | None, bool]], width: int, *, assume: bool
) -> Iterator[Sequence[Cell]]:
    first = 2 if assume else 1
    for ts, group in groupby(cells, key=itemgetter(0)):
        row: list[Cell] = [ts, *[None] * width]
        if assume:
            row.insert(1, False)
        for _, number, value, assumed in group:
            row[number + first] = value
            if assumed:
                row[1] = True
        yield row


def _long_decisions(
    points: Iterable[DecisionPoint | AssumedDecisionPoint], asked: Sequence[SeriesQuestion]
) -> Iterator[Sequence[Cell]]:
    by_name = {asked_series.series.endpoint_prefix: asked_series for asked_series in asked}
    for p in points:
        asked_series = by_name[p.series]
        assumed = (p.assumed,) if isinstance(p, AssumedDecisionPoint) else ()
        # where nothing is known, a backfill may yet bring what would have been
        can_change = assumed == (True,) or (assumed and p.value is None)
        decided = (
            asked_series.question.recorded_by if asked_series.question.published else p.decided_at
        )
        is_final = not can_change and decided is not None and asked_series.series.is_final(decided)
        times = (p.since, p.recorded_at) if asked_series.question.published else (p.since,)
        yield p.series, p.ts, p.decided_at, p.value, *times, is_final, *assumed


def _wide_decisions(
    points: Iterable[DecisionPoint | AssumedDecisionPoint], *, assume: bool
) -> Iterator[Sequence[Cell]]:
    for _, group in groupby(points, key=itemgetter(0)):
        row = list(group)
        values = [point.value for point in row]
        assumed = [isinstance(point, AssumedDecisionPoint) and point.assumed for point in row]
        yield [row[0].ts, row[0].decided_at, *([any(assumed)] if assume else []), *values]


def _count_progress(rows: Iterable[Any], total: int, progress: Progress) -> Iterator[Any]:
    every = max(1, total // 100)
    for done, row in enumerate(rows):
        if not done % every:
            progress(done, total)
        yield row
