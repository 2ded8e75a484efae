#!/usr/bin/env bash
# Scripts pass shellcheck; and this test would notice if not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v shellcheck >/dev/null || {
  [ "${CI:-}" = true ] && echo "shellcheck is needed; ./check installs it" && exit 1
  echo "shellcheck is not there: skipped" && exit 77
}
shellcheck -x quickstart check .ci/run scripts/*.sh tests/*/*.sh
# shellcheck disable=SC2016
if printf '#!/bin/sh\necho $1\n' | shellcheck - >/dev/null; then
  echo "shellcheck does not notice anything" && exit 1
fi
