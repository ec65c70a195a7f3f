"""The SQL script that makes roles for the daily work and grants them what they need."""

from __future__ import annotations

from dataportal.store.queries import sql_home


def grants(**names: str | None) -> str:
    """`sql/roles.sql` for roles of these names.

    Args:
        names: `migrator`, `writer`, `reader`; None for the usual name.
    """
    settings = (
        f"SET dataportal.{role} = '{_escape(name)}';\n" for role, name in names.items() if name
    )
    return "".join(settings) + (sql_home() / "roles.sql").read_text(encoding="utf-8")


def _escape(name: str) -> str:
    return name.replace("'", "''")
