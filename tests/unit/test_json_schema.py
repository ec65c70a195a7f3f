"""The JSON Schema of sources.yaml, as editors use it, beside the program that reads the file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from support import manual

from dataportal.config import PluginParametersError, build_plugin, load
from dataportal.config.json_schema import json_schema
from dataportal.config.yaml_parser import read_document
from dataportal.errors import ConfigurationError
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from conftest import RunCli

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "dataportal" / "sources.schema.json"
SHIPPED = (
    ROOT / "sources.yaml",
    ROOT / "dataportal" / "sample" / "sources.yaml",
    *sorted((ROOT / "dataportal" / "catalogue").glob("*.yaml")),
)
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)")
VALIDATOR = Draft7Validator(json_schema())
SEEDS = """\
timeseries:
  smard-1223-de-hour:
    module: src.plugins.data_sources.smard_plugin
    class: SmardDataSourcePlugin
    metadata:
      name: SMARD-1223-DE-hour
      granularity: 1 hour
      forecast_horizon: 1 day
      available_metrics:
        - power
      update_frequency: 1 hour
    default_params: {filter: 1223, region: DE, resolution: hour}
request_groups:
  my-api-energy-data:
    module: src.plugins.data_sources.my_multi_plugin
    class: MyMultiSeriesPlugin
    schedule: 15 minutes
    requires_env: [MY_API_KEY]
    initial_history: all
    lookback: 0
    request_params:
      api_key: ${MY_API_KEY}
    timeseries:
      - endpoint_prefix: my-series-electricity
        extract_filter:
          dataset_id: "elec-001"
        metadata:
          frequency: 1 hour
      - metadata:
          unique_id: my-series-gas
          colour: blue
"""


def _content(path: Path) -> Any:
    """What a YAML file holds, merge keys resolved as the program does it."""
    document = read_document(path)
    problems: list[Any] = []
    assert document.root is not None
    content = document.value(document.root, problems)
    assert not problems
    return content


def _faults(content: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(content)]


def test_it_is_a_schema() -> None:
    """Of the dialect that it names, and whole in itself."""
    Draft7Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == Draft7Validator.META_SCHEMA["$schema"]
    schema = json_schema()
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema)))
    assert references == {f"#/definitions/{name}" for name in schema["definitions"]}


@pytest.mark.parametrize("section", ["timeseries", "request_groups"])
def test_built_in_plugins_are_offered(section: str) -> None:
    """Those of the kind that the section takes, and the catalogue uses no other."""
    entry = json_schema()["properties"][section]["additionalProperties"]["properties"]
    is_group = section == "request_groups"
    used = [s for s in load(ROOT / "sources.yaml", {}).sources if s.is_group == is_group]
    assert {source.module for source in used} <= set(entry["module"]["examples"])
    assert {source.class_name for source in used} <= set(entry["class"]["examples"])
    assert not any(name.startswith("_") for name in entry["class"]["examples"])


def test_the_committed_one_is_what_the_program_prints(run_cli: RunCli) -> None:
    """Else: dataportal schema > dataportal/sources.schema.json."""
    assert COMMITTED.read_text(encoding="utf-8") == run_cli("schema").stdout


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_files_lead_editors_to_it(path: Path) -> None:
    """Their first line names it by a path that holds in a checkout and in the installed package."""
    match = MODELINE.fullmatch(path.read_text(encoding="utf-8").splitlines()[0])
    assert match
    assert (path.parent / match[1]).resolve() == COMMITTED


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_files_fit(path: Path) -> None:
    """Every key in them is known and holds what it may."""
    assert not _faults(_content(path))


def test_the_examples_of_the_manual_fit(tmp_path: Path) -> None:
    """Every sources.yaml in README and in the manual."""
    ours = manual.sources(manual.everything())
    assert len(ours) > 30
    for block in ours:
        (tmp_path / "sources.yaml").write_text(block, encoding="utf-8")
        assert not _faults(_content(tmp_path / "sources.yaml")), block


def test_the_two_forms_fit(tmp_path: Path) -> None:
    """With aliases, options inside the metadata, and metadata of one's own."""
    (tmp_path / "sources.yaml").write_text(SEEDS, encoding="utf-8")
    assert not load(tmp_path / "sources.yaml", {}).problems
    assert not _faults(_content(tmp_path / "sources.yaml"))


def test_the_files_handed_over_fit() -> None:
    """Where they lie beside the checkout."""
    for path in (ROOT.parent / "shared" / "seed").glob("*.yaml"):
        assert not _faults(_content(path))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("schedule: 15 minutes", "shedule: 15 minutes"),
        ("schedule: 15 minutes", "schedule: often"),
        ("schedule: 15 minutes", "schedule: 15"),
        ("schedule: 15 minutes", "enabled: yes"),
        ("initial_history: all", "initial_history: everything"),
        ("initial_history: all", "initial_history: 30"),
        ("requires_env: [MY_API_KEY]", "requires_env: [$MY_API_KEY]"),
        ("    class: MyMultiSeriesPlugin\n", ""),
        ("request_params:", "default_params:"),
        ("{filter: 1223, region: DE, resolution: hour}", "1223"),
        ("      - endpoint_prefix: my-series-electricity\n        extract", "      - extract"),
        ("extract_filter:", "filter:"),
        ("unique_id: my-series-gas", "name: gas"),
        ("timeseries:\n  smard", "time_series:\n  smard"),
        ("name: SMARD-1223-DE-hour", "name: [SMARD, 1223]"),
        ("lookback: 0", "lookback: -1"),
    ],
)
def test_slips_of_the_pen_are_seen(tmp_path: Path, right: str, wrong: str) -> None:
    """By the schema and by the program alike."""
    assert SEEDS.count(right) == 1
    (tmp_path / "sources.yaml").write_text(SEEDS.replace(right, wrong), encoding="utf-8")
    assert _faults(_content(tmp_path / "sources.yaml"))
    try:
        assert load(tmp_path / "sources.yaml", {}).problems
    except ConfigurationError as error:
        assert error.problems  # noqa: PT017 - of the file as a whole, or of some of its sources


