"""Keeps the end of the command's process in its own hands, whatever plugins do.

A plugin may call `os._exit`, leave threads behind that never end, or register what runs at the
interpreter's end: none of that decides when the command ends, nor with which code.
"""

from __future__ import annotations

import os
from typing import NoReturn

end_process = os._exit
"""Ends the process at once with that code; taken before any plugin could replace it."""


def refuse_exits() -> None:
    """From now on `os._exit` ends children alone, and in this process is a SystemExit."""
    process = os.getpid()

    def leave(status: int) -> NoReturn:
        if os.getpid() != process:
            end_process(status)
        raise SystemExit(status)

    os._exit = leave
