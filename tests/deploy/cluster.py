"""A real API server takes every manifest, and refuses what is planted in them; the controllers make
pods of them, and go on as if these ran. Started by cluster.sh: cluster.py DIRECTORY, which has the
programs and the CustomResourceDefinitions of what is no part of Kubernetes."""

import json
import pathlib
import signal
import sys
import time
import unittest

import yaml

import control_plane
import manifests
import types_test
from cluster_planted import (BULK, LOCAL, NAMESPACE, PLANTED, PLANTED_PODS, PRODUCTION, label,
                             named, plant, pod_of)
from control_plane import STRICT, Refused, wait_for
from played_node import PlayedNode

BUILT = pathlib.Path(sys.argv[1])
# As many clusters have one: who does not say what a pod needs gets none.
QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota",
         "metadata": {"name": "quota", "namespace": NAMESPACE},
         "spec": {"hard": {"requests.cpu": "100", "requests.memory": "100Gi",
                           "limits.memory": "100Gi"}}}


def lost(asked, kept, path=""):
    """What was asked for and is not kept so; the server may only add."""
    if isinstance(asked, dict) and isinstance(kept, dict):
        return [fault for key, value in asked.items()
                for fault in lost(value, kept.get(key), f"{path}.{key}")]
    if isinstance(asked, list) and isinstance(kept, list) and len(asked) == len(kept):
        return [fault for index, (a, k) in enumerate(zip(asked, kept))
                for fault in lost(a, k, f"{path}[{index}]")]
    return [] if asked == kept else [f"{path}: {asked!r} became {kept!r}"]


class ClusterTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.numbers = {}
        cls.plane = control_plane.ControlPlane(BUILT)
        cls.addClassCleanup(cls.plane.close)
        cls.addClassCleanup(lambda: print(f"memory at most, in MiB: {cls.plane.memory_mib()}"))
        version = cls.plane.get("/version")["gitVersion"]
        print(f"kube-apiserver {version} serves")
        cls.make_namespace(LOCAL)
        cls.define_kinds()

    @classmethod
    def make_namespace(cls, overlay):
        """Ours, as an overlay has it, with a quota that the controllers have counted."""
        cls.plane.kubectl("apply", "-f", "-",
                          given=json.dumps(named(overlay, f"Namespace/{NAMESPACE}")))
        wait_for("the namespace's account", lambda: cls.plane.get(
            f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"))
        cls.plane.create(QUOTA)
        wait_for("the quota", lambda: cls.plane.read(QUOTA)["status"].get("used"))

    @classmethod
    def define_kinds(cls):
        """Those of the kinds that are in use and no part of Kubernetes."""
        used = {(o["apiVersion"].split("/")[0], o["kind"]) for r in manifests.RENDERINGS
                for o in manifests.render(r)}
        defined = []
        for path in sorted((BUILT / "definitions").glob("*.yaml")):
            spec = (thing := yaml.safe_load(path.read_text(encoding="utf-8")))["spec"]
            if (spec["group"], spec["names"]["kind"]) in used:
                cls.plane.create(thing)
                defined.append(thing["metadata"]["name"])
        cls.plane.kubectl("wait", "--for=condition=Established", "--timeout=60s",
                          *(f"crd/{name}" for name in defined))
        print(f"defined: {', '.join(defined)}")

    def count(self, what, number):
        self.numbers[what] = self.numbers.get(what, 0) + number

    def objects(self):
        """Every object of deploy/, in a namespace."""
        for rendering in manifests.RENDERINGS:
            for thing in manifests.render(rendering):
                yield rendering, plant(thing, ("metadata", "namespace"),
                                       NAMESPACE) if thing["kind"] != "Namespace" else thing

    def assert_refused(self, thing, words):
        with self.assertRaises(Refused) as caught:
            self.plane.create(thing, **STRICT)
        self.assertIn(words, str(caught.exception))
        self.count("mistakes refused", 1)

    def apply(self, rendering, *options):
        """(what, outcome) of each object."""
        if rendering == "base":  # Whoever stands on it chooses the namespace.
            options = (f"--namespace={NAMESPACE}", *options)
        told = self.plane.kubectl("apply", "-k", manifests.DEPLOY / rendering,
                                  "--validate=strict", *options).splitlines()
        self.assertEqual(len(told), len(manifests.render(rendering)))
        return [line.split(" ", 1) for line in told]

    def test_1_every_manifest_is_accepted_in_dry_run(self):
        for rendering in manifests.RENDERINGS:
            told = self.apply(rendering, "--dry-run=server")
            for what, outcome in told:
                self.assertIn("(server dry run)", outcome, what)
            print(f"{rendering}: {len(told)} objects accepted in server-side dry run, strictly")
            self.count("objects accepted in dry run", len(told))

    def test_2_what_is_planted_is_refused(self):
        for rendering, which, path, value, words in PLANTED:
            thing = dict(self.around(rendering))[which]
            with self.subTest(object=which, path=path):
                self.plane.create(thing, **STRICT)
                self.assert_refused(plant(thing, path, value), words)
                print(f"{which}: {words}")

    def around(self, rendering):
        for name, thing in self.objects():
            if name == rendering:
                yield label(thing), thing

    def test_3_pods_that_may_do_too_much_are_refused(self):
        pod = pod_of(named(LOCAL, "Deployment/rating-svc"))
        self.plane.create(pod, **STRICT)
        for path, value, words in PLANTED_PODS:
            with self.subTest(path=path):
                self.assert_refused(plant(pod, ("spec",) + path, value), words)
                print(f"a pod: {words}")

    def test_4_whatever_is_misspelt_or_of_the_wrong_type_is_refused(self):
        kinds = {}
        for _, thing in self.objects():  # Of each kind the one with most to say.
            if len(json.dumps(thing)) > len(json.dumps(kinds.get(thing["kind"], {}))):
                kinds[thing["kind"]] = thing
        begun, missed, tried = time.monotonic(), [], 0
        for kind, thing in kinds.items():
            if kind != "Namespace":  # Which is there.
                self.plane.create(thing, **STRICT)
            for what, mutant in types_test.mistakes(thing):
                key, tried = what.split(".")[-1].split(" ")[-1], tried + 1
                # What a misspelt field is called; part of what others are. Of what is no part of
                # Kubernetes, `metadata` goes by the name of its type.
                part = key[:-1] if len(key) > 4 else key
                words = (part, "ObjectMeta") if key == "metadata" else (part,)
                try:
                    self.plane.send("POST", self.plane.place(thing), mutant, **STRICT)
                    missed.append(f"{kind}: {what}: accepted")
                except Refused as error:
                    if not any(word in str(error) for word in words):
                        missed.append(f"{kind}: {what}: {error}")
        if missed:
            self.fail("\n".join(missed))
        self.count("mistakes refused", tried)
        print(f"{tried} fields of {len(kinds)} kinds, misspelt or of the wrong type: refused, each "
              f"by its name, in {time.monotonic() - begun:.0f} s")

    def test_5_local_is_installed(self):
        self.install(LOCAL)
        claims = self.plane.list("v1", "PersistentVolumeClaim", NAMESPACE)
        self.assertEqual(len(claims), 1)
        print(f"{LOCAL}: the record's volume is claimed: {claims[0]['metadata']['name']}")
        self.plane.kubectl("delete", "namespace", NAMESPACE, "--timeout=120s")
        self.make_namespace(PRODUCTION)

    def test_6_production_is_installed(self):
        self.install(PRODUCTION)

    def test_7_ready_pods_are_found_and_evicted_one_by_one(self):
        loaded, node = manifests.load(PRODUCTION), PlayedNode(self.plane)
        ready = {p.name: p for p in loaded.pods() if p.workload["kind"] == "Deployment"}
        for workload in ready.values():
            for pod in self.pods_of(workload):
                node.run(pod)
        for service in loaded.kind("Service"):
            workload = next(p for p in ready.values() if manifests.matches(
                {"matchLabels": service["spec"]["selector"]}, p.labels))
            wanted = ({p["status"]["podIP"] for p in self.pods_of(workload)},
                      {p["name"]: workload.ports()[p["targetPort"]]
                       for p in service["spec"]["ports"]})
            name = service["metadata"]["name"]
            wait_for(f"the endpoints of {name}", lambda: self.endpoints(name) == wanted)
            print(f"{name}: leads to {len(wanted[0])} pods, at {wanted[1]}")
        for workload in ready.values():
            first, second, *_ = self.pods_of(workload)
            # The budget is brought up to date by a controller.
            wait_for("the first to be evicted", lambda: self.evicted(first))
            self.assertFalse(self.evicted(second), "evicted while the first ends")
            after = wait_for("another in its place", lambda: [
                p for p in self.pods_of(workload) if p["status"]["phase"] == "Pending"])
            node.end(first)
            self.assertFalse(self.evicted(second), "evicted before there is another")
            node.run(after[0])
            wait_for("the second to be evicted", lambda: self.evicted(second))
            print(f"{workload.name}: the second is evicted when another is there for the first")

    def endpoints(self, service):
        """Where a Service leads: addresses, and numbers of ports by name."""
        addresses, ports = set(), {}
        for o in self.plane.list("discovery.k8s.io/v1", "EndpointSlice", NAMESPACE):
            if o["metadata"]["labels"]["kubernetes.io/service-name"] == service:
                ports |= {p["name"]: p["port"] for p in o["ports"] or []}
                addresses |= {a for e in o["endpoints"] or [] if e["conditions"]["ready"]
                              for a in e["addresses"]}
        return addresses, ports

    def evicted(self, pod):
        """Whether a pod may be moved elsewhere, as draining its node asks to; if so, it is."""
        try:
            self.plane.send("POST", f"{self.plane.where(pod)}/eviction", {
                "apiVersion": "policy/v1", "kind": "Eviction",
                "metadata": {k: pod["metadata"][k] for k in ("name", "namespace")}})
        except Refused as error:
            self.assertIn("would violate the pod's disruption budget", str(error))
            return False
        return True

    def test_8_a_large_round_has_a_pod_for_every_shard(self):
        self.install(BULK)
        node, job = PlayedNode(self.plane), manifests.load(BULK).pods()[0]
        wanted, done = job.workload["spec"]["completions"], []

        def complete():
            for pod in self.pods_of(job):
                if pod["status"]["phase"] == "Pending":
                    node.run(pod, "Succeeded")
                    done.append(int(pod["metadata"]["annotations"][
                        "batch.kubernetes.io/job-completion-index"]))
            return any(c["type"] == "Complete" and c["status"] == "True" for c in
                       self.plane.read(job.workload)["status"].get("conditions", []))
        wait_for("the Job to be complete", complete)
        self.assertEqual(sorted(done), list(range(wanted)))
        print(f"{job.name}: complete after {wanted} shards, each once")

    def test_9_a_workload_whose_pods_are_refused_gets_none(self):
        # So that pods that come to exist mean something.
        thing = plant(named(LOCAL, "Deployment/rating-svc"), ("metadata", "name"), "planted")
        labels = {"app": "planted"}
        thing["spec"]["selector"]["matchLabels"] = labels
        thing["spec"]["template"]["metadata"]["labels"] = labels
        thing["spec"]["template"]["spec"]["securityContext"]["runAsUser"] = 0
        with self.assertRaisesRegex(Refused, "would violate"):  # It is taken, and warned of.
            self.plane.create(thing)
        condition = wait_for("the Deployment's failure", lambda: self.failures().get("planted"))
        self.assertIn('violates PodSecurity "restricted:latest": runAsUser=0', condition)
        self.assertEqual([p for p in self.plane.list("v1", "Pod", NAMESPACE)
                          if p["metadata"]["labels"] == labels], [])
        print("a Deployment of pods as root: has none, and says why")

    def failures(self):
        """What Deployments say of pods that they could not make."""
        return {o["metadata"]["name"]: c["message"]
                for o in self.plane.list("apps/v1", "Deployment", NAMESPACE)
                for c in o["status"].get("conditions", []) if c["type"] == "ReplicaFailure"}

    def install(self, rendering):
        """Applies for real: it is kept as it was asked for, and pods come to exist."""
        told = self.apply(rendering)
        objects = manifests.render(rendering)
        for thing in objects:
            with self.subTest(object=label(thing)):
                self.assertEqual(lost(thing, self.plane.read(thing)), [])
        print(f"{rendering}: {len(told)} objects applied, and kept as they were asked for")
        self.count("objects applied", len(told))
        for workload in manifests.load(rendering).pods():
            wanted = self.pods_wanted(objects, workload)
            wait_for(f"{wanted} pods of {workload.name}",
                     lambda: len(self.pods_of(workload)) == wanted)
            for pod in self.pods_of(workload):
                self.assertEqual(pod["status"]["phase"], "Pending")
                # To the volumes, a StatefulSet adds its claims.
                asked = {k: v for k, v in workload.spec.items() if k != "volumes"}
                self.assertEqual(lost(asked, pod["spec"]), [])
            print(f"{rendering}: {workload.name}: {wanted} pods admitted")
            self.count("pods admitted", wanted)
        self.assertEqual(self.failures(), {})
        self.budgets(rendering)
        # What controllers have set meanwhile, such as the number of replicas, stays theirs.
        before = [self.wanted_by(thing) for thing in objects]
        self.apply(rendering)
        self.assertEqual([self.wanted_by(thing) for thing in objects], before)
        print(f"{rendering}: applied again, nothing changes")

    def wanted_by(self, thing):
        """What is kept of an object, but for what is said of it."""
        return {k: v for k, v in self.plane.read(thing).items() if k not in ("metadata", "status")}

    def pods_of(self, workload):
        return [p for p in self.plane.list("v1", "Pod", NAMESPACE)
                if manifests.matches({"matchLabels": workload.labels}, p["metadata"]["labels"])]

    @staticmethod
    def pods_wanted(objects, workload):
        spec = workload.workload["spec"]
        if workload.workload["kind"] == "Job":
            return min(spec.get("parallelism", 1), spec.get("completions", 1))
        scaled = [o["spec"]["minReplicas"] for o in objects if
                  o["kind"] == "HorizontalPodAutoscaler" and
                  o["spec"]["scaleTargetRef"]["name"] == workload.name]
        return scaled[0] if scaled else spec.get("replicas", 1)

    def budgets(self, rendering):
        """The controllers count the pods that we mean."""
        loaded = manifests.load(rendering)
        for thing in loaded.kind("PodDisruptionBudget"):
            workload = next(p for p in loaded.pods()
                            if manifests.matches(thing["spec"]["selector"], p.labels))
            wanted = self.pods_wanted(loaded.objects, workload)
            wait_for(f"the budget of {wanted} pods", lambda: self.plane.read(
                thing).get("status", {}).get("expectedPods") == wanted)
            print(f"{rendering}: the disruption budget {thing['metadata']['name']} counts {wanted}")


if __name__ == "__main__":
    # So that whoever ends the test ends the servers, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    program = unittest.main(argv=sys.argv[:1], verbosity=2, failfast=True, exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    print(", ".join(f"{number} {what}" for what, number in ClusterTest.numbers.items()))
