#!/usr/bin/env bash
# npm ci, but only if package-lock.json differs from the one that node_modules was made from.
set -euo pipefail
stamp=node_modules/.lock-hash
want=$(sha256sum package-lock.json)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0
echo 'install: npm ci'
npm ci --loglevel=error
printf '%s\n' "$want" > "$stamp"
