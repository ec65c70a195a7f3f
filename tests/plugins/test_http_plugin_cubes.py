"""JSON-stat, SDMX-JSON and SDMX-ML: each series is found by its codes, whatever the layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.declarative_sources import EVER, fetch, points
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataportal.observations import Batch

MONTHS = ["2024-01", "2024-02", "2024-03"]
AREAS = ["DE", "FR"]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A provider for all of them."""
    with LocalServer() as server:
        yield server


def ask(
    server: LocalServer,
    kind: str,
    body: Any,
    filters: Mapping[str, Mapping[str, Any]],
    **params: Any,
) -> Batch:
    """What becomes of an answer."""
    content = body if isinstance(body, str) else json.dumps(body)
    url = server.answer("/cube", Reply(200, content.encode()))
    return fetch(kind, filters, url=url, **{"timezone": "UTC", **params})


def json_stat(
    values: Any, dimensions: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A dataset of version 2.0: by default of areas and months."""
    dimensions = dimensions or {"geo": AREAS, "time": MONTHS}
    return {
        "version": "2.0",
        "class": "dataset",
        "id": [*dimensions],
        "size": [*map(len, dimensions.values())],
        "dimension": {
            name: {"category": {"index": {code: n for n, code in enumerate(codes)}}}
            for name, codes in dimensions.items()
        },
        "value": values,
        **more,
    }


def by_month(batch: Batch, series: str) -> dict[str, float | None]:
    """The values of a series by their months."""
    return {ts[:7]: value for ts, value in points(batch, series).items()}


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_json_stat_says_the_same_in_every_form(server: LocalServer, data: st.DataObject) -> None:
    """Dense or sparse, of version 1 or 2, time first or last, with or without unordered codes."""
    table = {
        (area, month): data.draw(st.none() | st.integers(0, 99))
        for area in AREAS
        for month in MONTHS
    }
    names = data.draw(st.permutations(["geo", "time"]))
    months = data.draw(st.permutations(MONTHS))
    codes = {"geo": AREAS, "time": months}
    cells = [
        table[(a, b) if names[0] == "geo" else (b, a)]
        for a in codes[names[0]]
        for b in codes[names[1]]
    ]
    values: Any = cells
    if data.draw(st.booleans()):
        values = {str(n): cell for n, cell in enumerate(cells) if cell is not None}
    content: Any = json_stat(values, {name: codes[name] for name in names})
    if data.draw(st.booleans()):
        dimension = {**content["dimension"], "id": content["id"], "size": content["size"]}
        dimension["role"] = {"time": ["time"]}
        content = {"table": {"dimension": dimension, "value": values}}
    filters = {area: {"geo": area} for area in AREAS}
    batch = ask(server, "Json", content, filters, layout="json-stat")
    for area in AREAS:
        found = {month: v for month, v in by_month(batch, area).items() if v is not None}
        assert found == {m: v for (a, m), v in table.items() if a == area and v is not None}


@pytest.mark.parametrize("layout", ["json-stat", "sdmx-json"])
def test_series_of_the_same_cells_have_them_each(server: LocalServer, layout: str) -> None:
    """Also over several answers: what one is given more is not in the other."""
    content = json_stat([1, 2, 3, 4, 5, 6]) if layout == "json-stat" else flat_message()
    name = "geo" if layout == "json-stat" else "AREA"
    url = server.answer("/again", Reply(200, json.dumps(content).encode()))
    own = {name: "DE"}
    batch = fetch(
        "Json",
        {"a": own, "b": own},
        url=url,
        timezone="UTC",
        layout=layout,
        query={"n": "{part}"},
        each={"part": ["1", "2"]},
    )
    assert by_month(batch, "a") == by_month(batch, "b") != {}
    assert batch.received == 2 * 2 * len(by_month(batch, "a"))


def test_the_dimension_of_time_is_found_or_named(server: LocalServer) -> None:
    """By its role, by its name, by its codes; `ts` names another one."""
    for name, more in (
        ("Tid", {}),
        ("kausi", {"role": {"time": ["kausi"]}}),
        ("vuosineljannes", {}),
    ):
        content = json_stat([1, 2], {"geo": ["FI"], name: ["2024Q1", "2024K2"]}, **more)
        batch = ask(server, "Json", content, {"fi": {}}, layout="json-stat")
        assert by_month(batch, "fi") == {"2024-01": 1.0, "2024-04": 2.0}
    content = json_stat([1, 2], {"age": ["1-4", "2024-01"], "x": ["2024-05"]})
    batch = ask(
        server, "Json", content, {"a": {"age": "1-4"}}, layout="json-stat", ts="x", window=EVER
    )
    assert by_month(batch, "a") == {"2024-05": 1.0}


def test_several_dimensions_make_a_time(server: LocalServer) -> None:
    """A year and a quarter, of which neither is left open."""
    content = json_stat([1, 2, 3, 4], {"year": ["2023", "2024"], "quarter": ["Q1", "Q2"]})
    batch = ask(server, "Json", content, {"a": {}}, layout="json-stat", ts=["year", "quarter"])
    assert by_month(batch, "a") == {"2023-01": 1.0, "2023-04": 2.0, "2024-01": 3.0, "2024-04": 4.0}


SDMX_STRUCTURE = {
    "dimensions": {
        "dataSet": [{"id": "FREQ", "values": [{"id": "M"}]}],
        "series": [{"id": "AREA", "values": [{"id": "DE"}, {"id": "FR"}]}],
        "observation": [{"id": "TIME_PERIOD", "values": [{"id": m} for m in MONTHS]}],
    },
    "attributes": {
        "dataSet": [],
        "series": [{"id": "UNIT_MULT", "values": [{"id": "3"}]}],
        "observation": [{"id": "OBS_STATUS", "values": [{"id": "A"}, {"id": "P"}]}],
    },
}
SERIES = {
    "0": {"attributes": [0], "observations": {"2": [3.5, 1], "0": [1.5, 0]}},
    "1": {"attributes": [0], "observations": {"1": ["7", 0]}},
}
BY_AREA: dict[str, dict[str, str]] = {"de": {"AREA": "DE"}, "fr": {"AREA": "FR"}}
VALUES = {"de": {"2024-01": 1.5, "2024-03": 3.5}, "fr": {"2024-02": 7.0}}


def flat_message() -> dict[str, Any]:
    """The same, without series: keys of all dimensions, the time among them."""
    dimensions = SDMX_STRUCTURE["dimensions"]
    return {
        "data": {
            "structure": {
                **SDMX_STRUCTURE,
                "dimensions": {
                    "observation": [*dimensions["observation"], *dimensions["series"]],
                    "dataSet": dimensions["dataSet"],
                },
            },
            "dataSets": [{"observations": {"2:0": [3.5, 1], "0:0": [1.5, 0], "1:1": [7, 0]}}],
        }
    }


def test_sdmx_json_says_the_same_in_every_form(server: LocalServer) -> None:
    """Version 1.0 bare or in `data`, 2.0 with several structures, by series or flat."""
    data_set = {"series": SERIES}
    for content in (
        {"structure": SDMX_STRUCTURE, "dataSets": [data_set]},
        {"data": {"structure": SDMX_STRUCTURE, "dataSets": [data_set]}},
        {"data": {"structures": [{}, SDMX_STRUCTURE], "dataSets": [{"structure": 1, **data_set}]}},
        flat_message(),
    ):
        batch = ask(server, "Json", content, BY_AREA, layout="sdmx-json")
        assert {name: by_month(batch, name) for name in BY_AREA} == VALUES


def test_attributes_are_fields_as_well(server: LocalServer) -> None:
    """A filter may leave provisional values out."""
    content = {"structure": SDMX_STRUCTURE, "dataSets": [{"series": SERIES}]}
    filters = {"de": {"AREA": "DE", "OBS_STATUS": "A"}}
    batch = ask(server, "Json", content, filters, layout="sdmx-json")
    assert by_month(batch, "de") == {"2024-01": 1.5}


def test_values_are_multiplied_by_the_power_of_ten_of_their_series(server: LocalServer) -> None:
    """An attribute of the series in JSON, of a group of series in XML."""
    content = {"structure": SDMX_STRUCTURE, "dataSets": [{"series": SERIES}]}
    for kind, body, layout in (("Json", content, "sdmx-json"), ("Xml", SPECIFIC, "sdmx-ml")):
        batch = ask(
            server,
            kind,
            body,
            {"de": {"AREA": "DE"}},
            layout=layout,
            fields={"amount": {"place": "value", "power_of_ten": "UNIT_MULT"}},
            value="amount",
        )
        assert by_month(batch, "de") == {"2024-01": 1500, "2024-03": 3500}


GENERIC = """<m:GenericData xmlns:m="m" xmlns:g="g"><m:Header/><m:DataSet>
<g:Series><g:SeriesKey><g:Value id="FREQ" value="M"/><g:Value id="AREA" value="DE"/></g:SeriesKey>
<g:Obs><g:ObsDimension value="2024-03"/><g:ObsValue value="3.5"/></g:Obs>
<g:Obs><g:ObsDimension value="2024-01"/><g:ObsValue value="1.5"/></g:Obs></g:Series>
<g:Series><g:SeriesKey><g:Value id="FREQ" value="M"/><g:Value id="AREA" value="FR"/></g:SeriesKey>
<g:Obs><g:ObsDimension value="2024-02"/><g:ObsValue value="7"/></g:Obs></g:Series>
</m:DataSet></m:GenericData>"""
GENERIC_20 = """<GenericData><DataSet>
<Series><SeriesKey><Value concept="AREA" value="DE"/></SeriesKey>
<Obs><Time>2024-03</Time><ObsValue value="3.5"/></Obs>
<Obs><Time>2024-01</Time><ObsValue value="1.5"/></Obs></Series>
<Series><SeriesKey><Value concept="AREA" value="FR"/></SeriesKey>
<Obs><Time>2024-02</Time><ObsValue value="7"/></Obs></Series></DataSet></GenericData>"""
GENERIC_FLAT = """<GenericData><DataSet>
<Obs><ObsKey><Value id="AREA" value="DE"/><Value id="TIME_PERIOD" value="2024-03"/></ObsKey>
<ObsValue value="3.5"/></Obs>
<Obs><ObsKey><Value id="AREA" value="FR"/><Value id="TIME_PERIOD" value="2024-02"/></ObsKey>
<ObsValue value="7"/></Obs>
<Obs><ObsKey><Value id="AREA" value="DE"/><Value id="TIME_PERIOD" value="2024-01"/></ObsKey>
<ObsValue value="1.5"/></Obs></DataSet></GenericData>"""
SPECIFIC = """<Data xmlns:x="x"><DataSet>
<Group x:type="G" AREA="DE" UNIT_MULT="3"/>
<Series AREA="DE" TITLE="a"><Obs TIME_PERIOD="2024-03" OBS_VALUE="3.5" OBS_STATUS="P"/>
<Obs TIME_PERIOD="2024-01" OBS_VALUE="1.5" OBS_STATUS="A"/></Series>
<Series AREA="FR" TITLE="b"><Obs TIME_PERIOD="2024-02" OBS_VALUE="7" OBS_STATUS="A"/></Series>
<Series AREA="AT"/></DataSet></Data>"""
SPECIFIC_FLAT = """<Data><DataSet>
<Obs AREA="DE" TIME_PERIOD="2024-03" OBS_VALUE="3.5" OBS_STATUS="P"/>
<Obs AREA="FR" TIME_PERIOD="2024-02" OBS_VALUE="7" OBS_STATUS="A"/>
<Obs AREA="DE" TIME_PERIOD="2024-01" OBS_VALUE="1.5" OBS_STATUS="A"/></DataSet></Data>"""
ACROSS = """<Data><Header><Structure dimensionAtObservation="AREA"/></Header><DataSet>
<Series TIME_PERIOD="2024-01"><Obs AREA="DE" OBS_VALUE="1.5"/></Series>
<Series TIME_PERIOD="2024-02"><Obs AREA="FR" OBS_VALUE="7"/></Series>
<Series TIME_PERIOD="2024-03"><Obs AREA="DE" OBS_VALUE="3.5"/></Series></DataSet></Data>"""


@pytest.mark.parametrize(
    "body", [GENERIC, GENERIC_20, GENERIC_FLAT, SPECIFIC, SPECIFIC_FLAT, ACROSS]
)
def test_sdmx_ml_says_the_same_in_every_form(server: LocalServer, body: str) -> None:
    """Generic of 2.0 and 2.1, structure-specific; by series, flat, and across areas."""
    batch = ask(server, "Xml", body, BY_AREA, layout="sdmx-ml")
    assert {name: by_month(batch, name) for name in BY_AREA} == VALUES


CUBES = {
    "json-stat": ("Json", json_stat([1, 2, 3, 4, 5, 6]), "geo"),
    "sdmx-json": ("Json", {"structure": SDMX_STRUCTURE, "dataSets": [{"series": SERIES}]}, "AREA"),
    "sdmx-ml": ("Xml", SPECIFIC, "AREA"),
}


@pytest.mark.parametrize("layout", [*CUBES])
def test_what_is_not_there_names_what_is(server: LocalServer, layout: str) -> None:
    """A code, a dimension, and one that is left open; a sound series beside them is stored."""
    kind, body, name = CUBES[layout]
    sound = {name: "DE"}
    for own, said in (
        ({name: "XX"}, f"has no {name} = 'XX', but DE, FR"),
        ({"sex": "F", **sound}, "has no dimension 'sex'; the dimensions are"),
        ({}, f"has several codes of {name} (DE, FR), and the filter does not say which"),
    ):
        batch = ask(server, kind, body, {"sound": sound, "bad": own}, layout=layout)
        assert by_month(batch, "sound")["2024-01"] in {1.0, 1.5}
        assert not points(batch, "bad")
        with pytest.raises(BadDataError) as refused:
            ask(server, kind, body, {"bad": own}, layout=layout)
        assert said in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "layout", "body", "said"),
    [
        ("Json", "json-stat", {"a": 1}, "is not JSON-stat"),
        ("Json", "json-stat", json_stat([1, 2]), "has 2 values, and dimensions of 6 cells"),
        ("Json", "json-stat", json_stat({"6": 1}), "has a value at '6'"),
        ("Json", "json-stat", json_stat({"9" * 5000: 1}), "has a value at '9999"),
        ("Json", "json-stat", json_stat([1], {"geo": ["DE"]}), "has no dimension of time"),
        (
            "Json",
            "json-stat",
            {"one": json_stat([]), "two": json_stat([])},
            "has several datasets: one, two",
        ),
        ("Json", "sdmx-json", {"errors": []}, "has no dataSets"),
        (
            "Json",
            "sdmx-json",
            {
                "structure": {"dimensions": {"observation": [{"id": "AREA", "values": []}]}},
                "dataSets": [{"observations": {}}],
            },
            "has no dimension of time; the dimensions are AREA",
        ),
        ("Xml", "sdmx-ml", "<a/>", "has no DataSet"),
        ("Xml", "sdmx-ml", "<a><DataSet><Obs AREA='1'/></DataSet></a>", "without a dimension of"),
    ],
)
def test_another_document_is_refused(
    server: LocalServer, kind: str, layout: str, body: Any, said: str
) -> None:
    """With the reason."""
    with pytest.raises(BadDataError) as refused:
        ask(server, kind, body, {"a": {}}, layout=layout)
    assert said in str(refused.value)


def test_a_cube_without_observations_is_no_fault(server: LocalServer) -> None:
    """Nothing was asked for that there is."""
    for kind, layout, body in (
        ("Json", "json-stat", json_stat({})),
        ("Json", "sdmx-json", {"structure": SDMX_STRUCTURE, "dataSets": []}),
        ("Xml", "sdmx-ml", "<a><DataSet/></a>"),
    ):
        batch = ask(server, kind, body, {"a": {"geo": "DE"}}, layout=layout)
        assert not points(batch, "a")


def test_periods_reach_into_the_window_whatever_their_order(server: LocalServer) -> None:
    """A quarter that began before the window is inside; those before and after are counted."""
    quarters = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
    for order in (quarters, quarters[::-1]):
        content = json_stat([int(q[-1]) for q in order], {"time": order})
        batch = ask(
            server,
            "Json",
            content,
            {"a": {}},
            layout="json-stat",
            window=("2024-05-01T00:00:00Z", "2024-09-01T00:00:00Z"),
            timezone="Europe/Berlin",
        )
        assert points(batch, "a") == {"2024-03-31T22:00:00Z": 2.0, "2024-06-30T22:00:00Z": 3.0}
        assert (batch.before, batch.after) == (1, 1)


def test_a_message_that_has_only_a_footer_is_refused_with_what_it_says(
    server: LocalServer,
) -> None:
    """As Eurostat's answer to what is too large, which is to be had later."""
    body = (
        "<m:GenericData xmlns:m='m' xmlns:f='f' xmlns:c='c'><m:Header/><f:Footer>"
        "<f:Message code='413'><c:Text>The response will be\n written to a file</c:Text>"
        "</f:Message></f:Footer></m:GenericData>"
    )
    with pytest.raises(BadDataError, match="no DataSet, but says: The response will be written"):
        ask(server, "Xml", body, {"a": {}}, layout="sdmx-ml")


def test_a_group_of_codes_that_no_series_has_says_nothing_of_any(server: LocalServer) -> None:
    """The others say what they say of theirs."""
    content = {
        "data": {
            "structures": [
                {
                    "dimensions": {
                        "series": [{"id": "GEO", "values": [{"id": "DE"}, {"id": "FR"}]}],
                        "observation": [{"id": "TIME_PERIOD", "values": [{"value": "2024"}]}],
                    },
                    "attributes": {
                        "dimensionGroup": [
                            {"id": "UNIT_MULT", "values": [{"id": "3"}, {"id": "6"}]}
                        ]
                    },
                }
            ],
            "dataSets": [
                {
                    "dimensionGroupAttributes": {"0:": [0], "1:": [1], "7:": [1], "::9": [0]},
                    "series": {
                        "0": {"observations": {"0": [2]}},
                        "1": {"observations": {"0": [5]}},
                    },
                }
            ],
        }
    }
    batch = ask(
        server,
        "Json",
        content,
        {"de": {"GEO": "DE"}, "fr": {"GEO": "FR"}},
        layout="sdmx-json",
        fields={"amount": {"place": "value", "power_of_ten": "UNIT_MULT"}},
        value="amount",
    )
    assert points(batch, "de") == {"2024-01-01T00:00:00Z": 2000.0}
    assert points(batch, "fr") == {"2024-01-01T00:00:00Z": 5_000_000.0}
