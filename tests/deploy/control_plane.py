"""A Kubernetes control plane on loopback: etcd, the API server and the controllers. There is no
scheduler and no kubelet, so pods are made and wait. Everything ends with the process that made it.
"""

import atexit
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

import manifests

PATIENCE_S = 120
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
# Who shows which certificate: name, group or address.
ACTORS = {"admin": "/O=system:masters/CN=admin",
          "controllers": "/CN=system:kube-controller-manager"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, found, seconds=PATIENCE_S):
    """What found() answers once it is something; it may fail to reach the server meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = found()
        except OSError:
            value = None
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)


class Refused(Exception):
    """The server's answer to what it does not take."""


class ControlPlane:
    def __init__(self, programs):
        self.programs = pathlib.Path(programs)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-cluster-"))
        self.processes = {}
        self.warnings = []  # What the server said to what it took through `request`.
        self.connection = None
        atexit.register(self.close)
        self.make_certificates()
        self.start_etcd()
        self.start_api_server()
        for actor in ACTORS:
            self.write_configuration(actor)
        self.start_controllers()
        self.resources = {}

    def path(self, name):
        return str(self.directory / name)

    def make_certificates(self):
        """An authority, the server's certificate, those of its callers, and the key that
        tokens of service accounts are signed with."""
        curve = ["-pkeyopt", "ec_paramgen_curve:P-256"]

        def certificate(name, subject, usage, *options):
            self.run("openssl", "req", "-x509", "-newkey", "ec", *curve, "-nodes", "-days", "2",
                     "-subj", subject, "-keyout", self.path(f"{name}.key"),
                     "-out", self.path(f"{name}.crt"), *usage, *options)
        certificate("ca", "/CN=starratings-test", [])
        signed = ["-CA", self.path("ca.crt"), "-CAkey", self.path("ca.key"),
                  "-addext", "basicConstraints=critical,CA:FALSE"]
        certificate("server", "/CN=kube-apiserver", signed, "-addext",
                    "subjectAltName=IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth")
        for actor, subject in ACTORS.items():
            certificate(actor, subject, signed, "-addext", "extendedKeyUsage=clientAuth")
        self.run("openssl", "genpkey", "-algorithm", "RSA", "-out", self.path("accounts.key"))

    @staticmethod
    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise AssertionError(f"{command[0]} exited {done.returncode}: {done.stderr}")

    def start(self, name, command, ready):
        """Starts a program, which command(PORT, ANOTHER) says, and waits until it is ready; on
        other ports again if another process was faster."""
        for _ in range(5):
            ports = (free_port(), free_port())
            with open(self.path(f"{name}.log"), "wb") as log:
                # It ends with us, even if nobody is left to end it.
                self.processes[name] = process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", *command(*ports)], stdout=log, stderr=log,
                    cwd=self.directory)
            try:
                wait_for(name, lambda: process.poll() is not None or ready(*ports))
            except AssertionError as error:
                raise AssertionError(f"{error}: {self.log(name)}") from None
            if process.poll() is None:
                return ports[0]
            if "address already in use" not in self.log(name):
                break
        raise AssertionError(f"{name} did not start: {self.log(name)}")

    def log(self, name):
        return pathlib.Path(self.path(f"{name}.log")).read_text(errors="replace")[-3000:]

    def start_etcd(self):
        def command(port, peers):
            here, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
            return ["etcd", "--name=it", f"--data-dir={self.path('etcd')}", "--log-level=error",
                    f"--listen-client-urls={here}", f"--advertise-client-urls={here}",
                    f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
                    f"--initial-cluster=it={peer}"]

        def ready(port, _):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as page:
                return json.load(page)["health"] == "true"
        self.etcd = self.start("etcd", command, ready)

    def start_api_server(self):
        def command(port, _):
            return [
                self.programs / "kube-apiserver", "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1", f"--secure-port={port}",
                f"--etcd-servers=http://127.0.0.1:{self.etcd}",
                # Nobody else looks for it, and loopback would not be taken.
                "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16",
                f"--tls-cert-file={self.path('server.crt')}",
                f"--tls-private-key-file={self.path('server.key')}",
                f"--client-ca-file={self.path('ca.crt')}", "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                # What a pod may not do, the namespace has to say, not this flag.
                "--allow-privileged=true",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={self.path('accounts.key')}",
                f"--service-account-signing-key-file={self.path('accounts.key')}"]

        def ready(port, _):
            self.port = port
            return self.get("/readyz", raw=True)
        self.start("kube-apiserver", command, ready)

    def start_controllers(self):
        self.start("kube-controller-manager", lambda *_: [
            self.programs / "kube-controller-manager", "--secure-port=0", "--leader-elect=false",
            # Each controller with the rights that Kubernetes gives it, and no others.
            "--use-service-account-credentials=true",
            f"--kubeconfig={self.path('controllers.json')}",
            f"--root-ca-file={self.path('ca.crt')}",
            f"--service-account-private-key-file={self.path('accounts.key')}",
            "--horizontal-pod-autoscaler-sync-period=1s"],
            lambda *_: self.get("/api/v1/namespaces/default/serviceaccounts/default"))

    def write_configuration(self, actor):
        """What a client finds the server with, and shows that it is `actor`."""
        pathlib.Path(self.path(f"{actor}.json")).write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": actor}}],
            "clusters": [{"name": "it", "cluster": {
                "server": f"https://127.0.0.1:{self.port}",
                "certificate-authority": self.path("ca.crt")}}],
            "users": [{"name": actor, "user": {
                "client-certificate": self.path(f"{actor}.crt"),
                "client-key": self.path(f"{actor}.key")}}]}), encoding="utf-8")

    def request(self, method, path, thing=None, **query):
        """Asks the server, as admin; (status, answer)."""
        if self.connection is None:
            context = ssl.create_default_context(cafile=self.path("ca.crt"))
            context.load_cert_chain(self.path("admin.crt"), self.path("admin.key"))
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60,
                                                          context=context)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            self.connection.request(method, f"{path}?{urllib.parse.urlencode(query)}",
                                    thing and json.dumps(thing), {"Content-Type": kind})
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        # 299 - "WORDS"
        self.warnings += [json.loads(told.split(" ", 2)[2])
                          for told in answer.headers.get_all("Warning", [])]
        return answer.status, text

    def get(self, path, raw=False, **query):
        """What is there, or nothing."""
        status, text = self.request("GET", path, **query)
        return (text if raw else json.loads(text)) if status == 200 else None

    def place(self, thing):
        """The path of an object's kind, in its namespace."""
        group = thing["apiVersion"]
        root = f"/apis/{group}" if "/" in group else f"/api/{group}"
        if root not in self.resources:
            told = self.get(root)
            if told is None:
                raise Refused(f"there is no {group}")
            self.resources[root] = {r["kind"]: r for r in told["resources"]
                                    if "/" not in r["name"]}
        resource = self.resources[root].get(thing["kind"])
        if resource is None:
            raise Refused(f"there is no {thing['kind']} in {group}")
        if not resource["namespaced"]:
            return f"{root}/{resource['name']}"
        return f"{root}/namespaces/{thing['metadata']['namespace']}/{resource['name']}"

    def send(self, method, path, thing=None, **query):
        """What the server made of it; it must neither refuse it nor warn of it."""
        del self.warnings[:]
        status, text = self.request(method, path, thing, **query)
        if status >= 300:
            raise Refused(json.loads(text)["message"])
        if self.warnings:
            raise Refused("; ".join(self.warnings))
        return json.loads(text)

    def create(self, thing, **query):
        return self.send("POST", self.place(thing), thing, **query)

    def where(self, thing):
        return f"{self.place(thing)}/{thing['metadata']['name']}"

    def read(self, thing):
        return self.get(self.where(thing))

    def list(self, version, kind, namespace):
        place = self.place({"apiVersion": version, "kind": kind,
                            "metadata": {"namespace": namespace}})
        return [{"apiVersion": version, "kind": kind, **o} for o in self.get(place)["items"]]

    def kubectl(self, *arguments, given=None):
        """What kubectl prints; it must exit with 0 and have nothing to warn of."""
        done = subprocess.run(
            [manifests.TOOLS / "bin" / "kubectl", f"--kubeconfig={self.path('admin.json')}",
             *arguments], input=given, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "HOME": str(self.directory)})
        if done.returncode or done.stderr:
            raise Refused(done.stderr)
        return done.stdout

    def memory_mib(self):
        """What each process has used at most."""
        found = {}
        for name, process in self.processes.items():
            if process.poll() is not None:
                continue
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            found[name] = int(status.split("VmHWM:")[1].split()[0]) // 1024
        return found

    def close(self):
        atexit.unregister(self.close)
        for name, process in reversed(self.processes.items()):
            if process.poll() is not None:
                print(f"{name} had ended: {self.log(name)}")
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory)
