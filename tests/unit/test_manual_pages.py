"""README and the manual as texts: length, contents, links, words; every page can be found."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from support import manual
from support.manual import ROOT, Page

import dataportal
from dataportal.render.manual import topics

PAGES = manual.pages()
LANGUAGES = {"sh", "console", "yaml", "json", "sql", "python", "text", "ini", "r"}
_LONGEST = 400
_LONGEST_README = 350
_QUESTIONS = {
    "key": "own-source",
    "last night": "troubleshooting",
    "notebook": "analysts",
    "another machine": "backup",
}


def topic(page: Page) -> str:
    """What a test of one page is called by."""
    return page.name


def test_readme_is_a_guide() -> None:
    """So short that it can be read in a quarter of an hour."""
    assert len(manual.readme().text.splitlines()) <= _LONGEST_README


@pytest.mark.parametrize("page", PAGES, ids=topic)
def test_a_page_is_short_and_begins_with_its_contents(page: Page) -> None:
    """A title, what the page is about, links to its sections; all headings differ."""
    lines = page.text.splitlines()
    assert len(lines) <= _LONGEST
    assert re.fullmatch(r"# \S.*", lines[0])
    assert len(page.headings(1)) == 1
    beginning = page.text.partition("\n## ")[0]
    assert manual.contents(page) in beginning.splitlines(), manual.contents(page)
    assert len(page.headings(2)) >= 2
    assert len(set(page.headings(2))) == len(page.headings(2))


@pytest.mark.parametrize("page", manual.everything(), ids=topic)
def test_every_block_says_its_language(page: Page) -> None:
    """So that none escapes the tests."""
    assert len(re.findall(r"^ *```", page.text, re.MULTILINE)) == 2 * len(page.all_blocks)
    assert {language for language, _ in page.all_blocks} <= LANGUAGES


def _is_file_of_checkout(target: Path) -> bool:
    return target.is_relative_to(ROOT) and target.exists()


@pytest.mark.parametrize("page", manual.everything(), ids=topic)
def test_links_lead_somewhere(page: Page) -> None:
    """To files and headings that are there; a link within the checkout is relative."""
    for link in page.links():
        if re.match(r"https?://", link):
            continue
        assert not re.match(r"\w+:|/", link), link
        name, _, fragment = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        assert _is_file_of_checkout(target), link
        if fragment:
            assert fragment in Page(target).anchors, link


def test_readme_on_a_package_index_has_no_link_that_leads_nowhere() -> None:
    """There no other file of the checkout is: a page is named as the command that shows it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    hook = project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    assert hook["fragments"] == [{"path": "README.md"}]
    text = manual.readme().text
    for rule in hook["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    assert not re.findall(r"\]\((?!https?://)", text)
    shown = set(re.findall(r"\(`dataportal help ([\w-]+)`\)", text))
    assert len(shown) > 20
    assert shown <= {t.name for t in topics()}


def test_every_page_has_a_topic_of_its_own() -> None:
    """The index lists each page once, by the name of its file, and nothing else."""
    listed = [t.name for t in topics()]
    assert sorted(listed) == sorted(page.path.stem for page in PAGES)
    assert listed == [t.path.stem for t in topics()]
    assert len(set(listed)) == len(listed)
    assert all(len(t.about) <= 90 and not t.about.endswith(".") for t in topics())


def test_every_page_can_be_reached_by_links_from_readme() -> None:
    """Through the index in two clicks; each page is also named by another one."""
    links = Counter(
        (page.path.parent / link.partition("#")[0]).resolve()
        for page in [manual.readme(), *PAGES]
        for link in page.links()
        if not link.startswith(("http", "#"))
    )
    assert manual.index().path in links
    assert not [page.name for page in PAGES if page.path not in links]


def test_what_a_new_user_asks_is_answered_in_two_clicks() -> None:
    """The index names the questions first, and README links to each of their pages."""
    questions = manual.index().section("Questions")
    linked = {Path(link.partition("#")[0]).stem for link in manual.readme().links()}
    for words, name in _QUESTIONS.items():
        (line,) = (line for line in questions.splitlines() if words in line)
        assert f"[{name}]" in line
        assert name in linked


def test_the_manual_is_shipped() -> None:
    """What is installed has every page of the checkout, byte for byte."""
    (package,) = dataportal.__path__
    installed = Path(package) / "manual"
    pages = {p.relative_to(manual.HOME): p.read_bytes() for p in manual.HOME.rglob("*.md")}
    assert len(pages) > 50
    assert {p.relative_to(installed): p.read_bytes() for p in installed.rglob("*.md")} == pages


def _without_places_that_are_named(text: str) -> str:
    """The text without the folders in which cron and systemd find what is installed."""
    return re.sub(r"/opt/dataportal/bin|/usr/(local/)?bin", "", text)


def test_words_are_used_as_agreed() -> None:
    """The valid time of theory is named once, beside knowledge time; no path of one machine."""
    texts = [page.text for page in manual.everything()]
    assert len(re.findall(r"valid[ -]time", "".join(texts), re.IGNORECASE)) == 1
    for text in (manual.readme().text, *map(_without_places_that_are_named, texts)):
        assert not re.search(r"/(work|tmp|root|home|opt|usr)/|pypi|files\.pythonhosted", text)


def _sentences(page: Page) -> list[str]:
    """The sentences of the prose; tables, headings and lists of links left out."""
    lines = [
        line for line in page.prose.splitlines() if not re.match(r"\||#|\*\*On this page", line)
    ]
    text = re.sub(r"\n- |\n\d+\. ", "\n\n", "\n".join(lines))
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return [s for p in paragraphs for s in re.split(r"(?<=[.:?!]) +(?=[A-Z`\[])", p)]


def test_no_sentence_stands_twice() -> None:
    """Who mends one would forget the other; what every page of its kind has is one sentence."""
    sentences = Counter(s for page in manual.everything() for s in _sentences(page))
    of_kinds = ("The options of every command are on the page", "It is described in YAML alone")
    twice = [s for s, times in sentences.items() if times > 1 and len(s.split()) >= 8]
    assert not [s for s in twice if not s.startswith(of_kinds)]


def test_sentences_are_short() -> None:
    """None has more than 30 words, and half have no more than 12: each is read once."""
    sentences = [s for page in manual.everything() for s in _sentences(page) if len(s.split()) > 3]
    lengths = sorted(len(s.split()) for s in sentences)
    assert not [s for s in sentences if len(s.split()) > 30]
    assert lengths[len(lengths) // 2] <= 12
