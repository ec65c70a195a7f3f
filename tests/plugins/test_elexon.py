"""Elexon Insights as a local server plays it, and its recorded answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from support.elexon_files import (
    HALF_HOUR,
    LONDON,
    fetch,
    fetch_group,
    requested_rows,
    row,
    serve_rows,
    stream,
    utc_text,
    values,
)
from support.http_server import Reply
from support.recordings import RECORDINGS, needs_recordings

from dataportal.errors import BadDataError, FetchError, PermanentError, TransientError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.elexon_plugin import ElexonDataSourcePlugin
from dataportal.plugins.data_sources.elexon_plugin.datasets import DATASETS

if TYPE_CHECKING:
    from support.http_server import LocalServer
    from syrupy.assertion import SnapshotAssertion

RECORDED = RECORDINGS / "elexon" / "FUELINST_stream_2024-02-12T17-50Z.json"
START = datetime(2025, 1, 1, tzinfo=UTC)
FROM, TO = "2025-01-01T00:00:00Z", "2025-01-01T12:00:00Z"
WIND = {"dataset": "FUELHH", "fuelType": "WIND"}


def at(hour: float) -> datetime:
    """So many hours after the beginning of the day."""
    return START + timedelta(hours=hour)


def wind(hour: float, value: object, published: datetime | None = None) -> dict[str, Any]:
    """A row of FUELHH."""
    return row(at(hour), published, fuelType="WIND", generation=value)


@pytest.mark.parametrize("end", [TO, None])
def test_how_each_dataset_is_asked_for(
    server: LocalServer, snapshot: SnapshotAssertion, end: str | None
) -> None:
    """The address of each, for a person to compare with the documentation."""
    start = FROM if end else utc_text(datetime.now(UTC) - HALF_HOUR)
    sent = {}
    for name, dataset in DATASETS.items():
        server.answer(f"/{dataset.path}", Reply.json([]))
        server.answer(f"/{dataset.path}/{FROM[:10]}", Reply.json([]))
        if end is None and dataset.requested_by == "day":
            continue  # its path has the present day
        server.requests.clear()
        fetch(server, start, end, dataset=name, **dict.fromkeys(dataset.key_fields, "X"))
        (request,) = server.requests
        sent[name] = unquote(request.target) if end else [request.path, *request.query]
    assert sent == snapshot


def test_rows_become_points(server: LocalServer) -> None:
    """By start and fuel, with the time of publication; other fuels are left out."""
    rows = [wind(0, 5000), row(at(0), fuelType="CCGT", generation=1), wind(0.5, -3)]
    server.answer(stream("FUELHH"), serve_rows(rows))
    columns = fetch(server, FROM, TO, **WIND)
    assert values(columns) == {at(0): 5000, at(0.5): -3}
    assert dict(zip(columns["ts"], columns["published_at"], strict=True)) == {
        at(0): at(0.5),
        at(0.5): at(1),
    }


@pytest.mark.parametrize("envelope", [False, True])
def test_a_stream_is_bare_and_anything_else_in_an_envelope(
    server: LocalServer, *, envelope: bool
) -> None:
    """Both are read."""
    rows = [wind(0, 1)]
    document = {"data": rows, "metadata": {"datasets": ["FUELHH"]}} if envelope else rows
    server.answer(stream("FUELHH"), Reply.json(document))
    assert values(fetch(server, FROM, TO, **WIND)) == {at(0): 1}


def test_every_publication_is_kept(server: LocalServer) -> None:
    """Two of one half-hour are two points; cleaned, the newer is the value, both are vintages."""
    rows = [wind(0, 100, at(0.5)), wind(0, 120, at(9)), wind(0.5, 7)]
    server.answer(stream("FUELHH"), serve_rows(rows))
    columns = fetch(server, FROM, TO, **WIND)
    batch = clean({"one": columns}, series=["one"], start=START, end=None, zone=None)
    assert not batch.rejected
    series = batch.series["one"]
    assert (series.ts, series.values) == ([at(0), at(0.5)], [120, 7])
    assert series.vintages == [
        (at(0), at(0.5), 100),
        (at(0), at(9), 120),
        (at(0.5), at(1), 7),
    ]


def test_without_vintages_the_newest_publication_counts(server: LocalServer) -> None:
    """In whichever order they come."""
    rows = [wind(0, 120, at(9)), wind(0, 100, at(0.5))]
    for order in (rows, rows[::-1]):
        server.answer(stream("FUELHH"), Reply.json(order))
        assert fetch(server, FROM, TO, vintages=False, **WIND) == {
            "ts": [at(0)],
            "value": [120],
        }


def test_a_late_revision_is_found_by_an_open_window(server: LocalServer) -> None:
    """Everything published since the window began is asked for, up to now."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - timedelta(days=40)
    rows = [
        row(start, start + HALF_HOUR, fuelType="WIND", generation=1),
        row(start, now - timedelta(minutes=1), fuelType="WIND", generation=2),
    ]
    server.answer(stream("FUELHH"), serve_rows(rows))
    columns = fetch(server, utc_text(start), **WIND)
    assert columns["value"] == [1, 2]
    assert all("publishDateTimeFrom" in request.query for request in server.requests)


