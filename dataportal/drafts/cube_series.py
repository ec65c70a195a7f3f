"""Finds the series of a cube: JSON-stat, SDMX-JSON and SDMX-ML."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.cubes import is_time_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

_MOST_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class CubeSeries:
    """The series of a cube.

    Attributes:
        params: of the source.
        keys: of each series the codes that tell it apart, by dimension.
        labels: of codes, by dimension.
        frequency: how long intervals are; empty if nobody knows.
    """

    params: dict[str, Any]
    keys: Sequence[dict[str, str]]
    labels: Mapping[str, Mapping[str, str]]
    frequency: str = ""


_FREQUENCIES = {
    "A": "1 year",
    "S": "6 months",
    "Q": "3 months",
    "M": "1 month",
    "W": "7 days",
    "D": "1 day",
    "B": "1 day",
    "H": "1 hour",
}


def _frequency(codes: Mapping[str, Sequence[str]]) -> str:
    """How long intervals are, by the only code of the dimension of frequency."""
    for name, own in codes.items():
        if name.lower() in {"freq", "frequency"} and len(set(own)) == 1:
            return _FREQUENCIES.get(own[0], "")
    return ""


def json_cube(content: Any) -> CubeSeries | None:
    """The series of a document that is a cube; None for any other."""
    return _json_stat(content) or _sdmx_json(content)


def _json_stat(content: Any) -> CubeSeries | None:
    rows, dataset = "", content
    if not _is_dataset(dataset):
        if not isinstance(content, dict):
            return None
        datasets = {name: part for name, part in content.items() if _is_dataset(part)}
        if not datasets:
            return None
        rows, dataset = next(iter(datasets.items()))
        if len(datasets) == 1:
            rows = ""
    dimension = dataset["dimension"]
    ids = dataset.get("id") or dimension.get("id")
    sizes = dataset.get("size") or dimension.get("size")
    if not isinstance(ids, list) or not isinstance(sizes, list) or len(ids) != len(sizes):
        return None
    codes, labels = {}, {}
    for name in ids:
        category = (dimension.get(name) or {}).get("category") or {}
        index = category.get("index")
        own = category.get("label") or {}
        if isinstance(index, dict):
            codes[name] = sorted(index, key=lambda code: index[code])
        else:
            codes[name] = [*map(str, index or own)]
        labels[name] = own
    times = _time_dimension(dataset, dimension, ids, codes)
    if times is None:
        return None
    params: dict[str, Any] = {"layout": "json-stat"}
    if rows:
        params["rows"] = rows
    open_names = [name for name in ids if name != times and len(codes[name]) > 1]
    filled = _filled_codes(dataset.get("value"), ids, sizes, codes, open_names, times)
    keys = [
        dict(zip(open_names, key, strict=True))
        for key in product(*(codes[name] for name in open_names))
        if filled is None or key in filled
    ]
    return CubeSeries(params, keys, labels, _frequency(codes))


def _is_dataset(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and isinstance(content.get("dimension"), dict)
        and "value" in content
    )


def _time_dimension(
    dataset: Mapping[str, Any],
    dimension: Mapping[str, Any],
    ids: Sequence[str],
    codes: Mapping[str, Sequence[str]],
) -> str | None:
    from dataportal.drafts.time_columns import guess_times

    role = dataset.get("role") or dimension.get("role") or {}
    named = role.get("time") if isinstance(role, dict) else None
    for name in named or ():
        if name in ids:
            return str(name)
    for name in ids:
        if is_time_name(name):
            return name
    for name in ids:
        guess = guess_times(codes[name], named_so=True)
        if guess is not None and guess.pattern == "period":
            return name
    return None


def _filled_codes(
    values: Any,
    ids: Sequence[str],
    sizes: Sequence[int],
    codes: Mapping[str, Sequence[str]],
    open_names: Sequence[str],
    times: str,
) -> set[tuple[str, ...]] | None:
    """The codes of which there are values; None if that would take too long."""
    del times
    count = math.prod(sizes)
    if count > _MOST_CELLS:
        return None
    if isinstance(values, dict):
        cells = [int(key) for key, value in values.items() if key.isdecimal() and value is not None]
    elif isinstance(values, list):
        cells = [n for n, value in enumerate(values) if value is not None]
    else:
        return None
    strides = [math.prod(sizes[number + 1 :]) for number in range(len(sizes))]
    positions = [[*ids].index(name) for name in open_names]
    found: set[tuple[int, ...]] = set()
    for cell in cells:
        found.add(tuple(cell // strides[n] % sizes[n] for n in positions))
    return {
        tuple(codes[name][at] for name, at in zip(open_names, key, strict=True)) for key in found
    }


def _sdmx_json(content: Any) -> CubeSeries | None:
    data = content.get("data", content) if isinstance(content, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("dataSets"), list):
        return None
    structures = data.get("structures") or [data.get("structure")]
    structure = structures[0] if structures else None
    if not isinstance(structure, dict):
        return None
    dimensions = (structure.get("dimensions") or {}).get("series") or []
    observed = (structure.get("dimensions") or {}).get("observation") or []
    of_series = [*dimensions]
    keys: list[dict[str, str]] = []
    labels: dict[str, dict[str, str]] = {}
    codes: dict[str, list[str]] = {}
    for dimension in (*dimensions, *observed):
        name = str(dimension.get("id"))
        codes[name] = [
            str(value.get("id", value.get("value"))) for value in dimension.get("values") or []
        ]
        labels[name] = {
            str(value.get("id", value.get("value"))): str(value.get("name", ""))
            for value in dimension.get("values") or []
        }
    flat = [str(dimension.get("id")) for dimension in observed]
    for data_set in data["dataSets"]:
        for text in data_set.get("series") or {}:
            parts = text.split(":")
            keys.append(
                {
                    str(dimension.get("id")): codes[str(dimension.get("id"))][int(part)]
                    for dimension, part in zip(of_series, parts, strict=False)
                }
            )
        if not data_set.get("series"):
            for text in data_set.get("observations") or {}:
                parts = text.split(":")
                keys.append(
                    {
                        name: codes[name][int(part)]
                        for name, part in zip(flat, parts, strict=False)
                        if not is_time_name(name)
                    }
                )
    return CubeSeries({"layout": "sdmx-json"}, _keys_that_differ(keys), labels, _frequency(codes))


def _keys_that_differ(keys: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The keys, each once, without the dimensions in which all are alike."""
    names = dict.fromkeys(name for key in keys for name in key)
    varying = [name for name in names if len({key.get(name) for key in keys}) > 1]
    own = {tuple((n, key[n]) for n in varying if n in key): None for key in keys}
    return [dict(codes) for codes in own]


