"""What the verifier decides by looking at every case, z3 decides by reasoning: of random
small schemes and of shipped ones both say the same, and both find faults that are
planted."""

import base64
import json
import os
import pathlib
import subprocess
import sys
import unittest
from concurrent import futures

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))
sys.path.insert(0, str(BUILD / "tests" / "python"))

try:
    import z3
except ImportError:
    print("z3 is not there; ./check installs python3-z3")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

import reference
import solver
from google.protobuf import text_format
from starratings.scheme.v1 import scheme_pb2

VERDICTS = BUILD / "tests" / "reference" / "reference_verdicts"
PAIRS = BUILD / "tests" / "reference" / "reference_pairs"
# The others round sums of many levels, on which z3 spends minutes.
SHIPPED = ["england-social-services-2002", "england-cpa-2002-ceiling", "au-aged-care-2023",
           "cms-nursing-home-2022"]
SCHEMES, FAULTY, WHOLE = 300, 50, 240
CODES = {"NOT_MONOTONE", "RESULT_UNREACHABLE", "RULE_DEAD", "INPUT_DEAD", "MATRIX_HOLE"}


def verdicts(lines):
    """(text, {(code, rule)}) that the verifier prints for each line."""
    ran = subprocess.run([str(VERDICTS)], input="".join(f"{line}\n" for line in lines), text=True,
                         stdout=subprocess.PIPE, check=True)
    for said in map(json.loads, ran.stdout.splitlines()):
        yield said["text"], {(code, rule) for code, rule, _ in said["issues"]}


def encoded(message):
    return base64.b64encode(text_format.MessageToString(message).encode()).decode()


