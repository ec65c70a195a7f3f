"""Recorded answers of real APIs, which lie beside the checkout."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("DATAPORTAL_SHARED") or Path(__file__).parents[2].parent / "shared")
RECORDINGS = SHARED / "recordings"

needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir() and not os.environ.get("CI"), reason="needs the recordings"
)
"""For tests of recorded answers: left out where those are not at hand, but not in CI."""


def recording(name: str) -> bytes:
    """A recorded answer; without the recordings the test is skipped, but not in CI.

    A server cannot skip the test that it serves: such tests have `needs_recordings`.
    """
    file = RECORDINGS / name
    if not file.exists() and not os.environ.get("CI"):
        pytest.skip("needs the recordings")
    return file.read_bytes()


def recording_json(name: str) -> Any:
    """The document in a recorded answer."""
    return json.loads(recording(name))
