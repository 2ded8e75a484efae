"""The manifests fit each other, the images and the binaries; and each check is seen to fail."""

import copy
import dataclasses
import functools
import pathlib
import re
import sys
import tempfile
import unittest

import manifests
import network
import objects
import pods

sys.path.insert(0, str(manifests.ROOT / "tests" / "e2e"))
import harness

GONE = object()
CHECKS = network.CHECKS + pods.CHECKS + objects.CHECKS
LOCAL, PRODUCTION, BULK = "overlays/local", "overlays/production", "jobs/bulk-rating"
POD = ("spec", "template", "spec")
FIRST = POD + ("containers", 0)

# check, rendering, object, path, what is put there.
PLANTED = [
    (network.default_deny, LOCAL, "NetworkPolicy/default-deny", ("spec", "policyTypes"),
     ["Ingress"]),
    (network.default_deny, LOCAL, "NetworkPolicy/default-deny", ("spec", "egress"), [{}]),
    (network.policies_choose_pods, LOCAL, "NetworkPolicy/rating-svc",
     ("spec", "podSelector", "matchLabels", "app.kubernetes.io/name"), "rating"),
    (network.policies_choose_pods, PRODUCTION, "NetworkPolicy/assessment-postgres",
     ("spec", "podSelector", "matchExpressions", 0, "values"), ["assessment"]),
    (network.policies_choose_pods, LOCAL, "NetworkPolicy/rating-svc",
     ("spec", "egress", 0, "to", 0, "podSelector", "matchLabels"), {"app": "assessment-svc"}),
    (network.policies_choose_pods, LOCAL, "NetworkPolicy/rating-svc", ("spec", "policyTypes"),
     ["Ingress"]),
    (network.policies_open_ports_that_are_there, LOCAL, "NetworkPolicy/assessment-svc",
     ("spec", "ingress", 0, "ports", 0, "port"), 8444),
    (network.policies_open_ports_that_are_there, LOCAL, "NetworkPolicy/assessment-svc",
     ("spec", "ingress", 0, "ports", 0, "port"), 8081),
    (network.policies_open_ports_that_are_there, LOCAL, "NetworkPolicy/assessment-svc",
     ("spec", "ingress", 0, "from"), GONE),
    (network.policies_open_ports_that_are_there, LOCAL, "NetworkPolicy/assessment-svc",
     ("spec", "ingress", 0, "ports"), GONE),
    (network.needed_flows_are_open, LOCAL, "NetworkPolicy/dns", ("spec", "egress"), []),
    (network.needed_flows_are_open, LOCAL, "NetworkPolicy/rating-svc", ("spec", "egress"), []),
    (network.needed_flows_are_open, LOCAL, "NetworkPolicy/assessment-svc",
     ("spec", "ingress", 0, "from", 2), GONE),
    (network.needed_flows_are_open, LOCAL, "NetworkPolicy/rating-svc", ("spec", "ingress", 1),
     GONE),
    (network.needed_flows_are_open, PRODUCTION, "NetworkPolicy/assessment-postgres",
     ("spec", "egress", 0, "ports", 0, "port"), 5433),
    (network.needed_flows_are_open, BULK, "NetworkPolicy/bulk-rating", ("spec", "egress"), []),
    (network.needed_flows_are_open, LOCAL, "Service/assessment-svc-headless",
     ("metadata", "name"), "assessment-headless"),
    (network.needed_flows_are_open, LOCAL, "Service/assessment-svc-headless",
     ("spec", "clusterIP"), GONE),
    (network.needed_flows_are_open, LOCAL, "Service/assessment-svc-headless",
     ("spec", "ports", 0, "port"), 443),

    (pods.locked_down, LOCAL, "Deployment/rating-svc", POD + ("securityContext", "runAsNonRoot"),
     False),
    (pods.locked_down, LOCAL, "Deployment/rating-svc", POD + ("securityContext", "runAsUser"), 0),
    (pods.locked_down, PRODUCTION, "Job/assessment-migrate",
     POD + ("securityContext", "seccompProfile"), GONE),
    (pods.locked_down, LOCAL, "Deployment/rating-svc", POD + ("automountServiceAccountToken",),
     GONE),
    (pods.locked_down, LOCAL, "Deployment/rating-svc", POD + ("hostNetwork",), True),
    (pods.locked_down, LOCAL, "StatefulSet/assessment-svc",
     POD + ("initContainers", 0, "securityContext", "readOnlyRootFilesystem"), False),
    (pods.locked_down, BULK, "Job/bulk-rating", FIRST + ("securityContext", "capabilities", "add"),
     ["NET_RAW"]),
    (pods.locked_down, LOCAL, "StatefulSet/assessment-svc",
     FIRST + ("securityContext", "allowPrivilegeEscalation"), GONE),
    (pods.locked_down, LOCAL, "StatefulSet/assessment-svc", FIRST + ("securityContext",), GONE),
    (pods.locked_down, LOCAL, "StatefulSet/assessment-svc", POD + ("volumes", 0),
     {"name": "tls", "hostPath": {"path": "/etc"}}),
    (pods.locked_down, LOCAL, "StatefulSet/assessment-svc", ("kind",), "ReplicaSet"),
    (pods.bounded, PRODUCTION, "Deployment/rating-svc", FIRST + ("resources", "limits", "memory"),
     "1Gi"),
    (pods.bounded, PRODUCTION, "Deployment/rating-svc", FIRST + ("resources", "requests", "cpu"),
     GONE),
    (pods.mounts, LOCAL, "Deployment/rating-svc", FIRST + ("volumeMounts", 0, "name"), "certs"),
    (pods.mounts, LOCAL, "Deployment/rating-svc", FIRST + ("volumeMounts", 0, "subPath"),
     "tls.crt"),
    (pods.mounts, LOCAL, "Deployment/rating-svc", FIRST + ("volumeMounts", 0, "readOnly"), GONE),
    (pods.mounts, LOCAL, "Deployment/rating-svc", POD + ("volumes", 0, "secret", "secretName"),
     "rating-tls"),
    (pods.mounts, LOCAL, "ConfigMap/starratings-policy", ("metadata", "name"), "policy-x7"),
    (pods.arguments, LOCAL, "Deployment/rating-svc", FIRST + ("args", 0),
     "--scheme=/usr/share/starratings/schemes"),
    (pods.arguments, LOCAL, "Deployment/rating-svc", FIRST + ("args", 0),
     "--schemes=/usr/share/schemes"),
    (pods.arguments, LOCAL, "Deployment/rating-svc", FIRST + ("args", 0), "--linger=6s"),
    (pods.arguments, LOCAL, "StatefulSet/assessment-svc", POD + ("initContainers", 0, "args", 2),
     "--stored"),
    (pods.arguments, LOCAL, "StatefulSet/assessment-svc", POD + ("initContainers", 0, "args", 3),
     "sqlite:/var/lib/elsewhere/record.db"),
    (pods.arguments, BULK, "Job/bulk-rating", FIRST + ("args", 2), "--shards=1/16"),
    (pods.arguments, BULK, "Job/bulk-rating", ("spec", "completionMode"), "NonIndexed"),
    (pods.arguments, BULK, "Job/bulk-rating", FIRST + ("args", 5), "--tls-directory=/etc/certs/x"),
    (pods.arguments, PRODUCTION, "Deployment/assessment-svc", FIRST + ("env", 0, "name"), "URI"),
    (pods.arguments, PRODUCTION, "Deployment/assessment-svc",
     FIRST + ("env", 0, "valueFrom", "configMapKeyRef", "key"), "url"),
    (pods.arguments, PRODUCTION, "Job/assessment-migrate", FIRST + ("args", 5),
     "/etc/postgres/pass"),
    (pods.arguments, LOCAL, "ConfigMap/starratings-policy", ("data",), {"policy.txt": ""}),

    (objects.names, LOCAL, "Service/rating-svc", ("metadata", "name"), "Rating_svc"),
    (objects.names, LOCAL, "Service/rating-svc-headless", ("metadata", "name"), "rating-svc"),
    (objects.names, LOCAL, "Service/rating-svc", ("metadata", "namespace"), "default"),
    (objects.selectors, LOCAL, "Deployment/rating-svc",
     ("spec", "selector", "matchLabels", "app.kubernetes.io/name"), "rating"),
    (objects.selectors, LOCAL, "Deployment/rating-svc",
     POD + ("topologySpreadConstraints", 0, "labelSelector", "matchLabels"), {"app": "x"}),
    (objects.selectors, LOCAL, "Service/rating-svc", ("spec", "selector"), {"app": "rating-svc"}),
    (objects.selectors, LOCAL, "Service/rating-svc", ("spec", "selector"),
     {"app.kubernetes.io/part-of": "starratings"}),
    (objects.selectors, LOCAL, "Service/rating-svc", ("spec", "ports", 0, "targetPort"), "http"),
    (objects.selectors, PRODUCTION, "PodDisruptionBudget/rating-svc",
     ("spec", "selector", "matchLabels"), {"app": "rating-svc"}),
    (objects.stateful_sets, LOCAL, "StatefulSet/assessment-svc", ("spec", "serviceName"),
     "assessment-svc"),
    (objects.scaling, PRODUCTION, "HorizontalPodAutoscaler/rating-svc",
     ("spec", "scaleTargetRef", "name"), "rating"),
    (objects.scaling, PRODUCTION, "HorizontalPodAutoscaler/rating-svc",
     ("spec", "scaleTargetRef", "kind"), "StatefulSet"),
    (objects.scaling, PRODUCTION, "Deployment/rating-svc", ("spec", "replicas"), 2),
    (objects.scaling, LOCAL, "StatefulSet/assessment-svc", ("spec", "replicas"), 2),
    (objects.scaling, PRODUCTION, "Deployment/assessment-svc",
     ("spec", "strategy", "rollingUpdate", "maxUnavailable"), 1),
    (objects.scaling, PRODUCTION, "Deployment/rating-svc", ("spec", "minReadySeconds"), 10),
    (objects.scaling, PRODUCTION, "PodDisruptionBudget/assessment-svc",
     ("spec", "maxUnavailable"), 0),
    (objects.scaling, PRODUCTION, "Deployment/assessment-svc",
     POD + ("topologySpreadConstraints",), GONE),
    (objects.shards, BULK, "Job/bulk-rating", ("spec", "completions"), 8),
    (objects.shards, BULK, "Job/bulk-rating", POD + ("restartPolicy",), "Always"),
    (objects.store, LOCAL, "StatefulSet/assessment-svc", FIRST + ("args", 7), GONE),
    (objects.store, LOCAL, "StatefulSet/assessment-svc", ("kind",), "Deployment"),
    (objects.store, PRODUCTION, "Job/assessment-migrate", FIRST + ("args", 3), "$(OTHER)"),
    (objects.certificates, PRODUCTION, "Issuer/starratings", ("spec", "ca", "secretName"), "ca"),
    (objects.certificates, PRODUCTION, "Certificate/rating-svc", ("spec", "issuerRef", "name"),
     "other"),
    (objects.certificates, PRODUCTION, "Certificate/rating-svc", ("spec", "uris"),
     ["spiffe://starratings/a", "spiffe://starratings/b"]),
    (objects.certificates, PRODUCTION, "Certificate/rating-svc", ("spec", "usages"),
     ["server auth"]),
    (objects.certificates, PRODUCTION, "Certificate/rating-svc", ("spec", "secretName"), "tls"),
    (objects.certificates, PRODUCTION, "Certificate/rating-svc", ("spec", "dnsNames", 1), GONE),
    (objects.monitors, PRODUCTION, "ServiceMonitor/rating-svc",
     ("spec", "endpoints", 0, "port"), "prometheus"),
    (objects.monitors, PRODUCTION, "Service/rating-svc", ("metadata", "labels"), GONE),
    (objects.monitors, PRODUCTION, "Service/assessment-svc", ("spec", "ports", 1, "name"), "http"),
]

