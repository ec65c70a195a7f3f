"""Secrets stay out of texts in every spelling; texts stay what they are otherwise."""

from __future__ import annotations

import html
import json
import string
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode
from xml.sax.saxutils import escape

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.remembered_secrets import only_secrets

from dataportal.redaction import MASK, SHORTEST, harmless, redact, spellings

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "cAnArY"
# "*" is in the mask, the brackets mark the ends of a spelling in a text
SECRETS = st.text(
    st.characters(exclude_characters="*⟦⟧", exclude_categories=["Cs"]), min_size=SHORTEST
)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": lambda text: repr(text)[1:-1],
    "query": lambda text: urlencode({"": text})[1:],
    "url": quote,
    "url, all of it": lambda text: quote(text, safe=""),
    "url, lower case": lambda text: "".join(
        f"%{byte:02x}" if f"%{byte:02X}" in quote(bytes([byte]), safe="") else chr(byte)
        for byte in text.encode()
    ),
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not only ascii": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json, escaped slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json, msgspec": lambda text: msgspec.json.encode(text).decode()[1:-1],
    "xml": escape,
    "html": html.escape,
    "html, text only": lambda text: html.escape(text, quote=False),
    "xml, apostrophes": lambda text: escape(text, {"'": "&apos;", '"': "&quot;"}),
    "html, decimal": lambda text: html.escape(text).replace("&#x27;", "&#39;"),
}
HTTPX: dict[str, Callable[[str], str]] = {
    "parameter": lambda text: str(httpx.URL("http://h/", params={"q": text})).partition("q=")[2],
    "path": lambda text: str(httpx.URL(f"http://h/x/{text}")).partition("/x/")[2],
    "password": lambda text: str(httpx.URL("http://h/", password=text)).split(":", 2)[2][:-3],
}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> object:
    """What other tests have the process remember is set aside."""
    with only_secrets():
        yield


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
@given(secret=SECRETS)
def test_a_remembered_secret_is_masked_in_every_spelling(
    spelled: Callable[[str], str], secret: str
) -> None:
    """All of it, and nothing beside it."""
    with only_secrets(secret):
        assert redact(f"⟦{spelled(secret)}⟧") == f"⟦{MASK}⟧"


@pytest.mark.parametrize("spelled", HTTPX.values(), ids=HTTPX)
@pytest.mark.parametrize(
    "secret",
    [
        "plain-Key_1~",
        "a b+c&d=e",
        "/+==/",
        f"x{string.punctuation}",
        "Schlüssel",
        "50%off",
        "k'k\"",
    ],
)
def test_a_remembered_secret_is_masked_as_the_http_client_writes_it(
    spelled: Callable[[str], str], secret: str
) -> None:
    """In a parameter, in the path, as the password."""
    if spelled is HTTPX["path"]:
        secret = secret.replace("?", "").replace("#", "")
    with only_secrets(secret):
        assert redact(f"⟦{spelled(secret)}⟧") == f"⟦{MASK}⟧"


@given(st.text(max_size=20) | st.text(st.characters(categories=["Cs"]), max_size=9))
def test_any_text_can_be_a_secret(secret: str) -> None:
    """Also half characters, as they stand in the environment for bytes that are no UTF-8."""
    assert secret in spellings(secret)
    with only_secrets(secret):
        assert secret not in redact(secret) or len(secret) < SHORTEST or "*" in secret


@pytest.mark.parametrize("short", [None, "", "a", "abc"])
def test_a_secret_too_short_to_be_one_is_not_masked(short: str | None) -> None:
    """It would blank out half of every text."""
    with only_secrets(short):
        assert redact("abc aabbcc") == "abc aabbcc"


def test_a_secret_in_the_name_of_a_host_is_masked() -> None:
    """Which is written in small letters."""
    with only_secrets("SeSaMe-OpEn-1"):
        assert redact("no connection to sesame-open-1.api.example") == (
            f"no connection to {MASK}.api.example"
        )


def test_of_secrets_that_contain_each_other_the_longest_is_masked() -> None:
    """No rest of it stays behind."""
    with only_secrets("canary", "canary-in-a-cage", "in-a-"):
        assert redact("a canary-in-a-cage, a canary") == f"a {MASK}, a {MASK}"


