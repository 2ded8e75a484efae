"""The judge's benchmarks through both services: a large round, compact; one
organisation after the other from the cache, beside an empty echo."""

import pathlib

import harness
from overload import TIMES, overload
from record_bench import TURNS, Echo, load, medians
from rows import row

ORGANISATIONS = 100_000
ITEMS = 15
MIB = 256
CODES = [f"code.{i:02}" for i in range(ITEMS)]


def scheme_text():
    inputs = "".join(f'input {{ code: "{code}" decimal {{}} on_missing: ON_MISSING_ABSENT '
                     f'basis: BASIS_ASSUMED }}\n' for code in CODES)
    caps = "".join(f'cap {{ id: "C-{code}" target: "stars" limit: "{i % 2}" '
                   f'unknown: ON_UNKNOWN_SKIP basis: BASIS_ASSUMED any {{ value: "{code}" '
                   f'above {{ decimal: "{980 + i}" }} }} }}\n'
                   for i, code in enumerate(CODES[1:]))
    return f"""
id: "many" version: "1" title: "Many"
in_force {{ from: "2000-01-01" }}
scale {{ id: "stars" level: "0" level: "1" level: "2" }}
{inputs}{caps}
band {{ id: "B" from: "{CODES[0]}" output: "stars" to: "stars" cut {{ decimal: "300" }}
  cut {{ decimal: "700" }} basis: BASIS_ASSUMED }}
result {{ value: "stars" title: "Stars" }}
"""


def fill(services, organisations):
    def register(what, header, rows):
        services.starctl("register", what, services.write_csv(what, header, rows))

    register("organisations", ["id", "name", "kind"],
             [[f"home-{i:05}", f"Home {i}", "home"] for i in range(organisations)])
    register("periods", ["id", "from", "to", "title"],
             [["2001-02", "2001-04-01", "2002-04-01", "2001-02"]])
    register("codes", ["id", "title", "kind", "value_type"],
             [[code, code, "INDICATOR", "DECIMAL"] for code in CODES])
    path = services.directory / "scheme.textproto"
    path.write_text(scheme_text(), encoding="utf-8")
    services.register_scheme(path)
    load("ingest", services.assessment.grpc, organisations=organisations, codes=ITEMS)
    return services.starctl("schemes", "verify", str(path), as_json=True)["scheme"]["digest"]


def restart(services):
    """Fresh processes: what an import took is not the question."""
    for service in (services.rating, services.assessment):
        service.stop()
    services.start_assessment()
    services.start_rating()


def peak_mib(process):
    status = pathlib.Path(f"/proc/{process.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines()
                    if line.startswith("VmHWM"))) / 1024


def bench_round(services):
    services.starctl("rounds", "create", "r", "--title", "R", "--period", "2001-02", "--date",
                     "2002-05-30", "--scheme", "many@1")
    services.starctl("rounds", "freeze", "r")
    restart(services)
    turns = [load("round", services.rating.grpc) for _ in range(3)]
    assert all(turn["organisations"] == ORGANISATIONS for turn in turns)
    assert len({turn["digest"] for turn in turns}) == 1
    seconds, = medians(turns, "seconds")
    yield row(f"RateRound, compact, {ORGANISATIONS:,} organisations of {ITEMS} items",
              ORGANISATIONS * ITEMS / seconds, "items/s", 500_000)
    for service in (services.assessment, services.rating):
        yield row(f"{service.name} meanwhile, at most", peak_mib(service), "MiB", MIB)


def bench_organisation(services, scheme, echo):
    ours, theirs = [], []
    # By its digest, as whoever calls often would: a name the record is asked about.
    options = {"organisations": 1_000, "callers": 64, "channels": 4, "scheme": scheme}
    load("rate", services.rating.grpc, **options)  # Fills the cache.
    for _ in range(TURNS):
        ours.append(load("rate", services.rating.grpc, **options))
        theirs.append(echo.like(ours[-1], callers=64, channels=4))
    value, = medians(ours, "calls_per_second")
    limit, = medians(theirs, "calls_per_second")
    yield row("RateOrganisation, minimize_latency, 64 in flight", value, "calls/s", limit,
              "an empty echo", 0.8)


def bench_overload(services, scheme):
    # Calls that cost the service more than they cost the caller, who has the same two cores.
    for name, kind, process, options in (
            ("FindImprovements", "improve", services.rating, {"scheme": scheme}),
            ("ListEvidence, pages of 1,000", "list", services.assessment, {}),
            ("SubmitEvidence, 100 items", "submit", services.assessment, {"items": 100})):
        best, then, refused, health = overload(kind, process, organisations=1_000, **options)
        assert health.failed == [], health.failed
        yield row(f"{name}, asked for {TIMES} times as much", then, "calls/s", best,
                  f"what it does at best; {refused:,.0f} a second refused, health within "
                  f"{1000 * max(health.took):.0f} ms", 0.8)


def run():
    services = harness.Services()
    try:
        scheme = fill(services, ORGANISATIONS)
        yield from bench_round(services)
        with Echo() as echo:
            yield from bench_organisation(services, scheme, echo)
        yield from bench_overload(services, scheme)
    finally:
        services.close()
