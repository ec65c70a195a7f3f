"""Writes HTML: every text is escaped, as only what these functions made is taken for HTML."""

from __future__ import annotations

from html import escape

from dataportal.render.console import printable

_VOID = {"meta", "link", "input"}
# whose ends a browser knows by what follows: a tenth of a page of tables
_WITHOUT_END = {"td", "th", "tr", "thead", "tbody", "dt", "dd", "li"}
_LONGEST_TEXT = 500


class Html(str):
    """A text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str | None, **attributes: str | float | bool | None) -> Html:
    """An element; what is None is left out, and so is an attribute that is False.

    Args:
        name: its tag.
        children: texts, which are escaped, and HTML; secrets and control characters are masked.
        attributes: by their names; `class_` stands for `class`, and `_` for `-`.
    """
    head = name
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        head += f" {key.rstrip('_').replace('_', '-')}"
        if value is not True:
            head += f'="{join(value if isinstance(value, str) else str(value))}"'
    if name in _VOID:
        return Html(f"<{head}>")
    if name in _WITHOUT_END:
        return Html(f"<{head}>{join(*children)}")
    return Html(f"<{head}>{join(*children)}</{name}>")


def join(*parts: str | None) -> Html:
    """Texts, which are escaped, and HTML, one after the other."""
    return Html(
        "".join(
            part if isinstance(part, Html) else _escape(part) for part in parts if part is not None
        )
    )


def _escape(text: str) -> str:
    # what may stand in a text without harm costs no look for secrets
    return text if text.isalnum() else escape(printable(text, _LONGEST_TEXT))
