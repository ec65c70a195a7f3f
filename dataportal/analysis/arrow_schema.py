"""What a table says of itself: its series, units, zones, licences, and whether it is final.

The metadata of a schema are texts. Of the whole table: `as_of` (ISO 8601 in UTC, empty where no one
time is meant), `final` (`true` or `false`), `by` (`known` or `published`), `recorded`, `notes` (one
on each line) and `series`, a JSON array with an object for each of them. Of a column that holds the
values of one series: `series`, `name`, `unit`, `zone`, `granularity`, `licence`, `source`, `final`,
`known_through`, `issued_at`, as far as they are known. Parquet and Arrow files have the schema in
them, and so keep it.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from dataportal.store.read.history import StoredSeries

SERIES = "series"
VALUE = "value"
_LICENCE_KEYS = ("licence", "license")


class SeriesFacts(NamedTuple):
    """What a table says of a series; None for what nobody knows.

    Attributes:
        series: its endpoint_prefix.
        name: what people call it.
        unit: of its values.
        zone: whose local days its intervals are; its times are UTC all the same.
        granularity: how long its intervals are.
        licence: of its data, as the metadata of its source say.
        source: the source that it comes from.
        final: whether nothing that is still to come can change what is said of it.
        known_through: up to when what was known of it is final.
        issued_at: which run of its forecast it is.
    """

    series: str
    name: str | None
    unit: str | None
    zone: str | None
    granularity: str | None
    licence: str | None
    source: str
    final: bool
    known_through: datetime | None
    issued_at: datetime | None

    def texts(self) -> dict[str, str]:
        """All that is known, as texts: times in ISO 8601 in UTC, `true` and `false`."""
        members = self._asdict()
        return {name: _text(value) for name, value in members.items() if value is not None}


class TableFacts(NamedTuple):
    """What a table says of all that is in it.

    Attributes:
        series: of which series it is, in their order.
        by_publication: whether it goes by the times of publication.
        as_of: the one time at which all of it was known; None where there is none such.
        recorded: with `by_publication`, by when it was recorded.
        notes: what people are told of it.
    """

    series: tuple[SeriesFacts, ...]
    by_publication: bool = False
    as_of: datetime | None = None
    recorded: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """Whether it is final of each of its series; never of none."""
        return bool(self.series) and all(facts.final for facts in self.series)

    def texts(self) -> dict[str, str]:
        """The metadata of its schema."""
        series = [facts.texts() | {"final": facts.final} for facts in self.series]
        return {
            "as_of": "" if self.as_of is None else iso(self.as_of),
            "final": _text(self.final),
            "by": "published" if self.by_publication else "known",
            "recorded": "" if self.recorded is None else iso(self.recorded),
            "notes": "\n".join(self.notes),
            "series": json.dumps(series, ensure_ascii=False),
        }


def series_facts(
    series: StoredSeries, *, final: bool, issued_at: datetime | None = None
) -> SeriesFacts:
    """What a table says of a series.

    Args:
        series: as it is stored.
        final: whether the answer for it is final.
        issued_at: which run of its forecast it is, if it is one.
    """
    licences = (series.metadata.get(key) for key in _LICENCE_KEYS)
    licence = next((text for text in licences if text is not None), None)
    return SeriesFacts(
        series.endpoint_prefix,
        series.name,
        series.unit,
        series.ts_timezone,
        series.granularity,
        None if licence is None else str(licence),
        series.source,
        final,
        series.known_through,
        issued_at,
    )


def with_facts(
    schema: pa.Schema, facts: TableFacts, columns: Mapping[str, SeriesFacts] | None = None
) -> pa.Schema:
    """A schema that says what its table holds.

    Args:
        schema: the bare one.
        facts: what is said of all of it.
        columns: of which series the values of a column are; None for a column `value`, which says
            so if the table is of one series.
    """
    import pyarrow as pa

    if columns is None:
        columns = {VALUE: facts.series[0]} if len(facts.series) == 1 else {}
    fields = [
        field.with_metadata(columns[field.name].texts()) if field.name in columns else field
        for field in schema
    ]
    return pa.schema(fields, metadata=facts.texts())


def series_field() -> pa.Field:
    """The column with the name of the series of each row, by a dictionary."""
    import pyarrow as pa

    return pa.field(SERIES, pa.dictionary(pa.int32(), pa.string()), nullable=False)


def name_rows(batch: pa.RecordBatch, number: int, names: Sequence[str]) -> pa.RecordBatch:
    """The rows of one series with its name before them.

    Args:
        batch: the rows.
        number: which of the names it has.
        names: of all series of the table, which all its batches share as their dictionary.
    """
    import pyarrow as pa

    text = pa.py_buffer(number.to_bytes(4, sys.byteorder) * batch.num_rows)
    indices = pa.Array.from_buffers(pa.int32(), batch.num_rows, [None, text])
    column = pa.DictionaryArray.from_arrays(indices, _dictionary(tuple(names)))
    schema = pa.schema([series_field(), *batch.schema])
    return pa.record_batch([column, *batch.columns], schema=schema)


@lru_cache(maxsize=8)
def _dictionary(names: tuple[str, ...]) -> pa.Array:
    """The names as Arrow has them.

    From their bytes, as `pa.array` would import pandas: see `store.read.arrow`.
    """
    import pyarrow as pa

    texts = [name.encode() for name in names]
    ends = [0, *accumulate(map(len, texts))]
    offsets = b"".join(end.to_bytes(4, sys.byteorder) for end in ends)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def _text(value: str | datetime | bool) -> str:  # noqa: FBT001 - any of them
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else iso(value)
