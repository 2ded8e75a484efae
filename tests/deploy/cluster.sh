#!/usr/bin/env bash
# Builds Kubernetes' API server and its controllers, runs them on loopback, and has them take the
# manifests: cluster.py.
#
# The servers are compiled from their Go modules; the CustomResourceDefinitions of cert-manager and
# of the Prometheus operator are made from theirs, as those projects make them. Which versions is in
# cluster/*/go.mod. The outcome is kept from one run to the next outside of the checkout: compiling
# takes 10 to 15 minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/packages.sh
. scripts/packages.sh
# shellcheck source=scripts/tools.sh
. scripts/tools.sh
install_packages "${cluster_packages[@]}"
tests/deploy/tools.sh || die "kubectl is needed"

sources=$PWD/tests/deploy/cluster
version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$sources/kubernetes/go.mod")
target=${STARRATINGS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/starratings}/kubernetes-$version
mkdir -p "$target" 2>/dev/null || die "cannot write $target"
exec 9>"$target/lock"  # Two checkouts may come at the same time.
flock 9

# Where Go is older than go.mod asks for, it fetches that version.
export GOTOOLCHAIN=auto GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0

# made WHAT FILE...: builds WHAT, a function, unless it was built from the same files before.
made() {
  local what=$1 begun=$SECONDS
  shift
  if cat "$@" | cmp -s - "$target/$what.made-from"; then return; fi
  command -v go >/dev/null || die "Go is needed, 1.21 or newer, and is not there"
  need_space "$target" 6000
  say "$what: building; see $target/$what.log"
  rm -f "$target/$what.made-from"
  "$what" >"$target/$what.log" 2>&1 ||
    { tail -n 20 "$target/$what.log" >&2; die "$what could not be built"; }
  cat "$@" >"$target/$what.made-from"
  say "$what: built in $((SECONDS - begun)) s"
}

servers() {
  nice go -C "$sources/kubernetes" build -trimpath -o "$target/" \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" \
    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager
}

definitions() {
  local paths
  mapfile -t paths < <(sed -n 's/^\t_ "\(.*\)"$/paths=\1/p' "$sources/operators/operators.go")
  rm -rf "$target/definitions"
  nice go -C "$sources/operators" tool controller-gen crd:maxDescLen=0 "${paths[@]}" \
    "output:crd:dir=$target/definitions"
}

made servers "$sources"/kubernetes/go.{mod,sum}
made definitions "$sources"/operators/{go.mod,go.sum,operators.go}
say "Kubernetes $version, on loopback"
exec 9>&-
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 tests/deploy/cluster.py "$target"
