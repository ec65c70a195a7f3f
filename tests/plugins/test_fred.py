"""FRED with its vintages: real answers, paging, and what an interval's end means."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from support.http_server import LocalServer, Reply
from support.recordings import recording_json

from dataportal.errors import BadDataError, PermanentError
from dataportal.local_times import end_of_day
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.fred_plugin import FredDataSourcePlugin
from dataportal.plugins.http import HttpClient
from dataportal.store.read.history import observations, publications, series_summary
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from support.http_server import Request

CHICAGO = ZoneInfo("America/Chicago")
START = datetime(1, 1, 1, tzinfo=UTC)
PATH = "/fred/series/observations"


def row(day: str, value: str, first: str, last: str = "9999-12-31") -> dict[str, str]:
    """A row as ALFRED writes it."""
    return {"realtime_start": first, "realtime_end": last, "date": day, "value": value}


def document(rows: list[dict[str, str]], cap: str = "9999-12-31") -> dict[str, Any]:
    """An answer as ALFRED writes it."""
    return {"realtime_end": cap, "count": len(rows), "observations": rows}


def paged(answer: dict[str, Any], size: int) -> Any:
    """Answers page by page, as `offset` asks for."""

    def reply(request: Request) -> Reply:
        offset = int(request.query["offset"][0])
        rows = answer["observations"][offset : offset + size]
        return Reply.json({**answer, "offset": offset, "observations": rows})

    return reply


def fetch(server: LocalServer, **params: Any) -> Any:
    """What the plugin returns."""
    plugin = FredDataSourcePlugin(
        TimeSeriesMetadata("gdp"),
        {"series_id": "GDP", "api_key": "c4n4ry", "base_url": f"{server.url}/fred", **params},
    )
    plugin.http = HttpClient()

    async def ask() -> Any:
        try:
            return await plugin.get_historical_data("0001-01-01T00:00:00Z")
        finally:
            await plugin.http.aclose()

    return asyncio.run(ask())


def stored(url: str, answer: Any) -> None:
    """Store an answer of the plugin."""
    with closing(SourceSession.open(url, "fred")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("gdp")])
        run = session.start_run(RunKind.SCHEDULED, START, None)
        batch = clean({"gdp": answer}, series=["gdp"], start=START, end=None, zone=None)
        assert not batch.rejected
        received = Counts(received=batch.received, duplicates=batch.duplicates)
        merged = session.merge(
            SliceWrite(run, batch.series, start=START, end=None, received=received)
        )
        assert merged.counts.received == sum(merged.counts.values()) - merged.counts.received
        session.finish_run(run, Outcome.SUCCEEDED)


def published(database: psycopg.Connection | str, day: date) -> dict[str, float]:
    """The series as published on a day, in a database or at a connection's."""
    if isinstance(database, str):
        with psycopg.connect(database) as connection:
            return published(connection, day)
    summary = series_summary(database, "gdp")
    assert summary is not None
    rows = publications(database, summary.series_id, at=end_of_day(day, CHICAGO))
    return {row.ts.date().isoformat(): row.value for row in rows}


@pytest.mark.slow
def test_every_past_day_is_as_alfred_had_it(database_url: str) -> None:
    """On each day of a publication, and on the day before, what ALFRED says of it."""
    answer = recording_json("alfred/GDP_asof_2019-01-01.json")
    days = [
        date.fromisoformat(d)
        for d in recording_json("alfred/GDP_vintagedates.json")["vintage_dates"]
    ]
    with LocalServer() as server:
        server.answer(PATH, paged(answer, 1000))
        stored(database_url, fetch(server))
        assert server.asked(PATH) == 3
    cap = date.fromisoformat(answer["realtime_end"])
    rows = [r for r in answer["observations"] if r["value"] != "."]
    with psycopg.connect(database_url) as connection:
        for day in [d for d in days if d <= cap]:
            for past_day in (day, day - timedelta(days=1)):
                on = past_day.isoformat()
                expected = {
                    r["date"]: float(r["value"])
                    for r in rows
                    if r["realtime_start"] <= on <= r["realtime_end"]
                }
                assert published(connection, past_day) == expected
        summary = series_summary(connection, "gdp")
        assert summary is not None
        current = {
            o.ts.date().isoformat(): o.value for o in observations(connection, summary.series_id)
        }
        assert current == published(connection, cap)


