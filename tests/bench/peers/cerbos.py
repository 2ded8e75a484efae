"""A batch of decisions by Cerbos over gRPC, beside a round of as many by rating-svc.

Both are called in turns by one client, which sends and receives bytes: what a
message is made of costs it nothing.
"""

import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import time

import harness

HERE = pathlib.Path(__file__).parent
TURNS = 31
COUNCILS = 150


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def server(program, rules):
    """A server that knows the policy; gives its address."""
    import grpc
    address = f"127.0.0.1:{free_port()}"
    settings = {
        "server.grpcListenAddr": address, "server.httpListenAddr": f"127.0.0.1:{free_port()}",
        "server.requestLimits.maxResourcesPerRequest": COUNCILS, "storage.driver": "disk",
        "storage.disk.directory": rules / "cerbos", "telemetry.disabled": "true"}
    # Its log is in the way of nobody: errors only.
    command = [str(program), "server", "--log-level=error"]
    command += [f"--set={name}={value}" for name, value in settings.items()]
    process = subprocess.Popen(command, cwd=rules)
    try:
        grpc.channel_ready_future(grpc.insecure_channel(address)).result(timeout=60)
        yield address
    finally:
        process.terminate()
        process.wait()


def request(cases, messages):
    """CheckResources of the cases, a resource each."""
    batch = messages.CheckResourcesRequest(request_id="batch")
    batch.principal.id = "inspector"
    batch.principal.roles.append("inspector")
    for i, one in enumerate(cases):
        resource = batch.resources.add(actions=["rate"]).resource
        resource.kind, resource.id = "council", f"council-{i:03}"
        for name, value in one.items():
            if name == "stars":
                continue
            attribute = resource.attr[name]
            if value is None:
                attribute.null_value = 0
            elif isinstance(value, list):
                attribute.number_value = value[0] / value[1]
            else:
                attribute.number_value = value
    return batch.SerializeToString()


def stars_of(reply, messages):
    found = messages.CheckResourcesResponse.FromString(reply)
    return {entry.resource.id: entry.outputs[0].val.number_value for entry in found.results}


def agrees(call, cases, messages):
    """Whether all cases come out as expected, batch by batch."""
    for at in range(0, len(cases), COUNCILS):
        some = cases[at:at + COUNCILS]
        found = stars_of(call(request(some, messages)), messages)
        if [found[f"council-{i:03}"] for i in range(len(some))] != [c["stars"] for c in some]:
            return False
    return True


def generate(rules):
    """The messages of its interface."""
    harness.run(["protoc", f"-I{HERE}", f"--python_out={rules}", HERE / "cerbos.proto"])
    sys.path.insert(0, str(rules))
    import cerbos_pb2
    return cerbos_pb2


def timed(call):
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def compare(program, rules):
    """Decisions a second: of Cerbos, and of rating-svc for each detail of trace."""
    import grpc
    from starratings.rating.v1 import rating_pb2
    from starratings.rating.v1 import rating_service_pb2 as service
    messages = generate(rules)
    cases = json.loads((rules / "cases.json").read_text())
    services = harness.Services()
    try:
        services.load_england()
        services.create_round()
        services.starctl("rounds", "freeze", "2002-05")
        ours = grpc.insecure_channel(services.rating.grpc).unary_stream(
            "/starratings.rating.v1.RatingService/RateRound")
        rounds = {trace: service.RateRoundRequest(
            round="2002-05", trace=getattr(rating_pb2, f"TRACE_DETAIL_{trace}")).SerializeToString()
            for trace in ("PACKED", "FULL")}
        with server(program, rules) as address:
            theirs = grpc.insecure_channel(address).unary_unary(
                "/cerbos.svc.v1.CerbosService/CheckResources")
            if not agrees(theirs, cases, messages):
                return None
            batch = request(cases[::len(cases) // COUNCILS][:COUNCILS], messages)
            took = {"Cerbos": [], **{trace: [] for trace in rounds}}
            for _ in range(TURNS):
                took["Cerbos"].append(timed(lambda: theirs(batch)))
                for trace, bytes_ in rounds.items():
                    took[trace].append(timed(lambda sent=bytes_: list(ours(sent))))
        return {what: COUNCILS / statistics.median(times) for what, times in took.items()}
    finally:
        services.close()
