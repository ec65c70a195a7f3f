"""What is wrong in a sources.yaml: where, what, the way out; and what can be used all the same."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from support.config_files import GROUP, SINGLE, Folder

from dataportal.config import load
from dataportal.config.keys import GROUP as GROUP_KEYS
from dataportal.config.keys import OPTIONS
from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
  good:
    module: m
    class: C
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder for a sources.yaml."""
    return Folder(tmp_path)


def test_a_missing_file_is_said_with_the_way_to_name_another(folder: Folder) -> None:
    """Both ways."""
    folder.write(SINGLE)
    folder.path.rename(folder.path.with_name("other.yaml"))
    with pytest.raises(
        ConfigurationError, match=r"there is no file .*--config FILE or PLUGIN_CONFIG_PATH"
    ):
        load(folder.path, {})


def test_a_folder_in_place_of_the_file_is_said(folder: Folder) -> None:
    """With the system's reason."""
    folder.path.mkdir()
    with pytest.raises(ConfigurationError, match=r"sources\.yaml cannot be read: Is a directory"):
        load(folder.path, {})


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "# nothing yet\n", "---\n", "timeseries:\n", "{}", "x-a: 1\n", "\ufeff"],
)
def test_a_file_without_sources_says_how_to_add_one(folder: Folder, text: str) -> None:
    """Empty in every way that YAML knows."""
    (problem,) = folder.refusals(text)
    assert problem.startswith("sources.yaml names no source. Add an entry under timeseries: or")


