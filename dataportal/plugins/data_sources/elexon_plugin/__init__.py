"""Elexon Insights (BMRS), the electricity market of Great Britain. No key needed.

`startTime` is the start of the interval in UTC, and what values are kept by: settlement dates are
days in London, of 46 to 50 half-hours, and were wrong for single half-hours of 2021 and 2022. Power
is in MW, mean of its half-hour or momentary every five minutes; prices are in GBP/MWh. Flows over
interconnectors (INT…) are negative when they leave Great Britain.

Rows tell when they were published, and may come again with another value: with `vintages` each
publication is kept. What has to be asked for a window depends on the data set and on whether the
window is open, which is why this is more than a description in YAML.
API: https://bmrs.elexon.co.uk/api-documentation
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.plugins.base_plugin import BadDataError, MultiSeriesPlugin
from dataportal.plugins.data_sources.elexon_plugin.datasets import DATASETS, KNOWN, requests
from dataportal.plugins.data_sources.elexon_plugin.publications import Publications
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.rate_limits import rate_limit
from dataportal.plugins.readers.single_series import Alone
from dataportal.plugins.readers.times import TimeFormat, Window

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from dataportal.plugins.base_plugin import FetchError, TimeSeriesDefinition
    from dataportal.plugins.data_sources.elexon_plugin.datasets import Dataset
    from dataportal.plugins.http.response import Answer

    Columns = dict[str, list[Any]]
    Row = dict[str, Any]

BASE_URL = "https://data.elexon.co.uk/bmrs/api/v1"
_PER_MINUTE = 120  # no limit is documented, but 429 has been seen
_LISTED = 40
_TIMES = TimeFormat()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One series: which field of which rows."""

    dataset: str
    value: str
    filters: tuple[tuple[str, str], ...]
    vintages: bool

    @property
    def is_known(self) -> bool:
        """Whether such rows have been seen, so that none may be due to the time asked for."""
        return all(text in KNOWN[name] for name, text in self.filters)

    def columns(self, rows: Sequence[tuple[Answer, Row]], window: Window) -> Columns:
        """What its rows hold in the window.

        Raises:
            BadDataError: a row lacks a field.
        """
        published = DATASETS[self.dataset].published
        needed = ("startTime", self.value, *filter(None, [published]))
        found = Publications()
        for answer, row in rows:
            lacking = next((name for name in needed if name not in row), None)
            if lacking is not None:
                raise answer.bad(f"has a row without {lacking!r}")
            moment = _TIMES.read(row["startTime"])
            if isinstance(moment, str) or window.covers(moment):
                found.add(moment, _TIMES.read(row.get(published)), row[self.value])
        return found.every if published and self.vintages else found.newest


class ElexonMultiSeriesPlugin(MultiSeriesPlugin):
    """Several series of Elexon Insights; all of one data set are asked for once.

    `request_params`; the `extract_filter` of each series may give any of them too, and beats them
    there:
        dataset: FUELHH (generation and interconnectors every half-hour), FUELINST (every five
            minutes), AGPT (with solar, and wind on- and offshore), INDO and ITSDO (demand, without
            and with station load, pumping and exports), NDF and TSDF (their forecasts), WINDFOR
            (forecast of wind), MID (market index), or system_prices (imbalance prices, of the
            latest settlement run).
        value: the field, where the data set has several: of MID price (the default) or volume; of
            system_prices systemSellPrice (the default), systemBuyPrice, netImbalanceVolume, …
        fuelType: of FUELHH and FUELINST, such as CCGT, WIND, INTFR.
        psrType: of AGPT, such as Solar, Wind Offshore.
        boundary: of NDF and TSDF: N for the whole country.
        dataProvider: of MID: APXMIDP or N2EXMIDP.
        vintages: true; false keeps the newest publication only.
        per_minute: how often to ask at most; 120.
        base_url: a mirror's address instead of Elexon's own.
    """

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
        self._wanted = read_filters(series_definitions, self._read)

    def _read(self, extract_filter: Mapping[str, Any]) -> _Wanted:
        params = Params({**self._request_params, **extract_filter})
        name = params.choice("dataset", DATASETS, required=True)
        dataset = DATASETS.get(name, DATASETS["FUELHH"])
        self._base_url = params.text("base_url", BASE_URL).rstrip("/")
        self._limit = rate_limit(params, _PER_MINUTE)
        value = params.choice("value", dataset.values) or dataset.values[0]
        filters = tuple((field, params.text(field, required=True)) for field in dataset.by)
        for field in KNOWN:
            if field not in dataset.by and params.has(field):
                params.fault(f"{field} does not go with dataset {name}")
        vintages = params.flag("vintages", default=True)
        params.finish()
        return _Wanted(name, value, filters, vintages)

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, Columns | FetchError]:
        """The observations of each series with `start_date <= ts < end_date`, as columns.

        With `published_at` where the data set tells it; an error in place of those that failed
        alone. A data set is asked for once.

        Raises:
            FetchError: as the client does; a BadDataError also if there is no list of rows.
        """
        window = Window(start_date, end_date)
        found: dict[str, Columns | FetchError] = {}
        for name in dict.fromkeys(wanted.dataset for wanted in self._wanted.values()):
            own: dict[tuple[str, ...], list[tuple[Answer, Row]]] = {}
            last: Answer | None = None
            async for answer, rows in self._rows(DATASETS[name], window):
                last = answer
                for row in rows:
                    key = tuple([str(row.get(field)) for field in DATASETS[name].by])
                    own.setdefault(key, []).append((answer, row))
            for prefix, wanted in self._wanted.items():
                if wanted.dataset == name:
                    found[prefix] = _columns(wanted, own, window, last)
        return found

    async def _rows(
        self, dataset: Dataset, window: Window
    ) -> AsyncIterator[tuple[Answer, list[Row]]]:
        for path, query in requests(dataset, window):
            answer = await self.http.get(
                f"{self._base_url}/{dataset.path}{path}", params=query, limit=self._limit
            )
            document = answer.json()
            # a stream is a bare list; everything else comes in an envelope
            rows = document.get("data") if isinstance(document, dict) else document
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise answer.bad("has no list of rows")
            yield answer, rows


class ElexonDataSourcePlugin(Alone):
    """One series; all it says of itself is among its `default_params`, as of the group."""

    group = ElexonMultiSeriesPlugin


def _columns(
    wanted: _Wanted,
    rows: Mapping[tuple[str, ...], Sequence[tuple[Answer, Row]]],
    window: Window,
    last: Answer | None,
) -> Columns | FetchError:
    own = rows.get(tuple(text for _, text in wanted.filters), ())
    if not own and rows and last is not None and not wanted.is_known:
        asked = ", ".join(f"{name} {text}" for name, text in wanted.filters)
        there = ", ".join(sorted(", ".join(key) for key in rows)[:_LISTED])
        return last.bad(f"has no row of {asked}, but {there}")
    try:
        return wanted.columns(own, window)
    except BadDataError as error:
        return error
