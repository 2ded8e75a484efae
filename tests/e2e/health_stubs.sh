#!/bin/sh
# Generates Python's side of gRPC's health service as the package grpc_health:
# health_stubs.sh PROTOC PLUGIN DIRECTORY
set -eu
protoc=$1 plugin=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp /usr/share/grpc-proto/grpc/health/v1/health.proto "$work/health.proto"
"$protoc" -I"$work" --python_out="$out" --grpc_python_out="$out" \
  --plugin=protoc-gen-grpc_python="$plugin" "$work/health.proto"
sed -i 's/^import health_pb2/from . import health_pb2/' "$out/health_pb2_grpc.py"
touch "$out/__init__.py"
