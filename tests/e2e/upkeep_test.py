"""Care of the record: a backup under load, a restore, and what comes of those who
remember the time that is lost."""

import json
import os
import pathlib
import shutil
import sqlite3
import tempfile
import threading
import time
import unittest
import uuid

import grpc

import harness

# Found once harness has put the generated code on the path.
from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.evidence.v1 import evidence_pb2 as evidence

POSTGRES = pathlib.Path(__file__).parents[1] / "store" / "postgres.sh"
SUPPLIER = (("starratings-actor", "supplier"),)
WRITERS = 3
DAMAGED = 6  # Exit codes of starctl.
REFUSED = 4
BAD_FILE = 3


def key_of(name):
    """Each write says something else: an instance of its own."""
    return evidence_service.EvidenceKey(organisation="home-1", period="2001-02", code="a.figure",
                                        instance=name)


def submit_request(name, value):
    key = key_of(name)
    request = evidence_service.SubmitEvidenceRequest(
        request_id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        sources=[evidence.Source(id="s", title="A test")])
    request.items.add().item.CopyFrom(evidence.EvidenceItem(
        organisation=key.organisation, period=key.period, code=key.code, instance=key.instance,
        value=evidence.Value(decimal=str(value)), source_id="s"))
    return request


class Writers:
    """Write as fast as they are answered, and remember every answer."""

    def __init__(self, address):
        self.stub = evidence_grpc.EvidenceServiceStub(grpc.insecure_channel(address))
        self.answers = {}  # The name of a write: its snapshot.
        self.failures = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(w,)) for w in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self, writer):
        count = 0
        while not self.stopped.is_set():
            name = f"w{writer}.{count}"
            try:
                reply = self.stub.SubmitEvidence(submit_request(name, count), metadata=SUPPLIER,
                                                 timeout=harness.PATIENCE_S)
            except grpc.RpcError as error:
                self.failures.append(error)
                return
            self.answers[name] = reply.snapshot
            count += 1

    def wait_for(self, more):
        enough = len(self.answers) + more
        deadline = time.monotonic() + harness.PATIENCE_S
        while len(self.answers) < enough and not self.failures:
            if time.monotonic() > deadline:
                raise AssertionError("nothing is written any more")
            time.sleep(0.01)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


