"""A program that is forked off does what one that is started does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.config_files import SINGLE, Folder
from support.warm_starts import WarmStarts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli

TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


@pytest.fixture
def warm(clean_environment: dict[str, str]) -> Iterator[WarmStarts]:
    """What they are forked off from."""
    starts = WarmStarts(clean_environment)
    yield starts
    starts.close()


def test_it_says_the_same_and_ends_with_the_same(
    warm: WarmStarts, run_cli: RunCli, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    """Whatever the command, its environment and its folder; good or bad."""
    broken = tmp_path / "broken"
    broken.mkdir()
    Folder(tmp_path).write(SINGLE)
    Folder(broken).write("timeseries: [")
    codes = set()
    for args, env, cwd in (
        (("--version",), {}, tmp_path),
        (("fetch-all", "--help"), {"NO_COLOR": "1"}, tmp_path),
        (("list-sources",), {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/x"}, tmp_path),
        (("list-sources", "--json"), {"PLUGIN_CONFIG_PATH": str(broken / "none.yaml")}, tmp_path),
        (("list-sources",), {"LOG_LEVEL": "loud"}, tmp_path),
        (("fetch-all",), {}, broken),
        (("fetch", "other"), {"LOG_FORMAT": "json"}, tmp_path),
        (("fetch", "--nonsense"), {}, tmp_path),
    ):
        cold = run_cli(*args, env=env, cwd=cwd)
        everything = {**clean_environment, **env}
        assert warm.suits(everything)
        forked = warm.run(args, env=everything, cwd=cwd, input_text="", patience=60)
        assert forked.returncode == cold.returncode
        assert TIME.sub("", forked.stdout) == TIME.sub("", cold.stdout)
        assert TIME.sub("", forked.stderr) == TIME.sub("", cold.stderr)
        codes.add(cold.returncode)
    assert codes >= {0, 2, 69, 78}


def test_what_is_read_at_the_start_is_not_forked_off(
    warm: WarmStarts, clean_environment: dict[str, str]
) -> None:
    """A process with another encoding, or one that a failpoint shall kill, is started anew."""
    assert warm.suits({**clean_environment, "TZ": "Asia/Tokyo"})
    for name in ("PYTHONUTF8", "LC_ALL", "DATAPORTAL_FAILPOINT", "TERM"):
        assert not warm.suits({**clean_environment, name: "x"})
