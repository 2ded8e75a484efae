"""What is awkward has an answer, and none is silence: gaps of every kind, values out
of range, schemes out of force, empty rounds, two schemes under one name."""

import hashlib

import harness

SCHEME = """
id: "answers" version: "1" title: "Answers"
in_force { from: "2001-04-01" to: "2003-04-01" }
scale { id: "quality" level: "poor" level: "fair" level: "good" }
input { code: "care" scale: "quality" on_missing: ON_MISSING_REFUSE basis: BASIS_ASSUMED }
input { code: "food" scale: "quality" on_missing: ON_MISSING_ASSUME assume: "fair" basis: BASIS_ASSUMED }
input {
  code: "falls" ratio { unit: "residents" lower_is_better: true } on_missing: ON_MISSING_ABSENT
  exempt { when_denominator_below: 30 basis: BASIS_ASSUMED }
  stale { after_days: 365 basis: BASIS_ASSUMED }
  basis: BASIS_ASSUMED
}
cap {
  id: "C" target: "care" limit: "fair" any { value: "falls" above { decimal: "0.2" } }
  unknown: ON_UNKNOWN_SKIP basis: BASIS_ASSUMED
}
band {
  id: "B" from: "falls" output: "safety" to: "quality" direction: DIRECTION_AT_MOST
  cut { decimal: "0.1" } cut { decimal: "0.3" } basis: BASIS_ASSUMED
}
matrix {
  id: "M" from: "care" from: "food" output: "overall" to: "quality"
  row { when: "poor" when: "any" then: "poor" basis: BASIS_ASSUMED }
  row { when: "fair" when: "any" then: "fair" basis: BASIS_ASSUMED }
  row { when: "good" when: "poor|fair" then: "fair" basis: BASIS_ASSUMED }
  row { when: "good" when: "good" then: "good" basis: BASIS_ASSUMED }
}
result { value: "overall" title: "overall" }
result { value: "safety" title: "safety" }
"""
NAME = "answers@1"
EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()
HEADER = ["organisation", "period", "code", "value", "numerator", "denominator", "missing",
          "observed_on", "source"]


class AnswersTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.register("periods", ["id", "from", "to", "title"],
                     [["2001-02", "2001-04-01", "2002-04-01", "2001-02"]])
        cls.register("codes", ["id", "title", "kind", "value_type", "unit", "minimum", "maximum", "levels"],
                     [["care", "Care", "JUDGEMENT", "LEVEL", "", "", "", "poor|fair|good"],
                      ["food", "Food", "JUDGEMENT", "LEVEL", "", "", "", "poor|fair|good"],
                      ["falls", "Falls", "INDICATOR", "RATIO", "residents", "0", "1", ""]])
        (cls.services.directory / "answers.textproto").write_text(SCHEME)
        cls.services.register_scheme(cls.services.directory / "answers.textproto")

    @classmethod
    def register(cls, what, header, rows):
        cls.services.starctl("register", what, cls.services.write_csv(what, header, rows))

    def record(self, home, **codes):
        """Registers a home and imports what is said of it: a level, a (numerator,
        denominator, observed on), or a reason in capitals."""
        self.register("organisations", ["id", "name", "kind"], [[home, home, "home"]])
        rows = []
        for code, said in codes.items():
            row = dict.fromkeys(HEADER, "")
            row.update(organisation=home, period="2001-02", code=code, source="A test")
            if isinstance(said, tuple):
                row["numerator"], row["denominator"], row["observed_on"] = said
            elif said.isupper():
                row["missing"] = said
            else:
                row["value"] = said
            rows.append([row[name] for name in HEADER])
        if rows:
            self.services.starctl("import", self.services.write_csv(home, HEADER, rows))

    def rate(self, home, date="2002-05-30"):
        reply = self.services.starctl("rate", "--organisation", home, "--scheme", NAME,
                                      "--period", "2001-02", "--date", date, as_json=True)
        return {r["id"]: r.get("level") or (r["not_rated"]["reason"], r["not_rated"]["rule_id"])
                for r in reply["rating"]["results"]}

    def test_what_is_missing_stops_what_needs_it_and_says_why(self):
        self.record("bare")
        self.assertEqual(self.rate("bare"), {"overall": ("NOT_REPORTED", "care"),
                                             "safety": ("NOT_REPORTED", "care")})
        for reason in ("NOT_REPORTED", "UNRELIABLE", "SUPPRESSED", "WITHDRAWN", "NOT_APPLICABLE"):
            home = f"falls-{reason.lower().replace('_', '-')}"
            self.record(home, care="good", food="good", falls=reason)
            self.assertEqual(self.rate(home), {"overall": "good", "safety": (reason, "falls")})

    def test_what_is_assumed_is_told(self):
        self.record("assumed", care="good", falls=("1", "100", ""))
        self.assertEqual(self.rate("assumed"), {"overall": "fair", "safety": "good"})
        told = self.services.starctl("explain", "assumed", "--scheme", NAME, "--period", "2001-02",
                                     "--date", "2002-05-30")
        self.assertIn('food was not reported; the scheme assumes "fair"', " ".join(told.split()))

    def test_few_cases_do_not_count_and_old_ones_are_unknown(self):
        self.record("small", care="good", food="good", falls=("20", "29", ""))
        self.assertEqual(self.rate("small"), {"overall": "good", "safety": ("EXEMPT", "falls")})
        self.record("old", care="good", food="good", falls=("90", "100", "2001-05-29"))
        self.assertEqual(self.rate("old"), {"overall": "good", "safety": ("STALE", "falls")})
        # On the round's date, not today's: a day earlier it was not stale yet.
        self.assertEqual(self.rate("old", "2002-05-29"), {"overall": "fair", "safety": "poor"})

    def test_a_value_out_of_range_is_refused_at_the_door(self):
        self.record("odd")
        row = dict.fromkeys(HEADER, "")
        row.update(organisation="odd", period="2001-02", code="falls", numerator="101",
                   denominator="100", source="A test")
        refused = self.services.starctl(
            "import", self.services.write_csv("odd", HEADER, [[row[name] for name in HEADER]]),
            ok=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("odd.csv:2", refused.stderr)

    def test_a_scheme_out_of_force_rates_nobody(self):
        self.record("early", care="good", food="good")
        for date in ("2001-03-31", "2003-04-01"):
            refused = self.services.starctl("rate", "--organisation", "early", "--scheme", NAME,
                                            "--period", "2001-02", "--date", date, ok=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("NO_SCHEME_IN_FORCE", refused.stderr)
        self.assertEqual(self.rate("early", "2003-03-31")["overall"], "good")

    def test_a_round_of_nobody_is_empty_and_not_frozen(self):
        self.services.starctl("rounds", "create", "nobody", "--title", "Nobody", "--period",
                              "2001-02", "--date", "2002-05-30", "--scheme", NAME, "--kinds",
                              "nothing")
        summary = self.services.starctl("rate", "nobody", as_json=True)["summary"]
        self.assertEqual((summary.get("count", "0"), summary["round_digest"]), ("0", EMPTY_DIGEST))
        # It can be looked at, and not be frozen: nothing would ever be published by it.
        refused = self.services.starctl("rounds", "freeze", "nobody", ok=False)
        self.assertEqual(refused.returncode, 4)
        self.assertIn("NOBODY_CHOSEN", refused.stderr)

    def test_a_round_has_one_scheme_and_a_name_one_text(self):
        other = self.services.directory / "other.textproto"
        other.write_text(SCHEME.replace('title: "Answers"', 'title: "Other answers"'))
        refused = self.services.starctl("register", "scheme", str(other), ok=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(NAME, refused.stderr)
        # Asked for by another scheme, a round's ratings stay those of its own.
        refused = self.services.starctl("rate", "nobody", "--scheme", NAME, ok=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("--scheme", refused.stderr)


if __name__ == "__main__":
    harness.main()
