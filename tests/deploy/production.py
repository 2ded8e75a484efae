"""overlays/production on a real PostgreSQL: migrated by its Job, two replicas of each service, and
a rolling update under load. Started by images.sh: production.py STORAGE-OPTION..."""

import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import containers
import installation

STORAGE = sys.argv[1:]
PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
PASSWORD = "a password of the test"


class Database:
    """PostgreSQL where the pods find it: TLS with a certificate for its name, and a password."""

    def __init__(self, node, certificate):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-postgres-"))
        data = self.directory / "data"
        shutil.chown(self.directory, "postgres")
        self.run("initdb", "-D", data, "--auth-local=trust")
        for name in ("tls.crt", "tls.key", "ca.crt"):
            shutil.copy(certificate / name, data / name)
            shutil.chown(data / name, "postgres")
            (data / name).chmod(0o600)
        (data / "pg_hba.conf").write_text(
            "local all postgres trust\n"
            "hostssl assessment assessment 10.77.0.0/24 scram-sha-256\n", encoding="utf-8")
        with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"listen_addresses = '{containers.HUB}'\nssl = on\n"
                       f"ssl_cert_file = 'tls.crt'\nssl_key_file = 'tls.key'\n"
                       f"unix_socket_directories = '{self.directory}'\n")
        with open(self.directory / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["nsenter", f"--net={node.networks.path('hub')}", "setpriv", "--reuid=postgres",
                 "--regid=postgres", "--init-groups", PROGRAMS / "postgres", "-D", data],
                stderr=log)
        deadline = time.monotonic() + 60
        while containers.run([PROGRAMS / "pg_isready", "-h", self.directory], ok=False).returncode:
            if time.monotonic() > deadline:
                raise AssertionError((self.directory / "log").read_text())
            time.sleep(0.1)
        for statement in (f"CREATE ROLE assessment LOGIN PASSWORD '{PASSWORD}'",
                          "CREATE DATABASE assessment OWNER assessment"):
            self.run("psql", "-h", self.directory, "-qc", statement)

    @staticmethod
    def run(program, *arguments):
        return containers.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                               PROGRAMS / program, *arguments], cwd="/")

    def close(self):
        self.process.send_signal(signal.SIGINT)  # Whoever is connected or not.
        self.process.wait(timeout=60)
        shutil.rmtree(self.directory)


class ProductionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = installation.Installation("overlays/production", STORAGE, "postgres.postgres")
        cls.addClassCleanup(cls.site.close)
        cls.node, cls.pods = cls.site.node, cls.site.pods
        secret = cls.site.directory / "assessment-postgres"
        secret.mkdir()
        certificate = cls.site.secrets["assessment-svc-tls"]
        shutil.copy(certificate / "ca.crt", secret / "ca.crt")
        (secret / "password").write_text(PASSWORD, encoding="utf-8")
        cls.site.secrets["assessment-postgres"] = secret
        cls.database = Database(cls.node, certificate)
        cls.addClassCleanup(cls.database.close)
        cls.node.services["postgres"] = [containers.HUB]
        cls.node.networks.serve_names(cls.node.services)

    def test_1_no_replica_starts_before_the_migration(self):
        pod = self.pods["assessment-svc"]
        done = self.node.execute(pod, pod.spec["containers"][0], extra=["--rm"], ok=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("starctl store migrate", done.stderr)

    def test_2_the_job_migrates_and_may_do_so_again(self):
        pod = self.pods["assessment-migrate"]
        for _ in range(2):
            self.node.execute(pod, pod.spec["containers"][0], extra=["--rm"])

    def test_3_replicas_share_the_calls_and_the_round_comes_out(self):
        for name in ("assessment-svc", "rating-svc"):
            for number in (1, 2):
                self.node.start(self.pods[name], f"{name}-{number}")
        stars = collections.Counter(r["results"][0]["level"]
                                    for r in self.site.publish_england())
        self.assertEqual(stars, {"0": 10, "1": 82, "2": 50, "3": 8})
        for _ in range(8):
            self.site.starctl("analyst", "explain", "walsall", "--round", "2002-05")
        for name in ("assessment-svc-1", "assessment-svc-2", "rating-svc-1", "rating-svc-2"):
            print(f"{name}: {self.answered(name):.0f} calls answered")
            self.assertGreater(self.answered(name), 0, name)

    def answered(self, name):
        """How many calls a replica has answered."""
        page = self.node.within(
            sys.executable, "-c", "import sys, urllib.request as u;"
            "print(u.urlopen(sys.argv[1], timeout=10).read().decode())",
            f"http://{self.node.networks.addresses[name]}:9090/metrics").stdout
        return sum(map(float, re.findall(
            r'^grpc_server_handled_total\{.*grpc_service="starratings\..*\} (\S+)$', page,
            re.MULTILINE)))

    def test_4_a_rolling_update_loses_no_call(self):
        done, failed, stop = [0, 0], [], threading.Event()

        def call(index, *arguments):
            while not stop.is_set():
                try:
                    self.site.starctl("analyst", *arguments)
                    done[index] += 1
                except AssertionError as error:
                    failed.append(str(error))
        callers = [threading.Thread(target=call, args=(0, "rate", "2002-05")),
                   threading.Thread(target=call, args=(1, "explain", "walsall", "--round",
                                                       "2002-05"))]
        for caller in callers:
            caller.start()
        # As the manifest's strategy says: one more, and when that was ready for long, one less.
        for name in ("assessment-svc", "rating-svc"):
            for number in (1, 2):
                self.node.start(self.pods[name], f"{name}-{number + 2}")
                stop.wait(self.pods[name].workload["spec"]["minReadySeconds"])
                code, seconds = self.node.stop(f"{name}-{number}")
                self.assertEqual(code, 0, name)
                self.assertLess(seconds, self.pods[name].spec["terminationGracePeriodSeconds"])
        stop.set()
        for caller in callers:
            caller.join()
        print(f"{done[0]} rounds rated and {done[1]} ratings explained meanwhile")
        self.assertEqual(failed, [])
        self.assertGreater(min(done), 5)


if __name__ == "__main__":
    if not os.path.exists(PROGRAMS):
        sys.exit("PostgreSQL 15 is needed")
    unittest.main(argv=sys.argv[:1], verbosity=2, failfast=True)
