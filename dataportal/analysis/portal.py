"""The Python API: values and history of series, as they were known at points in time.

Example:
    import dataportal as dp

    portal = dp.connect()                     # DATABASE_URL
    load = portal.read("load", as_of="2026-03-01T06:00Z", start="2025-01-01")
    frame = load.to_pandas()

It reads, and can write nothing. One portal may be used by several threads at once. All times that
it gives are aware and in UTC; of those that it takes, texts without an offset are read in
SCHEDULER_TIMEZONE (UTC), and datetimes must have a zone.

More than 500 lines, as the overloads that give each answer its type stand beside the one method.
"""

from __future__ import annotations

import os
import weakref
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

from dataportal.analysis.arguments import (
    PointArguments,
    question_errors,
    read_names,
    read_points,
    read_published,
    read_time,
    read_where,
    read_window,
)
from dataportal.analysis.arrow_schema import TableFacts, series_facts
from dataportal.analysis.decisions import join_values, read_frame
from dataportal.analysis.memory import free_memory
from dataportal.analysis.point_tables import point_tables
from dataportal.analysis.rows import (
    CatalogueRow,
    GapRow,
    IssueRow,
    RevisionRow,
    RevisionStatistics,
)
from dataportal.analysis.series_questions import note_on_issues, note_on_publications
from dataportal.analysis.tables import ColumnType, Layout, Table
from dataportal.analysis.wording import Wording
from dataportal.errors import ConfigurationError, QuestionError, TooLargeError
from dataportal.settings import from_environment
from dataportal.store import open_database
from dataportal.store.read.arrow import ROWS_OF_BATCH, require_arrow, snapshot
from dataportal.store.read.catalogue import find_entries
from dataportal.store.read.gaps import gaps_of_series
from dataportal.store.read.history import publication_gap
from dataportal.store.read.points import issues as read_issues
from dataportal.store.read.revisions import Part, changes, matrix, revisions_by_age
from dataportal.store.read.selection import select_series
from dataportal.store.read.sessions import ReadingSessions
from dataportal.times import iso, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    import psycopg
    import pyarrow as pa

    from dataportal.analysis.arguments import By, Cutoff, Lead, Names, Time, Where
    from dataportal.analysis.point_tables import PointTables
    from dataportal.analysis.rows import (
        AssumedPoint,
        KnownPoint,
        PublishedPoint,
        SeriesPoint,
        WideRow,
    )
    from dataportal.settings import Settings
    from dataportal.store.read.history import StoredSeries
    from dataportal.store.read.revisions import Matrix, RevisionsOfAge

_VARIABLES = ("DATABASE_URL", "DATABASE_URL_FILE", "DATABASE_READ_URL", "SCHEDULER_TIMEZONE")
_SHARE = 0.8
"""How much of the memory that is free a table may take."""
_BYTES_OF_CELL = 8
_TIME, _TEXT, _NUMBER = ColumnType.TIME, ColumnType.TEXT, ColumnType.NUMBER
_INTEGER, _DURATION = ColumnType.INTEGER, ColumnType.DURATION
_CATALOGUE = Layout(
    {
        **dict.fromkeys(CatalogueRow._fields, _TEXT),
        **dict.fromkeys(("first_ts", "last_ts", "known_through"), _TIME),
    },
    CatalogueRow._make,
)
_ISSUES = Layout(
    {
        "series": _TEXT, "issued_at": _TIME, "first_ts": _TIME, "last_ts": _TIME,
        "points": _INTEGER,
    },
    IssueRow._make,
)  # fmt: skip
_REVISIONS = Layout(
    {
        "series": _TEXT, "ts": _TIME, "old_value": _NUMBER, "new_value": _NUMBER,
        "changed_at": _TIME, "age": _DURATION,
    },
    RevisionRow._make,
)  # fmt: skip
_STATISTICS = Layout(
    {
        "series": _TEXT, "age_over": _DURATION, "age_up_to": _DURATION, "revisions": _INTEGER,
        "bias": _NUMBER, "mean": _NUMBER, "largest": _NUMBER, "withdrawals": _INTEGER,
    },
    RevisionStatistics._make,
)  # fmt: skip
_GAPS = Layout({"series": _TEXT, "start": _TIME, "end": _TIME, "missing": _INTEGER}, GapRow._make)


