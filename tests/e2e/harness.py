"""Runs both services as real processes on loopback, for the end-to-end tests.

The environment says what to run: STARRATINGS_BUILD is the build directory,
STARRATINGS_SOURCE the checkout. Everything a test makes is in a temporary
directory of its own; every process it starts ends with it.
"""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

SOURCE = pathlib.Path(os.environ.get("STARRATINGS_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", SOURCE / "build" / "release"))
sys.path.insert(0, str(BUILD / "tests" / "python"))

STARCTL = BUILD / "starctl" / "starctl"
EXAMPLE = SOURCE / "examples" / "england-2002"
SCHEMES = SOURCE / "rating-svc" / "schemes"
SHARED_DATA = SOURCE.parent / "shared" / "data"

# Slow builds (sanitizers) on a busy machine; nothing waits that long otherwise.
PATIENCE_S = 60


class Process:
    """A service, from its start to its end."""

    def __init__(self, command, directory, name, environment=None):
        self.name = name
        self.ports_file = directory / f"{name}.ports"
        self.log_path = directory / f"{name}.log"
        self.ports_file.unlink(missing_ok=True)
        self.command = [str(part) for part in command] + ["--ports_file", str(self.ports_file)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log, stdout=log,
                                            env={**os.environ, **(environment or {})})
        deadline = time.monotonic() + PATIENCE_S
        while not self.ports_file.exists():
            if self.process.poll() is not None:
                raise AssertionError(f"{name} did not start: {self.log()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} does not listen: {self.log()}")
            time.sleep(0.01)
        ports = json.loads(self.ports_file.read_text())
        self.grpc = f"127.0.0.1:{ports['grpc']}"
        self.health = f"127.0.0.1:{ports['health']}"
        self.metrics_port = ports["metrics"]

    def log(self):
        return self.log_path.read_text(errors="replace")[-4000:]

    def metrics(self):
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            return page.read().decode()

    def metric(self, series):
        """The value of a series, written as on the page; None if it is not there."""
        for line in self.metrics().splitlines():
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends the service as Kubernetes would; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_S)


class Services:
    """Both services on a fresh record: `store`, or one on SQLite."""

    def __init__(self, schemes=SCHEMES, store=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-test-"))
        self.store = store or f"sqlite:{self.directory}/record.db"
        self.schemes = schemes
        self.assessment = None
        self.rating = None
        run([STARCTL, "store", "migrate", "--store", self.store])
        self.start_assessment()
        self.start_rating()

    def start_assessment(self, port=0):
        self.assessment = Process(
            [BUILD / "assessment-svc" / "assessment-svc", "--insecure",
             "--listen", f"127.0.0.1:{port}", "--health_listen", "127.0.0.1:0",
             "--metrics_listen", "127.0.0.1:0", "--store", self.store],
            self.directory, "assessment-svc")

    def restart_assessment(self):
        """Starts it again on the port it had, for those who still call it."""
        self.start_assessment(self.assessment.grpc.rsplit(":", 1)[1])

    def start_rating(self, port=0, schemes=None):
        self.rating = Process(
            [BUILD / "rating-svc" / "rating-svc", "--insecure",
             "--listen", f"127.0.0.1:{port}", "--health_listen", "127.0.0.1:0",
             "--metrics_listen", "127.0.0.1:0", "--schemes", schemes or self.schemes,
             "--assessment", self.assessment.grpc],
            self.directory, "rating-svc")

    def starctl(self, *arguments, actor="analyst", ok=True, as_json=False):
        """Runs starctl; returns what it printed, as an object if as_json."""
        command = [STARCTL, "--insecure", "--actor", actor,
                   "--assessment", self.assessment.grpc, "--rating", self.rating.grpc]
        if as_json:
            command += ["--output", "json"]
        result = run(command + list(arguments), ok=ok)
        if as_json:
            return json.loads(result.stdout)
        return result if not ok else result.stdout

    def write_csv(self, name, header, rows):
        """Writes a file for starctl; returns its path."""
        path = self.directory / f"{name}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return str(path)

    def load_england(self):
        """Registers and imports the May 2002 example."""
        for what in ("organisations", "periods", "codes"):
            self.starctl("register", what, str(EXAMPLE / f"{what}.csv"))
        self.register_scheme(SCHEMES / "england-social-services-2002" / "scheme.textproto")
        self.starctl("import", str(EXAMPLE / "evidence.csv"))
        self.starctl("import", str(EXAMPLE / "previous-list.csv"))

    def register_scheme(self, path):
        """Registers a scheme and has a second person approve it."""
        self.starctl("register", "scheme", str(path))
        self.starctl("schemes", "approve", str(path), actor="chief-inspector")

    def create_round(self, round_id="2002-05", *extra):
        self.starctl("rounds", "create", round_id, "--title", "May 2002", "--period", "2001-02",
                     "--date", "2002-05-30", "--scheme", "england-social-services-2002@2002.1",
                     "--kinds", "council", *extra)

    def publish_round(self, round_id="2002-05"):
        """Takes an open round all the way, with two people."""
        self.starctl("rounds", "freeze", round_id)
        self.starctl("rounds", "record", round_id)
        self.starctl("rounds", "publish", round_id, "--yes", actor="chief-inspector")

    def close(self):
        for process in (self.rating, self.assessment):
            if process is not None and process.process.poll() is None:
                process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def reason_of(error):
    """The reason that a failed call gives; empty if it gives none."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if details is None:
        return ""
    from google.rpc import error_details_pb2, status_pb2
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(details).details:
        if detail.Unpack(info):
            return info.reason
    return ""


def start_under_tls(directory, service, certificates, policy, *flags, called=None):
    """A service that shows the certificate of its name; its main port is mutual TLS."""
    return Process(
        [BUILD / service / service, "--listen", "127.0.0.1:0", "--health_listen", "127.0.0.1:0",
         "--metrics_listen", "127.0.0.1:0", "--tls_directory", certificates / service,
         "--policy", policy, *flags], directory, called or service)


def run(command, ok=True, **options):
    """Runs a command to its end; fails the test unless it exits as expected."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            timeout=10 * PATIENCE_S, **options)
    if ok and result.returncode != 0:
        raise AssertionError(f"{command} exited {result.returncode}:\n"
                             f"{result.stdout}\n{result.stderr}")
    return result


def psql(uri, text):
    """What a statement of SQL prints, a row a line."""
    return run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", uri, "-c", text]).stdout.strip()


def require_tool(name):
    """The path of a tool that the test needs; skips visibly where it is not there."""
    for place in (SOURCE / "build" / "tools" / "bin", SOURCE / "build" / "tools" /
                  "node_modules" / ".bin"):
        if (place / name).exists():
            return str(place / name)
    path = shutil.which(name)
    if path is None:
        if os.environ.get("CI") == "true":
            raise AssertionError(f"{name} is needed and not there; ./check installs it")
        raise unittest.SkipTest(f"{name} is not there; ./check installs it")
    return path


def require_data(name):
    """A file of real published ratings; skips visibly where it is not there."""
    path = SHARED_DATA / name
    if not path.exists():
        if os.environ.get("CI") == "true":
            raise AssertionError(f"{path} is needed in CI")
        raise unittest.SkipTest(f"{path} is not there")
    return path


class ServiceTest(unittest.TestCase):
    """Each class gets its own pair of services."""

    @classmethod
    def setUpClass(cls):
        cls.services = Services()
        cls.addClassCleanup(cls.services.close)


def main():
    # ctest reads exit code 77 as "skipped": no test of the file could run.
    program = unittest.main(verbosity=2, exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == len(result.skipped) and result.skipped:
        sys.exit(77)
