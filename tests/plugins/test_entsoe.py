"""ENTSO-E's platform as a local server plays it: what is asked, what is made of the answers."""

from __future__ import annotations

import asyncio
import io
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from entsoe_files import (
    NO_DATA,
    PATH,
    SEQUENCE,
    TOKEN,
    acknowledgement,
    document,
    fetched,
    group,
    numbered,
    params_of,
    period,
    series,
    several,
    xml,
)
from servers import Reply

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.entsoe_plugin import EntsoeDataSourcePlugin
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from servers import LocalServer, Request
    from syrupy.assertion import SnapshotAssertion

    from dataportal.errors import FetchError

DAY, NEXT = "2025-01-01T00:00Z", "2025-01-02T00:00Z"
START, END = "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"
LOAD = {"dataset": "load", "zone": "FR"}
PRICES = {"dataset": "day_ahead_prices", "zone": "DE-LU"}
GENERATION = {"dataset": "generation", "zone": "FI"}


def at(hour: float) -> datetime:
    """So many hours after the beginning of the day."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)


def hours(*values: object, start: str = DAY, value: str = "quantity") -> str:
    """A day's Period of hours."""
    return period(start, NEXT, "PT60M", numbered(values), value)


def prices(*values: object, resolution: str = "PT60M", sequence: str = "", **says: str) -> str:
    """A day of prices."""
    if sequence:
        says[SEQUENCE] = sequence
    return series(period(DAY, NEXT, resolution, numbered(values), "price.amount"), **says)


def test_a_load_is_asked_for_and_read(server: LocalServer) -> None:
    """By the code of its zone, with the token, in UTC; the text of a value is its value."""
    server.answer(PATH, xml(document(series(hours("61000", 60999.5)))))
    assert fetched(server, START, END, **LOAD) == {at(0): "61000", at(1): "60999.5"}
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
    asked = {}
    for name, params in WAYS.items():
        server.requests.clear()
        assert fetched(server, START, "2025-01-01T06:00:00Z", dataset=name, **params) == {}
        (request,) = server.requests
        asked[name] = request.target.partition("periodStart")[0].partition(f"{TOKEN}&")[2]
    assert asked == snapshot


def test_every_dataset_is_tried_here() -> None:
    """The snapshot above is about all of them."""
    from dataportal.plugins.readers.entsoe_datasets import DATASETS

    assert WAYS.keys() == DATASETS.keys()


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
    found = several(
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
        name: [f"{moment:%H:%M} {value}" for moment, value in points.items()]
        for name, points in found.items()
    } == snapshot


def test_one_question_is_asked_once_for_all_its_series(server: LocalServer) -> None:
    """All types of a zone in one request, without psrType; another zone in a second one."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    filters = {
        f"{zone}-{psr}": {"zone": zone, "psr_type": psr}
        for zone in ("FR", "NL")
        for psr in ("solar", "gas", "nuclear")
    }
    assert several(server, filters, START, END, dataset="generation") == {n: {} for n in filters}
    assert [request.query["in_Domain"] for request in server.requests] == [
        ["10YFR-RTE------C"],
        ["10YNL----------L"],
    ]
    assert all("psrType" not in request.query for request in server.requests)


def test_a_single_series_asks_for_its_type_only(server: LocalServer) -> None:
    """The answer is smaller by all others."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    fetched(server, START, END, psr_type="solar", **GENERATION)
    assert server.requests[0].query["psrType"] == ["B16"]


