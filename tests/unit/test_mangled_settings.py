"""What people write, with slips of the pen: understood, or refused in words with a place.

`DATAPORTAL_EXAMPLES` says how many files, durations and times are tried.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support import manual
from support.corruption import AWKWARD, mangle

from dataportal.config import build_plugin, load
from dataportal.config.includes import CATALOGUE
from dataportal.errors import ConfigurationError, DataportalError
from dataportal.times import parse_duration, parse_instant, time_zone

if TYPE_CHECKING:
    from conftest import RunCli

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = int(os.environ.get("DATAPORTAL_EXAMPLES") or 20)
NOW = datetime(2025, 3, 30, 12, tzinfo=UTC)
TEXTS = [
    (ROOT / "dataportal" / "sample" / "sources.yaml").read_text(encoding="utf-8"),
    (ROOT / "sources.yaml").read_text(encoding="utf-8"),
    "".join((CATALOGUE / "smard.yaml").read_text("utf-8").splitlines(keepends=True)[:60]),
    *(
        text
        for text in manual.sources(manual.everything())
        if yaml.safe_load(text).keys() <= {"timeseries", "request_groups"}
    ),
]
# the same as JSON, which is YAML as well: its parts can change places
TEXTS += [json.dumps(yaml.safe_load(text), default=str) for text in TEXTS]


def spoilt(seed: int) -> bytes:
    """A sources.yaml with something wrong, or nothing."""
    chance = Random(seed)  # noqa: S311 - chance, not secrets
    text = chance.choice(TEXTS)
    if chance.random() < 0.3:
        lines = text.splitlines(keepends=True)
        at = chance.randrange(len(lines))
        indented = [" " + lines[at], lines[at][1:], "\t" + lines[at], lines[at] * 2, ""]
        lines[at] = chance.choice(indented)
        text = "".join(lines)
    return mangle(text.encode(), chance)


@pytest.mark.parametrize("seed", range(0, EXAMPLES * 10, 10))
def test_a_spoilt_file_is_taken_or_refused_with_places(tmp_path: Path, seed: int) -> None:
    """At once; each problem has a line that is there; plugins take their parameters or say why."""
    path = tmp_path / "sources.yaml"
    for number in range(seed, seed + 10):
        path.write_bytes(spoilt(number))
        begun = time.monotonic()
        try:
            configuration = load(path, {})
        except ConfigurationError as error:
            problems = error.problems
        else:
            problems = tuple(configuration.problems)
            for source in configuration.sources:
                with suppress(DataportalError):
                    build_plugin(source, env={}, root=tmp_path)
        assert time.monotonic() - begun < 30, number
        lines = len(re.split(rb"\r\n|[\n\r]|\xc2\x85|\xe2\x80[\xa8\xa9]", path.read_bytes()))
        for problem in problems:
            place = re.fullmatch(rf"{re.escape(str(path))}(?::(\d+)(?::\d+)?)?", problem.where)
            assert place, (number, problem)
            assert int(place[1] or 1) <= lines, (number, problem)


@pytest.mark.slow
def test_the_program_explains_spoilt_files(tmp_path: Path, run_cli: RunCli) -> None:
    """0 or 78, no traceback, nothing that a terminal obeys."""
    path = tmp_path / "sources.yaml"
    for seed in range(-6, 0):
        path.write_bytes(spoilt(seed))
        done = run_cli("--config", str(path), "list-sources", "--check")
        assert done.returncode in (0, 78), seed
        assert "Traceback" not in done.stderr
        assert all(c.isprintable() or c == "\n" for c in done.stdout + done.stderr)


NUMBERS = st.integers(0, 10**6).map(str) | st.floats(0, 1e6).map(str) | st.just("9" * 400)
UNITS = st.sampled_from(
    ["s", "m", "min", "h", "d", "weeks", "W", "month", "Y", "PT", "P", "T", "ago"]
)
GAPS = st.sampled_from(["", " ", ", ", "\t", "-", ":", ".", "/", "\u00a0"])
DATES = st.datetimes().map(lambda instant: instant.isoformat())
PHRASES = st.lists(
    NUMBERS | UNITS | GAPS | DATES | st.sampled_from(AWKWARD) | st.just("now"), max_size=8
).map("".join)


@settings(max_examples=EXAMPLES * 5)
@given(PHRASES)
def test_any_phrase_is_a_duration_or_none(text: str) -> None:
    """A ValueError, or a length that is not negative; at once, however long it is."""
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta()


@settings(max_examples=EXAMPLES * 5)
@given(PHRASES, st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]), st.booleans())
def test_any_phrase_is_an_instant_or_none(text: str, zone: str, relative: bool) -> None:  # noqa: FBT001 - drawn
    """A ValueError, or an aware time in UTC."""
    with suppress(ValueError):
        instant = parse_instant(text, zone=ZoneInfo(zone), now=NOW if relative else None)
        assert instant.utcoffset() == timedelta()


@given(
    st.text() | st.sampled_from([*AWKWARD, "../../etc/passwd", "/etc/localtime", "Europe/", "."])
)
def test_any_text_is_a_zone_or_none(text: str) -> None:
    """A ValueError, or a zone of that name."""
    with suppress(ValueError):
        assert time_zone(text).key == text
