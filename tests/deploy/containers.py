"""Runs the pods of rendered manifests by podman and runc, each in a network namespace of its own.

What kubelet would do is done from the manifest and nothing else: user, groups, capabilities,
read-only root, seccomp, memory, files of Secrets and ConfigMaps, arguments. Not done are what
needs a cluster: a Service's one address, NetworkPolicies, scheduling. The names of Services are
those of their pods that were started, as for headless ones.
"""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

import manifests
import pods

HUB = "10.77.0.1"
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def run(command, ok=True, timeout=120, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False,
                          timeout=timeout, **options)
    if ok and done.returncode:
        raise AssertionError(f"{command} exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def memory(container):
    text = container["resources"]["limits"]["memory"]
    return int(text[:-2]) * UNITS[text[-2:]]


class Networks:
    """A bridge in a network namespace, and namespaces that hang on it; gone at the end."""

    def __init__(self, directory):
        self.prefix = f"starratings-{os.getpid()}"
        self.names, self.addresses = [], {}
        self.file, self.server = directory / "names.json", None
        self.hub = self.add("hub")
        self.ip(self.hub, "link", "add", "hub", "type", "bridge")
        self.ip(self.hub, "address", "add", f"{HUB}/24", "dev", "hub")
        self.ip(self.hub, "link", "set", "hub", "up")

    def ip(self, namespace, *arguments):
        run(["ip", "-netns", namespace, *arguments])

    def add(self, name):
        namespace = f"{self.prefix}-{name}"
        run(["ip", "netns", "add", namespace])
        self.names.append(namespace)
        self.ip(namespace, "link", "set", "lo", "up")
        return namespace

    def pod(self, name):
        """A namespace for a pod; its address."""
        namespace = self.add(name)
        number = len(self.names)
        self.ip(self.hub, "link", "add", f"pod{number}", "type", "veth", "peer", "name", "eth0",
                "netns", namespace)
        self.ip(self.hub, "link", "set", f"pod{number}", "master", "hub", "up")
        self.ip(namespace, "address", "add", f"10.77.0.{number}/24", "dev", "eth0")
        self.ip(namespace, "link", "set", "eth0", "up")
        self.addresses[name] = f"10.77.0.{number}"
        return self.addresses[name]

    def serve_names(self, services):
        """DNS for the pods: addresses by the name of a Service."""
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(services), encoding="utf-8")
        new.replace(self.file)
        if self.server is None:
            self.server = subprocess.Popen(
                ["nsenter", f"--net={self.path('hub')}", sys.executable,
                 manifests.ROOT / "tests" / "deploy" / "names.py", HUB, self.file])

    def path(self, name):
        return f"/run/netns/{self.prefix}-{name}"

    def close(self):
        if self.server is not None:
            self.server.kill()
            self.server.wait()
        for namespace in self.names:
            run(["ip", "netns", "delete", namespace], ok=False)


