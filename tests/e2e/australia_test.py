"""Every published Australian aged-care rating of fifteen months, imported from
the file as people have it and rated through the real services."""

import csv
import unittest

import harness

MONTHS = {"January": "01", "February": "02", "March": "03", "April": "04", "May": "05",
          "June": "06", "July": "07", "August": "08", "September": "09", "October": "10",
          "November": "11", "December": "12"}
EXAMPLE = harness.SOURCE / "examples" / "australia-2023"

# What the scheme cannot know: see rating-svc/schemes/au-aged-care-2023/README.md.
MAY_DIFFER = 5


def period_of(quarter):
    month, year = quarter.split()
    return f"{year}-{MONTHS[month]}"


class AustraliaTest(harness.ServiceTest):
    def test_every_quarter_is_rated_as_published(self):
        data = harness.require_data("au_aged_care_star_ratings.csv")
        services = self.services
        published = {}
        with open(data, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                quarter = published.setdefault(row["quarter"], {})
                quarter[row["organisation_id"]] = row
        services.starctl("register", "periods", str(EXAMPLE / "periods.csv"))
        services.starctl("register", "codes", str(EXAMPLE / "codes.csv"))
        services.register_scheme(harness.SCHEMES / "au-aged-care-2023" / "scheme.textproto")
        mapping = str(EXAMPLE / "mapping.json")
        total = agree = complete = complete_agree = 0
        differ = []
        for quarter, rows in published.items():
            period = period_of(quarter)
            where = ["--mapping", mapping, "--where", f"quarter={quarter}"]
            services.starctl("register", "organisations", str(data), *where,
                             "--constant", "kind=aged_care_home")
            services.starctl("import", str(data), *where, "--constant", f"period={period}")
            services.starctl("rounds", "create", period, "--title", quarter, "--period", period,
                             "--date", f"{period}-28", "--scheme", "au-aged-care-2023@2023.1",
                             "--kinds", "aged_care_home")
            reply = services.starctl("rate", period, "--ratings", as_json=True)
            rated = {r["organisation"]: r["results"][0] for r in reply["ratings"]}
            for organisation, row in rows.items():
                ours = rated[organisation].get("level", "")
                total += 1
                same = ours == row["published_overall"]
                agree += same
                subs = ("residents_experience", "compliance", "staffing", "quality_measures")
                if row["published_overall"] and all(row[s] for s in subs):
                    complete += 1
                    complete_agree += same
                if not same:
                    differ.append(f"{organisation}, {quarter}: ours {ours or 'not rated'}, "
                                  f"published {row['published_overall'] or 'nothing'}")
        print(f"\n{agree} of {total} home-quarters agree; of those with four sub-ratings and a "
              f"published overall {complete_agree} of {complete}. These differ:")
        for line in differ:
            print("  " + line)
        self.assertEqual((total, complete), (15_695, 14_849))
        self.assertGreaterEqual(complete_agree, 14_846)
        self.assertGreaterEqual(agree, 15_690)
        self.assertLessEqual(len(differ), MAY_DIFFER)


if __name__ == "__main__":
    harness.main()