def test_a_late_revision_is_found_by_a_closed_window(server: LocalServer) -> None:
    """A backfill asks for outturns by settlement date, so whenever they were published."""
    rows = [wind(0, 1), wind(0, 2, at(24 * 300))]
    server.answer(stream("FUELHH"), serve_rows(rows))
    assert fetch(server, FROM, TO, **WIND)["value"] == [2, 1]
    assert "settlementDateFrom" in server.requests[0].query


def test_a_wrong_settlement_date_loses_nothing(server: LocalServer) -> None:
    """As those of the last half-hours of some days were, a day off: the start is what counts."""
    wrong = {**wind(23.5, 9), "settlementDate": "2025-01-02", "settlementPeriod": 48}
    server.answer(stream("FUELHH"), serve_rows([wind(0, 1), wrong]))
    assert values(fetch(server, FROM, "2025-01-02T00:00:00Z", **WIND)) == {
        at(0): 1,
        at(23.5): 9,
    }


def test_forecasts_published_before_the_window_are_found(server: LocalServer) -> None:
    """The day before, as forecasts are; every publication of them."""
    rows = [
        row(at(1), at(-24), generation=50),
        row(at(1), at(-2), generation=60),
        row(at(1), at(-24 * 9), generation=1),
    ]
    server.answer(stream("WINDFOR"), serve_rows(rows))
    assert sorted(fetch(server, FROM, TO, dataset="WINDFOR")["value"]) == [50, 60]


@pytest.mark.parametrize("month", [3, 10])
def test_days_of_changing_clocks(server: LocalServer, month: int) -> None:
    """46 or 50 half-hours of a day in London, each at its own instant."""
    first = datetime(2025, month, {3: 30, 10: 26}[month], tzinfo=LONDON).astimezone(UTC)
    after = datetime(2025, month, {3: 31, 10: 27}[month], tzinfo=LONDON).astimezone(UTC)
    count = (after - first) // HALF_HOUR
    assert count == {3: 46, 10: 50}[month]
    instants = [first + n * HALF_HOUR for n in range(count)]
    rows = [row(ts, fuelType="WIND", generation=n) for n, ts in enumerate(instants)]
    server.answer(stream("FUELHH"), serve_rows(rows))
    points = values(fetch(server, utc_text(first), utc_text(after), **WIND))
    assert points == {ts: n for n, ts in enumerate(instants)}


def test_one_request_brings_all_fuels(server: LocalServer) -> None:
    """And another data set of the same group takes one more."""
    rows = [row(at(0), fuelType=fuel, generation=n) for n, fuel in enumerate(("WIND", "CCGT"))]
    server.answer(stream("FUELHH"), serve_rows(rows))
    server.answer(stream("INDO"), serve_rows([row(at(0), demand=30000)]))
    by_series = fetch_group(
        server,
        {
            "wind": {"fuelType": "WIND"},
            "gas": {"fuelType": "CCGT"},
            "demand": {"dataset": "INDO"},
        },
        FROM,
        TO,
        dataset="FUELHH",
    )
    assert {name: values(columns) for name, columns in by_series.items()} == {
        "wind": {at(0): 0},
        "gas": {at(0): 1},
        "demand": {at(0): 30000},
    }
    assert [request.path for request in server.requests] == [stream("FUELHH"), stream("INDO")]


@pytest.mark.parametrize("dataset", ["INDO", "ITSDO"])
def test_demand_is_asked_for_where_it_is_documented(server: LocalServer, dataset: str) -> None:
    """The documentation names no stream of it: where there is none, the endpoint that it names."""
    rows = [row(at(0), demand=30000), row(at(0.5), demand=29500)]
    server.answer(f"/datasets/{dataset}", Reply.json({"data": rows}))
    end = utc_text(at(1))
    by_series = fetch_group(server, {"it": {"dataset": dataset}}, utc_text(at(0)), end)
    columns = by_series["it"]
    assert not isinstance(columns, FetchError)
    assert columns["value"] == [30000, 29500]
    first, second = server.requests
    assert (first.path, second.path) == (stream(dataset), f"/datasets/{dataset}")
    assert first.query == second.query