NAMES = [
    *("api_key", "api-key", "apikey", "apiKey", "app_id", "appid", "access_key", "key", "token"),
    *("securityToken", "access_token", "client_secret", "secret", "password", "DB_PASSWORD"),
    *("passwd", "pwd", "sig", "signature", "authorization"),
    *("FREDKEY", "sitePassword", "pat", "dbpass", "auth", "cookie", "credential", "hmac"),
    *("session", "sessionid", "X-Amz-Credential", "X-Amz-Date", "key2"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://h/p?a=1&NAME={}&b=2#f", ["https://h/p?a=1&", "&b=2#f"]),
        ("https://h/p?NAME={}", ["https://h/p?"]),
        ("'https://h/p;NAME={}' failed", ["https://h/p;", "' failed"]),
        ('{"a": 1, "NAME": "{}", "b": 2}', ['{"a": 1, ', ', "b": 2}']),
        ('{"NAME": "a \\"{}\\" b", "b": 2}', ['"b": 2}']),
        ("{'NAME': '{}', 'b': 2}", ["'b': 2}"]),
        ("{'NAME': 'it\\'s {}', 'b': 2}", ["'b': 2}"]),
        ('cut short: {"NAME": "{} and', ["cut short: "]),
        ("NAME: {}\nAccept: all", ["Accept: all"]),
        ("X-NAME: {}, more", ["X-", ", more"]),
        ("NAME={} host=h", [" host=h"]),
        ("NAME = {} and", [" and"]),
        ('<a NAME="{}" b="2"/>', ["<a ", ' b="2"/>']),
    ],
)
def test_what_stands_under_a_name_of_keys_is_masked(name: str, text: str, left: list[str]) -> None:
    """In a URL, a header, JSON, Python, XML or a sentence; what stands beside it is left."""
    redacted = redact(text.replace("NAME", name).replace("{}", CANARY, 1))
    assert CANARY not in redacted
    assert MASK in redacted
    assert all(part in redacted for part in left)


@pytest.mark.parametrize(
    "text",
    [
        "refused GET https://h/p?key={}: wrong key",
        "token={}: wrong",
        "see ?a=1&token={}.",
        "no access: see ?a=1&access={}.",
    ],
)
def test_the_mark_after_what_is_masked_is_left(text: str) -> None:
    """The sentence around it can be read on."""
    assert redact(text.replace("{}", CANARY)) == text.replace("{}", MASK)


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Token", "Apikey", "bearer ", ""])
def test_a_header_of_authorization_is_masked(scheme: str) -> None:
    """Whatever its scheme."""
    redacted = redact(f"Authorization: {scheme} {CANARY}".replace("  ", " ") + "\nAccept: all")
    assert redacted == f"Authorization: {MASK}\nAccept: all"


# an @ or one of /?#, but not both: then nobody can tell where the host begins
PASSWORDS = st.sampled_from(["aZ9!$&()*+,;=:@%-._~'[]", "aZ9!$&()*+,;=:%-._~/?#'[]"]).flatmap(
    lambda characters: st.tuples(
        st.text(characters, max_size=6).filter(lambda start: not start[:1].isdecimal()),
        st.text(characters, max_size=6),
    ).map(CANARY.join)
)


