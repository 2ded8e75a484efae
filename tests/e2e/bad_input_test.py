"""Bad input gets an error that names the field or the line, and changes nothing."""

import unittest
import uuid

import grpc

import harness

from starratings.assessment.v1 import evidence_service_pb2 as evidence_service
from starratings.assessment.v1 import evidence_service_pb2_grpc as evidence_grpc
from starratings.evidence.v1 import evidence_pb2 as evidence
from starratings.rating.v1 import scheme_service_pb2 as scheme_service
from starratings.rating.v1 import scheme_service_pb2_grpc as scheme_grpc

ANALYST = (("starratings-actor", "analyst"),)
HEADER = "organisation,period,code,value,numerator,denominator,missing,source\n"


def good_item():
    return evidence.EvidenceItem(organisation="walsall", period="2001-02", code="adults.serving",
                                 value=evidence.Value(level="no"), source_id="s")


class BadInputTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for what in ("organisations", "periods", "codes"):
            cls.services.starctl("register", what, str(harness.EXAMPLE / f"{what}.csv"))
        (cls.services.directory / "more-codes.csv").write_text(
            "id,title,kind,value_type\nbudget.change,Change of budget,INDICATOR,DECIMAL\n")
        cls.services.starctl("register", "codes", str(cls.services.directory / "more-codes.csv"))
        channel = grpc.insecure_channel(cls.services.assessment.grpc)
        cls.evidence = evidence_grpc.EvidenceServiceStub(channel)
        cls.schemes = scheme_grpc.SchemeServiceStub(
            grpc.insecure_channel(cls.services.rating.grpc))

    def setUp(self):
        self.head = self.services.assessment.metric("assessment_head_revision")

    def tearDown(self):
        self.assertEqual(self.services.assessment.metric("assessment_head_revision"), self.head)

    def faults(self, *items):
        """The fields that a submission of these items is refused for."""
        request = evidence_service.SubmitEvidenceRequest(
            request_id=str(uuid.uuid4()), sources=[evidence.Source(id="s", title="A test")])
        for item in items:
            request.items.add().item.CopyFrom(item)
        with self.assertRaises(grpc.RpcError) as caught:
            self.evidence.SubmitEvidence(request, metadata=ANALYST)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        return caught.exception.details()

    def changed(self, **changes):
        item = good_item()
        for field, value in changes.items():
            if field == "value":
                item.value.CopyFrom(value)
            else:
                setattr(item, field, value)
        return item

    def test_single_faults_name_their_field(self):
        decimal = {"code": "budget.change"}
        for changes, field in (
                ({"organisation": ""}, "items[0].item.organisation"),
                ({"organisation": "atlantis"}, "items[0].item.organisation"),
                ({"code": "adults.happiness"}, "items[0].item.code"),
                ({"period": "1999-00"}, "items[0].item.period"),
                ({"value": evidence.Value(level="splendid")}, "items[0].item.value"),
                ({"value": evidence.Value()}, "items[0].item.value"),
                ({**decimal, "value": evidence.Value(decimal="20.5.1")},
                 "items[0].item.value.decimal"),
                ({**decimal, "value": evidence.Value(decimal="1234567890123")},
                 "items[0].item.value.decimal"),
                ({"source_id": "t"}, "items[0].item.source_id")):
            self.assertIn(field, self.faults(self.changed(**changes)), changes)

    def test_all_faults_of_a_batch_are_listed(self):
        details = self.faults(good_item(), self.changed(organisation=""),
                              self.changed(code="adults.happiness"))
        self.assertIn("items[1].item.organisation", details)
        self.assertIn("items[2].item.code", details)

    def test_a_key_twice_in_a_batch(self):
        self.assertIn("items[1]", self.faults(good_item(), good_item()))

    def test_a_batch_over_the_limits(self):
        self.assertIn("items", self.faults(*[good_item()] * 10_001))
        self.assertIn("items", self.faults())
        text = evidence.EvidenceItem(organisation="walsall", period="2001-02", code="x",
                                     value=evidence.Value(text="x" * 4000), source_id="s")
        self.assertIn("3145728 bytes", self.faults(*[text] * 900))

    def test_a_message_over_the_transports_limit(self):
        request = evidence_service.SubmitEvidenceRequest(reason="x" * (9 * 1024 * 1024))
        with self.assertRaises(grpc.RpcError) as caught:
            self.evidence.SubmitEvidence(request, metadata=ANALYST)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def import_refused(self, text, *words, encoding="utf-8"):
        path = self.services.directory / "bad.csv"
        path.write_bytes(text.encode(encoding))
        result = self.services.starctl("import", str(path), ok=False)
        self.assertNotEqual(result.returncode, 0)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_bad_files_name_line_and_column(self):
        row = "walsall,2001-02,adults.serving,{},{},{},{},A test\n"
        self.import_refused(HEADER + row.format("no", "", "", "NOT_REPORTED"), "bad.csv:2",
                            "missing")
        self.import_refused(HEADER + row.format("splendid", "", "", ""), "bad.csv:2", "value")
        self.import_refused(HEADER + row.format("no", "", "", "") * 2, "bad.csv:3", "2")
        self.import_refused(
            HEADER + row.format("no", "", "", "") + "walsall,2001-02,nope,1,,,,x\n"
            + "atlantis,2001-02,adults.prospects,poor,,,,x\n", "bad.csv:3", "bad.csv:4")
        self.import_refused(HEADER + "Ynys M\u00f4n,2001-02,adults.serving,no,,,,x\n",
                            "Windows-1252", "bad.csv:2", encoding="cp1252")
        self.import_refused("organisation,period,code,colour\n", "colour")
        self.import_refused(HEADER + "walsall,2001-02,budget.change,20.5.1,,,,x\n", "bad.csv:2",
                            "value")

    def test_messy_files_are_read(self):
        path = self.services.directory / "messy.csv"
        path.write_bytes(b"\xef\xbb\xbforganisation;period;code;value;source\r\n"
                         b"walsall;2001-02;adults.serving;no;\"A \"\"quoted\"\"; source\"\r\n")
        out = self.services.starctl("import", str(path), "--dry-run")
        self.assertIn("1", out)

    def issues(self, text):
        reply = self.schemes.VerifyScheme(scheme_service.VerifySchemeRequest(text=text))
        self.assertFalse(reply.verified)
        return {issue.code: issue for issue in reply.issues}

    def test_bad_schemes_name_their_line(self):
        good = (harness.SCHEMES / "england-social-services-2002" / "scheme.textproto").read_text()
        lines = good.splitlines()
        rows = [i for i, line in enumerate(lines) if line.lstrip().startswith("row {")]
        hole = self.issues("\n".join(lines[:rows[7]] + lines[rows[7] + 1:]))
        self.assertTrue(hole["MATRIX_HOLE"].counterexample)
        overlap = self.issues("\n".join(lines[:rows[7]] + [lines[rows[7]]] + lines[rows[7]:]))
        self.assertIn(overlap["MATRIX_OVERLAP"].line, (rows[7] + 1, rows[7] + 2))
        unknown = self.issues(good + "\ncolour: 3\n")
        self.assertEqual([i.line for i in unknown.values()], [len(lines) + 2])
        cycle = self.issues("""
            id: "c" version: "1" title: "A cycle" in_force { from: "2000-01-01" }
            scale { id: "s" level: "a" level: "b" }
            matrix { id: "X" from: "y" output: "x" to: "s"
                     row { when: "a" then: "a" basis: BASIS_ASSUMED }
                     row { when: "b" then: "b" basis: BASIS_ASSUMED } }
            matrix { id: "Y" from: "x" output: "y" to: "s"
                     row { when: "a" then: "a" basis: BASIS_ASSUMED }
                     row { when: "b" then: "b" basis: BASIS_ASSUMED } }
            result { value: "x" }""")
        self.assertIn("CYCLE", cycle)

    def test_a_server_refuses_to_start_with_a_bad_scheme(self):
        directory = self.services.directory / "bad-schemes" / "broken"
        directory.mkdir(parents=True)
        (directory / "scheme.textproto").write_text('id: "broken" version: "1" colour: 3\n')
        with self.assertRaises(AssertionError) as caught:
            harness.Process(
                [harness.BUILD / "rating-svc" / "rating-svc", "--insecure", "--listen",
                 "127.0.0.1:0", "--schemes", directory.parent, "--assessment",
                 self.services.assessment.grpc], self.services.directory, "broken")
        self.assertIn("scheme.textproto:1", str(caught.exception))


if __name__ == "__main__":
    harness.main()
