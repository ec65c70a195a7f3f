"""The command that README names for the tests passes wherever Docker is of no use."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEST = "tests/unit/test_choice_of_server.py::test_what_such_a_run_runs"
_ROOT = Path(__file__).parents[2]


def test_what_such_a_run_runs() -> None:
    """Hardly anything; a run begins by choosing a server."""
    assert _TEST.endswith("test_what_such_a_run_runs")


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What DOCKER_HOST may lead to where Docker is of no use."""
    with (
        closing(socket.socket(socket.AF_UNIX)) as left_behind,
        closing(socket.socket(socket.AF_UNIX)) as hangs_up,
        closing(socket.create_server(("127.0.0.1", 0))) as port,
    ):
        left_behind.bind(str(tmp_path / "left"))
        hangs_up.bind(str(tmp_path / "hangs-up"))
        hangs_up.listen()

        def hang_up() -> None:
            while True:
                try:
                    hangs_up.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        free = port.getsockname()[1]
        port.close()
        yield {
            "no socket": f"unix://{tmp_path}/none",
            "a socket that nobody listens to": f"unix://{tmp_path}/left",
            "a socket that hangs up": f"unix://{tmp_path}/hangs-up",
            "a port that nobody listens to": f"tcp://127.0.0.1:{free}",
        }
        hangs_up.shutdown(socket.SHUT_RDWR)


def test_a_run_beside_a_docker_that_is_of_no_use(places: dict[str, str]) -> None:
    """Uses the embedded server, and no warning of Docker's client becomes an error."""
    others = ("DATAPORTAL_TEST_", "PYTEST_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    for kind, place in places.items():
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", _TEST],
            env={**variables, "DOCKER_HOST": place},
            cwd=_ROOT,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert run.returncode == 0, (kind, run.stdout[-2000:], run.stderr)
        assert "database server: embedded" in run.stdout, kind
