#!/usr/bin/env bash
# C++ is formatted as .clang-format says; and this test would notice if not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v clang-format >/dev/null || {
  [ "${CI:-}" = true ] && echo "clang-format is needed; ./check installs it" && exit 1
  echo "clang-format is not there: skipped" && exit 77
}
if printf 'int   x ;\n' | clang-format --dry-run -Werror 2>/dev/null; then
  echo "clang-format does not notice anything" && exit 1
fi
find common assessment-svc rating-svc starctl tests examples \( -name '*.cc' -o -name '*.h' \) \
  -print0 | xargs -0 clang-format --dry-run -Werror
