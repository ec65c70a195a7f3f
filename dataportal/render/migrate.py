"""Shows what `migrate` did to the schema of a database, and the SQL that makes its roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.render.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataportal.store.migrations import SchemaState


@dataclass(frozen=True, slots=True)
class SchemaView:
    """The answer of `migrate`: the state of the schema, and the migrations just applied."""

    state: SchemaState
    applied: tuple[str, ...]

    def lines(self, stream: TextIO) -> Iterator[str]:
        """One line."""
        del stream
        schema = printable(self.state.schema)
        if self.state.pending:
            yield f"pending in schema {schema}: {', '.join(self.state.pending)}"
        elif self.applied:
            yield f"schema {schema} brought up to date: {', '.join(self.applied)}"
        else:
            yield f"schema {schema} is up to date"

    def document(self) -> Mapping[str, Any]:
        """`applied` just now, `pending`, and `present` in the schema."""
        return {
            "ok": not self.state.pending,
            "schema": self.state.schema,
            "applied": self.applied,
            "pending": self.state.pending,
            "present": self.state.applied,
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
