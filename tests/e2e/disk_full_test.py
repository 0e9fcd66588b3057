"""A data directory on a small file system that fills up: 503 while it is full, recovery by
itself, nothing acknowledged lost. Needs to mount a tmpfs (root); says so and is skipped where
that is not allowed."""

import json
import os
import subprocess
import time
import unittest

from leat import LeatTest


class DiskFullTest(LeatTest):
    def setUp(self):
        super().setUp()
        self.disk = os.path.join(self.folder, "disk")
        os.mkdir(self.disk)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", self.disk],
            timeout=30,
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            self.skipTest("needs to mount a tmpfs: " + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], timeout=30, check=False)
        self.data = os.path.join(self.disk, "data")

    def test_answers_503_and_recovers(self):
        environment = {
            "LEAT_SYNC_EVERY": "1h",
            "LEAT_ARCHIVE_SEAL_EVERY": "1h",
            "LEAT_COLLECT_THREADS": "1",
            "LEAT_JOURNAL_SEGMENT_BYTES": "1MiB",
        }
        with self.up(environment) as leat:
            acknowledged = 0
            ballast = os.path.join(self.disk, "ballast")

            def send(number):
                status, headers, body = leat.send(
                    "track",
                    {
                        "event": "Filled",
                        "userId": "u",
                        "messageId": f"m{number}",
                        "properties": {"number": number, "padding": "x" * 20_000},
                    },
                )
                if status == 503:
                    self.assertIsNotNone(headers["Retry-After"])
                    self.assertFalse(json.loads(body)["success"])
                else:
                    self.assertEqual(status, 200, body)
                return status

            self.assertEqual(send(0), 200)
            acknowledged += 1
            # The rest of the disk; unbuffered, so that closing has nothing left to write.
            with open(ballast, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"\0" * 65536)
                except OSError:
                    pass
            number, refused = 1, False
            deadline = time.monotonic() + 60
            while not refused and time.monotonic() < deadline:
                refused = send(number) == 503
                acknowledged += 0 if refused else 1
                number += 1
            self.assertTrue(refused, "never refused although the disk is full")
            status, _, _ = leat.http("GET", "/ready")
            self.assertEqual(status, 503)

            os.remove(ballast)
            recovered = False
            deadline = time.monotonic() + 30
            while not recovered and time.monotonic() < deadline:
                recovered = send(number) == 200
                acknowledged += 1 if recovered else 0
                number += 1
                if not recovered:
                    time.sleep(0.1)  # as Retry-After asks a client, only shorter
            self.assertTrue(recovered, "did not recover by itself:\n" + leat.messages()[-4000:])
            leat.sync()
            loaded = int(leat.value("select count(*) from web.filled"))
            # What was refused may still have become durable (its reply was lost, not the event),
            # never the other way round.
            self.assertGreaterEqual(loaded, acknowledged)
            self.assertEqual(leat.value("select count(distinct id) from web.filled"), str(loaded))


if __name__ == "__main__":
    unittest.main()
