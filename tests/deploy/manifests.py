"""The manifests as kustomize renders them, and what the checks ask of them."""

import dataclasses
import functools
import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))
TOOLS = ROOT / "build" / "deploy"
DEPLOY = ROOT / "deploy"

# What is applied, and on top of what: a Job in the namespace of an overlay uses what that has.
RENDERINGS = {"base": None, "overlays/local": None, "overlays/production": None,
              "jobs/bulk-rating": "overlays/production"}
WORKLOADS = ("Deployment", "StatefulSet", "Job")


def require_tools():
    """Installs kubectl and the types; ends as skipped where they cannot be had."""
    done = subprocess.run([ROOT / "tests" / "deploy" / "tools.sh"], check=False)
    if done.returncode:
        sys.exit(done.returncode)


@functools.cache
def render(folder):
    text = subprocess.run([TOOLS / "bin" / "kubectl", "kustomize", DEPLOY / folder],
                          capture_output=True, text=True, check=True, timeout=60).stdout
    return [document for document in yaml.safe_load_all(text) if document]


@dataclasses.dataclass
class Manifests:
    """One rendering. Checks look for faults in `objects`, and may find what these refer to in
    `around`, which was applied before and is checked by itself."""
    name: str
    objects: list
    around: list
    given: dict  # ("Secret" or "ConfigMap", name) -> its keys.

    def kind(self, *kinds):
        return [o for o in self.objects if o["kind"] in kinds]

    def everything(self, *kinds):
        return [o for o in self.objects + self.around if o["kind"] in kinds]

    def pods(self):
        return [Pod(o) for o in self.kind(*WORKLOADS)]

    def all_pods(self):
        return [Pod(o) for o in self.everything(*WORKLOADS)]

    def keys(self, kind, name):
        """The keys of a Secret or ConfigMap, made here or given; None if it is neither."""
        for o in self.everything(kind):
            if o["metadata"]["name"] == name:
                return set(o.get("data", {}))
        return self.given.get((kind, name))


class Pod:
    """The pods of a workload."""

    def __init__(self, workload):
        self.workload = workload
        self.name = workload["metadata"]["name"]
        self.labels = workload["spec"]["template"]["metadata"]["labels"]
        self.spec = workload["spec"]["template"]["spec"]

    def containers(self):
        return self.spec.get("initContainers", []) + self.spec["containers"]

    def ports(self):
        """Numbers of the ports by name."""
        return {p["name"]: p["containerPort"] for c in self.containers()
                for p in c.get("ports", [])}

    def volumes(self):
        """Volumes by name; those that a StatefulSet claims, too."""
        claims = self.workload["spec"].get("volumeClaimTemplates", [])
        return {**{v["name"]: v for v in self.spec.get("volumes", [])},
                **{c["metadata"]["name"]: {"claim": c} for c in claims}}


def given(deploy=DEPLOY):
    """What whoever installs makes: `# Given: KIND/NAME (KEY, KEY): why` in a kustomization."""
    found = {}
    for path in sorted(deploy.rglob("kustomization.yaml")):
        for kind, name, keys in re.findall(r"^# Given: (Secret|ConfigMap)/(\S+) \(([^)]+)\):",
                                           path.read_text(encoding="utf-8"), re.MULTILINE):
            found[kind, name] = set(keys.split(", "))
    return found


def load(name):
    around = RENDERINGS[name]
    # Secrets are made by whoever installs; ConfigMaps by what stands on the base.
    from_outside = {k: v for k, v in given().items() if k[0] == "Secret" or name == "base"}
    return Manifests(name, render(name), render(around) if around else [], from_outside)


def dockerfiles():
    return {path.name.removesuffix(".Dockerfile"): path.read_text(encoding="utf-8")
            for path in (DEPLOY / "docker").glob("*.Dockerfile")}


def image_name(image):
    """registry/path/NAME:tag -> NAME."""
    return image.rsplit("/", 1)[-1].split(":")[0]


def program(container):
    """What a container runs: its command, or the entry point of its image."""
    if "command" in container:
        return pathlib.PurePosixPath(container["command"][0]).name
    entry = re.search(r'^ENTRYPOINT \["(.*)"\]', dockerfiles()[image_name(container["image"])],
                      re.MULTILINE)
    return pathlib.PurePosixPath(entry[1]).name


@functools.cache
def flags_of(name, *command):
    """The flags in the help of a program, or of one of its commands."""
    text = subprocess.run([str(BUILD / name / name), *command, "--help"],
                          capture_output=True, text=True, check=False, timeout=60).stdout
    return set(re.findall(r"^  (?:-\w,)?(--[a-z_-]+)", text, re.MULTILINE))


def matches(selector, labels):
    """Whether a label selector chooses what has these labels."""
    if any(labels.get(k) != v for k, v in selector.get("matchLabels", {}).items()):
        return False
    for e in selector.get("matchExpressions", []):
        if e["operator"] != "In":
            raise NotImplementedError(e["operator"])
        if labels.get(e["key"]) not in e["values"]:
            return False
    return True


@functools.cache
def packages_of(name):
    """The Debian packages of the libraries that a program is linked to, but for the compiler's
    own, which come with any of them."""
    told = subprocess.run(["readelf", "--dynamic", BUILD / name / name], capture_output=True,
                          text=True, check=True, timeout=60).stdout
    libraries = [f"*-linux-gnu/{name}" for name in re.findall(r"\(NEEDED\).*\[(.*)\]", told)]
    owners = subprocess.run(["dpkg-query", "--search", *libraries], capture_output=True,
                            text=True, check=True, timeout=60).stdout
    found = {line.split(":")[0] for line in owners.splitlines()}
    return found - {"libc6", "libgcc-s1", "libstdc++6"}
