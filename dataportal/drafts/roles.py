"""Tells which columns of rows are times, values and dimensions, by what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataportal.drafts.day_parts import days_with_parts
from dataportal.drafts.dimension_columns import (
    add_field,
    dimension_columns,
    name_numbered_columns,
    series_of,
)
from dataportal.drafts.ranges import add_range_starts
from dataportal.drafts.time_columns import granularity_of
from dataportal.drafts.time_roles import TimeRole, distinct_count, single_columns
from dataportal.drafts.value_columns import (
    number_params,
    units_of,
    value_columns,
    value_places,
    without_counters,
)
from dataportal.drafts.year_parts import years_with_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dataportal.drafts.rows import Column, RowSet


@dataclass(slots=True)
class Reading:
    """Rows with roles.

    Attributes:
        rows: the rows.
        time: where times stand.
        params: of the source, all of them.
        notes: why, by parameter.
        values: columns with values.
        series: of each series what its `extract_filter` says, and the words of its name.
        dimensions: the columns that tell series apart.
        granularity: how long intervals are; None if nobody knows.
        left_out: how many series there are beside those.
    """

    rows: RowSet
    time: TimeRole
    params: dict[str, Any]
    notes: dict[str, str]
    values: list[Column]
    series: list[tuple[dict[str, Any], list[str]]]
    dimensions: list[Column]
    granularity: str | None
    units: dict[int, str]
    left_out: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def zone(self) -> str:
        """The time zone that the answer names; empty for none."""
        return self.time.zone or self.rows.zone


def find_roles(rows: RowSet, *, most_series: int) -> Reading | None:
    """The likeliest reading of rows; None if they have no times or no values.

    Args:
        rows: an answer, or a part of it.
        most_series: so many series are named.
    """
    rows = rows.first_rows()
    if not rows.count:
        return None
    rows.settle_days()
    add_range_starts(rows)
    best: tuple[float, Reading] | None = None
    for time in _time_roles(rows)[:6]:
        reading = _reading(rows, time, most_series)
        if reading is not None:
            score = time.score + _uniqueness(reading) * 3 + min(len(reading.values), 3) * 0.2
            if best is None or score > best[0]:
                best = (score, reading)
    return None if best is None else best[1]


def _uniqueness(reading: Reading) -> float:
    """The part of the rows whose time no other row of the same series has."""
    keys = _keys(reading.time.times, reading.dimensions)
    return len(set(keys)) / len(keys) if keys else 0.0


def _keys(times: Sequence[datetime | None], dimensions: Sequence[Column]) -> list[Any]:
    texts = [column.texts for column in dimensions]
    return [(ts, *key) for ts, *key in zip(times, *texts, strict=True) if ts is not None]


def _time_roles(rows: RowSet) -> list[TimeRole]:
    """Ways to read times, the likeliest first."""
    if "start" in rows.params:
        column = rows.columns[0]
        role = TimeRole({}, [column], column.cells, main=column)
        role.needs_zone = any(ts is not None and ts.tzinfo is None for ts in column.cells)
        role.score = 5.0
        return [role]
    roles = [*single_columns(rows), *days_with_parts(rows), *years_with_parts(rows)]
    most = max((distinct_count(role.times) for role in roles), default=1)
    for role in roles:
        role.score += 3.0 * distinct_count(role.times) / most
    return sorted(roles, key=lambda role: -role.score)


def _reading(rows: RowSet, time: TimeRole, most_series: int) -> Reading | None:
    """All roles, given the one of times."""
    valid = [ts is not None for ts in time.times]
    if not any(valid):
        return None
    params = {**rows.params}
    notes = {**rows.notes, **time.notes}
    values, numbers = value_columns(rows, time)
    if not values:
        return None
    params.update(time.params)
    fields: dict[str, Any] = {}
    for column in time.columns:
        add_field(fields, column)
    if time.strays and time.main is not None:
        _leave_strays_out(params, notes, time, fields)
    dimensions, remarks = dimension_columns(rows, time, values, params, notes, fields)
    values = without_counters(values, numbers, time, dimensions)
    places = value_places(rows, values, numbers, fields, notes)
    number_params(params, notes, rows, values, numbers)
    name_numbered_columns(rows, dimensions)
    for column in dimensions:
        add_field(fields, column)
    if fields:
        params["fields"] = fields
    series, left_out = series_of(time, values, places, dimensions, most_series, numbers)
    if len(values) == 1 and "start" not in params:
        only = places[id(values[0])]
        if only != "cell":
            params["value"] = only
            filled = numbers[id(values[0])].count
            notes["value"] = f"{filled:,} numbers"
        for extract_filter, _ in series:
            extract_filter.pop("value", None)
    granularity = _granularity(time, dimensions)
    units = units_of(rows, values, dimensions)
    return Reading(
        rows, time, params, notes, values, series, dimensions, granularity, units, left_out, remarks
    )


def _leave_strays_out(
    params: dict[str, Any], notes: dict[str, str], time: TimeRole, fields: dict[str, Any]
) -> None:
    """Keep only the rows that have a time, where some are remarks, units or sums."""
    del fields
    main = time.main
    assert main is not None  # noqa: S101 - the caller looks
    good = [
        text for text, ts in zip(main.texts, time.times, strict=True) if ts is not None and text
    ]
    masks = {_mask_of(text) for text in good}
    pattern = (
        f"^(?:{'|'.join(sorted(masks))})"
        if len(masks) > 1
        else f"^{next(iter(masks))}"
        if masks
        else ""
    )
    shown = ", ".join(sorted(time.strays)[:3])
    if pattern and len(masks) <= 3 and not any(re.search(pattern, text) for text in time.strays):  # noqa: PLR2004
        params["keep_rows"] = {main.place: pattern}
        notes["keep_rows"] = f"rows without a time are none: {shown}"
        return
    from dataportal.drafts.text_tables import escape

    words = "|".join(escape(text) for text in sorted(time.strays)[:20])
    params["drop_rows"] = {main.place: f"^(?:{words})$"}
    notes["drop_rows"] = f"these rows have no time: {shown}"


def _mask_of(text: str) -> str:
    from dataportal.drafts.text_tables import escape

    return re.sub(
        r"\d+",
        lambda m: r"\d+" if len(m[0]) < 3 else rf"\d{{{len(m[0])}}}",  # noqa: PLR2004
        escape(text[:10] if re.match(r"\d{4}-", text) else text),
    )


def _granularity(time: TimeRole, dimensions: Sequence[Column]) -> str | None:
    """How long intervals are: as far apart as the times of one series."""
    if time.length is not None:
        from dataportal.times import format_duration

        return format_duration(time.length)
    if any(column.name == "kind" for column in dimensions):
        return None
    texts = [column.texts for column in dimensions]
    by_key: dict[Any, list[datetime | None]] = {}
    for row, ts in enumerate(time.times):
        by_key.setdefault(tuple(column[row] for column in texts), []).append(ts)
    longest = sorted(by_key.values(), key=len, reverse=True)[:20]
    seen = [length for own in longest if (length := granularity_of(own)) is not None]
    return max(seen, key=seen.count, default=None)
