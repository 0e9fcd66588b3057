"""The clients that Debian packages, against the whole program: psycopg2, psqlodbc, pgjdbc, awscli."""

import datetime
import decimal
import json
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

import psycopg2  # noqa: E402
import psycopg2.errors  # noqa: E402
import psycopg2.extras  # noqa: E402
import pyodbc  # noqa: E402

import jdbc  # noqa: E402
from leat import LeatTest, clean_environment  # noqa: E402

PGJDBC = "/usr/share/java/postgresql.jar"


class OneLeat(LeatTest):
    """All tests of a class share one program."""

    @classmethod
    def setUpClass(cls):
        cls.outer = LeatTest()
        cls.outer.setUp()
        cls.leat = cls.outer.up({"LEAT_SYNC_EVERY": "1h"})
        cls.warehouse = cls.leat.connection["warehouse"]

    @classmethod
    def tearDownClass(cls):
        try:
            cls.leat.stop()
        finally:
            cls.leat.log.close()
            cls.outer.doCleanups()


class Psycopg2Test(OneLeat):
    def connect(self, **more):
        options = {
            "host": self.warehouse["host"],
            "port": self.warehouse["port"],
            "dbname": self.warehouse["database"],
            "user": self.warehouse["user"],
            "password": self.warehouse["password"],
            "connect_timeout": 20,
            **more,
        }
        connection = psycopg2.connect(**options)
        self.addCleanup(connection.close)
        return connection

    def test_types_and_parameters(self):
        rows = self.connect().cursor()
        rows.execute(
            "select %s::int, %s, %s::timestamp, %s::numeric(10,2), %s, null, %s",
            (1, "O'Hara", datetime.datetime(2026, 1, 2, 3, 4, 5), decimal.Decimal("1.25"), True, 1.5),
        )
        self.assertEqual(
            rows.fetchone(),
            (1, "O'Hara", datetime.datetime(2026, 1, 2, 3, 4, 5), decimal.Decimal("1.25"), True,
             None, decimal.Decimal("1.5")),
        )

    def test_named_cursors(self):
        connection = self.connect()
        with connection.cursor("big") as rows:
            rows.itersize = 37
            rows.execute("select n from generate_series(1, 1000) as g(n) order by n")
            self.assertEqual(sum(row[0] for row in rows), 500500)

    def test_transactions_and_errors(self):
        connection = self.connect()
        rows = connection.cursor()
        rows.execute("create table py_tx (a int)")
        connection.commit()
        rows.execute("insert into py_tx values (1)")
        with self.assertRaises(psycopg2.errors.UndefinedTable):
            rows.execute("select * from nowhere")
        with self.assertRaises(psycopg2.errors.InFailedSqlTransaction):
            rows.execute("select 1")
        connection.rollback()
        rows.execute("select count(*) from py_tx")
        self.assertEqual(rows.fetchone(), (0,))

    def test_many_values(self):
        connection = self.connect()
        rows = connection.cursor()
        rows.execute("create table py_values (a int, b varchar(20))")
        psycopg2.extras.execute_values(
            rows, "insert into py_values values %s", [(i, f"row {i}") for i in range(500)]
        )
        rows.execute("select count(*), max(b) from py_values")
        self.assertEqual(rows.fetchone(), (500, "row 99"))

    def test_tls(self):
        connection = self.connect(sslmode="prefer")
        self.assertIn(connection.info.ssl_in_use, (True, False))