def test_a_byte_order_mark_is_no_part_of_the_text(folder: Folder) -> None:
    """Neither of the first key nor of its place."""
    assert folder.load(b"\xef\xbb\xbf" + SINGLE.encode()).sources[0].name == "load"
    (problem,) = folder.refusals(b"\xef\xbb\xbf" + b"timeserie:\n" + GOOD.encode())
    assert problem == "sources.yaml:1:1: unknown key 'timeserie'; did you mean 'timeseries'?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timeseries:\n\ta: 1\n", "2:1: .*indent with spaces: YAML takes no tabs"),
        ("timeseries:\n  a:\n  \tmodule: b\n", "3:.*YAML takes no tabs"),
        ("timeseries:\n  a: {module: b\n", "3:1: "),
        ("timeseries:\n  a:\n    cron: */5\n", r"3:12: .*put the value into quotes"),
        ("timeseries:\n  a:\n    cron: @daily\n", r"3:11: .*put the value into quotes"),
        ("timeseries:\n  a:\n    name: Load: Germany\n", "3:15: .*as it contains a colon"),
        ("timeseries:\n  a: *nowhere\n", "2:6: .*undefined alias"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here; one file holds one"),
        ("a: 'never ends\n", "2:1: .*quoted scalar"),
        ("a: \x07\n", "1:1: .*not allowed"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_place(folder: Folder, text: str, expected: str) -> None:
    """One problem, with file, line and column, and advice where the cause is a usual one."""
    (problem,) = folder.refusals(text)
    assert re.match(f"sources.yaml:{expected}", problem), problem


def test_a_file_that_is_not_utf_8_is_said_with_its_line(folder: Folder) -> None:
    """And what to do."""
    (problem,) = folder.refusals(SINGLE.encode() + b"    # M\xfcnchen\n")
    assert problem == "sources.yaml:5:1: not UTF-8. Save the file with the encoding UTF-8"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", "1:1: the file must begin with timeseries or request_groups"),
        ("text\n", "1:1: the file must begin with timeseries or request_groups"),
        ("timeseries: [a]\n", "1:13: timeseries must map names to sources"),
        ("request_groups: 5\n", "1:17: request_groups must map names to sources"),
        ("timeserie:\n" + GOOD, "1:1: unknown key 'timeserie'; did you mean 'timeseries'?"),
        (
            "plugins:\n" + GOOD,
            "1:1: unknown key 'plugins'; known are timeseries, request_groups, include",
        ),
        (f"{SINGLE}timeseries:\n{GOOD}", "5:1: 'timeseries' is given twice, first in line 1"),
        (f"? [a]\n: b\n{SINGLE}", "1:3: a key must be a plain text"),
        (f"<<: 5\n{SINGLE}", "1:5: << merges mappings only, and none into itself"),
    ],
)
def test_what_concerns_the_whole_file_makes_all_of_it_unusable(
    folder: Folder, text: str, expected: str
) -> None:
    """What was meant cannot be known."""
    assert folder.refusals(text) == [f"sources.yaml:{expected}"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("shedule: 1 hour", "5:5: unknown key 'shedule'; did you mean 'schedule'?"),
        ("schedule: soon", "5:15: schedule: 'soon' is not a duration; write it like 15 minutes"),
        ("schedule: 0", "5:15: schedule: must be a second or more"),
        ("schedule: '*/5'", "5:15: schedule: '*/5' is not a duration"),
        ("schedule: 12:30", "5:15: schedule: '12:30' is not a duration"),
        ("schedule: 09:30", "5:15: schedule: '09:30' is not a duration"),
        ("schedule: 15", "5:15: schedule: '15' is not a duration"),
        ("lookback: -1 day", "5:15: lookback: '-1 day' is not a duration"),
        ("enabled: NO", "5:14: enabled: must be true or false; 'NO' is a text in YAML 1.2"),
        ("enabled: on", "5:14: enabled: must be true or false; 'on' is a text in YAML 1.2"),
        ("enabled: 1", "5:14: enabled: must be true or false"),
        ("timezone: Berlin", "5:15: timezone: 'Berlin' is not a time zone; write it like Europe/"),
        ("timezone: ../../etc/passwd", "5:15: timezone: '../../etc/passwd' is not a time zone"),
        ("tags: {a: b}", "5:11: tags: must be a list of texts"),
        ("tags: [a, ~]", "5:11: tags: must be a list of texts"),
        ("requires_env: [$KEY]", "5:19: requires_env: '$KEY' is no name of an environment"),
        ("metadata: [a]", "5:15: metadata: must be a mapping"),
        ("default_params: text", "5:21: default_params: must be a mapping"),
        ("default_params: {a: !!python/object:os.system x}", "5:25: the tag !!python/object:os"),
        ("default_params: {a: !secret x}", "5:25: the tag !secret has no meaning here"),
        (
            "lookback: 1 day\n    lookback: 2 days",
            "6:5: 'lookback' is given twice, first in line 5",
        ),
        ("schedule: 1 h\n    update_frequency: 2 h", "6:5: update_frequency and schedule are one"),
        ("lookback: 1 h\n    metadata: {lookback: 2 h}", "6:26: lookback is given twice, with"),
        ("module: ''", "5:5: 'module' is given twice"),
        ("metadata: {unit: [MW]}", "5:22: unit: must be a text"),
        ('metadata: {endpoint_prefix: "a\\tb"}', "5:33: an endpoint_prefix is a short printable"),
        (f"metadata: {{endpoint_prefix: {'a' * 201}}}", "5:33: an endpoint_prefix is a short"),
        ('metadata: {unit: "a\\0"}', "5:22: a text cannot have a NUL in it"),
        ('metadata: {owner: [{a: "\\0"}]}', "5:28: a text cannot have a NUL in it"),
        ('metadata: {owner: {"\\0": a}}', "5:24: a key cannot have a NUL in it"),
        ('default_params: {a: "\\x00"}', "5:25: a text cannot have a NUL in it"),
        ("metadata: {owner: [1.5, .nan]}", "5:23: metadata cannot hold a number that is not"),
        ("metadata: {owner: -.inf}", "5:23: metadata cannot hold a number that is not finite"),
    ],
)
def test_a_fault_in_an_entry_is_named_and_the_others_can_be_used(
    folder: Folder, lines: str, expected: str
) -> None:
    """With its place; the entry is left out, and nothing else."""
    configuration = folder.load(f"{SINGLE}    {lines}\n{GOOD}")
    assert [source.name for source in configuration.sources] == ["good"]
    (problem,) = configuration.broken["load"]
    assert folder.bare(str(problem)).startswith(f"sources.yaml:{expected}"), problem
    assert set(configuration.broken) == {"load"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("  bad: 5\n", "2:8: a source is a mapping with module, class …"),
        ("  bad:\n", "2:7: a source is a mapping with module, class …"),
        ("  bad: {class: C}\n", "2:3: source 'bad' has no module"),
        ("  bad: {module: m}\n", "2:3: source 'bad' has no class"),
        ("  bad: {module: m, class: C, timeseries: []}\n", "2:30: unknown key 'timeseries'"),
        ('  "": {module: m, class: C}\n', "2:3: a name is a short printable text"),
        ('  "b\\na": {module: m, class: C}\n', "2:3: a name is a short printable text"),
    ],
)
def test_an_entry_that_is_none_is_said(folder: Folder, entry: str, expected: str) -> None:
    """The others can be used."""
    problems = folder.problems(f"timeseries:\n{entry}{GOOD}")
    assert problems[0].startswith(f"sources.yaml:{expected}"), problems


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ("", "2:3: group 'grid' needs timeseries, a list of its series"),
        ("    timeseries: []\n", "5:17: group 'grid' needs timeseries, a list of its series"),
        ("    timeseries: {a: b}\n", "5:17: group 'grid' needs timeseries, a list of its series"),
        ("    timeseries: [a]\n", "5:18: a series is a mapping with endpoint_prefix …"),
        (
            "    timeseries: [{metadata: {unit: m}}]\n",
            "5:18: a series of a group needs an endpoint",
        ),
        ("    timeseries: [{endpoint_prefix: a, unit: m}]\n", "5:39: unknown key 'unit'"),
        (
            "    timeseries: [{endpoint_prefix: a}, {endpoint_prefix: a}]\n",
            "5:58: the series 'a' is there already, in 'grid' at sources.yaml:5:36",
        ),
        (
            "    timeseries: [{endpoint_prefix: a, extract_filter: [b]}]\n",
            "5:55: extract_filter: must be a mapping",
        ),
    ],
)
def test_a_fault_in_a_group_is_said(folder: Folder, members: str, expected: str) -> None:
    """With its place; the others can be used."""
    group = f"request_groups:\n  grid:\n    module: m\n    class: C\n{members}"
    (problem,) = folder.problems(f"{group}timeseries:\n{GOOD}")
    assert problem.startswith(f"sources.yaml:{expected}"), problem


