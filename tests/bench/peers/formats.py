"""The rule of England's scheme of 2002 as each peer wants it: see rules.py."""

import json
from xml.sax.saxutils import escape

SIGN = {"above": ">", "below": "<", "level_at_most": "<="}


def share(condition):
    return repr(condition["numerator"] / condition["denominator"])


def breach(condition, both="&&", prefix=""):
    value = prefix + condition["value"]
    return f"({value} != null {both} {value} {SIGN[condition['test']]} {share(condition)})"


def cel(rule, prefix="", number="{}"):
    """Whether a judgement is a failure, and else the cell of the table."""
    def cap(judgement):
        if judgement not in rule.capped():
            return prefix + judgement
        level, conditions = rule.capped()[judgement]
        breaches = " || ".join(breach(c, prefix=prefix) for c in conditions)
        value, most = prefix + judgement, number.format(level)
        return f"({value} > {most} && ({breaches}) ? {most} : {value})"

    failed = " || ".join(f"{prefix}{c['value']} <= {number.format(c['level'])}"
                         for veto in rule.vetoes for c in veto["any"])
    weights = [number.format(4 ** (3 - i)) for i in range(4)]
    cell = " + ".join(f"{weight} * {cap(j)}" for weight, j in zip(weights, rule.judgements))
    return failed, cell


def rego(rule):
    lines = ["package england", "", f"table := {json.dumps(rule.cells)}", ""]
    for judgement in rule.judgements:
        level, conditions = rule.capped().get(judgement, (None, []))
        for c in conditions:
            value = f"input.{c['value']}"  # Null is less than any number.
            lines.append(f"{judgement}_capped if {{ {value} != null; "
                         f"{value} {SIGN[c['test']]} {share(c)} }}")
        if conditions:
            lines.append(f"{judgement} := {level} if {{ input.{judgement} > {level}; "
                         f"{judgement}_capped }} else := input.{judgement}")
        else:
            lines.append(f"{judgement} := input.{judgement}")
    for veto in rule.vetoes:
        lines += [f"failed if {c['value']} <= {c['level']}" for c in veto["any"]]
    cell = " + ".join(f"({4 ** (3 - i)} * {j})" for i, j in enumerate(rule.judgements))
    return "\n".join([*lines, f"stars := 0 if failed else := table[{cell}]", ""])


def zen(rule):
    """A graph: an expression for what is capped, then a table of the first row that fits."""
    caps = [{"id": judgement, "key": judgement,
             "value": f"{judgement} > {level} and ("
                      + " or ".join(breach(c, "and") for c in conditions)
                      + f") ? {level} : {judgement}"}
            for judgement, (level, conditions) in rule.capped().items()]
    rows = [{"_id": f"r{i}", **{j: "" if w is None else str(w) for j, w in zip(
        rule.judgements, when)}, "out": str(stars)} for i, (when, stars) in enumerate(rule.rows())]
    table = {"hitPolicy": "first", "rules": rows,
             "inputs": [{"id": j, "name": j, "field": j} for j in rule.judgements],
             "outputs": [{"id": "out", "name": "stars", "field": "stars"}]}
    nodes = [("input", "inputNode", {}),
             ("caps", "expressionNode", {"expressions": caps, "passThrough": True}),
             ("table", "decisionTableNode", table), ("output", "outputNode", {})]
    return {"nodes": [{"id": id_, "name": id_, "type": type_, "content": content,
                       "position": {"x": 0, "y": 0}} for id_, type_, content in nodes],
            "edges": [{"id": f"e{i}", "type": "edge", "sourceId": a, "targetId": b}
                      for i, (a, b) in enumerate([("input", "caps"), ("caps", "table"),
                                                  ("table", "output")])]}


def json_rules(rule):
    """Rules of three priorities: caps, vetoes, one for each cell."""
    operators = {"above": "greaterThan", "below": "lessThan", "level_at_most": "lessThanInclusive"}

    def condition(c):
        value = c["level"] if "level" in c else c["numerator"] / c["denominator"]
        fact = f"{c['value']}_capped" if "level" in c else c["value"]
        return {"fact": fact, "operator": operators[c["test"]], "value": value}

    rules = [{"priority": 3 if limit in rule.caps else 2,
              "conditions": {"any": [condition(c) for c in limit["any"]]},
              "event": {"type": "cap" if limit in rule.caps else "stars",
                        "params": {"target": limit["target"], "level": limit["level"]}}}
             for limit in rule.caps + rule.vetoes]
    for when, stars in list(rule.rows())[-len(rule.cells):]:
        rules.append({"priority": 1, "event": {"type": "stars", "params": {"level": stars}},
                      "conditions": {"all": [{"fact": f"{j}_capped", "operator": "equal",
                                              "value": level}
                                             for j, level in zip(rule.judgements, when)]}})
    return rules


def dmn(rule):
    """Decisions: one for each judgement that is capped, and a table of the first row that fits."""
    def decision(name, requires, logic):
        needs = "".join(
            f'<informationRequirement><required{kind} href="#{of}"/></informationRequirement>'
            for kind, of in requires)
        return (f'<decision id="{name}" name="{name}"><variable name="{name}" typeRef="number"/>'
                f"{needs}{logic}</decision>")

    def text(tag, feel):
        return f"<{tag}><text>{escape(feel)}</text></{tag}>"

    parts = [f'<inputData id="{name}" name="{name}"><variable name="{name}" typeRef="number"/>'
             "</inputData>" for name in rule.judgements + rule.indicators]
    capped = {j: j for j in rule.judgements}
    for judgement, (level, conditions) in rule.capped().items():
        capped[judgement] = f"{judgement}_capped"
        reads = [judgement, *(c["value"] for c in conditions)]
        feel = (f"if {judgement} > {level} and ("
                + " or ".join(breach(c, "and") for c in conditions)
                + f") then {level} else {judgement}")
        parts.append(decision(capped[judgement], [("Input", name) for name in reads],
                              text("literalExpression", feel)))
    columns = "".join('<input><inputExpression typeRef="number">'
                      f"<text>{name}</text></inputExpression></input>"
                      for name in capped.values())
    rows = "".join("<rule>" + "".join(text("inputEntry", "-" if w is None else str(w))
                                      for w in when) + text("outputEntry", str(stars)) + "</rule>"
                   for when, stars in rule.rows())
    parts.append(decision(
        "stars", [("Input" if name == j else "Decision", name) for j, name in capped.items()],
        f'<decisionTable hitPolicy="FIRST">{columns}<output/>{rows}</decisionTable>'))
    return ('<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="england" '
            'name="england" namespace="england">' + "\n".join(parts) + "</definitions>\n")


def cerbos(rule):
    """A policy that lets everybody ask, and answers with the stars as its output."""
    failed, cell = cel(rule, "R.attr.", "{}.0")
    return {"apiVersion": "api.cerbos.dev/v1", "resourcePolicy": {
        "resource": "council", "version": "default",
        "constants": {"local": {"table": rule.cells}},
        "rules": [{"actions": ["rate"], "effect": "EFFECT_ALLOW", "roles": ["*"], "output": {
            "when": {"ruleActivated": f"{failed} ? 0 : C.table[int({cell})]"}}}]}}