class Opinion:
    """What z3 finds wrong with a scheme."""

    def __init__(self, text):
        self.message = text_format.Parse(text, scheme_pb2.Scheme())
        self.scheme = reference.Scheme(self.message)
        self.solver = z3.Solver()
        self.inputs = {code: self.evidence(entry, "") for code, entry in self.scheme.inputs.items()}
        self.world = solver.World(self.scheme, self.inputs)
        self.read = self.cone()

    def evidence(self, entry, mark):
        """What an input may read, whatever the evidence."""
        code = entry.code + mark
        numeric = entry.code not in self.scheme.scale_of
        x = z3.Real(code) if numeric else z3.Int(code)
        unknown, known = z3.Bool(code + "?"), z3.Bool(code + "!")
        if not numeric:
            levels = self.scheme.scale_of[entry.code].levels
            self.solver.add(x >= 0, x < len(levels))
        elif entry.WhichOneof("type") == "ratio":
            self.solver.add(x >= 0)
        if entry.on_missing != 2:  # REFUSE: else nothing is rated. ASSUME: never missing.
            return solver.Value(z3.BoolVal(True), z3.BoolVal(False), x)
        if entry.WhichOneof("type") in ("attribute", "published"):
            self.solver.add(unknown == z3.Not(known))  # Neither can be said not to apply.
        self.solver.add(z3.Not(z3.And(known, unknown)))
        return solver.Value(known, unknown, x)

    def cone(self):
        """The values that a result depends on."""
        waiting, seen = [entry.value for entry in self.message.result], set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.scheme.writers:
                waiting += self.scheme.writers[name].reads
            for limit in self.scheme.limits.get(name, ()):
                waiting += [condition.value for condition in limit.conditions]
        return seen

    def possible(self, *what):
        self.solver.push()
        self.solver.add(*what)
        answer = self.solver.check()
        self.solver.pop()
        assert answer != z3.unknown, self.message
        return answer == z3.sat

    def results(self):
        return [entry.value for entry in self.message.result]

    def unreachable(self):
        for name in self.results():
            if name not in self.scheme.scale_of:
                continue  # A number.
            value = self.world[name]
            for level in range(len(self.scheme.scale_of[name].levels)):
                if not self.possible(value.known, value.x == level):
                    yield "RESULT_UNREACHABLE", name

    def dead_rules(self):
        """Limits that make no difference to their targets."""
        for name, limits in self.scheme.limits.items():
            here = self.world[name]
            for limit in limits:
                other = solver.World(self.scheme, self.inputs, limit.id)
                other.update((known, value) for known, value in self.world.items()
                             if known != name)  # What is read to limit it is the same.
                if name not in self.read or not self.possible(here.known,
                                                              here.differs(other[name])):
                    yield "RULE_DEAD", limit.id

    def with_evidence(self, others):
        """The results where these inputs read something else."""
        pairs = [(getattr(self.inputs[code], part), getattr(other, part))
                 for code, other in others.items() for part in ("known", "unknown", "x")
                 if not z3.is_true(getattr(other, part)) and not z3.is_false(getattr(other, part))]
        return {name: solver.Value(*(z3.substitute(part, *pairs) for part in self.world[name]))
                for name in self.results()}

    def dead_inputs(self):
        """Inputs of which no two values, all else equal, give different results."""
        listed = {entry.previous for entry in self.message.transition}
        for code, entry in self.scheme.inputs.items():
            if code in listed:
                continue
            self.solver.push()
            another = self.evidence(entry, "'")
            self.solver.add(self.inputs[code].known, another.known)
            other = self.with_evidence({code: another})
            if not self.possible(z3.Or([self.world[name].differs(other[name])
                                        for name in self.results()])):
                yield "INPUT_DEAD", code
            self.solver.pop()

    def not_monotone(self):
        """Claims that better evidence never makes a result worse, and it does."""
        self.solver.push()
        better = {code: self.evidence(entry, "+") for code, entry in self.scheme.inputs.items()}
        for code, entry in self.scheme.inputs.items():
            worse, kind = self.inputs[code], entry.WhichOneof("type")
            self.solver.add(worse.known == better[code].known,
                            worse.unknown == better[code].unknown)
            if kind == "attribute":
                self.solver.add(worse.x == better[code].x)
            elif kind in ("ratio", "decimal") and getattr(entry, kind).lower_is_better:
                self.solver.add(worse.x >= better[code].x)
            else:
                self.solver.add(worse.x <= better[code].x)
        other = self.with_evidence(better)
        for claim in self.message.property:
            if claim.HasField("monotone"):
                worse = self.world[claim.monotone.result]
                improved = other[claim.monotone.result]
                if self.possible(worse.known, improved.known, improved.x < worse.x):
                    yield "NOT_MONOTONE", claim.id
        self.solver.pop()

    def holes(self):
        """Tables that lack a row for some levels, whether or not evidence leads there."""
        for message in self.message.matrix:
            rule = self.scheme.writers[message.output]
            levels = [z3.Int(f"{message.id} {place}") for place in range(len(rule.reads))]
            within = [z3.And(level >= 0, level < len(self.scheme.scale_of[name].levels))
                      for level, name in zip(levels, rule.reads)]
            rows = [z3.And([level == at for level, at in zip(levels, cell)])
                    for cell in rule.table]
            if self.possible(*within, z3.Not(z3.Or(rows))):
                yield "MATRIX_HOLE", message.id

    def all(self):
        """Of a scheme with holes the verifier says nothing else, either."""
        return set(self.holes()) or {*self.unreachable(), *self.dead_rules(), *self.dead_inputs(),
                *self.not_monotone()}

    def comparable(self, issues):
        """Those of the verifier's issues that z3 was asked about, too."""
        limits = {limit.id for limits in self.scheme.limits.values() for limit in limits}
        return {(code, rule) for code, rule in issues
                if code in CODES and (code != "RULE_DEAD" or rule in limits)}


def judge(said):
    """(text, what the verifier says, what z3 says)"""
    text, issues = said
    opinion = Opinion(text)
    return text, opinion.comparable(issues), opinion.all()


def shipped(name):
    text = (ROOT / "rating-svc" / "schemes" / name / "scheme.textproto").read_text("utf-8")
    return text_format.Parse(text, scheme_pb2.Scheme())


# Faults: what is done to the scheme of 2002, and what must be found.
def turn_a_comparison(scheme):
    test = scheme.cap[0].any[0]
    test.below.CopyFrom(test.above)
    return {("NOT_MONOTONE", "MONOTONE")}


def spoil_the_best_row(scheme):
    scheme.matrix[0].row[-1].then = "0"
    return {("NOT_MONOTONE", "MONOTONE")}


def drop_a_row(scheme):
    del scheme.matrix[0].row[-1]
    return {("MATRIX_HOLE", "M")}


