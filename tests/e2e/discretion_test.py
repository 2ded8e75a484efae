"""Where persons decide, it shows: overrides with authority, reason and expiry, beside
what the scheme makes of the evidence alone; schemes that a second person approves; and
other systems that hear of every act on a round."""

import json
import subprocess
import threading
import time

import harness
from round_file_test import recompute_digests

SCHEME = """
id: "discretion" version: "1" title: "Discretion"
in_force { from: "2001-04-01" to: "2003-04-01" }
scale { id: "quality" level: "poor" level: "fair" level: "good" }
input { code: "care" scale: "quality" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
input { code: "inquiry" scale: "quality" on_missing: ON_MISSING_ASSUME assume: "good" basis: BASIS_ASSUMED }
matrix {
  id: "M" from: "care" output: "overall" to: "quality"
  row { when: "poor" then: "poor" basis: BASIS_ASSUMED }
  row { when: "fair" then: "fair" basis: BASIS_ASSUMED }
  row { when: "good" then: "good" basis: BASIS_ASSUMED }
}
cap {
  id: "O" target: "overall" limit: "poor" any { value: "inquiry" level_at_most: "poor" }
  basis: BASIS_ASSUMED
}
result { value: "overall" title: "overall" }
"""
NAME = "discretion@1"
HEADER = ["organisation", "period", "code", "value", "missing", "source", "authority", "expires_on"]
AUTHORITY = "The minister, under section 7"


class RoundsWatch:
    """starctl rounds watch, and what it has heard."""

    def __init__(self, services, *arguments):
        self.process = subprocess.Popen(
            [str(harness.STARCTL), "--insecure", "--actor", "portal", "--assessment",
             services.assessment.grpc, "--output", "json", "rounds", "watch", *arguments],
            stdout=subprocess.PIPE, text=True)
        self.heard = []  # (round, state, actor, reason).
        self.token = None
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            for one in message.get("rounds", []):
                write = one["acts"][-1]["write"]
                self.heard.append((one["id"], one["state"].removeprefix("ROUND_STATE_"),
                                   write["actor"], write.get("reason", "")))
            self.token = message["snapshot"]["token"]

    def wait(self, done):
        end = time.monotonic() + harness.PATIENCE_S
        while not done(self):
            assert time.monotonic() < end, self.heard
            time.sleep(0.02)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()
        return self.heard


class DiscretionTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.register("periods", ["id", "from", "to", "title"],
                     [["2001-02", "2001-04-01", "2002-04-01", "2001-02"]])
        cls.register("codes", ["id", "title", "kind", "value_type", "levels"],
                     [["care", "Care", "JUDGEMENT", "LEVEL", "poor|fair|good"],
                      ["inquiry", "Inquiry", "OVERRIDE", "LEVEL", "poor|fair|good"]])
        cls.register("organisations", ["id", "name", "kind"],
                     [[home, home.title(), "home"] for home in ("elm", "oak")])
        cls.scheme = cls.services.directory / "discretion.textproto"
        cls.scheme.write_text(SCHEME)
        cls.services.starctl("register", "scheme", str(cls.scheme))

    @classmethod
    def register(cls, what, header, rows):
        cls.services.starctl("register", what, cls.services.write_csv(what, header, rows))

    def submit(self, name, rows, *flags, ok=True):
        rows = [[row.get(column, "") for column in HEADER]
                for row in ({"period": "2001-02", "source": "A test", **row} for row in rows)]
        return self.services.starctl("import", self.services.write_csv(name, HEADER, rows), *flags,
                                     ok=ok)

    def results(self, ratings):
        return {rating["organisation"]: rating["results"][0] for rating in ratings}

    def create(self, round_id, date, *flags):
        self.services.starctl("rounds", "create", round_id, "--title", round_id, "--period",
                              "2001-02", "--date", date, "--scheme", NAME, *flags)

    def test_from_the_override_to_its_end(self):
        watch = RoundsWatch(self.services).wait(lambda it: it.token)

        # What an override must say, before anything is sent and at the record's door.
        inquiry = {"organisation": "elm", "code": "inquiry", "value": "poor"}
        refused = self.submit("bare", [inquiry], ok=False)
        self.assertIn("authority", refused.stderr)
        self.assertIn("expires_on", refused.stderr)
        decided = {**inquiry, "authority": AUTHORITY, "expires_on": "2002-06-01"}
        refused = self.submit("unreasoned", [decided], ok=False)
        self.assertIn("reason", refused.stderr)
        refused = self.submit("claims", [{"organisation": "elm", "code": "care", "value": "good",
                                          "authority": AUTHORITY}], ok=False)
        self.assertIn("care is registered with the kind OVERRIDE", refused.stderr)
        self.submit("care", [{"organisation": home, "code": "care", "value": "good"}
                             for home in ("elm", "oak")])
        self.submit("decided", [decided], "--reason", "Two deaths in March")

        # Two people before a scheme may be frozen into a round.
        self.create("may", "2002-05-30")
        refused = self.services.starctl("rounds", "freeze", "may", ok=False)
        self.assertIn("SCHEME_NOT_APPROVED", refused.stderr)
        refused = self.services.starctl("schemes", "approve", NAME, ok=False)
        self.assertIn("FOUR_EYES", refused.stderr)
        changed = self.services.directory / "changed.textproto"
        changed.write_text(SCHEME.replace('title: "Discretion"', 'title: "Another"'))
        refused = self.services.starctl("schemes", "approve", str(changed), actor="inspector",
                                        ok=False)
        self.assertIn("SCHEME_UNKNOWN", refused.stderr)
        self.services.starctl("schemes", "approve", str(self.scheme), actor="inspector")
        refused = self.services.starctl("schemes", "approve", NAME, actor="other", ok=False)
        self.assertIn("SCHEME_APPROVED", refused.stderr)
        self.services.publish_round("may")

        # The mechanical result stands beside the other, wherever the rating is shown.
        ratings = self.services.starctl("ratings", "may", as_json=True)["ratings"]
        results = self.results(ratings)
        self.assertEqual(results["elm"]["level"], "poor")
        self.assertEqual(results["elm"]["mechanical"]["level"], "good")
        self.assertEqual(results["oak"]["level"], "good")
        self.assertNotIn("mechanical", results["oak"])
        self.assertIn("poor (good without overrides)", self.services.starctl("ratings", "may"))
        told = " ".join(self.services.starctl("explain", "elm", "--round", "may").split())
        self.assertIn(f"inquiry is an override, decided by {AUTHORITY} and in force until before "
                      '2002-06-01: "Two deaths in March".', told)
        self.assertIn('Without overrides, Elm is rated "good" for overall.', told)

        # Everybody can recompute it, from the documents alone.
        path = self.services.directory / "may.round"
        self.services.starctl("export-round", "may", "--output", str(path))
        harness.run([harness.STARCTL, "recompute", path])
        record, digest = recompute_digests(path, {"care", "inquiry"})
        self.assertEqual(record["round_digest"], digest)

        # From the day on which it expires it counts no more, and that is told.
        self.create("july", "2002-06-01", "--refreshes", "may")
        self.services.publish_round("july")
        ratings = self.services.starctl("ratings", "july", as_json=True)["ratings"]
        elm = self.results(ratings)["elm"]
        self.assertEqual(elm["level"], "good")
        self.assertNotIn("mechanical", elm)
        told = " ".join(self.services.starctl("explain", "elm", "--round", "july").split())
        self.assertIn(f"The override of inquiry by {AUTHORITY} counts no more: it expired on "
                      "2002-06-01.", told)
        self.services.starctl("rounds", "withdraw", "july", "--reason", "Miscounted")

        # Whoever watches has heard of every act, also where it goes on later.
        acts = [("may", "OPEN", "analyst", ""), ("may", "FROZEN", "analyst", ""),
                ("may", "RATED", "rating-svc", ""), ("may", "PUBLISHED", "chief-inspector", ""),
                ("july", "OPEN", "analyst", ""), ("july", "FROZEN", "analyst", ""),
                ("july", "RATED", "rating-svc", ""), ("july", "PUBLISHED", "chief-inspector", ""),
                ("may", "SUPERSEDED", "chief-inspector", ""),
                ("july", "WITHDRAWN", "analyst", "Miscounted")]
        begun = watch.wait(lambda it: len(it.heard) >= len(acts)).token
        self.assertEqual(watch.stop(), acts)
        self.create("august", "2002-08-01")
        later = RoundsWatch(self.services, "--after", begun).wait(lambda it: it.heard)
        self.assertEqual(later.stop(), [("august", "OPEN", "analyst", "")])
        only = RoundsWatch(self.services, "--after", self.first_token(), "--round", "july")
        only.wait(lambda it: len(it.heard) >= 5)
        self.assertEqual(only.stop(), [act for act in acts if act[0] == "july"])

    def first_token(self):
        """Of the revision that created the first round: the oldest token at hand."""
        return self.services.starctl("rounds", "show", "may", as_json=True)["round"]["frozen"]["token"]

    def test_what_expired_may_stop_a_rating_and_is_counted(self):
        """A scheme that does not go on without the decision."""
        path = self.services.directory / "strict.textproto"
        path.write_text(SCHEME.replace('id: "discretion"', 'id: "strict"').replace(
            'on_missing: ON_MISSING_ASSUME assume: "good"', "on_missing: ON_MISSING_REFUSE"))
        self.services.register_scheme(path)
        self.register("organisations", ["id", "name", "kind"], [["ash", "Ash", "home"]])
        self.submit("ash", [
            {"organisation": "ash", "code": "care", "value": "good"}], "--reason", "A test")
        self.submit("ash-decided", [
            {"organisation": "ash", "code": "inquiry", "value": "fair", "authority": AUTHORITY,
             "expires_on": "2002-06-01"}], "--reason", "An inquiry")

        def by_scheme(command, date):
            return self.services.starctl(command, *(("--organisation", "ash") if command == "rate"
                                                    else ("ash",)), "--scheme", "strict@1",
                                         "--period", "2001-02", "--date", date, as_json=True)

        self.assertEqual(by_scheme("rate", "2002-05-31")["rating"]["results"][0]["level"], "good")
        expired = by_scheme("rate", "2002-06-01")["rating"]["results"][0]
        self.assertEqual(expired["not_rated"]["reason"], "EXPIRED")
        self.assertEqual(self.services.rating.metric(
            'rating_not_rated_total{reason="EXPIRED"}'), 1)
        # What a person has decided is nobody's to improve.
        found = by_scheme("improve", "2002-05-31")["results"][0]
        self.assertEqual([(held["code"], held["reason"]) for held in found["held"]],
                         [("inquiry", "OVERRIDE")])

    def test_what_if_somebody_decided_otherwise(self):
        self.submit("oak", [{"organisation": "oak", "code": "care", "value": "good"}])
        said = self.services.starctl(
            "simulate", "oak", "--scheme", NAME, "--period", "2001-02", "--date", "2002-05-30",
            "--set", "inquiry=poor", as_json=True)
        after = said["pairs"][0]["after"]["results"][0]
        self.assertEqual(after["level"], "poor")
        self.assertEqual(after["mechanical"]["level"], "good")


if __name__ == "__main__":
    harness.main()
