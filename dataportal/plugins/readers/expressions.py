"""Finds parts of JSON documents by JMESPath expressions, and by plain names without their cost.

Grammar: https://jmespath.org/specification.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jmespath
import jmespath.exceptions

ABSENT_FIELD: Final = object()
"""Stands for a field that a row or a document does not have, which is not the same as a null."""

_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


class Expression:
    """Finds a part of a JSON document.

    Args:
        text: a JMESPath expression; or a number, for the position in a list, counted from 1.

    Raises:
        ValueError: no such expression.
    """

    def __init__(self, text: str | int) -> None:
        self.text = str(text)
        self._index = text - 1 if isinstance(text, int) else None
        self._names = self.text.split(".") if _NAMES.fullmatch(self.text) else None
        self._compiled = None
        if self._index is None and self._names is None:
            try:
                self._compiled = jmespath.compile(self.text)
            except (jmespath.exceptions.JMESPathError, ValueError) as error:
                reason = " ".join(str(error).split())
                raise ValueError(f"{self.text!r} is no JMESPath expression ({reason})") from None

    def find(self, document: Any) -> Any:
        """What stands there; None for a null, `ABSENT_FIELD` where there is no such name or index.

        An expression that is more than names or an index finds None in either case.

        Raises:
            ValueError: the expression does not fit the document, such as a sum over texts.
        """
        if self._names is not None:
            for name in self._names:
                if not isinstance(document, Mapping):
                    return ABSENT_FIELD
                document = document.get(name, ABSENT_FIELD)
            return document
        if self._index is not None:
            is_list = isinstance(document, Sequence) and not isinstance(document, str)
            has_index = is_list and self._index < len(document)
            return document[self._index] if has_index else ABSENT_FIELD
        try:
            return self._compiled.search(document) if self._compiled else None
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(f"{self.text}: {' '.join(str(error).split())}") from None