@pytest.mark.parametrize("status", [200, 400])
def test_no_data_is_no_error(server: LocalServer, status: int) -> None:
    """Under either status, whatever the code says."""
    server.answer(PATH, xml(acknowledgement(NO_DATA), status))
    assert fetched(server, START, END, **LOAD) == {}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        ("Input parameter does not exist: processTyp", PermanentError, ""),
        (
            "The number of instances (352) exceeds the allowed maximum (200)",
            PermanentError,
            "max_window",
        ),
        ("Delivered time interval is not valid for this Data item.", PermanentError, ""),
        ("Unexpected error occurred, please try again later.", TransientError, ""),
        ("", PermanentError, ""),
    ],
)
def test_errors_are_told_apart_by_their_text(
    server: LocalServer, status: int, text: str, kind: type[FetchError], hint: str
) -> None:
    """The code is always the same; the text is shown."""
    server.answer(PATH, xml(acknowledgement(text), status))
    with pytest.raises(kind) as caught:
        fetched(server, START, END, **LOAD)
    assert (text or "999") in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (
            Reply(401, acknowledgement("Unauthorized. Missing or invalid security token.")),
            PermanentError,
        ),
        (Reply(429, b"<html>Max allowed requests per minute</html>"), TransientError),
        (Reply(503, b"<html>maintenance</html>"), TransientError),
        (Reply(200, b"<!DOCTYPE html><html>maintenance</html>"), TransientError),
        (Reply(200, b"<html>maintenance</html>"), TransientError),
        (Reply(200, b""), BadDataError),
        (Reply(200, b'{"data": []}'), BadDataError),
        (Reply(200, b"<?xml version='1.0'?><Strange/>"), BadDataError),
        (Reply(200, document()), BadDataError),
        (Reply(400, document(series(hours(1)))), BadDataError),
        (Reply(200, b"PK\x03\x04 no archive"), BadDataError),
        (Reply(200, document(series(hours(1)))[:-9]), BadDataError),
        (Reply(200, document(series(period(DAY, NEXT, "PT60M", {25: 1})))), BadDataError),
        (Reply(200, document(series(hours(1), curve="A05"))), BadDataError),
        (Reply(200, document(series(period(DAY, NEXT, "PT61X", {1: 1})))), BadDataError),
        (Reply(200, document(series(hours(1, value="price.amount")))), BadDataError),
        (Reply(reset_after=-1), TransientError),
    ],
)
def test_what_goes_wrong_is_classified(
    server: LocalServer, reply: Reply, kind: type[FetchError]
) -> None:
    """May it pass, will it not, or is the answer bad; the address is named, the token never is."""
    server.answer(PATH, reply)
    with pytest.raises(kind) as caught:
        fetched(server, START, END, **LOAD)
    said = f"{caught.value}{caught.value.hint}{caught.value!r}"
    assert TOKEN not in said
    assert server.url in said


@pytest.mark.parametrize(("headers", "seconds"), [({}, 600), ({"Retry-After": "30"}, 30)])
def test_who_asked_too_often_is_silent_for_ten_minutes(
    server: LocalServer, headers: dict[str, str], seconds: float
) -> None:
    """As long as the platform is, unless it says how long itself."""
    server.answer(PATH, Reply(429, b"<html>Max allowed requests</html>", headers=headers))
    with pytest.raises(TransientError) as caught:
        fetched(server, START, END, **LOAD)
    assert caught.value.retry_after == seconds
    assert caught.value.host == "127.0.0.1"


def test_an_error_that_repeats_the_token_is_masked(server: LocalServer) -> None:
    """As some services do that quote the question."""
    server.answer(PATH, xml(acknowledgement(f"Invalid query securityToken {TOKEN}"), 400))
    with pytest.raises(PermanentError) as caught:
        fetched(server, START, END, **LOAD)
    assert TOKEN not in str(caught.value)


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
                        numbered([30, 31, 32, 33]),
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
    assert fetched(server, START, END, **PRICES) == expected


@pytest.mark.parametrize(("resolution", "values"), [("PT60M", "123"), ("PT15M", "456")])
def test_a_resolution_selects(server: LocalServer, resolution: str, values: str) -> None:
    """Of a document that has both, whichever comes first."""
    both = [prices(1, 2, 3), prices(4, 5, 6, resolution="PT15M")]
    for order in (both, both[::-1]):
        server.answer(PATH, xml(document(*order)))
        found = fetched(server, START, END, resolution=resolution, **PRICES)
        assert "".join(found.values()) == values


