"""Conformance kit: what a plugin's author says of it, and the checks that follow from that."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dataportal.plugins.base_plugin import MultiSeriesPlugin, TimeSeriesMetadata
from dataportal.testing import checks_answers, checks_failures
from dataportal.testing.harness import BrokenRuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataportal.plugins.base_plugin import BasePlugin, TimeSeriesDefinition
    from dataportal.testing.harness import Point, Provider
    from dataportal.testing.local_server import Reply, Request

_DAY = timedelta(days=1)
_METADATA = TimeSeriesMetadata("conformance")


@dataclass(frozen=True, kw_only=True)
class Conformance:
    """A plugin, and a small provider for it.

    Attributes:
        plugin: the class.
        params: its `default_params` or `request_params`, given the provider's address and a secret
            to be used wherever the plugin takes a key.
        provider: answers a request as the real provider would if it had these points, in the order
            in which they come. With the content type of the real one: a document (JSON, XML) is
            not to be cut, a table of text may end after any line. Called in the server's threads.
        series: of a `MultiSeriesPlugin`: the series of its source, two or more.
        metadata: of a `BasePlugin`.
        step: the length of the intervals: whole days, or what divides an hour evenly.
        timezone: the source's, for a provider that writes local times; None if its times carry an
            offset.
        values: what the provider has, again and again; for one that has whole numbers only, say.
        nulls: whether the provider has a way to write "no value".
        snapshot: whether the provider has nothing but the present: then no check asks for a window.
        not_found_is_empty: whether 404 is the provider's way to say that it has no data.
    """

    plugin: type[BasePlugin | MultiSeriesPlugin]
    params: Callable[[Provider], dict[str, Any]]
    provider: Callable[[Request, Sequence[Point]], Reply]
    series: Sequence[TimeSeriesDefinition] = ()
    metadata: TimeSeriesMetadata = _METADATA
    step: timedelta = timedelta(hours=1)
    timezone: str | None = None
    values: Sequence[float] = (12.5, 0.0, -3.25, 1234567.875, 0.0625, 7.0, 41.0)
    nulls: bool = True
    snapshot: bool = False
    not_found_is_empty: bool = False

    def __post_init__(self) -> None:
        if self.step <= timedelta() or (self.step % _DAY and timedelta(hours=1) % self.step):
            raise ValueError("step must be whole days, or divide an hour evenly")
        if issubclass(self.plugin, MultiSeriesPlugin) and len(self.series) < 2:  # noqa: PLR2004
            raise ValueError("a MultiSeriesPlugin is tried with two series or more")
        if len(set(self.values)) < 2:  # noqa: PLR2004 - a revision needs another value
            raise ValueError("give two different values or more")

    def checks(self) -> list[Check]:
        """All checks that concern this plugin, each to be called."""
        rules = [*checks_answers.RULES, *checks_failures.RULES]
        if not self.nulls:
            rules.remove(checks_answers.no_value_is_none)
        if self.snapshot:
            rules = [rule for rule in rules if rule not in checks_answers.OF_WINDOWS]
        return [Check(self, rule) for rule in rules]

    @property
    def names(self) -> list[str]:
        """The `endpoint_prefix` of each series."""
        return [s.endpoint_prefix for s in self.series] or [self.metadata.endpoint_prefix]

    @property
    def zone(self) -> ZoneInfo | None:
        """The source's zone."""
        return None if self.timezone is None else ZoneInfo(self.timezone)

    def day_that_is(self, longest: Callable[..., datetime]) -> tuple[datetime, datetime]:
        """The beginning and the end of the shortest (`min`) or longest (`max`) day of 2025.

        In the source's zone; in Berlin's where that has no such days.
        """
        zone = self.zone
        if zone is None or len({zone.utcoffset(datetime(2025, m, 1)) for m in (1, 7)}) == 1:  # noqa: DTZ001
            zone = ZoneInfo("Europe/Berlin")
        days = [datetime(2025, 1, 1, tzinfo=zone) + n * _DAY for n in range(365)]
        start = longest(days, key=lambda day: _utc(day + _DAY) - _utc(day))
        return _utc(start), _utc(start + _DAY)

    def moments(self, start: datetime, end: datetime) -> list[datetime]:
        """The starts of all intervals with start <= ts < end."""
        if self.step < _DAY:
            return [start + n * self.step for n in range((end - start) // self.step)]
        first = start.astimezone(self.zone or UTC).replace(hour=0, minute=0)
        days = (_utc(first + n * self.step) for n in range((end - start) // self.step + 2))
        return [day for day in days if start <= day < end]


@dataclass(frozen=True)
class Check:
    """One rule, to be tried on one plugin; its text is its name."""

    kit: Conformance
    rule: Callable[[Conformance], None]

    def __call__(self) -> None:
        """Try it.

        Raises:
            BrokenRuleError: the plugin does not keep the rule.
        """
        try:
            self.rule(self.kit)
        except BrokenRuleError as error:
            reason = " ".join((inspect.getdoc(self.rule) or "").split())
            raise BrokenRuleError(
                f"{self.kit.plugin.__name__}: {self}: {reason} Found: {error}"
            ) from error.__cause__

    def __str__(self) -> str:
        return self.rule.__name__


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
