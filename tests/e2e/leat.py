"""Starts and stops the real program for the whole-program tests. Standard library only;
everything has a time limit and uses free ports on loopback."""

import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = (
    os.environ.get("LEAT_BINARY")
    or os.environ.get("LEAT_BUILT_BINARY")
    or os.path.join(ROOT, "build/release/leat")
)
SANITIZED = "/build/dev/" in os.path.realpath(BINARY) or "/build/tsan/" in os.path.realpath(BINARY)

READY_SECONDS = 60
STOP_SECONDS = 10

FREE_PORTS = {
    "LEAT_COLLECT_LISTEN": "127.0.0.1:0",
    "LEAT_CONSOLE_LISTEN": "127.0.0.1:0",
    "LEAT_WAREHOUSE_LISTEN": "127.0.0.1:0",
    "LEAT_DATA_API_LISTEN": "127.0.0.1:0",
}


def clean_environment(extra=None):
    """The environment without any LEAT_ or PG variable of the caller's."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LEAT_", "PG"))}
    environment.update(extra or {})
    return environment


def run(arguments, environment=None, folder=None, seconds=60, stdin=None):
    """Runs `leat ARGUMENTS` to its end."""
    return subprocess.run(
        [BINARY, *arguments],
        env=clean_environment(environment),
        cwd=folder,
        timeout=seconds,
        text=True,
        input=stdin if stdin is not None else "",
        capture_output=True,
        check=False,
    )


class Running:
    """One `leat up`. A context manager: ends the process whatever happens."""

    def __init__(self, data, environment=None, arguments=(), command="up"):
        self.data = data
        self.log = tempfile.TemporaryFile("w+")
        merged = dict(FREE_PORTS)
        merged.update(environment or {})
        started = time.monotonic()
        self.process = subprocess.Popen(
            [BINARY, command, "--data", data, *arguments],
            env=clean_environment(merged),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=os.path.dirname(data),
        )
        try:
            self.stdout = self._read_until_ready()
        except BaseException:
            self.kill()
            raise
        self.ready_seconds = time.monotonic() - started
        with open(os.path.join(data, "connection.json"), encoding="utf-8") as file:
            self.connection = json.load(file)

    def _read_until_ready(self):
        text = b""
        deadline = time.monotonic() + READY_SECONDS
        descriptor = self.process.stdout.fileno()
        while b"ready\n" not in text:
            left = deadline - time.monotonic()
            readable, _, _ = select.select([descriptor], [], [], max(left, 0))
            piece = os.read(descriptor, 65536) if readable else b""
            if not piece:
                raise AssertionError(f"leat was not ready: {text!r}\n{self.messages()}")
            text += piece
        return text.decode()

    def messages(self):
        self.log.seek(0)
        return self.log.read()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()

    def stop(self, number=signal.SIGTERM):
        """Stops it in order and returns (exit code, seconds it took)."""
        started = time.monotonic()
        self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_SECONDS + (20 if SANITIZED else 0))
        finally:
            self.kill()
        return code, time.monotonic() - started

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            code, _ = self.stop()
            if kind is None and code != 0:
                raise AssertionError(f"leat ended with code {code} on SIGTERM:\n{self.messages()}")
        if kind is not None:
            print(self.messages()[-8000:])
        self.log.close()

    # Talking to it.

    def write_key(self, source=None):
        return next(
            s["write_key"] for s in self.connection["sources"] if source in (None, s["name"])
        )

    def http(self, method, path, body=None, headers=None, part="collect"):
        """One request; returns (status, headers, body)."""
        address = urllib.parse.urlsplit(self.connection[part]["url"])
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def send(self, route, event, write_key=None):
        body = json.dumps(dict(event, writeKey=write_key or self.write_key()))
        return self.http("POST", "/v1/" + route, body, {"Content-Type": "application/json"})

    def sync(self):
        done = run(["sync", "--data", self.data], seconds=120)
        if done.returncode != 0:
            raise AssertionError(f"leat sync failed: {done.stderr}")
        return done.stdout

    def status(self):
        done = run(["status", "--json", "--data", self.data], seconds=60)
        if done.returncode != 0:
            raise AssertionError(f"leat status failed: {done.stderr}")
        return json.loads(done.stdout)

    def psql_environment(self):
        warehouse = self.connection["warehouse"]
        return clean_environment(
            {
                "PGHOST": warehouse["host"],
                "PGPORT": str(warehouse["port"]),
                "PGUSER": warehouse["user"],
                "PGPASSWORD": warehouse["password"],
                "PGDATABASE": warehouse["database"],
                "PGCONNECT_TIMEOUT": "10",
            }
        )

    def psql_beside(self, path):
        """Starts psql on the script at `path`, which goes on whatever fails in it."""
        return subprocess.Popen(
            ["psql", "-X", "-q", "-f", path],
            env=self.psql_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def psql(self, sql, *options):
        """Rows as lists of text, read by psql."""
        done = subprocess.run(
            [
                "psql",
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-F",
                "\x1f",
                "-P",
                "null=\\N",
                *options,
                "-c",
                sql,
            ],
            env=self.psql_environment(),
            timeout=60,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr}\n{sql}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def value(self, sql):
        return self.psql(sql)[0][0]


class LeatTest(unittest.TestCase):
    """Each test has a folder of its own, gone afterwards."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="leat-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = os.path.join(self.folder, "data")

    def up(self, environment=None, arguments=(), data=None, command="up"):
        return Running(data or self.data, environment, arguments, command)

    def leat(self, *arguments, code=0):
        """Runs a command on the data directory; returns what it printed, or its errors."""
        done = run([*arguments, "--data", self.data], seconds=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def books(self, leat):
        """Every batch's books balance, and `leat status` says so."""
        self.assertEqual(
            leat.psql(
                "select batch_id from leat.batches "
                "where received <> loaded + deduplicated + rescued + excluded"
            ),
            [],
        )
        self.assertTrue(leat.status()["balanced"])

    # A warehouse of its own, and loaders into it.

    def warehouse(self, store):
        return Running(
            os.path.join(self.folder, "warehouse"),
            {"LEAT_STORE_DIRECTORY": store},
            command="warehouse",
        )

    def with_aws_keys(self, warehouse, store, **more):
        """The environment of a loader with the AWS keys that `warehouse` knows."""
        api = warehouse.connection["data_api"]
        return {
            "LEAT_SYNC_EVERY": "1h",
            "LEAT_STORE_DIRECTORY": store,
            "LEAT_DESTINATION_API_ENDPOINT": api["url"],
            "LEAT_DESTINATION_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": api["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": api["secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": self.folder,
            **more,
        }

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path
