"""A service that is asked for more than it can do: what it still gets done, and
whether it answers for its health."""

import statistics
import threading
import time

import grpc

import harness
from record_bench import load

TIMES = 3  # What is asked for, beside what can be done.


class Health:
    """Asks a service's health port now and then, and notes how long the answers took."""

    PATH = "/grpc.health.v1.Health/Check"
    SERVING = b"\x08\x01"

    def __init__(self, process):
        self.channel = grpc.insecure_channel(process.health)
        self.ask = self.channel.unary_unary(self.PATH)
        self.took, self.failed = [], []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(0.1):
            begun = time.monotonic()
            try:
                answer = self.ask(b"", timeout=5)
            except grpc.RpcError as error:
                self.failed.append(error.code().name)
                continue
            if answer != self.SERVING:
                self.failed.append(answer)
            self.took.append(time.monotonic() - begun)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.channel.close()


def overload(kind, process, turns=3, **options):
    """Calls of a kind as fast as they go, and then so many times as often. Returns what
    was done a second at best and then (medians), what was refused a second meanwhile, and
    the health that was answered."""
    best, then, refused = [], [], []
    with Health(process) as health:
        for _ in range(turns):
            best.append(load(kind, process.grpc, callers=64, **options)["calls_per_second"])
            found = load(kind, process.grpc, rate=TIMES * best[-1], refusable=1, **options)
            then.append(found["calls_per_second"])
            refused.append(found["refused_per_second"])
    return (statistics.median(best), statistics.median(then), statistics.median(refused), health)
