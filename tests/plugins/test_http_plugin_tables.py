"""Tables with a shape of their own: text around them, several in a file, times as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import fetch, plugin_of, points
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError
from dataportal.plugins.parameters import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataportal.observations import Batch


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A provider for all of them."""
    with LocalServer() as server:
        yield server


def ask(
    server: LocalServer,
    body: str,
    filters: Mapping[str, Mapping[str, Any]] | None = None,
    **params: Any,
) -> Batch:
    """What becomes of a table."""
    url = server.answer("/table", Reply(200, body.encode(), content_type="text/csv"))
    return fetch("Csv", filters, **{"url": url, "timezone": "UTC", **params})


def days(batch: Batch, series: str = "described") -> dict[int, float | None]:
    """The values by the day of May."""
    return {int(ts[8:10]): value for ts, value in points(batch, series).items()}


TABLE = "t;v\n2024-05-01;1\n2024-05-02;2\n"


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (f"Station;Bonn\n\nfrom;to;x\n1;2;3\n\n{TABLE}", {"header_row": "^t;"}),
        (f"a\nb\n{TABLE}", {"header_row": 3}),
        (f"a\nb\n{TABLE}", {"header_row": "3"}),
        ("t;v\ndate;MW\n5s;8n\n2024-05-01;1\n2024-05-02;2\n", {"first_row": "^2024"}),
        (f"{TABLE}Sum;3\n2024-05-09;4\n", {"footer": "^Sum"}),
        (
            "# t;v\nx\n# more\nt;v\n\nunits\n2024-05-01;1\n2024-05-02;2\n\nend\n",
            {"header_row": "^t;", "first_row": r"^\d{4}-", "footer": "^end", "comment": "#"},
        ),
        (
            "text\n2024-05-01;1\n2024-05-02;2\n",
            {"first_row": "^2024", "header": False, "ts": 1, "value": 2},
        ),
    ],
)
def test_a_table_is_found_between_texts(
    server: LocalServer, body: str, params: dict[str, Any]
) -> None:
    """By the line of its header, of its first row, and the first line after it."""
    assert days(ask(server, body, **{"ts": "t", "value": "v", **params})) == {1: 1, 2: 2}


def test_a_line_that_is_not_there_names_those_that_are(server: LocalServer) -> None:
    """Of the header and of the first row; a table without rows is no fault."""
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        (
            {"header_row": "^Datum"},
            "has no line that fits header_row '^Datum'; its lines are 't;v'",
        ),
        ({"first_row": "^1999"}, "has no line that fits first_row '^1999'; its lines are '2024-"),
    )
    for params, said in cases:
        with pytest.raises(BadDataError) as refused:
            ask(server, TABLE, ts="t", value="v", **params)
        assert said in str(refused.value)
    assert not days(ask(server, "t;v\n", ts="t", value="v", first_row="^2024"))


SECTIONS = """C,a remark
I,DISPATCH,PRICE,1,day,REGION,RRP
D,DISPATCH,PRICE,1,"2024-05-01",N,10
D,DISPATCH,PRICE,1,"2024-05-01",S,20
I,DISPATCH,LOAD,1,REGION,day,MW
D,DISPATCH,LOAD,1,N,"2024-05-01",30
C,end
"""


def test_each_section_has_columns_of_its_own(server: LocalServer) -> None:
    """Which are told apart by names, or by their numbers."""
    sections = {"header": "^I,", "rows": "^D,", "name": [2, 3]}
    batch = ask(
        server,
        SECTIONS,
        {
            "price": {"section": "DISPATCH PRICE", "REGION": "S", "value": "RRP"},
            "load": {"3": "LOAD", "REGION": "N", "value": "MW"},
        },
        sections=sections,
        ts="day",
    )
    assert (days(batch, "price"), days(batch, "load")) == ({1: 20}, {1: 30})


def test_a_section_that_is_not_there_names_those_that_are(server: LocalServer) -> None:
    """So does a column, and a header."""
    sections: dict[str, Any] = {"header": "^I,", "rows": "^D,", "name": [2, 3]}
    for own, changed, said in (
        ({"section": "PRICE", "REGION": "S"}, {}, "but DISPATCH PRICE, DISPATCH LOAD at 'section'"),
        ({"value": "MWh"}, {}, "has no column 'MWh' in any section; DISPATCH PRICE has I, DISP"),
        ({}, {"header": "^H,"}, "has no line that fits sections.header '^H,'"),
    ):
        with pytest.raises(BadDataError) as refused:
            ask(
                server,
                SECTIONS,
                {"x": {"value": "RRP", **own}},
                sections={**sections, **changed},
                ts="day",
            )
        assert said in str(refused.value)


