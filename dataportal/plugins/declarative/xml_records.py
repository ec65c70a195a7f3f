"""XML as records: elements, and paths in them. Entities and DTDs are refused.

Paths: https://docs.python.org/3/library/xml.etree.elementtree.html#supported-xpath-syntax
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ParseError

from dataportal.plugins.declarative.records import Document, Reader
from dataportal.plugins.readers.expressions import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.records import Place, Records
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_QUOTED = re.compile(r"""('[^']*'|"[^"]*")""")
_PREFIX = re.compile(r"(?<![\w.-])[A-Za-z_][\w.-]*:(?=[A-Za-z_*])")
_ATTRIBUTE = re.compile(r"(?:^|/)@([\w.-]+)$")
_SHOWN = 200


class XmlReader(Reader):
    """Reads XML, from the parameters of a source.

    - `rows`: an XPath that finds the elements that are rows, such as `.//item` or `/list/item`.
    - `error`: an XPath that finds what is only there when the answer reports an error.

    Places in a row are paths too: `time`, `price/@amount`, `@date`, `.` for the row's own text.
    Namespaces and their prefixes are left out of account.
    """

    def __init__(self, params: Params, decimal: str) -> None:
        del decimal  # numbers are read later
        self.rows = params.text("rows", required=True)
        self._error = params.text("error")
        for name, path in (("rows", self.rows), ("error", self._error)):
            try:
                if path:
                    _Path(path)
            except ValueError as error:
                params.fault(f"{name}: {error}")

    def read(self, answer: Answer) -> Document:
        """The document, if it reports no error."""
        from defusedxml import ElementTree
        from defusedxml.common import DefusedXmlException

        if answer.is_page:
            raise answer.bad("is a page of HTML, not XML")
        try:
            root = ElementTree.fromstring(answer.body)
        except ParseError as error:
            raise answer.bad(f"is not XML ({error})") from None
        except (DefusedXmlException, ValueError, LookupError) as error:
            raise answer.bad(f"is XML that is not read ({type(error).__name__})") from None
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = _local(element.tag)
            element.attrib = {_local(name): value for name, value in element.attrib.items()}
        document = _XmlDocument(answer, root)
        if self._error:
            told = document.find(self._error)
            if told is not None:
                raise answer.bad(f"reports an error ({' '.join(told.split())[:_SHOWN]})")
        return document

    def check_rows(self, rows: str) -> None:
        """A path to elements."""
        if _Path(rows).attribute:
            raise ValueError(f"{rows!r} leads to an attribute, and rows are elements")

    def check_place(self, place: Place) -> None:
        """A path, in a row."""
        if not isinstance(place, str):
            raise ValueError(f"{place!r} must be a path, such as time or @date")  # noqa: TRY004 - one error for every wrong value
        _Path(place)

    def check_find(self, place: str) -> None:
        """A path."""
        _Path(place)


class _Path:
    """A path to elements, or to an attribute of elements.

    Raises:
        ValueError: it is none that ElementTree has.
    """

    def __init__(self, text: str) -> None:
        parts = _QUOTED.split(text.strip())
        plain = "".join(p if n % 2 else _PREFIX.sub("", p) for n, p in enumerate(parts))
        found = _ATTRIBUTE.search(plain)
        self.attribute = found[1] if found else ""
        self._path = (plain[: found.start()] if found else plain) or "."
        self._from_top = self._path.startswith("/")
        if self._from_top:
            self._path = f".{self._path}"
        try:
            Element("x").findall(self._path)
        except (SyntaxError, KeyError, TypeError) as error:
            raise ValueError(f"{text!r} is no XPath that can be used ({error})") from None

    def elements(self, root: Element) -> list[Element]:
        """Those it leads to, from the document's root element."""
        if not self._from_top:
            return root.findall(self._path)
        top = Element("document")
        top.append(root)
        return top.findall(self._path)

    def text(self, element: Element | None) -> str | object:
        """What stands there; `ABSENT` if nothing does."""
        if element is None:
            return ABSENT
        if self.attribute:
            return element.get(self.attribute, ABSENT)
        return (element.text or "").strip()

    def of(self, row: Element) -> str | object:
        """What stands there in a row."""
        return self.text(row.find(self._path))


class _XmlDocument(Document):
    def __init__(self, answer: Answer, root: Element) -> None:
        super().__init__(answer)
        self._root = root

    def cut_out(self, rows: str) -> Records:
        return _Elements(_Path(rows).elements(self._root), self.answer)

    def find(self, place: str) -> Any:
        path = _Path(place)
        first = next(iter(path.elements(self._root)), None)
        if first is None:
            return None
        found = path.text(first)
        if found is ABSENT:
            return None
        return found or "".join(first.itertext()).strip()


class _Elements:
    def __init__(self, rows: list[Element], answer: Answer) -> None:
        self._rows = rows
        self._answer = answer

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, place: Place) -> Sequence[Any]:
        path = _Path(str(place))
        return [path.of(row) for row in self._rows]

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def cut(self, row: int) -> BadDataError:
        return self._answer.bad(f"has a row {row + 1} that is too short")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
