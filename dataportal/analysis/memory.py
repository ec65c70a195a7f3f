"""How much memory is free for a table."""

from __future__ import annotations

import re
from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """The bytes that this process can still take; None where the system does not say.

    The least of what the machine has available and of what is left of its control group, in a
    container. https://docs.kernel.org/admin-guide/cgroup-v2.html#memory
    """
    free = [size for size in (_free_of_machine(), _free_of_group()) if size is not None]
    return min(free, default=None)


def _free_of_machine() -> int | None:
    try:
        match = re.search(r"^MemAvailable:\s+(\d+) kB", _MACHINE.read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(match[1]) * 1024 if match else None


def _free_of_group() -> int | None:
    try:
        limit = (_GROUP / "memory.max").read_text("ascii").strip()
        used = (_GROUP / "memory.current").read_text("ascii").strip()
    except OSError:
        return None
    return max(int(limit) - int(used), 0) if limit.isdecimal() and used.isdecimal() else None
