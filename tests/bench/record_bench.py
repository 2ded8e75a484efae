"""The record's benchmarks, each beside a limit that was measured in the same run,
turn by turn: a loader written by hand, an empty echo of equal bytes, the same
select without us."""

import contextlib
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import harness
from rows import row

HERE = harness.BUILD / "tests" / "bench"
LOAD = HERE / "bench_load"
LOADER = HERE / "bench_loader"
TURNS = 5
POLL_MS = 200  # --watch_poll

# What one dossier is read from, without us: as the service reads it, which knows
# commits and sources already, and looks into the past only for what is younger
# than the revision that is asked for.
DOSSIER = """
SELECT {columns} FROM evidence_current AS e
  WHERE e.bucket = {bucket} AND e.organisation = '{organisation}'
    AND e.period IN ('2001-02', 'standing');
"""
# What an export is read from, in the same way.
EXPORT = """
SELECT o.id, o.name, o.kind, o.region, {columns}
  FROM organisations AS o
  JOIN evidence_current AS e ON e.bucket = o.bucket AND e.organisation = o.id
  WHERE e.period IN ('2001-02', 'standing')
  ORDER BY o.bucket, o.id, e.code, e.period, e.instance
"""
COLUMNS = ", ".join("e." + name for name in (
    "organisation period code instance rev_from ordinal decimal numerator denominator level flag "
    "text missing observed_on source digest authority expires_on").split())


def load(kind, address, **options):
    """What bench_load found."""
    arguments = [f"{name}={value}" for name, value in options.items()]
    return json.loads(harness.run([LOAD, kind, address, *arguments]).stdout)


