"""The kustomize base renders, and its parts fit each other and the binaries."""

import copy
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("STARRATINGS_BUILD", ROOT / "build" / "release"))


def kubectl():
    own = ROOT / "build" / "tools" / "bin" / "kubectl"
    found = str(own) if own.exists() else shutil.which("kubectl")
    if found is None and os.environ.get("CI") == "true":
        raise AssertionError("kubectl is needed; ./check installs it")
    return found


def render():
    """The objects of the base. kubectl prints YAML; Debian's PyYAML reads it."""
    import yaml
    text = subprocess.run([kubectl(), "kustomize", str(ROOT / "deploy" / "base")],
                          capture_output=True, text=True, check=True, timeout=60).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def flags_of(program, *command):
    """The flags in the help of a program, or of one of its commands."""
    text = subprocess.run([str(BUILD / program / program), *command, "--help"],
                          capture_output=True, text=True, check=False, timeout=60).stdout
    return set(re.findall(r"^  (--[a-z_-]+)", text, re.MULTILINE))


def faults_of_init(name, container):
    """What does not fit in a container that runs once, before the service."""
    program = pathlib.PurePosixPath(container["command"][0]).name
    command = list(itertools.takewhile(lambda a: not a.startswith("-"), container["args"]))
    used = {a.split("=")[0] for a in container["args"] if a.startswith("--")}
    return [f"{name}: {program} {' '.join(command)} has no flag {flag}"
            for flag in used - flags_of(program, *command)]


def faults(objects):
    """What does not fit."""
    found = []
    services = {o["metadata"]["name"]: o for o in objects if o["kind"] == "Service"}
    workloads = {o["metadata"]["name"]: o for o in objects
                 if o["kind"] in ("StatefulSet", "Deployment")}
    for name, workload in workloads.items():
        spec = workload["spec"]["template"]["spec"]
        labels = workload["spec"]["template"]["metadata"]["labels"]
        for selector in (workload["spec"]["selector"]["matchLabels"],
                         services[name]["spec"]["selector"]):
            if any(labels.get(key) != value for key, value in selector.items()):
                found.append(f"{name}: a selector does not choose its pods")
        if spec.get("automountServiceAccountToken") is not False:
            found.append(f"{name}: mounts a service account's token")
        if not spec["securityContext"].get("runAsNonRoot"):
            found.append(f"{name}: may run as root")
        if spec["securityContext"].get("seccompProfile") != {"type": "RuntimeDefault"}:
            found.append(f"{name}: is not held by seccomp")
        volumes = {v["name"] for v in spec["volumes"]} | {
            v["metadata"]["name"] for v in workload["spec"].get("volumeClaimTemplates", [])}
        for container in spec["containers"] + spec.get("initContainers", []):
            context = container["securityContext"]
            if (context.get("readOnlyRootFilesystem") is not True
                    or context.get("allowPrivilegeEscalation") is not False
                    or context["capabilities"].get("drop") != ["ALL"]):
                found.append(f"{name}: {container['name']} is not locked down")
            for mount in container["volumeMounts"]:
                if mount["name"] not in volumes:
                    found.append(f"{name}: there is no volume {mount['name']}")
        for container in spec.get("initContainers", []):
            found += faults_of_init(name, container)
        container = spec["containers"][0]
        database = re.search(r"sqlite:(/[^\"]*)/", json.dumps(container["args"]))
        if database and database[1] not in [m["mountPath"] for m in container["volumeMounts"]]:
            found.append(f"{name}: {database[1]} is not on a volume")
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}
        for port in services[name]["spec"]["ports"]:
            if port["targetPort"] not in ports:
                found.append(f"{name}: there is no port {port['targetPort']}")
        arguments = dict(a.split("=", 1) for a in container["args"])
        for flag, port in (("--listen", "grpc"), ("--health_listen", "health"),
                           ("--metrics_listen", "metrics")):
            if not arguments.get(flag, "").endswith(f":{ports.get(port)}"):
                found.append(f"{name}: {flag} is not the port {port}")
        for flag in arguments.keys() - flags_of(name):
            found.append(f"{name}: there is no flag {flag}")
        for probe, health in (("startupProbe", "liveness"), ("livenessProbe", "liveness"),
                              ("readinessProbe", "readiness")):
            if container[probe]["grpc"] != {"port": ports["health"], "service": health}:
                found.append(f"{name}: {probe} does not ask {health} on the health port")
        down = sum(int(arguments[f].rstrip("s")) for f in ("--linger", "--drain"))
        if spec["terminationGracePeriodSeconds"] <= down:
            found.append(f"{name}: would be killed before it is done")
    return found


def faults_of_images(objects, dockerfiles):
    """What the manifests expect of an image that its Dockerfile does not put there."""
    found = []
    for workload in objects:
        if workload["kind"] not in ("StatefulSet", "Deployment"):
            continue
        spec = workload["spec"]["template"]["spec"]
        for container in spec["containers"] + spec.get("initContainers", []):
            name, image = container["name"], dockerfiles[container["image"]]
            if f"USER {spec['securityContext']['runAsUser']}:" not in image:
                found.append(f"{name}: the image runs as another user")
            arguments = " ".join(container["args"])
            for path in container.get("command", []) + re.findall(r"=(/usr/\S+)", arguments):
                if not re.search(rf"^COPY .* {re.escape(path)}$", image, re.MULTILINE):
                    found.append(f"{name}: the image has no {path}")
    return found


def dockerfiles():
    return {path.name.removesuffix(".Dockerfile"): path.read_text(encoding="utf-8")
            for path in (ROOT / "deploy" / "docker").glob("*.Dockerfile")}


class DeployTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = render()

    def test_the_base_fits_together(self):
        self.assertEqual({(o["kind"], o["metadata"]["name"]) for o in self.objects},
                         {("StatefulSet", "assessment-svc"), ("Service", "assessment-svc"),
                          ("Deployment", "rating-svc"), ("Service", "rating-svc")})
        self.assertEqual(faults(self.objects), [])
        self.assertEqual(faults_of_images(self.objects, dockerfiles()), [])

    def test_planted_mistakes_are_found(self):
        for old, new in (('"--health_listen=0.0.0.0:8081"', '"--health_listen=0.0.0.0:8082"'),
                         ("--schemes=", "--scheme="), ('"--store"', '"--stored"'),
                         ("sqlite:/var/lib/starratings/", "sqlite:/var/lib/elsewhere/"),
                         ('"readiness"', '"ready"'),
                         ('"readOnlyRootFilesystem": true', '"readOnlyRootFilesystem": false'),
                         ('"targetPort": "grpc"', '"targetPort": "http"'),
                         ('"terminationGracePeriodSeconds": 45',
                          '"terminationGracePeriodSeconds": 30')):
            text = json.dumps(copy.deepcopy(self.objects))
            self.assertIn(old, text)
            self.assertNotEqual(faults(json.loads(text.replace(old, new))), [], new)
        for old, new in (("USER 65532", "USER 0"), (" /usr/share/starratings/schemes", " /schemes"),
                         (" /usr/bin/starctl\n", " /usr/local/bin/starctl\n")):
            planted = {name: text.replace(old, new) for name, text in dockerfiles().items()}
            self.assertNotEqual(planted, dockerfiles(), old)
            self.assertNotEqual(faults_of_images(self.objects, planted), [], new)


if __name__ == "__main__":
    if kubectl() is None:
        print("kubectl is not there: skipped")
        sys.exit(77)
    unittest.main()
