"""Writes JSON for programs: one document in ASCII, which no locale and no terminal can harm."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dataportal.json_text import to_indented_json, to_json
from dataportal.redaction import redact
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def format_json(document: Mapping[str, Any], *, one_line: bool = False) -> str:
    """The document as JSON, without secrets.

    Instants become ISO 8601 in UTC, durations seconds, what is no number null.
    """
    return (to_json if one_line else to_indented_json)(_json_value(document))


def stream_json(
    head: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """The lines of a document with the fields of `head` and then the list `name`, a row a line.

    No more than two rows are held at a time.
    """
    opening = to_json(_json_value(head))
    yield f"{opening[:-1]}{', ' if head else ''}{to_json(name)}: ["
    pending = None
    for row in rows:
        if pending is not None:
            yield pending + ","
        pending = to_json(_json_value(row))
    if pending is not None:
        yield pending
    yield "]}"


def _json_value(value: Any) -> Any:  # noqa: PLR0911 - one return for each kind of value
    if isinstance(value, str):
        return redact(str(value))
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    return [_json_value(item) for item in value]
