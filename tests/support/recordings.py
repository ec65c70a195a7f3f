"""Recorded answers of real APIs, and what else lies beside the checkout."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("DATAPORTAL_SHARED") or Path(__file__).parents[2].parent / "shared")
RECORDINGS = SHARED / "recordings"


def needs_folder(folder: Path) -> pytest.MarkDecorator:
    """Leaves a test out where the folder is not at hand, but not in CI."""
    is_missing = not folder.is_dir() and not os.environ.get("CI")
    return pytest.mark.skipif(is_missing, reason=f"needs the {folder.name} beside the checkout")


needs_recordings = needs_folder(RECORDINGS)


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
