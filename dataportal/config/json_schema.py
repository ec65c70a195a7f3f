"""The JSON Schema of sources.yaml, for editors: made from the table of keys.

Dialect: https://json-schema.org/draft-07/schema, which editors for YAML understand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.config import keys
from dataportal.config.keys import GROUP, MEMBER, METADATA, OPTIONS, SINGLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.config.keys import Key

_TEXT = {"type": ["string", "number", "boolean", "null"]}
_DURATION = {
    "type": ["string", "integer", "null"],
    "examples": ["15 minutes", "1 hour", "7 days", "PT15M", "P1D"],
}
_KINDS: dict[Any, dict[str, Any]] = {
    keys.text: _TEXT,
    keys.duration: _DURATION,
    keys.positive: _DURATION,
    keys.history: {**_DURATION, "examples": ["30 days", "all"]},
    keys.flag: {"type": ["boolean", "null"]},
    keys.texts: {"anyOf": [{"type": "array", "items": _TEXT}, _TEXT]},
    keys.variables: {
        "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": ["string", "null"]}]
    },
    keys.zone: {"type": ["string", "null"], "examples": ["Europe/Berlin", "UTC"]},
    keys.mapping: {"type": ["object", "null"]},
}


def json_schema() -> dict[str, Any]:
    """The schema, as one JSON document."""
    single = _object({**SINGLE, **OPTIONS}, required=("module", "class"))
    single["properties"]["metadata"] = _object({**METADATA, **OPTIONS}, closed=False)
    member = _object(MEMBER)
    member["properties"]["metadata"] = _object(METADATA, closed=False)
    group = _object({**GROUP, **OPTIONS}, required=("module", "class", "timeseries"))
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
            "timeseries": _named(single, "sources of one series each"),
            "request_groups": _named(group, "sources of several series that share requests"),
        },
        "patternProperties": {"^x-": {"description": "a place for anchors"}},
        "additionalProperties": False,
    }


def _named(entry: dict[str, Any], about: str) -> dict[str, Any]:
    return {"description": about, "type": ["object", "null"], "additionalProperties": entry}


def _object(
    known: Mapping[str, Key], *, required: tuple[str, ...] = (), closed: bool = True
) -> dict[str, Any]:
    properties = {
        name: {"description": key.about, **_KINDS.get(key.parse, {})}
        for first, key in known.items()
        for name in (first, *key.aliases)
    }
    found: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        found["required"] = list(required)
    if closed:
        found["additionalProperties"] = False
    return found
