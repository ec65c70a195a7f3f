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

ROOT = Path(__file__).parents[1]
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
    """

    name: str
    rows: str
    file: str
    old: str
    new: str
    test: str


_MATRIX = "tests/faults/test_crash_matrix.py::test_a_kill_leaves_the_old_state_or_the_new"
_PROMISES = "tests/faults/test_history_promises.py::"
MUTATIONS = (
    Mutation(
        "unchanged values are written again",
        "I5, 5",
        "dataportal/store/changes.py",
        "map(ne, window.values, before)",
        "repeat(True, len(before))",
        "tests/store/test_merge.py::test_neighbours_of_a_change_are_not_touched",
    ),
    Mutation(
        "a retraction leaves its version open",
        "I3, 4",
        "dataportal/store/merge.py",
        'self._write_exactly("merge_close", changes.retracted, common)',
        "pass",
        "tests/store/test_merge.py::test_value_null_value_are_three_facts",
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
        "nulls empty a series",
        "9",
        "dataportal/store/merge.py",
        "2 * count > stored[series_id]",
        "count < 0",
        "tests/cli/test_fetch.py::test_nulls_that_would_withdraw_most_of_a_series",
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
        "a backfill makes a source fresh",
        "26",
        "sql/queries/run_finish.sql",
        "WHEN run.kind = 'scheduled' AND %(outcome)s IN",
        "WHEN %(outcome)s IN",
        _PROMISES + "test_a_backfill_does_not_make_a_source_fresh",
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
        "the two tables are committed one after the other",
        "12",
        "dataportal/store/merge.py",
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
        "dataportal/store/storing.py",
        "        if row is None or not row[0]:\n            raise LockLostError(\n",
        "        if row is None:\n            raise LockLostError(\n",
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
        "dataportal/collect/run.py",
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
        "a pooler is not noticed",
        "19",
        "dataportal/store/connection.py",
        "if row is None or row[0] != connection.info.backend_pid:",
        "if row is None:",
        "tests/faults/test_connections.py::test_a_pooler_in_between[transaction]",
    ),
    Mutation(
        "headers follow to another host",
        "21",
        "dataportal/plugins/http.py",
        "if not is_trusted(url, onward):",
        "if url == onward:",
        "tests/faults/test_hostile_providers.py::test_a_redirect_to_another_host",
    ),
    Mutation(
        "a key in the path follows to another host",
        "21, 23",
        "dataportal/plugins/http.py",
        "            url=str(target),\n        )",
        "        )",
        "tests/faults/test_hostile_providers.py::test_a_redirect_to_another_host",
    ),
    Mutation(
        "a body has no end",
        "22",
        "dataportal/plugins/bodies.py",
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
        "a backfill that is resumed starts over",
        "27",
        "dataportal/collect/run.py",
        "done_until or start",
        "start",
        "tests/faults/test_crashes.py::test_a_backfill_goes_on_where_it_was_killed",
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
        "an unchanged answer stands for rows that were deleted",
        "U",
        "dataportal/store/keeping.py",
        "if _state(connection, series, remembered.start) != remembered.state:",
        "if not remembered.state:",
        "tests/faults/test_unchanged.py::test_what_is_changed_by_hand_comes_back",
    ),
    Mutation(
        "rows may be deleted while the provider is asked",
        "U",
        "dataportal/store/keeping.py",
        "if recall.unchanged and _state(connection, series, recall.start) != recall.state:",
        "if recall.unchanged and not recall.state:",
        "tests/store/test_keeping.py::test_what_somebody_changed_is_not_relied_on",
    ),
    Mutation(
        "unchanged answers are left out beside any others",
        "U",
        "dataportal/collect/slicing.py",
        "sound and recall.may_leave_out(one.ts for one in batch.series.values())",
        "sound",
        "tests/faults/test_unchanged.py::test_files_that_may_overlap_are_unchanged_together_or_not_at_all",
    ),
    Mutation(
        "an answer that reaches ahead is kept",
        "U",
        "dataportal/store/keeping.py",
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
        "dataportal/store/keeping.py",
        "if self.recall.unchanged and (merged.counts.retracted or merged.withheld):",
        "if not self.start:",
        "tests/store/test_keeping.py::test_a_withdrawal_needs_the_whole_answer",
    ),
    Mutation(
        "a partial answer is kept",
        "U",
        "dataportal/store/keeping.py",
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
        green = [m.name for m in MUTATIONS if wanted in m.name and _stays_green(m, folder, python)]
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
