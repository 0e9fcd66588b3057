"""Notices to a real webhook and a real SMTP server (aiosmtpd) while the warehouse is away, and when
it is back."""

import base64
import http.server
import json
import os
import queue
import socket
import threading
import unittest

from aiosmtpd.controller import Controller

from leat import FREE_PORTS, LeatTest, Running, run


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.notices.put((self.headers.get("Authorization"), json.loads(body)))
        # The first answer is a failure: the notice must come again.
        self.server.answers += 1
        self.send_response(500 if self.server.answers == 1 else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Inbox:
    def __init__(self):
        self.mails = queue.Queue()

    async def handle_DATA(self, server, session, envelope):
        self.mails.put(envelope)
        return "250 Message accepted for delivery"


def free_port():
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class NoticesTest(LeatTest):
    def setUp(self):
        super().setUp()
        self.hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.hook.notices, self.hook.answers = queue.Queue(), 0
        thread = threading.Thread(target=self.hook.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(self.hook.server_close)
        self.addCleanup(self.hook.shutdown)
        self.inbox = Inbox()
        self.smtp = Controller(self.inbox, hostname="127.0.0.1", port=free_port())
        self.smtp.start()
        self.addCleanup(self.smtp.stop)

    def test_a_warehouse_that_is_away_and_back(self):
        store = os.path.join(self.folder, "store")
        address = f"127.0.0.1:{free_port()}"
        warehouse = os.path.join(self.folder, "warehouse")
        settings = {"LEAT_STORE_DIRECTORY": store, "LEAT_WAREHOUSE_LISTEN": address}
        with Running(warehouse, settings, command="warehouse") as first:
            password = first.connection["warehouse"]["password"]
        environment = {
            "LEAT_STORE_DIRECTORY": store,
            "LEAT_DESTINATION_HOST": "127.0.0.1",
            "LEAT_DESTINATION_PORT": address.split(":")[1],
            "LEAT_DESTINATION_PASSWORD": password,
            "LEAT_SYNC_EVERY": "300ms",
            "LEAT_ARCHIVE_SEAL_EVERY": "300ms",
            "LEAT_NOTIFY_AFTER": "1s",
            "LEAT_NOTIFY_WEBHOOK": f"http://127.0.0.1:{self.hook.server_address[1]}/leat",
            "LEAT_NOTIFY_WEBHOOK_TOKEN": "hook-secret",
            "LEAT_NOTIFY_MAIL_SERVER": f"smtp://127.0.0.1:{self.smtp.port}",
            "LEAT_NOTIFY_MAIL_FROM": "leat@example.com",
            "LEAT_NOTIFY_MAIL_TO": "ops@example.com, data@example.com",
        }
        with self.up(environment) as leat:
            leat.send("track", {"event": "Kept", "userId": "u", "messageId": "kept"})
            mail = self.inbox.mails.get(timeout=60)
            self.assertEqual(mail.rcpt_tos, ["ops@example.com", "data@example.com"])
            head, body = mail.content.decode().split("\r\n\r\n", 1)
            self.assertIn("Subject: Leat: web has not been loaded since", head)
            self.assertIn("check that the warehouse runs", base64.b64decode(body).decode())
            for _ in range(2):  # the answer to the first was 500
                token, notice = self.hook.notices.get(timeout=60)
                self.assertEqual(token, "Bearer hook-secret")
                self.assertEqual((notice["kind"], notice["source"]), ("sync_failing", "web"))
            with Running(warehouse, settings, command="warehouse") as back:
                mail = self.inbox.mails.get(timeout=120)
                self.assertIn("Subject: Leat: web is loaded again", mail.content.decode())
                _, notice = self.hook.notices.get(timeout=60)
                self.assertEqual(notice["kind"], "sync_recovered")
                self.assertEqual(back.psql("select id from web.tracks"), [["kept"]])
            self.assertNotIn("hook-secret", leat.messages())

    def test_a_bad_channel_stops_the_start(self):
        environment = dict(FREE_PORTS, LEAT_NOTIFY_WEBHOOK="hooks.example.com")
        done = run(["up", "--data", self.data], environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("notify.webhook is no URL; write it as https://HOST/PATH", done.stderr)


if __name__ == "__main__":
    unittest.main()
