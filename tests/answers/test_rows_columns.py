"""Columns side by side belong together, or are refused: nothing is paired by chance.

Lists of equal length that stand in the answer are taken as they are. The keys of one object beside
the values of another, or lists cut out of objects in whatever order, are not: JSON-stat and
SDMX-JSON, sparse and unsorted as they may be, are refused until they have layouts of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.answer_runs import Result

ROWS = {"2025-01-01T00:00Z": 1.0, "2025-01-02T00:00Z": 2.0}
DAYS = ["2025-01-01", "2025-01-02"]
UTC = {"timezone": "UTC"}


def columns(answer: Any, ts: str, value: str, **more: Any) -> Case:
    """An answer of columns."""
    params = {"layout": "columns", "ts": ts, "value": value, **more.pop("params", {})}
    return Case(Reply.json(answer), params, keys=UTC, **more)


TAKEN = {
    "lists": columns({"t": DAYS, "v": [1, 2]}, "t", "v", stored=ROWS),
    "lists-in-an-object": columns(
        {"h": {"t": DAYS, "v": [1, 2]}}, "t", "v", stored=ROWS, params={"rows": "h"}
    ),
    "lists-in-two-objects": columns(
        {"a": {"t": DAYS}, "b": {"v": [1, 2]}}, "a.t", "b.v", stored=ROWS
    ),
    "a-list-that-is-chosen": columns(
        {"t": DAYS, "k": [{"n": "x", "d": [7, 8]}, {"n": "y", "d": [1, 2]}]},
        "t",
        "k[?n=='y'].d | [0]",
        stored=ROWS,
    ),
    "a-null-among-them": columns(
        {"t": DAYS, "v": [1, None]}, "t", "v", stored={DAYS[0] + "T00:00Z": 1.0}
    ),
    # one object's keys and values (Frankfurter)
    "keys-and-values": columns(
        {"rates": {DAYS[0]: {"USD": 1}, DAYS[1]: {"USD": 2}}},
        "keys(rates)",
        "rates.*.USD",
        stored=ROWS,
    ),
    "keys-and-plain-values": columns(
        {"rates": {DAYS[1]: 2, DAYS[0]: 1}}, "keys(rates)", "values(rates)", stored=ROWS
    ),
    "keys-at-the-top": columns({DAYS[0]: 1, DAYS[1]: 2}, "keys(@)", "values(@)", stored=ROWS),
    "keys-of-rows": columns(
        {"a": {"b": {DAYS[0]: {"x": 1}, DAYS[1]: {"x": 2}}}},
        "keys(b)",
        "b.*.x",
        stored=ROWS,
        params={"rows": "a"},
    ),
    # rows of one list (a projection of both)
    "of-one-list": columns(
        {"d": [{"t": DAYS[0], "v": 1}, {"t": DAYS[1], "v": 2}]}, "d[].t", "d[].v", stored=ROWS
    ),
}


def refused(answer: Any, ts: str, value: str, **more: Any) -> Case:
    """The same, of which nothing may be stored."""
    return columns(answer, ts, value, **{"stored": {}, "outcome": "failed", **more})


KEYS = {
    "keys-beside-another-object": refused(
        {"days": {DAYS[0]: 0, DAYS[1]: 1}, "v": {"a": 1, "b": 2}},
        "keys(days)",
        "values(v)",
        says=("keys",),
    ),
    # in another order: the values would change places
    "keys-in-another-order": refused(
        {"days": {DAYS[1]: 1, DAYS[0]: 0}, "v": {"0": 1, "1": 2}}, "keys(days)", "values(v)"
    ),
    "keys-beside-a-list": refused(
        {"days": {DAYS[1]: 1, DAYS[0]: 0}, "v": [1, 2]}, "keys(days)", "v", says=("keys",)
    ),
    "keys-beside-a-projection": refused(
        {"days": {DAYS[0]: 0, DAYS[1]: 1}, "v": {"x": {"n": 1}, "y": {"n": 2}}},
        "keys(days)",
        "v.*.n",
    ),
    "values-beside-a-list": refused(
        {"t": DAYS, "v": {"1": 2, "0": 1}}, "t", "values(v)", says=("values",)
    ),
    "a-projection-beside-a-list": refused({"t": DAYS, "v": {"1": [2], "0": [1]}}, "t", "v.*[0]"),
    "keys-in-a-pipe": refused(
        {"days": {DAYS[1]: 1, DAYS[0]: 0}, "v": [1, 2]}, "days | keys(@)", "v"
    ),
    "keys-sorted": refused({"days": {DAYS[1]: 1, DAYS[0]: 2}}, "sort(keys(days))", "values(days)"),
    # of a series of a group, in its filter
    "in-a-filter": Case(
        Reply.json({"days": {DAYS[1]: 1, DAYS[0]: 0}, "v": [1, 2]}),
        {"layout": "columns", "ts": "keys(days)"},
        {"a": {}},
        filters={"a": {"value": "v"}},
        keys=UTC,
        outcome="failed",
    ),
}
LENGTHS = {
    "longer-values": refused({"t": DAYS, "v": [1, 2, 3]}, "t", "v", says=("3", "2")),
    "shorter-values": refused({"t": DAYS, "v": [1]}, "t", "v", says=("1", "2")),
    "no-values": refused({"t": DAYS, "v": []}, "t", "v", says=("0", "2")),
    "no-times": refused({"t": [], "v": [1, 2]}, "t", "v"),
    "one-of-a-group": Case(
        Reply.json({"t": DAYS, "a": [1, 2], "b": [1, 2, 3]}),
        {"layout": "columns", "ts": "t"},
        {"a": ROWS, "b": {}},
        filters={"a": {"value": "a"}, "b": {"value": "b"}},
        keys=UTC,
        outcome="partial",
        says=("one-of-a-group-b",),
    ),
    # a null that an expression drops makes the lists unequal, or moves its neighbours
    "a-dropped-null": refused(
        {"d": [{"t": DAYS[0], "v": None}, {"t": DAYS[1], "v": 2}]}, "d[].t", "d[].v"
    ),
    "two-dropped-nulls": refused(
        {
            "d": [
                {"t": None, "v": 7},
                {"t": DAYS[0], "v": None},
                {"t": DAYS[1], "v": 2},
            ]
        },
        "d[].t",
        "d[].v",
    ),
}

JSON_STAT = {
    "version": "2.0",
    "class": "dataset",
    "id": ["geo", "time"],
    "size": [1, 3],
    "dimension": {
        "geo": {"category": {"index": {"DE": 0}}},
        "time": {"category": {"index": {"2024-03": 2, "2024-01": 0, "2024-02": 1}}},
    },
    "value": {"0": 1.1, "2": 3.3},
}
SDMX = {
    "dataSets": [{"series": {"0:0": {"observations": {"2": [3.3], "0": [1.1], "1": [2.2]}}}}],
    "structure": {
        "dimensions": {
            "observation": [
                {"id": "TIME_PERIOD", "values": [{"id": f"2024-0{n}"} for n in (1, 2, 3)]}
            ]
        }
    },
}
TIME_INDEX = "dimension.time.category.index"
STATISTICS = {
    "json-stat-sparse": refused(
        JSON_STAT, f"keys({TIME_INDEX})", "values(value)", params={"time_format": "period"}
    ),
    "json-stat-dense": refused(
        {**JSON_STAT, "value": [1.1, 2.2, 3.3]},
        f"keys({TIME_INDEX})",
        "value",
        params={"time_format": "period"},
    ),
    "json-stat-labels": refused(
        {
            **JSON_STAT,
            "dimension": {
                "time": {
                    "category": {
                        "index": {"a": 1, "b": 0},
                        "label": {"a": "2024-02", "b": "2024-01"},
                    }
                }
            },
            "value": [1.1, 2.2],
        },
        "values(dimension.time.category.label)",
        "value",
        params={"time_format": "period"},
    ),
    "sdmx-json": refused(
        SDMX,
        "structure.dimensions.observation[0].values[].id",
        'dataSets[0].series."0:0".observations.*[0]',
        params={"time_format": "period"},
    ),
    "sdmx-json-keys": refused(
        SDMX,
        'keys(dataSets[0].series."0:0".observations)',
        "structure.dimensions.observation[0].values[].id",
        params={"time_format": "period"},
    ),
}
CASES = TAKEN | KEYS | LENGTHS | STATISTICS


@pytest.mark.parametrize("name", TAKEN)
def test_what_stands_side_by_side_is_taken(results: Mapping[str, Result], name: str) -> None:
    """Lists of equal length, and the keys and values of one object."""
    results[name].check()


@pytest.mark.parametrize("name", KEYS)
def test_keys_beside_anything_else_are_refused(results: Mapping[str, Result], name: str) -> None:
    """The order of an object's keys says nothing of another list, however long it is."""
    results[name].check()


@pytest.mark.parametrize("name", LENGTHS)
def test_lists_of_different_length_are_refused(results: Mapping[str, Result], name: str) -> None:
    """Of one series alone where it is one among others."""
    results[name].check()


@pytest.mark.parametrize("name", STATISTICS)
def test_statistical_cubes_are_refused_not_misaligned(
    results: Mapping[str, Result], name: str
) -> None:
    """JSON-stat and SDMX-JSON, sparse or not: a value must not come to another month."""
    results[name].check()
