"""ENTSO-E's own documents, served where ENTSO-E has them: compared with what others read in them.

Where nobody did, with the document as regular expressions read it, which share nothing with the
reader. Documents of our own take the place of recordings where those are not at hand.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.entsoe_files import PATH, acknowledgement, fetch, fetch_group, xml
from support.recordings import RECORDINGS, needs_recordings

from dataportal.observations import clean

if TYPE_CHECKING:
    from support.http_server import LocalServer

FOLDER = RECORDINGS / "entsoe"
EARLY = "2015-01-01T00:00:00Z"
LATE = "2015-12-31T00:00:00Z"

WORKED_OUT = {
    "DK-DK1_consumption": {"dataset": "load", "zone": "DK1"},
    "FR_prices": {"dataset": "day_ahead_prices", "zone": "FR"},
    "SE-SE3_generation_forecast": {"dataset": "generation_forecast", "zone": "SE3"},
    "fake_time_series": {"dataset": "generation", "zone": "SE4", "psr_type": "gas"},
}
BORDERS = {
    "DK-DK1_GB_exchange_imports": ("GB", "DK1"),
    "DK-DK1_GB_exchange_exports": ("DK1", "GB"),
}


def body(name: str) -> bytes:
    """A recorded document."""
    return (FOLDER / f"{name}.xml").read_bytes()


def window(instants: list[datetime]) -> tuple[str, str]:
    """One that holds them all."""
    return instants[0].isoformat(), (instants[-1] + timedelta(hours=1)).isoformat()


def by_expressions(text: str, value: str = "quantity") -> dict[str, dict[datetime, str]]:
    """The values of each type of plants, with positions left out filled where the curve is A03."""
    values: dict[str, dict[datetime, str]] = {}
    for series in re.findall(r"<TimeSeries>(.*?)</TimeSeries>", text, re.DOTALL):
        psr = re.search(r"<psrType>(\w+)", series)
        own = values.setdefault(psr[1] if psr else "", {})
        for period in re.findall(r"<Period>(.*?)</Period>", series, re.DOTALL):
            ends = re.findall(r"<(?:start|end)>([^<]+)", period)
            start, end = map(datetime.fromisoformat, ends)
            (minutes,) = re.findall(r"<resolution>PT(\d+)M", period)
            step = timedelta(minutes=int(minutes))
            points = {
                int(position): quantity
                for position, quantity in re.findall(
                    rf"<position>(\d+)</position>\s*<{value}>([^<]+)", period
                )
            }
            last = None
            for number in range(1, (end - start) // step + 1):
                last = points.get(number, last if "<curveType>A03" in series else None)
                if last is not None:
                    own[start + (number - 1) * step] = last
    return values


@needs_recordings
@pytest.mark.parametrize("name", WORKED_OUT)
def test_values_are_those_that_others_worked_out(server: LocalServer, name: str) -> None:
    """Times and values to the last digit, and nothing refused on the way to the store."""
    expected = {
        datetime.fromisoformat(row[0]): row[2]
        for row in json.loads((RECORDINGS / "expected" / f"entsoe__{name}.json").read_text())
    }
    server.answer(PATH, xml(body(name)))
    points = fetch(server, *window(list(expected)), **WORKED_OUT[name])
    assert list(points) == list(expected)
    columns = {"ts": list(points), "value": list(points.values())}
    batch = clean({"one": columns}, series=["one"], start=None, end=None, zone=None)
    assert batch.received == len(batch.series["one"])
    assert batch.series["one"].values == list(expected.values())


@needs_recordings
def test_all_types_of_a_zone_come_in_one_request(server: LocalServer) -> None:
    """Twelve types in quarters of an hour for three days, positions left out filled."""
    expected = by_expressions(body("FI_production").decode())
    assert len(expected) == 12
    server.answer(PATH, xml(body("FI_production")))
    instants = sorted({instant for own in expected.values() for instant in own})
    by_series = fetch_group(
        server,
        {psr: {"psr_type": psr} for psr in expected},
        *window(instants),
        dataset="generation",
        zone="FI",
    )
    assert len(server.requests) == 1
    assert by_series == expected
    assert {len(points) for points in by_series.values()} == {288}
    points = len(re.findall("<Point>", body("FI_production").decode()))
    assert points < sum(map(len, by_series.values()))


@needs_recordings
@pytest.mark.parametrize("name", BORDERS)
def test_flows_of_both_directions(server: LocalServer, name: str) -> None:
    """Several series in a document, gaps between them left open, negative and zero values kept."""
    (expected,) = by_expressions(body(name).decode()).values()
    server.answer(PATH, xml(body(name)))
    source, sink = BORDERS[name]
    params = {"dataset": "physical_flows", "from_zone": source, "to_zone": sink}
    assert fetch(server, *window(list(expected)), **params) == expected
    codes = re.findall(r"<(?:in|out)_Domain.mRID[^>]*>([^<]+)", body(name).decode())
    query = server.requests[0].query
    assert [*query["in_Domain"], *query["out_Domain"]] == codes[:2]


@needs_recordings
@pytest.mark.parametrize("status", [200, 400])
def test_the_recorded_acknowledgement_is_no_data(server: LocalServer, status: int) -> None:
    """Nothing published yet."""
    server.answer(PATH, xml(body("ack_999_no_matching_data"), status))
    assert fetch(server, EARLY, LATE, **WORKED_OUT["FR_prices"]) == {}
    text = re.search(rb"<text>([^<]+)", body("ack_999_no_matching_data"))
    assert text
    server.answer(PATH, xml(acknowledgement(text[1].decode()), status))
    assert fetch(server, EARLY, LATE, **WORKED_OUT["FR_prices"]) == {}


@needs_recordings
@pytest.mark.parametrize("name", WORKED_OUT)
def test_a_window_inside_a_document(server: LocalServer, name: str) -> None:
    """Clipped to the interval."""
    server.answer(PATH, xml(body(name)))
    value = "price.amount" if "prices" in name else "quantity"
    (expected,) = by_expressions(body(name).decode(), value).values()
    instants = list(expected)
    start, end = instants[7].isoformat(), instants[19].isoformat()
    points = fetch(server, start, end, **WORKED_OUT[name])
    assert points == {instant: expected[instant] for instant in instants[7:19]}
