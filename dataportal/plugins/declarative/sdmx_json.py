"""Reads SDMX-JSON data messages, versions 1.0 and 2.0, as a cube.

Format: https://github.com/sdmx-twg/sdmx-json (data-message/docs/1-sdmx-json-field-guide.md). The
structure lists the values of each dimension; series and observations have keys of their positions,
as `0:3:1`, and observations are lists: values of measures, then positions of attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.cubes import (
    TIME_FIELD,
    VALUE_FIELD,
    first_texts,
    is_time_name,
    unknown_dimension,
)
from dataportal.plugins.declarative.keyed_series import KeyedCube, KeyedSeries
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataportal.plugins.http.response import Answer

_LEVELS = ("dataSet", "series", "observation")
_PRIMARY = "OBS_VALUE"


def sdmx_json_cube(content: Any, times: Sequence[str], answer: Answer) -> KeyedCube:
    """The cube of a data message.

    Args:
        content: of the answer.
        times: the dimension of time; none to find the one there is.
        answer: the answer.

    Raises:
        BadDataError: it is no such message, is not as its structure says, or has no dimension of
            time.
    """
    data = content.get("data", content) if isinstance(content, dict) else None
    data_sets = data.get("dataSets") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(data_sets, list):
        raise answer.bad("is not SDMX-JSON: it has no dataSets")
    series: list[KeyedSeries] = []
    observed: set[str] = set()
    count = 0
    try:
        for data_set in data_sets:
            reader = _DataSet(data, data_set, times, answer)
            series.extend(reader.series())
            count += reader.count
            observed.update(reader.observed)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise answer.bad(f"is not SDMX-JSON as its structure says ({error!r})") from None
    return KeyedCube(series, count, observed, answer)


class _Component:
    """A dimension or an attribute of the structure: its name, and its values by position."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.name = str(described["id"])
        values = described.get("values") or []
        self.codes = [_code(value) for value in values]
        roles = described.get("roles", described.get("role", []))
        roles = roles if isinstance(roles, list) else [roles]
        self.is_time = any(is_time_name(str(role)) for role in roles) or is_time_name(self.name)
        self.position = described.get("keyPosition", 0)

    def text(self, value: Any) -> Any:
        """The code at a position; what is none of these stands for itself."""
        is_position = isinstance(value, int) and not isinstance(value, bool)
        return self.codes[value] if is_position and self.codes else value


