"""An exported round is recomputed offline, by starctl and by a reading of
docs/digests.md that shares nothing with it; every planted difference is named."""

import json
import sys

import harness

sys.path.insert(0, str(harness.SOURCE / "tests" / "digests"))
import canonical  # noqa: E402

MISSING = ["", "NOT_REPORTED", "UNRELIABLE", "SUPPRESSED", "WITHDRAWN", "NOT_APPLICABLE"]
MOVES = ["", "NONE", "ENTERED", "REMAINED", "LEFT", "UNKNOWN"]


def item_of(recorded, sources):
    """An item of the file in the form that canonical.py takes."""
    item = dict(recorded["item"])
    value = dict(item["value"])
    if "ratio" in value:
        value["ratio"] = {name: int(value["ratio"].get(name, "0"))
                          for name in ("numerator", "denominator")}
    if "missing" in value:
        value["missing"] = MISSING.index(value["missing"].removeprefix("MISSING_REASON_"))
    item["value"] = value
    item["source"] = sources[item.pop("source_id")]
    return item


def recompute_digests(path, codes):
    """The round digest of a file, from its items up; only results are believed."""
    ratings = {}
    with open(path, encoding="utf-8") as lines:
        header = json.loads(next(lines))["header"]
        assert "scheme" in json.loads(next(lines))
        for text in lines:
            line = json.loads(text)
            if "end" in line:
                assert int(line["end"]["count"]) == len(ratings)
                continue
            one = line["organisation"]
            sources = {source["id"]: source for source in one["sources"]}
            read = []
            for recorded in one["dossier"]["items"]:
                digest = canonical.sha256(canonical.item_form(item_of(recorded, sources)))
                assert digest == recorded["digest"], recorded
                if recorded["item"]["code"] in codes:
                    read.append(digest)
            rating = one["rating"]
            form = canonical.rating_form({
                "organisation": rating["organisation"], "period": rating["period"], "items": read,
                "scheme": rating["scheme"]["digest"], "date": header["round"]["date"],
                "results": [
                    {**result, "not_rated": {"rule_id": "", "code": "", **result["not_rated"]}}
                    if "not_rated" in result else result for result in rating["results"]],
                "decisions": [
                    {"previous": "", "state": "", **decision,
                     "move": MOVES.index(decision["move"].removeprefix("MOVE_"))}
                    for decision in rating.get("decisions", [])]})
            assert canonical.sha256(form) == rating["digest"], rating["organisation"]
            ratings[rating["organisation"]] = rating["digest"]
    return header["round"], canonical.round_digest(ratings)


class RoundFileTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()
        cls.services.create_round()
        cls.services.starctl("rounds", "freeze", "2002-05")
        cls.services.starctl("rounds", "record", "2002-05")
        cls.rated = cls.services.directory / "rated.round"
        cls.services.starctl("export-round", "2002-05", "--output", str(cls.rated))
        cls.services.starctl("rounds", "publish", "2002-05", "--yes", actor="chief-inspector")
        cls.published = cls.services.directory / "published.round"
        cls.services.starctl("export-round", "2002-05", "--output", str(cls.published))
        cls.digest = cls.services.starctl("rounds", "show", "2002-05",
                                          as_json=True)["round"]["round_digest"]

    def recompute(self, path, *flags, expect=0):
        """Without any service: the addresses lead nowhere."""
        result = harness.run([harness.STARCTL, "--output", "json", "recompute", path, *flags],
                             ok=False)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return json.loads(result.stdout) if result.stdout else result.stderr

    def planted(self, change):
        """A copy of the published file with its lines changed."""
        lines = self.published.read_text(encoding="utf-8").splitlines()
        change(lines)
        path = self.services.directory / "planted.round"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def test_a_published_round_is_recomputed_offline(self):
        for path in (self.published, self.rated):
            done = self.recompute(path, "--digest", self.digest)
            self.assertTrue(done["equal"])
            self.assertEqual(done["organisations"], 150)
            self.assertEqual(done["round_digest"], self.digest)

    def test_a_recorded_round_is_the_same_ratings_before_it_is_published(self):
        rated, published = (path.read_text(encoding="utf-8").splitlines()[2:]
                            for path in (self.rated, self.published))
        self.assertEqual([json.loads(line) for line in rated],
                         [json.loads(line) for line in published])

    def test_the_documents_are_enough_for_a_second_implementation(self):
        scheme = self.services.starctl("rate", "2002-05", as_json=True)["summary"]["scheme"]
        self.assertTrue(scheme["digest"])
        listed = self.services.starctl("schemes", "list", as_json=True)["schemes"]
        codes = next(s["codes"] for s in listed if s["scheme"]["digest"] == scheme["digest"])
        record, digest = recompute_digests(self.published, set(codes))
        self.assertEqual(digest, self.digest)
        self.assertEqual(record["round_digest"], self.digest)

    def test_a_changed_star_is_named(self):
        def change(lines):
            line = json.loads(lines[42])
            change.organisation = line["organisation"]["rating"]["organisation"]
            result = line["organisation"]["rating"]["results"][0]
            change.recorded = result["level"] = "3" if result["level"] != "3" else "2"
            lines[42] = json.dumps(line)
        path = self.planted(change)
        difference = self.recompute(path, expect=1)["difference"]
        self.assertEqual(difference["organisation"], change.organisation)
        self.assertEqual(difference["what"], "result stars")
        self.assertEqual(difference["recorded"], change.recorded)
        self.assertEqual(difference["line"], 43)
        text = harness.run([harness.STARCTL, "recompute", path], ok=False).stdout
        self.assertIn(f"planted.round:43: {change.organisation}: result stars differs", text)

    def test_a_missing_and_a_repeated_organisation_are_named(self):
        def remove(lines):
            remove.organisation = json.loads(lines.pop(20))["organisation"]["rating"]["organisation"]
        difference = self.recompute(self.planted(remove), expect=1)["difference"]
        self.assertEqual(difference["organisation"], remove.organisation)

        def repeat(lines):
            lines.insert(20, lines[20])
            repeat.organisation = json.loads(lines[20])["organisation"]["rating"]["organisation"]
        difference = self.recompute(self.planted(repeat), expect=1)["difference"]
        self.assertEqual(difference["organisation"], repeat.organisation)

    def test_a_file_that_is_not_whole_is_refused(self):
        def cut(lines):
            del lines[60:]
        self.assertIn("is not whole", self.recompute(self.planted(cut), expect=3))

    def test_another_round_than_was_published_is_named(self):
        difference = self.recompute(self.published, "--digest", "0" * 64, expect=1)["difference"]
        self.assertEqual(difference["recorded"], "0" * 64)
        self.assertEqual(difference["recomputed"], self.digest)

    def test_no_file_is_overwritten_and_none_is_left_behind(self):
        before = self.published.read_bytes()
        result = self.services.starctl("export-round", "2002-05", "--output", str(self.published),
                                       ok=False)
        self.assertEqual(result.returncode, 4)
        self.assertEqual(self.published.read_bytes(), before)
        self.services.create_round("later")
        missing = self.services.directory / "open.round"
        result = self.services.starctl("export-round", "later", "--output", str(missing), ok=False)
        self.assertEqual(result.returncode, 4)
        self.assertIn("ROUND_NOT_RECORDED", result.stderr)
        self.assertEqual(list(self.services.directory.glob("open.round*")), [])
        self.assertIn("./json", self.services.starctl("export-round", "2002-05", "--output",
                                                      "json", ok=False).stderr)

    def test_an_export_without_a_service_leaves_nothing_and_can_be_repeated(self):
        self.services.assessment.kill()
        try:
            path = self.services.directory / "later.round"
            command = [harness.STARCTL, "--insecure", "--actor", "analyst", "--assessment",
                       self.services.assessment.grpc, "export-round", "2002-05",
                       "--output", str(path), "--retry-for", "0"]
            self.assertEqual(harness.run(command, ok=False).returncode, 5)
            self.assertEqual(list(self.services.directory.glob("later.round*")), [])
        finally:
            self.services.restart_assessment()
        self.services.starctl("export-round", "2002-05", "--output", str(path))
        self.assertEqual(path.read_bytes(), self.published.read_bytes())


if __name__ == "__main__":
    harness.main()
