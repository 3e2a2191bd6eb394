#!/usr/bin/env bash
# Fails if `make generate` would change a byte of crds/ or docs/, and names the files.
set -euo pipefail
sums() { find crds docs -type f -print0 | sort -z | xargs -0 sha256sum; }
before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
sums > "$before"
node hack/generate.ts > /dev/null
sums > "$after"
if ! diff "$before" "$after" > /dev/null; then
  echo 'generated files were stale; they are written now, commit them:' >&2
  diff "$before" "$after" | awk '/^[<>]/ {print "  " $3}' | sort -u >&2
  exit 1
fi
