"""Who may do what, under mutual TLS: every rpc with every role, as the service
descriptors say; suppliers and their organisations; certificates and policies that
change, or are no good, while calls go on."""

import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

import grpc

import harness

from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.assessment.v1 import register_service_pb2 as register_service
from starratings.assessment.v1 import register_service_pb2_grpc as register_grpc
from starratings.assessment.v1 import round_service_pb2 as round_service
from starratings.evidence.v1 import register_pb2
from starratings.policy.v1 import policy_pb2
from starratings.rating.v1 import rating_service_pb2 as rating_service
from starratings.rating.v1 import scheme_service_pb2 as scheme_service

DOMAIN = "spiffe://starratings/"
ROLES = [name for name in policy_pb2.Role.keys() if name != "ROLE_UNSPECIFIED"]
DENIED = grpc.StatusCode.PERMISSION_DENIED
# Whom `all_evidence` lets in.
SEERS = {"ROLE_INSPECTOR", "ROLE_OVERRIDER", "ROLE_SCHEME_AUTHOR", "ROLE_SCHEME_APPROVER",
         "ROLE_ROUND_MANAGER", "ROLE_PUBLISHER", "ROLE_EMBARGOED_READER"}
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def folder_of(role):
    return role.removeprefix("ROLE_").lower()


def policy_text(grants):
    """`grants`: identity -> (roles, organisations)."""
    return "".join(
        f'grants {{ identity: "{DOMAIN}{who}" roles: [{", ".join(roles)}]'
        + "".join(f' organisations: "{organisation}"' for organisation in organisations) + " }\n"
        for who, (roles, organisations) in grants.items())


GRANTS = {"rating-svc": (["ROLE_RATING_SERVICE"], []),
          **{folder_of(role): ([role], ["camden"] if role == "ROLE_SUPPLIER" else [])
             for role in ROLES}}


class Site:
    """Both services under TLS, with an identity for each role and one with none."""

    def __init__(self):
        self.services = harness.Services()
        self.directory = self.services.directory
        self.certificates = self.directory / "certs"
        actors = [folder_of(role) for role in ROLES] + ["nobody"]
        harness.run([harness.STARCTL, "dev-certs", self.certificates,
                     *(f"--actor={DOMAIN}{actor}" for actor in actors)])
        self.policy = self.directory / "policy.textproto"
        self.policy.write_text(policy_text(GRANTS))
        self.services.rating.kill()
        self.services.assessment.kill()
        self.services.assessment = self.start("assessment-svc", "--store", self.services.store)
        self.services.rating = self.start("rating-svc", "--schemes", harness.SCHEMES,
                                          "--assessment", self.services.assessment.grpc)

    def start(self, name, *flags):
        return harness.start_under_tls(self.directory, name, self.certificates, self.policy,
                                       "--reload", "1s", *flags)

    def read(self, *parts):
        return pathlib.Path(self.certificates, *parts).read_bytes()

    def channel(self, who, to="assessment"):
        return self.channel_with(self.read(who, "tls.key"), self.read(who, "tls.crt"), to)

    def channel_with(self, key, certificate, to="assessment"):
        return grpc.secure_channel(
            getattr(self.services, to).grpc,
            grpc.ssl_channel_credentials(self.read("ca.crt"), key, certificate),
            [("grpc.ssl_target_name_override", "localhost"), ("grpc.enable_retries", 0),
             ("grpc.use_local_subchannel_pool", 1)])

    def starctl(self, who, *arguments):
        return harness.run([harness.STARCTL, "--tls-directory", self.certificates / who,
                            "--assessment", self.services.assessment.grpc, "--rating",
                            self.services.rating.grpc, *arguments]).stdout

    def issue(self, name, subject_names, since=-1, until=2):
        """A certificate of the authority, made by openssl, good from and until as many
        days from now. Returns key and certificate."""
        key, request, signed, settings = (self.directory / f"{name}.{kind}"
                                          for kind in ("key", "csr", "crt", "conf"))
        (self.directory / f"{name}.index").touch()
        settings.write_text(
            f"[ca]\ndefault_ca=d\n[d]\nnew_certs_dir={self.directory}\n"
            f"database={self.directory / name}.index\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nbasicConstraints=CA:FALSE\n"
            + (f"subjectAltName={subject_names}\n" if subject_names else ""))
        harness.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}"])

        def day(days):
            return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))

        harness.run(["openssl", "ca", "-config", settings, "-batch", "-notext", "-in", request,
                     "-out", signed, "-cert", self.certificates / "ca.crt", "-keyfile",
                     self.certificates / "ca.key", "-startdate", day(since), "-enddate", day(until)])
        return key.read_bytes(), signed.read_bytes()


