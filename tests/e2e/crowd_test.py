"""A crowd at the warehouse: 500 connections that wait, 50 that work, and some that misbehave, which may harm only
themselves."""

import contextlib
import socket
import threading
import time
import unittest

import psycopg2
import psycopg2.errors

from leat import SANITIZED, LeatTest

IDLE = 100 if SANITIZED else 500
BUSY = 50
STATEMENTS = 10
SECONDS = 120
RUNNING_COPY = "select 1 from stv_recents where status = 'Running' and query ilike 'copy%'"


class CrowdTest(LeatTest):
    def connect(self, leat):
        warehouse = leat.connection["warehouse"]
        connection = psycopg2.connect(
            host=warehouse["host"],
            port=warehouse["port"],
            dbname=warehouse["database"],
            user=warehouse["user"],
            password=warehouse["password"],
            connect_timeout=30,
            options="-c statement_timeout=60000",
        )
        connection.autocommit = True
        return connection

    def ask(self, connection, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def work(self, leat, number, wrong):
        """Writes to a table of its own and counts in one of all, again and again."""
        try:
            with contextlib.closing(self.connect(leat)) as connection, connection.cursor() as cursor:
                cursor.execute(f"create table busy_{number} (n int)")
                for turn in range(STATEMENTS):
                    cursor.execute(f"insert into busy_{number} select n from seed where n <= {turn + 1}")
                    cursor.execute("select count(*), sum(n) from seed")
                    if cursor.fetchone() != (20000, 200010000):
                        wrong.append(f"client {number}: another sum")
                cursor.execute(f"select count(*) from busy_{number}")
                if cursor.fetchone()[0] != STATEMENTS * (STATEMENTS + 1) // 2:
                    wrong.append(f"client {number}: rows are missing")
        except psycopg2.Error as error:
            wrong.append(f"client {number}: {error}")

    def test_five_hundred_wait_and_fifty_work(self):
        with self.up(
            {"LEAT_WAREHOUSE_SESSIONS_MAX": str(IDLE + BUSY + 10), "LEAT_SYNC_EVERY": "1h"},
            command="warehouse",
        ) as leat, contextlib.ExitStack() as idle:
            leat.psql("create table seed as select n::int as n from generate_series(1, 20000) g(n)")
            waiting = [
                idle.enter_context(contextlib.closing(self.connect(leat))) for _ in range(IDLE)
            ]
            wrong = []
            threads = [
                threading.Thread(target=self.work, args=(leat, number, wrong), daemon=True)
                for number in range(BUSY)
            ]
            started = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(max(0, started + SECONDS - time.monotonic()))
            self.assertFalse(any(thread.is_alive() for thread in threads), "a client hangs")
            self.assertEqual(wrong, [])
            for connection in waiting:
                self.assertEqual(self.ask(connection, "select 1"), [(1,)])
            sessions = int(leat.value("select count(*) from stv_sessions"))
            self.assertGreaterEqual(sessions, IDLE)

    def test_one_too_many_is_told_so(self):
        with self.up({"LEAT_WAREHOUSE_SESSIONS_MAX": "4"}, command="warehouse") as leat:
            with contextlib.ExitStack() as held:
                for _ in range(4):
                    held.enter_context(contextlib.closing(self.connect(leat)))
                with self.assertRaisesRegex(psycopg2.OperationalError, "connection limit|too many"):
                    self.connect(leat)
            deadline = time.monotonic() + 10
            while True:  # the places are free again
                try:
                    self.connect(leat).close()
                    break
                except psycopg2.OperationalError:
                    self.assertLess(time.monotonic(), deadline)

    def test_a_client_that_is_gone_in_a_copy_harms_only_itself(self):
        with self.up(command="warehouse") as leat:
            leat.psql(
                "create table big as select n, repeat(md5(n::varchar), 4) as t "
                "from generate_series(1, 300000) g(n)"
            )
            leat.psql("unload ('select * from big') to 's3://leat/big/' iam_role default csv")
            leat.psql("create table back (n bigint, t varchar(200))")
            with contextlib.closing(self.connect(leat)) as other:
                caught = 0
                for _ in range(5):
                    connection = self.connect(leat)
                    thread = threading.Thread(target=self.copy, args=(connection,), daemon=True)
                    thread.start()
                    deadline = time.monotonic() + 20
                    while thread.is_alive() and time.monotonic() < deadline:
                        if self.ask(other, RUNNING_COPY):
                            caught += 1
                            break
                    # Not closed in order: the socket goes away under the COPY.
                    with contextlib.suppress(OSError):
                        raw = socket.socket(fileno=connection.fileno())
                        raw.shutdown(socket.SHUT_RDWR)
                        raw.detach()
                    thread.join(30)
                    self.assertFalse(thread.is_alive())
                    connection.close()
                    self.assertEqual(self.ask(other, "select count(*) from big"), [(300000,)])
                self.assertGreater(caught, 0)
                rows = self.ask(other, "select count(*) from back")[0][0]
                self.assertEqual(rows % 300000, 0, "a COPY is there in part")

    def copy(self, connection):
        with contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
            cursor.execute("copy back from 's3://leat/big/' iam_role default csv")


if __name__ == "__main__":
    unittest.main()
