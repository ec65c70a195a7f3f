"""The odd shapes in which providers of energy data answer, each with YAML alone."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from support.declarative_sources import fetch, points
from support.http_server import Reply

if TYPE_CHECKING:
    from support.http_server import LocalServer


def csv_reply(*lines: str) -> Reply:
    """A table with the line ends of Windows."""
    return Reply(body="\r\n".join(lines).encode(), content_type="text/csv")


def test_rows_of_several_kinds(server: LocalServer) -> None:
    """As ISO New England has them: comments, two heads, data and a total, of other lengths."""
    reply = csv_reply(
        '"C","Real-Time Hourly System Load"',
        '"H","Date","Hour Ending","Native Load","ARD"',
        '"H","Date","String","Number","Number"',
        '"D","03/01/2025","01","12000.5","3"',
        '"D","03/01/2025","24","11000","4"',
        '"T","2"',
    )
    batch = fetch(
        "Csv",
        url=server.answer("/a", reply),
        header=False,
        filter={"1": "D"},
        ts=[2, 3],
        time_format="%m/%d/%Y %H",
        period_end="1 hour",
        timezone="America/New_York",
        value=4,
    )
    assert points(batch) == {"2025-03-01T05:00:00Z": 12000.5, "2025-03-02T04:00:00Z": 11000}


def test_tables_in_a_table_in_an_archive(server: LocalServer) -> None:
    """As AEMO has them: each row says to which table it belongs; no summer time."""
    table = (
        "C,NEMP.WORLD,DISPATCHIS,AEMO,PUBLIC,2025/03/01\r\n"
        "I,DISPATCH,PRICE,5,SETTLEMENTDATE,RUNNO,REGIONID,DISPATCHINTERVAL,INTERVENTION,RRP\r\n"
        'D,DISPATCH,PRICE,5,"2025/03/01 00:05:00",1,NSW1,20250301001,0,95.5\r\n'
        'D,DISPATCH,PRICE,5,"2025/03/01 00:05:00",1,VIC1,20250301001,0,-10\r\n'
        "I,DISPATCH,REGIONSUM,9,SETTLEMENTDATE,RUNNO,REGIONID\r\n"
        'D,DISPATCH,REGIONSUM,9,"2025/03/01 00:05:00",1,NSW1\r\n'
        'C,"END OF REPORT",7\r\n'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("PUBLIC_DISPATCHIS.CSV", table)
    batch = fetch(
        "Csv",
        {region: {"7": region} for region in ("NSW1", "VIC1")},
        url=server.answer("/a", Reply(body=packed.getvalue())),
        header=False,
        filter={"1": "D", "3": "PRICE"},
        ts=5,
        time_format="%Y/%m/%d %H:%M:%S",
        period_end="5 minutes",
        timezone="Etc/GMT-10",
        value=10,
    )
    assert points(batch, "NSW1") == {"2025-02-28T14:00:00Z": 95.5}
    assert points(batch, "VIC1") == {"2025-02-28T14:00:00Z": -10}


def test_hours_that_end_in_xml(server: LocalServer) -> None:
    """As IESO has them: the day above, hours from 1 to 24 in a zone without summer time."""
    hours = "".join(
        f"<HourlyData><Day>2025-03-01</Day><Hour>{hour}</Hour><Fuel><Name>WIND</Name>"
        f"<Output>{hour * 10}</Output></Fuel></HourlyData>"
        for hour in (1, 24)
    )
    body = f'<Doc xmlns="http://www.ieso.ca/schema"><DocBody>{hours}</DocBody></Doc>'
    batch = fetch(
        "Xml",
        url=server.answer("/a", Reply(body=body.encode())),
        rows="//HourlyData",
        ts=["Day", "Hour"],
        time_format="%Y-%m-%d %H",
        period_end="1 hour",
        timezone="Etc/GMT+5",
        value="Fuel[Name='WIND']/Output",
    )
    assert points(batch) == {"2025-03-01T05:00:00Z": 10, "2025-03-02T04:00:00Z": 240}


def test_areas_within_rows(server: LocalServer) -> None:
    """As Nord Pool has them: a key for each area, within each row."""
    entries = [
        {"deliveryStart": f"2025-03-01T0{hour}:00:00Z", "entryPerArea": {"SE3": hour, "DE-LU": -1}}
        for hour in (0, 1)
    ]
    batch = fetch(
        "Json",
        {"se3": {"value": "entryPerArea.SE3"}, "de": {"value": 'entryPerArea."DE-LU"'}},
        url=server.answer("/a", Reply.json({"currency": "EUR", "multiAreaEntries": entries})),
        rows="multiAreaEntries",
        ts="deliveryStart",
    )
    assert list(points(batch, "se3").values()) == [0, 1]
    assert list(points(batch, "de").values()) == [-1, -1]


def test_a_list_of_pairs_for_each_series(server: LocalServer) -> None:
    """As OpenElectricity has them, with the offset in each time."""
    results = [
        {"name": f"energy_{fuel}", "data": [["2025-03-01T00:00:00+10:00", number]]}
        for number, fuel in enumerate(("coal", "wind"))
    ]
    batch = fetch(
        "Json",
        {
            fuel: {"rows": f"data[0].results[?name=='energy_{fuel}'].data | [0]"}
            for fuel in ("coal", "wind")
        },
        url=server.answer("/a", Reply.json({"success": True, "data": [{"results": results}]})),
        ts=1,
        value=2,
    )
    assert points(batch, "wind") == {"2025-02-28T14:00:00Z": 1}


def test_records_within_an_envelope_that_may_report_an_error(server: LocalServer) -> None:
    """As portals of CKAN have them: numbers as texts, pages by offset, a total."""
    rows = [{"_id": n, "Datetime": f"2025-03-01T00:{n:02}:00", "Demand": f"{n}.5"} for n in (1, 2)]
    url = server.answer(
        "/a", Reply.json({"success": True, "result": {"total": 2, "records": rows}})
    )
    params: dict[str, Any] = {
        "url": url,
        "timezone": "UTC",
        "error": "error.message",
        "rows": "result.records",
        "paging": {"offset": "offset", "size": 100, "size_param": "limit", "total": "result.total"},
        "ts": "Datetime",
        "value": "Demand",
    }
    assert list(points(fetch("Json", **params)).values()) == [1.5, 2.5]


def test_pairs_are_chosen_by_their_place(server: LocalServer) -> None:
    """A filter on rows that are lists, and no number that is a key is taken for a place."""
    rows = [["2025-03-01T00:00Z", "a", 1], ["2025-03-01T00:00Z", "b", 2]]
    url = server.answer("/a", Reply.json(rows))
    batch = fetch("Json", {"b": {"2": "b"}}, url=url, ts=1, value=3)
    assert list(points(batch, "b").values()) == [2]
    server.answer("/a", Reply.json([{"t": "2025-03-01T00:00Z", "2": "b", "v": 3}]))
    batch = fetch("Json", {"b": {"2": "b"}}, url=url, ts="t", value="v")
    assert list(points(batch, "b").values()) == [3]
