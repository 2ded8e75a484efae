"""Every flag, command, rpc, metric and error reason is named in the documents."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))
DOCS = [ROOT / "README.md", ROOT / "deploy" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCS)


# A name of two words or more in capitals, as reasons and issue codes are written.
NAME = r'"([A-Z]+(?:_[A-Z]+)+)"'
# gRPC's own names of codes, which our code also writes.
CODES = {"DEADLINE_EXCEEDED", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "DATA_LOSS",
         "ALREADY_EXISTS", "RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "OUT_OF_RANGE"}


def sources(root, *folders):
    """The text of every file of C++ that is shipped."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cc", ".h") and not re.search(r"test|fixture|fake_", path.name):
                yield path.read_text(encoding="utf-8")


def protos(root):
    return "\n".join(path.read_text(encoding="utf-8")
                     for path in sorted((root / "proto" / "starratings").rglob("*.proto")))


def rpcs_of(root):
    return set(re.findall(r"^  rpc (\w+)", protos(root), re.MULTILINE))


def names_of(texts, enums):
    """The names in capitals that `texts` write, but for codes of gRPC and values of `enums`."""
    found = {name for text in texts for name in re.findall(NAME, text)} - CODES
    return {name for name in found if not any(value == name or value.endswith("_" + name)
                                              for value in enums)}


def enums_of(root):
    return re.findall(r"^ +([A-Z][A-Z0-9_]+) = \d+", protos(root), re.MULTILINE)


def reasons_of(root):
    """The reasons of errors that a service may answer with."""
    texts = list(sources(root, "common", "assessment-svc", "rating-svc/service", "rating-svc/wire"))
    # The type of a precondition stands in the same error as a reason.
    texts = [re.sub(r"(?<=preconditions = \{)\s*\{\s*" + NAME, "{", text) for text in texts]
    # What fsck finds is no answer of a service.
    faults = fault_codes_of(root)
    found = names_of(texts, enums_of(root)) - faults
    for text in texts:  # Of one word: known by where they stand.
        found.update(re.findall(r'StatusCode::\w+,\s*"([A-Z]+)"', text))
        found.update(re.findall(r'\.reason = "([A-Z]+)"', text))
    return found


def issue_codes_of(root):
    """The codes of what the verifier may find wrong."""
    texts = list(sources(root, "rating-svc/verify"))
    return names_of(texts, enums_of(root)) | {
        code for text in texts for code in re.findall(r'(?:Add|Fail)\(\s*"([A-Z]+)"', text)}


def fault_codes_of(root):
    """The codes of what fsck may find wrong."""
    return {code for text in sources(root, "assessment-svc/upkeep")
            for code in re.findall(r'(?:Add|visit)\(\s*"([A-Z_]+)"', text)}


def metrics_of(root):
    return {name for text in sources(root, "common", "assessment-svc", "rating-svc")
            for name in re.findall(r'"((?:assessment|rating|grpc_server|starratings)_[a-z_]+)"', text)}


def missing(names, text=TEXT):
    return sorted(name for name in names
                  if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text))


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
        self.assertGreater(len(rpcs_of(ROOT)), 25)
        self.assertEqual(missing(rpcs_of(ROOT)), [])

    def test_every_reason(self):
        errors = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
        self.assertGreater(len(reasons_of(ROOT)), 40)
        self.assertEqual(missing(reasons_of(ROOT), errors), [])
        documented = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`(?=[^|]*\| [A-Z_]+[ ;|])", errors))
        self.assertEqual(documented - reasons_of(ROOT), set(), "documented, but never answered")

    def test_every_metric(self):
        operation = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
        self.assertGreater(len(metrics_of(ROOT)), 5)
        self.assertEqual(missing(metrics_of(ROOT), operation), [])

    def test_every_issue_code_of_the_verifier(self):
        schemes = (ROOT / "docs" / "schemes.md").read_text(encoding="utf-8")
        self.assertGreater(len(issue_codes_of(ROOT)), 20)
        self.assertEqual(missing(issue_codes_of(ROOT), schemes), [])

    def test_every_fault_that_fsck_finds(self):
        store = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
        self.assertGreater(len(fault_codes_of(ROOT)), 10)
        self.assertEqual(missing(fault_codes_of(ROOT), store), [])

    def test_links_lead_somewhere(self):
        for path in [*DOCS, ROOT / "ARCHITECTURE.md"]:
            for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
                self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")

    def test_what_is_not_documented_is_found(self):
        self.assertEqual(missing(["--surely-not-a-flag"]), ["--surely-not-a-flag"])
        self.assertEqual(missing(["--round"], "`--round-date`, `--rounds`"), ["--round"])
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for path, text in (
                    ("proto/starratings/x/v1/x.proto",
                     "  rpc Planted(Request) returns (Response);\n  KIND_MISSING_ONE = 1;\n"),
                    ("common/status/planted.cc",
                     'Error(StatusCode::kInternal, "ONE");\nRefused(\n    "PLANTED_ONE", x);\n'
                     'd.reason = "TWO";\nd.preconditions = {{"PLANTED_TYPE", y}};\n'
                     'Is("MISSING_ONE");\nCount("assessment_planted_total")'),
                    ("assessment-svc/upkeep/planted.cc", 'findings.Add("FAULT_ONE", x); "FAULT_ONE"'),
                    ("rating-svc/verify/planted.cc", 'Add("LOOP", x); Conclude(y, "NOT_PLANTED")')):
                (root / path).parent.mkdir(parents=True)
                (root / path).write_text(text, encoding="utf-8")
            self.assertEqual(rpcs_of(root), {"Planted"})
            self.assertEqual(reasons_of(root), {"ONE", "TWO", "PLANTED_ONE"})
            self.assertEqual(fault_codes_of(root), {"FAULT_ONE"})
            self.assertEqual(issue_codes_of(root), {"LOOP", "NOT_PLANTED"})
            self.assertEqual(metrics_of(root), {"assessment_planted_total"})


if __name__ == "__main__":
    unittest.main()