def test_all_faults_are_reported_at_once_in_the_order_of_the_file(folder: Folder) -> None:
    """However they were found."""
    assert folder.refusals(
        f"{SINGLE}    lokback: 1 day\n    enabled: maybe\n    tags: {{}}\n"
        "  other:\n    modul: m\n    class: 5\n"
    ) == [
        "sources.yaml:5:5: unknown key 'lokback'; did you mean 'lookback'?",
        "sources.yaml:6:14: enabled: must be true or false",
        "sources.yaml:7:11: tags: must be a list of texts",
        "sources.yaml:8:3: source 'other' has no module",
        "sources.yaml:9:5: unknown key 'modul'; did you mean 'module'?",
    ]


def test_of_two_sources_of_one_name_neither_is_run(folder: Folder) -> None:
    """Which one was meant cannot be known, in one section or in two; the others are clear."""
    twice = folder.load(f"{SINGLE}{SINGLE.partition(chr(10))[2]}{GOOD}")
    assert [s.name for s in twice.sources] == ["good"]
    assert [folder.bare(str(p)) for p in twice.broken["load"]] == [
        "sources.yaml:5:3: 'load' is given twice, first in line 2"
    ]
    both = folder.load(
        f"{SINGLE}{GOOD}{GROUP.replace('  grid', '  load').replace(': load', ': x')}"
    )
    assert [s.name for s in both.sources] == ["good"]
    assert [folder.bare(str(p)) for p in both.broken["load"]] == [
        "sources.yaml:9:3: the name is taken by the source at sources.yaml:2:3"
    ]


def test_a_series_occurs_once_in_a_file(folder: Folder) -> None:
    """The later source is refused, and told where the first stands."""
    configuration = folder.load(f"{SINGLE}{GROUP}")
    assert [source.name for source in configuration.sources] == ["load"]
    (problem,) = configuration.broken["grid"]
    assert folder.bare(str(problem)) == (
        "sources.yaml:10:26: the series 'load' is there already, in 'load' at sources.yaml:2:3"
    )


@pytest.mark.parametrize("slip", sorted(OPTIONS | GROUP_KEYS))
def test_a_slip_of_the_pen_is_answered_with_the_key(folder: Folder, slip: str) -> None:
    """Every key is suggested for itself with a letter lost."""
    shortened = slip[:-2] + slip[-1]
    (problem, *_) = folder.refusals(
        GROUP.replace("    timeseries:", f"    {shortened}: x\n    timeseries:")
    )
    assert problem == f"sources.yaml:5:5: unknown key {shortened!r}; did you mean {slip!r}?"


def test_metadata_that_may_be_a_slip_draw_a_warning(folder: Folder) -> None:
    """They are kept all the same, as any word may be meant."""
    assert folder.warnings(f"{SINGLE}    metadata: {{granularty: 1 hour, colour: red}}\n") == [
        "sources.yaml:5:16: 'granularty' is kept as metadata; did you mean 'granularity'?"
    ]