def test_times_may_be_columns(server: LocalServer) -> None:
    """Each cell is a row, with its header and all that stands beside it."""
    body = "area;unit;2024-05-01 ;2024-05-02;note\nN;MW;1;2;x\nS;MW;;4;y\n"
    batch = ask(
        server,
        body,
        {"n": {"area": "N"}, "s": {"area": "S"}},
        layout="wide",
        columns=r"^\d{4}-",
    )
    assert (days(batch, "n"), days(batch, "s")) == ({1: 1, 2: 2}, {1: None, 2: 4})


def test_a_day_in_the_header_and_an_hour_in_the_row_are_one_time(server: LocalServer) -> None:
    """Or the other way round."""
    wide: dict[str, Any] = {"layout": "wide", "time_format": "%d.%m.%Y %H:%M"}
    by_day = "hour;01.05.2024;02.05.2024\n00:00;1;2\n01:00;3;4\n"
    by_hour = "day;00:00;01:00\n01.05.2024;1;3\n02.05.2024;2;4\n"
    first = ask(server, by_day, ts=["header", "hour"], columns=r"\d{4}$", **wide)
    second = ask(server, by_hour, ts=["day", "header"], columns=":", **wide)
    assert points(first) == points(second)
    assert list(points(first).values()) == [1, 3, 2, 4]


def test_columns_that_are_not_there_name_those_that_are(server: LocalServer) -> None:
    """A pattern of headers that fits none."""
    with pytest.raises(BadDataError) as refused:
        ask(server, "a;b\n1;2\n", layout="wide", columns="^20")
    assert "has no column that fits '^20'; they are a, b" in str(refused.value)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"header_row": 2, "skip_rows": 1}, "give either skip_rows or header_row"),
        ({"header_row": "("}, "header_row '(' is no regular expression"),
        ({"layout": "wide"}, "columns is missing"),
        ({"columns": "x"}, "columns goes with layout: wide"),
        ({"layout": "weit"}, "layout must be one of rows, wide"),
        ({"sections": {"rows": "^D"}}, "sections.header is missing"),
        ({"sections": {"header": "^I", "nam": [2]}}, "did you mean 'name'"),
    ],
)
def test_what_cannot_be_meant_is_refused(params: dict[str, Any], said: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ParameterError) as refused:
        plugin_of("Csv", **{"url": "http://x/", "ts": "t", "value": "v", **params})
    assert said in str(refused.value)


@pytest.mark.parametrize(("length", "parts"), [("1 hour", 1), ("15 minutes", 4)])
def test_a_long_day_that_ends_like_an_ordinary_one_is_refused(
    server: LocalServer, length: str, parts: int
) -> None:
    """Its numbers may be hours of a clock; one more tells that they are not, in whatever order."""

    def day_of(count: int) -> Batch:
        rows = "".join(f"2024-10-27,{n},{n}\n" for n in range(count * parts, 0, -1))
        return ask(
            server,
            f"day,n,v\n{rows}2024-10-28,{24 * parts},7\n",
            timezone="Europe/Berlin",
            interval={"day": "day", "number": "n", "length": length},
            value="v",
        )

    refused = day_of(24)
    assert refused.rejected == 24 * parts
    assert f"none after number {24 * parts}" in refused.rejections[0].reason
    assert [*points(refused).values()] == [7.0]
    for count in (25, 23):
        assert not day_of(count).rejected
        assert len(points(day_of(count))) == count * parts + 1


