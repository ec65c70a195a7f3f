"""A number that does not fit costs its own point, and no other; the answer is read.

A JSON integer of more than 4,300 digits used to make the whole answer "not JSON", and one among
scaled values a bug of the program.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case
from support.http_server import Reply
from support.provider_answers import PROVIDERS, WINDOW, Literal, json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.answer_runs import Result

FIRST, SECOND, THIRD = "2025-06-02T00:00Z", "2025-06-02T01:00Z", "2025-06-02T02:00Z"
AROUND = {FIRST: 1.0, THIRD: 3.0}
HUGE = {
    "5000-digits": "9" * 5000,
    "5000-digits-negative": "-" + "7" * 5000,
    "400-digits": "1" + "0" * 400,
    "1e400": "1e400",
    "minus-1e999": "-1e999",
    "long-fraction-1e400": "1." + "3" * 3000 + "e400",
}
# what does not fit is refused; what a double rounds to a number is one
SMALL = {"1e-400": 0.0, "0." + "0" * 5000 + "1": 0.0, "1." + "3" * 5000: 4 / 3}


def points(value: Any) -> list[tuple[str, Any]]:
    """The value between two plain ones."""
    return [(FIRST, 1), (SECOND, value), (THIRD, 3)]


EVERYWHERE = {
    f"{name}-{word}": provider.case(
        points(Literal(text)), AROUND, outcome="partial", counts={"rejected": 1, "inserted": 2}
    )
    for name, provider in PROVIDERS.items()
    if name != "fred"
    for word, text in HUGE.items()
    if word in {"5000-digits", "1e400"} or name in {"json", "csv"}
} | {
    f"fred-{word}": PROVIDERS["fred"].case(
        [("2025-06-02", 1), ("2025-06-03", Literal(HUGE[word]))],
        {FIRST: 1.0},
        outcome="partial",
        counts={"rejected": 1},
    )
    for word in ("5000-digits", "1e400")
}
ROUNDED = {
    f"rounded-{name}-{n}": PROVIDERS[name].case(
        points(Literal(text)), {**AROUND, SECOND: value}, counts={"rejected": 0}
    )
    for name in ("json", "csv", "xml", "eia")
    for n, (text, value) in enumerate(SMALL.items())
}
ELSEWHERE = {
    # scaled
    "scaled": PROVIDERS["json"].case(
        points(Literal("9" * 400)),
        {FIRST: 0.5, THIRD: 1.5},
        params={"scale": 0.5},
        outcome="partial",
        counts={"rejected": 1},
    ),
    "scaled-past-the-end": PROVIDERS["json"].case(
        points(Literal("1e308")),
        {FIRST: 1000.0, THIRD: 3000.0},
        params={"scale": 1000},
        outcome="partial",
        counts={"rejected": 1},
    ),
    # in a text of JSON
    "text": PROVIDERS["json"].case(points("9" * 5000), AROUND, outcome="partial"),
    "infinity-text": PROVIDERS["json"].case(points("Infinity"), AROUND, outcome="partial"),
    "infinity": PROVIDERS["json"].case(
        points(Literal("Infinity")), AROUND, outcome="partial", counts={"rejected": 1}
    ),
    # NaN is no value, as ever
    "nan": PROVIDERS["json"].case(points(Literal("NaN")), AROUND, counts={"nulls": 1}),
    # the only value there is: the run says so, and is no bug
    "alone": PROVIDERS["json"].case(
        [(FIRST, Literal("9" * 5000))],
        {},
        outcome=("failed", "partial"),
        never=("bug", "overflowerror", "9" * 200),
    ),
    # beside the values: in a field that nobody looks at, as an id, as a time
    "another-field": Case(
        json_reply([{"id": Literal("8" * 6000), "t": FIRST, "v": 1}]),
        {"ts": "t", "value": "v"},
        {FIRST: 1.0},
    ),
    "filtered-by": Case(
        json_reply(
            [
                {"id": Literal("8" * 6000), "t": FIRST, "v": 1},
                {"id": 7, "t": SECOND, "v": 2},
            ]
        ),
        {"ts": "t", "value": "v", "filter": {"id": 7}},
        {SECOND: 2.0},
    ),
    "time": Case(
        json_reply(
            [{"t": Literal("1" * 5000), "v": 1}, {"t": 1748822400, "v": 2}, {"t": 1e300, "v": 3}]
        ),
        {"ts": "t", "value": "v", "time_format": "unix"},
        {FIRST: 2.0},
        outcome="partial",
        counts={"rejected": 2},
    ),
    "time-in-milliseconds": Case(
        json_reply([{"t": Literal("1" * 5000), "v": 1}, {"t": 1748822400000, "v": 2}]),
        {"ts": "t", "value": "v", "time_format": "unix_ms"},
        {FIRST: 2.0},
        outcome="partial",
        counts={"rejected": 1},
    ),
    # columns of a group: the other series is whole
    "group": Case(
        json_reply([{"t": FIRST, "a": Literal("9" * 5000), "b": 2}]),
        {"ts": "t"},
        {"a": {}, "b": {FIRST: 2.0}},
        filters={"a": {"value": "a"}, "b": {"value": "b"}},
        outcome="partial",
        counts={"rejected": 1},
    ),
}
# counts that are no counts fail their source, and are no bug either
COUNTS = {
    f"total-{n}": Case(
        json_reply({"rows": [{"t": FIRST, "v": 1}], "total": Literal(text)}),
        {"rows": "rows", "ts": "t", "value": "v", "paging": {"page": "p", "total": "total"}},
        {},
        outcome="failed",
        says=("paging.total",),
        never=("bug", "9" * 200),
    )
    for n, text in enumerate(("1e400", "9" * 5000, "NaN", "1.5", "-1"))
}


def stamp_case(name: str, template: str, text: str) -> Case:
    """Three stamps of a built-in plugin, the second of which is this text."""
    provider = PROVIDERS[name]
    first = int(datetime.fromisoformat(FIRST).timestamp())
    body = template % (first, text, first + 7200)
    return Case(
        Reply(body=body.encode()),
        provider.params,
        AROUND,
        kind=provider.kind,
        window=WINDOW,
        outcome="partial",
        counts={"rejected": 1, "inserted": 2},
    )


STAMPS = {
    f"{name}-stamp-{word}": stamp_case(name, template, text)
    for name, template in (
        ("energy-charts", '{"unix_seconds": [%s, %s, %s], "price": [1, 2, 3], "unit": "EUR"}'),
        (
            "open-meteo",
            '{"hourly_units": {}, "hourly": {"time": [%s, %s, %s], "temperature_2m": [1, 2, 3]}}',
        ),
    )
    for word, text in {**HUGE, "17-digits": "1" + "0" * 17}.items()
}
CASES = EVERYWHERE | ROUNDED | ELSEWHERE | COUNTS | STAMPS


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_number_that_does_not_fit_costs_its_point(
    results: Mapping[str, Result], name: str
) -> None:
    """Of every provider, as JSON, as text in JSON, in tables and XML."""
    results[name].check()


@pytest.mark.parametrize("name", ROUNDED)
def test_a_number_that_a_double_rounds_is_one(results: Mapping[str, Result], name: str) -> None:
    """Thousands of digits behind the point cost nothing."""
    results[name].check()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_scaled_and_in_other_places(results: Mapping[str, Result], name: str) -> None:
    """After it is scaled, as a text, as an id, as a time, in one of two columns."""
    results[name].check()


@pytest.mark.parametrize("name", STAMPS)
def test_a_stamp_that_no_calendar_has_costs_its_point(
    results: Mapping[str, Result], name: str
) -> None:
    """Of lists of times that several columns share."""
    results[name].check()


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_that_is_none_fails_its_source(results: Mapping[str, Result], name: str) -> None:
    """In one line without thousands of digits."""
    results[name].check()
