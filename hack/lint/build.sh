#!/usr/bin/env bash
# Builds the linters of workflows and manifests once per version into the cache, and prints their folder.
set -euo pipefail
cd "$(dirname "$0")"
folder=${XDG_CACHE_HOME:-$HOME/.cache}/larder/lint/$(sha256sum go.sum | cut -c1-12)
command -v go > /dev/null || { echo 'lint: no Go here, workflows and manifests are not linted' >&2; exit 0; }
if [ ! -x "$folder/kube-score" ] || [ ! -x "$folder/actionlint" ]; then
  partial=$folder.$$
  mkdir -p "$partial"
  CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local go build -trimpath -o "$partial/" tool
  mkdir -p "$folder"
  mv "$partial"/* "$folder/"
  rmdir "$partial"
fi
echo "$folder"
