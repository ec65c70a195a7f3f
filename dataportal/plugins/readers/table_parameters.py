"""Reads from a source's parameters how its tables, times and numbers are written."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated

from dataportal.plugins.parameters import (
    Column,
    Parameters,
    Pattern,
    WholeNumber,
    about,
    matching,
    written_as,
)
from dataportal.plugins.readers.numbers import MISSING, NumberFormat
from dataportal.plugins.readers.tables import Layout
from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.readers.parameters import Params

_ISO = TimeFormat()
_NAMED_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def _known_encoding(name: str) -> str:
    try:
        "".encode(name or "utf-8")
    except LookupError:
        raise ValueError(f"{name!r} is not known; try utf-8 or cp1252") from None
    return name


class TableParameters(Parameters):
    """How tables are laid out."""

    delimiter: Annotated[
        str,
        about("one character, or `tab`, `comma`, `semicolon`, `pipe` (found out)"),
        matching(r'[^"\r\n]|tab|comma|semicolon|pipe|', "one character, or tab"),
    ] = ""
    header: Annotated[bool, about("whether the first line names the columns (true)")] = True
    skip_rows: Annotated[WholeNumber, about("lines before the table (0)")] = 0
    comment: Annotated[str, about("lines that begin with this are skipped (none)")] = ""
    header_row: Annotated[
        str | None,
        about(
            "where the table begins after a text: the number of the line that names the columns, "
            "or a regular expression that is found in it",
            examples=("5", "^Date;"),
        ),
    ] = None
    first_row: Annotated[
        Pattern | None,
        about("a regular expression that is found in the first line of values after the header"),
    ] = None
    footer: Annotated[
        Pattern | None,
        about("a regular expression that is found in the first line after the table"),
    ] = None


class EncodingParameters(Parameters):
    """How texts are encoded."""

    encoding: Annotated[
        str,
        about("such as cp1252 (what the answer declares, else UTF-8)", examples=("cp1252",)),
        written_as(_known_encoding),
    ] = ""


class DecimalParameters(Parameters):
    """How numbers begin and end."""

    decimal: Annotated[
        str, about("the decimal sign, `.` or `,` (.)", examples=(",",)), matching(r"[.,]", ". or ,")
    ] = "."


class NumberParameters(Parameters):
    """How numbers are written."""

    thousands: Annotated[
        str,
        about("the sign between groups of three digits (none)"),
        matching(r"\W|_|", "one character other than decimal"),
    ] = ""
    missing: Annotated[
        tuple[str | int | float | bool | None, ...] | None,
        about('texts that mean "no value" (an empty cell, NA, N/A, null, NaN, -)'),
    ] = None
    scale: Annotated[float, about("every value is multiplied by it (1)")] = 1.0


class TimeParameters(Parameters):
    """How times are written."""

    time_format: Annotated[
        TimeFormat,
        about(
            "as `strptime` reads it, with a year and a day, a month of a year, or a year; or "
            "`unix`, `unix_ms` (also `/Date(…)/`), `unix_us` or `unix_ns`; `excel` for days since "
            "1899; or `period` for 2024, 2024-S1, 2024-T1, 2024-Q1, 2024-B1, 2024-01, 2024 JAN, "
            "2024-W05, 2024-D032, Q1 2024, 1Q 2024, 2024-01-01/P1M (ISO 8601)",
            examples=("%d.%m.%Y %H:%M", "unix", "unix_ms", "period"),
            aliases=("timestamp_format",),
        ),
        written_as(TimeFormat),
    ] = _ISO
    month_names: Annotated[
        tuple[str, ...],
        about(
            "the names of January to December as `%b` or `%B` of `time_format` finds them, such as "
            "`[Ene, Feb, …]` (those in English)"
        ),
    ] = ()


class PublicationParameters(Parameters):
    """Where and how it is written when values were published."""

    published_at: Annotated[
        Column | None,
        about(
            "the place of the time at which the provider published the value: one time may then "
            "come several times, and every publication is kept. Without an offset it is local to "
            "`timezone`; a bare date is the end of that day"
        ),
    ] = None
    published_format: Annotated[
        TimeFormat | None,
        about(
            "how `published_at` is written, as `time_format` (ISO 8601, else as `time_format` says)"
        ),
        written_as(TimeFormat),
    ] = None


def decimal_sign(params: Params) -> str:
    """The decimal sign, from `decimal`: a point, or a comma."""
    return params.read(DecimalParameters).decimal


def table_layout(params: Params, decimal: str) -> Layout:
    """The layout that `TableParameters` describe."""
    table = params.read(TableParameters)
    delimiter = _NAMED_DELIMITERS.get(table.delimiter, table.delimiter)
    if delimiter == decimal:
        params.add_fault(f"delimiter and decimal cannot both be {decimal!r}")
    if table.header_row is not None and table.skip_rows:
        params.add_fault("give either skip_rows or header_row", "header_row")
    skip_rows, header_row = table.skip_rows, None
    try:
        if (table.header_row or "").isdecimal():
            skip_rows = max(int(table.header_row or "1"), 1) - 1
        elif table.header_row is not None:
            header_row = re.compile(table.header_row)
    except re.error as error:
        params.add_fault(f"header_row {table.header_row!r} is no regular expression ({error})")
    return Layout(
        delimiter=delimiter or None,
        header=table.header,
        skip_rows=skip_rows,
        header_row=header_row,
        first_row=table.first_row,
        footer=table.footer,
        comment=table.comment,
        decimal=decimal,
    )


def number_format(params: Params, decimal: str) -> NumberFormat:
    """The format of numbers that `NumberParameters` describe."""
    numbers = params.read(NumberParameters)
    if numbers.thousands == decimal:
        params.add_fault("thousands must be one character other than decimal")
    if numbers.scale == 0:
        params.add_fault("scale must not be 0")
    missing = numbers.missing
    return NumberFormat(
        decimal=decimal,
        thousands=numbers.thousands,
        missing=MISSING if missing is None else [_as_text(item) for item in missing],
        scale=numbers.scale,
    )


def time_format(params: Params) -> TimeFormat:
    """The format of times, from `time_format`: ISO 8601 unless it is set."""
    given = params.read(TimeParameters)
    if not given.month_names:
        return given.time_format
    try:
        return given.time_format.with_month_names(given.month_names)
    except ValueError as error:
        params.add_fault(str(error), "month_names")
        return given.time_format


class PublicationFormat:
    """How times of publication are written.

    Args:
        own: the format of their own; None if they have none.
        others: the format of the other times of the source.
    """

    def __init__(self, own: TimeFormat | None, others: TimeFormat) -> None:
        # a compact format can look like ISO 8601: one that is given comes first
        self._formats = (own, _ISO) if own is not None else (_ISO, others)

    def read(self, raw: object) -> date | str:
        """A time, or a bare date, naive where nothing says an offset; else a text."""
        for time_format in self._formats:
            if time_format is _ISO and isinstance(raw, str):
                try:
                    return date.fromisoformat(raw.strip())
                except ValueError:
                    pass
            read = time_format.read(raw)
            if not isinstance(read, str):
                return read.date() if time_format.is_of_days else read
        return self._formats[0].read(raw)

    def read_all(self, cells: Sequence[object]) -> Sequence[date | str] | None:
        """As `read` for each, in a fraction of the time; None unless all are ISO 8601 with a time.

        A short text may be a bare date.
        """
        if self._formats[0] is not _ISO:
            return None
        times = _ISO.read_all(cells)
        has_times = times and min(len(str(cell).strip()) for cell in cells) > len("2024-06-03")
        return times if has_times else None


def publication_format(params: Params, others: TimeFormat) -> PublicationFormat:
    """The format of times of publication, from `published_format`."""
    publication = params.read(PublicationParameters)
    own = publication.published_format
    if own is not None and publication.published_at is None:
        params.add_fault("published_format goes with published_at")
    return PublicationFormat(own, others)


def text_encoding(params: Params) -> str:
    """The text encoding, from `encoding`: one that Python knows, or "" if it is not set."""
    return params.read(EncodingParameters).encoding


def _as_text(item: object) -> str:
    if isinstance(item, bool):
        return str(item).lower()
    return "" if item is None else str(item)
