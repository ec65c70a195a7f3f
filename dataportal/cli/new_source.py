"""`dataportal new-source`: drafts an entry of sources.yaml from an answer of a provider."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataportal.bounded_files import read_beginning
from dataportal.cli.options import Invocation
from dataportal.errors import BadDataError, ConfigurationError, ExitCode, FileError, UsageError
from dataportal.render.console import foreign_output_on_stderr, is_terminal, say
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dataportal.drafts.draft import Draft, Wishes
    from dataportal.plugins.http import Answer

EXAMPLES = (
    "dataportal new-source 'https://api.example.com/levels?since=2026-11-01'",
    "dataportal new-source answer.csv --timezone Europe/Berlin",
    "dataportal new-source https://api.example.com/load --header 'X-Key: ${LOAD_KEY}' --append",
)
_SECONDS = 120.0
_PIPE_PATIENCE = 30.0  # seconds for whoever writes into a pipe
_SCHEMES = ("http://", "https://")


def command(
    ctx: typer.Context,
    *,
    origin: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="An address, or the file of a saved answer; - reads stdin."
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What the source is called.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone", metavar="ZONE", help="Whose clocks times without an offset show."
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Where a saved answer comes from.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="NAME: VALUE", help="Sent along; repeatable."),
    ] = None,
    series: Annotated[
        int, typer.Option("--series", metavar="N", min=1, help="How many series are named at most.")
    ] = 200,
    append: Annotated[
        bool, typer.Option("--append", help="Put the entry into sources.yaml, and change no other.")
    ] = False,
) -> ExitCode:
    """Draft an entry of sources.yaml from a real answer.

    The answer may be JSON, CSV, XML, a workbook, Parquet, JSON-stat, SDMX, or an archive of these.
    Beside each guess stands why it was made. What the answer does not tell is asked for on a
    terminal, or left as TODO, which list-sources --check refuses. Secrets become variables.
    """
    invocation: Invocation = ctx.obj
    settings = invocation.settings()
    is_address = origin.lower().startswith(_SCHEMES)
    if is_address and url is not None:
        raise UsageError("--url is for a saved answer: the address says where this one is from")
    from dataportal.drafts.draft import Wishes
    from dataportal.render.new_source import DraftView
    from dataportal.render.view import show_view

    wishes = Wishes(
        name=_name(name),
        zone=_zone(timezone),
        url=origin if is_address else url or "",
        headers=_headers(header or ()),
        most_series=series,
        taken=_names_in_use(settings.config_path, invocation),
    )
    stem = "answer" if origin == "-" else Path(origin).name.partition(".")[0]
    with foreign_output_on_stderr():
        answer = _ask(wishes, invocation) if is_address else _read(origin)
        draft = _draft(answer, wishes, stem)
    draft = _complete(draft, answer, wishes, stem, invocation)
    appended = None
    if append:
        from dataportal.drafts.append import append_entry

        append_entry(settings.config_path, draft.entry)
        appended = settings.config_path
    view = DraftView(draft, appended, settings.zone)
    show_view(view, json=invocation.json)
    if not invocation.silent and not invocation.json:
        for remark in view.remarks():
            say(remark)
    return ExitCode.DONE if view.ok else ExitCode.INCOMPLETE


def _draft(answer: "Answer", wishes: "Wishes", stem: str) -> "Draft":
    from dataportal.drafts.draft import make_draft

    return make_draft(answer, wishes, stem=stem, now=utc_now())


def _complete(
    draft: "Draft", answer: "Answer", wishes: "Wishes", stem: str, invocation: Invocation
) -> "Draft":
    """The draft with what the user tells on a terminal."""
    from dataclasses import replace

    if invocation.json or not (sys.stdin.isatty() and is_terminal(sys.stderr)):
        return draft
    if draft.entry.keys.get("timezone") == "TODO":
        zone = _prompt("Times say no offset. Time zone, such as Europe/Berlin or UTC", _zone)
        wishes = replace(wishes, zone=zone)
    if not wishes.url:
        address = _prompt("Where the file comes from, an address", _address)
        wishes = replace(wishes, url=address)
    return _draft(answer, wishes, stem)


def _prompt(question: str, parse: "Callable[[str], str]") -> str:
    """What the user answers; nothing leaves it open."""
    while True:
        text = typer.prompt(f"{question} [TODO]", default="", show_default=False, err=True)
        try:
            return parse(text.strip())
        except UsageError as error:
            say(str(error))


def _address(text: str) -> str:
    if text and not text.lower().startswith(_SCHEMES):
        raise UsageError(f"{text!r} is no address that begins with http:// or https://")
    return text


def _name(text: str | None) -> str:
    from dataportal.series import is_name

    if text is not None and not is_name(text):
        raise UsageError("--name is a short printable text")
    return text or ""


def _zone(text: str | None) -> str:
    if not text:
        return ""
    from dataportal.times import time_zone

    try:
        time_zone(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return text


def _headers(texts: "Sequence[str]") -> "Mapping[str, str]":
    headers = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise UsageError("--header is written NAME: VALUE")
        headers[name.strip()] = value.strip()
    return headers


def _names_in_use(path: Path, invocation: Invocation) -> frozenset[str]:
    """The names of sources and series that are there already."""
    if not path.exists():
        return frozenset()
    from dataportal.config import load

    try:
        configuration = load(path, invocation.env)
    except ConfigurationError:
        return frozenset()
    names = {source.name for source in configuration.sources} | {*configuration.broken}
    return frozenset(
        names
        | {
            definition.endpoint_prefix
            for source in configuration.sources
            for definition in source.series
        }
    )


def _ask(wishes: "Wishes", invocation: Invocation) -> "Answer":
    """What an address answers, as far as it is no longer than a draft needs."""
    from dataportal.config.variables import UnsetVariable, expand
    from dataportal.drafts.address import address_of
    from dataportal.drafts.readings import MOST_BYTES
    from dataportal.plugins.http import HttpClient

    # what is secret in it must be known before anything is said
    address_of(wishes.url, wishes.headers)
    try:
        url = expand(wishes.url, invocation.env)
        headers = {n: expand(v, invocation.env, keys=(n,)) for n, v in wishes.headers.items()}
    except UnsetVariable as error:
        raise UsageError(f"{error} is not set, and the address needs it") from None

    async def get() -> "Answer":
        client = HttpClient(request_timeout=_SECONDS, max_body=MOST_BYTES)
        try:
            return await client.get(url, headers=headers)
        finally:
            await client.aclose()

    try:
        return asyncio.run(get())
    except BadDataError as error:
        error.hint = error.hint or "Ask for less at once, such as a week"
        raise


def _read(origin: str) -> "Answer":
    """A saved answer."""
    from dataportal.drafts.readings import MOST_BYTES
    from dataportal.plugins.http import Answer

    try:
        if origin == "-":
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            body = read_beginning(origin, MOST_BYTES, patience=_PIPE_PATIENCE)
    except OSError as error:
        hint = "An address begins with http:// or https://" if "." in origin else None
        raise FileError(f"{origin} cannot be read ({error.strerror or error})", hint=hint) from None
    if len(body) > MOST_BYTES:
        raise FileError(
            f"{origin} is larger than {MOST_BYTES >> 20} MiB",
            hint="A draft needs no more than the beginning: cut it, or save a shorter range",
        )
    return Answer(200, origin if origin != "-" else "stdin", {}, body)
