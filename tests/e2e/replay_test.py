"""Loading again from the archive, and rescued events, through the command line and the console:
a dropped table comes back, a killed replay goes on, what was rescued loads after a fix."""

import json
import time
import unittest

from leat import LeatTest


def track(number, event="Order Completed", **properties):
    return {
        "event": event,
        "userId": f"u{number}",
        "messageId": f"m-{number}",
        "properties": dict({"number": number}, **properties),
    }


class ReplayTest(LeatTest):
    def replay(self, *arguments):
        return json.loads(self.leat("replay", "--json", *arguments))

    def test_a_dropped_table_comes_back(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            for number in range(20):
                leat.send("track", track(number, "Order Completed" if number % 2 else "Other"))
            leat.sync()
            before = leat.psql("select id, number from web.order_completed order by 1")
            self.assertEqual(len(before), 10)
            leat.psql("drop table web.order_completed")
            dry = self.replay("--table", "order_completed", "--dry-run")["replay"]
            self.assertEqual(dry["events"]["received"], 10)
            self.assertEqual(dry["tables_created"], ["order_completed"])
            job = self.replay("--table", "order_completed")
            self.assertEqual(job["phase"], "done")
            self.assertEqual(job["replay"]["events"]["deduplicated"], 10)
            self.assertEqual(
                leat.psql("select id, number from web.order_completed order by 1"), before
            )
            self.assertEqual(leat.value("select count(*) from web.tracks"), "20")
            self.books(leat)
            said = self.leat("replay", "--event", "Other")
            self.assertIn("web: replayed 10 events", said)
            self.assertIn("done", self.leat("replay", "--list"))

    def test_says_what_is_wrong(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}):
            self.assertIn("'noon' is no time", self.leat("replay", "--from", "noon", code=1))
            self.assertIn(
                'did you mean "web"', self.leat("replay", "--source", "wep", code=1)
            )
            self.assertIn(
                "leat rescue replay", self.leat("replay", "--table", "leat_rescue", code=1)
            )
            self.assertIn("there is no replay 7", self.leat("replay", "--stop", "7", code=1))

    def test_rescued_events_load_after_a_fix(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.send("track", track(1, due="2026-01-01"))
            leat.sync()
            leat.send("track", track(2, due="soon"))
            leat.sync()
            self.assertIn("type_mismatch", self.leat("rescue", "list"))
            shown = json.loads(self.leat("rescue", "show", "--json", "--column", "due"))
            self.assertEqual([v["value"] for v in shown["values"]], ['"soon"'])
            self.assertEqual(shown["values"][0]["event_id"], "m-2")
            leat.psql("alter table web.order_completed drop column due")
            self.leat("replay", "--table", "order_completed")
            self.assertEqual(
                leat.psql("select id, due from web.order_completed order by 1"),
                [["m-1", "2026-01-01"], ["m-2", "soon"]],
            )
            self.assertEqual(self.leat("rescue", "list"), "nothing was rescued\n")
            self.books(leat)

    def test_rescue_replay_takes_only_its_events(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.send("track", track(1, due="2026-01-01"))
            leat.sync()
            leat.send("track", track(2, due="soon"))
            leat.send("track", track(3))
            leat.sync()
            leat.psql("alter table web.order_completed drop column due")
            job = json.loads(self.leat("rescue", "replay", "--json", "--reason", "type_mismatch"))
            self.assertEqual(job["replay"]["events"]["received"], 1)
            self.assertEqual(job["replay"]["rescue_rows_removed"], 1)
            self.assertEqual(
                leat.psql("select id, due from web.order_completed order by 1"),
                [["m-1", "\\N"], ["m-2", "soon"], ["m-3", "\\N"]],
            )
            self.books(leat)

    def test_a_killed_replay_goes_on(self):
        batches = 40
        environment = {"LEAT_SYNC_EVERY": "1h", "LEAT_SYNC_TRANSACTION_BYTES_MAX": "1KiB"}
        leat = self.up(environment)
        for number in range(batches):
            leat.send("track", track(number, padding="x" * 400))
            leat.sync()
        before = leat.psql("select id, number from web.order_completed order by 1")
        leat.psql("drop table web.order_completed")
        self.leat("replay", "--detach")
        self.wait_for(leat, lambda job: job["replay"]["batches_done"] >= 3)
        leat.kill()
        leat.log.close()
        with self.up(environment) as leat:
            # It goes on by itself.
            job = self.wait_for(leat, lambda job: job["phase"] == "done")
            self.assertTrue(job["replay"]["resumed"])
            self.assertEqual(job["replay"]["batches_done"], batches)
            self.assertEqual(job["replay"]["events"]["received"], batches)
            self.assertEqual(
                leat.psql("select status, batches_done, selected from leat.replays"),
                [["done", str(batches), str(batches)]],
            )
            self.assertEqual(
                leat.psql("select id, number from web.order_completed order by 1"), before
            )
            self.assertEqual(leat.value("select count(*) from web.tracks"), str(batches))
            self.books(leat)

    def wait_for(self, leat, condition):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status, _, body = leat.http("GET", "/api/replays", part="console")
            self.assertEqual(status, 200, body)
            jobs = json.loads(body)["replays"]
            if jobs and condition(jobs[0]):
                return jobs[0]
        return self.fail(f"it did not come to that: {jobs}")


if __name__ == "__main__":
    unittest.main()
