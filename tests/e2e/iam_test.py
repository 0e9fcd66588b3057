"""A Leat that logs in to its warehouse with AWS credentials, and one whose COPY carries them. The
warehouse is another Leat's, whose API gives the temporary passwords; nothing here was tried at AWS."""

import glob
import os
import unittest

from leat import LeatTest, Running, run


class IamTest(LeatTest):
    def destination(self, warehouse, store, **more):
        """The environment of a loader into `warehouse`."""
        address = warehouse.connection["warehouse"]
        return self.with_aws_keys(
            warehouse,
            store,
            LEAT_DESTINATION_HOST=address["host"],
            LEAT_DESTINATION_PORT=str(address["port"]),
            LEAT_DESTINATION_AUTHENTICATION="iam",
            **more,
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

    def test_copy_with_keys_that_nobody_sees(self):
        store = os.path.join(self.folder, "store")
        with self.warehouse(store) as warehouse:
            keys = self.destination(
                warehouse, store, LEAT_DESTINATION_WORKGROUP="leat", LEAT_DESTINATION_COPY_AUTHORIZATION="keys"
            )
            secret = keys["AWS_SECRET_ACCESS_KEY"]
            wrong = "An0therSecretThatNobodyKnows"
            data = os.path.join(self.folder, "main")
            # Logs in by a password, so that only COPY is refused.
            address = warehouse.connection["warehouse"]
            password = {
                "LEAT_DESTINATION_AUTHENTICATION": "password",
                "LEAT_DESTINATION_WORKGROUP": "",
                "LEAT_DESTINATION_USER": address["user"],
                "LEAT_DESTINATION_PASSWORD": address["password"],
            }
            with Running(data, {**keys, **password, "AWS_SECRET_ACCESS_KEY": wrong}) as leat:
                leat.send("track", {"event": "Kept", "userId": "u", "messageId": "kept"})
                refused = run(["sync", "--data", data], seconds=120)
                self.assertNotEqual(refused.returncode, 0)
                said = refused.stderr + refused.stdout + leat.messages()
                self.assertIn("Error InvalidAccessKeyId", said)
                self.assertNotIn(wrong, said)
            mistaken = {**keys, **password, "LEAT_DESTINATION_PASSWORD": "no1sPassword"}
            checked = run(["check", "--data", data], mistaken).stdout
            self.assertRegex(checked, 'FAIL  warehouse: .*password authentication failed for user "[a-z]+"\n')
            self.assertIn("      fix: set the right user, password and database for this destination", checked)
            self.assertNotIn("no1sPassword", checked)
            with Running(data, keys) as leat:
                leat.sync()
                checked = run(["check", "--data", data], keys)
                self.assertIn("ok    warehouse: keys for COPY: " + keys["AWS_ACCESS_KEY_ID"], checked.stdout)
                said = leat.messages() + checked.stdout + checked.stderr
            self.assertEqual(warehouse.psql("select id from web.tracks"), [["kept"]])
            texts = warehouse.psql("select query_text from sys_query_history where query_text ilike 'copy%'")
            self.assertGreater(len(texts), 1)
            self.assertIn("ACCESS_KEY_ID", texts[0][0])
            everything = str(texts) + said + warehouse.messages()
            for view in ("stl_query", "stl_utilitytext", "sys_load_history", "leat.syncs", "leat.batches"):
                everything += str(warehouse.psql(f"select * from {view}"))
            for path in glob.glob(f"{self.folder}/*/**/*.log", recursive=True):
                with open(path, encoding="utf-8", errors="replace") as file:
                    everything += file.read()
            self.assertNotIn(secret, everything)
            self.assertNotIn(wrong, everything)


if __name__ == "__main__":
    unittest.main()
