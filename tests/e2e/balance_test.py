"""Several rating-svc behind client-side round robin, and behind haproxy: while they are
under load one is killed and one is told to stop, and no call fails."""

import json
import shutil
import signal
import subprocess
import threading
import time

import grpc

import harness

from starratings.rating.v1 import rating_service_pb2 as rating_service
from starratings.rating.v1 import rating_service_pb2_grpc as rating_grpc

REPLICAS = 3
CALLERS = 4
# As common/serving/channel.cc has it: health is for those who see the replicas. Behind a balancer
# it would be that of some one of them.
HEALTH = {"healthCheckConfig": {"serviceName": "readiness"}}
CLIENT = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [{"name": [{}], "retryPolicy": {
        "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]}}]}
# A replica that is told to stop says first, on its metrics, that it is not ready: haproxy must hear
# of it, since it cannot cope with a server that ends a connection with calls on it.
HAPROXY = """
global
  maxconn 1000
  tune.bufsize 131072
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  option redispatch
  retries 3
  retry-on conn-failure empty-response
frontend calls
  bind unix@{socket} proto h2
  default_backend rating
backend rating
  balance roundrobin
  option httpchk GET /metrics
  http-check expect string "starratings_ready 1"
{servers}
"""


class Load:
    """Callers that ask for ratings one after the other, until stop()."""

    def __init__(self, target, organisations, config):
        options = [("grpc.service_config", json.dumps(config)), ("grpc.enable_retries", 1)]
        self.stubs = [rating_grpc.RatingServiceStub(grpc.insecure_channel(
            target, [*options, ("grpc.use_local_subchannel_pool", 1)])) for _ in range(CALLERS)]
        self.organisations = organisations
        self.failed, self.answered = [], 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(stub,)) for stub in self.stubs]
        for thread in self.threads:
            thread.start()

    def run(self, stub):
        count = 0
        while not self.ended.is_set():
            request = rating_service.RateOrganisationRequest(
                organisation=self.organisations[count % len(self.organisations)], round="2002-05")
            try:
                stub.RateOrganisation(request, timeout=20, wait_for_ready=True)
                self.answered += 1
            except grpc.RpcError as error:
                self.failed.append((error.code(), error.details()))
            count += 1

    def wait_for(self, more):
        enough = self.answered + more
        end = time.monotonic() + harness.PATIENCE_S
        while self.answered < enough:
            if time.monotonic() > end:
                raise AssertionError(f"no more answers; failed: {self.failed[:3]}")
            time.sleep(0.01)

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


class BalanceTest(harness.ServiceTest):
    def setUp(self):
        services = self.services
        if not hasattr(type(self), "loaded"):
            services.load_england()
            services.create_round()
            services.starctl("rounds", "freeze", "2002-05")
            type(self).loaded = True
        self.replicas = [harness.Process(
            [harness.BUILD / "rating-svc" / "rating-svc", "--insecure", "--listen", "127.0.0.1:0",
             "--health_listen", "127.0.0.1:0", "--metrics_listen", "127.0.0.1:0", "--linger", "2s",
             "--schemes", services.schemes, "--assessment", services.assessment.grpc],
            services.directory, f"rating-{i}") for i in range(REPLICAS)]

    def tearDown(self):
        for replica in self.replicas:
            replica.stop()

    def answered(self, replica):
        return replica.metric('grpc_server_handled_total{grpc_code="OK",'
                              'grpc_method="RateOrganisation",'
                              'grpc_service="starratings.rating.v1.RatingService",'
                              'grpc_type="unary"}') or 0

    def no_call_fails(self, target, config):
        load = Load(target, ["bexley", "cornwall"], config)
        try:
            load.wait_for(60)
            for replica in self.replicas:
                self.assertGreater(self.answered(replica), 0, replica.name)
            self.replicas[0].kill()
            load.wait_for(60)
            self.replicas[1].process.send_signal(signal.SIGTERM)
            load.wait_for(60)
            self.assertEqual(self.replicas[1].process.wait(timeout=harness.PATIENCE_S), 0)
            load.wait_for(60)
        finally:
            load.stop()
        self.assertEqual(load.failed, [])

    def test_round_robin_at_the_client(self):
        self.no_call_fails("ipv4:" + ",".join(replica.grpc for replica in self.replicas),
                           {**CLIENT, **HEALTH})

    def test_haproxy(self):
        harness.require_tool("haproxy")
        directory = self.services.directory
        socket = directory / "haproxy.socket"
        servers = "\n".join(
            f"  server {replica.name} {replica.grpc} proto h2 check check-proto h1 "
            f"port {replica.metrics_port} inter 200ms fall 1"
            for replica in self.replicas)
        (directory / "haproxy.cfg").write_text(HAPROXY.format(socket=socket, servers=servers))
        with open(directory / "haproxy.log", "wb") as log:
            proxy = subprocess.Popen([shutil.which("haproxy"), "-db", "-f",
                                      str(directory / "haproxy.cfg")], stdout=log, stderr=log)
        try:
            self.no_call_fails(f"unix:{socket}", CLIENT)
        finally:
            proxy.terminate()
            proxy.wait()


if __name__ == "__main__":
    harness.main()
