"""Reads SDMX-ML data messages as a cube: generic and structure-specific, with or without series.

Format: SDMX 2.0, 2.1 and 3.0, section 3 (SDMX-ML). A generic message has `SeriesKey`, `ObsKey`
and `Attributes` with a `Value` for each; in a structure-specific (2.0: compact) one they are
attributes of `Series` and `Obs`, which do not say which of them are dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.cubes import TIME_FIELD, VALUE_FIELD, first_texts, is_time_name
from dataportal.plugins.declarative.keyed_series import KeyedCube, KeyedSeries
from dataportal.plugins.readers.expressions import ABSENT_FIELD
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from dataportal.plugins.http.response import Answer

_VALUE = "OBS_VALUE"
_SAID = 200
_AT_OBSERVATION = "dimensionAtObservation"
_NO_DIMENSIONS = (
    *("OBS_", "CONF", "UNIT_MULT", "DECIMALS", "TITLE", "LAST_UPDATE", "TIME_FORMAT", "COMMENT"),
    *("COMPILATION", "COLL", "SOURCE", "NOTE", "PRE_BREAK", "BREAK", "VALID_FROM", "EMBARGO"),
    *("UNIT_INDEX_BASE", "action", "structureRef", "setID"),
)
"""How attributes begin that no structure has as dimensions, of the concepts that SDMX shares."""


def sdmx_ml_cube(root: Element, times: Sequence[str], answer: Answer) -> KeyedCube:
    """The cube of a data message.

    Args:
        root: of the message, with names without namespaces.
        times: the dimension of time; none for the one that all messages call so.
        answer: the answer.

    Raises:
        BadDataError: it is no such message, or has observations without a time.
    """
    data_sets = [element for element in root.iter() if element.tag == "DataSet"]
    if not data_sets:
        said = [" ".join((text.text or "").split()) for text in root.iter("Text")]
        if said:  # of a footer, or of an error
            raise answer.bad(f"has no DataSet, but says: {harmless(said[0], _SAID)}")
        raise answer.bad("is not SDMX-ML: it has no DataSet")
    named = [name for name in times if name not in {TIME_FIELD, VALUE_FIELD}]
    observed: set[str] = set()
    rows: dict[tuple[tuple[str, str], ...], _Rows] = {}
    for data_set in data_sets:
        at_observation = _dimension_at_observation(root)
        groups = [_group(element) for element in data_set.iter() if element.tag == "Group"]
        for own, attributes, observation in _observations(data_set, at_observation):
            in_series, in_observation = own
            place = {**in_series, **in_observation}
            time = _time(place, named, answer)
            value = place.pop(_VALUE, ABSENT_FIELD)
            period = place.pop(time)
            key = {name: code for name, code in place.items() if name not in observation}
            found = rows.get(tuple(key.items()))
            if found is None:
                inherited = _group_attributes(groups, {**key, **attributes})
                found = rows[tuple(key.items())] = _Rows(key, {**inherited, **attributes})
            found.add(period, value, observation)
            observed.update(observation)
    series = [group.series() for group in rows.values()]
    return KeyedCube(series, sum(group.count for group in rows.values()), observed, answer)


class _Rows:
    """The observations of one series, as they are read."""

    def __init__(self, key: dict[str, str], attributes: dict[str, str]) -> None:
        self._key = key
        self._attributes = attributes
        self._periods: list[str] = []
        self._values: list[Any] = []
        self._observed: list[dict[str, str]] = []

    @property
    def count(self) -> int:
        return len(self._periods)

    def add(self, period: str, value: Any, observed: dict[str, str]) -> None:
        self._periods.append(period)
        self._values.append(value)
        self._observed.append(observed)

    def series(self) -> KeyedSeries:
        def column(name: str) -> Sequence[Any] | None:
            if name == _VALUE:
                return self._values
            if not any(name in observed for observed in self._observed):
                return None
            return [observed.get(name, ABSENT_FIELD) for observed in self._observed]

        return KeyedSeries(
            self._key,
            self._attributes,
            self._periods,
            lambda: (range(len(self._periods)), self._values),
            column,
        )


def _observations(
    data_set: Element, at_observation: str
) -> Iterator[tuple[tuple[dict[str, str], dict[str, str]], dict[str, str], dict[str, str]]]:
    """Of each observation: its codes by dimension, of its series and its own; what is said of both.

    Its own codes have the value among them.
    """
    for element in data_set:
        if element.tag == "Obs":
            own, said = _of_observation(element, at_observation, is_flat=True)
            yield ({}, own), {}, said
        elif element.tag not in {"Group", "Attributes"} and element.find("Obs") is not None:
            key, attributes = _split(_key_values(element, "SeriesKey"))
            attributes.update(_values(element.find("Attributes")))
            for child in element:
                if child.tag == "Obs":
                    own, said = _of_observation(child, at_observation, is_flat=False)
                    yield (key, own), attributes, said


def _of_observation(
    element: Element, at_observation: str, *, is_flat: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """The codes of an observation, and what else is said of it."""
    said = _values(element.find("Attributes"))
    value = element.find("ObsValue")
    dimension, time = element.find("ObsDimension"), element.find("Time")
    key = element.find("ObsKey")
    if value is None and dimension is None and time is None and key is None:
        own = {name: text for name, text in element.attrib.items() if not name.startswith("{")}
        if is_flat:
            split, attributes = _split(own, keep=_VALUE)
            return split, {**attributes, **said}
        dimensions = {
            name: own.pop(name) for name in [*own] if name in {at_observation, _VALUE}
        } | {name: own.pop(name) for name in [*own] if is_time_name(name)}
        return dimensions, {**own, **said}
    own = _values(key)
    if dimension is not None:
        own[dimension.get("id", at_observation)] = dimension.get("value", "")
    if time is not None:
        own["TIME_PERIOD"] = (time.text or "").strip()
    if value is not None and value.get("value") is not None:
        own[_VALUE] = value.get("value", "")
    return own, said


def _key_values(element: Element, tag: str) -> dict[str, str]:
    key = element.find(tag)
    if key is not None:
        return _values(key)
    return {name: text for name, text in element.attrib.items() if not name.startswith("{")}


def _values(element: Element | None) -> dict[str, str]:
    """What the `Value` elements in another one say, by name: `id`, or `concept` in SDMX 2.0."""
    if element is None:
        return {}
    return {
        child.get("id", child.get("concept", "")): child.get("value", "")
        for child in element
        if child.tag == "Value"
    }


def _split(values: dict[str, str], keep: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """Those that may be codes of dimensions, and those that are none."""
    key: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for name, text in values.items():
        is_attribute = name.startswith(_NO_DIMENSIONS) and name != keep
        (attributes if is_attribute else key)[name] = text
    return key, attributes


def _group(element: Element) -> dict[str, str]:
    """What a group says: its key, which no attribute tells apart from what it adds."""
    return {**_key_values(element, "GroupKey"), **_values(element.find("Attributes"))}


def _group_attributes(groups: list[dict[str, str]], own: dict[str, str]) -> dict[str, str]:
    """What groups that a series belongs to say of it."""
    attributes: dict[str, str] = {}
    for group in groups:
        shared = group.keys() & own.keys()
        if shared and all(group[name] == own[name] for name in shared):
            attributes.update((name, text) for name, text in group.items() if name not in own)
    return attributes


def _time(place: dict[str, str], named: list[str], answer: Answer) -> str:
    found = [name for name in place if (name in named if named else is_time_name(name))]
    if len(found) == 1:
        return found[0]
    names = [name for name in place if name != _VALUE]
    raise answer.bad(
        f"has an observation without a dimension of time; it has {first_texts(names)}",
        hint="ts names the dimension of time",
    )


def _dimension_at_observation(root: Element) -> str:
    for element in root.iter("Structure"):
        name = element.get(_AT_OBSERVATION)
        if name and name != "AllDimensions":
            return name
    return "TIME_PERIOD"
