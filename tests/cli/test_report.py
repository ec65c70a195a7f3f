"""`dataportal report`, as a process, and its page in a browser."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.browser import PROGRAM, open_browser
from support.http_server import Reply
from support.program_sources import table
from support.reading_role import reading_role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conftest import RunCli
    from support.browser import Page
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

AXE = "DATAPORTAL_TEST_AXE"
HOSTILE = "<script>document.title='stolen'</script><img src=http://127.0.0.1:1/x onerror=alert(1)>"
CASES = [(width, dark) for width in (360, 1280) for dark in (False, True)]


@pytest.fixture
def many_sources(sources: SourceFile, server: LocalServer) -> SourceFile:
    """One of each kind: well, with a hole, failing with a hostile text, broken, idle, never run."""
    sources.csv("good", f"{server.url}/good.csv")
    metadata = {"name": "hole", "unit": "MW", "granularity": "1 hour"}
    sources.csv("hole", f"{server.url}/hole.csv", metadata=metadata, initial_history="30 days")
    sources.csv("failing", server.answer("/gone.csv", Reply(404)))
    sources.csv(HOSTILE, f"{server.url}/good.csv")
    sources.csv("off", f"{server.url}/good.csv", enabled=False)
    sources.csv("keyless", f"{server.url}/good.csv", requires_env=["NO_SUCH_KEY"])
    sources.write(broken={"shedule": "1 day"})
    return sources


@pytest.fixture
def page_env(
    many_sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> dict[str, str]:
    """The environment of a database into which they were fetched twice, the second revised."""
    del many_sources
    recent = _recent_hours()
    server.answer("/hole.csv", _hours(recent[:10] + recent[14:]))
    assert run_cli("fetch-all", env=env).returncode == 3
    server.answer("/good.csv", table([1.0, 5.0]))
    assert run_cli("fetch-all", env=env).returncode == 3
    return env


def _recent_hours() -> list[str]:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return [(now - timedelta(hours=h)).isoformat() for h in range(40, 0, -1)]


def _hours(times: list[str]) -> Reply:
    lines = ["ts,value", *(f"{ts},{n}" for n, ts in enumerate(times))]
    return Reply(body="\n".join(lines).encode() + b"\n", content_type="text/csv")


def test_data_say_how_every_source_stands(page_env: dict[str, str], run_cli: RunCli) -> None:
    """Sources that need attention first; runs, revisions, values, what is missing, the disk."""
    done = run_cli("report", "--json", env=page_env)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    assert answer["error"] is None
    assert answer["states"] == {"broken": 1, "disabled": 1, "failing": 1, "needs": 1, "ok": 3}
    names = [source["source"] for source in answer["sources"]]
    assert names == ["broken", "failing", HOSTILE, "good", "hole", "keyless", "off"]
    by_name: dict[str, Any] = dict(zip(names, answer["sources"], strict=True))
    good, hole = by_name["good"], by_name["hole"]
    assert [run["outcome"] for run in good["runs"]] == ["succeeded", "succeeded"]
    assert [(d["inserted"], d["revised"]) for d in good["changes_by_day"]] == [(2, 1)]
    assert [v["value"] for v in good["series"][0]["values"]] == [1.0, 5.0]
    assert good["disk_bytes"] > 0
    (gap,) = hole["series"][0]["gaps"]
    assert (gap["missing"], gap["start"]) == (4, _recent_hours()[10].replace("+00:00", "Z"))
    assert 3600 <= hole["lag"] < 3 * 3600
    assert "404" in by_name["failing"]["reasons"][0]
    assert by_name["off"]["ok"] is True
    tables = {t["table"]: t["bytes"] for t in answer["database"]["tables"]}
    assert tables["time_series_data_scd2"] > 0
    assert answer["database"]["bytes"] == sum(tables.values())
    some = run_cli("report", "--json", "--only", "g*", env=page_env)
    assert [s["source"] for s in json.loads(some.stdout)["sources"]] == ["good"]


def test_a_role_that_may_only_read_makes_the_page(
    page_env: dict[str, str], run_cli: RunCli, tmp_path: Path
) -> None:
    """From DATABASE_READ_URL: the other database is not even asked. Quiet with -q."""
    with reading_role(page_env["DATABASE_URL"]) as reader:
        env = {
            **page_env,
            "DATABASE_URL": "postgresql://127.0.0.1:1/x",
            "DATABASE_READ_URL": reader,
        }
        done = run_cli("-q", "report", "-o", "status.html", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = (tmp_path / "status.html").read_text(encoding="utf-8")
    assert "2 of 5 sources need attention" in page
    shown = run_cli("report", "-o", "-", env=page_env)
    assert shown.stdout.startswith("<!doctype html>")


def test_the_file_is_written_whole_or_not_at_all(
    page_env: dict[str, str], run_cli: RunCli, tmp_path: Path
) -> None:
    """Every user may read it; where it cannot be written the one before stays."""
    folder = tmp_path / "www"
    folder.mkdir()
    file = folder / "status.html"
    done = run_cli("report", "-o", str(file), env=page_env)
    assert done.stdout == f"{file}: 2 of 5 sources need attention\n"
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in folder.iterdir()] == ["status.html"]
    for target, words in (("/nowhere/s.html", "no folder"), (str(folder), "it is no file")):
        refused = run_cli("report", "-o", target, env=page_env)
        assert refused.returncode == 2
        assert words in refused.stderr
    assert run_cli("report", env=page_env).returncode == 2
    assert run_cli("report", "-o", "-", "--json", env=page_env).returncode == 2


def test_without_a_database_the_page_says_so(
    page_env: dict[str, str], run_cli: RunCli, tmp_path: Path
) -> None:
    """A page of yesterday, all green, would be a lie; the exit code is 69."""
    away = {**page_env, "DATABASE_URL": "postgresql://nobody:hunter22@127.0.0.1:1/none"}
    done = run_cli("report", "-o", "status.html", env=away)
    assert done.returncode == 69
    page = (tmp_path / "status.html").read_text(encoding="utf-8")
    assert "The database cannot be asked" in page
    assert "unknown" in page
    assert "hunter22" not in page


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Page]:
    """A page of Debian's Chromium."""
    if PROGRAM is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium: apt-get install chromium")
    with open_browser(tmp_path / "browser") as page:
        yield page


