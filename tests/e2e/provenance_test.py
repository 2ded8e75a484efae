"""`starctl history` shows who said what when and why; `starctl diff` what changed
between two revisions."""

import hashlib
import uuid

import grpc

import harness

# Found once harness has put the generated code on the path.
from starratings.assessment.v1 import evidence_service_pb2 as service
from starratings.assessment.v1 import evidence_service_pb2_grpc as service_grpc
from starratings.evidence.v1 import evidence_pb2 as evidence

NO = 1  # Exit codes of starctl.
USAGE = 2
REFUSED = 4
DIGEST = hashlib.sha256(b"the return").hexdigest()


class ProvenanceTest(harness.ServiceTest):
    """One record, told in setUpClass, read by every test:

    first   two homes get a figure, from a return
    second  home-1 is corrected by an inspector; home-2 gets another figure
    third   home-2's first figure is withdrawn; home-1 is said again as before;
            home-3 gets a figure and another one on top
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.register("organisations", ["id", "name", "kind", "region"],
                     [[f"home-{i}", f"Home {i}", "home", ""] for i in range(1, 4)])
        cls.register("periods", ["id", "from", "to", "title"],
                     [["2001-02", "2001-04-01", "2002-03-31", "2001-02"],
                      ["2002-03", "2002-04-01", "2003-03-31", "2002-03"]])
        cls.register("codes", ["id", "title", "kind", "value_type"],
                     [["beds", "Beds", "INDICATOR", "DECIMAL"],
                      ["staff", "Staff", "INDICATOR", "DECIMAL"]])
        channel = grpc.insecure_channel(cls.services.assessment.grpc)
        cls.addClassCleanup(channel.close)
        cls.stub = service_grpc.EvidenceServiceStub(channel)
        cls.empty = cls.newest()
        cls.submit("supplier", "", ("home-1", "beds", "10"), ("home-2", "beds", "20"))
        cls.first = cls.newest()
        cls.submit("inspector", "two beds stood in the hall", ("home-1", "beds", "8"))
        cls.submit("supplier", "", ("home-2", "staff", "5"))
        cls.second = cls.newest()
        cls.stub.WithdrawEvidence(service.WithdrawEvidenceRequest(
            request_id=str(uuid.uuid4()), reason="of another home", key=service.EvidenceKey(
                organisation="home-2", period="2001-02", code="beds")),
            metadata=(("starratings-actor", "registrar"),))
        cls.submit("supplier", "the same return again", ("home-1", "beds", "8"))
        cls.submit("supplier", "", ("home-3", "beds", "1"))
        cls.submit("supplier", "a typing error", ("home-3", "beds", "31"))
        cls.third = cls.newest()

    @classmethod
    def register(cls, what, header, rows):
        cls.services.starctl("register", what, cls.services.write_csv(what, header, rows))

    @classmethod
    def submit(cls, actor, reason, *figures):
        request = service.SubmitEvidenceRequest(
            request_id=str(uuid.uuid4()), reason=reason,
            sources=[evidence.Source(id="s", title="Annual return",
                                     uri="https://example.org/return.csv", sha256=DIGEST)])
        for organisation, code, value in figures:
            request.items.add().item.CopyFrom(evidence.EvidenceItem(
                organisation=organisation, period="2001-02", code=code,
                value=evidence.Value(decimal=value), source_id="s"))
        cls.stub.SubmitEvidence(request, metadata=(("starratings-actor", actor),))

    @classmethod
    def newest(cls):
        request = service.ListEvidenceRequest(page_size=1)
        request.freshness.latest.SetInParent()
        return cls.stub.ListEvidence(request).snapshot

    def diff(self, *arguments):
        """Organisation, code and kind of each change, and the counts."""
        said = self.services.starctl("diff", *arguments, as_json=True)
        changes = []
        for change in said["changes"]:
            item = change["after"]["item"]["item"]
            changes.append((item["organisation"], item["code"], change["change"]))
        return changes, {kind: count for kind, count in said["counts"].items() if count}

    def test_who_said_what_when_and_why(self):
        shown = self.services.starctl("history", "home-1", "beds")
        lines = shown.splitlines()
        self.assertEqual(lines[0], "beds of home-1")
        rows = [line.split() for line in lines[4:7]]
        self.assertEqual([(row[1], row[5], row[6]) for row in rows],
                         [(str(self.first.revision), "supplier", "10"),
                          (str(self.first.revision + 1), "inspector", "8"),
                          (str(self.third.revision - 2), "supplier", "8")], shown)
        self.assertIn("two beds stood in the hall", lines[5])
        self.assertIn("the same return again", lines[6])
        # Every line leads to the document.
        self.assertIn("Annual return <https://example.org/return.csv> sha256 "
                      f"{DIGEST[:12]}...", shown)

    def test_history_for_a_program_and_of_what_was_withdrawn(self):
        said = self.services.starctl("history", "home-2", "beds", "--period", "2001-02",
                                     as_json=True)
        self.assertEqual([(item["actor"], item["reason"]) for item in said["items"]],
                         [("registrar", "of another home"), ("supplier", "")])
        self.assertEqual(said["items"][0]["item"]["value"]["missing"],
                         "MISSING_REASON_WITHDRAWN")
        self.assertEqual(said["sources"][0]["sha256"], DIGEST)
        self.assertIn("WITHDRAWN", self.services.starctl("history", "home-2", "beds"))

    def test_nothing_was_ever_said(self):
        for arguments in (("home-1", "staff"), ("home-1", "beds", "--period", "2002-03"),
                          ("home-1", "beds", "--instance", "annex")):
            result = self.services.starctl("history", *arguments, ok=False)
            self.assertEqual(result.returncode, NO, result.stderr)
            self.assertIn("nothing was ever recorded on", result.stdout)

    def test_what_changed(self):
        self.assertEqual(self.diff("--from", self.empty.token),
                         ([("home-1", "beds", "added"), ("home-2", "beds", "withdrawn"),
                           ("home-2", "staff", "added"), ("home-3", "beds", "added")],
                          {"added": 3, "withdrawn": 1}))
        self.assertEqual(self.diff("--from", self.first.token, "--to", self.second.token),
                         ([("home-1", "beds", "changed"), ("home-2", "staff", "added")],
                          {"added": 1, "changed": 1}))
        self.assertEqual(self.diff("--from", self.second.token),
                         ([("home-1", "beds", "said again"), ("home-2", "beds", "withdrawn"),
                           ("home-3", "beds", "added")],
                          {"added": 1, "said again": 1, "withdrawn": 1}))
        self.assertEqual(self.diff("--from", self.third.token), ([], {}))

    def test_what_changed_for_people(self):
        shown = self.services.starctl("diff", "--from", self.first.token,
                                      "--to", self.second.token)
        lines = shown.splitlines()
        self.assertEqual(lines[-1], f"revision {self.first.revision} to {self.second.revision}: "
                                    "2 items changed (1 added, 1 changed)")
        corrected = next(line for line in lines if line.startswith("home-1"))
        self.assertRegex(corrected, r"^home-1 +2001-02 +beds +changed +10 +8 +\d+ .* inspector +"
                                    r"two beds stood in the hall$")
        shown = self.services.starctl("diff", "--from", self.third.token)
        self.assertIn("nothing changed", shown)

    def test_filters(self):
        begin = ("--from", self.empty.token)
        self.assertEqual(self.diff(*begin, "--organisation", "home-3")[0],
                         [("home-3", "beds", "added")])
        self.assertEqual(self.diff(*begin, "--code", "staff")[0], [("home-2", "staff", "added")])
        self.assertEqual(self.diff(*begin, "--organisation", "home-1", "--organisation", "home-2",
                                   "--code", "beds")[0],
                         [("home-1", "beds", "added"), ("home-2", "beds", "withdrawn")])
        self.assertEqual(self.diff(*begin, "--period", "2002-03"), ([], {}))

    def test_a_revision_may_be_a_number_a_token_or_a_time(self):
        expected = self.diff("--from", self.first.token, "--to", self.second.token)
        self.assertEqual(self.diff("--from", str(self.first.revision),
                                   "--to", str(self.second.revision)), expected)
        # The time a write was recorded is the time of its revision.
        times = []
        for revision in (self.first.revision, self.second.revision):
            for message in self.stub.WatchEvidence(service.WatchEvidenceRequest(
                    after=self.empty.token, until=self.third.token)):
                times += [item.recorded_at.ToJsonString() for item in message.items
                          if item.revision == revision][:1]
        self.assertEqual(self.diff("--from", times[0], "--to", times[1]), expected)
        later = self.services.starctl("diff", "--from", times[0], "--to", "2100-01-01T00:00:00Z",
                                      ok=False)
        self.assertEqual(later.returncode, REFUSED, later.stderr)

    def test_what_is_no_revision(self):
        def refused(code, *arguments):
            result = self.services.starctl("diff", *arguments, ok=False)
            self.assertEqual(result.returncode, code, result.stderr)
            return result.stderr

        self.assertIn("--from must be a token, the number of a revision, or a time",
                      refused(USAGE, "--from", "yesterday"))
        self.assertIn("--to must be a token", refused(USAGE, "--from", "0", "--to", "infinite"))
        self.assertIn(f"there is no revision 999 yet; the newest is {self.third.revision}",
                      refused(USAGE, "--from", "0", "--to", "999"))
        self.assertIn("--from must not be later than --to",
                      refused(USAGE, "--from", self.second.token, "--to", self.first.token))
        self.assertIn("--from", refused(USAGE))

    def test_a_correction_without_a_reason_is_refused(self):
        before = self.newest().revision
        with self.assertRaises(grpc.RpcError) as caught:
            self.submit("supplier", "", ("home-1", "beds", "11"))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("reason", caught.exception.details())
        self.assertEqual(self.newest().revision, before)


if __name__ == "__main__":
    harness.main()
