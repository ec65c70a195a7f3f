"""The statements that make roles for the daily work; `sql/roles.sql` is where they stand."""

from __future__ import annotations

from dataportal.store.queries import sql_home


def grants(**names: str | None) -> str:
    """The script, for roles of these names.

    Args:
        names: `migrator`, `writer`, `reader`; None for the usual name.
    """
    settings = (
        f"SET dataportal.{role} = '{_quoted(name)}';\n" for role, name in names.items() if name
    )
    return "".join(settings) + (sql_home() / "roles.sql").read_text(encoding="utf-8")


def _quoted(name: str) -> str:
    return name.replace("'", "''")
