"""Shows what `migrate` did to a schema and its columnstore, and the SQL that makes its roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.render.console import printable
from dataportal.render.formatting import NOTHING, format_span, pluralize
from dataportal.times import format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from dataportal.store.distribution import Distribution
    from dataportal.store.migrations import SchemaState
    from dataportal.store.upkeep.columnstore import ColumnstoreState


@dataclass(frozen=True, slots=True)
class SchemaView:
    """The answer of `migrate`: the state of the schema, and the migrations just applied.

    Attributes:
        state: of the schema.
        applied: the migrations that were pending.
        distribution: how the tables lie on several machines, if they do.
    """

    state: SchemaState
    applied: tuple[str, ...]
    distribution: Distribution | None = None

    def lines(self, stream: TextIO) -> Iterator[str]:
        """One line, and one on the machines."""
        del stream
        schema = printable(self.state.schema)
        if self.state.pending:
            yield f"pending in schema {schema}: {', '.join(self.state.pending)}"
        elif self.applied:
            yield f"schema {schema} brought up to date: {', '.join(self.applied)}"
        else:
            yield f"schema {schema} is up to date"
        unit, nodes = self.distribution or (None, ())
        if unit is not None:
            data = sum(node.has_shards for node in nodes)
            yield f"tables distributed by {unit} over {data} of {len(nodes)} servers"

    def document(self) -> Mapping[str, Any]:
        """`applied` just now, `pending`, and `present` in the schema; how the tables lie."""
        unit, nodes = self.distribution or (None, ())
        return {
            "ok": not self.state.pending,
            "schema": self.state.schema,
            "applied": self.applied,
            "pending": self.state.pending,
            "present": self.state.applied,
            "nodes": [node._asdict() for node in nodes],
            "distributed_by": unit,
        }


@dataclass(frozen=True, slots=True)
class ColumnstoreView:
    """The answer of `migrate --columnstore` and `--no-columnstore`.

    Attributes:
        schema: the state of the schema.
        columnstore: as it is now; None while migrations are pending.
        wanted: the AFTER that was asked for; None for `--no-columnstore`.
        planned: whether nothing was done yet.
        decompressed: how many chunks became rows again.
    """

    schema: SchemaView
    columnstore: ColumnstoreState | None
    wanted: timedelta | None
    planned: bool
    decompressed: int

    def lines(self, stream: TextIO) -> Iterator[str]:
        """The line of the schema, then one of the columnstore."""
        yield from self.schema.lines(stream)
        state = self.columnstore
        if state is None:
            yield "columnstore: after these migrations"
        elif state.enabled:
            width = NOTHING if state.chunk_interval is None else _span(state.chunk_interval)
            yield f"columnstore: on; chunks of {width} are " + (
                "not compressed by themselves"
                if state.after is None
                else f"compressed when all in them is older than {_span(state.after)}"
            )
        elif self.decompressed:
            yield f"columnstore: off; {pluralize(self.decompressed, 'chunk')} made rows again"
        else:
            yield "columnstore: off"
        if not self.planned or state is None:
            return
        if self.wanted is not None:
            kind = "stay" if state.enabled else "be turned"
            yield f"would {kind} on, for what is older than {_span(self.wanted)}"
        elif state.enabled:
            yield "would be turned off, and everything made rows again"

    def document(self) -> Mapping[str, Any]:
        """That of the schema, and `columnstore`."""
        state = self.columnstore
        return {
            **self.schema.document(),
            "columnstore": None if state is None else columnstore_fields(state),
            "decompressed": self.decompressed,
        }


def _span(length: timedelta) -> str:
    """Short where that says all of it."""
    short = format_span(length)
    return short if parse_duration(short) == length else format_duration(length)


def columnstore_fields(state: ColumnstoreState) -> dict[str, Any]:
    """What JSON says of the columnstore of a database."""
    return {
        "enabled": state.enabled,
        "after": None if state.after is None else state.after.total_seconds(),
        "chunk_interval": None
        if state.chunk_interval is None
        else state.chunk_interval.total_seconds(),
        "reason": state.reason,
    }


@dataclass(frozen=True, slots=True)
class GrantsView:
    """The answer of `migrate --print-grants`."""

    sql: str

    def lines(self, stream: TextIO) -> Iterator[str]:
        """The script as it stands, for psql."""
        del stream
        yield self.sql.removesuffix("\n")

    def document(self) -> Mapping[str, Any]:
        """The script as one text."""
        return {"ok": True, "sql": self.sql}
