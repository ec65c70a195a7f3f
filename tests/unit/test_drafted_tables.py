"""Tables of random shape become drafts that read every point; nothing makes a draft break."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataportal.drafts.readings import read_answer
from dataportal.errors import BadDataError
from dataportal.plugins.http import Answer
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FIRST = datetime(2024, 6, 13, tzinfo=UTC)
_WRITTEN: dict[str, tuple[tuple[str, ...], Callable[[datetime], tuple[Any, ...]]]] = {
    "zulu": (("time",), lambda ts: (f"{ts:%Y-%m-%dT%H:%M:%SZ}",)),
    "iso": (("timestamp",), lambda ts: (f"{ts:%Y-%m-%d %H:%M:%S}",)),
    "german": (("Datum",), lambda ts: (f"{ts:%d.%m.%Y %H:%M}",)),
    "american": (("Date Time",), lambda ts: (f"{ts:%m/%d/%Y %I:%M %p}",)),
    "compact": (("MESS_DATUM",), lambda ts: (f"{ts:%Y%m%d%H%M}",)),
    "unix": (("time",), lambda ts: (int(ts.timestamp()),)),
    "unix_ms": (("date",), lambda ts: (int(ts.timestamp() * 1000),)),
    "unix_us": (("time",), lambda ts: (int(ts.timestamp() * 10**6),)),
    "dot_net": (("Time",), lambda ts: (f"/Date({int(ts.timestamp() * 1000)})/",)),
    "two": (("day", "clock"), lambda ts: (f"{ts:%Y-%m-%d}", f"{ts:%H:%M}")),
    "four": (
        ("year", "month", "day", "hour"),
        lambda ts: (f"{ts:%Y}", f"{ts:%m}", f"{ts:%d}", f"{ts:%H}"),
    ),
}
_PLACES = ("Bonn", "Cologne", "Trier", "Mainz")
_MEASURES = ("load", "wind", "solar", "temperature")


@dataclass(frozen=True)
class Table:
    """A table to be written down.

    Attributes:
        written: how its times are, a key of `_WRITTEN`.
        times: in their order.
        values: of each series, by its name.
        is_long: whether each row has the name of its series and one value.
    """

    written: str
    times: Sequence[datetime]
    values: Mapping[str, Sequence[float | None]]
    is_long: bool

    def rows(self) -> list[dict[str, Any]]:
        """As rows of named cells."""
        names, write = _WRITTEN[self.written]
        rows = []
        for number, ts in enumerate(self.times):
            cells = dict(zip(names, write(ts), strict=True))
            if self.is_long:
                rows += [
                    {**cells, "station": name, "value": own[number]}
                    for name, own in self.values.items()
                ]
            else:
                rows.append({**cells, **{name: own[number] for name, own in self.values.items()}})
        return rows

    def points(self) -> list[dict[str, float]]:
        """Of each series the values by their times."""
        return [
            {iso(ts): v for ts, v in zip(self.times, own, strict=True) if v is not None}
            for own in self.values.values()
        ]


@st.composite
def _tables(draw: st.DrawFn) -> Table:
    written = draw(st.sampled_from(sorted(_WRITTEN)))
    minutes = 60 if written == "four" else draw(st.sampled_from([5, 15, 30, 60]))
    count = draw(st.integers(5, 40))
    times = [_FIRST + timedelta(minutes=minutes) * n for n in range(count)]
    if draw(st.booleans()):
        times.reverse()
    is_long = draw(st.booleans())
    names = (_PLACES if is_long else _MEASURES)[: draw(st.integers(1, 4))]
    number = st.integers(-99_999, 99_999).map(lambda n: n / 100 + 0.001)
    values = {}
    for name in names:
        own: list[float | None] = list(draw(st.lists(number, min_size=count, max_size=count)))
        for gap in draw(st.sets(st.integers(0, count - 1), max_size=2)):
            own[gap] = None
        values[name] = own
    return Table(written, times, values, is_long)


def _csv(table: Table, delimiter: str, preface: int, mark: str, footer: str) -> bytes:
    rows = table.rows()
    stream = io.StringIO()
    for number in range(preface):
        stream.write(f"Remark {number} of the office\n")
    stream.write(delimiter.join(rows[0]) + "\n")
    for row in rows:
        cells = [mark if cell is None else str(cell) for cell in row.values()]
        if delimiter == ";":
            cells = [
                cell.replace(".", ",") if isinstance(raw, float) else cell
                for cell, raw in zip(cells, row.values(), strict=True)
            ]
        stream.write(delimiter.join(cells) + "\n")
    stream.write(footer)
    return stream.getvalue().encode()


def _xml(table: Table) -> bytes:
    lines = ["<?xml version='1.0'?><document><title>x</title><rows>"]
    for row in table.rows():
        name = row.pop("station", None)
        attribute = "" if name is None else f" station={quoteattr(name)}"
        cells = "".join(
            f"<{key.replace(' ', '_')}>{'' if cell is None else escape(str(cell))}"
            f"</{key.replace(' ', '_')}>"
            for key, cell in row.items()
        )
        lines.append(f"<row{attribute}>{cells}</row>")
    return "".join([*lines, "</rows></document>"]).encode()


def _draft_or_refusal(body: bytes) -> str:
    """What is said of an answer, whichever it is."""
    answer = Answer(200, "https://x.example.com/y", {}, body)
    try:
        return str(read_answer(answer, zone="", most_series=9).params)
    except BadDataError as error:
        return error.message


def _check(table: Table, body: bytes) -> None:
    found = read_answer(
        Answer(200, "https://x.example.com/y", {}, body), zone="UTC", most_series=99
    )
    assert not isinstance(found.batch, str), (found.batch, found.params)
    assert not found.batch.rejected, (found.batch.rejections[0], found.params)
    drafted = [
        {iso(ts): v for ts, v in zip(one.ts, one.values, strict=True) if v is not None}
        for one in found.batch.series.values()
    ]
    assert sorted(map(repr, map(sorted, map(dict.items, drafted)))) == sorted(
        map(repr, map(sorted, map(dict.items, table.points())))
    ), found.params


@settings(max_examples=120, deadline=None)
@given(
    _tables(),
    st.sampled_from([",", ";", "\t", "|"]),
    st.integers(0, 3),
    st.sampled_from(["", "-", "n/a", "NaN", "--"]),
    st.sampled_from(["", "Source: the office\n", "\nTotal of all\n"]),
)
def test_every_point_of_a_table_of_text_is_read(
    table: Table, delimiter: str, preface: int, mark: str, footer: str
) -> None:
    """With remarks above and below it, any delimiter, a decimal comma, marks for nothing."""
    _check(table, _csv(table, delimiter, preface, mark, footer))


@settings(max_examples=80, deadline=None)
@given(
    _tables(),
    st.sampled_from([(), ("data",), ("response", "items")]),
    st.sampled_from(["numbers", "texts"]),
)
def test_every_point_of_a_document_is_read(
    table: Table, path: tuple[str, ...], written: str
) -> None:
    """Rows at any depth, numbers as texts or not, with facts of the whole beside them."""
    rows = table.rows()
    if written == "texts":
        rows = [{k: v if v is None else str(v) for k, v in row.items()} for row in rows]
    content: Any = rows
    for key in reversed(path):
        content = {"generated": "2024-07-01T00:00:00Z", "count": len(rows), key: content}
    _check(table, json.dumps(content).encode())


@settings(max_examples=60, deadline=None)
@given(_tables())
def test_every_point_of_xml_is_read(table: Table) -> None:
    """A name as an attribute, times and values as elements."""
    _check(table, _xml(table))


@pytest.mark.slow
def test_a_long_table_is_drafted_from_its_beginning_and_read_to_its_end() -> None:
    """Of 52,000 rows the draft reads the last one, too."""
    times = [_FIRST + timedelta(minutes=5) * n for n in range(52_000)]
    values: dict[str, list[float | None]] = {"load": [float(n % 977) + 0.25 for n in range(52_000)]}
    table = Table("iso", times, values, is_long=False)
    _check(table, _csv(table, ",", 0, "", ""))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(str.encode)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
        ),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_comes_is_drafted_or_refused_in_a_sentence(body: bytes) -> None:
    """No answer breaks a draft."""
    assert _draft_or_refusal(body)


@settings(max_examples=80, deadline=None)
@given(_tables(), st.data())
def test_a_mangled_table_is_drafted_or_refused_in_a_sentence(
    table: Table, data: st.DataObject
) -> None:
    """With a piece cut out, doubled or replaced."""
    body = bytearray(data.draw(st.sampled_from([_csv(table, ",", 1, "", ""), _xml(table)])))
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    body[start:end] = data.draw(st.binary(max_size=30))
    assert _draft_or_refusal(bytes(body))
