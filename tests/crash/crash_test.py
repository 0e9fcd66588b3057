#!/usr/bin/python3
"""Kills `leat up` again and again under load and shows that nothing acknowledged is lost or doubled.

    tests/crash/crash_test.py --leat build/release/leat --preload build/release/tests/power_loss.so --kills 200

Each round starts leat on the same data directory, sends batches from several threads, and ends the process: by
SIGKILL at a random moment, or, through the preloaded library, at a chosen system call (write, sync, rename,
unlink, open) or statement of the loader (COPY, COMMIT) with nothing, all or a random part of the unsynced bytes
undone, as a power loss does. Batches whose reply never came are sent again with the same message ids, as the client
libraries do. Then leat runs once undisturbed, syncs, and psql reads back what is in the warehouse:

  - every message id that was answered 200 is there, in `tracks` and in its event table,
  - none is there twice,
  - nothing is there that was never sent, and every row has the properties it was sent with,
  - the books balance.

Everything stays on loopback; every call has a time limit. Exit code 0: shown. 1: an event was lost or doubled (the data
directory is kept and named). The seed is printed; --seed repeats the choice of faults.
"""
import argparse
import collections
import http.client
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

THREADS = 4
PAUSE_SECONDS = 0.002  # on average, between two requests of one thread
# A chosen call, and the power of ten that its number is drawn below.
CALLS = {"sync": 2.6, "write": 2.6, "rename": 2.2, "unlink": 2.2, "open": 2.2, "any": 2.6, "copy": 1.0, "commit": 0.7}
MODES = ["kill", "drop", "torn"]


class Failure(Exception):
    """What was promised does not hold."""


