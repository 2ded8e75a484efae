"""A scheme as formulas: its semantics once more, for z3. What the verifier decides by
looking at every case, z3 decides by reasoning about all of them."""

from fractions import Fraction
from itertools import chain, combinations

import z3


class Value:
    """A value that may be there (`x`: a level's place or a number), or be unknown, or not
    count."""

    def __init__(self, known, unknown, x):
        self.known, self.unknown, self.x = known, unknown, x

    def __iter__(self):
        return iter((self.known, self.unknown, self.x))

    def differs(self, other):
        """Whether they are not the same level or number, or not absent in the same way."""
        return z3.Or(self.known != other.known, self.unknown != other.unknown,
                     z3.And(self.known, self.x != other.x))


def rational(number):
    number = Fraction(number)
    return z3.RealVal(f"{number.numerator}/{number.denominator}")


def real(x):
    return z3.ToReal(x) if x.is_int() else x


def count(conditions):
    return z3.Sum([z3.If(condition, 1, 0) for condition in conditions])


def chosen(cases, otherwise):
    """The first of (condition, value) that holds."""
    for condition, value in reversed(cases):
        otherwise = z3.If(condition, value, otherwise)
    return otherwise


def clamp(x, low, high):
    return z3.If(x < low, low, z3.If(x > high, high, x))


def subsets(entries):
    return chain.from_iterable(combinations(entries, n) for n in range(len(entries) + 1))


def combined(raw, fired):
    """(there, level): what limits that fired make of a value."""
    caps = [limit.level for limit in fired if not limit.floor]
    floors = [limit.level for limit in fired if limit.floor]
    x = raw.x
    if floors:
        x = z3.If(x < max(floors), max(floors), x)
    if caps:
        x = z3.If(x > min(caps), min(caps), x)
    if any(limit.gives for limit in fired if not limit.floor):
        given = min(caps)
    elif any(limit.gives for limit in fired):
        given = min([max(floors), *caps])
    else:
        return raw.known, x
    return z3.BoolVal(True), z3.If(raw.known, x, given)


