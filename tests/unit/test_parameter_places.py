"""Faults of parameters, as a user meets them: all at once, each with file, line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.config_files import Folder
from support.conformance_kits import PLUGIN_MODULES, plugin_classes

from dataportal.config import PluginParametersError, build_plugin, load
from dataportal.plugins.parameters.fields import fields
from dataportal.plugins.parameters.manual import nested_structs

if TYPE_CHECKING:
    from pathlib import Path

SINGLE = """\
timeseries:
  one:
    module: dataportal.plugins.data_sources.{module}
    class: {cls}
    default_params:
"""
GROUP = """\
request_groups:
  one:
    module: src.plugins.data_sources.{module}
    class: {cls}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder for a sources.yaml."""
    return Folder(tmp_path)


def faults(folder: Folder, text: str, **env: str) -> list[str]:
    """What is said of the only source, without the name of the file."""
    folder.write(text)
    (source,) = load(folder.path, env).sources
    with pytest.raises(PluginParametersError) as caught:
        build_plugin(source, env=env, root=folder.path.parent)
    return [folder.bare(fault) for fault in caught.value.faults]


def starts(found: list[str], expected: list[tuple[str, str]]) -> None:
    """Check that each fault begins with its place and says this."""
    assert len(found) == len(expected), found
    for fault, (place, text) in zip(found, expected, strict=True):
        assert fault.startswith(f"sources.yaml:{place}: source 'one'"), (fault, place)
        assert text in fault, (fault, text)


def test_all_faults_of_a_built_in_plugin_come_at_once(folder: Folder) -> None:
    """Each at its parameter, or where a list or a mapping begins that stands in place of a text.

    What is missing where it should be; at the end the page of the manual.
    """
    found = faults(
        folder,
        SINGLE.format(module="smard_plugin", cls="SmardDataSourcePlugin")
        + "      filter: coal\n      region: [DE]\n      resoluton: hour\n      base_url: null\n",
    )
    starts(
        found,
        [
            ("5:5", "resolution is missing"),
            ("6:7", "filter must be a whole number of 0 or more, not 'coal'"),
            ("7:15", "region must be a text, not ['DE']"),
            ("8:7", "'resoluton' is not a parameter of this plugin; did you mean 'resolution'?"),
        ],
    )
    assert found[-1].endswith("? See: dataportal help smard")


@pytest.mark.parametrize(
    ("address", "place", "name"),
    [
        ("url: ftp://x.example/a\n", "6:7", "url"),
        ("url: http://x/\n      index: {url: 'file:///etc/passwd'}\n", "7:15", "index.url"),
        (
            "url: http://x/\n      auth:\n        oauth2: {token_url: 'ftp://x/', client_id: a}\n",
            "8:18",
            "auth.oauth2.token_url",
        ),
        (
            "url: http://x/\n      auth:\n        login: {url: 'ws://a:canary@x', form: {a: b}}\n",
            "8:17",
            "auth.login.url",
        ),
    ],
)
def test_an_address_that_nobody_can_ask_is_told_where_it_stands(
    folder: Folder, address: str, place: str, name: str
) -> None:
    """Wherever one stands, by its scheme alone, and nothing beside it."""
    found = faults(
        folder,
        SINGLE.format(module="http_plugin", cls="HttpJsonPlugin")
        + f"      {address}      ts: t\n      value: v\n",
    )
    starts(found, [(place, f"{name} must be an http or https address, not one of ")])
    assert not any("canary" in fault for fault in found)


def test_every_address_of_a_built_in_plugin_is_looked_at() -> None:
    """Each parameter that is called one."""
    structs = {
        struct
        for module in PLUGIN_MODULES
        for plugin_class in plugin_classes(module)
        for struct in plugin_class.parameters
    }
    structs |= {inner for struct in structs for inner in nested_structs(struct).values()}
    addresses = [
        (struct.__name__, field.attribute)
        for struct in structs
        for field in fields(struct)
        if field.attribute in {"url", "base_url", "token_url"} and "fault" in field.kind.extra
    ]
    others = {
        (struct.__name__, field.attribute)
        for struct in structs
        for field in fields(struct)
        if field.attribute.endswith("url")
    }
    assert others == {*addresses}
    assert len(addresses) > 10


def test_faults_within_mappings_and_lists_have_their_own_places(folder: Folder) -> None:
    """In block and in flow style, at whatever depth; and no key is shown."""
    found = faults(
        folder,
        SINGLE.format(module="http_plugin", cls="HttpJsonPlugin")
        + "      url: http://127.0.0.1:1/a\n"
        "      query: {ok: 1, from: {start}}\n"
        "      ts: [a, 0]\n"
        "      value: v\n"
        "      paging:\n"
        "        page: p\n"
        "        max_pages: 0\n"
        "        siz: 5\n"
        "      auth:\n"
        "        basic: {user: me}\n"
        "        bearer: [canary]\n"
        "      timezone: UTC\n"
        "      unknown:\n"
        "        a: b\n",
    )
    starts(
        found,
        [
            ("7:28", "query.from must be a text or a list of texts, not {"),
            ("8:15", "ts must be a column's name, or its number from 1, not 0"),
            ("12:9", "paging.max_pages must be a whole number of 1 or more, not 0"),
            ("13:9", "'siz' is not a parameter of paging; did you mean 'size'?"),
            ("15:9", "auth.basic.password is missing"),
            ("16:17", "auth.bearer must be a text"),
            ("17:7", "'timezone' is not a parameter of this plugin: it stands beside schedule"),
            ("18:7", "'unknown' is not a parameter of this plugin; known: "),
        ],
    )
    assert found[-1].endswith("See: dataportal help declarative-parameters")
    assert not any("canary" in fault for fault in found)


def test_no_fault_shows_what_may_be_a_secret(folder: Folder) -> None:
    """Neither under a name that sounds like one, nor deep within a value; nor an expanded one."""
    found = faults(
        folder,
        SINGLE.format(module="http_plugin", cls="HttpJsonPlugin")
        + "      url: [{password: canary-1}]\n"
        "      query: {api_key: {a: canary-2}, other: {token: [canary-3]}}\n"
        "      headers: {X-Key: {canary-4: 1}}\n"
        "      ts: {token: '${TIDE}'}\n"
        "      value: v\n",
        TIDE="canary-5",
    )
    assert len(found) == 5
    assert not [fault for fault in found if "canary" in fault]


def test_faults_of_a_group_and_of_its_series_come_together(folder: Folder) -> None:
    """What all share at its own line, what is of one series at the line of that."""
    found = faults(
        folder,
        GROUP.format(module="eia_plugin", cls="EiaMultiSeriesPlugin") + "    request_params:\n"
        "      route: region-data\n"
        "      api_key: x\n"
        "      per_minute: 0\n"
        "      type: [D]\n"
        "    timeseries:\n"
        "      - endpoint_prefix: a\n"
        "        extract_filter: {respondent: PJM, type: D, fueltype: SUN}\n"
        "      - endpoint_prefix: b\n"
        "        extract_filter:\n"
        "          respondnt: PJM\n",
    )
    starts(
        found,
        [
            ("8:7", "per_minute must be more than 0, not 0"),
            ("9:13", "type must be a text, not ['D']"),
            ("12:52", "extract_filter of a: 'fueltype' is not a parameter of region-data, which"),
            ("14:9", "extract_filter of b: respondent is missing, which region-data needs"),
            ("15:11", "extract_filter of b: 'respondnt' is not a parameter of this plugin; did"),
        ],
    )


def test_faults_of_a_single_series_of_a_groups_plugin_have_their_places(folder: Folder) -> None:
    """There is no filter: what it would say stands among the parameters."""
    found = faults(
        folder,
        SINGLE.format(module="eia_plugin", cls="EiaDataSourcePlugin")
        + "      route: region-data\n      api_key: x\n      respondent: [PJM]\n      tipe: D\n",
    )
    starts(
        found,
        [
            ("5:5", "type is missing, which region-data needs"),
            ("8:19", "respondent must be a text, not ['PJM']"),
            ("9:7", "'tipe' is not a parameter of this plugin; did you mean 'type'?"),
        ],
    )


def test_faults_of_a_described_group_and_of_its_series_come_together(folder: Folder) -> None:
    """Also where a filter may have names of its own."""
    found = faults(
        folder,
        GROUP.format(module="http_plugin", cls="HttpJsonMultiSeriesPlugin")
        + "    request_params:\n"
        '      url: "http://127.0.0.1:1/{station}"\n'
        "      ts: t\n"
        "      scal: 5\n"
        "    timeseries:\n"
        "      - endpoint_prefix: a\n"
        "        extract_filter: {value: v, station: 1}\n"
        "      - endpoint_prefix: b\n"
        "        extract_filter:\n"
        "          station: [a]\n",
    )
    starts(
        found,
        [
            ("8:7", "'scal' is not a parameter of this plugin; did you mean 'scale'?"),
            ("13:9", "extract_filter of b: value is missing"),
            ("14:20", "extract_filter of b: station must be a text, not ['a']"),
        ],
    )


def test_variables_that_are_not_set_are_named_where_they_stand_with_all_else(
    folder: Folder,
) -> None:
    """What depends on them is not judged; a variable's text is taken for a number."""
    text = (
        SINGLE.format(module="smard_plugin", cls="SmardDataSourcePlugin")
        + "      filter: ${SERIES}\n      region: ${ZONE}-X\n      resolution: minute\n"
    )
    starts(
        faults(folder, text),
        [
            ("6:7", "source 'one' uses ${SERIES}, and SERIES is not set"),
            ("7:7", "source 'one' uses ${ZONE}, and ZONE is not set"),
            ("8:7", "resolution must be one of quarterhour, hour"),
        ],
    )
    starts(faults(folder, text, SERIES="1223", ZONE="DE"), [("8:7", "resolution must be one of")])
