"""Turns TimescaleDB's columnstore on and off for the tables of observations.

In it the rows of a series lie together, a thousand at a time, column by column, in a tenth of the
room. Chunks are compressed as a whole, once all in them is older than a duration; what is younger
stays rows. A revision of something old makes the thousand rows around it rows again, until the
chunk is compressed anew. The columnstore belongs to the Community edition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from dataportal.errors import UpkeepError
from dataportal.failpoints import failpoint
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.rows import record_row
from dataportal.store.upkeep.contention import repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

SEGMENTED_TABLES = {
    "time_series_data": "data",
    "time_series_data_scd2": "history",
    "time_series_vintage": "vintages",
}
"""The tables of observations; current values before versions, as everywhere."""
_ORDERS = {
    "time_series_data": "ts",
    "time_series_data_scd2": "ts,valid_to",
    "time_series_vintage": "ts,published_at,recorded_at",
}
_SEGMENT = "series_id"
_OLDEST_VERSION = (2, 19)
"""Of TimescaleDB: with earlier ones the columnstore was not tried."""
_WIDTHS = (timedelta(days=30), timedelta(days=90), timedelta(days=365))
"""Of chunks; the last is that of the migrations, and of tables without a columnstore."""
_FULL_SEGMENT = 2_000
"""Rows of a series that a chunk should hold: two batches, as TimescaleDB compresses them."""
_RATED_SERIES = 200
_LOCK_WAIT, _NO_LIMIT = "5s", "0"


class Edition(NamedTuple):
    """The TimescaleDB of a database: its version, the schema of its functions, its license."""

    version: str
    home: str
    license: str


class TableState(NamedTuple):
    """How one of the tables is compressed; None for what is not set.

    Attributes:
        table: its name.
        is_owned: whether this role may change that.
        owner: the role that owns it.
        chunk_interval: how much time a new chunk covers.
        segmentby: the columns whose rows lie together.
        orderby: in which order.
        after: how old all in a chunk must be before the policy compresses it.
    """

    table: str
    is_owned: bool
    owner: str
    chunk_interval: timedelta | None
    segmentby: str | None
    orderby: str | None
    after: timedelta | None

    @property
    def is_ours(self) -> bool:
        """Whether it is compressed as `enable_columnstore` has it."""
        order = (self.orderby or "").replace(" ", "").replace('"', "")
        return self.segmentby == _SEGMENT and order == _ORDERS[self.table]

    @property
    def is_compressible(self) -> bool:
        """Whether it is compressed in whatever way."""
        return self.segmentby is not None or self.orderby is not None


@dataclass(frozen=True, slots=True)
class ColumnstoreState:
    """The columnstore of a database.

    Attributes:
        enabled: whether all tables of observations are compressed as this program has it.
        after: how old all in a chunk is before it is compressed; None where nothing is by itself.
        chunk_interval: how much time a new chunk covers; None where there are no chunks.
        reason: why there can be none, with what to do about it; None where there can.
    """

    enabled: bool
    after: timedelta | None
    chunk_interval: timedelta | None
    reason: str | None


def version_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version such as `2.29.2` or `2.30.0-dev`."""
    numbers, _, _ = text.partition("-")
    return tuple(int(part) for part in numbers.split(".") if part.isdigit())


def read_edition(connection: psycopg.Connection) -> Edition | None:
    """The TimescaleDB of the database; None for a plain PostgreSQL."""
    cursor = connection.cursor(row_factory=record_row(Edition))
    return cursor.execute(query("columnstore_edition")).fetchone()


