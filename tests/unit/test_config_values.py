"""YAML as sources.yaml has it: what values mean, in YAML 1.2, and where everything stands."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.config_files import Folder

from dataportal.config.yaml_nodes import Scalar, Sequence
from dataportal.config.yaml_parser import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dataportal.config.yaml_nodes import Document, Node

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]))
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Nd"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def values_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Lists and mappings of these texts, numbers, booleans and nulls."""
    return st.recursive(
        st.none() | st.booleans() | NUMBERS | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=25,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder for a sources.yaml."""
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("nil", "nil"),
        ("12:30", "12:30"),
        ("09:30", "09:30"),
        ("1:30:00", "1:30:00"),
        ("010", "010"),
        ("08", "08"),
        ("-07", "-07"),
        ("0", 0),
        ("-12", -12),
        ("+5", 5),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("2025-03-01", "2025-03-01"),
        ("2025-03-01T06:00:00Z", "2025-03-01T06:00:00Z"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("1.2.3", "1.2.3"),
        ("1,5", "1,5"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("inf", "inf"),
        ("nan", "nan"),
        ("1" * 5000, "1" * 5000),
        ("=", "="),
        ("'true'", "true"),
        ('"12"', "12"),
        ("'~'", "~"),
        ("'*/5'", "*/5"),
        ("|\n  two\n  lines", "two\nlines\n"),
        (">-\n  one\n  line", "one line"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!int twelve", "twelve"),
        ("!!float '1'", 1.0),
        ("!!str", ""),
        ("[NO, on, 010]", ["NO", "on", "010"]),
        ("{on: off}", {"on": "off"}),
        ("{1: a, true: b, ~: c}", {"1": "a", "true": "b", "~": "c"}),
        ("{a: , b}", {"a": None, "b": None}),
        ("[a, , b]", "refused"),
        ("{<<: {a: 1, b: 2}, b: 3}", {"a": 1, "b": 3}),
        ("{'<<': 1}", {"<<": 1}),
        ("[<<]", ["<<"]),
    ],
)
def test_a_value_means_what_yaml_1_2_says(folder: Folder, written: str, meant: object) -> None:
    """And what people mean as text although it looks like a time or a number stays text."""
    if meant == "refused":
        with pytest.raises(Exception, match="not valid YAML"):
            folder.params(f"value: {written}")
        return
    value = folder.params(f"value: {written}\n")["value"]
    assert (value, type(value)) == (meant, type(meant))


def test_not_a_number_is_one(folder: Folder) -> None:
    """In the spelling of YAML."""
    assert math.isnan(folder.params("value: .nan")["value"])


@given(values=st.dictionaries(TEXTS, values_of(TEXTS), max_size=5))
def test_every_json_document_means_itself(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    """JSON is YAML, so whatever a program writes as JSON is read as it was meant."""
    folder = Folder(tmp_path_factory.mktemp("json"))
    entry = {"module": "m", "class": "C", "default_params": values}
    text = json.dumps({"a": entry}, ensure_ascii=False)
    assert folder.source(f'{{"timeseries": {text}}}').params == values


@settings(max_examples=50)
@given(values=st.dictionaries(WORDS, values_of(WORDS), max_size=5), flow=st.booleans())
def test_every_document_that_another_program_writes_means_itself(
    tmp_path_factory: pytest.TempPathFactory, *, values: dict[str, Any], flow: bool
) -> None:
    """In both styles of PyYAML, which takes digits for numbers by other rules."""
    folder = Folder(tmp_path_factory.mktemp("yaml"))
    document = {"timeseries": {"a": {"module": "m", "class": "C", "default_params": values}}}
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, default_flow_style=flow, sort_keys=False)
    assert folder.load(text.encode()).sources[0].params == values


SCALARS = st.sampled_from(["a", "NO", "12:30", "010", "1.5", "~", "'q'", '"d\\te"', "!!str 5"])
FLOWS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{k}: {v}" for k, v in pairs.items()) + "}"
        )
    ),
    max_leaves=12,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Texts of YAML in block and flow style, with comments, anchors and aliases."""
    lines: list[str] = []
    anchors: list[str] = []
    for number in range(draw(st.integers(1, 6))):
        indent = draw(st.integers(1, 4))
        value = draw(FLOWS)
        if draw(st.booleans()) and anchors:
            value = f"*{draw(st.sampled_from(anchors))}"
        elif value and draw(st.booleans()):
            anchors.append(f"n{number}")
            value = f"&n{number} {value}"
        comment = "  # why" if draw(st.booleans()) else ""
        if draw(st.booleans()):
            lines += [f"k{number}:{comment}", f"{' ' * indent}- {value}", f"{' ' * indent}- end"]
        else:
            lines += [f"k{number}: {value}{comment}"]
    return "\n".join(lines) + "\n"


@given(text=documents())
def test_the_tree_is_the_one_that_pyyaml_composes(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """The same kinds, texts and places, read by its other parser, which is pure Python."""
    path = tmp_path_factory.mktemp("tree") / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    document = read_document(path)
    theirs = yaml.compose(text, Loader=yaml.BaseLoader)
    assert document.root is not None
    assert [*_ours(document, document.root)] == [*_theirs(path, theirs)]


def _ours(document: Document, node: Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, Scalar):
        yield document.where(node), node.text
        return
    yield document.where(node), "list" if isinstance(node, Sequence) else "mapping"
    for item in node.content:
        yield from _ours(document, item)


def _theirs(path: Path, node: Any) -> Iterator[tuple[str, str]]:
    where = f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
    if isinstance(node, yaml.ScalarNode):
        yield where, node.value
    elif isinstance(node, yaml.SequenceNode):
        yield where, "list"
        for item in node.value:
            yield from _theirs(path, item)
    else:
        yield where, "mapping"
        for key, value in node.value:
            yield from _theirs(path, key)
            yield from _theirs(path, value)
