"""The rules are right for promtool; every alert fires when it should, says what
it should, and is silent otherwise; and each says where the runbook has it."""

import pathlib
import re
import tempfile
import unittest

import monitoring
from monitoring import groups, rules, run

CASES = pathlib.Path(__file__).with_name("alerts.yaml")
RUNBOOK = "deploy/README.md"


def load_cases():
    import yaml
    return yaml.safe_load(CASES.read_text(encoding="utf-8"))


def as_promtool(case, expected):
    """A case as promtool's unit test. Of the annotations only the summary is
    compared, or the texts would all be written twice."""
    return {"interval": "1m",
            "input_series": [{"series": series, "values": values}
                             for series, values in case["series"].items()],
            "alert_rule_test": [{"eval_time": case["after"], "alertname": case["alert"],
                                 "exp_alerts": expected}]}


def expected_alerts(case):
    return [{"exp_labels": {"severity": severity, **case["labels"]},
             "exp_annotations": {"summary": case["summary"]}} for severity in case["fires"]]


class RulesTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="starratings-rules-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.promtool = monitoring.harness.require_tool("promtool")

    def test_promtool_accepts_the_rules(self):
        path = monitoring.write_rules(self.directory / "rules.yaml")
        run(self.promtool, "check", "rules", "--lint=all", "--lint-fatal", path)

    def test_promtool_finds_planted_mistakes(self):
        for rule in ({"record": "a:b:c", "expr": "sum(rate(up[5m])"},
                     {"record": "a b", "expr": "up"},
                     {"alert": "A", "expr": "up", "for": "soon"},
                     {"alert": "A", "expr": "up", "annotations": {"summary": "{{ $labels.job"}},
                     {"alert": "A", "expr": "up",
                      "annotations": {"summary": "{{ $value | humanizeRatio }}"}}):
            path = monitoring.write_rules(self.directory / "rules.yaml",
                                          [{"name": "planted", "rules": [rule]}])
            self.assertNotEqual(run(self.promtool, "check", "rules", path, ok=False).returncode, 0,
                                rule)

    def run_cases(self, tests):
        """promtool's verdict on unit tests of the rules, as they are but for the
        annotations that are not compared."""
        import yaml
        brief = groups()
        for group in brief:
            for rule in group["rules"]:
                if "alert" in rule:
                    rule["annotations"] = {"summary": rule["annotations"]["summary"]}
        monitoring.write_rules(self.directory / "rules.yaml", brief)
        # Recorded series first: the alerts of the same minute need them.
        order = sorted((group["name"] for group in brief), key=lambda name: "alerts" in name)
        path = self.directory / "tests.yaml"
        path.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "group_eval_order": order,
                                        "tests": tests}), encoding="utf-8")
        return run(self.promtool, "test", "rules", path, ok=False)

    def test_alerts_fire_and_do_not_fire(self):
        result = self.run_cases([as_promtool(case, expected_alerts(case) if "fires" in case else [])
                                 for case in load_cases()])
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_each_case_can_fail(self):
        """Turned round, every single case is refused: none passes by chance."""
        cases = load_cases()
        wrong = [{"exp_labels": {"severity": "none"}, "exp_annotations": {}}]
        result = self.run_cases([as_promtool(case, [] if "fires" in case else wrong)
                                 for case in cases])
        refused = re.findall(r"alertname: (\w+), time", result.stdout + result.stderr)
        self.assertEqual(refused, [case["alert"] for case in cases])

    def test_every_alert_has_a_case_that_fires_and_one_that_does_not(self):
        names = {(rule["alert"], rule["labels"]["severity"]) for rule in rules("alert")}
        cases = load_cases()
        self.assertEqual({(case["alert"], severity) for case in cases
                          for severity in case.get("fires", ())}, names)
        self.assertEqual({case["alert"] for case in cases if "fires" not in case},
                         {name for name, _ in names})

    def test_every_alert_says_what_an_operator_needs(self):
        for rule in rules("alert"):
            name = rule["alert"]
            self.assertRegex(name, r"^StarRatings[A-Z][A-Za-z]+$")
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"), name)
            self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook_url"})
            self.assertEqual(rule["annotations"]["runbook_url"],
                             f"{RUNBOOK}#alert-{name.lower()}", name)

    def test_the_runbook_has_a_section_for_every_alert(self):
        headings = re.findall(r"^#+ (.*)$", (monitoring.SOURCE / RUNBOOK).read_text("utf-8"),
                              re.MULTILINE)
        anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
                   for heading in headings}
        wanted = {rule["annotations"]["runbook_url"].split("#")[1] for rule in rules("alert")}
        self.assertEqual(wanted - anchors, set())
        self.assertEqual({anchor for anchor in anchors if anchor.startswith("alert-")} - wanted,
                         set())

    def test_every_recorded_series_is_used(self):
        texts = [rule["expr"] for rule in rules("alert")]
        texts += [expression for _, expression in monitoring.panel_expressions()]
        for rule in rules("record"):
            self.assertTrue(any(rule["record"] in text for text in texts), rule["record"])

    def test_what_is_read_of_recorded_series_is_recorded(self):
        recorded = {rule["record"] for rule in rules("record")}
        texts = [rule["expr"] for rule in rules("alert")]
        texts += [expression for _, expression in monitoring.panel_expressions()]
        for text in texts:
            used = set(re.findall(r"\b[a-z_]+:[a-z_]+:[a-z0-9_]+\b", text))
            self.assertEqual(used - recorded, set(), text)


class SidesTest(unittest.TestCase):
    def test_what_an_expression_compares(self):
        self.assertEqual(monitoring.sides('up{a=~"x > y or z"} == 0'),
                         ['up{a=~"x > y or z"}', "0"])
        self.assertEqual(monitoring.sides("a:b\n  > 0.1\nand on (job) rate(c[1m] > 2) >= 5"),
                         ["a:b", "0.1", "rate(c[1m] > 2)", "5"])
        self.assertEqual(monitoring.sides('absent(up{job="a"}) or absent(up)'),
                         ['up{job="a"}', "up"])


if __name__ == "__main__":
    import harness
    harness.main()
