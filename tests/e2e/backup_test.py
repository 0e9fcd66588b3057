"""`leat warehouse backup` and `restore`: of a warehouse that loads, and after every kind of end."""

import json
import os
import signal
import subprocess
import time
import unittest

from leat import BINARY, SANITIZED, LeatTest, clean_environment, run

ROWS = 20_000 if SANITIZED else 200_000
DIGEST = "select count(*), sum(fnv_hash(v::varchar)::numeric(38,0)) from "

# Each turn puts its number in two tables in one transaction, and makes and drops a table large enough
# to be written beside the log.
WRITER = f"""
create table if not exists turns (n int);
create table if not exists rows_of_turns (n int, v bigint);
insert into rows_of_turns select 0, n from seed;
""" + "\n".join(
    f"""begin; insert into turns values ({n});
insert into rows_of_turns select {n}, n from seed limit 5000; commit;
create table scratch_{n} as select n, 'x' || n as t from seed;
{f"drop table scratch_{n - 2};" if n > 2 else ""}"""
    for n in range(1, 200)
)


class BackupTest(LeatTest):
    def backup(self, name="one.leatbackup", data=None):
        path = os.path.join(self.folder, name)
        return path, run(["warehouse", "backup", path, "--data", data or self.data])

    def restored(self, path, name):
        data = os.path.join(self.folder, name)
        done = run(["warehouse", "restore", path, "--data", data])
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.up(data=data, command="warehouse")

    def start(self):
        leat = self.up(command="warehouse")
        leat.psql(f"create table seed as select n, n as v from generate_series(1, {ROWS}) as s(n)")
        return leat

    def writer(self, leat):
        return leat.psql_beside(self.write("writer.sql", WRITER))

    def check(self, leat):
        """Every transaction is there whole or not at all, and every table can be read."""
        turns = int(leat.value("select count(*) from turns"))
        self.assertEqual(turns, int(leat.value("select coalesce(max(n), 0) from turns")))
        self.assertEqual(
            int(leat.value("select count(v) from rows_of_turns where n > 0")), turns * 5000
        )
        for (table,) in leat.psql("select tablename from pg_tables where tablename like 'scratch%'"):
            self.assertEqual(int(leat.value(f"select count(t) from {table}")), ROWS)
        return turns

    def test_backups_of_a_warehouse_that_loads_hold_one_moment_each(self):
        with self.start() as leat:
            writer = self.writer(leat)
            try:
                while int(leat.value("select count(*) from pg_tables where tablename = 'turns'")) == 0:
                    self.assertIsNone(writer.poll())
                paths = []
                for n in range(3):
                    turns = int(leat.value("select count(*) from turns"))
                    path, done = self.backup(f"{n}.leatbackup")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    paths.append((path, turns))
                    deadline = time.monotonic() + 60
                    while int(leat.value("select count(*) from turns")) < turns + 2:
                        self.assertLess(time.monotonic(), deadline)
            finally:
                writer.kill()
                writer.wait(10)
        for n, (path, turns) in enumerate(paths):
            with self.restored(path, f"restored{n}") as restored:
                self.assertGreaterEqual(self.check(restored), turns)
                restored.psql("insert into turns values (-1)")

    def test_what_is_restored_is_what_was_there(self):
        questions = [
            DIGEST + "seed",
            DIGEST + "totals",
            "select usename, usesuper from pg_user order by 1",
            "select relname, relkind, reldiststyle from pg_class where relowner <> 1 order by 1",
            "select \"column\", type, distkey, sortkey from pg_table_def where tablename = 'keys'",
        ]
        with self.start() as leat:
            leat.psql(
                "create table keys (id bigint identity(1,1) primary key, v varchar(7)) "
                "distkey(id) sortkey(v)"
            )
            leat.psql("insert into keys (v) values ('a'), ('b')")
            leat.psql("create user alice password 'Secret1234'")
            leat.psql("grant select on keys to alice")
            leat.psql("create view totals as select sum(v) as v from seed")
            before = [leat.psql(question) for question in questions]
            path, done = self.backup()
            self.assertEqual(done.returncode, 0, done.stderr)
            inspected = run(["inspect", path, "--json"])
            self.assertEqual(json.loads(inspected.stdout)["database"], "dev")
        with self.restored(path, "restored") as restored:
            self.assertEqual([restored.psql(question) for question in questions], before)
            restored.psql("insert into keys (v) values ('c')")
            self.assertEqual(restored.value("select count(distinct id) from keys"), "3")

    def test_nothing_is_replaced(self):
        with self.start():
            path, done = self.backup()
            self.assertEqual(done.returncode, 0, done.stderr)
            size = os.path.getsize(path)
            _, again = self.backup()
            self.assertEqual(again.returncode, 1)
            self.assertIn("exists", again.stderr)
            self.assertEqual(os.path.getsize(path), size)
            here = run(["warehouse", "restore", path, "--data", self.data])
            self.assertEqual(here.returncode, 1)
            self.assertIn("in use by process", here.stderr)
        there = run(["warehouse", "restore", path, "--data", self.data])
        self.assertEqual(there.returncode, 1)
        self.assertIn("exists", there.stderr)

    def test_a_stopped_or_killed_warehouse_is_backed_up_too(self):
        leat = self.start()
        leat.psql("create table late as select 1 as n")
        leat.kill()
        leat.log.close()
        path, done = self.backup()
        self.assertEqual(done.returncode, 0, done.stderr)
        with self.restored(path, "restored") as restored:
            self.assertEqual(restored.value("select n from late"), "1")
            self.assertEqual(restored.value("select count(*) from seed"), str(ROWS))

    def test_a_killed_backup_leaves_none_and_the_next_one_works(self):
        with self.start() as leat:
            path = os.path.join(self.folder, "one.leatbackup")
            killed = subprocess.Popen(
                [BINARY, "warehouse", "backup", path, "--data", self.data],
                env=clean_environment(),
                stderr=subprocess.DEVNULL,
            )
            deadline = time.monotonic() + 60
            while killed.poll() is None and not os.path.exists(path + ".new"):
                self.assertLess(time.monotonic(), deadline)
            killed.send_signal(signal.SIGKILL)
            killed.wait(10)
            if os.path.exists(path):  # it was faster
                os.remove(path)
            _, done = self.backup()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertFalse(os.path.exists(path + ".new"))
            leat.psql("insert into seed values (0, 0)")
        with self.restored(path, "restored") as restored:
            self.assertEqual(restored.value("select count(*) from seed"), str(ROWS))

    def test_damage_is_said(self):
        with self.start():
            path, done = self.backup()
            self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        data = os.path.join(self.folder, "new")
        refused = run(["warehouse", "restore", path, "--data", data])
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, "damaged at byte [0-9]+")
        self.assertFalse(os.path.exists(os.path.join(data, "warehouse")))

        database = os.path.join(self.data, "warehouse", "dev.duckdb")
        with open(database, "r+b") as file:
            file.write(b"\xff" * 12288)
        started = run(
            ["warehouse", "--data", self.data, "--warehouse-listen", "127.0.0.1:0"], seconds=60
        )
        self.assertEqual(started.returncode, 1)
        self.assertIn(database, started.stderr)
        self.assertIn("leat warehouse restore", started.stderr)

    def test_without_a_warehouse_there_is_nothing_to_back_up(self):
        path, done = self.backup()
        self.assertEqual(done.returncode, 1)
        self.assertIn("no warehouse to back up", done.stderr)
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    unittest.main()