class Books:
    """What the senders know. One lock guards all of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = {}  # message id -> properties
        self.unanswered = []  # batches to be sent again
        self.sent = {}
        self.refused = 0
        self.wrong_answers = []  # replies that no promise allows


class Leat:
    """One run of `leat up` on a data directory."""

    def __init__(self, binary, data, environment, log, command=("up",)):
        merged = dict(os.environ)
        merged.update(
            LEAT_COLLECT_LISTEN="127.0.0.1:0",
            LEAT_CONSOLE_LISTEN="127.0.0.1:0",
            LEAT_WAREHOUSE_LISTEN="127.0.0.1:0",
            LEAT_DATA_API_LISTEN="127.0.0.1:0",
            LEAT_SYNC_EVERY="300ms",
            LEAT_ARCHIVE_SEAL_EVERY="300ms",
        )
        merged.update(environment)
        self.data = data
        self.process = subprocess.Popen(
            [binary, *command, "--data", data], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=merged
        )

    def wait_ready(self, seconds):
        """True when `ready` was printed; False when the process ended before."""
        deadline = time.monotonic() + seconds
        text = b""
        descriptor = self.process.stdout.fileno()
        os.set_blocking(descriptor, False)
        while time.monotonic() < deadline:
            readable, _, _ = select.select([descriptor], [], [], 0.1)
            if readable:
                piece = os.read(descriptor, 65536)
                if not piece:
                    self.process.wait(10)
                    return False
                text += piece
                if b"ready" in text.split(b"\n")[:-1]:
                    return True
        raise Failure(f"leat was not ready after {seconds} s")

    def connection(self):
        with open(os.path.join(self.data, "connection.json"), encoding="utf-8") as file:
            return json.load(file)

    def ended_by_kill(self):
        return self.process.poll() == -signal.SIGKILL

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(15)
        self.process.stdout.close()
        if code != 0:
            raise Failure(f"leat ended with code {code} on SIGTERM")


class Sender(threading.Thread):
    """Posts batches until it is stopped or the server is gone."""

    def __init__(self, books, connection, label, seed, stop):
        super().__init__(daemon=True)
        self.books, self.label, self.stop = books, label, stop
        self.random = random.Random(seed)
        host = connection["collect"]["url"].split("//")[1].rstrip("/")
        self.http = http.client.HTTPConnection(host, timeout=10)
        self.write_key = connection["sources"][0]["write_key"]

    def next_batch(self, number):
        with self.books.lock:
            if self.books.unanswered and self.random.random() < 0.5:
                return self.books.unanswered.pop()
        batch = []
        # Mostly a few events: requests in flight find faults, rows only cost time. Now and then many.
        for i in range(self.random.randint(1, 20 if self.random.random() < 0.1 else 4)):
            properties = {"n": self.random.randint(0, 2**53), "text": "é" * self.random.randint(0, 40)}
            batch.append(
                {
                    "type": "track",
                    "event": "Crash Tested",
                    "userId": "u1",
                    "messageId": f"{self.label}-{number}-{i}",
                    "properties": properties,
                }
            )
        return batch

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            batch = self.next_batch(number)
            with self.books.lock:
                for event in batch:
                    self.books.sent[event["messageId"]] = event["properties"]
            try:
                body = json.dumps({"writeKey": self.write_key, "batch": batch})
                self.http.request("POST", "/v1/batch", body, {"Content-Type": "application/json"})
                reply = self.http.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException):
                with self.books.lock:
                    self.books.unanswered.append(batch)
                return
            with self.books.lock:
                if reply.status == 200:
                    for event in batch:
                        self.books.acknowledged[event["messageId"]] = event["properties"]
                elif reply.status in (429, 503):
                    self.books.refused += 1
                    self.books.unanswered.append(batch)
                else:
                    self.books.wrong_answers.append(reply.status)
                    return
            self.stop.wait(self.random.expovariate(1 / PAUSE_SECONDS))


def send_for(books, connection, label, seed, seconds, process):
    stop = threading.Event()
    senders = [Sender(books, connection, f"{label}t{i}", seed * 31 + i, stop) for i in range(THREADS)]
    for sender in senders:
        sender.start()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    return stop, senders


def fault(options, chooser, round_number):
    """Environment of one round, and a word for it."""
    if round_number % 2 == 0 or not options.preload:
        return {}, "random moment"
    call = chooser.choice(options.calls)
    number = int(10 ** chooser.uniform(0, CALLS[call]))
    mode = chooser.choice(MODES)
    environment = {
        "LD_PRELOAD": os.path.abspath(options.preload),
        "LEAT_POWER_DIR": options.data,
        "LEAT_POWER_AT": f"{call}:{number}",
        "LEAT_POWER_MODE": mode,
        "LEAT_POWER_SEED": str(round_number),
    }
    return environment, f"{call} {number}, {mode}"


def run_round(options, books, chooser, number, log):
    environment, word = fault(options, chooser, number)
    leat = Leat(options.leat, options.data, environment, log)
    try:
        if not leat.wait_ready(30):
            if not leat.ended_by_kill():
                raise Failure(f"leat did not start after round {number - 1} (code {leat.process.returncode})")
            return word + " (while starting)"
        seconds = chooser.uniform(0.05, 1.2) if not environment else 3.0
        stop, senders = send_for(books, leat.connection(), f"r{number}", number, seconds, leat.process)
        if environment and not leat.ended_by_kill():
            word += " (not reached)"
        leat.kill()
        stop.set()
        for sender in senders:
            sender.join(15)
            if sender.is_alive():
                raise Failure("a sender hangs")
        if books.wrong_answers:
            raise Failure(f"the collector answered {books.wrong_answers[0]}")
        return word
    finally:
        if leat.process.poll() is None:
            leat.kill()


def psql(connection, sql):
    warehouse = connection["warehouse"]
    environment = dict(os.environ, PGPASSWORD=warehouse["password"], PGCONNECT_TIMEOUT="10")
    result = subprocess.run(
        ["psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", warehouse["host"], "-p",
         str(warehouse["port"]), "-U", warehouse["user"], "-d", warehouse["database"], "-c", sql],
        capture_output=True, text=True, timeout=120, env=environment, check=False,
    )
    if result.returncode != 0:
        raise Failure(f"psql: {result.stderr.strip()}")
    return [line.split("\t") for line in result.stdout.splitlines()]


def compare(books, connection, schema):
    faults = []
    for table in ("tracks", "crash_tested"):
        rows = psql(connection, f'select id, count(*) from "{schema}"."{table}" group by id')
        counts = {row[0]: int(row[1]) for row in rows}
        lost = [i for i in books.acknowledged if i not in counts]
        doubled = [i for i, count in counts.items() if count != 1]
        strange = [i for i in counts if i not in books.sent]
        print(f"{table}: {len(counts)} rows; lost {len(lost)}, doubled {len(doubled)}, never sent {len(strange)}")
        for name, ids in (("lost", lost), ("doubled", doubled), ("never sent", strange)):
            if ids:
                faults.append(f"{table}: {len(ids)} {name}, such as {sorted(ids)[:5]}")
    for identity, n, text in psql(connection, f'select id, n, text from "{schema}".crash_tested'):
        sent = books.sent.get(identity)
        if sent is not None and (str(sent["n"]) != n or sent["text"] != text):
            faults.append(f"crash_tested: {identity} is changed: {sent} became n={n} text={text}")
    return faults


def sync_and_status(binary, data):
    """Loads what is waiting; fails when that does not work or the books do not balance."""
    for command in ("sync", "status"):
        done = subprocess.run([binary, command, "--data", data], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=240, check=False)
        print(done.stdout, end="")
        if done.returncode != 0:
            raise Failure(f"leat {command} ended with code {done.returncode}: {done.stderr.strip()}")


def verify(options, books, log):
    leat = Leat(options.leat, options.data, {}, log)
    try:
        if not leat.wait_ready(60):
            raise Failure(f"leat did not start for the check (code {leat.process.returncode})")
        connection = leat.connection()
        sync_and_status(options.leat, options.data)
        faults = compare(books, connection, connection["sources"][0]["schema"])
        leat.stop()
        if faults:
            raise Failure("; ".join(faults))
    finally:
        if leat.process.poll() is None:
            leat.kill()


def parse_arguments():
    parser = argparse.ArgumentParser(description="kill leat under load and check that nothing is lost or doubled")
    parser.add_argument("--leat", required=True, help="the binary")
    parser.add_argument("--preload", help="power_loss.so; without it only random moments are tried")
    parser.add_argument("--kills", type=int, default=200, help="rounds (default 200)")
    parser.add_argument("--check-every", type=int, default=50, help="rounds between two full checks (default 50)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeat the faults of an earlier run")
    parser.add_argument("--calls", default=",".join(CALLS), help="what to choose calls from (default: %(default)s)")
    parser.add_argument("--data", help="data directory (default: a new one, removed on success)")
    options = parser.parse_args()
    options.leat = os.path.abspath(options.leat)
    options.calls = options.calls.split(",")
    if unknown := set(options.calls) - set(CALLS):
        parser.error(f"--calls: no such call: {', '.join(sorted(unknown))}")
    return options


def main():
    # An interrupted run ends the processes that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse_arguments()
    parent = tempfile.mkdtemp(prefix="leat-crash-")
    options.data = os.path.realpath(options.data) if options.data else os.path.join(parent, "data")
    os.makedirs(options.data, exist_ok=True)
    chooser = random.Random(options.seed)
    books = Books()
    print(f"seed {options.seed}, {options.kills} kills, data {options.data}", flush=True)
    started = time.monotonic()
    chosen = collections.Counter()
    with open(os.path.join(parent, "leat.log"), "wb") as log:
        try:
            for number in range(1, options.kills + 1):
                word = run_round(options, books, chooser, number, log)
                if word != "random moment" and "not reached" not in word:
                    chosen[word.split()[0]] += 1
                if number % 10 == 0:
                    print(f"{number} kills, {len(books.acknowledged)} acknowledged, last: {word}", flush=True)
                if number % options.check_every == 0 or number == options.kills:
                    verify(options, books, log)
        except (Failure, subprocess.TimeoutExpired) as failure:
            print(f"FAILED after round {number}: {failure}\nkept: {parent}", file=sys.stderr)
            return 1
    if not books.acknowledged:
        print("FAILED: no event was ever acknowledged, so nothing was shown", file=sys.stderr)
        return 1
    shutil.rmtree(parent)
    if options.preload and options.kills >= 20 and chosen.total() < options.kills // 5:
        print(f"FAILED: only {chosen.total()} of {options.kills} kills were at the chosen call", file=sys.stderr)
        return 1
    points = ", ".join(f"{call} {count}" for call, count in sorted(chosen.items()))
    print(f"{options.kills} kills (at a chosen call: {points or 'none'}) in {time.monotonic() - started:.0f} s: "
          f"{len(books.acknowledged)} acknowledged events, "
          "every one in the warehouse exactly once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
