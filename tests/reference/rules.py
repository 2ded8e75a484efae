"""The kinds of rules of the scheme language: what each writes, and when a limit holds.
Part of the second implementation; see reference.py."""

import math
from fractions import Fraction
from itertools import product
from typing import NamedTuple

DOES_NOT_COUNT = {"NOT_APPLICABLE", "EXEMPT"}
LIMITS = ("cap", "floor", "veto")


class Absent(NamedTuple):
    """Why there is no value, which rule or input stood in the way, and the code behind."""
    reason: str
    rule: str
    code: str

    @property
    def unknown(self):
        return self.reason not in DOES_NOT_COUNT


class Scale:
    def __init__(self, message):
        self.levels = list(message.level)
        self.index = {level: place for place, level in enumerate(self.levels)}
        self.lowest_score = message.lowest_score


def fraction(threshold):
    if threshold.WhichOneof("number") == "decimal":
        return Fraction(threshold.decimal)
    return Fraction(threshold.fraction.numerator, threshold.fraction.denominator)


class Condition:
    """True, False, or the Absent that leaves it open."""

    TESTS = {"above": lambda x, y: x > y, "below": lambda x, y: x < y,
             "at_least": lambda x, y: x >= y, "at_most": lambda x, y: x <= y,
             "level_at_most": lambda x, y: x <= y, "level_at_least": lambda x, y: x >= y}

    def __init__(self, scheme, message):
        self.value = message.value
        test = message.WhichOneof("test")
        self.passes = self.TESTS[test]
        said = getattr(message, test)
        self.edge = (scheme.scale_of[self.value].index[said] if test.startswith("level")
                     else fraction(said))

    def test(self, values):
        value = values[self.value]
        if isinstance(value, Absent):
            return value if value.unknown else False
        return self.passes(value, self.edge)


def first_absent(values):
    return next((value for value in values if isinstance(value, Absent)), None)


def first_unknown(values):
    return next((value for value in values if isinstance(value, Absent) and value.unknown), None)


class Writer:
    """A rule that writes a value."""

    def __init__(self, message):
        self.id = message.id
        self.kind = type(self).__name__.upper()

    def begin(self, values):
        """What an adjustment begins with; others write on an empty page."""
        return Absent("", "", "")


class Sum(Writer):
    def __init__(self, scheme, message):
        super().__init__(message)
        self.terms = [(term.value, term.weight, scheme.scale_of[term.value].lowest_score
                       if term.value in scheme.scale_of else 0) for term in message.term]
        self.reads = [term.value for term in message.term]
        self.factor = Fraction(message.times or 1, message.over or 1)
        self.mean = message.mean
        self.unit = Fraction(message.round.unit) if message.HasField("round") else None
        self.need, self.least = message.need, message.least

    def needed(self, counting):
        """How many terms must be known, of those that count."""
        if self.need == 2:
            return self.least
        return counting // 2 + 1 if self.need == 3 else counting

    def write(self, values):
        found = [values[name] for name in self.reads]
        known = [(value + score, weight) for value, (_, weight, score) in zip(found, self.terms)
                 if not isinstance(value, Absent)]
        counting = sum(not isinstance(value, Absent) or value.unknown for value in found)
        if not known or len(known) < self.needed(counting):
            return first_unknown(found) or first_absent(found)
        total = sum(value * weight for value, weight in known)
        if self.mean:
            total = Fraction(total) / sum(weight for _, weight in known)
        total *= self.factor
        if self.unit:
            total = math.floor(total / self.unit + Fraction(1, 2)) * self.unit
        return total


class Band(Writer):
    def __init__(self, scheme, message):
        super().__init__(message)
        self.source, self.by = getattr(message, "from"), message.by
        self.reads = [self.source] + ([self.by] if self.by else [])
        self.at_most = message.direction == 2
        self.quantiles, self.tables = message.quantiles, scheme.tables
        index = scheme.scales[message.to].index
        self.cuts = {None: (0, [fraction(cut) for cut in message.cut])}
        for entry in message.list:
            for level in entry.level:
                self.cuts[scheme.scale_of[self.by].index[level]] = (
                    index[entry.lowest] if entry.lowest else 0,
                    [fraction(cut) for cut in entry.cut])

    def write(self, values):
        found = [values[name] for name in self.reads]
        absent = first_absent(found)
        if absent:
            return absent
        lowest, cuts = self.cuts[found[1] if self.by else None]
        if self.quantiles:
            cuts = self.tables[self.quantiles]
            if not cuts:
                return Absent("UNRELIABLE", self.quantiles, "")
        if self.at_most:
            return lowest + sum(cut >= found[0] for cut in cuts)
        return lowest + sum(cut <= found[0] for cut in cuts)


class Count(Writer):
    def __init__(self, scheme, message):
        super().__init__(message)
        self.conditions = [Condition(scheme, entry) for entry in message.condition]
        self.reads = [condition.value for condition in self.conditions]
        self.unknown = message.unknown

    def write(self, values):
        found = [condition.test(values) for condition in self.conditions]
        absent = first_absent(found)
        if absent and self.unknown in (0, 1):
            return absent
        return sum(truth is True or (truth is not False and self.unknown == 3) for truth in found)


