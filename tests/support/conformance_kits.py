"""The built-in plugins and their conformance kits, found by walking the folders of both.

Whoever adds a provider adds `dataportal/plugins/data_sources/NAME_plugin` and
`tests/conformance/NAME_plugin.py`, and every test of all providers takes it from here. A module in
tests/conformance has

- `KITS`: a `Conformance` for each public class of the plugin's module, by names of their own;
- `LIMIT`: how often the provider is asked at most, or None.
"""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import dataclass
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Literal

from dataportal.plugins import data_sources
from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin
from dataportal.testing import Provider

if TYPE_CHECKING:
    from dataportal.testing import Conformance

    PluginClass = type[BasePlugin | MultiSeriesPlugin]

PLUGIN_MODULES = sorted(module.name for module in iter_modules(data_sources.__path__))
"""The modules of data_sources, such as `fred_plugin`."""
_NOWHERE = Provider("http://127.0.0.1:1", "a-key")


@dataclass(frozen=True)
class ProviderLimit:
    """How often the requests of a kit are sent at most, where its source does not say.

    Attributes:
        per_minute: requests a minute.
        counted_by: what requests have in common that count together: the API key, the name of the
            provider, or nothing but the host.
        everywhere: whether all machines count together.
    """

    per_minute: float
    counted_by: Literal["key", "provider", "host"]
    everywhere: bool = False


@dataclass(frozen=True)
class Kit:
    """A conformance kit.

    Attributes:
        module: the name of the plugin's module.
        name: of the kit.
        conformance: the plugin and its small provider.
        limit: see `ProviderLimit`.
    """

    module: str
    name: str
    conformance: Conformance
    limit: ProviderLimit | None

    def __str__(self) -> str:
        return f"{self.module}: {self.name}"

    def plugin(self, provider: Provider, **more: Any) -> Any:
        """The plugin, which asks this provider and has its secret for a key.

        Args:
            provider: the provider.
            more: further parameters.
        """
        return _make_plugin(self.conformance, {**self.conformance.params(provider), **more})


def _make_plugin(kit: Conformance, params: dict[str, Any]) -> Any:
    if issubclass(kit.plugin, MultiSeriesPlugin):
        return kit.plugin("group", params, list(kit.series), "1 hour")
    return kit.plugin(kit.metadata, params)


def plugin_classes(module: str) -> list[PluginClass]:
    """The public plugin classes of a module of data_sources, in its order."""
    imported = importlib.import_module(f"{data_sources.__name__}.{module}")
    return [
        cls
        for name, cls in vars(imported).items()
        if inspect.isclass(cls)
        and issubclass(cls, BasePlugin | MultiSeriesPlugin)
        and cls.__module__ == imported.__name__
        and not name.startswith("_")
    ]


def kits_of(module: str) -> list[Kit]:
    """The kits for a module of data_sources; none if nobody has written any."""
    name = f"conformance.{module}"
    if importlib.util.find_spec(name) is None:
        return []
    conformance = importlib.import_module(name)
    return [Kit(module, kit, conformance.KITS[kit], conformance.LIMIT) for kit in conformance.KITS]


def all_kits() -> list[Kit]:
    """The kits of all built-in plugins."""
    return [kit for module in PLUGIN_MODULES for kit in kits_of(module)]
