"""The SMARD plugin against a server with SMARD's layout: what it asks for, what it makes of it."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.smard_plugin import SmardDataSourcePlugin
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.http_server import Request

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def milliseconds(instant: datetime) -> int:
    """The stamp SMARD gives a moment."""
    return int(instant.timestamp()) * 1000


def weeks(first: str, count: int) -> list[datetime]:
    """The first instants of so many weeks: midnight in Berlin, in UTC."""
    monday = datetime.fromisoformat(first).replace(tzinfo=BERLIN)
    return [(monday + timedelta(days=7 * week)).astimezone(UTC) for week in range(count)]


class Smard:
    """A server with the files of one series, one file a week, with a value an hour."""

    def __init__(self, server: LocalServer, begins: Sequence[datetime], resolution: str) -> None:
        self.server = server
        self.folder = "/chart/410/DE"
        self.resolution = resolution
        self.points: dict[datetime, float | None] = {}
        self.lay_out("index", {"timestamps": [milliseconds(begin) for begin in begins[:-1]]})
        for begin, end in pairwise(begins):
            own: dict[datetime, float | None] = {}
            instant = begin
            while instant < end:
                own[instant] = float(milliseconds(instant) // 3_600_000)
                instant += HOUR
            self.points.update(own)
            self.week(begin, own)

    def lay_out(self, stamp: object, content: object) -> str:
        """Serve this document as the index, or as the file of this stamp."""
        return self.server.answer(self.path(stamp), Reply.json(content))

    def path(self, stamp: object) -> str:
        """Where the index or a file stands."""
        if stamp == "index":
            return f"{self.folder}/index_{self.resolution}.json"
        return f"{self.folder}/410_DE_{self.resolution}_{stamp}.json"

    def week(self, begin: datetime, points: dict[datetime, float | None]) -> None:
        """Serve these points as the file of this week."""
        series = [[milliseconds(instant), value] for instant, value in points.items()]
        content = {"meta_data": {"version": 1, "created": 1}, "series": series}
        self.lay_out(milliseconds(begin), content)

    @property
    def requested(self) -> list[str]:
        """The stamps of the files that were asked for, in order of their names."""
        names = [request.path.rpartition("_")[2] for request in self.server.requests]
        return sorted(name.removesuffix(".json") for name in names if name[0].isdigit())


def plugin_for(server: LocalServer, **params: Any) -> SmardDataSourcePlugin:
    """The plugin, asking this server."""
    defaults = {
        "filter": 410,
        "region": "DE",
        "resolution": "hour",
        "base_url": server.url + "/chart",
    }
    return SmardDataSourcePlugin(TimeSeriesMetadata("load"), defaults | params)


def points_of(
    plugin: SmardDataSourcePlugin, start: str, end: str | None
) -> list[tuple[datetime, float | None]]:
    """The points of a window."""

    async def fetch() -> dict[str, list[Any]]:
        plugin.http = HttpClient(request_timeout=10)
        try:
            return await plugin.get_historical_data(start, end)
        finally:
            await plugin.http.aclose()

    columns = asyncio.run(fetch())
    return list(zip(columns["ts"], columns["value"], strict=True))


@pytest.fixture
def smard(server: LocalServer) -> Smard:
    """Six weeks around the spring change of clocks of 2025."""
    return Smard(server, weeks("2025-03-10", 7), "hour")


def test_everything_is_every_file_in_order(smard: Smard) -> None:
    """From the far past on, the whole index is fetched and put together in order."""
    points = points_of(plugin_for(smard.server), "0001-01-01T00:00:00Z", None)
    assert points == list(smard.points.items())
    assert len(points) == 6 * 168 - 1


def test_only_files_of_the_window_are_asked(smard: Smard) -> None:
    """The file that holds the start, the ones up to the end, no other; the answer is clipped."""
    start, end = "2025-03-20T12:00:00Z", "2025-04-02T00:30:00Z"
    points = points_of(plugin_for(smard.server), start, end)
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    assert points == [point for point in smard.points.items() if first <= point[0] < last]
    begins = weeks("2025-03-17", 3)
    assert smard.requested == [str(milliseconds(begin)) for begin in begins]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_files_asked_hold_every_point_of_the_window(data: st.DataObject) -> None:
    """For any window the answer is what the files hold of it, from as few files as can be."""
    begins = weeks("2025-10-13", 5)
    instants = st.datetimes(datetime(2025, 10, 1), datetime(2025, 11, 20))  # noqa: DTZ001 - made UTC
    start, end = sorted(
        instant.replace(tzinfo=UTC) for instant in data.draw(st.tuples(instants, instants))
    )
    with LocalServer() as server:
        smard = Smard(server, begins, "hour")
        points = points_of(plugin_for(server), start.isoformat(), end.isoformat())
        assert points == [
            (ts, value) for ts, value in smard.points.items() if start - HOUR < ts < end
        ]
        useful = [a for a, b in pairwise(begins) if a < end and (b > start or b == begins[-1])]
        assert smard.requested == [str(milliseconds(begin)) for begin in useful]


def test_border_of_a_window_on_the_border_of_a_file(smard: Smard) -> None:
    """A start on a file's first instant needs no earlier file, an end on it not that file."""
    start, end = (instant.isoformat() for instant in weeks("2025-03-24", 2))
    points = points_of(plugin_for(smard.server), start, end)
    assert len(smard.requested) == 1
    assert len(points) == 167


