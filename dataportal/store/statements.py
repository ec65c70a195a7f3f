"""Takes a file of SQL apart into its statements, for engines that take one at a time."""

from __future__ import annotations

import re

_TOKENS = re.compile(
    r"""
      --[^\n]* | /\*.*?\*/                  # comments
    | [eE]'(?:[^'\\]|''|\\.)*' | '[^']*'    # texts; '' within is two of them
    | "[^"]*"                               # names
    | (?P<tag>\$\w*\$).*?(?P=tag)           # the body of a function, as a text
    | (?P<opening>\bBEGIN\s+ATOMIC\b|\bCASE\b)
    | (?P<closing>\bEND\b)
    | (?P<end>;)
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)


def split_statements(text: str) -> list[str]:
    """The statements of a text, each with the comments before it and without its semicolon.

    A semicolon within a text, a name, a comment or the body of a function ends none. Comments
    within comments are not known here.
    """
    statements, start, depth = [], 0, 0
    for token in _TOKENS.finditer(text):
        if token["opening"] and (depth or token["opening"].upper() != "CASE"):
            depth += 1
        elif token["closing"] and depth:
            depth -= 1
        elif token["end"] and not depth:
            statements.append(text[start : token.start()].strip())
            start = token.end()
    statements.append(text[start:].strip())
    return [statement for statement in statements if not _is_empty(statement)]


def _is_empty(statement: str) -> bool:
    return not re.sub(r"--[^\n]*|/\*.*?\*/", "", statement, flags=re.DOTALL).strip()
