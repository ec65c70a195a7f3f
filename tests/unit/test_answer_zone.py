"""Where an answer states of what clocks its local times are."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from dataportal.errors import BadDataError
from dataportal.plugins.declarative.answer_zone import AnswerZone
from dataportal.plugins.declarative.json_records import JsonReader
from dataportal.plugins.http.response import Answer
from dataportal.plugins.readers.parameters import ParameterError, Params

if TYPE_CHECKING:
    from collections.abc import Mapping


def answer_zone(content: Any, *, headers: Mapping[str, str] = {}, **params: Any) -> Any:
    """What an answer of this content states."""
    reader = JsonReader(Params({}), ".")
    answer = Answer(200, "https://api.example.org/a", headers, json.dumps(content).encode())
    (document,) = reader.documents(answer)
    return AnswerZone(Params(params)).read(document)


@pytest.mark.parametrize("offset", [3600, "3600", "+01:00", "UTC+1", 3600.0])
def test_an_offset_in_any_spelling(offset: object) -> None:
    """At a place of the whole answer."""
    zone = answer_zone({"meta": {"offset": offset}}, utc_offset="meta.offset")
    assert zone == timezone(timedelta(hours=1))


def test_a_zone_by_its_name_and_a_header() -> None:
    """Names of headers are read in any case."""
    assert answer_zone({"tz": " Europe/Oslo "}, zone_from="tz") == ZoneInfo("Europe/Oslo")
    headers = {"x-offset": "-03:30"}
    zone = answer_zone([], headers=headers, utc_offset="header:X-Offset")
    assert zone == timezone(-timedelta(hours=3, minutes=30))


def test_nothing_is_stated_where_nobody_asks() -> None:
    """Whatever stands in the answer."""
    assert answer_zone({"utc_offset_seconds": 3600}) is None


@pytest.mark.parametrize(
    ("content", "params"),
    [
        ({"o": "soon"}, {"utc_offset": "o"}),
        ({"o": None}, {"utc_offset": "o"}),
        ({}, {"utc_offset": "o"}),
        ({"o": [3600]}, {"utc_offset": "o"}),
        ({"z": "Europe/Atlantis"}, {"zone_from": "z"}),
        ({"z": 1}, {"zone_from": "z"}),
        ({}, {"zone_from": "header:X-Zone"}),
    ],
)
def test_nonsense_is_bad_data_that_names_the_place(content: Any, params: dict[str, Any]) -> None:
    """Rather than times in another zone."""
    (place,) = params.values()
    with pytest.raises(BadDataError, match=f"at '{place}', but"):
        answer_zone(content, **params)


def test_one_of_the_two_is_enough() -> None:
    """Both of them are a fault."""
    params = Params({"utc_offset": "o", "zone_from": "z"})
    AnswerZone(params)
    with pytest.raises(ParameterError, match="give either utc_offset or zone_from"):
        params.finish()