def connect(url: str | None = None, *, memory: int | None = None) -> Portal:
    """The series of a database, to be read.

    sources.yaml is not needed, nor a role that may write. The connection is made at once.

    Args:
        url: `postgresql://user:password@host:5432/name`; None for DATABASE_READ_URL, DATABASE_URL
            or DATABASE_URL_FILE. `embedded:`, or `embedded:/folder`, starts the embedded server
            of the extra `embedded` until the portal is closed; nothing else does.
        memory: how many bytes a table may take; None for most of what is free.

    Raises:
        ConfigurationError: no database is named, or the text is no URL; or the extra is missing.
        SchemaError: the schema in the database is missing, or does not fit this program.
        DatabaseError: it is out of reach, or refuses.
    """
    settings = from_environment({k: os.environ[k] for k in _VARIABLES if k in os.environ})
    if url is not None:
        settings = settings.with_database(url, "the URL")
    settings = settings.for_reading()
    if settings.database_url is None and not settings.embedded_named:
        raise ConfigurationError(
            "no database is named: connect() was called without a URL, and DATABASE_URL is not set",
            hint='Give it one, set DATABASE_URL, or say connect("embedded:") for the database that '
            "the command keeps by itself",
        )
    if settings.database_url is None:
        _check_embedded(settings)
    return Portal(settings, memory)


