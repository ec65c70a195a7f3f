"""EIA v2: the hourly grid monitor of the US Energy Information Administration. A key is needed.

A `period` names the END of its hour, in UTC: `2024-01-01T05` is the hour from 04:00 to 05:00. `ts`
is its start. Values are texts, in MWh; a null is "no value". The data are in the public domain.

The answers carry the key, and so do their addresses: neither is ever shown.
API: https://www.eia.gov/opendata/documentation.php
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from dataportal.granularity import IntervalLength
from dataportal.plugins.base_plugin import MultiSeriesPlugin, PermanentError, TransientError
from dataportal.plugins.http import RateLimit
from dataportal.plugins.parameters import Address, Parameters, PositiveNumber, about, one_of
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.numbers import NumberFormat, whole_number
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.plugins.readers.times import Clip, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.plugins.base_plugin import TimeSeriesDefinition
    from dataportal.plugins.http.response import Answer

BASE_URL = "https://api.eia.gov/v2"
ROUTES = {
    "region-data": ("respondent", "type"),
    "fuel-type-data": ("respondent", "fueltype"),
    "interchange-data": ("fromba", "toba"),
    "region-sub-ba-data": ("subba", "parent"),
}
"""The facets that tell the series of a route apart."""

_PER_MINUTE = 120  # below 5 a second and 9,000 an hour, which cost the key
_PAGE = 5000
_HOUR = timedelta(hours=1)
_LENGTH = IntervalLength(rest=timedelta(hours=1))
_FIRST_YEAR = 2015  # of the grid monitor
_PERIOD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)([+-]\d\d)?")
_THROTTLED = re.compile(r"rate.limit|throttl|suspend|too many requests", re.IGNORECASE)
_TRANSIENT_CODES = {"408", "425", "429", "500", "502", "503", "504"}


class _Response(msgspec.Struct):
    total: int | str
    data: list[dict[str, Any]]


class _Document(msgspec.Struct):
    response: _Response | None = None
    error: Any = None
    code: int | str | None = None


class EiaParameters(Parameters):
    """What all series of a group share."""

    route: Annotated[
        str,
        one_of(ROUTES),
        about(
            "`region-data` (demand, forecast, generation, interchange of a region), "
            "`fuel-type-data` (generation by energy source), `interchange-data` or "
            "`region-sub-ba-data`"
        ),
    ]
    api_key: Annotated[str, about("the key, as a rule `${EIA_API_KEY}`", secret=True)]
    per_minute: Annotated[PositiveNumber, about("requests a minute (120)")] = _PER_MINUTE
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class EiaSeries(Parameters):
    """The facets of a series, those of its route."""

    respondent: Annotated[str | None, about("of region-data and fuel-type-data")] = None
    type: Annotated[str | None, about("of region-data")] = None
    fueltype: Annotated[str | None, about("of fuel-type-data")] = None
    fromba: Annotated[str | None, about("of interchange-data")] = None
    toba: Annotated[str | None, about("of interchange-data")] = None
    subba: Annotated[str | None, about("of region-sub-ba-data")] = None
    parent: Annotated[str | None, about("of region-sub-ba-data")] = None


class EiaMultiSeriesPlugin(MultiSeriesPlugin):
    """Series of one route, fetched together: see `EiaParameters` and `EiaSeries`."""

    parameters = (EiaParameters,)
    series_parameters = (EiaSeries,)
    # balancing authorities send corrections for days; the forecast of demand reaches a day ahead
    source_defaults: ClassVar[Mapping[str, Any]] = {
        "lookback": "10 days",
        "forecast_horizon": "2 days",
    }

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        params = Params(request_params)
        eia = params.read(EiaParameters)
        self._route, key = eia.route, eia.api_key.strip()
        self._base_url = eia.base_url.rstrip("/")
        self._limit = RateLimit(eia.per_minute, key=key or None, everywhere=True)
        # of a route that there is not, nobody knows which facets are wrong
        self._facets = ROUTES.get(self._route, ())
        self._shared = params.group_values(EiaSeries)
        self._selections = read_filters(series_definitions, self._read_selection, params)
        self._query: dict[str, Any] = {
            "api_key": key,
            "frequency": "hourly",
            "data[0]": "value",
            "length": _PAGE,
        }
        for index, name in enumerate(self._facets):
            values = sorted({selection[index] for selection in self._selections.values()})
            self._query[f"facets[{name}][]"] = values
        # rows of the same hour need an order too, or pages could overlap
        for index, column in enumerate(("period", *self._facets)):
            self._query[f"sort[{index}][column]"] = column
            self._query[f"sort[{index}][direction]"] = "asc"

    def _read_selection(self, extract_filter: Mapping[str, Any]) -> tuple[str, ...]:
        """The value of each facet of a series."""
        params = Params(extract_filter, shared=self._shared)
        facets = msgspec.structs.asdict(params.read(EiaSeries))
        params.check_choice(facets, self._facets, self._route)
        params.finish()
        return tuple(facets[name] for name in self._facets)

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, dict[str, Any]]:
        """The hours of each series with `start_date <= ts < end_date`, as columns.

        Raises:
            PermanentError: EIA refuses the key or the request.
            TransientError: EIA is out of reach, or the key is suspended for a while.
            BadDataError: an answer has not the shape that EIA promises.
        """
        window = Window(start_date, end_date)
        query = dict(self._query)
        if window.start.year >= _FIRST_YEAR:
            query["start"] = _label(window.start)
        if window.end is not None and window.end.year < _FIRST_YEAR:
            return {}
        if window.end is not None:
            # the last hour that begins before the end is named by the end, or by the hour after it
            query["end"] = _label(window.end - timedelta.resolution)
        by_facets: dict[tuple[str, ...], dict[str, list[Any]]] = {
            selection: {"ts": [], "value": []} for selection in self._selections.values()
        }
        clips = {selection: Clip(window, _LENGTH) for selection in by_facets}
        numbers = NumberFormat()
        units: dict[tuple[str, ...], set[str]] = {selection: set() for selection in by_facets}
        for period, value, unit, facets in await self._rows(query):
            columns = by_facets.get(facets)
            ts = _hour_start(period)
            if columns is None or (isinstance(ts, datetime) and not clips[facets].takes(ts)):
                continue
            columns["ts"].append(ts)
            columns["value"].append(numbers.read(value) if isinstance(value, str) else value)
            if isinstance(unit, str):
                units[facets].add(unit)
        return {
            name: {
                **clips[selection].columns(by_facets[selection]),
                "unit": sorted(units[selection]),
            }
            for name, selection in self._selections.items()
        }

    async def _rows(self, query: dict[str, Any]) -> list[tuple[Any, Any, Any, tuple[str, ...]]]:
        """Period, value, its unit and the facets of the rows of all pages."""
        rows: list[tuple[Any, Any, Any, tuple[str, ...]]] = []
        last_page: list[dict[str, Any]] = []
        while True:
            answer = await self._get({**query, "offset": len(rows)})
            response = _response(answer)
            try:
                total = whole_number(response.total)
            except ValueError as error:
                raise answer.bad(f"counts {error} rows") from None
            if response.data and response.data == last_page:
                raise answer.bad("is the same as the page before")
            last_page = response.data
            try:
                rows += [
                    (
                        row["period"],
                        row["value"],
                        row.get("value-units"),
                        tuple(str(row[name]) for name in self._facets),
                    )
                    for row in response.data
                ]
            except KeyError as error:
                raise answer.bad(f"has a row without {error.args[0]!r}") from None
            if len(rows) >= total:
                return rows
            if not response.data:
                raise answer.bad(f"ends after {len(rows)} of {total} rows")

    async def _get(self, query: dict[str, Any]) -> Answer:
        try:
            return await self.http.get(
                f"{self._base_url}/electricity/rto/{self._route}/data/",
                params=query,
                limit=self._limit,
            )
        except PermanentError as error:
            # a key that asked too often is refused for up to an hour, with the status of a bad one
            if _THROTTLED.search(error.message):
                raise TransientError(
                    error.message, host=urlsplit(self._base_url).hostname
                ) from None
            raise


class EiaDataSourcePlugin(SingleSeriesPlugin):
    """One series; all facets are among its `default_params`, which are those of the group."""

    group = EiaMultiSeriesPlugin


def _response(answer: Answer) -> _Response:
    """What the answer holds, which may be an error under any status."""
    if answer.has_no_content:
        return _Response(0, [])
    document = answer.json(_Document)
    if document.error is None and document.response is not None:
        return document.response
    if document.error is None:
        raise answer.bad("has neither a response nor an error")
    error, code = document.error, document.code
    if isinstance(error, dict):
        code, error = error.get("code", code), error.get("message", error)
    reason = " ".join(answer.hide(f"{code}: {error}" if code else str(error)).split())[:300]
    message = f"EIA reports an error in its answer to GET {answer.url}: {reason}"
    if str(code) in _TRANSIENT_CODES or _THROTTLED.search(reason):
        raise TransientError(message, host=urlsplit(answer.url).hostname)
    raise PermanentError(
        message,
        hint="Check the key, which is taken from api_key" if "API_KEY" in str(code) else None,
    )


def _label(instant: datetime) -> str:
    """How EIA names the hour that an instant lies in: by its end."""
    floor = instant.replace(minute=0, second=0, microsecond=0)
    return f"{floor + _HOUR:%Y-%m-%dT%H}"


def _hour_start(period: object) -> datetime | str:
    """Where the hour begins that EIA names so; what is no hour is passed on, for the run to refuse.

    Local hours carry their offset: 2023-03-20T00-07.
    """
    match = _PERIOD.fullmatch(str(period))
    try:
        if match is not None:
            return datetime.fromisoformat(f"{match[1]}:00{match[2] or '+00'}:00") - _HOUR
    except (ValueError, OverflowError):
        pass
    return f"{period} (not the hour of a day)"
