"""Times on the command line, with the name of the option that they were given to."""

from datetime import datetime
from typing import TYPE_CHECKING

from dataportal.errors import UsageError
from dataportal.times import parse_instant

if TYPE_CHECKING:
    from dataportal.settings import Settings


def instant(
    option: str, text: str | None, settings: "Settings", *, at: datetime
) -> datetime | None:
    """The instant that an option's text names; None where it was not given.

    Raises:
        UsageError: not a time, and why.
    """
    if text is None:
        return None
    try:
        return parse_instant(text, zone=settings.zone, now=at)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def window(
    start: str | None, end: str | None, settings: "Settings", *, at: datetime
) -> tuple[datetime | None, datetime | None]:
    """The half-open range of `--start` and `--end`.

    Raises:
        UsageError: one of them is not a time, or the range is empty.
    """
    first = instant("--start", start, settings, at=at)
    last = instant("--end", end, settings, at=at)
    if first is not None and last is not None and first >= last:
        raise UsageError(f"--start {start} does not lie before --end {end}")
    return first, last
