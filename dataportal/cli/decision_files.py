"""Reads tables of decisions: rows of a ts and the time at which it was decided on."""

from __future__ import annotations

import csv
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

from dataportal.bounded_files import read_beginning
from dataportal.errors import FileError
from dataportal.render.table_formats import TableFormat, format_of_name
from dataportal.store.read.points import Decision
from dataportal.times import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    import pyarrow as pa

_LARGEST = 256 * 1024 * 1024
_PIPE_PATIENCE = 30.0  # seconds for whoever writes into a pipe
_TS = "ts"
_HEADS = ("decided_at", "decision_time", "decision", "available_at", "as_of", "at")
_COLUMNS = 2


def read_decisions(path: Path, zone: tzinfo) -> list[Decision]:
    """The rows of a table of ts and time of decision; what else it has is left out.

    CSV with a header or without, or Parquet or Arrow by the ending of its name. With a header the
    columns are `ts` and `decided_at`, or another name for that.

    Args:
        path: the file; `-` is stdin.
        zone: in which times without an offset are read, of CSV and of texts.

    Raises:
        FileError: it cannot be read, or a row is none; which one.
        MissingExtraError: it is no CSV, and the extra that reads it is not installed.
    """
    try:
        if str(path) == "-":
            return _parse_decisions("stdin", sys.stdin, zone)
        form = format_of_name(path)
        if form is not None:
            return _read_table(path, form, zone)
        content = read_beginning(path, _LARGEST, patience=_PIPE_PATIENCE)
        if len(content) > _LARGEST:
            raise FileError(f"{path} is larger than {_LARGEST >> 20} MiB")
        return _parse_decisions(str(path), StringIO(content.decode("utf-8-sig"), newline=""), zone)
    except FileNotFoundError:
        raise FileError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be read: {reason}") from None


def _parse_decisions(name: str, lines: Iterable[str], zone: tzinfo) -> list[Decision]:
    reader = csv.reader(lines)
    decisions: list[Decision] = []
    columns: tuple[int, int] | None = None
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if columns is None:
            columns = _header(row)
            if columns is not None:
                continue
            columns = (0, 1)
        if max(columns) >= len(row):
            raise FileError(f"{name}:{reader.line_num}: a row needs a ts and a time of decision")
        try:
            times = [parse_instant(row[column], zone=zone) for column in columns]
        except ValueError as error:
            raise FileError(f"{name}:{reader.line_num}: {error}") from None
        decisions.append(Decision(*times))
    if not decisions:
        raise FileError(f"{name} holds no rows of ts and time of decision")
    return decisions


def _header(row: list[str]) -> tuple[int, int] | None:
    """The positions of both columns, if the row is a header."""
    names = [cell.strip().lower() for cell in row]
    if _TS not in names:
        return None
    others = [names.index(name) for name in _HEADS if name in names]
    others += [column for column in range(_COLUMNS) if names[column : column + 1] != [_TS]]
    return names.index(_TS), others[0]


def _read_table(path: Path, form: TableFormat, zone: tzinfo) -> list[Decision]:
    """The rows of a Parquet or an Arrow file, of which only the two columns are read."""
    from dataportal.store.read.arrow import require_arrow

    require_arrow()
    import pyarrow as pa

    try:
        names = _table_names(path, form)
        columns = _table_header(path, names)
        table = _table_columns(path, form, columns)
    except pa.ArrowException as error:
        raise FileError(f"{path} is no {form} file: {error}") from None
    times = [_instants(path, name, table.column(name), zone) for name in columns]
    decisions = [Decision(*row) for row in zip(*times, strict=True)]
    if not decisions:
        raise FileError(f"{path} holds no rows of ts and time of decision")
    return decisions


def _table_names(path: Path, form: TableFormat) -> list[str]:
    import pyarrow as pa

    if form is TableFormat.PARQUET:
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        return list(reader.schema.names)


def _table_columns(path: Path, form: TableFormat, names: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    if form is TableFormat.PARQUET:
        import pyarrow.parquet as pq

        return pq.ParquetFile(path).read(columns=list(names))
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all().select(list(names))


def _table_header(path: Path, names: Sequence[str]) -> tuple[str, str]:
    """The names of both columns."""
    there = {name.strip().lower(): name for name in names}
    decided = next((there[name] for name in _HEADS if name in there), None)
    missing = _TS if _TS not in there else None if decided else _HEADS[0]
    if missing is not None or decided is None:
        raise FileError(
            f"{path} has no column {missing!r}: it has {', '.join(map(repr, names)) or 'none'}",
            hint=f"A table of decisions has ts and one of {', '.join(_HEADS)}",
        )
    return there[_TS], decided


def _instants(path: Path, name: str, column: pa.ChunkedArray, zone: tzinfo) -> list[datetime]:
    """The times of a column, all of which name an instant."""
    import pyarrow as pa

    if column.null_count:
        row = column.to_pylist().index(None) + 1
        raise FileError(f"{path}: row {row}: {name} is empty")
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise FileError(
                f"{path}: the times of column {name!r} have no zone",
                hint="Write them with one, such as UTC: a time without it may mean any of them",
            )
        try:
            return column.cast(pa.timestamp("us", tz="UTC")).to_pylist()  # type: ignore[no-any-return]
        except pa.ArrowInvalid as error:
            raise FileError(f"{path}: column {name!r}: {error}") from None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [_instant(path, name, n, text, zone) for n, text in enumerate(column.to_pylist(), 1)]
    raise FileError(
        f"{path}: column {name!r} holds {kind}, and no times",
        hint="Write it as timestamps with a zone, or as texts in ISO 8601",
    )


def _instant(path: Path, name: str, row: int, text: Any, zone: tzinfo) -> datetime:
    try:
        return parse_instant(text, zone=zone)
    except ValueError as error:
        raise FileError(f"{path}: row {row}: {name}: {error}") from None
