"""Finds times that stand in one cell each, and what stands beside them: offsets, zones, flags."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dataportal.drafts.time_columns import DAY, HOUR, is_offset, step_of, text_of
from dataportal.drafts.vocabulary import DST, END, PUBLISHED, START, UTC_WORDS
from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from dataportal.drafts.rows import Column, RowSet
    from dataportal.drafts.time_columns import TimeGuess

_ABBREVIATION = re.compile(
    r"[ECMPAHKB](?:[SD]T)|AK[SD]T|CES?T|EES?T|WES?T|MES?Z|BST|GMT|AE[SD]T|NZ[SD]T"
)


_ZONES = {
    **dict.fromkeys(("EST", "EDT"), "America/New_York"),
    **dict.fromkeys(("CST", "CDT"), "America/Chicago"),
    **dict.fromkeys(("MST", "MDT"), "America/Denver"),
    **dict.fromkeys(("PST", "PDT"), "America/Los_Angeles"),
    **dict.fromkeys(("AKST", "AKDT"), "America/Anchorage"),
    **dict.fromkeys(("CET", "CEST"), "Europe/Berlin"),
    **dict.fromkeys(("EET", "EEST"), "Europe/Helsinki"),
    **dict.fromkeys(("BST", "GMT"), "Europe/London"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    **dict.fromkeys(("NZST", "NZDT"), "Pacific/Auckland"),
}
"""A zone with such clocks, by the names that its hours have."""


_ZONE_NAME = re.compile(r"[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?")


@dataclass(slots=True)
class TimeRole:
    """Where times stand.

    Attributes:
        params: as an entry says it.
        columns: the places that they take.
        times: of each row.
        notes: why, by parameter.
        zone: that the answer names; empty for none.
        needs_zone: whether a time zone must be known.
        length: of the intervals, where it is known.
        score: how likely it is.
        keep: a column and a regular expression of rows that have times.
    """

    params: dict[str, Any]
    columns: list[Column]
    times: Sequence[datetime | None]
    notes: dict[str, str] = field(default_factory=dict)
    zone: str = ""
    needs_zone: bool = True
    length: timedelta | None = None
    score: float = 0.0
    strays: frozenset[str] = frozenset()
    main: Column | None = None


def distinct_count(times: Iterable[datetime | None]) -> int:
    """How many different times there are."""
    return len({ts for ts in times if ts is not None})


def single_columns(rows: RowSet) -> list[TimeRole]:
    """Times in one cell each, and what stands beside them: an offset, a flag."""
    guesses: list[tuple[Column, TimeGuess]] = [
        (column, guess)
        for column in rows.columns
        if (guess := column.times) is not None and column.name != "cell"
    ]
    roles = []
    for column, guess in guesses:
        role = _role_of(column, guess, rows)
        roles.append(role)
        if guess.has_offset or guess.pattern == "period":
            continue
        offset = _offset_column(rows, column)
        if offset is not None and guess.pattern != "unix":
            _join_offset(role, offset, guess)
    return roles


def _role_of(column: Column, guess: TimeGuess, rows: RowSet) -> TimeRole:
    params: dict[str, Any] = {"ts": column.place}
    notes: dict[str, str] = {
        "ts": f"{guess.distinct:,} different times, such as {_example(column, guess)}"
    }
    if guess.pattern:
        params["time_format"] = guess.pattern
        if guess.note:
            notes["time_format"] = guess.note
    role = TimeRole(
        params, [column], guess.times, notes, guess.zone, strays=guess.strays, main=column
    )
    role.needs_zone = not guess.has_offset
    words = set(column.words)
    if (
        role.needs_zone
        and not role.zone
        and (words & UTC_WORDS or column.name.lower().endswith("utc"))
    ):
        role.zone = "UTC"
        notes["timezone"] = f"the name of the column says so: {column.name}"
    if role.needs_zone and not role.zone:
        zone_beside(role, rows)
    role.score += name_score(column) - 2.0 * len(guess.strays) / max(guess.distinct, 1)
    role.score += 1.5 if guess.has_offset else 0.8 if role.zone == "UTC" else 0.0
    role.score -= 4.0 if guess.distinct < 2 <= rows.count else 0.0  # noqa: PLR2004 - a constant
    role.score -= 0.5 if column.beside is not None else 0.0
    if column.beside is not None and "parent" in column.beside:
        role.score -= 1.0
    if names_end(column):
        end_labels(role, f"the name of the column says so: {column.name}")
    elif guess.is_day is False:
        _ends_by_days(role, rows)
    flag_of_daylight(role, rows)
    is_gas_day = guess.is_day and {"gas", "day"} <= words and not guess.pattern
    if is_gas_day and rows.kind == "Json" and str(column.place).isidentifier():
        _begin_gas_days(role, column)
    return role


def _begin_gas_days(role: TimeRole, column: Column) -> None:
    """Gas days of Europe begin at six, by the clocks of Central Europe (Regulation 2017/459)."""
    role.params["ts"] = f"join('', [{column.place}, 'T06:00'])"
    role.notes["ts"] += "; a gas day begins at six"
    role.times = [None if ts is None else ts + 6 * HOUR for ts in role.times]
    if not role.zone:
        role.zone = "Europe/Berlin"
        role.notes["timezone"] = "gas days of Europe follow the clocks of Central Europe"


def _example(column: Column, guess: TimeGuess) -> str:
    return next(
        (text_of(cell) for cell, ts in zip(column.cells, guess.times, strict=True) if ts), ""
    )


def names_end(column: Column) -> bool:
    """Whether the name of a column says that its times are ends of intervals."""
    words, lower = set(column.words), column.name.lower()
    if words & START or any(part in lower for part in ("start", "begin")):
        return False
    return bool(words & END) or any(
        part in lower for part in ("intervalend", "periodend", "endtime")
    )


def names_start(column: Column) -> bool:
    """Whether it says that they are beginnings."""
    lower = column.name.lower()
    return bool(set(column.words) & START) or any(part in lower for part in ("start", "begin"))


def name_score(column: Column) -> float:
    """How much the name of a column says that its times are those of the values."""
    words = set(column.words)
    lower = column.name.lower()
    score = 0.0
    if words & PUBLISHED or any(
        word in lower for word in ("publi", "updat", "creat", "modif", "changed")
    ):
        score -= 4.0
    if words & {"debut", "fom"} and words & {"serie", "series"}:
        score -= 2.0
    if names_start(column):
        score += 0.6
    elif names_end(column):
        score -= 0.6
    if words & {"time", "timestamp", "datetime", "ts", "date", "period", "datum", "time_period"}:
        score += 0.5
    if column.name == "header":
        score += 3.0
    if words & {"raw", "2", "local", "ept", "lokal"}:
        score -= 0.4
    return score


def zone_beside(role: TimeRole, rows: RowSet) -> None:
    """A zone named by a column, or in the text before the table."""
    for column in rows.columns:
        texts = column.distinct
        if len(texts) == 1 and _ZONE_NAME.fullmatch(texts[0]) and _is_zone(texts[0]):
            role.zone = texts[0]
            role.notes["timezone"] = f"{column.name} says so"
            return
        if (
            len(texts) == 1
            and texts[0].upper() in {"UTC", "GMT"}
            and set(column.words)
            & {
                "tz",
                "timezone",
                "zone",
                "time",
                "abbreviation",
            }
        ):
            role.zone = "UTC"
            role.notes["timezone"] = f"{column.name} says {texts[0]}"
            return


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def end_labels(role: TimeRole, why: str) -> None:
    """Let the times name the ends of intervals, if their length is known."""
    step = role.length or step_of(role.times)
    if step is None or step > DAY:
        return
    from dataportal.times import format_duration

    role.params["period_end"] = format_duration(step)
    role.notes["period_end"] = f"times are ends of intervals: {why}"


def _ends_by_days(role: TimeRole, rows: RowSet) -> None:  # noqa: C901 - a branch for each way
    """A day beside the times may tell that midnight belongs to the day before."""
    step = step_of(role.times)
    if step is None or step >= DAY:
        return
    for column in rows.columns:
        guess = column.times
        if column in role.columns or guess is None or not guess.is_day:
            continue
        days: dict[datetime, list[datetime]] = {}
        for day, ts in zip(guess.times, role.times, strict=True):
            if day is not None and ts is not None:
                days.setdefault(day.replace(tzinfo=None), []).append(ts.replace(tzinfo=None))
        if not days or len(days) > guess.distinct:
            continue
        # labels of local time: from one step after midnight to midnight
        if all(
            min(labels) == day + step and max(labels) == day + DAY for day, labels in days.items()
        ):
            end_labels(role, f"those of a {column.name} end with midnight")
            return
    for column in rows.columns:
        # the same labels in local time, of which one tells it, and in UTC
        guess = column.times
        if column in role.columns or guess is None or guess.is_day or guess.distinct < 3:  # noqa: PLR2004
            continue
        if names_end(column):
            continue
        if len(guess.times) == len(role.times) and _is_shifted(guess.times, role.times):
            other = TimeRole({}, [column], guess.times, main=column)
            _ends_of_own_days(other, rows)
            if "period_end" in other.params:
                role.params["period_end"] = other.params["period_end"]
                role.notes["period_end"] = other.notes["period_end"]
                return


def _ends_of_own_days(role: TimeRole, rows: RowSet) -> None:
    step = step_of(role.times)
    for column in rows.columns:
        guess = column.times
        if step is None or guess is None or not guess.is_day or column in role.columns:
            continue
        days: dict[datetime, list[datetime]] = {}
        for day, ts in zip(guess.times, role.times, strict=True):
            if day is not None and ts is not None:
                days.setdefault(day.replace(tzinfo=None), []).append(ts.replace(tzinfo=None))
        if days and all(
            min(labels) == day + step and max(labels) == day + DAY for day, labels in days.items()
        ):
            end_labels(role, f"those of a {column.name} end with midnight")


def _is_shifted(times: Sequence[datetime | None], others: Sequence[datetime | None]) -> bool:
    """Whether both are the same times in two zones."""
    shifts = {
        a.replace(tzinfo=None) - b.replace(tzinfo=None)
        for a, b in zip(times, others, strict=True)
        if a is not None and b is not None
    }
    return 0 < len(shifts) <= 3 and all(abs(shift) <= 14 * HOUR for shift in shifts)  # noqa: PLR2004


def _offset_column(rows: RowSet, main: Column) -> Column | None:
    return next(
        (c for c in rows.columns if c is not main and c.beside is None and is_offset(c.cells)), None
    )


def _join_offset(role: TimeRole, offset: Column, guess: TimeGuess) -> None:
    """Put the offset of a field of its own behind the time."""
    pattern = guess.pattern or iso_pattern(role.columns[0], guess)
    if not pattern or "%" not in pattern:
        return
    role.params["ts"] = [role.columns[0].place, offset.place]
    role.params["time_format"] = f"{pattern} %z"
    role.notes["ts"] += f"; {offset.name} has the offset"
    reader = TimeFormat(f"{pattern} %z")
    texts = zip(role.columns[0].texts, offset.texts, strict=True)
    times = [reader.read(f"{text} {own}") for text, own in texts]
    role.times = [ts if isinstance(ts, datetime) else None for ts in times]
    role.columns.append(offset)
    role.needs_zone, role.score = False, role.score + 1.5
    role.zone = ""
    role.notes.pop("timezone", None)
    role.params.pop("dst", None)


def iso_pattern(column: Column, guess: TimeGuess) -> str:
    """What strptime calls a way to write ISO 8601."""
    text = _example(column, guess)
    match = re.fullmatch(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?(\.\d+)?", text)
    if match is None:
        return "%Y-%m-%d" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else ""
    seconds = ":%S" if match[2] else ""
    return f"%Y-%m-%d{match[1]}%H:%M{seconds}{'.%f' if match[3] else ''}"


def flag_of_daylight(role: TimeRole, rows: RowSet) -> None:
    """What tells the two hours of an autumn night apart."""
    if not role.needs_zone or role.zone == "UTC" or "dst" in role.params:
        return
    for column in rows.columns:
        if column in role.columns or column.beside is not None:
            continue
        valid = [ts is not None for ts in role.times]
        texts = [
            *dict.fromkeys(t for t, good in zip(column.texts, valid, strict=True) if good and t)
        ]
        if not 0 < len(texts) <= 2:  # noqa: PLR2004 - winter and summer
            continue
        are_zones = all(_ABBREVIATION.fullmatch(text) for text in texts)
        are_flags = {text.lower() for text in texts} <= {
            "y",
            "n",
            "true",
            "false",
            "0",
            "1",
            "yes",
            "no",
        }
        is_named = bool(set(column.words) & DST) or "dst" in column.name.lower()
        if are_zones and not role.zone:
            zone = next((name for text in texts if (name := _ZONES.get(text))), "")
            if zone:
                role.zone = zone
                role.notes["timezone"] = (
                    f"{column.name} says {' or '.join(texts)}; others have that too"
                )
        if are_zones or (are_flags and is_named):
            role.params["dst"] = column.place
            role.notes["dst"] = (
                f"{column.name} says {' or '.join(texts)}: it tells the doubled hour apart"
            )
            role.columns.append(column)
            return
    if main := role.main:
        marks = {text[-1] for text in main.texts if re.fullmatch(r".*\d[A-Z*]", text)}
        if len(marks) == 1 and not re.search("[A-Z*]", _example_text(role)):
            role.params["dst"] = {"second": marks.pop()}


def _example_text(role: TimeRole) -> str:
    return role.main.texts[0] if role.main is not None and role.main.texts else ""
