"""The sources that are shipped: each series is described, and no provider is asked too often."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest
from support import manual

from dataportal.config import load
from dataportal.plugins import data_sources
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from conftest import RunCli

    from dataportal.config import Source
    from dataportal.series import SeriesDescription

ROOT = Path(__file__).resolve().parents[2]
README = manual.readme().text.replace("\n", " ")
PROVIDERS = manual.page("providers").text.replace("\n", " ")
SHIPPED = load(ROOT / "sources.yaml", {})
FASTEST = {
    "Bundesnetzagentur | SMARD.de": timedelta(hours=1),
    "CityBikes": timedelta(minutes=5),
    "Elia": timedelta(minutes=15),
    "Energinet, Energi Data Service": timedelta(minutes=5),
    "Energy-Charts.info, Fraunhofer ISE": timedelta(minutes=30),
    "European Central Bank": timedelta(hours=1),
    "Federal Reserve Bank of St. Louis": timedelta(hours=6),
    "ENTSO-E Transparency Platform": timedelta(hours=1),
    "Elexon": timedelta(minutes=30),
    "Fingrid": timedelta(minutes=15),
    "NYISO": timedelta(hours=1),
    "Open-Meteo.com": timedelta(hours=3),
    "RTE, ODRE": timedelta(minutes=30),
    "Stadt Münster": timedelta(minutes=5),
    "Tankerkönig": timedelta(minutes=5),
    "U.S. Energy Information Administration": timedelta(hours=1),
    "World Bank": timedelta(days=1),
}
"""How often each provider may be asked for the same: what it says, or about its own rhythm."""


def _series() -> list[tuple[Source, SeriesDescription]]:
    return [(source, series) for source in SHIPPED.sources for series in source.series]


def test_the_file_is_without_fault() -> None:
    """No problem, no warning, and everything is on that has what it needs."""
    assert not SHIPPED.problems
    assert not SHIPPED.warnings
    assert all(source.enabled for source in SHIPPED.sources)


def test_there_is_much_to_choose_from() -> None:
    """As much as README says, of providers most of which ask for no key."""
    needy = {s.metadata["provider"] for source, s in _series() if source.requires_env}
    free = {s.metadata["provider"] for source, s in _series() if not source.requires_env}
    pattern = re.compile(r"more than (\d+) series of (\d+) providers")
    claim, again = map(pattern.search, (README, PROVIDERS))
    assert claim
    assert again
    assert claim.groups() == again.groups()
    assert len(_series()) >= max(int(claim[1]), 150)
    assert len(needy | free) == int(claim[2]) >= 8
    assert len(free) >= 8
    assert needy.isdisjoint(free)


def test_every_plugin_of_a_provider_is_used() -> None:
    """So that each can be tried without writing a line; the manual names the keys they need."""
    modules = {module.name for module in iter_modules(data_sources.__path__)}
    used = {source.module.rpartition(".")[2] for source in SHIPPED.sources}
    assert used == modules - {"csv_plugin"}
    for name in {name for source in SHIPPED.sources for name in source.requires_env}:
        assert f"`{name}`" in PROVIDERS


def test_every_series_is_described() -> None:
    """With all that a reader wants to know, whose data it is included; a single one by name."""
    for source, series in _series():
        description = (series.name, series.description, series.unit, series.domain, series.category)
        assert all(description), series.endpoint_prefix
        assert parse_duration(series.granularity or "")
        assert series.metadata.keys() >= {"provider", "licence"}, series.endpoint_prefix
        assert source.is_group or series.endpoint_prefix == source.name


def test_no_two_series_are_described_alike() -> None:
    """Neither the names nor the descriptions of a provider's series of one granularity."""
    for field in ("name", "description"):
        descriptions = [
            (series.metadata["provider"], series.granularity, getattr(series, field))
            for _, series in _series()
        ]
        assert len(set(descriptions)) == len(descriptions)


@pytest.mark.parametrize("source", SHIPPED.sources, ids=lambda source: source.name)
def test_no_provider_is_asked_too_often(source: Source) -> None:
    """A source belongs to one provider, and its schedule suits it."""
    (provider,) = {series.metadata["provider"] for series in source.series}
    assert source.schedule >= FASTEST[provider]
    assert "schedule" in source.options


def test_the_plugins_take_their_parameters(run_cli: RunCli) -> None:
    """With every key set; without them, each is named beside what needs it."""
    keys = {name for source in SHIPPED.sources for name in source.requires_env}
    arguments = ("--config", str(ROOT / "sources.yaml"), "list-sources", "--check")
    with_keys = run_cli(*arguments, env=dict.fromkeys(keys, "a-key-of-nobody"))
    assert with_keys.returncode == 0, with_keys.stderr
    assert " needs " not in with_keys.stdout
    without = run_cli(*arguments)
    assert without.returncode == 0
    for source in SHIPPED.sources:
        needs = f": {source.name} needs {', '.join(source.requires_env)}"
        assert (needs in without.stdout) == bool(source.requires_env)
