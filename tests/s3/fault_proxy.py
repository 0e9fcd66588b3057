"""An HTTP proxy in front of an S3 server that breaks things on command, as networks and busy
servers do. `GET /-/faults?KIND=PER_MILLE&...&seed=N` chooses; the answer says how many of each kind
there were since the last choice. The requests go on byte for byte, so that signatures hold.

Kinds: reset (before the request is passed on), lost (passed on, then reset instead of the answer),
half (half of the answer, then reset), error (500 InternalError), slow_down (503 SlowDown), slow (the
answer in small pieces with pauses), stall (half of the answer, then nothing)."""

import json
import random
import socket
import ssl
import struct
import threading
import time
import urllib.parse

KINDS = ("reset", "lost", "half", "error", "slow_down", "slow", "stall")
STALL_S = 20


class Closed(Exception):
    pass


class Reader:
    """Whole heads and counted bytes of a socket."""

    def __init__(self, peer):
        self.peer = peer
        self.buffer = b""

    def _more(self):
        piece = self.peer.recv(1 << 18)
        if not piece:
            raise Closed
        self.buffer += piece

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return head + b"\r\n\r\n", lines[0], headers

    def exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        out, self.buffer = self.buffer[:count], self.buffer[count:]
        return out

    def line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        out, _, self.buffer = self.buffer.partition(b"\r\n")
        return out + b"\r\n"

    def chunked(self):
        out = b""
        while True:
            size = self.line()
            count = int(size.split(b";")[0], 16)
            out += size + self.exactly(count + 2)
            if count == 0:
                return out


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Closed


def s3_error(status, code):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>by the proxy</Message></Error>".encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode(), body


class FaultProxy:
    """Listens on a free port of loopback for as long as the process lives; with `certificate` and
    `key` (PEM files) over TLS."""

    def __init__(self, upstream, certificate=None, key=None):
        host, _, port = upstream.removeprefix("http://").partition(":")
        self.upstream = (host, int(port))
        self.lock = threading.Lock()
        self.chances = {}
        self.counts = dict.fromkeys(KINDS, 0)
        self.random = random.Random(1)
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        scheme = "https" if certificate else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            if self.context:
                peer = self.context.wrap_socket(peer, server_side=True)
            reader = Reader(peer)
            while True:
                self._one(peer, reader)
        except (Closed, OSError):
            pass
        finally:
            peer.close()

    def _choose(self, query):
        chosen = dict(urllib.parse.parse_qsl(query))
        with self.lock:
            answer = json.dumps(self.counts).encode()
            self.random = random.Random(int(chosen.pop("seed", "1")))
            self.chances = {kind: int(chosen[kind]) for kind in chosen}
            self.counts = dict.fromkeys(KINDS, 0)
        return answer

    def _fault(self):
        with self.lock:
            draw = self.random.randrange(1000)
            for kind, chance in self.chances.items():
                draw -= chance
                if draw < 0:
                    self.counts[kind] += 1
                    return kind
        return None

    def _one(self, peer, reader):
        head, first, headers = reader.head()
        method, target, _ = first.split(" ")
        body = reader.exactly(int(headers.get("content-length", "0")))
        if target.startswith("/-/faults"):
            answer = self._choose(target.partition("?")[2])
            peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
            return
        fault = self._fault()
        if fault == "reset":
            reset(peer)
        if fault == "error":
            answer_head, answer = s3_error(500, "InternalError")
        elif fault == "slow_down":
            answer_head, answer = s3_error(503, "SlowDown")
        else:
            answer_head, answer = self._forward(method, head, body)
        if method == "HEAD":
            answer = b""
        self._answer(peer, fault, answer_head, answer)

    def _forward(self, method, head, body):
        with socket.create_connection(self.upstream, timeout=60) as server:
            server.sendall(head + body)
            reader = Reader(server)
            answer_head, first, headers = reader.head()
            if method == "HEAD" or first.split(" ")[1] in ("204", "304"):
                return answer_head, b""
            if headers.get("transfer-encoding", "").lower() == "chunked":
                return answer_head, reader.chunked()
            return answer_head, reader.exactly(int(headers.get("content-length", "0")))

    def _answer(self, peer, fault, head, body):
        whole = head + body
        if fault == "lost":
            reset(peer)
        if fault in ("half", "stall"):
            peer.sendall(whole[: len(whole) // 2])
            if fault == "stall":
                time.sleep(STALL_S)
            reset(peer)
        if fault == "slow":
            step = max(1, len(whole) // 20)
            for at in range(0, len(whole), step):
                peer.sendall(whole[at : at + step])
                time.sleep(0.01)
            return
        peer.sendall(whole)
