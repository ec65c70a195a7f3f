"""The interface of what a command answers: lines for people, a document for programs.

Every command answers with a View. `history` alone does not: its answers may be of any length and
come in more formats (dataportal.render.history).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from dataportal.render.console import note, show
from dataportal.render.json_output import format_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class View(Protocol):
    """What a command answers, in both of its forms."""

    def lines(self, stream: TextIO) -> Iterator[str]:
        """The text for people, as it suits the stream."""

    def document(self) -> Mapping[str, Any]:
        """What `--json` answers; its fields are a contract, to which others are only ever added."""


def show_view(view: View, *, json: bool) -> None:
    """Write the answer to stdout, as text or as one JSON document."""
    show([format_json(view.document())] if json else view.lines(sys.stdout))


def look_at_view(view: View, *, json: bool) -> None:
    """Write the answer of a command that only looks: a long text through the terminal's pager."""
    if json:
        show_view(view, json=True)
        return
    from dataportal.render.pager import show_paged

    show_paged(view.lines(sys.stdout))


def note_view(view: View) -> None:
    """Write the text of the answer to stderr."""
    note("\n".join(view.lines(sys.stderr)))
