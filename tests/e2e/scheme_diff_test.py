"""Two versions of a scheme: the whole space, and a round under both."""

import json

import harness

ENGLAND = harness.SCHEMES / "england-social-services-2002" / "scheme.textproto"


class SchemeDiffTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()
        cls.services.create_round()
        cls.services.publish_round()
        # The failing line of re-registrations is drawn lower.
        text = ENGLAND.read_text(encoding="utf-8")
        changed = text.replace("numerator: 24 denominator: 100", "numerator: 12 denominator: 100")
        changed = changed.replace('version: "2002.1"', 'version: "2002.2"')
        assert changed != text
        cls.stricter = cls.services.directory / "stricter.textproto"
        cls.stricter.write_text(changed, encoding="utf-8")

    def diff(self, *arguments, service=True):
        command = [harness.STARCTL, "--output", "json"]
        if service:
            command += ["--insecure", "--actor", "analyst",
                        "--assessment", self.services.assessment.grpc]
        return json.loads(harness.run(command + ["schemes", "diff", *arguments]).stdout)

    def test_the_space_is_counted_without_a_service(self):
        space = self.diff(ENGLAND, self.stricter, service=False)["space"]
        self.assertTrue(space["complete"])
        self.assertEqual(space["notes"], [])
        moved = [s for s in space["shifts"] if s["before"] != s["after"]]
        self.assertTrue(moved)
        for shift in moved:
            self.assertLess(shift["after"], shift["before"])  # Stricter: nobody gains.
            self.assertGreater(int(shift["cells"]), 0)
            self.assertIn("children.re_registration", shift["example"])
        self.assertGreater(len(space["shifts"]), len(moved))

    def test_a_round_is_rated_under_both(self):
        diff = self.diff("england-social-services-2002@2002.1", self.stricter, "--round", "2002-05")
        round_ = diff["round"]
        self.assertEqual(round_["organisations"], 150)
        stars = [m for m in round_["moves"] if m["result"] == "stars"]
        self.assertEqual(sum(m["count"] for m in stars), 150)
        before = {}
        for move in stars:
            before[move["before"]] = before.get(move["before"], 0) + move["count"]
        self.assertEqual(before, {"0": 10, "1": 82, "2": 50, "3": 8})
        # Who is named does move, when rated alone.
        self.services.starctl("register", "scheme", str(self.stricter))
        for move in stars:
            if move["before"] == move["after"]:
                self.assertEqual(move["organisations"], [])
                continue
            self.assertEqual(len(move["organisations"]), move["count"])
            for organisation in move["organisations"]:
                rated = self.services.starctl(
                    "rate", "--organisation", organisation, "--scheme",
                    "england-social-services-2002@2002.2", "--period", "2001-02",
                    "--date", "2002-05-30", as_json=True)
                self.assertEqual(rated["rating"]["results"][0]["level"], move["after"])

    def test_the_same_scheme_moves_nobody(self):
        text = self.services.starctl("schemes", "diff", str(ENGLAND), str(ENGLAND),
                                     "--round", "2002-05")
        self.assertIn("nobody moves", text)

    def test_a_scheme_that_does_not_verify_is_refused(self):
        broken = self.services.directory / "broken.textproto"
        broken.write_text('id: "x" version: "1"', encoding="utf-8")
        result = self.services.starctl("schemes", "diff", str(ENGLAND), str(broken), ok=False)
        self.assertEqual(result.returncode, 3)
        self.assertIn("does not verify", result.stderr)


if __name__ == "__main__":
    harness.main()
