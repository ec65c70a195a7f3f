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
from dataportal.plugins.parameters.manual import table_rows

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


def declared(module: str) -> list[type[Parameters]]:
    """All structs of parameters of the plugins of a module; none where they have none yet."""
    classes = sorted(plugin_classes(module), key=lambda cls: (cls.__module__, cls.__name__))
    groups = [cls for cls in classes if issubclass(cls, MultiSeriesPlugin)]
    structs = [struct for cls in [*groups, *classes] for struct in cls.parameters]
    structs += [struct for cls in groups for struct in cls.series_parameters]
    return list(dict.fromkeys(structs))


def rows_of(module: str) -> list[str]:
    """The rows of the table of a module's parameters."""
    return table_rows(declared(module))


def main() -> None:
    """Write every table that differs."""
    for topic, module in topics().items():
        page = manual.page(topic)
        rows = rows_of(module)
        if not rows or HEAD not in page.text:
            continue
        before, _, rest = page.text.partition(f"{HEAD}\n|---|---|\n")
        after = rest[rest.index("\n\n") + 1 :] if "\n\n" in rest else ""
        text = "".join((before, f"{HEAD}\n|---|---|\n", *(f"{row}\n" for row in rows), after))
        if text != page.text:
            page.path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
