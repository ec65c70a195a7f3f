"""One slice of a run: asked for, cleaned, stored.

What the provider calls unchanged is left out, as it is stored already. Where that is in any doubt
everything is asked for once more, as if nothing were known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.collect.plugin_call import ask
from dataportal.errors import FetchError, TransientError
from dataportal.failpoints import failpoint
from dataportal.observations import clean
from dataportal.store.records import Counts, RunKind, SliceWrite
from dataportal.store.session import SourceSession
from dataportal.store.validators import Keeping, WholeAnswerNeeded
from dataportal.validators import Recall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dataportal.collect.lease import Hold
    from dataportal.collect.results import RunRequest
    from dataportal.collect.run_context import Surroundings
    from dataportal.config import BuiltPlugin
    from dataportal.observations import Batch
    from dataportal.schedule import Slice
    from dataportal.store.records import MergeResult


@dataclass(frozen=True, slots=True)
class Slicing:
    """How the slices of one run are taken.

    Attributes:
        request: what is asked of the run.
        built: the plugin.
        hold: the source's place, connection and lock.
        around: what all runs share.
        run_id: the run; None for a dry run.
    """

    request: RunRequest
    built: BuiltPlugin
    hold: Hold
    around: Surroundings
    run_id: int | None

    async def take(
        self, part: Slice, *, is_only: bool, seconds: Callable[[], float]
    ) -> tuple[MergeResult, Batch]:
        """Fetch a slice and store it; what became of it.

        Args:
            part: the slice.
            is_only: whether the run has no other.
            seconds: how long the plugin may take from now.

        Raises:
            DataportalError: as the plugin and the store do.
        """
        if not (is_only and part.end is None and self._is_plain):
            return await self._stored(part, seconds(), None)
        recall = await self.hold.do(
            SourceSession.recall, self.built.identity, part.start, self.around.now()
        )
        try:
            return await self._stored(part, seconds(), recall)
        except TransientError:
            raise
        except (WholeAnswerNeeded, FetchError):
            # a plugin may miss what was left out, and complain
            if not recall.unchanged:
                raise
        return await self._stored(part, seconds(), Recall(had=True))

    @property
    def _is_plain(self) -> bool:
        """Whether it is a run as the schedule has it: only they keep and recall what servers say.

        A backfill has an end, after which points are left out; a dry run shows what would be done;
        and who lets retractions through wants to see them.
        """
        request = self.request
        is_special = request.dry_run or request.accept_retractions
        return request.kind is RunKind.SCHEDULED and not is_special

    async def _stored(
        self, part: Slice, seconds: float, recall: Recall | None
    ) -> tuple[MergeResult, Batch]:
        http = self.around.http
        answer = await ask(
            self.built,
            self.request.source,
            part,
            http=http if recall is None else http.recalling(recall),
            seconds=seconds,
        )
        failpoint("after_fetch")
        return await self.hold.do(self._merged, answer, part, recall)

    def _merged(
        self,
        session: SourceSession,
        answer: Mapping[str, Any],
        part: Slice,
        recall: Recall | None,
    ) -> tuple[MergeResult, Batch]:
        """Clean an answer and store it, in the source's own thread.

        On the way back through the event loop it would wait for what other sources do there.
        """
        source, limits = self.request.source, self.built.limits
        horizon = self.around.now() + limits.forecast_horizon
        batch = clean(
            answer,
            series=[series.endpoint_prefix for series in source.series],
            start=part.start,
            end=horizon if part.end is None else min(part.end, horizon),
            zone=limits.zone,
        )
        write = SliceWrite(
            self.run_id or 0,
            batch.series,
            start=part.start,
            end=part.end,
            received=Counts(
                received=batch.received,
                duplicates=batch.duplicates,
                rejected=batch.rejected,
                outside=batch.outside,
            ),
            done_until=part.end,
            accept_retractions=self.request.accept_retractions,
            dry_run=self.request.dry_run,
            validators=self._keeping(part.start, batch, recall),
        )
        merged = session.merge(write)
        return merged, batch

    def _keeping(self, start: datetime, batch: Batch, recall: Recall | None) -> Keeping | None:
        if recall is None or not recall.matters:
            return None
        sound = not (batch.rejected or batch.duplicates)
        if recall.unchanged and not (
            sound and recall.may_leave_out(one.ts for one in batch.series.values())
        ):
            raise WholeAnswerNeeded
        return Keeping(
            self.built.identity,
            start,
            recall,
            left_out_from=batch.left_out_from,
            unchanged=frozenset(batch.unchanged),
            sound=sound,
        )
