"""Where the schema of a database stands, and who may do what with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.render.console import printable
from dataportal.render.json_output import dumped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataportal.store.migrations import SchemaState


def schema_lines(state: SchemaState, applied: tuple[str, ...], *, json: bool) -> Iterator[str]:
    """What `migrate` says: what it applied, what is pending, what the schema has."""
    if json:
        yield dumped(
            {
                "ok": not state.pending,
                "schema": state.schema,
                "applied": applied,
                "pending": state.pending,
                "present": state.applied,
            }
        )
        return
    schema = printable(state.schema)
    if state.pending:
        yield f"pending in schema {schema}: {', '.join(state.pending)}"
    else:
        done = f"brought up to date: {', '.join(applied)}" if applied else "up to date"
        yield f"schema {schema} is {done}" if not applied else f"schema {schema} {done}"


def grant_lines(sql: str, *, json: bool) -> Iterator[str]:
    """The script that makes roles: for psql as it stands, or as one text."""
    if json:
        yield dumped({"ok": True, "sql": sql})
    else:
        yield sql.removesuffix("\n")
