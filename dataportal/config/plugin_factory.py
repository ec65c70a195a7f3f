"""Makes the plugin of a source: imports its class, expands its parameters, finds its limits."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataportal.config.variables import UnsetVariable, expand
from dataportal.errors import ConfigurationError, DataportalError
from dataportal.plugins.base_plugin import (
    BasePlugin,
    MultiSeriesPlugin,
    TimeSeriesDefinition,
    TimeSeriesMetadata,
)
from dataportal.plugins.loader import is_built_in, load_class, make_plugin, plugin_fault
from dataportal.plugins.parameters.faults import ParameterError, leading_keys
from dataportal.redaction import harmless, redact
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.config.sources import Limits, Source
    from dataportal.series import SeriesDescription

_PAGES = {"http": "declarative-parameters"}
"""Where the topic of the manual is called otherwise than the plugin's module."""


class PluginParametersError(ConfigurationError):
    """A plugin cannot be made of an entry of sources.yaml.

    Args:
        faults: what is wrong, each with its place in the file.
        hint: what to do next.
    """

    def __init__(self, faults: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__("; ".join(faults), hint=hint)
        self.faults = (*faults[:-1], f"{faults[-1]}. {hint}" if hint else faults[-1])


@dataclass(frozen=True, slots=True)
class BuiltPlugin:
    """A plugin ready to be called.

    Attributes:
        plugin: the object.
        limits: how far and how long the runs of its source reach.
        shares_loop: whether it may run in the event loop that all built-in plugins share; any
            other gets a thread of its own.
        identity: changes with everything that decides what an answer means: the plugin and its
            code, the program, parameters, series, zone and limits.
    """

    plugin: BasePlugin | MultiSeriesPlugin
    limits: Limits
    shares_loop: bool
    identity: str


def build_plugin(source: Source, *, env: Mapping[str, str], root: Path) -> BuiltPlugin:
    """The source's plugin, with the environment's variables in its parameters.

    Args:
        source: the source.
        env: what `${VAR}` stands for.
        root: the folder of sources.yaml: modules and files beside it are found there.

    Raises:
        ConfigurationError: a variable is not set, there is no such module or class, or the plugin
            refuses its parameters.
        PluginError: the plugin cannot be imported or made.
    """
    params = _expand_params(source, dict(source.params), env)
    kind: type[BasePlugin | MultiSeriesPlugin]
    kind = MultiSeriesPlugin if source.is_group else BasePlugin
    cls: type[BasePlugin | MultiSeriesPlugin] | None = None
    try:
        cls = load_class(source.module, source.class_name, kind, root=root)
        limits = source.limits(cls.source_defaults)
        arguments = _arguments(source, params, env)
        identity = _identity(cls, arguments, limits)
        plugin = make_plugin(cls, *arguments)
        plugin.config_dir = root
        plugin.zone = limits.zone
        shares_loop = is_built_in(cls) and not cls.blocks
    except DataportalError as error:
        faults = _faults(source, error)
        if isinstance(error, ConfigurationError):
            hint = error.hint
            if isinstance(error.__cause__, ParameterError) and cls is not None:
                hint = hint or _page_hint(cls)
            raise PluginParametersError(faults, hint=hint) from error
        error.message = "; ".join(faults)
        raise
    except BaseException as error:
        # a class may do anything where its attributes are read and written
        raise plugin_fault(f"the plugin {source.module}.{source.class_name}", error) from error
    return BuiltPlugin(plugin, limits, shares_loop=shares_loop, identity=identity)


def _faults(source: Source, error: DataportalError) -> list[str]:
    """What is wrong, a text for each place in the file, with the place."""
    cause = error.__cause__
    known = (
        [(keys, redact(harmless(message, 1000))) for keys, message in cause.faults]
        if isinstance(cause, ParameterError)
        else [(leading_keys(error.message), error.message)]
    )
    by_place: dict[str, list[str]] = {}
    for keys, message in known:
        by_place.setdefault(source.where_of(keys), []).append(message)
    return [
        f"{place}: source {source.name!r}: {'; '.join(messages)}"
        for place, messages in by_place.items()
    ]


def _page_hint(cls: type[BasePlugin | MultiSeriesPlugin]) -> str | None:
    """Where the manual lists the parameters of a built-in plugin."""
    if not is_built_in(cls):
        return None
    name = cls.__module__.rpartition(".")[2].removesuffix("_plugin").replace("_", "-")
    return f"See: dataportal help {_PAGES.get(name, name)}"


def _identity(cls: type, arguments: tuple[Any, ...], limits: Limits) -> str:
    """What tells this plugin as it is from any other; a hash, as there are keys in `arguments`."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    code = Path(file).read_bytes() if file and Path(file).is_file() else b""
    described = repr((__version__, cls.__module__, cls.__qualname__, arguments, limits))
    return hashlib.sha256(code + described.encode("utf-8", "replace")).hexdigest()[:32]


def _arguments(source: Source, params: dict[str, Any], env: Mapping[str, str]) -> tuple[Any, ...]:
    if source.is_group:
        definitions = [_definition(source, series, env) for series in source.series]
        return source.name, params, definitions, source.schedule_text
    return _metadata(source), params


def _metadata(source: Source) -> TimeSeriesMetadata:
    (series,) = source.series
    return TimeSeriesMetadata(
        endpoint_prefix=series.endpoint_prefix,
        name=series.name,
        description=series.description,
        granularity=series.granularity,
        unit=series.unit,
        domain=series.domain,
        category=series.category,
        subcategory=series.subcategory,
        update_frequency=source.schedule_text,
        timezone=source.timezone,
        extra=series.metadata,
    )


def _definition(
    source: Source, series: SeriesDescription, env: Mapping[str, str]
) -> TimeSeriesDefinition:
    extract_filter = dict(source.extract_filters[series.endpoint_prefix])
    return TimeSeriesDefinition(
        endpoint_prefix=series.endpoint_prefix,
        name=series.name,
        frequency=series.granularity,
        extract_filter=_expand_params(source, extract_filter, env),
        unit=series.unit,
        domain=series.domain,
        category=series.category,
        description=series.description,
        subcategory=series.subcategory,
        extra=series.metadata,
    )


def _expand_params(
    source: Source, params: dict[str, Any], env: Mapping[str, str]
) -> dict[str, Any]:
    try:
        expanded: dict[str, Any] = expand(params, env)
    except UnsetVariable as unset:
        name = unset.args[0]
        raise ConfigurationError(
            f"{source.where}: source {source.name!r} uses ${{{name}}}, and {name} is not set",
            hint=f"Set {name}, write a default as ${{{name}:-…}}, or add requires_env: [{name}] "
            "to leave the source out without it",
        ) from None
    return expanded