def test_today_is_as_fred_has_it(database_url: str) -> None:
    """Without vintages the recorded answer's own values are the current ones, and no other."""
    answer = recording_json("fred/GDP_current.json")
    with LocalServer() as server:
        server.answer(PATH, Reply.json(answer))
        stored(database_url, fetch(server, vintages=False))
    expected = {r["date"]: float(r["value"]) for r in answer["observations"] if r["value"] != "."}
    assert expected
    with psycopg.connect(database_url) as connection:
        summary = series_summary(connection, "gdp")
        assert summary is not None
        rows = observations(connection, summary.series_id)
        assert {o.ts.date().isoformat(): o.value for o in rows} == expected
    assert published(database_url, date(2030, 1, 1)) == {}


def test_an_interval_that_ends_with_the_answer_is_open(database_url: str) -> None:
    """Asked up to a day, the rows end there: nothing was withdrawn by that."""
    rows = [row("2020-01-01", "1", "2020-02-01", "2020-03-01")]
    with LocalServer() as server:
        server.answer(PATH, Reply.json(document(rows, cap="2020-03-01")))
        stored(database_url, fetch(server))
    assert published(database_url, date(2021, 1, 1)) == {"2020-01-01": 1.0}


def test_an_interval_that_just_ends_is_a_withdrawal(database_url: str) -> None:
    """From the day after on there is no value, and before it is as it was."""
    rows = [
        row("2020-01-01", "1", "2020-02-01", "2020-02-29"),
        row("2020-04-01", "2", "2020-05-01"),
    ]
    with LocalServer() as server:
        server.answer(PATH, Reply.json(document(rows)))
        stored(database_url, fetch(server))
    assert published(database_url, date(2020, 2, 29)) == {"2020-01-01": 1.0}
    assert published(database_url, date(2020, 3, 1)) == {}
    assert published(database_url, date(2020, 5, 1)) == {"2020-04-01": 2.0}


def test_without_vintages_the_present_is_fetched() -> None:
    """No real time is asked for, and none is claimed."""
    with LocalServer() as server:
        server.answer(PATH, Reply.json(document([row("2020-01-01", ".", "2024-01-01")])))
        answer = fetch(server, vintages=False)
        assert "realtime_start" not in server.requests[0].query
    assert answer["ts"] == [datetime(2020, 1, 1, tzinfo=UTC)]
    assert answer["value"] == [None]
    assert not answer.keys() & {"published_at", "published_zone", "end"}


def test_an_answer_that_stops_short_is_refused() -> None:
    """Fewer rows than it counts are no whole history."""
    with LocalServer() as server:
        answer = {**document([row("2020-01-01", "1", "2020-02-01")]), "count": 2}
        server.answer(PATH, paged(answer, 1000))
        with pytest.raises(BadDataError, match="ends after 1 of 2"):
            fetch(server)


def test_a_refusal_shows_its_reason_and_no_key() -> None:
    """What FRED says is passed on; the key is not."""
    error = {"error_code": 400, "error_message": "Bad Request.  The series does not exist. c4n4ry"}
    with LocalServer() as server:
        server.answer(PATH, Reply.json(error, status=400))
        with pytest.raises(PermanentError, match="does not exist") as caught:
            fetch(server)
    assert "c4n4ry" not in str(caught.value)


def test_every_wrong_parameter_is_named() -> None:
    """At once."""
    with pytest.raises(ValueError, match=r"series_id is missing; api_key is missing; .*'serie'"):
        FredDataSourcePlugin(TimeSeriesMetadata("gdp"), {"serie": "GDP"})


WEEKS = [
    ("2024-01-06", "203", "2024-01-18"),
    ("2024-01-13", "189", "2024-01-25"),
    ("2024-01-20", "214", "2024-01-25"),
]
"""Initial claims (ICSA) as ALFRED has them: of weeks that end on these Saturdays."""


def weekly_server(server: LocalServer, frequency: str, days: list[str] | None = None) -> None:
    """A provider of weekly values, and of what it says of the series."""
    rows = [row(day, value, first) for day, value, first in WEEKS]
    if days is not None:
        rows = [row(day, "1", "2024-02-01") for day in days]
    server.answer(PATH, Reply.json(document(rows)))
    server.answer("/fred/series", Reply.json({"seriess": [{"frequency": frequency}]}))


def days_of(answer: Any) -> list[str]:
    """The days of an answer's times, which are all midnights in UTC."""
    assert {ts.time().isoformat() for ts in answer["ts"]} <= {"00:00:00"}
    return [ts.date().isoformat() for ts in answer["ts"]]


