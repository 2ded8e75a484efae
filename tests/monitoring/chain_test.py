"""The real chain: Prometheus scrapes both services under load, every expression of
the dashboard and of the rules has data, nothing fires while all is well, and a
service that ends is told to whoever Alertmanager calls.

A minute of an alert's `for` is two seconds here; the windows are as they are."""

import itertools
import pathlib
import re
import shutil
import tempfile
import threading
import time
import unittest
import uuid

import grpc

import monitoring
import harness
from chain import Chain, wait_for
from monitoring import panel_expressions, rules, run

# Found once harness has put the generated code on the path.
from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.evidence.v1 import evidence_pb2 as evidence
from starratings.rating.v1 import rating_service_pb2 as rating_service
from starratings.rating.v1 import rating_service_pb2_grpc as rating_grpc

SCHEME = "england-social-services-2002@2002.1"
ROUND = "2002-05"
# Without data in this run, and why that must be so.
CANNOT_BE = {
    "assessment_storage_tx_retries": "a series begins with PostgreSQL's first conflict",
}
# Longer than any `for` but those of half an hour and an hour.
QUIET_S = 40
# Of the installation with certificates. Whoever is not named is denied.
POLICY = """
grants { identity: "spiffe://starratings/rating-svc" roles: ROLE_RATING_SERVICE }
"""


def expect(code, method, request):
    """A call that must end with this code."""
    try:
        method(request, timeout=20)
    except grpc.RpcError as error:
        if error.code() == code:
            return
        raise
    raise AssertionError(f"answered: {request}")


class Load:
    """A round rated over and over, evidence submitted, dossiers read; and errors."""

    def __init__(self, services, forbidden):
        self.services = services
        self.forbidden = forbidden  # Answers no call of ours.
        self.stop = threading.Event()
        self.faults = []
        self.begun = time.monotonic()
        self.threads = [threading.Thread(target=self.repeat, args=(work,))
                        for work in (self.rate_round, self.write_and_read)]
        for thread in self.threads:
            thread.start()

    def repeat(self, work):
        for i in itertools.count():
            try:
                work(i)
            except Exception as fault:  # Whatever it is, the test tells.
                self.faults.append(fault)
                return
            if self.stop.wait(0.05):
                return

    def rate_round(self, i):
        self.services.starctl("rate", ROUND)
        if i % 3 == 0:  # Seldom enough to be no alert.
            expect(grpc.StatusCode.PERMISSION_DENIED, self.forbidden.ListEvidence,
                   evidence_service.ListEvidenceRequest())
        self.stop.wait(1)

    def write_and_read(self, i):
        writes = evidence_grpc.EvidenceServiceStub(self.channel("assessment"))
        ratings = rating_grpc.RatingServiceStub(self.channel("rating"))
        request = evidence_service.SubmitEvidenceRequest(
            request_id=str(uuid.uuid4()), reason="load",
            sources=[evidence.Source(id="s", title="A test")])
        request.items.add().item.CopyFrom(evidence.EvidenceItem(
            organisation="bexley", period="2001-02", code="adults.serving", source_id="s",
            value=evidence.Value(level=("no", "most")[i % 2])))
        actor = (("starratings-actor", "analyst"),)
        for _ in range(2):  # The second time the first answer is repeated.
            writes.SubmitEvidence(request, metadata=actor, timeout=20)
        writes.GetDossier(evidence_service.GetDossierRequest(
            organisation="bexley", period="2001-02"), timeout=20)
        question = rating_service.RateOrganisationRequest(organisation="leicestershire")
        question.scheme.scheme, question.scheme.period = SCHEME, "2001-02"
        question.scheme.date = "2002-05-30"
        question.scheme.freshness.minimize_latency.SetInParent()
        for _ in range(5):
            ratings.RateOrganisation(question, timeout=20)
        question.organisation = "nobody"
        expect(grpc.StatusCode.NOT_FOUND, ratings.RateOrganisation, question)

    def channel(self, service):
        return grpc.insecure_channel(getattr(self.services, service).grpc)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Secured:
    """A second installation: certificates and roles are watched only where they are."""

    def __init__(self, directory):
        self.certificates = directory / "certs"
        harness.run([harness.STARCTL, "dev-certs", self.certificates])
        self.policy = directory / "policy.textproto"
        self.policy.write_text(POLICY)
        self.assessment = self.start(directory, "assessment-svc", "--store", "memory:")
        self.rating = self.start(directory, "rating-svc", "--schemes", harness.SCHEMES,
                                 "--assessment", self.assessment.grpc)

    def start(self, directory, service, *flags):
        process = harness.start_under_tls(directory, service, self.certificates, self.policy,
                                          *flags, called=f"secured-{service}")
        ChainTest.addClassCleanup(process.kill)
        return process

    def stranger(self):
        """Calls the record with a good certificate that the policy does not name."""
        ca, key, certificate = ((self.certificates / "analyst" / name).read_bytes()
                                for name in ("ca.crt", "tls.key", "tls.crt"))
        return evidence_grpc.EvidenceServiceStub(grpc.secure_channel(
            self.assessment.grpc, grpc.ssl_channel_credentials(ca, key, certificate),
            [("grpc.ssl_target_name_override", "localhost")]))


class ChainTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.promtool = monitoring.harness.require_tool("promtool")
        programs = [monitoring.harness.require_tool(name) for name in ("prometheus", "prometheus-alertmanager")]
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-chain-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.services = harness.Services()
        cls.addClassCleanup(cls.services.close)
        cls.services.load_england()
        cls.services.create_round()
        cls.processes = {("plain", "assessment-svc"): cls.services.assessment,
                         ("plain", "rating-svc"): cls.services.rating}
        secured = Secured(cls.directory)
        cls.processes["secured", "assessment-svc"] = secured.assessment
        cls.processes["secured", "rating-svc"] = secured.rating
        cls.chain = Chain(cls.directory, *programs, cls.processes)
        cls.addClassCleanup(cls.chain.close)
        cls.load = Load(cls.services, secured.stranger())
        cls.addClassCleanup(cls.load.end)

    def test_1_every_expression_has_data(self):
        wanted = {}
        for title, expression in panel_expressions():
            wanted.setdefault(f"panel {title}", []).append(expression)
        for rule in rules("record"):
            wanted[f"record {rule['record']}"] = [rule["expr"], rule["record"]]
        for rule in rules("alert"):
            wanted.setdefault(f"alert {rule['alert']}", []).extend(monitoring.sides(rule["expr"]))
        pending = {(name, expression) for name, parts in wanted.items() for expression in parts}
        cannot = {(name, expression) for name, expression in pending
                  if any(word in expression for word in CANNOT_BE)}
        pending -= cannot

        def all_have():
            pending.difference_update([p for p in pending if self.chain.has_data(p[1])])
            return not pending

        try:
            wait_for(all_have, "data")
        except AssertionError:
            self.fail("no data of\n" + "\n".join(f"{name}: {text.strip()}"
                                                 for name, text in sorted(pending)))
        self.assertEqual(self.load.faults, [])
        for name, expression in cannot:
            self.assertFalse(self.chain.has_data(expression), f"{name} has data: allow it no more")

    def test_2_every_metric_is_shown_or_watched(self):
        """What is worth counting is worth a look."""
        text = "\n".join([e for _, e in panel_expressions()] +
                         [r["expr"] for r in rules("record")] +
                         [r["expr"] for r in rules("alert")])
        for process in self.processes.values():
            families = re.findall(r"^# TYPE (\S+)", process.metrics(), re.MULTILINE)
            ours = [f for f in families
                    if re.match("assessment_|rating_|starratings_|grpc_server_", f)]
            self.assertGreater(len(ours), 5)
            for family in ours:
                self.assertIn(family, text)

    def test_3_promtool_finds_nothing_wrong_with_the_pages(self):
        for (namespace, job), process in self.processes.items():
            page = process.metrics()
            result = run(self.promtool, "check", "metrics", input=page, ok=False)
            self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""),
                             f"{namespace} {job}")
        result = run(self.promtool, "check", "metrics", input="# TYPE a counter\na 1\n", ok=False)
        self.assertNotEqual(result.returncode, 0)

    def test_4_nothing_fires_while_all_is_well(self):
        time.sleep(max(0, self.load.begun + QUIET_S - time.monotonic()))
        self.assertEqual(self.load.faults, [])
        firing = self.chain.query('ALERTS{alertstate="firing"}')
        self.assertEqual([labels for labels, _ in firing], [])
        self.assertEqual(self.chain.receiver.alerts, [])

    def test_5_a_service_that_ends_is_told_and_so_is_its_return(self):
        self.load.end()
        self.assertEqual(self.services.rating.stop(), 0)
        labels = {"alertname": "StarRatingsServiceDown", "severity": "critical",
                  "namespace": "plain", "job": "rating-svc"}
        told = wait_for(lambda: self.chain.receiver.find("firing", **labels), "the alert")
        self.assertEqual(told["annotations"]["summary"], "No replica of rating-svc answers")
        self.assertEqual(told["annotations"]["runbook_url"],
                         "deploy/README.md#alert-starratingsservicedown")
        self.services.start_rating()
        self.chain.scrape("plain", "rating-svc", self.services.rating)
        wait_for(lambda: self.chain.receiver.find("resolved", **labels), "its end")


if __name__ == "__main__":
    harness.main()
