#!/usr/bin/env bash
# The same schemes and evidence give the same bytes, traces and digests whatever
# compiled the judge: same_bytes.sh BUILD BUILD...
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: same_bytes.sh BUILD BUILD..." >&2; exit 2; }
schemes="$(dirname "${BASH_SOURCE[0]}")/../../rating-svc/schemes"

# decided BUILD: what it makes of 400 random schemes and of those that are shipped.
decided() {
  local pairs="$1/tests/reference/reference_pairs" scheme
  "$pairs" 400 10 1 1
  for scheme in "$schemes"/*/; do "$pairs" "${scheme%/}" 20; done
}

first=
for build in "$@"; do
  digest="$(decided "$build" | sha256sum)"
  printf '%s %s\n' "${digest%% *}" "$build"
  [ "${first:=$digest}" = "$digest" ] || { echo "these are other bytes" >&2; exit 1; }
done
