"""Makes the JSON Schema of sources.yaml, for editors, from the table of keys.

Dialect: https://json-schema.org/draft-07/schema, which editors for YAML understand.
"""

from __future__ import annotations

import re
from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from dataportal.config import keys
from dataportal.config.includes import catalogue_files
from dataportal.config.keys import GROUP, MEMBER, METADATA, OPTIONS, SINGLE
from dataportal.plugins import data_sources
from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin
from dataportal.plugins.parameters.declaration import DURATION_ERROR, DURATION_PATTERN
from dataportal.plugins.parameters.json_schema import needs_any, parameters_schema
from dataportal.repetitions import Repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dataportal.config.keys import Key

_TEXT = {"type": ["string", "number", "boolean", "null"]}
_LENGTH = {
    "pattern": DURATION_PATTERN,
    "patternErrorMessage": DURATION_ERROR,
    "examples": ["15 minutes", "1 hour", "7 days", "PT15M", "P1D"],
}
_POSITIVE = {"type": ["string", "null"], **_LENGTH}
_DURATION = {**_POSITIVE, "type": ["string", "number", "null"], "minimum": 0, "maximum": 0}
_VARIABLE = {"type": "string", "pattern": r"^\s*[A-Za-z_][A-Za-z0-9_]*\s*$"}
_KINDS: dict[Any, dict[str, Any]] = {
    keys.text: _TEXT,
    keys.duration: _DURATION,
    keys.positive_duration: _POSITIVE,
    keys.history_length: {
        **_DURATION,
        "pattern": f"{_LENGTH['pattern']}|^\\s*[Aa][Ll][Ll]\\s*$",
        "examples": ["30 days", "all"],
    },
    keys.positive_duration_or_off: {
        **_POSITIVE,
        "pattern": f"{_LENGTH['pattern']}|^\\s*[Oo][Ff][Ff]\\s*$",
        "examples": ["2 days", "off"],
    },
    keys.flag: {"type": ["boolean", "null"]},
    keys.texts: {"anyOf": [{"type": "array", "items": _TEXT}, _TEXT]},
    keys.variables: {"anyOf": [{"type": "array", "items": _VARIABLE}, _VARIABLE, {"type": "null"}]},
    keys.zone: {"type": ["string", "null"], "examples": ["Europe/Berlin", "UTC"]},
    keys.availability: {
        **_TEXT,
        "examples": ["ts + 2 hours", "next day 09:00 Europe/Berlin", "next month day 15 08:30"],
    },
    keys.repetition: {"type": ["string", "null"], "enum": [*Repeated, None]},
    keys.mapping: {"type": ["object", "null"]},
}
_HAS_NAME = [
    {"required": [name]} for name in ("endpoint_prefix", *METADATA["endpoint_prefix"].aliases)
]


def json_schema() -> dict[str, Any]:
    """The schema, as one JSON document."""
    single = _object({**SINGLE, **OPTIONS}, required=("module", "class"))
    single["properties"] |= _plugin_keys(BasePlugin)
    definitions: dict[str, dict[str, Any]] = {}
    single["allOf"] = _parameters_by_class(BasePlugin, definitions)
    single["properties"]["metadata"] = _object({**METADATA, **OPTIONS}, closed=False)
    member = _object(MEMBER)
    member["properties"]["metadata"] = _object(METADATA, closed=False)
    in_metadata = {"required": ["metadata"], "properties": {"metadata": {"anyOf": _HAS_NAME}}}
    member["anyOf"] = [*_HAS_NAME, in_metadata]
    group = _object({**GROUP, **OPTIONS}, required=("module", "class", "timeseries"))
    group["properties"] |= _plugin_keys(MultiSeriesPlugin)
    group["allOf"] = _parameters_by_class(MultiSeriesPlugin, definitions)
    group["properties"]["timeseries"] = {
        "description": GROUP["timeseries"].about,
        "type": "array",
        "minItems": 1,
        "items": member,
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "sources.yaml of dataportal",
        "type": "object",
        "properties": {
            "include": _include(),
            "timeseries": _section(single, "sources of one series each"),
            "request_groups": _section(group, "sources of several series that share requests"),
        },
        "patternProperties": {"^x-": {"description": "a place for anchors"}},
        "additionalProperties": False,
        "definitions": definitions,
    }


