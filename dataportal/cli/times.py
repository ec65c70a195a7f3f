"""Reads the times that options take; an error names the option."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from dataportal.errors import UsageError
from dataportal.times import parse_instant

if TYPE_CHECKING:
    from dataportal.settings import Settings


class By(StrEnum):
    """Whose times a question goes by."""

    KNOWN = "known"
    PUBLISHED = "published"


def option_instant(
    option: str, text: str | None, settings: "Settings", *, now: datetime
) -> datetime | None:
    """The instant that the text of an option names; None where the option is missing.

    Raises:
        UsageError: not a time, and why.
    """
    if text is None:
        return None
    try:
        return parse_instant(text, zone=settings.zone, now=now)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def option_day(text: str | None) -> date | None:
    """The day that the text of an option names, if it is a bare date."""
    try:
        return None if text is None else date.fromisoformat(text.strip())
    except ValueError:
        return None


def option_window(
    start: str | None, end: str | None, settings: "Settings", *, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """The window that `--start` and `--end` name, open where one is missing.

    Raises:
        UsageError: one of them is not a time, or the window is empty.
    """
    first = option_instant("--start", start, settings, now=now)
    last = option_instant("--end", end, settings, now=now)
    if first is not None and last is not None and first >= last:
        raise UsageError(f"--start {start} does not lie before --end {end}")
    return first, last
