"""`leat sql`: text and JSON, several statements, errors with SQLSTATE and position; and psql's
own commands."""

import json
import subprocess
import unittest

from leat import LeatTest, clean_environment, run


class SqlTest(LeatTest):
    @classmethod
    def setUpClass(cls):
        cls.outer = LeatTest()
        cls.outer.setUp()
        cls.leat = cls.outer.up({"LEAT_SYNC_EVERY": "1h"})

    @classmethod
    def tearDownClass(cls):
        try:
            cls.leat.stop()
        finally:
            cls.leat.log.close()
            cls.outer.doCleanups()

    def sql(self, *arguments, stdin=None):
        return run(["sql", "--data", self.leat.data, *arguments], stdin=stdin)

    def test_prints_a_table(self):
        done = self.sql("select 1 as one, 'x' as letter")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "one  letter\n---  ------\n  1  x\n")

    def test_prints_json(self):
        done = self.sql(
            "--json", "select 1 as n, 2.5::float8 as f, true as b, null as z, 'a\"b' as t"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        reply = json.loads(done.stdout)
        self.assertEqual(reply["columns"], ["n", "f", "b", "z", "t"])
        self.assertEqual(reply["rows"], [[1, 2.5, True, None, 'a"b']])

    def test_reads_stdin(self):
        self.assertIn("42", self.sql("-", stdin="select 42 as answer\n").stdout)
        self.assertIn("42", self.sql(stdin="select 42 as answer\n").stdout)

    def test_runs_several_statements(self):
        done = self.sql(
            "create table public.t_several (a int); insert into public.t_several values (1), (2); "
            "select count(*) as n from public.t_several"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("CREATE TABLE", done.stderr)
        self.assertIn("INSERT 0 2", done.stderr)
        self.assertEqual(done.stdout, "n\n-\n2\n")

    def test_errors_have_state_and_position(self):
        done = self.sql("select nothing from nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("SQLSTATE 42P01", done.stderr)
        done = self.sql("select 1 form x")
        self.assertIn("SQLSTATE 42601", done.stderr)
        self.assertIn("at character", done.stderr)

    def test_psql_commands(self):
        self.sql("create table public.t_psql (id int not null, name varchar(20))")
        for command, words in (
            (r"\dt public.*", "t_psql"),
            (r"\d public.t_psql", "character varying(20)"),
            (r"\l", "dev"),
            (r"\dn", "public"),
            (r"\conninfo", "leat"),
        ):
            done = subprocess.run(
                ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", command],
                env=self.leat.psql_environment(),
                timeout=60,
                text=True,
                capture_output=True,
                check=False,
            )
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
            self.assertIn(words, done.stdout, command)

    def test_unload_and_copy_go_round(self):
        leat = self.leat
        leat.psql(
            "create table round (id int, name varchar(20), price decimal(8,2), at timestamp, more "
            "super); insert into round select 1, 'one, \"quoted\"', 1.5, '2026-11-20 01:02:03.5', "
            "json_parse('{\"a\":[1,2]}') union all select 2, null, null, null, null"
        )
        nil = "null as 'NIL'"
        forms = ["parquet", f"csv gzip {nil}", f"csv zstd header {nil}", f"addquotes escape {nil}"]
        for number, form in enumerate(forms):
            to = f"s3://leat/round/{number}/"
            leat.psql(f"unload ('select * from round') to '{to}' iam_role default {form} manifest")
            options = form.replace("header", "ignoreheader 1").replace("addquotes", "removequotes")
            back = leat.psql(
                "create temp table back (like round); "
                f"copy back from '{to}manifest' iam_role default manifest {options}; "
                "select * from back order by id"
            )
            self.assertEqual(back, leat.psql("select * from round order by id"), form)
        self.assertEqual(
            leat.psql("select unloaded_rows, unloaded_files_count from sys_unload_history"),
            [["2", "1"]] * 4,
        )

    def test_wrong_password_is_refused(self):
        warehouse = self.leat.connection["warehouse"]
        environment = clean_environment({"PGPASSWORD": "wrong"})
        done = subprocess.run(
            [
                "psql",
                "-X",
                "-h",
                warehouse["host"],
                "-p",
                str(warehouse["port"]),
                "-U",
                "leat",
                "-d",
                "dev",
                "-c",
                "select 1",
            ],
            env=environment,
            timeout=60,
            text=True,
            capture_output=True,
            check=False,
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("password", done.stderr)

    def test_tls_on_request(self):
        warehouse = self.leat.connection["warehouse"]
        environment = clean_environment(
            {"PGPASSWORD": warehouse["password"], "PGSSLMODE": "require"}
        )
        done = subprocess.run(
            [
                "psql",
                "-X",
                "-h",
                warehouse["host"],
                "-p",
                str(warehouse["port"]),
                "-U",
                "leat",
                "-d",
                "dev",
                "-c",
                r"\conninfo",
            ],
            env=environment,
            timeout=60,
            text=True,
            capture_output=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("SSL", done.stdout)


if __name__ == "__main__":
    unittest.main()
