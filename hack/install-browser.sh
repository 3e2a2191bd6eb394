#!/usr/bin/env bash
# Installs Debian's Chromium for the browser tests, as root and only if there is no Chromium.
set -euo pipefail
for candidate in /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
  [ -x "$candidate" ] && exit 0
done
skip() { echo "browser: $1: Chromium is not installed and its tests are skipped"; exit 0; }
[ "$(uname -s) $(id -u)" = 'Linux 0' ] || skip 'not root on Linux'
command -v apt-get > /dev/null || skip 'no apt-get here'

echo 'browser: installing chromium'
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
