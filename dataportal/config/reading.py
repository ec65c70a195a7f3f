"""From the nodes of sources.yaml to typed sources, with every problem found on the way."""

from __future__ import annotations

import stat
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml

from dataportal.config.keys import GROUP, MEMBER, METADATA, OPTIONS, SINGLE
from dataportal.config.nodes import read_document
from dataportal.config.sources import DEFAULT_SCHEDULE, Configuration, Series, Source
from dataportal.config.variables import remember_secrets_of
from dataportal.errors import ConfigurationError, Problem
from dataportal.redaction import harmless, redact
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dataportal.config.keys import Key
    from dataportal.config.nodes import Document, Entry, Node

_SECTIONS = ("timeseries", "request_groups")
_LONGEST_NAME = 200
_ALIKE = 0.85  # for a key that may be meant as it stands: only what is plainly a slip


def load(path: Path, env: Mapping[str, str]) -> Configuration:
    """What sources.yaml says. An entry that cannot be used is left out, and reported.

    Args:
        path: the file.
        env: the environment; only asked which variables are set.

    Raises:
        ConfigurationError: the file cannot be read as a whole, or none of its entries can be used;
            `problems` lists everything found.
    """
    document = read_document(path)
    reading = _Reading(document, env)
    sources = reading.sources()
    problems = reading.sorted_problems()
    if any(problem.source is None for problem in problems) or (problems and not sources):
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError(f"{path} cannot be used: {count}", problems=problems)
    if not sources:
        raise ConfigurationError(
            f"{path} names no source",
            hint="Add an entry under timeseries: or request_groups:, as README shows",
        )
    remember_secrets_of(env, (name for source in sources for name in source.requires_env))
    warnings = [*_warnings_about(path), *reading.warnings]
    return Configuration(path, tuple(sources), tuple(problems), tuple(warnings))


def _warnings_about(path: Path) -> Iterable[str]:
    if path.stat().st_mode & stat.S_IWOTH and path.is_file():
        yield (
            f"everybody may write {path}, and it names code that is run: take that right away "
            "with chmod o-w"
        )


