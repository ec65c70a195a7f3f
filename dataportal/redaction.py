"""Redacts secrets in everything that is written: messages, logs, the database."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from dataportal.json_text import to_json, to_unescaped_json

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "***"
SHORTEST = 4
"""A shorter secret is not masked: it would blank out half of every text."""

_SHORTEST_IN_HOST = 12
"""A shorter one would be masked in words that are ours."""

_secrets: set[str] = set()
_lock = Lock()

# a word that says so alone, or ends with one that does: API_KEY, FREDKEY, MyToken
_SECRET_ENDS = (
    *("KEY", "TOKEN", "SECRET", "PASS", "PASSWORD", "PASSWD", "AUTH", "COOKIE", "SIGNATURE"),
    *("CREDENTIAL", "HMAC", "SESSION", "AUTHORIZATION", "APPID", "SESSIONID", "SESSID", "PAT"),
)
# wherever in a word it stands: TOKENFRED, APIKEYEIA
_SECRET_PARTS = re.compile(
    "TOKEN(?!I[SZ]|S$)|SECRET(?!AR|E|I)|PASSWOR[DT]|PASSWD|PASSPHRASE|PASSCODE|CREDENTIAL|HMAC|APIKEY"
)
# as the end of a word it says nothing
_ORDINARY_WORD = re.compile(
    "(?:MON|TUR|DON|HOC|JOC|WHIS|HIC|LAC|MIC|HO|PO|SMO|FLUN|MALAR)KEY|BETOKEN"
    "|(?:EX|S)PAT|(?:COM|BY|TRES|SUR|ENCOM|UNDER|OVER)PASS|(?:POS|OB|INTER)SESSION"
)
_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# in a text or a query, but not in the environment, where PWD is the folder at work
_SECRET_IN_TEXTS = {"SIG", "PWD"}
# what the addresses carry that stores of files sign
_SIGNED = re.compile("x-(?:amz|goog)-", re.IGNORECASE)

# a colon or a full stop at the end belongs to the sentence around it
_QUERY = re.compile(r"([?&;]([^&;=?#\s\"'<>]{1,100})=)[^&#\s\"'<>]*?(?=[:.]?(?:[&#\s\"'<>]|$))")
# an address within an address: ?next=https%3A%2F%2Fhost%2F%3Ftoken%3Dabc
_NESTED_QUERY = re.compile(
    r"((?:[?&]|%(?:25)*(?:3F|26))([^&=?#\s\"'<>%]{1,100})%(?:25)*3D)"
    r"(?:(?!%(?:25)*26)[^&#\s\"'<>])*",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"(<(?:[\w-]{1,100}:)?([\w-]{1,100})(?:\s[^<>]*)?>)[^<>]+")
# a text that was cut short may lack the closing quote
_QUOTED = r"""b?(?:\\"(?:[^"\\]|\\(?!"))*(?:\\")?|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)"""
_SCHEME = r"(?:(?:bearer|basic|token|apikey|digest|negotiate)\s+)?"
_FIELD_NAME = re.compile(r"""(?:"|'|\b)([\w-]{1,100})(?:\\?["'])?\s*([:=])\s*""")
# as Python shows headers
_TUPLE = re.compile(rf"""(\(b?["']([\w-]{{1,100}})["'],\s*)(?:{_QUOTED})(?=\))""")
# of a cookie, or of Digest: all parts
_PAIR = rf"""[\w-]+=(?:{_QUOTED}|[^\s,;&"'}}]*)"""
_FIELD_VALUE = re.compile(
    rf"""[\[(]\s*{_QUOTED}(?:\s*,\s*{_QUOTED})*\s*[\])]?|{_SCHEME}{_PAIR}(?:[,;]\s*{_PAIR})*|{_QUOTED}"""
    rf"""|{_SCHEME}[^\s,;&"'}}]+?(?=[:.]?(?:[\s,;&"'}}]|$))""",
    re.IGNORECASE,
)
# what a message of ours says after "token: " is a sentence, and no token
_SENTENCE = re.compile(
    r"(?!Bearer|Basic|Token|Apikey|Digest|Negotiate)[A-Z][a-z]+(?: [a-z]+){2}\b"
    r"|(?:must|is|are|has|may|cannot|not|no|the|an?|should|needs|takes|expected) [a-z]+\b"
)
# A password that was not encoded may hold what ends a host's name; but a port is no password.
# The scheme's length is bounded because every word of a text may begin one.
_USERINFO = re.compile(
    r"(\b[a-z][a-z0-9+.-]{0,30}://)((?!\[)[^/?#\s@:]*):"
    r"(?:[^/?#\s]*|(?!\d{1,5}(?:[/?#,]|$))[^\s\"<>]{0,200})@",
    re.IGNORECASE,
)
# who needs no password has a key for a name
_KEY_AS_USER = re.compile(r"(\bhttps?://)[^/?#\s@:\"'<>]+@", re.IGNORECASE)
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
    in_json = to_json(secret)[1:-1]
    in_xml = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    in_attribute = in_xml.replace('"', "&quot;")
    # half a character, as it may stand in the environment, has no place in a URL
    in_url = {quote(secret, safe, errors="replace") for safe in ("", "/", _IN_USERINFO, _IN_PATH)}
    in_url.add(quote_plus(secret, errors="replace"))
    # of a host's name no letter is large
    in_host = {secret.lower()} if len(secret) >= _SHORTEST_IN_HOST else set[str]()
    return {
        secret,
        repr(secret)[1:-1],
        *in_url,
        *in_host,
        *(re.sub("%..", lambda code: code[0].lower(), form) for form in in_url),
        in_json,
        in_json.replace("/", "\\/"),
        to_unescaped_json(secret)[1:-1],
        in_xml,
        in_attribute,
        *(in_attribute.replace("'", apostrophe) for apostrophe in ("&apos;", "&#39;", "&#x27;")),
    }


@lru_cache(maxsize=4096)
def sounds_secret(name: str) -> bool:
    """Whether a variable, a key or a header of this name holds what must not be shown.

    A word of it says so, however the words are joined.
    """
    words = [word.upper() for word in _WORD.findall(name)]
    if words:
        # API_KEYS, but not tokens_per_day
        words[-1] = _singular(words[-1])
        # KeyError: what went wrong with a key
        if words[-1] in {"ERROR", "EXCEPTION", "WARNING"}:
            return False
    return (
        any(map(_is_secret_word, words))
        or ("APP", "ID") in pairwise(words)
        # alone it is the folder at work
        or ("PWD" in words and len(words) > 1)
    )


def _is_secret_word(word: str) -> bool:
    if _ORDINARY_WORD.fullmatch(word) is not None:
        return False
    return word.endswith(_SECRET_ENDS) or _SECRET_PARTS.search(word) is not None


def _singular(word: str) -> str:
    return word.removesuffix("S") if not word.endswith("SS") else word


def redact(text: str) -> str:
    """The text with every remembered secret, password in a URL and key parameter masked."""
    with _lock:
        known = sorted(_secrets, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, MASK)
    if not any(mark in text for mark in ":=%<,"):
        return text  # whatever the patterns match has one of these
    text = _USERINFO.sub(rf"\1\2:{MASK}@", text)
    text = _KEY_AS_USER.sub(rf"\1{MASK}@", text)
    text = _QUERY.sub(_hide_parameter, text)
    if "%" in text:
        text = _NESTED_QUERY.sub(_hide_parameter, text)
    if "(" in text:
        text = _TUPLE.sub(_hide_parameter, text)
    if "<" in text:
        text = _ELEMENT.sub(_hide_parameter, text)
    return "".join(_hide_fields(text))


@lru_cache(maxsize=4096)
def _names_secret(name: str) -> bool:
    """Whether what stands under this name in a text is to be masked."""
    words = [word.upper() for word in _WORD.findall(name)]
    return (
        not _SECRET_IN_TEXTS.isdisjoint(words)
        or _SIGNED.search(name) is not None
        or sounds_secret(name)
    )


def _hide_parameter(match: re.Match[str]) -> str:
    # in a sentence this word says nothing
    is_secret = match[2].lower() == "access" or _names_secret(match[2])
    return f"{match[1]}{MASK}" if is_secret else match[0]


def _hide_fields(text: str) -> Iterator[str]:
    """The parts of the text, with the values of all fields whose names sound secret masked."""
    shown = position = 0
    while (name := _FIELD_NAME.search(text, position)) is not None:
        # a value that is no secret may itself be a field
        position = name.end(1)
        if not _names_secret(name[1]) or (name[2] == ":" and _SENTENCE.match(text, name.end())):
            continue
        if (value := _FIELD_VALUE.match(text, name.end())) is not None:
            yield text[shown : name.end()] + MASK
            shown = position = value.end()
    yield text[shown:]


def harmless(text: str, limit: int = 2000) -> str:
    r"""One line of printable text: control characters and terminal escapes become \xNN."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
