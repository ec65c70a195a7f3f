"""Reads from a source's parameters how its tables, times and numbers are written."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dataportal.plugins.readers.numbers import MISSING, NumberFormat
from dataportal.plugins.readers.tables import Layout
from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.readers.parameters import Params

_ISO = TimeFormat()
_NAMED_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def decimal_sign(params: Params) -> str:
    """The decimal sign, from `decimal`: a point, or a comma."""
    decimal = params.text("decimal", ".")
    if decimal not in {".", ","}:
        params.add_fault(f"decimal must be . or , and not {decimal!r}")
    return decimal


def table_layout(params: Params, decimal: str) -> Layout:
    """The layout, from `delimiter` (detected), `header` (true), `skip_rows` (0) and `comment`."""
    delimiter = params.text("delimiter")
    delimiter = _NAMED_DELIMITERS.get(delimiter, delimiter)
    if len(delimiter) > 1 or delimiter in {'"', "\r", "\n"}:
        params.add_fault(f"delimiter must be one character, or tab, not {delimiter!r}")
    if delimiter == decimal:
        params.add_fault(f"delimiter and decimal cannot both be {decimal!r}")
    return Layout(
        delimiter=delimiter or None,
        header=params.flag("header", default=True),
        skip_rows=params.whole_number("skip_rows"),
        comment=params.text("comment"),
        decimal=decimal,
    )


def number_format(params: Params, decimal: str) -> NumberFormat:
    """The format of numbers, from `thousands` (none), `scale` (1) and `missing`."""
    thousands = params.text("thousands")
    if len(thousands) > 1 or thousands == decimal or thousands.isalnum():
        params.add_fault(f"thousands must be one character other than decimal, not {thousands!r}")
    missing = params.scalars("missing")
    scale = params.number("scale", 1.0)
    if scale == 0:
        params.add_fault("scale must not be 0")
    return NumberFormat(
        decimal=decimal,
        thousands=thousands,
        missing=MISSING if missing is None else [_as_text(item) for item in missing],
        scale=scale,
    )


def time_format(params: Params) -> TimeFormat:
    """The format of times, from `time_format`: ISO 8601 unless it is set."""
    try:
        return TimeFormat(params.text("time_format"))
    except ValueError as error:
        params.add_fault(f"time_format {error}")
        return TimeFormat()


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
        for one in self._formats:
            if one is _ISO and isinstance(raw, str):
                try:
                    return date.fromisoformat(raw.strip())
                except ValueError:
                    pass
            read = one.read(raw)
            if not isinstance(read, str):
                return read.date() if one.is_of_days else read
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
    own = None
    if params.has("published_format"):
        if not params.has("published_at"):
            params.add_fault("published_format goes with published_at")
        try:
            own = TimeFormat(params.text("published_format"))
        except ValueError as error:
            params.add_fault(f"published_format {error}")
    return PublicationFormat(own, others)


def text_encoding(params: Params) -> str:
    """The text encoding, from `encoding`: one that Python knows, or "" if it is not set."""
    name = params.text("encoding")
    try:
        "".encode(name or "utf-8")
    except LookupError:
        params.add_fault(f"encoding {name!r} is not known; try utf-8 or cp1252")
    return name


def _as_text(item: object) -> str:
    if isinstance(item, bool):
        return str(item).lower()
    return "" if item is None else str(item)
