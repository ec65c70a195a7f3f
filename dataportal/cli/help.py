"""`dataportal help`: shows the manual."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.cli.completion import complete_topics
from dataportal.errors import ExitCode, UsageError
from dataportal.render.console import is_terminal, supports_escape_codes
from dataportal.render.manual import (
    PageView,
    TopicsView,
    find_topic,
    render_page,
    similar_topics,
    topics_that_mention,
)
from dataportal.render.view import look_at_view, show_view

if TYPE_CHECKING:
    from dataportal.cli.options import Invocation

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
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC]", help="The name of a page.", autocompletion=complete_topics
        ),
    ] = None,
) -> ExitCode:
    """Show a page of the manual, or the list of its topics.

    On a terminal the page is rendered and shown in PAGER (less); elsewhere it is plain text.
    """
    invocation: Invocation = ctx.obj
    if not topic:
        look_at_view(TopicsView(), json=invocation.json)
        return ExitCode.DONE
    page = find_topic(topic)
    if page is None:
        raise _unknown_topic(topic)
    if is_terminal(sys.stdout) and not invocation.json:
        from dataportal.render.pager import page_through

        width = min(shutil.get_terminal_size().columns, _WIDEST)
        page_through(render_page(page, width=width, color=supports_escape_codes(sys.stdout)))
    else:
        show_view(PageView(page), json=invocation.json)
    return ExitCode.DONE


def _unknown_topic(words: Sequence[str]) -> UsageError:
    message = f"there is no page {' '.join(words)!r} in the manual"
    if similar := similar_topics(words):
        return UsageError(message, hint=f"Did you mean {_alternatives(similar)}?")
    if mentioned := topics_that_mention(words):
        return UsageError(message, hint=f"These have the word: {_alternatives(mentioned)}")
    return UsageError(message, hint="See: dataportal help")


def _alternatives(names: Sequence[str]) -> str:
    return " or ".join(repr(name) for name in names)
