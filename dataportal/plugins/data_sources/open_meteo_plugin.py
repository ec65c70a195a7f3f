"""Open-Meteo: forecasts of the weather, and its archive since 1940. No key for non-commercial use.

Answers are columns, always asked for in UTC, as epoch seconds: local times would be those of one
fixed offset, ambiguous where clocks change. What is measured at a moment has that moment as `ts`.
Sums, means and extremes, such as precipitation and radiation, are stamped with the END of the
interval that they are of; `ts` is its start. Days are those of UTC.

A forecast is replaced by that of the next run of the models, so what was forecast when is known
from this database alone. The data are under CC BY 4.0. API: https://open-meteo.com/en/docs
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit

from msgspec import Meta

from dataportal.granularity import interval_length
from dataportal.plugins.base_plugin import (
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
from dataportal.plugins.readers.columnar import ColumnTimes
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.plugins.readers.times import Window
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.plugins.base_plugin import FetchError, TimeSeriesDefinition
    from dataportal.plugins.http.response import Answer

    Results = dict[str, dict[str, Any] | FetchError]

FORECAST_URL = "https://api.open-meteo.com/v1"
ARCHIVE_URL = "https://archive-api.open-meteo.com/v1"
_STEPS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "minutely_15": timedelta(minutes=15),
}
"""How long an interval is, by the block of the answer that a variable stands in."""
_PER_MINUTE = 80  # 600 are allowed in a minute, but 5,000 in an hour
_MOST_PAST_DAYS, _MOST_DAYS_AHEAD = 92, 16
_ARCHIVE_BEGINS = datetime(1940, 1, 1, tzinfo=UTC)
_CHOICES = ("temperature_unit", "wind_speed_unit", "precipitation_unit", "cell_selection")
_THROTTLED = re.compile(r"limit exceeded|too many", re.IGNORECASE)
_OVER_AN_INTERVAL = re.compile(
    r"\w+_(radiation|irradiance)(_clear_sky)?|sunshine_duration|precipitation(_probability)?|rain"
    r"|showers|snowfall(_water_equivalent)?|runoff|(et0_fao_)?evapotranspiration|wind_gusts_10m"
)
_OF_AN_EARLIER_RUN = re.compile(r"_previous_day\d$")
_WAITS = {"one minute": 60.0, "next hour": 3600.0, "tomorrow": 86400.0}


@dataclass(frozen=True, slots=True)
class _Selection:
    """One series.

    Attributes:
        location: latitude and longitude.
        block: of the answer: hourly, daily or minutely_15.
        variable: its name in the block.
        earlier: how long before its stamp the interval of a value begins.
    """

    location: tuple[float, float]
    block: str
    variable: str
    earlier: timedelta


class OpenMeteoParameters(Parameters):
    """What all series of a group share."""

    models: Annotated[
        str | None,
        about("one model (the best for the place)"),
        matching(r"[^,]*", "one model: of several, the variables are renamed"),
    ] = None
    temperature_unit: Annotated[
        str | None, one_of(("celsius", "fahrenheit")), about("celsius or fahrenheit (celsius)")
    ] = None
    wind_speed_unit: Annotated[
        str | None, one_of(("kmh", "ms", "mph", "kn")), about("kmh, ms, mph or kn (kmh)")
    ] = None
    precipitation_unit: Annotated[str | None, one_of(("mm", "inch")), about("mm or inch (mm)")] = (
        None
    )
    cell_selection: Annotated[
        str | None, one_of(("land", "sea", "nearest")), about("land, sea or nearest (land)")
    ] = None
    api_key: Annotated[str, about("of customers; they have hosts of their own", secret=True)] = ""
    per_minute: Annotated[PositiveNumber, about("requests a minute (80)")] = _PER_MINUTE
    base_url: Annotated[
        Address | None, about(f"the address of a mirror (`{FORECAST_URL}`, `{ARCHIVE_URL}`)")
    ] = None


class OpenMeteoForecastParameters(OpenMeteoParameters):
    """The same, and how far a forecast reaches."""

    forecast_days: Annotated[
        int,
        Meta(ge=0, le=_MOST_DAYS_AHEAD),
        about("days ahead from today on, up to 16; of forecasts alone (7)"),
    ] = 7


class OpenMeteoSeries(Parameters):
    """A variable at a place."""

    latitude: Annotated[
        float,
        Meta(ge=-90, le=90),
        about(
            "of the place, in degrees; of a group here, or in the `extract_filter` of each series"
        ),
    ]
    longitude: Annotated[float, Meta(ge=-180, le=180), about("likewise")]
    hourly: Annotated[
        str | None,
        about(
            "the name of a variable, such as `temperature_2m`; of a group in the `extract_filter` "
            "of each series, as the next two are"
        ),
    ] = None
    daily: Annotated[str | None, about("or that of one of the days")] = None
    minutely_15: Annotated[str | None, about("or that of one of each 15 minutes")] = None
    stamp: Annotated[
        str | None,
        one_of(("start", "end")),
        about("`start` or `end`: what of its interval the variable is stamped with (see below)"),
    ] = None


class _OpenMeteo(MultiSeriesPlugin):
    """What forecast and archive share; see `OpenMeteoForecastMultiSeriesPlugin`."""

    parameters: ClassVar[Sequence[type[OpenMeteoParameters]]] = (OpenMeteoParameters,)
    series_parameters = (OpenMeteoSeries,)

    endpoint: ClassVar[str]
    url: ClassVar[str]

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        params = Params(request_params)
        (struct,) = self.parameters
        meteo = params.read(struct)
        self._shared = params.group_values(OpenMeteoSeries)
        key = meteo.api_key.strip()
        self._query: dict[str, Any] = {"timeformat": "unixtime", "timezone": "GMT"}
        for name in (*_CHOICES, "models"):
            if (value := getattr(meteo, name)) is not None:
                self._query[name] = value
        own_url = self.url.replace("://", "://customer-") if key else self.url
        self._base_url = (own_url if meteo.base_url is None else meteo.base_url).rstrip("/")
        self._limit = RateLimit(meteo.per_minute, key=key or "open-meteo")
        self._days_ahead = (
            meteo.forecast_days if isinstance(meteo, OpenMeteoForecastParameters) else 0
        )
        self._query["apikey"] = key or None
        self._selections = read_filters(series_definitions, self._read_selection, params)
        self.now = utc_now

    def _read_selection(self, extract_filter: Mapping[str, Any]) -> _Selection:
        params = Params(extract_filter, shared=self._shared)
        series = params.read(OpenMeteoSeries)
        variables = {name: getattr(series, name) for name in _STEPS}
        given = [(name, variable) for name, variable in variables.items() if variable is not None]
        if len(given) != 1 or not re.fullmatch(r"\w+", given[0][1]):
            params.add_fault(f"one of {', '.join(_STEPS)} must name one variable")
        params.finish()
        ((block, variable),) = given
        is_end = series.stamp == "end" or (not series.stamp and _is_stamped_at_end(block, variable))
        return _Selection(
            (series.latitude, series.longitude),
            block,
            variable,
            _STEPS[block] if is_end else timedelta(),
        )

    @abstractmethod
    def _days(self, start: datetime, end: datetime | None) -> dict[str, Any] | None:
        """The part of the request that says which days; None if there are none."""

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> Results:
        """The observations of each series with `start_date <= ts < end_date`, as columns.

        A variable that the answer lacks has an error in place of its points.

        Raises:
            PermanentError: a variable, place or span that Open-Meteo does not have.
            TransientError: it is out of reach, or was asked too often.
            BadDataError: an answer has not the shape that it promises.
        """
        window = Window(start_date, end_date)
        days = self._days(window.start, window.end)
        if days is None or not self._selections:
            return {}
        selections = self._selections.values()
        locations = list(dict.fromkeys(selection.location for selection in selections))
        variables: dict[str, dict[str, None]] = {}
        for selection in selections:
            variables.setdefault(selection.block, {})[selection.variable] = None
        coordinates = zip(("latitude", "longitude"), zip(*locations, strict=True), strict=True)
        answer = await self._get(
            {name: ",".join(f"{degrees:g}" for degrees in all_) for name, all_ in coordinates}
            | {block: ",".join(names) for block, names in variables.items()}
            | self._query
            | days
        )
        results: Results = {}
        if answer.has_no_content:
            return results
        documents = _documents(answer, len(locations))
        for location, document in zip(locations, documents, strict=True):
            own = {name: s for name, s in self._selections.items() if s.location == location}
            results |= _points(document, own, answer, window)
        return results

    async def _get(self, query: dict[str, Any]) -> Answer:
        try:
            return await self.http.get(
                f"{self._base_url}/{self.endpoint}", params=query, limit=self._limit
            )
        except TransientError as error:
            if error.retry_after is None:
                error.retry_after = _seconds_to_wait(error.message)
            raise


class OpenMeteoForecastMultiSeriesPlugin(_OpenMeteo):
    """Forecasts, and the last days as the models saw them; all series with one request."""

    parameters = (OpenMeteoForecastParameters,)
    endpoint = "forecast"
    url = FORECAST_URL
    source_defaults: ClassVar[Mapping[str, Any]] = {
        "lookback": "2 days",
        "forecast_horizon": "16 days",
    }

    def _days(self, start: datetime, end: datetime | None) -> dict[str, Any] | None:
        if end is None:
            past = (self.now().date() - start.date()).days
            return {
                "past_days": min(max(past, 0), _MOST_PAST_DAYS),
                "forecast_days": self._days_ahead,
            }
        # the API refuses days that no model reaches
        last = max(min(end, self.now() + timedelta(days=_MOST_DAYS_AHEAD - 1)), start)
        return {"start_date": f"{start:%Y-%m-%d}", "end_date": f"{last:%Y-%m-%d}"}


class OpenMeteoArchiveMultiSeriesPlugin(_OpenMeteo):
    """The weather of the past, from reanalyses; it comes two to five days late.

    All series with one request.
    """

    endpoint = "archive"
    url = ARCHIVE_URL
    # the first, quick analysis of a day is replaced after five days
    source_defaults: ClassVar[Mapping[str, Any]] = {"lookback": "10 days", "max_window": "366 days"}

    def _days(self, start: datetime, end: datetime | None) -> dict[str, Any] | None:
        # the day of the end too: what is stamped an hour after the window may begin in it
        first, last = max(start, _ARCHIVE_BEGINS), min(end or self.now(), self.now())
        if first.date() > last.date():
            return None
        return {"start_date": f"{first:%Y-%m-%d}", "end_date": f"{last:%Y-%m-%d}"}


class OpenMeteoForecastDataSourcePlugin(SingleSeriesPlugin):
    """One series of forecasts; place and variable are among its `default_params`."""

    group = OpenMeteoForecastMultiSeriesPlugin


class OpenMeteoArchiveDataSourcePlugin(SingleSeriesPlugin):
    """One series of the past; place and variable are among its `default_params`."""

    group = OpenMeteoArchiveMultiSeriesPlugin


def _is_stamped_at_end(block: str, variable: str) -> bool:
    """Whether the variable is stamped with the end of its interval, as the API's manual has it.

    Sums, means and extremes are, except for those of days; what is measured at a moment is not.
    Source: https://open-meteo.com/en/docs, the column "Valid time" of its tables.
    """
    name = _OF_AN_EARLIER_RUN.sub("", variable)
    return block != "daily" and bool(_OVER_AN_INTERVAL.fullmatch(name))


def _documents(answer: Answer, count: int) -> list[dict[str, Any]]:
    """The documents of so many locations, in their order."""
    content = answer.json()
    if isinstance(content, dict) and content.get("error"):
        reason = answer.hide(str(content.get("reason", "no reason given")))[:300]
        message = f"Open-Meteo reports an error in its answer to GET {answer.url}: {reason}"
        if not _THROTTLED.search(reason):
            raise PermanentError(message)
        host = urlsplit(answer.url).hostname
        raise TransientError(message, retry_after=_seconds_to_wait(reason), host=host)
    documents = content if isinstance(content, list) else [content]
    if len(documents) != count or not all(isinstance(document, dict) for document in documents):
        raise answer.bad(f"is not of {count} {'place' if count == 1 else 'places'}")
    return documents


def _seconds_to_wait(text: str) -> float | None:
    """How long to wait, by texts such as "limit exceeded. Please try again in one minute"."""
    return next((seconds for word, seconds in _WAITS.items() if word in text.lower()), None)


def _points(
    document: dict[str, Any],
    selections: Mapping[str, _Selection],
    answer: Answer,
    window: Window,
) -> Results:
    """The points of each series of one location; an error for one that the answer lacks."""
    results: Results = {}
    times: dict[str, ColumnTimes] = {}
    for name, selection in selections.items():
        block = document.get(selection.block)
        if not isinstance(block, dict) or "time" not in block:
            raise answer.bad(f"has no times in {selection.block}")
        if selection.block not in times:
            offset = document.get("utc_offset_seconds", 0)
            times[selection.block] = ColumnTimes(block["time"], answer, window, offset=offset)
        units = document.get(f"{selection.block}_units")
        units = units if isinstance(units, dict) else {}
        # a variable that the model lacks comes as nulls in a unit of this name
        variables = [v for v in block if v != "time" and units.get(v) != "undefined"]
        if selection.variable in variables:
            column = block[selection.variable]
            points = times[selection.block].points(
                selection.variable,
                column,
                earlier=selection.earlier,
                length=interval_length("P1D" if selection.block == "daily" else None),
            )
            unit = units.get(selection.variable)
            results[name] = {**points, "unit": unit} if isinstance(unit, str) else points
        else:
            known = ", ".join(sorted(variables)) or "none"
            results[name] = answer.bad(
                f"has no {selection.variable!r} in {selection.block}, but {known}"
            )
    return results
