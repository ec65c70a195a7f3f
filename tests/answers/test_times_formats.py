"""A time_format that names no day, or a day of no year, is refused in sources.yaml, with its line.

Read as strptime does, `%H:%M` is a time of 1 January 1900: it was stored there, run after run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.answer_runs import program

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT_IN = "dataportal.plugins.data_sources"
NO_DAY = ["%H:%M", "%H", "%H:%M:%S", "%I:%M %p", "%M", "%X", "%S", "%f"]
NO_YEAR = ["%d.%m. %H:%M", "%m/%d", "%m-%d %H:%M", "%b %d", "%d %B", "%j", "%W %w", "%A %H:%M"]
NO_MONTH = ["%Y %H:%M", "%d %Y", "%Y %H", "%y %d", "%Y-%m %H:%M"]
WHOLE = [
    "%Y-%m-%d",
    "%d.%m.%y %H:%M",
    "%Y",
    "%Y-%m",
    "%b %Y",
    "%Y%j",
    "%Y-%j %H",
    "%G-W%V-%u",
    "%Y %U %w",
    "%c",
    "%x",
    "%d/%m/%Y %I:%M:%S %p",
    "%Y-%m-%dT%H:%M:%S%z",
    "unix",
    "unix_ms",
    "period",
]
DESCRIBED = [
    (kind, key, form)
    for kind in ("Json", "Xml")
    for key, form in (
        ("time_format", "%H:%M"),
        ("time_format", "%d.%m. %H:%M"),
        ("published_format", "%m/%d"),
    )
]
# nothing is asked of it
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"


def of_table(name: str, form: str) -> list[str]:
    """A source of the plugin for tables, in lines."""
    return [
        f"{name}:",
        f"  module: {BUILT_IN}.csv_plugin",
        "  class: CsvDataSourcePlugin",
        "  default_params:",
        "    path: load.csv",
        f'    time_format: "{form}"',
    ]


def entry_lines(name: str, kind: str, key: str, form: str) -> list[str]:
    """A source that is described, in lines."""
    return [
        f"{name}:",
        f"  module: {BUILT_IN}.http_plugin",
        f"  class: Http{kind}Plugin",
        "  timezone: Europe/Berlin",
        "  default_params:",
        "    url: http://127.0.0.1:1/a",
        "    rows: r",
        "    published_at: p" if key == "published_format" else "    per_minute: 60",
        "    ts: t",
        "    value: v",
        f'    {key}: "{form}"',
    ]


GROUP = f"""\
request_groups:
  group:
    module: {BUILT_IN}.http_plugin
    class: HttpJsonMultiSeriesPlugin
    timezone: Europe/Berlin
    request_params:
      url: http://127.0.0.1:1/a
      time_format: "%H:%M %p"
      ts: t
    timeseries:
      - endpoint_prefix: one
        extract_filter: {{value: v}}
"""
TABLES = {f"table-{n}": form for n, form in enumerate([*NO_DAY, *NO_YEAR, *NO_MONTH, *WHOLE])}
DESCRIPTIONS = {f"described-{n}": case for n, case in enumerate(DESCRIBED)}
SINGLE = [
    line
    for lines in (
        *(of_table(name, form) for name, form in TABLES.items()),
        *(entry_lines(name, *case) for name, case in DESCRIPTIONS.items()),
    )
    for line in lines
]
TEXT = "\n".join(["timeseries:", *(f"  {line}" for line in SINGLE), GROUP])


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """What `list-sources --check` finds wrong with each source."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "sources.yaml").write_text(TEXT, encoding="utf-8")
    done = program("list-sources", "--check", "--json", folder=folder, database_url=NO_DATABASE)
    return {row["source"]: row["problems"] for row in json.loads(done.stdout)["sources"]}


def line_of(source: str, key: str) -> int:
    """The number of the line that has this key of a source."""
    lines = TEXT.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.strip() == f"{source}:")
    return 1 + next(n for n, line in enumerate(lines) if n > begin and line.strip().startswith(key))


@pytest.mark.parametrize("form", [*NO_DAY, *NO_YEAR, *NO_MONTH])
def test_a_format_without_a_whole_date_is_refused(
    problems: Mapping[str, list[str]], form: str
) -> None:
    """In a table's description, before anything is asked; the line is that of the format."""
    name = next(name for name, told in TABLES.items() if told == form)
    (problem,) = problems[name]
    assert f"sources.yaml:{line_of(name, 'time_format')}:" in problem
    assert form in problem


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_so_it_is_in_every_description(problems: Mapping[str, list[str]], name: str) -> None:
    """Of JSON and XML; and so is a format of publication."""
    _, key, form = DESCRIPTIONS[name]
    (problem,) = problems[name]
    assert f"sources.yaml:{line_of(name, key)}:" in problem
    assert form in problem


def test_so_it_is_in_a_group(problems: Mapping[str, list[str]]) -> None:
    """Once for all series, with the line of the format."""
    (problem,) = problems["group"]
    assert f"sources.yaml:{line_of('group', 'time_format')}:" in problem


@pytest.mark.parametrize("form", WHOLE)
def test_a_format_with_a_whole_date_is_taken(problems: Mapping[str, list[str]], form: str) -> None:
    """A year or a month names a day by its beginning; weeks and days of the year name one, too."""
    name = next(name for name, told in TABLES.items() if told == form)
    assert problems[name] == []
