"""`include:` takes in the sources of other files, and says with their place what is wrong there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.config_files import Folder

from dataportal.config import build_plugin, load
from dataportal.config.includes import CATALOGUE, catalogue_files
from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = "timeseries:\n"
SMARD = "package:catalogue/smard.yaml"


def _entry(name: str, *lines: str) -> str:
    """An entry of one series, with further lines."""
    keys = (
        "module: dataportal.plugins.data_sources.csv_plugin",
        "class: CsvDataSourcePlugin",
        "default_params: {path: table.csv, ts_column: t, value_column: v}",
        *lines,
    )
    return "".join((f"  {name}:\n", *(f"    {line}\n" for line in keys)))


def _write(folder: Folder, name: str, text: str) -> Path:
    path = folder.path.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder for a sources.yaml."""
    return Folder(tmp_path)


def _names(folder: Folder, text: str) -> list[str]:
    configuration = folder.load(text)
    assert not configuration.problems
    assert not configuration.warnings
    return [source.name for source in configuration.sources]


@pytest.mark.parametrize(
    "include",
    ["include: more/b.yaml", "include: [more/b.yaml]", "include:\n  - file: more/b.yaml"],
)
def test_sources_of_other_files_come_in_where_they_are_included(
    folder: Folder, include: str
) -> None:
    """By a text, a list or a mapping; a path starts at the folder of the file that names it."""
    _write(folder, "more/b.yaml", f"include: c.yaml\n{HEAD}{_entry('b')}")
    _write(folder, "more/c.yaml", f"{HEAD}{_entry('c')}")
    assert _names(folder, f"{HEAD}{_entry('a')}{include}\n") == ["a", "c", "b"]
    configuration = folder.load(f"{include}\n{HEAD}{_entry('a')}")
    parent = folder.path.parent
    for source in configuration.sources:
        file = {"a": "sources.yaml", "b": "more/b.yaml", "c": "more/c.yaml"}[source.name]
        assert source.file == parent / file
        assert source.where.startswith(f"{parent / file}:")


def test_files_that_an_entry_names_lie_beside_its_file(folder: Folder) -> None:
    """As they do for a file that is not included; modules are found beside the first file."""
    _write(folder, "more/b.yaml", f"{HEAD}{_entry('b')}")
    configuration = folder.load(f"include: more/b.yaml\n{HEAD}{_entry('a')}")
    for source in configuration.sources:
        built = build_plugin(source, env={}, root=configuration.root)
        expected = folder.path.parent / ("more" if source.name == "b" else "")
        assert built.plugin.config_dir == expected


def test_a_file_without_sources_may_include_those_of_others(folder: Folder) -> None:
    """And the shipped ones are found wherever the program is installed."""
    configuration = folder.load(f"include: [{SMARD}]")
    assert {str(source.file) for source in configuration.sources} == {SMARD}
    assert all(source.where.startswith(f"{SMARD}:") for source in configuration.sources)
    assert len(configuration.sources) > 20


@pytest.mark.parametrize("name", catalogue_files())
def test_every_shipped_file_can_be_included_alone(folder: Folder, name: str) -> None:
    """It needs no other one."""
    assert _names(folder, f"include: {name}")


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("one", ["one"]),
        ("[one, two]", ["one", "two"]),
        ("['t*']", ["two", "three"]),
        ("[price]", ["one", "three"]),
        ("[pri*, two]", ["one", "two", "three"]),
        ("[pri*], except: one", ["three"]),
        ("'*', except: [four, load]", ["one"]),
    ],
)
def test_only_the_sources_wanted_come_in(folder: Folder, only: str, names: list[str]) -> None:
    """By name, glob or tag, wherever the tags stand; the names of the others stay free."""
    entries = [
        _entry("one", "tags: price"),
        _entry("two", "metadata: {endpoint_prefix: second, tags: [load]}"),
        _entry("three", "metadata: {tags: [load, price]}"),
        _entry("four", "metadata: {endpoint_prefix: second}"),
    ]
    _write(folder, "b.yaml", HEAD + "".join(entries))
    assert _names(folder, f"include: [{{file: b.yaml, only: {only}}}]") == names


def test_only_holds_for_what_an_included_file_includes(folder: Folder) -> None:
    """Both where both say it; a pattern that only the innermost file matches is well."""
    _write(folder, "b.yaml", f"include: {{file: c.yaml, only: x*}}\n{HEAD}{_entry('b')}")
    _write(folder, "c.yaml", HEAD + _entry("x1") + _entry("x2") + _entry("y1"))
    assert _names(folder, "include: {file: b.yaml, only: ['*1', b]}") == ["x1", "b"]