def test_clocks_change_nothing(smard: Smard) -> None:
    """Stamps are instants: the spring week has 167 hours, each an hour after the one before."""
    instants = [instant for instant, _ in points_of(plugin_for(smard.server), "2025-01-01", None)]
    assert {b - a for a, b in pairwise(instants)} == {HOUR}


def test_nulls_in_the_window_are_passed_on(smard: Smard) -> None:
    """What is not published yet, or no more, is an explicit null, in the window only."""
    begin, end = weeks("2025-04-14", 2)
    own = {instant: value for instant, value in smard.points.items() if begin <= instant < end}
    hole, last = begin + 5 * HOUR, begin + 100 * HOUR
    own = {instant: None if instant == hole or instant > last else own[instant] for instant in own}
    smard.week(begin, own)
    plugin = plugin_for(smard.server)
    points = dict(points_of(plugin, begin.isoformat(), None))
    assert points == own
    until = (last + 3 * HOUR).isoformat()
    points = dict(points_of(plugin, (begin + 4 * HOUR).isoformat(), until))
    assert [instant for instant, value in points.items() if value is None] == [
        hole,
        last + HOUR,
        last + 2 * HOUR,
    ]


def test_series_that_ended_has_nothing_new(smard: Smard) -> None:
    """A window after the last file asks that file, and finds nothing."""
    assert points_of(plugin_for(smard.server), "2026-01-01T00:00:00Z", None) == []
    assert len(smard.requested) == 1


def test_window_before_the_first_file_is_empty(smard: Smard) -> None:
    """A window that ends before the series begins asks for the index alone."""
    assert points_of(plugin_for(smard.server), "2020-01-01", "2021-01-01") == []
    assert smard.requested == []


def test_empty_index_is_no_points(smard: Smard) -> None:
    """A series with no file yet is no failure."""
    smard.lay_out("index", {"timestamps": []})
    assert points_of(plugin_for(smard.server), "2020-01-01", None) == []


def test_index_out_of_order_is_put_in_order(smard: Smard) -> None:
    """The order of the index does not matter, and neither does a stamp that comes twice."""
    stamps = [milliseconds(begin) for begin in weeks("2025-03-10", 6)]
    smard.lay_out("index", {"timestamps": [*stamps[::-1], stamps[0]], "more": 1})
    points = points_of(plugin_for(smard.server), "2020-01-01", None)
    assert points == list(smard.points.items())


def test_unknown_series_says_what_was_asked(server: LocalServer) -> None:
    """A 404 of the index is permanent, and names filter, region and resolution."""
    with pytest.raises(PermanentError, match="filter 410, region DE and resolution hour"):
        points_of(plugin_for(server), "2020-01-01", None)


