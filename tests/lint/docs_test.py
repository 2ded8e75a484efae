"""Every flag, command, rpc, metric and error reason is named in the documents."""

import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))
DOCS = [ROOT / "README.md", ROOT / "deploy" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCS)


def sources():
    for folder in ("common", "assessment-svc", "rating-svc", "starctl"):
        for path in sorted((ROOT / folder).rglob("*.cc")):
            if not path.name.endswith("_test.cc"):
                yield path.read_text(encoding="utf-8")


def missing(names, text=TEXT):
    return sorted(name for name in names
                  if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w])", text))


def help_of(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=True, timeout=60).stdout


class DocsTest(unittest.TestCase):
    def test_every_flag_of_the_services(self):
        for service in ("assessment-svc", "rating-svc"):
            flags = re.findall(r"^  (--[a-z_]+)", help_of(BUILD / service / service, "--help"),
                               re.MULTILINE)
            self.assertGreater(len(flags), 8)
            self.assertEqual(missing(flags), [])

    def test_every_command_and_flag_of_starctl(self):
        flags, commands = set(), []
        waiting = [[]]
        while waiting:
            path = waiting.pop()
            text = help_of(BUILD / "starctl" / "starctl", *path, "--help")
            flags.update(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.MULTILINE))
            listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.MULTILINE)
            for name in re.findall(r"^  ([a-z-]+)", listed[1] if listed else "", re.MULTILINE):
                waiting.append([*path, name])
                commands.append(" ".join([*path, name]))
        self.assertGreater(len(flags), 20)
        self.assertGreater(len(commands), 20)
        starctl = (ROOT / "docs" / "starctl.md").read_text(encoding="utf-8")
        self.assertEqual(missing(flags, starctl), [])
        self.assertEqual(missing(commands, starctl), [])

    def test_every_rpc(self):
        rpcs = set()
        for path in (ROOT / "proto" / "starratings").rglob("*.proto"):
            rpcs.update(re.findall(r"^  rpc (\w+)", path.read_text(encoding="utf-8"),
                                   re.MULTILINE))
        self.assertGreater(len(rpcs), 25)
        self.assertEqual(missing(rpcs), [])

    def test_every_reason(self):
        errors = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
        reasons = set()
        for text in sources():
            reasons.update(re.findall(
                r'(?:Error|Refused|Refuse|Fail\w*)\(\s*absl::StatusCode::\w+,\s*"([A-Z][A-Z_]+)"',
                text))
            reasons.update(re.findall(r'\.reason = "([A-Z][A-Z_]+)"', text))
        self.assertGreater(len(reasons), 10)
        self.assertEqual(missing(reasons, errors), [])

    def test_every_metric(self):
        operation = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
        metrics = set()
        for text in sources():
            metrics.update(re.findall(r'\.Name\("(\w+)"\)', text))
        self.assertGreater(len(metrics), 5)
        self.assertEqual(missing(metrics, operation), [])

    def test_every_issue_code_of_the_verifier(self):
        schemes = (ROOT / "docs" / "schemes.md").read_text(encoding="utf-8")
        codes = set()
        for path in (ROOT / "rating-svc" / "verify").glob("*.cc"):
            if not path.name.endswith("_test.cc"):
                codes.update(re.findall(r'(?:Add|Fail)\(\s*"([A-Z][A-Z_]+)"',
                                        path.read_text(encoding="utf-8")))
        self.assertGreater(len(codes), 10)
        self.assertEqual(missing(codes, schemes), [])

    def test_links_lead_somewhere(self):
        for path in [*DOCS, ROOT / "ARCHITECTURE.md"]:
            for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
                self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")

    def test_what_is_not_documented_is_found(self):
        self.assertEqual(missing(["--surely-not-a-flag"]), ["--surely-not-a-flag"])


if __name__ == "__main__":
    unittest.main()
