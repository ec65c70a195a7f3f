"""JMESPath expressions, and plain names without the cost of one.

Grammar: https://jmespath.org/specification.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jmespath
import jmespath.exceptions

ABSENT: Final = object()
"""Stands where a row has no such place at all, which is not the same as no value."""

_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


class Expression:
    """Finds a part of a JSON document.

    Args:
        text: a JMESPath expression; or a number, for the place in a list, counted from 1.

    Raises:
        ValueError: no such expression.
    """

    def __init__(self, text: str | int) -> None:
        self.text = str(text)
        self._place = text - 1 if isinstance(text, int) else None
        self._names = self.text.split(".") if _NAMES.fullmatch(self.text) else None
        self._compiled = None
        if self._place is None and self._names is None:
            try:
                self._compiled = jmespath.compile(self.text)
            except (jmespath.exceptions.JMESPathError, ValueError) as error:
                said = " ".join(str(error).split())
                raise ValueError(f"{self.text!r} is no JMESPath expression ({said})") from None

    def find(self, document: Any) -> Any:
        """What it finds; `ABSENT` where a name or a place is not there, None for a null.

        An expression that is more than names and a place finds None for either.

        Raises:
            ValueError: the expression does not fit the document, such as a sum over texts.
        """
        if self._names is not None:
            for name in self._names:
                if not isinstance(document, Mapping):
                    return ABSENT
                document = document.get(name, ABSENT)
            return document
        if self._place is not None:
            is_list = isinstance(document, Sequence) and not isinstance(document, str)
            return document[self._place] if is_list and self._place < len(document) else ABSENT
        try:
            return self._compiled.search(document) if self._compiled else None
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(f"{self.text}: {' '.join(str(error).split())}") from None
