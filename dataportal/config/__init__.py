"""sources.yaml as typed sources, and the plugins they name.

configuration = load(Path("sources.yaml"), os.environ)
built = build_plugin(configuration.sources[0], env=os.environ, root=configuration.root)
"""

from dataportal.config.building import BuiltPlugin, build_plugin
from dataportal.config.reading import load
from dataportal.config.sources import Configuration, Limits, Series, Source

__all__ = [
    "BuiltPlugin",
    "Configuration",
    "Limits",
    "Series",
    "Source",
    "build_plugin",
    "load",
]
