"""What was written to a file of series, or brought back from one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.render.console import printable
from dataportal.render.json_output import dumped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dataportal.store.archive.format import ArchivedSeries


def dump_lines(
    path: Path, parts: Sequence[ArchivedSeries], checksum: str, *, json: bool
) -> Iterator[str]:
    """What `dump` says."""
    if json:
        yield _document(path, checksum, [_fields(part) for part in parts])
        return
    for part in parts:
        yield _amount(part)
    yield printable(f"written to {path}")


def restore_lines(
    path: Path, parts: Sequence[ArchivedSeries], checksum: str, *, json: bool
) -> Iterator[str]:
    """What `restore` says."""
    if json:
        rows = [
            {**_fields(part), "outcome": _outcome(part), "run_id": part.run_id} for part in parts
        ]
        yield _document(path, checksum, rows)
        return
    for part in parts:
        by = "" if part.run_id is None else f" by run {part.run_id}"
        yield f"{_amount(part)}: {_outcome(part)}{by}"


def _outcome(part: ArchivedSeries) -> str:
    return "unchanged" if part.run_id is None else "restored"


def _document(path: Path, checksum: str, rows: list[dict[str, object]]) -> str:
    return dumped({"ok": True, "file": str(path), "sha256": checksum, "series": rows})


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
