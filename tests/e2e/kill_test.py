"""A service that is killed in the middle of an import loses nothing that was
acknowledged, and the import ends as if nothing had happened."""

import csv
import subprocess
import time
import unittest

import harness

KILLS = 3
ROWS = 20_000


class KillTest(harness.ServiceTest):
    def write_files(self):
        directory = self.services.directory
        with open(directory / "organisations.csv", "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["id", "name", "kind"])
            out.writerows([f"home-{i:05}", f"Home {i}", "home"] for i in range(ROWS))
        (directory / "periods.csv").write_text("id,from,to\n2001-02,2001-04-01,2002-04-01\n")
        (directory / "codes.csv").write_text("id,title,kind,value_type\n"
                                             "a.figure,A figure,INDICATOR,DECIMAL\n")
        with open(directory / "evidence.csv", "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["organisation", "period", "code", "value", "source"])
            out.writerows([f"home-{i:05}", "2001-02", "a.figure", i, "A test"]
                          for i in range(ROWS))

    def import_command(self):
        return [harness.STARCTL, "--insecure", "--actor", "supplier", "--assessment",
                self.services.assessment.grpc, "import", "--batch", "100", "--retry-for", "60",
                str(self.services.directory / "evidence.csv")]

    def commits(self):
        return self.services.assessment.metric("assessment_head_revision") or 0

    def test_killed_services_lose_no_acknowledged_write(self):
        services = self.services
        self.write_files()
        for what in ("organisations", "periods", "codes"):
            services.starctl("register", what, str(services.directory / f"{what}.csv"))
        before = self.commits()
        importing = subprocess.Popen([str(part) for part in self.import_command()],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        killed = 0
        deadline = time.monotonic() + harness.PATIENCE_S
        while killed < KILLS and importing.poll() is None and time.monotonic() < deadline:
            # Between the first batch and the last.
            if self.commits() > before + 20 * (killed + 1):
                services.assessment.kill()
                services.restart_assessment()
                services.rating.kill()
                services.start_rating()
                killed += 1
            time.sleep(0.002)
        out, err = importing.communicate(timeout=10 * harness.PATIENCE_S)
        self.assertEqual(importing.returncode, 0, out + err)
        self.assertGreaterEqual(killed, 1, "the import was over before it could be disturbed")
        print(f"\nkilled both services {killed} times")
        # Each batch is one revision: none is missing, none is there twice.
        self.assertEqual(self.commits(), before + ROWS / 100)
        again = harness.run(self.import_command())
        self.assertEqual(self.commits(), before + ROWS / 100, again.stdout)

        from starratings.assessment.v1 import evidence_service_pb2 as service
        from starratings.assessment.v1 import evidence_service_pb2_grpc as service_grpc
        import grpc
        stub = service_grpc.EvidenceServiceStub(grpc.insecure_channel(services.assessment.grpc))
        values = {}
        token = ""
        while True:
            page = stub.ListEvidence(service.ListEvidenceRequest(page_size=1000,
                                                                 page_token=token))
            for item in page.items:
                values[item.item.organisation] = item.item.value.decimal
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(values, {f"home-{i:05}": str(i) for i in range(ROWS)})


if __name__ == "__main__":
    harness.main()
