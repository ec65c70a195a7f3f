"""How tables are laid out, their times and numbers written, from the parameters of a source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.plugins.readers.numbers import MISSING, NumberFormat
from dataportal.plugins.readers.tables import Layout
from dataportal.plugins.readers.times import TimeFormat

if TYPE_CHECKING:
    from dataportal.plugins.readers.parameters import Params

_NAMED_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def decimal_sign(params: Params) -> str:
    """`decimal`: a point unless it says a comma."""
    decimal = params.text("decimal", ".")
    if decimal not in {".", ","}:
        params.fault(f"decimal must be . or , and not {decimal!r}")
    return decimal


def layout(params: Params, decimal: str) -> Layout:
    """`delimiter` (found out), `header` (true), `skip_rows` (0) and `comment` (none)."""
    delimiter = params.text("delimiter")
    delimiter = _NAMED_DELIMITERS.get(delimiter, delimiter)
    if len(delimiter) > 1 or delimiter in {'"', "\r", "\n"}:
        params.fault(f"delimiter must be one character, or tab, not {delimiter!r}")
    if delimiter == decimal:
        params.fault(f"delimiter and decimal cannot both be {decimal!r}")
    return Layout(
        delimiter=delimiter or None,
        header=params.flag("header", default=True),
        skip_rows=params.whole("skip_rows"),
        comment=params.text("comment"),
        decimal=decimal,
    )


def number_format(params: Params, decimal: str) -> NumberFormat:
    """`thousands` (none), `scale` (1) and `missing`: see `NumberFormat`."""
    thousands = params.text("thousands")
    if len(thousands) > 1 or thousands == decimal or thousands.isalnum():
        params.fault(f"thousands must be one character other than decimal, not {thousands!r}")
    missing = params.anything("missing")
    scale = params.number("scale", 1.0)
    if scale == 0:
        params.fault("scale must not be 0")
    return NumberFormat(
        decimal=decimal,
        thousands=thousands,
        missing=MISSING if missing is None else [_written(item) for item in missing],
        scale=scale,
    )


def time_format(params: Params) -> TimeFormat:
    """`time_format`: ISO 8601 unless it says another one; see `TimeFormat`."""
    try:
        return TimeFormat(params.text("time_format"))
    except ValueError as error:
        params.fault(f"time_format {error}")
        return TimeFormat()


def encoding(params: Params) -> str:
    """`encoding`: one that Python knows, or nothing."""
    name = params.text("encoding")
    try:
        "".encode(name or "utf-8")
    except LookupError:
        params.fault(f"encoding {name!r} is not known; try utf-8 or cp1252")
    return name


def _written(item: object) -> str:
    if isinstance(item, bool):
        return str(item).lower()
    return "" if item is None else str(item)
