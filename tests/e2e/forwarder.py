"""A proxy on loopback for the tests that break the way to the Redshift Data API."""

import contextlib
import http.server
import threading
import urllib.error
import urllib.request


class Forwarder(http.server.BaseHTTPRequestHandler):
    """Passes a POST on to `target`. A test's own do_POST says what goes wrong on the way."""

    target = ""
    lock = threading.Lock()

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def forward(self, body):
        """Returns (status, body) of the answer."""
        request = urllib.request.Request(self.target, data=body, method="POST")
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "content-length"):
                request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def hang_up(self):
        self.close_connection = True

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(handler):
    """Serves `handler` on a free port, which it yields."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
