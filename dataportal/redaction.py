"""Keeps secrets out of everything that is written: messages, logs, the database."""

from __future__ import annotations

import json
import re
from threading import Lock
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4
"""A shorter secret is not masked: it would blank out half of every text."""

_secrets: set[str] = set()
_lock = Lock()

_NAME = (
    r"(?:api[_-]?key|app[_-]?id|access[_-]?key|authorization|key|\w*token|\w*secret"
    r"|\w*password|passwd|pwd|sig|signature)"
)
_QUERY = re.compile(rf"([?&;]{_NAME}=)[^&#\s\"'<>]*", re.IGNORECASE)
_FIELD = re.compile(
    rf"""((?:"|'|\b){_NAME}(?:"|')?\s*[:=]\s*)("[^"]*"|'[^']*'|(?:bearer\s+|basic\s+)?[^\s,;&"'}}]+)""",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)([^/?#\s@]*):([^/?#\s]*)@", re.IGNORECASE)


def remember_secret(text: str | None) -> None:
    """Never show `text` again, in any of its spellings."""
    if text is None or len(text) < SHORTEST:
        return
    with _lock:
        _secrets.update(spellings(text))


def spellings(secret: str) -> set[str]:
    """The secret as it may stand in a text, a URL, a JSON or an XML document."""
    in_json = json.dumps(secret)[1:-1]
    in_xml = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        in_json,
        in_json.replace("/", "\\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        in_xml,
        in_xml.replace('"', "&quot;"),
    }


def redact(text: str) -> str:
    """The text with every remembered secret, password in a URL and key parameter masked."""
    with _lock:
        known = sorted(_secrets, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, MASK)
    text = _USERINFO.sub(rf"\1\2:{MASK}@", text)
    text = _QUERY.sub(rf"\1{MASK}", text)
    return _FIELD.sub(rf"\1{MASK}", text)


def harmless(text: str, limit: int = 2000) -> str:
    r"""One line of printable text: control characters and terminal escapes become \xNN."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
