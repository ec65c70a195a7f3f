"""FRED with its vintages: real answers, paging, and what an interval's end means."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError, PermanentError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.fred_plugin import FredDataSourcePlugin
from dataportal.plugins.http import HttpClient
from dataportal.store.read.history import observations, publications, series_summary
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from support.http_server import Request

SHARED = Path(os.environ.get("DATAPORTAL_SHARED") or Path(__file__).parents[2].parent / "shared")
START = datetime(1, 1, 1, tzinfo=UTC)
PATH = "/fred/series/observations"


def recorded(name: str) -> dict[str, Any]:
    """A recorded answer; without the recordings the test is skipped, but not in CI."""
    file = SHARED / "recordings" / name
    if not file.exists() and not os.environ.get("CI"):
        pytest.skip("needs the recordings")
    document: dict[str, Any] = json.loads(file.read_text())
    return document


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
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    rows = publications(database, summary.series_id, at=at)
    return {row.ts.date().isoformat(): row.value for row in rows}


@pytest.mark.slow
def test_every_past_day_is_as_alfred_had_it(database_url: str) -> None:
    """On each day of a publication, and on the day before, what ALFRED says of it."""
    answer = recorded("alfred/GDP_asof_2019-01-01.json")
    days = [
        date.fromisoformat(d) for d in recorded("alfred/GDP_vintagedates.json")["vintage_dates"]
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
    answer = recorded("fred/GDP_current.json")
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
    assert answer == {"ts": [datetime(2020, 1, 1, tzinfo=UTC)], "value": [None]}


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
