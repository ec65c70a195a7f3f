"""Finds the files that `include:` names, and reads each of them once.

include:
  - package:catalogue/ecb.yaml
  - file: more/weather.yaml
    only: [dwd-*, hydrology]
    except: [dwd-wind]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataportal.config.yaml_nodes import Mapping, Scalar, Sequence, is_null
from dataportal.config.yaml_parser import read_document
from dataportal.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataportal.config.yaml_nodes import Document, Faults, Node

CATALOGUE = Path(__file__).resolve().parent.parent / "catalogue"
"""The folder of the files that are shipped, one a provider."""
_PACKAGE = "package:"
_KEYS = ("file", "only", "except")
_SHIPPED = re.compile(r"package:catalogue/[a-z0-9-]+\.yaml")


def catalogue_files() -> list[str]:
    """The names by which the shipped files are included, such as `package:catalogue/ecb.yaml`."""
    return sorted(f"{_PACKAGE}catalogue/{path.name}" for path in CATALOGUE.glob("*.yaml"))


@dataclass(frozen=True, slots=True)
class Include:
    """A file that another one includes.

    Attributes:
        node: where it is named.
        path: of the file, as messages show it.
        file: the file itself.
        real: the same without symbolic links, which tells files apart.
        only: names, globs or tags of the sources wanted, with their nodes; None for all.
        but: the same of those not wanted.
    """

    node: Scalar
    path: Path
    file: Path
    real: Path
    only: tuple[Scalar, ...] | None = None
    but: tuple[Scalar, ...] | None = None

    @property
    def patterns(self) -> tuple[Scalar, ...]:
        """All the names, globs and tags."""
        return (*(self.only or ()), *(self.but or ()))


@dataclass(slots=True)
class IncludedFiles:
    """The files read by now, by what they really are: one that two files include is read once.

    Attributes:
        documents: by the file without symbolic links.
        order: the paths, as messages show them, in the order in which they were read.
    """

    documents: dict[Path, Document] = field(default_factory=dict)
    order: list[Path] = field(default_factory=list)

    def add(self, document: Document, real: Path) -> None:
        """Note a file that has been read."""
        self.documents[real] = document
        self.order.append(document.path)

    def read(self, include: Include) -> Document:
        """The content of an included file.

        Raises:
            ConfigurationError: it cannot be read, or is no YAML.
        """
        known = self.documents.get(include.real)
        if known is not None:
            return known
        document = read_document(include.path, file=include.file)
        self.add(document, include.real)
        return document


def includes_of(document: Document, file: Path, node: Node, faults: Faults) -> Iterator[Include]:
    """What `include:` names, one after another; what is wrong with it is added to `faults`.

    Args:
        document: the file in which it stands.
        file: that file itself; a relative path starts at its folder.
        node: the value of `include`.
        faults: what is wrong, and where.
    """
    for item in node.content if isinstance(node, Sequence) else [node]:
        values: dict[str, Node] = {"file": item}
        if isinstance(item, Mapping):
            values = _values(document, item, faults)
        name = values.get("file")
        if name is None or is_null(item):
            continue
        if not isinstance(name, Scalar) or not name.text.strip():
            faults.append((name, "an include is the name of a file"))
            continue
        include = _include(document.path, file, name, faults)
        if include is not None:
            only, but = (_patterns(key, values, faults) for key in ("only", "except"))
            yield replace(include, only=only, but=but)


def _values(document: Document, item: Mapping, faults: Faults) -> dict[str, Node]:
    """The values of `file`, `only` and `except`."""
    values: dict[str, Node] = {}
    for key, value in document.entries(item, faults):
        values[key.text] = value
        if key.text not in _KEYS:
            faults.append((key, f"unknown key {key.text!r}; known are {', '.join(_KEYS)}"))
    if "file" not in values:
        faults.append((item, "an include needs file, the file that is meant"))
    return values


def _patterns(key: str, values: dict[str, Node], faults: Faults) -> tuple[Scalar, ...] | None:
    if key not in values:
        return None
    node = values[key]
    items = node.content if isinstance(node, Sequence) else [node]
    patterns = tuple(item for item in items if isinstance(item, Scalar) and not is_null(item))
    if len(patterns) < len(items) or not patterns:
        faults.append((node, f"{key} is a list of names or tags of sources"))
    return patterns


def _include(path: Path, file: Path, node: Scalar, faults: Faults) -> Include | None:
    """A file by its name; None where there is none."""
    name = node.text.strip()
    if name.startswith(_PACKAGE):
        if _SHIPPED.fullmatch(name) and (shipped := CATALOGUE / name.partition("/")[2]).is_file():
            return Include(node, Path(name), shipped, shipped)
        hint = suggestion(name, catalogue_files(), "See: dataportal list-sources --catalogue")
        faults.append((node, f"the package has no file {name!r}. {hint}"))
        return None
    if "${" in name or "://" in name:
        what = "a variable" if "${" in name else "an address"
        faults.append((node, f"include names a file, and {name!r} has {what} in it"))
        return None
    there = file.parent / name
    try:
        if there.is_file():
            return Include(node, path.parent / name, there, there.resolve())
        is_there = there.exists()
    except (OSError, ValueError):
        is_there = False
    shown = str(path.parent / name)
    if is_there:
        faults.append((node, f"{shown!r} is no file"))
    else:
        hint = "a path starts at the folder of this file"
        faults.append((node, f"the file {shown!r} is not there: {hint}"))
    return None
