#!/usr/bin/python3
"""Takes the warehouse away again and again, under load, and shows that its absence costs no event.

    tests/crash/warehouse_away_test.py --leat build/release/leat --kills 12

Two processes: `leat warehouse`, and `leat up` that loads into it over the wire, sharing one object store folder. The
warehouse is ended by SIGKILL at random moments, stays away for a while and comes back on the same port. The collector
must answer 200 all the time. In the end psql reads back every acknowledged event exactly once.
"""
import argparse
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

from crash_test import THREADS, Books, Failure, Leat, Sender, compare, sync_and_status


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Setting:
    """Folders, the port, and how each of the two programs is started."""

    def __init__(self, options, folder, log):
        self.options, self.log = options, log
        self.data = os.path.join(folder, "data")
        self.warehouse_data = os.path.join(folder, "warehouse")
        self.store = os.path.join(folder, "store")
        self.port = free_port()

    def start_warehouse(self):
        warehouse = Leat(self.options.leat, self.warehouse_data, {"LEAT_WAREHOUSE_LISTEN": f"127.0.0.1:{self.port}"},
                         self.log, ("warehouse", "--store-directory", self.store))
        if not warehouse.wait_ready(60):
            raise Failure(f"the warehouse did not start (code {warehouse.process.returncode})")
        return warehouse

    def start_leat(self, password):
        environment = {
            "LEAT_DESTINATION_HOST": "127.0.0.1", "LEAT_DESTINATION_PORT": str(self.port),
            "LEAT_DESTINATION_PASSWORD": password, "LEAT_STORE_DIRECTORY": self.store,
        }
        leat = Leat(self.options.leat, self.data, environment, self.log)
        if not leat.wait_ready(60):
            raise Failure(f"leat did not start (code {leat.process.returncode})")
        return leat


def run(setting, books, chooser):
    warehouse = setting.start_warehouse()
    connection = warehouse.connection()
    leat = setting.start_leat(connection["warehouse"]["password"])
    stop = threading.Event()
    senders = [Sender(books, leat.connection(), f"t{i}", i, stop) for i in range(THREADS)]
    try:
        for sender in senders:
            sender.start()
        for number in range(1, setting.options.kills + 1):
            time.sleep(chooser.uniform(0.05, 2.5))
            warehouse.kill()
            time.sleep(chooser.uniform(0.0, 1.0))
            warehouse = setting.start_warehouse()
            print(f"{number} times away, {len(books.acknowledged)} acknowledged", flush=True)
        stop.set()
        for sender in senders:
            sender.join(15)
        if books.refused or books.unanswered or books.wrong_answers:
            raise Failure("the collector did not answer 200 while the warehouse was away")
        sync_and_status(setting.options.leat, setting.data)
        faults = compare(books, connection, leat.connection()["sources"][0]["schema"])
        if faults:
            raise Failure("; ".join(faults))
        leat.stop()
        warehouse.stop()
    finally:
        stop.set()
        for process in (leat, warehouse):
            if process.process.poll() is None:
                process.kill()


def main():
    # An interrupted run ends the processes that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description="kill the warehouse under load and check that nothing is lost")
    parser.add_argument("--leat", required=True, help="the binary")
    parser.add_argument("--kills", type=int, default=12, help="how often it goes away (default 12)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="repeat the moments of an earlier run")
    options = parser.parse_args()
    options.leat = os.path.abspath(options.leat)
    folder = tempfile.mkdtemp(prefix="leat-away-")
    books = Books()
    print(f"seed {options.seed}, {options.kills} kills, {folder}", flush=True)
    with open(os.path.join(folder, "leat.log"), "wb") as log:
        try:
            run(Setting(options, folder, log), books, random.Random(options.seed))
        except Failure as failure:
            print(f"FAILED: {failure}\nkept: {folder}", file=sys.stderr)
            return 1
    if not books.acknowledged:
        print("FAILED: no event was ever acknowledged, so nothing was shown", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"{options.kills} times away: {len(books.acknowledged)} acknowledged events, "
          "every one in the warehouse exactly once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
