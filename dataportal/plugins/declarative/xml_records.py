"""Reads XML as records: elements, and paths in them. Entities and DTDs are refused.

Paths: https://docs.python.org/3/library/xml.etree.elementtree.html#supported-xpath-syntax
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from xml.etree.ElementTree import Element, ParseError, tostring

from dataportal.plugins.declarative.cubes import OF_XML
from dataportal.plugins.declarative.point_parameters import PointParameters
from dataportal.plugins.declarative.records import Document, Reader
from dataportal.plugins.declarative.sdmx_ml import sdmx_ml_cube
from dataportal.plugins.declarative.templates import field_names
from dataportal.plugins.http.file_kinds import text_kind
from dataportal.plugins.parameters import Parameters, about, one_of, written_as
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_QUOTED = re.compile(r"""('[^']*'|"[^"]*")""")
_PREFIX = re.compile(r"(?<![\w.-])[A-Za-z_][\w.-]*:(?=[A-Za-z_*])")
_ATTRIBUTE = re.compile(r"(?:^|/)@([\w.-]+)$")
_SHOWN = 200


def _checked_path(text: str) -> str:
    if text:
        _Path(text)
    return text


class XmlParameters(Parameters):
    """Where the rows are in XML."""

    rows: Annotated[
        str,
        about(
            "where the rows are: an "
            "[XPath](https://docs.python.org/3/library/xml.etree.elementtree.html"
            "#supported-xpath-syntax), prefixes left out; a group may leave that to its series",
            aliases=("data_selector",),
        ),
    ] = ""
    layout: Annotated[
        str,
        one_of(("rows", *OF_XML)),
        about("`rows`, or [a cube](declarative-layouts.md#cubes): `sdmx-ml` (rows)"),
    ] = "rows"
    error: Annotated[
        str,
        written_as(_checked_path),
        about("an XPath that finds something only if the answer reports an error"),
    ] = ""
    empty: Annotated[
        str,
        written_as(_checked_path),
        about(
            "the same, for an answer (or a file of an archive, or one under 400 or 404) that says "
            "that there are no data; looked for before `error`"
        ),
    ] = ""


class XmlReader(Reader):
    """Reads XML, from the parameters of a source.

    In a cube observations are found by the codes of their dimensions, and `ts` names the dimension
    of time, if it has another name than usual.

    Fields of a row are paths too: `time`, `price/@amount`, `@date`, `.` for the row's own text.
    Namespaces and their prefixes are ignored.
    """

    parameters: ClassVar = (XmlParameters,)

    def __init__(self, params: Params, decimal: str) -> None:
        del decimal  # numbers are read later
        xml = params.read(XmlParameters)
        self._is_cube = xml.layout in OF_XML
        times = params.read(PointParameters).ts
        self._times = [*map(str, times)] if self._is_cube else []
        self.rows = xml.rows or ("." if self._is_cube else "")
        self._empty, self._error = xml.empty, xml.error
        try:
            # what is in braces is filled in for each series
            if self.rows and not field_names(self.rows):
                _Path(self.rows)
        except ValueError as error:
            params.add_fault(f"rows: {error}")

    @property
    def knows_empty(self) -> bool:
        """Whether there is a path for it."""
        return bool(self._empty)

    def read(self, answer: Answer) -> Document | None:
        """The document, unless it reports an error or says that there are no data."""
        document = _document(answer)
        if self._is_cube:
            document.times = self._times
        if self._empty and document.find(self._empty) is not None:
            return None
        if self._error:
            reported = document.find(self._error)
            if reported is not None:
                raise answer.bad(f"reports an error ({' '.join(reported.split())[:_SHOWN]})")
        return document

    def check_rows(self, rows: str) -> None:
        """A path to elements."""
        if not rows:
            raise ValueError("rows is missing")
        if _Path(rows).attribute:
            raise ValueError(f"{rows!r} leads to an attribute, and rows are elements")

    def check_field(self, path: FieldPath) -> None:
        """A path, in a row."""
        if not isinstance(path, str):
            raise ValueError(f"{path!r} must be a path, such as time or @date")  # noqa: TRY004 - one error for every wrong value
        _Path(path)

    def check_parent_path(self, path: str) -> None:
        """A path."""
        _Path(path)

    def check_document_path(self, path: str) -> None:
        """A path."""
        _Path(path)


