"""Makes the plugin of a source: imports its class, expands its parameters, finds its limits."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dataportal.config.variables import expand
from dataportal.errors import ConfigurationError, DataportalError
from dataportal.plugins.base_plugin import (
    BasePlugin,
    MultiSeriesPlugin,
    TimeSeriesDefinition,
    TimeSeriesMetadata,
)
from dataportal.plugins.loader import is_built_in, load_class, make_plugin, plugin_fault
from dataportal.plugins.parameters.faults import ParameterError, is_of_name, leading_keys
from dataportal.redaction import harmless, redact
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

    from dataportal.config.sources import Limits, Source
    from dataportal.series import SeriesDescription

_Keys = tuple[str | int, ...]
_READINGS = 2**15
"""More are not stored."""

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
        end = " " if faults[-1].endswith("?") else ". "
        self.faults = (*faults[:-1], f"{faults[-1]}{end}{hint}" if hint else faults[-1])


@dataclass(frozen=True, slots=True)
class BuiltPlugin:
    """A plugin ready to be called.

    Attributes:
        plugin: the object.
        limits: how far and how long the runs of its source reach.
        shares_loop: whether it may run in the event loop that all built-in plugins share; any
            other gets a thread of its own.
        reading: the plugin's own number for the way in which it reads its provider.
        identity: changes with everything that decides what an answer means: the plugin and its
            code, the program, parameters, series, zone and limits.
    """

    plugin: BasePlugin | MultiSeriesPlugin
    limits: Limits
    shares_loop: bool
    reading: int
    identity: str


def build_plugin(source: Source, *, env: Mapping[str, str], root: Path) -> BuiltPlugin:
    """The source's plugin, with the environment's variables in its parameters.

    Args:
        source: the source.
        env: what `${VAR}` stands for.
        root: the folder of sources.yaml: modules beside it are found there.

    Raises:
        ConfigurationError: a variable is not set, there is no such module or class, or the plugin
            refuses its parameters.
        PluginError: the plugin cannot be imported or made.
    """
    unset: dict[_Keys, str] = {}
    arguments = _arguments(source, env, unset)
    kind: type[BasePlugin | MultiSeriesPlugin]
    kind = MultiSeriesPlugin if source.is_group else BasePlugin
    cls: type[BasePlugin | MultiSeriesPlugin] | None = None
    try:
        cls = load_class(source.module, source.class_name, kind, root=root)
        limits = source.limits(cls.source_defaults)
        if unset:
            _refuse_unset(source, unset, cls, arguments)
        identity = _identity(cls, arguments, limits)
        plugin = make_plugin(cls, *arguments)
        plugin.config_dir = source.folder or root
        plugin.zone = limits.zone
        shares_loop = is_built_in(cls) and not cls.blocks
        reading = _reading(plugin)
    except PluginParametersError:
        raise
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
    return BuiltPlugin(plugin, limits, shares_loop=shares_loop, reading=reading, identity=identity)


def _refuse_unset(
    source: Source,
    unset: Mapping[_Keys, str],
    cls: type[BasePlugin | MultiSeriesPlugin],
    arguments: tuple[Any, ...],
) -> NoReturn:
    """Raise the error for variables that are not set, and for what else is wrong.

    Args:
        source: the source.
        unset: the variables by the keys that lead to where they stand.
        cls: the plugin's class; only of a built-in one it is known that it does nothing by itself.
        arguments: what it is made with, these variables as they are written.
    """
    located = [
        (keys, f"source {source.name!r} uses ${{{name}}}, and {name} is not set")
        for keys, name in unset.items()
    ]
    if is_built_in(cls):
        try:
            cls(*arguments)
        except ParameterError as error:
            # what a variable would be is not wrong, nor what depends on it
            located += [
                (keys, message)
                for keys, message in error.faults
                if not any(keys[: len(path)] == path or path[: len(keys)] == keys for path in unset)
            ]
        except Exception:  # noqa: BLE001, S110 - with the variables set it may not be so
            pass
    names = list(dict.fromkeys(unset.values()))
    defaults = ", ".join(f"${{{name}:-…}}" for name in names)
    raise PluginParametersError(
        _located_faults(source, located),
        hint=f"Set {' and '.join(names)}, write a default as {defaults}, or add requires_env: "
        f"[{', '.join(names)}] to leave the source out without it",
    )


def _faults(source: Source, error: DataportalError) -> list[str]:
    """What is wrong, a text for each place in the file, with the place."""
    cause = error.__cause__
    if isinstance(cause, ParameterError):
        return _located_faults(source, cause.faults)
    where = source.where_of(leading_keys(error.message))
    return [f"{where}: source {source.name!r}: {error.message}"]


def _located_faults(source: Source, faults: Iterable[tuple[_Keys, str]]) -> list[str]:
    """A text for each place in the file, in the order of the file."""
    by_place: dict[str, list[str]] = {}
    for keys, message in faults:
        # a name is at its own place, and not where the mapping begins that stands under it
        path = (*keys, "") if is_of_name(message) else keys
        place = source.find_param(path) or source.find_param(()) or source.where
        by_place.setdefault(place, []).append(redact(harmless(message, 1000)))
    name = f"source {source.name!r}"
    return [
        f"{place}: {'' if messages[0].startswith(name) else f'{name}: '}{'; '.join(messages)}"
        for place, messages in sorted(by_place.items(), key=lambda item: _position(item[0]))
    ]


def _position(place: str) -> tuple[int, ...]:
    """Line and column of a place in a file."""
    return tuple(int(number) for number in place.rsplit(":", 2)[1:])


def _page_hint(cls: type[BasePlugin | MultiSeriesPlugin]) -> str | None:
    """Where the manual lists the parameters of a built-in plugin."""
    if not is_built_in(cls):
        return None
    name = cls.__module__.rpartition(".")[2].removesuffix("_plugin").replace("_", "-")
    return f"See: dataportal help {_PAGES.get(name, name)}"


def _reading(plugin: BasePlugin | MultiSeriesPlugin) -> int:
    number = plugin.reading
    if type(number) is not int or not 0 < number < _READINGS:
        raise ValueError(f"reading must be a whole number from 1 to {_READINGS - 1}")
    return number


def _identity(cls: type, arguments: tuple[Any, ...], limits: Limits) -> str:
    """What tells this plugin as it is from any other; a hash, as there are keys in `arguments`."""
    module = sys.modules.get(cls.__module__)
    described = repr((__version__, cls.__module__, cls.__qualname__, arguments, limits))
    code = b"" if module is None else _code_hash(module)
    return hashlib.sha256(code + described.encode("utf-8", "replace")).hexdigest()[:32]


@lru_cache(maxsize=64)
def _code_hash(module: ModuleType) -> bytes:
    """The code of a module, hashed, as it was when the first of its plugins was made."""
    file = getattr(module, "__file__", None)
    code = Path(file).read_bytes() if file and Path(file).is_file() else b""
    return hashlib.sha256(code).digest()


def _arguments(source: Source, env: Mapping[str, str], unset: dict[_Keys, str]) -> tuple[Any, ...]:
    """What the plugin's class is called with; variables that are not set are added to `unset`."""
    params = expand(dict(source.params), env, unset=unset.__setitem__)
    if source.is_group:
        definitions = [
            _definition(source, series, number, env, unset)
            for number, series in enumerate(source.series)
        ]
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
    source: Source,
    series: SeriesDescription,
    number: int,
    env: Mapping[str, str],
    unset: dict[_Keys, str],
) -> TimeSeriesDefinition:
    keys = ("timeseries", number, "extract_filter")
    extract_filter = dict(source.extract_filters[series.endpoint_prefix])
    return TimeSeriesDefinition(
        endpoint_prefix=series.endpoint_prefix,
        name=series.name,
        frequency=series.granularity,
        extract_filter=expand(extract_filter, env, keys=keys, unset=unset.__setitem__),
        unit=series.unit,
        domain=series.domain,
        category=series.category,
        description=series.description,
        subcategory=series.subcategory,
        extra=series.metadata,
    )
