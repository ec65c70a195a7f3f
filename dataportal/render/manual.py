"""Reads the pages of the manual, finds one by its topic, renders it for a terminal or a pipe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from rich.text import Text

HOME = Path(__file__).resolve().parents[1] / "manual"
INDEX = "README.md"
_GROUP = re.compile(r"## (.+)")
_QUESTION = re.compile(r"- (.+\?) \[([\w-]+)\]\([\w/-]+\.md\)")
_ENTRY = re.compile(r"- \[([\w-]+)\]\(([\w/-]+\.md)\): (.+)")
# a block of code, a link, or code in a line: whichever begins first
_CODE_OR_LINK = re.compile(
    r"^```.*?^```$|\[(?P<label>[^\]]+)\]\((?P<target>[^)\s]+)\)|`[^`\n]+`",
    re.MULTILINE | re.DOTALL,
)
_OTHER_ENDINGS = (".md", ".yaml", ".yml")
_SUGGESTIONS = 3
_MESSAGES = "messages.md"
_MESSAGES_OF_FILES = "Files of series"
_MESSAGE = re.compile(r"\| `(.+?)` \| .* \| \[([\w-]+)\]\(")


@dataclass(frozen=True, slots=True)
class Topic:
    """One page: its name on the command line, its file, and its line in the list of topics."""

    name: str
    path: Path
    group: str
    about: str

    def text(self) -> str:
        """The page, in Markdown."""
        return self.path.read_text(encoding="utf-8")


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, in the order of the index.

    Raises:
        ConfigurationError: the installation has no manual.
    """
    try:
        lines = (HOME / INDEX).read_text(encoding="utf-8").splitlines()
    except OSError:
        raise ConfigurationError(
            "the manual is missing from this installation", hint="Install dataportal again"
        ) from None
    return tuple(_entries(lines))


def _entries(lines: Iterable[str]) -> Iterator[Topic]:
    group = ""
    for line in lines:
        if heading := _GROUP.fullmatch(line):
            group = heading[1]
        elif entry := _ENTRY.fullmatch(line):
            yield Topic(entry[1], HOME / entry[2], group, entry[3])


def find_topic(words: Sequence[str]) -> Topic | None:
    """The topic that the words name: `exit-codes`, `exit codes` and `Exit-Codes.md` are one."""
    name = "-".join(words).lower().replace("_", "-").replace(" ", "-")
    for ending in _OTHER_ENDINGS:
        name = name.removesuffix(ending)
    return next((topic for topic in topics() if topic.name == name), None)


def similar_topics(words: Sequence[str]) -> tuple[str, ...]:
    """The topics whose names resemble the words, the nearest first."""
    from difflib import get_close_matches

    names = [topic.name for topic in topics()]
    name = "-".join(words).lower()
    similar = get_close_matches(name, names, n=_SUGGESTIONS)
    return tuple(similar or [n for n in names if name and name in n][:_SUGGESTIONS])


def topics_that_mention(words: Sequence[str]) -> tuple[str, ...]:
    """The topics whose pages have all of the words, those that have them most often first."""
    wanted = [word.lower() for word in words if word]
    found = []
    for topic in topics():
        text = topic.text().lower()
        counts = [text.count(word) for word in wanted]
        if counts and all(counts):
            found.append((-min(counts), topic.name))
    return tuple(name for _, name in sorted(found)[:_SUGGESTIONS])


def page_of_message(message: str, *, of_file: bool = False) -> str | None:
    """The topic whose page says more about a message, as the page of messages has it; or None.

    Args:
        message: what the program says.
        of_file: whether it is about a file of series, whose messages are told apart there.
    """
    section = ""
    try:
        lines = (HOME / _MESSAGES).read_text(encoding="utf-8").splitlines()
    except OSError:  # without its manual the program can still say what is wrong
        return None
    for line in lines:
        if heading := _GROUP.fullmatch(line):
            section = heading[1]
        elif (
            (row := _MESSAGE.match(line))
            and (section == _MESSAGES_OF_FILES) is of_file
            and _resembles(message, row[1])
        ):
            return row[2]
    return None


def _resembles(message: str, pattern: str) -> bool:
    """Whether a message is of this kind; `…` stands for what differs."""
    start = "" if pattern.startswith("…") else r"(?:^|[:;] )"
    end = "" if pattern.endswith("…") else r"(?=$|[:;,.] | \(|\.$)"
    parts = ".*".join(re.escape(part) for part in pattern.strip("… ").split("…"))
    return re.search(f"{start}{parts}{end}", message, re.DOTALL) is not None


class TopicsView:
    """What `help` answers without a topic."""

    def lines(self, _stream: TextIO) -> Iterator[str]:
        """The questions that are asked most, then the topics, a heading for each group."""
        questions = _QUESTION.findall((HOME / INDEX).read_text(encoding="utf-8"))
        width = max(len(question) for question, _ in questions)
        yield "Questions:"
        for question, name in questions:
            yield f"  {question:<{width}}  dataportal help {name}"
        width = max(len(topic.name) for topic in topics())
        group = ""
        for topic in topics():
            if topic.group != group:
                group = topic.group
                yield ""
                yield f"{group}:"
            yield f"  {topic.name:<{width}}  {topic.about}"

    def document(self) -> dict[str, Any]:
        """The topics, in the same order."""
        entries = [
            {"topic": topic.name, "group": topic.group, "about": topic.about} for topic in topics()
        ]
        return {"topics": entries}


class PageView:
    """What `help` answers to a topic, where no terminal shows it."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic

    def lines(self, _stream: TextIO) -> Iterator[str]:
        """The page's Markdown, without links."""
        yield from without_links(self._topic.text()).splitlines()

    def document(self) -> dict[str, Any]:
        """The page's Markdown as it stands in the file."""
        topic = self._topic
        return {"topic": topic.name, "about": topic.about, "text": topic.text()}


def without_links(text: str) -> str:
    """The Markdown with a topic's name in place of each link, as a terminal cannot follow one."""
    return _CODE_OR_LINK.sub(_plain_text, text)


def _plain_text(part: re.Match[str]) -> str:
    label, target = part["label"], part["target"]
    if target is None:
        return part[0]
    if re.match(r"\w+:", target):
        return f"{label} ({target})"
    page = Path(target.partition("#")[0])
    if page.suffix != ".md" or page.name == INDEX or page.stem == label.strip("`"):
        return label
    return f"{label} (dataportal help {page.stem})"


def render_page(topic: Topic, *, width: int, color: bool) -> str:
    """The page as a terminal of that width shows it, with or without escape codes.

    Lines of code stay whole, however long they are: somebody will copy them.
    """
    from rich.console import Console
    from rich.markdown import CodeBlock, Markdown
    from rich.syntax import Syntax

    class WholeLines(CodeBlock):
        """A block of code that is not wrapped, nor filled with blanks."""

        def __rich_console__(self, _console: object, _options: object) -> Iterator[Text]:
            code = Syntax("", self.lexer_name, theme=self.theme).highlight(str(self.text).rstrip())
            code.no_wrap, code.overflow = True, "ignore"
            code.rstrip()
            yield code

    class Page(Markdown):
        elements = Markdown.elements | {"fence": WholeLines, "code_block": WholeLines}

    console = Console(
        width=width,
        force_terminal=True,
        no_color=not color,
        highlight=False,
        color_system="standard" if color else None,
    )
    with console.capture() as captured:
        console.print(Page(without_links(topic.text()), code_theme="ansi_dark"), crop=False)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
