#!/usr/bin/env bash
# The protos pass buf's STANDARD rules; and this test would notice if not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
buf=build/tools/node_modules/.bin/buf
[ -x "$buf" ] || buf=$(command -v buf) || {
  [ "${CI:-}" = true ] && echo "buf is needed; ./check installs it" && exit 1
  echo "buf is not there: skipped" && exit 77
}
"$buf" lint proto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r proto/. "$work"
sed -i 's/BASIS_ASSUMED/ASSUMED/' "$work/starratings/scheme/v1/scheme.proto"
if "$buf" lint "$work" >/dev/null 2>&1; then
  echo "buf does not notice an enum value without its prefix" && exit 1
fi
