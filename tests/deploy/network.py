"""Which connections the NetworkPolicies let through, and which the programs need."""

import re

from manifests import matches

HEALTH = "health"


def applies(policy, pod, direction):
    spec = policy["spec"]
    return direction in spec["policyTypes"] and matches(spec["podSelector"], pod.labels)


def peer_is(peer, pod):
    """Whether a peer of a rule is a pod of our namespace."""
    return ("namespaceSelector" not in peer and "podSelector" in peer
            and matches(peer["podSelector"], pod.labels))


def rules(manifests, pod, direction):
    """All rules that let something in to, or out of, a pod."""
    word = direction.lower()
    return [rule for policy in manifests.everything("NetworkPolicy")
            if applies(policy, pod, direction) for rule in policy["spec"].get(word, [])]


def opens(rule, port, peers):
    """Whether a rule lets a port through for a peer of which `peers` is true."""
    side = rule.get("from", rule.get("to"))
    return (("ports" not in rule or any(p["port"] == port for p in rule["ports"]))
            and (side is None or any(map(peers, side))))


def may_connect(manifests, source, target, port):
    """Whether pods of ours may connect to each other."""
    return (any(opens(r, port, lambda peer: peer_is(peer, target))
                for r in rules(manifests, source, "Egress"))
            and any(opens(r, port, lambda peer: peer_is(peer, source))
                    for r in rules(manifests, target, "Ingress")))


def default_deny(manifests):
    """Whatever no rule speaks of is refused, both ways."""
    for policy in manifests.everything("NetworkPolicy"):
        if policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
            return []
    return ["no NetworkPolicy denies everything"]


def policies_choose_pods(manifests):
    """Each policy, and each of its peers in our namespace, is about pods that there are."""
    found = []
    for policy in manifests.kind("NetworkPolicy"):
        name, spec = policy["metadata"]["name"], policy["spec"]
        if not any(matches(spec["podSelector"], p.labels) for p in manifests.all_pods()):
            found.append(f"NetworkPolicy {name}: chooses no pod")
        for rule in spec.get("ingress", []) + spec.get("egress", []):
            for peer in rule.get("from", []) + rule.get("to", []):
                # Whoever is a client labels itself: nobody need be there yet.
                if peer.get("podSelector") == {"matchLabels": {"starratings-client": "true"}}:
                    continue
                if "namespaceSelector" not in peer and not any(
                        peer_is(peer, p) for p in manifests.all_pods()):
                    found.append(f"NetworkPolicy {name}: there is no peer {peer}")
        for direction, word in (("Ingress", "ingress"), ("Egress", "egress")):
            if word in spec and direction not in spec["policyTypes"]:
                found.append(f"NetworkPolicy {name}: its {word} is not among its policyTypes")
    return found


def policies_open_ports_that_are_there(manifests):
    """What comes in comes to a port of the pod, and never to the one for probes."""
    found = []
    for pod in manifests.pods():
        for rule in rules(manifests, pod, "Ingress"):
            opened = {p["port"] for p in rule.get("ports", [])}
            if not opened or not rule.get("from"):
                found.append(f"{pod.name}: a rule opens it to anybody, or all of it")
            found += [f"{pod.name}: a rule opens {port}, which it has not"
                      for port in opened - set(pod.ports().values())]
            if pod.ports().get(HEALTH) in opened:
                found.append(f"{pod.name}: a rule opens the plaintext health port")
    return found


def needed_flows_are_open(manifests):
    """Names can be asked for, calls and the database be reached, metrics be read."""
    found = []
    services = {s["metadata"]["name"]: s for s in manifests.everything("Service")}
    for pod in manifests.pods():
        if not any(opens(r, 53, lambda p: "namespaceSelector" in p)
                   for r in rules(manifests, pod, "Egress")):
            found.append(f"{pod.name}: may not ask for names")
        for container in pod.containers():
            for name, port in re.findall(r"dns:///([\w-]+):(\d+)", " ".join(container["args"])):
                if name not in services:
                    found.append(f"{pod.name}: there is no Service {name}")
                    continue
                if services[name]["spec"].get("clusterIP") != "None":
                    found.append(f"{pod.name}: {name} is one address: no round robin")
                if int(port) not in [p["port"] for p in services[name]["spec"]["ports"]]:
                    found.append(f"{pod.name}: {name} has no port {port}")
                targets = [p for p in manifests.all_pods() if matches(
                    {"matchLabels": services[name]["spec"]["selector"]}, p.labels)]
                if not targets or not all(may_connect(manifests, pod, t, int(port))
                                          for t in targets):
                    found.append(f"{pod.name}: may not connect to {name}")
            if any(e["name"] == "STORE" for e in container.get("env", [])) and not any(
                    opens(r, 5432, lambda p: True) for r in rules(manifests, pod, "Egress")):
                found.append(f"{pod.name}: may not connect to the database")
        for name, port in pod.ports().items():
            # From another namespace: clients by a label, Prometheus by its name.
            if name != HEALTH and not any(opens(r, port, lambda p: "namespaceSelector" in p)
                                          for r in rules(manifests, pod, "Ingress")):
                found.append(f"{pod.name}: nobody may connect to its port {name}")
    return found


CHECKS = [default_deny, policies_choose_pods, policies_open_ports_that_are_there,
          needed_flows_are_open]