class PsqlodbcTest(OneLeat):
    def connect(self, more=""):
        connection = pyodbc.connect(
            "DRIVER=PostgreSQL Unicode;SERVER={host};PORT={port};DATABASE={database};UID={user};"
            "PWD={password};SSLmode=disable;".format(**self.warehouse)
            + more,
            timeout=20,
            autocommit=True,
        )
        self.addCleanup(connection.close)
        return connection

    def test_rows(self):
        for more in ("", "Protocol=7.4-1;", "UseServerSidePrepare=0;"):
            with self.subTest(more):
                rows = self.connect(more).cursor()
                rows.execute("select ?::int as a, ?::varchar(10) as b, 1.5::numeric(4,2) as c", 7, "x")
                self.assertEqual(tuple(rows.fetchone()), (7, "x", decimal.Decimal("1.50")))

    def test_catalog(self):
        rows = self.connect().cursor()
        rows.execute("create schema odbc_shop")
        rows.execute("create table odbc_shop.items (id bigint not null primary key, name varchar(20))")
        self.assertEqual([row.table_name for row in rows.tables(schema="odbc_shop")], ["items"])
        self.assertEqual(
            [(row.column_name, row.type_name) for row in rows.columns("items", schema="odbc_shop")],
            [("id", "int8"), ("name", "varchar")],
        )

    def test_primary_keys(self):
        rows = self.connect().cursor()
        rows.execute("create table odbc_keys (id bigint not null primary key, name varchar(20))")
        self.assertEqual(
            [row.column_name for row in rows.primaryKeys("odbc_keys", schema="public")], ["id"]
        )

    def test_errors(self):
        with self.assertRaises(pyodbc.Error) as caught:
            self.connect().cursor().execute("select * from nowhere")
        self.assertEqual(caught.exception.args[0], "42P01")


class PgjdbcTest(OneLeat):
    def test_checks(self):
        outcomes = jdbc.run_checks(PGJDBC, "postgresql", self.warehouse)
        for name, reason in outcomes.items():
            with self.subTest(name):
                self.assertEqual(reason, "")


class AwscliTest(OneLeat):
    def aws(self, *arguments, code=0):
        data_api = self.leat.connection["data_api"]
        done = subprocess.run(
            ["/usr/bin/aws", "--endpoint-url", data_api["url"], *arguments],
            env=clean_environment(
                {
                    "AWS_ACCESS_KEY_ID": data_api["access_key_id"],
                    "AWS_SECRET_ACCESS_KEY": data_api["secret_access_key"],
                    "AWS_DEFAULT_REGION": data_api["region"],
                    "AWS_EC2_METADATA_DISABLED": "true",
                    "AWS_PAGER": "",
                    "HOME": self.folder,
                }
            ),
            cwd=self.folder,
            timeout=60,
            text=True,
            capture_output=True,
            check=False,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def test_data_api(self):
        asked = self.aws(
            "redshift-data", "execute-statement", "--workgroup-name", "leat", "--database", "dev",
            "--sql", "select :id::int as id", "--parameters", "name=id,value=5",
        )
        while True:
            described = self.aws("redshift-data", "describe-statement", "--id", asked["Id"])
            self.assertNotIn(described["Status"], ("FAILED", "ABORTED"), described)
            if described["Status"] == "FINISHED":
                break
        result = self.aws("redshift-data", "get-statement-result", "--id", asked["Id"])
        self.assertEqual(result["Records"], [[{"longValue": 5}]])

    def test_files(self):
        content = os.urandom(9 << 20)
        with open(os.path.join(self.folder, "large"), "wb") as file:
            file.write(content)
        self.aws("s3", "cp", "large", "s3://cli-bucket/dir/large", "--only-show-errors")
        self.assertIn("9437184 large", self.aws("s3", "ls", "s3://cli-bucket/dir/"))
        self.aws("s3", "cp", "s3://cli-bucket/dir/large", "back", "--only-show-errors")
        with open(os.path.join(self.folder, "back"), "rb") as file:
            self.assertEqual(file.read(), content)
        got = self.aws(
            "s3api", "get-object", "--bucket", "cli-bucket", "--key", "dir/large", "--range",
            "bytes=0-4", "part",
        )
        self.assertEqual(got["ContentLength"], 5)
        self.aws("s3", "rm", "s3://cli-bucket/dir/large", "--only-show-errors")
        self.assertEqual(self.aws("s3", "ls", "s3://cli-bucket/dir/", code=1), "")


if __name__ == "__main__":
    unittest.main()
