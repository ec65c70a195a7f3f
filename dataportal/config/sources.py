"""The sources of sources.yaml, typed: their series, options, and the limits of their runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dataportal.config.keys import LIMITS, OPTIONS
from dataportal.config.variables import variable_names
from dataportal.errors import PluginError
from dataportal.json_text import to_unescaped_json
from dataportal.repetitions import Repeated
from dataportal.schedule import slot_offset
from dataportal.times import format_duration, multiply, time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from dataportal.errors import Problem
    from dataportal.series import SeriesDescription

DEFAULT_SCHEDULE = timedelta(hours=1)
_STALE_SCHEDULES = 3


_NAMED_PARAM = re.compile(r"'?([A-Za-z_]\w*(?:\.\w+)*)")


@dataclass(frozen=True, slots=True)
class Limits:
    """How far and how long a run of a source reaches.

    Attributes:
        lookback: how far before its newest observation each run asks again.
        initial_history: how far back the first run asks; None for all there is.
        forecast_horizon: how far past now observations may reach.
        max_window: the longest slice; None for no limit.
        timeout: how long one slice may take, with its retries.
        zone: of times that come without an offset; None rejects them.
        dormant_after: how long a series may rest before it counts as ended.
        repeated: what several numbers for one time mean.
    """

    lookback: timedelta = timedelta(days=7)
    initial_history: timedelta | None = timedelta(days=30)
    forecast_horizon: timedelta = timedelta()
    max_window: timedelta | None = None
    timeout: timedelta = timedelta(minutes=15)
    zone: ZoneInfo | None = None
    dormant_after: timedelta = timedelta(days=90)
    repeated: Repeated = Repeated.REFUSE


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of sources.yaml: one lock, one run, one schedule.

    Attributes:
        name: the entry's name.
        where: `file:line:column` of it.
        file: in which it stands, as messages show it.
        folder: of that file; files that its parameters name are found from there.
        module: the plugin's module, as it is written.
        class_name: the plugin's class.
        is_group: whether it stands under `request_groups:`.
        series: its series; exactly one unless it is a group.
        extract_filters: of a group, what of the shared answer belongs to each series, by its
            endpoint_prefix.
        params: what its plugin gets, `${VAR}` not yet expanded.
        options: every option that it gives, by its first name, parsed.
        schedule_text: the schedule as it is written.
        missing_env: variables that it requires and that are not set; it is not run.
        available_metrics: handed to a single-series plugin as `metrics`.
        find_param: finds `file:line:column` of a parameter, by the keys that lead to it, or of the
            innermost of them that there is; `timeseries` and a number lead to a series of a group.
    """

    name: str
    where: str
    module: str
    class_name: str
    is_group: bool
    series: tuple[SeriesDescription, ...]
    extract_filters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    schedule_text: str = format_duration(DEFAULT_SCHEDULE)
    missing_env: tuple[str, ...] = ()
    available_metrics: tuple[str, ...] = ()
    file: Path | None = None
    folder: Path | None = None
    find_param: Callable[[Sequence[str | int]], str | None] = field(
        default=lambda _keys: None, compare=False, repr=False
    )

    def where_of(self, keys: Sequence[str | int]) -> str:
        """`file:line:column` of the parameter that the keys lead to; else of the entry."""
        return (self.find_param(keys) if keys else None) or self.where

    @property
    def schedule(self) -> timedelta:
        """How often it is to be asked."""
        length: timedelta = self.options.get("schedule", DEFAULT_SCHEDULE)
        return length

    @property
    def slot_offset(self) -> timedelta:
        """How far after each multiple of its schedule it is due."""
        offset: timedelta | None = self.options.get("slot_offset")
        return slot_offset(self.name, self.schedule) if offset is None else offset

    @property
    def enabled(self) -> bool:
        """Whether fetch-all runs it."""
        return bool(self.options.get("enabled", True))

    @property
    def requires_env(self) -> tuple[str, ...]:
        """Variables without which it is not run."""
        return tuple(self.options.get("requires_env", ()))

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that its parameters mention."""
        return tuple(variable_names(self.params))

    @property
    def stale_after(self) -> timedelta:
        """The age of its last success from which on it is unhealthy."""
        length: timedelta = self.options.get(
            "stale_after", multiply(_STALE_SCHEDULES, self.schedule)
        )
        return length

    @property
    def data_stale_after(self) -> timedelta | None:
        """The age of its newest observation from which on it is unhealthy; None for never."""
        return self.options.get("data_stale_after")

    @property
    def gaps_stale_after(self) -> timedelta | None:
        """The age of a gap from which on it is unhealthy; None for never."""
        return self.options.get("gaps_stale_after")

    @property
    def expects_advances(self) -> bool:
        """Whether series that stand still are told: unless it says how old its data may be."""
        return "data_stale_after" not in self.options

    @property
    def speaks_of_pages(self) -> bool:
        """Whether it says how the pages of an answer are asked for, or that there are none."""
        return any(self.params.get(name) is not None for name in ("paging", "paginator"))

    @property
    def timezone(self) -> str | None:
        """The zone that it says its times are in."""
        return self.options.get("timezone")

    @property
    def renamed_from(self) -> str | None:
        """The name that its series are stored under."""
        return self.options.get("renamed_from")

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to choose it by."""
        return tuple(self.options.get("tags", ()))

    @property
    def texts(self) -> Iterator[str]:
        """What a database has to hold of it before its first run: names and all they describe."""
        yield self.name
        for series in self.series:
            for name in fields(series):
                value = getattr(series, name.name)
                is_text = value is None or isinstance(value, str)
                yield value or "" if is_text else to_unescaped_json(value)

    def limits(self, plugin_defaults: Mapping[str, Any]) -> Limits:
        """The limits of its runs: its own options, else its plugin class's, else the product's.

        Args:
            plugin_defaults: the class's `source_defaults`, values as in sources.yaml.

        Raises:
            PluginError: one of these defaults cannot be used.
        """
        values: dict[str, Any] = {}
        for name, raw in plugin_defaults.items():
            prefix = f"the plugin {self.module}.{self.class_name} has a source default {name!r}"
            if name not in LIMITS:
                raise PluginError(f"{prefix}, which is none of {', '.join(LIMITS)}")
            try:
                values[name] = OPTIONS[name].parse(raw)
            except ValueError as error:
                raise PluginError(f"{prefix} that cannot be used: {error}") from None
        values |= {name: self.options[name] for name in LIMITS if name in self.options}
        zone = values.pop("timezone", None)
        return Limits(**values, zone=None if zone is None else time_zone(zone))


@dataclass(frozen=True, slots=True)
class Configuration:
    """A sources.yaml: what can be used of it, and what is wrong with the rest.

    Attributes:
        path: the file.
        sources: the entries that can be used, in the order of the file; those of an included file
            where it is included.
        problems: everything wrong, in the order of the file.
        warnings: what is odd, but does no harm.
        root: the folder of the file, whatever the working directory becomes: modules that it or an
            included file names are found there.
    """

    path: Path
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", self.path.parent.absolute())

    @property
    def broken(self) -> dict[str, tuple[Problem, ...]]:
        """The problems of each entry that cannot be used."""
        problems: dict[str, tuple[Problem, ...]] = {}
        for problem in self.problems:
            if problem.source is not None:
                problems[problem.source] = (*problems.get(problem.source, ()), problem)
        return problems
