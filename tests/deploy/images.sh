#!/usr/bin/env bash
# Builds the images and runs them as the manifests say: images.sh [--from-source]
#
# What is built on is made of Debian's packages, and kept from one run to the next outside of the
# checkout. The binaries are those of STARRATINGS_BUILD (build/release), put in place of the
# Dockerfiles' stage `build`; with --from-source that stage compiles them: fifteen minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/packages.sh
. scripts/packages.sh

from_source=false
case ${1:-} in
  --from-source) from_source=true ;;
  "") ;;
  *) die "unknown argument: $1" ;;
esac
[ "$(id -u)" -eq 0 ] || die "only root can run containers with network namespaces of their own"
install_packages podman buildah runc debootstrap iproute2 util-linux binutils postgresql \
  python3-yaml python3-grpcio python3-protobuf
tests/deploy/tools.sh

binaries=${STARRATINGS_BUILD:-$PWD/build/release}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/starratings
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
log=$cache/images.log
work=$(mktemp -d)
# conmon leaves a file `oom` where it was started, once a container ran out of memory.
trap 'rm -rf "$work" oom' EXIT
storage=(--root "$cache/containers" --runroot "$cache/run" --storage-driver overlay)

say "the image to build on"
tests/deploy/base.sh "$cache/base-bookworm.tar" >"$log" 2>&1 ||
  { tail -n 20 "$log" >&2; die "debootstrap failed; see $log"; }
base=localhost/starratings-base:$(stat -c %Y "$cache/base-bookworm.tar")
podman "${storage[@]}" image exists "$base" ||
  podman "${storage[@]}" import --quiet "$cache/base-bookworm.tar" "$base" >"$log"

# build_image IMAGE PROGRAM...: the image, with these programs in it.
build_image() {
  local image=$1 options=() program
  shift
  if ! $from_source; then
    for program in "$@"; do
      mkdir -p "$work/$image/src/build/release/$program"
      strip -o "$work/$image/src/build/release/$program/$program" "$binaries/$program/$program"
    done
    options=(--build-context "build=$work/$image")
  fi
  say "the image $image"
  buildah "${storage[@]}" bud --isolation chroot --network host --layers --build-arg "BASE=$base" \
    "${options[@]}" -f "deploy/docker/$image.Dockerfile" -t "localhost/$image" . >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; die "$image could not be built; see $log"; }
}
build_image assessment-svc assessment-svc starctl
build_image rating-svc rating-svc
podman "${storage[@]}" image prune --force >"$log"
# What an older image to build on has left behind.
podman "${storage[@]}" images --format "{{.Repository}}:{{.Tag}}" localhost/starratings-base |
  awk -v base="$base" '$0 != base' | xargs -r podman "${storage[@]}" rmi --force >"$log" 2>&1

export STARRATINGS_BUILD=$binaries PYTHONDONTWRITEBYTECODE=1
# Without the lock, which a container that outlived us would hold on to.
/usr/bin/python3 tests/deploy/images.py "$base" "${storage[@]}" 9>&-
/usr/bin/python3 tests/deploy/production.py "${storage[@]}" 9>&-
