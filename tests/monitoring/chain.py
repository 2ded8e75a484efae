"""Prometheus and Alertmanager as real processes, and whoever they call."""

import copy
import http.server
import json
import math
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import monitoring

PATIENCE_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(done, what):
    """What `done` says, once it is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := done()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(0.2)
    return found


class Receiver:
    """Whoever is called: keeps what Alertmanager sends."""

    def __init__(self):
        self.alerts = alerts = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                alerts.extend(json.loads(body)["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def find(self, status, **labels):
        return next((alert for alert in list(self.alerts) if alert["status"] == status
                     and labels.items() <= alert["labels"].items()), None)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def faster(groups):
    """The rules, with two seconds for each minute of `for`; but with five at least, or
    a machine that is busy for a moment would be an alert. (Prometheus itself takes
    five to notice what there is to scrape.)"""
    groups = copy.deepcopy(groups)
    for group in groups:
        for rule in group["rules"]:
            if "for" in rule:
                number, unit = re.fullmatch(r"(\d+)([mh])", rule["for"]).groups()
                rule["for"] = f"{max(5, int(number) * {'m': 2, 'h': 120}[unit])}s"
    return groups


class Chain:
    """Prometheus and Alertmanager, both real, between the services and a receiver."""

    def __init__(self, directory, prometheus, alertmanager, processes):
        self.directory = directory
        self.receiver = Receiver()
        self.processes = []
        self.targets = {}
        self.url = f"http://127.0.0.1:{free_port()}"
        alerts = f"127.0.0.1:{free_port()}"
        monitoring.write_rules(directory / "rules.yaml", faster(monitoring.groups()))
        (directory / "alertmanager.json").write_text(json.dumps({
            "route": {"receiver": "test", "group_by": ["..."], "group_wait": "0s",
                      "group_interval": "1s", "repeat_interval": "1h"},
            "receivers": [{"name": "test", "webhook_configs": [{"url": self.receiver.url}]}]}))
        (directory / "prometheus.json").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts]}]}]},
            "scrape_configs": [{"job_name": "starratings", "file_sd_configs": [
                {"files": ["targets.json"], "refresh_interval": "1s"}]}]}))
        for (namespace, job), process in processes.items():
            self.scrape(namespace, job, process)
        self.start("alertmanager", alertmanager, f"--web.listen-address={alerts}",
                   "--cluster.listen-address=", f"--storage.path={directory}/alertmanager",
                   f"--config.file={directory}/alertmanager.json")
        self.start("prometheus", prometheus, f"--web.listen-address={self.url[7:]}",
                   f"--storage.tsdb.path={directory}/prometheus",
                   f"--config.file={directory}/prometheus.json")
        for base in (f"http://{alerts}", self.url):
            wait_for(lambda at=base: self.ready(at), f"{base} to be ready: {self.logs()}")

    def start(self, name, *command):
        with open(self.directory / f"{name}.log", "ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def logs(self):
        return [path.read_text(errors="replace")[-1000:] for path in self.directory.glob("*.log")]

    @staticmethod
    def ready(base):
        try:
            with urllib.request.urlopen(f"{base}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def scrape(self, namespace, job, process):
        """Labels as a ServiceMonitor gives them."""
        self.targets[namespace, job] = {
            "targets": [f"127.0.0.1:{process.metrics_port}"],
            "labels": {"namespace": namespace, "job": job, "service": job, "pod": f"{job}-0",
                       "container": job, "endpoint": "metrics"}}
        new = self.directory / "targets.new"
        new.write_text(json.dumps(list(self.targets.values())))
        new.rename(self.directory / "targets.json")

    def query(self, expression):
        """Every value that there is of an expression."""
        url = f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                data = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def has_data(self, expression):
        return any(not math.isnan(value) for _, value in self.query(expression))

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.receiver.close()
