"""Fills the bodies and queries of requests: forms, JSON and texts with fields in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from dataportal.plugins.declarative.templates import Template, Values
from dataportal.plugins.parameters import Parameters, TextOrTexts, about

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta

    from dataportal.plugins.readers.parameters import Params

KINDS = ("form", "json", "body")
"""The parameters for bodies, which are arguments of `HttpClient.post` too."""


class BodyParameters(Parameters):
    """What a request by POST sends."""

    form: Annotated[
        dict[str, TextOrTexts] | None,
        about(
            "sent as a form, by POST: as `query` is written, see [By POST](declarative.md#by-post)",
            aliases=("data", "request_body_data"),
        ),
    ] = None
    json: Annotated[Any, about("or as a document of any depth", aliases=("request_body_json",))] = (
        None
    )
    body: Annotated[
        str | None,
        about("or as a text; say in `headers` what it is: `Content-Type: application/vnd.flux`"),
    ] = None


class Fields:
    """Names with texts, or lists of texts, that have fields: a query, a form, headers.

    A list gives its name several times; an item with a field of several values is there for each.

    Args:
        params: of the source, to note faults in.
        name: of the parameter.
        values: what it says.
        interval: see `Template`.
        is_body: see `Template`.
    """

    def __init__(
        self,
        params: Params,
        name: str,
        values: Mapping[str, Any],
        interval: timedelta | None,
        *,
        is_body: bool = False,
    ) -> None:
        self._templates: dict[str, tuple[bool, list[Template]]] = {}
        for key, value in values.items():
            items = value if isinstance(value, list) else [value]
            self._templates[str(key)] = (
                isinstance(value, list),
                [
                    read_template(params, f"{name}.{key}", text_of(item), interval, is_body=is_body)
                    for item in items
                ],
            )

    def __bool__(self) -> bool:
        return bool(self._templates)

    @property
    def templates(self) -> Iterator[Template]:
        """All templates."""
        for _, templates in self._templates.values():
            yield from templates

    def fill(
        self, start: datetime, end: datetime, names: Mapping[str, Any]
    ) -> dict[str, str | list[str]]:
        """The texts by their names, of which a list has at least two."""
        filled: dict[str, str | list[str]] = {}
        for key, (is_list, templates) in self._templates.items():
            texts = [
                template.fill(start, end, each)
                for template in templates
                for each in (_for_each(names, template.names) if is_list else (names,))
            ]
            filled[key] = texts if len(texts) > 1 else texts[0]
        return filled


class Body:
    """The body of a request, from one of the parameters `form`, `json` and `body`.

    Attributes:
        kind: which one.
        templates: all texts with fields.
        document: of `json`, as sources.yaml has it.
    """

    def __init__(
        self,
        kind: str,
        fill: Callable[..., Any],
        templates: list[Template],
        document: Any = None,
    ) -> None:
        self.kind = kind
        self.document = document
        self._fill = fill
        self.templates = templates

    @classmethod
    def read(
        cls, params: Params, interval: timedelta | None, given: BodyParameters | None = None
    ) -> Body | None:
        """The body that the parameters describe; None for none.

        Args:
            params: of the source.
            interval: see `Template`.
            given: what is read already.
        """
        parameters = given or params.read(BodyParameters)
        kinds = [name for name in KINDS if getattr(parameters, name) is not None]
        if len(kinds) > 1:
            params.add_fault(f"give one of {', '.join(kinds)}: a request has one body", kinds[1])
        if not kinds:
            return None
        kind = kinds[0]
        if kind == "form":
            fields = Fields(params, "form", parameters.form or {}, interval, is_body=True)
            return cls(kind, fields.fill, list(fields.templates))
        templates: list[Template] = []
        if kind == "body":
            text = read_template(params, kind, parameters.body or "", interval, is_body=True)
            return cls(kind, text.fill, [text])
        tree = _with_templates(params, parameters.json, ("json",), interval, templates)
        return cls(kind, lambda *times: _fill_tree(tree, *times), templates, parameters.json)

    def fill(self, start: datetime, end: datetime, names: Mapping[str, Any]) -> Any:
        """What `HttpClient.post` gets."""
        return self._fill(start, end, names)


def read_template(
    params: Params, name: str, text: str, interval: timedelta | None, *, is_body: bool = False
) -> Template:
    """The template in a parameter; a fault is noted under its name."""
    try:
        return Template(text, interval, is_body=is_body)
    except ValueError as error:
        params.add_fault(f"{name}: {error}")
        return Template("")


def text_of(value: Any) -> str:
    """A value of sources.yaml as a query has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def set_in_document(document: Any, path: str, value: Any) -> Any:
    """The document with a value at a path such as `page.number`; what it was is not changed.

    Raises:
        ValueError: it is no object there.
    """
    name, _, rest = path.partition(".")
    if not isinstance(document, dict):
        raise ValueError(f"json has no object for {path!r}")  # noqa: TRY004 - as every wrong path
    inner = set_in_document(document.get(name, {}), rest, value) if rest else value
    return {**document, name: inner}


def _with_templates(
    params: Params,
    value: Any,
    keys: tuple[str | int, ...],
    interval: timedelta | None,
    templates: list[Template],
) -> Any:
    """The document with templates in place of its texts, which are added to `templates`."""
    if isinstance(value, dict):
        return {
            str(name): _with_templates(params, item, (*keys, str(name)), interval, templates)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [
            _with_templates(params, item, (*keys, position), interval, templates)
            for position, item in enumerate(value)
        ]
    if not isinstance(value, str):
        return value
    try:
        template = Template(value, interval, is_body=True)
    except ValueError as error:
        params.add_fault(f"{'.'.join(map(str, keys))}: {error}", *keys)
        return value
    templates.append(template)
    return template


def _fill_tree(tree: Any, start: datetime, end: datetime, names: Mapping[str, Any]) -> Any:
    if isinstance(tree, Template):
        value = tree.fill_value(start, end, names)
        return list(value.items) if isinstance(value, Values) else value
    if isinstance(tree, dict):
        return {name: _fill_tree(item, start, end, names) for name, item in tree.items()}
    if isinstance(tree, list):
        return [
            _fill_tree(item, start, end, each)
            for item in tree
            for each in _for_each(names, _names_in(item))
        ]
    return tree


def _names_in(tree: Any) -> frozenset[str]:
    """The names of the fields in a part of a document, but not in lists of its own."""
    if isinstance(tree, Template):
        return tree.names
    if isinstance(tree, dict):
        return frozenset().union(*map(_names_in, tree.values()))
    return frozenset()


def _for_each(names: Mapping[str, Any], used: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    """The names once for each of the values of the first field used that has several."""
    several = next((name for name in used if isinstance(names.get(name), Values)), None)
    if several is None:
        yield names
        return
    for value in names[several].items:
        yield {**names, several: value}
