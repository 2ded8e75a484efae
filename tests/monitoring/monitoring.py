"""What the tests of deploy/components/monitoring share: the rules and the
dashboard as they are there, and the tools that know what is right."""

import json
import os
import pathlib
import re
import sys

SOURCE = pathlib.Path(os.environ.get("STARRATINGS_SOURCE", pathlib.Path(__file__).parents[2]))
COMPONENT = SOURCE / "deploy" / "components" / "monitoring"
DASHBOARD = COMPONENT / "dashboards" / "starratings.json"
sys.path.insert(0, str(SOURCE / "tests" / "e2e"))

import harness  # Found once its folder is on the path.


def run(*command, **options):
    """Runs a command to its end; what it printed, and how it ended."""
    return harness.run(command, **options)


def groups():
    """The groups of every PrometheusRule: the one place where rules are kept."""
    import yaml
    found = []
    for path in sorted((COMPONENT / "rules").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if document["kind"] != "PrometheusRule":
                raise AssertionError(f"{path} has a {document['kind']}")
            found += document["spec"]["groups"]
    return found


def rules(kind):
    """The rules of a kind: `alert` or `record`."""
    return [rule for group in groups() for rule in group["rules"] if kind in rule]


def write_rules(path, of=None):
    """A plain rule file, as promtool and Prometheus read it."""
    import yaml
    path.write_text(yaml.safe_dump({"groups": groups() if of is None else of}), encoding="utf-8")
    return path


def panels():
    """Every panel of the dashboard but the rows."""
    return [panel for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
            if panel["type"] != "row"]


def panel_expressions():
    """Title and expression of every query, the variables set as Grafana would."""
    return [(panel["title"], target["expr"].replace("$namespace", ".*")
             .replace("$__rate_interval", "1m"))
            for panel in panels() for target in panel["targets"]]


COMPARISON = re.compile(r"\s*(?:==|!=|>=|<=|>|<)\s*(?:bool\b)?")
CONNECTIVE = re.compile(r"\s+(?:and|or|unless)\s+(?:(?:on|ignoring)\s*\([^)]*\)\s*)?")


def sides(expression):
    """What an alert's expression compares: it is silent when all is well, these are not.
    Splits at the connectives and comparisons that are in no brackets or quotes."""
    found, begun, depth, at = [], 0, 0, 0
    while at < len(expression):
        character = expression[at]
        if character in "\"'`":
            at = expression.index(character, at + 1) + 1
            continue
        depth += (character in "([{") - (character in ")]}")
        cut = depth == 0 and (CONNECTIVE.match(expression, at) or COMPARISON.match(expression, at))
        if cut:
            found.append(expression[begun:at])
            at = begun = cut.end()
            continue
        at += 1
    found.append(expression[begun:])
    # absent(X) is of use only if there can be an X.
    stripped = (re.sub(r"^absent\((.*)\)$", r"\1", side.strip(), flags=re.DOTALL) for side in found)
    return [side for side in stripped if side]