def test_prices_of_two_providers_are_two_series(server: LocalServer) -> None:
    """By dataProvider; they carry no time of publication, so none is claimed."""
    rows = [
        {"startTime": utc_text(at(0)), "dataProvider": name, "price": price, "volume": 3.5}
        for name, price in (("APXMIDP", 81.5), ("N2EXMIDP", 0.0))
    ]
    server.answer(stream("MID"), serve_rows(rows))
    by_series = fetch_group(
        server,
        {
            "price": {"dataProvider": "APXMIDP"},
            "volume": {"dataProvider": "APXMIDP", "value": "volume"},
        },
        FROM,
        TO,
        dataset="MID",
    )
    assert by_series == {
        "price": {"ts": [at(0)], "value": [81.5]},
        "volume": {"ts": [at(0)], "value": [3.5]},
    }
    assert len(server.requests) == 1


def test_system_prices_come_by_the_day_in_london(server: LocalServer) -> None:
    """Every day that the window touches; a later settlement run is a later publication."""
    summer = datetime(2025, 7, 1, 22, 30, tzinfo=UTC)
    for day, start, price in (
        ("2025-07-01", summer, 90.5),
        ("2025-07-02", summer + HALF_HOUR, 96.79),
    ):
        prices = {
            **row(start),
            "createdDateTime": "2025-07-03T01:00:00Z",
            "systemSellPrice": price,
            "systemBuyPrice": price + 1,
            "replacementPrice": None,
        }
        prices.pop("publishTime")
        server.answer(
            f"/balancing/settlement/system-prices/{day}",
            Reply.json({"metadata": {"datasets": ["DISEBSP"]}, "data": [prices]}),
        )
    by_series = fetch_group(
        server,
        {"sell": {}, "buy": {"value": "systemBuyPrice"}, "none": {"value": "replacementPrice"}},
        "2025-07-01T22:00:00Z",
        "2025-07-02T12:00:00Z",
        dataset="system_prices",
    )
    published = [datetime(2025, 7, 3, 1, tzinfo=UTC)] * 2
    instants = [summer, summer + HALF_HOUR]
    assert by_series["sell"] == {"ts": instants, "value": [90.5, 96.79], "published_at": published}
    assert by_series["buy"] == {"ts": instants, "value": [91.5, 97.79], "published_at": published}
    assert by_series["none"] == {"ts": instants, "value": [None, None], "published_at": published}
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("start", "end", "dataset", "count"),
    [
        ("2024-01-01", "2025-01-01", "FUELHH", 12),
        ("2025-01-01", "2025-02-01", "FUELINST", 5),
        ("2024-01-01", "2024-07-01", "INDO", 6),
        ("2025-01-01", "2025-01-07", "system_prices", 7),
    ],
)
def test_long_ranges_are_cut(
    server: LocalServer, start: str, end: str, dataset: str, count: int
) -> None:
    """So that no answer is larger than what is read."""
    paths = [f"/{DATASETS[dataset].path}"]
    paths += [f"{paths[0]}/2025-01-0{day}" for day in range(1, 8)]
    for path in paths:
        server.answer(path, Reply.json([]))
    more = dict.fromkeys(DATASETS[dataset].key_fields, "X")
    fetch(server, f"{start}T00:00:00Z", f"{end}T00:00:00Z", dataset=dataset, **more)
    assert len(server.requests) == count