@given(PASSWORDS, st.sampled_from(["https", "postgresql", "postgresql+asyncpg", "ftp", "HTTP"]))
def test_the_password_in_a_url_is_masked(password: str, scheme: str) -> None:
    """Encoded or not, with whatever characters; the user and the host are left."""
    redacted = redact(f"no answer from {scheme}://me:{password}@db.example:5432/x today")
    assert redacted == f"no answer from {scheme}://me:{MASK}@db.example:5432/x today"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"http://:{CANARY}@h/", f"http://:{MASK}@h/"),
        (f"http://me:@{CANARY}@h/", f"http://me:{MASK}@h/"),
        (f"http://a:{CANARY}@h http://b:{CANARY}@i", f"http://a:{MASK}@h http://b:{MASK}@i"),
        (f"<http://a:{CANARY}/x@h/>", f"<http://a:{MASK}@h/>"),
        (f'"http://a:{CANARY}@h/","http://b/c@d"', f'"http://a:{MASK}@h/","http://b/c@d"'),
        (f"redis://:{CANARY}#1@h", f"redis://:{MASK}@h"),
    ],
)
def test_odd_urls_with_a_password(text: str, expected: str) -> None:
    """Each password by itself, and only the passwords."""
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"https://h/login?next=https%3A%2F%2Fh%2F%3Fa%3D1%26token%3D{CANARY}%26b%3D1",
        f"https://h/?api_key%3D{CANARY}",
        f"https://h/?u=http%253A%252F%252Fh%253Ftoken%253D{CANARY}",
        f'answered: {{\\"apiKey\\":\\"{CANARY}\\"}}',
        f'{{"token" : [ "{CANARY}", "{CANARY}" ]}}',
        f"{{'token': ['{CANARY}']}}",
        f"[(b'x-api-key', b'{CANARY}'), (b'accept', b'*/*')]",
        f"('x-api-key', '{CANARY}')",
        f"headers={{'x-api-key': b'{CANARY}'}}",
        f"<doc><securityToken>{CANARY}</securityToken></doc>",
        f'<ns:Password xml:lang="en">{CANARY} {CANARY}</ns:Password>',
        f"Cookie: session={CANARY}; other={CANARY}",
        f'Authorization: Token token="{CANARY}"',
        f'Authorization: Digest username="{CANARY}", response="{CANARY}"',
        f"https://{CANARY}@host/x",
    ],
)
def test_what_is_masked_however_it_is_written(text: str) -> None:
    """In addresses within addresses, in the text of documents, and in what Python shows of them."""
    assert CANARY not in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8080/path?start=2025-03-01&x=a@b.example",
        "https://host:8080/users/me@example.org",
        "https://host/users/me:you@example.org",
        "http://[::1]:8080/users/me@example.org",
        "postgresql://me@host:5432/name",
        "postgresql://one:5432,two:5433/name?application_name=me@host",
        "the keys; monkey=1? a tokenizer: x; passwords are not shown",
        "2 of 3 series: a, b at 12:30",
        "that cannot start any token: Indent with spaces, not with tabs",
        "sources.yaml:3: api_key: must be text; token: no variable",
        "PATH=/usr/bin AUTHOR=somebody compass: north KEYBOARD=us turkey: cold ?author=me",
        "bug: KeyError: 'date'; http_plugin.TokenError: no such file; auth_warning: none",
        "mailto:me@example.org",
        "<unit>MW</unit><keyboard>us</keyboard>, 'region', 'DE'",
        "one of 'author', 'country' or 'value', not 'x'",
        "no column 'price': there are 'key', 'token' and 'value' (such as 'key', 'date')",
        "",
    ],
)
def test_a_text_without_secrets_is_left_alone(text: str) -> None:
    """Ports, addresses and words that only look alike."""
    assert redact(text) == text


@given(st.lists(st.sampled_from(["?key=", "token: ", "a://b:", "c@d", "/", "'", '"', " ", "x"])))
def test_what_is_masked_stays_so(parts: list[str]) -> None:
    """A text may pass through more than once: nothing more is lost, nothing comes back."""
    redacted = redact("".join(parts))
    assert redact(redact(redacted)) == redact(redacted)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "part",
    [
        "a.",
        "a-",
        "a",
        "key ",
        "key",
        "token",
        "?key=",
        "a://b:",
        "a://b@",
        "'",
        '\\"',
        "=",
        "%3Fkey%3D",
        "<key>",
        "('key', ",
    ],
)
def test_a_long_text_takes_no_longer_than_its_length(part: str) -> None:
    """Whatever a provider answers: half a million characters well within the time of a test."""
    text = part * (500_000 // len(part))
    assert redact(redact(text)) == redact(text)
    assert redact("password: '" + text) != "password: '" + text


@given(st.text(st.characters()), st.integers(1, 40))
def test_what_is_harmless_is_one_printable_line(text: str, limit: int) -> None:
    """Of the first characters of any text; what was printable and short enough is unchanged."""
    redacted = harmless(text, limit)
    assert redacted.isprintable()
    assert len(redacted.splitlines()) <= 1
    if len(text) <= limit:
        assert text.isprintable() == (redacted == text)
        assert "…" not in redacted or "…" in text
    else:
        assert redacted == harmless(text[: limit - 1]) + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\r\n", "a\\nb\\r\\n"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\0\x7f", "a\\x00\\x7f"),
        ("\u2028", "\\u2028"),
        ("\udcff", "\\udcff"),
        ("für 5 €", "für 5 €"),
    ],
)
def test_controls_are_shown_as_escapes(text: str, expected: str) -> None:
    """Line ends, terminal escapes, reversed writing, half characters."""
    assert harmless(text) == expected
