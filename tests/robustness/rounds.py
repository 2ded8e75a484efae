"""What the services need does not grow with a round: --organisations with 15 items
each are rated, recorded, exported and recomputed, and each process stays under
256 MiB; starctl, which holds one organisation, under 128."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
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
from starratings.evidence.v1 import register_pb2 as register

ACTOR = (("starratings-actor", "analyst"),)
SERVICE_MIB = 256
CLIENT_MIB = 128
ITEMS = 15
REGISTERED_AT_ONCE = 5_000
BATCH = 6_000
# Batches that are not acknowledged; the server allows eight.
IN_FLIGHT = threading.Semaphore(6)


def scheme():
    inputs = "".join(f'input {{ code: "figure.{i}" ratio {{}} on_missing: ON_MISSING_ABSENT '
                     f'basis: BASIS_ASSUMED }}\n' for i in range(1, ITEMS))
    caps = "".join(f'cap {{ id: "C{i}" target: "quality" limit: "{("poor", "fair")[i % 2]}" '
                   f'unknown: ON_UNKNOWN_SKIP basis: BASIS_ASSUMED any {{ value: "figure.{i}" '
                   f'above {{ fraction {{ numerator: {60 + i} denominator: 100 }} }} }} }}\n'
                   for i in range(1, ITEMS))
    rows = "".join(f'row {{ when: "{level}" then: "{stars}" basis: BASIS_ASSUMED }} '
                   for stars, level in enumerate(("poor", "fair", "good")))
    return f"""
id: "many" version: "1" title: "Many"
in_force {{ from: "2000-01-01" }}
scale {{ id: "quality" level: "poor" level: "fair" level: "good" }}
scale {{ id: "stars" level: "0" level: "1" level: "2" }}
input {{ code: "quality" scale: "quality" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }}
{inputs}{caps}
matrix {{ id: "table" from: "quality" output: "stars" to: "stars" {rows} }}
result {{ value: "stars" title: "Stars" }}
"""


def register_all(services, organisations):
    stub = register_grpc.RegisterServiceStub(grpc.insecure_channel(services.assessment.grpc))
    request = register_pb.RegisterRequest(request_id=str(uuid.uuid4()))
    request.periods.add(id="2001-02", to="2002-04-01", **{"from": "2001-04-01"})
    request.codes.add(id="quality", title="Quality", kind=register.KIND_JUDGEMENT,
                      value_type=register.VALUE_TYPE_LEVEL, levels=["poor", "fair", "good"])
    for i in range(1, ITEMS):
        request.codes.add(id=f"figure.{i}", title="A figure", kind=register.KIND_INDICATOR,
                          value_type=register.VALUE_TYPE_RATIO)
    stub.Register(request, metadata=ACTOR)
    for first in range(0, organisations, REGISTERED_AT_ONCE):
        request = register_pb.RegisterRequest(request_id=str(uuid.uuid4()))
        for i in range(first, min(first + REGISTERED_AT_ONCE, organisations)):
            request.organisations.add(id=f"home-{i:05}", name=f"Home number {i}", kind="home")
        stub.Register(request, metadata=ACTOR)


def batches(organisations):
    yield pb.IngestEvidenceRequest(begin=pb.IngestEvidenceRequest.Begin(
        import_id=str(uuid.uuid4()), title="Many", items_total=organisations * ITEMS))
    each = BATCH // ITEMS
    for number, first in enumerate(range(0, organisations, each), 1):
        message = pb.IngestEvidenceRequest()
        message.batch.number = number
        submit = message.batch.submit
        submit.request_id = str(uuid.uuid4())
        submit.sources.add(id="a", title="A return")
        for i in range(first, min(first + each, organisations)):
            for figure in range(ITEMS):
                item = submit.items.add().item
                item.organisation, item.period, item.source_id = f"home-{i:05}", "2001-02", "a"
                if figure == 0:
                    item.code, item.value.level = "quality", ("poor", "fair", "good")[i % 3]
                else:
                    item.code = f"figure.{figure}"
                    item.value.ratio.numerator = (i * figure) % 63
                    item.value.ratio.denominator = 100
        yield message


def ingest(services, organisations):
    def limited():
        requests = batches(organisations)
        yield next(requests)
        for request in requests:
            IN_FLIGHT.acquire()
            yield request
    stub = pb_grpc.EvidenceServiceStub(grpc.insecure_channel(services.assessment.grpc))
    for answer in stub.IngestEvidence(limited(), metadata=ACTOR):
        if answer.HasField("refused"):
            raise AssertionError(str(answer.refused.error))
        if answer.HasField("recorded"):
            IN_FLIGHT.release()


def peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines()
                if line.startswith("VmHWM")) / 1024


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="utf-8")


def client(services, *arguments, peak=None):
    """Runs starctl, which may take `peak` MiB; returns what it says as an object."""
    command = [harness.STARCTL, "--insecure", "--actor", "analyst", "--timeout", "3600",
               "--assessment", services.assessment.grpc, "--rating", services.rating.grpc,
               "--output", "json", *arguments]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise AssertionError(f"{arguments} exited {process.returncode}")
    if peak is not None and usage.ru_maxrss > peak * 1024:
        raise AssertionError(f"starctl took {usage.ru_maxrss >> 10} MiB for {arguments}")
    return json.loads(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, default=100_000)
    options = parser.parse_args()
    services = harness.Services()
    try:
        path = services.directory / "scheme.textproto"
        path.write_text(scheme(), encoding="utf-8")
        register_all(services, options.organisations)
        services.register_scheme(path)
        ingest(services, options.organisations)
        services.starctl("rounds", "create", "r", "--title", "R", "--period", "2001-02",
                         "--date", "2002-05-30", "--scheme", "many@1")
        services.starctl("rounds", "freeze", "r")
        # Fresh processes: what an import took is not the question.
        for service in (services.rating, services.assessment):
            service.stop()
        services.start_assessment()
        services.start_rating()
        pids = {s.name: s.process.pid for s in (services.assessment, services.rating)}

        def held(what, begun):
            for name, pid in pids.items():
                used = peak_mib(pid)
                print(f"{what}: {name} {used:.0f} MiB", flush=True)
                if used > SERVICE_MIB:
                    raise AssertionError(f"more than {SERVICE_MIB} MiB")
                forget_peak(pid)
            seconds = time.monotonic() - begun
            print(f"{what}: {seconds:.1f} s, "
                  f"{options.organisations * ITEMS / seconds:.0f} items/s", flush=True)

        begun = time.monotonic()
        rated = client(services, "rate", "r", peak=CLIENT_MIB)["summary"]
        held("rate", begun)
        if rated["count"] != str(options.organisations):
            raise AssertionError(str(rated))
        begun = time.monotonic()
        recorded = client(services, "rounds", "record", "r")["summary"]
        held("record", begun)
        if recorded["round_digest"] != rated["round_digest"]:
            raise AssertionError("the ratings recorded are not those rated")
        services.starctl("rounds", "publish", "r", "--yes", actor="chief-inspector")
        begun = time.monotonic()
        file = services.directory / "r.round"
        client(services, "export-round", "r", f"--output={file}", peak=CLIENT_MIB)
        held("export-round", begun)
        begun = time.monotonic()
        done = client(services, "recompute", str(file), "--digest", rated["round_digest"],
                      peak=CLIENT_MIB)
        print(f"recompute: {time.monotonic() - begun:.1f} s, {file.stat().st_size >> 20} MiB",
              flush=True)
        if not done["equal"] or done["organisations"] != options.organisations:
            raise AssertionError(str(done))
    finally:
        services.close()


if __name__ == "__main__":
    main()
