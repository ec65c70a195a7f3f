"""Reads which unit each row says that its value is in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from dataportal.plugins.declarative.beside_fields import RowParameters
from dataportal.plugins.declarative.cubes import CubeRecords
from dataportal.plugins.declarative.records import TRUNCATED_ROW, table_names
from dataportal.plugins.declarative.series_extraction import filter_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Clip

_MEASURE, _OF_BANKS, _POWER = "UNIT_MEASURE", "UNIT", "UNIT_MULT"
"""What SDMX calls the unit, what central banks call it, and the power of ten it is counted in."""


class UnitPlaces:
    """Knows where the units of values stand in a row.

    Where a source does not say it, the columns and attributes of SDMX are looked at, in cubes and
    in tables with a header. A power of ten that a field of the source multiplies by is no part of
    the unit.

    Args:
        params: of the source.
        places: what it says; None for nothing.

    Attributes:
        places: what it says.
    """

    def __init__(self, params: Params, places: tuple[FieldPath, ...] | None) -> None:
        self.places = places or ()
        fields = params.read(RowParameters).fields.values()
        self._has_power = _POWER not in {field.place_of_factors for field in fields}
        self._texts: WeakKeyDictionary[Records, Sequence[str]] = WeakKeyDictionary()

    def texts(self, records: Records) -> Sequence[str] | None:
        """The unit of each row, empty where it says none; None if no row says one.

        Raises:
            BadDataError: no row can have what the source names.
        """
        if records not in self._texts:
            self._texts[records] = self._read(records)
        return self._texts[records] or None

    def _read(self, records: Records) -> Sequence[str]:
        if self.places:
            columns = [records.column(place) for place in self.places]
            return [_join(cells) for cells in zip(*columns, strict=True)]
        if isinstance(records, CubeRecords):
            has_measure, has_power = records.has(_MEASURE), self._has_power
            if not has_measure and not records.has(_OF_BANKS):
                return ()
        else:
            names = table_names(records)
            has_measure, has_power = _MEASURE in names, _POWER in names
            if not has_measure and not (has_power and _OF_BANKS in names):
                return ()
            has_power = has_power and self._has_power
        measures = records.column(_MEASURE if has_measure else _OF_BANKS)
        if isinstance(records, CubeRecords) and not any(_texts(measures)):
            measures = records.column(_OF_BANKS)
        powers = records.column(_POWER) if has_power else [""] * len(measures)
        if isinstance(records, CubeRecords):  # an attribute may be an object
            measures, powers = _texts(measures), _texts(powers)
        return _with_powers(measures, powers)


def _with_powers(measures: Sequence[Any], powers: Sequence[Any]) -> Sequence[str]:
    """The units of all rows, with the powers of ten that they are counted in; none if no row."""
    pairs = [*zip(measures, powers, strict=True)]
    texts: dict[tuple[Any, Any], str] = {}
    for measure, power in {*pairs}:
        exponent = _text(power)
        times = f"10^{exponent}" if exponent not in {"", "0"} else ""
        texts[measure, power] = _join((times, _text(measure)))
    return [*map(texts.__getitem__, pairs)] if any(texts.values()) else ()


def units_inside(
    units: Sequence[str], times: Sequence[datetime | str], clip: Clip | None, zone: ZoneInfo | None
) -> list[str]:
    """The units of what is surely in the window: of a row beside it another one may be right.

    Args:
        units: of the first of the points; empty for those that say none.
        times: where their intervals begin.
        clip: by the window.
        zone: that times without an offset are in.
    """
    there = {*units} - {""}
    if len(there) < 2 or clip is None:  # noqa: PLR2004 - one and another
        return sorted(there)
    pairs = zip(units, times, strict=False)
    inside = {unit for unit, ts in pairs if isinstance(ts, datetime) and clip.has(ts, zone)}
    return sorted(inside - {""})


def _join(cells: Iterable[Any]) -> str:
    return " ".join(text for text in map(_text, cells) if text)


def _texts(cells: Sequence[Any]) -> Sequence[str]:
    """The texts of cells, most of which are the same."""
    try:
        texts = {cell: _text(cell) for cell in {*cells}}
    except TypeError:  # an object
        return [*map(_text, cells)]
    return [*map(texts.__getitem__, cells)]


def _text(cell: Any) -> str:
    return "" if cell is TRUNCATED_ROW else filter_text(cell)
