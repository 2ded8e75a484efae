"""Every object is of the type that Kubernetes says; and what is planted in it is found.

The mistakes are not a few that somebody thought of: of each kind of object, every field is once
misspelt, and every value once of the wrong type.
"""

import copy
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import manifests

# Below these, keys are anybody's: nothing can be misspelt.
FREE = {"labels", "annotations", "matchLabels", "data", "limits", "requests"}
# Values that one of Kubernetes' own types has a list for, and what is none of them.
ENUMS = {"protocol": "Tcp", "restartPolicy": "Allways", "whenUnsatisfiable": "ScheduleAnyways",
         "completionMode": "Index", "type": "RuntimeDefaults",
         "unhealthyPodEvictionPolicy": "AllwaysAllow", "algorithm": "ECDSSA",
         "rotationPolicy": "Allways"}


def places(value, path=()):
    """Each place in an object: (path, value)."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield path + (key,), below
            # Of the selectors, a Service's is plain labels.
            if key not in FREE and (key != "selector" or not all(map(is_label, below.items()))):
                yield from places(below, path + (key,))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from places(below, path + (index,))


def is_label(item):
    return isinstance(item[1], str)


def planted(thing, path, change):
    """A copy of `thing` in which change(container, key) was done at `path`."""
    new = copy.deepcopy(thing)
    below = new
    for key in path[:-1]:
        below = below[key]
    change(below, path[-1])
    return new


def misspell(below, key):
    below[key[:-1] if len(key) > 4 else key + "s"] = below.pop(key)


def wrong_type(below, key):
    """What is a number or a word becomes an object; the rest a word."""
    below[key] = "yes" if isinstance(below[key], (dict, list, bool)) else {"value": below[key]}


def mistakes(thing):
    """(what, mutant) for every field of an object."""
    for path, value in places(thing):
        if path in (("apiVersion",), ("kind",)) or not isinstance(path[-1], str):
            continue
        name = ".".join(map(str, path))
        yield f"misspelt {name}", planted(thing, path, misspell)
        yield f"wrong type at {name}", planted(thing, path, wrong_type)
        if isinstance(value, int) and not isinstance(value, bool) and path[-1] not in (
                "maxSurge", "maxUnavailable", "port"):  # These may be words as well.
            yield f"a word at {name}", planted(
                thing, path, lambda below, key: below.update({key: str(below[key])}))
        if path[-1] in ENUMS and isinstance(value, str):
            yield f"no such value at {name}", planted(
                thing, path, lambda below, key: below.update({key: ENUMS[key]}))


def faults(documents):
    """The faults of each (label, object), by label."""
    with tempfile.TemporaryDirectory(dir=manifests.TOOLS) as directory:
        program = shutil.copy(manifests.ROOT / "tests" / "deploy" / "types.mjs", directory)
        path = pathlib.Path(directory) / "documents.json"
        path.write_text(json.dumps([{"label": label, "object": o} for label, o in documents]))
        done = subprocess.run(["node", program, path], capture_output=True, text=True,
                              check=False, timeout=600)
        if done.returncode:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)


def label_of(rendering, thing):
    return f"{rendering}: {thing['kind']} {thing['metadata']['name']}"


class TypesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.documents = [(label_of(name, o), o) for name in manifests.RENDERINGS
                         for o in manifests.render(name)]

    def test_every_object_is_of_its_type(self):
        found = faults(self.documents)
        self.assertGreater(len(found), 40)
        self.assertEqual({label: told for label, told in found.items() if told}, {})

    def test_every_planted_mistake_is_found(self):
        kinds = {}
        for label, thing in self.documents:  # Of each kind the one with most to say.
            if len(json.dumps(thing)) > len(json.dumps(kinds.get(thing["kind"], ("", {}))[1])):
                kinds[thing["kind"]] = (label, thing)
        mutants = [(f"{label}: {what}", mutant) for label, thing in kinds.values()
                   for what, mutant in mistakes(thing)]
        self.assertGreater(len(mutants), 500)
        for kind in kinds:
            self.assertGreater(sum(m["kind"] == kind for _, m in mutants), 3, kind)
        missed = [label for label, told in faults(mutants).items() if not told]
        self.assertEqual(missed, [])

    def test_what_is_no_kind_of_kubernetes_is_found(self):
        thing = {"apiVersion": "apps/v1", "kind": "Deploymint", "metadata": {"name": "x"}}
        self.assertIn("no type", faults([("x", thing)])["x"][0])


if __name__ == "__main__":
    manifests.require_tools()
    unittest.main()