@pytest.fixture
def status_url(page_env: Mapping[str, str], run_cli: RunCli, tmp_path: Path) -> str:
    """The address of a page of all kinds of sources."""
    assert run_cli("report", "-o", "status.html", env=page_env).returncode == 0
    return f"file://{tmp_path}/status.html"


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), CASES)
def test_the_page_in_a_browser(browser: Page, status_url: str, *, width: int, dark: bool) -> None:
    """It asks for nothing but itself, is no wider than the window, and axe finds nothing in it.

    Closed, and with everything open. Texts of providers are texts.
    """
    browser.open(status_url, width=width, dark=dark)
    assert browser.requests == [status_url]
    assert browser.complaints == []
    assert browser.evaluate("document.title") == "2 of 5 sources need attention"
    assert browser.evaluate("document.images.length") == 0
    headings = browser.evaluate("[...document.querySelectorAll('h3')].map(h => h.textContent)")
    assert headings[:3] == ["broken", "failing", HOSTILE]
    colour = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(19, 20, 23)" if dark else "rgb(245, 244, 239)")
    for is_open in (False, True):
        browser.evaluate(f"document.querySelectorAll('details').forEach(d => d.open = {is_open:d})")
        assert browser.evaluate("document.documentElement.scrollWidth") == width
        assert _axe_findings(browser) == []


def _axe_findings(browser: Page) -> list[str]:
    """What axe-core finds, by all rules that it has but those of experiments."""
    path = os.environ.get(AXE)
    if path is None and not os.environ.get("CI"):
        pytest.skip(f"{AXE} names no axe.min.js: npm install axe-core")
    assert path, AXE
    browser.evaluate(Path(path).read_text(encoding="utf-8"))
    found = browser.evaluate(
        "axe.run().then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))"
    )
    assert isinstance(found, list)
    return found


@pytest.mark.slow
def test_the_page_without_a_mouse_and_without_a_script(browser: Page, status_url: str) -> None:
    """Arrows choose what is seen, return opens a source; a screen reader hears how they stand."""
    browser.open(status_url, width=1280, script=False)
    visible = (
        "[...document.querySelectorAll('li.s')].filter(e => e.offsetHeight)"
        ".map(e => e.querySelector('h3').textContent)"
    )
    assert len(browser.evaluate(visible)) == 7
    browser.press("Tab", 9)
    assert browser.evaluate("document.activeElement.id") == "show-all"
    browser.press("ArrowRight", 39)
    assert browser.evaluate(visible) == ["broken", "failing"]
    browser.press("Tab", 9)
    browser.press("Enter", 13, "\r")
    assert browser.evaluate("document.querySelector('li.s details').open") is True
    browser.open(status_url, width=1280)
    names = [name for role, name in browser.accessible_names() if role != "StaticText"]
    spoken = " ".join(names)
    assert "failing" in spoken
    assert "last 2 runs: 2 failed" in spoken
    assert "2 values from 1 to 5 MW" in spoken


@pytest.mark.slow
def test_an_old_page_says_that_it_is_old(browser: Page, status_url: str, tmp_path: Path) -> None:
    """For a schedule that stopped leaves a page behind on which all is as it was."""
    browser.open(status_url, width=1280)
    assert browser.evaluate("document.getElementById('age').hidden") is True
    file = tmp_path / "status.html"
    text = file.read_text(encoding="utf-8")
    made = text.split('data-made="')[1].split('"')[0]
    file.write_text(text.replace(f'data-made="{made}"', 'data-made="2020-01-01T00:00:00Z"'))
    browser.open(status_url, width=1280)
    assert browser.evaluate("document.getElementById('age').hidden") is False
    assert "days ago" in browser.evaluate("document.getElementById('age').textContent")