class _Path:
    """A path to elements, or to an attribute of elements.

    Attributes:
        attribute: its name; empty for a path to elements.

    Raises:
        ValueError: ElementTree does not support the path.
    """

    def __init__(self, text: str) -> None:
        parts = _QUOTED.split(text.strip())
        plain = "".join(p if n % 2 else _PREFIX.sub("", p) for n, p in enumerate(parts))
        match = _ATTRIBUTE.search(plain)
        self.attribute = match[1] if match else ""
        self._path = (plain[: match.start()] if match else plain) or "."
        self._is_absolute = self._path.startswith("/")
        if self._is_absolute:
            self._path = f".{self._path}"
        try:
            Element("x").findall(self._path)
        except (SyntaxError, KeyError, TypeError) as error:
            # of a bracket that is not closed it says what it called in vain
            reason = "it ends too early" if isinstance(error, TypeError) else error
            raise ValueError(f"{text!r} is no XPath that can be used ({reason})") from None

    def elements(self, root: Element) -> list[Element]:
        """The elements that it leads to, from the document's root element."""
        if not self._is_absolute:
            return root.findall(self._path)
        top = Element("document")
        top.append(root)
        return top.findall(self._path)

    def text(self, element: Element | None) -> str | object:
        """The text or the attribute at the end of the path; `ABSENT_FIELD` if there is none."""
        if element is None:
            return ABSENT_FIELD
        if self.attribute:
            return element.get(self.attribute, ABSENT_FIELD)
        return (element.text or "").strip()

    def field(self, row: Element) -> str | object:
        """The text or the attribute that it leads to in a row."""
        return self.text(row.find(self._path))


def _document(answer: Answer) -> _XmlDocument:
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if answer.is_page:
        raise answer.bad("is a page of HTML, not XML")
    if answer.file_kind:
        raise answer.bad(f"is {answer.file_kind}, not XML")
    try:
        root = ElementTree.fromstring(answer.body)
    except ParseError as error:
        if text_kind(answer.body):
            raise answer.bad(f"is {text_kind(answer.body)}, not XML ({error})") from None
        raise answer.bad(f"is not XML ({error})") from None
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise answer.bad(f"is XML that is not read ({type(error).__name__})") from None
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = _local(element.tag)
        element.attrib = {_local(name): value for name, value in element.attrib.items()}
    return _XmlDocument(answer, root)


class _XmlDocument(Document):
    """A document of elements.

    Attributes:
        times: of a cube, the dimension of time; None for what is none.
    """

    def __init__(self, answer: Answer, root: Element) -> None:
        super().__init__(answer)
        self._root = root
        self.times: list[str] | None = None
        self._parents: dict[Element, Element] | None = None

    def read_records(self, rows: str) -> Records:
        if self.times is not None:
            cube: Any = sdmx_ml_cube(self._root, self.times, self.answer)
            return cube  # type: ignore[no-any-return]
        return _Elements(_Path(rows).elements(self._root), self.answer)

    def find(self, path: str) -> Any:
        element_path = _Path(path)
        first = next(iter(element_path.elements(self._root)), None)
        if first is None:
            return None
        text = element_path.text(first)
        if text is ABSENT_FIELD:
            return None
        return text or "".join(first.itertext()).strip()

    def parent_fields(self, records: Records, path: str) -> Sequence[Any]:
        if self._parents is None:
            self._parents = {child: parent for parent in self._root.iter() for child in parent}
        if not isinstance(records, _Elements):
            return super().parent_fields(records, path)
        element_path = _Path(path)
        known: dict[Element, Any] = {}
        fields: list[Any] = []
        for row in records.elements:
            parent = self._parents.get(row)
            if parent is not None and parent not in known:
                known[parent] = self._first_around(parent, element_path)
            fields.append(ABSENT_FIELD if parent is None else known[parent])
        if fields and all(field is ABSENT_FIELD for field in fields):
            raise self.answer.bad(f"has no {path!r} around its rows")
        return fields

    def _first_around(self, element: Element | None, path: _Path) -> Any:
        """What a path finds in the nearest element, from this one outwards, that has it."""
        while element is not None and self._parents is not None:
            field = path.field(element)
            if field is not ABSENT_FIELD:
                return field
            element = self._parents.get(element)
        return ABSENT_FIELD


class _Elements:
    def __init__(self, rows: list[Element], answer: Answer) -> None:
        self._rows = rows
        self._answer = answer

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def elements(self) -> Sequence[Element]:
        return self._rows

    def column(self, path: FieldPath) -> Sequence[Any]:
        element_path = _Path(str(path))
        return [element_path.field(row) for row in self._rows]

    def row(self, number: int) -> object:
        return tostring(self._rows[number]).strip()

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        return self._answer.bad(f"has a row {row + 1} that is too short")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