def call(channel, path, streams, request=b"", seconds=0.5):
    """The status and message of an rpc; OK for a stream that begins to answer."""
    method = (channel.stream_stream if streams else channel.unary_stream)(path)
    try:
        for _ in method(iter([request]) if streams else request, timeout=seconds):
            break
        return grpc.StatusCode.OK, ""
    except grpc.RpcError as error:
        return error.code(), error.details()


def services_of(*modules):
    for to, module in modules:
        for service in module.DESCRIPTOR.services_by_name.values():
            yield to, service


class AccessTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.addClassCleanup(cls.site.services.close)

    def test_every_rpc_with_every_role(self):
        channels = {(who, to): self.site.channel(who, to)
                    for who in [folder_of(role) for role in ROLES] + ["nobody"]
                    for to in ("assessment", "rating")}
        tried = 0
        for to, service in services_of(("assessment", evidence_service),
                                       ("assessment", register_service),
                                       ("assessment", round_service), ("rating", rating_service),
                                       ("rating", scheme_service)):
            for method in service.methods:
                access = method.GetOptions().Extensions[policy_pb2.access]
                self.assertNotEqual(access.any_role, access.all_evidence or bool(access.roles),
                                    method.full_name)
                path = f"/{service.full_name}/{method.name}"
                streams = method.name in ("IngestEvidence", "RecordRatings")
                for role in [*ROLES, None]:
                    who = folder_of(role) if role else "nobody"
                    may = role is not None and (
                        access.any_role or policy_pb2.Role.Value(role) in access.roles
                        or (access.all_evidence and role in SEERS))
                    code, message = call(channels[who, to], path, streams)
                    denied = code == DENIED and message.startswith("ROLE_REQUIRED")
                    self.assertEqual(denied, not may, (path, who, code, message))
                    tried += 1
        self.assertGreater(tried, 300)
        metrics = self.site.services.assessment.metrics()
        self.assertIn('starratings_denied_calls_total{grpc_method="PublishRound",'
                      'grpc_service="starratings.assessment.v1.RoundService",reason="role"}', metrics)

    def test_what_is_not_there_is_denied_alike(self):
        nobody = self.site.channel("nobody")
        there = call(nobody, "/starratings.assessment.v1.RoundService/GetRound", False)
        absent = call(nobody, "/starratings.assessment.v1.RoundService/NoSuchThing", False)
        self.assertEqual(there, absent)
        self.assertEqual(there[0], DENIED)

    def test_a_supplier_acts_for_its_own_organisations_alone(self):
        supplier = evidence_grpc.EvidenceServiceStub(self.site.channel("supplier"))
        answers = []
        for organisation in ("camden", "barnet", "nowhere"):
            key = evidence_service.EvidenceKey(organisation=organisation, period="p", code="c")
            submit = evidence_service.SubmitEvidenceRequest(
                request_id="0f8fad5b-d9cb-469f-a165-70867728950e")
            submit.items.add().item.organisation = organisation
            for rpc, request in (
                    (supplier.SubmitEvidence, submit),
                    (supplier.WithdrawEvidence, evidence_service.WithdrawEvidenceRequest(key=key)),
                    (supplier.GetEvidence, evidence_service.GetEvidenceRequest(key=key)),
                    (supplier.ListEvidenceRevisions,
                     evidence_service.ListEvidenceRevisionsRequest(key=key)),
                    (supplier.GetDossier, evidence_service.GetDossierRequest(
                        organisation=organisation, period="p"))):
                answers.append((organisation, rpc.future(request, timeout=10).code()))
        for organisation, code in answers:
            self.assertEqual(code == DENIED, organisation != "camden", (organisation, code))

    def test_overrides_are_for_overriders_alone(self):
        registers = register_grpc.RegisterServiceStub(self.site.channel("round_manager"))
        register = register_service.RegisterRequest(
            request_id=str(uuid.uuid4()),
            organisations=[register_pb2.Organisation(id="camden", name="Camden", kind="council")],
            periods=[register_pb2.Period(id="p", **{"from": "2001-04-01", "to": "2002-04-01"})])
        for code, kind in (("care", register_pb2.KIND_JUDGEMENT),
                           ("decided", register_pb2.KIND_OVERRIDE)):
            register.codes.add(id=code, title=code, kind=kind,
                               value_type=register_pb2.VALUE_TYPE_FLAG)
        registers.Register(register, timeout=10)

        def submit(who, code, organisation="camden"):
            request = evidence_service.SubmitEvidenceRequest(request_id=str(uuid.uuid4()),
                                                             reason="A test")
            request.sources.add(id="s", title="A test")
            item = request.items.add().item
            item.organisation, item.period, item.code = organisation, "p", code
            item.value.flag, item.source_id = True, "s"
            if code == "decided":
                item.override.authority, item.override.expires_on = "The minister", "2003-01-01"
            return outcome(who, "SubmitEvidence", request)

        def withdraw(who, code):
            return outcome(who, "WithdrawEvidence", evidence_service.WithdrawEvidenceRequest(
                request_id=str(uuid.uuid4()), reason="A test",
                key=evidence_service.EvidenceKey(organisation="camden", period="p", code=code)))

        def outcome(who, rpc, request):
            stub = evidence_grpc.EvidenceServiceStub(self.site.channel(who))
            called = getattr(stub, rpc).future(request, timeout=10)
            return called.code().name, harness.reason_of(called)

        taken, refused = ("OK", ""), ("PERMISSION_DENIED", "KIND_NOT_YOURS")
        for who, code, answer in (("supplier", "care", taken), ("inspector", "care", taken),
                                  ("overrider", "decided", taken),
                                  ("supplier", "decided", refused),
                                  ("inspector", "decided", refused),
                                  ("overrider", "care", refused)):
            self.assertEqual(submit(who, code), answer, (who, code))
        for who, code, answer in (("inspector", "decided", refused), ("supplier", "decided", refused),
                                  ("overrider", "care", refused), ("overrider", "decided", taken),
                                  ("inspector", "care", taken)):
            self.assertEqual(withdraw(who, code), answer, (who, code))

    def test_reflection_is_for_those_with_a_role(self):
        # list_services = 7, of the request.
        ask = b"\x3a\x00"
        code, _ = call(self.site.channel("reader"), REFLECTION, True, ask, 5)
        self.assertEqual(code, grpc.StatusCode.OK)
        code, _ = call(self.site.channel("nobody"), REFLECTION, True, ask, 5)
        self.assertEqual(code, DENIED)

    def test_certificates_that_let_nobody_in(self):
        path = "/starratings.assessment.v1.RoundService/ListRounds"

        def code(*arguments, **days):
            key, certificate = self.site.issue(*arguments, **days)
            return call(self.site.channel_with(key, certificate), path, False, b"", 5)[0]

        uri = f"URI:{DOMAIN}reader"
        self.assertEqual(code("good", uri), grpc.StatusCode.OK)
        self.assertEqual(code("other", f"URI:{DOMAIN}other"), DENIED)
        unnamed = grpc.StatusCode.UNAUTHENTICATED
        self.assertEqual(code("none", ""), unnamed)
        self.assertEqual(code("dns", "DNS:reader"), unnamed)
        self.assertEqual(code("two", f"{uri},URI:{DOMAIN}publisher"), unnamed)
        shut_out = grpc.StatusCode.UNAVAILABLE
        self.assertEqual(code("expired", uri, since=-3, until=-1), shut_out)
        self.assertEqual(code("early", uri, since=1, until=3), shut_out)
        strangers = self.site.directory / "strangers"
        harness.run([harness.STARCTL, "dev-certs", strangers, f"--actor={DOMAIN}reader"])
        stranger = self.site.channel_with((strangers / "reader" / "tls.key").read_bytes(),
                                          (strangers / "reader" / "tls.crt").read_bytes())
        self.assertEqual(call(stranger, path, False, b"", 5)[0], shut_out)
        without = grpc.secure_channel(
            self.site.services.assessment.grpc,
            grpc.ssl_channel_credentials(self.site.read("ca.crt")),
            [("grpc.ssl_target_name_override", "localhost")])
        self.assertEqual(call(without, path, False, b"", 5)[0], shut_out)


