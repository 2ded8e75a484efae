"""Kills assessment-svc under load, again and again, and holds it to what it
acknowledged: crash.py --backend sqlite|postgres --rounds N [--unsynced]
[--synchronous-off].

In each round writers submit items, each under a key of its own, until the
service dies: of SIGKILL at a random moment, or at a named moment of a commit.
Then it is started again, and every writer sends what was not answered again,
under the same request id. Afterwards

- every acknowledged item is there, at the revision that was acknowledged,
- once: nobody's request became two revisions,
- revisions are dense, and fsck finds nothing.

With --unsynced what was written but not synced dies with the process; with
--synchronous-off, too, nothing is ever synced, and the test must find that out:
it then exits with 0 only if something acknowledged was lost.
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
import harness
import grpc
from starratings.assessment.v1 import evidence_service_pb2 as pb
from starratings.assessment.v1 import evidence_service_pb2_grpc as pb_grpc
from starratings.assessment.v1 import register_service_pb2 as register_pb
from starratings.assessment.v1 import register_service_pb2_grpc as register_grpc
from starratings.evidence.v1 import register_pb2

FAILPOINTS = ["before_begin", "after_begin", "before_head", "after_head", "before_commit",
              "after_commit", "before_reply"]
WRITERS = 6
ACTOR = (("starratings-actor", "crash-test"),)


class Lost(AssertionError):
    """Something that was acknowledged is not so."""


def stub(address, kind=pb_grpc.EvidenceServiceStub):
    return kind(grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]))


def submission(request_id, instance):
    request = pb.SubmitEvidenceRequest(request_id=request_id)
    request.sources.add(id="a", title="A crash test")
    item = request.items.add().item
    item.organisation, item.period, item.code = "home", "2001-02", "a.figure"
    item.instance, item.source_id = instance, "a"
    item.value.decimal = "1"
    return request


class Writer:
    """Submits one item after another; keeps what it does not know about."""

    def __init__(self, name):
        self.name = name
        self.count = 0
        self.open = None      # The request that was not answered.
        self.acknowledged = {}  # Instance to revision.

    def run(self, address, stop):
        service = stub(address)
        while not stop.is_set():
            if self.open is None:
                self.count += 1
                self.open = submission(str(uuid.uuid4()), f"{self.name}-{self.count}")
            try:
                answer = service.SubmitEvidence(self.open, metadata=ACTOR, timeout=20)
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED,
                                    grpc.StatusCode.DEADLINE_EXCEEDED):
                    return  # The service has gone: nobody knows what became of it.
                raise
            self.acknowledged[self.open.items[0].item.instance] = answer.snapshot.revision
            self.open = None


class Record:
    """A store, and the service on it."""

    def __init__(self, options):
        self.options = options
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-crash-"))
        os.chmod(self.directory, 0o755)
        if options.backend == "sqlite":
            self.store = f"sqlite:{self.directory}/record.db"
        else:
            script = pathlib.Path(__file__).parents[1] / "store" / "postgres.sh"
            harness.run([script, "start", self.directory, str(os.getpid())])
            self.store = (self.directory / "uri").read_text().strip()
        harness.run([harness.STARCTL, "store", "migrate", "--store", self.store])
        self.service = None
        self.other = None

    def start_other(self, address="127.0.0.1:0"):
        """Another replica on the same store; ends with the record."""
        self.other = harness.Process(
            [harness.BUILD / "assessment-svc" / "assessment-svc", "--insecure", "--listen", address,
             "--health_listen", "127.0.0.1:0", "--metrics_listen", "", "--store", self.store],
            self.directory, "assessment-other")
        return self.other

    def start(self, kill_at=None, faults=True):
        environment = {}
        if kill_at:
            environment["STARRATINGS_KILL_AT"] = kill_at
        if faults and self.options.unsynced:
            environment["STARRATINGS_UNSYNCED"] = "1"
        if faults and self.options.synchronous_off:
            environment["STARRATINGS_SYNCHRONOUS"] = "OFF"
        port = self.service.grpc.rsplit(":", 1)[1] if self.service else 0
        try:
            self.service = harness.Process(
                [harness.BUILD / "tests" / "robustness" / "faulty_assessment_svc", "--insecure",
                 "--listen", f"127.0.0.1:{port}", "--health_listen", "127.0.0.1:0",
                 "--metrics_listen", "", "--store", self.store],
                self.directory, "assessment-svc", environment)
        except AssertionError as error:
            if self.service is None:
                raise
            raise Lost(f"it does not start again: {error}") from error

    def register(self):
        request = register_pb.RegisterRequest(request_id=str(uuid.uuid4()))
        request.organisations.add(id="home", name="Home", kind="home")
        period = request.periods.add(id="2001-02", to="2002-04-01")
        setattr(period, "from", "2001-04-01")
        request.codes.add(id="a.figure", title="A figure", kind=register_pb2.KIND_INDICATOR,
                          value_type=register_pb2.VALUE_TYPE_DECIMAL)
        stub(self.service.grpc, register_grpc.RegisterServiceStub).Register(
            request, metadata=ACTOR, timeout=20)

    def check(self, after, writers):
        """Reads the log after token `after`, to its end; returns its last token."""
        service = stub(self.service.grpc)
        head = service.ListEvidence(pb.ListEvidenceRequest(page_size=1), timeout=20).snapshot
        there = {}
        last = 0
        for message in service.WatchEvidence(
                pb.WatchEvidenceRequest(after=after, until=head.token), timeout=60):
            for item in message.items:
                instance = item.item.instance
                if instance in there:
                    raise Lost(f"{instance} is there twice: at {there[instance]}, {item.revision}")
                there[instance] = item.revision
                if last and item.revision != last + 1:
                    raise Lost(f"revision {item.revision} follows {last}")
                last = item.revision
        for writer in writers:
            for instance, revision in writer.acknowledged.items():
                if there.get(instance) != revision:
                    raise Lost(f"{instance} was acknowledged at {revision} and is at "
                               f"{there.get(instance, 'no revision')}")
            writer.acknowledged = {}
        return head.token, len(there)

    def close(self):
        for service in (self.service, self.other):
            if service is not None and service.process.poll() is None:
                service.kill()
        if self.options.backend == "postgres":
            script = pathlib.Path(__file__).parents[1] / "store" / "postgres.sh"
            harness.run([script, "stop", self.directory])
        shutil.rmtree(self.directory, ignore_errors=True)


def one_round(record, writers, number, after):
    """Starts, loads, kills, starts again, checks; returns the token reached."""
    # Half of the rounds die at a named moment, early or late.
    kill_at = None
    if number % 2 == 0:
        name = FAILPOINTS[number // 2 % len(FAILPOINTS)]
        kill_at = f"{name}:{random.randint(1, 40)}"
    record.start(kill_at)
    stop = threading.Event()
    threads = [threading.Thread(target=writer.run, args=(record.service.grpc, stop))
               for writer in writers]
    for thread in threads:
        thread.start()
    try:
        record.service.process.wait(timeout=20 if kill_at else random.uniform(0.05, 0.4))
    except subprocess.TimeoutExpired:
        if kill_at:
            raise AssertionError(f"it does not come to {kill_at}: {record.service.log()}") from None
        record.service.kill()
    stop.set()
    for thread in threads:
        thread.join()
    record.start()
    # What was not answered is sent again: what was written is answered as such.
    for writer in writers:
        if writer.open is not None:
            answer = stub(record.service.grpc).SubmitEvidence(writer.open, metadata=ACTOR,
                                                              timeout=20)
            writer.acknowledged[writer.open.items[0].item.instance] = answer.snapshot.revision
            writer.open = None
    token, count = record.check(after, writers)
    record.service.kill()
    return token, count


def run(options):
    record = Record(options)
    writers = [Writer(f"w{i}") for i in range(WRITERS)]
    try:
        record.start(faults=False)
        record.register()
        token = stub(record.service.grpc).ListEvidence(
            pb.ListEvidenceRequest(page_size=1), timeout=20).snapshot.token
        if record.service.stop() != 0:
            raise AssertionError(record.service.log())
        written = 0
        begun = time.monotonic()
        for number in range(options.rounds):
            token, count = one_round(record, writers, number, token)
            written += count
        harness.run([harness.STARCTL, "store", "fsck", "--store", record.store])
        print(f"{options.backend}{', unsynced writes dropped' if options.unsynced else ''}: "
              f"{options.rounds} kills, {written} acknowledged writes, none lost, none twice, "
              f"fsck clean ({time.monotonic() - begun:.0f} s)", flush=True)
    finally:
        record.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--unsynced", action="store_true")
    parser.add_argument("--synchronous-off", action="store_true")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    random.seed(seed)
    print(f"seed {seed}", flush=True)
    if not options.synchronous_off:
        run(options)
        return
    try:
        run(options)
    except Lost as loss:
        print(f"found out, as it must be: {str(loss).splitlines()[0]}")
        return
    sys.exit("nothing was ever synced, and nobody noticed")


if __name__ == "__main__":
    main()
