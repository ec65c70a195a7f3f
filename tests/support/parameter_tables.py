"""The tables of parameters of the manual, made from the structs of the built-in plugins.

`python -m support.parameter_tables` in the folder `tests` writes those that
differ.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support import manual
from support.conformance_kits import plugin_classes

from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.parameters.manual import nested_structs, table_rows

if TYPE_CHECKING:
    from dataportal.plugins.parameters import Parameters

HEAD = "| parameter | meaning (default) |"


def topics() -> dict[str, str]:
    """The topics of the built-in plugins, and the module of each."""
    rows = manual.page("providers").section("Built in")
    found = re.findall(
        r"^\| \[.*?\]\((?:providers/)?([\w-]+)\.md.* \| `(\w+)` \|", rows, re.MULTILINE
    )
    return dict(found)


def pages_of(topic: str) -> list[manual.Page]:
    """The pages with tables of parameters: the one of a topic, and those that go on from it."""
    pages = [page for page in manual.pages() if page.topic.startswith(f"{topic}-")]
    return [manual.page(topic), *pages]


def declared(module: str) -> list[type[Parameters]]:
    """All structs of parameters of the plugins of a module; none where they have none yet."""
    classes = plugin_classes(module)
    groups = [cls for cls in classes if issubclass(cls, MultiSeriesPlugin)]
    structs = [struct for cls in [*groups, *classes] for struct in cls.parameters]
    structs += [struct for cls in groups for struct in cls.series_parameters]
    return list(dict.fromkeys(structs))


def rows_of(module: str) -> list[str]:
    """The rows of the table of a module's parameters."""
    return table_rows(declared(module))


def tables_of(module: str) -> dict[str, list[str]]:
    """The tables of a module's parameters by their heads, those within a mapping included."""
    inner: dict[str, list[str]] = {}
    for struct in declared(module):
        for name, nested in nested_structs(struct).items():
            rows = inner.setdefault(f"| of `{name}` | meaning (default) |", [])
            rows += [row for row in table_rows([nested]) if row not in rows]
    return {HEAD: rows_of(module), **inner}


def main() -> None:
    """Write every table that differs."""
    for topic, module in topics().items():
        for page in pages_of(topic):
            text = page.text
            for head, rows in tables_of(module).items():
                before, found, rest = text.partition(f"{head}\n|---|---|\n")
                if not found or not rows:
                    continue
                old = re.match(r"(?:\|.*\n)*", rest)
                after = rest[old.end() if old else 0 :]
                text = "".join((before, found, *(f"{row}\n" for row in rows), after))
            if text != page.text:
                page.path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
