"""What looks wrong with an answer that can be taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from support.config_files import SINGLE, Folder

from dataportal.collect.oddities import oddities
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


@pytest.mark.parametrize(("factor", "words"), [(1000, "1,000 times the stored"), (0.001, "1,000")])
def test_another_unit_shows_in_the_size(source: Source, factor: float, words: str) -> None:
    """Beside what is stored; a revision by a tenth is no other unit."""
    values = [10.0 + n for n in range(24)]
    stored = {START + HOUR * n: value / factor for n, value in enumerate(values)}
    (sentence,) = sentences(source, values, stored=stored)
    assert words in sentence
    alike = {ts: value * factor * 1.1 for ts, value in stored.items()}
    assert sentences(source, values, stored=alike) == []
