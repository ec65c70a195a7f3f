"""What sources.yaml says when nothing is wrong with it: sources, series, options."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.config_files import GROUP, SINGLE, Folder
from support.recordings import SHARED, needs_folder
from support.remembered_secrets import only_secrets

from dataportal.config import Limits, load
from dataportal.errors import PluginError
from dataportal.redaction import MASK, redact
from dataportal.schedule import slot_offset
from dataportal.series import SeriesDescription

if TYPE_CHECKING:
    from pathlib import Path

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEED = SHARED / "seed"
# of the shape of the files that started it all, in our own words
OF_ONE = """\
timeseries:
  tide-7-north-hour:
    module: src.plugins.data_sources.csv_plugin
    class: CsvDataSourcePlugin
    metadata:
      name: TIDE-7-NORTH-hour
      description: 'Sea level: gauge 7 - Place: North'
      granularity: 1 hour
      forecast_horizon: 1 day
      available_metrics:
        - level
      update_frequency: 1 hour  # how often
    default_params:
      url: https://tide.example/7.csv
      gauge: 7
"""
OF_SEVERAL = """\
request_groups:
  tides:
    module: src.plugins.data_sources.tides
    class: TidesPlugin
    schedule: 15 minutes

    request_params:
      base_url: https://tide.example
      api_key: ${TIDE_KEY}  # from the environment
      page_size: 500

    timeseries:
      - endpoint_prefix: tide-north
        extract_filter:
          gauge: "7"
        metadata:
          name: Level in the north
          description: "Hourly level"
          frequency: 1 hour
          unit: m
          domain: sea
          category: level

      - endpoint_prefix: tide-south
        extract_filter:
          gauge: "007"
        metadata:
          name: Flow in the south
          frequency: 15 minutes
          unit: m³/s
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder for a sources.yaml."""
    return Folder(tmp_path)


def test_an_entry_of_one_series_is_a_source_of_that_name(folder: Folder) -> None:
    """Its metadata name the series; options that stand among them are the source's."""
    source = folder.source(OF_ONE)
    assert source.name == "tide-7-north-hour"
    assert source.where == f"{folder.path}:2:3"
    assert (source.module, source.class_name, source.is_group) == (
        "src.plugins.data_sources.csv_plugin",
        "CsvDataSourcePlugin",
        False,
    )
    assert source.series == (
        SeriesDescription(
            endpoint_prefix="tide-7-north-hour",
            name="TIDE-7-NORTH-hour",
            description="Sea level: gauge 7 - Place: North",
            granularity="1 hour",
            update_frequency="1 hour",
        ),
    )
    assert source.params == {"url": "https://tide.example/7.csv", "gauge": 7}
    assert source.available_metrics == ("level",)
    assert (source.schedule, source.schedule_text) == (HOUR, "1 hour")
    assert source.limits({}).forecast_horizon == DAY


def test_a_group_is_a_source_of_several_series(folder: Folder) -> None:
    """Each with what of the shared answer belongs to it; quoted digits stay a text."""
    source = folder.source(OF_SEVERAL)
    assert (source.name, source.is_group, source.schedule) == ("tides", True, HOUR / 4)
    north, south = source.series
    assert north == SeriesDescription(
        endpoint_prefix="tide-north",
        name="Level in the north",
        description="Hourly level",
        granularity="1 hour",
        unit="m",
        domain="sea",
        category="level",
        update_frequency="15 minutes",
    )
    assert (south.endpoint_prefix, south.unit, south.description) == ("tide-south", "m³/s", None)
    assert source.extract_filters == {
        "tide-north": {"gauge": "7"},
        "tide-south": {"gauge": "007"},
    }
    assert source.params == {
        "base_url": "https://tide.example",
        "api_key": "${TIDE_KEY}",
        "page_size": 500,
    }


@needs_folder(SEED)
@pytest.mark.parametrize(
    ("name", "series", "schedule"),
    [
        ("timeseries.yaml", ["smard-1223-de-hour"], HOUR),
        ("request_groups.yaml", ["my-series-electricity", "my-series-gas"], HOUR / 4),
    ],
)
def test_the_seed_files_work_as_they_stand(
    tmp_path: Path, name: str, series: list[str], schedule: timedelta
) -> None:
    """Without a problem or a warning, and with their schedules."""
    shutil.copyfile(SEED / name, tmp_path / "sources.yaml")
    configuration = load(tmp_path / "sources.yaml", {})
    assert (configuration.problems, configuration.warnings) == ((), ())
    (source,) = configuration.sources
    assert [s.endpoint_prefix for s in source.series] == series
    assert source.schedule == schedule


def test_both_sections_may_stand_in_one_file(folder: Folder) -> None:
    """Sources keep the order of the file; a key x-… is a place for anchors; a section may rest."""
    configuration = folder.load(f"x-defaults: {{a: 1}}\n{GROUP}{SINGLE.replace('load', 'wind')}")
    assert [source.name for source in configuration.sources] == ["grid", "wind"]
    assert folder.source(f"request_groups:\n{SINGLE}").name == "load"