def test_a_resolution_that_is_not_there_is_an_error(server: LocalServer) -> None:
    """And not silence: it says what there is instead."""
    server.answer(PATH, xml(document(prices(1), prices(1, resolution="PT15M"))))
    with pytest.raises(BadDataError, match=r"resolution PT30M, but PT15M, PT60M"):
        fetched(server, START, END, resolution="PT30M", **PRICES)


def test_the_first_auction_is_taken_wherever_it_stands(server: LocalServer) -> None:
    """The platform is asked for it, and another one in the answer is left out all the same."""
    server.answer(PATH, xml(document(prices(9, sequence="2"), prices(1, sequence="1"))))
    assert fetched(server, START, END, **PRICES) == {at(0): "1"}
    assert server.requests[0].query[SEQUENCE] == ["1"]
    assert server.requests[0].query["contract_MarketAgreement.type"] == ["A01"]


def test_an_auction_without_a_number_is_taken(server: LocalServer) -> None:
    """As zones with a single auction have it."""
    server.answer(PATH, xml(document(prices(1))))
    assert fetched(server, START, END, **PRICES) == {at(0): "1"}


def test_an_auction_that_is_not_there_is_an_error(server: LocalServer) -> None:
    """As in a week in which the platform had numbered them wrongly."""
    server.answer(PATH, xml(document(prices(9, sequence="2"))))
    with pytest.raises(BadDataError, match="sequence 1, but 2"):
        fetched(server, START, END, **PRICES)


def test_two_series_for_one_time_are_never_mixed(server: LocalServer) -> None:
    """What they differ in is named; with a parameter that tells them apart one is taken."""
    server.answer(
        PATH,
        xml(document(series(hours(1), businessType="A60"), series(hours(9), businessType="A61"))),
    )
    with pytest.raises(BadDataError, match=r"differ in businessType \(A60, A61\)"):
        fetched(server, START, END, **LOAD)
    assert fetched(server, START, END, business_type="A61", **LOAD) == {at(0): "9"}


def test_a_series_that_cannot_be_read_fails_alone(server: LocalServer) -> None:
    """The others of the same answer come."""
    solar = series(period(DAY, NEXT, "PT60M", {99: 1}), psr="B16", inside="x")
    server.answer(PATH, xml(document(solar, series(hours(5), psr="B14", inside="x"))))
    filters = {"solar": {"psr_type": "solar"}, "nuclear": {"psr_type": "nuclear"}}
    found = several(server, filters, START, END, **GENERATION)
    assert isinstance(found["solar"], BadDataError)
    assert "position 99" in str(found["solar"])
    assert found["nuclear"] == {at(0): "5"}


def test_a_zone_that_is_refused_fails_alone(server: LocalServer) -> None:
    """The other zone's load comes; what may pass is raised, as all of it is asked again."""
    refused = [xml(acknowledgement("no such zone"), 400), xml(document(series(hours(5))))]
    server.answer(PATH, *refused)
    filters = {"a": {"zone": "FR"}, "b": {"zone": "NL"}}
    found = several(server, filters, START, END, dataset="load")
    assert isinstance(found["a"], PermanentError)
    assert found["b"] == {at(0): "5"}
    server.answer(PATH, Reply(503), refused[1])
    with pytest.raises(TransientError):
        several(server, filters, START, END, dataset="load")


def test_the_same_series_twice_is_no_contradiction(server: LocalServer) -> None:
    """The later one counts."""
    server.answer(PATH, xml(document(series(hours(1)), series(hours(2)))))
    assert fetched(server, START, END, **LOAD) == {at(0): "2"}


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
    assert fetched(server, START, END, **LOAD) == {
        at(0): "1",
        at(1): "1",
        at(2): "1",
        at(6): "5",
    }


def test_padding_is_cut_off(server: LocalServer) -> None:
    """Whole days come; what lies outside of the window is left out, to the interval."""
    server.answer(PATH, xml(document(series(hours(*range(24))))))
    found = fetched(server, "2025-01-01T05:30:00Z", "2025-01-01T08:00:00Z", **LOAD)
    assert found == {at(6): "6", at(7): "7"}
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
    told = period(DAY, "2025-01-01T00:30Z", "PT15M", {}).replace("</Period>", points + "</Period>")
    return document(series(told, curve="A03"), kind="Balancing", created=created)


