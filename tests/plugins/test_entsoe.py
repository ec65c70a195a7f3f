"""What is made of ENTSO-E's answers: times, resolutions, auctions, archives, clocks."""

from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from support.entsoe_files import (
    DAY,
    END,
    GENERATION,
    LOAD,
    PATH,
    PRICES,
    SEQUENCE,
    START,
    at,
    by_position,
    document,
    fetch,
    fetch_group,
    hours,
    params_of,
    period,
    prices,
    series,
    xml,
)
from support.http_server import Reply

from dataportal.errors import BadDataError
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.entsoe_plugin import EntsoeDataSourcePlugin
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from support.http_server import LocalServer
    from syrupy.assertion import SnapshotAssertion


def test_a_snapshot_of_a_day(server: LocalServer, snapshot: SnapshotAssertion) -> None:
    """A day with both curves, two resolutions, pumps, and what belongs to another."""
    quarters = period(DAY, "2025-01-01T01:00Z", "PT15M", {1: 10, 3: 12})
    server.answer(
        PATH,
        xml(
            document(
                series(hours(1, 2, -3), psr="B10", inside="x"),
                series(hours(7), psr="B10", outside="x", curve="A01"),
                series(
                    quarters,
                    hours(4, start="2025-01-01T23:00Z"),
                    psr="B16",
                    inside="x",
                    curve="A03",
                ),
            )
        ),
    )
    by_series = fetch_group(
        server,
        {
            "pumped": {"psr_type": "pumped_storage"},
            "pumping": {"psr_type": "pumped_storage", "direction": "consumption"},
            "solar": {"psr_type": "solar"},
            "nuclear": {"psr_type": "nuclear"},
        },
        START,
        END,
        **GENERATION,
    )
    assert len(server.requests) == 1
    assert {
        name: [f"{instant:%H:%M} {value}" for instant, value in points.items()]
        for name, points in by_series.items()
    } == snapshot


def test_without_a_resolution_each_interval_is_taken_as_it_comes(server: LocalServer) -> None:
    """Hours up to the change, quarters after it; where both are sent, the finer one counts."""
    server.answer(
        PATH,
        xml(
            document(
                prices(1, 2, 3),
                series(
                    period(
                        "2025-01-01T02:00Z",
                        "2025-01-01T03:00Z",
                        "PT15M",
                        by_position([30, 31, 32, 33]),
                        "price.amount",
                    )
                ),
            )
        ),
    )
    expected = {
        at(0): "1",
        at(1): "2",
        **{at(2 + n / 4): str(30 + n) for n in range(4)},
    }
    assert fetch(server, START, END, **PRICES) == expected


@pytest.mark.parametrize(("resolution", "values"), [("PT60M", "123"), ("PT15M", "456")])
def test_a_resolution_selects(server: LocalServer, resolution: str, values: str) -> None:
    """Of a document that has both, whichever comes first."""
    both = [prices(1, 2, 3), prices(4, 5, 6, resolution="PT15M")]
    for order in (both, both[::-1]):
        server.answer(PATH, xml(document(*order)))
        points = fetch(server, START, END, resolution=resolution, **PRICES)
        assert "".join(points.values()) == values


def test_a_coarse_interval_stands_in_no_finer_ones_place(server: LocalServer) -> None:
    """Of what began before the window nothing is taken where finer intervals go on within it.

    The quarter that began with the hour lies before the window, and may be stored already: the mean
    of the hour would revise it.
    """
    quarters = period(DAY, "2025-01-01T03:00Z", "PT15M", by_position(range(12)))
    hours = period(DAY, "2025-01-01T03:00Z", "PT60M", by_position([100, 101, 102]))
    server.answer(PATH, xml(document(series(quarters), series(hours))))
    values = fetch(server, "2025-01-01T01:30Z", "2025-01-01T03:00Z", **LOAD)
    first = datetime(2025, 1, 1, 1, 30, tzinfo=UTC)
    assert values == {first + n * timedelta(minutes=15): str(6 + n) for n in range(6)}
    server.answer(PATH, xml(document(series(hours))))
    hour = datetime(2025, 1, 1, 1, tzinfo=UTC)
    assert fetch(server, "2025-01-01T01:30Z", "2025-01-01T03:00Z", **LOAD) == {
        hour: "101",
        hour + timedelta(hours=1): "102",
    }


