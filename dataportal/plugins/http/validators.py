"""What a server says by which it can recognise an answer, where that is beyond doubt."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from dataportal.validators import Validator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_LONGEST = 256
_QUIET = timedelta(minutes=1)
"""A date of modification names one state only if the file had rested: it counts whole seconds."""
# what every request of this program has, and always in the same way
_OURS = {
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "host",
    "origin",
    "user-agent",
}


def request_key(url: str, headers: Mapping[str, str]) -> str:
    """What identifies a request, without telling its secrets: address and headers, hashed."""
    lines = [url, *sorted(f"{name.lower()}: {value}" for name, value in headers.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def validator_of(
    headers: Mapping[str, str], *, sent: Mapping[str, str], now: datetime
) -> Validator | None:
    """The validator of an answer; None if there is none that is beyond doubt.

    Not a weak ETag, which may stay while the content changes; not a date that is less than a minute
    old; not where the answer depends on more than the request (`Vary`).

    Args:
        headers: of the answer, names in lower case.
        sent: the headers of the request beside those that all have.
        now: the time.
    """
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    if not varies <= _OURS | {name.lower() for name in sent}:
        return None
    etag = headers.get("etag", "").strip()
    if _is_strong(etag):
        return Validator(since=now, etag=etag)
    modified = headers.get("last-modified", "").strip()
    if modified and len(modified) <= _LONGEST and _had_rested(modified, headers.get("date", "")):
        return Validator(since=now, modified=modified)
    return None


def _is_strong(etag: str) -> bool:
    inner = etag[1:-1]
    return (
        len(etag) <= _LONGEST
        and len(etag) > len('""')
        and etag[0] == etag[-1] == '"'
        and inner.isascii()
        and inner.isprintable()
        and '"' not in inner
    )


def _had_rested(modified: str, date: str) -> bool:
    try:
        return parsedate_to_datetime(date) - parsedate_to_datetime(modified) >= _QUIET
    except (TypeError, ValueError):
        return False