def test_without_options_the_documented_defaults_hold(folder: Folder) -> None:
    """An hour, a week back, 30 days at first, stale after three schedules, a slot by its name."""
    source = folder.source(SINGLE)
    assert source.limits({}) == Limits()
    assert Limits() == Limits(7 * DAY, 30 * DAY, 0 * DAY, None, HOUR / 4, None, 90 * DAY)
    assert (source.schedule, source.schedule_text) == (HOUR, "1 hour")
    assert (source.enabled, source.tags, source.requires_env) == (True, (), ())
    assert (source.stale_after, source.data_stale_after) == (3 * HOUR, None)
    assert (source.renamed_from, source.timezone) == (None, None)
    assert source.slot_offset == slot_offset("load", HOUR)
    assert source.params == {}


def test_every_option_may_stand_beside_the_module_or_in_the_metadata(folder: Folder) -> None:
    """Both places say the same."""
    options = """\
schedule: PT15M
enabled: false
requires_env: [TIDE_KEY]
lookback: 2 weeks
initial_history: all
forecast_horizon: P1D
max_window: 7 days
timeout: 90 s
timezone: Europe/Berlin
stale_after: 1h 30m
data_stale_after: 3 days
dormant_after: 1 year
slot_offset: 0
renamed_from: tide
tags: [sea, north]
"""
    beside = folder.source(SINGLE + _indented(options, 4))
    within = folder.source(f"{SINGLE}    metadata:\n{_indented(options, 6)}")
    assert beside.options == within.options
    assert beside.limits({}) == Limits(
        lookback=14 * DAY,
        initial_history=None,
        forecast_horizon=DAY,
        max_window=7 * DAY,
        timeout=timedelta(seconds=90),
        zone=ZoneInfo("Europe/Berlin"),
        dormant_after=365 * DAY,
    )
    assert (beside.schedule, beside.schedule_text) == (HOUR / 4, "PT15M")
    assert (beside.enabled, beside.missing_env) == (False, ("TIDE_KEY",))
    assert (beside.stale_after, beside.data_stale_after) == (1.5 * HOUR, 3 * DAY)
    assert (beside.slot_offset, beside.renamed_from) == (0 * DAY, "tide")
    assert beside.tags == ("sea", "north")


@pytest.mark.parametrize("section", [SINGLE, GROUP])
@pytest.mark.parametrize("key", ["schedule", "update_frequency"])
def test_schedule_and_update_frequency_are_one(folder: Folder, section: str, key: str) -> None:
    """In both kinds of entry."""
    base, _, members = section.partition("    timeseries:")
    text = f"{base}    {key}: 5 minutes\n" + (f"    timeseries:{members}" if members else "")
    assert folder.source(text).schedule == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("alias", "other", "field"),
    [
        ("granularity", "frequency", "granularity"),
        ("subcategory", "sub_category", "subcategory"),
        ("endpoint_prefix", "unique_id", "endpoint_prefix"),
    ],
)
def test_metadata_have_two_names(folder: Folder, alias: str, other: str, field: str) -> None:
    """Either will do, and both are fine as long as they agree; in a group too."""
    single = f"{SINGLE}    metadata:\n      "
    group = f"{GROUP}        metadata:\n          "
    for text, indent in ((single, 6), (group, 10)):
        pad = "\n" + " " * indent
        for lines in (f"{alias}: a", f"{other}: a", f"{alias}: a{pad}{other}: a"):
            if text == group and field == "endpoint_prefix":
                continue
            (series,) = folder.source(f"{text}{lines}\n").series
            assert getattr(series, field) == "a"
    if field == "endpoint_prefix":
        member = GROUP.replace("endpoint_prefix: load", f"{other}: b")
        assert folder.source(member).series[0].endpoint_prefix == "b"
        inside = GROUP.replace("endpoint_prefix: load", f"metadata: {{{other}: c}}")
        assert folder.source(inside).series[0].endpoint_prefix == "c"


def test_unknown_metadata_are_kept_as_they_are(folder: Folder) -> None:
    """They go to `time_series.metadata`: lists, mappings and numbers too."""
    source = folder.source(
        f"{SINGLE}    metadata:\n      owner: {{team: tide}}\n      stations: [1, 2.5, x]\n"
    )
    assert source.series[0].metadata == {"owner": {"team": "tide"}, "stations": [1, 2.5, "x"]}


def test_what_is_a_number_in_yaml_is_a_text_in_the_end_as_it_was_written(folder: Folder) -> None:
    """`name: 1.10` is not 1.1."""
    (series,) = folder.source(
        f"{SINGLE}    metadata:\n      name: 1.10\n      unit: 1e3\n      domain: true\n"
    ).series
    assert (series.name, series.unit, series.domain) == ("1.10", "1e3", "true")


