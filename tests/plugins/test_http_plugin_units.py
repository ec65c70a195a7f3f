"""Units that answers of described APIs name: told to the run, whatever the layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import EVER, fetch, plugin_of, points
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataportal.observations import Batch

FILTERS: dict[str, dict[str, str]] = {"de": {"AREA": "DE"}, "fr": {"AREA": "FR"}}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A provider of all kinds."""
    with LocalServer() as server:
        yield server


def ask(
    server: LocalServer,
    kind: str,
    body: object,
    filters: Mapping[str, Mapping[str, Any]] | None = None,
    **params: Any,
) -> Batch:
    """What becomes of an answer."""
    text = body if isinstance(body, str) else json.dumps(body)
    url = server.answer("/data", Reply(200, text.encode()))
    return fetch(kind, filters, url=url, **{"timezone": "UTC", **params})


def units(batch: Batch) -> dict[str, str | None]:
    """The unit that is stated of each series whose points are taken."""
    return {
        name: None if series.statement is None else series.statement.unit
        for name, series in batch.series.items()
        if len(series.ts)
    }


def table(header: str, rows: Sequence[str]) -> str:
    """A table of SDMX, as its CSV writes it."""
    return "\n".join([f"AREA,TIME_PERIOD,OBS_VALUE,{header}", *rows]) + "\n"


def of_sdmx(server: LocalServer, header: str, rows: Sequence[str], **params: Any) -> Batch:
    """What becomes of such a table."""
    places = {"ts": "TIME_PERIOD", "time_format": "period", "value": "OBS_VALUE", **params}
    return ask(server, "Csv", table(header, rows), FILTERS, **places)


@pytest.mark.parametrize(
    ("header", "cells", "unit"),
    [
        ("UNIT_MEASURE,UNIT_MULT", "EUR,0", "EUR"),
        ("UNIT_MEASURE,UNIT_MULT", "EUR,", "EUR"),
        ("UNIT_MEASURE,UNIT_MULT", "EUR,6", "10^6 EUR"),
        ("UNIT,UNIT_MULT", "EUR,6", "10^6 EUR"),
        ("UNIT_MEASURE", "EUR", "EUR"),
        # a column of that name alone may be a unit of a power plant
        ("UNIT", "A", None),
        ("UNIT_MULT", "6", None),
        ("UNIT_MEASURE,UNIT_MULT", ",", None),
    ],
)
def test_columns_of_sdmx_say_the_unit(
    server: LocalServer, header: str, cells: str, unit: str | None
) -> None:
    """Without a parameter."""
    batch = of_sdmx(server, header, [f"DE,2024-01,1,{cells}", f"FR,2024-01,2,{cells}"])
    assert units(batch) == {"de": unit, "fr": unit}


def test_each_series_has_its_own(server: LocalServer) -> None:
    """And one with two of them is refused; what says none says nothing else."""
    rows = ["DE,2024-01,1,EUR,6", "DE,2024-02,2,EUR,9", "FR,2024-01,3,USD,", "FR,2024-02,4,,"]
    batch = of_sdmx(server, "UNIT_MEASURE,UNIT_MULT", rows)
    assert units(batch) == {"fr": "USD"}
    assert batch.rejected == 2
    assert "values in 10^6 EUR and in 10^9 EUR" in str(batch.rejections)


def test_rows_outside_of_the_window_do_not_count(server: LocalServer) -> None:
    """Whole columns, cubes and single rows alike."""
    header = "UNIT_MEASURE,UNIT_MULT"
    rows = ["DE,2023-11,1,DEM,", "DE,2023-12,1,DEM,", "DE,2024-01,2,EUR,", "FR,2024-01,3,FRF,"]
    rows.append("DE,2024-02,1,USD,")
    window = ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z")
    for number in ("1", "1.0 "):
        texts = [row.replace(",1,", f",{number},") for row in rows]
        assert units(of_sdmx(server, header, texts, window=window)) == {"de": "EUR", "fr": "FRF"}
    into = ("2023-12-15T00:00:00Z", "2024-02-01T00:00:00Z")
    batch = of_sdmx(server, header, rows, window=into)
    assert "values in DEM and in EUR" in str(batch.rejections)


def test_a_power_that_is_multiplied_by_is_no_part_of_it(server: LocalServer) -> None:
    """Numbers then are in one unit, whatever power the provider counts them in."""
    rows = ["DE,2024-01,1500,EUR,6", "DE,2024-02,2,EUR,9"]
    fields = {"whole": {"place": "OBS_VALUE", "power_of_ten": "UNIT_MULT"}}
    batch = of_sdmx(server, "UNIT_MEASURE,UNIT_MULT", rows, fields=fields, value="whole")
    assert units(batch) == {"de": "EUR"}
    assert [*points(batch, "de").values()] == [1.5e9, 2e9]


def test_rows_that_are_left_out_do_not_count(server: LocalServer) -> None:
    """Further fields and rules for rows keep the columns of the table."""
    rows = ["DE,2024-01,1,EUR,", "DE,2024-02,2,USD,"]
    batch = of_sdmx(server, "UNIT_MEASURE,UNIT_MULT", rows, drop_rows={"UNIT_MEASURE": "USD"})
    assert units(batch) == {"de": "EUR"}