def give_nobody_one_star(scheme):
    for row in scheme.matrix[0].row:
        row.then = row.then.replace("1", "0")
    return {("RESULT_UNREACHABLE", "stars")}


def cap_at_the_top(scheme):
    scheme.cap[1].limit = "yes"
    return {("RULE_DEAD", "C-K2"), ("INPUT_DEAD", scheme.cap[1].any[0].value)}


def cap_below_nothing(scheme):
    test = scheme.cap[2].any[0]
    test.below.fraction.numerator = 0
    return {("RULE_DEAD", "C-K3"), ("INPUT_DEAD", test.value)}


def forget_a_cap(scheme):
    code = scheme.cap[3].any[0].value
    del scheme.cap[3]
    return {("INPUT_DEAD", code)}


def cap_where_another_lies_lower(scheme):
    cap = scheme.cap.add()
    cap.CopyFrom(scheme.cap[0])
    cap.id, cap.limit = "MORE", "most"
    return {("RULE_DEAD", "MORE")}


FAULTS = [turn_a_comparison, spoil_the_best_row, drop_a_row, give_nobody_one_star,
          cap_at_the_top, cap_below_nothing, forget_a_cap, cap_where_another_lies_lower]


def plant(text):
    """A random scheme with a cap that never fires, and an input that nobody reads."""
    scheme = text_format.Parse(text, scheme_pb2.Scheme())
    unread = scheme.input.add(code="unread", scale="two", on_missing=2, basis=3)
    cap = scheme.cap.add(id="idle", target=scheme.result[0].value, limit="l0", unknown=2, basis=3)
    getattr(cap, "all").add(value=unread.code, level_at_most="l0")
    getattr(cap, "all").add(value=unread.code, level_at_least="l1")
    return scheme


def whole_language():
    """Random schemes that use all of it, each claiming that its results are monotone."""
    ran = subprocess.run([str(PAIRS), str(WHOLE), "0", "1", "1"], check=True,
                         stdout=subprocess.PIPE)
    for said in map(json.loads, ran.stdout.splitlines()):
        message = scheme_pb2.Scheme.FromString(base64.b64decode(said["scheme"]))
        scales = reference.Scheme(message).scale_of
        for result in message.result:
            if result.value in scales:
                claim = message.property.add(id=f"M-{result.value}", basis=3)
                claim.monotone.result = result.value
        # Of a sum of numbers, and of ranks, the verifier says what holds whatever comes out.
        terms = [term.value for entry in message.sum for term in entry.term]
        if not message.quantiles and all(term in scales for term in terms):
            yield message


class Z3Test(unittest.TestCase):
    def opinions(self, lines):
        """(what the verifier says, what z3 says) of each; fails if they differ."""
        with futures.ProcessPoolExecutor(2) as pool:
            opinions = list(pool.map(judge, verdicts(lines), chunksize=5))
        for text, verifier, other in opinions:
            self.assertEqual(verifier, other, text)
        return [verifier for _, verifier, _ in opinions]

    def test_random_schemes(self):
        found = self.opinions(range(1, SCHEMES + 1))
        for code in CODES - {"MATRIX_HOLE"}:
            often = sum(code == other for issues in found for other, _ in issues)
            self.assertGreater(often, 50, code)

    def test_random_schemes_of_the_whole_language(self):
        self.assertGreater(len(self.opinions(map(encoded, whole_language()))), WHOLE / 3)

    def test_random_schemes_with_faults(self):
        texts = [text for text, _ in verdicts(range(SCHEMES + 1, SCHEMES + FAULTY + 1))]
        for issues in self.opinions([encoded(plant(text)) for text in texts]):
            self.assertLessEqual({("RULE_DEAD", "idle"), ("INPUT_DEAD", "unread")}, issues)

    def test_shipped_schemes(self):
        for issues in self.opinions([encoded(shipped(name)) for name in SHIPPED]):
            self.assertEqual(issues, set())

    def test_faults_in_the_scheme_of_2002(self):
        faulty, expected = [], []
        for fault in FAULTS:
            scheme = shipped(SHIPPED[0])
            expected.append(fault(scheme))
            faulty.append(encoded(scheme))
        for fault, wanted, issues in zip(FAULTS, expected, self.opinions(faulty)):
            self.assertLessEqual(wanted, issues, fault.__name__)


if __name__ == "__main__":
    unittest.main(verbosity=2)
