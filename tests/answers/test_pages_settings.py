"""What sources.yaml says of pages is taken, or refused with its line: nothing is read in vain.

Each strategy says what it does with each key. A mapping where a text belongs (the quotes around a
field were forgotten) and a name that another plugin calls otherwise are refused with their lines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.answer_runs import program

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT_IN = "dataportal.plugins.data_sources"
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"


@dataclass(frozen=True)
class Entry:
    """One entry of sources.yaml, and what must be said of it.

    Attributes:
        lines: below `default_params`; `!` at the end of one marks the line that is wrong.
        says: what the problem must say besides; no problem where it is None.
        kind: Json, Csv or Xml, or csv for the plugin for tables.
        filter: the lines of an extract_filter, which make it a group.
    """

    lines: str
    says: tuple[str, ...] | None = ()
    kind: str = "Json"
    filter: str = ""

    def text(self, name: str) -> list[str]:
        """Its lines."""
        several = "MultiSeries" if self.filter else ""
        module, cls = ("http_plugin", f"Http{self.kind}{several}Plugin")
        if self.kind == "csv":
            module = "csv_plugin"
            cls = "CsvMultiSeriesPlugin" if self.filter else "CsvDataSourcePlugin"
        head = [f"  {name}:", f"    module: {BUILT_IN}.{module}", f"    class: {cls}"]
        params = [f"      {line}" for line in self.lines.strip("\n").splitlines()]
        if not self.filter:
            return [*head, "    default_params:", *params]
        own = [f"          {line}" for line in self.filter.strip("\n").splitlines()]
        series = [f"      - endpoint_prefix: {name}-one", "        extract_filter:", *own]
        return [*head, "    request_params:", *params, "    timeseries:", *series]


PLAIN = "url: http://127.0.0.1:1/a\nts: t\nvalue: v\n"


def paging(lines: str, *says: str, ok: bool = False) -> Entry:
    """An entry with these lines below `paging`."""
    told = "\n".join(f"  {line}" for line in lines.splitlines())
    return Entry(f"{PLAIN}paging:\n{told}", None if ok else says)


STRATEGIES = {
    # what makes no sense with a strategy
    "cursor-first": paging("cursor: c\nfrom: next\nfirst: 1 !", "first", "cursor"),
    "next-first": paging("next: links.next\nfirst: 0 !", "first", "next"),
    "next-size": paging("next: links.next\nsize: 100 !", "size", "next"),
    "next-has-more": paging("next: links.next\nhas_more: more !", "has_more", "next"),
    "next-from": paging("next: links.next\nfrom: c !", "from"),
    "page-from": paging("page: p\nfrom: c !", "from"),
    "offset-from": paging("offset: o\nsize: 10\nfrom: c !", "from"),
    "page-other-hosts": paging("page: p\nother_hosts: true !", "other_hosts"),
    "cursor-short-page": paging("cursor: c\nfrom: next\nshort_page: end !", "short_page"),
    "next-short-page": paging("next: links.next\nshort_page: end !", "short_page"),
    "short-page-beside-a-total": paging(
        "page: p\nsize: 10\ntotal: total\nshort_page: end !", "short_page"
    ),
    "size-param-without-a-size": paging("page: p\nsize_param: n !", "size"),
    "two-strategies": Entry(f"{PLAIN}paging: {{page: p, offset: o}} !", ("page", "offset")),
    "no-strategy": Entry(f"{PLAIN}paging: {{size: 10}} !"),
    # values that are none
    "first-word": paging("page: p\nfirst: one !", "first"),
    "max-pages-nought": paging("page: p\nmax_pages: 0 !", "max_pages"),
    "other-hosts-word": paging("next: links.next\nother_hosts: sometimes !", "other_hosts"),
    "short-page-word": paging("page: p\nsize: 10\nshort_page: stop !", "short_page"),
    "next-expression": paging("next: 'a[' !", "JMESPath"),
    "total-expression": paging("page: p\ntotal: 'a[' !", "JMESPath"),
    "has-more-expression": paging("page: p\nhas_more: 'a[' !", "JMESPath"),
    "unknown-name": paging("page: p\nlimt: 100 !", "limt"),
    "unknown-name-near": paging("page: p\nsize_parm: n !\nsize: 10", "size_param"),
    "none-with-more": paging("none: true !", "none"),
    "word": Entry(f"{PLAIN}paging: pages !", ("none",)),
    "list": Entry(f"{PLAIN}paging: [page] !"),
}
TAKEN = {
    "taken-none": Entry(f"{PLAIN}paging: none", None),
    "taken-page": paging(
        "page: p\nfirst: 0\nsize: 10\nsize_param: n\nlast: pages\nmax_pages: 5", ok=True
    ),
    "taken-page-total": paging("page: p\nfirst: 0\nsize: 10\nsize_param: n\ntotal: t", ok=True),
    "taken-page-more": paging("page: p\nhas_more: more", ok=True),
    "taken-page-short": paging("page: p\nsize: 10\nshort_page: end", ok=True),
    "taken-offset": paging("offset: o\nfirst: 1\nsize: 10\nsize_param: n\ntotal: total", ok=True),
    "taken-offset-more": paging("offset: o\nhas_more: more", ok=True),
    "taken-cursor": paging(
        "cursor: c\nfrom: next\nsize: 10\nsize_param: n\ntotal: total\nlast: pages", ok=True
    ),
    "taken-next-size": paging("next: links.next\nsize: 100\nsize_param: limit", ok=True),
    "taken-next": paging("next: header:Link\ntotal: total\nother_hosts: true", ok=True),
}
MAPPINGS = {
    # a field without quotes is a mapping in YAML
    "query-field": Entry(f"{PLAIN}query: {{from: {{start}}}} !", ("from", "quotes")),
    "query-field-below": Entry(f"{PLAIN}query:\n  to: x\n  from: {{end}} !", ("from", "quotes")),
    "query-of-a-list": Entry(f"{PLAIN}query: {{d: [a, {{start}}]}} !", ("d", "quotes")),
    "query-deep": Entry(f"{PLAIN}query:\n  a:\n    b: c !", ("a",)),
    "url-field": Entry("url: {start} !\nts: t\nvalue: v", ("url", "quotes")),
    "header-field": Entry(f"{PLAIN}headers: {{X-From: {{start}}}} !", ("X-From",)),
    "ts-field": Entry("url: http://127.0.0.1:1/a\nts: {time} !\nvalue: v", ("ts",)),
    "value-field": Entry("url: http://127.0.0.1:1/a\nts: t\nvalue: {v} !", ("value",)),
    "paging-field": Entry(f"{PLAIN}paging:\n  page: {{p}} !", ("page",)),
    "filter-field": Entry(f"{PLAIN}filter: {{of: {{x}}}} !", ("of",)),
    "auth-field": Entry(f"{PLAIN}auth: {{bearer: {{KEY}}}} !", ("bearer",)),
    "extract-filter-field": Entry(
        "url: http://127.0.0.1:1/a\nts: t", ("station", "quotes"), filter="value: v\nstation: {a} !"
    ),
    "extract-filter-list": Entry(
        "url: http://127.0.0.1:1/a\nts: t", ("station",), filter="value: v\nstation: [a, b] !"
    ),
    "extract-filter-of-a-table": Entry(
        "url: http://127.0.0.1:1/a", ("station",), kind="csv", filter="station: {a} !"
    ),
}
NAMES = {
    # of another plugin: it would be taken for a column to filter by
    "value-column-in-a-filter": Entry(
        "url: http://127.0.0.1:1/a\nts: t\nvalue: v",
        ("value_column", "value"),
        filter="value_column: price !",
    ),
    "value-column-in-a-filter-of-a-table": Entry(
        "url: http://127.0.0.1:1/a\nts: t\nvalue: v",
        ("value_column", "value"),
        kind="Csv",
        filter="value_column: price !",
    ),
    "value-column-in-xml": Entry(
        "url: http://127.0.0.1:1/a\nrows: r\nts: t\nvalue: v",
        ("value_column", "value"),
        kind="Xml",
        filter="value_column: price !",
    ),
    "ts-column-in-a-filter": Entry(
        "url: http://127.0.0.1:1/a\nts: t", ("ts_column", "ts"), filter="value: v\nts_column: x !"
    ),
    "value-in-the-filter-of-a-table": Entry(
        "url: http://127.0.0.1:1/a", ("value", "value_column"), kind="csv", filter="value: price !"
    ),
    "ts-column": Entry(
        "url: http://127.0.0.1:1/a\nts_column: t !\nvalue: v\nts: t", ("ts_column", "ts")
    ),
    "value-column": Entry(
        "url: http://127.0.0.1:1/a\nvalue_column: v !\nvalue: v\nts: t", ("value_column", "value")
    ),
    "ts-in-a-table": Entry("url: http://127.0.0.1:1/a\nts: t !", ("ts", "ts_column"), kind="csv"),
    "value-in-a-table": Entry(
        "url: http://127.0.0.1:1/a\nvalue: v !", ("value", "value_column"), kind="csv"
    ),
    "timezone-among-the-parameters": Entry(
        f"{PLAIN}timezone: Europe/Berlin !", ("timezone", "schedule")
    ),
}
# of two things that are wrong both are told, each with its line
BOTH = {
    "two-faults": Entry(f"{PLAIN}paging:\n  page: p\n  max_pages: 0 !\nquery: {{a: {{start}}}} !"),
}
ENTRIES = STRATEGIES | TAKEN | MAPPINGS | NAMES | BOTH


def write_entries() -> tuple[str, dict[str, list[int]]]:
    """sources.yaml, and the lines that are wrong in each entry."""
    lines: list[str] = []
    marked: dict[str, list[int]] = {}
    for heading, groups in (("timeseries:", False), ("request_groups:", True)):
        lines.append(heading)
        for name, entry in ENTRIES.items():
            if bool(entry.filter) is groups:
                marked[name] = []
                for line in entry.text(name):
                    lines.append(line.removesuffix(" !"))
                    if line.endswith(" !"):
                        marked[name].append(len(lines))
    return "\n".join([*lines, ""]), marked


TEXT, LINES = write_entries()


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """What `list-sources --check` finds wrong with each source."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "sources.yaml").write_text(TEXT, encoding="utf-8")
    done = program("list-sources", "--check", "--json", folder=folder, database_url=NO_DATABASE)
    return {row["source"]: row["problems"] for row in json.loads(done.stdout)["sources"]}


