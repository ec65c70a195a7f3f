"""The schema of a table says what it holds, in texts that every reader of Arrow keeps."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pyarrow as pa
from pyarrow import parquet

from dataportal.analysis.arrow_schema import TableFacts, name_rows, series_facts, with_facts
from dataportal.store.read.history import StoredSeries

KNOWN_THROUGH = datetime(2026, 3, 1, 6, tzinfo=UTC)


def stored_series(name: str, **fields: object) -> StoredSeries:
    """A series of the source `grid`."""
    facts: dict[str, object] = {"known_through": KNOWN_THROUGH, "metadata": {}, **fields}
    return StoredSeries(endpoint_prefix=name, series_id=1, source="grid", **facts)  # type: ignore[arg-type]  # what a test says


LOAD = stored_series(
    "load", unit="MW", ts_timezone="Europe/Berlin", metadata={"licence": "CC BY 4.0"}
)
WIND = stored_series("wind", unit="MW", known_through=None)


def test_a_table_of_one_series_says_it_of_its_values() -> None:
    """Unit, zone, licence, and whether it is final; times in ISO 8601."""
    facts = TableFacts((series_facts(LOAD, final=True),), as_of=KNOWN_THROUGH)
    schema = with_facts(pa.schema([("ts", pa.int64()), ("value", pa.float64())]), facts)
    assert schema.metadata[b"final"] == b"true"
    assert schema.metadata[b"as_of"] == b"2026-03-01T06:00:00Z"
    value = schema.field("value").metadata
    assert (value[b"unit"], value[b"zone"]) == (b"MW", b"Europe/Berlin")
    assert (value[b"licence"], value[b"final"]) == (b"CC BY 4.0", b"true")
    assert schema.field("ts").metadata is None


def test_it_is_final_only_if_it_is_so_of_each() -> None:
    """And never of none."""
    both = (series_facts(LOAD, final=True), series_facts(WIND, final=False))
    assert not TableFacts(both).final
    assert TableFacts(both[:1]).final
    assert not TableFacts(()).final
    (load, wind) = json.loads(TableFacts(both).texts()["series"])
    assert (load["series"], load["final"]) == ("load", True)
    assert (wind["series"], wind["final"]) == ("wind", False)
    assert "known_through" not in wind


def test_files_keep_it() -> None:
    """Parquet brings the metadata back as they were."""
    facts = TableFacts((series_facts(LOAD, final=True), series_facts(WIND, final=False)))
    batch = pa.record_batch({"value": pa.array([1.5, None])})
    named = [name_rows(batch, number, ["load", "wind"]) for number in (0, 1)]
    schema = with_facts(named[0].schema, facts)
    table = pa.Table.from_batches(named).cast(schema)
    file = io.BytesIO()
    parquet.write_table(table, file)
    back = parquet.read_table(file)
    assert back.column("series").to_pylist() == ["load", "load", "wind", "wind"]
    assert back.schema.metadata[b"series"] == schema.metadata[b"series"]
