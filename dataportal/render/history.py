"""Renders the answers of `history`: one renderer for each output format, behind one interface.

To add a format: name it in `Format`, which makes it a choice of `--format`; write a subclass of
`HistoryRenderer` in a module of its own, such as history_csv.py; make it in `history_renderer`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        SeriesSummary,
        StoredSeries,
        Version,
    )

    NewestObservations = Callable[[int], Iterable[Observation]]
    """Gives the newest observations, in order of ts, at most as many as the argument says."""


class Format(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class HistoryRenderer(ABC):
    """The answers that `history` can give, each as lines of one format.

    Rows may be streams of any length: a renderer for programs holds no more than a few of them.
    """

    observations_by_default: ClassVar[bool] = False
    """Whether `history` without an option answers with the observations, not with the summary."""

    series: StoredSeries
    """What the answers are about."""

    @abstractmethod
    def summary(self, revisions: Sequence[Change], newest: NewestObservations) -> Iterator[str]:
        """The series, and the latest changes to what had been known of it."""

    @abstractmethod
    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """The series as known at `as_of` (None: now)."""

    @abstractmethod
    def publications(self, rows: Iterable[Publication], as_of: datetime) -> Iterator[str]:
        """The series as its provider had published it by `as_of`."""

    @abstractmethod
    def versions(self, rows: Iterable[Version], ts: datetime) -> Iterator[str]:
        """Every version of the observation at `ts`."""

    @abstractmethod
    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """What changed between two times."""


def history_renderer(
    output_format: Format,
    *,
    stored_series: Callable[[], StoredSeries],
    series_summary: Callable[[], SeriesSummary],
    zone: tzinfo,
    now: datetime,
) -> HistoryRenderer:
    """The renderer of a format.

    Args:
        output_format: which one.
        stored_series: looks the series up.
        series_summary: the same with its extent, which may take longer than a short answer.
        zone: the time zone that people read times in.
        now: what ages are counted to.
    """
    match output_format:
        case Format.TABLE:
            from dataportal.render.history_text import TextHistory

            return TextHistory(series_summary(), zone, now)
        case Format.CSV:
            from dataportal.render.history_csv import CsvHistory

            return CsvHistory(stored_series())
        case Format.JSON:
            from dataportal.render.history_json import JsonHistory

            return JsonHistory(series_summary())
