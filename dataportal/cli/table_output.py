"""Where an answer goes that is a Parquet or an Arrow file, or a folder of them."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from dataportal.errors import FileError, UsageError
from dataportal.render.console import say
from dataportal.render.table_files import (
    SeriesTable,
    check_target,
    row_batches,
    write_file,
    write_folder,
    write_series_file,
)
from dataportal.render.table_formats import is_folder_name
from dataportal.store.read.arrow import require_arrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from dataportal.analysis.arrow_schema import TableFacts
    from dataportal.render.read import Values
    from dataportal.render.table_formats import TableFormat


def check_table_output(output: Path | None, form: TableFormat, *, wide: bool = False) -> Path:
    """The file or folder to write, before the work that is for it.

    Raises:
        UsageError: none is named, or a folder for rows that are of no one series.
        FileError: it cannot be written.
        MissingExtraError: the extra for such files is not installed.
    """
    require_arrow()
    if output is None:
        raise UsageError(
            f"--format {form} needs -o FILE, or -o FOLDER",
            hint=f"For example: -o answer.{form}; a name without an ending is a folder with a file "
            "for each series and year",
        )
    if wide and is_folder_name(output):
        raise UsageError(
            "rows with a column for each series cannot go into folders by series",
            hint=f"Name a file, such as -o {output.name}.{form}, or leave --wide out",
        )
    check_target(output, form)
    return output


def check_table_folder(folder: Path, form: TableFormat) -> None:
    """Look whether a folder could be written there, before the work that is for it.

    Raises:
        FileError: it could not, or a file is named.
        MissingExtraError: the extra for such files is not installed.
    """
    require_arrow()
    if not is_folder_name(folder):
        raise FileError(
            f"{folder} is the name of a file, and versions and publications need several",
            hint=f"Name a folder without an ending, such as {folder.stem}",
        )
    check_target(folder, form)


def write_values(output: Path, form: TableFormat, values: Values) -> None:
    """Write the answer of `read`, and tell where it holds nothing.

    Raises:
        FileError: it cannot be written.
    """
    facts = values.facts
    tables = values.tables
    if tables is not None:
        rows = write_series_tables(output, form, facts, values.table_schema(), tables)
    elif values.series or not is_folder_name(output):
        schema, batches = row_batches(values.columns, values.rows)
        rows = write_file(output, form, facts, schema, batches, wide=bool(values.series))
    else:
        rows = write_folder(output, form, facts, _tables_of_rows(facts, values))
    tell_size(output, rows)


def write_series_tables(
    output: Path,
    form: TableFormat,
    facts: TableFacts,
    schema: pa.Schema,
    tables: Iterable[SeriesTable],
) -> int:
    """Write the rows of series into a file or a folder; how many there are.

    Raises:
        FileError: it cannot be written.
    """
    if is_folder_name(output):
        return write_folder(output, form, facts, tables)
    return write_series_file(output, form, facts, schema, tables)


def tell_size(output: Path, rows: int) -> None:
    """Tell people of an answer without rows, which looks like any other from outside."""
    if not rows:
        say(f"{output} holds no rows")


def _tables_of_rows(facts: TableFacts, values: Values) -> Iterator[SeriesTable]:
    """Rows that begin with the name of their series, a table for each of these."""
    by_name = {own.series: own for own in facts.series}

    def own(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        return (row[1:] for row in rows)

    for name, rows in groupby(values.rows, key=itemgetter(0)):
        _, batches = row_batches(values.columns[1:], own(rows))
        yield SeriesTable(by_name[name], batches)
