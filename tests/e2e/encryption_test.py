"""Encrypted database files: nothing plain on the disk, the right key only, backups."""

import json
import os
import unittest

from encrypted import MARKER, SETTING, EncryptedTest, files_with
from leat import run


class EncryptionTest(EncryptedTest):
    def test_no_file_and_no_message_tells_anything(self):
        secret = self.secret(self.key)
        with self.start(self.key, "up") as leat:
            self.assertEqual(leat.send("track", {"userId": "u", "event": MARKER})[0], 200)
            leat.sync()
            self.fill(leat)
            before = self.answers(leat)
            self.assertTrue(leat.status()["connection"]["warehouse"]["encrypted"])
            with open(f"/proc/{leat.process.pid}/cmdline", encoding="utf-8") as file:
                self.assertNotIn(secret, file.read())
            # In halves, for the question itself is a statement that these tables hold.
            wanted = f"'%{secret[:20]}' || '{secret[20:]}%'"
            for relation in ["stl_query", "stl_querytext", "stl_ddltext", "stl_utilitytext"]:
                column = "querytxt" if relation == "stl_query" else "text"
                self.assertEqual(
                    leat.value(f"select count(*) from {relation} where {column} like {wanted}"),
                    "0",
                )
            with self.assertRaisesRegex(AssertionError, "psql: ERROR"):
                leat.psql("select * from duckdb_databases()")
            leat.kill()
            self.assertNotIn(secret, leat.messages())
        self.assertTrue(os.path.getsize(os.path.join(self.files, "dev.duckdb.wal")))
        self.assertEqual(files_with(self.files, MARKER), [])
        # The archive and the history of statements are not the database's.
        self.assertEqual(files_with(self.data, secret), [])
        with self.start(self.key, "up") as leat:
            self.assertEqual(self.answers(leat), before)
            self.assertEqual(leat.value("select count(*) from web.tracks"), "1")
        self.assertEqual(files_with(self.files, MARKER), [])
        self.assertEqual(files_with(self.data, secret), [])

    def test_a_start_with_the_wrong_key_says_so(self):
        with self.start(self.key):
            pass
        file = os.path.join(self.files, "dev.duckdb")
        other = self.new_key("other.key")
        self.assertRegex(self.refused(other), f"{file} is encrypted with another key")
        self.assertRegex(self.refused(), f"{file} is encrypted: .*warehouse.encryption_key_file")
        self.assertRegex(self.refused(os.path.join(self.folder, "no.key")), "no.key")
        os.chmod(other, 0o640)
        self.assertRegex(self.refused(other), "chmod 600")
        with self.start(self.key) as leat:
            self.assertEqual(leat.value("select 1"), "1")

    def test_a_backup_stays_encrypted_and_says_which_key_it_needs(self):
        path = os.path.join(self.folder, "one.leatbackup")
        with self.start(self.key) as leat:
            self.fill(leat)
            before = self.answers(leat)
            made = run(["warehouse", "backup", path, "--data", self.data], {SETTING: self.key})
            self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(files_with(self.folder, MARKER), [])
        inspected = json.loads(run(["inspect", path, "--json"]).stdout)
        self.assertEqual(
            (inspected["encrypted"], inspected["key"]), (True, self.key_id(self.key))
        )
        data = os.path.join(self.folder, "restored")
        other = self.new_key("other.key")
        for key, says in [(None, "encryption_key_file"), (other, self.key_id(other))]:
            done = run(
                ["warehouse", "restore", path, "--data", data], {SETTING: key} if key else {}
            )
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(says, done.stderr)
            self.assertIn(self.key_id(self.key), done.stderr)
        done = run(["warehouse", "restore", path, "--data", data], {SETTING: self.key})
        self.assertEqual(done.returncode, 0, done.stderr)
        with self.up(data=data, environment={SETTING: self.key}, command="warehouse") as leat:
            self.assertEqual(self.answers(leat), before)


if __name__ == "__main__":
    unittest.main()
