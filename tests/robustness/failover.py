"""Two replicas of assessment-svc on three PostgreSQL under Patroni: the leading
node is killed, its postmaster is killed, it is frozen for 12 s; under load.

- Nothing that was acknowledged is lost, nothing is there twice.
- The longest gap between two acknowledgements stays under 30 s.
- A `latest` read of the other replica never misses what was acknowledged before
  it began: a deposed primary does not answer.
- What clients of both replicas were told, refusals by etag among it, is
  linearizable: a deposed primary does not refuse either.
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness
import grpc
import crash
import linearizable
import patroni
from starratings.assessment.v1 import evidence_service_pb2 as pb

WRITERS = 6
GAP_MOST_S = 30
FROZEN_S = 12
# What says that nobody knows, or that it should be tried again.
PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
           grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED,
           grpc.StatusCode.ABORTED}


class Load:
    """Writers through one replica, a reader through the other; and clients of
    both whose every answer is written down."""

    def __init__(self, write_to, read_from, keys):
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.acknowledged = {}  # Instance to revision.
        self.newest = 0
        self.last_at = time.monotonic()
        self.longest = 0.0
        self.reads = 0
        self.refused_reads = 0
        self.faults = []
        self.threads = [threading.Thread(target=self.write, args=(write_to, f"w{i}"))
                        for i in range(WRITERS)]
        self.threads.append(threading.Thread(target=self.read, args=(read_from,)))
        self.history = linearizable.History()
        for i, address in enumerate((write_to, read_from)):
            client = linearizable.Client(i + 1, self.history, keys)
            self.threads.append(threading.Thread(target=client.run, args=(address, self.stop)))
        for thread in self.threads:
            thread.start()

    def write(self, address, name):
        service = crash.stub(address)
        count = 0
        while not self.stop.is_set():
            count += 1
            request = crash.submission(str(uuid.uuid4()), f"{name}-{uuid.uuid4().hex[:8]}-{count}")
            # Until it is known what became of it, also after the end.
            while True:
                try:
                    answer = service.SubmitEvidence(request, metadata=crash.ACTOR, timeout=5)
                except grpc.RpcError as error:
                    if error.code() not in PASSING:
                        self.faults.append(f"a write was refused: {error.code()} "
                                           f"{error.details()}")
                        return
                    time.sleep(0.05)
                    continue
                break
            with self.lock:
                now = time.monotonic()
                self.longest = max(self.longest, now - self.last_at)
                self.last_at = now
                revision = answer.snapshot.revision
                self.acknowledged[request.items[0].item.instance] = revision
                self.newest = max(self.newest, revision)

    def read(self, address):
        service = crash.stub(address)
        request = pb.ListEvidenceRequest(page_size=1)
        request.freshness.latest.SetInParent()
        while not self.stop.is_set():
            with self.lock:
                least = self.newest
            try:
                seen = service.ListEvidence(request, timeout=2).snapshot.revision
            except grpc.RpcError as error:
                if error.code() not in PASSING:
                    self.faults.append(f"a read was refused: {error.code()} {error.details()}")
                    return
                self.refused_reads += 1
                time.sleep(0.02)
                continue
            self.reads += 1
            if seen < least:
                self.faults.append(f"latest was answered with revision {seen}, "
                                   f"after {least} had been acknowledged")
                return

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Failover:
    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-failover-"))
        self.services = []
        self.cluster = patroni.Cluster()
        try:
            self.uri = self.cluster.uri()
            harness.run([harness.STARCTL, "store", "migrate", "--store", self.uri])
            self.services = [self.start(i) for i in range(2)]
            self.service = self.services[0]
            crash.Record.register(self)
            self.reached = crash.stub(self.service.grpc).ListEvidence(
                pb.ListEvidenceRequest(page_size=1), timeout=20).snapshot.token
        except BaseException:
            self.close()
            raise

    def start(self, number):
        return harness.Process(
            [harness.BUILD / "assessment-svc" / "assessment-svc", "--insecure",
             "--listen", "127.0.0.1:0", "--health_listen", "127.0.0.1:0",
             "--metrics_listen", "", "--store", self.uri],
            self.directory, f"assessment-{number}")

    def scenario(self, name, disturb):
        leader = self.cluster.await_standbys(90)
        keys = f"key {name} "
        load = Load(self.services[0].grpc, self.services[1].grpc, keys)
        try:
            time.sleep(2)
            disturb(leader)
            # Whoever leads then, the load goes on for a while.
            self.cluster.await_leader(60)
            time.sleep(6)
        finally:
            load.end()
        reader = crash.stub(self.services[1].grpc)
        # Not by what this replica happens to know: by what the primary says.
        newest = pb.ListEvidenceRequest(page_size=1)
        newest.freshness.latest.SetInParent()
        head = reader.ListEvidence(newest, timeout=20).snapshot
        there = {}
        twice = 0
        for message in reader.WatchEvidence(
                pb.WatchEvidenceRequest(after=self.reached, until=head.token), timeout=60):
            for item in message.items:
                if item.item.instance.startswith(keys):
                    continue  # Said again and again.
                twice += item.item.instance in there
                there[item.item.instance] = item.revision
        self.reached = head.token
        lost = [instance for instance, revision in load.acknowledged.items()
                if there.get(instance) != revision]
        print(f"{name:24} {len(load.acknowledged):6} acknowledged, {len(lost)} lost, "
              f"{twice} twice, longest gap {load.longest:5.1f} s, {load.reads} reads at latest, "
              f"{load.refused_reads} refused, {len(load.history.lines)} written down", flush=True)
        breach = linearizable.judge(load.history, self.directory)
        if breach:
            raise AssertionError(f"{name}: not linearizable: {breach}")
        if lost or twice or load.faults:
            seen = [(load.acknowledged[instance], there.get(instance)) for instance in lost]
            # Two nodes on different timelines have both been promoted.
            states = [self.cluster.state(node) for node in range(patroni.NODES)]
            nodes = [(state.get("role"), state.get("timeline")) for state in states]
            raise AssertionError(f"{name}: acknowledged at, found at: {seen[:3]} to {seen[-3:]}, "
                                 f"head {head.revision}; {load.faults}; nodes: {nodes}")
        if load.longest > GAP_MOST_S:
            raise AssertionError(f"{name}: nothing was written for {load.longest:.1f} s")

    def kill_node(self, leader):
        self.cluster.kill_node(leader)
        self.cluster.await_leader(60, other_than=leader)
        time.sleep(3)
        self.cluster.start_node(leader)

    def kill_postmaster(self, leader):
        self.cluster.kill_postmaster(leader)

    def freeze(self, leader):
        self.cluster.signal_node(leader, signal.SIGSTOP)
        time.sleep(FROZEN_S)
        self.cluster.signal_node(leader, signal.SIGCONT)

    def close(self):
        for service in self.services:
            if service.process.poll() is None:
                service.kill()
        self.cluster.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", nargs="+", choices=["node", "postmaster", "frozen"],
                        default=["node", "postmaster", "frozen"])
    options = parser.parse_args()
    for tool in ("patroni", "etcd"):
        if shutil.which(tool) is None:
            if os.environ.get("CI") == "true":
                sys.exit(f"{tool} is needed and not there; ./check installs it")
            print(f"skipped: {tool} is not there")
            sys.exit(77)
    test = Failover()
    scenarios = {"node": ("node killed", test.kill_node),
                 "postmaster": ("postmaster killed", test.kill_postmaster),
                 "frozen": (f"leader frozen for {FROZEN_S} s", test.freeze)}
    try:
        for name in options.scenarios:
            test.scenario(*scenarios[name])
        test.cluster.await_standbys(90)
        harness.run([harness.STARCTL, "store", "fsck", "--store", test.uri])
        print("fsck clean")
    finally:
        test.close()


if __name__ == "__main__":
    main()
