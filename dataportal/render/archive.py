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
    """The answer of `dump`: how much of each series the file holds, and its checksum."""

    path: Path
    parts: Sequence[ArchivedSeries]
    checksum: str

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A line for each series, and one for the file."""
        del stream
        for part in self.parts:
            yield _amount(part)
        yield printable(f"written to {self.path}")

    def document(self) -> Mapping[str, Any]:
        """The file, its checksum, and `series`."""
        return _document(self.path, self.checksum, [_fields(part) for part in self.parts])


@dataclass(frozen=True, slots=True)
class RestoreView:
    """The answer of `restore`: what became of each series of the file."""

    path: Path
    parts: Sequence[ArchivedSeries]
    checksum: str

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A line for each series."""
        del stream
        for part in self.parts:
            by = "" if part.run_id is None else f" by run {part.run_id}"
            yield f"{_amount(part)}: {_outcome(part)}{by}"

    def document(self) -> Mapping[str, Any]:
        """The file, its checksum, and `series` with the outcome of each."""
        series = [
            {**_fields(part), "outcome": _outcome(part), "run_id": part.run_id}
            for part in self.parts
        ]
        return _document(self.path, self.checksum, series)


def _outcome(part: ArchivedSeries) -> str:
    return "unchanged" if part.run_id is None else "restored"


def _document(path: Path, checksum: str, series: list[dict[str, object]]) -> dict[str, Any]:
    return {"ok": True, "file": str(path), "sha256": checksum, "series": series}


def _fields(part: ArchivedSeries) -> dict[str, object]:
    return {
        "endpoint_prefix": part.series.endpoint_prefix,
        "source": part.series.source,
        "versions": part.versions,
        "vintages": part.vintages,
        "known_through": part.series.known_through,
    }


def _amount(part: ArchivedSeries) -> str:
    vintages = f", {part.vintages:,} publications" if part.vintages else ""
    return printable(f"{part.series.endpoint_prefix}: {part.versions:,} versions{vintages}")
