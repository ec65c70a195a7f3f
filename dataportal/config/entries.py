"""From the nodes of sources.yaml to typed sources, with every problem found on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.config.keys import GROUP, MEMBER, METADATA, OPTIONS, SINGLE, by_any_name
from dataportal.config.sources import DEFAULT_SCHEDULE, Series, Source
from dataportal.config.suggestions import closest, near
from dataportal.config.yaml_nodes import Mapping, Scalar, Sequence, is_null
from dataportal.errors import Problem
from dataportal.redaction import harmless, redact
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping as ReadOnly

    from dataportal.config.keys import Names
    from dataportal.config.yaml_nodes import Document, Entry, Faults, Node

_SECTIONS = ("timeseries", "request_groups")
_LONGEST_NAME = 200
_SINGLE = by_any_name(SINGLE | OPTIONS)
_GROUP = by_any_name(GROUP | OPTIONS)
_METADATA = by_any_name(METADATA | OPTIONS)
_MEMBER = by_any_name(MEMBER)
_MEMBER_METADATA = by_any_name(METADATA)
_ALIKE = 0.85  # for a key that may be meant as it stands: only what is plainly a slip


class Reading:
    """Reads one document; notes what is wrong and goes on."""

    def __init__(self, document: Document, env: ReadOnly[str, str]) -> None:
        self._document = document
        self._env = env
        self._problems: list[tuple[int, int, Problem]] = []
        self._prefixes: dict[str, tuple[str, Node]] = {}
        self.warnings: list[str] = []

    def sorted_problems(self) -> list[Problem]:
        """All problems, in the order of the file."""
        return [problem for _, _, problem in sorted(self._problems, key=lambda p: p[:2])]

    def sources(self) -> list[Source]:
        """The entries that can be used."""
        root = self._document.root
        if root is None or is_null(root):
            return []
        if not isinstance(root, Mapping):
            self._problem(root, f"the file must begin with {' or '.join(_SECTIONS)}")
            return []
        found: dict[str, tuple[Scalar, Source | None]] = {}
        for section, content in self._entries(root, None):
            if section.text.startswith("x-"):
                continue  # a place for anchors
            if section.text not in _SECTIONS:
                self._problem(
                    section, f"unknown key {section.text!r}{near(section.text, _SECTIONS)}"
                )
                continue
            if is_null(content):
                continue
            if not isinstance(content, Mapping):
                self._problem(content, f"{section.text} must map names to sources")
                continue
            for key, node in self._entries(content, None, naming_sources=True):
                name = key.text
                if name in found:
                    other = self._document.where(found[name][0])
                    self._problem(key, f"the name is taken by the source at {other}", name)
                    continue
                source = self._source(key, node, is_group=section.text == "request_groups")
                found[name] = (key, source)
        broken = {problem.source for _, _, problem in self._problems}
        return [s for name, (_, s) in found.items() if s is not None and name not in broken]

    def _source(self, key: Scalar, node: Node, *, is_group: bool) -> Source | None:
        name = key.text
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            self._problem(key, "a name is a short printable text", name)
        if not isinstance(node, Mapping):
            self._problem(node, "a source is a mapping with module, class …", name)
            return None
        said, where, _ = self._mapping(node, _GROUP if is_group else _SINGLE, name)
        for required in ("module", "class"):
            if not said.get(required):
                self._problem(key, f"source {name!r} has no {required}", name)
        options = {key: value for key, value in said.items() if key in OPTIONS}
        if is_group:
            series = self._members(where.get("timeseries"), key)
            metrics: tuple[str, ...] = ()
        else:
            one, metrics = self._single(where.get("metadata"), key, options)
            series = (one,)
        schedule = options.get("schedule")
        required_env = options.get("requires_env", ())
        written = where.get("schedule")
        text = written.text if isinstance(written, Scalar) else None
        return Source(
            name=name,
            where=self._document.where(key),
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
        self, node: Node | None, key: Scalar, options: dict[str, Any]
    ) -> tuple[Series, tuple[str, ...]]:
        """The series of an entry, and its metrics; options in the metadata join `options`."""
        name = key.text
        said: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        where: dict[str, Node] = {}
        if isinstance(node, Mapping):
            said, where, extra = self._mapping(node, _METADATA, name, open_ended=True)
            for option in [option for option in said if option in OPTIONS]:
                value = said.pop(option)
                if options.setdefault(option, value) != value:
                    self._problem(
                        where[option], f"{option} is given twice, with another value", name
                    )
        metrics = said.pop("available_metrics", None) or ()
        prefix = said.pop("endpoint_prefix", None) or name
        self._claim(prefix, where.get("endpoint_prefix", key), name)
        return Series(endpoint_prefix=prefix, extra=extra, **said), metrics

    def _members(self, node: Node | None, key: Scalar) -> tuple[Series, ...]:
        name = key.text
        if not isinstance(node, Sequence) or not node.content:
            place = key if node is None else node
            self._problem(place, f"group {name!r} needs timeseries, a list of its series", name)
            return ()
        members = (self._member(item, name) for item in node.content)
        return tuple(member for member in members if member is not None)

    def _member(self, node: Node, name: str) -> Series | None:
        if not isinstance(node, Mapping):
            self._problem(node, "a series is a mapping with endpoint_prefix …", name)
            return None
        said, where, _ = self._mapping(node, _MEMBER, name)
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        if isinstance(metadata := where.get("metadata"), Mapping):
            known, places, extra = self._mapping(metadata, _MEMBER_METADATA, name, open_ended=True)
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
        owner, first = self._prefixes.setdefault(prefix, (source, node))
        if first is not node:
            where = self._document.where(first)
            self._problem(
                node, f"the series {prefix!r} is there already, in {owner!r} at {where}", source
            )

    def _mapping(
        self,
        node: Mapping,
        names: Names,
        source: str,
        *,
        open_ended: bool = False,
    ) -> tuple[dict[str, Any], dict[str, Node], dict[str, Any]]:
        """What a mapping says: parsed values and their nodes by first names, and unknown keys."""
        said: dict[str, Any] = {}
        where: dict[str, Node] = {}
        extra: dict[str, Any] = {}
        faults: Faults = []
        for key, content in self._entries(node, source):
            raw = self._document.value(content, faults)
            if key.text not in names:
                extra[key.text] = raw
                where.setdefault(key.text, key)
                self._unknown(key, names, source, open_ended=open_ended)
            elif raw is not None:
                name, parse = names[key.text]
                try:
                    value = parse(_as_written(content, raw))
                except ValueError as error:
                    self._problem(content, f"{key.text}: {error}", source)
                    continue
                if said.setdefault(name, value) != value:
                    self._problem(key, f"{key.text} and {name} are one thing, given twice", source)
                where.setdefault(name, content)
        for place, message in faults:
            self._problem(place, message, source)
        return said, where, extra

    def _unknown(self, key: Scalar, known: Names, source: str, *, open_ended: bool) -> None:
        name = key.text
        if not open_ended:
            self._problem(key, f"unknown key {name!r}{near(name, known)}", source)
        elif close := closest(name, known, cutoff=_ALIKE):
            self.warnings.append(
                f"{self._document.where(key)}: {name!r} is kept as metadata; "
                f"did you mean {close!r}?"
            )

    def _entries(
        self, node: Mapping, source: str | None, *, naming_sources: bool = False
    ) -> list[Entry]:
        faults: Faults = []
        entries = self._document.entries(node, faults)
        for place, message in faults:
            # two sources of one name: which one is meant cannot be known, the others are clear
            named = place.text if naming_sources and isinstance(place, Scalar) else source
            self._problem(place, message, named)
        return entries

    def _problem(self, node: Node, message: str, source: str | None = None) -> None:
        said = redact(harmless(message, 300))
        problem = Problem(self._document.where(node), said, source)
        self._problems.append((node.mark.line, node.mark.column, problem))


def _as_written(node: Node, raw: Any) -> Any:
    """A number as the text that it is: `name: 1.10` is a text in the end."""
    is_number = isinstance(raw, (int, float)) and not isinstance(raw, bool)
    return node.text if is_number and isinstance(node, Scalar) else raw
