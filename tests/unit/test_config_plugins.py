"""From a source to its plugin: modules and their aliases, variables, and what plugins do wrong."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.config_files import Folder
from support.recordings import SHARED, needs_folder
from support.remembered_secrets import only_secrets

from dataportal.config import PluginParametersError, build_plugin
from dataportal.config.variables import UnsetVariable, expand
from dataportal.errors import ConfigurationError, DataportalError, PluginError
from dataportal.plugins import base_plugin, loader
from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin
from dataportal.redaction import MASK, redact, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataportal.config import BuiltPlugin

SEED = SHARED / "seed"
OURS = "dataportal.plugins.data_sources.csv_plugin"
PLUGIN = """\
from src.plugins.base_plugin import BasePlugin

class Tide(BasePlugin):
    async def get_historical_data(self, start_date, end_date=None, metrics=None):
        return []
"""
# of the shape of the seed's plugin, in our own words
GROUP_PLUGIN = """\
from src.plugins.base_plugin import MultiSeriesPlugin, TimeSeriesDefinition

class Tides(MultiSeriesPlugin):
    def __init__(self, group_id: str, request_params: dict, series_definitions:
                 list[TimeSeriesDefinition], schedule: str):
        super().__init__(group_id, request_params, series_definitions, schedule)
        self.base_url = request_params.get("base_url")

    async def get_historical_data_multi(self, start_date, end_date=None):
        return {
            s.endpoint_prefix: await self._gauge(s.extract_filter.get("gauge"), start_date)
            for s in self._series_definitions
        }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """A folder for a sources.yaml and modules beside it, which are forgotten afterwards."""
    path, modules, finders = [*sys.path], {**sys.modules}, [*sys.meta_path]
    root = loader._finder.root
    yield Folder(tmp_path)
    sys.path[:], sys.meta_path[:] = path, finders
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]
    loader._finder.root = root


def built(
    folder: Folder,
    module: str,
    cls: str,
    params: str = "{}",
    env: Mapping[str, str] | None = None,
) -> BuiltPlugin:
    """The plugin of a source of one series with these parameters."""
    source = folder.source(
        f"timeseries:\n  tide:\n    module: {module}\n    class: {cls}\n"
        f"    timezone: UTC\n    metadata: {{unit: m, owner: me}}\n    default_params: {params}\n"
    )
    return build_plugin(source, env=env or {}, root=folder.path.parent)


def beside(folder: Folder, name: str, code: str) -> None:
    """A module beside sources.yaml."""
    file = folder.path.parent / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(code), encoding="utf-8")


def test_a_plugin_gets_its_metadata_parameters_and_limits(folder: Folder) -> None:
    """Under the names that the seed uses; further keys of the metadata are kept."""
    beside(folder, "tide.py", PLUGIN)
    made = built(folder, "tide", "Tide", "{gauge: 7}")
    plugin = made.plugin
    assert isinstance(plugin, BasePlugin)
    meta = plugin._meta
    assert (meta.endpoint_prefix, meta.unique_id, meta.unit) == ("tide", "tide", "m")
    assert (meta.update_frequency, meta.timezone) == ("1 hour", "UTC")
    assert meta.extra == {"owner": "me"}
    assert plugin._defaults == {"gauge": 7}
    assert plugin.config_dir == folder.path.parent
    assert str(plugin.zone) == "UTC"
    assert not made.shares_loop


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("tide.py", "tide"),
        ("src/plugins/tide.py", "src.plugins.tide"),
        ("src/plugins/tide/__init__.py", "src.plugins.tide"),
        ("tide.py", "src.plugins.data_sources.tide"),
        ("sub/tide.py", "sub.tide"),
    ],
)
def test_modules_beside_the_file_are_found(folder: Folder, file: str, module: str) -> None:
    """By their own names, and by those that the seed's layout gives them."""
    beside(folder, file, PLUGIN)
    plugin = built(folder, module, "Tide").plugin
    assert type(plugin).__mro__[1] is BasePlugin
    assert Path(sys.modules[type(plugin).__module__].__file__ or "").name in file


