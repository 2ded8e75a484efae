"""A second implementation of the scheme language, written from docs/schemes.md and
scheme.proto alone, by somebody who had not read the evaluator. Slow, exact, obvious:
levels are their places on the scale, numbers are fractions, what is not there is an
Absent, and every question about a rule is answered by working without it."""

import datetime
from fractions import Fraction
from typing import NamedTuple

import rules
from evidence import read
from rules import Absent, LIMITS


# By whether an organisation was on the list, and is.
MOVES = {(False, True): "ENTERED", (True, True): "REMAINED", (True, False): "LEFT",
         (False, False): "NONE"}


# What a rule writes that is not there.
NOTHING = Absent("NOT_REPORTED", "", "")


class Step(NamedTuple):
    """What one rule did."""
    rule: str
    kind: str
    target: str
    before: str
    after: str
    fired: bool
    decided: bool
    binding: bool


def same(one, other):
    """Whether two outcomes are the same to those who are rated."""
    if isinstance(one, Absent) and isinstance(other, Absent):
        return one.reason == other.reason
    return one == other


class Course:
    """One computation: what each value was when it was written, what its limits made of
    it, and what they said. `without` leaves one rule out."""

    def __init__(self, scheme, readings, without=None):
        self.written, self.values, self.verdicts = {}, {}, {}
        for name in scheme.order:
            writer = scheme.writers.get(name)
            written = writer.write(self.values) if writer else readings[name].value
            if writer and writer is without:
                written = NOTHING
            judged = [(limit, limit.judge(self.values)) for limit in scheme.limits.get(name, ())
                      if limit is not without]
            self.verdicts.update((limit.id, verdict) for limit, verdict in judged)
            self.written[name] = written
            self.values[name] = rules.limited(written, judged) if judged else written


