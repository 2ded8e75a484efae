"""What objects say of each other."""

import re

from manifests import matches, program

# After how long gRPC asks for the addresses of a name again, at the earliest.
RESOLVED_AGAIN_S = 30
# Not of any namespace.
CLUSTER_WIDE = {"Namespace"}


def names(manifests):
    """Each object once, in the namespace that is made, under a name that Kubernetes takes."""
    found, seen = [], set()
    spaces = [o["metadata"]["name"] for o in manifests.everything("Namespace")]
    for o in manifests.objects:
        kind, name = o["kind"], o["metadata"]["name"]
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", name):
            found.append(f"{kind} {name}: is no name")
        if (kind, name) in seen:
            found.append(f"{kind} {name}: is there twice")
        seen.add((kind, name))
        if spaces and kind not in CLUSTER_WIDE and o["metadata"].get("namespace") not in spaces:
            found.append(f"{kind} {name}: is in no namespace of ours")
    return found


def selectors(manifests):
    """Whatever chooses pods chooses those of one workload."""
    found = []
    for pod in manifests.pods():
        if pod.workload["kind"] != "Job" and not matches(pod.workload["spec"]["selector"],
                                                          pod.labels):
            found.append(f"{pod.name}: its selector does not choose its pods")
        for c in pod.spec.get("topologySpreadConstraints", []):
            if not matches(c["labelSelector"], pod.labels):
                found.append(f"{pod.name}: spreads other pods than its own")
    for o in manifests.kind("Service", "PodDisruptionBudget"):
        selector = o["spec"]["selector"]
        selector = {"matchLabels": selector} if o["kind"] == "Service" else selector
        chosen = [p for p in manifests.all_pods() if matches(selector, p.labels)]
        if len(chosen) != 1:
            found.append(f"{o['kind']} {o['metadata']['name']}: chooses {len(chosen)} workloads")
            continue
        for port in o["spec"].get("ports", []):
            if port["targetPort"] not in chosen[0].ports():
                found.append(f"Service {o['metadata']['name']}: no port {port['targetPort']}")
    return found


def stateful_sets(manifests):
    """Their Service is headless and there."""
    headless = {s["metadata"]["name"] for s in manifests.kind("Service")
                if s["spec"].get("clusterIP") == "None"}
    return [f"{o['metadata']['name']}: there is no headless Service {o['spec']['serviceName']}"
            for o in manifests.kind("StatefulSet") if o["spec"]["serviceName"] not in headless]


def scaling(manifests):
    """An autoscaler has a Deployment that leaves the number to it; more than one replica are
    drained one by one and rolled without one missing; the one writer of SQLite stays one."""
    found = []
    scaled = {}
    for o in manifests.kind("HorizontalPodAutoscaler"):
        target = o["spec"]["scaleTargetRef"]
        scaled[target["kind"], target["name"]] = o
        if target["kind"] != "Deployment" or target["name"] not in [
                d["metadata"]["name"] for d in manifests.kind("Deployment")]:
            found.append(f"autoscaler {o['metadata']['name']}: there is no Deployment "
                         f"{target['name']}")
    for pod in manifests.pods():
        spec, kind = pod.workload["spec"], pod.workload["kind"]
        scaler = scaled.get((kind, pod.name))
        if scaler and "replicas" in spec:
            found.append(f"{pod.name}: says how many replicas, and so does its autoscaler")
        if kind == "StatefulSet" and spec["replicas"] != 1:
            found.append(f"{pod.name}: more than one would write one SQLite file")
        if kind != "Deployment":
            continue
        if spec["strategy"] != {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}:
            found.append(f"{pod.name}: a replica would be missing while it rolls")
        if spec.get("minReadySeconds", 0) <= RESOLVED_AGAIN_S:
            found.append(f"{pod.name}: would be rolled faster than callers learn of it")
        several = (scaler["spec"]["minReplicas"] if scaler else spec.get("replicas", 1)) > 1
        budgets = [o for o in manifests.kind("PodDisruptionBudget")
                   if matches(o["spec"]["selector"], pod.labels)]
        # The base is no installation.
        if several and manifests.name != "base":
            if [b["spec"].get("maxUnavailable") for b in budgets] != [1]:
                found.append(f"{pod.name}: is not drained one by one")
            if not pod.spec.get("topologySpreadConstraints"):
                found.append(f"{pod.name}: all replicas may be on one node")
    return found