def test_a_resolution_that_is_not_there_is_an_error(server: LocalServer) -> None:
    """And not silence: it says what there is instead."""
    server.answer(PATH, xml(document(prices(1), prices(1, resolution="PT15M"))))
    with pytest.raises(BadDataError, match=r"resolution PT30M, but PT15M, PT60M"):
        fetch(server, START, END, resolution="PT30M", **PRICES)


def test_the_first_auction_is_taken_wherever_it_stands(server: LocalServer) -> None:
    """The platform is asked for it, and another one in the answer is left out all the same."""
    server.answer(PATH, xml(document(prices(9, sequence="2"), prices(1, sequence="1"))))
    assert fetch(server, START, END, **PRICES) == {at(0): "1"}
    assert server.requests[0].query[SEQUENCE] == ["1"]
    assert server.requests[0].query["contract_MarketAgreement.type"] == ["A01"]


def test_an_auction_without_a_number_is_taken(server: LocalServer) -> None:
    """As zones with a single auction have it."""
    server.answer(PATH, xml(document(prices(1))))
    assert fetch(server, START, END, **PRICES) == {at(0): "1"}


def test_an_auction_that_is_not_there_is_an_error(server: LocalServer) -> None:
    """As in a week in which the platform had numbered them wrongly."""
    server.answer(PATH, xml(document(prices(9, sequence="2"))))
    with pytest.raises(BadDataError, match="sequence 1, but 2"):
        fetch(server, START, END, **PRICES)


def test_two_series_for_one_time_are_never_mixed(server: LocalServer) -> None:
    """What they differ in is named; with a parameter that tells them apart one is taken."""
    server.answer(
        PATH,
        xml(document(series(hours(1), businessType="A60"), series(hours(9), businessType="A61"))),
    )
    with pytest.raises(BadDataError, match=r"differ in businessType \(A60, A61\)"):
        fetch(server, START, END, **LOAD)
    assert fetch(server, START, END, business_type="A61", **LOAD) == {at(0): "9"}


def test_the_same_series_twice_is_no_contradiction(server: LocalServer) -> None:
    """The later one counts."""
    server.answer(PATH, xml(document(series(hours(1)), series(hours(2)))))
    assert fetch(server, START, END, **LOAD) == {at(0): "2"}


def test_a_gap_between_periods_is_never_filled(server: LocalServer) -> None:
    """A value goes on to the end of its own Period only."""
    server.answer(
        PATH,
        xml(
            document(
                series(
                    period(DAY, "2025-01-01T03:00Z", "PT60M", {1: 1}),
                    period("2025-01-01T05:00Z", "2025-01-01T07:00Z", "PT60M", {2: 5}),
                    curve="A03",
                )
            )
        ),
    )
    assert fetch(server, START, END, **LOAD) == {
        at(0): "1",
        at(1): "1",
        at(2): "1",
        at(6): "5",
    }


def test_padding_is_cut_off(server: LocalServer) -> None:
    """Whole days come; what lies outside is left out, and an interval that reaches in is not."""
    server.answer(PATH, xml(document(series(hours(*range(24))))))
    points = fetch(server, "2025-01-01T05:30:00Z", "2025-01-01T08:00:00Z", **LOAD)
    assert points == {at(5): "5", at(6): "6", at(7): "7"}
    assert server.requests[0].query["periodStart"] == ["202501010500"]
    assert server.requests[0].query["periodEnd"] == ["202501010800"]