PROBES = [
    (FIRST + ("livenessProbe", "grpc", "port"), 8443),
    (FIRST + ("readinessProbe", "grpc", "service"), "ready"),
    (FIRST + ("readinessProbe", "grpc", "service"), "liveness"),
    (FIRST + ("startupProbe",), GONE),
    (FIRST + ("ports", 1, "containerPort"), 8082),
    (FIRST + ("args", 2), "--listen=127.0.0.1:8443"),
    (POD + ("terminationGracePeriodSeconds",), 35),
    (POD + ("terminationGracePeriodSeconds",), GONE),
]


def plant(rendering, which, path, value):
    """The rendering with `value` at `path` of one object."""
    loaded = manifests.load(rendering)
    loaded = dataclasses.replace(loaded, objects=copy.deepcopy(loaded.objects))
    below = next(o for o in loaded.objects if f"{o['kind']}/{o['metadata']['name']}" == which)
    for key in path[:-1]:
        below = below[key]
    if value is GONE:
        del below[path[-1]]
    else:
        below[path[-1]] = value
    return loaded


@functools.cache
def served():
    """The names that each binary answers health checks under."""
    import grpc
    from grpc_health import health_pb2, health_pb2_grpc
    services = harness.Services()
    found = {}
    try:
        for process in (services.assessment, services.rating):
            stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(process.health))
            found[process.name] = set()
            for name in ("liveness", "readiness", "nobody"):
                try:
                    stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
                    found[process.name].add(name)
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.NOT_FOUND:
                        raise
    finally:
        services.close()
    return found


