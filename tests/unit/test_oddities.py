"""What looks wrong with an answer that can be taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from support.config_files import SINGLE, Folder

from dataportal.collect.answer_shape import answer_shape
from dataportal.collect.oddities import oddities, written_offsets, zone_names_in, zone_oddities
from dataportal.observations import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dataportal.config import Source

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2025, 10, 24, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """One series by the hour."""
    return Folder(tmp_path).source(SINGLE + "    metadata: {granularity: 1 hour}\n")


def sentences(
    source: Source,
    values: Sequence[float | None],
    *,
    start: datetime = START,
    step: timedelta = HOUR,
    window: datetime = START,
    stored: Mapping[datetime, float] | None = None,
) -> list[str]:
    """What looks wrong with these values."""
    (series,) = source.series
    name = series.endpoint_prefix
    points = {"ts": [start + step * n for n in range(len(values))], "value": list(values)}
    batch = clean({name: points}, series=[name], start=window, end=None, zone=None)
    return list(oddities(batch, source, zone=BERLIN, stored={name: stored or {}}))


def test_a_good_answer_has_nothing_wrong(source: Source) -> None:
    """Hours that differ, also over a change of the clocks: 25 of that day."""
    assert sentences(source, [n % 7 for n in range(24 + 25 + 24)]) == []


@pytest.mark.parametrize(
    ("values", "step", "words"),
    [
        ([], HOUR, "the answer holds no points"),
        ([5.0] * 30, HOUR, "all 30 values are 5"),
        ([None] * 30, HOUR, "none has a value"),
        (list(range(40)), HOUR / 4, "come every 15 minutes, and its granularity is 1 hour"),
        (list(range(40)), 24 * HOUR, "come every 1 day, and its granularity is 1 hour"),
    ],
)
def test_what_looks_wrong_is_said(
    source: Source, values: list[float | None], step: timedelta, words: str
) -> None:
    """No points, one value for all, none at all, another interval than the entry's."""
    assert any(words in sentence for sentence in sentences(source, values, step=step))


def test_points_that_all_lie_outside_are_said(source: Source) -> None:
    """With the side that they lie on."""
    (sentence,) = sentences(source, [1.0, 2.0], start=START - 48 * HOUR)
    assert "all 2 points lie outside of the window, 2 before and 0 after it" in sentence


def test_24_values_of_a_day_of_25_hours_are_said(source: Source) -> None:
    """Read as clock times one hour is missing, and all after it may be an hour off."""
    (series,) = source.series
    name = series.endpoint_prefix
    ts = [START + HOUR * n for n in range(24 + 25 + 24) if n != 24 + 3]
    points = {"ts": ts, "value": [float(n % 5) for n in range(len(ts))]}
    batch = clean({name: points}, series=[name], start=START, end=None, zone=None)
    (sentence,) = oddities(batch, source, zone=BERLIN, stored={})
    assert "24 values came of 2025-10-26" in sentence
    assert "which has 25" in sentence


def test_a_unit_other_than_that_of_the_stored_series_is_said(source: Source) -> None:
    """A run would store nothing of it; the same one written otherwise is no other."""
    (series,) = source.series
    name = series.endpoint_prefix
    ts = [START + HOUR * n for n in range(3)]
    points = {"ts": ts, "value": [1.0, 2.0, 3.0], "unit": "kW"}
    batch = clean({name: points}, series=[name], start=START, end=None, zone=None)
    units = {name: "MW"}
    (sentence,) = oddities(batch, source, zone=BERLIN, stored={}, units=units)
    assert sentence.startswith(f"{name}: the answer is in kW, what is stored in MW")
    assert "--accept-units" in sentence
    assert list(oddities(batch, source, zone=BERLIN, stored={}, units={name: "kw"})) == []


@pytest.mark.parametrize(("factor", "words"), [(1000, "1,000 times the stored"), (0.001, "1,000")])
def test_another_unit_shows_in_the_size(source: Source, factor: float, words: str) -> None:
    """Beside what is stored; a revision by a tenth is no other unit."""
    values = [10.0 + n for n in range(24)]
    stored = {START + HOUR * n: value / factor for n, value in enumerate(values)}
    (sentence,) = sentences(source, values, stored=stored)
    assert words in sentence
    alike = {ts: value * factor * 1.1 for ts, value in stored.items()}
    assert sentences(source, values, stored=alike) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"timezone": "America/New_York", "t": 1}', "names the time zone America/New_York"),
        (b'{"t": ["2025-06-01T00:00:00-04:00"]}', "say -04:00, such as 2025-06-01T00:00:00-04:00"),
        (b'{"timezone": "Europe/Paris", "t": ["2025-06-01T00:00+02:00"]}', ""),
        (b'{"t": ["2025-06-01T00:00:00Z", "2025-06-01T01:00:00+00:00"]}', ""),
        (b'{"timezone": "Not/A_Zone"}', ""),
    ],
)
def test_a_zone_that_contradicts_the_answer_is_said(answer: bytes, words: str) -> None:
    """A zone that it names, or offsets that the entry's clocks do not show; alike is no other."""
    found = list(zone_oddities(BERLIN, zone_names_in(answer), written_offsets(answer)))
    assert (words in found[0]) if words else found == []
    assert list(zone_oddities(None, zone_names_in(answer), written_offsets(answer))) == []


def test_days_that_begin_at_another_hour_after_a_change_are_said(source: Source) -> None:
    """Days of UTC under a zone whose clocks change: each begins an hour off from then on."""
    days = [datetime(2025, 10, 22, tzinfo=UTC) + timedelta(days=n) for n in range(8)]
    (series,) = source.series
    name = series.endpoint_prefix
    points = {"ts": days, "value": [float(n) for n in range(8)]}
    batch = clean({name: points}, series=[name], start=days[0], end=None, zone=None)
    found = list(oddities(batch, source, zone=BERLIN, stored={}))
    assert any("begin at" in one and "as clocks change" in one for one in found)


def test_an_hour_that_other_clocks_skip_is_said(source: Source) -> None:
    """Local labels read as UTC leave out the hour that their clocks skip in spring."""
    (series,) = source.series
    name = series.endpoint_prefix
    start = datetime(2025, 3, 29, tzinfo=UTC)
    hours = [start + HOUR * n for n in range(48) if n != 26]
    points = {"ts": hours, "value": [float(n % 7) for n in range(47)]}
    batch = clean({name: points}, series=[name], start=start, end=None, zone=None)
    for zone, said in ((ZoneInfo("UTC"), True), (None, True), (BERLIN, False)):
        found = list(oddities(batch, source, zone=zone, stored={}))
        assert any("which clocks such as those of Europe/Berlin skip" in o for o in found) is said


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (b'{"data": [{"t": 1, "v": 2}, {"t": 2, "v": 3}], "n": 2}', "{data: [2 of {t, v}], n}"),
        (b"[[1, 2], [3, 4]]", "[2 of [2 of number]]"),
        (b"a;b\n1;2\n3;4\n", "3 lines, the first: a;b"),
        (b"<?xml version='1.0'?><r><o a='1'/><o/></r>", "XML: r with 2 of o"),
        (b"<!doctype html><html></html>", "a page of HTML"),
        (b"  ", "empty"),
        (b"PK\x03\x04x", "a ZIP file that cannot be opened"),
        (b"%PDF-1.7", "a PDF file"),
    ],
)
def test_the_shape_of_an_answer_names_keys_and_counts(body: bytes, shape: str) -> None:
    """Of each format what a person would look for first; never longer than a few lines."""
    assert answer_shape(body) == shape
    assert len(answer_shape(body * 1000)) <= 200
