"""What the server needs does not grow with its clients: --watchers idle watchers,
and an import of --items items, each stay under 512 MiB."""

import argparse
import pathlib
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import harness
import grpc
import crash
from starratings.assessment.v1 import evidence_service_pb2 as pb
from starratings.assessment.v1 import evidence_service_pb2_grpc as pb_grpc

MOST_MIB = 512
BATCH = 10_000
CHANNELS = 20
# Batches that are not acknowledged; the server allows eight.
IN_FLIGHT = threading.Semaphore(6)


def resident_mib(record):
    status = pathlib.Path(f"/proc/{record.service.process.pid}/status").read_text()
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return kib / 1024


def watchers(record, count):
    channels = [grpc.insecure_channel(record.service.grpc,
                                      options=[("grpc.use_local_subchannel_pool", 1)])
                for _ in range(CHANNELS)]
    calls = []
    for i in range(count):
        call = pb_grpc.EvidenceServiceStub(channels[i % CHANNELS]).WatchEvidence(
            pb.WatchEvidenceRequest(codes=["another.code"]))
        calls.append(call)
    for call in calls:
        next(call)  # The opening bookmark: it is being watched.
    request = crash.submission(str(uuid.uuid4()), "seen-by-nobody")
    crash.stub(record.service.grpc).SubmitEvidence(request, metadata=crash.ACTOR, timeout=20)
    time.sleep(2)
    used = resident_mib(record)
    for call in calls:
        call.cancel()
    for channel in channels:
        channel.close()
    return used


def batches(items):
    yield pb.IngestEvidenceRequest(begin=pb.IngestEvidenceRequest.Begin(
        import_id=str(uuid.uuid4()), title="A large import", items_total=items))
    message = pb.IngestEvidenceRequest()
    submit = message.batch.submit
    submit.sources.add(id="a", title="A large import")
    for _ in range(BATCH):
        item = submit.items.add().item
        item.organisation, item.period, item.code = "home", "2001-02", "a.figure"
        item.source_id = "a"
        item.value.decimal = "1"
    for number in range(1, items // BATCH + 1):
        message.batch.number = number
        submit.request_id = str(uuid.uuid4())
        for i, submitted in enumerate(submit.items):
            submitted.item.instance = f"{number}.{i}"
        yield message


def ingest(record, items):
    most = 0
    recorded = 0
    service = crash.stub(record.service.grpc)
    for answer in service.IngestEvidence(limited(batches(items)), metadata=crash.ACTOR):
        if answer.HasField("refused"):
            raise AssertionError(str(answer.refused.error))
        if answer.HasField("recorded"):
            recorded += BATCH
            IN_FLIGHT.release()
            most = max(most, resident_mib(record))
    if recorded != items:
        raise AssertionError(f"{recorded} of {items} items were recorded")
    return most


def limited(requests):
    """As many as the window allows."""
    yield next(requests)
    for request in requests:
        IN_FLIGHT.acquire()
        yield request


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=10_000_000)
    options = parser.parse_args()
    options.backend = "sqlite"
    options.unsynced = options.synchronous_off = False
    record = crash.Record(options)
    try:
        record.start()
        record.register()
        used = watchers(record, options.watchers)
        print(f"{options.watchers} idle watchers: {used:.0f} MiB", flush=True)
        if used > MOST_MIB:
            raise AssertionError(f"more than {MOST_MIB} MiB")
        begun = time.monotonic()
        used = ingest(record, options.items)
        print(f"an import of {options.items} items: {used:.0f} MiB "
              f"({options.items / (time.monotonic() - begun):.0f} items/s)", flush=True)
        if used > MOST_MIB:
            raise AssertionError(f"more than {MOST_MIB} MiB")
    finally:
        record.close()


if __name__ == "__main__":
    main()
