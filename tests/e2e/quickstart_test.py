"""./quickstart does what the README says, on the build that is there."""

import os
import re
import signal
import socket
import subprocess
import time
import unittest

import harness


def command(*arguments):
    return [str(harness.SOURCE / "quickstart"), *arguments]


class QuickstartTest(unittest.TestCase):
    def test_it_prints_the_published_results_and_stops_everything(self):
        result = harness.run(command(), start_new_session=True)
        text = result.stdout
        self.assertIn("10 / 82 / 50 / 8 of 150", text)
        self.assertRegex(text, r"\b10\b.*4 remained.*6 entered")
        for name in ("Hackney", "Lambeth", "Newham", "Lancashire", "Peterborough", "Sheffield",
                     "Bexley", "Cornwall", "Kensington and Chelsea", "Leicestershire",
                     "Newcastle upon Tyne", "Sunderland", "Wandsworth", "Westminster",
                     "performance fund", "each of 3 rules alone is enough", "C-K1",
                     "reconstructed"):
            self.assertIn(name, text)
        left = subprocess.run(["pgrep", "-f", "starratings-......./record.db"],
                              capture_output=True, text=True, check=False).stdout
        self.assertEqual(left, "")

    def test_serve_leaves_both_up_until_it_is_interrupted(self):
        if any(self.busy(port) for port in (8443, 9443)):
            self.skipTest("8443 or 9443 is taken on this machine")
        serving = subprocess.Popen(command("--serve"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            deadline = time.monotonic() + 5 * harness.PATIENCE_S
            for line in serving.stdout:
                if line.startswith("Ctrl-C stops them"):
                    break
                self.assertLess(time.monotonic(), deadline)
            self.assertTrue(self.busy(8443) and self.busy(9443))
            # A second one finds the port taken, and says so in one sentence.
            second = harness.run(command("--serve"), ok=False)
            self.assertNotEqual(second.returncode, 0)
            self.assertEqual(len(second.stderr.strip().splitlines()), 1, second.stderr)
            self.assertRegex(second.stderr, "taken")
        finally:
            os.killpg(serving.pid, signal.SIGINT)
            serving.communicate(timeout=harness.PATIENCE_S)
        self.assertFalse(self.busy(8443) or self.busy(9443))

    def test_unknown_arguments_are_refused(self):
        result = harness.run(command("--sevre"), ok=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertTrue(re.search(r"unknown argument: --sevre", result.stderr))

    @staticmethod
    def busy(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    harness.main()
