"""An overlay, installed on this machine from its manifests, and a person at starctl."""

import copy
import json
import pathlib
import shutil
import tempfile

import containers
import manifests

TRUST = "spiffe://starratings/"
# Who does what the 2002 round takes, with the roles that it takes.
ACTORS = {
    "analyst": "ROLE_INSPECTOR, ROLE_SCHEME_AUTHOR, ROLE_ROUND_MANAGER, ROLE_EMBARGOED_READER",
    "chief-inspector": "ROLE_SCHEME_APPROVER, ROLE_PUBLISHER, ROLE_EMBARGOED_READER",
    "bulk-rating": "ROLE_EMBARGOED_READER",
}
EXAMPLE = manifests.ROOT / "examples" / "england-2002"
SCHEME = (manifests.ROOT / "rating-svc" / "schemes" / "england-social-services-2002"
          / "scheme.textproto")


class Installation:
    """Certificates, Secrets, and a node to start the overlay's pods on."""

    def __init__(self, overlay, storage, *hosts):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-images-"))
        self.parts = self.directory / "parts"  # What starctl may read.
        self.parts.mkdir()
        self.rendered = copy.deepcopy(manifests.load(overlay))
        self.admit()
        self.pods = {pod.name: pod for pod in self.rendered.pods()}
        self.job = manifests.load("jobs/bulk-rating").pods()[0]
        services = [s["metadata"]["name"] for s in self.rendered.kind("Service")]
        certificates = self.directory / "certificates"
        containers.run([manifests.BUILD / "starctl" / "starctl", "dev-certs", certificates,
                        *(f"--actor={TRUST}{name}" for name in ACTORS),
                        *(f"--host={name}" for name in (*services, *hosts))])
        self.secrets = {f"{p.name}-tls": p for p in certificates.iterdir() if p.is_dir()}
        self.node = containers.Node(storage, self.directory, self.rendered, self.secrets)

    def admit(self):
        """Writes our people into the policy, as whoever installs does, where they are not in it."""
        policy = next(o["data"] for o in self.rendered.kind("ConfigMap")
                      if o["metadata"]["name"] == "starratings-policy")
        for name, roles in ACTORS.items():
            if f'"{TRUST}{name}"' not in policy["policy.textproto"]:
                policy["policy.textproto"] += (
                    f'grants {{ identity: "{TRUST}{name}" roles: [{roles}] }}\n')

    def close(self):
        self.node.close()
        shutil.rmtree(self.directory)

    def starctl(self, who, *arguments, as_json=False):
        """Runs starctl from the image, as the Job for bulk rating would."""
        container = {**self.job.spec["containers"][0], "volumeMounts": []}
        args = ["--assessment=dns:///assessment-svc-headless:8443",
                "--rating=dns:///rating-svc-headless:8443", "--tls-directory=/etc/tls",
                *(["--output=json"] if as_json else []), *arguments]
        secret = self.directory / f"secret-{who}"
        if not secret.exists():
            secret.mkdir()
            for path in self.secrets[f"{who}-tls"].iterdir():
                (secret / path.name).write_bytes(path.read_bytes())
        done = self.node.execute(
            self.job, container, args=args,
            extra=["--rm", "--volume", f"{secret}:/etc/tls:ro", "--volume",
                   f"{EXAMPLE}:/example:ro", "--volume", f"{self.parts}:/parts:ro"])
        return json.loads(done.stdout) if as_json else done.stdout

    def publish_england(self):
        """Takes the May 2002 round all the way; the ratings."""
        for what in ("organisations", "periods", "codes"):
            self.starctl("analyst", "register", what, f"/example/{what}.csv")
        (self.parts / "scheme.textproto").write_bytes(SCHEME.read_bytes())
        self.starctl("analyst", "register", "scheme", "/parts/scheme.textproto")
        self.starctl("chief-inspector", "schemes", "approve", "/parts/scheme.textproto")
        for what in ("evidence", "previous-list"):
            self.starctl("analyst", "import", f"/example/{what}.csv")
        self.starctl("analyst", "rounds", "create", "2002-05", "--title", "May 2002", "--period",
                     "2001-02", "--date", "2002-05-30", "--scheme",
                     "england-social-services-2002@2002.1", "--kinds", "council")
        for step in ("freeze", "record"):
            self.starctl("analyst", "rounds", step, "2002-05")
        self.starctl("chief-inspector", "rounds", "publish", "2002-05", "--yes")
        return self.starctl("analyst", "ratings", "2002-05", as_json=True)["ratings"]
