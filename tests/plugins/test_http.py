"""The HTTP client against a real server: what it sends, what it takes, how it sorts failures."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import ssl
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer, Reply
from support.owning_loop import each_in_a_loop_of_its_own
from support.remembered_secrets import only_secrets

from dataportal import __version__
from dataportal.errors import BadDataError, FetchError, PermanentError, TransientError
from dataportal.plugins.http import HttpClient, NotFoundError
from dataportal.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.http_server import Request

    from dataportal.plugins.http import Answer

KEY = "canary-of-a-key"
CERTIFICATES = Path(__file__).parent / "certificates"
MIB = 1024 * 1024


def ask(url: str, client: HttpClient | None = None, **options: Any) -> Answer:
    """The answer, from an event loop that lives for this request alone."""

    async def once() -> Answer:
        asking = client or HttpClient()
        try:
            return await asking.get(url, **options)
        finally:
            await asking.aclose()

    return asyncio.run(once())


def test_says_who_asks_and_what_it_can_unpack(server: LocalServer) -> None:
    """Every request carries the product's name and version, and asks for gzip alone."""
    ask(server.answer("/a", Reply.json([])))
    headers = server.requests[0].headers
    assert headers["user-agent"] == f"dataportal/{__version__}"
    assert headers["accept-encoding"] == "gzip"


def test_user_agent_is_never_empty(server: LocalServer) -> None:
    """Neither the client's maker nor a caller can make it empty: SMARD answers such with a page."""
    with pytest.raises(ValueError, match="user_agent"):
        HttpClient(user_agent=" ")
    ask(server.answer("/a", Reply.json([])), headers={"User-Agent": ""})
    assert server.requests[0].headers["user-agent"].startswith("dataportal/")


def test_parameters_are_added_to_those_in_the_url(server: LocalServer) -> None:
    """A list gives its name several times; None leaves a parameter out."""
    url = server.answer("/a", Reply.json([])) + "?frequency=hourly"
    ask(url, params={"facets[type][]": ["D", "NG"], "offset": 0, "none": None})
    assert server.requests[0].query == {
        "frequency": ["hourly"],
        "facets[type][]": ["D", "NG"],
        "offset": ["0"],
    }


def test_headers_of_the_caller_are_sent(server: LocalServer) -> None:
    """What a provider asks for in headers reaches it."""
    ask(server.answer("/a", Reply.json([])), headers={"x-api-key": KEY})
    assert server.requests[0].headers["x-api-key"] == "canary-of-a-key"


def test_answer_is_whole(server: LocalServer) -> None:
    """Status, headers in lower case, body and URL are those of the answer."""
    reply = Reply(body=b'{"a": [1, null]}', headers={"X-Quota": "7"})
    answer = ask(server.answer("/a", reply))
    assert (answer.status, answer.headers["x-quota"]) == (200, "7")
    assert answer.json() == {"a": [1, None]}
    assert answer.url == server.url + "/a"


def test_no_content_is_a_success_without_a_body(server: LocalServer) -> None:
    """204 says "nothing to tell" and is no failure; as JSON it is."""
    answer = ask(server.answer("/a", Reply(204)))
    assert (answer.status, answer.body) == (204, b"")
    with pytest.raises(BadDataError, match="is empty"):
        answer.json()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
def test_status_that_may_pass(server: LocalServer, status: int) -> None:
    """Overload and broken gateways are transient, and name the host and the status."""
    url = server.answer("/a", Reply(status, b"busy"))
    with pytest.raises(TransientError, match=str(status)) as caught:
        ask(url)
    assert caught.value.host == "127.0.0.1"
    assert caught.value.retry_after is None
    assert url in str(caught.value)
    assert "busy" in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 405, 407, 418, 422, 451, 501, 505])
def test_status_that_will_not_pass(server: LocalServer, status: int) -> None:
    """A refused question is permanent, and the beginning of the refusal is shown."""
    url = server.answer("/a", Reply(status, b'{"error": "unknown facet"}'))
    with pytest.raises(PermanentError, match="unknown facet") as caught:
        ask(url)
    assert not isinstance(caught.value, NotFoundError)


