"""What minimize_latency answers: fast, of a revision that it names, and never
wrong, whoever is killed."""

import os
import signal
import threading
import time
import uuid

import grpc

import harness

from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.evidence.v1 import evidence_pb2 as evidence
from starratings.rating.v1 import rating_service_pb2 as rating_service
from starratings.rating.v1 import rating_service_pb2_grpc as rating_grpc

ACTOR = (("starratings-actor", "analyst"),)
SCHEME = "england-social-services-2002@2002.1"


def submission(organisation, level):
    request = evidence_service.SubmitEvidenceRequest(
        request_id=str(uuid.uuid4()), reason="a test",
        sources=[evidence.Source(id="s", title="A test")])
    request.items.add().item.CopyFrom(evidence.EvidenceItem(
        organisation=organisation, period="2001-02", code="adults.serving",
        value=evidence.Value(level=level), source_id="s"))
    return request


def question(organisation, **freshness):
    request = rating_service.RateOrganisationRequest(organisation=organisation)
    request.scheme.scheme = SCHEME
    request.scheme.period = "2001-02"
    request.scheme.date = "2002-05-30"
    request.scheme.freshness.CopyFrom(evidence.Freshness(**freshness))
    return request


FAST = {"minimize_latency": evidence.Freshness.MinimizeLatency()}


class CacheTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()

    def setUp(self):
        self.evidence = evidence_grpc.EvidenceServiceStub(
            grpc.insecure_channel(self.services.assessment.grpc))
        self.ratings = rating_grpc.RatingServiceStub(
            grpc.insecure_channel(self.services.rating.grpc))

    def rate(self, organisation, **freshness):
        return self.ratings.RateOrganisation(question(organisation, **freshness),
                                             timeout=20).rating

    def lookups(self, outcome):
        return self.services.rating.metric(
            f'rating_dossier_cache_lookups_total{{outcome="{outcome}"}}') or 0

    def warm(self, organisation):
        deadline = time.monotonic() + harness.PATIENCE_S
        while time.monotonic() < deadline:
            hits = self.lookups("hit")
            rating = self.rate(organisation, **FAST)
            if self.lookups("hit") > hits:
                return rating
            time.sleep(0.05)
        raise AssertionError(f"the cache never answers: {self.services.rating.metrics()}")

    def test_a_hit_is_the_rating_of_its_revision(self):
        fast = self.warm("leicestershire")
        exactly = self.rate("leicestershire", exactly=fast.snapshot.token)
        self.assertEqual(fast, exactly)
        latest = self.rate("leicestershire", latest=evidence.Freshness.Latest())
        self.assertEqual(fast.digest, latest.digest)
        self.assertGreater(self.services.rating.metric("rating_dossier_cache_bytes"), 1000)

    def test_a_submit_is_seen_at_once_with_its_token(self):
        self.warm("bexley")
        for i in range(60):
            level = ("no", "most")[i % 2]
            answer = self.evidence.SubmitEvidence(submission("bexley", level), metadata=ACTOR)
            rating = self.rate("bexley", at_least=answer.snapshot.token)
            self.assertGreaterEqual(rating.snapshot.revision, answer.snapshot.revision)
            self.assertEqual(rating.results[0].level == "0", level == "no", i)
        hits = self.lookups("hit")
        self.warm("bexley")
        self.assertGreater(self.lookups("hit"), hits)

    def test_a_change_shows_within_seconds_and_a_new_name_too(self):
        self.warm("cornwall")
        for level in ("no", "most", "no"):
            self.evidence.SubmitEvidence(submission("cornwall", level), metadata=ACTOR)
            deadline = time.monotonic() + 5
            while (self.rate("cornwall", **FAST).results[0].level == "0") != (level == "no"):
                self.assertLess(time.monotonic(), deadline, level)
                time.sleep(0.01)

    def test_many_who_write_and_read_never_see_less_than_they_wrote(self):
        self.warm("sunderland")
        wrong = []

        def client(organisation):
            for i in range(40):
                level = ("no", "most")[i % 2]
                try:
                    token = self.evidence.SubmitEvidence(submission(organisation, level),
                                                         metadata=ACTOR).snapshot.token
                    rating = self.rate(organisation, at_least=token)
                    fast = self.rate(organisation, **FAST)
                    exactly = self.rate(organisation, exactly=fast.snapshot.token)
                except grpc.RpcError as error:
                    wrong.append(error)
                    return
                if (rating.results[0].level == "0") != (level == "no"):
                    wrong.append((organisation, i, rating))
                if fast != exactly:
                    wrong.append((fast, exactly))
        clients = [threading.Thread(target=client, args=(name,))
                   for name in ("sunderland", "wandsworth", "westminster",
                                                    "newcastle-upon-tyne")]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_killed_record_never_leads_to_a_wrong_answer(self):
        """While it is gone: an error, or what still was so; after: only what is so."""
        answer = self.evidence.SubmitEvidence(submission("kensington-and-chelsea", "most"), metadata=ACTOR)
        known = {answer.snapshot.revision: "most"}
        self.warm("kensington-and-chelsea")
        for i in range(4):
            self.services.assessment.kill()
            begun = time.monotonic()
            while time.monotonic() - begun < 1:
                try:
                    rating = self.rate("kensington-and-chelsea", **FAST)
                    self.assertEqual(rating.results[0].level == "0",
                                     known[max(r for r in known
                                               if r <= rating.snapshot.revision)] == "no")
                except grpc.RpcError as error:
                    self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
                time.sleep(0.02)
            with self.assertRaises(grpc.RpcError):
                self.rate("kensington-and-chelsea", latest=evidence.Freshness.Latest())
            self.services.restart_assessment()
            level = ("no", "most")[i % 2]
            stub = evidence_grpc.EvidenceServiceStub(
                grpc.insecure_channel(self.services.assessment.grpc))
            answer = stub.SubmitEvidence(submission("kensington-and-chelsea", level), metadata=ACTOR,
                                         wait_for_ready=True, timeout=20)
            known[answer.snapshot.revision] = level
            deadline = time.monotonic() + 20
            while True:  # Its channel waits a while before it connects again.
                try:
                    rating = self.rate("kensington-and-chelsea", at_least=answer.snapshot.token)
                    break
                except grpc.RpcError as error:
                    self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.1)
            self.assertEqual(rating.results[0].level == "0", level == "no")
            # Everything acknowledged before the call is in it, by now.
            rating = self.warm("kensington-and-chelsea")
            self.assertGreaterEqual(rating.snapshot.revision, answer.snapshot.revision)
            self.assertEqual(rating.results[0].level == "0", level == "no")

    def test_a_frozen_record_is_not_answered_for_longer_than_it_may_be(self):
        self.warm("leicestershire")
        pid = self.services.assessment.process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(6)  # What was so five seconds ago is nobody's answer now.
            with self.assertRaises(grpc.RpcError):
                self.ratings.RateOrganisation(question("leicestershire", **FAST), timeout=1)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.warm("leicestershire")


if __name__ == "__main__":
    harness.main()
