"""Unpacks bodies in small steps, so that a bomb is stopped before it fills the memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = 1024 * 1024
"""No piece is larger than so many bytes; httpx would unfold all it has read at once."""


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
                piece = self._member.decompress(packed, STEP)
                while piece:
                    yield piece
                    piece = self._member.decompress(self._member.unconsumed_tail, STEP)
                packed = self._member.unused_data
        except zlib.error:
            raise CannotUnpack("it is no gzip, or a damaged one") from None


def unpacking(encoding: str) -> Plain:
    """How to unpack a body with this Content-Encoding.

    Raises:
        CannotUnpack: neither gzip nor nothing, the only two that are asked for.
    """
    named = encoding.strip().lower()
    if named in {"", "identity"}:
        return Plain()
    if named in {"gzip", "x-gzip"}:
        return Gzip()
    raise CannotUnpack(f"{harmless(encoding, 40)!r} was not asked for")
