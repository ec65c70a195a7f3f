"""Shows a progress bar on stderr for work in steps, where stderr is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataportal.render.console import printable, supports_escape_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress_bar(title: str, *, wanted: bool) -> Iterator[Callable[..., None]]:
    """A function to call with the number of steps done, and with that of all steps once known.

    Args:
        title: what is being done, in a word or two.
        wanted: False for `-q` and `--json`.
    """
    if not wanted or not supports_escape_codes(sys.stderr):
        yield lambda _done, _total=None: None
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
        task = bar.add_task(printable(title, 40), total=None)
        yield lambda done, total=None: bar.update(task, completed=done, total=total)
