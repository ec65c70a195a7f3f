"""Shows what `dump` wrote to a file of series, and what `restore` brought back from one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.render.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dataportal.store.archive.format import ArchivedSeries


@dataclass(frozen=True, slots=True)
class DumpView:
    """The answer of `dump`: how much of each series there is, and the checksum of a file."""

    path: Path
    series: Sequence[ArchivedSeries]
    checksum: str | None

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A line for each series, and one for the file."""
        del stream
        for archived in self.series:
            yield _amount(archived)
        yield printable(f"written to {self.path}")

    def document(self) -> Mapping[str, Any]:
        """The file or the folder, which has no checksum, and `series`."""
        return _document(self.path, self.checksum, [_fields(archived) for archived in self.series])


@dataclass(frozen=True, slots=True)
class RestoreView:
    """The answer of `restore`: what became of each series of the file."""

    path: Path
    series: Sequence[ArchivedSeries]
    checksum: str

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A line for each series."""
        del stream
        for archived in self.series:
            by = "" if archived.run_id is None else f" by run {archived.run_id}"
            yield f"{_amount(archived)}: {_outcome(archived)}{by}"

    def document(self) -> Mapping[str, Any]:
        """The file, its checksum, and `series` with the outcome of each."""
        series = [
            {**_fields(archived), "outcome": _outcome(archived), "run_id": archived.run_id}
            for archived in self.series
        ]
        return _document(self.path, self.checksum, series)


def _outcome(archived: ArchivedSeries) -> str:
    return "unchanged" if archived.run_id is None else "restored"


def _document(path: Path, checksum: str | None, series: list[dict[str, object]]) -> dict[str, Any]:
    return {"ok": True, "file": str(path), "sha256": checksum, "series": series}


def _fields(archived: ArchivedSeries) -> dict[str, object]:
    return {
        "endpoint_prefix": archived.series.endpoint_prefix,
        "source": archived.series.source,
        "versions": archived.versions,
        "vintages": archived.vintages,
        "known_through": archived.series.known_through,
    }


def _amount(archived: ArchivedSeries) -> str:
    vintages = f", {archived.vintages:,} publications" if archived.vintages else ""
    return printable(f"{archived.series.endpoint_prefix}: {archived.versions:,} versions{vintages}")
