"""The sample in the package: real figures, whole, and a sources.yaml that reads them."""

from __future__ import annotations

import asyncio
import csv
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import yaml

import dataportal
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.csv_plugin import CsvDataSourcePlugin

if TYPE_CHECKING:
    from dataportal.observations import Batch

SAMPLE = Path(dataportal.__file__).parent / "sample"
SOURCES: dict[str, Any] = yaml.safe_load((SAMPLE / "sources.yaml").read_text())["timeseries"]


def batch_of(source: str, root: Path = SAMPLE) -> Batch:
    """What a run takes of a source of the sample."""
    entry = SOURCES[source]
    plugin = CsvDataSourcePlugin(TimeSeriesMetadata(source), entry["default_params"])
    plugin.config_dir = root
    answer = asyncio.run(plugin.get_historical_data("0001-01-01T00:00:00Z"))
    zone = ZoneInfo(entry["timezone"])
    return clean({source: answer}, series=[source], start=None, end=None, zone=zone)


@pytest.mark.parametrize(
    ("source", "rows", "values", "first", "last"),
    [
        ("mauna-loa-co2", 2284, 2225, (1958, 3, 29, 316.1), (2001, 12, 29, 371.5)),
        ("sunspots", 309, 309, (1700, 1, 1, 5.0), (2008, 1, 1, 2.9)),
    ],
)
def test_series_is_whole(
    source: str,
    rows: int,
    values: int,
    first: tuple[int, int, int, float],
    last: tuple[int, int, int, float],
) -> None:
    """Every row is taken, none refused; first, last and the number of values are the record's."""
    batch = batch_of(source)
    points = batch.series[source]
    assert (batch.received, batch.rejected, batch.duplicates) == (rows, 0, 0)
    assert sum(value is not None for value in points.values) == values
    for position, (year, month, day, value) in ((0, first), (-1, last)):
        assert points.ts[position] == datetime(year, month, day, tzinfo=UTC)
        assert points.values[position] == value


def test_weeks_are_weeks() -> None:
    """The CO2 record has a row for each Saturday from the first to the last."""
    instants = batch_of("mauna-loa-co2").series["mauna-loa-co2"].ts
    steps = {later - earlier for earlier, later in pairwise(instants)}
    assert steps == {timedelta(days=7)}
    assert instants[0].isoweekday() == 6


def test_values_are_the_files() -> None:
    """The figures are those that the csv module reads, cell by cell."""
    with (SAMPLE / "mauna_loa_co2.csv").open(newline="") as lines:
        cells = [row["co2"] for row in csv.DictReader(lines)]
    values = batch_of("mauna-loa-co2").series["mauna-loa-co2"].values
    assert values == [float(cell) if cell else None for cell in cells]


@pytest.mark.parametrize("source", SOURCES)
def test_source_is_fully_described(source: str) -> None:
    """A sample sets an example: all metadata, a schedule, and where the figures are from."""
    entry = SOURCES[source]
    assert entry["schedule"] == "1 day"
    described = {"name", "description", "granularity", "unit", "domain", "category", "licence"}
    assert described <= set(entry["metadata"])
    assert (SAMPLE / entry["default_params"]["path"]).is_file()
    readme = (SAMPLE / "README.md").read_text()
    assert entry["default_params"]["path"] in readme
    assert "public domain" in readme
