"""Writes answers as Parquet and Arrow files, or as a folder of them by series and year.

A file, or a folder, is there whole or not at all: it is written beside its place, and renamed. Of
an answer of any length only some tens of thousands of rows are held.

A folder is laid out as Hive does it, which DuckDB, polars, pandas and others read as one table:

    FOLDER/series=load/year=2025/part-0.parquet

Years are those of ts in UTC. What stands in a path is no column of its file. Parquet:
https://parquet.apache.org/docs/file-format/; Arrow: its file format, also called Feather 2,
https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dataportal.analysis.arrow_schema import name_rows, with_facts
from dataportal.atomic_files import atomic_file, check_replaceable
from dataportal.errors import FileError, UsageError
from dataportal.failpoints import failpoint
from dataportal.render.table_formats import TableFormat, format_of_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from dataportal.analysis.arrow_schema import SeriesFacts, TableFacts

_ROWS, _FEWEST_ROWS = 65_536, 1_000
_CELLS = 2_000_000
"""Cells of rows that are held at a time, where these have very many columns."""
_KEPT = " !#$&'()+,-.;@^_`{}~"
"""What stands in the name of a folder as it is, beside letters and digits: no path, glob or key."""
_TIMES = {"ts", "decided_at", "valid_from", "valid_to", "published_at", "recorded_at", "issued_at"}
_OTHER_TIMES = {"first_ts", "last_ts", "known_from", "known_to"}
_FLAGS = {"final", "assumed"}
_COUNTS = {"count", "points"}


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """The rows of one series, to be read once.

    Attributes:
        facts: what the file says of it.
        batches: its rows in order of ts, without its name.
    """

    facts: SeriesFacts
    batches: Iterable[pa.RecordBatch]


def check_target(path: Path, form: TableFormat) -> None:
    """Look whether a file or a folder could be written there, before the work that is for it.

    Raises:
        FileError: its folder is missing, it is no file, or it is a folder that holds something; or
            its ending is that of another kind of file.
    """
    if path.is_dir():
        with suppress(OSError):
            if any(path.iterdir()):
                raise FileError(
                    f"{path} is not empty", hint="Name a new folder, or empty this one first"
                )
        return
    check_replaceable(path)
    if path.exists() and not path.suffix:
        raise FileError(f"{path} is a file: name a folder, or a file that ends in .{form}")
    if path.suffix and format_of_name(path) is not form:
        raise FileError(f"{path.name} does not end in .{form}", hint=f"Write {path.stem}.{form}")


def write_series_file(
    path: Path,
    form: TableFormat,
    facts: TableFacts,
    schema: pa.Schema,
    tables: Iterable[SeriesTable],
) -> int:
    """Write a file with the rows of one series after the other, each with the name of its series.

    Args:
        path: the file; one that is there is replaced once the new one is whole.
        form: its kind.
        facts: what it says of itself.
        schema: of the rows, without names.
        tables: the rows, in the order of the series of `facts`.

    Returns:
        How many rows it has.

    Raises:
        FileError: it cannot be written; the one before is as it was.
    """
    from dataportal.analysis.arrow_schema import series_field

    names = [own.series for own in facts.series]

    def batches() -> Iterator[pa.RecordBatch]:
        for number, table in enumerate(tables):
            for batch in table.batches:
                yield name_rows(batch, number, names)

    import pyarrow as pa

    return write_file(path, form, facts, pa.schema([series_field(), *schema]), batches())


def write_file(
    path: Path,
    form: TableFormat,
    facts: TableFacts,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    wide: bool = False,
) -> int:
    """Write a file of these rows, which all have that schema; as `write_series_file` otherwise.

    With `wide` there is a column for each series of `facts`, of its name.
    """
    own = {described.series: described for described in facts.series} if wide else None
    schema = with_facts(schema, facts, own)
    with atomic_file(path) as hidden:
        rows = _write(hidden, form, schema, batches)
        failpoint("before_appearing")
    return rows


def write_folder(
    path: Path, form: TableFormat, facts: TableFacts, tables: Iterable[SeriesTable]
) -> int:
    """Write a folder with a file for each year of each series.

    Args:
        path: the folder, which is not there, or is empty.
        form: the kind of its files.
        facts: what they say of themselves, each of its own series alone.
        tables: the rows of each series.

    Returns:
        How many rows there are.

    Raises:
        FileError: it cannot be written; then nothing of it is there.
    """
    with _folder_beside(path) as hidden:
        rows = write_partitions(hidden, form, facts, tables)
        failpoint("before_appearing")
        _replace_folder(hidden, path)
    return rows


@contextmanager
def folder_of_parts(path: Path) -> Iterator[Path]:
    """A folder to fill with `write_partitions`, which gets its name when all of it is there.

    Raises:
        FileError: it cannot be written; then nothing of it is there.
    """
    with _folder_beside(path) as hidden:
        yield hidden
        failpoint("before_appearing")
        _replace_folder(hidden, path)


def write_partitions(
    folder: Path, form: TableFormat, facts: TableFacts, tables: Iterable[SeriesTable]
) -> int:
    """Write the files of each series into a folder; how many rows they have."""
    rows = 0
    for table in tables:
        own = facts._replace(series=(table.facts,))
        home = _series_folder(folder, table.facts)
        rows += _write_years(home, form, own, table.batches)
    return rows


def write_part(folder: Path, form: TableFormat, facts: TableFacts, table: SeriesTable) -> int:
    """Write the file of one series into a folder, not by years; none without rows."""
    path = _series_folder(folder, table.facts) / f"part-0.{form}"
    file, rows = None, 0
    try:
        for batch in table.batches:
            if file is None:
                path.parent.mkdir(parents=True)
                file = _TableFile(path, form, with_facts(batch.schema, facts))
            file.add(batch)
            rows += batch.num_rows
        if file is not None:
            file.close()
    except BaseException:
        if file is not None:
            file.abandon()
        raise
    return rows


def _series_folder(folder: Path, series: SeriesFacts) -> Path:
    return folder / f"series={quote_name(series.series)}"


def quote_name(name: str) -> str:
    """A name as the value of a key in a path; readers decode it as they do a URL."""
    return "".join(c if c.isalnum() or c in _KEPT else quote(c, safe="") for c in name)


def row_batches(
    columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Rows of Python as record batches.

    Args:
        columns: their names, by which they are times, flags, counts or texts; else numbers.
        rows: the rows, in order.

    Raises:
        UsageError: two columns have the same name.
    """
    import pyarrow as pa

    twice = {name for name in columns if list(columns).count(name) > 1}
    if twice:
        raise UsageError(
            f"two columns would be called {min(twice)!r}",
            hint="Leave --wide out, which names a column after each series",
        )
    schema = pa.schema([pa.field(name, _arrow_type(name)) for name in columns])

    def batches() -> Iterator[pa.RecordBatch]:
        rest, size = iter(rows), _rows_at_a_time(len(columns))
        while block := list(islice(rest, size)):
            arrays = [
                pa.array(cells, field.type)
                for cells, field in zip(zip(*block, strict=True), schema, strict=True)
            ]
            yield pa.record_batch(arrays, schema=schema)

    return schema, batches()


