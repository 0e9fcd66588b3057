"""Bad configuration: one clear line each, with place, key, what is wrong and what is allowed.
Nothing is started."""

import os
import stat
import unittest

from leat import LeatTest, run


class ConfigTest(LeatTest):
    def refused(self, yaml=None, environment=None, arguments=(), dotenv=None, command="up"):
        """What `leat up` says when it refuses, without the leading "leat: "."""
        if yaml is not None:
            self.write("leat.yml", yaml)
        if dotenv is not None:
            self.write(".env", dotenv)
        done = run([command, *arguments], environment, self.folder)
        self.assertNotEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "leat-data")))
        lines = done.stderr.splitlines()
        for line in lines:
            self.assertTrue(line.startswith("leat: "), line)
        return done.returncode, [line[len("leat: ") :] for line in lines]

    def test_unknown_key_names_the_near_miss(self):
        code, lines = self.refused("collect:\n  lisen: 127.0.0.1:0\n")
        self.assertEqual(code, 1)
        self.assertEqual(
            lines,
            [
                "leat.yml:2: collect.lisen: unknown key; did you mean 'listen'?; allowed: "
                "listen, threads, connections_max, "
                "request_timeout, hold_timeout, body_bytes_max, event_bytes_max, batch_events_max, "
                "trusted_proxies, tls_certificate, tls_key"
            ],
        )

    def test_wrong_type(self):
        _, lines = self.refused("sync:\n  every: soon\n")
        self.assertEqual(
            lines,
            [
                "leat.yml:2: sync.every: 'soon' is not a duration; allowed: a duration from 10ms "
                "to 7d, written with ms, s, m, h "
                "or d"
            ],
        )

    def test_every_mistake_has_a_line(self):
        _, lines = self.refused("log_level: loud\nconsole:\n  listen: here\n")
        self.assertEqual(len(lines), 2)
        self.assertIn(
            "leat.yml:1: log_level: 'loud' is not one of the choices; allowed: one of debug, "
            "info, warning, error",
            lines,
        )

    def test_environment_and_env_file(self):
        _, lines = self.refused(environment={"LEAT_COLLECT_LISTEN": "8080"})
        self.assertEqual(
            lines,
            [
                "environment: LEAT_COLLECT_LISTEN: '8080' is not an address; allowed: HOST:PORT, "
                "such as 127.0.0.1:8080 or "
                "[::1]:8080; port 0 takes a free one"
            ],
        )
        _, lines = self.refused(dotenv="\nLEAT_COLLECT_LISTN=127.0.0.1:0\n")
        self.assertEqual(
            lines,
            [
                ".env:2: LEAT_COLLECT_LISTN: unknown variable; did you mean "
                "'LEAT_COLLECT_LISTEN'?; allowed: the names in "
                "docs/reference/configuration.md"
            ],
        )

    def test_named_file_that_is_not_there(self):
        code, lines = self.refused(arguments=["--config", "none.yml"])
        self.assertEqual(code, 1)
        self.assertEqual(
            lines, ["cannot read the configuration: none.yml: No such file or directory"]
        )

    def test_usage(self):
        for arguments, words in (
            ([], "which command? See: leat --help"),
            (["stauts"], "unknown command 'stauts'; did you mean 'status'?"),
            (["up", "--colect-listen", "x"], "did you mean '--collect-listen'?"),
            (["simulate", "--events", "many"], "--events"),
        ):
            done = run(arguments, folder=self.folder)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr.startswith("leat: "), done.stderr)
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_nothing_runs(self):
        for arguments in (["status"], ["sync"], ["sql", "select 1"], ["simulate"]):
            done = run([*arguments, "--data", self.data])
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertIn(f"start it with: leat up --data {self.data}", done.stderr)

    def test_init_writes_what_check_accepts(self):
        done = run(["init"], folder=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        secrets = os.path.join(self.folder, ".env")
        self.assertEqual(stat.S_IMODE(os.stat(secrets).st_mode), 0o600)
        again = run(["init"], folder=self.folder)
        self.assertEqual(again.returncode, 1)
        self.assertEqual(again.stderr, "leat: leat.yml is there already; --force replaces it\n")
        ports = {
            "LEAT_COLLECT_LISTEN": "127.0.0.1:0",
            "LEAT_CONSOLE_LISTEN": "127.0.0.1:0",
            "LEAT_WAREHOUSE_LISTEN": "127.0.0.1:0",
            "LEAT_DATA_API_LISTEN": "127.0.0.1:0",
        }
        check = run(["check"], ports, folder=self.folder)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "leat-data")))

    def test_init_gives_the_key_that_runs(self):
        run(["init"], folder=self.folder)
        with open(os.path.join(self.folder, ".env"), encoding="utf-8") as file:
            line = [line for line in file if line.startswith("LEAT_SOURCES_WEB_WRITE_KEY=")][0]
        with self.up() as leat:
            self.assertEqual(leat.write_key("web"), line.strip().split("=")[1])


if __name__ == "__main__":
    unittest.main()
