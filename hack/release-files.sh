#!/usr/bin/env bash
# release-files.sh VERSION IMAGE: what a release carries, in dist/release. KUBECTL may name another kubectl.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1 image=$2 kubectl=${KUBECTL:-kubectl}
out=${OUT:-dist/release}
mkdir -p "$out/files"

# The section of this version; a release without one is refused.
awk -v heading="## $version" 'index($0, heading) == 1 { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md > "$out/changes.md"
grep -q '[^[:space:]]' "$out/changes.md" || { echo "CHANGELOG.md has no section ## $version" >&2; exit 1; }

"$kubectl" kustomize crds > "$out/files/crds.yaml"
"$kubectl" kustomize config/default | sed -E "s#^( +image: )ghcr\.io/larder-dev/larder:.*#\1$image#" > "$out/files/install.yaml"
grep -qF "image: $image" "$out/files/install.yaml" || { echo 'config/default has no image of that name' >&2; exit 1; }

npm sbom --omit=dev --omit=optional --sbom-format=cyclonedx --package-lock-only > "$out/files/larder.cdx.json"
node hack/build.ts > /dev/null
cp dist/LICENCES.txt "$out/files/"
ls "$out/files"
