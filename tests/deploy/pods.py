"""What holds of every pod by itself: how it is locked down, what it mounts, asks and is given."""

import itertools
import re

from manifests import (WORKLOADS, dockerfiles, flags_of, image_name, program)

USER = 65532
LOCKED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
          "capabilities": {"drop": ["ALL"]}}


def locked_down(manifests):
    found = []
    for o in manifests.objects:  # A kind that nobody thought of here.
        if "containers" in str(o.get("spec", "")) and o["kind"] not in WORKLOADS:
            found.append(f"{o['kind']} {o['metadata']['name']}: has containers nobody looks at")
    for pod in manifests.pods():
        context = {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
                   "seccompProfile": {"type": "RuntimeDefault"}}
        if pod.spec.get("securityContext") != context:
            found.append(f"{pod.name}: is not held to {context}")
        if pod.spec.get("automountServiceAccountToken") is not False:
            found.append(f"{pod.name}: mounts a service account's token")
        found += [f"{pod.name}: shares the node's {key}"
                  for key in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(key)]
        found += [f"{pod.name}: {name} is a directory of the node's"
                  for name, v in pod.volumes().items() if "hostPath" in v]
        found += [f"{pod.name}: {c['name']} is not locked down" for c in pod.containers()
                  if c.get("securityContext") != LOCKED]
    return found


def bounded(manifests):
    """Memory is asked for and limited alike, and some CPU asked for."""
    found = []
    for pod in manifests.pods():
        for c in pod.containers():
            asked, limit = c["resources"]["requests"], c["resources"]["limits"]
            if "memory" not in limit or asked.get("memory") != limit["memory"]:
                found.append(f"{pod.name}: {c['name']} asks for other memory than its limit")
            if "cpu" not in asked:
                found.append(f"{pod.name}: {c['name']} asks for no CPU")
    return found


def mounts(manifests):
    """What is mounted is there; Secrets and ConfigMaps whole, so that changes come through."""
    found = []
    for pod in manifests.pods():
        used = set()
        for c in pod.containers():
            for mount in c.get("volumeMounts", []):
                used.add(mount["name"])
                volume = pod.volumes().get(mount["name"], {})
                if "subPath" in mount:
                    found.append(f"{pod.name}: {mount['name']} would not follow changes")
                if ("secret" in volume or "configMap" in volume) and not mount.get("readOnly"):
                    found.append(f"{pod.name}: {mount['name']} is not mounted read-only")
        found += [f"{pod.name}: volume {name} is mounted, and not there, or the other way round"
                  for name in used ^ pod.volumes().keys()]
        for name, volume in pod.volumes().items():
            if source := source_of(volume):
                if manifests.keys(*source) is None:
                    found.append(f"{pod.name}: nobody gives the {' '.join(source)}")
    return found


def source_of(volume):
    """Of which Secret or ConfigMap a volume is."""
    if "secret" in volume:
        return "Secret", volume["secret"]["secretName"]
    if "configMap" in volume:
        return "ConfigMap", volume["configMap"]["name"]
    return None


def environment(manifests, pod, container):
    """The variables of a container, and what is wrong with where they come from."""
    values, found = {}, []
    if pod.workload["spec"].get("completionMode") == "Indexed":
        values["JOB_COMPLETION_INDEX"] = "0"  # Kubernetes adds it.
    for entry in container.get("env", []):
        source = entry["valueFrom"]["configMapKeyRef"]
        for o in manifests.everything("ConfigMap"):
            if o["metadata"]["name"] == source["name"] and source["key"] in o["data"]:
                values[entry["name"]] = o["data"][source["key"]]
        if entry["name"] not in values:
            found.append(f"{pod.name}: there is no {source['key']} in {source['name']}")
    return values, found


def expanded(args, values):
    """Arguments as Kubernetes passes them: $(NAME) is replaced if it is defined."""
    return [re.sub(r"\$\((\w+)\)", lambda m: values.get(m[1], m[0]), a) for a in args]


