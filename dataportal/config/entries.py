"""Reads the entries of sources.yaml into typed sources, and collects every problem on the way.

More than 500 lines, as what keys of an entry mean together is judged in one place.
"""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.config.includes import CATALOGUE, IncludedFiles, includes_of
from dataportal.config.keys import GROUP, MEMBER, METADATA, OPTIONS, SINGLE, keys_by_any_name
from dataportal.config.sources import DEFAULT_SCHEDULE, Source
from dataportal.config.yaml_nodes import (
    TODO_FAULT,
    Document,
    Mapping,
    Scalar,
    Sequence,
    is_null,
    is_todo,
)
from dataportal.errors import ConfigurationError, Problem
from dataportal.redaction import harmless, redact
from dataportal.series import SeriesDescription, is_name
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping as ReadOnly
    from collections.abc import Sequence as KeySequence
    from pathlib import Path

    from dataportal.config.includes import Include
    from dataportal.config.keys import KeysByName
    from dataportal.config.yaml_nodes import Entry, Faults, Node

    KeyPath = KeySequence[str | int]

_SECTIONS = ("timeseries", "request_groups")
_SINGLE = keys_by_any_name(SINGLE | OPTIONS)
_GROUP = keys_by_any_name(GROUP | OPTIONS)
_METADATA = keys_by_any_name(METADATA | OPTIONS)
_MEMBER = keys_by_any_name(MEMBER)
_MEMBER_METADATA = keys_by_any_name(METADATA)
_MUST_BE_KNOWN = {"granularity", "frequency", "timezone"}
"""Of metadata: a name or a description may be called TODO."""
_READ_APART: dict[str, type[Node] | tuple[()]] = {"metadata": Mapping, "timeseries": Sequence}
"""Of an entry: what is in them, and what is wrong with that, is read apart from it."""
_ALIKE = 0.85  # for a key that may be meant as it stands: only what is plainly a slip


class _Content(NamedTuple):
    """What a mapping holds.

    Attributes:
        values: parsed, by the first names of their keys.
        nodes: where each value stands, by the same names; of an unknown key the key itself.
        unknown: the values of all other keys, as YAML has them.
    """

    values: dict[str, Any]
    nodes: dict[str, Node]
    unknown: dict[str, Any]


