"""CityBikes: how many bikes stand where, in some hundred cities. No key needed.

The API has the present alone: what is not fetched in time is lost. Each station has the time of its
last report, in UTC, which is the `ts` of its values; a station that does not report has the same ts
again, and nothing new. A null is "no value", not zero.

A sum over a network is that of the stations that report: those with a value, and with a time that
is not much older than the newest one of the network. Its `ts` is the newest time among them. If too
few report there is no sum: an outage must not look like a city without bikes.
API: https://api.citybik.es/v2
"""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from dataportal.plugins.base_plugin import MultiSeriesPlugin, PermanentError
from dataportal.plugins.http import NotFoundError, RateLimit
from dataportal.plugins.parameters import (
    Address,
    Duration,
    Parameters,
    PositiveNumber,
    about,
    matching,
)
from dataportal.plugins.readers.expressions import ABSENT_FIELD, Expression
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.numbers import NumberFormat
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.plugins.base_plugin import FetchError, TimeSeriesDefinition

    Columns = dict[str, list[Any]]

BASE_URL = "https://api.citybik.es/v2"
_PER_MINUTE = 5  # 300 an hour are fair
_SKEW = timedelta(minutes=5)  # of a station's clock, at most
_STAMP = re.compile(
    r"(?P<second>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)"
    r"(?P<fraction>\.\d+)?[^Z+-]*(?P<offset>[+-]\d\d:?\d\d)?Z?"
)
_log = logging.getLogger(__name__)


class _Network(msgspec.Struct):
    stations: list[dict[str, Any]]


class _Document(msgspec.Struct):
    network: _Network


@dataclass(frozen=True, slots=True)
class _Selection:
    """One series.

    Attributes:
        station: its id; empty for the sum over the network.
        value: finds the value in a station.
    """

    station: str
    value: Expression


