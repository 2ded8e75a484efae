#!/usr/bin/env bash
# A throw-away PostgreSQL cluster for tests: on a unix socket, small and without
# fsync (with POSTGRES_DURABLE set: as one that is measured), gone when the tests are.
#
#   postgres.sh start DIRECTORY [PID [PORT]]
#       starts one and writes how to reach it to DIRECTORY/uri. It stops by itself
#       when process PID has ended (default: the caller). With PORT it listens on
#       127.0.0.1 too.
#   postgres.sh stop DIRECTORY
#
# Without PostgreSQL nothing is started, and DIRECTORY/uri is not there; where CI is
# set that is an error. Nothing is started either where STARRATINGS_TEST_POSTGRES_URI
# names a server to use: DIRECTORY/uri is that, and `stop` leaves it running.
set -euo pipefail

die() {
  printf 'postgres.sh: %s\n' "$*" >&2
  exit 1
}

# PostgreSQL refuses to be root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
  else
    "$@"
  fi
}

# Where initdb and its kin are; Debian keeps them out of PATH.
find_binaries() {
  local found
  found=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(command -v initdb) || return 1
  dirname "$found"
}

# halt PLACE: stops the cluster there and removes it. Harmless the second time.
halt() {
  case $1 in /tmp/starratings-pg.*) ;; *) die "not a cluster of ours: $1" ;; esac
  [ -d "$1" ] || return 0
  cd /
  as_postgres "$binaries/pg_ctl" -D "$1/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$1"
}

stop() {
  local place
  [ -f "$1/place" ] || return 0
  place=$(cat "$1/place")
  rm -f "$1/uri" "$1/place"
  halt "$place"
}

start() {
  local directory=$1 owner=$2 port=$3 place options=()
  if [ -n "${POSTGRES_DURABLE:-}" ]; then
    options+=(-c shared_buffers=512MB -c max_wal_size=4GB)
  else
    options+=(-c shared_buffers=64MB -c fsync=off -c full_page_writes=off)
  fi
  mkdir -p "$directory"
  directory=$(cd "$directory" && pwd)
  stop "$directory"
  # The path of a socket is short: not below a build directory.
  place=$(mktemp -d /tmp/starratings-pg.XXXXXX)
  printf '%s\n' "$place" >"$directory/place"
  if [ "$(id -u)" -eq 0 ]; then chown postgres "$place"; fi
  cd "$place"
  # Not the order of bytes by default: what compares by bytes must say so.
  as_postgres "$binaries/initdb" -D data -U postgres -A trust -E UTF8 --no-sync \
    --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >init.log 2>&1 || {
    cat init.log >&2
    halt "$place"
    die "initdb failed; see above"
  }
  options+=(-c max_connections=200 -k "$place" -p "${port:-5432}")
  options+=(-c "listen_addresses=${port:+127.0.0.1}")
  # The log's file belongs to whom the server runs as.
  as_postgres "$binaries/pg_ctl" -D data -l server.log -w -o "${options[*]@Q}" start >/dev/null \
    </dev/null || {
    cat server.log >&2
    halt "$place"
    die "the server did not start; see above"
  }
  # Outlives a killed caller, and holds none of its pipes.
  setsid bash "$script" watch "$place" "$owner" </dev/null >/dev/null 2>&1 &
  printf 'postgresql:///postgres?host=%s&port=%s&user=postgres\n' "$place" "${port:-5432}" \
    >"$directory/uri.new"
  mv "$directory/uri.new" "$directory/uri"
}

# watch PLACE PID: halts the cluster when the process has ended.
watch() {
  while [ -d "$1" ] && kill -0 "$2" 2>/dev/null; do sleep 0.5; done
  halt "$1"
}

script=$(realpath "${BASH_SOURCE[0]}")
[ $# -ge 2 ] || die "usage: postgres.sh start|stop DIRECTORY"
if [ -n "${STARRATINGS_TEST_POSTGRES_URI:-}" ]; then
  case $1 in
    start) mkdir -p "$2" && printf '%s\n' "$STARRATINGS_TEST_POSTGRES_URI" >"$2/uri" ;;
    stop) rm -f "$2/uri" ;;
  esac
  exit 0
fi
if ! binaries=$(find_binaries); then
  [ -z "${CI:-}" ] || die "PostgreSQL is not installed: install the Debian package postgresql"
  exit 0
fi
case $1 in
  start) start "$2" "${3:-$PPID}" "${4:-}" ;;
  stop) stop "$2" ;;
  watch) watch "$2" "$3" ;;
  *) die "unknown command: $1" ;;
esac
