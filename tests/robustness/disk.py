"""What happens to a record on SQLite when its disk fails: disk.py

Full, read-only, and I/O errors at the n-th sync: a clear error, not ready,
nothing acknowledged lost, and all is well again without hand work once the
cause is gone. Needs root for a file system of its own, and strace.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness
import grpc
import crash
from grpc_health import health_pb2, health_pb2_grpc
from starratings.assessment.v1 import evidence_service_pb2 as pb



class Disk:
    """A record on a disk of 16 MB."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-disk-"))
        self.place = self.directory / "disk"
        self.place.mkdir()
        harness.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", self.place])
        self.store = f"sqlite:{self.place}/record.db"
        self.acknowledged = {}
        self.service = None
        self.tracer = None
        harness.run([harness.STARCTL, "store", "migrate", "--store", self.store])
        self.start()
        crash.Record.register(self)

    def start(self):
        command = [harness.BUILD / "assessment-svc" / "assessment-svc", "--insecure",
                   "--listen", "127.0.0.1:0", "--health_listen", "127.0.0.1:0",
                   "--metrics_listen", "", "--store", self.store]
        self.service = harness.Process(command, self.directory, "assessment-svc")

    def trace(self, injection, file="record.db-wal", calls="/dev/null"):
        """Injects faults into the running service's calls on a file of the record."""
        self.tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", calls, "-p", str(self.service.process.pid),
             "-P", f"{self.place}/{file}", "-e", injection],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        status = pathlib.Path(f"/proc/{self.service.process.pid}/status")
        deadline = time.monotonic() + 10
        while "TracerPid:\t0\n" in status.read_text():
            if time.monotonic() > deadline or self.tracer.poll() is not None:
                raise AssertionError(f"strace does not attach: {self.tracer.communicate()}")
            time.sleep(0.01)
        time.sleep(0.2)  # All threads.

    def untrace(self):
        self.tracer.terminate()
        self.tracer.wait()

    def write(self):
        """Submits an item; returns the error, or none."""
        request = crash.submission(str(uuid.uuid4()), uuid.uuid4().hex)
        try:
            answer = crash.stub(self.service.grpc).SubmitEvidence(
                request, metadata=crash.ACTOR, timeout=10)
        except grpc.RpcError as error:
            return error
        self.acknowledged[request.items[0].item.instance] = answer.snapshot.revision
        return None

    def ready(self):
        stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(self.service.health))
        answer = stub.Check(health_pb2.HealthCheckRequest(service="readiness"), timeout=10)
        return answer.status == health_pb2.HealthCheckResponse.SERVING

    def await_ready(self, wanted):
        deadline = time.monotonic() + 20
        while self.ready() != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"readiness does not become {wanted}")
            time.sleep(0.1)

    def expect_refusal(self, words):
        error = self.write()
        if error is None:
            raise AssertionError("a write was acknowledged that cannot be durable")
        if error.code() != grpc.StatusCode.UNAVAILABLE or words not in error.details():
            raise AssertionError(f"not a clear error: {error.code()} {error.details()}")

    def check(self):
        """Everything that was acknowledged is there; also after a restart."""
        for restart in (False, True):
            if restart:
                self.service.kill()
                self.start()
            reader = crash.stub(self.service.grpc)
            there = {}
            token = ""
            while True:
                page = reader.ListEvidence(
                    pb.ListEvidenceRequest(page_size=1000, page_token=token), timeout=20)
                there.update({item.item.instance: item.revision for item in page.items})
                token = page.next_page_token
                if not token:
                    break
            lost = {instance for instance, revision in self.acknowledged.items()
                    if there.get(instance) != revision}
            if lost:
                raise AssertionError(f"{len(lost)} acknowledged writes lost")
        harness.run([harness.STARCTL, "store", "fsck", "--store", self.store])

    def full(self):
        ballast = self.place / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        deadline = time.monotonic() + 20
        while True:  # There may be room left in the log that was written before.
            error = self.write()
            if error is not None:
                break
            if time.monotonic() > deadline:
                raise AssertionError("the disk does not get full")
        if error.code() != grpc.StatusCode.UNAVAILABLE or "full" not in error.details():
            raise AssertionError(f"not a clear error: {error.code()} {error.details()}")
        self.await_ready(False)
        ballast.unlink()
        self.await_ready(True)
        if self.write() is not None:
            raise AssertionError("the disk has room again, and nothing is written")
        self.check()
        print("full disk: refused, not ready, then well again", flush=True)

    def read_only(self):
        self.trace("inject=pwrite64:error=EROFS")
        self.expect_refusal("cannot be reached")
        self.await_ready(False)
        self.untrace()
        self.await_ready(True)
        if self.write() is not None:
            raise AssertionError("the disk can be written again, and nothing is")
        self.check()
        self.service.kill()
        harness.run(["mount", "-o", "remount,ro", self.place])
        self.start()
        self.expect_refusal("cannot be reached")
        self.await_ready(False)
        harness.run(["mount", "-o", "remount,rw", self.place])
        self.await_ready(True)
        if self.write() is not None:
            raise AssertionError("the disk can be written again, and nothing is")
        self.check()
        print("read-only disk: refused, not ready, then well again", flush=True)

    def expect_unknown(self, error):
        """What was written and not synced may be there after all."""
        if error is None:
            raise AssertionError("a write was acknowledged that was not synced")
        if error.code() != grpc.StatusCode.UNAVAILABLE or (
                "send the same request again" not in error.details()):
            raise AssertionError(f"not a clear error: {error.code()} {error.details()}")

    def sync_errors(self, sweep):
        for n in range(1, sweep + 1):
            # Of each thread: strace counts them apart.
            self.trace(f"inject=fdatasync,fsync:error=EIO:when={n}")
            for _ in range(sweep + 3):
                error = self.write()
                if error is not None:
                    break
            else:
                raise AssertionError(f"the error at sync {n} was not noticed")
            self.expect_unknown(error)
            self.untrace()
            # And as long as no sync succeeds, it is not ready.
            self.trace("inject=fdatasync,fsync:error=EIO")
            self.expect_unknown(self.write())
            self.await_ready(False)
            self.untrace()
            self.await_ready(True)
            if self.write() is not None:
                raise AssertionError(f"after the error at sync {n} nothing is written")
            self.check()
        print(f"I/O error at the n-th sync, n from 1 to {sweep}: refused, nothing lost",
              flush=True)

    def checkpoint_errors(self, batches_most=200, items=5000):
        """What is synced is safe in the log, whatever becomes of the file behind it."""
        harness.run(["mount", "-o", "remount,size=1g", self.place])
        calls = self.directory / "calls"
        self.trace("inject=fdatasync,fsync:error=EIO", file="record.db", calls=str(calls))
        failed = batch = 0
        while failed < 3:
            if batch == batches_most:
                raise AssertionError("no checkpoint was tried")
            batch += 1
            request = crash.submission(str(uuid.uuid4()), "")
            first = request.items.pop()
            for i in range(items):
                first.item.instance = f"{batch}-{i}"
                request.items.append(first)
            answer = crash.stub(self.service.grpc).SubmitEvidence(
                request, metadata=crash.ACTOR, timeout=30)
            for item in request.items:
                self.acknowledged[item.item.instance] = answer.snapshot.revision
            failed = calls.read_text().count("EIO")
        self.untrace()
        self.check()
        print(f"I/O error at the sync of {failed} checkpoints: nothing refused, nothing lost",
              flush=True)

    def close(self):
        if self.service is not None and self.service.process.poll() is None:
            self.service.kill()
        subprocess.run(["umount", str(self.place)], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", type=int, default=12, help="the last n")
    parser.add_argument("--checkpoints", action="store_true",
                        help="also fail the sync of checkpoints, which takes many items")
    options = parser.parse_args()
    if os.getuid() != 0 or shutil.which("strace") is None:
        if os.environ.get("CI") == "true":
            sys.exit("disk.py needs root and strace")
        print("skipped: needs root and strace")
        sys.exit(77)
    disk = Disk()
    try:
        disk.full()
        disk.read_only()
        disk.sync_errors(options.sweep)
        if options.checkpoints:
            disk.checkpoint_errors()
    finally:
        disk.close()


if __name__ == "__main__":
    main()
