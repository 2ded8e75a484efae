"""What the server needs does not grow with its clients, nor with the record:
--watchers idle watchers, an import of --items items, and exports of
--organisations organisations with an item each (a selection, an open round, and
the same by a caller who is slow), each stay under 512 MiB at their peak."""

import argparse
import hashlib
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
from starratings.assessment.v1 import register_service_pb2 as register_pb
from starratings.assessment.v1 import register_service_pb2_grpc as register_grpc
from starratings.assessment.v1 import round_service_pb2 as round_pb
from starratings.assessment.v1 import round_service_pb2_grpc as round_grpc
from starratings.evidence.v1 import register_pb2

MOST_MIB = 512
BATCH = 10_000
CHANNELS = 20
# Batches that are not acknowledged; the server allows eight.
IN_FLIGHT = threading.Semaphore(6)


def forget_peak(record):
    """What was needed before does not count from here on."""
    pathlib.Path(f"/proc/{record.service.process.pid}/clear_refs").write_text("5")


def peak_mib(record):
    """The most that was resident since the last forget_peak(), whoever looked."""
    status = pathlib.Path(f"/proc/{record.service.process.pid}/status").read_text()
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return kib / 1024


def measure(record, what, work):
    forget_peak(record)
    begun = time.monotonic()
    work()
    used = peak_mib(record)
    print(f"{what}: {used:.0f} MiB at most ({time.monotonic() - begun:.0f} s)", flush=True)
    if used > MOST_MIB:
        raise AssertionError(f"{what}: more than {MOST_MIB} MiB")


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
    for call in calls:
        call.cancel()
    for channel in channels:
        channel.close()


# A large import: --items of one organisation. -------------------------------


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


def ingest(record, messages, items):
    recorded = 0
    service = crash.stub(record.service.grpc)
    for answer in service.IngestEvidence(limited(messages), metadata=crash.ACTOR):
        if answer.HasField("refused"):
            raise AssertionError(str(answer.refused.error))
        if answer.HasField("recorded"):
            recorded += len(answer.recorded.submitted.etags)
            IN_FLIGHT.release()
    if recorded != items:
        raise AssertionError(f"{recorded} of {items} items were recorded")


def limited(requests):
    """As many as the window allows."""
    yield next(requests)
    for request in requests:
        IN_FLIGHT.acquire()
        yield request


# A large record: --organisations, an item each. -----------------------------


def ids(count):
    """In the order of the record, so that it is filled as fast as it can be."""
    names = [f"school-{i}" for i in range(count)]
    return sorted(names, key=lambda name: (hashlib.sha256(name.encode()).digest()[:2], name))


def existed(name):
    """On the round's day: every other one."""
    return int(name.rsplit("-", 1)[1]) % 2 == 0


def register(record, names):
    service = crash.stub(record.service.grpc, register_grpc.RegisterServiceStub)
    request = register_pb.RegisterRequest(request_id=str(uuid.uuid4()))
    request.codes.add(id="b.figure", title="Another figure", kind=register_pb2.KIND_INDICATOR,
                      value_type=register_pb2.VALUE_TYPE_DECIMAL)
    service.Register(request, metadata=crash.ACTOR, timeout=60)
    for first in range(0, len(names), BATCH):
        request = register_pb.RegisterRequest(request_id=str(uuid.uuid4()))
        for name in names[first:first + BATCH]:
            request.organisations.add(id=name, name=f"The {name}", kind="school",
                                      to="" if existed(name) else "2002-01-01")
        service.Register(request, metadata=crash.ACTOR, timeout=60)


def batches_of(names):
    yield pb.IngestEvidenceRequest(begin=pb.IngestEvidenceRequest.Begin(
        import_id=str(uuid.uuid4()), title="One of each", items_total=len(names)))
    for number, first in enumerate(range(0, len(names), BATCH), 1):
        message = pb.IngestEvidenceRequest()
        message.batch.number = number
        submit = message.batch.submit
        submit.request_id = str(uuid.uuid4())
        submit.sources.add(id="a", title="One of each")
        for name in names[first:first + BATCH]:
            item = submit.items.add().item
            item.organisation, item.period, item.code = name, "2001-02", "b.figure"
            item.source_id = "a"
            item.value.decimal = "1"
        yield message


def export(record, request, expected, pause=0):
    """Reads all of an export, which must have an item of each organisation."""
    dossiers = items = 0
    last = None
    for block in crash.stub(record.service.grpc).ExportDossiers(request, timeout=1_200):
        if block.total != expected:
            raise AssertionError(f"{block.total} organisations are announced, not {expected}")
        dossiers += len(block.dossiers)
        items += sum(len(dossier.items) for dossier in block.dossiers)
        place = (block.cursor.bucket, block.cursor.organisation)
        if last is not None and place <= last:
            raise AssertionError(f"{place} follows {last}")
        last = place
        time.sleep(pause)
    if (dossiers, items) != (expected, expected):
        raise AssertionError(f"{dossiers} dossiers and {items} items, not {expected} of each")


def exports(record, count):
    names = ids(count)
    register(record, names)
    ingest(record, batches_of(names), count)
    crash.stub(record.service.grpc, round_grpc.RoundServiceStub).CreateRound(
        round_pb.CreateRoundRequest(
            request_id=str(uuid.uuid4()), round="open", title="An open round",
            selector=pb.OrganisationSelector(kinds=["school"]), period="2001-02",
            date="2002-05-30", scheme="none@1"),
        metadata=crash.ACTOR, timeout=60)
    selection = pb.ExportDossiersRequest(codes=["b.figure"])
    selection.selection.period = "2001-02"
    selection.selection.selector.kinds.append("school")
    of_round = pb.ExportDossiersRequest(round="open", codes=["b.figure"])
    chosen = sum(map(existed, names))
    measure(record, f"an export of {count} organisations",
            lambda: export(record, selection, count))
    measure(record, f"an export of an open round of {chosen} organisations",
            lambda: export(record, of_round, chosen))
    # What is ready while it sleeps must wait in the record, not in the server.
    measure(record, "the same by a slow reader",
            lambda: export(record, of_round, chosen, pause=0.02))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--watchers", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=10_000_000)
    parser.add_argument("--organisations", type=int, default=1_000_000)
    options = parser.parse_args()
    options.unsynced = options.synchronous_off = False
    record = crash.Record(options)
    try:
        record.start()
        record.register()
        if options.watchers:
            measure(record, f"{options.watchers} idle watchers",
                    lambda: watchers(record, options.watchers))
        measure(record, f"an import of {options.items} items",
                lambda: ingest(record, batches(options.items), options.items))
        exports(record, options.organisations)
    finally:
        record.close()


if __name__ == "__main__":
    main()
