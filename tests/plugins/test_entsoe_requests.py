"""How ENTSO-E is asked: data items, windows, pages, limits, and parameters that are wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from support.entsoe_files import (
    END,
    GENERATION,
    LOAD,
    NO_DATA,
    PATH,
    PRICES,
    START,
    TOKEN,
    acknowledgement,
    at,
    document,
    fetch,
    fetch_group,
    group,
    hours,
    period,
    series,
    xml,
)

from dataportal.errors import BadDataError
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.entsoe_plugin import EntsoeDataSourcePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.http_server import LocalServer, Reply, Request
    from syrupy.assertion import SnapshotAssertion


def test_a_load_is_asked_for_and_read(server: LocalServer) -> None:
    """By the code of its zone, with the token, in UTC; the text of a value is its value."""
    server.answer(PATH, xml(document(series(hours("61000", 60999.5)))))
    assert fetch(server, START, END, **LOAD) == {at(0): "61000", at(1): "60999.5"}
    assert server.requests[0].query == {
        "securityToken": [TOKEN],
        "documentType": ["A65"],
        "processType": ["A16"],
        "outBiddingZone_Domain": ["10YFR-RTE------C"],
        "periodStart": ["202501010000"],
        "periodEnd": ["202501020000"],
    }


WAYS: dict[str, Mapping[str, str]] = {
    "load": {"zone": "FR"},
    "load_forecast": {"zone": "FR"},
    "load_forecast_week": {"zone": "FR", "business_type": "A60"},
    "load_forecast_month": {"zone": "FR", "business_type": "A60"},
    "load_forecast_year": {"zone": "FR", "business_type": "A61"},
    "generation": {"zone": "FR", "psr_type": "solar"},
    "generation_per_unit": {"zone": "FR", "resource": "17W100P100P0344I"},
    "generation_forecast": {"zone": "FR"},
    "wind_solar_forecast": {"zone": "FR", "psr_type": "wind_onshore"},
    "wind_solar_forecast_intraday": {"zone": "FR", "psr_type": "B18"},
    "wind_solar_forecast_current": {"zone": "FR", "psr_type": "b16"},
    "installed_capacity": {"zone": "FR", "psr_type": "nuclear"},
    "reservoirs": {"zone": "FR"},
    "day_ahead_prices": {"zone": "FR"},
    "intraday_prices": {"zone": "FR", "sequence": "2"},
    "physical_flows": {"from_zone": "FR", "to_zone": "DE-LU"},
    "scheduled_exchanges": {"from_zone": "FR", "to_zone": "DE-LU"},
    "scheduled_exchanges_day_ahead": {"from_zone": "FR", "to_zone": "DE-LU"},
    "transfer_capacity_day": {"from_zone": "FR", "to_zone": "ES"},
    "transfer_capacity_week": {"from_zone": "FR", "to_zone": "ES"},
    "transfer_capacity_month": {"from_zone": "FR", "to_zone": "ES"},
    "transfer_capacity_year": {"from_zone": "FR", "to_zone": "ES"},
    "imbalance_prices": {"zone": "FR", "category": "A04"},
    "imbalance_volumes": {"zone": "FR", "flow": "A01"},
}


def test_how_each_dataset_is_asked_for(server: LocalServer, snapshot: SnapshotAssertion) -> None:
    """The parameters of every one, for a person to compare with the platform's guide."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    sent = {}
    for name, params in WAYS.items():
        server.requests.clear()
        assert fetch(server, START, "2025-01-01T06:00:00Z", dataset=name, **params) == {}
        (request,) = server.requests
        sent[name] = request.target.partition("periodStart")[0].partition(f"{TOKEN}&")[2]
    assert sent == snapshot


def test_every_dataset_is_tried_here() -> None:
    """The snapshot above is about all of them."""
    from dataportal.plugins.data_sources.entsoe_plugin.datasets import DATASETS

    assert WAYS.keys() == DATASETS.keys()


