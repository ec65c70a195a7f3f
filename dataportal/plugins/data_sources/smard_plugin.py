"""SMARD, the electricity market data of the German Bundesnetzagentur. No key needed.

The data are published under CC BY 4.0; the credit to give is "Bundesnetzagentur | SMARD.de".

SMARD serves a tree of static files. An index names the files of one series at one resolution by
the stamp of their first interval; a file covers a week, a year or more, and is filled up to its end
with nulls for what is not published yet. Stamps are epoch milliseconds, true instants in UTC, of
the START of the interval. Generation and consumption are in MWh per interval, prices in EUR/MWh.
Files are built anew when values are revised, for days, sometimes for years.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from itertools import compress
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from dataportal.granularity import IntervalLength
from dataportal.plugins.base_plugin import BasePlugin, PermanentError, TransientError
from dataportal.plugins.http import NotFoundError, RateLimit
from dataportal.plugins.parameters import (
    Address,
    Parameters,
    PositiveNumber,
    WholeNumber,
    about,
    matching,
    one_of,
)
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.times import Clip, Window, from_milliseconds
from dataportal.raw_points import RefusedTime
from dataportal.times import EARLIEST, EPOCH, time_zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.plugins.base_plugin import TimeSeriesMetadata
    from dataportal.plugins.http import Answer

    _Columns = tuple[Sequence[datetime | str], Sequence[float | None]]

BASE_URL = "https://www.smard.de/app/chart_data"
_LENGTHS = {
    "quarterhour": IntervalLength(rest=timedelta(minutes=15)),
    "hour": IntervalLength(rest=timedelta(hours=1)),
    "day": IntervalLength(days=1),
    "week": IntervalLength(days=7),
    "month": IntervalLength(months=1),
    "year": IntervalLength(months=12),
}
_ZONE = time_zone("Europe/Berlin")  # of its days, months and years
REGIONS = (
    *("DE", "AT", "LU", "DE-LU", "DE-AT-LU"),
    *("50Hertz", "Amprion", "TenneT", "TransnetBW", "APG", "Creos"),
)
_FILES_AT_A_TIME = 4
_PER_MINUTE = 120
"""SMARD publishes no limit; this is a pace at which nobody minds."""


class _Index(msgspec.Struct):
    timestamps: list[int]


class _File(msgspec.Struct):
    # a stamp that no double holds is read as an infinite number
    series: list[tuple[int | float, float | None]]


class SmardParameters(Parameters):
    """One series.

    The forecasts 122, 123, 125, 411, 715, 3791 and 5097 reach into the future: give their sources a
    `forecast_horizon` of 2 days, and day-ahead prices one of 2 days too.
    """

    filter: Annotated[WholeNumber, about("the number of the series, see below", examples=(1223,))]
    region: Annotated[
        str,
        about(
            "DE, AT, LU, DE-LU, DE-AT-LU, or a control area: 50Hertz, Amprion, TenneT, TransnetBW, "
            "APG, Creos",
            examples=REGIONS,
        ),
        matching(r"[A-Za-z0-9-]+", f"one such as {', '.join(REGIONS)}"),
    ]
    resolution: Annotated[
        str,
        one_of(_LENGTHS),
        about("quarterhour, hour, day, week, month or year"),
    ]
    per_minute: Annotated[
        PositiveNumber | None, about("requests a minute (120, of a mirror no limit)")
    ] = None
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class SmardDataSourcePlugin(BasePlugin):
    """One series of SMARD; its parameters are those of `SmardParameters`."""

    parameters = (SmardParameters,)
    source_defaults: ClassVar[Mapping[str, Any]] = {"lookback": "14 days"}

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        params = Params(default_params)
        smard = params.read(SmardParameters)
        self._filter, self._region, self._resolution = smard.filter, smard.region, smard.resolution
        self._base_url = smard.base_url.rstrip("/")
        per_minute = smard.per_minute
        if per_minute is None and self._base_url == BASE_URL:
            per_minute = _PER_MINUTE
        self._limit = None if per_minute is None else RateLimit(per_minute, key="smard")
        params.finish()

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a filter is one metric
    ) -> dict[str, Any]:
        """The observations with `start_date <= ts < end_date`, as columns.

        Nulls in the window are passed on: as long as nothing is stored they mean nothing, and
        for what is stored they mean that SMARD withdrew it.

        Raises:
            PermanentError: SMARD knows no such series.
            TransientError: SMARD is out of reach, or lacks a file that its index names.
            BadDataError: an answer has not the shape that SMARD promises.
        """
        window = Window(start_date, end_date)
        files = await self._files(window)
        clip = Clip(window, _LENGTHS[self._resolution], _ZONE)
        # a long backfill takes its turn at the client file by file, so other sources get theirs
        concurrency = asyncio.Semaphore(_FILES_AT_A_TIME)

        async def points(stamp: int) -> _Columns | None:
            async with concurrency:
                return await self._points(stamp, clip)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(points(stamp)) for stamp in files.values()]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        results = [task.result() for task in tasks]
        changed = [columns for columns in results if columns is not None]
        columns = clip.columns(
            {
                "ts": [ts for times, _ in changed for ts in times],
                "value": [value for _, values in changed for value in values],
            }
        )
        resolution = _LENGTHS[self._resolution].iso
        if times := [ts for ts in columns["ts"] if isinstance(ts, datetime)]:
            columns["resolutions"] = [(min(times), resolution)]
        return {**columns, "unchanged": len(changed) < len(results)}

    async def _files(self, window: Window) -> dict[datetime, int]:
        """The stamps of the files that the window needs, in order, by the instants that they are.

        The last file that begins at or before the start, and all further ones before the end.
        """
        try:
            answer = await self._get(f"index_{self._resolution}.json")
        except NotFoundError as error:
            raise PermanentError(
                f"SMARD has no series with filter {self._filter}, region {self._region} and "
                f"resolution {self._resolution} ({error.message})",
                hint="Not every filter exists for every region and resolution; regions are "
                + ", ".join(REGIONS),
            ) from None
        if answer.has_no_content:
            return {}
        if answer.unchanged:
            stamps = [int(stamp) for stamp in answer.note.split()]
        else:
            stamps = sorted(answer.json(_Index).timestamps)
        begins = _instants(stamps, answer)
        earliest = window.start
        if self._resolution == "week":
            # a week that reaches into the window may stand in the file of the year before
            earliest -= min(_LENGTHS["week"].longest, earliest - EARLIEST)
        first = max(bisect_right(begins, earliest) - 1, 0)
        after = len(begins) if window.end is None else bisect_left(begins, window.end)
        answer.keep(note=" ".join(map(str, stamps[first:])))
        return dict(zip(begins[first:after], stamps[first:after], strict=True))

    async def _points(self, stamp: int, clip: Clip) -> _Columns | None:
        """What a file has in the window; None if it is as it was when that was stored."""
        name = f"{self._filter}_{self._region}_{self._resolution}_{stamp}.json"
        try:
            answer = await self._get(name)
        except NotFoundError as error:
            # left out it would be a hole that nobody sees
            raise TransientError(
                f"SMARD's index names a file that is not there ({error.message})"
            ) from None
        if answer.unchanged:
            return None
        if answer.has_no_content:
            return [], []
        series = answer.json(_File).series
        begins = [begin for begin, _ in series]
        if float in {*map(type, begins)}:
            for index, begin in enumerate(begins):
                if isinstance(begin, float) and isfinite(begin):
                    raise answer.bad(f"has no whole number, but {begin}, at $.series[{index}][0]")
        times = [_instant(begin) for begin in begins]
        values = [value for _, value in series]
        readable = [ts for ts in times if isinstance(ts, datetime)]
        if readable and self._resolution == "week":
            # one that lies in two years may stand in two files
            answer.keep()
        elif readable:
            # no two files have points of the same times
            answer.keep(first=min(readable), last=max(readable))
        if len(readable) == len(times) and clip.window.covers_all(readable):
            return times, values
        inside = [isinstance(ts, str) or clip.takes(ts) for ts in times]
        return [*compress(times, inside)], [*compress(values, inside)]

    async def _get(self, name: str) -> Answer:
        url = f"{self._base_url}/{self._filter}/{self._region}/{name}"
        return await self.http.get(url, limit=self._limit)


def _instants(stamps: list[int], answer: Answer) -> list[datetime]:
    try:
        return [from_milliseconds(stamp) for stamp in stamps]
    except OverflowError:
        worst = max(stamps, key=abs)
        raise answer.bad(f"has the stamp {worst} at position {stamps.index(worst)}") from None


def _instant(stamp: float) -> datetime | str:
    """When a stamp is; the reason for one beyond the calendar, which costs its point alone."""
    try:
        return EPOCH + timedelta(milliseconds=stamp)
    except OverflowError:
        return RefusedTime(f"the stamp {stamp} is beyond the calendar")
