"""Answers as providers of whom nothing is recorded describe them: small ones, with right values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import fetch, points
from support.http_server import LocalServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.http_server import Request

WINDOW = ("2024-10-26T22:00:00Z", "2024-10-28T23:00:00Z")


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as server:
        yield server


def test_jao_names_hours_and_the_request_the_day(server: LocalServer) -> None:
    """Hours of auctions in no order, the second of the doubled one with a star."""
    hours = ["00:00-01:00", "01:00-02:00", "02:00-03:00", "02:00-03:00*", "03:00-04:00"]

    def auctions(request: Request) -> Reply:
        is_autumn = request.query["fromdate"] == ["2024-10-27"]
        results = [
            {"productHour": hour, "auctionPrice": price + 0.5}
            for price, hour in enumerate(hours)
            if is_autumn or "*" not in hour
        ]
        return Reply.json([{"identification": "IF1-FR-GB", "results": results[::-1]}])

    batch = fetch(
        "Json",
        url=server.answer("/OWSMP/getauctions", auctions),
        window=WINDOW,
        timezone="Europe/Paris",
        query={"fromdate": "{start:%Y-%m-%d@Europe/Paris}"},
        each="day",
        zone="Europe/Paris",
        rows="[].results[]",
        fields={
            "day": {"request": "{start:%Y-%m-%d@Europe/Paris}"},
            "hour": {"place": "productHour", "pattern": r"^(\d\d:\d\d)"},
        },
        ts=["day", "hour"],
        time_format="%Y-%m-%d %H:%M",
        value="auctionPrice",
        dst={"place": "productHour", "first": "02:00-03:00", "second": "02:00-03:00*"},
    )
    assert not batch.rejected
    assert points(batch) == {
        "2024-10-26T22:00:00Z": 0.5,
        "2024-10-26T23:00:00Z": 1.5,
        "2024-10-27T00:00:00Z": 2.5,
        "2024-10-27T01:00:00Z": 3.5,
        "2024-10-27T02:00:00Z": 4.5,
        "2024-10-27T23:00:00Z": 0.5,
        "2024-10-28T00:00:00Z": 1.5,
        "2024-10-28T01:00:00Z": 2.5,
        "2024-10-28T02:00:00Z": 4.5,
    }


@pytest.mark.parametrize(
    ("begins", "hours"),
    [
        (
            "2024-10-25T22:00:00.000+00:00",
            {"23:00-24:00": "2024-10-26T21:00:00Z", "00:00-01:00": "2024-10-25T22:00:00Z"},
        ),
        (
            "2024-10-26T22:00:00.000+00:00",
            {
                "03:00-04:00": "2024-10-27T02:00:00Z",
                "02:00-03:00*": "2024-10-27T01:00:00Z",
                "02:00-03:00": "2024-10-27T00:00:00Z",
                "00:00-01:00": "2024-10-26T22:00:00Z",
            },
        ),
        (
            "2024-03-30T23:00:00.000+00:00",
            {"03:00-04:00": "2024-03-31T01:00:00Z", "01:00-02:00": "2024-03-31T00:00:00Z"},
        ),
    ],
)
def test_jao_says_when_the_day_of_its_hours_begins(
    server: LocalServer, begins: str, hours: dict[str, str]
) -> None:
    """As an instant above the hours, in no order, on days of 23, 24 and 25 hours."""
    auction = {
        "marketPeriodStart": begins,
        "results": [
            {"productHour": hour, "auctionPrice": number + 1.5} for number, hour in enumerate(hours)
        ],
    }
    batch = fetch(
        "Json",
        url=server.answer("/OWSMP/getauctions", Reply.json([auction])),
        timezone="Europe/Paris",
        rows="[].results[]",
        fields={
            "day": {"parent": "marketPeriodStart", "format": "%Y-%m-%d@Europe/Paris"},
            "hour": {"place": "productHour", "pattern": r"^(\d\d)"},
        },
        ts=["day", "hour"],
        time_format="%Y-%m-%d %H",
        value="auctionPrice",
        dst={"place": "productHour", "first": "02:00-03:00", "second": "02:00-03:00*"},
    )
    assert not batch.rejected
    expected = {ts: number + 1.5 for number, ts in enumerate(hours.values())}
    assert points(batch) == expected


def test_uba_has_its_hours_as_keys(server: LocalServer) -> None:
    """Under the number of the station, with a null among them; the row is a list."""
    hours = {
        "2024-10-26 23:00:00": [5, 2, 17, "2024-10-26 24:00:00", "1"],
        "2024-10-27 00:00:00": [5, 2, None, "2024-10-27 01:00:00", "1"],
        "2024-10-27 02:00:00": [5, 2, 19, "2024-10-27 03:00:00", "1"],
    }
    batch = fetch(
        "Json",
        {"air": {"station": "143"}},
        url=server.answer("/measures", Reply.json({"data": {"143": hours, "144": {}}})),
        timezone="Etc/GMT-1",
        rows="data",
        by=["station", "time"],
        ts="time",
        value=3,
    )
    assert points(batch, "air") == {
        "2024-10-26T22:00:00Z": 17.0,
        "2024-10-26T23:00:00Z": None,
        "2024-10-27T01:00:00Z": 19.0,
    }


def test_knmi_has_its_header_in_the_last_of_its_remarks(server: LocalServer) -> None:
    """Hours from 1 to 24, which end then."""
    text = (
        "# BRON: KNMI\n# T : temperatuur (in 0.1 graden Celsius)\n# STN,YYYYMMDD,   HH,    T\n"
        "  260,20241027,    1,  101\n  260,20241027,   24,  115\n  280,20241027,    1,   99\n"
    )
    batch = fetch(
        "Csv",
        url=server.answer("/uurgegevens", Reply(200, text.encode())),
        window=WINDOW,
        timezone="UTC",
        header_row="^# STN",
        filter={"# STN": "260"},
        ts=["YYYYMMDD", "HH"],
        time_format="%Y%m%d %H",
        period_end="1 hour",
        value="t10",
        fields={"t10": {"place": "T", "scale": 0.1}},
    )
    assert points(batch) == {"2024-10-27T00:00:00Z": 10.1, "2024-10-27T23:00:00Z": 11.5}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_iso_new_england_has_an_object_for_one_row_and_a_text_for_none(
    server: LocalServer, count: int
) -> None:
    """And a list for several."""
    rows = [
        {"BeginDate": f"2024-10-27T0{hour}:00:00.000-04:00", "Load": 5.5 + hour}
        for hour in range(count)
    ]
    content: Any = {0: "", 1: {"HourlyLoad": rows[:1][0] if rows else None}}
    batch = fetch(
        "Json",
        url=server.answer(
            "/hourlysysload", Reply.json({"HourlyLoads": content.get(count, {"HourlyLoad": rows})})
        ),
        window=WINDOW,
        rows="[HourlyLoads.HourlyLoad][] || `[]`",
        ts="BeginDate",
        value="Load",
        empty="HourlyLoads == '' && 'nothing'",
    )
    assert points(batch) == {f"2024-10-27T0{4 + n}:00:00Z": 5.5 + n for n in range(count)}
