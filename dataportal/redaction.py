"""Redacts secrets in everything that is written: messages, logs, the database."""

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
# a colon or a full stop at the end belongs to the sentence around it
_QUERY = re.compile(rf"([?&;]{_NAME}=)[^&#\s\"'<>]*?(?=[:.]?(?:[&#\s\"'<>]|$))", re.IGNORECASE)
# a text that was cut short may lack the closing quote
_QUOTED = r""""(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?"""
_SCHEME = r"(?:(?:bearer|basic|token|apikey|digest|negotiate)\s+)?"
_FIELD = re.compile(
    rf"""((?:"|'|\b){_NAME}(?:"|')?\s*[:=]\s*)"""
    rf"""({_QUOTED}|{_SCHEME}[^\s,;&"'}}]+?(?=[:.]?(?:[\s,;&"'}}]|$)))""",
    re.IGNORECASE,
)
# A password that was not encoded may hold what ends a host's name; but a port is no password.
# The scheme's length is bounded because every word of a text may begin one.
_USERINFO = re.compile(
    r"(\b[a-z][a-z0-9+.-]{0,30}://)((?!\[)[^/?#\s@:]*):"
    r"(?:[^/?#\s]*|(?!\d{1,5}(?:[/?#,]|$))[^\s\"<>]{0,200})@",
    re.IGNORECASE,
)
# what httpx leaves as it is in a URL's user and password, and in its path
_IN_USERINFO = "!$%&'()*+,"
_IN_PATH = _IN_USERINFO + "/:;=@[\\]^|"


def remember_secret(text: str | None) -> None:
    """Never show `text` again, in any of its spellings."""
    if text is None or len(text) < SHORTEST:
        return
    with _lock:
        _secrets.update(spellings(text))


def secrets_in(text: str) -> set[str]:
    """The remembered secrets that the text holds, as they are spelled there."""
    with _lock:
        return {secret for secret in _secrets if secret in text}


def spellings(secret: str) -> set[str]:
    """The secret as it may stand in a text, a URL, a JSON or an XML document."""
    in_json = json.dumps(secret)[1:-1]
    in_xml = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    in_attribute = in_xml.replace('"', "&quot;")
    # half a character, as it may stand in the environment, has no place in a URL
    in_url = {quote(secret, safe, errors="replace") for safe in ("", "/", _IN_USERINFO, _IN_PATH)}
    in_url.add(quote_plus(secret, errors="replace"))
    return {
        secret,
        repr(secret)[1:-1],
        *in_url,
        *(re.sub("%..", lambda code: code[0].lower(), form) for form in in_url),
        in_json,
        in_json.replace("/", "\\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        in_xml,
        in_attribute,
        *(in_attribute.replace("'", apostrophe) for apostrophe in ("&apos;", "&#39;", "&#x27;")),
    }


def redact(text: str) -> str:
    """The text with every remembered secret, password in a URL and key parameter masked."""
    with _lock:
        known = sorted(_secrets, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, MASK)
    if ":" not in text and "=" not in text:
        return text  # whatever the patterns match has one of these
    text = _USERINFO.sub(rf"\1\2:{MASK}@", text)
    text = _QUERY.sub(rf"\1{MASK}", text)
    return _FIELD.sub(rf"\1{MASK}", text)


def harmless(text: str, limit: int = 2000) -> str:
    r"""One line of printable text: control characters and terminal escapes become \xNN."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
