"""Plants known faults in a copy of the package, and sees the test that is meant for each go red.

    python tests/mutations.py            # all of them
    python tests/mutations.py schemas    # those whose name contains this

A check that cannot fail is none. Each fault is one text of one file replaced by another.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COPIED = ("dataportal", "sql", "tests", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Mutation:
    """A fault to plant.

    Attributes:
        name: what is wrong then.
        rows: what must never go wrong, and does: the rows of faults/README.md.
        file: where it is planted.
        old: what stands there, once.
        new: what takes its place.
        test: must go red.
        on_timescaledb: whether it does so only there.
    """

    name: str
    rows: str
    file: str
    old: str
    new: str
    test: str
    on_timescaledb: bool = False


_MATRIX = "tests/faults/test_crash_matrix.py::test_a_kill_leaves_the_old_state_or_the_new"
_PROMISES = "tests/faults/test_history_promises.py::"
_COLOURED = (
    "return _rich(table, stream) if decorated(stream) else _aligned(table)",
    r'return (f"\x1b[32m{line}\x1b[0m" for line in _aligned(table))',
)
MUTATIONS = (
    Mutation(
        "a merge touches what is older than its window",
        "1",
        "dataportal/store/write/merge.py",
        '        failpoint("between_tables")\n',
        '        self._connection.execute("UPDATE time_series_data_scd2 SET run_id = run_id")\n',
        "tests/store/test_merge.py::test_a_window_of_two_days_leaves_five_years_alone",
    ),
    Mutation(
        "an empty answer makes a source fresh",
        "2",
        "sql/queries/run_finish.sql",
        "IN ('succeeded', 'unchanged')",
        "IN ('succeeded', 'unchanged', 'empty')",
        _PROMISES + "test_an_empty_answer_is_no_success",
    ),
    Mutation(
        "what an answer leaves out is withdrawn",
        "2",
        "dataportal/store/write/diff.py",
        "    all_known = ts == window.ts\n",
        "    gone = sorted({*ts} - {*window.ts})\n"
        "    changes.retracted.add(window.series_id, gone, [None] * len(gone))\n"
        "    all_known = ts == window.ts\n",
        "tests/store/test_merge.py::test_what_the_answer_leaves_out_stays_open",
    ),
    Mutation(
        "a page that fails is the last",
        "3",
        "dataportal/plugins/declarative/request.py",
        "            answer = await ahead.answer(asked)\n",
        "            try:\n"
        "                answer = await ahead.answer(asked)\n"
        "            except Exception:\n"
        "                return\n",
        _PROMISES + "test_a_page_that_fails_fails_its_slice",
    ),
    Mutation(
        "a retraction leaves its version open",
        "I3, 4",
        "dataportal/store/write/merge.py",
        'writes.send("merge_close", changes.retracted)',
        "pass",
        "tests/store/test_merge.py::test_value_null_value_are_three_facts",
    ),
    Mutation(
        "unchanged values are written again",
        "I5, 5",
        "dataportal/store/write/diff.py",
        "map(ne, window.values, before)",
        "repeat(True, len(before))",
        "tests/store/test_merge.py::test_neighbours_of_a_change_are_not_touched",
    ),
    Mutation(
        "a value that was there before opens no version",
        "6",
        "sql/queries/merge_open.sql",
        "    AS b (series_id, ts, value)\n",
        "    AS b (series_id, ts, value)\nWHERE NOT EXISTS (SELECT FROM time_series_data_scd2 AS v "
        "WHERE v.series_id = b.series_id AND v.ts = b.ts AND v.value = b.value)\n",
        "tests/store/test_merge.py::test_there_and_back_again_is_three_versions",
    ),
    Mutation(
        "K follows a clock that was set back",
        "7",
        "sql/queries/merge_knowledge_time.sql",
        "    last_knowledge_time + interval '1 microsecond',\n",
        "",
        "tests/store/test_merge.py::test_knowledge_time_grows_though_the_clock_was_set_back",
    ),
    Mutation(
        "the hour that occurs twice occurs once",
        "8",
        "dataportal/local_times.py",
        "for fold in (0, 1):",
        "for fold in (0,):",
        "tests/unit/test_local_times.py::test_a_day_in_berlin",
    ),
    Mutation(
        "a time without a zone is taken for UTC",
        "8",
        "dataportal/observations.py",
        "        return LocalTime(moment.replace(tzinfo=None, fold=0))\n",
        "        return moment.replace(tzinfo=UTC)\n",
        "tests/unit/test_local_times.py::test_local_times_without_a_zone_are_all_rejected",
    ),
    Mutation(
        "nulls empty a series",
        "9",
        "dataportal/store/write/merge.py",
        "2 * count > stored[series_id]",
        "count < 0",
        "tests/cli/test_fetch.py::test_nulls_that_would_withdraw_most_of_a_series",
    ),
    Mutation(
        "a unit changes without a word",
        "10",
        "dataportal/store/series.py",
        '_TELLING = ("unit", "granularity")',
        "_TELLING = ()",
        _PROMISES + "test_a_changed_entry_keeps_its_history",
    ),
    Mutation(
        "a unit stays what it was",
        "10",
        "sql/queries/series_update.sql",
        "unit = %(unit)s",
        "unit = coalesce(unit, %(unit)s)",
        "tests/store/test_merge.py::test_a_series_registered_again_keeps_its_history",
    ),
    Mutation(
        "a series may change hands",
        "11",
        "dataportal/store/series.py",
        "if owner not in {source, renamed_from}:",
        "if owner == '':",
        _PROMISES + "test_a_changed_entry_keeps_its_history",
    ),
    Mutation(
        "a window begins where the forecast ended",
        "11a",
        "dataportal/schedule.py",
        "_before(min(one.newest, now), lookback)",
        "_before(one.newest, lookback)",
        _PROMISES + "test_a_forecast_is_fetched_again_and_again",
    ),
    Mutation(
        "a dead series makes every run years long",
        "11a",
        "dataportal/schedule.py",
        "sleeps = one.advanced_at is not None and",
        "sleeps = one.advanced_at is None and",
        _PROMISES + "test_a_group_asks_for_what_its_series_need",
    ),
    Mutation(
        "a new series has no history before the others",
        "11a",
        "dataportal/schedule.py",
        "back = lookback if one.history_asked else initial_history",
        "back = lookback",
        _PROMISES + "test_a_group_asks_for_what_its_series_need",
    ),
    Mutation(
        "the future begins before the provider is asked",
        "11a",
        "dataportal/collect/slice.py",
        "        http = self.around.http\n",
        "        http = self.around.http\n"
        "        self.around.now = lambda now=self.around.now(): now\n",
        _PROMISES + "test_a_snapshot_is_kept",
    ),
    Mutation(
        "points before the window are taken",
        "11a",
        "dataportal/observations.py",
        "elif (start is not None and moment < start) or",
        "elif",
        _PROMISES + "test_a_week_asked_for_two_days_changes_two",
    ),
    Mutation(
        "the two tables are committed one after the other",
        "12",
        "dataportal/store/write/merge.py",
        '        failpoint("between_tables")\n',
        '        self._connection.execute("COMMIT")\n        self._connection.execute("BEGIN")\n'
        '        failpoint("between_tables")\n',
        _MATRIX + "[revision-between_tables-0]",
    ),
    Mutation(
        "a migration is recorded in a transaction of its own",
        "12, 31",
        "dataportal/store/migrations.py",
        "            connection.transaction(),\n",
        '            __import__("contextlib").nullcontext(),\n',
        _MATRIX + "[migration-migration_before_commit-0]",
    ),
    Mutation(
        "a cancellation that fails escapes",
        "13",
        "dataportal/store/session.py",
        "with suppress(psycopg.Error):\n            self._connection.cancel_safe",
        "with suppress(ZeroDivisionError):\n            self._connection.cancel_safe",
        "tests/faults/test_signals.py::test_sigterm[once-a_database_that_does_not_answer]",
    ),
    Mutation(
        "it is not asked whether the lock is still held",
        "14",
        "dataportal/store/write/transaction.py",
        "if held is not None and held.fetchone() is None:",
        "if held is not None and held.fetchone() == ():",
        "tests/store/test_merge.py::test_without_the_lock_nothing_is_written",
    ),
    Mutation(
        "nobody's lock is in the way",
        "15",
        "dataportal/store/lock.py",
        "return row is not None and bool(row[0])\n\n\ndef unlock",
        "return True\n\n\ndef unlock",
        "tests/faults/test_races.py::test_fetch_all_beside_fetch",
    ),
    Mutation(
        "two schemas share their locks",
        "16",
        "dataportal/store/lock.py",
        'f"dataportal:{schema}:{name}"',
        'f"dataportal:{name}"',
        "tests/faults/test_races.py::test_the_same_source_elsewhere_is_another_one[schemas]",
    ),
    Mutation(
        "it is not asked again under the lock what is due",
        "17",
        "dataportal/collect/source_run.py",
        "if request.only_if_due and self._run_id is None:",
        "if request.only_if_due and self._run_id == 0:",
        "tests/faults/test_races.py::test_four_machines_share_two_hundred_sources",
    ),
    Mutation(
        "migrations wait for nobody",
        "18",
        "dataportal/store/migrations.py",
        "while not try_lock(connection, key):",
        "while False:",
        "tests/store/test_migrations.py::test_eight_at_once_make_one_schema",
    ),
    Mutation(
        "first runs do not wait for one another",
        "18",
        "dataportal/store/migrations.py",
        "while not try_lock(connection, key):",
        "while False:",
        "tests/faults/test_races.py::test_eight_first_runs_on_an_empty_database",
    ),
    Mutation(
        "a pooler is not noticed",
        "19",
        "dataportal/store/connection.py",
        "if row is None or row[0] != connection.info.backend_pid:",
        "if row is None:",
        "tests/faults/test_connections.py::test_a_pooler_in_between[transaction]",
    ),
    Mutation(
        "too many connections are for ever",
        "20",
        "dataportal/store/connection.py",
        '"53300": (DatabaseTransientError,',
        '"53300": (DatabaseError,',
        "tests/faults/test_refusals.py::test_too_many_connections",
    ),
    Mutation(
        "a wrong password may pass",
        "20",
        "dataportal/store/connection.py",
        '"28": (DatabaseError,',
        '"28": (DatabaseTransientError,',
        "tests/faults/test_refusals.py::test_a_wrong_password",
    ),
    Mutation(
        "a replica is not told from a fault",
        "20",
        "dataportal/store/connection.py",
        '    "25006": (DatabaseError, "This server is a read-only replica: use the primary"),\n',
        "",
        "tests/faults/test_refusals.py::test_a_read_only_replica",
    ),
    Mutation(
        "a statement that was ended is not tried again",
        "20",
        "dataportal/store/connection.py",
        '"57014": (DatabaseTransientError,',
        '"57014": (DatabaseError,',
        "tests/faults/test_refusals.py::test_a_statement_that_the_server_ends[1]",
    ),
    Mutation(
        "the database is tried again more often than allowed",
        "20",
        "dataportal/collect/retry.py",
        "self._retries = retries\n",
        "self._retries = retries + 1\n",
        "tests/faults/test_refusals.py::test_a_statement_that_the_server_ends[0]",
    ),
    Mutation(
        "a deadlock lasts",
        "20",
        "dataportal/store/connection.py",
        '"40": (DatabaseTransientError,',
        '"40": (DatabaseError,',
        "tests/faults/test_refusals.py::test_a_deadlock",
    ),
    Mutation(
        "headers follow to another host",
        "21",
        "dataportal/plugins/http/client.py",
        "if not is_trusted(url, onward):",
        "if url == onward:",
        "tests/faults/test_hostile_providers.py::test_a_redirect_to_another_host",
    ),
    Mutation(
        "a key in the path follows to another host",
        "21, 23",
        "dataportal/plugins/http/client.py",
        "            url=str(target),\n        )",
        "        )",
        "tests/faults/test_hostile_providers.py::test_a_redirect_to_another_host",
    ),
    Mutation(
        "a body has no end",
        "22",
        "dataportal/plugins/http/body.py",
        "                if size > most:\n",
        "                if size < 0:\n",
        "tests/plugins/test_http.py::test_body_larger_than_the_cap_is_not_read",
    ),
    Mutation(
        "nothing is masked",
        "23",
        "dataportal/redaction.py",
        "    with _lock:\n        known = sorted(",
        "    return text\n    with _lock:\n        known = sorted(",
        "tests/faults/test_hostile_providers.py::test_a_hostile_provider[echo]",
    ),
    Mutation(
        "a machine that slept makes up slot by slot",
        "24",
        "sql/queries/run_finish.sql",
        "WHEN run.kind = 'scheduled' THEN run.started_at\n",
        "WHEN run.kind = 'scheduled' "
        "THEN coalesce(s.last_attempt_at + interval '1 hour', run.started_at)\n",
        _PROMISES + "test_a_machine_that_slept_runs_once[3 days-2]",
    ),
    Mutation(
        "a slot begins with the last attempt",
        "25",
        "dataportal/schedule.py",
        "boundary = EPOCH + offset + slots * schedule",
        "boundary = last_attempt + schedule",
        "tests/unit/test_schedule.py::test_a_cron_that_is_early_or_late_runs_each_slot_once",
    ),
    Mutation(
        "the repeated hour of autumn is one",
        "25",
        "dataportal/schedule.py",
        "    return due <= now\n",
        "    if last_attempt and now - last_attempt <= timedelta(hours=1):\n"
        "        return False\n"
        "    return due <= now\n",
        "tests/unit/test_schedule.py::test_the_repeated_hour_of_autumn_is_two_hours",
    ),
    Mutation(
        "a backfill makes a source fresh",
        "26",
        "sql/queries/run_finish.sql",
        "WHEN run.kind = 'scheduled' AND %(outcome)s IN",
        "WHEN %(outcome)s IN",
        _PROMISES + "test_a_backfill_does_not_make_a_source_fresh",
    ),
    Mutation(
        "a backfill that is resumed starts over",
        "27",
        "dataportal/collect/source_run.py",
        "done_until or start",
        "start",
        "tests/faults/test_crashes.py::test_a_backfill_goes_on_where_it_was_killed",
    ),
    Mutation(
        "a name that the locale cannot show is an error",
        "28",
        "dataportal/render/console.py",
        'errors="backslashreplace",',
        'errors="strict",',
        "tests/faults/test_surroundings.py::test_away_from_a_terminal[C]",
    ),
    Mutation(
        "a dumb terminal gets escape codes",
        "28",
        "dataportal/render/tables.py",
        *_COLOURED,
        "tests/faults/test_surroundings.py::test_on_a_terminal[dumb]",
    ),
    Mutation(
        "colours where none are wanted",
        "28",
        "dataportal/render/tables.py",
        *_COLOURED,
        "tests/faults/test_surroundings.py::test_on_a_terminal[NO_COLOR]",
    ),
    Mutation(
        "a reader that went away is a fault",
        "28",
        "dataportal/render/console.py",
        "            except OSError as error:\n                self.fault = error\n",
        "            except ZeroDivisionError:\n                pass\n",
        "tests/faults/test_surroundings.py::test_a_reader_that_never_looks",
    ),
    Mutation(
        "a user without a name has a home",
        "28",
        "dataportal/embedded/files.py",
        "    with suppress(RuntimeError):",
        "    with suppress(KeyError):",
        "tests/faults/test_surroundings.py::test_a_user_without_a_name_or_a_place_to_write",
    ),
    Mutation(
        "a byte order mark is part of the first key",
        "29",
        "dataportal/config/yaml_parser.py",
        'raw.decode("utf-8-sig")',
        r'raw.decode("utf-8").replace("\ufeff", "_")',
        "tests/unit/test_config_faults.py::test_a_byte_order_mark_is_no_part_of_the_text",
    ),
    Mutation(
        "a number may begin with a zero",
        "29",
        "dataportal/config/yaml_nodes.py",
        'r"[-+]?(?:0|[1-9][0-9]*)")\n_FLOAT',
        'r"[-+]?[0-9]+")\n_FLOAT',
        "tests/unit/test_config_values.py::test_a_value_means_what_yaml_1_2_says",
    ),
    Mutation(
        "of a key given twice the last counts",
        "29",
        "dataportal/config/yaml_nodes.py",
        "            elif key.text in own:\n",
        '            elif key.text == "":\n',
        "tests/unit/test_config_faults.py::"
        "test_what_concerns_the_whole_file_makes_all_of_it_unusable",
    ),
    Mutation(
        "a value may hold itself",
        "29",
        "dataportal/config/yaml_nodes.py",
        "        if depth > _DEEPEST:\n",
        "        if depth < 0:\n",
        "tests/unit/test_config_faults.py::TestBombs::test_what_holds_itself",
    ),
    Mutation(
        "an entry that cannot be used stops the others",
        "29",
        "dataportal/cli/fetch_all.py",
        "if source.enabled and not source.missing_env",
        "if source.enabled and not configuration.broken",
        "tests/cli/test_fetch_all.py::test_an_entry_that_cannot_be_used_stops_no_other",
    ),
    Mutation(
        "control characters pass",
        "30",
        "dataportal/redaction.py",
        '    return "".join(c if c.isprintable()',
        '    return cut or "".join(c if c.isprintable()',
        "tests/faults/test_surroundings.py::test_texts_of_a_provider_are_harmless",
    ),
    Mutation(
        "a merge opens every chunk",
        "32",
        "sql/queries/merge_stored.sql",
        "          AND ts BETWEEN %(low)s AND %(high)s\n",
        "",
        "tests/faults/test_sizes.py::test_a_history_of_many_chunks",
        on_timescaledb=True,
    ),
    Mutation(
        "every source is shown the runs of others",
        "32",
        "sql/queries/overview_sources.sql",
        "WHERE f.source = s.source ORDER BY f.run_id DESC LIMIT 1\n",
        "ORDER BY f.run_id DESC LIMIT 40\n",
        "tests/faults/test_sizes.py::test_ten_thousand_sources",
    ),
    Mutation(
        "an unchanged answer stands for rows that were deleted",
        "U",
        "dataportal/store/validators.py",
        "if _state(connection, series, remembered.start) != remembered.state:",
        "if not remembered.state:",
        "tests/faults/test_unchanged.py::test_what_is_changed_by_hand_comes_back",
    ),
    Mutation(
        "rows may be deleted while the provider is asked",
        "U",
        "dataportal/store/validators.py",
        "if recall.unchanged and _state(connection, series, recall.start) != recall.state:",
        "if recall.unchanged and not recall.state:",
        "tests/store/test_keeping.py::test_what_somebody_changed_is_not_relied_on",
    ),
    Mutation(
        "unchanged answers are left out beside any others",
        "U",
        "dataportal/collect/slice.py",
        "sound and recall.may_leave_out(one.ts for one in batch.series.values())",
        "sound",
        "tests/faults/test_unchanged.py::test_files_that_may_overlap_are_unchanged_together_or_not_at_all",
    ),
    Mutation(
        "an answer that reaches ahead is kept",
        "U",
        "dataportal/store/validators.py",
        "self.recall.worth_keeping(self.left_out_from)",
        "self.recall.worth_keeping(None)",
        "tests/faults/test_unchanged.py::test_a_week_that_was_filled_up_ahead_is_asked_for_again",
    ),
    Mutation(
        "validators outlive a change of sources.yaml",
        "U",
        "dataportal/validators.py",
        "if identity != self.identity or start < self.start:",
        "if start < self.start:",
        "tests/faults/test_unchanged.py::test_another_entry_in_sources_yaml_asks_anew",
    ),
    Mutation(
        "a withdrawal is judged by a part of the answer",
        "U",
        "dataportal/store/validators.py",
        "if self.recall.unchanged and (merged.counts.retracted or merged.withheld):",
        "if not self.start:",
        "tests/store/test_keeping.py::test_a_withdrawal_needs_the_whole_answer",
    ),
    Mutation(
        "a partial answer is kept",
        "U",
        "dataportal/store/validators.py",
        "is_whole = self.sound and not (merged.withheld or silent or merged.dated)",
        "is_whole = True",
        "tests/faults/test_unchanged.py::test_a_partial_run_keeps_nothing",
    ),
)


def main(wanted: str) -> int:
    """Plant one after the other; 1 if a test stayed green."""
    with tempfile.TemporaryDirectory(prefix="dataportal-mutations-") as name:
        folder = Path(name)
        # servers of root run as another user, who has to pass
        folder.chmod(0o755)
        for part in _COPIED:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        python = _interpreter(folder)
        chosen = [m for m in MUTATIONS if wanted in m.name]
        if os.environ.get("DATAPORTAL_TEST_SERVER") != "docker":
            for left_out in (m for m in chosen if m.on_timescaledb):
                print(f"left out, as it needs DATAPORTAL_TEST_SERVER=docker: {left_out.name}")
            chosen = [m for m in chosen if not m.on_timescaledb]
        green = [m.name for m in chosen if _stays_green(m, folder, python)]
    print(f"{len(green)} stayed green: {', '.join(green)}" if green else "all went red")
    return 1 if green else 0


def _interpreter(folder: Path) -> Path:
    """A Python that imports the copy, and everything else from where this one does."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (library,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # not as a folder of sites: there the package itself may be installed for editing
    (library / "copy.pth").write_text(f"{folder}\n{sysconfig.get_path('purelib')}\n")
    return folder / "venv" / "bin" / "python"


def _stays_green(mutation: Mutation, folder: Path, python: Path) -> bool:
    file = folder / mutation.file
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound.replace(mutation.old, mutation.new), encoding="utf-8")
    options = ("-n0", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider")
    try:
        done = subprocess.run(
            [python, "-m", "pytest", *options, mutation.test],
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    finally:
        file.write_text(sound, encoding="utf-8")
    # 1 is a test that failed; anything else is no verdict
    red = done.returncode == 1 and " failed" in done.stdout
    print(f"{'red  ' if red else 'GREEN'}  {mutation.rows:8} {mutation.name}", flush=True)
    if not red and done.returncode != 0:
        print(done.stdout[-3000:] + done.stderr[-1000:])
    return not red


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
