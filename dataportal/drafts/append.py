"""Puts an entry into a sources.yaml, and leaves all that stands there as it is, to the byte."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from dataportal.atomic_files import atomic_file
from dataportal.config.yaml_nodes import Mapping, Scalar
from dataportal.config.yaml_parser import read_document
from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from dataportal.config.yaml_nodes import Node
    from dataportal.drafts.entry_text import Entry


def text_with(path: Path, text: str, entry: Entry) -> str:
    """The text of a file with one more entry; all that was there is there, in its order.

    Args:
        path: as it is shown in messages.
        text: of the file.
        entry: which goes to the end of its section, or into a new one at the end.

    Raises:
        ConfigurationError: the text is no such file, or its section is written in one line.
    """
    root = read_document(path, text).root
    newline = "\r\n" if "\r\n" in text else "\n"
    section = None if root is None else _section(path, root, entry.section)
    lines = text.splitlines(keepends=True)
    if section is None:
        before = text if not text or text.endswith("\n") else text + newline
        gap = newline if before.strip() and not before.endswith(("\n\n", "\r\n\r\n")) else ""
        return before + gap + newline.join([f"{entry.section}:", *entry.lines(), ""])
    key, content = section
    if not isinstance(content, Mapping):
        # a section without entries: it may have remarks of its own
        at, indent = key.mark.line + 1, 2
    else:
        if _is_flow(lines, content):
            raise ConfigurationError(
                f"{path}:{content.mark.line + 1}:{content.mark.column + 1}: {entry.section} is "
                "written in braces, and nothing can be put into it as it stands",
                hint="Write it with one source below another",
            )
        at, indent = _end_of(lines, content), content.mark.column
    own = [line + newline for line in entry.lines(indent=indent)]
    head = "".join(lines[:at])
    if head and not head.endswith("\n"):
        head += newline
    gap = newline if isinstance(content, Mapping) else ""
    return head + gap + "".join(own) + "".join(lines[at:])


def append_entry(path: Path, entry: Entry) -> None:
    """Put an entry into a file, at once or not at all; a file that is not there is made.

    Raises:
        ConfigurationError: the file cannot be read, or not be added to.
        FileError: it cannot be written.
    """
    try:
        raw = path.read_bytes() if path.exists() else b""
        text = raw.decode("utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"{path} cannot be read ({error})") from None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    new = mark + text_with(path, text.removeprefix("\ufeff"), entry)
    # what was made must be a file that can be read, before it takes the place of the other
    read_document(path, new.removeprefix("\ufeff"))
    _replace(path, new.encode("utf-8"))


def _replace(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    with atomic_file(path) as hidden, hidden.open("xb") as file:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _section(path: Path, root: Node, name: str) -> tuple[Scalar, Node] | None:
    if isinstance(root, Scalar) and not root.text:
        return None
    if not isinstance(root, Mapping):
        raise ConfigurationError(f"{path} is no file of sources: it has no keys such as {name}")
    for key, content in zip(root.content[::2], root.content[1::2], strict=True):
        if isinstance(key, Scalar) and key.text == name:
            return key, content
    return None


def _is_flow(lines: list[str], content: Mapping) -> bool:
    line = lines[content.mark.line] if content.mark.line < len(lines) else ""
    return line[content.mark.column : content.mark.column + 1] == "{"


def _end_of(lines: list[str], content: Mapping) -> int:
    """The number of the line behind the last one of a block: before the next key to its left."""
    last = content.mark.line
    for number in range(content.mark.line, len(lines)):
        line = lines[number]
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if re.match(r" *", line).end() < content.mark.column or stripped in {"...", "---"}:  # type: ignore[union-attr]  # it always fits
            break
        last = number
    # remarks that are as far in as the entries belong to them
    for number in range(last + 1, len(lines)):
        line = lines[number]
        if not line.strip().startswith("#") or len(line) - len(line.lstrip()) < content.mark.column:
            break
        last = number
    return last + 1
