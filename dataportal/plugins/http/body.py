"""Reads the body of an answer, unpacked and within limits."""

from __future__ import annotations

import asyncio

import httpx

from dataportal.errors import BadDataError, TransientError
from dataportal.plugins.http.content_encoding import CannotUnpack, unpacking

MIB = 1024 * 1024
_ERROR_BODY_BYTES = 16 * 1024
_ERROR_BODY_SECONDS = 2.0


async def whole_body(response: httpx.Response, *, url: str, host: str, most: int) -> bytes:
    """The body, unpacked.

    Args:
        response: whose headers have come.
        url: the address, fit to be shown.
        host: the host.
        most: bytes that it may have.

    Raises:
        BadDataError: it has more, or cannot be unpacked.
        TransientError: it broke off.
    """
    too_large = BadDataError(
        f"the answer of {url} is larger than {most / MIB:g} MiB",
        hint="Ask for less at a time: set max_window in sources.yaml",
    )
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_large
    pieces, size = [], 0
    try:
        unpack = unpacking(response.headers.get("content-encoding", ""))
        async for packed in response.aiter_raw():
            for piece in unpack.feed(packed):
                size += len(piece)
                if size > most:
                    raise too_large
                pieces.append(piece)
    except CannotUnpack as error:
        raise BadDataError(f"the answer of {url} cannot be unpacked: {error}") from None
    if not unpack.complete:
        raise TransientError(f"{host} broke off its answer to GET {url}", host=host)
    return b"".join(pieces)


async def first_bytes(response: httpx.Response) -> bytes:
    """As much of an error's body as helps to understand it, if it comes soon."""
    start = b""
    try:
        unpack = unpacking(response.headers.get("content-encoding", ""))
        async with asyncio.timeout(_ERROR_BODY_SECONDS):
            async for packed in response.aiter_raw():
                for piece in unpack.feed(packed):
                    start += piece[:_ERROR_BODY_BYTES]
                    if len(start) >= _ERROR_BODY_BYTES:
                        return start
    except (httpx.HTTPError, CannotUnpack, TimeoutError):
        return start
    return start
