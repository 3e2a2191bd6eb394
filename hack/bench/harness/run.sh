#!/usr/bin/env bash
# run.sh HARNESS N M   runs the peers' harness (its folder is HARNESS) with N nodes and M images (5 or 20).
# OP_FLAGS: flags of the operator; NODE_FLAGS: of Node, such as --cpu-prof.
set -euo pipefail
harness=$(cd "$1" && pwd)
nodes=$2 images=$3
root=$(cd "$(dirname "$0")/../../.." && pwd)
key=$("$root/node_modules/.bin/node" --input-type=module -e "import { versionKey } from '$root/hack/dev-cluster/versions.ts'; console.log(versionKey)")
export BENCH_CACHE=${BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/larder/dev-cluster/$key}
export RESULTS=${RESULTS:-$root/reports/bench}
export OP_CMD="$root/node_modules/.bin/node --max-old-space-size=200 --max-semi-space-size=4 ${NODE_FLAGS:-} $root/dist/larder.js run --health-host=127.0.0.1 --health-port=0 --http-port=off --log-level=warn ${OP_FLAGS:---pull-slots=0 --kube-api-qps=0}"
export OP_SETUP=$root/hack/bench/harness/setup
export OP_MANIFESTS=$root/hack/bench/harness/rollout-$images
export OP_OBJECTS=$images
export OP_WATCH=/apis/larder.dev/v1alpha1/prepulledimages
export OP_DONE='.status.conditions[type=Prepulled].status=True'
export OP_PROGRESS=.status.nodes.present
export OP_LABEL=${OP_LABEL:-larder}
exec "$harness/run_op.sh" "$nodes" "$images"
