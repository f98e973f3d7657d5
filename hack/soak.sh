#!/usr/bin/env bash
# soak.sh: keeps gates under load for a while (test/soak), shows what it cost, and closes with the tests' counts. Logs are
# in out/soak. Needs root, or user namespaces.
#
#   SOAK_SECONDS      how long each kind of load lasts (default: what each says by itself, 30 or 60)
#   SOAK_CONNECTIONS  how many connections are left idle (default: 10000)
#   RUN               only tests whose name matches this pattern
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/out/soak
rm -rf "$out"
mkdir -p "$out" bin
go build -o bin/testsummary ./hack/testsummary
go build -o "$out/" ./cmd/authproxy ./test/mcpfake/cmd/mcpfake

rc=0
go test -tags soak -json -count=1 -timeout 60m -exec "$PWD/hack/netns" ${RUN:+-run "$RUN"} ./test/soak -args \
  -program "$out/authproxy" -server "$out/mcpfake" -logs "$out" -duration "${SOAK_SECONDS:-0}s" -idle "${SOAK_CONNECTIONS:-10000}" > "$out/test.json" || rc=$?
if [ -e "$out/tables.txt" ]; then cat "$out/tables.txt"; fi
bin/testsummary < "$out/test.json" || rc=1
exit $rc