def test_status_that_the_caller_reads_itself(server: LocalServer) -> None:
    """Named as an answer too, it comes with its body; any other is refused as ever."""
    url = server.answer("/a", Reply(400, b"no data"))
    answer = ask(url, also=(400,))
    assert (answer.status, answer.body) == (400, b"no data")
    with pytest.raises(PermanentError, match="no data"):
        ask(url, also=(404,))


@pytest.mark.parametrize("status", [404, 410])
def test_nothing_there(server: LocalServer, status: int) -> None:
    """404 and 410 have a type of their own, as plugins know more about what is missing."""
    with pytest.raises(NotFoundError, match=f"{status}"):
        ask(server.answer("/a", Reply(status)))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_says_where_to_look(server: LocalServer, status: int) -> None:
    """The hint leads from a refused key to sources.yaml and the environment."""
    with pytest.raises(PermanentError) as refused:
        ask(server.answer("/a", Reply(status)))
    # as it is shown: a word after "key:" would be masked
    assert "Check the key; the source's parameters in sources.yaml say which" in redact(
        str(refused.value)
    )


@pytest.mark.parametrize("status", [201, 202, 300, 304, 305])
def test_status_nobody_asked_for(server: LocalServer, status: int) -> None:
    """A promise to answer later, a choice: none is taken for the data."""
    with pytest.raises(BadDataError, match=str(status)):
        ask(server.answer("/a", Reply(status, b"" if status == 304 else b"[1]")))


def test_206_is_an_answer_to_who_asked_for_no_range(server: LocalServer) -> None:
    """So providers say that more pages follow; a range of the bytes is no whole answer."""
    ranges = {"Content-Range": "items 0-9/100"}
    assert ask(server.answer("/a", Reply(206, b"[1]", headers=ranges))).body == b"[1]"
    whole = {"Content-Range": "bytes 0-2/3"}
    assert ask(server.answer("/b", Reply(206, b"[1]", headers=whole))).body == b"[1]"
    part = {"Content-Range": "bytes 0-2/30"}
    with pytest.raises(BadDataError, match="only a part of it"):
        ask(server.answer("/c", Reply(206, b"[1]", headers=part)))
    with pytest.raises(BadDataError, match="206"):
        ask(server.answer("/d", Reply(206, b"[1]")), headers={"Range": "bytes=0-2"})


NOW = datetime(2025, 3, 1, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1.5", 1.5),
        ("86400000", 86_400_000.0),
        ("Sat, 01 Mar 2025 06:02:00 GMT", 120.0),
        ("Sat, 01 Mar 2025 07:00:00 GMT", 3600.0),
        ("Sat, 01 Mar 2025 05:00:00 GMT", 0.0),
        ("Saturday, 01-Mar-25 06:02:00 GMT", 120.0),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("Sat, 99 Mar 2025 06:02:00 GMT", None),
        ("Sat, 01 Mar 2025 06:02:00 +9999", None),
        ("Sat, 01 Mar 99999 06:02:00 GMT", None),
        ("1e308", None),
    ],
)
def test_retry_after(server: LocalServer, header: str, seconds: float | None) -> None:
    """Seconds or a date; the past is no wait at all; rubbish says nothing."""
    url = server.answer("/a", Reply(429, headers={"Retry-After": header}))
    with pytest.raises(TransientError) as caught:
        ask(url, HttpClient(now=lambda: NOW))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("cut", [-1, 0, 5])
@pytest.mark.parametrize("how", ["reset_after", "hang_up_after"])
def test_broken_connection_may_pass(server: LocalServer, cut: int, how: str) -> None:
    """A connection that ends before the answer does is transient, wherever it ends."""
    broken = Reply(body=b"0123456789", reset_after=cut)
    if how == "hang_up_after":
        broken = Reply(body=b"0123456789", hang_up_after=cut)
    url = server.answer("/a", broken)
    with pytest.raises(TransientError) as caught:
        ask(url)
    assert caught.value.host == "127.0.0.1"
    assert url in str(caught.value)


