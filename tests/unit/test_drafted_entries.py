"""Drafted entries are YAML that says what was meant, and go into a file that stays as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.config.yaml_nodes import Document
from dataportal.config.yaml_parser import read_document
from dataportal.drafts.append import append_entry, text_with
from dataportal.drafts.entry_text import Entry, flow, scalar
from dataportal.errors import ConfigurationError

_PATH = Path("sources.yaml")
_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\x85\u2028\u2029\ufeff"),
    max_size=30,
) | st.sampled_from(
    [
        "NO",
        "null",
        "~",
        "1e5",
        "0x1F",
        "12:30",
        "2024-01-01",
        "- a",
        "a: b",
        "# x",
        "{x}",
        "'",
        '"',
        "[?a=='b']",
        "%d.%m.%Y",
        "*",
        "&a",
        "!x",
        "a #b",
        " a",
        "a ",
        "TODO2",
        "1_000",
        ".5",
        "yes",
    ]
)


def _read(text: str) -> Any:
    document = read_document(_PATH, text)
    faults: list[Any] = []
    assert document.root is not None
    value = Document(_PATH, document.root).value(document.root, faults)
    assert not faults, faults
    return value


@given(_TEXTS)
def test_a_text_is_read_back_as_it_is(text: str) -> None:
    """Whatever it holds, as a value, in a list and as a key within braces."""
    printable = text.replace("\r", "").replace("\n", "") if not text.isprintable() else text
    assert _read(f"key: {scalar(printable)}\n") == {"key": printable}
    listed = {"key": [printable, {"a": printable}]}
    assert _read(f"key: {flow(listed['key'])}\n") == listed


@given(st.integers() | st.booleans() | st.floats(-1e9, 1e9).map(lambda x: round(x, 3)))
def test_a_number_is_read_back_as_it_is(value: Any) -> None:
    """Also true and false."""
    assert _read(f"key: {scalar(value)}\n") == {"key": value}


_ENTRY = Entry(
    "new", "timeseries", {"module": "m", "class": "C", "default_params": {"url": "x"}},
    {"class": "a reason"}, ("Drafted",),
)  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a remark\n",
        "timeseries:\n  a: {module: m}\n",
        "timeseries:\n\n    a:\n        module: m\n\n    # of b\n    b: {module: n}\n\n# end\n",
        "timeseries:\n  a:\n    module: m   # no end of line",
        "request_groups:\n  g:\n    module: m\ntimeseries:\n  a:\n    module: m\nx-y: 1\n",
        "timeseries:\n# none yet\nrequest_groups:\n  g: {module: m}\n",
        "timeseries:\n  a:\n    text: |\n      # no remark\n      b:\n  # of a\n",
        "include: [package:catalogue/ecb.yaml]\n",
        "---\ntimeseries:\n  a: {module: m}\n...\n",
    ],
)
def test_an_entry_goes_to_the_end_of_its_section_and_nothing_else_changes(
    text: str, newline: str
) -> None:
    """What was there is there, byte for byte, and the entry is read beside it."""
    before = text.replace("\n", newline)
    after = text_with(_PATH, before, _ENTRY)
    rest = after
    for piece in re.split(r"(?<=\n)", before):
        assert piece in rest
        rest = rest[rest.index(piece) + len(piece) :]
    if "\n" in before:
        assert after.count("\n") == after.count(newline)
    read = _read(after.replace("\r\n", "\n"))
    assert read["timeseries"]["new"] == _ENTRY.keys
    was = _read(before.replace("\r\n", "\n")) if before.strip().strip("# onlyaremk") else {}
    for section, entries in (was or {}).items():
        for name, entry in (entries or {}).items() if isinstance(entries, dict) else ():
            assert read[section][name] == entry


def test_a_file_is_made_and_its_rights_stay(tmp_path: Path) -> None:
    """A first one; a link stays a link, and the rights of a file stay its own."""
    path = tmp_path / "sources.yaml"
    append_entry(path, _ENTRY)
    assert path.read_text() == _ENTRY.text
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    append_entry(link, Entry("other", "timeseries", {"module": "m"}))
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [*_read(path.read_text())["timeseries"]] == ["new", "other"]
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize("text", ["timeseries: {a: {module: m}}\n", "- a\n", "a: [\n", "\ta: 1\n"])
def test_a_file_that_cannot_take_an_entry_is_refused(text: str, tmp_path: Path) -> None:
    """In braces, no mapping, no YAML: with the place, and nothing is written."""
    path = tmp_path / "sources.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError):
        append_entry(path, _ENTRY)
    assert path.read_text() == text
