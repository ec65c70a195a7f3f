"""Runs one slice: calls the plugin, cleans its answer, stores it in one transaction.

What the provider calls unchanged is left out, as it is stored already. Where that is in any doubt
everything is fetched once more, as if nothing were known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.collect.clean_answer import clean_answer
from dataportal.collect.events import Waiting
from dataportal.collect.plugin_call import call_plugin
from dataportal.errors import FetchError, TransientError
from dataportal.failpoints import failpoint
from dataportal.store.records import Counts, SliceWrite
from dataportal.store.session import SourceSession
from dataportal.validators import ConditionalRequests, WholeAnswerNeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dataportal.collect.lease import Lease
    from dataportal.collect.results import RunRequest
    from dataportal.collect.run_context import RunContext
    from dataportal.config import BuiltPlugin
    from dataportal.observations import Batch
    from dataportal.schedule import Slice
    from dataportal.store.records import MergeResult


@dataclass(frozen=True, slots=True)
class SliceRun:
    """Runs the slices of one run, one at a time.

    Attributes:
        request: what is asked of the run.
        built: the plugin.
        lease: the source's slot, connection and lock.
        context: what all runs share.
        run_id: the run; None for a dry run.
    """

    request: RunRequest
    built: BuiltPlugin
    lease: Lease
    context: RunContext
    run_id: int | None

    async def run(
        self, window: Slice, *, is_only: bool, seconds_left: Callable[[], float]
    ) -> tuple[MergeResult, Batch]:
        """Fetch a slice and store it; what was stored, and the clean answer.

        Args:
            window: the slice.
            is_only: whether the run has no other.
            seconds_left: how long the plugin may take from now.

        Raises:
            DataportalError: as the plugin and the store do.
        """
        if not (is_only and window.end is None and self.request.may_skip_unchanged):
            return await self._fetch_and_store(window, seconds_left(), None)
        if self.lease.keeps_no_validators:
            requests = ConditionalRequests()
        else:
            requests = await self.lease.call(
                SourceSession.conditional_requests,
                self.built.identity,
                window.start,
                self.context.now(),
            )
        try:
            return await self._fetch_and_store(window, seconds_left(), requests)
        except TransientError:
            raise
        except (WholeAnswerNeeded, FetchError):
            # a plugin may miss what was left out, and complain
            if not requests.unchanged:
                raise
        return await self._fetch_and_store(
            window, seconds_left(), ConditionalRequests.without_conditions()
        )

    async def _fetch_and_store(
        self, window: Slice, seconds: float, requests: ConditionalRequests | None
    ) -> tuple[MergeResult, Batch]:
        http = self.context.http.for_call()
        source = self.request.source
        answer = await call_plugin(
            self.built,
            source,
            window,
            http=http if requests is None else http.conditional(requests),
            seconds=seconds,
            on_slow=lambda reason: self.context.emit(Waiting(source.name, None, reason)),
        )
        failpoint("after_fetch")
        return await self.lease.call(self._store, answer, window, requests)

    def _store(
        self,
        session: SourceSession,
        answer: Mapping[str, Any],
        window: Slice,
        requests: ConditionalRequests | None,
    ) -> tuple[MergeResult, Batch]:
        """Clean an answer and store it, both in the source's own thread.

        On the way back through the event loop it would wait for what other sources do there.
        """
        source, limits = self.request.source, self.built.limits
        batch = clean_answer(
            answer,
            source,
            limits,
            window,
            now=self.context.now(),
            units={} if self.request.accept_units else session.units,
        )
        validators = None
        if requests is not None:
            validators = requests.of_slice(
                self.built.identity,
                window.start,
                times=[series.ts for series in batch.series.values()],
                left_out_from=batch.left_out_from,
                unchanged=batch.unchanged,
                sound=not (
                    batch.rejected or batch.nulls or (batch.duplicates and not requests.are_apart)
                ),
            )
        write = SliceWrite(
            self.run_id or 0,
            batch.series,
            start=window.start,
            end=window.end,
            received=Counts(
                received=batch.received,
                duplicates=batch.duplicates,
                rejected=batch.rejected,
                outside=batch.outside,
                nulls=batch.nulls,
            ),
            done_until=window.end,
            accept_retractions=self.request.accept_retractions,
            accept_units=self.request.accept_units,
            dry_run=self.request.dry_run,
            validators=validators,
        )
        return session.merge(write), batch
