"""A bar on stderr for work that goes on in steps, where somebody waits for it at a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataportal.render.console import decorated, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def stepping(what: str, *, wanted: bool) -> Iterator[Callable[..., None]]:
    """Takes how many steps are done, and of how many if that is known; shows it on a terminal.

    Args:
        what: what is being done, in a word or two.
        wanted: False for `-q` and `--json`.
    """
    if not wanted or not decorated(sys.stderr):
        yield lambda _done, _of=None: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    with bar:
        task = bar.add_task(printable(what, 40), total=None)
        yield lambda done, of=None: bar.update(task, completed=done, total=of)
