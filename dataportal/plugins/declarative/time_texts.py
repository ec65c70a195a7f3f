"""Writes times of an answer anew, such as the local day of an instant. Pure."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from dataportal.times import time_zone

if TYPE_CHECKING:
    from collections.abc import Sequence


class TimeText:
    """How times are written anew.

    Args:
        text: as `strftime` has it; after an `@` the zone in which instants are written, else they
            keep their own offset.

    Raises:
        ValueError: no format, or a zone that there is not.
    """

    def __init__(self, text: str) -> None:
        self._pattern, _, zone = text.partition("@")
        if "%" not in self._pattern:
            raise ValueError(
                f"{text!r} must be as strftime writes it, such as %Y-%m-%d@Europe/Paris"
            )
        self._zone = time_zone(zone) if zone else None
        if "@" in text and not zone:
            raise ValueError(f"{text!r} has no time zone after the @")

    def write_all(self, cells: Sequence[Any]) -> list[Any]:
        """The cells that are times in ISO 8601, written anew; any other as it is."""
        texts: dict[Any, Any] = {}
        for cell in cells:
            if isinstance(cell, str | date) and cell not in texts:
                texts[cell] = self._write(cell)
        return [texts.get(cell, cell) if isinstance(cell, str | date) else cell for cell in cells]

    def _write(self, cell: str | date) -> Any:
        if isinstance(cell, date):
            ts = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
        else:
            try:
                ts = datetime.fromisoformat(cell.strip())
            except ValueError:
                return cell
        if self._zone is not None and ts.tzinfo is not None:
            ts = ts.astimezone(self._zone)
        return ts.strftime(self._pattern)