class _DataSet:
    """One data set of a message, with its structure.

    Attributes:
        count: of its observations.
        observed: what is said of each observation.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        data_set: Mapping[str, Any],
        times: Sequence[str],
        answer: Answer,
    ) -> None:
        self._data_set = data_set
        if str(data_set.get("action", "")).lower() == "delete":
            raise answer.bad("has a data set of what is to be deleted, which is not read")
        structure = data.get("structure")
        if not isinstance(structure, dict):
            structure = data["structures"][data_set.get("structure", 0)]
        given: Mapping[str, Any] = structure["dimensions"]
        self._dimensions = {level: _components(given, level) for level in _LEVELS}
        attributes: Mapping[str, Any] = structure.get("attributes") or {}
        self._attributes = {
            level: _components(attributes, level) for level in (*_LEVELS, "dimensionGroup")
        }
        measures: Mapping[str, Any] = structure.get("measures") or {}
        self._measures = _components(measures, "observation")
        self.observed = {
            component.name for component in (*self._measures, *self._attributes["observation"])
        }
        self._time = self._time_dimension(times, answer)
        groups = data_set.get("dimensionGroupAttributes") or {}
        everything = [dimension for level in _LEVELS for dimension in self._dimensions[level]]
        everything.sort(key=lambda dimension: dimension.position)
        self._groups = [
            (codes, _by_name(self._attributes["dimensionGroup"], values))
            for key, values in groups.items()
            if (codes := _group_codes(everything, key)) is not None
        ]
        self._common = _by_name(self._attributes["dataSet"], data_set.get("attributes") or [])
        by_series = data_set.get("series") or {}
        self.count = sum(len(series["observations"]) for series in by_series.values()) + len(
            data_set.get("observations") or ()
        )

    def series(self) -> Iterator[KeyedSeries]:
        """All series of the data set."""
        common = {
            dimension.name: dimension.codes[0]
            for dimension in self._dimensions["dataSet"]
            if dimension.codes
        }
        by_series = self._data_set.get("series") or {}
        in_series = self._dimensions["series"]
        for key, series in by_series.items():
            own = {**common, **_key(in_series, key)}
            attributes = _by_name(self._attributes["series"], series.get("attributes") or [])
            yield from self._observations(own, attributes, series["observations"])
        flat = self._data_set.get("observations")
        if flat:
            yield from self._observations(common, {}, flat)

    def _observations(
        self, key: Mapping[str, str], attributes: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Iterator[KeyedSeries]:
        """The series among some observations, by what their keys say beside the time."""
        dimensions = self._dimensions["observation"]
        names = [dimension.name for dimension in dimensions]
        if names == [self._time.name]:
            yield self._one(key, attributes, given)
            return
        number = names.index(self._time.name) if self._time.name in names else None
        parts: dict[str, dict[str, Any]] = {}
        last = len(names) - 1
        for positions, observation in given.items():
            if number == last:
                rest, _, time = positions.rpartition(":")
            elif number is None:
                # all observations are of the time that the series or the data set is of
                rest, time = positions, str(self._time.codes.index(key[self._time.name]))
            else:
                split = positions.split(":")
                time = split.pop(number)
                rest = ":".join(split)
            parts.setdefault(rest, {})[time] = observation
        others = [dimension for dimension in dimensions if dimension.name != self._time.name]
        for rest, observations in parts.items():
            own = {name: code for name, code in key.items() if name != self._time.name}
            yield self._one({**own, **_key(others, rest)}, attributes, observations)

    def _one(
        self, key: Mapping[str, str], attributes: Mapping[str, Any], given: Mapping[str, Any]
    ) -> KeyedSeries:
        in_groups: dict[str, Any] = {}
        for of_group, values in self._groups:
            if all(key.get(name) == code for name, code in of_group.items()):
                in_groups.update(values)
        places = {
            component.name: (number, component) for number, component in enumerate(self._measures)
        }
        measures = max(len(self._measures), 1)
        for number, attribute in enumerate(self._attributes["observation"], measures):
            places.setdefault(attribute.name, (number, attribute))
        primary = places.get(_PRIMARY, (0, None))[0] if self._measures else 0

        def observations() -> tuple[Sequence[int], Sequence[Any]]:
            positions = [*map(int, given)]
            if positions and not 0 <= min(positions) <= max(positions) < len(self._time.codes):
                raise IndexError(max(positions))
            is_whole = positions == [*range(len(self._time.codes))]
            values = [_cell(cells, primary) for cells in given.values()]
            return range(len(positions)) if is_whole else positions, values

        def observed(name: str) -> Sequence[Any] | None:
            if name not in places:
                return None
            number, component = places[name]
            return [component.text(_cell(cells, number)) for cells in given.values()]

        all_attributes = {**self._common, **in_groups, **attributes}
        return KeyedSeries(key, all_attributes, self._time.codes, observations, observed)

    def _time_dimension(self, times: Sequence[str], answer: Answer) -> _Component:
        everything = [dimension for level in _LEVELS for dimension in self._dimensions[level]]
        names = [dimension.name for dimension in everything]
        named = [name for name in times if name not in {TIME_FIELD, VALUE_FIELD}]
        for name in named:
            if name not in names:
                raise answer.bad(unknown_dimension(name, names))
        found = [
            dimension
            for dimension in everything
            if (dimension.name in named if named else dimension.is_time)
        ]
        if len(found) == 1:
            return found[0]
        reason = "several dimensions of time" if found else "no dimension of time"
        raise answer.bad(
            f"has {reason}; the dimensions are {first_texts(names)}",
            hint="ts names the dimension of time",
        )


def _components(described: Mapping[str, Any], level: str) -> list[_Component]:
    return [_Component(description) for description in described.get(level) or []]


def _code(value: Any) -> str:
    if isinstance(value, dict):
        for name in ("id", "value", "name"):
            if isinstance(value.get(name), str | int | float):
                return str(value[name])
    return "" if value is None else str(value)


def _key(dimensions: Sequence[_Component], positions: str) -> dict[str, str]:
    if not dimensions:
        return {}
    return {
        dimension.name: dimension.codes[int(position)]
        for dimension, position in zip(dimensions, positions.split(":"), strict=True)
    }


def _group_codes(dimensions: Sequence[_Component], positions: str) -> dict[str, str] | None:
    """The codes of a group of series by dimension; None for one of codes that no series has."""
    codes: dict[str, str] = {}
    for number, position in enumerate(positions.split(":")):
        if not position:
            continue
        if number >= len(dimensions) or int(position) >= len(dimensions[number].codes):
            return None
        codes[dimensions[number].name] = dimensions[number].codes[int(position)]
    return codes


def _by_name(attributes: Sequence[_Component], values: Sequence[Any]) -> dict[str, Any]:
    """What attributes say, of those that say something."""
    return {
        component.name: component.text(value)
        for component, value in zip(attributes, values, strict=False)
        if value is not None
    }


def _cell(cells: Any, number: int) -> Any:
    if not isinstance(cells, list):
        return cells if number == 0 else None
    return cells[number] if number < len(cells) else ABSENT_FIELD if number == 0 else None
