"""Typed parameters of plugins: what is taken, all faults at once, and the schema beside them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from msgspec import Meta, field

from dataportal.plugins.parameters import (
    Address,
    Column,
    Duration,
    Instant,
    ParameterError,
    Parameters,
    Pattern,
    PositiveNumber,
    WholeNumber,
    Zone,
    about,
    matching,
    one_of,
)
from dataportal.plugins.parameters.json_schema import parameters_schema
from dataportal.plugins.parameters.manual import table_rows
from dataportal.plugins.readers.parameters import Params


class Pages(Parameters):
    """A struct within another one."""

    page: Annotated[str, about("the query parameter")]
    most: Annotated[int, Meta(ge=1), about("more is an error (1000)", aliases=("max_pages",))] = (
        1000
    )


class Tide(Parameters):
    """One field of every type."""

    gauge: Annotated[WholeNumber, about("the number of the gauge")]
    station: Annotated[str, about("its name", aliases=("site",)), matching(r"[a-z]+", "a word")]
    datum: Annotated[str, one_of(("NN", "LAT")), about("what heights are above (NN)")] = "NN"
    days: Annotated[int, Meta(ge=1, le=16), about("days ahead (7)")] = 7
    per_minute: Annotated[PositiveNumber | None, about("requests a minute (no limit)")] = None
    scale: Annotated[float, about("every value is multiplied by it (1)")] = 1.0
    vintages: Annotated[bool, about("whether every publication is kept (true)")] = True
    ahead: Annotated[Duration, about("how far forecasts reach (1 day)")] = timedelta(days=1)
    earliest: Annotated[Instant | None, about("not before this")] = None
    zone: Annotated[Zone | None, about("of its days (UTC)")] = None
    pattern: Annotated[Pattern | None, about("an error")] = None
    value: Annotated[Column | None, about("where the value stands")] = None
    ts: Annotated[tuple[Column, ...], about("where times stand", single=True)] = ()
    headers: Annotated[dict[str, str], about("sent with requests", secret=True)] = field(
        default_factory=dict
    )
    paging: Annotated[Pages | None, about("how pages are asked for")] = None
    either: Annotated[str | Pages | None, about("a word, or pages")] = None
    raw: Annotated[Any, about("whatever")] = None
    mirror: Annotated[Address, about("where else it is")] = ""


class Rest(Parameters):
    """What of an open filter is known, and the rest of it."""

    value: Annotated[Column | None, about("where the value stands")] = None
    conditions: Annotated[
        dict[str, str | int | float | bool | None], about("what must stand in a row", rest=True)
    ] = field(default_factory=dict)


SCHEMA = parameters_schema([Tide])
VALIDATOR = Draft7Validator(SCHEMA)
NEEDED: dict[str, Any] = {"gauge": 7, "station": "bonn"}


def read(values: dict[str, Any], shared: dict[str, Any] | None = None) -> Tide:
    """The parameters that these are."""
    params = Params(values, shared=shared)
    tide = params.read(Tide)
    params.finish()
    return tide


def faults(values: dict[str, Any]) -> list[tuple[Any, str]]:
    """What is wrong with these, with the keys that lead to it."""
    with pytest.raises(ParameterError) as caught:
        read(values)
    return [*caught.value.faults]


@pytest.mark.parametrize(
    ("name", "given_as", "value"),
    [
        ("gauge", "1223", 1223),
        ("gauge", 0, 0),
        ("station", "bonn", "bonn"),
        ("datum", "LAT", "LAT"),
        ("days", "16", 16),
        ("per_minute", "2.5", 2.5),
        ("per_minute", 3, 3.0),
        ("scale", -1, -1.0),
        ("vintages", False, False),
        ("vintages", "false", False),
        ("ahead", "PT15M", timedelta(minutes=15)),
        ("earliest", 2020, datetime(2020, 1, 1, tzinfo=UTC)),
        ("zone", "Europe/Berlin", ZoneInfo("Europe/Berlin")),
        ("pattern", "a+", re.compile("a+")),
        ("value", "cm", "cm"),
        ("value", 3, 3),
        ("ts", "time", ("time",)),
        ("ts", ["day", 2], ("day", 2)),
        ("headers", {"X-A": 1, 2: "b"}, {"X-A": "1", "2": "b"}),
        ("paging", {"page": "p"}, Pages("p", 1000)),
        ("paging", {"page": "p", "max_pages": "3"}, Pages("p", 3)),
        ("either", "none", "none"),
        ("either", {"page": "p", "most": 2}, Pages("p", 2)),
        ("raw", [{"a": None}], [{"a": None}]),
        ("mirror", "HTTPS://x.example/a", "HTTPS://x.example/a"),
        ("mirror", "a/b?at=ftp://x", "a/b?at=ftp://x"),
        ("mirror", "{scheme}://localhost:80", "{scheme}://localhost:80"),
        ("mirror", "localhost:80/a", "localhost:80/a"),
    ],
)
def test_what_people_write_is_taken(name: str, given_as: Any, value: Any) -> None:
    """By the program and by the schema: texts of numbers, numbers for texts, one for a list."""
    values = {**NEEDED, name: given_as}
    assert getattr(read(values), name) == value
    as_json = {
        name: {str(k): v for k, v in given_as.items()} if isinstance(given_as, dict) else given_as
    }
    assert not [*VALIDATOR.iter_errors({**values, **as_json})]


def test_what_is_secret_is_not_shown() -> None:
    """In whatever shape it comes."""
    for value in ("canary", ["canary"], {"X": ["canary"]}, {"X": {"canary": 1}}):
        for _, message in faults({**NEEDED, "headers": value}):
            assert "canary" not in message


def test_a_null_is_not_given() -> None:
    """The default holds, and what must be given is missing; for the schema it is no fault."""
    assert read({**NEEDED, "datum": None, "zone": None}) == read(NEEDED)
    assert faults({**NEEDED, "gauge": None}) == [(("gauge",), "gauge is missing")]
    assert not [*VALIDATOR.iter_errors({**NEEDED, "datum": None, "paging": None})]


@pytest.mark.parametrize(
    ("name", "given_as", "message"),
    [
        ("gauge", "coal", "gauge must be a whole number of 0 or more, not 'coal'"),
        ("gauge", -1, "gauge must be a whole number of 0 or more, not -1"),
        ("gauge", True, "gauge must be a whole number of 0 or more, not True"),
        ("gauge", 1.5, "gauge must be a whole number of 0 or more, not 1.5"),
        ("station", False, "station must be a text, not False"),
        ("station", "../x", "station must be a word, not '../x'"),
        (
            "station",
            {"start": None},
            "station must be a text, not {'start': None}; a field needs quotes: \"{start}\"",
        ),
        ("datum", "LATT", "datum must be one of NN, LAT, not 'LATT'; did you mean 'LAT'?"),
        ("days", 17, "days must be a whole number of 1 to 16, not 17"),
        ("per_minute", 0, "per_minute must be more than 0, not 0"),
        ("scale", float("inf"), "scale must be a number, not inf"),
        ("vintages", "NO", "vintages must be true or false, not 'NO'"),
        ("ahead", "soon", "ahead: 'soon' is not a duration; write it like"),
        ("zone", "Berlin", "zone: 'Berlin' is not a time zone; write it like Europe/Berlin"),
        ("pattern", "(", "pattern: '(' is no regular expression (missing )"),
        ("value", 0, "value must be a column's name, or its number from 1, not 0"),
        ("value", True, "value must be a column's name, or its number from 1, not True"),
        ("headers", [], "headers must map names to texts"),
        ("paging", 5, "paging must be a mapping, not 5"),
        ("mirror", "ftp://me:pw@x/a", "mirror must be an http or https address, not one of ftp"),
        ("mirror", "S3://x", "mirror must be an http or https address, not one of s3"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, given_as: Any, message: str) -> None:
    """With what it must be; and the schema refuses it too, where it can know."""
    values = {**NEEDED, name: given_as}
    ((keys, said),) = faults(values)
    assert keys == (name,)
    assert said.startswith(message)
    if name != "pattern" and given_as != float("inf") and name != "zone":
        assert [*VALIDATOR.iter_errors(values)]


def test_all_faults_come_at_once_with_the_keys_that_lead_to_them() -> None:
    """Also those within mappings and lists, in the order of the struct, unknown names last."""
    values = {
        "statio": "x",
        "ts": ["a", 0],
        "headers": {"X-Key": ["canary"]},
        "paging": {"pag": 1, "max_pages": 0},
        "gauge": "x",
    }
    assert faults(values) == [
        (("gauge",), "gauge must be a whole number of 0 or more, not 'x'"),
        (("station",), "station is missing"),
        (("ts", 1), "ts must be a column's name, or its number from 1, not 0"),
        (("headers", "X-Key"), "headers.X-Key must be a text"),
        (("paging", "page"), "paging.page is missing"),
        (("paging", "max_pages"), "paging.max_pages must be a whole number of 1 or more, not 0"),
        (("paging", "pag"), "'pag' is not a parameter of paging; did you mean 'page'?"),
        (("statio",), "'statio' is not a parameter of this plugin; did you mean 'station'?"),
    ]


def test_another_name_is_as_good_but_not_beside_the_first() -> None:
    """Unless both say the same; and a slip of it is seen."""
    assert read({"gauge": 1, "site": "bonn"}).station == "bonn"
    assert read({"gauge": 1, "site": "bonn", "station": "bonn"}).station == "bonn"
    assert faults({"gauge": 1, "site": "bonn", "station": "ems"}) == [
        (("site",), "site and station are one thing, given twice")
    ]
    ((_, message),) = faults({**NEEDED, "sitte": 1})
    assert message.endswith("did you mean 'site'?")
    assert not [*VALIDATOR.iter_errors({"gauge": 1, "site": "bonn"})]
    assert [*VALIDATOR.iter_errors({"gauge": 1})]


def test_what_all_series_share_holds_unless_one_says_otherwise() -> None:
    """A fault of it is told where it stands, not in the filter."""
    assert read({"gauge": 7}, shared={"gauge": 1, "site": "bonn"}).gauge == 7
    assert read({"station": "ems"}, shared={"gauge": 1, "site": "bonn"}).station == "ems"
    with pytest.raises(ParameterError) as caught:
        read({"datum": "XX"}, shared={"gauge": -1, "station": "bonn"})
    assert [keys for keys, _ in caught.value.faults] == [("..", "gauge"), ("datum",)]


def test_the_rest_of_an_open_filter_is_read_by_name() -> None:
    """Scalars as they are; nothing else."""
    params = Params({"value": "v", "area": "NO", "id": 7, "x": 1.5, "is_open": True, "y": None})
    rest: dict[str, str | int | float | bool | None]
    rest = {"area": "NO", "id": 7, "x": 1.5, "is_open": True, "y": None}
    assert params.read(Rest) == Rest("v", rest)
    params.finish()
    params = Params({"area": ["a"]})
    params.read(Rest)
    with pytest.raises(ParameterError, match="area must be a text"):
        params.finish()
    validator = Draft7Validator(parameters_schema((), optional=[Rest]))
    assert not [*validator.iter_errors({"area": "NO", "id": 7, "is_open": True})]
    assert [*validator.iter_errors({"area": ["a"]})]


def test_a_variable_may_stand_wherever_a_scalar_does() -> None:
    """The schema does not know what it will be."""
    names = [
        name for name, content in SCHEMA["properties"].items() if name not in {"paging", "headers"}
    ]
    for name in names:
        assert not [*VALIDATOR.iter_errors({**NEEDED, name: "${TIDE}"})], name


def test_the_table_of_the_manual_has_every_name() -> None:
    """With the words of `about`."""
    rows = table_rows([Tide])
    assert rows[:2] == ["| `gauge` | the number of the gauge |", "| `station`, `site` | its name |"]
    assert len(rows) == len(Tide.__struct_fields__)


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 20),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["NN", "7", "2.5", "true", "1 day", "UTC", "bonn", "2020-01-01", "a://b"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["page", "most", "max_pages", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*Tide.__struct_fields__, "site", "other"]), _VALUES))
def test_whatever_stands_there_is_taken_or_refused_with_its_place(values: dict[str, Any]) -> None:
    """A fault leads to a key that is there, or must be; what the program takes the schema takes."""
    try:
        read(values)
    except ParameterError as error:
        for keys, message in error.faults:
            assert message
            assert keys[0] in {*values, "gauge", "station"}
    else:
        assert not [*VALIDATOR.iter_errors(values)]