PARAMETERS = """\
timeseries:
  one:
    module: src.plugins.data_sources.smard_plugin
    class: SmardDataSourcePlugin
    default_params: {filter: "1223", region: DE, resolution: hour, base_url: null}
  two:
    module: dataportal.plugins.data_sources.http_plugin
    class: HttpJsonPlugin
    default_params:
      url: https://api.example.com/levels
      query: {from: "{start}", station: [1, b], all: true}
      headers: {X-Api-Key: key}
      per_minute: ${LIMIT:-30}
      each: 30 minutes
      paging: {page: p, size: 100, max_pages: 5}
      auth: {basic: {user: me, password: mine}}
      ts: [day, 2]
      value: 3
      filter: {kind: [a, b]}
      snapshot: false
      scale: 0.5
request_groups:
  three:
    module: dataportal.plugins.data_sources.eia_plugin
    class: EiaMultiSeriesPlugin
    request_params: {route: region-data, api_key: key, type: D}
    timeseries:
      - endpoint_prefix: a
        extract_filter: {respondent: PJM}
  four:
    module: dataportal.plugins.data_sources.csv_plugin
    class: CsvMultiSeriesPlugin
    request_params: {path: a.csv}
    timeseries:
      - endpoint_prefix: b
        extract_filter: {value_column: 2, station: 42}
"""


def _refusals(path: Path) -> list[str]:
    """What the program says of the parameters in a file."""
    faults: list[str] = []
    for source in load(path, {}).sources:
        try:
            build_plugin(source, env={}, root=path.parent)
        except PluginParametersError as error:
            faults += error.faults
    return faults


def test_the_parameters_of_built_in_plugins_fit(tmp_path: Path) -> None:
    """Also as 1.0 took them: numbers in quotes, nulls, another name of the module."""
    (tmp_path / "sources.yaml").write_text(PARAMETERS, encoding="utf-8")
    assert not _refusals(tmp_path / "sources.yaml")
    assert not _faults(_content(tmp_path / "sources.yaml"))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('filter: "1223"', "filter: coal"),
        ('filter: "1223"', "filter: null"),
        ('filter: "1223", ', ""),
        ("region: DE", "region: [DE]"),
        ("resolution: hour", "resolution: minute"),
        ("resolution: hour", "resoluton: hour"),
        ("base_url: null", "base_url: true"),
        ("per_minute: ${LIMIT:-30}", "per_minute: 0"),
        ("station: [1, b]", "station: {1: b}"),
        ("headers: {X-Api-Key: key}", "headers: [X-Api-Key]"),
        ("size: 100", "size: many"),
        ("max_pages: 5", "max_pages: 0"),
        ("size: 100", "siz: 100"),
        ("user: me, ", ""),
        ("basic:", "basc:"),
        ("ts: [day, 2]", "ts: [day, 0]"),
        ("value: 3", "value: false"),
        ("snapshot: false", "snapshot: no"),
        ("scale: 0.5", "scale: half"),
        ("route: region-data", "route: solar"),
        ("extract_filter: {respondent: PJM}", "extract_filter: {respondnt: PJM}"),
        ("value_column: 2", "value_column: 0"),
        ("station: 42", "station: [42]"),
    ],
)
def test_slips_in_parameters_are_seen(tmp_path: Path, right: str, wrong: str) -> None:
    """By the schema and by the program alike; but what is null the program alone takes for none."""
    assert PARAMETERS.count(right) == 1
    path = tmp_path / "sources.yaml"
    path.write_text(PARAMETERS.replace(right, wrong), encoding="utf-8")
    assert _refusals(path)
    assert bool(_faults(_content(path))) == (wrong != "filter: null")


@pytest.mark.parametrize("module", ["tide", "src.plugins.data_sources.tide"])
def test_a_plugin_of_ones_own_takes_what_it_likes(module: str) -> None:
    """Also one whose class is called like one of ours."""
    entry = {"module": module, "class": "SmardDataSourcePlugin", "default_params": {"gauge": 7}}
    assert not _faults({"timeseries": {"a": entry}})


_UNITS = st.sampled_from(["s", "Seconds", "min", "minutes", "h", "hour", "d", "days", "WEEK", "y"])
_TERMS = st.builds("{}{}{}".format, st.integers(0, 999), st.sampled_from(["", " "]), _UNITS)
_DURATIONS = st.one_of(
    st.lists(_TERMS, min_size=1, max_size=3).map(" ".join),
    st.lists(_TERMS, min_size=1, max_size=3).map(", ".join),
    st.sampled_from(["hourly", "Daily", "weekly", "PT15M", "P1D", "p1y2m3dT4h", "P2W", "1.5 h"]),
    st.text("0123456789.,PTHMDhmdalysn ", max_size=12),
)


@given(_DURATIONS)
def test_no_duration_that_the_program_takes_is_refused(text: str) -> None:
    """The schema is the more lenient of the two."""
    try:
        parse_duration(text)
    except ValueError:
        return
    entry = {"module": "m", "class": "C", "lookback": text, "initial_history": text}
    assert not _faults({"timeseries": {"a": entry}})