class Load:
    """Calls that go on, over one connection and over new ones, until stop()."""

    def __init__(self, site):
        self.site = site
        self.failed = []
        self.made = 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(fresh,)) for fresh in (False, True)]
        for thread in self.threads:
            thread.start()

    def run(self, fresh):
        channel = self.site.channel("reader")
        while not self.ended.is_set():
            if fresh:
                channel.close()
                channel = self.site.channel("reader")
            code, message = call(channel, "/starratings.assessment.v1.RoundService/ListRounds",
                                 False, b"", 10)
            self.made += 1
            if code != grpc.StatusCode.OK:
                self.failed.append((code, message))

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


class RotationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.addClassCleanup(cls.site.services.close)

    def replace(self, service, **texts):
        for name, text in texts.items():
            path = self.site.certificates / service / name.replace("_", ".")
            part = path.with_suffix(".part")
            part.write_bytes(text)
            part.rename(path)

    def wait(self, what, patience=20):
        end = time.monotonic() + patience
        while not what():
            self.assertLess(time.monotonic(), end, self.site.services.assessment.log())
            time.sleep(0.05)

    def served(self, service):
        context = ssl.create_default_context(cafile=self.site.certificates / "ca.crt")
        context.check_hostname = False
        context.load_cert_chain(self.site.certificates / "reader" / "tls.crt",
                                self.site.certificates / "reader" / "tls.key")
        host, port = getattr(self.site.services, service).grpc.split(":")
        with socket.create_connection((host, int(port))) as raw:
            with context.wrap_socket(raw) as wrapped:
                return ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(True)).encode()

    def test_certificates_change_and_no_call_is_dropped(self):
        assessment = self.site.services.assessment
        load = Load(self.site)
        try:
            names = f"URI:{DOMAIN}assessment-svc,DNS:localhost,DNS:assessment-svc,IP:127.0.0.1"
            for turn in range(1, 4):
                key, certificate = self.site.issue(f"turn{turn}", names, until=turn)
                self.replace("assessment-svc", tls_key=key, tls_crt=certificate)
                self.wait(lambda turn=turn: assessment.metric(
                    'starratings_tls_reloads_total{outcome="loaded"}') == turn)
                self.wait(lambda pem=certificate: self.served("assessment") == pem)
            expires = assessment.metric("starratings_tls_not_after_timestamp_seconds")
            self.assertAlmostEqual(expires, time.time() + 3 * 86400, delta=3600)

            # Garbage is told, and what was in use stays in use.
            self.replace("assessment-svc", tls_crt=b"garbage\n")
            self.wait(lambda: assessment.metric("starratings_tls_reload_refused") == 1)
            self.assertIn("tls.crt is not a certificate", assessment.log_path.read_text())
            self.assertEqual(self.served("assessment"), certificate)
            self.replace("assessment-svc", tls_crt=certificate)
            self.wait(lambda: assessment.metric("starratings_tls_reload_refused") == 0)
        finally:
            load.stop()
        self.assertEqual(load.failed, [])
        self.assertGreater(load.made, 100)

    def test_rating_svc_calls_with_its_new_certificate(self):
        rating = self.site.services.rating
        names = f"URI:{DOMAIN}successor,DNS:localhost,IP:127.0.0.1"
        key, certificate = self.site.issue("successor", names)
        self.site.policy.write_text(policy_text(
            {**GRANTS, "successor": (["ROLE_RATING_SERVICE"], [])}))
        self.wait(lambda: self.site.services.assessment.metric(
            'starratings_policy_reloads_total{outcome="loaded"}') == 1)
        self.replace("rating-svc", tls_key=key, tls_crt=certificate)
        self.wait(lambda: rating.metric('starratings_tls_reloads_total{outcome="loaded"}') == 1)

        def asked_by_successor():
            call(self.site.channel("inspector", "rating"),
                 "/starratings.rating.v1.RatingService/RateRound", False, b"\x0a\x01r", 5)
            return f"{DOMAIN}successor" in self.site.services.assessment.log_path.read_text()

        self.wait(asked_by_successor)

    def test_a_policy_is_taken_when_it_is_good(self):
        assessment = self.site.services.assessment
        path = "/starratings.assessment.v1.RoundService/ListRounds"
        nobody = self.site.channel("nobody")
        self.assertEqual(call(nobody, path, False, b"", 5)[0], DENIED)
        before = self.site.policy.read_text()
        self.site.policy.write_text("grants { identity: 1 }")
        self.wait(lambda: assessment.metric("starratings_policy_reload_refused") == 1)
        self.assertEqual(call(self.site.channel("reader"), path, False, b"", 5)[0],
                         grpc.StatusCode.OK)
        self.site.policy.write_text(before + policy_text({"nobody": (["ROLE_READER"], [])}))
        self.wait(lambda: call(nobody, path, False, b"", 5)[0] == grpc.StatusCode.OK)
        self.assertEqual(assessment.metric("starratings_policy_reload_refused"), 0)


