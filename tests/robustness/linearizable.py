"""Concurrent clients submit with etags and read at latest while the service, or
one replica after the other, is killed and started again; their history must be
linearizable.

Writes the history as lines of JSON and hands it to linearizable_check. What was
not answered has an unknown outcome: it may have happened, or not.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness
import grpc
import crash
from google.rpc import error_details_pb2, status_pb2
from starratings.assessment.v1 import evidence_service_pb2 as pb

CLIENTS = 8
KEYS = 4


class History:
    def __init__(self):
        self.lock = threading.Lock()
        self.lines = []

    def add(self, **line):
        with self.lock:
            self.lines.append(line)


def now_us():
    return time.monotonic_ns() // 1000


def current_etag(error):
    """What a refusal says stands under the key; nothing if there is none."""
    for name, value in error.trailing_metadata():
        if name == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            for detail in status.details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    etag = info.metadata["etag"]
                    return None if etag == "*none*" else etag
    raise AssertionError(f"a refusal without an etag: {error.details()}")


class Client:
    def __init__(self, number, history, keys="k"):
        self.number = number
        self.history = history
        self.keys = keys  # What their names begin with.
        self.values = 0
        self.etags = {}

    def submit(self, service, key):
        self.values += 1
        value = f"{self.number}{self.values:06}"
        request = crash.submission(str(uuid.uuid4()), key)
        request.reason = "A test of order"
        request.items[0].item.value.decimal = value
        expected = self.etags.get(key)
        if random.random() < 0.8:
            request.items[0].etag = expected or "*none*"
        line = {"client": self.number, "key": key, "op": "submit", "value": value,
                "etag_expected": request.items[0].etag or None, "etag_seen": None,
                "value_seen": None, "call_us": now_us()}
        try:
            answer = service.SubmitEvidence(request, metadata=crash.ACTOR, timeout=5)
            self.etags[key] = answer.etags[0]
            line.update(outcome="ok", etag_seen=answer.etags[0], return_us=now_us())
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.ABORTED:
                line.update(outcome="mismatch", etag_seen=current_etag(error),
                            return_us=now_us())
                self.etags.pop(key, None)
            elif error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED,
                                  grpc.StatusCode.DEADLINE_EXCEEDED):
                line.update(outcome="unknown", return_us=None)
                self.etags.pop(key, None)
                self.history.add(**line)
                return False
            else:
                raise
        self.history.add(**line)
        return True

    def read(self, service, key):
        request = pb.GetEvidenceRequest()
        request.key.organisation, request.key.period = "home", "2001-02"
        request.key.code, request.key.instance = "a.figure", key
        begun = now_us()
        try:
            answer = service.GetEvidence(request, timeout=5)
            etag, value = answer.item.etag, answer.item.item.value.decimal
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                return False  # A read that was not answered says nothing.
            etag = value = None
        self.etags[key] = etag
        self.history.add(client=self.number, key=key, op="read", value=None, etag_expected=None,
                         call_us=begun, return_us=now_us(), outcome="ok", etag_seen=etag,
                         value_seen=value)
        return True

    def run(self, address, stop):
        service = crash.stub(address)
        while not stop.is_set():
            key = f"{self.keys}{random.randrange(KEYS)}"
            do = self.read if random.random() < 0.5 else self.submit
            if not do(service, key):
                time.sleep(0.05)


def judge(history, directory):
    """What linearizable_check says of it; nothing if all is well."""
    path = directory / "history.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in history.lines))
    checker = harness.BUILD / "tests" / "linearizable" / "linearizable_check"
    result = subprocess.run([str(checker), str(path)], capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args()
    options.unsynced = options.synchronous_off = False
    record = crash.Record(options)
    history = History()
    try:
        record.start()
        record.register()
        # A database that replicas share has two.
        other = record.start_other() if options.backend == "postgres" else None
        addresses = [record.service.grpc] + ([other.grpc] if other else [])
        stop = threading.Event()
        clients = [Client(i + 1, history) for i in range(CLIENTS)]
        threads = [threading.Thread(target=client.run, args=(addresses[i % len(addresses)], stop))
                   for i, client in enumerate(clients)]
        for thread in threads:
            thread.start()
        for kill in range(options.kills):
            time.sleep(random.uniform(0.3, 0.9))
            if other and kill % 2 == 1:
                other.kill()
                other = record.start_other(other.grpc)
            else:
                record.service.kill()
                record.start()
        time.sleep(0.7)
        stop.set()
        for thread in threads:
            thread.join()
        breach = judge(history, record.directory)
        unknown = sum(line["outcome"] == "unknown" for line in history.lines)
        print(f"{options.backend}, {len(addresses)} serving: {len(history.lines)} operations, "
              f"{unknown} of unknown outcome, {options.kills} kills: "
              f"{'NOT ' if breach else ''}linearizable")
        if breach:
            sys.exit(breach)
    finally:
        record.close()


if __name__ == "__main__":
    main()