def test_chunked_body_that_breaks_off_may_pass(server: LocalServer) -> None:
    """A chunked body without its last chunk is not taken for the whole."""
    with pytest.raises(TransientError, match="broke off"):
        ask(server.answer("/a", Reply(body=[b"[1,", b"2"], hang_up_after=0)))


def test_nobody_listens() -> None:
    """A refused connection is transient."""
    # a port that nobody else can take meanwhile
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(TransientError, match=r"no connection to 127\.0\.0\.1"):
            ask(f"http://127.0.0.1:{deaf.getsockname()[1]}/a")


def test_name_that_nobody_knows() -> None:
    """A failed look-up may be a network that is not up yet; the hint says what else it may be."""
    with pytest.raises(TransientError, match="could not be resolved") as caught:
        ask("http://no-such-host.invalid/a")
    assert caught.value.host == "no-such-host.invalid"
    assert "check the address" in str(caught.value)


def test_silent_server_ends_at_the_deadline(server: LocalServer) -> None:
    """A server that takes the request and never answers holds nobody up for longer."""

    def never() -> Iterator[bytes]:
        while True:
            yield b"x"

    started = time.monotonic()
    url = server.answer("/a", Reply(body=never(), pause=0.05))
    with pytest.raises(TransientError, match=r"longer than 0.3 s") as caught:
        ask(url, HttpClient(request_timeout=0.3))
    assert time.monotonic() - started < 5
    assert caught.value.host == "127.0.0.1"


def test_deadline_of_one_request_beats_that_of_the_client(server: LocalServer) -> None:
    """A caller in a hurry may say so."""
    url = server.answer("/a", Reply(body=iter([b"x"] * 1000), pause=0.05))
    with pytest.raises(TransientError, match=r"longer than 0.2 s"):
        ask(url, deadline=0.2)


def test_slow_error_body_does_not_hide_the_error(server: LocalServer) -> None:
    """The body of an error is shown as far as it goes, and waited for no longer."""
    slow = iter([b"no such series"] + [b"."] * 1000)
    url = server.answer("/a", Reply(404, slow, pause=0.2))
    with pytest.raises(NotFoundError, match="no such series"):
        ask(url)


def test_body_larger_than_the_cap_is_not_read(server: LocalServer) -> None:
    """A body that declares too much is refused at once, one that does not once it has too much."""
    client = HttpClient(max_body=1000)
    with pytest.raises(BadDataError, match="larger than"):
        ask(server.answer("/a", Reply(body=b"x" * 1001)), client)
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(sent) < 10_000:
            sent.append(1)
            yield b"x" * 4096

    with pytest.raises(BadDataError, match="max_window"):
        ask(server.answer("/b", Reply(body=endless())), client)
    assert len(sent) < 10_000
    assert len(ask(server.answer("/c", Reply(body=b"x" * 1000)), client).body) == 1000


def test_gzip_is_unpacked(server: LocalServer) -> None:
    """One member or several, cut anywhere, padded with nothings: the same text."""
    packed = gzip.compress(b"[1, 2,") + gzip.compress(b" 3]") + b"\0" * 10
    gzipped = {"Content-Encoding": "gzip"}
    pieces = [packed[i : i + 1] for i in range(len(packed))]
    for body in (packed, pieces):
        answer = ask(server.answer("/a", Reply(body=body, headers=gzipped)))
        assert answer.json() == [1, 2, 3]
    assert ask(server.answer("/b", Reply(headers=gzipped))).body == b""


def test_cut_gzip_may_pass_and_damaged_gzip_is_bad(server: LocalServer) -> None:
    """What ends too early is transient, what was never gzip is not data."""
    packed = gzip.compress(b"0123456789" * 100)
    gzipped = {"Content-Encoding": "gzip"}
    with pytest.raises(TransientError, match="broke off"):
        ask(server.answer("/a", Reply(body=packed[:-9], headers=gzipped)))
    with pytest.raises(BadDataError, match="cannot be unpacked"):
        ask(server.answer("/b", Reply(body=b"[1, 2, 3]", headers=gzipped)))


