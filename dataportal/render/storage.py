"""Formats how much room the tables take, for the commands that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.render.formatting import format_bytes
from dataportal.render.migrate import columnstore_fields

if TYPE_CHECKING:
    from dataportal.store.read.storage import Storage


def storage_sentence(storage: Storage) -> str:
    """Its size, the share that is compressed, and what `maintain` would gain."""
    parts = [format_bytes(storage.bytes)]
    if storage.columnstore.enabled or storage.compressed_share:
        parts.append(f"{storage.compressed_share:.0%} compressed")
    if storage.gain:
        parts.append(f"maintain would free {format_bytes(storage.gain)}")
    return ", ".join(parts)


def storage_fields(storage: Storage) -> dict[str, Any]:
    """What JSON says of it."""
    return {
        "bytes": storage.bytes,
        "compressed_share": round(storage.compressed_share, 4),
        "gain": storage.gain,
        "nodes": [node._asdict() for node in storage.distribution.nodes],
        "distributed_by": storage.distribution.unit,
        "columnstore": columnstore_fields(storage.columnstore),
        "tables": [
            {
                "table": table.table,
                "bytes": table.bytes,
                "chunks": table.chunks,
                "compressed_chunks": table.compressed_chunks,
                "compressed_share": round(table.compressed_share, 4),
            }
            for table in storage.tables
        ],
    }
