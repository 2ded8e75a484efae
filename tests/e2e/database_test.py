"""A record on PostgreSQL across a network: over TLS, with a password from a file."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

import grpc

import harness

from starratings.assessment.v1 import evidence_service_pb2 as service
from starratings.assessment.v1 import evidence_service_pb2_grpc as service_grpc

POSTGRES = pathlib.Path(__file__).parents[1] / "store" / "postgres.sh"
SERVICE = harness.BUILD / "assessment-svc" / "assessment-svc"
PASSWORD = "a password: with / and @"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Database:
    """A cluster that takes TLS and a password, and nothing else, over TCP."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        harness.run([POSTGRES, "start", directory, str(os.getpid()), str(self.port)])
        if not (directory / "uri").exists():
            raise unittest.SkipTest("PostgreSQL is not there; ./check installs it")
        self.superuser = (directory / "uri").read_text().strip()
        self.data = pathlib.Path((directory / "place").read_text().strip()) / "data"
        # A certificate for localhost; and an authority that did not make it.
        for name in ("certificates", "stranger"):
            harness.run([harness.STARCTL, "dev-certs", directory / name])
        made = directory / "certificates" / "assessment-svc"
        self.authority = made / "ca.crt"
        self.stranger = directory / "stranger" / "assessment-svc" / "ca.crt"
        for name in ("tls.crt", "tls.key"):
            shutil.copy(made / name, self.data / name)
            if os.getuid() == 0:
                shutil.chown(self.data / name, "postgres", "postgres")
            os.chmod(self.data / name, 0o600)
        (self.data / "pg_hba.conf").write_text(
            "local all postgres trust\nhostssl record assessment 127.0.0.1/32 scram-sha-256\n")
        for text in ("ALTER SYSTEM SET ssl_cert_file = 'tls.crt'",
                     "ALTER SYSTEM SET ssl_key_file = 'tls.key'", "ALTER SYSTEM SET ssl = on",
                     "SELECT pg_reload_conf()",
                     f"CREATE ROLE assessment LOGIN PASSWORD '{PASSWORD}'",
                     "CREATE DATABASE record OWNER assessment"):
            self.sql(text)
        self.password = directory / "password"
        self.password.write_text(PASSWORD + "\n")

    def sql(self, text):
        return harness.psql(self.superuser, text)

    def uri(self, host="localhost", mode="verify-full", authority=None, user="assessment"):
        return (f"postgresql://{user}@{host}:{self.port}/record?sslmode={mode}"
                f"&sslrootcert={authority or self.authority}")

    def close(self):
        harness.run([POSTGRES, "stop", self.directory])


@unittest.skipIf(os.environ.get("STARRATINGS_TEST_POSTGRES_URI"),
                 "the server that is given is not ours to set up")
class DatabaseTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="starratings-database-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.database = Database(cls.directory)
        cls.addClassCleanup(cls.database.close)
        harness.run([harness.STARCTL, "store", "migrate", "--store", cls.database.uri(),
                     "--password-file", cls.database.password])

    def start(self, uri, password_file):
        command = [SERVICE, "--insecure", "--listen", "127.0.0.1:0", "--health_listen",
                   "127.0.0.1:0", "--metrics_listen", "", "--store", uri]
        if password_file is not None:
            command += ["--store_password_file", password_file]
        process = harness.Process(command, self.directory, "assessment-svc")
        self.addCleanup(lambda: process.process.poll() is None and process.kill())
        return process

    def refused(self, uri, password_file):
        """What it says when it does not start."""
        command = [SERVICE, "--insecure", "--listen", "127.0.0.1:0", "--metrics_listen", "",
                   "--store", uri]
        if password_file is not None:
            command += ["--store_password_file", password_file]
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertNotIn(PASSWORD, result.stderr)
        return result.stderr

    def head(self, process):
        request = service.ListEvidenceRequest(page_size=1)
        request.freshness.latest.SetInParent()
        stub = service_grpc.EvidenceServiceStub(grpc.insecure_channel(process.grpc))
        return stub.ListEvidence(request, timeout=20).snapshot.revision

    def test_every_connection_is_encrypted(self):
        process = self.start(self.database.uri(), self.database.password)
        self.assertEqual(self.head(process), 0)
        seen = self.database.sql("SELECT count(*), bool_and(s.ssl) FROM pg_stat_activity AS a"
                                 " JOIN pg_stat_ssl AS s USING (pid)"
                                 " WHERE a.application_name = 'assessment-svc'")
        count, encrypted = seen.split("|")
        self.assertGreaterEqual(int(count), 2)
        self.assertEqual(encrypted, "t")
        self.assertEqual(process.stop(), 0)

    def test_a_password_that_is_changed_is_read_again(self):
        process = self.start(self.database.uri(), self.database.password)
        self.assertEqual(self.head(process), 0)
        self.addCleanup(self.database.password.write_text, PASSWORD + "\n")
        self.addCleanup(self.database.sql, f"ALTER ROLE assessment PASSWORD '{PASSWORD}'")
        self.database.sql("ALTER ROLE assessment PASSWORD 'another'")
        self.database.password.write_text("another\n")
        self.database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                          " WHERE application_name = 'assessment-svc'")
        self.assertEqual(self.head(process), 0)
        self.assertEqual(process.stop(), 0)

    def test_a_certificate_of_another_authority_is_refused(self):
        stranger = self.database.uri(authority=self.database.stranger)
        self.assertIn("sslrootcert", self.refused(stranger, self.database.password))

    def test_nothing_goes_in_the_clear(self):
        plain = self.database.uri(mode="disable")
        self.assertIn("does not let this user in", self.refused(plain, self.database.password))

    def test_a_wrong_or_missing_password_is_refused(self):
        wrong = self.directory / "wrong"
        wrong.write_text("guess\n")
        self.assertIn("password", self.refused(self.database.uri(), wrong))
        self.assertIn("password", self.refused(self.database.uri(), None))
        self.assertIn("password", self.refused(self.database.uri(), self.directory / "nowhere"))

    def test_a_password_in_the_uri_is_refused(self):
        self.assertIn("password", self.refused(self.database.uri(user="assessment:secret"), None))


if __name__ == "__main__":
    harness.main()
