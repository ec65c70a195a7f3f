"""The public plugin API: derive from `BasePlugin` (one series) or `MultiSeriesPlugin` (a group).

A plugin asks a provider for a window of time and returns points. It need not clip, sort, drop
duplicates or retry: the run does. It raises one of

- `TransientError` for what may pass (tried again),
- `PermanentError` for what will not,
- `BadDataError` for an answer that is not what the provider promises;

anything else that escapes is reported as a bug of the plugin. `self.http` raises these by itself.

A point is `{"ts": …, "value": …}`. `ts`: the start of the interval observed, as an ISO 8601 text or
a datetime; without an offset it is local to the source's `timezone`, and refused if there is none.
`value`: a number, a plain decimal text, or None (NaN) for "no value": a None for an observation
that is stored retracts it, while a point left out changes nothing.
Instead of a list of points, columns: `{"ts": [...], "value": [...]}`. With `"unchanged": True`
beside them they lack what the provider said is as it was when it was stored (`Answer.keep`).

`end`, in a point or as a column, is where the interval ends, if the provider says it: an interval
that began before the window and reaches into it is stored. A plugin that clips by itself may say
how many points it left out, beside its columns: `"outside": {"before": 3, "after": 1}`, and
`"duplicates"` for rows that were equal to others in every field.

`"unit": "MWh"` beside columns is the unit that the answer names: the first one is kept, and an
answer in another one is refused. `"published_zone"` is the zone of whose days it publishes.
`"resolutions": [("2025-09-30T22:00:00Z", "PT15M"), …]` beside columns says how long the intervals
are, from which ts on, in order. Left out, the distance of the points says it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.errors import BadDataError, FetchError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.parameters import Parameters

    Points = Sequence[Mapping[str, Any]] | Mapping[str, Any]
    """A list of points; or columns, or `{"data": <either>}`."""
    Answers = Mapping[str, Points | FetchError]

__all__ = [
    "BadDataError",
    "BasePlugin",
    "FetchError",
    "MultiSeriesPlugin",
    "PermanentError",
    "TimeSeriesDefinition",
    "TimeSeriesMetadata",
    "TransientError",
]


@dataclass(frozen=True, slots=True)
class TimeSeriesMetadata:
    """What sources.yaml says of the one series of a `timeseries:` entry."""

    endpoint_prefix: str
    name: str | None = None
    description: str | None = None
    granularity: str | None = None
    unit: str | None = None
    domain: str | None = None
    category: str | None = None
    subcategory: str | None = None
    update_frequency: str | None = None
    timezone: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Every further key under `metadata`, as it stands there."""

    @property
    def unique_id(self) -> str:
        """Another name for `endpoint_prefix`."""
        return self.endpoint_prefix

    @property
    def frequency(self) -> str | None:
        """Another name for `granularity`."""
        return self.granularity


@dataclass(frozen=True, slots=True)
class TimeSeriesDefinition:
    """One series of a `request_groups:` entry, and what of the shared answer belongs to it."""

    endpoint_prefix: str
    name: str | None = None
    frequency: str | None = None
    extract_filter: Mapping[str, Any] = field(default_factory=dict)
    unit: str | None = None
    domain: str | None = None
    category: str | None = None
    description: str | None = None
    subcategory: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Every further key under `metadata`, as it stands there."""

    @property
    def unique_id(self) -> str:
        """Another name for `endpoint_prefix`."""
        return self.endpoint_prefix

    @property
    def granularity(self) -> str | None:
        """Another name for `frequency`."""
        return self.frequency


class _Plugin:
    """What both kinds of plugin have: defaults for their sources, and an HTTP client."""

    source_defaults: ClassVar[Mapping[str, Any]] = {}
    """Defaults for keys of a source that says nothing: `{"lookback": "14 days"}`."""

    parameters: ClassVar[Sequence[type[Parameters]]] = ()
    """Structs that declare what `default_params` or `request_params` take, for editors and the
    manual; see dataportal.plugins.parameters."""

    blocks: ClassVar[bool] = False
    """Whether the methods block (files, another library's I/O). Built-in plugins that do not
    share one event loop; those that do, and all plugins from elsewhere, get a thread each."""

    reading: ClassVar[int] = 1
    """Rises when the plugin mends how it reads its provider. The next run of a series that is
    stored by an earlier reading asks for all of it, and its answer says what moved (`reread`)."""

    http: HttpClient
    """The client to ask providers with. Set by the run before the first call, not in `__init__`.
    A plugin from elsewhere may use it from any thread and event loop of its own."""

    config_dir: Path = Path()
    """The folder of the entry's file: relative paths in params start there. Set like `http`."""

    zone: ZoneInfo | None = None
    """The source's `timezone`. The run resolves local times by itself; a plugin needs it only to
    calculate with them. Set like `http`."""

    @property
    def max_requests(self) -> int | None:
        """How many requests a run sends at most, for `fetch --plan`; None for any number."""
        return None

    def count_requests(self, start_date: str, end_date: str | None = None) -> int | None:
        """How many requests a window takes at least, for `fetch --plan`; None for "not known".

        Nobody is asked for it, and `http` is not set. Arguments as of the other methods.
        """
        del start_date, end_date
        return None


class BasePlugin(_Plugin, ABC):
    """Fetches one series.

    Args:
        metadata: the entry's `metadata`, as `_meta`.
        default_params: the entry's `default_params`, as `_defaults`.
    """

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        self._meta = metadata
        self._defaults = default_params

    @abstractmethod
    def get_historical_data(
        self, start_date: str, end_date: str | None = None, metrics: Sequence[str] | None = None
    ) -> Points | Awaitable[Points]:
        """The observations with `start_date <= ts < end_date`; more is clipped. May be `async`.

        Args:
            start_date: ISO 8601 in UTC, such as `2025-01-01T00:00:00Z`.
            end_date: the same; None for the newest there is, forecasts included.
            metrics: the metadata's `available_metrics`, or None.
        """


class MultiSeriesPlugin(_Plugin, ABC):
    """Fetches several series with as few requests as the provider allows.

    Args:
        group_id: the entry's name, as `_group_id`.
        request_params: the entry's `request_params`, as `_request_params`.
        series_definitions: the entry's `timeseries`, as `_series_definitions`.
        schedule: the entry's `schedule` as it is written there, as `_schedule`.
    """

    series_parameters: ClassVar[Sequence[type[Parameters]]] = ()
    """Structs that declare what the `extract_filter` of a series takes, or the `request_params`
    for all of them."""

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        self._group_id = group_id
        self._request_params = request_params
        self._series_definitions = series_definitions
        self._schedule = schedule

    @abstractmethod
    def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> Answers | Awaitable[Answers]:
        """The points of each series, by `endpoint_prefix`; arguments as in `BasePlugin`.

        A series that is left out, or empty, changes nothing. Where one failed for good while others
        came, its error may stand in place of its points: the others are stored, and the run is
        partial and names it. What may pass is raised: all of it comes again with the next attempt.
        """