class World(dict):
    """One organisation's evidence, and what a scheme makes of it, value by value as they are
    asked for. `without`: the id of a limit that is left out."""

    def __init__(self, scheme, inputs, without=None):
        super().__init__()
        self.scheme, self.inputs, self.without = scheme, inputs, without

    def __missing__(self, name):
        writer = self.scheme.writers.get(name)
        value = WRITE[writer.kind](self, writer) if writer else self.inputs[name]
        limits = [limit for limit in self.scheme.limits.get(name, ()) if limit.id != self.without]
        self[name] = self.limited(value, limits) if limits else value
        return self[name]

    def test(self, condition):
        """(holds, unknown)"""
        value = self[condition.value]
        edge = condition.edge
        edge = rational(edge) if isinstance(edge, Fraction) else edge
        return z3.And(value.known, condition.passes(value.x, edge)), value.unknown

    def judge(self, limit):
        """(fires, open)"""
        tests = [self.test(condition) for condition in limit.conditions]
        if limit.all:
            fires = z3.And([holds for holds, _ in tests])
            never = z3.Or([z3.Not(z3.Or(holds, unknown)) for holds, unknown in tests])
        else:
            fires = z3.Or([holds for holds, _ in tests])
            never = z3.Not(z3.Or([z3.Or(holds, unknown) for holds, unknown in tests]))
        return fires, z3.Not(z3.Or(fires, never))

    def limited(self, raw, limits):
        """What the limits of a value make of it. Open ones that refuse might fire or not:
        where that makes a difference, the value is unknown."""
        judged = {limit.id: self.judge(limit) for limit in limits}
        outcomes = []  # (the case is so, it could be so, there, level)
        for fired in subsets(limits):
            so, could = [], []
            for limit in limits:
                fires, open_ = judged[limit.id]
                so.append(fires if limit in fired else z3.Not(fires))
                maybe = z3.And(open_, not limit.skips)
                could.append(z3.Or(fires, maybe) if limit in fired else z3.Not(fires))
            outcomes.append((z3.And(so), z3.And(could), *combined(raw, fired)))
        there = chosen([(so, known) for so, _, known, _ in outcomes], raw.known)
        level = chosen([(so, x) for so, _, _, x in outcomes], raw.x)
        differs = z3.Or([z3.And(could, z3.Or(known != there, z3.And(there, x != level)))
                         for _, could, known, x in outcomes])
        # What is absent and stays so unless an open limit fires stays absent for its own reason.
        lost = z3.And(there, differs)
        return Value(z3.And(there, z3.Not(lost)),
                     z3.Or(lost, z3.And(z3.Not(there), raw.unknown)), level)

    def all_there(self, values):
        """(known, unknown) of what needs all of these; the first that is absent names it."""
        known = z3.And([value.known for value in values])
        return known, chosen([(z3.Not(value.known), value.unknown) for value in values], False)

    def sum(self, rule):
        terms = [(self[name], weight, score) for name, weight, score in rule.terms]
        known = count(value.known for value, _, _ in terms)
        counting = count(z3.Or(value.known, value.unknown) for value, _, _ in terms)
        needed = {2: rule.least, 3: counting / 2 + 1}.get(rule.need, counting)
        total = z3.Sum([z3.If(value.known, real(value.x + score) * weight, 0)
                        for value, weight, score in terms])
        if rule.mean:  # For each weight that the terms in it may have together.
            weight = z3.Sum([z3.If(value.known, weight, 0) for value, weight, _ in terms])
            weights = {sum(some) for some in subsets([weight for _, weight, _ in terms]) if some}
            total = chosen([(weight == it, total / it) for it in sorted(weights)], rational(0))
        total *= rational(rule.factor)
        if rule.unit:
            unit = rational(rule.unit)
            total = z3.ToReal(z3.ToInt(total / unit + rational("1/2"))) * unit
        enough = z3.And(known >= 1, known >= needed)
        unknown = z3.Or([value.unknown for value, _, _ in terms])
        return Value(enough, z3.And(z3.Not(enough), unknown), total)

    def band(self, rule):
        values = [self[name] for name in rule.reads]
        x = values[0].x
        levels = [(key, lowest + count([z3.BoolVal(False)] + [
                      (x <= rational(cut)) if rule.at_most else (x >= rational(cut))
                      for cut in cuts]))
                  for key, (lowest, cuts) in rule.cuts.items() if (key is None) != bool(rule.by)]
        level = levels[0][1] if not rule.by else chosen(
            [(values[1].x == key, level) for key, level in levels], z3.IntVal(0))
        return Value(*self.all_there(values), level)

    def count(self, rule):
        tests = [self.test(condition) for condition in rule.conditions]
        counted = count(z3.Or(holds, z3.And(rule.unknown == 3, unknown))
                        for holds, unknown in tests)
        absent = z3.And(rule.unknown in (0, 1), z3.Or([unknown for _, unknown in tests]))
        return Value(z3.Not(absent), absent, z3.ToReal(counted))

    def adjust(self, rule):
        begin = self[rule.source]
        x, unknowns = begin.x, []
        for condition, by in rule.steps:
            holds, unknown = self.test(condition)
            x = z3.If(holds, clamp(x + by, 0, rule.top), x)
            unknowns.append(unknown)
        if rule.bound:
            holds, unknown = self.test(rule.bound)
            most = begin.x + rule.gain_at_most
            x = z3.If(z3.And(holds, x > most), most, x)
            unknowns.append(unknown)
        open_ = z3.Or(unknowns)
        return Value(z3.And(begin.known, z3.Not(open_)),
                     z3.If(begin.known, open_, begin.unknown), x)

    def matrix(self, rule):
        values = [self[name] for name in rule.reads]
        rows = [(z3.And([value.x == level for value, level in zip(values, cell)]), then)
                for cell, then in rule.table.items()]
        return Value(*self.all_there(values), chosen(rows, z3.IntVal(0)))


WRITE = {"SUM": World.sum, "BAND": World.band, "COUNT": World.count, "ADJUST": World.adjust,
         "MATRIX": World.matrix}
