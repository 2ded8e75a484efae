"""What operators rely on: health, metrics, logs, TLS, signals, flags."""

import json
import signal
import subprocess
import time
import unittest

import grpc

import harness

from grpc_health import health_pb2, health_pb2_grpc
from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.rating.v1 import rating_service_pb2 as rating_service
from starratings.rating.v1 import rating_service_pb2_grpc as rating_grpc


def health(address, name):
    stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(address))
    return stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10).status


class OperationTest(harness.ServiceTest):
    def test_health_by_name_on_both_ports(self):
        names = {"assessment": ["", "liveness", "readiness",
                                "starratings.assessment.v1.EvidenceService",
                                "starratings.assessment.v1.RegisterService",
                                "starratings.assessment.v1.RoundService"],
                 "rating": ["", "liveness", "readiness", "starratings.rating.v1.RatingService",
                            "starratings.rating.v1.SchemeService"]}
        for service, expected in names.items():
            process = getattr(self.services, service)
            for address in (process.grpc, process.health):
                for name in expected:
                    self.assertEqual(health(address, name), 1, f"{service} {name}")
            with self.assertRaises(grpc.RpcError) as caught:
                health(process.health, "nobody")
            self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_the_health_port_answers_nothing_else(self):
        stub = evidence_grpc.EvidenceServiceStub(
            grpc.insecure_channel(self.services.assessment.health))
        with self.assertRaises(grpc.RpcError) as caught:
            stub.ListEvidence(evidence_service.ListEvidenceRequest(), timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_rating_svc_is_ready_only_with_a_record_and_lives_without(self):
        services = harness.Services()
        self.addCleanup(services.close)
        services.assessment.kill()
        deadline = time.monotonic() + harness.PATIENCE_S
        while health(services.rating.health, "readiness") == 1:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.assertEqual(health(services.rating.health, "liveness"), 1)
        services.restart_assessment()
        while health(services.rating.health, "readiness") != 1:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def test_metrics_are_there_from_the_start(self):
        page = self.services.assessment.metrics()
        for name in ("grpc_server_started_total", "grpc_server_handled_total",
                     "grpc_server_handling_seconds_bucket", "assessment_head_revision",
                     "assessment_commits_total", "starratings_build_info"):
            self.assertIn(name, page)
        self.assertIn("grpc_server_handled_total", self.services.rating.metrics())

    def test_calls_are_counted_and_logged_with_their_request_id(self):
        assessment = self.services.assessment
        series = ('grpc_server_handled_total{grpc_code="OK",grpc_method="ListEvidence",'
                  'grpc_service="starratings.assessment.v1.EvidenceService",grpc_type="unary"}')
        before = assessment.metric(series)
        stub = evidence_grpc.EvidenceServiceStub(grpc.insecure_channel(assessment.grpc))
        _, call = stub.ListEvidence.with_call(evidence_service.ListEvidenceRequest(), timeout=10,
                                              metadata=(("x-request-id", "test-4711"),
                                                        ("starratings-actor", "somebody")))
        self.assertIn(("x-request-id", "test-4711"),
                      [(m.key, m.value) for m in call.trailing_metadata()])
        self.assertEqual(assessment.metric(series), before + 1)
        calls = self.logged(assessment, "test-4711")
        self.assertEqual([c["code"] for c in calls], ["OK"])
        self.assertEqual([c["message"] for c in calls], ["audit"])
        self.assertEqual([c["actor"] for c in calls], ["somebody"])

    def logged(self, process, request_id):
        """The lines about a request, which are written soon after it."""
        end = time.monotonic() + harness.PATIENCE_S
        while time.monotonic() < end:
            lines = [json.loads(line) for line in process.log_path.read_text().splitlines()]
            found = [line for line in lines if line.get("request_id") == request_id]
            if found:
                return found
            time.sleep(0.01)
        raise AssertionError(f"no line about {request_id}")

    def test_a_trace_is_logged_and_passed_on(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        stub = rating_grpc.RatingServiceStub(grpc.insecure_channel(self.services.rating.grpc))
        with self.assertRaises(grpc.RpcError):
            stub.RateOrganisation(
                rating_service.RateOrganisationRequest(organisation="x", round="nowhere"),
                timeout=10, metadata=(("traceparent", f"00-{trace}-00f067aa0ba902b7-01"),
                                      ("x-request-id", "test-4712")))
        for process, method in ((self.services.rating, "RateOrganisation"),
                                (self.services.assessment, "GetRound")):
            lines = self.logged(process, "test-4712")
            self.assertEqual([line["trace_id"] for line in lines], [trace])
            self.assertIn(method, lines[0]["method"])
        self.assertEqual(self.logged(self.services.rating, "test-4712")[0]["about"],
                         "round=nowhere organisation=x")

    def test_sigterm_drains_and_exits_0(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            services = harness.Services()
            self.addCleanup(services.close)
            for process in (services.rating, services.assessment):
                process.process.send_signal(sig)
                self.assertEqual(process.process.wait(timeout=harness.PATIENCE_S), 0)
                self.assertIn('"stopped"', process.log())

    def test_a_write_in_flight_survives_sigterm(self):
        services = harness.Services()
        self.addCleanup(services.close)
        services.load_england()
        files = [str(harness.EXAMPLE / "evidence.csv")]
        importing = subprocess.Popen(
            [str(harness.STARCTL), "--insecure", "--actor", "late", "--assessment",
             services.assessment.grpc, "import", "--batch", "5", "--retry-for", "60",
             "--reason", "again"] + files, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.05)
        self.assertEqual(services.assessment.stop(), 0)
        services.restart_assessment()
        out, err = importing.communicate(timeout=10 * harness.PATIENCE_S)
        self.assertEqual(importing.returncode, 0, out + err)

    def refused(self, command, *words):
        result = harness.run(command, ok=False)
        self.assertNotEqual(result.returncode, 0)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)

    def test_what_is_wrong_at_the_start_is_one_sentence(self):
        directory = self.services.directory
        assessment = harness.BUILD / "assessment-svc" / "assessment-svc"
        rating = harness.BUILD / "rating-svc" / "rating-svc"
        base = [assessment, "--insecure", "--listen", "127.0.0.1:0"]
        self.refused(base, "--store")
        self.refused(base + ["--store", f"sqlite:{directory}/nowhere.db"], "starctl store migrate")
        self.refused(base + ["--store", "mysql:x"], "--store", "sqlite:")
        self.refused([assessment, "--insecure", "--listen", "0.0.0.0:0", "--store",
                      self.services.store], "--insecure", "loopback")
        self.refused([assessment, "--listen", "127.0.0.1:0", "--store", self.services.store],
                     "--tls_directory", "--insecure")
        self.refused([assessment, "--listen", "127.0.0.1:0", "--tls_directory", directory,
                      "--policy", directory, "--store", self.services.store], "tls.crt")
        self.refused([assessment, "--insecure", "--listen", self.services.assessment.grpc,
                      "--store", self.services.store], "--listen", "taken")
        self.refused([rating, "--insecure", "--listen", "127.0.0.1:0", "--schemes",
                      harness.SCHEMES], "--assessment")
        self.refused([rating, "--insecure", "--listen", "127.0.0.1:0", "--assessment",
                      self.services.assessment.grpc, "--schemes", directory / "nowhere"],
                     "--schemes")
        self.refused(base + ["--store", self.services.store, "surplus"], "surplus")

    def test_help_names_the_flags_and_exits_0(self):
        for service, flags in (("assessment-svc", ("--store", "--listen", "--tls_directory")),
                               ("rating-svc", ("--schemes", "--assessment", "--insecure"))):
            result = harness.run([harness.BUILD / service / service, "--help"])
            for flag in flags:
                self.assertIn(flag, result.stdout)
            self.assertNotIn("--v ", result.stdout)


if __name__ == "__main__":
    harness.main()
