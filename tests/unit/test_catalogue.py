"""The sources that are shipped: each series is described, and no provider is asked too often."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest
from support import manual

from dataportal.config import load
from dataportal.config.includes import CATALOGUE, catalogue_files
from dataportal.plugins import data_sources
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from conftest import RunCli

    from dataportal.config import Source
    from dataportal.series import SeriesDescription

ROOT = Path(__file__).resolve().parents[2]
README = manual.readme().text.replace("\n", " ")
PROVIDERS = manual.page("providers").text.replace("\n", " ")
FIRST = Path(__file__).with_name("first_catalogue.txt")
"""The sources and series of the first release, a source a line."""
EVERYTHING = "include:\n" + "".join(f"  - {name}\n" for name in catalogue_files())
SHIPPED = load(Path("all.yaml"), {}, text=EVERYTHING)
FASTEST = {
    "AEMO": timedelta(minutes=15),
    "Bank for International Settlements": timedelta(days=1),
    "Bank of Canada": timedelta(hours=6),
    "Bank of England": timedelta(hours=12),
    "Bundesnetzagentur | SMARD.de": timedelta(hours=1),
    "California ISO": timedelta(hours=2),
    "Centers for Disease Control and Prevention": timedelta(days=1),
    "Chugoku Electric Power Transmission & Distribution": timedelta(hours=6),
    "CityBikes": timedelta(minutes=5),
    "Coinbase Exchange": timedelta(hours=1),
    "Deutsche Bundesbank": timedelta(hours=12),
    "Deutscher Wetterdienst": timedelta(hours=12),
    "Elering": timedelta(hours=3),
    "Elexon": timedelta(minutes=30),
    "Elia": timedelta(minutes=15),
    "Energinet, Energi Data Service": timedelta(minutes=5),
    "Energy-Charts.info, Fraunhofer ISE": timedelta(minutes=30),
    "ENTSO-E Transparency Platform": timedelta(hours=1),
    "ENTSOG Transparency Platform": timedelta(hours=6),
    "EPİAŞ": timedelta(hours=1),
    "ERCOT": timedelta(hours=1),
    "European Central Bank": timedelta(hours=1),
    "Eurostat": timedelta(days=1),
    "Federal Reserve Bank of New York": timedelta(hours=6),
    "Federal Reserve Bank of St. Louis": timedelta(hours=6),
    "Fingrid": timedelta(minutes=15),
    "Frankfurter": timedelta(hours=6),
    "Gas Infrastructure Europe, AGSI+": timedelta(hours=6),
    "Hub'Eau": timedelta(hours=1),
    "IESO": timedelta(hours=6),
    "INSEE": timedelta(days=1),
    "International Monetary Fund": timedelta(days=1),
    "ISO New England": timedelta(hours=6),
    "KNMI": timedelta(hours=12),
    "MeteoSwiss": timedelta(hours=12),
    "MISO": timedelta(hours=1),
    "Narodowy Bank Polski": timedelta(hours=6),
    "National Energy System Operator, Carbon Intensity API": timedelta(minutes=30),
    "National Oceanic and Atmospheric Administration": timedelta(hours=1),
    "Nord Pool": timedelta(hours=6),
    "Norges Bank": timedelta(hours=6),
    "NYISO": timedelta(hours=1),
    "OECD": timedelta(days=1),
    "Office for National Statistics": timedelta(hours=12),
    "OMIE": timedelta(hours=6),
    "Open-Meteo.com": timedelta(hours=3),
    "Our World in Data": timedelta(days=7),
    "PegelOnline, WSV": timedelta(minutes=30),
    "PJM Interconnection": timedelta(hours=2),
    "PSE": timedelta(hours=1),
    "Red Eléctrica de España": timedelta(hours=1),
    "Robert Koch-Institut": timedelta(days=1),
    "RTE, ODRE": timedelta(minutes=30),
    "SMHI": timedelta(hours=6),
    "Stadt Münster": timedelta(minutes=5),
    "Statistics Canada": timedelta(hours=12),
    "Statistics Finland": timedelta(hours=12),
    "Statistics Norway": timedelta(hours=12),
    "Statistics Sweden": timedelta(hours=12),
    "Statnett": timedelta(hours=1),
    "Svenska kraftnät": timedelta(hours=1),
    "Sveriges Riksbank": timedelta(hours=6),
    "Tankerkönig": timedelta(minutes=5),
    "Terna": timedelta(hours=1),
    "U.S. Bureau of Labor Statistics": timedelta(hours=12),
    "U.S. Department of the Treasury, Fiscal Data": timedelta(hours=12),
    "U.S. Energy Information Administration": timedelta(hours=1),
    "U.S. Geological Survey": timedelta(hours=1),
    "Umweltbundesamt": timedelta(hours=1),
    "Wikimedia Foundation": timedelta(hours=6),
    "World Bank": timedelta(days=1),
}
"""How often each provider may be asked for the same: what it says, or about its own rhythm."""


def _series() -> list[tuple[Source, SeriesDescription]]:
    return [(source, series) for source in SHIPPED.sources for series in source.series]


def test_the_files_are_without_fault() -> None:
    """No problem, no warning, and everything is on that has what it needs."""
    assert not SHIPPED.problems
    assert not SHIPPED.warnings
    assert all(source.enabled for source in SHIPPED.sources)


def test_each_provider_has_a_file_of_its_own() -> None:
    """So that one can include what one wants; the file shows whose it is."""
    files: dict[str, set[str]] = {}
    for source, series in _series():
        files.setdefault(str(source.file), set()).add(series.metadata["provider"])
    assert sorted(files) == catalogue_files()
    assert all(len(providers) == 1 for providers in files.values()), files
    assert len({*map(frozenset, files.values())}) == len(files)


def test_the_catalogue_is_shipped() -> None:
    """What is installed has every file of the checkout, byte for byte."""
    checkout = {p.name: p.read_bytes() for p in (ROOT / "dataportal" / "catalogue").iterdir()}
    assert {path.name: path.read_bytes() for path in CATALOGUE.iterdir()} == checkout


def test_the_manual_lists_every_file() -> None:
    """With the words that the file itself begins with."""
    rows = manual.page("catalogue").table("| file | what it has |")
    titles = [
        f"| `{path.name}` | {path.read_text(encoding='utf-8').splitlines()[2][2:-1]} |"
        for path in sorted(CATALOGUE.iterdir())
    ]
    assert list(rows) == titles


def test_what_the_first_release_had_keeps_its_names() -> None:
    """All its sources and series are there at the top level, under their names."""
    top = load(ROOT / "sources.yaml", {})
    assert not top.problems
    assert not top.warnings
    series = {source.name: {s.endpoint_prefix for s in source.series} for source in top.sources}
    lines = FIRST.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 125
    for name, _, prefixes in (line.partition(": ") for line in lines):
        assert series[name] >= set(prefixes.split()), name


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


def test_the_plugins_take_their_parameters(run_cli: RunCli, tmp_path: Path) -> None:
    """With every key set; without them, each is named beside what needs it."""
    keys = {name for source in SHIPPED.sources for name in source.requires_env}
    (tmp_path / "all.yaml").write_text(EVERYTHING, encoding="utf-8")
    arguments = ("--config", str(tmp_path / "all.yaml"), "list-sources", "--check")
    with_keys = run_cli(*arguments, env=dict.fromkeys(keys, "a-key-of-nobody"))
    assert with_keys.returncode == 0, with_keys.stderr
    assert " needs " not in with_keys.stdout
    without = run_cli(*arguments)
    assert without.returncode == 0
    for source in SHIPPED.sources:
        needs = f": {source.name} needs {', '.join(source.requires_env)}"
        assert (needs in without.stdout) == bool(source.requires_env)


def test_every_series_says_how_it_was_checked() -> None:
    """By a real answer, whose source is named, or by a page that has an address; nothing else."""
    for source, series in _series():
        evidence = series.metadata.get("checked_with", "")
        match series.metadata.get("checked"):
            case "recording":
                assert " of " in evidence, series.endpoint_prefix
            case "documentation":
                assert re.fullmatch(r"https?://\S+", evidence), series.endpoint_prefix
            case other:
                pytest.fail(f"{source.where}: {series.endpoint_prefix} is checked by {other!r}")


def test_every_series_says_whose_it_is_and_what_is_asked_for() -> None:
    """Provider, country, licence, credit and terms, each a text."""
    for _, series in _series():
        for key in ("provider", "country", "licence", "credit", "terms"):
            assert isinstance(series.metadata.get(key), str), (series.endpoint_prefix, key)


def test_the_catalogue_is_found_by_its_words(run_cli: RunCli) -> None:
    """Without sources.yaml and a database; the lines shown take in what was found."""
    done = run_cli("list-sources", "--catalogue", "WIND", "offshore", "germany")
    assert done.returncode == 0
    assert "smard-1225-de-hour" in done.stdout
    assert "CC BY 4.0" in done.stdout
    assert "recording" in done.stdout
    text = done.stdout[done.stdout.index("include:") :]
    names = {source.name for source in load(Path("x.yaml"), {}, text=text).sources}
    assert "smard-1225-de-hour" in names
    assert "smard-1223-de-hour" not in names


def test_the_catalogue_as_json_has_every_series(run_cli: RunCli) -> None:
    """With the line that includes it, licence, credit, terms and the check of each file."""
    document = json.loads(run_cli("--json", "list-sources", "--catalogue").stdout)
    files = document["catalogue"]
    assert [file["file"] for file in files] == catalogue_files()
    for file in files:
        assert file["include"] == f"- {file['file']}"
        assert Path(file["path"]).is_file()
        for key in ("providers", "countries", "licences", "credits", "terms", "checked"):
            assert file[key], (file["file"], key)
    shown = [s["endpoint_prefix"] for f in files for o in f["sources"] for s in o["series"]]
    assert shown == [series.endpoint_prefix for _, series in _series()]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["wind"], 2, "'wind' is looked for in the catalogue alone"),
        (["--catalogue", "--check"], 2, "--catalogue takes neither --check nor --state"),
        (["--catalogue", "--state", "ok"], 2, "--catalogue takes neither --check nor --state"),
        (["--catalogue", "xyzzy"], 0, ""),
    ],
)
def test_what_is_not_in_the_catalogue_is_said(
    run_cli: RunCli, arguments: list[str], code: int, message: str
) -> None:
    """Options that do not belong together are refused; nothing that matches is no fault."""
    done = run_cli("list-sources", *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert code or "nothing in the catalogue matches" in done.stdout


def test_files_that_the_cookbook_names_are_there() -> None:
    """As examples of each kind, to be read."""
    rows = "".join(manual.page("cookbook").table("| kind | files of the catalogue |"))
    names = set(re.findall(r"`([\w-]+\.yaml)`", rows))
    assert len(names) > 10
    assert names <= {path.name for path in CATALOGUE.iterdir()}
