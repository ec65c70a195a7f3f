"""Energy-Charts, electricity data of Europe by Fraunhofer ISE. No key needed.

Answers are columns: `unix_seconds`, the START of each interval in UTC, and lists of values beside
it. Power is in MW, the exchanges `cbet` and `cbpf` are in GW, prices in EUR/MWh; intervals last 15
minutes, an hour for older prices. The data are under CC BY 4.0; of the prices of some zones the
answer says another licence. API: https://api.energy-charts.info
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from dataportal.plugins.base_plugin import BadDataError, MultiSeriesPlugin, PermanentError
from dataportal.plugins.http import NotFoundError, RateLimit
from dataportal.plugins.parameters import Address, Parameters, PositiveNumber, about, one_of
from dataportal.plugins.readers.columnar import ColumnTimes
from dataportal.plugins.readers.extract_filters import raise_if_all_failed, read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.plugins.readers.times import Window
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.plugins.base_plugin import FetchError, TimeSeriesDefinition
    from dataportal.plugins.http.response import Answer

BASE_URL = "https://api.energy-charts.info"
_PER_MINUTE = 30  # the limit is not published; 429 comes when it is reached
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before anything that it has
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Which parameters an endpoint takes, and where the values stand in its answers.

    Attributes:
        query: the parameters of the request.
        column: the list of values, where there is one;
        rows: else the list of objects with `name` and `data`, and
        row_parameter: the key of an `extract_filter` that tells them apart.
        ahead: how far past now the values reach.
    """

    query: tuple[str, ...]
    column: str = ""
    rows: str = ""
    row_parameter: str = ""
    ahead: timedelta = timedelta()


ENDPOINTS = {
    "price": _Endpoint(("bzn",), column="price", ahead=timedelta(days=2)),
    "public_power": _Endpoint(
        ("country",), rows="production_types", row_parameter="production_type"
    ),
    "total_power": _Endpoint(
        ("country",), rows="production_types", row_parameter="production_type"
    ),
    "public_power_forecast": _Endpoint(
        ("country", "production_type", "forecast_type"),
        column="forecast_values",
        ahead=timedelta(days=3),
    ),
    "cbet": _Endpoint(("country",), rows="countries", row_parameter="neighbour"),
    "cbpf": _Endpoint(("country",), rows="countries", row_parameter="neighbour"),
    "frequency": _Endpoint(("region",), column="data"),
}
"""`cbet` are scheduled exchanges with the neighbours of a country, `cbpf` physical flows."""
_UNKNOWN = _Endpoint(())
"""An endpoint that there is not: nobody knows which parameters are wrong."""


class EnergyChartsParameters(Parameters):
    """What all series of a group share."""

    endpoint: Annotated[str, one_of(ENDPOINTS), about("what is asked for, see below")]
    per_minute: Annotated[PositiveNumber, about("requests a minute (30)")] = _PER_MINUTE
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class EnergyChartsSeries(Parameters):
    """What a series says of itself, by the endpoint of its group."""

    country: Annotated[
        str | None,
        about("such as de; of a group here, or in the `extract_filter` of each series"),
    ] = None
    bzn: Annotated[str | None, about("the bidding zone, such as DE-LU; likewise")] = None
    production_type: Annotated[str | None, about("such as Solar; likewise")] = None
    forecast_type: Annotated[str | None, about("current, intraday or day-ahead; likewise")] = None
    neighbour: Annotated[str | None, about("such as Austria; likewise")] = None
    region: Annotated[str | None, about("such as DE-Freiburg; likewise")] = None


@dataclass(frozen=True, slots=True)
class _Selection:
    """One series: the request that brings it, and the name of its row where there are several."""

    query: tuple[tuple[str, str], ...]
    row: str