def archive(*bodies: bytes) -> bytes:
    """A ZIP of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        for number, body in enumerate(bodies):
            files.writestr(f"{number}.xml", body)
    return packed.getvalue()


def imbalance(*values: tuple[str, object], created: str = "2025-01-02T00:00:00Z") -> bytes:
    """Imbalance prices: Points of several categories side by side."""
    points = "".join(
        f"<Point><position>1</position><imbalance_Price.amount>{value}</imbalance_Price.amount>"
        f"<imbalance_Price.category>{category}</imbalance_Price.category></Point>"
        for category, value in values
    )
    market_period = period(DAY, "2025-01-01T00:30Z", "PT15M", {}).replace(
        "</Period>", points + "</Period>"
    )
    return document(series(market_period, curve="A03"), kind="Balancing", created=created)


def test_archives_are_opened_and_archives_in_them(server: LocalServer) -> None:
    """Each file is a document; of two about the same time the one created later counts."""
    old = imbalance(("A04", 1), created="2025-01-02T00:00:00Z")
    new = imbalance(("A04", 2), created="2025-01-03T00:00:00Z")
    params = {"dataset": "imbalance_prices", "zone": "FR"}
    for packed in (archive(new, old), archive(archive(old), archive(new))):
        server.answer(PATH, Reply(body=packed, content_type="application/zip"))
        assert fetch(server, START, END, **params) == {at(0): "2", at(0.25): "2"}


def test_categories_of_imbalance_prices_are_kept_apart(server: LocalServer) -> None:
    """Named, either is read; not named, they contradict each other."""
    body = archive(imbalance(("A04", 10), ("A05", 20)))
    server.answer(PATH, Reply(body=body, content_type="application/zip"))
    params = {"dataset": "imbalance_prices", "zone": "FR"}
    assert fetch(server, START, END, category="A05", **params) == {
        at(0): "20",
        at(0.25): "20",
    }
    with pytest.raises(BadDataError, match=r"differ in imbalance_Price\.category"):
        fetch(server, START, END, **params)


@pytest.mark.parametrize("month", [3, 10])
def test_days_of_changing_clocks(server: LocalServer, month: int) -> None:
    """23 and 25 hours of a market day, and the days of a daily series, each at its own instant."""
    first = {3: "2025-03-28T23:00Z", 10: "2025-10-24T22:00Z"}[month]
    last = {3: "2025-03-31T22:00Z", 10: "2025-10-27T23:00Z"}[month]
    begin = datetime.fromisoformat(first)
    count = int((datetime.fromisoformat(last) - begin) / timedelta(hours=1))
    assert count == {3: 71, 10: 73}[month]
    body = document(series(period(first, last, "PT60M", by_position(range(count)))))
    server.answer(PATH, xml(body))
    params = {"dataset": "load", "zone": "DE-LU"}
    assert fetch(server, first, last, **params) == {
        begin + timedelta(hours=n): str(n) for n in range(count)
    }
    body = document(series(period(first, last, "P1D", by_position([1, 2, 3]))))
    server.answer(PATH, xml(body))
    long = begin + timedelta(days=1)
    assert list(fetch(server, first, last, **params)) == [
        begin,
        long,
        long + timedelta(hours={3: 23, 10: 25}[month]),
    ]


def test_the_timezone_of_the_source_comes_first(server: LocalServer) -> None:
    """Days that begin at midnight in two zones are those of the zone that the source names."""
    plugin = EntsoeDataSourcePlugin(
        TimeSeriesMetadata("one"), params_of(server, dataset="load", zone="FR")
    )
    plugin.zone = ZoneInfo("Africa/Algiers")  # an hour ahead of UTC all year
    # in winter both are, and so is the end, a year later
    body = document(series(period("2024-12-31T23:00Z", "2025-12-31T23:00Z", "P1D", {182: 5})))
    server.answer(PATH, xml(body))

    async def ask() -> Any:
        plugin.http = HttpClient()
        try:
            return await plugin.get_historical_data("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
        finally:
            await plugin.http.aclose()

    assert asyncio.run(ask())["ts"] == [datetime(2025, 6, 30, 23, tzinfo=UTC)]
    params = {"dataset": "load", "zone": "FR"}
    (summer,) = fetch(server, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", **params)
    assert summer == datetime(2025, 6, 30, 22, tzinfo=UTC)
