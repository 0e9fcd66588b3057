"""What syncs did, over restarts; pausing and resuming; how fresh the tables are."""

import json
import unittest

from leat import LeatTest, run


def track(number, **properties):
    return {
        "event": "Order Completed",
        "userId": f"u{number}",
        "messageId": f"m-{number}",
        "properties": dict({"number": number}, **properties),
    }


class HistoryTest(LeatTest):
    def leat(self, *arguments, code=0):
        done = run([*arguments, "--data", self.data], seconds=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def history(self, *arguments):
        return json.loads(self.leat("history", "--json", *arguments))["syncs"]

    def test_is_kept_over_restarts(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            self.assertIn("no sync has loaded anything yet", self.leat("history"))
            leat.send("track", track(1))
            leat.sync()
            leat.sync()
            (sync,) = self.history()
            report = sync["report"]
            self.assertEqual(sync["outcome"], "success")
            self.assertEqual(report["events"]["loaded"], 1)
            self.assertEqual(report["table_rows"], {"order_completed": 1, "tracks": 1})
            self.assertGreater(report["staged_bytes"], 0)
            self.assertGreater(report["seconds"]["load"], 0)
            self.assertGreater(report["freshness"]["p99_seconds"], 0)
            self.assertEqual(
                leat.psql("select sync_id, received, loaded from leat.syncs"),
                [[report["sync_id"], "1", "1"]],
            )
            freshness = leat.status()["sources"][0]["freshness"]
            self.assertEqual(freshness["sync_id"], report["sync_id"])
            self.assertEqual(freshness["tables"]["order_completed"]["rows"], 1)
            _, _, metrics = leat.http("GET", "/metrics", part="console")
            self.assertIn(
                'leat_load_freshness_seconds_count{source="web",table="order_completed"} 1',
                metrics.decode(),
            )
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            self.assertEqual(self.history()[0]["report"], report)
            leat.send("track", track(2))
            leat.sync()
            self.assertEqual(len(self.history()), 2)
            self.assertEqual(len(self.history("--limit", "1")), 1)
            self.assertEqual(self.history("--source", "app"), [])
            text = self.leat("history")
            self.assertIn("2 new tables", text)
            self.assertIn("success", text)
            self.assertIn("order_completed", self.leat("history", "--tables"))

    def test_pause_outlives_a_restart(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.send("track", track(1))
            leat.sync()
            self.assertIn("web: paused since", self.leat("pause"))
            self.assertIn("did you mean", self.leat("pause", "--source", "wep", code=1))
            leat.send("track", track(2))
            self.assertIn(
                "leat resume --source web", self.leat("sync", "--source", "web", code=1)
            )
            self.assertIn("leat resume --source web", self.leat("status"))
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            sync = leat.status()["sources"][0]["sync"]
            self.assertEqual(sync["paused_by"], "request")
            self.assertIsNotNone(sync["paused_since"])
            self.assertEqual(leat.value("select count(*) from web.tracks"), "1")
            self.assertEqual(json.loads(self.leat("resume", "--json"))["sources"][0]["name"], "web")
            leat.sync()
            self.assertEqual(leat.value("select count(*) from web.tracks"), "2")
            self.assertIsNone(leat.status()["sources"][0]["sync"]["paused_by"])

    def test_a_row_that_is_refused_stops_nothing(self):
        with self.up({"LEAT_SYNC_EVERY": "1h"}) as leat:
            leat.psql("create schema web")
            leat.psql(
                "create table web.order_completed (id varchar(512) not null, "
                "received_at timestamp, coupon varchar(64) not null)"
            )
            for number in range(12):
                leat.send("track", track(number, **({} if number == 5 else {"coupon": "x"})))
            self.assertIn("11 loaded, 0 deduplicated, 1 rescued", leat.sync())
            said = self.leat("rescue", "list")
            self.assertIn("refused_by_warehouse", said)
            self.assertEqual(self.history()[0]["report"]["refused_events"], 1)
            leat.psql("create table web.mended as select * from web.order_completed")
            leat.psql("drop table web.order_completed")
            leat.psql("alter table web.mended rename to order_completed")
            self.leat("rescue", "replay", "--reason", "refused_by_warehouse")
            self.assertEqual(leat.value("select count(*) from web.order_completed"), "12")
            self.assertEqual(leat.value("select count(*) from web.leat_rescue"), "0")
            self.assertTrue(leat.status()["balanced"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
