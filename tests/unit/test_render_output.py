"""JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataportal.redaction import remember_secret
from dataportal.render.csv_output import csv_lines
from dataportal.render.json_output import format_json, stream_json

TEXTS = st.text(st.characters(), max_size=30)
AT = datetime(2025, 3, 1, 6, tzinfo=UTC)


@given(st.dictionaries(TEXTS.map(lambda t: f"x{t}"), TEXTS | st.integers() | st.booleans()))
def test_any_text_makes_plain_ascii_json(document: dict[str, Any]) -> None:
    """Neither a locale nor a terminal can be harmed, and nothing of the document is lost."""
    text = format_json(document)
    assert text.isascii()
    assert all(line.isprintable() for line in text.splitlines())
    assert json.loads(text).keys() == document.keys()


def test_values_become_what_the_contract_says() -> None:
    """Instants ISO 8601 in UTC, durations seconds, what is no number null."""
    text = format_json(
        {"at": AT, "for": timedelta(minutes=2), "nan": float("nan"), "list": (1, None)}
    )
    assert json.loads(text) == {
        "at": "2025-03-01T06:00:00Z",
        "for": 120.0,
        "nan": None,
        "list": [1, None],
    }


@given(st.lists(st.fixed_dictionaries({"ts": st.just(AT), "value": st.floats()}), max_size=4))
def test_a_streamed_document_is_the_same_document(rows: list[dict[str, Any]]) -> None:
    """Row by row or at once, the same comes out."""
    text = "\n".join(stream_json({"series": "x", "final": True}, "rows", rows))
    assert json.loads(text) == json.loads(format_json({"series": "x", "final": True, "rows": rows}))


def test_a_secret_never_gets_into_a_document() -> None:
    """Masked before it is written as JSON, where escaping would hide it from the mask."""
    remember_secret('canary"in"json')
    assert "canary" not in format_json({"error": 'key canary"in"json refused'})


@given(st.lists(st.tuples(TEXTS, st.floats(allow_nan=False, allow_infinity=False)), max_size=5))
def test_csv_reads_back(rows: list[tuple[str, float]]) -> None:
    """A CSV reader finds as many rows and the very numbers."""
    text = "\n".join(csv_lines(("name", "value"), rows))
    header, *read = csv.reader(io.StringIO(text))
    assert header == ["name", "value"]
    assert [float(value) for _, value in read] == [value for _, value in rows]


@given(st.sampled_from("=+-@\t\r"), TEXTS)
def test_a_text_cell_is_never_a_formula(first: str, rest: str) -> None:
    """A spreadsheet takes it for a text, while a negative number stays a number."""
    _, line = csv_lines(("a", "b"), [(first + rest, -1.5)])
    cells = next(csv.reader(io.StringIO(line)))
    assert cells[0].startswith("'")
    assert cells[1] == "-1.5"


def test_missing_cells_are_empty_and_times_are_utc() -> None:
    """Nothing is nothing, not a word."""
    assert list(csv_lines(("a", "b"), [(None, AT)])) == ["a,b", ",2025-03-01T06:00:00Z"]
