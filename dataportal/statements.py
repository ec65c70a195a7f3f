"""Reads what an answer states of a series besides its points. Pure.

Beside the columns of a series a plugin may say: `unit`, `resolutions`, `published_zone`, which
points are not of this series (`withdrawn`), and how points were read before it was mended
(`reread`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from dataportal.errors import BadDataError
from dataportal.granularity import interval_length
from dataportal.raw_points import short_repr
from dataportal.redaction import harmless
from dataportal.resolutions import Resolution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Key: TypeAlias = tuple[datetime, datetime | None]
"""The ts of a point, and its time of publication where it has one."""
Reread: TypeAlias = Callable[[datetime, datetime | None], Key | None]
"""Where a point that is stored under this key is stored today; None for one that is not moved."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What an answer states of one series.

    Attributes:
        unit: of its values, as it is written there.
        other_units: further ones that some of its values are in.
        resolutions: how long its intervals are, in order.
        published_zone: the zone of whose days the provider publishes.
        withdrawn: times whose values are not of this series, though they may be stored.
        why: why they are not; it goes on after "as".
        reading: by which reading of its provider it is to be stored; rises when one is mended.
        reread: how keys of the reading before are mended.
    """

    unit: str | None = None
    other_units: Sequence[str] = ()
    resolutions: Sequence[Resolution] = ()
    published_zone: str | None = None
    withdrawn: Sequence[datetime] = ()
    why: str = ""
    reading: int = 1
    reread: Reread | None = None


def statement(raw: Mapping[str, Any], name: str) -> Statement | None:
    """What an answer states of the series `name`, by `raw_points.STATED`; None for nothing.

    Raises:
        BadDataError: it states something in a way that is not understood.
    """
    if not raw:
        return None
    withdrawn = raw.get("withdrawn") or {"ts": [], "reason": ""}
    reading, reread = raw.get("reread") or (1, None)
    units = _units(raw.get("unit"), name)
    return Statement(
        unit=units[0] if units else None,
        other_units=units[1:],
        resolutions=_resolutions(raw.get("resolutions") or (), name),
        published_zone=_text(raw.get("published_zone"), "published_zone", name),
        withdrawn=withdrawn["ts"],
        why=harmless(withdrawn["reason"], 200),
        reading=reading,
        reread=reread,
    )


def same_unit(unit: str, other: str) -> bool:
    """Whether two texts are spellings of one unit: case and spaces make no difference."""
    return _spelling(unit) == _spelling(other)


def _spelling(unit: str) -> str:
    return "".join(unicodedata.normalize("NFKC", unit).casefold().split())


def _units(raw: object, name: str) -> list[str]:
    """One unit or several, without other spellings of the same."""
    units: list[str] = []
    for item in raw if isinstance(raw, list | tuple | set | frozenset) else [raw]:
        unit = _text(item, "unit", name)
        if unit is not None and not any(same_unit(unit, known) for known in units):
            units.append(unit)
    return units


def _text(text: object, key: str, name: str) -> str | None:
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise BadDataError(f"series {name!r}: {key} must be a text, not {short_repr(text)}")
    return harmless(text.strip(), 100) or None


def _resolutions(raw: object, name: str) -> list[Resolution]:
    """Pairs of a time and of a length, such as PT15M."""
    try:
        pairs: list[Any] = [(_instant(ts), interval_length(length)) for ts, length in raw]  # type: ignore[attr-defined]  # whatever it is
    except (TypeError, ValueError, AttributeError, OverflowError):
        pairs = [(None, None)]
    if any(None in pair for pair in pairs):
        raise BadDataError(
            f"series {name!r}: resolutions must be pairs of a time in UTC and a length such as "
            f"PT15M, not {short_repr(raw)}"
        )
    return sorted((Resolution(ts, length) for ts, length in pairs), key=lambda pair: pair.ts_from)


def _instant(raw: object) -> datetime | None:
    ts = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
    if not isinstance(ts, datetime) or ts.tzinfo is None:
        return None
    return ts.astimezone(UTC)
