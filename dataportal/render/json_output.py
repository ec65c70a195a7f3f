"""JSON for programs: one document, in ASCII, so that no locale and no terminal harms it."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dataportal.redaction import redact
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def dumped(document: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """The document as JSON, without secrets.

    Instants become ISO 8601 in UTC, durations seconds, what is no number null.
    """
    return json.dumps(_plain(document), indent=indent)


def streamed(
    head: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """The lines of a document with the fields of `head` and then the list `name`, a row a line."""
    opening = json.dumps(_plain(head))
    yield f"{opening[:-1]}{', ' if head else ''}{json.dumps(name)}: ["
    before = None
    for row in rows:
        if before is not None:
            yield before + ","
        before = json.dumps(_plain(row))
    if before is not None:
        yield before
    yield "]}"


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one return for each kind of value
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
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value]
