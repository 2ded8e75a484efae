"""`starctl watch` prints everything that is recorded, once, in order, whatever breaks;
and whoever freezes a round is told of imports under way."""

import concurrent.futures
import contextlib
import csv
import json
import queue
import re
import signal
import subprocess
import threading
import time
import unittest
import uuid

import grpc

import harness

# Found once harness has put the generated code on the path.
from google.rpc import error_details_pb2, status_pb2
from starratings.assessment.v1 import evidence_service_pb2 as service
from starratings.assessment.v1 import evidence_service_pb2_grpc as service_grpc
from starratings.evidence.v1 import evidence_pb2 as evidence

SUPPLIER = (("starratings-actor", "supplier"),)
HOMES = 3_000
KILLS = 3
REFUSED = 4  # Exit codes of starctl.
UNREACHABLE = 5


class Watch:
    """starctl watch as a process, and the lines it has printed."""

    def __init__(self, address, *arguments, as_json=False):
        self.process = subprocess.Popen(
            [str(harness.STARCTL), "--insecure", "--actor", "reader", "--assessment", address,
             "--output", "json" if as_json else "table", "watch", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.err = ""
        self.threads = [threading.Thread(target=self.read_out),
                        threading.Thread(target=self.read_err)]
        for thread in self.threads:
            thread.start()

    def read_out(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def read_err(self):
        for line in self.process.stderr:
            self.err += line

    def wait_for(self, done, what):
        deadline = time.monotonic() + harness.PATIENCE_S
        while not done():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no {what}: exit code {self.process.poll()}, "
                                     f"{len(self.lines)} lines, the last {self.lines[-3:]}; "
                                     f"{self.err}")
            time.sleep(0.01)

    def wait_for_lines(self, count):
        self.wait_for(lambda: len(self.lines) >= count, f"{count} lines")

    def end(self):
        """Its exit code, when it ends by itself."""
        code = self.process.wait(timeout=harness.PATIENCE_S)
        for thread in self.threads:
            thread.join()
        return code

    def stop(self, number=signal.SIGINT):
        """Ends it as ctrl-C does; the token it ends with."""
        self.process.send_signal(number)
        code = self.end()
        found = re.search(r"^starctl: go on with --after (\S+)$", self.err, re.MULTILINE)
        if code != 0 or not found:
            raise AssertionError(f"exited {code}: {self.err}")
        return found.group(1)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.end()
        self.process.stdout.close()
        self.process.stderr.close()


def facts(lines):
    """Organisation, period, code and value of each line, as it is printed."""
    return [tuple(line.split("  ")[3:7]) for line in lines]


def evidence_request(organisation, value, code="a.figure", instance="", reason=""):
    request = service.SubmitEvidenceRequest(request_id=str(uuid.uuid4()), reason=reason,
                                            sources=[evidence.Source(id="s", title="A test")])
    request.items.add().item.CopyFrom(evidence.EvidenceItem(
        organisation=organisation, period="2001-02", code=code, instance=instance,
        value=evidence.Value(decimal=str(value)), source_id="s"))
    return request


class WatchTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = cls.services.directory
        with open(directory / "organisations.csv", "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "name", "kind"])
            out.writerows([f"home-{i:05}", f"Home {i}", "home"] for i in range(HOMES))
        (directory / "periods.csv").write_text("id,from,to\n2001-02,2001-04-01,2002-04-01\n")
        (directory / "codes.csv").write_text("id,title,kind,value_type\n"
                                             "a.figure,A figure,INDICATOR,DECIMAL\n"
                                             "b.figure,Another,INDICATOR,DECIMAL\n")
        for what in ("organisations", "periods", "codes"):
            cls.services.starctl("register", what, str(directory / f"{what}.csv"))

    def stub(self):
        channel = grpc.insecure_channel(
            self.services.assessment.grpc, [("grpc.use_local_subchannel_pool", 1)])  # Not one to a service killed since.
        self.addCleanup(channel.close)
        return service_grpc.EvidenceServiceStub(channel)

    def submit(self, *arguments, **options):
        """Records one item; the token of its revision."""
        request = evidence_request(*arguments, **options)
        deadline = time.monotonic() + harness.PATIENCE_S
        while True:
            try:
                return self.stub().SubmitEvidence(request, metadata=SUPPLIER, wait_for_ready=True,
                                                  timeout=harness.PATIENCE_S).snapshot.token
            except grpc.RpcError as error:
                # A connection to a service that was killed since.
                if (error.code() != grpc.StatusCode.UNAVAILABLE
                        or time.monotonic() > deadline):
                    raise

    def newest(self):
        return self.stub().ListEvidence(service.ListEvidenceRequest(page_size=1),
                                        wait_for_ready=True).snapshot.token

    def watch(self, *arguments, address=None, **options):
        watch = Watch(address or self.services.assessment.grpc, *arguments, **options)
        self.addCleanup(watch.close)
        return watch

    def import_command(self, name, code, batch):
        """Evidence for every home, by this code; the value is its number."""
        path = self.services.directory / name
        with open(path, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["organisation", "period", "code", "value", "source"])
            out.writerows([f"home-{i:05}", "2001-02", code, i, "A test"] for i in range(HOMES))
        return [str(harness.STARCTL), "--insecure", "--actor", "supplier", "--assessment",
                self.services.assessment.grpc, "import", "--batch", str(batch), "--retry-for",
                "60", "--reason", name, str(path)]

    def restart(self):
        self.services.assessment.kill()
        self.services.restart_assessment()

    def test_nothing_is_lost_or_repeated_by_kills(self):
        after = self.newest()
        watch = self.watch("--after", after)
        mirror = self.watch("--after", after, as_json=True)
        importing = subprocess.Popen(self.import_command("kills.csv", "a.figure", 20),
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for kill in range(KILLS):
            watch.wait_for_lines((kill + 1) * HOMES // (KILLS + 2))
            self.restart()
        out, err = importing.communicate(timeout=10 * harness.PATIENCE_S)
        self.assertEqual(importing.returncode, 0, out + err)
        watch.wait_for_lines(HOMES)
        token = watch.stop(signal.SIGTERM)
        expected = [(f"home-{i:05}", "2001-02", "a.figure", str(i)) for i in range(HOMES)]
        self.assertEqual(facts(watch.lines), expected)
        self.assertTrue(all(line.endswith("  (kills.csv)") for line in watch.lines))
        revisions = [int(line.split("  ")[0]) for line in watch.lines]
        self.assertEqual(revisions, sorted(revisions))
        self.assertEqual(watch.err.count("starctl: connecting again\n"), KILLS, watch.err)
        self.assertEqual(token, self.newest())

        # A program hears the same.
        mirror.wait_for(lambda: token in mirror.lines[-1], "last token")
        self.assertEqual(mirror.stop(), token)
        said = [item for line in mirror.lines for item in json.loads(line)["items"]]
        self.assertEqual([(item["item"]["organisation"], item["item"]["value"]["decimal"])
                          for item in said], [(fact[0], fact[3]) for fact in expected])

    def test_what_was_stopped_goes_on_exactly(self):
        watch = self.watch("--after", self.newest())
        self.submit("home-00001", 1, instance="stop")
        watch.wait_for_lines(1)
        token = watch.stop()
        self.submit("home-00002", 2, instance="stop", reason="while\nnobody watched")
        watch = self.watch("--after", token)
        watch.wait_for_lines(1)
        self.submit("home-00003", 3, instance="stop")
        watch.wait_for_lines(2)
        self.assertNotEqual(watch.stop(), token)
        self.assertRegex(watch.lines[0],
                         r"^\d+  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  supplier  home-00002  2001-02"
                         r"  a\.figure  \[stop\]  2  \(while nobody watched\)$")
        self.assertEqual(len(watch.lines), 2)

    def test_filters_and_the_end(self):
        first = self.submit("home-00001", 1, instance="filter")
        self.submit("home-00002", 2, instance="filter")
        self.submit("home-00001", 3, instance="filter", code="b.figure")
        self.stub().WithdrawEvidence(service.WithdrawEvidenceRequest(
            request_id=str(uuid.uuid4()), reason="a mistake", key=service.EvidenceKey(
                organisation="home-00002", period="2001-02", code="a.figure",
                instance="filter")), metadata=SUPPLIER)
        last = self.newest()
        self.submit("home-00001", 4, instance="filter", reason="too late")

        def values(*arguments):
            watch = self.watch("--after", first, "--until", last, *arguments)
            self.assertEqual(watch.end(), 0, watch.err)
            self.assertEqual(watch.err, "")
            return [line.split("  ")[7] for line in watch.lines]

        self.assertEqual(values(), ["2", "3", "WITHDRAWN"])
        self.assertEqual(values("--organisation", "home-00002"), ["2", "WITHDRAWN"])
        self.assertEqual(values("--organisation", "home-00001", "--organisation", "home-00002",
                                "--code", "b.figure"), ["3"])
        self.assertEqual(values("--code", "a.figure", "--code", "b.figure"),
                         ["2", "3", "WITHDRAWN"])
        self.assertEqual(values("--period", "2001-02"), ["2", "3", "WITHDRAWN"])
        self.assertEqual(values("--period", "2002-03"), [])

    def test_a_program_keeps_the_token(self):
        watch = self.watch("--code", "b.figure", as_json=True)
        watch.wait_for_lines(1)
        begin = json.loads(watch.lines[0])
        self.assertEqual(begin["items"], [])
        self.assertEqual(begin["snapshot"]["token"], self.newest())
        self.submit("home-00001", 5, instance="json", code="b.figure")
        watch.wait_for_lines(2)
        # What the filter hides moves the token on, too.
        hidden = self.submit("home-00001", 6, instance="json")
        watch.wait_for(lambda: hidden in watch.lines[-1], "bookmark")
        watch.process.kill()
        watch.end()
        messages = [json.loads(line) for line in watch.lines]
        said = [item for message in messages for item in message["items"]]
        self.assertEqual([item["item"]["value"]["decimal"] for item in said], ["5"])
        self.assertEqual(messages[1]["sources"][0]["title"], "A test")
        last = self.submit("home-00001", 7, instance="json", code="b.figure", reason="corrected")
        again = self.watch("--after", messages[-1]["snapshot"]["token"], "--until", last,
                           as_json=True)
        self.assertEqual(again.end(), 0, again.err)
        said = [item for line in again.lines for item in json.loads(line)["items"]]
        self.assertEqual([item["item"]["value"]["decimal"] for item in said], ["7"])

    def test_who_stops_reading_is_cut_off_and_goes_on(self):
        after = self.newest()
        port = self.services.assessment.grpc.rsplit(":", 1)[1]
        self.services.assessment.stop()
        command = [harness.BUILD / "assessment-svc" / "assessment-svc", "--insecure",
                   "--listen", f"127.0.0.1:{port}", "--health_listen", "127.0.0.1:0",
                   "--metrics_listen", "127.0.0.1:0", "--store", self.services.store,
                   "--watch_stall", "1s"]
        self.services.assessment = harness.Process(command, self.services.directory,
                                                   "assessment-svc")
        watch = self.watch("--after", after)
        self.submit("home-00001", 0, instance="before")
        watch.wait_for_lines(1)
        watch.process.send_signal(signal.SIGSTOP)
        # More than all buffers between the two hold.
        rounds = 0
        cut_off = "assessment_watch_cut_off_total"
        deadline = time.monotonic() + harness.PATIENCE_S
        while not self.services.assessment.metric(cut_off):
            self.assertLess(time.monotonic(), deadline, "it is not cut off")
            rounds += 1
            harness.run(self.import_command(f"slow-{rounds}.csv", "b.figure", 1_000))
        watch.process.send_signal(signal.SIGCONT)
        watch.wait_for_lines(1 + rounds * HOMES)
        self.assertEqual(watch.stop(), self.newest())
        self.assertEqual(facts(watch.lines[1:]),
                         [(f"home-{i:05}", "2001-02", "b.figure", str(i)) for i in range(HOMES)]
                         * rounds)
        self.assertIn("(WATCHER_TOO_SLOW)\nstarctl: connecting again\n", watch.err)

    def test_a_reader_that_goes_ends_it_quietly(self):
        watch = self.watch("--after", self.newest())
        command = " ".join(f"'{part}'" for part in watch.process.args) + " | head -1"
        with subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as piped:
            self.submit("home-00001", 1, instance="pipe")
            # Nothing more is recorded: it ends all the same.
            out, err = piped.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual((piped.returncode, len(out.splitlines()), err), (0, 1, ""))
        watch.wait_for_lines(1)
        watch.stop()

    def test_what_cannot_be_watched(self):
        def refused(*arguments, reason):
            watch = self.watch(*arguments)
            self.assertEqual(watch.end(), REFUSED, watch.err)
            self.assertIn(reason, watch.err)
            self.assertNotIn("--after", watch.err)
            self.assertEqual(watch.lines, [])

        refused("--after", "nonsense", reason="TOKEN_MALFORMED")
        refused("--until", "nonsense", reason="TOKEN_MALFORMED")
        refused("--code", "a.figure", "--code", "No code!", reason="codes[1]")
        other = harness.Services()
        self.addCleanup(other.close)
        with grpc.insecure_channel(other.assessment.grpc) as channel:
            foreign = service_grpc.EvidenceServiceStub(channel).ListEvidence(
                service.ListEvidenceRequest()).snapshot.token
        refused("--after", foreign, reason="TOKEN_FOREIGN")
        other.close()
        unreachable = self.watch("--retry-for", "1", address=other.assessment.grpc)
        self.assertEqual(unreachable.end(), UNREACHABLE)
        self.assertIn("cannot reach the service", unreachable.err)
        self.assertIn("starctl: connecting again\n", unreachable.err)

    def test_patience_begins_anew_and_ends(self):
        watch = self.watch("--after", self.newest(), "--retry-for", "15")
        self.submit("home-00001", 1, instance="patience")
        watch.wait_for_lines(1)
        time.sleep(16)  # Longer than its patience: it is only quiet.
        self.restart()
        last = self.submit("home-00002", 2, instance="patience")
        watch.wait_for_lines(2)
        self.services.assessment.kill()
        try:
            self.assertEqual(watch.end(), UNREACHABLE, watch.err)
            self.assertIn(f"starctl: go on with --after {last}\n", watch.err)
        finally:
            self.services.restart_assessment()


class Scripted(service_grpc.EvidenceServiceServicer):
    """Breaks streams where a real service seldom does; each script is one stream."""

    def __init__(self, scripts):
        self.scripts = list(scripts)
        self.requests = []

    def WatchEvidence(self, request, context):
        self.requests.append(request)
        for step in self.scripts.pop(0):
            if isinstance(step, service.WatchEvidenceResponse):
                yield step
            else:
                context.set_trailing_metadata(step["trailers"])
                context.abort(step["code"], step["message"])


def broken(code, reason=""):
    message = "it broke"
    trailers = ()
    if reason:
        status = status_pb2.Status(code=code.value[0], message=message)
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="test"))
        trailers = (("grpc-status-details-bin", status.SerializeToString()),)
    return {"code": code, "message": message, "trailers": trailers}


def message_of(values=(), more=False, revision=0):
    message = service.WatchEvidenceResponse(more=more)
    for value in values:
        message.items.add(revision=7, actor="supplier").item.CopyFrom(evidence.EvidenceItem(
            organisation="home", period="p", code="c", value=evidence.Value(decimal=value)))
    if not more:
        message.snapshot.revision = revision
        message.snapshot.token = f"t{revision}"
    return message


class BrokenRevisionTest(unittest.TestCase):
    @contextlib.contextmanager
    def served(self, *scripts):
        servicer = Scripted(scripts)
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        service_grpc.add_EvidenceServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield servicer, f"127.0.0.1:{port}"
        finally:
            server.stop(0).wait()

    def test_a_revision_that_breaks_off_comes_once_and_whole(self):
        bookmark = message_of(revision=6)
        half = [message_of(["1", "2"], more=True), message_of(["3"], more=True)]
        with self.served(
                [bookmark, *half, broken(grpc.StatusCode.UNAVAILABLE)],
                [bookmark, half[0], broken(grpc.StatusCode.ABORTED, "WATCHER_TOO_SLOW")],
                [bookmark, *half, message_of(["4"], revision=7)]) as (servicer, address):
            for as_json in (False, True):
                scripts = list(servicer.scripts)
                watch = Watch(address, as_json=as_json)
                self.addCleanup(watch.close)
                self.assertEqual(watch.end(), 0, watch.err)
                self.assertEqual([request.after for request in servicer.requests],
                                 ["", "t6", "t6"])
                self.assertEqual(watch.err.count("starctl: connecting again\n"), 2)
                if as_json:
                    messages = [json.loads(line) for line in watch.lines]
                    self.assertEqual([message["more"] for message in messages],
                                     [False] * 3 + [True, True, False])
                else:
                    self.assertEqual([fact[3] for fact in facts(watch.lines)],
                                     ["1", "2", "3", "4"])
                servicer.requests.clear()
                servicer.scripts = scripts

    def test_a_token_from_before_a_restore_ends_it(self):
        with self.served(
                [message_of(["1"], revision=7), broken(grpc.StatusCode.UNAVAILABLE)],
                [broken(grpc.StatusCode.FAILED_PRECONDITION, "STORE_RESTORED")]) as (_, address):
            watch = Watch(address)
            self.addCleanup(watch.close)
            self.assertEqual(watch.end(), REFUSED)
            self.assertIn("(STORE_RESTORED)", watch.err)


class FreezeTest(harness.ServiceTest):
    def test_a_freeze_tells_of_imports_under_way(self):
        services = self.services
        services.load_england()
        services.create_round("quiet")
        services.create_round("busy")
        with subprocess.Popen([str(harness.STARCTL), "--insecure", "--actor", "analyst",
                               "--assessment", services.assessment.grpc, "rounds", "freeze",
                               "quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as freeze:
            _, err = freeze.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual((freeze.returncode, err), (0, ""))

        with grpc.insecure_channel(services.assessment.grpc) as channel:
            stub = service_grpc.EvidenceServiceStub(channel)
            held = stub.ListEvidence(service.ListEvidenceRequest(page_size=1)).items[0]
            sent = queue.Queue()
            answers = stub.IngestEvidence(iter(sent.get, None), metadata=SUPPLIER)
            sent.put(service.IngestEvidenceRequest(begin=service.IngestEvidenceRequest.Begin(
                import_id=str(uuid.uuid4()), title="late returns.csv", items_total=1_200)))
            self.assertTrue(next(answers).ready.window)
            submit = service.SubmitEvidenceRequest(
                request_id=str(uuid.uuid4()), reason="late",
                sources=[evidence.Source(id="s", title="A test")])
            item = submit.items.add().item
            item.CopyFrom(held.item)
            item.source_id = "s"
            sent.put(service.IngestEvidenceRequest(batch=service.IngestEvidenceRequest.Batch(
                number=1, submit=submit)))
            self.assertTrue(next(answers).HasField("recorded"))
            result = services.starctl("rounds", "freeze", "busy", ok=False)
            sent.put(None)
            self.assertEqual(list(answers), [])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr,
                         "starctl: warning: supplier is importing `late returns.csv`: at least 0 "
                         "of 1,200 items are recorded; what was not at the freeze is not in the "
                         "round\n")
        self.assertIn("FROZEN", result.stdout)


if __name__ == "__main__":
    harness.main()