STRUCTURE = {
    "dimensions": {
        "series": [{"id": "AREA", "values": [{"id": "DE"}, {"id": "FR"}]}],
        "observation": [{"id": "TIME_PERIOD", "values": [{"id": "2024-01"}, {"id": "2024-02"}]}],
    },
    "attributes": {
        "series": [{"id": "UNIT_MULT", "values": [{"id": "3"}]}],
        "observation": [{"id": "UNIT_MEASURE", "values": [{"id": "EUR"}, {"id": "USD"}]}],
    },
}


@pytest.mark.parametrize("value", [2, "2"])
def test_attributes_of_sdmx_json_say_it(server: LocalServer, value: object) -> None:
    """Of a series or of its observations; of numbers that are plain and of others."""
    series = {
        "0": {"attributes": [0], "observations": {"0": [1, 0], "1": [value, 0]}},
        "1": {"attributes": [0], "observations": {"0": [1, 0], "1": [value, 1]}},
    }
    content = {"structure": STRUCTURE, "dataSets": [{"series": series}]}
    batch = ask(server, "Json", content, FILTERS, layout="sdmx-json")
    assert units(batch) == {"de": "10^3 EUR"}
    assert "values in 10^3 EUR and in 10^3 USD" in str(batch.rejections)
    late = ("2024-02-01T00:00:00Z", None)
    batch = ask(server, "Json", content, FILTERS, layout="sdmx-json", window=late)
    assert units(batch) == {"de": "10^3 EUR", "fr": "10^3 USD"}


@pytest.mark.parametrize("name", ["UNIT_MEASURE", "UNIT"])
def test_attributes_of_sdmx_ml_say_it(server: LocalServer, name: str) -> None:
    """The standard's name, and the one of central banks."""
    body = (
        f'<Data><DataSet><Series AREA="DE" {name}="EUR" UNIT_MULT="0">'
        '<Obs TIME_PERIOD="2024-01" OBS_VALUE="1.5"/></Series></DataSet></Data>'
    )
    batch = ask(server, "Xml", body, {"de": {"AREA": "DE"}}, layout="sdmx-ml")
    assert units(batch) == {"de": "EUR"}


ROWS = [{"t": "2024-01-01T00:00Z", "v": 1, "unit": "MW", "per": "h"}]


@pytest.mark.parametrize(
    ("place", "unit"), [("unit", "MW"), (["unit", "per"], "MW h"), (["unit", "missing"], "MW")]
)
def test_a_source_says_where_the_unit_stands(server: LocalServer, place: object, unit: str) -> None:
    """In one place or in several."""
    batch = ask(server, "Json", ROWS, ts="t", value="v", unit=place)
    assert units(batch) == {"described": unit}


def test_a_unit_around_the_rows(server: LocalServer) -> None:
    """As OpenElectricity has it: one of each metric, beside its results."""
    rows = [{"t": "2024-01-01T00:00Z", "v": 1}]
    content = {"data": [{"unit": "MWh", "results": rows}, {"unit": "AUD", "results": []}]}
    batch = ask(
        server,
        "Json",
        content,
        rows="data[].results[]",
        ts="t",
        value="v",
        fields={"of_metric": {"parent": "unit"}},
        unit="of_metric",
        window=EVER,
    )
    assert units(batch) == {"described": "MWh"}


def test_lists_side_by_side_have_units_as_well(server: LocalServer) -> None:
    """One for each value."""
    content = {"t": ["2024-01-01T00:00Z", "2024-01-01T01:00Z"], "v": [1, 2], "u": ["MW", "GW"]}
    batch = ask(server, "Json", content, layout="columns", ts="t", value="v", unit="u")
    assert "values in GW and in MW" in str(batch.rejections)


def test_rows_of_xml_have_units_as_well(server: LocalServer) -> None:
    """In an element or an attribute."""
    body = '<d><p t="2024-01-01T00:00Z" u="MW"><v>1</v></p></d>'
    batch = ask(server, "Xml", body, rows="p", ts="@t", value="v", unit="@u")
    assert units(batch) == {"described": "MW"}


def test_a_place_without_a_unit_fails(server: LocalServer) -> None:
    """It would be looked at for nothing; where there are no values there need be no unit."""
    with pytest.raises(BadDataError, match="has no unit at 'missing' in any of 1 rows"):
        ask(server, "Json", ROWS, ts="t", value="v", unit="missing")
    rows = [{"t": "2024-01-01T00:00Z", "v": None}]
    assert units(ask(server, "Json", rows, ts="t", value="v", unit="unit")) == {"described": None}
    with pytest.raises(BadDataError, match="no column"):
        ask(server, "Csv", "t,v\n2024-01-01T00:00Z,1\n", ts="t", value="v", unit="unit")


def test_a_place_that_cannot_be_is_a_fault_of_the_entry() -> None:
    """It is told before anything is asked."""
    with pytest.raises(ValueError, match=r"unit: 'a\["):
        plugin_of("Json", url="http://localhost", ts="t", value="v", unit="a[")