class EnergyChartsMultiSeriesPlugin(MultiSeriesPlugin):
    """Series of one endpoint; those that one request brings are fetched with one.

    `bzn: DE-LU` (price); `country: de` and `production_type: Solar`, as the answer names it
    (public_power, total_power); `country`, `production_type: solar` and `forecast_type: day-ahead`
    (public_power_forecast); `country` and `neighbour: Austria` (cbet, cbpf); `region: DE-Freiburg`
    (frequency).
    """

    parameters = (EnergyChartsParameters,)
    series_parameters = (EnergyChartsSeries,)

    # estimates of the production are replaced for days
    source_defaults: ClassVar[Mapping[str, Any]] = {
        "lookback": "5 days",
        "forecast_horizon": "3 days",
        "max_window": "366 days",
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
        charts = params.read(EnergyChartsParameters)
        self._path = charts.endpoint
        self._base_url = charts.base_url.rstrip("/")
        self._limit = RateLimit(charts.per_minute, key="energy-charts")
        self._endpoint = ENDPOINTS.get(self._path, _UNKNOWN)
        row_parameter = self._endpoint.row_parameter
        self._names = (*self._endpoint.query, *filter(None, [row_parameter]))
        self._shared = params.group_values(EnergyChartsSeries)
        self._selections = read_filters(series_definitions, self._read_selection, params)
        self.now = utc_now

    def _read_selection(self, extract_filter: Mapping[str, Any]) -> _Selection:
        params = Params(extract_filter, shared=self._shared)
        texts = msgspec.structs.asdict(params.read(EnergyChartsSeries))
        params.check_choice(texts, self._names, self._path)
        params.finish()
        row = texts.get(self._endpoint.row_parameter, "")
        return _Selection(tuple((name, texts[name]) for name in self._endpoint.query), row)

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, dict[str, Any] | FetchError]:
        """The observations of each series with `start_date <= ts < end_date`, as columns.

        A series that the answer lacks has an error in place of its points, and so have all of a
        request that is refused, or that is answered with nonsense.

        Raises:
            TransientError: the API is out of reach, or was asked too often.
        """
        window = Window(start_date, end_date)
        results: dict[str, dict[str, Any] | FetchError] = {}
        for query in dict.fromkeys(selection.query for selection in self._selections.values()):
            rows = {
                name: selection.row
                for name, selection in self._selections.items()
                if selection.query == query
            }
            try:
                answer = await self._get(query, window)
                results |= {} if answer is None else self._series(rows, answer, window)
            except (PermanentError, BadDataError) as error:
                # one zone that is not known must not cost the others
                results |= dict.fromkeys(rows, error)
        raise_if_all_failed(results)
        return results

    def _series(
        self, rows: Mapping[str, str], answer: Answer, window: Window
    ) -> dict[str, dict[str, Any] | FetchError]:
        document = answer.json(dict[str, Any])
        if document.get("deprecated"):
            _log.warning("Energy-Charts is about to remove %s", answer.url)
        columns = self._columns(document, answer)
        times = ColumnTimes(document["unix_seconds"], answer, window)
        # only prices come with one, in one spelling or another: EUR/MWh, EUR / MWh
        unit = document.get("unit") if self._endpoint.column == "price" else None
        stated = {"unit": unit} if isinstance(unit, str) else {}
        results: dict[str, dict[str, Any] | FetchError] = {}
        for name, row in rows.items():
            points = _points(times, columns, row, answer)
            results[name] = {**points, **stated} if isinstance(points, dict) else points
        return results

    async def _get(self, query: tuple[tuple[str, str], ...], window: Window) -> Answer | None:
        """The answer; None where nothing is published yet."""
        # without an end it would be the day of the start
        end = self.now() + self._endpoint.ahead if window.end is None else window.end
        start = max(window.start, _BEGINNING)
        if end <= start:
            return None
        try:
            answer = await self.http.get(
                f"{self._base_url}/{self._path}",
                params={
                    **dict(query),
                    "start": _utc_text(start),
                    "end": _utc_text(end),
                },
                limit=self._limit,
            )
        except NotFoundError as error:
            # the same status tells of an address that is wrong
            if "no content" in error.message.lower():
                return None
            raise
        return None if answer.has_no_content else answer

    def _columns(self, document: dict[str, Any], answer: Answer) -> dict[str, Any]:
        """The lists of values by the names of their rows; a single list by an empty name."""
        endpoint = self._endpoint
        for needed in ("unix_seconds", endpoint.column or endpoint.rows):
            if needed not in document:
                raise answer.bad(f"has no {needed}")
        if endpoint.column:
            return {"": document[endpoint.column]}
        rows = document[endpoint.rows] or []
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and {"name", "data"} <= row.keys() for row in rows
        ):
            raise answer.bad(f"has no list of names and data at {endpoint.rows}")
        return {str(row["name"]): row["data"] for row in rows}


class EnergyChartsDataSourcePlugin(SingleSeriesPlugin):
    """One series; all it says of itself is among its `default_params`, as of the group."""

    group = EnergyChartsMultiSeriesPlugin


def _utc_text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S+00:00}"


def _points(
    times: ColumnTimes, columns: dict[str, Any], row: str, answer: Answer
) -> dict[str, Any] | FetchError:
    if row in columns:
        return times.points(row or "values", columns[row])
    if not len(times):
        return {"ts": [], "value": []}
    return answer.bad(f"has no {row!r}, but {', '.join(sorted(columns)) or 'none'}")