def xml_cube(root: Element) -> CubeSeries | None:
    """The series of an SDMX-ML message; None for any other document."""
    name = _tag(root)
    if not (name.endswith("Data") and _has(root, {"DataSet"})):
        return None
    keys = []
    for element in root.iter():
        tag = _tag(element)
        if tag == "Series" or (element.tag == "Series"):
            generic = [
                child
                for part in element
                if _tag(part) == "SeriesKey"
                for child in part
                if _tag(child) == "Value"
            ]
            if generic:
                keys.append(
                    {
                        str(value.get("id") or value.get("concept")): str(value.get("value"))
                        for value in generic
                    }
                )
            else:
                keys.append({k: v for k, v in element.attrib.items() if not k.startswith("{")})
    if not keys:
        return None
    own: dict[str, list[str]] = {}
    for key in keys:
        for name, code in key.items():
            own.setdefault(name, []).append(code)
    return CubeSeries({"layout": "sdmx-ml"}, _without_attributes(keys), {}, _frequency(own))


def _without_attributes(keys: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """What tells series apart: the fewest of the names in which they differ."""
    differing = _keys_that_differ(keys)
    names = [*dict.fromkeys(name for key in differing for name in key)]
    unlikely = (
        "TITLE",
        "DESC",
        "COMPILATION",
        "SOURCE",
        "UPDATE",
        "NOTE",
        "DECIMALS",
        "MULT",
        "STATUS",
    )
    for name in sorted(names, key=lambda n: not any(word in n.upper() for word in unlikely)):
        rest = [{k: v for k, v in key.items() if k != name} for key in differing]
        if len({tuple(sorted(key.items())) for key in rest}) == len(differing):
            differing = rest
    return differing


def _has(root: Element, tags: set[str]) -> bool:
    return any(_tag(element) in tags for element in root)


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