class ReferencesTest(unittest.TestCase):
    def test_everything_fits(self):
        for name in manifests.RENDERINGS:
            loaded = manifests.load(name)
            for check in CHECKS:
                with self.subTest(rendering=name, check=check.__name__):
                    self.assertEqual(check(loaded), [])
            with self.subTest(rendering=name):
                self.assertEqual(pods.ports_and_probes(loaded, served()), [])
                self.assertEqual(pods.images(loaded, manifests.dockerfiles()), [])

    def test_images_have_the_libraries_of_their_programs(self):
        needed = {name: manifests.packages_of(name)
                  for name in ("assessment-svc", "rating-svc", "starctl")}
        self.assertEqual(pods.libraries(manifests.dockerfiles(), needed), [])
        for package in ("libjemalloc2", "libgrpc\\+\\+1.51"):
            planted = {k: re.sub(package, "", v) for k, v in manifests.dockerfiles().items()}
            self.assertEqual(len(pods.libraries(planted, needed)),
                             sum(package.replace("\\", "") in n for n in needed.values()))

    def test_policies_are_taken_and_let_the_judge_in(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        harness.run([harness.STARCTL, "dev-certs", directory / "certs"])

        def start(path):
            """Starts assessment-svc with a policy; a service that does not like it ends."""
            harness.Process([harness.BUILD / "assessment-svc" / "assessment-svc", "--store=memory:",
                             "--listen=127.0.0.1:0", "--health_listen=127.0.0.1:0",
                             "--metrics_listen=127.0.0.1:0", f"--policy={path}",
                             f"--tls_directory={directory / 'certs' / 'assessment-svc'}"],
                            directory, "assessment-svc").kill()
        judge = next(o["spec"]["uris"][0] for o in manifests.render(PRODUCTION)
                     if o["kind"] == "Certificate" and o["metadata"]["name"] == "rating-svc")
        for overlay in (LOCAL, PRODUCTION):
            path = manifests.DEPLOY / overlay / "policy.textproto"
            start(path)
            self.assertRegex(path.read_text(encoding="utf-8"),
                             f'identity: "{judge}"\\s+roles: \\[ROLE_RATING_SERVICE\\]')
        planted = directory / "policy.textproto"
        planted.write_text('grants { identity: "spiffe://x/y" roles: [ROLE_JUDGE] }')
        with self.assertRaisesRegex(AssertionError, "did not start"):
            start(planted)

    def test_every_planted_mistake_is_found(self):
        for check, rendering, which, path, value in PLANTED:
            with self.subTest(check=check.__name__, object=which, path=path):
                before = check(manifests.load(rendering))
                after = check(plant(rendering, which, path, value))
                self.assertNotEqual(set(after) - set(before), set())

    def test_every_check_has_planted_mistakes(self):
        self.assertEqual({check for check, *_ in PLANTED}, set(CHECKS))

    def test_planted_probes_are_found(self):
        self.assertEqual(served()["rating-svc"], {"liveness", "readiness"})
        for path, value in PROBES:
            with self.subTest(path=path):
                planted = plant(LOCAL, "Deployment/rating-svc", path, value)
                self.assertNotEqual(pods.ports_and_probes(planted, served()), [])
        self.assertNotEqual(pods.ports_and_probes(
            manifests.load(LOCAL), {"rating-svc": {"liveness"}, "assessment-svc": set()}), [])

    def test_planted_images_are_found(self):
        for old, new in (("USER 65532", "USER 0"), (" /usr/bin/starctl\n", " /bin/starctl\n")):
            planted = {k: v.replace(old, new) for k, v in manifests.dockerfiles().items()}
            self.assertNotEqual(planted, manifests.dockerfiles())
            self.assertNotEqual(pods.images(manifests.load(LOCAL), planted), [])


if __name__ == "__main__":
    manifests.require_tools()
    harness.main()
