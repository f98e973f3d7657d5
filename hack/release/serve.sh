#!/usr/bin/env bash
# serve.sh FOLDER VERSION...: builds a release of each version from this tree into FOLDER, and pushes it to a registry on the node
# of the local cluster, which the kubelet takes for that of the project, too: what is in the release is installed as it is.
# Prints the registry, with the path below which images and chart are.
set -euo pipefail
folder=$(realpath -m "${1:?usage: serve.sh FOLDER VERSION...}")
shift
cd "$(dirname "$0")/../.."

address=$(hack/cluster/registry ghcr.io)
registry=$address/mcp-gatehouse/gatehouse
for version in "$@"; do
  VERSION=$version OUT=$folder/$version SIGN='' CHANGED=1 hack/release/release.sh >&2
  hack/cluster/exec env "REGISTRY=$registry" PLAIN_HTTP=1 SIGN='' hack/release/publish.sh "$folder/$version" >&2
done
echo "$registry"