def test_one_question_is_asked_once_for_all_its_series(server: LocalServer) -> None:
    """All types of a zone in one request, without psrType; another zone in a second one."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    filters = {
        f"{zone}-{psr}": {"zone": zone, "psr_type": psr}
        for zone in ("FR", "NL")
        for psr in ("solar", "gas", "nuclear")
    }
    assert fetch_group(server, filters, START, END, dataset="generation") == {
        n: {} for n in filters
    }
    assert [request.query["in_Domain"] for request in server.requests] == [
        ["10YFR-RTE------C"],
        ["10YNL----------L"],
    ]
    assert all("psrType" not in request.query for request in server.requests)


def test_a_single_series_asks_for_its_type_only(server: LocalServer) -> None:
    """The answer is smaller by all others."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    fetch(server, START, END, psr_type="solar", **GENERATION)
    assert server.requests[0].query["psrType"] == ["B16"]


def days_of_prices(count: int) -> list[str]:
    """A series a day, as prices come."""
    days = []
    for number in range(count):
        start = at(24 * number)
        end = start + timedelta(hours=1)
        hour = period(
            f"{start:%Y-%m-%dT%H:%MZ}",
            f"{end:%Y-%m-%dT%H:%MZ}",
            "PT60M",
            {1: number},
            "price.amount",
        )
        days.append(series(hour))
    return days


@pytest.mark.parametrize("count", [1, 99, 100, 101, 200, 250])
def test_all_pages_are_had(server: LocalServer, count: int) -> None:
    """By offset, until one is short or there is no more; the first page is asked without."""
    days = days_of_prices(count)

    def page(request: Request) -> Reply:
        offset = int(request.query.get("offset", ["0"])[0])
        days_of_page = days[offset : offset + 100]
        return xml(document(*days_of_page) if days_of_page else acknowledgement(NO_DATA))

    server.answer(PATH, page)
    points = fetch(server, START, "2025-12-31T00:00:00Z", **PRICES)
    assert points == {at(24 * number): str(number) for number in range(count)}
    offsets = [request.query.get("offset") for request in server.requests]
    assert offsets == [None, *([str(100 * n)] for n in range(1, count // 100 + 1))]


def test_more_than_a_page_is_all_there_is(server: LocalServer) -> None:
    """As the platform answered before it had pages."""
    server.answer(PATH, xml(document(*days_of_prices(365))))
    assert len(fetch(server, START, "2025-12-31T00:00:00Z", **PRICES)) == 364
    assert len(server.requests) == 1


def test_a_page_that_comes_again_is_an_error(server: LocalServer) -> None:
    """A server that does not obey the offset is not asked for ever."""
    server.answer(PATH, xml(document(*days_of_prices(100))))
    with pytest.raises(BadDataError, match="the same page again"):
        fetch(server, START, "2025-12-31T00:00:00Z", **PRICES)
    assert len(server.requests) == 2


def test_what_has_no_pages_is_asked_for_none(server: LocalServer) -> None:
    """However many series come: an unknown parameter would be refused."""
    several_days = "".join(days_of_prices(120)).replace("price.amount", "quantity")
    server.answer(PATH, xml(document(several_days)))
    assert len(fetch(server, START, "2025-12-31T00:00:00Z", **LOAD)) == 120
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("start", "end", "dataset", "count"),
    [
        ("2015-01-01", "2025-01-01", "load", 11),
        ("2024-01-01", "2024-12-31", "load", 1),
        ("2025-01-01", "2025-01-08", "generation_per_unit", 7),
        ("0001-01-01", "2015-01-01", "load", 1),
        ("0001-01-01", "2014-01-01", "load", 0),
    ],
)
def test_no_request_is_longer_than_allowed(
    server: LocalServer, start: str, end: str, dataset: str, count: int
) -> None:
    """A year, or a day; the parts follow each other, and begin no earlier than the platform."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    more = {"resource": "x"} if dataset == "generation_per_unit" else {}
    fetch(server, f"{start}T00:00:00Z", f"{end}T00:00:00Z", dataset=dataset, zone="FR", **more)
    ranges = [
        tuple(
            datetime.strptime(request.query[name][0], "%Y%m%d%H%M").replace(tzinfo=UTC)
            for name in ("periodStart", "periodEnd")
        )
        for request in server.requests
    ]
    assert len(ranges) == count
    assert all(earlier[1] == later[0] for earlier, later in pairwise(ranges))
    assert all(until - since <= timedelta(days=365) for since, until in ranges)
    if ranges:
        assert ranges[0][0] == max(
            datetime.fromisoformat(f"{start}T00:00Z"), datetime(2014, 12, 1, tzinfo=UTC)
        )
        assert ranges[-1][1] == datetime.fromisoformat(f"{end}T00:00Z")


@pytest.mark.parametrize(("dataset", "days"), [("load", 2), ("load_forecast_week", 15)])
def test_an_open_window_reaches_as_far_as_the_dataset(
    server: LocalServer, dataset: str, days: int
) -> None:
    """Past now, by what is forecast."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    more = {"business_type": "A60"} if dataset != "load" else {}
    before = datetime.now(UTC)
    fetch(server, (before - timedelta(days=1)).isoformat(), dataset=dataset, zone="FR", **more)
    text = server.requests[0].query["periodEnd"][0]
    end = datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC)
    assert timedelta(0) <= end - before - timedelta(days=days) <= timedelta(hours=1, minutes=1)


def test_the_limit_is_kept_by_all_machines() -> None:
    """For each token, below what is punished; its name does not tell the token."""
    limit = group({"one": {}}, {"api_key": TOKEN, **LOAD})._limit
    assert limit.everywhere
    assert limit.key == TOKEN
    assert 300 < limit.per_minute <= 400
    assert TOKEN not in limit.name("web-api.tp.entsoe.eu")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "dataset is missing; zone is missing"),
    ({"dataset": "laod", "zone": "FR"}, r"dataset must be one of load, .* did you mean 'load'\?"),
    ({"dataset": "load", "zone": "FRA"}, "zone: 'FRA' is neither"),
    ({"dataset": "load", "zone": "FR", "psr_type": "solar"}, "psr_type does not go with"),
    (
        {"dataset": "load", "zone": "FR", "direction": "consumption"},
        "direction goes with generation",
    ),
    ({"dataset": "load", "zone": "FR", "resolution": "PT1H"}, "resolution must be one of PT1M"),
    ({"dataset": "generation", "zone": "FR"}, "psr_type is missing, which dataset generation"),
    ({"dataset": "generation", "zone": "FR", "psr_type": "coal"}, r"lignite \(B02\)"),
    ({"dataset": "load_forecast_week", "zone": "FR"}, "business_type is missing"),
    (
        {"dataset": "physical_flows", "zone": "FR"},
        "zone does not go with dataset physical_flows, .*from_zone is missing; to_zone is missing",
    ),
    ({"dataset": "load", "zone": "FR", "zon": "FR"}, "did you mean 'zone'"),
]


