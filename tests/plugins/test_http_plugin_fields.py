"""Fields beside the row, parts of cells, factors of rows, rows by patterns, start and step."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.declarative_sources import fetch, plugin_of, points
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError
from dataportal.plugins.declarative.keyed_members import LIST, keyed_members
from dataportal.plugins.declarative.time_texts import TimeText
from dataportal.plugins.http.response import Answer
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
    kind: str,
    body: Any,
    filters: Mapping[str, Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
    **params: Any,
) -> Batch:
    """What becomes of an answer."""
    content = body if isinstance(body, str) else json.dumps(body)
    url = server.answer("/rows", Reply(200, content.encode(), headers=headers or {}))
    return fetch(kind, filters, **{"url": url, "timezone": "UTC", "value": "v", **params})


XML = """<r xmlns="x" made="2024-05-02"><day date="2024-05-01"><area name="N"><h n="1"><v>1</v></h>
<h n="2"><v>2</v></h></area><area name="S"><h n="1"><v>3</v></h></area></day></r>"""
NESTED = {
    "made": "2024-05-02",
    "days": [
        {
            "date": "2024-05-01",
            "areas": [
                {"name": "N", "hours": [{"n": 1, "v": 1}, {"n": 2, "v": 2}]},
                {"name": "S", "hours": [{"n": 1, "v": 3}]},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("kind", "body", "rows", "paths"),
    [
        ("Xml", XML, ".//h", ("@date", "@name", "@n")),
        ("Json", NESTED, "days[].areas[].hours[]", ("date", "name", "n")),
    ],
)
def test_a_field_of_what_is_around_the_row(
    server: LocalServer, kind: str, body: Any, rows: str, paths: tuple[str, str, str]
) -> None:
    """The nearest that has it: a day two levels up, an area one level up."""
    day, area, number = paths
    batch = ask(
        server,
        kind,
        body,
        {"north": {"area": "N"}, "south": {"area": "S"}},
        rows=rows,
        fields={"day": {"parent": day}, "area": {"parent": area}},
        interval={"day": "day", "number": number, "length": "1 hour"},
    )
    assert points(batch, "north") == {"2024-05-01T00:00:00Z": 1, "2024-05-01T01:00:00Z": 2}
    assert points(batch, "south") == {"2024-05-01T00:00:00Z": 3}


def test_a_field_of_the_document_a_header_and_the_request(server: LocalServer) -> None:
    """In the time, in the filter, and as the time of publication."""
    batch = ask(
        server,
        "Json",
        {"made": "2024-05-02T06:00", "kind": "final", "rows": [{"h": "03:00", "v": 7}]},
        {"a": {"kind": "final", "X": "yes"}},
        headers={"X-State": "yes"},
        rows="rows",
        each="day",
        window=("2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z"),
        fields={
            "made": {"document": "made"},
            "kind": {"document": "kind"},
            "X": {"header": "X-State"},
            "day": {"request": "{start:%Y-%m-%d}"},
        },
        ts=["day", "h"],
        published_at="made",
    )
    assert points(batch, "a") == {"2024-05-01T03:00:00Z": 7}
    (vintage,) = batch.series["a"].vintages or []
    assert vintage[1] == datetime(2024, 5, 2, 6, tzinfo=UTC)


def test_a_field_of_the_text_before_a_table(server: LocalServer) -> None:
    """A day that only a title has."""
    body = "Report for 02/05/2024\nhour,v\n01:00,5\n"
    batch = ask(
        server,
        "Csv",
        body,
        skip_rows=1,
        fields={"day": {"text": r"for (\S+)"}},
        ts=["day", "hour"],
        time_format="%d/%m/%Y %H:%M",
    )
    assert points(batch) == {"2024-05-02T01:00:00Z": 5}


def test_part_of_a_cell_is_what_the_group_matches(server: LocalServer) -> None:
    """A cell that the pattern does not fit stays as it is: a mark for nothing, or a refusal."""
    body = 't,x\n2024-05-01,"+0111,5"\n2024-05-02,none\n2024-05-03,"12;5"\n'
    batch = ask(
        server,
        "Csv",
        body,
        ts="t",
        missing=["none"],
        fields={"v": {"place": "x", "pattern": r"^([+-]\d+),", "scale": 0.1}},
    )
    assert points(batch) == {"2024-05-01T00:00:00Z": 11.1, "2024-05-02T00:00:00Z": None}
    (rejection,) = batch.rejections
    assert "'12;5' is no plain decimal number" in rejection.reason


@pytest.mark.parametrize(
    ("field", "rows", "values"),
    [
        ({"power_of_ten": "f"}, [(1.25, 6), (20512.3, "3"), (7, -2)], [1.25e6, 20512300.0, 0.07]),
        ({"decimals": "f"}, [(1604, 1), ("1604", 2)], [160.4, 16.04]),
        ({"factor": "f"}, [(3, 0.1), (3, "1e3")], [0.3, 3000.0]),
        (
            {"unit": "f", "factors": {"GWh": 1000, "MWh": 1}},
            [(3, "GWh"), (3, "MWh")],
            [3000.0, 3.0],
        ),
    ],
)
def test_each_row_says_its_factor(
    server: LocalServer, field: dict[str, Any], rows: list[tuple[Any, Any]], values: list[float]
) -> None:
    """Products are rounded once, so that they are what a person would write."""
    body = [{"t": f"2024-05-0{n}", "x": x, "f": f} for n, (x, f) in enumerate(rows, 1)]
    batch = ask(server, "Json", body, ts="t", fields={"v": {"place": "x", **field}})
    assert list(points(batch).values()) == values


def test_a_factor_that_is_none_refuses_its_row(server: LocalServer) -> None:
    """The others are taken."""
    body = [{"t": "2024-05-01", "x": 1, "f": 3}, {"t": "2024-05-02", "x": 1, "f": "kW"}]
    batch = ask(server, "Json", body, ts="t", fields={"v": {"place": "x", "power_of_ten": "f"}})
    assert points(batch) == {"2024-05-01T00:00:00Z": 1000}
    assert "beside 'kW'" in batch.rejections[0].reason


def test_rows_are_kept_and_dropped_by_patterns(server: LocalServer) -> None:
    """Months among years and quarters; the totals not."""
    body = "t,k,v\n2024,a,1\n2024 Q1,a,2\n2024 JAN,a,3\n2024 FEB,total,4\n2024 MAR,a,5\n"
    options: dict[str, Any] = {"ts": "t", "time_format": "%Y %b"}
    months = {"t": r"^\d{4} [A-Z]{3}$"}
    batch = ask(server, "Csv", body, keep_rows=months, drop_rows={"k": "^total$"}, **options)
    assert points(batch) == {"2024-01-01T00:00:00Z": 3, "2024-03-01T00:00:00Z": 5}
    with pytest.raises(BadDataError) as refused:
        ask(server, "Csv", body, keep_rows={"t": "^W"}, **options)
    assert "has no row whose 't' matches '^W' among 5, but '2024', '2024 Q1'" in str(refused.value)


@pytest.mark.parametrize(
    ("start", "step", "options", "times"),
    [
        (1714521600000, 900000, {"time_format": "unix_ms"}, ["05-01T00:00", "05-01T00:15"]),
        (1714521600, 3600, {"time_format": "unix"}, ["05-01T00:00", "05-01T01:00"]),
        ("2024-05-01T00:00Z", "PT1H", {}, ["05-01T00:00", "05-01T01:00"]),
        ("2024-05-01", "1 month", {}, ["05-01T00:00", "06-01T00:00"]),
        # an hour of local time is one of real time, a day one of the calendar
        (
            "2024-03-31T01:30",
            "1 hour",
            {"timezone": "Europe/Berlin"},
            ["03-31T00:30", "03-31T01:30"],
        ),
        ("2024-03-31", "P1D", {"timezone": "Europe/Berlin"}, ["03-30T23:00", "03-31T22:00"]),
    ],
)
def test_times_are_counted_from_a_start(
    server: LocalServer, start: Any, step: Any, options: dict[str, Any], times: list[str]
) -> None:
    """In steps that the answer states, as a number or as a length; a null keeps its place."""
    body = {"from": start, "each": step, "a": [1, None], "b": [None, 2]}
    for length in ("each", step if isinstance(step, str) else "each"):
        batch = ask(
            server,
            "Json",
            body,
            {"a": {"rows": "a"}, "b": {"rows": "b"}},
            start="from",
            step=length,
            value="@",
            **options,
        )
        first, second = (f"2024-{ts}:00Z" for ts in times)
        assert points(batch, "a") == {first: 1, second: None}
        assert points(batch, "b") == {first: None, second: 2}


def test_steps_of_another_length_than_the_series_are_refused(server: LocalServer) -> None:
    """Where the provider answers a long range with days in place of hours."""
    body = {"from": "2024-05-01T00:00Z", "step": "P1D", "a": [1, 2]}
    url = server.answer("/rows", Reply.json(body))
    params: dict[str, Any] = {"url": url, "rows": "a", "start": "from", "step": "step"}
    assert points(fetch("Json", granularity="1 day", **params))
    with pytest.raises(BadDataError, match=r"steps of 1 day, and the granularity .* is 1 hour"):
        fetch("Json", granularity="1 hour", **params)


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("Json", {"fields": {"x": {}}}, "fields.x needs one of place, document, parent"),
        ("Json", {"fields": {"x": {"place": "a", "header": "b"}}}, "fields.x needs one of"),
        ("Json", {"fields": {"x": {"place": "a", "patern": "b"}}}, "did you mean 'pattern'"),
        ("Json", {"fields": {"x": {"place": "a", "pattern": "("}}}, "is no regular expression"),
        ("Json", {"fields": {"x": {"place": "a", "unit": "u"}}}, "unit and factors go together"),
        ("Csv", {"fields": {"x": {"parent": "a"}}}, "around the rows of a table"),
        ("Json", {"keep_rows": {"t": "("}}, "is no regular expression"),
        ("Json", {"start": "a"}, "start and step go together"),
        ("Json", {"start": "a", "step": "b"}, "in place of ts and interval"),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: str, params: dict[str, Any], said: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ParameterError) as refused:
        plugin_of(kind, **{"url": "http://x/", "ts": "t", "value": "v", **params})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"document": "made"}, "has no 'made' for fields.f"),
        ({"header": "X"}, "has no header 'X' for fields.f"),
        ({"text": "made (.*)"}, "has no text that fits 'made (.*)' for fields.f"),
        ({"parent": "made"}, "has no 'made' around its rows"),
        ({"place": "v", "pattern": "^x(.)"}, "has nothing at 'v' that fits '^x(.)', but '17'"),
    ],
)
def test_a_field_that_is_not_there_is_named(
    server: LocalServer, field: dict[str, Any], said: str
) -> None:
    """With what is there instead."""
    body = {"rows": [{"t": "2024-05-01", "v": 17}]}
    with pytest.raises(BadDataError) as refused:
        ask(server, "Json", body, rows="rows", ts="t", value="f", fields={"f": field})
    assert said in str(refused.value)


def test_keys_of_objects_are_fields(server: LocalServer) -> None:
    """Of two objects in one another; a row without the value has none."""
    rates = {"2024-10-24": {"JPY": 164.3, "USD": 1.0792}, "2024-10-25": {"USD": 1.0825}}
    by_day = ask(
        server,
        "Json",
        {"rates": rates},
        {"usd": {"value": "USD"}, "jpy": {"value": "JPY"}},
        rows="rates",
        by="day",
        ts="day",
    )
    both = ask(
        server,
        "Json",
        {"rates": rates},
        {"usd": {"currency": "USD"}, "jpy": {"currency": "JPY"}},
        rows="rates",
        by=["day", "currency"],
        ts="day",
        value="@",
    )
    for batch in (by_day, both):
        assert not batch.rejected
        assert points(batch, "jpy") == {"2024-10-24T00:00:00Z": 164.3}
        assert points(batch, "usd") == {
            "2024-10-24T00:00:00Z": 1.0792,
            "2024-10-25T00:00:00Z": 1.0825,
        }


@given(
    st.dictionaries(
        st.dates(min_value=date(2001, 1, 1), max_value=date(2099, 1, 1)).map(str),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=24),
        max_size=4,
    )
)
def test_lists_on_the_way_to_a_row_are_gone_through(days: dict[str, list[float]]) -> None:
    """Each item is a row with all keys above it, in the order of the document."""
    answer = Answer(200, "http://api.example/x", {}, b"{}")
    members = keyed_members(days, ["day", LIST], "@", answer)
    assert members.rows == [value for values in days.values() for value in values]
    assert members.columns == {"day": [day for day, values in days.items() for _ in values]}


@pytest.mark.parametrize(
    ("by", "content", "reason"),
    [
        (["day"], [1], "has no object at '@'"),
        (["day", "hour"], {"2024-01-01": [1]}, "has no object at '2024-01-01' of '@'"),
        (["day", "[]"], {"2024-01-01": {"a": 1}}, "has no list at '2024-01-01' of '@'"),
    ],
)
def test_another_shape_than_by_says_is_refused(
    server: LocalServer, by: list[str], content: Any, reason: str
) -> None:
    """With the keys that lead there."""
    with pytest.raises(BadDataError, match=reason):
        ask(server, "Json", content, by=by, ts="day", value="@")


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"by": "day", "layout": "columns"}, "by does not go with layout: columns"),
        ({"by": ["[]"]}, "by must name a key"),
        ({"by": ["day", "day"]}, "each of them once"),
    ],
)
def test_names_of_keys_that_cannot_be_are_refused(params: dict[str, Any], reason: str) -> None:
    """When the source is read."""
    with pytest.raises(ParameterError, match=reason):
        plugin_of("Json", url="http://api.example/x", ts="day", value="v", **params)


def test_a_time_is_written_anew_in_a_zone_or_in_its_own_offset(server: LocalServer) -> None:
    """The day of an instant beside the number of an hour, in a zone with a changing clock."""
    rows = [
        {"begins": "2024-10-26T22:00:00Z", "n": 4, "v": 1.5},
        {"begins": "2024-10-27T00:00+02:00", "n": 25, "v": 2.5},
    ]
    batch = ask(
        server,
        "Json",
        rows,
        timezone="Europe/Paris",
        fields={"day": {"place": "begins", "format": "%d.%m.%Y@Europe/Paris"}},
        interval={"day": "day", "number": "n", "length": "1 hour"},
        time_format="%d.%m.%Y",
    )
    assert points(batch) == {"2024-10-27T01:00:00Z": 1.5, "2024-10-27T22:00:00Z": 2.5}
    own = TimeText("%Y-%m-%d %H:%M")
    assert own.write_all(["2024-10-26T22:00:00Z", "2024-10-27T00:15+02:00", None, "n/a", 3]) == [
        *("2024-10-26 22:00", "2024-10-27 00:15", None, "n/a", 3),
    ]


@given(st.integers(min_value=0, max_value=2**32).map(lambda s: datetime.fromtimestamp(s, UTC)))
def test_a_time_that_is_written_anew_is_the_same_instant(ts: datetime) -> None:
    """With its offset in the format, in whatever zone."""
    [text] = TimeText("%Y-%m-%dT%H:%M:%S.%f%z@Asia/Kolkata").write_all([ts.isoformat()])
    assert datetime.fromisoformat(text) == ts


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"place": "x", "format": "day"}, "must be as strftime writes it"),
        ({"place": "x", "format": "%Y@Nowhere/Land"}, "Nowhere/Land"),
        ({"place": "x", "format": "%Y@"}, "no time zone after the @"),
        ({"place": "x", "format": "%Y", "scale": 2}, "no number that is multiplied"),
    ],
)
def test_formats_of_fields_that_cannot_be_are_refused(field: dict[str, Any], reason: str) -> None:
    """When the source is read."""
    with pytest.raises(ParameterError, match=reason):
        plugin_of("Json", url="http://api.example/x", ts="t", value="v", fields={"f": field})


def test_an_instant_in_place_of_a_day_tells_what_makes_a_day_of_it(server: LocalServer) -> None:
    """As nobody knows whose day is meant."""
    with pytest.raises(BadDataError, match="is no day: a field may have format"):
        ask(
            server,
            "Json",
            [{"begins": "2024-10-26T22:00:00Z", "n": 4, "v": 1.5}],
            timezone="Europe/Paris",
            interval={"day": "begins", "number": "n", "length": "1 hour"},
        )