class Scheme:
    """A scheme, ready to rate: its rules by what they write or limit, in an order in
    which nothing is read before it is final."""

    def __init__(self, message):
        self.message = message
        self.tables = {}  # The cuts of quantiles, once they are derived.
        self.scales = {scale.id: rules.Scale(scale) for scale in message.scale}
        self.scale_of = {}
        self.inputs = {entry.code: entry for entry in message.input}
        for entry in message.input:
            kind = entry.WhichOneof("type")
            if kind not in ("ratio", "decimal"):
                name = entry.scale if kind == "scale" else getattr(entry, kind).scale
                self.scale_of[entry.code] = self.scales[name]
        self._place_writers()
        self.limits = {}
        for kind in LIMITS:
            for entry in getattr(message, kind):
                limit = rules.Limit(self, kind, entry)
                self.limits.setdefault(limit.target, []).append(limit)
        self.order = []
        for name in [*self.inputs, *self.writers]:
            self._put(name)

    def _place_writers(self):
        """Writers know the scales of what they read, so those must be known first."""
        for kind in ("matrix", "band"):
            for entry in getattr(self.message, kind):
                self.scale_of[entry.output] = self.scales[entry.to]
        waiting = list(self.message.adjust)
        while waiting:  # An adjustment stays on the scale it begins with.
            entry = waiting.pop(0)
            if getattr(entry, "from") in self.scale_of:
                self.scale_of[entry.output] = self.scale_of[getattr(entry, "from")]
            else:
                waiting.append(entry)
        self.writers = {entry.output: make(self, entry)
                        for kind, make in rules.WRITERS.items()
                        for entry in getattr(self.message, kind)}

    def derive(self, dossiers, date):
        """The cuts that divide a cohort: the k-th of q is the smallest number such that at
        least k/q of those known are at or below it. None if too few are."""
        self.tables = dict.fromkeys((entry.id for entry in self.message.quantiles), ())
        for writer in self.writers.values():
            writer.tables = self.tables
        cohort = [Rating(self, dossier, date) for dossier in dossiers] if self.tables else []
        for entry in self.message.quantiles:
            found = [rating.course.values[entry.of] for rating in cohort if not rating.refusal]
            known = sorted(value for value in found if not isinstance(value, Absent))
            if len(known) >= entry.minimum_cohort:
                self.tables[entry.id] = [known[-(-k * len(known) // entry.parts) - 1]
                                         for k in range(1, entry.parts)]

    def _put(self, name):
        if name in self.order:
            return
        if name in self.writers:
            for other in self.writers[name].reads:
                self._put(other)
        for limit in self.limits.get(name, ()):
            for condition in limit.conditions:
                self._put(condition.value)
        self.order.append(name)

    def show(self, name, value):
        """A value for people."""
        if isinstance(value, Absent):
            return ""
        if name in self.scale_of:
            return self.scale_of[name].levels[value]
        return number(value)


def number(value):
    """`12.5`, or `n/d` where it does not end within six places."""
    value = Fraction(value)
    millionths = value * 10**6
    if millionths.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = f"{abs(millionths.numerator):07d}"
    sign = "-" if value < 0 else ""
    return sign + f"{digits[:-6]}.{digits[-6:]}".rstrip("0").rstrip(".")


def without_overrides(dossier):
    return {**dossier, "items": [item for item in dossier["items"] if "expires_on" not in item]}


class Rating:
    """What a scheme makes of a dossier, and why."""

    def __init__(self, scheme, dossier, date):
        self.scheme, self.dossier, self.date = scheme, dossier, date
        day = datetime.date.fromisoformat(date)
        self.readings = {code: read(scheme, entry, dossier, day)
                         for code, entry in scheme.inputs.items()}
        # The first input that must not be missing and is: then nothing is rated.
        self.refusal = next((reading.value for reading in self.readings.values()
                             if reading.refused), None)
        self.course = Course(scheme, self.readings)
        self.results = self._results(self.course)

    def _results(self, course):
        return {entry.value: self.refusal or course.values[entry.value]
                for entry in self.scheme.message.result}

    def outcomes(self):
        """(id, level or number, reason, rule, code) of each result."""
        for name, value in self.results.items():
            if isinstance(value, Absent):
                yield name, "", *value
            else:
                yield name, self.scheme.show(name, value), "", "", ""

    def mechanical(self):
        """The outcomes without the overrides; none if no input reads one in force."""
        if not any(reading.overridden for reading in self.readings.values()):
            return []
        return list(Rating(self.scheme, without_overrides(self.dossier), self.date).outcomes())

    def decisions(self):
        """(id, code, previous, state, move) of each transition."""
        for entry in self.scheme.message.transition:
            levels = self.scheme.scale_of[entry.previous].levels
            before = self.course.values[entry.previous]
            result = self.results[entry.result]
            previous = "" if isinstance(before, Absent) else levels[before]
            if isinstance(result, Absent):
                yield entry.id, entry.previous, previous, previous, "NONE"
                continue
            listed = self.scheme.scale_of[entry.result].index[entry.listed_at_most]
            on_list = result <= listed
            move = MOVES[before == 0, on_list] if previous else "UNKNOWN"
            yield entry.id, entry.previous, previous, levels[0 if on_list else 1], move

    def read(self):
        """(code, value, why it is absent, assumed) of each input."""
        for code, reading in self.readings.items():
            absent = reading.value.reason if isinstance(reading.value, Absent) else ""
            yield code, reading.text, absent, reading.assumed

    def consequences(self):
        """The ids of what follows."""
        for entry in self.scheme.message.consequence:
            value = self.results[entry.result]
            if self.scheme.show(entry.result, value) in entry.level:
                yield (entry.id,)

    def steps(self):
        """What each rule did. Of a limit `after` is what it makes of the target alone."""
        show, course, decided = self.scheme.show, self.course, self._decided()
        for name in self.scheme.order:
            written = course.written[name]
            writer = self.scheme.writers.get(name)
            if writer:
                before = writer.begin(course.values)
                yield Step(writer.id, writer.kind, name, show(name, before), show(name, written),
                           not isinstance(written, Absent), writer.id in decided,
                           writer.id in decided and self._differs(writer))
            for limit in self.scheme.limits.get(name, ()):
                fired = course.verdicts[limit.id] is True
                after = rules.combined(written, [limit]) if fired else written
                yield Step(limit.id, limit.kind, name, show(name, written), show(name, after),
                           fired, limit.id in decided, self._binding(limit))

    def _binding(self, limit):
        """Whether a result would be different without it: another level or number, or none,
        or none for another reason."""
        if self.course.verdicts[limit.id] is False:
            return False
        return self._differs(limit)

    def _differs(self, without):
        """Whether a result would be different without a rule."""
        others = self._results(Course(self.scheme, self.readings, without))
        return any(not same(value, others[name]) for name, value in self.results.items())

    def _decided(self):
        """The rules that reached a result: whose level is the one that a value ended at,
        and that reached it itself."""
        course, decided, seen = self.course, set(), set()
        waiting = [name for name, value in self.results.items() if not isinstance(value, Absent)]
        while waiting:
            name = waiting.pop()
            value = course.values[name]
            if name in seen or isinstance(value, Absent):
                continue
            seen.add(name)
            if name in self.scheme.writers and course.written[name] == value:
                decided.add(self.scheme.writers[name].id)
                waiting += self.scheme.writers[name].reads
            for limit in self.scheme.limits.get(name, ()):
                fired = course.verdicts[limit.id] is True
                if fired and limit.reached(course.written[name], value):
                    decided.add(limit.id)
                    waiting += [condition.value for condition in limit.conditions
                                if condition.test(course.values) is True]
        return decided
