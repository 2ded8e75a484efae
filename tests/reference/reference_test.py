"""What the product makes of random evidence by random schemes, and by those that are
shipped, is what the second implementation makes of it: every result, decision,
consequence, reading and step of the trace. More than 100,000 pairs, always the same."""

import base64
import collections
import json
import os
import pathlib
import subprocess
import sys
import unittest
from concurrent import futures
from unittest import mock

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))
sys.path.insert(0, str(BUILD / "tests" / "python"))

import reference
import rules
from google.protobuf import text_format
from starratings.scheme.v1 import scheme_pb2

PAIRS = BUILD / "tests" / "reference" / "reference_pairs"
FOLDERS = [path.parent for path in
           sorted((ROOT / "rating-svc" / "schemes").glob("*/scheme.textproto"))]
# One scheme in six does not resolve, and is left out.
SCHEMES, DOSSIERS = 4800, 25
# The largest of the shipped schemes takes the time of a hundred small ones.
SHIPPED, SHIPPED_LARGE, LARGE = 500, 30, "medicare-advantage-2022"
PARTS = 20
TOLD = 5  # Differences that are shown.

# What must have been there, often, for the pairs to say anything.
SORTS = (["SUM", "BAND", "COUNT", "ADJUST", "MATRIX", "CAP", "FLOOR", "VETO",
          "ENTERED", "REMAINED", "LEFT", "NONE", "UNKNOWN", "assumed", "consequence", "rated",
          "NOT_REPORTED", "UNRELIABLE", "SUPPRESSED", "WITHDRAWN", "NOT_APPLICABLE", "STALE",
          "EXEMPT", "EXPIRED", "refused by a rule", "overridden"])


def answer_to(scheme, dossier, date):
    """The same as the product's answer, by the second implementation."""
    rating = reference.Rating(scheme, dossier, date)
    return {"results": rating.outcomes(), "mechanical": rating.mechanical(),
            "decisions": rating.decisions(),
            "consequences": rating.consequences(), "readings": rating.read(),
            "steps": rating.steps()}


def differences(answer, scheme, dossier, date):
    """(what, the product's, ours) of each thing that is not the same, in whatever order."""
    for what, ours in answer_to(scheme, dossier, date).items():
        theirs = sorted(map(tuple, answer[what]))
        ours = sorted(map(tuple, ours))
        if len(theirs) != len(ours):
            yield what, theirs, ours
        yield from ((what, one, other) for one, other in zip(theirs, ours) if one != other)


def sorts(answer):
    """What this answer is an example of."""
    for _, outcome, reason, rule, code in answer["results"]:
        yield "rated" if outcome else reason
        if rule != code:
            yield "refused by a rule"
    yield from (kind for _, kind, *_, fired, _, binding in answer["steps"] if fired and binding)
    yield from (move for *_, move in answer["decisions"])
    yield from ("assumed" for *_, assumed in answer["readings"] if assumed)
    yield from ("consequence" for _ in answer["consequences"])
    if answer["mechanical"] not in ([], answer["results"]):
        yield "overridden"


def compare(arguments):
    """Compares what the driver prints; returns what was there, how many, and what differs."""
    pairs, seen, told = 0, collections.Counter(), []
    with subprocess.Popen([str(PAIRS), *map(str, arguments)], stdout=subprocess.PIPE) as driver:
        for said in map(json.loads, driver.stdout):
            message = scheme_pb2.Scheme.FromString(base64.b64decode(said["scheme"]))
            scheme = reference.Scheme(message)
            scheme.derive(said["dossiers"], said["date"])
            for dossier in said["dossiers"]:
                answer = json.loads(next(driver.stdout))
                pairs += 1
                seen.update(sorts(answer))
                for what, theirs, ours in differences(answer, scheme, dossier, said["date"]):
                    told.append(f"{arguments} seed {said['seed']}: {what}: {theirs}\n"
                                f"      here {ours}\n{dossier}\n"
                                f"{text_format.MessageToString(message)}")
                    break
    assert driver.returncode == 0, arguments
    return pairs, seen, told


class ReferenceTest(unittest.TestCase):
    def compare_all(self, jobs):
        """How many pairs there were, and of what sorts; fails if any differs."""
        with futures.ProcessPoolExecutor(2) as pool:
            outcomes = list(pool.map(compare, jobs))
        told = [text for _, _, texts in outcomes for text in texts]
        pairs = sum(count for count, _, _ in outcomes)
        seen = sum((some for _, some, _ in outcomes), collections.Counter())
        print(f"{pairs} pairs, {len(told)} differ", flush=True)
        self.assertFalse(told, "\n\n".join(told[:TOLD]))
        return pairs, seen

    def test_random_schemes(self):
        pairs, seen = self.compare_all([(SCHEMES, DOSSIERS, 1 + part, PARTS)
                                        for part in range(PARTS)])
        self.assertGreaterEqual(pairs, 100_000)
        for sort in SORTS:
            self.assertGreater(seen[sort], 500, f"{sort} of {seen}")

    def test_shipped_schemes(self):
        pairs, _ = self.compare_all([(folder, SHIPPED_LARGE if folder.name == LARGE else SHIPPED)
                                     for folder in FOLDERS])
        self.assertGreater(pairs, 2000)

    def test_another_reading_would_be_noticed(self):
        """Each of these differs from the documents in one small thing."""
        tests = {**rules.Condition.TESTS, "at_most": lambda x, y: x < y}
        for name, other in (
                ("edge", mock.patch.object(rules.Condition, "TESTS", tests)),
                ("exempt", mock.patch.object(rules, "DOES_NOT_COUNT", {"NOT_APPLICABLE"})),
                ("expiry", mock.patch.object(reference, "without_overrides", lambda it: it)),
                ("need", mock.patch.object(rules.Sum, "needed", lambda self, n: n // 2 + 1)),
                ("veto", mock.patch.object(rules, "combined", floors_last)),
                ("open", mock.patch.object(rules, "limited", open_is_false))):
            with self.subTest(name), other:
                _, _, told = compare((200, 25, 1, 1))
                self.assertGreater(len(told), 0)


def floors_last(value, fired, combined=rules.combined):
    """As if a floor lay above a cap."""
    value = combined(value, [limit for limit in fired if not limit.floor])
    return combined(value, [limit for limit in fired if limit.floor])


def open_is_false(value, judged):
    """As if every limit that is open did not fire."""
    return rules.combined(value, [limit for limit, verdict in judged if verdict is True])


if __name__ == "__main__":
    unittest.main(verbosity=2)