class _Reading:
    """Reads one document; notes what is wrong and goes on."""

    def __init__(self, document: Document, env: Mapping[str, str]) -> None:
        self._document = document
        self._env = env
        self._problems: list[tuple[int, int, Problem]] = []
        self._prefixes: dict[str, tuple[str, str]] = {}
        self.warnings: list[str] = []

    def sorted_problems(self) -> list[Problem]:
        """All problems, in the order of the file."""
        return [problem for _, _, problem in sorted(self._problems, key=lambda p: p[:2])]

    def sources(self) -> list[Source]:
        """The entries that can be used."""
        root = self._document.root
        if root is None:
            return []
        if not isinstance(root, yaml.MappingNode):
            self._problem(root, f"the file must begin with {' or '.join(_SECTIONS)}")
            return []
        found: dict[str, tuple[Entry, Source | None]] = {}
        for section in self._entries(root, None):
            if section.key.startswith("x-"):
                continue  # a place for anchors
            if section.key not in _SECTIONS:
                self._problem(
                    section.key_node, f"unknown key {section.key!r}{_near(section.key, _SECTIONS)}"
                )
                continue
            if section.value.tag.endswith(":null"):
                continue
            if not isinstance(section.value, yaml.MappingNode):
                self._problem(section.value, f"{section.key} must map names to sources")
                continue
            for entry in self._entries(section.value, None, naming_sources=True):
                if entry.key in found:
                    other = self._document.where(found[entry.key][0].key_node)
                    self._problem(
                        entry.key_node, f"the name is taken by the source at {other}", entry.key
                    )
                    continue
                source = self._source(entry, is_group=section.key == "request_groups")
                found[entry.key] = (entry, source)
        broken = {problem.source for _, _, problem in self._problems}
        return [s for name, (_, s) in found.items() if s is not None and name not in broken]

    def _source(self, entry: Entry, *, is_group: bool) -> Source | None:
        name = entry.key
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            self._problem(entry.key_node, "a name is a short printable text", name)
        if not isinstance(entry.value, yaml.MappingNode):
            self._problem(entry.value, "a source is a mapping with module, class …", name)
            return None
        known = GROUP if is_group else SINGLE
        said, where, _ = self._mapping(entry.value, {**known, **OPTIONS}, name)
        for required in ("module", "class"):
            if not said.get(required):
                self._problem(entry.key_node, f"source {name!r} has no {required}", name)
        options = {key: value for key, value in said.items() if key in OPTIONS}
        if is_group:
            series = self._members(where.get("timeseries"), entry, name)
            metrics: tuple[str, ...] = ()
        else:
            one, metrics = self._single(where.get("metadata"), entry, options)
            series = (one,)
        schedule = options.get("schedule")
        required_env = options.get("requires_env", ())
        text = where["schedule"].value if "schedule" in where else None
        return Source(
            name=name,
            where=self._document.where(entry.key_node),
            module=said.get("module") or "",
            class_name=said.get("class") or "",
            is_group=is_group,
            series=series,
            params=said.get("request_params" if is_group else "default_params") or {},
            options=options,
            schedule_text=text or format_duration(schedule or DEFAULT_SCHEDULE),
            missing_env=tuple(n for n in required_env if not self._env.get(n)),
            available_metrics=metrics,
        )

    def _single(
        self, node: Node | None, entry: Entry, options: dict[str, Any]
    ) -> tuple[Series, tuple[str, ...]]:
        """The series of an entry, and its metrics; options in the metadata join `options`."""
        name = entry.key
        said: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        where: dict[str, Node] = {}
        if isinstance(node, yaml.MappingNode):
            said, where, extra = self._mapping(node, {**METADATA, **OPTIONS}, name, open_ended=True)
            for key in [key for key in said if key in OPTIONS]:
                value = said.pop(key)
                if options.setdefault(key, value) != value:
                    self._problem(where[key], f"{key} is given twice, with another value", name)
        metrics = said.pop("available_metrics", None) or ()
        prefix = said.pop("endpoint_prefix", None) or name
        self._claim(prefix, where.get("endpoint_prefix", entry.key_node), name)
        return Series(endpoint_prefix=prefix, extra=extra, **said), metrics

    def _members(self, node: Node | None, entry: Entry, name: str) -> tuple[Series, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            place = node if node is not None else entry.key_node
            self._problem(place, f"group {name!r} needs timeseries, a list of its series", name)
            return ()
        members = (self._member(item, name) for item in node.value)
        return tuple(member for member in members if member is not None)

    def _member(self, node: Node, name: str) -> Series | None:
        if not isinstance(node, yaml.MappingNode):
            self._problem(node, "a series is a mapping with endpoint_prefix …", name)
            return None
        said, where, _ = self._mapping(node, MEMBER, name)
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        if isinstance(metadata := where.get("metadata"), yaml.MappingNode):
            known, places, extra = self._mapping(metadata, METADATA, name, open_ended=True)
            for key in extra.keys() & OPTIONS.keys():
                self.warnings.append(
                    f"{self._document.where(places[key])}: {key} is kept as metadata only; what is "
                    f"meant for the whole group stands beside its schedule"
                )
        known.pop("available_metrics", None)
        prefix = said.get("endpoint_prefix") or known.get("endpoint_prefix")
        known.pop("endpoint_prefix", None)
        if not prefix:
            self._problem(node, "a series of a group needs an endpoint_prefix", name)
            return None
        self._claim(prefix, where.get("endpoint_prefix", node), name)
        return Series(
            endpoint_prefix=prefix,
            extract_filter=said.get("extract_filter") or {},
            extra=extra,
            **known,
        )

    def _claim(self, prefix: str, node: Node, source: str) -> None:
        """Note whose series it is; a name that occurs twice is a problem of the later one."""
        if len(prefix) > _LONGEST_NAME or not prefix.isprintable():
            self._problem(node, "an endpoint_prefix is a short printable text", source)
        if prefix in self._prefixes:
            owner, where = self._prefixes[prefix]
            self._problem(
                node, f"the series {prefix!r} is there already, in {owner!r} at {where}", source
            )
        else:
            self._prefixes[prefix] = (source, self._document.where(node))

    def _mapping(
        self,
        node: yaml.MappingNode,
        keys: Mapping[str, Key],
        source: str,
        *,
        open_ended: bool = False,
    ) -> tuple[dict[str, Any], dict[str, Node], dict[str, Any]]:
        """What a mapping says: parsed values and their nodes by first names, and unknown keys."""
        first_names = {alias: name for name, key in keys.items() for alias in (name, *key.aliases)}
        said: dict[str, Any] = {}
        where: dict[str, Node] = {}
        extra: dict[str, Any] = {}
        for entry in self._entries(node, source):
            name = first_names.get(entry.key)
            faults: list[tuple[Node, str]] = []
            raw = self._document.value(entry.value, faults)
            for place, message in faults:
                self._problem(place, message, source)
            if name is None:
                extra[entry.key] = raw
                where.setdefault(entry.key, entry.key_node)
                self._unknown(entry, first_names, source, open_ended=open_ended)
                continue
            if raw is None or faults:
                continue
            try:
                value = keys[name].parse(_as_written(entry.value, raw))
            except ValueError as error:
                self._problem(entry.value, f"{entry.key}: {error}", source)
                continue
            if name in said and said[name] != value:
                self._problem(
                    entry.key_node, f"{entry.key} and {name} are one thing, given twice", source
                )
            said.setdefault(name, value)
            where.setdefault(name, entry.value)
        return said, where, extra

    def _unknown(
        self, entry: Entry, known: Iterable[str], source: str, *, open_ended: bool
    ) -> None:
        if not open_ended:
            self._problem(
                entry.key_node, f"unknown key {entry.key!r}{_near(entry.key, list(known))}", source
            )
        elif close := get_close_matches(entry.key, list(known), n=1, cutoff=_ALIKE):
            self.warnings.append(
                f"{self._document.where(entry.key_node)}: {entry.key!r} is kept as metadata; "
                f"did you mean {close[0]!r}?"
            )

    def _entries(
        self, node: yaml.MappingNode, source: str | None, *, naming_sources: bool = False
    ) -> list[Entry]:
        faults: list[tuple[Node, str]] = []
        entries = self._document.entries(node, faults)
        for place, message in faults:
            # two sources of one name: which one is meant cannot be known, the others are clear
            named = naming_sources and isinstance(place, yaml.ScalarNode)
            self._problem(place, message, place.value if named else source)
        return entries

    def _problem(self, node: Node, message: str, source: str | None = None) -> None:
        mark = node.start_mark
        said = redact(harmless(message, 300))
        problem = Problem(self._document.where(node), said, source)
        self._problems.append((mark.line, mark.column, problem))


def _as_written(node: Node, raw: Any) -> Any:
    """A number as the text that it is: `name: 1.10` is a text in the end."""
    is_number = isinstance(raw, (int, float)) and not isinstance(raw, bool)
    return node.value if is_number else raw


def _near(key: str, known: Sequence[str]) -> str:
    if close := get_close_matches(key, known, n=1):
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(dict.fromkeys(known))}"
