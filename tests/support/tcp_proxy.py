"""A TCP proxy between the program and its database that a test cuts, freezes or slows down.

Example:
    with Wire(database_url) as wire:
        run_cli("fetch", "load", env={"DATABASE_URL": wire.url})
        wire.cut()      # both sides see the connection end
        wire.freeze()   # both sides are connected still, and nothing arrives any more
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg.conninfo

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_TICK = 0.02  # seconds between two looks at what the test wants
_BLOCK = 65536
_FAREWELL = b"X\0\0\0\4"  # a client's last message, which nobody answers


class Wire:
    """Hands bytes on in both directions while it is entered.

    Args:
        url: the database's.
        delay: seconds for which each block of bytes is held up.
        greeting: a message of the server that is put in as a session begins, after the first one
            that says that a parameter has a value.

    Attributes:
        connections: how many were made.
        round_trips: how often the client began to speak after the server had spoken, or first,
            and awaited an answer.
    """

    def __init__(self, url: str, *, delay: float = 0.0, greeting: bytes = b"") -> None:
        self._target = url
        self._delay = delay
        self._greeting = greeting
        self._moving = threading.Event()
        self._moving.set()
        self._ending = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_TICK)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.connections = 0
        self.round_trips = 0

    @property
    def url(self) -> str:
        """The database's URL by way of this proxy."""
        parameters: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(self._target)
        host, port = self._listener.getsockname()
        password = f":{parameters['password']}" if parameters.get("password") else ""
        return f"postgresql://{parameters['user']}{password}@{host}:{port}/{parameters['dbname']}"

    def cut(self) -> None:
        """Reset every connection there is; new ones are served."""
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):  # it has ended by itself
                    # a linger of no seconds makes the close a reset
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()
        self._pairs.clear()

    def freeze(self) -> None:
        """Hand on nothing any more, and close nothing."""
        self._moving.clear()

    def thaw(self) -> None:
        """Go on, with everything that was held up."""
        self._moving.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                ours, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            pair = (ours, self._connect())
            self._pairs.append(pair)
            threading.Thread(target=self._serve, args=pair, daemon=True).start()

    def _connect(self) -> socket.socket:
        parameters: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(self._target)
        host, port = parameters.get("host", "127.0.0.1"), int(parameters.get("port", 5432))
        if host.startswith("/"):
            end = socket.socket(socket.AF_UNIX)
            end.connect(str(Path(host, f".s.PGSQL.{port}")))
            return end
        return socket.create_connection((host, port))

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        opposite = {client: server, server: client}
        spoke_last = server
        greeting = self._greeting
        try:
            while not self._ending.is_set():
                if not self._moving.wait(_TICK):
                    continue
                for end in select.select([client, server], [], [], _TICK)[0]:
                    block = end.recv(_BLOCK)
                    if not self._moving.is_set():
                        self._moving.wait()
                    if self._delay and self._ending.wait(self._delay):
                        return
                    if not block:
                        client.close()
                        server.close()
                        return
                    if end is client and spoke_last is server and block != _FAREWELL:
                        self.round_trips += 1
                    spoke_last = end
                    # the ones after the password is accepted begin so
                    place = block.find(b"S\0\0\0") if end is server and greeting else -1
                    if place >= 0:
                        block = block[:place] + greeting + block[place:]
                        greeting = b""
                    opposite[end].sendall(block)
        except (OSError, ValueError):  # a socket that was cut or has ended
            client.close()
            server.close()


def in_schema(url: str, schema: str) -> str:
    """The URL with which everything happens in that schema."""
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=f"{query}options=-csearch_path%3D{schema}").geturl()