class CityBikesParameters(Parameters):
    """What all series of a network share."""

    network: Annotated[
        str,
        about(f"such as `velib`; all are listed at `{BASE_URL}/networks`", examples=("velib",)),
        matching(r"[\w.-]+", "an id such as citybike-wien"),
    ]
    max_age: Annotated[
        Duration,
        about(
            "how much older than the newest report of the network one may be to count in a sum "
            "(1 hour)"
        ),
    ] = timedelta(hours=1)
    coverage: Annotated[float, about("the share of stations that must report for a sum (0.5)")] = (
        0.5
    )
    per_minute: Annotated[PositiveNumber, about("requests a minute (5)")] = _PER_MINUTE
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class CityBikesSeries(Parameters):
    """A station, or the sum over the network."""

    station: Annotated[
        str,
        about(
            "the id of a station; without it the series is a sum over the network. Of a group in "
            "the `extract_filter` of each series"
        ),
    ] = ""
    value: Annotated[
        str,
        about(
            "`free_bikes`, `empty_slots`, or a name such as `extra.ebikes`; likewise "
            "(`free_bikes`)",
            examples=("free_bikes", "empty_slots"),
        ),
        matching(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", "a name such as free_bikes or extra.ebikes"),
    ] = "free_bikes"


class CityBikesMultiSeriesPlugin(MultiSeriesPlugin):
    """Stations of one network, and sums over it, with one request."""

    parameters = (CityBikesParameters,)
    series_parameters = (CityBikesSeries,)

    # a report may be old, and still be the newest one of its station
    source_defaults: ClassVar[Mapping[str, Any]] = {"initial_history": "all", "lookback": "1 day"}

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        params = Params(request_params)
        citybikes = params.read(CityBikesParameters)
        self._network, self._max_age = citybikes.network, citybikes.max_age
        self._coverage = citybikes.coverage
        self._base_url = citybikes.base_url.rstrip("/")
        self._limit = RateLimit(citybikes.per_minute, key="citybikes")
        shared = params.group_values(CityBikesSeries)
        self._selections = read_filters(
            series_definitions, lambda own: _read_selection(own, shared), params
        )
        self.now = utc_now

    async def get_historical_data_multi(
        self,
        start_date: str,  # noqa: ARG002 - there is the present alone
        end_date: str | None = None,  # noqa: ARG002
    ) -> dict[str, Columns | FetchError]:
        """The present values; those of a single station even if they are not in the window.

        A station or a value that the network lacks has an error in place of its points.

        Raises:
            PermanentError: there is no such network.
            TransientError: the API is out of reach, or was asked too often.
            BadDataError: the answer has not the shape that it promises.
        """
        try:
            answer = await self.http.get(
                f"{self._base_url}/networks/{self._network}",
                params={"fields": "stations"},
                limit=self._limit,
            )
        except NotFoundError as error:
            raise PermanentError(
                f"CityBikes has no network {self._network} ({error.message})",
                hint=f"They are listed at {BASE_URL}/networks",
            ) from None
        if answer.has_no_content:
            return {}
        stations = answer.json(_Document).network.stations
        if not stations:
            return {}
        by_id = {str(station.get("id")): station for station in stations}
        results: dict[str, Columns | FetchError] = {}
        for name, selection in self._selections.items():
            value = selection.value
            if all(value.find(station) is ABSENT_FIELD for station in stations):
                results[name] = answer.bad(f"has no station with {value.text!r}")
            elif not selection.station:
                results[name] = self._sum(name, stations, value)
            elif selection.station in by_id:
                results[name] = _present_value(by_id[selection.station], value)
            else:
                results[name] = answer.bad(f"has no station {selection.station!r}")
        return results

    def _sum(self, name: str, stations: Sequence[dict[str, Any]], value: Expression) -> Columns:
        rows = [(_instant(station.get("timestamp")), value.find(station)) for station in stations]
        latest = self.now() + _SKEW
        with_time = [(ts, cell) for ts, cell in rows if isinstance(ts, datetime) and ts <= latest]
        oldest = max((ts for ts, _ in with_time), default=latest) - self._max_age
        recent = [(ts, _number(cell)) for ts, cell in with_time if ts >= oldest]
        reports = [(ts, number) for ts, number in recent if number is not None]
        if not reports or len(reports) < self._coverage * len(stations):
            _log.warning(
                "%s: %d of %d stations of %s report, too few for a sum",
                *(name, len(reports), len(stations), self._network),
            )
            return {"ts": [], "value": []}
        return {
            "ts": [max(ts for ts, _ in reports)],
            "value": [sum(number for _, number in reports)],
        }


class CityBikesDataSourcePlugin(SingleSeriesPlugin):
    """One series; `station` and `value` are among its `default_params`, as of the group."""

    group = CityBikesMultiSeriesPlugin


def _read_selection(extract_filter: Mapping[str, Any], shared: Mapping[str, Any]) -> _Selection:
    params = Params(extract_filter, shared=shared)
    series = params.read(CityBikesSeries)
    params.finish()
    return _Selection(series.station, Expression(series.value))


def _present_value(station: dict[str, Any], value: Expression) -> Columns:
    cell = value.find(station)
    if cell is ABSENT_FIELD:
        return {"ts": [], "value": []}
    return {"ts": [_instant(station.get("timestamp"))], "value": [cell]}


def _instant(stamp: object) -> datetime | object:
    """The instant that a stamp names; what names none is passed on, for the run to refuse.

    Stamps end in `Z`, in an offset, or in both, and what stands for a fraction need not be one.
    They are in UTC where they have no offset.
    """
    match = _STAMP.fullmatch(stamp) if isinstance(stamp, str) else None
    if match is None:
        return stamp
    text = f"{match['second']}{match['fraction'] or ''}{match['offset'] or '+00:00'}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return stamp


def _number(cell: object) -> float | None:
    """A value that can be added up, which may be written as a text; None for any other."""
    if isinstance(cell, str):
        cell = NumberFormat().read(cell)
    if isinstance(cell, bool) or not isinstance(cell, (int, float)) or not math.isfinite(cell):
        return None
    return cell
