"""Harness for one plugin: a provider on 127.0.0.1, which the plugin asks as it would in a run."""

from __future__ import annotations

import asyncio
import inspect
import math
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataportal.observations import clean
from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.loop_proxy import LoopProxy
from dataportal.plugins.http.rate_limit import RateLimiter
from dataportal.redaction import remember_secret
from dataportal.testing.local_server import LocalServer, Reply
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from dataportal.observations import Batch
    from dataportal.plugins.http.rate_limit import RateLimit
    from dataportal.testing.conformance import Conformance
    from dataportal.testing.local_server import Request
    from dataportal.validators import ConditionalRequests

SECRET = "c4n4ry-0f-a-s3cr3t-k3y"  # noqa: S105 - it opens nothing
_PATIENCE = 30.0  # seconds for one answer
_SHOWN = 3


class BrokenRuleError(AssertionError):
    """A plugin does not keep a rule; the text says which, why there is one, and what was found."""


@dataclass(frozen=True, slots=True)
class Point:
    """What the provider has: a series' `endpoint_prefix`, an instant in UTC, a value or None."""

    series: str
    ts: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class Provider:
    """Where the provider listens, without a slash at the end, and the key that it takes."""

    url: str
    secret: str


class _NoLimits(RateLimiter):
    """Lets every request pass: nobody is asked too often here."""

    async def wait(self, host: str, limit: RateLimit) -> None:
        """Return at once."""


class Harness:
    """A provider and a plugin, while it is entered.

    Attributes:
        points: what the provider has.
        alter: what becomes of each of its answers.
        server: where it listens.
        conditional: what the plugin's client knows of earlier answers; None for nothing.
    """

    def __init__(self, kit: Conformance, points: Sequence[Point] = ()) -> None:
        self.kit = kit
        self.points = list(points)
        self.alter: Callable[[Request, Reply], Reply] = lambda _, reply: reply
        self.server = LocalServer(otherwise=self._reply)
        self.conditional: ConditionalRequests | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._fault: Exception | None = None
        # as the run does for what comes from a variable
        remember_secret(SECRET)
        self._plugin: Any = None

    def __enter__(self) -> Self:
        self.server.__enter__()
        # as in a run the client belongs to another loop than the plugin's, which may block
        self._thread.start()
        kit, provider = self.kit, Provider(self.server.url, SECRET)
        if issubclass(kit.plugin, MultiSeriesPlugin):
            self._plugin = kit.plugin(
                "conformance", kit.params(provider), list(kit.series), "1 hour"
            )
        else:
            self._plugin = kit.plugin(kit.metadata, kit.params(provider))
        self._plugin.zone = kit.zone
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.server.__exit__(kind, error, trace)

    def raw(self, start: datetime, end: datetime | None) -> Mapping[str, Any]:
        """What the plugin returns for a window, by series; whatever it raises escapes."""
        self._fault = None
        # without authorities, which take long to load: nobody but the provider here is asked
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        http = HttpClient(rate_limiter=_NoLimits(), request_timeout=_PATIENCE, tls=tls)
        if self.conditional is not None:
            http = http.conditional(self.conditional)
        self._plugin.http = http.through(LoopProxy(self._loop))
        try:
            return asyncio.run(self._call(iso(start), None if end is None else iso(end)))
        finally:
            asyncio.run_coroutine_threadsafe(http.aclose(), self._loop).result()
            if self._fault is not None:
                raise self._fault

    def failure(self, start: datetime, end: datetime | None) -> Exception | None:
        """What the plugin raises; None if it returns."""
        try:
            self.raw(start, end)
        except Exception as error:
            if error is self._fault:
                raise
            return error
        return None

    def batch(self, start: datetime, end: datetime | None) -> Batch:
        """What a run would store of the plugin's answer."""
        try:
            answer = self.raw(start, end)
        except Exception as error:
            if error is self._fault:
                raise
            raise BrokenRuleError(f"it raised {type(error).__name__}: {error}") from error
        batch = clean(answer, series=self.kit.names, start=start, end=end, zone=self.kit.zone)
        if batch.rejections:
            first = batch.rejections[0]
            raise BrokenRuleError(
                f"{batch.rejected} points that no run can take; of series {first.series!r} the "
                f"one at position {first.position}: {first.reason}"
            )
        return batch

    def points_in(self, start: datetime, end: datetime | None) -> list[Point]:
        """What the provider has in the window; of a snapshot, all."""
        return [
            point
            for point in self.points
            if (self.kit.snapshot or start <= point.ts) and (end is None or point.ts < end)
        ]

    def expect(self, start: datetime, end: datetime | None) -> None:
        """Find out whether the plugin's answer has all that the provider has in the window.

        Raises:
            BrokenRuleError: it has not, or has more.
        """
        batch = self.batch(start, end)
        for name in self.kit.names:
            points = self.points_in(start, end)
            expected = {point.ts: point.value for point in points if point.series == name}
            series = batch.series[name]
            received = {
                ts: value
                for ts, value in zip(series.ts, series.values, strict=True)
                # of a plugin that says where its intervals end, one may reach into the window
                if self.kit.snapshot or ts >= start
            }
            if self.kit.snapshot:
                _compare(name, _without_times(expected), _without_times(received))
            else:
                _compare(name, expected, received)

    async def _call(self, start: str, end: str | None) -> Mapping[str, Any]:
        if isinstance(self._plugin, MultiSeriesPlugin):
            answer: Any = self._plugin.get_historical_data_multi(start, end)
        else:
            answer = self._plugin.get_historical_data(start, end)
        if inspect.isawaitable(answer):
            answer = await asyncio.wait_for(answer, _PATIENCE)
        if isinstance(self._plugin, MultiSeriesPlugin):
            return answer  # type: ignore[no-any-return]  # its shape is checked when it is cleaned
        return {self.kit.names[0]: answer}

    def _reply(self, request: Request) -> Reply:
        try:
            return self.alter(request, self.kit.provider(request, list(self.points)))
        except Exception as error:  # noqa: BLE001 - raised again where the plugin was asked
            self._fault = error
            return Reply(500, b"the test's provider is broken")


def _without_times(points: Mapping[datetime, float | None]) -> dict[datetime, float | None]:
    """The newest point, at a time of its own: a snapshot is stamped when it is taken."""
    newest = max(points, default=None)
    return {} if newest is None else {datetime.min.replace(tzinfo=UTC): points[newest]}


def _compare(
    name: str, expected: Mapping[datetime, float | None], received: Mapping[datetime, float | None]
) -> None:
    missing = [f"{iso(ts)} ({expected[ts]})" for ts in expected if ts not in received]
    surplus = [f"{iso(ts)} ({received[ts]})" for ts in received if ts not in expected]
    wrong = [
        f"{iso(ts)} is {received[ts]} and not {value}"
        for ts, value in expected.items()
        if ts in received and not _is_same(value, received[ts])
    ]
    faults = [
        f"{len(points)} {what}: {', '.join(points[:_SHOWN])}"
        for what, points in (("missing", missing), ("too many", surplus), ("wrong", wrong))
        if points
    ]
    if faults:
        raise BrokenRuleError(
            f"of the {len(expected)} points of series {name!r} {'; '.join(faults)}"
        )


def _is_same(expected: float | None, received: float | None) -> bool:
    if expected is None or received is None:
        return expected is received
    # a scale factor may cost the last digit
    return math.isclose(expected, received, rel_tol=1e-12)