def test_an_hour_that_a_day_has_not_may_have_an_empty_cell(server: LocalServer) -> None:
    """Columns for the hours of all days: by number, by the clock, by the end; no value is lost."""
    spring, day, autumn = "2024-03-31", "2024-03-30", "2024-10-27"
    numbers = (
        f"d,1,2,3,23,24,25\n{spring},1,2,3,23,,\n{day},1,2,3,23,24,\n{autumn},1,2,3,23,24,25\n"
    )
    by_number = ask(
        server,
        numbers,
        timezone="Europe/Berlin",
        layout="wide",
        columns=r"^\d",
        interval={"day": "d", "number": "header", "length": "1 hour"},
    )
    clock = f"d,1,2,3,3*\n{spring},1,2,,\n{day},1,2,3,\n{autumn},1,2,3,4\n"
    by_clock = ask(
        server,
        f"d,1,2,2*,3\n{spring},1,,,3\n{day},1,2,,3\n{autumn},1,2,3,4\n",
        timezone="Europe/Berlin",
        layout="wide",
        columns=r"^\d",
        ts=["d", "header"],
        time_format="%Y-%m-%d %H",
        dst={"second": "*"},
    )
    by_end = ask(
        server,
        clock,
        timezone="Europe/Berlin",
        layout="wide",
        columns=r"^\d",
        ts=["d", "header"],
        time_format="%Y-%m-%d %H",
        period_end="1 hour",
        dst={"second": "*"},
    )
    for batch in (by_number, by_clock, by_end):
        assert not batch.rejected, batch.rejections
        assert None not in points(batch).values()
    assert len(points(by_number)) == 4 + 5 + 6
    assert points(by_number)["2024-10-27T22:00:00Z"] == 25
    assert points(by_clock) == {
        "2024-03-30T00:00:00Z": 1,
        "2024-03-30T01:00:00Z": 2,
        "2024-03-30T02:00:00Z": 3,
        "2024-03-31T00:00:00Z": 1,
        "2024-03-31T01:00:00Z": 3,
        "2024-10-26T23:00:00Z": 1,
        "2024-10-27T00:00:00Z": 2,
        "2024-10-27T01:00:00Z": 3,
        "2024-10-27T02:00:00Z": 4,
    }
    assert points(by_end) == {
        "2024-03-29T23:00:00Z": 1,
        "2024-03-30T00:00:00Z": 2,
        "2024-03-30T01:00:00Z": 3,
        "2024-03-30T23:00:00Z": 1,
        "2024-03-31T00:00:00Z": 2,
        "2024-10-26T22:00:00Z": 1,
        "2024-10-26T23:00:00Z": 2,
        "2024-10-27T00:00:00Z": 3,
        "2024-10-27T01:00:00Z": 4,
    }


@pytest.mark.parametrize("value", ["", "NA"])
def test_an_hour_that_the_clocks_skip_may_be_a_row_without_a_value(
    server: LocalServer, value: str
) -> None:
    """Whether the rest is read at once or one by one; with a value it is refused."""
    for text in (value, "7"):
        batch = ask(
            server,
            f"t,v\n2024-03-31 01:00,1\n2024-03-31 02:00,{text}\n2024-03-31 03:00,3\n",
            timezone="Europe/Berlin",
            ts="t",
            value="v",
        )
        assert batch.rejected == (text == "7")
        assert points(batch) == {"2024-03-31T00:00:00Z": 1, "2024-03-31T01:00:00Z": 3}


def test_a_missing_value_of_an_hour_that_is_there_stays_one(server: LocalServer) -> None:
    """Also on days when the clocks change: it takes a stored value back."""
    batch = ask(
        server,
        "d,h,v\n2024-10-27,3,\n2024-10-27,25,1\n2024-03-31,23,\n",
        timezone="Europe/Berlin",
        interval={"day": "d", "number": "h", "length": "1 hour"},
        value="v",
    )
    assert points(batch) == {
        "2024-03-31T21:00:00Z": None,
        "2024-10-27T00:00:00Z": None,
        "2024-10-27T22:00:00Z": 1,
    }


def test_an_empty_cell_means_what_stands_above(server: LocalServer) -> None:
    """Where a field says so; nothing stands above the first one."""
    batch = ask(
        server,
        "d,h,v\n,5,0\n2016/4/1,0,1\n,1,2\n2016/4/2,0,3\n ,1,4\n",
        fields={"day": {"place": "d", "fill": True}},
        ts=["day", "h"],
        time_format="%Y/%m/%d %H",
        value="v",
    )
    assert batch.rejected == 1
    assert points(batch) == {
        "2016-04-01T00:00:00Z": 1,
        "2016-04-01T01:00:00Z": 2,
        "2016-04-02T00:00:00Z": 3,
        "2016-04-02T01:00:00Z": 4,
    }