def _include() -> dict[str, Any]:
    name = {"type": "string", "pattern": r"\S", "examples": catalogue_files()}
    patterns = {"anyOf": [{"type": "array", "items": _TEXT, "minItems": 1}, _TEXT]}
    item = {
        "anyOf": [
            name,
            {
                "type": "object",
                "properties": {
                    "file": {"description": "the file that is included", **name},
                    "only": {
                        "description": "names, globs or tags of the sources wanted of it",
                        **patterns,
                    },
                    "except": {
                        "description": "names, globs or tags of the sources not wanted of it",
                        **patterns,
                    },
                },
                "required": ["file"],
                "additionalProperties": False,
            },
            {"type": "null"},
        ]
    }
    return {
        "description": "files with further sources; a path starts at the folder of this file",
        "anyOf": [{"type": "array", "items": item}, item],
    }


def _section(entry: dict[str, Any], about: str) -> dict[str, Any]:
    return {"description": about, "type": ["object", "null"], "additionalProperties": entry}


def _plugin_keys(kind: type[BasePlugin | MultiSeriesPlugin]) -> dict[str, Any]:
    """The keys `module` and `class`, with the built-in ones of this kind to choose from."""
    classes = _built_in(kind)
    choices = {
        "module": sorted({cls.__module__ for cls in classes}),
        "class": [cls.__name__ for cls in classes],
    }
    return {
        name: {"description": SINGLE[name].about, **_TEXT, "examples": texts}
        for name, texts in choices.items()
    }


def _built_in(kind: type[Any]) -> list[type[Any]]:
    """The built-in plugin classes of this kind, in the order of their names."""
    modules = [f"{data_sources.__name__}.{m.name}" for m in iter_modules(data_sources.__path__)]
    classes = [
        cls
        for module in modules
        for name, cls in vars(import_module(module)).items()
        if isclass(cls) and issubclass(cls, kind) and cls.__module__ == module and name[0] != "_"
    ]
    return sorted(classes, key=lambda cls: cls.__name__)


def _parameters_by_class(
    kind: type[Any], definitions: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """What the entry of each built-in class must be like beside what holds for all.

    Args:
        kind: of plugins.
        definitions: schemas of parameters by their names; further ones are added.
    """

    def define(name: str, schema: dict[str, Any]) -> dict[str, Any]:
        same = (known for known, other in definitions.items() if other == schema)
        name = next(same, name)
        definitions[name] = schema
        return {"$ref": f"#/definitions/{name}"}

    return [
        {
            "if": {
                "properties": {
                    "module": {"type": "string", "pattern": _module_pattern(cls.__module__)},
                    "class": {"const": cls.__name__},
                },
                "required": ["module", "class"],
            },
            "then": _parameters_of(cls, define),
        }
        for cls in _built_in(kind)
        if cls.parameters or (issubclass(cls, MultiSeriesPlugin) and cls.series_parameters)
    ]


def _module_pattern(module: str) -> str:
    """A regular expression for a built-in module, and for its other name `src.X.Y`."""
    return rf"^\s*(?:dataportal|src)\.{re.escape(module.partition('.')[2])}\s*$"


def _parameters_of(
    cls: type[Any], define: Callable[[str, dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """What the entry of a class must be like."""
    is_group = issubclass(cls, MultiSeriesPlugin)
    of_series = cls.series_parameters if is_group else ()
    name = "request_params" if is_group else "default_params"
    params = define(cls.__name__, parameters_schema(cls.parameters, optional=of_series))
    schema: dict[str, Any] = {"properties": {name: params}}
    if is_group:
        own = define(f"{cls.__name__}.extract_filter", parameters_schema((), optional=of_series))
        schema["properties"]["timeseries"] = {"items": {"properties": {"extract_filter": own}}}
    if needs_any(cls.parameters):
        schema["required"] = [name]
    return schema


def _object(
    known: Mapping[str, Key], *, required: tuple[str, ...] = (), closed: bool = True
) -> dict[str, Any]:
    properties = {
        name: {"description": key.about, **_KINDS.get(key.parse, {})}
        for first, key in known.items()
        for name in (first, *key.aliases)
    }
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    if closed:
        schema["additionalProperties"] = False
    return schema
