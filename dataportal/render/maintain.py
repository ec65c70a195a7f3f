"""Shows what `maintain` did to the tables, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.render.console import printable
from dataportal.render.formatting import NOTHING, format_bytes, format_seconds, pluralize
from dataportal.render.storage import storage_fields, storage_sentence
from dataportal.render.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dataportal.store.read.storage import Storage
    from dataportal.store.upkeep.maintain import ActionResult
    from dataportal.store.upkeep.plan import Action


@dataclass(slots=True)
class MaintainView:
    """The answer of `maintain`.

    Attributes:
        before: the tables as they were, and what was planned.
        planned: whether that is all.
        after: the tables as they are now.
        results: what became of each action.
    """

    before: Storage
    planned: bool
    after: Storage | None = None
    results: list[ActionResult] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(result.error is None for result in self.results)

    def add(self, result: ActionResult) -> None:
        """Take what became of one more action."""
        self.results.append(result)

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table with a row for each action, then a sentence about the tables."""
        if self.planned:
            yield from self._plan_lines(stream)
            return
        if self.results:
            table = Table(
                ("work", "table", "chunk", "verdict", ">took"),
                moods={"done": "good", "FAILED": "bad", "left": "doubtful"},
            )
            for result in self.results:
                verdict = "done" if result.done else "FAILED" if result.error else "left"
                took = format_seconds(result.seconds) if result.begun else NOTHING
                action = result.action
                table.add(action.work, action.table, _span(action), verdict, took)
            yield from table.lines(stream)
        for result in self.results:
            if result.error is not None:
                yield printable(str(result.error))
        if left := sum(not result.begun for result in self.results):
            yield f"{pluralize(left, 'action')} left for the next time: no time was left for them"
        if self.after is None:
            rest = len(self.before.actions) - len(self.results)
            yield f"ended in the middle: {pluralize(rest, 'action')} not done"
        elif not self.results:
            yield f"nothing was to be done: {storage_sentence(self.after)}"
        else:
            yield f"{format_bytes(self.before.bytes)} before, now {storage_sentence(self.after)}"

    def _plan_lines(self, stream: TextIO) -> Iterator[str]:
        if self.before.actions:
            table = Table(("work", "table", "chunk", ">size", ">gain", "why"))
            for action in self.before.actions:
                table.add(
                    action.work,
                    action.table,
                    _span(action),
                    format_bytes(action.bytes),
                    format_bytes(action.gain) if action.gain else NOTHING,
                    action.reason,
                )
            yield from table.lines(stream)
        else:
            yield "nothing is to be done"
        yield storage_sentence(self.before)
        if (reason := self.before.columnstore.reason) is not None:
            yield printable(f"no columnstore: {reason}")

    def document(self) -> Mapping[str, Any]:
        """`actions`, and the `storage` before and after them."""
        actions: list[dict[str, Any]]
        if self.planned:
            actions = [_fields(action) for action in self.before.actions]
        else:
            actions = [
                {
                    **_fields(result.action),
                    "done": result.done,
                    "seconds": round(result.seconds, 3),
                    "error": None if result.error is None else printable(str(result.error)),
                }
                for result in self.results
            ]
        return {
            "ok": self.ok,
            "planned": self.planned,
            "actions": actions,
            "before": storage_fields(self.before),
            "after": None if self.after is None else storage_fields(self.after),
        }


class IdleView:
    """The answer of `maintain` where another one is at work."""

    _REASON = "another maintain is at work"

    def lines(self, stream: TextIO) -> Iterator[str]:
        """One line."""
        del stream
        yield f"{self._REASON}: nothing is left for this one"

    def document(self) -> Mapping[str, Any]:
        """`reason`, and nothing else."""
        return {"ok": True, "reason": self._REASON}


def _span(action: Action) -> str:
    """The days that a chunk covers: from the first to the last."""
    if action.start is None or action.end is None:
        return NOTHING
    return f"{action.start:%Y-%m-%d} to {action.end:%Y-%m-%d}"


def _fields(action: Action) -> dict[str, Any]:
    return {
        "work": action.work,
        "table": action.table,
        "relation": action.relation,
        "start": action.start,
        "end": action.end,
        "reason": action.reason,
        "bytes": action.bytes,
        "gain": action.gain,
    }
