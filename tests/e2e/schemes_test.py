"""The other shipped schemes, replayed on what was published, through the services."""

import csv
import unittest

import harness

SOURCE = "As published"
# Special needs plans' measures: a contract that has none of them needs none.
SPECIAL_NEEDS = ("C05", "C06", "C07")
SURVEYS = {"C03", "C17", "C18", "C19", "C20", "C21", "C22", "D05", "D06"}
# Whose applicability only the published domain stars show: they had these, ...
DID_APPLY = ("H3192", "H4711", "H4853", "H4982", "H7853", "H7993")
# ... and these did not apply.
DID_NOT_APPLY = {"H2292": ("C03", "C04", "C13", "C14"), "H4172": ("C03", "C04", "C13", "C14")}


class SchemesTest(harness.ServiceTest):
    def register(self, period, start, end, scheme, codes, organisations):
        self.services.starctl("register", "periods", self.services.write_csv(
            f"periods-{period}", ["id", "from", "to", "title"], [[period, start, end, period]]))
        if codes:
            self.services.starctl("register", "codes", self.services.write_csv(
                f"codes-{period}", ["id", "title", "kind", "value_type", "levels"], codes))
        if organisations:
            self.services.starctl("register", "organisations", self.services.write_csv(
                f"organisations-{period}", ["id", "name", "kind"], organisations))
        self.services.register_scheme(harness.SCHEMES / scheme / "scheme.textproto")

    def import_items(self, name, rows):
        self.services.starctl("import", self.services.write_csv(
            name, ["organisation", "period", "code", "value", "missing", "source"], rows))

    def rate(self, round_id, period, date, scheme, kinds):
        self.services.starctl("rounds", "create", round_id, "--title", round_id, "--period",
                              period, "--date", date, "--scheme", scheme, "--kinds", kinds)
        reply = self.services.starctl("rate", round_id, "--ratings", as_json=True)
        return {r["organisation"]: {x["id"]: x.get("level", x.get("number", ""))
                                    for x in r["results"]} for r in reply["ratings"]}

    def test_nursing_homes_are_rated_as_published(self):
        data = harness.require_data("us_nursing_home_five_star_2023_04.csv")
        with open(data, encoding="utf-8", newline="") as file:
            homes = list(csv.DictReader(file))
        columns = {"health_inspection_rating": "cms.health_inspection",
                   "staffing_rating": "cms.staffing", "qm_rating": "cms.quality_measures"}
        self.register("2023-04", "2023-04-01", "2023-05-01", "cms-nursing-home-2022",
                      [[code, code, "JUDGEMENT", "LEVEL", "1|2|3|4|5"]
                       for code in columns.values()],
                      [[h["ccn"], h["ccn"], "nursing_home"] for h in homes])
        self.import_items("homes", [[h["ccn"], "2023-04", code, h[column], "", SOURCE]
                                    for h in homes for column, code in columns.items()])
        rated = self.rate("cms", "2023-04", "2023-04-30", "cms-nursing-home-2022@2022.1",
                          "nursing_home")
        agree = sum(rated[h["ccn"]]["overall"] == h["overall_rating"] for h in homes)
        print(f"\n{agree} of {len(homes)} nursing homes agree")
        self.assertEqual((agree, len(homes)), (41, 41))

    def test_local_authorities_are_rated_as_published(self):
        data = harness.require_data("cqc_local_authority_scores.csv")
        with open(data, encoding="utf-8", newline="") as file:
            councils = list(csv.DictReader(file))
        statements = [c for c in councils[0]
                      if c not in ("council", "percent_published", "rating_published",
                                   "source_url")]
        self.assertEqual(len(statements), 9)
        self.register("2024-25", "2024-04-01", "2025-04-01", "cqc-local-authority-2023",
                      [[f"cqc.{s}", s, "JUDGEMENT", "LEVEL", "1|2|3|4"] for s in statements],
                      [[c["council"].lower(), c["council"], "local_authority"]
                       for c in councils])
        self.import_items("councils", [[c["council"].lower(), "2024-25", f"cqc.{s}", c[s], "",
                                        c["source_url"]] for c in councils for s in statements])
        rated = self.rate("cqc", "2024-25", "2025-03-31", "cqc-local-authority-2023@2023.1",
                          "local_authority")
        self.assertEqual(rated["camden"], {"rating": "outstanding", "percent": "89"})
        self.assertEqual(rated["hertfordshire"]["rating"], "good")

    def test_stars_put_a_ceiling_on_the_comprehensive_assessment(self):
        self.services.load_england()
        self.services.register_scheme(
            harness.SCHEMES / "england-cpa-2002-ceiling" / "scheme.textproto")
        name = "england-cpa-2002-ceiling@2002.1"
        # Nothing is published yet, and nothing is made up.
        before = self.rate("cpa-early", "2001-02", "2002-12-12", name, "council")
        self.assertEqual({r["cpa.ceiling"] for r in before.values()}, {""})
        self.services.create_round()
        self.services.publish_round()
        self.services.starctl("rounds", "create", "cpa", "--title", "CPA", "--period", "2001-02",
                              "--date", "2002-12-12", "--scheme", name, "--kinds", "council")
        self.services.starctl("rounds", "freeze", "cpa")
        reply = self.services.starctl("rate", "cpa", "--ratings", as_json=True)
        ceilings = [r["results"][0]["level"] for r in reply["ratings"]]
        self.assertEqual([ceilings.count(c) for c in ("weak", "below excellent", "excellent")],
                         [10, 82, 58])
        alone = self.services.starctl("rate", "--organisation", "walsall", "--scheme", name,
                                      "--period", "2001-02", "--date", "2002-12-12", as_json=True)
        self.assertEqual(alone["rating"]["results"][0]["level"], "weak")
        walsall = next(r for r in reply["ratings"] if r["organisation"] == "walsall")
        self.assertEqual(alone["rating"]["digest"], walsall["digest"])
        # What was done later is not what the frozen round reads.
        self.services.starctl("rounds", "withdraw", "2002-05", "--reason", "a test")
        again = self.services.starctl("rate", "cpa", "--ratings", as_json=True)
        self.assertEqual(again["ratings"], reply["ratings"])
        after = self.services.starctl("rate", "cpa-early", "--ratings", as_json=True)
        self.assertTrue(all("level" not in r["results"][0] for r in after["ratings"]))
        explained = self.services.starctl("explain", "walsall", "--round", "cpa")
        self.assertIn("england-social-services-2002@2002.1 ", explained)
        self.assertIn("CPA_CEILING_WEAK", explained)

    def test_medicare_measures_and_domains(self):
        with open(harness.require_data("us_medicare_advantage_2022_measures.csv"),
                  encoding="utf-8", newline="") as file:
            measures = list(csv.DictReader(file))
        with open(harness.require_data("us_medicare_advantage_2022_published_domain_stars.csv"),
                  encoding="utf-8", newline="") as file:
            published = {(r["contract_id"], r["domain_id"]): r["published_domain_stars"]
                         for r in csv.DictReader(file)}
        contracts = {}
        for row in measures:
            contracts.setdefault(row["contract_id"], {})[row["measure_id"]] = row
        ids = sorted({r["measure_id"] for r in measures})
        codes = []
        for measure in ids:
            codes.append([f"ma.{measure.lower()}.stars", measure, "JUDGEMENT", "LEVEL",
                          "1|2|3|4|5"])
            codes.append([f"ma.{measure.lower()}.value", measure, "INDICATOR", "DECIMAL", ""])
        kinds = {c: "pdp" if any(r["cut_point_type"] == "Part D PDP" for r in rows.values())
                 else "ma_pd" for c, rows in contracts.items()}
        self.register("2022", "2021-10-01", "2022-10-01", "medicare-advantage-2022", codes,
                      [[c, c, kind] for c, kind in kinds.items()])
        rows = []
        for contract, rated in contracts.items():
            for measure, row in rated.items():
                code = f"ma.{measure.lower()}"
                rows.append([contract, "2022", f"{code}.stars", row["published_measure_stars"],
                             "", SOURCE])
                if row["value"]:
                    rows.append([contract, "2022", f"{code}.value", row["value"], "", SOURCE])
            if not set(SPECIAL_NEEDS) & set(rated):
                rows += [[contract, "2022", f"ma.{m.lower()}.stars", "", "NOT_APPLICABLE",
                          "No measure of special needs plans has stars"] for m in SPECIAL_NEEDS]
        self.import_items("medicare", rows)
        name = "medicare-advantage-2022@2022.1"
        ratings = self.rate("ma-plain", "2022", "2022-01-01", name, "ma_pd,pdp")
        self.compare_measures(contracts, ratings)
        plain = self.compare_domains(measures, published, ratings)
        self.assertEqual(sorted(plain), [
            "H2292 HD1", "H2292 HD2", "H3192 HD2", "H4172 HD2", "H4711 HD2", "H4853 HD2",
            "H4982 HD2", "H7853 HD2", "H7993 HD2"])

        inferred = "Inferred from the published result"
        rows = [[c, "2022", f"ma.{m.lower()}.stars", "", "NOT_REPORTED", inferred]
                for c in DID_APPLY for m in SPECIAL_NEEDS]
        rows += [[c, "2022", f"ma.{m.lower()}.stars", "", "NOT_APPLICABLE", inferred]
                 for c, not_applicable in DID_NOT_APPLY.items() for m in not_applicable]
        self.import_items("applicability", rows)
        ratings = self.rate("ma-applicable", "2022", "2022-01-01", name, "ma_pd,pdp")
        self.assertEqual(self.compare_domains(measures, published, ratings), [])

    def compare_domains(self, measures, published, ratings):
        """Names the contracts' domains with rated measures that differ."""
        domains = sorted({(r["contract_id"], r["domain_id"]) for r in measures})
        differ = []
        for contract, domain in domains:
            ours = ratings[contract][f"{domain.lower()}_stars"]
            if ours != published.get((contract, domain), ""):
                differ.append(f"{contract} {domain}")
        stars = sum(d in published for d in domains)
        print(f"\n{stars} domains with published stars, {len(domains) - stars} without; these "
              f"differ: {', '.join(differ) or 'none'}")
        self.assertEqual((stars, len(domains) - stars), (4_556, 548))
        return differ

    def compare_measures(self, contracts, ratings):
        total = {False: 0, True: 0}
        agree = {False: 0, True: 0}
        higher = lower = 0
        for contract, rated in contracts.items():
            for measure, row in rated.items():
                if not row["value"]:
                    continue
                survey = measure in SURVEYS
                ours = ratings[contract][f"{measure.lower()}_stars"]
                total[survey] += 1
                agree[survey] += ours == row["published_measure_stars"]
                if not survey and ours != row["published_measure_stars"]:
                    higher += row["published_measure_stars"] > ours
                    lower += row["published_measure_stars"] < ours
        print(f"\nmeasures without a survey: {agree[False]} of {total[False]} agree, {higher} "
              f"were published higher, {lower} lower; of surveys {agree[True]} of {total[True]}")
        self.assertEqual(total, {False: 13_791, True: 4_171})
        self.assertGreaterEqual(agree[False], 13_035)
        self.assertEqual((higher, lower), (702, 54))


if __name__ == "__main__":
    harness.main()
