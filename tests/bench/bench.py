"""Runs every benchmark and prints value, limit and ratio: bench.py OUT.json [--peers]

With --peers also other engines (tests/bench/peers), from their registries.
OUT.json gets one object a line: name, value, unit, limit, against, ratio, goal,
met. `limit` was measured in the same run, where there is something to measure;
`ratio` is value / limit. A rate's ratio must not be less than its goal, any
other's not more. Nothing is asserted: the machine is noisy. Of a peer that cannot
be had there is name and missing, the reason.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
import harness
import judge_bench
import record_bench
from rows import row


def program(name):
    """What a benchmark program prints: one object a line."""
    result = harness.run([harness.BUILD / "tests" / "bench" / name])
    return [row(**json.loads(line)) for line in result.stdout.splitlines() if line.startswith("{")]


def resident_mib(process):
    status = pathlib.Path(f"/proc/{process.process.pid}/status").read_text()
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return kib / 1024


def bench_services():
    """Idle memory and start of fresh services; then a round through both."""
    starts = {"assessment-svc": [], "rating-svc": []}
    services = harness.Services()
    try:
        time.sleep(1)
        yield row("assessment-svc idle", resident_mib(services.assessment), "MiB", 32)
        yield row("rating-svc idle", resident_mib(services.rating), "MiB", 32)
        for _ in range(7):
            services.rating.kill()
            services.assessment.kill()
            for name, start in (("assessment-svc", services.start_assessment),
                                ("rating-svc", services.start_rating)):
                begun = time.monotonic()
                start()
                starts[name].append((time.monotonic() - begun) * 1000)
        for name, times in starts.items():
            yield row(f"{name} from exec to listening", statistics.median(times), "ms", 500)
        services.load_england()
        services.create_round()
        services.starctl("rounds", "freeze", "2002-05")
        yield from bench_round(services)
    finally:
        services.close()


def bench_round(services):
    import grpc
    from starratings.rating.v1 import rating_service_pb2 as rating_service
    from starratings.rating.v1 import rating_service_pb2_grpc as rating_grpc
    from grpc_health import health_pb2, health_pb2_grpc
    channel = grpc.insecure_channel(services.rating.grpc)
    stub = rating_grpc.RatingServiceStub(channel)
    health = health_pb2_grpc.HealthStub(channel)
    rounds, empty = [], []
    for _ in range(31):
        begun = time.monotonic()
        health.Check(health_pb2.HealthCheckRequest())
        empty.append((time.monotonic() - begun) * 1000)
        begun = time.monotonic()
        rated = sum(len(reply.ratings.ratings) for reply in
                    stub.RateRound(rating_service.RateRoundRequest(round="2002-05")))
        rounds.append((time.monotonic() - begun) * 1000)
        assert rated == 150
    yield row("150 councils through both services", statistics.median(rounds), "ms", 100)
    yield row("the same, in empty calls", statistics.median(rounds) / statistics.median(empty),
              "calls", 100 / statistics.median(empty), against="an empty call in the same run")


def main():
    out = pathlib.Path(sys.argv[1])
    rows = []
    print(f"{'what':52} {'value':>14} {'unit':10} {'limit':>14} {'ratio':>8} {'goal':>6}")
    with open(out, "w", encoding="utf-8") as file:
        def report(found):
            file.write(json.dumps(found) + "\n")
            if "missing" in found:
                print(f"{found['name']:52} {found['missing']}", flush=True)
                return
            rows.append(found)
            print(f"{found['name']:52} {found['value']:>14,.3f} {found['unit']:10} "
                  f"{found['limit']:>14,.3f} {found['ratio']:>8.3f} {found['goal']:>6} "
                  f"{'met   ' if found['met'] else 'MISSED'}  {found['against']}", flush=True)
        for name in ("bench_evaluate", "bench_records", "bench_robustness", "bench_verify"):
            for found in program(name):
                report(found)
        if "--peers" in sys.argv[2:]:
            from peers import run
            for found in run.run():
                report(found)
        for found in bench_services():
            report(found)
        for found in judge_bench.run():
            report(found)
        for found in record_bench.run():
            report(found)
    print(f"\n{sum(r['met'] for r in rows)} of {len(rows)} goals met; {out}")


if __name__ == "__main__":
    main()