@pytest.mark.parametrize(
    "module", [OURS, f"src{OURS.removeprefix('dataportal')}"], ids=["ours", "alias"]
)
def test_an_alias_is_the_module_itself(folder: Folder, module: str) -> None:
    """`src.X.Y` is `dataportal.X.Y` where that exists: one module, one class, not a second copy."""
    plugin = built(folder, module, "CsvDataSourcePlugin", "{path: a.csv}").plugin
    assert type(plugin) is sys.modules[OURS].CsvDataSourcePlugin
    assert sys.modules[module] is sys.modules[OURS]
    assert importlib.import_module("src.plugins.base_plugin") is base_plugin


def test_built_in_modules_win_over_those_beside_the_file(folder: Folder) -> None:
    """A file of the same name cannot take the place of what is installed."""
    beside(folder, "src/plugins/data_sources/csv_plugin.py", "raise SystemExit")
    beside(folder, "json.py", "raise SystemExit")
    module = "src.plugins.data_sources.csv_plugin"
    assert built(folder, module, "CsvDataSourcePlugin", "{path: a.csv}").shares_loop in {
        True,
        False,
    }
    import json

    assert json.loads("1") == 1


def test_a_group_of_the_seeds_shape_works(folder: Folder) -> None:
    """The same constructor, attributes and return shape; what is missing is supplied."""
    beside(folder, "tides.py", GROUP_PLUGIN)
    source = folder.source(
        """\
        request_groups:
          tides:
            module: src.plugins.data_sources.tides
            class: Tides
            schedule: 15 minutes
            request_params: {base_url: "https://${HOST}"}
            timeseries:
              - endpoint_prefix: north
                extract_filter: {gauge: "${GAUGE:-7}"}
                metadata: {name: North, frequency: 1 hour, unit: m, domain: sea, category: level}
        """
    )
    plugin = build_plugin(source, env={"HOST": "tide.example"}, root=folder.path.parent).plugin
    assert isinstance(plugin, MultiSeriesPlugin)
    assert (plugin._group_id, plugin._schedule) == ("tides", "15 minutes")
    assert plugin._request_params == {"base_url": "https://tide.example"}
    (series,) = plugin._series_definitions
    assert (series.endpoint_prefix, series.name, series.frequency) == ("north", "North", "1 hour")
    assert (series.unit, series.domain, series.category) == ("m", "sea", "level")

    async def gauge(number: str, start: str) -> list[dict[str, Any]]:
        return [{"ts": start, "value": float(number)}]

    plugin._gauge = gauge  # type: ignore[attr-defined]  # supplied here
    answer: Any = plugin.get_historical_data_multi("2025-01-01T00:00:00Z")
    assert asyncio.run(answer) == {"north": [{"ts": "2025-01-01T00:00:00Z", "value": 7.0}]}


@needs_folder(SEED)
def test_the_seeds_plugin_runs_as_it_stands(folder: Folder) -> None:
    """With `_fetch_dataset` supplied, which it lacks; one dataset that fails gives no points."""
    root = folder.path.parent
    shutil.copyfile(SEED / "my_multi_plugin.py", root / "my_multi_plugin.py")
    source = folder.source((SEED / "request_groups.yaml").read_text(encoding="utf-8"))
    with only_secrets():
        made = build_plugin(source, env={"MY_API_KEY": "canary"}, root=root)
    plugin: Any = made.plugin
    assert plugin.base_url == "https://api.example.com"
    assert plugin._request_params["api_key"] == "canary"

    async def dataset(name: str, start: str, end: str | None) -> list[dict[str, Any]]:
        if name == "gas-002":
            raise ValueError(name)
        return [{"ts": start, "value": 1.5}]

    plugin._fetch_dataset = dataset
    answer = asyncio.run(plugin.get_historical_data_multi("2025-01-01T00:00:00Z"))
    assert answer == {
        "my-series-electricity": [{"ts": "2025-01-01T00:00:00Z", "value": 1.5}],
        "my-series-gas": [],
    }


