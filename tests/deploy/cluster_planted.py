"""What a Kubernetes API server must refuse, and by which words."""

import copy

import manifests
import types_test

LOCAL, PRODUCTION, BULK = "overlays/local", "overlays/production", "jobs/bulk-rating"
NAMESPACE = "starratings"
GONE = object()
POD = ("spec", "template", "spec")
FIRST = POD + ("containers", 0)

# rendering, object, path, what is put there, what the server must say.
PLANTED = [
    (LOCAL, "Deployment/rating-svc", FIRST + ("imagePullPolcy",), "Always",
     'unknown field "spec.template.spec.containers[0].imagePullPolcy"'),
    (PRODUCTION, "ServiceMonitor/rating-svc", ("spec", "endpoints", 0, "intervall"), "30s",
     'unknown field "spec.endpoints[0].intervall"'),
    (LOCAL, "Service/rating-svc", ("spec", "ports", 0, "protocol"), "Tcp",
     "spec.ports[0].protocol: Unsupported value"),
    (PRODUCTION, "Certificate/rating-svc", ("spec", "privateKey", "algorithm"), "ECDSSA",
     "spec.privateKey.algorithm: Unsupported value"),
    (LOCAL, "Deployment/rating-svc", ("spec", "selector", "matchLabels"), {"app": "rating"},
     "spec.template.metadata.labels: Invalid value"),
    (LOCAL, "Deployment/rating-svc", FIRST + ("volumeMounts", 0, "name"), "certs",
     "spec.template.spec.containers[0].volumeMounts[0].name: Not found"),
    (LOCAL, "Deployment/rating-svc", FIRST + ("resources", "requests", "memory"), "100Gi",
     "spec.template.spec.containers[0].resources.requests: Invalid value"),
    (LOCAL, "Deployment/rating-svc", FIRST + ("readinessProbe", "grpc", "port"), 0,
     "spec.template.spec.containers[0].readinessProbe.grpc.port: Invalid value"),
    (PRODUCTION, "PodDisruptionBudget/rating-svc", ("spec", "minAvailable"), 1,
     "minAvailable and maxUnavailable cannot be both set"),
    (PRODUCTION, "HorizontalPodAutoscaler/rating-svc", ("spec", "maxReplicas"), 1,
     "spec.maxReplicas: Invalid value"),
    (LOCAL, "Service/rating-svc", ("spec", "ports", 0, "port"), 70000,
     "spec.ports[0].port: Invalid value"),
    (LOCAL, "NetworkPolicy/rating-svc", ("spec", "ingress", 0, "ports", 0, "port"), 70000,
     "spec.ingress[0].ports[0].port: Invalid value"),
    (BULK, "Job/bulk-rating", POD + ("restartPolicy",), "Always",
     "spec.template.spec.restartPolicy: Required value"),
    (LOCAL, "Service/rating-svc", ("metadata", "namespace"), "nowhere",
     'namespaces "nowhere" not found'),
]
# Of a pod of rating-svc.
PLANTED_PODS = [
    (("securityContext", "runAsUser"), 0, 'violates PodSecurity "restricted:latest": runAsUser=0'),
    (("securityContext", "runAsNonRoot"), GONE, "securityContext.runAsNonRoot=true"),
    (("securityContext", "seccompProfile"), GONE, "securityContext.seccompProfile.type"),
    (("containers", 0, "securityContext", "allowPrivilegeEscalation"), GONE,
     "securityContext.allowPrivilegeEscalation=false"),
    (("containers", 0, "securityContext", "capabilities"), GONE,
     'securityContext.capabilities.drop=["ALL"]'),
    (("hostNetwork",), True, "hostNetwork=true"),
    (("volumes", 0), {"name": "tls", "hostPath": {"path": "/etc"}}, 'volume type "hostPath"'),
    (("containers", 0, "resources", "requests", "cpu"), GONE, "must specify requests.cpu"),
]


def named(rendering, which):
    return next(o for o in manifests.render(rendering) if label(o) == which)


def label(thing):
    return f"{thing['kind']}/{thing['metadata']['name']}"


def plant(thing, path, value):
    def change(below, key):
        if value is GONE:
            del below[key]
        else:
            below[key] = value
    return types_test.planted(thing, path, change)


def pod_of(workload):
    """A pod as its controller would make it."""
    template = workload["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod", "spec": copy.deepcopy(template["spec"]),
            "metadata": {"name": "planted", "namespace": NAMESPACE,
                         "labels": template["metadata"]["labels"]}}
