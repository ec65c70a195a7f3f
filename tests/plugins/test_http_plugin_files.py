"""Tables as their providers serve them: small ones of our own, and recorded ones where at hand."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from support.declarative_sources import fetch, points
from support.http_server import Reply
from support.recordings import RECORDINGS

from dataportal.times import iso

if TYPE_CHECKING:
    from support.http_server import LocalServer

ALWAYS = ("1900-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
GRAPH = "observation_date,UNRATE\n2025-01-01,4.0\n2025-02-01,.\n2025-03-01,4.2\n"
PARKING = """\
"Datum und Uhrzeit","PH Theater","PP Hörsterplatz"
"Anzahl Parkplätze gesamt","(743)","(202)"
"2025-03-30 01:45",638,"ges"
"2025-03-30 03:00",640,"ges"
"2025-03-30 03:15",641,12
"""


def bodies(own: str, pattern: str) -> list[Any]:
    """Our own file, and the recorded ones of that name."""
    recorded = sorted(RECORDINGS.glob(pattern))
    files = [(path.stem, path.read_bytes()) for path in recorded]
    return [pytest.param(body, id=name) for name, body in [("ours", own.encode()), *files]]


@pytest.mark.parametrize("body", bodies(GRAPH, "fred/fredgraph_*.csv"))
def test_a_graph_of_fred(server: LocalServer, body: bytes) -> None:
    """A column for the date and one for the series, whose name is its own; a dot is no value."""
    server.answer("/graph/fredgraph.csv", Reply(body=body, content_type="application/csv"))
    (_, series), *rows = csv.reader(io.StringIO(body.decode()))
    batch = fetch(
        "Csv",
        window=ALWAYS,
        timezone="UTC",
        base_url=server.url,
        url="graph/fredgraph.csv",
        query={"id": series, "cosd": "{start:%Y-%m-%d}"},
        ts="observation_date",
        value=series,
        missing=[".", ""],
    )
    assert points(batch) == {
        f"{day}T00:00:00Z": None if value in {".", ""} else float(value) for day, value in rows
    }
    assert not batch.rejected
    assert server.requests[0].query == {"id": [series], "cosd": ["1900-01-01"]}


@pytest.mark.parametrize("body", bodies(PARKING, "muenster_parking/*.csv"))
def test_the_parking_of_a_day_in_muenster(server: LocalServer, body: bytes) -> None:
    """A column for each garage, local times of a night that lacks an hour, a line of capacities."""
    head, _, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    day = rows[0][0][:10]
    server.answer(f"/data/{day}.csv", Reply(body=body, content_type="text/csv"))
    zone = ZoneInfo("Europe/Berlin")
    first = datetime.fromisoformat(day).replace(tzinfo=zone)
    batch = fetch(
        "Csv",
        {name: {"value": name} for name in head[1:]},
        window=(first.isoformat(), first.replace(hour=23, minute=59).isoformat()),
        timezone="Europe/Berlin",
        url=f"{server.url}/data/{{start:%Y-%m-%d@Europe/Berlin}}.csv",
        comment='"Anzahl',
        ts=1,
        time_format="%Y-%m-%d %H:%M",
        missing=["ges", "kei", ""],
    )
    assert not batch.rejected
    for number, name in enumerate(head[1:], 1):
        expected: dict[str, float | None] = {}
        for row in rows:
            instant = datetime.fromisoformat(row[0]).replace(tzinfo=zone).astimezone(UTC)
            expected[iso(instant)] = float(row[number]) if row[number].isdecimal() else None
        assert points(batch, name) == expected
