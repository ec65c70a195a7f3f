"""Checks of what a plugin returns. A rule's docstring is what its breach is reported with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataportal.raw_points import raw_points
from dataportal.testing.harness import BrokenRuleError, Harness, Point
from dataportal.testing.local_server import Reply
from dataportal.times import utc_now
from dataportal.validators import ConditionalRequests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing.conformance import Conformance
    from dataportal.testing.local_server import Request

Rule = Callable[["Conformance"], None]

_FIRST = datetime(2025, 6, 2, tzinfo=UTC)
_COUNT = 24


def ordinary_case(kit: Conformance) -> tuple[list[Point], datetime, datetime | None]:
    """What the provider has, more than is asked for; and a window without anything special."""
    if kit.snapshot:
        now = utc_now().replace(microsecond=0)
        return points_at(kit, [now]), now - timedelta(hours=1), None
    length = _COUNT * kit.step
    instants = kit.moments(_FIRST - length, _FIRST + 2 * length)
    return points_at(kit, instants), _FIRST, _FIRST + length


def points_at(kit: Conformance, instants: Sequence[datetime]) -> list[Point]:
    """Points of every series at these times, with values that tell one series from another."""
    return [
        Point(name, ts, kit.values[(number + position) % len(kit.values)])
        for number, ts in enumerate(instants)
        for position, name in enumerate(kit.names)
    ]


def takes_what_there_is(kit: Conformance) -> None:
    """Every point of the window is returned with its own time, value and series.

    What is lost or moved here is wrong in the database, for ever.
    """
    points, start, end = ordinary_case(kit)
    with Harness(kit, points) as harness:
        harness.expect(start, end)


def times_carry_an_offset(kit: Conformance) -> None:
    """A time has an offset, unless the source has a timezone.

    A naive time is a guess: the run refuses it.
    """
    points, start, end = ordinary_case(kit)
    with Harness(kit, points) as harness:
        answer = harness.raw(start, end)
    for name in kit.names if kit.timezone is None else ():
        for raw in raw_points(answer.get(name), name).ts:
            ts = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
            if getattr(ts, "utcoffset", lambda: None)() is None:
                raise BrokenRuleError(f"{raw!r} in series {name!r}, and the source has no timezone")


def a_day_of_23_hours(kit: Conformance) -> None:
    """In spring a local day lacks an hour: its points are those that there are.

    Who counts 24 hours a day invents points, or shifts all that follow.
    """
    _try_day(kit, *kit.day_that_is(min))


def a_day_of_25_hours(kit: Conformance) -> None:
    """In autumn a local hour occurs twice: both are kept apart.

    Who looks at the clock alone loses one of them, or gives it the other one's value.
    """
    _try_day(kit, *kit.day_that_is(max))


def windows_are_half_open(kit: Conformance) -> None:
    """A window has its start and not its end, wherever it lies.

    Two windows side by side then have every point once; else the seam has a hole.
    """
    points, start, end = ordinary_case(kit)
    with Harness(kit, points) as harness:
        seam, half = start + 7 * kit.step, kit.step / 2
        for low, high in ((start, seam), (seam, end), (start + half, seam + half)):
            harness.expect(low, high)
        harness.expect(seam, seam + kit.step)


def an_open_end_reaches_the_newest(kit: Conformance) -> None:
    """Without an end the newest there is comes too.

    Every scheduled run asks so.
    """
    points, start, _ = ordinary_case(kit)
    with Harness(kit, points) as harness:
        harness.expect(start, None)


def any_order_will_do(kit: Conformance) -> None:
    """The answer is the same if the provider writes its newest point first.

    Many do, and some change their minds.
    """
    points, start, end = ordinary_case(kit)
    with Harness(kit, list(reversed(points))) as harness:
        harness.expect(start, end)


def nothing_is_no_failure(kit: Conformance) -> None:
    """Where the provider has nothing there are no points, and nothing is raised.

    A quiet series is no fault, and must not look like one.
    """
    _, start, end = ordinary_case(kit)
    with Harness(kit) as harness:
        harness.expect(start, end)


def no_value_is_none(kit: Conformance) -> None:
    """Where the provider writes "no value" the value is None: neither 0, nor left out.

    Zero is a measurement; and a point left out cannot take back what is stored.
    """
    points, start, end = ordinary_case(kit)
    with_gaps = [replace(p, value=None) if p.ts.hour % 2 or kit.snapshot else p for p in points]
    if kit.step >= timedelta(days=1):
        with_gaps = [replace(p, value=None) if p.ts.day % 2 else p for p in points]
    with Harness(kit, with_gaps) as harness:
        harness.expect(start, end)


def revisions_are_seen(kit: Conformance) -> None:
    """Asked again, a plugin asks again: a value that the provider changed comes changed.

    A plugin that remembers answers hides revisions, and a run would never know.
    """
    points, start, end = ordinary_case(kit)
    with Harness(kit, points) as harness:
        harness.expect(start, end)
        harness.points = [_revision(kit, point) for point in points]
        harness.expect(start, end)
        harness.points = points
        harness.expect(start, end)


def what_is_unchanged_is_told(kit: Conformance) -> None:
    """Points left out because the server calls them unchanged are said to be; changed ones come.

    A plugin that keeps an answer, and then does not look whether it is unchanged, loses it.
    """
    points, start, end = ordinary_case(kit)
    with Harness(kit, points) as harness:
        harness.alter = _with_etag
        harness.conditional = ConditionalRequests()
        harness.expect(start, end)
        known = harness.conditional.validators(None)
        harness.conditional = ConditionalRequests(known)
        batch = harness.batch(start, end)
        for name in kit.names:
            available = sum(point.series == name for point in harness.points_in(start, end))
            left_out = available - len(batch.series[name])
            if left_out and name not in batch.unchanged:
                raise BrokenRuleError(
                    f"{left_out} of the {available} points of series {name!r} are left out, and "
                    "it is not said that they are unchanged"
                )
        harness.conditional = ConditionalRequests(known)
        harness.points = [_revision(kit, point) for point in points]
        harness.expect(start, end)


def _with_etag(request: Request, reply: Reply) -> Reply:
    """The answer of a server that says whether it has changed."""
    body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == etag:
        return Reply(304, headers={"ETag": etag})
    return replace(reply, body=body, headers={**reply.headers, "ETag": etag})


def _revision(kit: Conformance, point: Point) -> Point:
    others = [value for value in kit.values if value != point.value]
    return replace(point, value=others[0])


def _try_day(kit: Conformance, start: datetime, end: datetime) -> None:
    days = timedelta() if kit.step < timedelta(days=1) else 3 * kit.step
    start, end = start - days, end + days
    instants = kit.moments(start - 24 * kit.step, end + 24 * kit.step)
    with Harness(kit, points_at(kit, instants)) as harness:
        harness.expect(start, end)


OF_WINDOWS: tuple[Rule, ...] = (
    a_day_of_23_hours,
    a_day_of_25_hours,
    windows_are_half_open,
    an_open_end_reaches_the_newest,
    any_order_will_do,
)
RULES: tuple[Rule, ...] = (
    takes_what_there_is,
    times_carry_an_offset,
    *OF_WINDOWS,
    nothing_is_no_failure,
    no_value_is_none,
    revisions_are_seen,
    what_is_unchanged_is_told,
)