def shards(manifests):
    """An indexed Job has a pod for every shard."""
    found = []
    for o in manifests.kind("Job"):
        spec = o["spec"]
        if spec["template"]["spec"]["restartPolicy"] not in ("Never", "OnFailure"):
            found.append(f"{o['metadata']['name']}: a Job that never ends")
        if spec.get("completionMode") == "Indexed" and (
                f"--shard=$(JOB_COMPLETION_INDEX)/{spec['completions']}"
                not in spec["template"]["spec"]["containers"][0]["args"]):
            found.append(f"{o['metadata']['name']}: its shards are not {spec['completions']}")
    return found


def store(manifests):
    """What is installed has a store: a StatefulSet SQLite, replicas PostgreSQL, made by
    `starctl store migrate` from the same URI."""
    found, migrated, used = [], set(), set()
    for pod in manifests.pods():
        for c in pod.containers():
            uri = re.search(r"--store[= ](\S+)", " ".join(c["args"]))
            if program(c) == "assessment-svc" and not uri and manifests.name != "base":
                found.append(f"{pod.name}: no store is chosen")
            if uri and uri[1].startswith("sqlite:") != (pod.workload["kind"] == "StatefulSet"):
                found.append(f"{pod.name}: {uri[1]} is no store for this kind of workload")
            if uri:
                (migrated if program(c) == "starctl" else used).add(uri[1])
    if used != migrated:
        found.append(f"stores {used} are used and {migrated} are migrated")
    return found


def certificates(manifests):
    """Each is of one URI, for both ways of use, and names every Service of its pods."""
    found = []
    issuers = [o["metadata"]["name"] for o in manifests.everything("Issuer")]
    for o in manifests.kind("Issuer"):
        if manifests.keys("Secret", o["spec"]["ca"]["secretName"]) is None:
            found.append("the issuer's authority is not given")
    for o in manifests.kind("Certificate"):
        name, spec = o["metadata"]["name"], o["spec"]
        if spec["issuerRef"] != {"name": spec["issuerRef"]["name"], "kind": "Issuer"} or spec[
                "issuerRef"]["name"] not in issuers:
            found.append(f"Certificate {name}: there is no such issuer")
        if len(spec.get("uris", [])) != 1 or not {"server auth", "client auth"} <= set(
                spec["usages"]):
            found.append(f"Certificate {name}: is not of one actor, for server and client")
        users = [p for p in manifests.all_pods() for v in p.volumes().values()
                 if v.get("secret", {}).get("secretName") == spec["secretName"]]
        if not users:
            found.append(f"Certificate {name}: nobody mounts {spec['secretName']}")
        for service in manifests.everything("Service"):
            if any(matches({"matchLabels": service["spec"]["selector"]}, p.labels)
                   for p in users):
                wanted = service["metadata"]["name"]
                found += [f"Certificate {name}: is not for {host}"
                          for host in (wanted, f"{wanted}.{o['metadata']['namespace']}.svc")
                          if host not in spec["dnsNames"]]
    return found


def monitors(manifests):
    """Each scrapes one port of one Service."""
    found = []
    for o in manifests.kind("ServiceMonitor"):
        for endpoint in o["spec"]["endpoints"]:
            chosen = [s for s in manifests.kind("Service")
                      if matches(o["spec"]["selector"], s["metadata"].get("labels", {}))
                      and endpoint["port"] in [p["name"] for p in s["spec"]["ports"]]]
            if len(chosen) != 1:
                found.append(f"ServiceMonitor {o['metadata']['name']}: scrapes {len(chosen)} "
                             f"Services")
    return found


CHECKS = [names, selectors, stateful_sets, scaling, shards, store, certificates, monitors]
