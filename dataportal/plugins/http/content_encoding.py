"""Reads bodies, and undoes their Content-Encoding, within limits.

In small steps, so that a bomb is stopped before it fills the memory.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any

import httpx

from dataportal.errors import BadDataError, TransientError
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
_STEP = MIB
"""No piece is larger than so many bytes; httpx would unfold all it has read at once."""
_ERROR_BODY_BYTES = 16 * 1024
_ERROR_BODY_SECONDS = 2.0


async def read_body(
    response: httpx.Response, *, url: str, host: str, max_bytes: int, method: str = "GET"
) -> bytes:
    """The whole body, unpacked.

    Args:
        response: whose headers have come.
        url: the address, fit to be shown.
        host: the host.
        max_bytes: how many it may have.
        method: how it was asked for.

    Raises:
        BadDataError: it has more, or cannot be unpacked.
        TransientError: it broke off.
    """
    too_large = BadDataError(
        f"the answer of {url} is larger than {max_bytes / MIB:g} MiB",
        hint="Ask for less at a time: set max_window in sources.yaml",
    )
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise too_large
    pieces, size = [], 0
    try:
        decoder = decoder_for(response.headers.get("content-encoding", ""))
        async for packed in response.aiter_raw():
            for piece in decoder.feed(packed):
                size += len(piece)
                if size > max_bytes:
                    raise too_large
                pieces.append(piece)
    except CannotUnpack as error:
        raise BadDataError(f"the answer of {url} cannot be unpacked: {error}") from None
    if not decoder.complete:
        raise TransientError(f"{host} broke off its answer to {method} {url}", host=host)
    return b"".join(pieces)


async def read_start(response: httpx.Response) -> bytes:
    """As much of an error's body as helps to understand it, if it comes soon."""
    start = b""
    try:
        decoder = decoder_for(response.headers.get("content-encoding", ""))
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            async for packed in response.aiter_raw():
                for piece in decoder.feed(packed):
                    start += piece[:_ERROR_BODY_BYTES]
                    if len(start) >= _ERROR_BODY_BYTES:
                        return start
    except (httpx.HTTPError, CannotUnpack, TimeoutError):
        return start
    return start


class CannotUnpack(Exception):  # noqa: N818 - the message goes on: "it is no gzip"
    """The body is not packed as its headers say, or in a way nobody asked for."""


class Plain:
    """A body that comes as it is."""

    @property
    def complete(self) -> bool:
        """Whether what was fed so far is a whole body."""
        return True

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """The pieces that so much more of the body unfolds to."""
        yield packed


class Gzip(Plain):
    """One gzip member or several, one after the other (RFC 1952)."""

    def __init__(self) -> None:
        self._member: Any = None

    @property
    def complete(self) -> bool:
        """Whether the last member has come to its end."""
        return self._member is None or bool(self._member.eof)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """The pieces that so much more of the body unfolds to.

        Raises:
            CannotUnpack: this is no gzip, or its checksum is wrong.
        """
        try:
            while packed:
                if self.complete:
                    if self._member is not None and packed[:1] != b"\x1f":
                        return  # padding after the end, which gzip ignores too
                    self._member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
                piece = self._member.decompress(packed, _STEP)
                while piece:
                    yield piece
                    piece = self._member.decompress(self._member.unconsumed_tail, _STEP)
                packed = self._member.unused_data
        except zlib.error:
            raise CannotUnpack("it is no gzip, or a damaged one") from None


def decoder_for(encoding: str) -> Plain:
    """What unpacks a body with this Content-Encoding.

    Raises:
        CannotUnpack: neither gzip nor nothing, the only two that are asked for.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return Plain()
    if name in {"gzip", "x-gzip"}:
        return Gzip()
    raise CannotUnpack(f"{harmless(encoding, 40)!r} was not asked for")
