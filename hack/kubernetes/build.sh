#!/usr/bin/env bash
# build.sh: builds etcd, Kubernetes, CoreDNS and the NetworkPolicy enforcer from Go modules, once per version, and
# prints the folder that holds them. Several runs at once wait for the first. Progress goes to stderr.
#
#   GATEHOUSE_CACHE  where builds are kept (default: $XDG_CACHE_HOME/gatehouse, ~/.cache/gatehouse)
set -euo pipefail
cd "$(dirname "$0")"

# Same flags for every program: what they share is then compiled once. `go test` here needs them too, to find it.
export CGO_ENABLED=0 GOFLAGS="-buildvcs=false -trimpath" GOWORK=off
components=(etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl)

main() {
  local cache version out
  cache=${GATEHOUSE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatehouse}/kubernetes
  version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
  out=$cache/$version-$(key)
  mkdir -p "$cache"
  exec 9> "$cache/lock"
  flock -n 9 || {
    echo "Waiting for another build of Kubernetes to end" >&2
    flock 9
  }
  [ -e "$out/complete" ] || build "$version" "$out"
  touch "$out" # its last use
  prune "$cache"
  echo "$out"
}

# key stands for everything that decides the result: sources, module versions, flags (this file), toolchain.
key() {
  local sources
  mapfile -t sources < <(find . -name '*.go' ! -name '*_test.go' | sort)
  cat go.mod go.sum build.sh "${sources[@]}" <(go env GOVERSION GOARCH) | sha256sum | cut -c1-12
}

build() {
  local version=$1 out=$2 started=$SECONDS packages total name
  {
    echo "Building Kubernetes $version (etcd, control plane, kubelet, CoreDNS) from Go modules into"
    echo "  $out"
    echo "This happens once per version: about 10 minutes on two cores with an empty build cache."
  } >&2
  packages=$(go list -deps ./...) # before anything else: a missing module is named here
  total=$(wc -l <<< "$packages")
  rm -rf "$out"
  mkdir -p "$out"
  # go build -v names each package as it is compiled; a line every 15 s tells how far it is. Anything else is passed on.
  go build -v -ldflags "$(link_flags "$version")" -o "$out/" ./... 2>&1 | awk -v total="$total" '
    /^[a-z0-9.-]+(\/|$)/ && !/[: ]/ { n++; if (systime() >= next_line) { printf "  %d of at most %d packages compiled\n", n, total; fflush(); next_line = systime() + 15 }; next }
    { print; fflush() }' >&2 || {
    rm -rf "$out"
    echo "Building Kubernetes failed after $((SECONDS - started)) s; the compiler's words are above" >&2
    return 1
  }
  for name in "${components[@]}"; do
    ln -s kube "$out/$name"
  done
  "$out/kube-apiserver" --version >&2
  touch "$out/complete"
  echo "  done in $((SECONDS - started)) s" >&2
}

# link_flags makes the binaries tell their version, as Kubernetes' own build does.
link_flags() {
  local version=$1 minor package flags="-s -w"
  minor=${version#v*.}
  minor=${minor%%.*}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=${version:1:1} -X $package.gitMinor=$minor"
    flags+=" -X $package.gitCommit=unknown -X $package.gitTreeState=clean -X $package.buildDate=1970-01-01T00:00:00Z"
  done
  echo "$flags"
}

# prune keeps the five builds used last: several checkouts, of several versions, share the cache. A cluster that runs
# has links of its own to the files.
prune() {
  find "$1" -mindepth 1 -maxdepth 1 -type d -name 'v*' -printf '%T@ %p\n' | sort -rn | tail -n +6 | cut -d' ' -f2- | xargs -r -d '\n' rm -rf
}

main