@pytest.mark.parametrize(
    ("module", "cls", "expected"),
    [
        ("nowhere", "Tide", "there is no module nowhere. It must be installed, or lie in"),
        ("src.plugins.nowhere", "Tide", "Looked for dataportal.plugins.nowhere, src/plugins/nowhe"),
        ("src.plugins.csv_plugn", "C", f"Did you mean {OURS}?"),
        ("tide", "Tid", "module tide has no class Tid. Did you mean Tide?"),
        ("tide", "Other", "tide.Other is not derived from BasePlugin. An entry under timeseries:"),
        (OURS, "CsvDataSourcePlugin", "path"),
    ],
)
def test_a_plugin_that_is_not_there_is_the_configurations_fault(
    folder: Folder, module: str, cls: str, expected: str
) -> None:
    """With the source, its place, and the way out."""
    beside(folder, "tide.py", f"{PLUGIN}\nclass Other: pass\n")
    with pytest.raises(ConfigurationError) as raised:
        built(folder, module, cls)
    message = str(raised.value)
    assert message.startswith(f"{folder.path}:2:3: source 'tide': "), message
    assert expected in message, message


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import nonesuch_package", "Install what it needs: nonesuch_package"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def (", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("password = 'x'\nraise ValueError('token=canary')", "ValueError: token=***"),
        (f"{PLUGIN}    def __init__(self, *a): raise RuntimeError('no')", "RuntimeError: no"),
    ],
)
def test_a_plugin_that_fails_to_import_or_to_be_made_is_its_own_fault(
    folder: Folder, code: str, expected: str
) -> None:
    """Whatever it raises, it ends nothing; the file and the line are named."""
    beside(folder, "tide.py", code)
    with pytest.raises(PluginError) as raised:
        built(folder, "tide", "Tide")
    message = str(raised.value)
    assert expected in message, message
    assert "tide.py:" in message
    assert "canary" not in message


def test_variables_are_expanded_anywhere_in_the_parameters(folder: Folder) -> None:
    """In longer texts, lists and mappings; not in keys, and not in numbers."""
    beside(folder, "tide.py", PLUGIN)
    params = "{url: 'https://${HOST}/${PATH_:-v1}', deep: [{a: '$${HOST}'}, 7], '${HOST}': x}"
    plugin = built(folder, "tide", "Tide", params, {"HOST": "tide.example"}).plugin
    assert isinstance(plugin, BasePlugin)
    assert plugin._defaults == {
        "url": "https://tide.example/v1",
        "deep": [{"a": "${HOST}"}, 7],
        "${HOST}": "x",
    }


@pytest.mark.parametrize(
    ("text", "env", "meant"),
    [
        ("${A}", {"A": "1"}, "1"),
        ("x${A}y${B}z", {"A": "1", "B": "2"}, "x1y2z"),
        ("${A:-d}", {}, "d"),
        ("${A:-d}", {"A": ""}, "d"),
        ("${A:-d}", {"A": "1"}, "1"),
        ("${A:-}", {}, ""),
        ("${A:-a b:c}", {}, "a b:c"),
        ("$A", {"A": "1"}, "$A"),
        ("$${A}", {"A": "1"}, "${A}"),
        ("$$", {}, "$$"),
        ("${}", {}, "${}"),
        ("${1A}", {}, "${1A}"),
        ("${A", {"A": "1"}, "${A"),
        ("${A}", {"A": "${B}", "B": "2"}, "${B}"),
    ],
)
def test_every_form_of_a_variable(text: str, env: dict[str, str], meant: str) -> None:
    """What is set, a default, and what is none; a value is not expanded again."""
    assert expand(text, env) == meant


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text().filter(lambda t: "$" not in t),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_has_no_variable_stays_as_it_is(value: object) -> None:
    """Of any shape."""
    assert expand(value, {"A": "1"}) == value


TYPED_PLUGIN = """\
from typing import Annotated

from dataportal.plugins.base_plugin import BasePlugin
from dataportal.plugins.parameters import Parameters, WholeNumber, about, read_parameters

class TideParameters(Parameters):
    gauge: Annotated[WholeNumber, about("the number of the gauge")]
    datum: Annotated[str, about("what heights are above (NN)")] = "NN"

class Tide(BasePlugin):
    parameters = (TideParameters,)

    def __init__(self, metadata, default_params):
        super().__init__(metadata, default_params)
        self.tide = read_parameters(default_params, TideParameters)

    def get_historical_data(self, start_date, end_date=None, metrics=None):
        return []
"""


def test_a_plugin_from_elsewhere_may_have_typed_parameters(folder: Folder) -> None:
    """Its faults come at once, at their places, as those of built-in ones do."""
    beside(folder, "tide.py", TYPED_PLUGIN)
    made = built(folder, "tide", "Tide", "{gauge: '7'}")
    assert (made.plugin.tide.gauge, made.plugin.tide.datum) == (7, "NN")  # type: ignore[union-attr]
    with pytest.raises(PluginParametersError) as caught:
        built(folder, "tide", "Tide", "{datun: LAT, gauge: x}")
    assert [folder.bare(fault) for fault in caught.value.faults] == [
        (
            "sources.yaml:7:22: source 'tide': 'datun' is not a parameter of this plugin; "
            "did you mean 'datum'?"
        ),
        "sources.yaml:7:34: source 'tide': gauge must be a whole number of 0 or more, not 'x'",
    ]


