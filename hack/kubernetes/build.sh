#!/usr/bin/env bash
# build.sh: builds etcd, Kubernetes, CoreDNS and the NetworkPolicy enforcer from Go modules, once per version, and
# prints the folder that holds them. Several runs at once wait for the first. Progress goes to stderr.
#
#   GATEHOUSE_CACHE  where builds are kept (default: $XDG_CACHE_HOME/gatehouse, ~/.cache/gatehouse)
set -euo pipefail
cd "$(dirname "$0")"

cache=${GATEHOUSE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatehouse}/kubernetes
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
# The key holds everything that decides the result: sources, module versions, flags (this file), toolchain.
key=$(cat go.mod go.sum build.sh kube/*.go coredns/*.go netpol/*.go <(go env GOVERSION GOARCH) | sha256sum | cut -c1-12)
out=$cache/$version-$key
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9
if [ -e "$out/complete" ]; then
  echo "$out"
  exit 0
fi

# Same flags for every program: what they share is then compiled once.
export CGO_ENABLED=0 GOFLAGS="-buildvcs=false -trimpath" GOWORK=off
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  ldflags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(echo "$version" | cut -d. -f2)"
  ldflags+=" -X $package.gitCommit=unknown -X $package.gitTreeState=clean -X $package.buildDate=1970-01-01T00:00:00Z"
done

{
  echo "Building Kubernetes $version (etcd, control plane, kubelet, CoreDNS) from Go modules into"
  echo "  $out"
  echo "This happens once per version: about 10 minutes on two cores with an empty build cache."
} >&2
started=$SECONDS
total=$(go list -deps ./... 2> /dev/null | sort -u | wc -l)
rm -rf "$out"
mkdir -p "$out"
# go build -v names each package as it is compiled; a line every 15 s tells how far it is.
go build -v -ldflags "$ldflags" -o "$out/" ./... 2>&1 | awk -v total="$total" '
  /^[a-z0-9.-]+(\/|$)/ && !/:/ { n++; if (systime() >= next_line) { printf "  %d of at most %d packages compiled\n", n, total; fflush(); next_line = systime() + 15 }; next }
  { print }' >&2

for name in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
  ln -s kube "$out/$name"
done
"$out/kube-apiserver" --version >&2
touch "$out/complete"
echo "  done in $((SECONDS - started)) s" >&2
# Older builds are of no further use; keep this one and the newest before it.
ls -1dt "$cache"/v* | tail -n +3 | xargs -r rm -rf
echo "$out"