def test_empty_values_count_as_not_given(folder: Folder) -> None:
    """`unit:` without a value, `~` and null: the default holds."""
    source = folder.source(
        f"{SINGLE}    lookback:\n    tags: ~\n    default_params: null\n    metadata:\n"
        "      unit:\n"
    )
    assert (source.options, source.params, source.series[0].unit) == ({}, {}, None)


def test_anchors_and_merge_keys_share_what_is_common(folder: Folder) -> None:
    """What an entry says itself wins over what is merged; what is merged first, over the next."""
    first, second = folder.load(
        """\
        x-csv: &csv
          module: dataportal.plugins.data_sources.csv_plugin
          class: CsvDataSourcePlugin
          schedule: 1 day
        x-slow: &slow {schedule: 7 days, lookback: 30 days}
        timeseries:
          a: {<<: *csv, lookback: 1 day}
          b:
            schedule: 2 days
            <<: [*csv, *slow]
        """
    ).sources
    assert first.options == {"schedule": DAY, "lookback": DAY}
    assert second.options == {"schedule": 2 * DAY, "lookback": 30 * DAY}
    assert first.class_name == second.class_name == "CsvDataSourcePlugin"


def test_what_is_required_of_the_environment_is_missing_until_it_is_set(folder: Folder) -> None:
    """An empty variable counts as not set; one name may stand without a list."""
    text = f"{SINGLE}    requires_env: [TIDE_KEY, TIDE_USER]\n"
    assert folder.source(text).missing_env == ("TIDE_KEY", "TIDE_USER")
    assert folder.source(text, {"TIDE_KEY": "k", "TIDE_USER": ""}).missing_env == ("TIDE_USER",)
    assert folder.source(f"{SINGLE}    requires_env: A\n", {"A": "b"}).missing_env == ()


def test_what_a_required_variable_holds_is_never_shown(folder: Folder) -> None:
    """From the moment the file is read, if the variable's name sounds secret."""
    with only_secrets():
        folder.load(f"{SINGLE}    requires_env: TIDE_KEY\n", {"TIDE_KEY": "canary"})
        assert redact("canary") == MASK


def test_a_plugin_class_may_have_defaults_of_its_own(folder: Folder) -> None:
    """The source's own word counts more."""
    source = folder.source(f"{SINGLE}    lookback: 1 day\n")
    limits = source.limits({"lookback": "9 days", "initial_history": "all", "timezone": "UTC"})
    assert (limits.lookback, limits.initial_history, limits.zone) == (DAY, None, ZoneInfo("UTC"))


@pytest.mark.parametrize("defaults", [{"lookbak": "1 day"}, {"lookback": "soon"}])
def test_defaults_of_a_class_that_cannot_be_used_are_its_fault(
    folder: Folder, defaults: dict[str, str]
) -> None:
    """The class and the default are named."""
    with pytest.raises(PluginError, match=r"CsvDataSourcePlugin has a source default 'lookba"):
        folder.source(SINGLE).limits(defaults)


@given(
    hours=st.integers(1, 10_000),
    form=st.sampled_from(["{} hours", "{}h", "PT{}H", "{} HOURS", " {}  hour "]),
)
def test_durations_may_be_written_in_many_ways(
    tmp_path_factory: pytest.TempPathFactory, hours: int, form: str
) -> None:
    """In words, short, and as ISO 8601 has it."""
    folder = Folder(tmp_path_factory.mktemp("durations"))
    source = folder.source(f"{SINGLE}    lookback: '{form.format(hours)}'\n")
    assert source.options["lookback"] == hours * HOUR


def test_the_folder_of_the_file_is_where_things_are_found(folder: Folder) -> None:
    """Modules and files named in it."""
    assert folder.load(SINGLE).root == folder.path.parent


def test_a_file_that_everybody_may_write_draws_a_warning(folder: Folder) -> None:
    """It names code, so who writes it runs code."""
    assert not folder.warnings(SINGLE)
    folder.path.chmod(0o666)
    (warning,) = folder.warnings(SINGLE)
    assert "everybody may write sources.yaml" in warning
    assert "chmod o-w" in warning


def _indented(block: str, columns: int) -> str:
    return "".join(" " * columns + line for line in block.splitlines(keepends=True))


def test_availability_stands_in_the_source_or_in_a_series(folder: Folder) -> None:
    """That of the series counts; without a zone that of the source's times does."""
    members = """
      - endpoint_prefix: price
        metadata: {availability: D-1 13:00 Europe/Paris}
      - endpoint_prefix: load
"""
    source = folder.source(
        "request_groups:\n  grid:\n    module: a.b\n    class: C\n    timezone: Europe/Berlin\n"
        f"    availability: next day 09:00\n    timeseries:{members}"
    )
    assert [series.availability_text for series in source.series] == [
        "previous day 13:00 Europe/Paris",
        "next day 09:00 Europe/Berlin",
    ]
    single = folder.source(
        "timeseries:\n  load:\n    module: a.b\n    class: C\n"
        "    metadata: {availability: ts + 90 minutes}\n"
    )
    assert single.series[0].availability == {"text": "ts + 90 minutes", "shift": "PT5400S"}
