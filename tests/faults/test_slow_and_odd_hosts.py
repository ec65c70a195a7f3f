"""Hosts that hang, that lead elsewhere, and that count in numbers without an end."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import fetch
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile, await_end, read_until, runs_by_source

from dataportal.collect import plugin_call
from dataportal.errors import BadDataError, PermanentError
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.errors import retry_after_seconds
from dataportal.plugins.http.response import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli, StartCli

NO_ADDRESS = (
    *("http://xn--a/", "http://xn--/", "http://xn--a.example.com/x", "http://xn--zzzzzz99999999/"),
    *("http://a..b/", f"http://{'a' * 70}.com/", "http://.", "http://exa mple.com/"),
    *("http://[::1/", "http://[::1]:x/", "http://a:99999/", "http://a:-1/", "http://a:1e5/"),
    *("http://ex%61mple.com/", "http://exa\tmple.com/"),
)


@pytest.mark.parametrize("location", NO_ADDRESS)
def test_where_a_redirect_leads_is_named(location: str) -> None:
    """What is no address may never pass, and is no fault of the request that was sent."""

    async def get(url: str) -> None:
        client = HttpClient()
        try:
            await client.get(url)
        finally:
            await client.aclose()

    with LocalServer() as server:
        url = server.answer("/a", Reply.redirect(location))
        with pytest.raises(PermanentError, match="redirected to what is no address"):
            asyncio.run(get(url))


@pytest.fixture
def hanging() -> Iterator[LocalServer]:
    """A server that takes a request and says nothing until the test is over."""
    with LocalServer() as server:
        server.answer("/load.csv", Reply(hold=threading.Event()))
        server.answer("/moved.csv", Reply.redirect("/load.csv"))
        yield server


_OWN = """
async def get_historical_data(self, *window):
    answer = await self.http.get({url!r})
    return []
"""


@pytest.mark.parametrize("kind", ["built-in", "own"])
def test_a_timeout_names_the_host_and_the_address(
    tmp_path: Path, database_url: str, run_cli: RunCli, hanging: LocalServer, kind: str
) -> None:
    """Also where it is the source's; and the address to which a redirect led."""
    sources = SourceFile(tmp_path)
    url = f"{hanging.url}/moved.csv?api_key=canary1234"
    if kind == "own":
        sources.python("load", _OWN.format(url=url), timeout="2 s")
    else:
        sources.csv("load", url, timeout="2 s")
    sources.write()
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
    done = run_cli("fetch", "load", "--json", env=env)
    assert done.returncode == 3
    error = runs_by_source(done)["load"]["error"]
    assert f"127.0.0.1 has not answered GET {hanging.url}/load.csv" in error
    assert "did not answer within" in error
    assert "canary1234" not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_host_that_hangs_is_told_meanwhile(
    tmp_path: Path, database_url: str, start_cli: StartCli, hanging: LocalServer
) -> None:
    """Who looks on learns after a few seconds what is waited for; cron learns nothing."""
    sources = SourceFile(tmp_path)
    sources.csv("load", f"{hanging.url}/load.csv", timeout="18 s")
    sources.write()
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
    started = start_cli("fetch", "load", env=env)
    told = read_until(started, "waits")
    assert "127.0.0.1 has not answered GET" in told
    assert "after 15 s" in told
    await_end(started)


def test_what_is_waited_for_is_told_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever more rarely; nothing is told of a call that is quick."""
    monkeypatch.setattr(plugin_call, "_SLOW", 0.02)
    told: list[str] = []

    async def wait(seconds: float) -> None:
        client = HttpClient().for_call()
        look = plugin_call._look_after(client, 60, told.append, [])
        with look:
            await asyncio.sleep(seconds)
        await client.aclose()

    asyncio.run(wait(0))
    assert not told
    asyncio.run(wait(0.3))
    assert 2 <= len(told) <= 5
    assert "the plugin has not answered" in told[0]


HUGE = ("1e400", "9" * 300, "9" * 5000, '"' + "9" * 300 + '"', '"1e400"', "-1", "1.5", "[1]")


@pytest.mark.parametrize("total", HUGE)
@pytest.mark.parametrize("name", ["total", "last"])
def test_a_count_without_an_end(name: str, total: str) -> None:
    """Is refused, in a message that can be read; never a bug."""
    body = f'{{"rows": [{{"t": "2025-01-01T00:00:00Z", "v": 1}}], "n": {total}}}'
    params: dict[str, Any] = {
        "rows": "rows",
        "ts": "t",
        "value": "v",
        "paging": {"page": "p", name: "n"},
    }
    with LocalServer() as server:
        url = server.answer("/a", Reply(body=body.encode(), content_type="application/json"))
        with pytest.raises(BadDataError) as caught:
            fetch("Json", url=url, **params)
    assert "9" * 61 not in str(caught.value)


_NO_DATES = (
    *("Fri, 31 Dec 9999 23:59:59 -2359", "Fri, 31 Dec 9999 23:59:59 +9999", "9" * 5000, "soon"),
    *("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2025 00:00:00 +999999999999"),
    *(f"Mon, 01 Jan 2025 {'9' * 30}:00:00 GMT", "Mon, 32 Jan 2025 00:00:00 GMT", "1e400", "-1"),
)


@pytest.mark.parametrize("text", _NO_DATES)
def test_a_date_that_is_none(text: str) -> None:
    """In whatever header it stands, it says nothing."""
    for header in ("last-modified", "date"):
        answer = Answer(
            200, "http://x/a", {"last-modified": _DATE, "date": _DATE, header: text}, b""
        )
        assert answer.written_at in {None, datetime(2025, 1, 1, tzinfo=UTC)}
    if "e400" not in text and text != "-1":
        assert retry_after_seconds(text, datetime(2025, 1, 1, tzinfo=UTC)) is None


_DATE = "Wed, 01 Jan 2025 00:00:00 GMT"
