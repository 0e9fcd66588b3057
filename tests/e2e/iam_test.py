"""A Leat that logs in to its warehouse with AWS credentials. The warehouse is another Leat's, whose
API gives the temporary passwords; nothing here was tried at AWS."""

import os
import unittest

from leat import LeatTest, Running, run


class IamTest(LeatTest):
    def destination(self, warehouse, store, **more):
        """The environment of a loader into `warehouse`."""
        api = warehouse.connection["data_api"]
        address = warehouse.connection["warehouse"]
        return {
            "LEAT_SYNC_EVERY": "1h",
            "LEAT_STORE_DIRECTORY": store,
            "LEAT_DESTINATION_HOST": address["host"],
            "LEAT_DESTINATION_PORT": str(address["port"]),
            "LEAT_DESTINATION_AUTHENTICATION": "iam",
            "LEAT_DESTINATION_API_ENDPOINT": api["url"],
            "LEAT_DESTINATION_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": api["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": api["secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": self.folder,
            **more,
        }

    def warehouse(self, store):
        return Running(
            os.path.join(self.folder, "warehouse"),
            {"LEAT_STORE_DIRECTORY": store},
            command="warehouse",
        )

    def load_one(self, warehouse, environment, name):
        with Running(os.path.join(self.folder, name), environment) as leat:
            leat.send("track", {"event": "Signed In", "userId": "u", "messageId": f"m-{name}"})
            leat.sync()
            asked = run(
                ["sql", "select current_user, count(*) from web.tracks", "--json", "--data", leat.data],
                environment,
            )
            self.assertEqual(asked.returncode, 0, asked.stderr)
            checked = run(["check", "--data", leat.data], environment)
            self.assertIn("ok    warehouse", checked.stdout, checked.stdout + checked.stderr)
        self.assertIn([f"m-{name}"], warehouse.psql("select id from web.tracks"))
        return asked.stdout

    def test_a_workgroup_and_a_cluster(self):
        store = os.path.join(self.folder, "store")
        with self.warehouse(store) as warehouse:
            self.load_one(
                warehouse,
                self.destination(warehouse, store, LEAT_DESTINATION_WORKGROUP="leat"),
                "workgroup",
            )
            self.load_one(
                warehouse,
                self.destination(
                    warehouse, store, LEAT_DESTINATION_CLUSTER="leat", LEAT_DESTINATION_USER="leat"
                ),
                "cluster",
            )

    def test_wrong_credentials_lose_nothing(self):
        store = os.path.join(self.folder, "store")
        with self.warehouse(store) as warehouse:
            good = self.destination(warehouse, store, LEAT_DESTINATION_WORKGROUP="leat")
            data = os.path.join(self.folder, "main")
            with Running(data, {**good, "AWS_SECRET_ACCESS_KEY": "wrong"}) as leat:
                self.assertEqual(
                    leat.send("track", {"event": "Kept", "userId": "u", "messageId": "kept"})[0], 200
                )
                refused = run(["sync", "--data", data], seconds=120)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn("no login by AWS credentials", refused.stderr + refused.stdout)
                self.assertNotIn("wrong", refused.stderr + refused.stdout)
            with Running(data, good) as leat:
                leat.sync()
            self.assertEqual(warehouse.psql("select id from web.tracks"), [["kept"]])


if __name__ == "__main__":
    unittest.main()
