"""Same evidence, same scheme, same digests: again, in another order, by another
process, without the scheme on disk, and whatever arrived since."""

import csv
import pathlib
import random
import unittest

import harness


def digests(services, round_id):
    reply = services.starctl("rate", round_id, "--ratings", as_json=True)
    return ({r["organisation"]: r["digest"] for r in reply["ratings"]},
            reply["summary"]["round_digest"])


class ReproducibleTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()
        cls.services.create_round()
        cls.services.publish_round()
        cls.first, cls.first_round = digests(cls.services, "2002-05")

    def test_rated_again_the_digests_are_the_same(self):
        self.assertEqual(digests(self.services, "2002-05"), (self.first, self.first_round))
        shown = self.services.starctl("rounds", "show", "2002-05", as_json=True)
        self.assertEqual(shown["round"]["round_digest"], self.first_round)

    def test_late_evidence_does_not_change_the_round(self):
        late = self.services.directory / "late.csv"
        late.write_text("organisation,period,code,value,source\n"
                        "walsall,2001-02,adults.serving,yes,A letter that came too late\n")
        self.services.starctl("import", str(late), "--reason", "a late correction")
        self.assertEqual(digests(self.services, "2002-05"), (self.first, self.first_round))
        # The record itself has moved on.
        dossier = self.services.starctl("dossier", "walsall", "--period", "2001-02", as_json=True)
        values = {i["item"]["code"]: i["item"]["value"] for i in dossier["dossier"]["items"]}
        self.assertEqual(values["adults.serving"], {"level": "yes"})

    def test_another_process_without_the_scheme_on_disk_agrees(self):
        empty = self.services.directory / "no-schemes"
        empty.mkdir()
        self.services.rating.kill()
        self.services.start_rating(schemes=empty)
        self.assertEqual(digests(self.services, "2002-05"), (self.first, self.first_round))
        self.services.rating.kill()
        self.services.start_rating()

    def test_another_record_filled_in_another_order_agrees(self):
        other = harness.Services()
        self.addCleanup(other.close)
        for what in ("codes", "periods", "organisations"):
            other.starctl("register", what, str(harness.EXAMPLE / f"{what}.csv"))
        other.register_scheme(
            harness.SCHEMES / "england-social-services-2002" / "scheme.textproto")
        shuffled = pathlib.Path(other.directory) / "shuffled.csv"
        for name in ("previous-list.csv", "evidence.csv"):
            with open(harness.EXAMPLE / name, encoding="utf-8", newline="") as source:
                rows = list(csv.reader(source))
            body = rows[1:]
            random.Random(2002).shuffle(body)
            with open(shuffled, "w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerows([rows[0]] + body)
            other.starctl("import", str(shuffled), "--batch", "37")
        other.create_round()
        other.publish_round()
        self.assertEqual(digests(other, "2002-05"), (self.first, self.first_round))


if __name__ == "__main__":
    harness.main()
