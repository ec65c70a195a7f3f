"""HTTP servers for benchmarks, one on every local address, each of which takes its time."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def json_reply(body: bytes) -> bytes:
    """An HTTP answer with this JSON."""
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def providers(reply: Callable[[bytes], bytes], wait: float) -> Iterator[int]:
    """The port that they answer on, at 127.0.0.1, 127.0.0.2 and so on.

    Args:
        reply: the whole answer to a request.
        wait: the seconds that each answer takes, however many are asked for at a time.
    """
    loop = asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(wait)
                writer.write(reply(request))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(answer, "0.0.0.0", 0))  # noqa: S104 - many addresses of this machine
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
