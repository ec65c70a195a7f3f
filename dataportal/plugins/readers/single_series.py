"""The plugin for a single series, made of a provider's plugin for groups."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.plugins.base_plugin import BasePlugin, FetchError, TimeSeriesDefinition
from dataportal.plugins.parameters import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.base_plugin import MultiSeriesPlugin, Points, TimeSeriesMetadata


class SingleSeriesPlugin(BasePlugin):
    """One series, fetched as a group of one.

    `default_params`: the `request_params` of the group together with what the `extract_filter` of
    the series would say; the group's plugin must take both among its `request_params`.
    """

    group: ClassVar[type[MultiSeriesPlugin]]
    """The plugin for groups."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.source_defaults = cls.group.source_defaults
        cls.parameters = (*cls.group.parameters, *cls.group.series_parameters)
        cls.reading = cls.group.reading

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        name = metadata.endpoint_prefix
        definitions = [TimeSeriesDefinition(name)]
        schedule = metadata.update_frequency or ""
        try:
            self._group = self.group(name, default_params, definitions, schedule)
        except ParameterError as error:
            # there is no extract_filter here that could be wrong
            prefix = f"extract_filter of {name}: "
            faults = [
                (keys[3:] if keys[:1] == ("timeseries",) else keys, message.replace(prefix, ""))
                for keys, message in error.faults
            ]
            raise ParameterError(faults, str(error).replace(prefix, "")) from None

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a series is one metric
    ) -> Points:
        """The observations with `start_date <= ts < end_date`, as the group's plugin has them."""
        self._group.http, self._group.zone = self.http, self.zone
        answer = self._group.get_historical_data_multi(start_date, end_date)
        by_series = await answer if inspect.isawaitable(answer) else answer
        points = by_series.get(self._meta.endpoint_prefix, [])
        if isinstance(points, FetchError):
            raise points
        return points
