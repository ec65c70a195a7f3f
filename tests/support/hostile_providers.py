"""Hostile HTTP answers: an entry for each way to misbehave, and what must come of it."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from support.http_server import Reply
from support.store_feed import hour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.http_server import Request

MIB = 1024 * 1024
POINTS: list[dict[str, object]] = [{"ts": hour(h).isoformat(), "value": float(h)} for h in range(3)]
_BODY = json.dumps(POINTS).encode()
GOOD = Reply(body=_BODY)
_GZIPPED = gzip.compress(_BODY)
_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    + b"]><x><row><ts>&j;</ts></row></x>"
)
_EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    b"<x><row><ts>2025-03-01T00:00:00Z</ts><value>&a;</value></row></x>"
)


@dataclass(frozen=True)
class Hostility:
    """A way to misbehave, and what must come of it.

    Attributes:
        replies: made anew for each test; the last one stays.
        error: stands in the message of the run; None where the run succeeds in the end.
        requests: how often the provider is asked.
        plugin: which of the HTTP plugins asks.
        keys: further keys of the source.
        code: the exit code.
    """

    replies: Callable[[], tuple[Reply | Callable[[Request], Reply], ...]]
    error: str | None
    requests: int = 1
    plugin: str = "HttpJsonPlugin"
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """The exit code that the run must end with."""
        return 0 if self.error is None else 3


def transient(*replies: Reply) -> Hostility:
    """What may pass, and does."""
    return Hostility(lambda: (*replies, GOOD), None, requests=len(replies) + 1)


def permanent(reply: Reply, error: str, plugin: str = "HttpJsonPlugin") -> Hostility:
    """What asking again would not mend."""
    return Hostility(lambda: (reply,), error, plugin=plugin)


def http_date(seconds: float) -> str:
    """An HTTP date so much later than now."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def trickle() -> Iterator[bytes]:
    """A body without an end."""
    while True:
        yield b" "


def endless() -> Iterator[bytes]:
    """Two gigabytes, unannounced."""
    for _ in range(2048):
        yield b" " * MIB


def gzip_bomb() -> Iterator[bytes]:
    """Ten megabytes of gzip that unfold to ten gigabytes."""
    packer = zlib.compressobj(level=9, wbits=31)
    member = packer.compress(bytes(10 * MIB)) + packer.flush()
    for _ in range(1024):
        yield member


def echo(request: Request) -> Reply:
    """Repeats the request in its error, keys and all, as some providers do."""
    parts = {"headers": dict(request.headers), "query": dict(request.query), "at": request.target}
    return Reply(400, json.dumps(parts).encode())


LONG = {"Retry-After": "3600"}
HOSTILITIES: dict[str, Hostility] = {
    "429 and seconds": transient(Reply(429, headers={"Retry-After": "1"})),
    "429 and a date": Hostility(
        lambda: (Reply(429, headers={"Retry-After": http_date(2)}), GOOD), None, requests=2
    ),
    "429 and an hour": Hostility(
        lambda: (Reply(429, headers=LONG), GOOD), "the next run tries again"
    ),
    "429 and rubbish": transient(Reply(429, headers={"Retry-After": "soon, perhaps"})),
    "500": transient(Reply(500)),
    "502 twice": transient(Reply(502), Reply(502)),
    "503 for ever": Hostility(lambda: (Reply(503),), "503", requests=3),
    "404": permanent(Reply(404), "404"),
    "401": permanent(Reply(401, b"no such key"), "Check the key"),
    "echo": Hostility(lambda: (echo,), "400"),
    "echo as data": Hostility(lambda: (lambda r: Reply(body=echo(r).body),), ""),
    "reset in the body": transient(Reply(body=_BODY, reset_after=9)),
    "hung up in the body": transient(Reply(body=_BODY, hang_up_after=9)),
    "no answer at all": transient(Reply(reset_after=-1)),
    "cut JSON": permanent(Reply(body=_BODY[:-9]), "JSON"),
    "a page": permanent(Reply(body=b"<html>Welcome</html>", content_type="text/html"), "page"),
    "an error as a success": permanent(Reply.json({"error": "limit reached"}), "limit reached"),
    "another charset": permanent(
        Reply(body=b"ts;value;\xff\n", content_type="text/csv; charset=utf-8"),
        "is not utf-8",
        "HttpCsvPlugin",
    ),
    "a circle": Hostility(lambda: (lambda r: Reply.redirect(r.target),), "circle"),
    "out of the web": Hostility(lambda: (lambda r: Reply.redirect("ftp:" + r.path),), "http"),
    "a byte now and then": Hostility(
        lambda: (Reply(body=trickle(), pause=0.2),),
        "did not answer within",
        keys={"timeout": "2 s"},
    ),
    "too much, announced": Hostility(lambda: (Reply(body=bytes(257 * MIB)),), "larger than 256"),
    "2 GB unannounced": Hostility(lambda: (Reply(body=endless()),), "larger than 256"),
    "a bomb of gzip": Hostility(
        lambda: (Reply(body=gzip_bomb(), headers={"Content-Encoding": "gzip"}),),
        "larger than 256",
    ),
    "cut gzip": transient(Reply(body=_GZIPPED[:-9], headers={"Content-Encoding": "gzip"})),
    "an unknown packing": permanent(
        Reply(body=b"x", headers={"Content-Encoding": "br"}), "asked for"
    ),
    "a bomb of XML": permanent(
        Reply(body=_BOMB, content_type="text/xml"), "Forbidden", "HttpXmlPlugin"
    ),
    "an external entity": permanent(
        Reply(body=_EXTERNAL, content_type="text/xml"), "Forbidden", "HttpXmlPlugin"
    ),
}
