"""Finds times of which the year stands in one column, and the month or the period in another."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from dataportal.drafts.day_parts import number_role, whole_numbers
from dataportal.drafts.grids import month_headers
from dataportal.drafts.rows import Column
from dataportal.drafts.time_roles import TimeRole
from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.drafts.rows import RowSet


def years_with_parts(rows: RowSet) -> list[TimeRole]:
    """A year in one column, and in others the month, the day and the hour, or a period."""
    years = [
        column
        for column in rows.columns
        if (guess := column.times) is not None
        and guess.pattern == "period"
        and all(re.fullmatch(r"\d{4}", text) for text in column.distinct)
        and column.name != "cell"
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


def _of_year(rows: RowSet, year: Column, other: Column) -> TimeRole | None:
    texts = other.distinct
    if len(texts) < 1 or len(texts) > 400:  # noqa: PLR2004 - days of a year
        return None
    words = set(other.words)
    format_of_part = ""
    if month := month_headers(texts) if len(texts) > 5 else _month_names(texts):  # noqa: PLR2004
        format_of_part = month
    elif words & {
        "month",
        "monat",
        "mes",
        "mois",
        "maand",
        "mm",
        "mo",
        "mese",
        "måned",
        "manad",
    } and all(re.fullmatch(r"0?[1-9]|1[0-2]", text) for text in texts):
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
    if format_of_part == "%m":
        day = next(
            (
                column
                for column in rows.columns
                if column not in columns
                and set(column.words)
                & {"day", "tag", "dia", "jour", "dd", "dy", "día", "dag", "giorno"}
                and all(re.fullmatch(r"0?[1-9]|[12]\d|3[01]", text) for text in column.distinct)
            ),
            None,
        )
        if day is not None:
            columns, pattern = [*columns, day], f"{pattern} %d"
            return _with_hour(rows, columns, pattern)
    return _joined(rows, columns, pattern)


def _with_hour(rows: RowSet, columns: list[Column], pattern: str) -> TimeRole | None:
    """Year, month and day, and behind them an hour, a minute, or the number of an interval."""
    joined = [" ".join(texts) for texts in zip(*(column.texts for column in columns), strict=True)]
    day = Column("day", "day", joined)
    role = _joined(rows, columns, pattern)
    for other in rows.columns:
        if other in columns:
            continue
        guess = day.times
        own = TimeFormat(pattern)
        times = [ts if isinstance(ts := own.read(text), datetime) else None for text in joined]
        from dataportal.drafts.time_columns import TimeGuess

        guess = TimeGuess(pattern, times, frozenset(), is_day=True)
        numbered = number_role(rows, day, guess, other)
        words = set(other.words)
        hours = whole_numbers(other)
        if hours is not None and words & {"hour", "hr", "hh", "hora", "heure"}:
            known = {n for n in hours if n is not None}
            if known <= {*range(24)}:
                minute = next(
                    (
                        c
                        for c in rows.columns
                        if set(c.words) & {"minute", "mn", "mi", "mm", "min"}
                        and c not in columns
                        and whole_numbers(c) is not None
                    ),
                    None,
                )
                places = [*columns, other] + ([minute] if minute is not None else [])
                end = " %H %M" if minute is not None else " %H"
                clocked = _joined(rows, places, pattern + end)
                if clocked is not None:
                    return clocked
        if numbered is not None:
            numbered.params["interval"]["day"] = [column.place for column in columns]
            numbered.params["time_format"] = pattern
            numbered.columns = [*columns, other]
            return numbered
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


def _joined(rows: RowSet, columns: list[Column], pattern: str) -> TimeRole | None:
    one = TimeFormat(pattern)
    texts = zip(*(column.texts for column in columns), strict=True)
    times = [ts if isinstance(ts := one.read(" ".join(t)), datetime) else None for t in texts]
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
    one = TimeFormat("period")
    pairs = [*zip(year.texts, part.texts, strict=True)]
    times = [ts if isinstance(ts := one.read(f"{p} {y}"), datetime) else None for y, p in pairs]
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