class Adjust(Writer):
    def __init__(self, scheme, message):
        super().__init__(message)
        self.source = getattr(message, "from")
        self.top = len(scheme.scale_of[self.source].levels) - 1
        self.steps = [(Condition(scheme, step.when), step.by) for step in message.step]
        self.bound = Condition(scheme, message.bound.when) if message.HasField("bound") else None
        self.gain_at_most = message.bound.gain_at_most
        self.reads = [self.source] + [condition.value for condition, _ in self.steps]
        self.reads += [self.bound.value] if self.bound else []

    def begin(self, values):
        return values[self.source]

    def write(self, values):
        begin = level = values[self.source]
        found = [condition.test(values) for condition, _ in self.steps]
        bound = self.bound.test(values) if self.bound else False
        absent = first_absent([begin, *found, bound])
        if absent:
            return absent
        for held, (_, by) in zip(found, self.steps):
            if held:
                level = min(max(level + by, 0), self.top)
        return min(level, begin + self.gain_at_most) if bound else level


class Matrix(Writer):
    def __init__(self, scheme, message):
        super().__init__(message)
        self.reads = list(getattr(message, "from"))
        scales = [scheme.scale_of[name] for name in self.reads]
        then = scheme.scales[message.to].index
        self.table = {}
        for row in message.row:
            whens = [range(len(scale.levels)) if when == "any"
                     else [scale.index[level] for level in when.split("|")]
                     for when, scale in zip(row.when, scales)]
            self.table.update(dict.fromkeys(product(*whens), then[row.then]))

    def write(self, values):
        found = tuple(values[name] for name in self.reads)
        return first_absent(found) or self.table[found]


WRITERS = {"sum": Sum, "band": Band, "count": Count, "adjust": Adjust, "matrix": Matrix}


class Limit:
    """A cap, floor or veto."""

    def __init__(self, scheme, kind, message):
        self.id, self.target, self.kind = message.id, message.target, kind.upper()
        self.floor = kind == "floor"
        self.all = kind != "veto" and len(message.all) > 0
        self.conditions = [Condition(scheme, entry)
                           for entry in (message.all if self.all else message.any)]
        self.skips = message.unknown == 2
        veto = kind == "veto"
        self.level = 0 if veto else scheme.scale_of[self.target].index[message.limit]
        self.gives = veto or message.if_absent == 2

    def judge(self, values):
        """Whether it fires: True, False, or the Absent that leaves it open."""
        found = [condition.test(values) for condition in self.conditions]
        settled = not self.all  # One that holds settles `any`, one that does not `all`.
        if any(truth is settled for truth in found):
            return settled
        return first_absent(found) or not settled


    def reached(self, before, after):
        """Whether it put its target where it ended, once it has fired: at its own level; of
        a floor also where it raised what a cap then held down."""
        raised = isinstance(before, Absent) or before < after
        return self.level == after or (self.floor and self.level > after and raised)


def combined(value, fired):
    """What limits that fired make of a value: first the highest floor, then the lowest cap."""
    floors = [limit for limit in fired if limit.floor]
    caps = [limit for limit in fired if not limit.floor]
    lowest = min((limit.level for limit in caps), default=math.inf)
    highest = max((limit.level for limit in floors), default=-math.inf)
    if not isinstance(value, Absent):
        return min(max(value, highest), lowest)
    if any(limit.gives for limit in caps):
        return lowest
    if any(limit.gives for limit in floors):
        return min(highest, lowest)
    return value


def limited(value, judged):
    """What all limits of one value make of it, given what each says. One that nobody can
    decide makes it absent, if what comes out depends on how it would be decided."""
    fired = [limit for limit, verdict in judged if verdict is True]
    open_ = [(limit, verdict) for limit, verdict in judged
             if isinstance(verdict, Absent) and not limit.skips]
    here = combined(value, fired)
    if not open_ or (isinstance(value, Absent) and here == value):
        return here  # An absent target stays absent.
    if all(combined(value, fired + [limit for (limit, _), fires in zip(open_, choice) if fires])
           == here for choice in product((False, True), repeat=len(open_))):
        return here
    limit, verdict = named(value, fired, open_, here)
    return Absent(verdict.reason, limit.id, verdict.code)


def named(value, fired, open_, here):
    """The open limit that is said to stand in the way: the lowest cap that would lower what
    comes out, else the highest floor that would raise it, else the highest cap that would
    (by giving a level to what has none). Of equal ones the first."""
    alone = [(combined(value, fired + [limit]), limit, verdict) for limit, verdict in open_]
    lower = [entry for entry in alone if not entry[1].floor and entry[0] < here]
    if lower:
        return min(lower, key=lambda entry: entry[1].level)[1:]
    raising = [entry for entry in alone if entry[0] > here]
    return max(raising, key=lambda entry: (entry[1].floor, entry[1].level))[1:]
