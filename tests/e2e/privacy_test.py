"""Deleting a person: rows, rescued values, archive objects; a killed deletion goes on; suppressed
events are answered and not kept; replays and books stay right."""

import glob
import json
import subprocess
import time
import unittest

from leat import BINARY, LeatTest


def track(user, n, **properties):
    return {
        "event": "Order Completed",
        "userId": user,
        "messageId": f"{user}-{n}",
        "properties": dict({"number": n, "mail": f"{user}@example.com"}, **properties),
    }


class PrivacyTest(LeatTest):
    def delete(self, *arguments):
        return json.loads(self.leat("privacy", "delete", "--json", *arguments))

    def fill(self, leat):
        for number in range(6):
            leat.send("track", track("ann" if number % 2 else "bob", number))
        for user in ("ann", "bob"):
            leat.send("identify", {"userId": user, "traits": {"email": f"{user}@example.com"}})
        leat.send("group", {"userId": "ann", "groupId": "solo", "traits": {"plan": "x"}})
        for user in ("ann", "bob"):
            leat.send("group", {"userId": user, "groupId": "both", "traits": {"plan": "y"}})
        leat.send("alias", {"userId": "ann2", "previousId": "ann"})
        leat.send("track", {"userId": "ann", "properties": {}})  # no event: rescued whole
        leat.sync()
        for user in ("ann", "bob"):  # a value that does not fit
            leat.send("track", track(user, 9, number="many"))
        leat.sync()

    def archived(self):
        text = b""
        for path in glob.glob(f"{self.data}/objects/*/raw/**/*.zst", recursive=True):
            text += subprocess.run(["zstdcat", path], capture_output=True, check=True).stdout
        return text.decode()

    def tables(self, leat):
        return {
            "tracks": leat.psql("select user_id, count(*) from web.tracks group by 1 order by 1"),
            "orders": leat.psql(
                "select user_id, count(*) from web.order_completed group by 1 order by 1"
            ),
            "identifies": leat.psql("select user_id from web.identifies order by 1"),
            "users": leat.psql("select id from web.users order by 1"),
            "groups": leat.psql("select user_id, group_id from web.groups order by 1, 2"),
            "accounts": leat.psql("select id from web.accounts order by 1"),
            "aliases": leat.psql("select user_id from web.aliases order by 1"),
            "rescued": leat.psql("select event_id from web.leat_rescue order by 1"),
        }

    def test_a_person_is_gone_and_everybody_else_is_not(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            self.fill(leat)
            before = self.tables(leat)
            received = leat.value("select sum(received) from leat.batches")
            dry = self.delete("--user-id", "ann", "--dry-run")
            self.assertEqual(self.tables(leat), before)
            leat.send("track", track("ann", 50))  # in the journal only
            report = self.delete("--user-id", "ann")
            self.assertEqual(report["status"], "FINISHED")
            (web,) = report["sources"]
            self.assertEqual(web["events_deleted"], dry["sources"][0]["events_deleted"] + 1)
            self.assertEqual(web["events_deleted"], 10)
            self.assertEqual(web["table_rows"]["tracks"], 4)
            self.assertEqual(web["table_rows"]["users"], 1)
            self.assertEqual(web["table_rows"]["accounts"], 1)
            leat.sync()
            self.assertEqual(
                self.tables(leat),
                {
                    "tracks": [["bob", "4"]],
                    "orders": [["bob", "4"]],
                    "identifies": [["bob"]],
                    "users": [["bob"]],
                    "groups": [["bob", "both"]],
                    "accounts": [["both"]],
                    "aliases": [],
                    "rescued": [["bob-9"]],
                },
            )
            self.assertEqual(dry["sources"][0]["table_rows"], web["table_rows"])
            status = json.loads(self.leat("status", "--json"))
            (source,) = [each for each in status["sources"] if each["name"] == "web"]
            self.assertEqual((source["deleted"], source["balanced"]), (10, True))
            archived = self.archived()
            self.assertNotIn("ann", archived)
            self.assertEqual(archived.count('"rejected":"deleted"'), 10)
            # The journal's files were written over, not only given back.
            self.assertGreater(report["journal_bytes_erased"], 0)
            segments = glob.glob(f"{self.data}/journal/**/*.log", recursive=True)
            self.assertTrue(segments)
            for path in segments:
                with open(path, "rb") as file:
                    self.assertNotIn(b"ann", file.read(), path)
            self.books(leat)
            self.assertEqual(
                int(leat.value("select sum(received) from leat.batches")), int(received) + 1
            )
            self.assertEqual(
                leat.psql("select source, events, rows from leat.deletions"),
                [["web", "10", str(sum(web["table_rows"].values()))]],
            )
            # A replay and a rescue replay bring nobody back, and find the other one's line.
            self.leat("replay", "--source", "web")
            self.leat("rescue", "replay", "--source", "web")
            self.assertEqual(leat.value("select count(*) from web.tracks"), "4")
            self.assertEqual(
                leat.psql("select event_id from web.leat_rescue"), [["bob-9"]]
            )
            self.books(leat)
            # Again: nothing to do. And the proof is a file.
            self.assertEqual(self.delete("--user-id", "ann")["sources"][0]["events_deleted"], 0)
            with open(f"{self.data}/privacy/report-{report['id']}.json") as file:
                self.assertEqual(json.load(file), report)
            self.assertIn("DELETE_ONLY", self.leat("privacy", "list"))
            for path in glob.glob(f"{self.data}/privacy/*"):
                with open(path) as file:
                    self.assertNotIn("ann", file.read(), path)

    def test_a_killed_deletion_goes_on(self):
        environment = {"LEAT_SYNC_EVERY": "1h"}
        with self.up(environment) as leat:
            self.fill(leat)
            for number in range(25):  # a seal each
                leat.send("track", track("ann", 100 + number))
                leat.sync()
            deletion = subprocess.Popen(
                [BINARY, "privacy", "delete", "--user-id", "ann", "--data", self.data],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            until = time.monotonic() + 60
            while not glob.glob(f"{self.data}/objects/*/raw/**/*.r1.*", recursive=True):
                self.assertLess(time.monotonic(), until)
            leat.kill()
            deletion.wait(timeout=60)
        with self.up(environment) as leat:
            until = time.monotonic() + 60
            while True:
                listed = json.loads(self.leat("privacy", "list", "--json"))["regulations"]
                if listed and listed[0]["status"] == "FINISHED":
                    break
                self.assertLess(time.monotonic(), until, listed)
            self.assertEqual(listed[0]["sources"][0]["events_deleted"], 34)
            self.assertNotIn("ann", self.archived())
            self.assertEqual(leat.psql("select id from web.tracks where user_id = 'ann'"), [])
            leat.sync()
            self.assertEqual(leat.value("select count(*) from web.tracks"), "4")
            self.books(leat)

    def test_suppressed_events_are_answered_and_not_kept(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.send("track", track("ann", 1))
            self.leat("privacy", "suppress", "--user-id", "ann")
            leat.send("track", track("ann", 2))
            leat.send("track", track("bob", 3))
            leat.sync()
            self.assertEqual(
                leat.psql("select user_id from web.tracks order by 1"), [["ann"], ["bob"]]
            )
            self.assertEqual(self.archived().count('"rejected":"suppressed"'), 1)
            self.assertNotIn("ann-2", self.archived())
            self.assertEqual(leat.value("select sum(excluded) from leat.batches"), "1")
            self.books(leat)
            self.leat("privacy", "unsuppress", "--user-id", "ann")
            leat.send("track", track("ann", 4))
            leat.sync()
            self.assertEqual(leat.value("select count(*) from web.tracks"), "3")
            self.assertIn("0 ids are suppressed", self.leat("privacy", "list"))

    def test_ids_that_are_numbers_or_too_long_for_a_column(self):
        long_id = "x" * 600
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            for number, user in enumerate(("bob", long_id, 77)):
                leat.send("track", track(user, number) | {"messageId": f"m-{number}"})
                leat.send("identify", {"userId": user, "traits": {"a": 1}, "messageId": f"i-{number}"})
            leat.sync()
            # The long id is a rescued value of rows without it; the number breaks the protocol.
            self.assertEqual(leat.psql("select id from web.tracks order by 1"), [["m-0"], ["m-1"]])
            self.assertEqual(leat.value("select count(*) from web.leat_rescue"), "6")
            removed = self.delete("--user-id", long_id)["sources"][0]
            self.assertEqual(removed["events_deleted"], 2, removed)
            self.assertEqual(self.delete("--user-id", "77")["sources"][0]["events_deleted"], 2)
            self.assertEqual(leat.psql("select id from web.tracks"), [["m-0"]])
            self.assertEqual(leat.psql("select id from web.order_completed"), [["m-0"]])
            self.assertEqual(leat.psql("select id from web.identifies"), [["i-0"]])
            self.assertEqual(leat.value("select count(*) from web.leat_rescue"), "0")
            self.assertNotIn(long_id, self.archived())
            self.assertNotIn(":77", self.archived())
            self.leat("privacy", "suppress", "--user-id", "77")
            leat.send("track", track(77, 8))
            leat.sync()
            self.assertIn('"rejected":"suppressed"', self.archived())
            self.books(leat)

    def test_reaches_sources_that_the_configuration_names_no_more(self):
        with self.up({"LEAT_SYNC_EVERY": "1h", "LEAT_SOURCES": "web,loaded,waiting"}) as leat:
            for source in ("loaded", "waiting"):
                leat.send("track", track("ann", source), leat.write_key(source))
            self.leat("sync", "--source", "loaded")
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            status = json.loads(self.leat("status", "--json"))
            self.assertIn('write key of source "waiting", which the configuration', leat.messages())
            self.assertIn('"waiting": balanced, 0 received', status["verdict"])
            self.assertIn("1 more that nobody loads", status["verdict"])
            sources = {each["source"]: each for each in self.delete("--user-id", "ann")["sources"]}
            self.assertEqual(sources["waiting"]["events_deleted"], 1, sources)
            self.assertEqual(sources["loaded"]["table_rows"], {"order_completed": 1, "tracks": 1})
            self.assertEqual(leat.value("select count(*) from loaded.tracks"), "0")
            self.assertNotIn("ann", self.archived())

    def test_says_what_is_wrong(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}):
            self.assertIn(
                'did you mean "web"',
                self.leat("privacy", "delete", "--user-id", "x", "--source", "wep", code=1),
            )
            self.leat("privacy", "delete", code=2)
            self.assertIn(
                "is not suppressed", self.leat("privacy", "unsuppress", "--user-id", "x", code=1)
            )


if __name__ == "__main__":
    unittest.main()