class Echo:
    """A server that answers as many bytes as it is asked for."""

    def __enter__(self):
        self.process = subprocess.Popen([LOAD, "serve-echo"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def like(self, found, **options):
        """An echo of as many bytes as what was found sent and got."""
        return load("echo", self.address, request_bytes=found["request_bytes"],
                    reply_bytes=found["reply_bytes"], **options)


class Sqlite:
    name = "SQLite"

    def __init__(self, directory):
        self.directory = directory
        self.count = 0

    def fresh(self):
        """The URI of a new record."""
        self.count += 1
        uri = f"sqlite:{self.directory}/record-{self.count}.db"
        harness.run([harness.STARCTL, "store", "migrate", "--store", uri])
        return uri

    def file_of(self, uri):
        """The record as a file of SQLite; nobody uses it."""
        return uri.removeprefix("sqlite:")

    def close(self):
        pass


class Postgres:
    name = "PostgreSQL"

    def __init__(self, directory):
        self.directory = directory
        self.script = pathlib.Path(__file__).parents[1] / "store" / "postgres.sh"
        # With fsync: what is compared is durable.
        harness.run([self.script, "start", directory, str(os.getpid())],
                    env={**os.environ, "POSTGRES_DURABLE": "1"})
        self.server = (directory / "uri").read_text().strip()
        self.count = 0

    def fresh(self):
        self.count += 1
        harness.psql(self.server, f"CREATE DATABASE bench{self.count}")
        uri = self.server.replace("/postgres?", f"/bench{self.count}?")
        harness.run([harness.STARCTL, "store", "migrate", "--store", uri])
        return uri

    def file_of(self, uri):
        path = self.directory / f"source-{self.count}.db"
        harness.run([harness.STARCTL, "store", "backup", "--store", uri, "--to", path,
                     "--no-verify"])
        return path

    def close(self):
        harness.run([self.script, "stop", self.directory])


class Record:
    """assessment-svc on a fresh record with some organisations and codes."""

    def __init__(self, backend, directory, organisations, codes, uri=None, prefix=()):
        self.uri = uri or backend.fresh()
        self.directory = directory
        self.service = self.start("assessment-svc", prefix)
        if uri is not None:
            return
        ids = [f"home-{i:05}" for i in range(organisations)]
        self.register("organisations", "id,name,kind", [[i, f"Home {i}", "home"] for i in ids])
        self.register("periods", "id,from,to,title",
                      [["2001-02", "2001-04-01", "2002-04-01", "2001-02"]])
        self.register("codes", "id,title,kind,value_type",
                      [[f"code.{i:02}", f"Code {i}", "INDICATOR", "DECIMAL"]
                       for i in range(codes)])

    def start(self, name, prefix=()):
        return harness.Process(
            [*prefix, harness.BUILD / "assessment-svc" / "assessment-svc", "--insecure",
             "--listen", "127.0.0.1:0", "--health_listen", "127.0.0.1:0",
             "--metrics_listen", "127.0.0.1:0", "--store", self.uri], self.directory, name)

    def register(self, what, header, rows):
        path = self.directory / f"{what}.csv"
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([header.split(","), *rows])
        harness.run([harness.STARCTL, "--insecure", "--actor", "load", "--assessment",
                     self.service.grpc, "register", what, path])

    @property
    def address(self):
        return self.service.grpc

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.service.stop()


def medians(turns, *keys):
    return [statistics.median(turn[key] for turn in turns) for key in keys]


def bench_import(backend, directory):
    ours, theirs = [], []
    for _ in range(3):
        with Record(backend, directory, 6_000, 50) as record:
            ours.append(load("ingest", record.address, organisations=6_000, codes=50))
        source = backend.file_of(record.uri)
        theirs.append(json.loads(harness.run([LOADER, "load", source, backend.fresh()]).stdout))
    value, = medians(ours, "items_per_second")
    limit, = medians(theirs, "items_per_second")
    yield row(f"{backend.name}: import", value, "items/s", limit, "a loader written by hand", 0.7)


def bench_submit(backend, directory, echo):
    with Record(backend, directory, 1_000, 25) as record:
        load("ingest", record.address, organisations=1_000, codes=25)
        options = {"organisations": 1_000}
        ours, theirs = [], []
        for _ in range(TURNS):
            ours.append(load("submit", record.address, **options))
            theirs.append(echo.like(ours[-1]))
        value, = medians(ours, "calls_per_second")
        limit, = medians(theirs, "calls_per_second")
        yield row(f"{backend.name}: SubmitEvidence, 64 callers", value, "calls/s", limit,
                  "an empty echo", 0.5)

        ours, theirs, commits = [], [], []
        bare = backend.fresh()
        for _ in range(TURNS):
            alone = {"callers": 1, "channels": 1}
            ours.append(load("submit", record.address, **options, **alone))
            theirs.append(echo.like(ours[-1], **alone))
            commits.append(json.loads(harness.run([LOADER, "commits", bare, 1_000]).stdout))
        value, = medians(ours, "p50_ms")
        limit = medians(theirs, "p50_ms")[0] + medians(commits, "p50_ms")[0]
        yield row(f"{backend.name}: SubmitEvidence, one caller, p50", value, "ms", limit,
                  "a raw one-row commit and an echo", 1.25)
    yield row(f"{backend.name}: syncs a write, 64 callers", syncs_a_write(backend, directory),
              "syncs", 0.05)


def syncs_a_write(backend, directory):
    """Counted by PostgreSQL itself, or by what is preloaded into the service."""
    counted = directory / "syncs"
    prefix = [] if backend.name == "PostgreSQL" else [
        "env", f"LD_PRELOAD={HERE / 'libcount_syncs.so'}", f"COUNT_SYNCS={counted}"]
    with Record(backend, directory, 1_000, 25, prefix=prefix) as record:
        load("ingest", record.address, organisations=1_000, codes=25)
        asked = "SELECT wal_sync FROM pg_stat_wal"
        if not prefix:
            time.sleep(1.5)  # What was counted so far is told with a delay.
            before = int(harness.psql(record.uri, asked))
        done = load("submit", record.address, organisations=1_000)["replies"]
        if not prefix:
            time.sleep(1.5)
            return (int(harness.psql(record.uri, asked)) - before) / done
    return int(counted.read_text()) / done


def bench_dossier(backend, directory, echo):
    with Record(backend, directory, 1_000, 12) as record:
        token = load("ingest", record.address, organisations=1_000, codes=12)["token"]
        ours, theirs, selects = [], [], []
        for _ in range(TURNS):
            ours.append(load("dossier", record.address, organisations=1_000))
            theirs.append(echo.like(ours[-1]))
            if backend.name == "PostgreSQL":
                selects.append(pgbench(backend, record.uri, directory))
        value, = medians(ours, "calls_per_second")
        limit, = medians(theirs, "calls_per_second")
        against = "an empty echo"
        if selects and statistics.median(selects) < limit:
            limit, against = statistics.median(selects), "pgbench of the same select"
        yield row(f"{backend.name}: GetDossier, 64 in flight", value, "calls/s", limit, against,
                  0.6)
        assert token


def pgbench(backend, uri, directory):
    """Transactions a second of the select of a dossier; of some of them."""
    keys = harness.psql(uri, "SELECT bucket, id FROM organisations ORDER BY bucket LIMIT 50")
    files = []
    for line in keys.split():
        bucket, organisation = line.split("|")
        path = directory / f"{organisation}.sql"
        path.write_text(DOSSIER.format(columns=COLUMNS, bucket=bucket, organisation=organisation)
                        .replace("\n", " ") + "\n")
        files += ["-f", path]
    binary = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    out = harness.run([binary, "-n", "-M", "prepared", "-c", "64", "-j", "2", "-T", "2", *files,
                       uri]).stdout
    return next(float(line.split()[2]) for line in out.splitlines() if line.startswith("tps"))


def bench_export(backend, directory):
    with Record(backend, directory, 10_000, 50) as record:
        load("ingest", record.address, organisations=10_000, codes=50)
        ours, theirs = [], []
        if backend.name == "PostgreSQL":
            harness.psql(record.uri, "VACUUM ANALYZE")
        for _ in range(TURNS):
            ours.append(load("export", record.address)["items_per_second"])
            if backend.name == "PostgreSQL":
                begun = time.monotonic()
                copy = f"COPY ({EXPORT.format(columns=COLUMNS)}) TO STDOUT"
                subprocess.run(["psql", "-Xq", "-d", record.uri, "-c", copy], check=True,
                               stdout=subprocess.DEVNULL)
                theirs.append(500_000 / (time.monotonic() - begun))
        value = statistics.median(ours)
        if theirs:
            yield row(f"{backend.name}: ExportDossiers", value, "items/s",
                      statistics.median(theirs), "COPY of the same select", 0.7)
        else:
            yield row(f"{backend.name}: ExportDossiers", value, "items/s", 600_000)


def bench_watch(backend, directory, echo):
    with Record(backend, directory, 1_000, 25) as record:
        full = load("submit", record.address, organisations=1_000)
        half = {"organisations": 1_000, "rate": round(full["calls_per_second"] / 2), "seconds": 4}
        with Record(backend, directory, 0, 0, uri=record.uri) as other:
            here, there, echoes = [], [], []
            for _ in range(3):
                here.append(load("submit", record.address, watch=record.address, **half))
                there.append(load("submit", record.address, watch=other.address, **half))
                echoes.append(echo.like(here[-1], **half))
        echo_ms, = medians(echoes, "p99_ms")
        against = "p99 of a commit and of an echo"
        for what, turns, more in (("the same replica", here, 0), ("another replica", there, POLL_MS)):
            value, = medians(turns, "delivery_p99_ms")
            limit = medians(turns, "p99_ms")[0] + echo_ms + more
            yield row(f"{backend.name}: on the watch of {what}, p99", value, "ms", limit,
                      against + (", and a poll" if more else ""))


def bench_history(backend, directory):
    size = {"organisations": 200, "codes": 25}
    with Record(backend, directory, 200, 25) as record:
        def rates(token=""):
            dossiers, exports = [], []
            for _ in range(TURNS):
                dossiers.append(load("dossier", record.address, organisations=200, token=token,
                                     seconds=1)["calls_per_second"])
                # Short: several at a time.
                exports.append(statistics.median(
                    load("export", record.address, token=token)["items_per_second"]
                    for _ in range(5)))
            return statistics.median(dossiers), statistics.median(exports)

        frozen = load("ingest", record.address, **size)["token"]
        young = rates()
        load("ingest", record.address, revisions=99, **size)
        for what, old, goal in (("at latest", rates(), 1.3), ("as frozen", rates(frozen), 3)):
            for kind, before, after in zip(("GetDossier", "ExportDossiers"), young, old):
                yield row(f"{backend.name}: {kind} {what}, 100 revisions an item",
                          before / after, "times", 1, "the time with one revision an item", goal)


def run():
    with contextlib.ExitStack() as stack:
        root = pathlib.Path(tempfile.mkdtemp(prefix="starratings-bench-"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        os.chmod(root, 0o755)
        echo = stack.enter_context(Echo())
        for kind in (Sqlite, Postgres):
            directory = root / kind.__name__.lower()
            directory.mkdir()
            backend = kind(directory)
            stack.callback(backend.close)
            yield from bench_import(backend, directory)
            yield from bench_submit(backend, directory, echo)
            yield from bench_dossier(backend, directory, echo)
            yield from bench_export(backend, directory)
            yield from bench_watch(backend, directory, echo)
            yield from bench_history(backend, directory)
