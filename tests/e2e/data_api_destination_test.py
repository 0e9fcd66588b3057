"""A Leat that loads through the Redshift Data API. The warehouse is another Leat's; nothing here was
tried at AWS."""

import os
import unittest

from forwarder import Forwarder, serving
from leat import LeatTest, Running, run


class Lossy(Forwarder):
    """Hangs up instead of passing every n-th answer on."""

    every = 7
    count = 0
    lost = 0

    def do_POST(self):
        answer = self.forward(self.body())
        with Lossy.lock:
            Lossy.count += 1
            loses = Lossy.every > 0 and Lossy.count % Lossy.every == 0
            Lossy.lost += loses
        if loses:
            self.hang_up()
        else:
            self.reply(*answer)


class DataApiDestinationTest(LeatTest):
    def destination(self, warehouse, store, **more):
        return self.with_aws_keys(
            warehouse,
            store,
            LEAT_DESTINATION_PROTOCOL="data_api",
            LEAT_DESTINATION_WORKGROUP="leat",
            **more,
        )

    def fill(self, leat, numbers):
        for number in numbers:
            leat.send(
                "track",
                {"event": "Ordered", "userId": "u", "messageId": f"m-{number}", "properties": {"n": number}},
            )
        leat.send("identify", {"userId": "u", "traits": {"plan": "x"}, "messageId": f"i-{numbers[0]}"})

    def test_loads_and_keeps_the_books(self):
        store = os.path.join(self.folder, "store")
        with self.warehouse(store) as warehouse:
            environment = self.destination(warehouse, store)
            with Running(os.path.join(self.folder, "main"), environment) as leat:
                self.fill(leat, range(5))
                leat.sync()
                self.fill(leat, range(3, 9))
                leat.sync()
                self.assertTrue(leat.status()["balanced"])
                checked = run(["check", "--data", leat.data], environment)
                self.assertIn("ok    warehouse", checked.stdout, checked.stdout + checked.stderr)
                deleted = run(
                    ["privacy", "delete", "--user-id", "u", "--dry-run", "--data", leat.data],
                    environment,
                )
                self.assertIn("would delete 13 events", deleted.stdout, deleted.stderr)
            self.assertEqual(warehouse.psql("select count(*), max(n) from web.ordered"), [["9", "8"]])
            self.assertEqual(
                warehouse.psql("select sum(received), sum(loaded), sum(deduplicated) from leat.batches"),
                [["13", "11", "2"]],
            )

    def test_lost_answers_do_nothing_twice(self):
        store = os.path.join(self.folder, "store")
        with self.warehouse(store) as warehouse:
            Lossy.target = warehouse.connection["data_api"]["url"] + "/"
            with serving(Lossy) as port:
                environment = self.destination(
                    warehouse, store, LEAT_DESTINATION_API_ENDPOINT=f"http://127.0.0.1:{port}"
                )
                with Running(os.path.join(self.folder, "main"), environment) as leat:
                    for first in (0, 10, 20):
                        self.fill(leat, range(first, first + 10))
                        leat.sync()
            self.assertGreater(Lossy.lost, 5)
            self.assertEqual(
                warehouse.psql("select count(*), count(distinct id) from web.tracks"), [["30", "30"]]
            )
            self.assertEqual(
                warehouse.psql("select sum(received), sum(loaded) from leat.batches"), [["33", "33"]]
            )


if __name__ == "__main__":
    unittest.main()
