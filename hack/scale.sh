#!/usr/bin/env bash
# scale.sh: measures what fleets of MCPServers cost the operator (test/scale), and shows the tables. All of it listens on
# loopback addresses only. Logs are in out/scale.
#
#   SCALE_SERVERS  how many servers each fleet has (default: 1000,5000)
#   SCALE_LIMIT    how long a fleet may take to be Ready (default: a minute, and a second for each server)
#   SCALE_STEADY   how long each is watched once it is Ready (default: 10m)
#   SCALE_INTERVAL how often each lock is tried (default: the operator's, 30s)
#   SCALE_MEMORY   the operator's GOMEMLIMIT, which config/manager sets to its memory limit (default: none)
#   SCALE_QPS      the operator's --probe-qps (default: the operator's)
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${KUBEBUILDER_ASSETS:-}" ]; then
  KUBEBUILDER_ASSETS=$(hack/kubernetes/build.sh)
  export KUBEBUILDER_ASSETS
fi
out=$PWD/out/scale
rm -rf "$out"
mkdir -p "$out" bin
go build -o bin/testsummary ./hack/testsummary
go build -o "$out/" ./cmd/operator

rc=0
go test -tags scale -json -count=1 -timeout 3h ./test/scale -args \
  -program "$out/operator" -logs "$out" -servers "${SCALE_SERVERS:-1000,5000}" -steady "${SCALE_STEADY:-10m}" \
  -memory "${SCALE_MEMORY:-}" -limit "${SCALE_LIMIT:-0}" -interval "${SCALE_INTERVAL:-0}" -probe-qps "${SCALE_QPS:-0}" > "$out/test.json" || rc=$?
if [ -e "$out/tables.txt" ]; then cat "$out/tables.txt"; fi
bin/testsummary < "$out/test.json" || rc=1
exit $rc
