"""Declares where times and values stand in a row: the parameters of `PointExtractor`."""

from __future__ import annotations

from typing import Annotated

from msgspec import field as default

from dataportal.plugins.declarative.daylight import DaylightParameters
from dataportal.plugins.declarative.interval_numbers import IntervalParameters
from dataportal.plugins.parameters import Column, Duration, Parameters, TextOrTexts, about


class PointParameters(Parameters):
    """Where times and values stand in a row, and which rows count."""

    ts: Annotated[
        tuple[Column, ...],
        about(
            "where times stand in a row: a name, an expression, a path, or a number from 1; also a "
            "list of places, put together with a blank",
            single=True,
        ),
    ] = ()
    value: Annotated[Column | None, about("where values stand, likewise")] = None
    unit: Annotated[
        tuple[Column, ...] | None,
        about(
            "where the unit of a value stands, likewise: an answer in another one is "
            "[refused](plugins.md#what-it-returns) (of SDMX UNIT_MEASURE, or UNIT, and UNIT_MULT)",
            single=True,
        ),
    ] = None
    filter: Annotated[
        dict[str, TextOrTexts],
        about(
            "what must stand in which place for a row to count: a text, or a list of texts of "
            'which one must; a column without a name by its number, `"1": D`'
        ),
    ] = default(default_factory=dict)
    interval: Annotated[
        IntervalParameters | None,
        about(
            "in place of `ts`, for providers that number the hours of a day: see "
            "[Numbers of intervals](#numbers-of-intervals)"
        ),
    ] = None
    dst: Annotated[
        Column | DaylightParameters | None,
        about(
            "what tells the two hours of an autumn night apart: the place of a flag (Y and N, true "
            "and false, EDT and EST, -04:00), or its [texts](#doubled-hours)"
        ),
    ] = None
    period_end: Annotated[
        Duration | None,
        about(
            "times name the end of an interval of this length: as the clock shows it then, or the "
            "beginning plus the length; on a day when the clocks change that reading counts which "
            "all its labels fit"
        ),
    ] = None
    snapshot: Annotated[
        bool | None,
        about(
            "whether times are of this very moment: a local time of autumn's doubled hour then is "
            "the one nearest to now (false)"
        ),
    ] = None


class SeriesParameters(Parameters):
    """What is a series' own, in a group."""

    value: Annotated[Column | None, about("the place of the series' own value")] = None
    rows: Annotated[str | None, about("where its own rows are")] = None
    conditions: Annotated[
        dict[str, str | int | float | bool | None],
        about("what a field of the address becomes, or what must stand in the row", rest=True),
    ] = default(default_factory=dict)
