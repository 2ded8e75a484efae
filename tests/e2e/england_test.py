"""The May 2002 round comes out as it was published."""

import collections
import json
import unittest

import harness


class EnglandTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()
        cls.services.create_round()
        cls.services.publish_round()

    def ratings(self):
        """What was published, by organisation."""
        from starratings.assessment.v1 import round_service_pb2 as rounds
        from starratings.assessment.v1 import round_service_pb2_grpc as rounds_grpc
        import grpc
        stub = rounds_grpc.RoundServiceStub(grpc.insecure_channel(self.services.assessment.grpc))
        found, token = {}, ""
        while True:
            page = stub.ListPublishedRatings(
                rounds.ListPublishedRatingsRequest(round="2002-05", page_size=40,
                                                   page_token=token))
            for rating in page.ratings:
                self.assertNotIn(rating.organisation, found)
                found[rating.organisation] = rating
            token = page.next_page_token
            if not token:
                return found

    def test_the_distribution_is_the_published_one(self):
        stars = collections.Counter(r.results[0].level for r in self.ratings().values())
        self.assertEqual(stars, {"0": 10, "1": 82, "2": 50, "3": 8})

    def test_the_named_councils_have_their_published_stars(self):
        import csv
        path = harness.require_data("england_social_services_published_stars.csv")
        names = {r.name: r for r in self.ratings().values()}
        checked = 0
        for row in csv.DictReader(open(path, encoding="utf-8")):
            if row["round"] != "2002-05":
                continue
            self.assertEqual(names[row["council"]].results[0].level, row["stars"], row["council"])
            checked += 1
        self.assertEqual(checked, 27)

    def test_the_moves_are_the_published_ones(self):
        from starratings.rating.v1 import rating_pb2
        moves = collections.defaultdict(set)
        for rating in self.ratings().values():
            self.assertEqual(len(rating.decisions), 1)
            moves[rating.decisions[0].move].add(rating.name)
        self.assertEqual(len(moves[rating_pb2.MOVE_REMAINED]), 4)
        self.assertIn("North East Lincolnshire", moves[rating_pb2.MOVE_REMAINED])
        self.assertEqual(len(moves[rating_pb2.MOVE_ENTERED]), 6)
        self.assertEqual(moves[rating_pb2.MOVE_LEFT],
                         {"Hackney", "Lambeth", "Newham", "Lancashire", "Peterborough",
                          "Sheffield"})
        self.assertEqual(len(moves[rating_pb2.MOVE_NONE]), 134)

    def test_publishing_appended_the_list_states(self):
        state = self.services.starctl("dossier", "hackney", "--period", "2001-02", as_json=True)
        items = state["dossier"]["items"]
        listed = [i for i in items if i["item"]["code"] == "special_measures.list_state"]
        self.assertEqual(len(listed), 1)
        self.assertEqual(listed[0]["item"]["value"]["level"], "off_list")
        self.assertEqual(listed[0]["actor"], "chief-inspector")

    def test_walsall_is_explained_in_full(self):
        text = self.services.starctl("explain", "walsall", "--round", "2002-05")
        for words in ("Walsall", "V1", "V2", "each of 3 rules alone is enough", "no", "poor"):
            self.assertIn(words, text)

    def test_one_council_was_capped_by_a_key_indicator(self):
        capped = []
        for organisation in self.ratings():
            explained = self.services.starctl("explain", organisation, "--round", "2002-05",
                                              as_json=True)
            steps = explained["rating"]["trace"]["steps"]
            if any(s["kind"] == "STEP_KIND_CAP" and s.get("binding") for s in steps):
                capped.append(organisation)
                if len(capped) > 1:
                    break
        self.assertEqual(len(capped), 1)

    def test_the_record_says_what_is_reconstructed(self):
        explained = self.services.starctl("explain", "walsall", "--round", "2002-05", as_json=True)
        readings = {r["code"]: r for r in explained["rating"]["trace"]["readings"]}
        self.assertFalse(readings["adults.serving"]["source"].get("reconstructed", False))
        other = self.services.starctl("explain", "council-028", "--round", "2002-05", as_json=True)
        readings = {r["code"]: r for r in other["rating"]["trace"]["readings"]}
        self.assertTrue(readings["adults.serving"]["source"]["reconstructed"])

    def test_metrics_count_stars_and_moves(self):
        rating = self.services.rating
        self.assertGreaterEqual(
            rating.metric('rating_decisions_total{scheme="england-social-services-2002@2002.1",'
                          'stars="3"}') or 0, 8, rating.metrics())
        self.assertEqual(
            self.services.assessment.metric(
                'assessment_special_measures_moves_total{move="left"}'), 6)

    def test_special_measures_names_them(self):
        text = self.services.starctl("special-measures", "2002-05")
        for name in ("Hackney", "Walsall", "North East Lincolnshire"):
            self.assertIn(name, text)
        listing = self.services.starctl("special-measures", "2002-05", as_json=True)
        self.assertEqual(len(listing["entries"]), 16)

    def test_three_star_councils_gain_freedoms(self):
        three = [r for r in self.ratings().values() if r.results[0].level == "3"]
        self.assertEqual(len(three), 8)
        for rating in three:
            self.assertGreaterEqual(len(rating.consequences), 3, rating.name)

    def test_json_is_what_the_documents_say(self):
        listing = self.services.starctl("ratings", "2002-05", as_json=True)
        self.assertEqual(len(listing["ratings"]), 150)
        json.dumps(listing)


if __name__ == "__main__":
    harness.main()