class RateTest(unittest.TestCase):
    """What one identity asks for too often is refused, and others do not notice."""

    PATH = "/starratings.assessment.v1.RoundService/ListRounds"

    def site(self, *flags):
        site = Site()
        self.addCleanup(site.services.close)
        site.services.assessment.kill()
        site.services.assessment = site.start("assessment-svc", "--store", site.services.store,
                                              *flags)
        return site

    def limited(self, site, request, calls, reason):
        """The answers of one identity that asks `calls` times at once."""
        reader = site.channel("reader")
        answers = [call(reader, self.PATH, False, request, 10) for _ in range(calls)]
        refused = [message for code, message in answers
                   if code == grpc.StatusCode.RESOURCE_EXHAUSTED]
        self.assertTrue(refused)
        for message in refused:
            self.assertRegex(message, f"^RATE_LIMITED: {DOMAIN}reader .*; wait ")
        self.assertEqual(answers[0][0], grpc.StatusCode.OK)
        self.assertEqual(call(site.channel("publisher"), self.PATH, False, b"", 10)[0],
                         grpc.StatusCode.OK)
        self.assertEqual(site.services.assessment.metric(
            f'starratings_shed_calls_total{{reason="{reason}"}}'), len(refused))

    def test_calls(self):
        # Two seconds' worth at once, and hardly more while this asks.
        self.limited(self.site("--identity_calls_per_second", "0.5"), b"", 20, "identity_calls")

    def test_bytes(self):
        request = round_service.ListRoundsRequest(page_size=1).SerializeToString()
        self.limited(self.site("--identity_bytes_per_second", "0.5"), request, 20,
                     "identity_bytes")


