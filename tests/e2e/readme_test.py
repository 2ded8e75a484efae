"""The commands and programs in the README do what it says."""

import json
import os
import re
import shlex
import subprocess
import unittest

import harness

README = (harness.SOURCE / "README.md").read_text(encoding="utf-8")


def commands():
    """Every grpcurl command of the README, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("grpcurl")]


class ReadmeTest(harness.ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services.load_england()
        cls.services.create_round()
        cls.services.publish_round()

    def run_command(self, command):
        parts = shlex.split(command)
        parts = [part.replace("localhost:8443", self.services.assessment.grpc)
                 .replace("localhost:9443", self.services.rating.grpc) for part in parts]
        parts[0] = harness.require_tool("grpcurl")
        return subprocess.run(parts, capture_output=True, text=True, timeout=60, check=False)

    def test_grpcurl_commands(self):
        found = commands()
        self.assertEqual(len(found), 6)
        listing, describe, explain, published, submit, bad = map(self.run_command, found)
        for service in ("EvidenceService", "RegisterService", "RoundService"):
            self.assertIn(f"starratings.assessment.v1.{service}", listing.stdout, listing.stderr)
        self.assertIn("grpc.health.v1.Health", listing.stdout)
        self.assertIn("rpc RateOrganisation", describe.stdout, describe.stderr)
        rating = json.loads(explain.stdout)["rating"]
        self.assertEqual(rating["results"][0]["level"], "0")
        self.assertTrue(rating["trace"]["sentences"])
        self.assertEqual(json.loads(published.stdout)["rating"]["digest"], rating["digest"])
        self.assertTrue(json.loads(submit.stdout)["snapshot"]["token"], submit.stderr)
        self.assertNotEqual(bad.returncode, 0)
        for words in ("InvalidArgument", "google.rpc.BadRequest", "INVALID_FIELDS", "request_id",
                      "items[0].item.organisation"):
            self.assertIn(words, bad.stderr)

    def test_health_can_be_asked_through_reflection(self):
        answer = self.run_command("grpcurl -plaintext -d '{\"service\": \"readiness\"}' "
                                  "localhost:8443 grpc.health.v1.Health/Check")
        self.assertEqual(json.loads(answer.stdout), {"status": "SERVING"}, answer.stderr)

    def test_clients_in_the_readme_are_the_examples(self):
        for name in ("rate.py", "rate.cc"):
            text = (harness.SOURCE / "examples" / "client" / name).read_text(encoding="utf-8")
            self.assertIn(text, README)

    def test_the_python_client(self):
        environment = dict(os.environ, PYTHONPATH=str(harness.BUILD / "tests" / "python"))
        result = harness.run(["/usr/bin/python3", harness.SOURCE / "examples/client/rate.py",
                              self.services.rating.grpc, "2002-05", "walsall"], env=environment)
        self.assertIn("Walsall", result.stdout)

    def test_the_cpp_client(self):
        result = harness.run([harness.BUILD / "tests" / "example_client",
                              self.services.rating.grpc, "2002-05", "walsall"])
        self.assertIn("Walsall", result.stdout)


if __name__ == "__main__":
    harness.main()