class EntryReader:
    """Reads one document and those that it includes; notes what is wrong and goes on.

    Args:
        document: the file.
        env: the environment; only asked which variables are set.
    """

    def __init__(self, document: Document, env: ReadOnly[str, str]) -> None:
        self._document = document
        self._file = document.path
        self._folder = document.path.parent.absolute()
        self._env = env
        self._problems: list[tuple[int, int, int, Problem]] = []
        self._prefixes: dict[str, tuple[str, Node, Document]] = {}
        self._names: dict[str, tuple[Scalar, Document]] = {}
        self._sources: dict[str, Source | None] = {}
        self._files = IncludedFiles()
        self._including: tuple[Path, ...] = (document.path.resolve(),)
        self._files.add(document, self._including[0])
        self._filters: tuple[tuple[bool, tuple[Scalar, ...]], ...] = ()
        self._matching: set[Scalar] = set()
        self._whole: set[Path] = set()
        self._likely_keys: dict[tuple[str, int], str | None] = {}
        self.warnings: list[str] = []

    def problems(self) -> list[Problem]:
        """All problems, in the order of the file; those of included files follow."""
        return [problem for *_, problem in sorted(self._problems, key=lambda p: p[:3])]

    def included_files(self) -> list[Path]:
        """The files that are included, but for those that are shipped."""
        _, *included = self._files.documents.items()
        return [document.path for file, document in included if file.parent != CATALOGUE]

    def sources(self) -> list[Source]:
        """The entries that can be used."""
        self._read_entries()
        broken = {problem.source for *_, problem in self._problems}
        return [s for name, s in self._sources.items() if s is not None and name not in broken]

    def _read_entries(self) -> None:
        """Read the entries of a file, or those of them that are wanted."""
        root = self._document.root
        if root is None or is_null(root):
            return
        if not isinstance(root, Mapping):
            self._report(root, f"the file must begin with {' or '.join(_SECTIONS)}")
            return
        for section, content in self._entries(root, None):
            if section.text.startswith("x-"):
                continue  # a place for anchors
            if section.text == "include":
                self._read_includes(content)
            elif section.text not in _SECTIONS:
                hint = _suggestion(section.text, (*_SECTIONS, "include"))
                self._report(section, f"unknown key {section.text!r}{hint}")
            else:
                self._read_section(section, content)

    def _read_section(self, section: Scalar, content: Node) -> None:
        if is_null(content):
            return
        if not isinstance(content, Mapping):
            self._report(content, f"{section.text} must map names to sources")
            return
        for key, node in self._entries(content, None, naming_sources=True):
            if self._is_wanted(key, node):
                self._add(key, node, is_group=section.text == "request_groups")

    def _add(self, key: Scalar, node: Node, *, is_group: bool) -> None:
        """Read an entry; one of a file that is included twice is there already."""
        name = key.text
        first, document = self._names.setdefault(name, (key, self._document))
        if name not in self._sources:
            self._sources[name] = self._source(key, node, is_group=is_group)
        elif first is not key:
            where = document.where(first)
            self._report(key, f"the name is taken by the source at {where}", name)

    def _is_wanted(self, key: Scalar, node: Node) -> bool:
        """Whether all the `only` that lead to an entry, and no `except`, match its name or tags."""
        if not self._filters:
            return True
        words = (key.text, *self._tags(node))
        is_wanted = True
        for matches_wanted, patterns in self._filters:
            matching = {p for p in patterns if any(fnmatchcase(word, p.text) for word in words)}
            self._matching |= matching
            is_wanted = is_wanted and bool(matching) == matches_wanted
        return is_wanted

    def _tags(self, node: Node) -> list[str]:
        """The tags of an entry that is not read yet; those that cannot be read are none."""
        for name in ("tags", "metadata", "tags"):
            if not isinstance(node, Mapping):
                return []
            values = {key.text: value for key, value in self._document.entries(node, [])}
            if name in values:
                node = values[name]
                if name == "tags":
                    items = node.content if isinstance(node, Sequence) else [node]
                    return [item.text.strip() for item in items if isinstance(item, Scalar)]
        return []

    def _read_includes(self, node: Node) -> None:
        """Read the files that `include` names, each as if its entries stood here."""
        faults: Faults = []
        for include in includes_of(self._document, self._file, node, faults):
            self._read_include(include)
        for fault_node, message in faults:
            self._report(fault_node, message)

    def _read_include(self, include: Include) -> None:
        real, including = include.real, self._including
        if real in including:
            circle = [*including[including.index(real) :], real]
            paths = " → ".join(str(self._files.documents[path].path) for path in circle)
            self._report(include.node, f"the files include each other: {paths}")
            return
        try:
            document = self._files.read(include)
        except ConfigurationError as error:
            self._problems += [(len(self._files.order), 0, 0, p) for p in error.problems]
            self._report(include.node, f"{error}")
            return
        outer = self._document, self._file, self._folder, self._including, self._filters
        self._document, self._file, self._folder = document, include.file, include.file.parent
        self._including = (*including, real)
        if include.only is not None:
            self._filters = (*self._filters, (True, include.only))
        if include.but is not None:
            self._filters = (*self._filters, (False, include.but))
        try:
            # what has been read without a filter is there already
            if self._filters or real not in self._whole:
                self._read_entries()
            if not self._filters:
                self._whole.add(real)
        finally:
            self._document, self._file, self._folder, self._including, self._filters = outer
        for pattern in include.patterns:
            if pattern not in self._matching:
                message = f"{pattern.text!r} matches no source and no tag in {include.path}"
                self._report(pattern, message)

    def _source(self, key: Scalar, node: Node, *, is_group: bool) -> Source | None:
        name = key.text
        if not is_name(name):
            self._report(key, "a name is a short printable text", name)
        if not isinstance(node, Mapping):
            self._report(node, "a source is a mapping with module, class …", name)
            return None
        values, nodes, _ = self._content(node, _GROUP if is_group else _SINGLE, name)
        for required in ("module", "class"):
            if not values.get(required):
                self._report(key, f"source {name!r} has no {required}", name)
        options = {key: value for key, value in values.items() if key in OPTIONS}
        series: tuple[SeriesDescription, ...]
        filters: dict[str, ReadOnly[str, Any]] = {}
        metrics: tuple[str, ...] = ()
        if is_group:
            series, filters = self._members(nodes.get("timeseries"), key, options)
        else:
            single, metrics = self._single(nodes.get("metadata"), key, options)
            series = (single,)
        schedule = options.get("schedule")
        required_env = options.get("requires_env", ())
        schedule_node = nodes.get("schedule")
        schedule_text = schedule_node.text if isinstance(schedule_node, Scalar) else None
        return Source(
            name=name,
            where=self._document.where(key),
            file=self._document.path,
            folder=self._folder,
            module=values.get("module") or "",
            class_name=values.get("class") or "",
            is_group=is_group,
            series=series,
            extract_filters=filters,
            params=values.get("request_params" if is_group else "default_params") or {},
            options=options,
            schedule_text=schedule_text or format_duration(schedule or DEFAULT_SCHEDULE),
            missing_env=tuple(n for n in required_env if not self._env.get(n)),
            available_metrics=metrics,
            find_param=partial(
                _find_param,
                self._document.path,
                _key_of(node, "request_params" if is_group else "default_params"),
                nodes.get("request_params" if is_group else "default_params"),
                nodes.get("timeseries"),
            ),
        )

    def _single(
        self, node: Node | None, key: Scalar, options: dict[str, Any]
    ) -> tuple[SeriesDescription, tuple[str, ...]]:
        """The series of an entry, and its metrics; options in the metadata join `options`."""
        name = key.text
        values, nodes, unknown = _Content({}, {}, {})
        if isinstance(node, Mapping):
            values, nodes, unknown = self._content(node, _METADATA, name, open_ended=True)
            for option in [option for option in values if option in OPTIONS]:
                value = values.pop(option)
                if options.setdefault(option, value) != value:
                    self._report(
                        nodes[option], f"{option} is given twice, with another value", name
                    )
        metrics = values.pop("available_metrics", None) or ()
        prefix = values.pop("endpoint_prefix", None) or name
        self._claim(prefix, nodes.get("endpoint_prefix", key), name)
        return _description(prefix, values, unknown, options), metrics

    def _members(
        self, node: Node | None, key: Scalar, options: dict[str, Any]
    ) -> tuple[tuple[SeriesDescription, ...], dict[str, ReadOnly[str, Any]]]:
        """The series of a group, and the extract_filter of each by its endpoint_prefix."""
        name = key.text
        if not isinstance(node, Sequence) or not node.content:
            fault_node = key if node is None else node
            self._report(fault_node, f"group {name!r} needs timeseries, a list of its series", name)
            return (), {}
        series: list[SeriesDescription] = []
        filters: dict[str, ReadOnly[str, Any]] = {}
        for item in node.content:
            member = self._member(item, name, options)
            if member is not None:
                description, extract_filter = member
                series.append(description)
                filters[description.endpoint_prefix] = extract_filter
        return tuple(series), filters

    def _member(
        self, node: Node, name: str, options: dict[str, Any]
    ) -> tuple[SeriesDescription, ReadOnly[str, Any]] | None:
        if not isinstance(node, Mapping):
            self._report(node, "a series is a mapping with endpoint_prefix …", name)
            return None
        values, nodes, _ = self._content(node, _MEMBER, name)
        known, known_nodes, unknown = _Content({}, {}, {})
        if isinstance(metadata := nodes.get("metadata"), Mapping):
            known, known_nodes, unknown = self._content(
                metadata, _MEMBER_METADATA, name, open_ended=True
            )
            for key in unknown.keys() & OPTIONS.keys():
                self.warnings.append(
                    f"{self._document.where(known_nodes[key])}: {key} is kept as metadata only; "
                    f"what is meant for the whole group stands beside its schedule"
                )
        known.pop("available_metrics", None)
        prefix = values.get("endpoint_prefix") or known.get("endpoint_prefix")
        known.pop("endpoint_prefix", None)
        if not prefix:
            self._report(node, "a series of a group needs an endpoint_prefix", name)
            return None
        self._claim(prefix, nodes.get("endpoint_prefix", node), name)
        description = _description(prefix, known, unknown, options)
        return description, values.get("extract_filter") or {}

    def _claim(self, prefix: str, node: Node, source: str) -> None:
        """Note whose series it is; a name that occurs twice is a problem of the later one."""
        if not is_name(prefix):
            self._report(node, "an endpoint_prefix is a short printable text", source)
        claim = (source, node, self._document)
        owner, first, document = self._prefixes.setdefault(prefix, claim)
        if first is not node:
            where = document.where(first)
            self._report(
                node, f"the series {prefix!r} is there already, in {owner!r} at {where}", source
            )

    def _content(
        self,
        node: Mapping,
        names: KeysByName,
        source: str,
        *,
        open_ended: bool = False,
    ) -> _Content:
        """What a mapping holds, by the first names of its keys.

        Args:
            node: the mapping.
            names: the keys that it may have.
            source: the entry concerned, for problems.
            open_ended: whether any other key is fine.
        """
        values: dict[str, Any] = {}
        nodes: dict[str, Node] = {}
        unknown: dict[str, Any] = {}
        faults: Faults = []
        for key, content in self._entries(node, source):
            is_known = key.text in names
            if is_known and not open_ended and isinstance(content, _READ_APART.get(key.text, ())):
                nodes.setdefault(key.text, content)
                self._check_tags(content, faults)
                continue
            count = len(faults)
            raw = self._document.value(content, faults)
            if open_ended and len(faults) > count and key.text not in _MUST_BE_KNOWN:
                faults[count:] = [fault for fault in faults[count:] if fault[1] is not TODO_FAULT]
            if not is_known:
                unknown[key.text] = raw
                if open_ended and not _is_finite(raw):
                    faults.append((content, "metadata cannot hold a number that is not finite"))
                nodes.setdefault(key.text, key)
                self._report_unknown(key, names, source, open_ended=open_ended)
            elif raw is not None and not is_todo(content):
                name, parse = names[key.text]
                try:
                    value = parse(_number_as_text(content, raw))
                except ValueError as error:
                    self._report(content, f"{key.text}: {error}", source)
                    continue
                if values.setdefault(name, value) != value:
                    self._report(key, f"{key.text} and {name} are one thing, given twice", source)
                nodes.setdefault(name, content)
        for fault_node, message in faults:
            self._report(fault_node, message, source)
        return _Content(values, nodes, unknown)

    def _check_tags(self, node: Node, faults: Faults) -> None:
        """Note tags without a meaning, of a mapping or of a list and what is in it."""
        for part in (node, *(node.content if isinstance(node, Sequence) else ())):
            self._document.check_tag(part, faults)

    def _report_unknown(
        self, key: Scalar, known: KeysByName, source: str, *, open_ended: bool
    ) -> None:
        name = key.text
        if not open_ended:
            self._report(key, f"unknown key {name!r}{_suggestion(name, known)}", source)
        elif close := self._likely_key(name, known):
            self.warnings.append(
                f"{self._document.where(key)}: {name!r} is kept as metadata; "
                f"did you mean {close!r}?"
            )

    def _likely_key(self, name: str, known: KeysByName) -> str | None:
        """The key that one kept as metadata may be a slip of; asked once for many series."""
        question = (name, len(known))
        if question not in self._likely_keys:
            self._likely_keys[question] = _closest_match(name, known, cutoff=_ALIKE)
        return self._likely_keys[question]

    def _entries(
        self, node: Mapping, source: str | None, *, naming_sources: bool = False
    ) -> list[Entry]:
        faults: Faults = []
        entries = self._document.entries(node, faults)
        for fault_node, message in faults:
            # two sources of one name: which one is meant cannot be known, the others are clear
            if naming_sources and isinstance(fault_node, Scalar):
                self._report(fault_node, message, fault_node.text)
            else:
                self._report(fault_node, message, source)
        return entries

    def _report(self, node: Node, message: str, source: str | None = None) -> None:
        problem = Problem(self._document.where(node), redact(harmless(message, 300)), source)
        number = self._files.order.index(self._document.path)
        entry = (number, node.mark.line, node.mark.column, problem)
        # what lies in several mappings is looked at in each
        if entry not in self._problems:
            self._problems.append(entry)


