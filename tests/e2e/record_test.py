"""What the record promises, over real sockets: request ids, etags, revisions,
four eyes, embargo."""

import unittest
import uuid

import grpc

import harness

# Found once harness has put the generated code on the path.
from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.assessment.v1 import round_service_pb2 as round_service
from starratings.assessment.v1 import round_service_pb2_grpc as round_grpc
from starratings.evidence.v1 import evidence_pb2 as evidence

ANALYST = (("starratings-actor", "analyst"),)
INSPECTOR = (("starratings-actor", "chief-inspector"),)


def submit_request(level="some", etag="", request_id=None, reason=""):
    request = evidence_service.SubmitEvidenceRequest(
        request_id=request_id or str(uuid.uuid4()), reason=reason,
        sources=[evidence.Source(id="s", title="A test")])
    item = request.items.add(etag=etag)
    item.item.CopyFrom(evidence.EvidenceItem(
        organisation="leicestershire", period="2001-02", code="adults.serving",
        value=evidence.Value(level=level), source_id="s"))
    return request


KEY = evidence_service.EvidenceKey(organisation="leicestershire", period="2001-02",
                                   code="adults.serving")


class RecordTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()
        channel = grpc.insecure_channel(cls.services.assessment.grpc)
        cls.evidence = evidence_grpc.EvidenceServiceStub(channel)
        cls.rounds = round_grpc.RoundServiceStub(channel)

    def head(self):
        return self.evidence.GetEvidence(
            evidence_service.GetEvidenceRequest(key=KEY)).snapshot.revision

    def refused(self, call, request, metadata=ANALYST):
        with self.assertRaises(grpc.RpcError) as caught:
            call(request, metadata=metadata)
        return caught.exception

    def test_a_retry_returns_the_first_answer_and_writes_nothing(self):
        request = submit_request("most", reason="a test")
        first = self.evidence.SubmitEvidence(request, metadata=ANALYST)
        head = self.head()
        again = self.evidence.SubmitEvidence(request, metadata=ANALYST)
        self.assertTrue(again.replayed)
        self.assertFalse(first.replayed)
        self.assertEqual(again.snapshot, first.snapshot)
        self.assertEqual(again.etags, first.etags)
        self.assertEqual(self.head(), head)

    def test_a_request_id_stands_for_one_request(self):
        request = submit_request("most", reason="a test")
        self.evidence.SubmitEvidence(request, metadata=ANALYST)
        head = self.head()
        request.items[0].item.value.level = "no"
        error = self.refused(self.evidence.SubmitEvidence, request)
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(self.head(), head)

    def test_a_wrong_etag_is_aborted(self):
        head = self.head()
        for etag in ("1.999999", "*none*"):
            error = self.refused(self.evidence.SubmitEvidence,
                                 submit_request(etag=etag, reason="a test"))
            self.assertEqual(error.code(), grpc.StatusCode.ABORTED)
        self.assertEqual(self.head(), head)
        current = self.evidence.GetEvidence(evidence_service.GetEvidenceRequest(key=KEY))
        written = self.evidence.SubmitEvidence(
            submit_request(etag=current.item.etag, reason="a test"), metadata=ANALYST)
        self.assertEqual(written.snapshot.revision, head + 1)

    def test_an_earlier_revision_never_changes(self):
        written = self.evidence.SubmitEvidence(submit_request("yes", reason="a test"),
                                               metadata=ANALYST)
        exactly = evidence.Freshness(exactly=written.snapshot.token)
        request = evidence_service.GetDossierRequest(
            organisation="leicestershire", period="2001-02", freshness=exactly)
        before = self.evidence.GetDossier(request).SerializeToString(deterministic=True)
        self.evidence.SubmitEvidence(submit_request("no", reason="a test"), metadata=ANALYST)
        after = self.evidence.GetDossier(request).SerializeToString(deterministic=True)
        self.assertEqual(before, after)

    def test_withdrawn_evidence_reads_as_missing(self):
        self.evidence.WithdrawEvidence(evidence_service.WithdrawEvidenceRequest(
            request_id=str(uuid.uuid4()), reason="counted twice",
            key=evidence_service.EvidenceKey(organisation="cornwall", period="2001-02",
                                             code="adults.serving")), metadata=ANALYST)
        item = self.evidence.GetEvidence(evidence_service.GetEvidenceRequest(
            key=evidence_service.EvidenceKey(organisation="cornwall", period="2001-02",
                                             code="adults.serving"))).item
        self.assertEqual(item.item.value.missing, evidence.MISSING_REASON_WITHDRAWN)
        self.assertEqual(item.reason, "counted twice")

    def test_nobody_writes_without_a_name(self):
        error = self.refused(self.evidence.SubmitEvidence, submit_request(), metadata=())
        self.assertEqual(error.code(), grpc.StatusCode.UNAUTHENTICATED)

    def test_whoever_froze_cannot_publish_and_nobody_sees_before(self):
        self.services.create_round("four-eyes")
        self.services.starctl("rounds", "freeze", "four-eyes")
        self.services.starctl("rounds", "record", "four-eyes")
        read = round_service.GetPublishedRatingRequest(organisation="walsall", round="four-eyes")
        for call, request in (
                (self.rounds.GetPublishedRating, read),
                (self.rounds.ListPublishedRatings,
                 round_service.ListPublishedRatingsRequest(round="four-eyes")),
                (self.rounds.ListSpecialMeasures,
                 round_service.ListSpecialMeasuresRequest(round="four-eyes"))):
            self.assertEqual(self.refused(call, request).code(), grpc.StatusCode.NOT_FOUND)
        the_round = self.rounds.GetRound(round_service.GetRoundRequest(round="four-eyes")).round
        publish = round_service.PublishRoundRequest(
            request_id=str(uuid.uuid4()), round="four-eyes", etag=the_round.etag,
            round_digest=the_round.round_digest)
        error = self.refused(self.rounds.PublishRound, publish)
        self.assertEqual(error.code(), grpc.StatusCode.PERMISSION_DENIED)
        wrong = round_service.PublishRoundRequest()
        wrong.CopyFrom(publish)
        wrong.round_digest = "0" * 64
        error = self.refused(self.rounds.PublishRound, wrong, INSPECTOR)
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.rounds.PublishRound(publish, metadata=INSPECTOR)
        rating = self.rounds.GetPublishedRating(read).rating
        self.assertEqual(rating.results[0].level, "0")

    def test_tokens_of_other_stores_and_futures_are_refused(self):
        other = harness.Services()
        self.addCleanup(other.close)
        other.load_england()
        stub = evidence_grpc.EvidenceServiceStub(grpc.insecure_channel(other.assessment.grpc))
        token = stub.GetEvidence(
            evidence_service.GetEvidenceRequest(key=KEY)).snapshot.token
        for bad in (token, "rubbish"):
            error = self.refused(self.evidence.GetEvidence, evidence_service.GetEvidenceRequest(
                key=KEY, freshness=evidence.Freshness(exactly=bad)))
            self.assertIn(error.code(), (grpc.StatusCode.INVALID_ARGUMENT,
                                         grpc.StatusCode.FAILED_PRECONDITION))


if __name__ == "__main__":
    harness.main()
