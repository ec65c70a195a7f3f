"""Puts series together that one request can ask for, a number of identifiers at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.templates import Values
from dataportal.plugins.readers.parameters import ParameterError, Params

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dataportal.plugins.declarative.series_extraction import SeriesExtraction


class Batches:
    """Which series share a request.

    Series whose `extract_filter` fills the fields of the address alike do. With the parameter
    `batch` so do those that differ in one field: `batch: 50` for at most 50 values of the only
    field there is, or `batch: {size: 50, field: NAME, separator: ","}`. In a text the values stand
    between separators; in a list each has an item of its own.

    Args:
        params: of the source.
        names: the fields of the address.
    """

    def __init__(self, params: Params, names: Collection[str]) -> None:
        self._size, self._field, self._separator = 0, "", ","
        given = params.any_value("batch")
        if given is None:
            return
        inner = Params(given if isinstance(given, dict) else {"size": given})
        self._size = inner.whole_number("size", required=True)
        self._field = inner.text("field")
        self._separator = inner.text("separator", ",")
        if self._size < 1:
            inner.add_fault("size must be a whole number of 1 or more", "size")
        if not self._field and len(names) == 1:
            (self._field,) = names
        if self._field not in names:
            fields = ", ".join(f"{{{name}}}" for name in sorted(names)) or "none"
            inner.add_fault(
                f"field must name one of the fields that an extract_filter fills, of which there "
                f"are {fields}" + (f", not {self._field!r}" if self._field else ""),
                "field",
            )
        try:
            inner.finish()
        except ParameterError as error:
            for keys, message in error.faults:
                params.add_fault(
                    f"batch.{message}" if isinstance(given, dict) else f"batch: {message}",
                    "batch",
                    *(keys if isinstance(given, dict) else ()),
                )

    def of(
        self, extractions: Sequence[SeriesExtraction]
    ) -> Iterator[tuple[dict[str, Any], list[SeriesExtraction]]]:
        """The fields of each request, and the series that share it."""
        groups: dict[tuple[tuple[str, Any], ...], list[SeriesExtraction]] = {}
        for series in extractions:
            others = (item for item in series.address_fields.items() if item[0] != self._field)
            groups.setdefault(tuple(sorted(others)), []).append(series)
        for fields, sharing in groups.items():
            if not self._field:
                yield dict(fields), sharing
                continue
            by_value: dict[Any, list[SeriesExtraction]] = {}
            for series in sharing:
                by_value.setdefault(series.address_fields[self._field], []).append(series)
            values = list(by_value)
            for begin in range(0, len(values), self._size):
                batch = values[begin : begin + self._size]
                together = Values(tuple(batch), self._separator)
                yield (
                    {**dict(fields), self._field: together},
                    [series for value in batch for series in by_value[value]],
                )