def test_a_fuel_that_nobody_knows_says_what_there_is(server: LocalServer) -> None:
    """It fails alone; one that has ended, or has not begun, is no fault."""
    rows = [row(at(0), fuelType=fuel, generation=1) for fuel in ("WIND", "CCGT")]
    server.answer(stream("FUELHH"), serve_rows(rows))
    filters = {fuel: {"fuelType": fuel} for fuel in ("WIND", "WINT", "COAL")}
    by_series = fetch_group(server, filters, FROM, TO, dataset="FUELHH")
    assert isinstance(by_series["WINT"], BadDataError)
    assert "no row of fuelType WINT, but CCGT, WIND" in str(by_series["WINT"])
    assert values(by_series["WIND"]) == {at(0): 1}
    assert values(by_series["COAL"]) == {}
    server.answer(stream("FUELHH"), Reply.json([]))
    assert values(fetch_group(server, filters, FROM, TO, dataset="FUELHH")["WINT"]) == {}


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (Reply.json({"title": "bad dates"}, 400), PermanentError, "bad dates"),
        (Reply(404), FetchError, "404"),
        (Reply(429, headers={"Retry-After": "9"}), TransientError, "429"),
        (Reply(503, b"<html>"), TransientError, "503"),
        (Reply(200, b"<html>sorry</html>"), BadDataError, "HTML"),
        (Reply(200, b'[{"startTime"'), BadDataError, "not JSON"),
        (Reply.json({"error": "no"}), BadDataError, "no list of rows"),
        (Reply.json({"data": {"a": 1}}), BadDataError, "no list of rows"),
        (Reply.json([1, 2]), BadDataError, "no list of rows"),
        (Reply.json([{"fuelType": "WIND"}]), BadDataError, "a row without 'startTime'"),
        (
            Reply.json([{"fuelType": "WIND", "startTime": "x", "generation": 1}]),
            BadDataError,
            "a row without 'publishTime'",
        ),
        (
            Reply.json([{"fuelType": "WIND", "startTime": "x", "output": 1}]),
            BadDataError,
            "a row without 'generation'",
        ),
    ],
)
def test_what_goes_wrong_is_classified(
    server: LocalServer, reply: Reply, kind: type[FetchError], message: str
) -> None:
    """Nonsense and a changed format are errors that show the address."""
    server.answer(stream("FUELHH"), reply)
    with pytest.raises(kind, match=message) as caught:
        fetch(server, FROM, TO, **WIND)
    assert server.url in str(caught.value)


def test_a_row_that_cannot_be_taken_is_refused_by_the_run(server: LocalServer) -> None:
    """A time that is none, a value that is no number: counted, and the good one stays."""
    rows = [wind(0, 1), wind(0.5, "much"), {**wind(1, 1), "startTime": "01/01/2025 01:00"}]
    server.answer(stream("FUELHH"), Reply.json(rows))
    answer = {"one": fetch(server, FROM, TO, **WIND)}
    batch = clean(answer, series=["one"], start=None, end=None, zone=None)
    assert (batch.received, batch.rejected, batch.series["one"].values) == (3, 2, [1])


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "dataset is missing"),
        ({"dataset": "FUEL"}, "dataset must be one of FUELHH, "),
        ({"dataset": "FUELHH"}, "fuelType is missing"),
        ({"dataset": "NDF"}, "boundary is missing"),
        ({"dataset": "MID", "dataProvider": "APXMIDP", "value": "prise"}, "price, volume"),
        ({"dataset": "INDO", "fuelType": "WIND"}, "fuelType does not go with dataset INDO"),
        ({"dataset": "INDO", "vintages": "no"}, "vintages must be true or false"),
    ],
)
def test_every_wrong_parameter_is_named(params: dict[str, Any], reason: str) -> None:
    """With what there is."""
    with pytest.raises(ValueError, match=reason):
        ElexonDataSourcePlugin(TimeSeriesMetadata("one"), params)


@needs_recordings
def test_the_recorded_answer_is_read_whole(server: LocalServer) -> None:
    """Nineteen fuels in one request, as the standard library reads them, negative flows too."""
    rows = json.loads(RECORDED.read_text())
    server.answer(
        stream("FUELINST"),
        lambda request: (
            Reply(body=RECORDED.read_bytes()) if requested_rows(request, rows) else Reply.json([])
        ),
    )
    by_series = fetch_group(
        server,
        {recorded_row["fuelType"]: {"fuelType": recorded_row["fuelType"]} for recorded_row in rows},
        "2024-02-12T17:45:00Z",
        "2024-02-12T17:50:00Z",
        dataset="FUELINST",
    )
    assert len(by_series) == 19
    assert len(server.requests) == 1
    for recorded_row in rows:
        assert by_series[recorded_row["fuelType"]] == {
            "ts": [datetime.fromisoformat(recorded_row["startTime"])],
            "value": [recorded_row["generation"]],
            "published_at": [datetime.fromisoformat(recorded_row["publishTime"])],
        }
    batch = clean(by_series, series=list(by_series), start=None, end=None, zone=None)
    assert (batch.received, batch.rejected) == (19, 0)
    assert min(recorded_row.values[0] or 0 for recorded_row in batch.series.values()) < 0
