"""The evaluator beside other engines that are given the same rule and the same cases.

Each must agree on the stars of every case before it is timed. All but Cerbos have one
core, and count the seconds of it that they use; Cerbos is asked over gRPC as
rating-svc is.
"""

import json
import os
import subprocess
import sys

import harness
from peers import cerbos, install
from rows import missing, row

ROOT = harness.SOURCE / "build" / "peers"
RULES = ROOT / "rules"
PATIENCE_S = 600
CORE = {max(os.sched_getaffinity(0))}

# How each is run, and what must be installed for it; ours should be so many times as fast.
NODE = ["node", ROOT / "npm" / "engines.mjs", RULES]
GO = [ROOT / "go" / "peers", RULES]
JAVA = ["java", "-cp", f"{ROOT}/java/classes:{ROOT}/java/lib/*", "Peers", RULES]
PYTHON = [ROOT / "python" / "bin" / "python", install.HERE / "vectorised.py", RULES]
PEERS = [("GoRules ZEN", install.npm, NODE, 100), ("json-rules-engine", install.npm, NODE, 100),
         ("CEL in JavaScript", install.npm, NODE, 100), ("cel-go", install.go, GO, 100),
         ("OPA", install.go, GO, 100), ("KIE DMN", install.maven, JAVA, 100),
         ("NumPy", install.pip, PYTHON, 1.2), ("OpenFisca", install.pip, PYTHON, 1.2)]


def on_one_core(command):
    """The last line that a program prints, and why there is none."""
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                                timeout=PATIENCE_S, env={**os.environ, **quiet},
                                preexec_fn=lambda: os.sched_setaffinity(0, CORE))
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if result.returncode != 0:
        return None, (result.stderr.strip().splitlines() or ["no word"])[-1][:120]
    return result.stdout.splitlines(), None


def ours():
    """Decisions a second of the evaluator, now."""
    lines, why = on_one_core([harness.BUILD / "tests" / "bench" / "bench_records"])
    assert lines, why
    return json.loads(lines[0])["value"]


def beside(peer, command, goal):
    name = f"evaluator beside {peer}"
    lines, why = on_one_core([*command, peer])
    if why:
        return missing(name, f"does not run: {why}")
    found = json.loads(lines[-1])
    if found["agreed"] != found["cases"]:
        return missing(name, f"agrees on {found['agreed']} of {found['cases']} only")
    return row(name, ours(), "decisions/s", found["decisions_per_second"], peer, goal)


def beside_cerbos():
    binary = ROOT / "npm" / "node_modules" / "@cerbos" / "cerbos-linux-x64" / "cerbos-linux-x64"
    found = cerbos.compare(binary, RULES)
    if found is None:
        yield missing("a round of 150 beside Cerbos", "does not agree on the stars")
        return
    for trace, goal in (("PACKED", 50), ("FULL", 10)):
        yield row(f"a round of 150, {trace.lower()} traces", found[trace], "decisions/s",
                  found["Cerbos"], "a batch of 150 to Cerbos", goal)


def run():
    RULES.mkdir(parents=True, exist_ok=True)
    harness.run([sys.executable, install.HERE / "rules.py", RULES])
    cases = harness.run([harness.BUILD / "tests" / "bench" / "bench_cases"]).stdout
    (RULES / "cases.json").write_text(cases, encoding="utf-8")
    failed = {}
    for way in dict.fromkeys(way for _, way, _, _ in PEERS):
        failed[way] = way(ROOT)
    for peer, way, command, goal in PEERS:
        if failed[way]:
            yield missing(f"evaluator beside {peer}", f"not installed: {failed[way]}")
        else:
            yield beside(peer, command, goal)
    if failed[install.npm]:
        yield missing("a round of 150 beside Cerbos", f"not installed: {failed[install.npm]}")
    else:
        yield from beside_cerbos()
