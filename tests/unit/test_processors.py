"""How many processors a process may use, by its affinity and its control groups."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dataportal.processors import available_processors

if TYPE_CHECKING:
    from pathlib import Path

ALL = len(os.sched_getaffinity(0))


def write(root: Path, files: dict[str, str]) -> None:
    """Lay out files of a kernel."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ALL),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, ALL),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "100000 100000\n"}, 1),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/x\n0::/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "90000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            1,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            ALL,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "what is this"}, ALL),
    ],
)
def test_a_container_has_what_its_group_allows(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    """Of all groups above it the smallest counts, rounded up; a file that says nothing does not."""
    write(tmp_path, files)
    assert available_processors(tmp_path) == expected


def test_this_machine_has_some() -> None:
    """Never fewer than one."""
    assert 1 <= available_processors() <= (os.cpu_count() or 1)
