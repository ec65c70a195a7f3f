"""Names that dlt, Airbyte and Telegraf have for a parameter are as good as ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support.conformance_kits import PLUGIN_MODULES, plugin_classes
from support.declarative_sources import fetch, points
from support.http_server import Reply

from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.parameters import ParameterError
from dataportal.plugins.parameters.conversion import convert
from dataportal.plugins.parameters.fields import fields
from dataportal.plugins.parameters.manual import nested_structs
from dataportal.plugins.readers.parameters import Params

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.http_server import LocalServer

    from dataportal.plugins.parameters import Parameters
    from dataportal.plugins.parameters.fields import Field

TRIED = ("a", 7, {"a": "b"}, {"bearer": "a"}, {"page": "p"}, "GET", "1 day", "unix", ["a"])
ROWS = [{"t": "2025-03-01T00:00:00Z", "v": 1.5}, {"t": "2025-03-01T01:00:00Z", "v": 2.5}]


def structs() -> Iterator[type[Parameters]]:
    """All structs of built-in plugins, those within mappings included."""
    for module in PLUGIN_MODULES:
        for cls in plugin_classes(module):
            own = cls.series_parameters if issubclass(cls, MultiSeriesPlugin) else ()
            for struct in (*cls.parameters, *own):
                yield from (struct, *nested_structs(struct).values())


WITH_ALIASES = {
    f"{struct.__name__}.{field.name}": (struct, field)
    for struct in structs()
    for field in fields(struct)
    if field.aliases
}


def said(struct: type[Parameters], name: str, value: Any, attribute: str) -> Any:
    """What a struct has for a value under this name; a list of faults if it takes none."""
    faults: list[str] = []

    def report(keys: Any, message: str) -> None:
        if keys[0] == name:
            faults.append(message)

    read = getattr(convert({name: value}, struct, report), attribute)
    # an object without a text of its own has its place in memory for one
    return faults or re.sub(r" at 0x\w+", "", repr(read))


@pytest.mark.parametrize(("struct", "field"), WITH_ALIASES.values(), ids=WITH_ALIASES)
def test_another_name_takes_the_same(struct: type[Parameters], field: Field) -> None:
    """Of every parameter that has one; and both at once, with two values, are refused."""
    taken = [v for v in TRIED if isinstance(said(struct, field.name, v, field.attribute), str)]
    assert taken
    for name in field.aliases:
        for value in taken:
            ours = said(struct, field.name, value, field.attribute)
            assert said(struct, name, value, field.attribute) == ours
        twice = {field.name: taken[0], name: "something else"}
        params = Params(twice)
        params.read(struct)
        messages = [message for _, message in params.faults()]
        assert f"{name} and {field.name} are one thing, given twice" in messages


def test_a_source_in_the_words_of_dlt(server: LocalServer) -> None:
    """It sends what a source in our words sends."""
    for path in ("/ours", "/theirs"):
        first, second = ({"items": [row], "more": row is ROWS[0]} for row in ROWS)
        server.answer(path, Reply.json(first), Reply.json(second))
    ours: dict[str, Any] = {
        "url": f"{server.url}/ours",
        "query": {"a": "b"},
        "paging": {"page": "p", "first": 0, "size": 1, "size_param": "n", "has_more": "more"},
        "rows": "items",
        "auth": {"bearer": "canary-token"},
    }
    theirs: dict[str, Any] = {
        "base_url": server.url,
        "path": "theirs",
        "params": {"a": "b"},
        "paginator": {
            "page_param": "p",
            "base_page": 0,
            "limit": 1,
            "limit_param": "n",
            "has_more_path": "more",
        },
        "data_selector": "items",
        "auth": {"token": "canary-token"},
    }
    points_of_both = [points(fetch("Json", **way, ts="t", value="v")) for way in (ours, theirs)]
    assert points_of_both == [{row["t"]: row["v"] for row in ROWS}] * 2
    sent = [
        (request.path.rpartition("/")[2], request.query, request.headers["authorization"])
        for request in server.requests
    ]
    assert [rest for name, *rest in sent if name == "ours"] == [
        rest for name, *rest in sent if name == "theirs"
    ]
    assert len(sent) == 4


def test_a_name_of_another_tool_is_suggested_where_it_is_nearly_hit() -> None:
    """Without listing all of them else."""
    with pytest.raises(ParameterError, match="did you mean 'paginator'"):
        fetch("Json", url="http://127.0.0.1:1", ts="t", value="v", paginater={"page": "p"})
    with pytest.raises(ParameterError, match="known: ") as caught:
        fetch("Json", url="http://127.0.0.1:1", ts="t", value="v", zzz=1)
    assert "paginator" not in str(caught.value)
