"""The images, run as overlays/local says, rate the May 2002 round. Started by images.sh, which
builds them: images.py BASE STORAGE-OPTION..."""

import collections
import json
import pathlib
import re
import sys
import unittest

import containers
import installation

BASE, STORAGE = sys.argv[1], sys.argv[2:]
LARGEST = 40_000_000  # Bytes of an image beside what it is built on.


class ImagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = installation.Installation("overlays/local", STORAGE)
        cls.addClassCleanup(cls.site.close)
        cls.node, cls.pods = cls.site.node, cls.site.pods
        cls.addresses = {name: cls.node.start(cls.pods[name])
                         for name in ("assessment-svc", "rating-svc")}

    def test_1_images_are_small_and_say_what_they_are_made_of(self):
        def size(image):
            return int(self.node.podman("image", "inspect", "--format", "{{.Size}}",
                                        image).stdout)
        for image, program in (("assessment-svc", "starctl"), ("rating-svc", "rating-svc")):
            more = size(f"localhost/{image}") - size(BASE)
            print(f"{image}: {more / 1e6:.1f} MB beside the base of {size(BASE) / 1e6:.0f} MB")
            self.assertLess(more, LARGEST)

            def shell(text, image=image):
                return self.node.podman("run", "--rm", "--network", "none", "--ulimit",
                                        "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
                                        "--entrypoint", "/bin/sh", f"localhost/{image}", "-c",
                                        text).stdout
            bill = json.loads(shell("cat /usr/share/starratings/sbom.spdx.json"))
            listed = {p["name"]: p["versionInfo"] for p in bill["packages"]}
            installed = dict(line.split() for line in shell(
                "dpkg-query -W -f '${Package} ${Version}\\n'").splitlines())
            self.assertEqual({n: v for n, v in listed.items() if n in installed}, installed)
            self.assertLessEqual(listed.keys() - installed.keys(),
                                 {"assessment-svc", "starctl", "rating-svc"})
            version = shell(f"{program} --version").split()[-1]
            self.assertEqual(listed[program], version)
            identifiers = {p["SPDXID"] for p in bill["packages"]}
            self.assertEqual(len(identifiers), len(bill["packages"]))
            self.assertEqual({r["relatedSpdxElement"] for r in bill["relationships"]}, identifiers)

    def test_2_the_kernel_holds_them_to_the_security_context(self):
        for name, pod in self.pods.items():
            process, wanted = self.node.process(name), pod.spec["securityContext"]
            status = dict(re.findall(r"^(\w+):\s*(.*)$", (process / "status").read_text(),
                                     re.MULTILINE))
            self.assertEqual(set(status["Uid"].split()), {str(wanted["runAsUser"])}, name)
            self.assertEqual(set(status["Gid"].split()), {str(wanted["runAsGroup"])}, name)
            for held in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                self.assertEqual(int(status[held], 16), 0, f"{name}: {held}")
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), name)
            root = next(line for line in (process / "mountinfo").read_text().splitlines()
                        if line.split()[4] == "/")
            self.assertIn("ro", root.split()[5].split(","), name)
            group = re.search(r"^\d+:memory:(.*)$|^0::(.*)$", (process / "cgroup").read_text(),
                              re.MULTILINE)
            limit = (f"/sys/fs/cgroup/memory{group[1]}/memory.limit_in_bytes" if group[1]
                     else f"/sys/fs/cgroup{group[2]}/memory.max")
            self.assertEqual(int(pathlib.Path(limit).read_text()),
                             containers.memory(pod.spec["containers"][0]), name)

    def test_3_what_they_may_not_do_they_cannot(self):
        pod = self.pods["assessment-svc"]
        container = pod.spec["containers"][0]

        def shell(text):
            return self.node.execute(pod, container, command=["/bin/sh", "-c", text], args=[],
                                     extra=["--rm"], ok=False).returncode
        self.assertEqual(shell("touch /var/lib/starratings/probe && rm /var/lib/starratings/probe"),
                         0)
        for path in ("/probe", "/tmp/probe", "/usr/bin/probe", "/etc/tls/probe"):
            self.assertNotEqual(shell(f"touch {path}"), 0, path)
        self.assertNotEqual(shell("chown 0 /var/lib/starratings"), 0)
        self.assertEqual(shell("cat /etc/tls/tls.key >/dev/null"), 0)
        hog = containers.memory(container) + (64 << 20)
        self.assertEqual(shell(f"perl -e '$x = q(x) x {hog}'"), 137)

    def test_4_health_is_answered_by_name(self):
        for name, address in self.addresses.items():
            container = self.pods[name].spec["containers"][0]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertEqual(self.node.probe(address, container[probe]["grpc"]), "SERVING")
            other = {**container["livenessProbe"]["grpc"], "service": "nobody"}
            self.assertEqual(self.node.probe(address, other), "NOT_FOUND")

    def test_5_the_round_of_2002_comes_out_as_published(self):
        ratings = self.site.publish_england()
        stars = collections.Counter(r["results"][0]["level"] for r in ratings)
        self.assertEqual(stars, {"0": 10, "1": 82, "2": 50, "3": 8})

    def test_6_the_indexed_job_rates_it_to_the_same_digest(self):
        container = self.site.job.spec["containers"][0]
        parts = []
        for index in range(self.site.job.workload["spec"]["completions"]):
            done = self.node.execute(self.site.job, container, index=index, extra=["--rm"])
            (self.site.parts / f"part-{index}.json").write_text(done.stdout, encoding="utf-8")
            parts.append(f"/parts/part-{index}.json")
        told = self.site.starctl("analyst", "rounds", "show", "2002-05", as_json=True)
        digest = re.search(r'"round_digest": "([^"]+)"', json.dumps(told))[1]
        summary = self.site.starctl("analyst", "add-up", *parts, "--digest", digest, as_json=True)
        self.assertEqual(int(summary["summary"]["count"]), 150, summary)

    def test_7_a_restarted_record_is_the_same_record(self):
        before = self.site.starctl("analyst", "ratings", "2002-05", as_json=True)
        self.end("assessment-svc")
        self.node.start(self.pods["assessment-svc"], "assessment-svc-again")
        self.assertEqual(self.site.starctl("analyst", "ratings", "2002-05", as_json=True), before)

    def test_8_they_end_in_time_when_told_to(self):
        for name in list(self.node.running):
            self.end(name)

    def end(self, name):
        grace = self.node.running[name].spec["terminationGracePeriodSeconds"]
        code, seconds = self.node.stop(name)
        print(f"{name}: exit {code} after {seconds:.1f} s")
        self.assertEqual(code, 0, name)
        self.assertGreater(seconds, 5)  # --linger
        self.assertLess(seconds, grace - 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2, failfast=True)
