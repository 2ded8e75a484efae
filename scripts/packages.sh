#!/usr/bin/env bash
# Debian packages: which are needed, and how the missing ones get there.
# Sourced by quickstart and check.

# What the product is built from.
# shellcheck disable=SC2034
build_packages=(
  g++ cmake ninja-build ccache pkg-config protobuf-compiler protobuf-compiler-grpc
  libprotobuf-dev libgrpc++-dev grpc-proto libabsl-dev prometheus-cpp-dev libsqlite3-dev libpq-dev
  libssl-dev libjemalloc-dev libutf8proc-dev libcli11-dev nlohmann-json3-dev
)

# What the tests need besides. Read by ./check.
# shellcheck disable=SC2034
test_packages=(
  libgtest-dev libgmock-dev clang clang-format shellcheck python3 python3-grpcio python3-protobuf python3-yaml
  curl git ca-certificates procps openssl haproxy postgresql patroni python3-etcd etcd-server strace util-linux python3-z3
)

# What the images are built and run with, and what watches the services.
# shellcheck disable=SC2034
platform_packages=(
  prometheus prometheus-alertmanager podman buildah runc debootstrap iproute2 binutils
)

# What a Kubernetes API server stands on.
# shellcheck disable=SC2034
cluster_packages=(etcd-server openssl util-linux python3-yaml)

# say WORDS...: one line for people.
say() { printf '%s\n' "$*"; }

# die WORDS...: one sentence, and out.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# install_packages PACKAGE...: installs those that are missing, and says which.
install_packages() {
  command -v dpkg-query >/dev/null || die "this needs Debian 12: dpkg is not there"
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "these Debian packages are missing, and only root can install them: ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing the Debian packages that are missing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || die "apt-get update failed: is there a network?"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

# So that another clone of the same sources finds what this one has compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# need_space DIRECTORY MEBIBYTES: there is room, or one sentence.
need_space() {
  local free
  free=$(df -Pm -- "$1" | awk 'NR == 2 { print $4 }') || die "cannot read how full $1 is"
  [ "$free" -ge "$2" ] || die "the disk is full: $1 has $free MiB left and needs $2"
}

# configure PRESET: makes the build directory, or makes it again if it lacks the
# tests that the caller is about to run (with_tests): quickstart configures
# before GoogleTest is installed, and CMake remembers that.
with_tests=false
configure() {
  local preset=$1 options=() log=build/$1/build.log
  if $with_tests; then options=(-DSTARRATINGS_TESTS=ON); fi
  if [ -f "build/$preset/build.ninja" ]; then
    if ! $with_tests || grep -q '^STARRATINGS_TESTS:BOOL=ON$' "build/$preset/CMakeCache.txt"; then
      return
    fi
  fi
  cmake --preset "$preset" "${options[@]}" >"$log" 2>&1 || {
    cat "$log" >&2
    die "cmake failed; see above"
  }
}

# build PRESET TARGET...: configures if need be and builds, showing progress;
# what went wrong is shown in full.
build() {
  local preset=$1 log needed=200
  shift
  log=build/$preset/build.log
  command -v c++ >/dev/null || die "there is no C++ compiler: install the Debian package g++"
  mkdir -p "build/$preset" 2>/dev/null || die "cannot write below $PWD/build"
  [ -f "build/$preset/build.ninja" ] || needed=800
  need_space "build/$preset" "$needed"
  configure "$preset"
  local targets=()
  [ $# -gt 0 ] && targets=(--target "$@")
  if [ -t 1 ]; then
    NINJA_STATUS="[%f of %t, %es] " cmake --build --preset "$preset" "${targets[@]}" ||
      die "the build failed; see above"
    return
  fi
  cmake --build --preset "$preset" "${targets[@]}" >"$log" 2>&1 || {
    grep -E -A20 'error|FAILED' "$log" | head -100 >&2
    die "the build failed; the whole log is $log"
  }
  tail -n 1 "$log"
}
