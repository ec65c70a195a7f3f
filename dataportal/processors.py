"""Counts the processors that this process may use: a container may have fewer than its machine."""

from __future__ import annotations

import math
import os
from pathlib import Path


def available_processors(root: Path = Path("/")) -> int:
    """How many there are at least; 1 or more.

    By the affinity of the process and the limit of its control group: `cpu.max` of version 2 of the
    kernel's control groups, of its own group and those above, or `cpu.cfs_quota_us` of version 1.
    See https://docs.kernel.org/admin-guide/cgroup-v2.html.

    Args:
        root: where the kernel's files are.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    limits = [limit for limit in _group_limits(root) if limit > 0]
    return max(1, min([count, *(math.ceil(limit) for limit in limits)]))


def _group_limits(root: Path) -> list[float]:
    """Processors that the control groups of this process allow."""
    groups = root / "sys/fs/cgroup"
    limits = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            place = groups / path.lstrip("/")
            for folder in (place, *place.parents):
                limits.append(_ratio(*_read(folder / "cpu.max").split()[:2]))
                if folder == groups:
                    break
        elif "cpu" in controllers.split(","):
            # within a container its own group is the root of what it sees
            for place in (groups / controllers / path.lstrip("/"), groups / "cpu"):
                quota = _read(place / "cpu.cfs_quota_us").strip()
                limits.append(_ratio(quota, _read(place / "cpu.cfs_period_us").strip()))
    return limits


def _ratio(quota: str = "", period: str = "") -> float:
    """The quota in periods; 0 where there is none."""
    try:
        return max(0.0, int(quota) / int(period))
    except (ValueError, ZeroDivisionError):
        return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