class Portal:
    """The series of a database. Made by `connect`; close it, or use it as a context manager.

    Whatever is asked is answered from one snapshot of the database. Names of series are texts, or
    globs such as `wind-*`; several are a list. A range of ts is half open: `start` is in it, `end`
    is not.

    Errors are those of `dataportal.errors`, all of them `DataportalError`s: `UnknownSeriesError`
    (a KeyError too), `QuestionError` (a ValueError too), `DatabaseError` with
    `DatabaseTransientError` for a connection that is lost: there is never a shorter answer.
    """

    def __init__(self, settings: Settings, memory: int | None) -> None:
        """For `connect`."""
        self._zone = settings.zone
        self._memory = memory
        with ExitStack() as stack:
            url = stack.enter_context(open_database(settings, say=_ignore, create=False))
            self._sessions = ReadingSessions(url, "portal")
            stack.callback(self._sessions.close)
            with self._sessions.session():
                pass
            self._name = _harmless_name(url)
            self._close = weakref.finalize(self, stack.pop_all().close)

    def close(self) -> None:
        """Close its connections, and end the embedded server if it was started for it."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Portal to {self._name}{'' if self._close.alive else ', closed'}>"

    def series(
        self,
        text: str | None = None,
        *,
        unit: str | None = None,
        source: str | None = None,
        domain: str | None = None,
        category: str | None = None,
        granularity: str | None = None,
        where: Where | None = None,
    ) -> Table[CatalogueRow]:
        """The catalogue: the series that speak of a text and are like that, by name.

        Args:
            text: words that must all occur in what is known of a series, or a glob of names; None
                for all.
            unit: of its values; this and the others may be globs.
            source: the source that it comes from.
            domain: such as energy.
            category: such as generation.
            granularity: as sources.yaml writes it.
            where: further conditions, as `--where` takes them: `{"metadata.region": "DE"}`.

        Returns:
            A row for each: `CatalogueRow`.

        Raises:
            QuestionError: no series is like that, although there are series.
        """
        given = {
            "unit": unit, "source": source, "domain": domain, "category": category,
            "granularity": granularity,
        }  # fmt: skip
        conditions = read_where({key: value for key, value in given.items() if value is not None})
        conditions += read_where(where)
        with self._snapshot() as connection:
            entries = find_entries(connection, text, conditions)
        facts = [series_facts(entry.series, final=False) for entry in entries]
        rows = [
            CatalogueRow(
                own.series, own.name, own.unit, own.zone, own.granularity, own.licence, own.source,
                entry.series.domain, entry.series.category, entry.series.description,
                entry.first_ts, entry.last_ts, own.known_through,
            )
            for own, entry in zip(facts, entries, strict=True)
        ]  # fmt: skip
        return Table(_CATALOGUE, TableFacts(tuple(facts)), rows=rows)

    @overload
    def read(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: By = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: Literal[True],
        details: Literal[False] = False,
        assume: Literal[False] = False,
    ) -> Table[WideRow]: ...

    @overload
    def read(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: By = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: Literal[False] = False,
        details: Literal[False] = False,
        assume: Literal[False] = False,
    ) -> Table[SeriesPoint]: ...

    @overload
    def read(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: Literal["known"] = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: Literal[False] = False,
        details: Literal[True],
        assume: Literal[False] = False,
    ) -> Table[KnownPoint]: ...

    @overload
    def read(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: Literal["published"],
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: Literal[False] = False,
        details: Literal[True],
        assume: Literal[False] = False,
    ) -> Table[PublishedPoint]: ...

    @overload
    def read(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: By = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: Literal[False] = False,
        details: Literal[False] = False,
        assume: Literal[True],
    ) -> Table[AssumedPoint]: ...

    @overload
    def read(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: By = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: bool = False,
        details: bool = False,
        assume: Literal[True],
    ) -> Table[tuple[Any, ...]]: ...

    def read(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: By = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: bool = False,
        details: bool = False,
        assume: bool = False,
    ) -> Table[Any]:
        """Values, as they are or were known or published at points in time; as `dataportal read`.

        At most one of `as_of`, `lead`, `cutoff`, `issued` and `release` says which version of each
        observation is meant; without one it is the value known now. A value that was withdrawn by
        then is not there.

        Args:
            series: names or globs.
            where: conditions on the series, such as `{"unit": "MW"}`, with names or without.
            as_of: the values known at this time.
            lead: for each ts the value known so long before it: "24h"; "-6h" is after it.
            cutoff: for each ts the value known at a time of day, days before:
                `("D-1", "06:00", "Europe/Berlin")`.
            issued: one run of a forecast, whole: its time, a day or a minute with one run, or
                "latest".
            release: the version of that number: "first", 2, 3 …
            by: by the times at which values became known here, or at which their provider
                published them.
            recorded: with `by="published"`, only what was recorded here by this time.
            start: the first ts.
            end: the ts before which to end.
            wide: a row for each ts, and a column for each series.
            details: also when a value became known (`valid_from`) and no longer was (`valid_to`),
                or when it was published and recorded, and whether it is `final`.
            assume: let what came with the initial history or a backfill count as known when values
                of its series usually are: its `availability`. What is assumed is marked, is today's
                value and not the first one, and is never final.

        Returns:
            Rows of `series`, `ts`, `value`, one series after the other, in order of ts; or with
            `wide` of `ts` and the values under the names of the series.

        Raises:
            UnknownSeriesError: a series is not there.
            QuestionError: an argument is not what it should be; or the run of a forecast is not
                there.
            TooLargeError: the table would not fit into memory; `batches` streams it.
        """
        if wide and details:
            raise QuestionError("wide and details exclude each other")
        arguments = PointArguments(
            as_of=as_of, lead=lead, cutoff=cutoff, issued=issued, release=release, by=by,
            recorded=recorded, start=start, end=end, assume=assume,
        )  # fmt: skip
        with self._answer(series, where, arguments, details=details) as answer:
            return answer.wide() if wide else answer.long()

    def rows(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: By = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        assume: bool = False,
    ) -> Iterator[SeriesPoint | AssumedPoint]:
        """The rows of `read` one after the other, however many there are; needs no extra.

        A snapshot of the database is held until the last one, for half an hour between two of them
        at most. Raises what `read` raises.
        """
        arguments = PointArguments(
            as_of=as_of, lead=lead, cutoff=cutoff, issued=issued, release=release, by=by,
            recorded=recorded, start=start, end=end, assume=assume,
        )  # fmt: skip
        with self._answer(series, where, arguments) as answer:
            yield from answer.rows()

    def batches(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        as_of: Time | None = None,
        lead: Lead | None = None,
        cutoff: Cutoff | None = None,
        issued: Time | None = None,
        release: int | str | None = None,
        by: By = "known",
        recorded: Time | None = None,
        start: Time | None = None,
        end: Time | None = None,
        wide: bool = False,
        details: bool = False,
        assume: bool = False,
        rows: int = ROWS_OF_BATCH,
    ) -> pa.RecordBatchReader:
        """What `read` answers, piece by piece: for what does not fit into memory.

        The reader is iterated for record batches, and is taken as it is by DuckDB, polars and
        whatever takes Arrow; its `schema` says what `read`'s does. A snapshot of the database is
        held until its end, for half an hour between two batches at most: close it if you stop
        before.

        Args:
            series: as of `read`, and so are the others but the last.
            where: conditions on the series.
            as_of: the values known at this time.
            lead: for each ts the value known so long before it.
            cutoff: for each ts the value known at a time of day, days before.
            issued: one run of a forecast.
            release: the version of that number.
            by: by knowledge or by publication.
            recorded: with `by="published"`, what was recorded by this time.
            start: the first ts.
            end: the ts before which to end.
            wide: a column for each series.
            details: also since when and until when.
            assume: let what was back-filled count as known when values usually are.
            rows: how many a batch has, about; with `wide`, how many values.

        Raises:
            MissingExtraError: pyarrow is not installed; `rows` does without it.
            DatabaseError: while it is read: the connection was lost.
        """
        require_arrow()
        if wide and details:
            raise QuestionError("wide and details exclude each other")
        if rows < 1:
            raise QuestionError(f"rows={rows!r} is no number of rows")
        import pyarrow as pa

        arguments = PointArguments(
            as_of=as_of, lead=lead, cutoff=cutoff, issued=issued, release=release, by=by,
            recorded=recorded, start=start, end=end, assume=assume,
        )  # fmt: skip
        stack = ExitStack()
        with stack:
            answer = stack.enter_context(self._answer(series, where, arguments, details=details))
            schema = answer.wide_schema() if wide else answer.long_schema()
            batches = answer.wide_batches(rows) if wide else answer.long_batches(rows)
            held = stack.pop_all()
        return pa.RecordBatchReader.from_batches(schema, _hold_open(held, batches))

    def join(
        self,
        frame: Any,
        series: Names | None = None,
        *,
        ts: str = "ts",
        known: str = "decided_at",
        where: Where | None = None,
        by: By = "known",
        recorded: Time | None = None,
        assume: bool = False,
    ) -> Table[tuple[Any, ...]]:
        """A frame of yours with what was known at each of its decisions: features without leaks.

        Args:
            frame: of pandas, polars, pyarrow or DuckDB; or a dict of columns, a list of dicts, or
                a list of pairs of ts and time of decision.
            series: names or globs.
            ts: the column with the start of the interval that is asked for: times with a zone.
            known: the column with the time of the decision: times with a zone. A value counts that
                was known at that time, or before it and still then.
            where: conditions on the series.
            by: by the times at which values became known here, or were published.
            recorded: with `by="published"`, only what was recorded here by this time.
            assume: let what was back-filled count as known when values of its series usually are;
                a column `assumed` says of each row whether any of its values is.

        Returns:
            All rows and columns of the frame, in their order, and a column for each series; no
            value where nothing was known.

        Raises:
            UnknownColumnError: the frame has no such column.
            QuestionError: a column has no times, or times without a zone: says which.
            UnknownSeriesError: a series is not there.
        """
        published = read_published(by)
        if recorded is not None and not published:
            raise QuestionError("recorded goes with by='published'")
        recorded_by = read_time("recorded", recorded, zone=self._zone, now=utc_now())
        own = read_frame(frame, ts=ts, known=known)
        with self._snapshot() as connection:
            selected = _select(connection, series, where)
            return join_values(
                connection,
                own,
                selected,
                published=published,
                recorded_by=recorded_by,
                assume=assume,
            )

    def matrix(
        self,
        series: str,
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        by: By = "known",
        recorded: Time | None = None,
    ) -> Table[WideRow]:
        """All vintages of a series: a row for each ts, a column for each time anything changed.

        Args:
            series: its name.
            start: the first ts.
            end: the ts before which to end.
            limit: the last so many ts only.
            by: by the times at which values became known here, or were published.
            recorded: with `by="published"`, only what was recorded here by this time.

        Returns:
            `ts`, and columns named by these times as ISO 8601 in UTC; each value stays in the
            columns after it until it is revised or withdrawn.

        Raises:
            UnknownSeriesError: there is no such series.
            QuestionError: there are more than 10,000 such times.
            TooLargeError: the table would not fit into memory.
        """
        with self._snapshot() as connection:
            (stored_series,) = select_series(connection, [_one_name(series)])
            part, facts = self._part(connection, stored_series, start, end, limit, by, recorded)
            vintages = matrix(connection, part)
            rows = _matrix_rows(vintages, self._free_memory())
        columns = {"ts": _TIME, **dict.fromkeys(map(iso, vintages.times), _NUMBER)}
        values = dict.fromkeys(map(iso, vintages.times), facts.series[0])
        layout: Layout[WideRow] = Layout(columns, tuple, values)
        return Table(layout, facts, rows=rows)

    @overload
    def revisions(
        self,
        series: Names,
        *,
        start: Time | None = None,
        end: Time | None = None,
        by: By = "known",
        recorded: Time | None = None,
        by_age: Literal[False] = False,
    ) -> Table[RevisionRow]: ...

    @overload
    def revisions(
        self,
        series: Names,
        *,
        start: Time | None = None,
        end: Time | None = None,
        by: By = "known",
        recorded: Time | None = None,
        by_age: Literal[True],
    ) -> Table[RevisionStatistics]: ...

    def revisions(
        self,
        series: Names,
        *,
        start: Time | None = None,
        end: Time | None = None,
        by: By = "known",
        recorded: Time | None = None,
        by_age: bool = False,
    ) -> Table[RevisionRow] | Table[RevisionStatistics]:
        """Every change to what had been known, or published, before; or how large they are.

        Args:
            series: names or globs.
            start: the first ts.
            end: the ts before which to end.
            by: by the times at which values became known here, or were published.
            recorded: with `by="published"`, only what was recorded here by this time.
            by_age: statistics by the age of the values, the time from their ts to the change.

        Returns:
            A `RevisionRow` for each change, by ts; or a `RevisionStatistics` for each age.

        Raises:
            UnknownSeriesError: a series is not there.
        """
        rows: list[RevisionRow] = []
        statistics: list[RevisionStatistics] = []
        facts: list[TableFacts] = []
        with self._snapshot() as connection:
            for stored_series in _select(connection, series, None):
                part, own = self._part(connection, stored_series, start, end, None, by, recorded)
                facts.append(own)
                name = stored_series.endpoint_prefix
                if by_age:
                    ages = revisions_by_age(connection, part, name)
                    statistics += [RevisionStatistics(name, *_figures(age)) for age in ages]
                else:
                    rows += map(RevisionRow._make, changes(connection, part, name))
        all_facts = _together(facts)
        if by_age:
            return Table(_STATISTICS, all_facts, rows=statistics)
        return Table(_REVISIONS, all_facts, rows=rows)

    def issues(
        self,
        series: Names,
        *,
        start: Time | None = None,
        end: Time | None = None,
        by: By = "known",
        recorded: Time | None = None,
    ) -> Table[IssueRow]:
        """The runs of a forecast, or the times of publication, oldest first.

        Args:
            series: names or globs.
            start: issued from this time on.
            end: issued before this time.
            by: the runs here, or what the provider says when it published.
            recorded: with `by="published"`, only what was recorded here by this time.

        Returns:
            `IssueRow`s; `read(issued=…)` reads one of them.

        Raises:
            UnknownSeriesError: a series is not there.
        """
        rows: list[IssueRow] = []
        facts: list[TableFacts] = []
        with self._snapshot() as connection:
            for stored_series in _select(connection, series, None):
                part, own = self._part(connection, stored_series, start, end, None, by, recorded)
                found = list(
                    read_issues(
                        connection,
                        stored_series,
                        published=part.by_publication,
                        recorded_by=part.recorded,
                        start=part.start,
                        end=part.end,
                    )
                )
                if not (found or part.by_publication):
                    note = f"{stored_series.endpoint_prefix}: {note_on_issues(Wording.PYTHON)}"
                    own = own._replace(notes=(note,))
                facts.append(own)
                rows += map(IssueRow._make, found)
        return Table(_ISSUES, _together(facts), rows=rows)

    def gaps(
        self,
        series: Names | None = None,
        *,
        where: Where | None = None,
        start: Time | None = None,
        end: Time | None = None,
        as_of: Time | None = None,
    ) -> Table[GapRow]:
        """What should be there of series by their granularity, and is not.

        Args:
            series: names or globs; None for all.
            where: conditions on the series.
            start: what should be there from then on; None for from the first observation on.
            end: what should be over by then; None for up to the last observation.
            as_of: as it was known at this time; None for now.

        Returns:
            `GapRow`s, in order of ts; of a series of which nobody can say it, a note.

        Raises:
            UnknownSeriesError: a series is not there.
        """
        now = utc_now()
        first, last = read_window(start, end, zone=self._zone, now=now)
        at = read_time("as_of", as_of, zone=self._zone, now=now)
        with self._snapshot() as connection:
            names = read_names(series)
            with question_errors():
                selected = select_series(connection, names, read_where(where))
            series_gaps = list(gaps_of_series(connection, selected, start=first, end=last, at=at))
        rows = [
            GapRow(entry.series.endpoint_prefix, gap.start, gap.end, gap.missing)
            for entry in series_gaps
            for gap in entry.gaps
        ]
        notes = tuple(
            f"{entry.series.endpoint_prefix} {entry.without_grid}"
            for entry in series_gaps
            if entry.without_grid is not None
        )
        facts = tuple(
            series_facts(entry.series, final=at is not None and entry.series.is_final(at))
            for entry in series_gaps
        )
        return Table(_GAPS, TableFacts(facts, as_of=at, notes=notes), rows=rows)

    @contextmanager
    def _snapshot(self) -> Iterator[psycopg.Connection]:
        """A connection in a transaction of its own, and errors that say what is wrong in Python."""
        if not self._close.alive:
            raise QuestionError("the portal is closed", hint="Make another one by connect()")
        with (
            question_errors(),
            self._sessions.session() as connection,
            snapshot(connection, patient=True),
        ):
            yield connection

    @contextmanager
    def _answer(
        self,
        series: Names | None,
        where: Where | None,
        arguments: PointArguments,
        *,
        details: bool = False,
    ) -> Iterator[PointTables]:
        asked = read_points(arguments, zone=self._zone, now=utc_now())
        memory = self._free_memory()
        with self._snapshot() as connection:
            selected = _select(connection, series, where)
            yield point_tables(connection, asked, selected, details=details, memory=memory)

    def _free_memory(self) -> int | None:
        """How many bytes a table may take; None for any number."""
        free = free_memory() if self._memory is None else None
        return self._memory if free is None else int(free * _SHARE)

    def _part(
        self,
        connection: psycopg.Connection,
        series: StoredSeries,
        start: Time | None,
        end: Time | None,
        limit: int | None,
        by: By,
        recorded: Time | None,
    ) -> tuple[Part, TableFacts]:
        """A part of a series that is asked about, and what is said of it."""
        now = utc_now()
        first, last = read_window(start, end, zone=self._zone, now=now)
        published = read_published(by)
        if recorded is not None and not published:
            raise QuestionError("recorded goes with by='published'")
        if limit is not None and limit < 1:
            raise QuestionError(f"limit={limit!r} is no number of rows")
        recorded_by = read_time("recorded", recorded, zone=self._zone, now=now)
        part = Part(
            series_id=series.series_id, start=first, end=last, limit=limit,
            by_publication=published, recorded=recorded_by,
        )  # fmt: skip
        # runs to come add versions, but none that was recorded by a time
        final = recorded_by is not None and series.is_final(recorded_by)
        own = series_facts(series, final=final)
        notes: tuple[str, ...] = ()
        if published and (gap := publication_gap(connection, series.series_id, now)) is not None:
            notes = (f"{own.series}: {note_on_publications(gap.until, Wording.PYTHON)}",)
        return part, TableFacts((own,), published, None, recorded_by, notes)


def _check_embedded(settings: Settings) -> None:
    """Look whether there is an embedded database; to read nothing, none is made.

    Raises:
        ConfigurationError: there is none, or the extra is missing.
    """
    from dataportal.embedded.files import server_files

    files = server_files(settings.embedded_home)
    if not files.is_made():
        where = settings.embedded_home or "the folder of this user"
        raise ConfigurationError(
            f"there is no embedded database in {where} yet",
            hint="Name the folder that was fetched into, or fetch something first: "
            "dataportal fetch-all",
        )


def _select(
    connection: psycopg.Connection, series: Names | None, where: Where | None
) -> list[StoredSeries]:
    """The series that are meant.

    Raises:
        QuestionError: nobody says which.
        UnknownSeriesError: one is not there.
    """
    names, conditions = read_names(series), read_where(where)
    if not (names or conditions):
        raise QuestionError(
            "no series is named", hint='Name one, such as "load" or "wind-*", or say where'
        )
    return select_series(connection, names, conditions)


def _one_name(series: str) -> str:
    if not isinstance(series, str):
        raise QuestionError(f"series={series!r} is not the name of one series")
    return series


def _matrix_rows(vintages: Matrix, memory: int | None) -> list[WideRow]:
    """The rows of a matrix, as long as they fit into memory.

    Raises:
        TooLargeError: they do not.
    """
    rows: list[WideRow] = []
    for row in vintages.rows:
        rows.append((row.ts, *row.values))
        if memory is not None and len(rows) * len(vintages.times) * _BYTES_OF_CELL > memory:
            raise TooLargeError(
                f"the matrix has {len(rows):,} rows and more, and {len(vintages.times):,} columns: "
                f"they do not fit into the {memory / 1_000_000:,.0f} MB that are free",
                hint="Choose fewer observations with start and end, or the last ones with limit",
            )
    return rows


def _together(facts: Iterable[TableFacts]) -> TableFacts:
    """What is said of several answers in one table."""
    every = list(facts)
    return TableFacts(
        tuple(series for answer in every for series in answer.series),
        by_publication=every[0].by_publication,
        recorded=every[0].recorded,
        notes=tuple(note for answer in every for note in answer.notes),
    )


def _figures(age: RevisionsOfAge) -> tuple[Any, ...]:
    return (
        age.age_over, age.age_up_to, age.count, age.bias, age.mean, age.largest, age.withdrawals,
    )  # fmt: skip


def _hold_open(stack: ExitStack, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches; what they are read from is closed after the last, or when nobody reads on."""
    with stack:
        yield from batches


def _harmless_name(url: str) -> str:
    """What people may see of a URL: the host and the database."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/") or "the default database"
    return f"{name} at {parts.hostname}" if parts.hostname else name


def _ignore(_line: str) -> None:
    """Says nothing."""