@pytest.mark.parametrize(
    ("frequency", "first"),
    [
        ("Weekly, Ending Saturday", "2023-12-31"),
        ("weekly, ending saturday", "2023-12-31"),
        ("Biweekly, Ending Saturday", "2023-12-24"),
        ("Weekly, As of Saturday", "2024-01-06"),
        ("Daily", "2024-01-06"),
    ],
)
def test_a_week_is_stored_under_its_first_day(frequency: str, first: str) -> None:
    """Where it is dated by its last one; what is "as of" a day is not."""
    with LocalServer() as server:
        weekly_server(server, frequency)
        answer = fetch(server)
    assert days_of(answer)[0] == first
    assert answer["value"] == ["203", "189", "214"]


def test_a_week_that_begins_before_the_calendar_costs_its_point_alone() -> None:
    """One at its other end is as FRED has it, and so is one that was published there."""
    weeks = [("0001-01-06", "1"), ("2024-01-06", "2"), ("9999-12-25", "3")]
    rows = [row(day, value, "9999-12-31") for day, value in weeks]
    rows.append(row("2024-01-13", "4", "2024-01-18"))
    with LocalServer() as server:
        server.answer(PATH, Reply.json(document(rows)))
        server.answer(
            "/fred/series", Reply.json({"seriess": [{"frequency": "Weekly, Ending Saturday"}]})
        )
        answer = fetch(server)
    batch = clean({"gdp": answer}, series=["gdp"], start=START, end=None, zone=None)
    assert batch.series["gdp"].values == [2.0, 4.0, 3.0]
    assert batch.rejected == 1


def test_who_wants_the_dates_of_the_provider_gets_them() -> None:
    """And nothing but the observations is asked for."""
    with LocalServer() as server:
        weekly_server(server, "Weekly, Ending Saturday")
        assert days_of(fetch(server, stamp="provider")) == [day for day, _, _ in WEEKS]
        assert server.asked("/fred/series") == 0


@pytest.mark.parametrize(
    ("code", "first"), [("wesa", "2023-12-31"), ("bwesa", "2023-12-24"), ("w", "2023-12-31")]
)
def test_weeks_that_the_api_makes_are_dated_by_their_end_too(code: str, first: str) -> None:
    """As `frequency` asks for them."""
    with LocalServer() as server:
        weekly_server(server, "Daily")
        assert days_of(fetch(server, frequency=code))[0] == first


def test_weeks_as_of_a_day_are_asked_for_as_they_are() -> None:
    """`frequency: w` of WALCL aggregates nothing: each value is one of its Wednesday."""
    with LocalServer() as server:
        weekly_server(server, "Weekly, As of Saturday")
        assert days_of(fetch(server, frequency="w")) == [day for day, _, _ in WEEKS]


@pytest.mark.parametrize(
    ("frequency", "days"),
    [
        ("Quarterly, End of Period", ["2023-10-01", "2024-01-01"]),
        ("Quarterly, End of Quarter", ["2023-10-01"]),
        ("Semiannual", ["2023-07-01", "2024-01-01"]),
        ("Annual", ["2023-01-01", "2024-01-01"]),
        # the deficit of the United States (FYFSD) is dated by the end of the fiscal year
        ("Annual, Fiscal Year", ["1976-06-30", "1977-09-30", "2023-09-30"]),
        ("Monthly, End of Period", ["2024-01-01", "2024-02-01"]),
        ("5 Year", ["2015-01-01", "2020-01-01"]),
    ],
)
def test_longer_periods_begin_where_fred_says(frequency: str, days: list[str]) -> None:
    """Whatever of them the values are of."""
    with LocalServer() as server:
        weekly_server(server, frequency, days)
        assert days_of(fetch(server)) == days


@pytest.mark.parametrize("days", [["2024-01-01", "2024-02-01"], ["2024-01-01"], []])
def test_dates_that_can_only_be_firsts_of_months_are_not_asked_about(days: list[str]) -> None:
    """One request is enough for most series; and days of daily series follow each other."""
    with LocalServer() as server:
        weekly_server(server, "Weekly, Ending Saturday", days)
        assert days_of(fetch(server)) == days
        weekly_server(server, "Daily", ["2024-01-05", "2024-01-08", "2024-01-09"])
        assert days_of(fetch(server))[0] == "2024-01-05"
        assert server.asked("/fred/series") == 0


