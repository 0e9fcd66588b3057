"""A warehouse that is reached through a real SSH server (OpenSSH's sshd) on loopback."""

import getpass
import os
import shutil
import socket
import subprocess
import time
import unittest

from leat import BINARY, LeatTest, run

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Sshd:
    """One sshd of this user's, that lets one key in."""

    def __init__(self, folder, host_key, authorized):
        self.port = free_port()
        config = os.path.join(folder, f"sshd-{self.port}")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {host_key}\n"
                f"AuthorizedKeysFile {authorized}\nPidFile none\nUsePAM no\nStrictModes no\n"
                "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                "PermitRootLogin prohibit-password\nAllowTcpForwarding local\n"
            )
        self.process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("sshd does not listen")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)


class SshTest(LeatTest):
    def setUp(self):
        super().setUp()
        for name in ("host", "other_host", "user", "stranger"):
            self.make_key(name)
        shutil.copy(self.path("user.pub"), self.path("authorized"))
        self.sshd = Sshd(self.folder, self.path("host"), self.path("authorized"))
        self.addCleanup(self.sshd.stop)
        self.know("host")

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_key(self, name):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret phrase" if name == "user" else "",
             "-f", self.path(name)],
            check=True, timeout=20, stdin=subprocess.DEVNULL,
        )

    def know(self, name):
        with open(self.path(name + ".pub"), encoding="utf-8") as file:
            kind, key = file.read().split()[:2]
        with open(self.path("known"), "w", encoding="utf-8") as file:
            file.write(f"[127.0.0.1]:{self.sshd.port} {kind} {key}\n")

    def settings(self, warehouse, **more):
        address = warehouse.connection["warehouse"]
        return {
            "LEAT_SYNC_EVERY": "1h",
            "LEAT_STORE_DIRECTORY": self.path("store"),
            "LEAT_DESTINATION_HOST": "localhost",
            "LEAT_DESTINATION_PORT": str(address["port"]),
            "LEAT_DESTINATION_PASSWORD": address["password"],
            "LEAT_DESTINATION_SSH_SERVER": f"127.0.0.1:{self.sshd.port}",
            "LEAT_DESTINATION_SSH_USER": getpass.getuser(),
            "LEAT_DESTINATION_SSH_KEY": self.path("user"),
            "LEAT_DESTINATION_SSH_PASSPHRASE": "secret phrase",
            "LEAT_DESTINATION_SSH_KNOWN_HOSTS": self.path("known"),
            **more,
        }

    def test_loads_and_asks_through_the_bastion(self):
        with self.warehouse(self.path("store")) as warehouse:
            settings = self.settings(warehouse)
            with self.up(settings) as leat:
                for number in range(300):
                    leat.send("track", {"event": "Sent", "userId": "u", "messageId": f"m{number}",
                                        "properties": {"text": "x" * 500}})
                leat.sync()
                asked = run(
                    ["sql", "select count(*), sum(len(text)) from web.sent", "--json", "--data",
                     leat.data], settings,
                )
                self.assertIn('"rows":[[300,150000]]', asked.stdout, asked.stderr)
                checked = run(["check", "--data", leat.data], settings)
                self.assertIn("ok    warehouse", checked.stdout)
                # Without the bastion there is no way, and nothing is lost.
                self.sshd.stop()
                leat.send("track", {"event": "Sent", "userId": "u", "messageId": "late"})
                refused = run(["sync", "--data", leat.data], settings, seconds=120)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn("cannot be reached", refused.stderr)
                self.sshd = Sshd(self.folder, self.path("host"), self.path("authorized"))
                self.addCleanup(self.sshd.stop)
                self.know("host")
            with self.up(self.settings(warehouse)) as leat:
                leat.sync()
                self.assertEqual(warehouse.psql("select count(*) from web.sent"), [["301"]])

    def test_a_stop_cancels_the_statement_behind_the_bastion(self):
        with self.warehouse(self.path("store")) as warehouse:
            settings = self.settings(warehouse)
            with self.up(settings) as leat:
                leat.send("track", {"event": "Sent", "userId": "u", "messageId": "first"})
                leat.sync()
                # Somebody holds the ledger, so that the next load waits for it.
                holder = subprocess.Popen(
                    ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"],
                    env=warehouse.psql_environment(),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
                holder.stdin.write("begin;\nlock leat.batches;\n\\echo held\n")
                holder.stdin.flush()
                self.assertEqual(holder.stdout.readline(), "held\n")
                leat.send("track", {"event": "Sent", "userId": "u", "messageId": "second"})
                waiting = subprocess.Popen(
                    [BINARY, "sync", "--data", leat.data], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
                try:
                    self.wait_for_locks(warehouse, 1)
                    leat.stop()
                    waiting.wait(30)
                    self.wait_for_locks(warehouse, 0)
                    self.assertIsNone(holder.poll(), "the lock was given back too early")
                finally:
                    waiting.kill()
                    waiting.wait(10)
                    holder.kill()
                    holder.communicate(timeout=10)

    def wait_for_locks(self, warehouse, count):
        """Waits until so many loaders wait for the ledger."""
        deadline = time.monotonic() + 20
        waiting = None
        while time.monotonic() < deadline:
            waiting = warehouse.value(
                "select count(*) from stv_inflight "
                "where text ilike '%batches%' and text not ilike '%stv_inflight%'"
            )
            if waiting == str(count):
                return
            time.sleep(0.1)
        raise AssertionError(f"{waiting} loaders wait, not {count}")

    def check_refused(self, warehouse, settings, *texts):
        self.assertEqual(run(["init"], folder=self.folder).returncode, 0)
        checked = run(["check", "--data", self.data], settings, folder=self.folder)
        self.assertNotEqual(checked.returncode, 0)
        for text in texts:
            self.assertIn(text, checked.stdout + checked.stderr)
        self.assertNotIn("secret phrase", checked.stdout + checked.stderr)
        os.unlink(self.path("leat.yml"))
        os.unlink(self.path(".env"))

    def test_strangers_and_changed_hosts_are_refused(self):
        with self.warehouse(self.path("store")) as warehouse:
            good = self.settings(warehouse)
            self.check_refused(
                warehouse, {**good, "LEAT_DESTINATION_SSH_KEY": self.path("stranger")},
                "does not accept the key", "authorized_keys",
            )
            self.check_refused(
                warehouse, {**good, "LEAT_DESTINATION_SSH_PASSPHRASE": "wrong"},
                "does not accept the key",
            )
            self.know("other_host")
            self.check_refused(warehouse, good, "shows another host key")
            open(self.path("known"), "w", encoding="utf-8").close()
            self.check_refused(warehouse, good, "compare its host key SHA256:", "ssh-keyscan -p")
            os.unlink(self.path("known"))
            self.check_refused(warehouse, good, "cannot be read")


if __name__ == "__main__":
    unittest.main()
