"""Tankerkönig: what petrol and diesel cost in Germany, station by station. A key is needed.

The API has the present alone: what is not fetched in time is lost. Its answers carry no time, so
`ts` is the time of the answer. A fuel that is not sold, and a station that is closed, has no value.
Prices are in EUR per litre. The live data are under CC BY 4.0, to be credited to Tankerkönig.

Keys that ask too often are blocked: a schedule of less than five minutes is refused. A request
brings ten stations, so put all stations into one group.
API: https://creativecommons.tankerkoenig.de
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from dataportal.plugins.base_plugin import (
    BadDataError,
    MultiSeriesPlugin,
    PermanentError,
    TransientError,
)
from dataportal.plugins.http import RateLimit
from dataportal.plugins.parameters import (
    Address,
    Parameters,
    PositiveNumber,
    about,
    matching,
    one_of,
)
from dataportal.plugins.readers.extract_filters import raise_if_all_failed, read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.times import parse_duration, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dataportal.plugins.base_plugin import FetchError, TimeSeriesDefinition
    from dataportal.plugins.http.response import Answer

BASE_URL = "https://creativecommons.tankerkoenig.de/json"
FUELS = ("e5", "e10", "diesel")
_POLL = timedelta(minutes=5)
_PER_MINUTE = 12
_STATIONS = 10  # in one request, at most
_CACHED = timedelta(minutes=1)
_NO_PRICE = ("closed", "no prices")
_THROTTLED = re.compile(r"too many|rate limit|zu viele|zu oft", re.IGNORECASE)


class _Prices(msgspec.Struct):
    ok: bool
    message: str = ""
    prices: dict[str, dict[str, Any]] | None = None


class TankerkoenigParameters(Parameters):
    """What all stations share."""

    api_key: Annotated[str, about("the key, as a rule `${TANKERKOENIG_API_KEY}`", secret=True)]
    per_minute: Annotated[PositiveNumber, about("requests a minute within a poll (12)")] = (
        _PER_MINUTE
    )
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class TankerkoenigSeries(Parameters):
    """A fuel at a station."""

    station: Annotated[
        str,
        about("the id of a station; of a group in the `extract_filter` of each series"),
        matching(r"[0-9A-Za-z-]+", "the id of a station"),
    ]
    fuel: Annotated[str, one_of(FUELS), about("e5, e10 or diesel; likewise")]


class TankerkoenigMultiSeriesPlugin(MultiSeriesPlugin):
    """Prices at stations, ten of them with each request."""

    parameters = (TankerkoenigParameters,)
    series_parameters = (TankerkoenigSeries,)
    source_defaults: ClassVar[Mapping[str, Any]] = {
        "initial_history": "1 day",
        "lookback": "1 day",
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
        tankerkoenig = params.read(TankerkoenigParameters)
        self._key = tankerkoenig.api_key.strip()
        self._base_url = tankerkoenig.base_url.rstrip("/")
        self._limit = RateLimit(tankerkoenig.per_minute, key=self._key or None, everywhere=True)
        if _is_too_often(schedule):
            params.add_fault(
                f"Tankerkönig may be asked every 5 minutes at most, not every {schedule}"
            )
        shared = params.group_values(TankerkoenigSeries)
        self._selections = read_filters(
            series_definitions, lambda own: _read_selection(own, shared), params
        )
        self.now = utc_now

    async def get_historical_data_multi(
        self,
        start_date: str,  # noqa: ARG002 - there is the present alone
        end_date: str | None = None,  # noqa: ARG002
    ) -> dict[str, dict[str, list[Any]] | FetchError]:
        """The present price of each series, with the time of the answer; None if there is none.

        An error in place of the series whose stations were asked for by a request that failed
        alone: because of an id that is refused, say.

        Raises:
            PermanentError: the key or all ids are refused.
            TransientError: the API is out of reach, or was asked too often.
            BadDataError: no answer has the shape that it promises.
        """
        stations = list(dict.fromkeys(station for station, _ in self._selections.values()))
        by_station: dict[str, tuple[datetime, dict[str, Any], Answer]] = {}
        errors: dict[str, FetchError] = {}
        for first in range(0, len(stations), _STATIONS):
            batch = stations[first : first + _STATIONS]
            try:
                answer = await self._get(batch)
                prices_by_station = {} if answer.has_no_content else _prices(answer)
            except (PermanentError, BadDataError) as error:
                errors |= dict.fromkeys(batch, error)
                continue
            ts = self._answer_time(answer)
            by_station |= {
                station: (ts, prices, answer) for station, prices in prices_by_station.items()
            }
        results: dict[str, dict[str, list[Any]] | FetchError] = {}
        for name, (station, fuel) in self._selections.items():
            if station in by_station:
                results[name] = _point(*by_station[station], station, fuel)
            elif station in errors:
                results[name] = errors[station]
        raise_if_all_failed(results)
        return results

    async def _get(self, stations: list[str]) -> Answer:
        try:
            return await self.http.get(
                f"{self._base_url}/prices.php",
                params={"ids": ",".join(stations), "apikey": self._key},
                limit=self._limit,
            )
        except TransientError as error:
            if error.retry_after is None:
                error.retry_after = _POLL.total_seconds()
            raise

    def _answer_time(self, answer: Answer) -> datetime:
        """Now; or the time at which the answer was made, if it comes from a cache."""
        received, sent = self.now(), answer.sent_at
        return sent if sent is not None and received - sent > _CACHED else received


class TankerkoenigDataSourcePlugin(SingleSeriesPlugin):
    """One series; `station` and `fuel` are among its `default_params`, as of the group."""

    group = TankerkoenigMultiSeriesPlugin


def _is_too_often(schedule: str) -> bool:
    try:
        return parse_duration(schedule) < _POLL
    except ValueError:
        return False  # not a duration, so nothing of ours to judge


def _read_selection(
    extract_filter: Mapping[str, Any], shared: Mapping[str, Any]
) -> tuple[str, str]:
    """The station and the fuel of a series."""
    params = Params(extract_filter, shared=shared)
    series = params.read(TankerkoenigSeries)
    params.finish()
    return series.station.lower(), series.fuel


def _prices(answer: Answer) -> dict[str, dict[str, Any]]:
    """The prices at each station; errors come under status 200 as well."""
    document = answer.json(_Prices)
    if not document.ok:
        reason = answer.hide(document.message)[:300] or "no reason given"
        message = f"Tankerkönig refuses GET {answer.url}: {reason}"
        if _THROTTLED.search(reason):
            raise TransientError(message, retry_after=_POLL.total_seconds())
        raise PermanentError(message, hint="Check the key in api_key and the ids of the stations")
    if document.prices is None:
        raise answer.bad("has no prices")
    return {station.lower(): prices for station, prices in document.prices.items()}


def _point(
    ts: datetime, prices: Mapping[str, Any], answer: Answer, station: str, fuel: str
) -> dict[str, list[Any]] | FetchError:
    status = prices.get("status")
    if status == "open":
        price = prices.get(fuel)
        # false stands for a fuel that is not sold
        return {"ts": [ts], "value": [None if price is False else price]}
    if status in _NO_PRICE:
        return {"ts": [ts], "value": [None]}
    if status == "no stations":
        return answer.bad(f"knows no station {station}")
    return answer.bad(f"says {status!r} of station {station}, which is no status")
