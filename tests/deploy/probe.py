"""Asks for one health, as kubelet's probe does: probe.py STUBS ADDRESS NAME prints the status."""

import sys

import grpc

sys.path.insert(0, sys.argv[1])
from grpc_health import health_pb2, health_pb2_grpc

stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(sys.argv[2]))
try:
    answer = stub.Check(health_pb2.HealthCheckRequest(service=sys.argv[3]), timeout=1)
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
except grpc.RpcError as error:
    print(error.code().name)
