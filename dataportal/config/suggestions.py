"""Suggests the known key that an unknown one was probably meant to be."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def suggestion(key: str, known: Collection[str]) -> str:
    """The end of a message: `; did you mean …?`, or what is known."""
    if close := closest_match(key, known):
        return f"; did you mean {close!r}?"
    return f"; known are {', '.join(dict.fromkeys(known))}"


def closest_match(key: str, known: Collection[str], *, cutoff: float = 0.6) -> str | None:
    """The known key that resembles this one most; None where none does."""
    return next(iter(get_close_matches(key, list(known), n=1, cutoff=cutoff)), None)
