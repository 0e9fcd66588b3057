"""The settings of rows, tables and columns reach the warehouse: what does not fit, nested values,
limits, tracking plans; and `leat check` reads them."""

import json
import unittest

from leat import LeatTest, run

PLAN = {
    "rules": {
        "unplanned_events": "rescue",
        "events": [
            {
                "name": "Order",
                "rules": {
                    "properties": {
                        "properties": {"properties": {"total": {"type": ["number", "string"]}}}
                    }
                },
            }
        ],
    }
}


def order(number, **properties):
    return {"event": "Order", "userId": "u", "messageId": f"m{number}", "properties": properties}


class ShapingTest(LeatTest):
    def test_settings_reach_the_warehouse(self):
        plan = self.write("plan.json", json.dumps(PLAN))
        config = self.write(
            "leat.yml",
            "sync: {every: 1h}\n"
            "destination:\n"
            "  conflicts: widen\n"
            '  column_conflicts: "*.color=super"\n'
            "  objects: super\n"
            "sources:\n"
            "  web:\n"
            f"    tracking_plan: {plan}\n",
        )
        with self.up(arguments=["--config", config]) as leat:
            leat.send("track", order(1, total=1, color=1, box={"w": 2}))
            leat.sync()
            leat.send("track", order(2, total="many", color="red", box={"w": 3}))
            leat.send("track", order(3, total=True))
            leat.send("track", {"event": "Odd", "userId": "u", "messageId": "m4"})
            leat.sync()
            self.assertEqual(
                leat.psql(
                    "select id, total, total__varchar, color, color__super, box.w "
                    "from web._order order by id"
                ),
                [
                    ["m1", "1", "\\N", "1", "\\N", "2"],
                    ["m2", "\\N", "many", "\\N", '"red"', "3"],
                ],
            )
            rescued = leat.psql(
                "select event_id, reason, detail from web.leat_rescue order by event_id"
            )
            self.assertEqual(
                [row[:2] for row in rescued], [["m3", "schema_violation"], ["m4", "unplanned"]]
            )
            self.assertIn("properties.total", rescued[0][2])

    def test_the_fail_policy_stops_until_the_column_is_mended(self):
        with self.up({"LEAT_SYNC_EVERY": "1h", "LEAT_DESTINATION_CONFLICTS": "fail"}) as leat:
            leat.send("track", order(1, total=1))
            leat.sync()
            leat.send("track", order(2, total="many"))
            done = run(["sync", "--data", self.data], seconds=120)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("_order.total (bigint)", done.stderr)
            self.assertIn("event m2", done.stderr)
            self.assertEqual(leat.value("select count(*) from web.tracks"), "1")
            leat.psql("alter table web._order drop column total")
            leat.psql("alter table web._order add column total varchar(10)")
            leat.sync()
            self.assertEqual(
                leat.psql("select id, total from web._order order by id"),
                [["m1", "\\N"], ["m2", "many"]],
            )

    def test_check_reads_the_plan(self):
        self.write("plan.json", json.dumps(PLAN))
        self.write("leat.yml", "sources: {web: {tracking_plan: plan.json}}\n")
        parts = ("COLLECT", "CONSOLE", "WAREHOUSE")
        free = {f"LEAT_{part}_LISTEN": "127.0.0.1:0" for part in parts}
        done = run(["check"], free, self.folder)
        self.assertIn(
            "ok    sources.web.tracking_plan: plan.json has schemas for 1 events", done.stdout
        )
        self.write("plan.json", '{"rules": {"events": [{"name": "A", "rules": []}]}}')
        done = run(["check"], free, self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL  sources.web.tracking_plan: ", done.stdout)
        self.assertIn("rules.events[0] ('A')", done.stdout)

    def test_a_wrong_policy_is_refused_with_what_is_allowed(self):
        self.write("leat.yml", "destination: {column_conflicts: price=fail}\n")
        done = run(["check"], folder=self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(
            "leat.yml:1: destination.column_conflicts: 'price=fail' is not a list of policies; "
            "allowed: TABLE.COLUMN=POLICY",
            done.stderr,
        )

    def test_check_names_the_nearest_name_that_an_event_gives(self):
        self.write(
            "leat.yml", 'destination: {column_conflicts: "order__done.price=fail, *.note=super"}\n'
        )
        done = run(["check"], folder=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL  destination.column_conflicts: ", done.stdout)
        self.assertIn("order__done.price", done.stdout)
        self.assertIn("write order_done.price", done.stdout)
        self.assertNotIn("note", done.stdout)


if __name__ == "__main__":
    unittest.main()
