"""The whole program with its objects on a real S3 server: from the HTTP API to rows, with the store
broken on the way, with the store away for a while, and `leat check`."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))

import ceph  # noqa: E402  beside this file
import fault_proxy  # noqa: E402
from leat import LeatTest, run  # noqa: E402

SERVER = None


def setUpModule():
    global SERVER
    if ceph.missing():
        raise RuntimeError(f"not installed: {', '.join(ceph.missing())}; run tools/dev deps")
    SERVER = ceph.Ceph().__enter__()
    SERVER.make_bucket("leat")


def tearDownModule():
    SERVER.__exit__()


def on_s3(endpoint, **more):
    return {
        "LEAT_STORE_KIND": "s3",
        "LEAT_STORE_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": ceph.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ceph.SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": "/nowhere",
    } | more


def track(number):
    return {
        "event": "Order Completed",
        "userId": f"u{number}",
        "messageId": f"order-{number}",
        "properties": {"number": number},
    }


class FlowOnS3Test(LeatTest):
    def test_events_become_rows_while_the_store_breaks(self):
        proxy = fault_proxy.FaultProxy(SERVER.endpoint)
        faults = {"reset": 30, "lost": 30, "half": 30, "error": 30, "slow_down": 30}
        proxy.chances = faults
        environment = on_s3(proxy.endpoint, LEAT_SYNC_EVERY="1h", LEAT_ARCHIVE_SEAL_EVERY="100ms")
        with self.up(environment) as leat:
            for batch in range(5):
                for number in range(batch * 20, batch * 20 + 20):
                    status, _, body = leat.send("track", track(number))
                    self.assertEqual(status, 200, body)
                leat.sync()
            self.assertEqual(leat.value("select count(*) from web.order_completed"), "100")
            self.assertEqual(leat.value("select sum(number) from web.order_completed"), "4950")
        self.assertGreater(sum(proxy.counts.values()), 0, "the proxy broke nothing")
        self.assertFalse(os.path.exists(os.path.join(self.data, "objects")))
        # Another process on the same data goes on with what is there.
        with self.up(on_s3(SERVER.endpoint, LEAT_SYNC_EVERY="1h")) as leat:
            leat.send("track", track(100))
            leat.sync()
            self.assertEqual(leat.value("select count(*) from web.order_completed"), "101")

    def test_copy_reads_with_the_keys_of_the_statement(self):
        copy = f"copy public.read_by_keys from 's3://leat/by-keys/' access_key_id '{ceph.ACCESS_KEY}'"
        with self.up(on_s3(SERVER.endpoint, LEAT_SYNC_EVERY="1h")) as leat:
            leat.psql("create table public.read_by_keys (n int)")
            leat.psql(
                "unload ('select 7') to 's3://leat/by-keys/' csv credentials "
                f"'aws_access_key_id={ceph.ACCESS_KEY};aws_secret_access_key={ceph.SECRET_KEY}'"
            )
            leat.psql(f"{copy} secret_access_key '{ceph.SECRET_KEY}' csv")
            self.assertEqual(leat.value("select sum(n) from public.read_by_keys"), "7")
            with self.assertRaisesRegex(AssertionError, "Status 403"):
                leat.psql(f"{copy} secret_access_key 'wrong-secret-for-ceph' csv")
        # A bucket of its own: a loader loads what any collector left in its bucket.
        SERVER.make_bucket("keys")
        keys = on_s3(
            SERVER.endpoint,
            LEAT_SYNC_EVERY="1h",
            LEAT_ARCHIVE_BUCKET="keys",
            LEAT_DESTINATION_COPY_AUTHORIZATION="keys",
        )
        with self.up(keys) as leat:
            leat.send("track", track(900))
            leat.sync()
            self.assertEqual(leat.value("select count(*) from web.tracks"), "1")

    def test_check_says_what_is_wrong(self):
        def check(**more):
            done = run(["check", "--json"], on_s3(SERVER.endpoint, **more), self.folder)
            return {one["name"]: one for one in json.loads(done.stdout)["checks"] if "store" in one["name"]}

        good = check()
        self.assertEqual([name for name, one in good.items() if not one["ok"]], [])
        self.assertIn("store: not replacing", good)
        missing = check(LEAT_ARCHIVE_BUCKET="absent-bucket")
        self.assertFalse(missing["store: listing"]["ok"])
        self.assertIn("make the bucket", missing["store: listing"]["fix"])
        refused = check(AWS_SECRET_ACCESS_KEY="wrong-secret")
        self.assertFalse(refused["store: listing"]["ok"])
        self.assertNotIn("wrong-secret", json.dumps(refused))
        none = check(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        self.assertFalse(none["store: credentials"]["ok"])
        self.assertIn("AWS_ACCESS_KEY_ID", none["store: credentials"]["fix"])


if __name__ == "__main__":
    unittest.main()
