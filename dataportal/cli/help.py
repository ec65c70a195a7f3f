"""`dataportal help`."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.errors import ExitCode, UsageError
from dataportal.render.console import decorated, on_terminal, show
from dataportal.render.manual import (
    index_lines,
    page_lines,
    rendered_page,
    similar_topics,
    topic_named,
    topics,
    topics_that_mention,
)

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation
    from dataportal.render.manual import Topic

EXAMPLES = (
    "dataportal help",
    "dataportal help troubleshooting",
    "dataportal help exit codes",
    "dataportal help watermark        # which pages have the word",
)
_WIDEST = 100


def command(
    ctx: typer.Context,
    *,
    topic: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC]", help="The name of a page.")
    ] = None,
) -> ExitCode:
    """Show a page of the manual, or the list of its topics.

    On a terminal the page is rendered and shown in PAGER (less); elsewhere it is plain text.
    """
    invocation: Invocation = ctx.obj
    if not topic:
        show([_index_document()] if invocation.json else index_lines())
        return ExitCode.DONE
    page = topic_named(topic)
    if page is None:
        raise _unknown(topic)
    if invocation.json:
        show([_page_document(page)])
    elif on_terminal(sys.stdout):
        from dataportal.render.pager import page_through

        width = min(shutil.get_terminal_size().columns, _WIDEST)
        page_through(rendered_page(page, width=width, color=decorated(sys.stdout)))
    else:
        show(page_lines(page))
    return ExitCode.DONE


def _index_document() -> str:
    from dataportal.render.json_output import dumped

    entries = [{"topic": t.name, "group": t.group, "about": t.about} for t in topics()]
    return dumped({"topics": entries})


def _page_document(page: "Topic") -> str:
    from dataportal.render.json_output import dumped

    return dumped({"topic": page.name, "about": page.about, "text": page.text()})


def _unknown(words: Sequence[str]) -> UsageError:
    message = f"there is no page {' '.join(words)!r} in the manual"
    if similar := similar_topics(words):
        return UsageError(message, hint=f"Did you mean {_listed(similar)}?")
    if mentioned := topics_that_mention(words):
        return UsageError(message, hint=f"These have the word: {_listed(mentioned)}")
    return UsageError(message, hint="See: dataportal help")


def _listed(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names)
