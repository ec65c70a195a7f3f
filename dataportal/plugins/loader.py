"""Finds and imports plugin classes by their names in sources.yaml.

A module `src.X.Y`, in YAML and in plugin code alike, is `dataportal.X.Y` where that exists, else
`src/X/Y.py` beside sources.yaml, else `Y.py` there. That folder is also the last one on the import
path. An alias is an entry in `sys.modules`, never a second copy of a module.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
import traceback
from difflib import get_close_matches
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.errors import ConfigurationError, DataportalError, PluginError
from dataportal.plain_answers import plain_error
from dataportal.process_state import note_process_state
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

P = TypeVar("P")
_PREFIX = "src"
_lock = threading.RLock()
_foreign_modules: set[str] = set()


def load_class(module: str, name: str, kind: type[P], *, root: Path) -> type[P]:
    """The plugin class of that name.

    Args:
        module: as in sources.yaml.
        name: of the class.
        kind: what it must be derived from.
        root: the folder of sources.yaml.

    Raises:
        ConfigurationError: no such module, no such class in it, or a class of another kind.
        PluginError: the module fails to import; names the line.
    """
    _search_in(root)
    if not module.startswith("dataportal."):
        note_process_state()
        _foreign_modules.add(module)
    imported = _import(module, root)
    cls = getattr(imported, name, None)
    if cls is None:
        classes = {
            class_name: value
            for class_name, value in vars(imported).items()
            if isinstance(value, type) and issubclass(value, kind)
        }
        own = [n for n, value in classes.items() if value.__module__ == imported.__name__]
        near = get_close_matches(name, own, n=1) or own[:3]
        raise ConfigurationError(
            f"module {module} has no class {name}",
            hint=f"Did you mean {' or '.join(near)}?" if near else None,
        )
    if not isinstance(cls, type) or not issubclass(cls, kind):
        raise ConfigurationError(
            f"{module}.{name} is not derived from {kind.__name__}",
            hint="An entry under timeseries: needs a BasePlugin, one under request_groups: a "
            "MultiSeriesPlugin, both from dataportal.plugins.base_plugin",
        )
    return cls


def has_foreign_code() -> bool:
    """Whether a module from elsewhere was imported, or tried to be."""
    return bool(_foreign_modules)


def make_plugin(cls: type[P], *arguments: Any) -> P:
    """An object of a plugin class.

    Raises:
        ConfigurationError: it refuses its parameters with a ValueError.
        PluginError: it fails otherwise.
    """
    what = f"the plugin {cls.__module__}.{cls.__name__} cannot be made"
    try:
        return cls(*arguments)
    except DataportalError as error:
        if is_built_in(cls):
            raise
        raise plain_error(error) or plugin_fault(what, error) from error
    except ValueError as error:
        raise ConfigurationError(redact(harmless(_text(error), 1000))) from error
    except BaseException as error:
        raise plugin_fault(what, error) from error


def is_built_in(cls: type[object]) -> bool:
    """Whether a plugin class is one of ours."""
    return cls.__module__.startswith("dataportal.")


def _import(module: str, root: Path) -> ModuleType:
    try:
        is_there = _target(module) is not None if _is_alias(module) else _exists(module)
    except DataportalError:
        raise
    except BaseException as error:
        raise plugin_fault(f"the module {module} cannot be imported", error) from error
    if not is_there:
        raise ConfigurationError(f"there is no module {module}", hint=_hint(module, root))
    try:
        return importlib.import_module(module)
    except BaseException as error:
        # also a SystemExit: a plugin must not end the run of the others
        raise plugin_fault(f"the module {module} cannot be imported", error) from error


def _hint(module: str, root: Path) -> str:
    near: Sequence[str] = ()
    if _is_alias(module) or module.startswith("dataportal."):
        folder = str(Path(__file__).parent / "data_sources")
        ours = {m.name: f"dataportal.plugins.data_sources.{m.name}" for m in iter_modules([folder])}
        near = [ours[n] for n in get_close_matches(module.rpartition(".")[2], list(ours), n=1)]
    if near:
        return f"Did you mean {near[0]}?"
    if not _is_alias(module):
        return f"It must be installed, or lie in {root}"
    tail = module.split(".")
    return (
        f"Looked for dataportal.{'.'.join(tail[1:])}, {Path(*tail)}.py and {tail[-1]}.py in {root}"
    )


def plugin_fault(what: str, error: BaseException) -> PluginError:
    """The report of what escaped a plugin's own code, with its last line outside of this module."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<frozen")
    ]
    location = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    if isinstance(error, SyntaxError) and error.filename:
        location = f" ({error.filename}:{error.lineno})"
    reason = redact(harmless(f"{type(error).__name__}: {_text(error)}".rstrip(": "), 300))
    missing = isinstance(error, ModuleNotFoundError) and error.name
    hint = f"Install what it needs: {error.name}" if missing else None  # type: ignore[attr-defined]
    return PluginError(f"{what}: {reason}{location}", hint=hint)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - an error of a plugin's own class, with a text of its own
        return ""


def _is_alias(module: str) -> bool:
    return module == _PREFIX or module.startswith(f"{_PREFIX}.")


def _exists(module: str) -> bool:
    """Whether there is such a module; imports the packages that it is in."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError as error:
        if error.name and module.startswith(f"{error.name}."):
            return False
        raise


def _target(module: str) -> str | Path | None:
    """What a module `src…` stands for: another module's name, a file, or nothing."""
    _, _, rest = module.partition(".")
    if not rest:
        return None
    if _exists(f"dataportal.{rest}"):
        return f"dataportal.{rest}"
    parts = rest.split(".")
    if _finder.root is None:
        return None
    beside = _finder.root / _PREFIX
    for file in (
        beside.joinpath(*parts).with_suffix(".py"),
        beside.joinpath(*parts, "__init__.py"),
    ):
        if file.is_file():
            return file
    file = _finder.root / f"{parts[-1]}.py"
    if file.is_file():
        plain = importlib.util.find_spec(parts[-1])
        # a file that is named like an installed module is only found as what it is called here
        is_same = (
            plain is not None and plain.origin and Path(plain.origin).resolve() == file.resolve()
        )
        return parts[-1] if is_same else file
    return None


class _Alias(importlib.abc.Loader):
    """Lets the import system find a module under a second name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: importlib.machinery.ModuleSpec | None = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        del spec
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # the import system has just written the alias's spec into it
        module.__spec__ = self._spec


class _Finder(importlib.abc.MetaPathFinder):
    """Finds `src` and all below it."""

    root: Path | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if not _is_alias(fullname):
            return None
        module_or_file = _target(fullname)
        if isinstance(module_or_file, str):
            return importlib.machinery.ModuleSpec(fullname, _Alias(module_or_file))
        if module_or_file is not None:
            folder = [str(module_or_file.parent)] if module_or_file.name == "__init__.py" else None
            return importlib.util.spec_from_file_location(
                fullname, module_or_file, submodule_search_locations=folder
            )
        # a package without a file, so that what is below it can be found
        package = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
        package.submodule_search_locations = []
        return package


_finder = _Finder()


def _search_in(root: Path) -> None:
    """Find modules beside sources.yaml from now on, and those of another one no more."""
    with _lock:
        root = root.resolve()
        if _finder.root == root:
            return
        before, _finder.root = _finder.root, root
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
        if before is not None:
            _forget(before)
        sys.path.append(str(root))
        importlib.invalidate_caches()


def _forget(root: Path) -> None:
    if str(root) in sys.path:
        sys.path.remove(str(root))
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if _is_alias(name) or (file and Path(file).parent == root and "." not in name):
            del sys.modules[name]
