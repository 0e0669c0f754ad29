#!/usr/bin/env bash
# Prints the path of a development tool that tools/go.mod pins, and builds it where it is not in the cache: tool.sh golangci-lint.
# The cache is kept by the pins and the Go version, so that a change of either builds anew. Environment: MESHD_TOOLS (~/.cache/meshd/tools).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../tools"
name=${1:?usage: tool.sh NAME}
key=$(cat go.mod go.sum <(go version) | cksum | cut -d' ' -f1)
bin=${MESHD_TOOLS:-$HOME/.cache/meshd/tools}/$key/$name
if [ ! -x "$bin" ]; then
  package=$(go list -f '{{.ImportPath}}' tool | grep "/$name\$") || { echo "tool.sh: tools/go.mod pins no $name" >&2; exit 1; }
  echo "building $name (some minutes on a small machine, once)" >&2
  mkdir -p "$(dirname "$bin")"
  go build -o "$bin.$$" "$package"
  mv "$bin.$$" "$bin"
fi
echo "$bin"
