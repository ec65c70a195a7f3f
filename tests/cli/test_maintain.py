"""`dataportal maintain`, and `migrate --columnstore` without one: on every kind of server."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.invariants import broken_invariants
from support.store_feed import current, open_feed, open_observer, tuples, values
from support.stored_runs import store_run

if TYPE_CHECKING:
    import subprocess

    from conftest import RunCli, StartCli

OLD_RUNS = (
    "INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome, window_start,"
    " inserted, host, pid, version)"
    " SELECT 'gone', 'scheduled', now() - interval '91 days', now() - interval '91 days',"
    " 'unchanged', now() - interval '91 days', CASE WHEN n = 1 THEN 1 ELSE 0 END, 'host', 1, '1.0'"
    " FROM generate_series(1, 7001) AS n"
)


@pytest.fixture
def url(database_url: str) -> str:
    """A database with 3,000 points, of which most were revised: rows are dead, none is analyzed.

    Nothing of that is cleared up by itself meanwhile.
    """
    with open_observer(database_url) as look:
        name = look.info.dbname
        look.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
        for table in ("time_series_data", "time_series_data_scd2", "fetch_run"):
            look.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
    with open_feed(database_url) as feed:
        feed({h: float(h) for h in range(3_000)})
        feed({h: h + 0.5 for h in range(2_500)})
        feed.finish()
    return database_url


def planned(run_cli: RunCli, url: str, *options: str) -> dict[str, Any]:
    """What `maintain --plan` answers."""
    done = run_cli("maintain", "--plan", "--json", *options, env={"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def work(document: dict[str, Any]) -> list[str]:
    """The kinds of its actions, each once."""
    return list(dict.fromkeys(action["work"] for action in document["actions"]))


def test_a_plan_changes_nothing(url: str, run_cli: RunCli) -> None:
    """It names tables, sizes and reasons; the tuples are as before."""
    with open_observer(url) as look:
        before = tuples(look)
        document = planned(run_cli, url)
        assert tuples(look) == before
    assert (document["planned"], document["after"]) == (True, None)
    for action in document["actions"]:
        assert action["bytes"] > 0
        assert action["reason"]
    assert "storage" not in document
    assert document["before"]["bytes"] == sum(t["bytes"] for t in document["before"]["tables"])
    assert "WHY" in run_cli("maintain", "--plan", env={"DATABASE_URL": url}).stdout


def test_tables_are_kept_up_and_history_stays(url: str, run_cli: RunCli) -> None:
    """Old empty runs go, others stay; dead rows go; a second time nothing of that is left to do."""
    with open_observer(url) as look:
        look.execute(OLD_RUNS)
        before = values(look), current(look)
    assert "forget" in work(planned(run_cli, url))
    done = run_cli("maintain", "--json", env={"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert all(action["done"] for action in document["actions"])
    assert {"forget"} <= set(work(document)) <= {"forget", "vacuum", "reindex", "analyze"}
    with open_observer(url) as look:
        assert (values(look), current(look)) == before
        assert look.execute("SELECT count(*), sum(inserted) FROM fetch_run"
                            " WHERE source = 'gone'").fetchone() == (1, 1)  # fmt: skip
        look.execute("DELETE FROM fetch_run WHERE source = 'gone'")
        assert broken_invariants(look) == []
    assert "forget" not in work(planned(run_cli, url))


def test_an_index_that_a_reindex_left_behind_goes(url: str, run_cli: RunCli) -> None:
    """As a kill in the middle of one leaves it: invalid, and of no use to anybody."""
    with open_observer(url) as look:
        look.execute("CREATE INDEX fetch_run_pkey_ccnew ON fetch_run (run_id)")
        look.execute("ANALYZE fetch_run")
        look.execute("UPDATE pg_index SET indisvalid = false"
                     " WHERE indexrelid = 'fetch_run_pkey_ccnew'::regclass")  # fmt: skip
    assert "reindex" in work(planned(run_cli, url))
    assert run_cli("maintain", env={"DATABASE_URL": url}).returncode == 0
    with open_observer(url) as look:
        assert look.execute("SELECT to_regclass('fetch_run_pkey_ccnew')").fetchone() == (None,)
    assert "reindex" not in work(planned(run_cli, url))


def test_bloated_indexes_are_made_anew(database_url: str, run_cli: RunCli) -> None:
    """By what they were too large."""
    with open_observer(database_url) as look:
        look.execute(OLD_RUNS.replace("7001", "60000"))
        look.execute("DELETE FROM fetch_run WHERE run_id > 100")
    # what a session did is counted when it has ended
    with open_observer(database_url) as look:
        look.execute("VACUUM ANALYZE fetch_run")
        (before,) = look.execute("SELECT pg_indexes_size('fetch_run')").fetchone() or (0,)
    document = planned(run_cli, database_url)
    (action,) = (a for a in document["actions"] if a["work"] == "reindex")
    assert action["table"] == "fetch_run"
    assert document["before"]["gain"] >= action["gain"] > 1_000_000
    assert run_cli("maintain", env={"DATABASE_URL": database_url}).returncode == 0
    with open_observer(database_url) as look:
        (after,) = look.execute("SELECT pg_indexes_size('fetch_run')").fetchone() or (0,)
    assert after < before / 3


def test_a_reindex_that_is_held_up_leaves_one_index_at_most(
    database_url: str, run_cli: RunCli
) -> None:
    """However often it is tried: each would take as much room as the one that it was to be."""
    with open_observer(database_url) as look:
        look.execute(OLD_RUNS.replace("7001", "60000"))
        look.execute("DELETE FROM fetch_run WHERE run_id > 100")
    # what a session did is counted when it has ended
    with open_observer(database_url) as look:
        look.execute("VACUUM ANALYZE fetch_run")
    unfinished = (
        "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid = 'fetch_run'::regclass"
    )
    with psycopg.connect(database_url) as reader, open_observer(database_url) as look:
        # an old snapshot is waited for
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT FROM source_state").fetchall()
        held_up = run_cli("maintain", "--json", "--for", "10s", env={"DATABASE_URL": database_url})
        (reindex,) = (a for a in json.loads(held_up.stdout)["actions"] if a["work"] == "reindex")
        assert (reindex["done"], reindex["seconds"] > 6) == (False, True)
        assert look.execute(unfinished).fetchone() == (1,)
        reader.rollback()
        assert run_cli("maintain", env={"DATABASE_URL": database_url}).returncode == 0
        assert look.execute(unfinished).fetchone() == (0,)


def test_what_holds_a_lock_is_waited_for_in_turns(url: str, run_cli: RunCli) -> None:
    """The rest is done meanwhile; what cannot be is named, and the exit code says so."""
    with open_observer(url) as look, psycopg.connect(url) as holder:
        look.execute(OLD_RUNS)
        look.execute("VACUUM ANALYZE fetch_run")
        holder.execute("LOCK TABLE fetch_run IN EXCLUSIVE MODE")
        done = run_cli("maintain", "--json", "--for", "8s", env={"DATABASE_URL": url})
        document = json.loads(done.stdout)
        (forget,) = (a for a in document["actions"] if a["work"] == "forget")
        # for want of time it is left, which is no failure
        assert (done.returncode, forget["done"], forget["error"]) == (0, False, None)
        assert all(a["done"] for a in document["actions"] if a["work"] != "forget")
        holder.rollback()
    assert run_cli("-q", "maintain", env={"DATABASE_URL": url}).stderr == ""
    assert "forget" not in work(planned(run_cli, url))


def test_forgetting_ends_when_time_is_up(database_url: str, run_cli: RunCli) -> None:
    """However many statements it takes: what is forgotten by then is, the rest is left."""
    with open_observer(database_url) as look:
        look.execute(OLD_RUNS.replace("7001", "100001"))
        look.execute(
            "CREATE FUNCTION take_a_while() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END'"
        )
        look.execute(
            "CREATE TRIGGER slow AFTER DELETE ON fetch_run EXECUTE FUNCTION take_a_while()"
        )
        done = run_cli("maintain", "--json", "--for", "3s", env={"DATABASE_URL": database_url})
        (left,) = look.execute("SELECT count(*) FROM fetch_run").fetchone() or (0,)
    (forget,) = (a for a in json.loads(done.stdout)["actions"] if a["work"] == "forget")
    assert (done.returncode, forget["done"], forget["error"]) == (0, False, None)
    assert forget["seconds"] < 4
    assert 1 < left < 100_001


def test_a_signal_ends_it_and_what_was_done_is_told(
    url: str, run_cli: RunCli, start_cli: StartCli
) -> None:
    """143, with what is done and how much is not; that stays for the next one."""
    with open_observer(url) as look, psycopg.connect(url) as holder:
        look.execute(OLD_RUNS)
        look.execute("CREATE INDEX source_state_pkey_ccnew ON source_state (source)")
        look.execute("UPDATE pg_index SET indisvalid = false"
                     " WHERE indexrelid = 'source_state_pkey_ccnew'::regclass")  # fmt: skip
        before = values(look), current(look)
        holder.execute("LOCK TABLE fetch_run IN EXCLUSIVE MODE")
        program = start_cli("maintain", env={"DATABASE_URL": url})
        while look.execute("SELECT to_regclass('source_state_pkey_ccnew')").fetchone() != (None,):
            assert program.poll() is None
        # then it tries again what is held up, last of all
        while look.execute("SELECT count(*) FROM pg_locks WHERE NOT granted"
                           " AND relation = 'fetch_run'::regclass").fetchone() != (1,):  # fmt: skip
            assert program.poll() is None
        program.send_signal(signal.SIGTERM)
        told, _ = program.communicate(timeout=20)
        assert program.returncode == 143
        assert re.search(r"^reindex +source_state .* done", told, re.MULTILINE)
        assert re.search(r"^ended in the middle: \d+ actions? not done$", told, re.MULTILINE)
        holder.rollback()
        assert (values(look), current(look)) == before
    assert run_cli("maintain", env={"DATABASE_URL": url}).returncode == 0
    assert "forget" not in work(planned(run_cli, url))


def test_what_stays_locked_has_failed(url: str, run_cli: RunCli) -> None:
    """After five times; also under -q it is told."""
    with open_observer(url) as look, psycopg.connect(url) as holder:
        look.execute(OLD_RUNS)
        holder.execute("LOCK TABLE fetch_run IN EXCLUSIVE MODE")
        done = run_cli("-q", "maintain", env={"DATABASE_URL": url})
        assert done.returncode == 69
        assert "forget of fetch_run" in done.stderr
        assert "FAILED" in done.stderr


def test_one_works_at_a_time(url: str, run_cli: RunCli) -> None:
    """A second one has nothing to do, and says so."""
    from dataportal.store.upkeep.maintain import open_upkeep

    with open_upkeep(url) as connection:
        assert connection is not None
        done = run_cli("maintain", env={"DATABASE_URL": url})
        assert done.returncode == 0
        assert "another maintain is at work" in done.stdout
        quiet = run_cli("-q", "maintain", env={"DATABASE_URL": url})
        assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
        document = json.loads(run_cli("maintain", "--json", env={"DATABASE_URL": url}).stdout)
        assert document == {"ok": True, "reason": "another maintain is at work"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("maintain", "--for", "soon"), "--for: 'soon' is not a duration"),
        (("maintain", "--for", "0s"), "--for 0s: no time at all"),
        (("migrate", "--columnstore", "banana"), "--columnstore: 'banana' is not a duration"),
        (("migrate", "--columnstore", "999999999 days"), "more than a thousand years"),
        (("migrate", "--columnstore", "--no-columnstore"), "which of them?"),
    ],
)
def test_what_is_no_duration_is_refused(
    arguments: tuple[str, ...], said: str, database_url: str, run_cli: RunCli
) -> None:
    """Before the database is asked: 2, and what to write."""
    done = run_cli(*arguments, env={"DATABASE_URL": database_url})
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_role_that_does_not_own_the_tables_is_refused_at_once(
    database_url: str, reader_url: str, run_cli: RunCli
) -> None:
    """Not on the night when something is due for the first time."""
    assert planned(run_cli, reader_url)["actions"] == []
    done = run_cli("-q", "maintain", env={"DATABASE_URL": reader_url})
    assert (done.returncode, done.stdout) == (78, "")
    assert "they belong to" in done.stderr
    assert run_cli("-q", "maintain", env={"DATABASE_URL": database_url}).returncode == 0


def test_a_role_that_does_not_own_the_tables_is_refused(
    url: str, reader_url: str, run_cli: RunCli
) -> None:
    """In one sentence, and nothing is done."""
    with open_observer(url) as look:
        look.execute(OLD_RUNS)
        before = tuples(look)
        done = run_cli("maintain", env={"DATABASE_URL": reader_url})
        assert (done.returncode, done.stdout) == (78, "")
        assert "this role may not keep the tables up: they belong to" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert tuples(look) == before
        assert look.execute("SELECT count(*) FROM fetch_run WHERE source = 'gone'").fetchone() == (
            7_001,
        )


def has_columnstore(url: str) -> bool:
    """Whether this server is one with the Community edition."""
    with open_observer(url) as look:
        row = look.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return row == ("timescale",)


@pytest.mark.parametrize("options", [(), ("90 days",), ("--plan",)])
def test_an_edition_without_columnstore_says_why_and_what_would(
    options: tuple[str, ...], url: str, run_cli: RunCli
) -> None:
    """One sentence of reason and one of a way out; nothing is changed."""
    if has_columnstore(url):
        return
    with open_observer(url) as look:
        before = tuples(look)
        done = run_cli("migrate", "--columnstore", *options, env={"DATABASE_URL": url})
        assert tuples(look) == before
    assert (done.returncode, done.stdout) == (78, "")
    assert "columnstore" in done.stderr
    assert "Community edition" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    refused = run_cli("migrate", "--no-columnstore", env={"DATABASE_URL": url})
    assert refused.returncode == 78


@pytest.mark.parametrize("option", ["--columnstore", "--no-columnstore"])
def test_what_is_refused_does_not_migrate_either(
    option: str, empty_database_url: str, run_cli: RunCli
) -> None:
    """Where there is no columnstore, an empty database stays empty."""
    if has_columnstore(empty_database_url):
        return
    done = run_cli("migrate", option, env={"DATABASE_URL": empty_database_url})
    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.strip().splitlines()) == 1
    with open_observer(empty_database_url) as look:
        assert look.execute("SELECT to_regclass('schema_migration')").fetchone() == (None,)


def check_storage(document: dict[str, Any]) -> None:
    """Its tables add up, and those of observations are among them."""
    storage = document["storage"]
    assert storage["bytes"] == sum(table["bytes"] for table in storage["tables"]) > 0
    names = [table["table"] for table in storage["tables"]]
    assert names[:2] == ["time_series_data", "time_series_data_scd2"]
    assert 0 <= storage["compressed_share"] <= 1


def test_other_commands_say_how_large_the_tables_are(
    run_cli: RunCli, database_url: str, reader_url: str
) -> None:
    """`healthcheck`, and `list-sources` as JSON; for who may only read."""
    store_run(database_url, [1.0, 2.0])
    env = {"DATABASE_URL": reader_url}

    def answer(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_cli(*arguments, env=env)

    health = json.loads(answer("healthcheck", "--json").stdout)
    check_storage(health)
    (check,) = (c for c in health["checks"] if c["check"] == "storage")
    assert (check["ok"], check["message"].endswith(("kB", "MB"))) == (True, True)
    check_storage({"storage": planned(run_cli, database_url)["before"]})


def test_list_sources_says_it_as_json(run_cli: RunCli, database_url: str, tmp_path: Any) -> None:
    """And null where the database is not to be had."""
    (tmp_path / "sources.yaml").write_text(
        "timeseries:\n  a: {module: csv_plugin, class: CsvDataSourcePlugin}\n", encoding="utf-8"
    )
    listed = run_cli("list-sources", "--json", env={"DATABASE_URL": database_url})
    check_storage(json.loads(listed.stdout))
    away = run_cli("list-sources", "--json", env={"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"})
    assert json.loads(away.stdout)["storage"] is None
