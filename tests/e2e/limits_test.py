"""What a flag limits is limited, with the error that docs/operation.md names."""

import signal
import threading
import uuid

import grpc

import harness

from starratings.assessment.v1 import evidence_service_pb2 as service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.assessment.v1 import register_service_pb2 as register_service
from starratings.assessment.v1 import register_service_pb2_grpc as register_grpc
from starratings.rating.v1 import rating_service_pb2 as rating_service
from starratings.rating.v1 import rating_service_pb2_grpc as rating_grpc

ANALYST = (("starratings-actor", "analyst"),)
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


class LimitsTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()

    def restart(self, *flags):
        """assessment-svc with flags; a channel to it."""
        self.services.assessment.stop()
        self.services.assessment = harness.Process(
            [harness.BUILD / "assessment-svc" / "assessment-svc", "--insecure", "--listen",
             "127.0.0.1:0", "--health_listen", "127.0.0.1:0", "--metrics_listen", "127.0.0.1:0",
             "--store", self.services.store, *flags], self.services.directory, "assessment-svc")
        channel = grpc.insecure_channel(self.services.assessment.grpc)
        self.addCleanup(channel.close)
        return channel

    def batch(self, items, title="A test"):
        request = service.SubmitEvidenceRequest(request_id=str(uuid.uuid4()))
        request.sources.add(id="s", title=title)
        for i in range(items):
            item = request.items.add().item
            item.organisation, item.period, item.code = "walsall", "2001-02", "adults.serving"
            item.instance, item.source_id = str(i), "s"
            item.value.level = "no"
        return request

    def refused(self, call, request, code, words, reason=None, timeout=10):
        outcome = call.future(request, timeout=timeout, metadata=ANALYST)
        self.assertEqual(outcome.code(), code, outcome.details())
        self.assertIn(words, outcome.details())
        if reason is not None:
            self.assertEqual(harness.reason_of(outcome), reason)

    def test_batches_and_messages(self):
        stub = evidence_grpc.EvidenceServiceStub(self.restart(
            "--batch_items_most", "2", "--batch_bytes_most", "1024", "--message_mib", "1"))
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        stub.SubmitEvidence(self.batch(2), timeout=10, metadata=ANALYST)
        self.refused(stub.SubmitEvidence, self.batch(3), invalid, "must have 1 to 2 items",
                     "INVALID_FIELDS")
        self.refused(stub.SubmitEvidence, self.batch(1, "x" * 2_000), invalid,
                     "must come in a request of at most 1024 bytes", "INVALID_FIELDS")
        self.refused(stub.SubmitEvidence, self.batch(1, "x" * (1 << 20)), EXHAUSTED,
                     "larger than max")

    def test_pages_are_shorter_and_go_on(self):
        stub = register_grpc.RegisterServiceStub(self.restart("--page_size_most", "7"))
        request, seen = register_service.ListOrganisationsRequest(page_size=1_000), []
        while True:
            page = stub.ListOrganisations(request, timeout=10, metadata=ANALYST)
            self.assertLessEqual(len(page.organisations), 7)
            seen += [organisation.id for organisation in page.organisations]
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        self.assertEqual((len(seen), len(set(seen))), (150, 150))
        # Whoever asks for pages gets all of them.
        self.assertEqual(len(self.services.starctl("dossier", "walsall", "--period", "2001-02",
                                                   as_json=True)["dossier"]["items"]),
                         len(self.dossier()))

    def dossier(self):
        stub = evidence_grpc.EvidenceServiceStub(
            grpc.insecure_channel(self.services.assessment.grpc))
        return stub.GetDossier(service.GetDossierRequest(organisation="walsall", period="2001-02"),
                               timeout=10, metadata=ANALYST).dossier.items

    def test_a_deadline_has_a_ceiling(self):
        self.restart()
        self.services.rating.stop()
        self.services.rating = harness.Process(
            [harness.BUILD / "rating-svc" / "rating-svc", "--insecure", "--listen", "127.0.0.1:0",
             "--health_listen", "127.0.0.1:0", "--metrics_listen", "127.0.0.1:0", "--schemes",
             harness.SCHEMES, "--assessment", self.services.assessment.grpc, "--deadline_most",
             "1s"], self.services.directory, "rating-svc")
        # What it asks never answers: the caller would wait for a minute, the service does not.
        stub = rating_grpc.RatingServiceStub(grpc.insecure_channel(self.services.rating.grpc))
        request = rating_service.RateOrganisationRequest(organisation="walsall")
        request.scheme.scheme = "england-social-services-2002@2002.1"
        request.scheme.period, request.scheme.date = "2001-02", "2002-05-30"
        self.services.assessment.process.send_signal(signal.SIGSTOP)
        try:
            # The service says so, not the caller's own library.
            self.refused(stub.RateOrganisation, request, grpc.StatusCode.DEADLINE_EXCEEDED, "",
                         "DEADLINE_EXCEEDED", timeout=10 * harness.PATIENCE_S)
        finally:
            self.services.assessment.process.send_signal(signal.SIGCONT)

    def test_calls_that_wait(self):
        stub = evidence_grpc.EvidenceServiceStub(self.restart("--calls_waiting_most", "1"))
        request = service.ListEvidenceRequest(page_size=1_000)
        codes, reasons = set(), set()

        def ask():
            calls = [stub.ListEvidence.future(request, timeout=30, metadata=ANALYST)
                     for _ in range(50)]
            for call in calls:
                codes.add(call.code())
                reasons.add(harness.reason_of(call))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(codes, {grpc.StatusCode.OK, EXHAUSTED})
        self.assertEqual(reasons, {"", "POOL_FULL"})


if __name__ == "__main__":
    harness.main()
