"""The HTTP API of the real program, request by request: routes, authentication, encodings,
limits, answers."""

import base64
import gzip
import json
import socket
import unittest
import urllib.parse

from leat import LeatTest

JSON = {"Content-Type": "application/json"}
TYPES = ("track", "identify", "page", "screen", "group", "alias")


def event_of(kind, **more):
    event = {"userId": "u1", "messageId": f"m-{kind}"}
    event.update(
        {
            "track": {"event": "Tried"},
            "group": {"groupId": "g1"},
            "alias": {"previousId": "p1"},
        }.get(kind, {})
    )
    event.update(more)
    return event


class HttpTest(LeatTest):
    """One process for all; each test sends message ids of its own."""

    @classmethod
    def setUpClass(cls):
        cls.outer = LeatTest()
        cls.outer.setUp()
        cls.leat = cls.outer.up({"LEAT_SYNC_EVERY": "1h"})

    @classmethod
    def tearDownClass(cls):
        try:
            code, _ = cls.leat.stop()
            assert code == 0, cls.leat.messages()
        finally:
            cls.leat.log.close()
            cls.outer.doCleanups()

    def post(self, path, body, headers=None):
        text = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.leat.http("POST", path, text, headers if headers is not None else JSON)

    def assert_success(self, reply):
        status, headers, body = reply
        self.assertEqual((status, json.loads(body)), (200, {"success": True}))
        self.assertTrue(
            headers["Content-Type"].startswith("application/json"), headers["Content-Type"]
        )

    def key(self):
        return self.leat.write_key()

    def basic(self, text):
        return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode(), **JSON}

    def test_every_route_of_the_protocol(self):
        routes = [f"/v1/{kind}" for kind in TYPES] + [f"/v1/{kind[0]}" for kind in TYPES]
        for route in routes:
            kind = next(k for k in TYPES if k.startswith(route.split("/")[2]))
            for path in (route, route + "/", route[3:], route[3:] + "/"):
                with self.subTest(path=path):
                    self.assert_success(self.post(path, event_of(kind, writeKey=self.key())))

    def test_batch_routes(self):
        batch = {
            "batch": [event_of(kind, type=kind, messageId=f"batch-{kind}") for kind in TYPES],
            "writeKey": self.key(),
        }
        for path in ("/v1/batch", "/v1/b", "/v1/import", "/v1/import/", "/batch", "/b/"):
            with self.subTest(path=path):
                self.assert_success(self.post(path, batch))

    def test_ways_to_authenticate(self):
        self.assert_success(self.post("/v1/track", event_of("track"), self.basic(self.key() + ":")))
        self.assert_success(self.post("/v1/track", event_of("track"), self.basic(self.key())))
        self.assert_success(
            self.post("/v1/track", event_of("track", writeKey=self.key()), self.basic("wrong:"))
        )
        status, _, _ = self.post("/v1/track", event_of("track"))
        self.assertEqual(status, 401)
        status, _, _ = self.post("/v1/track", event_of("track", writeKey="nobody's"))
        self.assertEqual(status, 401)

    def test_any_content_type_and_gzip(self):
        body = json.dumps(event_of("track", writeKey=self.key()))
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-8",
            None,
        ):
            headers = {"Content-Type": kind} if kind else {}
            self.assert_success(self.post("/v1/track", body, headers))
        self.assert_success(
            self.post("/v1/track", gzip.compress(body.encode()), {"Content-Encoding": "gzip"})
        )
        status, _, _ = self.post("/v1/track", b"\x1f\x8bnonsense", {"Content-Encoding": "gzip"})
        self.assertEqual(status, 400)

    def test_bad_bodies(self):
        key = self.key()
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"event":"x",}',
            b'{"writeKey":"' + key.encode() + b'"',
            b'{"event":"\xff\xfe"}',
        ):
            with self.subTest(body=body):
                status, headers, answer = self.post("/v1/track", body, self.basic(key + ":"))
                self.assertEqual(status, 400, answer)
                self.assertFalse(json.loads(answer)["success"])
                self.assertTrue(headers["Content-Type"].startswith("application/json"))

    def test_limits(self):
        key = self.key()
        large = event_of("track", writeKey=key, properties={"x": "y" * 40_000})
        status, _, _ = self.post("/v1/track", large)
        self.assertEqual(status, 400)
        status, _, _ = self.post(
            "/v1/batch",
            {
                "batch": [
                    event_of("track", type="track", properties={"x": "y" * 30_000})
                    for _ in range(20)
                ],
                "writeKey": key,
            },
        )
        self.assertEqual(status, 413)
        bomb = gzip.compress(
            b'{"writeKey":"' + key.encode() + b'","x":"' + b"a" * 50_000_000 + b'"}'
        )
        status, _, _ = self.post("/v1/track", bomb, {"Content-Encoding": "gzip"})
        self.assertEqual(status, 413)
        deep = b'{"writeKey":"' + key.encode() + b'","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
        status, _, _ = self.post("/v1/track", deep)
        self.assertEqual(status, 400)
        self.assert_success(
            self.post("/v1/track", event_of("track", writeKey=key, messageId="after-limits"))
        )

    def test_rule_breakers_are_kept(self):
        for event in (
            {"userId": 7, "event": "x"},
            {"event": "no id"},
            {"userId": "u", "event": ["x"]},
            {"userId": "u"},
        ):
            self.assert_success(self.post("/v1/track", dict(event, writeKey=self.key())))
        self.assert_success(
            self.post(
                "/v1/batch", {"batch": [1, "x", None, {"type": "nonsense"}], "writeKey": self.key()}
            )
        )

    def test_preflight_and_cors(self):
        headers = {
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,x-retry-count,other",
        }
        status, answer, _ = self.leat.http("OPTIONS", "/v1/t", None, headers)
        self.assertEqual(status, 204)
        self.assertEqual(answer["Access-Control-Allow-Origin"], "https://shop.example")
        self.assertEqual(answer["Access-Control-Allow-Credentials"], "true")
        allowed = answer["Access-Control-Allow-Headers"].lower()
        for name in ("authorization", "content-type", "x-retry-count", "other"):
            self.assertIn(name, allowed)
        status, answer, _ = self.leat.http(
            "POST",
            "/v1/t",
            json.dumps(event_of("track", writeKey=self.key())),
            {"Origin": "https://shop.example", "Content-Type": "text/plain"},
        )
        self.assertEqual(status, 200)
        self.assertEqual(answer["Access-Control-Allow-Origin"], "https://shop.example")
        self.assertIn("retry-after", answer["Access-Control-Expose-Headers"].lower())

    def test_pixel(self):
        event = {
            "writeKey": self.key(),
            "userId": "u1",
            "event": "Email Opened",
            "properties": {"subject": "hi"},
        }
        data = base64.urlsafe_b64encode(json.dumps(event).encode()).decode().rstrip("=")
        flat = urllib.parse.urlencode(
            {
                "writeKey": self.key(),
                "userId": "u1",
                "event": "Email Opened",
                "properties.subject": "hi",
            }
        )
        for query in ("data=" + data, flat, "data=nonsense", ""):
            status, headers, body = self.leat.http("GET", "/v1/pixel/track?" + query)
            self.assertEqual((status, headers["Content-Type"]), (200, "image/gif"))
            self.assertEqual(body[:6], b"GIF89a")

    def test_settings_for_browsers(self):
        status, headers, body = self.leat.http(
            "GET", f"/v1/projects/{self.key()}/settings", headers={"Origin": "https://shop.example"}
        )
        self.assertEqual(status, 200)
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://shop.example")
        self.assertEqual(json.loads(body)["integrations"]["Segment.io"]["apiKey"], self.key())

    def test_health_and_metrics(self):
        for path in ("/health", "/ready"):
            status, _, _ = self.leat.http("GET", path)
            self.assertEqual(status, 200, path)
        status, _, body = self.leat.http("GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertIn(b"# TYPE leat_", body)

    def test_unknown_paths_and_methods(self):
        status, _, _ = self.leat.http("GET", "/v1/nonsense")
        self.assertEqual(status, 404)
        status, _, _ = self.leat.http("DELETE", "/v1/track")
        self.assertEqual(status, 405)

    def test_half_closed_and_broken_clients_harm_nobody(self):
        url = urllib.parse.urlsplit(self.leat.connection["collect"]["url"])
        for text in (
            b"",
            b"GET",
            b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
            b"\x16\x03\x01\x02\x00\x01",
            b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
        ):
            with socket.create_connection((url.hostname, url.port), timeout=10) as client:
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
        self.assert_success(
            self.post("/v1/track", event_of("track", writeKey=self.key(), messageId="after-broken"))
        )


if __name__ == "__main__":
    unittest.main()
