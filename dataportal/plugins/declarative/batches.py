"""Puts series together that one request can ask for, a number of identifiers at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from dataportal.plugins.declarative.templates import Values
from dataportal.plugins.parameters import Count, Parameters, about

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dataportal.plugins.declarative.series_extraction import SeriesExtraction
    from dataportal.plugins.readers.parameters import Params


class BatchSettings(Parameters):
    """How many values of which field one request asks for."""

    size: Annotated[Count, about("how many values a request asks for at most")]
    field: Annotated[
        str, about("the field, where `extract_filter` fills several of the address")
    ] = ""
    separator: Annotated[str, about("what stands between the values in a text (`,`)")] = ","


class BatchParameters(Parameters):
    """Whether series that differ in one field of the address share requests."""

    batch: Annotated[
        Count | BatchSettings | None,
        about(
            "how many series one request asks for: see "
            "[Many requests](declarative.md#many-requests)"
        ),
    ] = None


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
        batch = params.read(BatchParameters).batch
        if batch is None:
            return
        if isinstance(batch, int):
            batch = BatchSettings(size=batch)
        self._size, self._field, self._separator = batch.size, batch.field, batch.separator
        if not self._field and len(names) == 1:
            (self._field,) = names
        if self._field not in names:
            fields = ", ".join(f"{{{name}}}" for name in sorted(names)) or "none"
            params.add_fault(
                "batch.field must name one of the fields that an extract_filter fills, of which "
                f"there are {fields}" + (f", not {self._field!r}" if self._field else "")
            )

    def fault(self, extractions: Mapping[str, SeriesExtraction]) -> str | None:
        """Why the rows of a request cannot be told apart; None if they can.

        Args:
            extractions: of the series, by their names.
        """
        if self._size <= 1:
            return None
        first: dict[tuple[Any, ...], tuple[str, Any]] = {}
        for name, series in extractions.items():
            own = series.address_fields.get(self._field)
            others = (item for item in series.address_fields.items() if item[0] != self._field)
            takes = (*sorted(others), series.value, series.rows, *sorted(series.filters.items()))
            other, value = first.setdefault(takes, (name, own))
            if value != own:
                return (
                    f"{other} and {name} would have the same rows of a request for both: filter "
                    f"says in which place of a row {{{self._field}}} stands"
                )
        return None

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