def test_a_week_of_another_day_than_its_series_says_is_refused() -> None:
    """Rather than stored a few days off."""
    with LocalServer() as server:
        weekly_server(server, "Weekly, Ending Friday")
        with pytest.raises(BadDataError, match="end on Friday, and one is dated 2024-01-06"):
            fetch(server)


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        ("2024-01-25", datetime(2024, 1, 26, 5, 59, 59, 999999, tzinfo=UTC)),
        ("2024-07-25", datetime(2024, 7, 26, 4, 59, 59, 999999, tzinfo=UTC)),
        ("2024-03-10", datetime(2024, 3, 11, 4, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_a_day_of_publication_counts_from_its_end(day: str, instant: datetime) -> None:
    """In US Central, winter and summer, also where the clocks change on it."""
    with LocalServer() as server:
        server.answer(PATH, Reply.json(document([row("2023-10-01", "27.9", day)])))
        answer = fetch(server)
    assert answer["published_at"] == [instant]
    assert answer["published_zone"] == "America/Chicago"


TOO_MANY = {
    "error_code": 400,
    "error_message": "Bad Request.  There are 4 vintage dates between 1776-07-04 and 9999-12-31 "
    "for series id DFF which exceeds the maximum number of vintage dates allowed (2000).",
}


def alfred(rows: list[dict[str, str]], most: int) -> Any:
    """ALFRED, which refuses more vintages than `most`, and cuts rows to the real time asked for."""
    days = sorted({r["realtime_start"] for r in rows})

    def reply(request: Request) -> Reply:
        first, last = (request.query[f"realtime_{end}"][0] for end in ("start", "end"))
        if sum(first <= day <= last for day in days) > most:
            return Reply.json(TOO_MANY, status=400)
        inside = [
            {
                **r,
                "realtime_start": max(r["realtime_start"], first),
                "realtime_end": min(r["realtime_end"], last),
            }
            for r in rows
            if r["realtime_start"] <= last and r["realtime_end"] >= first
        ]
        return Reply.json(document(inside, cap=last))

    return reply


def daily_rates(vintages: int) -> list[dict[str, str]]:
    """A rate of each day, published on the day after; the first one is corrected now and then."""
    first = date(2010, 1, 1)
    days = [first + n * timedelta(days=1) for n in range(vintages)]
    rows = [
        row(day.isoformat(), f"{n % 7}.5", days[n + 1].isoformat())
        for n, day in enumerate(days[:-1])
    ]
    # neighbours differ, as in ALFRED; one of them goes on from the first piece to the second
    corrections = [days[1], days[600], days[1_900], days[2_300], days[2_400]]
    for number, (since, until) in enumerate(pairwise([*corrections, date(9999, 12, 31)])):
        end = until if until.year == 9999 else until - timedelta(days=1)
        value = str(number) if number != 3 else "."
        rows.append(row("2009-12-31", value, since.isoformat(), end.isoformat()))
    # one that was withdrawn just where a piece ends, and came back
    rows.append(row("2009-12-30", "1", days[1].isoformat(), days[2_000].isoformat()))
    rows.append(row("2009-12-30", "1", days[2_010].isoformat()))
    return rows


@pytest.mark.parametrize("vintages", [2_500, 4_500])
def test_more_vintages_than_one_answer_tells_come_in_pieces(vintages: int) -> None:
    """As they would come in one: what goes on from one piece to the next is one value."""
    rows = daily_rates(vintages)
    days = sorted({r["realtime_start"] for r in rows})
    with LocalServer() as server:
        server.answer(PATH, Reply.json(document(rows)))
        whole = fetch(server)
        server.answer(PATH, alfred(rows, 2_000))
        server.answer(
            "/fred/series/vintagedates",
            Reply.json({"count": len(days), "vintage_dates": days}),
        )
        pieces = fetch(server)
    names = ("ts", "value", "published_at")
    assert sorted(zip(*(whole[name] for name in names), strict=True), key=repr) == sorted(
        zip(*(pieces[name] for name in names), strict=True), key=repr
    )


def test_a_refusal_of_too_many_vintages_without_days_is_passed_on() -> None:
    """There is nothing that could be asked for in pieces."""
    with LocalServer() as server:
        server.answer(PATH, Reply.json(TOO_MANY, status=400))
        server.answer("/fred/series/vintagedates", Reply.json({"count": 0, "vintage_dates": []}))
        with pytest.raises(PermanentError, match="exceeds the maximum"):
            fetch(server)
