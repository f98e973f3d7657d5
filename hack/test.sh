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

mkdir -p bin
go build -o bin/testsummary ./hack/testsummary
# -count=1: a result from the cache says nothing about the API server of today.
# shellcheck disable=SC2086
go -C "$module" test -json -count=1 -timeout 15m "$@" ${RUN:+-run "$RUN"} $packages | bin/testsummary