@pytest.mark.parametrize(("params", "reason"), WRONG)
def test_every_wrong_parameter_is_named(params: dict[str, Any], reason: str) -> None:
    """At once, for a single series and for one of a group."""
    with pytest.raises(ValueError, match=reason):
        EntsoeDataSourcePlugin(TimeSeriesMetadata("one"), {"api_key": TOKEN, **params})
    with pytest.raises(ValueError, match=reason) as caught:
        group(
            {"one": {}, "two": params},
            {"api_key": TOKEN, "dataset": "load", "zone": "FR"} if params else {},
        )
    assert TOKEN not in str(caught.value)


def test_a_single_series_has_no_filter_to_blame() -> None:
    """The parameters are its own."""
    with pytest.raises(ValueError, match=r"^zone: 'X' is neither"):
        EntsoeDataSourcePlugin(TimeSeriesMetadata("one"), {"api_key": TOKEN, **LOAD, "zone": "X"})


def test_a_fault_of_all_series_is_said_once() -> None:
    """And one of a few with their names."""
    with pytest.raises(ValueError, match=r"^api_key is missing$"):
        group({"one": {}, "two": {}}, LOAD)
    with pytest.raises(ValueError, match=r"^extract_filter of two: zone: 'X' is neither"):
        group({"one": {}, "two": {"zone": "X"}}, {"api_key": TOKEN, **LOAD})