def read_columnstore(connection: psycopg.Connection) -> ColumnstoreState:
    """How the tables of observations are compressed, if they are.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    with database_errors("reading how the tables are compressed"):
        try:
            _require_columnstore(read_edition(connection))
        except UpkeepError as error:
            return ColumnstoreState(
                enabled=False, after=None, chunk_interval=None, reason=str(error)
            )
        states = _read_tables(connection)
    afters = [state.after for state in states if state.after is not None]
    widths = [state.chunk_interval for state in states if state.chunk_interval is not None]
    return ColumnstoreState(
        enabled=all(state.is_ours for state in states),
        after=max(afters) if len(afters) == len(states) else None,
        chunk_interval=widths[0] if widths else None,
        reason=None,
    )


def _require_columnstore(edition: Edition | None) -> Edition:
    """The edition, if it has a columnstore.

    Raises:
        UpkeepError: it has none; why, and what would.
    """
    way_out = "Use TimescaleDB's Community edition, as in the image timescale/timescaledb"
    if edition is None:
        raise UpkeepError(
            "the columnstore is part of TimescaleDB, which is not installed in this database",
            hint=f"{way_out}, and CREATE EXTENSION timescaledb",
        )
    if version_numbers(edition.version) < _OLDEST_VERSION:
        raise UpkeepError(
            f"TimescaleDB {edition.version} is too old for its columnstore to be used",
            hint=f"Update it to {'.'.join(map(str, _OLDEST_VERSION))} or later",
        )
    if edition.license != "timescale":
        raise UpkeepError(
            f"TimescaleDB {edition.version} is here the Apache edition, which has no columnstore",
            hint=f"{way_out}; where it is that one, set timescaledb.license = 'timescale'",
        )
    return edition


def _read_tables(connection: psycopg.Connection) -> list[TableState]:
    cursor = connection.cursor(row_factory=record_row(TableState))
    rows = cursor.execute(query("columnstore_tables"), {"tables": [*SEGMENTED_TABLES]})
    return sorted(rows, key=lambda state: [*SEGMENTED_TABLES].index(state.table))


def check_columnstore(connection: psycopg.Connection) -> None:
    """Look whether it can be turned on, or off; changes nothing.

    Raises:
        UpkeepError: there is no columnstore, the tables are not this role's, or somebody else
            compresses them in another way.
    """
    with database_errors("reading how the tables are compressed"):
        _changeable_tables(connection)


def _changeable_tables(connection: psycopg.Connection) -> tuple[Edition, list[TableState]]:
    """The edition and the state of each table, all of which may be changed.

    Raises:
        UpkeepError: there is no columnstore, the tables are not this role's, or somebody else
            compresses them in another way.
    """
    edition = _require_columnstore(read_edition(connection))
    states = _read_tables(connection)
    for state in states:
        if not state.is_owned:
            raise UpkeepError(
                f"this role may not change how {state.table} is stored: it belongs to "
                f"{state.owner!r}",
                hint="Run it as that role; nothing was changed",
            )
        if state.is_compressible and not state.is_ours:
            raise UpkeepError(
                f"somebody else compresses {state.table} otherwise: segmentby "
                f"{state.segmentby or 'nothing'}, orderby {state.orderby or 'nothing'}, where "
                f"{_SEGMENT} and {_ORDERS[state.table]} are wanted",
                hint="Decompress its chunks and end that first; nothing was changed",
            )
    return edition, states


def enable_columnstore(connection: psycopg.Connection, after: timedelta) -> ColumnstoreState:
    """Let TimescaleDB compress what is older, in chunks that fit what arrives.

    Chunks that there are stay as they are. What is compressed already stays so.

    Args:
        connection: in autocommit mode, of the owner of the tables.
        after: how old all in a chunk must be.

    Raises:
        UpkeepError: it cannot be had; nothing was changed.
        DatabaseError: the server refused, or went away; nothing was changed.
    """
    with database_errors("turning the columnstore on"):
        edition, states = _changeable_tables(connection)
        _set_limits(connection)
        rates = connection.execute(query("columnstore_rates"), {"series": _RATED_SERIES}).fetchall()
    width = fit_chunk_interval([float(rate) for (rate,) in rates])

    def work() -> None:
        with connection.transaction():
            _find_functions(connection, edition)
            connection.execute(query("columnstore_lock"))
            for state in states:
                names = {"table": state.table}
                if not state.is_ours:
                    kind = SEGMENTED_TABLES[state.table]
                    connection.execute(query(f"columnstore_enable_{kind}"))
                if width is not None:
                    connection.execute(query("columnstore_interval"), {**names, "interval": width})
                connection.execute(query("columnstore_policy_add"), {**names, "after": after})
            failpoint("before_enabled")

    repeat(work, "turning the columnstore on")
    return read_columnstore(connection)


def disable_columnstore(
    connection: psycopg.Connection,
    *,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> int:
    """Make everything rows again, a chunk at a time; how many chunks that were.

    It can be run again after whatever ended it: what was done by then stays done, and nothing is
    compressed by itself any more from its beginning on.

    Args:
        connection: in autocommit mode, of the owner of the tables.
        progress: called with how many chunks are done, and of how many.

    Raises:
        UpkeepError: it is not ours to take back; nothing was changed.
        DatabaseError: the server refused, or went away.
    """
    doing = "turning the columnstore off"
    with database_errors(doing):
        edition, states = _changeable_tables(connection)
        _set_limits(connection)
    ours = [state for state in states if state.is_ours]

    def stop() -> None:
        with connection.transaction():
            _find_functions(connection, edition)
            for state in ours:
                connection.execute(query("columnstore_policy_remove"), {"table": state.table})

    def decompress(chunk: str) -> None:
        with connection.transaction():
            _find_functions(connection, edition)
            connection.execute(query("columnstore_decompress"), {"chunk": chunk})
            failpoint("before_rows")

    def end() -> None:
        with connection.transaction():
            _find_functions(connection, edition)
            connection.execute(query("columnstore_lock"))
            for state in ours:
                connection.execute(query(f"columnstore_disable_{SEGMENTED_TABLES[state.table]}"))
                # one that `enable_columnstore` does not choose is somebody's own
                if state.chunk_interval in _WIDTHS:
                    names = {"table": state.table, "interval": _WIDTHS[-1]}
                    connection.execute(query("columnstore_interval"), names)
            failpoint("before_disabled")

    repeat(stop, doing)
    with database_errors(doing):
        chunks = [chunk for state in ours for chunk in _compressed_chunks(connection, state.table)]
    progress(0, len(chunks))
    for done, chunk in enumerate(chunks, start=1):
        repeat(partial(decompress, chunk), doing)
        progress(done, len(chunks))
    repeat(end, doing)
    return len(chunks)


def _find_functions(connection: psycopg.Connection, edition: Edition) -> None:
    """Have the functions of the extension found for the rest of a transaction."""
    connection.execute(query("columnstore_home"), {"home": edition.home})


def _compressed_chunks(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(query("columnstore_compressed"), {"table": table})
    return [chunk for chunk, *_ in rows]


def _set_limits(connection: psycopg.Connection) -> None:
    """Wait for a lock only as long as those may who then wait behind; work without a limit."""
    connection.execute(query("maintain_limits"), {"lock": _LOCK_WAIT, "work": _NO_LIMIT})


def fit_chunk_interval(rates: Sequence[float]) -> timedelta | None:
    """How much time a chunk should cover: the least that holds enough rows of a series.

    Rows of a series are compressed a thousand at a time, and only in chunks that are past: narrow
    chunks leave less as rows, wide ones fewer chunks for each question to plan for. Of series that
    differ those count by which half of all rows arrive.

    Args:
        rates: observations a day of each series.

    Returns:
        One of a few widths; None where nothing arrives yet.
    """
    total = sum(rates)
    if not total:
        return None
    remaining = total / 2
    for rate in sorted(rates, reverse=True):
        remaining -= rate
        if remaining <= 0:
            return next(
                (w for w in _WIDTHS if rate * (w / timedelta(days=1)) >= _FULL_SEGMENT), _WIDTHS[-1]
            )
    return _WIDTHS[-1]
