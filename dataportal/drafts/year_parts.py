"""Finds times of which the year stands in one column, and the month or the period in another."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from dataportal.drafts.day_parts import number_role, whole_numbers
from dataportal.drafts.grids import month_headers
from dataportal.drafts.rows import Column
from dataportal.drafts.time_columns import TimeGuess
from dataportal.drafts.time_roles import TimeRole
from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.drafts.rows import RowSet


_MONTHS = frozenset("month monat mes mois maand mm mo mese måned manad".split())  # noqa: SIM905 - words
_DAYS = frozenset("day tag dia jour dd dy día dag giorno".split())  # noqa: SIM905 - words


_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_MOST_ARE = 0.8
"""So many of the cells are years; the others are remarks."""


def years_with_parts(rows: RowSet) -> list[TimeRole]:
    """A year in one column, and in others the month, the day and the hour, or a period."""
    years = [
        column
        for column in rows.columns
        if column.name != "cell"
        and _share_of_years(column) > _MOST_ARE
        and (column.times is not None or not column.name)
    ]
    roles = []
    for year in years:
        for other in rows.columns:
            if other is year or other.name == "cell":
                continue
            role = _of_year(rows, year, other)
            if role is not None:
                roles.append(role)
    return roles


def _share_of_years(column: Column) -> float:
    texts = [text for text in column.texts if text]
    return sum(bool(_YEAR.fullmatch(text)) for text in texts) / len(texts) if texts else 0.0


def _of_year(rows: RowSet, year: Column, other: Column) -> TimeRole | None:
    texts = other.distinct
    if len(texts) < 1 or len(texts) > 400:  # noqa: PLR2004 - days of a year
        return None
    format_of_part = ""
    if month := month_headers(texts) if len(texts) > 5 else _month_names(texts):  # noqa: PLR2004
        format_of_part = month
    elif _counts(other, _MONTHS, 12) and _is_next(year, other, _MONTHS):
        format_of_part = "%m"
    elif all(re.fullmatch(r"[AQMWSHTB]\d{1,2}", text) for text in texts):
        return _period_role(rows, year, other)
    elif (match := re.fullmatch(r"([A-Za-z]+)(\d{1,2})", texts[0])) and sum(
        bool(re.fullmatch(rf"{match[1]}(?:0?[1-9]|1[0-3])", text)) for text in texts
    ) >= 0.6 * len(texts):
        format_of_part = f"{match[1]}%m"
    if not format_of_part:
        return None
    columns, pattern = [year, other], f"%Y {format_of_part}"
    for day in rows.columns if format_of_part == "%m" else ():
        if day not in columns and _counts(day, _DAYS, 31) and _is_next(other, day, _DAYS):
            return _with_hour(rows, [*columns, day], f"{pattern} %d")
    return join_columns(rows, columns, pattern)


def _counts(column: Column, words: frozenset[str], most: int) -> bool:
    """Whether a column of that name, or without one, has whole numbers from 1 to `most` alone."""
    if column.name and not set(column.words) & words:
        return False
    texts = column.distinct
    return bool(texts) and all(
        re.fullmatch(r"\d{1,2}", text) and 1 <= int(text) <= most for text in texts
    )


def _is_next(before: Column, column: Column, words: frozenset[str]) -> bool:
    """Whether a column has such a name, or stands without one behind the other."""
    if set(column.words) & words:
        return True
    places = before.place, column.place
    return all(isinstance(place, int) for place in places) and places[0] == column.place - 1  # type: ignore[operator]  # both are numbers


def _with_hour(rows: RowSet, columns: list[Column], pattern: str) -> TimeRole | None:
    """Year, month and day, and behind them an hour, a minute, or the number of an interval."""
    joined = [" ".join(texts) for texts in zip(*(column.texts for column in columns), strict=True)]
    day = Column("day", "day", joined)
    own = TimeFormat(pattern)
    times = [ts if isinstance(ts := own.read(text), datetime) else None for text in joined]
    guess = TimeGuess(pattern, times, frozenset(), is_day=True)
    best = join_columns(rows, columns, pattern)
    if best is None:
        return None
    for other in rows.columns:
        if other in columns or whole_numbers(other) is None:
            continue
        role = _clock_role(rows, columns, other, pattern)
        if role is None and (other.name or _is_next(columns[-1], other, frozenset())):
            role = _interval_role(rows, columns, day, guess, other)
        if role is not None and role.score > best.score:
            best = role
    return best


def _clock_role(
    rows: RowSet, columns: list[Column], other: Column, pattern: str
) -> TimeRole | None:
    """With an hour of a clock, and a minute where there is one."""
    hours = {number for number in whole_numbers(other) or () if number is not None}
    if not set(other.words) & {"hour", "hr", "hh", "hora", "heure"} or not hours <= {*range(24)}:
        return None
    minute = next(
        (
            column
            for column in rows.columns
            if set(column.words) & {"minute", "mn", "mi", "min"}
            and column not in columns
            and whole_numbers(column) is not None
        ),
        None,
    )
    if minute is None:
        return join_columns(rows, [*columns, other], f"{pattern} %H")
    return join_columns(rows, [*columns, other, minute], f"{pattern} %H %M")


def _interval_role(
    rows: RowSet, columns: list[Column], day: Column, guess: TimeGuess, other: Column
) -> TimeRole | None:
    """With the number of an interval."""
    role = number_role(rows, day, guess, other)
    if role is None:
        return None
    role.params["interval"]["day"] = [column.place for column in columns]
    role.columns = [*columns, *(column for column in role.columns if column is not day)]
    role.score += 1.0 + len(columns) * 0.3
    role.main = columns[0]
    role.strays = frozenset(
        text for text, ts in zip(role.main.texts, role.times, strict=True) if text and ts is None
    )
    return role


def _month_names(texts: Sequence[str]) -> str:
    lower = {text.lower() for text in texts}
    months = {"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
    full = {
        *("january", "february", "march", "april", "june", "july"),
        *("august", "september", "october", "november", "december"),
    }
    if lower <= months | {"may"} and lower & months:
        return "%b"
    return "%B" if lower <= full | {"may"} and lower & full else ""


def join_columns(rows: RowSet, columns: list[Column], pattern: str) -> TimeRole | None:
    """Columns that are a time together, with blanks between; None if most are none."""
    time_format = TimeFormat(pattern)
    texts = zip(*(column.texts for column in columns), strict=True)
    times = [
        ts if isinstance(ts := time_format.read(" ".join(t)), datetime) else None for t in texts
    ]
    if sum(ts is not None for ts in times) < 0.5 * rows.count:
        return None
    names = ", ".join(column.name or str(column.place) for column in columns)
    role = TimeRole(
        {"ts": [column.place for column in columns], "time_format": pattern},
        columns,
        times,
        {"ts": f"{names} together are the time"},
        main=columns[-1],
    )
    bad = [t for t, ts in zip(columns[-1].texts, times, strict=True) if ts is None and t]
    role.strays = frozenset(bad)
    role.score += 1.0 + len(columns) * 0.3
    return role


def _period_role(rows: RowSet, year: Column, part: Column) -> TimeRole | None:
    """A year and a period such as M10 or Q3."""
    time_format = TimeFormat("period")
    pairs = [*zip(year.texts, part.texts, strict=True)]
    times = [
        ts if isinstance(ts := time_format.read(f"{p} {y}"), datetime) else None for y, p in pairs
    ]
    if sum(ts is not None for ts in times) < 0.4 * rows.count:
        return None
    role = TimeRole(
        {"ts": [part.place, year.place], "time_format": "period"},
        [year, part],
        times,
        {"ts": f"{year.name} and {part.name} together are the period"},
        main=part,
    )
    role.strays = frozenset(p for (_, p), ts in zip(pairs, times, strict=True) if ts is None and p)
    role.score += 1.3
    return role