def _rows_at_a_time(columns: int) -> int:
    return max(_FEWEST_ROWS, min(_ROWS, _CELLS // max(columns, 1)))


def _arrow_type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name in _TIMES | _OTHER_TIMES:
        return pa.timestamp("us", tz="UTC")
    if name in _FLAGS:
        return pa.bool_()
    if name in _COUNTS:
        return pa.int64()
    return pa.string() if name == "series" else pa.float64()


def _write_years(
    home: Path, form: TableFormat, facts: TableFacts, batches: Iterable[pa.RecordBatch]
) -> int:
    """A file for each year; rows come in order of ts, so that one after the other is complete."""
    rows, year, file = 0, None, None
    try:
        for batch in batches:
            for year_of_part, part in _split_years(batch):
                if file is None or year_of_part != year:
                    if file is not None:
                        file.close()
                    year = year_of_part
                    folder = home / f"year={year}"
                    folder.mkdir(parents=True)
                    schema = with_facts(batch.schema, facts)
                    file = _TableFile(folder / f"part-0.{form}", form, schema)
                file.add(part)
                rows += part.num_rows
        if file is not None:
            file.close()
    except BaseException:
        if file is not None:
            file.abandon()
        raise
    return rows


def _split_years(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of each year by the first column, in their order."""
    import pyarrow.compute as pc

    runs = pc.run_end_encode(pc.year(batch.column("ts")))
    start = 0
    for year, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield year, batch.slice(start, end - start)
        start = end


def _write(
    path: Path, form: TableFormat, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> int:
    file, rows = _TableFile(path, form, schema), 0
    try:
        for batch in batches:
            file.add(batch)
            rows += batch.num_rows
        file.close()
    except BaseException:
        file.abandon()
        raise
    return rows


class _TableFile:
    """A file that rows are added to; small batches are put together."""

    def __init__(self, path: Path, form: TableFormat, schema: pa.Schema) -> None:
        import pyarrow as pa

        self._path, self._schema = path, schema
        self._held: list[pa.RecordBatch] = []
        self._rows, self._most = 0, _rows_at_a_time(len(schema))
        self._sink = pa.OSFile(str(path), "wb")
        self._writer: Any
        if form is TableFormat.PARQUET:
            import pyarrow.parquet as pq

            times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
            texts = [field.name for field in schema if pa.types.is_dictionary(field.type)]
            self._writer = pq.ParquetWriter(
                self._sink,
                schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=texts,
                column_encoding=dict.fromkeys(times, "DELTA_BINARY_PACKED") or None,
            )
        else:
            self._writer = pa.ipc.new_file(self._sink, schema)

    def add(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._rows += batch.num_rows
        if self._rows >= self._most:
            self._put()

    def close(self) -> None:
        """The rest of the file; it is on the disk then."""
        self._put()
        self._writer.close()
        self._sink.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())

    def abandon(self) -> None:
        """Let go of a file that nobody will read."""
        for part in (self._writer, self._sink):
            with suppress(Exception):
                part.close()

    def _put(self) -> None:
        import pyarrow as pa

        if self._rows:
            table = pa.Table.from_batches(self._held).combine_chunks()
            self._writer.write_table(table.replace_schema_metadata(None).cast(self._schema))
            self._held, self._rows = [], 0


@contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """An empty folder beside the one that is meant; what is left of it at the end goes."""
    hidden = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        hidden.mkdir()
        yield hidden
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _replace_folder(hidden: Path, path: Path) -> None:
    """Give a folder its name, which nothing or an empty folder has.

    Raises:
        FileError: something has appeared there meanwhile.
    """
    try:
        hidden.rename(path)
    except OSError as error:
        if path.exists():
            raise FileError(
                f"{path} has appeared meanwhile", hint="Name another folder; it is left as it is"
            ) from None
        raise error from None
