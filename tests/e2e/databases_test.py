"""Several databases of one warehouse: ends of the process while they are made and dropped; backups."""

import os
import time
import unittest

from leat import LeatTest, run


class DatabasesTest(LeatTest):
    def names(self, leat):
        return [name for (name,) in leat.psql("select datname from pg_database order by 1")]

    def test_every_end_leaves_whole_databases(self):
        with self.up(command="warehouse") as leat:
            leat.psql("create database sales")
            leat.psql("create table t as select 7 as n", "-d", "sales")
        script = "".join(
            f"create database turn_{n};\n" + (f"drop database turn_{n - 1};\n" if n > 1 else "")
            for n in range(1, 100)
        )
        for turn in range(3):
            leat = self.up(command="warehouse")
            client = leat.psql_beside(self.write("script.sql", script))
            time_limit = time.monotonic() + 60
            seen = self.names(leat)
            while len([name for name in self.names(leat) if name not in seen]) == 0:
                self.assertLess(time.monotonic(), time_limit)
                self.assertIsNone(client.poll())
            for _ in range(turn * 4):
                self.names(leat)  # another moment each time
            leat.kill()
            leat.log.close()
            client.wait(20)
            with self.up(command="warehouse") as leat:
                names = self.names(leat)
                self.assertIn("sales", names)
                for name in names:
                    self.assertEqual(leat.psql("select 1", "-d", name), [["1"]])
                self.assertEqual(leat.psql("select n from t", "-d", "sales"), [["7"]])
                files = os.listdir(os.path.join(self.data, "warehouse", "dev.databases"))
                self.assertEqual(
                    len([file for file in files if file.endswith(".duckdb")]), len(names) - 1
                )
                self.assertEqual([file for file in files if file.endswith(".pending")], [])
                for name in names:
                    if name.startswith("turn_"):
                        leat.psql(f"drop database {name}")

    def test_a_backup_holds_all_of_them(self):
        path = os.path.join(self.folder, "one.leatbackup")
        with self.up(command="warehouse") as leat:
            leat.psql("create user ana password 'Secret123'")
            leat.psql("create database sales owner ana")
            leat.psql("create table t as select n from generate_series(1, 1000) as s(n)", "-d", "sales")
            done = run(["warehouse", "backup", path, "--data", self.data])
            self.assertEqual(done.returncode, 0, done.stderr)
            leat.psql("drop table t", "-d", "sales")
        self.assertIn("others    1 databases", run(["inspect", path]).stdout)
        data = os.path.join(self.folder, "restored")
        done = run(["warehouse", "restore", path, "--data", data])
        self.assertEqual(done.returncode, 0, done.stderr)
        with self.up(data=data, command="warehouse") as leat:
            self.assertEqual(leat.value("select count(*) from sales.public.t"), "1000")
            self.assertEqual(leat.psql("select sum(n) from t", "-d", "sales"), [["500500"]])


if __name__ == "__main__":
    unittest.main()