def test_an_option_among_the_metadata_of_a_groups_series_draws_a_warning(folder: Folder) -> None:
    """It cannot hold for one series alone."""
    assert folder.warnings(f"{GROUP}        metadata: {{lookback: 2 days}}\n") == [
        (
            "sources.yaml:7:20: lookback is kept as metadata only; what is meant for the whole "
            "group stands beside its schedule"
        )
    ]


def test_what_is_quoted_from_the_file_is_harmless(folder: Folder) -> None:
    """Terminal escapes are shown, passwords are not."""
    (problem,) = folder.refusals(f'{SINGLE}    "\\e[31m": x\n')
    assert r"unknown key '\x1b[31m'" in problem
    (problem,) = folder.refusals(f"{SINGLE}    timezone: https://me:canary@host/\n")
    assert "canary" not in problem


class TestBombs:
    """Small files that unfold to large ones."""

    LIMIT = 60.0
    """Seconds that a slow machine may take; unfolded they would never end."""

    @pytest.mark.slow
    def test_aliases_of_aliases(self, folder: Folder) -> None:
        """A billion of laughs in a few lines."""
        lines = ["x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
        lines += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
        begun = time.monotonic()
        (problem,) = folder.refusals(
            "\n".join(lines) + f"\n{SINGLE}    default_params: {{a: *a9}}\n"
        )
        assert "unfolds to more than 2,000,000 nodes" in problem
        assert time.monotonic() - begun < self.LIMIT

    @pytest.mark.slow
    def test_aliases_that_merge_aliases(self, folder: Folder) -> None:
        """The same by merge keys."""
        lines = ["x-0: &a0 {k: lol}"]
        lines += [f"x-{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 10)]
        begun = time.monotonic()
        (problem,) = folder.refusals("\n".join(lines) + f"\n{SINGLE}    <<: *a9\n")
        assert "unfolds to more than 2,000,000 nodes" in problem
        assert time.monotonic() - begun < self.LIMIT

    @pytest.mark.slow
    def test_ten_megabytes_of_aliases(self, folder: Folder) -> None:
        """A file that is large, and unfolds to something far larger."""
        text = f"x-0: &a [{', '.join(['x'] * 1000)}]\n{SINGLE}    default_params:\n      a: ["
        begun = time.monotonic()
        (problem,) = folder.refusals(text + "*a," * 3_500_000 + "]\n")
        assert "unfolds to more than 2,000,000 nodes" in problem
        assert time.monotonic() - begun < self.LIMIT

    @pytest.mark.parametrize(
        "value", ["&a [*a]", "&a {b: *a}", "&a {<<: *a}", "&a {<<: {<<: *a}}", "&a {<<: [*a]}"]
    )
    def test_what_holds_itself(self, folder: Folder, value: str) -> None:
        """Is a problem of that source alone."""
        configuration = folder.load(f"{SINGLE}    default_params: {{x: {value}}}\n{GOOD}")
        assert [source.name for source in configuration.sources] == ["good"]
        assert set(configuration.broken) == {"load"}

    @pytest.mark.parametrize("opening", ["[", "{a: "])
    def test_what_is_nested_too_deeply(self, folder: Folder, opening: str) -> None:
        """At any depth: an error, and no crash of the process."""
        for depth in (100, 5_000):
            closing = "]" if opening == "[" else "}"
            value = opening * depth + "x" + closing * depth
            (problem,) = folder.refusals(f"{SINGLE}    default_params: {{x: {value}}}\n")
            assert "nested" in problem or "depth" in problem, problem


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ("timeseries: !!foo [{endpoint_prefix: x}]", "5:17"),
        ("timeseries: [!!foo {endpoint_prefix: x}]", "5:18"),
        ("timeseries: [{endpoint_prefix: x, metadata: !!foo {name: x}}]", "5:49"),
        ("timeseries: [{endpoint_prefix: x, metadata: {name: !!foo [x]}}]", "5:56"),
    ],
)
def test_a_tag_without_a_meaning_is_said_wherever_it_stands(
    folder: Folder, members: str, place: str
) -> None:
    """In a list of series, at one of them, and at what is known of it."""
    text = f"request_groups:\n  grid:\n    module: m\n    class: C\n    {members}\n"
    (message,) = folder.refusals(text)
    assert message == f"sources.yaml:{place}: the tag !!foo has no meaning here"
