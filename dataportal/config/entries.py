"""Reads the entries of sources.yaml into typed sources, and collects every problem on the way."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.config.keys import GROUP, MEMBER, METADATA, OPTIONS, SINGLE, keys_by_any_name
from dataportal.config.sources import DEFAULT_SCHEDULE, Source
from dataportal.config.yaml_nodes import Document, Mapping, Scalar, Sequence, is_null
from dataportal.errors import Problem
from dataportal.redaction import harmless, redact
from dataportal.series import SeriesDescription, is_name
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping as ReadOnly
    from collections.abc import Sequence as KeySequence
    from pathlib import Path

    from dataportal.config.keys import KeysByName
    from dataportal.config.yaml_nodes import Entry, Faults, Node

    KeyPath = KeySequence[str | int]

_SECTIONS = ("timeseries", "request_groups")
_SINGLE = keys_by_any_name(SINGLE | OPTIONS)
_GROUP = keys_by_any_name(GROUP | OPTIONS)
_METADATA = keys_by_any_name(METADATA | OPTIONS)
_MEMBER = keys_by_any_name(MEMBER)
_MEMBER_METADATA = keys_by_any_name(METADATA)
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
    """Reads one document; notes what is wrong and goes on.

    Args:
        document: the file.
        env: the environment; only asked which variables are set.
    """

    def __init__(self, document: Document, env: ReadOnly[str, str]) -> None:
        self._document = document
        self._env = env
        self._problems: list[tuple[int, int, Problem]] = []
        self._prefixes: dict[str, tuple[str, Node]] = {}
        self.warnings: list[str] = []

    def problems(self) -> list[Problem]:
        """All problems, in the order of the file."""
        return [problem for _, _, problem in sorted(self._problems, key=lambda p: p[:2])]

    def sources(self) -> list[Source]:
        """The entries that can be used."""
        root = self._document.root
        if root is None or is_null(root):
            return []
        if not isinstance(root, Mapping):
            self._report(root, f"the file must begin with {' or '.join(_SECTIONS)}")
            return []
        sources: dict[str, tuple[Scalar, Source | None]] = {}
        for section, content in self._entries(root, None):
            if section.text.startswith("x-"):
                continue  # a place for anchors
            if section.text not in _SECTIONS:
                self._report(
                    section, f"unknown key {section.text!r}{_suggestion(section.text, _SECTIONS)}"
                )
                continue
            if is_null(content):
                continue
            if not isinstance(content, Mapping):
                self._report(content, f"{section.text} must map names to sources")
                continue
            for key, node in self._entries(content, None, naming_sources=True):
                name = key.text
                if name in sources:
                    other = self._document.where(sources[name][0])
                    self._report(key, f"the name is taken by the source at {other}", name)
                    continue
                source = self._source(key, node, is_group=section.text == "request_groups")
                sources[name] = (key, source)
        broken = {problem.source for _, _, problem in self._problems}
        return [s for name, (_, s) in sources.items() if s is not None and name not in broken]

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
        owner, first = self._prefixes.setdefault(prefix, (source, node))
        if first is not node:
            where = self._document.where(first)
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
            raw = self._document.value(content, faults)
            if key.text not in names:
                unknown[key.text] = raw
                if open_ended and not _is_finite(raw):
                    faults.append((content, "metadata cannot hold a number that is not finite"))
                nodes.setdefault(key.text, key)
                self._report_unknown(key, names, source, open_ended=open_ended)
            elif raw is not None:
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

    def _report_unknown(
        self, key: Scalar, known: KeysByName, source: str, *, open_ended: bool
    ) -> None:
        name = key.text
        if not open_ended:
            self._report(key, f"unknown key {name!r}{_suggestion(name, known)}", source)
        elif close := _closest_match(name, known, cutoff=_ALIKE):
            self.warnings.append(
                f"{self._document.where(key)}: {name!r} is kept as metadata; "
                f"did you mean {close!r}?"
            )

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
        found = (node.mark.line, node.mark.column, problem)
        # what lies in several mappings is looked at in each
        if found not in self._problems:
            self._problems.append(found)


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
    return SeriesDescription(
        endpoint_prefix=prefix,
        update_frequency=format_duration(options.get("schedule", DEFAULT_SCHEDULE)),
        ts_timezone=options.get("timezone"),
        metadata=metadata,
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
