"""Finds times of which the day stands in one place, and its hour or interval in another."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dataportal.drafts.rows import Column
from dataportal.drafts.time_columns import HOUR, in_other_order, read_clock
from dataportal.drafts.time_roles import (
    TimeRole,
    distinct_count,
    end_labels,
    flag_of_daylight,
    iso_pattern,
    name_score,
    zone_beside,
)
from dataportal.drafts.vocabulary import END, OF_INTERVALS, PUBLISHED, START, UTC_WORDS
from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from dataportal.drafts.rows import RowSet
    from dataportal.drafts.time_columns import TimeGuess

_LENGTHS = {
    **dict.fromkeys((23, 24, 25), HOUR),
    **dict.fromkeys((46, 48, 50), HOUR / 2),
    **dict.fromkeys((92, 96, 100), HOUR / 4),
    **dict.fromkeys((276, 288, 300), HOUR / 12),
}


def days_with_parts(rows: RowSet) -> list[TimeRole]:
    """A day in one column, and in another the time of day, or the number of the interval."""
    roles = []
    days = [
        (column, guess)
        for column in rows.columns
        if (guess := column.times) is not None
        and (guess.is_day or guess.pattern in {"%Y%m%d", "%d%m%Y"})
        and not set(column.words) & PUBLISHED
    ]
    texts_before = _day_in_text(rows)
    if texts_before is not None:
        days.append(texts_before)
    if not days and len(rows.days) == 1 and not any(c.times is not None for c in rows.columns):
        # nothing in the answer names the day, but what was asked does
        text = next(iter(rows.days)).isoformat()
        asked = Column("day", "day", [text] * rows.count, {"request": "{start:%Y-%m-%d}"})
        if asked.times is not None:
            days.append((asked, asked.times))
    for column, guess in days:
        for other in rows.columns:
            if other is column or other.name == "cell":
                continue
            role = _clock_role(rows, column, guess, other) or number_role(
                rows, column, guess, other
            )
            if role is not None:
                roles.append(role)
    return roles


def _day_in_text(rows: RowSet) -> tuple[Column, TimeGuess] | None:
    """A day that stands in the text before the table."""
    for shape in (r"\d\d/\d\d/\d{4}", r"\d{4}-\d\d-\d\d", r"\d\d\.\d\d\.\d{4}", r"\d{4}/\d\d/\d\d"):
        matches = [*re.finditer(rf"(?<![\d/.-])({shape})(?![\d/.-])", rows.before)]
        for match in reversed(matches):
            # the time of a report stands beside its day
            rest = rows.before[match.end() : match.end() + 12]
            if re.match(r"[\s,T-]{1,3}\d{1,2}:\d\d", rest):
                continue
            line_start = rows.before.rfind("\n", 0, match.start()) + 1
            around = rows.before[line_start : match.start()]
            from dataportal.drafts.text_tables import escape

            is_first = match.start() == matches[0].start()
            before = around[-1:] if around else ""
            pattern = f"({shape})"
            if not is_first:
                tail = rest[:1].strip()
                pattern = f"{escape(before)}{pattern}{escape(tail)}"
                first = re.search(pattern, rows.before)
                if first is None or first.start(1) != match.start():
                    continue
            column = Column("day", "day", [match[1]] * rows.count, {"text": pattern})
            guess = column.times
            if guess is not None and guess.is_day:
                return column, guess
    return None


def _clock_role(rows: RowSet, day: Column, guess: TimeGuess, other: Column) -> TimeRole | None:  # noqa: C901 - a branch for each way
    """A day and a time of day."""
    clock = read_clock(other.cells)
    if clock is not None and "%p" in clock and guess.note and "%d/%m" in guess.pattern:
        # where clocks have twelve hours, the month comes first
        guess = in_other_order(guess, day.cells) or guess
    pattern = guess.pattern or iso_pattern(day, guess)
    if not pattern or "%" not in pattern:
        if guess.pattern == "" and not any(isinstance(c, str) for c in day.cells):
            pattern = "%Y-%m-%d"
        else:
            return None
    is_hour = False
    marks: dict[str, Any] = {}
    if clock is None:
        hours = _hour_labels(other)
        if hours is None:
            return None
        clock, marks, is_hour = "%H", hours, True
    joined = f"{pattern} {clock}"
    is_iso = pattern == "%Y-%m-%d" and clock in {"%H:%M", "%H:%M:%S"} and not _has_24(other)
    time_format = TimeFormat("" if is_iso else joined)
    texts = [
        f"{day_text} {clock_text}"
        for day_text, clock_text in zip(_day_texts(day), other.texts, strict=True)
    ]
    mark = marks.get("second", "")
    read = [time_format.read(text.removesuffix(mark) if mark else text) for text in texts]
    times: list[datetime | None] = [ts if isinstance(ts, datetime) else None for ts in read]
    if (
        distinct_count(times) <= guess.distinct
        or sum(t is not None for t in times) < 0.5 * rows.count
    ):
        return None
    params: dict[str, Any] = {"ts": [day.place, other.place]}
    if not is_iso:
        params["time_format"] = joined
    role = TimeRole(
        params,
        [day, other],
        times,
        {"ts": f"{day.name} is the day, {other.name or other.place} the time of day"},
    )
    role.main = day
    role.strays = guess.strays
    role.zone = guess.zone
    if set(other.words) & UTC_WORDS or set(day.words) & UTC_WORDS:
        role.zone, role.notes["timezone"] = "UTC", f"the name of the column says so: {other.name}"
    if marks:
        role.params["dst"] = marks
        role.notes["dst"] = f"{mark} marks the second of two hours"
    words = set(other.words)
    ends = bool(words & END and not words & START) or _has_24(other)
    if ends:
        role.length = HOUR if is_hour else None
        end_labels(role, f"{other.name or other.place} is one of them")
    _note_day(role, day)
    role.score += 0.6 + name_score(day) + (0.4 if words & START else -0.2 if ends else 0.0)
    if not role.zone:
        zone_beside(role, rows)
    flag_of_daylight(role, rows)
    return role


def _note_day(role: TimeRole, day: Column) -> None:
    if day.beside is not None and "text" in day.beside:
        role.notes["fields.day"] = "the day stands before the table"
    if day.beside is not None and "request" in day.beside:
        role.params["each"] = "day"
        role.notes["fields.day"] = (
            "the answer does not say its day: it is the one that was asked for"
        )


def _day_texts(day: Column) -> list[str]:
    return [
        f"{cell:%Y-%m-%d}" if isinstance(cell, datetime) else text
        for cell, text in zip(day.cells, day.texts, strict=True)
    ]


def _has_24(column: Column) -> bool:
    return any(re.match("24(?::|$|00$)", text) for text in column.distinct)


def _hour_labels(column: Column) -> dict[str, Any] | None:
    """Hours of a clock as bare numbers, such as 01 to 24 and 02X; the marks of a doubled hour."""
    texts = column.distinct
    if not texts or not set(column.words) & {"hour", "hr", "he", "hours", "ending", "heure", "uhr"}:
        return None
    marked = [text for text in texts if re.fullmatch(r"\d{1,2}[A-Z*]", text)]
    plain = [text for text in texts if re.fullmatch(r"\d{1,2}", text)]
    if len(plain) + len(marked) < len(texts) or not plain:
        return None
    is_ending = bool(set(column.words) & END)
    most = max(map(int, plain))
    if most > 24 or not (marked or is_ending):  # noqa: PLR2004 - hours of a clock
        return None
    return {"second": marked[0][-1]} if marked else {}


def number_role(rows: RowSet, day: Column, guess: TimeGuess, other: Column) -> TimeRole | None:  # noqa: C901, PLR0912, PLR0915 - a branch for each way
    """A day and the number of an interval in it, by itself or of an hour and its part."""
    numbers = whole_numbers(other)
    if numbers is None:
        return None
    known = [n for n in numbers if n is not None]
    first, most = min(known), max(known)
    words = set(other.words)
    if first not in (0, 1) or most > 300:  # noqa: PLR2004 - seconds are no intervals
        return None
    is_only = first == most and bool(words & {"hour", "hr", "period", "interval"})
    if most < 2 and not is_only:  # noqa: PLR2004 - a flag
        return None
    named = bool(words & OF_INTERVALS) or any(w in other.name for w in ("コマ", "時間", "時刻"))
    by_day: dict[Any, set[int]] = {}
    for ts, number in zip(guess.times, numbers, strict=True):
        if ts is not None and number is not None:
            by_day.setdefault(ts, set()).add(number)
    runs = [
        sorted(own) == [*range(first, first + len(own))] for own in by_day.values() if len(own) > 1
    ]
    if not is_only and (not runs or sum(runs) < 0.5 * len(runs)):
        return None
    longest = max(map(len, by_day.values()))
    length = _LENGTHS.get(longest)
    if not named and length is None and other.name != "header":
        return None
    part = None
    if length is None:
        length = HOUR if longest <= 25 else HOUR / 2 if longest <= 50 else HOUR / 4  # noqa: PLR2004
    if longest <= 25:  # noqa: PLR2004 - hours
        part = _part_of_hour(rows, day, other)
    numbered: list[Any] = [other.place]
    note = f"{other.name or other.place} counts the intervals of a day from {first} to {most}"
    if part is not None:
        column, per_hour = part
        length = HOUR / per_hour
        numbered.append(column.place)
        note = f"{other.name} counts hours, and {column.name} the {per_hour} parts of each"
    from dataportal.times import format_duration

    interval: dict[str, Any] = {
        "day": day.place,
        "number": numbered if part is not None else other.place,
        "length": format_duration(length),
    }
    if first == 0:
        interval["first"] = 0
    params: dict[str, Any] = {"interval": interval}
    if guess.pattern:
        params["time_format"] = guess.pattern
    times: list[datetime | None] = []
    parts = whole_numbers(part[0]) if part is not None else None
    for row, (ts, number) in enumerate(zip(guess.times, numbers, strict=True)):
        if ts is None or number is None:
            times.append(None)
            continue
        position = number - first
        if parts is not None and part is not None:
            position = position * part[1] + (parts[row] or 1) - 1
        times.append(ts + position * length)
    role = TimeRole(params, [day, other], times, {"interval": note}, length=length, main=day)
    if part is not None:
        role.columns.append(part[0])
    role.strays = guess.strays
    role.needs_zone = True
    _note_day(role, day)
    role.score += (
        0.7 + name_score(day) + (0.3 if named else 0.0) + (0.5 if longest in _LENGTHS else 0.0)
    )
    role.score += 0.5 if part is not None else 0.0
    if not role.zone:
        zone_beside(role, rows)
    return role


def whole_numbers(column: Column) -> list[int | None] | None:
    """The whole numbers of a column, of three digits at most; None if most cells are none."""
    numbers: list[int | None] = []
    filled = 0
    for text in column.texts:
        if re.fullmatch(r"\d{1,3}", text):
            numbers.append(int(text))
            filled += 1
        else:
            numbers.append(None)
    return numbers if filled >= 0.8 * len(numbers) and filled > 1 else None


def _part_of_hour(rows: RowSet, day: Column, hour: Column) -> tuple[Column, int] | None:
    """A column that counts the parts of each hour from 1."""
    for column in rows.columns:
        if column in (day, hour):
            continue
        words = set(column.words)
        numbers = whole_numbers(column)
        if numbers is None or not words & {
            "interval",
            "quarter",
            "part",
            "qtr",
            "minute",
            "delivery",
        }:
            continue
        distinct = {n for n in numbers if n is not None}
        if len(distinct) in (2, 4, 12) and distinct == {*range(1, len(distinct) + 1)}:
            return column, len(distinct)
    return None