class Node:
    """What runs containers; `secrets` has a folder for each Secret, by its name."""

    def __init__(self, storage, directory, rendered, secrets):
        self.podman_command = ["podman", *storage, "--runtime", "runc", "--cgroup-manager",
                               "cgroupfs", "--events-backend", "none"]
        self.directory, self.rendered, self.secrets = pathlib.Path(directory), rendered, secrets
        self.networks = Networks(self.directory)
        self.services, self.running = {}, {}
        self.networks.serve_names(self.services)

    def podman(self, *arguments, **options):
        return run([*self.podman_command, *arguments], **options)

    def mount(self, pod, name):
        """The folder that a volume is, made as kubelet makes it."""
        folder = self.directory / f"{pod.name}-{name}"
        volume, group = pod.volumes()[name], pod.spec["securityContext"]["fsGroup"]
        if folder.exists():
            return folder
        folder.mkdir()
        source = pods.source_of(volume)
        mode = volume.get("secret", {}).get("defaultMode", 0o644)
        if source and source[0] == "Secret":
            for path in self.secrets[source[1]].iterdir():
                shutil.copy(path, folder / path.name)
        elif source:
            for o in self.rendered.everything("ConfigMap"):
                if o["metadata"]["name"] == source[1]:
                    for key, text in o["data"].items():
                        (folder / key).write_text(text, encoding="utf-8")
        for path in folder.iterdir():
            path.chmod(mode)
            os.chown(path, 0, group)
        os.chown(folder, 0, group)
        folder.chmod(0o2755 if source else 0o2775)
        return folder

    def options(self, pod, container, network):
        """How podman is told what the manifest says."""
        of_pod, own = pod.spec["securityContext"], container["securityContext"]
        if of_pod["seccompProfile"] != {"type": "RuntimeDefault"}:
            raise NotImplementedError(of_pod["seccompProfile"])
        told = ["--network", f"ns:{self.networks.path(network)}", "--dns", HUB,
                "--pull", "never", "--user", f"{of_pod['runAsUser']}:{of_pod['runAsGroup']}",
                "--group-add", str(of_pod["fsGroup"]), "--memory", str(memory(container)),
                "--memory-swap", str(memory(container))]
        if own["readOnlyRootFilesystem"]:
            told += ["--read-only", "--read-only-tmpfs=false"]
        if not own["allowPrivilegeEscalation"]:
            told += ["--security-opt", "no-new-privileges"]
        for capability in own["capabilities"]["drop"]:
            told += ["--cap-drop", capability]
        for limit, name in ((resource.RLIMIT_NOFILE, "nofile"), (resource.RLIMIT_NPROC, "nproc")):
            most = min(4096, resource.getrlimit(limit)[1])  # podman asks for more than it may.
            told += ["--ulimit", f"{name}={most}:{most}"]
        for mount in container.get("volumeMounts", []):
            told += ["--volume", f"{self.mount(pod, mount['name'])}:{mount['mountPath']}"
                     + (":ro" if mount.get("readOnly") else "")]
        return told

    def execute(self, pod, container, network="hub", args=None, command=None, index=0, extra=(),
                **options):
        """Runs a container to its end; `args` and `command` in place of the manifest's."""
        values, faults = pods.environment(self.rendered, pod, container)
        if faults:
            raise AssertionError(faults)
        if "JOB_COMPLETION_INDEX" in values:
            values["JOB_COMPLETION_INDEX"] = str(index)
        command = command or container.get("command", [])
        entry = ["--entrypoint", command[0]] if command else []
        args = pods.expanded(container["args"], values) if args is None else args
        return self.podman("run", *self.options(pod, container, network), *entry, *extra,
                           f"localhost/{manifests.image_name(container['image'])}",
                           *command[1:], *args, **options)

    def start(self, pod, name=None):
        """Starts a pod with all its containers, as `name` if it is one of several, and waits until
        it is ready; its Services lead to it from then on."""
        name = name or pod.name
        address = self.networks.pod(name)
        for container in pod.spec.get("initContainers", []):
            self.execute(pod, container, name, extra=["--rm"])
        container = pod.spec["containers"][0]
        self.execute(pod, container, name, extra=["--detach", "--name", self.full(name)])
        self.running[name] = pod
        for probe in (container["startupProbe"], container["readinessProbe"]):
            self.wait(name, address, probe)
        for service in self.services_of(pod):
            self.services.setdefault(service, []).append(address)
        self.networks.serve_names(self.services)
        return address

    def services_of(self, pod):
        return [s["metadata"]["name"] for s in self.rendered.everything("Service")
                if manifests.matches({"matchLabels": s["spec"]["selector"]}, pod.labels)]

    def full(self, name):
        return f"{self.networks.prefix}-{name}"

    def within(self, *command, **options):
        """Runs a command where all pods can be reached."""
        return run(["nsenter", f"--net={self.networks.path('hub')}", *command], **options)

    def probe(self, address, grpc):
        """What kubelet's gRPC probe would be told, from outside of the pod."""
        return self.within("/usr/bin/python3", manifests.ROOT / "tests" / "deploy" / "probe.py",
                           manifests.BUILD / "tests" / "python", f"{address}:{grpc['port']}",
                           grpc["service"]).stdout.strip()

    def inspect(self, name, what):
        return self.podman("inspect", "--format", "{{.State.%s}}" % what,
                           self.full(name)).stdout.strip()

    def wait(self, name, address, probe):
        deadline = time.monotonic() + probe.get("failureThreshold", 3) * probe["periodSeconds"]
        while (status := self.probe(address, probe["grpc"])) != "SERVING":
            if time.monotonic() > deadline or self.inspect(name, "Running") != "true":
                log = self.podman("logs", self.full(name), ok=False)
                raise AssertionError(f"{name}: {probe['grpc']} is {status}:\n"
                                     f"{log.stdout[-4000:]}{log.stderr[-4000:]}")
            time.sleep(0.2)

    def process(self, name):
        """The process of a running pod's container, as the kernel describes it."""
        return pathlib.Path("/proc", self.inspect(name, "Pid"))

    def stop(self, name):
        """Ends a pod as Kubernetes does; (exit code, seconds)."""
        pod, address = self.running.pop(name), self.networks.addresses[name]
        for service in self.services_of(pod):
            self.services[service].remove(address)
        self.networks.serve_names(self.services)
        begun = time.monotonic()
        self.podman("stop", "--time", pod.spec["terminationGracePeriodSeconds"], self.full(name))
        return int(self.inspect(name, "ExitCode")), time.monotonic() - begun

    def close(self):
        for name in self.podman("ps", "--all", "--format", "{{.Names}}").stdout.split():
            if name.startswith(self.networks.prefix):
                self.podman("rm", "--force", "--time", "0", name, ok=False)
        self.networks.close()