def test_missing_file_is_never_a_hole(smard: Smard) -> None:
    """A file that the index names and that is not there fails the fetch, as it may come back."""
    stamp = milliseconds(weeks("2025-03-24", 1)[0])
    smard.server.answer(smard.path(stamp), Reply(404))
    with pytest.raises(TransientError, match=f"_{stamp}.json") as caught:
        points_of(plugin_for(smard.server), "2020-01-01", None)
    assert caught.value.host is None, "one file missing says nothing about the host"


def test_failing_file_fails_the_fetch_with_its_own_error(smard: Smard) -> None:
    """An error of one file is the error of the fetch: its type, and the seconds to wait."""
    stamp = milliseconds(weeks("2025-03-24", 1)[0])
    smard.server.answer(smard.path(stamp), Reply(503, headers={"Retry-After": "7"}))
    with pytest.raises(TransientError, match="503") as caught:
        points_of(plugin_for(smard.server), "2020-01-01", None)
    assert caught.value.retry_after == 7
    assert caught.value.host == "127.0.0.1"


def test_page_under_200_is_bad_data(smard: Smard) -> None:
    """The page that SMARD shows to robots is not taken for an empty series."""
    page = Reply(body=b"<!DOCTYPE html><title>Bitte warten</title>", content_type="text/html")
    stamp = milliseconds(weeks("2025-03-24", 1)[0])
    for file in (stamp, "index"):
        smard.server.answer(smard.path(file), page)
        with pytest.raises(BadDataError, match="is a page of HTML") as caught:
            points_of(plugin_for(smard.server), "2020-01-01", None)
        assert smard.path(file) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "file"),
    [
        ({}, "series"),
        ([], "Expected `object`"),
        ({"error": "no"}, "series"),
        ({"series": None}, "$.series"),
        ({"series": {"data": []}}, "$.series"),
        ({"series": [[1, 2.0], [1, "3"]]}, "$.series[1][1]"),
        ({"series": [[1, 2.0], [2, True]]}, "$.series[1][1]"),
        ({"series": [[1, 2.0], [2]]}, "$.series[1]"),
        ({"series": [[1, 2.0, 3]]}, "$.series[0]"),
        ({"series": [["1", 2.0]]}, "$.series[0][0]"),
        ({"series": [[1.5, 2.0]]}, "$.series[0][0]"),
        ({"series": [[None, 2.0]]}, "$.series[0][0]"),
    ],
)
def test_file_of_another_shape_is_bad_data(smard: Smard, content: object, file: str) -> None:
    """What is no list of [milliseconds, number or null] is refused, with URL and place."""
    stamp = milliseconds(weeks("2025-03-24", 1)[0])
    url = smard.lay_out(stamp, content)
    with pytest.raises(BadDataError) as caught:
        points_of(plugin_for(smard.server), "2020-01-01", None)
    assert file in str(caught.value)
    assert url in str(caught.value)


@pytest.mark.parametrize("beyond", [str(10**17), str(-(10**17)), str(10**30), "9" * 5000])
def test_a_stamp_beyond_the_calendar_costs_its_point(smard: Smard, beyond: str) -> None:
    """The others of the file are handed over; the run refuses the one, and says its stamp."""
    stamp = milliseconds(weeks("2025-03-24", 1)[0])
    rows = f"[{stamp}, 1.0], [{beyond}, 2.0], [{stamp + 3_600_000}, 3.0]"
    smard.server.answer(smard.path(stamp), Reply(body=f'{{"series": [{rows}]}}'.encode()))
    points = points_of(plugin_for(smard.server), "2020-01-01", None)
    raw = [{"ts": ts, "value": value} for ts, value in points]
    batch = clean({"a": raw}, series=["a"], start=None, end=None, zone=None)
    assert {1.0, 3.0} <= {*batch.series["a"].values}
    (rejection,) = batch.rejections
    assert "beyond the calendar" in rejection.reason