def _key_of(node: Mapping, name: str) -> Node | None:
    """The key of that name; None where it comes with a merge key."""
    keys = (key for key in node.content[::2] if isinstance(key, Scalar) and key.text == name)
    return next(keys, None)


def _find_param(
    path: Path, key: Node | None, params: Node | None, members: Node | None, keys: KeyPath
) -> str | None:
    """Where a key of the parameters stands; only asked where something is wrong with it.

    Of keys that lead nowhere the last one that there is; without any the parameters themselves.
    What is wrong with a mapping or a list stands in it, and it may begin in the next line.

    Args:
        path: the file.
        key: that of the parameters.
        params: the parameters.
        members: the series of a group.
        keys: those that lead to a parameter.
    """
    # without its root: a large file must not stay in memory for the sake of its marks
    document, place = Document(path, None), None
    is_of_member = keys[:1] == ("timeseries",) and isinstance(keys[1] if keys[1:] else None, int)
    node, names = (members, keys[1:]) if is_of_member else (params, keys)
    if not names and isinstance(params, Mapping) and params.content:
        place = document.where(key or params)
    for name in names:
        if isinstance(node, Sequence) and isinstance(name, int) and name < len(node.content):
            node = node.content[name]
            place = document.where(node)
            continue
        entries = document.entries(node, []) if isinstance(node, Mapping) else []
        entry = next((entry for entry in entries if entry[0].text == str(name)), None)
        if entry is None:
            break
        entry_key, node = entry
        place = document.where(entry_key)
    else:
        if names and node is not None and not isinstance(node, Scalar):
            place = document.where(node)
    return place


