"""From the HTTP API to a row read by psql, through every part: sync, schema evolution,
duplicates, rescue, restarts, the schedule, the books."""

import json
import os
import subprocess
import time
import unittest

from leat import LeatTest, run


def track(number, **properties):
    return {
        "event": "Order Completed",
        "userId": f"u{number}",
        "messageId": f"order-{number}",
        "properties": dict({"number": number}, **properties),
    }


class FlowTest(LeatTest):
    def test_an_event_becomes_rows(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            status, _, body = leat.send(
                "track",
                {
                    "event": "Order Completed",
                    "userId": "u1",
                    "messageId": "m1",
                    "properties": {
                        "revenue": 12.5,
                        "items": 3,
                        "gift": True,
                        "note": "caf\u00e9 \u2615",
                        "tags": ["a", "b"],
                        "address": {"city": "Berlin"},
                        "nothing": None,
                    },
                },
            )
            self.assertEqual(status, 200, body)
            leat.sync()
            self.assertEqual(
                leat.psql("select id, event, event_text, user_id from web.tracks"),
                [["m1", "order_completed", "Order Completed", "u1"]],
            )
            self.assertEqual(
                leat.psql(
                    "select revenue, items, gift, note, address_city from web.order_completed"
                ),
                [["12.5", "3", "t", "caf\u00e9 \u2615", "Berlin"]],
            )
            self.assertEqual(
                json.loads(leat.value("select tags from web.order_completed")), ["a", "b"]
            )

    def test_columns_are_added_and_kept(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.send("track", track(1))
            leat.sync()
            leat.send("track", track(2, coupon="SPRING"))
            leat.sync()
            self.assertEqual(
                leat.psql("select number, coupon from web.order_completed order by number"),
                [["1", "\\N"], ["2", "SPRING"]],
            )

    def test_duplicates_are_counted_not_kept(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            for _ in range(3):
                self.assertEqual(leat.send("track", track(1))[0], 200)
            leat.sync()
            leat.send("track", track(1))
            leat.sync()
            self.assertEqual(leat.value("select count(*) from web.order_completed"), "1")
            self.assertEqual(leat.value("select count(*) from web.tracks"), "1")
            self.assertTrue(leat.status()["balanced"])

    def test_what_does_not_fit_is_rescued(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.send("track", track(1, amount=5))
            leat.sync()
            leat.send("track", track(2, amount="five"))
            leat.send("track", {"event": "x", "userId": 7, "messageId": "bad-id"})
            leat.sync()
            self.assertEqual(
                leat.psql("select number, amount from web.order_completed order by number"),
                [["1", "5"], ["2", "\\N"]],
            )
            rescued = leat.value("select count(*) from web.leat_rescue")
            self.assertGreaterEqual(int(rescued), 2)
            status = leat.status()
            self.assertTrue(status["balanced"], json.dumps(status))

    def test_restarts_keep_everything(self):
        environment = {"LEAT_SYNC_EVERY": "1h"}
        with self.up(environment) as leat:
            for number in range(10):
                leat.send("track", track(number))
        leat = self.up(environment)  # not loaded yet: the journal has them
        for number in range(10, 20):
            self.assertEqual(leat.send("track", track(number))[0], 200)
        leat.kill()
        leat.log.close()
        with self.up(environment) as leat:
            leat.sync()
            self.assertEqual(
                leat.value("select count(distinct number) from web.order_completed"), "20"
            )
            self.assertEqual(leat.value("select count(*) from web.order_completed"), "20")
        with self.up(environment) as leat:
            leat.sync()
            self.assertEqual(leat.value("select count(*) from web.order_completed"), "20")
            self.assertTrue(leat.status()["balanced"])

    def test_syncs_by_itself(self):
        with self.up({"LEAT_SYNC_EVERY": "200ms", "LEAT_ARCHIVE_SEAL_EVERY": "50ms"}) as leat:
            leat.send("track", track(1))
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                tables = leat.value(
                    "select count(*) from svv_columns where table_schema = 'web' and "
                    "table_name = 'order_completed'"
                )
                if tables != "0" and leat.value("select count(*) from web.order_completed") == "1":
                    return
                time.sleep(0.1)  # polls what the schedule does by itself
            self.fail("the schedule loaded nothing in 60 s")

    def test_sources_have_schemas_of_their_own(self):
        environment = {"LEAT_SYNC_EVERY": "1h", "LEAT_SOURCES": "web,shop"}
        with self.up(environment) as leat:
            leat.send("track", track(1), leat.write_key("web"))
            leat.send("track", track(2), leat.write_key("shop"))
            leat.sync()
            self.assertEqual(leat.value("select number from web.order_completed"), "1")
            self.assertEqual(leat.value("select number from shop.order_completed"), "2")

    def test_simulated_events_balance(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            done = run(
                ["simulate", "--data", self.data, "--events", "2000", "--seed", "7", "--json"],
                seconds=120,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            sent = json.loads(done.stdout)
            self.assertEqual((sent["events"], sent["seed"], sent["source"]), (2000, 7, "web"))
            report = json.loads(run(["sync", "--data", self.data, "--json"], seconds=120).stdout)
            status = leat.status()
            self.assertTrue(status["balanced"], json.dumps(status))
            tracks = int(leat.value("select count(*) from web.tracks"))
            self.assertGreater(tracks, 1000)
            self.assertIsInstance(report, (dict, list))
            text = run(["status", "--data", self.data])
            self.assertEqual(text.returncode, 0, text.stderr)
            self.assertIn("2,000", text.stdout)

    def test_simulate_keeps_its_rate(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}):
            started = time.monotonic()
            done = run(
                [
                    "simulate",
                    "--data",
                    self.data,
                    "--events",
                    "300",
                    "--rate",
                    "200",
                    "--batch",
                    "10",
                ]
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(time.monotonic() - started, 1.3)

    def test_archive_is_readable_by_ordinary_tools(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.send("track", track(1))
            leat.sync()
            objects = []
            for folder, _, files in os.walk(os.path.join(self.data, "objects", "leat", "raw")):
                objects += [os.path.join(folder, name) for name in files]
            self.assertEqual(len(objects), 1)
            self.assertRegex(
                objects[0], r"raw/source=web/date=\d{4}-\d\d-\d\d/hour=\d\d/[^/]+\.ndjson\.zst$"
            )
            text = subprocess.run(
                ["zstdcat", objects[0]], timeout=30, check=True, capture_output=True
            ).stdout
            lines = [json.loads(line) for line in text.splitlines()]
            self.assertEqual([line["event"]["messageId"] for line in lines], ["order-1"])


if __name__ == "__main__":
    unittest.main()
