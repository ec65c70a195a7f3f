"""Renders the answers of `history`: one renderer for each output format, behind one interface.

To add a format: name it in `AnswerFormat`, which makes it a choice of `--format`; write a subclass
of `HistoryRenderer` in a module of its own, such as history_csv.py; make it in `history_renderer`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from dataportal.render.table_formats import AnswerFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from dataportal.store.read.availability import MeasuredAvailability
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        PublicationRecord,
        PublishedChange,
        SeriesSummary,
        StoredSeries,
        Version,
    )
    from dataportal.store.read.plot import PlotPart
    from dataportal.store.read.points import AssumedPoint
    from dataportal.store.read.revisions import Issue, Matrix, RevisionsOfAge
    from dataportal.store.read.versions import StoredVersions

    NewestObservations = Callable[[int], Iterable[Observation]]
    """Gives the newest observations, in order of ts, at most as many as the argument says."""


class Cut(NamedTuple):
    """What an answer goes by, and whether it can change again.

    Attributes:
        by_publication: whether its times are those of the provider.
        recorded: by when a publication must have been recorded here to count; None for by now.
        final: whether the answer can never change again.
    """

    by_publication: bool
    recorded: datetime | None
    final: bool


class HistoryRenderer(ABC):
    """The answers that `history` can give, each as lines of one format.

    Rows may be streams of any length: a renderer for programs holds no more than a few of them.
    """

    observations_by_default: ClassVar[bool] = False
    """Whether `history` without an option answers with the observations, not with the summary."""

    def __init__(self, series: StoredSeries, summarize: Callable[[], SeriesSummary]) -> None:
        """A renderer of the answers about one series.

        Args:
            series: what they are about.
            summarize: tells how much is known of it.
        """
        self.series = series
        self.summarize = summarize

    @abstractmethod
    def summary(
        self,
        summary: SeriesSummary,
        revisions: Sequence[Change],
        published: Sequence[PublishedChange],
        newest: NewestObservations,
    ) -> Iterator[str]:
        """The series, and the latest changes to what had been known, and published, of it."""

    @abstractmethod
    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """The series as known at `as_of` (None: now)."""

    @abstractmethod
    def assumed_observations(
        self, rows: Iterable[AssumedPoint], as_of: datetime, cut: Cut
    ) -> Iterator[str]:
        """The series as it would have been known, or published, at `as_of`."""

    @abstractmethod
    def publications(
        self,
        rows: Iterable[Publication],
        as_of: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """The series as its provider had published it by `as_of`, recorded here by `recorded`."""

    @abstractmethod
    def versions(self, rows: Iterable[Version], ts: datetime) -> Iterator[str]:
        """Every version of the observation at `ts`."""

    @abstractmethod
    def all_versions(self, rows: StoredVersions, cut: Cut) -> Iterator[str]:
        """Every version, or every publication, of every observation."""

    @abstractmethod
    def publication_records(
        self,
        rows: Iterable[PublicationRecord],
        ts: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """Every publication of the observation at `ts`."""

    @abstractmethod
    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """What changed between two times."""

    @abstractmethod
    def published_changes(
        self,
        rows: Iterable[PublishedChange],
        between: tuple[datetime, datetime],
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """What the provider changed between two times of publication."""

    @abstractmethod
    def matrix(self, matrix: Matrix, cut: Cut) -> Iterator[str]:
        """All vintages: a row for each observation, a column for each time of a change."""

    @abstractmethod
    def issues(self, issues: Sequence[Issue], cut: Cut) -> Iterator[str]:
        """The runs of a forecast."""

    @abstractmethod
    def revisions_by_age(self, ages: Sequence[RevisionsOfAge], cut: Cut) -> Iterator[str]:
        """How much values are revised, by their age."""

    @abstractmethod
    def availability(self, measured: MeasuredAvailability, cut: Cut) -> Iterator[str]:
        """How long after their ts values came, or were published."""

    @abstractmethod
    def plot(
        self, vintages: Sequence[tuple[datetime | None, Sequence[PlotPart]]], cut: Cut
    ) -> Iterator[str]:
        """A drawing of the series, as known or published at one or two times (None: now)."""


def history_renderer(
    output_format: AnswerFormat,
    *,
    series: StoredSeries,
    summarize: Callable[[], SeriesSummary],
    zone: tzinfo,
    now: datetime,
) -> HistoryRenderer:
    """The renderer of a format.

    Args:
        output_format: which one.
        series: what the answers are about.
        summarize: tells how much is known of it, which may take longer than a short answer.
        zone: the time zone that people read times in.
        now: what ages are counted to.
    """
    match output_format:
        case AnswerFormat.TABLE:
            from dataportal.render.history_text import TextHistory

            return TextHistory(series, summarize, zone, now)
        case AnswerFormat.CSV:
            from dataportal.render.history_csv import CsvHistory

            return CsvHistory(series, summarize)
        case AnswerFormat.JSON:
            from dataportal.render.history_json import JsonHistory

            return JsonHistory(series, summarize)
        case AnswerFormat.PARQUET | AnswerFormat.ARROW:
            raise NotImplementedError  # no lines: see table_files


def combine_answers(output_format: AnswerFormat, answers: Iterable[Iterator[str]]) -> Iterator[str]:
    """The lines of several answers as one: texts apart, one header of CSV, one document of JSON."""
    if output_format is AnswerFormat.JSON:
        yield '{"histories": ['
    for number, lines in enumerate(answers):
        if number:
            match output_format:
                case AnswerFormat.TABLE:
                    yield ""
                case AnswerFormat.CSV:
                    next(lines, None)
                case AnswerFormat.JSON:
                    yield ","
        yield from lines
    if output_format is AnswerFormat.JSON:
        yield "]}"
