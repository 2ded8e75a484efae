"""Writes the rule of England's scheme of 2002 as each peer wants it: rules.py DIRECTORY

From the text of the scheme that is shipped; nothing is copied by hand. What is
read of an indicator differs: those that take one dossier at a time are given the
share, divided for them beforehand, or null.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "e2e"))
import formats
import harness

SCHEME = harness.SCHEMES / "england-social-services-2002" / "scheme.textproto"


def name_of(code):
    return code.replace(".", "_")


class Rule:
    """Four judgements and some indicators; caps on judgements; a table with vetoes."""

    def __init__(self, scheme):
        self.levels = {scale.id: list(scale.level) for scale in scheme.scale}
        self.scale_of = {i.code: i.scale for i in scheme.input if i.HasField("scale")}
        self.indicators = [name_of(i.code) for i in scheme.input if i.HasField("ratio")]
        assert len(scheme.matrix) == 1 and not scheme.sum and not scheme.band
        matrix = scheme.matrix[0]
        self.scale_of[matrix.output] = matrix.to
        read = getattr(matrix, "from")  # A word of Python's.
        self.judgements = [name_of(code) for code in read]
        self.cells = [None] * 4 ** len(self.judgements)
        for row in matrix.row:
            cell = 0
            for code, level in zip(read, row.when):
                cell = 4 * cell + self.level(code, level)
            self.cells[cell] = self.level(matrix.output, row.then)
        assert None not in self.cells
        self.caps = [self.limit(cap, self.level(cap.target, cap.limit)) for cap in scheme.cap]
        # So that it is no matter whether vetoes look at a judgement before its caps.
        assert all(cap["level"] > 0 for cap in self.caps)
        self.vetoes = [self.limit(veto, 0) for veto in scheme.veto]
        assert all(veto["target"] == matrix.output for veto in self.vetoes)

    def level(self, code, name):
        return self.levels[self.scale_of[code]].index(name)

    def limit(self, limit, level):
        return {"target": name_of(limit.target), "level": level,
                "any": [self.condition(condition) for condition in limit.any]}

    def condition(self, condition):
        test = condition.WhichOneof("test")
        found = {"value": name_of(condition.value), "test": test}
        if test == "level_at_most":
            return {**found, "level": self.level(condition.value, condition.level_at_most)}
        assert test in ("above", "below")
        fraction = getattr(condition, test).fraction
        return {**found, "numerator": fraction.numerator, "denominator": fraction.denominator}

    def capped(self):
        """The judgements that have caps, with the level and all its conditions."""
        caps = {}
        for cap in self.caps:
            level, conditions = caps.setdefault(cap["target"], (cap["level"], []))
            assert level == cap["level"]
            conditions.extend(cap["any"])
        return caps

    def rows(self):
        """The table, vetoes first: what each judgement must be, None for any; the stars."""
        for veto in self.vetoes:
            for condition in veto["any"]:
                assert condition["level"] == 0
                yield [0 if j == condition["value"] else None for j in self.judgements], 0
        for cell, stars in enumerate(self.cells):
            yield [cell // 4 ** (3 - i) % 4 for i in range(4)], stars


def main():
    from google.protobuf import text_format
    from starratings.scheme.v1 import scheme_pb2
    rule = Rule(text_format.Parse(SCHEME.read_text(encoding="utf-8"), scheme_pb2.Scheme()))
    out = pathlib.Path(sys.argv[1])
    (out / "cerbos").mkdir(parents=True, exist_ok=True)
    failed, cell = formats.cel(rule)
    for name, text in {
            "rule.json": {"cells": rule.cells, "judgements": rule.judgements,
                          "indicators": rule.indicators, "caps": rule.caps,
                          "vetoes": rule.vetoes},
            "stars.cel": f"{failed} ? 0 : table[{cell}]",
            "stars.rego": formats.rego(rule),
            "stars.dmn": formats.dmn(rule),
            "zen.json": formats.zen(rule),
            "json-rules.json": formats.json_rules(rule),
            "cerbos/england.json": formats.cerbos(rule)}.items():
        text = text if isinstance(text, str) else json.dumps(text, indent=1)
        (out / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
