"""Describes a schema: to compare what two ways have led to."""

from __future__ import annotations

from typing import Any

from support.store_feed import open_observer


def describe_schema(url: str) -> list[tuple[Any, ...]]:
    """All that the schema consists of."""
    with open_observer(url) as look:
        return look.execute(
            "SELECT 'column', table_name::text, column_name::text, data_type::text, is_nullable,"
            " column_default FROM information_schema.columns WHERE table_schema = 'public'"
            " UNION ALL SELECT 'index', tablename::text, indexname::text, indexdef, NULL, NULL"
            " FROM pg_indexes WHERE schemaname = 'public'"
            " UNION ALL SELECT 'check', conrelid::regclass::text, conname::text,"
            " pg_get_constraintdef(oid), NULL, NULL FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
            " UNION ALL SELECT 'migration', name, sha256, NULL, NULL, NULL FROM schema_migration"
            " ORDER BY 1, 2, 3, 4"
        ).fetchall()