def test_a_file_that_is_included_twice_counts_once(folder: Folder) -> None:
    """By two files, under two names or by parts: each of its sources is there once."""
    _write(folder, "b.yaml", f"include: d.yaml\n{HEAD}{_entry('b')}")
    _write(folder, "c.yaml", f"include: ./d.yaml\n{HEAD}{_entry('c')}")
    path = _write(folder, "d.yaml", HEAD + _entry("d1") + _entry("d2"))
    path.with_name("link.yaml").symlink_to(path)
    assert _names(folder, "include: [b.yaml, c.yaml, link.yaml]") == ["d1", "d2", "b", "c"]
    parts = "include: [{file: d.yaml, only: d2}, {file: d.yaml, only: d*}]"
    assert _names(folder, parts) == ["d2", "d1"]
    assert _names(folder, "include: [d.yaml, {file: d.yaml, only: d2}]") == ["d1", "d2"]


def test_files_that_include_the_next_twice_are_read_once(folder: Folder) -> None:
    """So that a chain of thirty is no matter of 2 ** 30 walks."""
    for number in range(30):
        text = f"include: [{number + 1}.yaml, ./{number + 1}.yaml]"
        _write(folder, f"{number}.yaml", text)
    _write(folder, "30.yaml", HEAD + _entry("end"))
    assert _names(folder, "include: 0.yaml") == ["end"]


def test_names_are_unique_over_all_files(folder: Folder) -> None:
    """Of sources and of series; both places are named, and nobody guesses which one is meant."""
    _write(folder, "b.yaml", HEAD + _entry("a") + _entry("b", "metadata: {unique_id: s}"))
    text = f"include: b.yaml\n{HEAD}{_entry('a')}{_entry('c', 'metadata: {unique_id: s}')}"
    text += _entry("d")
    configuration = folder.load(text)
    assert [folder.bare(str(problem)) for problem in configuration.problems] == [
        "sources.yaml:3:3: the name is taken by the source at b.yaml:2:3",
        "sources.yaml:11:27: the series 's' is there already, in 'b' at b.yaml:10:27",
    ]
    assert [source.name for source in configuration.sources] == ["b", "d"]


def test_circles_are_refused_with_their_line(folder: Folder) -> None:
    """Of two files, of three, and of a file with itself; every file of the circle is named."""
    _write(folder, "b.yaml", f"{HEAD}{_entry('b')}\ninclude: [sources.yaml, c.yaml]")
    _write(folder, "c.yaml", "include:\n  - b.yaml\n  - c.yaml\n")
    problems = folder.refusals("include: b.yaml\n")
    assert problems == [
        "b.yaml:7:11: the files include each other: sources.yaml → b.yaml → sources.yaml",
        "c.yaml:2:5: the files include each other: b.yaml → c.yaml → b.yaml",
        "c.yaml:3:5: the files include each other: c.yaml → c.yaml",
    ]


@pytest.mark.parametrize(
    ("include", "problem"),
    [
        ("nope.yaml", "1:10: the file 'nope.yaml' is not there"),
        ("[nope.yaml]", "1:11: the file 'nope.yaml' is not there"),
        ("folder", "1:10: 'folder' is no file"),
        ("{only: a}", "1:10: an include needs file"),
        ("{file: ok.yaml, ony: a}", "1:26: unknown key 'ony'; known are file, only, except"),
        ("{file: ok.yaml, only: []}", "1:32: only is a list of names or tags"),
        ("{file: ok.yaml, except: x}", "1:34: 'x' matches no source and no tag in ok.yaml"),
        ("{file: ok.yaml, only: [[x]]}", "1:32: only is a list of names or tags"),
        ("{file: ok.yaml, only: [ok, x-*]}", "1:37: 'x-*' matches no source and no tag in ok.yaml"),
        ("{file: [ok.yaml]}", "1:17: an include is the name of a file"),
        ("[[ok.yaml]]", "1:11: an include is the name of a file"),
        ('""', "1:10: an include is the name of a file"),
        ('"${HOME}/x.yaml"', "1:10: include names a file, and '${HOME}/x.yaml' has a variable"),
        ("https://x.example/y.yaml", "1:10: include names a file, and 'https://x.example/y.yaml'"),
        ("package:catalogue/smrd.yaml", "Did you mean 'package:catalogue/smard.yaml'"),
        ("package:catalogue/../sources.schema.json", "the package has no file"),
        ("package:sample/sources.yaml", "the package has no file 'package:sample/sources.yaml'"),
        ('"a\\0b"', "1:10: the file"),
        (f"{'x' * 5000}", "1:10: the file"),
    ],
)
def test_what_cannot_be_included_is_refused_with_its_place(
    folder: Folder, include: str, problem: str
) -> None:
    """The whole file is: nobody knows which sources are missing; the rest is looked at."""
    folder.path.with_name("folder").mkdir()
    _write(folder, "ok.yaml", HEAD + _entry("ok"))
    (message, later) = folder.refusals(f"include: {include}\n{HEAD}{_entry('a', 'nonsense: 1')}")
    assert message.startswith("sources.yaml:1:")
    assert problem in message
    assert later.startswith("sources.yaml:7:5: unknown key 'nonsense'")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("timeseries: [", "b.yaml:2:1: "),
        ("timeseries: 3", "b.yaml:1:13: timeseries must map names to sources"),
        ("time_series: {}", "b.yaml:1:1: unknown key 'time_series'; did you mean 'timeseries'?"),
        ("- a", "b.yaml:1:1: the file must begin with"),
        (HEAD + _entry("b", "nonsense: 1"), "b.yaml:6:5: unknown key 'nonsense'"),
    ],
)
def test_faults_of_an_included_file_are_named_in_it(
    folder: Folder, text: str, problem: str
) -> None:
    """With line and column there."""
    _write(folder, "b.yaml", text)
    messages = folder.refusals("include: b.yaml")
    assert any(message.startswith(problem) for message in messages), messages


