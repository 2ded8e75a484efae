"""The rule over columns of a million dossiers: vectorised.py RULES PEER

RULES has what rules.py wrote, and cases.json. Of an indicator the columns are what
the evaluator's records hold, a numerator and a denominator, 0 of 0 where it was not
reported. Prints one object of JSON.
"""

import json
import pathlib
import statistics
import sys
import time

import numpy as np

DOSSIERS = 1_000_000
BLOCK = 16_384  # Columns of so many rows stay in a core's cache.
TURNS = 7

RULES = pathlib.Path(sys.argv[1])
RULE = json.loads((RULES / "rule.json").read_text())
JUDGEMENTS, INDICATORS = RULE["judgements"], RULE["indicators"]


def columns():
    """Of each judgement and each part of an indicator; and the stars expected."""
    cases = json.loads((RULES / "cases.json").read_text())
    picked = np.random.default_rng(20020530).integers(len(cases), size=DOSSIERS)

    def column(values, kind):
        return np.array(values, dtype=kind)[picked]

    found = {name: column([one[name] for one in cases], np.uint8) for name in JUDGEMENTS}
    for name in INDICATORS:
        for part in (0, 1):
            found[name, part] = column([(one[name] or (0, 0))[part] for one in cases], np.int32)
    return found, column([one["stars"] for one in cases], np.uint8)


def table():
    """The stars of every cell, vetoes worked in."""
    stars = np.array(RULE["cells"], dtype=np.uint8)
    cell = np.arange(256)
    for veto in RULE["vetoes"]:
        for condition in veto["any"]:
            level = cell >> 6 - 2 * JUDGEMENTS.index(condition["value"]) & 3
            stars[level <= condition["level"]] = 0
    return stars


def breached(condition, numerator, denominator):
    left = numerator * np.int32(condition["denominator"])
    right = denominator * np.int32(condition["numerator"])
    return left > right if condition["test"] == "above" else left < right


def capped(judgement, level, ratio):
    """`ratio` gives the two columns of an indicator."""
    breaches = [(cap["level"], breached(condition, *ratio(condition["value"])))
                for cap in RULE["caps"] if cap["target"] == judgement for condition in cap["any"]]
    for most in {most for most, _ in breaches}:
        any_breach = np.logical_or.reduce([b for other, b in breaches if other == most])
        # 3, or what the cap leaves: without a branch.
        level = np.minimum(level, np.uint8(3) - np.uint8(3 - most) * any_breach.view(np.uint8))
    return level


def cell_of(levels):
    adults, adults_prospects, children, children_prospects = levels
    return adults << 6 | adults_prospects << 4 | children << 2 | children_prospects


def numpy_peer(data):
    stars = np.empty(DOSSIERS, dtype=np.uint8)
    cells = table()

    def decide():
        for at in range(0, DOSSIERS, BLOCK):
            rows = slice(at, at + BLOCK)
            levels = [capped(j, data[j][rows], lambda name: (data[name, 0][rows],
                                                             data[name, 1][rows]))
                      for j in JUDGEMENTS]
            cells.take(cell_of(levels), out=stars[rows], mode="wrap")
        return stars
    return decide


def openfisca_peer(data):
    from openfisca_core import entities, periods, simulations, taxbenefitsystems, variables
    council = entities.Entity("council", "councils", "Council", "")
    period = periods.period("2002")
    cells = table()

    def variable(name, formula=None):
        fields = {"value_type": int, "entity": council, "definition_period": periods.DateUnit.YEAR}
        if formula is not None:
            fields["formula"] = formula
        return type(name, (variables.Variable,), fields)

    def cap(judgement):
        return lambda of, when: capped(
            judgement, of(judgement, when).astype(np.uint8),
            lambda name: (of(f"{name}_numerator", when), of(f"{name}_denominator", when)))

    def stars(of, when):
        return cells[cell_of([of(f"{j}_capped", when).astype(np.uint8) for j in JUDGEMENTS])]

    system = taxbenefitsystems.TaxBenefitSystem([council])
    inputs = {j: data[j] for j in JUDGEMENTS}
    for name in INDICATORS:
        for part, suffix in enumerate(("numerator", "denominator")):
            inputs[f"{name}_{suffix}"] = data[name, part]
    computed = {**{f"{j}_capped": cap(j) for j in JUDGEMENTS}, "stars": stars}
    for name in inputs:
        system.add_variable(variable(name))
    for name, formula in computed.items():
        system.add_variable(variable(name, formula))
    simulation = simulations.SimulationBuilder().build_default_simulation(system, DOSSIERS)
    for name, values in inputs.items():
        simulation.set_input(name, period, values)

    def decide():
        for name in computed:  # It would remember.
            simulation.delete_arrays(name, period)
        return simulation.calculate("stars", period)
    return decide


def main():
    peer = sys.argv[2]
    data, expected = columns()
    decide = {"NumPy": numpy_peer, "OpenFisca": openfisca_peer}[peer](data)
    agreed = int((decide() == expected).sum())
    rates = []
    for _ in range(TURNS if agreed == DOSSIERS else 0):
        begun = time.process_time()
        decide()
        rates.append(DOSSIERS / (time.process_time() - begun))
    print(json.dumps({"peer": peer, "agreed": agreed, "cases": DOSSIERS,
                      "decisions_per_second": statistics.median(rates) if rates else 0}))


if __name__ == "__main__":
    main()
