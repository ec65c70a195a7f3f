"""A real HTTP server on 127.0.0.1 for tests, which lay its answers out beforehand.

Example:
    with LocalServer() as server:
        server.answer("/prices", Reply(503, headers={"Retry-After": "3"}), Reply.json([]))
        ...
        assert [request.path for request in server.requests] == ["/prices", "/prices"]
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping
    from email.message import Message
    from types import TracebackType
    from typing import Any, Self

_PATIENCE = 30.0  # seconds after which a test that waits in vain fails


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked; header names in lower case."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    target: str
    """Path and query as they stood in the request line."""
    method: str = "GET"
    body: bytes = b""
    """Of a POST request."""

    @property
    def form(self) -> Mapping[str, list[str]]:
        """The fields of its body, if that is a form."""
        return parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def json(self) -> Any:
        """Its body, if that is JSON."""
        return msgspec.json.decode(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Args:
        status: the status code.
        body: the whole body, or its pieces, which are sent as they come, chunked.
        headers: beside Content-Length (or Transfer-Encoding) and Content-Type.
        content_type: of the body.
        reset_after: send so many bytes of the body, then reset the connection; 0 sends the headers
            alone, -1 nothing at all.
        hang_up_after: the same, but with an ordinary close.
        hold: wait for this event before answering; the server's end lets go as well.
        pause: seconds between two pieces of the body.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    reset_after: int | None = None
    hang_up_after: int | None = None
    hold: threading.Event | None = None
    pause: float = 0.0

    @classmethod
    def json(cls, content: Any, status: int = 200) -> Reply:
        """The content as a JSON document."""
        return cls(status, msgspec.json.encode(content))

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Reply:
        """Sends the client to another place."""
        return cls(status, headers={"Location": location})


class LocalServer:
    """Serves on a free port of 127.0.0.1 while it is entered.

    Args:
        tls: serve https with this context.
        otherwise: answers what no other answer was laid out for; by default with 404.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        otherwise: Callable[[Request], Reply] | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self._otherwise = otherwise or _not_found
        self._replies: dict[str, list[Reply | Callable[[Request], Reply]]] = {}
        self._counts: dict[str, int] = defaultdict(int)
        self._changed = threading.Condition()
        self.ending = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address without a slash at the end."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def answer(self, path: str, *replies: Reply | Callable[[Request], Reply]) -> str:
        """Let `path` be answered so, one after the other; the last one stays. Returns the URL."""
        with self._changed:
            self._replies[path] = list(replies)
            self._counts[path] = 0
        return self.url + path

    def asked(self, path: str) -> int:
        """How many requests came for this path."""
        return sum(request.path == path for request in list(self.requests))

    def wait_for(self, path: str, count: int = 1, patience: float = _PATIENCE) -> Request:
        """The request number `count` for this path, as soon as it is there.

        Raises:
            TimeoutError: it did not come.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.asked(path) >= count, patience):
                raise TimeoutError(f"{path} was asked {self.asked(path)} times, not {count}")
            return [request for request in self.requests if request.path == path][count - 1]

    def reply(self, request: Request) -> Reply:
        """The next answer to a request, which is noted."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            replies = self._replies.get(request.path, [self._otherwise])
            position = min(self._counts[request.path], len(replies) - 1)
            self._counts[request.path] += 1
            reply = replies[position]
        return reply if isinstance(reply, Reply) else reply(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _not_found(request: Request) -> Reply:
    del request
    return Reply(404, b"nothing here", content_type="text/plain")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: LocalServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients that go away in the middle are what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # head and body are written apart, and must not wait for each other
    disable_nagle_algorithm = True
    timeout = _PATIENCE
    # headers and body are two writes: the second would wait for an acknowledgement of the first
    server: _Server

    def do_GET(self) -> None:
        """Answers as the test laid out."""
        self._respond(b"")

    def do_POST(self) -> None:
        """Answers as the test laid out."""
        self._respond(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _respond(self, body: bytes) -> None:
        parts, headers = urlsplit(self.path), _lower(self.headers)
        reply = self.server.owner.reply(
            Request(parts.path, parse_qs(parts.query), headers, self.path, self.command, body)
        )
        ending = self.server.owner.ending
        while reply.hold is not None and not reply.hold.wait(0.02) and not ending.is_set():
            pass
        cut = reply.reset_after if reply.reset_after is not None else reply.hang_up_after
        if cut is None or cut >= 0:
            # an answer has one Date, and a test may lay it out
            respond = self.send_response_only if "Date" in reply.headers else self.send_response
            respond(reply.status)
            self.send_header("Content-Type", reply.content_type)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self._send_body(reply, cut, ending)
        if cut is not None:
            self.close_connection = True
            if reply.reset_after is not None:
                # a linger of no seconds makes the close a reset
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _send_body(self, reply: Reply, cut: int | None, ending: threading.Event) -> None:
        if isinstance(reply.body, bytes):
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body if cut is None else reply.body[:cut])
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in reply.body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if reply.pause and ending.wait(reply.pause):
                return
        if cut is None:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Says nothing: the test looks at `requests`."""


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
