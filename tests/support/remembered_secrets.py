"""Isolates the secrets that a process remembers to mask, which all its tests share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataportal import redaction

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def only_secrets(*secrets: str | None) -> Iterator[None]:
    """Inside, these are all that is remembered; afterwards, what was before."""
    before = set(redaction._secrets)
    redaction._secrets.clear()
    try:
        for secret in secrets:
            redaction.remember_secret(secret)
        yield
    finally:
        redaction._secrets.clear()
        redaction._secrets.update(before)
