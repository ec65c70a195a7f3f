"""Tells in a line how an answer is built: keys and lists, columns and lines, files. Pure."""

from __future__ import annotations

import json
import re
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

from dataportal.plugins.http.file_kinds import file_kind, text_kind
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 8 * 1024 * 1024
"""A larger answer is described by its beginning alone."""
_WIDEST = 200
_MOST_NAMES = 8
_DEEPEST = 4
_ELEMENT = re.compile(rb"<([A-Za-z_][\w.:-]*)")


def answer_shape(body: bytes) -> str:
    """How a body is built, in 200 characters at most; names and counts, and no values of it."""
    if not body.strip():
        return "empty"
    text = "".join(_parts(body))
    return harmless(text, _WIDEST)


def _parts(body: bytes) -> Iterator[str]:
    kind = file_kind(body)
    if kind == "a ZIP file":
        yield _archive(body)
    elif kind:
        yield kind
    elif text_kind(body) == "a page of HTML":
        yield "a page of HTML"
    elif text_kind(body) == "XML":
        yield _xml(body)
    elif body.lstrip()[:1] in {b"{", b"["} and len(body) <= _MOST_BYTES:
        yield _json(body)
    else:
        yield _text(body)


def _archive(body: bytes) -> str:
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            names = [member.filename for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "a ZIP file that cannot be opened"
    more = ", …" if len(names) > _MOST_NAMES else ""
    return f"a ZIP file of {len(names):,}: {', '.join(names[:_MOST_NAMES])}{more}"


def _json(body: bytes) -> str:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return _text(body)
    return _of_value(content, _DEEPEST)


def _of_value(value: Any, depth: int) -> str:
    if isinstance(value, list):
        if not value:
            return "[0]"
        inner = _of_value(value[0], depth - 1) if depth else "…"
        return f"[{len(value):,} of {inner}]"
    if not isinstance(value, dict):
        return {str: "text", bool: "true or false"}.get(type(value), "number" if value else "null")
    if not depth:
        return "{…}"
    parts = []
    for key, item in [*value.items()][:_MOST_NAMES]:
        is_part = isinstance(item, dict | list)
        parts.append(f"{key}: {_of_value(item, depth - 1)}" if is_part else str(key))
    more = ", …" if len(value) > _MOST_NAMES else ""
    return "{" + ", ".join(parts) + more + "}"


def _xml(body: bytes) -> str:
    counts: dict[str, int] = {}
    for match in _ELEMENT.finditer(body, 0, _MOST_BYTES):
        name = match[1].decode("ascii", "replace")
        counts[name] = counts.get(name, 0) + 1
    often = sorted(counts.items(), key=lambda item: -item[1])[:_MOST_NAMES]
    root = next(iter(counts), "")
    listed = ", ".join(f"{count:,} of {name}" for name, count in often if name != root)
    return f"XML: {root} with {listed}" if listed else f"XML: {root}"


def _text(body: bytes) -> str:
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    first = next((line for line in body[:4000].splitlines() if line.strip()), b"")
    return f"{lines:,} lines, the first: {first.decode('utf-8', 'replace').strip()}"
