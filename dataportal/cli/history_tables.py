"""What `history` writes as Parquet and Arrow: the values at a time, or whole versions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dataportal.analysis.arrow_schema import TableFacts, series_facts
from dataportal.analysis.assumptions import ASSUMED_NOTE
from dataportal.analysis.series_questions import (
    PointsAsked,
    notes_on_beginnings,
    notes_on_finality,
    series_question,
)
from dataportal.analysis.wording import Wording
from dataportal.cli.history_answers import stored_versions, with_whole_days
from dataportal.cli.table_output import tell_size, write_series_tables
from dataportal.errors import UsageError
from dataportal.render.console import say
from dataportal.render.table_files import SeriesTable
from dataportal.store.read.arrow import arrow_schema, snapshot
from dataportal.store.read.points import Kind, PointQuestion, StoredPoints, point_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import psycopg

    from dataportal.cli.history_answers import Question
    from dataportal.render.table_formats import TableFormat
    from dataportal.store.read.history import StoredSeries


def write_history(
    connection: psycopg.Connection,
    question: Question,
    selected: Sequence[StoredSeries],
    output: Path,
    form: TableFormat,
) -> None:
    """Write the answer for series into a file or a folder; notes are said on the way.

    Raises:
        UsageError: the question cannot be answered of one.
        FileError: it cannot be written.
    """
    if question.limit is not None:
        raise UsageError(
            f"--limit does not go with --format {form}",
            hint="Choose observations with --start and --end; read has --limit too",
        )
    write = _write_versions if question.versions else _write_observations
    with snapshot(connection):
        rows = write(connection, question, selected, output, form)
    tell_size(output, rows)


def _write_versions(
    connection: psycopg.Connection,
    q: Question,
    selected: Sequence[StoredSeries],
    output: Path,
    form: TableFormat,
) -> int:
    stored = [stored_versions(connection, q, series) for series in selected]
    is_cut = q.by_publication and q.recorded is not None
    facts = TableFacts(
        tuple(
            series_facts(s, final=is_cut and q.recorded is not None and s.is_final(q.recorded))
            for s in selected
        ),
        by_publication=q.by_publication,
        recorded=q.recorded,
        notes=(ASSUMED_NOTE,) if q.assume else (),
    )
    for note in facts.notes:
        say(note)
    tables = (
        SeriesTable(own, versions.record_batches())
        for own, versions in zip(facts.series, stored, strict=True)
    )
    return write_series_tables(output, form, facts, arrow_schema(stored[0].columns), tables)


def _write_observations(
    connection: psycopg.Connection,
    q: Question,
    selected: Sequence[StoredSeries],
    output: Path,
    form: TableFormat,
) -> int:
    question = PointQuestion(
        kind=Kind.LATEST if q.as_of is None and not q.by_publication else Kind.AS_OF,
        published=q.by_publication,
        recorded_by=q.recorded,
        at=q.as_of,
        assume=q.assume,
    )
    points = PointsAsked(
        question=question,
        as_of_day=None,
        issue=None,
        zone=q.zone,
        start=q.start,
        end=q.end,
        wording=Wording.COMMAND,
    )
    asked = []
    for series in selected:
        # a bare date is a day of who published the series
        at = with_whole_days(q, series).as_of
        own = replace(points, question=replace(question, at=at))
        asked.append(series_question(connection, own, series))
    notes: list[str] = []
    if question.kind is Kind.AS_OF:
        notes += notes_on_beginnings(connection, points, asked)
        notes += notes_on_finality(question, asked, end=q.end, wording=Wording.COMMAND)
    for note in notes:
        say(note)
    times = {asked_series.question.at for asked_series in asked}
    facts = TableFacts(
        tuple(
            series_facts(asked_series.series, final=asked_series.final) for asked_series in asked
        ),
        by_publication=q.by_publication,
        as_of=times.pop() if len(times) == 1 else None,
        recorded=q.recorded,
        notes=tuple(notes),
    )
    columns = [column for column in point_columns(question) if column.label != "final"]
    labels = [column.label for column in columns]
    tables = (
        SeriesTable(
            own,
            StoredPoints(
                connection, asked_series.question, asked_series.series, q.start, q.end
            ).record_batches(labels),
        )
        for own, asked_series in zip(facts.series, asked, strict=True)
    )
    return write_series_tables(output, form, facts, arrow_schema(columns), tables)
