"""Mutual TLS with the certificates that `starctl dev-certs` makes: the caller's
URI is the actor, and nobody is let in without a certificate."""

import pathlib
import unittest

import grpc

import harness

from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc

ANALYST = "spiffe://starratings/analyst"
CHIEF = "spiffe://starratings/chief-inspector"


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.services = services = harness.Services()
        cls.addClassCleanup(services.close)
        cls.certificates = certificates = services.directory / "certs"
        harness.run([harness.STARCTL, "dev-certs", certificates])
        services.rating.kill()
        services.assessment.kill()
        policy = certificates / "policy.textproto"
        services.assessment = harness.start_under_tls(
            services.directory, "assessment-svc", certificates, policy, "--store", services.store)
        services.rating = harness.start_under_tls(
            services.directory, "rating-svc", certificates, policy, "--schemes", harness.SCHEMES,
            "--assessment", services.assessment.grpc)

    def starctl(self, who, *arguments):
        return harness.run([harness.STARCTL, "--tls-directory", self.certificates / who,
                            "--assessment", self.services.assessment.grpc, "--rating",
                            self.services.rating.grpc, *arguments]).stdout

    def test_a_round_over_mutual_tls_names_its_actors(self):
        for what in ("organisations", "periods", "codes"):
            self.starctl("analyst", "register", what, harness.EXAMPLE / f"{what}.csv")
        scheme = harness.SCHEMES / "england-social-services-2002" / "scheme.textproto"
        self.starctl("analyst", "register", "scheme", scheme)
        self.starctl("chief-inspector", "schemes", "approve", scheme)
        self.starctl("analyst", "import", harness.EXAMPLE / "evidence.csv")
        self.starctl("analyst", "rounds", "create", "r", "--title", "A round", "--period",
                     "2001-02", "--date", "2002-05-30", "--scheme",
                     "england-social-services-2002@2002.1")
        self.starctl("analyst", "rounds", "freeze", "r")
        self.starctl("analyst", "rounds", "record", "r")
        self.starctl("chief-inspector", "rounds", "publish", "r", "--yes")
        shown = self.starctl("analyst", "rounds", "show", "r")
        self.assertIn(ANALYST, shown)
        self.assertIn(CHIEF, shown)
        self.assertIn("spiffe://starratings/rating-svc", shown)

    def call(self, credentials):
        channel = grpc.secure_channel(self.services.assessment.grpc, credentials,
                                      [("grpc.ssl_target_name_override", "localhost")])
        stub = evidence_grpc.EvidenceServiceStub(channel)
        stub.ListEvidence(evidence_service.ListEvidenceRequest(), timeout=10)

    def read(self, *parts):
        return pathlib.Path(self.certificates, *parts).read_bytes()

    def test_only_certificates_of_the_authority_get_in(self):
        authority = self.read("ca.crt")
        self.call(grpc.ssl_channel_credentials(authority, self.read("analyst", "tls.key"),
                                               self.read("analyst", "tls.crt")))
        strangers = self.services.directory / "strangers"
        harness.run([harness.STARCTL, "dev-certs", strangers])
        for credentials in (
                grpc.ssl_channel_credentials(authority),
                grpc.ssl_channel_credentials(
                    authority, (strangers / "analyst" / "tls.key").read_bytes(),
                    (strangers / "analyst" / "tls.crt").read_bytes())):
            with self.assertRaises(grpc.RpcError) as caught:
                self.call(credentials)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_plaintext_is_refused(self):
        stub = evidence_grpc.EvidenceServiceStub(
            grpc.insecure_channel(self.services.assessment.grpc))
        with self.assertRaises(grpc.RpcError) as caught:
            stub.ListEvidence(evidence_service.ListEvidenceRequest(), timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)


if __name__ == "__main__":
    harness.main()
