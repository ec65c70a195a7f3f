"""Answers that are near to good ones: read, or refused in words; never invented, never a traceback.

Every kit of tests/conformance is tried, so that each built-in plugin is. `DATAPORTAL_EXAMPLES` says
how many answers for each.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from support.conformance_kits import all_kits
from support.corruption import mangle, numbers_in
from support.recordings import RECORDINGS

from dataportal.errors import FetchError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import BasePlugin
from dataportal.plugins.data_sources.csv_plugin import CsvDataSourcePlugin
from dataportal.testing import Reply
from dataportal.testing.harness import Harness, Point

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dataportal.testing import Conformance, Request

EXAMPLES = int(os.environ.get("DATAPORTAL_EXAMPLES") or 15)
START = datetime(2025, 3, 29, 12, tzinfo=UTC)
KITS = {str(kit): kit.conformance for kit in all_kits()}
_PACKED = (b"PK", b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
"""How workbooks and files of Parquet and Arrow begin."""
LARGEST = 300_000  # bytes of a recording; beyond, an example takes long and shows nothing new


def patient(kit: Conformance) -> Conformance:
    """The same, with a provider that has nothing where the real one was asked for nonsense."""

    def answer(request: Request, points: Sequence[Point]) -> Reply:
        try:
            return kit.provider(request, points)
        except (LookupError, ValueError, TypeError, OverflowError):
            return Reply(404, b"nothing here", content_type="text/plain")

    return replace(kit, provider=answer)


class Tried:
    """A kit at work: what its provider answers is mangled on the way.

    Attributes:
        bodies: what the plugin got to read.
    """

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.bodies: list[bytes] = []
        kit = harness.kit
        instants = kit.moments(START, START + max(timedelta(hours=30), 4 * kit.step))
        self.end = instants[-1] + kit.step
        harness.points = [
            Point(name, ts, kit.values[n % len(kit.values)])
            for name in kit.names
            for n, ts in enumerate(instants)
        ]

    def judge(self, seed: int, recording: bytes | None = None) -> None:
        """Ask once; the plugin may refuse, but what it returns stands in what it was told."""
        self.bodies.clear()

        def alter(request: Request, reply: Reply) -> Reply:
            assert isinstance(reply.body, bytes)
            chance = Random(f"{seed} {request.path} {sorted(request.query.items())}")  # noqa: S311
            body = mangle(reply.body if recording is None else recording, chance)
            self.bodies.append(body)
            return replace(reply, body=body)

        self.harness.alter = alter
        kit = self.harness.kit
        try:
            answer: Any = self.harness.raw(START, self.end)
        except FetchError:
            return
        # one series of a group may be refused alone
        taken = {name: points for name, points in answer.items() if not _refused(points)}
        batch = clean(taken, series=kit.names, start=START, end=self.end, zone=kit.zone)
        if any(body.startswith(_PACKED) for body in self.bodies):
            return  # its numbers stand in it packed, and whether one was told cannot be seen
        numbers = set[float]().union(*map(numbers_in, self.bodies))
        for name in kit.names:
            for value in batch.series[name].values:
                assert value is None or _among(value, numbers), (name, value)


def _refused(points: object) -> bool:
    return isinstance(points, FetchError)


def _among(value: float, numbers: set[float]) -> bool:
    return value in numbers or any(math.isclose(value, number, rel_tol=1e-12) for number in numbers)


def assert_unbroken(kit: Conformance, recordings: Sequence[Path] = ()) -> None:
    """Try many answers on one plugin."""
    with Harness(patient(kit)) as harness:
        tried = Tried(harness)
        for seed in range(EXAMPLES):
            recording = recordings[seed % len(recordings)].read_bytes() if recordings else None
            try:
                tried.judge(seed, recording)
            except Exception as error:
                error.add_note(f"seed {seed}; the plugin was told {tried.bodies}"[:2000])
                raise


@pytest.mark.slow
@pytest.mark.parametrize("name", KITS)
def test_no_mangled_answer_breaks_a_plugin(name: str) -> None:
    """Of its provider as its kit lays it out."""
    assert_unbroken(KITS[name])


def recordings_of(module: str) -> list[Path]:
    """Recorded answers of a plugin's provider, where they are at hand."""
    folder = RECORDINGS / module.removesuffix("_plugin")
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if 0 < path.stat().st_size < LARGEST)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in KITS if recordings_of(n.partition(":")[0])])
def test_no_mangled_recording_breaks_a_plugin(name: str) -> None:
    """What the real provider once said, whatever is asked for."""
    assert_unbroken(KITS[name], recordings_of(name.partition(":")[0]))


class _Inventing(BasePlugin):
    """Answers with a number of its own."""

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """One point."""
        await self.http.get(str(self._defaults["url"]))
        return [{"ts": start_date, "value": 0.123}]


class _Trusting(BasePlugin):
    """Takes the last word of each line for a number."""

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """One point."""
        answer = await self.http.get(str(self._defaults["url"]))
        _, *lines = answer.body.splitlines()
        return [{"ts": start_date, "value": float(line.rpartition(b",")[2])} for line in lines]


@pytest.mark.parametrize(
    ("plugin", "fault"), [(_Inventing, AssertionError), (_Trusting, ValueError)]
)
def test_a_plugin_that_invents_or_breaks_is_found(
    plugin: type[BasePlugin], fault: type[Exception]
) -> None:
    """The tests above are able to fail."""
    kit = next(kit for kit in KITS.values() if kit.plugin is CsvDataSourcePlugin)
    with pytest.raises(fault):
        assert_unbroken(replace(kit, plugin=plugin))
