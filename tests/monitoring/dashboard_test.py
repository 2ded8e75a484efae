"""The dashboard is what Grafana's own types allow, and nothing lies on anything else."""

import copy
import json
import os
import re
import shutil
import unittest

import monitoring
from monitoring import run

HERE = monitoring.SOURCE / "tests" / "monitoring"
# Never the source tree: it may be read-only.
INSTALLED = monitoring.SOURCE / "build" / "monitoring"


def install():
    """Grafana's types and tsc, as the lock file pins them."""
    npm = monitoring.harness.require_tool("npm")
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = INSTALLED / "installed.json"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, INSTALLED / name)
    result = run(npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
                 "--prefix", INSTALLED, ok=False)
    if result.returncode != 0:
        if os.environ.get("CI") == "true":
            raise AssertionError(f"npm ci failed:\n{result.stderr}")
        raise unittest.SkipTest(f"npm ci failed: {result.stderr.strip()[-500:]}")
    stamp.write_bytes(lock)


def load():
    return json.loads(monitoring.DASHBOARD.read_text(encoding="utf-8"))


def find(dashboard, kind):
    return next(panel for panel in dashboard["panels"] if panel["type"] == kind)


# Each breaks a dashboard in one way, and says what tsc must say of it.
def unknown_key(d):
    d["panles"] = []
    return "'panles'"


def unknown_key_of_a_panel(d):
    find(d, "stat")["legendFormat"] = "x"
    return "'legendFormat'"


def no_such_place(d):
    find(d, "timeseries")["gridPos"]["z"] = 1
    return "'z'"


def wrong_type(d):
    find(d, "timeseries")["id"] = "3"
    return "'string' is not assignable to type 'number'"


def unknown_option(d):
    find(d, "timeseries")["options"]["legend"]["show"] = True
    return "'show'"


def unknown_value_of_an_option(d):
    find(d, "timeseries")["options"]["tooltip"]["mode"] = "many"
    return "'many'"


def option_of_another_kind_of_panel(d):
    find(d, "stat")["options"]["legend"] = {}
    return "'legend'"


def missing_option(d):
    del find(d, "stat")["options"]["reduceOptions"]
    return "'reduceOptions'"


def unknown_field_setting(d):
    find(d, "timeseries")["fieldConfig"]["defaults"]["units"] = "s"
    return "'units'"


def unknown_custom_field_setting(d):
    find(d, "timeseries")["fieldConfig"]["defaults"]["custom"]["fill"] = 1
    return "'fill'"


def unknown_key_of_a_query(d):
    find(d, "timeseries")["targets"][0]["expresion"] = "up"
    return "'expresion'"


def query_without_expression(d):
    del find(d, "timeseries")["targets"][0]["expr"]
    return "'expr'"


def another_data_source(d):
    find(d, "timeseries")["datasource"]["uid"] = "mine"
    return "'mine'"


def unknown_kind_of_panel(d):
    find(d, "timeseries")["type"] = "timeserie"
    return "'timeserie'"


def unknown_key_of_a_variable(d):
    d["templating"]["list"][0]["lable"] = "x"
    return "'lable'"


def unknown_kind_of_variable(d):
    d["templating"]["list"][0]["type"] = "data source"
    return "'data source'"


MISTAKES = (unknown_key, unknown_key_of_a_panel, no_such_place, wrong_type, unknown_option,
            unknown_value_of_an_option, option_of_another_kind_of_panel, missing_option,
            unknown_field_setting, unknown_custom_field_setting, unknown_key_of_a_query,
            query_without_expression, another_data_source, unknown_kind_of_panel,
            unknown_key_of_a_variable, unknown_kind_of_variable)


class DashboardTypesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        install()

    def tsc(self, dashboards):
        """What tsc says of each of these, in one run."""
        types = (HERE / "dashboard_types.ts").read_text(encoding="utf-8")
        (INSTALLED / "dashboard_types.ts").write_text(types, encoding="utf-8")
        names = [f"dashboard_{i}.ts" for i in range(len(dashboards))]
        for name, dashboard in zip(names, dashboards):
            (INSTALLED / name).write_text(
                "import type { OurDashboard } from './dashboard_types.js';\n"
                f"export const dashboard: OurDashboard = {json.dumps(dashboard, indent=1)};\n",
                encoding="utf-8")
        result = run(INSTALLED / "node_modules" / ".bin" / "tsc", "--noEmit", "--strict",
                     "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext",
                     "--target", "es2022", "--noErrorTruncation", "--pretty", "false", *names,
                     cwd=INSTALLED, ok=False)
        said = {name: "" for name in names}
        at = names[0]
        for line in result.stdout.splitlines():
            place = re.match(r"(\S+\.ts)\(", line)
            at = place.group(1) if place else at
            self.assertIn(at, said, line)
            # Names and values alike in single quotes.
            said[at] += line.replace("'\"", "'").replace("\"'", "'") + "\n"
        for name in names:
            (INSTALLED / name).unlink()
        return list(said.values())

    def test_tsc_accepts_the_dashboard_and_finds_planted_mistakes(self):
        planted, expected = [], []
        for mistake in MISTAKES:
            dashboard = copy.deepcopy(load())
            expected.append(mistake(dashboard))
            planted.append(dashboard)
        right, *wrong = self.tsc([load()] + planted)
        self.assertEqual(right, "")
        for mistake, words, said in zip(MISTAKES, expected, wrong):
            with self.subTest(mistake.__name__):
                self.assertIn(words, said)


class DashboardTest(unittest.TestCase):
    def test_the_rows_are_there(self):
        self.assertEqual([panel["title"] for panel in load()["panels"] if panel["type"] == "row"],
                         ["Calls", "The record", "The judge", "Security", "Build"])

    def test_panels_have_names_and_numbers_of_their_own(self):
        for key in ("id", "title"):
            found = [panel[key] for panel in load()["panels"]]
            self.assertEqual(len(found), len(set(found)), found)
        for panel in monitoring.panels():
            references = [target["refId"] for target in panel["targets"]]
            self.assertTrue(references)
            self.assertEqual(len(references), len(set(references)), panel["title"])

    def test_no_panel_lies_on_another(self):
        taken = {}
        for panel in load()["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertNotIn((x, y), taken, (panel["title"], taken.get((x, y))))
                    taken[x, y] = panel["title"]

    def test_every_panel_keeps_to_the_chosen_namespace(self):
        for panel in monitoring.panels():
            for target in panel["targets"]:
                selectors = re.findall(r"\{[^}]*\}", target["expr"])
                self.assertTrue(selectors, panel["title"])
                for selector in selectors:
                    self.assertIn('namespace=~"$namespace"', selector, panel["title"])

    def test_promtool_accepts_the_queries(self):
        """Each as a recording rule; whether there is data says chain_test.py."""
        import pathlib
        import tempfile
        promtool = monitoring.harness.require_tool("promtool")
        with tempfile.TemporaryDirectory(prefix="starratings-dashboard-") as directory:
            queries = [{"record": f"panel:query:{i}", "expr": expression}
                       for i, (_, expression) in enumerate(monitoring.panel_expressions())]
            path = monitoring.write_rules(pathlib.Path(directory) / "queries.yaml",
                                          [{"name": "queries", "rules": queries}])
            run(promtool, "check", "rules", path)


if __name__ == "__main__":
    import harness
    harness.main()