@pytest.mark.parametrize(
    "content", [{}, [], {"timestamps": None}, {"timestamps": ["1"]}, {"timestamps": [10**20]}]
)
def test_index_of_another_shape_is_bad_data(smard: Smard, content: object) -> None:
    """An index that is none is refused, with its URL."""
    url = smard.lay_out("index", content)
    with pytest.raises(BadDataError) as caught:
        points_of(plugin_for(smard.server), "2020-01-01", None)
    assert url in str(caught.value)


def test_files_are_asked_side_by_side_but_few_at_a_time(server: LocalServer) -> None:
    """A long history is fetched four files at a time."""
    smard = Smard(server, weeks("2020-01-06", 31), "hour")
    under_way, most, enough = [0], [0], threading.Event()
    lock = threading.Lock()

    def reply(request: Request) -> Reply:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            if most[0] >= 2:
                enough.set()
        enough.wait(5)
        with lock:
            under_way[0] -= 1
        return Reply.json({"series": [[int(request.path.rpartition("_")[2][:-5]), 1]]})

    stamps = [milliseconds(begin) for begin in weeks("2020-01-06", 30)]
    for stamp in stamps:
        server.answer(smard.path(stamp), reply)
    points = points_of(plugin_for(server), "2019-01-01", None)
    assert [milliseconds(instant) for instant, _ in points] == stamps
    assert 2 <= most[0] <= 4


@pytest.mark.parametrize("resolution", ["quarterhour", "hour", "day", "week", "month", "year"])
@pytest.mark.parametrize("region", ["DE", "DE-AT-LU", "50Hertz"])
def test_address_is_smards(server: LocalServer, resolution: str, region: str) -> None:
    """Index and file stand where SMARD has them, filter and region repeated in the name."""
    folder = f"/chart/4068/{region}"
    server.answer(f"{folder}/index_{resolution}.json", Reply.json({"timestamps": [0]}))
    name = f"4068_{region}_{resolution}_0.json"
    server.answer(f"{folder}/{name}", Reply.json({"series": [[0, 2]]}))
    plugin = plugin_for(
        server, filter="4068", region=region, resolution=resolution, base_url=server.url + "/chart/"
    )
    assert points_of(plugin, "1970-01-01", None) == [(datetime(1970, 1, 1, tzinfo=UTC), 2.0)]
    assert all(request.headers["user-agent"] for request in server.requests)


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"filter": None}, "filter is missing"),
        ({"filter": "coal"}, "filter must be a whole number"),
        ({"filter": -1}, "filter must be a whole number"),
        ({"filter": True}, "filter must be a whole number"),
        ({"region": None}, "region is missing"),
        ({"region": False}, "region must be a text"),
        ({"region": "../.."}, "region must be one such as DE, AT"),
        ({"resolution": "minute"}, "resolution must be one of quarterhour, hour, day"),
        ({"resolution": None}, "resolution is missing"),
        ({"resoluton": "hour"}, "'resoluton' is not a parameter of this plugin; did you mean"),
        ({"base_url": 1.5j}, "base_url must be a text"),
    ],
)
def test_parameters_that_cannot_work_are_refused_at_once(
    server: LocalServer, params: dict[str, Any], fault: str
) -> None:
    """A wrong parameter is found when the plugin is made, and named."""
    with pytest.raises(ValueError, match=fault):
        plugin_for(server, **params)


def test_all_wrong_parameters_are_named_together() -> None:
    """Nobody has to mend them one by one."""
    with pytest.raises(ValueError, match=r"filter.*region.*resolution"):
        SmardDataSourcePlugin(TimeSeriesMetadata("load"), {})


@pytest.mark.parametrize(
    ("params", "per_minute"),
    [
        ({}, 120),
        ({"base_url": "https://www.smard.de/app/chart_data/"}, 120),
        ({"per_minute": 30}, 30),
        ({"base_url": "http://127.0.0.1:1/smard"}, None),
        ({"base_url": "http://127.0.0.1:1/smard", "per_minute": 600}, 600),
    ],
)
def test_smard_itself_is_asked_gently(params: dict[str, Any], per_minute: float | None) -> None:
    """A mirror of one's own as fast as it answers, unless sources.yaml says otherwise."""
    all_params = {"filter": 410, "region": "DE", "resolution": "hour", **params}
    limit = SmardDataSourcePlugin(TimeSeriesMetadata("load"), all_params)._limit
    assert (None if limit is None else limit.per_minute) == per_minute


