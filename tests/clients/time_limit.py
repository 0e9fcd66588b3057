"""A limit for one test: one that hangs fails, and the rest still runs."""

import contextlib
import signal


@contextlib.contextmanager
def limited_to(seconds):
    """What runs programs limits them itself."""

    def too_late(_number, _frame):
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
