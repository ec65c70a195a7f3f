"""SMARD's own files, served in SMARD's layout: the plugin reads what the standard library reads.

Small files of our own take the place of recordings where those are not at hand.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from support.http_server import Reply
from support.recordings import RECORDINGS
from support.smard_files import histories, recordings, serve_index

from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.smard_plugin import SmardDataSourcePlugin
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from support.http_server import LocalServer
    from support.smard_files import Points, Recording

BERLIN = ZoneInfo("Europe/Berlin")
STEPS = {"quarterhour": timedelta(minutes=15), "hour": timedelta(hours=1)}
EVERY = {recording.name: recording for recording in recordings()}


def points_of(
    server: LocalServer, series: tuple[str, str, str], start: datetime, end: datetime | None = None
) -> Points:
    """What the plugin makes of a window of a series that the server has."""
    which, region, resolution = series
    params = {"filter": which, "region": region, "resolution": resolution, "base_url": server.url}

    async def fetch() -> Points:
        plugin = SmardDataSourcePlugin(TimeSeriesMetadata("recorded"), params)
        plugin.http = HttpClient()
        try:
            until = None if end is None else end.isoformat()
            columns = await plugin.get_historical_data(start.isoformat(), until)
        finally:
            await plugin.http.aclose()
        return dict(zip(columns["ts"], columns["value"], strict=True))

    return asyncio.run(fetch())


@pytest.mark.parametrize("name", EVERY)
def test_file_is_read_whole(server: LocalServer, name: str) -> None:
    """Every stamp and value of a file, and every null in it, in order."""
    recording = EVERY[name]
    recording.serve(server)
    serve_index(server, recording.series, [recording.stamp])
    points = points_of(server, recording.series, datetime(2000, 1, 1, tzinfo=UTC))
    assert list(points.items()) == list(recording.points.items())
    assert len(points) > 20


@pytest.mark.parametrize("name", EVERY)
def test_file_loses_nothing_on_its_way_to_the_store(server: LocalServer, name: str) -> None:
    """Cleaned, no point of a file is refused, doubled or outside."""
    recording = EVERY[name]
    recording.serve(server)
    serve_index(server, recording.series, [recording.stamp])
    points = points_of(server, recording.series, datetime(2000, 1, 1, tzinfo=UTC))
    answer = {"a": {"ts": list(points), "value": list(points.values())}}
    batch = clean(answer, series=["a"], start=None, end=None, zone=None)
    assert (
        dict(zip(batch.series["a"].ts, batch.series["a"].values, strict=True)) == recording.points
    )
    assert batch.received == len(batch.series["a"])


@pytest.mark.parametrize("name", EVERY)
def test_window_inside_a_file(server: LocalServer, name: str) -> None:
    """Clipped to the window, to the point; nulls in it are kept."""
    recording = EVERY[name]
    recording.serve(server)
    serve_index(server, recording.series, [recording.stamp])
    instants = list(recording.points)
    start, end = instants[7], instants[19]
    points = points_of(server, recording.series, start, end)
    assert points == {instant: recording.points[instant] for instant in instants[7:19]}


@pytest.mark.parametrize(
    "name", [name for name, recording in EVERY.items() if recording.resolution in STEPS]
)
def test_stamps_are_instants(name: str) -> None:
    """Stamps go on evenly whatever the clocks do, and a file begins at midnight in Berlin."""
    recording = EVERY[name]
    instants = list(recording.points)
    assert {later - earlier for earlier, later in pairwise(instants)} == {
        STEPS[recording.resolution]
    }
    assert instants[0].astimezone(BERLIN).hour == 0


def test_files_of_several_weeks_are_put_together(server: LocalServer) -> None:
    """All files of a series, the newest recording of each, are one series without a gap."""
    newest: dict[tuple[str, str, str], dict[int, Recording]] = {}
    for recording in EVERY.values():
        newest.setdefault(recording.series, {})[recording.stamp] = recording
    for series, files in newest.items():
        for recording in files.values():
            recording.serve(server)
        serve_index(server, series, sorted(files))
        points = points_of(server, series, datetime(2000, 1, 1, tzinfo=UTC))
        expected = {
            instant: value
            for stamp in sorted(files)
            for instant, value in files[stamp].points.items()
        }
        assert list(points.items()) == list(expected.items())


def indexes() -> dict[str, list[int]]:
    """The recorded indexes, and one of our own with both changes of clocks in it."""
    monday = datetime(2025, 3, 17, tzinfo=BERLIN)
    own = [monday + timedelta(days=7 * week) for week in range(40)]
    stamps = {"own": [int(instant.timestamp()) * 1000 for instant in own]}
    for path in sorted((RECORDINGS / "smard").rglob("*index*.json")):
        stamps[path.stem] = json.loads(path.read_text())["timestamps"]
    return stamps


@pytest.mark.parametrize("name", indexes())
def test_every_file_of_an_index_can_be_found(server: LocalServer, name: str) -> None:
    """Between two stamps exactly the earlier file is asked; on a stamp exactly its own."""
    stamps = indexes()[name]
    series = ("1", "DE", "hour")
    serve_index(server, series, stamps)
    for stamp in stamps:
        content = {"series": [[stamp, 1.0], [stamp + 1, 2.0]]}
        server.answer(f"/1/DE/1_DE_hour_{stamp}.json", Reply.json(content))
    begins = [datetime.fromtimestamp(stamp / 1000, UTC) for stamp in stamps]
    second = timedelta(seconds=1)
    for begin, after in list(pairwise(begins))[:: max(len(begins) // 12, 1)]:
        server.requests.clear()
        assert len(points_of(server, series, begin, begin + second)) == 2
        assert points_of(server, series, after - second, after) == {}
        paths = {request.path for request in server.requests if "index" not in request.path}
        assert paths == {f"/1/DE/1_DE_hour_{int(begin.timestamp()) * 1000}.json"}


@pytest.mark.slow
def test_recordings_hold_what_the_replay_is_about() -> None:
    """Among the files are revisions, holes that were filled, and files that did not change."""
    answers = [[recording.points for recording in several] for several in histories().values()]
    steps = [step for several in answers for step in pairwise(several)]
    assert len(steps) >= 4
    changes = [(before[instant], after[instant]) for before, after in steps for instant in after]
    assert any(old is not None and new is not None and old != new for old, new in changes)
    assert any(old is None and new is not None for old, new in changes)
    assert any(before == after for before, after in steps)