def test_packing_nobody_asked_for_is_refused(server: LocalServer) -> None:
    """Only gzip is undone: others could unfold without bounds, and so could gzip in gzip."""
    for encoding in ("br", "deflate", "zstd", "gzip, gzip"):
        url = server.answer("/a", Reply(body=b"x", headers={"Content-Encoding": encoding}))
        with pytest.raises(BadDataError, match="was not asked for"):
            ask(url)


@pytest.mark.slow
def test_bomb_stays_small(server: LocalServer) -> None:
    """A body that unfolds a thousandfold is stopped at the cap and needs little more memory."""
    bomb = gzip.compress(b"\0" * (256 * MIB), compresslevel=9)
    assert len(bomb) < MIB
    url = server.answer("/a", Reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(BadDataError, match="larger than 8 MiB"):
            ask(url, HttpClient(max_body=8 * MIB))
        assert tracemalloc.get_traced_memory()[1] < 24 * MIB
    finally:
        tracemalloc.stop()


def test_redirects_are_followed_to_the_end(server: LocalServer) -> None:
    """Five redirects, relative ones too, lead to the answer; its URL is the last one."""
    for step in range(5):
        server.answer(f"/{step}", Reply.redirect(f"{step + 1}", (301, 302, 303, 307, 308)[step]))
    server.answer("/5", Reply.json("there"))
    answer = ask(server.url + "/0", headers={"x-api-key": KEY})
    assert answer.json() == "there"
    assert answer.url == server.url + "/5"
    assert server.requests[-1].headers["x-api-key"] == "canary-of-a-key"


def test_sixth_redirect_is_one_too_many(server: LocalServer) -> None:
    """A chain that goes on is given up, plainly."""
    server.answer("/start", Reply.redirect("/0"))
    for step in range(10):
        server.answer(f"/{step}", Reply.redirect(f"/{step + 1}"))
    with pytest.raises(PermanentError, match="more than 5 times"):
        ask(server.url + "/start")
    assert len(server.requests) == 6


def test_redirect_in_a_circle(server: LocalServer) -> None:
    """A circle is noticed on the way back, not after five rounds."""
    server.answer("/a", Reply.redirect("/b"))
    server.answer("/b", Reply.redirect("/a#again"))
    with pytest.raises(PermanentError, match="in a circle"):
        ask(server.url + "/a")
    assert len(server.requests) == 2


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/a", "file:///etc/passwd", "x://"])
def test_redirect_out_of_the_web(server: LocalServer, location: str) -> None:
    """Only http and https are followed."""
    with pytest.raises(PermanentError, match="is redirected to"):
        ask(server.answer("/a", Reply.redirect(location)))


def test_key_does_not_follow_to_another_host(
    server: LocalServer, other_server: LocalServer
) -> None:
    """Headers, the password and the key in the query stay behind; harmless parameters go along."""
    target = f"{other_server.url}/b?api_key={KEY}&echo={KEY}&filter=1223"
    server.answer("/a", Reply.redirect(target))
    other_server.answer("/b", Reply.json("there"))
    url = server.url.replace("//", "//user:canary-of-a-password@") + "/a"
    ask(url, params={"api_key": KEY}, headers={"x-api-key": KEY, "Authorization": KEY})
    assert server.requests[0].headers["x-api-key"] == KEY
    assert "authorization" in server.requests[0].headers
    assert server.requests[0].query["api_key"] == [KEY]
    (request,) = other_server.requests
    assert request.query == {"filter": ["1223"]}
    assert not {"x-api-key", "authorization"} & set(request.headers)
    assert "canary" not in repr(request)


def test_key_does_not_come_back_by_a_detour(server: LocalServer, other_server: LocalServer) -> None:
    """Once the headers are dropped they stay so, even if the way leads home again."""
    server.answer("/a", Reply.redirect(other_server.url + "/b"))
    other_server.answer("/b", Reply.redirect(server.url + "/c"))
    server.answer("/c", Reply.json([]))
    ask(server.url + "/a", headers={"x-api-key": KEY})
    assert "x-api-key" not in server.requests[-1].headers


def test_redirect_with_the_key_in_the_path_is_refused(
    server: LocalServer, other_server: LocalServer
) -> None:
    """A key that cannot be taken out of the new address stops the redirect; it is not shown."""
    url = server.answer("/a", Reply.redirect(f"{other_server.url}/{KEY}/b"))
    with pytest.raises(PermanentError, match="and the key with it") as caught:
        ask(url, headers={"x-api-key": KEY})
    assert KEY not in str(caught.value)
    assert other_server.requests == []


def test_redirect_with_a_key_of_the_path_is_refused(
    server: LocalServer, other_server: LocalServer
) -> None:
    """What sources.yaml put into the path as a secret is one there, though nothing names it so."""
    secret = KEY + "-of-the-path"
    server.answer(f"/{secret}/a", Reply.redirect(f"{other_server.url}/{secret}/a"))
    with only_secrets(secret), pytest.raises(PermanentError, match="and the key with it"):
        ask(f"{server.url}/{secret}/a")
    assert other_server.requests == []


def test_no_cookie_is_kept(server: LocalServer) -> None:
    """What one source is told does not travel with another's request."""
    url = server.answer("/a", Reply.json([]))
    server.answer("/a", Reply(body=b"[]", headers={"Set-Cookie": "session=1; Path=/"}))

    async def twice() -> None:
        client = HttpClient()
        await client.get(url)
        await client.get(url)
        await client.aclose()

    asyncio.run(twice())
    assert "cookie" not in server.requests[1].headers


def tls_context(name: str) -> ssl.SSLContext:
    """Serves with a certificate of this folder, which nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / name)
    return context


def trusting(name: str) -> ssl.SSLContext:
    """Trusts a certificate of this folder, and nothing else."""
    return ssl.create_default_context(cafile=str(CERTIFICATES / name))


def test_certificate_that_is_trusted() -> None:
    """With the right authority https works: the next tests fail for the reason they name."""
    with LocalServer(tls=tls_context("valid.pem")) as server:
        url = server.answer("/a", Reply.json([1]))
        assert ask(url, HttpClient(tls=trusting("valid.pem"))).json() == [1]


def test_certificate_that_expired() -> None:
    """It will not pass by itself, nothing is sent, and the reason is said."""
    with LocalServer(tls=tls_context("expired.pem")) as server:
        url = server.answer("/a", Reply.json([1]))
        with pytest.raises(PermanentError, match="certificate has expired"):
            ask(url, HttpClient(tls=trusting("expired.pem")))
        assert server.requests == []


def test_certificate_that_nobody_trusts() -> None:
    """By default the authorities of the world decide, and the way out is named."""
    with LocalServer(tls=tls_context("valid.pem")) as server:
        url = server.answer("/a", Reply.json([1]))
        with pytest.raises(PermanentError, match=r"self.signed certificate.*SSL_CERT_FILE"):
            ask(url)
        assert server.requests == []


def test_https_to_a_server_that_does_not_speak_it(server: LocalServer) -> None:
    """A handshake that fails is no answer, and an error of ours."""
    with pytest.raises(TransientError, match="no connection"):
        ask(server.url.replace("http:", "https:") + "/a")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://127.0.0.1/a", "/etc/passwd", "", "http://", "file:///a", "http://\0"),
        *("http://127.0.0.1:99999/a", "http://127.0.0.1:0/a", "http://xn--a/", "http://a..b/"),
        *("http://\u2028/", f"http://{'a' * 70}.example/", "http://ä\u0300.-/"),
    ],
)
def test_what_is_no_address(url: str) -> None:
    """Only http and https with a host can be asked."""
    with pytest.raises(PermanentError, match="is not an"):
        ask(url)


@pytest.mark.parametrize("location", ["http://127.0.0.1:99999/a", "http://xn--a/", "http://a..b/"])
def test_redirect_to_what_is_no_address(server: LocalServer, location: str) -> None:
    """A port or a name that only the attempt to connect would find wrong."""
    with pytest.raises(PermanentError, match="to what is no address"):
        ask(server.answer("/a", Reply.redirect(location)))


def test_redirect_to_a_host_that_fails_names_that_host(
    server: LocalServer, other_server: LocalServer
) -> None:
    """Not the one that redirected, which answered as it should."""
    with pytest.raises(TransientError, match="the name no-such-host") as caught:
        ask(server.answer("/a", Reply.redirect("http://no-such-host.invalid/b")))
    assert caught.value.host == "no-such-host.invalid"
    slow = other_server.answer("/slow", Reply(body=[b"x"] * 99, pause=0.1))
    with pytest.raises(TransientError, match=r"longer than 0.3 s for GET .*/slow"):
        ask(server.answer("/c", Reply.redirect(slow)), HttpClient(request_timeout=0.3))


@pytest.mark.parametrize("value", ["canary-of-a-key\n", "canary-of-a-key\r\nX-Y: z", "canary-kéy"])
def test_key_that_no_header_can_carry(server: LocalServer, value: str) -> None:
    """The header is named, its value is not shown, and nothing is sent."""
    with pytest.raises(PermanentError, match=r"'x-api-key'.*line break") as caught:
        ask(server.answer("/a", Reply.json([])), headers={"x-api-key": value})
    assert "canary" not in str(caught.value)
    assert server.requests == []


def test_at_most_so_many_requests_to_one_host(server: LocalServer) -> None:
    """A client asks one host at most `per_host` things at a time; all are answered in the end."""
    under_way: list[int] = []
    most: list[int] = []

    def reply(request: Request) -> Reply:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.02)  # long enough for the others to come, if they may
        under_way.pop()
        return Reply.json(request.query["n"])

    url = server.answer("/a", reply)

    async def many() -> list[Answer]:
        client = HttpClient(per_host=3)
        answers = await asyncio.gather(*(client.get(url, params={"n": n}) for n in range(12)))
        await client.aclose()
        return answers

    assert [answer.json() for answer in asyncio.run(many())] == [[str(n)] for n in range(12)]
    assert 2 <= max(most) <= 3


def test_retry_after_holds_for_everybody(server: LocalServer) -> None:
    """A host that asked to be left alone is asked for nothing else meanwhile, from any loop."""
    busy = server.answer("/a", Reply(429, b"", headers={"Retry-After": "60"}))
    other = server.answer("/b", Reply.json([]))
    client = HttpClient()
    with pytest.raises(TransientError):
        ask(busy, client)
    with pytest.raises(TransientError, match="asked to be left alone for another") as caught:
        ask(other, client)
    assert 50 < (caught.value.retry_after or 0) <= 60
    assert caught.value.host == "127.0.0.1"
    assert server.asked("/b") == 0


def test_retry_after_passes(server: LocalServer) -> None:
    """Once the time is over the host is asked again."""
    url = server.answer("/a", Reply(503, b"", headers={"Retry-After": "0"}), Reply.json([1]))
    client = HttpClient()
    with pytest.raises(TransientError):
        ask(url, client)
    assert ask(url, client).json() == [1]


def test_client_serves_one_loop_after_another(server: LocalServer) -> None:
    """The same client may be used from several event loops; each has connections of its own."""
    client = HttpClient()
    url = server.answer("/a", Reply.json([1]))
    assert [ask(url, client).json() for _ in range(2)] == [[1], [1]]


def test_client_serves_loops_side_by_side(server: LocalServer) -> None:
    """Loops that take turns at it, or use it at the same time, harm none of its requests."""
    client = HttpClient(per_host=1)
    url = server.answer("/a", Reply.json([1]))

    async def many() -> list[list[int]]:
        answers = await asyncio.gather(*(client.get(url) for _ in range(5)))
        return [answer.json() for answer in answers]

    with asyncio.Runner() as first, asyncio.Runner() as second:
        for runner in (first, second, first, second):
            assert runner.run(many()) == [[1]] * 5
        first.run(client.aclose())
        second.run(client.aclose())

    async def once() -> list[list[int]]:
        try:
            return await many()
        finally:
            await client.aclose()

    assert each_in_a_loop_of_its_own([once] * 4) == [[[1]] * 5] * 4


def test_cancelled_request_ends_at_once(server: LocalServer) -> None:
    """A cancelled fetch does not wait for its provider."""
    url = server.answer("/a", Reply(body=iter([b"x"] * 1000), pause=0.1))

    async def cancelled() -> float:
        client = HttpClient()
        task = asyncio.create_task(client.get(url))
        await asyncio.to_thread(server.wait_for, "/a")
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.aclose()
        return time.monotonic() - started

    assert asyncio.run(cancelled()) < 2


def test_proxy_of_the_environment_is_used(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY sends the request to the proxy, whole address and all."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.answer("/a", Reply.json("by proxy"))
    assert ask("http://provider.invalid/a").json() == "by proxy"
    assert server.requests[0].target == "http://provider.invalid/a"


@pytest.mark.parametrize(
    "proxy",
    [
        *("gopher://{}@127.0.0.1:9", "http://{}@127.0.0.1:99999", "http://{}@127.0.0.1:port"),
        *("http://{}@127.0.0.1:0", "http://{}@:80", "http://{}@[::1", "http://{}@[zz]:80"),
        *("http://{}@xn--\u00e9.example", "http://{}@a..b:80", "http://{}@ho st:80"),
        f"http://{{}}@{'a' * 70}.example",
        f"http://{{}}@127.0.0.1:{'9' * 300}",
        "http://{}",
    ],
)
def test_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """A proxy of an unknown kind or port is a plain message, without its password."""
    monkeypatch.setenv("ALL_PROXY", proxy.format("user:canary-of-a-password"))
    with pytest.raises(PermanentError, match="ALL_PROXY") as caught:
        ask("http://provider.invalid/a")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("http://me:{}@127.0.0.1:9", "no connection to the proxy 127.0.0.1:9 for GET"),
        ("http://me:{}@nowhere.invalid:80", "the name nowhere.invalid of the proxy could not be"),
    ],
)
def test_a_proxy_that_cannot_be_reached_is_named(
    monkeypatch: pytest.MonkeyPatch, proxy: str, message: str
) -> None:
    """And not the provider, to whom nothing was sent; nor its password."""
    monkeypatch.setenv("HTTP_PROXY", proxy.format("canary-of-a-password"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TransientError, match=message) as caught:
        ask("http://provider.example/a")
    assert "HTTP_PROXY" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "is_whole"),
    [
        ("bytes 0-2/3", True),
        ("bytes 0-2/*", True),
        ("bytes */3", True),
        ("items 0-9/100", True),
        ("bytes 0-2/4", False),
        ("bytes 1-3/4", False),
        ("bytes  0-2/30; x", False),
        # no number so long is taken for one
        (f"bytes 0-{'9' * 300}/{'9' * 301}", True),
        (f"bytes 0-2/{'9' * 5000}", True),
        ("bytes a-b/c", True),
    ],
)
def test_a_part_of_the_bytes_is_no_answer(
    server: LocalServer, header: str, *, is_whole: bool
) -> None:
    """What says how many there are of how many counts; all else is about no bytes of ours."""
    url = server.answer("/a", Reply(206, b"[1]", headers={"Content-Range": header}))
    if is_whole:
        assert ask(url).body == b"[1]"
    else:
        with pytest.raises(BadDataError, match="only a part of it") as caught:
            ask(url)
        assert len(str(caught.value)) < 200


def test_libraries_beneath_write_no_url(
    server: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Both httpx and httpcore would log whole URLs; they are kept quiet at any level."""
    caplog.set_level(logging.DEBUG)
    ask(server.answer("/a", Reply.json([])), params={"api_key": KEY})
    assert "canary" not in caplog.text
    assert not [r for r in caplog.records if r.name.startswith(("httpx", "httpcore"))]


def test_every_failure_is_a_fetch_error(server: LocalServer) -> None:
    """Whatever a server sends that is no HTTP at all, the run gets an error it knows."""
    answers = [
        Reply(headers={"Content-Length": "many"}, body=[b"x"]),
        Reply(headers={"Location": "\x7f"}, status=302),
        Reply(status=999),
        Reply(headers={"Content-Length": "3"}, body=b"xxxxxx"),
    ]
    for reply in answers:
        with pytest.raises(FetchError):
            ask(server.answer("/a", reply))
