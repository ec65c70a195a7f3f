"""Text and JSON out of an answer's bytes, waits out of its headers, and masks for its secrets."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.errors import BadDataError
from dataportal.plugins.http.errors import retry_after_seconds
from dataportal.plugins.http.response import Answer, Mask

URL = "https://provider.example/a"


def answer(body: bytes, content_type: str = "application/json") -> Answer:
    """An answer with this body."""
    return Answer(200, URL, {"content-type": content_type}, body)


class Row(msgspec.Struct):
    """A shape to check against."""

    pair: tuple[int, float | None]


@given(st.text())
def test_utf8_is_read_with_and_without_a_mark(text: str) -> None:
    """Without a charset a body is UTF-8, and a byte order mark is no part of it."""
    assert answer(text.encode(), "text/csv").text() == text.removeprefix("\ufeff")
    assert answer(b"\xef\xbb\xbf" + text.encode(), "text/csv").text() == text


@pytest.mark.parametrize("charset", ["iso-8859-1", "ISO-8859-1", '"latin1"', "windows-1252"])
def test_declared_charset_is_used(charset: str) -> None:
    """The charset of Content-Type decides, quoted or not, and a caller beats it."""
    body = answer("Köln".encode("latin-1"), f"text/csv; header=present; charset={charset}")
    assert body.text() == "Köln"
    assert body.text("cp1251") == "Kцln"


def test_text_of_another_charset_is_bad_data() -> None:
    """Bytes that are not what they are declared to be are not guessed at."""
    with pytest.raises(BadDataError, match=r"is not utf-8 text at byte 1"):
        answer("Köln".encode("latin-1"), "text/csv; charset=utf-8").text()
    with pytest.raises(BadDataError, match=r"unknown charset 'klingon'"):
        answer(b"x", "text/csv; charset=klingon").text()
    with pytest.raises(BadDataError, match=r"unknown charset 'hex'"):
        answer(b"00", "text/csv; charset=hex").text()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_json_is_what_the_standard_library_reads(content: object) -> None:
    """Any JSON, with NaN, Infinity and large numbers, is read as the standard library does."""
    text = json.dumps(content)
    assert repr(answer(text.encode()).json()) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'\xef\xbb\xbf{"a": 1}', "application/json"),
        ('{"a": 1}'.encode("utf-16"), "application/json; charset=utf-16"),
        (b'{"a": 1}', "text/html; charset=us-ascii"),
    ],
)
def test_json_in_other_clothes(body: bytes, content_type: str) -> None:
    """A byte order mark, another charset or a wrong content type do not matter to JSON."""
    assert answer(body, content_type).json() == {"a": 1}


@pytest.mark.parametrize(
    "body", [b"", b" ", b'{"a": 1', b"[1, 2", b"nope", b'"\xff"', b"[" * 100_000, b"1 2"]
)
def test_what_is_no_json(body: bytes) -> None:
    """A cut or foreign text is bad data; the message has the URL and how it begins."""
    with pytest.raises(BadDataError, match=r"is not JSON") as caught:
        answer(body).json()
    assert URL in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><p>wait", b"\n <HTML><body>", b"\xef\xbb\xbf<html>"]
)
def test_page_is_no_json(page: bytes) -> None:
    """A page under 200 is told apart from other rubbish."""
    assert answer(page).is_page
    with pytest.raises(BadDataError, match="is a page of HTML"):
        answer(page).json()


def test_shape_is_checked_with_its_place() -> None:
    """JSON of another shape is bad data, and the message says where; 1e400 fits where floats do."""
    assert answer(b'{"pair": [1, 2]}').json(Row).pair == (1, 2.0)
    assert answer(b'{"pair": [1, 1e400]}').json(Row).pair == (1, math.inf)
    for body, place in ((b'{"pair": [1, "2"]}', "$.pair[1]"), (b"[]", "Expected `object`")):
        with pytest.raises(BadDataError, match="has another shape") as caught:
            answer(body).json(Row)
        assert place in str(caught.value)


def test_excerpt_is_one_harmless_line() -> None:
    """Terminal escapes and line breaks of an answer do not reach a terminal."""
    shown = answer(b"a\n\x1b[2Jb\r\n\xff" + b"x" * 1000).excerpt()
    assert shown.isprintable()
    assert len(shown) < 220
    assert shown.startswith("a \\x1b[2Jb")


NOW = datetime(2025, 3, 1, tzinfo=UTC)


@given(st.none() | st.text() | st.floats().map(str) | st.integers().map(str))
def test_wait_is_a_finite_number_or_nothing(header: str | None) -> None:
    """Whatever stands in Retry-After, the wait is None or at least 0 and finite."""
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_wait_until_a_date(moment: datetime) -> None:
    """A date says how long from now, in whole seconds, and the past says 0."""
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    header = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert retry_after_seconds(header, NOW) == max((moment - NOW).total_seconds(), 0)


SECRET = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=8).filter(
    lambda text: len(set(text)) > 6
)


@given(SECRET, st.sampled_from([str, quote, quote_plus]))
def test_mask_knows_its_secret_in_every_spelling(secret: str, spelling: type[str]) -> None:
    """A key given in the query, a header or as a password is masked in texts and URLs."""
    for mask in (
        Mask(query=[("api_key", secret)]),
        Mask(headers=[("X-Api-Key", secret)]),
        Mask(headers=[("Authorization", f"Bearer {secret}")]),
        Mask(password=secret),
    ):
        assert secret not in mask(f"it said {spelling(secret)}!")
        shown = mask.url(f"https://host/{spelling(secret)}/b?x={spelling(secret)}")
        assert secret not in shown
        assert quote(secret, safe="") not in shown


def test_mask_leaves_the_rest_alone() -> None:
    """What is no secret stays readable."""
    mask = Mask(query=[("filter", "electricity"), ("api_key", "canary-of-a-key")])
    url = "https://host/electricity?filter=electricity"
    assert mask.url(url) == url
    assert mask("electricity") == "electricity"


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers(0, 9)), min_size=2, max_size=5))
def test_json_of_lines_is_the_list_of_them(rows: list[dict[str, int]]) -> None:
    """With and without an end of the last line, and in another charset."""
    text = "\n".join(json.dumps(row) for row in rows)
    for body in (text, f"{text}\n", f"\ufeff{text}\r\n"):
        assert answer(body.encode(), "application/x-ndjson").json() == rows
    assert answer(text.encode("utf-16"), "application/json; charset=utf-16").json() == rows


def test_json_of_lines_that_is_cut_is_refused() -> None:
    """Rather than taken as far as it goes."""
    with pytest.raises(BadDataError, match="not JSON"):
        answer(b'{"a": 1}\n{"a": 2}\n{"a":', "application/json").json()


@pytest.mark.parametrize(
    "text", ['cb({"a": [1]})', '/**/ns.cb1 ( {"a": [1]} ) ;\n', 'null({"a":[1]});']
)
def test_of_a_call_by_jsonp_that_counts_which_is_handed_over(text: str) -> None:
    """Whatever it is called."""
    assert answer(text.encode(), "text/javascript").json() == {"a": [1]}


@pytest.mark.parametrize("text", ["cb(1, 2)", "cb({)", "(1)", "var a = [1];"])
def test_another_script_is_no_json(text: str) -> None:
    """And is refused."""
    with pytest.raises(BadDataError, match="not JSON"):
        answer(text.encode(), "text/javascript").json()
