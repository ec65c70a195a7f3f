"""Elexon Insights (BMRS), the electricity market of Great Britain. No key needed.

`startTime` is the start of the interval in UTC, and what values are kept by: settlement dates are
days in London, of 46 to 50 half-hours, and were wrong for single half-hours of 2021 and 2022. Power
is in MW, the mean of its half-hour or of its five minutes; prices are in GBP/MWh. Flows over
interconnectors (INT…) are negative when they leave Great Britain.

Rows tell when they were published, and may come again with another value: with `vintages` each
publication is kept. What has to be asked for a window depends on the data set and on whether the
window is open, which is why this is more than a description in YAML.
API: https://bmrs.elexon.co.uk/api-documentation
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from dataportal.plugins.base_plugin import BadDataError, MultiSeriesPlugin, PermanentError
from dataportal.plugins.data_sources.elexon_plugin.datasets import DATASETS, requests
from dataportal.plugins.data_sources.elexon_plugin.series import ElexonSeries, Selection
from dataportal.plugins.http import NotFoundError, RateLimit
from dataportal.plugins.parameters import Address, Parameters, PositiveNumber, about
from dataportal.plugins.readers.extract_filters import raise_if_all_failed, read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.plugins.readers.times import Window

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from dataportal.plugins.base_plugin import FetchError, TimeSeriesDefinition
    from dataportal.plugins.data_sources.elexon_plugin.datasets import Dataset
    from dataportal.plugins.data_sources.elexon_plugin.series import Columns, Row
    from dataportal.plugins.http.response import Answer

BASE_URL = "https://data.elexon.co.uk/bmrs/api/v1"
_PER_MINUTE = 120  # no limit is documented, but 429 has been seen


class ElexonParameters(Parameters):
    """How Elexon is asked."""

    per_minute: Annotated[PositiveNumber, about("requests a minute (120)")] = _PER_MINUTE
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class ElexonMultiSeriesPlugin(MultiSeriesPlugin):
    """Several series of Elexon Insights; all of one data set share its requests.

    The `extract_filter` of each series may give any of the `request_params` too, and beats them
    there.
    """

    series_parameters = (ElexonSeries, ElexonParameters)

    # outturns are corrected within days; the forecasts reach up to four days ahead
    source_defaults: ClassVar[Mapping[str, Any]] = {
        "lookback": "7 days",
        "forecast_horizon": "4 days",
        "max_window": "35 days",
    }

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        self._selections = read_filters(series_definitions, self._read_selection)

    def _read_selection(self, extract_filter: Mapping[str, Any]) -> Selection:
        params = Params(extract_filter, shared=self._request_params)
        elexon = params.read(ElexonParameters)
        self._base_url = elexon.base_url.rstrip("/")
        self._limit = RateLimit(elexon.per_minute)
        selection = Selection.read(params)
        params.finish()
        return selection

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, Columns | FetchError]:
        """The observations of each series with `start_date <= ts < end_date`, as columns.

        With `published_at` where the data set tells it; an error in place of those that failed
        alone. Each data set is requested once.

        Raises:
            FetchError: as the client does; a BadDataError also if there is no list of rows.
        """
        window = Window(start_date, end_date)
        results: dict[str, Columns | FetchError] = {}
        for dataset in dict.fromkeys(selection.dataset for selection in self._selections.values()):
            sharing = {
                name: selection
                for name, selection in self._selections.items()
                if selection.dataset == dataset
            }
            try:
                rows_by_key, last = await self._rows_by_key(DATASETS[dataset], window)
            except (PermanentError, BadDataError) as error:
                results |= dict.fromkeys(sharing, error)
                continue
            for name, selection in sharing.items():
                results[name] = selection.columns(rows_by_key, window, last)
        raise_if_all_failed(results)
        return results

    async def _rows_by_key(
        self, dataset: Dataset, window: Window
    ) -> tuple[dict[tuple[str, ...], list[tuple[Answer, Row]]], Answer | None]:
        """The rows of a data set by its key fields, and the last answer that had any."""
        rows_by_key: dict[tuple[str, ...], list[tuple[Answer, Row]]] = {}
        last: Answer | None = None
        async for answer, rows in self._rows(dataset, window):
            last = answer
            for row in rows:
                key = tuple([str(row.get(field)) for field in dataset.key_fields])
                rows_by_key.setdefault(key, []).append((answer, row))
        return rows_by_key, last

    async def _rows(
        self, dataset: Dataset, window: Window
    ) -> AsyncIterator[tuple[Answer, list[Row]]]:
        for path, query in requests(dataset, window):
            answer = await self._get(dataset, path, query)
            if answer.has_no_content:
                continue
            document = answer.json()
            # a stream is a bare list; everything else comes in an envelope
            rows = document.get("data") if isinstance(document, dict) else document
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise answer.bad("has no list of rows")
            yield answer, rows

    async def _get(self, dataset: Dataset, path: str, query: Mapping[str, str]) -> Answer:
        try:
            url = f"{self._base_url}/{dataset.path}{path}"
            return await self.http.get(url, params=dict(query), limit=self._limit)
        except NotFoundError as error:
            if not dataset.documented or error.status == HTTPStatus.GONE:
                raise
        url = f"{self._base_url}/{dataset.documented}{path}"
        return await self.http.get(url, params=dict(query), limit=self._limit)


class ElexonDataSourcePlugin(SingleSeriesPlugin):
    """One series; all it says of itself is among its `default_params`, as of the group."""

    group = ElexonMultiSeriesPlugin