def test_a_variable_that_is_not_set_fails_that_source_with_its_name(folder: Folder) -> None:
    """And says three ways out."""
    beside(folder, "tide.py", PLUGIN)
    with pytest.raises(UnsetVariable, match="A"):
        expand("${A}", {})
    with pytest.raises(ConfigurationError) as raised:
        built(folder, "tide", "Tide", "{key: '${TIDE_KEY}'}", {"TIDE_KEY": ""})
    message = str(raised.value)
    assert "source 'tide' uses ${TIDE_KEY}, and TIDE_KEY is not set" in message
    assert "Set TIDE_KEY, write a default as ${TIDE_KEY:-…}, or add requires_env" in message


@pytest.mark.parametrize(
    ("params", "env"),
    [
        ("{user: '${TIDE_API_KEY}'}", {"TIDE_API_KEY": "canary"}),
        ("{api_key: '${TIDE}'}", {"TIDE": "canary"}),
        ("{token: canary}", {}),
        ("{headers: {Authorization: 'Bearer ${T:-canary}'}}", {}),
    ],
)
def test_what_sounds_secret_is_never_shown(
    folder: Folder, params: str, env: dict[str, str]
) -> None:
    """By the name of its variable, or of the key that it stands under."""
    beside(folder, "tide.py", PLUGIN)
    with only_secrets():
        built(folder, "tide", "Tide", params, env)
        assert redact("Bearer canary") in {MASK, f"Bearer {MASK}"}


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("API_KEY", "EIA_API_KEY", "token", "X-Api-Key", "PASSWORD")),
        *((name, True) for name in ("client_secret", "app_id", "db_passwd", "Authorization")),
        *((name, True) for name in ("FREDKEY", "MyToken", "SITEPASSWORD", "ENTSOE_SECURITYTOKEN")),
        *((name, True) for name in ("GITHUB_PAT", "DBPASS", "KEY2", "proxyAuth", "X-Cookie-Jar")),
        *((name, True) for name in ("url_signature", "AWS_CREDENTIAL", "hmac", "PHPSESSION")),
        *((name, False) for name in ("url", "keyboard", "monkey", "tokens_per_day", "HOME")),
        *((name, True) for name in ("GITHUBPAT", "API_KEYS", "TOKENS", "DB_PWD", "APIKEYEIA")),
        *((name, True) for name in ("TOKENENTSOE", "sshPassphrase", "PHPSESSID", "MYSECRETS")),
        *((name, False) for name in ("PWD", "OLDPWD", "EXPAT", "PATTERN", "PASSENGER", "PASSPORT")),
        *((name, False) for name in ("SECRETARY", "TOKENIZER", "MONKEYS", "COMPASSES", "AUTHORS")),
        *((name, False) for name in ("PATH", "COMPASS", "AUTHOR", "TURKEY", "MONKEY", "KEYBOARD")),
        *((name, False) for name in ("BYPASS_PROXY", "XAUTHORITY", "PATTERN", "secretary", "PWD")),
        *((name, False) for name in ("PATIENCE", "hockey", "possession", "authority", "Passage")),
    ],
)
def test_which_names_sound_secret(name: str, *, secret: bool) -> None:
    """Whole words within a name, whatever stands between them."""
    assert sounds_secret(name) is secret


def test_one_broken_source_does_not_stop_the_others(folder: Folder) -> None:
    """Each is built, or fails, by itself."""
    beside(folder, "tide.py", PLUGIN)
    beside(folder, "broken.py", "1 / 0")
    configuration = folder.load(
        """\
        timeseries:
          a: {module: broken, class: Tide}
          b: {module: tide, class: Tide}
          c: {module: tide, class: Tide, schedule: never}
        """
    )
    outcomes = {}
    for source in configuration.sources:
        try:
            build_plugin(source, env={}, root=configuration.root)
        except DataportalError as error:
            outcomes[source.name] = type(error).__name__
        else:
            outcomes[source.name] = "built"
    assert outcomes == {"a": "PluginError", "b": "built"}
    assert set(configuration.broken) == {"c"}
