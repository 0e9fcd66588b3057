"""Database files changed from one key to another, whatever ends the process."""

import os
import signal
import subprocess
import unittest

from encrypted import MARKER, SETTING, EncryptedTest, files_with
from leat import BINARY, clean_environment


class EncryptionChangeTest(EncryptedTest):
    def test_files_go_from_key_to_key(self):
        with self.start() as leat:
            self.fill(leat)
            before = self.answers(leat)
            leat.kill()
        self.assertRegex(self.refused(self.key), "is not encrypted.*leat warehouse encrypt")
        second = self.new_key("second.key")
        for verb, key, arguments, started in [
            ("encrypt", self.key, [], self.key),
            ("encrypt", second, ["--old-key", self.key], second),
            ("decrypt", second, [], None),
        ]:
            with self.subTest(verb=verb, key=key):
                done = self.change(verb, key, *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("2 files", done.stderr)
                self.assertEqual(self.is_encrypted(), started is not None)
                if started:
                    self.assertEqual(files_with(self.files, MARKER), [])
                self.assertFalse(os.path.exists(self.files + ".new"))
                with self.start(started) as leat:
                    self.assertEqual(self.answers(leat), before)
                    leat.psql("begin; insert into keys (n) values (9)")
                    # Numbers go on, and defaults are computed.
                    leat.psql("insert into keys (n) values (9)")
                    last = leat.psql("select id, v, made is not null from keys order by id desc limit 1")
                    self.assertGreater(int(last[0][0]), 11)
                    self.assertEqual(last[0][1:], [MARKER.upper(), "t"])
                    leat.psql("delete from keys where n = 9")
                    leat.psql("refresh materialized view kept")
        self.assertRegex(self.change("encrypt").stderr, "encryption_key_file is not set")
        self.assertRegex(self.change("decrypt").stderr, "no key")

    def test_a_change_that_is_killed_is_all_or_nothing(self):
        with self.start() as leat:
            self.fill(leat)
            before = self.answers(leat)
        encrypted = False
        for after_ms in [300, 900, 1600]:
            process = subprocess.Popen(
                [BINARY, "warehouse", "encrypt", "--data", self.data],
                env=clean_environment({SETTING: self.key}),
                stderr=subprocess.DEVNULL,
            )
            try:
                process.wait(after_ms / 1000)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(10)
            # The exchange that it had decided on is finished by whoever comes next.
            if os.path.exists(os.path.join(self.files + ".new", "exchange")):
                self.refused(None)
            encrypted = self.is_encrypted()
            with self.start(self.key if encrypted else None) as leat:
                self.assertEqual(self.answers(leat), before, after_ms)
            if encrypted:
                break
        if not encrypted:
            self.assertEqual(self.change("encrypt", self.key).returncode, 0)
        self.assertEqual(files_with(self.files, MARKER), [])
        with self.start(self.key) as leat:
            self.assertEqual(self.answers(leat), before)


if __name__ == "__main__":
    unittest.main()