def local(day: str) -> datetime:
    """Midnight of a day in Berlin, in UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)


MONTHS = [f"2025-{month:02}-01" for month in range(1, 13)]
LONGER: dict[str, dict[str, list[str]]] = {
    "week": {
        "2023-12-25": ["2023-12-25"],
        "2024-01-01": [f"{date.fromordinal(738886 + 7 * n)}" for n in range(53)],
        "2025-01-06": ["2025-01-06", "2025-01-13"],
    },
    "month": {"2025-01-01": MONTHS, "2026-01-01": ["2026-01-01"]},
    "year": {f"{year}-01-01": [f"{year}-01-01"] for year in (2023, 2024, 2025)},
}
"""The first days of intervals by the first day of their files: a year of weeks, the months of a
year, a year alone. As in SMARD's indices of 4169 DE (month) and of the generation (year)."""


def longer(server: LocalServer, resolution: str) -> dict[datetime, float | None]:
    """Serves the files of a resolution; all their points, of which the newest is none yet."""
    smard = Smard(server, [], resolution)
    files = LONGER[resolution]
    smard.lay_out("index", {"timestamps": [milliseconds(local(first)) for first in files]})
    points: dict[datetime, float | None] = {}
    for first, days in files.items():
        own: dict[datetime, float | None] = {
            local(day): float(date.fromisoformat(day).toordinal()) for day in days
        }
        smard.week(local(first), own)
        points |= own
    return points


@pytest.mark.parametrize("resolution", LONGER)
def test_weeks_months_and_years_begin_at_midnight_in_berlin(
    server: LocalServer, resolution: str
) -> None:
    """All of them, from as many files as there are, and how long they are."""
    points = longer(server, resolution)
    plugin = plugin_for(server, resolution=resolution)
    assert points_of(plugin, "0001-01-01T00:00:00Z", None) == list(points.items())
    assert {ts.astimezone(BERLIN).hour for ts in points} == {0}


@pytest.mark.parametrize(
    ("resolution", "start", "first"),
    [
        # Wednesday of the week that began on Monday, 30 December, in the file of the year before
        ("week", "2025-01-01T00:00:00Z", "2024-12-30"),
        ("week", "2025-01-06T00:00:00Z", "2025-01-06"),
        ("month", "2025-07-15T00:00:00Z", "2025-07-01"),
        ("month", "2025-03-31T21:59:59Z", "2025-03-01"),
        ("month", "2025-03-31T22:00:00Z", "2025-04-01"),
        ("year", "2024-12-31T22:00:00Z", "2024-01-01"),
        ("year", "2024-12-31T23:00:00Z", "2025-01-01"),
    ],
)
def test_an_interval_that_reaches_into_the_window_is_there(
    server: LocalServer, resolution: str, start: str, first: str
) -> None:
    """Also if it stands in the file before."""
    longer(server, resolution)
    points = points_of(plugin_for(server, resolution=resolution), start, None)
    assert min(ts for ts, _ in points) == local(first)


def test_monthly_prices_of_the_german_auction(server: LocalServer) -> None:
    """Of 4169 DE: January and July 2025, and January 2026 in the next file; then nothing yet.

    The stamps and means are those of SMARD (as a public client's tests quote them).
    """
    smard = Smard(server, [], "month")
    files = {
        1735686000000: [[1735686000000, 114.14], [1751320800000, 87.8]],
        1767222000000: [[1767222000000, 110.09], [1790805600000, None]],
    }
    smard.lay_out("index", {"timestamps": list(files)})
    for stamp, pairs in files.items():
        smard.lay_out(stamp, {"meta_data": {"version": 1, "created": 1}, "series": pairs})
    points = points_of(plugin_for(server, resolution="month"), "2015-01-01T00:00:00Z", None)
    assert points == [
        (local("2025-01-01"), 114.14),
        (local("2025-07-01"), 87.8),
        (local("2026-01-01"), 110.09),
        (local("2026-10-01"), None),
    ]
