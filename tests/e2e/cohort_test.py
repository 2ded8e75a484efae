"""A scheme whose cuts the cohort decides, through the services: quartiles of a
synthetic cohort, frozen with the round, named by each rating, recomputed offline."""

import json
import math
import random
from fractions import Fraction

import harness

SCHEME = "nhs-oversight-2025"
NAME = f"{SCHEME}@2025.1"
TRUSTS = 205
SOURCE = "Synthetic"
BOARD = "The board (synthetic)"


def quartiles(scores):
    """Cut k is the smallest score with at least k/4 of all at or below it."""
    ranked = sorted(scores)
    return [ranked[math.ceil(Fraction(k * len(ranked), 4)) - 1] for k in (1, 2, 3)]


class CohortTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pick = random.Random(2025)
        # To two decimals, so that there are ties.
        cls.scores = {f"trust-{i:03}": Fraction(pick.randint(100, 400), 100)
                       for i in range(TRUSTS)}
        cls.services.register_scheme(harness.SCHEMES / SCHEME / "scheme.textproto")
        cls.register("periods", ["id", "from", "to", "title"],
                      [["2025-q1", "2025-04-01", "2025-07-01", "First quarter"]])
        cls.register("codes", ["id", "title", "kind", "value_type", "levels"],
                      [["nof.average_score", "Average score", "INDICATOR", "DECIMAL", ""],
                       ["nof.override", "Override", "OVERRIDE", "LEVEL",
                        "segment 4|segment 3|segment 2|none"],
                       ["nof.segment_5", "Segment 5", "OVERRIDE", "FLAG", ""]])
        cls.register("organisations", ["id", "name", "kind"],
                      [[t, t, "trust"] for t in cls.scores] + [["alone", "alone", "other"]])
        cls.import_items("scores", [[t, "2025-q1", "nof.average_score", f"{float(s):.2f}", "",
                                      SOURCE] for t, s in cls.scores.items()])
        cls.services.starctl(
            "import", cls.services.write_csv(
                "overrides", ["organisation", "period", "code", "value", "source", "authority",
                              "expires_on"],
                [["trust-001", "2025-q1", "nof.override", "segment 3", SOURCE, BOARD, "2026-01-01"],
                 ["trust-002", "2025-q1", "nof.segment_5", "yes", SOURCE, BOARD, "2026-01-01"]]),
            "--reason", "The board's decision")

    @classmethod
    def register(cls, what, header, rows):
        cls.services.starctl("register", what, cls.services.write_csv(what, header, rows))

    @classmethod
    def import_items(cls, name, rows, *more):
        cls.services.starctl("import", cls.services.write_csv(
            name, ["organisation", "period", "code", "value", "missing", "source"], rows), *more)

    def create(self, round_id, kinds="trust"):
        self.services.starctl("rounds", "create", round_id, "--title", round_id, "--period",
                              "2025-q1", "--date", "2025-06-30", "--scheme", NAME, "--kinds", kinds)

    def rate(self, round_id, *more):
        reply = self.services.starctl("rate", round_id, "--ratings", *more, as_json=True)
        return {r["organisation"]: r for r in reply["ratings"]}

    def mechanical(self, trust):
        return 1 + sum(self.scores[trust] > cut for cut in quartiles(self.scores.values()))

    def expected(self, trust):
        if trust == "trust-002":
            return "5"
        segment = self.mechanical(trust)
        return str(max(segment, 3) if trust == "trust-001" else segment)

    def test_segments_are_quartiles_of_the_round(self):
        self.create("nof")
        ratings = self.rate("nof")
        self.assertEqual({t: r["results"][0]["level"] for t, r in ratings.items()},
                         {t: self.expected(t) for t in self.scores})
        # What the quartile alone would give stands beside what was decided.
        self.assertEqual({t: r["results"][0]["mechanical"]["level"] for t, r in ratings.items()
                          if "mechanical" in r["results"][0]},
                         {t: str(self.mechanical(t)) for t in ("trust-001", "trust-002")})
        table = ratings["trust-000"]["tables"][0]
        self.assertEqual([Fraction(c) for c in table["cuts"]], quartiles(self.scores.values()))
        self.assertEqual((table["organisations"], table["known"]), (str(TRUSTS), str(TRUSTS)))
        self.assertTrue(all(r["tables"] == [table] for r in ratings.values()))
        # One of them alone reads the same cuts.
        alone = self.services.starctl("rate", "nof", "--organisation", "trust-001",
                                      as_json=True)
        self.assertEqual(alone["rating"]["digest"], ratings["trust-001"]["digest"])

    def test_a_late_correction_does_not_move_the_others(self):
        self.create("frozen")
        self.services.starctl("rounds", "freeze", "frozen")
        before = self.rate("frozen")
        # As it was: the worst score there is moves nobody.
        self.import_items("late", [["trust-003", "2025-q1", "nof.average_score", "4", "",
                                    "Late"]], "--reason", "a correction")
        try:
            self.assertEqual(self.rate("frozen"), before)
        finally:
            self.import_items("back", [["trust-003", "2025-q1", "nof.average_score",
                                        f"{float(self.scores['trust-003']):.2f}", "", SOURCE]],
                              "--reason", "taken back")
        # Rated in parts, each derives the same cuts: the parts add up to the whole.
        parts = {}
        for index in range(3):
            parts.update(self.rate("frozen", "--shard", f"{index}/3"))
        self.assertEqual({t: r["digest"] for t, r in parts.items()},
                         {t: r["digest"] for t, r in before.items()})

    def test_a_file_of_the_round_proves_its_cuts(self):
        self.create("filed")
        self.services.starctl("rounds", "freeze", "filed")
        self.services.starctl("rounds", "record", "filed")
        path = self.services.directory / "filed.ndjson"
        self.services.starctl("export-round", "filed", "--output", str(path))
        self.services.starctl("recompute", str(path))
        # Cuts that the organisations do not give are a difference, even where every
        # rating names them.
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            for table in line.get("organisation", {}).get("rating", {}).get("tables", []):
                table["cuts"][0] = "1.01"
        forged = self.services.directory / "forged.ndjson"
        forged.write_text("".join(json.dumps(line) + "\n" for line in lines))
        result = self.services.starctl("recompute", str(forged), ok=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("cuts of Q", result.stdout + result.stderr)

    def test_a_cohort_of_one_is_not_rated_and_a_round_is_needed(self):
        self.import_items("alone", [["alone", "2025-q1", "nof.average_score", "1", "", SOURCE]])
        self.create("one", "other")
        result = self.rate("one")["alone"]["results"][0]
        self.assertEqual(result["not_rated"], {"reason": "UNRELIABLE", "rule_id": "Q", "code": ""})
        refused = self.services.starctl("rate", "--organisation", "alone", "--scheme", NAME,
                                        "--period", "2025-q1", "--date", "2025-06-30", ok=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("COHORT_REQUIRED", refused.stderr)


if __name__ == "__main__":
    harness.main()
