#!/usr/bin/env bash
# test.sh [GO-TEST-FLAG...]: runs the tests and closes with their counts. Tests against an API server get etcd and kube-apiserver from
# KUBEBUILDER_ASSETS, else from hack/kubernetes, which builds them once per version (about ten minutes on two cores).
#
#   PKG     packages (default: ./...)      RUN  only tests whose name matches this pattern
#   MODULE  folder of the Go module (default: this one)
set -euo pipefail
cd "$(dirname "$0")/.."

packages=${PKG:-./...}
module=${MODULE:-.}
# shellcheck disable=SC2086  # PKG may list several
dependencies=$(go -C "$module" list -test -deps $packages)
# Not through a pipe: grep -q leaves before go has said all, and pipefail would take that for a failure.
if [ -z "${KUBEBUILDER_ASSETS:-}" ] && grep -q '^sigs.k8s.io/controller-runtime/pkg/envtest$' <<< "$dependencies"; then
  KUBEBUILDER_ASSETS=$(hack/kubernetes/build.sh)
  export KUBEBUILDER_ASSETS
fi
export GINKGO_NO_COLOR=TRUE

mkdir -p bin out
go build -o bin/testsummary ./hack/testsummary

# run tells the packages in `go test -json`'s form.
run() {
  # -count=1: a result from the cache says nothing about the API server of today.
  go -C "$module" test -json -count=1 -timeout 15m "$@"
}

# tell_specs does so for the specs of controllers. Most of one is waiting: three processes tell them, each with an API server
# of its own.
tell_specs() {
  go build -o out/ginkgo github.com/onsi/ginkgo/v2/ginkgo
  go tool test2json -t -p "$specs" out/ginkgo run --procs=3 --timeout=15m "$@" ./controllers
}

specs=$(go list ./controllers)
# shellcheck disable=SC2086
mapfile -t selected < <(go -C "$module" list $packages)
others=()
for package in "${selected[@]}"; do
  if [ "$package" != "$specs" ] || [ -n "${RUN:-}" ]; then others+=("$package"); fi
done
{
  rc=0
  # What is said of them follows the rest: two streams do not go through one pipe.
  if [ ${#others[@]} -lt ${#selected[@]} ]; then tell_specs "$@" > out/specs.json & fi
  if [ ${#others[@]} -gt 0 ]; then run "$@" ${RUN:+-run "$RUN"} "${others[@]}" || rc=1; fi
  if [ ${#others[@]} -lt ${#selected[@]} ]; then
    wait $! || rc=1
    cat out/specs.json
  fi
  exit "$rc"
} | bin/testsummary