def test_archives_are_opened_and_archives_in_them(server: LocalServer) -> None:
    """Each file is a document; of two about the same time the one created later counts."""
    old = imbalance(("A04", 1), created="2025-01-02T00:00:00Z")
    new = imbalance(("A04", 2), created="2025-01-03T00:00:00Z")
    params = {"dataset": "imbalance_prices", "zone": "FR"}
    for packed in (archive(new, old), archive(archive(old), archive(new))):
        server.answer(PATH, Reply(body=packed, content_type="application/zip"))
        assert fetched(server, START, END, **params) == {at(0): "2", at(0.25): "2"}


def test_categories_of_imbalance_prices_are_kept_apart(server: LocalServer) -> None:
    """Named, either is read; not named, they contradict each other."""
    body = archive(imbalance(("A04", 10), ("A05", 20)))
    server.answer(PATH, Reply(body=body, content_type="application/zip"))
    params = {"dataset": "imbalance_prices", "zone": "FR"}
    assert fetched(server, START, END, category="A05", **params) == {at(0): "20", at(0.25): "20"}
    with pytest.raises(BadDataError, match=r"differ in imbalance_Price\.category"):
        fetched(server, START, END, **params)


@pytest.mark.slow
def test_a_bomb_is_stopped(server: LocalServer) -> None:
    """An archive that unfolds without end."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files, files.open("a", "w") as bomb:
        for _ in range(257):
            bomb.write(bytes(1 << 20))
    server.answer(PATH, Reply(body=packed.getvalue(), content_type="application/zip"))
    with pytest.raises(BadDataError, match="unfolds to more than 256 MiB"):
        fetched(server, START, END, **LOAD)


def days_of_prices(count: int) -> list[str]:
    """A series a day, as prices come."""
    told = []
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
        told.append(series(hour))
    return told


@pytest.mark.parametrize("count", [1, 99, 100, 101, 200, 250])
def test_all_pages_are_had(server: LocalServer, count: int) -> None:
    """By offset, until one is short or there is no more; the first page is asked without."""
    told = days_of_prices(count)

    def page(request: Request) -> Reply:
        offset = int(request.query.get("offset", ["0"])[0])
        part = told[offset : offset + 100]
        return xml(document(*part) if part else acknowledgement(NO_DATA))

    server.answer(PATH, page)
    found = fetched(server, START, "2025-12-31T00:00:00Z", **PRICES)
    assert found == {at(24 * number): str(number) for number in range(count)}
    offsets = [request.query.get("offset") for request in server.requests]
    assert offsets == [None, *([str(100 * n)] for n in range(1, count // 100 + 1))]


def test_more_than_a_page_is_all_there_is(server: LocalServer) -> None:
    """As the platform answered before it had pages."""
    server.answer(PATH, xml(document(*days_of_prices(365))))
    assert len(fetched(server, START, "2025-12-31T00:00:00Z", **PRICES)) == 364
    assert len(server.requests) == 1


def test_a_page_that_comes_again_is_an_error(server: LocalServer) -> None:
    """A server that does not obey the offset is not asked for ever."""
    server.answer(PATH, xml(document(*days_of_prices(100))))
    with pytest.raises(BadDataError, match="the same page again"):
        fetched(server, START, "2025-12-31T00:00:00Z", **PRICES)
    assert len(server.requests) == 2


def test_what_has_no_pages_is_asked_for_none(server: LocalServer) -> None:
    """However many series come: an unknown parameter would be refused."""
    several_days = "".join(days_of_prices(120)).replace("price.amount", "quantity")
    server.answer(PATH, xml(document(several_days)))
    assert len(fetched(server, START, "2025-12-31T00:00:00Z", **LOAD)) == 120
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
    fetched(server, f"{start}T00:00:00Z", f"{end}T00:00:00Z", dataset=dataset, zone="FR", **more)
    asked = [
        tuple(
            datetime.strptime(request.query[name][0], "%Y%m%d%H%M").replace(tzinfo=UTC)
            for name in ("periodStart", "periodEnd")
        )
        for request in server.requests
    ]
    assert len(asked) == count
    assert all(one[1] == other[0] for one, other in pairwise(asked))
    assert all(until - since <= timedelta(days=365) for since, until in asked)
    if asked:
        assert asked[0][0] == max(
            datetime.fromisoformat(f"{start}T00:00Z"), datetime(2014, 12, 1, tzinfo=UTC)
        )
        assert asked[-1][1] == datetime.fromisoformat(f"{end}T00:00Z")


@pytest.mark.parametrize(("dataset", "days"), [("load", 2), ("load_forecast_week", 15)])
def test_an_open_window_reaches_as_far_as_the_dataset(
    server: LocalServer, dataset: str, days: int
) -> None:
    """Past now, by what is forecast."""
    server.answer(PATH, xml(acknowledgement(NO_DATA)))
    more = {"business_type": "A60"} if dataset != "load" else {}
    before = datetime.now(UTC)
    fetched(server, (before - timedelta(days=1)).isoformat(), dataset=dataset, zone="FR", **more)
    said = server.requests[0].query["periodEnd"][0]
    end = datetime.strptime(said, "%Y%m%d%H%M").replace(tzinfo=UTC)
    assert timedelta(0) <= end - before - timedelta(days=days) <= timedelta(hours=1, minutes=1)


@pytest.mark.parametrize("month", [3, 10])
def test_days_of_changing_clocks(server: LocalServer, month: int) -> None:
    """23 and 25 hours of a market day, and the days of a daily series, each at its own instant."""
    first = {3: "2025-03-28T23:00Z", 10: "2025-10-24T22:00Z"}[month]
    last = {3: "2025-03-31T22:00Z", 10: "2025-10-27T23:00Z"}[month]
    begin = datetime.fromisoformat(first)
    count = int((datetime.fromisoformat(last) - begin) / timedelta(hours=1))
    assert count == {3: 71, 10: 73}[month]
    body = document(series(period(first, last, "PT60M", numbered(range(count)))))
    server.answer(PATH, xml(body))
    params = {"dataset": "load", "zone": "DE-LU"}
    assert fetched(server, first, last, **params) == {
        begin + timedelta(hours=n): str(n) for n in range(count)
    }
    body = document(series(period(first, last, "P1D", numbered([1, 2, 3]))))
    server.answer(PATH, xml(body))
    long = begin + timedelta(days=1)
    assert list(fetched(server, first, last, **params)) == [
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

    async def ask() -> dict[str, list[Any]]:
        plugin.http = HttpClient()
        try:
            return await plugin.get_historical_data("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
        finally:
            await plugin.http.aclose()

    assert asyncio.run(ask())["ts"] == [datetime(2025, 6, 30, 23, tzinfo=UTC)]
    params = {"dataset": "load", "zone": "FR"}
    (summer,) = fetched(server, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", **params)
    assert summer == datetime(2025, 6, 30, 22, tzinfo=UTC)


def test_the_limit_is_kept_by_all_machines() -> None:
    """For each token, below what is punished; its name does not tell the token."""
    plugin = EntsoeDataSourcePlugin(TimeSeriesMetadata("one"), {"api_key": TOKEN, **LOAD})
    limit = plugin._platform._limit
    assert limit.everywhere
    assert limit.key == TOKEN
    assert 300 < limit.per_minute <= 400
    assert TOKEN not in limit.name("web-api.tp.entsoe.eu")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "dataset is missing; zone is missing"),
    ({"dataset": "laod", "zone": "FR"}, "dataset must be one of load, "),
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
        "from_zone is missing; to_zone is missing; zone does not go with",
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


def test_a_fault_of_all_series_is_said_once() -> None:
    """And one of a few with their names."""
    with pytest.raises(ValueError, match=r"^api_key is missing$"):
        group({"one": {}, "two": {}}, LOAD)
    with pytest.raises(ValueError, match=r"^extract_filter of two: zone: 'X' is neither"):
        group({"one": {}, "two": {"zone": "X"}}, {"api_key": TOKEN, **LOAD})
