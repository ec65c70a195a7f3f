"""Loads sources.yaml as typed sources, and makes the plugins that they name.

configuration = load(Path("sources.yaml"), os.environ)
built = build_plugin(configuration.sources[0], env=os.environ, root=configuration.root)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.config.files import load
from dataportal.config.sources import Configuration, Limits, Source

if TYPE_CHECKING:
    from dataportal.config.plugin_factory import BuiltPlugin, PluginParametersError, build_plugin

__all__ = [
    "BuiltPlugin",
    "Configuration",
    "Limits",
    "PluginParametersError",
    "Source",
    "build_plugin",
    "load",
]


def __getattr__(name: str) -> Any:
    """What makes plugins is imported when it is asked for: to list sources needs none of it."""
    if name in {"BuiltPlugin", "PluginParametersError", "build_plugin"}:
        from dataportal.config import plugin_factory

        return getattr(plugin_factory, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
