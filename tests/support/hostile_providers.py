"""What providers do to the program: one entry for each way, and what must come of it."""

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
_PACKED = gzip.compress(_BODY)
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
    """One way.

    Attributes:
        replies: made anew for each test; the last one stays.
        said: stands in the run's error; None where the run succeeds in the end.
        asked: how often the provider was asked.
        plugin: which of the HTTP plugins asks.
        keys: further keys of the source.
        code: the exit code.
    """

    replies: Callable[[], tuple[Reply | Callable[[Request], Reply], ...]]
    said: str | None
    asked: int = 1
    plugin: str = "HttpJsonPlugin"
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """The exit code that the run must end with."""
        return 0 if self.said is None else 3


def retried(*replies: Reply) -> Hostility:
    """What may pass, and does."""
    return Hostility(lambda: (*replies, GOOD), None, asked=len(replies) + 1)


def final(reply: Reply, said: str, plugin: str = "HttpJsonPlugin") -> Hostility:
    """What asking again would not mend."""
    return Hostility(lambda: (reply,), said, plugin=plugin)


def after(seconds: float) -> str:
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


def unfolding() -> Iterator[bytes]:
    """Ten megabytes of gzip that unfold to ten gigabytes."""
    packer = zlib.compressobj(level=9, wbits=31)
    member = packer.compress(bytes(10 * MIB)) + packer.flush()
    for _ in range(1024):
        yield member


def echo(request: Request) -> Reply:
    """Repeats the request in its error, keys and all, as some providers do."""
    said = {"headers": dict(request.headers), "query": dict(request.query), "at": request.target}
    return Reply(400, json.dumps(said).encode())


LONG = {"Retry-After": "3600"}
HOSTILITIES: dict[str, Hostility] = {
    "429 and seconds": retried(Reply(429, headers={"Retry-After": "1"})),
    "429 and a date": Hostility(
        lambda: (Reply(429, headers={"Retry-After": after(2)}), GOOD), None, asked=2
    ),
    "429 and an hour": Hostility(
        lambda: (Reply(429, headers=LONG), GOOD), "the next run tries again"
    ),
    "429 and rubbish": retried(Reply(429, headers={"Retry-After": "soon, perhaps"})),
    "500": retried(Reply(500)),
    "502 twice": retried(Reply(502), Reply(502)),
    "503 for ever": Hostility(lambda: (Reply(503),), "503", asked=3),
    "404": final(Reply(404), "404"),
    "401": final(Reply(401, b"no such key"), "Check the key"),
    "echo": Hostility(lambda: (echo,), "400"),
    "echo as data": Hostility(lambda: (lambda r: Reply(body=echo(r).body),), ""),
    "reset in the body": retried(Reply(body=_BODY, reset_after=9)),
    "hung up in the body": retried(Reply(body=_BODY, hang_up_after=9)),
    "no answer at all": retried(Reply(reset_after=-1)),
    "cut JSON": final(Reply(body=_BODY[:-9]), "JSON"),
    "a page": final(Reply(body=b"<html>Welcome</html>", content_type="text/html"), "page"),
    "an error as a success": final(Reply.json({"error": "limit reached"}), "limit reached"),
    "another charset": final(
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
        lambda: (Reply(body=unfolding(), headers={"Content-Encoding": "gzip"}),),
        "larger than 256",
    ),
    "cut gzip": retried(Reply(body=_PACKED[:-9], headers={"Content-Encoding": "gzip"})),
    "an unknown packing": final(Reply(body=b"x", headers={"Content-Encoding": "br"}), "asked for"),
    "a bomb of XML": final(
        Reply(body=_BOMB, content_type="text/xml"), "Forbidden", "HttpXmlPlugin"
    ),
    "an external entity": final(
        Reply(body=_EXTERNAL, content_type="text/xml"), "Forbidden", "HttpXmlPlugin"
    ),
}
