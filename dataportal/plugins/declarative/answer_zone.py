"""Finds the offset or the zone that an answer states for all of its local times."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Annotated, Any

from dataportal.plugins.parameters import Parameters, about
from dataportal.plugins.readers.utc_offsets import read_utc_offset
from dataportal.times import time_zone

if TYPE_CHECKING:
    from datetime import tzinfo

    from dataportal.plugins.declarative.records import Document, Reader
    from dataportal.plugins.readers.parameters import Params

_HEADER = "header:"


class ZoneParameters(Parameters):
    """Where an answer says of what clocks its local times are."""

    utc_offset: Annotated[
        str,
        about(
            "the place in the answer of the offset of all its local times (seconds, or +01:00), in "
            "place of the source's `timezone`; `header:NAME` is a header"
        ),
    ] = ""
    zone_from: Annotated[
        str, about("the place in the answer of the name of their zone, likewise")
    ] = ""


class AnswerZone:
    """Where the local times of an answer are, from one of two parameters.

    It comes before the `timezone` of the source; a time with an offset of its own keeps it.
    """

    def __init__(self, params: Params) -> None:
        places = params.read(ZoneParameters)
        offset, zone = places.utc_offset, places.zone_from
        if offset and zone:
            params.add_fault("give either utc_offset or zone_from")
        self._path = offset or zone
        self._is_name = bool(zone)

    def faults(self, reader: Reader) -> list[str]:
        """What is wrong with the place, given what reads the answers."""
        if not self._path or self._path.startswith(_HEADER):
            return []
        try:
            reader.check_document_path(self._path)
        except ValueError as error:
            return [f"{'zone_from' if self._is_name else 'utc_offset'}: {error}"]
        return []

    def read(self, document: Document) -> tzinfo | None:
        """What the answer states; None where it is not asked.

        Raises:
            BadDataError: it states nothing there, or no offset or zone.
        """
        if not self._path:
            return None
        what = "zone's name" if self._is_name else "offset from UTC"
        value: Any = None
        try:
            value = self._find(document)
            if self._is_name:
                if not isinstance(value, str):
                    raise ValueError  # noqa: TRY301 - as what is no zone
                return time_zone(value.strip())
            return timezone(read_utc_offset(value))
        except ValueError:
            pass
        raise document.answer.bad(f"has no {what} at {self._path!r}, but {str(value)[:60]!r}")

    def _find(self, document: Document) -> Any:
        if self._path.startswith(_HEADER):
            name = self._path.removeprefix(_HEADER).strip()
            return document.answer.headers.get(name.lower())
        return document.find(self._path)