class UpkeepTest(harness.ServiceTest):
    def new_store(self, name):
        """Where a record may be made."""
        return f"sqlite:{self.services.directory}/{name}.db"

    def is_empty(self, store):
        """Whether nothing was made there."""
        return not pathlib.Path(store.removeprefix("sqlite:")).exists()

    def setUp(self):
        services, directory = self.services, self.services.directory
        for what, text in (
                ("organisations", "id,name,kind\nhome-1,Home,home\n"),
                ("periods", "id,from,to\n2001-02,2001-04-01,2002-04-01\n"),
                ("codes", "id,title,kind,value_type\na.figure,A figure,INDICATOR,DECIMAL\n")):
            (directory / f"{what}.csv").write_text(text, encoding="utf-8")
            services.starctl("register", what, str(directory / f"{what}.csv"))

    def store(self, command, *arguments, expected=0):
        """Runs starctl store; returns what it says."""
        result = harness.run([harness.STARCTL, "--output", "json", "store", command, *arguments],
                             ok=False)
        self.assertEqual(result.returncode, expected, result.stdout + result.stderr)
        return json.loads(result.stdout) if result.stdout else result.stderr

    def items(self, stub):
        """All that the record holds: the value and revision of each write."""
        found, token = {}, ""
        while True:
            page = stub.ListEvidence(evidence_service.ListEvidenceRequest(page_size=1000,
                                                                          page_token=token))
            for item in page.items:
                found[item.item.instance] = (item.item.value.decimal, item.revision)
            token = page.next_page_token
            if not token:
                return found

    def refused_as_restored(self, call):
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        self.assertEqual(caught.exception.code(), grpc.StatusCode.FAILED_PRECONDITION,
                         caught.exception.details())
        details = dict(caught.exception.trailing_metadata())["grpc-status-details-bin"]
        self.assertIn(b"STORE_RESTORED", details)

    def test_a_backup_under_load_is_restored_and_the_lost_future_is_refused(self):
        services, directory = self.services, self.services.directory
        backup, restored = directory / "backup.db", self.new_store("restored")
        writers = Writers(services.assessment.grpc)
        writers.wait_for(300)
        before = dict(writers.answers)
        made = self.store("backup", "--store", services.store, "--to", backup)
        self.assertTrue(made["verified"])
        writers.wait_for(100)
        self.assertEqual(self.store("fsck", "--store", services.store)["faults"], [])
        writers.stop()
        self.assertEqual(writers.failures, [])
        services.assessment.kill()
        head = int(made["revision"])
        kept = {n: s for n, s in writers.answers.items() if s.revision <= head}
        lost = {n: s for n, s in writers.answers.items() if s.revision > head}
        self.assertTrue(before.keys() <= kept.keys())
        self.assertGreater(len(lost), 0)

        print(f"\n{len(kept)} writes kept, {len(lost)} lost")
        now = self.store("restore", "--from", backup, "--to", restored)
        self.assertEqual(now["store"], made["store"])
        self.assertGreater(int(now["incarnation"]), int(made["incarnation"]))
        self.assertEqual(now["revision"], made["revision"])
        self.assertEqual(self.store("fsck", "--store", restored)["faults"], [])
        services.store = restored
        services.start_assessment()
        stub = evidence_grpc.EvidenceServiceStub(grpc.insecure_channel(services.assessment.grpc))

        self.assertEqual(self.items(stub),
                         {name: (name.split(".")[1], snapshot.revision)
                          for name, snapshot in kept.items()})
        for snapshot in (*list(kept.values())[-2:], *list(lost.values())[:2]):
            for freshness in (evidence.Freshness(exactly=snapshot.token),
                              evidence.Freshness(at_least=snapshot.token)):
                self.refused_as_restored(lambda f=freshness: stub.GetEvidence(
                    evidence_service.GetEvidenceRequest(key=key_of("w0.0"), freshness=f)))
            self.refused_as_restored(lambda s=snapshot: list(stub.WatchEvidence(
                evidence_service.WatchEvidenceRequest(after=s.token, until=s.token))))

        # What is lost can be said again; what is kept is known.
        for name, was_kept in ((next(iter(lost)), False), (next(iter(kept)), True)):
            reply = stub.SubmitEvidence(submit_request(name, int(name.split(".")[1])),
                                        metadata=SUPPLIER)
            self.assertEqual(reply.replayed, was_kept)
            snapshot = reply.snapshot
            self.assertEqual(snapshot.revision, kept[name].revision if was_kept else head + 1)
            stub.GetEvidence(evidence_service.GetEvidenceRequest(
                key=key_of(name), freshness=evidence.Freshness(exactly=snapshot.token)))

        self.refusals(backup, restored)

    def test_a_copy_is_the_same_record_elsewhere(self):
        services = self.services
        writers = Writers(services.assessment.grpc)
        writers.wait_for(20)
        writers.stop()
        self.assertEqual(writers.failures, [])
        stub = evidence_grpc.EvidenceServiceStub(grpc.insecure_channel(services.assessment.grpc))
        held = self.items(stub)
        token = stub.GetEvidence(evidence_service.GetEvidenceRequest(
            key=key_of("w0.0"))).snapshot.token
        copied = self.new_store("copied")
        services.assessment.stop()
        says = self.store("copy", "--from", services.store, "--to", copied)
        self.assertEqual(says["token"], self.store("fsck", "--store", services.store)["token"])
        self.store("copy", "--from", services.store, "--to", copied, expected=REFUSED)
        old, services.store = services.store, copied
        try:
            services.start_assessment()
            stub = evidence_grpc.EvidenceServiceStub(
                grpc.insecure_channel(services.assessment.grpc))
            self.assertEqual(self.items(stub), held)
            # What was said before the move means the same after it.
            stub.GetEvidence(evidence_service.GetEvidenceRequest(
                key=key_of("w0.0"), freshness=evidence.Freshness(exactly=token)))
            again = stub.SubmitEvidence(submit_request("w0.0", 0), metadata=SUPPLIER)
            self.assertTrue(again.replayed)
            services.assessment.stop()
        finally:
            services.store = old
            services.start_assessment()

    def refusals(self, backup, restored):
        """Nothing is overwritten, and nothing damaged is restored."""
        directory = self.services.directory
        message = self.store("restore", "--from", backup, "--to", restored, expected=REFUSED)
        self.assertIn("STORE_NOT_EMPTY", message)
        self.store("backup", "--store", restored, "--to", backup, expected=BAD_FILE)
        damaged = directory / "damaged.db"
        shutil.copy(backup, damaged)
        with sqlite3.connect(damaged) as database:
            database.execute("DROP TRIGGER commits_update")
            database.execute("UPDATE commits SET reason = 'never said' WHERE revision = 4")
        database.close()
        report = self.store("fsck", "--store", f"sqlite:{damaged}", expected=DAMAGED)
        self.assertEqual([(f["code"], f["where"]) for f in report["faults"]],
                         [("LEAF_HASH", "revision 4")])
        new = self.new_store("new")
        self.store("restore", "--from", damaged, "--to", new, expected=DAMAGED)
        self.assertTrue(self.is_empty(new))


@unittest.skipIf(os.environ.get("STARRATINGS_TEST_POSTGRES_URI"),
                 "the server that is given is not ours to fill")
class PostgresUpkeepTest(UpkeepTest):
    """The same on PostgreSQL; its backup is a file all the same."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = pathlib.Path(tempfile.mkdtemp(prefix="starratings-upkeep-"))
        cls.addClassCleanup(shutil.rmtree, cls.cluster, ignore_errors=True)
        harness.run([POSTGRES, "start", cls.cluster, str(os.getpid())])
        if not (cls.cluster / "uri").exists():
            raise unittest.SkipTest("PostgreSQL is not there; ./check installs it")
        cls.addClassCleanup(harness.run, [POSTGRES, "stop", cls.cluster])
        cls.server = (cls.cluster / "uri").read_text().strip()
        cls.services = harness.Services(store=cls.new_database("record"))
        cls.addClassCleanup(cls.services.close)

    @classmethod
    def new_database(cls, name):
        harness.psql(cls.server, f"CREATE DATABASE {name}")
        return cls.server.replace("/postgres?", f"/{name}?")

    def new_store(self, name):
        return self.new_database(name)

    def is_empty(self, store):
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        return harness.psql(store, tables) == "0"


if __name__ == "__main__":
    harness.main()
