"""Mutation testing: plants known faults in a copy of the package, and sees a test go red for each.

    python tests/support/mutations.py            # all of them
    python tests/support/mutations.py schemas    # those whose name contains this

A check that cannot fail is none. Each fault names a file, a function in it and what is done there;
`fault_operators` says what can be done, and how a place is described without the names of local
variables. The tests are first run without any fault. More than 500 lines, as it is a catalogue.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

# started by its path, it finds its own folder only
sys.path.append(str(Path(__file__).parents[1]))

from support.fault_operators import (
    Before,
    Begin,
    Catch,
    Drop,
    Entry,
    NoFitError,
    Replace,
    Sql,
    WithoutKeyword,
    files_with,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.fault_operators import Fault

ROOT = Path(__file__).parents[2]
_COPIED = ("dataportal", "sql", "tests", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Mutation:
    """A fault to plant.

    Attributes:
        name: what is wrong then.
        rows: what must never go wrong, and does: the rows of faults/README.md.
        file: where it is planted.
        function: in which function, by its qualified name; empty for SQL and for what stands
            outside of functions.
        fault: what is done there.
        test: must go red.
        on_timescaledb: whether it does so only there.
    """

    name: str
    rows: str
    file: str
    function: str
    fault: Fault
    test: str
    on_timescaledb: bool = False

    def plant(self, root: Path) -> str:
        """The text of the file below `root` with the fault in it.

        Raises:
            NoFitError: file, function or place are not there; says what is.
        """
        try:
            return self.fault.plant(self._source(root), self.function, self.file)
        except NoFitError as error:
            homes = files_with(root / "dataportal", self.function) if self.function else []
            if not homes or root / self.file in homes:
                raise
            where = ", ".join(str(home.relative_to(root)) for home in homes)
            raise NoFitError(f"{error}. {self.function} is in {where}") from None

    def _source(self, root: Path) -> str:
        path = root / self.file
        if not path.is_file():
            names = sorted(beside.name for beside in path.parent.glob("*.*"))
            raise NoFitError(
                f"there is no {self.file}; its folder has {', '.join(names) or 'none'}"
            )
        return path.read_text(encoding="utf-8")


# where things are: what moves is corrected here, what is renamed in the catalogue
_STORE = "dataportal/store"
_CONNECTION = f"{_STORE}/connection.py"
_DIFF = f"{_STORE}/write/diff.py"
_LOCK = f"{_STORE}/lock.py"
_MERGE = f"{_STORE}/write/merge.py"
_MIGRATIONS = f"{_STORE}/migrations.py"
_SERIES = f"{_STORE}/series.py"
_SESSION = f"{_STORE}/session.py"
_STORED_VALIDATORS = f"{_STORE}/validators.py"
_TRANSACTION = f"{_STORE}/write/transaction.py"
_RETRY = "dataportal/collect/retry.py"
_SLICE = "dataportal/collect/slice.py"
_SOURCE_RUN = "dataportal/collect/source_run.py"
_RUN_SOURCES = "dataportal/cli/run_sources.py"
_CONSOLE = "dataportal/render/console.py"
_TABLES = "dataportal/render/tables.py"
_YAML_NODES = "dataportal/config/yaml_nodes.py"
_YAML_PARSER = "dataportal/config/yaml_parser.py"
_CONTENT_ENCODING = "dataportal/plugins/http/content_encoding.py"
_HTTP_CLIENT = "dataportal/plugins/http/client.py"
_PAGED_REQUEST = "dataportal/plugins/declarative/request.py"
_TOKENS = "dataportal/plugins/http/tokens.py"
_EMBEDDED_FILES = "dataportal/embedded/files.py"
_LOCAL_TIMES = "dataportal/local_times.py"
_OBSERVATIONS = "dataportal/observations.py"
_REPETITIONS = "dataportal/repetitions.py"
_PRIVATE_ADDRESSES = "dataportal/plugins/http/private_addresses.py"
_PAGE_DOUBTS = "dataportal/plugins/declarative/page_doubts.py"
_REDACTION = "dataportal/redaction.py"
_SCHEDULE = "dataportal/schedule.py"
_VALIDATORS = "dataportal/validators.py"
_SQL = "sql/queries"

_MATRIX = "tests/faults/test_crash_matrix.py::test_a_kill_leaves_the_old_state_or_the_new"
_PROMISES = "tests/faults/test_history_promises.py::"
_COLOURED = Replace(
    "A if supports_escape_codes(B) else C", by=r'(f"\x1b[32m{line}\x1b[0m" for line in C)'
)

MUTATIONS = (
    Mutation(
        "days of which nobody told the zone are missing on the day on which its clocks change",
        "G",
        "dataportal/gaps.py",
        "_tolerance",
        Replace("timedelta() if A else B", by="timedelta()"),
        "tests/unit/test_gaps.py::test_what_is_missing_between_two_points",
    ),
    Mutation(
        "upkeep forgets runs that wrote versions",
        "M",
        f"{_SQL}/maintain_forget.sql",
        "",
        Sql("AND inserted = 0", by=""),
        "tests/cli/test_maintain.py::test_tables_are_kept_up_and_history_stays",
    ),
    Mutation(
        "what a REINDEX that was held up has left stays",
        "M",
        f"{_SQL}/maintain_left_over.sql",
        "",
        Sql("NOT x.indisvalid", by="x.indisvalid"),
        "tests/cli/test_maintain.py::test_a_reindex_that_is_held_up_leaves_one_index_at_most",
    ),
    Mutation(
        "a publication that was stated anew changes the past",
        "Q",
        f"{_SQL}/history_as_published.sql",
        "",
        Sql("recorded_at <= coalesce", by="recorded_at >= coalesce"),
        "tests/cli/test_history.py::test_a_publication_stated_anew_leaves_the_past_as_recorded",
    ),
    Mutation(
        "a merge touches what is older than its window",
        "1",
        f"{_SQL}/merge_record_knowledge_time.sql",
        "",
        Sql(
            ") UPDATE source_state",
            by="), older AS (UPDATE time_series_data_scd2 SET run_id = run_id) UPDATE source_state",
        ),
        "tests/store/test_merge.py::test_a_window_of_two_days_leaves_five_years_alone",
    ),
    Mutation(
        "an empty answer makes a source fresh",
        "2",
        f"{_SQL}/run_finish.sql",
        "",
        Sql("IN ('succeeded', 'unchanged')", by="IN ('succeeded', 'unchanged', 'empty')"),
        _PROMISES + "test_an_empty_answer_is_no_success",
    ),
    Mutation(
        "what an answer leaves out is withdrawn",
        "2",
        _DIFF,
        "compare",
        Begin(
            "gone = sorted({*P2} - {*P1.ts})\n"
            "P4.retracted.add(P1.series_id, gone, [None] * len(gone))"
        ),
        "tests/store/test_merge.py::test_what_the_answer_leaves_out_stays_open",
    ),
    Mutation(
        "a page that fails is the last",
        "3",
        _PAGED_REQUEST,
        "Request._pages_of",
        Replace(
            "A = await B.answer(C)",
            by="try:\n A = await B.answer(C)\nexcept Exception:\n return",
        ),
        _PROMISES + "test_a_page_that_fails_fails_its_slice",
    ),
    Mutation(
        "a retraction leaves its version open",
        "I3, 4",
        _MERGE,
        "ExactWrites.retract",
        Drop('A.send("merge_close", B)'),
        "tests/store/test_merge.py::test_value_null_value_are_three_facts",
    ),
    Mutation(
        "unchanged values are written again",
        "I5, 5",
        _DIFF,
        "compare",
        Replace("map(ne, A, B)", by="repeat(True, len(B))"),
        "tests/store/test_merge.py::test_neighbours_of_a_change_are_not_touched",
    ),
    Mutation(
        "a value that was there before opens no version",
        "6",
        f"{_SQL}/merge_open.sql",
        "",
        Sql(
            "AS A (series_id, ts, value)",
            by="AS A (series_id, ts, value) WHERE NOT EXISTS "
            "(SELECT FROM time_series_data_scd2 AS v WHERE v.series_id = A.series_id "
            "AND v.ts = A.ts AND v.value = A.value)",
        ),
        "tests/store/test_merge.py::test_there_and_back_again_is_three_versions",
    ),
    Mutation(
        "K follows a clock that was set back",
        "7",
        f"{_SQL}/merge_knowledge_time.sql",
        "",
        Sql("last_knowledge_time + interval '1 microsecond',", by=""),
        "tests/store/test_merge.py::test_knowledge_time_grows_though_the_clock_was_set_back",
    ),
    Mutation(
        "the hour that occurs twice occurs once",
        "8",
        _LOCAL_TIMES,
        "instants_of",
        Replace("(0, 1)", by="(0,)"),
        "tests/unit/test_local_times.py::test_a_day_in_berlin",
    ),
    Mutation(
        "a time without a zone is taken for UTC",
        "8",
        _OBSERVATIONS,
        "_parse_time",
        Replace("LocalTime(A)", by="A.replace(tzinfo=UTC)"),
        "tests/unit/test_local_times.py::test_local_times_without_a_zone_are_all_rejected",
    ),
    Mutation(
        "nulls empty a series",
        "9",
        _MERGE,
        "Merge.withhold",
        Replace("2 * A > B", by="False"),
        "tests/cli/test_fetch.py::test_nulls_that_would_withdraw_most_of_a_series",
    ),
    Mutation(
        "a unit changes without a word",
        "10",
        _SERIES,
        "_change_warnings",
        Replace("getattr(A, C) != getattr(B, C)", by="False"),
        _PROMISES + "test_a_changed_entry_keeps_its_history",
    ),
    Mutation(
        "a forecast that ends before now is no issue of it",
        "11b",
        f"{_SQL}/run_issues.sql",
        "",
        Sql("OR (run.kind = 'scheduled' AND p.last_ts IS NOT NULL)", by=""),
        "tests/store/test_issues.py::test_what_was_never_answered_ahead_is_no_forecast",
    ),
    Mutation(
        "a run that issued a forecast is forgotten",
        "11b",
        f"{_SQL}/run_prune.sql",
        "",
        Sql("AND issues = 0", by=""),
        "tests/store/test_issues.py::test_its_run_is_not_forgotten",
    ),
    Mutation(
        "what was recorded later is in an answer",
        "11b",
        f"{_SQL}/read_published_as_of.sql",
        "",
        Sql("coalesce(%(recorded_by)s, 'infinity'::timestamptz)", by="'infinity'::timestamptz"),
        "tests/cli/test_read.py::test_points_in_time_by_publication",
    ),
    Mutation(
        "a staircase that goes on is called final",
        "11b",
        "dataportal/store/read/points.py",
        "PointQuestion.is_final",
        Replace("A is not None and B.is_final(A)", by="A is not None"),
        "tests/cli/test_read.py::test_each_format_says_what_is_final",
    ),
    Mutation(
        "a unit stays what it was",
        "10",
        f"{_SQL}/series_update.sql",
        "",
        Sql("unit = %(unit)s", by="unit = coalesce(unit, %(unit)s)"),
        "tests/store/test_merge.py::test_a_series_registered_again_keeps_its_history",
    ),
    Mutation(
        "a series may change hands",
        "11",
        _SERIES,
        "register",
        Replace("A not in {B, C}", by="False"),
        _PROMISES + "test_a_changed_entry_keeps_its_history",
    ),
    Mutation(
        "a window begins where the forecast ended",
        "11a",
        _SCHEDULE,
        "window_start",
        Replace("min(A.newest, B)", by="A.newest"),
        _PROMISES + "test_a_forecast_is_fetched_again_and_again",
    ),
    Mutation(
        "a dead series makes every run years long",
        "11a",
        _SCHEDULE,
        "window_start",
        Replace("A.advanced_at is not None", by="A.advanced_at is None"),
        _PROMISES + "test_a_group_asks_for_what_its_series_need",
    ),
    Mutation(
        "a new series has no history before the others",
        "11a",
        _SCHEDULE,
        "window_start",
        Replace("A if B.history_asked else C", by="A"),
        _PROMISES + "test_a_group_asks_for_what_its_series_need",
    ),
    Mutation(
        "the future begins before the provider is asked",
        "11a",
        _SLICE,
        "SliceRun._store",
        Replace(
            "A.now()",
            by="A.now() - type(A.now() - A.now())(minutes=1)",
        ),
        _PROMISES + "test_a_snapshot_is_kept",
    ),
    Mutation(
        "points before the window are taken",
        "11a",
        _OBSERVATIONS,
        "_Window.is_before",
        Replace("A is None or A <= B.start", by="False"),
        _PROMISES + "test_a_week_asked_for_two_days_changes_two",
    ),
    Mutation(
        "the two tables are committed one after the other",
        "12",
        _MERGE,
        "Merge.write",
        Before(
            'failpoint("between_tables")',
            'self._connection.execute("COMMIT")\nself._connection.execute("BEGIN")',
        ),
        _MATRIX + "[revision-between_tables-0]",
    ),
    Mutation(
        "a migration is recorded in a transaction of its own",
        "12, 31",
        _MIGRATIONS,
        "_apply",
        Replace("A.transaction()", by='__import__("contextlib").nullcontext()'),
        _MATRIX + "[migration-migration_before_commit-0]",
    ),
    Mutation(
        "a cancellation that fails escapes",
        "13",
        _SESSION,
        "SourceSession.stop",
        Replace("suppress(A)", by="suppress(ZeroDivisionError)"),
        "tests/faults/test_signals.py::test_sigterm[once-a_database_that_does_not_answer]",
    ),
    Mutation(
        "it is not asked whether the lock is still held",
        "14",
        _TRANSACTION,
        "SliceTransaction._pipeline",
        Replace("A is not None and A.fetchone() is None", by="False"),
        "tests/store/test_merge.py::test_without_the_lock_nothing_is_written",
    ),
    Mutation(
        "nobody's lock is in the way",
        "15",
        _LOCK,
        "grant",
        Replace("A if B else None", by="A"),
        "tests/faults/test_races.py::test_fetch_all_beside_fetch",
    ),
    Mutation(
        "two schemas share their locks",
        "16",
        _LOCK,
        "lock_key",
        Replace('f"dataportal:{A}:{B}"', by='f"dataportal:{B}"'),
        "tests/faults/test_races.py::test_the_same_source_elsewhere_is_another_one[schemas]",
    ),
    Mutation(
        "it is not asked again under the lock what is due",
        "17",
        _SOURCE_RUN,
        "SourceRun._register",
        Replace("A.should_run(B, C)", by="True"),
        "tests/faults/test_races.py::test_four_machines_share_two_hundred_sources",
    ),
    Mutation(
        "migrations wait for nobody",
        "18",
        _MIGRATIONS,
        "_wait_for_lock",
        Replace("try_lock(A, B)", by="True"),
        "tests/store/test_migrations.py::test_eight_at_once_make_one_schema",
    ),
    Mutation(
        "first runs do not wait for one another",
        "18",
        _MIGRATIONS,
        "_wait_for_lock",
        Replace("try_lock(A, B)", by="True"),
        "tests/faults/test_races.py::test_eight_first_runs_on_an_empty_database",
    ),
    Mutation(
        "a pooler is not noticed",
        "19",
        "dataportal/store/pooling.py",
        "check_pooling",
        Replace("A == B or process_id(C) != A", by="False"),
        "tests/faults/test_connections.py::test_a_pooler_in_between[transaction]",
    ),
    Mutation(
        "too many connections are for ever",
        "20",
        _CONNECTION,
        "",
        Entry("53300", by="(DatabaseError, A[1])"),
        "tests/faults/test_refusals.py::test_too_many_connections",
    ),
    Mutation(
        "a wrong password may pass",
        "20",
        _CONNECTION,
        "",
        Entry("28", by="(DatabaseTransientError, A[1])"),
        "tests/faults/test_refusals.py::test_a_wrong_password",
    ),
    Mutation(
        "a replica is not told from a fault",
        "20",
        _CONNECTION,
        "",
        Entry("25006", by=None),
        "tests/faults/test_refusals.py::test_a_read_only_replica",
    ),
    Mutation(
        "a statement that was ended is not tried again",
        "20",
        _CONNECTION,
        "",
        Entry("57014", by="(DatabaseError, A[1])"),
        "tests/faults/test_refusals.py::test_a_statement_that_the_server_ends[1]",
    ),
    Mutation(
        "the database is tried again more often than allowed",
        "20",
        _RETRY,
        "Retries.__init__",
        Replace("self._retries = A", by="self._retries = A + 1"),
        "tests/faults/test_refusals.py::test_a_statement_that_the_server_ends[0]",
    ),
    Mutation(
        "a deadlock lasts",
        "20",
        _CONNECTION,
        "",
        Entry("40", by="(DatabaseError, A[1])"),
        "tests/faults/test_refusals.py::test_a_deadlock",
    ),
    Mutation(
        "headers follow to another host",
        "21",
        _HTTP_CLIENT,
        "HttpClient._follow",
        Replace("is_trusted(A, B)", by="True"),
        "tests/faults/test_hostile_providers.py::test_a_redirect_to_another_host",
    ),
    Mutation(
        "a key in the path follows to another host",
        "21, 23",
        _HTTP_CLIENT,
        "HttpClient._request",
        WithoutKeyword("Mask", "url"),
        "tests/faults/test_hostile_providers.py::test_a_redirect_to_another_host",
    ),
    Mutation(
        "a body has no end",
        "22",
        _CONTENT_ENCODING,
        "read_body",
        Replace("A > B", by="False", nth=2),
        "tests/plugins/test_http.py::test_body_larger_than_the_cap_is_not_read",
    ),
    Mutation(
        "nothing is masked",
        "23",
        _REDACTION,
        "redact",
        Begin("return P1"),
        "tests/faults/test_hostile_providers.py::test_a_hostile_provider[echo]",
    ),
    Mutation(
        "a token that is refused is renewed for ever",
        "L",
        _TOKENS,
        "TokenStore.after_refusal",
        Replace("A.is_renewal and not A.is_proved", by="False"),
        "tests/plugins/test_http_tokens.py::test_a_fresh_token_that_is_refused_is_the_end",
    ),
    Mutation(
        "each source tries a password that was refused",
        "L",
        _TOKENS,
        "TokenStore._ask",
        Replace("A.failure is not None", by="False"),
        "tests/plugins/test_http_tokens.py::test_a_login_that_is_refused_is_not_tried_again",
    ),
    Mutation(
        "what may do harm is sent again",
        "P",
        "dataportal/plugins/http/outgoing.py",
        "request_failure",
        Replace("A.safe or not B.is_sent or not isinstance(C, TransientError)", by="True"),
        "tests/plugins/test_http_post.py::test_what_may_do_harm_is_not_asked_again",
    ),
    Mutation(
        "an older file that changed comes after newer ones",
        "U",
        _PAGED_REQUEST,
        "Request._file_requests",
        Replace("A = A and B", by="A = True", nth=1),
        "tests/answers/test_files_unchanged.py::test_unchanged_files_are_not_asked_for_again",
    ),
    Mutation(
        "a machine that slept makes up slot by slot",
        "24",
        f"{_SQL}/run_finish.sql",
        "",
        Sql(
            "WHEN A.kind = 'scheduled' THEN A.started_at ELSE B.last_attempt_at END",
            by="WHEN A.kind = 'scheduled' "
            "THEN coalesce(B.last_attempt_at + interval '1 hour', A.started_at) "
            "ELSE B.last_attempt_at END",
        ),
        _PROMISES + "test_a_machine_that_slept_runs_once[3 days-2]",
    ),
    Mutation(
        "a slot begins with the last attempt",
        "25",
        _SCHEDULE,
        "next_due",
        Replace("(A - B - C) // D", by="(A - B - C) / D"),
        "tests/unit/test_schedule.py::test_a_cron_that_is_early_or_late_runs_each_slot_once",
    ),
    Mutation(
        "the repeated hour of autumn is one",
        "25",
        _SCHEDULE,
        "is_due",
        Replace("A <= B", by="A <= B and not (P4 and P1 - P4 <= timedelta(hours=1))"),
        "tests/unit/test_schedule.py::test_the_repeated_hour_of_autumn_is_two_hours",
    ),
    Mutation(
        "a backfill makes a source fresh",
        "26",
        f"{_SQL}/run_finish.sql",
        "",
        Sql("A.kind = 'scheduled' AND %(outcome)s IN", by="%(outcome)s IN"),
        _PROMISES + "test_a_backfill_does_not_make_a_source_fresh",
    ),
    Mutation(
        "a backfill that is resumed starts over",
        "27",
        _SOURCE_RUN,
        "SourceRun._plan",
        Replace("A.done_until", by="None"),
        "tests/faults/test_crashes.py::test_a_backfill_goes_on_where_it_was_killed",
    ),
    Mutation(
        "a name that the locale cannot show is an error",
        "28",
        _CONSOLE,
        "open_streams",
        Replace('"backslashreplace"', by='"strict"'),
        "tests/faults/test_surroundings.py::test_away_from_a_terminal[C]",
    ),
    Mutation(
        "a dumb terminal gets escape codes",
        "28",
        _TABLES,
        "Table.lines",
        _COLOURED,
        "tests/faults/test_surroundings.py::test_on_a_terminal[dumb]",
    ),
    Mutation(
        "colours where none are wanted",
        "28",
        _TABLES,
        "Table.lines",
        _COLOURED,
        "tests/faults/test_surroundings.py::test_on_a_terminal[NO_COLOR]",
    ),
    Mutation(
        "a reader that went away is a fault",
        "28",
        _CONSOLE,
        "_Sink.write",
        Catch("OSError", instead="ZeroDivisionError"),
        "tests/faults/test_surroundings.py::test_a_reader_that_never_looks",
    ),
    Mutation(
        "a user without a name has a home",
        "28",
        _EMBEDDED_FILES,
        "_default_home",
        Replace("suppress(RuntimeError)", by="suppress(KeyError)"),
        "tests/faults/test_surroundings.py::test_a_user_without_a_name_or_a_place_to_write",
    ),
    Mutation(
        "a byte order mark is part of the first key",
        "29",
        _YAML_PARSER,
        "_read_text",
        Replace('A.decode("utf-8-sig")', by=r'A.decode("utf-8").replace("\ufeff", "_")'),
        "tests/unit/test_config_faults.py::test_a_byte_order_mark_is_no_part_of_the_text",
    ),
    Mutation(
        "a number may begin with a zero",
        "29",
        _YAML_NODES,
        "",
        Replace('r"[-+]?(?:0|[1-9][0-9]*)"', by='r"[-+]?[0-9]+"'),
        "tests/unit/test_config_values.py::test_a_value_means_what_yaml_1_2_says",
    ),
    Mutation(
        "of a key given twice the last counts",
        "29",
        _YAML_NODES,
        "Document.entries",
        Replace("A.text in B", by="False"),
        "tests/unit/test_config_faults.py::"
        "test_what_concerns_the_whole_file_makes_all_of_it_unusable",
    ),
    Mutation(
        "a value may hold itself",
        "29",
        _YAML_NODES,
        "Document.value",
        Replace("A > B", by="False"),
        "tests/unit/test_config_faults.py::TestBombs::test_what_holds_itself",
    ),
    Mutation(
        "an entry that cannot be used stops the others",
        "29",
        _RUN_SOURCES,
        "collect_results",
        Replace("A or B", by="A and not B"),
        "tests/cli/test_fetch_all.py::test_an_entry_that_cannot_be_used_stops_no_other",
    ),
    Mutation(
        "control characters pass",
        "30",
        _REDACTION,
        "harmless",
        Replace("A.isprintable()", by="True", nth=1),
        "tests/faults/test_surroundings.py::test_texts_of_a_provider_are_harmless",
    ),
    Mutation(
        "a merge opens every chunk",
        "32",
        f"{_SQL}/merge_read_spans.sql",
        "",
        Sql("AND ts BETWEEN %(low)s AND %(high)s", by=""),
        "tests/faults/test_sizes.py::test_a_history_of_many_chunks",
        on_timescaledb=True,
    ),
    Mutation(
        "centuries lie in chunks of a year",
        "32",
        "dataportal/store/write/chunks.py",
        "ChunkOpener.open_chunks",
        Replace("self._open_chunks(A, B)", by="None"),
        "tests/store/test_chunks.py::test_three_centuries_are_a_dozen_chunks",
        on_timescaledb=True,
    ),
    Mutation(
        "every source is shown the runs of others",
        "32",
        f"{_SQL}/overview_sources.sql",
        "",
        Sql(
            "WHERE A.source = B.source ORDER BY A.run_id DESC LIMIT 1",
            by="ORDER BY A.run_id DESC LIMIT 40",
        ),
        "tests/faults/test_sizes.py::test_ten_thousand_sources",
    ),
    Mutation(
        "an unchanged answer stands for rows that were deleted",
        "U",
        _STORED_VALIDATORS,
        "conditional_requests",
        Replace("A != B.state", by="False"),
        "tests/faults/test_unchanged.py::test_what_is_changed_by_hand_comes_back",
    ),
    Mutation(
        "rows may be deleted while the provider is asked",
        "U",
        _STORED_VALIDATORS,
        "check_state",
        Replace("A.unchanged and B != A.state", by="False"),
        "tests/store/test_stored_validators.py::test_what_somebody_changed_is_not_relied_on",
    ),
    Mutation(
        "unchanged answers are left out beside any others",
        "U",
        "dataportal/validators.py",
        "ConditionalRequests.of_slice",
        Replace("A and B.may_leave_out(C)", by="A"),
        "tests/faults/test_unchanged.py::"
        "test_files_that_may_overlap_are_unchanged_together_or_not_at_all",
    ),
    Mutation(
        "an answer that reaches ahead is kept",
        "U",
        _STORED_VALIDATORS,
        "write_validators",
        Replace("A.validators(B)", by="A.validators(None)"),
        "tests/faults/test_unchanged.py::test_a_week_that_was_filled_up_ahead_is_asked_for_again",
    ),
    Mutation(
        "validators outlive a change of sources.yaml",
        "U",
        _VALIDATORS,
        "StoredValidators.valid_for",
        Replace("A != B.identity or C < D", by="C < D"),
        "tests/faults/test_unchanged.py::test_another_entry_in_sources_yaml_asks_anew",
    ),
    Mutation(
        "a withdrawal is judged by a part of the answer",
        "U",
        _STORED_VALIDATORS,
        "write_validators",
        Replace("A and (B.counts.retracted or B.withheld)", by="False"),
        "tests/store/test_stored_validators.py::test_a_withdrawal_needs_the_whole_answer",
    ),
    Mutation(
        "a partial answer is kept",
        "U",
        _STORED_VALIDATORS,
        "write_validators",
        Replace("A.sound and not (B or C or D)", by="True"),
        "tests/faults/test_unchanged.py::test_a_partial_run_keeps_nothing",
    ),
    Mutation(
        "what a plugin yields acts where it is stored",
        "V",
        "dataportal/collect/plugin_call.py",
        "_call_in_own_loop",
        Replace("A if is_built_in(B) else plain_answer(A)", by="A"),
        "tests/faults/test_acting_values.py::test_what_the_values_of_an_answer_do[leave]",
    ),
    Mutation(
        "a clock may jump in mid-run",
        "C",
        _TRANSACTION,
        "SliceTransaction._write_context",
        Replace("check_time(A, before=B, after=C)", by="A"),
        "tests/faults/test_clocks.py::test_a_clock_that_jumps_while_the_provider_is_asked[6]",
    ),
    Mutation(
        "what is known ahead of now may be restored",
        "R",
        "dataportal/store/archive/format.py",
        "parse_line",
        Replace("A is not None and A > B", by="False"),
        "tests/faults/test_foreign_archives.py::test_what_no_database_can_hold_is_damaged",
    ),
    Mutation(
        "numbers of intervals are taken for hours of a clock",
        "A1",
        _LOCAL_TIMES,
        "_number_fault",
        Begin("return None"),
        "tests/unit/test_local_times.py::test_an_hour_of_24_tells_numbers_of_a_day_of_25_hours",
    ),
    Mutation(
        "three equal rows of a doubled hour are three hours",
        "A3",
        _OBSERVATIONS,
        "_repetitions",
        Begin("return set()"),
        "tests/unit/test_local_times.py"
        "::test_points_of_any_plugin_that_come_too_often_count_once[values1-stored1-2-0]",
    ),
    Mutation(
        "of two values for one time the first counts",
        "A9",
        _REPETITIONS,
        "choice",
        Replace("A is Repeated.REFUSE and B > 1", by="False"),
        "tests/unit/test_repetitions.py::test_only_numbers_that_differ_contradict_one_another",
    ),
    Mutation(
        "a name may become private once it was looked up",
        "A18",
        _PRIVATE_ADDRESSES,
        "connection_guard",
        Begin("return None"),
        "tests/plugins/test_private_addresses.py::test_a_name_that_becomes_private_is_not_asked",
    ),
    Mutation(
        "a page is taken for all there is",
        "A19",
        _PAGE_DOUBTS,
        "page_doubt",
        Begin("return None"),
        "tests/unit/test_page_doubts.py"
        "::test_the_message_names_the_end_that_is_missing_and_the_way_out",
    ),
)


def main(words: str) -> int:
    """Plant one after the other; 1 if a test stayed green, or is red without a fault."""
    chosen = [m for m in MUTATIONS if words in m.name]
    if os.environ.get("DATAPORTAL_TEST_SERVER") != "docker":
        for mutation in (m for m in chosen if m.on_timescaledb):
            print(f"left out, as it needs DATAPORTAL_TEST_SERVER=docker: {mutation.name}")
        chosen = [m for m in chosen if not m.on_timescaledb]
    with tempfile.TemporaryDirectory(prefix="dataportal-mutations-") as name:
        folder = Path(name)
        # servers of root run as another user, who has to pass
        folder.chmod(0o755)
        for part in _COPIED:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        python = _interpreter(folder)
        sound = _pytest(folder, python, sorted({m.test for m in chosen}))
        if sound.returncode != 0:
            print(f"without any fault:\n{sound.stdout[-6000:]}{sound.stderr[-1000:]}")
            return 1
        green = [m.name for m in chosen if not _goes_red(m, folder, python)]
    print(f"{len(green)} stayed green: {', '.join(green)}" if green else "all went red")
    return 1 if green else 0


def _interpreter(folder: Path) -> Path:
    """A Python that imports the copy, and everything else from where this one does."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (library,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # not as a folder of sites: there the package itself may be installed for editing
    others = [entry for entry in sys.path if entry.endswith("-packages")]
    (library / "copy.pth").write_text("\n".join([str(folder), *others]))
    return folder / "venv" / "bin" / "python"


def _goes_red(mutation: Mutation, folder: Path, python: Path) -> bool:
    file = folder / mutation.file
    sound = file.read_text(encoding="utf-8")
    file.write_text(mutation.plant(folder), encoding="utf-8")
    try:
        run = _pytest(folder, python, [mutation.test])
    finally:
        file.write_text(sound, encoding="utf-8")
    # 1 is a test that failed; anything else is no verdict
    red = run.returncode == 1 and " failed" in run.stdout
    print(f"{'red  ' if red else 'GREEN'}  {mutation.rows:8} {mutation.name}", flush=True)
    if not red and run.returncode != 0:
        print(run.stdout[-3000:] + run.stderr[-1000:])
    return red


def _pytest(folder: Path, python: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    options = ("-n0", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider")
    return subprocess.run(
        [python, "-m", "pytest", *options, *tests],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
