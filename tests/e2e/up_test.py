"""`leat up` with no configuration at all: what it makes, prints and promises to scripts."""

import os
import re
import signal
import socket
import stat
import subprocess
import time
import unittest

from leat import SANITIZED, LeatTest, clean_environment, run


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class UpTest(LeatTest):
    def test_says_ready_and_writes_connection_json(self):
        with self.up() as leat:
            self.assertEqual(leat.stdout, "ready\n")
            path = os.path.join(self.data, "connection.json")
            self.assertEqual(mode_of(path), 0o600)
            self.assertEqual(mode_of(self.data), 0o700)
            connection = leat.connection
            self.assertEqual(
                set(connection), {"collect", "console", "data_api", "sources", "warehouse"}
            )
            self.assertEqual(set(connection["collect"]), {"url"})
            self.assertEqual(set(connection["console"]), {"url"})
            data_api = connection["data_api"]
            self.assertEqual(
                set(data_api),
                {
                    "url",
                    "access_key_id",
                    "secret_access_key",
                    "region",
                    "cluster_identifier",
                    "workgroup_name",
                },
            )
            keys = os.path.join(self.data, "access-keys")
            self.assertEqual(mode_of(keys), 0o600)
            with open(keys, encoding="utf-8") as file:
                self.assertIn(data_api["secret_access_key"], file.read())
            self.assertEqual(
                [set(s) for s in connection["sources"]], [{"name", "write_key", "schema"}]
            )
            self.assertEqual(connection["sources"][0]["name"], "web")
            self.assertEqual(connection["sources"][0]["schema"], "web")
            warehouse = connection["warehouse"]
            self.assertEqual(set(warehouse), {"host", "port", "user", "password", "database"})
            self.assertEqual(
                (warehouse["host"], warehouse["user"], warehouse["database"]),
                ("127.0.0.1", "leat", "dev"),
            )
            self.assertNotEqual(warehouse["port"], 0)
            with open(os.path.join(self.data, "warehouse-password"), encoding="utf-8") as file:
                self.assertEqual(file.read().strip(), warehouse["password"])

            said = leat.messages()
            for words in (
                connection["collect"]["url"],
                connection["console"]["url"],
                data_api["url"],
                leat.write_key(),
                f"psql -h 127.0.0.1 -p {warehouse['port']} -U leat dev",
            ):
                self.assertIn(words, said)
            self.assertNotIn(warehouse["password"], said)
            self.assertNotIn(data_api["secret_access_key"], said)

    def test_the_printed_psql_line_works(self):
        with self.up() as leat:
            line = re.search(r"PGPASSFILE=.*psql .*", leat.messages()).group(0)
            done = subprocess.run(
                ["bash", "-c", line + " -XAtc 'select 40 + 2'"],
                env=clean_environment(),
                timeout=30,
                text=True,
                capture_output=True,
                check=False,
            )
            self.assertEqual(done.stdout.strip(), "42", done.stderr)

    def test_secrets_are_readable_by_the_user_only(self):
        with self.up():
            for folder, _, files in os.walk(self.data):
                for name in files:
                    path = os.path.join(folder, name)
                    self.assertEqual(mode_of(path) & 0o077, 0, path)

    def test_binds_to_loopback(self):
        with self.up() as leat:
            with open(f"/proc/{leat.process.pid}/net/tcp", encoding="ascii") as file:
                table = [line.split() for line in file.readlines()[1:]]
            inodes = set()
            for entry in os.listdir(f"/proc/{leat.process.pid}/fd"):
                try:
                    target = os.readlink(f"/proc/{leat.process.pid}/fd/{entry}")
                except OSError:
                    continue
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
            listening = [row[1] for row in table if row[3] == "0A" and row[9] in inodes]
            self.assertGreaterEqual(len(listening), 3)
            for address in listening:
                self.assertEqual(address.split(":")[0], "0100007F", "listens beyond loopback")

    def test_stops_on_sigterm_and_sigint(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            leat = self.up()
            code, seconds = leat.stop(number)
            self.assertEqual(code, 0, leat.messages())
            self.assertLess(seconds, 30 if SANITIZED else 10)
            self.assertFalse(os.path.exists(os.path.join(self.data, "connection.json")))
            leat.log.close()

    def test_stops_with_clients_connected(self):
        leat = self.up()
        address = leat.connection["collect"]["url"].split("//")[1].split(":")
        idle = socket.create_connection((address[0], int(address[1])), timeout=5)
        idle.sendall(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        sleeper = socket.create_connection(
            ("127.0.0.1", leat.connection["warehouse"]["port"]), timeout=5
        )
        code, seconds = leat.stop()
        self.assertEqual(code, 0, leat.messages())
        self.assertLess(seconds, 30 if SANITIZED else 10)
        idle.close()
        sleeper.close()
        leat.log.close()

    def test_one_process_a_data_directory(self):
        with self.up() as leat:
            second = run(["up", "--data", self.data], {"LEAT_COLLECT_LISTEN": "127.0.0.1:0"})
            self.assertEqual(second.returncode, 1)
            self.assertEqual(
                second.stderr,
                f"leat: the data directory {self.data} is in use by process {leat.process.pid}; "
                f"stop that one, or choose "
                "another directory with --data\n",
            )

    def test_a_taken_port_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            keys = [
                f"LEAT_{part}_LISTEN" for part in ("COLLECT", "CONSOLE", "WAREHOUSE", "DATA_API")
            ]
            for key in keys:
                ports = dict.fromkeys(keys, "127.0.0.1:0")
                ports[key] = address
                done = run(["up", "--data", self.data], ports, seconds=60)
                self.assertNotEqual(done.returncode, 0, key)
                self.assertIn(address, done.stderr)
                self.assertNotIn("ready", done.stdout)

    def test_keeps_keys_and_password_over_restarts(self):
        with self.up() as leat:
            before = leat.connection
        with self.up() as leat:
            self.assertEqual(leat.connection["sources"], before["sources"])
            self.assertEqual(
                leat.connection["warehouse"]["password"], before["warehouse"]["password"]
            )

    def test_many_sources(self):
        environment = {"LEAT_SOURCES": "web,Shop-App", "LEAT_SOURCES_SHOP_APP_WRITE_KEY": "shopkey"}
        with self.up(environment) as leat:
            self.assertEqual(
                [(s["name"], s["schema"]) for s in leat.connection["sources"]],
                [("web", "web"), ("Shop-App", "shop_app")],
            )
            self.assertEqual(leat.write_key("Shop-App"), "shopkey")

    @unittest.skipIf(SANITIZED, "measures the release binary")
    def test_starts_fast_and_rests_quietly(self):
        self.up().stop()  # makes the data directory
        with self.up() as leat:
            self.assertLess(leat.ready_seconds, 1.0)
            with open(f"/proc/{leat.process.pid}/status", encoding="ascii") as file:
                resident_kib = int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))
            self.assertLess(resident_kib, 150 * 1024)

            def cpu_seconds():
                with open(f"/proc/{leat.process.pid}/stat", encoding="ascii") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

            # The first syncs run at the start; after them nothing is to be done.
            time.sleep(3)  # the measurement needs wall time; nothing is awaited
            before, started = cpu_seconds(), time.monotonic()
            time.sleep(5)
            used = (cpu_seconds() - before) / (time.monotonic() - started)
            print(
                f"measured: ready {leat.ready_seconds:.3f} s, resident {resident_kib / 1024:.0f} "
                f"MiB, idle CPU "
                f"{100 * used:.2f} % of a core"
            )
            self.assertLess(used, 0.01)

    def test_ready_is_the_only_line_of_stdout(self):
        leat = self.up()
        leat.process.send_signal(signal.SIGTERM)
        rest = leat.process.stdout.read().decode()
        leat.process.wait(30)
        self.assertEqual(leat.stdout + rest, "ready\n")
        leat.kill()
        leat.log.close()


if __name__ == "__main__":
    unittest.main()
