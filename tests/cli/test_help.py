"""`dataportal help`: topics, pages as text, JSON and on a terminal, and what it suggests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from support import manual
from support.terminal import run_on_terminal

from dataportal.render.manual import render_page, topics, without_links

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli

    from dataportal.render.manual import Topic

TOPICS = topics()


def test_the_topics_are_listed(run_cli: RunCli) -> None:
    """Each with a line, under the heading of its group; first the questions that are asked most."""
    process = run_cli("help")
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert lines[0] == "Questions:"
    assert re.fullmatch(r"  Why was nothing .*\?  +dataportal help troubleshooting", lines[2])
    for topic in TOPICS:
        assert f"{topic.group}:" in lines
        assert re.search(
            rf"^  {topic.name}  +{re.escape(topic.about)}$", process.stdout, re.MULTILINE
        )
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    "words",
    [["exit-codes"], ["exit", "codes"], ["Exit-Codes"], ["exit_codes.md"], ["exit codes"]],
    ids=" ".join,
)
def test_a_topic_is_found_however_it_is_written(run_cli: RunCli, words: list[str]) -> None:
    """In several words, with the ending of its file."""
    process = run_cli("help", *words)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("# Exit codes\n")


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["fetsch"], "Did you mean 'fetch' or 'fetch-all'?"),
        (["postgresql"], "These have the word: "),
        (["watermark"], "'glossary'"),
        (["no such thing at all"], "See: dataportal help"),
    ],
)
def test_what_there_is_not_is_2_and_has_a_suggestion(
    run_cli: RunCli, words: list[str], suggestion: str
) -> None:
    """One line on stderr; the same as JSON."""
    process = run_cli("help", *words)
    assert (process.returncode, process.stdout) == (2, "")
    assert len(process.stderr.splitlines()) == 1
    assert f"there is no page {' '.join(words)!r} in the manual" in process.stderr
    assert suggestion in process.stderr
    error = json.loads(run_cli("--json", "help", *words).stderr)["error"]
    assert (error["kind"], error["exit_code"]) == ("usage", 2)
    assert suggestion in error["hint"]


def test_json_has_the_topics_and_the_text_of_a_page(run_cli: RunCli) -> None:
    """As Markdown, as it stands in the file."""
    listed = json.loads(run_cli("--json", "help").stdout)["topics"]
    assert [entry["topic"] for entry in listed] == [topic.name for topic in TOPICS]
    page = json.loads(run_cli("--json", "help", "cron").stdout)
    assert page["text"] == manual.page("cron").text
    assert page["topic"] == "cron"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_plain_text_has_commands_where_pages_have_links(topic: Topic) -> None:
    """Every block of code is whole; no link to a file is left that a terminal cannot follow."""
    page = manual.page(topic.name)
    text = without_links(page.text)
    assert len(text.splitlines()) == len(page.text.splitlines())
    for _, block in page.all_blocks:
        assert block in text + "\n"
    assert not re.search(r"\]\(", re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL))
    for name in re.findall(r"\(dataportal help ([\w-]+)\)", text):
        assert name in {t.name for t in TOPICS} | {"database"}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_page_is_rendered(topic: Topic) -> None:
    """At the width of the terminal, but for lines of code, which can be copied as they stand."""
    text = render_page(topic, width=80, color=False)
    lines = text.splitlines()
    page = manual.page(topic.name)
    code = [line.rstrip() for _, block in page.all_blocks for line in block.splitlines()]
    assert set(code) <= {*lines, ""}
    assert max((len(line) for line in lines if line not in code), default=0) <= 80
    assert "\x1b[3" not in text
    assert manual.page(topic.name).headings(1)[0] in text


def test_on_a_terminal_a_page_is_rendered(
    clean_environment: dict[str, str], tmp_path: Path
) -> None:
    """With headings and colours, through the pager that PAGER names."""
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "LESS=$LESS"; cat; echo paged\n', encoding="utf-8")
    pager.chmod(0o755)
    code, seen = run_on_terminal("help", "cron", env={**clean_environment, "PAGER": str(pager)})
    assert code == 0
    assert seen.startswith("LESS=-FRX\n")
    assert seen.endswith("paged\n")
    assert "\x1b[" in seen
    assert "# cron" not in seen


@pytest.mark.parametrize("extra", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_where_colours_are_not_wanted_there_are_none(
    clean_environment: dict[str, str], extra: dict[str, str]
) -> None:
    """NO_COLOR leaves the layout, a dumb terminal gets plain text."""
    code, seen = run_on_terminal("help", "cron", env={**clean_environment, "PAGER": "cat", **extra})
    assert code == 0
    assert not re.search(r"\x1b\[[0-9;]*3\dm", seen)
    assert ("# cron" in seen) == ("TERM" in extra)


@pytest.mark.parametrize("pager", ["", "no-such-pager-anywhere", "true"])
def test_a_pager_that_is_not_there_or_reads_nothing_is_no_error(
    clean_environment: dict[str, str], pager: str
) -> None:
    """Without one the page is just written."""
    code, seen = run_on_terminal("help", "fetch", env={**clean_environment, "PAGER": pager})
    assert code == 0
    assert "Traceback" not in seen
    assert ("accept-retractions" in seen) == (pager != "true")


def test_it_asks_no_database_and_no_file(run_cli: RunCli) -> None:
    """It helps where nothing else works."""
    env = {"DATABASE_URL": "nonsense", "PLUGIN_CONFIG_PATH": "nowhere.yaml", "LOG_LEVEL": "loud"}
    assert run_cli("help", "database", env=env).returncode == 0