def _description(
    prefix: str, values: dict[str, Any], metadata: dict[str, Any], options: dict[str, Any]
) -> SeriesDescription:
    """A series by its own metadata and by the options of its source."""
    stated = values.pop("availability", None) or options.get("availability")
    return SeriesDescription(
        endpoint_prefix=prefix,
        update_frequency=format_duration(options.get("schedule", DEFAULT_SCHEDULE)),
        ts_timezone=options.get("timezone"),
        metadata=metadata,
        availability=None if stated is None else stated.record(options.get("timezone")),
        **values,
    )


def _is_finite(value: object) -> bool:
    """Whether every number in it is, as JSON has no others."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or isfinite(value)


def _number_as_text(node: Node, raw: Any) -> Any:
    """A number as it is written, anything else as it is: `name: 1.10` is a text in the end."""
    is_number = isinstance(raw, (int, float)) and not isinstance(raw, bool)
    return node.text if is_number and isinstance(node, Scalar) else raw


def _suggestion(key: str, known: Collection[str]) -> str:
    """The end of a message about an unknown key: `; did you mean …?`, or all that are known."""
    if close := _closest_match(key, known):
        return f"; did you mean {close!r}?"
    return f"; known are {', '.join(dict.fromkeys(known))}"


def _closest_match(key: str, known: Collection[str], *, cutoff: float = 0.6) -> str | None:
    """The known key that resembles this one most; None where none does."""
    return next(iter(get_close_matches(key, list(known), n=1, cutoff=cutoff)), None)
