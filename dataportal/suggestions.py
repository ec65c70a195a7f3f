"""Suggests the name that somebody may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?` with the known names that resemble it; `otherwise` where none does."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    close = get_close_matches(name, names) or [n for n in names if name and name in n][:3]
    if not close:
        return otherwise
    return f"Did you mean {' or '.join(repr(n) for n in close)}?"
