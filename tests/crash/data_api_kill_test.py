#!/usr/bin/python3
"""Kills `leat up` at every call that it makes to the Redshift Data API while it loads, and shows that after a
restart everything is in the warehouse exactly once.

    tests/crash/data_api_kill_test.py --leat build/release/leat

The warehouse is a Leat of its own (`leat warehouse`). Between the two stands a proxy, which ends the loader with
SIGKILL at the chosen call: in one half of the rounds before the warehouse gets it, in the other once the warehouse
has it. The next round's start finds what the one before left: a session with a lock, a staged file, a transaction of
unknown end. At the end psql reads back what is there. Everything stays on loopback; every call has a time limit. Exit
code 0: shown. 1: an event was lost or doubled, or a restarted loader waited too long.
"""
import argparse
import os
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

from forwarder import Forwarder, serving

# A session of a killed loader keeps its lock for 15 s after its last statement.
WAIT_SECONDS_MAX = 45


class Proxy(Forwarder):
    """Passes calls on; at call number `kill_at` it ends the loader, before or after passing it on."""

    calls = 0
    kill_at = 0
    is_passed_on = False
    loader = None

    def do_POST(self):
        body = self.body()
        with Proxy.lock:
            Proxy.calls += 1
            kills = Proxy.calls == Proxy.kill_at
            is_dead = Proxy.kill_at and Proxy.calls >= Proxy.kill_at
        if kills and not Proxy.is_passed_on:
            Proxy.loader.process.kill()
        if is_dead and not (kills and Proxy.is_passed_on):
            self.hang_up()
            return
        if kills:
            # The statement may still run when its loader is gone.
            threading.Timer(0.01, Proxy.loader.process.kill).start()
        answer = self.forward(body)
        if kills:
            self.hang_up()
        else:
            self.reply(*answer)


def destination(warehouse, proxy_port, store, home):
    api = warehouse.connection["data_api"]
    return {
        "LEAT_SYNC_EVERY": "1h",
        "LEAT_STORE_DIRECTORY": store,
        "LEAT_DESTINATION_PROTOCOL": "data_api",
        "LEAT_DESTINATION_WORKGROUP": "leat",
        "LEAT_DESTINATION_API_ENDPOINT": f"http://127.0.0.1:{proxy_port}",
        "LEAT_DESTINATION_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": api["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": api["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": home,
    }


def fill(leat, number):
    """Events of the kinds whose rows go different ways: a new one, a repeated one, a user."""
    for event in (number, max(number - 1, 0)):
        leat.send(
            "track",
            {"event": "Ordered", "userId": "u", "messageId": f"m-{event}", "properties": {"n": event}},
        )
    leat.send("identify", {"userId": "u", "traits": {"plan": f"p{number}"}, "messageId": f"i-{number}"})


def rounds(leat_py, folder, warehouse, proxy_port, step):
    """Kills at one call after another until a load has no more calls. Returns (rounds, longest wait)."""
    data, store = os.path.join(folder, "main"), os.path.join(folder, "store")
    environment = destination(warehouse, proxy_port, store, folder)
    longest, number, at = 0.0, 0, 1
    while True:
        with Proxy.lock:
            Proxy.calls, Proxy.kill_at = 0, 0
        loader = leat_py.Running(data, environment)
        fill(loader, number)
        with Proxy.lock:
            Proxy.loader, Proxy.calls, Proxy.kill_at = loader, 0, at
            Proxy.is_passed_on = number % 2 == 1
        done = leat_py.run(["sync", "--data", data], seconds=120)
        with Proxy.lock:
            is_over = Proxy.calls < at
            Proxy.kill_at = 0
        if is_over:
            assert done.returncode == 0, done.stderr
            loader.stop()
            return number, longest
        loader.process.wait(10)
        loader.kill()
        loader.log.close()
        number += 1
        at += step if Proxy.is_passed_on else 0
        # The next one must get through.
        with leat_py.Running(data, environment) as again:
            started = time.monotonic()
            again.sync()
            longest = max(longest, time.monotonic() - started)
        assert longest < WAIT_SECONDS_MAX, f"a restarted loader needed {longest:.1f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--leat", required=True)
    parser.add_argument("--step", type=int, default=1, help="kill at every n-th call only")
    arguments = parser.parse_args()
    os.environ["LEAT_BINARY"] = os.path.abspath(arguments.leat)
    import leat as leat_py  # reads LEAT_BINARY

    folder = tempfile.mkdtemp(prefix="leat-data-api-kill-")
    store = os.path.join(folder, "store")
    with serving(Proxy) as proxy_port, leat_py.Running(
        os.path.join(folder, "warehouse"), {"LEAT_STORE_DIRECTORY": store}, command="warehouse"
    ) as warehouse:
        Proxy.target = warehouse.connection["data_api"]["url"] + "/"
        kills, longest = rounds(leat_py, folder, warehouse, proxy_port, arguments.step)
        tracks = warehouse.psql("select count(*), count(distinct id) from web.tracks")[0]
        users = warehouse.psql("select id, plan from web.users")
        books = warehouse.psql(
            "select sum(received) - sum(loaded + deduplicated + rescued + excluded) from leat.batches"
        )[0]
    expected = str(kills + 1)
    assert tracks == [expected, expected], (tracks, expected)
    assert users == [["u", f"p{kills}"]], users
    assert books == ["0"], books
    shutil.rmtree(folder)
    print(f"{kills} kills at calls of the Data API: {expected} events, each exactly once; "
          f"the longest sync after a kill took {longest:.1f} s")


if __name__ == "__main__":
    main()