def test_bytes_that_are_no_text_are_refused_at_the_include(folder: Folder) -> None:
    """As nothing of the file can be read."""
    folder.path.with_name("b.yaml").write_bytes(b"timeseries:\n  \xff: 1\n")
    (message,) = folder.refusals("include: b.yaml")
    assert message.startswith("sources.yaml:1:10: ")
    assert "b.yaml:2:1: not UTF-8" in message


def test_a_broken_entry_leaves_the_others_alone(folder: Folder) -> None:
    """Of the included file and of the one that includes it."""
    _write(folder, "b.yaml", HEAD + _entry("b", "nonsense: 1") + _entry("c"))
    configuration = folder.load(f"include: b.yaml\n{HEAD}{_entry('a')}")
    assert [source.name for source in configuration.sources] == ["c", "a"]
    assert list(configuration.broken) == ["b"]


def test_a_file_that_everybody_may_write_is_told(folder: Folder) -> None:
    """An included file names code, too."""
    path = _write(folder, "b.yaml", HEAD + _entry("b"))
    path.chmod(0o646)
    (warning,) = folder.warnings("include: b.yaml")
    assert warning.startswith("everybody may write b.yaml, and it names code that is run")


def test_variables_work_as_in_the_first_file(folder: Folder) -> None:
    """In parameters, and in what an entry requires."""
    entry = _entry("b", "requires_env: NEEDED").replace("table.csv", "'${TABLE:-t}.csv'")
    _write(folder, "b.yaml", HEAD + entry)
    (source,) = folder.load("include: b.yaml").sources
    assert source.missing_env == ("NEEDED",)
    (source,) = folder.load("include: b.yaml", {"NEEDED": "1"}).sources
    built = build_plugin(source, env={"NEEDED": "1", "TABLE": "other"}, root=folder.path.parent)
    assert "other.csv" in repr(vars(built.plugin))


def test_a_text_includes_from_the_current_folder(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As there is no file that could name another one."""
    _write(folder, "b.yaml", HEAD + _entry("b"))
    monkeypatch.chdir(folder.path.parent)
    configuration = load(Path("-"), {}, text="include: b.yaml")
    assert [source.name for source in configuration.sources] == ["b"]


def test_the_catalogue_has_no_modules_of_its_own() -> None:
    """Whoever includes a shipped file runs shipped code alone."""
    text = "".join(path.read_text(encoding="utf-8") for path in CATALOGUE.glob("*.yaml"))
    modules = {line.split()[1] for line in text.splitlines() if line.lstrip().startswith("module:")}
    assert all(module.startswith("dataportal.plugins.data_sources.") for module in modules)
    assert not [path for path in CATALOGUE.iterdir() if path.suffix != ".yaml"]


@given(st.lists(st.lists(st.integers(0, 4), max_size=3), min_size=5, max_size=5))
def test_any_files_that_include_each_other_end(
    tmp_path_factory: pytest.TempPathFactory, links: Sequence[Sequence[int]]
) -> None:
    """With every source once, or with a circle that is named; which one is what walking finds."""
    parent = tmp_path_factory.mktemp("links")
    for number, others in enumerate(links):
        include = ", ".join(f"{other}.yaml" for other in others)
        text = f"include: [{include}]\n{HEAD}{_entry(f's{number}')}"
        (parent / f"{number}.yaml").write_text(text, encoding="utf-8")
    reachable, circle = _walk(links, 0, ())
    if circle:
        with pytest.raises(ConfigurationError) as raised:
            load(parent / "0.yaml", {})
        assert all("include each other" in str(problem) for problem in raised.value.problems)
    else:
        names = [source.name for source in load(parent / "0.yaml", {}).sources]
        assert sorted(names) == sorted(f"s{number}" for number in reachable)


def _walk(
    links: Sequence[Sequence[int]], start: int, path: tuple[int, ...]
) -> tuple[set[int], bool]:
    """The files that a file leads to, and whether one of them leads to itself."""
    if start in path:
        return set(), True
    reachable, circle = {start}, False
    for other in links[start]:
        more, is_circle = _walk(links, other, (*path, start))
        reachable |= more
        circle = circle or is_circle
    return reachable, circle