def arguments(manifests):
    """Every variable, flag and file that the arguments name is there."""
    found = []
    for pod in manifests.pods():
        for c in pod.containers():
            values, faults = environment(manifests, pod, c)
            args = expanded(c["args"], values)
            found += faults + [f"{pod.name}: {a} is not defined" for a in args if "$(" in a]
            name = program(c)
            command = tuple(itertools.takewhile(lambda a: not a.startswith("-"), args))
            if name == "starctl":  # After the command comes what it is about, if anything.
                command = command if command[0] == "store" else command[:1]
            known = flags_of(name, *command) | flags_of(name)
            used = [a.split("=")[0] for a in args if a.startswith("--")]
            found += [f"{pod.name}: {name} has no flag {f}" for f in used if f not in known]
            found += [f"{pod.name}: {f} is said twice" for f in set(used) if used.count(f) > 1]
            found += files(manifests, pod, c, args)
    return found


def files(manifests, pod, container, args):
    """What is wrong with the files that arguments name."""
    image = dockerfiles()[image_name(container["image"])]
    mounted = {m["mountPath"]: m["name"] for m in container.get("volumeMounts", [])}
    for path in re.findall(r"(?<![\w/])/(?:etc|usr|var)/[\w./-]+",
                           " ".join(args + container.get("command", []))):
        if re.search(rf"^COPY .* {re.escape(path)}$", image, re.MULTILINE) or path in mounted:
            continue
        folder, _, name = path.rpartition("/")
        if folder not in mounted:
            yield f"{pod.name}: there is no {path}, neither in the image nor mounted"
            continue
        source = source_of(pod.volumes().get(mounted[folder], {}))
        if source and name not in (manifests.keys(*source) or ()):
            yield f"{pod.name}: {' '.join(source)} has no {name}"


def of_service(args):
    return dict(a.split("=", 1) for a in args if "=" in a)


def ports_and_probes(manifests, served):
    """Services listen where their ports say, and probes ask there for what is answered."""
    found = []
    for pod in manifests.pods():
        for c in pod.containers():
            flags = of_service(c["args"])
            if "--listen" not in flags:
                continue  # A command that ends.
            ports = {p["name"]: p["containerPort"] for p in c["ports"]}
            for flag, name in (("--listen", "grpc"), ("--health_listen", "health"),
                               ("--metrics_listen", "metrics")):
                if flags.get(flag) != f"0.0.0.0:{ports.get(name)}":
                    found.append(f"{pod.name}: {flag} is not the port {name}")
            for probe, health in (("startupProbe", "liveness"), ("livenessProbe", "liveness"),
                                  ("readinessProbe", "readiness")):
                if c.get(probe, {}).get("grpc") != {"port": ports["health"], "service": health}:
                    found.append(f"{pod.name}: {probe} does not ask {health} on the health port")
                if health not in served[program(c)]:
                    found.append(f"{pod.name}: {program(c)} answers no health check {health}")
            seconds = sum(int(flags[f].rstrip("s")) for f in ("--linger", "--drain"))
            if pod.spec.get("terminationGracePeriodSeconds", 30) < seconds + 5:
                found.append(f"{pod.name}: would be killed before it is done")
    return found


def images(manifests, texts):
    """The image runs as the manifest's user, and its programs are where the manifest says."""
    found = []
    for pod in manifests.pods():
        for c in pod.containers():
            text = texts.get(image_name(c["image"]), "")
            if f"\nUSER {USER}:{USER}\n" not in text:
                found.append(f"{pod.name}: the image of {c['name']} runs as another user")
            found += [f"{pod.name}: the image has no {path}" for path in c.get("command", [])
                      if not re.search(rf"^COPY .* {re.escape(path)}$", text, re.MULTILINE)]
    return found


def libraries(texts, needed):
    """The image installs what its programs are linked to; `needed`: packages by program."""
    found = []
    for image, text in texts.items():
        installed = set(re.findall(r"\blib[\w.+-]+", text.split("\nFROM ${BASE}\n")[1]))
        for name in re.findall(r"^COPY --from=build .* /usr/bin/(\S+)$", text, re.MULTILINE):
            found += [f"{image}: {name} needs {package}"
                      for package in sorted(needed[name] - installed)]
    return found


CHECKS = [locked_down, bounded, mounts, arguments]
