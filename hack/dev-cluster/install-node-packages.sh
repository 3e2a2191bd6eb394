#!/usr/bin/env bash
# Installs what a real node needs from Debian or Ubuntu, as root and only if it is missing.
set -euo pipefail
[ "$(uname -s) $(id -u)" = 'Linux 0' ] || { echo 'real node: not root on Linux: its packages are not installed and its tests are skipped'; exit 0; }

missing=()
need() { # need <package> <command or file>...: one of them is enough
  local package=$1 candidate
  shift
  for candidate in "$@"; do
    if command -v "$candidate" > /dev/null || [ -e "$candidate" ]; then return; fi
  done
  missing+=("$package")
}
need runc runc
need containerd containerd
need containernetworking-plugins /usr/lib/cni/bridge /opt/cni/bin/bridge
need iproute2 ip
# A dynamic busybox would not start in an image of its own.
if [ ! -e /bin/busybox ] || ldd /bin/busybox &> /dev/null; then missing+=(busybox-static); fi
need util-linux nsenter
# Argo CD's health checks, and the image, are tested with these.
need lua5.4 lua5.4
need buildah buildah
# The registry client is compared with it.
need skopeo skopeo
[ ${#missing[@]} = 0 ] && exit 0

command -v apt-get > /dev/null || { echo "real node: install ${missing[*]} (no apt-get here)" >&2; exit 1; }
echo "real node: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
