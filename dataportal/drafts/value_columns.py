"""Tells which columns of rows are values, and how their numbers are read."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dataportal.drafts.rows import Column
from dataportal.drafts.vocabulary import NO_VALUE, VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from dataportal.drafts.number_columns import NumberGuess
    from dataportal.drafts.rows import RowSet
    from dataportal.drafts.time_roles import TimeRole


def value_columns(rows: RowSet, time: TimeRole) -> tuple[list[Column], dict[int, NumberGuess]]:
    """The columns with values, and their numbers."""
    numbers: dict[int, NumberGuess] = {}
    candidates: list[Column] = []
    doubtful: list[Column] = []
    valid = [ts is not None for ts in time.times]
    has_latitude = any(set(column.words) & {"lat", "latitude"} for column in rows.columns)
    for column in rows.columns:
        if column in time.columns or column.beside is not None:
            continue
        if column.name == "header" or any(isinstance(cell, bool) for cell in column.cells[:50]):
            continue
        guess = column.times
        if guess is not None and (
            (guess.pattern not in {"period", "%Y%m"} and not guess.pattern.startswith("unix"))
            or (
                len(guess.strays) == 0
                and set(column.words) & {"year", "time", "date", "period", "timestamp", "jahr"}
            )
        ):
            continue
        cells = [cell for cell, good in zip(column.cells, valid, strict=True) if good]
        own = Column(column.place, column.name, cells)
        number = own.numbers(rows.style)
        if number is None or not number.count:
            continue
        numbers[id(column)] = number
        is_longitude = has_latitude and bool(set(column.words) & {"lng", "long", "lon"})
        if is_longitude or _is_no_value(column, number, len(cells)):
            doubtful.append(column)
        else:
            candidates.append(column)
    plain = [column for column in candidates if not numbers[id(column)].pattern]
    if any(not _is_constant(numbers[id(column)]) for column in plain) or len(plain) == len(
        candidates
    ):
        candidates = plain
    chosen = [column for column in candidates if _is_called_value(column)] or candidates
    if not chosen:
        # something must be the value
        varying = [
            c
            for c in doubtful
            if len(set(numbers[id(c)].values)) > 1
            and not set(c.words) & {"id", "lat", "lon", "code"}
        ]
        chosen = [c for c in varying if not numbers[id(c)].are_whole] or varying[:1]
    return chosen, numbers


def _is_constant(number: NumberGuess) -> bool:
    """Whether all its numbers are one and the same whole one, such as a code."""
    known = {value for value in number.values if value is not None}
    return len(known) == 1 and number.are_whole and 0.0 not in known


def _is_called_value(column: Column) -> bool:
    name = column.name.lower().rpartition(".")[2].strip("_")
    return name in VALUE or (
        bool(column.words)
        and column.words[-1] in {"value", "wert", "valeur"}
        and len(column.words) < 3  # noqa: PLR2004 - such as OBS_VALUE
    )


def _is_no_value(column: Column, number: NumberGuess, count: int) -> bool:
    """Whether a column of numbers rather has codes, counters or places on a map."""
    words = column.words
    if _is_called_value(column):
        return False
    known = [value for value in number.values if value is not None]
    if words and (
        set(words[-2:]) & NO_VALUE or words[0] in {"id", "lat", "lon", "quality", "qualifier"}
    ):
        return True
    if column.name.lower() in NO_VALUE or column.name.lower().endswith(
        ("_id", "code", "_cd", "_no", "_qc", "_flag")
    ):
        return True
    lower = column.name.lower()
    if any(
        part in lower for part in ("qualif", "objectid", "latitude", "longitude", "geogr", "codigo")
    ):
        return True
    if number.are_whole and count > 3:  # noqa: PLR2004 - fewer tell nothing
        steps = {b - a for a, b in pairwise(known)}
        if steps == {1.0} and (known[0] in {0.0, 1.0} or not column.name):
            return True  # a counter of rows
    # codes have leading zeros, and are as long as each other
    cells = [cell for cell in column.texts if cell]
    are_long = len(cells) > 1 and len(cells[0]) > 1 and len({len(c) for c in cells}) == 1
    return number.are_whole and are_long and cells[0].startswith("0")


def without_counters(
    values: Sequence[Column],
    numbers: dict[int, NumberGuess],
    time: TimeRole,
    dimensions: Sequence[Column],
) -> list[Column]:
    """The values without columns of whole numbers that only repeat the time or the series.

    Numbers of intervals are the same in all series, and numbers of places the same at all times.
    """
    if not dimensions or len(values) < 2:  # noqa: PLR2004 - something must be the value
        return [*values]
    texts = [column.texts for column in dimensions]
    keys = [*zip(*texts, strict=True)]
    kept = []
    for column in values:
        if not numbers[id(column)].are_whole or _is_called_value(column):
            kept.append(column)
            continue
        by_time: dict[datetime, set[str]] = {}
        by_key: dict[tuple[str, ...], set[str]] = {}
        for ts, key, text in zip(time.times, keys, column.texts, strict=True):
            if ts is not None:
                by_time.setdefault(ts, set()).add(text)
                by_key.setdefault(key, set()).add(text)
        is_of_time = len(by_key) > 1 and len(by_time) < len(keys) and _single(by_time.values())
        is_of_key = len(by_time) > 2 and len(by_key) > 1 and _single(by_key.values())  # noqa: PLR2004
        if not (is_of_time or is_of_key):
            kept.append(column)
    return kept or [*values]


def _single(sets: Iterable[set[str]]) -> bool:
    return all(len(own) == 1 for own in sets)


def _power_column(rows: RowSet) -> Column | None:
    """A column with the power of ten that values are multiplied by."""
    for column in rows.columns:
        joined = "".join(column.words)
        is_named = any(part in joined for part in ("unitmult", "scalarfactor", "poweroften"))
        if is_named and all(re.fullmatch(r"-?\d{1,2}", text) for text in column.distinct):
            return column
    return None


def value_places(
    rows: RowSet,
    values: Sequence[Column],
    numbers: dict[int, NumberGuess],
    fields: dict[str, Any],
    notes: dict[str, str],
) -> dict[int, str | int]:
    """Where each value stands, or the name of a further field that takes it out of a cell."""
    places: dict[int, str | int] = {}
    power = _power_column(rows)
    for column in values:
        if power is not None and not numbers[id(column)].pattern:
            name = "amount" if len(values) == 1 else f"{column.name}_amount"
            fields[name] = {"place": column.place, "power_of_ten": power.place}
            notes[f"fields.{name}"] = f"{power.name} seems to be a power of ten"
            places[id(column)] = name
            continue
        pattern = numbers[id(column)].pattern
        places[id(column)] = column.place
        if pattern:
            name = (
                "number" if len(values) == 1 and "number" not in fields else f"{column.name}_number"
            )
            fields[name] = {"place": column.place, "pattern": pattern}
            notes[f"fields.{name}"] = (
                f"cells have more than a number, such as {column.distinct[0]!r}"
            )
            places[id(column)] = name
    return places


def number_params(
    params: dict[str, Any],
    notes: dict[str, str],
    rows: RowSet,
    values: Sequence[Column],
    numbers: dict[int, NumberGuess],
) -> None:
    """Decimal sign, thousands, and marks for nothing."""
    if rows.style.decimal != ".":
        params["decimal"] = rows.style.decimal
        notes["decimal"] = "numbers have a comma"
    if rows.style.thousands:
        params["thousands"] = rows.style.thousands
    marks = sorted({mark for column in values for mark in numbers[id(column)].marks})
    unusual = [m for m in marks if m.casefold() not in {"", "na", "n/a", "null", "nan", "-"}]
    if unusual:
        has_empty = any(text == "" for column in values for text in column.texts)
        params["missing"] = ([""] if has_empty else []) + [_mark(m) for m in marks]
        notes["missing"] = "these stand for nothing"


def _mark(text: str) -> str | int:
    return int(text) if re.fullmatch(r"-?[1-9]\d*", text) else text


def units_of(
    rows: RowSet, values: Sequence[Column], dimensions: Sequence[Column]
) -> dict[int, str]:
    """The units that names of columns, or a column of them, tell; 0 is that of all."""
    units: dict[int, str] = {}
    if rows.unit:
        units[0] = rows.unit
    for column in values:
        match = re.search(r"[\[(]\s*([^\[\]()]{1,12})\s*[\])]\s*$", column.name)
        if match and not match[1].isdecimal() and match[1].lower() not in {"utc", "gmt"}:
            units[id(column)] = match[1].strip()
        elif match := re.search(
            r"_(mw|mwh|kwh|gwh|kw|cm|mm|degc|percent|eur|usd|pln)$", column.name.lower()
        ):
            known = {"mw": "MW", "mwh": "MWh", "kwh": "kWh", "gwh": "GWh", "kw": "kW", "degc": "°C"}
            units[id(column)] = known.get(
                match[1],
                {"percent": "%"}.get(
                    match[1], match[1] if match[1] in {"cm", "mm"} else match[1].upper()
                ),
            )
    for column in rows.columns:
        if set(column.words) & {"unit", "units", "einheit", "unidad", "unité", "uom", "enhet"}:
            texts = column.distinct
            if len(texts) == 1 and column not in dimensions and len(texts[0]) <= 20:  # noqa: PLR2004
                units.setdefault(0, texts[0])
    return units