class StartTest(unittest.TestCase):
    """What keeps a service from starting is one sentence."""

    def test_without_a_policy_or_with_a_broken_one(self):
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            certificates = directory / "certs"
            harness.run([harness.STARCTL, "dev-certs", certificates])
            broken = directory / "policy.textproto"
            broken.write_text('\ngrants { identity: "anna" roles: ROLE_READER }\n')
            start = [harness.BUILD / "assessment-svc" / "assessment-svc", "--store", "memory:",
                     "--listen", "127.0.0.1:0", "--tls_directory", certificates / "assessment-svc"]
            for flags, sentence in (
                    ([], "--policy: must be given with --tls_directory"),
                    (["--policy", directory / "nowhere"], "cannot be read"),
                    (["--policy", broken], "policy.textproto:2: identity: must be a URI"),
                    *((["--policy", certificates / "policy.textproto", f"--{flag}", value],
                       f"--{flag}: must be ")
                      for flag, value in (
                          ("message_mib", "65"), ("calls_waiting_most", "0"),
                          ("batch_items_most", "10001"), ("batch_bytes_most", "1"),
                          ("page_size_most", "1001"), ("deadline_most", "0s"),
                          ("reload", "1ms"), ("streams_most", "0"), ("connection_age", "0s"),
                          ("connection_age_grace", "25h"), ("keepalive", "1ms"),
                          ("transport_memory_mib", "1"), ("identity_calls_per_second", "-1"),
                          ("identity_bytes_per_second", "nan")))):
                ended = subprocess.run([*start, *flags], capture_output=True, text=True, timeout=60)
                self.assertNotEqual(ended.returncode, 0)
                self.assertIn(sentence, ended.stderr)


if __name__ == "__main__":
    harness.main()
