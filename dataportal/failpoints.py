"""Failpoints: where a test can stop or kill the process; without effect unless it asks for it.

`DATAPORTAL_FAILPOINT=<name>:<action>` arms one of them. Actions: `kill` (SIGKILL to itself, as a
power cut would), `raise` (an error nobody expects), `pause` (writes the name into the FIFO that
`DATAPORTAL_FAILPOINT_FIFO` names, and goes on when something can be read from it).
"""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

_POINT, _, _ACTION = os.environ.get("DATAPORTAL_FAILPOINT", "").partition(":")
_NAME, _, _TIME = _POINT.partition("@")
_passed = count(1)


def failpoint(name: str) -> None:
    """Do what the environment asks for here: nothing, as a rule."""
    if name != _NAME or str(next(_passed)) != (_TIME or "1"):
        return
    if _ACTION == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif _ACTION == "raise":
        raise RuntimeError(f"failpoint {name}")
    elif _ACTION == "pause":
        fifo = Path(os.environ["DATAPORTAL_FAILPOINT_FIFO"])
        fifo.write_text(name, encoding="utf-8")
        fifo.read_text(encoding="utf-8")
