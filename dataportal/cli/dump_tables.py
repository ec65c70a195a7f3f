"""What `dump` writes as Parquet and Arrow: whole versions, publications and runs of forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.analysis.arrow_schema import TableFacts, series_facts
from dataportal.render.table_files import (
    SeriesTable,
    folder_of_parts,
    row_batches,
    write_part,
    write_partitions,
)
from dataportal.store.archive.dump import series_issues, series_line
from dataportal.store.archive.format import ArchivedSeries
from dataportal.store.read.arrow import snapshot
from dataportal.store.read.versions import StoredVersions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import psycopg

    from dataportal.render.table_formats import TableFormat
    from dataportal.store.read.history import StoredSeries

_ISSUES = ("issued_at", "first_ts", "last_ts", "points")


def dump_tables(
    connection: psycopg.Connection,
    selected: Sequence[StoredSeries],
    folder: Path,
    form: TableFormat,
    *,
    progress: Callable[..., None],
) -> list[ArchivedSeries]:
    """Write the whole history of series into a folder, all as it is at one instant.

    `versions` and `publications` in it have a folder for each series and year, `issues` one for
    each series that has runs of a forecast; none of them is there where it would be empty.

    Args:
        connection: one that reads.
        selected: the series.
        folder: which is not there, or is empty.
        form: the kind of the files.
        progress: called now and then with how many series are written, and how many there are.

    Returns:
        What was written of each.

    Raises:
        FileError: the folder cannot be written; then nothing of it is there.
    """
    archived: list[ArchivedSeries] = []
    with snapshot(connection), folder_of_parts(folder) as parts:
        for done, series in enumerate(selected):
            progress(done, len(selected))
            entry = ArchivedSeries(series_line(connection, series.endpoint_prefix))
            own = series_facts(series, final=False)
            facts = TableFacts((own,))
            versions = StoredVersions(connection, series)
            table = SeriesTable(own, versions.record_batches())
            entry.inserted = write_partitions(parts / "versions", form, facts, [table])
            publications = StoredVersions(connection, series, published=True)
            table = SeriesTable(own, publications.record_batches())
            by_publication = facts._replace(by_publication=True)
            entry.vintages = write_partitions(parts / "publications", form, by_publication, [table])
            issues = [
                (i.issued_at, i.first_ts, i.last_ts, i.points)
                for i in series_issues(connection, series.series_id)
            ]
            _, batches = row_batches(_ISSUES, issues)
            table = SeriesTable(own, batches)
            entry.issues = write_part(parts / "issues", form, facts, table)
            archived.append(entry)
    return archived