def check(problems: Mapping[str, list[str]], name: str) -> None:
    """One problem for each line that is wrong, with the line, and what it must say."""
    told, says = problems[name], ENTRIES[name].says
    if says is None:
        assert told == []
        return
    for line in LINES[name]:
        assert any(f"sources.yaml:{line}:" in problem for problem in told), told
    text = " ".join(told).replace(name, "<entry>")
    for word in says:
        assert word in text


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_key_that_a_strategy_does_not_take_is_refused(
    problems: Mapping[str, list[str]], name: str
) -> None:
    """With its line: `first` of a cursor, `size` of a link, two strategies at once."""
    check(problems, name)


@pytest.mark.parametrize("name", TAKEN)
def test_a_key_that_a_strategy_takes_is_taken(problems: Mapping[str, list[str]], name: str) -> None:
    """Every one that has a meaning there; and `paging: none`."""
    check(problems, name)


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_mapping_where_a_text_belongs_is_an_error(
    problems: Mapping[str, list[str]], name: str
) -> None:
    """With its line; for a field the quotes are named."""
    check(problems, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_another_plugin_is_an_error(problems: Mapping[str, list[str]], name: str) -> None:
    """With its line and the name that is meant."""
    check(problems, name)


@pytest.mark.parametrize("name", BOTH)
def test_all_that_is_wrong_is_told_at_once(problems: Mapping[str, list[str]], name: str) -> None:
    """Each with its line."""
    check(problems, name)
