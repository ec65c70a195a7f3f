"""Reads README and the pages of the manual: their blocks, headings, tables, links and commands."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dataportal.cli.app import COMMANDS, load_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "dataportal" / "manual"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Page:
    """A file of Markdown, and what stands in it."""

    path: Path

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def name(self) -> str:
        """Its path in the checkout."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def topic(self) -> str:
        """What `dataportal help` calls it."""
        return self.path.stem

    @cached_property
    def prose(self) -> str:
        """The text without its blocks of code; a line stays a line."""
        return BLOCK.sub(lambda block: "\n" * block[0].count("\n"), self.text)

    @cached_property
    def all_blocks(self) -> list[tuple[str, str]]:
        """Language and text of every block."""
        return [(block[1], block[2]) for block in BLOCK.finditer(self.text)]

    def blocks(self, language: str) -> list[str]:
        """The texts of the blocks of a language."""
        return blocks(self.text, language)

    def headings(self, level: int) -> list[str]:
        """The headings of a level, without their marks."""
        return [h[2] for h in HEADING.finditer(self.prose) if len(h[1]) == level]

    @cached_property
    def anchors(self) -> set[str]:
        """What a link may name after its #."""
        return {anchor(heading[2]) for heading in HEADING.finditer(self.prose)}

    def section(self, title: str) -> str:
        """The text from a heading to the next one of its level or above."""
        blank = BLOCK.sub(lambda block: re.sub("^#", " ", block[0], flags=re.MULTILINE), self.text)
        start = re.search(rf"^(#+) {re.escape(title)}$", blank, re.MULTILINE)
        assert start, f"{self.name} has no heading {title!r}"
        end = re.compile(rf"^#{{1,{len(start[1])}}} ", re.MULTILINE).search(blank, start.end())
        return self.text[start.end() : end.start() if end else len(self.text)]

    def table(self, head: str) -> list[str]:
        """The rows of the table with that head."""
        return table(self.text, head)

    def links(self) -> Iterator[str]:
        """The targets of all links."""
        # between backticks there is no link
        for link in LINK.finditer(re.sub(r"`[^`\n]*`", "``", self.prose)):
            yield link[2]

    def shell_lines(self) -> Iterator[str]:
        """Every line of shell that it shows, in a block or between backticks."""
        for block in self.blocks("sh"):
            yield from re.sub(r"\\\n\s*", "", block).splitlines()
        for block in self.blocks("console"):
            yield from (line[2:] for line in block.splitlines() if line.startswith("$ "))
        yield from re.findall(r"`(dataportal [^`\n]+)`", self.prose)

    def documents(self) -> Iterator[Any]:
        """What its blocks of YAML say."""
        for block in self.blocks("yaml"):
            yield from yaml.safe_load_all(block)


def readme() -> Page:
    """README.md."""
    return Page(ROOT / "README.md")


def index() -> Page:
    """The list of topics."""
    return Page(HOME / "README.md")


def pages() -> list[Page]:
    """The pages of the manual, without their index."""
    return [Page(path) for path in sorted(HOME.rglob("*.md")) if path.name != "README.md"]


def page(topic: str) -> Page:
    """The page of a topic."""
    (match,) = (page for page in pages() if page.topic == topic)
    return match


def everything() -> list[Page]:
    """README, the index and all pages."""
    return [readme(), index(), *pages()]


def blocks(text: str, language: str) -> list[str]:
    """The blocks of a language in a text."""
    return [block[2] for block in BLOCK.finditer(text) if block[1] == language]


def anchor(heading: str) -> str:
    """What a forge calls a heading in a link."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def contents(page: Page) -> str:
    """The line of links with which a page begins."""
    links = (f"[{title}](#{anchor(title)})" for title in page.headings(2))
    return f"**On this page:** {' · '.join(links)}"


def table(text: str, head: str) -> list[str]:
    """The rows of the table with that head, in a text."""
    columns = head.count("|") - 1
    _, head_line, rest = text.partition(f"{head}\n|{'---|' * columns}\n")
    assert head_line, head
    return rest.partition("\n\n")[0].splitlines()


def first_cells(text: str) -> list[str]:
    """The first cell of each row of the tables in a text."""
    return re.findall(r"^\| (.*?) (?<!\\)\|", text, re.MULTILINE)


def option_rows(command: str) -> Iterator[str]:
    """The table of a command's own options and arguments, as its page has it."""
    for parameter in load_command(command).params:
        if "--help" in parameter.opts:
            continue
        yield f"| {_names(parameter)} | {_meaning(parameter)} |"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar}`"
    choices = getattr(parameter.type, "choices", None)
    value = "\\|".join(str(choice) for choice in choices) if choices else parameter.metavar
    if getattr(parameter.type, "min", None) is not None and not value:
        value = "N"
    return ", ".join(f"`{name} {value}`" if value else f"`{name}`" for name in parameter.opts)


def _meaning(parameter: Any) -> str:
    default = parameter.default
    shown = f" ({default})" if isinstance(default, int | str) and default is not False else ""
    return f"{parameter.help}{shown}"


def command_lines(shown: Iterable[Page]) -> Iterator[list[str]]:
    """The arguments of every `dataportal` on these pages, in a container or not."""
    for page_shown in shown:
        for line in page_shown.shell_lines():
            yield from _calls(line)
        for document in page_shown.documents():
            if isinstance(document, dict) and document.get("kind") == "CronJob":
                yield pod(document)["containers"][0]["args"]


_RUNS_IT = re.compile("dataportal|env |docker run ")


def _calls(line: str) -> Iterator[list[str]]:
    inner = re.compile(r"\$\(([^()]*)\)")
    for call in inner.findall(line):
        yield from _calls(call)
    for command in _simple_commands(inner.sub("x", line)):
        words = list(dropwhile(re.compile(r"[A-Z_]+=").match, command))
        # another program of the image
        if "--entrypoint" in words:
            continue
        if "dataportal" in words and _RUNS_IT.match(" ".join(words)):
            yield words[words.index("dataportal") + 1 :]


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The words of each command in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|&;<>()"):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def pod(document: Any) -> Any:
    """The template of the pod in a CronJob."""
    return document["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def command_in(words: list[str]) -> str | None:
    """The name of the command in these arguments."""
    return next((word for word in words if word in COMMANDS), None)


def example_files(shown: Iterable[Page]) -> dict[str, str]:
    """The blocks of Python that are files, by the names in their first lines."""
    files = {}
    for page_shown in shown:
        for block in page_shown.blocks("python"):
            compile(block, page_shown.name, "exec")
            if named := re.match(r'"""(\w+\.py)', block):
                files[named[1]] = block
    return files


def sources(shown: Iterable[Page]) -> list[str]:
    """The blocks of YAML that are a sources.yaml."""
    return [
        block
        for page_shown in shown
        for block in page_shown.blocks("yaml")
        if (document := yaml.safe_load(block)).keys() & {"timeseries", "request_groups"}
        and all(key in {"timeseries", "request_groups"} or key[:2] == "x-" for key in document)
    ]
